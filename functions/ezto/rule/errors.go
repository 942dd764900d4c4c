package rule

import (
	"errors"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/types"
)

// notParsed says where the text stops being an expression. CEL's own message quotes the text.
func notParsed(issues *cel.Issues) *Error {
	first := earliest(issues)
	reason := "is not an expression"
	switch m := first.Message; {
	case strings.Contains(m, "recursion"):
		reason = "nests too deep"
	case strings.Contains(m, "node"):
		reason = "has too many parts"
	case strings.HasSuffix(m, " literal"):
		reason = "is no number that there is"
	case strings.Contains(m, "token recognition error"):
		reason = "holds a character, or begins a text, that does not belong here"
	case strings.Contains(m, "reserved identifier"):
		reason = "is a reserved word"
	}
	return at(first.Location, reason)
}

// notChecked says what part of an expression does not fit.
func notChecked(issues *cel.Issues) *Error {
	first := earliest(issues)
	reason := "does not fit here"
	switch name, m := quoted(first.Message), first.Message; {
	case strings.HasPrefix(m, "undeclared reference"):
		reason = "is neither a function nor one of user_id, metadata, country, device, claims, force_onboarding"
	case strings.HasPrefix(m, "found no matching overload"):
		_, signature, _ := strings.Cut(m, " applied to ")
		reason = "cannot be applied to " + short(strings.Trim(signature, "'"), "what it is")
	case strings.HasPrefix(m, "undefined field"):
		reason = "is no field that there is"
	case strings.HasPrefix(m, "expression of type"):
		reason = "cannot be looped over, since it is of type " + short(name, "another")
	case strings.HasPrefix(m, "type "):
		reason = "has no fields, since it is of type " + short(name, "another")
	case strings.HasPrefix(m, "expected type"):
		reason = "must be of type " + short(name, "another")
	case strings.HasPrefix(m, "invalid matches argument"):
		reason = "is not a regular expression"
	case strings.HasPrefix(m, "invalid duration argument"):
		reason = "is not a duration"
	case strings.HasPrefix(m, "invalid timestamp argument"):
		reason = "is not a timestamp"
	case strings.Contains(m, "regex program size"):
		reason = "is too large a regular expression"
	case strings.Contains(m, "exceeds nesting limit"):
		reason = "is a loop in too many others"
	case strings.Contains(m, "node count"):
		reason = "has too many parts"
	}
	return at(first.Location, reason)
}

// failed says where an evaluation failed, and that a key is missing; which one may be a fact.
func (r Rule) failed(err error) *Error {
	e := &Error{Reason: "cannot be evaluated with these facts", kind: ErrEval}
	var value *types.Err
	if !errors.As(err, &value) {
		return e
	}
	if strings.HasPrefix(value.String(), "no such key") {
		e.Reason = "is a key that these facts don't have"
	}
	if start := r.ast.NativeRep().SourceInfo().GetStartLocation(value.NodeID()); start.Line() > 0 {
		e.Line, e.Column = start.Line(), start.Column()+1
	}
	return e
}

func earliest(issues *cel.Issues) *cel.Error {
	return slices.MinFunc(issues.Errors(), func(a, b *cel.Error) int {
		if d := a.Location.Line() - b.Location.Line(); d != 0 {
			return d
		}
		return a.Location.Column() - b.Location.Column()
	})
}

func at(place common.Location, reason string) *Error {
	if place.Line() < 1 {
		return &Error{Reason: reason}
	}
	return &Error{Line: place.Line(), Column: max(place.Column(), 0) + 1, Reason: reason}
}

// short returns the name of a type, or other words for one that a rule has made long.
func short(name, otherwise string) string {
	if len(name) > 100 {
		return otherwise
	}
	return name
}

// quoted returns what stands in a message's first quotes.
func quoted(message string) string {
	_, rest, _ := strings.Cut(message, "'")
	name, _, _ := strings.Cut(rest, "'")
	return name
}
