package ezto_test

import (
	"strings"
	"testing"

	"sallyport/functions/ezto"
	"sallyport/shared/gateway"
	"sallyport/shared/operation"
)

// TestWire: what is sent is the contract's version 1, with the application's own credentials.
func TestWire(t *testing.T) {
	p := newPartner(t, 200, begun)
	got := call(
		t, ezto.TriggerRequest(ezto.Config{BaseURL: p.URL}),
		form("app_id", "app-2", "app_secret", "the caller's key", "request", request),
	)
	if got.Class != operation.Done || string(got.Reply.Body) != begun ||
		!strings.HasPrefix(got.Creates, "ezto/transaction/") || strings.Contains(got.Creates, "hdr") {
		t.Errorf("got %+v", got)
	}
	if p.path != "/auth/realms/acme-trade/protocol/openid-connect/transaction" || p.user != "app-2" || p.pass != "s-2" ||
		p.header.Get("api-version") != "1" ||
		p.header.Get("Content-Type") != "application/x-www-form-urlencoded" || len(p.form) != 1 ||
		p.form.Get("request") != request {
		t.Errorf("sent %s %v %v", p.path, p.header, p.form)
	}
	p = newPartner(t, 200, result)
	got = call(t, ezto.GetResult(ezto.Config{BaseURL: p.URL}), form("app_id", "poll", "auth_req_id", "hdr..iv.body.tag"))
	if got.Class != operation.Done || string(got.Reply.Body) != result ||
		got.Refs["request_id"] != "5b0c7a52-90de-4a1f-8f33-2d6e1c90ab47" {
		t.Errorf("got %+v", got)
	}
	if p.path != "/auth/realms/acme-trade/protocol/openid-connect/transaction/result" || p.user != "app-1" ||
		len(p.form) != 1 || p.form.Get("auth_req_id") != "hdr..iv.body.tag" {
		t.Errorf("sent %s %v", p.path, p.form)
	}
}

// TestTolerated: a byte order mark is skipped and passed on, also where a comma follows the last member.
func TestTolerated(t *testing.T) {
	for _, odd := range []string{"\uFEFF" + result, "\uFEFF" + strings.TrimSuffix(result, "}") + ",\n}"} {
		p := newPartner(t, 200, odd)
		got := call(t, ezto.GetResult(ezto.Config{BaseURL: p.URL}), form("app_id", "poll", "auth_req_id", "hdr..iv.body.tag"))
		if got.Class != operation.Done || string(got.Reply.Body) != odd {
			t.Errorf("got %+v", got)
		}
		if summary := ezto.GetResult(ezto.Config{}).Output(got.Reply); summary["state"] != "valid" {
			t.Errorf("a state machine sees %v", summary)
		}
	}
}

// TestElsewhere: a tenant's workspace may be at a host of its own, to which secrets go by TLS alone.
func TestElsewhere(t *testing.T) {
	p, other := newPartner(t, 200, begun), newPartner(t, 200, begun)
	other.Close()
	for base, want := range map[string]operation.Class{
		strings.Replace(other.URL, "http:", "https:", 1) + "/": operation.Unavailable, // nobody listens there
		other.URL:           operation.Credentials,
		"elsewhere.example": operation.Credentials,
	} {
		at := strings.Replace(secret, `{`, `{"base_url":"`+base+`",`, 1)
		if got := callWith(
			t, at, ezto.TriggerRequest(ezto.Config{BaseURL: p.URL}), form("app_id", "app-1", "request", request),
		); got.Class != want || p.times != 0 {
			t.Errorf("%s: %+v, %d calls", base, got, p.times)
		}
	}
}

// TestNowhereToGo: another workspace or application than the configured ones is refused before any call.
func TestNowhereToGo(t *testing.T) {
	p := newPartner(t, 200, begun)
	op := ezto.TriggerRequest(ezto.Config{BaseURL: p.URL})
	elsewhere := form("app_id", "poll", "request", request)
	elsewhere.Params = map[string]string{"workspace": "acme-trade.attacker.example"}
	for name, test := range map[string]struct {
		req  gateway.Request
		code string
	}{
		"Workspace":   {elsewhere, "no_such_workspace"},
		"Application": {form("app_id", "app-3", "request", request), "no_such_application"},
		"Undecided":   {form("request", request), "no_such_application"}, // there are two
	} {
		if got := call(t, op, test.req); got.Class != operation.Invalid || got.Code != test.code || p.times != 0 {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// TestClasses is the status table (§9) for both operations.
func TestClasses(t *testing.T) {
	failure := func(code string) string { return `{"error":"` + code + `","error_description":"x"}` }
	for name, test := range map[string]struct {
		status  int
		body    string
		trigger operation.Class
		result  operation.Class
	}{
		"NoHandle":      {200, `{}`, operation.Unknown, operation.Conflict},
		"NoJSON":        {200, `<html>`, operation.Unknown, operation.Conflict},
		"Odd":           {418, `<html>`, operation.Refused, operation.Conflict},
		"Invalid":       {400, failure("invalid_request"), operation.Invalid, operation.Conflict},
		"PendingIsOK":   {200, failure("authorization_pending"), operation.Unknown, operation.Conflict},
		"Accepted":      {202, failure("authorization_pending"), operation.Unknown, operation.Conflict},
		"SourceDown":    {402, `{"message":"x"}`, operation.Conflict, operation.Conflict},
		"Pending":       {400, failure("authorization_pending"), operation.Invalid, operation.Conflict},
		"TooFast":       {400, failure("slow_down"), operation.Invalid, operation.Conflict},
		"Expired":       {400, failure("expired_token"), operation.Invalid, operation.Conflict},
		"Declined":      {403, failure("access_denied"), operation.Invalid, operation.Conflict},
		"NotAllowed":    {403, failure("unauthorized_client"), operation.Invalid, operation.Invalid},
		"RequestFailed": {402, failure("request_failed"), operation.Conflict, operation.Conflict},
		"NotFound":      {404, failure("not_found"), operation.Invalid, operation.Conflict},
		"OurSecret":     {401, failure("invalid_client"), operation.Credentials, operation.Credentials},
		"Throttled":     {429, ``, operation.Throttled, operation.Throttled},
		"Timeout":       {408, ``, operation.Unknown, operation.Unknown},
		"ServerError":   {500, failure("server_error"), operation.Unknown, operation.Unknown},
		"Gateway":       {503, ``, operation.Unknown, operation.Unknown},
	} {
		c := ezto.Config{BaseURL: newPartner(t, test.status, test.body).URL}
		if got := call(t, ezto.TriggerRequest(c), form("app_id", "poll", "request", request)); got.Class != test.trigger {
			t.Errorf("%s: trigger %+v", name, got)
		}
		if got := call(t, ezto.GetResult(c), form("app_id", "poll", "auth_req_id", "h")); got.Class != test.result {
			t.Errorf("%s: result %+v", name, got)
		}
	}
}
