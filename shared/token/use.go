package token

import (
	"context"
	"errors"
	"time"

	"sallyport/shared/ledger"
)

// Grace is how long what has just been used may be used again: the answer to its use may have been lost.
const Grace = 2 * time.Minute

// ErrUsed: it was used before, and not just now.
var ErrUsed = errors.New("token: used before")

// Use records the nth use in a row under an id, of things each of which was had for the one before, until an end after
// which there are no more. Its record is a ledger.Token that keeps no token: the version counts the uses, the lease is
// the grace. Errors: ErrUsed, or the ledger's.
func (c *Cache) Use(ctx context.Context, id string, n int, end time.Time) error {
	now := c.now()
	standing, err := c.store.PutToken(ctx, ledger.Token{
		ID: id, Version: n, Holder: c.newID(), Lease: now.Add(Grace), ExpiresAt: end,
	})
	switch {
	case !errors.Is(err, ledger.ErrStale):
		return err
	case standing.Version == n && standing.Held(now):
		return nil
	}
	return ErrUsed
}
