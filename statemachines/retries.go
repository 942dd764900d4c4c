package statemachines

import (
	"slices"

	"sallyport/shared/asl/flow"
)

// transient are the errors that pass by themselves: a function that ran too long or crashed, and Lambda's own.
var transient = []string{
	"Sandbox.Timedout", "Runtime.ExitError", "Lambda.Unknown", "Lambda.ServiceException", "Lambda.AWSLambdaException",
	"Lambda.SdkClientException", "Lambda.ClientExecutionTimeoutException", "Lambda.TooManyRequestsException",
}

// backoff retries errors after pauses that double, up to a minute.
func backoff(attempts, interval int, errors ...string) flow.Retry {
	return flow.Retry{
		ErrorEquals: errors, IntervalSeconds: interval, BackoffRate: 2, MaxAttempts: attempts,
		MaxDelaySeconds: 60, JitterStrategy: "FULL",
	}
}

// with returns errors and the transient ones.
func with(errors ...string) []string { return slices.Concat(errors, transient) }

// inFlight waits, without jitter, for the lease of an attempt that may still be running to end.
var inFlight = flow.Retry{ErrorEquals: []string{"InFlight"}, IntervalSeconds: 36, BackoffRate: 1, MaxAttempts: 4}

// One policy for each purpose.
var (
	// retryStep is for the steps of a journey: settings, and the record of its end.
	retryStep = []flow.Retry{backoff(12, 2, with("Unavailable", "States.Timeout")...)}
	// retryAwait is for waits, whose timeout is an end like another.
	retryAwait = []flow.Retry{backoff(6, 2, with("Unavailable")...)}
	// retryRead is for reads.
	retryRead = []flow.Retry{backoff(6, 2, with("Throttled", "Unavailable", "States.Timeout")...)}
	// retryEffect is for effects that the function never repeats, or whose repeat the partner recognises.
	retryEffect = append(slices.Clone(retryRead), inFlight)
	// retryLookup is for effects whose lost outcome the function looks up.
	retryLookup = []flow.Retry{backoff(8, 5, "Throttled"), quiet, inFlight}
)

// quiet retries until well past the quiet period of a minute, before which a lookup's no doesn't count, and for about
// ten minutes: jitter halves the pauses on the average.
var quiet = flow.Retry{
	ErrorEquals: with("Unavailable", "States.Timeout"), IntervalSeconds: 20, BackoffRate: 1.5, MaxAttempts: 14,
	MaxDelaySeconds: 120, JitterStrategy: "FULL",
}
