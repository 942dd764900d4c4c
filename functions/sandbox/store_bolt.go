package sandbox

import (
	"bytes"
	"context"

	"go.etcd.io/bbolt"

	"sallyport/shared/bolt"
)

// boltBucket holds the sandbox's items in a file that others use as well.
var boltBucket = []byte("sandbox")

// Bolt is a Store in a file. Its transactions run one after the other, so it never returns ErrConflict, what List
// returns is guarded as well, and Clear is one transaction.
type Bolt struct{ db *bolt.DB }

// NewBolt returns a Store in db, which the caller opens and closes.
func NewBolt(db *bolt.DB) *Bolt { return &Bolt{db: db} }

func (b *Bolt) Update(ctx context.Context, fn func(Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return b.db.Update(func(tx *bbolt.Tx) error {
		bucket, err := tx.CreateBucketIfNotExists(boltBucket)
		if err != nil {
			return err
		}
		return fn(boltTx{bucket})
	})
}

func (b *Bolt) View(ctx context.Context, fn func(Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return b.db.View(func(tx *bbolt.Tx) error { return fn(boltTx{tx.Bucket(boltBucket)}) })
}

func (b *Bolt) Clear(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return b.db.Update(func(tx *bbolt.Tx) error {
		if tx.Bucket(boltBucket) == nil {
			return nil
		}
		return tx.DeleteBucket(boltBucket)
	})
}

// boltTx has no bucket where it views a file that was never written.
type boltTx struct{ bucket *bbolt.Bucket }

func (tx boltTx) Get(key string) ([]byte, error) {
	if tx.bucket == nil {
		return nil, nil
	}
	return bytes.Clone(tx.bucket.Get([]byte(key))), nil
}

func (tx boltTx) Put(key string, value []byte) error {
	if tx.bucket == nil || !tx.bucket.Writable() {
		return ErrReadOnly
	}
	return tx.bucket.Put([]byte(key), bytes.Clone(value))
}

func (tx boltTx) Delete(key string) error {
	if tx.bucket == nil || !tx.bucket.Writable() {
		return ErrReadOnly
	}
	return tx.bucket.Delete([]byte(key))
}

func (tx boltTx) List(prefix string) ([]Item, error) {
	if tx.bucket == nil {
		return nil, nil
	}
	var items []Item
	cursor := tx.bucket.Cursor()
	for k, v := cursor.Seek([]byte(prefix)); k != nil && bytes.HasPrefix(k, []byte(prefix)); k, v = cursor.Next() {
		items = append(items, Item{Key: string(k), Value: bytes.Clone(v)})
	}
	return items, nil
}
