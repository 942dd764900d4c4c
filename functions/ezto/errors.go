package ezto

import (
	"net/http"

	"github.com/go-json-experiment/json"

	"sallyport/shared/gateway"
	"sallyport/shared/operation"
)

// Codes of errors, all inferred (§9).
const (
	codeInvalid      = "invalid_request"
	codeClient       = "invalid_client"
	codeDenied       = "access_denied"
	codeUnauthorized = "unauthorized_client"
	codeNotFound     = "not_found"
	codeFailed       = "request_failed"
	codePending      = "authorization_pending"
	codeSlowDown     = "slow_down"
	codeExpired      = "expired_token"
	codeServerError  = "server_error"
)

// renderError puts what the gateway has to say into EZTO's shape.
func renderError(condition operation.Condition, detail string) gateway.Reply {
	switch condition {
	case operation.NoKey, operation.BadKey:
		return failure(http.StatusUnauthorized, codeClient, "app id or secret is not valid")
	case operation.Forbidden:
		return failure(http.StatusForbidden, codeUnauthorized, "this key may not use EZTO")
	case operation.TooLarge:
		return failure(http.StatusRequestEntityTooLarge, codeInvalid, "the request is too large")
	case operation.InvalidRequest:
		if detail == "" {
			detail = "the request is not valid"
		}
		return failure(http.StatusBadRequest, codeInvalid, detail)
	case operation.NoSuchRecord:
		return noTransaction()
	case operation.KeyReused:
		return failure(http.StatusUnprocessableEntity, codeInvalid, "Idempotency-Key was used for another request")
	case operation.InFlight:
		return failure(http.StatusConflict, codeInvalid, "a request with this Idempotency-Key is in progress")
	case operation.AnswerGone:
		return failure(http.StatusGone, codeInvalid, "the answer to this Idempotency-Key is not kept any more")
	case operation.OutcomeUnknown:
		return failure(
			http.StatusInternalServerError, codeServerError,
			"the outcome of this request is not known, it may have taken effect",
		)
	case operation.PartnerThrottled:
		return failure(http.StatusTooManyRequests, codeServerError, "too many requests")
	case operation.LedgerDown, operation.PartnerDown:
		return failure(http.StatusServiceUnavailable, codeServerError, "the service is not available, try again later")
	}
	return failure(http.StatusInternalServerError, codeServerError, "something went wrong")
}

// noTransaction is what a handle is answered with that nobody knows, or that is another tenant's.
func noTransaction() gateway.Reply {
	return failure(http.StatusNotFound, codeNotFound, "there is no such transaction")
}

// noWorkspace is what another workspace than the configured one is answered with.
func noWorkspace() gateway.Reply {
	return failure(http.StatusNotFound, codeNotFound, "there is no such workspace")
}

func failure(status int, code, description string) gateway.Reply {
	text, err := json.Marshal(struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}{code, description})
	if err != nil {
		return gateway.Empty(http.StatusInternalServerError)
	}
	return gateway.JSON(status, text)
}
