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
	FailedWrites atomic.Int64 // that failed their condition: ledger.ErrTaken, ErrFenced, ErrStale, ErrFull, ErrOwned
	Reads        atomic.Int64 // whatever they found

	// Fail, if set, is asked once per write, by the name of its method, such as "Claim" or "UpdateJourney". With an error
	// before, the write does not happen; with one after, it happens and its answer is lost. To pick the nth write, count
	// in the function; it must then bear concurrent calls.
	Fail func(op string) (before, after error)
}

var _ Store = (*Counting)(nil)

// Claim implements operation.Ledger.
func (c *Counting) Claim(ctx context.Context, t ledger.Transaction) (ledger.Transaction, error) {
	return write(c, "Claim", func() (ledger.Transaction, error) { return c.Store.Claim(ctx, t) })
}

// TakeOver implements operation.Ledger.
func (c *Counting) TakeOver(ctx context.Context, t ledger.Transaction, from string) (ledger.Transaction, error) {
	return write(c, "TakeOver", func() (ledger.Transaction, error) { return c.Store.TakeOver(ctx, t, from) })
}

// Complete implements operation.Ledger.
func (c *Counting) Complete(ctx context.Context, t ledger.Transaction) (ledger.Transaction, error) {
	return write(c, "Complete", func() (ledger.Transaction, error) { return c.Store.Complete(ctx, t) })
}

// Record implements operation.Ledger.
func (c *Counting) Record(ctx context.Context, t ledger.Transaction) error {
	return c.writeOnly("Record", func() error { return c.Store.Record(ctx, t) })
}

// PutCaller implements Store.
func (c *Counting) PutCaller(ctx context.Context, caller ledger.Caller) error {
	return c.writeOnly("PutCaller", func() error { return c.Store.PutCaller(ctx, caller) })
}

// PutOwner implements Store.
func (c *Counting) PutOwner(ctx context.Context, record, tenant string) error {
	return c.writeOnly("PutOwner", func() error { return c.Store.PutOwner(ctx, record, tenant) })
}

// Owner implements operation.Ledger.
func (c *Counting) Owner(ctx context.Context, record string) (ledger.Owner, error) {
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

func write[T any](c *Counting, op string, do func() (T, error)) (T, error) {
	var none T
	var before, after error
	if c.Fail != nil {
		before, after = c.Fail(op)
	}
	if before != nil {
		return none, before
	}
	written, err := do()
	switch {
	case err == nil:
		c.Writes.Add(1)
	case errors.Is(err, ledger.ErrTaken), errors.Is(err, ledger.ErrFenced), errors.Is(err, ledger.ErrStale),
		errors.Is(err, ledger.ErrFull), errors.Is(err, ledger.ErrOwned):
		c.FailedWrites.Add(1)
	}
	if after != nil {
		return none, after
	}
	return written, err
}

// writeOnly is write for a method that returns nothing.
func (c *Counting) writeOnly(op string, do func() error) error {
	_, err := write(c, op, func() (struct{}, error) { return struct{}{}, do() })
	return err
}
