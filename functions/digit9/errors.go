package digit9

import (
	"net/http"
	"time"

	"github.com/go-json-experiment/json"

	"sallyport/shared/gateway"
	"sallyport/shared/operation"
)

// Words of the status tables (§9). A code's meaning differs by endpoint.
const (
	statusSuccess = "success"
	statusFailure = "failure" // of lookups, and of code 40002
	statusFailed  = "failed"  // of onboardings

	codeInvalid       = "40001" // lookup: bad input; onboarding: backend down
	codeInvalidFields = "40002"
	codeNotFound      = "45001"
	codeNotSubscribed = "45003"
	codeSearchFailed  = "45006"
	codeHeld          = "45013"
	codeUpdateFailed  = "45032"
	codeBlocked       = "45051"
	codeMasterData    = "45053"

	// codeUndocumented is the gateway's own, of an answer that contradicts itself or the page.
	codeUndocumented = "undocumented"

	messageInvalid       = "Invalid format input"
	messageInvalidFields = "Invalid format or missing mandatory request"
	messageNotFound      = "Customer not found"
	messageSearchFailed  = "Error while searching customer!"
	messageUpdateFailed  = "Customer update failed"
	messageBackend       = "Backend Technical Problem"
)

// camelFailure is the envelope of lookups and of reading a customer (§9.1).
type camelFailure struct {
	Status     string `json:"status"`
	StatusCode int    `json:"statusCode"`
	ErrorCode  int    `json:"errorCode"`
	Message    string `json:"message"`
}

// snakeFailure is the envelope of onboardings (§9.2).
type snakeFailure struct {
	Status     string            `json:"status"`
	StatusCode int               `json:"status_code"`
	ErrorCode  int               `json:"error_code"`
	Message    string            `json:"message"`
	Details    map[string]string `json:"details,omitzero"` // what is wrong, by field in camel case
	RequestID  string            `json:"request_id"`
}

// springFailure is what stands in front of the partner's services answers (§9).
type springFailure struct {
	Timestamp string  `json:"timestamp"`
	Status    int     `json:"status"`
	Error     string  `json:"error"`
	Message   *string `json:"message,omitzero"`
	Path      string  `json:"path"`
}

// gatewayPath is what the 401 of each service shows as its path, which lacks the first segment.
const (
	lookupGatewayPath  = "/api/v2/customer/validate"
	onboardGatewayPath = "/api/v1/CAAS/onBoarding/customer"
	getGatewayPath     = "/api/v2/customer/{ecrn}" // inferred; the number itself is left out

	springTime = "2006-01-02T15:04:05.000-07:00"
)

func (c Config) spring(status int, path string, message *string) gateway.Reply {
	return render(status, springFailure{c.now().UTC().Format(springTime), status, http.StatusText(status), message, path})
}

// renderRead puts what the gateway has to say into the shape of lookups; path is what a 401 shows.
func (c Config) renderRead(path string) func(operation.Condition, string) gateway.Reply {
	return func(condition operation.Condition, _ string) gateway.Reply {
		switch condition {
		case operation.NoKey, operation.BadKey:
			return c.spring(http.StatusUnauthorized, path, nil)
		case operation.Forbidden:
			return c.spring(http.StatusForbidden, path, nil)
		case operation.TooLarge:
			return camel(http.StatusRequestEntityTooLarge, 400, 40001, messageInvalid)
		case operation.InvalidRequest:
			return camel(http.StatusOK, 400, 40001, messageInvalid)
		case operation.NoSuchRecord:
			return camel(http.StatusOK, 404, 45001, messageNotFound)
		case operation.KeyReused:
			return camel(http.StatusUnprocessableEntity, 422, 40001, "Idempotency-Key was used for another request")
		case operation.InFlight:
			return camel(http.StatusConflict, 409, 40001, "A request with this Idempotency-Key is in progress")
		case operation.AnswerGone:
			return camel(http.StatusGone, 410, 40001, "The answer to this Idempotency-Key is not kept any more")
		case operation.PartnerThrottled:
			return camel(http.StatusTooManyRequests, 429, 45006, messageSearchFailed)
		case operation.LedgerDown, operation.PartnerDown:
			return camel(http.StatusServiceUnavailable, 503, 45006, messageSearchFailed)
		}
		return camel(http.StatusInternalServerError, 500, 45006, messageSearchFailed)
	}
}

// renderOnboard puts what the gateway has to say into the shape of onboardings.
func (c Config) renderOnboard(condition operation.Condition, _ string) gateway.Reply {
	none := ""
	switch condition {
	case operation.NoKey, operation.BadKey:
		return c.spring(http.StatusUnauthorized, onboardGatewayPath, &none)
	case operation.Forbidden:
		return c.spring(http.StatusForbidden, onboardGatewayPath, &none)
	case operation.TooLarge:
		return c.invalidFields(http.StatusRequestEntityTooLarge, nil)
	case operation.InvalidRequest:
		return c.invalidFields(http.StatusBadRequest, nil)
	case operation.NoSuchRecord:
		return c.snake(http.StatusNotFound, 45032, messageUpdateFailed)
	case operation.KeyReused:
		return c.snake(http.StatusUnprocessableEntity, 40002, "Idempotency-Key was used for another request")
	case operation.InFlight:
		return c.snake(http.StatusConflict, 40002, "A request with this Idempotency-Key is in progress")
	case operation.AnswerGone:
		return c.snake(http.StatusGone, 40002, "The answer to this Idempotency-Key is not kept any more")
	case operation.OutcomeUnknown:
		return c.snake(http.StatusBadGateway, 40001, "The outcome of this request is not known, it may have taken effect.")
	case operation.PartnerThrottled:
		return c.snake(http.StatusTooManyRequests, 40001, messageBackend)
	case operation.LedgerDown, operation.PartnerDown:
		return c.snake(http.StatusServiceUnavailable, 40001, messageBackend)
	}
	return c.snake(http.StatusInternalServerError, 40001, messageBackend)
}

func camel(status, statusCode, code int, message string) gateway.Reply {
	return render(status, camelFailure{statusFailure, statusCode, code, message})
}

func (c Config) snake(status, code int, message string) gateway.Reply {
	return render(
		status,
		snakeFailure{Status: statusFailed, StatusCode: status, ErrorCode: code, Message: message, RequestID: c.requestID()},
	)
}

// invalidFields is the documented answer to what is missing or invalid, the one that says "failure".
func (c Config) invalidFields(status int, details map[string]string) gateway.Reply {
	return render(status, snakeFailure{statusFailure, status, 40002, messageInvalidFields, details, c.requestID()})
}

func render(status int, body any) gateway.Reply {
	text, err := json.Marshal(body, json.Deterministic(true))
	if err != nil {
		return gateway.Empty(http.StatusInternalServerError)
	}
	return gateway.JSON(status, text)
}

func (c Config) now() time.Time {
	if c.Now != nil {
		return c.Now()
	}
	return time.Now()
}
