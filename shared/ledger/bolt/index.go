package bolt

import (
	"slices"

	"go.etcd.io/bbolt"
)

// place is an entry of an index.
type place struct {
	index  []byte // the index's bucket
	bucket string // the bucket in it; empty where the index has none
	key    string
}

func (p place) equal(other place) bool {
	return string(p.index) == string(other.index) && p.bucket == other.bucket && p.key == other.key
}

func (p place) put(tx *bbolt.Tx) (err error) {
	entries := tx.Bucket(p.index)
	if p.bucket != "" {
		if entries, err = entries.CreateBucketIfNotExists([]byte(p.bucket)); err != nil {
			return err
		}
	}
	return entries.Put([]byte(p.key), nil)
}

// remove removes the entry if it is there, and a bucket in the index that held nothing else.
func (p place) remove(tx *bbolt.Tx) error {
	if p.bucket == "" {
		return tx.Bucket(p.index).Delete([]byte(p.key))
	}
	entries := positions(tx, p.index, p.bucket)
	if entries == nil {
		return nil
	}
	if err := entries.Delete([]byte(p.key)); err != nil {
		return err
	}
	if first, _ := entries.Cursor().First(); first != nil {
		return nil
	}
	return tx.Bucket(p.index).DeleteBucket([]byte(p.bucket))
}

// reindex moves a record from where it stood in the indexes to where it stands now.
func reindex(tx *bbolt.Tx, old, now []place) error {
	for _, p := range now {
		if !slices.ContainsFunc(old, p.equal) {
			if err := p.put(tx); err != nil {
				return err
			}
		}
	}
	for _, p := range old {
		if !slices.ContainsFunc(now, p.equal) {
			if err := p.remove(tx); err != nil {
				return err
			}
		}
	}
	return nil
}

// positions returns one of the buckets of a listing's index, nil where nothing is listed.
func positions(tx *bbolt.Tx, index []byte, name string) *bbolt.Bucket {
	return tx.Bucket(index).Bucket([]byte(name))
}

// index builds the indexes of a file that has none, or not all of them.
func index(tx *bbolt.Tx) error {
	err := tx.Bucket(journeyKeys).ForEach(func(key, id []byte) error {
		return tx.Bucket(keysOfJourneys).Put(id, slices.Clone(key))
	})
	if err != nil {
		return err
	}
	for _, t := range allIndexed() {
		err := tx.Bucket(t.name()).ForEach(func(id, _ []byte) error {
			found, err := t.loadPlaces(tx, string(id))
			if err != nil {
				return err
			}
			return reindex(tx, nil, found)
		})
		if err != nil {
			return err
		}
	}
	return nil
}
