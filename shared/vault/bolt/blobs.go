// Package bolt keeps the vault's blobs in a bbolt file, for the stack on one machine.
package bolt

import (
	"bytes"
	"context"
	"errors"
	"time"

	"go.etcd.io/bbolt"

	"sallyport/shared/bolt"
	"sallyport/shared/vault"
)

var (
	blobs    = []byte("vault/blobs")    // key → expiry, blob
	expiries = []byte("vault/expiries") // expiry, key → nothing; the next to expire first
)

// timeLayout has a fixed width, so that it sorts as time does and can be cut off what follows it.
const timeLayout = "2006-01-02T15:04:05.000000000Z"

// sweepLimit bounds how many expired blobs one Put deletes: more than it adds, so that none stays for good.
const sweepLimit = 16

// Blobs implements vault.Blobs.
type Blobs struct {
	// Now tells which blobs have expired; time.Now if nobody sets it.
	Now func() time.Time
	db  *bolt.DB
}

var _ vault.Blobs = (*Blobs)(nil)

// New makes a blob store in the file.
func New(db *bolt.DB) (*Blobs, error) {
	b := &Blobs{Now: time.Now, db: db}
	complete := false
	err := db.View(func(tx *bbolt.Tx) error {
		complete = tx.Bucket(expiries) != nil
		return nil
	})
	if err != nil || complete {
		return b, err
	}
	return b, db.Update(func(tx *bbolt.Tx) error {
		return bolt.CreateBuckets(tx, blobs, expiries)
	})
}

// Put implements vault.Blobs. In the same commit it deletes some of the blobs that have expired.
func (b *Blobs) Put(ctx context.Context, key string, blob []byte, expires time.Time) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return b.db.Update(func(tx *bbolt.Tx) error {
		if err := sweep(tx, stamp(b.Now())); err != nil {
			return err
		}
		if _, err := remove(tx, []byte(key)); err != nil {
			return err
		}
		return add(tx, []byte(key), blob, expires)
	})
}

func add(tx *bbolt.Tx, key, blob []byte, expires time.Time) error {
	if err := tx.Bucket(expiries).Put(append(stamp(expires), key...), nil); err != nil {
		return err
	}
	return tx.Bucket(blobs).Put(key, append(stamp(expires), blob...))
}

// Get implements vault.Blobs.
func (b *Blobs) Get(ctx context.Context, key string) (blob []byte, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	err = b.db.View(func(tx *bbolt.Tx) error {
		v := tx.Bucket(blobs).Get([]byte(key))
		if v == nil || bytes.Compare(v[:len(timeLayout)], stamp(b.Now())) <= 0 {
			return vault.ErrNotFound
		}
		blob = bytes.Clone(v[len(timeLayout):])
		return nil
	})
	return blob, err
}

// Expires implements vault.Blobs.
func (b *Blobs) Expires(ctx context.Context, key string) (at time.Time, err error) {
	if err := ctx.Err(); err != nil {
		return at, err
	}
	err = b.db.View(func(tx *bbolt.Tx) error {
		v := tx.Bucket(blobs).Get([]byte(key))
		if v == nil || bytes.Compare(v[:len(timeLayout)], stamp(b.Now())) <= 0 {
			return vault.ErrNotFound
		}
		at, err = time.Parse(timeLayout, string(v[:len(timeLayout)]))
		return err
	})
	return at, err
}

// Extend implements vault.Blobs.
func (b *Blobs) Extend(ctx context.Context, key string, expires time.Time) error {
	at, err := b.Expires(ctx, key)
	if err != nil || !at.Before(expires) {
		return err
	}
	return b.db.Update(func(tx *bbolt.Tx) error {
		v := bytes.Clone(tx.Bucket(blobs).Get([]byte(key)))
		if v == nil {
			return vault.ErrNotFound
		}
		if _, err := remove(tx, []byte(key)); err != nil {
			return err
		}
		return add(tx, []byte(key), v[len(timeLayout):], expires)
	})
}

// errUnchanged rolls back a deletion of nothing.
var errUnchanged = errors.New("bolt: nothing to delete")

// Delete implements vault.Blobs.
func (b *Blobs) Delete(ctx context.Context, key string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	err := b.db.Update(func(tx *bbolt.Tx) error {
		found, err := remove(tx, []byte(key))
		if err == nil && !found {
			return errUnchanged
		}
		return err
	})
	if err == errUnchanged {
		return nil
	}
	return err
}

// Count returns how many blobs lie in the file, expired ones that were not swept yet as well.
func (b *Blobs) Count() (n int, err error) {
	err = b.db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket(blobs).ForEach(func(_, _ []byte) error { n++; return nil })
	})
	return n, err
}

// Sweep deletes all blobs that have expired. It writes nothing where there are none.
func (b *Blobs) Sweep(ctx context.Context) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		now, due := stamp(b.Now()), 0
		err := b.db.View(func(tx *bbolt.Tx) error {
			due = len(bolt.Due(tx.Bucket(expiries), now, 1))
			return nil
		})
		if err != nil || due == 0 {
			return err
		}
		if err := b.db.Update(func(tx *bbolt.Tx) error { return sweep(tx, now) }); err != nil {
			return err
		}
	}
}

// sweep deletes blobs that expired at now or before, at most sweepLimit of them.
func sweep(tx *bbolt.Tx, now []byte) error {
	for _, entry := range bolt.Due(tx.Bucket(expiries), now, sweepLimit) {
		if _, err := remove(tx, entry[len(timeLayout):]); err != nil {
			return err
		}
	}
	return nil
}

func remove(tx *bbolt.Tx, key []byte) (found bool, err error) {
	v := tx.Bucket(blobs).Get(key)
	if v == nil {
		return false, nil
	}
	entry := append(bytes.Clone(v[:len(timeLayout)]), key...)
	if err := tx.Bucket(expiries).Delete(entry); err != nil {
		return true, err
	}
	return true, tx.Bucket(blobs).Delete(key)
}

func stamp(at time.Time) []byte { return []byte(at.UTC().Format(timeLayout)) }
