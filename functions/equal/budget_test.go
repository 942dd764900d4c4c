package equal_test

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"sallyport/shared/growthtest"
)

// What one warm call allocates at most, from the event to its answer, without ledger and network. It may only fall;
// whoever raises it says why.
const (
	freshAllocations  = 480 // 415 when it was set, 461 with the race detector: answers are read before and after masking
	replayAllocations = 220 // 129 and 170: a request is read member by member, as it goes on whatever stands in it
)

func TestAllocations(t *testing.T) {
	const runs = 100
	w := newWarm(t, fmt.Sprintf(verified, "null"))
	payloads := make([][]byte, runs+1) // one call goes before those that are counted
	for i := range payloads {
		payloads[i] = event(t, fmt.Sprint("key-", i))
	}
	n := 0
	fresh := testing.AllocsPerRun(runs, func() {
		w.call(t, payloads[n])
		n++
	})
	replay := testing.AllocsPerRun(runs, func() { w.call(t, payloads[0]) })
	t.Logf("a fresh call allocates %v times, a replay %v times", fresh, replay)
	if fresh > freshAllocations || replay > replayAllocations {
		t.Errorf("want at most %d and %d", freshAllocations, replayAllocations)
	}
	w.asked(t, requests{claim: 2 * (runs + 1), complete: runs + 1})
}

// TestRequests: what a call costs in requests to the ledger and to the secrets, once the container knows its caller,
// its secrets and who owns the transaction.
func TestRequests(t *testing.T) {
	w := newWarm(t, fmt.Sprintf(verified, "null"))
	secrets := w.secrets.Load()
	var inFlight []byte
	w.partner.during = func() {
		w.asked(t, requests{claim: 1})
		var err error
		if inFlight, err = w.Invoke(context.Background(), event(t, "key")); err != nil {
			t.Error(err)
		}
		w.asked(t, requests{claim: 1})
	}
	w.call(t, event(t, "key"))
	w.asked(t, requests{complete: 1})
	if !bytes.HasPrefix(inFlight, []byte(`{"statusCode":409,`)) {
		t.Errorf("a duplicate in flight got %s", inFlight)
	}
	w.call(t, event(t, "key"))
	w.asked(t, requests{claim: 1})
	if got := w.secrets.Load() - secrets; got != 0 {
		t.Errorf("warm calls read secrets %d times", got)
	}
}

// TestGrowthMatrix: an answer of 256 KB takes no more than five times as long as one of 64 KB, from the event to the
// answer.
func TestGrowthMatrix(t *testing.T) {
	w := newWarm(t, fmt.Sprintf(verified, "null"))
	payload := event(t, "key")
	growthtest.Linear(t, verified, "999900000016", func(answer []byte) {
		w.partner.body = string(answer)
		clear(w.ledger.records)
		if out := w.call(t, payload); len(answer) > 200<<10 && len(out) < 200<<10 {
			t.Error("is not passed on")
		}
	})
}
