// Package local runs journeys on one machine: package asl interprets their definitions, and every step is written to a
// file before anything is done about it, so that an execution goes on where it was when the process ends in whatever way.
package local

import (
	"bytes"
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

	"github.com/google/uuid"
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

	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu    sync.Mutex
	locks map[string]*sync.Mutex // of executions and of their drivers, one at a time each
}

var (
	executions = []byte("orchestrator/executions") // name → stored
	settings   = []byte("orchestrator/settings")
	baseKey    = []byte("base")
)

// stored is an execution as it lies in the file.
type stored struct {
	Machine    string          `json:"machine"`
	Definition json.RawMessage `json:"definition"` // that it was started with, and ends with
	Execution  *asl.Execution  `json:"execution"`
	Settled    bool            `json:"settled"` // its end has been told
}

// machine returns the machine that runs a stored execution: today's, or the one that it began with.
func (r *Orchestrator) machine(s stored) (*asl.Machine, error) {
	if m := r.o.Machines[s.Machine]; m != nil && bytes.Equal(compact(m.Definition()), s.Definition) {
		return m, nil
	}
	return asl.Parse(s.Definition)
}

func compact(text []byte) []byte {
	var out bytes.Buffer
	if err := json.Compact(&out, text); err != nil {
		return text
	}
	return out.Bytes()
}

// New makes an Orchestrator on a file; Resume sets going what is in it.
func New(db *bolt.DB, o Options) (*Orchestrator, error) {
	if o.TimeScale <= 0 {
		o.TimeScale = 1
	}
	r := &Orchestrator{db: db, o: o, locks: map[string]*sync.Mutex{}}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	return r, db.Update(func(tx *bbolt.Tx) error {
		if _, err := tx.CreateBucketIfNotExists(executions); err != nil {
			return err
		}
		bucket, err := tx.CreateBucketIfNotExists(settings)
		if err != nil {
			return err
		}
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
		return bucket.Put(baseKey, text)
	})
}

// Resume sets every execution going that has not ended, or whose end has not been told.
func (r *Orchestrator) Resume() error {
	var names []string
	err := r.db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket(executions).ForEach(func(name, text []byte) error {
			var s stored
			if err := json.Unmarshal(text, &s); err != nil {
				return fmt.Errorf("execution %s: %w", name, err)
			}
			if !s.Settled {
				names = append(names, string(name))
			}
			return nil
		})
	})
	for _, name := range names {
		r.goOn(name)
	}
	return err
}

// Close stops driving; what runs goes on with the next Resume.
func (r *Orchestrator) Close() {
	r.cancel()
	r.wg.Wait()
}

// Start starts an execution. That one of this name has been started already is success.
func (r *Orchestrator) Start(_ context.Context, machine, name string, input []byte) error {
	m := r.o.Machines[machine]
	if m == nil {
		return fmt.Errorf("orchestrator: no state machine %q", machine)
	}
	id := asl.Identity{
		ID:        "arn:aws:states:local:000000000000:execution:" + machine + ":" + name,
		MachineID: "arn:aws:states:local:000000000000:stateMachine:" + machine, Name: name, MachineName: machine,
	}
	execution, err := m.Start(id, input, r.now())
	if err != nil {
		return err
	}
	err = r.db.Update(func(tx *bbolt.Tx) error {
		if tx.Bucket(executions).Get([]byte(name)) != nil {
			return errStarted
		}
		return put(tx, name, stored{Machine: machine, Definition: compact(m.Definition()), Execution: execution})
	})
	if errors.Is(err, errStarted) {
		return nil
	}
	if err == nil {
		r.goOn(name)
	}
	return err
}

var errStarted = errors.New("orchestrator: started before")

// Answer completes the task that waits with the token; orchestrator.ErrGone where none does.
func (r *Orchestrator) Answer(_ context.Context, token string, output []byte) error {
	name, _, _ := strings.Cut(token, tokenSeparator)
	defer r.lock(name)()
	s, err := r.load(name)
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
	if err == nil {
		err = r.save(name, s)
	}
	if err == nil {
		r.goOn(name)
	}
	return err
}

// Stop aborts an execution. That it has ended, or was never started, is success.
func (r *Orchestrator) Stop(_ context.Context, _, name, cause string) error {
	defer r.lock(name)()
	s, err := r.load(name)
	if err != nil || s.Execution == nil || s.Execution.Status != asl.Running {
		return err
	}
	machine, err := r.machine(s)
	if err != nil {
		return err
	}
	machine.Abort(s.Execution, r.now(), cause, "")
	if err := r.save(name, s); err != nil {
		return err
	}
	r.goOn(name)
	return nil
}

// Execution returns an execution as it was last written, for tests and for people who look.
func (r *Orchestrator) Execution(name string) (*asl.Execution, error) {
	s, err := r.load(name)
	return s.Execution, err
}

// goOn drives an execution until it ends or waits.
func (r *Orchestrator) goOn(name string) {
	r.wg.Go(func() {
		if err := r.drive(name); err != nil && r.ctx.Err() == nil {
			r.o.Log.Error("execution not driven", "cause", err)
			r.later(name, time.Second)
		}
	})
}

// later drives an execution after a while, unless the process ends before.
func (r *Orchestrator) later(name string, d time.Duration) {
	r.wg.Go(func() {
		timer := time.NewTimer(max(d, 0))
		defer timer.Stop()
		select {
		case <-timer.C:
			r.goOn(name)
		case <-r.ctx.Done():
		}
	})
}

// drive steps an execution until it ends or waits. While a function runs, the execution is nobody's: it may be stopped
// then, and the function itself may answer the token that it was given.
func (r *Orchestrator) drive(name string) error {
	defer r.lock(driver + name)()
	unlock := r.lock(name)
	defer func() { unlock() }()
	s, err := r.load(name)
	if err != nil || s.Execution == nil || s.Settled {
		return err
	}
	machine, err := r.machine(s)
	if err != nil {
		return err
	}
	env := asl.Env{Now: r.now, Rand: mathrand.Float64, UUID: uuid.NewString,
		Token: func() string { return name + tokenSeparator + rand.Text() }}
	var next asl.Next
	if s.Execution.Status == asl.Running {
		var unread error
		invoke := func(ctx context.Context, in asl.Invocation) ([]byte, error) {
			unlock()
			out, failed := r.invoke(ctx, in)
			unlock = r.lock(name)
			var changed stored
			if changed, unread = r.load(name); unread == nil {
				*s.Execution = *changed.Execution
			}
			return out, failed
		}
		save := func(events []asl.Event) error {
			if unread != nil {
				return unread
			}
			if r.o.History != nil {
				r.o.History(name, events)
			}
			return r.save(name, s)
		}
		if next, err = machine.Drive(r.ctx, s.Execution, env, invoke, save); err != nil {
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

// settle tells the end of an execution, until it has been heard.
func (r *Orchestrator) settle(name string, s stored) error {
	change := orchestrator.StatusChange{Name: name, Status: string(s.Execution.Status), Input: string(s.Execution.Input)}
	if s.Execution.Error != nil {
		change.Error = s.Execution.Error.Name
	}
	if err := r.o.Ended(r.ctx, change); err != nil {
		return err
	}
	s.Settled = true
	return r.save(name, s)
}

// invoke runs a function as Lambda would, and reports its error by the bare name of its type.
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
	ctx, cancel := context.WithTimeout(ctx, r.o.InvocationTimeout)
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
		l = &sync.Mutex{}
		r.locks[name] = l
	}
	r.mu.Unlock()
	l.Lock()
	return l.Unlock
}

// load returns a zero value where there is no execution of the name.
func (r *Orchestrator) load(name string) (s stored, err error) {
	err = r.db.View(func(tx *bbolt.Tx) error {
		text := tx.Bucket(executions).Get([]byte(name))
		if text == nil {
			return nil
		}
		return json.Unmarshal(text, &s)
	})
	return s, err
}

func (r *Orchestrator) save(name string, s stored) error {
	return r.db.Update(func(tx *bbolt.Tx) error { return put(tx, name, s) })
}

func put(tx *bbolt.Tx, name string, s stored) error {
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return tx.Bucket(executions).Put([]byte(name), text)
}
