package iron

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"sallyport/functions/sandbox"
)

// Shapes of a webhook's message: below the name of its kind, as samples have it, or not, as the specification has it
// (§10).
const (
	shapeWrapped = "wrapped"
	shapeFlat    = "flat"
)

// timestampLayout is how webhooks write times.
const timestampLayout = "2006-01-02T15:04:05.000-07:00"

// webhookRef is what a webhook tells of. One of a move is called off with it; all are with a reset.
type webhookRef struct {
	Space          string `json:"space"`
	Identification string `json:"identification,omitzero"`
	Move           int    `json:"move,omitzero"`     // its number
	Customer       bool   `json:"customer,omitzero"` // it tells what the move means to the customer
}

// tell has a webhook sent (§10) that says something at a time; variant is what its message is wrapped in.
func (i *simulation) tell(
	x *call, kind, variant, customer string, message jsontext.Value, at time.Time, ref webhookRef,
) {
	if x.Setting("callbacks") == "lost" {
		return
	}
	if x.Setting("webhook_shape") == shapeWrapped {
		message = sandbox.Object(variant, message)
	}
	ref.Space = x.space
	x.CallBackAbout(string(sandbox.Encode(ref)), at, "/callbacks/iron", sandbox.Object(
		"type", kind, "timestamp", at.UTC().Format(timestampLayout),
		"data", sandbox.Object("customer_id", customer, "message", message),
	))
}

func (i *simulation) tellCreated(x *call, customer customerRecord) {
	message := sandbox.Object("id", customer.ID, "kind", "CustomerCreated")
	i.tell(x, "customer_created", "Event", customer.ID, message, x.Now, webhookRef{})
}

func (i *simulation) tellCustomer(
	x *call, customer customerRecord, status customerStatus, at time.Time, ref webhookRef,
) {
	message := sandbox.Object("id", customer.ID, "status", status)
	i.tell(x, "customer_status", "CustomerStatus", customer.ID, message, at, ref)
}

// tellChange tells where a customer stands now, unless it was there before.
func (i *simulation) tellChange(x *call, customer customerRecord, before customerStatus) {
	if now := x.statusNow(customer); now != before {
		i.tellCustomer(x, customer, now, x.Now, webhookRef{})
	}
}

// tellMoves tells of the moves of an identification from an index on, each at its time: first of the identification,
// then, where it is the one that counts, of what becomes of the customer.
func (i *simulation) tellMoves(x *call, customer customerRecord, d identification, from int) {
	signings := x.Setting("signings")
	for n := from; n < len(d.Moves); n++ {
		m := d.Moves[n]
		ref := webhookRef{Identification: d.ID, Move: m.Number}
		message := sandbox.Object("id", d.ID, "status", m.Status)
		i.tell(x, "identification_status", "IdentificationStatus", customer.ID, message, m.At, ref)
		status := customer.status(m.Status, signings)
		if d.ID != customer.newest() || status == customer.status(d.Moves[n-1].Status, signings) {
			continue
		}
		ref.Customer = true
		i.tellCustomer(x, customer, status, m.At, ref)
	}
}

// calledOff reports whether the move that a webhook was to tell of never came, or meant nothing to the customer any
// more.
func calledOff(c *sandbox.Call, text string) bool {
	var ref webhookRef
	c.Decode([]byte(text), &ref)
	x := &call{Call: c, space: currentSpace(c)}
	if x.space != ref.Space || ref.Identification == "" {
		return x.space != ref.Space
	}
	d, customer, found := x.identification(ref.Identification)
	if !found {
		return true
	}
	n := slices.IndexFunc(d.Moves, func(m move) bool { return m.Number == ref.Move })
	if n < 0 || !ref.Customer {
		return n < 0
	}
	after := customer.Identifications[slices.Index(customer.Identifications, d.ID)+1:]
	if len(after) == 0 {
		return false
	}
	superseding, _, found := x.identification(after[0])
	return found && !superseding.Moves[0].At.After(d.Moves[n].At)
}

// signWebhook signs the time of the attempt and the raw body, with nothing between (§10).
func (i *simulation) signWebhook(c *sandbox.Call, header http.Header, body []byte, forge bool) {
	secret := i.secret
	if forge {
		secret = []byte("forged-" + sandbox.Digest(i.WebhookSecret))
	}
	at := strconv.FormatInt(c.Now.Unix(), 10)
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(at))
	mac.Write(body)
	header.Set("webhook-id", c.NewID())
	header.Set("webhook-timestamp", at)
	header.Set("webhook-signature", "v1="+hex.EncodeToString(mac.Sum(nil)))
}
