package sandbox_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"sallyport/functions/sandbox"
)

const (
	initPath    = "/sandbox/equal/ie/transaction/init"
	executePath = "/sandbox/equal/ie/transaction/journey/execute"
	fetchPath   = "/sandbox/equal/ie/transaction/journey/data/fetch"
)

// harness is a sandbox on a file, with a clock that stands still and ids that count up.
type harness struct {
	*sandbox.Sandbox
	t     testing.TB
	store sandbox.Store

	mu    sync.Mutex
	now   time.Time
	ids   int
	token string // of digit9; see access
	mbanq mbanqHarness
	iron  ironHarness
	ezto  string // handle of a transaction that has a result; see prepareEZTO
}

// start is what the clock of every harness shows at first.
var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func open(t testing.TB, change ...func(*sandbox.Options)) *harness {
	t.Helper()
	return openOn(t, sandbox.NewBolt(openBolt(t, filepath.Join(t.TempDir(), "sandbox.db"))), change...)
}

func openOn(t testing.TB, store sandbox.Store, change ...func(*sandbox.Options)) *harness {
	t.Helper()
	h := &harness{t: t, store: store, now: start}
	opts := sandbox.Options{
		Now: func() time.Time {
			h.mu.Lock()
			defer h.mu.Unlock()
			return h.now
		},
		NewID: func() string {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.ids++
			return id(h.ids)
		},
		Authenticate: func(r *http.Request) error {
			if r.Header.Get("X-API-Key") != "local-key" {
				return errors.New("no key")
			}
			return nil
		},
		Equal: sandbox.EqualOptions{RequestsPerSecond: -1},
		EZTO:  sandbox.EZTOOptions{SigningKey: eztoSigningKey()},
	}
	for _, f := range change {
		f(&opts)
	}
	h.Sandbox = sandbox.New(store, opts)
	t.Cleanup(func() { h.Close() })
	return h
}

// id is the nth id of a harness.
func id(n int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012d", n) }

// run is the journey_transaction_id made of the nth id and the next.
func run(n int) string {
	return "EQ.GT." + id(n) + "#aadhaar_otp_sim_v1#" + strings.ReplaceAll(id(n+1), "-", "")
}

func (h *harness) advance(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

func basic(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

// request returns a request with the partner's credentials and a caller's key.
func request(method, path, body string) *http.Request {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", basic("sandbox.client#1", "sandbox-secret="))
	r.Header.Set("X-API-Key", "local-key")
	return r
}

// keyless returns a request that carries no credentials at all.
func keyless(method, path, body string) *http.Request {
	r := request(method, path, body)
	r.Header.Del("Authorization")
	r.Header.Del("X-API-Key")
	return r
}

func (h *harness) do(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// post returns the answer as "status body".
func (h *harness) post(path, body string) string {
	h.t.Helper()
	return text(h.do(request("POST", path, body)))
}

func text(w *httptest.ResponseRecorder) string {
	return strings.TrimSpace(fmt.Sprintf("%d %s", w.Code, w.Body))
}

// init starts a transaction, which has id(1) in a fresh harness.
func (h *harness) init() string {
	h.t.Helper()
	h.mu.Lock()
	n := h.ids + 1
	h.mu.Unlock()
	want(h.t, h.post(initPath, `{"gateway_instance_id":"gateway.equal.dev_test"}`),
		`200 {"transaction_id":"`+id(n)+`","status":"SUCCESS","status_code":"success","message":"Request successful","checks":[],"data":{}}`)
	return id(n)
}

// step1 and step2 return the answer as "status body".
func (h *harness) step1(transaction, number string) string {
	h.t.Helper()
	return h.post(executePath, step1Body(transaction, number))
}

func step1Body(transaction, number string) string {
	return `{"transaction_id":"` + transaction + `","journey_id":"aadhaar_otp_sim_v1","request_id":"att-0001",` + "\n" +
		` "input_data":{"aadhaar_no":"` + number + `"}}`
}

func (h *harness) step2(transaction, number, otp, requestID string) string {
	h.t.Helper()
	return h.post(executePath, `{"transaction_id":"`+transaction+`","journey_id":"aadhaar_otp_sim_v1","request_id":"`+requestID+`",
 "input_data":{"aadhaar_no":"`+number+`","otp":"`+otp+`"}}`)
}

func (h *harness) fetch(transaction, run string) string {
	h.t.Helper()
	return h.post(fetchPath, `{"transaction_id":"`+transaction+`","journey_transaction_id":"`+run+`"}`)
}

// log returns GET /sandbox/requests as "operation status effect" per row.
func (h *harness) log() []string {
	h.t.Helper()
	var rows []string
	for _, r := range h.rows("") {
		rows = append(rows, fmt.Sprintf("%s %d %t", r.Operation, r.Status, r.Effect))
	}
	return rows
}

// The answers of the fixtures, by what varies in them.

func sent(transaction string, n int) string {
	return `200 {"transaction_id":"` + transaction + `","journey_transaction_id":"` + run(n) + `","journey_id":"aadhaar_otp_sim_v1",` +
		`"status":"IN_PROGRESS","status_code":"success","message":"Success","checks":[],"data":{}}`
}

func failed(transaction, code, message string) string {
	return `200 {"transaction_id":"` + transaction + `","journey_id":"aadhaar_otp_sim_v1","status":"FAILURE",` +
		`"status_code":"` + code + `","message":"` + message + `","checks":[],"data":{}}`
}

func verified(transaction string, n int) string {
	return `200 {"transaction_id":"` + transaction + `","journey_transaction_id":"` + run(n) + `","journey_id":"aadhaar_otp_sim_v1",` +
		`"status":"SUCCESS","status_code":"success","message":"Request successful","decision":"CLEAR","checks":[],` +
		`"data":{"keys":{"aadhaar":[{"aadhaar_no":"XXXXXXXX0016","name":"MEERA KULKARNI","source":"sandbox","issuer":"",` +
		`"decision":"CLEAR","checks":[{"check_id":"ownership_check","check_result":"PASS","status_code":"success",` +
		`"metadata":{"data_source":"BUSINESS_PROVIDED","match_logic":"fuzzy>=80"}}]}]}}}`
}

const (
	invalidRequest = `400 {"status":"FAILURE","status_code":"invalid_request","message":"Invalid Request"}`
	unauthorized   = `401 {"status":"FAILURE","status_code":"invalid_credentials","message":"Invalid Client Credentials"}`
	internalError  = `500 {"status":"FAILURE","status_code":"internal_server_error","message":"Something went wrong, please try again."}`
)

func required(field string) string {
	return `400 {"status":"FAILURE","status_code":"invalid_request","message":"` + field + ` is required"}`
}

// hooks take a partner's callbacks: they remember what read makes of each and answer with a status, in turn, at last always the
// same.
type hooks[T any] struct {
	mu       sync.Mutex
	got      []T
	statuses []int
}

// take has a sandbox send its callbacks here.
func (k *hooks[T]) take(o *sandbox.Options, read func(r *http.Request, body string) (T, error)) {
	o.Callbacks.BaseURL = func(context.Context) (string, error) { return "http://gateway", nil }
	o.Callbacks.Client = &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		got, err := read(r, string(body))
		if err != nil {
			return nil, err
		}
		k.mu.Lock()
		defer k.mu.Unlock()
		k.got = append(k.got, got)
		w := httptest.NewRecorder()
		if len(k.statuses) > 0 {
			w.WriteHeader(k.statuses[0])
			if len(k.statuses) > 1 {
				k.statuses = k.statuses[1:]
			}
		}
		return w.Result(), nil
	})}
}
