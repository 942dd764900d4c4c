package sandbox

import (
	"net/http"
	"strings"
)

// ironError returns a failure whose body is a text in JSON, as all but two kinds are (iron §8). The texts are the sandbox's.
func ironError(status int, text string) answer { return answer{status: status, body: encode(text)} }

func ironInvalid(text string) answer { return ironError(http.StatusBadRequest, text) }

func ironUnknown(what string) answer { return ironError(http.StatusNotFound, what+" not found") }

// ironUnauthorized answers a key that is missing or wrong: no JSON (iron §8).
func ironUnauthorized() answer {
	return answer{status: http.StatusUnauthorized, body: []byte("authorization error"), media: "text/plain; charset=utf-8"}
}

// failure returns a fault of Iron's own (iron §8). The contract has no 503; it looks the same here.
func (i *iron) failure(status int, text string) answer {
	id := i.newID()
	return answer{status: status, body: encode(struct {
		Message string `json:"message"`
		TraceID string `json:"trace_id"`
	}{text, id[strings.LastIndex(id, "-")+1:]})}
}

func (i *iron) internal() answer { return i.failure(http.StatusInternalServerError, "internal error") }

func (i *iron) failures(*call) failures {
	return failures{
		unauthorized: ironUnauthorized(),
		throttled:    ironError(http.StatusTooManyRequests, "too many requests"),
		internal:     i.internal(),
		unavailable:  i.failure(http.StatusServiceUnavailable, "service unavailable"),
	}
}
