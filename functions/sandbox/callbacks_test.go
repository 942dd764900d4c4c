package sandbox_test

import (
	"context"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sallyport/functions/sandbox"
	"sallyport/functions/sandbox/digit9"
	"sallyport/functions/sandbox/sandboxtest"
)

// gateway takes callbacks: it remembers them and answers in turn, at last always the same.
type gateway struct {
	*httptest.Server
	t testing.TB

	mu      sync.Mutex
	got     []received
	answers []func(http.ResponseWriter)
	during  func() // called while a callback is being answered
}

type received struct {
	method, path, contentType, authorization, hash, body string
}

func reply(status int, body string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

const acknowledgement = `{"status":"success","status_code":200,"message":"received","state":"ACKNOWLEDGED"}`

// newGateway answers as it is told, at last with an acknowledgement.
func newGateway(t testing.TB, answers ...func(http.ResponseWriter)) *gateway {
	g := &gateway{t: t, answers: append(answers, reply(200, acknowledgement)), during: func() {}}
	g.Server = httptest.NewServer(g)
	t.Cleanup(g.Server.Close)
	return g
}

func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		g.t.Error(err)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.got = append(
		g.got,
		received{
			r.Method, r.URL.Path, r.Header.Get("Content-Type"), r.Header.Get("Authorization"), r.Header.Get("hash"),
			string(body),
		},
	)
	answer := g.answers[0]
	if len(g.answers) > 1 {
		g.answers = g.answers[1:]
	}
	g.during()
	answer(w)
}

func (g *gateway) received() []received {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]received{}, g.got...)
}

// to has a sandbox send its callbacks there.
func (g *gateway) to(o *sandbox.Options) {
	o.Callbacks.BaseURL = func(context.Context) (string, error) { return g.URL, nil }
}

// acceptedBody is the callback that closes an alert.
func acceptedBody(ecrn string) string {
	return `{"aml_scan_status":"Accepted","ecrn":"` + ecrn + `","customer_status":"ACTIVE"}`
}

const accept = `{"aml_scan_status":"Accepted","customer_status":"ACTIVE"}`

// sentRows returns the log's rows of callbacks as "status effect".
func (h *harness) sentRows() []string {
	h.T.Helper()
	return h.Sent("digit9")
}

func (h *harness) set(name, value string) {
	h.T.Helper()
	h.Set("digit9", name, value)
}

func (h *harness) armCallback(fault string) {
	h.T.Helper()
	h.Arm("digit9", "callback", fault)
}

func TestCallback(t *testing.T) {
	g := newGateway(t)
	h := open(t, g.to)
	ecrn := h.held()
	h.closes(ecrn, accept)
	want(t, g.received(), []received{{
		"POST", "/callbacks/digit9/aml-alert-closure", "application/json", "Bearer sandbox-callback-token", "",
		acceptedBody(ecrn),
	}})
	want(t, h.Log()[2:], []string{"callback 200 true"})
	h.Advance(24 * time.Hour)
	h.Deliver()
	want(t, len(g.received()), 1)

	// The space is in the callback only.
	h.closes(ecrn, `{"aml_scan_status":"N/A","customer_status":"KYC_PENDING"}`)
	want(t, g.received()[1].body, `{"aml_scan_status":"N/A","ecrn":"`+ecrn+`","customer_status":"KYC PENDING"}`)
}

func TestCallback_Auth(t *testing.T) {
	hash := func(body, secret string) string {
		sum := sha512.Sum512([]byte(body + secret))
		return hex.EncodeToString(sum[:])
	}
	for _, test := range []struct {
		value        string
		bearer, hash bool
	}{{"bearer", true, false}, {"hash", false, true}, {"both", true, true}} {
		t.Run(test.value, func(t *testing.T) {
			g := newGateway(t)
			h := open(t, g.to, func(o *sandbox.Options) {
				o.Simulators[1] = digit9.New(digit9.Options{CallbackBearer: "token-1", CallbackSecret: "secret-1"})
			})
			h.set("callback_auth", test.value)
			ecrn := h.held()
			h.closes(ecrn, accept)
			h.armCallback("forged_callback")
			h.closes(ecrn, accept)
			true_, forged := g.received()[0], g.received()[1]
			want(t, true_.body, forged.body)
			right := received{authorization: "Bearer token-1", hash: hash(acceptedBody(ecrn), "secret-1")}
			want(t, true_.authorization == right.authorization, test.bearer)
			want(t, true_.hash == right.hash, test.hash)
			want(t, forged.authorization != "" && forged.authorization != right.authorization, test.bearer)
			want(t, forged.hash != "" && len(forged.hash) == 128 && forged.hash != right.hash, test.hash)
		})
	}
}

// TestCallback_Schedule: what is not taken comes again after 5, 10, 60 and 60 minutes (digit9 §8).
func TestCallback_Schedule(t *testing.T) {
	for _, scale := range []float64{1, 60} {
		for name, answer := range map[string]func(http.ResponseWriter){
			"500": reply(500, acknowledgement), "404": reply(404, ``), "202": reply(202, acknowledgement),
			"302": func(w http.ResponseWriter) {
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(302)
			},
			"0": func(http.ResponseWriter) { panic(http.ErrAbortHandler) },
		} {
			t.Run(fmt.Sprint(name, "x", scale), func(t *testing.T) {
				g := newGateway(t, answer, answer, answer, answer, answer)
				h := open(t, g.to, func(o *sandbox.Options) { o.TimeScale = scale })
				h.closes(h.held(), accept)
				row := name + " false"
				rows := []string{row}
				for _, minutes := range []time.Duration{5, 10, 60, 60} {
					h.Advance(time.Duration(float64(minutes*time.Minute)/scale) - time.Nanosecond)
					h.Deliver()
					want(t, h.sentRows(), rows)
					h.Advance(time.Nanosecond)
					h.Deliver()
					rows = append(rows, row)
					want(t, h.sentRows(), rows)
				}
				h.Advance(1000 * time.Hour) // no more
				h.Deliver()
				want(t, len(g.received()), 5)
				for _, got := range g.received() {
					want(t, got, g.received()[0])
				}
			})
		}
	}
}

func TestCallback_Acknowledgement(t *testing.T) {
	for _, test := range []struct {
		name   string
		answer func(http.ResponseWriter)
		row    string
		again  bool
	}{
		{"Acknowledged", reply(200, `{"state":"ACKNOWLEDGED"}`), "200 true", false},
		{"OtherState", reply(200, `{"state":"REJECTED"}`), "200 false", false},
		{"NoState", reply(200, `{"status":"success"}`), "200 false", false},
		{"StateCase", reply(200, `{"state":"acknowledged"}`), "200 false", false},
		{"NotJSON", reply(200, `ok`), "200 false", false},
		{"Empty", reply(200, ``), "200 false", false},
		{"Within64KiB", reply(200, `{"x":"`+strings.Repeat("x", 60<<10)+`","state":"ACKNOWLEDGED"}`), "200 true", false},
		{"Beyond64KiB", reply(200, `{"x":"`+strings.Repeat("x", 70<<10)+`","state":"ACKNOWLEDGED"}`), "200 false", false},
		{"Truncated", func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, `{"state":"ACKNOWLEDGED"}`)
		}, "200 false", true},
		{"Refused", reply(401, `{}`), "401 false", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			g := newGateway(t, test.answer)
			h := open(t, g.to)
			h.closes(h.held(), accept)
			want(t, h.sentRows(), []string{test.row})
			h.Advance(5 * time.Minute)
			h.Deliver()
			want(t, len(g.received()) == 2, test.again)
		})
	}
}

func TestCallback_Faults(t *testing.T) {
	t.Run("Duplicate", func(t *testing.T) {
		g := newGateway(t)
		h := open(t, g.to)
		h.armCallback("duplicate_callback")
		ecrn := h.held()
		h.closes(ecrn, accept)
		want(t, len(g.received()), 2)
		want(t, g.received()[0], g.received()[1])
		want(t, h.sentRows(), []string{"200 true", "200 true"})
		h.closes(ecrn, accept) // one count was armed
		want(t, len(g.received()), 3)
	})
	t.Run("Late", func(t *testing.T) {
		g := newGateway(t)
		h := open(t, g.to, func(o *sandbox.Options) { o.TimeScale = 90 })
		h.armCallback("late_callback")
		ecrn := h.held()
		h.closes(ecrn, accept)
		want(t, h.lookup("784199000000413"), lookedUp(ecrn, "ACTIVE", "Accepted")) // the effect is not late
		h.Advance(time.Minute - time.Nanosecond)
		h.Deliver()
		want(t, len(g.received()), 0)
		h.Advance(time.Nanosecond)
		h.Deliver()
		want(t, len(g.received()), 1)
	})
	t.Run("Forged", func(t *testing.T) {
		for _, answer := range []func(http.ResponseWriter){reply(401, ``), reply(200, acknowledgement), reply(503, ``)} {
			g := newGateway(t, answer)
			h := open(t, g.to)
			h.armCallback("forged_callback")
			h.closes(h.held(), accept)
			h.Advance(24 * time.Hour)
			h.Deliver()
			want(t, len(g.received()), 1) // instead of the true one, and once
			if g.received()[0].authorization == "Bearer sandbox-callback-token" {
				t.Error("it is not forged")
			}
		}
	})
	t.Run("Errors", func(t *testing.T) {
		h := open(t, func(o *sandbox.Options) { o.Hijackable = true })
		for _, test := range []struct{ operation, fault, detail, pointer string }{
			{
				"callback", "slow",
				"/fault is not for what digit9 sends; allowed: duplicate_callback, late_callback, forged_callback", "/fault",
			},
			{"onboard-customer", "late_callback", "/operation takes no late_callback; allowed: callback", "/operation"},
			{"callback", "x", "/fault is not a fault; allowed: refuse_connection, ", "/fault"},
			{
				"x", "late_callback",
				"/operation is not an operation of digit9; allowed: issue-token, lookup-customer, onboard-customer, " +
					"get-customer, list-codes, callback",
				"/operation",
			},
		} {
			r := sandboxtest.Request(
				"POST", "/sandbox/faults", `{"partner":"digit9","operation":"`+test.operation+`","fault":"`+test.fault+`"}`,
			)
			sandboxtest.WantProblem(t, h.Do(r), 422, test.detail, test.pointer)
		}
	})
}

func TestCallback_Lost(t *testing.T) {
	g := newGateway(t)
	h := open(t, g.to)
	h.set("callbacks", "lost")
	h.armCallback("duplicate_callback")
	ecrn := h.held()
	h.closes(ecrn, accept)
	h.Deliver()
	want(t, len(g.received()), 0)
	want(t, h.lookup("784199000000413"), lookedUp(ecrn, "ACTIVE", "Accepted"))
	h.set("callbacks", "sent")
	h.closes(ecrn, accept)
	want(t, len(g.received()), 2) // one that is not sent uses up no fault
}

func TestCallback_Unsent(t *testing.T) {
	store := &sandboxtest.Memory{}
	h := openOn(t, store) // knows no gateway
	ecrn := h.held()
	h.closes(ecrn, accept)
	h.Deliver()
	broken := openOn(t, store, func(o *sandbox.Options) {
		o.Callbacks.BaseURL = func(context.Context) (string, error) { return "", errors.New("none") }
	})
	empty := openOn(t, store, func(o *sandbox.Options) {
		o.Callbacks.BaseURL = func(context.Context) (string, error) { return "", nil }
	})
	for _, h := range []*harness{broken, empty} {
		if err := h.DeliverDue(t.Context()); err == nil {
			t.Error("got no error")
		}
		want(t, h.closes(ecrn, accept), closed(ecrn, "ACTIVE", "Accepted")) // which is not the route's trouble
	}
	g := newGateway(t)
	h = openOn(t, store, g.to)
	h.Deliver()
	want(t, len(g.received()), 3)
}

// TestCallback_Persistence: a callback outlives its process, and so does one whose sending was cut short.
func TestCallback_Persistence(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sandbox.db")
	db := sandboxtest.OpenBolt(t, path)
	h := openOn(t, sandbox.NewBolt(db))
	ecrn := h.held()
	h.closes(ecrn, accept)
	h.Close()
	db.Close()

	g := newGateway(t)
	h = openOn(t, sandbox.NewBolt(sandboxtest.OpenBolt(t, path)), g.to)
	h.Deliver()
	want(t, g.received()[0].body, acceptedBody(ecrn))

	// A process that dies over one: claimed, and nothing written afterwards.
	store := &sandboxtest.Memory{}
	dying := openOn(t, &sandboxtest.Failing{Store: store, After: 4, Times: 1}, g.to)
	given := dying.held()
	dying.closes(given, accept)
	want(t, len(g.received()), 2)
	h = openOn(t, store, g.to)
	h.Advance(time.Minute - time.Nanosecond)
	h.Deliver()
	want(t, len(g.received()), 2)
	h.Advance(time.Nanosecond)
	h.Deliver()
	want(t, len(g.received()), 3)
	want(t, h.sentRows(), []string{"200 true"})
}

// TestCallback_TwoProcesses: of two sandboxes over one store, one sends.
func TestCallback_TwoProcesses(t *testing.T) {
	store, g := &sandboxtest.Memory{}, newGateway(t)
	closing := openOn(t, store)
	for range 5 {
		closing.closes(closing.held(), accept)
	}
	var all sync.WaitGroup
	for range 4 {
		h := openOn(t, store, g.to)
		all.Go(h.Deliver)
	}
	all.Wait()
	want(t, len(g.received()), 5)
	want(t, len(closing.sentRows()), 5)
}

// TestCallback_Reset: what was queued is forgotten, and what is being sent does not come back.
func TestCallback_Reset(t *testing.T) {
	t.Run("Queued", func(t *testing.T) {
		g := newGateway(t)
		h := open(t, g.to)
		h.armCallback("late_callback")
		h.closes(h.held(), accept)
		want(t, h.post("/sandbox/reset", ""), "204")
		h.Advance(24 * time.Hour)
		h.Deliver()
		want(t, len(g.received()), 0)
		want(t, sandboxtest.Text(h.Do(sandboxtest.Keyless("GET", alertsPath, ""))), "200 []")
	})
	for _, by := range []string{"Same", "Other"} {
		t.Run("BeingSentBy"+by, func(t *testing.T) {
			store, g := &sandboxtest.Memory{}, newGateway(t, reply(503, ``))
			h := openOn(t, store, g.to)
			resetting := h
			if by == "Other" {
				resetting = openOn(t, store)
			}
			g.during = func() { want(t, resetting.post("/sandbox/reset", ""), "204") }
			h.closes(h.held(), accept)
			want(t, len(store.Items), 0)
			h.Advance(24 * time.Hour)
			h.Deliver()
			want(t, len(g.received()), 1)
		})
	}
}

// TestCallback_Order: the oldest goes first.
func TestCallback_Order(t *testing.T) {
	store, g := &sandboxtest.Memory{}, newGateway(t)
	h := openOn(t, store)
	ecrn := h.held()
	h.armCallback("late_callback")
	h.closes(ecrn, `{"customer_status":"INACTIVE"}`)
	for _, status := range []string{"ACTIVE", "REJECTED"} {
		h.Advance(time.Second)
		h.closes(ecrn, `{"customer_status":"`+status+`"}`)
	}
	h = openOn(t, store, g.to)
	h.Advance(2 * time.Hour)
	h.Deliver()
	var order []string
	for _, got := range g.received() {
		order = append(order, got.body[strings.LastIndex(got.body, ":")+1:])
	}
	want(t, order, []string{`"ACTIVE"}`, `"REJECTED"}`, `"INACTIVE"}`})
}

func TestCallback_Scheduled(t *testing.T) {
	store, g := &sandboxtest.Memory{}, newGateway(t)
	closing := openOn(t, store)
	closing.closes(closing.held(), accept)
	h := openOn(t, store, g.to)
	payload := `{"version":"0","id":"1","detail-type":"Scheduled Event","source":"aws.events","account":"1","time":"2026-01-02T03:04:05Z",` +
		`"region":"eu-west-1","resources":["arn:aws:events:eu-west-1:1:rule/r"],"detail":{}}`
	answer, err := h.Invoke(t.Context(), []byte(payload))
	if err != nil || string(answer) != "null" {
		t.Errorf("got %s, %v", answer, err)
	}
	want(t, len(g.received()), 1)
	broken := openOn(t, &sandboxtest.Memory{}, func(o *sandbox.Options) {
		o.Callbacks.BaseURL = func(context.Context) (string, error) { return "", errors.New("none") }
	})
	broken.closes(broken.held(), accept)
	if _, err := broken.Invoke(t.Context(), []byte(payload)); err == nil {
		t.Error("got no error")
	}
}

// TestCallback_Hijackable: a sandbox with connections of its own sends by itself, at once and when a repeat is due, and
// stops when it closes.
func TestCallback_Hijackable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var times []time.Duration
		at := func() []time.Duration {
			mu.Lock()
			defer mu.Unlock()
			return append([]time.Duration{}, times...)
		}
		began := time.Now()
		h := openOn(t, &sandboxtest.Memory{}, func(o *sandbox.Options) {
			o.Hijackable, o.Now, o.TimeScale = true, time.Now, 60
			o.Callbacks.BaseURL = func(context.Context) (string, error) { return "http://gateway", nil }
			o.Callbacks.Client = &http.Client{Transport: sandboxtest.Transport(func(r *http.Request) (*http.Response, error) {
				mu.Lock()
				defer mu.Unlock()
				times = append(times, time.Since(began))
				return &http.Response{StatusCode: 503, Body: http.NoBody, Request: r}, nil
			})}
		})
		synctest.Wait()
		time.Sleep(time.Second) // of the bubble's time
		ecrn := h.held()
		h.closes(ecrn, accept)
		synctest.Wait()
		want(t, at(), []time.Duration{time.Second})
		time.Sleep(3 * time.Hour)
		want(
			t, at(), []time.Duration{1 * time.Second, 6 * time.Second, 16 * time.Second, 76 * time.Second, 136 * time.Second},
		)
		h.armCallback("late_callback")
		h.closes(ecrn, accept)
		synctest.Wait()
		h.Close()
		time.Sleep(3 * time.Hour)
		want(t, len(at()), 5)
	})
}

// TestCallback_GatewayHangs: a try ends after ten seconds, and Close does not wait for it.
func TestCallback_GatewayHangs(t *testing.T) {
	hang := func(o *sandbox.Options) {
		o.Now = time.Now
		o.Callbacks.BaseURL = func(context.Context) (string, error) { return "http://gateway", nil }
		o.Callbacks.Client = &http.Client{Transport: sandboxtest.Transport(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		})}
	}
	synctest.Test(t, func(t *testing.T) {
		h := openOn(t, &sandboxtest.Memory{}, hang)
		ecrn, began := h.held(), time.Now()
		h.closes(ecrn, accept)
		want(t, time.Since(began), 10*time.Second)
		want(t, h.sentRows(), []string{"0 false"})
	})
	synctest.Test(t, func(t *testing.T) {
		store := &sandboxtest.Memory{}
		h := openOn(t, store, hang, func(o *sandbox.Options) { o.Hijackable = true })
		h.closes(h.held(), accept)
		synctest.Wait()
		began := time.Now()
		h.Close()
		want(t, time.Since(began), 0)
		want(t, openOn(t, store).sentRows(), []string{"0 false"})
	})
}

// TestCallback_StoreRecovers: trouble of the store delays a callback by five seconds.
func TestCallback_StoreRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sent := make(chan time.Time, 1)
		log := &strings.Builder{}
		h := openOn(t, &sandboxtest.Failing{Store: &sandboxtest.Memory{}, After: 3, Times: 1}, func(o *sandbox.Options) {
			o.Hijackable, o.Now, o.Log = true, time.Now, slog.New(slog.NewJSONHandler(log, nil))
			o.Callbacks.BaseURL = func(context.Context) (string, error) { return "http://gateway", nil }
			o.Callbacks.Client = &http.Client{Transport: sandboxtest.Transport(func(r *http.Request) (*http.Response, error) {
				sent <- time.Now()
				return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader(acknowledgement)), Request: r}, nil
			})}
		})
		synctest.Wait() // it looks into the queue, and sleeps
		began := time.Now()
		h.closes(h.held(), accept)
		want(t, (<-sent).Sub(began), 5*time.Second)
		synctest.Wait()
		want(t, h.sentRows(), []string{"200 true"})
		want(t, strings.Contains(log.String(), "disk full"), true)
	})
}
