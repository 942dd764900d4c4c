package sandbox

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"
)

// IronOptions are what Iron's dashboard would issue to a partner.
type IronOptions struct {
	APIKey        string // of the role Read / Write
	ReadOnlyKey   string // of the role Read Only
	PartnerID     string // a UUID
	WebhookSecret string // as it is, or base64 behind "whsec_"
}

// IronDefaults returns what the simulated Iron goes by where Options leave it open.
func IronDefaults() IronOptions {
	return IronOptions{
		APIKey:        "sandbox-iron-key",
		ReadOnlyKey:   "sandbox-iron-read-only-key",
		PartnerID:     "11111111-1111-4111-8111-111111111111",
		WebhookSecret: "sandbox-iron-webhook-secret",
	}
}

// maxIronIdentification is the largest identification that is read, in bytes.
const maxIronIdentification = 64 << 20

// iron simulates Iron's customers and identifications, both generations of them on the same records.
type iron struct {
	IronOptions
	secret       []byte                    // of WebhookSecret
	authenticate func(*http.Request) error // nil for a caller's key, which may decide as well
	newID        func() string
	page         ironPages
}

func newIron(o IronOptions, authenticate func(*http.Request) error, newID func() string) *simulator {
	def := IronDefaults()
	i := &iron{authenticate: authenticate, newID: newID, page: newIronPages(), IronOptions: IronOptions{
		APIKey:        cmp.Or(o.APIKey, def.APIKey),
		ReadOnlyKey:   cmp.Or(o.ReadOnlyKey, def.ReadOnlyKey),
		PartnerID:     cmp.Or(o.PartnerID, def.PartnerID),
		WebhookSecret: cmp.Or(o.WebhookSecret, def.WebhookSecret),
	}}
	i.secret = ironSecret(i.WebhookSecret)
	read := func(name, path string, handle func(*ironCall) (answer, error)) operation {
		return operation{Operation: Operation{"iron", name, http.MethodGet, path, false},
			handle: i.guarded(ironReads, handle), failures: i.failures}
	}
	change := func(name, method, path string, role ironRole, handle func(*ironCall) (answer, error)) operation {
		return operation{Operation: Operation{"iron", name, method, path, true}, handle: i.guarded(role, handle), failures: i.failures}
	}
	identify := func(path string, read func(*ironCall, ironCustomerType) (ironSubmission, string, error)) operation {
		op := change("create-identification", http.MethodPost, path, ironWrites, ironOnce(i.createIdentification(read)))
		op.maxBody = maxIronIdentification
		return op
	}
	return &simulator{
		name: "iron",
		operations: []operation{
			change("create-customer", http.MethodPost, "/customers", ironWrites, ironOnce(i.createCustomer)),
			read("list-customers", "/customers", i.listCustomers),
			read("get-customer", "/customers/{id}", i.getCustomer),
			read("find-customer", "/customers/{external_id}/external", i.findCustomer),
			change("archive-customer", http.MethodPut, "/customers/{id}/archive", ironWrites, i.archiveCustomer),
			identify("/customers/{id}/identifications", readIronV1),
			identify("/customers/{id}/identifications/v2", readIronV2),
			read("list-identifications", "/customers/{id}/identifications", i.listIdentifications),
			read("get-identification", "/identifications/{id}", i.getIdentification),
			change("archive-identification", http.MethodPut, "/identifications/{id}/archive", ironWrites, i.archiveIdentification),
			read("list-signings", "/customers/{id}/required-signings", i.listSignings),
			change("create-signing", http.MethodPost, "/customers/{id}/signings", ironWrites, ironOnce(i.createSigning)),
			change("decide-identification", http.MethodPost, "/sandbox/identification/{id}", ironDecides, ironOnce(i.decideIdentification)),
			change("reset-data", http.MethodPost, "/sandbox/reset", ironWrites, ironOnce(i.resetData)),
		},
		byHand: []byHand{
			{http.MethodGet, "/hosted/{token}", i.showHosted},
			{http.MethodPost, "/hosted/{token}", i.submitHosted},
			{http.MethodGet, "/terms/{id}", i.showTerms},
		},
		settings: []setting{
			{name: "review", values: []string{"by_hand", "automatic"}},       // of input that is finished; fixtures go before it
			{name: "signings", values: []string{"none", "after", "first"}},   // whether terms are signed, and when (iron §7)
			{name: "pending_lifetime", values: []string{"168h", "1h", "1m"}}, // sandbox time until input that is awaited expires
			{name: "outsourcing_agreement", values: []string{"yes", "no"}},   // iron §4
			{name: "v1_leniency", values: []string{"on", "off"}},             // no body, null and the short names of types (iron §4)
			{name: "webhook_shape", values: []string{ironWrapped, ironFlat}}, // of the message (iron §10)
			{name: "callbacks", values: []string{"sent", "lost"}},
		},
		callbacks: &callbacks{
			name:     "callback",
			schedule: []time.Duration{time.Second, 5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute}, // chosen (iron §10)
			sign:     i.signWebhook,
			void:     ironCalledOff,
			taken:    ironTaken,
		},
	}
}

// ironSecret returns the bytes of a webhook secret (iron §10).
func ironSecret(s string) []byte {
	if encoded, ok := strings.CutPrefix(s, "whsec_"); ok {
		if b, err := base64.StdEncoding.DecodeString(encoded); err == nil {
			return b
		}
	}
	return []byte(s)
}

// ironCall is a call that was let in.
type ironCall struct {
	*call
	key        string // that it came with
	subPartner string // that it names; empty: none
	space      string // what the keys of Iron's records begin with
	byHand     bool   // it came without the partner's key
}

// ironRole is what a key must be good for.
type ironRole int

const (
	ironReads ironRole = iota
	ironWrites
	ironDecides // as ironWrites, and a developer may as well: with a caller's key or with none
)

// guarded wraps an operation with what Iron checks of any call: its key, then its headers (iron §1), then the id in its path.
func (i *iron) guarded(role ironRole, handle func(*ironCall) (answer, error)) func(*call) (answer, error) {
	return func(c *call) (answer, error) {
		x := &ironCall{call: c, key: c.request.Header.Get("X-API-Key")}
		switch {
		case same(x.key, i.APIKey):
		case same(x.key, i.ReadOnlyKey):
			if role != ironReads {
				return ironError(http.StatusForbidden, "this key is read only"), nil
			}
		case role == ironDecides && (x.key == "" || i.authenticate(c.request) == nil):
			x.byHand = true
		default:
			return ironUnauthorized(), nil
		}
		switch c.request.Header.Get("X-API-Version") {
		case "", "2025-03-13", "2026-07-01":
		default:
			return ironInvalid("X-API-Version is not supported"), nil
		}
		if x.subPartner = c.request.Header.Get("X-SUB-PARTNER-ID"); x.subPartner != "" {
			var ok bool
			if x.subPartner, ok = ironUUID(x.subPartner); !ok {
				return ironInvalid("X-SUB-PARTNER-ID is not a UUID"), nil
			}
		}
		if id := c.request.PathValue("id"); id != "" {
			id, ok := ironUUID(id)
			if !ok {
				return ironInvalid("the id in the path is not a UUID"), nil
			}
			c.request.SetPathValue("id", id)
		}
		var err error
		if x.space, err = ironSpace(c); err != nil {
			return answer{}, err
		}
		return handle(x)
	}
}

// ironUUID returns a UUID of the usual form in lower case.
func ironUUID(s string) (string, bool) {
	id, err := uuid.Parse(s)
	return id.String(), err == nil && len(s) == len(id.String())
}

const ironEpochKey = "iron/epoch"

// ironSpace returns what the keys of Iron's records begin with now. Iron's own reset begins a new space: to delete what may be
// thousands of records is more than one transaction can do everywhere.
func ironSpace(c *call) (string, error) {
	var epoch int
	_, err := load(c, ironEpochKey, &epoch)
	return ironSpaceOf(epoch), err
}

func ironSpaceOf(epoch int) string { return fmt.Sprintf("iron/%d/", epoch) }

// resetData forgets all that Iron knows. Webhooks that wait are called off by it.
func (i *iron) resetData(x *ironCall) (answer, error) {
	var epoch int
	if _, err := load(x, ironEpochKey, &epoch); err != nil {
		return answer{}, err
	}
	x.space = ironSpaceOf(epoch + 1)
	return did(answer{status: http.StatusOK, body: encode(true)}), save(x, ironEpochKey, epoch+1)
}

// sees reports whether a call may see what belongs to a sub-partner, or to none (iron §1).
func (x *ironCall) sees(subPartner string) bool {
	return x.subPartner == "" || subPartner == "" || x.subPartner == subPartner
}
