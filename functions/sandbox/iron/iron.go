// Package iron simulates Iron's customers and identifications, both generations of them on the same records.
package iron

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"sallyport/functions/sandbox"
)

// Options are what Iron's dashboard would issue to a partner.
type Options struct {
	APIKey        string // of the role Read / Write
	ReadOnlyKey   string // of the role Read Only
	PartnerID     string // a UUID
	WebhookSecret string // as it is, or base64 behind "whsec_"
}

// Defaults returns what the simulated Iron goes by where Options leave it open.
func Defaults() Options {
	return Options{
		APIKey:        "sandbox-iron-key",
		ReadOnlyKey:   "sandbox-iron-read-only-key",
		PartnerID:     "11111111-1111-4111-8111-111111111111",
		WebhookSecret: "sandbox-iron-webhook-secret",
	}
}

// maxIdentification is the largest identification that is read, in bytes.
const maxIdentification = 64 << 20

// simulation is the simulated Iron.
type simulation struct {
	Options
	secret []byte // of WebhookSecret
	page   pages
}

// New returns the simulated Iron. Zero fields of its options are those of Defaults.
func New(o Options) sandbox.Simulator {
	i := &simulation{page: newPages(), Options: sandbox.Completed(o, Defaults())}
	i.secret = webhookSecret(i.WebhookSecret)
	read := func(name, path string, handle func(*call) sandbox.Answer) sandbox.Endpoint {
		return sandbox.Endpoint{
			Name: name, Method: http.MethodGet, Path: path, Handle: i.guarded(reads, handle), Failures: failures,
		}
	}
	change := func(name, method, path string, role keyRole, handle func(*call) sandbox.Answer) sandbox.Endpoint {
		return sandbox.Endpoint{
			Name: name, Method: method, Path: path, Effect: true, Handle: i.guarded(role, handle), Failures: failures,
		}
	}
	identify := func(path string, read func(*call, customerType) (submitted, string)) sandbox.Endpoint {
		handle := once(ofLiveCustomer(i.createIdentification(read)))
		e := change("create-identification", http.MethodPost, path, writes, handle)
		e.MaxBody = maxIdentification
		return e
	}
	return sandbox.Simulator{
		Name: "iron",
		Endpoints: []sandbox.Endpoint{
			change("create-customer", http.MethodPost, "/customers", writes, once(i.createCustomer)),
			read("list-customers", "/customers", i.listCustomers),
			read("get-customer", "/customers/{id}", ofCustomer(i.getCustomer)),
			read("find-customer", "/customers/{external_id}/external", i.findCustomer),
			change("archive-customer", http.MethodPut, "/customers/{id}/archive", writes, ofCustomer(i.archiveCustomer)),
			identify("/customers/{id}/identifications", readV1),
			identify("/customers/{id}/identifications/v2", readV2),
			read("list-identifications", "/customers/{id}/identifications", ofCustomer(i.listIdentifications)),
			read("get-identification", "/identifications/{id}", ofIdentification(i.getIdentification)),
			change("archive-identification", http.MethodPut, "/identifications/{id}/archive", writes,
				ofIdentification(i.archiveIdentification)),
			read("list-signings", "/customers/{id}/required-signings", ofLiveCustomer(listSignings)),
			change("create-signing", http.MethodPost, "/customers/{id}/signings", writes, once(ofLiveCustomer(i.createSigning))),
			change(
				"decide-identification", http.MethodPost, "/sandbox/identification/{id}", decides, once(i.decideIdentification),
			),
			change("reset-data", http.MethodPost, "/sandbox/reset", writes, once(i.resetData)),
		},
		Manual: []sandbox.Manual{
			{Method: http.MethodGet, Path: "/hosted/{token}", Handle: i.showHosted},
			{Method: http.MethodPost, Path: "/hosted/{token}", Handle: i.submitHosted},
			{Method: http.MethodGet, Path: "/terms/{id}", Handle: i.showTerms},
		},
		Settings: []sandbox.Setting{
			// of input that is finished; fixtures go before it
			{Name: "review", Values: []string{"by_hand", "automatic"}},
			{Name: "signings", Values: []string{"none", "after", "first"}}, // whether terms are signed, and when (§7)
			// sandbox time until input that is awaited expires
			{Name: "pending_lifetime", Values: []string{"168h", "1h", "1m"}},
			{Name: "outsourcing_agreement", Values: []string{"yes", "no"}}, // §4
			// no body, null and the short names of types (§4)
			{Name: "v1_leniency", Values: []string{"on", "off"}},
			{Name: "webhook_shape", Values: []string{shapeWrapped, shapeFlat}}, // of the message (§10)
			{Name: "callbacks", Values: []string{"sent", "lost"}},
			sandbox.Normalising(),
			sandbox.Strict(), // about forms of values, and all of the first generation but Direct
		},
		Callbacks: &sandbox.Callbacks{
			Name: "callback",
			// chosen (§10)
			Schedule: []time.Duration{time.Second, 5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute},
			Sign:     i.signWebhook,
			Void:     calledOff,
		},
	}
}

// webhookSecret returns the bytes of a webhook secret (§10).
func webhookSecret(s string) []byte {
	if encoded, ok := strings.CutPrefix(s, "whsec_"); ok {
		if b, err := base64.StdEncoding.DecodeString(encoded); err == nil {
			return b
		}
	}
	return []byte(s)
}

// call is a call that was let in.
type call struct {
	*sandbox.Call
	key        string // that it came with
	subPartner string // that it names; empty: none
	space      string // what the keys of Iron's records begin with
	manual     bool   // it came without the partner's key
}

// keyRole is what a key must be good for.
type keyRole int

const (
	reads keyRole = iota
	writes
	decides // as writes, and a developer may as well: with a caller's key or with none
)

// guarded wraps an operation with what Iron checks of any call: its key, then its headers (§1), then the id in its
// path.
func (i *simulation) guarded(role keyRole, handle func(*call) sandbox.Answer) sandbox.Handler {
	return func(c *sandbox.Call) sandbox.Answer {
		x := &call{Call: c, key: c.Request.Header.Get("X-API-Key")}
		switch {
		case sandbox.Same(x.key, i.APIKey):
		case sandbox.Same(x.key, i.ReadOnlyKey):
			if role != reads {
				return errorText(http.StatusForbidden, "this key is read only")
			}
		case role == decides && (x.key == "" || c.HasCallerKey()):
			x.manual = true
		default:
			return unauthorized()
		}
		switch c.Request.Header.Get("X-API-Version") {
		case "", "2025-03-13", "2026-07-01":
		default:
			return invalid("X-API-Version is not supported")
		}
		if x.subPartner = c.Request.Header.Get("X-SUB-PARTNER-ID"); x.subPartner != "" {
			var ok bool
			if x.subPartner, ok = parseUUID(x.subPartner); !ok {
				return invalid("X-SUB-PARTNER-ID is not a UUID")
			}
		}
		if id := c.Request.PathValue("id"); id != "" {
			id, ok := parseUUID(id)
			if !ok {
				return invalid("the id in the path is not a UUID")
			}
			c.Request.SetPathValue("id", id)
		}
		x.space = currentSpace(c)
		return handle(x)
	}
}

// parseUUID returns a UUID of the usual form in lower case.
func parseUUID(s string) (string, bool) {
	id, err := uuid.Parse(s)
	return id.String(), err == nil && len(s) == len(id.String())
}

const epochKey = "iron/epoch"

// currentSpace returns what the keys of Iron's records begin with now. Iron's own reset begins a new space: to delete
// what may be thousands of records is more than one transaction can do everywhere.
func currentSpace(c *sandbox.Call) string {
	var epoch int
	c.Load(epochKey, &epoch)
	return spaceOf(epoch)
}

func spaceOf(epoch int) string { return fmt.Sprintf("iron/%d/", epoch) }

// resetData forgets all that Iron knows. Webhooks that wait are called off by it.
func (i *simulation) resetData(x *call) sandbox.Answer {
	var epoch int
	x.Load(epochKey, &epoch)
	x.space = spaceOf(epoch + 1)
	x.Save(epochKey, epoch+1)
	return sandbox.JSON(http.StatusOK, true).WithEffect()
}

// sees reports whether a call may see what belongs to a sub-partner, or to none (§1).
func (x *call) sees(subPartner string) bool {
	return x.subPartner == "" || subPartner == "" || x.subPartner == subPartner
}
