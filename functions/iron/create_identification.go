package iron

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"sallyport/shared/gateway"
	"sallyport/shared/operation"
	"sallyport/shared/source"
)

// maxIdentification caps what a state machine sends, with its files, in bytes. A caller sends what a Lambda takes.
const maxIdentification = 40 << 20

// identificationCreation is the input of CreateIdentification. What was validated is what is sent; requests are
// compared by its digest.
type identificationCreation struct {
	Digest     string
	CustomerID string
	Generation string
	Scope      scope
	Journey    bool // a state machine asks, which follows one that is under way
	Body       jsontext.Value
}

// Generations of the contract, by the last part of the path (§2).
const (
	v1 = "v1"
	v2 = "v2"
)

// CreateIdentification begins an identification of a customer (§4, §5). A newer one takes the place of the one
// before and would undo its progress, so none is created while one is pending, and what became of a lost answer is
// settled by the key, which the partner honours for a day, and by the list.
func CreateIdentification(c Config) operation.Operation[identificationCreation] {
	return operation.Operation[identificationCreation]{
		Name:     "iron/create-identification",
		Errors:   renderCustomerError,
		MaxTask:  maxIdentification,
		Decode:   c.decodeIdentification,
		Resource: func(in identificationCreation) string { return ownedCustomer(in.CustomerID) },

		CanonicalKey: canonicalID,
		Fingerprint: func(in identificationCreation) any {
			return operation.Fields(
				"digest", in.Digest, "customer_id", in.CustomerID, "generation", in.Generation, "scope", in.Scope,
			)
		},
		OnUnknown:     func(identificationCreation) operation.Resolution { return operation.SafeRetry },
		PartnerKeyTTL: c.keyLife(),
		Call: func(ctx context.Context, call operation.Call, in identificationCreation) operation.Outcome {
			find := func() (operation.Outcome, operation.Finding) { return c.findIdentification(ctx, call, in) }
			guard := func(keyTells bool) *operation.Outcome { return c.guard(ctx, call, in, keyTells) }
			path := identificationsPath(in.CustomerID)
			if in.Generation == v2 {
				path += "/v2"
			}
			return c.create(ctx, call, request{path: path, body: in.Body, scope: in.Scope}, find, guard, in.created)
		},
		Lookup: c.findIdentification,
		Output: summaryOfIdentification,
	}
}

// decodeIdentification validates a body of the second generation by the table of its type. One of the first goes on as
// it is, of which none is the oldest way to ask for a Direct one (§4.2).
func (c Config) decodeIdentification(req gateway.Request) (in identificationCreation, err error) {
	if err := requireKey(req); err != nil {
		return in, err
	}
	if in.Scope, err = readScope(req); err != nil {
		return in, err
	}
	if in.CustomerID, err = pathID(req, "customerId"); err != nil {
		return in, err
	}
	in.Journey, in.Generation = req.FromStateMachine, v1
	if req.Params["generation"] == v2 || strings.HasSuffix(req.Path, "/v2") {
		in.Generation = v2
	}
	in.Body = req.Body
	said := in.Body
	if trimmed := bytes.TrimSpace(req.Body); in.Generation == v1 &&
		(len(trimmed) == 0 || bytes.Equal(trimmed, []byte("null"))) {
		said = jsontext.Value(`{"type":"` + typeDirect + `"}`)
	}
	if err := gateway.CheckJSON(said); err != nil {
		return in, err
	}
	if in.Generation == v1 && said.Kind() != '{' {
		return in, &gateway.InputError{Reason: "must be an object", Source: source.Published("§4.1")}
	}
	if err := invalid(c.checkIdentification(said, in.Generation, false)); err != nil {
		return in, err
	}
	in.Digest, err = gateway.DigestJSON(said)
	return in, err
}

// identificationCreated reads the answer to a creation.
func identificationCreated(reply gateway.Reply) operation.Outcome {
	created, ok := readIdentification(reply.Body)
	if !ok {
		return operation.Outcome{Class: operation.Unknown, Code: "no_identification_id", Reply: reply}
	}
	created.ID = canonicalID(created.ID)
	return operation.Outcome{
		Class: operation.Done, Code: "ok", Reply: reply, Creates: ownedIdentification(created.ID), Refs: created.refs(),
	}
}

// guard refuses to take the place of an identification that is pending. Where the key tells, one that no call is on
// record for may be this call's.
func (c Config) guard(
	ctx context.Context, call operation.Call, in identificationCreation, keyTells bool,
) *operation.Outcome {
	all, failed := c.identifications(ctx, call, in.Scope, in.CustomerID)
	var newest identification
	if len(all) > 0 {
		newest, _ = readIdentification(all[0])
	}
	switch {
	case failed != nil && call.Again:
		outcome := undetermined(*failed)
		return &outcome
	case failed != nil:
		return failed
	case newest.Status != statusPending && (!in.Journey || newest.over()):
		return nil
	}
	if keyTells {
		perhaps := append(newerThan(call.FirstSent, all), all[0])
		_, finding := unclaimed(ctx, call, perhaps, identificationCreated)
		if finding != operation.NotFound {
			return nil
		}
	}
	return &operation.Outcome{
		Class: operation.Conflict, Code: "pending_identification", Reply: failure(http.StatusConflict, messagePending),
	}
}

// identifications reads all of a customer's, the newest first.
func (c Config) identifications(
	ctx context.Context, call operation.Call, s scope, customer string,
) (all []jsontext.Value, failed *operation.Outcome) {
	whole := true
	failed = c.each(ctx, call, s, identificationsPath(customer), url.Values{}, func(item jsontext.Value) bool {
		var found identification
		found, whole = readIdentification(item)
		// One whose age isn't known proves nothing, nor does a list that shows another customer's.
		whole = whole && !found.CreatedAt.IsZero() && (found.CustomerID == "" || canonicalID(found.CustomerID) == customer)
		all = append(all, item)
		return whole
	})
	if failed == nil && !whole {
		outcome := unreadable()
		failed = &outcome
	}
	slices.SortStableFunc(all, func(a, b jsontext.Value) int {
		one, _ := readIdentification(a)
		other, _ := readIdentification(b)
		return other.CreatedAt.Compare(one.CreatedAt)
	})
	return all, failed
}

// findIdentification looks for the identification that a lost creation made: one that is not older, and that no call is
// on record for.
func (c Config) findIdentification(
	ctx context.Context, call operation.Call, in identificationCreation,
) (operation.Outcome, operation.Finding) {
	all, failed := c.identifications(ctx, call, in.Scope, in.CustomerID)
	if failed != nil {
		return *failed, operation.Undetermined
	}
	return unclaimed(ctx, call, newerThan(call.FirstSent, all), identificationCreated)
}

// created reads the answer to its creation, which must be about its customer.
func (in identificationCreation) created(reply gateway.Reply) operation.Outcome {
	outcome := identificationCreated(reply)
	if of := outcome.Refs["customer_id"]; of != "" && of != in.CustomerID {
		return operation.Outcome{Class: operation.Unknown, Code: "another_customer", Reply: reply}
	}
	return outcome
}

// newerThan picks those that are not older than a time.
func newerThan(sent time.Time, all []jsontext.Value) []jsontext.Value {
	return slices.DeleteFunc(slices.Clone(all), func(item jsontext.Value) bool {
		found, _ := readIdentification(item)
		return !since(found.CreatedAt, sent)
	})
}

// summaryOfIdentification is what a state machine may see of an identification.
func summaryOfIdentification(reply gateway.Reply) map[string]any {
	found, _ := readIdentification(reply.Body)
	return map[string]any{"identification_id": canonicalID(found.ID), "state": found.state()}
}
