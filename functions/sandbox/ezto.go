package sandbox

import (
	"cmp"
	"crypto/rsa"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
)

// EZTOOptions are one workspace of EZTO, as its operator would have set it up.
type EZTOOptions struct {
	Workspace    string
	Applications map[string]EZTOApplication // by name; nil for those of EZTODefaults
	// EncryptionKey encrypts what EZTO sends for the applications whose response type is EZTOEncrypted. It has 32 bytes.
	EncryptionKey string
	// CallbackKey is in the URLs that the hooks call of those whose response type is EZTOPlaintext, as the query's "key" (ezto §11):
	// it tells nothing but that EZTO was told the URL.
	CallbackKey string
	// SigningKey signs what EZTO sends for those whose response type is EZTOToken; nil for one that is made when it is first
	// needed, and kept in the store.
	SigningKey *rsa.PrivateKey
}

// EZTOApplication is an application of a workspace and the workflows attached to it (ezto §7).
type EZTOApplication struct {
	ID      string   // app_id
	Secrets []string // each good as app_secret: two during a rotation

	Hook         EZTOHook         // how results reach the gateway; empty for EZTOPoll
	Response     EZTOResponseType // what it is sent; empty for EZTOPlaintext
	LinkExpiry   time.Duration    // in sandbox time, as PollInterval is; 0 for 15 minutes
	PollInterval time.Duration    // 0 for 5 seconds

	APIOnly         bool // its verification way is the API: there is no request to trigger
	GatepassRefuses bool // a rule of its gatepass is never satisfied
	Consent         bool // people are asked for their consent first
	Onboarding      bool // it has an onboarding workflow; else everyone goes straight to verification
	NoVerification  bool // it has no verification workflow
	ModuleOff       bool // IEC Verification is disabled, or its rule is not satisfied
	Skippable       bool // people may skip IEC Verification

	Claims []string // of IEC Verification, by their names in its list; nil for all
}

// EZTOHook is the mode of an application's hook.
type EZTOHook string

// Modes of a hook: nothing is sent, or that there is a result, or the result itself.
const (
	EZTOPoll EZTOHook = "Poll"
	EZTOPing EZTOHook = "Ping"
	EZTOPush EZTOHook = "Push"
)

// EZTOResponseType is the form of what a hook sends.
type EZTOResponseType string

// Response types: JSON; {"token":"…"} with a JWT, RS256; {"encrypted":"…"} with a JWE, dir and A128CBC-HS256 (ezto §11). How
// the two are wrapped the contract leaves open.
const (
	EZTOPlaintext EZTOResponseType = "Plaintext"
	EZTOToken     EZTOResponseType = "Token"
	EZTOEncrypted EZTOResponseType = "Encrypted"
)

// EZTODefaults returns the workspace that the simulated EZTO has where Options leave it open. Its applications are named
// after what sets them apart; their secrets are sandbox-ezto-secret-<name> and sandbox-ezto-next-secret-<name>.
func EZTODefaults() EZTOOptions {
	applications := map[string]EZTOApplication{
		"poll":            {ID: "e2700000-0000-4000-8000-000000000001"},
		"ping":            {ID: "e2700000-0000-4000-8000-000000000002", Hook: EZTOPing},
		"push":            {ID: "e2700000-0000-4000-8000-000000000003", Hook: EZTOPush},
		"push-token":      {ID: "e2700000-0000-4000-8000-000000000004", Hook: EZTOPush, Response: EZTOToken},
		"push-encrypted":  {ID: "e2700000-0000-4000-8000-000000000005", Hook: EZTOPush, Response: EZTOEncrypted},
		"consent":         {ID: "e2700000-0000-4000-8000-000000000006", Consent: true},
		"onboarding":      {ID: "e2700000-0000-4000-8000-000000000007", Onboarding: true},
		"onboarding-only": {ID: "e2700000-0000-4000-8000-000000000008", Onboarding: true, NoVerification: true},
		"gatepass":        {ID: "e2700000-0000-4000-8000-000000000009", GatepassRefuses: true},
		"api-only":        {ID: "e2700000-0000-4000-8000-000000000010", APIOnly: true},
		"module-off":      {ID: "e2700000-0000-4000-8000-000000000011", ModuleOff: true},
		"skippable":       {ID: "e2700000-0000-4000-8000-000000000012", Skippable: true},
		"few-claims":      {ID: "e2700000-0000-4000-8000-000000000013", Claims: []string{"iec_code", "iec_status"}},
		"short-link":      {ID: "e2700000-0000-4000-8000-000000000014", LinkExpiry: time.Minute, PollInterval: time.Second},
		"ping-token":      {ID: "e2700000-0000-4000-8000-000000000015", Hook: EZTOPing, Response: EZTOToken},
		"ping-encrypted":  {ID: "e2700000-0000-4000-8000-000000000016", Hook: EZTOPing, Response: EZTOEncrypted},
	}
	for name, app := range applications {
		app.Secrets = []string{"sandbox-ezto-secret-" + name, "sandbox-ezto-next-secret-" + name}
		applications[name] = app.complete()
	}
	return EZTOOptions{
		Workspace:     "acme-trade",
		Applications:  applications,
		EncryptionKey: "sandbox-ezto-encryption-key-0001",
		CallbackKey:   "sandbox-ezto-callback-key",
	}
}

// complete fills in what is left open.
func (a EZTOApplication) complete() EZTOApplication {
	a.Hook = cmp.Or(a.Hook, EZTOPoll)
	a.Response = cmp.Or(a.Response, EZTOPlaintext)
	a.LinkExpiry = cmp.Or(a.LinkExpiry, 15*time.Minute)
	a.PollInterval = cmp.Or(a.PollInterval, 5*time.Second)
	if a.Claims == nil {
		a.Claims = eztoClaims()
	}
	return a
}

// ezto simulates EZTO Verify: transactions of a workspace's applications, and the pages where people take part in them. Of the
// verification ways it has the one with a link.
type ezto struct {
	EZTOOptions
	newID func() string
	page  eztoPages
}

func newEZTO(o EZTOOptions, newID func() string) *simulator {
	def := EZTODefaults()
	e := &ezto{newID: newID, page: newEZTOPages(), EZTOOptions: EZTOOptions{
		Workspace:     cmp.Or(o.Workspace, def.Workspace),
		Applications:  def.Applications,
		EncryptionKey: cmp.Or(o.EncryptionKey, def.EncryptionKey),
		CallbackKey:   cmp.Or(o.CallbackKey, def.CallbackKey),
		SigningKey:    o.SigningKey,
	}}
	if o.Applications != nil {
		e.Applications = map[string]EZTOApplication{}
		for name, app := range o.Applications {
			e.Applications[name] = app.complete()
		}
	}
	const realm = "/auth/realms/{workspace}/protocol/openid-connect"
	return &simulator{
		name: "ezto",
		operations: []operation{
			{Operation: Operation{"ezto", "trigger-request", http.MethodPost, realm + "/transaction", true},
				handle: e.inWorkspace(e.guarded(e.triggerRequest))},
			{Operation: Operation{"ezto", "get-result", http.MethodPost, realm + eztoResultPath, false},
				handle: e.inWorkspace(e.guarded(e.getResult))},
			{Operation: Operation{"ezto", "list-certs", http.MethodGet, realm + "/certs", false},
				handle: e.inWorkspace(e.listCerts)},
		},
		byHand: []byHand{
			{http.MethodGet, eztoPagePath + "{page}", e.showPage},
			{http.MethodPost, eztoPagePath + "{page}", e.submitPage},
			{http.MethodGet, "/transactions", listEZTOTransactions},
			{http.MethodPost, "/transactions/{request_id}/{step}", e.submitByHand},
		},
		settings: []setting{
			{name: "attempts", values: []string{"5", "3", "1"}},                       // at a number, until the transaction fails
			{name: "unknown_number", values: []string{"stays_on_page", "unverified"}}, // unverified: a result with iec_verified false
			{name: "claims", values: []string{"application", eztoCoreClaims, "none"}}, // application: as it has them selected
			{name: "iec_name", values: []string{"ie_code", "iec_code"}},               // this and the next five: ezto §6
			{name: "iec_verified", values: []string{"true", "True"}},                  // how it is spelt
			{name: "iec_verified_at", values: []string{"seconds", "milliseconds"}},    // since 1970
			{name: "envelope", values: []string{"snake_case", "camelCase"}},           // user_id and request_id
			{name: "trailing_comma", values: []string{"no", "yes"}},                   // after the last member of a result
			{name: "pan", values: []string{"own", "other"}},                           // other: one that a PAN-shaped number of a licence isn't
			{name: "pushed_handle", values: []string{"no", "yes"}},                    // auth_req_id in what is pushed
			{name: "callbacks", values: []string{"sent", "lost"}},
		},
		callbacks: &callbacks{
			name:     "callback",
			schedule: []time.Duration{time.Second, 5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute}, // chosen (ezto §14)
			sign:     func(*call, http.Header, []byte, bool) error { return nil },                                        // no header is documented (ezto §11)
			forge:    forgeEZTO,
			taken:    eztoTaken,
		},
		failures: eztoFailures(),
	}
}

// eztoResultPath is the end of the path of get-result, which no readable page shows (ezto §2).
const eztoResultPath = "/transaction/result"

// inWorkspace wraps an operation with the check of the workspace in its path.
func (e *ezto) inWorkspace(handle func(*call) (answer, error)) func(*call) (answer, error) {
	return func(c *call) (answer, error) {
		if c.request.PathValue("workspace") != e.Workspace {
			return eztoNotFound("there is no such workspace"), nil
		}
		return handle(c)
	}
}

// eztoCall is a call that an application was let in with.
type eztoCall struct {
	*call
	name   string // of the application
	app    EZTOApplication
	fields func(name string) string // of the body
}

// guarded wraps an operation with the check of the application's credentials: those of Basic where the request says that it is
// of version 1, else those in the body, as version 0 has them (ezto §3).
func (e *ezto) guarded(handle func(*eztoCall) (answer, error)) func(*call) (answer, error) {
	return func(c *call) (answer, error) {
		x := &eztoCall{call: c, fields: eztoFields(c.request.Header.Get("Content-Type"), c.body)}
		var id, secret string
		switch c.request.Header.Get("api-version") {
		case "1":
			id, secret, _ = c.request.BasicAuth()
		case "":
			id, secret = x.fields("app_id"), x.fields("app_secret")
		default:
			return eztoInvalid("api-version is not supported"), nil
		}
		for _, name := range slices.Sorted(maps.Keys(e.Applications)) {
			app := e.Applications[name]
			if app.ID == id && slices.ContainsFunc(app.Secrets, func(live string) bool { return same(secret, live) }) {
				x.name, x.app = name, app
				return handle(x)
			}
		}
		return c.failures().unauthorized, nil
	}
}

// eztoFields returns the values of a form, or the texts of a JSON object, by their names.
func eztoFields(contentType string, body []byte) func(name string) string {
	media, _, _ := strings.Cut(contentType, ";")
	if !strings.EqualFold(strings.TrimSpace(media), "application/json") {
		return formOf(contentType, body)
	}
	var object map[string]any
	if json.Unmarshal(body, &object) != nil {
		object = nil
	}
	return func(name string) string {
		text, _ := object[name].(string)
		return text
	}
}

// eztoTaken: any 2xx acknowledges, and ends the repeats.
func eztoTaken(status int, _ []byte) (acknowledged, final bool) {
	return status/100 == 2, status/100 == 2
}
