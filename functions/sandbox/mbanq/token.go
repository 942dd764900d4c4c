package mbanq

import (
	"net/http"
	"strconv"
	"time"

	"sallyport/functions/sandbox"
)

// keptToken is what is kept of an access or a refresh token, by its digest.
type keptToken struct {
	Twin    string    `json:"twin"`    // key of the other token that was issued with it
	Expires time.Time `json:"expires"` // real
}

// refreshLifetime is how long a refresh token lives, in real time: longer than the access token, else it would be of
// no use. The contract does not say.
const refreshLifetime = 24 * time.Hour

func accessKey(token string) string  { return "mbanq/token/access/" + sandbox.Digest(token) }
func refreshKey(token string) string { return "mbanq/token/refresh/" + sandbox.Digest(token) }

// issueToken is row 1 of mbanq §2. Its failures are OAuth's, which the contract leaves open.
func (m *simulation) issueToken(c *sandbox.Call) (sandbox.Answer, error) {
	form := c.Form()

	// Client, then grant.
	if !sandbox.Same(form("client_id"), m.ClientID, form("client_secret"), m.ClientSecret) {
		return c.Failures().Unauthorized, nil
	}
	switch form("grant_type") {
	case "":
		return tokenError(http.StatusBadRequest, "invalid_request", "Missing grant type"), nil
	case "password":
		if !sandbox.Same(form("username"), m.Username, form("password"), m.Password) {
			return tokenError(http.StatusBadRequest, "invalid_grant", "Bad credentials"), nil
		}
		return m.newTokens(c)
	case "refresh_token":
	default:
		return tokenError(http.StatusBadRequest, "unsupported_grant_type", "Unsupported grant type"), nil
	}

	// Refresh: both tokens are replaced, and the old ones good for nothing.
	key := refreshKey(form("refresh_token"))
	var old keptToken
	found, err := c.Load(key, &old)
	switch {
	case err != nil:
		return sandbox.Answer{}, err
	case !found || !c.Now.Before(old.Expires):
		return tokenError(http.StatusBadRequest, "invalid_grant", "Invalid refresh token"), nil
	}
	for _, key := range []string{key, old.Twin} {
		if err := c.Delete(key); err != nil {
			return sandbox.Answer{}, err
		}
	}
	return m.newTokens(c)
}

// newTokens issues an access and a refresh token.
func (m *simulation) newTokens(c *sandbox.Call) (sandbox.Answer, error) {
	lifetime, err := c.Setting("token_lifetime")
	if err != nil {
		return sandbox.Answer{}, err
	}
	seconds, err := strconv.Atoi(lifetime)
	if err != nil {
		return sandbox.Answer{}, err
	}
	access, refresh := "mat-"+c.NewHexID(), "mrt-"+c.NewHexID()
	now := c.Now.UTC()
	if err := c.Save(
		accessKey(access), keptToken{refreshKey(refresh), now.Add(time.Duration(seconds) * time.Second)},
	); err != nil {
		return sandbox.Answer{}, err
	}
	if err := c.Save(refreshKey(refresh), keptToken{accessKey(access), now.Add(refreshLifetime)}); err != nil {
		return sandbox.Answer{}, err
	}
	return sandbox.JSON(http.StatusOK, struct {
		AccessToken  string `json:"access_token"`
		TokenType    string `json:"token_type"`
		RefreshToken string `json:"refresh_token"`
		ExpiresIn    int    `json:"expires_in"`
		Scope        string `json:"scope"`
	}{access, "bearer", refresh, seconds, "all"}), nil
}

// tokenAccepted reports whether a request presents an access token that is good now.
func tokenAccepted(c *sandbox.Call) (bool, error) {
	var token keptToken
	found, err := c.Load(accessKey(c.Bearer()), &token)
	return found && c.Now.Before(token.Expires), err
}

// revokeToken ends the access token that a request presents. The refresh token still helps.
func revokeToken(c *sandbox.Call) error {
	return c.Delete(accessKey(c.Bearer()))
}

func tokenError(status int, code, description string) sandbox.Answer {
	return sandbox.JSON(status, struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}{code, description})
}

func tokenFailures() sandbox.Failures {
	return sandbox.Failures{
		Unauthorized: tokenError(http.StatusUnauthorized, "invalid_client", "Bad client credentials"),
		Throttled:    tokenError(http.StatusTooManyRequests, "temporarily_unavailable", "Too many requests"),
		Internal:     tokenError(http.StatusInternalServerError, "server_error", "Internal Server Error"),
		Unavailable:  tokenError(http.StatusServiceUnavailable, "temporarily_unavailable", "Service is not available"),
	}
}
