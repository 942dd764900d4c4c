package sandbox

import (
	"sync"
	"time"
)

// limiter is a token bucket per client, in memory: each process has its own, and a restart fills them.
type limiter struct {
	rate  float64 // requests per sandbox second, and the most that a bucket holds; not above 0: no limit
	clock clock

	mu      sync.Mutex
	buckets map[string]bucket
}

type bucket struct {
	tokens float64
	at     time.Time
}

// allow takes a token from the client's bucket and reports whether there was one.
func (l *limiter) allow(client string, now time.Time) bool {
	if l == nil || l.rate <= 0 {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	b, ok := l.buckets[client]
	if !ok {
		b = bucket{tokens: l.rate, at: now}
	}
	if passed := l.clock.elapsed(b.at, now); passed > 0 {
		b.tokens, b.at = min(l.rate, b.tokens+l.rate*passed.Seconds()), now
	}
	allowed := b.tokens >= 1
	if allowed {
		b.tokens--
	}
	if l.buckets == nil {
		l.buckets = map[string]bucket{}
	}
	l.buckets[client] = b
	return allowed
}

// forget fills all buckets.
func (l *limiter) forget() {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.buckets = nil
}
