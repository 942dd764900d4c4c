package iron

import (
	"context"

	"sallyport/shared/gateway"
	"sallyport/shared/operation"
)

// identificationQuery is the input of GetIdentification.
type identificationQuery struct {
	ID    string `json:"id"`
	Scope scope  `json:"scope"`
}

// GetIdentification reads an identification (§6). One of a customer that the tenant may not see is answered as not
// found: only the partner's answer tells whose it is, so that one that isn't there takes as long.
func GetIdentification(c Config) operation.Operation[identificationQuery] {
	return operation.Operation[identificationQuery]{
		Name:   "iron/get-identification",
		Errors: renderIdentificationError,
		Decode: func(req gateway.Request) (in identificationQuery, err error) {
			if in.Scope, err = readScope(req); err != nil {
				return in, err
			}
			in.ID, err = pathID(req, "identificationId")
			return in, err
		},
		Call: func(ctx context.Context, call operation.Call, in identificationQuery) operation.Outcome {
			outcome := c.read(ctx, call, in.Scope, identificationPath(in.ID), nil, messageNoIdentification)
			if outcome.Class != operation.Done {
				return outcome
			}
			found, ok := readIdentification(outcome.Reply.Body)
			if !ok || canonicalID(found.ID) != in.ID {
				return unreadable()
			}
			switch visible, err := call.Visible(ctx, ownedCustomer(canonicalID(found.CustomerID))); {
			case err != nil:
				return operation.Outcome{Class: operation.Unavailable, Code: "ledger_unavailable"}
			case !visible:
				return operation.Outcome{
					Class: operation.Invalid, Code: "http_404", Reply: renderIdentificationError(operation.NoSuchRecord, ""),
				}
			}
			outcome.Refs = found.refs()
			return outcome
		},
		Output: summaryOfIdentification,
	}
}
