package bolt

import (
	"context"
	"encoding/json"
	"reflect"
	"time"

	"go.etcd.io/bbolt"

	"sallyport/shared/ledger"
)

// tokens is made by the first write.
var tokens = []byte("ledger/tokens") // id → token

// Token returns the record of an access token, or ledger.ErrNotFound when it is absent or expired.
func (l *Ledger) Token(ctx context.Context, id string) (t ledger.Token, err error) {
	err = l.view(ctx, func(tx *bbolt.Tx) error {
		t, err = loadToken(tx, id, l.Now())
		if err == nil && t.Version == 0 {
			err = ledger.ErrNotFound
		}
		return err
	})
	return t, err
}

// PutToken writes the next version of an access token's record, or returns ledger.ErrStale.
func (l *Ledger) PutToken(ctx context.Context, t ledger.Token) (ledger.Token, error) {
	return update(ctx, l.db, func(tx *bbolt.Tx) (ledger.Token, error) {
		standing, err := loadToken(tx, t.ID, l.Now())
		if err != nil {
			return ledger.Token{}, err
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
		bucket, err := tx.CreateBucketIfNotExists(tokens)
		if err != nil {
			return ledger.Token{}, err
		}
		return written, bucket.Put([]byte(t.ID), v)
	})
}

// loadToken returns the zero record where there is none or it has expired.
func loadToken(tx *bbolt.Tx, id string, now time.Time) (ledger.Token, error) {
	bucket := tx.Bucket(tokens)
	if bucket == nil {
		return ledger.Token{}, nil
	}
	v := bucket.Get([]byte(id))
	if v == nil {
		return ledger.Token{}, nil
	}
	t, err := decodeToken(v)
	if err != nil || expired(t.ExpiresAt, now) {
		return ledger.Token{}, err
	}
	return t, nil
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
