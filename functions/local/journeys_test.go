package main_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	main "sallyport/functions/local"
	"sallyport/shared/ledger"
	"sallyport/shared/ledger/ledgertest"
	"sallyport/shared/operation"
)

// journeyView is a journey as callers see it.
type journeyView struct {
	ID       string `json:"journey_id"`
	Status   string `json:"status"`
	Reason   string `json:"reason"`
	Awaiting *struct {
		ID           string    `json:"id"`
		Kind         string    `json:"kind"`
		Delivery     string    `json:"delivery"`
		AttemptsLeft string    `json:"attempts_left"`
		ExpiresAt    time.Time `json:"expires_at"`
	} `json:"awaiting"`
	Outcome json.RawMessage `json:"outcome"`
	Steps   []struct {
		Name   string `json:"name"`
		Status string `json:"status"`
		Code   string `json:"code"`
		ID     string `json:"transaction_id"`
	} `json:"steps"`
}

func (v journeyView) ended() bool { return v.Status != "RUNNING" && v.Status != "WAITING" }

func (s *stack) startJourney(key, number string) string {
	s.t.Helper()
	got := s.post("/journeys/aadhaar-otp", key, `{"aadhaar_no":"`+number+`"}`)
	var out journeyView
	MustDecode(s.t, got.body, &out)
	if got.status != 202 || got.header.Get("Location") != "/journeys/"+out.ID || out.ID == "" {
		s.t.Fatalf("start: %d %s", got.status, got.body)
	}
	return out.ID
}

func (s *stack) journey(id string) (journeyView, reply) {
	s.t.Helper()
	got := s.do("GET", "/journeys/"+id, nil, "")
	var out journeyView
	MustDecode(s.t, got.body, &out)
	return out, got
}

// follow waits until a journey is as wanted, or has ended.
func (s *stack) follow(id string, wanted func(journeyView) bool) journeyView {
	s.t.Helper()
	for range 60 {
		view, got := s.journey(id)
		if wanted(view) || view.ended() {
			return view
		}
		s.do("GET", "/journeys/"+id, http.Header{"Prefer": {"wait=20"}, "If-None-Match": {got.header.Get("Etag")}}, "")
	}
	s.t.Fatal("the journey did not get there")
	return journeyView{}
}

// wantNothingLeft waits until the vault is empty: a journey is shown as ended before what it was given has been erased.
func (s *stack) wantNothingLeft() {
	s.t.Helper()
	waitFor(s.t, func() bool {
		n, err := s.Vault.Count()
		return err == nil && n == 0
	})
}

func waiting(v journeyView) bool { return v.Status == "WAITING" }

func waitingFor(reason string) func(journeyView) bool {
	return func(v journeyView) bool { return v.Status == "WAITING" && v.Reason == reason }
}

func ended(v journeyView) bool { return v.ended() }

func (s *stack) input(id, body string) reply {
	s.t.Helper()
	return s.do("POST", "/journeys/"+id+"/inputs", nil, body)
}

func enter(otp string) string { return `{"kind":"otp","otp":"` + otp + `"}` }

func TestJourney(t *testing.T) {
	t.Parallel()
	s := MustRun(t)
	id := s.startJourney("k", happy)
	view := s.follow(id, waiting)
	if view.Awaiting == nil || view.Awaiting.Kind != "otp" || view.Awaiting.Delivery != "sent" ||
		view.Awaiting.AttemptsLeft != "3" {
		t.Fatalf("got %+v", view)
	}
	if got := s.input(id, enter(otp)); got.status != 202 {
		t.Fatalf("input: %d %s", got.status, got.body)
	}
	view = s.follow(id, ended)
	const want = `{"verified":true,"decision":"CLEAR","name":"MEERA KULKARNI","aadhaar_last4":"0016","status_code":"success","checks":[{"check_id":"ownership_check","check_result":"PASS","status_code":"success","metadata":{"data_source":"BUSINESS_PROVIDED","match_logic":"fuzzy>=80"}}]}`
	if view.Status != "SUCCEEDED" || string(view.Outcome) != want {
		t.Errorf("got %s (%s) %s", view.Status, view.Reason, view.Outcome)
	}
	if len(view.Steps) != 3 || view.Steps[1].Name != "SendOTP" || view.Steps[2].Name != "VerifyOTP" ||
		view.Steps[2].Status != "done" {
		t.Errorf("steps %+v", view.Steps)
	}
	if got := s.input(id, enter(otp)); got.status != 410 || !strings.Contains(got.body, "journey_ended") {
		t.Errorf("input after the end: %d %s", got.status, got.body)
	}
	readme, err := os.ReadFile("../equal/README.md")
	if err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf(
		"The happy path takes %d state transitions.", s.transitions(id),
	); !strings.Contains(string(readme), want) {
		t.Errorf("functions/equal/README.md doesn't say: %s", want)
	}
}

func TestJourneyEnds(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, number string
		inputs       []string
		status       string
		reason       string
	}{
		{"NotFound", "999900000028", nil, "REJECTED", "document_not_found"},
		{"NoMobile", "999900000102", nil, "REVIEW", "mobile_not_linked"},
		{"ThirdWrongOTP", "999900000044", []string{"111111", "222222", "333333"}, "REVIEW", "otp_not_accepted"},
		{"WrongThenRight", happy, []string{"111111", otp}, "SUCCEEDED", "success"},
		{"MustReview", "999900000092", []string{otp}, "REVIEW", "MUST REVIEW"},
		{"NeedsReview", "999900000125", []string{otp}, "REVIEW", "NEEDS REVIEW"},
		{"SlowSource", "999900000085", []string{otp}, "SUCCEEDED", "success"},
		{"WithoutDecision", "999900000118", []string{otp}, "SUCCEEDED", "success"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := MustRun(t)
			id := s.startJourney("k", test.number)
			seen := ""
			for _, code := range test.inputs {
				view := s.follow(id, func(v journeyView) bool { return v.Status == "WAITING" && v.Awaiting.ID != seen })
				if view.ended() {
					t.Fatalf("ended before its input: %+v", view)
				}
				seen = view.Awaiting.ID
				if got := s.input(id, enter(code)); got.status != 202 {
					t.Fatalf("input: %d %s", got.status, got.body)
				}
			}
			view := s.follow(id, ended)
			if view.Status != test.status || view.Reason != test.reason {
				t.Errorf("got %s (%s), want %s (%s); steps %+v", view.Status, view.Reason, test.status, test.reason, view.Steps)
			}
		})
	}
}

func TestJourneyStartedAHundredTimes(t *testing.T) {
	t.Parallel()
	s := MustRun(t)
	var wg sync.WaitGroup
	ids := make([]string, 100)
	for i := range ids {
		wg.Go(func() { ids[i] = s.startJourney("same", happy) })
	}
	wg.Wait()
	for _, id := range ids {
		if id != ids[0] {
			t.Fatalf("two journeys: %s and %s", ids[0], id)
		}
	}
	s.follow(ids[0], waiting)
	if n := s.effects("execute-journey"); n != 1 {
		t.Errorf("%d SMS were sent", n)
	}
	var list struct {
		Journeys []journeyView `json:"journeys"`
	}
	MustDecode(t, s.do("GET", "/journeys?type=aadhaar-otp&status=WAITING&limit=5", nil, "").body, &list)
	if len(list.Journeys) != 1 || list.Journeys[0].ID != ids[0] || list.Journeys[0].Awaiting == nil {
		t.Errorf("listed %+v", list)
	}
	if got := s.post("/journeys/aadhaar-otp", "same", `{"aadhaar_no":"999900000028"}`); got.status != 422 {
		t.Errorf("another start under the same key: %d %s", got.status, got.body)
	}
}

func TestJourneyResend(t *testing.T) {
	t.Parallel()
	s := MustRun(t, func(m *main.Main) { m.TimeScale = 4 }) // a minute takes 15 seconds
	id := s.startJourney("k", happy)
	s.follow(id, waiting)
	if got := s.input(id, `{"kind":"resend"}`); got.status != 202 {
		t.Fatalf("resend: %d %s", got.status, got.body)
	}
	view := s.follow(id, waitingFor("otp_request_too_soon")) // a minute must pass between two
	if view.Awaiting == nil || view.Awaiting.Delivery != "not_sent" {
		t.Fatalf("got %+v", view)
	}
	sent := s.requests("execute-journey")[0].At
	waitFor(t, func() bool { return time.Since(sent) > 60*time.Second/time.Duration(s.TimeScale) })
	before := s.follow(id, waiting).Awaiting.ID
	s.input(id, `{"kind":"resend"}`)
	s.follow(id, func(v journeyView) bool { return waiting(v) && v.Awaiting.ID != before })
	if n := s.effects("execute-journey"); n != 2 {
		t.Fatalf("%d SMS were sent", n)
	}
	s.follow(id, waiting)
	s.input(id, enter(otp))
	if view := s.follow(id, ended); view.Status != "SUCCEEDED" {
		t.Errorf("got %+v", view)
	}
	if n := s.effects("execute-journey"); n != 3 {
		t.Errorf("%d effects, want two SMS and a verification", n)
	}
}

func TestJourneyLostAnswers(t *testing.T) {
	t.Parallel()
	arm := func(s *stack, fault string) {
		s.post("/sandbox/faults", "", `{"partner":"equal","operation":"execute-journey","fault":"`+fault+`"}`)
	}
	t.Run("OfTheSend", func(t *testing.T) {
		t.Parallel()
		s := MustRun(t)
		arm(s, "reset_after_effect")
		id := s.startJourney("k", happy)
		view := s.follow(id, waiting)
		if view.Reason != "delivery_unknown" || view.Awaiting.Delivery != "unknown" {
			t.Fatalf("got %+v", view)
		}
		s.input(id, enter(otp)) // it had arrived
		if view := s.follow(id, ended); view.Status != "SUCCEEDED" {
			t.Errorf("got %+v", view)
		}
		if n := s.effects("execute-journey"); n != 2 {
			t.Errorf("%d effects", n)
		}
	})
	t.Run("OfTheVerification", func(t *testing.T) {
		t.Parallel()
		s := MustRun(t)
		id := s.startJourney("k", happy)
		s.follow(id, waiting)
		arm(s, "reset_after_effect")
		s.input(id, enter(otp))
		s.follow(id, waitingFor("verification_unknown"))
		s.input(id, enter(otp))
		if view := s.follow(id, ended); view.Status != "SUCCEEDED" {
			t.Errorf("got %+v", view)
		}
		if n := s.effects("execute-journey"); n != 2 {
			t.Errorf("%d effects, want one SMS and one verification", n)
		}
	})
}

func TestJourneyInputs(t *testing.T) {
	t.Parallel()
	s := MustRun(t)
	s.addCaller("other-key", "other", "*")
	id := s.startJourney("k", happy)
	view := s.follow(id, waiting)
	for body, want := range map[string]int{
		``: 400, `{}`: 400, `{"kind":1}`: 400, `{"kind":"documents"}`: 409, `{"kind":"otp"}`: 400,
		`{"kind":"otp","otp":" "}`:               400,
		`{"kind":"otp","otp":"123456","more":1}`: 400, `{"kind":"resend","otp":"1"}`: 400,
		`{"kind":"otp","otp":"123456","awaiting_id":"other"}`: 409,
	} {
		if got := s.input(id, body); got.status != want || got.header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d %s", body, got.status, got.body)
		}
	}
	if got := s.do(
		"POST", "/journeys/"+id+"/inputs", http.Header{"X-Api-Key": {"other-key"}}, enter(otp),
	); got.status != 404 {
		t.Errorf("another tenant: %d %s", got.status, got.body)
	}
	if got := s.do("GET", "/journeys/"+id, http.Header{"X-Api-Key": {"other-key"}}, ""); got.status != 404 {
		t.Errorf("another tenant: %d %s", got.status, got.body)
	}
	body := fmt.Sprintf(`{"kind":"otp","otp":"000000","awaiting_id":%q}`, view.Awaiting.ID)
	var wg sync.WaitGroup
	for range 20 { // one input, however often it is sent
		wg.Go(func() {
			if got := s.input(id, body); got.status != 202 {
				t.Errorf("%d %s", got.status, got.body)
			}
		})
	}
	wg.Wait()
	view = s.follow(id, waitingFor("invalid_otp"))
	if view.Awaiting.AttemptsLeft != "2" {
		t.Errorf("%s attempts left after one wrong OTP", view.Awaiting.AttemptsLeft)
	}
	if got := s.input(id, strings.Replace(body, "000000", "999999", 1)); got.status != 422 {
		t.Errorf("another input for an answered wait: %d %s", got.status, got.body)
	}
}

func TestJourneyCancel(t *testing.T) {
	t.Parallel()
	s := MustRun(t)
	id := s.startJourney("k", happy)
	s.follow(id, waiting)
	for range 2 {
		got := s.do("POST", "/journeys/"+id+"/cancel", nil, "")
		if got.status != 200 || !strings.Contains(got.body, `"status":"CANCELLED"`) {
			t.Errorf("%d %s", got.status, got.body)
		}
	}
	if got := s.input(id, enter(otp)); got.status != 410 {
		t.Errorf("input: %d %s", got.status, got.body)
	}
}

func TestJourneyExpires(t *testing.T) {
	t.Parallel()
	s := MustRun(t, func(m *main.Main) { m.TimeScale = 600 })
	id := s.startJourney("k", happy)
	view := s.follow(id, ended)
	if view.Status != "EXPIRED" || view.Reason != "no_input" {
		t.Errorf("got %+v", view)
	}
	waitFor(t, func() bool { return s.documents() == 0 })
}

// documents counts what lies in the vault.
func (s *stack) documents() int {
	s.t.Helper()
	n, err := s.Vault.Count()
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}

// TestNothingOfAJourneyLeaks searches definitions, history, events and the vault for what a journey was given.
func TestNothingOfAJourneyLeaks(t *testing.T) {
	t.Parallel()
	s := MustRun(t)
	for _, end := range []func(id string){
		func(id string) { s.input(id, enter(otp)) },
		func(id string) { s.do("POST", "/journeys/"+id+"/cancel", nil, "") },
		func(id string) {
			for range 3 {
				before := s.follow(id, waiting).Awaiting.ID
				s.input(id, enter("000000"))
				s.follow(id, func(v journeyView) bool { return waiting(v) && v.Awaiting.ID != before })
			}
		},
	} {
		id := s.startJourney(fmt.Sprintf("%p", end), happy)
		s.follow(id, waiting)
		if s.documents() == 0 {
			t.Error("the number of a waiting journey must lie in the vault")
		}
		end(id)
		s.follow(id, ended)
		waitFor(t, func() bool { return s.documents() == 0 })
	}
	s.wantNoSecrets(happy, "MEERA KULKARNI", `"`+otp+`"`, `"000000"`)
}

func TestJourneyEvents(t *testing.T) {
	t.Parallel()
	s := MustRun(t)
	put := func(detail string) reply {
		return s.post("/local/events", "", `{"source":"shop","detail-type":"JourneyRequested","detail":`+detail+`}`)
	}
	for detail, want := range map[string]string{
		`{"tenant":"local","type":"aadhaar-otp","idempotency_key":"e","input":{"aadhaar_no":"999900000016"}}`:          "no personal data",
		`{"tenant":"local","type":"other","idempotency_key":"e","input":{}}`:                                           "no_such_journey_type",
		`{"type":"aadhaar-otp","idempotency_key":"e","input":{"aadhaar_no":{"document_id":"d"}}}`:                      "/tenant",
		`{"tenant":"local","type":"aadhaar-otp","input":{"aadhaar_no":{"document_id":"d"}}}`:                           "Idempotency-Key",
		`{"tenant":"local","type":"aadhaar-otp","idempotency_key":"e","input":{"aadhaar_no":{"id":"d"}},"personal":1}`: "/personal",
	} {
		if got := put(detail); got.status != 400 || !strings.Contains(got.body, want) {
			t.Errorf("%s: %d %s", detail, got.status, got.body)
		}
	}
	created := s.post("/documents", "", `"`+happy+`"`)
	var document struct {
		ID string `json:"document_id"`
	}
	MustDecode(t, created.body, &document)
	detail := `{"tenant":"local","type":"aadhaar-otp","idempotency_key":"e","input":{"aadhaar_no":{"document_id":"` + document.ID + `"}}}`
	for range 2 {
		if got := put(detail); got.status != 202 {
			t.Fatalf("%d %s", got.status, got.body)
		}
	}
	got := s.post("/journeys/aadhaar-otp", "e", `{"aadhaar_no":{"document_id":"`+document.ID+`"}}`)
	var j journeyView
	MustDecode(t, got.body, &j)
	s.follow(j.ID, waiting)
	s.input(j.ID, enter(otp))
	if view := s.follow(j.ID, ended); view.Status != "SUCCEEDED" {
		t.Fatalf("got %+v", view)
	}
	if n := s.effects("execute-journey"); n != 2 {
		t.Errorf("%d effects: the event and the request must be the same journey", n)
	}
	var published []struct {
		DetailType string `json:"detail-type"`
		Detail     struct {
			ID     string `json:"journey_id"`
			Status string `json:"status"`
		} `json:"detail"`
	}
	statuses := func() (all []string) {
		MustDecode(t, s.do("GET", "/local/events", nil, "").body, &published)
		for _, e := range published {
			if e.DetailType == "JourneyStatusChanged" && e.Detail.ID == j.ID {
				all = append(all, e.Detail.Status)
			}
		}
		return all
	}
	waitFor(t, func() bool { return len(statuses()) > 2 }) // the last comes after the journey shows its end
	if got := strings.Join(statuses(), " "); got != "WAITING RUNNING SUCCEEDED" {
		t.Errorf("published %s", got)
	}
	waitFor(t, func() bool { return s.documents() == 0 })
}

func TestPreferWait(t *testing.T) {
	t.Parallel()
	s := MustRun(t)
	id := s.startJourney("k", happy)
	s.follow(id, waiting)
	_, now := s.journey(id)
	type held struct {
		reply
		took time.Duration
	}
	answers := make(chan held)
	go func() {
		began := time.Now()
		got := s.do("GET", "/journeys/"+id, http.Header{"Prefer": {"respond-async, wait=20"}}, "")
		answers <- held{got, time.Since(began)}
	}()
	select {
	case got := <-answers:
		t.Fatalf("answered before anything changed: %s", got.body)
	case <-time.After(600 * time.Millisecond):
	}
	s.input(id, enter("000000"))
	if got := <-answers; got.status != 200 || got.took > 20*time.Second ||
		got.header.Get("Etag") == now.header.Get("Etag") {
		t.Errorf("%d after %s with %s", got.status, got.took, got.header.Get("Etag"))
	}
	s.follow(id, waiting)
	_, now = s.journey(id)
	if got := s.do(
		"GET", "/journeys/"+id, http.Header{"Prefer": {"wait=1"}, "If-None-Match": {now.header.Get("Etag")}}, "",
	); got.status != 304 {
		t.Errorf("nothing changed: %d %s", got.status, got.body)
	}
	if got := s.do(
		"GET", "/journeys/"+id, http.Header{"Prefer": {"wait=20"}, "If-None-Match": {`"1"`}}, "",
	); got.status != 200 {
		t.Errorf("another one than the known: %d", got.status)
	}
	if got := s.do("GET", "/journeys/"+id, http.Header{"Prefer": {"wait=soon"}}, ""); got.status != 400 {
		t.Errorf("malformed: %d", got.status)
	}
}

// TestJourneyWaits holds what a person is told where a journey can't go on by itself.
func TestJourneyWaits(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, number string
		inputs       []string
		reason       string
		delivery     string
	}{
		{"ExpiredOTP", "999900000037", []string{otp}, "otp_expired", "expired"},
		{"ServerError", "999900000059", nil, "delivery_unknown", "unknown"},
		{"Unavailable", "999900000071", nil, "delivery_unknown", "unknown"},
		{"WrongOTP", "999900000044", []string{otp}, "invalid_otp", "sent"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := MustRun(t)
			id := s.startJourney("k", test.number)
			for _, code := range test.inputs {
				s.follow(id, waiting)
				s.input(id, enter(code))
			}
			if view := s.follow(id, waitingFor(test.reason)); view.Status != "WAITING" ||
				view.Awaiting.Delivery != test.delivery {
				t.Errorf("got %+v", view)
			}
		})
	}
}

// TestJourneyPartnerDown holds how a journey ends that gets nowhere, and that it has tried.
func TestJourneyPartnerDown(t *testing.T) {
	t.Parallel()
	t.Run("Throttled", func(t *testing.T) {
		t.Parallel()
		s := MustRun(t, func(m *main.Main) { m.TimeScale = 100 })
		view := s.follow(s.startJourney("k", "999900000063"), ended)
		if view.Status != "FAILED" || view.Reason != "undetermined" || s.effects("execute-journey") != 0 {
			t.Errorf("got %+v", view)
		}
		if n := len(s.requests("execute-journey")); n != 7 {
			t.Errorf("%d requests, want one and six retries", n)
		}
	})
	t.Run("Refused", func(t *testing.T) {
		t.Parallel()
		s := MustRun(t, func(m *main.Main) { m.TimeScale = 100 })
		s.post(
			"/sandbox/faults", "", `{"partner":"equal","operation":"init-transaction","fault":"refuse_connection","times":3}`,
		)
		id := s.startJourney("k", happy)
		if view := s.follow(id, waiting); view.Status != "WAITING" || s.effects("init-transaction") != 1 {
			t.Errorf("after three refusals: %+v", view)
		}
	})
}

func TestUpload(t *testing.T) {
	t.Parallel()
	s := MustRun(t)
	for _, size := range []string{"", "0", "-1", "x", "8388609"} {
		if got := s.do("POST", "/documents?upload="+size, nil, ""); got.status != 400 {
			t.Errorf("%q: %d %s", size, got.status, got.body)
		}
	}
	created := s.do("POST", "/documents?upload=5", nil, "")
	var document struct {
		ID     string `json:"document_id"`
		Upload struct {
			Method  string            `json:"method"`
			URL     string            `json:"url"`
			Headers map[string]string `json:"headers"`
		} `json:"upload"`
	}
	MustDecode(t, created.body, &document)
	put := func(body string) int {
		req, err := http.NewRequest(document.Upload.Method, document.Upload.URL, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range document.Upload.Headers {
			req.Header.Set(name, value)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	if a, b, c := put("photos"), put("pho"), put("photo"); a != 400 || b != 400 || c != 200 {
		t.Errorf("too large %d, too small %d, right %d", a, b, c)
	}
	if got := s.do("PUT", "/local/uploads/guess", nil, "photo"); got.status != 403 {
		t.Errorf("a guess: %d", got.status)
	}
	// A photo is no Aadhaar number: the operation gets it as base64 text and refuses it, and it is erased with the rest.
	got := s.post("/journeys/aadhaar-otp", "k", `{"aadhaar_no":{"document_id":"`+document.ID+`"}}`)
	var j journeyView
	MustDecode(t, got.body, &j)
	if view := s.follow(j.ID, ended); view.Status != "REJECTED" || view.Reason != "invalid_aadhaar_no" {
		t.Errorf("got %+v", view)
	}
	waitFor(t, func() bool { return s.documents() == 0 })
}

// TestJourneyResendIsLimited holds that no journey can be made to send without end.
func TestJourneyResendIsLimited(t *testing.T) {
	t.Parallel()
	s := MustRun(t)
	id := s.startJourney("k", happy)
	for range 5 {
		before := s.follow(id, waiting).Awaiting.ID
		if got := s.input(id, `{"kind":"resend"}`); got.status != 202 {
			t.Fatalf("%d %s", got.status, got.body)
		}
		s.follow(id, func(v journeyView) bool { return waiting(v) && v.Awaiting.ID != before })
	}
	before := s.follow(id, waiting).Awaiting.ID
	s.input(id, `{"kind":"resend"}`)
	view := s.follow(id, func(v journeyView) bool { return waiting(v) && v.Awaiting.ID != before })
	if view.Reason != "resend_limit" {
		t.Errorf("got %+v", view)
	}
	if got := s.input(id, `{"kind":"resend"}`); got.status != 409 {
		t.Errorf("one more: %d %s", got.status, got.body)
	}
	s.input(id, enter(otp))
	if view := s.follow(id, ended); view.Status != "SUCCEEDED" {
		t.Errorf("got %+v", view)
	}
}

// TestJourneyMistakenDocument holds that a reference to nothing is refused, and costs the person no attempt.
func TestJourneyMistakenDocument(t *testing.T) {
	t.Parallel()
	s := MustRun(t)
	id := s.startJourney("k", happy)
	s.follow(id, waiting)
	before := s.follow(id, waiting)
	if got := s.input(id, `{"kind":"otp","otp":{"document_id":"nothing-there"}}`); got.status != 400 ||
		!strings.Contains(got.body, `"/otp: leads to no document`) {
		t.Fatalf("%d %s", got.status, got.body)
	}
	if view := s.follow(id, waiting); view.Awaiting.ID != before.Awaiting.ID || view.Awaiting.AttemptsLeft != "3" {
		t.Errorf("got %+v", view)
	}
	s.input(id, enter(otp))
	if view := s.follow(id, ended); view.Status != "SUCCEEDED" {
		t.Errorf("got %+v", view)
	}
}

// TestJourneyLostRecord holds that a failed ledger write in the deciding read does not cost the outcome.
func TestJourneyLostRecord(t *testing.T) {
	t.Parallel()
	var failures atomic.Int64
	s := MustRun(t, func(m *main.Main) {
		m.WrapLedger = func(l operation.Ledger) operation.Ledger {
			return &ledgertest.Counting{Store: l.(ledgertest.Store), Fail: func(op string) (before, after error) {
				if op == "Record" && failures.Add(1) <= 2 {
					return errors.New("down"), nil
				}
				return nil, nil
			}}
		}
	})
	id := s.startJourney("k", "999900000085")
	s.follow(id, waiting)
	s.input(id, enter(otp))
	if view := s.follow(id, ended); view.Status != "SUCCEEDED" ||
		!strings.Contains(string(view.Outcome), `"verified":true`) {
		t.Errorf("got %+v", view)
	}
}

// TestJourneyLostNumber holds that nobody is asked for an OTP again where it is the number that is gone.
func TestJourneyLostNumber(t *testing.T) {
	t.Parallel()
	s := MustRun(t)
	id := s.startJourney("k", happy)
	s.follow(id, waiting)
	if err := s.DB().Update(func(tx *bbolt.Tx) error {
		if err := tx.DeleteBucket([]byte("vault/blobs")); err != nil {
			return err
		}
		_, err := tx.CreateBucket([]byte("vault/blobs"))
		return err
	}); err != nil {
		t.Fatal(err)
	}
	s.input(id, enter(otp))
	if view := s.follow(id, ended); view.Status != "FAILED" || view.Reason != "document_not_found" {
		t.Errorf("got %+v", view)
	}
}

// TestJourneyWithoutExecution holds that a journey whose process died between its record and its execution goes on with
// the next start of the program, although nobody asks for it.
func TestJourneyWithoutExecution(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "state")
	first := &main.Main{
		Address: "127.0.0.1:0", Dir: dir, Template: template, TimeScale: 40, Log: slog.New(slog.DiscardHandler),
	}
	if err := first.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	const id = "01a20400-0000-7000-8000-000000000001"
	_, err := first.Ledger.CreateJourney(t.Context(), "key", ledger.Journey{
		ID: id, Tenant: "local", Type: "aadhaar-otp", Status: ledger.JourneyRunning, CreatedAt: time.Now(),
		UpdatedAt: time.Now(),
		Input: []byte(
			`{"tenant":"local","journey_id":"` + id + `","gateway_instance_id":"` + instance + `","partner_journey_id":"` + journey + `","aadhaar_no":{"document_id":"erased"}}`,
		),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	s := MustRun(t, func(m *main.Main) { m.Dir = dir })
	if view := s.follow(id, ended); view.Status != "FAILED" || view.Reason != "document_not_found" ||
		len(view.Steps) == 0 {
		t.Errorf("got %+v", view)
	}
}
