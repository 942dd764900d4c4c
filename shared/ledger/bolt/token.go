package bolt

import (
	"context"
	"encoding/json"
	"reflect"

	"go.etcd.io/bbolt"

	"sallyport/shared/ledger"
)

var tokens = []byte("ledger/tokens") // id → token

// Token returns the record of an access token, or ledger.ErrNotFound when it is absent or expired.
func (l *Ledger) Token(ctx context.Context, id string) (t ledger.Token, err error) {
	err = l.view(ctx, func(tx *bbolt.Tx) error {
		found, err := loadToken(tx, id)
		switch {
		case err != nil:
			return err
		case found.Version == 0 || expired(found.ExpiresAt, l.Now()):
			return ledger.ErrNotFound
		}
		t = found
		return nil
	})
	return t, err
}

// PutToken writes the next version of an access token's record, or returns ledger.ErrStale.
func (l *Ledger) PutToken(ctx context.Context, t ledger.Token) (ledger.Token, error) {
	return update(ctx, l, func(tx *bbolt.Tx) (ledger.Token, error) {
		old, err := loadToken(tx, t.ID)
		if err != nil {
			return ledger.Token{}, err
		}
		standing := old
		if expired(old.ExpiresAt, l.Now()) {
			standing = ledger.Token{}
		}
		v, err := json.Marshal(t)
		if err != nil {
			return ledger.Token{}, err
		}
		written, err := decodeToken(v)
		switch {
		case err != nil:
			return ledger.Token{}, err
		case reflect.DeepEqual(standing, written):
			return standing, errHeld
		case standing.Version != t.Version-1:
			return standing, ledger.ErrStale
		}
		if err := tx.Bucket(tokens).Put([]byte(t.ID), v); err != nil {
			return ledger.Token{}, err
		}
		return written, reindex(tx, expiry(tokens, t.ID, old.ExpiresAt), expiry(tokens, t.ID, t.ExpiresAt))
	})
}

// loadToken returns the zero record where there is none.
func loadToken(tx *bbolt.Tx, id string) (ledger.Token, error) {
	v := tx.Bucket(tokens).Get([]byte(id))
	if v == nil {
		return ledger.Token{}, nil
	}
	return decodeToken(v)
}

// decodeToken reads a stored record: times in UTC, what is empty as nil.
func decodeToken(v []byte) (t ledger.Token, err error) {
	if err := json.Unmarshal(v, &t); err != nil {
		return ledger.Token{}, err
	}
	t.Lease, t.ExpiresAt = t.Lease.UTC(), t.ExpiresAt.UTC()
	noEmptySlice(&t.Sealed)
	return t, nil
}
