package sandbox

import "net/http"

// eztoError returns a failure in the form of OAuth's (ezto §9).
func eztoError(status int, code, description string) answer {
	return answer{status: status, body: encode(struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}{code, description})}
}

func eztoInvalid(description string) answer {
	return eztoError(http.StatusBadRequest, "invalid_request", description)
}

func eztoNotFound(description string) answer {
	return eztoError(http.StatusNotFound, "not_found", description)
}

// eztoRefused answers what EZTO could not do though nothing is wrong with the request: 402, and no money is meant.
func eztoRefused(description string) answer {
	return eztoError(http.StatusPaymentRequired, "request_failed", description)
}

func eztoDenied(description string) answer {
	return eztoError(http.StatusForbidden, "access_denied", description)
}

// eztoFailures are those of any operation. The contract leaves 429 and 503 open.
func eztoFailures() failures {
	return failures{
		unauthorized: eztoError(http.StatusUnauthorized, "invalid_client", "app id or app secret is not valid"),
		throttled:    eztoError(http.StatusTooManyRequests, "temporarily_unavailable", "too many requests"),
		internal:     eztoError(http.StatusInternalServerError, "server_error", "something went wrong"),
		unavailable:  eztoError(http.StatusServiceUnavailable, "temporarily_unavailable", "service is not available"),
	}
}
