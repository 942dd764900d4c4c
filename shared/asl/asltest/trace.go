package asltest

import (
	"fmt"
	"maps"
	"slices"

	"sallyport/shared/asl"
)

// Trace is what happened in one execution, in order.
type Trace []asl.Event

// States lists the states in the order in which they were entered.
func (tr Trace) States() []string {
	var names []string
	for _, e := range tr {
		if e.Type == asl.StateEntered {
			names = append(names, e.State)
		}
	}
	return names
}

// Transitions counts state transitions as AWS bills them: each time a step is executed, retries included
// (aws.amazon.com/step-functions/pricing). A Map counts as one, and each state within it in each iteration.
func (tr Trace) Transitions() int {
	n := 0
	for _, e := range tr {
		if e.Type == asl.StateEntered || e.Type == asl.StateRetried {
			n++
		}
	}
	return n
}

// Invocations counts the attempts of a function's tasks.
func (tr Trace) Invocations(function string) int {
	n := 0
	for _, e := range tr {
		if e.Type == asl.TaskScheduled && e.Function == function {
			n++
		}
	}
	return n
}

// Largest returns the event with the largest payload, and its size in bytes; asl.MaxPayload is the limit.
func (tr Trace) Largest() (largest asl.Event, size int) {
	for _, e := range tr {
		if n := max(len(e.Input), len(e.Output)); n > size {
			largest, size = e, n
		}
	}
	return largest, size
}

// Coverage lists which parts of a definition no trace has gone through: states, choices and defaults, retriers and
// catchers.
type Coverage struct{ open map[string]bool }

// NewCoverage begins to measure what traces cover.
func NewCoverage(m *asl.Machine) *Coverage {
	c := &Coverage{open: map[string]bool{}}
	for _, s := range m.States() {
		c.open[covers(asl.Event{Type: asl.StateEntered, State: s.Name})] = true
		for i := range s.Choices {
			c.open[covers(asl.Event{Type: asl.ChoiceTaken, State: s.Name, Index: i})] = true
		}
		if s.HasDefault {
			c.open[covers(asl.Event{Type: asl.ChoiceTaken, State: s.Name, Index: asl.ChoiceDefault})] = true
		}
		for i, r := range s.Retry {
			if r.MaxAttempts > 0 {
				c.open[covers(asl.Event{Type: asl.StateRetried, State: s.Name, Index: i})] = true
			}
		}
		for i := range s.Catch {
			c.open[covers(asl.Event{Type: asl.ErrorCaught, State: s.Name, Index: i})] = true
		}
	}
	return c
}

// Add counts a trace in.
func (c *Coverage) Add(trace Trace) {
	for _, e := range trace {
		delete(c.open, covers(e))
	}
}

// Missing lists what is not covered yet, such as "Verify Retry[0]".
func (c *Coverage) Missing() []string { return slices.Sorted(maps.Keys(c.open)) }

func covers(e asl.Event) string {
	switch e.Type {
	case asl.StateEntered:
		return e.State
	case asl.StateRetried:
		return fmt.Sprintf("%s Retry[%d]", e.State, e.Index)
	case asl.ErrorCaught:
		return fmt.Sprintf("%s Catch[%d]", e.State, e.Index)
	case asl.ChoiceTaken:
		if e.Index == asl.ChoiceDefault {
			return e.State + " Default"
		}
		return fmt.Sprintf("%s Choices[%d]", e.State, e.Index)
	}
	return ""
}

// ErrorEquals lists every error name that a Retry or Catch of a machine mentions.
func ErrorEquals(m *asl.Machine) []string {
	var names []string
	for _, s := range m.States() {
		for _, r := range s.Retry {
			names = append(names, r.ErrorEquals...)
		}
		for _, c := range s.Catch {
			names = append(names, c.ErrorEquals...)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
