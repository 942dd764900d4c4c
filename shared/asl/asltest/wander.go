package asltest

import (
	"errors"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"sallyport/shared/asl"
)

// Wander runs an execution by turns on two machines of one definition, its fate decided by the bits of choices.
func Wander(t *testing.T, m, other *asl.Machine, input, output []byte, choices uint64) {
	t.Helper()
	ex, err := m.Start("name", input, Began)
	if err != nil {
		return
	}
	now, serial := Began, 0
	env := newEnv(&now, &serial)
	decide := func(n uint64) uint64 {
		choices = choices*6364136223846793005 + 1442695040888963407
		return choices >> 33 % n
	}
	var trace Trace
	for range 300 {
		next, err := m.Step(ex, env)
		if err != nil {
			t.Fatal(err)
		}
		trace = append(trace, next.Events...)
		if len(trace) != ex.Events || trace.Transitions() != ex.Transitions {
			t.Fatalf("%d events and %d transitions, but the trace has %d and %d",
				ex.Events, ex.Transitions, len(trace), trace.Transitions())
		}
		text, err := json.Marshal(ex)
		if err != nil {
			t.Fatal(err)
		}
		ex = new(asl.Execution)
		if err := json.Unmarshal(text, ex); err != nil {
			t.Fatal(err)
		}
		m, other = other, m
		switch waits := ex.Waits(); {
		case ex.Status != asl.Running:
			if (ex.Output == nil) == (ex.Error == nil) || ex.Thread != nil {
				t.Fatalf("ended as %s", text)
			}
			return
		case next.Again:
		case len(next.Invocations) > 0:
			result := asl.Result{Began: now, Ended: now.Add(time.Duration(decide(3)) * time.Minute), Output: output}
			switch decide(4) {
			case 0:
				result.Err = asl.FunctionError("Refused", string(output))
			case 1:
				result.Err = asl.FunctionError("Throttled", "")
			}
			now = result.Ended
			if err := m.Returned(ex, next.Invocations[decide(uint64(len(next.Invocations)))].ID, result); err != nil {
				t.Fatal(err)
			}
		case len(waits) > 0 && decide(3) > 0:
			err := m.SendTaskSuccess(ex, now, waits[0].Token, output)
			switch {
			case err == nil:
			case errors.Is(err, asl.ErrInvalidOutput), errors.Is(err, asl.ErrTooLarge), errors.Is(err, asl.ErrTaskClosed):
				m.Abort(ex, now, "", "")
				return
			default:
				t.Fatal(err)
			}
		case next.At.After(now):
			now = next.At
		case len(waits) > 0:
			m.Abort(ex, now, "", "")
			return
		default:
			t.Fatalf("stuck at %v with %+v in %s", now, next, text)
		}
	}
}
