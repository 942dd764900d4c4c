// Package mbanq simulates Mbanq's customer onboarding.
package mbanq

import (
	"cmp"
	"net/http"
	"time"

	"sallyport/functions/sandbox"
)

// Options are what Mbanq would issue to a tenant's service user, and what both agreed on for webhooks.
type Options struct {
	TenantID      string
	ClientID      string
	ClientSecret  string
	Username      string
	Password      string
	WebhookSecret string // key of the signature of webhooks
}

// Defaults returns what the simulated Mbanq goes by where Options leave it open.
func Defaults() Options {
	return Options{
		TenantID:      "sandbox-tenant",
		ClientID:      "sandbox-api",
		ClientSecret:  "sandbox-api-secret",
		Username:      "sandbox-operator",
		Password:      "sandbox-password",
		WebhookSecret: "sandbox-webhook-secret",
	}
}

// simulation is the simulated Mbanq.
type simulation struct {
	Options
}

// New returns the simulated Mbanq. Zero fields of its options are those of Defaults.
func New(o Options) sandbox.Simulator {
	m := &simulation{sandbox.Completed(o, Defaults())}
	read := func(name, path string, handle sandbox.Handler) sandbox.Endpoint {
		return sandbox.Endpoint{Name: name, Method: http.MethodGet, Path: path,
			Handle: m.guarded(handle), Failures: readFailures}
	}
	change := func(name, method, path string, handle sandbox.Handler) sandbox.Endpoint {
		return sandbox.Endpoint{Name: name, Method: method, Path: path, Effect: true, Handle: m.guarded(handle)}
	}
	upload := change("attach-document", http.MethodPost, "/v1/client_identifiers/{iid}/documents", m.attachDocument)
	upload.MaxBody = maxScan + maxForm
	return sandbox.Simulator{
		Name: "mbanq",
		Endpoints: []sandbox.Endpoint{
			{Name: "issue-token", Method: http.MethodPost, Path: "/oauth/token",
				Handle: m.ofTenant(m.issueToken), Failures: tokenFailures},
			change("create-client", http.MethodPost, "/v1/clients", once(m.createClient)),
			read("list-clients", "/v1/clients", m.listClients),
			read("get-client", "/v1/clients/{id}", ofClient(m.getClient)),
			change("delete-client", http.MethodDelete, "/v1/clients/{id}", ofClient(deleteClient)),
			change("add-address", http.MethodPost, "/v1/client/{id}/addresses", once(ofClient(m.addAddress))),
			read("list-addresses", "/v1/client/{id}/addresses", ofClient(m.listAddresses)),
			change("add-identifier", http.MethodPost, "/v1/clients/{id}/identifiers", once(ofClient(m.addIdentifier))),
			read("list-identifiers", "/v1/clients/{id}/identifiers", ofClient(m.listIdentifiers)),
			upload,
			change("client-command", http.MethodPost, "/v1/clients/{id}", stumbling(once(ofClient(m.clientCommand)))),
			read("verification-status", "/v1/clients/{id}/verificationstatus", ofClient(m.verificationStatus)),
			read("get-client-template", "/v1/clients/template", clientTemplate),
			read("get-address-template", "/v1/client/addresses/template", addressTemplate),
			read("get-identifier-template", "/v1/clients/{id}/identifiers/template", ofClient(identifierTemplate)),
		},
		Manual: []sandbox.Manual{
			{Method: http.MethodPost, Path: "/v1/clients/{id}/identifiers/{iid}", Handle: m.reviewIdentifier},
		},
		Settings: []sandbox.Setting{
			{Name: "token_lifetime", Values: []string{"3600", "90", "5"}},             // seconds, real (§1)
			{Name: "full_requires", Values: []string{"tax_id,physical_id", "any_of"}}, // this and the next three: §5
			{Name: "contact_requires", Values: []string{"presence", "verified"}},
			{Name: "scan_required", Values: []string{"no", "yes"}},
			{Name: "proof_of_address", Values: []string{"no", "yes"}},
			{Name: "contact_at_create", Values: []string{"required", "optional"}}, // optional: so that verify can miss it
			{Name: "verify", Values: []string{"sync", "async"}},
			{Name: "reverify", Values: []string{"ok", "refused"}}, // of a client who is verified at that level
			{Name: "block_activation", Values: []string{"yes", "no"}},
			{Name: "errors", Values: []string{"all", "first_only"}}, // of the requirements that verify misses (§8)
			{Name: "idempotency", Values: []string{"ignored", "honoured"}},
			{Name: "already_active_status", Values: []string{"403", "400"}}, // §7
			{Name: "unknown_fields", Values: []string{"tolerated", "refused"}},
			{Name: "callbacks", Values: []string{"sent", "lost"}},
			sandbox.Normalising(),
			sandbox.Strict(),
		},
		Callbacks: &sandbox.Callbacks{
			Name:     "callback",
			Schedule: []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour}, // chosen (§13)
			Sign:     m.signWebhook,
		},
		Failures: failures(),
		Revoke:   (*sandbox.Call).EndAccessToken,
	}
}

// ofTenant wraps an operation with the check of the tenant, which every call names (§1).
func (m *simulation) ofTenant(handle sandbox.Handler) sandbox.Handler {
	return func(c *sandbox.Call) sandbox.Answer {
		tenant := cmp.Or(c.Request.Header.Get("tenantId"), c.Request.URL.Query().Get("tenantIdentifier"))
		if !sandbox.Same(tenant, m.TenantID) {
			return errorEnvelope(http.StatusUnauthorized, "error.msg.invalid.tenant.identifier",
				"Invalid tenant details were passed in api request.", "Invalid tenant identifier provided with request.", nil)
		}
		return handle(c)
	}
}

// guarded wraps an operation that needs a token as well.
func (m *simulation) guarded(handle sandbox.Handler) sandbox.Handler {
	return m.ofTenant(func(c *sandbox.Call) sandbox.Answer {
		if !c.HasAccessToken() {
			return c.Failures().Unauthorized
		}
		return handle(c)
	})
}

// once wraps a change with what Fineract does about an Idempotency-Key where the tenant has that switched on (mbanq
// §9): a repeat gets what was answered at first, a failure too, whatever it asks.
func once(handle sandbox.Handler) sandbox.Handler {
	type kept struct {
		Status int    `json:"status"`
		Body   []byte `json:"body"`
	}
	return func(c *sandbox.Call) sandbox.Answer {
		key := idempotencyKey(c)
		if key == "" {
			return handle(c)
		}
		key = "mbanq/answer/" + sandbox.Digest(c.Operation, c.Request.URL.Query().Get("command"), key)
		var before kept
		if c.Load(key, &before) {
			return sandbox.Answer{Status: before.Status, Body: before.Body, Header: servedFromCache()}
		}
		out := handle(c)
		c.Save(key, kept{out.Status, out.Body})
		return out
	}
}

// idempotencyKey returns the key of a request, or "" where keys are ignored.
func idempotencyKey(c *sandbox.Call) string {
	if c.Setting("idempotency") != "honoured" {
		return ""
	}
	return c.Request.Header.Get("Idempotency-Key")
}

// servedFromCache marks an answer that Fineract's idempotency gives.
func servedFromCache() http.Header { return http.Header{"X-Served-From-Cache": {"true"}} }

// nextNumber returns the next id of a kind of record; the first is given.
func nextNumber(c *sandbox.Call, kind string, first int64) int64 {
	key := "mbanq/sequence/" + kind
	last := first - 1
	c.Load(key, &last)
	c.Save(key, last+1)
	return last + 1
}
