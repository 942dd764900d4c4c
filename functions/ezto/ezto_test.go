package ezto_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"sallyport/functions/ezto"
	"sallyport/shared/gateway"
	"sallyport/shared/operation"
)

const secret = `{"workspace":"acme-trade","applications":{"poll":{"app_id":"app-1","app_secret":"s-1"},"push":{"app_id":"app-2","app_secret":"s-2"}}}`

// partner answers every request alike and keeps the last one.
type partner struct {
	*httptest.Server
	path   string
	header http.Header
	form   url.Values
	user   string
	pass   string
	times  int
}

func newPartner(t testing.TB, status int, body string) *partner {
	t.Helper()
	p := &partner{}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		p.path, p.header, p.form, p.times = r.URL.Path, r.Header, r.PostForm, p.times+1
		p.user, p.pass, _ = r.BasicAuth()
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(p.Close)
	return p
}

func call[In any](t testing.TB, op operation.Operation[In], req gateway.Request) operation.Outcome {
	t.Helper()
	return callWith(t, secret, op, req)
}

func callWith[In any](t testing.TB, secret string, op operation.Operation[In], req gateway.Request) operation.Outcome {
	t.Helper()
	in, err := op.Decode(req)
	if err != nil {
		t.Fatal(err)
	}
	return op.Call(context.Background(), operation.NewCall("acme", []byte(secret)), in)
}

func form(pairs ...string) gateway.Request {
	values := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		values.Set(pairs[i], pairs[i+1])
	}
	return gateway.Request{
		Method: "POST", Params: map[string]string{"workspace": "acme-trade"}, Header: map[string]string{},
		Body: []byte(values.Encode()),
	}
}

const (
	request = `{"user":{"user_id":"u-7731","metadata":{"workflow":"verification"}}}`
	begun   = `{"auth_req_id":"hdr..iv.body.tag","url":"https://acme-trade.example/v/9kQ2","expires_in":900,"interval":5}`
	result  = `{"workflow":"verification","user_id":"u-7731","request_id":"5b0c7a52-90de-4a1f-8f33-2d6e1c90ab47","ie_code":"AAXCT4821K","iec_verified":"true","iec_verified_at":"1767225600","name":"TARANG OVERSEAS PVT LTD","address":"14 Dock Road, Kochi 682003","iec_status":"Valid","pan":"AAXCT4821K"}`
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

// TestExtraFields: what an application's own configuration has in a form goes on, and makes it another request;
// credentials don't.
func TestExtraFields(t *testing.T) {
	p := newPartner(t, 200, begun)
	op := ezto.TriggerRequest(ezto.Config{BaseURL: p.URL})
	call(t, op, form("app_id", "app-2", "app_secret", "the caller's key", "request", request, "channel", "desk"))
	if len(p.form) != 2 || p.form.Get("channel") != "desk" || p.form.Get("request") != request {
		t.Errorf("sent %v", p.form)
	}
	var inputs [3]string
	for i, extra := range []string{"desk", "desk", "web"} {
		in, err := op.Decode(form("app_id", "app-2", "request", request, "channel", extra))
		if err != nil {
			t.Fatal(err)
		}
		text, _ := json.Marshal(op.Fingerprint(in))
		inputs[i] = string(text)
	}
	if inputs[0] != inputs[1] || inputs[0] == inputs[2] {
		t.Errorf("compared by %q", inputs)
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

// TestClasses is the status table (ezto §9) for both operations.
func TestClasses(t *testing.T) {
	failure := func(code string) string { return `{"error":"` + code + `","error_description":"x"}` }
	for name, test := range map[string]struct {
		status  int
		body    string
		trigger operation.Class
		result  operation.Class
	}{
		"NoHandle":      {200, `{}`, operation.Unknown, operation.Unavailable},
		"NoJSON":        {200, `<html>`, operation.Unknown, operation.Unknown},
		"Invalid":       {400, failure("invalid_request"), operation.Invalid, operation.Invalid},
		"PendingIsOK":   {200, failure("authorization_pending"), operation.Unknown, operation.Conflict},
		"Accepted":      {202, failure("authorization_pending"), operation.Unknown, operation.Conflict},
		"SourceDown":    {402, `{"message":"x"}`, operation.Conflict, operation.Conflict},
		"Pending":       {400, failure("authorization_pending"), operation.Invalid, operation.Conflict},
		"TooFast":       {400, failure("slow_down"), operation.Invalid, operation.Conflict},
		"Expired":       {400, failure("expired_token"), operation.Invalid, operation.Conflict},
		"Declined":      {403, failure("access_denied"), operation.Invalid, operation.Conflict},
		"NotAllowed":    {403, failure("unauthorized_client"), operation.Invalid, operation.Invalid},
		"RequestFailed": {402, failure("request_failed"), operation.Conflict, operation.Conflict},
		"NotFound":      {404, failure("not_found"), operation.Invalid, operation.Invalid},
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

// TestReadResult: however it is spelt, a result reads the same (ezto §6).
func TestReadResult(t *testing.T) {
	yes := true
	want := ezto.Result{Workflow: "verification", UserID: "u", RequestID: "r", IEC: "AAXCT4821K", Verified: &yes,
		VerifiedAt: time.Unix(1767225600, 0).UTC(),
		Name:       "N", Status: "Valid", PAN: "AAXCT4821K", Address: "A"}
	for _, text := range []string{
		`{"workflow":"verification","user_id":"u","request_id":"r","ie_code":"AAXCT4821K","iec_verified":"true","iec_verified_at":"1767225600","name":"N","iec_status":"Valid","pan":"AAXCT4821K","address":"A"}`,
		`{"workflow":"verification","userId":"u","requestId":"r","iec_code":" aaxct4821k ","iec_verified":"True","iec_verified_at":1767225600000,"name":"N","iec_status":"ACTIVE","pan":"aaxct4821k","address":"A",}`,
		`{"workflow":"verification","user_id":"u","request_id":"r","iec_code":"AAXCT4821K","ie_code":"OTHER","iec_verified":true,"iec_verified_at":"1767225600000","name":"N","iec_status":"valid","pan":"AAXCT4821K","address":"A", "more":{}}`,
	} {
		got, ok := ezto.ReadResult([]byte(text))
		if !ok || got.Verified == nil || *got.Verified != *want.Verified {
			t.Fatalf("%s: %+v", text, got)
		}
		got.Verified = want.Verified
		if got != want || !got.Accepted() || got.Mismatch() {
			t.Errorf("%s: %+v", text, got)
		}
	}
	for text, status := range map[string]string{
		"suspended": "Suspended", "Canceled": "Cancelled", "inactive": "Deactivated", "Revoked": "Revoked", "": "",
	} {
		got, ok := ezto.ReadResult([]byte(`{"request_id":"r","iec_verified":"true","iec_status":"` + text + `"}`))
		if !ok || got.Status != status || got.Accepted() {
			t.Errorf("%s: %+v", text, got)
		}
	}
	if got, ok := ezto.ReadResult([]byte(`{"request_id":"r","workflow":"verification"}`)); !ok || got.Accepted() ||
		got.Verified != nil || !got.VerifiedAt.IsZero() {
		t.Errorf("a skipped check is %+v", got)
	}
	if got, _ := ezto.ReadResult([]byte(`{"request_id":"r","ie_code":"AAXCT4821K","pan":"AAXCT9999Z"}`)); !got.Mismatch() {
		t.Errorf("another's PAN: %+v", got)
	}
	if got, _ := ezto.ReadResult([]byte(`{"request_id":"r","ie_code":"0399001234","pan":"AACCL7702D"}`)); got.Mismatch() {
		t.Errorf("a number of the old form: %+v", got)
	}
	for _, text := range []string{
		`{}`, `[]`, `null`, `{"error":"authorization_pending"}`, `{"request_id":"r"`, `{"request_id":"r",,}`,
	} {
		if got, ok := ezto.ReadResult([]byte(text)); ok {
			t.Errorf("%s is %+v", text, got)
		}
	}
}

// FuzzEZTORequest: whatever is sent is taken or refused, and nothing that is taken lacks what it needs.
func FuzzEZTORequest(f *testing.F) {
	f.Add([]byte(form("request", request).Body))
	f.Add([]byte(`{"auth_req_id":"h"}`))
	f.Add([]byte(result))
	f.Fuzz(func(t *testing.T, body []byte) {
		req := gateway.Request{
			Method: "POST", Header: map[string]string{"authorization": "Basic " + string(body)}, Body: body,
		}
		if in, err := ezto.TriggerRequest(ezto.Config{}).Decode(req); err == nil && len(in.Request) == 0 {
			t.Errorf("%q has no request", body)
		}
		if in, err := ezto.GetResult(ezto.Config{}).Decode(req); err == nil && in.Handle == "" {
			t.Errorf("%q has no handle", body)
		}
		if r, ok := ezto.ReadResult(body); ok && r.RequestID == "" {
			t.Errorf("%q has no id", body)
		}
	})
}
