package operation

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"time"

	"github.com/go-json-experiment/json"

	"sallyport/shared/gateway"
	"sallyport/shared/token"
	"sallyport/shared/tolerant"
)

// GrantRequest is what a caller asks a token route for, whose tokens are the gateway's own: for clients that insist on
// fetching one. The zero value is a state machine's.
type GrantRequest struct {
	GrantType    string // "password" or "refresh_token"
	RefreshToken string
	Scope        string
}

// TokenRoute is a partner's token route. It has two faces: a caller who insists on the partner's dance gets tokens of
// the gateway's own, whose client_secret or password is the caller's key; a state machine has the partner's token
// fetched, which all containers share and nobody gets to see. Its errors have the shape of OAuth (RFC 6749 §5.2).
type TokenRoute struct {
	Name         string
	Lifetime     time.Duration                        // of the gateway's tokens, of both kinds
	Done         string                               // the code of a success
	Answer       func(in GrantRequest, t Tokens) any  // the partner's shape of it, as JSON has it
	Authenticate func(context.Context, Call) *Outcome // fetches the partner's token; nil where there is one

	BadKey OAuthError // likewise for no key

	// What its other errors say: of a form without a grant_type, of one with another than there are, of a refresh token
	// that is not valid; then of conditions, where Later stands for those that pass, and Internal for the rest.
	Missing, Unsupported, Inactive, Forbidden, TooLarge, Invalid, Later, Internal string
}

// Tokens are the gateway's own.
type Tokens struct {
	Access, Refresh string
	Seconds         int64 // that both live
}

// OAuthError is an error of OAuth.
type OAuthError struct {
	Status      int    `json:"-"`
	Code        string `json:"error"`
	Description string `json:"error_description"`
}

func (e OAuthError) reply() gateway.Reply { return encoded(e.Status, e) }

// refuse refuses a form.
func (e OAuthError) refuse(detail string) error {
	return &Rejection{Reply: e.reply(), Code: e.Code, Detail: "grant_type: " + detail}
}

func encoded(status int, v any) gateway.Reply {
	text, err := json.Marshal(v)
	if err != nil {
		return gateway.Empty(http.StatusInternalServerError)
	}
	return gateway.JSON(status, text)
}

const maxTokenRequest = 16 << 10 // bytes

// IssueToken is the operation of a token route.
func IssueToken(r TokenRoute) Operation[GrantRequest] {
	return Operation[GrantRequest]{
		Name:            r.Name,
		MaxBody:         maxTokenRequest,
		BodyCredentials: grantCredentials,
		Decode:          r.decode,
		Call:            r.call,
		Errors:          func(condition Condition, _ string) gateway.Reply { return r.err(condition).reply() },
	}
}

func (r TokenRoute) err(condition Condition) OAuthError {
	switch condition {
	case NoKey, BadKey:
		return r.BadKey
	case Forbidden:
		return OAuthError{http.StatusForbidden, "unauthorized_client", r.Forbidden}
	case TooLarge:
		return OAuthError{http.StatusRequestEntityTooLarge, "invalid_request", r.TooLarge}
	case InvalidRequest:
		return OAuthError{http.StatusBadRequest, "invalid_request", r.Invalid}
	case PartnerThrottled:
		return OAuthError{http.StatusTooManyRequests, "temporarily_unavailable", r.Later}
	case LedgerDown, PartnerDown:
		return OAuthError{http.StatusServiceUnavailable, "temporarily_unavailable", r.Later}
	}
	return OAuthError{http.StatusInternalServerError, "server_error", r.Internal}
}

// grantCredentials are where a form may have the key: where the partner's secret or password would stand. A refresh
// token of ours stands for it.
func grantCredentials(req gateway.Request) []string {
	form, err := url.ParseQuery(string(req.Body))
	if err != nil {
		return nil
	}
	return []string{last(form, "client_secret"), last(form, "password"), last(form, "refresh_token")}
}

// decode reads the form. Where a field is repeated, as in samples of Digit9's, the last value wins.
func (r TokenRoute) decode(req gateway.Request) (in GrantRequest, err error) {
	if req.FromStateMachine {
		return in, nil
	}
	form, err := url.ParseQuery(string(req.Body))
	if err != nil {
		return in, &gateway.InputError{Reason: "is not a form (application/x-www-form-urlencoded)"}
	}
	in = GrantRequest{last(form, "grant_type"), last(form, "refresh_token"), last(form, "scope")}
	switch in.GrantType {
	case "password", "refresh_token":
		return in, nil
	case "":
		return in, OAuthError{http.StatusBadRequest, "invalid_request", r.Missing}.refuse("is required")
	}
	return in, OAuthError{http.StatusBadRequest, "unsupported_grant_type", r.Unsupported}.refuse(
		"must be password or refresh_token",
	)
}

func (r TokenRoute) call(ctx context.Context, call Call, in GrantRequest) Outcome {
	if in.GrantType == "" {
		if failed := r.Authenticate(ctx, call); failed != nil {
			return *failed
		}
		return Outcome{Class: Done, Code: r.Done, Reply: gateway.JSON(http.StatusOK, []byte("{}"))}
	}
	tokens, err := call.grant(ctx, in, r.Lifetime)
	switch {
	case errors.Is(err, gateway.ErrBadKey):
		inactive := OAuthError{http.StatusBadRequest, "invalid_grant", r.Inactive}
		return Outcome{Class: Invalid, Code: inactive.Code, Reply: inactive.reply()}
	case err != nil:
		return Outcome{Class: Unavailable, Code: "keys_unavailable"}
	}
	return Outcome{Class: Done, Code: r.Done, Reply: encoded(http.StatusOK, r.Answer(in, tokens))}
}

// grant makes the tokens that were asked for. gateway.ErrBadKey: the refresh token is not valid any more, or was made
// for somebody else.
func (c Call) grant(ctx context.Context, in GrantRequest, lifetime time.Duration) (t Tokens, err error) {
	if c.execution == nil {
		return t, ErrOutsidePipeline
	}
	refresh := ""
	if in.GrantType == "refresh_token" {
		refresh = in.RefreshToken
		if err := c.Redeem(ctx, gateway.RefreshToken, refresh); err != nil {
			return t, err
		}
	}
	session, lifetime, err := c.execution.session(ctx, refresh, lifetime)
	if err == nil {
		t.Access, err = c.Mint(ctx, gateway.AccessToken, lifetime, gateway.Session{})
	}
	if err == nil {
		t.Refresh, err = c.Mint(ctx, gateway.RefreshToken, lifetime, session)
	}
	t.Seconds = int64(lifetime / time.Second)
	return t, err
}

// PasswordGrant is how a partner is asked for an access token by a user's password (RFC 6749 §4.3).
type PasswordGrant struct {
	URL    string
	Header map[string]string // further headers
	Client url.Values        // client_id and client_secret
	User   url.Values        // username and password, and what else is asked for
}

// errRejected is the partner's no to our credentials; any other failure to get a token may pass.
var errRejected = errors.New("operation: the partner rejects our credentials")

// PartnerToken returns an access token, which all containers share; see Token. One that is renewed by its refresh token
// falls back to the password. Where there is none, failed says what that means: nothing has been asked of the partner
// yet.
func (c Call) PartnerToken(ctx context.Context, g PasswordGrant) (access string, failed *Outcome) {
	access, err := c.Token(ctx, func(ctx context.Context, refresh string) (token.Grant, error) {
		if refresh != "" {
			if grant, err := c.ask(ctx, g, "refresh_token", url.Values{"refresh_token": {refresh}}); err == nil {
				return grant, nil
			}
		}
		return c.ask(ctx, g, "password", g.User)
	})
	switch {
	case errors.Is(err, errRejected):
		return "", &Outcome{Class: Credentials, Code: "token_refused"}
	case err != nil:
		return "", &Outcome{Class: Unavailable, Code: "no_token"}
	}
	return access, nil
}

// ask asks for a token once. Its answer needs the token alone, in any 2xx: what else it says may be missing or odd.
func (c Call) ask(
	ctx context.Context, g PasswordGrant, grantType string, with url.Values,
) (grant token.Grant, err error) {
	form := url.Values{"grant_type": {grantType}}
	maps.Copy(form, g.Client)
	maps.Copy(form, with)
	req, err := http.NewRequest(http.MethodPost, g.URL, nil)
	if err != nil {
		return grant, err
	}
	for name, value := range g.Header {
		req.Header.Set(name, value)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	resp, err := c.Do(ctx, req, []byte(form.Encode()))
	if err != nil {
		return grant, err
	}
	answer := tolerant.ReadObject(resp.Body)
	grant = token.Grant{
		Access: answer.Text("access_token"), ExpiresIn: tolerant.Seconds(answer["expires_in"]),
		Refresh: answer.Text("refresh_token"), RefreshExpiresIn: tolerant.Seconds(answer["refresh_expires_in"]),
	}
	switch {
	case resp.Status >= 400 && resp.Status < 500 && resp.Status != http.StatusTooManyRequests &&
		resp.Status != http.StatusRequestTimeout:
		return token.Grant{}, errRejected
	case resp.Status < 200 || resp.Status > 299 || grant.Access == "":
		return token.Grant{}, errors.New("operation: no token in the answer")
	}
	return grant, nil
}

func last(form url.Values, name string) string {
	if values := form[name]; len(values) > 0 {
		return values[len(values)-1]
	}
	return ""
}
