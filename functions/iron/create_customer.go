package iron

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"sallyport/shared/gateway"
	"sallyport/shared/operation"
	"sallyport/shared/schema"
	"sallyport/shared/source"
	"sallyport/shared/tolerant"
)

const maxCustomer = 64 << 10 // bytes

// customerCreation is the input of CreateCustomer. What was validated is what is sent; requests are compared by its
// digest.
type customerCreation struct {
	Digest     string
	Scope      scope
	Type       string
	Name       string
	Email      string
	ExternalID string
	Body       jsontext.Value
}

// CreateCustomer creates a customer (§3). The partner honours its key for a day; after that a lost answer is
// settled by looking for the customer among those that are new.
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
				func(bool) *operation.Outcome { return nil }, customerCreated,
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
	if err := invalid(schema.Check(req.Body, source.Published("§3.1"), customerRules(), false)); err != nil {
		return in, err
	}
	said := tolerant.ReadObject(req.Body)
	in.Type, in.Name, in.Email = said.String("customer_type"), asSent(said["name"]), asSent(said["email"])
	in.ExternalID, in.Body = asSent(said["external_id"]), req.Body
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

// findCreated looks for the customer that a lost creation made: one that is not older, that no call is on record for,
// and that agrees with all that was sent. The partner may write down an email address or an external_id in its own way,
// so any other of the type that is as new and on record for no call may be it as well.
func (c Config) findCreated(
	ctx context.Context, call operation.Call, in customerCreation,
) (operation.Outcome, operation.Finding) {
	var alike, unlike []jsontext.Value
	whole, inOrder, before, seen := true, true, time.Time{}, 0
	visit := func(item jsontext.Value) bool {
		found, ok := readCustomer(item)
		if whole = ok && !found.CreatedAt.IsZero(); !whole {
			return false
		}
		inOrder = inOrder && (seen == 0 || !found.CreatedAt.After(before))
		before, seen = found.CreatedAt, seen+1
		switch isNew := since(found.CreatedAt, call.FirstSent); {
		case isNew && in.agrees(found):
			alike = append(alike, item)
		case isNew && (found.Type == "" || tolerant.Same(found.Type, in.Type)):
			unlike = append(unlike, item)
		case !isNew && inOrder && seen >= pageSize:
			return false // a page long the newest came first: what comes after this one is older
		}
		return true
	}
	if in.ExternalID != "" && checkExternalID(in.ExternalID) == nil { // the account may have no list, or too long a one
		named := jsontext.Value(c.read(ctx, call, in.Scope, externalPath(in.ExternalID), nil, messageNoCustomer).Reply.Body)
		if shown, ok := readCustomer(named); ok && in.agrees(shown) && since(shown.CreatedAt, call.FirstSent) {
			found, finding := unclaimed(ctx, call, []jsontext.Value{named}, customerCreated)
			if finding == operation.Found {
				return found, finding
			}
		}
	}
	query := url.Values{"sort_order": {"desc"}}
	switch failed := c.each(ctx, call, in.Scope, customersPath, query, visit); {
	case failed != nil:
		return *failed, operation.Undetermined
	case !whole:
		return unreadable(), operation.Undetermined
	}
	found, finding := unclaimed(ctx, call, alike, customerCreated)
	if finding == operation.NotFound {
		if _, another := unclaimed(ctx, call, unlike, customerCreated); another != operation.NotFound {
			return operation.Outcome{Class: operation.Unavailable, Code: "incomparable"}, operation.Undetermined
		}
	}
	return found, finding
}

// agrees reports whether a customer is as it was to be created. Without a name, the partner may show the email address.
func (in customerCreation) agrees(shown customer) bool {
	named := tolerant.Same(shown.Name, in.Name) || in.Name == "" && tolerant.Same(shown.Name, in.Email)
	return shown.Type == in.Type && tolerant.Same(shown.Email, in.Email) && named &&
		tolerant.Same(shown.ExternalID, in.ExternalID)
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
