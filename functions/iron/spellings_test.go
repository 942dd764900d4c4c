package iron_test

import (
	"fmt"
	"testing"

	"sallyport/functions/iron"
	"sallyport/shared/gateway"
	"sallyport/shared/operation"
	"sallyport/shared/tolerant/toleranttest"
)

// TestSpellingsMatrix: an answer is understood alike however the partner writes it.
func TestSpellingsMatrix(t *testing.T) {
	understood(t, created, iron.CreateCustomer, enroll(aCustomer))
	understood(t, aPending, iron.GetIdentification, gateway.Request{
		Method: "GET", Params: map[string]string{"identificationId": identificationID},
	})
	understood(t, `{"items":[`+aPending+`],"cursor":null}`, iron.ListIdentifications, fromMachine(about()))
	for _, at := range []string{
		`"2026-03-02T09:14:07+0000"`, `"2026-03-02 10:14:07+01:00"`, `" 2026-03-02t09:14:07z "`, `1772442847`, `"1772442847000"`,
	} {
		one := change(t, aPending, `"created_at":"2026-03-02T09:14:07Z"`, `"created_at":`+at)
		op := iron.ListIdentifications(newPartner(t, answer{200, `{"items":[` + one + `]}`}).config())
		if got := call(t, op, fromMachine(about())); op.Output(got.Reply)["state"] != "pending" {
			t.Errorf("%s: %+v", at, got)
		}
	}
	toleranttest.Alike(t, aPending, func(text string) string {
		out, err := iron.CustomerIdentification(iron.Config{}).Outcome(gateway.JSON(200, []byte(text)), nil, nil)
		return fmt.Sprint(len(out) > 0, err)
	})
}

func understood[In any](
	t *testing.T, text string, make func(iron.Config) operation.Operation[In], req gateway.Request,
) {
	t.Helper()
	toleranttest.Alike(t, text, func(text string) string {
		op := make(newPartner(t, answer{200, text}).config())
		got := call(t, op, req)
		return fmt.Sprint(got.Class, got.Code, got.Refs, got.Creates, op.Output(got.Reply))
	})
}
