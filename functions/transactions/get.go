package transactions

import (
	"context"
	"log/slog"
	"time"

	"sallyport/shared/gateway"
	"sallyport/shared/ledger"
)

const maxID = 64 // an HMAC in hex; a UUID is shorter

// Get serves GET /transactions/{id}.
func Get(l Ledger, auth *gateway.Authenticator, log *slog.Logger, now func() time.Time) gateway.Route {
	return gateway.Route{Auth: auth, Scope: scope, Log: log,
		Serve: func(ctx context.Context, caller ledger.Caller, req gateway.Request) (gateway.Reply, error) {
			id := req.Params["id"]
			if len(id) > maxID { // longer than any, and than DynamoDB takes
				return gateway.Reply{}, ledger.ErrNotFound
			}
			t, err := l.Transaction(ctx, caller.Tenant, id)
			if err != nil {
				return gateway.Reply{}, err
			}
			return reply(newView(t, now()))
		}}
}
