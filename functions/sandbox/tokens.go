package sandbox

import (
	"strconv"
	"time"
)

// keptToken is what is kept of a token, by its digest.
type keptToken struct {
	Session string    `json:"session,omitzero"`
	Twin    string    `json:"twin"`    // key of the other token that was issued with it
	Expires time.Time `json:"expires"` // real
}

func (c *Call) tokenKey(kind, token string) string {
	return c.simulator.Name + "/token/" + kind + "/" + Digest(token)
}

// IssueTokens keeps new tokens of a session, which may be "". The access token lives for the setting "token_lifetime",
// in real seconds; 0 for a refresh token that lives as long.
func (c *Call) IssueTokens(session, access, refresh string, refreshLifetime time.Duration) (seconds int) {
	seconds, _ = strconv.Atoi(c.Setting("token_lifetime"))
	lifetime := time.Duration(seconds) * time.Second
	if refreshLifetime == 0 {
		refreshLifetime = lifetime
	}
	accessKey, refreshKey, now := c.tokenKey("access", access), c.tokenKey("refresh", refresh), c.Now.UTC()
	c.Save(accessKey, keptToken{session, refreshKey, now.Add(lifetime)})
	c.Save(refreshKey, keptToken{session, accessKey, now.Add(refreshLifetime)})
	return seconds
}

// SpendRefreshToken ends a refresh token and the access token that was issued with it. It returns their session, and
// false where the token is not good now.
func (c *Call) SpendRefreshToken(token string) (session string, ok bool) {
	key := c.tokenKey("refresh", token)
	var old keptToken
	if !c.Load(key, &old) || !c.Now.Before(old.Expires) {
		return "", false
	}
	c.Delete(key)
	c.Delete(old.Twin)
	return old.Session, true
}

// HasAccessToken reports whether the request presents an access token that is good now.
func (c *Call) HasAccessToken() bool {
	var token keptToken
	return c.Load(c.tokenKey("access", c.Bearer()), &token) && c.Now.Before(token.Expires)
}

// EndAccessToken ends the access token that the request presents. The refresh token still helps.
func (c *Call) EndAccessToken() { c.Delete(c.tokenKey("access", c.Bearer())) }

// OAuthError answers a failure in the form of OAuth's (RFC 6749, 5.2).
func OAuthError(status int, code, description string) Answer {
	return JSON(status, Object("error", code, "error_description", description))
}
