package tolerant

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// IsName reports whether a text can be somebody's name: it has a letter, and neither a character that stands for one
// which was lost nor a program's word for nothing.
func IsName(text string) bool {
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "null", "undefined", "none", "nil", "n/a", "not available":
		return false
	}
	return strings.ContainsFunc(text, unicode.IsLetter) && !strings.ContainsFunc(text, func(r rune) bool {
		return r == utf8.RuneError || unicode.IsControl(r)
	})
}
