package asl

import (
	"cmp"
	"slices"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// Status is how an execution stands, in Step Functions' words.
type Status string

// An execution runs until it ends in one of the others.
const (
	Running   Status = "RUNNING"
	Succeeded Status = "SUCCEEDED"
	Failed    Status = "FAILED"
	TimedOut  Status = "TIMED_OUT"
	Aborted   Status = "ABORTED"
)

// Execution is one run of a machine: all of it, so that it can be stored as JSON and go on in another process. Read
// it freely; only the methods of Machine change it. None of them does so when it returns an error, and none is safe
// for two at a time on one execution.
type Execution struct {
	Name        string         `json:"name"`        // $$.Execution.Name
	Fingerprint string         `json:"fingerprint"` // of the definition
	Status      Status         `json:"status"`
	Input       jsontext.Value `json:"input"`
	StartedAt   time.Time      `json:"started_at"`
	EndedAt     time.Time      `json:"ended_at,omitzero"`
	Output      jsontext.Value `json:"output,omitzero"` // once SUCCEEDED
	Error       *Error         `json:"error,omitzero"`  // once FAILED, TIMED_OUT or ABORTED
	Transitions int            `json:"transitions"`     // as AWS counts them: states entered, and retries
	Events      int            `json:"events"`          // how many happened so far; the ID of the last
	Thread      *Thread        `json:"thread,omitzero"` // until the end
}

// Thread is where the execution, or one iteration of a Map, stands.
type Thread struct {
	Phase     Phase          `json:"phase"`
	State     string         `json:"state"`
	Path      []int          `json:"path,omitzero"` // indexes of the Map iterations that this one lies in
	Input     jsontext.Value `json:"input"`         // of the state
	EnteredAt time.Time      `json:"entered_at,omitzero"`
	EntryID   int            `json:"entry_id,omitzero"` // of the event
	Retries   []int          `json:"retries,omitzero"`  // taken so far, by retrier of the state
	Until     time.Time      `json:"until,omitzero"`    // while waiting or before a retry
	Task      *Attempt       `json:"task,omitzero"`
	Map       *Iterations    `json:"map,omitzero"`
	Output    jsontext.Value `json:"output,omitzero"` // once done
	Error     *Error         `json:"error,omitzero"`  // once failed
}

// Phase is what a thread does.
type Phase string

// The phases of a thread.
const (
	Entering  Phase = "entering"  // the state is next
	Scheduled Phase = "scheduled" // its function is to be invoked
	Submitted Phase = "submitted" // its task token is to be answered
	Settled   Phase = "settled"   // its task has ended, the state not yet
	Waiting   Phase = "waiting"   // a Wait state
	Retrying  Phase = "retrying"  // a retry is due later
	Mapping   Phase = "mapping"   // its iterations run
	Done      Phase = "done"
	Broken    Phase = "failed"
)

// Attempt is one attempt of a Task state.
type Attempt struct {
	ID       int            `json:"id"` // of the event that scheduled it
	Payload  jsontext.Value `json:"payload"`
	Token    string         `json:"token,omitzero"`
	Timeout  int            `json:"timeout,omitzero"`  // seconds
	Deadline time.Time      `json:"deadline,omitzero"` // while submitted
	Output   jsontext.Value `json:"output,omitzero"`   // once settled
	Error    *Error         `json:"error,omitzero"`    // once settled
}

// Iterations is a running Map state.
type Iterations struct {
	Total   int       `json:"total"`
	Started []*Thread `json:"started"` // in the order of the items
}

// Start begins an execution, at the start of which nothing has happened yet: Step makes it move. It fails with
// ErrInvalidOutput or ErrTooLarge if the input can't be one.
func (m *Machine) Start(name string, input []byte, now time.Time) (*Execution, error) {
	v, err := decode(input, false)
	if err != nil {
		return nil, ErrInvalidOutput
	}
	text := encode(v)
	if len(text) > MaxPayload {
		return nil, ErrTooLarge
	}
	return &Execution{
		Name: name, Fingerprint: m.fingerprint, Status: Running, Input: text, StartedAt: now,
		Thread: &Thread{Phase: Entering, State: m.start, Input: text},
	}, nil
}

// Abort ends a running execution, as StopExecution does; error and cause may be empty. It returns what happened, which
// is nothing if the execution had ended.
func (m *Machine) Abort(ex *Execution, now time.Time, name, cause string) []Event {
	if ex.Status != Running {
		return nil
	}
	r := &run{m: m, ex: ex, now: now}
	r.end(Aborted, nil, mended(name, cause))
	return r.events
}

// Wait is a task token that is waited for.
type Wait struct {
	Token     string
	State     string
	Path      []int
	Since     time.Time // when the state was entered
	ExpiresAt time.Time // by TimeoutSeconds; zero for never
}

// Waits lists the task tokens that are waited for, the one that expires first at the beginning.
func (ex *Execution) Waits() []Wait {
	var waits []Wait
	ex.each(func(t *Thread) {
		if t.Phase == Submitted && t.Task != nil {
			waits = append(waits, Wait{t.Task.Token, t.State, t.Path, t.EnteredAt, t.Task.Deadline})
		}
	})
	slices.SortStableFunc(waits, func(a, b Wait) int {
		return cmp.Or(never(a.ExpiresAt).Compare(never(b.ExpiresAt)), a.Since.Compare(b.Since))
	})
	return waits
}

// never puts the zero time at the end of all times.
func never(t time.Time) time.Time {
	if t.IsZero() {
		return time.Unix(1<<40, 0)
	}
	return t
}

// each calls fn for every thread that has not ended, outer ones first.
func (ex *Execution) each(fn func(*Thread)) {
	var visit func(*Thread)
	visit = func(t *Thread) {
		if t == nil || t.Phase == Done || t.Phase == Broken {
			return
		}
		fn(t)
		if t.Map != nil {
			for _, iteration := range t.Map.Started {
				visit(iteration)
			}
		}
	}
	if ex.Status == Running {
		visit(ex.Thread)
	}
}

// find returns the thread whose task fits.
func (ex *Execution) find(fits func(*Thread) bool) *Thread {
	var found *Thread
	ex.each(func(t *Thread) {
		if found == nil && t.Task != nil && fits(t) {
			found = t
		}
	})
	return found
}
