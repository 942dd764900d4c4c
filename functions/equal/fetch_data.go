package equal

import (
	"context"

	"sallyport/shared/gateway"
	"sallyport/shared/operation"
)

// FetchData reads the result of a journey that was still in progress (§2, Q3). It changes nothing.
func FetchData(c Config) operation.Operation[fetchRequest] {
	return operation.Operation[fetchRequest]{
		Name:     "equal/fetch-data",
		Errors:   renderError,
		MaxBody:  maxRequest,
		Decode:   decodeFetch,
		Resource: func(in fetchRequest) string { return ownedTransaction(in.TransactionID) },
		Call: func(ctx context.Context, call operation.Call, in fetchRequest) operation.Outcome {
			outcome, e := c.post(ctx, call, fetchPath, in, "")
			outcome.Refs = e.refs(nil)
			return outcome
		},
		Output: summary,
	}
}

func decodeFetch(req gateway.Request) (in fetchRequest, err error) {
	if err := gateway.DecodeJSON(req.Body, &in); err != nil {
		return in, err
	}
	switch {
	case in.TransactionID == "":
		return in, required("transaction_id", "/transaction_id")
	case in.JourneyTransactionID == "":
		return in, required("journey_transaction_id", "/journey_transaction_id")
	}
	return in, checkIDs("/transaction_id", in.TransactionID, "/journey_transaction_id", in.JourneyTransactionID)
}
