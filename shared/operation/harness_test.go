package operation_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"sallyport/shared/bolt"
	"sallyport/shared/gateway"
	"sallyport/shared/ledger"
	ledgerbolt "sallyport/shared/ledger/bolt"
	"sallyport/shared/ledger/ledgertest"
	"sallyport/shared/operation"
	"sallyport/shared/seal"
	"sallyport/shared/secrets"
	"sallyport/shared/telemetry"
	"sallyport/shared/upstream"
	"sallyport/shared/vault"
	vaultbolt "sallyport/shared/vault/bolt"
)

// stack is a pipeline on real adapters, in front of a partner that does as it is told.
type stack struct {
	t        testing.TB
	p        *operation.Pipeline
	counting *ledgertest.Counting
	partner  *partner
	source   *source
	logs     *bytes.Buffer
	file     string
	pauses   atomic.Int64 // between tries to write down what happened, which take no time

	mu  sync.Mutex
	now time.Time
}

func newStack(t testing.TB) *stack {
	t.Helper()
	s := &stack{
		t: t, logs: &bytes.Buffer{}, now: time.Date(2026, 5, 1, 10, 0, 0, 0, time.UTC),
		file: filepath.Join(t.TempDir(), "test.db"),
	}
	db, err := bolt.Open(s.file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	l, err := ledgerbolt.New(db)
	if err != nil {
		t.Fatal(err)
	}
	l.Now = s.clock
	blobs, err := vaultbolt.New(db)
	if err != nil {
		t.Fatal(err)
	}
	blobs.Now = s.clock
	s.counting = &ledgertest.Counting{Store: l}
	for _, tenant := range []string{"acme", "globex"} {
		caller := ledger.Caller{KeyHash: gateway.HashKey(tenant + "-key"), Tenant: tenant, Scopes: []string{"test"}}
		if err := l.PutCaller(context.Background(), caller); err != nil {
			t.Fatal(err)
		}
	}
	keys, err := json.Marshal(seal.Keys{ID: "an id key for tests, long enough"})
	if err != nil {
		t.Fatal(err)
	}
	s.source = &source{
		values: map[string]string{"sallyport/test/keys": string(keys), "sallyport/test/partners/test": "secret-1"},
	}
	s.partner = newPartner(t)
	cache := secrets.NewCache(s.source, "test", s.clock)
	ring := seal.Cached(cache.Keys)
	logs := lockedWriter{w: s.logs}
	s.p = &operation.Pipeline{
		Ledger: s.counting, Vault: &vault.Vault{Blobs: blobs, Ring: ring},
		Auth:    gateway.NewAuthenticator(s.counting, s.clock),
		Secrets: cache, Ring: ring, Upstream: upstream.New(upstream.WithTimeout(5 * time.Second)),
		Log: telemetry.NewLogger(&logs, slog.LevelDebug), Now: s.clock, NewID: operation.NewID,
		After: func(time.Duration) <-chan time.Time {
			s.pauses.Add(1)
			over := make(chan time.Time)
			close(over)
			return over
		},
	}
	return s
}

type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(b)
}

func (s *stack) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *stack) pass(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(d)
}

// source is a secrets.Source that counts.
type source struct {
	mu     sync.Mutex
	values map[string]string
	calls  int
	err    error
}

func (s *source) Secret(_ context.Context, name string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	if s.err != nil {
		return nil, s.err
	}
	value, ok := s.values[name]
	if !ok {
		return nil, secrets.ErrNotFound
	}
	return []byte(value), nil
}

func (s *source) set(name, value string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.values[name] = value
}

// partner is a scripted partner. act answers "/act", find answers "/find"; both run under no lock.
type partner struct {
	url     string
	effects atomic.Int64
	calls   atomic.Int64
	finds   atomic.Int64
	mu      sync.Mutex
	act     func(w http.ResponseWriter, r *http.Request)
	find    func(w http.ResponseWriter, r *http.Request)
}

func newPartner(t testing.TB) *partner {
	p := &partner{}
	p.act = p.done
	p.find = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) }
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		p.mu.Lock()
		act, find := p.act, p.find
		p.mu.Unlock()
		if r.URL.Path == "/find" {
			p.finds.Add(1)
			find(w, r)
			return
		}
		p.calls.Add(1)
		act(w, r)
	}))
	t.Cleanup(server.Close)
	p.url = server.URL
	return p
}

func (p *partner) on(act func(w http.ResponseWriter, r *http.Request)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.act = act
}

func (p *partner) onFind(find func(w http.ResponseWriter, r *http.Request)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.find = find
}

// done has an effect and says so.
func (p *partner) done(w http.ResponseWriter, _ *http.Request) {
	n := p.effects.Add(1)
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"effect":%d}`, n)
}

// lostAfter has an effect and hangs up; lostBefore only hangs up.
func (p *partner) lostAfter(http.ResponseWriter, *http.Request) {
	p.effects.Add(1)
	panic(http.ErrAbortHandler)
}

func lostBefore(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

func status(code int) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

// input is what test operations take.
type input struct {
	Value  string `json:"value"`
	Record string `json:"record,omitzero"`
	Key    string `json:"key,omitzero"`
}

// act is an effect whose answers are classified by their status alone.
func (s *stack) act(resolution operation.Resolution) operation.Operation[input] {
	call := func(ctx context.Context, c operation.Call, path string) (upstream.Response, error) {
		req, err := http.NewRequest(http.MethodPost, s.partner.url+path, nil)
		if err != nil {
			return upstream.Response{}, err
		}
		req.Header.Set("Authorization", string(c.Secret))
		req.Header.Set("Idempotency-Key", fmt.Sprint(c.ID, c.Generation)) // what net/http would repeat a POST by
		req.Header.Set("Generation", fmt.Sprint(c.Generation))
		return c.Do(ctx, req, []byte("{}"))
	}
	return operation.Operation[input]{
		Name: "test/act",
		Errors: func(c operation.Condition, _ string) gateway.Reply {
			return gateway.JSON(conditionStatus(c), []byte(`{"gateway":"`+c+`"}`))
		},
		MaxBody: 1 << 16,
		Decode: func(req gateway.Request) (in input, err error) {
			if err := gateway.DecodeJSON(req.Body, &in); err != nil {
				return in, err
			}
			if in.Value == "panic" {
				panic("personal data 999900000016")
			}
			if in.Value == "" {
				return in,
					&operation.Rejection{
						Reply: gateway.JSON(400, []byte(`{"partner":"value is required"}`)), Code: "value_required",
						Detail: "/value: is required",
					}
			}
			return in, nil
		},
		BodyIdempotencyKey: func(in input) string { return in.Key },
		Resource:           func(in input) string { return in.Record },
		Fingerprint:        func(in input) any { return in },
		OnUnknown:          func(input) operation.Resolution { return resolution },
		Call: func(ctx context.Context, c operation.Call, in input) operation.Outcome {
			if in.Value == "panic in call" {
				panic("personal data 999900000016")
			}
			resp, err := call(ctx, c, "/act")
			outcome := classify(resp, err)
			if in.Value == "create" || in.Value == "create afresh" {
				outcome.Creates, outcome.Fresh = "test/record/1", in.Value == "create afresh"
			}
			return outcome
		},
		Lookup: func(ctx context.Context, c operation.Call, _ input) (operation.Outcome, operation.Finding) {
			resp, err := call(ctx, c, "/find")
			switch {
			case err == nil && resp.Status == 200:
				return operation.Outcome{Class: operation.Done, Code: "found", Reply: gateway.JSON(200, resp.Body)}, operation.Found
			case err == nil && resp.Status == 404:
				return operation.Outcome{}, operation.NotFound
			}
			return operation.Outcome{}, operation.Undetermined
		},
		Output: func(reply gateway.Reply) map[string]any { return map[string]any{"size": len(reply.Body)} },
	}
}

// read is the same without an effect.
func (s *stack) read() operation.Operation[input] {
	op := s.act(operation.Manual)
	op.Name, op.OnUnknown, op.Lookup = "test/read", nil, nil
	return op
}

func classify(resp upstream.Response, err error) operation.Outcome {
	var notSent *upstream.NotSentError
	switch {
	case errors.As(err, &notSent):
		return operation.Outcome{Class: operation.Unavailable, Code: "not_sent"}
	case err != nil:
		return operation.Outcome{Class: operation.Unknown, Code: "answer_lost"}
	}
	classes := map[int]operation.Class{200: operation.Done, 202: operation.Refused, 400: operation.Invalid,
		401: operation.Credentials,
		409: operation.Conflict, 429: operation.Throttled, 503: operation.Unavailable, 500: operation.Unknown}
	return operation.Outcome{Class: classes[resp.Status], Code: fmt.Sprintf("partner_%d", resp.Status),
		Reply: gateway.JSON(resp.Status, resp.Body), Refs: map[string]string{"step": "test"}}
}

func conditionStatus(c operation.Condition) int {
	return map[operation.Condition]int{operation.NoKey: 401, operation.BadKey: 401, operation.Forbidden: 403,
		operation.TooLarge:       413,
		operation.InvalidRequest: 400, operation.NoSuchRecord: 404, operation.KeyReused: 422, operation.InFlight: 409,
		operation.OutcomeUnknown: 504, operation.LedgerDown: 503, operation.PartnerDown: 503, operation.PartnerThrottled: 429,
		operation.CredentialsRejected: 502, operation.Internal: 500}[c]
}

// reply is an HTTP answer of a handler.
type reply struct {
	status int
	body   string
	header map[string]string
}

func (s *stack) post(h lambda.Handler, key, body string) reply {
	return s.postAs("acme", h, key, body)
}

func (s *stack) postAs(tenant string, h lambda.Handler, key, body string) reply {
	s.t.Helper()
	headers := map[string]string{"x-api-key": tenant + "-key", "content-type": "application/json"}
	if key != "" {
		headers["idempotency-key"] = key
	}
	return s.send(h, headers, body)
}

func (s *stack) send(h lambda.Handler, headers map[string]string, body string) reply {
	s.t.Helper()
	payload, err := json.Marshal(events.APIGatewayV2HTTPRequest{Version: "2.0", Headers: headers, Body: body,
		RequestContext: events.APIGatewayV2HTTPRequestContext{RequestID: "req-1"}})
	if err != nil {
		s.t.Error(err)
	}
	out, err := h.Invoke(context.Background(), payload)
	if err != nil {
		s.t.Errorf("an HTTP request must be answered, got error %v", err)
	}
	var event events.APIGatewayV2HTTPResponse
	if err := json.Unmarshal(out, &event); err != nil {
		s.t.Error(err)
	}
	return reply{event.StatusCode, event.Body, event.Headers}
}

func (s *stack) want(got reply, status int, condition operation.Condition) {
	s.t.Helper()
	if got.status != status || got.header["Gateway-Error"] != string(condition) {
		s.t.Errorf("got %d %q %s, want %d %q", got.status, got.header["Gateway-Error"], got.body, status, condition)
	}
}

func (s *stack) wantEffects(n int64) {
	s.t.Helper()
	if got := s.partner.effects.Load(); got != n {
		s.t.Errorf("the partner acted %d times, want %d", got, n)
	}
}

func (s *stack) wantCalls(n int64) {
	s.t.Helper()
	if got := s.partner.calls.Load(); got != n {
		s.t.Errorf("the partner was called %d times, want %d", got, n)
	}
}

// record reads the record that an answer names.
func (s *stack) record(got reply) ledger.Transaction {
	s.t.Helper()
	record, err := s.counting.Store.Transaction(context.Background(), "acme", got.header["Transaction-Id"])
	if err != nil {
		s.t.Fatalf("record %q: %v", got.header["Transaction-Id"], err)
	}
	return record
}
