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
)

// Store is everything an adapter offers; each user of it declares the part it needs.
type Store interface {
	operation.Ledger

	// Transaction returns a tenant's record, or ledger.ErrNotFound when it is absent, expired or another tenant's.
	Transaction(ctx context.Context, tenant, id string) (ledger.Transaction, error)
	// Transactions returns one page of a tenant's records, or ledger.ErrBadCursor.
	Transactions(ctx context.Context, q ledger.Query) (ledger.Page, error)

	// Caller returns who holds the key with this hash, or ledger.ErrNotFound when nobody does or it has expired.
	Caller(ctx context.Context, keyHash string) (ledger.Caller, error)
	// PutCaller adds or replaces a caller.
	PutCaller(ctx context.Context, c ledger.Caller) error
}

// Run runs the suite. Each test opens an empty store, together with the function that sets the store's clock.
func Run(t *testing.T, open func(t *testing.T) (store Store, setClock func(time.Time))) {
	for name, test := range map[string]func(suite){
		"Claim":        suite.claim,
		"TakeOver":     suite.takeOver,
		"Complete":     suite.complete,
		"Owner":        suite.owner,
		"Record":       suite.record,
		"Transaction":  suite.transaction,
		"RoundTrip":    suite.roundTrip,
		"Transactions": suite.transactions,
		"Cursor":       suite.cursor,
		"Caller":       suite.caller,
		"Context":      suite.context,
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
