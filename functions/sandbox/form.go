package sandbox

import (
	"slices"
	"strings"
)

// IsMadeOf reports whether all bytes of a text lie between two.
func IsMadeOf(s string, from, to byte) bool {
	return !slices.ContainsFunc([]byte(s), func(b byte) bool { return b < from || b > to })
}

// IsEmail reports whether a text has the form of an email address.
func IsEmail(s string) bool {
	local, domain, ok := strings.Cut(s, "@")
	return ok && local != "" && domain != "" && !strings.ContainsAny(s, " \t\r\n") && !strings.Contains(domain, "@")
}
