package equal

import (
	"slices"
	"strings"
	"unicode"
)

const aadhaarLength = 12 // digits

// aadhaarDigits returns the digits of an Aadhaar number (§11.1), in ASCII first and then however they came; ok tells
// whether there are twelve, with nothing but blanks and dashes between them.
func aadhaarDigits(text string) (spellings []string, ok bool) {
	var plain, written strings.Builder
	for _, r := range text {
		switch {
		case unicode.IsDigit(r):
			zero := r
			for unicode.IsDigit(zero - 1) {
				zero--
			}
			plain.WriteByte('0' + byte((r-zero)%10))
			written.WriteRune(r)
		case !unicode.In(r, unicode.White_Space, unicode.Dash, unicode.Cf):
			return nil, false
		}
	}
	return slices.Compact([]string{plain.String(), written.String(), text}), plain.Len() == aadhaarLength
}
