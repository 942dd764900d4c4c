package journeys_test

import (
	"errors"
	"testing"

	"sallyport/shared/ledger"
	orchestration "sallyport/shared/orchestrator"
)

// TestCancelStopsFirst: a journey shows that it was cancelled only after its execution has been stopped, so that no
// process that ends in between leaves one going; where the process ends after the stop, the execution's end tells.
func TestCancelStopsFirst(t *testing.T) {
	s := newStack(t)
	s.create("j")
	s.o.err = errors.New("throttled")
	if got := s.call(s.Cancel(), map[string]string{"id": "j"}, ""); got.StatusCode < 500 {
		t.Errorf("answered %d", got.StatusCode)
	}
	if j := s.journey("j"); j.Status != ledger.JourneyRunning {
		t.Fatalf("not stopped, and %s", j.Status)
	}
	change := orchestration.StatusChange{
		Name: "j", Status: "ABORTED", Error: "cancelled_by_caller", Input: `{"tenant":"acme"}`,
	}
	if err := s.Settle(t.Context(), change); err != nil {
		t.Fatal(err)
	}
	if j := s.journey("j"); j.Status != ledger.JourneyCancelled || j.Reason != "cancelled_by_caller" {
		t.Errorf("settled as %s, %s", j.Status, j.Reason)
	}
	if got := s.call(s.Cancel(), map[string]string{"id": "j"}, ""); got.StatusCode < 500 {
		t.Errorf("a repeat, which may find the execution going, answered %d without a stop", got.StatusCode)
	}
	s.o.err = nil
	if got := s.call(s.Cancel(), map[string]string{"id": "j"}, ""); got.StatusCode != 200 {
		t.Errorf("a repeat answered %d", got.StatusCode)
	}
}
