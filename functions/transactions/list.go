package transactions

import (
	"context"
	"log/slog"
	"time"

	"sallyport/shared/gateway"
	"sallyport/shared/ledger"
)

// List serves GET /transactions?operation=&state=&limit=&cursor=, the newest first.
func List(l Ledger, auth *gateway.Authenticator, log *slog.Logger, now func() time.Time) gateway.Route {
	return gateway.Route{Auth: auth, Scope: scope, Log: log,
		Serve: func(ctx context.Context, caller ledger.Caller, req gateway.Request) (gateway.Reply, error) {
			q, err := gateway.ParseListing(req.Query, filters)
			if err != nil {
				return gateway.Reply{}, err
			}
			page, err := l.Transactions(ctx, ledger.Query{
				Tenant: caller.Tenant, Operation: q.Filters["operation"], State: ledger.State(q.Filters["state"]), Limit: q.Limit,
				Cursor: q.Cursor,
			})
			if err != nil {
				return gateway.Reply{}, err
			}
			views := make([]view, len(page.Transactions))
			for i, t := range page.Transactions {
				views[i] = newView(t, now())
			}
			return reply(struct {
				Transactions []view `json:"transactions"`
				Next         string `json:"next,omitzero"` // cursor of the next page
			}{views, page.Next})
		}}
}

var filters = map[string][]string{
	"operation": nil,
	"state": {
		string(ledger.Claimed), string(ledger.Done), string(ledger.Refused), string(ledger.Released), string(ledger.Unknown),
	},
}
