package digit9

import (
	"net/http"

	"sallyport/functions/sandbox"
)

// issueToken is E1 (§3).
func (d *simulation) issueToken(c *sandbox.Call) sandbox.Answer {
	form := c.Form()

	// Grant, then client, as Keycloak does.
	grant := form("grant_type")
	switch {
	case grant == "":
		return sandbox.OAuthError(http.StatusBadRequest, "invalid_request", "Missing form parameter: grant_type")
	case grant != "password" && grant != "refresh_token":
		return sandbox.OAuthError(http.StatusBadRequest, "unsupported_grant_type", "Unsupported grant_type")
	case !sandbox.Same(form("client_id"), d.ClientID, form("client_secret"), d.ClientSecret):
		return sandbox.OAuthError(http.StatusUnauthorized, "unauthorized_client",
			"Invalid client or Invalid client credentials")
	}

	// Password: a session.
	if grant == "password" {
		if !sandbox.Same(form("username"), d.Username, form("password"), d.Password) {
			return c.Failures().Unauthorized
		}
		if scope := form("scope"); scope != "" && scope != d.Scope {
			return sandbox.OAuthError(http.StatusBadRequest, "invalid_scope", "Invalid scopes")
		}
		return d.newTokens(c, c.NewID())
	}

	// Refresh: both tokens of the session are replaced, and the old ones good for nothing.
	session, ok := c.SpendRefreshToken(form("refresh_token"))
	if !ok {
		return sandbox.OAuthError(http.StatusBadRequest, "invalid_grant", "Token is not active")
	}
	return d.newTokens(c, session)
}

// newTokens issues an access and a refresh token, which live equally long.
func (d *simulation) newTokens(c *sandbox.Call, session string) sandbox.Answer {
	access, refresh := "at-"+c.NewHexID(), "rt-"+c.NewHexID()
	seconds := c.IssueTokens(session, access, refresh, 0)
	return sandbox.OK(
		"token_type", "bearer", "access_token", access, "expires_in", seconds, "refresh_expires_in", seconds,
		"refresh_token", refresh, "scope", d.Scope, "not-before-policy", 0, "session_state", session,
	)
}

// tokenFailures are worded as Keycloak does (§3).
func tokenFailures(*sandbox.Call) sandbox.Failures {
	return sandbox.Failures{
		Unauthorized: sandbox.OAuthError(http.StatusUnauthorized, "invalid_grant", "Invalid user credentials"),
		Throttled:    sandbox.OAuthError(http.StatusTooManyRequests, "temporarily_unavailable", "Too many requests"),
		Internal:     sandbox.OAuthError(http.StatusInternalServerError, "unknown_error", "An unknown error occurred"),
		Unavailable: sandbox.OAuthError(http.StatusServiceUnavailable,
			"temporarily_unavailable", "Service is not available"),
	}
}
