package main_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	main "sallyport/functions/local"
	"sallyport/functions/sandbox"
)

// call is one way to use a simulated operation: what must have happened before, and the request itself.
type call struct {
	name   string
	path   string
	body   func(s *stack) string
	repeat bool // whether a repeat with the same key resolves an unknown outcome
}

// calls lists the ways in which each operation can be used. An operation of the registry that has none fails the test.
var calls = map[string][]call{
	"equal/init-transaction": {
		{"WithIdempotencyID", initURL, func(*stack) string {
			return `{"gateway_instance_id":"` + instance + `","idempotency_id":"order-1"}`
		}, true},
		{"WithoutIdempotencyID", initURL, func(*stack) string { return `{"gateway_instance_id":"` + instance + `"}` }, false},
	},
	"equal/execute-journey": {
		{"SendOTP", executeURL, func(s *stack) string { return execute(s.initTransaction(), happy, "") }, false},
		{"VerifyOTP", executeURL, func(s *stack) string {
			id := s.initTransaction()
			s.post(executeURL, "", execute(id, happy, ""))
			return execute(id, happy, otp)
		}, false},
	},
	"equal/fetch-data": {
		{"Fetch", fetchURL, func(s *stack) string {
			id := s.initTransaction()
			s.post(executeURL, "", execute(id, "999900000085", ""))
			var e struct {
				ID string `json:"journey_transaction_id"`
			}
			r := s.post(executeURL, "", execute(id, "999900000085", otp))
			if err := json.Unmarshal([]byte(r.body), &e); err != nil {
				s.t.Fatal(err)
			}
			return `{"transaction_id":"` + id + `","journey_transaction_id":"` + e.ID + `"}`
		}, true},
	},
}

// TestFaults arms every fault that can be armed on every operation that there is, and looks at what the caller learns
// and at what happened at the partner, at once and after repeats with the same key.
func TestFaults(t *testing.T) {
	for _, op := range sandbox.Operations() {
		name := op.Partner + "/" + op.Name
		if len(calls[name]) == 0 {
			t.Errorf("no call is listed for %s", name)
		}
		for _, c := range calls[name] {
			for _, fault := range sandbox.Faults() {
				if sandbox.Applicable(op.Partner, op.Name, fault.Name) != nil {
					continue
				}
				t.Run(name+"/"+c.name+"/"+fault.Name, func(t *testing.T) {
					t.Parallel()
					testFault(t, op, c, fault)
				})
			}
		}
	}
}

func testFault(t *testing.T, op sandbox.Operation, c call, fault sandbox.Fault) {
	s := MustRun(t, func(m *main.Main) { m.UpstreamTimeout = 3 * time.Second })
	body := c.body(s)
	before, arrived := s.effects(op.Name), len(s.requests(op.Name))
	armed := s.post("/sandbox/faults", "", fmt.Sprintf(`{"partner":%q,"operation":%q,"fault":%q,"times":1}`, op.Partner, op.Name, fault.Name))
	if armed.status >= 300 {
		t.Fatalf("arming: %d %s", armed.status, armed.body)
	}
	happened := func() int { return s.effects(op.Name) - before }

	first := s.post(c.path, "the-key", body)
	if fault.Name == "late_effect" {
		waitFor(t, func() bool { return len(s.requests(op.Name)) > arrived })
	}
	if want, ok := map[string]string{"refuse_connection": "partner_unavailable", "status_429": "throttled", "expired_token": "", "slow": ""}[fault.Name]; ok && first.condition() != want {
		t.Errorf("answered %d %q, want %q", first.status, first.condition(), want)
	}
	record := s.transaction(first.header.Get("Transaction-Id"))
	effects := happened()
	switch first.condition() {
	case "":
		if first.status != http.StatusOK || op.Effect && effects != 1 || record.State != "done" {
			t.Errorf("answered %d %s, with %d effects and a record that is %s", first.status, first.body, effects, record.State)
		}
	case "partner_unavailable", "throttled", "partner_credentials_rejected":
		if effects != 0 || record.State != "released" || first.status == http.StatusUnauthorized {
			t.Errorf("answered %d %s: nothing happened; but %d effects and a record that is %s", first.status, first.condition(), effects, record.State)
		}
	case "outcome_unknown":
		if !op.Effect || record.State != "unknown" {
			t.Errorf("answered %s (%s), with a record that is %s", first.condition(), first.body, record.State)
		}
	default:
		t.Errorf("answered %d %q %s", first.status, first.condition(), first.body)
	}
	if fault.Effect && op.Effect && effects != 1 || !fault.Effect && fault.Name != "expired_token" && effects != 0 {
		t.Errorf("%d effects before any repeat", effects) // expired_token: renewed and replayed in the same call
	}

	for range 3 {
		again := s.post(c.path, "the-key", body)
		if n := happened(); n > 1 {
			t.Fatalf("%d effects after a repeat", n)
		}
		switch {
		case first.condition() == "outcome_unknown" && !c.repeat:
			if again.condition() != "outcome_unknown" || happened() != effects {
				t.Errorf("an unknown outcome became %d %q by a repeat, with %d effects after %d", again.status, again.condition(), happened(), effects)
			}
		case again.status != http.StatusOK || op.Effect && happened() != 1:
			t.Errorf("a repeat was answered %d %s, with %d effects", again.status, again.body, happened())
		}
	}
	if first.condition() == "outcome_unknown" && !c.repeat && op.Effect && c.path == executeURL && c.name == "SendOTP" {
		if n := len(s.requests(op.Name)) - arrived; n > 1 {
			t.Errorf("%d requests reached the partner, a send must never be repeated by itself", n)
		}
	}
}

// waitFor polls for something that another goroutine brings about.
func waitFor(t *testing.T, condition func() bool) {
	t.Helper()
	deadline := time.After(time.Minute)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("it did not happen")
		}
	}
}

// A caller that hangs up costs nothing: the call goes on, and its answer is there for the next who asks.
func TestCallerHangsUp(t *testing.T) {
	s := MustRun(t)
	id := s.initTransaction()
	s.post("/sandbox/faults", "", `{"partner":"equal","operation":"execute-journey","fault":"slow"}`)
	ctx, hangUp := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, "POST", s.URL+executeURL, strings.NewReader(execute(id, happy, "")))
	if err != nil {
		t.Fatal(err)
	}
	req.Header = http.Header{"X-Api-Key": {"local-key"}, "Content-Type": {"application/json"}, "Idempotency-Key": {"k"}}
	gone := make(chan error)
	go func() { _, err := http.DefaultClient.Do(req); gone <- err }()
	waitFor(t, func() bool { return len(s.requests("execute-journey")) == 1 })
	hangUp()
	if err := <-gone; err == nil {
		t.Fatal("it was answered before")
	}
	var got reply
	waitFor(t, func() bool {
		got = s.post(executeURL, "k", execute(id, happy, ""))
		return got.status != http.StatusConflict
	})
	if got.status != 200 || got.header.Get("Idempotency-Replayed") != "true" || s.effects("execute-journey") != 1 {
		t.Errorf("%d %s, %d effects", got.status, got.body, s.effects("execute-journey"))
	}
}

// Two faults in a row: what the first left unknown, the second does not settle.
func TestUnknownThenRefused(t *testing.T) {
	s := MustRun(t)
	arm := func(fault string) {
		s.post("/sandbox/faults", "", `{"partner":"equal","operation":"init-transaction","fault":"`+fault+`"}`)
	}
	body := `{"gateway_instance_id":"` + instance + `","idempotency_id":"order-1"}`
	for _, fault := range []string{"reset_after_effect", "refuse_connection", "status_429", "expired_token"} {
		arm(fault)
		if fault == "expired_token" {
			arm(fault) // renewed and replayed in the same call
		}
		if got := s.post(initURL, "k", body); got.condition() != "outcome_unknown" || s.transaction(got.header.Get("Transaction-Id")).State != "unknown" {
			t.Errorf("%s: %d %q", fault, got.status, got.condition())
		}
	}
	if got := s.post(initURL, "k", strings.Replace(body, "order-1", "order-2", 1)); got.status != 422 {
		t.Errorf("another body: %d %s", got.status, got.body)
	}
	if got := s.post(initURL, "k", body); got.status != 200 || s.effects("init-transaction") != 1 {
		t.Errorf("at last: %d %s, %d effects", got.status, got.body, s.effects("init-transaction"))
	}
}
