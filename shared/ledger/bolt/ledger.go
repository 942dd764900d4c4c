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
	tenants = []byte("ledger/tenants") // tenant → bucket of positions, whose order is the listing's
	owners  = []byte("ledger/owners")  // partner's record → ledger.Owner
)

var transactions = table[ledger.Transaction]{
	bucket: []byte("ledger/transactions"), expires: func(t ledger.Transaction) time.Time { return t.ExpiresAt },
	places: func(t ledger.Transaction) []place {
		if t.ID == "" {
			return nil
		}
		found := []place{{tenants, tenantKey(t.Tenant), ledger.Position(t)}}
		if t.Journey != "" {
			found = append(found, place{steps, journeyKey(t.Journey), ledger.Position(t)})
		}
		return found
	},
}

// By the key's hash.
var callers = table[ledger.Caller]{
	bucket: []byte("ledger/callers"), expires: func(c ledger.Caller) time.Time { return c.ExpiresAt },
}

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
	buckets := [][]byte{transactions.bucket, tenants, owners, callers.bucket, journeys.bucket, journeyKeys,
		keysOfJourneys, openJourneys, tenantJourneys, steps, correlations.bucket, tokens.bucket, settings.bucket, expiries}
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
		if err := bolt.CreateBuckets(tx, buckets...); err != nil || indexed {
			return err
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
		case old.ID == "", ledger.Expired(old.ExpiresAt, t.ClaimedAt):
		case old.State == ledger.Released && old.Attempt != t.Attempt:
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
			if err := own(tx, t); err != nil {
				return ledger.Transaction{}, err
			}
			t.Aliases, t.Overrules = nil, false
			return t, nil
		case old.Attempt == t.Attempt && old.State == t.State:
			return old, errHeld
		default:
			return old, ledger.ErrFenced
		}
	})
}

// Record implements operation.Ledger.
func (l *Ledger) Record(ctx context.Context, t ledger.Transaction) error {
	_, err := l.change(ctx, t.ID, func(tx *bbolt.Tx, _ ledger.Transaction) (ledger.Transaction, error) {
		return t, own(tx, t)
	})
	return err
}

// change decides on a record as it stands (the zero one if absent) and returns it as it stands afterwards.
func (l *Ledger) change(
	ctx context.Context, id string, decide func(tx *bbolt.Tx, old ledger.Transaction) (ledger.Transaction, error),
) (ledger.Transaction, error) {
	return update(ctx, l, func(tx *bbolt.Tx) (ledger.Transaction, error) {
		old, err := transactions.load(tx, id)
		if err != nil {
			return ledger.Transaction{}, err
		}
		now, err := decide(tx, old)
		if err != nil {
			return now, err
		}
		return transactions.store(tx, now.ID, old, now)
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
	case nil, ledger.ErrTaken, ledger.ErrFenced, ledger.ErrStale, ledger.ErrFull, ledger.ErrOwned:
		return now, err
	default:
		return none, err
	}
}

// Owner implements operation.Ledger.
func (l *Ledger) Owner(ctx context.Context, record string) (owner ledger.Owner, err error) {
	err = l.view(ctx, func(tx *bbolt.Tx) (err error) {
		owner, err = loadOwner(tx, record)
		return err
	})
	return owner, err
}

// loadOwner reads whose a record is. An earlier release wrote the tenants alone.
func loadOwner(tx *bbolt.Tx, record string) (owner ledger.Owner, err error) {
	v := tx.Bucket(owners).Get([]byte(record))
	switch {
	case v == nil:
	case v[0] == '[':
		err = json.Unmarshal(v, &owner.Tenants)
	default:
		err = json.Unmarshal(v, &owner)
	}
	return owner, err
}

// Transaction returns a tenant's record, or ledger.ErrNotFound when it is absent, expired or another tenant's.
func (l *Ledger) Transaction(ctx context.Context, tenant, id string) (ledger.Transaction, error) {
	return get(ctx, l, transactions, id, func(t ledger.Transaction) bool {
		return t.ID != "" && t.Tenant == tenant && !ledger.Expired(t.ExpiresAt, l.Now())
	})
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
		page.Transactions, last, err = rows(all, from, q.Limit, func(id string) (ledger.Transaction, bool, error) {
			t, err := transactions.load(tx, id)
			t.Reply = nil
			wanted := (q.Operation == "" || q.Operation == t.Operation) && (q.State == "" || q.State == t.State)
			return t, wanted && !ledger.Expired(t.ExpiresAt, now), err
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
	index *bbolt.Bucket, from string, limit int, load func(id string) (row T, wanted bool, err error),
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
		row, wanted, err := load(ledger.PositionID(lastLooked))
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
func (l *Ledger) Caller(ctx context.Context, keyHash string) (ledger.Caller, error) {
	return get(ctx, l, callers, keyHash, func(c ledger.Caller) bool {
		return c.KeyHash != "" && !ledger.Expired(c.ExpiresAt, l.Now())
	})
}

// PutCaller adds or replaces a caller.
func (l *Ledger) PutCaller(ctx context.Context, c ledger.Caller) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return l.db.Update(func(tx *bbolt.Tx) error {
		old, err := callers.load(tx, c.KeyHash)
		if err == nil {
			_, err = callers.store(tx, c.KeyHash, old, c)
		}
		return err
	})
}

func (l *Ledger) view(ctx context.Context, fn func(*bbolt.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return l.db.View(fn)
}

// open reports whether a record may still be settled or taken over.
func open(t ledger.Transaction) bool { return t.State == ledger.Claimed || t.State == ledger.Unknown }

// own records who created the partner's record that t names.
func own(tx *bbolt.Tx, t ledger.Transaction) error {
	if t.Owns == "" {
		return nil
	}
	for i, record := range append([]string{t.Owns}, t.Aliases...) {
		if i > 0 {
			t.Overrules = false
		}
		owner, err := loadOwner(tx, record)
		switch {
		case err != nil:
			return err
		case owner.MayPassTo(t):
			if !slices.Contains(owner.Tenants, t.Tenant) {
				owner.Tenants = []string{t.Tenant}
			}
			owner.Call = t.Call()
			err = storeOwner(tx, record, owner)
		case i == 0:
			err = ledger.ErrOwned
		} // an alias that is another's stays so
		if err != nil {
			return err
		}
	}
	return nil
}

func storeOwner(tx *bbolt.Tx, record string, owner ledger.Owner) error {
	text, err := json.Marshal(owner)
	if err != nil {
		return err
	}
	return tx.Bucket(owners).Put([]byte(record), text)
}

// PutOwner makes a tenant the only owner of a partner's record, whoever owned it before. Which call has made it stays
// on record.
func (l *Ledger) PutOwner(ctx context.Context, record, tenant string) error {
	_, err := update(ctx, l, func(tx *bbolt.Tx) (none struct{}, err error) {
		owner, err := loadOwner(tx, record)
		if err != nil {
			return none, err
		}
		owner.Tenants, owner.AssignedAt = []string{tenant}, l.Now()
		return none, storeOwner(tx, record, owner)
	})
	return err
}

// tenantKey is never empty, which bbolt would refuse.
func tenantKey(tenant string) string { return "tenant/" + tenant }
