// Package schematest writes JSON that no table of fields knows, for tests of what goes on unread.
package schematest

import (
	"math/rand/v2"
	"strconv"
	"strings"
)

// WithMembers returns a JSON text that holds an object with one to three random members more, anywhere in it. Their
// names are random as well, so that they are none of anybody's.
func WithMembers(random *rand.Rand, text string) string {
	for range 1 + random.IntN(3) {
		at := place(random, text)
		member := strconv.Quote("x-"+strconv.FormatUint(random.Uint64(), 36)) + blank(random) + ":" + Value(random, 3)
		if strings.TrimLeft(text[at:], " \n\t\r")[0] != '}' {
			member += ","
		}
		text = text[:at] + blank(random) + member + blank(random) + text[at:]
	}
	return text
}

// place picks where an object of a text begins.
func place(random *rand.Rand, text string) (at int) {
	var places []int
	inString := false
	for i := 0; i < len(text); i++ {
		switch {
		case inString && text[i] == '\\':
			i++
		case text[i] == '"':
			inString = !inString
		case text[i] == '{' && !inString:
			places = append(places, i+1)
		}
	}
	return places[random.IntN(len(places))]
}

// Value returns a random JSON value of any kind, with as many levels at most.
func Value(random *rand.Rand, levels int) string {
	plain := []string{
		`null`, `true`, `false`, `0`, `-0`, `7`, `7.0`, `7e2`, `1e400`, `-12345678901234567890`, `""`, `" "`, `"7"`,
		`"\u00e9\ud83d\ude00"`, `"ß – 東京 😀"`, `"a\/b\\\"c\n"`, `"2021-02-30"`, `{}`, `[]`, `{"document_id":"x"}`,
	}
	n := len(plain)
	if levels > 0 {
		n += 4
	}
	switch i := random.IntN(n); {
	case i < len(plain):
		return plain[i]
	case i%2 == 0:
		return "[" + blank(random) + Value(random, levels-1) + blank(random) + "," + Value(random, levels-1) + "]"
	default:
		return `{"` + strconv.FormatUint(random.Uint64(), 36) + `":` + blank(random) + Value(random, levels-1) + `,"":1}`
	}
}

func blank(random *rand.Rand) string { return []string{"", "", " ", "\n", "\t "}[random.IntN(5)] }
