package operation_test

import (
	"fmt"
	"testing"

	"sallyport/shared/operation"
)

// BenchmarkFresh is a whole call with a new key: two ledger writes, one call of a partner that answers at once.
func BenchmarkFresh(b *testing.B) {
	s := newStack(b)
	h := operation.New(s.p, s.act(operation.Manual))
	n := 0
	for b.Loop() {
		n++
		if got := s.post(h, fmt.Sprint("key-", n), `{"value":"a"}`); got.status != 200 {
			b.Fatal(got)
		}
	}
}

// BenchmarkReplay is a call whose key has an answer.
func BenchmarkReplay(b *testing.B) {
	s := newStack(b)
	h := operation.New(s.p, s.act(operation.Manual))
	for b.Loop() {
		if got := s.post(h, "key", `{"value":"a"}`); got.status != 200 {
			b.Fatal(got)
		}
	}
}
