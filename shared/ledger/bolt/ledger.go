// Package bolt keeps the ledger in a bbolt file, for the stack on one machine.
package bolt

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"sallyport/shared/bolt"
	"sallyport/shared/ledger"
)

var (
	transactions = []byte("ledger/transactions") // id → transaction
	tenants      = []byte("ledger/tenants")      // tenant → bucket of positions, whose order is the listing's
	owners       = []byte("ledger/owners")       // partner's record → tenants
	callers      = []byte("ledger/callers")      // key hash → caller
)

// Ledger implements operation.Ledger and the reads of its other users. A conditional write that fails its condition
// touches no disk.
type Ledger struct {
	// Now tells which records have expired, and when correlations were written; time.Now if nobody sets it.
	Now func() time.Time
	// Sweeps makes each write delete some of the records that have expired, as the table's TTL does on AWS.
	Sweeps bool

	db *bolt.DB

	watchers watchers
}

// New makes a ledger in the file. In a file of an earlier version, it builds the indexes that are missing.
func New(db *bolt.DB) (*Ledger, error) {
	l := &Ledger{Now: time.Now, db: db}
	buckets := [][]byte{transactions, tenants, owners, callers, journeys, journeyKeys, keysOfJourneys, openJourneys,
		tenantJourneys, steps, correlations, tokens, settings, expiries}
	complete := false
	err := db.View(func(tx *bbolt.Tx) error {
		complete = !slices.ContainsFunc(buckets, func(name []byte) bool { return tx.Bucket(name) == nil })
		return nil
	})
	if err != nil || complete {
		return l, err
	}
	return l, db.Update(func(tx *bbolt.Tx) error {
		indexed := tx.Bucket(expiries) != nil && tx.Bucket(openJourneys) != nil && tx.Bucket(keysOfJourneys) != nil
		for _, name := range buckets {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		if indexed {
			return nil
		}
		return index(tx)
	})
}

// errHeld rolls back a write that had already succeeded.
var errHeld = errors.New("bolt: already written")

// Claim implements operation.Ledger.
func (l *Ledger) Claim(ctx context.Context, t ledger.Transaction) (ledger.Transaction, error) {
	return l.change(ctx, t.ID, func(_ *bbolt.Tx, old ledger.Transaction) (ledger.Transaction, error) {
		switch {
		case old.ID == "", old.State == ledger.Released && old.Attempt != t.Attempt, expired(old.ExpiresAt, t.ClaimedAt):
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
func (l *Ledger) change(
	ctx context.Context, id string, decide func(tx *bbolt.Tx, old ledger.Transaction) (ledger.Transaction, error),
) (ledger.Transaction, error) {
	return update(ctx, l, func(tx *bbolt.Tx) (ledger.Transaction, error) {
		old, err := load(tx, []byte(id))
		if err != nil {
			return ledger.Transaction{}, err
		}
		now, err := decide(tx, old)
		if err != nil {
			return now, err
		}
		return store(tx, old, now)
	})
}

// update makes one write and returns the record as it stands afterwards.
func update[T any](ctx context.Context, l *Ledger, write func(*bbolt.Tx) (T, error)) (now T, err error) {
	var none T
	if err := ctx.Err(); err != nil {
		return none, err
	}
	err = l.db.Update(func(tx *bbolt.Tx) (err error) {
		if now, err = write(tx); err != nil {
			return err
		}
		if !l.Sweeps {
			return nil
		}
		return sweep(tx, l.Now())
	})
	switch err {
	case errHeld:
		return now, nil
	case nil, ledger.ErrTaken, ledger.ErrFenced, ledger.ErrStale, ledger.ErrFull:
		return now, err
	default:
		return none, err
	}
}

// Owners implements operation.Ledger.
func (l *Ledger) Owners(ctx context.Context, record string) (tenants []string, err error) {
	err = l.view(ctx, func(tx *bbolt.Tx) (err error) {
		tenants, err = ownersOf(tx, record)
		return err
	})
	return tenants, err
}

// Created implements operation.Ledger.
func (l *Ledger) Created(ctx context.Context, record, id string, generation int) (created bool, err error) {
	err = l.view(ctx, func(tx *bbolt.Tx) error {
		t, err := load(tx, []byte(id))
		created = record != "" && t.Owns == record && t.Generation == generation
		return err
	})
	return created, err
}

func ownersOf(tx *bbolt.Tx, record string) (tenants []string, err error) {
	if v := tx.Bucket(owners).Get([]byte(record)); v != nil {
		err = json.Unmarshal(v, &tenants)
	}
	return tenants, err
}

// Transaction returns a tenant's record, or ledger.ErrNotFound when it is absent, expired or another tenant's.
func (l *Ledger) Transaction(ctx context.Context, tenant, id string) (t ledger.Transaction, err error) {
	err = l.view(ctx, func(tx *bbolt.Tx) error {
		found, err := load(tx, []byte(id))
		if err != nil {
			return err
		}
		if found.ID == "" || found.Tenant != tenant || expired(found.ExpiresAt, l.Now()) {
			return ledger.ErrNotFound
		}
		t = found
		return nil
	})
	return t, err
}

// Transactions returns one page of a tenant's records, or ledger.ErrBadCursor. A limit outside 1 to 100 counts as the
// nearest in it. A page may hold fewer rows than its limit, even none, and still have a Next.
func (l *Ledger) Transactions(ctx context.Context, q ledger.Query) (page ledger.Page, err error) {
	from, err := ledger.ReadCursor(q)
	if err != nil {
		return ledger.Page{}, err
	}
	now := l.Now()
	err = l.view(ctx, func(tx *bbolt.Tx) error {
		var last string
		all := positions(tx, tenants, tenantKey(q.Tenant))
		page.Transactions, last, err = rows(all, from, q.Limit, func(id []byte) (ledger.Transaction, bool, error) {
			t, err := load(tx, id)
			t.Reply = nil
			return t,
				!expired(t.ExpiresAt, now) && (q.Operation == "" || q.Operation == t.Operation) &&
					(q.State == "" || q.State == t.State),
				err
		})
		if last != "" {
			page.Next = ledger.Cursor(q, last)
		}
		return err
	})
	if err != nil {
		return ledger.Page{}, err
	}
	return page, nil
}

// rows returns up to limit rows of an index that are wanted, the newest first, and the position after which they go on
// if there may be more. It looks at ledger.PageRows rows, at most.
func rows[T any](
	index *bbolt.Bucket, from string, limit int, load func(id []byte) (row T, wanted bool, err error),
) (page []T, last string, err error) {
	if index == nil {
		return nil, "", nil
	}
	looked, lastLooked := 0, ""
	for c, key := older(index.Cursor(), from); key != nil; key, _ = c.Prev() {
		if looked == ledger.PageRows {
			return page, lastLooked, nil
		}
		looked, lastLooked = looked+1, string(key)
		row, wanted, err := load([]byte(ledger.PositionID(lastLooked)))
		switch {
		case err != nil:
			return nil, "", err
		case wanted && len(page) == min(max(limit, 1), 100):
			return page, last, nil
		case wanted:
			page, last = append(page, row), lastLooked
		}
	}
	return page, "", nil
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
		if expired(found.ExpiresAt, l.Now()) {
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
func expired(at, now time.Time) bool { return !at.IsZero() && !now.Before(at) }

// load returns the zero transaction when there is none.
func load(tx *bbolt.Tx, id []byte) (ledger.Transaction, error) {
	v := tx.Bucket(transactions).Get(id)
	if v == nil {
		return ledger.Transaction{}, nil
	}
	return decode(v)
}

// store replaces old and its places in the indexes by t, and returns t as load will.
func store(tx *bbolt.Tx, old, t ledger.Transaction) (ledger.Transaction, error) {
	v, err := json.Marshal(t)
	if err != nil {
		return t, err
	}
	if err := tx.Bucket(transactions).Put([]byte(t.ID), v); err != nil {
		return t, err
	}
	if err := reindex(tx, places(old), places(t)); err != nil {
		return t, err
	}
	return decode(v)
}

// places are where a transaction stands in the indexes; nowhere where there is none.
func places(t ledger.Transaction) []place {
	if t.ID == "" {
		return nil
	}
	found := []place{{tenants, tenantKey(t.Tenant), ledger.Position(t)}}
	if t.Journey != "" {
		found = append(found, place{steps, journeyKey(t.Journey), ledger.Position(t)})
	}
	if !open(t) {
		found = append(found, expiry(transactions, t.ID, t.ExpiresAt)...)
	}
	return found
}

// own records who created the partner's record that t names.
func own(tx *bbolt.Tx, t ledger.Transaction) error {
	if t.Owns == "" {
		return nil
	}
	tenants, err := ownersOf(tx, t.Owns)
	if err != nil || slices.Contains(tenants, t.Tenant) {
		return err
	}
	tenants = append(tenants, t.Tenant)
	slices.Sort(tenants)
	text, err := json.Marshal(tenants)
	if err != nil {
		return err
	}
	return tx.Bucket(owners).Put([]byte(t.Owns), text)
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
func tenantKey(tenant string) string { return "tenant/" + tenant }
