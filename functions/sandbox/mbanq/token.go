package mbanq

import (
	"net/http"
	"time"

	"sallyport/functions/sandbox"
)

// refreshLifetime is how long a refresh token lives, in real time: longer than the access token, else it would be of
// no use. The contract does not say.
const refreshLifetime = 24 * time.Hour

// issueToken is row 1 of §2. Its failures are OAuth's, which the contract leaves open.
func (m *simulation) issueToken(c *sandbox.Call) sandbox.Answer {
	form := c.Form()

	// Client, then grant.
	if !sandbox.Same(form("client_id"), m.ClientID, form("client_secret"), m.ClientSecret) {
		return c.Failures().Unauthorized
	}
	switch form("grant_type") {
	case "":
		return sandbox.OAuthError(http.StatusBadRequest, "invalid_request", "Missing grant type")
	case "password":
		if !sandbox.Same(form("username"), m.Username, form("password"), m.Password) {
			return sandbox.OAuthError(http.StatusBadRequest, "invalid_grant", "Bad credentials")
		}
		return m.newTokens(c)
	case "refresh_token":
	default:
		return sandbox.OAuthError(http.StatusBadRequest, "unsupported_grant_type", "Unsupported grant type")
	}

	// Refresh: both tokens are replaced, and the old ones good for nothing.
	if _, ok := c.SpendRefreshToken(form("refresh_token")); !ok {
		return sandbox.OAuthError(http.StatusBadRequest, "invalid_grant", "Invalid refresh token")
	}
	return m.newTokens(c)
}

// newTokens issues an access and a refresh token.
func (m *simulation) newTokens(c *sandbox.Call) sandbox.Answer {
	access, refresh := "mat-"+c.NewHexID(), "mrt-"+c.NewHexID()
	seconds := c.IssueTokens("", access, refresh, refreshLifetime)
	return sandbox.OK(
		"access_token", access, "token_type", "bearer", "refresh_token", refresh, "expires_in", seconds,
		"scope", "all",
	)
}

func tokenFailures(*sandbox.Call) sandbox.Failures {
	return sandbox.Failures{
		Unauthorized: sandbox.OAuthError(http.StatusUnauthorized, "invalid_client", "Bad client credentials"),
		Throttled:    sandbox.OAuthError(http.StatusTooManyRequests, "temporarily_unavailable", "Too many requests"),
		Internal:     sandbox.OAuthError(http.StatusInternalServerError, "server_error", "Internal Server Error"),
		Unavailable: sandbox.OAuthError(http.StatusServiceUnavailable,
			"temporarily_unavailable", "Service is not available"),
	}
}
