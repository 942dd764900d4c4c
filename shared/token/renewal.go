package token

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"sallyport/shared/ledger"
	"sallyport/shared/seal"
)

const (
	// lease is how long the holder of a record may take before another one takes over.
	lease = 15 * time.Second
	// retention is how long a record is kept after its tokens were of use, and after it was leased.
	retention = time.Hour
	// ledgerTimeout is how long the ledger may take for one answer.
	ledgerTimeout = 2 * time.Second
	// Reading the record again pauses for half of these to the whole, twice as long each time.
	firstPause = 100 * time.Millisecond
	maxPause   = 500 * time.Millisecond
)

// ErrNoToken: the partner issued an empty token, or the very one that it had just refused.
var ErrNoToken = errors.New("token: the partner issued no other token")

// errPanic stands for a panic, whose value may hold a token.
var errPanic = errors.New("token: panic while a token was issued")

// renewal finds out which token is to be used instead of the one in memory.
type renewal struct {
	*Cache
	id       string
	rejected string
	last     issued // the latest token known, for the sake of its refresh token
	issue    Issue
}

// run takes a usable token from the ledger, or the right to renew it, or waits for whoever has that.
func (r *renewal) run(ctx context.Context) (issued, error) {
	ring, err := r.ring(ctx)
	if err != nil {
		return r.alone(ctx, err)
	}
	for pause := firstPause; ; pause = min(2*pause, maxPause) {
		standing, err := r.read(ctx)
		if err != nil {
			return r.alone(ctx, err)
		}
		found := openIssued(ring, r.id, standing.Sealed)
		if found.usable(r.rejected, r.now()) {
			return found, nil
		}
		if found.Access != "" {
			r.last = found
		}
		if !standing.Held(r.now()) {
			held, err := r.hold(ctx, standing, found)
			if err == nil {
				return r.renew(ctx, ring, held)
			}
			if !errors.Is(err, ledger.ErrStale) {
				return r.alone(ctx, err)
			}
		}
		if err := wait(ctx, pause/2+rand.N(pause/2)); err != nil {
			return issued{}, err
		}
	}
}

// read returns the zero record where there is none.
func (r *renewal) read(ctx context.Context) (ledger.Token, error) {
	ctx, cancel := context.WithTimeout(ctx, ledgerTimeout)
	defer cancel()
	t, err := r.store.Token(ctx, r.id)
	if errors.Is(err, ledger.ErrNotFound) {
		return ledger.Token{}, nil
	}
	return t, err
}

// hold leases the record. It keeps what it found there unless nobody shall use it any more.
func (r *renewal) hold(ctx context.Context, standing ledger.Token, found issued) (ledger.Token, error) {
	ctx, cancel := context.WithTimeout(ctx, ledgerTimeout)
	defer cancel()
	now := r.now()
	t := ledger.Token{
		ID: r.id, Version: standing.Version + 1, Sealed: standing.Sealed, ExpiresAt: standing.ExpiresAt,
		Holder: r.newID(), Lease: now.Add(lease),
	}
	if same(found.Access, r.rejected) {
		t.Sealed = nil
	}
	if least := now.Add(retention); t.ExpiresAt.Before(least) {
		t.ExpiresAt = least
	}
	return r.store.PutToken(ctx, t)
}

// renew asks the partner and gives the lease back, with the new token if there is one. When the lease had lapsed and
// somebody else renewed, theirs is the one to share.
func (r *renewal) renew(ctx context.Context, ring *seal.Ring, held ledger.Token) (issued, error) {
	got, err := r.ask(ctx)
	next := held
	next.Version, next.Holder, next.Lease = held.Version+1, "", time.Time{}
	if err == nil {
		next.Sealed, next.ExpiresAt = sealIssued(ring, r.id, got), got.useful().Add(retention)
	}

	// The partner has decided; others shall not wait for it because this call's time is over.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), ledgerTimeout)
	defer cancel()
	standing, putErr := r.store.PutToken(ctx, next)
	if errors.Is(putErr, ledger.ErrStale) {
		if theirs := openIssued(ring, r.id, standing.Sealed); theirs.usable(r.rejected, r.now()) {
			return theirs, nil
		}
	} else if putErr != nil {
		r.log.WarnContext(ctx, "partner's token not shared", "cause", putErr)
	}
	return got, err
}

// alone asks the partner for a token that is not shared, because of the cause.
func (r *renewal) alone(ctx context.Context, cause error) (issued, error) {
	if err := ctx.Err(); err != nil {
		return issued{}, err
	}
	r.log.WarnContext(ctx, "partner's token not shared", "cause", cause)
	return r.ask(ctx)
}

// ask asks the partner. A refused token takes its refresh token with it.
func (r *renewal) ask(ctx context.Context) (got issued, err error) {
	defer func() {
		if recover() != nil {
			r.log.ErrorContext(ctx, "panic while a token was issued")
			got, err = issued{}, errPanic
		}
	}()
	asked, refresh := r.now(), ""
	if asked.Before(r.last.RefreshUntil) && !same(r.last.Access, r.rejected) {
		refresh = r.last.Refresh
	}
	grant, err := r.issue(ctx, refresh)
	if err != nil {
		return issued{}, err
	}
	if grant.Access == "" || same(grant.Access, r.rejected) {
		return issued{}, ErrNoToken
	}
	return grant.issued(asked), nil
}

func wait(ctx context.Context, pause time.Duration) error {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
