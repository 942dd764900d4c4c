package sandboxtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"sallyport/functions/sandbox"
)

// Suite is what the tests that every simulated partner must pass need to know of one.
type Suite struct {
	Simulator sandbox.Simulator

	// Prepare opens a sandbox of the partner and brings it to where every operation can succeed.
	Prepare func(t testing.TB, store sandbox.Store, change func(*sandbox.Options)) Prepared

	// Failure returns what an operation answers where a fault makes it fail with a status, as "status body", after
	// Mask.
	Failure func(op sandbox.Operation, status int) string
	// Mask hides what never repeats in an answer; nil: nothing.
	Mask func(answer string) string
	// Internal is what may be answered with 500 though no fault is armed, as "status body"; empty: nothing.
	Internal string

	// Success returns the status of an operation's success; nil: 200.
	Success func(sandbox.Operation) int
	// Begins reports whether a body begins as that of an operation's success; nil: as an object or a list of them does.
	Begins func(op sandbox.Operation, body string) bool
	// Again checks the answer to a request that comes after one that a fault met, and whether it had an effect.
	Again func(t *testing.T, op sandbox.Operation, f sandbox.Fault, body string, effect bool)
}

// Prepared is a sandbox of a partner in which every operation can succeed.
type Prepared struct {
	*Harness
	Request func(sandbox.Operation) *http.Request // that succeeds
	// forgets the token that requests carry, so that they get another; nil: there are no tokens
	Renew func()
}

func (s Suite) success(op sandbox.Operation) int {
	if s.Success == nil {
		return http.StatusOK
	}
	return s.Success(op)
}

func (s Suite) begins(op sandbox.Operation, body string) bool {
	if s.Begins == nil {
		return strings.HasPrefix(strings.TrimPrefix(body, "["), `{"`)
	}
	return s.Begins(op, body)
}

func (s Suite) masked(answer string) string {
	if s.Mask == nil {
		return answer
	}
	return s.Mask(answer)
}

// outcome is what a client saw.
type outcome struct {
	status int
	length int64
	body   string
	err    error
}

// call sends a request over a real connection of its own, as the operation's client would, until ctx is done.
func call(ctx context.Context, server string, r *http.Request) (o outcome) {
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	r = r.WithContext(ctx)
	r.RequestURI, r.URL.Scheme, r.URL.Host = "", "http", strings.TrimPrefix(server, "http://")
	resp, err := client.Do(r)
	if err != nil {
		return outcome{err: err}
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return outcome{status: resp.StatusCode, length: resp.ContentLength, body: string(b), err: err}
}

// FaultMatrix arms every fault for every operation over a real connection, and looks at what the client saw, at the row
// and at whether the effect really happened. With -short, an operation meets some of them.
func (s Suite) FaultMatrix(t *testing.T) {
	t.Parallel()
	all := []sandbox.Simulator{s.Simulator}
	cell := 0
	for _, op := range sandbox.Operations(all) {
		for _, f := range sandbox.Faults() {
			if sandbox.Applicable(all, op.Partner, op.Name, f.Name) != nil {
				continue
			}
			if cell++; testing.Short() && cell%11 != 0 {
				continue
			}
			t.Run(op.Partner+"/"+op.Name+"/"+f.Name, func(t *testing.T) {
				t.Parallel()
				s.testFault(t, op, f)
			})
		}
	}
}

func (s Suite) testFault(t *testing.T, op sandbox.Operation, f sandbox.Fault) {
	// A second lasts a nanosecond, so that slow is not; the clock stands still, so that nothing expires.
	h := s.Prepare(t, NewBolt(t), func(o *sandbox.Options) { o.Hijackable, o.TimeScale = true, 1e9 })
	server := httptest.NewServer(h)
	defer server.Close()
	before := len(h.Rows(""))
	h.Arm(op.Partner, op.Name, f.Name)

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if f.Name == "refuse_connection" {
		for _, refused := range []bool{true, false} {
			got, err := h.RefuseConnection(ctx, h.Request(op))
			if err != nil || got != refused {
				t.Fatalf("got %t, %v; want %t", got, err, refused)
			}
		}
		Want(t, len(h.Rows("")), before)
	} else {
		seen := make(chan outcome, 1)
		r := h.Request(op)
		go func() { seen <- call(ctx, server.URL, r) }()
		var o outcome
		status := 0
		switch f.Name {
		case "timeout_before_effect", "timeout_after_effect":
			h.awaitRows(before + 1) // while the client still waits
			cancel()
			o = <-seen
			Want(t, errors.Is(o.err, context.Canceled), true)
		case "late_effect":
			h.awaitDisarmed(op)
			Want(t, len(h.Rows("")), before) // nothing has happened yet
			cancel()
			o = <-seen
			Want(t, errors.Is(o.err, context.Canceled), true)
			h.awaitRows(before + 1)
		case "reset_before_effect", "reset_after_effect":
			o = <-seen
			Want(t, errors.Is(o.err, syscall.ECONNRESET), true)
		case "truncated":
			o = <-seen
			status = s.success(op)
			Want(t, errors.Is(o.err, io.ErrUnexpectedEOF), true)
			Want(t, int64(len(o.body)), o.length/2)
			Want(t, s.begins(op, o.body), true)
		case "malformed":
			o = <-seen
			status = 200
			Want(t, o, outcome{status: 200, length: 34, body: "<html><body>it works</body></html>"})
		case "slow":
			o = <-seen
			status = s.success(op)
			Want(t, s.begins(op, o.body), true)
		case "status_429", "status_500_before_effect", "status_500_after_effect", "status_503_before_effect",
			"status_503_after_effect":
			o = <-seen
			fmt.Sscanf(f.Name, "status_%d", &status)
			Want(t, s.masked(strings.TrimSpace(fmt.Sprint(o.status, " ", o.body))), s.Failure(op, status))
		case "expired_token":
			o = <-seen
			status = 401
			Want(t, fmt.Sprint(o.status, " ", o.body), s.Failure(op, status))
			if h.Renew != nil && op.Name != "issue-token" {
				Want(t, call(ctx, server.URL, h.Request(op)).status, 401) // the token is really gone
				h.Renew()
			}
		default:
			t.Fatal("no expectation for this fault")
		}
		Want(t, o.status == 0 || o.status == status, true)
		Want(t, h.Log()[before:before+1], []string{fmt.Sprintf("%s %d %t", op.Name, status, f.Effect && op.Effect)})
	}

	// One count was armed and is used up; the state is that of what happened.
	o := call(t.Context(), server.URL, h.Request(op))
	Want(t, o.status, s.success(op))
	rows := h.Rows("?operation=" + op.Name)
	s.Again(t, op, f, o.body, rows[len(rows)-1].Effect)
}

// awaitRows returns when the log has n rows.
func (h *Harness) awaitRows(n int) {
	h.await(func() bool { return len(h.Rows("")) >= n })
}

// awaitDisarmed returns when a fault of the operation has been used up.
func (h *Harness) awaitDisarmed(op sandbox.Operation) {
	h.await(func() bool {
		var armed bool
		_ = h.Store.View(context.Background(), func(tx sandbox.Tx) error {
			b, err := tx.Get("faults/" + op.Partner + "/" + op.Name)
			armed = b != nil
			return err
		})
		return !armed
	})
}

func (h *Harness) await(done func() bool) {
	h.T.Helper()
	for deadline := time.Now().Add(20 * time.Second); !done(); runtime.Gosched() {
		if time.Now().After(deadline) {
			h.T.Fatal("it did not come")
		}
	}
}

// FuzzServeHTTP: whatever the path and the body, an answer comes, and it is never that of a failure of the sandbox.
// Beside the operations' own, seeds are a method, a path, a query and a body each.
func (s Suite) FuzzServeHTTP(f *testing.F, seeds ...[4]string) {
	h := s.Prepare(f, &Memory{}, func(*sandbox.Options) {})
	for _, op := range sandbox.Operations([]sandbox.Simulator{s.Simulator}) {
		body, err := io.ReadAll(h.Request(op).Body)
		if err != nil {
			f.Fatal(err)
		}
		for _, query := range []string{"", "code=id_types"} {
			f.Add(op.Method, "/sandbox/"+op.Partner+op.Path, query, string(body))
		}
	}
	for _, seed := range seeds {
		f.Add(seed[0], seed[1], seed[2], seed[3])
	}
	f.Fuzz(func(t *testing.T, method, path, query, body string) {
		// The frame, on state in which every operation can succeed.
		h := s.Prepare(t, &Memory{}, func(o *sandbox.Options) { o.TimeScale = 1e12 })
		r := Request("POST", "/", body)
		r.Method, r.URL = method, &url.URL{Path: path, RawQuery: query}
		w := h.Do(r)
		if w.Code < 200 || w.Code > 599 || strings.Contains(w.Body.String(), "sandbox itself") ||
			strings.Contains(w.Body.String(), "own store") {
			t.Errorf("%q %q: got %s", method, path, Text(w))
		}
		if (w.Body.Len() == 0) != (w.Header().Get("Content-Type") == "") {
			t.Errorf("%q %q: content type %q of %d bytes", method, path, w.Header().Get("Content-Type"), w.Body.Len())
		}
		// Every operation, with the same body.
		for _, op := range sandbox.Operations([]sandbox.Simulator{s.Simulator}) {
			r := h.Request(op)
			r.Body = io.NopCloser(strings.NewReader(body))
			if w := h.Do(r); w.Code == http.StatusInternalServerError && Text(w) != s.Internal {
				t.Errorf("%s: got %s", op.Name, Text(w))
			}
		}
	})
}
