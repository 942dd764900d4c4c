package equal_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"sallyport/functions/equal"
	"sallyport/shared/gateway"
	"sallyport/shared/ledger"
	"sallyport/shared/operation"
	"sallyport/shared/seal"
	"sallyport/shared/secrets"
	"sallyport/shared/telemetry"
	"sallyport/shared/upstream"
)

// verified is what Equal answers to a right OTP (§13), with a %s for further data.
const verified = `{"transaction_id":"5f0c7b1e-3a52-4d0e-9c1b-2f6d8e4a7b10",` +
	`"journey_transaction_id":"EQ.GT.5f0c7b1e#aadhaar_otp_sim_v1#1","journey_id":"aadhaar_otp_sim_v1","status":"SUCCESS",` +
	`"status_code":"success","message":"Request successful","decision":"CLEAR","checks":[],"data":{"keys":{"aadhaar":[` +
	`{"aadhaar_no":"999900000016","name":"MEERA KULKARNI","source":"sandbox","issuer":"UIDAI","decision":"CLEAR",` +
	`"checks":[{"check_id":"name","check_result":"CLEAR","status_code":"success","message":"matches",` +
	`"metadata":{"data_source":"uidai","match_logic":"exact"}}]}]},"more":%s}}`

// warm is the operation that sends an OTP or verifies it, as a container runs it that has been called before, between a
// ledger in memory and a partner without a network.
type warm struct {
	lambda.Handler
	ledger  *memory
	partner *canned
	secrets atomic.Int64 // how often the source was asked
}

func newWarm(t testing.TB, answer string) *warm {
	t.Helper()
	w := &warm{
		ledger:  &memory{records: map[string]ledger.Transaction{}, owners: map[string][]string{}},
		partner: &canned{body: answer},
	}
	keys, err := json.Marshal(seal.Keys{ID: "an id key for tests, long enough"})
	if err != nil {
		t.Fatal(err)
	}
	values := source{asked: &w.secrets, values: map[string]string{
		"sallyport/test/keys":           string(keys),
		"sallyport/test/partners/equal": `{"client_id":"client","client_secret":"secret"}`,
	}}
	cache := secrets.NewCache(values, "test", time.Now)
	w.Handler = operation.New(&operation.Pipeline{
		Ledger: w.ledger, Auth: gateway.NewAuthenticator(w.ledger, time.Now), Secrets: cache, Ring: seal.Cached(cache.Keys),
		Upstream: upstream.New(upstream.WithTransport(func(http.RoundTripper) http.RoundTripper { return w.partner })),
		Log:      telemetry.NewLogger(io.Discard, slog.LevelInfo),
		Metrics:  telemetry.NewMetrics(io.Discard, "test", time.Now),
		Now:      time.Now, NewID: operation.NewID,
	}, equal.ExecuteJourney(equal.Config{BaseURL: "https://equal.test"}))
	w.ledger.owners["equal/transaction/5f0c7b1e-3a52-4d0e-9c1b-2f6d8e4a7b10"] = []string{"acme"}
	w.call(t, event(t, "warm"))
	w.asked(t, requests{claim: 1, complete: 1, owners: 1, caller: 1})
	return w
}

// asked checks what the ledger was asked since the last time.
func (w *warm) asked(t testing.TB, want requests) {
	t.Helper()
	w.ledger.mu.Lock()
	defer w.ledger.mu.Unlock()
	if got := w.ledger.requests; got != want {
		t.Errorf("the ledger was asked %+v, want %+v", got, want)
	}
	w.ledger.requests = requests{}
}

// event is an API Gateway event with an idempotency key, as HTTP APIs send them.
func event(t testing.TB, key string) []byte {
	t.Helper()
	body := `{"transaction_id":"5f0c7b1e-3a52-4d0e-9c1b-2f6d8e4a7b10","journey_id":"aadhaar_otp_sim_v1",` +
		`"request_id":"r","input_data":{"aadhaar_no":"9999 0000 0016","otp":"123456"}}`
	const route = "/equal/ie/transaction/journey/execute"
	payload, err := json.Marshal(events.APIGatewayV2HTTPRequest{
		Version: "2.0", RouteKey: "POST " + route, RawPath: route, Body: body,
		Headers: map[string]string{
			"accept": "application/json", "content-length": fmt.Sprint(len(body)), "content-type": "application/json",
			"host": "abcdefghij.execute-api.ap-south-1.amazonaws.com", "idempotency-key": key, "user-agent": "curl/8",
			"x-api-key": "acme-key", "x-amzn-trace-id": "Root=1-5f0c7b1e-3a524d0e9c1b2f6d8e4a7b10",
			"x-forwarded-for": "192.0.2.1", "x-forwarded-port": "443", "x-forwarded-proto": "https",
		},
		RequestContext: events.APIGatewayV2HTTPRequestContext{
			RouteKey: "POST " + route, AccountID: "123456789012", Stage: "$default", RequestID: "JKJaXmPLvHcESHA=",
			APIID: "abcdefghij", DomainName: "abcdefghij.execute-api.ap-south-1.amazonaws.com", DomainPrefix: "abcdefghij",
			Time: "01/Jan/2026:00:00:00 +0000", TimeEpoch: 1767225600000,
			HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{
				Method: "POST", Path: route, Protocol: "HTTP/1.1", SourceIP: "192.0.2.1", UserAgent: "curl/8",
			},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return payload
}

// call invokes the operation and returns its answer, which must be a 200.
func (w *warm) call(t testing.TB, payload []byte) []byte {
	t.Helper()
	out, err := w.Invoke(context.Background(), payload)
	if err != nil || !bytes.HasPrefix(out, []byte(`{"statusCode":200,`)) {
		t.Fatalf("got %s, %v", out, err)
	}
	return out
}

// source is a secrets.Source that counts.
type source struct {
	asked  *atomic.Int64
	values map[string]string
}

func (s source) Secret(_ context.Context, name string) ([]byte, error) {
	s.asked.Add(1)
	value, ok := s.values[name]
	if !ok {
		return nil, secrets.ErrNotFound
	}
	return []byte(value), nil
}

// canned is a partner that always says the same.
type canned struct {
	body   string
	during func() // while a call is made; nil for nothing
}

func (c *canned) RoundTrip(*http.Request) (*http.Response, error) {
	if c.during != nil {
		c.during()
	}
	return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader(c.body))}, nil
}

// memory is an operation.Ledger without a store, in which nothing expires.
type memory struct {
	mu       sync.Mutex
	records  map[string]ledger.Transaction
	owners   map[string][]string
	requests requests
}

// requests counts what a ledger was asked, by method.
type requests struct{ claim, takeOver, complete, record, owners, caller int }

func (m *memory) Claim(_ context.Context, t ledger.Transaction) (ledger.Transaction, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.requests.claim++
	standing, ok := m.records[t.ID]
	if ok && standing.State != ledger.Released {
		return standing, ledger.ErrTaken
	}
	t.Generation = standing.Generation + 1
	m.records[t.ID] = t
	return t, nil
}

func (m *memory) TakeOver(_ context.Context, t ledger.Transaction, from string) (ledger.Transaction, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.requests.takeOver++
	standing := m.records[t.ID]
	if standing.Attempt != from || standing.State != ledger.Claimed && standing.State != ledger.Unknown {
		return standing, ledger.ErrTaken
	}
	standing.State, standing.Attempt, standing.Lease = ledger.Claimed, t.Attempt, t.Lease
	standing.TakeOvers++
	m.records[t.ID] = standing
	return standing, nil
}

func (m *memory) Complete(_ context.Context, t ledger.Transaction) (ledger.Transaction, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.requests.complete++
	standing := m.records[t.ID]
	if standing.Attempt != t.Attempt || standing.State != ledger.Claimed && standing.State != ledger.Unknown {
		return standing, ledger.ErrFenced
	}
	m.records[t.ID] = t
	return t, nil
}

func (m *memory) Record(_ context.Context, t ledger.Transaction) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.requests.record++
	m.records[t.ID] = t
	return nil
}

func (m *memory) Owner(_ context.Context, record string) (ledger.Owner, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.requests.owners++
	return ledger.Owner{Tenants: m.owners[record]}, nil
}

// Caller implements gateway.Callers.
func (m *memory) Caller(_ context.Context, keyHash string) (ledger.Caller, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.requests.caller++
	return ledger.Caller{KeyHash: keyHash, Tenant: "acme", Scopes: []string{"equal"}}, nil
}
