package equal_test

import (
	"fmt"
	"testing"
)

// Allocations of one warm Invoke. They may only fall; whoever raises one says why.
const (
	freshAllocations  = 700
	replayAllocations = 250
)

func TestAllocations(t *testing.T) {
	w := newWarm(t, fmt.Sprintf(verified, "null"))
	const runs = 100
	payloads := make([][]byte, runs+1) // one call more, to warm up
	for i := range payloads {
		payloads[i] = event(t, fmt.Sprint("key-", i))
	}
	n := 0
	fresh := testing.AllocsPerRun(runs, func() {
		w.call(t, payloads[n])
		n++
	})
	replay := testing.AllocsPerRun(runs, func() { w.call(t, payloads[0]) })
	t.Logf("fresh %v, replay %v", fresh, replay)
	if fresh > freshAllocations {
		t.Errorf("a fresh call takes %v allocations, want at most %v", fresh, freshAllocations)
	}
	if replay > replayAllocations {
		t.Errorf("a replay takes %v allocations, want at most %v", replay, replayAllocations)
	}
}
