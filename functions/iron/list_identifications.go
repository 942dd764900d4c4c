package iron

import (
	"context"
	"net/http"
	"net/url"

	"github.com/go-json-experiment/json/jsontext"

	"sallyport/shared/gateway"
	"sallyport/shared/operation"
)

// identificationsQuery is the input of ListIdentifications.
type identificationsQuery struct {
	CustomerID string            `json:"customer_id"`
	Scope      scope             `json:"scope"`
	Query      map[string]string `json:"query,omitzero"`
	Newest     bool              `json:"newest,omitzero"` // a state machine asks for no more
}

// ListIdentifications lists a customer's identifications (§2). A state machine is told of the newest alone, which
// is the one that counts; an empty object stands for none.
func ListIdentifications(c Config) operation.Operation[identificationsQuery] {
	return operation.Operation[identificationsQuery]{
		Name:     "iron/list-identifications",
		Errors:   renderCustomerError,
		Decode:   decodeIdentificationsQuery,
		Resource: func(in identificationsQuery) string { return ownedCustomer(in.CustomerID) },
		Call: func(ctx context.Context, call operation.Call, in identificationsQuery) operation.Outcome {
			if in.Newest {
				return c.readNewest(ctx, call, in)
			}
			query := url.Values{}
			for name, value := range in.Query {
				query.Set(name, value)
			}
			outcome := c.read(ctx, call, in.Scope, identificationsPath(in.CustomerID), query, messageNoCustomer)
			if _, ok := readPage(outcome.Reply.Body); outcome.Class == operation.Done && !ok {
				return unreadable()
			}
			return outcome
		},
		Output: summaryOfIdentification,
	}
}

func decodeIdentificationsQuery(req gateway.Request) (in identificationsQuery, err error) {
	if in.Scope, err = readScope(req); err != nil {
		return in, err
	}
	if in.CustomerID, err = pathID(req, "customerId"); err != nil {
		return in, err
	}
	if in.Newest = req.FromStateMachine; in.Newest {
		return in, nil
	}
	in.Query = map[string]string{}
	for _, name := range []string{"page_size", "cursor"} {
		if value := req.Query[name]; value != "" { // an empty one is none
			in.Query[name] = value
		}
	}
	return in, nil
}

func (c Config) readNewest(ctx context.Context, call operation.Call, in identificationsQuery) operation.Outcome {
	all, failed := c.identifications(ctx, call, in.Scope, in.CustomerID)
	if failed != nil {
		return *failed
	}
	newest := jsontext.Value("{}")
	if len(all) > 0 {
		newest = all[0]
	}
	outcome := operation.Outcome{Class: operation.Done, Code: "ok", Reply: gateway.JSON(http.StatusOK, newest)}
	if found, ok := readIdentification(newest); ok {
		outcome.Refs = found.refs()
	}
	return outcome
}
