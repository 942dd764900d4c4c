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

// TestFullNewsIsTold: what can't be kept is told to who waits, once, and is no less for the partner to repeat.
func TestFullNewsIsTold(t *testing.T) {
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
	for range 2 {
		if err := s.Tell(t.Context(), news("ok")); !errors.Is(err, ledger.ErrFull) {
			t.Errorf("got %v", err)
		}
	}
	s.wants(said("t2", "ok"))
	s.await("a", "t3")
	if err := s.Tell(t.Context(), news("ok")); !errors.Is(err, ledger.ErrFull) {
		t.Errorf("got %v", err)
	}
	s.wants()
}
