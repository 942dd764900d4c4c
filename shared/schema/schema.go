// Package schema checks JSON objects by tables of fields. It reads a text where it lies, as it may hold files, and says
// of everything that is wrong where and what, without the values.
package schema

import (
	"bytes"
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"sallyport/shared/source"
	"sallyport/shared/vault"
)

// Field is one field of an object.
type Field struct {
	name string
	must presence
	is   Type
}

// presence says whether a field must be there.
type presence int

const (
	optional presence = iota
	present
	filled
)

// Fields are some fields of an object.
type Fields []Field

// Optional are fields of a type that may be missing, null or empty. Their names are divided by blanks.
func Optional(names string, t Type) Fields { return fields(names, optional, t) }

// Present are fields that must be there; a text, a list or a file may be empty.
func Present(names string, t Type) Fields { return fields(names, present, t) }

// Filled are fields that must be there and not be empty. Text of blanks says nothing, so it is empty.
func Filled(names string, t Type) Fields { return fields(names, filled, t) }

func fields(names string, must presence, t Type) (all Fields) {
	for name := range strings.FieldsSeq(names) {
		all = append(all, Field{name, must, t})
	}
	return all
}

// Fault is what is wrong with a field. It holds no values.
type Fault struct {
	Pointer string // JSON pointer (RFC 6901)
	Reason  string
	Source  source.Source // where the rule comes from
}

// Error says where and what.
func (f Fault) Error() string {
	if f.Pointer == "" {
		return f.Reason
	}
	return f.Pointer + ": " + f.Reason
}

// Check returns everything that is wrong with an object, in the order in which it stands there; what is missing comes
// after what an object has. The text must have passed gateway.CheckJSON. Fields without a rule are skipped. From is
// where the rules come from. With references, {"document_id":…} may stand for a file.
func Check(text jsontext.Value, from source.Source, fields Fields, references bool) []Fault {
	c := &checker{source: from, references: references}
	Object(fields)(c, "", text, filled)
	return c.faults
}

type checker struct {
	source     source.Source
	references bool
	faults     []Fault
}

func (c *checker) fault(at, reason string) { c.faults = append(c.faults, Fault{at, reason, c.source}) }

// Type is what a value must be.
type Type func(c *checker, at string, value jsontext.Value, must presence)

// Object is an object with fields.
func Object(fields ...Fields) Type {
	all := slices.Concat(fields...)
	return Chosen(func(jsontext.Value) Fields { return all })
}

// Chosen is an object whose fields depend on what it holds.
func Chosen(fields func(object jsontext.Value) Fields) Type {
	return func(c *checker, at string, value jsontext.Value, _ presence) {
		if value.Kind() != '{' {
			c.fault(at, "must be an object")
			return
		}
		c.object(at, value, fields(value))
	}
}

// object checks the members that have rules, and skips the others.
func (c *checker) object(at string, value jsontext.Value, fields Fields) {
	seen := map[string]bool{}
	d := jsontext.NewDecoder(bytes.NewBuffer(value))
	_, err := d.ReadToken()
	for err == nil && d.PeekKind() == '"' {
		var name jsontext.Token
		if name, err = d.ReadToken(); err != nil {
			break
		}
		text := name.String()
		i := slices.IndexFunc(fields, func(f Field) bool { return f.name == text })
		if i < 0 {
			err = d.SkipValue()
			continue
		}
		var member jsontext.Value
		if member, err = d.ReadValue(); err != nil {
			break
		}
		seen[text] = true
		if fields[i].must != optional || member.Kind() != 'n' { // a null stands for what is missing
			fields[i].is(c, at+"/"+text, member, fields[i].must)
		}
	}
	if err != nil {
		c.fault(at, "is not valid JSON")
	}
	for _, f := range fields {
		if f.must != optional && !seen[f.name] {
			c.fault(at+"/"+f.name, "is required")
		}
	}
}

// List is an array of so many elements at most; 0 for any number.
func List(max int, element Type) Type {
	return func(c *checker, at string, value jsontext.Value, must presence) {
		if value.Kind() != '[' {
			c.fault(at, "must be an array")
			return
		}
		d := jsontext.NewDecoder(bytes.NewBuffer(value))
		_, err := d.ReadToken()
		n := 0
		for ; err == nil && d.PeekKind() != ']'; n++ {
			var v jsontext.Value
			if v, err = d.ReadValue(); err == nil {
				element(c, at+"/"+strconv.Itoa(n), v, filled)
			}
		}
		switch {
		case err != nil:
			c.fault(at, "is not valid JSON")
		case n == 0 && must == filled:
			c.fault(at, "must not be empty")
		case max > 0 && n > max:
			c.fault(at, "must have "+strconv.Itoa(max)+" elements at most")
		}
	}
}

// Any is a value of any kind. Where it must be filled, null is none, and a string must not be empty.
func Any() Type {
	return func(c *checker, at string, value jsontext.Value, must presence) {
		switch {
		case must != filled:
		case value.Kind() == 'n':
			c.fault(at, "is required")
		case value.Kind() == '"' && strings.TrimSpace(unquoted(value)) == "":
			c.fault(at, "must not be empty")
		}
	}
}

// Text is a string of so many characters at most; 0 for any number.
func Text(max int) Type {
	return Form("must have "+strconv.Itoa(max)+" characters at most", func(text string) bool {
		return max == 0 || utf8.RuneCountInString(text) <= max
	})
}

// Form is a string that is as it must be, in these words; one that may be empty is not looked at then.
func Form(reason string, ok func(string) bool) Type {
	return func(c *checker, at string, value jsontext.Value, must presence) {
		text := unquoted(value)
		blank := strings.TrimSpace(text) == ""
		switch {
		case value.Kind() != '"':
			c.fault(at, "must be a string")
		case blank && must == filled:
			c.fault(at, "must not be empty")
		case !blank && !ok(text):
			c.fault(at, reason)
		}
	}
}

// Word is one of the given strings.
func Word(words ...string) Type {
	shown := strings.Join(words, ", ")
	if last := strings.LastIndex(shown, ", "); last >= 0 {
		shown = shown[:last] + " or " + shown[last+2:]
	}
	return Form("must be "+shown, func(text string) bool { return slices.Contains(words, text) })
}

// Date is a string as 2006-01-02.
func Date() Type {
	return Form("must be a date as 2006-01-02", func(text string) bool {
		_, err := time.Parse(time.DateOnly, text)
		return err == nil
	})
}

// Time is a string as 2006-01-02T15:04:05Z.
func Time() Type {
	return Form("must be a time as 2006-01-02T15:04:05Z", func(text string) bool {
		_, err := time.Parse(time.RFC3339, text)
		return err == nil
	})
}

// Boolean is true or false.
func Boolean() Type {
	return func(c *checker, at string, value jsontext.Value, _ presence) {
		if kind := value.Kind(); kind != 't' && kind != 'f' {
			c.fault(at, "must be true or false")
		}
	}
}

// True is true, as a consent must be.
func True() Type {
	return func(c *checker, at string, value jsontext.Value, _ presence) {
		if value.Kind() != 't' {
			c.fault(at, "must be true")
		}
	}
}

// Integer is a whole number.
func Integer() Type {
	return func(c *checker, at string, value jsontext.Value, _ presence) {
		if _, err := strconv.ParseInt(string(value), 10, 64); err != nil {
			c.fault(at, "must be a whole number")
		}
	}
}

// Range is a whole number from one to another.
func Range(from, to int64) Type {
	return func(c *checker, at string, value jsontext.Value, _ presence) {
		if n, err := strconv.ParseInt(string(value), 10, 64); err != nil || n < from || n > to {
			c.fault(at, "must be a whole number from "+strconv.FormatInt(from, 10)+" to "+strconv.FormatInt(to, 10))
		}
	}
}

// Numeric is a whole number, also as a string.
func Numeric() Type {
	return func(c *checker, at string, value jsontext.Value, must presence) {
		text := string(value)
		if value.Kind() == '"' {
			if text = unquoted(value); text == "" && must != filled {
				return
			}
		}
		if _, err := strconv.ParseInt(text, 10, 64); err != nil {
			c.fault(at, "must be a whole number")
		}
	}
}

// File is a string of bare base64 that holds so many bytes at most. It isn't decoded: who takes it knows what else it
// may be.
func File(max int) Type {
	return func(c *checker, at string, value jsontext.Value, must presence) {
		if c.references && value.Kind() == '{' {
			if !vault.IsReference(value) {
				c.fault(at, `must be a string or {"document_id":…}`)
			}
			return
		}
		if value.Kind() != '"' {
			c.fault(at, "must be a string")
		} else if reason := checkFile(value, max, must == filled); reason != "" {
			c.fault(at, reason)
		}
	}
}

// checkFile looks at a file where it lies, as it may be large.
func checkFile(value jsontext.Value, max int, filled bool) (reason string) {
	text := []byte(value[1 : len(value)-1])
	if bytes.IndexByte(text, '\\') >= 0 { // some encoders write "\/", and some break lines
		plain, err := jsontext.AppendUnquote(nil, value)
		if err != nil {
			return "must be base64"
		}
		text = bytes.Join(bytes.Fields(plain), nil)
	}
	padding := bytes.Count(text[len(text)-min(len(text), 2):], []byte("="))
	switch size := base64.RawStdEncoding.DecodedLen(len(text) - padding); {
	case len(text) == 0 && filled:
		return "must not be empty"
	case bytes.HasPrefix(text, []byte("data:")):
		return "must be base64 without a data: prefix"
	case size > max:
		return "must be a file of " + strconv.Itoa(max) + " bytes at most"
	}
	return ""
}

// unquoted is what a string says; empty for any other value.
func unquoted(value jsontext.Value) string {
	text, err := jsontext.AppendUnquote(nil, value)
	if value.Kind() != '"' || err != nil {
		return ""
	}
	return string(text)
}
