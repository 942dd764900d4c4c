package callback_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"sallyport/shared/callback"
	"sallyport/shared/ledger"
)

// pass lets a second pass.
func (s *stack) pass() { s.now = s.now.Add(time.Second) }

// read lets the journeys that wait from now on have begun to read the record a second ago.
func (s *stack) read() {
	s.pass()
	s.asOf = s.now
	s.pass()
}

func (s *stack) publishNamed(code, id string) {
	s.t.Helper()
	e := event(code)
	e.EventID = id
	if err := s.Publish(s.t.Context(), e); err != nil {
		s.t.Error(err)
	}
}

// What was told in the same words before is a new event once the record has been read in between.
func TestSameWordsAgain(t *testing.T) {
	s := newStack(t)
	s.create("a")
	s.read()
	s.await("a", "t1")
	s.publish("ok")
	s.wants(answered("t1", "ok"))
	for i := range 5 {
		s.read()
		token := fmt.Sprint("again-", i)
		s.await("a", token)
		s.wants()
		s.pass()
		s.publish("ok")
		s.wants(answered(token, "ok"))
	}
	s.create("b") // another journey about the same record
	s.read()
	s.await("b", "u1")
	s.wants()
	s.pass()
	s.publish("ok")
	s.wants(answered("u1", "ok"))
}

// What arrives while the record is read ends the wait that begins after: the answer may not know it yet.
func TestEventDuringTheRead(t *testing.T) {
	s := newStack(t)
	s.publish("ok")
	s.create("a")
	s.read()
	s.publish("ok")
	s.pass()
	s.await("a", "t1")
	s.wants(answered("t1", "ok"))
	s.asOf = s.now // it arrives at the very moment in which the read begins
	s.publish("ok")
	s.await("a", "t2")
	s.wants(answered("t2", "ok"))
}

// What arrived before the last read began is in its answer.
func TestEventBeforeTheRead(t *testing.T) {
	s := newStack(t)
	for _, code := range []string{"a", "b", "c"} {
		s.publish(code)
		s.publishNamed(code, "named")
	}
	s.create("a")
	s.read()
	s.await("a", "t1")
	s.subscribe("a")
	s.wants()
	if j := s.journey("a"); j.Wakes != 0 || len(j.Delivered) != 0 {
		t.Errorf("got %+v", j)
	}
}

// A repeat of one delivery wakes nobody for nothing, whether or not the partner names it.
func TestRepeatedDelivery(t *testing.T) {
	s := newStack(t)
	s.create("a")
	s.read()
	s.await("a", "t1")
	s.publish("ok")
	s.pass()
	s.publish("ok") // before the read that the first one has led to
	s.wants(answered("t1", "ok"))
	s.read()
	s.await("a", "t2")
	s.wants()
	s.publishNamed("ok", "r-1")
	s.wants(answered("t2", "ok"))
	s.read()
	s.await("a", "t3")
	s.publishNamed("ok", "r-1") // however late
	s.wants()
	s.create("b") // for others as well: it arrived before their read
	s.await("b", "u1")
	s.wants()
	s.publishNamed("ok", "r-2")
	s.wants(answered("t3", "ok"), answered("u1", "ok"))
}

// While reads fail, an event ends one wait, and each arrival of it one more: it can't keep a journey busy.
func TestReadsFail(t *testing.T) {
	s := newStack(t)
	s.create("a")
	s.read()
	s.publish("ok")
	for i := range 3 {
		token := fmt.Sprint("t", i)
		s.await("a", token)
		s.wants(answered(token, "ok"))
		s.await("a", "again-"+token)
		s.wants()
		s.pass()
		s.publish("ok")
		s.wants(answered("again-"+token, "ok"))
		s.pass()
		s.publish("ok")
	}
	if j := s.journey("a"); len(j.Delivered) != 1 || j.Wakes != 6 {
		t.Errorf("got %+v", j)
	}
}

// Whatever dies between keeping an event and ending the wait, the repeat of the delivery or the next wait makes up for.
func TestDeathAfterKeeping(t *testing.T) {
	down := errors.New("down")
	s := newStack(t)
	s.publish("ok")
	s.create("a")
	s.read()
	s.await("a", "t1")
	s.o.err = down
	if err := s.Publish(t.Context(), event("ok")); !errors.Is(err, down) {
		t.Errorf("got %v", err)
	}
	s.o.err = nil
	s.pass()
	s.publish("ok")
	s.wants(answered("t1", "ok"))
	s.read()
	s.await("a", "t2")
	s.Correlator.Ledger = &failing{Ledger: s.ledger, method: "Journey", err: down, times: 1}
	e := event("named")
	e.EventID = "r-1"
	if err := s.Publish(t.Context(), e); !errors.Is(err, down) {
		t.Errorf("got %v", err)
	}
	s.wants()
	s.await("a", "t3") // the wait timed out, and the read failed
	s.wants(answered("t3", "named"))
}

// A flood of other words each time ends so many waits of one execution and no more, and its record stays small.
func TestWakesAreBounded(t *testing.T) {
	const most = 50
	s := newStack(t)
	s.create("a")
	for i := range 2 * most {
		if i%3 > 0 {
			s.read() // else it failed
		}
		s.await("a", fmt.Sprint("t", i))
		s.pass()
		s.publish(fmt.Sprint("event-", i))
	}
	if n := len(s.o.delivered()); n != most {
		t.Errorf("woken %d times", n)
	}
	if j := s.journey("a"); j.Wakes != most || len(j.Delivered) > ledger.CorrelationCap {
		t.Errorf("got %+v", j)
	}
	if !strings.Contains(s.logs.String(), "too_many_events") {
		t.Errorf("logged %s", s.logs)
	}
	s.create("b") // others are not concerned
	s.read()
	s.await("b", "u1")
	s.publish("ok")
	s.wants(answered("u1", "ok"))
}

func TestPauseGrows(t *testing.T) {
	for wakes, want := range []time.Duration{0, 1, 2, 4, 8, 16, 16, 16} {
		if got := callback.Pause(ledger.Journey{Wakes: wakes}); got != want*time.Second {
			t.Errorf("after %d wakes %s", wakes, got)
		}
	}
}

// timeless is a ledger whose events were kept by an earlier release, which knew no times.
type timeless struct{ callback.Ledger }

func (l timeless) AddWaiter(ctx context.Context, record string, w ledger.Waiter) (ledger.Correlation, error) {
	c, err := l.Ledger.AddWaiter(ctx, record, w)
	for i := range c.Events {
		c.Events[i].ArrivedAt = time.Time{}
	}
	return c, err
}

// An event without a time is not lost: each execution that has not had it gets it, once.
func TestEventWithoutTime(t *testing.T) {
	s := newStack(t)
	s.publish("ok")
	s.Correlator.Ledger = timeless{s.ledger}
	s.create("a")
	s.read()
	s.await("a", "t1")
	s.wants(answered("t1", "ok"))
	for range 2 {
		s.await("a", "t2")
		s.read()
	}
	s.wants()
	c, err := s.ledger.Correlation(t.Context(), record)
	if err != nil {
		t.Fatal(err)
	}
	s.create("b") // which an earlier release has noted for
	j := s.journey("b")
	j.Delivered = []string{c.Events[0].ID}
	if _, err := s.ledger.UpdateJourney(t.Context(), j); err != nil {
		t.Fatal(err)
	}
	s.await("b", "u1")
	s.wants()
	s.publish("ok") // it arrives, which both know now
	s.wants(answered("t2", "ok"), answered("u1", "ok"))
}
