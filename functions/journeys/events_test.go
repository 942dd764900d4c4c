package journeys_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sallyport/functions/journeys"
	"sallyport/shared/operation/task"
)

// read records a read that begins now, a second after and before everything else.
func (s *stack) read(id string) {
	s.t.Helper()
	s.now = s.now.Add(time.Second)
	s.transaction(id, "", nil)
	s.now = s.now.Add(time.Second)
}

func (s *stack) mustTell(code string) {
	s.t.Helper()
	if err := s.tell(code); err != nil {
		s.t.Fatal(err)
	}
}

// What the partner told before the last read of the record ends no wait; what it told since then does.
func TestAwaitGoesByItsReads(t *testing.T) {
	for name, test := range map[string]struct {
		read     string
		reads    []string
		answered bool
	}{
		"Read":          {"between", nil, true},
		"ReadAfter":     {"after", nil, false},
		"FirstOfReads":  {"", []string{"after", "between", "after"}, true},
		"ReadsAfter":    {"", []string{"after", "last"}, false},
		"Both":          {"between", []string{"after"}, true},
		"NoRead":        {"", nil, true}, // nothing says that it is known
		"ReadIsGone":    {"nowhere", nil, true},
		"OneReadIsGone": {"", []string{"after", "nowhere"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStack(t)
			s.create("j")
			s.mustTell("ok")
			s.read("between")
			s.mustTell("ok") // in the same words
			s.read("after")
			s.read("last")
			s.await(journeys.AwaitInput{
				Journey: "j", Token: "t1", Record: record, Days: 1, Read: test.read, Reads: test.reads,
			})
			if got := len(s.o.answers) == 1; got != test.answered {
				t.Errorf("answered %q", s.o.answers)
			}
			s.mustTell("ok")
			if len(s.o.answers) != 1 {
				t.Errorf("answered %q", s.o.answers)
			}
		})
	}
}

// onTheClock makes a stack that goes by the clock of a bubble, with the journey "j", woken so often.
func onTheClock(t *testing.T, wakes int) *stack {
	t.Helper()
	s := newStack(t)
	s.Now, s.ledger.Now = time.Now, time.Now
	s.create("j")
	j := s.journey("j")
	j.Wakes, j.WokenAt = wakes, time.Now()
	if _, err := s.ledger.UpdateJourney(t.Context(), j); err != nil {
		t.Fatal(err)
	}
	return s
}

// Each event that ends a wait makes the next wait begin later, so that a flood can't keep a journey busy.
func TestAwaitPausesAfterEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := onTheClock(t, 0)
		for i, want := range []time.Duration{0, 1, 2, 4, 8, 16, 16} {
			began := time.Now()
			token := fmt.Sprint("t", i)
			s.await(journeys.AwaitInput{Journey: "j", Token: token, Record: record, Days: 1})
			if took := time.Since(began); took != want*time.Second || s.journey("j").Awaiting.Token != token {
				t.Errorf("after %d wakes it waits again after %s", i, took)
			}
			s.mustTell(token)
			if len(s.o.answers) != i+1 {
				t.Fatalf("answered %q", s.o.answers)
			}
		}
		began := time.Now()
		s.await(journeys.AwaitInput{Journey: "j", Token: "person", Accepts: []string{"word"}, Days: 1})
		time.Sleep(time.Minute)
		s.await(journeys.AwaitInput{Journey: "j", Token: "late", Record: record, Days: 1})
		if took := time.Since(began); took != time.Minute {
			t.Errorf("a person, or a wait long after, is kept waiting: %s", took-time.Minute)
		}
	})
}

// What the partner tells during the pause ends the wait as it begins, together.
func TestAwaitIsToldOfThePause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := onTheClock(t, 3)
		var both sync.WaitGroup
		both.Go(func() { s.await(journeys.AwaitInput{Journey: "j", Token: "t1", Record: record, Days: 1}) })
		for i := range 100 {
			time.Sleep(10 * time.Millisecond)
			s.mustTell(fmt.Sprint("event-", i))
		}
		both.Wait()
		if j := s.journey("j"); len(s.o.answers) != 1 || j.Wakes != 4 || time.Since(j.WokenAt) != 0 {
			t.Errorf("answered %q, journey %+v", s.o.answers, j)
		}
	})
}

// A state whose time ends during the pause begins to wait anew, and its older wait doesn't take the place of that.
func TestAwaitIsOvertakenInThePause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := onTheClock(t, 9)
		var both sync.WaitGroup
		for i := range 3 {
			both.Go(func() {
				time.Sleep(time.Duration(i) * 5 * time.Second)
				s.await(journeys.AwaitInput{Journey: "j", Token: fmt.Sprint("t", i), Record: record, Days: 1})
			})
		}
		both.Wait()
		if got := s.journey("j").Awaiting.Token; got != "t2" {
			t.Errorf("it waits with %s", got)
		}
	})
}

func TestPauseIsCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := onTheClock(t, 9)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := s.Await(ctx, journeys.AwaitInput{Tenant: "acme", Journey: "j", Token: "t1", Record: record, Days: 1})
		if !isTaskError[task.Unavailable](err, "ledger_unavailable") || s.journey("j").Awaiting != nil {
			t.Errorf("got %v", err)
		}
	})
}
