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

// guessed begins what is wrong by a rule that no page of Iron's has.
const guessed = "\x00"

// guess is a check that no page has, of values that pass one that a page has.
func guess(check, published valueCheck) valueCheck {
	return func(at string, v jsontext.Value) string {
		wrong := published(at, v)
		if wrong == "" {
			if wrong = check(at, v); wrong != "" {
				wrong = guessed + wrong
			}
		}
		return wrong
	}
}

// graver returns what is wrong by a page, else the first of what is wrong by a guess.
func graver(first, second string) string {
	if first == "" || strings.HasPrefix(first, guessed) && second != "" && !strings.HasPrefix(second, guessed) {
		return second
	}
	return first
}

// judged returns what a call is refused for: what is guessed only where the partner is strict.
func (x *call) judged(wrong string) string {
	plain, isGuessed := strings.CutPrefix(wrong, guessed)
	if isGuessed && !x.IsStrict() {
		return ""
	}
	return plain
}

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
		worst := ""
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
				worst = graver(worst, f.check(name, member))
			}
			if worst != "" && !strings.HasPrefix(worst, guessed) {
				return worst
			}
		}
		return worst
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
		wrong := check(at, v)
		if wrong != "" && !strings.HasPrefix(wrong, guessed) {
			return wrong
		}
		return graver(wrong, further(at, v))
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
		worst := ""
		for n, element := range all {
			worst = graver(worst, check(fmt.Sprintf("%s[%d]", at, n), element))
		}
		return worst
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
	isTime := func(s string) bool { _, err := time.Parse(time.RFC3339, s); return err == nil }
	return guess(formatted("a time", isTime), text)(at, v)
}

func email(at string, v jsontext.Value) string {
	return guess(formatted(
		"an email address", func(s string) bool { return strings.Contains(s, "@") && utf8.RuneCountInString(s) <= 254 },
	), text)(at, v)
}

func country(at string, v jsontext.Value) string {
	return guess(
		formatted("a country code", func(s string) bool { return sandbox.IsMadeOf(s, 'A', 'Z') }),
		formatted("a country code", func(s string) bool { return len(s) == 2 }),
	)(at, v)
}

// documentCountry takes a code of two letters or of three: the contract does not say which.
func documentCountry(at string, v jsontext.Value) string {
	return guess(formatted(
		"a country code", func(s string) bool { return (len(s) == 2 || len(s) == 3) && sandbox.IsMadeOf(s, 'A', 'Z') },
	), text)(at, v)
}

// phone takes a number with a leading plus, e164 one without anything else but digits.
func phone(at string, v jsontext.Value) string {
	const what = "a phone number with a leading +"
	return guess(formatted(what, func(s string) bool {
		return len(s) > 1 && strings.Trim(s[1:], "0123456789 -()") == ""
	}), leadingPlus(what))(at, v)
}

func e164(at string, v jsontext.Value) string {
	const what = "a phone number in E.164"
	return guess(formatted(what, func(s string) bool {
		return len(s) >= 3 && len(s) <= 16 && s[1] != '0' && sandbox.IsMadeOf(s[1:], '0', '9')
	}), leadingPlus(what))(at, v)
}

func leadingPlus(what string) valueCheck {
	return formatted(what, func(s string) bool { return strings.HasPrefix(strings.TrimSpace(s), "+") })
}

func ipAddress(at string, v jsontext.Value) string {
	isAddress := func(s string) bool { _, err := netip.ParseAddr(s); return err == nil }
	return guess(formatted("an IP address", isAddress), text)(at, v)
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
	return guess(func(at string, v jsontext.Value) string {
		if v.Kind() != jsontext.KindTrue {
			return at + " is not true"
		}
		return ""
	}, boolean)(at, v)
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
			return guessed + at + " is not base64"
		}
		n, err := io.Copy(
			io.Discard, io.LimitReader(base64.NewDecoder(base64.StdEncoding.Strict(), strings.NewReader(s)), limit+1),
		)
		var corrupt base64.CorruptInputError
		switch {
		case n > limit:
			return fmt.Sprintf("%s is larger than %d MB", at, limit>>20)
		case strings.HasPrefix(s, "data:"):
			return at + " is not base64"
		case errors.As(err, &corrupt), errors.Is(err, io.ErrUnexpectedEOF):
			return guessed + at + " is not base64"
		}
		return ""
	})
}
