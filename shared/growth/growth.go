// Package growth holds work on texts from outside to a time that is proportional to their size.
package growth

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

const (
	small, large = 64 << 10, 256 << 10 // bytes

	// factor is how much longer the large text may take than the small one, which it is four times as long as; where the
	// time grows with the square, it is 16.
	factor = 5
	rounds = 60
)

// Linear runs work on JSON texts of 64 KB and of 256 KB and fails where the larger one takes more than five times as
// long, by the shortest of up to 60 runs of each in turn. The texts are frame, in which one %s stands for a value:
// of each kind that has made such work grow faster than the text. near is an identity number, which almost stands there.
func Linear(t *testing.T, frame, near string, work func(text []byte)) {
	for kind, value := range kinds(near) {
		t.Run(kind, func(t *testing.T) {
			texts := [2][]byte{[]byte(fmt.Sprintf(frame, value(small))), []byte(fmt.Sprintf(frame, value(large)))}
			shortest := [2]time.Duration{time.Hour, time.Hour}
			for round := 0; round < 2 || shortest[1] > factor*shortest[0]; round++ {
				if round == rounds {
					t.Fatalf("%d bytes take %v, %d bytes %v", len(texts[0]), shortest[0], len(texts[1]), shortest[1])
				}
				for i, text := range texts {
					started := time.Now()
					work(text)
					shortest[i] = min(shortest[i], time.Since(started))
				}
			}
		})
	}
}

// kinds make JSON values of about a size in bytes.
func kinds(near string) map[string]func(size int) string {
	list := func(element string) func(int) string {
		return func(size int) string {
			return "[" + strings.Repeat(element+",", size/(len(element)+1)) + element + "]"
		}
	}
	text := func(part string) func(int) string {
		return func(size int) string { return `"` + strings.Repeat(part, size/len(part)) + `"` }
	}
	nested := func(opening, closing string) func(int) string { // opening and closing have 32 bytes: 8,192 levels at most
		return func(size int) string {
			return strings.Repeat(opening, size/32) + "1" + strings.Repeat(closing, size/32)
		}
	}
	return map[string]func(int) string{
		"short strings":        list(`"ab"`),
		"short numbers":        list(`1`),
		"numbers":              list(near),
		"separated numbers":    list(`"9-9 9-9 0-0 0-0 0-0 1-6"`),
		"empty objects":        list(`{}`),
		"objects":              list(`{"name":"MEERA","aadhaar_no":"` + near + `"}`),
		"deep arrays":          nested(`["a string of 27 characters..",`, `]`),
		"deep objects":         nested(`{"a/b":"deep","a~b":"deep","c":`, `}`),
		"moderately deep":      list(strings.Repeat(`{"a":[`, 12) + `"x"` + strings.Repeat(`]}`, 12)),
		"long string":          text(`x`),
		"almost the number":    text(near[:len(near)-1] + ` `),
		"digits":               text(`9`),
		"separators":           text(`9 - `),
		"escapes":              text(`\u0039`),
		"escaped quotes":       text(`\"`),
		"characters":           text(`é`),
		"one long number":      func(size int) string { return strings.Repeat(`9`, size) },
		"one name, repeated":   func(size int) string { return `{"a":1` + strings.Repeat(`,"a":1`, size/6) + `}` },
		"white space":          func(size int) string { return strings.Repeat(" \n", size/2) + `1` },
		"many different names": names,
	}
}

func names(size int) string {
	var out strings.Builder
	out.WriteString(`{"0":0`)
	for i := 1; out.Len() < size; i++ {
		fmt.Fprintf(&out, `,"%d":"%d"`, i, i)
	}
	return out.String() + `}`
}
