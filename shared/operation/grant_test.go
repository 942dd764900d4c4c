package operation_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"sallyport/shared/gateway"
	"sallyport/shared/operation"
	"sallyport/shared/token"
)

// granted is what the token route answers.
type granted struct {
	Access, Refresh string
	Seconds         int64
}

// tokenRoute is a route whose tokens live for two hours.
func (s *stack) tokenRoute() lambda.Handler {
	s.p.Auth.Ring = s.p.Ring
	s.p.Tokens = token.New(s.counting, s.p.Ring, s.clock, operation.NewID, s.p.Log)
	return operation.New(s.p, operation.IssueToken(operation.TokenRoute{
		Name: "test/issue-token", Lifetime: 2 * time.Hour, Inactive: "inactive",
		BadKey:       operation.OAuthError{Status: 401, Code: "unauthorized_client"},
		Answer:       func(_ operation.GrantRequest, t operation.Tokens) any { return granted(t) },
		Authenticate: func(context.Context, operation.Call) *operation.Outcome { return nil },
	}))
}

// grant asks for tokens by a refresh token, or by the key where it is empty.
func (s *stack) grant(h lambda.Handler, refresh string) (got granted, status int) {
	s.t.Helper()
	form := url.Values{"grant_type": {"password"}, "client_secret": {"acme-key"}}
	if refresh != "" {
		form = url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh}}
	}
	answer := s.send(h, map[string]string{"content-type": "application/x-www-form-urlencoded"}, form.Encode())
	if answer.status == 200 {
		if err := json.Unmarshal([]byte(answer.body), &got); err != nil {
			s.t.Fatal(err)
		}
	}
	return got, answer.status
}

// TestRefreshTokenIsUsedOnce: but for a moment, in which its answer may have been lost.
func TestRefreshTokenIsUsedOnce(t *testing.T) {
	s := newStack(t)
	h := s.tokenRoute()
	first, _ := s.grant(h, "")
	second, _ := s.grant(h, first.Refresh)
	lost, status := s.grant(h, first.Refresh)
	if status != 200 || second.Refresh == "" || lost.Refresh == "" {
		t.Fatalf("the repeat of a refresh was answered %d", status)
	}
	s.pass(token.Grace)
	for what, refresh := range map[string]string{"used": first.Refresh, "unknown": first.Refresh + "x"} {
		if _, status := s.grant(h, refresh); status/100 != 4 {
			t.Errorf("%s: answered %d", what, status)
		}
	}
	third, status := s.grant(h, lost.Refresh) // what the client got in the end goes on
	if status != 200 || third.Refresh == "" {
		t.Errorf("answered %d", status)
	}
	if _, status := s.grant(h, first.Refresh); status/100 != 4 {
		t.Errorf("one that was used long ago: answered %d", status)
	}
	if again, status := s.grant(h, ""); status != 200 || again.Refresh == "" {
		t.Errorf("by the key: answered %d", status)
	}
}

// TestRefreshTokensEnd: a day after the key was shown, however often they have bought one another; until then each
// answer says how long its tokens live.
func TestRefreshTokensEnd(t *testing.T) {
	s := newStack(t)
	h := s.tokenRoute()
	var status int
	got, _ := s.grant(h, "")
	began, renewed := s.clock(), 0
	for {
		if lives := time.Duration(got.Seconds) * time.Second; s.clock().Add(lives).After(began.Add(gateway.SessionLifetime)) {
			t.Fatalf("after %d renewals, tokens live for %s", renewed, lives)
		}
		s.pass(90 * time.Minute)
		before := got
		if got, status = s.grant(h, before.Refresh); status != 200 {
			break
		}
		renewed++
	}
	if status/100 != 4 || s.clock().Sub(began) != gateway.SessionLifetime || renewed != 15 {
		t.Errorf("answered %d after %s and %d renewals", status, s.clock().Sub(began), renewed)
	}
	if again, status := s.grant(h, ""); status != 200 || again.Seconds != 7200 {
		t.Errorf("by the key: answered %d, %+v", status, again)
	}
}

// TestRefreshTokenOfAnEarlierVersion has no session: it begins one.
func TestRefreshTokenOfAnEarlierVersion(t *testing.T) {
	s := newStack(t)
	h := s.tokenRoute()
	acme, err := s.p.Auth.Authenticate(t.Context(), "acme-key")
	if err != nil {
		t.Fatal(err)
	}
	old, err := s.p.Auth.Mint(t.Context(), acme, gateway.RefreshToken, "test", time.Hour, gateway.Session{})
	if err != nil {
		t.Fatal(err)
	}
	got, status := s.grant(h, old)
	if _, next := s.grant(h, got.Refresh); status != 200 || next != 200 {
		t.Errorf("answered %d, and then %d", status, next)
	}
	s.pass(token.Grace)
	if _, status := s.grant(h, old); status == 200 {
		t.Error("it was used twice")
	}
}

// TestRefreshWhileTheLedgerIsDown: no token is given that could be used twice.
func TestRefreshWhileTheLedgerIsDown(t *testing.T) {
	s := newStack(t)
	h := s.tokenRoute()
	first, _ := s.grant(h, "")
	s.counting.Fail = func(op string) (before, after error) {
		if op == "PutToken" {
			return context.DeadlineExceeded, nil
		}
		return nil, nil
	}
	if _, status := s.grant(h, first.Refresh); status != 503 {
		t.Errorf("answered %d", status)
	}
	s.counting.Fail = nil
	if _, status := s.grant(h, first.Refresh); status != 200 {
		t.Errorf("answered %d", status)
	}
}

// TestOddTokenAnswersMatrix: whatever a partner says of how long its token lives, and however it puts it, the token
// serves all calls until the partner refuses it: a login for each call might have the account locked.
func TestOddTokenAnswersMatrix(t *testing.T) {
	s := newStack(t)
	s.p.Tokens = s.cache()
	rest, ended := "", false // of the answer; whether the first token of it has
	s.partner.onFind(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, "%s{\"access_token\":\"at-%t\"%s", strings.Repeat("\uFEFF", len(rest)%2), ended, rest)
	})
	op := s.read()
	op.Call = func(ctx context.Context, c operation.Call, _ input) operation.Outcome {
		access, failed := c.PartnerToken(ctx, operation.PasswordGrant{URL: s.partner.url + "/find"})
		switch {
		case failed != nil:
			return *failed
		case access != fmt.Sprint("at-", ended):
			return operation.Outcome{Class: operation.Credentials, Code: "http_401"}
		}
		return operation.Outcome{Class: operation.Done, Code: "ok", Reply: gateway.JSON(200, []byte("{}"))}
	}
	h := operation.New(s.p, op)
	for _, rest = range []string{
		`}`, `,"expires_in":3600}`, `,"expires_in":"3600"}`, `,"expires_in":" 3600 "}`, `,"expires_in":3600.0}`,
		`,"expires_in":3600.9}`, `,"expires_in":"3600.5"}`, `,"expires_in":3.6E3}`, `,"expires_in":0}`,
		`,"expires_in":"0"}`, `,"expires_in":0.4}`, `,"expires_in":-1}`, `,"expires_in":null}`, `,"expires_in":""}`,
		`,"expires_in":"never"}`, `,"expires_in":true}`, `,"expires_in":{"seconds":3600}}`, `,"expires_in":[]}`,
		`,"expires_in":9223372036854775807}`, `,"expires_in":99999999999999999999}`, `,"expires_in":1e308}`,
		`,"expires_in":3600,"refresh_token":null}`, `,"expires_in":3600,"refresh_token":"","refresh_expires_in":0}`,
		`,"expires_in":3600,"refresh_token":"rt","refresh_expires_in":"0"}`,
		`,"expires_in":"3600","refresh_token":"rt","refresh_expires_in":"3600"}`,
		`,"expires_in":3600,"refresh_token":"rt","refresh_expires_in":-1}`,
		`,"expires_in":3600,"refresh_token":7,"refresh_expires_in":"never"}`,
		`,"expires_in":3600,"scope":7,"token_type":null,"not-before-policy":"x","expires_in":"60"}`,
	} {
		s.pass(72 * time.Hour) // all that there was has expired
		before := s.partner.finds.Load()
		for i := range 10 {
			if ended = i >= 5; s.post(h, "", `{"value":"a"}`).status != 200 {
				t.Errorf("%s: a call failed", rest)
			}
		}
		if n := s.partner.finds.Load() - before; n != 2 {
			t.Errorf("%s: ten calls took %d logins, of which two were due", rest, n)
		}
	}
}
