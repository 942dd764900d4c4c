package operation_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"sallyport/shared/gateway"
	"sallyport/shared/ledger"
	"sallyport/shared/operation"
)

// A repeat of an unknown call that itself had no effect says nothing about the first one.
func TestDoubtIsNotSettledByARepeatWithoutEffect(t *testing.T) {
	for name, second := range map[string]func(s *stack){
		"NotSent":            func(s *stack) { s.partner.url = "http://127.0.0.1:1" },
		"Throttled":          func(s *stack) { s.partner.on(status(429)) },
		"Unavailable":        func(s *stack) { s.partner.on(status(503)) },
		"Credentials":        func(s *stack) { s.partner.on(status(401)) },
		"CredentialsMissing": func(s *stack) { s.source.set("sallyport/test/partners/test", ""); s.partner.on(status(401)) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newStack(t)
			url := s.partner.url
			h := operation.New(s.p, s.act(operation.SafeRetry))
			s.partner.on(s.partner.lostAfter)
			s.want(s.post(h, "k", `{"value":"a"}`), 504, operation.OutcomeUnknown)
			second(s)
			got := s.post(h, "k", `{"value":"a"}`)
			s.want(got, 504, operation.OutcomeUnknown)
			if record := s.record(got); record.State != ledger.Unknown || record.Generation != 1 {
				t.Errorf("record %+v", record)
			}
			s.partner.url = url
			s.partner.on(s.partner.done)
			s.want(s.post(h, "k", `{"value":"b"}`), 422, operation.KeyReused)
			s.want(s.post(h, "k", `{"value":"a"}`), 200, "")
		})
	}
}

func TestRefusalIsReplayed(t *testing.T) {
	s := newStack(t)
	h := operation.New(s.p, s.act(operation.Manual))
	s.partner.on(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(202); _, _ = w.Write([]byte(`{"no":1}`)) })
	first, second := s.post(h, "k", `{"value":"a"}`), s.post(h, "k", `{"value":"a"}`)
	s.want(second, 202, "")
	if second.body != first.body || second.body != `{"no":1}` || second.header["Idempotency-Replayed"] != "true" {
		t.Errorf("got %+v", second)
	}
	for range 2 {
		if _, err := h.Invoke(t.Context(), taskPayload("0", `{"value":"a"}`)); errorType(err) != "Refused" ||
			err.Error() != "partner_202" {
			t.Errorf("a refused task, replayed, gave %v", err)
		}
	}
	s.wantCalls(2)
}

func TestOwnerIsNotKnown(t *testing.T) {
	s := newStack(t)
	h := operation.New(s.p, s.act(operation.Manual))
	s.p.Ledger = ownerDown{s.counting}
	got := s.post(h, "k", `{"value":"a","record":"test/record/1"}`)
	s.want(got, 503, operation.LedgerDown)
	s.wantCalls(0)
	if record := s.record(got); record.State != ledger.Released {
		t.Errorf("record %+v", record)
	}
}

type ownerDown struct{ operation.Ledger }

func (ownerDown) Owner(context.Context, string) (ledger.Owner, error) {
	return ledger.Owner{}, errors.New("down")
}

func TestForeignRecordReleasesTheKey(t *testing.T) {
	s := newStack(t)
	h := operation.New(s.p, s.act(operation.Manual))
	s.post(h, "c", `{"value":"create"}`)
	got := s.postAs("globex", h, "k", `{"value":"a","record":"test/record/1"}`)
	s.want(got, 404, operation.NoSuchRecord)
	s.want(s.postAs("globex", h, "k", `{"value":"a"}`), 200, "")
	if got := s.postAs(
		"globex", operation.New(s.p, s.read()), "", `{"value":"a","record":"test/record/1"}`,
	); got.header["Transaction-Id"] != "" {
		t.Error("a read that was denied is on no record")
	}
}

// A negative lookup counts by when it was asked, and the quiet period by when the call was over.
func TestSlowLookupAndSlowCall(t *testing.T) {
	s := newStack(t)
	h := operation.New(s.p, s.act(operation.Lookup))
	s.partner.on(func(w http.ResponseWriter, r *http.Request) { s.pass(20 * time.Second); lostBefore(w, r) })
	s.post(h, "k", `{"value":"a"}`)
	s.partner.onFind(func(w http.ResponseWriter, _ *http.Request) { s.pass(20 * time.Second); w.WriteHeader(404) })
	s.pass(45 * time.Second) // the lookup is asked within the quiet period and answers after it
	s.want(s.post(h, "k", `{"value":"a"}`), 504, operation.OutcomeUnknown)
	s.wantCalls(1)
	s.partner.on(s.partner.done)
	s.want(s.post(h, "k", `{"value":"a"}`), 200, "")
	s.wantCalls(2)
}

func TestPanicInLookup(t *testing.T) {
	s := newStack(t)
	op := s.act(operation.Lookup)
	op.Lookup = func(context.Context, operation.Call, input) (operation.Outcome, operation.Finding) {
		panic("personal data 999900000016")
	}
	s.partner.on(s.partner.lostAfter)
	got := s.post(operation.New(s.p, op), "k", `{"value":"a"}`)
	s.want(got, 504, operation.OutcomeUnknown)
	if s.record(got).State != ledger.Unknown || strings.Contains(s.logs.String(), "999900000016") {
		t.Errorf("logged %s", s.logs.String())
	}
}

func TestAnswerThatCanNotBeStored(t *testing.T) {
	s := newStack(t)
	h := operation.New(s.p, s.act(operation.Manual))
	s.p.Vault.Blobs = noBlobs{}
	s.partner.on(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 9<<10)) })
	got := s.post(h, "k", `{"value":"a"}`)
	s.want(got, 200, operation.NotRecorded)
	if record := s.record(got); record.State != ledger.Done {
		t.Errorf("it was done, the record is %s", record.State)
	}
	s.want(s.post(h, "k", `{"value":"a"}`), 0, operation.AnswerGone)
	s.wantCalls(1)
}

type noBlobs struct{}

func (noBlobs) Put(context.Context, string, []byte, time.Time) error { return errors.New("down") }
func (noBlobs) Get(context.Context, string) ([]byte, error)          { return nil, errors.New("down") }
func (noBlobs) Delete(context.Context, string) error                 { return errors.New("down") }
func (noBlobs) Expires(context.Context, string) (time.Time, error) {
	return time.Time{}, errors.New("down")
}
func (noBlobs) Extend(context.Context, string, time.Time) error { return errors.New("down") }

func TestPartnersTextIsNoCode(t *testing.T) {
	s := newStack(t)
	op := s.act(operation.Manual)
	for _, code := range []string{"no record of 999900000016", strings.Repeat("x", 65), "a\nb"} {
		op.Call = func(context.Context, operation.Call, input) operation.Outcome {
			return operation.Outcome{Class: operation.Refused, Code: code, Reply: gateway.JSON(200, []byte(`{}`))}
		}
		if got := s.post(operation.New(s.p, op), "", `{"value":"a"}`); s.record(got).Code != "other" {
			t.Errorf("%q became %q", code, s.record(got).Code)
		}
	}
	if strings.Contains(s.logs.String(), "999900000016") {
		t.Error("a partner's text was logged")
	}
}

func TestUnreadableAnswerHasACondition(t *testing.T) {
	s := newStack(t)
	op := s.act(operation.Manual)
	for class, want := range map[operation.Class]struct {
		status    int
		condition operation.Condition
	}{
		operation.Invalid: {400, operation.InvalidRequest}, operation.Unavailable: {503, operation.PartnerDown},
		operation.Throttled: {429, operation.PartnerThrottled},
	} {
		op.Call = func(context.Context, operation.Call, input) operation.Outcome { return operation.Outcome{Class: class} }
		got := s.post(operation.New(s.p, op), "", `{"value":"a"}`)
		s.want(got, want.status, want.condition)
		if hint := got.header["Retry-After"] != ""; hint != (class != operation.Invalid) {
			t.Errorf("%s: Retry-After %q", class, got.header["Retry-After"])
		}
	}
}

// Lambda's own deadline is a second after ours, and a partner that is slower than it costs the answer, not the record.
func TestDeadline(t *testing.T) {
	s := newStack(t)
	s.partner.on(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	ctx, cancel := context.WithTimeout(t.Context(), 4200*time.Millisecond)
	defer cancel()
	began := time.Now()
	out, err := operation.New(s.p, s.act(operation.Manual)).Invoke(
		ctx, []byte(`{"headers":{"x-api-key":"acme-key","idempotency-key":"k"},"body":"{\"value\":\"a\"}"}`),
	)
	if err != nil || !strings.Contains(string(out), "outcome_unknown") || ctx.Err() != nil {
		t.Errorf("after %s: %s, %v", time.Since(began), out, err)
	}
	page, err := s.counting.Store.Transactions(t.Context(), ledger.Query{Tenant: "acme", Limit: 1})
	if err != nil || page.Transactions[0].State != ledger.Unknown {
		t.Errorf("%+v, %v", page, err)
	}
}

func TestTaskKey(t *testing.T) {
	s := newStack(t)
	h := operation.New(s.p, s.act(operation.Manual))
	for _, key := range []string{
		`"execution":"e1","state":"s1","index":0,"round":0`, `"execution":"e2","state":"s1","index":0,"round":0`,
		`"execution":"e1","state":"s2","index":0,"round":0`, `"execution":"e1","state":"s1","index":1,"round":0`,
		`"execution":"e1","state":"s1","index":0,"round":1`,
	} {
		if _, err := h.Invoke(
			t.Context(), []byte(`{"task":{"tenant":"acme",`+key+`},"path":{},"query":{},"body":{"value":"a"}}`),
		); err != nil {
			t.Error(err)
		}
	}
	s.wantEffects(5)
	if _, err := h.Invoke(t.Context(), taskPayload("0", `{"value":"a"}`)); err != nil {
		t.Error(err)
	}
	if _, err := h.Invoke(t.Context(), taskPayload("0", `{"value":"b"}`)); errorType(err) != "InvalidInput" ||
		err.Error() != "idempotency_key_reused" {
		t.Errorf("another input for the same task: %v", err)
	}
	for _, key := range []string{
		``, `"tenant":"acme","execution":"e"`, `"tenant":"acme","state":"s"`, `"execution":"e","state":"s"`,
	} {
		if _, err := h.Invoke(
			t.Context(), []byte(`{"task":{`+key+`},"body":{"value":"a"}}`),
		); errorType(err) != "InvalidInput" {
			t.Errorf("a task of {%s}: %v", key, err)
		}
	}
}

func TestTaskVault(t *testing.T) {
	s := newStack(t)
	h := operation.New(s.p, s.act(operation.Manual))
	put := func(id, value string) {
		t.Helper()
		if err := s.p.Vault.Put(t.Context(), "acme", id, []byte(value), s.clock().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	put("text", `not json`)
	if _, err := h.Invoke(
		t.Context(), taskPayload("0", `{"value":{"document_id":"text"}}`),
	); errorType(err) != "InvalidInput" {
		t.Errorf("a document that is no JSON: %v", err)
	}
	s.p.Vault.Blobs = noBlobs{}
	if _, err := h.Invoke(
		t.Context(), taskPayload("0", `{"value":{"document_id":"text"}}`),
	); errorType(err) != "Unavailable" {
		t.Errorf("vault down: %v", err)
	}
	s.wantCalls(0)
}

func TestKeyRingDown(t *testing.T) {
	s := newStack(t)
	s.source.err = errors.New("down")
	s.want(s.post(operation.New(s.p, s.act(operation.Manual)), "k", `{"value":"a"}`), 503, operation.LedgerDown)
	s.wantCalls(0)
}

func TestOperationsDoNotShareKeys(t *testing.T) {
	s := newStack(t)
	other := s.act(operation.Manual)
	other.Name = "test/other"
	a := s.post(operation.New(s.p, s.act(operation.Manual)), "k", `{"value":"a"}`)
	b := s.post(operation.New(s.p, other), "k", `{"value":"a"}`)
	if a.header["Transaction-Id"] == b.header["Transaction-Id"] {
		t.Error("one key, two operations, one record")
	}
	s.wantEffects(2)
	if s.record(a).Fingerprint == s.record(b).Fingerprint {
		t.Error("a fingerprint is of the operation as well")
	}
}
