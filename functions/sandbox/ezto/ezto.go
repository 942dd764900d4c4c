// Package ezto simulates EZTO Verify: transactions of a workspace's applications, and the pages where people take part
// in them. Of the verification ways it has the browser's link, the phone's code to scan and the desktop's notification,
// which nobody but whoever is asked gets to see.
package ezto

import (
	"crypto/rsa"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"sallyport/functions/sandbox"
)

// Options are one workspace of EZTO, as its operator would have set it up.
type Options struct {
	Workspace    string
	Applications map[string]Application // by name; nil for those of Defaults
	// EncryptionKey encrypts what EZTO sends for the applications whose response type is Encrypted. It has 32 bytes.
	EncryptionKey string
	// CallbackKey is in the URLs that the hooks call of those whose response type is Plaintext, as the query's "key"
	// (§11): it tells nothing but that EZTO was told the URL.
	CallbackKey string
	// SigningKey signs what EZTO sends for those whose response type is Token; nil for one that is made when it is
	// first needed, and kept in the store.
	SigningKey *rsa.PrivateKey
}

// Application is an application of a workspace and the workflows attached to it (§7).
type Application struct {
	ID      string   // app_id
	Secrets []string // each good as app_secret: two during a rotation

	Way          Way           // how people are reached; empty for Browser
	Hook         Hook          // how results reach the gateway; empty for Poll
	Response     ResponseType  // what it is sent; empty for Plaintext
	LinkExpiry   time.Duration // in sandbox time, as PollInterval is; 0 for 15 minutes
	PollInterval time.Duration // 0 for 5 seconds

	APIOnly         bool // its verification way is the API: there is no request to trigger
	GatepassRefuses bool // a rule of its gatepass is never satisfied
	Consent         bool // people are asked for their consent first
	Onboarding      bool // it has an onboarding workflow; else everyone goes straight to verification
	NoVerification  bool // it has no verification workflow
	ModuleOff       bool // IEC Verification is disabled, or its rule is not satisfied
	Skippable       bool // people may skip IEC Verification

	Claims []string // of IEC Verification, by their names in its list; nil for all
}

// Way is a verification way: what the answer to a trigger has for a person to get to the page by.
type Way string

// Verification ways (§7.2): a link, a code to scan, or nothing, as the partner's own application shows the request.
const (
	Browser Way = "Browser"
	Mobile  Way = "Mobile"
	Desktop Way = "Desktop"
)

// Hook is the mode of an application's hook.
type Hook string

// Modes of a hook: nothing is sent, or that there is a result, or the result itself.
const (
	Poll Hook = "Poll"
	Ping Hook = "Ping"
	Push Hook = "Push"
)

// ResponseType is the form of what a hook sends.
type ResponseType string

// Response types: JSON; {"token":"…"} with a JWT, RS256; {"encrypted":"…"} with a JWE, dir and A128CBC-HS256 (ezto
// §11). How the two are wrapped the contract leaves open.
const (
	Plaintext ResponseType = "Plaintext"
	Token     ResponseType = "Token"
	Encrypted ResponseType = "Encrypted"
)

// Defaults returns the workspace that the simulated EZTO has where Options leave it open. Its applications are named
// after what sets them apart; their secrets are sandbox-ezto-secret-<name> and sandbox-ezto-next-secret-<name>.
func Defaults() Options {
	applications := map[string]Application{
		"poll":            {ID: "e2700000-0000-4000-8000-000000000001"},
		"ping":            {ID: "e2700000-0000-4000-8000-000000000002", Hook: Ping},
		"push":            {ID: "e2700000-0000-4000-8000-000000000003", Hook: Push},
		"push-token":      {ID: "e2700000-0000-4000-8000-000000000004", Hook: Push, Response: Token},
		"push-encrypted":  {ID: "e2700000-0000-4000-8000-000000000005", Hook: Push, Response: Encrypted},
		"consent":         {ID: "e2700000-0000-4000-8000-000000000006", Consent: true},
		"onboarding":      {ID: "e2700000-0000-4000-8000-000000000007", Onboarding: true},
		"onboarding-only": {ID: "e2700000-0000-4000-8000-000000000008", Onboarding: true, NoVerification: true},
		"gatepass":        {ID: "e2700000-0000-4000-8000-000000000009", GatepassRefuses: true},
		"api-only":        {ID: "e2700000-0000-4000-8000-000000000010", APIOnly: true},
		"module-off":      {ID: "e2700000-0000-4000-8000-000000000011", ModuleOff: true},
		"skippable":       {ID: "e2700000-0000-4000-8000-000000000012", Skippable: true},
		"few-claims":      {ID: "e2700000-0000-4000-8000-000000000013", Claims: []string{"iec_code", "iec_status"}},
		"short-link":      {ID: "e2700000-0000-4000-8000-000000000014", LinkExpiry: time.Minute, PollInterval: time.Second},
		"ping-token":      {ID: "e2700000-0000-4000-8000-000000000015", Hook: Ping, Response: Token},
		"ping-encrypted":  {ID: "e2700000-0000-4000-8000-000000000016", Hook: Ping, Response: Encrypted},
		"mobile":          {ID: "e2700000-0000-4000-8000-000000000017", Way: Mobile},
		"desktop":         {ID: "e2700000-0000-4000-8000-000000000018", Way: Desktop},
	}
	for name, app := range applications {
		app.Secrets = []string{"sandbox-ezto-secret-" + name, "sandbox-ezto-next-secret-" + name}
		applications[name] = app.complete()
	}
	return Options{
		Workspace:     "acme-trade",
		Applications:  applications,
		EncryptionKey: "sandbox-ezto-encryption-key-0001",
		CallbackKey:   "sandbox-ezto-callback-key",
	}
}

// complete fills in what is left open.
func (a Application) complete() Application {
	return sandbox.Completed(a, Application{
		Way: Browser, Hook: Poll, Response: Plaintext, LinkExpiry: 15 * time.Minute, PollInterval: 5 * time.Second,
		Claims: allClaims(),
	})
}

// simulation is the simulated EZTO.
type simulation struct {
	Options
	page pages
}

// New returns the simulated EZTO. Zero fields of its options are those of Defaults.
func New(o Options) sandbox.Simulator {
	e := &simulation{page: newPages(), Options: sandbox.Completed(o, Defaults())}
	e.Applications = maps.Clone(e.Applications)
	for name, app := range e.Applications {
		e.Applications[name] = app.complete()
	}
	const realm = "/auth/realms/{workspace}/protocol/openid-connect"
	return sandbox.Simulator{
		Name: "ezto",
		Endpoints: []sandbox.Endpoint{
			{Name: "trigger-request", Method: http.MethodPost, Path: realm + "/transaction", Effect: true,
				Handle: e.inWorkspace(e.guarded(e.triggerRequest))},
			{Name: "get-result", Method: http.MethodPost, Path: realm + resultPath,
				Handle: e.inWorkspace(e.guarded(e.getResult))},
			{Name: "list-certs", Method: http.MethodGet, Path: realm + "/certs", Handle: e.inWorkspace(e.listCerts)},
		},
		Manual: []sandbox.Manual{
			{Method: http.MethodGet, Path: pagePath + "{page}", Handle: e.showPage},
			{Method: http.MethodPost, Path: pagePath + "{page}", Handle: e.submitPage},
			{Method: http.MethodGet, Path: "/transactions", Handle: listTransactions},
			{Method: http.MethodPost, Path: "/transactions/{request_id}/{step}", Handle: e.submitManually},
		},
		Settings: []sandbox.Setting{
			// at a number, until the transaction fails
			{Name: "attempts", Values: []string{"5", "3", "1"}},
			// unverified: a result with iec_verified false
			{Name: "unknown_number", Values: []string{"stays_on_page", "unverified"}},
			{Name: "claims", Values: []string{"application", coreClaims, "none"}},  // application: as it has them selected
			{Name: "iec_name", Values: []string{"ie_code", "iec_code"}},            // this and the next five: §6
			{Name: "iec_verified", Values: []string{"true", "True"}},               // how it is spelt
			{Name: "iec_verified_at", Values: []string{"seconds", "milliseconds"}}, // since 1970
			{Name: "envelope", Values: []string{"snake_case", "camelCase"}},        // user_id and request_id
			{Name: "trailing_comma", Values: []string{"no", "yes"}},                // after the last member of a result
			// other: one that a PAN-shaped number of a licence isn't
			{Name: "pan", Values: []string{"own", "other"}},
			{Name: "pushed_handle", Values: []string{"no", "yes"}}, // auth_req_id in what is pushed
			{Name: "callbacks", Values: []string{"sent", "lost"}},
			// how it looks that there is no result yet, which no page says
			{Name: "not_ready", Values: []string{"authorization_pending", "404", "425", "202", "204", "empty", "pending"}},
			sandbox.Strict(),
		},
		Callbacks: &sandbox.Callbacks{
			Name: "callback",
			// chosen (§14)
			Schedule: []time.Duration{time.Second, 5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute},
			// no header is documented (§11)
			Sign:  func(*sandbox.Call, http.Header, []byte, bool) {},
			Forge: forge,
		},
		Failures: failures(),
	}
}

// resultPath is the end of the path of get-result, which no readable page shows (§2).
const resultPath = "/transaction/result"

// inWorkspace wraps an operation with the check of the workspace in its path.
func (e *simulation) inWorkspace(handle sandbox.Handler) sandbox.Handler {
	return func(c *sandbox.Call) sandbox.Answer {
		if c.Request.PathValue("workspace") != e.Workspace {
			return notFound("there is no such workspace")
		}
		return handle(c)
	}
}

// call is a call that an application was let in with.
type call struct {
	*sandbox.Call
	name   string // of the application
	app    Application
	fields func(name string) string // of the body
}

// guarded wraps an operation with the check of the application's credentials: those of Basic where the request says
// that it is of version 1, else those in the body, as version 0 has them (§3).
func (e *simulation) guarded(handle func(*call) sandbox.Answer) sandbox.Handler {
	return func(c *sandbox.Call) sandbox.Answer {
		x := &call{Call: c, fields: fieldsOf(c)}
		var id, secret string
		switch c.Request.Header.Get("api-version") {
		case "1":
			id, secret, _ = c.Request.BasicAuth()
		case "":
			id, secret = x.fields("app_id"), x.fields("app_secret")
		default:
			return invalid("api-version is not supported")
		}
		for _, name := range slices.Sorted(maps.Keys(e.Applications)) {
			app := e.Applications[name]
			if app.ID == id && slices.ContainsFunc(app.Secrets, func(live string) bool { return sandbox.Same(secret, live) }) {
				x.name, x.app = name, app
				return handle(x)
			}
		}
		return c.Failures().Unauthorized
	}
}

// fieldsOf returns the values of a form, or the texts of a JSON object, by their names.
func fieldsOf(c *sandbox.Call) func(name string) string {
	media, _, _ := strings.Cut(c.Request.Header.Get("Content-Type"), ";")
	if !strings.EqualFold(strings.TrimSpace(media), "application/json") {
		return c.Form()
	}
	var object map[string]any
	if json.Unmarshal(c.Body, &object) != nil {
		object = nil
	}
	return func(name string) string {
		text, _ := object[name].(string)
		return text
	}
}
