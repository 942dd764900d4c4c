package ledgertest

import (
	"context"

	"sallyport/shared/ledger"
)

// PutSetting implements Store.
func (c *Counting) PutSetting(ctx context.Context, s ledger.Setting, over int) (ledger.Setting, error) {
	return write(c, "PutSetting", func() (ledger.Setting, error) { return c.Store.PutSetting(ctx, s, over) })
}

// Setting implements Store.
func (c *Counting) Setting(ctx context.Context, tenant, kind, name string) (ledger.Setting, error) {
	c.Reads.Add(1)
	return c.Store.Setting(ctx, tenant, kind, name)
}
