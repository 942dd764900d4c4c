package equal_test

import (
	"fmt"
	"strings"
	"testing"
)

// BenchmarkFresh is a whole call with a new key, from the event to the answer, without ledger and network.
func BenchmarkFresh(b *testing.B) {
	benchmarkFresh(b, "null")
}

func BenchmarkFreshOf1KB(b *testing.B) { benchmarkFresh(b, `"`+strings.Repeat("x", 256)+`"`) }

// The answers of 64 and of 256 KB are lists of short strings.
func BenchmarkFreshOf64KB(b *testing.B)  { benchmarkFresh(b, shortStrings(63<<10)) }
func BenchmarkFreshOf256KB(b *testing.B) { benchmarkFresh(b, shortStrings(254<<10)) }

func shortStrings(size int) string { return `[""` + strings.Repeat(`,"ab"`, size/5) + `]` }

func benchmarkFresh(b *testing.B, more string) {
	w := newWarm(b, fmt.Sprintf(verified, more))
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		n++
		b.StopTimer()
		payload := event(b, fmt.Sprint("key-", n))
		b.StartTimer()
		w.call(b, payload)
	}
}

// BenchmarkReplay is a call whose key has an answer.
func BenchmarkReplay(b *testing.B) {
	w := newWarm(b, fmt.Sprintf(verified, "null"))
	payload := event(b, "key")
	w.call(b, payload)
	b.ReportAllocs()
	for b.Loop() {
		w.call(b, payload)
	}
}
