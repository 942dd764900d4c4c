package mbanq_test

import (
	"testing"

	"sallyport/functions/sandbox"
	"sallyport/functions/sandbox/mbanq"
	"sallyport/functions/sandbox/sandboxtest"
)

// harness is a sandbox of Mbanq alone.
type harness struct {
	*sandboxtest.Harness
	token  string // see access
	made   int    // clients and identifiers, no two of which may be alike
	spared int    // clients that were deleted, of those that prepare made for it
}

type options = sandboxtest.Options[mbanq.Options]

func open(t testing.TB, change ...func(*options)) *harness {
	t.Helper()
	return openOn(t, sandboxtest.NewBolt(t), change...)
}

func openOn(t testing.TB, store sandbox.Store, change ...func(*options)) *harness {
	t.Helper()
	return &harness{Harness: sandboxtest.OpenPartner(t, store, mbanq.New, mbanq.Options{}, change...)}
}

func want[T any](t testing.TB, got, want T) {
	t.Helper()
	sandboxtest.Want(t, got, want)
}

func operations() []sandbox.Operation {
	return sandbox.Operations([]sandbox.Simulator{mbanq.New(mbanq.Options{})})
}

// suite is Mbanq as the tests that every simulated partner must pass need it.
func suite() sandboxtest.Suite {
	return sandboxtest.Suite{
		Simulator: mbanq.New(mbanq.Options{}),
		Prepare: func(t testing.TB, store sandbox.Store, change func(*sandbox.Options)) sandboxtest.Prepared {
			t.Helper()
			h := openOn(t, store, func(o *options) { change(&o.Options) })
			h.prepare()
			return sandboxtest.Prepared{Harness: h.Harness, Request: h.requestTo, Renew: func() { h.token = "" }}
		},
		Failure: failureOf,
		Again: func(t *testing.T, op sandbox.Operation, f sandbox.Fault, _ string, effect bool) {
			if op.Name == "client-command" {
				want(t, effect, !f.Effect) // verified already
				return
			}
			want(t, effect, op.Effect)
		},
	}
}

func TestFaultMatrix(t *testing.T) { suite().FaultMatrix(t) }

func TestBrokenStore(t *testing.T) { suite().BrokenStore(t) }
