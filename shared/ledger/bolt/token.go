package bolt

import (
	"context"
	"reflect"
	"time"

	"go.etcd.io/bbolt"

	"sallyport/shared/ledger"
)

// By id.
var tokens = table[ledger.Token]{
	bucket: []byte("ledger/tokens"), expires: func(t ledger.Token) time.Time { return t.ExpiresAt },
}

// Token returns the record of an access token, or ledger.ErrNotFound when it is absent or expired.
func (l *Ledger) Token(ctx context.Context, id string) (ledger.Token, error) {
	return get(ctx, l, tokens, id, func(t ledger.Token) bool {
		return t.Version > 0 && !ledger.Expired(t.ExpiresAt, l.Now())
	})
}

// PutToken writes the next version of an access token's record, or returns ledger.ErrStale.
func (l *Ledger) PutToken(ctx context.Context, t ledger.Token) (ledger.Token, error) {
	return update(ctx, l, func(tx *bbolt.Tx) (ledger.Token, error) {
		old, err := tokens.load(tx, t.ID)
		if err != nil {
			return ledger.Token{}, err
		}
		standing := old
		if ledger.Expired(old.ExpiresAt, l.Now()) {
			standing = ledger.Token{}
		}
		now, err := written(t)
		switch {
		case err != nil:
			return ledger.Token{}, err
		case reflect.DeepEqual(standing, now):
			return standing, errHeld
		case standing.Version != t.Version-1:
			return standing, ledger.ErrStale
		}
		return tokens.store(tx, t.ID, old, t)
	})
}
