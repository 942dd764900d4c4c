package equal_test

import (
	"encoding/json"
	"testing"

	"sallyport/functions/equal"
	"sallyport/shared/ledger"
	"sallyport/shared/operation"
)

// TestInitTransaction: Equal opens one transaction for an idempotency id, so that a lost answer is asked for again;
// tenants may share an account there, so that the id that it sees begins with the tenant.
func TestInitTransaction(t *testing.T) {
	opened := answer{200, `{"status":"SUCCESS","status_code":"success","transaction_id":"x-1"}`}
	for body, want := range map[string]struct {
		sent      string
		onUnknown operation.Resolution
	}{
		`{"gateway_instance_id":"g","idempotency_id":"i"}`: {
			`{"gateway_instance_id":"g","idempotency_id":"acme:i"}`, operation.SafeRetry,
		},
		`{"gateway_instance_id":"g"}`: {`{"gateway_instance_id":"g"}`, operation.Manual},
	} {
		outcome, _, sent := call(t, equal.InitTransaction, body, opened)
		if outcome.Class != operation.Done || outcome.Creates == "" || sent != want.sent {
			t.Errorf("%s: sent %s, got %+v", body, sent, outcome)
		}
		op := equal.InitTransaction(equal.Config{})
		in, err := decode(op, body)
		if err != nil || op.OnUnknown(in) != want.onUnknown {
			t.Errorf("%s: %v, resolved by %v", body, err, op.OnUnknown(in))
		}
	}
	// No page says what the members are called, so none is demanded.
	for body, ok := range map[string]bool{
		`{}`: true, `{"gateway_instance_id":7}`: true, `{"instance":"g"}`: true, `[]`: true, ``: false, `{`: false,
	} {
		if _, err := decode(equal.InitTransaction(equal.Config{}), body); (err == nil) != ok {
			t.Errorf("%s: %v", body, err)
		}
	}
}

// TestIdempotencyIDOfTenants: no two tenants have one id at Equal, also where one was registered with a colon in its
// name.
func TestIdempotencyIDOfTenants(t *testing.T) {
	seen := map[string]string{}
	for _, tenant := range []string{"acme", "acme:x", "acme%3Ax", "acme::x", "acme:", "a b/c", "A-1_b.c"} {
		for _, id := range []string{"y", "x:y", ":x:y", ":y", "3Ax:y", "%3Ax:y"} {
			var sent struct {
				ID string `json:"idempotency_id"`
			}
			body := `{"gateway_instance_id":"g","idempotency_id":"` + id + `"}`
			_, _, text := callFor(t, tenant, equal.InitTransaction, body, answer{200, `{}`})
			if err := json.Unmarshal([]byte(text), &sent); err != nil {
				t.Fatal(err)
			}
			who := tenant + ", " + id
			if other, taken := seen[sent.ID]; taken {
				t.Errorf("%s and %s have the id %s", who, other, sent.ID)
			}
			seen[sent.ID] = who
			if ledger.CheckTenant(tenant) == nil && sent.ID != tenant+":"+id {
				t.Errorf("%s has the id %s", who, sent.ID)
			}
		}
	}
}
