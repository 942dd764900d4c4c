package digit9_test

import (
	"fmt"
	"testing"

	"sallyport/functions/digit9"
	"sallyport/shared/gateway"
	"sallyport/shared/operation"
	"sallyport/shared/tolerant/toleranttest"
)

// TestSpellingsMatrix: an answer is understood alike however the partner writes it.
func TestSpellingsMatrix(t *testing.T) {
	for _, text := range []string{
		found, camel(404, 45001, "Customer not found"), camel(500, 45013, "x"), camel(404, 45051, "x"),
		`{"status":"success","statusCode":200,"data":{"ecrn":"784100","customer_status":"KYC_PENDING"}}`,
	} {
		understood(t, text, digit9.LookupCustomer, body(aLookup))
		understood(t, text, digit9.GetCustomer, ecrnOf("7841009900000017"))
	}
	for _, text := range []string{
		onboarded, snake("failed", 406, 45013, "Customer 784100 is under Compliance investigation"),
		snake("failure", 400, 40002, "Invalid format input"), snake("failed", 409, 40004, "Customer already exists"),
	} {
		understood(t, text, digit9.OnboardCustomer, body(sample))
	}
}

func understood[In any](
	t *testing.T, text string, make func(digit9.Config) operation.Operation[In], req gateway.Request,
) {
	t.Helper()
	toleranttest.Alike(t, text, func(text string) string {
		op := make(config(newPartner(t, answer{200, text}, answer{200, found}, answer{200, found}).url))
		got := call(t, op, req)
		if op.Output == nil {
			return fmt.Sprint(got.Class, got.Code, got.Refs, got.Creates)
		}
		return fmt.Sprint(got.Class, got.Code, got.Refs, got.Creates, op.Output(got.Reply))
	})
}
