package callback_test

import (
	"errors"
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

// TestFullEndsNoWait: however much is told of a record, a journey's waits for it are ended so often and no more.
func TestFullEndsNoWait(t *testing.T) {
	s := newStack(t)
	for i := range ledger.CorrelationCap {
		s.tell(fmt.Sprint("old-", i))
	}
	s.create("a")
	s.await("a", "t1")
	if heard := s.journey("a").Heard; len(s.o.heard()) != 1 || len(heard) != ledger.CorrelationCap {
		t.Errorf("has heard %d", len(heard))
	}
	s.await("a", "t2")
	if err := s.Tell(t.Context(), news("ok")); !errors.Is(err, ledger.ErrFull) {
		t.Errorf("got %v", err)
	}
	s.wants()
}
