// Package tolerant reads JSON that partners write as a tolerant reader: what they mean counts, not how they put it.
//
//   - A number may stand as text, and text as a number; a whole number may have a fraction of zero, or an exponent.
//   - A member may be absent or null; text may be blank instead.
//   - A member of an odd type reads as absent. Members that nobody asks for are ignored.
//   - Of members with one name the last counts. Text may hold invalid UTF-8. A byte order mark may come first.
package tolerant

import (
	"bytes"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// JSON returns a text without its byte order mark.
func JSON(text []byte) jsontext.Value { return bytes.TrimPrefix(text, []byte("\uFEFF")) }

// Read reads a text into v, whose members must have their types. It fails where the text is not one whole JSON value.
func Read(text []byte, v any) error {
	return json.Unmarshal(JSON(text), v, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
}

// String is what a JSON string says, blanks included; empty for any other value.
func String(value jsontext.Value) (s string) {
	if n := len(value); n >= 2 && value[0] == '"' && value[n-1] == '"' && isPlain(value[1:n-1]) {
		return string(value[1 : n-1])
	}
	if Read(value, &s) != nil {
		return ""
	}
	return s
}

// isPlain reports whether the inside of a JSON string says what is written there.
func isPlain(text []byte) bool {
	for _, c := range text {
		if c < ' ' || c >= utf8.RuneSelf || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// Word is what a JSON string says between its blanks; empty for any other value.
func Word(value jsontext.Value) string { return strings.TrimSpace(String(value)) }

// Text is a word, or a number as it is written, but for a fraction of zero and, of a whole number, an exponent; empty
// for any other value.
func Text(value jsontext.Value) string {
	if value.Kind() == '0' && value.IsValid() {
		return whole(plain(strings.TrimSpace(string(value))))
	}
	return Word(value)
}

// Plain is a text, or "true" or "false"; empty for any other value.
func Plain(value jsontext.Value) string {
	var truth bool
	if kind := value.Kind(); (kind == 't' || kind == 'f') && Read(value, &truth) == nil {
		return strconv.FormatBool(truth)
	}
	return Text(value)
}

// Number is a whole number; zero for any other value, and beyond 64 bits.
func Number(value jsontext.Value) int64 {
	n, err := strconv.ParseInt(whole(Text(value)), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// Seconds is a time in seconds, whose fraction is left out, of some thirty years at most; zero where it is less than
// one, and for any value that is no number.
func Seconds(value jsontext.Value) time.Duration {
	const most = 1_000_000_000
	text := Text(value)
	if strings.Trim(text, "0123456789+-.eE") != "" { // such as "Inf"
		return 0
	}
	n, _ := strconv.ParseFloat(text, 64) // zero for what is no number, infinite for what is too large
	return time.Duration(max(0, min(n, most))) * time.Second
}

// Truth is a truth value, also as a word of any case; nil for any other value.
func Truth(value jsontext.Value) *bool {
	text := strings.ToLower(Plain(value))
	if text != "true" && text != "false" {
		return nil
	}
	truth := text == "true"
	return &truth
}

// exact is the first number that a float64 need not hold exactly.
const exact = 1 << 53

// plain takes an exponent from a whole number, as Java writes one of 10,000,000 or more that it holds as a double.
func plain(number string) string {
	if n, err := strconv.ParseFloat(number, 64); strings.ContainsAny(number, "eE") && err == nil &&
		n == math.Trunc(n) && math.Abs(n) < exact {
		return strconv.FormatInt(int64(n), 10)
	}
	return number
}

// whole takes a fraction of zero from a number.
func whole(number string) string {
	if before, fraction, ok := strings.Cut(number, "."); ok && fraction != "" && strings.Trim(fraction, "0") == "" {
		return before
	}
	return number
}

// Object is the members of a JSON object.
type Object map[string]jsontext.Value

// ReadObject reads one; nil for any other text.
func ReadObject(text []byte) Object {
	text = JSON(text)
	if jsontext.Value(text).Kind() != '{' {
		return nil
	}
	d := jsontext.NewDecoder(bytes.NewBuffer(text), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	o := Object{}
	_, err := d.ReadToken()
	for err == nil && d.PeekKind() == '"' {
		var name jsontext.Token
		if name, err = d.ReadToken(); err != nil {
			break
		}
		key, start := name.String(), d.InputOffset()
		if err = d.SkipValue(); err == nil { // token by token: reading it whole takes stack by its depth
			o[key] = bytes.Clone(bytes.TrimLeft(text[start:d.InputOffset()], ": \t\r\n"))
		}
	}
	if err == nil {
		_, err = d.ReadToken()
	}
	if err == nil {
		_, err = d.ReadToken()
	}
	if err != io.EOF {
		return nil // not even what was read of it
	}
	return o
}

// ReadObjects reads an array of objects; ok is false for any other text.
func ReadObjects(text []byte) (all []Object, ok bool) {
	if JSON(text).Kind() != '[' || Read(text, &all) != nil {
		return nil, false
	}
	return all, true
}

// Object returns a member that is an object, else nil.
func (o Object) Object(name string) Object { return ReadObject(o[name]) }

// Objects returns a member that is an array of objects, else nil.
func (o Object) Objects(name string) []Object {
	all, _ := ReadObjects(o[name])
	return all
}

// String returns a member as String reads it.
func (o Object) String(name string) string { return String(o[name]) }

// Number returns a member as Number reads it.
func (o Object) Number(name string) int64 { return Number(o[name]) }

// Truth returns a member as Truth reads it.
func (o Object) Truth(name string) *bool { return Truth(o[name]) }

// Word returns the first of some members that is a word.
func (o Object) Word(names ...string) string { return o.first(Word, names) }

// Text returns the first of some members that is a text.
func (o Object) Text(names ...string) string { return o.first(Text, names) }

// Plain returns the first of some members that says anything plain.
func (o Object) Plain(names ...string) string { return o.first(Plain, names) }

func (o Object) first(read func(jsontext.Value) string, names []string) string {
	for _, name := range names {
		if text := read(o[name]); text != "" {
			return text
		}
	}
	return ""
}
