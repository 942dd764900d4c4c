package main_test

import (
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
