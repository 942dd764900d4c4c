package equal_test

import (
	"encoding/json"
	"strings"
	"testing"

	"sallyport/functions/equal"
	"sallyport/shared/operation"
)

func TestEveryConditionHasAnAnswer(t *testing.T) {
	render := equal.ExecuteJourney(equal.Config{}).Errors
	statuses := map[operation.Condition]int{
		operation.NoKey: 401, operation.BadKey: 401, operation.Forbidden: 403, operation.TooLarge: 413,
		operation.InvalidRequest: 400,
		operation.NoSuchRecord:   400, operation.KeyReused: 422, operation.InFlight: 409, operation.OutcomeUnknown: 500,
		operation.LedgerDown:  503,
		operation.PartnerDown: 503, operation.PartnerThrottled: 429, operation.CredentialsRejected: 500,
		operation.Internal: 500, operation.AnswerGone: 410,
	}
	for _, condition := range operation.Conditions() {
		reply := render(condition, "")
		if reply.Status != statuses[condition] {
			t.Errorf("%s: %d %s", condition, reply.Status, reply.Body)
		}
		var e struct{ Status, Message string }
		empty := reply.Status == 429 || reply.Status == 503 // the partner documents no body for these
		if empty != (len(reply.Body) == 0) ||
			!empty && (json.Unmarshal(reply.Body, &e) != nil || e.Status != "FAILURE" || e.Message == "") {
			t.Errorf("%s: %s", condition, reply.Body)
		}
	}
	if strings.Contains(string(render(operation.OutcomeUnknown, "").Body), "try again") {
		t.Error("an unknown outcome must not invite a repeat")
	}
}
