// Package bolt opens the file in which the embedded stack keeps its state. Every commit is durable when Update
// returns, and one process at a time holds the file.
package bolt

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"
	bbolterrors "go.etcd.io/bbolt/errors"
)

// ErrLocked: another process holds the file.
var ErrLocked = errors.New("bolt: the file is in use by another process")

// lockTimeout is how long Open waits for a process that is just ending.
const lockTimeout = time.Second

// DB is an open file. Its methods may be called concurrently; updates run one after the other.
type DB struct {
	file    *bbolt.DB
	onWrite func(stage string)

	waiting atomic.Int64 // callers of Update who wait for turn
	turn    sync.Mutex   // held by the caller whose function runs, or who commits
	open    *group       // guarded by turn; nil if none is open
	changed bool         // likewise; something was committed
	writes  writes
}

// Option changes how Open sets up a DB.
type Option func(*DB)

// OnWrite calls f with "before" immediately before and "after" immediately after each commit of updates, so that a test
// can end the process at every write. A commit that fails reaches "before" only.
func OnWrite(f func(stage string)) Option {
	return func(db *DB) { db.onWrite = f }
}

// Open opens or creates the file, and its folder, for this user only. It returns ErrLocked when another process
// holds the file.
func Open(path string, opts ...Option) (*DB, error) {
	db := &DB{onWrite: func(string) {}}
	db.writes.DefaultLogger = bbolt.DefaultLogger{Logger: slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)}
	for _, opt := range opts {
		opt(db)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("bolt: %w", err)
	}
	if err := checkWhole(path); err != nil {
		return nil, fmt.Errorf("bolt: open %s: %w", path, err)
	}
	var err error
	db.file, err = bbolt.Open(path, 0o600, &bbolt.Options{
		Timeout: lockTimeout, Logger: &db.writes,
		FreelistType: bbolt.FreelistMapType, NoFreelistSync: true, // else each commit writes the number of every free page
	})
	if errors.Is(err, bbolterrors.ErrTimeout) {
		return nil, fmt.Errorf("%w: %s", ErrLocked, path)
	}
	if err != nil {
		return nil, fmt.Errorf("bolt: open %s: %w", path, err)
	}
	return db, nil
}

// View runs fn on a consistent state that no update changes meanwhile.
func (db *DB) View(fn func(*bbolt.Tx) error) error { return db.file.View(fn) }

// CreateBuckets makes those buckets that are missing.
func CreateBuckets(tx *bbolt.Tx, names ...[]byte) error {
	for _, name := range names {
		if _, err := tx.CreateBucketIfNotExists(name); err != nil {
			return err
		}
	}
	return nil
}

// Due returns the first keys of a bucket, at most limit of them, whose beginnings are not after until: keys that begin
// with when something is due.
func Due(bucket *bbolt.Bucket, until []byte, limit int) (keys [][]byte) {
	c := bucket.Cursor()
	for key, _ := c.First(); key != nil && len(keys) < limit; key, _ = c.Next() {
		if bytes.Compare(key[:len(until)], until) > 0 {
			break
		}
		keys = append(keys, bytes.Clone(key))
	}
	return keys
}

// Close waits for running transactions and frees the file. It writes the list of free pages, which the next Open would
// have to find in the whole file otherwise.
func (db *DB) Close() error {
	db.turn.Lock()
	defer db.turn.Unlock()
	if db.open != nil {
		db.end()
	}
	if db.changed {
		db.changed, db.file.NoFreelistSync = false, false
		_ = db.file.Update(func(*bbolt.Tx) error { return nil })
	}
	return db.file.Close()
}
