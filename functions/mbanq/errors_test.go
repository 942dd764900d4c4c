package mbanq_test

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"sallyport/functions/mbanq"
	"sallyport/shared/gateway"
	"sallyport/shared/operation"
)

// TestEveryConditionHasAnAnswer: each in the shape of its endpoint, with a status that fits, and none of them a
// success.
func TestEveryConditionHasAnAnswer(t *testing.T) {
	c := mbanq.Config{}
	common := map[operation.Condition]int{
		operation.NoKey: 401, operation.BadKey: 401, operation.Forbidden: 403, operation.TooLarge: 413,
		operation.InvalidRequest: 400, operation.NoSuchRecord: 404,
		operation.KeyReused: 422, operation.InFlight: 425, operation.AnswerGone: 410, operation.OutcomeUnknown: 500,
		operation.LedgerDown: 503, operation.PartnerDown: 503,
		operation.PartnerThrottled: 429, operation.CredentialsRejected: 500, operation.Internal: 500,
	}
	const noKey = `{"developerMessage":"Invalid authentication details were passed in api request.","httpStatusCode":"401","defaultUserMessage":"Unauthenticated. Please login.","userMessageGlobalisationCode":"error.msg.not.authenticated","errors":null}`
	for name, test := range map[string]struct {
		render   func(operation.Condition, string) gateway.Reply
		statuses map[operation.Condition]int // where they aren't the common ones
		exact    map[operation.Condition]string
	}{
		"Client": {mbanq.CreateClient(c).Errors, nil, map[operation.Condition]string{
			operation.NoKey:          noKey,
			operation.InvalidRequest: `{"developerMessage":"The JSON provided in the body of the request is invalid or missing.","defaultUserMessage":"The JSON provided in the body of the request is invalid or missing.","userMessageGlobalisationCode":"error.msg.invalid.request.body","parameterName":"id","value":null,"args":[]}`,
		}},
		"Identifier": {mbanq.AttachDocument(c).Errors, nil, map[operation.Condition]string{operation.BadKey: noKey}},
		"Token": {mbanq.IssueToken(c).Errors, map[operation.Condition]int{
			operation.NoKey: 400, operation.BadKey: 400, operation.NoSuchRecord: 500, operation.KeyReused: 500,
			operation.InFlight: 500, operation.AnswerGone: 500,
		}, map[operation.Condition]string{
			operation.BadKey:     `{"error":"invalid_grant","error_description":"Bad credentials"}`,
			operation.LedgerDown: `{"error":"temporarily_unavailable","error_description":"Try again later."}`,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, condition := range operation.Conditions() {
				reply := test.render(condition, "the detail is for the header")
				want, other := test.statuses[condition]
				if !other {
					want = common[condition]
				}
				text := string(reply.Body)
				if reply.Status != want || reply.ContentType != "application/json" || strings.Contains(text, "the detail") {
					t.Errorf("%s: %d %s", condition, reply.Status, text)
				}
				var said struct {
					Status string `json:"httpStatusCode"`
					Code   string `json:"userMessageGlobalisationCode"`
					Error  string `json:"error"`
				}
				if err := json.Unmarshal(reply.Body, &said); err != nil || said.Code == "" && said.Error == "" ||
					said.Status != "" && said.Status != strconv.Itoa(want) {
					t.Errorf("%s: %s, %v", condition, text, err)
				}
				if exact := test.exact[condition]; exact != "" && text != exact {
					t.Errorf("%s: %s, want %s", condition, text, exact)
				}
				if condition == operation.OutcomeUnknown && strings.Contains(strings.ToLower(text), "try again") {
					t.Errorf("an unknown outcome must not invite a repeat: %s", text)
				}
			}
		})
	}
}
