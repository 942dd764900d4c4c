package main_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"sallyport/functions/equal"
	main "sallyport/functions/local"
	"sallyport/shared/gateway"
	"sallyport/shared/ledger"
	"sallyport/shared/operation"
	"sallyport/shared/seal"
	"sallyport/shared/secrets"
	"sallyport/shared/telemetry"
	"sallyport/shared/token"
	"sallyport/shared/upstream"
	"sallyport/shared/vault"
)

// benchAnswer is Equal's answer when it has sent an OTP.
const benchAnswer = `{"transaction_id":"7d7e5a4e-0000-4000-8000-000000000001",` +
	`"journey_transaction_id":"EQ.GT.7d7e5a4e-0000-4000-8000-000000000004#aadhaar_otp_sim_v1#7d7e5a4e000040008000000000000005",` +
	`"journey_id":"aadhaar_otp_sim_v1","status":"IN_PROGRESS","status_code":"success","message":"Success","checks":[],"data":{}}`

// warm is Equal's operation as it is deployed, but with its ledger and vault in memory, in front of a partner that
// answers at once over a loopback connection.
type warm struct {
	handler lambda.Handler
	partner *httptest.Server
	answer  []byte // the partner's
	calls   int    // so far, each with a key of its own
}

func newWarm(t *testing.T) *warm {
	t.Helper()
	w := &warm{answer: []byte(benchAnswer)}
	w.partner = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		rw.Header().Set("Content-Type", "application/json")
		_, _ = rw.Write(w.answer)
	}))
	t.Cleanup(w.partner.Close)
	m := &memory{records: map[string]ledger.Transaction{}, blobs: map[string][]byte{}}
	cache := secrets.NewCache(benchSecrets{
		"sallyport/bench/keys":           `{"id":"an id key for tests, long enough"}`,
		"sallyport/bench/partners/equal": `{"client_id":"id","client_secret":"secret"}`,
	}, "bench", time.Now)
	ring := seal.Cached(cache.Keys)
	log := telemetry.NewLogger(io.Discard, slog.LevelInfo)
	auth := gateway.NewAuthenticator(m, time.Now)
	auth.Ring = ring
	w.handler = operation.New(&operation.Pipeline{
		Ledger: m, Vault: &vault.Vault{Blobs: m, Ring: ring}, Auth: auth, Secrets: cache, Ring: ring,
		Tokens:   token.New(m, ring, time.Now, operation.NewID, log),
		Upstream: upstream.New(), Log: log, Metrics: telemetry.NewMetrics(io.Discard, "bench", time.Now), Now: time.Now,
		NewID: operation.NewID,
	}, equal.ExecuteJourney(equal.Config{BaseURL: w.partner.URL}))
	return w
}

var benchBody = execute("7d7e5a4e-0000-4000-8000-000000000001", happy, "")

// fresh makes the event of a call with a new key.
func (w *warm) fresh(t *testing.T) []byte {
	w.calls++
	return w.event(t, fmt.Sprint("fresh-", w.calls))
}

func (w *warm) event(t *testing.T, key string) []byte {
	t.Helper()
	payload, err := json.Marshal(events.APIGatewayV2HTTPRequest{
		Version: "2.0", RouteKey: "POST " + executeURL, RawPath: executeURL, Body: benchBody,
		Headers: map[string]string{"x-api-key": "local-key", "content-type": "application/json", "idempotency-key": key},
		RequestContext: events.APIGatewayV2HTTPRequestContext{
			RequestID: "request",
			HTTP:      events.APIGatewayV2HTTPRequestContextHTTPDescription{Method: http.MethodPost, Path: executeURL},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return payload
}

// invoke invokes the function, which must answer 200.
func (w *warm) invoke(t *testing.T, payload []byte) {
	answer, err := w.handler.Invoke(t.Context(), payload)
	if err != nil || !bytes.HasPrefix(answer, []byte(`{"statusCode":200,`)) {
		t.Fatalf("got %.200s, %v", answer, err)
	}
}

// measureCalls compares calls over HTTP with those through a bare reverse proxy to the same partner, taken in turn.
func measureCalls(t *testing.T, effort int) []reading {
	w := newWarm(t)
	front, err := main.NewFront(template, map[string]lambda.Handler{"equal/execute-journey": w.handler})
	if err != nil {
		t.Fatal(err)
	}
	gateway := httptest.NewServer(front)
	t.Cleanup(gateway.Close)
	partner, err := url.Parse(w.partner.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httptest.NewServer(httputil.NewSingleHostReverseProxy(partner))
	t.Cleanup(proxy.Close)

	call := func(base, key string) time.Duration {
		began := time.Now()
		req, err := http.NewRequest(http.MethodPost, base+executeURL, strings.NewReader(benchBody))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-API-Key", "local-key")
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Idempotency-Key", key)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if body, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != http.StatusOK || string(body) != benchAnswer {
			t.Fatalf("%d %s %v", resp.StatusCode, body, err)
		}
		return time.Since(began)
	}
	const warming, calls = 200, 4000
	var bare, fresh, replay []time.Duration
	for i := range warming + calls*effort {
		ways := []func(){
			func() { bare = append(bare, call(proxy.URL, "bare")) },
			func() { fresh = append(fresh, call(gateway.URL, fmt.Sprint("fresh-", i))) },
			func() { replay = append(replay, call(gateway.URL, "replay")) },
		}
		for turn := range ways { // nobody always comes after the same
			ways[(i+turn)%len(ways)]()
		}
	}
	p50 := median(bare[warming:])
	row := func(what string, budget float64, took []time.Duration) reading {
		mid := median(took[warming:])
		return reading{
			what, budget, ratio(mid, p50), "x",
			fmt.Sprintf("p50 %s, the proxy's %s", mid.Round(time.Microsecond), p50.Round(time.Microsecond)),
		}
	}
	return []reading{row("fresh call / bare reverse proxy", 2.2, fresh), row("replay / bare reverse proxy", 1.5, replay)}
}

func measureAllocations(t *testing.T, effort int) []reading {
	w := newWarm(t)
	runs := 500 * effort
	fresh := make([][]byte, runs+1)
	for i := range fresh {
		fresh[i] = w.fresh(t)
	}
	replay := w.event(t, "replay")
	w.invoke(t, replay)
	next := 0
	return []reading{
		{
			"allocations of a fresh call", 700, testing.AllocsPerRun(runs, func() { w.invoke(t, fresh[next]); next++ }), "",
			"the partner's included",
		},
		{"allocations of a replay", 250, testing.AllocsPerRun(runs, func() { w.invoke(t, replay) }), "", ""},
	}
}

// fillings are what large answers are filled with: JSON values of at most size bytes, and hardly less.
var fillings = map[string]func(size int) string{
	"short strings": func(size int) string { return list(`"a"`, size) },
	"numbers":       func(size int) string { return list(`9999`, size) },
	"small objects": func(size int) string { return list(`{"name":"Noor","n":1}`, size) },
	"digits":        func(size int) string { return `"` + strings.Repeat("9999 0000-", (size-2)/10) + `"` },
	"escapes":       func(size int) string { return `"` + strings.Repeat(`\u0039`, (size-2)/6) + `"` },
	"one object": func(size int) string {
		var text strings.Builder
		for i := 0; text.Len()+len(`{,"m12345":"1"}`) <= size; i++ {
			fmt.Fprintf(&text, `,"m%05d":"1"`, i)
		}
		return `{` + strings.TrimPrefix(text.String(), ",") + `}`
	},
	"deep nesting": func(size int) string { // a string at each depth; decoders stop at a depth of 10,000
		const level = `{"name":"Noor","more":{},"nested":`
		depth := (size - 2) / (len(level) + 1)
		return strings.Repeat(level, depth) + `{}` + strings.Repeat(`}`, depth)
	},
}

// list is an array of as many elements as fit.
func list(element string, size int) string {
	return `[` + strings.Repeat(element+",", (size-1)/(len(element)+1)-1) + element + `]`
}

// measureAnswer compares calls whose answers have 256 KB, what is read of one at most, with those of 64 KB, taken in
// turn.
func measureAnswer(t *testing.T, effort int, filling string) []reading {
	w := newWarm(t)
	sizes := []int{1 << 10, 64 << 10, upstream.MaxBody}
	took := make([][]time.Duration, len(sizes))
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // whose work falls on whoever runs
	for round := range 1 + 19*effort {
		for i, size := range sizes {
			runtime.GC()
			w.answer = []byte(
				strings.TrimSuffix(benchAnswer, "}") + `,"more":` + fillings[filling](size-len(benchAnswer)-len(`,"more":`)) + `}`,
			)
			if len(w.answer) > size || len(w.answer) < size-100 {
				t.Fatalf("%s: %d bytes instead of %d", filling, len(w.answer), size)
			}
			payload := w.fresh(t)
			began := time.Now()
			w.invoke(t, payload)
			if round > 0 { // the first warms up
				took[i] = append(took[i], time.Since(began))
			}
		}
	}
	small, middle, large := slices.Min(took[0]), slices.Min(took[1]), slices.Min(took[2]) // what else runs only adds
	return []reading{{"256 KB / 64 KB of answer: " + filling, 5, ratio(large, middle), "x",
		fmt.Sprintf(
			"1 KB %s, 64 KB %s, 256 KB %s", small.Round(time.Microsecond), middle.Round(time.Microsecond),
			large.Round(time.Microsecond),
		)}}
}

// median returns the middle of all.
func median(all []time.Duration) time.Duration { return slices.Sorted(slices.Values(all))[len(all)/2] }

func ratio(a, b time.Duration) float64 { return float64(a) / float64(b) }

// memory is a ledger and a vault's blobs in maps: as much of them as the operation uses.
type memory struct {
	operation.Ledger
	token.Store

	mu      sync.Mutex
	records map[string]ledger.Transaction
	blobs   map[string][]byte
}

func (m *memory) Caller(_ context.Context, hash string) (ledger.Caller, error) {
	return ledger.Caller{KeyHash: hash, Tenant: "local", Scopes: []string{"*"}}, nil
}

func (m *memory) Claim(_ context.Context, t ledger.Transaction) (ledger.Transaction, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if old, ok := m.records[t.ID]; ok {
		return old, ledger.ErrTaken
	}
	t.State, t.Generation, t.ExpiresAt = ledger.Claimed, 1, t.Lease.Add(ledger.Retention)
	m.records[t.ID] = t
	return t, nil
}

func (m *memory) Complete(_ context.Context, t ledger.Transaction) (ledger.Transaction, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if old := m.records[t.ID]; old.State != ledger.Claimed || old.Attempt != t.Attempt {
		return old, ledger.ErrFenced
	}
	m.records[t.ID] = t
	return t, nil
}

func (m *memory) Owner(context.Context, string) (ledger.Owner, error) {
	return ledger.Owner{Tenants: []string{"local"}}, nil
}

func (m *memory) Put(_ context.Context, key string, blob []byte, _ time.Time) error {
	m.blobs = map[string][]byte{key: blob} // the last is enough, and takes no memory
	return nil
}

func (m *memory) Get(_ context.Context, key string) ([]byte, error) { return m.blobs[key], nil }

func (m *memory) Expires(context.Context, string) (time.Time, error) { return time.Time{}, nil }

func (m *memory) Extend(context.Context, string, time.Time) error { return nil }

func (m *memory) Delete(context.Context, string) error { return nil }

// benchSecrets are secrets by their names.
type benchSecrets map[string]string

func (s benchSecrets) Secret(_ context.Context, name string) ([]byte, error) {
	if value, ok := s[name]; ok {
		return []byte(value), nil
	}
	return nil, secrets.ErrNotFound
}
