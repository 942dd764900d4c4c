package callback_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"sallyport/shared/callback"
	"sallyport/shared/gateway"
	"sallyport/shared/ledger"
	"sallyport/shared/secrets"
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

// TestFullEndsNoWait: however many events a record has, a journey's waits for it are ended so often and no more.
func TestFullEndsNoWait(t *testing.T) {
	s := newStack(t)
	for i := range ledger.CorrelationCap {
		s.publish(fmt.Sprint("old-", i))
	}
	s.create("a")
	s.await("a", "t1")
	if delivered := s.journey("a").Delivered; len(s.o.delivered()) != 1 || len(delivered) != ledger.CorrelationCap {
		t.Errorf("got %d", len(delivered))
	}
	s.await("a", "t2")
	if err := s.Publish(t.Context(), event("ok")); !errors.Is(err, ledger.ErrFull) {
		t.Errorf("got %v", err)
	}
	s.wants()
}

// TestFullIsAcknowledged: what there is no place for the partner need not repeat, for it would be repeated in vain. It
// still ends no wait.
func TestFullIsAcknowledged(t *testing.T) {
	s := newStack(t)
	for i := range ledger.CorrelationCap {
		s.publish(fmt.Sprint("old-", i))
	}
	s.create("a")
	s.await("a", "t1")
	s.o.delivered()
	s.await("a", "t2")
	h := callback.Handler{
		Receiver: callback.Receiver{
			Name:      "test/callback",
			Verify:    func(_ context.Context, _ []byte, req gateway.Request) ([]byte, error) { return req.Body, nil },
			Translate: func(gateway.Request) ([]callback.Event, error) { return []callback.Event{event("ok")}, nil },
			Acknowledge: func(status int, message string) gateway.Reply {
				return gateway.JSON(status, []byte(`"`+message+`"`))
			},
		},
		Correlator: s.Correlator, Secrets: secrets.NewCache(aSecret{}, "test", s.Now), Log: s.Log, Now: s.Now,
	}
	out, err := h.Invoke(t.Context(), []byte(`{}`))
	if err != nil || !strings.Contains(string(out), `"statusCode":200`) {
		t.Errorf("answered %s, %v", out, err)
	}
	s.wants()
	if logs := s.logs.String(); !strings.Contains(logs, "level=WARN") ||
		!strings.Contains(logs, "operation=test/callback code=correlation_full") || strings.Contains(logs, record) {
		t.Errorf("logged %s", logs)
	}
}
