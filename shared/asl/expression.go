package asl

import (
	"fmt"
	"slices"
	"strings"
)

// expression is anything whose value depends on a state's input or on the context object.
type expression interface {
	value(*scope) (any, *Error)
}

// scope is what an expression is evaluated in.
type scope struct {
	input   any
	context func(name string) any // one of contextValues
}

func (s *scope) find(p path) (any, bool) {
	if p.context == "" {
		return find(s.input, p.steps)
	}
	return find(s.context(p.context), p.steps)
}

// within returns the scope for another input.
func (s *scope) within(input any) *scope {
	return &scope{input: input, context: s.context}
}

// constant is its own value.
type constant struct{ is any }

func (c constant) value(*scope) (any, *Error) { return c.is, nil }

// lookup is the value at a path; field is named in the error.
type lookup struct {
	path  path
	field string
}

func (l lookup) value(s *scope) (any, *Error) {
	if v, ok := s.find(l.path); ok {
		return v, nil
	}
	where := "context object"
	if l.path.context == "" {
		where = fmt.Sprintf("input '%s'", encode(s.input))
	}
	return nil, runtimeError(fmt.Sprintf("The JSONPath '%s' specified for the field '%s' could not be found in the %s",
		l.path.text, l.field, where))
}

// list and record are the parts of a payload template that hold others.
type (
	list   []expression
	record []field
	field  struct {
		name string
		is   expression
	}
)

func (l list) value(s *scope) (any, *Error) {
	values := make([]any, len(l))
	for i, e := range l {
		var err *Error
		if values[i], err = e.value(s); err != nil {
			return nil, err
		}
	}
	return values, nil
}

func (r record) value(s *scope) (any, *Error) {
	o := make(object, len(r))
	for i, f := range r {
		v, err := f.is.value(s)
		if err != nil {
			return nil, err
		}
		o[i] = member{f.name, v}
	}
	return o, nil
}

// filter is an OutputPath or ResultPath: absent, null or a path.
type filter struct {
	set, null bool
	path      path
}

// apply returns what an OutputPath lets through. Null lets an empty object through.
func (f filter) apply(s *scope) (any, *Error) {
	switch {
	case !f.set:
		return s.input, nil
	case f.null:
		return object{}, nil
	}
	return lookup{f.path, "OutputPath"}.value(s)
}

// combine is ResultPath: where the result goes within the raw input.
func (f filter) combine(input, result any) (any, *Error) {
	switch {
	case !f.set:
		return result, nil
	case f.null:
		return input, nil
	}
	combined, ok := put(input, f.path.steps, result)
	if !ok {
		cause := fmt.Sprintf("Unable to apply ResultPath '%s' to the input '%s'", f.path.text, encode(input))
		return nil, &Error{Name: StatesResultPathMatchFailure, Cause: cause}
	}
	return combined, nil
}

// template compiles a payload template: below it, the value of every name that ends in ".$" is an expression.
func (p *parser) template(where place, value any) expression {
	switch v := value.(type) {
	case []any:
		elements, dynamic := make(list, len(v)), false
		for i, element := range v {
			elements[i] = p.template(where.index(i), element)
			dynamic = dynamic || !isConstant(elements[i])
		}
		if dynamic {
			return elements
		}
	case object:
		fields, dynamic := make(record, 0, len(v)), false
		for _, m := range v {
			name, isExpression := strings.CutSuffix(m.name, ".$")
			at := where.child(m.name)
			f := field{name: name}
			if isExpression {
				f.is = p.expression(at, m.name, m.value)
			} else {
				f.is = p.template(at, m.value)
			}
			if slices.ContainsFunc(fields, func(other field) bool { return other.name == name }) {
				p.fail(at, "is given twice, with and without .$")
			}
			fields = append(fields, f)
			dynamic = dynamic || !isConstant(f.is)
		}
		if dynamic {
			return fields
		}
	}
	return constant{value}
}

func isConstant(e expression) bool {
	_, ok := e.(constant)
	return ok
}

// expression compiles the value of a name that ends in ".$": a path or an intrinsic function.
func (p *parser) expression(where place, name string, value any) expression {
	text, ok := value.(string)
	if !ok {
		p.fail(where, "must be a string that holds a path or an intrinsic function")
		return constant{}
	}
	parse := &expressionParser{text: text, field: name}
	e, err := parse.whole()
	if err != nil {
		p.fail(where, "%v", err)
		return constant{}
	}
	for _, used := range parse.paths {
		p.allowed(where, used)
	}
	return e
}

// allowed refuses the values of the context object that do not exist at this place.
func (p *parser) allowed(where place, used path) {
	switch used.context {
	case taskToken:
		p.tokens++
		if !where.token {
			p.fail(where, "uses $$.%s, which exists only in the Parameters of a Task that waits for it", used.context)
		}
	case mapIndex, mapValue:
		if !where.item {
			p.fail(where, "uses $$.%s, which exists only in a Map's ItemSelector; pass it on from there", used.context)
		}
	}
}
