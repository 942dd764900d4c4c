package callback_test

import (
	"fmt"
	"testing"

	"sallyport/shared/ledger"
)

func TestFullListKnowsTheNews(t *testing.T) {
	s := newStack(t)
	s.tell("ok")
	for i := range ledger.CorrelationCap {
		if _, err := s.ledger.AddWaiter(t.Context(), record, ledger.Waiter{Tenant: "acme", Journey: fmt.Sprint("x-", i)}); err != nil {
			t.Fatal(err)
		}
	}
	s.create("a")
	s.await("a", "t1")
	s.wants(said("t1", "ok"))
}
