package bolt_test

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"go.etcd.io/bbolt"

	"sallyport/shared/bolt"
)

// TestCut: a file that was cut anywhere is refused, and ends no process; a whole one opens.
func TestCut(t *testing.T) {
	path := filepath.Join(t.TempDir(), "whole.db")
	db, err := bolt.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 20 {
		if err := db.Update(func(tx *bbolt.Tx) error {
			bucket, err := tx.CreateBucketIfNotExists([]byte("bucket"))
			if err != nil {
				return err
			}
			return bucket.Put([]byte(strconv.Itoa(n)), make([]byte, 5000))
		}); err != nil {
			t.Fatal(err)
		}
	}
	used := int64(0)
	if err := db.View(func(tx *bbolt.Tx) error { used = tx.Size(); return nil }); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for size := int64(1000); size < used; size += 3000 {
		cut := filepath.Join(t.TempDir(), "cut.db")
		if err := os.WriteFile(cut, whole[:size], 0o600); err != nil {
			t.Fatal(err)
		}
		if db, err := bolt.Open(cut); err == nil {
			_ = db.Close()
			t.Errorf("%d of %d bytes: it opens", size, used)
		}
	}
	if db, err = bolt.Open(path); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}
