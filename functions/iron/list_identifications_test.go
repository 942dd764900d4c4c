package iron_test

import (
	"strings"
	"testing"

	"sallyport/functions/iron"
	"sallyport/shared/gateway"
	"sallyport/shared/operation"
)

func TestListIdentifications(t *testing.T) {
	other := strings.Replace(customerID, "7", "8", 1)
	for _, body := range []string{`{"items":null}`, `{"items":[{"id":"x"}]}`, `{"items":[],"cursor":5`} {
		for _, req := range []gateway.Request{about(), fromMachine(about())} {
			op := iron.ListIdentifications(newPartner(t, answer{200, body}).config())
			if got := call(t, op, req); got.Class != operation.Unavailable && (req.FromStateMachine || body == `{"items":null}`) {
				t.Errorf("%s: %+v", body, got)
			}
		}
	}
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
