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
