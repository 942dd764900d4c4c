package transactions

import (
	"context"
	"log/slog"
	"time"

	"sallyport/shared/gateway"
	"sallyport/shared/ledger"
)

// Get serves GET /transactions/{id}.
func Get(l Ledger, auth *gateway.Authenticator, log *slog.Logger, now func() time.Time) gateway.Route {
	return gateway.Route{Auth: auth, Scope: scope, Log: log,
		Serve: func(ctx context.Context, caller ledger.Caller, req gateway.Request) (gateway.Reply, error) {
			t, err := l.Transaction(ctx, caller.Tenant, req.Params["id"])
			if err != nil {
				return gateway.Reply{}, err
			}
			return reply(newView(t, now()))
		}}
}
