// Package transactions shows callers the record of their calls.
package transactions

import (
	"context"
	"time"

	"github.com/go-json-experiment/json"

	"sallyport/shared/gateway"
	"sallyport/shared/ledger"
)

// Ledger is what these routes read.
type Ledger interface {
	// Transaction returns a tenant's record, or ledger.ErrNotFound.
	Transaction(ctx context.Context, tenant, id string) (ledger.Transaction, error)
	// Transactions returns one page of a tenant's records, or ledger.ErrBadCursor.
	Transactions(ctx context.Context, q ledger.Query) (ledger.Page, error)
}

const scope = "transactions"

// view is a transaction as callers see it: no body, no fingerprint, no personal data.
type view struct {
	ID         string            `json:"id"`
	Operation  string            `json:"operation"`
	State      ledger.State      `json:"state"`
	Code       string            `json:"code,omitzero"`
	HTTPStatus int               `json:"http_status,omitzero"` // of the stored answer
	StartedAt  time.Time         `json:"started_at"`
	EndedAt    time.Time         `json:"ended_at,omitzero"`
	ExpiresAt  time.Time         `json:"expires_at,omitzero"`
	References map[string]string `json:"references,omitzero"`
}

func newView(t ledger.Transaction, now time.Time) view {
	v := view{ID: t.ID, Operation: t.Operation, State: t.State, Code: t.Code, StartedAt: t.ClaimedAt.UTC(),
		EndedAt: t.EndedAt.UTC(), References: t.Refs}
	if t.Reply != nil {
		v.HTTPStatus = t.Reply.Status
	}
	if t.State != ledger.Claimed {
		v.ExpiresAt = t.ExpiresAt.UTC()
	} else if !t.Running(now) {
		v.State = ledger.Unknown // its attempt died; the record says so when somebody next asks with its key
	}
	return v
}

func reply(value any) (gateway.Reply, error) {
	body, err := json.Marshal(value)
	return gateway.JSON(200, body), err
}
