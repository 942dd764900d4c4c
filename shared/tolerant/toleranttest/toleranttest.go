// Package toleranttest writes answers as partners may put them, for tests that must read all of them alike.
package toleranttest

import (
	"bytes"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"sallyport/shared/tolerant"
)

// Alike checks that read makes the same of a JSON text in each of its odd spellings.
func Alike(t testing.TB, text string, read func(text string) string) {
	t.Helper()
	want := read(text)
	for name, spelling := range Spellings(t, text) {
		if got := read(spelling); got != want {
			t.Errorf("%s: %s\nreads as %s\n    want %s", name, spelling, got, want)
		}
	}
}

// Spellings returns the odd spellings of a JSON text that mean what it means, by names that say what is odd.
func Spellings(t testing.TB, text string) map[string]string {
	t.Helper()
	rewrite := func(value func(jsontext.Value) string) string {
		out, err := rewritten(text, value)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		return out
	}
	return map[string]string{
		"byte order mark":  "\uFEFF" + text,
		"white space":      "\r\n\t" + text + "\r\n\r\n",
		"unknown member":   unless(text, "{", `{"zz_unknown":[{"a":null}],`),
		"a member twice":   unless(text, "{", `{"status":{},"id":[],`),
		"numbers as text":  rewrite(func(v jsontext.Value) string { return number(v, `"`+string(v)+`"`) }),
		"fraction of zero": rewrite(func(v jsontext.Value) string { return number(v, string(v)+".0") }),
		"exponent":         rewrite(func(v jsontext.Value) string { return number(v, string(v)+"E0") }),
		"text as numbers":  rewrite(digits),
		"blanks around": rewrite(func(v jsontext.Value) string {
			if word := tolerant.Word(v); word != "" {
				return `" ` + strings.Trim(string(v), `"`) + ` "`
			}
			return string(v)
		}),
		"truth as text": rewrite(func(v jsontext.Value) string {
			if truth := tolerant.Truth(v); truth != nil {
				return `"` + strings.ToUpper(tolerant.Plain(v)) + `"`
			}
			return string(v)
		}),
	}
}

// unless replaces how a text begins, unless it begins otherwise.
func unless(text, prefix, by string) string {
	if rest, ok := strings.CutPrefix(text, prefix); ok && !strings.HasPrefix(rest, "}") {
		return by + rest
	}
	return text
}

// number replaces a number that has neither fraction nor exponent.
func number(v jsontext.Value, by string) string {
	if v.Kind() != '0' || strings.Trim(string(v), "-0123456789") != "" {
		return string(v)
	}
	return by
}

// digits makes a number of a text of digits, unless that would lose some.
func digits(v jsontext.Value) string {
	if text := tolerant.String(v); text != "" && len(text) < 16 && text[0] != '0' &&
		strings.Trim(text, "0123456789") == "" {
		return text
	}
	return string(v)
}

// rewritten replaces all values of a text that hold no others.
func rewritten(text string, value func(jsontext.Value) string) (string, error) {
	var out bytes.Buffer
	in := jsontext.NewDecoder(strings.NewReader(text))
	encoder := jsontext.NewEncoder(&out)
	for {
		switch in.PeekKind() {
		case 0:
			_, err := in.ReadToken()
			if out.Len() > 0 && in.StackDepth() == 0 {
				return strings.TrimSpace(out.String()), nil
			}
			return "", err
		case '{', '}', '[', ']':
			token, err := in.ReadToken()
			if err != nil {
				return "", err
			}
			if err := encoder.WriteToken(token); err != nil {
				return "", err
			}
		default:
			kind, read := in.StackIndex(in.StackDepth())
			v, err := in.ReadValue()
			if err != nil {
				return "", err
			}
			if isName := kind == '{' && read%2 == 0; !isName {
				v = jsontext.Value(value(v))
			}
			if err := encoder.WriteValue(v); err != nil {
				return "", err
			}
		}
	}
}
