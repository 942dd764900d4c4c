package equal

import (
	"context"
	"net/url"

	"sallyport/shared/gateway"
	"sallyport/shared/operation"
)

// InitTransaction opens an exchange transaction (§4). With an idempotency_id the partner itself opens at most
// one, so an unknown outcome is resolved by calling again; without one only a person can know.
func InitTransaction(c Config) operation.Operation[initRequest] {
	return operation.Operation[initRequest]{
		Name:        "equal/init-transaction",
		Errors:      renderError,
		MaxBody:     maxRequest,
		Decode:      decodeInit,
		Fingerprint: func(in initRequest) any { return in },
		OnUnknown: func(in initRequest) operation.Resolution {
			if in.IdempotencyID != "" {
				return operation.SafeRetry
			}
			return operation.Manual
		},
		Call: func(ctx context.Context, call operation.Call, in initRequest) operation.Outcome {
			if in.IdempotencyID != "" {
				in.IdempotencyID = ofTenant(call.Tenant, in.IdempotencyID)
			}
			outcome, e := c.post(ctx, call, initPath, in, "")
			outcome.Refs = e.refs(nil)
			if outcome.Class == operation.Done && e.TransactionID != "" && len(e.TransactionID) <= maxID {
				outcome.Creates = ownedTransaction(e.TransactionID)
			}
			return outcome
		},
		Output: summary,
	}
}

// ofTenant keeps apart the ids of tenants that share an account at Equal: the tenant's name ends at the first colon. A
// name that was registered before colons were refused is escaped.
func ofTenant(tenant, id string) string { return url.QueryEscape(tenant) + ":" + id }

func decodeInit(req gateway.Request) (in initRequest, err error) {
	if err := gateway.DecodeJSON(req.Body, &in); err != nil {
		return in, err
	}
	if in.GatewayInstanceID == "" {
		return in, required("gateway_instance_id", "/gateway_instance_id")
	}
	return in, checkIDs(
		"/gateway_instance_id", in.GatewayInstanceID, "/idempotency_id", in.IdempotencyID,
		"/business_user_id", in.BusinessUserID,
	)
}
