package ezto_test

import (
	"reflect"
	"testing"
	"time"

	"sallyport/functions/ezto"
)

// TestReadResult: however it is spelt, a result reads the same (§6).
func TestReadResult(t *testing.T) {
	yes := true
	want := ezto.Result{Workflow: "verification", UserID: "u", RequestID: "r", IEC: "AAXCT4821K", Verified: &yes,
		VerifiedAt: time.Unix(1767225600, 0).UTC(),
		Name:       "N", Status: "Valid", PAN: "AAXCT4821K", Address: "A"}
	for _, text := range []string{
		`{"workflow":"verification","user_id":"u","request_id":"r","ie_code":"AAXCT4821K","iec_verified":"true","iec_verified_at":"1767225600","name":"N","iec_status":"Valid","pan":"AAXCT4821K","address":"A"}`,
		`{"workflow":"verification","userId":"u","requestId":"r","iec_code":" aaxct4821k ","iec_verified":"True","iec_verified_at":1767225600000,"name":"N","iec_status":"ACTIVE","pan":"aaxct4821k","address":"A",}`,
		`{"workflow":"verification","user_id":"u","request_id":"r","iec_code":"AAXCT4821K","ie_code":"aaxct4821k","iec_verified":true,"iec_verified_at":"1767225600000","name":"N","iec_status":"valid","pan":"AAXCT4821K","address":"A", "more":{}}`,
	} {
		got, ok := ezto.ReadResult([]byte(text))
		if !ok || got.Verified == nil || *got.Verified != *want.Verified {
			t.Fatalf("%s: %+v", text, got)
		}
		got.Verified = want.Verified
		if !reflect.DeepEqual(got, want) || !got.Accepted() || got.Mismatch() {
			t.Errorf("%s: %+v", text, got)
		}
	}
	for text, status := range map[string]string{
		"suspended": "Suspended", "Canceled": "Cancelled", "inactive": "Deactivated", "Revoked": "Revoked", "": "",
	} {
		got, ok := ezto.ReadResult([]byte(`{"request_id":"r","iec_verified":"true","iec_status":"` + text + `"}`))
		if !ok || got.Status != status || got.Accepted() {
			t.Errorf("%s: %+v", text, got)
		}
	}
	if got, ok := ezto.ReadResult([]byte(`{"request_id":"r","workflow":"verification"}`)); !ok || got.Accepted() ||
		got.Verified != nil || !got.VerifiedAt.IsZero() {
		t.Errorf("a skipped check is %+v", got)
	}
	if got, _ := ezto.ReadResult([]byte(`{"request_id":"r","ie_code":"AAXCT4821K","pan":"AAXCT9999Z"}`)); !got.Mismatch() {
		t.Errorf("another's PAN: %+v", got)
	}
	if got, _ := ezto.ReadResult([]byte(`{"request_id":"r","ie_code":"0399001234","pan":"AACCL7702D"}`)); got.Mismatch() {
		t.Errorf("a number of the old form: %+v", got)
	}
	for _, text := range []string{
		`{}`, `[]`, `null`, `{"error":"authorization_pending"}`, `{"request_id":"r"`, `{"request_id":"r",,}`,
	} {
		if got, ok := ezto.ReadResult([]byte(text)); ok {
			t.Errorf("%s is %+v", text, got)
		}
	}
}
