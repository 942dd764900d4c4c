package iron

import (
	"context"
	"net/http"

	"sallyport/shared/gateway"
	"sallyport/shared/operation"
	"sallyport/shared/source"
)

// customerQuery is the input of GetCustomer: an id, or for a state machine an external_id.
type customerQuery struct {
	ID         string `json:"id,omitzero"`
	ExternalID string `json:"external_id,omitzero"` // of a state machine's body
	Scope      scope  `json:"scope"`
}

// GetCustomer reads a customer (§3). A state machine may ask for an external_id instead, and is told where there
// is none.
func GetCustomer(c Config) operation.Operation[customerQuery] {
	return operation.Operation[customerQuery]{
		Name:   "iron/get-customer",
		Errors: renderCustomerError,
		Decode: func(req gateway.Request) (in customerQuery, err error) {
			if in.Scope, err = readScope(req); err != nil {
				return in, err
			}
			if req.FromStateMachine && len(req.Body) > 0 {
				var wanted struct {
					ExternalID string `json:"external_id"`
				}
				if err = gateway.DecodeJSON(req.Body, &wanted); err == nil {
					err = checkExternalID(wanted.ExternalID)
				}
				if err == nil && wanted.ExternalID == "" {
					err = &gateway.InputError{
						Pointer: "/external_id", Reason: "must not be empty", Source: source.Interface("what to look for"),
					}
				}
				in.ExternalID = wanted.ExternalID
				return in, err
			}
			in.ID, err = pathID(req, "customerId")
			return in, err
		},
		Resource: func(in customerQuery) string {
			if in.ID == "" {
				return ""
			}
			return ownedCustomer(in.ID)
		},
		Call: func(ctx context.Context, call operation.Call, in customerQuery) operation.Outcome {
			if in.ExternalID != "" {
				return c.findCustomer(ctx, call, in)
			}
			outcome := c.read(ctx, call, in.Scope, customerPath(in.ID), nil, messageNoCustomer)
			if outcome.Class == operation.Done {
				if found, ok := readCustomer(outcome.Reply.Body); !ok || canonicalID(found.ID) != in.ID {
					return unreadable()
				}
				outcome.Refs = map[string]string{"customer_id": in.ID}
			}
			return outcome
		},
		Output: func(reply gateway.Reply) map[string]any {
			out := summaryOfCustomer(reply)
			out["not_yours"] = operation.IsNotYours(reply)
			return out
		},
	}
}

// findCustomer looks for a customer of this tenant's by its external_id; an empty object stands for none.
func (c Config) findCustomer(ctx context.Context, call operation.Call, in customerQuery) operation.Outcome {
	absent := operation.Outcome{Class: operation.Done, Code: "absent", Reply: gateway.JSON(http.StatusOK, []byte("{}"))}
	outcome := c.read(ctx, call, in.Scope, externalPath(in.ExternalID), nil, messageNoCustomer)
	if outcome.Code == "http_404" {
		return absent
	}
	if outcome.Class != operation.Done {
		return outcome
	}
	found, ok := readCustomer(outcome.Reply.Body)
	if !ok {
		return unreadable()
	}
	switch visible, err := call.Visible(ctx, ownedCustomer(canonicalID(found.ID))); {
	case err != nil:
		return operation.Outcome{Class: operation.Unavailable, Code: "ledger_unavailable"}
	case !visible:
		return operation.NotYours()
	}
	outcome.Refs = map[string]string{"customer_id": canonicalID(found.ID)}
	return outcome
}
