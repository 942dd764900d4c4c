package ledgertest

import (
	"context"

	"sallyport/shared/ledger"
)

// PutToken implements token.Store.
func (c *Counting) PutToken(ctx context.Context, t ledger.Token) (ledger.Token, error) {
	return write(c, "PutToken", func() (ledger.Token, error) { return c.Store.PutToken(ctx, t) })
}

// Token implements token.Store.
func (c *Counting) Token(ctx context.Context, id string) (ledger.Token, error) {
	c.Reads.Add(1)
	return c.Store.Token(ctx, id)
}
