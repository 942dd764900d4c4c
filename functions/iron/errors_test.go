package iron_test

import (
	"encoding/json"
	"strings"
	"testing"

	"sallyport/functions/iron"
	"sallyport/shared/gateway"
	"sallyport/shared/operation"
)

// TestEveryConditionHasAnAnswer: to the byte, but for the id of a fault.
func TestEveryConditionHasAnAnswer(t *testing.T) {
	c := iron.Config{}
	const unavailable = `{"message":"the service is not available, try again later","trace_id":"*"}`
	for condition, want := range map[operation.Condition]answer{
		operation.NoKey: {401, `authorization error`}, operation.BadKey: {401, `authorization error`},
		operation.Forbidden: {403, `"this key may not use Iron"`}, operation.TooLarge: {413, `"the request is too large"`},
		operation.InvalidRequest: {400, `"invalid request: /x: y"`}, operation.NoSuchRecord: {404, `"customer not found"`},
		operation.KeyReused:  {409, `"idempotency key reused with a different request"`},
		operation.InFlight:   {409, `"a request with this IDEMPOTENCY-KEY is in progress"`},
		operation.AnswerGone: {410, `"the answer to this IDEMPOTENCY-KEY is not kept any more"`},
		operation.OutcomeUnknown: {
			500, `{"message":"the outcome of this request is not known, it may have taken effect","trace_id":"*"}`,
		},
		operation.LedgerDown: {503, unavailable}, operation.PartnerDown: {503, unavailable},
		operation.PartnerThrottled:    {429, `"too many requests"`},
		operation.CredentialsRejected: {500, `{"message":"internal error","trace_id":"*"}`},
		operation.Internal:            {500, `{"message":"internal error","trace_id":"*"}`},
	} {
		for name, render := range map[string]func(operation.Condition, string) gateway.Reply{
			"CreateCustomer": iron.CreateCustomer(c).Errors, "GetCustomer": iron.GetCustomer(c).Errors,
			"CreateIdentification": iron.CreateIdentification(c).Errors,
			"ListIdentifications":  iron.ListIdentifications(c).Errors, "GetIdentification": iron.GetIdentification(c).Errors,
		} {
			reply := render(condition, "/x: y")
			text := string(reply.Body)
			var fault struct {
				TraceID string `json:"trace_id"`
			}
			if json.Unmarshal(reply.Body, &fault) == nil && fault.TraceID != "" {
				if len(fault.TraceID) != 12 {
					t.Errorf("%s: trace id %q", condition, fault.TraceID)
				}
				text = strings.Replace(text, fault.TraceID, "*", 1)
			}
			body, contentType := want.body, "application/json"
			if condition == operation.NoSuchRecord && name == "GetIdentification" {
				body = `"identification not found"`
			}
			if want.status == 401 {
				contentType = "text/plain; charset=utf-8"
			}
			if reply.Status != want.status || text != body || reply.ContentType != contentType {
				t.Errorf("%s of %s: %d %s %s", condition, name, reply.Status, reply.ContentType, text)
			}
		}
	}
	for _, condition := range operation.Conditions() {
		if got := iron.GetCustomer(c).Errors(condition, ""); got.Status < 400 || len(got.Body) == 0 {
			t.Errorf("%s: %+v", condition, got)
		}
	}
}
