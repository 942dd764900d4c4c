package digit9

import (
	"context"
	"errors"
	"net/http"
	"time"

	"sallyport/shared/gateway"
	"sallyport/shared/operation"
)

const (
	maxTokenRequest = 16 << 10 // bytes
	// tokenLifetime is that of the gateway's own tokens, of both kinds; the contract's sample has the same.
	tokenLifetime = 7199 * time.Second
)

// IssueToken has two faces. A caller who insists on the partner's dance gets gateway tokens (digit9 §3), whose
// client_secret or password is the caller's key. For a state machine it fetches the partner's token, which all
// containers share; nobody gets to see it.
func IssueToken(c Config) operation.Operation[operation.GrantRequest] {
	return operation.Operation[operation.GrantRequest]{
		Name:            "digit9/issue-token",
		Errors:          renderToken,
		MaxBody:         maxTokenRequest,
		BodyCredentials: operation.GrantCredentials,
		Decode:          decodeToken,
		Call: func(ctx context.Context, call operation.Call, in operation.GrantRequest) operation.Outcome {
			if in.GrantType != "" {
				return mint(ctx, call, in)
			}
			if _, failed := c.token(ctx, call); failed != nil {
				return *failed
			}
			return operation.Outcome{
				Class: operation.Done, Code: statusSuccess, Reply: gateway.JSON(http.StatusOK, []byte("{}")),
			}
		},
	}
}

// decodeToken reads the form. Both of the contract's samples repeat grant_type.
func decodeToken(req gateway.Request) (operation.GrantRequest, error) {
	in, err := operation.ParseGrant(req)
	switch {
	case errors.Is(err, operation.ErrGrantType) && in.GrantType == "":
		err = refusedToken("invalid_request", "Missing form parameter: grant_type", "grant_type: is required")
	case errors.Is(err, operation.ErrGrantType):
		err = refusedToken(
			"unsupported_grant_type", "Unsupported grant_type", "grant_type: must be password or refresh_token",
		)
	}
	return in, err
}

func refusedToken(code, description, detail string) error {
	return &operation.Rejection{Reply: oauth(http.StatusBadRequest, code, description), Code: code, Detail: detail}
}

// mint makes gateway tokens.
func mint(ctx context.Context, call operation.Call, in operation.GrantRequest) operation.Outcome {
	access, refresh, err := call.Grant(ctx, in, tokenLifetime)
	switch {
	case errors.Is(err, gateway.ErrBadKey):
		return operation.Outcome{
			Class: operation.Invalid, Code: "invalid_grant",
			Reply: oauth(http.StatusBadRequest, "invalid_grant", "Token is not active"),
		}
	case err != nil:
		return operation.Outcome{Class: operation.Unavailable, Code: "keys_unavailable"}
	}
	seconds := int64(tokenLifetime / time.Second)
	return operation.Outcome{Class: operation.Done, Code: statusSuccess, Reply: render(http.StatusOK, tokenAnswer{
		TokenType: "bearer", AccessToken: access, ExpiresIn: seconds, RefreshExpiresIn: seconds, RefreshToken: refresh,
		Scope: in.Scope, SessionState: operation.NewID(),
	})}
}
