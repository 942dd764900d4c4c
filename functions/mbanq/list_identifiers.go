package mbanq

import (
	"context"
	"net/http"
	"net/url"

	"sallyport/shared/gateway"
	"sallyport/shared/operation"
	"sallyport/shared/tolerant"
)

// ListIdentifiers lists a client's identifiers (§2). Their numbers are masked unless they are asked for.
func ListIdentifiers(c Config) operation.Operation[clientQuery] {
	return operation.Operation[clientQuery]{
		Name:   "mbanq/list-identifiers",
		Errors: renderError,
		Decode: func(req gateway.Request) (clientQuery, error) {
			in := clientQuery{
				ClientID: req.Params["clientId"], TenantID: tenantOf(req), Query: further(req),
			}
			if !isID(in.ClientID) {
				return in, invalidID(codeClientID, "clientId")
			}
			return in, nil
		},
		Resource: func(in clientQuery) string { return ownedClient(in.ClientID) },
		Call: func(ctx context.Context, call operation.Call, in clientQuery) operation.Outcome {
			resp, failed := c.send(
				ctx, call,
				request{method: http.MethodGet, path: identifiersPath(in.ClientID), query: values(in.Query), tenantID: in.TenantID},
			)
			if failed != nil {
				return *failed
			}
			if _, ok := tolerant.ReadObjects(resp.Body); ok && resp.Status == http.StatusOK {
				return operation.Outcome{Class: operation.Done, Code: "ok", Reply: operation.PassOn(resp)}
			}
			outcome, _ := classify(resp)
			if outcome.Class == operation.Done {
				outcome = operation.Outcome{Class: operation.Unavailable, Code: "unreadable"}
			}
			return outcome
		},
	}
}

// values are query parameters as they are sent, with one more by its name and value.
func values(query map[string]string, own ...string) url.Values {
	v := url.Values{}
	for i := 0; i < len(own); i += 2 {
		v.Set(own[i], own[i+1])
	}
	for name, value := range query {
		v.Set(name, value)
	}
	return v
}
