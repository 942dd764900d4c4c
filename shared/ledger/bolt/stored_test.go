package bolt_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"sallyport/shared/ledger"
	"sallyport/shared/ledger/ledgertest"
)

// TestStoredEvents: what an earlier release has kept of a partner's record has no times. It is read, makes room first,
// and has one as soon as it arrives again.
func TestStoredEvents(t *testing.T) {
	l, db := MustOpen(t, filepath.Join(t.TempDir(), "ledger.db"))
	l.Now = func() time.Time { return ledgertest.Epoch }
	events := map[string][]byte{}
	for i := range ledger.CorrelationCap {
		events[fmt.Sprintf("%03d", i)] = []byte("sealed")
	}
	text, err := json.Marshal(map[string]any{
		"Waiters": nil, "Events": events, "ExpiresAt": ledgertest.Epoch.Add(ledger.CorrelationRetention),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Update(func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte("ledger/correlations")).Put([]byte("record"), text)
	}); err != nil {
		t.Fatal(err)
	}
	ledgertest.StoredEvents(t, l)
}
