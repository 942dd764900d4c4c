package mbanq

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json"

	"sallyport/shared/gateway"
	"sallyport/shared/operation"
	"sallyport/shared/source"
	"sallyport/shared/tolerant"
)

// Codes of the status table (§7).
const (
	codeValidation       = "validation.msg.validation.errors.exist"
	codeNotAuthenticated = "error.msg.not.authenticated"
	codeTenant           = "error.msg.invalid.tenant.identifier"
	codeNotAuthorized    = "error.msg.not.authorized"
	codeInvalidBody      = "error.msg.invalid.request.body"
	codeNotFound         = "error.msg.resource.not.found"
	codeClientID         = "error.msg.client.id.invalid"
	codeIdentifierID     = "error.msg.clientIdentifier.id.invalid"
	codeAlreadyActive    = "error.msg.clients.already.active"
	codeAlreadyVerified  = "error.msg.client.verify.already.verified" // inferred, like the next (§5, §8)
	codeNotPending       = "error.msg.client.verify.not.pending"
	codeServerError      = "error.msg.platform.server.side.error"
	codeUnavailable      = "error.msg.platform.service.unavailable"
	codeUnsupportedQuery = "error.msg.query.parameter.value.unsupported"
)

// reasons are what is missing for a verification, by the code that says so (§8, inferred): the one table to
// change when the partner's own codes are known.
func reasons() map[string]string {
	const prefix = "error.msg.client.verify."
	return map[string]string{
		prefix + "primary.address.required":  "primary_address",
		prefix + "identifier.required":       "identifier",
		prefix + "identifier.expired":        "valid_identifier",
		prefix + "tax.identifier.required":   "tax_identifier",
		prefix + "physical.id.required":      "physical_id",
		prefix + "physical.id.scan.required": "document_scan",
		prefix + "email.required":            "email",
		prefix + "mobile.required":           "mobile",
		prefix + "email.unverified":          "verified_email",
		prefix + "mobile.unverified":         "verified_mobile",
		prefix + "proof.of.address.required": "proof_of_address",
		codeNotPending:                       "pending_client",
	}
}

// missing names what the errors of a refused verification ask for, each once, in their order; without errors the top
// level counts. A code that nobody knows is read by the words of its text.
func missingIn(m tolerant.Object) (names []string) {
	known, errors := reasons(), m.Objects("errors")
	if len(errors) == 0 && readCodes(m).first() != "" {
		errors = []tolerant.Object{m}
	}
	for _, e := range errors {
		code := e.Word("userMessageGlobalisationCode")
		name, ok := known[code]
		if !ok {
			name = reasonIn(code + " " + e.String("developerMessage"))
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// reasonIn finds the most telling word of a text: an email address is no address, and a scan of an identifier no
// identifier.
func reasonIn(text string) string {
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) })
	for _, word := range [][2]string{
		{"ssn", "tax_identifier"}, {"itin", "tax_identifier"}, {"tax", "tax_identifier"}, {"proof", "proof_of_address"},
		{"email", "email"}, {"mobile", "mobile"}, {"address", "primary_address"}, {"scan", "document_scan"},
		{"physical", "physical_id"}, {"identifier", "identifier"}, {"document", "document_scan"},
	} {
		if slices.Contains(words, word[0]) || slices.Contains(words, word[0]+"s") || slices.Contains(words, word[0]+"es") {
			return word[1]
		}
	}
	return "other"
}

// envelope is how Mbanq says no (§6).
type envelope struct {
	DeveloperMessage string    `json:"developerMessage"`
	HTTPStatusCode   string    `json:"httpStatusCode"`
	UserMessage      string    `json:"defaultUserMessage"`
	Code             string    `json:"userMessageGlobalisationCode"`
	Errors           []problem `json:"errors"`
}

// problem is one of its errors; bare, it is the answer to a broken body.
type problem struct {
	DeveloperMessage string `json:"developerMessage"`
	UserMessage      string `json:"defaultUserMessage"`
	Code             string `json:"userMessageGlobalisationCode"`
	Parameter        string `json:"parameterName"`
	Value            any    `json:"value"`
	Args             []arg  `json:"args"`
}

type arg struct {
	Value any `json:"value"`
}

// newProblem is one about a parameter, with what its text says as values.
func newProblem(code, parameter, text string, args ...any) problem {
	p := problem{text, text, code, parameter, nil, []arg{}}
	for _, value := range args {
		p.Args = append(p.Args, arg{value})
	}
	return p
}

// renderError puts what the gateway has to say into Mbanq's shape, where it is about a client.
func renderError(condition operation.Condition, _ string) gateway.Reply {
	return renderAbout(codeClientID, condition)
}

// renderIdentifierError does so where it is about an identifier.
func renderIdentifierError(condition operation.Condition, _ string) gateway.Reply {
	return renderAbout(codeIdentifierID, condition)
}

// renderAbout renders a condition; code is that of a record which isn't there.
func renderAbout(code string, condition operation.Condition) gateway.Reply {
	switch condition {
	case operation.NoKey, operation.BadKey:
		return renderTop(
			http.StatusUnauthorized, codeNotAuthenticated, "Invalid authentication details were passed in api request.",
			"Unauthenticated. Please login.",
		)
	case operation.Forbidden:
		return renderTop(http.StatusForbidden, codeNotAuthorized, "This key may not use Mbanq.")
	case operation.TooLarge:
		return renderTop(http.StatusRequestEntityTooLarge, codeValidation, "The request is too large.")
	case operation.InvalidRequest:
		return bare(
			http.StatusBadRequest, codeInvalidBody, "The JSON provided in the body of the request is invalid or missing.",
		)
	case operation.NoSuchRecord:
		return notFound(code)
	case operation.KeyReused:
		return renderTop(http.StatusUnprocessableEntity, codeValidation, "Idempotency-Key was used for another request.")
	case operation.InFlight:
		return renderTop(http.StatusTooEarly, codeUnavailable, "A request with this Idempotency-Key is in progress.")
	case operation.AnswerGone:
		return renderTop(http.StatusGone, codeValidation, "The answer to this Idempotency-Key is not kept any more.")
	case operation.OutcomeUnknown:
		return renderTop(
			http.StatusInternalServerError, codeServerError,
			"The outcome of this request is not known, it may have taken effect.",
		)
	case operation.PartnerThrottled:
		return renderTop(http.StatusTooManyRequests, codeUnavailable, "Too many requests.")
	case operation.LedgerDown, operation.PartnerDown:
		return renderTop(http.StatusServiceUnavailable, codeUnavailable, "The service is not available. Try again later.")
	}
	return renderTop(http.StatusInternalServerError, codeServerError, "Something went wrong.")
}

// renderTop is a failure without errors of its own, with a text for developers, and one for users where it is another.
func renderTop(status int, code, developer string, user ...string) gateway.Reply {
	return render(status, envelope{developer, strconv.Itoa(status), append(user, developer)[0], code, nil})
}

// invalidID refuses what can't be the id of a record, as one that doesn't exist is refused.
func invalidID(code, field string) error {
	return &operation.Rejection{
		Reply: notFound(code), Code: strings.TrimPrefix(code, "error.msg."), Detail: field + ": must be a number",
		Source: source.Safety("an id is part of a path, and has an owner"),
	}
}

// notFound is the documented answer for a record that doesn't exist, but for its id: a record of another tenant's is
// answered so without it, and nobody shall tell the two apart.
func notFound(code string) gateway.Reply {
	const message = "The requested resource is not available."
	text := "Client with this identifier does not exist"
	if code == codeIdentifierID {
		text = "Client identifier with this identifier does not exist"
	}
	return render(
		http.StatusNotFound, envelope{message, "404", message, codeNotFound, []problem{newProblem(code, "id", text)}},
	)
}

// unsupported is the documented answer to a query parameter's value that can't be.
func unsupported(from source.Source, req gateway.Request, name, reason string) error {
	shown, value := "null", any(nil)
	if given, ok := req.Query[name]; ok {
		shown = strings.ToValidUTF8(given, "\uFFFD")
		shown = string([]rune(shown)[:min(utf8.RuneCountInString(shown), 100)])
		value = shown
	}
	return &operation.Rejection{Code: "query.parameter.value.unsupported", Detail: name + ": " + reason, Source: from,
		Reply: invalid(
			newProblem(codeUnsupportedQuery, name, "The query parameter "+name+" has an unsupported value of: "+shown, value),
		)}
}

// invalid is the documented answer to fields that are wrong.
func invalid(problems ...problem) gateway.Reply {
	return render(http.StatusBadRequest, envelope{
		"The request was invalid. This typically will happen due to validation errors which are provided.", "400",
		"Validation errors exist.", codeValidation, problems,
	})
}

// bare is the answer to a broken body.
func bare(status int, code, message string) gateway.Reply {
	return render(status, newProblem(code, "id", message))
}

func render(status int, body any) gateway.Reply {
	text, err := json.Marshal(body, json.FormatNilSliceAsNull(true))
	if err != nil {
		return gateway.Empty(http.StatusInternalServerError)
	}
	return gateway.JSON(status, text)
}

// faults collects what is wrong with a request, in the partner's words.
type faults struct {
	Source   source.Source
	problems []problem
	where    []string // without values
}

func (f *faults) add(resource, field, postfix, message string, args ...any) {
	f.note(
		newProblem("validation.msg."+resource+"."+field+"."+postfix, field, message, args...),
		"/"+field+": "+strings.ReplaceAll(postfix, ".", " "),
	)
}

// note adds a problem whose code is of another form.
func (f *faults) note(p problem, where string) {
	f.problems = append(f.problems, p)
	f.where = append(f.where, where)
}

func (f *faults) err() error {
	if len(f.problems) == 0 {
		return nil
	}
	return &operation.Rejection{
		Reply: invalid(f.problems...), Code: "validation", Detail: strings.Join(f.where, "; "), Source: f.Source,
	}
}
