package ezto

import (
	"net/http"

	"sallyport/functions/sandbox"
)

// oauthError returns a failure in the form of OAuth's (ezto §9).
func oauthError(status int, code, description string) sandbox.Answer {
	return sandbox.JSON(status, struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}{code, description})
}

func invalid(description string) sandbox.Answer {
	return oauthError(http.StatusBadRequest, "invalid_request", description)
}

func notFound(description string) sandbox.Answer {
	return oauthError(http.StatusNotFound, "not_found", description)
}

// requestFailed answers what EZTO could not do though nothing is wrong with the request: 402, and no money is meant.
func requestFailed(description string) sandbox.Answer {
	return oauthError(http.StatusPaymentRequired, "request_failed", description)
}

func denied(description string) sandbox.Answer {
	return oauthError(http.StatusForbidden, "access_denied", description)
}

// failures are those of any operation. The contract leaves 429 and 503 open.
func failures() sandbox.Failures {
	return sandbox.Failures{
		Unauthorized: oauthError(http.StatusUnauthorized, "invalid_client", "app id or app secret is not valid"),
		Throttled:    oauthError(http.StatusTooManyRequests, "temporarily_unavailable", "too many requests"),
		Internal:     oauthError(http.StatusInternalServerError, "server_error", "something went wrong"),
		Unavailable:  oauthError(http.StatusServiceUnavailable, "temporarily_unavailable", "service is not available"),
	}
}
