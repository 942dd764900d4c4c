package equal_test

import (
	"fmt"
	"testing"

	"sallyport/functions/equal"
	"sallyport/shared/operation"
	"sallyport/shared/tolerant/toleranttest"
)

// TestSpellingsMatrix: an answer is understood alike however the partner writes it.
func TestSpellingsMatrix(t *testing.T) {
	const envelope = `{"transaction_id":"1234","journey_transaction_id":"77","journey_id":"5","status":%q,"status_code":%q,` +
		`"decision":"CLEAR","checks":[],"data":{"keys":{"aadhaar":[{"aadhaar_no":"999900000016","name":"Noor"}]}}}`
	for _, a := range [][2]string{
		{"SUCCESS", "success"}, {"IN_PROGRESS", "success"}, {"FAILURE", "invalid_otp"}, {"FAILURE", "4001"},
	} {
		text := fmt.Sprintf(envelope, a[0], a[1])
		understood(t, text, equal.ExecuteJourney, step(number, "012345"))
		understood(t, text, equal.FetchData, `{"transaction_id":"x-1","journey_transaction_id":"j-1"}`)
	}
}

func understood[In any](t *testing.T, text string, make func(equal.Config) operation.Operation[In], body string) {
	t.Helper()
	toleranttest.Alike(t, text, func(text string) string {
		got, _, _ := call(t, make, body, answer{200, text})
		return fmt.Sprint(got.Class, got.Code, got.Refs, got.Creates, make(equal.Config{}).Output(got.Reply))
	})
}
