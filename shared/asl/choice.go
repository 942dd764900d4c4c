package asl

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf16"
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
		operator operator
		operand  expression
	}
)

// operator is a comparison without the ending Path.
type operator struct {
	name     string
	presence bool           // also asked of a variable that isn't there
	valid    func(any) bool // whether an operand has the right type
	compare  func(a, b any) bool
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
		if !t.operator.presence {
			cause := "Invalid path '%s': The choice state's condition path references an invalid value."
			return false, runtimeError(fmt.Sprintf(cause, t.variable.text))
		}
		v = absent{}
	}
	operand, err := t.operand.value(s)
	if err != nil {
		return false, err
	}
	if !t.operator.valid(operand) {
		return false, runtimeError(fmt.Sprintf("The operand of %sPath has the wrong type", t.operator.name))
	}
	return t.operator.compare(v, operand), nil
}

// operators returns all comparisons.
func operators() map[string]operator {
	all := map[string]operator{}
	add := func(name string, valid func(any) bool, compare func(a, b any) bool) {
		all[name] = operator{name: name, valid: valid, compare: compare, presence: name == "IsPresent"}
	}
	for name, holds := range map[string]func(order int) bool{
		"Equals":            func(order int) bool { return order == 0 },
		"LessThan":          func(order int) bool { return order < 0 },
		"LessThanEquals":    func(order int) bool { return order <= 0 },
		"GreaterThan":       func(order int) bool { return order > 0 },
		"GreaterThanEquals": func(order int) bool { return order >= 0 },
	} {
		add("String"+name, isString, func(a, b any) bool {
			return isString(a) && holds(compareText(a.(string), b.(string)))
		})
		add("Numeric"+name, isNumeric, func(a, b any) bool {
			return isNumeric(a) && holds(a.(number).compare(b.(number)))
		})
		add("Timestamp"+name, isTimestamp, func(a, b any) bool {
			if !isTimestamp(a) {
				return false
			}
			x, _ := timestamp(a.(string))
			y, _ := timestamp(b.(string))
			return holds(x.Compare(y))
		})
	}
	add("BooleanEquals", isBoolean, func(a, b any) bool { return isBoolean(a) && a == b })
	add("StringMatches", isString, func(a, b any) bool { return isString(a) && matchPattern(a.(string), b.(string)) })
	for name, is := range map[string]func(any) bool{
		"IsPresent": func(v any) bool { return v != absent{} }, "IsNull": func(v any) bool { return v == nil },
		"IsString": isString, "IsNumeric": isNumeric, "IsBoolean": isBoolean, "IsTimestamp": isTimestamp,
	} {
		add(name, isBoolean, func(a, b any) bool { return is(a) == b.(bool) })
	}
	return all
}

func isString(v any) bool  { _, ok := v.(string); return ok }
func isNumeric(v any) bool { _, ok := v.(number); return ok }
func isBoolean(v any) bool { _, ok := v.(bool); return ok }

func isTimestamp(v any) bool {
	text, ok := v.(string)
	if ok {
		_, ok = timestamp(text)
	}
	return ok
}

// timestamps have an upper-case T, and an upper-case Z where there is no offset.
var timestamps = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$`)

func timestamp(text string) (time.Time, bool) {
	if !timestamps.MatchString(text) {
		return time.Time{}, false
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	return t, err == nil
}

// compareText orders by UTF-16 code units, as Java does.
func compareText(a, b string) int {
	return slices.Compare(utf16.Encode([]rune(a)), utf16.Encode([]rune(b)))
}

// splitPattern returns the texts between the asterisks of a StringMatches pattern. \* and \\ stand for themselves.
func splitPattern(pattern string) (parts []string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; c {
		case '*':
			parts = append(parts, b.String())
			b.Reset()
		case '\\':
			if i++; i >= len(pattern) || pattern[i] != '*' && pattern[i] != '\\' {
				return nil, false
			}
			b.WriteByte(pattern[i])
		default:
			b.WriteByte(c)
		}
	}
	return append(parts, b.String()), true
}

func matchPattern(text, pattern string) bool {
	parts, _ := splitPattern(pattern)
	if len(parts) == 1 {
		return text == parts[0]
	}
	rest, ok := strings.CutPrefix(text, parts[0])
	if !ok {
		return false
	}
	last := len(parts) - 1
	for _, part := range parts[1:last] {
		if _, rest, ok = strings.Cut(rest, part); !ok {
			return false
		}
	}
	return strings.HasSuffix(rest, parts[last])
}

func (p *parser) choice(f *fields, s *state) {
	if _, ok := f.object.get("Choices"); !ok {
		f.fail("Choices", "is missing")
	}
	for i, value := range f.list("Choices") {
		g := p.fields(f.child("Choices").index(i), value)
		r := rule{condition: p.condition(g)}
		var ok bool
		if r.next, ok = g.text("Next"); !ok {
			g.fail("Next", "is missing")
		}
		g.text("Comment")
		g.done()
		s.rules = append(s.rules, r)
	}
	s.fallback, _ = f.text("Default")
}

func (p *parser) condition(f *fields) condition {
	known := operators()
	names := []string{"And", "Or", "Not"}
	for _, m := range f.object {
		if _, ok := known[strings.TrimSuffix(m.name, "Path")]; ok {
			names = append(names, m.name)
		}
	}
	name := f.only(names...)
	value, _ := f.get(name)
	switch name {
	case "":
		p.fail(f.place, "must have one comparison that is supported, or And, Or, Not")
		return both{}
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
	if _, ok := f.object.get("Variable"); !ok {
		f.fail("Variable", "is missing")
	}
	t := test{}
	t.variable, _ = f.path("Variable")
	if operator, ok := known[name]; ok {
		t.operator, t.operand = operator, constant{value}
		if !operator.valid(value) {
			f.fail(name, "has an operand of the wrong type")
		}
		if text, ok := value.(string); ok && name == "StringMatches" {
			if _, ok := splitPattern(text); !ok {
				f.fail(name, "may have a backslash only before * or another backslash")
			}
		}
		return t
	}
	base := strings.TrimSuffix(name, "Path")
	t.operator = known[base]
	if base == "StringMatches" || strings.HasPrefix(base, "Is") {
		f.fail(name, "does not exist: only %s does", base)
	}
	operand, _ := f.path(name)
	t.operand = lookup{operand, name}
	return t
}

func (p *parser) nested(where place, value any) condition {
	f := p.fields(where, value)
	c := p.condition(f)
	f.done()
	return c
}
