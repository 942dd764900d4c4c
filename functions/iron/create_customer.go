package iron

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"sallyport/shared/gateway"
	"sallyport/shared/operation"
	"sallyport/shared/schema"
	"sallyport/shared/tolerant"
)

const maxCustomer = 64 << 10 // bytes

// customerCreation is the input of CreateCustomer. What was validated is what is sent; requests are compared by its
// digest.
type customerCreation struct {
	Digest     string
	Scope      scope
	Type       string
	Email      string
	ExternalID string
	Body       jsontext.Value
}

// CreateCustomer creates a customer (iron §3). The partner honours its key for a day; after that a lost answer is
// settled by looking for the customer, by the external_id or else by the email address.
func CreateCustomer(c Config) operation.Operation[customerCreation] {
	return operation.Operation[customerCreation]{
		Name:    "iron/create-customer",
		Errors:  renderCustomerError,
		MaxBody: maxCustomer,
		Decode:  decodeCustomer,

		CanonicalKey: canonicalID,
		Fingerprint: func(in customerCreation) any {
			return operation.Fields("digest", in.Digest, "scope", in.Scope)
		},
		OnUnknown:     func(customerCreation) operation.Resolution { return operation.SafeRetry },
		PartnerKeyTTL: c.keyLife(),
		Call: func(ctx context.Context, call operation.Call, in customerCreation) operation.Outcome {
			find := func() (operation.Outcome, operation.Finding) { return c.findCreated(ctx, call, in) }
			return c.create(
				ctx, call, request{path: customersPath, body: in.Body, scope: in.Scope}, find,
				func() *operation.Outcome { return nil }, customerCreated,
			)
		},
		Lookup: c.findCreated,
		Output: summaryOfCustomer,
	}
}

func decodeCustomer(req gateway.Request) (in customerCreation, err error) {
	if err := requireKey(req); err != nil {
		return in, err
	}
	if in.Scope, err = readScope(req); err != nil {
		return in, err
	}
	if err := gateway.CheckJSON(req.Body); err != nil {
		return in, err
	}
	if err := invalid(schema.Check(req.Body, customerRules(), false)); err != nil {
		return in, err
	}
	var said struct {
		Type       string `json:"customer_type"`
		Email      string `json:"email"`
		ExternalID string `json:"external_id"`
	}
	if err := tolerant.Read(req.Body, &said); err != nil {
		return in, &gateway.InputError{Reason: "is not valid"}
	}
	in.Type, in.Email, in.ExternalID, in.Body = said.Type, said.Email, said.ExternalID, req.Body
	in.Digest, err = gateway.DigestJSON(req.Body)
	return in, err
}

// customerCreated reads the answer to a creation.
func customerCreated(reply gateway.Reply) operation.Outcome {
	customer, ok := readCustomer(reply.Body)
	if !ok {
		return operation.Outcome{Class: operation.Unknown, Code: "no_customer_id", Reply: reply}
	}
	customer.ID = canonicalID(customer.ID)
	return operation.Outcome{
		Class: operation.Done, Code: "ok", Reply: reply, Creates: ownedCustomer(customer.ID),
		Refs: map[string]string{"customer_id": customer.ID},
	}
}

// findCreated looks for the customer that a lost creation made: one that is not older, and that no call is on record
// for.
func (c Config) findCreated(
	ctx context.Context, call operation.Call, in customerCreation,
) (operation.Outcome, operation.Finding) {
	matches, whole := []jsontext.Value{}, true
	match := func(item jsontext.Value) bool {
		found, ok := readCustomer(item)
		if whole = ok && isTime(found.CreatedAt); !whole {
			return false
		}
		if found.Type == in.Type && strings.EqualFold(found.Email, in.Email) &&
			tolerant.String(found.ExternalID) == in.ExternalID && since(found.CreatedAt, call.FirstSent) {
			matches = append(matches, item)
		}
		return true
	}
	if in.ExternalID != "" {
		outcome := c.read(ctx, call, in.Scope, externalPath(in.ExternalID), nil, messageNoCustomer)
		switch {
		case outcome.Class == operation.Done:
			match(outcome.Reply.Body)
		case outcome.Code != "http_404":
			return outcome, operation.Undetermined
		}
	} else if failed := c.each(
		ctx, call, in.Scope, customersPath, url.Values{"search_term": {in.Email}}, match,
	); failed != nil {
		return *failed, operation.Undetermined
	}
	if !whole {
		return unreadable(), operation.Undetermined
	}
	return unclaimed(ctx, call, matches, customerCreated)
}

// unclaimed picks the first record that no call is on record for as its creator.
func unclaimed(
	ctx context.Context, call operation.Call, items []jsontext.Value, read func(gateway.Reply) operation.Outcome,
) (operation.Outcome, operation.Finding) {
	for _, item := range items {
		found := read(gateway.JSON(http.StatusCreated, item))
		switch owned, err := call.Owned(ctx, found.Creates); {
		case err != nil:
			return operation.Outcome{Class: operation.Unavailable, Code: "ledger_unavailable"}, operation.Undetermined
		case !owned:
			return found, operation.Found
		}
	}
	return operation.Outcome{}, operation.NotFound
}

func summaryOfCustomer(reply gateway.Reply) map[string]any {
	found, _ := readCustomer(reply.Body)
	return map[string]any{"customer_id": canonicalID(found.ID)}
}
