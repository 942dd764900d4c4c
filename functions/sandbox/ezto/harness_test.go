package ezto_test

import (
	"testing"

	"sallyport/functions/sandbox"
	"sallyport/functions/sandbox/ezto"
	"sallyport/functions/sandbox/sandboxtest"
)

// harness is a sandbox of EZTO alone.
type harness struct {
	*sandboxtest.Harness
	handle string // of a transaction that has a result; see prepare
}

type options = sandboxtest.Options[ezto.Options]

func openOn(t testing.TB, store sandbox.Store, change ...func(*options)) *harness {
	t.Helper()
	all := ezto.Options{SigningKey: signingKey()}
	return &harness{Harness: sandboxtest.OpenPartner(t, store, ezto.New, all, change...)}
}

func want[T any](t testing.TB, got, want T) {
	t.Helper()
	sandboxtest.Want(t, got, want)
}

// suite is EZTO as the tests that every simulated partner must pass need it.
func suite() sandboxtest.Suite {
	return sandboxtest.Suite{
		Simulator: ezto.New(ezto.Options{}),
		Prepare: func(t testing.TB, store sandbox.Store, change func(*sandbox.Options)) sandboxtest.Prepared {
			t.Helper()
			h := openOn(t, store, func(o *options) { change(&o.Options) })
			h.prepare()
			return sandboxtest.Prepared{Harness: h.Harness, Request: h.requestTo}
		},
		Failure: func(_ sandbox.Operation, status int) string { return failures[status] },
		Again: func(t *testing.T, op sandbox.Operation, _ sandbox.Fault, _ string, effect bool) {
			want(t, effect, op.Effect)
		},
	}
}

func TestFaultMatrix(t *testing.T) { suite().FaultMatrix(t) }

func TestBrokenStore(t *testing.T) { suite().BrokenStore(t) }
