package asl

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// maxNesting is how deep intrinsic functions may lie within each other
// (docs.aws.amazon.com/step-functions/latest/dg/intrinsic-functions.html).
const maxNesting = 10

// intrinsic is a function of the language.
type intrinsic struct {
	args int // how many arguments it takes; templated for a template and as many as that has places
	call func(args []any) (any, error)
}

const templated = -1

// intrinsics are the intrinsic functions that are supported: those of the definitions.
func intrinsics() map[string]intrinsic {
	return map[string]intrinsic{
		"States.Format":        {templated, format},
		"States.StringToJson":  {1, stringToJSON},
		"States.ArrayLength":   {1, arrayLength},
		"States.ArrayGetItem":  {2, arrayGetItem},
		"States.ArrayContains": {2, arrayContains},
		"States.ArrayUnique":   {1, arrayUnique},
		"States.MathAdd":       {2, mathAdd},
	}
}

// call is an invocation of an intrinsic function.
type call struct {
	text      string
	intrinsic intrinsic
	args      list
}

func (c call) value(s *scope) (any, *Error) {
	args, failure := c.args.value(s)
	if failure != nil {
		return nil, failure
	}
	v, err := c.intrinsic.call(args.([]any))
	if err != nil {
		cause := fmt.Sprintf("The function '%s' had the following error: %v", c.text, err)
		return nil, &Error{Name: StatesIntrinsicFailure, Cause: cause}
	}
	return v, nil
}

// pieces is the first argument of States.Format: the texts around each {}.
type pieces []string

func format(args []any) (any, error) {
	var b strings.Builder
	for i, piece := range args[0].(pieces) {
		if i > 0 {
			switch v := args[i].(type) {
			case string:
				b.WriteString(v)
			case number, bool, nil:
				b.Write(encode(v))
			default:
				return nil, errors.New("arrays and objects can't be formatted")
			}
		}
		b.WriteString(piece)
	}
	return b.String(), nil
}

func stringToJSON(args []any) (any, error) {
	text, ok := args[0].(string)
	if !ok {
		return nil, errors.New("the argument must be a string")
	}
	v, err := decode([]byte(text), false)
	if err != nil {
		return nil, errors.New("the argument is not JSON")
	}
	return v, nil
}

func array(arg any) ([]any, error) {
	if list, ok := arg.([]any); ok {
		return list, nil
	}
	return nil, errors.New("the first argument must be an array")
}

func integer(arg any) (int64, error) {
	if n, ok := arg.(number); ok {
		if i, ok := n.integer(); ok {
			return i, nil
		}
	}
	return 0, errors.New("an argument must be a whole number")
}

func arrayLength(args []any) (any, error) {
	list, err := array(args[0])
	return number(strconv.Itoa(len(list))), err
}

func arrayGetItem(args []any) (any, error) {
	list, err := array(args[0])
	if err != nil {
		return nil, err
	}
	i, err := integer(args[1])
	if err != nil {
		return nil, err
	}
	if i < 0 || i >= int64(len(list)) {
		return nil, errors.New("the index is out of range")
	}
	return list[i], nil
}

func arrayContains(args []any) (any, error) {
	list, err := array(args[0])
	return slices.ContainsFunc(list, func(element any) bool { return equal(element, args[1]) }), err
}

// arrayUnique keeps the first of elements that are the same.
func arrayUnique(args []any) (any, error) {
	list, err := array(args[0])
	unique := []any{}
	for _, element := range list {
		if !slices.ContainsFunc(unique, func(known any) bool { return equal(element, known) }) {
			unique = append(unique, element)
		}
	}
	return unique, err
}

func mathAdd(args []any) (any, error) {
	a, err := integer(args[0])
	if err != nil {
		return nil, err
	}
	b, err := integer(args[1])
	if err != nil {
		return nil, err
	}
	if b > 0 && a > math.MaxInt64-b || b < 0 && a < math.MinInt64-b {
		return nil, errors.New("the sum is out of range")
	}
	return number(strconv.FormatInt(a+b, 10)), nil
}

// expressionParser reads a path or an intrinsic function, and collects the paths in it.
type expressionParser struct {
	text, field string
	at          int
	paths       []path
}

func (p *expressionParser) whole() (expression, error) {
	if strings.HasPrefix(p.text, "$") {
		return p.lookup(p.text)
	}
	e, err := p.function(1)
	if err != nil {
		return nil, err
	}
	if p.space(); p.at < len(p.text) {
		return nil, fmt.Errorf("%q goes on after its intrinsic function", p.text)
	}
	return e, nil
}

func (p *expressionParser) lookup(text string) (expression, error) {
	at, err := parsePath(text)
	p.paths = append(p.paths, at)
	return lookup{at, p.field}, err
}

func (p *expressionParser) function(depth int) (expression, error) {
	begin := p.at
	open := strings.IndexByte(p.text[begin:], '(')
	if open < 0 {
		return nil, fmt.Errorf("%q is neither a path nor an intrinsic function", p.text)
	}
	name := p.text[begin : begin+open]
	known := intrinsics()
	function, ok := known[name]
	if !ok {
		return nil, fmt.Errorf("the intrinsic function %q is not supported, only %s", name, names(known))
	}
	if depth > maxNesting {
		return nil, fmt.Errorf("%q nests more than %d intrinsic functions", p.text, maxNesting)
	}
	p.at = begin + open + 1
	c := call{intrinsic: function}
	for p.space(); ; p.space() {
		if p.at >= len(p.text) {
			return nil, fmt.Errorf("%q does not end", p.text)
		}
		if len(c.args) == 0 && p.text[p.at] == ')' {
			p.at++
			break
		}
		arg, err := p.argument(depth, function.args == templated && len(c.args) == 0)
		if err != nil {
			return nil, err
		}
		c.args = append(c.args, arg)
		p.space()
		if p.at >= len(p.text) || p.text[p.at] != ',' && p.text[p.at] != ')' {
			return nil, fmt.Errorf("%q must have a comma or a parenthesis after each argument", p.text)
		}
		p.at++
		if p.text[p.at-1] == ')' {
			break
		}
	}
	c.text = p.text[begin:p.at]
	if function.args != templated {
		if len(c.args) != function.args {
			return nil, fmt.Errorf("%q has the wrong number of arguments", c.text)
		}
		return c, nil
	}
	if len(c.args) > 0 {
		template, _ := c.args[0].(constant)
		if around, ok := template.is.(pieces); ok && len(around) == len(c.args) {
			return c, nil
		}
	}
	return nil, fmt.Errorf("%q must have a string in single quotes first, and as many arguments after it as that has {}",
		c.text)
}

func (p *expressionParser) argument(depth int, template bool) (expression, error) {
	rest := p.text[p.at:]
	switch {
	case rest[0] == '\'':
		return p.literal(template)
	case rest[0] == '$':
		return p.lookup(p.word())
	case strings.HasPrefix(rest, "States."):
		return p.function(depth + 1)
	}
	word := p.word()
	if value := jsontext.Value(word); value.IsValid() && strings.IndexByte(`"{[`, byte(value.Kind())) < 0 {
		v, err := decode(value, true)
		return constant{v}, err
	}
	return nil, fmt.Errorf("%q has an argument that is no path, string in single quotes, number, true, false, null or "+
		"intrinsic function", p.text)
}

// word takes what comes before a comma, a parenthesis or a space.
func (p *expressionParser) word() string {
	begin := p.at
	for p.at < len(p.text) && strings.IndexByte(",) ", p.text[p.at]) < 0 {
		p.at++
	}
	return p.text[begin:p.at]
}

// literal reads a string in single quotes. Quotes, braces and backslashes stand for themselves only after a backslash;
// {} in the template of States.Format is a place for an argument.
func (p *expressionParser) literal(template bool) (expression, error) {
	var b strings.Builder
	around := pieces{}
	for p.at++; p.at < len(p.text); p.at++ {
		switch c := p.text[p.at]; c {
		case '\'':
			p.at++
			if template {
				return constant{append(around, b.String())}, nil
			}
			return constant{b.String()}, nil
		case '\\':
			p.at++
			if p.at >= len(p.text) || strings.IndexByte(`'{}\`, p.text[p.at]) < 0 {
				return nil, fmt.Errorf("%q has a backslash before something else than a quote, a brace or a backslash", p.text)
			}
			b.WriteByte(p.text[p.at])
		case '{', '}':
			if !template || !strings.HasPrefix(p.text[p.at:], "{}") {
				return nil, fmt.Errorf("%q has a brace without a backslash", p.text)
			}
			p.at++
			around = append(around, b.String())
			b.Reset()
		default:
			b.WriteByte(c)
		}
	}
	return nil, fmt.Errorf("%q has a string that does not end", p.text)
}

func (p *expressionParser) space() {
	for p.at < len(p.text) && p.text[p.at] == ' ' {
		p.at++
	}
}
