package iron_test

import (
	"strings"
	"testing"

	"sallyport/functions/sandbox"
	"sallyport/functions/sandbox/iron"
	"sallyport/functions/sandbox/sandboxtest"
)

// harness is a sandbox of Iron alone.
type harness struct {
	*sandboxtest.Harness
	keys   int      // idempotency keys that were used
	spared []string // customers that prepare made, each with an identification that is not decided
	used   int
}

type options = sandboxtest.Options[iron.Options]

func open(t testing.TB, change ...func(*options)) *harness {
	t.Helper()
	return openOn(t, sandboxtest.NewBolt(t), change...)
}

func openOn(t testing.TB, store sandbox.Store, change ...func(*options)) *harness {
	t.Helper()
	return &harness{Harness: sandboxtest.OpenPartner(t, store, iron.New, iron.Options{}, change...)}
}

func want[T any](t testing.TB, got, want T) {
	t.Helper()
	sandboxtest.Want(t, got, want)
}

func operations() []sandbox.Operation {
	return sandbox.Operations([]sandbox.Simulator{iron.New(iron.Options{})})
}

// suite is Iron as the tests that every simulated partner must pass need it.
func suite() sandboxtest.Suite {
	return sandboxtest.Suite{
		Simulator: iron.New(iron.Options{}),
		Prepare: func(t testing.TB, store sandbox.Store, change func(*sandbox.Options)) sandboxtest.Prepared {
			t.Helper()
			h := openOn(t, store, func(o *options) { change(&o.Options) })
			h.prepare()
			return sandboxtest.Prepared{Harness: h.Harness, Request: h.requestTo}
		},
		Failure: func(_ sandbox.Operation, status int) string { return failures[status] },
		Mask:    masked,
		Success: func(op sandbox.Operation) int {
			if op.Method == "POST" && op.Name != "reset-data" {
				return 201
			}
			return 200
		},
		Begins: func(op sandbox.Operation, body string) bool {
			if op.Name == "reset-data" {
				return strings.HasPrefix("true", body)
			}
			return strings.HasPrefix(strings.TrimPrefix(body, "["), `{"`)
		},
		Again: func(t *testing.T, op sandbox.Operation, _ sandbox.Fault, _ string, effect bool) {
			want(t, effect, op.Effect)
		},
	}
}

func TestFaultMatrix(t *testing.T) { suite().FaultMatrix(t) }

func TestBrokenStore(t *testing.T) { suite().BrokenStore(t) }
