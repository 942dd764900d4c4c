// Package bolt keeps the ledger in a bbolt file, for the stack on one machine.
package bolt

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"go.etcd.io/bbolt"

	"sallyport/shared/bolt"
	"sallyport/shared/ledger"
)

var (
	transactions = []byte("ledger/transactions") // id → transaction
	tenants      = []byte("ledger/tenants")      // tenant → bucket of positions, whose order is the listing's
	owners       = []byte("ledger/owners")       // partner's record → tenant
	callers      = []byte("ledger/callers")      // key hash → caller
)

// Ledger implements operation.Ledger and the reads of its other users. A conditional write that fails its condition
// touches no disk.
type Ledger struct {
	// Now tells which records have expired when they are read; time.Now if nobody sets it.
	Now func() time.Time
	db  *bolt.DB
}

// New makes a ledger in the file.
func New(db *bolt.DB) (*Ledger, error) {
	l := &Ledger{Now: time.Now, db: db}
	complete := false
	err := db.View(func(tx *bbolt.Tx) error {
		complete = tx.Bucket(callers) != nil
		return nil
	})
	if err != nil || complete {
		return l, err
	}
	return l, db.Update(func(tx *bbolt.Tx) error {
		for _, name := range [][]byte{transactions, tenants, owners, callers} {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		return nil
	})
}

// errHeld rolls back a write that had already succeeded.
var errHeld = errors.New("bolt: already written")

// Claim implements operation.Ledger.
func (l *Ledger) Claim(ctx context.Context, t ledger.Transaction) (ledger.Transaction, error) {
	return l.change(ctx, t.ID, func(_ *bbolt.Tx, old ledger.Transaction) (ledger.Transaction, error) {
		switch {
		case old.ID == "", old.State == ledger.Released && old.Attempt != t.Attempt, expired(old, t.ClaimedAt):
		case old.State == ledger.Claimed && old.Attempt == t.Attempt:
			return old, errHeld
		default:
			return old, ledger.ErrTaken
		}
		t.State, t.Code, t.Reply, t.EndedAt = ledger.Claimed, "", nil, time.Time{}
		t.Generation, t.TakeOvers = old.Generation+1, 0
		t.ExpiresAt = t.Lease.Add(ledger.Retention)
		return t, nil
	})
}

// TakeOver implements operation.Ledger.
func (l *Ledger) TakeOver(ctx context.Context, t ledger.Transaction, from string) (ledger.Transaction, error) {
	return l.change(ctx, t.ID, func(_ *bbolt.Tx, old ledger.Transaction) (ledger.Transaction, error) {
		switch {
		case open(old) && old.Attempt == from:
		case old.State == ledger.Claimed && old.Attempt == t.Attempt:
			return old, errHeld
		default:
			return old, ledger.ErrTaken
		}
		taken := old
		taken.State, taken.Code, taken.Reply = ledger.Claimed, "", nil
		taken.SentAt, taken.EndedAt = time.Time{}, time.Time{}
		taken.Attempt, taken.Lease, taken.ExpiresAt = t.Attempt, t.Lease, t.Lease.Add(ledger.Retention)
		taken.TakeOvers++
		return taken, nil
	})
}

// Complete implements operation.Ledger.
func (l *Ledger) Complete(ctx context.Context, t ledger.Transaction) (ledger.Transaction, error) {
	return l.change(ctx, t.ID, func(tx *bbolt.Tx, old ledger.Transaction) (ledger.Transaction, error) {
		switch {
		case open(old) && old.Attempt == t.Attempt:
			return t, own(tx, t)
		case old.Attempt == t.Attempt && old.State == t.State:
			return old, errHeld
		default:
			return old, ledger.ErrFenced
		}
	})
}

// Record implements operation.Ledger.
func (l *Ledger) Record(ctx context.Context, t ledger.Transaction) error {
	_, err := l.change(ctx, t.ID, func(*bbolt.Tx, ledger.Transaction) (ledger.Transaction, error) {
		return t, nil
	})
	return err
}

// change decides on a record as it stands (the zero one if absent) and returns it as it stands afterwards.
func (l *Ledger) change(ctx context.Context, id string, decide func(tx *bbolt.Tx, old ledger.Transaction) (ledger.Transaction, error)) (ledger.Transaction, error) {
	if err := ctx.Err(); err != nil {
		return ledger.Transaction{}, err
	}
	var now ledger.Transaction
	err := l.db.Update(func(tx *bbolt.Tx) error {
		old, err := load(tx, []byte(id))
		if err != nil {
			return err
		}
		if now, err = decide(tx, old); err != nil {
			return err
		}
		now, err = store(tx, old, now)
		return err
	})
	switch {
	case err == errHeld:
		return now, nil
	case err == nil, err == ledger.ErrTaken, err == ledger.ErrFenced:
		return now, err
	default:
		return ledger.Transaction{}, err
	}
}

// Owner implements operation.Ledger.
func (l *Ledger) Owner(ctx context.Context, record string) (tenant string, err error) {
	err = l.view(ctx, func(tx *bbolt.Tx) error {
		v := tx.Bucket(owners).Get([]byte(record))
		if v == nil {
			return ledger.ErrNotFound
		}
		tenant = string(v)
		return nil
	})
	return tenant, err
}

// Transaction returns a tenant's record, or ledger.ErrNotFound when it is absent, expired or another tenant's.
func (l *Ledger) Transaction(ctx context.Context, tenant, id string) (t ledger.Transaction, err error) {
	err = l.view(ctx, func(tx *bbolt.Tx) error {
		found, err := load(tx, []byte(id))
		if err != nil {
			return err
		}
		if found.ID == "" || found.Tenant != tenant || expired(found, l.Now()) {
			return ledger.ErrNotFound
		}
		t = found
		return nil
	})
	return t, err
}

// Transactions returns one page of a tenant's records, or ledger.ErrBadCursor. A limit outside 1 to 100 counts as the
// nearest in it.
func (l *Ledger) Transactions(ctx context.Context, q ledger.Query) (page ledger.Page, err error) {
	from, err := ledger.ReadCursor(q)
	if err != nil {
		return ledger.Page{}, err
	}
	limit, now := min(max(q.Limit, 1), 100), l.Now()
	err = l.view(ctx, func(tx *bbolt.Tx) error {
		index := tx.Bucket(tenants).Bucket(tenantKey(q.Tenant))
		if index == nil {
			return nil
		}
		for c, key := older(index.Cursor(), from); key != nil; key, _ = c.Prev() {
			t, err := load(tx, []byte(ledger.PositionID(string(key))))
			if err != nil {
				return err
			}
			if expired(t, now) || q.Operation != "" && q.Operation != t.Operation || q.State != "" && q.State != t.State {
				continue
			}
			if len(page.Transactions) == limit {
				page.Next = ledger.Cursor(q, ledger.Position(page.Transactions[limit-1]))
				return nil
			}
			t.Reply = nil
			page.Transactions = append(page.Transactions, t)
		}
		return nil
	})
	if err != nil {
		return ledger.Page{}, err
	}
	return page, nil
}

// older moves a cursor to the newest position before from, or to the newest of all when from is empty.
func older(c *bbolt.Cursor, from string) (*bbolt.Cursor, []byte) {
	if from != "" {
		if key, _ := c.Seek([]byte(from)); key != nil {
			key, _ = c.Prev()
			return c, key
		}
	}
	key, _ := c.Last()
	return c, key
}

// Caller returns who holds the key with this hash, or ledger.ErrNotFound when nobody does or it has expired.
func (l *Ledger) Caller(ctx context.Context, keyHash string) (c ledger.Caller, err error) {
	err = l.view(ctx, func(tx *bbolt.Tx) error {
		v := tx.Bucket(callers).Get([]byte(keyHash))
		if v == nil {
			return ledger.ErrNotFound
		}
		var found ledger.Caller
		if err := json.Unmarshal(v, &found); err != nil {
			return err
		}
		found.ExpiresAt = found.ExpiresAt.UTC()
		if len(found.Scopes) == 0 {
			found.Scopes = nil
		}
		if !found.ExpiresAt.IsZero() && !l.Now().Before(found.ExpiresAt) {
			return ledger.ErrNotFound
		}
		c = found
		return nil
	})
	return c, err
}

// PutCaller adds or replaces a caller.
func (l *Ledger) PutCaller(ctx context.Context, c ledger.Caller) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	v, err := json.Marshal(c)
	if err != nil {
		return err
	}
	return l.db.Update(func(tx *bbolt.Tx) error { return tx.Bucket(callers).Put([]byte(c.KeyHash), v) })
}

func (l *Ledger) view(ctx context.Context, fn func(*bbolt.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return l.db.View(fn)
}

// open reports whether a record may still be settled or taken over.
func open(t ledger.Transaction) bool { return t.State == ledger.Claimed || t.State == ledger.Unknown }

// expired reports whether a record counts as absent. One without an expiry never does: a forgotten field must not
// let an effect happen twice.
func expired(t ledger.Transaction, now time.Time) bool {
	return !t.ExpiresAt.IsZero() && !now.Before(t.ExpiresAt)
}

// load returns the zero transaction when there is none.
func load(tx *bbolt.Tx, id []byte) (ledger.Transaction, error) {
	v := tx.Bucket(transactions).Get(id)
	if v == nil {
		return ledger.Transaction{}, nil
	}
	return decode(v)
}

// store replaces old and its place in the listing by t, and returns t as load will.
func store(tx *bbolt.Tx, old, t ledger.Transaction) (ledger.Transaction, error) {
	v, err := json.Marshal(t)
	if err != nil {
		return t, err
	}
	if err := tx.Bucket(transactions).Put([]byte(t.ID), v); err != nil {
		return t, err
	}
	if old.ID != "" {
		if index := tx.Bucket(tenants).Bucket(tenantKey(old.Tenant)); index != nil {
			if err := index.Delete([]byte(ledger.Position(old))); err != nil {
				return t, err
			}
		}
	}
	index, err := tx.Bucket(tenants).CreateBucketIfNotExists(tenantKey(t.Tenant))
	if err != nil {
		return t, err
	}
	if err := index.Put([]byte(ledger.Position(t)), nil); err != nil {
		return t, err
	}
	return decode(v)
}

// own records who created the partner's record that t names, unless somebody did before.
func own(tx *bbolt.Tx, t ledger.Transaction) error {
	b := tx.Bucket(owners)
	if t.Owns == "" || b.Get([]byte(t.Owns)) != nil {
		return nil
	}
	return b.Put([]byte(t.Owns), []byte(t.Tenant))
}

// decode reads a stored transaction: times in UTC, an empty map or body as nil, sharing nothing with whoever wrote it.
func decode(v []byte) (t ledger.Transaction, err error) {
	if err := json.Unmarshal(v, &t); err != nil {
		return ledger.Transaction{}, err
	}
	for _, at := range []*time.Time{&t.ClaimedAt, &t.Lease, &t.SentAt, &t.EndedAt, &t.ExpiresAt} {
		*at = at.UTC()
	}
	if len(t.Refs) == 0 {
		t.Refs = nil
	}
	if t.Reply != nil && len(t.Reply.Body) == 0 {
		t.Reply.Body = nil
	}
	return t, nil
}

// tenantKey is never empty, which bbolt would refuse.
func tenantKey(tenant string) []byte { return []byte("tenant/" + tenant) }
