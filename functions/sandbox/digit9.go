package sandbox

import (
	"cmp"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Digit9Options are what Digit9 would issue to a partner, and what both agreed on for callbacks.
type Digit9Options struct {
	ClientID       string
	ClientSecret   string
	Username       string
	Password       string
	Scope          string
	CallbackBearer string // token that callbacks carry
	CallbackSecret string // secret that the hash of callbacks ends with
}

// Digit9Defaults returns what the simulated Digit9 goes by where Options leave it open.
func Digit9Defaults() Digit9Options {
	return Digit9Options{
		ClientID:       "sandbox-client",
		ClientSecret:   "sandbox-client-secret",
		Username:       "sandbox-agent",
		Password:       "sandbox-password",
		Scope:          "api://00000000-0000-4000-8000-000000000000/customer",
		CallbackBearer: "sandbox-callback-token",
		CallbackSecret: "sandbox-callback-secret",
	}
}

// maxOnboarding is the largest onboarding request that is read, in bytes: 40 MiB of files (digit9 §6.4) in base64.
const maxOnboarding = 56 << 20

// digit9 simulates Digit9's partner onboarding without eKYC.
type digit9 struct {
	Digit9Options
	newID func() string
}

func newDigit9(o Digit9Options, newID func() string) *simulator {
	def := Digit9Defaults()
	o = Digit9Options{
		ClientID:       cmp.Or(o.ClientID, def.ClientID),
		ClientSecret:   cmp.Or(o.ClientSecret, def.ClientSecret),
		Username:       cmp.Or(o.Username, def.Username),
		Password:       cmp.Or(o.Password, def.Password),
		Scope:          cmp.Or(o.Scope, def.Scope),
		CallbackBearer: cmp.Or(o.CallbackBearer, def.CallbackBearer),
		CallbackSecret: cmp.Or(o.CallbackSecret, def.CallbackSecret),
	}
	d := &digit9{Digit9Options: o, newID: newID}
	return &simulator{
		name: "digit9",
		operations: []operation{
			{Operation: Operation{"digit9", "issue-token", http.MethodPost, "/auth/realms/cdp/protocol/openid-connect/token", false},
				handle: d.issueToken, failures: digit9TokenFailures},
			{Operation: Operation{"digit9", "lookup-customer", http.MethodPost, "/caas/api/v2/customer/validate", false},
				handle: guarded(d.lookupCustomer), failures: digit9LookupFailures("/api/v2/customer/validate")},
			{Operation: Operation{"digit9", "onboard-customer", http.MethodPost, "/caas-lcm/api/v1/CAAS/onBoarding/customer", true},
				handle: guarded(d.onboardCustomer), failures: d.onboardFailures, maxBody: maxOnboarding},
			{Operation: Operation{"digit9", "get-customer", http.MethodGet, "/caas/api/v2/customer/{ecrn}", false},
				handle: guarded(d.getCustomer), failures: digit9LookupFailures("/api/v2/customer/{ecrn}")},
			{Operation: Operation{"digit9", "list-codes", http.MethodGet, "/raas/masters/v1/codes", false},
				handle: guarded(listCodes), failures: digit9LookupFailures("/masters/v1/codes")},
		},
		byHand: []byHand{
			{http.MethodGet, "/alerts", listAlerts},
			{http.MethodPost, "/alerts/{ecrn}", closeAlert},
		},
		settings: []setting{
			{name: "token_lifetime", values: []string{"7199", "90", "5"}}, // seconds, real (digit9 §3)
			{name: "duplicate_ids", values: []string{"create", "update"}}, // an onboarding without ecrn of a known id (digit9 §14)
			{name: "callback_auth", values: []string{"bearer", "hash", "both"}},
			{name: "callbacks", values: []string{"sent", "lost"}},
		},
		callbacks: &callbacks{
			name:     "callback",
			schedule: []time.Duration{5 * time.Minute, 10 * time.Minute, time.Hour, time.Hour}, // digit9 §8
			sign:     d.signCallback,
			taken:    digit9Taken,
		},
		revoke: revokeToken,
	}
}

// guarded wraps an operation that needs a token.
func guarded(handle func(*call) (answer, error)) func(*call) (answer, error) {
	return func(c *call) (answer, error) {
		switch ok, err := tokenAccepted(c); {
		case err != nil:
			return answer{}, err
		case !ok:
			return c.failures().unauthorized, nil
		}
		return handle(c)
	}
}

// digit9Gateway is the body of what the gateway before Digit9's services answers itself (digit9 §9.1, §9.2). Its path
// lacks the first segment of the request's.
type digit9Gateway struct {
	Timestamp string  `json:"timestamp"`
	Status    int     `json:"status"`
	Error     string  `json:"error"`
	Message   *string `json:"message,omitzero"`
	Path      string  `json:"path"`
}

// digit9GatewayFailures returns those of one path; message is nil where the body has none.
func digit9GatewayFailures(c *call, path string, message *string) failures {
	of := func(status int) answer {
		return answer{status: status, body: encode(digit9Gateway{
			Timestamp: c.now.UTC().Format(digit9Timestamp), Status: status, Error: http.StatusText(status), Message: message, Path: path,
		})}
	}
	return failures{
		unauthorized: of(http.StatusUnauthorized),
		throttled:    of(http.StatusTooManyRequests),
		internal:     of(http.StatusInternalServerError),
		unavailable:  of(http.StatusServiceUnavailable),
	}
}

// digit9Timestamp is how Digit9 writes times, with an offset even in UTC.
const digit9Timestamp = "2006-01-02T15:04:05.000-07:00"

// digit9LookupFailures returns the failures of an operation that reads, under the path that its answers show.
func digit9LookupFailures(path string) func(*call) failures {
	return func(c *call) failures {
		return digit9GatewayFailures(c, strings.Replace(path, "{ecrn}", url.PathEscape(c.request.PathValue("ecrn")), 1), nil)
	}
}
