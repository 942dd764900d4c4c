package sandbox

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// mbanqReason is one entry of errors[] (mbanq §6), and the whole body where the request's JSON can't be read.
type mbanqReason struct {
	DeveloperMessage string     `json:"developerMessage"`
	UserMessage      string     `json:"defaultUserMessage"`
	Code             string     `json:"userMessageGlobalisationCode"`
	Parameter        string     `json:"parameterName"`
	Value            any        `json:"value"`
	Args             []mbanqArg `json:"args"`
}

type mbanqArg struct {
	Value any `json:"value"`
}

// newMbanqReason returns one about a parameter; about no particular one that is "id".
func newMbanqReason(code, text, parameter string, args ...any) mbanqReason {
	text = mbanqQuoted(text)
	reason := mbanqReason{DeveloperMessage: text, UserMessage: text, Code: code, Parameter: mbanqQuoted(parameter), Args: []mbanqArg{}}
	for _, arg := range args {
		if s, ok := arg.(string); ok {
			arg = mbanqQuoted(s)
		}
		reason.Args = append(reason.Args, mbanqArg{arg})
	}
	return reason
}

// mbanqQuoted returns a text that may quote a request: no longer than an answer should be, and valid even where it quotes a
// path or a query, whose percent-encoding can hold any bytes.
func mbanqQuoted(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if r := []rune(s); len(r) > 500 {
		s = string(r[:500])
	}
	return s
}

// mbanqError returns a failure in the envelope that all share (mbanq §6), in which nil reasons are null.
func mbanqError(status int, code, developer, user string, reasons []mbanqReason) answer {
	var errors any
	if reasons != nil {
		errors = reasons
	}
	return answer{status: status, body: encode(struct {
		DeveloperMessage string `json:"developerMessage"`
		HTTPStatusCode   string `json:"httpStatusCode"`
		UserMessage      string `json:"defaultUserMessage"`
		Code             string `json:"userMessageGlobalisationCode"`
		Errors           any    `json:"errors"`
	}{developer, strconv.Itoa(status), user, code, errors})}
}

// mbanqInvalid answers a request that is not valid.
func mbanqInvalid(reasons ...mbanqReason) answer {
	return mbanqError(http.StatusBadRequest, "validation.msg.validation.errors.exist",
		"The request was invalid. This typically will happen due to validation errors which are provided.",
		"Validation errors exist.", reasons)
}

// mbanqMalformed answers a body that is not the JSON it should be: with no envelope.
func mbanqMalformed() answer {
	return answer{status: http.StatusBadRequest, body: encode(newMbanqReason("error.msg.invalid.request.body",
		"The JSON provided in the body of the request is invalid or missing.", "id"))}
}

// mbanqRefused answers what a rule of the domain stands against.
func mbanqRefused(reasons ...mbanqReason) answer {
	return mbanqError(http.StatusForbidden, "validation.msg.domain.rule.violation",
		"Request was understood but caused a domain rule violation.", "Errors contain reason for domain rule violation.", reasons)
}

// mbanqDuplicate answers a value that another client has.
func mbanqDuplicate(field, value string) answer {
	code, text := "error.msg.client.duplicate."+field, fmt.Sprintf("Client with %s `%s` already exists", field, value)
	return mbanqError(http.StatusForbidden, code, "The request caused a data integrity issue to be fired by the database.", text,
		[]mbanqReason{newMbanqReason(code, text, field, value)})
}

// mbanqUnknown answers an id that nothing has; what is its kind in words.
func mbanqUnknown(code, what, id string) answer {
	const text = "The requested resource is not available."
	return mbanqError(http.StatusNotFound, "error.msg.resource.not.found", text, text, []mbanqReason{
		newMbanqReason(code, what+" with identifier "+id+" does not exist", "id", mbanqNumberOr(id))})
}

// mbanqNumberOr returns an id as a number where it is one.
func mbanqNumberOr(id string) any {
	if n, err := strconv.ParseInt(id, 10, 64); err == nil {
		return n
	}
	return id
}

func mbanqUnknownClient(id string) answer {
	return mbanqUnknown("error.msg.client.id.invalid", "Client", id)
}

func mbanqUnknownIdentifier(id string) answer {
	return mbanqUnknown("error.msg.clientIdentifier.id.invalid", "Client identifier", id)
}

// mbanqForbidden answers a user who lacks a permission.
func mbanqForbidden(permission string) answer {
	const code = "error.msg.not.authorized"
	return mbanqError(http.StatusForbidden, code,
		"The user associated with credentials passed on this request does not have sufficient privileges to perform this action.",
		"Insufficient privileges to perform this action.",
		[]mbanqReason{newMbanqReason(code, "User has no authority to: "+permission, "id")})
}

// mbanqConflict answers a change of a client that met another one.
func mbanqConflict(id int64) answer {
	text := fmt.Sprintf("The server is currently unable to handle the request due to concurrent modification on client [%d], please try again", id)
	return mbanqError(http.StatusConflict, "error.msg.platform.service.client.conflict", text, text, nil)
}

// mbanqUnsupportedQuery answers a query parameter whose value is none of those that may stand there; nil for none.
func mbanqUnsupportedQuery(name string, value any) answer {
	shown := "null"
	if s, ok := value.(string); ok {
		shown = s
	}
	return mbanqInvalid(newMbanqReason("error.msg.query.parameter.value.unsupported",
		"The query parameter "+name+" has an unsupported value of: "+shown, name, name, value))
}

// mbanqFailures are those of an operation that changes something. The contract leaves the body of 429 open.
func mbanqFailures() failures {
	const internal = "An unexpected error occured on the platform server." // sic
	const unavailable = "The server is currently unable to handle the request , please try after some time."
	return failures{
		unauthorized: mbanqError(http.StatusUnauthorized, "error.msg.not.authenticated",
			"Invalid authentication details were passed in api request.", "Unauthenticated. Please login.", nil),
		throttled: mbanqError(http.StatusTooManyRequests, "error.msg.platform.too.many.requests",
			"Too many requests.", "Too many requests.", nil),
		internal:    mbanqError(http.StatusInternalServerError, "error.msg.platform.server.side.error", internal, internal, nil),
		unavailable: mbanqError(http.StatusServiceUnavailable, "error.msg.platform.service.unavailable", unavailable, unavailable, nil),
	}
}

// mbanqReadFailures are those of an operation that reads: its 500 is that of an uncaught fault (mbanq §6), so that either
// form can be had.
func mbanqReadFailures() failures {
	all := mbanqFailures()
	all.internal = answer{status: http.StatusInternalServerError, body: encode(struct {
		Exception string `json:"Exception"`
	}{"java.lang.NullPointerException"})}
	return all
}
