package bolt_test

import (
	"path/filepath"
	"testing"
	"time"

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
		}
		page, err := l.Transactions(f.Context(), ledger.Query{Tenant: tenant, Limit: 1})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(page.Next)
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
	} {
		commits = 0
		if err := step.write(); err != nil && err != ledger.ErrTaken && err != ledger.ErrFenced {
			t.Fatalf("%s: %v", step.name, err)
		}
		if commits != step.want {
			t.Errorf("%s: %d commits, want %d", step.name, commits, step.want)
		}
	}
}
