package main_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	main "sallyport/functions/local"
	"sallyport/shared/ledger"
	"sallyport/shared/operation"
)

// forgetful is a ledger that doesn't take the end of a creation while it is down.
type forgetful struct {
	operation.Ledger
	down func() bool
}

func (l forgetful) Complete(ctx context.Context, t ledger.Transaction) (ledger.Transaction, error) {
	if t.Owns != "" && l.down() {
		return ledger.Transaction{}, errors.New("down")
	}
	return l.Ledger.Complete(ctx, t)
}

// TestJourneyLostCreation holds that a journey gets on with what it has created, although the ledger didn't take that
// at once (one failure), or in the whole invocation (four), of whichever of its creations.
func TestJourneyLostCreation(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		journey, body string
		creations     int
		reason        string
	}{
		{"aadhaar-otp", `{"aadhaar_no":"` + happy + `"}`, 1, ""},
		{
			"client-onboarding", clientJourney("e1", "5550101", "FULL", home, passport+","+ssn), 4, "active",
		},
		{
			"customer-identification",
			`{"customer":` + ironCustomer("Person", "noor@example.com", `,"external_id":"e1"`) +
				`,"identification":{"type":"Link"}}`,
			2, "pending",
		},
		{"partner-onboarding", `{"customer":` + customer("784199000000017") + `}`, 1, "accepted"},
		{"iec-verification", `{"application":"ping","user_id":"u-1","country":"IN"}`, 1, "pending"},
	} {
		for n := range int64(test.creations) {
			for _, failures := range []int64{1, 4} {
				reason := test.reason
				if failures == 4 && test.journey == "iec-verification" { // nothing tells what became of a lost trigger
					reason = "trigger_unknown"
				}
				t.Run(fmt.Sprintf("%s/%d/%d", test.journey, n, failures), func(t *testing.T) {
					t.Parallel()
					var s *stack
					var tried atomic.Int64
					s = MustRun(t, func(m *main.Main) {
						m.WrapLedger = func(l operation.Ledger) operation.Ledger {
							return forgetful{l, func() bool {
								i := tried.Add(1) - n
								if i == failures && failures > 1 {
									s.pass(time.Minute) // the claim of the attempt lapses
								}
								return i >= 1 && i <= failures
							}}
						}
					})
					if test.journey == "iec-verification" {
						s.configure("ping", "", "")
					}
					got := s.post("/journeys/"+test.journey, "k", test.body)
					var out journeyView
					MustDecode(t, got.body, &out)
					view := s.follow(out.ID, func(v journeyView) bool { return ended(v) || waiting(v) })
					if view.Reason != reason || reason == "" && !waiting(view) || tried.Load() <= n {
						t.Errorf("%s (%s) after %d tries: %+v", view.Status, view.Reason, tried.Load(), view.Steps)
					}
				})
			}
		}
	}
}
