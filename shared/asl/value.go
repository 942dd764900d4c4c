package asl

import (
	"bytes"
	"errors"
	"io"
	"math"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// MaxPayload is how many bytes of JSON a state's input, result or output may have
// (docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html).
const MaxPayload = 256 * 1024

// A JSON value is nil, bool, string, number, []any or object. Values are never changed once made.
type (
	// number is a number as it was written, so that nothing is lost on the way through.
	number string
	// object keeps its members in the order of the text.
	object []member
	member struct {
		name  string
		value any
	}
)

func (o object) get(name string) (any, bool) {
	for _, m := range o {
		if m.name == name {
			return m.value, true
		}
	}
	return nil, false
}

// with returns a copy in which name has the value.
func (o object) with(name string, value any) object {
	copied := slices.Clone(o)
	for i := range copied {
		if copied[i].name == name {
			copied[i].value = value
			return copied
		}
	}
	return append(copied, member{name, value})
}

func (n number) float() float64 {
	f, err := strconv.ParseFloat(string(n), 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return math.NaN()
	}
	return f
}

// integer returns the value of a number without fraction, such as 3, 3.0 or 3e2.
func (n number) integer() (int64, bool) {
	if i, err := strconv.ParseInt(string(n), 10, 64); err == nil {
		return i, true
	}
	f := n.float()
	if f != math.Trunc(f) || math.Abs(f) > 1<<53 {
		return 0, false
	}
	return int64(f), true
}

func (n number) compare(other number) int {
	a, aok := n.integer()
	b, bok := other.integer()
	switch x, y := n.float(), other.float(); {
	case aok && bok && a < b, !(aok && bok) && x < y:
		return -1
	case aok && bok && a > b, !(aok && bok) && x > y:
		return 1
	}
	return 0
}

// decode reads JSON. Of members with one name the last wins, as with AWS, unless duplicates are refused by strict.
func decode(text []byte, strict bool) (any, error) {
	dec := jsontext.NewDecoder(bytes.NewReader(text), jsontext.AllowDuplicateNames(!strict))
	value, err := decodeValue(dec)
	if err != nil {
		return nil, err
	}
	if _, err := dec.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one JSON value")
	}
	return value, nil
}

func decodeValue(dec *jsontext.Decoder) (any, error) {
	token, err := dec.ReadToken()
	if err != nil {
		return nil, err
	}
	switch token.Kind() {
	case jsontext.KindNull:
		return nil, nil
	case jsontext.KindTrue, jsontext.KindFalse:
		return token.Bool(), nil
	case jsontext.KindNumber:
		return number(token.String()), nil
	case jsontext.KindString:
		return token.String(), nil
	case jsontext.KindBeginArray:
		list := []any{}
		for dec.PeekKind() != jsontext.KindEndArray {
			element, err := decodeValue(dec)
			if err != nil {
				return nil, err
			}
			list = append(list, element)
		}
		_, err := dec.ReadToken()
		return list, err
	}
	o, at := object{}, map[string]int{}
	for dec.PeekKind() != jsontext.KindEndObject {
		name, err := dec.ReadToken()
		if err != nil {
			return nil, err
		}
		key := name.String()
		value, err := decodeValue(dec)
		if err != nil {
			return nil, err
		}
		if i, again := at[key]; again {
			o[i].value = value
			continue
		}
		at[key] = len(o)
		o = append(o, member{key, value})
	}
	_, err = dec.ReadToken()
	return o, err
}

// encode writes compact JSON.
func encode(value any) jsontext.Value { return appendValue(nil, value) }

func appendValue(b []byte, value any) []byte {
	switch v := value.(type) {
	case bool:
		return strconv.AppendBool(b, v)
	case number:
		return append(b, v...)
	case string:
		quoted, _ := jsontext.AppendQuote(b, v) // mends invalid UTF-8, which no decoded text has
		return quoted
	case []any:
		b = append(b, '[')
		for i, element := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendValue(b, element)
		}
		return append(b, ']')
	case object:
		b = append(b, '{')
		for i, m := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendValue(b, m.name), ':')
			b = appendValue(b, m.value)
		}
		return append(b, '}')
	}
	return append(b, "null"...)
}

// equal compares as JSON does: numbers by value, objects without regard to order.
func equal(a, b any) bool {
	switch x := a.(type) {
	case number:
		y, ok := b.(number)
		return ok && x.compare(y) == 0
	case []any:
		y, ok := b.([]any)
		return ok && slices.EqualFunc(x, y, equal)
	case object:
		y, ok := b.(object)
		return ok && len(x) == len(y) && !slices.ContainsFunc(x, func(m member) bool {
			other, found := y.get(m.name)
			return !found || !equal(m.value, other)
		})
	}
	switch b.(type) {
	case number, []any, object:
		return false
	}
	return a == b
}
