// Package sandbox simulates the partners: stateful, from their contracts, so that the gateway can be developed,
// tested and shown without an account at any of them. Every documented outcome can be had by a fixture value, every
// failure of the network and of the partner by arming a fault, and the log of requests says what had an effect.
//
// This package is the frame: store, clock, faults, callbacks, pages, admin routes. Each simulated partner is a package
// below it, which imports nothing else of functions: the two sides of a contract are written twice, so that they can
// disagree in a test. Package simulators lists them.
package sandbox

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"path"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
)

// Options configure a Sandbox. The zero value works: real time, no partners, the admin routes closed.
type Options struct {
	// Now is the clock; nil for time.Now.
	Now func() time.Time
	// TimeScale is how many sandbox seconds pass in a real one, so that ten minutes can pass in a second. It scales
	// durations; timestamps stay real. 1 where it is not a positive number.
	TimeScale float64
	// Hijackable says that requests come over a connection that can be held, reset and cut: not so behind API Gateway.
	Hijackable bool
	// Authenticate returns nil for a request that carries a caller's key. It guards the admin routes; nil refuses all.
	Authenticate func(*http.Request) error
	// NewID returns a new UUID in its text form; nil for random ones.
	NewID func() string
	// Log gets a line per request with its partner, operation, status, effect and fault, and no more of it. nil for
	// none.
	Log *slog.Logger

	Simulators []Simulator     // the simulated partners; no two may have the same name
	Callbacks  CallbackOptions // how they reach the gateway
}

// Sandbox serves the simulated partners under /sandbox/{partner}/, what their staff do by hand among them, and four
// admin routes that need a caller's key: GET /sandbox/requests, POST /sandbox/faults, POST /sandbox/settings and POST
// /sandbox/reset. It sends the partners' callbacks.
type Sandbox struct {
	store    Store
	opts     Options
	clock    clock
	limiters map[string]*limiter // by partner
	mux      *http.ServeMux
	routes   map[string]*route // by pattern of mux
	instance string            // tells the log rows of processes apart

	mu         sync.Mutex
	stamp      int64 // of the last arrival
	generation int   // raised by each reset
	closed     bool
	done       <-chan struct{} // closed by Close
	stop       context.CancelFunc
	nudge      chan struct{}  // wakes what sends callbacks
	running    sync.WaitGroup // requests, and what sends callbacks
}

// New returns a sandbox that keeps its state in store.
func New(store Store, opts Options) *Sandbox {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if !(opts.TimeScale > 0) || math.IsInf(opts.TimeScale, 1) {
		opts.TimeScale = 1
	}
	if opts.Authenticate == nil {
		opts.Authenticate = func(*http.Request) error { return errors.New("sandbox: admin routes are closed") }
	}
	if opts.NewID == nil {
		opts.NewID = uuid.NewString
	}
	if opts.Callbacks.Client == nil {
		opts.Callbacks.Client = newCallbackClient()
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	opts.Simulators = slices.Clone(opts.Simulators)
	s := &Sandbox{
		store:    store,
		opts:     opts,
		clock:    clock{now: opts.Now, scale: opts.TimeScale},
		limiters: map[string]*limiter{},
		mux:      http.NewServeMux(),
		routes:   map[string]*route{},
		instance: rand.Text()[:8],
		nudge:    make(chan struct{}, 1),
	}
	ctx, stop := context.WithCancel(context.Background())
	s.done, s.stop = ctx.Done(), stop
	for i := range s.opts.Simulators {
		sim := &s.opts.Simulators[i]
		s.limiters[sim.Name] = &limiter{rate: sim.RequestsPerSecond, clock: s.clock}
		for _, e := range sim.Endpoints {
			op := &route{Operation: sim.operation(e), endpoint: e, simulator: sim}
			pattern := op.Method + " /sandbox/" + op.Partner + op.Path
			s.routes[pattern] = op
			s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { s.serve(op, w, r) })
		}
		for _, route := range sim.Manual {
			s.mux.Handle(route.Method+" /sandbox/"+sim.Name+route.Path, s.answered(s.serveManual(sim, route)))
		}
	}
	s.mux.Handle("GET /sandbox/requests", s.admin(s.requests))
	s.mux.Handle("POST /sandbox/faults", s.admin(s.armFault))
	s.mux.Handle("POST /sandbox/settings", s.admin(s.setSetting))
	s.mux.Handle("POST /sandbox/reset", s.admin(s.reset))
	if s.opts.Hijackable && s.opts.Callbacks.BaseURL != nil {
		s.running.Go(func() { s.deliverCallbacks(ctx) })
	}
	return s
}

// Close ends what faults are holding, lets every late_effect have its effect and waits for the requests under way.
// Requests after it are answered with 503. The store is the caller's to close afterwards.
func (s *Sandbox) Close() error {
	s.mu.Lock()
	if !s.closed {
		s.closed = true
		s.stop()
	}
	s.mu.Unlock()
	s.running.Wait()
	return nil
}

// begin counts a request in, and reports false after Close.
func (s *Sandbox) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.running.Add(1)
	return true
}

// ServeHTTP answers any request. It panics with http.ErrAbortHandler only, where a fault must cut a connection that
// can't be taken over.
func (s *Sandbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer s.survive(w, r)
	if !s.begin() {
		writeProblem(w, NewProblem(http.StatusServiceUnavailable, "the sandbox is closed"))
		return
	}
	defer s.running.Done()
	if _, pattern := s.match(r); pattern == "" {
		s.unknown(w, r)
		return
	}
	s.mux.ServeHTTP(w, r)
}

// survive turns a panic into a 500. The log gets where it was, not its value, which may hold what was in the request.
func (s *Sandbox) survive(w http.ResponseWriter, r *http.Request) {
	v := recover()
	if v == nil {
		return
	}
	if v == http.ErrAbortHandler {
		panic(v)
	}
	s.opts.Log.LogAttrs(r.Context(), slog.LevelError, "sandbox panicked", slog.String("stack", string(debug.Stack())))
	writeProblem(w, NewProblem(http.StatusInternalServerError, "the sandbox itself failed"))
}

// match returns the pattern that a request's method and path fall under, or "". A path that is not clean falls under
// none: a partner does not redirect.
func (s *Sandbox) match(r *http.Request) (http.Handler, string) {
	if !strings.HasPrefix(r.URL.Path, "/") ||
		strings.TrimSuffix(r.URL.Path, "/") != strings.TrimSuffix(path.Clean(r.URL.Path), "/") {
		return nil, ""
	}
	return s.mux.Handler(r)
}

// route returns the operation that a request would reach, or nil.
func (s *Sandbox) route(r *http.Request) *route {
	_, pattern := s.match(r)
	return s.routes[pattern]
}

// unknown answers what falls under no pattern: 405 where another method would, else 404, with what there is.
func (s *Sandbox) unknown(w http.ResponseWriter, r *http.Request) {
	var allow []string
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		if _, pattern := s.match(&http.Request{Method: method, URL: r.URL, Host: r.Host}); pattern != "" {
			allow = append(allow, method)
		}
	}
	if allow != nil {
		w.Header().Set("Allow", strings.Join(allow, ", "))
		writeProblem(w, NewProblem(http.StatusMethodNotAllowed, "the path takes another method", allow...))
		return
	}
	rest, _ := strings.CutPrefix(r.URL.Path, "/sandbox/")
	name, _, _ := strings.Cut(rest, "/")
	sim := find(s.opts.Simulators, name)
	if sim == nil {
		names := partnerNames(s.opts.Simulators)
		writeProblem(w, NewProblem(http.StatusNotFound, "there is no such partner or route in the sandbox", names...))
		return
	}
	var paths []string
	for _, e := range sim.Endpoints {
		paths = append(paths, e.Method+" /sandbox/"+sim.Name+e.Path)
	}
	for _, route := range sim.Manual {
		paths = append(paths, route.Method+" /sandbox/"+sim.Name+route.Path)
	}
	writeProblem(w, NewProblem(http.StatusNotFound, sim.Name+" has no such path", paths...))
}

// route is what serves an operation.
type route struct {
	Operation
	endpoint  Endpoint
	simulator *Simulator
}

// serve answers a request to a partner's operation.
func (s *Sandbox) serve(op *route, w http.ResponseWriter, r *http.Request) {
	came := s.arrive()
	sim := op.simulator

	// Body: read to its end before anything happens, which also lets the server notice when the client goes.
	body, err := readBody(w, r, cmp.Or(op.endpoint.MaxBody, maxBody))
	var unreadable *Problem
	errors.As(err, &unreadable)

	// Throttle: what the partner's API gateway would do before the partner saw anything.
	throttled := unreadable == nil && sim.Client != nil && !s.limiters[sim.Name].allow(sim.Client(r), came.at)

	// Act: the fault that is used up, the effect and the row of the log are one transaction. It goes on when the client
	// has gone, as a partner would.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), transactionTimeout)
	defer cancel()
	c := Call{Request: r, Body: body, Now: came.at, Operation: op.Name, sandbox: s, simulator: sim, endpoint: &op.endpoint}
	var f fault
	var out Answer
	err = s.store.Update(ctx, func(tx Tx) (err error) {
		f, out = fault{}, Answer{}
		c.begin(tx)
		switch {
		case unreadable != nil:
			return record(tx, op.Partner, op.Name, came, unreadable.Status, false)
		case throttled:
			out = c.Failures().Throttled
			return cmp.Or(c.err, record(tx, op.Partner, op.Name, came, out.Status, false))
		}
		if f, err = take(tx, op.Partner, op.Name, s.arrived); err != nil {
			return err
		}
		if f.timing == effectLate {
			return nil // the row comes with the effect
		}
		out, err = s.act(op, &c, f)
		if err != nil {
			return err
		}
		return record(tx, op.Partner, op.Name, came, shown(f, out), out.Effect)
	})

	// Trouble of our own: never disguised as the partner's answer, and in the log where that still works.
	if err != nil {
		s.logFailure(ctx, op, err)
		_ = s.store.Update(ctx, func(tx Tx) error {
			return record(tx, op.Partner, op.Name, came, http.StatusInternalServerError, false)
		})
		writeProblem(w, NewProblem(http.StatusInternalServerError, "the sandbox itself failed; the partner did nothing"))
		return
	}
	s.opts.Log.LogAttrs(ctx, slog.LevelInfo, "sandbox request", slog.String("partner", op.Partner),
		slog.String("operation", op.Name), slog.Int("status", shown(f, out)), slog.Bool("effect", out.Effect),
		slog.String("fault", f.Name))
	if unreadable != nil {
		writeProblem(w, unreadable)
		return
	}

	if c.queued > 0 {
		defer s.sendCallbacks(r.Context())()
	}

	// Deliver: the answer, or what the fault makes of it.
	s.deliver(f, out, func() { s.actLate(op, c, came) }, w, r)
}

// transactionTimeout ends a transaction that its store does not.
const transactionTimeout = 20 * time.Second

// act lets the operation answer, unless the fault comes first, and puts the fault's answer in the place of its own.
func (s *Sandbox) act(op *route, c *Call, f fault) (out Answer, err error) {
	defer func() {
		if recover() != nil {
			err = fmt.Errorf("sandbox: panicked: %s", debug.Stack())
		}
	}()
	if f.timing != effectNever {
		out = op.endpoint.Handle(c)
	}
	if f.answer != nil {
		effect := out.Effect
		out = f.answer(c.Failures())
		out.Effect = effect
	}
	if f.revokes && c.simulator.Revoke != nil {
		c.simulator.Revoke(c)
	}
	return out, c.err
}

// actLate has the effect of a request whose client has gone, and writes its row, unless everything has been forgotten
// in the meantime.
func (s *Sandbox) actLate(op *route, c Call, came arrival) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.Request.Context()), transactionTimeout)
	defer cancel()
	c.Now = s.clock.now()
	err := s.store.Update(ctx, func(tx Tx) error {
		if s.forgotten(came.generation) {
			return nil
		}
		c.begin(tx)
		out, err := s.act(op, &c, fault{})
		if err != nil {
			return err
		}
		return record(tx, op.Partner, op.Name, came, 0, out.Effect)
	})
	if err != nil {
		s.logFailure(ctx, op, err)
	}
	if c.queued > 0 {
		s.sendCallbacks(ctx)()
	}
}

func (s *Sandbox) logFailure(ctx context.Context, op *route, err error) {
	s.opts.Log.LogAttrs(ctx, slog.LevelError, "sandbox failed", slog.String("partner", op.Partner),
		slog.String("operation", op.Name), slog.Any("error", err))
}

// forgotten reports whether there was a reset since.
func (s *Sandbox) forgotten(generation int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.generation != generation
}

// shown is the status that the log shows for an answer.
func shown(f fault, out Answer) int {
	switch f.deliver {
	case hold, reset:
		return 0
	}
	return out.Status
}
