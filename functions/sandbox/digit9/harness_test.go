package digit9_test

import (
	"net/http"
	"testing"

	"sallyport/functions/sandbox"
	"sallyport/functions/sandbox/digit9"
	"sallyport/functions/sandbox/sandboxtest"
)

// harness is a sandbox of Digit9 alone.
type harness struct {
	*sandboxtest.Harness
	token string // see access
}

type options = sandboxtest.Options[digit9.Options]

func open(t testing.TB, change ...func(*options)) *harness {
	t.Helper()
	return openOn(t, sandboxtest.NewBolt(t), change...)
}

func openOn(t testing.TB, store sandbox.Store, change ...func(*options)) *harness {
	t.Helper()
	return &harness{Harness: sandboxtest.OpenPartner(t, store, digit9.New, digit9.Options{}, change...)}
}

func want[T any](t testing.TB, got, want T) {
	t.Helper()
	sandboxtest.Want(t, got, want)
}

// suite is Digit9 as the tests that every simulated partner must pass need it.
func suite() sandboxtest.Suite {
	return sandboxtest.Suite{
		Simulator: digit9.New(digit9.Options{}),
		Prepare: func(t testing.TB, store sandbox.Store, change func(*sandbox.Options)) sandboxtest.Prepared {
			t.Helper()
			h := openOn(t, store, func(o *options) { change(&o.Options) })
			h.onboard(ordinary)
			return sandboxtest.Prepared{
				Harness: h.Harness,
				Request: func(op sandbox.Operation) *http.Request { return h.requestTo(op.Name) },
				Renew:   func() { h.token = "" },
			}
		},
		Failure: func(op sandbox.Operation, status int) string { return failureOf(op.Name, status) },
		Mask:    masked,
		Again: func(t *testing.T, op sandbox.Operation, _ sandbox.Fault, _ string, effect bool) {
			want(t, effect, op.Effect)
		},
	}
}

func TestFaultMatrix(t *testing.T) { suite().FaultMatrix(t) }

func TestBrokenStore(t *testing.T) { suite().BrokenStore(t) }
