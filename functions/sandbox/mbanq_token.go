package sandbox

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// mbanqToken is what is kept of an access or a refresh token, by its digest.
type mbanqToken struct {
	Twin    string    `json:"twin"`    // key of the other token that was issued with it
	Expires time.Time `json:"expires"` // real
}

// mbanqRefreshLifetime is how long a refresh token lives, in real time: longer than the access token, else it would be of
// no use. The contract does not say.
const mbanqRefreshLifetime = 24 * time.Hour

func mbanqAccessKey(token string) string  { return "mbanq/token/access/" + digest(token) }
func mbanqRefreshKey(token string) string { return "mbanq/token/refresh/" + digest(token) }

// issueToken is row 1 of mbanq §2. Its failures are OAuth's, which the contract leaves open.
func (m *mbanq) issueToken(c *call) (answer, error) {
	form := formOf(c.request.Header.Get("Content-Type"), c.body)

	// Client, then grant.
	if !same(form("client_id"), m.ClientID, form("client_secret"), m.ClientSecret) {
		return c.failures().unauthorized, nil
	}
	switch form("grant_type") {
	case "":
		return mbanqTokenError(http.StatusBadRequest, "invalid_request", "Missing grant type"), nil
	case "password":
		if !same(form("username"), m.Username, form("password"), m.Password) {
			return mbanqTokenError(http.StatusBadRequest, "invalid_grant", "Bad credentials"), nil
		}
		return m.newTokens(c)
	case "refresh_token":
	default:
		return mbanqTokenError(http.StatusBadRequest, "unsupported_grant_type", "Unsupported grant type"), nil
	}

	// Refresh: both tokens are replaced, and the old ones good for nothing.
	key := mbanqRefreshKey(form("refresh_token"))
	var old mbanqToken
	found, err := load(c, key, &old)
	switch {
	case err != nil:
		return answer{}, err
	case !found || !c.now.Before(old.Expires):
		return mbanqTokenError(http.StatusBadRequest, "invalid_grant", "Invalid refresh token"), nil
	}
	for _, key := range []string{key, old.Twin} {
		if err := c.Delete(key); err != nil {
			return answer{}, err
		}
	}
	return m.newTokens(c)
}

// newTokens issues an access and a refresh token.
func (m *mbanq) newTokens(c *call) (answer, error) {
	lifetime, err := c.setting("token_lifetime")
	if err != nil {
		return answer{}, err
	}
	seconds, err := strconv.Atoi(lifetime)
	if err != nil {
		return answer{}, err
	}
	access, refresh := "mat-"+m.hexID(), "mrt-"+m.hexID()
	now := c.now.UTC()
	if err := save(c, mbanqAccessKey(access), mbanqToken{mbanqRefreshKey(refresh), now.Add(time.Duration(seconds) * time.Second)}); err != nil {
		return answer{}, err
	}
	if err := save(c, mbanqRefreshKey(refresh), mbanqToken{mbanqAccessKey(access), now.Add(mbanqRefreshLifetime)}); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusOK, body: encode(struct {
		AccessToken  string `json:"access_token"`
		TokenType    string `json:"token_type"`
		RefreshToken string `json:"refresh_token"`
		ExpiresIn    int    `json:"expires_in"`
		Scope        string `json:"scope"`
	}{access, "bearer", refresh, seconds, "all"})}, nil
}

// hexID returns 32 hexadecimal digits.
func (m *mbanq) hexID() string { return strings.ReplaceAll(m.newID(), "-", "") }

// mbanqTokenAccepted reports whether a request presents an access token that is good now.
func mbanqTokenAccepted(c *call) (bool, error) {
	var token mbanqToken
	found, err := load(c, mbanqAccessKey(bearer(c.request)), &token)
	return found && c.now.Before(token.Expires), err
}

// revokeMbanqToken ends the access token that a request presents. The refresh token still helps.
func revokeMbanqToken(c *call) error {
	return c.Delete(mbanqAccessKey(bearer(c.request)))
}

func mbanqTokenError(status int, code, description string) answer {
	return answer{status: status, body: encode(struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}{code, description})}
}

func mbanqTokenFailures() failures {
	return failures{
		unauthorized: mbanqTokenError(http.StatusUnauthorized, "invalid_client", "Bad client credentials"),
		throttled:    mbanqTokenError(http.StatusTooManyRequests, "temporarily_unavailable", "Too many requests"),
		internal:     mbanqTokenError(http.StatusInternalServerError, "server_error", "Internal Server Error"),
		unavailable:  mbanqTokenError(http.StatusServiceUnavailable, "temporarily_unavailable", "Service is not available"),
	}
}
