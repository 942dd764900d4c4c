package operation

import (
	"context"
	"errors"
	"net/url"
	"time"

	"sallyport/shared/gateway"
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

// GrantKeys is Operation.Keys of a token route: the key may stand where the partner's secret or password would, and a
// refresh token of ours stands for it.
func GrantKeys(req gateway.Request) []string {
	form, err := url.ParseQuery(string(req.Body))
	if err != nil {
		return nil
	}
	return []string{last(form, "client_secret"), last(form, "password"), last(form, "refresh_token")}
}

// ParseGrant reads the form. Where a field is repeated, the last value wins. It fails with ErrGrantType, beside what it has
// read, or with *gateway.InputError.
func ParseGrant(req gateway.Request) (in GrantRequest, err error) {
	if req.Method == "" {
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

// Grant makes the tokens that were asked for. gateway.ErrBadKey: the refresh token is not valid, or was made for somebody else.
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

func last(form url.Values, name string) string {
	if values := form[name]; len(values) > 0 {
		return values[len(values)-1]
	}
	return ""
}
