package equal

import (
	"net/http"

	"github.com/go-json-experiment/json"

	"sallyport/shared/gateway"
	"sallyport/shared/operation"
	"sallyport/shared/source"
)

// Words of the status table (§8). It has none for an OTP that is refused.
const (
	codeInvalidRequest     = "invalid_request"
	codeInvalidCredentials = "invalid_credentials"
	codeInvalidAadhaar     = "invalid_aadhaar_no"
	codeNotFound           = "document_not_found"
	codeServerError        = "internal_server_error"

	messageInvalidRequest     = "Invalid Request"
	messageInvalidCredentials = "Invalid Client Credentials"
	messageInvalidAadhaar     = "aadhaar_no is Invalid"
	messageServerError        = "Something went wrong, please try again."
)

// codeOTPMissing tells a state machine that what a person gave as an OTP is blank.
const codeOTPMissing = "otp_missing"

// renderError puts what the gateway has to say into Equal's shape. Where the partner documents no body (429, 503),
// there is none.
func renderError(condition operation.Condition, _ string) gateway.Reply {
	switch condition {
	case operation.NoKey, operation.BadKey:
		return minimal(http.StatusUnauthorized, codeInvalidCredentials, messageInvalidCredentials)
	case operation.Forbidden:
		return minimal(http.StatusForbidden, codeInvalidCredentials, messageInvalidCredentials)
	case operation.TooLarge:
		return minimal(http.StatusRequestEntityTooLarge, codeInvalidRequest, messageInvalidRequest)
	case operation.InvalidRequest, operation.NoSuchRecord:
		return minimal(http.StatusBadRequest, codeInvalidRequest, messageInvalidRequest)
	case operation.KeyReused:
		return minimal(http.StatusUnprocessableEntity, codeInvalidRequest, "Idempotency-Key was used for another request")
	case operation.InFlight:
		return minimal(http.StatusConflict, codeInvalidRequest, "A request with this Idempotency-Key is in progress")
	case operation.AnswerGone:
		return minimal(http.StatusGone, codeInvalidRequest, "The answer to this Idempotency-Key is not kept any more")
	case operation.OutcomeUnknown:
		return minimal(
			http.StatusInternalServerError, codeServerError,
			"The outcome of this request is not known, it may have taken effect.",
		)
	case operation.PartnerThrottled:
		return gateway.Empty(http.StatusTooManyRequests)
	case operation.LedgerDown, operation.PartnerDown:
		return gateway.Empty(http.StatusServiceUnavailable)
	}
	return minimal(http.StatusInternalServerError, codeServerError, messageServerError)
}

func minimal(status int, code, message string) gateway.Reply {
	return render(status, failure{Status: statusFailure, StatusCode: code, Message: message})
}

func render(status int, f failure) gateway.Reply {
	body, err := json.Marshal(f)
	if err != nil {
		return gateway.Empty(http.StatusInternalServerError)
	}
	return gateway.JSON(status, body)
}

// required is the documented answer to a missing field (§8.4).
func required(field, pointer string, from source.Source) *operation.Rejection {
	return &operation.Rejection{
		Reply: minimal(http.StatusBadRequest, codeInvalidRequest, field+" is required"),
		Code:  codeInvalidRequest, Detail: pointer + ": is required", Source: from,
	}
}
