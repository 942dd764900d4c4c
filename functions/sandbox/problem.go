package sandbox

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// maxBody is the largest request body that is read where an operation doesn't say otherwise, in bytes; what is larger
// is answered with 413.
const maxBody = 1 << 20

// problemMedia is the content type of a problem.
const problemMedia = "application/problem+json"

// Problem is an RFC 9457 problem. It is also the error that says what is wrong with what an admin route was asked.
type Problem struct {
	Type      string   `json:"type"`
	Title     string   `json:"title"`
	Status    int      `json:"status"`
	Detail    string   `json:"detail"`
	Pointer   string   `json:"pointer,omitzero"`   // JSON pointer to what is wrong in the body
	Parameter string   `json:"parameter,omitzero"` // query parameter that is wrong
	Allowed   []string `json:"allowed,omitzero"`   // what may stand there instead
}

// NewProblem returns a problem that is about nothing in particular; allowed are what there is instead.
func NewProblem(status int, detail string, allowed ...string) *Problem {
	p := &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail}
	return p.at("", "", "", allowed)
}

func (p *Problem) Error() string { return "sandbox: " + p.Detail }

// Answer is the problem as what a partner answers, which keeps what the transaction has changed.
func (p *Problem) Answer() Answer {
	return Answer{Status: p.Status, Media: problemMedia, Body: Encode(p)}
}

// at completes a problem with where it is and what is allowed there, in the detail as well.
func (p *Problem) at(where, pointer, parameter string, allowed []string) *Problem {
	p.Pointer, p.Parameter, p.Allowed = pointer, parameter, allowed
	if where != "" {
		p.Detail = where + " " + p.Detail
	}
	if len(allowed) > 0 {
		p.Detail += "; allowed: " + strings.Join(allowed, ", ")
	}
	return p
}

// badRequest returns a problem with the form of a body.
func badRequest(pointer, detail string, allowed ...string) *Problem {
	return NewProblem(http.StatusBadRequest, detail).at(pointer, pointer, "", allowed)
}

// Unprocessable returns a problem with a value in a body, at a JSON pointer; allowed are what may stand there instead.
func Unprocessable(pointer, detail string, allowed ...string) *Problem {
	return NewProblem(http.StatusUnprocessableEntity, detail).at(pointer, pointer, "", allowed)
}

// badParameter returns a problem with the form of a query.
func badParameter(name, detail string, allowed ...string) *Problem {
	name = strings.ToValidUTF8(name, "\uFFFD") // percent-encoding can hold any bytes
	return NewProblem(http.StatusBadRequest, detail).at(name, "", name, allowed)
}

// UnprocessableParameter returns a problem with the value of a query parameter; allowed are what it may be instead.
func UnprocessableParameter(name, detail string, allowed ...string) *Problem {
	return NewProblem(http.StatusUnprocessableEntity, detail).at(name, "", name, allowed)
}

// readBody reads a request's whole body of at most limit bytes, or returns a problem.
func readBody(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	if r.Body == nil {
		return nil, nil
	}
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, NewProblem(http.StatusRequestEntityTooLarge, fmt.Sprintf("the body is larger than %d MiB", limit>>20))
	case err != nil:
		return nil, NewProblem(http.StatusBadRequest, "the body could not be read to its end")
	}
	return b, nil
}

// decodeStrict reads a request's body into v: see decodeObject.
func decodeStrict(w http.ResponseWriter, r *http.Request, v any, names ...string) error {
	b, err := readBody(w, r, maxBody)
	if err != nil {
		return err
	}
	return decodeObject(b, v, names...)
}

// decodeObject decodes one JSON object with the given names and no others, none of them twice.
func decodeObject(b []byte, v any, names ...string) error {
	if jsontext.Value(b).Kind() != jsontext.KindBeginObject {
		return badRequest("", "the body must be a JSON object with the names: "+strings.Join(names, ", "))
	}
	return explain(json.Unmarshal(b, v, json.RejectUnknownMembers(true)), names)
}

// explain turns an error of the JSON package into a problem that quotes names of the body but no values.
func explain(err error, names []string) error {
	if err == nil {
		return nil
	}
	var syntactic *jsontext.SyntacticError
	var semantic *json.SemanticError
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName) && errors.As(err, &syntactic):
		return badRequest(string(syntactic.JSONPointer), "is given twice")
	case errors.Is(err, json.ErrUnknownName) && errors.As(err, &semantic):
		return badRequest(string(semantic.JSONPointer), "is not known", names...)
	case errors.As(err, &semantic):
		return badRequest(string(semantic.JSONPointer), "has the wrong type")
	}
	return badRequest("", "the body is not valid JSON")
}

// writeJSON answers with v as JSON.
func writeJSON(w http.ResponseWriter, status int, v any) {
	write(w, status, "application/json", Encode(v))
}

// writeProblem answers with a problem.
func writeProblem(w http.ResponseWriter, p *Problem) {
	write(w, p.Status, problemMedia, Encode(p))
}

// write answers with a body, or with none and no content type.
func write(w http.ResponseWriter, status int, contentType string, body []byte) {
	if len(body) > 0 {
		w.Header().Set("Content-Type", contentType)
	}
	w.WriteHeader(status)
	w.Write(body)
}
