package ledgertest

import (
	"context"
	"errors"
	"sync/atomic"

	"sallyport/shared/ledger"
)

// Counting counts what is asked of a Store and can make its writes fail. It may be used concurrently.
type Counting struct {
	Store

	Writes       atomic.Int64 // that succeeded, whether or not the caller was told
	FailedWrites atomic.Int64 // that failed their condition: ledger.ErrTaken, ledger.ErrFenced
	Reads        atomic.Int64 // whatever they found

	// Fail, if set, is asked once per write, by the name of its method ("Claim", "TakeOver", "Complete", "Record",
	// "PutCaller"). With an error before, the write does not happen; with one after, it happens and its answer is
	// lost. To pick the nth write, count in the function; it must then bear concurrent calls.
	Fail func(op string) (before, after error)
}

var _ Store = (*Counting)(nil)

// Claim implements operation.Ledger.
func (c *Counting) Claim(ctx context.Context, t ledger.Transaction) (ledger.Transaction, error) {
	return c.write("Claim", func() (ledger.Transaction, error) { return c.Store.Claim(ctx, t) })
}

// TakeOver implements operation.Ledger.
func (c *Counting) TakeOver(ctx context.Context, t ledger.Transaction, from string) (ledger.Transaction, error) {
	return c.write("TakeOver", func() (ledger.Transaction, error) { return c.Store.TakeOver(ctx, t, from) })
}

// Complete implements operation.Ledger.
func (c *Counting) Complete(ctx context.Context, t ledger.Transaction) (ledger.Transaction, error) {
	return c.write("Complete", func() (ledger.Transaction, error) { return c.Store.Complete(ctx, t) })
}

// Record implements operation.Ledger.
func (c *Counting) Record(ctx context.Context, t ledger.Transaction) error {
	_, err := c.write("Record", func() (ledger.Transaction, error) { return t, c.Store.Record(ctx, t) })
	return err
}

// PutCaller implements Store.
func (c *Counting) PutCaller(ctx context.Context, caller ledger.Caller) error {
	_, err := c.write("PutCaller", func() (ledger.Transaction, error) {
		return ledger.Transaction{}, c.Store.PutCaller(ctx, caller)
	})
	return err
}

// Owner implements operation.Ledger.
func (c *Counting) Owner(ctx context.Context, record string) (string, error) {
	c.Reads.Add(1)
	return c.Store.Owner(ctx, record)
}

// Transaction implements Store.
func (c *Counting) Transaction(ctx context.Context, tenant, id string) (ledger.Transaction, error) {
	c.Reads.Add(1)
	return c.Store.Transaction(ctx, tenant, id)
}

// Transactions implements Store.
func (c *Counting) Transactions(ctx context.Context, q ledger.Query) (ledger.Page, error) {
	c.Reads.Add(1)
	return c.Store.Transactions(ctx, q)
}

// Caller implements Store.
func (c *Counting) Caller(ctx context.Context, keyHash string) (ledger.Caller, error) {
	c.Reads.Add(1)
	return c.Store.Caller(ctx, keyHash)
}

func (c *Counting) write(op string, do func() (ledger.Transaction, error)) (ledger.Transaction, error) {
	var before, after error
	if c.Fail != nil {
		before, after = c.Fail(op)
	}
	if before != nil {
		return ledger.Transaction{}, before
	}
	t, err := do()
	switch {
	case err == nil:
		c.Writes.Add(1)
	case errors.Is(err, ledger.ErrTaken), errors.Is(err, ledger.ErrFenced):
		c.FailedWrites.Add(1)
	}
	if after != nil {
		return ledger.Transaction{}, after
	}
	return t, err
}
