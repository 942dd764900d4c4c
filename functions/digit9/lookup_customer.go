package digit9

import (
	"context"
	"net/http"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"sallyport/shared/gateway"
	"sallyport/shared/operation"
	"sallyport/shared/source"
	"sallyport/shared/tolerant"
	"sallyport/shared/upstream"
)

const maxLookup = 16 << 10 // bytes

// lookup is the input of LookupCustomer, whose body goes on as it came.
type lookup struct {
	identity
	Body             jsontext.Value
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
			found := ask(ctx, call, in.identity, in.Body)
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

// decodeLookup demands what the page demands (§5.1), and passes on whatever else stands there.
func decodeLookup(req gateway.Request) (in lookup, err error) {
	in.Body, in.FromStateMachine = req.Body, req.FromStateMachine
	if err := gateway.CheckJSON(req.Body); err != nil {
		return in, err
	}
	if in.Body.Kind() != '{' {
		return in, &gateway.InputError{Reason: "must be an object", Source: source.Published("§5.1")}
	}
	spellings := map[string]int{}
	for name, value := range members(in.Body) {
		spellings[tolerant.Fold(name)]++
		switch name {
		case "idType":
			in.IDType = asWritten(value)
		case "idNumber":
			in.IDNumber = asWritten(value)
		}
	}
	for _, name := range []string{"idType", "idNumber"} {
		if spellings[tolerant.Fold(name)] > 1 {
			return in, &gateway.InputError{
				Pointer: "/" + name, Reason: "must stand once, however it is spelled",
				Source: source.Safety("the customer's owner is checked"),
			}
		}
	}
	switch {
	case !within(in.IDType, maxIDType):
		return in, &gateway.InputError{
			Pointer: "/idType", Reason: "must have 1 to 3 characters", Source: source.Published("§5.1"),
		}
	case !within(in.IDNumber, maxIDNumber):
		return in, &gateway.InputError{
			Pointer: "/idNumber", Reason: "must have 1 to 30 characters", Source: source.Published("§5.1"),
		}
	}
	return in, nil
}

// ask looks up one identity document, in these words or, without a body, in the gateway's own.
func (c Config) ask(ctx context.Context, call operation.Call, in identity, body jsontext.Value) operation.Outcome {
	if body == nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return operation.Outcome{Class: operation.Invalid, Code: codeInvalid}
		}
	}
	resp, failed := c.send(ctx, call, http.MethodPost, lookupPath, body)
	if failed != nil {
		return *failed
	}
	return classifyRead(resp)
}

// classifyRead is the table of lookups and of reading a customer (§9.1, §9.4). Every answer of the business is
// final: the code says which. One that nobody knows decides nothing.
func classifyRead(resp upstream.Response) operation.Outcome {
	a, readable := readAnswer(resp.Status, resp.Body)
	outcome := operation.Outcome{
		Class: operation.Refused, Code: codeOf(a, resp.Status), Reply: operation.PassOn(resp), Refs: a.refs(),
	}
	switch {
	case resp.Status >= 500, !readable && resp.Status < 400:
		outcome.Class = operation.Unavailable
		if !readable {
			outcome.Reply = gateway.Reply{}
		}
	case a.succeeded() && isECRN(a.ECRN), a.isAbsent(), a.failed(codeHeld), a.isBlocked():
		outcome.Class = operation.Done
	case a.failed(codeInvalid):
		outcome.Class = operation.Invalid
	case a.failed(codeSearchFailed):
		outcome.Class = operation.Unavailable
	case a.Status == statusSuccess, a.Code == codeBlocked: // not as the page has it
		outcome.Code = codeUndocumented
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
	if found.Code == codeNotFound || found.Code == codeNotSubscribed ||
		found.Class != operation.Done && found.Code != codeUndocumented {
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
	a, _ := readAnswer(reply.Status, reply.Body)
	out := map[string]any{"verdict": string(a.verdict())}
	if isECRN(a.ECRN) {
		out["ecrn"] = a.ECRN
	}
	return out
}
