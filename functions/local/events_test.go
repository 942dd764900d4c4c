package main_test

import (
	"crypto/hmac"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	main "sallyport/functions/local"
	digit9sim "sallyport/functions/sandbox/digit9"
	mbanqsim "sallyport/functions/sandbox/mbanq"
	"sallyport/shared/asl"
	"sallyport/shared/callback"
	"sallyport/shared/ledger"
)

// timedOut stands for a wait whose time has passed, in entered.
const timedOut = "States.Timeout"

// entered counts how often executions enter each state, and how many of their waits nobody ends.
type entered struct {
	mu     sync.Mutex
	states map[string]int // "<journey> <state>"
}

func (e *entered) observe(m *main.Main) {
	e.states = map[string]int{}
	m.History = func(journey string, events []asl.Event) {
		e.mu.Lock()
		defer e.mu.Unlock()
		for _, event := range events {
			switch {
			case event.Type == asl.StateEntered:
				e.states[journey+" "+event.State]++
			case event.Type == asl.TaskFailed && event.Error == timedOut:
				e.states[journey+" "+timedOut]++
			}
		}
	}
}

func (e *entered) of(journey, state string) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.states[journey+" "+state]
}

// mbanqWebhook sends a webhook about a client as the partner does, in the same words each time.
func (s *stack) mbanqWebhook(client string) {
	s.t.Helper()
	body := `{"entity":"CLIENT","action":"VERIFY","payload":{"clientId":` + client + `,"resourceId":` + client + `}}`
	mac := hmac.New(sha512.New, []byte(mbanqsim.Defaults().WebhookSecret))
	mac.Write([]byte(body))
	got := s.do("POST", "/callbacks/mbanq", http.Header{
		"No-Key": {""}, "Signature": {hex.EncodeToString(mac.Sum(nil))},
	}, body)
	if got.status != 200 {
		s.t.Fatalf("webhook: %d %s", got.status, got.body)
	}
}

// closure sends the closing of an alert as the partner does.
func (s *stack) closure(ecrn string) error {
	got, err := s.try("POST", closureURL, http.Header{
		"No-Key": {""}, "Authorization": {"Bearer " + digit9sim.Defaults().CallbackBearer},
	}, `{"aml_scan_status":"Accepted","ecrn":"`+ecrn+`","customer_status":"ACTIVE"}`)
	if err == nil && got.status != 200 {
		err = fmt.Errorf("callback: %d %s", got.status, got.body)
	}
	return err
}

// TestClientJourneyHearsTheSameWords: what was said of a client before a journey about it ends no wait of it, and what
// is said in the same words while it waits ends the wait at once.
func TestClientJourneyHearsTheSameWords(t *testing.T) {
	t.Parallel()
	var states entered
	s := MustRun(t, states.observe)
	s.setMbanq("verify", "async")
	client := s.createClient("j-1", "5550101")
	s.mbanqWebhook(client)
	id := s.startClient("k", clientJourney("j-1", "5550101", "FULL", home, passport+","+ssn))
	view := s.follow(id, ended)
	s.transitions(id)
	if view.Status != "SUCCEEDED" || s.mbanqEffects("create-client") != 1 {
		t.Errorf("got %s (%s) %+v", view.Status, view.Reason, view.Steps)
	}
	// The client is read once before the verification, once after it, once after the wait, and once after the activation.
	if waits, reads, hours := states.of(id, "AwaitVerification"), states.of(id, "ReadClient"),
		states.of(id, timedOut); waits != 1 || reads != 4 || hours != 0 {
		t.Errorf("%d waits, %d reads, %d hours", waits, reads, hours)
	}
}

// heldCustomer onboards a customer whom compliance holds, and returns the ECRN once the journey waits.
func (s *stack) heldCustomer(key, number string) (id, ecrn string) {
	s.t.Helper()
	id = s.startOnboarding(key, customer(number))
	s.follow(id, waiting)
	view := s.onboarding(id)
	if view.Awaiting == nil || view.Awaiting.ECRN == nil {
		s.t.Fatalf("got %+v", view)
	}
	return id, *view.Awaiting.ECRN
}

// TestOnboardingHearsTheSameWords likewise, of a customer.
func TestOnboardingHearsTheSameWords(t *testing.T) {
	t.Parallel()
	var states entered
	s := MustRun(t, states.observe, func(m *main.Main) { m.TimeScale = 2_000 }) // a day takes 43 seconds
	first, ecrn := s.heldCustomer("first", "784199000000423")
	if err := s.closure(ecrn); err != nil { // it isn't true
		t.Fatal(err)
	}
	s.follow(first, func(journeyView) bool { return states.of(first, "AwaitClosure") == 2 })
	second, _ := s.heldCustomer("second", "784199000000423")
	s.closeAlert(ecrn, "Accepted", "ACTIVE")
	for _, id := range []string{first, second} {
		view := s.follow(id, ended)
		s.transitions(id)
		if view.Status != "SUCCEEDED" || states.of(id, timedOut) != 0 {
			t.Errorf("got %s (%s) after %d days", view.Status, view.Reason, states.of(id, timedOut))
		}
	}
	if waits, lookups := states.of(second, "AwaitClosure"), states.of(second, "LookUpIDs"); waits != 1 || lookups != 2 {
		t.Errorf("the second waited %d times and looked up %d times", waits, lookups)
	}
}

// TestFlood: a thousand callbacks cost a journey few reads, and the one that comes after them still ends it at once.
func TestFlood(t *testing.T) {
	t.Parallel()
	var states entered
	s := MustRun(t, states.observe, func(m *main.Main) { m.TimeScale = 1 })
	id, ecrn := s.heldCustomer("k", "784199000000423")
	before := states.of(id, "LookUpIDs")
	began := time.Now()
	var senders sync.WaitGroup
	var sent atomic.Int64
	for range 8 {
		senders.Go(func() {
			for sent.Add(1) <= 1000 {
				if err := s.closure(ecrn); err != nil { // it isn't true
					t.Error(err)
				}
			}
		})
	}
	senders.Wait()
	// Meanwhile those that the pauses allow, of which two may be missed; then what the last ones and the true one ask for.
	most := 5
	for lasted, wakes := time.Since(began), 1; lasted > callback.Pause(ledger.Journey{Wakes: wakes}); wakes++ {
		lasted -= callback.Pause(ledger.Journey{Wakes: wakes})
		most++
	}
	s.closeAlert(ecrn, "Accepted", "ACTIVE")
	view := s.follow(id, ended)
	transitions := s.transitions(id)
	if view.Status != "SUCCEEDED" || states.of(id, timedOut) != 0 {
		t.Errorf("got %s (%s) after %d days", view.Status, view.Reason, states.of(id, timedOut))
	}
	if lookups := states.of(id, "LookUpIDs") - before; lookups > most || transitions > 20+10*most {
		t.Errorf("%d lookups and %d transitions, want %d lookups at most", lookups, transitions, most)
	}
}
