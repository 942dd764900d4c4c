package ezto_test

import (
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"testing"

	"sallyport/functions/ezto"
	"sallyport/shared/gateway"
)

// sent is a request with a body and without anything else.
func sent(body string) gateway.Request {
	req := form()
	req.Body = []byte(body)
	return req
}

// TestRequestFormsMatrix: a trigger's request is understood in each form that a client of EZTO's has, goes on as it
// came and without credentials, and is the same request whatever its form.
func TestRequestFormsMatrix(t *testing.T) {
	const inForm = "app_id=poll&app_secret=the+caller%27s+key"
	const key, comma = `"app_id":"poll","app_secret":"the caller's key"`, `{"user":{"user_id":"u-7731",},}`
	quoted, _ := json.Marshal(request)
	p := newPartner(t, 200, begun)
	op := ezto.TriggerRequest(ezto.Config{BaseURL: p.URL})
	same := map[string]string{}
	for name, test := range map[string]struct {
		body, want string
		like       string // what else is the same request
		beside     string // what goes on beside it
	}{
		"Form":          {inForm + "&request=" + url.QueryEscape(request), request, "plain", ""},
		"FormMarked":    {"app_id=poll&request=%EF%BB%BF" + url.QueryEscape(request), "\uFEFF" + request, "plain", ""},
		"FormBlanks":    {"\r\napp_id=poll&&request=" + url.QueryEscape(request) + "\n", request, "plain", ""},
		"FormBeside":    {"app_id=poll&b=2&request=" + url.QueryEscape(request) + "&a=1", request, "beside", "b=2&a=1"},
		"Member":        {`{` + key + `,"request":` + request + `}`, request, "plain", ""},
		"MemberMarked":  {"\uFEFF {" + key + `,"request":` + request + `, }`, request, "plain", ""},
		"MemberText":    {`{` + key + `,"request":` + string(quoted) + `}`, request, "plain", ""},
		"MemberBeside":  {`{"b":2,` + key + `,"request":` + request + `,"a":"1","c":null}`, request, "beside", "b=2&a=1"},
		"MemberComma":   {`{` + key + `,"request":` + comma + `,}`, comma, "comma", ""},
		"FormComma":     {"app_id=poll&request=" + url.QueryEscape(comma), comma, "comma", ""},
		"WithoutComma":  {`{` + key + `,"request":{"user":{"user_id":"u-7731"}}}`, `{"user":{"user_id":"u-7731"}}`, "comma", ""},
		"Itself":        {request[:len(request)-1] + `,` + key + `}`, request, "plain", ""},
		"ItselfFirst":   {`{` + key + `,` + request[1:], request, "plain", ""},
		"Metadata":      {`{` + key + `,"metadata":{"n":1.0,"x":null}}`, `{"metadata":{"n":1.0,"x":null}}`, "metadata", ""},
		"ItselfOdd":     {`{` + key + `,"x" : null,"y":[1, 2]}`, `{"x":null,"y":[1, 2]}`, "odd", ""},
		"EmptyObject":   {`{` + key + `}`, `{}`, "empty", ""},
		"EmptyRequest":  {"app_id=poll&request={}", `{}`, "empty", ""},
		"RequestOfBoth": {`{` + key + `,"request":` + request + `,"user":{"user_id":"other"}}`, request, "both", "user=%7B%22user_id%22%3A%22other%22%7D"},
	} {
		t.Run(name, func(t *testing.T) {
			req := sent(test.body)
			call(t, op, req)
			if got := p.form.Get("request"); got != test.want || strings.Contains(p.form.Encode(), "caller") {
				t.Errorf("sent %v, want %s", p.form, test.want)
			}
			if beside, _ := url.ParseQuery(test.beside); len(p.form) != len(beside)+1 ||
				!strings.HasSuffix(p.body, test.beside) {
				t.Errorf("sent %s, want %s", p.body, test.beside)
			}
			in, err := op.Decode(req)
			if err != nil {
				t.Fatal(err)
			}
			text, _ := json.Marshal(op.Fingerprint(in))
			if first, known := same[test.like]; known && first != string(text) {
				t.Errorf("is another request than the same in another form:\n%s\n%s", text, first)
			}
			same[test.like] = string(text)
			if keys := op.BodyCredentials(req); strings.Contains(test.body, "caller") && keys[0] != "the caller's key" {
				t.Errorf("keys %q", keys)
			}
		})
	}
	different := map[string]bool{}
	for _, text := range same {
		different[text] = true
	}
	if len(different) != len(same) {
		t.Errorf("different requests are the same: %v", same)
	}
}

// TestNoBody: the trigger's request may lack its body, as a client of which there is a public sample sends it.
func TestNoBody(t *testing.T) {
	p := newPartner(t, 200, begun)
	for _, body := range []string{"", " \r\n"} {
		req := sent(body)
		req.Header["authorization"] = "Basic cG9sbDo=" // of the application "poll"
		got := call(t, ezto.TriggerRequest(ezto.Config{BaseURL: p.URL}), req)
		if p.body != "" || got.Creates == "" || got.Refs["user_record"] != "" {
			t.Errorf("%q: sent %q, got %+v", body, p.body, got)
		}
	}
}

// TestVersions: 0 is what the partner's own kit sends.
func TestVersions(t *testing.T) {
	for version, want := range map[string]bool{
		"": true, "0": true, " 0 ": true, "1": true, "2": false, "v1": false, "01": false,
	} {
		trigger, question := form("app_id", "poll", "request", request), form("app_id", "poll", "auth_req_id", "h")
		trigger.Header["api-version"], question.Header["api-version"] = version, version
		_, one := ezto.TriggerRequest(ezto.Config{}).Decode(trigger)
		_, other := ezto.GetResult(ezto.Config{}).Decode(question)
		if (one == nil) != want || (other == nil) != want {
			t.Errorf("%q: %v, %v", version, one, other)
		}
	}
}

// TestQuestionFormsMatrix: so is a question for a result, whose transaction has one name, and so one owner.
func TestQuestionFormsMatrix(t *testing.T) {
	p := newPartner(t, 200, result)
	op := ezto.GetResult(ezto.Config{BaseURL: p.URL})
	for body, beside := range map[string]string{
		"app_id=poll&auth_req_id=h1": "", "\n app_id=poll&auth_req_id=+h1+": "",
		`{"app_id":"poll","auth_req_id":"h1"}`: "", `{"app_id":"poll","auth_req_id":"h1",}`: "",
		"\uFEFF" + `{"app_id":"poll","app_secret":"k","auth_req_id":" h1 " , }`: "",
		`{"auth_req_id":"h1","app_id":"poll","x":null,"n":7.0,"b":true}`:        "n=7&b=true",
	} {
		req := sent(body)
		call(t, op, req)
		in, err := op.Decode(req)
		if err != nil || p.body != strings.TrimSuffix("auth_req_id=h1&"+beside, "&") || p.user != "app-1" {
			t.Errorf("%s: sent %s as %s, %v", body, p.body, p.user, err)
		}
		if named, _ := op.Decode(form("auth_req_id", "h1")); op.Resource(in) != op.Resource(named) {
			t.Errorf("%s: has another owner", body)
		}
	}
}

// TestRefusedForms: what is no request is refused in words.
func TestRefusedForms(t *testing.T) {
	trigger, question := ezto.TriggerRequest(ezto.Config{}), ezto.GetResult(ezto.Config{})
	const (
		noRequest, noHandle = "request: is required", "auth_req_id: is required"
		noJSON, noForm      = "is not valid JSON", "is not a form (application/x-www-form-urlencoded)"
	)
	for body, want := range map[string][2]string{
		"app_id=poll": {noRequest, noHandle}, "request=": {noRequest, noHandle}, "hello": {noRequest, noHandle},
		"[1]": {noRequest, noHandle}, `{"request":null}`: {noRequest, noHandle}, `{"request":""}`: {noRequest, noHandle},
		"request=x": {"request: " + noJSON, noHandle}, `{"request":"x"}`: {"request: " + noJSON, noHandle},
		`{"request":{}`: {noJSON, noJSON}, `{"a":1}{"a":1}`: {noJSON, noJSON},
		`{"request":{"a":1,"a":2}}`:  {"/request/a: stands twice", "/request/a: stands twice"},
		`{"app_id":"a","app_id":""}`: {"/app_id: stands twice", "/app_id: stands twice"},
		"request=%zz":                {noForm, noForm}, "request={};a=b": {noForm, noForm},
	} {
		_, one := trigger.Decode(sent(body))
		_, other := question.Decode(sent(body))
		for i, err := range []error{one, other} {
			var input *gateway.InputError
			if !errors.As(err, &input) || err.Error() != want[i] {
				t.Errorf("%s: %v, want %s", body, err, want[i])
			}
		}
	}
}
