package transactions

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strconv"
	"time"

	"sallyport/shared/gateway"
	"sallyport/shared/ledger"
)

const (
	defaultLimit = 20
	maxLimit     = 100
)

// List serves GET /transactions?operation=&state=&limit=&cursor=, the newest first.
func List(l Ledger, auth *gateway.Authenticator, log *slog.Logger, now func() time.Time) gateway.Route {
	return gateway.Route{Auth: auth, Scope: scope, Log: log,
		Serve: func(ctx context.Context, caller ledger.Caller, req gateway.Request) (gateway.Reply, error) {
			query, err := parseQuery(caller.Tenant, req.Query)
			if err != nil {
				return gateway.Reply{}, err
			}
			page, err := l.Transactions(ctx, query)
			if errors.Is(err, ledger.ErrBadCursor) {
				return gateway.Reply{}, &gateway.InputError{Pointer: "cursor", Reason: "was not made by this query"}
			}
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

var states = []ledger.State{ledger.Claimed, ledger.Done, ledger.Refused, ledger.Released, ledger.Unknown}

func parseQuery(tenant string, params map[string]string) (ledger.Query, error) {
	q := ledger.Query{Tenant: tenant, Limit: defaultLimit}
	for name, value := range params {
		switch name {
		case "operation":
			q.Operation = value
		case "cursor":
			q.Cursor = value
		case "state":
			q.State = ledger.State(value)
			if !slices.Contains(states, q.State) {
				return q, &gateway.InputError{Pointer: name, Reason: "must be claimed, done, refused, released or unknown"}
			}
		case "limit":
			limit, err := strconv.Atoi(value)
			if err != nil || limit < 1 || limit > maxLimit {
				return q, &gateway.InputError{Pointer: name, Reason: "must be a number from 1 to 100"}
			}
			q.Limit = limit
		default:
			return q, &gateway.InputError{Reason: "a query parameter is not known: operation, state, limit and cursor are"}
		}
	}
	return q, nil
}
