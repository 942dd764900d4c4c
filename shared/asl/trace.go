package asl

import (
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

// of returns the event with an error, if there is one.
func (e Event) of(err *Error) Event {
	if err != nil {
		e.Error, e.Cause = err.Name, err.Cause
	}
	return e
}
