// Package token keeps the access tokens that partners issue to us: in memory, and sealed in the ledger, where all
// containers share them. It promises:
//   - While a token is fresh, Get asks neither the ledger nor the partner.
//   - A token is renewed before it expires: a minute before, or at half of a lifetime under two minutes.
//   - One caller renews and the others wait: in a process by joining its flight, across processes by a lease in the
//     ledger, which another takes over where its holder is gone.
//   - However many callers report that the partner refused a token, it is renewed once; no call returns the token that
//     it reported.
//   - A ledger or key ring that does not answer costs sharing, never the token: each process is then issued its own.
//   - Tokens are in no log and no error. In the ledger they are sealed for their credentials.
package token

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"sallyport/shared/ledger"
	"sallyport/shared/seal"
)

// Store is what the cache needs of the ledger. Implementations: ledger/dynamo, ledger/bolt.
type Store interface {
	// Token returns the record of an access token, or ledger.ErrNotFound when it is absent or expired.
	Token(ctx context.Context, id string) (ledger.Token, error)
	// PutToken writes t over the record of Version t.Version-1, or where t.Version is 1 over none or an expired one,
	// and returns it as stored. A record that is exactly what would be written counts as success: the write had already
	// succeeded. Otherwise: the record as it stands, or the zero record, with ledger.ErrStale.
	PutToken(ctx context.Context, t ledger.Token) (ledger.Token, error)
}

// Issue asks the partner for a token: by the refresh token of the one before, or by the credentials where refresh is
// empty or the partner does not take it. It runs for one of the callers who wait, with a context of that one's values
// and deadline (at most a minute away) but not of its cancellation. One that takes longer than the lease of 15 s may
// run in two processes at once.
type Issue func(ctx context.Context, refresh string) (Grant, error)

const (
	maxKept   = 1000        // tokens in memory; past that any of them makes room, and is read from the ledger again
	maxFlight = time.Minute // for a renewal, if the caller who began it has no earlier deadline
)

// Cache holds the tokens of one deployment. Its methods may be called concurrently.
type Cache struct {
	store Store
	ring  func(context.Context) (*seal.Ring, error)
	now   func() time.Time
	newID func() string
	log   *slog.Logger

	mu      sync.Mutex
	kept    map[string]issued
	flights map[string]*flight
}

// flight is one renewal, for everybody in this process who waits for it.
type flight struct {
	done chan struct{} // closed when the rest is set
	got  issued
	err  error
	late bool // the time of whoever began it ran out
}

// New makes a Cache. newID makes ids that never repeat, in any process.
func New(
	store Store, ring func(context.Context) (*seal.Ring, error), now func() time.Time, newID func() string,
	log *slog.Logger,
) *Cache {
	return &Cache{
		store: store, ring: ring, now: now, newID: newID, log: log,
		kept: map[string]issued{}, flights: map[string]*flight{},
	}
}

// Get returns an access token for the credentials that id stands for: a reference made of all that they consist of, so
// that other credentials are another id. rejected is a token that the partner has just refused, empty for none. Errors
// are issue's own, given to all who waited for that call of it; ErrNoToken; or the context's.
func (c *Cache) Get(ctx context.Context, id, rejected string, issue Issue) (string, error) {
	for {
		kept, f, began := c.join(ctx, id, rejected, issue)
		if f == nil {
			return kept, nil
		}
		select {
		case <-f.done:
		case <-ctx.Done():
			return "", ctx.Err()
		}
		switch {
		case f.err == nil && !same(f.got.Access, rejected):
			return f.got.Access, nil
		case f.err != nil && (began || !f.late):
			return "", f.err
		}
		// The flight was another's: it ended with that one's time, or with the very token that was rejected here.
	}
}

// join returns the token in memory, or the flight that renews it, and whether this call began it.
func (c *Cache) join(ctx context.Context, id, rejected string, issue Issue) (access string, f *flight, began bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	last := c.kept[id]
	if last.usable(rejected, c.now()) {
		return last.Access, nil, false
	}
	if same(last.Access, rejected) {
		delete(c.kept, id) // nobody else shall try it meanwhile
	}
	if f := c.flights[id]; f != nil {
		return "", f, false
	}
	f = &flight{done: make(chan struct{})}
	c.flights[id] = f
	go c.fly(ctx, f, &renewal{Cache: c, id: id, rejected: rejected, last: last, issue: issue})
	return "", f, true
}

// fly renews, even after whoever began it has gone: others may wait, and what the partner issued shall not be lost.
func (c *Cache) fly(ctx context.Context, f *flight, r *renewal) {
	deadline, limited := ctx.Deadline()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), maxFlight)
	defer cancel()
	if limited {
		ctx, cancel = context.WithDeadline(ctx, deadline)
		defer cancel()
	}
	f.got, f.err = r.run(ctx)
	f.late = ctx.Err() != nil

	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.flights, r.id)
	if f.err == nil {
		c.keep(r.id, f.got)
	}
	close(f.done)
}

func (c *Cache) keep(id string, t issued) {
	if _, ok := c.kept[id]; !ok && len(c.kept) >= maxKept {
		for other := range c.kept {
			delete(c.kept, other)
			break
		}
	}
	c.kept[id] = t
}
