package operation_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sallyport/shared/ledger"
	"sallyport/shared/operation"
	"sallyport/shared/telemetry"
)

const onRecord = `{"value":"a","record":"test/record/1"}`

// owners is a ledger whose owners are read as a test wants it. It counts the reads and what of them runs.
type owners struct {
	operation.Ledger
	claim         func()
	read          func(context.Context) error
	asked, inside atomic.Int64
}

func (o *owners) Claim(ctx context.Context, t ledger.Transaction) (ledger.Transaction, error) {
	if o.claim != nil {
		o.claim()
	}
	return o.Ledger.Claim(ctx, t)
}

func (o *owners) Owner(ctx context.Context, record string) (ledger.Owner, error) {
	o.asked.Add(1)
	o.inside.Add(1)
	defer o.inside.Add(-1)
	if o.read != nil {
		if err := o.read(ctx); err != nil {
			return ledger.Owner{}, err
		}
	}
	return o.Ledger.Owner(ctx, record)
}

func (o *owners) wantAsked(t *testing.T, n int64) {
	t.Helper()
	if got := o.asked.Swap(0); got != n {
		t.Errorf("the owner was read %d times, want %d", got, n)
	}
}

// owns makes a tenant the owner of the record that onRecord names.
func (s *stack) owns(tenant string) {
	s.t.Helper()
	if err := s.counting.PutOwner(s.t.Context(), "test/record/1", tenant); err != nil {
		s.t.Fatal(err)
	}
}

// TestOwnerIsReadBesideTheClaim: each of the two waits until the other has begun.
func TestOwnerIsReadBesideTheClaim(t *testing.T) {
	s := newStack(t)
	claiming, reading := make(chan struct{}), make(chan struct{})
	both := func(mine, other chan struct{}) error {
		close(mine)
		select {
		case <-other:
			return nil
		case <-time.After(10 * time.Second):
			return errors.New("alone")
		}
	}
	s.p.Ledger = &owners{Ledger: s.counting,
		claim: func() {
			if err := both(claiming, reading); err != nil {
				t.Errorf("the claim is %v", err)
			}
		},
		read: func(context.Context) error { return both(reading, claiming) }}
	s.owns("acme")
	s.want(s.post(operation.New(s.p, s.act(operation.Manual)), "k", onRecord), 200, "")
}

// TestOwnerIsRemembered: a yes is, so that a warm container doesn't ask again; a no is not, nor that nobody owns a
// record.
func TestOwnerIsRemembered(t *testing.T) {
	s := newStack(t)
	asked := &owners{Ledger: s.counting}
	s.p.Ledger = asked
	h, read := operation.New(s.p, s.act(operation.Manual)), operation.New(s.p, s.read())
	for i := range 2 { // nobody's
		s.want(s.post(h, fmt.Sprint("nobody's", i), onRecord), 404, operation.NoSuchRecord)
		s.want(s.post(read, "", onRecord), 404, operation.NoSuchRecord)
		asked.wantAsked(t, 2)
	}
	s.want(s.postAs("globex", h, "c", `{"value":"create"}`), 200, "")
	for i := range 2 { // another's
		s.want(s.post(h, fmt.Sprint("another's", i), onRecord), 404, operation.NoSuchRecord)
		s.want(s.post(read, "", onRecord), 404, operation.NoSuchRecord)
		asked.wantAsked(t, 2)
	}
	s.owns("acme")
	for i := range 3 { // one's own
		s.want(s.post(h, fmt.Sprint("own", i), onRecord), 200, "")
		s.want(s.post(read, "", onRecord), 200, "")
		if i == 0 {
			asked.wantAsked(t, 1)
		}
		s.want(s.post(h, fmt.Sprint("other", i), `{"value":"a","record":"test/record/other"}`), 404, operation.NoSuchRecord)
		asked.wantAsked(t, 1)
	}
	asked.read = func(context.Context) error { return errors.New("down") }
	s.want(s.post(h, "remembered", onRecord), 200, "")
	s.want(s.postAs("globex", h, "not remembered", onRecord), 503, operation.LedgerDown)
}

// TestOwnerMemoryAges: whom a record is taken from may act on it for a minute at most, however often that tenant does
// meanwhile; in the process that assigns it, no longer at all.
func TestOwnerMemoryAges(t *testing.T) {
	for name, test := range map[string]struct {
		forget bool
		after  time.Duration
		status int
	}{
		"Fresh": {false, 59 * time.Second, 200}, "Aged": {false, time.Minute, 404}, "Forgotten": {true, 0, 404},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStack(t)
			s.owns("acme")
			h, read := operation.New(s.p, s.act(operation.Manual)), operation.New(s.p, s.read())
			s.want(s.post(h, "k", onRecord), 200, "")
			s.owns("globex")
			if test.forget {
				s.p.ForgetOwner("test/record/1")
			}
			for range 2 {
				s.pass(test.after / 2)
				s.post(read, "", onRecord)
			}
			for _, got := range []reply{s.post(h, "again", onRecord), s.post(read, "", onRecord)} {
				if got.status != test.status {
					t.Errorf("got %d %s", got.status, got.body)
				}
			}
			s.want(s.postAs("globex", read, "", onRecord), 200, "")
		})
	}
}

// TestOwnerIsNotNeeded: what needs no call is answered without the owner, however the read goes, and the read has ended
// by then.
func TestOwnerIsNotNeeded(t *testing.T) {
	hangs := func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	}
	for name, read := range map[string]func(context.Context) error{
		"Hangs":  hangs,
		"Fails":  func(context.Context) error { return errors.New("down") },
		"Panics": func(context.Context) error { panic("personal data") },
	} {
		t.Run(name, func(t *testing.T) {
			s := newStack(t)
			s.owns("acme")
			first := s.post(operation.New(s.p, s.act(operation.Manual)), "k", onRecord)
			s.want(first, 200, "")
			asked := &owners{Ledger: s.counting, read: read}
			s.p.Ledger = asked
			h := operation.New(s.p, s.act(operation.Manual))
			ends := func(got reply, status int, condition operation.Condition) {
				t.Helper()
				s.want(got, status, condition)
				if asked.inside.Load() != 0 {
					t.Error("the owner is still being read")
				}
				asked.wantAsked(t, 1)
			}
			s.p.ForgetOwner("test/record/1") // as in another container
			again := s.post(h, "k", onRecord)
			ends(again, 200, "")
			if again.body != first.body || again.header["Idempotency-Replayed"] != "true" {
				t.Errorf("replayed %+v", again)
			}
			ends(s.post(h, "k", `{"value":"b","record":"test/record/1"}`), 422, operation.KeyReused)

			asked.read = nil
			var inFlight reply
			s.partner.on(func(w http.ResponseWriter, r *http.Request) {
				asked.wantAsked(t, 1)
				asked.read = read
				s.p.ForgetOwner("test/record/1")
				inFlight = s.post(operation.New(s.p, s.act(operation.Manual)), "l", onRecord)
				s.partner.done(w, r)
			})
			s.want(s.post(h, "l", onRecord), 200, "")
			ends(inFlight, 409, operation.InFlight)
			s.wantEffects(2)

			s.counting.Fail = func(string) (before, after error) { return errors.New("down"), nil }
			ends(s.post(operation.New(s.p, s.act(operation.Manual)), "m", onRecord), 503, operation.LedgerDown)
		})
	}
}

// TestOwnerReadFails: nothing is sent, and the claim is released.
func TestOwnerReadFails(t *testing.T) {
	s := newStack(t)
	s.p.Ledger = &owners{Ledger: s.counting, read: func(context.Context) error { panic("personal data") }}
	got := s.post(operation.New(s.p, s.act(operation.Manual)), "k", onRecord)
	s.want(got, 503, operation.LedgerDown)
	s.want(s.post(operation.New(s.p, s.read()), "", onRecord), 503, operation.LedgerDown)
	s.wantCalls(0)
	if record := s.record(got); record.State != ledger.Released {
		t.Errorf("record %+v", record)
	}
}

// TestDeniedStaysDenied: a request for another tenant's record is denied as well when it finds its own claim, which
// nobody could release. A lookup for it would find what the other tenant has done.
func TestDeniedStaysDenied(t *testing.T) {
	for _, resolution := range []operation.Resolution{operation.Lookup, operation.Manual, operation.SafeRetry} {
		t.Run(fmt.Sprint(resolution), func(t *testing.T) {
			s := newStack(t)
			h := operation.New(s.p, s.act(resolution))
			s.want(s.postAs("globex", h, "theirs", `{"value":"create"}`), 200, "")
			s.counting.Fail = func(op string) (before, after error) {
				if op == "Complete" {
					before = errors.New("down")
				}
				return before, nil
			}
			s.want(s.post(h, "k", onRecord), 404, operation.NoSuchRecord)
			s.counting.Fail = nil
			s.pass(2 * time.Minute)
			s.partner.onFind(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"of":"globex"}`)) })
			for range 2 {
				s.want(s.post(operation.New(s.p, s.act(resolution)), "k", onRecord), 404, operation.NoSuchRecord)
			}
			if found := s.partner.finds.Load(); found != 0 {
				t.Errorf("the partner was asked %d times", found)
			}
			s.wantCalls(1)
		})
	}
}

// TestOwnerConflict: an answer that names another tenant's record as created is passed on, gives that away to nobody,
// and is counted once.
func TestOwnerConflict(t *testing.T) {
	s := newStack(t)
	var lines bytes.Buffer
	s.p.Metrics = telemetry.NewMetrics(&lines, "test", s.clock)
	h := operation.New(s.p, s.act(operation.Manual))
	s.owns("acme")
	for range 2 {
		s.want(s.postAs("globex", h, "c", `{"value":"create"}`), 200, "")
	}
	s.wantEffects(1)
	s.want(s.postAs("globex", h, "k", onRecord), 404, operation.NoSuchRecord)
	s.want(s.post(h, "k", onRecord), 200, "")
	if n := strings.Count(lines.String(), `"owner_conflict":1`); n != 1 {
		t.Errorf("counted %d times in %s", n, lines.String())
	}
}

// TestAssignedBeforehand: a record that a call has made afresh is its tenant's, whoever an operator gave it to before
// the call. What the operator says later counts, and no call's record becomes another's.
func TestAssignedBeforehand(t *testing.T) {
	for name, test := range map[string]struct {
		value     string
		assign    func(s *stack)
		owner     string
		conflicts int
	}{
		"Before":           {"create afresh", func(s *stack) { s.owns("acme"); s.pass(time.Second) }, "globex", 1},
		"MayHaveBeenThere": {"create", func(s *stack) { s.owns("acme"); s.pass(time.Second) }, "acme", 1},
		"Meanwhile": {
			"create afresh",
			func(s *stack) {
				s.partner.on(func(w http.ResponseWriter, r *http.Request) { s.owns("acme"); s.partner.done(w, r) })
			},
			"acme", 1,
		},
		"MadeByACall": {
			"create afresh",
			func(s *stack) {
				s.post(operation.New(s.p, s.act(operation.Manual)), "theirs", `{"value":"create"}`)
				s.owns("acme")
				s.pass(time.Second)
			},
			"acme", 1,
		},
		"Rightly": {"create afresh", func(s *stack) { s.owns("globex"); s.pass(time.Second) }, "globex", 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStack(t)
			var lines bytes.Buffer
			s.p.Metrics = telemetry.NewMetrics(&lines, "test", s.clock)
			test.assign(s)
			h := operation.New(s.p, s.act(operation.Manual))
			for range 2 {
				s.want(s.postAs("globex", h, "k", `{"value":"`+test.value+`"}`), 200, "")
			}
			for _, tenant := range []string{"acme", "globex"} {
				want := map[bool]int{true: 200, false: 404}[tenant == test.owner]
				if got := s.postAs(tenant, operation.New(s.p, s.read()), "", onRecord); got.status != want {
					t.Errorf("%s gets %d %s", tenant, got.status, got.body)
				}
			}
			if n := strings.Count(lines.String(), `"owner_conflict":1`); n != test.conflicts {
				t.Errorf("%d conflicts in %s", n, lines.String())
			}
		})
	}
}

// TestRecordIsTriedAgain: an end that the ledger doesn't take at once is written down all the same, in the same
// invocation.
func TestRecordIsTriedAgain(t *testing.T) {
	for failures, condition := range map[int]operation.Condition{0: "", 1: "", 3: "", 4: operation.NotRecorded} {
		for _, lost := range []bool{false, true} { // the answer of the ledger, which has written it
			s := newStack(t)
			n := 0
			s.counting.Fail = func(op string) (before, after error) {
				if op != "Complete" || n == failures {
					return nil, nil
				}
				n++
				if lost {
					return nil, errors.New("down")
				}
				return errors.New("down"), nil
			}
			h := operation.New(s.p, s.act(operation.Manual))
			first := s.post(h, "k", `{"value":"create"}`)
			s.want(first, 200, condition)
			if pauses := int64(min(failures, 3)); s.pauses.Load() != pauses {
				t.Errorf("%d failures: %d pauses, want %d", failures, s.pauses.Load(), pauses)
			}
			if condition == "" || lost {
				if again := s.post(h, "k", `{"value":"create"}`); again.body != first.body {
					t.Errorf("%d failures: replayed %+v", failures, again)
				}
				s.wantEffects(1)
				s.want(s.post(operation.New(s.p, s.read()), "", onRecord), 200, "")
			}
		}
	}
}

// TestUnownedCreation: a state machine doesn't go on with what its tenant may not see, as its owner couldn't be
// written down. Its retry finds out what there is. It goes on where there was nothing to write down, or where the
// tenant sees it anyway, as a caller over HTTP does.
func TestUnownedCreation(t *testing.T) {
	for name, test := range map[string]struct {
		value string
		setup func(s *stack)
		want  string
	}{
		"Shared":          {"create", func(*stack) {}, "Unavailable"},
		"NothingIsOwned":  {"a", func(*stack) {}, ""},
		"AccountOfItsOwn": {"create", func(s *stack) { s.source.set("sallyport/test/tenants/acme/test", "own") }, ""},
		"OneTenant": {
			"create", func(s *stack) { s.source.set("sallyport/test/partners/test", `{"unowned":"shared"}`) }, "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStack(t)
			test.setup(s)
			h := operation.New(s.p, s.act(operation.SafeRetry))
			down := true
			s.counting.Fail = func(op string) (before, after error) {
				if down && op == "Complete" {
					before = errors.New("down")
				}
				return before, nil
			}
			task := taskPayload("0", `{"value":"`+test.value+`"}`)
			_, err := h.Invoke(t.Context(), task)
			if errorType(err) != test.want || err != nil && err.Error() != "not_recorded" {
				t.Errorf("the machine gets %v", err)
			}
			s.want(s.post(h, "k", `{"value":"`+test.value+`"}`), 200, operation.NotRecorded)
			down = false
			if _, err := h.Invoke(t.Context(), task); errorType(err) != "InFlight" {
				t.Errorf("at once, it gets %v", err)
			}
			s.pass(time.Minute)
			if _, err := h.Invoke(t.Context(), task); err != nil {
				t.Errorf("later, it gets %v", err)
			}
			if test.value == "create" {
				s.want(s.post(operation.New(s.p, s.read()), "", onRecord), 200, "")
			}
		})
	}
}

// TestOwnerReadLeavesTime: an owner's read that takes long leaves the time in which the claim is released.
func TestOwnerReadLeavesTime(t *testing.T) {
	s := newStack(t)
	began := time.Now()
	s.p.Ledger = &owners{Ledger: s.counting, read: func(ctx context.Context) error {
		if limit, ok := ctx.Deadline(); !ok || limit.Sub(began) > operation.InvocationTimeout-2*time.Second {
			t.Errorf("it may take until %v, %t", limit.Sub(began), ok)
		}
		return errors.New("down")
	}}
	h := operation.New(s.p, s.act(operation.Manual))
	s.want(s.post(h, "k", onRecord), 503, operation.LedgerDown)
	s.p.Ledger = s.counting
	s.owns("acme")
	s.want(s.post(operation.New(s.p, s.act(operation.Manual)), "k", onRecord), 200, "")
}
