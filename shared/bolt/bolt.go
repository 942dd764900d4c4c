// Package bolt opens the file in which the embedded stack keeps its state. Every commit is durable when Update
// returns, and one process at a time holds the file.
package bolt

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
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
}

// Option changes how Open sets up a DB.
type Option func(*DB)

// OnWrite calls f with "before" immediately before and "after" immediately after each commit that changes the file,
// so that a test can end the process at every write. A commit that fails reaches "before" only.
func OnWrite(f func(stage string)) Option {
	return func(db *DB) { db.onWrite = f }
}

// Open opens or creates the file, and its folder, for this user only. It returns ErrLocked when another process
// holds the file.
func Open(path string, opts ...Option) (*DB, error) {
	db := &DB{onWrite: func(string) {}}
	for _, opt := range opts {
		opt(db)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("bolt: %w", err)
	}
	var err error
	db.file, err = bbolt.Open(path, 0o600, &bbolt.Options{Timeout: lockTimeout})
	if errors.Is(err, bbolterrors.ErrTimeout) {
		return nil, fmt.Errorf("%w: %s", ErrLocked, path)
	}
	if err != nil {
		return nil, fmt.Errorf("bolt: open %s: %w", path, err)
	}
	return db, nil
}

// Update runs fn and commits what it wrote. When fn returns an error, nothing is written and nothing is synced: that
// is how a conditional write fails at no cost.
func (db *DB) Update(fn func(*bbolt.Tx) error) error {
	tx, err := db.file.Begin(true)
	if err != nil {
		return err
	}
	defer tx.Rollback() // without effect once committed
	if err := fn(tx); err != nil {
		return err
	}
	db.onWrite("before")
	if err := tx.Commit(); err != nil {
		return err
	}
	db.onWrite("after")
	return nil
}

// View runs fn on a consistent state that no update changes meanwhile.
func (db *DB) View(fn func(*bbolt.Tx) error) error { return db.file.View(fn) }

// Close waits for running transactions and frees the file.
func (db *DB) Close() error { return db.file.Close() }
