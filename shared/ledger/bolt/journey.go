package bolt

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"reflect"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"sallyport/shared/ledger"
)

var (
	journeyKeys    = []byte("ledger/journey-keys")     // key → id
	keysOfJourneys = []byte("ledger/keys-of-journeys") // id → key
	openJourneys   = []byte("ledger/open-journeys")    // ids of those that have not ended
	tenantJourneys = []byte("ledger/tenant-journeys")  // tenant → bucket of positions
	steps          = []byte("ledger/steps")            // journey → bucket of its transactions' positions
)

var journeys = table[ledger.Journey]{
	bucket: []byte("ledger/journeys"),
	expires: func(j ledger.Journey) time.Time {
		if !j.Status.Ended() {
			return time.Time{}
		}
		return j.ExpiresAt
	},
	places: func(j ledger.Journey) []place {
		if j.ID == "" {
			return nil
		}
		found := []place{{tenantJourneys, tenantKey(j.Tenant), ledger.JourneyPosition(j)}}
		if !j.Status.Ended() {
			found = append(found, place{index: openJourneys, key: j.ID})
		}
		return found
	},
}

// By the partner's record.
var correlations = table[correlation]{
	bucket: []byte("ledger/correlations"), expires: func(c correlation) time.Time { return c.ExpiresAt },
}

// CreateJourney writes a journey and the key that leads to it, unless the key leads to one that has not expired.
func (l *Ledger) CreateJourney(ctx context.Context, key string, j ledger.Journey) (ledger.Journey, error) {
	return update(ctx, l, func(tx *bbolt.Tx) (ledger.Journey, error) {
		standing, err := journeys.load(tx, string(tx.Bucket(journeyKeys).Get([]byte(key))))
		if err != nil {
			return ledger.Journey{}, err
		}
		if standing.ID != "" && !ledger.Expired(standing.ExpiresAt, j.CreatedAt) {
			if standing.ID == j.ID {
				return standing, errHeld
			}
			return standing, ledger.ErrTaken
		}
		old, err := journeys.load(tx, j.ID)
		if err != nil {
			return ledger.Journey{}, err
		}
		if old.ID != "" && !ledger.Expired(old.ExpiresAt, j.CreatedAt) {
			return ledger.Journey{}, errors.New("bolt: another key leads to the journey")
		}
		if err := tx.Bucket(journeyKeys).Put([]byte(key), []byte(j.ID)); err != nil {
			return ledger.Journey{}, err
		}
		if err := tx.Bucket(keysOfJourneys).Put([]byte(j.ID), []byte(key)); err != nil {
			return ledger.Journey{}, err
		}
		j.Version = 1
		return journeys.store(tx, j.ID, old, j)
	})
}

// JourneyOf returns the journey to which a key leads, or ledger.ErrNotFound.
func (l *Ledger) JourneyOf(ctx context.Context, key string) (j ledger.Journey, err error) {
	err = l.view(ctx, func(tx *bbolt.Tx) (err error) {
		j, err = journeys.load(tx, string(tx.Bucket(journeyKeys).Get([]byte(key))))
		if err == nil && (j.ID == "" || ledger.Expired(j.ExpiresAt, l.Now())) {
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
		old, err := journeys.load(tx, j.ID)
		if err != nil {
			return ledger.Journey{}, err
		}
		if old.ID != "" && old.Version == j.Version {
			return journeys.store(tx, j.ID, old, next)
		}
		now, err := written(next)
		if err != nil {
			return ledger.Journey{}, err
		}
		if reflect.DeepEqual(old, now) {
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
func (l *Ledger) Journey(ctx context.Context, tenant, id string) (ledger.Journey, error) {
	return get(ctx, l, journeys, id, func(j ledger.Journey) bool {
		return j.ID != "" && j.Tenant == tenant && !ledger.Expired(j.ExpiresAt, l.Now())
	})
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
		page.Journeys, last, err = rows(all, from, q.Limit, func(id string) (ledger.Journey, bool, error) {
			j, err := journeys.load(tx, id)
			j.Input, j.Inputs, j.Delivered, j.Outcome = nil, nil, nil, nil
			wanted := (q.Type == "" || q.Type == j.Type) && (q.Status == "" || q.Status == j.Status)
			return j, wanted && !ledger.Expired(j.ExpiresAt, now), err
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
			t, err := transactions.load(tx, ledger.PositionID(string(key)))
			if err != nil {
				return err
			}
			if t.Tenant == tenant && !ledger.Expired(t.ExpiresAt, now) {
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
	return l.correlate(ctx, record, func(c *correlation) error {
		at, found := slices.BinarySearchFunc(c.Waiters, w, ledger.Waiter.Compare)
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
	_, err := l.correlate(ctx, record, func(c *correlation) error {
		at, found := slices.BinarySearchFunc(c.Waiters, w, ledger.Waiter.Compare)
		if !found {
			return errHeld
		}
		c.Waiters = slices.Delete(c.Waiters, at, at+1)
		return nil
	})
	return err
}

// AddEvent adds what a partner has told about its record. The oldest event makes room for it.
func (l *Ledger) AddEvent(
	ctx context.Context, record string, e ledger.Event, once bool,
) (ledger.Correlation, error) {
	return l.correlate(ctx, record, func(c *correlation) error {
		if _, found := c.Events[e.ID]; found {
			if arrived := c.Arrived[e.ID]; arrived.IsZero() || !once && arrived.Before(e.ArrivedAt) {
				c.arrived(e)
			}
			return nil
		}
		if len(c.Events) >= ledger.CorrelationCap {
			c.forget(c.events()[0].ID)
		}
		if c.Events == nil {
			c.Events = map[string][]byte{}
		}
		c.Events[e.ID] = bytes.Clone(e.Sealed)
		c.arrived(e)
		return nil
	})
}

// Correlation returns what is known about a partner's record, the zero correlation if nothing is.
func (l *Ledger) Correlation(ctx context.Context, record string) (c ledger.Correlation, err error) {
	err = l.view(ctx, func(tx *bbolt.Tx) error {
		found, err := correlations.load(tx, record)
		c = found.at(l.Now()).known()
		return err
	})
	return c, err
}

// correlation is how a correlation is stored. An earlier release wrote no times of arrival.
type correlation struct {
	Waiters   []ledger.Waiter
	Events    map[string][]byte    // sealed, by id
	Arrived   map[string]time.Time // by id
	ExpiresAt time.Time
}

// at is what a correlation says at a time: nothing once it has expired.
func (c correlation) at(now time.Time) correlation {
	if ledger.Expired(c.ExpiresAt, now) {
		return correlation{}
	}
	return c
}

// known is what a correlation says to others.
func (c correlation) known() ledger.Correlation {
	return ledger.Correlation{Waiters: c.Waiters, Events: c.events()}
}

// events are the events, the oldest first.
func (c correlation) events() (all []ledger.Event) {
	for id, sealed := range c.Events {
		all = append(all, ledger.Event{ID: id, Sealed: sealed, ArrivedAt: c.Arrived[id]})
	}
	slices.SortFunc(all, ledger.Event.Compare)
	return all
}

func (c *correlation) arrived(e ledger.Event) {
	if c.Arrived == nil {
		c.Arrived = map[string]time.Time{}
	}
	c.Arrived[e.ID] = e.ArrivedAt
}

func (c *correlation) forget(id string) {
	delete(c.Events, id)
	delete(c.Arrived, id)
}

// correlate changes a correlation and returns it as it stands afterwards.
func (l *Ledger) correlate(
	ctx context.Context, record string, change func(*correlation) error,
) (ledger.Correlation, error) {
	return update(ctx, l, func(tx *bbolt.Tx) (ledger.Correlation, error) {
		now := l.Now()
		old, err := correlations.load(tx, record)
		if err != nil {
			return ledger.Correlation{}, err
		}
		c := old.at(now)
		if err := change(&c); err != nil {
			return c.known(), err
		}
		c.ExpiresAt = now.Add(ledger.CorrelationRetention)
		stored, err := correlations.store(tx, record, old, c)
		return stored.known(), err
	})
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
		j, err := journeys.load(tx, string(id))
		if err != nil {
			return nil, nil, err
		}
		if j.ID != "" && !j.Status.Ended() { // an earlier version, run meanwhile, writes no index
			batch = append(batch, j)
		}
	}
	return batch, nil, nil
}

func journeyKey(journey string) string { return "journey/" + journey }
