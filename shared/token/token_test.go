package token_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sallyport/shared/ledger"
	"sallyport/shared/seal"
	"sallyport/shared/token"
)

func TestIssuedOnce(t *testing.T) {
	run(t, "InOneProcess", func(w *world) {
		c := w.process()
		w.wantCost(1, 2, func() {
			got, errs := w.together(100, "", c)
			w.wantAll(got, errs, "token-1")
		})
		w.wantIssued("")
		w.wantFree()
	})

	run(t, "InTenProcesses", func(w *world) {
		w.partner.Takes = 10 * time.Second
		var caches []*token.Cache
		for range 10 {
			caches = append(caches, w.process())
		}
		got, errs := w.together(100, "", caches...)
		w.wantAll(got, errs, "token-1")
		w.wantIssued("")
		w.wantFree()
	})

	run(t, "Warm", func(w *world) {
		c := w.process()
		w.mustGet(c, "")
		w.wantCost(0, 0, func() {
			got, errs := w.together(100, "", c)
			w.wantAll(got, errs, "token-1")
		})
		w.wantIssued("")
	})

	run(t, "AnotherProcessLater", func(w *world) {
		w.mustGet(w.process(), "")
		w.wantCost(1, 0, func() {
			got, errs := w.together(100, "", w.process())
			w.wantAll(got, errs, "token-1")
		})
		w.wantIssued("")
	})

	run(t, "OtherCredentials", func(w *world) {
		c := w.process()
		for i, id := range []string{"a", "b"} {
			if got, err := c.Get(w.Context(), id, "", w.partner.Issue); err != nil || got != fmt.Sprint("token-", i+1) {
				w.Fatalf("got %q, %v", got, err)
			}
		}
	})
}

func TestRenewed(t *testing.T) {
	for _, test := range []struct {
		expires, refreshExpires time.Duration
		fresh                   time.Duration
		idle                    time.Duration // before the renewal, once it is due
		refresh                 string        // with which it is renewed
	}{
		{2 * time.Hour, 0, 119 * time.Minute, 0, "refresh-token-1"}, // which lives as long as the token, for all we know
		{2 * time.Hour, -time.Hour, 119 * time.Minute, 0, "refresh-token-1"},
		{2 * time.Hour, 2 * time.Hour, 119 * time.Minute, 0, "refresh-token-1"},
		{2 * time.Hour, time.Hour, 59 * time.Minute, 0, "refresh-token-1"},
		{time.Hour, 24 * time.Hour, 59 * time.Minute, 0, "refresh-token-1"},
		{time.Hour, 24 * time.Hour, 59 * time.Minute, 23 * time.Hour, "refresh-token-1"},
		{time.Hour, 24 * time.Hour, 59 * time.Minute, 23*time.Hour + time.Minute, ""},
		{time.Hour, 24 * time.Hour, 59 * time.Minute, 240 * time.Hour, ""}, // the record has expired, too
		{time.Hour, time.Hour, 59 * time.Minute, time.Minute - 1, "refresh-token-1"},
		{time.Hour, time.Hour, 59 * time.Minute, time.Minute, ""},
		{3 * time.Minute, 0, 2 * time.Minute, 0, "refresh-token-1"},
		{3 * time.Minute, 0, 2 * time.Minute, time.Minute, ""},
		{2 * time.Minute, 0, time.Minute, 0, "refresh-token-1"},
		{90 * time.Second, 0, 45 * time.Second, 0, "refresh-token-1"},
		{time.Second, 0, 500 * time.Millisecond, 0, "refresh-token-1"},
		{time.Hour, 10 * time.Second, 5 * time.Second, 0, "refresh-token-1"},
		{0, 0, 9 * time.Minute, 0, "refresh-token-1"},
		{0, 0, 9 * time.Minute, time.Minute, ""},
		{-time.Hour, 0, 9 * time.Minute, 0, "refresh-token-1"},
		{0, time.Hour, 9 * time.Minute, 0, "refresh-token-1"},
		{0, time.Minute, 30 * time.Second, 0, "refresh-token-1"},
		{1 << 62, 1 << 62, 24*time.Hour - time.Minute, 0, "refresh-token-1"},
		{1 << 62, 1 << 62, 24*time.Hour - time.Minute, time.Minute, ""},
	} {
		for _, process := range []string{"TheSame", "Another"} {
			run(t, fmt.Sprintf("%v_%v_After_%v_By%sProcess", test.expires, test.refreshExpires, test.fresh+test.idle, process),
				func(w *world) {
					w.partner.Takes = 0
					w.partner.ExpiresIn, w.partner.RefreshExpiresIn = test.expires, test.refreshExpires
					c := w.process()
					w.mustGet(c, "")
					if test.fresh > 0 {
						time.Sleep(test.fresh - 1)
						for _, c := range []*token.Cache{c, w.process()} {
							if got := w.mustGet(c, ""); got != "token-1" {
								w.Fatalf("got %q while the first was fresh", got)
							}
						}
						time.Sleep(time.Nanosecond)
					}
					time.Sleep(test.idle)
					if process == "Another" {
						c = w.process()
					}
					if got := w.mustGet(c, ""); got != "token-2" {
						w.Fatalf("got %q, want the second", got)
					}
					w.wantIssued("", test.refresh)
				})
		}
	}

	run(t, "CountsFromWhenItWasAskedFor", func(w *world) {
		w.partner.Takes = 10 * time.Minute
		c := w.process()
		_, err := c.Get(w.Context(), "id", "", w.partner.Issue) // takes longer than a renewal may
		if !errors.Is(err, context.DeadlineExceeded) {
			w.Fatalf("got %v", err)
		}
		w.wantFree()
		w.partner.Takes = 50 * time.Second
		w.mustGet(c, "")
		time.Sleep(58*time.Minute + 10*time.Second - 1)
		w.wantCost(0, 0, func() { w.mustGet(c, "") })
		time.Sleep(time.Nanosecond)
		w.partner.Takes = 0
		if got := w.mustGet(c, ""); got != "token-3" {
			w.Fatalf("got %q", got)
		}
	})
}

func TestRejected(t *testing.T) {
	run(t, "ByAllInTenProcesses", func(w *world) {
		var caches []*token.Cache
		for range 10 {
			caches = append(caches, w.process())
		}
		got, errs := w.together(100, "", caches...)
		w.wantAll(got, errs, "token-1")
		got, errs = w.together(100, "token-1", caches...)
		w.wantAll(got, errs, "token-2")
		w.wantIssued("", "") // the refresh token goes with the token that was refused
		got, errs = w.together(100, "token-1", caches...)
		w.wantAll(got, errs, "token-2")
		w.wantIssued("", "")
		w.wantFree()
	})

	run(t, "OneAfterTheOther", func(w *world) {
		one, two := w.process(), w.process()
		w.mustGet(one, "")
		w.mustGet(two, "")
		if got := w.mustGet(one, "token-1"); got != "token-2" {
			w.Fatalf("got %q", got)
		}
		w.wantCost(0, 0, func() { w.mustGet(two, "") })
		w.wantCost(1, 0, func() {
			if got := w.mustGet(two, "token-1"); got != "token-2" {
				w.Fatalf("got %q", got)
			}
		})
		w.wantIssued("", "")
	})

	run(t, "OthersWaitForTheNewOne", func(w *world) {
		c := w.process()
		w.mustGet(c, "")
		w.begin(c, "token-1")
		if got := w.mustGet(c, ""); got != "token-2" {
			w.Fatalf("got %q", got)
		}
		w.wantIssued("", "")
	})

	run(t, "TheOneThatOthersJustFetched", func(w *world) {
		w.mustGet(w.process(), "")
		slow := make(chan struct{})
		c := w.processOn(&failing{Store: w.store, Read: func(context.Context) error { <-slow; return nil }})
		w.begin(c, "") // will find the first token
		go func() { time.Sleep(time.Nanosecond); close(slow) }()
		if got := w.mustGet(c, "token-1"); got != "token-2" {
			w.Fatalf("got %q", got)
		}
		w.wantIssued("", "")
	})

	run(t, "IssuedAgain", func(w *world) {
		c := w.process()
		w.partner.Same = "token-same"
		w.mustGet(c, "")
		for range 2 {
			got, err := c.Get(w.Context(), "id", "token-same", w.partner.Issue)
			if got != "" || err != token.ErrNoToken {
				w.Fatalf("got %q, %v", got, err)
			}
			w.wantFree()
		}
	})

	run(t, "RenewalFailed", func(w *world) {
		c := w.process()
		w.mustGet(c, "")
		w.partner.Err = errDown
		if _, err := c.Get(w.Context(), "id", "token-1", w.partner.Issue); err != errDown {
			w.Fatalf("got %v", err)
		}
		w.partner.Err = nil
		if got := w.mustGet(w.process(), ""); got != "token-3" { // nobody comes back to what was refused
			w.Fatalf("got %q", got)
		}
	})
}

func TestEmptyToken(t *testing.T) {
	run(t, "NeverReturned", func(w *world) {
		for _, rejected := range []string{"", "token-0"} {
			got, err := w.process().Get(w.Context(), "id", rejected, func(context.Context, string) (token.Grant, error) {
				return token.Grant{ExpiresIn: time.Hour}, nil
			})
			if got != "" || err != token.ErrNoToken {
				w.Fatalf("got %q, %v", got, err)
			}
			w.wantFree()
		}
	})
}

func TestHolderGone(t *testing.T) {
	run(t, "TakenOver", func(w *world) {
		began := time.Now()
		_, err := w.store.PutToken(w.Context(), ledger.Token{
			ID: "id", Version: 1, Holder: "gone", Lease: began.Add(15 * time.Second), ExpiresAt: began.Add(time.Hour),
		})
		if err != nil {
			w.Fatal(err)
		}
		var reads []time.Time
		c := w.processOn(
			&failing{Store: w.store, Read: func(context.Context) error { reads = append(reads, time.Now()); return nil }},
		)
		w.partner.Takes = 0
		w.mustGet(c, "")
		w.wantIssued("")
		if took := time.Since(began); took < 15*time.Second || took > 15500*time.Millisecond {
			w.Fatalf("took over after %v", took)
		}
		for i, most := 1, 100*time.Millisecond; i < len(reads); i, most = i+1, min(2*most, 500*time.Millisecond) {
			if pause := reads[i].Sub(reads[i-1]); pause < most/2 || pause > most {
				w.Fatalf("pause %d is %v, want up to %v", i, pause, most)
			}
		}
	})

	run(t, "ByOneOfMany", func(w *world) {
		now := time.Now()
		_, err := w.store.PutToken(w.Context(), ledger.Token{
			ID: "id", Version: 1, Holder: "gone", Lease: now.Add(time.Second), ExpiresAt: now.Add(time.Hour),
		})
		if err != nil {
			w.Fatal(err)
		}
		var caches []*token.Cache
		for range 10 {
			caches = append(caches, w.process())
		}
		got, errs := w.together(100, "", caches...)
		w.wantAll(got, errs, "token-1")
		w.wantIssued("")
	})

	run(t, "CameBackLate", func(w *world) {
		slow, quick := w.process(), w.process()
		w.partner.Takes = 20 * time.Second // past the lease
		late := w.begin(slow, "")
		w.partner.Takes = time.Second
		if got := w.mustGet(quick, ""); got != "token-2" {
			w.Fatalf("got %q", got)
		}
		if got := <-late; got != "token-2" {
			w.Fatalf("got %q, want the one that is shared by now", got)
		}
		w.wantIssued("", "")
	})

	run(t, "CameBackWhileAnotherRenews", func(w *world) {
		one, two := w.process(), w.process()
		w.partner.Takes = 17 * time.Second
		late := w.begin(one, "")
		w.partner.Takes = 5 * time.Second
		taken := w.begin(two, "")
		if got := <-late; got != "token-1" {
			w.Fatalf("got %q, want its own", got)
		}
		if got := <-taken; got != "token-2" {
			w.Fatalf("got %q, want its own", got)
		}
		w.wantIssued("", "")
		w.wantFree()
	})

	run(t, "FailedLate", func(w *world) {
		slow, quick := w.process(), w.process()
		w.partner.Takes, w.partner.Err = 20*time.Second, errDown
		late := w.begin(slow, "")
		w.partner.Takes, w.partner.Err = time.Second, nil
		w.mustGet(quick, "")
		if got := <-late; got != "token-2" {
			w.Fatalf("got %q, want the one that is shared by now", got)
		}
	})
}

func TestIssueFails(t *testing.T) {
	run(t, "ForAllWhoWait", func(w *world) {
		c := w.process()
		w.partner.Err = errDown
		_, errs := w.together(100, "", c)
		for _, err := range errs {
			if err != errDown {
				w.Fatalf("got %v", err)
			}
		}
		w.wantIssued("")
		w.wantFree()
		if record, err := w.store.Token(w.Context(), "id"); err != nil ||
			!record.ExpiresAt.Equal(time.Now().Add(time.Hour-w.partner.Takes)) {
			w.Fatalf("got %+v, %v; want it kept for an hour from the lease", record, err)
		}
		w.partner.Err = nil
		got, errs := w.together(100, "", c, w.process())
		w.wantAll(got, errs, "token-2")
		w.wantIssued("", "")
	})

	run(t, "KeepsTheRefreshToken", func(w *world) {
		c := w.process()
		w.mustGet(c, "")
		time.Sleep(59 * time.Minute)
		w.partner.Err = errDown
		if _, err := c.Get(w.Context(), "id", "", w.partner.Issue); err != errDown {
			w.Fatalf("got %v", err)
		}
		w.partner.Err = nil
		w.mustGet(w.process(), "")
		w.wantIssued("", "refresh-token-1", "refresh-token-1")
	})

	run(t, "Panic", func(w *world) {
		c := w.process()
		_, err := c.Get(w.Context(), "id", "", func(context.Context, string) (token.Grant, error) { panic("token-1") })
		if err == nil || strings.Contains(err.Error(), "token-1") {
			w.Fatalf("got %v", err)
		}
		w.wantFree()
		w.mustGet(c, "")
	})
}

func TestLedgerDown(t *testing.T) {
	down := func(context.Context) error { return errDown }
	hangs := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	writes := 0
	for name, store := range map[string]*failing{
		"Reads":      {Read: down},
		"Writes":     {Write: down},
		"ReadsHang":  {Read: hangs},
		"WritesHang": {Write: hangs},
		"SecondWrite": {Write: func(context.Context) error {
			if writes++; writes%2 == 0 {
				return errDown
			}
			return nil
		}},
	} {
		run(t, name, func(w *world) {
			store.Store = w.store
			c := w.processOn(store)
			began := time.Now()
			got, errs := w.together(100, "", c)
			w.wantAll(got, errs, "token-1")
			if took := time.Since(began); took > 4*time.Second {
				w.Fatalf("took %v", took)
			}
			got, errs = w.together(100, "", c)
			w.wantAll(got, errs, "token-1")
			w.wantIssued("")
			if !strings.Contains(w.logged.String(), "token not shared") {
				w.Fatalf("logged %q", w.logged.String())
			}
			time.Sleep(59 * time.Minute)
			w.mustGet(c, "")
			w.wantIssued("", "refresh-token-1")
		})
	}

	run(t, "KeyRing", func(w *world) {
		c := token.New(w.store, func(context.Context) (*seal.Ring, error) { return nil, errDown }, time.Now, w.newID, w.log())
		w.wantCost(0, 0, func() {
			got, errs := w.together(100, "", c)
			w.wantAll(got, errs, "token-1")
		})
	})

	run(t, "WhileWaiting", func(w *world) {
		w.partner.Takes = 5 * time.Second
		reads := 0
		c := w.processOn(&failing{Store: w.store, Read: func(context.Context) error {
			if reads++; reads > 1 {
				return errDown
			}
			return nil
		}})
		w.begin(w.process(), "")
		if got := w.mustGet(c, ""); got != "token-2" {
			w.Fatalf("got %q", got)
		}
	})
}

func TestContext(t *testing.T) {
	run(t, "OfAWaiter", func(w *world) {
		c := w.process()
		w.begin(c, "")
		began := time.Now()
		ctx, cancel := context.WithTimeout(w.Context(), 100*time.Millisecond)
		defer cancel()
		if _, err := c.Get(ctx, "id", "", w.partner.Issue); err != context.DeadlineExceeded ||
			time.Since(began) != 100*time.Millisecond {
			w.Fatalf("got %v after %v", err, time.Since(began))
		}
		w.mustGet(c, "")
		w.wantIssued("")
	})

	run(t, "OfTheFirstWhileOthersWait", func(w *world) {
		c := w.process()
		ctx, cancel := context.WithCancel(w.Context())
		first := make(chan error)
		go func() {
			_, err := c.Get(ctx, "id", "", w.partner.Issue)
			first <- err
		}()
		synctest.Wait()
		go func() { time.Sleep(100 * time.Millisecond); cancel() }()
		go func() {
			if err := <-first; err != context.Canceled {
				w.Errorf("got %v", err)
			}
		}()
		got, errs := w.together(100, "", c)
		w.wantAll(got, errs, "token-1")
		w.wantIssued("")
	})

	run(t, "DeadlineOfTheFirstWhileOthersWait", func(w *world) {
		c := w.process()
		ctx, cancel := context.WithTimeout(w.Context(), 100*time.Millisecond)
		defer cancel()
		go func() {
			if _, err := c.Get(ctx, "id", "", w.partner.Issue); !errors.Is(err, context.DeadlineExceeded) {
				w.Errorf("got %v", err)
			}
		}()
		synctest.Wait()
		got, errs := w.together(100, "", c)
		w.wantAll(got, errs, "token-2")
		w.wantIssued("", "")
	})

	run(t, "WhileAnotherProcessRenews", func(w *world) {
		w.partner.Takes = 10 * time.Second
		w.begin(w.process(), "")
		ctx, cancel := context.WithTimeout(w.Context(), time.Second)
		defer cancel()
		if _, err := w.process().Get(ctx, "id", "", w.partner.Issue); !errors.Is(err, context.DeadlineExceeded) {
			w.Fatalf("got %v", err)
		}
		w.wantIssued("")
	})

	run(t, "EndedBefore", func(w *world) {
		ctx, cancel := context.WithDeadline(w.Context(), time.Now())
		defer cancel()
		if _, err := w.process().Get(ctx, "id", "", w.partner.Issue); !errors.Is(err, context.DeadlineExceeded) {
			w.Fatalf("got %v", err)
		}
		synctest.Wait()
		w.wantIssued()
	})

	run(t, "ValuesReachIssue", func(w *world) {
		type key struct{}
		ctx := context.WithValue(w.Context(), key{}, "value")
		_, err := w.process().Get(ctx, "id", "", func(ctx context.Context, refresh string) (token.Grant, error) {
			if ctx.Value(key{}) != "value" {
				w.Error("the value is lost")
			}
			return w.partner.Issue(ctx, refresh)
		})
		if err != nil {
			w.Fatal(err)
		}
	})
}

func TestSealed(t *testing.T) {
	run(t, "NothingReadableIsStored", func(w *world) {
		w.mustGet(w.process(), "")
		stored, err := os.ReadFile(w.path)
		if err != nil {
			w.Fatal(err)
		}
		if bytes.Contains(stored, []byte("token-1")) || !bytes.Contains(stored, []byte("ledger/tokens")) {
			w.Fatal("the token can be read in the ledger's file, or is not in it")
		}
		record, err := w.store.Token(w.Context(), "id")
		if err != nil || bytes.Contains(record.Sealed, []byte("token-1")) || len(record.Sealed) == 0 {
			w.Fatalf("got %+v, %v", record, err)
		}
		if got, want := record.ExpiresAt, time.Now().Add(2*time.Hour-time.Second); !got.Equal(want) {
			w.Fatalf("kept until %v, want an hour after it is of use: %v", got, want)
		}
	})

	run(t, "ForItsCredentials", func(w *world) {
		w.mustGet(w.process(), "")
		record, err := w.store.Token(w.Context(), "id")
		if err != nil {
			w.Fatal(err)
		}
		record.ID, record.Version = "another", 1
		if _, err := w.store.PutToken(w.Context(), record); err != nil {
			w.Fatal(err)
		}
		if got, err := w.process().Get(w.Context(), "another", "", w.partner.Issue); err != nil || got != "token-2" {
			w.Fatalf("got %q, %v", got, err)
		}
	})

	run(t, "ByAKeyThatIsGone", func(w *world) {
		w.mustGet(w.process(), "")
		w.keys = seal.Keys{ID: strings.Repeat("j", 32)}
		if got := w.mustGet(w.process(), ""); got != "token-2" {
			w.Fatalf("got %q", got)
		}
		w.wantIssued("", "")
	})
}

func TestMemoryIsBounded(t *testing.T) {
	run(t, "OthersAreReadAgain", func(w *world) {
		const ids, kept = 1050, 1000
		memory := &memory{records: map[string]ledger.Token{}}
		c := w.processOn(memory)
		w.partner.Takes = 0
		for range 2 {
			for i := range ids {
				if _, err := c.Get(w.Context(), fmt.Sprint("id-", i), "", w.partner.Issue); err != nil {
					w.Fatal(err)
				}
			}
		}
		if n := len(w.partner.Asked()); n != ids {
			w.Fatalf("%d tokens issued for %d credentials", n, ids)
		}
		if again := memory.reads - ids; again < ids-kept {
			w.Fatalf("%d of %d were read again, want at least %d", again, ids, ids-kept)
		}
	})
}

// memory is a store that is quick; it serves one process.
type memory struct {
	mu      sync.Mutex
	records map[string]ledger.Token
	reads   int
}

func (m *memory) Token(_ context.Context, id string) (ledger.Token, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.reads++
	t, ok := m.records[id]
	if !ok {
		return t, ledger.ErrNotFound
	}
	return t, nil
}

func (m *memory) PutToken(_ context.Context, t ledger.Token) (ledger.Token, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if standing := m.records[t.ID]; standing.Version != t.Version-1 {
		return standing, ledger.ErrStale
	}
	m.records[t.ID] = t
	return t, nil
}

// TestAnySchedule lets processes ask, be refused, fail and give up at random. The partner must never be asked twice at
// once, as long as it answers within the lease; nobody gets a token that he reported, or one that has expired.
func TestAnySchedule(t *testing.T) {
	for seed := range uint64(10) {
		run(t, fmt.Sprint(seed), func(w *world) {
			r := rand.New(rand.NewPCG(seed, 1))
			caches := []*token.Cache{w.process(), w.process(), w.process(), w.process()}
			p := &moody{r: rand.New(rand.NewPCG(seed, 2)), expiry: map[string]time.Time{}}
			var wg sync.WaitGroup
			for i := range 8 {
				r := rand.New(rand.NewPCG(seed, uint64(10+i)))
				wg.Go(func() {
					rejected := ""
					for range 40 {
						time.Sleep(time.Duration(r.Int64N(int64(40 * time.Second))))
						ctx, cancel := context.WithTimeout(w.Context(), time.Duration(r.Int64N(int64(20*time.Second))))
						got, err := caches[r.IntN(len(caches))].Get(ctx, "id", rejected, p.issue)
						cancel()
						switch {
						case err != nil:
							if !errors.Is(err, errDown) && !errors.Is(err, context.DeadlineExceeded) {
								w.Errorf("got %v", err)
							}
						case got == "" || got == rejected || !p.valid(got):
							w.Errorf("got %q after %q was rejected", got, rejected)
						}
						if rejected = ""; r.IntN(4) == 0 {
							rejected = got
						}
					}
				})
			}
			for range 20 {
				time.Sleep(time.Duration(r.Int64N(int64(time.Minute))))
				caches[r.IntN(len(caches))].Get(w.Context(), "id", "", p.issue)
			}
			wg.Wait()
			if p.most != 1 || p.issued < 10 {
				w.Errorf("asked %d times, up to %d at once", p.issued, p.most)
			}
		})
	}
}

// moody is a partner whose answers take up to 10 s and fail at times.
type moody struct {
	mu     sync.Mutex
	r      *rand.Rand
	issued int
	busy   int
	most   int
	expiry map[string]time.Time
}

func (p *moody) issue(ctx context.Context, _ string) (token.Grant, error) {
	p.mu.Lock()
	p.busy++
	p.most = max(p.most, p.busy)
	p.issued++
	name, takes, fails := fmt.Sprint("token-", p.issued), time.Duration(
		p.r.Int64N(int64(10*time.Second)),
	), p.r.IntN(5) == 0
	life := 30*time.Second + time.Duration(p.r.Int64N(int64(5*time.Minute)))
	p.expiry[name] = time.Now().Add(life)
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.busy--
	}()
	select {
	case <-time.After(takes):
	case <-ctx.Done():
		return token.Grant{}, ctx.Err()
	}
	if fails {
		return token.Grant{}, errDown
	}
	return token.Grant{Access: name, ExpiresIn: life}, nil
}

func (p *moody) valid(name string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return time.Now().Before(p.expiry[name])
}
