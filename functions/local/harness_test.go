package main_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	main "sallyport/functions/local"
	"sallyport/functions/partners"
	"sallyport/functions/sandbox"
	"sallyport/shared/asl"
	"sallyport/shared/asl/asltest"
	"sallyport/shared/gateway"
	"sallyport/shared/ledger"
	"sallyport/shared/secrets/file"
	"sallyport/shared/telemetry"
)

const template = "../../template.yaml"

// Facts of the simulated Equal that requests must name.
const (
	instance = "gateway.equal.dev_test"
	journey  = "aadhaar_otp_sim_v1"
	happy    = "999900000016"
	otp      = "123456"
)

const (
	initURL    = "/equal/ie/transaction/init"
	executeURL = "/equal/ie/transaction/journey/execute"
	fetchURL   = "/equal/ie/transaction/journey/data/fetch"
)

// stack is the real program on a free port, with everything that it wrote.
type stack struct {
	*main.Main
	t     *testing.T
	logs  *safeBuffer
	ahead atomic.Int64 // how far the gateway's clock is ahead of the partners'

	mu     sync.Mutex
	traces map[string]*trace // by journey
}

// trace is what is known of an execution.
type trace struct {
	transitions int           // once it has ended
	ended       chan struct{} // closed then
}

// patience is how long tests wait for what comes of itself: far longer than it takes on a busy machine.
const patience = 5 * time.Minute

// every is the step in which a matrix is gone through: 1, with -short n.
func every(n int) int {
	if testing.Short() {
		return n
	}
	return 1
}

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func MustRun(t *testing.T, configure ...func(*main.Main)) *stack {
	t.Helper()
	s := &stack{t: t, logs: &safeBuffer{}, traces: map[string]*trace{}}
	s.Main = &main.Main{
		Address: "127.0.0.1:0", Dir: filepath.Join(t.TempDir(), "state"), Template: template, TimeScale: 40,
	}
	s.Main.Log = telemetry.NewLogger(s.logs, slog.LevelDebug)
	s.Main.Now = func() time.Time { return time.Now().Add(time.Duration(s.ahead.Load())) }
	for _, f := range configure {
		f(s.Main)
	}
	history := s.Main.History
	s.Main.History = func(journey string, events []asl.Event) {
		s.happened(journey, events)
		if history != nil {
			history(journey, events)
		}
	}
	if err := s.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// ofOneTenant runs a stack whose tenant sees all of a partner's account, with the records that it had from the start.
func ofOneTenant(partner string) func(*main.Main) {
	return func(m *main.Main) {
		for _, p := range partners.All() {
			if p.Name != partner {
				continue
			}
			credentials := map[string]any{}
			text, err := json.Marshal(p.Credentials)
			if err == nil {
				err = json.Unmarshal(text, &credentials)
			}
			credentials["unowned"] = "shared"
			if err == nil {
				err = os.MkdirAll(m.Dir, 0o700)
			}
			if err == nil {
				err = file.Source{Path: filepath.Join(m.Dir, "secrets.json")}.Seed(
					map[string]any{"sallyport/local/partners/" + partner: credentials},
				)
			}
			if err != nil {
				panic(err)
			}
		}
	}
}

// own lets the operator make a tenant the owner of a partner's record.
func (s *stack) own(tenant, record string) {
	s.t.Helper()
	if got := s.do(
		"PUT", "/owners/"+record, http.Header{"X-Api-Key": {"local-operator-key"}}, `{"tenant":"`+tenant+`"}`,
	); got.status != 200 {
		s.t.Fatalf("owner: %d %s", got.status, got.body)
	}
}

// pass moves the gateway's clock ahead, and not the partners'.
func (s *stack) pass(d time.Duration) { s.ahead.Add(int64(d)) }

// trace returns the trace of a journey's execution.
func (s *stack) trace(journey string) *trace {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.traces[journey] == nil {
		s.traces[journey] = &trace{ended: make(chan struct{})}
	}
	return s.traces[journey]
}

func (s *stack) happened(journey string, events []asl.Event) {
	tr := s.trace(journey)
	tr.transitions += asltest.Trace(events).Transitions() // nobody else has it before the end
	if slices.ContainsFunc(events, func(e asl.Event) bool { return e.Type == asl.ExecutionEnded }) {
		close(tr.ended)
	}
}

// transitions waits for the end of a journey's execution, which comes later than callers see that of the journey, and
// returns how many state transitions it took.
func (s *stack) transitions(journey string) int {
	s.t.Helper()
	tr := s.trace(journey)
	select {
	case <-tr.ended:
	case <-time.After(patience):
		s.t.Fatal("the execution did not end")
	}
	return tr.transitions
}

// reply is an HTTP answer.
type reply struct {
	status int
	body   string
	header http.Header
}

func (r reply) condition() string { return r.header.Get("Gateway-Error") }

func (s *stack) do(method, path string, header http.Header, body string) reply {
	s.t.Helper()
	r, err := s.try(method, path, header, body)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	return r
}

func (s *stack) try(method, path string, header http.Header, body string) (reply, error) {
	return send(s.URL, method, path, header, body)
}

func send(url, method, path string, header http.Header, body string) (reply, error) {
	req, err := http.NewRequest(method, url+path, strings.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	if header.Get("X-Api-Key") == "" && header.Get("Authorization") == "" && header["No-Key"] == nil {
		req.Header.Set("X-API-Key", "local-key")
	}
	if body != "" && header.Get("Content-Type") == "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for name, values := range header {
		if name != "No-Key" {
			req.Header[name] = values
		}
	}
	resp, err := (&http.Client{Timeout: time.Minute}).Do(req)
	if err != nil {
		return reply{}, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return reply{resp.StatusCode, string(text), resp.Header}, err
}

func (s *stack) post(path, key, body string) reply {
	s.t.Helper()
	header := http.Header{}
	if key != "" {
		header.Set("Idempotency-Key", key)
	}
	return s.do("POST", path, header, body)
}

// initTransaction opens an exchange transaction and returns its id.
func (s *stack) initTransaction() string {
	s.t.Helper()
	r := s.post(initURL, "", `{"gateway_instance_id":"`+instance+`"}`)
	var out struct {
		TransactionID string `json:"transaction_id"`
	}
	if err := json.Unmarshal([]byte(r.body), &out); err != nil || r.status != 200 || out.TransactionID == "" {
		s.t.Fatalf("init: %d %s", r.status, r.body)
	}
	return out.TransactionID
}

// execute is the body of a step; without an otp it is the first.
func execute(transaction, number, otp string) string {
	step := `{"transaction_id":"` + transaction + `","journey_id":"` + journey + `","input_data":{"aadhaar_no":"` + number + `"`
	if otp != "" {
		step += `,"otp":"` + otp + `"`
	}
	return step + `}}`
}

// requests is what reached a simulated operation.
func (s *stack) requests(operation string) []sandbox.Request {
	s.t.Helper()
	r := s.do("GET", "/sandbox/requests?partner=equal&operation="+operation, nil, "")
	var out []sandbox.Request
	if err := json.Unmarshal([]byte(r.body), &out); err != nil {
		s.t.Fatalf("requests: %d %s", r.status, r.body)
	}
	return out
}

func (s *stack) effects(operation string) (n int) {
	s.t.Helper()
	for _, r := range s.requests(operation) {
		if r.Effect {
			n++
		}
	}
	return n
}

// transaction is a record as callers see it.
type transaction struct {
	ID        string `json:"id"`
	Operation string `json:"operation"`
	State     string `json:"state"`
	Code      string `json:"code"`
}

func (s *stack) transaction(id string) transaction {
	s.t.Helper()
	r := s.do("GET", "/transactions/"+id, nil, "")
	var out transaction
	if err := json.Unmarshal([]byte(r.body), &out); err != nil || r.status != 200 {
		s.t.Fatalf("transaction %s: %d %s", id, r.status, r.body)
	}
	return out
}

// addCaller makes a key for another tenant.
func (s *stack) addCaller(key, tenant string, scopes ...string) {
	s.t.Helper()
	err := s.Ledger.PutCaller(
		context.Background(), ledger.Caller{KeyHash: gateway.HashKey(key), Tenant: tenant, Scopes: scopes},
	)
	if err != nil {
		s.t.Fatal(err)
	}
}

var journeyTransaction = regexp.MustCompile(
	`EQ\.GT\.[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}#` + journey + `#[0-9a-f]{32}`,
)

// settled replaces the ids that a run makes by fixed words, after checking their form.
func settled(body, transaction string) string {
	return strings.ReplaceAll(journeyTransaction.ReplaceAllString(body, "<jt>"), transaction, "<t>")
}

func MustDecode(t *testing.T, text string, v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
}
