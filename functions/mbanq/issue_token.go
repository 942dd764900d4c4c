package mbanq

import (
	"context"
	"net/http"
	"time"

	"sallyport/shared/operation"
)

// tokenLifetime is that of the gateway's own tokens; the documented sample lives as long (§1).
const tokenLifetime = time.Hour

// IssueToken answers as §1 has it; that its errors have the shape of OAuth is inferred (§6).
func IssueToken(c Config) operation.Operation[operation.GrantRequest] {
	return operation.IssueToken(operation.TokenRoute{
		Name: "mbanq/issue-token", Lifetime: tokenLifetime, Done: "ok",
		BadKey: operation.OAuthError{
			Status: http.StatusBadRequest, Code: "invalid_grant", Description: "Bad credentials",
		},
		Missing:     "Missing grant type",
		Unsupported: "Unsupported grant type",
		Inactive:    "Invalid refresh token",
		Forbidden:   "This key may not use Mbanq.",
		TooLarge:    "The request is too large.",
		Invalid:     "The request is not valid.",
		Later:       "Try again later.",
		Internal:    "Something went wrong.",
		Answer: func(_ operation.GrantRequest, t operation.Tokens) any {
			return tokenAnswer{
				AccessToken: t.Access, TokenType: "bearer", RefreshToken: t.Refresh, ExpiresIn: t.Seconds, Scope: "all",
			}
		},
		Authenticate: func(ctx context.Context, call operation.Call) *operation.Outcome {
			creds, failed := readCredentials(call)
			if failed == nil {
				_, failed = c.token(ctx, call, creds)
			}
			return failed
		},
	})
}
