package digit9

import (
	"net/http"
	"strconv"
	"time"

	"sallyport/functions/sandbox"
)

// keptToken is what is kept of an access or a refresh token, by its digest.
type keptToken struct {
	Session string    `json:"session"`
	Twin    string    `json:"twin"`    // key of the other token that was issued with it
	Expires time.Time `json:"expires"` // real
}

func accessKey(token string) string  { return "digit9/token/access/" + sandbox.Digest(token) }
func refreshKey(token string) string { return "digit9/token/refresh/" + sandbox.Digest(token) }

// issueToken is E1 (digit9 §3).
func (d *simulation) issueToken(c *sandbox.Call) (sandbox.Answer, error) {
	form := c.Form()

	// Grant, then client, as Keycloak does.
	grant := form("grant_type")
	switch {
	case grant == "":
		return tokenError(http.StatusBadRequest, "invalid_request", "Missing form parameter: grant_type"), nil
	case grant != "password" && grant != "refresh_token":
		return tokenError(http.StatusBadRequest, "unsupported_grant_type", "Unsupported grant_type"), nil
	case !sandbox.Same(form("client_id"), d.ClientID, form("client_secret"), d.ClientSecret):
		return tokenError(http.StatusUnauthorized, "unauthorized_client", "Invalid client or Invalid client credentials"), nil
	}

	// Password: a session.
	if grant == "password" {
		if !sandbox.Same(form("username"), d.Username, form("password"), d.Password) {
			return c.Failures().Unauthorized, nil
		}
		if scope := form("scope"); scope != "" && scope != d.Scope {
			return tokenError(http.StatusBadRequest, "invalid_scope", "Invalid scopes"), nil
		}
		return d.newTokens(c, c.NewID())
	}

	// Refresh: both tokens of the session are replaced, and the old ones good for nothing.
	key := refreshKey(form("refresh_token"))
	var old keptToken
	found, err := c.Load(key, &old)
	switch {
	case err != nil:
		return sandbox.Answer{}, err
	case !found || !c.Now.Before(old.Expires):
		return tokenError(http.StatusBadRequest, "invalid_grant", "Token is not active"), nil
	}
	if err := c.Delete(key); err != nil {
		return sandbox.Answer{}, err
	}
	if err := c.Delete(old.Twin); err != nil {
		return sandbox.Answer{}, err
	}
	return d.newTokens(c, old.Session)
}

// newTokens issues an access and a refresh token, which live equally long.
func (d *simulation) newTokens(c *sandbox.Call, session string) (sandbox.Answer, error) {
	lifetime, err := c.Setting("token_lifetime")
	if err != nil {
		return sandbox.Answer{}, err
	}
	seconds, err := strconv.Atoi(lifetime)
	if err != nil {
		return sandbox.Answer{}, err
	}
	access, refresh := "at-"+c.NewHexID(), "rt-"+c.NewHexID()
	expires := c.Now.UTC().Add(time.Duration(seconds) * time.Second)
	if err := c.Save(accessKey(access), keptToken{session, refreshKey(refresh), expires}); err != nil {
		return sandbox.Answer{}, err
	}
	if err := c.Save(refreshKey(refresh), keptToken{session, accessKey(access), expires}); err != nil {
		return sandbox.Answer{}, err
	}
	return sandbox.JSON(http.StatusOK, struct {
		TokenType        string `json:"token_type"`
		AccessToken      string `json:"access_token"`
		ExpiresIn        int    `json:"expires_in"`
		RefreshExpiresIn int    `json:"refresh_expires_in"`
		RefreshToken     string `json:"refresh_token"`
		Scope            string `json:"scope"`
		NotBeforePolicy  int    `json:"not-before-policy"`
		SessionState     string `json:"session_state"`
	}{"bearer", access, seconds, seconds, refresh, d.Scope, 0, session}), nil
}

// tokenAccepted reports whether a request presents an access token that is good now.
func tokenAccepted(c *sandbox.Call) (bool, error) {
	var token keptToken
	found, err := c.Load(accessKey(c.Bearer()), &token)
	return found && c.Now.Before(token.Expires), err
}

// revokeToken ends the access token that a request presents, so that nothing but another one helps.
func revokeToken(c *sandbox.Call) error {
	return c.Delete(accessKey(c.Bearer()))
}

// tokenError returns a failure as Keycloak words it (digit9 §3).
func tokenError(status int, code, description string) sandbox.Answer {
	return sandbox.JSON(status, struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}{code, description})
}

func tokenFailures(*sandbox.Call) sandbox.Failures {
	return sandbox.Failures{
		Unauthorized: tokenError(http.StatusUnauthorized, "invalid_grant", "Invalid user credentials"),
		Throttled:    tokenError(http.StatusTooManyRequests, "temporarily_unavailable", "Too many requests"),
		Internal:     tokenError(http.StatusInternalServerError, "unknown_error", "An unknown error occurred"),
		Unavailable:  tokenError(http.StatusServiceUnavailable, "temporarily_unavailable", "Service is not available"),
	}
}
