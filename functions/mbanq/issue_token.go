package mbanq

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/go-json-experiment/json"

	"sallyport/shared/gateway"
	"sallyport/shared/operation"
)

const (
	maxTokenRequest = 16 << 10 // bytes
	// tokenLifetime is that of the gateway's own tokens, of both kinds; the documented sample lives as long (mbanq §1).
	tokenLifetime = time.Hour
)

// IssueToken has two faces. A caller who insists on the partner's dance gets gateway tokens (mbanq §1), whose
// client_secret or password is the caller's key. For a state machine it fetches the partner's token, which all
// containers share; nobody gets to see it.
func IssueToken(c Config) operation.Operation[operation.GrantRequest] {
	return operation.Operation[operation.GrantRequest]{
		Name:            "mbanq/issue-token",
		Errors:          renderToken,
		MaxBody:         maxTokenRequest,
		BodyCredentials: operation.GrantCredentials,
		Decode: func(req gateway.Request) (operation.GrantRequest, error) {
			in, err := operation.ParseGrant(req)
			switch {
			case errors.Is(err, operation.ErrGrantType) && in.GrantType == "":
				err = refusedToken("invalid_request", "Missing grant type", "grant_type: is required")
			case errors.Is(err, operation.ErrGrantType):
				err = refusedToken(
					"unsupported_grant_type", "Unsupported grant type", "grant_type: must be password or refresh_token",
				)
			}
			return in, err
		},
		Call: func(ctx context.Context, call operation.Call, in operation.GrantRequest) operation.Outcome {
			if in.GrantType == "" {
				return c.authenticate(ctx, call)
			}
			access, refresh, err := call.Grant(ctx, in, tokenLifetime)
			switch {
			case errors.Is(err, gateway.ErrBadKey):
				return operation.Outcome{
					Class: operation.Invalid, Code: "invalid_grant",
					Reply: oauth(http.StatusBadRequest, "invalid_grant", "Invalid refresh token"),
				}
			case err != nil:
				return operation.Outcome{Class: operation.Unavailable, Code: "keys_unavailable"}
			}
			return operation.Outcome{Class: operation.Done, Code: "ok", Reply: render(http.StatusOK, tokenAnswer{
				AccessToken: access, TokenType: "bearer", RefreshToken: refresh, ExpiresIn: int64(tokenLifetime / time.Second),
				Scope: "all",
			})}
		},
	}
}

func refusedToken(code, description, detail string) error {
	return &operation.Rejection{Reply: oauth(http.StatusBadRequest, code, description), Code: code, Detail: detail}
}

// authenticate sees to it that there is a token of the partner's.
func (c Config) authenticate(ctx context.Context, call operation.Call) operation.Outcome {
	var creds credentials
	if err := json.Unmarshal(call.Secret, &creds); err != nil || creds.TenantID == "" || creds.Username == "" {
		return operation.Outcome{Class: operation.Credentials, Code: "credentials_malformed"}
	}
	if _, failed := c.token(ctx, call, creds); failed != nil {
		return *failed
	}
	return operation.Outcome{Class: operation.Done, Code: "ok", Reply: gateway.JSON(http.StatusOK, []byte("{}"))}
}

// renderToken puts what the gateway has to say into the shape of OAuth, which is inferred for this endpoint (mbanq §6).
func renderToken(condition operation.Condition, _ string) gateway.Reply {
	switch condition {
	case operation.NoKey, operation.BadKey:
		return oauth(http.StatusBadRequest, "invalid_grant", "Bad credentials")
	case operation.Forbidden:
		return oauth(http.StatusForbidden, "unauthorized_client", "This key may not use Mbanq.")
	case operation.TooLarge:
		return oauth(http.StatusRequestEntityTooLarge, "invalid_request", "The request is too large.")
	case operation.InvalidRequest:
		return oauth(http.StatusBadRequest, "invalid_request", "The request is not valid.")
	case operation.PartnerThrottled:
		return oauth(http.StatusTooManyRequests, "temporarily_unavailable", "Try again later.")
	case operation.LedgerDown, operation.PartnerDown:
		return oauth(http.StatusServiceUnavailable, "temporarily_unavailable", "Try again later.")
	}
	return oauth(http.StatusInternalServerError, "server_error", "Something went wrong.")
}

func oauth(status int, code, description string) gateway.Reply {
	return render(status, struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}{code, description})
}
