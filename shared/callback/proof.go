package callback

import (
	"crypto/sha512"
	"crypto/subtle"
	"strings"
	"unicode"
)

// AnyOf tries every live value of a secret, however early one matches, and those with blanks around them also without,
// as a secret may have been pasted with its newline; an empty one never matches.
func AnyOf(values []string, matches func(string) bool) bool {
	found := false
	for _, value := range values {
		trimmed := strings.TrimSpace(value)
		if trimmed != "" && matches(trimmed) {
			found = true
		}
		if value != trimmed && trimmed != "" && matches(value) {
			found = true
		}
	}
	return found
}

// SameText compares in a time that doesn't depend on what is the same, nor on how long the texts are to each other.
func SameText(a, b string) bool {
	x, y := sha512.Sum512([]byte(a)), sha512.Sum512([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

// Signatures returns the signatures that a header shows. While a secret rotates there may be several, which commas,
// blanks or both separate.
func Signatures(header string) []string {
	return strings.FieldsFunc(header, func(r rune) bool { return r == ',' || unicode.IsSpace(r) })
}
