package iron

import (
	"net/http"
	"strings"

	"sallyport/functions/sandbox"
)

// errorText returns a failure whose body is a text in JSON, as all but two kinds are (§8). The texts are the
// sandbox's.
func errorText(status int, text string) sandbox.Answer { return sandbox.JSON(status, text) }

func invalid(text string) sandbox.Answer { return errorText(http.StatusBadRequest, text) }

func unknown(what string) sandbox.Answer { return errorText(http.StatusNotFound, what+" not found") }

// unauthorized answers a key that is missing or wrong: no JSON (§8).
func unauthorized() sandbox.Answer {
	return sandbox.Answer{
		Status: http.StatusUnauthorized, Body: []byte("authorization error"), Media: "text/plain; charset=utf-8",
	}
}

// failure returns a fault of Iron's own (§8). The contract has no 503; it looks the same here.
func failure(c *sandbox.Call, status int, text string) sandbox.Answer {
	id := c.NewID()
	return sandbox.JSON(status, sandbox.Object("message", text, "trace_id", id[strings.LastIndex(id, "-")+1:]))
}

func internal(c *sandbox.Call) sandbox.Answer {
	return failure(c, http.StatusInternalServerError, "internal error")
}

func failures(c *sandbox.Call) sandbox.Failures {
	return sandbox.Failures{
		Unauthorized: unauthorized(),
		Throttled:    errorText(http.StatusTooManyRequests, "too many requests"),
		Internal:     internal(c),
		Unavailable:  failure(c, http.StatusServiceUnavailable, "service unavailable"),
	}
}
