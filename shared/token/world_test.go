package token_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"sallyport/shared/bolt"
	"sallyport/shared/ledger"
	ledgerbolt "sallyport/shared/ledger/bolt"
	"sallyport/shared/ledger/ledgertest"
	"sallyport/shared/seal"
	"sallyport/shared/token"
)

// Every test runs in a bubble whose time passes only while everybody in it waits.
func run(t *testing.T, name string, test func(*world)) {
	t.Run(name, func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			test(w)
			w.begun.Wait()
			synctest.Wait()
			if strings.Contains(w.logged.String(), "token-") {
				t.Errorf("a token was logged:\n%s", w.logged.String())
			}
		})
	})
}

// world is a partner, a ledger, and as many processes as a test makes.
type world struct {
	*testing.T
	partner *partner
	store   *ledgertest.Counting
	path    string // of the ledger's file
	keys    seal.Keys
	ids     atomic.Int64
	begun   sync.WaitGroup
	logged  *lockedBuffer
}

func newWorld(t *testing.T) *world {
	path := filepath.Join(t.TempDir(), "ledger.db")
	db, err := bolt.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	l, err := ledgerbolt.New(db)
	if err != nil {
		t.Fatal(err)
	}
	return &world{
		T: t, store: &ledgertest.Counting{Store: l}, path: path, logged: &lockedBuffer{},
		keys:    seal.Keys{ID: strings.Repeat("i", 32)},
		partner: &partner{ExpiresIn: time.Hour, RefreshExpiresIn: time.Hour, Takes: time.Second},
	}
}

// process returns the cache of one more process.
func (w *world) process() *token.Cache { return w.processOn(w.store) }

func (w *world) processOn(store token.Store) *token.Cache {
	ring, err := seal.NewRing(w.keys)
	if err != nil {
		w.Fatal(err)
	}
	return token.New(store, func(context.Context) (*seal.Ring, error) { return ring, nil }, time.Now, w.newID, w.log())
}

func (w *world) log() *slog.Logger { return slog.New(slog.NewTextHandler(w.logged, nil)) }

func (w *world) newID() string { return fmt.Sprint("holder-", w.ids.Add(1)) }

func (w *world) mustGet(c *token.Cache, rejected string) string {
	w.Helper()
	got, err := c.Get(w.Context(), "id", rejected, w.partner.Issue)
	if err != nil {
		w.Fatal(err)
	}
	return got
}

// begin makes a call that goes on meanwhile, until it waits.
func (w *world) begin(c *token.Cache, rejected string) <-chan string {
	access := make(chan string, 1)
	w.begun.Go(func() {
		got, err := c.Get(w.Context(), "id", rejected, w.partner.Issue)
		if err != nil {
			w.Error(err)
		}
		access <- got
	})
	synctest.Wait()
	return access
}

// together makes n calls at once, spread over the caches.
func (w *world) together(n int, rejected string, caches ...*token.Cache) (got []string, errs []error) {
	got, errs = make([]string, n), make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { got[i], errs[i] = caches[i%len(caches)].Get(w.Context(), "id", rejected, w.partner.Issue) })
	}
	wg.Wait()
	return got, errs
}

func (w *world) wantAll(got []string, errs []error, want string) {
	w.Helper()
	for i := range got {
		if got[i] != want || errs[i] != nil {
			w.Fatalf("call %d: got %q, %v; want %q", i, got[i], errs[i], want)
		}
	}
}

// wantIssued asserts with which refresh tokens the partner was asked.
func (w *world) wantIssued(refreshes ...string) {
	w.Helper()
	if got := w.partner.Asked(); fmt.Sprintf("%q", got) != fmt.Sprintf("%q", refreshes) {
		w.Fatalf("the partner was asked with %q, want %q", got, refreshes)
	}
}

// wantCost asserts what test costs at the ledger.
func (w *world) wantCost(reads, writes int64, test func()) {
	w.Helper()
	r, s := w.store.Reads.Load(), w.store.Writes.Load()
	test()
	if r, s = w.store.Reads.Load()-r, w.store.Writes.Load()-s; r != reads || s != writes {
		w.Fatalf("%d reads and %d writes, want %d and %d", r, s, reads, writes)
	}
}

// wantFree asserts that nobody holds the right to renew.
func (w *world) wantFree() {
	w.Helper()
	if t, err := w.store.Store.Token(w.Context(), "id"); err != nil || t.Holder != "" || !t.Lease.IsZero() {
		w.Fatalf("got %+v, %v; want a record that nobody holds", t, err)
	}
}

// partner issues token-1 with refresh-token-1, then token-2 …
type partner struct {
	ExpiresIn, RefreshExpiresIn time.Duration
	Takes                       time.Duration // for each answer
	Err                         error         // answered instead of a token
	Same                        string        // issued instead of a new one

	mu    sync.Mutex
	asked []string // refresh tokens
}

func (p *partner) Issue(ctx context.Context, refresh string) (token.Grant, error) {
	p.mu.Lock()
	p.asked = append(p.asked, refresh)
	n, takes, err, access := len(p.asked), p.Takes, p.Err, p.Same
	p.mu.Unlock()
	select {
	case <-time.After(takes):
	case <-ctx.Done():
		return token.Grant{}, ctx.Err()
	}
	if access == "" {
		access = fmt.Sprint("token-", n)
	}
	return token.Grant{
			Access: access, Refresh: "refresh-" + access, ExpiresIn: p.ExpiresIn, RefreshExpiresIn: p.RefreshExpiresIn,
		},
		err
}

func (p *partner) Asked() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.asked...)
}

var errDown = errors.New("down")

// failing is a store that fails where a test wants it to.
type failing struct {
	token.Store
	Read, Write func(context.Context) error // nil for no failure
}

func (f *failing) Token(ctx context.Context, id string) (ledger.Token, error) {
	if f.Read != nil {
		if err := f.Read(ctx); err != nil {
			return ledger.Token{}, err
		}
	}
	return f.Store.Token(ctx, id)
}

func (f *failing) PutToken(ctx context.Context, t ledger.Token) (ledger.Token, error) {
	if f.Write != nil {
		if err := f.Write(ctx); err != nil {
			return ledger.Token{}, err
		}
	}
	return f.Store.PutToken(ctx, t)
}

// lockedBuffer may be written concurrently.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
