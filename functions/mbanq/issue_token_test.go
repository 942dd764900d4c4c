package mbanq_test

import (
	"errors"
	"testing"

	"sallyport/functions/mbanq"
	"sallyport/shared/gateway"
	"sallyport/shared/operation"
)

func TestTokenOfThePartner(t *testing.T) {
	get := func(c mbanq.Config, secret string) operation.Outcome {
		op := mbanq.GetClient(c)
		in, err := op.Decode(to(""))
		if err != nil {
			t.Fatal(err)
		}
		return op.Call(t.Context(), newCall(secret), in)
	}
	for name, test := range map[string]struct {
		answer answer
		class  operation.Class
	}{
		"InvalidGrant":   {answer{400, `{"error":"invalid_grant"}`}, operation.Credentials},
		"Envelope":       {answer{401, envelope(401, "error.msg.not.authenticated")}, operation.Credentials},
		"Forbidden":      {answer{403, `<html>`}, operation.Credentials},
		"Throttled":      {answer{429, ``}, operation.Unavailable},
		"RequestTimeout": {answer{408, ``}, operation.Unavailable},
		"Down":           {answer{503, `<html>`}, operation.Unavailable},
		"Lost":           {answer{0, ``}, operation.Unavailable}, // nothing was asked of the business yet
		"Redirect":       {answer{302, ``}, operation.Unavailable},
		"HTML":           {answer{200, `<html>`}, operation.Unavailable},
		"NoToken":        {answer{200, `{"expires_in":3600}`}, operation.Unavailable},
		"BlankToken":     {answer{200, `{"access_token":" ","expires_in":3600}`}, operation.Unavailable},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPartner(t)
			p.token = test.answer
			if got := get(p.config(), secret); got.Class != test.class || got.Reply.Status != 0 || len(p.requests()) != 1 {
				t.Errorf("got %+v, asked %+v", got, p.requests())
			}
			// as a state machine asks
			if got := call(t, mbanq.IssueToken(p.config()), gateway.Request{FromStateMachine: true}); got.Class != test.class {
				t.Errorf("got %+v", got)
			}
		})
	}
	t.Run("MalformedCredentials", func(t *testing.T) {
		for _, secret := range []string{``, `[]`, `{}`, `{"tenant_id":"t"}`, `{"username":"u"}`} {
			if got := get(mbanq.Config{BaseURL: "http://127.0.0.1:1"}, secret); got.Class != operation.Credentials ||
				got.Code != "credentials_malformed" {
				t.Errorf("%s: %+v", secret, got)
			}
		}
	})
	t.Run("NotSent", func(t *testing.T) {
		if got := get(mbanq.Config{BaseURL: "http://127.0.0.1:1"}, secret); got.Class != operation.Unavailable {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("OfAStateMachine", func(t *testing.T) { // it gets to see nothing
		p := newPartner(t)
		if got := call(
			t, mbanq.IssueToken(p.config()), gateway.Request{FromStateMachine: true},
		); got.Class != operation.Done || string(got.Reply.Body) != "{}" || len(got.Refs) != 0 {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("AnotherTenantOfThePartners", func(t *testing.T) {
		const want = `{"developerMessage":"Invalid tenant details were passed in api request.","httpStatusCode":"401","defaultUserMessage":"Invalid tenant identifier provided with request.","userMessageGlobalisationCode":"error.msg.invalid.tenant.identifier","errors":null}`
		p := newPartner(t, answer{200, aPending})
		req := to("", "tenantIdentifier", "t9demo")
		req.Header = map[string]string{"tenantid": "somebody-else"}
		if got := call(t, mbanq.GetClient(p.config()), req); got.Class != operation.Invalid || got.Reply.Status != 401 ||
			string(got.Reply.Body) != want || len(p.requests()) != 0 ||
			got.Reply.Header["Gateway-Error"] != "invalid_request" {
			t.Errorf("got %+v", got)
		}
		req.Header = map[string]string{"tenantid": " "}
		if got := call(t, mbanq.GetClient(p.config()), req); got.Class != operation.Done {
			t.Errorf("got %+v", got)
		}
	})
}

func TestTokenForm(t *testing.T) {
	op := mbanq.IssueToken(mbanq.Config{})
	for form, want := range map[string]string{
		"grant_type=password&client_id=x": "", "grant_type=refresh_token&refresh_token=r": "",
		"grant_type=client_credentials": `{"error":"unsupported_grant_type","error_description":"Unsupported grant type"}`,
		"":                              `{"error":"invalid_request","error_description":"Missing grant type"}`,
		`{"grant_type":"password"}`:     `{"error":"invalid_request","error_description":"Missing grant type"}`,
	} {
		_, err := op.Decode(post(form))
		var rejection *operation.Rejection
		if (err == nil) != (want == "") ||
			err != nil &&
				(!errors.As(err, &rejection) || string(rejection.Reply.Body) != want || rejection.Reply.Status != 400) {
			t.Errorf("%s: %v", form, err)
		}
	}
	// a state machine's
	if in, err := op.Decode(gateway.Request{FromStateMachine: true}); err != nil || in.GrantType != "" {
		t.Errorf("%+v, %v", in, err)
	}
}

// FuzzTokenForm: whatever is sent to the token endpoint is taken, or refused in its words.
func FuzzTokenForm(f *testing.F) {
	f.Add([]byte("grant_type=password&client_id=c&client_secret=s&username=u&password=p"))
	f.Add([]byte("grant_type=%zz;"))
	f.Fuzz(func(t *testing.T, form []byte) {
		op := mbanq.IssueToken(mbanq.Config{})
		op.BodyCredentials(post(string(form)))
		in, err := op.Decode(post(string(form)))
		if refused(t, err); err == nil && in.GrantType != "password" && in.GrantType != "refresh_token" {
			t.Errorf("%q: taken as %+v", form, in)
		}
	})
}
