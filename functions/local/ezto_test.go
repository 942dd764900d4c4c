package main_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"sallyport/functions/sandbox"
)

const (
	triggerURL = "/ezto/auth/realms/acme-trade/protocol/openid-connect/transaction"
	resultURL  = triggerURL + "/result"
)

// triggerOf is the form of a trigger (ezto §4), which says by its app_id which of the applications it is for.
func triggerOf(application, user string) string {
	request := `{"user":{"user_id":"` + user + `","metadata":{"workflow":"verification"}}}`
	return url.Values{"app_id": {sandbox.EZTODefaults().Applications[application].ID}, "request": {request}}.Encode()
}

func resultOf(application, handle string) string {
	return url.Values{"app_id": {sandbox.EZTODefaults().Applications[application].ID}, "auth_req_id": {handle}}.Encode()
}

// trigger begins a transaction and returns its handle.
func (s *stack) trigger(application, user string) string {
	s.t.Helper()
	got := s.post(triggerURL, "", triggerOf(application, user))
	var out struct {
		Handle string `json:"auth_req_id"`
	}
	MustDecode(s.t, got.body, &out)
	if got.status != http.StatusOK || len(out.Handle) < 700 {
		s.t.Fatalf("trigger: %d %s", got.status, got.body)
	}
	return out.Handle
}

// enterIEC does what the newest transaction's person would do on the hosted page.
func (s *stack) enterIEC(number string) reply {
	s.t.Helper()
	var open []struct {
		RequestID string `json:"request_id"`
	}
	MustDecode(s.t, s.do("GET", "/sandbox/ezto/transactions", http.Header{"No-Key": {""}}, "").body, &open)
	if len(open) != 1 {
		s.t.Fatalf("%d transactions are open", len(open))
	}
	return s.do("POST", "/sandbox/ezto/transactions/"+open[0].RequestID+"/iec", http.Header{"No-Key": {""}}, `{"iec":"`+number+`"}`)
}

// TestEZTO is a verification over the partner's own routes, with the key in each of the places where clients put one.
func TestEZTO(t *testing.T) {
	id := sandbox.EZTODefaults().Applications["poll"].ID
	request := `{"user":{"user_id":"u-7731","metadata":{"workflow":"verification"}}}`
	basic := func(user string) http.Header {
		return http.Header{"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte(user+":local-key"))}, "Api-Version": {"1"}}
	}
	for name, client := range map[string]struct {
		header http.Header
		body   url.Values
	}{
		"BasicByID":   {basic(id), url.Values{}},
		"BasicByName": {basic("poll"), url.Values{}},
		"Version0":    {http.Header{"No-Key": {""}}, url.Values{"app_id": {id}, "app_secret": {"local-key"}}},
		"APIKey":      {http.Header{}, url.Values{"app_id": {id}}},
	} {
		t.Run(name, func(t *testing.T) {
			s := MustRun(t)
			with := func(name, value string) string {
				form := url.Values{name: {value}}
				for name, values := range client.body {
					form[name] = values
				}
				return form.Encode()
			}
			send := func(path, body string) reply { return s.do("POST", path, client.header, body) }
			got := send(triggerURL, with("request", request))
			var begun struct {
				Handle    string `json:"auth_req_id"`
				URL       string `json:"url"`
				ExpiresIn int    `json:"expires_in"`
				Interval  int    `json:"interval"`
			}
			MustDecode(t, got.body, &begun)
			if got.status != 200 || begun.Handle == "" || begun.URL == "" || begun.ExpiresIn != 900 || begun.Interval != 5 {
				t.Fatalf("got %d %s", got.status, got.body)
			}
			if got := send(resultURL, with("auth_req_id", begun.Handle)); got.status != 400 || !strings.HasPrefix(got.body, `{"error":"authorization_pending","error_description":`) || got.condition() != "" {
				t.Errorf("pending: %d %q %s", got.status, got.condition(), got.body)
			}
			if got := s.enterIEC("AAXCT4821K"); got.status != 200 {
				t.Fatalf("the page: %d %s", got.status, got.body)
			}
			got = send(resultURL, with("auth_req_id", begun.Handle))
			if got.status != 200 || !strings.Contains(got.body, `"ie_code":"AAXCT4821K"`) || !strings.Contains(got.body, `"iec_verified":"true"`) || !strings.Contains(got.body, `"iec_status":"Valid"`) {
				t.Errorf("got %d %s", got.status, got.body)
			}
			if strings.Contains(s.logs.String(), "AAXCT4821K") || strings.Contains(s.logs.String(), begun.Handle) {
				t.Error("the licence or the handle is in the log")
			}
		})
	}
}

// TestEZTOErrors: what is refused, in the partner's shape, before any call and by the partner.
func TestEZTOErrors(t *testing.T) {
	s := MustRun(t)
	s.addCaller("other-key", "other", "*")
	handle := s.trigger("poll", "u-7731")
	none := http.Header{"No-Key": {""}}
	for name, test := range map[string]struct {
		path, body string
		header     http.Header
		status     int
		want       string
	}{
		"NoKey":         {triggerURL, "request={}", none, 401, `{"error":"invalid_client","error_description":"app id or secret is not valid"}`},
		"Version":       {triggerURL, triggerOf("poll", "u"), http.Header{"Api-Version": {"2"}}, 400, `{"error":"invalid_request","error_description":"api-version: must be 1, or missing"}`},
		"NoRequest":     {triggerURL, "app_id=poll", nil, 400, `{"error":"invalid_request","error_description":"request: is required"}`},
		"NoJSON":        {triggerURL, "app_id=poll&request=x", nil, 400, `{"error":"invalid_request","error_description":"request: is not valid JSON"}`},
		"Shape":         {triggerURL, `app_id=poll&request={"user":{"user_id":7}}`, nil, 400, `{"error":"invalid_request","error_description":"request/user/user_id: must be a string"}`},
		"NoApplication": {triggerURL, "app_id=x&request={}", nil, 401, `{"error":"invalid_client","error_description":"app id or secret is not valid"}`},
		"NoWorkspace":   {strings.Replace(triggerURL, "acme-trade", "other", 1), triggerOf("poll", "u"), nil, 404, `{"error":"not_found","error_description":"there is no such workspace"}`},
		"NoHandle":      {resultURL, "app_id=poll", nil, 400, `{"error":"invalid_request","error_description":"auth_req_id: is required"}`},
		"UnknownHandle": {resultURL, resultOf("poll", "unknown"), nil, 404, `{"error":"not_found","error_description":"there is no such transaction"}`},
		"AnotherTenant": {resultURL, resultOf("poll", handle), http.Header{"X-Api-Key": {"other-key"}}, 404, `{"error":"not_found","error_description":"there is no such transaction"}`},
	} {
		if got := s.do("POST", test.path, test.header, test.body); got.status != test.status || got.body != test.want {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	for name, test := range map[string]struct {
		application, user string
		status            int
		code              string
	}{
		"Gatepass": {"gatepass", "u-1", 403, "access_denied"},
		"APIOnly":  {"api-only", "u-1", 403, "unauthorized_client"},
		"Failing":  {"poll", "failing-1", 402, "request_failed"},
	} {
		if got := s.post(triggerURL, "", triggerOf(test.application, test.user)); got.status != test.status || !strings.HasPrefix(got.body, `{"error":"`+test.code+`"`) {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
}

// TestEZTOFixtures: each licence of the contract (ezto §13), as the partner tells of it.
func TestEZTOFixtures(t *testing.T) {
	for number, want := range map[string]string{
		"AAXCT4821K": `"iec_status":"Valid"`, "BZKPM3307Q": `"iec_status":"Valid"`, "AAFFR1190C": `"iec_status":"Suspended"`,
		"AADTS2045B": `"iec_status":"Cancelled"`, "AAACN5561H": `"iec_status":"Deactivated"`, "0399001234": `"pan":"AACCL7702D"`,
		"AAHCZ9999Z": "authorization_pending", "AAHCE5000E": "request_failed",
	} {
		t.Run(number, func(t *testing.T) {
			s := MustRun(t)
			handle := s.trigger("poll", "u-7731")
			s.enterIEC(number)
			got := s.post(resultURL, "", resultOf("poll", handle))
			if !strings.Contains(got.body, want) || (got.status == 200) != strings.Contains(want, ":") {
				t.Errorf("got %d %s", got.status, got.body)
			}
		})
	}
}

// TestEZTOTrailingComma: what is JSON but for a comma is passed on as it came.
func TestEZTOTrailingComma(t *testing.T) {
	s := MustRun(t)
	if got := s.do("POST", "/sandbox/settings", nil, `{"partner":"ezto","name":"trailing_comma","value":"yes"}`); got.status != 200 {
		t.Fatal(got.body)
	}
	handle := s.trigger("poll", "u-7731")
	s.enterIEC("AAXCT4821K")
	if got := s.post(resultURL, "", resultOf("poll", handle)); got.status != 200 || !strings.HasSuffix(got.body, ",}") {
		t.Errorf("got %d %s", got.status, got.body)
	}
}

// TestEZTOOnce: a repeated trigger begins no second transaction, and after a lost answer neither.
func TestEZTOOnce(t *testing.T) {
	s := MustRun(t)
	body := triggerOf("poll", "u-7731")
	first := s.post(triggerURL, "k", body)
	if again := s.post(triggerURL, "k", body); again.body != first.body || again.header.Get("Idempotency-Replayed") != "true" {
		t.Errorf("again: %d %s", again.status, again.body)
	}
	s.arm("ezto", "trigger-request", "reset_after_effect")
	for i := range 3 {
		if got := s.post(triggerURL, "lost", body); got.condition() != "outcome_unknown" {
			t.Errorf("attempt %d: %d %s", i, got.status, got.body)
		}
	}
	if requests, effects := s.reached("ezto/trigger-request"); requests != 2 || effects != 2 {
		t.Errorf("%s", fmt.Sprint(requests, effects))
	}
}

// TestWorkspaceSettings: what an application of a tenant's is attached to, and who may see it.
func TestWorkspaceSettings(t *testing.T) {
	s := MustRun(t)
	s.addCaller("other-key", "other", "*")
	for _, step := range []struct {
		method, path, body string
		header             http.Header
		status             int
		want               string
	}{
		{"PUT", "/applications/shop", `{"verification_workflow":"iec"}`, nil, 422, "no_such_workflow"},
		{"PUT", "/workflows/iec", `{"modules":[{"type":"iec_verification","rule":"country == 'IN' &&"}]}`, nil, 400, "/modules/0/rule"},
		{"PUT", "/workflows/iec", `{"modules":[{"type":"iec_verification","rule":"country == 'IN'"}]}`, nil, 201, `"version":1`},
		{"PUT", "/workflows/iec", `{"modules":[{"type":"iec_verification","enabled":false}]}`, http.Header{"If-Match": {`"7"`}}, 412, ""},
		{"PUT", "/workflows/iec", `{"modules":[{"type":"iec_verification","claims":["pan"]}]}`, nil, 200, `"version":2`},
		{"PUT", "/applications/shop", `{"verification_workflow":"iec"}`, nil, 201, `"notification_way":"poll"`},
		{"GET", "/applications/shop", "", nil, 200, `"verification_workflow":"iec"`},
		{"GET", "/workflows/iec", "", nil, 200, `"claims":["pan"]`},
		{"GET", "/workflows/iec", "", http.Header{"X-Api-Key": {"other-key"}}, 404, ""},
		{"GET", "/applications/shop", "", http.Header{"X-Api-Key": {"other-key"}}, 404, ""},
	} {
		if got := s.do(step.method, step.path, step.header, step.body); got.status != step.status || !strings.Contains(got.body, step.want) {
			t.Errorf("%s %s %s: %d %s", step.method, step.path, step.body, got.status, got.body)
		}
	}
}
