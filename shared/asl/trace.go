package asl

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// EventType says what happened.
type EventType string

// What can happen. The comments name the fields that are set besides those of every event.
const (
	ExecutionStarted      EventType = "ExecutionStarted"      // Input
	ExecutionEnded        EventType = "ExecutionEnded"        // Status, and Output or Error and Cause
	StateEntered          EventType = "StateEntered"          // Input; a state transition
	StateExited           EventType = "StateExited"           // Output, Next
	StateFailed           EventType = "StateFailed"           // Error, Cause; neither retried nor caught
	TaskScheduled         EventType = "TaskScheduled"         // Function, Input: the payload
	TaskSucceeded         EventType = "TaskSucceeded"         // Function, Output: the result
	TaskFailed            EventType = "TaskFailed"            // Function, Error, Cause; timeouts as well
	StateRetried          EventType = "StateRetried"          // Error, Cause, Index of the retrier, Until; a transition
	ErrorCaught           EventType = "ErrorCaught"           // Error, Cause, Index of the catcher, Next
	ChoiceTaken           EventType = "ChoiceTaken"           // Index of the choice or ChoiceDefault, Next
	MapIterationStarted   EventType = "MapIterationStarted"   // Index
	MapIterationSucceeded EventType = "MapIterationSucceeded" // Index
	MapIterationFailed    EventType = "MapIterationFailed"    // Index
)

// ChoiceDefault is the Index of a Choice state's Default.
const ChoiceDefault = -1

// Event is something that happened in an execution.
type Event struct {
	ID       int            `json:"id"` // 1, 2, 3 … within the execution
	Time     time.Time      `json:"time"`
	Type     EventType      `json:"type"`
	State    string         `json:"state,omitzero"`
	Path     []int          `json:"path,omitzero"` // indexes of the Map iterations it lies in
	Status   Status         `json:"status,omitzero"`
	Function string         `json:"function,omitzero"`
	Index    int            `json:"index,omitzero"`
	Next     string         `json:"next,omitzero"`
	Until    time.Time      `json:"until,omitzero"`
	Input    jsontext.Value `json:"input,omitzero"`
	Output   jsontext.Value `json:"output,omitzero"`
	Error    string         `json:"error,omitzero"`
	Cause    string         `json:"cause,omitzero"`
}

func (e *Event) fail(err *Error) {
	if err != nil {
		e.Error, e.Cause = err.Name, err.Cause
	}
}

// Trace is what happened in one execution, in order.
type Trace []Event

// States lists the states in the order in which they were entered.
func (tr Trace) States() []string {
	var names []string
	for _, e := range tr {
		if e.Type == StateEntered {
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
		if e.Type == StateEntered || e.Type == StateRetried {
			n++
		}
	}
	return n
}

// Invocations counts the attempts of a function's tasks.
func (tr Trace) Invocations(function string) int {
	n := 0
	for _, e := range tr {
		if e.Type == TaskScheduled && e.Function == function {
			n++
		}
	}
	return n
}

// Largest returns the event with the largest payload, and its size in bytes; MaxPayload is the limit.
func (tr Trace) Largest() (largest Event, size int) {
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

// Coverage begins to measure what traces cover.
func (m *Machine) Coverage() *Coverage {
	c := &Coverage{open: map[string]bool{}}
	m.walk(func(s *state) {
		c.open[covers(Event{Type: StateEntered, State: s.name})] = true
		for i := range s.rules {
			c.open[covers(Event{Type: ChoiceTaken, State: s.name, Index: i})] = true
		}
		if s.fallback != "" {
			c.open[covers(Event{Type: ChoiceTaken, State: s.name, Index: ChoiceDefault})] = true
		}
		for i, r := range s.retriers {
			if r.attempts > 0 {
				c.open[covers(Event{Type: StateRetried, State: s.name, Index: i})] = true
			}
		}
		for i := range s.catchers {
			c.open[covers(Event{Type: ErrorCaught, State: s.name, Index: i})] = true
		}
	})
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

func covers(e Event) string {
	switch e.Type {
	case StateEntered:
		return e.State
	case StateRetried:
		return fmt.Sprintf("%s Retry[%d]", e.State, e.Index)
	case ErrorCaught:
		return fmt.Sprintf("%s Catch[%d]", e.State, e.Index)
	case ChoiceTaken:
		if e.Index == ChoiceDefault {
			return e.State + " Default"
		}
		return fmt.Sprintf("%s Choices[%d]", e.State, e.Index)
	}
	return ""
}
