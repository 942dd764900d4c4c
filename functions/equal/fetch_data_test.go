package equal_test

import (
	"testing"

	"sallyport/functions/equal"
	"sallyport/shared/operation"
)

// TestFetchData: a read, of a transaction that must be the tenant's own.
func TestFetchData(t *testing.T) {
	const body = `{"transaction_id":"x-1","journey_transaction_id":"j-1"}`
	op := equal.FetchData(equal.Config{})
	if in, err := decode(op, body); err != nil || op.OnUnknown != nil || op.Resource(in) != "equal/transaction/x-1" {
		t.Errorf("%v, of %s", err, op.Resource(in))
	}
	for status, want := range map[int]operation.Class{200: operation.Done, 500: operation.Unknown} {
		a := answer{status, `{"status":"IN_PROGRESS","status_code":"success"}`}
		if outcome, _, sent := call(t, equal.FetchData, body, a); outcome.Class != want || sent != body {
			t.Errorf("%d: sent %s, got %+v", status, sent, outcome)
		}
	}
	for _, body := range []string{``, `{}`, `{"transaction_id":"x-1"}`, `{"journey_transaction_id":"j-1"}`} {
		if _, err := decode(op, body); err == nil {
			t.Errorf("%s is a request", body)
		}
	}
}
