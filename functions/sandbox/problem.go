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

// maxBody is the largest request body that is read where an operation doesn't say otherwise, in bytes; what is larger is
// answered with 413.
const maxBody = 1 << 20

// problem is an RFC 9457 problem. It is also the error that says what is wrong with what an admin route was asked.
type problem struct {
	Type      string   `json:"type"`
	Title     string   `json:"title"`
	Status    int      `json:"status"`
	Detail    string   `json:"detail"`
	Pointer   string   `json:"pointer,omitzero"`   // JSON pointer to what is wrong in the body
	Parameter string   `json:"parameter,omitzero"` // query parameter that is wrong
	Allowed   []string `json:"allowed,omitzero"`   // what may stand there instead
}

func newProblem(status int, detail string) *problem {
	return &problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail}
}

func (p *problem) Error() string { return "sandbox: " + p.Detail }

// at completes a problem with where it is and what is allowed there, in the detail as well.
func (p *problem) at(where, pointer, parameter string, allowed []string) *problem {
	p.Pointer, p.Parameter, p.Allowed = pointer, parameter, allowed
	if where != "" {
		p.Detail = where + " " + p.Detail
	}
	if len(allowed) > 0 {
		p.Detail += "; allowed: " + strings.Join(allowed, ", ")
	}
	return p
}

// badRequest is about the form of a body, unprocessable about a value in it.
func badRequest(pointer, detail string, allowed ...string) *problem {
	return newProblem(http.StatusBadRequest, detail).at(pointer, pointer, "", allowed)
}

func unprocessable(pointer, detail string, allowed ...string) *problem {
	return newProblem(http.StatusUnprocessableEntity, detail).at(pointer, pointer, "", allowed)
}

// badParameter is about the form of a query, unprocessableParameter about a value in it.
func badParameter(name, detail string, allowed ...string) *problem {
	name = strings.ToValidUTF8(name, "\uFFFD") // percent-encoding can hold any bytes
	return newProblem(http.StatusBadRequest, detail).at(name, "", name, allowed)
}

func unprocessableParameter(name, detail string, allowed ...string) *problem {
	return newProblem(http.StatusUnprocessableEntity, detail).at(name, "", name, allowed)
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
		return nil, newProblem(http.StatusRequestEntityTooLarge, fmt.Sprintf("the body is larger than %d MiB", limit>>20))
	case err != nil:
		return nil, newProblem(http.StatusBadRequest, "the body could not be read to its end")
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
	write(w, status, "application/json", encode(v))
}

// writeProblem answers with a problem.
func writeProblem(w http.ResponseWriter, p *problem) {
	write(w, p.Status, "application/problem+json", encode(p))
}

// write answers with a body, or with none and no content type.
func write(w http.ResponseWriter, status int, contentType string, body []byte) {
	if len(body) > 0 {
		w.Header().Set("Content-Type", contentType)
	}
	w.WriteHeader(status)
	w.Write(body)
}
