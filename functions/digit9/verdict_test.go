package digit9_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"sallyport/functions/digit9"
	"sallyport/shared/gateway"
)

// FuzzECRNOfAMessage: the number of a customer that is held is found in a message as two regular expressions would find
// it.
func FuzzECRNOfAMessage(f *testing.F) {
	likely, possible := regexp.MustCompile(`\b\d{16}\b`), regexp.MustCompile(`\b\d{10,20}\b`)
	for _, message := range []string{
		"", "Customer 7841009900000017 is held", "7841009900000017", "12345678901 and 7841009900000017",
		"12345678901, 123456789012", "123456789", "123456789012345678901", "12345678901234567890\n",
		"x7841009900000017", "7841009900000017_", "é7841009900000017é", "-7841009900000017.", "١٢٣٤٥٦٧٨٩٠١٢٣٤٥٦",
	} {
		f.Add(message)
	}
	summary := digit9.OnboardCustomer(digit9.Config{}).Output
	f.Fuzz(func(t *testing.T, message string) {
		answer, err := json.Marshal(map[string]string{"status": "failure", "errorCode": "45013", "message": message})
		if err != nil {
			t.Fatal(err)
		}
		want := likely.FindString(message)
		if want == "" {
			want = possible.FindString(message)
		}
		if got := summary(gateway.JSON(200, answer))["ecrn"]; got != want {
			t.Errorf("%q: got %q, want %q", message, got, want)
		}
	})
}

// TestVerdict has every row of §9.4 and §11: the word by which the state machine goes on. Nothing that isn't
// documented is a yes.
func TestVerdict(t *testing.T) {
	verdict := func(text string) any {
		return digit9.LookupCustomer(digit9.Config{}).Output(gateway.JSON(200, []byte(text)))["verdict"]
	}
	for code, want := range map[int]string{
		45001: "absent", 45003: "absent", 45013: "held_unnamed", 45051: "blocked", 40001: "unclear", 45006: "unclear",
		45032: "unclear", 49999: "unclear",
	} {
		if got := verdict(camel(404, code, "x")); got != want {
			t.Errorf("%d is %v, want %s", code, got, want)
		}
		if got := verdict(strings.Replace(found, `"statusCode":200`, fmt.Sprintf(`"errorCode":%d`, code), 1)); got != "unclear" {
			t.Errorf("%d in a success is %v", code, got)
		}
	}
	documented := map[[2]string]string{
		{"ACTIVE", "Accepted"}: "accepted", {"ACTIVE", "Under Investigation"}: "held",
		{"KYC_PENDING", "Under Investigation"}: "held",
		{"KYC_PENDING", "Accepted"}:            "kyc_pending", {"REJECTED", "Rejected"}: "rejected",
		{"ACTIVE", "Failed"}: "screening_failed", {"KYC_PENDING", "Failed"}: "screening_failed",
	}
	statuses := []string{"ACTIVE", "KYC_PENDING", "INACTIVE", "REJECTED", "BLOCKED", "", "DORMANT", "ACTIVE_"}
	scans := []string{
		"Accepted", "Rejected", "Under Investigation", "Failed", "N/A", "", "accepted", "ACCEPTED", "Pending",
	}
	for _, status := range statuses {
		for _, scan := range scans {
			want := documented[[2]string{status, scan}]
			switch {
			case want != "":
			case status == "BLOCKED" && scan == "Rejected":
				want = "blocked"
			case status == "BLOCKED", status == "REJECTED", scan == "Rejected": // only one of the two says no
				want = "unclear"
			case scan == "Failed":
				want = "screening_failed"
			case status == "INACTIVE":
				want = "inactive"
			default:
				want = "unclear"
			}
			text := fmt.Sprintf(
				`{"status":"success","statusCode":200,"data":{"ecrn":"1","customer_status":%q,"aml_scan_status":%q}}`, status, scan,
			)
			if got := verdict(text); got != want {
				t.Errorf("%q, %q is %v, want %s", status, scan, got, want)
			}
		}
	}
	for text, want := range map[string]string{
		// as callbacks write it
		`{"status":"success","data":{"customer_status":" kyc pending ","aml_scan_status":" Accepted "}}`: "kyc_pending",
		`{"status":"success","data":{"customer_status":"active","aml_scan_status":"Accepted"}}`:          "accepted",
		`{"status":"failure","data":{"customer_status":"ACTIVE","aml_scan_status":"Accepted"}}`:          "unclear",
		`{"status":"SUCCESS","data":{"customer_status":"ACTIVE","aml_scan_status":"Accepted"}}`:          "unclear",
		`{"data":{"customer_status":"ACTIVE","aml_scan_status":"Accepted"}}`:                             "unclear",
		`{"status":"success","data":{"customer_status":["ACTIVE"],"aml_scan_status":"Accepted"}}`:        "unclear",
		`{"status":"success"}`: "unclear", `{}`: "unclear", ``: "unclear", `<html>`: "unclear", `[]`: "unclear",
		`null`: "unclear",
	} {
		if got := verdict(text); got != want {
			t.Errorf("%s is %v, want %s", text, got, want)
		}
	}
	t.Run("OtherHTTPStatuses", func(t *testing.T) { // decide nothing
		no := strings.NewReplacer("ACTIVE", "REJECTED", "Accepted", "Rejected").Replace(found)
		barred := strings.Replace(found, "ACTIVE", "BLOCKED", 1)
		for status := 201; status < 600; status++ {
			for _, text := range []string{found, no, barred, camel(404, 45051, "x"), snake("failed", 200, 45051, "x")} {
				got := digit9.LookupCustomer(digit9.Config{}).Output(gateway.JSON(status, []byte(text)))["verdict"]
				if got != "unclear" && !(status == 406 && got == "blocked" && strings.Contains(text, `"failed"`)) {
					t.Errorf("%d %s is %v", status, text, got)
				}
			}
		}
	})
	t.Run("Output", func(t *testing.T) {
		for text, want := range map[string]string{
			found: `{"ecrn":"7841009900000017","verdict":"accepted"}`, camel(404, 45001, "x"): `{"verdict":"absent"}`,
			strings.Replace(found, "7841009900000017", "NOOR EXAMPLE", 1): `{"verdict":"accepted"}`,
		} {
			summary, err := json.Marshal(digit9.GetCustomer(digit9.Config{}).Output(gateway.JSON(200, []byte(text))))
			if err != nil || string(summary) != want {
				t.Errorf("%s gave %s, %v", text, summary, err)
			}
		}
	})
}
