package digit9_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"sallyport/functions/digit9"
	"sallyport/shared/operation"
)

// TestOnboardings has every row of §9.2, and what else may come. Only what is clear to have had no effect
// releases the key; what isn't is looked up.
func TestOnboardings(t *testing.T) {
	const ecrn, owned = "7841009900000017", "digit9/customer/7841009900000017"
	fields := `{"status":"failure","status_code":400,"error_code":40002,"message":"Invalid format or missing mandatory request","details":{"lastName":"Invalid last name EXAMPLE","firstName":"x","784 199":"x"},"request_id":"` + aHex + `"}`
	for name, test := range map[string]struct {
		answer  answer
		class   operation.Class
		code    string
		owns    string
		replies bool
		fields  string
	}{
		"Created": {answer{200, onboarded}, operation.Done, "success", owned, true, ""},
		"UnderInvestigation": {
			answer{200, strings.Replace(onboarded, "Accepted", "Under Investigation", 1)}, operation.Done, "success", owned,
			true, "",
		},
		"NumberAsNumber": {
			answer{200, strings.Replace(onboarded, `"`+ecrn+`"`, ecrn, 1)}, operation.Done, "success", owned, true, "",
		},
		"Held": {
			answer{406, snake("failed", 406, 45013, "Customer "+ecrn+" Under Compliance Investigation")}, operation.Done,
			"45013", owned, true, "",
		},
		"HeldUnnamed": {
			answer{406, snake("failed", 406, 45013, "Customer Under Compliance Investigation")}, operation.Done, "45013",
			"digit9/document/", true, "",
		},
		"Blocked": {
			answer{406, snake("failed", 406, 45051, "Customer "+ecrn+" Cannot be Accepted")}, operation.Refused, "45051", "",
			true, "",
		},
		"MasterData": {
			answer{400, snake("failed", 406, 45053, " Invalid Nationality INN!")}, operation.Invalid, "45053", "", true,
			"nationality",
		},
		"OtherMasterData": {
			answer{400, snake("failed", 406, 45053, " Invalid Occupation 1!")}, operation.Invalid, "45053", "", true, "",
		},
		"InvalidFields": {answer{400, fields}, operation.Invalid, "40002", "", true, "firstName lastName"},
		"UpdateFailed": {
			answer{404, snake("failed", 404, 45032, "Customer update failed")}, operation.Conflict, "45032", "", true, "",
		},
		"Unauthorized": {answer{401, spring401}, operation.Credentials, "http_401", "", false, ""},
		"BackendDown": {
			answer{502, snake("failed", 502, 40001, "Backend Technical Problem")}, operation.Unknown, "40001", "", true, "",
		},
		"UnknownCode": {answer{400, snake("failed", 400, 49999, "x")}, operation.Refused, "49999", "", true, ""},
		"NoCode":      {answer{422, `{"status":"failed"}`}, operation.Refused, "http_422", "", true, ""},
		"Throttled":   {answer{429, ``}, operation.Throttled, "http_429", "", true, ""},
		"TooLarge": {
			answer{413, `<html>413 Request Entity Too Large</html>`}, operation.Invalid, "http_413", "", false, "",
		},
		"RequestTimeout": {answer{408, ``}, operation.Unknown, "http_408", "", false, ""},
		"GatewayTimeout": {
			answer{504, `<html>504 Gateway Time-out</html>`}, operation.Unknown, "http_504", "", false, "",
		},
		"Unavailable": {answer{503, ``}, operation.Unknown, "http_503", "", false, ""},
		"HeldOfA500": {
			answer{500, snake("failed", 406, 45013, "Customer "+ecrn)}, operation.Unknown, "45013", "", true, "",
		},
		"Redirect":          {answer{302, ``}, operation.Unknown, "http_302", "", false, ""},
		"HTML":              {answer{200, `<html>`}, operation.Unknown, "http_200", "", false, ""},
		"Empty":             {answer{200, ``}, operation.Unknown, "http_200", "", false, ""},
		"EmptyObject":       {answer{200, `{}`}, operation.Unknown, "http_200", "", false, ""},
		"SuccessNoCustomer": {answer{200, `{"status":"success"}`}, operation.Unknown, "success", "", true, ""},
		"SuccessWithCode": {
			answer{200, strings.Replace(onboarded, `"status_code":200`, `"error_code":1`, 1)}, operation.Unknown, "1", "", true,
			"",
		},
		"SuccessOfA400": {answer{400, onboarded}, operation.Unknown, "success", "", true, ""},
		"Lost":          {answer{0, ``}, operation.Unknown, "answer_lost", "", false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := call(t, digit9.OnboardCustomer(config(newPartner(t, test.answer).url)), body(sample))
			if got.Class != test.class || got.Code != test.code || got.Creates != test.owns ||
				(got.Reply.Status != 0) != test.replies || got.Refs["invalid_fields"] != test.fields {
				t.Errorf("got %+v", got)
			}
			wantPassedOn(t, test.answer, got)
			for name, value := range got.Refs {
				if strings.Contains(value, "EXAMPLE") || strings.Contains(value, "INN") || strings.Contains(value, "784 ") {
					t.Errorf("reference %s is %s", name, value)
				}
			}
		})
	}
}

// The record keeps the names of ten fields at most.
func TestInvalidFieldsAreCapped(t *testing.T) {
	details := map[string]string{"aName" + strings.Repeat("x", 60): "too long to be one"}
	for c := 'a'; c <= 'l'; c++ {
		details[string(c)] = "Invalid"
	}
	text, err := json.Marshal(map[string]any{"status": "failure", "error_code": 40002, "details": details})
	if err != nil {
		t.Fatal(err)
	}
	got := call(t, digit9.OnboardCustomer(config(newPartner(t, answer{400, string(text)}).url)), body(sample))
	if got.Refs["invalid_fields"] != "a b c d e f g h i j" {
		t.Errorf("references %v", got.Refs)
	}
}

// TestLostOnboarding: what became of a creation, lookups of every identity document tell.
func TestLostOnboarding(t *testing.T) {
	notFound, notSubscribed := answer{200, camel(404, 45001, "x")}, answer{200, camel(404, 45003, "x")}
	change := func(text, from, to string) string { return strings.Replace(text, from, to, 1) }
	held, blocked := answer{200, camel(500, 45013, "x")}, answer{200, camel(404, 45051, "x")}
	for name, test := range map[string]struct {
		answers []answer
		finding operation.Finding
		class   operation.Class
		owns    string
		reply   string
	}{
		"None": {[]answer{notFound, notSubscribed}, operation.NotFound, "", "", ""},
		"Both": {
			[]answer{{200, found}, {200, found}}, operation.Found, operation.Done, "digit9/customer/7841009900000017",
			`200 {"status":"success","data":{"aml_scan_status":"Accepted","ecrn":"7841009900000017","customer_status":"ACTIVE"},"status_code":200,"request_id":"` + aHex + `"}`,
		},
		"Spelled": {
			slices.Repeat([]answer{{200, change(found, `"NOOR"`, `" noor"`)}}, 2), operation.Found, operation.Done,
			"digit9/customer/7841009900000017",
			`200 {"status":"success","data":{"aml_scan_status":"Accepted","ecrn":"7841009900000017","customer_status":"ACTIVE"},"status_code":200,"request_id":"` + aHex + `"}`,
		},
		// one of the documents may have been somebody's before
		"FirstOnly":    {[]answer{{200, found}, notFound}, operation.Undetermined, "", "", ""},
		"SecondOnly":   {[]answer{notFound, {200, found}}, operation.Undetermined, "", "", ""},
		"OfTwo":        {[]answer{{200, found}, {200, change(found, "0017", "0018")}}, operation.Undetermined, "", "", ""},
		"OfAnother":    {[]answer{{200, change(found, "NOOR", "ALI")}}, operation.Undetermined, "", "", ""},
		"HeldAndFound": {[]answer{held, {200, found}}, operation.Undetermined, "", "", ""},
		"Held": {
			[]answer{held, held}, operation.Found, operation.Done, "digit9/document/",
			`406 {"status":"failed","status_code":406,"error_code":45013,"message":"Customer Under Compliance Investigation","request_id":"` + aHex + `"}`,
		},
		"Blocked": {
			[]answer{notSubscribed, blocked}, operation.Found, operation.Refused, "",
			`406 {"status":"failed","status_code":406,"error_code":45051,"message":"Customer Cannot be Accepted","request_id":"` + aHex + `"}`,
		},
		"SearchFailed": {[]answer{{200, camel(500, 45006, "x")}}, operation.Undetermined, operation.Unavailable, "", ""},
		"NotEven":      {[]answer{notFound, {504, `<html>`}}, operation.Undetermined, operation.Unavailable, "", ""},
		"UnknownCode": {
			[]answer{notFound, {200, camel(400, 49999, "x")}}, operation.Undetermined, operation.Refused, "", "",
		},
		"Lost":             {[]answer{{0, ``}}, operation.Undetermined, operation.Unknown, "", ""},
		"WrongCredentials": {[]answer{{401, spring401}}, operation.Undetermined, operation.Credentials, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPartner(t, test.answers...)
			op := digit9.OnboardCustomer(config(p.url))
			in, err := op.Decode(body(strings.Replace(full, `"ecrn":"7841009900000017",`, ``, 1)))
			if err != nil {
				t.Fatal(err)
			}
			outcome, finding := op.Lookup(t.Context(), operation.NewCall("acme", []byte(secret)), in)
			asked, left := p.requests()
			if finding != test.finding || outcome.Class != test.class || outcome.Creates != test.owns || len(left) != 0 {
				t.Errorf("found %d, %+v; not asked for %v", finding, outcome, left)
			}
			if finding == operation.Found && fmt.Sprintf("%d %s", outcome.Reply.Status, outcome.Reply.Body) != test.reply {
				t.Errorf("answers %d %s", outcome.Reply.Status, outcome.Reply.Body)
			}
			var looked []string
			for _, a := range asked {
				if a.path == lookupPath {
					looked = append(looked, a.body)
				} else if a.path != tokenPath {
					t.Errorf("asked %s", a.path)
				}
			}
			want := []string{aLookup, `{"idType":"2","idNumber":"X0000017"}`}
			if !slices.Equal(looked, want[:len(looked)]) {
				t.Errorf("looked up %q", looked)
			}
		})
	}
}
