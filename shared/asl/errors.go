package asl

import (
	"errors"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
)

// The names of the errors that Step Functions itself reports
// (docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html).
const (
	StatesAll                    = "States.ALL"
	StatesTimeout                = "States.Timeout"
	StatesRuntime                = "States.Runtime"
	StatesDataLimitExceeded      = "States.DataLimitExceeded"
	StatesNoChoiceMatched        = "States.NoChoiceMatched"
	StatesResultPathMatchFailure = "States.ResultPathMatchFailure"
	StatesIntrinsicFailure       = "States.IntrinsicFailure"
)

// LambdaUnknown is the error of an invocation that ended in another way than by the function's own answer.
const LambdaUnknown = "Lambda.Unknown"

// reserved are the names below "States." that an ErrorEquals may hold. States.Runtime and States.DataLimitExceeded are
// not among them: neither is retried nor caught.
func reserved() []string {
	return []string{StatesAll, StatesTimeout, StatesNoChoiceMatched, StatesResultPathMatchFailure, StatesIntrinsicFailure}
}

// Error is the error output of a state: what a Catch hands on, and what a failed execution ends with.
type Error struct {
	Name  string `json:"Error"`
	Cause string `json:"Cause"`
}

func (e *Error) Error() string {
	if e.Cause == "" {
		return e.Name
	}
	return e.Name + ": " + e.Cause
}

// FunctionError is how a function's own error reaches the state machine: named after its type, with Lambda's JSON
// {"errorMessage","errorType"} as its cause.
func FunctionError(errorType, message string) *Error {
	cause, err := json.Marshal(struct {
		Message string `json:"errorMessage"`
		Type    string `json:"errorType"`
	}{message, errorType})
	if err != nil {
		cause = []byte(`{}`)
	}
	return &Error{Name: errorType, Cause: string(cause)}
}

func runtimeError(cause string) *Error { return &Error{Name: StatesRuntime, Cause: cause} }

// terminal errors end the execution whatever Retry and Catch say.
func (e *Error) terminal() bool { return e.Name == StatesRuntime || e.Name == StatesDataLimitExceeded }

// matches reports whether an ErrorEquals covers the error.
func (e *Error) matches(errorEquals []string) bool {
	if e.terminal() {
		return false
	}
	return slices.ContainsFunc(errorEquals, func(name string) bool {
		return name == StatesAll || name == e.Name
	})
}

// What the methods of Machine fail with.
var (
	// ErrTaskClosed: no task waits for this token or invocation: there never was one, it was answered, it timed out, or
	// its execution ended.
	ErrTaskClosed = errors.New("asl: no task waits for this")
	// ErrInvalidOutput: a task's output is not JSON.
	ErrInvalidOutput = errors.New("asl: the output is not JSON")
	// ErrTooLarge: an input or a token's output exceeds MaxPayload.
	ErrTooLarge = errors.New("asl: larger than a state's payload may be")
	// ErrOtherDefinition: the execution was started by another definition, or damaged since.
	ErrOtherDefinition = errors.New("asl: the execution is not one of this definition")
)

// Problem is one reason why a definition is refused.
type Problem struct {
	Pointer string // JSON pointer into the definition
	State   string // name of the state; empty for the machine itself
	Reason  string
}

func (p Problem) String() string {
	where := p.Pointer
	if where == "" {
		where = "/"
	}
	if p.State != "" {
		where += " (state " + p.State + ")"
	}
	return where + ": " + p.Reason
}

// DefinitionError lists everything for which Parse refuses a definition.
type DefinitionError struct{ Problems []Problem }

func (e *DefinitionError) Error() string {
	lines := make([]string, len(e.Problems))
	for i, problem := range e.Problems {
		lines[i] = problem.String()
	}
	return "asl: " + strings.Join(lines, "\n")
}
