package bolt_test

import (
	"path/filepath"
	"testing"
	"time"

	"sallyport/shared/bolt"
	"sallyport/shared/ledger"
	"sallyport/shared/ledger/ledgertest"
)

func TestTokenAcrossProcesses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	l, db := MustOpen(t, path)
	l.Now = func() time.Time { return ledgertest.Epoch }
	if _, err := l.Token(t.Context(), "id"); err != ledger.ErrNotFound {
		t.Fatalf("got %v, want %v", err, ledger.ErrNotFound)
	}
	lease := ledgertest.Leased("id", "a")
	if _, err := l.PutToken(t.Context(), lease); err != nil {
		t.Fatal(err)
	}
	db.Close()

	commits := 0
	l, _ = MustOpen(t, path, bolt.OnWrite(func(stage string) {
		if stage == "after" {
			commits++
		}
	}))
	l.Now = func() time.Time { return ledgertest.Epoch }
	for _, step := range []struct {
		name string
		put  ledger.Token
		err  error
		want int
	}{
		{"PutTokenSentAgain", lease, nil, 0},
		{"PutTokenStale", ledgertest.Leased("id", "b"), ledger.ErrStale, 0},
		{"PutToken", ledgertest.Renewed(lease, "sealed"), nil, 1},
	} {
		commits = 0
		if _, err := l.PutToken(t.Context(), step.put); err != step.err {
			t.Fatalf("%s: got %v, want %v", step.name, err, step.err)
		}
		if commits != step.want {
			t.Errorf("%s: %d commits, want %d", step.name, commits, step.want)
		}
	}
}
