package main_test

import (
	"fmt"
	"testing"
	"time"

	main "sallyport/functions/local"
	"sallyport/shared/ledger"
)

// measureJourneys runs Aadhaar journeys on the local stack, one after the other.
func measureJourneys(t *testing.T, effort int) []reading {
	committed := make(chan struct{}, 1)
	s := MustRun(t, func(m *main.Main) {
		m.TimeScale = 100
		m.OnWrite = func(string) {
			select {
			case committed <- struct{}{}:
			default: // whoever waits has not yet looked at the one before
			}
		}
	})
	reach := func(id string, status ledger.JourneyStatus) {
		for {
			switch j, err := s.Ledger.Journey(t.Context(), "local", id); {
			case err != nil:
				t.Fatal(err)
			case j.Status == status:
				return
			case j.Status.Ended():
				t.Fatalf("a journey ended %s: %s", j.Status, j.Reason)
			}
			<-committed
		}
	}
	journeys := 50 * effort
	began := time.Now()
	for i := range journeys {
		id := s.startJourney(fmt.Sprint("bench-", i), happy)
		reach(id, ledger.JourneyWaiting)
		if got := s.input(id, enter(otp)); got.status != 202 {
			t.Fatalf("input: %d %s", got.status, got.body)
		}
		reach(id, ledger.JourneySucceeded)
	}
	return []reading{
		{
			what: "journeys per second on the local stack", value: float64(journeys) / time.Since(began).Seconds(),
			note: "aadhaar-otp, one at a time",
		},
	}
}

// measureRestart restarts a stack on which 10,000 journeys wait.
func measureRestart(t *testing.T, _ int) []reading {
	got := restartWith(t, 10_000)
	return []reading{{
		"restart with 10,000 waiting journeys", maxRestartMemory >> 20, float64(got.Peak) / (1 << 20), " MB",
		fmt.Sprintf("%d commits", got.Commits),
	}}
}
