package bolt

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"time"

	"go.etcd.io/bbolt"

	"sallyport/shared/bolt"
	"sallyport/shared/ledger"
)

// expiries orders by expiry the records that may be deleted then.
var expiries = []byte("ledger/expiries") // expiry, bucket, "#", id → nothing

const (
	// sweepLimit is how many expired records one write deletes, at most: more than it adds, so that none stays for good.
	sweepLimit = 4
	// sweepDelay is how long a record stays after its expiry: nobody goes by it any more.
	sweepDelay = time.Hour
)

// expiry is where a record of a bucket stands in expiries; nowhere where it never expires.
func expiry(bucket []byte, id string, at time.Time) []place {
	if at.IsZero() {
		return nil
	}
	return []place{{index: expiries, key: at.UTC().Format(ledger.TimeLayout) + string(bucket) + "#" + id}}
}

// Sweep deletes all records that have expired an hour ago or before. It is for a ledger that nobody writes to.
func (l *Ledger) Sweep(ctx context.Context) error {
	for {
		due := false
		err := l.view(ctx, func(tx *bbolt.Tx) error {
			due = len(bolt.Due(tx.Bucket(expiries), sweepable(l.Now()), 1)) > 0
			return nil
		})
		if err != nil || !due {
			return err
		}
		if err := l.db.Update(func(tx *bbolt.Tx) error { return sweep(tx, l.Now()) }); err != nil {
			return err
		}
	}
}

// sweepable begins the keys of the last records that may be deleted by now.
func sweepable(now time.Time) []byte {
	return now.Add(-sweepDelay).UTC().AppendFormat(nil, ledger.TimeLayout)
}

// sweep deletes records that have expired sweepDelay ago or before, at most sweepLimit of them.
func sweep(tx *bbolt.Tx, now time.Time) error {
	until := sweepable(now)
	for _, key := range bolt.Due(tx.Bucket(expiries), until, sweepLimit) {
		bucket, id, _ := strings.Cut(string(key[len(until):]), "#")
		for _, t := range allIndexed() {
			if string(t.name()) != bucket {
				continue
			}
			if err := erase(tx, t, id, place{index: expiries, key: string(key)}); err != nil {
				return err
			}
		}
	}
	return nil
}

// erase deletes a record and what leads to it, provided that it still expires where the entry says.
func erase(tx *bbolt.Tx, t indexed, id string, entry place) error {
	found, err := t.loadPlaces(tx, id)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(found, entry.equal) {
		return entry.remove(tx)
	}
	if err := reindex(tx, found, nil); err != nil {
		return err
	}
	if bytes.Equal(t.name(), journeys.bucket) {
		if err := eraseKey(tx, []byte(id)); err != nil {
			return err
		}
	}
	return tx.Bucket(t.name()).Delete([]byte(id))
}

// eraseKey deletes the key that leads to a journey, unless it leads to another one by now.
func eraseKey(tx *bbolt.Tx, id []byte) error {
	key := tx.Bucket(keysOfJourneys).Get(id)
	if key == nil {
		return nil
	}
	if bytes.Equal(tx.Bucket(journeyKeys).Get(key), id) {
		if err := tx.Bucket(journeyKeys).Delete(key); err != nil {
			return err
		}
	}
	return tx.Bucket(keysOfJourneys).Delete(id)
}
