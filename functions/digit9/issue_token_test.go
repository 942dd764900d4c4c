package digit9_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"sallyport/functions/digit9"
	"sallyport/shared/gateway"
	"sallyport/shared/operation"
)

func TestToken(t *testing.T) {
	lookup := func(c digit9.Config, secret string) operation.Outcome {
		op := digit9.LookupCustomer(c)
		in, err := op.Decode(body(aLookup))
		if err != nil {
			t.Fatal(err)
		}
		return op.Call(t.Context(), operation.NewCall("acme", []byte(secret)), in)
	}
	for name, test := range map[string]struct {
		answer answer
		class  operation.Class
	}{
		"WrongUser": {
			answer{401, `{"error":"invalid_grant","error_description":"Invalid user credentials"}`}, operation.Credentials,
		},
		"BadRequest":     {answer{400, `{"error":"invalid_request"}`}, operation.Credentials},
		"Forbidden":      {answer{403, `<html>`}, operation.Credentials},
		"Throttled":      {answer{429, ``}, operation.Unavailable},
		"RequestTimeout": {answer{408, ``}, operation.Unavailable},
		"Down":           {answer{503, `<html>`}, operation.Unavailable},
		"Lost":           {answer{0, ``}, operation.Unavailable}, // nothing was asked of the business yet
		"Redirect":       {answer{302, ``}, operation.Unavailable},
		"HTML":           {answer{200, `<html>`}, operation.Unavailable},
		"NoToken":        {answer{200, `{"expires_in":7199}`}, operation.Unavailable},
		"BlankToken":     {answer{200, `{"access_token":" ","expires_in":7199}`}, operation.Unavailable},
		"Truncated":      {answer{200, `{"access_token":"at-1"`}, operation.Unavailable},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPartner(t)
			p.token = test.answer
			if got := lookup(config(p.url), secret); got.Class != test.class || got.Reply.Status != 0 {
				t.Errorf("got %+v", got)
			}
			if asked, _ := p.requests(); len(asked) != 1 {
				t.Errorf("asked %+v", asked)
			}
		})
	}
	t.Run("LongToken", func(t *testing.T) { // real ones exceed what the contract documents
		p := newPartner(t, answer{200, `{}`})
		long := strings.Repeat("x", 4000)
		p.token = answer{200, strings.Replace(granted, "at-1", long, 1)}
		lookup(config(p.url), secret)
		asked, _ := p.requests()
		if got := asked[1].header.Get("Authorization"); got != "Bearer "+long {
			t.Errorf("sent %d characters", len(got))
		}
	})
	t.Run("NoScope", func(t *testing.T) {
		p := newPartner(t, answer{200, `{}`})
		lookup(config(p.url), `{"client_id":"c","client_secret":"s","username":"u","password":"p"}`)
		asked, _ := p.requests()
		if got := asked[0].body; got != "client_id=c&client_secret=s&grant_type=password&password=p&username=u" {
			t.Errorf("sent %s", got)
		}
	})
	t.Run("MalformedCredentials", func(t *testing.T) {
		for _, secret := range []string{``, `[]`, `{}`, `{"client_id":"c"}`, `{"username":"u"}`} {
			if got := lookup(config("http://127.0.0.1:1"), secret); got.Class != operation.Credentials {
				t.Errorf("%s: %+v", secret, got)
			}
		}
	})
	t.Run("NotSent", func(t *testing.T) {
		if got := lookup(config("http://127.0.0.1:1"), secret); got.Class != operation.Unavailable {
			t.Errorf("got %+v", got)
		}
	})
}

func TestTokenForm(t *testing.T) {
	op := digit9.IssueToken(digit9.Config{})
	for form, want := range map[string]string{
		"grant_type=password&client_id=x": "", "grant_type=refresh_token&refresh_token=r": "",
		"grant_type=password&grant_type=refresh_token": "", // the last one wins (§3)
		"grant_type=other&grant_type=password":         "",
		"grant_type=password&grant_type=other":         "unsupported_grant_type Unsupported grant_type",
		"grant_type=client_credentials":                "unsupported_grant_type Unsupported grant_type",
		"":                                             "invalid_request Missing form parameter: grant_type",
		"client_id=x":                                  "invalid_request Missing form parameter: grant_type",
		"grant_type=password&grant_type=":              "invalid_request Missing form parameter: grant_type",
		`{"grant_type":"password"}`:                    "invalid_request Missing form parameter: grant_type",
	} {
		in, err := op.Decode(body(form))
		var rejection *operation.Rejection
		got := ""
		if errors.As(err, &rejection) {
			var answer struct {
				Error       string `json:"error"`
				Description string `json:"error_description"`
			}
			if err := json.Unmarshal(rejection.Reply.Body, &answer); err != nil || rejection.Reply.Status != 400 ||
				rejection.Code != answer.Error {
				t.Errorf("%s: %+v, %v", form, rejection, err)
			}
			got = answer.Error + " " + answer.Description
		}
		if got != want || (err == nil) != (want == "") {
			t.Errorf("%s: %v %+v, want %s", form, err, in, want)
		}
	}
	var input *gateway.InputError
	for _, form := range []string{"grant_type=%zz", "a;b"} {
		if _, err := op.Decode(body(form)); !errors.As(err, &input) {
			t.Errorf("%s: %v", form, err)
		}
		if keys := op.BodyCredentials(body(form)); keys != nil {
			t.Errorf("%s: keys %q", form, keys)
		}
	}
	for form, want := range map[string]string{
		"client_secret=s&password=p&refresh_token=r": "s p r", "client_secret=a&client_secret=s+%26&password=p": "s & p ",
		"grant_type=password": "  ",
	} {
		if got := strings.Join(op.BodyCredentials(body(form)), " "); got != want {
			t.Errorf("%s: keys %q, want %q", form, got, want)
		}
	}
	if in, err := op.Decode(gateway.Request{FromStateMachine: true, Body: []byte(`{"anything":1}`)}); err != nil ||
		in.GrantType != "" {
		t.Errorf("a state machine's request: %+v, %v", in, err)
	}
}

// A state machine wants the partner's token to be there, and gets to see nothing of it.
func TestTokenOfAStateMachine(t *testing.T) {
	p := newPartner(t)
	got := call(t, digit9.IssueToken(config(p.url)), gateway.Request{FromStateMachine: true})
	if asked, _ := p.requests(); got.Class != operation.Done || string(got.Reply.Body) != "{}" || len(asked) != 1 ||
		len(got.Refs) != 0 {
		t.Errorf("got %+v, asked %+v", got, asked)
	}
	p.token = answer{401, `{}`}
	if got := call(
		t, digit9.IssueToken(config(p.url)), gateway.Request{FromStateMachine: true},
	); got.Class != operation.Credentials {
		t.Errorf("got %+v", got)
	}
}

// FuzzTokenForm: whatever is sent to the token endpoint is taken, or refused in a realm's words.
func FuzzTokenForm(f *testing.F) {
	f.Add([]byte("grant_type=password&scope=api%3A%2F%2Fx&client_id=c&client_secret=s&username=u&password=p"))
	f.Add([]byte("grant_type=password&client_id=c&client_secret=s&grant_type=refresh_token&refresh_token=r"))
	f.Add([]byte("grant_type=%zz;"))
	f.Fuzz(func(t *testing.T, form []byte) {
		op := digit9.IssueToken(digit9.Config{})
		op.BodyCredentials(gateway.Request{Method: "POST", Body: form})
		in, err := op.Decode(gateway.Request{Method: "POST", Body: form})
		var input *gateway.InputError
		var rejection *operation.Rejection
		switch {
		case err == nil && in.GrantType != "password" && in.GrantType != "refresh_token":
			t.Errorf("%q: taken as %+v", form, in)
		case errors.As(err, &rejection) && !json.Valid(rejection.Reply.Body):
			t.Errorf("%q: answered %s", form, rejection.Reply.Body)
		case err != nil && rejection == nil && !errors.As(err, &input):
			t.Errorf("%q: %v", form, err)
		}
	})
}
