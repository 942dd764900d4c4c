package iron_test

import (
	"strings"
	"testing"

	"sallyport/functions/iron"
	"sallyport/shared/gateway"
	"sallyport/shared/operation"
)

// TestReads: an answer about something else than was asked for is none.
func TestReads(t *testing.T) {
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
		"OtherIdentification": {
			func(c iron.Config) operation.Outcome { return call(t, iron.GetIdentification(c), about()) },
			change(t, aPending, identificationID, other), operation.Unavailable,
		},
		"ExternalOdd": {
			func(c iron.Config) operation.Outcome { return call(t, iron.GetCustomer(c), external("x")) }, `{"id":5}`,
			operation.Unavailable,
		},
		"ListOdd": {
			func(c iron.Config) operation.Outcome { return call(t, iron.ListIdentifications(c), about()) }, `{"items":null}`,
			operation.Unavailable,
		},
		"NewestOdd": {func(c iron.Config) operation.Outcome {
			return call(t, iron.ListIdentifications(c), fromMachine(about()))
		}, `{"items":[{"id":"x"}]}`, operation.Unavailable},
		"CursorOdd": {func(c iron.Config) operation.Outcome {
			return call(t, iron.ListIdentifications(c), fromMachine(about()))
		}, `{"items":[],"cursor":5}`, operation.Unavailable},
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
	t.Run("NewestOfSeveralPages", func(t *testing.T) { // whatever their order
		one := change(t, aPending, "2026-03-02T09:14:07Z", "2026-03-01T09:14:07.5+00:00", `"Pending"`, `"Declined"`)
		two := change(
			t, aPending, identificationID, other, "2026-03-02T09:14:07Z", "2026-03-02T10:14:07+01:00", `"Pending"`,
			`"Processed"`,
		)
		p := newPartner(
			t, answer{200, `{"items":[` + one + `],"cursor":"` + customerID + `"}`},
			answer{200, `{"items":[],"cursor":"` + other + `"}`}, answer{200, `{"items":[` + two + `]}`},
		)
		op := iron.ListIdentifications(p.config())
		got := call(t, op, fromMachine(about()))
		if summary := op.Output(got.Reply); string(got.Reply.Body) != two || summary["state"] != "processed" ||
			got.Refs["identification_id"] != other {
			t.Errorf("got %+v", got)
		}
		if all := p.requests(); len(all) != 3 || !strings.HasSuffix(all[1].url, "?cursor="+customerID+"&page_size=100") ||
			!strings.HasSuffix(all[2].url, "?cursor="+other+"&page_size=100") {
			t.Errorf("asked %+v", all)
		}
	})
	t.Run("NewestOfNone", func(t *testing.T) {
		op := iron.ListIdentifications(newPartner(t, answer{200, none}).config())
		if got := call(t, op, fromMachine(about())); string(got.Reply.Body) != "{}" ||
			op.Output(got.Reply)["state"] != "none" || op.Output(got.Reply)["identification_id"] != "" {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("EndlessList", func(t *testing.T) {
		endless := make([]answer, 20)
		for i := range endless {
			endless[i] = answer{200, `{"items":[],"cursor":"` + customerID + `"}`}
		}
		if got := call(
			t, iron.ListIdentifications(newPartner(t, endless...).config()), fromMachine(about()),
		); got.Class != operation.Unavailable {
			t.Errorf("got %+v", got)
		}
	})
}
