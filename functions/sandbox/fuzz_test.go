package sandbox_test

import (
	"testing"

	"sallyport/functions/sandbox"
	"sallyport/functions/sandbox/sandboxtest"
)

// FuzzServeHTTP is about the frame's own routes. The partners' tests have their operations.
func FuzzServeHTTP(f *testing.F) {
	frame := sandboxtest.Suite{
		Prepare: func(t testing.TB, store sandbox.Store, change func(*sandbox.Options)) sandboxtest.Prepared {
			return sandboxtest.Prepared{Harness: openOn(t, store, change).Harness}
		},
	}
	frame.FuzzServeHTTP(f,
		[4]string{"GET", "/sandbox/requests", "partner=equal&operation=fetch-data", ""},
		[4]string{"GET", "/sandbox/requests", "%zz", ""},
		[4]string{"GET", "/sandbox/requests", "\xff", ""},
		[4]string{
			"POST", "/sandbox/faults", "", `{"partner":"equal","operation":"init-transaction","fault":"malformed","times":3}`,
		},
		[4]string{"POST", "/sandbox/settings", "", `{"partner":"equal","name":"step1_status","value":"SUCCESS"}`},
		[4]string{"POST", "/sandbox/reset", "", `{}`},
		[4]string{"CONNECT", "//sandbox/../%2e", "", "\xff"},
		[4]string{"", "*", "", `{"transaction_id":null}`},
	)
}
