package callback_test

import (
	"fmt"
	"testing"

	"sallyport/shared/ledger"
)

func TestFullListStillDelivers(t *testing.T) {
	s := newStack(t)
	s.publish("ok")
	for i := range ledger.CorrelationCap {
		if _, err := s.ledger.AddWaiter(
			t.Context(), record, ledger.Waiter{Tenant: "acme", Journey: fmt.Sprint("x-", i)},
		); err != nil {
			t.Fatal(err)
		}
	}
	s.create("a")
	s.await("a", "t1")
	s.wants(answered("t1", "ok"))
}

// TestFullMakesRoom: however many events a record has, the next one is kept, and ends the wait for it.
func TestFullMakesRoom(t *testing.T) {
	s := newStack(t)
	for i := range ledger.CorrelationCap {
		s.pass()
		s.publish(fmt.Sprint("old-", i))
	}
	s.read()
	s.create("a")
	s.await("a", "t1")
	s.wants()
	s.pass()
	s.publish("ok")
	s.wants(answered("t1", "ok"))
	s.publish("while it runs")
	s.await("a", "t2") // its read failed
	s.wants(answered("t2", "while it runs"))
	c, err := s.ledger.Correlation(t.Context(), record)
	if err != nil || len(c.Events) != ledger.CorrelationCap {
		t.Errorf("%d events, %v", len(c.Events), err)
	}
}
