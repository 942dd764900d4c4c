package bolt

import (
	"errors"
	"sync/atomic"

	"go.etcd.io/bbolt"
)

// Update runs fn and commits what it wrote; it returns once that is on disk. When fn returns an error or panics,
// nothing is written, and a fn that writes nothing causes no sync: that is how a conditional write fails at no cost.
//
// Callers who come while another one commits share the next commit: their fns run one after the other in one
// transaction, each sees what those before it wrote, and all of them return the error of a commit that fails. So fn may
// run more than once, and what it sets outside itself must not depend on an earlier run. It must not write by a Cursor
// or by a bucket's sequence.
func (db *DB) Update(fn func(*bbolt.Tx) error) error {
	first := false
	for {
		g, err := db.join(fn, &first)
		if g == nil {
			return err
		}
		<-g.done
		switch g.err {
		case nil:
			return err
		case errAgain:
		default:
			return g.err
		}
	}
}

// group is a transaction that several callers of Update share. All of it is committed, or nothing.
type group struct {
	tx   *bbolt.Tx
	done chan struct{} // closed once err is set
	err  error         // what became of the transaction
}

var (
	// errAgain: a member of the group failed after it had written, which only a rollback of the whole group undoes.
	errAgain = errors.New("bolt: run again")
	// errUnfinished: the commit panicked.
	errUnfinished = errors.New("bolt: the commit did not finish")
)

// wrote reports whether the transaction has changed anything.
func (g *group) wrote() bool {
	stats := g.tx.Stats()
	return stats.GetNodeCount() > 0 // every write makes a node of the page that it changes, no read does
}

// join runs fn in the open group, or in a new one if none is open or first is set, and ends the group unless somebody
// waits to join it. It returns the group that the caller has to wait for, and nil if fn's error depends on no group. It
// sets first where fn has to run once more as the first of a group.
func (db *DB) join(fn func(*bbolt.Tx) error, first *bool) (*group, error) {
	db.waiting.Add(1)
	db.turn.Lock()
	db.waiting.Add(-1)
	defer db.turn.Unlock()
	if *first && db.open != nil {
		db.end()
	}
	if db.open == nil {
		tx, err := db.file.Begin(true)
		if err != nil {
			return nil, err
		}
		db.open = &group{tx: tx, done: make(chan struct{})}
	}
	g, shared, writes := db.open, db.open.wrote(), db.writes.Load()
	returned := false
	defer func() {
		if !returned {
			db.undo()
		}
	}()
	err := fn(g.tx)
	returned = true
	switch {
	case err != nil && db.writes.Load() != writes:
		db.undo()
		*first = true
	case db.waiting.Load() == 0:
		db.end()
	}
	if err != nil && !shared {
		return nil, err
	}
	return g, err
}

// end commits what the open group wrote.
func (db *DB) end() {
	g := db.open
	db.open = nil
	defer close(g.done)
	defer func() { _ = g.tx.Rollback() }() // without effect once committed
	if !g.wrote() {
		return
	}
	g.err, db.changed = errUnfinished, true
	db.onWrite("before")
	if g.err = g.tx.Commit(); g.err == nil {
		db.onWrite("after")
	}
}

// undo rolls back the open group, whose members run again.
func (db *DB) undo() {
	g := db.open
	db.open, g.err = nil, errAgain
	_ = g.tx.Rollback()
	close(g.done)
}

// writes counts the writes of transactions. It is bbolt's logger, which hears of every write before it is made: nothing
// else reports whether a fn wrote to a page that another one had changed in the same transaction.
type writes struct {
	bbolt.DefaultLogger
	atomic.Int64
}

// Debugf implements bbolt.Logger.
func (w *writes) Debugf(format string, _ ...any) {
	switch format {
	case "Putting key %q", "Deleting key %q", "Creating bucket %q", "Creating bucket if not exist %q",
		"Deleting bucket %q", "Moving bucket %q":
		w.Add(1)
	}
}
