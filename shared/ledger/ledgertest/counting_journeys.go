package ledgertest

import (
	"context"

	"sallyport/shared/ledger"
)

// CreateJourney implements Store.
func (c *Counting) CreateJourney(ctx context.Context, key string, j ledger.Journey) (ledger.Journey, error) {
	return write(c, "CreateJourney", func() (ledger.Journey, error) { return c.Store.CreateJourney(ctx, key, j) })
}

// UpdateJourney implements Store.
func (c *Counting) UpdateJourney(ctx context.Context, j ledger.Journey) (ledger.Journey, error) {
	return write(c, "UpdateJourney", func() (ledger.Journey, error) { return c.Store.UpdateJourney(ctx, j) })
}

// AddWaiter implements Store.
func (c *Counting) AddWaiter(ctx context.Context, record string, w ledger.Waiter) (ledger.Correlation, error) {
	return write(c, "AddWaiter", func() (ledger.Correlation, error) { return c.Store.AddWaiter(ctx, record, w) })
}

// RemoveWaiter implements Store.
func (c *Counting) RemoveWaiter(ctx context.Context, record string, w ledger.Waiter) error {
	return c.writeOnly("RemoveWaiter", func() error { return c.Store.RemoveWaiter(ctx, record, w) })
}

// AddEvent implements Store.
func (c *Counting) AddEvent(
	ctx context.Context, record string, e ledger.Event, once bool,
) (ledger.Correlation, error) {
	return write(c, "AddEvent", func() (ledger.Correlation, error) { return c.Store.AddEvent(ctx, record, e, once) })
}

// Journey implements Store.
func (c *Counting) Journey(ctx context.Context, tenant, id string) (ledger.Journey, error) {
	c.Reads.Add(1)
	return c.Store.Journey(ctx, tenant, id)
}

// Journeys implements Store.
func (c *Counting) Journeys(ctx context.Context, q ledger.JourneyQuery) (ledger.JourneyPage, error) {
	c.Reads.Add(1)
	return c.Store.Journeys(ctx, q)
}

// JourneyTransactions implements Store.
func (c *Counting) JourneyTransactions(ctx context.Context, tenant, journey string) ([]ledger.Transaction, error) {
	c.Reads.Add(1)
	return c.Store.JourneyTransactions(ctx, tenant, journey)
}

// Correlation implements Store.
func (c *Counting) Correlation(ctx context.Context, record string) (ledger.Correlation, error) {
	c.Reads.Add(1)
	return c.Store.Correlation(ctx, record)
}
