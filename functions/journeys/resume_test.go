package journeys_test

import (
	"errors"
	"slices"
	"testing"

	"sallyport/shared/ledger"
)

// What may not have arrived when the process died is handed over again, until the ledger fails.
func TestResume(t *testing.T) {
	s := newStack(t)
	down := errors.New("down")
	open := func(yield func(ledger.Journey, error) bool) {
		_ = yield(ledger.Journey{ID: "a", Type: "test", Input: []byte("of a")}, nil) &&
			yield(
				ledger.Journey{
					ID: "b", Type: "test", Input: []byte("of b"),
					Inputs: map[string]ledger.AcceptedInput{"w": {Token: "t1", Output: []byte("otp")}},
				},
				nil,
			) &&
			yield(ledger.Journey{}, down) &&
			yield(ledger.Journey{ID: "c", Type: "test"}, nil)
	}
	if err := s.Resume(t.Context(), open); err != down {
		t.Errorf("got %v", err)
	}
	if !slices.Equal(s.o.inputs, []string{"of a", "of b"}) || !slices.Equal(s.o.answers, []string{"t1 otp"}) {
		t.Errorf("started with %q, answered %q", s.o.inputs, s.o.answers)
	}
}
