package digit9_test

import (
	"encoding/json"
	"strings"
	"testing"

	"sallyport/functions/digit9"
	"sallyport/shared/gateway"
	"sallyport/shared/operation"
)

// TestEveryConditionHasAnAnswer: each in the shape of its endpoint, with a status that fits, and none of them a
// success.
func TestEveryConditionHasAnAnswer(t *testing.T) {
	c := config("")
	const readFailed, none, backend = `45006,"message":"Error while searching customer!"}`, `"message":""`, `40001,"message":"Backend Technical Problem"`
	common := map[operation.Condition]int{
		operation.NoKey: 401, operation.BadKey: 401, operation.Forbidden: 403, operation.TooLarge: 413,
		operation.InvalidRequest: 400, operation.NoSuchRecord: 404,
		operation.KeyReused: 422, operation.InFlight: 409, operation.AnswerGone: 410, operation.OutcomeUnknown: 502,
		operation.LedgerDown: 503, operation.PartnerDown: 503,
		operation.PartnerThrottled: 429, operation.CredentialsRejected: 500, operation.Internal: 500,
	}
	for name, test := range map[string]struct {
		render   func(operation.Condition, string) gateway.Reply
		statuses map[operation.Condition]int // where they aren't the common ones
		contains map[operation.Condition]string
	}{
		"Lookup": {digit9.LookupCustomer(c).Errors,
			map[operation.Condition]int{
				operation.InvalidRequest: 200, operation.NoSuchRecord: 200, operation.OutcomeUnknown: 500,
			},
			map[operation.Condition]string{
				operation.NoKey:          spring401,
				operation.InvalidRequest: camel(400, 40001, "Invalid format input"),
				operation.NoSuchRecord:   camel(404, 45001, "Customer not found"),
				operation.PartnerDown:    readFailed, operation.LedgerDown: readFailed, operation.CredentialsRejected: readFailed,
				operation.Internal: readFailed,
			}},
		"Get": {digit9.GetCustomer(c).Errors,
			map[operation.Condition]int{
				operation.InvalidRequest: 200, operation.NoSuchRecord: 200, operation.OutcomeUnknown: 500,
			},
			map[operation.Condition]string{
				operation.BadKey: `{"timestamp":"` + springAt + `","status":401,"error":"Unauthorized","path":"/api/v2/customer/`,
			}},
		"Onboard": {digit9.OnboardCustomer(c).Errors, nil, map[operation.Condition]string{
			operation.NoKey:          `{"timestamp":"` + springAt + `","status":401,"error":"Unauthorized","message":"","path":"/api/v1/CAAS/onBoarding/customer"}`,
			operation.Forbidden:      none,
			operation.InvalidRequest: `{"status":"failure","status_code":400,"error_code":40002,"message":"Invalid format or missing mandatory request","request_id":"` + aHex + `"}`,
			operation.NoSuchRecord:   `45032,"message":"Customer update failed"`, operation.PartnerDown: backend,
			operation.CredentialsRejected: backend, operation.Internal: backend,
			operation.OutcomeUnknown: "may have taken effect",
		}},
		"Token": {digit9.IssueToken(c).Errors, map[operation.Condition]int{
			operation.NoSuchRecord: 500, operation.KeyReused: 500, operation.InFlight: 500, operation.AnswerGone: 500,
			operation.OutcomeUnknown: 500,
		}, map[operation.Condition]string{
			operation.BadKey:   `{"error":"unauthorized_client","error_description":"Invalid client or Invalid client credentials"}`,
			operation.Internal: "server_error",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, condition := range operation.Conditions() {
				reply := test.render(condition, "the detail is for the header")
				want, other := test.statuses[condition]
				if !other {
					want = common[condition]
				}
				if reply.Status != want || reply.ContentType != "application/json" {
					t.Errorf("%s: %d %s", condition, reply.Status, reply.Body)
				}
				var said struct {
					Status     any    `json:"status"`
					StatusCode int    `json:"status_code"`
					Code       int    `json:"errorCode"`
					SnakeCode  int    `json:"error_code"`
					Error      string `json:"error"`
				}
				if err := json.Unmarshal(reply.Body, &said); err != nil || said.Status == "success" ||
					said.Code == 0 && said.SnakeCode == 0 && said.Error == "" {
					t.Errorf("%s: %s, %v", condition, reply.Body, err)
				}
				if condition == operation.CredentialsRejected &&
					(reply.Status == 401 || strings.Contains(string(reply.Body), "401")) {
					t.Errorf("the partner rejects ours, the caller's key is right: %d %s", reply.Status, reply.Body)
				}
				if !strings.Contains(string(reply.Body), test.contains[condition]) ||
					strings.Contains(string(reply.Body), "the detail") {
					t.Errorf("%s: %s, want %s", condition, reply.Body, test.contains[condition])
				}
				if condition == operation.OutcomeUnknown && strings.Contains(strings.ToLower(string(reply.Body)), "try again") {
					t.Errorf("an unknown outcome must not invite a repeat: %s", reply.Body)
				}
			}
		})
	}
}
