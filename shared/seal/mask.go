package seal

import (
	"bytes"
	"io"
	"regexp"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Last4 returns the last four characters of a number, or fewer where it has fewer than eight: never more than half.
func Last4(number string) string { return number[len(number)-min(4, len(number)/2):] }

// Mask puts an X for every letter and digit of a number but those that Last4 would show; separators stay.
func Mask(number string) string {
	masked := []byte(number)
	letters := 0
	for _, c := range masked {
		if isAlphanumeric(c) {
			letters++
		}
	}
	shown := min(4, letters/2)
	for i := len(masked) - 1; i >= 0; i-- {
		if !isAlphanumeric(masked[i]) {
			continue
		}
		if shown--; shown < 0 {
			masked[i] = 'X'
		}
	}
	return string(masked)
}

func isAlphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c >= 0x80
}

// MaskJSON masks a JSON text and leaves every other byte as it is: the values of members of the given name, and
// number wherever it stands in a string or as a number, with single spaces or hyphens between its digits as well. An empty number masks only by name. Text that is not JSON
// comes back empty.
func MaskJSON(text []byte, name, number string) []byte {
	decoder := jsontext.NewDecoder(bytes.NewReader(text), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	var out []byte
	copied := 0
	for {
		switch decoder.PeekKind() {
		case '"', '0':
		default:
			if _, err := decoder.ReadToken(); err == io.EOF {
				return append(out, text[copied:]...)
			} else if err != nil {
				return nil
			}
			continue
		}
		raw, err := decoder.ReadValue()
		if err != nil {
			return nil
		}
		masked, ok := maskScalar(raw, isNamed(decoder, name), number)
		if !ok {
			continue
		}
		end := int(decoder.InputOffset())
		out = append(append(out, text[copied:end-len(raw)]...), masked...)
		copied = end
	}
}

// isNamed reports whether the scalar just read is the value of a member of that name, or an element of it.
func isNamed(d *jsontext.Decoder, name string) bool {
	for depth := d.StackDepth(); depth > 0; depth-- {
		kind, length := d.StackIndex(depth)
		if kind == '{' {
			isValue := length%2 == 0 || depth < d.StackDepth()
			if !isValue {
				return false
			}
			pointer := d.StackPointer()
			for up := d.StackDepth(); up > depth; up-- {
				pointer = pointer.Parent()
			}
			return pointer.LastToken() == name
		}
	}
	return false
}

// spelled matches a number however its digits are separated.
func spelled(number string) *regexp.Regexp {
	digits := strings.Split(number, "")
	for i := range digits {
		digits[i] = regexp.QuoteMeta(digits[i])
	}
	return regexp.MustCompile(strings.Join(digits, "[ -]?"))
}

func maskScalar(raw jsontext.Value, named bool, number string) (masked []byte, changed bool) {
	value := string(raw)
	if raw.Kind() == '"' {
		plain, err := jsontext.AppendUnquote(nil, raw)
		if err != nil && len(plain) == 0 {
			return []byte(`""`), true
		}
		value = string(plain)
	}
	hidden := value
	if named {
		hidden = Mask(value)
	} else if number != "" {
		hidden = spelled(number).ReplaceAllStringFunc(value, Mask)
	}
	if hidden == value {
		return nil, false
	}
	quoted, err := jsontext.AppendQuote(nil, hidden)
	if err != nil {
		return []byte(`""`), true
	}
	return quoted, true
}
