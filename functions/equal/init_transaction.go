package equal

import (
	"context"
	"net/url"

	"sallyport/shared/gateway"
	"sallyport/shared/operation"
)

// opening is the body of a request to open an exchange transaction. Its names are inferred, so nothing is demanded of
// it (§4.2).
type opening struct {
	request
	id string // its idempotency id; empty for none
}

// InitTransaction opens an exchange transaction (§4). With an idempotency_id the partner itself opens at most
// one, so an unknown outcome is resolved by calling again; without one only a person can know.
func InitTransaction(c Config) operation.Operation[opening] {
	return operation.Operation[opening]{
		Name:    "equal/init-transaction",
		Errors:  renderError,
		MaxBody: maxRequest,
		Decode:  decodeInit,
		Fingerprint: func(in opening) any {
			if in.members == nil {
				return canonical(in.body)
			}
			return inOrder(in.members, nil, "gateway_instance_id", "idempotency_id", "business_user_id")
		},
		OnUnknown: func(in opening) operation.Resolution {
			if in.id != "" {
				return operation.SafeRetry
			}
			return operation.Manual
		},
		Call: func(ctx context.Context, call operation.Call, in opening) operation.Outcome {
			body := in.body
			if in.id != "" {
				body = replaced(body, "/idempotency_id", ofTenant(call.Tenant, in.id))
			}
			outcome, e := c.post(ctx, call, initPath, body)
			outcome.Refs = e.refs(nil)
			if outcome.Class == operation.Done && e.TransactionID != "" {
				outcome.Creates, outcome.Fresh = ownedTransaction(e.TransactionID), true
			}
			return outcome
		},
		Output: summary,
	}
}

// ofTenant keeps apart the ids of tenants that share an account at Equal: the tenant's name ends at the first colon. A
// name that was registered before colons were refused is escaped.
func ofTenant(tenant, id string) string { return url.QueryEscape(tenant) + ":" + id }

func decodeInit(req gateway.Request) (in opening, err error) {
	in.request, err = readRequest(req)
	in.id = key(in.members["idempotency_id"])
	return in, err
}
