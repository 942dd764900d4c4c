package equal_test

import (
	"encoding/json"
	"strings"
	"testing"

	"sallyport/functions/equal"
	"sallyport/shared/gateway"
	"sallyport/shared/operation"
)

func TestAnswerIsMasked(t *testing.T) {
	for text, want := range map[string]string{
		`{"status":"SUCCESS", "data":{"keys":{"aadhaar":[{"aadhaar_no":"999900000016","name":"A"}]}}}`: `{"status":"SUCCESS", "data":{"keys":{"aadhaar":[{"aadhaar_no":"XXXXXXXX0016","name":"A"}]}}}`,
		`{"status":"FAILURE","message":"no 999900000016 here"}`:                                        `{"status":"FAILURE","message":"no XXXXXXXX0016 here"}`,
		`{"status":"SUCCESS","data":{"keys":{"aadhaar":[{"aadhaar_no":"XXXX-XXXX-0016"}]}}}`:           `{"status":"SUCCESS","data":{"keys":{"aadhaar":[{"aadhaar_no":"XXXX-XXXX-0016"}]}}}`,
	} {
		outcome, _, _ := call(t, equal.ExecuteJourney, step(number, "123456"), answer{200, text})
		if got := string(outcome.Reply.Body); got != want {
			t.Errorf("%s\nbecame %s", text, got)
		}
		for name, value := range outcome.Refs {
			if strings.Contains(value, number) {
				t.Errorf("reference %s holds the number", name)
			}
		}
		if outcome.Refs["aadhaar_last4"] != "0016" || outcome.Refs["step"] != "verify_otp" {
			t.Errorf("references %v", outcome.Refs)
		}
	}
}

// TestTolerated: a byte order mark is skipped, a number may stand for a text, and blanks around a word don't count.
func TestTolerated(t *testing.T) {
	const text = `{"status":" SUCCESS ","transaction_id":7.0,"decision":null}`
	outcome, _, _ := call(t, equal.ExecuteJourney, step(number, "123456"), answer{200, "\uFEFF" + text})
	if outcome.Class != operation.Done || outcome.Refs["transaction_id"] != "7" || string(outcome.Reply.Body) != text {
		t.Errorf("got %+v", outcome)
	}
}

func TestSummaryHoldsNoPersonalData(t *testing.T) {
	op := equal.ExecuteJourney(equal.Config{})
	summary := op.Output(gateway.JSON(200, []byte(
		`{"transaction_id":"t","status":"SUCCESS","status_code":"success","decision":"CLEAR","data":{"keys":{"aadhaar":[{"aadhaar_no":"XXXXXXXX0016","name":"MEERA KULKARNI"}]}}}`,
	)))
	text, err := json.Marshal(summary)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "MEERA") || strings.Contains(string(text), "0016") || summary["named"] != true ||
		summary["decision"] != "CLEAR" {
		t.Errorf("got %s", text)
	}
}

func TestPartnersTextsAreNotKept(t *testing.T) {
	const text = `{"transaction_id":"no such thing 999900000016","status":"FAILURE","status_code":"MEERA KULKARNI","decision":"ask MEERA","journey_id":"9999 0000 0016"}`
	outcome, _, _ := call(t, equal.ExecuteJourney, step(number, ""), answer{200, text})
	summary, err := json.Marshal(equal.ExecuteJourney(equal.Config{}).Output(outcome.Reply))
	if err != nil {
		t.Fatal(err)
	}
	refs, err := json.Marshal(outcome.Refs)
	if err != nil {
		t.Fatal(err)
	}
	for _, kept := range []string{string(summary), string(refs)} {
		if strings.Contains(kept, "MEERA") || strings.Contains(kept, "9999") || strings.Contains(kept, "such") {
			t.Errorf("kept %s", kept)
		}
	}
}
