package ezto_test

import (
	"fmt"
	"testing"

	"sallyport/functions/ezto"
	"sallyport/shared/operation"
	"sallyport/shared/tolerant/toleranttest"
)

// TestSpellingsMatrix: an answer is understood alike however the partner writes it.
func TestSpellingsMatrix(t *testing.T) {
	understood(t, 200, begun, ezto.TriggerRequest, "request", request)
	understood(t, 200, result, ezto.GetResult, "auth_req_id", "h")
	understood(t, 200, `{"request_id":"7","iec_verified":true,"iec_status":"Valid"}`, ezto.GetResult, "auth_req_id", "h")
	for _, code := range []string{
		"authorization_pending", "slow_down", "expired_token", "access_denied", "request_failed",
	} {
		understood(t, 400, `{"error":"`+code+`"}`, ezto.GetResult, "auth_req_id", "h")
	}
	for _, text := range []string{result, `{"request_id":"7","iec_code":"1234567890","pan":"1234567890"}`} {
		toleranttest.Alike(t, text, func(text string) string {
			got, ok := ezto.ReadResult([]byte(text))
			return fmt.Sprint(got.IEC, got.PAN, got.RequestID, got.Name, got.VerifiedAt, got.Accepted(), got.Mismatch(), ok)
		})
	}
}

func understood[In any](
	t *testing.T, status int, text string, make func(ezto.Config) operation.Operation[In], field, value string,
) {
	t.Helper()
	toleranttest.Alike(t, text, func(text string) string {
		op := make(ezto.Config{BaseURL: newPartner(t, status, text).URL})
		got := call(t, op, form("app_id", "app-1", field, value))
		return fmt.Sprint(got.Class, got.Code, got.Refs, got.Creates, op.Output(got.Reply))
	})
}
