package main_test

import (
	"bytes"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	main "sallyport/functions/local"
	digit9sim "sallyport/functions/sandbox/digit9"
	"sallyport/shared/asl"
)

func hashOf(body, secret string) string {
	sum := sha512.Sum512([]byte(body + secret))
	return hex.EncodeToString(sum[:])
}

func (s *stack) startOnboarding(key, customer string) string {
	s.t.Helper()
	got := s.post("/journeys/partner-onboarding", key, `{"customer":`+customer+`}`)
	var out journeyView
	MustDecode(s.t, got.body, &out)
	if got.status != 202 {
		s.t.Fatalf("start: %d %s", got.status, got.body)
	}
	return out.ID
}

// onboardingView is what partner-onboarding shows.
type onboardingView struct {
	Status   string `json:"status"`
	Reason   string `json:"reason"`
	Awaiting *struct {
		Kind string  `json:"kind"`
		ECRN *string `json:"ecrn"`
	} `json:"awaiting"`
	Outcome json.RawMessage `json:"outcome"`
}

func (s *stack) onboarding(id string) (v onboardingView) {
	s.t.Helper()
	MustDecode(s.t, s.do("GET", "/journeys/"+id, nil, "").body, &v)
	return v
}

func (s *stack) closeAlert(ecrn, aml, status string) {
	s.t.Helper()
	got := s.do(
		"POST", "/sandbox/digit9/alerts/"+ecrn, nil, fmt.Sprintf(`{"aml_scan_status":%q,"customer_status":%q}`, aml, status),
	)
	if got.status >= 300 {
		s.t.Fatalf("close alert: %d %s", got.status, got.body)
	}
}

// alerts are the ECRNs of what compliance is looking at.
func (s *stack) alerts() (ecrns []string) {
	s.t.Helper()
	var open []struct {
		ECRN string `json:"ecrn"`
	}
	MustDecode(s.t, s.do("GET", "/sandbox/digit9/alerts", nil, "").body, &open)
	for _, a := range open {
		ecrns = append(ecrns, a.ECRN)
	}
	return ecrns
}

func TestOnboardingJourney(t *testing.T) {
	t.Parallel()
	s := MustRun(t)
	id := s.startOnboarding("k", customer("784199000000017"))
	view := s.follow(id, ended)
	const want = `{"ecrn":"<ecrn>","customer_status":"ACTIVE","aml_scan_status":"Accepted","id_status":"Active"}`
	if view.Status != "SUCCEEDED" || view.Reason != "accepted" || fixed(string(view.Outcome)) != want {
		t.Fatalf("got %s (%s) %s", view.Status, view.Reason, view.Outcome)
	}
	if s.onboardings() != 1 || len(s.digit9Requests("lookup-customer")) != 3 || len(s.digit9Requests("issue-token")) != 1 {
		t.Errorf("%d onboardings, %d lookups", s.onboardings(), len(s.digit9Requests("lookup-customer")))
	}
	readme, err := os.ReadFile("../digit9/README.md")
	if err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf(
		"With one document the happy path takes %d state transitions", s.transitions(id),
	); !strings.Contains(string(readme), want) {
		t.Errorf("functions/digit9/README.md doesn't say: %s", want)
	}
	t.Run("AgainWithAnotherKey", func(t *testing.T) {
		view := s.follow(s.startOnboarding("k2", customer("784199000000017")), ended)
		if view.Status != "SUCCEEDED" || s.onboardings() != 1 {
			t.Errorf("got %s (%s), %d onboardings", view.Status, view.Reason, s.onboardings())
		}
	})
	t.Run("WithTheSameKey", func(t *testing.T) {
		if again := s.startOnboarding("k", customer("784199000000017")); again != id {
			t.Errorf("got another journey")
		}
	})
	s.wantNothingLeft()
}

func TestOnboardingEnds(t *testing.T) {
	t.Parallel()
	s := MustRun(t, func(m *main.Main) { m.TimeScale = 20_000 }, ofOneTenant("digit9"))
	second := func(number, other string) string {
		return customer(
			number, `"id_details":[`,
			`"id_details":[{"id_type":2,"id_number":"`+other+`","name_as_per_id":"Noor Example","issued_country":"IN","issued_on":"2021-03-10","date_of_expiry":"2031-03-09","id_front":{"base64_data":"AAAA","content_type":"image/jpeg"}},`,
		)
	}
	for name, test := range map[string]struct {
		customer       string
		status, reason string
		onboardings    int
	}{
		"NotSubscribed":   {customer("784199000000403"), "SUCCEEDED", "accepted", 1},
		"Blocked":         {customer("784199000000451"), "REJECTED", "blocked", 0},
		"Rejected":        {customer("784199000000461"), "REJECTED", "rejected", 1},
		"ScreeningFailed": {customer("784199000000471"), "REVIEW", "screening_failed", 1},
		"Found":           {customer("784199000000432"), "SUCCEEDED", "accepted", 0},
		"LookupsFail":     {customer("784199000000506"), "FAILED", "undetermined", 0},
		"InvalidNationality": {
			customer("784199000000018", `"nationality":"IN"`, `"nationality":"INN"`), "FAILED", "45053", 0,
		},
		"UpdateFailed": {
			customer("784199000000432", `{"channel"`, `{"ecrn":"7841009900000432","channel"`), "REVIEW", "update_failed", 0,
		},
		"TwoDocuments": {second("784199000000021", "P4006315"), "SUCCEEDED", "accepted", 1},
		"OneIsBlocked": {second("784199000000022", "P4000451"), "REJECTED", "blocked", 0},
		"OneIsKnown":   {second("784199000000023", "P4000432"), "SUCCEEDED", "accepted", 0},
		"TwoCustomers": {second("784199000000432", "P4000432"), "REVIEW", "several_customers", 0},
		"BackendDown":  {customer("784199000000502"), "FAILED", "not_confirmed", 0},
	} {
		t.Run(name, func(t *testing.T) {
			before := s.onboardings()
			view := s.follow(s.startOnboarding(name, test.customer), ended)
			if view.Status != test.status || view.Reason != test.reason || s.onboardings()-before != test.onboardings {
				t.Errorf(
					"got %s (%s) %s after %d onboardings, steps %+v", view.Status, view.Reason, view.Outcome, s.onboardings()-before,
					view.Steps,
				)
			}
		})
	}
}

// TestOnboardingHeld: compliance holds a customer, and closes the alert.
func TestOnboardingHeld(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		number, aml, customer string
		unnamed               bool // no answer tells the ECRN
		auth                  string
		status, reason        string
	}{
		"NamedInTheMessage": {"784199000000413", "Accepted", "ACTIVE", false, "bearer", "SUCCEEDED", "accepted"},
		"NamedInTheBody":    {"784199000000423", "Accepted", "ACTIVE", false, "hash", "SUCCEEDED", "accepted"},
		"Rejected":          {"784199000000413", "Rejected", "REJECTED", false, "both", "REJECTED", "rejected"},
		"Blocked":           {"784199000000423", "Rejected", "BLOCKED", false, "bearer", "REJECTED", "blocked"},
		"KYCPending":        {"784199000000413", "Accepted", "KYC_PENDING", false, "bearer", "REVIEW", "kyc_pending"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := MustRun(t)
			s.set("callback_auth", test.auth)
			id := s.startOnboarding("k", customer(test.number))
			s.follow(id, waiting)
			view, open := s.onboarding(id), s.alerts()
			if view.Status != "WAITING" || view.Awaiting.Kind != "aml_alert_closure" || len(open) != 1 ||
				view.Awaiting.ECRN == nil || *view.Awaiting.ECRN != open[0] {
				t.Fatalf("got %+v, alerts %v", view.Awaiting, open)
			}
			if got := s.input(id, `{"kind":"otp","otp":"123456"}`); got.status != 409 {
				t.Errorf("an input: %d %s", got.status, got.body)
			}
			s.closeAlert(open[0], test.aml, test.customer)
			if got := s.follow(id, ended); got.Status != test.status || got.Reason != test.reason {
				t.Errorf("got %s (%s) %s", got.Status, got.Reason, got.Outcome)
			}
			if s.onboardings() != 1 {
				t.Errorf("%d onboardings", s.onboardings())
			}
		})
	}
}

// TestOnboardingLookups: without a callback, or without a number that one could come for, the daily lookup finds out.
func TestOnboardingLookups(t *testing.T) {
	t.Parallel()
	for name, number := range map[string]string{"Lost": "784199000000413", "Unnamed": "784199000000433"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := MustRun(t, func(m *main.Main) { m.TimeScale = 40_000 }) // a day takes two seconds
			s.set("callbacks", "lost")
			id := s.startOnboarding("k", customer(number))
			s.follow(id, waiting)
			view := s.onboarding(id)
			if named := view.Awaiting != nil && view.Awaiting.ECRN != nil; view.Status != "WAITING" ||
				named != (name == "Lost") {
				t.Fatalf("got %+v", view)
			}
			s.closeAlert(s.alerts()[0], "Accepted", "ACTIVE")
			if got := s.follow(id, ended); got.Status != "SUCCEEDED" {
				t.Errorf("got %s (%s)", got.Status, got.Reason)
			}
			if n := len(s.digit9Requests("callback")); n != 0 {
				t.Errorf("%d callbacks came", n)
			}
		})
	}
	t.Run("Never", func(t *testing.T) {
		t.Parallel()
		s := MustRun(t, func(m *main.Main) { m.TimeScale = 100_000 }) // a day takes a second
		id := s.startOnboarding("k", customer("784199000000413"))
		view := s.follow(id, ended)
		// Before the onboarding, by its function as well, after it, and after each of thirty days.
		if n := len(s.digit9Requests("lookup-customer")); view.Status != "EXPIRED" || view.Reason != "alert_not_closed" ||
			n != 33 {
			t.Errorf("got %s (%s) after %d lookups", view.Status, view.Reason, n)
		}
	})
}

// TestOnboardingCallbacks: whatever order, number and kind of callbacks come, nothing changes wrongly.
func TestOnboardingCallbacks(t *testing.T) {
	t.Parallel()
	s := MustRun(t)
	callback := func(ecrn, aml, status string) {
		t.Helper()
		body := fmt.Sprintf(`{"aml_scan_status":%q,"ecrn":%q,"customer_status":%q}`, aml, ecrn, status)
		got := s.do(
			"POST", closureURL, http.Header{"No-Key": {""}, "Authorization": {"Bearer " + digit9sim.Defaults().CallbackBearer}},
			body,
		)
		if got.status != 200 {
			t.Fatalf("callback: %d %s", got.status, got.body)
		}
	}
	held := func(t *testing.T, key, number string) (id, ecrn string) {
		t.Helper()
		id = s.startOnboarding(key, customer(number))
		s.follow(id, waiting)
		if view := s.onboarding(id); view.Awaiting != nil && view.Awaiting.ECRN != nil {
			return id, *view.Awaiting.ECRN
		}
		t.Fatalf("got %+v", s.onboarding(id))
		return "", ""
	}
	// again waits until the journey has asked the partner once more, and waits again.
	again := func(t *testing.T, id string, lookups int) {
		t.Helper()
		view := s.follow(id, func(v journeyView) bool {
			n := 0
			for _, step := range v.Steps {
				if step.Name == "LookUpID" {
					n++
				}
			}
			return n >= lookups && v.Status == "WAITING"
		})
		if view.Status != "WAITING" {
			t.Fatalf("got %s (%s)", view.Status, view.Reason)
		}
	}
	t.Run("NotTrue", func(t *testing.T) { // a callback is a hint: the lookup decides
		id, ecrn := held(t, "not-true", "784199100000413")
		callback(ecrn, "Accepted", "ACTIVE")
		again(t, id, 3)
		callback(ecrn, "Accepted", "ACTIVE")
		callback(ecrn, "Under Investigation", "KYC PENDING")
		again(t, id, 4)
		s.closeAlert(ecrn, "Rejected", "REJECTED")
		if got := s.follow(id, ended); got.Status != "REJECTED" {
			t.Errorf("got %s (%s)", got.Status, got.Reason)
		}
		callback(ecrn, "Accepted", "ACTIVE") // late
		if got, _ := s.journey(id); got.Status != "REJECTED" {
			t.Errorf("after a late callback: %s", got.Status)
		}
	})
	t.Run("BeforeTheWait", func(t *testing.T) {
		id, ecrn := held(t, "first", "784199200000423")
		callback(ecrn, "Under Investigation", "ACTIVE")
		again(t, id, 3)
		// A second journey for the same customer looks it up after the event has come already.
		other, _ := held(t, "second", "784199200000423")
		again(t, other, 1)
		s.closeAlert(ecrn, "Accepted", "ACTIVE")
		for _, id := range []string{id, other} {
			if got := s.follow(id, ended); got.Status != "SUCCEEDED" {
				t.Errorf("got %s (%s)", got.Status, got.Reason)
			}
		}
	})
	t.Run("Forged", func(t *testing.T) {
		id, ecrn := held(t, "forged", "784199300000413")
		s.arm("digit9", "callback", "forged_callback")
		s.closeAlert(ecrn, "Accepted", "ACTIVE")
		waitFor(t, func() bool {
			all := s.digit9Requests("callback")
			return all[len(all)-1].Status == 401
		})
		if got, _ := s.journey(id); got.Status != "WAITING" {
			t.Errorf("after a forged callback: %s", got.Status)
		}
		s.do("POST", "/journeys/"+id+"/cancel", nil, "")
	})
	t.Run("ScreeningFailed", func(t *testing.T) { // is said at once, while lookups may find another
		id, ecrn := held(t, "failed", "784199500000413")
		s.closeAlert(ecrn, "Failed", "ACTIVE")
		view := s.follow(id, func(v journeyView) bool { return v.Reason == "screening_failed" })
		if view.Status != "WAITING" || view.Awaiting == nil || view.Awaiting.Kind != "lookup" {
			t.Errorf("got %s (%s) %+v", view.Status, view.Reason, view.Awaiting)
		}
		s.closeAlert(ecrn, "Accepted", "ACTIVE")
		if got := s.follow(id, ended); got.Status != "SUCCEEDED" {
			t.Errorf("got %s (%s)", got.Status, got.Reason)
		}
	})
	t.Run("Duplicate", func(t *testing.T) {
		id, ecrn := held(t, "duplicate", "784199400000413")
		s.arm("digit9", "callback", "duplicate_callback")
		s.closeAlert(ecrn, "Accepted", "ACTIVE")
		if got := s.follow(id, ended); got.Status != "SUCCEEDED" {
			t.Errorf("got %s (%s)", got.Status, got.Reason)
		}
	})
}

// awsMetadata is about how much Step Functions adds to the result of each function: HTTP headers and the like, in
// bytes.
const awsMetadata = 1200

// TestOnboardingFilesMatrix: a photo of 4 MB by reference, and what fits into a request inline. State machine and log
// see nothing of it.
func TestOnboardingFilesMatrix(t *testing.T) {
	t.Parallel()
	histories := make(chan []byte, 2) // of executions that have ended
	s := MustRun(t, func(m *main.Main) {
		var history []byte
		m.History = func(_ string, events []asl.Event) {
			for _, e := range events {
				text, err := json.Marshal(e)
				if err != nil {
					t.Error(err)
				}
				history = append(history, text...)
				switch e.Type {
				case asl.TaskSucceeded:
					history = append(history, bytes.Repeat([]byte(" "), awsMetadata)...)
				case asl.ExecutionEnded:
					histories <- history
					history = nil
				}
			}
		}
	})
	photo := bytes.Repeat([]byte{0xff, 0xd8, 0x00}, 4<<20/3)
	var created struct {
		ID     string `json:"document_id"`
		Upload struct {
			Method, URL string
			Headers     map[string]string
		}
	}
	MustDecode(t, s.do("POST", fmt.Sprintf("/documents?upload=%d", len(photo)), nil, "").body, &created)
	header := http.Header{"No-Key": {""}}
	for name, value := range created.Upload.Headers {
		header.Set(name, value)
	}
	if got, err := send("", created.Upload.Method, created.Upload.URL, header, string(photo)); err != nil ||
		got.status != 200 {
		t.Fatalf("upload: %v %d %s", err, got.status, got.body)
	}
	for name, text := range map[string]string{
		"ByReference": `{"document_id":"` + created.ID + `"}`,
		"Inline":      `"` + base64.StdEncoding.EncodeToString(photo[:3_300_000]) + `"`,
	} {
		t.Run(name, func(t *testing.T) {
			number := fmt.Sprintf("7841990000%05d", 17+len(name)*1000)
			id := s.startOnboarding(
				name, customer(number, `"profile_photo":{"base64_data":"AAAA"`, `"profile_photo":{"base64_data":`+text),
			)
			if view := s.follow(id, ended); view.Status != "SUCCEEDED" {
				t.Fatalf("got %s (%s) %+v", view.Status, view.Reason, view.Steps)
			}
			history := <-histories
			if n := len(history); n < 10<<10 || n >= 32<<10 {
				t.Errorf("the history has %d bytes", n)
			}
			for _, secret := range []string{number, "NOOR", "EXAMPLE", "noor@", "+9715", "AAAA", "/9gA"} {
				if bytes.Contains(history, []byte(secret)) || strings.Contains(s.logs.String(), secret) {
					t.Errorf("%s is in the history or in the log", secret)
				}
			}
			if n, err := s.Vault.Count(); err != nil || n != 0 && name == "ByReference" {
				t.Errorf("%d blobs are left in the vault, %v", n, err)
			}
		})
	}
}

func TestOnboardingStarts(t *testing.T) {
	t.Parallel()
	s := MustRun(t)
	document := func(contentType, body string) string {
		t.Helper()
		var created struct {
			ID string `json:"document_id"`
		}
		MustDecode(t, s.do("POST", "/documents", http.Header{"Content-Type": {contentType}}, body).body, &created)
		return `{"document_id":"` + created.ID + `"}`
	}
	t.Run("WholeCustomerByReference", func(t *testing.T) {
		front := document("image/jpeg", "\xff\xd8")
		whole := document(
			"application/json",
			customer("784199000000031", `"id_front":{"base64_data":"AAAA"`, `"id_front":{"base64_data":`+front),
		)
		id := s.startOnboarding("whole", whole)
		if view := s.follow(id, ended); view.Status != "SUCCEEDED" {
			t.Errorf("got %s (%s)", view.Status, view.Reason)
		}
		if again := s.startOnboarding("whole", whole); again != id { // its documents are gone by now
			t.Errorf("a repeat started another journey")
		}
	})
	t.Run("NumberByReference", func(t *testing.T) {
		number := document("application/json", `"784199000000041"`)
		if view := s.follow(s.startOnboarding("number", customer("x", `"x"`, number)), ended); view.Status != "SUCCEEDED" {
			t.Errorf("got %s (%s)", view.Status, view.Reason)
		}
		if got := s.post(lookupURL, "", lookup("784199000000041")); !strings.Contains(got.body, `"success"`) {
			t.Errorf("got %s", got.body)
		}
	})
	t.Run("ByEvent", func(t *testing.T) {
		event := func(key, customer string) int {
			return s.do("POST", "/local/events", nil, fmt.Sprintf(
				`{"source":"test","detail-type":"JourneyRequested","detail":{"tenant":"local","type":"partner-onboarding","idempotency_key":%q,"input":{"customer":%s}}}`,
				key, customer)).status
		}
		if got := event("event-1", customer("784199000000051")); got != 400 {
			t.Errorf("personal data in an event: %d", got)
		}
		if got := event("event-2", document("application/json", customer("784199000000051"))); got != 202 {
			t.Errorf("references in an event: %d", got)
		}
	})
	for name, test := range map[string]struct {
		body   string
		status int
		want   string
	}{
		"NoCustomer": {`{}`, 400, "/customer"},
		"MissingField": {
			`{"customer":` + customer("1", `"first_name":"NOOR",`, ``) + `}`, 400, "/customer/first_name: is required",
		},
		"NoSuch":       {`{"customer":{"document_id":"x"}}`, 400, "document_not_found"},
		"NotADocument": {`{"customer":` + customer("1", `"id_type":4`, `"id_type":{}`) + `}`, 400, "/customer/id_details"},
		"TooLarge":     {`{"customer":"` + strings.Repeat("x", 4_500_000) + `"}`, 413, "too_large"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := s.post("/journeys/partner-onboarding", name, test.body); got.status != test.status ||
				!strings.Contains(got.body, test.want) {
				t.Errorf("got %d %s", got.status, got.body)
			}
		})
	}
}
