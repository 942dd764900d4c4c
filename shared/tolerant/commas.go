package tolerant

import (
	"bytes"
	"strings"
)

// WithoutTrailingCommas returns a text in which blanks stand for the commas that come after the last member of an
// object or the last element of an array, as people write them; the text itself where there are none. Nothing else
// moves.
func WithoutTrailingCommas(text []byte) []byte {
	comma, inString, escaped, out := -1, false, false, text
	for i, c := range text {
		switch {
		case inString:
			inString = escaped || c != '"'
			escaped = !escaped && c == '\\'
		case c == '"':
			inString, comma = true, -1
		case c == ',':
			comma = i
		case c == '}' || c == ']':
			if comma > 0 && !strings.ContainsRune("{[,:", lastBefore(text, comma)) {
				if &out[0] == &text[0] {
					out = bytes.Clone(text)
				}
				out[comma] = ' '
			}
			comma = -1
		case !isSpace(c):
			comma = -1
		}
	}
	return out
}

// lastBefore is the last character before a place that is no blank; zero for none.
func lastBefore(text []byte, at int) rune {
	if before := bytes.TrimRight(text[:at], " \t\r\n"); len(before) > 0 {
		return rune(before[len(before)-1])
	}
	return 0
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }
