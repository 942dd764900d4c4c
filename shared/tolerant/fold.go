package tolerant

import (
	"strings"
	"unicode"
)

// Fold returns what is left of a text where nobody cares how it is written: its letters, in lower case, and its digits,
// without zeros before them. "07", " 7 " and "#7" have one fold. That two texts have different ones doesn't show that a
// partner takes them for different: an abbreviation and a transliteration stay as they are.
func Fold(text string) string {
	kept := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(unicode.ToUpper(r))
		}
		return -1
	}, text)
	if short := strings.TrimLeft(kept, "0"); short != "" {
		return short
	}
	return kept[:min(len(kept), 1)] // a zero, or nothing
}

// Same reports whether two texts have one fold.
func Same(a, b string) bool { return Fold(a) == Fold(b) }
