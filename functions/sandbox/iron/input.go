package iron

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"sallyport/functions/sandbox"
)

// valueCheck returns what is wrong with a value, with its place in the body, or "". It quotes no values.
type valueCheck func(at string, v jsontext.Value) string

// field is a member of an object. Members that no field names are ignored; null says the same as nothing.
type field struct {
	name     string
	required bool
	check    valueCheck
}

// fieldsOf returns fields that are alike; the names have spaces between them.
func fieldsOf(names string, required bool, check valueCheck) (fields []field) {
	for _, name := range strings.Fields(names) {
		fields = append(fields, field{name, required, check})
	}
	return fields
}

func need(names string, check valueCheck) []field { return fieldsOf(names, true, check) }
func may(names string, check valueCheck) []field  { return fieldsOf(names, false, check) }

// noObject is what is wrong with a body that is none.
const noObject = "the body is not a JSON object"

// object checks an object by its fields, in their order.
func object(groups ...[]field) valueCheck {
	fields := slices.Concat(groups...)
	return func(at string, v jsontext.Value) string {
		members := membersOf(v)
		switch {
		case members == nil && at == "":
			return noObject
		case members == nil:
			return at + " is not an object"
		}
		for _, f := range fields {
			name := f.name
			if at != "" {
				name = at + "." + f.name
			}
			member := members[f.name]
			switch given := len(member) > 0 && member.Kind() != jsontext.KindNull; {
			case !given && f.required:
				return name + " is required"
			case given:
				if wrong := f.check(name, member); wrong != "" {
					return wrong
				}
			}
		}
		return ""
	}
}

// membersOf returns the members of an object, or nil for what is none.
func membersOf(v jsontext.Value) (members map[string]jsontext.Value) {
	if len(v) == 0 || json.Unmarshal(v, &members) != nil {
		return nil
	}
	return members
}

// memberOf returns a scalar member of an object as text, or "".
func memberOf(object jsontext.Value, name string) string {
	v := membersOf(object)[name]
	if len(v) == 0 || v.Kind() == jsontext.KindNull {
		return ""
	}
	if s, ok := textOf(v); ok {
		return s
	}
	return string(v)
}

func textOf(v jsontext.Value) (s string, ok bool) {
	return s, v.Kind() == jsontext.KindString && json.Unmarshal(v, &s) == nil
}

// and checks a value further, once nothing else is wrong with it.
func (check valueCheck) and(further valueCheck) valueCheck {
	return func(at string, v jsontext.Value) string {
		if wrong := check(at, v); wrong != "" {
			return wrong
		}
		return further(at, v)
	}
}

// either takes a value that passes one check or the other.
func either(first, second valueCheck) valueCheck {
	return func(at string, v jsontext.Value) string {
		if first(at, v) == "" {
			return ""
		}
		return second(at, v)
	}
}

// list checks each element of a list.
func list(check valueCheck) valueCheck {
	return func(at string, v jsontext.Value) string {
		var all []jsontext.Value
		if v.Kind() != jsontext.KindBeginArray || json.Unmarshal(v, &all) != nil {
			return at + " is not a list"
		}
		for n, element := range all {
			if wrong := check(fmt.Sprintf("%s[%d]", at, n), element); wrong != "" {
				return wrong
			}
		}
		return ""
	}
}

// nonEmpty is a list that is not empty.
func nonEmpty(check valueCheck) valueCheck {
	return list(check).and(func(at string, v jsontext.Value) string {
		var all []jsontext.Value
		if json.Unmarshal(v, &all); len(all) == 0 {
			return at + " is empty"
		}
		return ""
	})
}

// anyText takes any text, text one that says something.
func anyText(at string, v jsontext.Value) string {
	if _, ok := textOf(v); !ok {
		return at + " is not a text"
	}
	return ""
}

func text(at string, v jsontext.Value) string {
	s, ok := textOf(v)
	switch {
	case !ok:
		return at + " is not a text"
	case strings.TrimSpace(s) == "":
		return at + " is required"
	}
	return ""
}

// formatted takes a text of a form; what describes it.
func formatted(what string, ok func(string) bool) valueCheck {
	return valueCheck(text).and(func(at string, v jsontext.Value) string {
		if s, _ := textOf(v); !ok(s) {
			return at + " is not " + what
		}
		return ""
	})
}

// upTo takes any text that is not longer than a number of characters.
func upTo(limit int) valueCheck {
	return valueCheck(anyText).and(func(at string, v jsontext.Value) string {
		if s, _ := textOf(v); utf8.RuneCountInString(s) > limit {
			return fmt.Sprintf("%s is longer than %d characters", at, limit)
		}
		return ""
	})
}

// oneOf takes one of some texts; where there are many, they can be given with spaces between them.
func oneOf(values ...string) valueCheck {
	values = strings.Fields(strings.Join(values, " "))
	return formatted("one of "+strings.Join(values, ", "), func(s string) bool { return slices.Contains(values, s) })
}

func date(at string, v jsontext.Value) string {
	return formatted("a date", func(s string) bool { _, err := time.Parse(time.DateOnly, s); return err == nil })(at, v)
}

func dateTime(at string, v jsontext.Value) string {
	return formatted("a time", func(s string) bool { _, err := time.Parse(time.RFC3339, s); return err == nil })(at, v)
}

func email(at string, v jsontext.Value) string {
	return formatted(
		"an email address", func(s string) bool { return strings.Contains(s, "@") && utf8.RuneCountInString(s) <= 254 },
	)(at, v)
}

func country(at string, v jsontext.Value) string {
	return formatted("a country code", func(s string) bool { return len(s) == 2 && sandbox.IsMadeOf(s, 'A', 'Z') })(at, v)
}

// documentCountry takes a code of two letters or of three: the contract does not say which.
func documentCountry(at string, v jsontext.Value) string {
	return formatted(
		"a country code", func(s string) bool { return (len(s) == 2 || len(s) == 3) && sandbox.IsMadeOf(s, 'A', 'Z') },
	)(at, v)
}

// phone takes a number with a leading plus, e164 one without anything else but digits.
func phone(at string, v jsontext.Value) string {
	return formatted("a phone number with a leading +", func(s string) bool {
		return len(s) > 1 && s[0] == '+' && strings.Trim(s[1:], "0123456789 -()") == ""
	})(at, v)
}

func e164(at string, v jsontext.Value) string {
	return formatted("a phone number in E.164", func(s string) bool {
		return len(s) >= 3 && len(s) <= 16 && s[0] == '+' && s[1] != '0' && sandbox.IsMadeOf(s[1:], '0', '9')
	})(at, v)
}

func ipAddress(at string, v jsontext.Value) string {
	return formatted("an IP address", func(s string) bool { _, err := netip.ParseAddr(s); return err == nil })(at, v)
}

func uuidText(at string, v jsontext.Value) string {
	return formatted("a UUID", func(s string) bool { _, ok := parseUUID(s); return ok })(at, v)
}

func boolean(at string, v jsontext.Value) string {
	if v.Kind() != jsontext.KindTrue && v.Kind() != jsontext.KindFalse {
		return at + " is not true or false"
	}
	return ""
}

// consent takes only that it was given.
func consent(at string, v jsontext.Value) string {
	if v.Kind() != jsontext.KindTrue {
		return at + " is not true"
	}
	return ""
}

// count takes a whole number from 0 on.
func count(limit int64) valueCheck {
	return func(at string, v jsontext.Value) string {
		n, err := strconv.ParseInt(string(v), 10, 64)
		if err != nil || n < 0 || n > limit {
			return at + " is not a number in its range"
		}
		return ""
	}
}

// file takes a file in bare base64 that is no larger than a number of bytes when decoded.
func file(limit int64) valueCheck {
	return valueCheck(text).and(func(at string, v jsontext.Value) string {
		s, _ := textOf(v)
		if strings.ContainsAny(s, "\r\n") { // which the decoder skips
			return at + " is not base64"
		}
		n, err := io.Copy(
			io.Discard, io.LimitReader(base64.NewDecoder(base64.StdEncoding.Strict(), strings.NewReader(s)), limit+1),
		)
		var corrupt base64.CorruptInputError
		switch {
		case errors.As(err, &corrupt), errors.Is(err, io.ErrUnexpectedEOF):
			return at + " is not base64"
		case n > limit:
			return fmt.Sprintf("%s is larger than %d MB", at, limit>>20)
		}
		return ""
	})
}
