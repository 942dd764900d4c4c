package asl

import (
	"fmt"
	"maps"
	"slices"
)

// rule is one of a Choice state's choices.
type rule struct {
	condition condition
	next      string
}

type condition interface {
	holds(*scope) (bool, *Error)
}

type (
	both   []condition
	either []condition
	not    struct{ condition }
	// test compares the variable with an operand, which is a constant or another value of the input.
	test struct {
		variable path
		name     string
		comparison
		operand expression
	}
)

// comparison is how a variable is compared with an operand.
type comparison struct {
	valid    func(any) bool // reports whether an operand has the right type
	holds    func(variable, operand any) bool
	path     bool // the operand is at a path of the input
	presence bool // the variable may be absent
}

func (all both) holds(s *scope) (bool, *Error) {
	for _, c := range all {
		if ok, err := c.holds(s); !ok || err != nil {
			return false, err
		}
	}
	return true, nil
}

func (any either) holds(s *scope) (bool, *Error) {
	for _, c := range any {
		if ok, err := c.holds(s); ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

func (n not) holds(s *scope) (bool, *Error) {
	ok, err := n.condition.holds(s)
	return !ok, err
}

// absent is the value of a variable that isn't there.
type absent struct{}

func (t test) holds(s *scope) (bool, *Error) {
	v, found := s.find(t.variable)
	if !found {
		if !t.presence {
			cause := "Invalid path '%s': The choice state's condition path references an invalid value."
			return false, runtimeError(fmt.Sprintf(cause, t.variable.text))
		}
		v = absent{}
	}
	operand, err := t.operand.value(s)
	if err != nil {
		return false, err
	}
	if !t.valid(operand) {
		return false, runtimeError(fmt.Sprintf("The operand of %s has the wrong type", t.name))
	}
	return t.comparison.holds(v, operand), nil
}

// comparisons are the comparisons that are supported: those of the definitions and of package flow.
func comparisons() map[string]comparison {
	same := func(a, b any) bool { return a == b }
	numeric := func(holds func(order int) bool) comparison {
		return comparison{valid: isNumeric, holds: func(a, b any) bool {
			return isNumeric(a) && holds(a.(number).compare(b.(number)))
		}}
	}
	greater := numeric(func(order int) bool { return order > 0 })
	greaterPath := greater
	greaterPath.path = true
	return map[string]comparison{
		"StringEquals":           {valid: isString, holds: same},
		"BooleanEquals":          {valid: isBoolean, holds: same},
		"NumericEquals":          numeric(func(order int) bool { return order == 0 }),
		"NumericGreaterThan":     greater,
		"NumericGreaterThanPath": greaterPath,
		"NumericLessThan":        numeric(func(order int) bool { return order < 0 }),
		"NumericLessThanEquals":  numeric(func(order int) bool { return order <= 0 }),
		"IsPresent": {valid: isBoolean, presence: true, holds: func(a, b any) bool {
			return (a != absent{}) == b.(bool)
		}},
	}
}

func isString(v any) bool  { _, ok := v.(string); return ok }
func isNumeric(v any) bool { _, ok := v.(number); return ok }
func isBoolean(v any) bool { _, ok := v.(bool); return ok }

func (p *parser) choice(f *fields, s *state) {
	f.required("Choices")
	for i, value := range f.list("Choices") {
		g := p.fields(f.child("Choices").index(i), value)
		s.rules = append(s.rules, rule{p.condition(g), g.must("Next")})
		g.done()
	}
	s.fallback, _ = f.text("Default")
}

func (p *parser) condition(f *fields) condition {
	known := comparisons()
	name := f.only(append(slices.Sorted(maps.Keys(known)), "And", "Or", "Not")...)
	if name == "" {
		p.fail(f.place, "must have one comparison that is supported, or And, Or, Not")
		f.get("Variable")
		return both{}
	}
	value, _ := f.get(name)
	switch name {
	case "And", "Or":
		var all []condition
		for i, element := range f.list(name) {
			all = append(all, p.nested(f.child(name).index(i), element))
		}
		if name == "And" {
			return both(all)
		}
		return either(all)
	case "Not":
		return not{p.nested(f.child(name), value)}
	}
	f.must("Variable")
	t := test{variable: f.path("Variable"), name: name, comparison: known[name], operand: constant{value}}
	switch {
	case t.path:
		t.operand = lookup{f.path(name), name}
	case !t.valid(value):
		f.fail(name, "has an operand of the wrong type")
	}
	return t
}

func (p *parser) nested(where place, value any) condition {
	f := p.fields(where, value)
	c := p.condition(f)
	f.done()
	return c
}
