package main_test

import (
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
