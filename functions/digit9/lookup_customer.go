package digit9

import (
	"context"
	"net/http"

	"github.com/go-json-experiment/json"

	"sallyport/shared/gateway"
	"sallyport/shared/operation"
	"sallyport/shared/upstream"
)

const maxLookup = 16 << 10 // bytes

// LookupCustomer finds a customer by an identity document (digit9 §5). Its failures come as HTTP 200.
func LookupCustomer(c Config) operation.Operation[identity] {
	return operation.Operation[identity]{
		Name:    "digit9/lookup-customer",
		Errors:  c.renderRead(lookupGatewayPath),
		MaxBody: maxLookup,
		Decode:  decodeLookup,
		Call: func(ctx context.Context, call operation.Call, in identity) operation.Outcome {
			return hideForeign(ctx, call, c.ask(ctx, call, in))
		},
		Output: summaryOf,
	}
}

func decodeLookup(req gateway.Request) (in identity, err error) {
	if err := gateway.DecodeJSON(req.Body, &in); err != nil {
		return in, err
	}
	switch {
	case in.IDType == "" || len(in.IDType) > 3:
		return in, &gateway.InputError{Pointer: "/idType", Reason: "must have 1 to 3 characters"}
	case in.IDNumber == "" || len(in.IDNumber) > 30:
		return in, &gateway.InputError{Pointer: "/idNumber", Reason: "must have 1 to 30 characters"}
	}
	return in, nil
}

// ask looks up one identity document.
func (c Config) ask(ctx context.Context, call operation.Call, in identity) operation.Outcome {
	body, err := json.Marshal(in)
	if err != nil {
		return operation.Outcome{Class: operation.Invalid, Code: codeInvalid}
	}
	resp, failed := c.send(ctx, call, http.MethodPost, lookupPath, body)
	if failed != nil {
		return *failed
	}
	return classifyRead(resp)
}

// classifyRead is the table of lookups and of reading a customer (digit9 §9.1, §9.4). Every answer of the business is
// final: the code says which. One that nobody knows is taken for a no.
func classifyRead(resp upstream.Response) operation.Outcome {
	var a answer
	readable := a.read(resp.Body)
	outcome := operation.Outcome{
		Class: operation.Refused, Code: codeOf(a, resp.Status), Reply: operation.PassOn(resp), Refs: a.refs(),
	}
	switch {
	case resp.Status >= 500, !readable && resp.Status < 400:
		outcome.Class = operation.Unavailable
		if !readable {
			outcome.Reply = gateway.Reply{}
		}
	case a.succeeded() &&
		isECRN(a.ECRN), a.Code == codeNotFound, a.Code == codeNotSubscribed, a.Code == codeHeld, a.Code == codeBlocked:
		outcome.Class = operation.Done
	case a.Code == codeInvalid:
		outcome.Class = operation.Invalid
	case a.Code == codeSearchFailed:
		outcome.Class = operation.Unavailable
	}
	return outcome
}

// hideForeign answers that a customer of other tenants alone is not found: this one has not onboarded it.
func hideForeign(ctx context.Context, call operation.Call, found operation.Outcome) operation.Outcome {
	if found.Class != operation.Done || found.Refs["ecrn"] == "" {
		return found
	}
	foreign, err := call.OwnedByOther(ctx, ownedCustomer(found.Refs["ecrn"]))
	switch {
	case err != nil:
		return operation.Outcome{Class: operation.Unavailable, Code: "ledger_unavailable"}
	case foreign:
		return notFound()
	}
	return found
}

func notFound() operation.Outcome {
	return operation.Outcome{
		Class: operation.Done, Code: codeNotFound, Reply: camel(http.StatusOK, 404, 45001, messageNotFound),
	}
}

// summaryOf is what a state machine may see of an answer. The customer's number stands in it only where it is known.
func summaryOf(reply gateway.Reply) map[string]any {
	var a answer
	a.read(reply.Body)
	out := map[string]any{"verdict": string(a.verdict())}
	if isECRN(a.ECRN) {
		out["ecrn"] = a.ECRN
	}
	return out
}
