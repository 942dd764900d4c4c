package equal_test

import (
	"encoding/json"
	"errors"
	"testing"

	"sallyport/functions/equal"
	"sallyport/shared/gateway"
	"sallyport/shared/operation"
)

func TestAadhaarIsCheckedBeforeAnyCall(t *testing.T) {
	op := equal.ExecuteJourney(equal.Config{})
	for _, valid := range []string{"999900000016", "9999 0000 0028", "9999-0000-0037", "999900000102"} {
		if _, err := decode(op, step(valid, "")); err != nil {
			t.Errorf("%s: %v", valid, err)
		}
	}
	// Every single wrong digit, and every swap of neighbours, breaks the checksum: that is what Verhoeff is for.
	wrong := []string{
		"199900000018", "099900000016", "99990000001", "9999000000160", "99990000001a", "९९९९०००००००१", "999900000017",
	}
	for i := 1; i < len(number); i++ {
		for digit := byte('0'); digit <= '9'; digit++ {
			if digit != number[i] {
				wrong = append(wrong, number[:i]+string(digit)+number[i+1:])
			}
		}
		if number[i] != number[i-1] && number[i] >= '2' || i > 1 && number[i] != number[i-1] {
			wrong = append(wrong, number[:i-1]+string(number[i])+string(number[i-1])+number[i+1:])
		}
	}
	for _, aadhaar := range wrong {
		_, err := decode(op, step(aadhaar, ""))
		var rejection *operation.Rejection
		if !errors.As(err, &rejection) || rejection.Code != "invalid_aadhaar_no" || rejection.Reply.Status != 200 ||
			string(rejection.Reply.Body) != `{"transaction_id":"t","journey_id":"j","status":"FAILURE","status_code":"invalid_aadhaar_no","message":"aadhaar_no is Invalid","checks":[],"data":{}}` {
			t.Errorf("%s: %v", aadhaar, err)
		}
	}
}

func TestOTPIsCheckedBeforeAnyCall(t *testing.T) {
	op := equal.ExecuteJourney(equal.Config{})
	for otp, valid := range map[string]bool{
		"123456": true, "000000": true, "12345": false, "1234567": false, "12345a": false, "१२३४५६": false, " 12345": false,
	} {
		if _, err := decode(op, step(number, otp)); (err == nil) != valid {
			t.Errorf("%s: %v", otp, err)
		}
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
