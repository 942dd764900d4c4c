package sandbox

import (
	"cmp"
	"net/http"
	"time"
)

// MbanqOptions are what Mbanq would issue to a tenant's service user, and what both agreed on for webhooks.
type MbanqOptions struct {
	TenantID      string
	ClientID      string
	ClientSecret  string
	Username      string
	Password      string
	WebhookSecret string // key of the signature of webhooks
}

// MbanqDefaults returns what the simulated Mbanq goes by where Options leave it open.
func MbanqDefaults() MbanqOptions {
	return MbanqOptions{
		TenantID:      "sandbox-tenant",
		ClientID:      "sandbox-api",
		ClientSecret:  "sandbox-api-secret",
		Username:      "sandbox-operator",
		Password:      "sandbox-password",
		WebhookSecret: "sandbox-webhook-secret",
	}
}

// mbanq simulates Mbanq's customer onboarding.
type mbanq struct {
	MbanqOptions
	newID func() string
}

func newMbanq(o MbanqOptions, newID func() string) *simulator {
	def := MbanqDefaults()
	m := &mbanq{newID: newID, MbanqOptions: MbanqOptions{
		TenantID:      cmp.Or(o.TenantID, def.TenantID),
		ClientID:      cmp.Or(o.ClientID, def.ClientID),
		ClientSecret:  cmp.Or(o.ClientSecret, def.ClientSecret),
		Username:      cmp.Or(o.Username, def.Username),
		Password:      cmp.Or(o.Password, def.Password),
		WebhookSecret: cmp.Or(o.WebhookSecret, def.WebhookSecret),
	}}
	read := func(name, path string, handle func(*call) (answer, error)) operation {
		return operation{Operation: Operation{"mbanq", name, http.MethodGet, path, false},
			handle: m.guarded(handle), failures: func(*call) failures { return mbanqReadFailures() }}
	}
	change := func(name, method, path string, handle func(*call) (answer, error)) operation {
		return operation{Operation: Operation{"mbanq", name, method, path, true}, handle: m.guarded(handle)}
	}
	upload := change("attach-document", http.MethodPost, "/v1/client_identifiers/{iid}/documents", m.attachDocument)
	upload.maxBody = maxMbanqScan + maxMbanqForm
	return &simulator{
		name: "mbanq",
		operations: []operation{
			{Operation: Operation{"mbanq", "issue-token", http.MethodPost, "/oauth/token", false},
				handle: m.ofTenant(m.issueToken), failures: func(*call) failures { return mbanqTokenFailures() }},
			change("create-client", http.MethodPost, "/v1/clients", mbanqOnce(m.createClient)),
			read("list-clients", "/v1/clients", m.listClients),
			read("get-client", "/v1/clients/{id}", m.getClient),
			change("delete-client", http.MethodDelete, "/v1/clients/{id}", m.deleteClient),
			change("add-address", http.MethodPost, "/v1/client/{id}/addresses", mbanqOnce(m.addAddress)),
			read("list-addresses", "/v1/client/{id}/addresses", m.listAddresses),
			change("add-identifier", http.MethodPost, "/v1/clients/{id}/identifiers", mbanqOnce(m.addIdentifier)),
			read("list-identifiers", "/v1/clients/{id}/identifiers", m.listIdentifiers),
			upload,
			change("client-command", http.MethodPost, "/v1/clients/{id}", m.stumbling(mbanqOnce(m.clientCommand))),
			read("verification-status", "/v1/clients/{id}/verificationstatus", m.verificationStatus),
			read("get-client-template", "/v1/clients/template", mbanqClientTemplate),
			read("get-address-template", "/v1/client/addresses/template", mbanqAddressTemplate),
			read("get-identifier-template", "/v1/clients/{id}/identifiers/template", m.identifierTemplate),
		},
		byHand: []byHand{
			{http.MethodPost, "/v1/clients/{id}/identifiers/{iid}", m.reviewIdentifier},
		},
		settings: []setting{
			{name: "token_lifetime", values: []string{"3600", "90", "5"}},             // seconds, real (mbanq §1)
			{name: "full_requires", values: []string{"tax_id,physical_id", "any_of"}}, // this and the next three: mbanq §5
			{name: "contact_requires", values: []string{"presence", "verified"}},
			{name: "scan_required", values: []string{"no", "yes"}},
			{name: "proof_of_address", values: []string{"no", "yes"}},
			{name: "contact_at_create", values: []string{"required", "optional"}}, // optional: so that verify can miss it
			{name: "verify", values: []string{"sync", "async"}},
			{name: "reverify", values: []string{"ok", "refused"}}, // of a client who is verified at that level
			{name: "block_activation", values: []string{"yes", "no"}},
			{name: "errors", values: []string{"all", "first_only"}}, // of the requirements that verify misses (mbanq §8)
			{name: "idempotency", values: []string{"ignored", "honoured"}},
			{name: "already_active_status", values: []string{"403", "400"}}, // mbanq §7
			{name: "unknown_fields", values: []string{"tolerated", "refused"}},
			{name: "callbacks", values: []string{"sent", "lost"}},
		},
		callbacks: &callbacks{
			name:     "callback",
			schedule: []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour}, // chosen (mbanq §13)
			sign:     m.signWebhook,
			taken:    mbanqTaken,
		},
		failures: mbanqFailures(),
		revoke:   revokeMbanqToken,
	}
}

// ofTenant wraps an operation with the check of the tenant, which every call names (mbanq §1).
func (m *mbanq) ofTenant(handle func(*call) (answer, error)) func(*call) (answer, error) {
	return func(c *call) (answer, error) {
		if !same(cmp.Or(c.request.Header.Get("tenantId"), c.request.URL.Query().Get("tenantIdentifier")), m.TenantID) {
			return mbanqError(http.StatusUnauthorized, "error.msg.invalid.tenant.identifier",
				"Invalid tenant details were passed in api request.", "Invalid tenant identifier provided with request.", nil), nil
		}
		return handle(c)
	}
}

// guarded wraps an operation that needs a token as well.
func (m *mbanq) guarded(handle func(*call) (answer, error)) func(*call) (answer, error) {
	return m.ofTenant(func(c *call) (answer, error) {
		switch ok, err := mbanqTokenAccepted(c); {
		case err != nil:
			return answer{}, err
		case !ok:
			return c.failures().unauthorized, nil
		}
		return handle(c)
	})
}

// mbanqOnce wraps a change with what Fineract does about an Idempotency-Key where the tenant has that switched on (mbanq §9): a
// repeat gets what was answered at first, a failure too, whatever it asks.
func mbanqOnce(handle func(*call) (answer, error)) func(*call) (answer, error) {
	type kept struct {
		Status int    `json:"status"`
		Body   []byte `json:"body"`
	}
	return func(c *call) (answer, error) {
		key, err := mbanqKey(c)
		switch {
		case err != nil:
			return answer{}, err
		case key == "":
			return handle(c)
		}
		key = "mbanq/answer/" + digest(c.operation.Name, c.request.URL.Query().Get("command"), key)
		var before kept
		if found, err := load(c, key, &before); err != nil || found {
			return answer{status: before.Status, body: before.Body, header: mbanqServedFromCache()}, err
		}
		out, err := handle(c)
		if err != nil {
			return answer{}, err
		}
		return out, save(c, key, kept{out.status, out.body})
	}
}

// mbanqKey returns the key of a request, or "" where keys are ignored.
func mbanqKey(c *call) (string, error) {
	mode, err := c.setting("idempotency")
	if err != nil || mode != "honoured" {
		return "", err
	}
	return c.request.Header.Get("Idempotency-Key"), nil
}

// mbanqServedFromCache marks an answer that Fineract's idempotency gives.
func mbanqServedFromCache() http.Header { return http.Header{"X-Served-From-Cache": {"true"}} }

// mbanqNumber returns the next id of a kind of record; the first is given.
func mbanqNumber(c *call, kind string, first int64) (int64, error) {
	key := "mbanq/sequence/" + kind
	var last int64
	found, err := load(c, key, &last)
	if err != nil {
		return 0, err
	}
	next := first
	if found {
		next = last + 1
	}
	return next, save(c, key, next)
}

// mbanqSettings returns several of the partner's settings by their names.
func mbanqSettings(c *call, names ...string) (map[string]string, error) {
	values := map[string]string{}
	for _, name := range names {
		value, err := c.setting(name)
		if err != nil {
			return nil, err
		}
		values[name] = value
	}
	return values, nil
}
