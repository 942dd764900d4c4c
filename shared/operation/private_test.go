package operation

import (
	"fmt"
	"testing"
)

func TestOwnedIsBounded(t *testing.T) {
	var o owned
	for i := range 3 * maxOwned {
		who := ownership{"acme", fmt.Sprint(i)}
		o.add(who)
		if !o.has(who) || o.has(ownership{"globex", who.record}) || len(o.known) > maxOwned {
			t.Fatalf("after %d: %d are known", i, len(o.known))
		}
	}
}
