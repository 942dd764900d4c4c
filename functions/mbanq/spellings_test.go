package mbanq_test

import (
	"fmt"
	"testing"

	"sallyport/functions/mbanq"
	"sallyport/shared/gateway"
	"sallyport/shared/operation"
	"sallyport/shared/tolerant/toleranttest"
)

// TestSpellingsMatrix: an answer is understood alike however the partner writes it.
func TestSpellingsMatrix(t *testing.T) {
	understood(t, answer{200, created}, mbanq.CreateClient, post(aClient))
	for _, text := range []string{aPending, aVerified} {
		understood(t, answer{200, text}, mbanq.GetClient, to(""))
		toleranttest.Alike(t, text, func(text string) string {
			out, err := mbanq.ClientOnboarding().Outcome(gateway.JSON(200, []byte(text)), nil, nil)
			return fmt.Sprint(string(out), err)
		})
	}
	for _, a := range []answer{
		{200, verified}, violation("error.msg.client.not.active"), violation("validation.msg.client.mobile.unverified"),
		{404, envelope(404, "error.msg.resource.not.found", problem("error.msg.client.id.invalid", "x"))},
		{403, envelope(403, "error.msg.not.authorized")},
	} {
		understood(t, a, mbanq.ClientCommand, to(full, "command", "verify"))
	}
}

func understood[In any](
	t *testing.T, a answer, make func(mbanq.Config) operation.Operation[In], req gateway.Request,
) {
	t.Helper()
	toleranttest.Alike(t, a.body, func(text string) string {
		op := make(newPartner(t, answer{a.status, text}).config())
		got := call(t, op, req)
		return fmt.Sprint(got.Class, got.Code, got.Refs, got.Creates, op.Output(got.Reply))
	})
}
