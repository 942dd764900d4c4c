package callback_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sallyport/shared/bolt"
	"sallyport/shared/callback"
	"sallyport/shared/ledger"
	ledgerbolt "sallyport/shared/ledger/bolt"
	"sallyport/shared/orchestrator"
	"sallyport/shared/seal"
)

const record = "test/record/1"

// orchestra is an Orchestrator whose executions wait with tokens: an answer to any other is orchestrator.ErrGone.
type orchestra struct {
	mu      sync.Mutex
	waits   map[string]bool // by token
	answers []string        // "<token> <output>"
	err     error
	closed  bool // whether the answer that ends a wait is lost on its way back
}

func (o *orchestra) Answer(_ context.Context, token string, output []byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err != nil {
		return o.err
	}
	if !o.waits[token] {
		return orchestrator.ErrGone
	}
	delete(o.waits, token)
	o.answers = append(o.answers, token+" "+string(output))
	if o.closed {
		return errors.New("answer lost")
	}
	return nil
}

func (o *orchestra) wait(token string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.waits[token] = true
}

// delivered returns the answers since it was asked last.
func (o *orchestra) delivered() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	answers := o.answers
	o.answers = nil
	return answers
}

// stack is a correlator on a real ledger.
type stack struct {
	*callback.Correlator
	t      testing.TB
	ledger *ledgerbolt.Ledger
	o      *orchestra
	logs   *bytes.Buffer
	file   string
	now    time.Time
	asOf   time.Time // when the last read of those who wait began
}

func newStack(t testing.TB) *stack {
	t.Helper()
	s := &stack{
		t: t, o: &orchestra{waits: map[string]bool{}}, logs: &bytes.Buffer{}, file: filepath.Join(t.TempDir(), "test.db"),
		now: time.Date(2026, 5, 1, 10, 0, 0, 0, time.UTC),
	}
	db, err := bolt.Open(s.file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if s.ledger, err = ledgerbolt.New(db); err != nil {
		t.Fatal(err)
	}
	ring, err := seal.NewRing(seal.GenerateKeys())
	if err != nil {
		t.Fatal(err)
	}
	now := func() time.Time { return s.now }
	s.ledger.Now = now
	s.Correlator = &callback.Correlator{Ledger: s.ledger, Orchestrator: s.o, Log: slog.New(
		slog.NewTextHandler(s.logs, nil),
	), Now: now,
		Ring: func(context.Context) (*seal.Ring, error) { return ring, nil }}
	return s
}

func (s *stack) create(id string) ledger.Journey {
	s.t.Helper()
	j, err := s.ledger.CreateJourney(
		s.t.Context(), "key of "+id,
		ledger.Journey{ID: id, Tenant: "acme", Type: "test", Status: ledger.JourneyRunning, CreatedAt: s.now},
	)
	if err != nil {
		s.t.Fatal(err)
	}
	return j
}

func (s *stack) journey(id string) ledger.Journey {
	s.t.Helper()
	j, err := s.ledger.Journey(s.t.Context(), "acme", id)
	if err != nil {
		s.t.Fatal(err)
	}
	return j
}

// await makes a journey wait for events of the record, as functions/journeys does: first the wait, then the list.
func (s *stack) await(id, token string) ledger.Journey {
	s.t.Helper()
	s.o.wait(token)
	j := s.journey(id)
	j.Status, j.Awaiting = ledger.JourneyWaiting, &ledger.Awaiting{
		ID: "wait of " + token, Token: token, Record: record, AsOf: s.asOf, ExpiresAt: s.now.Add(time.Hour),
	}
	j, err := s.ledger.UpdateJourney(s.t.Context(), j)
	if err != nil {
		s.t.Fatal(err)
	}
	s.subscribe(id)
	return j
}

func (s *stack) subscribe(id string) {
	s.t.Helper()
	if err := s.Subscribe(s.t.Context(), s.journey(id)); err != nil {
		s.t.Error(err)
	}
}

// end ends a journey without a word to the correlator.
func (s *stack) end(id string) {
	s.t.Helper()
	j := s.journey(id)
	j.Status, j.Awaiting, j.EndedAt, j.ExpiresAt = ledger.JourneySucceeded, nil, s.now, s.now.Add(ledger.Retention)
	if _, err := s.ledger.UpdateJourney(s.t.Context(), j); err != nil {
		s.t.Fatal(err)
	}
}

func event(code string) callback.Event {
	return callback.Event{Record: record, Codes: map[string]string{"status": code}}
}

func (s *stack) publish(code string) {
	s.t.Helper()
	if err := s.Publish(s.t.Context(), event(code)); err != nil {
		s.t.Error(err)
	}
}

// wants checks what has been answered since the last check, in any order.
func (s *stack) wants(answers ...string) {
	s.t.Helper()
	got := s.o.delivered()
	slices.Sort(got)
	slices.Sort(answers)
	if !slices.Equal(got, answers) {
		s.t.Errorf("answered %q, want %q", got, answers)
	}
}

func (s *stack) waiters() (ids []string) {
	s.t.Helper()
	c, err := s.ledger.Correlation(s.t.Context(), record)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, w := range c.Waiters {
		ids = append(ids, w.Tenant+"/"+w.Journey)
	}
	return ids
}

func answered(token, code string) string {
	return token + ` {"kind":"callback","status":"` + code + `"}`
}

func TestEventAfterTheWait(t *testing.T) {
	s := newStack(t)
	s.create("a")
	s.await("a", "t1")
	s.wants()
	s.publish("ok")
	s.wants(answered("t1", "ok"))
	if delivered := s.journey("a").Delivered; len(delivered) != 1 || !s.journey("a").UpdatedAt.Equal(s.now) {
		t.Errorf("got %q", delivered)
	}
}

func TestEventBeforeTheWait(t *testing.T) {
	s := newStack(t)
	s.create("a")
	s.publish("ok") // nobody waits: it is kept
	s.wants()
	s.await("a", "t1")
	s.wants(answered("t1", "ok"))
}

// Whoever repeats a callback, and whoever repeats a wait, changes nothing.
func TestAnEventIsDeliveredOnce(t *testing.T) {
	s := newStack(t)
	s.create("a")
	s.await("a", "t1")
	s.publish("ok")
	s.publish("ok")
	s.wants(answered("t1", "ok"))
	s.await("a", "t2") // the partner still says the same: the execution got it
	s.subscribe("a")
	s.publish("ok")
	s.wants()
	s.publish("other")
	s.wants(answered("t2", "other"))
	s.await("a", "t3")
	s.publish("ok")
	s.publish("other")
	s.wants()
	if delivered := s.journey("a").Delivered; len(delivered) != 2 {
		t.Errorf("got %q", delivered)
	}
	s.create("b") // another execution has not got it, but one hint is enough
	s.await("b", "u1")
	if got := s.o.delivered(); len(got) != 1 || !strings.HasPrefix(got[0], "u1 ") {
		t.Errorf("answered %q", got)
	}
	s.await("b", "u2")
	s.wants()
	if delivered := s.journey("b").Delivered; len(delivered) != 2 {
		t.Errorf("got %q", delivered)
	}
}

func TestCodesMakeEventsDifferent(t *testing.T) {
	s := newStack(t)
	s.create("a")
	for i, codes := range []map[string]string{
		{"status": "a"}, {"status": "b"}, {"other": "a"}, {"status": "a", "other": "b"}, {},
	} {
		token := fmt.Sprint("t", i)
		s.await("a", token)
		for range 2 {
			if err := s.Publish(t.Context(), callback.Event{Record: record, Codes: codes}); err != nil {
				t.Fatal(err)
			}
		}
		if got := s.o.delivered(); len(got) != 1 || !strings.HasPrefix(got[0], token+" ") {
			t.Errorf("%v: answered %q", codes, got)
		}
	}
}

func TestEventOfAnotherRecord(t *testing.T) {
	s := newStack(t)
	s.create("a")
	s.await("a", "t1")
	if err := s.Publish(
		t.Context(), callback.Event{Record: "test/record/2", Codes: map[string]string{"status": "ok"}},
	); err != nil {
		t.Fatal(err)
	}
	s.wants()
	// A journey that has gone on to wait for another record is still on the list of the first one.
	j := s.journey("a")
	j.Awaiting = &ledger.Awaiting{Token: "t1", Record: "test/record/3"}
	if _, err := s.ledger.UpdateJourney(t.Context(), j); err != nil {
		t.Fatal(err)
	}
	s.publish("ok")
	s.wants()
	if delivered := s.journey("a").Delivered; delivered != nil {
		t.Errorf("got %q", delivered)
	}
}

func TestSeveralJourneys(t *testing.T) {
	s := newStack(t)
	for i := range 3 {
		s.create(fmt.Sprint("j", i))
		s.await(fmt.Sprint("j", i), fmt.Sprint("t", i))
	}
	s.create("running") // it waited once, and doesn't now
	s.await("running", "gone")
	s.publish("first")
	s.wants(answered("t0", "first"), answered("t1", "first"), answered("t2", "first"), answered("gone", "first"))
	s.await("j1", "u1")
	s.publish("second")
	s.wants(answered("u1", "second"))
	s.await("j0", "u0")
	s.await("j2", "u2")
	s.wants(answered("u0", "second"), answered("u2", "second"))
}

// A wait that has just ended takes no answer, and what it didn't get its next wait does.
func TestStaleToken(t *testing.T) {
	s := newStack(t)
	s.create("a")
	s.await("a", "t1")
	delete(s.o.waits, "t1") // the wait has timed out
	s.publish("ok")
	s.wants()
	if delivered := s.journey("a").Delivered; delivered != nil {
		t.Errorf("got %q, though nobody waited", delivered)
	}
	s.await("a", "t2")
	s.wants(answered("t2", "ok"))
}

func TestWhoIsGoneLeavesTheList(t *testing.T) {
	s := newStack(t)
	for _, id := range []string{"ended", "expired", "waits", "left"} {
		s.create(id)
		s.await(id, "token of "+id)
	}
	if _, err := s.ledger.AddWaiter(t.Context(), record, ledger.Waiter{Tenant: "acme", Journey: "never was"}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.ledger.AddWaiter(t.Context(), record, ledger.Waiter{Tenant: "globex", Journey: "waits"}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.Unsubscribe(t.Context(), record, s.journey("left")); err != nil {
			t.Fatal(err)
		}
	}
	if got := s.waiters(); slices.Contains(got, "acme/left") || len(got) != 5 {
		t.Errorf("waiters %q", got)
	}
	s.end("expired")
	s.now = s.now.Add(ledger.Retention)
	s.end("ended")
	s.publish("ok")
	s.wants(answered("token of waits", "ok"))
	if got := s.waiters(); !slices.Equal(got, []string{"acme/waits"}) {
		t.Errorf("waiters %q", got)
	}
}

func TestOrchestratorDown(t *testing.T) {
	s := newStack(t)
	for _, id := range []string{"a", "b"} {
		s.create(id)
		s.await(id, "token of "+id)
	}
	down := errors.New("down")
	s.o.err = down
	if err := s.Publish(t.Context(), event("ok")); !errors.Is(err, down) {
		t.Errorf("got %v", err)
	}
	if delivered := s.journey("a").Delivered; delivered != nil {
		t.Errorf("got %q", delivered)
	}
	s.o.err = nil
	s.publish("ok") // the partner repeats it
	s.wants(answered("token of a", "ok"), answered("token of b", "ok"))

	s.await("a", "t2")
	s.o.closed = true // it was delivered, and nobody knows: the repeat finds nobody who waits with that token
	if err := s.Publish(t.Context(), event("more")); err == nil {
		t.Error("no error")
	}
	s.o.closed = false
	s.wants(answered("t2", "more"))
	s.publish("more")
	s.wants()

	s.create("c")
	s.o.err = down
	s.o.wait("t3")
	j := s.journey("c")
	j.Status, j.Awaiting = ledger.JourneyWaiting, &ledger.Awaiting{Token: "t3", Record: record}
	if _, err := s.ledger.UpdateJourney(t.Context(), j); err != nil {
		t.Fatal(err)
	}
	if err := s.Subscribe(t.Context(), s.journey("c")); !errors.Is(err, down) {
		t.Errorf("subscribing gave %v", err)
	}
	s.o.err = nil
	s.subscribe("c")
	if got := s.o.delivered(); len(got) != 1 || !strings.HasPrefix(got[0], "t3 ") {
		t.Errorf("answered %q", got)
	}
}

// failing is a ledger whose methods fail by name.
type failing struct {
	callback.Ledger
	method string
	err    error
	times  int // how often it fails; below zero for always
}

func (f *failing) fails(method string) error {
	if f.method != method || f.times == 0 {
		return nil
	}
	f.times--
	return f.err
}

func (f *failing) AddEvent(
	ctx context.Context, record string, e ledger.Event, once bool,
) (ledger.Correlation, error) {
	if err := f.fails("AddEvent"); err != nil {
		return ledger.Correlation{}, err
	}
	return f.Ledger.AddEvent(ctx, record, e, once)
}

func (f *failing) AddWaiter(ctx context.Context, record string, w ledger.Waiter) (ledger.Correlation, error) {
	if err := f.fails("AddWaiter"); err != nil {
		return ledger.Correlation{}, err
	}
	return f.Ledger.AddWaiter(ctx, record, w)
}

func (f *failing) Journey(ctx context.Context, tenant, id string) (ledger.Journey, error) {
	if err := f.fails("Journey"); err != nil {
		return ledger.Journey{}, err
	}
	return f.Ledger.Journey(ctx, tenant, id)
}

func (f *failing) UpdateJourney(ctx context.Context, j ledger.Journey) (ledger.Journey, error) {
	if err := f.fails("UpdateJourney"); err != nil {
		return ledger.Journey{}, err
	}
	return f.Ledger.UpdateJourney(ctx, j)
}

func (f *failing) RemoveWaiter(ctx context.Context, record string, w ledger.Waiter) error {
	if err := f.fails("RemoveWaiter"); err != nil {
		return err
	}
	return f.Ledger.RemoveWaiter(ctx, record, w)
}

// Whatever fails on the way, the event is not lost: its repeat, or the next wait, delivers it.
func TestLedgerDown(t *testing.T) {
	down := errors.New("down")
	for method, delivered := range map[string]bool{
		"AddEvent": false, "Journey": false, "UpdateJourney": true, "RemoveWaiter": true,
	} {
		t.Run(method, func(t *testing.T) {
			s := newStack(t)
			s.create("a")
			s.await("a", "t1")
			s.create("ended")
			s.await("ended", "t2")
			s.end("ended")
			s.Correlator.Ledger = &failing{Ledger: s.ledger, method: method, err: down, times: 1}
			if err := s.Publish(t.Context(), event("ok")); !errors.Is(err, down) {
				t.Errorf("got %v", err)
			}
			want := []string{answered("t1", "ok")}
			if delivered {
				s.wants(want...)
				want = nil // its token is gone
			} else {
				s.wants()
			}
			s.publish("ok")
			s.wants(want...)
			if method == "UpdateJourney" { // nobody noted that it was delivered: the next wait gets it once more
				s.await("a", "t3")
				s.wants(answered("t3", "ok"))
				s.await("a", "t4")
				s.wants()
			}
			if got := s.waiters(); !slices.Equal(got, []string{"acme/a"}) {
				t.Errorf("waiters %q", got)
			}
		})
	}
	t.Run("AddWaiter", func(t *testing.T) {
		s := newStack(t)
		s.create("a")
		s.Correlator.Ledger = &failing{Ledger: s.ledger, method: "AddWaiter", err: down, times: 1}
		s.publish("ok")
		j := s.journey("a")
		j.Status, j.Awaiting = ledger.JourneyWaiting, &ledger.Awaiting{Token: "t1", Record: record}
		j, err := s.ledger.UpdateJourney(t.Context(), j)
		if err != nil {
			t.Fatal(err)
		}
		s.o.wait("t1")
		if err := s.Subscribe(t.Context(), j); !errors.Is(err, down) {
			t.Errorf("got %v", err)
		}
		s.subscribe("a")
		s.wants(answered("t1", "ok"))
	})
	t.Run("Stale", func(t *testing.T) { // the journey changes meanwhile: noting what it got begins anew
		s := newStack(t)
		s.create("a")
		s.await("a", "t1")
		s.Correlator.Ledger = &failing{Ledger: s.ledger, method: "UpdateJourney", err: ledger.ErrStale, times: 3}
		s.publish("ok")
		s.wants(answered("t1", "ok"))
		if delivered := s.journey("a").Delivered; len(delivered) != 1 {
			t.Errorf("got %q", delivered)
		}
	})
}

func TestTooManyWait(t *testing.T) {
	s := newStack(t)
	for i := range ledger.CorrelationCap {
		if _, err := s.ledger.AddWaiter(
			t.Context(), record, ledger.Waiter{Tenant: "acme", Journey: fmt.Sprint("gone-", i)},
		); err != nil {
			t.Fatal(err)
		}
	}
	s.create("a")
	s.await("a", "t1") // unlisted: its wait ends by itself
	s.wants()
	if !strings.Contains(s.logs.String(), "correlation_full") {
		t.Errorf("logged %s", s.logs)
	}
	s.publish("ok") // which takes those off the list who are gone
	s.wants()
	s.subscribe("a")
	s.wants(answered("t1", "ok"))
}

func TestKeysDown(t *testing.T) {
	s := newStack(t)
	s.create("a")
	s.await("a", "t1")
	ring := s.Ring
	s.Ring = func(context.Context) (*seal.Ring, error) { return nil, errors.New("down") }
	if err := s.Publish(t.Context(), event("ok")); err == nil {
		t.Error("no error")
	}
	s.subscribe("a") // needs none while there is no event
	s.Ring = ring
	s.publish("ok")
	s.wants(answered("t1", "ok"))
	s.Ring = func(context.Context) (*seal.Ring, error) { return nil, errors.New("down") }
	if err := s.Subscribe(t.Context(), s.journey("a")); err == nil {
		t.Error("no error")
	}
}

func TestEventsAreSealed(t *testing.T) {
	s := newStack(t)
	s.create("a")
	s.await("a", "t1")
	const code = "Under Investigation of somebody"
	s.publish(code)
	s.wants(answered("t1", code))
	text, err := os.ReadFile(s.file)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(text, []byte(code)) || !bytes.Contains(text, []byte(record)) {
		t.Error("the store shows what happened")
	}
	// What lies there under another id, or of another record, doesn't open.
	c, err := s.ledger.Correlation(t.Context(), record)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range c.Events {
		if strings.Contains(e.ID, "Under") || len(e.ID) != 32 {
			t.Errorf("the id is %s", e.ID)
		}
		if _, err := s.ledger.AddEvent(t.Context(), "test/record/2", e, false); err != nil {
			t.Fatal(err)
		}
	}
	s.create("b")
	j := s.journey("b")
	j.Status, j.Awaiting = ledger.JourneyWaiting, &ledger.Awaiting{Token: "t2", Record: "test/record/2"}
	if j, err = s.ledger.UpdateJourney(t.Context(), j); err != nil {
		t.Fatal(err)
	}
	s.o.wait("t2")
	if err := s.Subscribe(t.Context(), j); !errors.Is(err, seal.ErrOpen) {
		t.Errorf("got %v", err)
	}
	s.wants()
}

// mustPublish publishes an event of a record, in the same words each time.
func (s *stack) mustPublish(record string) {
	s.t.Helper()
	if err := s.Publish(
		s.t.Context(), callback.Event{Record: record, Codes: map[string]string{"status": "ok"}},
	); err != nil {
		s.t.Fatal(err)
	}
}

// TestRace: the partner and the wait come in any order, several times each; afterwards every wait has been answered,
// whether or not the partner has said the same before.
func TestRace(t *testing.T) {
	s := newStack(t)
	for i := range 100 {
		id := fmt.Sprint("j", i)
		of := fmt.Sprint("test/race/", i)
		j := s.create(id)
		s.o.wait(id)
		if i%2 == 0 {
			s.mustPublish(of)
		}
		s.now = s.now.Add(time.Second)
		asOf := s.now
		s.now = s.now.Add(time.Second)
		var wg sync.WaitGroup
		begin := make(chan bool)
		for range 2 {
			wg.Go(func() {
				<-begin
				if err := s.Publish(t.Context(), callback.Event{Record: of, Codes: map[string]string{"status": "ok"}}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Go(func() {
			<-begin
			j.Status, j.Awaiting = ledger.JourneyWaiting, &ledger.Awaiting{Token: id, Record: of, AsOf: asOf}
			waiting, err := s.ledger.UpdateJourney(t.Context(), j)
			if err == nil {
				err = s.Subscribe(t.Context(), waiting)
			}
			if err != nil {
				t.Error(err)
			}
		})
		close(begin)
		wg.Wait()
		if got := s.o.delivered(); len(got) != 1 || got[0] != answered(id, "ok") {
			t.Fatalf("round %d: answered %q", i, got)
		}
		if delivered := s.journey(id).Delivered; len(delivered) != 1 {
			t.Fatalf("round %d: got %q", i, delivered)
		}
	}
}

// TestEveryOrder plays one publisher and one subscriber step by step, in every order in which what they do can
// interleave: the wait is always answered.
func TestEveryOrder(t *testing.T) {
	const steps = 7 // after these, one goes on to its end, then the other
	s := newStack(t)
	for order := range 1 << steps {
		id, of := fmt.Sprint("j", order), fmt.Sprint("test/order/", order)
		j := s.create(id)
		s.o.wait(id)
		s.mustPublish(of) // the same words, before the read
		asOf := s.now.Add(time.Second)
		s.now = asOf
		publisher := play(s, func(x *callback.Correlator) error {
			return x.Publish(context.Background(), callback.Event{Record: of, Codes: map[string]string{"status": "ok"}})
		})
		subscriber := play(s, func(x *callback.Correlator) error {
			j.Status, j.Awaiting = ledger.JourneyWaiting, &ledger.Awaiting{Token: id, Record: of, AsOf: asOf}
			waiting, err := x.Ledger.UpdateJourney(context.Background(), j)
			if err == nil {
				err = x.Subscribe(context.Background(), waiting)
			}
			return err
		})
		for i := range steps {
			if order>>i&1 == 0 {
				publisher.step()
			} else {
				subscriber.step()
			}
		}
		for _, p := range []*player{publisher, subscriber} {
			for p.step() {
			}
			if p.err != nil {
				t.Errorf("order %07b: %v", order, p.err)
			}
		}
		if got := s.o.delivered(); len(got) != 1 || got[0] != answered(id, "ok") {
			t.Fatalf("order %07b: answered %q", order, got)
		}
		if delivered := s.journey(id).Delivered; len(delivered) != 1 {
			t.Fatalf("order %07b: got %q", order, delivered)
		}
	}
}

// player does something in steps: one read or write of the ledger, or one answer, at a time.
type player struct {
	failing // a ledger that doesn't
	o       *orchestra
	next    chan bool
	parked  chan bool
	over    chan bool
	ended   bool
	err     error
}

func play(s *stack, do func(*callback.Correlator) error) *player {
	p := &player{
		failing: failing{Ledger: s.ledger}, o: s.o, next: make(chan bool), parked: make(chan bool), over: make(chan bool),
	}
	x := *s.Correlator
	x.Ledger, x.Orchestrator = p, p
	go func() {
		defer close(p.over)
		p.err = do(&x)
	}()
	p.settle()
	return p
}

// step takes one step; false where there is none left.
func (p *player) step() bool {
	if p.ended {
		return false
	}
	p.next <- true
	p.settle()
	return true
}

func (p *player) settle() {
	select {
	case <-p.parked:
	case <-p.over:
		p.ended = true
	}
}

func (p *player) park() {
	p.parked <- true
	<-p.next
}

func (p *player) AddEvent(
	ctx context.Context, record string, e ledger.Event, once bool,
) (ledger.Correlation, error) {
	p.park()
	return p.failing.AddEvent(ctx, record, e, once)
}

func (p *player) AddWaiter(ctx context.Context, record string, w ledger.Waiter) (ledger.Correlation, error) {
	p.park()
	return p.failing.AddWaiter(ctx, record, w)
}

func (p *player) Journey(ctx context.Context, tenant, id string) (ledger.Journey, error) {
	p.park()
	return p.failing.Journey(ctx, tenant, id)
}

func (p *player) UpdateJourney(ctx context.Context, j ledger.Journey) (ledger.Journey, error) {
	p.park()
	return p.failing.UpdateJourney(ctx, j)
}

func (p *player) Answer(ctx context.Context, token string, output []byte) error {
	p.park()
	return p.o.Answer(ctx, token, output)
}

// What an event says is kept as codes, few and short, so that fifty of them have a place; what no record is called is
// not kept.
func TestEventsAreSmall(t *testing.T) {
	s := newStack(t)
	long := map[string]string{"status": strings.Repeat("x", 65)}
	for i := range 20 {
		long[fmt.Sprintf("z-%02d", i)] = strings.Repeat("y", 64)
	}
	if err := s.Publish(t.Context(), callback.Event{Record: record, Codes: long}); err != nil {
		t.Fatal(err)
	}
	j := s.create("j")
	s.o.wait("t")
	j.Status, j.Awaiting = ledger.JourneyWaiting, &ledger.Awaiting{ID: "w", Token: "t", Record: record}
	j, err := s.ledger.UpdateJourney(t.Context(), j)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Subscribe(t.Context(), j); err != nil {
		t.Fatal(err)
	}
	got := s.o.delivered()
	if len(got) != 1 || !strings.Contains(got[0], `"status":"other"`) || strings.Count(got[0], "z-") != 7 {
		t.Errorf("delivered %q", got)
	}
	name := strings.Repeat("r", 2000)
	if err := s.Publish(t.Context(), callback.Event{Record: name, Codes: long}); err != nil {
		t.Errorf("of a record with a long name: %v", err)
	}
	if c, err := s.ledger.Correlation(t.Context(), name); err != nil || len(c.Events) != 0 {
		t.Errorf("%d events are kept, %v", len(c.Events), err)
	}
}
