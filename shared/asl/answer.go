package asl

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// Invocation is a function to be invoked. ID names it within its execution: whoever invokes remembers which IDs are
// under way, and after a restart invokes all that Step names.
type Invocation struct {
	ID       int
	State    string
	Path     []int // indexes of the Map iterations it lies in
	Function string
	Payload  jsontext.Value
	Token    string        // empty unless the state waits for it
	Timeout  time.Duration // of the state; zero for none
}

// Result is what came of an invocation. A state's timeout counts from Began. Err may be an *Error, which carries the
// name that ErrorEquals sees; context.DeadlineExceeded, which is States.Timeout; or anything else, which is
// Lambda.Unknown.
type Result struct {
	Began, Ended time.Time
	Output       []byte // JSON; empty for null
	Err          error
}

// Returned records what came of an invocation; Step goes on from there. A result that took longer than the state may
// is States.Timeout. Step does not watch what is under way: who invokes must give up after Invocation.Timeout. The
// output of a function whose state waits for a task token is dropped.
//
// It fails with ErrTaskClosed if nobody waits for the invocation any more. That is no fault: the token was answered
// before the function returned, or another iteration of the same Map has failed.
func (m *Machine) Returned(ex *Execution, id int, result Result) error {
	t := ex.find(func(t *Thread) bool { return t.Phase == Scheduled && t.Task.ID == id })
	if t == nil {
		return ErrTaskClosed
	}
	timeout := time.Duration(t.Task.Timeout) * time.Second
	var named *Error
	switch {
	case timeout > 0 && result.Ended.Sub(result.Began) >= timeout, errors.Is(result.Err, context.DeadlineExceeded):
		t.settle(nil, &Error{Name: StatesTimeout})
	case errors.As(result.Err, &named):
		t.settle(nil, mended(named.Name, named.Cause))
	case result.Err != nil:
		t.settle(nil, mended(LambdaUnknown, result.Err.Error()))
	case t.Task.Token == "":
		t.settle(parsed(result.Output))
	default:
		t.Phase = Submitted
		if timeout > 0 {
			t.Task.Deadline = result.Began.Add(timeout)
		}
	}
	return nil
}

// parsed is a function's output as compact JSON.
func parsed(output []byte) (jsontext.Value, *Error) {
	if len(bytes.TrimSpace(output)) == 0 {
		return jsontext.Value("null"), nil
	}
	v, err := decode(output, false)
	if err != nil {
		return nil, runtimeError("The output of the function is not JSON.")
	}
	return encode(v), nil
}

// mended is an error without anything that JSON can't hold.
func mended(name, cause string) *Error {
	return &Error{Name: strings.ToValidUTF8(name, "\uFFFD"), Cause: strings.ToValidUTF8(cause, "\uFFFD")}
}

func (t *Thread) settle(output jsontext.Value, err *Error) {
	t.Phase, t.Task.Output, t.Task.Error = Settled, output, err
}

// expired reports whether a task's time is up.
func (a *Attempt) expired(now time.Time) bool { return !a.Deadline.IsZero() && !now.Before(a.Deadline) }

// SendTaskSuccess answers a task token; Step goes on from there. A token may be answered as soon as it exists, before
// its function has returned. It fails with ErrTaskClosed, ErrInvalidOutput or ErrTooLarge.
func (m *Machine) SendTaskSuccess(ex *Execution, now time.Time, token string, output []byte) error {
	t := ex.find(func(t *Thread) bool {
		return token != "" && t.Task.Token == token && (t.Phase == Scheduled || t.Phase == Submitted)
	})
	if t == nil || t.Task.expired(now) {
		return ErrTaskClosed
	}
	v, err := decode(output, false)
	if err != nil {
		return ErrInvalidOutput
	}
	text := encode(v)
	if len(text) > MaxPayload {
		return ErrTooLarge
	}
	t.settle(text, nil)
	return nil
}
