package bolt_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"sallyport/shared/ledger"
	ledgerbolt "sallyport/shared/ledger/bolt"
	"sallyport/shared/ledger/ledgertest"
)

// openJourneys returns the ids of the journeys that have not ended.
func openJourneys(t *testing.T, l *ledgerbolt.Ledger) (ids []string) {
	t.Helper()
	for j, err := range l.OpenJourneys(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, j.ID)
	}
	return ids
}

func TestOpenJourneys(t *testing.T) {
	const openOnes, ended = 250, 2_000 // more than are read at a time, and many that have nothing to do with them
	l, db := MustOpen(t, filepath.Join(t.TempDir(), "ledger.db"))
	var all []ledger.Journey
	var want []string
	for i := range openOnes {
		j := ledgertest.Startable(fmt.Sprintf("open-%03d", i))
		j.Version, j.Tenant = 1, fmt.Sprint("tenant-", i%7)
		all, want = append(all, j), append(want, j.ID)
	}
	for i := range ended {
		all = append(all, ledgertest.Finished(ledgertest.Startable(fmt.Sprint("ended-", i)), ledger.JourneySucceeded))
	}
	if err := l.Fill(nil, all); err != nil {
		t.Fatal(err)
	}

	t.Run("ReadsNoOthers", func(t *testing.T) {
		read := rowsRead(t, db, func() {
			if got := openJourneys(t, l); !slices.Equal(got, want) {
				t.Errorf("got %v", got)
			}
		})
		if read > openOnes+otherReads {
			t.Errorf("read %d records for %d", read, openOnes)
		}
	})
	t.Run("MayBeWrittenMeanwhile", func(t *testing.T) {
		for j, err := range l.OpenJourneys(t.Context()) {
			if err == nil && j.ID != want[0] {
				_, err = l.UpdateJourney(t.Context(), ledgertest.Finished(j, ledger.JourneyFailed))
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if got := openJourneys(t, l); !slices.Equal(got, want[:1]) {
			t.Errorf("still open are %v", got)
		}
	})
	t.Run("WaitsAndRuns", func(t *testing.T) {
		j, err := l.CreateJourney(t.Context(), "key", ledgertest.Startable("fresh"))
		if err != nil {
			t.Fatal(err)
		}
		for _, next := range []ledger.Journey{ledgertest.Waiting(j), ledgertest.Startable("fresh")} {
			next.Version = j.Version
			if j, err = l.UpdateJourney(t.Context(), next); err != nil {
				t.Fatal(err)
			}
			if got := openJourneys(t, l); !slices.Contains(got, "fresh") {
				t.Errorf("open are %v", got)
			}
		}
	})
	t.Run("Context", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		for j, err := range l.OpenJourneys(ctx) {
			if !errors.Is(err, context.Canceled) {
				t.Errorf("got %+v, %v", j, err)
			}
		}
	})
}
