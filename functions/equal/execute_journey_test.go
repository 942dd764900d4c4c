package equal_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	jsonv2 "github.com/go-json-experiment/json"

	"sallyport/functions/equal"
	"sallyport/shared/gateway"
	"sallyport/shared/operation"
)

// TestAadhaarIsCheckedBeforeAnyCall: a number has twelve digits; nothing else that might be wrong with it stands on a
// page.
func TestAadhaarIsCheckedBeforeAnyCall(t *testing.T) {
	op := equal.ExecuteJourney(equal.Config{})
	for _, valid := range []string{
		`"999900000016"`, `"9999 0000 0028"`, `"9999-0000-0037"`, `"199900000018"`, `"099900000016"`, `"999900000017"`,
		`"९९९९०००००००१"`, `" 9999\u00a00000\u20110016\u200b"`, `999900000016`, `999900000016.0`,
	} {
		if _, err := decode(op, strings.Replace(step("?", ""), `"?"`, valid, 1)); err != nil {
			t.Errorf("%s: %v", valid, err)
		}
	}
	for _, wrong := range []string{
		`"99990000001"`, `"9999000000160"`, `"99990000001a"`, `"999900000016a"`, `"9999.0000.0016"`, `1.5`, `{}`, `[]`, `true`,
		`["999900000016"]`,
	} {
		_, err := decode(op, strings.Replace(step("?", ""), `"?"`, wrong, 1))
		var rejection *operation.Rejection
		if !errors.As(err, &rejection) || rejection.Code != "invalid_aadhaar_no" || rejection.Reply.Status != 200 ||
			string(rejection.Reply.Body) != `{"transaction_id":"t","journey_id":"j","status":"FAILURE","status_code":"invalid_aadhaar_no","message":"aadhaar_no is Invalid","checks":[],"data":{}}` {
			t.Errorf("%s: %v", wrong, err)
		}
	}
}

// TestDemandedMatrix: what a page demands is refused in its words where it is missing, null or blank.
func TestDemandedMatrix(t *testing.T) {
	const whole = `{"transaction_id":"t","journey_id":"j","input_data":{"aadhaar_no":"999900000016","otp":"1"},` +
		`"journey_transaction_id":"jt"}`
	demanded := map[string]string{
		"transaction_id": `"t"`, "journey_id": `"j"`, "input_data": `{"aadhaar_no":"999900000016","otp":"1"}`,
		"aadhaar_no": `"999900000016"`, "otp": `"1"`, "journey_transaction_id": `"jt"`,
	}
	for name, value := range demanded {
		for _, missing := range []string{`null`, `""`, `" \t\u00a0"`} {
			body := strings.Replace(whole, `"`+name+`":`+value, `"`+name+`":`+missing, 1)
			_, err := decode(equal.ExecuteJourney(equal.Config{}), body)
			if name == "journey_transaction_id" || name == "transaction_id" {
				if _, failed := decode(equal.FetchData(equal.Config{}), body); failed == nil || !strings.Contains(
					answered(failed), `"message":"`+name+` is required"`) {
					t.Errorf("fetch: %s: %v", body, failed)
				}
			}
			if got := answered(err); name != "journey_transaction_id" && got !=
				`{"status":"FAILURE","status_code":"invalid_request","message":"`+name+` is required"}` {
				t.Errorf("%s: answered %s", body, got)
			}
		}
	}
}

// answered is what a refusal before any call is answered with.
func answered(err error) string {
	var rejection *operation.Rejection
	if !errors.As(err, &rejection) {
		return ""
	}
	return string(rejection.Reply.Body)
}

// TestOneTransaction: the transaction that is checked for its owner is the one that the partner reads, by whatever name
// it goes.
func TestOneTransaction(t *testing.T) {
	const rest = `,"journey_id":"j","input_data":{"aadhaar_no":"999900000016"},"journey_transaction_id":"jt"}`
	long := strings.Repeat("x", 3000)
	for named, want := range map[string]string{
		`{"transaction_id":"t"`:                           "equal/transaction/t",
		`{"exchange_txn_id":"t"`:                          "equal/transaction/t",
		`{"transaction_id":"t","exchange_txn_id":"t"`:     "equal/transaction/t",
		`{"transaction_id":"t","exchange_txn_id":null`:    "equal/transaction/t",
		`{"transaction_id":7`:                             "equal/transaction/7",
		`{"transaction_id":"t","Transaction_ID":" t "`:    "equal/transaction/t",
		`{"transaction_id":"` + long + `"`:                "equal/transaction/sha256-",
		`{"transaction_id":"t","exchange_txn_id":"u"`:     "",
		`{"transaction_id":"t","transactionId":"u"`:       "",
		`{"transaction_id":"t","EXCHANGE_TXN_ID":["u"]`:   "",
		`{"transaction_id":"t","exchangeTransactionId":7`: "",
		`{"transaction_id":{}`:                            "",
		`{"Transaction_ID":"t"`:                           "",
	} {
		var got [2]string
		if in, err := decode(equal.ExecuteJourney(equal.Config{}), named+rest); err == nil {
			got[0] = equal.ExecuteJourney(equal.Config{}).Resource(in)
		}
		if in, err := decode(equal.FetchData(equal.Config{}), named+rest); err == nil {
			got[1] = equal.FetchData(equal.Config{}).Resource(in)
		}
		if got[0] != got[1] || !strings.HasPrefix(got[0], want) || want == "" && got[0] != "" || len(got[0]) > 300 {
			t.Errorf("%.80s: is of %s", named, got)
		}
	}
}

// TestJourneysRequest: what a person has typed goes to the partner in the form that its page shows.
func TestJourneysRequest(t *testing.T) {
	op := equal.ExecuteJourney(equal.Config{})
	fingerprint := func(body string, fromStateMachine bool) string {
		in, err := op.Decode(gateway.Request{FromStateMachine: fromStateMachine, Body: []byte(body)})
		if err != nil {
			t.Fatal(err)
		}
		text, err := jsonv2.Marshal(op.Fingerprint(in))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	typed := step("9999-0000 0016", ` 012345\n`)
	if got := fingerprint(typed, true); got != step(number, "012345") {
		t.Errorf("a journey asks for %s", got)
	}
	if got := fingerprint(typed, false); got != typed {
		t.Errorf("a caller asks for %s", got)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(step(number, "123456")))
	f.Add([]byte(`{"gateway_instance_id":"g"}`))
	f.Add([]byte(`{"transaction_id":"t","journey_transaction_id":"j"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		req := gateway.Request{Body: body}
		check := func(err error) {
			var input *gateway.InputError
			var rejection *operation.Rejection
			if err != nil && !errors.As(err, &input) && !errors.As(err, &rejection) {
				t.Errorf("%q: %v", body, err)
			}
			if rejection != nil && !json.Valid(rejection.Reply.Body) {
				t.Errorf("%q: answered %s", body, rejection.Reply.Body)
			}
		}
		_, err := equal.ExecuteJourney(equal.Config{}).Decode(req)
		check(err)
		_, err = equal.InitTransaction(equal.Config{}).Decode(req)
		check(err)
		_, err = equal.FetchData(equal.Config{}).Decode(req)
		check(err)
	})
}
