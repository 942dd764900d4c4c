// Package digit9 simulates Digit9's partner onboarding without eKYC.
package digit9

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"sallyport/functions/sandbox"
)

// Options are what Digit9 would issue to a partner, and what both agreed on for callbacks.
type Options struct {
	ClientID       string
	ClientSecret   string
	Username       string
	Password       string
	Scope          string
	CallbackBearer string // token that callbacks carry
	CallbackSecret string // secret that the hash of callbacks ends with
}

// Defaults returns what the simulated Digit9 goes by where Options leave it open.
func Defaults() Options {
	return Options{
		ClientID:       "sandbox-client",
		ClientSecret:   "sandbox-client-secret",
		Username:       "sandbox-agent",
		Password:       "sandbox-password",
		Scope:          "api://00000000-0000-4000-8000-000000000000/customer",
		CallbackBearer: "sandbox-callback-token",
		CallbackSecret: "sandbox-callback-secret",
	}
}

// maxOnboarding is the largest onboarding request that is read, in bytes: 40 MiB of files (§6.4) in base64.
const maxOnboarding = 56 << 20

// simulation is the simulated Digit9.
type simulation struct {
	Options
}

// New returns the simulated Digit9. Zero fields of its options are those of Defaults.
func New(o Options) sandbox.Simulator {
	d := &simulation{sandbox.Completed(o, Defaults())}
	return sandbox.Simulator{
		Name: "digit9",
		Endpoints: []sandbox.Endpoint{
			{Name: "issue-token", Method: http.MethodPost, Path: "/auth/realms/cdp/protocol/openid-connect/token",
				Handle: d.issueToken, Failures: tokenFailures},
			{Name: "lookup-customer", Method: http.MethodPost, Path: "/caas/api/v2/customer/validate",
				Handle: guarded(lookupCustomer), Failures: lookupFailures("/api/v2/customer/validate")},
			{Name: "onboard-customer", Method: http.MethodPost, Path: "/caas-lcm/api/v1/CAAS/onBoarding/customer", Effect: true,
				Handle: guarded(onboardCustomer), Failures: onboardFailures, MaxBody: maxOnboarding},
			{Name: "get-customer", Method: http.MethodGet, Path: "/caas/api/v2/customer/{ecrn}",
				Handle: guarded(getCustomer), Failures: lookupFailures("/api/v2/customer/{ecrn}")},
			{Name: "list-codes", Method: http.MethodGet, Path: "/raas/masters/v1/codes",
				Handle: guarded(listCodes), Failures: lookupFailures("/masters/v1/codes")},
		},
		Manual: []sandbox.Manual{
			{Method: http.MethodGet, Path: "/alerts", Handle: listAlerts},
			{Method: http.MethodPost, Path: "/alerts/{ecrn}", Handle: closeAlert},
		},
		Settings: []sandbox.Setting{
			{Name: "token_lifetime", Values: []string{"7199", "90", "5"}}, // seconds, real (§3)
			// an onboarding without ecrn of a known id (§6.7)
			{Name: "duplicate_ids", Values: []string{"create", "update"}},
			{Name: "callback_auth", Values: []string{"bearer", "hash", "both"}},
			{Name: "callbacks", Values: []string{"sent", "lost"}},
			sandbox.Normalising(),
			sandbox.Strict(), // about the payload of an onboarding, and the types of a lookup's fields
		},
		Callbacks: &sandbox.Callbacks{
			Name:     "callback",
			Schedule: []time.Duration{5 * time.Minute, 10 * time.Minute, time.Hour, time.Hour}, // §8
			Sign:     d.signCallback,
			Taken:    taken,
		},
		Revoke: (*sandbox.Call).EndAccessToken,
	}
}

// guarded wraps an operation that needs a token.
func guarded(handle sandbox.Handler) sandbox.Handler {
	return func(c *sandbox.Call) sandbox.Answer {
		if !c.HasAccessToken() {
			return c.Failures().Unauthorized
		}
		return handle(c)
	}
}

// gatewayFailures returns what the gateway before Digit9's services answers itself (§9.1, §9.2). The path lacks
// the first segment of the request's; message is nil where the body has none.
func gatewayFailures(c *sandbox.Call, path string, message *string) sandbox.Failures {
	of := func(status int) sandbox.Answer {
		return sandbox.JSON(status, sandbox.Object(
			"timestamp", c.Now.UTC().Format(timestampLayout), "status", status, "error", http.StatusText(status),
			"message", sandbox.Optional(message), "path", path,
		))
	}
	return sandbox.Failures{
		Unauthorized: of(http.StatusUnauthorized),
		Throttled:    of(http.StatusTooManyRequests),
		Internal:     of(http.StatusInternalServerError),
		Unavailable:  of(http.StatusServiceUnavailable),
	}
}

// timestampLayout is how Digit9 writes times, with an offset even in UTC.
const timestampLayout = "2006-01-02T15:04:05.000-07:00"

// lookupFailures returns the failures of an operation that reads, under the path that its answers show.
func lookupFailures(path string) func(*sandbox.Call) sandbox.Failures {
	return func(c *sandbox.Call) sandbox.Failures {
		return gatewayFailures(c, strings.Replace(path, "{ecrn}", url.PathEscape(c.Request.PathValue("ecrn")), 1), nil)
	}
}
