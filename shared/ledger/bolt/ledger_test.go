package bolt_test

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"sallyport/shared/bolt"
	"sallyport/shared/ledger"
	ledgerbolt "sallyport/shared/ledger/bolt"
	"sallyport/shared/ledger/ledgertest"
)

func MustOpen(t *testing.T, path string, opts ...bolt.Option) (*ledgerbolt.Ledger, *bolt.DB) {
	t.Helper()
	db, err := bolt.Open(path, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	l, err := ledgerbolt.New(db)
	if err != nil {
		t.Fatal(err)
	}
	return l, db
}

func TestLedger(t *testing.T) {
	ledgertest.Run(t, func(t *testing.T) (ledgertest.Store, func(time.Time)) {
		l, _ := MustOpen(t, filepath.Join(t.TempDir(), "ledger.db"))
		return l, func(now time.Time) { l.Now = func() time.Time { return now } }
	})
}

func FuzzCursor(f *testing.F) {
	db, err := bolt.Open(filepath.Join(f.TempDir(), "ledger.db"))
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { db.Close() })
	l, err := ledgerbolt.New(db)
	if err != nil {
		f.Fatal(err)
	}
	l.Now = func() time.Time { return ledgertest.Epoch }
	for _, tenant := range []string{"acme", "globex"} {
		for _, id := range []string{"1", "2", "3"} {
			t := ledgertest.Claimable(tenant+id, "")
			t.Tenant = tenant
			if err := l.Record(f.Context(), t); err != nil {
				f.Fatal(err)
			}
			j := ledgertest.Startable(tenant + id)
			j.Tenant = tenant
			if _, err := l.CreateJourney(f.Context(), j.ID, j); err != nil {
				f.Fatal(err)
			}
		}
		page, err := l.Transactions(f.Context(), ledger.Query{Tenant: tenant, Limit: 1})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(page.Next)
		journeys, err := l.Journeys(f.Context(), ledger.JourneyQuery{Tenant: tenant, Limit: 1})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(journeys.Next)
	}
	f.Add("bnVsbA")
	f.Fuzz(func(t *testing.T, cursor string) {
		page, err := l.Transactions(t.Context(), ledger.Query{Tenant: "acme", Limit: 3, Cursor: cursor})
		if err != nil && err != ledger.ErrBadCursor {
			t.Fatal(err)
		}
		for _, row := range page.Transactions {
			if row.Tenant != "acme" {
				t.Fatalf("shows a row of %s", row.Tenant)
			}
		}
		journeys, err := l.Journeys(t.Context(), ledger.JourneyQuery{Tenant: "acme", Limit: 3, Cursor: cursor})
		if err != nil && err != ledger.ErrBadCursor {
			t.Fatal(err)
		}
		for _, row := range journeys.Journeys {
			if row.Tenant != "acme" {
				t.Fatalf("shows a journey of %s", row.Tenant)
			}
		}
	})
}

func TestKeepsRecordsAcrossProcesses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	l, db := MustOpen(t, path)
	want, err := l.Claim(t.Context(), ledgertest.Claimable("id", "attempt-1"))
	if err != nil {
		t.Fatal(err)
	}
	db.Close()
	commits := 0
	l, _ = MustOpen(t, path, bolt.OnWrite(func(string) { commits++ }))
	got, err := l.Claim(t.Context(), ledgertest.Claimable("id", "attempt-2"))
	if err != ledger.ErrTaken || got.Attempt != want.Attempt {
		t.Fatalf("got %+v, %v; want ErrTaken and what was claimed before", got, err)
	}
	if commits != 0 {
		t.Fatalf("opening again and a failed claim wrote %d times", commits)
	}
}

func TestOneCommitPerWrite(t *testing.T) {
	commits := 0
	l, _ := MustOpen(t, filepath.Join(t.TempDir(), "ledger.db"), bolt.OnWrite(func(stage string) {
		if stage == "after" {
			commits++
		}
	}))
	first := ledgertest.Claimable("id", "attempt-1")
	second := ledgertest.Claimable("id", "attempt-2")
	done := ledgertest.Ended(second, ledger.Done)
	done.Owns = "equal/transaction/eq-1"
	journey := ledgertest.Startable("id")
	waiting := ledgertest.Waiting(journey)
	waiting.Version = 1
	waiter := ledger.Waiter{Tenant: "acme", Journey: "id"}
	for _, step := range []struct {
		name  string
		write func() error
		want  int
	}{
		{"Claim", func() error { _, err := l.Claim(t.Context(), first); return err }, 1},
		{"ClaimSentAgain", func() error { _, err := l.Claim(t.Context(), first); return err }, 0},
		{"ClaimTaken", func() error { _, err := l.Claim(t.Context(), second); return err }, 0},
		{"TakeOver", func() error { _, err := l.TakeOver(t.Context(), second, "attempt-1"); return err }, 1},
		{"TakeOverSentAgain", func() error { _, err := l.TakeOver(t.Context(), second, "attempt-1"); return err }, 0},
		{"CompleteFenced", func() error { _, err := l.Complete(t.Context(), first); return err }, 0},
		{"CompleteWithOwner", func() error { _, err := l.Complete(t.Context(), done); return err }, 1},
		{"CompleteSentAgain", func() error { _, err := l.Complete(t.Context(), done); return err }, 0},
		{"Record", func() error { return l.Record(t.Context(), ledgertest.Claimable("read", "")) }, 1},
		{"PutCaller", func() error { return l.PutCaller(t.Context(), ledger.Caller{KeyHash: "hash"}) }, 1},
		{"CreateJourney", func() error { _, err := l.CreateJourney(t.Context(), "key", journey); return err }, 1},
		{"CreateJourneySentAgain", func() error { _, err := l.CreateJourney(t.Context(), "key", journey); return err }, 0},
		{"CreateJourneyTaken", func() error {
			_, err := l.CreateJourney(t.Context(), "key", ledgertest.Startable("late"))
			return err
		}, 0},
		{"UpdateJourney", func() error { _, err := l.UpdateJourney(t.Context(), waiting); return err }, 1},
		{"UpdateJourneySentAgain", func() error { _, err := l.UpdateJourney(t.Context(), waiting); return err }, 0},
		{"UpdateJourneyStale", func() error { _, err := l.UpdateJourney(t.Context(), journey); return err }, 0},
		{"AddWaiter", func() error { _, err := l.AddWaiter(t.Context(), "record", waiter); return err }, 1},
		{"AddEvent", func() error {
			_, err := l.AddEvent(t.Context(), "record", ledgertest.Arrived("id", "", ledgertest.Epoch), false)
			return err
		}, 1},
		{"RemoveWaiter", func() error { return l.RemoveWaiter(t.Context(), "record", waiter) }, 1},
		{"RemoveWaiterSentAgain", func() error { return l.RemoveWaiter(t.Context(), "record", waiter) }, 0},
	} {
		commits = 0
		err := step.write()
		if err != nil && err != ledger.ErrTaken && err != ledger.ErrFenced && err != ledger.ErrStale {
			t.Fatalf("%s: %v", step.name, err)
		}
		if commits != step.want {
			t.Errorf("%s: %d commits, want %d", step.name, commits, step.want)
		}
	}
}

// TestStoredWords: a field that was renamed is stored under its older name, so that an older file keeps what it says.
func TestStoredWords(t *testing.T) {
	l, db := MustOpen(t, filepath.Join(t.TempDir(), "ledger.db"))
	j, err := l.CreateJourney(t.Context(), "key", ledgertest.Startable("id"))
	if err != nil {
		t.Fatal(err)
	}
	j.Delivered = []string{"event-1"}
	if _, err := l.UpdateJourney(t.Context(), j); err != nil {
		t.Fatal(err)
	}
	_ = db.View(func(tx *bbolt.Tx) error {
		if text := tx.Bucket([]byte("ledger/journeys")).Get([]byte("id")); !strings.Contains(
			string(text), `"Heard":["event-1"]`,
		) {
			t.Errorf("stored %s", text)
		}
		return nil
	})
}

// TestOpensAnEarlierFile opens a file from before there were journeys.
func TestOpensAnEarlierFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	l, db := MustOpen(t, path)
	want, err := l.Claim(t.Context(), ledgertest.Claimable("id", "attempt-1"))
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		var later [][]byte
		err := tx.ForEach(func(name []byte, _ *bbolt.Bucket) error {
			if !slices.Contains(
				[]string{"ledger/transactions", "ledger/tenants", "ledger/owners", "ledger/callers"}, string(name),
			) {
				later = append(later, name)
			}
			return nil
		})
		for _, name := range later {
			err = errors.Join(err, tx.DeleteBucket(name))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	db.Close()

	l, _ = MustOpen(t, path)
	if got, err := l.Claim(t.Context(), ledgertest.Claimable("id", "attempt-2")); err != ledger.ErrTaken ||
		got.Attempt != want.Attempt {
		t.Fatalf("got %+v, %v; want what was claimed before", got, err)
	}
	if _, err := l.CreateJourney(t.Context(), "key", ledgertest.Startable("id")); err != nil {
		t.Fatal(err)
	}
	if _, err := l.AddWaiter(t.Context(), "record", ledger.Waiter{}); err != nil {
		t.Fatal(err)
	}
}
