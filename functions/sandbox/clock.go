package sandbox

import (
	"math"
	"time"
)

// clock tells the time and how much of it has passed for the sandbox: durations are scaled, timestamps are real.
type clock struct {
	now   func() time.Time
	scale float64 // sandbox seconds per real second, above 0
}

// elapsed returns how much sandbox time lies between two real times.
func (c clock) elapsed(from, to time.Time) time.Duration {
	return clamp(float64(to.Sub(from)) * c.scale)
}

// real returns how long a sandbox duration really takes.
func (c clock) real(d time.Duration) time.Duration {
	return clamp(float64(d) / c.scale)
}

// clamp keeps a large scale from overflowing a duration (292 years).
func clamp(ns float64) time.Duration {
	switch {
	case ns >= math.MaxInt64:
		return math.MaxInt64
	case ns <= math.MinInt64:
		return math.MinInt64
	}
	return time.Duration(ns)
}
