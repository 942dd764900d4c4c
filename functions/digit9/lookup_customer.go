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

// lookup is the input of LookupCustomer.
type lookup struct {
	identity
	FromStateMachine bool
}

// LookupCustomer finds a customer by an identity document (§5). Its failures come as HTTP 200.
//
// A customer that the tenant may not see is answered as one that isn't there; so is, where tenants share the account,
// one who isn't subscribed, or it would show who of those another tenant has onboarded.
func LookupCustomer(c Config) operation.Operation[lookup] {
	return operation.Operation[lookup]{
		Name:    "digit9/lookup-customer",
		Errors:  c.renderRead(lookupGatewayPath),
		MaxBody: maxLookup,
		Decode:  decodeLookup,
		Call: func(ctx context.Context, call operation.Call, in lookup) operation.Outcome {
			ask := c.ask
			if in.FromStateMachine { // which goes by what is there, not by how it is written
				ask = c.askAsWrittenDown
			}
			found := ask(ctx, call, in.identity)
			switch visible, failed := c.visible(ctx, call, in.identity, &found); {
			case failed != nil:
				return *failed
			case found.Code == codeNotSubscribed && call.Shared():
				return notFound()
			case visible:
				return found
			case in.FromStateMachine:
				return operation.NotYours()
			}
			return notFound()
		},
		Output: summaryOf,
	}
}

func decodeLookup(req gateway.Request) (in lookup, err error) {
	in.FromStateMachine = req.FromStateMachine
	if err := gateway.DecodeJSON(req.Body, &in.identity); err != nil {
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

// classifyRead is the table of lookups and of reading a customer (§9.1, §9.4). Every answer of the business is
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

// visible reports whether the tenant may know what a lookup has found: by the customer's number or, where nobody is
// known to own that, by who has onboarded the document. That somebody is barred whom no tenant has onboarded concerns
// whoever would onboard them. Of a customer that only the document tells to be the tenant's, found says so from then
// on.
func (c Config) visible(
	ctx context.Context, call operation.Call, id identity, found *operation.Outcome,
) (visible bool, failed *operation.Outcome) {
	if found.Class != operation.Done || found.Code == codeNotFound || found.Code == codeNotSubscribed {
		return true, nil
	}
	var owned bool
	var err error
	if ecrn := found.Refs["ecrn"]; ecrn != "" {
		if visible, err = call.Visible(ctx, ownedCustomer(ecrn)); err == nil && !visible {
			owned, err = call.Owned(ctx, ownedCustomer(ecrn))
		}
	}
	document := ownedDocument(call, id)
	if err == nil && !visible && !owned {
		if visible, err = call.Visible(ctx, document); visible && found.Refs["ecrn"] != "" {
			found.Creates = ownedCustomer(found.Refs["ecrn"])
		}
	}
	if err == nil && !visible && found.Code == codeBlocked {
		owned, err = call.Owned(ctx, document)
		visible = !owned
	}
	if err != nil {
		return false, &operation.Outcome{Class: operation.Unavailable, Code: "ledger_unavailable"}
	}
	return visible, nil
}

func notFound() operation.Outcome {
	return operation.Outcome{
		Class: operation.Done, Code: codeNotFound, Reply: camel(http.StatusOK, 404, 45001, messageNotFound),
	}
}

// summaryOf is what a state machine may see of an answer. The customer's number stands in it only where it is known.
func summaryOf(reply gateway.Reply) map[string]any {
	if operation.IsNotYours(reply) {
		return map[string]any{"verdict": string(notYours)}
	}
	var a answer
	a.read(reply.Body)
	out := map[string]any{"verdict": string(a.verdict())}
	if isECRN(a.ECRN) {
		out["ecrn"] = a.ECRN
	}
	return out
}
