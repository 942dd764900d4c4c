package mbanq

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"sallyport/functions/sandbox"
)

// reason is one entry of errors[] (§6), and the whole body where the request's JSON can't be read.
type reason struct {
	DeveloperMessage string      `json:"developerMessage"`
	UserMessage      string      `json:"defaultUserMessage"`
	Code             string      `json:"userMessageGlobalisationCode"`
	Parameter        string      `json:"parameterName"`
	Value            any         `json:"value"`
	Args             []reasonArg `json:"args"`
}

type reasonArg struct {
	Value any `json:"value"`
}

// newReason returns one about a parameter; about no particular one that is "id".
func newReason(code, text, parameter string, args ...any) reason {
	text = quoted(text)
	reason := reason{
		DeveloperMessage: text, UserMessage: text, Code: code, Parameter: quoted(parameter), Args: []reasonArg{},
	}
	for _, arg := range args {
		if s, ok := arg.(string); ok {
			arg = quoted(s)
		}
		reason.Args = append(reason.Args, reasonArg{arg})
	}
	return reason
}

// quoted returns a text that may quote a request: no longer than an answer should be, and valid even where it quotes a
// path or a query, whose percent-encoding can hold any bytes.
func quoted(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if r := []rune(s); len(r) > 500 {
		s = string(r[:500])
	}
	return s
}

// errorEnvelope returns a failure in the envelope that all share (§6), in which nil reasons are null.
func errorEnvelope(status int, code, developer, user string, reasons []reason) sandbox.Answer {
	var errors any
	if reasons != nil {
		errors = reasons
	}
	return sandbox.JSON(status, sandbox.Object(
		"developerMessage", developer, "httpStatusCode", strconv.Itoa(status), "defaultUserMessage", user,
		"userMessageGlobalisationCode", code, "errors", errors,
	))
}

// invalid answers a request that is not valid.
func invalid(reasons ...reason) sandbox.Answer {
	return errorEnvelope(http.StatusBadRequest, "validation.msg.validation.errors.exist",
		"The request was invalid. This typically will happen due to validation errors which are provided.",
		"Validation errors exist.", reasons)
}

// malformed answers a body that is not the JSON it should be: with no envelope.
func malformed() sandbox.Answer {
	return sandbox.JSON(http.StatusBadRequest, newReason("error.msg.invalid.request.body",
		"The JSON provided in the body of the request is invalid or missing.", "id"))
}

// refused answers what a rule of the domain stands against.
func refused(reasons ...reason) sandbox.Answer {
	return errorEnvelope(http.StatusForbidden, "validation.msg.domain.rule.violation",
		"Request was understood but caused a domain rule violation.", "Errors contain reason for domain rule violation.",
		reasons)
}

// duplicate answers a value that another client has.
func duplicate(field, value string) sandbox.Answer {
	code, text := "error.msg.client.duplicate."+field, fmt.Sprintf("Client with %s `%s` already exists", field, value)
	return errorEnvelope(http.StatusForbidden, code,
		"The request caused a data integrity issue to be fired by the database.", text,
		[]reason{newReason(code, text, field, value)})
}

// unknown answers an id that nothing has; what is its kind in words.
func unknown(code, what, id string) sandbox.Answer {
	const text = "The requested resource is not available."
	return errorEnvelope(http.StatusNotFound, "error.msg.resource.not.found", text, text, []reason{
		newReason(code, what+" with identifier "+id+" does not exist", "id", numberOr(id))})
}

// numberOr returns an id as a number where it is one.
func numberOr(id string) any {
	if n, err := strconv.ParseInt(id, 10, 64); err == nil {
		return n
	}
	return id
}

func unknownClient(id string) sandbox.Answer {
	return unknown("error.msg.client.id.invalid", "Client", id)
}

func unknownIdentifier(id string) sandbox.Answer {
	return unknown("error.msg.clientIdentifier.id.invalid", "Client identifier", id)
}

// forbidden answers a user who lacks a permission.
func forbidden(permission string) sandbox.Answer {
	const code = "error.msg.not.authorized"
	return errorEnvelope(http.StatusForbidden, code,
		"The user associated with credentials passed on this request does not have sufficient privileges to perform this "+
			"action.",
		"Insufficient privileges to perform this action.",
		[]reason{newReason(code, "User has no authority to: "+permission, "id")})
}

// conflict answers a change of a client that met another one.
func conflict(id int64) sandbox.Answer {
	text := fmt.Sprintf(
		"The server is currently unable to handle the request due to concurrent modification on client [%d], please try "+
			"again",
		id,
	)
	return errorEnvelope(http.StatusConflict, "error.msg.platform.service.client.conflict", text, text, nil)
}

// unsupportedQuery answers a query parameter whose value is none of those that may stand there; nil for none.
func unsupportedQuery(name string, value any) sandbox.Answer {
	shown := "null"
	if s, ok := value.(string); ok {
		shown = s
	}
	return invalid(newReason("error.msg.query.parameter.value.unsupported",
		"The query parameter "+name+" has an unsupported value of: "+shown, name, name, value))
}

// failures are those of an operation that changes something. The contract leaves the body of 429 open.
func failures() sandbox.Failures {
	const internal = "An unexpected error occured on the platform server." // sic
	const unavailable = "The server is currently unable to handle the request , please try after some time."
	return sandbox.Failures{
		Unauthorized: errorEnvelope(http.StatusUnauthorized, "error.msg.not.authenticated",
			"Invalid authentication details were passed in api request.", "Unauthenticated. Please login.", nil),
		Throttled: errorEnvelope(http.StatusTooManyRequests, "error.msg.platform.too.many.requests",
			"Too many requests.", "Too many requests.", nil),
		Internal: errorEnvelope(
			http.StatusInternalServerError, "error.msg.platform.server.side.error", internal, internal, nil,
		),
		Unavailable: errorEnvelope(
			http.StatusServiceUnavailable, "error.msg.platform.service.unavailable", unavailable, unavailable, nil,
		),
	}
}

// readFailures are those of an operation that reads: its 500 is that of an uncaught fault (§6), so that either
// form can be had.
func readFailures(*sandbox.Call) sandbox.Failures {
	all := failures()
	all.Internal = sandbox.JSON(http.StatusInternalServerError, sandbox.Object(
		"Exception", "java.lang.NullPointerException",
	))
	return all
}
