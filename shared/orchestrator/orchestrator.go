// Package orchestrator runs journeys' state machines. Adapters: orchestrator/sfn (AWS Step Functions),
// orchestrator/local (the interpreter of package asl, for one machine).
package orchestrator

import "errors"

// ErrGone: nobody waits with this token any more; it was answered before, has timed out, or its execution has ended.
var ErrGone = errors.New("orchestrator: nobody waits with this token")

// StatusChange is the end of an execution as EventBridge tells it ("Step Functions Execution Status Change").
type StatusChange struct {
	Name   string `json:"name"`   // of the execution: the journey's id
	Status string `json:"status"` // SUCCEEDED, FAILED, TIMED_OUT or ABORTED
	Input  string `json:"input"`  // what it was started with, as JSON text
	Error  string `json:"error"`
}
