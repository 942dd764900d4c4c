package main_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	main "sallyport/functions/local"
	"sallyport/functions/sandbox"
	eztosim "sallyport/functions/sandbox/ezto"
)

const (
	triggerURL = "/ezto/auth/realms/acme-trade/protocol/openid-connect/transaction"
	resultURL  = triggerURL + "/result"
)

// triggerOf is the form of a trigger (ezto §4), which says by its app_id which of the applications it is for.
func triggerOf(application, user string) string {
	request := `{"user":{"user_id":"` + user + `","metadata":{"workflow":"verification"}}}`
	return url.Values{"app_id": {eztosim.Defaults().Applications[application].ID}, "request": {request}}.Encode()
}

func resultOf(application, handle string) string {
	return url.Values{"app_id": {eztosim.Defaults().Applications[application].ID}, "auth_req_id": {handle}}.Encode()
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
	return s.do(
		"POST", "/sandbox/ezto/transactions/"+s.openTransaction()+"/iec", http.Header{"No-Key": {""}}, `{"iec":"`+number+`"}`,
	)
}

// openTransaction is the request_id of the only transaction that waits for a person.
func (s *stack) openTransaction() string {
	s.t.Helper()
	var open []struct {
		RequestID string `json:"request_id"`
	}
	MustDecode(s.t, s.do("GET", "/sandbox/ezto/transactions", http.Header{"No-Key": {""}}, "").body, &open)
	if len(open) != 1 {
		s.t.Fatalf("%d transactions are open", len(open))
	}
	return open[0].RequestID
}

// page is what a person sees who opens a hosted page, or submits a form there.
func (s *stack) page(url, form string) reply {
	s.t.Helper()
	method := "GET"
	if form != "" {
		method = "POST"
	}
	got, err := send(
		"", method, url, http.Header{"No-Key": {""}, "Content-Type": {"application/x-www-form-urlencoded"}}, form,
	)
	if err != nil {
		s.t.Fatalf("%s the page: %v", method, err)
	}
	return got
}

// setEZTO sets switches of the simulated EZTO, given as name=value.
func (s *stack) setEZTO(settings ...string) {
	s.t.Helper()
	for _, setting := range settings {
		name, value, _ := strings.Cut(setting, "=")
		if got := s.do(
			"POST", "/sandbox/settings", nil, fmt.Sprintf(`{"partner":"ezto","name":%q,"value":%q}`, name, value),
		); got.status != 200 {
			s.t.Fatalf("setting: %d %s", got.status, got.body)
		}
	}
}

// TestEZTO is a verification over the partner's own routes, with the key in each of the places where clients put one.
func TestEZTO(t *testing.T) {
	t.Parallel()
	id := eztosim.Defaults().Applications["poll"].ID
	request := `{"user":{"user_id":"u-7731","metadata":{"workflow":"verification"}}}`
	basic := func(user string) http.Header {
		return http.Header{
			"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte(user+":local-key"))}, "Api-Version": {"1"},
		}
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
			t.Parallel()
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
			if got := send(resultURL, with("auth_req_id", begun.Handle)); got.status != 400 ||
				!strings.HasPrefix(got.body, `{"error":"authorization_pending","error_description":`) || got.condition() != "" {
				t.Errorf("pending: %d %q %s", got.status, got.condition(), got.body)
			}
			if got := s.enterIEC("AAXCT4821K"); got.status != 200 {
				t.Fatalf("the page: %d %s", got.status, got.body)
			}
			got = send(resultURL, with("auth_req_id", begun.Handle))
			if got.status != 200 || !strings.Contains(got.body, `"ie_code":"AAXCT4821K"`) ||
				!strings.Contains(got.body, `"iec_verified":"true"`) || !strings.Contains(got.body, `"iec_status":"Valid"`) {
				t.Errorf("got %d %s", got.status, got.body)
			}
			if strings.Contains(s.logs.String(), "AAXCT4821K") || strings.Contains(s.logs.String(), begun.Handle) {
				t.Error("the licence or the handle is in the log")
			}
		})
	}
}

// TestEZTOForms: a request is one request in every form that clients of EZTO's give it, with the key in the body.
func TestEZTOForms(t *testing.T) {
	t.Parallel()
	s := MustRun(t)
	const key, request = `"app_id":"poll","app_secret":"local-key"`, `{"user":{"user_id":"u-7731","metadata":{"workflow":"verification",},},}`
	json := http.Header{
		"No-Key": {""}, "Content-Type": {"application/json"}, "Api-Version": {"0"}, "Idempotency-Key": {"one"},
	}
	asForm := json.Clone()
	asForm["Content-Type"] = []string{"application/x-www-form-urlencoded"}
	first := s.do("POST", triggerURL, json, `{`+key+`,"request":`+request+`,}`)
	for _, got := range []reply{
		s.do("POST", triggerURL, json, `{`+key+`,`+request[1:]),
		s.do("POST", triggerURL, asForm, "app_id=poll&app_secret=local-key&request="+url.QueryEscape(request)),
	} {
		if got.status != 200 || got.body != first.body {
			t.Errorf("%d %s, and at first %d %s", got.status, got.body, first.status, first.body)
		}
	}
	if _, effects := s.reached("ezto/trigger-request"); effects != 1 {
		t.Errorf("%d transactions were begun", effects)
	}
	if got := s.do("POST", triggerURL, json, `{`+key+`,"metadata":{}}`); got.condition() != "idempotency_key_reused" {
		t.Errorf("another request: %d %s", got.status, got.body)
	}
	var begun struct {
		Handle string `json:"auth_req_id"`
	}
	MustDecode(t, first.body, &begun)
	if got := s.do("POST", resultURL, json, `{`+key+`,"auth_req_id":"`+begun.Handle+`",}`); got.status == 401 ||
		!strings.Contains(got.body, "authorization_pending") {
		t.Errorf("%d %s", got.status, got.body)
	}
	bare := http.Header{"X-Api-Key": {"EZTO's own"}, "Authorization": {"Basic cG9sbDpsb2NhbC1rZXk"}}
	if got := s.do("POST", triggerURL, bare, ""); got.status != 200 {
		t.Errorf("without a body: %d %s", got.status, got.body)
	}
}

// TestEZTOErrors: what is refused, in the partner's shape, before any call and by the partner.
func TestEZTOErrors(t *testing.T) {
	t.Parallel()
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
		"NoKey": {
			triggerURL, "request={}", none, 401,
			`{"error":"invalid_client","error_description":"app id or secret is not valid"}`,
		},
		"Version": {
			triggerURL, triggerOf("poll", "u"), http.Header{"Api-Version": {"2"}}, 400,
			`{"error":"invalid_request","error_description":"api-version: must be 0 or 1, or missing"}`,
		},
		"NoRequest": {
			triggerURL, "app_id=poll", nil, 400, `{"error":"invalid_request","error_description":"request: is required"}`,
		},
		"NoJSON": {
			triggerURL, "app_id=poll&request=x", nil, 400,
			`{"error":"invalid_request","error_description":"request: is not valid JSON"}`,
		},
		"NoApplication": {
			triggerURL, "app_id=x&request={}", nil, 401,
			`{"error":"invalid_client","error_description":"app id or secret is not valid"}`,
		},
		"NoWorkspace": {
			strings.Replace(triggerURL, "acme-trade", "other", 1), triggerOf("poll", "u"), nil, 404,
			`{"error":"not_found","error_description":"there is no such workspace"}`,
		},
		"NoHandle": {
			resultURL, "app_id=poll", nil, 400, `{"error":"invalid_request","error_description":"auth_req_id: is required"}`,
		},
		"UnknownHandle": {
			resultURL, resultOf("poll", "unknown"), nil, 404,
			`{"error":"not_found","error_description":"there is no such transaction"}`,
		},
		"AnotherTenant": {
			resultURL, resultOf("poll", handle), http.Header{"X-Api-Key": {"other-key"}}, 404,
			`{"error":"not_found","error_description":"there is no such transaction"}`,
		},
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
		if got := s.post(triggerURL, "", triggerOf(test.application, test.user)); got.status != test.status ||
			!strings.HasPrefix(got.body, `{"error":"`+test.code+`"`) {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
}

// TestEZTOFixtures: each licence of the contract (ezto §13), as the partner tells of it.
func TestEZTOFixtures(t *testing.T) {
	t.Parallel()
	s := MustRun(t)
	for _, test := range []struct{ number, want string }{
		{"AAXCT4821K", `"iec_status":"Valid"`}, {"BZKPM3307Q", `"iec_status":"Valid"`},
		{"AAFFR1190C", `"iec_status":"Suspended"`},
		{"AADTS2045B", `"iec_status":"Cancelled"`}, {"AAACN5561H", `"iec_status":"Deactivated"`},
		{"0399001234", `"pan":"AACCL7702D"`},
		{"AAHCE5000E", "request_failed"}, {"AAHCZ9999Z", "authorization_pending"}, // the last one, as it stays open
	} {
		handle := s.trigger("poll", "u-7731")
		s.enterIEC(test.number)
		got := s.post(resultURL, "", resultOf("poll", handle))
		if !strings.Contains(got.body, test.want) || (got.status == 200) != strings.Contains(test.want, ":") {
			t.Errorf("%s: got %d %s", test.number, got.status, got.body)
		}
	}
}

// TestEZTOTrailingComma: what is JSON but for a comma is passed on as it came.
func TestEZTOTrailingComma(t *testing.T) {
	t.Parallel()
	s := MustRun(t)
	s.setEZTO("trailing_comma=yes")
	handle := s.trigger("poll", "u-7731")
	s.enterIEC("AAXCT4821K")
	if got := s.post(resultURL, "", resultOf("poll", handle)); got.status != 200 || !strings.HasSuffix(got.body, ",}") {
		t.Errorf("got %d %s", got.status, got.body)
	}
}

// TestEZTOOnce: a repeated trigger begins no second transaction, and after a lost answer neither.
func TestEZTOOnce(t *testing.T) {
	t.Parallel()
	s := MustRun(t)
	body := triggerOf("poll", "u-7731")
	first := s.post(triggerURL, "k", body)
	if again := s.post(triggerURL, "k", body); again.body != first.body ||
		again.header.Get("Idempotency-Replayed") != "true" {
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

// pageOf is where the person whom an iec-verification waits for enters the licence.
func (s *stack) pageOf(journey string) string {
	s.t.Helper()
	var out struct {
		Awaiting struct{ Kind, URL string }
	}
	MustDecode(s.t, s.do("GET", "/journeys/"+journey, nil, "").body, &out)
	if out.Awaiting.Kind != "iec" || !strings.Contains(out.Awaiting.URL, "/sandbox/ezto/v/") {
		s.t.Fatalf("waits for %+v", out.Awaiting)
	}
	return out.Awaiting.URL
}

// calledEZTO counts what reached the simulated EZTO in all.
func (s *stack) calledEZTO() int {
	s.t.Helper()
	var all []sandbox.Request
	MustDecode(s.t, s.do("GET", "/sandbox/requests?partner=ezto", nil, "").body, &all)
	return len(all)
}

var verifiedAt = regexp.MustCompile(`"iec_verified_at":"\d{10}"`)

// iecOutcome is the whole outcome of a journey, with fixed words for the transaction's id, which must be the partner's,
// and for the time.
func iecOutcome(view journeyView, requestID string) string {
	return strings.Replace(
		verifiedAt.ReplaceAllString(string(view.Outcome), `"iec_verified_at":"<at>"`), `"request_id":"`+requestID+`"`,
		`"request_id":"<request>"`, 1,
	)
}

// verified is the outcome of a licence that has been checked for u-1, with all claims (ezto §6).
func verified(number, name, address, status, pan string) string {
	return `{"workflow":"verification","user_id":"u-1","request_id":"<request>","ie_code":"` + number + `","iec_verified":"true","iec_verified_at":"<at>","name":"` +
		name + `","address":"` + address + `","iec_status":"` + status + `","pan":"` + pan + `"}`
}

// TestIECJourneyWays: by what the person gets to the page depends on the verification way, and so does what the journey
// shows; however EZTO says meanwhile that there is no result yet, it is waited out.
func TestIECJourneyWays(t *testing.T) {
	t.Parallel()
	s := MustRun(t, func(m *main.Main) { m.TimeScale = 40 })
	for _, test := range []struct{ application, way, notification, shows, notReady string }{
		{"poll", "web", "web_sdk", "url", "404"}, {"poll", "browser", "queue", "url", "425"},
		{"mobile", "mobile", "mobile_sdk", "qr", "204"}, {"desktop", "desktop", "desktop_app", "", "empty"},
		{"poll", "web", "poll", "url", "pending"}, {"poll", "browser", "poll", "url", "202"},
	} {
		s.setEZTO("not_ready=" + test.notReady)
		s.configure(test.application, "", `,"verification_way":"`+test.way+`","notification_way":"`+test.notification+`"`)
		read := s.calledEZTO()
		id := s.startIEC(test.way+test.notReady, test.application, "u-7731", "")
		s.follow(id, waiting)
		waitFor(t, func() bool { return s.calledEZTO() >= read+3 }) // the trigger, and two readings in vain
		var view struct {
			Awaiting map[string]any `json:"awaiting"`
		}
		MustDecode(t, s.do("GET", "/journeys/"+id, nil, "").body, &view)
		for _, name := range []string{"url", "qr"} {
			shown := view.Awaiting[name] != nil
			if shown != (name == test.shows) || view.Awaiting["verification_way"] != test.way {
				t.Errorf("%+v: waits for %v", test, view.Awaiting)
			}
		}
		s.enterIEC("AAXCT4821K")
		if view := s.follow(id, ended); view.Status != "SUCCEEDED" {
			t.Errorf("%+v: %+v", test, view)
		}
	}
	s.configure("api-only", "", `,"verification_way":"api"`)
	called := s.calledEZTO()
	view := s.follow(s.startIEC("api", "api-only", "u-7731", ""), ended)
	if view.Status != "FAILED" || view.Reason != "verification_way_api" || s.calledEZTO() != called {
		t.Errorf("by the API: %+v", view)
	}
}

// TestIECJourney: a person enters the licence at the hosted page, for each mode of a hook and each form of what it
// sends. One that polls sends nothing, so the form concerns only what the tenant's settings say.
func TestIECJourney(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ application, way, response string }{
		{"poll", "poll", "plaintext"}, {"poll", "poll", "token"}, {"poll", "poll", "encrypted"},
		{"ping", "ping", "plaintext"}, {"ping-token", "ping", "token"}, {"ping-encrypted", "ping", "encrypted"},
		{"push", "push", "plaintext"}, {"push-token", "push", "token"}, {"push-encrypted", "push", "encrypted"},
	} {
		t.Run(test.way+"-"+test.response, func(t *testing.T) {
			t.Parallel()
			scale, callbacks := 40.0, 0
			if test.way != "poll" {
				scale, callbacks = 0.1, 1 // only callbacks end a wait
			}
			s := MustRun(t, func(m *main.Main) { m.TimeScale = scale })
			s.configure(test.application,
				`,"rule":"country == 'IN' && user_id.startsWith('u-')","claims":["iec_code","iec_status"]`,
				`,"notification_way":"`+test.way+`","response_type":"`+test.response+`"`)
			id := s.startIEC("k", test.application, "u-7731@example.com", `,"metadata":{"desk":"importers"},"country":"IN"`)
			s.follow(id, waiting)
			request := s.openTransaction()
			if page := s.page(s.pageOf(id), "iec=AAXCT4821K"); page.status != 200 || !strings.Contains(page.body, "Completed") {
				t.Fatalf("the page: %d %s", page.status, page.body)
			}
			view := s.follow(id, ended)
			const want = `{"workflow":"verification","user_id":"u-7731@example.com","request_id":"<request>","ie_code":"AAXCT4821K","address":"14 Dock Road, Kochi 682003","iec_status":"Valid"}`
			if got := iecOutcome(view, request); view.Status != "SUCCEEDED" || view.Reason != "valid" || got != want {
				t.Errorf("got %s (%s) %s %+v", view.Status, view.Reason, got, view.Steps)
			}
			execution, err := s.Execution(id)
			text, _ := json.Marshal(execution)
			for _, secret := range []string{"AAXCT4821K", "u-7731", "importers", "/ezto/v/"} {
				if err != nil || strings.Contains(string(text), secret) || strings.Contains(s.logs.String(), secret) {
					t.Errorf("%s is in the state machine or in the log, %v", secret, err)
				}
			}
			s.wantNothingLeft()
			if requests, _ := s.reached("ezto/get-result"); test.way != "poll" && requests != 1 {
				t.Errorf("%d results were read", requests)
			}
			if got := s.called(callbacks); len(got) != callbacks ||
				slices.ContainsFunc(got, func(status int) bool { return status != 200 }) {
				t.Errorf("callbacks were answered %v", got)
			}
		})
	}
}

// TestIECJourneyAgain: what is pushed of the same person's next verification ends its wait as well.
func TestIECJourneyAgain(t *testing.T) {
	t.Parallel()
	s := MustRun(t, func(m *main.Main) { m.TimeScale = 0.01 }) // only callbacks end a wait
	s.configure("push", "", `,"notification_way":"push"`)
	for _, key := range []string{"k1", "k2"} {
		id := s.startIEC(key, "push", "u-7731", "")
		s.follow(id, waiting)
		s.enterIEC("AAXCT4821K")
		if view := s.follow(id, ended); view.Status != "SUCCEEDED" {
			t.Fatalf("got %s (%s)", view.Status, view.Reason)
		}
	}
	if n, _ := s.reached("ezto/get-result"); n > 3 { // the last one's news sends the next one looking in vain
		t.Errorf("%d results were read", n)
	}
}

// TestIECJourneySettings: each of enabled × rule × claims. What does not run calls nobody; of what does, the outcome
// has the claims that are selected, beside the envelope and the address, which can't be selected.
func TestIECJourneySettings(t *testing.T) {
	t.Parallel()
	rules := map[string]string{
		"NoRule": ``, "RuleTrue": `,"rule":"metadata.desk == 'importers'"`, "RuleFalse": `,"rule":"country == 'US'"`,
	}
	claims := map[string]struct{ module, want string }{
		"AllClaims": {
			``, verified("AAXCT4821K", "TARANG OVERSEAS PVT LTD", "14 Dock Road, Kochi 682003", "Valid", "AAXCT4821K"),
		},
		"SomeClaims": {
			`,"claims":["pan","iec_verified_at"]`,
			`{"workflow":"verification","user_id":"u-1","request_id":"<request>","iec_verified_at":"<at>","address":"14 Dock Road, Kochi 682003","pan":"AAXCT4821K"}`,
		},
		"NoClaims": {
			`,"claims":[]`,
			`{"workflow":"verification","user_id":"u-1","request_id":"<request>","address":"14 Dock Road, Kochi 682003"}`,
		},
	}
	const facts = `,"metadata":{"desk":"importers"},"country":"IN"`
	for rule, runs := range rules {
		for selected, claim := range claims {
			if rule == "RuleFalse" {
				continue
			}
			t.Run("Enabled/"+rule+"/"+selected, func(t *testing.T) {
				t.Parallel()
				s := MustRun(t)
				s.configure("poll", `,"enabled":true`+runs+claim.module, "")
				id := s.startIEC("k", "poll", "u-1", facts)
				s.follow(id, waiting)
				s.configure("poll", `,"enabled":false,"claims":["name"]`, "") // it keeps what it started with
				request := s.openTransaction()
				s.enterIEC("AAXCT4821K")
				view := s.follow(id, ended)
				if got := iecOutcome(view, request); view.Status != "SUCCEEDED" || view.Reason != "valid" || got != claim.want {
					t.Errorf("got %s (%s) %s, want %s", view.Status, view.Reason, got, claim.want)
				}
				if n, _ := s.reached("ezto/trigger-request"); n != 1 {
					t.Errorf("%d requests", n)
				}
			})
		}
	}
	t.Run("Skipped", func(t *testing.T) {
		t.Parallel()
		s := MustRun(t)
		for _, enabled := range []bool{true, false} {
			for rule, runs := range rules {
				for selected, claim := range claims {
					reason := "disabled"
					if enabled {
						reason = "rule_false"
					}
					if enabled && rule != "RuleFalse" {
						continue
					}
					name := fmt.Sprint(enabled, rule, selected)
					s.configure("poll", fmt.Sprintf(`,"enabled":%t%s%s`, enabled, runs, claim.module), "")
					view := s.follow(s.startIEC(name, "poll", "u-1", facts), ended)
					if view.Status != "SUCCEEDED" || view.Reason != reason ||
						string(view.Outcome) != `{"reason":"`+reason+`","skipped":true}` {
						t.Errorf("%s: got %s (%s) %s", name, view.Status, view.Reason, view.Outcome)
					}
				}
			}
		}
		if n := s.calledEZTO(); n != 0 {
			t.Errorf("%d calls", n)
		}
	})
	t.Run("NotConfigured", func(t *testing.T) {
		t.Parallel()
		s := MustRun(t)
		if view := s.follow(s.startIEC("k", "poll", "u-1", ""), ended); view.Status != "FAILED" ||
			view.Reason != "no_such_application" || s.calledEZTO() != 0 {
			t.Errorf("got %s (%s), %d calls", view.Status, view.Reason, s.calledEZTO())
		}
	})
}

// TestWorkspaceSettings: a hostile rule is refused when it is saved, in words that say where, and what was there stays.
func TestWorkspaceSettings(t *testing.T) {
	t.Parallel()
	s := MustRun(t)
	s.settle("/workflows/iec", `{"modules":[{"type":"iec_verification","rule":"country == 'IN'"}]}`)
	before := s.do("GET", "/workflows/iec", nil, "").body
	const at = "/modules/0/rule: "
	for name, test := range map[string]struct{ rule, want string }{
		"EndlessLoops": {
			"metadata.l.all(a, metadata.l.all(b, a == b))",
			at + "may cost 2033155, over the limit of 100000: loop over less, or not within another loop",
		},
		"DeepLoops": {
			"country == 'IN' &&\n  [1].all(a, [1].all(b, [1].all(c, true)))",
			at + "line 2, column 32: is a loop in too many others",
		},
		"EndlessPattern": {"user_id.matches('(a{900}b{900})')", at + "line 1, column 17: is too large a regular expression"},
		"MadePattern": {
			"user_id.matches(metadata.pattern)", at + "line 1, column 25: must be a literal, since it is a regular expression",
		},
		"Huge":          {"country == '" + strings.Repeat("x", 4096) + "'", at + "has over 4096 bytes"},
		"HugeNesting":   {strings.Repeat("(", 1000) + "true" + strings.Repeat(")", 1000), at + "nests too deep"},
		"HugeList":      {"[" + strings.Repeat("1,", 2040) + "1] == []", at + "has too many parts"},
		"NoTruthValue":  {"country", at + "must be of type bool, but is string"},
		"MayBeAnything": {"metadata.vip", at + "must be of type bool, which only a comparison makes sure: write … == true"},
		"OtherTypes": {
			"country == 'IN' &&\n  user_id == 5", at + "line 2, column 11: cannot be applied to (string, int)",
		},
		"OtherName": {
			"county == 'IN'",
			at + "line 1, column 1: is neither a function nor one of user_id, metadata, country, device, claims, " +
				"force_onboarding",
		},
	} {
		rule, _ := json.Marshal(test.rule)
		got := s.do("PUT", "/workflows/iec", nil, `{"modules":[{"type":"iec_verification","rule":`+string(rule)+`}]}`)
		var problem struct{ Code, Detail string }
		MustDecode(t, got.body, &problem)
		if got.status != 400 || got.header.Get("Content-Type") != "application/problem+json" ||
			problem.Code != "invalid_request" || problem.Detail != test.want {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	if got := s.do("GET", "/workflows/iec", nil, ""); got.status != 200 || got.body != before {
		t.Errorf("what was there is now %d %s", got.status, got.body)
	}
}

// TestIECJourneyRules: a rule that can't be evaluated, or not within its cost, neither skips the verification nor lets
// it run.
func TestIECJourneyRules(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ rule, more string }{
		"MissingKey": {"metadata.vip == true", ``},
		"NotANumber": {"int(user_id) > 1", ``},
		// at its limit it is given up, though it would be true
		"TooDear": {"metadata.list.all(x, metadata.text.contains('bb') || true)",
			`,"metadata":{"list":[` + strings.Repeat(`"abc",`, 599) + `"abc"],"text":"` + strings.Repeat("ab", 10_000) + `"}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := MustRun(t)
			s.configure("poll", `,"rule":"`+test.rule+`"`, "")
			view := s.follow(s.startIEC("k", "poll", "u-1", test.more), ended)
			if view.Status != "FAILED" || view.Reason != "rule_failed" || view.Outcome != nil || s.calledEZTO() != 0 {
				t.Errorf("got %s (%s) %s, %d calls", view.Status, view.Reason, view.Outcome, s.calledEZTO())
			}
		})
	}
}

// TestIECJourneyFixtures: each licence of the contract (ezto §13) ends as its row says; the one that is not found, in
// TestIECJourneyExpires.
func TestIECJourneyFixtures(t *testing.T) {
	t.Parallel()
	for number, test := range map[string]struct{ page, end, outcome string }{
		"AAXCT4821K": {
			"Completed", "SUCCEEDED valid",
			verified("AAXCT4821K", "TARANG OVERSEAS PVT LTD", "14 Dock Road, Kochi 682003", "Valid", "AAXCT4821K"),
		},
		"BZKPM3307Q": {
			"Completed", "SUCCEEDED valid",
			verified("BZKPM3307Q", "MEERA KULKARNI", "7 Laxmi Road, Pune 411030", "Valid", "BZKPM3307Q"),
		},
		"AAFFR1190C": {
			"Completed", "REJECTED suspended",
			verified("AAFFR1190C", "REDDY AND RAO TRADERS", "3 Harbour Street, Visakhapatnam 530001", "Suspended", "AAFFR1190C"),
		},
		"AADTS2045B": {
			"Completed", "REJECTED cancelled",
			verified("AADTS2045B", "SHANTI EXPORT TRUST", "21 Mint Street, Chennai 600079", "Cancelled", "AADTS2045B"),
		},
		"AAACN5561H": {
			"Completed", "REJECTED deactivated",
			verified("AAACN5561H", "NILGIRI LEAF EXPORTS LTD", "5 Tea Garden Road, Coonoor 643101", "Deactivated", "AAACN5561H"),
		},
		"0399001234": {
			"Completed", "SUCCEEDED valid",
			verified("0399001234", "LAKSHMI SPICES LTD", "9 Bazaar Road, Mumbai 400003", "Valid", "AACCL7702D"),
		},
		"AAHCE5000E": {"Not completed", "FAILED request_failed", ""},
	} {
		t.Run(number, func(t *testing.T) {
			t.Parallel()
			s := MustRun(t)
			s.configure("poll", "", "")
			id := s.startIEC("k", "poll", "u-1", "")
			s.follow(id, waiting)
			request := s.openTransaction()
			if page := s.page(s.pageOf(id), "iec="+number); page.status != 200 ||
				!strings.Contains(page.body, "<h1>"+test.page+"</h1>") {
				t.Errorf("the page: %d %s", page.status, page.body)
			}
			view := s.follow(id, ended)
			if got := iecOutcome(view, request); view.Status+" "+view.Reason != test.end || got != test.outcome {
				t.Errorf("got %s (%s) %s, want %s %s; steps %+v", view.Status, view.Reason, got, test.end, test.outcome, view.Steps)
			}
		})
	}
}

// TestIECJourneyMismatch: a number that is made like a PAN and is not the holder's is flagged, whether or not the PAN
// is shown, and no more.
func TestIECJourneyMismatch(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ number, claims, want string }{
		"Flagged": {
			"AAXCT4821K", ``,
			strings.TrimSuffix(
				verified("AAXCT4821K", "TARANG OVERSEAS PVT LTD", "14 Dock Road, Kochi 682003", "Valid", "ZZXCT4821K"), "}",
			) + `,"pan_mismatch":true}`,
		},
		"Unshown": {
			"AAXCT4821K", `,"claims":["iec_status"]`,
			`{"workflow":"verification","user_id":"u-1","request_id":"<request>","address":"14 Dock Road, Kochi 682003","iec_status":"Valid","pan_mismatch":true}`,
		},
		"Legacy": {
			"0399001234", ``,
			verified("0399001234", "LAKSHMI SPICES LTD", "9 Bazaar Road, Mumbai 400003", "Valid", "ZZCCL7702D"),
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := MustRun(t)
			s.setEZTO("pan=other")
			s.configure("poll", test.claims, "")
			id := s.startIEC("k", "poll", "u-1", "")
			s.follow(id, waiting)
			request := s.openTransaction()
			s.enterIEC(test.number)
			view := s.follow(id, ended)
			if got := iecOutcome(view, request); view.Status != "SUCCEEDED" || view.Reason != "valid" || got != test.want {
				t.Errorf("got %s (%s) %s, want %s", view.Status, view.Reason, got, test.want)
			}
		})
	}
}

// TestIECJourneyExpires: somebody who enters a number that no licence has stays on the page. Once that has expired, the
// result is read a last time. That it has nobody tells (ezto §14), so it makes no difference how results are notified
// of.
func TestIECJourneyExpires(t *testing.T) {
	t.Parallel()
	for _, way := range []string{"poll", "push"} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			const scale = 6 // the page is there for ten seconds
			s := MustRun(t, func(m *main.Main) { m.TimeScale = scale })
			s.configure("short-link", "", `,"notification_way":"`+way+`"`)
			id := s.startIEC("k", "short-link", "u-1", "")
			s.follow(id, waiting)
			url := s.pageOf(id)
			page := s.page(url, "iec=AAHCZ9999Z")
			if page.status != 422 ||
				!strings.Contains(page.body, `role="alert">No licence has this number. 4 attempts are left.<`) ||
				!strings.Contains(page.body, "IEC License Number") {
				t.Fatalf("the page: %d %s", page.status, page.body)
			}
			if view := s.follow(id, waiting); view.Status != "WAITING" {
				t.Fatalf("got %s (%s)", view.Status, view.Reason)
			}
			view := s.follow(id, ended)
			if view.Status != "EXPIRED" || view.Reason != "link_expired" || view.Outcome != nil {
				t.Errorf("got %s (%s) %s %+v", view.Status, view.Reason, view.Outcome, view.Steps)
			}
			triggers, reads := s.arrivals("ezto/trigger-request"), s.arrivals("ezto/get-result")
			if len(triggers) != 1 {
				t.Fatalf("%d requests", len(triggers))
			}
			expired, late := triggers[0].At.Add(time.Minute/scale), 0
			for _, read := range reads {
				if !read.At.Before(expired) {
					late++
				}
			}
			if late != 1 || len(reads) < 2 || reads[len(reads)-1].At.Before(expired) {
				t.Errorf("%d reads, %d of them after the page had expired", len(reads), late)
			}
			if page := s.page(url, "iec=AAXCT4821K"); page.status != 410 {
				t.Errorf("the page: %d %s", page.status, page.body)
			}
		})
	}
}

// TestIECJourneyForgedResults: where something forged comes in the place of the true callback, the interval finds the
// true result.
func TestIECJourneyForgedResults(t *testing.T) {
	t.Parallel()
	for application, test := range map[string]struct {
		way    string
		status int
	}{"ping": {"ping", 200}, "push": {"push", 200}, "push-token": {"push", 401}, "push-encrypted": {"push", 401}} {
		t.Run(application, func(t *testing.T) {
			t.Parallel()
			s := MustRun(t, func(m *main.Main) { m.TimeScale = 20 })
			s.configure(application, "", `,"notification_way":"`+test.way+`"`)
			id := s.startIEC("k", application, "u-1", "")
			s.follow(id, waiting)
			s.arm("ezto", "callback", "forged_callback")
			request := s.openTransaction()
			s.enterIEC("AAFFR1190C")
			view := s.follow(id, ended)
			want := verified(
				"AAFFR1190C", "REDDY AND RAO TRADERS", "3 Harbour Street, Visakhapatnam 530001", "Suspended", "AAFFR1190C",
			)
			if got := iecOutcome(view, request); view.Status != "REJECTED" || view.Reason != "suspended" || got != want {
				t.Errorf("got %s (%s) %s %+v", view.Status, view.Reason, got, view.Steps)
			}
			if got := s.called(1); !slices.Equal(got, []int{test.status}) {
				t.Errorf("answered %v", got)
			}
		})
	}
}

// TestIECJourneyOnboarding: who is new to the partner is onboarded first, and who is known where that is forced.
// Whoever has been onboarded is known.
func TestIECJourneyOnboarding(t *testing.T) {
	t.Parallel()
	const welcome, number, completed = "Welcome", "IEC Verification", "Completed"
	for name, test := range map[string]struct {
		user          string
		force         bool
		first, second []string // what a person sees, and sees who comes again unforced
	}{
		"New":         {"u-1", false, []string{welcome, number, completed}, []string{number, completed}},
		"NewForced":   {"u-1", true, []string{welcome, number, completed}, []string{number, completed}},
		"Known":       {"known-1", false, []string{number, completed}, []string{number, completed}},
		"KnownForced": {"known-1", true, []string{welcome, number, completed}, []string{number, completed}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := MustRun(t)
			s.settle("/workflows/hello", `{"modules":[{"type":"iec_verification"}]}`)
			s.configure("onboarding", "", `,"onboarding_workflow":"hello"`)
			for key, want := range [][]string{test.first, test.second} {
				id := s.startIEC(
					fmt.Sprint(key), "onboarding", test.user, fmt.Sprintf(`,"force_onboarding":%t`, test.force && key == 0),
				)
				s.follow(id, waiting)
				if got := s.goThrough(s.pageOf(id), "AAXCT4821K", ""); !slices.Equal(got, want) {
					t.Errorf("visit %d: saw %q, want %q", key, got, want)
				}
				if view := s.follow(id, ended); view.Status != "SUCCEEDED" || view.Reason != "valid" ||
					!strings.Contains(string(view.Outcome), `"ie_code":"AAXCT4821K"`) {
					t.Errorf("visit %d: got %s (%s) %s", key, view.Status, view.Reason, view.Outcome)
				}
			}
		})
	}
}

// TestIECJourneyConsent: what a person is asked to consent to stands at the head of the pages, and a person who
// declines is a definite no.
func TestIECJourneyConsent(t *testing.T) {
	t.Parallel()
	for decision, test := range map[string]struct {
		seen []string
		ends string
	}{
		"accept":  {[]string{"Check of a licence", "IEC Verification", "Completed"}, "SUCCEEDED valid"},
		"decline": {[]string{"Check of a licence", "Declined"}, "REVIEW denied"},
	} {
		t.Run(decision, func(t *testing.T) {
			t.Parallel()
			s := MustRun(t)
			s.configure("consent", "", "")
			id := s.startIEC(
				"k", "consent", "u-1", `,"consent":{"title":"Check of a licence","message":{"Purpose":"Vendor KYC"}}`,
			)
			s.follow(id, waiting)
			if got := s.goThrough(s.pageOf(id), "AAXCT4821K", decision); !slices.Equal(got, test.seen) {
				t.Errorf("saw %q", got)
			}
			if view := s.follow(id, ended); view.Status+" "+view.Reason != test.ends {
				t.Errorf("got %s (%s) %s", view.Status, view.Reason, view.Outcome)
			}
		})
	}
}

var heading = regexp.MustCompile(`<h1>([^<]*)</h1>`)

// goThrough does what each page asks of a person, to the last one, and returns their headings; decision is accept or
// decline.
func (s *stack) goThrough(url, number, decision string) (seen []string) {
	s.t.Helper()
	for page := s.page(url, ""); len(seen) < 5; {
		title := heading.FindStringSubmatch(page.body)
		if page.status != 200 || title == nil {
			s.t.Fatalf("after %q: %d %s", seen, page.status, page.body)
		}
		seen = append(seen, title[1])
		switch {
		case strings.Contains(page.body, `name="consent"`):
			page = s.page(url, "consent="+decision)
		case strings.Contains(page.body, `name="onboarding"`):
			page = s.page(url, "onboarding=done")
		case strings.Contains(page.body, `name="iec"`):
			page = s.page(url, "iec="+number)
		default:
			return seen
		}
	}
	return seen
}
