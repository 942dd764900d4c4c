package main_test

import (
	"errors"
	"net/http"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	main "sallyport/functions/local"
	"sallyport/shared/ledger"
)

// What has expired goes from the file while the stack is used.
func TestSweepsItsFile(t *testing.T) {
	t.Parallel()
	var ahead atomic.Int64
	s := MustRun(t, func(m *main.Main) {
		m.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	})
	records := func() (n int) {
		t.Helper()
		err := s.DB().View(func(tx *bbolt.Tx) error {
			n = tx.Bucket([]byte("ledger/transactions")).Stats().KeyN
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	s.initTransaction()
	s.initTransaction()
	if n := records(); n != 2 {
		t.Fatalf("%d calls are on record", n)
	}
	ahead.Store(int64(ledger.Retention + 24*time.Hour))
	s.initTransaction()
	if n := records(); n != 1 {
		t.Errorf("%d calls are on record, want the last", n)
	}
}

// What has expired goes from the vault with the next start at the latest, although nobody puts anything there.
func TestSweepsItsVault(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "state")
	s := MustRun(t, func(m *main.Main) { m.Dir = dir })
	for range 40 {
		s.do("POST", "/documents", http.Header{"Content-Type": {"application/json"}}, `"999900000016"`)
	}
	count := func(s *stack) int {
		n, err := s.Vault.Count()
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := count(s); n != 40 {
		t.Fatalf("%d documents lie there", n)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = MustRun(t, func(m *main.Main) {
		m.Dir, m.Now = dir, func() time.Time { return time.Now().Add(25 * time.Hour) }
	})
	if n := count(s); n != 0 {
		t.Errorf("%d documents are left", n)
	}
}

// buckets are those of the gateway's file: whether what is in them expires, or why it stays.
var buckets = map[string]string{
	"ledger/transactions": "", "ledger/tenants": "", "ledger/journeys": "", "ledger/journey-keys": "",
	"ledger/keys-of-journeys": "", "ledger/open-journeys": "", "ledger/tenant-journeys": "", "ledger/steps": "",
	"ledger/correlations": "", "ledger/tokens": "", "ledger/expiries": "", "vault/blobs": "", "vault/expiries": "",
	"ledger/owners":            "a record has its owner for as long as the partner keeps it",
	"ledger/callers":           "a key without an expiry is valid until it is replaced",
	"ledger/settings":          "a tenant's settings hold until the next ones",
	"orchestrator/executions":  "of those that run",
	"orchestrator/ended":       "for seven days by the clock: see the orchestrator's own test",
	"orchestrator/endings":     "likewise",
	"orchestrator/definitions": "one for each version of a journey",
	"orchestrator/settings":    "one",
	"stack":                    "one",
}

// TestNothingExpiredStays looks at every bucket after a year in which nobody called.
func TestNothingExpiredStays(t *testing.T) {
	t.Parallel()
	s := MustRun(t)
	s.initTransaction()
	unknown := s.initTransaction()
	s.do("POST", "/sandbox/faults", nil, `{"partner":"equal","operation":"execute-journey","fault":"reset_after_effect"}`)
	s.post(executeURL, "unknown", execute(unknown, happy, ""))
	s.post("/documents", "", `"never used"`)
	id := s.startJourney("k", happy)
	s.follow(id, waiting)
	s.input(id, enter(otp))
	s.follow(id, ended)
	s.endedExecution(id)
	s.pass(365 * 24 * time.Hour)
	if err := errors.Join(s.Ledger.Sweep(t.Context()), s.Vault.Sweep(t.Context())); err != nil {
		t.Fatal(err)
	}
	err := s.DB().View(func(tx *bbolt.Tx) error {
		return tx.ForEach(func(name []byte, b *bbolt.Bucket) error {
			why, known := buckets[string(name)]
			if n := b.Stats().KeyN; !known || why == "" && n > 0 {
				t.Errorf("%s has %d entries", name, n)
			}
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
}
