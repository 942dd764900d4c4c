package gateway

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"sallyport/shared/source"
)

// MaxDepth is how deep JSON from outside may nest.
const MaxDepth = 32

// InputError says what is wrong with a request and where, in words that hold none of its values.
type InputError struct {
	Pointer string // JSON pointer (RFC 6901), header or parameter name; empty for the whole body
	Reason  string
	Code    string        // for machines, where it is another than "invalid_request"
	Source  source.Source // where the rule comes from, if it is about what a partner takes
}

func (e *InputError) Error() string {
	if e.Pointer == "" {
		return e.Reason
	}
	return e.Pointer + ": " + e.Reason
}

// Under puts an InputError about a part of a text into the part's place; any other error stays as it is.
func Under(at string, err error) error {
	var input *InputError
	if errors.As(err, &input) {
		return &InputError{Pointer: at + input.Pointer, Reason: input.Reason, Code: input.Code, Source: input.Source}
	}
	return err
}

// DecodeJSON reads one JSON value into v strictly: exact names, none unknown, none twice, valid UTF-8, no NUL, at
// most MaxDepth deep, nothing behind it. Its errors are *InputError.
func DecodeJSON(body []byte, v any) error {
	err := json.Unmarshal(body, v, json.RejectUnknownMembers(true))
	if err == nil && flat(body) {
		return nil
	}
	if fault := CheckJSON(body); fault != nil {
		return fault
	}
	if err != nil {
		return inputError(err)
	}
	return nil
}

// flat reports whether valid JSON can neither nest deeper than MaxDepth nor hold a NUL, without reading it as JSON.
func flat(body []byte) bool {
	return bytes.Count(body, []byte("{"))+bytes.Count(body, []byte("[")) <= MaxDepth &&
		!bytes.Contains(body, []byte(`\u0000`))
}

// CheckJSON applies DecodeJSON's rules for any value to a text that is read otherwise. Its errors are *InputError.
func CheckJSON(body []byte) error {
	if len(bytes.TrimSpace(body)) == 0 {
		return &InputError{Reason: "body is empty"}
	}
	values := 0
	decoder := jsontext.NewDecoder(bytes.NewBuffer(body)) // reads it where it lies: a body may hold files
	for {
		var text []byte
		var err error
		if decoder.PeekKind() == '"' {
			text, err = decoder.ReadValue()
		} else {
			_, err = decoder.ReadToken()
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return inputError(err)
		}
		if decoder.StackDepth() == 0 {
			if values++; values > 1 {
				return &InputError{Reason: "is not valid JSON"} // but several
			}
		}
		if decoder.StackDepth() > MaxDepth {
			return &InputError{Reason: "nests too deep"}
		}
		if holdsNUL(text) {
			return &InputError{Pointer: PrintablePointer(decoder.StackPointer()), Reason: "holds a NUL character"}
		}
	}
}

// holdsNUL reports whether a JSON string holds a NUL character, which it can only as an escape.
func holdsNUL(text []byte) bool {
	if !bytes.Contains(text, []byte(`\u0000`)) {
		return false
	}
	plain, err := jsontext.AppendUnquote(nil, text)
	return err != nil || bytes.IndexByte(plain, 0) >= 0
}

func inputError(err error) error {
	var syntactic *jsontext.SyntacticError
	var semantic *json.SemanticError
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName) && errors.As(err, &syntactic):
		return &InputError{Pointer: PrintablePointer(syntactic.JSONPointer), Reason: "stands twice"}
	case errors.As(err, &syntactic):
		return &InputError{Pointer: PrintablePointer(syntactic.JSONPointer), Reason: "is not valid JSON"}
	case errors.Is(err, json.ErrUnknownName) && errors.As(err, &semantic):
		return &InputError{
			Pointer: PrintablePointer(semantic.JSONPointer), Reason: "is not a known name (names are matched exactly)",
		}
	case errors.As(err, &semantic):
		return &InputError{Pointer: PrintablePointer(semantic.JSONPointer), Reason: "must be " + wanted(semantic.GoType)}
	}
	return &InputError{Reason: "is not valid JSON"}
}

func wanted(t reflect.Type) string {
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == nil {
		return "of another type"
	}
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice, reflect.Array:
		return "an array"
	case reflect.Struct, reflect.Map:
		return "an object"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Float64:
		return "a number"
	}
	return "of another type"
}

// PrintablePointer keeps a pointer from carrying a caller's data: a name is shown when it is made of letters and
// underscores or is an index, and is not long.
func PrintablePointer(pointer jsontext.Pointer) string {
	var out strings.Builder
	for name := range pointer.Tokens() {
		out.WriteByte('/')
		if len(name) > 40 ||
			strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_") != "" &&
				(len(name) > 3 || strings.Trim(name, "0123456789") != "") {
			name = "?"
		}
		out.WriteString(name)
	}
	return out.String()
}
