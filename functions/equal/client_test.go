package equal_test

import (
	"context"
	"strings"
	"testing"

	"sallyport/functions/equal"
	"sallyport/shared/operation"
)

func TestRequestOnTheWire(t *testing.T) {
	const body = `{"input_data":{"otp":"012345","aadhaar_no":"9999 0000 0016",}, "request_id":"r","journey_id":"j","transaction_id":"t"}`
	_, asked, sent := call(t, equal.ExecuteJourney, body, answer{200, `{}`})
	if sent != body {
		t.Errorf("sent %s", sent)
	}
	user, password, _ := asked.BasicAuth()
	if user != "client.1#x" || password != "se:cret=" || asked.URL.Path != "/ie/transaction/journey/execute" ||
		asked.Header.Get("Content-Type") != "application/json" {
		t.Errorf("asked %s as %s, %v", asked.URL, user, asked.Header)
	}
	if _, _, sent := call(
		t, equal.ExecuteJourney, step(number, ""), answer{200, `{}`},
	); sent != `{"transaction_id":"t","journey_id":"j","input_data":{"aadhaar_no":"999900000016"}}` {
		t.Errorf("step 1 sent %s", sent)
	}
	_, asked, sent = call(
		t, equal.InitTransaction, `{"gateway_instance_id":"g", "idempotency_id":"i","business_user_id":"u"}`,
		answer{200, `{}`},
	)
	if sent != `{"gateway_instance_id":"g", "idempotency_id":"acme:i","business_user_id":"u"}` ||
		asked.URL.Path != "/ie/transaction/init" {
		t.Errorf("init sent %s to %s", sent, asked.URL)
	}
	_, asked, sent = call(
		t, equal.FetchData, `{"transaction_id":"t","journey_transaction_id":"EQ.GT.x#j#y"}`, answer{200, `{}`},
	)
	if sent != `{"transaction_id":"t","journey_transaction_id":"EQ.GT.x#j#y"}` ||
		asked.URL.Path != "/ie/transaction/journey/data/fetch" {
		t.Errorf("fetch sent %s to %s", sent, asked.URL)
	}
}

func TestClassification(t *testing.T) {
	body := func(status, code string) string { return `{"status":"` + status + `","status_code":"` + code + `"}` }
	for name, test := range map[string]struct {
		answer answer
		class  operation.Class
		code   string
	}{
		"Success":          {answer{200, body("SUCCESS", "success")}, operation.Done, "success"},
		"InProgress":       {answer{200, body("IN_PROGRESS", "success")}, operation.Done, "success"},
		"DocumentNotFound": {answer{200, body("FAILURE", "document_not_found")}, operation.Refused, "document_not_found"},
		"WrongOTP":         {answer{200, body("FAILURE", "invalid_otp")}, operation.Refused, "invalid_otp"},
		"UnknownFailure":   {answer{200, body("FAILURE", "never_heard_of")}, operation.Refused, "never_heard_of"},
		"InvalidNumber":    {answer{200, body("FAILURE", "invalid_aadhaar_no")}, operation.Invalid, "invalid_aadhaar_no"},
		"TooSoon":          {answer{200, body("FAILURE", "otp_request_too_soon")}, operation.Refused, "otp_request_too_soon"},
		"NotGenerated":     {answer{200, body("FAILURE", "otp_not_generated")}, operation.Refused, "otp_not_generated"},
		"NoCode":           {answer{200, `{"status":"FAILURE"}`}, operation.Refused, "http_200"},
		"FailedAt200": {
			answer{200, body("FAILURE", "internal_server_error")}, operation.Unknown, "internal_server_error",
		},
		"DeniedAt200": {
			answer{200, body("FAILURE", "invalid_credentials")}, operation.Credentials, "invalid_credentials",
		},
		"UnknownStatus": {answer{200, body("MAYBE", "success")}, operation.Unknown, "success"},
		"EmptyObject":   {answer{200, `{}`}, operation.Unknown, "http_200"},
		"NoBody":        {answer{200, ``}, operation.Unknown, "http_200"},
		"HTML":          {answer{200, `<html>`}, operation.Unknown, "http_200"},
		"WrongTypes":    {answer{200, `{"status":["SUCCESS"]}`}, operation.Unknown, "http_200"},
		"Redirect":      {answer{302, ``}, operation.Unknown, "http_302"},
		"BadRequest":    {answer{400, body("FAILURE", "invalid_request")}, operation.Invalid, "invalid_request"},
		"Unauthorized": {
			answer{401, body("FAILURE", "invalid_credentials")}, operation.Credentials, "invalid_credentials",
		},
		"WrongOTPAt400":  {answer{400, body("FAILURE", "invalid_input")}, operation.Refused, "invalid_input"},
		"NotFoundAt400":  {answer{400, body("FAILURE", "document_not_found")}, operation.Refused, "http_400"},
		"InvalidAt401":   {answer{401, body("FAILURE", "invalid_aadhaar_no")}, operation.Credentials, "invalid_credentials"},
		"InvalidAt422":   {answer{422, body("FAILURE", "invalid_aadhaar_no")}, operation.Refused, "http_422"},
		"RequestAt404":   {answer{404, body("FAILURE", "invalid_request")}, operation.Refused, "http_404"},
		"HTMLAt400":      {answer{400, `<html>`}, operation.Refused, "http_400"},
		"Forbidden":      {answer{403, ``}, operation.Refused, "http_403"},
		"RequestTimeout": {answer{408, ``}, operation.Unknown, "http_408"},
		"Throttled":      {answer{429, ``}, operation.Throttled, "http_429"},
		"ServerError": {
			answer{500, body("FAILURE", "internal_server_error")}, operation.Unknown, "internal_server_error",
		},
		"BadGateway":  {answer{502, `<html>`}, operation.Unknown, "http_502"},
		"Unavailable": {answer{503, ``}, operation.Unknown, "http_503"},
		"WithNullsAndExtra": {
			answer{200, `{"status":"SUCCESS","status_code":"success","decision":null,"data":{"keys":null},"more":[1]}`},
			operation.Done, "success",
		},
	} {
		t.Run(name, func(t *testing.T) {
			outcome, _, _ := call(t, equal.ExecuteJourney, step(number, ""), test.answer)
			if outcome.Class != test.class || outcome.Code != test.code {
				t.Errorf("got %s %s, want %s %s", outcome.Class, outcome.Code, test.class, test.code)
			}
			isObject := strings.HasPrefix(test.answer.body, "{")
			passedOn := outcome.Reply.Status == test.answer.status && string(outcome.Reply.Body) == test.answer.body
			if isObject && !passedOn || strings.Contains(string(outcome.Reply.Body), "<html>") {
				t.Errorf("passed on %d %s", outcome.Reply.Status, outcome.Reply.Body)
			}
		})
	}
	t.Run("MalformedCredentials", func(t *testing.T) {
		op := equal.ExecuteJourney(equal.Config{BaseURL: "http://127.0.0.1:1"})
		in, err := decode(op, step(number, ""))
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{``, `{}`, `[]`, `{"client_id":"a"}`} {
			if outcome := op.Call(
				context.Background(), operation.NewCall("acme", []byte(secret)), in,
			); outcome.Class != operation.Credentials {
				t.Errorf("%s: %+v", secret, outcome)
			}
		}
	})
}
