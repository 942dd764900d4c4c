package bolt

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"iter"
	"reflect"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"sallyport/shared/ledger"
)

var (
	journeys       = []byte("ledger/journeys")         // id → journey
	journeyKeys    = []byte("ledger/journey-keys")     // key → id
	keysOfJourneys = []byte("ledger/keys-of-journeys") // id → key
	openJourneys   = []byte("ledger/open-journeys")    // ids of those that have not ended
	tenantJourneys = []byte("ledger/tenant-journeys")  // tenant → bucket of positions
	steps          = []byte("ledger/steps")            // journey → bucket of its transactions' positions
	correlations   = []byte("ledger/correlations")     // partner's record → correlation
)

// CreateJourney writes a journey and the key that leads to it, unless the key leads to one that has not expired.
func (l *Ledger) CreateJourney(ctx context.Context, key string, j ledger.Journey) (ledger.Journey, error) {
	return update(ctx, l, func(tx *bbolt.Tx) (ledger.Journey, error) {
		id := tx.Bucket(journeyKeys).Get([]byte(key))
		standing, err := loadJourney(tx, id)
		if err != nil {
			return ledger.Journey{}, err
		}
		if standing.ID != "" && !expired(standing.ExpiresAt, j.CreatedAt) {
			if standing.ID == j.ID {
				return standing, errHeld
			}
			return standing, ledger.ErrTaken
		}
		old, err := loadJourney(tx, []byte(j.ID))
		if err != nil {
			return ledger.Journey{}, err
		}
		if old.ID != "" && !expired(old.ExpiresAt, j.CreatedAt) {
			return ledger.Journey{}, errors.New("bolt: another key leads to the journey")
		}
		if err := tx.Bucket(journeyKeys).Put([]byte(key), []byte(j.ID)); err != nil {
			return ledger.Journey{}, err
		}
		if err := tx.Bucket(keysOfJourneys).Put([]byte(j.ID), []byte(key)); err != nil {
			return ledger.Journey{}, err
		}
		j.Version = 1
		return storeJourney(tx, old, j)
	})
}

// JourneyOf returns the journey to which a key leads, or ledger.ErrNotFound.
func (l *Ledger) JourneyOf(ctx context.Context, key string) (j ledger.Journey, err error) {
	err = l.view(ctx, func(tx *bbolt.Tx) (err error) {
		j, err = loadJourney(tx, tx.Bucket(journeyKeys).Get([]byte(key)))
		if err == nil && (j.ID == "" || expired(j.ExpiresAt, l.Now())) {
			j, err = ledger.Journey{}, ledger.ErrNotFound
		}
		return err
	})
	return j, err
}

// UpdateJourney writes the next version of a journey, or returns ledger.ErrStale.
func (l *Ledger) UpdateJourney(ctx context.Context, j ledger.Journey) (ledger.Journey, error) {
	next := j
	next.Version++
	stored, err := update(ctx, l, func(tx *bbolt.Tx) (ledger.Journey, error) {
		old, err := loadJourney(tx, []byte(j.ID))
		if err != nil {
			return ledger.Journey{}, err
		}
		if old.ID != "" && old.Version == j.Version {
			return storeJourney(tx, old, next)
		}
		v, err := json.Marshal(next)
		if err != nil {
			return ledger.Journey{}, err
		}
		written, err := decodeJourney(v)
		if err != nil {
			return ledger.Journey{}, err
		}
		if reflect.DeepEqual(old, written) {
			return old, errHeld
		}
		return old, ledger.ErrStale
	})
	if err == nil {
		l.watchers.wake(j.ID)
	}
	return stored, err
}

// Journey returns a tenant's journey, or ledger.ErrNotFound when it is absent, expired or another tenant's.
func (l *Ledger) Journey(ctx context.Context, tenant, id string) (j ledger.Journey, err error) {
	err = l.view(ctx, func(tx *bbolt.Tx) error {
		found, err := loadJourney(tx, []byte(id))
		if err != nil {
			return err
		}
		if found.ID == "" || found.Tenant != tenant || expired(found.ExpiresAt, l.Now()) {
			return ledger.ErrNotFound
		}
		j = found
		return nil
	})
	return j, err
}

// Journeys returns one page of a tenant's journeys as Transactions does of its transactions.
func (l *Ledger) Journeys(ctx context.Context, q ledger.JourneyQuery) (page ledger.JourneyPage, err error) {
	from, err := ledger.ReadJourneyCursor(q)
	if err != nil {
		return ledger.JourneyPage{}, err
	}
	now := l.Now()
	err = l.view(ctx, func(tx *bbolt.Tx) error {
		var last string
		all := positions(tx, tenantJourneys, tenantKey(q.Tenant))
		page.Journeys, last, err = rows(all, from, q.Limit, func(id []byte) (ledger.Journey, bool, error) {
			j, err := loadJourney(tx, id)
			j.Input, j.Inputs, j.Delivered, j.Outcome = nil, nil, nil, nil
			return j,
				!expired(j.ExpiresAt, now) && (q.Type == "" || q.Type == j.Type) && (q.Status == "" || q.Status == j.Status), err
		})
		if last != "" {
			page.Next = ledger.JourneyCursor(q, last)
		}
		return err
	})
	if err != nil {
		return ledger.JourneyPage{}, err
	}
	return page, nil
}

// JourneyTransactions returns a journey's transactions, the oldest first and at most ledger.MaxSteps of them, among
// the first ledger.PageRows on record.
func (l *Ledger) JourneyTransactions(
	ctx context.Context, tenant, journey string,
) (found []ledger.Transaction, err error) {
	now := l.Now()
	err = l.view(ctx, func(tx *bbolt.Tx) error {
		index := positions(tx, steps, journeyKey(journey))
		if index == nil {
			return nil
		}
		looked, c := 0, index.Cursor()
		for key, _ := c.First(); key != nil && len(found) < ledger.MaxSteps && looked < ledger.PageRows; key, _ = c.Next() {
			looked++
			t, err := load(tx, []byte(ledger.PositionID(string(key))))
			if err != nil {
				return err
			}
			if t.Tenant == tenant && !expired(t.ExpiresAt, now) {
				t.Reply = nil
				found = append(found, t)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// AddWaiter adds who waits for a partner's record, or returns ledger.ErrFull.
func (l *Ledger) AddWaiter(ctx context.Context, record string, w ledger.Waiter) (ledger.Correlation, error) {
	return l.correlate(ctx, record, func(c *ledger.Correlation) error {
		at, found := slices.BinarySearchFunc(c.Waiters, w, compareWaiters)
		if found {
			return nil
		}
		if len(c.Waiters) >= ledger.CorrelationCap {
			return ledger.ErrFull
		}
		c.Waiters = slices.Insert(c.Waiters, at, w)
		return nil
	})
}

// RemoveWaiter removes a waiter if it is there.
func (l *Ledger) RemoveWaiter(ctx context.Context, record string, w ledger.Waiter) error {
	_, err := l.correlate(ctx, record, func(c *ledger.Correlation) error {
		at, found := slices.BinarySearchFunc(c.Waiters, w, compareWaiters)
		if !found {
			return errHeld
		}
		c.Waiters = slices.Delete(c.Waiters, at, at+1)
		return nil
	})
	return err
}

// AddEvent adds what a partner has told about its record, or returns ledger.ErrFull.
func (l *Ledger) AddEvent(ctx context.Context, record, id string, sealed []byte) (ledger.Correlation, error) {
	return l.correlate(ctx, record, func(c *ledger.Correlation) error {
		if _, found := c.Events[id]; found {
			return nil
		}
		if len(c.Events) >= ledger.CorrelationCap {
			return ledger.ErrFull
		}
		if c.Events == nil {
			c.Events = map[string][]byte{}
		}
		c.Events[id] = bytes.Clone(sealed)
		return nil
	})
}

// RemoveEvent removes an event if it is there.
func (l *Ledger) RemoveEvent(ctx context.Context, record, id string) error {
	_, err := l.correlate(ctx, record, func(c *ledger.Correlation) error {
		if _, found := c.Events[id]; !found {
			return errHeld
		}
		delete(c.Events, id)
		return nil
	})
	return err
}

// Correlation returns what is known about a partner's record, the zero correlation if nothing is.
func (l *Ledger) Correlation(ctx context.Context, record string) (c ledger.Correlation, err error) {
	err = l.view(ctx, func(tx *bbolt.Tx) error {
		found, err := loadCorrelation(tx, record)
		c = found.at(l.Now())
		return err
	})
	return c, err
}

// correlation is how a correlation is stored.
type correlation struct {
	ledger.Correlation
	ExpiresAt time.Time
}

// at is what a correlation says at a time: nothing once it has expired.
func (c correlation) at(now time.Time) ledger.Correlation {
	if expired(c.ExpiresAt, now) {
		return ledger.Correlation{}
	}
	return c.Correlation
}

// correlate changes a correlation and returns it as it stands afterwards.
func (l *Ledger) correlate(
	ctx context.Context, record string, change func(*ledger.Correlation) error,
) (ledger.Correlation, error) {
	return update(ctx, l, func(tx *bbolt.Tx) (ledger.Correlation, error) {
		now := l.Now()
		old, err := loadCorrelation(tx, record)
		if err != nil {
			return ledger.Correlation{}, err
		}
		c := old.at(now)
		if err := change(&c); err != nil {
			return c, err
		}
		expires := now.Add(ledger.CorrelationRetention)
		v, err := json.Marshal(correlation{c, expires})
		if err != nil {
			return c, err
		}
		if err := tx.Bucket(correlations).Put([]byte(record), v); err != nil {
			return c, err
		}
		if err := reindex(
			tx, expiry(correlations, record, old.ExpiresAt), expiry(correlations, record, expires),
		); err != nil {
			return c, err
		}
		stored, err := loadCorrelation(tx, record)
		return stored.Correlation, err
	})
}

// loadCorrelation returns the zero correlation where there is none.
func loadCorrelation(tx *bbolt.Tx, record string) (c correlation, err error) {
	v := tx.Bucket(correlations).Get([]byte(record))
	if v == nil {
		return c, nil
	}
	if err := json.Unmarshal(v, &c); err != nil {
		return correlation{}, err
	}
	noEmptySlice(&c.Waiters)
	noEmptyMap(&c.Events)
	for id, sealed := range c.Events {
		noEmptySlice(&sealed)
		c.Events[id] = sealed
	}
	return c, nil
}

func compareWaiters(a, b ledger.Waiter) int {
	return cmp.Or(cmp.Compare(a.Journey, b.Journey), cmp.Compare(a.Tenant, b.Tenant))
}

// openBatch is how many open journeys are read at a time.
const openBatch = 100

// OpenJourneys yields every tenant's journeys that have not ended, for the stack that has just been started and must
// see to it that they go on. No transaction is open while it yields, so that they may be written meanwhile.
func (l *Ledger) OpenJourneys(ctx context.Context) iter.Seq2[ledger.Journey, error] {
	return func(yield func(ledger.Journey, error) bool) {
		var batch []ledger.Journey
		for from := []byte{}; from != nil; {
			err := l.view(ctx, func(tx *bbolt.Tx) (err error) {
				batch, from, err = openFrom(tx, from)
				return err
			})
			if err != nil {
				yield(ledger.Journey{}, err)
				return
			}
			for _, j := range batch {
				if !yield(j, nil) {
					return
				}
			}
		}
	}
}

// openFrom returns open journeys whose ids are not before from, and the first id after them; nil where they are the
// last.
func openFrom(tx *bbolt.Tx, from []byte) (batch []ledger.Journey, next []byte, err error) {
	c := tx.Bucket(openJourneys).Cursor()
	for id, _ := c.Seek(from); id != nil; id, _ = c.Next() {
		if len(batch) == openBatch {
			return batch, bytes.Clone(id), nil
		}
		j, err := loadJourney(tx, id)
		if err != nil {
			return nil, nil, err
		}
		if j.ID != "" && !j.Status.Ended() { // an earlier version, run meanwhile, writes no index
			batch = append(batch, j)
		}
	}
	return batch, nil, nil
}

// loadJourney returns the zero journey when there is none.
func loadJourney(tx *bbolt.Tx, id []byte) (ledger.Journey, error) {
	v := tx.Bucket(journeys).Get(id)
	if v == nil {
		return ledger.Journey{}, nil
	}
	return decodeJourney(v)
}

// storeJourney replaces old and its places in the indexes by j, and returns j as loadJourney will.
func storeJourney(tx *bbolt.Tx, old, j ledger.Journey) (ledger.Journey, error) {
	v, err := json.Marshal(j)
	if err != nil {
		return j, err
	}
	if err := tx.Bucket(journeys).Put([]byte(j.ID), v); err != nil {
		return j, err
	}
	if err := reindex(tx, journeyPlaces(old), journeyPlaces(j)); err != nil {
		return j, err
	}
	return decodeJourney(v)
}

// journeyPlaces are where a journey stands in the indexes; nowhere where there is none.
func journeyPlaces(j ledger.Journey) []place {
	if j.ID == "" {
		return nil
	}
	found := []place{{tenantJourneys, tenantKey(j.Tenant), ledger.JourneyPosition(j)}}
	if !j.Status.Ended() {
		return append(found, place{index: openJourneys, key: j.ID})
	}
	return append(found, expiry(journeys, j.ID, j.ExpiresAt)...)
}

// decodeJourney reads a stored journey: times in UTC, what is empty as nil.
func decodeJourney(v []byte) (j ledger.Journey, err error) {
	if err := json.Unmarshal(v, &j); err != nil {
		return ledger.Journey{}, err
	}
	for _, at := range []*time.Time{&j.CreatedAt, &j.UpdatedAt, &j.EndedAt, &j.ExpiresAt} {
		*at = at.UTC()
	}
	noEmptyMap(&j.Refs)
	noEmptyMap(&j.Inputs)
	noEmptySlice(&j.Documents)
	noEmptySlice(&j.Delivered)
	noEmptySlice(&j.Input)
	noEmptySlice(&j.Outcome)
	for name, in := range j.Inputs {
		noEmptySlice(&in.Output)
		j.Inputs[name] = in
	}
	if a := j.Awaiting; a != nil {
		a.Since, a.ExpiresAt = a.Since.UTC(), a.ExpiresAt.UTC()
		noEmptyMap(&a.Details)
		noEmptySlice(&a.Accepts)
	}
	return j, nil
}

func journeyKey(journey string) string { return "journey/" + journey }

func noEmptyMap[V any](m *map[string]V) {
	if len(*m) == 0 {
		*m = nil
	}
}

func noEmptySlice[E any](s *[]E) {
	if len(*s) == 0 {
		*s = nil
	}
}
