package operation_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"sallyport/shared/gateway"
	"sallyport/shared/ledger"
	"sallyport/shared/operation"
	"sallyport/shared/upstream"
)

// honoured is an effect whose key the partner honours for a day, and which notes its calls.
func (s *stack) honoured(calls *[]operation.Call) operation.Operation[input] {
	op := s.act(operation.SafeRetry)
	op.PartnerKeyTTL = 24 * time.Hour
	return noting(op, calls)
}

func noting(op operation.Operation[input], calls *[]operation.Call) operation.Operation[input] {
	call := op.Call
	op.Call = func(ctx context.Context, c operation.Call, in input) operation.Outcome {
		*calls = append(*calls, c)
		return call(ctx, c, in)
	}
	return op
}

// While the partner honours the key, it is asked again with it; afterwards, it is asked what has happened.
func TestPartnerKeyTTL(t *testing.T) {
	found := func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"found":1}`)) }
	const life = 24 * time.Hour
	for name, test := range map[string]struct {
		wait         time.Duration
		find         func(http.ResponseWriter, *http.Request)
		status       int
		calls, finds int64
		body         string
	}{
		"AtOnce":        {0, found, 200, 2, 0, `{"effect":1}`},
		"JustWithin":    {life - 1, found, 200, 2, 0, `{"effect":1}`},
		"JustAfter":     {life, found, 200, 1, 1, `{"found":1}`},
		"LongAfter":     {20 * life, found, 200, 1, 1, `{"found":1}`},
		"NotFound":      {life, status(404), 200, 2, 1, `{"effect":1}`},
		"CanNotBeTold":  {life, status(500), 504, 1, 1, `{"gateway":"outcome_unknown"}`},
		"CanNotBeAsked": {life, lostBefore, 504, 1, 1, `{"gateway":"outcome_unknown"}`},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStack(t)
			var calls []operation.Call
			h := operation.New(s.p, s.honoured(&calls))
			s.partner.on(lostBefore)
			s.partner.onFind(test.find)
			first := s.post(h, "k", `{"value":"a"}`)
			s.want(first, 504, operation.OutcomeUnknown)
			if s.partner.finds.Load() != 0 || first.header["Retry-After"] == "" {
				t.Errorf("looked %d times, answered %v", s.partner.finds.Load(), first.header)
			}
			s.pass(test.wait)
			s.partner.on(s.partner.done)
			got := s.post(h, "k", `{"value":"a"}`)
			if finds := min(s.partner.finds.Load(), 1); got.status != test.status || got.body != test.body ||
				finds != test.finds {
				t.Errorf("got %d %s, looked %d times", got.status, got.body, finds)
			}
			s.wantCalls(test.calls)
		})
	}
	t.Run("LooksAtOnceWhereALateRepeatIsLost", func(t *testing.T) {
		s := newStack(t)
		h := operation.New(s.p, s.honoured(new([]operation.Call)))
		s.partner.on(lostBefore)
		s.post(h, "k", `{"value":"a"}`)
		s.pass(life)
		s.partner.on(func(w http.ResponseWriter, r *http.Request) { s.partner.onFind(found); s.partner.lostAfter(w, r) })
		if got := s.post(h, "k", `{"value":"a"}`); got.status != 200 || got.body != `{"found":1}` {
			t.Errorf("got %+v", got)
		}
		s.wantEffects(1)
	})
	t.Run("QuietPeriod", func(t *testing.T) { // counts from the last send, which may have been just now
		s := newStack(t)
		h := operation.New(s.p, s.honoured(new([]operation.Call)))
		s.partner.on(lostBefore)
		s.post(h, "k", `{"value":"a"}`)
		s.pass(life - time.Second)
		s.want(s.post(h, "k", `{"value":"a"}`), 504, operation.OutcomeUnknown)
		s.wantCalls(2)
		s.pass(time.Second)
		s.want(s.post(h, "k", `{"value":"a"}`), 504, operation.OutcomeUnknown)
		s.wantCalls(2)
		s.pass(operation.QuietPeriod)
		s.partner.on(s.partner.done)
		s.want(s.post(h, "k", `{"value":"a"}`), 200, "")
		s.wantCalls(3)
		s.wantEffects(1)
	})
	t.Run("CountsAnewAfterADefiniteAnswer", func(t *testing.T) {
		s := newStack(t)
		h := operation.New(s.p, s.honoured(new([]operation.Call)))
		s.partner.on(status(400))
		s.want(s.post(h, "k", `{"value":"a"}`), 400, "")
		s.pass(2 * life)
		s.partner.on(lostBefore)
		s.want(s.post(h, "k", `{"value":"a"}`), 504, operation.OutcomeUnknown)
		s.pass(life - time.Second)
		s.partner.on(s.partner.done)
		s.want(s.post(h, "k", `{"value":"a"}`), 200, "")
		if s.partner.finds.Load() != 0 {
			t.Error("asked what has happened")
		}
	})
	t.Run("ForEver", func(t *testing.T) {
		s := newStack(t)
		h := operation.New(s.p, s.act(operation.SafeRetry))
		s.partner.on(lostBefore)
		s.post(h, "k", `{"value":"a"}`)
		s.pass(ledger.Retention - time.Second)
		s.partner.on(s.partner.done)
		s.want(s.post(h, "k", `{"value":"a"}`), 200, "")
		if s.partner.finds.Load() != 0 {
			t.Error("asked what has happened")
		}
	})
	t.Run("OthersAreResolvedAsBefore", func(t *testing.T) {
		s := newStack(t)
		op := s.act(operation.Manual)
		op.PartnerKeyTTL = life
		h := operation.New(s.p, op)
		s.partner.on(lostBefore)
		for range 3 {
			s.want(s.post(h, "k", `{"value":"a"}`), 504, operation.OutcomeUnknown)
			s.pass(life)
		}
		s.wantCalls(1)
		if s.partner.finds.Load() != 0 {
			t.Error("asked what has happened")
		}
	})
	t.Run("LapsedClaim", func(t *testing.T) {
		for wait, calls := range map[time.Duration]int64{time.Minute: 2, life: 1} {
			s := newStack(t)
			s.crash(operation.SafeRetry, s.partner.lostAfter)
			s.partner.onFind(found)
			s.pass(wait)
			s.want(s.post(operation.New(s.p, s.honoured(new([]operation.Call))), "k", `{"value":"a"}`), 200, "")
			s.wantCalls(calls)
		}
	})
}

// TestAgain: a call knows whether one before it may have had its effect.
func TestAgain(t *testing.T) {
	s := newStack(t)
	var calls []operation.Call
	h := operation.New(s.p, s.honoured(&calls))
	for _, step := range []func(
		http.ResponseWriter, *http.Request,
	){lostBefore, lostBefore, status(400), lostBefore, s.partner.done} {
		s.partner.on(step)
		s.post(h, "k", `{"value":"a"}`)
		s.pass(time.Second)
	}
	var got []string
	for _, c := range calls {
		got = append(got, fmt.Sprint(c.Generation, c.Again, c.FirstSent.Sub(calls[0].FirstSent)))
	}
	if want := "1 false 0s|1 true 0s|1 true 0s|2 false 3s|2 true 3s"; strings.Join(got, "|") != want {
		t.Errorf("called %q, want %q", got, want)
	}
	t.Run("Credentials", func(t *testing.T) { // that were rejected: nothing has happened
		calls = nil
		s.partner.on(func(w http.ResponseWriter, r *http.Request) { s.partner.on(s.partner.done); w.WriteHeader(401) })
		s.want(s.post(h, "other", `{"value":"a"}`), 200, "")
		if len(calls) != 2 || calls[1].Again || !calls[1].Renew {
			t.Errorf("called %+v", calls)
		}
	})
}

// TestFingerprint: equal requests have one, whoever's key they come with; it is the record's, and shows nothing.
func TestFingerprint(t *testing.T) {
	s := newStack(t)
	var calls []operation.Call
	h := operation.New(s.p, s.honoured(&calls))
	first := s.post(h, "1", `{"value":"a"}`)
	s.post(h, "2", ` { "value" : "\u0061" } `)
	s.post(h, "3", `{"value":"b"}`)
	s.post(h, "", `{"value":"a"}`)
	s.partner.on(lostBefore)
	s.post(h, "4", `{"value":"a"}`)
	s.partner.on(s.partner.done)
	s.post(h, "4", `{"value":"a"}`) // which took over
	a, b := calls[0].Fingerprint, calls[2].Fingerprint
	if a == "" || a == b || calls[1].Fingerprint != a || calls[3].Fingerprint != a || calls[4].Fingerprint != a ||
		calls[5].Fingerprint != a || s.record(first).Fingerprint != a {
		t.Errorf("called %+v", calls)
	}
	calls = nil
	s.post(operation.New(s.p, noting(s.read(), &calls)), "", `{"value":"a"}`)
	if len(calls) != 1 || calls[0].Fingerprint != "" || calls[0].Again {
		t.Errorf("a read: %+v", calls)
	}
}

// TestOwned: some call is on record as the one that created a record, whoever made it.
func TestOwned(t *testing.T) {
	s := newStack(t)
	var owned, visible bool
	var failed error
	op := s.read()
	op.Call = func(ctx context.Context, c operation.Call, _ input) operation.Outcome {
		var err error
		owned, failed = c.Owned(ctx, "test/record/1")
		if visible, err = c.Visible(ctx, "test/record/1"); (err == nil) != (failed == nil) {
			t.Errorf("%v, but %v", failed, err)
		}
		return operation.Outcome{Class: operation.Done, Reply: gateway.JSON(200, []byte("{}"))}
	}
	h := operation.New(s.p, op)
	wants := func(tenant string, wantOwned, wantVisible bool) {
		t.Helper()
		if s.postAs(tenant, h, "", `{"value":"a"}`); owned != wantOwned || visible != wantVisible || failed != nil {
			t.Errorf("%s: owned %t, visible %t, %v", tenant, owned, visible, failed)
		}
	}
	wants("acme", false, false)
	s.post(operation.New(s.p, s.act(operation.Manual)), "k", `{"value":"create"}`)
	wants("acme", true, true)
	wants("globex", true, false)
	s.owns("acme") // which call has made it stays known
	wants("acme", true, true)
	s.owns("globex")
	s.p.ForgetOwner("test/record/1")
	wants("acme", true, false)
	wants("globex", true, true)
	t.Run("Assigned", func(t *testing.T) { // which call has made it isn't known
		s := newStack(t)
		h := operation.New(s.p, op)
		s.owns("acme")
		wants := func(tenant string, want bool) {
			t.Helper()
			if s.postAs(tenant, h, "", `{"value":"a"}`); owned != want || visible == want || failed != nil {
				t.Errorf("%s: owned %t, visible %t, %v", tenant, owned, visible, failed)
			}
		}
		wants("acme", false)
		wants("globex", true)
	})
	t.Run("LedgerDown", func(t *testing.T) {
		s.p.Ledger = ownerDown{s.counting}
		s.p.ForgetOwner("test/record/1")
		if s.post(h, "", `{"value":"a"}`); owned || failed == nil {
			t.Errorf("owned %t, %v", owned, failed)
		}
	})
	t.Run("OutsideThePipeline", func(t *testing.T) {
		if owned, err := operation.NewCall("acme", nil).Owned(t.Context(), "test/record/1"); owned || err != nil {
			t.Errorf("owned %t, %v", owned, err)
		}
	})
}

// stopping is a ledger that stops in Complete as long as one invocation tries, when the owner is on record and the end
// isn't.
type stopping struct {
	operation.Ledger
	at    ledger.Transaction // where it has stopped
	times int
}

func (s *stopping) Complete(ctx context.Context, t ledger.Transaction) (ledger.Transaction, error) {
	if s.times < 4 && t.Owns != "" {
		s.at, s.times = t, s.times+1
		return ledger.Transaction{}, errors.New("stopped")
	}
	return s.Ledger.Complete(ctx, t)
}

func (s *stopping) Owner(context.Context, string) (ledger.Owner, error) {
	return ledger.Owner{Tenants: []string{s.at.Tenant}, Call: s.at.Call()}, nil
}

// TestOwnerWithoutAnEnd: a call that is on record for what it created, but not ended, finds that again and creates no
// second.
func TestOwnerWithoutAnEnd(t *testing.T) {
	s := newStack(t)
	s.p.Ledger = &stopping{Ledger: s.p.Ledger}
	op := s.act(operation.Lookup)
	op.Lookup = func(ctx context.Context, c operation.Call, _ input) (operation.Outcome, operation.Finding) {
		switch owned, err := c.Owned(ctx, "test/record/1"); {
		case err != nil:
			return operation.Outcome{}, operation.Undetermined
		case owned:
			return operation.Outcome{}, operation.NotFound
		}
		return operation.Outcome{Class: operation.Done, Reply: gateway.JSON(200, []byte("{}")), Creates: "test/record/1"},
			operation.Found
	}
	h := operation.New(s.p, op)
	s.want(s.post(h, "k", `{"value":"create"}`), 200, operation.NotRecorded)
	s.pass(time.Hour)
	s.want(s.post(h, "k", `{"value":"create"}`), 200, "")
	s.wantCalls(1)
}

// TestPassOn: the same bytes, or nothing.
func TestPassOn(t *testing.T) {
	const passed, emptied, dropped = "passed", "emptied", "dropped"
	for _, test := range []struct {
		body          string
		success, fail string
	}{
		{`{}`, passed, passed}, {` {"a":[1,{}]} `, passed, passed}, {`[]`, passed, passed}, {"\n[1]", passed, passed},
		{`{"a":1,"a":2}`, passed, passed}, {"{\"a\":\"\xff\"}", passed, passed},
		{`"words"`, dropped, passed}, {` "words" `, dropped, passed}, {``, dropped, emptied}, {` `, dropped, dropped},
		{`null`, dropped, dropped}, {`true`, dropped, dropped}, {`5`, dropped, dropped},
		{`{`, dropped, dropped}, {`{}{}`, dropped, dropped}, {`{"a":1`, dropped, dropped}, {`"words`, dropped, dropped},
		{`words`, dropped, dropped}, {`<html>`, dropped, dropped}, {"\xef\xbb\xbf{}", passed, passed},
		{`[1]x`, dropped, dropped},
	} {
		for status, want := range map[int]string{
			200: test.success, 201: test.success, 302: test.success, 400: test.fail, 404: test.fail, 500: test.fail,
		} {
			reply := operation.PassOn(
				upstream.Response{Status: status, Body: []byte(test.body), Header: http.Header{"Set-Cookie": {"x"}}},
			)
			ok := len(reply.Header) == 0
			switch want {
			case passed:
				ok = ok && reply.Status == status && string(reply.Body) == test.body && reply.ContentType == "application/json"
			case emptied:
				ok = ok && reply.Status == status && len(reply.Body) == 0 && reply.ContentType == ""
			case dropped:
				ok = ok && reply.Status == 0 && len(reply.Body) == 0
			}
			if !ok {
				t.Errorf("%d %q: %+v, want it %s", status, test.body, reply, want)
			}
		}
	}
}

// TestNotAnswered: only what was never sent had no effect for sure.
func TestNotAnswered(t *testing.T) {
	client := upstream.New(upstream.WithTimeout(5 * time.Second))
	to := func(url string) error {
		req, err := http.NewRequest(http.MethodPost, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		_, err = client.Do(t.Context(), req, []byte("{}"), 0)
		return err
	}
	p := newPartner(t)
	p.on(lostBefore)
	for name, test := range map[string]struct {
		err   error
		class operation.Class
		code  string
	}{
		"Refused": {to("http://127.0.0.1:1"), operation.Unavailable, "not_sent"},
		"Wrapped": {fmt.Errorf("x: %w", to("http://127.0.0.1:1")), operation.Unavailable, "not_sent"},
		"Lost":    {to(p.url + "/act"), operation.Unknown, "answer_lost"},
		"TimeOut": {context.DeadlineExceeded, operation.Unknown, "answer_lost"},
		"Other":   {errors.New("x"), operation.Unknown, "answer_lost"},
	} {
		if got := operation.NotAnswered(test.err); test.err == nil || got.Class != test.class || got.Code != test.code ||
			got.Reply.Status != 0 {
			t.Errorf("%s: %+v of %v", name, got, test.err)
		}
	}
}
