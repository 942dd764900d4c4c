package main_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	eztosim "sallyport/functions/sandbox/ezto"
)

const workflowURL, applicationURL = "/workflows/iec", "/applications/ping"

// patientEZTO are applications whose waits last so long that callbacks alone end them, and whose pages outlast a test.
func patientEZTO() eztosim.Options {
	options := eztosim.Defaults()
	for name, application := range options.Applications {
		application.PollInterval, application.LinkExpiry = 5*time.Minute, 24*time.Hour
		options.Applications[name] = application
	}
	return options
}

// eztoCredentials are those for some applications.
func eztoCredentials(o eztosim.Options, names ...string) map[string]any {
	applications := map[string]any{}
	for _, name := range names {
		a := o.Applications[name]
		applications[name] = map[string]any{
			"app_id": a.ID, "app_secret": a.Secrets[0], "response_type": strings.ToLower(string(a.Response)),
			"encryption_keys": []string{o.EncryptionKey},
			"callback_keys":   []string{o.CallbackKey},
		}
	}
	return map[string]any{"workspace": o.Workspace, "applications": applications}
}

// TestDeployedEZTOMatrix goes through the routes of EZTO's functions and of the settings. An answer that was lost stays
// unknown.
func TestDeployedEZTOMatrix(t *testing.T) {
	t.Parallel()
	s := deployed(t)
	s.function("ezto/callback") // the API needs it later, in a goroutine of its own
	s.wantSettings()

	first := s.begun("key", "k", "ping", "u-7731")
	if again := s.call(
		"POST", triggerURL, "key", "k", triggerOf("ping", "u-7731"),
	); again.Headers["Idempotency-Replayed"] != "true" || !strings.Contains(again.Body, first.Handle) {
		t.Errorf("again: %+v", again)
	}
	s.arm("ezto", "trigger-request", "reset_after_effect")
	for range 2 {
		got := s.call("POST", triggerURL, "key", "lost", triggerOf("ping", "u-7732"))
		if got.Headers["Gateway-Error"] != "outcome_unknown" || got.Headers["Retry-After"] != "" ||
			s.effects("ezto", "trigger-request") != 2 {
			t.Errorf("lost: %+v, %d effects", got, s.effects("ezto", "trigger-request"))
		}
	}
	if got := s.call("POST", resultURL, "key", "", resultOf("ping", first.Handle)); got.StatusCode != 400 ||
		!strings.Contains(got.Body, "authorization_pending") {
		t.Errorf("while it is pending: %+v", got)
	}
	s.enters(first.URL)
	waitFor(t, func() bool { return s.effects("ezto", "callback") == 1 }) // it was acknowledged
	if got := s.call("POST", resultURL, "key", "", resultOf("ping", first.Handle)); got.StatusCode != 200 ||
		!strings.Contains(got.Body, `"ie_code":"AAXCT4821K"`) {
		t.Errorf("result: %+v", got)
	}
	for path, body := range map[string]string{
		triggerURL: triggerOf("poll", "u-7731"), resultURL: resultOf("poll", first.Handle),
	} {
		if got := s.call("POST", path, "no-key", "", body); got.StatusCode != 401 ||
			!strings.Contains(got.Body, `"invalid_client"`) {
			t.Errorf("%s without a key: %+v", path, got)
		}
	}
	for _, application := range []string{"ping", "push-token", "push-encrypted", "nobody"} {
		if got := s.call(
			"POST", "/callbacks/ezto/"+application, "", "", `{"user_id":"u-7731","request_id":"r"}`,
		); got.StatusCode != 401 {
			t.Errorf("what proves nothing, for %s: %+v", application, got)
		}
	}

	// The other tenant has an account of its own.
	if got := s.call("POST", resultURL, "other-key", "", resultOf("push", first.Handle)); got.StatusCode != 404 {
		t.Errorf("a result of another tenant's: %+v", got)
	}
	other := s.begun("other-key", "k", "push", "u-7733")
	if got := s.call("POST", resultURL, "other-key", "", resultOf("push", other.Handle)); got.StatusCode != 400 ||
		!strings.Contains(got.Body, "authorization_pending") {
		t.Errorf("of its own account: %+v", got)
	}
	if got := s.call("POST", triggerURL, "other-key", "", triggerOf("ping", "u-7733")); got.StatusCode != 401 ||
		s.effects("ezto", "trigger-request") != 3 {
		t.Errorf("of an application that it has not: %+v", got)
	}

	// What is too large for a record lies in the vault, until it is gone.
	s.wordy.Store(true)
	large := s.call("POST", triggerURL, "key", "large", triggerOf("poll", "u-7734"))
	if again := s.call("POST", triggerURL, "key", "large", triggerOf("poll", "u-7734")); large.StatusCode != 200 ||
		again.Body != large.Body || s.documents() != 1 {
		t.Errorf("of %d bytes: %d, then %+v, %d documents", len(large.Body), large.StatusCode, again, s.documents())
	}
	s.wordy.Store(false)
	s.forget()
	if again := s.call(
		"POST", triggerURL, "key", "large", triggerOf("poll", "u-7734"),
	); again.Headers["Gateway-Error"] != "answer_gone" || s.effects("ezto", "trigger-request") != 4 {
		t.Errorf("gone: %+v", again)
	}

	// A journey hands over what it was given by references, which are gone at its end.
	x := s.begin("iec-verification", "k", `{"application":"ping","user_id":"u-7731","country":"IN"}`)
	s.enters(x.awaits().Awaiting.URL)
	x.goOn()
	if view, text := x.view(); view.Status != "SUCCEEDED" || s.documents() != 0 {
		t.Errorf("%s, %d documents", text, s.documents())
	}
	var in map[string]json.RawMessage
	MustDecode(t, string(x.Input), &in)
	for folder, payload := range map[string]string{
		"ezto/trigger-request": `{"task":{"tenant":"acme","execution":"another","state":"Trigger","index":0,"round":0},"query":{"application":"ping"},"body":` + string(in["request"]) + `}`,
		"workflows/evaluate":   `{"tenant":"acme","application":"ping","facts":` + string(in["facts"]) + `}`,
	} {
		if out := s.function(folder).invoke([]byte(payload)); !bytes.Contains(
			out, []byte(`"errorMessage":"document_not_found"`),
		) {
			t.Errorf("%s of a reference that is gone: %s", folder, out)
		}
	}
	if n := s.effects("ezto", "trigger-request"); n != 5 {
		t.Errorf("%d transactions were begun", n)
	}
	s.wantUsed(t, "Ezto", "Workflows", "Applications")
}

// wantSettings puts the settings of a verification and reads them.
func (s *stage) wantSettings() {
	s.t.Helper()
	const workflow, application = `{"modules":[{"type":"iec_verification","rule":"country == 'IN'"}]}`, `{"verification_workflow":"iec","notification_way":"ping"}`
	for _, test := range []struct {
		method, path, apiKey, body string
		status                     int
		want                       string
	}{
		{"PUT", applicationURL, "key", application, 422, "/verification_workflow: no workflow has this name"},
		{"PUT", workflowURL, "key", strings.Replace(workflow, "country", "nobody", 1), 400, "/modules/0/rule"},
		{"GET", workflowURL, "key", "", 404, "not_found"},
		{"PUT", workflowURL, "key", workflow, 201, `"version":1`},
		{"PUT", workflowURL, "key", workflow, 200, `"version":2`},
		{"GET", workflowURL, "key", "", 200, `"rule":"country == 'IN'"`},
		{"PUT", applicationURL, "key", application, 201, `"notification_way":"ping"`},
		{"GET", applicationURL, "key", "", 200, `"notification_way":"ping"`},
		{"GET", workflowURL, "other-key", "", 404, "not_found"},
		{"GET", applicationURL, "no-key", "", 401, "bad_key"},
	} {
		if got := s.call(test.method, test.path, test.apiKey, "", test.body); got.StatusCode != test.status ||
			!strings.Contains(got.Body, test.want) {
			s.t.Errorf("%s %s: %+v", test.method, test.path, got)
		}
	}
}

// begun begins a transaction of an application's by the partner's own route.
func (s *stage) begun(apiKey, key, application, user string) (begun struct {
	Handle string `json:"auth_req_id"`
	URL    string `json:"url"`
}) {
	s.t.Helper()
	got := s.call("POST", triggerURL, apiKey, key, triggerOf(application, user))
	MustDecode(s.t, got.Body, &begun)
	if got.StatusCode != 200 || begun.Handle == "" || begun.URL == "" {
		s.t.Fatalf("trigger: %+v", got)
	}
	return begun
}

// enters enters a licence at a hosted page.
func (s *stage) enters(url string) {
	s.t.Helper()
	if got, err := send("", "POST", url, pageForm(), "iec=AAXCT4821K"); err != nil || got.status != 200 ||
		!strings.Contains(got.body, "Completed") {
		s.t.Fatalf("the page: %v %d %s", err, got.status, got.body)
	}
}

// TestDeployedLicenceMatrix runs whole iec-verifications, from the tenant's settings to what the partner signs,
// encrypts or hints at; one whose first answer is lost, and one that the settings leave out.
func TestDeployedLicenceMatrix(t *testing.T) {
	t.Parallel()
	s := deployed(t)
	s.function("ezto/callback") // the API needs it later, in a goroutine of its own
	put := func(path, body string) {
		t.Helper()
		if got := s.call("PUT", path, "key", "", body); got.StatusCode != 200 && got.StatusCode != 201 {
			t.Fatalf("%s: %+v", path, got)
		}
	}
	workflow := func(enabled string) {
		put(
			workflowURL,
			`{"modules":[{"type":"iec_verification","enabled":`+enabled+`,"rule":"metadata.desk.startsWith('imp') && country == 'IN'","claims":["iec_code","iec_status"]}]}`,
		)
	}
	licence := func(application, country string) string {
		return `{"application":"` + application + `","user_id":"u-7731@example.com","metadata":{"desk":"importers"},"country":"` + country + `"}`
	}
	secrets := []string{"u-7731", "importers", "AAXCT4821K", "TARANG", "/ezto/v/"}
	workflow("true")
	for i, application := range []string{"push-token", "push-encrypted", "ping"} {
		way, _, _ := strings.Cut(application, "-")
		put("/applications/"+application, `{"verification_workflow":"iec","notification_way":"`+way+`"}`)
		x := s.begin("iec-verification", application, licence(application, "IN"))
		view, text := x.view()
		page := x.awaits().Awaiting.URL
		if view.Status != "WAITING" || view.Reason != "pending" || view.Awaiting.Kind != "iec" ||
			!strings.Contains(page, "/ezto/v/") || s.effects("ezto", "trigger-request") != i+1 {
			t.Fatalf("%s: %s", application, text)
		}
		s.wantSealed(secrets...)
		workflow("false") // it keeps what it started with
		s.enters(page)
		x.goOn()
		workflow("true")
		view, text = x.view()
		outcome := string(view.Outcome)
		if x.Status != "SUCCEEDED" || view.Status != "SUCCEEDED" || view.Reason != "valid" ||
			!strings.Contains(outcome, `"ie_code":"AAXCT4821K"`) || strings.Contains(outcome, "TARANG") || len(view.Steps) != 2 {
			t.Errorf("%s: %s: %s", application, x.Status, text)
		}
		x.settle("SUCCEEDED")
		x.wantNoSecrets(secrets...)
		s.wantSealed(secrets...)
		if s.documents() != 0 {
			t.Errorf("%s: %d documents", application, s.documents())
		}
	}

	// Nothing tells what became of a lost trigger.
	s.arm("ezto", "trigger-request", "reset_after_effect")
	lost := s.begin("iec-verification", "lost", licence("ping", "IN"))
	if view, text := lost.view(); view.Status != "FAILED" || view.Reason != "trigger_unknown" || len(view.Steps) != 1 ||
		view.Steps[0].Status != "unknown" || s.effects("ezto", "trigger-request") != 4 || s.documents() != 0 {
		t.Errorf("lost: %s, %d documents", text, s.documents())
	}
	lost.wantNoSecrets(secrets...)

	// The settings decide.
	if view, text := s.begin("iec-verification", "abroad", licence("ping", "US")).view(); view.Status != "SUCCEEDED" ||
		view.Reason != "rule_false" {
		t.Errorf("abroad: %s", text)
	}
	workflow("false")
	if view, text := s.begin("iec-verification", "disabled", licence("ping", "IN")).view(); view.Status != "SUCCEEDED" ||
		view.Reason != "disabled" {
		t.Errorf("disabled: %s", text)
	}
	if n := s.effects("ezto", "trigger-request"); n != 4 {
		t.Errorf("%d transactions were begun", n)
	}

	workflow("true")
	aborted := s.begin("iec-verification", "aborted", licence("ping", "IN"))
	aborted.settle("ABORTED")
	if view, text := aborted.view(); view.Status != "CANCELLED" || s.documents() != 0 {
		t.Errorf("%s, %d documents", text, s.documents())
	}
	s.wantCancelled(s.begin("iec-verification", "cancelled", licence("push-token", "IN")))

	// The page is shown however large the answer that names it.
	s.last("SendTaskSuccess") // the cancelled one had heard of an earlier result
	s.wordy.Store(true)
	large := s.begin("iec-verification", "large", licence("ping", "IN"))
	s.wordy.Store(false)
	s.enters(large.awaits().Awaiting.URL)
	large.goOn()
	if view, text := large.view(); view.Status != "SUCCEEDED" {
		t.Errorf("large: %s", text)
	}
	s.wantUsed(t, "IecVerification")
}
