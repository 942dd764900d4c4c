// Package ledgertest proves that a ledger adapter keeps its promises: one suite, run on every adapter.
package ledgertest

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"sallyport/shared/ledger"
	"sallyport/shared/operation"
	"sallyport/shared/token"
)

// Store is everything an adapter offers; each user of it declares the part it needs.
type Store interface {
	operation.Ledger
	token.Store

	// PutOwner makes a tenant the only owner of a partner's record, whoever owned it before. Which call has made it stays
	// on record.
	PutOwner(ctx context.Context, record, tenant string) error

	// Transaction returns a tenant's record, or ledger.ErrNotFound when it is absent, expired or another tenant's.
	Transaction(ctx context.Context, tenant, id string) (ledger.Transaction, error)
	// Transactions returns one page of a tenant's records, or ledger.ErrBadCursor.
	Transactions(ctx context.Context, q ledger.Query) (ledger.Page, error)

	// Caller returns who holds the key with this hash, or ledger.ErrNotFound when nobody does or it has expired.
	Caller(ctx context.Context, keyHash string) (ledger.Caller, error)
	// PutCaller adds or replaces a caller.
	PutCaller(ctx context.Context, c ledger.Caller) error

	// Setting returns a tenant's setting, or ledger.ErrNotFound when it is absent or another tenant's.
	Setting(ctx context.Context, tenant, kind, name string) (ledger.Setting, error)
	// PutSetting writes s as the version after over, whatever its Version says: over a setting of exactly that version,
	// over none where over is 0, over whatever is there where it is ledger.AnyVersion. It returns the setting as stored.
	// A setting that has the document and the time of the write already, and its version where one was given, counts as
	// success: the write had already succeeded. Otherwise: the setting as it stands, or the zero one, with
	// ledger.ErrStale.
	PutSetting(ctx context.Context, s ledger.Setting, over int) (ledger.Setting, error)

	// CreateJourney writes, at once, j as Version 1 and that key leads to it. Where the key leads to a journey that
	// has not expired (ExpiresAt after j.CreatedAt): that journey as it stands, with ledger.ErrTaken, or with success
	// if its id is j.ID, since then it is this very write that had already succeeded. An id to which another key leads
	// is a mistake and an error, and nothing is written.
	CreateJourney(ctx context.Context, key string, j ledger.Journey) (ledger.Journey, error)
	// JourneyOf returns the journey to which a key leads, or ledger.ErrNotFound when it leads to none or to an expired
	// one.
	JourneyOf(ctx context.Context, key string) (ledger.Journey, error)
	// Journey returns a tenant's journey, or ledger.ErrNotFound when it is absent, expired or another tenant's.
	Journey(ctx context.Context, tenant, id string) (ledger.Journey, error)
	// UpdateJourney writes j, whose ID, Tenant and CreatedAt are as they were read, as Version j.Version+1 over the
	// record of j.Version, and returns it as stored. A record that is exactly what would be written counts as success:
	// the write had already succeeded. Otherwise: the record as it stands, or the zero record, with ledger.ErrStale;
	// that is also the answer to a write sent again after which another one has been made.
	UpdateJourney(ctx context.Context, j ledger.Journey) (ledger.Journey, error)
	// Journeys returns one page of a tenant's journeys, or ledger.ErrBadCursor.
	Journeys(ctx context.Context, q ledger.JourneyQuery) (ledger.JourneyPage, error)
	// JourneyTransactions returns the transactions of a tenant's journey that have not expired, without their replies,
	// the oldest first (by ClaimedAt, then ID) and at most the first ledger.MaxSteps; none is no error.
	JourneyTransactions(ctx context.Context, tenant, journey string) ([]ledger.Transaction, error)

	// AddWaiter adds a waiter for a partner's record ("digit9/ecrn/<id>") and returns everything that is known then:
	// of a waiter and an event that are added at once, at least one sees both. Adding it again is harmless. Where it
	// would be one more than ledger.CorrelationCap: what stands there, with ledger.ErrFull. Every write keeps what is
	// known for ledger.CorrelationRetention more; after that it counts as absent.
	AddWaiter(ctx context.Context, record string, w ledger.Waiter) (ledger.Correlation, error)
	// RemoveWaiter removes a waiter; that there is none is no error.
	RemoveWaiter(ctx context.Context, record string, w ledger.Waiter) error
	// AddEvent adds an event, whose ArrivedAt is set, with the same promises, but for ledger.ErrFull: the oldest event
	// makes room. An id that is there already keeps its first bytes, and where once its first arrival, else the latest.
	AddEvent(ctx context.Context, record string, e ledger.Event, once bool) (ledger.Correlation, error)
	// Correlation returns what is known about a partner's record, the zero correlation if nothing is.
	Correlation(ctx context.Context, record string) (ledger.Correlation, error)
}

// Run runs the suite. Each test opens an empty store, together with the function that sets the store's clock.
func Run(t *testing.T, open func(t *testing.T) (store Store, setClock func(time.Time))) {
	for name, test := range map[string]func(suite){
		"Claim":               suite.claim,
		"TakeOver":            suite.takeOver,
		"Complete":            suite.complete,
		"Owners":              suite.owners,
		"Record":              suite.record,
		"Transaction":         suite.transaction,
		"RoundTrip":           suite.roundTrip,
		"Transactions":        suite.transactions,
		"Pages":               suite.pages,
		"Cursor":              suite.cursor,
		"Caller":              suite.caller,
		"CreateJourney":       suite.createJourney,
		"JourneyOf":           suite.journeyOf,
		"UpdateJourney":       suite.updateJourney,
		"Journey":             suite.journey,
		"Journeys":            suite.journeys,
		"JourneyCursor":       suite.journeyCursor,
		"JourneyTransactions": suite.journeyTransactions,
		"Waiters":             suite.waiters,
		"Events":              suite.events,
		"Correlation":         suite.correlation,
		"Token":               suite.token,
		"PutToken":            suite.putToken,
		"Setting":             suite.setting,
		"PutSetting":          suite.putSetting,
		"Context":             suite.context,
	} {
		t.Run(name, func(t *testing.T) { test(suite{t, open}) })
	}
}

// suite is one group of tests.
type suite struct {
	*testing.T
	open func(t *testing.T) (Store, func(time.Time))
}

// test runs one test on a store of its own, whose clock stands at Epoch.
func (s suite) test(name string, f func(*fixture)) {
	s.Run(name, func(t *testing.T) {
		store, setClock := s.open(t)
		setClock(Epoch)
		f(&fixture{t, store, setClock})
	})
}

type fixture struct {
	*testing.T
	store    Store
	setClock func(time.Time)
}

func (f *fixture) mustClaim(t ledger.Transaction) ledger.Transaction {
	f.Helper()
	got, err := f.store.Claim(f.Context(), t)
	f.wantErr(err, nil)
	return got
}

func (f *fixture) mustTakeOver(t ledger.Transaction, from string) ledger.Transaction {
	f.Helper()
	got, err := f.store.TakeOver(f.Context(), t, from)
	f.wantErr(err, nil)
	return got
}

func (f *fixture) mustComplete(t ledger.Transaction) ledger.Transaction {
	f.Helper()
	got, err := f.store.Complete(f.Context(), t)
	f.wantErr(err, nil)
	return got
}

func (f *fixture) mustRecord(t ledger.Transaction) {
	f.Helper()
	f.wantErr(f.store.Record(f.Context(), t), nil)
}

func (f *fixture) mustList(q ledger.Query) ledger.Page {
	f.Helper()
	page, err := f.store.Transactions(f.Context(), q)
	f.wantErr(err, nil)
	return page
}

// wantStored asserts that a read returns exactly this record.
func (f *fixture) wantStored(want ledger.Transaction) {
	f.Helper()
	got, err := f.store.Transaction(f.Context(), want.Tenant, want.ID)
	f.wantErr(err, nil)
	f.want(got, want)
}

func (f *fixture) want(got, want any) {
	f.Helper()
	if reflect.DeepEqual(got, want) {
		return
	}
	gots, ok := got.([]ledger.Transaction)
	wants, _ := want.([]ledger.Transaction)
	if ok {
		got, want = ids(gots), ids(wants)
	}
	f.Fatalf("\n got %+v\nwant %+v", got, want)
}

func (f *fixture) wantErr(got, want error) {
	f.Helper()
	if !errors.Is(got, want) {
		f.Fatalf("got error %v, want %v", got, want)
	}
}

func ids(records []ledger.Transaction) (ids []string) {
	for _, t := range records {
		ids = append(ids, t.ID)
	}
	return ids
}
