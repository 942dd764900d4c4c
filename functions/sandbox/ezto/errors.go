package ezto

import (
	"net/http"

	"sallyport/functions/sandbox"
)

func invalid(description string) sandbox.Answer {
	return sandbox.OAuthError(http.StatusBadRequest, "invalid_request", description)
}

func notFound(description string) sandbox.Answer {
	return sandbox.OAuthError(http.StatusNotFound, "not_found", description)
}

// requestFailed answers what EZTO could not do though nothing is wrong with the request: 402, and no money is meant.
func requestFailed(description string) sandbox.Answer {
	return sandbox.OAuthError(http.StatusPaymentRequired, "request_failed", description)
}

func denied(description string) sandbox.Answer {
	return sandbox.OAuthError(http.StatusForbidden, "access_denied", description)
}

// failures are those of any operation. The contract leaves 429 and 503 open.
func failures() sandbox.Failures {
	return sandbox.Failures{
		Unauthorized: sandbox.OAuthError(http.StatusUnauthorized, "invalid_client", "app id or app secret is not valid"),
		Throttled:    sandbox.OAuthError(http.StatusTooManyRequests, "temporarily_unavailable", "too many requests"),
		Internal:     sandbox.OAuthError(http.StatusInternalServerError, "server_error", "something went wrong"),
		Unavailable: sandbox.OAuthError(http.StatusServiceUnavailable,
			"temporarily_unavailable", "service is not available"),
	}
}
