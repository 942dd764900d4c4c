package operation

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"time"

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

// ErrGrantType: the form asks for no grant, or for one that there isn't.
var ErrGrantType = errors.New("operation: grant_type must be password or refresh_token")

// GrantCredentials is Operation.BodyCredentials of a token route: the key may stand where the partner's secret or
// password would, and a refresh token of ours stands for it.
func GrantCredentials(req gateway.Request) []string {
	form, err := url.ParseQuery(string(req.Body))
	if err != nil {
		return nil
	}
	return []string{last(form, "client_secret"), last(form, "password"), last(form, "refresh_token")}
}

// ParseGrant reads the form. Where a field is repeated, the last value wins. It fails with ErrGrantType, beside what it
// has read, or with *gateway.InputError.
func ParseGrant(req gateway.Request) (in GrantRequest, err error) {
	if req.FromStateMachine {
		return in, nil
	}
	form, err := url.ParseQuery(string(req.Body))
	if err != nil {
		return in, &gateway.InputError{Reason: "is not a form (application/x-www-form-urlencoded)"}
	}
	in = GrantRequest{last(form, "grant_type"), last(form, "refresh_token"), last(form, "scope")}
	if in.GrantType != "password" && in.GrantType != "refresh_token" {
		return in, ErrGrantType
	}
	return in, nil
}

// Grant makes the tokens that were asked for. gateway.ErrBadKey: the refresh token is not valid, or was made for
// somebody else.
func (c Call) Grant(ctx context.Context, in GrantRequest, lifetime time.Duration) (access, refresh string, err error) {
	if in.GrantType == "refresh_token" {
		if err := c.Redeem(ctx, gateway.RefreshToken, in.RefreshToken); err != nil {
			return "", "", err
		}
	}
	if access, err = c.Mint(ctx, gateway.AccessToken, lifetime); err == nil {
		refresh, err = c.Mint(ctx, gateway.RefreshToken, lifetime)
	}
	return access, refresh, err
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

// ask asks for a token once. Where the answer doesn't say how long its refresh token lives: as long, at least.
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
	var answer struct {
		Access         string `json:"access_token"`
		Expires        int64  `json:"expires_in"` // seconds, as the next
		Refresh        string `json:"refresh_token"`
		RefreshExpires *int64 `json:"refresh_expires_in"`
	}
	switch {
	case resp.Status >= 400 && resp.Status < 500 && resp.Status != http.StatusTooManyRequests &&
		resp.Status != http.StatusRequestTimeout:
		return grant, errRejected
	case resp.Status != http.StatusOK, tolerant.Read(resp.Body, &answer) != nil,
		answer.Access == "", answer.Expires <= 0:
		return grant, errors.New("operation: no token in the answer")
	}
	if answer.RefreshExpires == nil {
		answer.RefreshExpires = &answer.Expires
	}
	return token.Grant{
		Access: answer.Access, ExpiresIn: time.Duration(answer.Expires) * time.Second,
		Refresh: answer.Refresh, RefreshExpiresIn: time.Duration(*answer.RefreshExpires) * time.Second,
	}, nil
}

func last(form url.Values, name string) string {
	if values := form[name]; len(values) > 0 {
		return values[len(values)-1]
	}
	return ""
}
