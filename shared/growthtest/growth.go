// Package growthtest holds work on texts from outside to a time that is proportional to their size.
package growthtest

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	// In bytes, without the frame, with which the large text is as much as is read of an answer: 256 KB.
	small, large = 63 << 10, 252 << 10

	// budget is how much more time the large text may take than the small one, which is a quarter of it. Where the time
	// grows with the square, it is 16 times; what lies under tolerated may be the machine's other work.
	budget, tolerated = 5, 8
	rounds            = 20
)

// Linear runs work on JSON texts of about 64 KB and 256 KB and fails where the larger one takes more than five times
// the processor's time, by the shortest of up to 20 runs of each in turn; up to eight times are logged. The texts are
// frame, in which one %s stands for a value: of each kind that has made such work grow faster than the text. near is an
// identity number, which almost stands there. Nothing else may run in the process meanwhile.
func Linear(t *testing.T, frame, near string, work func(text []byte)) {
	if raced {
		t.Skip("SKIPPED the growth of work with its text: the race detector is on")
	}
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // whose work falls on whoever runs
	for kind, value := range kinds(near) {
		t.Run(kind, func(t *testing.T) {
			texts := [2][]byte{[]byte(fmt.Sprintf(frame, value(small))), []byte(fmt.Sprintf(frame, value(large)))}
			shortest := [2]time.Duration{time.Hour, time.Hour}
			for round := 0; round < 2 || round < rounds && shortest[1] > budget*shortest[0]; round++ {
				runtime.GC()
				for i, text := range texts {
					started := used(t)
					work(text)
					shortest[i] = min(shortest[i], used(t)-started)
				}
			}
			took := fmt.Sprintf("%d bytes take %v, %d bytes %v", len(texts[0]), shortest[0], len(texts[1]), shortest[1])
			switch {
			case shortest[1] > tolerated*shortest[0]:
				t.Error(took)
			case shortest[1] > budget*shortest[0]:
				t.Log(took)
			}
		})
	}
}

// used is the time that the processor has spent on this process.
func used(t *testing.T) time.Duration {
	t.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		t.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
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
