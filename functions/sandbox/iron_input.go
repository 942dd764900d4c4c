package sandbox

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
)

// ironCheck returns what is wrong with a value, with its place in the body, or "". It quotes no values.
type ironCheck func(at string, v jsontext.Value) string

// ironField is a member of an object. Members that no field names are ignored; null says the same as nothing.
type ironField struct {
	name     string
	required bool
	check    ironCheck
}

func need(name string, check ironCheck) ironField { return ironField{name, true, check} }
func may(name string, check ironCheck) ironField  { return ironField{name, false, check} }

// needs returns several required fields that are alike; the names have spaces between them.
func needs(names string, check ironCheck) (fields []ironField) {
	for _, name := range strings.Fields(names) {
		fields = append(fields, need(name, check))
	}
	return fields
}

// mays returns several optional ones.
func mays(names string, check ironCheck) (fields []ironField) {
	for _, name := range strings.Fields(names) {
		fields = append(fields, may(name, check))
	}
	return fields
}

// ironNoObject is what is wrong with a body that is none.
const ironNoObject = "the body is not a JSON object"

// ironObject checks an object by its fields, in their order.
func ironObject(fields ...ironField) ironCheck {
	return func(at string, v jsontext.Value) string {
		members := ironMembers(v)
		switch {
		case members == nil && at == "":
			return ironNoObject
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

// ironMembers returns the members of an object, or nil for what is none.
func ironMembers(v jsontext.Value) (members map[string]jsontext.Value) {
	if len(v) == 0 || json.Unmarshal(v, &members) != nil {
		return nil
	}
	return members
}

// ironMember returns a scalar member of an object as text, or "".
func ironMember(object jsontext.Value, name string) string {
	v := ironMembers(object)[name]
	if len(v) == 0 || v.Kind() == jsontext.KindNull {
		return ""
	}
	if s, ok := ironTextOf(v); ok {
		return s
	}
	return string(v)
}

func ironTextOf(v jsontext.Value) (s string, ok bool) {
	return s, v.Kind() == jsontext.KindString && json.Unmarshal(v, &s) == nil
}

// and checks a value further, once nothing else is wrong with it.
func (check ironCheck) and(further ironCheck) ironCheck {
	return func(at string, v jsontext.Value) string {
		if wrong := check(at, v); wrong != "" {
			return wrong
		}
		return further(at, v)
	}
}

// ironEither takes a value that passes one check or the other.
func ironEither(first, second ironCheck) ironCheck {
	return func(at string, v jsontext.Value) string {
		if first(at, v) == "" {
			return ""
		}
		return second(at, v)
	}
}

// ironList checks each element of a list.
func ironList(check ironCheck) ironCheck {
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

// ironSome is a list that is not empty.
func ironSome(check ironCheck) ironCheck {
	return ironList(check).and(func(at string, v jsontext.Value) string {
		var all []jsontext.Value
		if json.Unmarshal(v, &all); len(all) == 0 {
			return at + " is empty"
		}
		return ""
	})
}

// ironString takes any text, ironText one that says something.
func ironString(at string, v jsontext.Value) string {
	if _, ok := ironTextOf(v); !ok {
		return at + " is not a text"
	}
	return ""
}

func ironText(at string, v jsontext.Value) string {
	s, ok := ironTextOf(v)
	switch {
	case !ok:
		return at + " is not a text"
	case strings.TrimSpace(s) == "":
		return at + " is required"
	}
	return ""
}

// ironForm takes a text of a form; what describes it.
func ironForm(what string, ok func(string) bool) ironCheck {
	return ironCheck(ironText).and(func(at string, v jsontext.Value) string {
		if s, _ := ironTextOf(v); !ok(s) {
			return at + " is not " + what
		}
		return ""
	})
}

// ironUpTo takes any text that is not longer than a number of characters.
func ironUpTo(limit int) ironCheck {
	return ironCheck(ironString).and(func(at string, v jsontext.Value) string {
		if s, _ := ironTextOf(v); utf8.RuneCountInString(s) > limit {
			return fmt.Sprintf("%s is longer than %d characters", at, limit)
		}
		return ""
	})
}

// ironOneOf takes one of some texts; where there are many, they can be given with spaces between them.
func ironOneOf(values ...string) ironCheck {
	values = strings.Fields(strings.Join(values, " "))
	return ironForm("one of "+strings.Join(values, ", "), func(s string) bool { return slices.Contains(values, s) })
}

func ironDate(at string, v jsontext.Value) string {
	return ironForm("a date", func(s string) bool { _, err := time.Parse(time.DateOnly, s); return err == nil })(at, v)
}

func ironTime(at string, v jsontext.Value) string {
	return ironForm("a time", func(s string) bool { _, err := time.Parse(time.RFC3339, s); return err == nil })(at, v)
}

func ironEmail(at string, v jsontext.Value) string {
	return ironForm("an email address", func(s string) bool { return strings.Contains(s, "@") && utf8.RuneCountInString(s) <= 254 })(at, v)
}

func ironCountry(at string, v jsontext.Value) string {
	return ironForm("a country code", func(s string) bool { return len(s) == 2 && isMadeOf(s, 'A', 'Z') })(at, v)
}

// ironDocumentCountry takes a code of two letters or of three: the contract does not say which.
func ironDocumentCountry(at string, v jsontext.Value) string {
	return ironForm("a country code", func(s string) bool { return (len(s) == 2 || len(s) == 3) && isMadeOf(s, 'A', 'Z') })(at, v)
}

// ironPhone takes a number with a leading plus, ironE164 one without anything else but digits.
func ironPhone(at string, v jsontext.Value) string {
	return ironForm("a phone number with a leading +", func(s string) bool {
		return len(s) > 1 && s[0] == '+' && strings.Trim(s[1:], "0123456789 -()") == ""
	})(at, v)
}

func ironE164(at string, v jsontext.Value) string {
	return ironForm("a phone number in E.164", func(s string) bool {
		return len(s) >= 3 && len(s) <= 16 && s[0] == '+' && s[1] != '0' && isMadeOf(s[1:], '0', '9')
	})(at, v)
}

func ironIP(at string, v jsontext.Value) string {
	return ironForm("an IP address", func(s string) bool { _, err := netip.ParseAddr(s); return err == nil })(at, v)
}

func ironID(at string, v jsontext.Value) string {
	return ironForm("a UUID", func(s string) bool { _, ok := ironUUID(s); return ok })(at, v)
}

func ironBool(at string, v jsontext.Value) string {
	if v.Kind() != jsontext.KindTrue && v.Kind() != jsontext.KindFalse {
		return at + " is not true or false"
	}
	return ""
}

// ironConsent takes only that it was given.
func ironConsent(at string, v jsontext.Value) string {
	if v.Kind() != jsontext.KindTrue {
		return at + " is not true"
	}
	return ""
}

// ironCount takes a whole number from 0 on.
func ironCount(limit int64) ironCheck {
	return func(at string, v jsontext.Value) string {
		n, err := strconv.ParseInt(string(v), 10, 64)
		if err != nil || n < 0 || n > limit {
			return at + " is not a number in its range"
		}
		return ""
	}
}

// ironFile takes a file in bare base64 that is no larger than a number of bytes when decoded.
func ironFile(limit int64) ironCheck {
	return ironCheck(ironText).and(func(at string, v jsontext.Value) string {
		s, _ := ironTextOf(v)
		if strings.ContainsAny(s, "\r\n") { // which the decoder skips
			return at + " is not base64"
		}
		n, err := io.Copy(io.Discard, io.LimitReader(base64.NewDecoder(base64.StdEncoding.Strict(), strings.NewReader(s)), limit+1))
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
