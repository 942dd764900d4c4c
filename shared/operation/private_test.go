package operation

import (
	"fmt"
	"testing"
	"time"
)

func TestOwnedIsBounded(t *testing.T) {
	var o owned
	now := time.Date(2026, 5, 1, 10, 0, 0, 0, time.UTC)
	for i := range 3 * maxOwned {
		record := fmt.Sprint(i)
		o.add("acme", record, now)
		if !o.has("acme", record, now) || o.has("globex", record, now) || len(o.known) > maxOwned {
			t.Fatalf("after %d: %d are known", i, len(o.known))
		}
	}
}
