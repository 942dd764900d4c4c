package sandbox

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
)

// Shapes of a webhook's message: below the name of its kind, as samples have it, or not, as the specification has it (iron §10).
const (
	ironWrapped = "wrapped"
	ironFlat    = "flat"
)

// ironTimestamp is how webhooks write times.
const ironTimestamp = "2006-01-02T15:04:05.000-07:00"

// ironWebhook is the body of a webhook (iron §10).
type ironWebhook struct {
	Type      string          `json:"type"`
	Timestamp string          `json:"timestamp"`
	Data      ironWebhookData `json:"data"`
}

type ironWebhookData struct {
	CustomerID string `json:"customer_id"`
	Message    any    `json:"message"`
}

// ironStanding is a message that says where something stands, ironEvent one that says what happened.
type ironStanding struct {
	ID     string `json:"id"`
	Status string `json:"status"`
}

type ironEvent struct {
	ID   string `json:"id"`
	Kind string `json:"kind"`
}

// ironRef is what a webhook tells of. One of a move is called off with it; all are with a reset.
type ironRef struct {
	Space          string `json:"space"`
	Identification string `json:"identification,omitzero"`
	Move           int    `json:"move,omitzero"`     // its number
	Customer       bool   `json:"customer,omitzero"` // it tells what the move means to the customer
}

// tell has a webhook sent that says something at a time; variant is what its message is wrapped in.
func (i *iron) tell(x *ironCall, kind, variant, customer string, message any, at time.Time, ref ironRef) error {
	switch sent, err := x.setting("callbacks"); {
	case err != nil:
		return err
	case sent == "lost":
		return nil
	}
	shape, err := x.setting("webhook_shape")
	if err != nil {
		return err
	}
	if shape == ironWrapped {
		message = map[string]any{variant: message}
	}
	ref.Space = x.space
	return x.callBackAbout(string(encode(ref)), at, "/callbacks/iron",
		encode(ironWebhook{kind, at.UTC().Format(ironTimestamp), ironWebhookData{customer, message}}))
}

func (i *iron) tellCreated(x *ironCall, customer ironCustomer) error {
	return i.tell(x, "customer_created", "Event", customer.ID, ironEvent{customer.ID, "CustomerCreated"}, x.now, ironRef{})
}

func (i *iron) tellCustomer(x *ironCall, customer ironCustomer, status ironCustomerStatus, at time.Time, ref ironRef) error {
	return i.tell(x, "customer_status", "CustomerStatus", customer.ID, ironStanding{customer.ID, string(status)}, at, ref)
}

// tellChange tells where a customer stands now, unless it was there before.
func (i *iron) tellChange(x *ironCall, customer ironCustomer, before ironCustomerStatus) error {
	now, err := x.statusNow(customer)
	if err != nil || now == before {
		return err
	}
	return i.tellCustomer(x, customer, now, x.now, ironRef{})
}

// tellMoves tells of the moves of an identification from an index on, each at its time: first of the identification, then,
// where it is the one that counts, of what becomes of the customer.
func (i *iron) tellMoves(x *ironCall, customer ironCustomer, d ironIdentification, from int) error {
	signings, err := x.setting("signings")
	if err != nil {
		return err
	}
	for n := from; n < len(d.Moves); n++ {
		m := d.Moves[n]
		ref := ironRef{Identification: d.ID, Move: m.Number}
		message := ironStanding{d.ID, string(m.Status)}
		if err := i.tell(x, "identification_status", "IdentificationStatus", customer.ID, message, m.At, ref); err != nil {
			return err
		}
		status := customer.status(m.Status, signings)
		if d.ID != customer.newest() || status == customer.status(d.Moves[n-1].Status, signings) {
			continue
		}
		ref.Customer = true
		if err := i.tellCustomer(x, customer, status, m.At, ref); err != nil {
			return err
		}
	}
	return nil
}

// ironCalledOff reports whether the move that a webhook was to tell of never came, or meant nothing to the customer any more.
func ironCalledOff(c *call, text string) (bool, error) {
	var ref ironRef
	if err := json.Unmarshal([]byte(text), &ref); err != nil {
		return false, fmt.Errorf("sandbox: webhook: %w", err)
	}
	space, err := ironSpace(c)
	if err != nil || space != ref.Space || ref.Identification == "" {
		return space != ref.Space, err
	}
	x := &ironCall{call: c, space: space}
	d, customer, found, err := x.identification(ref.Identification)
	if err != nil || !found {
		return true, err
	}
	n := slices.IndexFunc(d.Moves, func(m ironMove) bool { return m.Number == ref.Move })
	if n < 0 || !ref.Customer {
		return n < 0, nil
	}
	after := customer.Identifications[slices.Index(customer.Identifications, d.ID)+1:]
	if len(after) == 0 {
		return false, nil
	}
	superseding, _, found, err := x.identification(after[0])
	return found && !superseding.Moves[0].At.After(d.Moves[n].At), err
}

// signWebhook signs the time of the attempt and the raw body, with nothing between (iron §10).
func (i *iron) signWebhook(c *call, header http.Header, body []byte, forge bool) error {
	secret := i.secret
	if forge {
		secret = []byte("forged-" + digest(i.WebhookSecret))
	}
	at := strconv.FormatInt(c.now.Unix(), 10)
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(at))
	mac.Write(body)
	header.Set("webhook-id", i.newID())
	header.Set("webhook-timestamp", at)
	header.Set("webhook-signature", "v1="+hex.EncodeToString(mac.Sum(nil)))
	return nil
}

// ironTaken: any 2xx acknowledges, and ends the repeats.
func ironTaken(status int, _ []byte) (acknowledged, final bool) {
	return status/100 == 2, status/100 == 2
}
