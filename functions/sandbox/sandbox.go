// Package sandbox simulates the partners: stateful, from their contracts, so that the gateway can be developed,
// tested and shown without an account at any of them. Every documented outcome can be had by a fixture value, every
// failure of the network and of the partner by arming a fault, and the log of requests says what had an effect.
//
// It imports none of the gateway's partner packages: the two sides of a contract are written twice, so that they can
// disagree in a test.
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
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
)

// Options configure a Sandbox. The zero value works: real time, no wire, the admin routes closed.
type Options struct {
	// Now is the clock; nil for time.Now.
	Now func() time.Time
	// TimeScale is how many sandbox seconds pass in a real one, so that ten minutes can pass in a second. It scales
	// durations; timestamps stay real. 1 where it is not a positive number.
	TimeScale float64
	// Wire says that requests come over a connection that can be held, reset and cut: not so behind API Gateway.
	Wire bool
	// Authenticate returns nil for a request that carries a caller's key. It guards the admin routes; nil refuses all.
	Authenticate func(*http.Request) error
	// NewID returns a new UUID in its text form; nil for random ones.
	NewID func() string
	// Log gets a line per request with its partner, operation, status, effect and fault, and no more of it. nil for none.
	Log *slog.Logger

	Equal  EqualOptions  // zero fields are those of EqualDefaults
	Digit9 Digit9Options // zero fields are those of Digit9Defaults
	Mbanq  MbanqOptions  // zero fields are those of MbanqDefaults
	Iron   IronOptions   // zero fields are those of IronDefaults
	EZTO   EZTOOptions   // zero fields are those of EZTODefaults

	Callbacks CallbackOptions // how the partners reach the gateway
}

// Sandbox serves the simulated partners under /sandbox/{partner}/, what their staff do by hand among them, and four admin
// routes that need a caller's key: GET /sandbox/requests, POST /sandbox/faults, POST /sandbox/settings and POST
// /sandbox/reset. It sends the partners' callbacks.
type Sandbox struct {
	store        Store
	clock        clock
	wire         bool
	callbacks    CallbackOptions
	authenticate func(*http.Request) error
	log          *slog.Logger
	simulators   []*simulator
	mux          *http.ServeMux
	routes       map[string]*operation // by pattern of mux
	instance     string                // tells the log rows of processes apart

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
	s := &Sandbox{
		store:        store,
		clock:        clock{now: opts.Now, scale: opts.TimeScale},
		wire:         opts.Wire,
		callbacks:    opts.Callbacks,
		authenticate: opts.Authenticate,
		log:          opts.Log,
		mux:          http.NewServeMux(),
		routes:       map[string]*operation{},
		instance:     rand.Text()[:8],
		nudge:        make(chan struct{}, 1),
	}
	ctx, stop := context.WithCancel(context.Background())
	s.done, s.stop = ctx.Done(), stop
	s.simulators = simulators(opts, s.clock)
	for _, sim := range s.simulators {
		for i := range sim.operations {
			op := &sim.operations[i]
			op.simulator = sim
			pattern := op.Method + " /sandbox/" + op.Partner + op.Path
			s.routes[pattern] = op
			s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { s.serve(op, w, r) })
		}
		for _, route := range sim.byHand {
			s.mux.Handle(route.method+" /sandbox/"+sim.name+route.path, s.answered(s.doneByHand(sim, route)))
		}
	}
	s.mux.Handle("GET /sandbox/requests", s.admin(s.requests))
	s.mux.Handle("POST /sandbox/faults", s.admin(s.armFault))
	s.mux.Handle("POST /sandbox/settings", s.admin(s.setSetting))
	s.mux.Handle("POST /sandbox/reset", s.admin(s.reset))
	if s.wire && s.callbacks.BaseURL != nil {
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
		writeProblem(w, newProblem(http.StatusServiceUnavailable, "the sandbox is closed"))
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
	s.log.LogAttrs(r.Context(), slog.LevelError, "sandbox panicked", slog.String("stack", string(debug.Stack())))
	writeProblem(w, newProblem(http.StatusInternalServerError, "the sandbox itself failed"))
}

// match returns the pattern that a request's method and path fall under, or "". A path that is not clean falls under
// none: a partner does not redirect.
func (s *Sandbox) match(r *http.Request) (http.Handler, string) {
	if !strings.HasPrefix(r.URL.Path, "/") || strings.TrimSuffix(r.URL.Path, "/") != strings.TrimSuffix(path.Clean(r.URL.Path), "/") {
		return nil, ""
	}
	return s.mux.Handler(r)
}

// route returns the operation that a request would reach, or nil.
func (s *Sandbox) route(r *http.Request) *operation {
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
		writeProblem(w, newProblem(http.StatusMethodNotAllowed, "the path takes another method").at("", "", "", allow))
		return
	}
	rest, _ := strings.CutPrefix(r.URL.Path, "/sandbox/")
	name, _, _ := strings.Cut(rest, "/")
	sim := find(s.simulators, name)
	if sim == nil {
		p := newProblem(http.StatusNotFound, "there is no such partner or route in the sandbox")
		writeProblem(w, p.at("", "", "", partnerNames(s.simulators)))
		return
	}
	var paths []string
	for _, op := range sim.operations {
		paths = append(paths, op.Method+" /sandbox/"+op.Partner+op.Path)
	}
	for _, route := range sim.byHand {
		paths = append(paths, route.method+" /sandbox/"+sim.name+route.path)
	}
	p := newProblem(http.StatusNotFound, sim.name+" has no such path")
	writeProblem(w, p.at("", "", "", paths))
}

// serve answers a request to a partner's operation.
func (s *Sandbox) serve(op *operation, w http.ResponseWriter, r *http.Request) {
	came := s.arrive()
	sim := op.simulator

	// Body: read to its end before anything happens, which also lets the server notice when the client goes.
	body, err := readBody(w, r, cmp.Or(op.maxBody, maxBody))
	var unreadable *problem
	errors.As(err, &unreadable)

	// Throttle: what the partner's API gateway would do before the partner saw anything.
	throttled := unreadable == nil && sim.client != nil && !sim.limiter.allow(sim.client(r), came.at)

	// Act: the fault that is used up, the effect and the row of the log are one transaction. It goes on when the client
	// has gone, as a partner would.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), transactionTimeout)
	defer cancel()
	c := call{request: r, body: body, now: came.at, clock: s.clock, simulator: sim, operation: op}
	var f fault
	var out answer
	err = s.store.Update(ctx, func(tx Tx) (err error) {
		f, out, c.Tx, c.queued = fault{}, answer{}, tx, 0
		switch {
		case unreadable != nil:
			return record(tx, op.Partner, op.Name, came, unreadable.Status, false)
		case throttled:
			out = c.failures().throttled
			return record(tx, op.Partner, op.Name, came, out.status, false)
		}
		if f, err = take(tx, op.Partner, op.Name, s.arrived); err != nil {
			return err
		}
		if f.acts == actsLate {
			return nil // the row comes with the effect
		}
		out, err = s.act(op, &c, f)
		if err != nil {
			return err
		}
		return record(tx, op.Partner, op.Name, came, shown(f, out), out.effect)
	})

	// Trouble of our own: never disguised as the partner's answer, and in the log where that still works.
	if err != nil {
		s.log.LogAttrs(ctx, slog.LevelError, "sandbox failed", slog.String("partner", op.Partner),
			slog.String("operation", op.Name), slog.Any("error", err))
		_ = s.store.Update(ctx, func(tx Tx) error {
			return record(tx, op.Partner, op.Name, came, http.StatusInternalServerError, false)
		})
		writeProblem(w, newProblem(http.StatusInternalServerError, "the sandbox itself failed; the partner did nothing"))
		return
	}
	s.log.LogAttrs(ctx, slog.LevelInfo, "sandbox request", slog.String("partner", op.Partner),
		slog.String("operation", op.Name), slog.Int("status", shown(f, out)), slog.Bool("effect", out.effect),
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
func (s *Sandbox) act(op *operation, c *call, f fault) (out answer, err error) {
	defer func() {
		if recover() != nil {
			err = fmt.Errorf("sandbox: panicked: %s", debug.Stack())
		}
	}()
	if f.acts != actsNever {
		if out, err = op.handle(c); err != nil {
			return answer{}, err
		}
	}
	if f.answer != nil {
		effect := out.effect
		out = f.answer(c.failures())
		out.effect = effect
	}
	if f.revokes && c.simulator.revoke != nil {
		err = c.simulator.revoke(c)
	}
	return out, err
}

// actLate has the effect of a request whose client has gone, and writes its row, unless everything has been forgotten
// in the meantime.
func (s *Sandbox) actLate(op *operation, c call, came arrival) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.request.Context()), transactionTimeout)
	defer cancel()
	c.now = s.clock.now()
	err := s.store.Update(ctx, func(tx Tx) error {
		if s.forgotten(came.generation) {
			return nil
		}
		c.Tx, c.queued = tx, 0
		out, err := s.act(op, &c, fault{})
		if err != nil {
			return err
		}
		return record(tx, op.Partner, op.Name, came, 0, out.effect)
	})
	if err != nil {
		s.log.LogAttrs(ctx, slog.LevelError, "sandbox failed", slog.String("partner", op.Partner),
			slog.String("operation", op.Name), slog.Any("error", err))
	}
	if c.queued > 0 {
		s.sendCallbacks(ctx)()
	}
}

// forgotten reports whether there was a reset since.
func (s *Sandbox) forgotten(generation int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.generation != generation
}

// shown is the status that the log shows for an answer.
func shown(f fault, out answer) int {
	switch f.deliver {
	case hold, reset:
		return 0
	}
	return out.status
}
