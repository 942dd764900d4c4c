package journeys_test

import (
	"context"
	"encoding/json"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"sallyport/functions/journeys"
	"sallyport/shared/ledger"
)

// reading counts the reads of journeys, and calls then after each with its number.
type reading struct {
	journeys.Ledger
	reads atomic.Int64
	then  func(n int64)
}

func (r *reading) Journey(ctx context.Context, tenant, id string) (ledger.Journey, error) {
	n := r.reads.Add(1)
	j, err := r.Ledger.Journey(ctx, tenant, id)
	if r.then != nil {
		r.then(n)
	}
	return j, err
}

// waiting makes a stack with the journeys "j" and "k", and what counts their reads. Where watched, the ledger tells of
// changes.
func waiting(t *testing.T, watched bool) (*stack, *reading) {
	t.Helper()
	s := newStack(t)
	counted := &reading{Ledger: s.ledger}
	s.Ledger = counted
	if watched {
		s.Watch = s.ledger.Watch
	}
	s.create("j")
	s.create("k")
	return s, counted
}

// change makes the next version of a journey.
func (s *stack) change(id string) {
	s.t.Helper()
	if _, err := s.ledger.UpdateJourney(s.t.Context(), s.journey(id)); err != nil {
		s.t.Fatal(err)
	}
}

// wait asks for a journey as it is after a version, and returns the version and how long that took.
func (s *stack) wait(ctx context.Context, id string, after int) (version string, took time.Duration) {
	began := time.Now()
	payload, err := json.Marshal(events.APIGatewayV2HTTPRequest{PathParameters: map[string]string{"id": id},
		Headers: map[string]string{
			"x-api-key": "k", "prefer": "wait=20", "if-none-match": `"` + strconv.Itoa(after) + `.x"`,
		}})
	if err != nil {
		s.t.Error(err)
	}
	out, err := s.Get().Invoke(ctx, payload)
	var got events.APIGatewayV2HTTPResponse
	if err != nil || json.Unmarshal(out, &got) != nil || got.StatusCode != 200 {
		s.t.Errorf("%v, %s", err, out)
	}
	return got.Headers["ETag"][1:2], time.Since(began)
}

// A request that waits reads the record when it comes and after the change that it is answered with; time makes it read
// no more.
func TestWaitReadsOncePerChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, counted := waiting(t, true)
		const waiters = 50
		var answered sync.WaitGroup
		for range waiters {
			answered.Go(func() {
				if version, took := s.wait(t.Context(), "j", 1); version != "2" || took != 19*time.Second {
					t.Errorf("version %s after %s", version, took)
				}
			})
		}
		answered.Go(func() {
			if version, took := s.wait(t.Context(), "k", 1); version != "1" || took != 20*time.Second {
				t.Errorf("another journey: version %s after %s", version, took)
			}
		})
		<-time.After(19 * time.Second)
		synctest.Wait()
		if n := counted.reads.Load(); n != waiters+1 {
			t.Errorf("%d requests read %d times before the change", waiters+1, n)
		}
		s.change("j")
		answered.Wait()
		if n := counted.reads.Load(); n != 2*waiters+1 {
			t.Errorf("%d requests read %d times, one of them without a change", waiters+1, n)
		}
	})
}

// A change between a request's first read and its wait is not missed.
func TestWaitKnowsWhatChangedBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, counted := waiting(t, true)
		counted.then = func(n int64) {
			if n == 1 {
				s.change("j")
			}
		}
		if version, took := s.wait(t.Context(), "j", 1); version != "2" || took != 0 || counted.reads.Load() != 2 {
			t.Errorf("version %s after %s and %d reads", version, took, counted.reads.Load())
		}
	})
}

// However a change and requests that wait for it fall together, all are answered at once.
func TestWaitMissesNoChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, counted := waiting(t, true)
		const rounds, waiters = 50, 4
		for round := range rounds {
			var both sync.WaitGroup
			for range waiters {
				both.Go(func() {
					if version, took := s.wait(t.Context(), "j", 1+round); took != 0 {
						t.Errorf("version %s after %s", version, took)
					}
				})
			}
			both.Go(func() { s.change("j") })
			both.Wait()
		}
		if n := counted.reads.Load(); n > 2*rounds*waiters {
			t.Errorf("%d requests read %d times", rounds*waiters, n)
		}
	})
}

// A request whose caller is gone waits no longer.
func TestWaitIsCancelled(t *testing.T) {
	for name, watched := range map[string]bool{"Watched": true, "Polled": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, counted := waiting(t, watched)
				ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
				defer cancel()
				payload := `{"pathParameters":{"id":"j"},"headers":{"x-api-key":"k","prefer":"wait=20"}}`
				began := time.Now()
				_, _ = s.Get().Invoke(ctx, []byte(payload))
				if took, n := time.Since(began), counted.reads.Load(); took != 100*time.Millisecond || n != 1 {
					t.Errorf("answered after %s and %d reads", took, n)
				}
			})
		})
	}
}

// Without word of changes a request polls, ever more rarely, and reads once more when its time is over.
func TestWaitPolls(t *testing.T) {
	for name, test := range map[string]struct {
		change  time.Duration // after so long
		version string
		within  [2]time.Duration
		reads   int64
	}{
		"Never":        {time.Hour, "1", [2]time.Duration{20 * time.Second, 20 * time.Second}, 15},
		"AtOnce":       {0, "2", [2]time.Duration{0, 250 * time.Millisecond}, 2},
		"Late":         {10 * time.Second, "2", [2]time.Duration{10 * time.Second, 12 * time.Second}, 10},
		"InLastMoment": {20*time.Second - 1, "2", [2]time.Duration{20 * time.Second, 20 * time.Second}, 15},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, counted := waiting(t, false)
				changing := time.AfterFunc(test.change, func() { s.change("j") })
				defer changing.Stop()
				version, took := s.wait(t.Context(), "j", 1)
				if version != test.version || took < test.within[0] || took > test.within[1] {
					t.Errorf("version %s after %s", version, took)
				}
				if n := counted.reads.Load(); n > test.reads {
					t.Errorf("read %d times, want %d at most", n, test.reads)
				}
			})
		})
	}
}
