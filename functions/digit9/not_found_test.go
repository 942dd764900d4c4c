package digit9_test

import (
	"testing"

	"sallyport/functions/digit9"
	"sallyport/shared/operation"
)

func TestGetCustomer404(t *testing.T) {
	for _, text := range []string{``, `{"timestamp":"x","status":404,"error":"Not Found","path":"/x"}`} {
		got := call(t, digit9.GetCustomer(config(newPartner(t, answer{404, text}).url)), ecrnOf("1"))
		if got.Class != operation.Done || got.Code != "45001" {
			t.Errorf("%q: %+v", text, got)
		}
	}
}
