// Package sandboxtest is for the tests of the sandbox and of its simulated partners: a sandbox on a clock that stands
// still, requests to it, and what holds of every partner alike.
package sandboxtest

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"sallyport/functions/sandbox"
	"sallyport/shared/bolt"
)

// Start is what the clock of every harness shows at first.
var Start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// Harness is a sandbox with a clock that stands still and ids that count up.
type Harness struct {
	*sandbox.Sandbox
	T     testing.TB
	Store sandbox.Store

	mu  sync.Mutex
	now time.Time
	ids int
}

// Open returns a sandbox over a store, which ends with the test. change completes its options, which have a clock, ids
// and a caller's key already, but no simulated partner.
func Open(t testing.TB, store sandbox.Store, change func(*sandbox.Options)) *Harness {
	t.Helper()
	h := &Harness{T: t, Store: store, now: Start}
	opts := sandbox.Options{
		Now: h.Now,
		NewID: func() string {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.ids++
			return ID(h.ids)
		},
		Authenticate: func(r *http.Request) error {
			if r.Header.Get("X-API-Key") != "local-key" {
				return errors.New("no key")
			}
			return nil
		},
	}
	change(&opts)
	h.Sandbox = sandbox.New(store, opts)
	t.Cleanup(func() { h.Close() })
	return h
}

// Options are those of a sandbox of one partner: the sandbox's, and the partner's own.
type Options[P any] struct {
	sandbox.Options
	Partner P
}

// OpenPartner returns a sandbox of one partner over a store, likewise. own are the partner's options before changes.
func OpenPartner[P any](
	t testing.TB, store sandbox.Store, simulate func(P) sandbox.Simulator, own P, changes ...func(*Options[P]),
) *Harness {
	t.Helper()
	return Open(t, store, func(o *sandbox.Options) {
		all := Options[P]{*o, own}
		for _, change := range changes {
			change(&all)
		}
		*o = all.Options
		o.Simulators = append(o.Simulators, simulate(all.Partner))
	})
}

// NewBolt returns a store in a file of its own.
func NewBolt(t testing.TB) sandbox.Store {
	t.Helper()
	return sandbox.NewBolt(OpenBolt(t, filepath.Join(t.TempDir(), "sandbox.db")))
}

// OpenBolt opens a file for the length of a test; closing it before does no harm.
func OpenBolt(t testing.TB, path string) *bolt.DB {
	t.Helper()
	db, err := bolt.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// ID is the nth id of a harness.
func ID(n int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012d", n) }

// Now returns what the clock shows.
func (h *Harness) Now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

// Advance sets the clock forward.
func (h *Harness) Advance(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

// IDs returns how many ids there were; SetIDs has the next one come after so many.
func (h *Harness) IDs() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.ids
}

func (h *Harness) SetIDs(n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ids = n
}

// Basic is the value of an Authorization header.
func Basic(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

// Request returns a request with a caller's key.
func Request(method, path, body string) *http.Request {
	r := Keyless(method, path, body)
	r.Header.Set("X-API-Key", "local-key")
	return r
}

// Keyless returns a request that carries no credentials at all.
func Keyless(method, path, body string) *http.Request {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	return r
}

// Do returns the answer to a request.
func (h *Harness) Do(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// Admin posts to a route that needs a caller's key, and returns the answer as "status body".
func (h *Harness) Admin(path, body string) string {
	h.T.Helper()
	return Text(h.Do(Request("POST", path, body)))
}

// Visit sends what a browser would to the page behind a url.
func (h *Harness) Visit(method, url, form string) *httptest.ResponseRecorder {
	r := Keyless(method, strings.TrimPrefix(url, "http://example.com"), form)
	if form != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return h.Do(r)
}

// Text returns an answer as "status body".
func Text(w *httptest.ResponseRecorder) string {
	return strings.TrimSpace(fmt.Sprintf("%d %s", w.Code, w.Body))
}

// Decoded returns what an answer shows, which must have a status.
func Decoded[T any](t testing.TB, w *httptest.ResponseRecorder, status int) (v T) {
	t.Helper()
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil || w.Code != status {
		t.Fatal(err, Text(w))
	}
	return v
}

// Set sets a partner's setting.
func (h *Harness) Set(partner, name, value string) {
	h.T.Helper()
	w := h.Do(Request("POST", "/sandbox/settings", `{"partner":"`+partner+`","name":"`+name+`","value":"`+value+`"}`))
	Want(h.T, w.Code, 200)
}

// Arm arms a fault once.
func (h *Harness) Arm(partner, operation, fault string) {
	h.T.Helper()
	about := `{"partner":"` + partner + `","operation":"` + operation + `",`
	Want(
		h.T, h.Admin("/sandbox/faults", about+`"fault":"`+fault+`"}`),
		`200 `+about+`"armed":[{"fault":"`+fault+`","times":1}]}`,
	)
}

// Rows returns what GET /sandbox/requests lists.
func (h *Harness) Rows(query string) []sandbox.Request {
	h.T.Helper()
	w := h.Do(Request("GET", "/sandbox/requests"+query, ""))
	var rows []sandbox.Request
	if err := json.Unmarshal(w.Body.Bytes(), &rows, json.RejectUnknownMembers(true)); err != nil || w.Code != 200 {
		h.T.Fatalf("%d %v %s", w.Code, err, w.Body)
	}
	return rows
}

// Log returns the same as "operation status effect" per row.
func (h *Harness) Log() []string {
	h.T.Helper()
	var rows []string
	for _, r := range h.Rows("") {
		rows = append(rows, fmt.Sprintf("%s %d %t", r.Operation, r.Status, r.Effect))
	}
	return rows
}

// Deliver sends the callbacks that are due.
func (h *Harness) Deliver() {
	h.T.Helper()
	if err := h.DeliverDue(h.T.Context()); err != nil {
		h.T.Error(err)
	}
}

// Sent returns the log's rows of a partner's callbacks as "status effect".
func (h *Harness) Sent(partner string) (rows []string) {
	h.T.Helper()
	for _, r := range h.Rows("?partner=" + partner + "&operation=callback") {
		rows = append(rows, fmt.Sprintf("%d %t", r.Status, r.Effect))
	}
	return rows
}

// Want reports what is not as wanted.
func Want[T any](t testing.TB, got, want T) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("\ngot  %v\nwant %v", got, want)
	}
}

// WantProblem reports an answer that is not a problem with a status, the beginning of a detail, and a pointer.
func WantProblem(t testing.TB, w *httptest.ResponseRecorder, status int, detail, pointer string) {
	t.Helper()
	var p struct {
		Type, Title, Detail, Pointer, Parameter string
		Status                                  int
		Allowed                                 []string
	}
	if err := json.Unmarshal(w.Body.Bytes(), &p, json.MatchCaseInsensitiveNames(true)); err != nil {
		t.Fatalf("%v: %s", err, w.Body)
	}
	if w.Code != status || p.Status != status || p.Type != "about:blank" || p.Title != http.StatusText(status) ||
		!strings.HasPrefix(p.Detail, detail) || p.Pointer != pointer ||
		w.Header().Get("Content-Type") != "application/problem+json" {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}

// Replaced returns a JSON object with these members, names and JSON values in turn, in the place of its own; an empty
// value takes a member away.
func Replaced(object string, members ...string) string {
	values := map[string]jsontext.Value{}
	if err := json.Unmarshal([]byte(object), &values); err != nil {
		panic(err)
	}
	for i := 0; i < len(members); i += 2 {
		values[members[i]] = jsontext.Value(members[i+1])
		if members[i+1] == "" {
			delete(values, members[i])
		}
	}
	b, err := json.Marshal(values)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// Failing is a store whose transactions fail at their end, as often as Times says, after so many that don't.
type Failing struct {
	sandbox.Store
	After, Times int
}

func (f *Failing) Update(ctx context.Context, fn func(sandbox.Tx) error) error {
	return f.Store.Update(ctx, func(tx sandbox.Tx) error {
		if err := fn(tx); err != nil {
			return err
		}
		if f.After--; f.After >= 0 {
			return nil
		}
		if f.Times--; f.Times >= 0 {
			return fmt.Errorf("disk full")
		}
		return nil
	})
}
