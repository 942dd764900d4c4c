package operation_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sallyport/shared/ledger"
	"sallyport/shared/operation"
)

func TestCost(t *testing.T) {
	s := newStack(t)
	h := operation.New(s.p, s.act(operation.Manual))
	first := s.post(h, "k", `{"value":"a"}`)
	s.want(first, 200, "")
	if w, f := s.counting.Writes.Load(), s.counting.FailedWrites.Load(); w != 2 || f != 0 {
		t.Errorf("a fresh call cost %d writes and %d failed ones, want 2 and 0", w, f)
	}
	s.counting.Writes.Store(0)
	s.counting.Reads.Store(0)
	secretCalls := s.source.calls

	second := s.post(h, "k", `{"value":"a"}`)
	if w, f, r := s.counting.Writes.Load(), s.counting.FailedWrites.Load(), s.counting.Reads.Load(); w != 0 || f != 1 ||
		r != 0 {
		t.Errorf("a replay cost %d writes, %d failed ones and %d reads, want 0, 1 and 0", w, f, r)
	}
	if second.body != first.body || second.status != first.status ||
		second.header["Content-Type"] != first.header["Content-Type"] {
		t.Errorf("replay differs: %+v, first %+v", second, first)
	}
	if second.header["Idempotency-Replayed"] != "true" || first.header["Idempotency-Replayed"] != "" {
		t.Error("a replay must say so, and only a replay")
	}
	s.post(h, "another", `{"value":"a"}`)
	if s.source.calls != secretCalls {
		t.Errorf("a warm call read secrets %d times", s.source.calls-secretCalls)
	}
}

func TestThousandCallsOneKey(t *testing.T) {
	s := newStack(t)
	h := operation.New(s.p, s.act(operation.Manual))
	var wg sync.WaitGroup
	var done, inFlight atomic.Int64
	bodies := sync.Map{}
	for range 1000 {
		wg.Go(func() {
			switch got := s.post(h, "k", `{"value":"a"}`); {
			case got.status == 200:
				done.Add(1)
				bodies.Store(got.body, true)
			case got.status == 409 && got.header["Retry-After"] != "":
				inFlight.Add(1)
			default:
				t.Errorf("got %d %s", got.status, got.body)
			}
		})
	}
	wg.Wait()
	s.wantEffects(1)
	different := 0
	bodies.Range(func(any, any) bool { different++; return true })
	if done.Load()+inFlight.Load() != 1000 || different != 1 {
		t.Errorf("%d answered, %d in flight, %d different bodies", done.Load(), inFlight.Load(), different)
	}
	if w := s.counting.Writes.Load(); w != 2 {
		t.Errorf("%d writes, want 2", w)
	}
}

func TestKeyReusedWithAnotherRequest(t *testing.T) {
	s := newStack(t)
	h := operation.New(s.p, s.act(operation.Manual))
	s.post(h, "k", `{"value":"a"}`)
	s.want(s.post(h, "k", `{"value":"b"}`), 422, operation.KeyReused)
	s.want(s.post(h, "k", ` { "value" : "a" } `), 200, "") // the same request, written differently
	s.want(s.postAs("globex", h, "k", `{"value":"b"}`), 200, "")
	s.wantEffects(2)
}

func TestInFlight(t *testing.T) {
	s := newStack(t)
	h := operation.New(s.p, s.act(operation.Manual))
	arrived, release := make(chan bool), make(chan bool)
	s.partner.on(func(w http.ResponseWriter, r *http.Request) {
		arrived <- true
		<-release
		s.partner.done(w, r)
	})
	first := make(chan reply)
	go func() { first <- s.post(h, "k", `{"value":"a"}`) }()
	<-arrived
	second := s.post(h, "k", `{"value":"a"}`)
	s.want(second, 409, operation.InFlight)
	if second.header["Retry-After"] != "5" {
		t.Errorf("Retry-After is %q", second.header["Retry-After"])
	}
	s.want(s.post(h, "k", `{"value":"b"}`), 422, operation.KeyReused)
	release <- true
	a := <-first
	b := s.post(h, "k", `{"value":"a"}`)
	if a.body != b.body || a.header["Transaction-Id"] != b.header["Transaction-Id"] {
		t.Errorf("first %+v, later %+v", a, b)
	}
	s.wantEffects(1)
}

func TestClasses(t *testing.T) {
	for _, test := range []struct {
		name      string
		answer    int
		state     ledger.State
		status    int
		condition operation.Condition
		again     bool // whether the key acts again
	}{
		{"done", 200, ledger.Done, 200, "", false},
		{"refused", 202, ledger.Refused, 202, "", false},
		{"invalid", 400, ledger.Released, 400, "", true},
		{"conflict", 409, ledger.Released, 409, "", true},
		{"throttled", 429, ledger.Released, 429, operation.PartnerThrottled, true},
		{"unavailable", 503, ledger.Released, 503, operation.PartnerDown, true},
		{"credentials", 401, ledger.Released, 502, operation.CredentialsRejected, true},
		{"unknown", 500, ledger.Unknown, 500, operation.OutcomeUnknown, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newStack(t)
			h := operation.New(s.p, s.act(operation.Manual))
			s.partner.on(status(test.answer))
			got := s.post(h, "k", `{"value":"a"}`)
			s.want(got, test.status, test.condition)
			if record := s.record(got); record.State != test.state || record.Lease != (time.Time{}) || record.EndedAt.IsZero() {
				t.Errorf("record is %+v, want state %s", record, test.state)
			}
			calls := s.partner.calls.Load()
			s.partner.on(s.partner.done)
			s.post(h, "k", `{"value":"a"}`)
			if again := s.partner.calls.Load() > calls; again != test.again {
				t.Errorf("called again: %t, want %t", again, test.again)
			}
		})
	}
}

func TestGenerationRisesAfterADefiniteAnswer(t *testing.T) {
	s := newStack(t)
	h := operation.New(s.p, s.act(operation.SafeRetry))
	var generations []string
	for _, answer := range []func(
		http.ResponseWriter, *http.Request,
	){status(503), status(500), lostBefore, status(429), s.partner.done} {
		s.partner.on(func(w http.ResponseWriter, r *http.Request) {
			generations = append(generations, r.Header.Get("Generation"))
			answer(w, r)
		})
		s.post(h, "k", `{"value":"a"}`)
	}
	if got := strings.Join(generations, ","); got != "1,2,2,2,2" {
		t.Errorf("generations %s, want 1,2,2,2,2: a repeat that had no effect does not settle what it repeats", got)
	}
}

func TestUnknownIsNeverRepeatedByItself(t *testing.T) {
	s := newStack(t)
	h := operation.New(s.p, s.act(operation.Manual))
	s.partner.on(s.partner.lostAfter)
	for range 3 {
		got := s.post(h, "k", `{"value":"a"}`)
		s.want(got, 504, operation.OutcomeUnknown)
		if got.header["Retry-After"] != "" {
			t.Error("a repeat must not be advised, it resolves nothing")
		}
		s.pass(24 * time.Hour)
	}
	s.wantCalls(1)
	s.partner.on(s.partner.done)
	s.want(s.post(h, "a new key", `{"value":"a"}`), 200, "")
	s.wantEffects(2)
}

func TestDeadConnectionIsNotRetriedByTheTransport(t *testing.T) {
	s := newStack(t)
	h := operation.New(s.p, s.act(operation.Manual))
	s.want(s.post(h, "first", `{"value":"a"}`), 200, "") // leaves a connection to reuse
	s.partner.on(s.partner.lostAfter)
	s.want(s.post(h, "second", `{"value":"a"}`), 504, operation.OutcomeUnknown)
	s.wantCalls(2)
	s.wantEffects(2)
}

// crash leaves a claim behind as a killed process does: the partner was reached or not, nothing more was written.
func (s *stack) crash(resolution operation.Resolution, partner func(http.ResponseWriter, *http.Request)) {
	s.t.Helper()
	s.partner.on(partner)
	s.counting.Fail = func(op string) (before, after error) {
		if op == "Complete" {
			return errors.New("killed"), nil
		}
		return nil, nil
	}
	s.post(operation.New(s.p, s.act(resolution)), "k", `{"value":"a"}`)
	s.counting.Fail = nil
	s.partner.on(s.partner.done)
}

func TestLapsedClaim(t *testing.T) {
	t.Run("IsInFlightUntilItsLease", func(t *testing.T) {
		s := newStack(t)
		s.crash(operation.SafeRetry, s.partner.lostAfter)
		s.pass(operation.InvocationTimeout)
		s.want(s.post(operation.New(s.p, s.act(operation.SafeRetry)), "k", `{"value":"a"}`), 409, operation.InFlight)
		s.wantCalls(1)
	})
	t.Run("ManualBecomesUnknown", func(t *testing.T) {
		s := newStack(t)
		s.crash(operation.Manual, s.partner.lostAfter)
		s.pass(time.Minute)
		got := s.post(operation.New(s.p, s.act(operation.Manual)), "k", `{"value":"a"}`)
		s.want(got, 504, operation.OutcomeUnknown)
		if record := s.record(got); record.State != ledger.Unknown || record.Code != "attempt_lost" {
			t.Errorf("record %+v", record)
		}
		s.wantCalls(1)
	})
	t.Run("SafeRetryCallsAgain", func(t *testing.T) {
		s := newStack(t)
		s.crash(operation.SafeRetry, lostBefore)
		s.pass(time.Minute)
		s.want(s.post(operation.New(s.p, s.act(operation.SafeRetry)), "k", `{"value":"a"}`), 200, "")
		s.wantCalls(2)
	})
	t.Run("LookupFindsIt", func(t *testing.T) {
		s := newStack(t)
		s.crash(operation.Lookup, s.partner.lostAfter)
		s.pass(time.Minute)
		s.partner.onFind(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"found":1}`)) })
		h := operation.New(s.p, s.act(operation.Lookup))
		got := s.post(h, "k", `{"value":"a"}`)
		s.want(got, 200, "")
		if again := s.post(h, "k", `{"value":"a"}`); again.body != `{"found":1}` ||
			again.header["Idempotency-Replayed"] != "true" {
			t.Errorf("then %+v", again)
		}
		s.wantCalls(1)
	})
	t.Run("QuietPeriodCountsFromTheLease", func(t *testing.T) {
		s := newStack(t)
		s.crash(operation.Lookup, lostBefore)
		h := operation.New(s.p, s.act(operation.Lookup))
		s.pass(operation.InvocationTimeout + 6*time.Second)
		s.want(s.post(h, "k", `{"value":"a"}`), 504, operation.OutcomeUnknown)
		s.pass(operation.QuietPeriod - 2*time.Second)
		s.want(s.post(h, "k", `{"value":"a"}`), 504, operation.OutcomeUnknown)
		s.wantCalls(1)
		s.pass(2 * time.Second)
		s.want(s.post(h, "k", `{"value":"a"}`), 200, "")
		s.wantCalls(2)
	})
}

func TestLookup(t *testing.T) {
	found := func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"found":1}`)) }
	t.Run("PositiveCountsAtOnce", func(t *testing.T) {
		s := newStack(t)
		s.partner.on(s.partner.lostAfter)
		s.partner.onFind(found)
		got := s.post(operation.New(s.p, s.act(operation.Lookup)), "k", `{"value":"a"}`)
		s.want(got, 200, "")
		s.wantEffects(1)
		if got.body != `{"found":1}` || s.record(got).State != ledger.Done {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("NegativeCountsAfterTheQuietPeriod", func(t *testing.T) {
		s := newStack(t)
		h := operation.New(s.p, s.act(operation.Lookup))
		s.partner.on(lostBefore)
		got := s.post(h, "k", `{"value":"a"}`)
		s.want(got, 504, operation.OutcomeUnknown)
		s.pass(operation.QuietPeriod - time.Second)
		got = s.post(h, "k", `{"value":"a"}`)
		s.want(got, 504, operation.OutcomeUnknown)
		if got.header["Retry-After"] != "1" {
			t.Errorf("Retry-After %q, want what is left of the quiet period", got.header["Retry-After"])
		}
		s.wantCalls(1)
		s.pass(time.Second)
		s.partner.on(s.partner.done)
		s.want(s.post(h, "k", `{"value":"a"}`), 200, "")
		s.wantEffects(1)
	})
	t.Run("OneReplayOnly", func(t *testing.T) {
		s := newStack(t)
		h := operation.New(s.p, s.act(operation.Lookup))
		s.partner.on(lostBefore)
		for range 5 {
			s.post(h, "k", `{"value":"a"}`)
			s.pass(2 * operation.QuietPeriod)
		}
		s.wantCalls(2)
		got := s.post(h, "k", `{"value":"a"}`)
		s.want(got, 504, operation.OutcomeUnknown)
		if got.header["Retry-After"] != "" {
			t.Error("nothing more will be found out by itself")
		}
		s.partner.onFind(found) // but what shows up still counts
		s.want(s.post(h, "k", `{"value":"a"}`), 200, "")
		s.wantCalls(2)
	})
	t.Run("FailedLookupProvesNothing", func(t *testing.T) {
		s := newStack(t)
		h := operation.New(s.p, s.act(operation.Lookup))
		s.partner.on(s.partner.lostAfter)
		s.partner.onFind(lostBefore)
		for range 3 {
			s.want(s.post(h, "k", `{"value":"a"}`), 504, operation.OutcomeUnknown)
			s.pass(2 * operation.QuietPeriod)
		}
		s.wantCalls(1)
	})
}

// slow starts a call that is held at the partner, after its effect; the returned function lets it go.
func (s *stack) slow(h *operation.Handler[input]) (answer chan reply, release func()) {
	arrived, held := make(chan bool), make(chan bool)
	s.partner.on(func(w http.ResponseWriter, r *http.Request) {
		arrived <- true
		<-held
		s.partner.done(w, r)
	})
	answer = make(chan reply, 1)
	go func() { answer <- s.post(h, "k", `{"value":"a"}`) }()
	<-arrived
	return answer, func() { held <- true }
}

func TestLateTrueAnswerCounts(t *testing.T) {
	s := newStack(t)
	h := operation.New(s.p, s.act(operation.Manual))
	answer, release := s.slow(h)
	s.pass(time.Hour)
	s.want(s.post(h, "k", `{"value":"a"}`), 504, operation.OutcomeUnknown)
	release()
	s.want(<-answer, 200, "")
	later := s.post(h, "k", `{"value":"a"}`)
	s.want(later, 200, "")
	if s.record(later).State != ledger.Done {
		t.Error("the late answer must stand")
	}
	s.wantEffects(1)
}

func TestLateAnswerNeverOverwritesALaterAttempt(t *testing.T) {
	s := newStack(t)
	h := operation.New(s.p, s.act(operation.SafeRetry))
	answer, release := s.slow(h)
	s.pass(time.Hour)
	s.partner.on(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"second":true}`)) })
	s.want(s.post(h, "k", `{"value":"a"}`), 200, "")
	release()
	s.want(<-answer, 200, operation.NotRecorded)
	if got := s.post(h, "k", `{"value":"a"}`); got.body != `{"second":true}` {
		t.Errorf("the record was overwritten: %s", got.body)
	}
}

func TestConcurrentResolutionActsOnce(t *testing.T) {
	for _, resolution := range []operation.Resolution{operation.SafeRetry, operation.Lookup} {
		s := newStack(t)
		s.crash(resolution, lostBefore)
		s.pass(time.Hour)
		h := operation.New(s.p, s.act(resolution))
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() { s.post(h, "k", `{"value":"a"}`) })
		}
		wg.Wait()
		s.wantEffects(1)
		s.want(s.post(h, "k", `{"value":"a"}`), 200, "")
	}
}

func TestCredentials(t *testing.T) {
	rejectOld := func(s *stack) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") == "secret-1" {
				w.WriteHeader(401)
				return
			}
			s.partner.done(w, r)
		}
	}
	t.Run("RotatedOnesAreReadAgain", func(t *testing.T) {
		s := newStack(t)
		h := operation.New(s.p, s.act(operation.Manual))
		s.post(h, "warm", `{"value":"a"}`)
		s.partner.on(rejectOld(s))
		s.pass(time.Minute)
		s.source.set("sallyport/test/partners/test", "secret-2")
		s.want(s.post(h, "k", `{"value":"a"}`), 200, "")
		s.wantEffects(2)
		s.wantCalls(3)
	})
	t.Run("StillRejectedIsNever401", func(t *testing.T) {
		s := newStack(t)
		s.partner.on(status(401))
		s.want(s.post(operation.New(s.p, s.act(operation.Manual)), "k", `{"value":"a"}`), 502, operation.CredentialsRejected)
		s.wantCalls(2)
	})
	t.Run("TenantsOwnComeFirst", func(t *testing.T) {
		s := newStack(t)
		s.source.set("sallyport/test/tenants/globex/test", "globex-secret")
		var sent []string
		s.partner.on(func(w http.ResponseWriter, r *http.Request) { sent = append(sent, r.Header.Get("Authorization")) })
		h := operation.New(s.p, s.act(operation.Manual))
		s.post(h, "k", `{"value":"a"}`)
		s.postAs("globex", h, "k", `{"value":"a"}`)
		if got := strings.Join(sent, ","); got != "secret-1,globex-secret" {
			t.Errorf("sent %s", got)
		}
	})
	t.Run("Missing", func(t *testing.T) {
		s := newStack(t)
		delete(s.source.values, "sallyport/test/partners/test")
		h := operation.New(s.p, s.act(operation.Manual))
		s.want(s.post(h, "k", `{"value":"a"}`), 502, operation.CredentialsRejected)
		s.wantCalls(0)
	})
	t.Run("ReplayNeedsNone", func(t *testing.T) {
		s := newStack(t)
		h := operation.New(s.p, s.act(operation.Manual))
		s.post(h, "k", `{"value":"a"}`)
		s.source.set("sallyport/test/partners/test", "")
		s.want(s.post(h, "k", `{"value":"a"}`), 200, "")
	})
}

func TestLedgerDown(t *testing.T) {
	t.Run("BeforeTheCallNothingIsSent", func(t *testing.T) {
		s := newStack(t)
		s.counting.Fail = func(string) (before, after error) { return errors.New("down"), nil }
		s.want(s.post(operation.New(s.p, s.act(operation.Manual)), "k", `{"value":"a"}`), 503, operation.LedgerDown)
		s.wantCalls(0)
	})
	t.Run("AfterTheCallTheAnswerIsTrue", func(t *testing.T) {
		s := newStack(t)
		s.counting.Fail = func(op string) (before, after error) {
			if op == "Complete" {
				return errors.New("down"), nil
			}
			return nil, nil
		}
		got := s.post(operation.New(s.p, s.act(operation.Manual)), "k", `{"value":"a"}`)
		s.want(got, 200, operation.NotRecorded)
		if got.body != `{"effect":1}` {
			t.Errorf("got %s", got.body)
		}
	})
	t.Run("ClaimWhoseAnswerWasLostIsNotFree", func(t *testing.T) {
		s := newStack(t)
		s.counting.Fail = func(string) (before, after error) { return nil, errors.New("answer lost") }
		h := operation.New(s.p, s.act(operation.Manual))
		s.want(s.post(h, "k", `{"value":"a"}`), 503, operation.LedgerDown)
		s.counting.Fail = nil
		s.want(s.post(h, "k", `{"value":"a"}`), 409, operation.InFlight)
		s.wantCalls(0)
	})
}

func TestStoredBodies(t *testing.T) {
	for _, test := range []struct {
		name    string
		size    int
		inVault bool
	}{{"InTheRecord", 8 << 10, false}, {"InTheVault", 8<<10 + 1, true}, {"Large", 250 << 10, true}} {
		t.Run(test.name, func(t *testing.T) {
			s := newStack(t)
			h := operation.New(s.p, s.act(operation.Manual))
			body := strings.Repeat("PERSONAL", test.size/8+1)[:test.size]
			s.partner.on(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) })
			first := s.post(h, "k", `{"value":"SECRETINPUT"}`)
			second := s.post(h, "k", `{"value":"SECRETINPUT"}`)
			if first.body != body || second.body != body {
				t.Errorf("%d and %d bytes came back", len(first.body), len(second.body))
			}
			if inVault := s.record(first).Reply.VaultRef != ""; inVault != test.inVault {
				t.Errorf("in the vault: %t, want %t", inVault, test.inVault)
			}
			file, err := os.ReadFile(s.file)
			if err != nil {
				t.Fatal(err)
			}
			for _, secret := range []string{"PERSONAL", "SECRETINPUT"} {
				if strings.Contains(string(file), secret) || strings.Contains(s.logs.String(), secret) {
					t.Errorf("%s lies in the ledger, the vault or the log in clear", secret)
				}
			}
		})
	}
}

func TestWithoutKey(t *testing.T) {
	s := newStack(t)
	h := operation.New(s.p, s.act(operation.Manual))
	first, second := s.post(h, "", `{"value":"a"}`), s.post(h, "", `{"value":"a"}`)
	if first.header["Transaction-Id"] == second.header["Transaction-Id"] {
		t.Error("two calls without a key are two transactions")
	}
	s.wantEffects(2)
	if s.record(first).Reply != nil {
		t.Error("an answer that nobody can ask for again must not be kept")
	}
}

func TestKeyInBody(t *testing.T) {
	s := newStack(t)
	h := operation.New(s.p, s.act(operation.Manual))
	s.post(h, "", `{"value":"a","key":"r-1"}`)
	if got := s.post(h, "", `{"value":"a","key":"r-1"}`); got.header["Idempotency-Replayed"] != "true" {
		t.Errorf("got %+v", got)
	}
	s.post(h, "header", `{"value":"a","key":"r-1"}`) // the header comes first
	s.post(h, "r-1", `{"value":"a"}`)                // and the two are not mixed up
	s.wantEffects(3)
}

func TestRead(t *testing.T) {
	s := newStack(t)
	h := operation.New(s.p, s.read())
	first := s.post(h, "k", `{"value":"a"}`)
	if w := s.counting.Writes.Load() + s.counting.FailedWrites.Load(); w != 1 {
		t.Errorf("a read cost %d writes, want 1", w)
	}
	second := s.post(h, "k", `{"value":"a"}`)
	if first.body == second.body || second.header["Idempotency-Replayed"] != "" {
		t.Error("a read is never replayed")
	}
	if record := s.record(first); record.State != ledger.Done || record.Reply != nil || record.Operation != "test/read" {
		t.Errorf("record %+v", record)
	}
	s.partner.on(lostBefore)
	s.want(s.post(h, "", `{"value":"a"}`), 503, operation.PartnerDown)
	s.partner.on(s.partner.done)
	s.counting.Fail = func(string) (before, after error) { return errors.New("down"), nil }
	s.want(s.post(h, "", `{"value":"a"}`), 200, operation.NotRecorded)
}

func TestOwnership(t *testing.T) {
	s := newStack(t)
	h := operation.New(s.p, s.act(operation.Manual))
	s.want(s.post(h, "c", `{"value":"create"}`), 200, "")
	s.want(s.post(h, "a", `{"value":"a","record":"test/record/1"}`), 200, "")
	s.want(s.postAs("globex", h, "b", `{"value":"a","record":"test/record/1"}`), 404, operation.NoSuchRecord)
	s.want(s.postAs("globex", h, "d", `{"value":"a","record":"test/record/from before"}`), 404, operation.NoSuchRecord)
	s.want(
		s.postAs("globex", operation.New(s.p, s.read()), "", `{"value":"a","record":"test/record/1"}`), 404,
		operation.NoSuchRecord,
	)
	s.wantEffects(2)
}

func TestUpstreamDown(t *testing.T) {
	s := newStack(t)
	url := s.partner.url
	h := operation.New(s.p, s.act(operation.Manual))
	s.partner.url = "http://127.0.0.1:1"
	s.want(s.post(h, "k", `{"value":"a"}`), 503, operation.PartnerDown)
	s.partner.url = url
	s.want(s.post(h, "k", `{"value":"a"}`), 200, "")
}

func TestNoTimeLeft(t *testing.T) {
	s := newStack(t)
	h := operation.New(s.p, s.act(operation.Manual))
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second) // less than recording is reserved
	defer cancel()
	if _, err := h.Invoke(ctx, []byte(`{"headers":{"x-api-key":"acme-key"},"body":"{\"value\":\"a\"}"}`)); err != nil {
		t.Error(err)
	}
	s.wantCalls(0)
}

func TestPanics(t *testing.T) {
	s := newStack(t)
	h := operation.New(s.p, s.act(operation.Manual))
	s.want(s.post(h, "k", `{"value":"panic"}`), 500, operation.Internal)
	s.want(s.post(h, "l", `{"value":"panic in call"}`), 504, operation.OutcomeUnknown)
	if strings.Contains(s.logs.String(), "999900000016") {
		t.Error("a panic's value was logged")
	}
}

// TestAtMostOnce plays random failures of the partner, the ledger and the process over random calls: with whatever
// resolution, one key has at most one effect, and an answer of success is only given when there was one.
func TestAtMostOnce(t *testing.T) {
	for _, resolution := range []operation.Resolution{operation.Manual, operation.Lookup} {
		for seed := range uint64(40) {
			random := rand.New(rand.NewPCG(seed, uint64(resolution)))
			s := newStack(t)
			h := operation.New(s.p, s.act(resolution))
			var actual atomic.Int64 // effects that stand at the partner
			s.partner.onFind(func(w http.ResponseWriter, _ *http.Request) {
				if actual.Load() == 0 {
					w.WriteHeader(404)
				}
			})
			for range 30 {
				behaviour, ledgerFault := random.IntN(6), random.IntN(8)
				s.partner.on(func(w http.ResponseWriter, r *http.Request) {
					switch behaviour {
					case 0:
						lostBefore(w, r)
					case 1:
						actual.Add(1)
						lostBefore(w, r)
					case 2:
						w.WriteHeader(429)
					case 3:
						w.WriteHeader(500)
					case 4:
						actual.Add(1)
						w.WriteHeader(500)
					default:
						actual.Add(1)
					}
				})
				s.counting.Fail = func(op string) (before, after error) {
					switch {
					case ledgerFault == 0 && op == "Complete":
						return errors.New("killed before"), nil
					case ledgerFault == 1 && op == "Complete":
						return nil, errors.New("killed after")
					case ledgerFault == 2 && op != "Complete":
						return nil, errors.New("killed after claim")
					}
					return nil, nil
				}
				got := s.post(h, "k", `{"value":"a"}`)
				if actual.Load() > 1 {
					t.Fatalf("resolution %d, seed %d: %d effects", resolution, seed, actual.Load())
				}
				if got.status == 200 && actual.Load() != 1 {
					t.Fatalf("resolution %d, seed %d: success without an effect", resolution, seed)
				}
				s.pass(time.Duration(random.IntN(120)) * time.Second)
			}
		}
	}
}
