package asl

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// Limits of intrinsic functions
// (docs.aws.amazon.com/step-functions/latest/dg/intrinsic-functions.html).
const (
	maxNesting = 10
	maxEncoded = 10_000 // characters that are hashed, encoded or decoded
)

// mimeLine is how many bytes fill a line of MIME's Base64. The documents name that scheme but not how it breaks lines,
// so that nothing longer is encoded here.
const mimeLine = 57

// intrinsic is a function of the language; min and max are how many arguments it takes, max -1 for any number.
type intrinsic struct {
	min, max int
	call     func(s *scope, args []any) (any, error)
}

// intrinsics are the functions that are run. States.ArrayRange, States.ArrayUnique, States.MathRandom and
// States.StringSplit exist at AWS and are refused.
func intrinsics() map[string]intrinsic {
	return map[string]intrinsic{
		"States.Format":         {1, -1, format},
		"States.StringToJson":   {1, 1, stringToJSON},
		"States.JsonToString":   {1, 1, func(_ *scope, args []any) (any, error) { return string(encode(args[0])), nil }},
		"States.Array":          {0, -1, func(_ *scope, args []any) (any, error) { return slices.Clone(args), nil }},
		"States.ArrayLength":    {1, 1, arrayLength},
		"States.ArrayGetItem":   {2, 2, arrayGetItem},
		"States.ArrayContains":  {2, 2, arrayContains},
		"States.ArrayPartition": {2, 2, arrayPartition},
		"States.ArrayUnique":    {1, 1, arrayUnique},
		"States.MathAdd":        {2, 2, mathAdd},
		"States.JsonMerge":      {3, 3, jsonMerge},
		"States.UUID":           {0, 0, func(s *scope, _ []any) (any, error) { return s.uuid(), nil }},
		"States.Hash":           {2, 2, hash},
		"States.Base64Encode":   {1, 1, base64Encode},
		"States.Base64Decode":   {1, 1, base64Decode},
	}
}

// call is an invocation of an intrinsic function.
type call struct {
	text      string
	intrinsic intrinsic
	args      []expression
}

func (c call) value(s *scope) (any, *Error) {
	args := make([]any, len(c.args))
	for i, arg := range c.args {
		var err *Error
		if args[i], err = arg.value(s); err != nil {
			return nil, err
		}
	}
	v, err := c.intrinsic.call(s, args)
	if err != nil {
		return nil, &Error{Name: StatesIntrinsicFailure, Cause: fmt.Sprintf("The function '%s' had the following error: %v", c.text, err)}
	}
	return v, nil
}

// pieces is the first argument of States.Format: the texts around each {}.
type pieces []string

func format(_ *scope, args []any) (any, error) {
	around, ok := args[0].(pieces)
	if template, isString := args[0].(string); isString {
		around, ok = strings.Split(template, "{}"), true
	}
	if !ok {
		return nil, errors.New("the template must be a string")
	}
	if len(around) != len(args) {
		return nil, errors.New("there must be as many arguments as there are {} in the template")
	}
	var b strings.Builder
	for i, piece := range around {
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

func stringToJSON(_ *scope, args []any) (any, error) {
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

func arrayLength(_ *scope, args []any) (any, error) {
	list, err := array(args[0])
	return number(strconv.Itoa(len(list))), err
}

func arrayGetItem(_ *scope, args []any) (any, error) {
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

func arrayContains(_ *scope, args []any) (any, error) {
	list, err := array(args[0])
	return slices.ContainsFunc(list, func(element any) bool { return equal(element, args[1]) }), err
}

func arrayPartition(_ *scope, args []any) (any, error) {
	list, err := array(args[0])
	if err != nil {
		return nil, err
	}
	size, err := integer(args[1])
	if err != nil {
		return nil, err
	}
	if size < 1 {
		return nil, errors.New("the chunk size must be positive")
	}
	chunks := []any{}
	for chunk := range slices.Chunk(list, int(min(size, int64(len(list))+1))) {
		chunks = append(chunks, slices.Clone(chunk))
	}
	return chunks, nil
}

// arrayUnique keeps the first of elements that are the same.
func arrayUnique(_ *scope, args []any) (any, error) {
	list, err := array(args[0])
	unique := []any{}
	for _, element := range list {
		if !slices.ContainsFunc(unique, func(known any) bool { return equal(element, known) }) {
			unique = append(unique, element)
		}
	}
	return unique, err
}

func mathAdd(_ *scope, args []any) (any, error) {
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

func jsonMerge(_ *scope, args []any) (any, error) {
	a, aok := args[0].(object)
	b, bok := args[1].(object)
	if !aok || !bok {
		return nil, errors.New("the first two arguments must be objects")
	}
	if args[2] != any(false) {
		return nil, errors.New("the third argument must be false: only shallow merging exists")
	}
	for _, m := range b {
		a = a.with(m.name, m.value)
	}
	return a, nil
}

func hash(_ *scope, args []any) (any, error) {
	text, err := short(args[0])
	if err != nil {
		return nil, err
	}
	switch args[1] {
	case "MD5":
		sum := md5.Sum([]byte(text))
		return hex.EncodeToString(sum[:]), nil
	case "SHA-1":
		sum := sha1.Sum([]byte(text))
		return hex.EncodeToString(sum[:]), nil
	case "SHA-256":
		sum := sha256.Sum256([]byte(text))
		return hex.EncodeToString(sum[:]), nil
	case "SHA-384":
		sum := sha512.Sum384([]byte(text))
		return hex.EncodeToString(sum[:]), nil
	case "SHA-512":
		sum := sha512.Sum512([]byte(text))
		return hex.EncodeToString(sum[:]), nil
	}
	return nil, errors.New("the algorithm must be MD5, SHA-1, SHA-256, SHA-384 or SHA-512")
}

func base64Encode(_ *scope, args []any) (any, error) {
	text, err := short(args[0])
	if err == nil && len(text) > mimeLine {
		err = fmt.Errorf("more than %d bytes are not supported", mimeLine)
	}
	return base64.StdEncoding.EncodeToString([]byte(text)), err
}

func base64Decode(_ *scope, args []any) (any, error) {
	text, err := short(args[0])
	if err != nil {
		return nil, err
	}
	decoded, err := base64.StdEncoding.DecodeString(text)
	if err != nil || !utf8.Valid(decoded) {
		return nil, errors.New("the argument is not Base64 of a text")
	}
	return string(decoded), nil
}

func short(arg any) (string, error) {
	text, ok := arg.(string)
	if !ok || utf8.RuneCountInString(text) > maxEncoded {
		return "", fmt.Errorf("the argument must be a string of at most %d characters", maxEncoded)
	}
	return text, nil
}

// expressionParser reads an intrinsic function and collects the paths in it.
type expressionParser struct {
	text, field string
	at          int
	paths       []path
}

func (p *expressionParser) whole() (expression, error) {
	e, err := p.function(1)
	if err != nil {
		return nil, err
	}
	if p.space(); p.at < len(p.text) {
		return nil, fmt.Errorf("%q goes on after its intrinsic function", p.text)
	}
	return e, nil
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
		names := make([]string, 0, len(known))
		for known := range known {
			names = append(names, known)
		}
		slices.Sort(names)
		return nil, fmt.Errorf("the intrinsic function %q is not supported, only %s", name, strings.Join(names, ", "))
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
		arg, err := p.argument(depth, name == "States.Format" && len(c.args) == 0)
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
	if len(c.args) < function.min || function.max >= 0 && len(c.args) > function.max {
		return nil, fmt.Errorf("%q has the wrong number of arguments", c.text)
	}
	if name != "States.Format" {
		return c, nil
	}
	if template, ok := c.args[0].(constant); ok {
		if around, ok := template.is.(pieces); !ok || len(around) != len(c.args) {
			return nil, fmt.Errorf("%q must have a string first, and as many arguments after it as that has {}", c.text)
		}
	}
	return c, nil
}

func (p *expressionParser) argument(depth int, template bool) (expression, error) {
	rest := p.text[p.at:]
	switch {
	case rest[0] == '\'':
		return p.literal(template)
	case rest[0] == '$':
		at, err := parsePath(p.until(",) "))
		p.paths = append(p.paths, at)
		return lookup{at, p.field}, err
	case strings.HasPrefix(rest, "States."):
		return p.function(depth + 1)
	}
	word := p.until(",) ")
	if value := jsontext.Value(word); value.IsValid() && value.Kind() != '"' && value.Kind() != '{' && value.Kind() != '[' {
		v, err := decode(value, true)
		return constant{v}, err
	}
	return nil, fmt.Errorf("%q has an argument that is no path, string in single quotes, number, true, false, null or intrinsic function",
		p.text)
}

// until takes what comes before one of the stops that is not within brackets.
func (p *expressionParser) until(stops string) string {
	begin, quote, brackets := p.at, byte(0), 0
	for ; p.at < len(p.text); p.at++ {
		switch c := p.text[p.at]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case brackets > 0 && (c == '\'' || c == '"'):
			quote = c
		case c == '[':
			brackets++
		case c == ']':
			brackets--
		case brackets <= 0 && strings.IndexByte(stops, c) >= 0:
			return p.text[begin:p.at]
		}
	}
	return p.text[begin:]
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
