package asl

import (
	"context"
	"errors"
	"time"
)

// Invoker invokes a function; what it fails with is as in Result. It has to heed the context.
type Invoker func(context.Context, Invocation) (output []byte, err error)

// Drive steps an execution and makes its invocations, one after another, until it has ended or waits for a time or a
// token; it returns the last Next. The execution is as it was last saved. Drive saves it before each invocation and
// before it returns, with what happened since the last save, if anything has changed since then: an execution that only
// waits is not saved. Drive fails with what save fails with, and with the context's error; then the execution is to be
// loaded again as it was last saved.
func (m *Machine) Drive(
	ctx context.Context, ex *Execution, env Env, invoke Invoker, save func([]Event) error,
) (Next, error) {
	returned := false // what came of an invocation is not saved yet; until it is, only Step does anything
	for {
		next, err := m.Step(ex, env)
		if err != nil {
			return next, err
		}
		if len(next.Events) > 0 || returned {
			if err := save(next.Events); err != nil {
				return next, err
			}
		}
		if returned = false; next.Again {
			continue
		}
		if len(next.Invocations) == 0 {
			return next, nil
		}
		invocation := next.Invocations[0]
		result, err := perform(ctx, env, invocation, invoke)
		if err != nil {
			return next, err
		}
		err = m.Returned(ex, invocation.ID, result)
		if err != nil && !errors.Is(err, ErrTaskClosed) {
			return next, err
		}
		returned = err == nil
	}
}

// perform makes one invocation, within the time that its state allows.
func perform(ctx context.Context, env Env, invocation Invocation, invoke Invoker) (Result, error) {
	limited := ctx
	if invocation.Timeout > 0 {
		var cancel context.CancelFunc
		limited, cancel = context.WithTimeout(ctx, invocation.Timeout)
		defer cancel()
	}
	result, began := Result{Began: env.Now()}, time.Now()
	result.Output, result.Err = invoke(limited, invocation)
	result.Ended = result.Began.Add(time.Since(began)) // a function takes its time by the clock, however fast env's passes
	if ctx.Err() != nil && result.Err != nil {
		return result, ctx.Err()
	}
	if limited.Err() != nil && result.Err != nil {
		result.Err = limited.Err()
	}
	return result, nil
}
