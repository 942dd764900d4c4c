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

// TestFullIsAcknowledged: what there is no place for the partner need not repeat, for it would be repeated in vain. It still ends no wait.
func TestFullIsAcknowledged(t *testing.T) {
	s := newStack(t)
	for i := range ledger.CorrelationCap {
		s.tell(fmt.Sprint("old-", i))
	}
	s.create("a")
	s.await("a", "t1")
	s.o.heard()
	s.await("a", "t2")
	h := callback.Handler{
		Receiver: callback.Receiver{
			Name:      "test/callback",
			Authentic: func(context.Context, []byte, gateway.Request) (bool, error) { return true, nil },
			Read:      func(gateway.Request) ([]callback.News, error) { return []callback.News{news("ok")}, nil },
			Reply:     func(status int, message string) gateway.Reply { return gateway.JSON(status, []byte(`"`+message+`"`)) },
		},
		Exchange: s.Exchange, Secrets: secrets.NewCache(aSecret{}, "test", s.Now), Log: s.Log, Now: s.Now,
	}
	out, err := h.Invoke(t.Context(), []byte(`{}`))
	if err != nil || !strings.Contains(string(out), `"statusCode":200`) {
		t.Errorf("answered %s, %v", out, err)
	}
	s.wants()
	if logs := s.logs.String(); !strings.Contains(logs, "level=WARN") || !strings.Contains(logs, "operation=test/callback code=correlation_full") || strings.Contains(logs, record) {
		t.Errorf("logged %s", logs)
	}
}
