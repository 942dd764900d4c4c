package iron_test

import (
	"strings"
	"testing"

	"sallyport/functions/iron"
	"sallyport/shared/gateway"
	"sallyport/shared/operation"
)

// TestReads: an answer about something else than was asked for is none.
func TestGetCustomer(t *testing.T) {
	other := strings.Replace(customerID, "7", "8", 1)
	for name, test := range map[string]struct {
		call  func(iron.Config) operation.Outcome
		body  string
		class operation.Class
	}{
		"Customer": {
			func(c iron.Config) operation.Outcome { return call(t, iron.GetCustomer(c), about()) },
			change(t, created, customerID, strings.ToUpper(customerID)), operation.Done,
		},
		"OtherCustomer": {
			func(c iron.Config) operation.Outcome { return call(t, iron.GetCustomer(c), about()) },
			change(t, created, customerID, other), operation.Unavailable,
		},
		"ExternalOdd": {
			func(c iron.Config) operation.Outcome { return call(t, iron.GetCustomer(c), external("x")) }, `{"id":5}`,
			operation.Unavailable,
		},
	} {
		if got := test.call(newPartner(t, answer{200, test.body}).config()); got.Class != test.class {
			t.Errorf("%s: %+v", name, got)
		}
	}
	t.Run("ExternalAbsent", func(t *testing.T) {
		op := iron.GetCustomer(newPartner(t, answer{404, `"customer not found"`}).config())
		if got := call(t, op, external("x")); got.Class != operation.Done || got.Code != "absent" ||
			string(got.Reply.Body) != "{}" || op.Output(got.Reply)["customer_id"] != "" {
			t.Errorf("got %+v", got)
		}
		for _, body := range []string{`{}`, `{"external_id":""}`, `{"external_id":5}`, `{"external_id":"x","more":1}`} {
			if _, err := op.Decode(gateway.Request{FromStateMachine: true, Body: []byte(body)}); err == nil {
				t.Errorf("%s is a question", body)
			}
		}
		if got := call(
			t, iron.GetCustomer(newPartner(t, answer{503, ``}).config()), external("x"),
		); got.Class != operation.Unavailable {
			t.Errorf("got %+v", got)
		}
	})
}
