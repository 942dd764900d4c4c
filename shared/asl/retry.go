package asl

import (
	"math"
	"slices"
	"strings"
	"time"
)

// The defaults of a retrier, and the longest delay that any can ask for
// (docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html).
const (
	defaultInterval = 1
	defaultAttempts = 3
	defaultBackoff  = 2.0
	maxDelay        = 31_622_400 // seconds, 366 days
)

type retrier struct {
	errors   []string
	interval int // seconds
	attempts int
	backoff  float64
	limit    int // seconds; zero for maxDelay
	jitter   bool
}

type catcher struct {
	errors     []string
	next       string
	resultPath filter
}

// delay is how long to wait before the retry of the given number, counted from zero. rand returns [0,1).
func (r retrier) delay(retry int, rand func() float64) time.Duration {
	limit := float64(maxDelay)
	if r.limit > 0 {
		limit = float64(r.limit)
	}
	seconds := min(limit, float64(r.interval)*math.Pow(r.backoff, float64(retry)))
	if r.jitter {
		seconds *= rand()
	}
	return time.Duration(seconds * float64(time.Second))
}

func (p *parser) retriers(f *fields) (all []retrier) {
	list := f.list("Retry")
	for i, value := range list {
		g := p.fields(f.child("Retry").index(i), value)
		r := retrier{
			errors:   p.errorEquals(g, i == len(list)-1),
			interval: defaultInterval, attempts: defaultAttempts, backoff: defaultBackoff,
		}
		if n, ok := g.whole("IntervalSeconds", 1, maxSeconds); ok {
			r.interval = n
		}
		if n, ok := g.whole("MaxAttempts", 0, maxSeconds); ok {
			r.attempts = n
		}
		if v, ok := g.get("BackoffRate"); ok {
			n, _ := v.(number)
			if r.backoff = n.float(); !(r.backoff >= 1) || math.IsInf(r.backoff, 1) {
				g.fail("BackoffRate", "must be a number of at least 1")
			}
		}
		if n, ok := g.whole("MaxDelaySeconds", 1, maxDelay-1); ok {
			if r.limit = n; n <= r.interval {
				g.fail("MaxDelaySeconds", "must be greater than IntervalSeconds")
			}
		}
		if strategy, ok := g.text("JitterStrategy"); ok {
			if r.jitter = strategy == "FULL"; !r.jitter && strategy != "NONE" {
				g.fail("JitterStrategy", "must be FULL or NONE")
			}
		}
		g.done()
		all = append(all, r)
	}
	return all
}

func (p *parser) catchers(f *fields) (all []catcher) {
	list := f.list("Catch")
	for i, value := range list {
		g := p.fields(f.child("Catch").index(i), value)
		all = append(all, catcher{errors: p.errorEquals(g, i == len(list)-1), resultPath: g.target(), next: g.must("Next")})
		g.done()
	}
	return all
}

func (p *parser) errorEquals(f *fields, last bool) (names []string) {
	f.required("ErrorEquals")
	list := f.list("ErrorEquals")
	for i, value := range list {
		name, ok := value.(string)
		at := f.child("ErrorEquals").index(i)
		switch {
		case !ok || name == "":
			p.fail(at, "must be a string")
		case name == StatesRuntime, name == StatesDataLimitExceeded:
			p.fail(at, "%s ends the execution: it can't be retried or caught", name)
		case strings.HasPrefix(name, "States.") && !slices.Contains(reserved(), name):
			p.fail(at, "%s is not supported, only %s", name, strings.Join(reserved(), ", "))
		case name == StatesAll && (len(list) > 1 || !last):
			p.fail(at, "States.ALL must be alone and come last")
		}
		names = append(names, name)
	}
	return names
}
