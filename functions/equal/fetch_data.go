package equal

import (
	"context"
	"net/http"

	"sallyport/shared/gateway"
	"sallyport/shared/operation"
	"sallyport/shared/source"
)

// reading is the body of a request to read what became of a step (§5.5).
type reading struct {
	request
	transactionID string
}

// FetchData reads the result of a journey that was still in progress (§2.1). It changes nothing. That there is none yet
// is no failure of the call: a state machine reads it like an answer.
func FetchData(c Config) operation.Operation[reading] {
	return operation.Operation[reading]{
		Name:     "equal/fetch-data",
		Errors:   renderError,
		MaxBody:  maxRequest,
		Decode:   decodeFetch,
		Resource: func(in reading) string { return ownedTransaction(in.transactionID) },
		Call: func(ctx context.Context, call operation.Call, in reading) operation.Outcome {
			outcome, e := c.post(ctx, call, fetchPath, in.body)
			outcome.Refs = e.refs(nil)
			if e.isUndocumented(outcome.Class) {
				outcome.Class = operation.Conflict
			}
			return outcome
		},
		ConflictIsResult: true,
		OutputRefs:       []string{refMismatch},
		Output:           summaryOfReading,
	}
}

func decodeFetch(req gateway.Request) (in reading, err error) {
	if in.request, err = readRequest(req); err != nil {
		return in, err
	}
	if in.transactionID, err = in.transaction(); err != nil {
		return in, err
	}
	if isBlank(in.members["journey_transaction_id"]) {
		return in, required("journey_transaction_id", "/journey_transaction_id", source.Published("§5.5"))
	}
	return in, nil
}

// isUndocumented reports whether an answer is none that a page has, and no failure of the partner's either: it may
// mean that there is no result yet.
func (e envelope) isUndocumented(class operation.Class) bool {
	return class == operation.Refused && e.httpStatus != http.StatusOK ||
		class == operation.Unknown && e.httpStatus > 0 && e.httpStatus < 400 && e.Status != statusFailure
}

// summaryOfReading is what a state machine may see of a result, or that there is none yet.
func summaryOfReading(reply gateway.Reply) map[string]any {
	out := summary(reply)
	if reply.Status != http.StatusOK || out["status"] != statusSuccess {
		out["status"] = statusInProgress
	}
	return out
}
