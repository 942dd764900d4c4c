package sandbox

import (
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// digit9Token is what is kept of an access or a refresh token, by its digest.
type digit9Token struct {
	Session string    `json:"session"`
	Twin    string    `json:"twin"`    // key of the other token that was issued with it
	Expires time.Time `json:"expires"` // real
}

func digit9AccessKey(token string) string  { return "digit9/token/access/" + digest(token) }
func digit9RefreshKey(token string) string { return "digit9/token/refresh/" + digest(token) }

// issueToken is E1 (digit9 §3).
func (d *digit9) issueToken(c *call) (answer, error) {
	form := formOf(c.request.Header.Get("Content-Type"), c.body)

	// Grant, then client, as Keycloak does.
	grant := form("grant_type")
	switch {
	case grant == "":
		return digit9TokenError(http.StatusBadRequest, "invalid_request", "Missing form parameter: grant_type"), nil
	case grant != "password" && grant != "refresh_token":
		return digit9TokenError(http.StatusBadRequest, "unsupported_grant_type", "Unsupported grant_type"), nil
	case !same(form("client_id"), d.ClientID, form("client_secret"), d.ClientSecret):
		return digit9TokenError(http.StatusUnauthorized, "unauthorized_client", "Invalid client or Invalid client credentials"), nil
	}

	// Password: a session.
	if grant == "password" {
		if !same(form("username"), d.Username, form("password"), d.Password) {
			return c.failures().unauthorized, nil
		}
		if scope := form("scope"); scope != "" && scope != d.Scope {
			return digit9TokenError(http.StatusBadRequest, "invalid_scope", "Invalid scopes"), nil
		}
		return d.newTokens(c, d.newID())
	}

	// Refresh: both tokens of the session are replaced, and the old ones good for nothing.
	key := digit9RefreshKey(form("refresh_token"))
	var old digit9Token
	found, err := load(c, key, &old)
	switch {
	case err != nil:
		return answer{}, err
	case !found || !c.now.Before(old.Expires):
		return digit9TokenError(http.StatusBadRequest, "invalid_grant", "Token is not active"), nil
	}
	if err := c.Delete(key); err != nil {
		return answer{}, err
	}
	if err := c.Delete(old.Twin); err != nil {
		return answer{}, err
	}
	return d.newTokens(c, old.Session)
}

// newTokens issues an access and a refresh token, which live equally long.
func (d *digit9) newTokens(c *call, session string) (answer, error) {
	lifetime, err := c.setting("token_lifetime")
	if err != nil {
		return answer{}, err
	}
	seconds, err := strconv.Atoi(lifetime)
	if err != nil {
		return answer{}, err
	}
	access, refresh := "at-"+d.hexID(), "rt-"+d.hexID()
	expires := c.now.UTC().Add(time.Duration(seconds) * time.Second)
	if err := save(c, digit9AccessKey(access), digit9Token{session, digit9RefreshKey(refresh), expires}); err != nil {
		return answer{}, err
	}
	if err := save(c, digit9RefreshKey(refresh), digit9Token{session, digit9AccessKey(access), expires}); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusOK, body: encode(struct {
		TokenType        string `json:"token_type"`
		AccessToken      string `json:"access_token"`
		ExpiresIn        int    `json:"expires_in"`
		RefreshExpiresIn int    `json:"refresh_expires_in"`
		RefreshToken     string `json:"refresh_token"`
		Scope            string `json:"scope"`
		NotBeforePolicy  int    `json:"not-before-policy"`
		SessionState     string `json:"session_state"`
	}{"bearer", access, seconds, seconds, refresh, d.Scope, 0, session})}, nil
}

// hexID returns 32 hexadecimal digits.
func (d *digit9) hexID() string { return strings.ReplaceAll(d.newID(), "-", "") }

// formOf returns the values of a form by their names: of a repeated one the last (digit9 §3), of what is no form none.
func formOf(contentType string, body []byte) func(name string) string {
	var form url.Values
	if media, _, err := mime.ParseMediaType(contentType); err == nil && media == "application/x-www-form-urlencoded" {
		if parsed, err := url.ParseQuery(string(body)); err == nil {
			form = parsed
		}
	}
	return func(name string) string {
		values := form[name]
		if len(values) == 0 {
			return ""
		}
		return values[len(values)-1]
	}
}

// bearer returns the token that a request presents, or "".
func bearer(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// tokenAccepted reports whether a request presents an access token that is good now.
func tokenAccepted(c *call) (bool, error) {
	var token digit9Token
	found, err := load(c, digit9AccessKey(bearer(c.request)), &token)
	return found && c.now.Before(token.Expires), err
}

// revokeToken ends the access token that a request presents, so that nothing but another one helps.
func revokeToken(c *call) error {
	return c.Delete(digit9AccessKey(bearer(c.request)))
}

// digit9TokenError returns a failure as Keycloak words it (digit9 §3).
func digit9TokenError(status int, code, description string) answer {
	return answer{status: status, body: encode(struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}{code, description})}
}

func digit9TokenFailures(*call) failures {
	return failures{
		unauthorized: digit9TokenError(http.StatusUnauthorized, "invalid_grant", "Invalid user credentials"),
		throttled:    digit9TokenError(http.StatusTooManyRequests, "temporarily_unavailable", "Too many requests"),
		internal:     digit9TokenError(http.StatusInternalServerError, "unknown_error", "An unknown error occurred"),
		unavailable:  digit9TokenError(http.StatusServiceUnavailable, "temporarily_unavailable", "Service is not available"),
	}
}
