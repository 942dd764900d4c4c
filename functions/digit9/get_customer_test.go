package digit9_test

import (
	"strings"
	"testing"

	"sallyport/functions/digit9"
	"sallyport/shared/operation"
)

// TestReads has every row of §9.1, and what else may come. A code decides, the status in the body never.
func TestReads(t *testing.T) {
	for name, test := range map[string]struct {
		answer  answer
		class   operation.Class
		code    string
		replies bool
	}{
		"Found":         {answer{200, found}, operation.Done, "success", true},
		"NotFound":      {answer{200, camel(404, 45001, "Customer not found")}, operation.Done, "45001", true},
		"NotSubscribed": {answer{200, camel(404, 45003, "Customer not Subscribed")}, operation.Done, "45003", true},
		"Invalid":       {answer{200, camel(400, 40001, "Invalid format input")}, operation.Invalid, "40001", true},
		"SearchFailed": {
			answer{200, camel(500, 45006, "Error while searching customer!")}, operation.Unavailable, "45006", true,
		},
		"Held": {
			answer{200, camel(500, 45013, "Customer under Compliance investigation!")}, operation.Done, "45013", true,
		},
		"Blocked":        {answer{200, camel(404, 45051, "Customer can not be Accepted")}, operation.Done, "45051", true},
		"CodeOverStatus": {answer{200, camel(200, 45051, "x")}, operation.Done, "45051", true},
		"CodeAsText":     {answer{200, `{"status":"failure","errorCode":"45001"}`}, operation.Done, "45001", true},
		"OtherSpelling":  {answer{200, `{"status":"failure","error_code":45001}`}, operation.Done, "45001", true},
		"UnknownCode":    {answer{200, camel(400, 49999, "x")}, operation.Refused, "49999", true},
		"CodeAndSuccess": {
			answer{200, strings.Replace(found, `"statusCode":200`, `"errorCode":49999`, 1)}, operation.Refused, "undocumented", true,
		},
		"SuccessNoCustomer": {
			answer{200, `{"status":"success","statusCode":200,"data":{}}`}, operation.Refused, "undocumented", true,
		},
		"SuccessOddNumber": {
			answer{200, strings.Replace(found, "7841009900000017", "no number", 1)}, operation.Refused, "undocumented", true,
		},
		"SuccessOfA404":     {answer{404, found}, operation.Refused, "undocumented", true},
		"SuccessRepeats500": {answer{200, strings.Replace(found, "200", "500", 1)}, operation.Refused, "undocumented", true},
		"NotFoundAndSuccess": {
			answer{200, strings.Replace(found, `"statusCode":200`, `"errorCode":45001`, 1)}, operation.Refused, "undocumented", true,
		},
		"BlockedOfA404":     {answer{404, camel(404, 45051, "x")}, operation.Refused, "undocumented", true},
		"BlockedAndSuccess": {answer{200, `{"status":"success","errorCode":45051}`}, operation.Refused, "undocumented", true},
		"BlockedNoStatus":   {answer{200, `{"status":"error","errorCode":45051}`}, operation.Refused, "undocumented", true},
		"NumberAsNumber": {
			answer{200, strings.Replace(found, `"7841009900000017"`, `7841009900000017`, 1)}, operation.Done, "success", true,
		},
		"Unauthorized":    {answer{401, spring401}, operation.Credentials, "http_401", false},
		"Throttled":       {answer{429, `{"status":"failure"}`}, operation.Throttled, "http_429", true},
		"ThrottledHTML":   {answer{429, `<html>`}, operation.Throttled, "http_429", false},
		"TooLarge":        {answer{413, `<html>`}, operation.Refused, "http_413", false},
		"ServerError":     {answer{500, camel(500, 45006, "x")}, operation.Unavailable, "45006", true},
		"ServerErrorCode": {answer{500, camel(404, 45001, "x")}, operation.Unavailable, "45001", true},
		"BadGateway":      {answer{502, `<html>`}, operation.Unavailable, "http_502", false},
		"GatewayTimeout":  {answer{504, `<html>504 Gateway Time-out</html>`}, operation.Unavailable, "http_504", false},
		"Unavailable":     {answer{503, ``}, operation.Unavailable, "http_503", false},
		"Redirect":        {answer{302, ``}, operation.Unavailable, "http_302", false},
		"HTML":            {answer{200, `<html>`}, operation.Unavailable, "http_200", false},
		"Empty":           {answer{200, ``}, operation.Unavailable, "http_200", false},
		"EmptyObject":     {answer{200, `{}`}, operation.Unavailable, "http_200", false},
		"Array":           {answer{200, `[]`}, operation.Unavailable, "http_200", false},
		"StatusAsNumber":  {answer{200, `{"status":200}`}, operation.Unavailable, "http_200", false},
		"Lost":            {answer{0, ``}, operation.Unknown, "answer_lost", false},
	} {
		t.Run(name, func(t *testing.T) {
			got := call(t, digit9.LookupCustomer(config(newPartner(t, test.answer).url)), body(aLookup))
			if got.Class != test.class || got.Code != test.code || (got.Reply.Status != 0) != test.replies || got.Creates != "" {
				t.Errorf("got %+v", got)
			}
			wantPassedOn(t, test.answer, got)
			again := newPartner(t, test.answer, test.answer) // a broken connection may cost a GET a second attempt
			if got := call(t, digit9.GetCustomer(config(again.url)), ecrnOf("1")); got.Class != test.class ||
				got.Code != test.code {
				t.Errorf("read by number: %+v", got)
			}
		})
	}
	t.Run("GetCustomerNotFound", func(t *testing.T) {
		got := call(t, digit9.GetCustomer(config(newPartner(t, answer{404, `<html>`}).url)), ecrnOf("1"))
		if got.Class != operation.Done || got.Code != "45001" ||
			string(got.Reply.Body) != camel(404, 45001, "Customer not found") || got.Reply.Status != 200 {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("References", func(t *testing.T) {
		got := call(t, digit9.LookupCustomer(config(newPartner(t, answer{200, found}).url)), body(aLookup))
		if len(got.Refs) != 3 || got.Refs["ecrn"] != "7841009900000017" || got.Refs["customer_status"] != "ACTIVE" ||
			got.Refs["aml_scan_status"] != "Accepted" {
			t.Errorf("references %v", got.Refs)
		}
		odd := strings.NewReplacer(
			"7841009900000017", "NOOR EXAMPLE", "ACTIVE", "784199000000017", "Accepted", strings.Repeat("A", 21),
		).Replace(found)
		if got := call(
			t, digit9.LookupCustomer(config(newPartner(t, answer{200, odd}).url)), body(aLookup),
		); len(got.Refs) != 0 {
			t.Errorf("kept %v", got.Refs)
		}
	})
}
