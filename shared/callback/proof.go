package callback

import (
	"crypto/sha512"
	"crypto/subtle"
)

// AnyOf tries every live value of a secret, however early one matches; an empty one never does.
func AnyOf(values []string, matches func(string) bool) bool {
	found := false
	for _, value := range values {
		if value != "" && matches(value) {
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
