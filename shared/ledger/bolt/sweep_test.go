package bolt_test

import (
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"sallyport/shared/bolt"
	"sallyport/shared/ledger"
	ledgerbolt "sallyport/shared/ledger/bolt"
	"sallyport/shared/ledger/ledgertest"
)

// entries returns how many entries the file has, those of indexes included, by the names of their buckets. A bucket in
// one of those is an entry as well.
func entries(t *testing.T, db *bolt.DB) map[string]int {
	t.Helper()
	found := map[string]int{}
	err := db.View(func(tx *bbolt.Tx) error {
		return tx.ForEach(func(name []byte, b *bbolt.Bucket) error {
			if n := b.Stats().KeyN; n > 0 {
				found[string(name)] = n
			}
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// sweeping opens a ledger that sweeps, whose clock the test sets.
func sweeping(t *testing.T, path string, opts ...bolt.Option) (l *ledgerbolt.Ledger, db *bolt.DB, at func(time.Time)) {
	t.Helper()
	l, db = MustOpen(t, path, opts...)
	l.Sweeps = true
	at = func(now time.Time) { l.Now = func() time.Time { return now } }
	at(ledgertest.Epoch)
	return l, db, at
}

// write is a write that adds nothing to what expires.
func write(t *testing.T, l *ledgerbolt.Ledger) {
	t.Helper()
	_, err := l.PutSetting(t.Context(), ledgertest.Configured("name", `{"another":"`+rand.Text()+`"}`), ledger.AnyVersion)
	if err != nil {
		t.Fatal(err)
	}
}

// fill writes something of every kind: all of it ends, but for what must stay.
func fill(t *testing.T, l *ledgerbolt.Ledger) {
	t.Helper()
	ctx := t.Context()
	var errs []error
	must := func(_ any, err error) { errs = append(errs, err) }
	for i, state := range []ledger.State{ledger.Done, ledger.Refused, ledger.Released} {
		r := ledgertest.Claimable(fmt.Sprint("transaction-", i), "attempt-1")
		r.Journey, r.Step = "ended", "Step"
		must(l.Claim(ctx, r))
		r = ledgertest.Ended(r, state)
		r.Owns = "iron/customer/1"
		must(l.Complete(ctx, r))
	}
	must(nil, l.Record(ctx, ledgertest.Ended(ledgertest.Claimable("read", ""), ledger.Done)))
	for _, id := range []string{"ended", "expired"} {
		j, err := l.CreateJourney(ctx, "key of "+id, ledgertest.Startable(id))
		must(j, err)
		must(l.UpdateJourney(ctx, ledgertest.Finished(j, ledger.JourneySucceeded)))
	}
	must(l.AddWaiter(ctx, "digit9/ecrn/1", ledger.Waiter{Tenant: "acme", Journey: "ended"}))
	must(l.AddEvent(ctx, "digit9/ecrn/1", ledgertest.Arrived("event", "sealed", ledgertest.Epoch), false))
	must(l.PutToken(ctx, ledgertest.Leased("token", "holder")))
	must(nil, l.PutCaller(ctx, ledger.Caller{KeyHash: "hash", Tenant: "acme"}))
	for _, expires := range []time.Time{ledgertest.Epoch, ledgertest.Epoch.Add(time.Hour)} { // the later counts
		must(nil, l.PutCaller(ctx, ledger.Caller{KeyHash: "expires", Tenant: "acme", ExpiresAt: expires}))
	}
	must(l.Claim(ctx, ledgertest.Claimable("claimed", "attempt-1")))
	must(l.Claim(ctx, ledgertest.Claimable("unknown", "attempt-1")))
	must(l.Complete(ctx, ledgertest.Ended(ledgertest.Claimable("unknown", "attempt-1"), ledger.Unknown)))
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// kept is what fill leaves for good, and write.
var kept = map[string]int{"ledger/owners": 1, "ledger/callers": 1, "ledger/settings": 1}

func TestSweep(t *testing.T) {
	open := func(t *testing.T) (*ledgerbolt.Ledger, *bolt.DB, func(time.Time)) {
		return sweeping(t, filepath.Join(t.TempDir(), "ledger.db"))
	}
	late := ledgertest.Epoch.Add(2 * ledger.CorrelationRetention)

	t.Run("LeavesNothing", func(t *testing.T) {
		l, db, at := open(t)
		fill(t, l)
		at(late)
		for range 4 {
			write(t, l)
		}
		if got := entries(t, db); !maps.Equal(got, kept) {
			t.Errorf("left %v, want %v", got, kept)
		}
	})

	t.Run("NotBeforeTheExpiry", func(t *testing.T) {
		l, db, at := open(t)
		fill(t, l)
		write(t, l)
		before := entries(t, db)
		token, err := l.Token(t.Context(), "token")
		if err != nil {
			t.Fatal(err)
		}
		at(token.ExpiresAt.Add(time.Hour - 1)) // the first to expire
		write(t, l)
		if got := entries(t, db); !maps.Equal(got, before) {
			t.Errorf("got %v, want %v", got, before)
		}
		at(token.ExpiresAt.Add(time.Hour))
		write(t, l)
		if got := entries(t, db); got["ledger/tokens"] != 0 || got["ledger/transactions"] != before["ledger/transactions"] {
			t.Errorf("got %v", got)
		}
	})

	t.Run("OfALedgerThatNobodyWritesTo", func(t *testing.T) {
		l, db, at := open(t)
		fill(t, l)
		write(t, l)
		at(late)
		if err := l.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := entries(t, db); !maps.Equal(got, kept) {
			t.Errorf("left %v, want %v", got, kept)
		}
	})

	// What has no expiry, or has not ended, stays.
	t.Run("WhatMustStay", func(t *testing.T) {
		l, db, at := open(t)
		forever := ledgertest.Ended(ledgertest.Claimable("forever", ""), ledger.Done)
		forever.ExpiresAt = time.Time{}
		running := ledgertest.Startable("running")
		running.ExpiresAt = ledgertest.Epoch.Add(time.Hour)
		undated := ledgertest.Finished(ledgertest.Startable("undated"), ledger.JourneySucceeded)
		undated.ExpiresAt = time.Time{}
		_, created := l.CreateJourney(t.Context(), "key", running)
		_, another := l.CreateJourney(t.Context(), "another key", undated)
		err := errors.Join(created, another, l.Record(t.Context(), forever))
		if err != nil {
			t.Fatal(err)
		}
		write(t, l)
		before := entries(t, db)
		at(late)
		for range 10 {
			write(t, l)
		}
		if got := entries(t, db); !maps.Equal(got, before) {
			t.Errorf("got %v, want %v", got, before)
		}
	})

	// A record that lives on is not deleted for an expiry that it had before.
	t.Run("NotForAnEarlierExpiry", func(t *testing.T) {
		l, _, at := open(t)
		released := ledgertest.Ended(ledgertest.Claimable("id", "attempt-1"), ledger.Released)
		again := ledgertest.Claimable("id", "attempt-2")
		again.ClaimedAt = released.ExpiresAt.Add(-time.Second)
		again.Lease = again.ClaimedAt.Add(time.Minute)
		_, claimed := l.Claim(t.Context(), ledgertest.Claimable("id", "attempt-1"))
		_, completed := l.Complete(t.Context(), released)
		if err := errors.Join(claimed, completed); err != nil {
			t.Fatal(err)
		}
		at(again.ClaimedAt)
		if _, err := l.Claim(t.Context(), again); err != nil {
			t.Fatal(err)
		}
		at(again.ClaimedAt.Add(2 * time.Hour))
		write(t, l)
		if _, err := l.Complete(t.Context(), ledgertest.Ended(again, ledger.Done)); err != nil {
			t.Fatal(err)
		}
		write(t, l)
		if got, err := l.Transaction(t.Context(), "acme", "id"); err != nil || got.State != ledger.Done {
			t.Errorf("got %+v, %v", got, err)
		}
	})

	// An earlier version of the program, run meanwhile, leaves the index as it was.
	t.Run("NotByAnEntryThatIsWrong", func(t *testing.T) {
		l, db, at := open(t)
		r := ledgertest.Ended(ledgertest.Claimable("id", ""), ledger.Done)
		if err := l.Record(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		write(t, l)
		before := entries(t, db)
		err := db.Update(func(tx *bbolt.Tx) error {
			wrong := ledgertest.Epoch.Format(ledger.TimeLayout) + "ledger/transactions#"
			return errors.Join(tx.Bucket([]byte("ledger/expiries")).Put([]byte(wrong+"id"), nil),
				tx.Bucket([]byte("ledger/expiries")).Put([]byte(wrong+"none"), nil))
		})
		if err != nil {
			t.Fatal(err)
		}
		at(r.ExpiresAt)
		write(t, l)
		if got := entries(t, db); !maps.Equal(got, before) {
			t.Errorf("got %v, want %v", got, before)
		}
	})

	// A key that has begun another journey since goes on leading to it.
	t.Run("KeyOfALaterJourney", func(t *testing.T) {
		l, _, at := open(t)
		old := ledgertest.Finished(ledgertest.Startable("old"), ledger.JourneySucceeded)
		if _, err := l.CreateJourney(t.Context(), "key", old); err != nil {
			t.Fatal(err)
		}
		young := ledgertest.Startable("young")
		young.CreatedAt = old.ExpiresAt
		at(young.CreatedAt)
		if _, err := l.CreateJourney(t.Context(), "key", young); err != nil {
			t.Fatal(err)
		}
		at(young.CreatedAt.Add(2 * time.Hour))
		write(t, l)
		if got, err := l.JourneyOf(t.Context(), "key"); err != nil || got.ID != "young" {
			t.Errorf("got %+v, %v", got, err)
		}
	})
}

// One write deletes a few records in its own commit; a stream of writes deletes more than it adds.
func TestSweepIsBounded(t *testing.T) {
	commits := 0
	l, db, at := sweeping(t, filepath.Join(t.TempDir(), "ledger.db"), bolt.OnWrite(func(stage string) {
		if stage == "after" {
			commits++
		}
	}))
	const old = 100
	var records []ledger.Transaction
	for i := range old {
		records = append(records, ledgertest.Ended(ledgertest.Claimable(fmt.Sprint("old-", i), ""), ledger.Done))
	}
	if err := l.Fill(records, nil); err != nil {
		t.Fatal(err)
	}
	at(ledgertest.Epoch.Add(2 * ledger.Retention))
	commits = 0
	for i := range old / 2 {
		left := entries(t, db)["ledger/transactions"]
		r := ledgertest.Ended(ledgertest.Claimable(fmt.Sprint("new-", i), ""), ledger.Done)
		r.ExpiresAt = l.Now().Add(ledger.Retention)
		if err := l.Record(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		if deleted := left + 1 - entries(t, db)["ledger/transactions"]; deleted > 4 || deleted < 2 && left > i {
			t.Fatalf("a write deleted %d of %d", deleted, left)
		}
	}
	if commits != old/2 {
		t.Errorf("%d writes took %d commits", old/2, commits)
	}
	if n := entries(t, db)["ledger/transactions"]; n != old/2 {
		t.Errorf("%d records are left, want those that have not expired", n)
	}
}

// A file of an earlier version gets its indexes at once, and is swept like any other.
func TestIndexesAnEarlierFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	l, db, _ := sweeping(t, path)
	fill(t, l)
	if _, err := l.CreateJourney(t.Context(), "open", ledgertest.Startable("open")); err != nil {
		t.Fatal(err)
	}
	write(t, l)
	before := entries(t, db)
	err := db.Update(func(tx *bbolt.Tx) (err error) {
		for _, name := range []string{"ledger/expiries", "ledger/open-journeys", "ledger/keys-of-journeys"} {
			err = errors.Join(err, tx.DeleteBucket([]byte(name)))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	db.Close()

	l, db, at := sweeping(t, path)
	if got := entries(t, db); !maps.Equal(got, before) {
		t.Fatalf("got %v, want %v", got, before)
	}
	if got := openJourneys(t, l); !slices.Equal(got, []string{"open"}) {
		t.Errorf("open are %v", got)
	}
	at(ledgertest.Epoch.Add(2 * ledger.CorrelationRetention))
	for range 4 {
		write(t, l)
	}
	want := maps.Clone(kept)
	for _, name := range []string{"journeys", "journey-keys", "keys-of-journeys", "open-journeys"} {
		want["ledger/"+name] = 1
	}
	want["ledger/tenant-journeys"] = 2 // the tenant's bucket, and the position in it
	if got := entries(t, db); !maps.Equal(got, want) {
		t.Errorf("left %v, want %v", got, want)
	}
}
