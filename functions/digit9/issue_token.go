package digit9

import (
	"context"
	"net/http"
	"time"

	"sallyport/shared/operation"
)

// tokenLifetime is that of the gateway's own tokens; the contract's sample has the same.
const tokenLifetime = 7199 * time.Second

// IssueToken has the shape of a Keycloak realm (§3).
func IssueToken(c Config) operation.Operation[operation.GrantRequest] {
	return operation.IssueToken(operation.TokenRoute{
		Name: "digit9/issue-token", Lifetime: tokenLifetime, Done: statusSuccess,
		BadKey: operation.OAuthError{
			Status: http.StatusUnauthorized, Code: "unauthorized_client",
			Description: "Invalid client or Invalid client credentials",
		},
		Missing:     "Missing form parameter: grant_type",
		Unsupported: "Unsupported grant_type",
		Inactive:    "Token is not active",
		Forbidden:   "Client is not allowed to use this realm",
		TooLarge:    "Request is too large",
		Invalid:     "Invalid request",
		Later:       "Try again later",
		Internal:    "Internal error",
		Answer: func(in operation.GrantRequest, t operation.Tokens) any {
			return tokenAnswer{
				TokenType: "bearer", AccessToken: t.Access, ExpiresIn: t.Seconds, RefreshExpiresIn: t.Seconds,
				RefreshToken: t.Refresh, Scope: in.Scope, SessionState: operation.NewID(),
			}
		},
		Authenticate: func(ctx context.Context, call operation.Call) *operation.Outcome {
			_, failed := c.token(ctx, call)
			return failed
		},
	})
}
