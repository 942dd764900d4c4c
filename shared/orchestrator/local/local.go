// Package local runs journeys on one machine: package asl interprets their definitions, and every step is written to a
// file before anything is done about it, so that an execution goes on where it was when the process ends in whatever
// way.
package local

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"reflect"
	"strings"
	"sync"
	"time"

	"go.etcd.io/bbolt"

	"sallyport/shared/asl"
	"sallyport/shared/bolt"
	"sallyport/shared/orchestrator"
)

// Function is what a Task invokes: a lambda.Handler.
type Function interface {
	Invoke(ctx context.Context, payload []byte) ([]byte, error)
}

// Options are what executions need. All fields are required but TimeScale and History.
type Options struct {
	Machines  map[string]*asl.Machine // by the journey's type
	Functions map[string]Function     // by the names that the definitions use
	Ended     func(context.Context, orchestrator.StatusChange) error
	Log       *slog.Logger
	TimeScale float64 // seconds that pass for waits and retries in a real one; 1 where zero
	// InvocationTimeout is how long a function may run.
	InvocationTimeout time.Duration
	// History gets what happens in executions, for tests.
	History func(name string, events []asl.Event)
}

// Orchestrator runs executions. Start it with Resume, end it with Close.
type Orchestrator struct {
	db   *bolt.DB
	o    Options
	base base

	older sync.Map // *asl.Machine by the fingerprint of its definition, which is not in use any more

	ctx    context.Context
	cancel context.CancelFunc // holding mu, so that nothing begins afterwards
	wg     sync.WaitGroup

	mu     sync.Mutex
	locks  map[string]*lock       // of executions and of their drivers, while somebody wants them
	timers map[string]*time.Timer // of executions that wait
}

// lock lets one at a time do something with an execution, or drive it.
type lock struct {
	sync.Mutex
	wanted int // by how many, the one who has it among them; guarded by Orchestrator.mu
}

// New makes an Orchestrator on a file; Resume sets going what is in it.
func New(db *bolt.DB, o Options) (*Orchestrator, error) {
	if o.TimeScale <= 0 {
		o.TimeScale = 1
	}
	r := &Orchestrator{db: db, o: o, locks: map[string]*lock{}, timers: map[string]*time.Timer{}}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	return r, db.Update(func(tx *bbolt.Tx) error {
		if err := bolt.CreateBuckets(tx, executions, ended, endings, definitions, settings); err != nil {
			return err
		}
		bucket := tx.Bucket(settings)
		now := time.Now().Round(0)
		r.base = base{Real: now, Scaled: now, Scale: o.TimeScale}
		if text := bucket.Get(baseKey); text != nil {
			var old base
			if err := json.Unmarshal(text, &old); err != nil {
				return err
			}
			r.base.Scaled = old.at(now) // time goes on from where it was, also when its scale has changed
		}
		text, err := json.Marshal(r.base)
		if err != nil {
			return err
		}
		if err := bucket.Put(baseKey, text); err != nil {
			return err
		}
		return sweep(tx, now)
	})
}

// resuming is how many executions Resume drives at a time, so that its memory does not grow with their number.
const resuming = 64

// Resume sets every execution going that has not ended, or whose end is not reported yet. It does not wait for them.
func (r *Orchestrator) Resume() error {
	names, err := r.names()
	if err != nil {
		return err
	}
	queue := make(chan string)
	for range resuming {
		r.wg.Go(func() {
			for name := range queue {
				r.driveOrRetry(name)
			}
		})
	}
	r.wg.Go(func() {
		defer close(queue)
		for _, name := range names {
			select {
			case queue <- name:
			case <-r.ctx.Done():
				return
			}
		}
	})
	return nil
}

// Close stops driving and waits for the functions that run, whose results are kept; executions go on with the next
// Resume.
func (r *Orchestrator) Close() {
	r.mu.Lock()
	r.cancel()
	for _, timer := range r.timers {
		timer.Stop()
	}
	r.mu.Unlock()
	r.wg.Wait()
}

// Start starts an execution. That one of this name has been started already is success, for as long as it runs and for
// the retention after its end.
func (r *Orchestrator) Start(_ context.Context, machine, name string, input []byte) error {
	m := r.o.Machines[machine]
	if m == nil {
		return fmt.Errorf("orchestrator: no state machine %q", machine)
	}
	if started, err := r.started(name); started || err != nil {
		return err
	}
	execution, err := m.Start(name, input, r.now())
	if err != nil {
		return err
	}
	next, err := m.Step(execution, r.env(name)) // what it does first is in its first commit
	if err != nil {
		return err
	}
	created, err := r.create(name, stored{Machine: machine, Definition: m.Definition(), Execution: execution})
	if err != nil || !created {
		return err
	}
	r.record(name, next.Events)
	r.goOn(name)
	return nil
}

// Answer completes the task that waits with the token; orchestrator.ErrGone where none does.
func (r *Orchestrator) Answer(_ context.Context, token string, output []byte) error {
	name, _, _ := strings.Cut(token, tokenSeparator)
	defer r.lock(name)()
	s, err := r.load(name, executions)
	if err != nil {
		return err
	}
	if s.Execution == nil {
		return orchestrator.ErrGone
	}
	machine, err := r.machine(s)
	if err != nil {
		return err
	}
	err = machine.SendTaskSuccess(s.Execution, r.now(), token, output)
	if errors.Is(err, asl.ErrTaskClosed) {
		return orchestrator.ErrGone
	}
	if err != nil {
		return err
	}
	next, err := machine.Step(s.Execution, r.env(name)) // what the answer leads to is in its commit
	if err != nil {
		return err
	}
	if err := r.save(name, s, next.Events); err != nil {
		return err
	}
	r.goOn(name)
	return nil
}

// Stop aborts an execution. That it has ended, or was never started, is success.
func (r *Orchestrator) Stop(_ context.Context, _, name, cause string) error {
	defer r.lock(name)()
	s, err := r.load(name, executions)
	if err != nil || s.Execution == nil || s.Execution.Status != asl.Running {
		return err
	}
	machine, err := r.machine(s)
	if err != nil {
		return err
	}
	events := machine.Abort(s.Execution, r.now(), cause, "")
	if err := r.save(name, s, events); err != nil {
		return err
	}
	r.goOn(name)
	return nil
}

// Execution returns an execution as it was last written, for tests and for people who look; nil if there is none, or
// none any more.
func (r *Orchestrator) Execution(name string) (*asl.Execution, error) {
	s, err := r.load(name, executions, ended)
	return s.Execution, err
}

// goOn drives an execution until it ends or waits, unless the orchestrator is closed.
func (r *Orchestrator) goOn(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ctx.Err() == nil {
		r.wg.Go(func() { r.driveOrRetry(name) })
	}
}

func (r *Orchestrator) driveOrRetry(name string) {
	if err := r.drive(name); err != nil && r.ctx.Err() == nil {
		r.o.Log.Error("execution not driven", "cause", err)
		r.later(name, time.Second)
	}
}

// later drives an execution after a while, in the place of any time that was set for it before.
func (r *Orchestrator) later(name string, d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forget(name)
	if r.ctx.Err() == nil {
		r.timers[name] = time.AfterFunc(d, func() { r.goOn(name) })
	}
}

// forget drops the time at which an execution was to be driven. The caller holds mu.
func (r *Orchestrator) forget(name string) {
	if timer := r.timers[name]; timer != nil {
		timer.Stop()
		delete(r.timers, name)
	}
}

// drive steps an execution until it ends or waits. While a function runs, the execution is nobody's: it may be stopped
// then, and the function itself may answer the token that it was given.
func (r *Orchestrator) drive(name string) error {
	defer r.lock(driver + name)()
	unlock := r.lock(name)
	defer func() { unlock() }()
	s, err := r.load(name, executions)
	if err != nil || s.Execution == nil {
		return err
	}
	if s.Settled {
		return r.retire(name, s)
	}
	machine, err := r.machine(s)
	if err != nil {
		return err
	}
	var next asl.Next
	if s.Execution.Status == asl.Running {
		var unread error
		invoke := func(ctx context.Context, in asl.Invocation) ([]byte, error) {
			unlock()
			out, failed := r.invoke(ctx, in)
			unlock = r.lock(name)
			var changed stored
			if changed, unread = r.load(name, executions); unread == nil {
				*s.Execution = *changed.Execution
			}
			return out, failed
		}
		save := func(events []asl.Event) error {
			if unread != nil {
				return unread
			}
			return r.save(name, s, events)
		}
		if next, err = machine.Drive(r.ctx, s.Execution, r.env(name), invoke, save); err != nil {
			return err
		}
	}
	if s.Execution.Status != asl.Running {
		return r.settle(name, s)
	}
	if !next.At.IsZero() {
		r.later(name, time.Duration(float64(next.At.Sub(r.now()))/r.o.TimeScale)+time.Millisecond)
	}
	return nil
}

// settle reports the end of an execution. Where that fails, drive is repeated.
func (r *Orchestrator) settle(name string, s stored) error {
	change := orchestrator.StatusChange{Name: name, Status: string(s.Execution.Status), Input: string(s.Execution.Input)}
	if s.Execution.Error != nil {
		change.Error = s.Execution.Error.Name
	}
	if err := r.o.Ended(r.ctx, change); err != nil {
		return err
	}
	return r.retire(name, s)
}

// env is what an execution needs of the world.
func (r *Orchestrator) env(name string) asl.Env {
	token := func() string { return name + tokenSeparator + rand.Text() }
	return asl.Env{Now: r.now, Rand: mathrand.Float64, Token: token}
}

// invoke runs a function as Lambda would, and reports its error by the bare name of its type. One that has begun runs
// to its end though the orchestrator is closed: a call whose answer nobody waits for has an outcome that nobody knows.
func (r *Orchestrator) invoke(ctx context.Context, in asl.Invocation) (out []byte, err error) {
	function := r.o.Functions[in.Function]
	if function == nil {
		return nil, &asl.Error{Name: "Lambda.ResourceNotFoundException", Cause: "no function " + in.Function}
	}
	defer func() {
		if recover() != nil {
			out, err = nil, &asl.Error{Name: asl.LambdaUnknown, Cause: "the function crashed"}
		}
	}()
	if err := r.ctx.Err(); err != nil {
		return nil, err
	}
	limit := time.Now().Add(r.o.InvocationTimeout)
	if earlier, ok := ctx.Deadline(); ok && earlier.Before(limit) {
		limit = earlier
	}
	ctx, cancel := context.WithDeadline(context.WithoutCancel(ctx), limit)
	defer cancel()
	out, err = function.Invoke(ctx, in.Payload)
	if err != nil && r.ctx.Err() == nil {
		return nil, asl.FunctionError(typeName(err), err.Error())
	}
	return out, err
}

func typeName(err error) string {
	t := reflect.TypeOf(err)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.Name()
}

const (
	tokenSeparator = "."
	driver         = "driver of "
)

// base is from where scaled time counts.
type base struct {
	Real   time.Time `json:"real"`
	Scaled time.Time `json:"scaled"`
	Scale  float64   `json:"scale"`
}

func (b base) at(real time.Time) time.Time {
	return b.Scaled.Add(time.Duration(float64(real.Sub(b.Real)) * b.Scale))
}

// now is scaled time: it runs TimeScale times as fast as the clock.
func (r *Orchestrator) now() time.Time { return r.base.at(time.Now()) }

func (r *Orchestrator) lock(name string) (unlock func()) {
	r.mu.Lock()
	l := r.locks[name]
	if l == nil {
		l = &lock{}
		r.locks[name] = l
	}
	l.wanted++
	r.mu.Unlock()
	l.Lock()
	return func() {
		l.Unlock()
		r.mu.Lock()
		defer r.mu.Unlock()
		if l.wanted--; l.wanted == 0 {
			delete(r.locks, name)
		}
	}
}
