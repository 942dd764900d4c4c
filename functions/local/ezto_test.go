package main_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	main "sallyport/functions/local"
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

// settle puts settings, which must be taken.
func (s *stack) settle(path, body string) {
	s.t.Helper()
	if got := s.do("PUT", path, nil, body); got.status != 200 && got.status != 201 {
		s.t.Fatalf("%s: %d %s", path, got.status, got.body)
	}
}

// configure attaches a workflow with one module to an application of the partner's.
func (s *stack) configure(application, module, more string) {
	s.t.Helper()
	s.settle("/workflows/iec", `{"modules":[{"type":"iec_verification"`+module+`}]}`)
	s.settle("/applications/"+application, `{"verification_workflow":"iec"`+more+`}`)
}

func (s *stack) startIEC(key, application, user, more string) string {
	s.t.Helper()
	got := s.post("/journeys/iec-verification", key, `{"application":"`+application+`","user_id":"`+user+`"`+more+`}`)
	var out journeyView
	MustDecode(s.t, got.body, &out)
	if got.status != 202 {
		s.t.Fatalf("start: %d %s", got.status, got.body)
	}
	return out.ID
}

// iecOf is what an iec-verification waits for, and how it ended.
func (s *stack) iecOf(journey string) (out struct {
	Status   string
	Reason   string
	Outcome  map[string]any
	Awaiting struct{ Kind, URL string }
}) {
	s.t.Helper()
	MustDecode(s.t, s.do("GET", "/journeys/"+journey, nil, "").body, &out)
	return out
}

// TestIECJourney: a person enters the licence at the hosted page, each way in which results come.
func TestIECJourney(t *testing.T) {
	for application, way := range map[string]string{"poll": "poll", "ping": "ping", "push": "push", "push-token": "push", "push-encrypted": "push"} {
		t.Run(application, func(t *testing.T) {
			t.Parallel()
			scale := 40.0
			if way != "poll" {
				scale = 0.1 // only callbacks end a wait
			}
			s := MustRun(t, func(m *main.Main) { m.TimeScale = scale })
			s.configure(application, `,"rule":"country == 'IN' && user_id.startsWith('u-')","claims":["iec_code","iec_status"]`, `,"notification_way":"`+way+`"`)
			id := s.startIEC("k", application, "u-7731@example.com", `,"metadata":{"desk":"importers"},"country":"IN"`)
			s.follow(id, waiting)
			waits := s.iecOf(id)
			if waits.Awaiting.Kind != "iec" || !strings.Contains(waits.Awaiting.URL, "/sandbox/ezto/v/") {
				t.Fatalf("waits for %+v", waits)
			}
			form := http.Header{"No-Key": {""}, "Content-Type": {"application/x-www-form-urlencoded"}}
			if page, err := send("", "POST", waits.Awaiting.URL, form, "iec=AAXCT4821K"); err != nil || page.status != 200 || !strings.Contains(page.body, "Completed") {
				t.Fatalf("the page: %v %d %s", err, page.status, page.body)
			}
			view := s.follow(id, ended)
			out := s.iecOf(id).Outcome
			if view.Status != "SUCCEEDED" || view.Reason != "valid" || out["ie_code"] != "AAXCT4821K" || out["iec_status"] != "Valid" || out["pan"] != nil || out["name"] != nil || out["iec_verified"] != nil || out["workflow"] != "verification" {
				t.Errorf("got %s (%s) %v %+v", view.Status, view.Reason, out, view.Steps)
			}
			execution, err := s.Execution(id)
			text, _ := json.Marshal(execution)
			for _, secret := range []string{"AAXCT4821K", "u-7731", "importers", "/ezto/v/"} {
				if err != nil || strings.Contains(string(text), secret) || strings.Contains(s.logs.String(), secret) {
					t.Errorf("%s is in the state machine or in the log, %v", secret, err)
				}
			}
			s.wantNothingLeft()
			if requests, _ := s.reached("ezto/get-result"); way != "poll" && requests != 1 {
				t.Errorf("%d results were read", requests)
			}
		})
	}
}

// TestIECJourneySettings: each of enabled × rule × claims.
func TestIECJourneySettings(t *testing.T) {
	for name, test := range map[string]struct{ module, want string }{
		"Disabled":     {`,"enabled":false`, "disabled"},
		"DisabledRule": {`,"enabled":false,"rule":"true"`, "disabled"},
		"RuleFalse":    {`,"rule":"country == 'US'"`, "rule_false"},
		"RuleTrue":     {`,"rule":"metadata.desk == 'importers'"`, ""},
		"NoRule":       {``, ""},
		"NoClaims":     {`,"claims":[]`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := MustRun(t)
			s.configure("poll", test.module, "")
			id := s.startIEC("k", "poll", "u-1", `,"metadata":{"desk":"importers"},"country":"IN"`)
			if test.want != "" {
				view := s.follow(id, ended)
				out := s.iecOf(id).Outcome
				if n, _ := s.reached("ezto/trigger-request"); view.Status != "SUCCEEDED" || view.Reason != test.want || out["skipped"] != true || out["reason"] != test.want || n != 0 {
					t.Errorf("got %s (%s) %v", view.Status, view.Reason, out)
				}
				return
			}
			s.follow(id, waiting)
			s.configure("poll", `,"enabled":false`, "") // it keeps what it started with
			s.enterIEC("AAXCT4821K")
			view := s.follow(id, ended)
			if out := s.iecOf(id).Outcome; view.Status != "SUCCEEDED" || view.Reason != "valid" || (out["ie_code"] == nil) != (name == "NoClaims") {
				t.Errorf("got %s (%s) %v", view.Status, view.Reason, out)
			}
		})
	}
	t.Run("RuleFails", func(t *testing.T) {
		s := MustRun(t)
		s.configure("poll", `,"rule":"metadata.vip == true"`, "")
		if view := s.follow(s.startIEC("k", "poll", "u-1", ""), ended); view.Status != "FAILED" || view.Reason != "rule_failed" {
			t.Errorf("got %s (%s)", view.Status, view.Reason)
		}
	})
	t.Run("NotConfigured", func(t *testing.T) {
		s := MustRun(t)
		if view := s.follow(s.startIEC("k", "poll", "u-1", ""), ended); view.Status != "FAILED" || view.Reason != "no_such_application" {
			t.Errorf("got %s (%s)", view.Status, view.Reason)
		}
	})
}

// TestIECJourneyFixtures: each licence of the contract (ezto §13) ends as its row says.
func TestIECJourneyFixtures(t *testing.T) {
	for number, want := range map[string]string{
		"AAXCT4821K": "SUCCEEDED valid", "BZKPM3307Q": "SUCCEEDED valid", "AAFFR1190C": "REJECTED suspended", "AADTS2045B": "REJECTED cancelled",
		"AAACN5561H": "REJECTED deactivated", "0399001234": "SUCCEEDED valid", "AAHCZ9999Z": "EXPIRED link_expired", "AAHCE5000E": "FAILED request_failed",
	} {
		t.Run(number, func(t *testing.T) {
			t.Parallel()
			s := MustRun(t, func(m *main.Main) { m.TimeScale = 200 })
			s.configure("poll", "", "")
			id := s.startIEC("k", "poll", "u-1", "")
			s.follow(id, waiting)
			s.enterIEC(number)
			if view := s.follow(id, ended); view.Status+" "+view.Reason != want {
				t.Errorf("got %s (%s) %+v", view.Status, view.Reason, view.Steps)
			}
		})
	}
}

// TestIECJourneyForgedResults: what is forged changes nothing, whatever it looks like.
func TestIECJourneyForgedResults(t *testing.T) {
	for application, way := range map[string]string{"ping": "ping", "push": "push", "push-token": "push", "push-encrypted": "push"} {
		t.Run(application, func(t *testing.T) {
			t.Parallel()
			s := MustRun(t, func(m *main.Main) { m.TimeScale = 20 })
			s.configure(application, "", `,"notification_way":"`+way+`"`)
			id := s.startIEC("k", application, "u-1", "")
			s.follow(id, waiting)
			s.arm("ezto", "callback", "forged_callback")
			s.enterIEC("AAFFR1190C")
			if view := s.follow(id, ended); view.Status != "REJECTED" || view.Reason != "suspended" {
				t.Errorf("got %s (%s) %+v", view.Status, view.Reason, view.Steps)
			}
		})
	}
}

// TestIECJourneyOnboarding: who is new to the partner is onboarded first, and who is known where that is forced.
func TestIECJourneyOnboarding(t *testing.T) {
	for name, test := range map[string]struct {
		user  string
		force bool
		steps bool
	}{
		"New": {"u-1", false, true}, "Known": {"known-1", false, false}, "KnownForced": {"known-1", true, true}, "NewForced": {"u-1", true, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := MustRun(t)
			s.settle("/workflows/hello", `{"modules":[{"type":"iec_verification"}]}`)
			s.configure("onboarding", "", `,"onboarding_workflow":"hello"`)
			id := s.startIEC("k", "onboarding", test.user, fmt.Sprintf(`,"force_onboarding":%t`, test.force))
			s.follow(id, waiting)
			page, err := send("", "GET", s.iecOf(id).Awaiting.URL, http.Header{"No-Key": {""}}, "")
			if err != nil || strings.Contains(page.body, "IEC License Number") == test.steps {
				t.Errorf("the first page: %v %s", err, page.body)
			}
		})
	}
}
