package asl

import (
	"fmt"
	"slices"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// Env is what an execution needs of the world. All of it must be set.
type Env struct {
	Now   func() time.Time
	Rand  func() float64 // within [0,1), for jitter
	Token func() string  // a new task token that can't be guessed
}

// Next is what has to happen after a step.
type Next struct {
	Status      Status
	Again       bool         // Step again at once; it only paused to be persisted
	Invocations []Invocation // to be made now, in any order or at the same time; including those already under way
	At          time.Time    // Step again at this time at the latest; zero if nothing is due by itself
	Events      []Event      // what happened during the step; none if it changed nothing
}

// What one step, and one execution, may consist of at most.
const (
	maxWork   = 1000
	maxEvents = 25_000 // docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
)

// Step advances an execution as far as it goes without the outside: until it has ended or everything in it waits. It
// invokes nothing, so that what it says next can be persisted before it happens. Persist the execution and the events
// together, then do what Next says; report what came of an invocation to Returned, and step again.
//
// A step that was not persisted may be repeated: nobody has seen its tokens or delays. It fails with ErrOtherDefinition
// and changes nothing in an execution that is not this machine's.
func (m *Machine) Step(ex *Execution, env Env) (Next, error) {
	r := &run{m: m, ex: ex, env: env, now: env.Now()}
	if ex.Status != Running {
		return Next{Status: ex.Status}, nil
	}
	if ex.Fingerprint != m.fingerprint || !m.owns(ex.Thread) || m.states[ex.Thread.State] == nil {
		return Next{}, ErrOtherDefinition
	}
	if ex.Events == 0 {
		r.emit(Event{Type: ExecutionStarted, Input: ex.Input})
	}
	for range maxWork {
		if deadline, ok := m.deadline(ex); ok && !r.now.Before(deadline) {
			r.end(TimedOut, nil, &Error{Name: StatesTimeout})
			break
		}
		if ex.Events >= maxEvents {
			r.end(Failed, nil, runtimeError("The execution reached the maximum number of history events (25000)."))
			break
		}
		moved := r.advance(ex.Thread, m.flow)
		if ex.Thread.Phase == Done {
			r.end(Succeeded, ex.Thread.Output, nil)
			break
		}
		if ex.Thread.Phase == Broken {
			r.end(Failed, nil, ex.Thread.Error)
			break
		}
		if !moved {
			return r.next(false), nil
		}
	}
	return r.next(ex.Status == Running), nil
}

// run is one step.
type run struct {
	m      *Machine
	ex     *Execution
	env    Env
	now    time.Time
	events []Event
}

func (r *run) emit(e Event) int {
	r.ex.Events++
	e.ID, e.Time = r.ex.Events, r.now
	if e.State != "" && (e.Type == StateEntered || e.Type == StateRetried) {
		r.ex.Transitions++
	}
	r.events = append(r.events, e)
	return e.ID
}

// log emits an event of a thread's state.
func (r *run) log(t *Thread, e Event) int {
	e.State, e.Path = t.State, t.Path
	return r.emit(e)
}

func (r *run) end(status Status, output jsontext.Value, err *Error) {
	ex := r.ex
	ex.Status, ex.Output, ex.Error, ex.EndedAt, ex.Thread = status, output, err, r.now, nil
	r.emit(Event{Type: ExecutionEnded, Status: status, Output: output}.of(err))
}

func (m *Machine) deadline(ex *Execution) (time.Time, bool) {
	return ex.StartedAt.Add(time.Duration(m.timeout) * time.Second), m.timeout > 0
}

// next says what the execution waits for.
func (r *run) next(again bool) Next {
	n := Next{Status: r.ex.Status, Again: again, Events: r.events}
	at := func(t time.Time) {
		if !t.IsZero() && (n.At.IsZero() || t.Before(n.At)) {
			n.At = t
		}
	}
	if r.ex.Status != Running {
		return n
	}
	if deadline, ok := r.m.deadline(r.ex); ok {
		at(deadline)
	}
	r.ex.each(func(t *Thread) {
		switch t.Phase {
		case Scheduled:
			s := r.m.state(t)
			n.Invocations = append(n.Invocations, Invocation{
				ID: t.Task.ID, State: t.State, Path: t.Path, Function: s.task.function, Payload: t.Task.Payload,
				Token: t.Task.Token, Timeout: time.Duration(t.Task.Timeout) * time.Second,
			})
		case Submitted:
			at(t.Task.Deadline)
		case Waiting, Retrying:
			at(t.Until)
		}
	})
	return n
}

// owns reports whether a thread could have come about by this machine.
func (m *Machine) owns(t *Thread) bool {
	if t == nil {
		return false
	}
	s := m.state(t)
	if s == nil {
		return false
	}
	if _, err := decode(t.Input, false); err != nil {
		return false
	}
	isTask := t.Task != nil && t.Map == nil && s.kind == work
	switch t.Phase {
	case Entering:
		return t.Task == nil && t.Map == nil
	case Retrying:
		return t.Task == nil && t.Map == nil && len(t.Retries) == len(s.retriers)
	case Scheduled, Submitted, Settled:
		return isTask && len(t.Retries) == len(s.retriers)
	case Waiting:
		return s.kind == wait
	case Done, Broken:
		return len(t.Path) > 0 && (t.Phase == Done) == (t.Error == nil)
	case Mapping:
		return s.kind == each && t.Map != nil && len(t.Retries) == len(s.retriers) && len(t.Map.Started) <= t.Map.Total &&
			!slices.ContainsFunc(t.Map.Started, func(iteration *Thread) bool {
				return !m.owns(iteration) || s.each.states[iteration.State] == nil || len(iteration.Path) != len(t.Path)+1
			})
	}
	return false
}

// state returns the state that a thread is in; names are unique in the whole machine.
func (m *Machine) state(t *Thread) *state {
	var find func(flow) *state
	find = func(w flow) *state {
		if s, ok := w.states[t.State]; ok {
			return s
		}
		for _, s := range w.states {
			if found := find(s.each.flow); found != nil {
				return found
			}
		}
		return nil
	}
	return find(m.flow)
}

// advance makes one move, if the thread can make any.
func (r *run) advance(t *Thread, w flow) (moved bool) {
	s := w.states[t.State]
	switch t.Phase {
	case Entering:
		t.EnteredAt, t.Retries = r.now, make([]int, len(s.retriers))
		t.EntryID = r.log(t, Event{Type: StateEntered, Input: t.Input})
		r.attempt(t, s)
	case Retrying, Waiting:
		if r.now.Before(t.Until) {
			return false
		}
		t.Until = time.Time{}
		if t.Phase == Waiting {
			r.exit(t, s, t.Input, s.next)
			return true
		}
		t.Phase = Entering // until the attempt says otherwise
		r.attempt(t, s)
	case Submitted:
		if !t.Task.expired(r.now) {
			return false
		}
		t.settle(nil, &Error{Name: StatesTimeout})
	case Settled:
		r.settled(t, s)
	case Mapping:
		return r.iterate(t, s)
	default:
		return false
	}
	return true
}

// attempt does what the state is for, or begins to.
func (r *run) attempt(t *Thread, s *state) {
	switch s.kind {
	case work:
		r.schedule(t, s)
	case each:
		r.begin(t, s)
	case choose:
		r.choose(t, s)
	case succeed:
		r.exit(t, s, t.Input, "")
	case pass:
		r.pass(t, s)
	case wait:
		pause, err := s.wait.value(r.scope(t))
		if err != nil {
			r.raise(t, s, err)
			return
		}
		t.Phase, t.Until = Waiting, r.now.Add(toDuration(pause))
	}
}

func (r *run) pass(t *Thread, s *state) {
	sc := r.scope(t)
	result := sc.input
	if s.parameters != nil {
		var err *Error
		if result, err = s.parameters.value(sc); err != nil {
			r.raise(t, s, err)
			return
		}
	}
	r.complete(t, s, result)
}

func (r *run) choose(t *Thread, s *state) {
	sc := r.scope(t)
	for i, rule := range s.rules {
		ok, err := rule.condition.holds(sc)
		if err != nil {
			r.raise(t, s, err)
			return
		}
		if ok {
			r.log(t, Event{Type: ChoiceTaken, Index: i, Next: rule.next})
			r.exit(t, s, t.Input, rule.next)
			return
		}
	}
	if s.fallback == "" {
		cause := fmt.Sprintf("State '%s' has no choice that matches and no Default", s.name)
		r.raise(t, s, &Error{Name: StatesNoChoiceMatched, Cause: cause})
		return
	}
	r.log(t, Event{Type: ChoiceTaken, Index: ChoiceDefault, Next: s.fallback})
	r.exit(t, s, t.Input, s.fallback)
}

// schedule prepares an attempt of a task. Its payload and token are kept, so that an attempt that is made again after
// a crash is the same attempt.
func (r *run) schedule(t *Thread, s *state) {
	t.Task = &Attempt{}
	if s.task.token {
		t.Task.Token = r.env.Token()
	}
	sc := r.scope(t)
	payload, err := s.parameters.value(sc)
	if t.Task.Payload = encode(payload); err == nil && len(t.Task.Payload) > MaxPayload {
		err = tooLarge(s, "input")
	}
	if err == nil {
		t.Task.Timeout, err = s.task.timeout.value(sc)
	}
	if err != nil {
		t.Task = nil
		r.raise(t, s, err)
		return
	}
	t.Phase = Scheduled
	t.Task.ID = r.log(t, Event{Type: TaskScheduled, Function: s.task.function, Input: t.Task.Payload})
}

func tooLarge(s *state, what string) *Error {
	const cause = "The state/task '%s' returned a result with a size exceeding the maximum number of bytes service " +
		"limit (its %s)."
	return &Error{Name: StatesDataLimitExceeded, Cause: fmt.Sprintf(cause, s.name, what)}
}

func (r *run) settled(t *Thread, s *state) {
	task := t.Task
	t.Task = nil
	if task.Error != nil {
		r.log(t, Event{Type: TaskFailed, Function: s.task.function}.of(task.Error))
		r.raise(t, s, task.Error)
		return
	}
	output, _ := decode(task.Output, false)
	result := s.task.result(output)
	text := encode(result)
	if len(text) > MaxPayload {
		r.raise(t, s, tooLarge(s, "result"))
		return
	}
	r.log(t, Event{Type: TaskSucceeded, Function: s.task.function, Output: text})
	r.complete(t, s, result)
}

// begin enters a Map.
func (r *run) begin(t *Thread, s *state) {
	items, err := s.itemsOf(r.scope(t))
	if err != nil {
		r.raise(t, s, err)
		return
	}
	t.Phase, t.Map = Mapping, &Iterations{Total: len(items)}
}

// iterate lets each iteration move once, starts others while there is room, and ends the Map.
func (r *run) iterate(t *Thread, s *state) (moved bool) {
	running := 0
	for i, iteration := range t.Map.Started {
		if iteration.Phase == Done {
			continue
		}
		moved = r.advance(iteration, s.each.flow) || moved
		switch iteration.Phase {
		case Broken:
			failure := iteration.Error
			r.log(t, Event{Type: MapIterationFailed, Index: i})
			t.Map = nil
			r.handle(t, s, failure)
			return true
		case Done:
			r.log(t, Event{Type: MapIterationSucceeded, Index: i})
		default:
			running++
		}
	}
	if room := min(s.each.concurrency-running, t.Map.Total-len(t.Map.Started)); room > 0 {
		return r.startIterations(t, s, room)
	}
	if running > 0 {
		return moved
	}
	results := make([]any, len(t.Map.Started))
	for i, iteration := range t.Map.Started {
		results[i], _ = decode(iteration.Output, false)
	}
	t.Map = nil
	r.complete(t, s, results)
	return true
}

func (r *run) startIterations(t *Thread, s *state, room int) bool {
	sc := r.scope(t)
	items, err := s.itemsOf(sc)
	if err == nil && len(items) != t.Map.Total {
		err = runtimeError("The items are not those that the Map began with.")
	}
	for range room {
		i := len(t.Map.Started)
		var input any
		if err == nil {
			input, err = s.inputOf(sc, items[i], i)
		}
		text := encode(input)
		if err == nil && len(text) > MaxPayload {
			err = tooLarge(s, "input of an iteration")
		}
		if err != nil {
			t.Map = nil
			r.raise(t, s, err)
			return true
		}
		r.log(t, Event{Type: MapIterationStarted, Index: i})
		t.Map.Started = append(t.Map.Started, &Thread{
			Phase: Entering, State: s.each.start, Path: append(slices.Clone(t.Path), i), Input: text,
		})
	}
	return true
}

// complete takes a state's result through ResultSelector, ResultPath and OutputPath.
func (r *run) complete(t *Thread, s *state, result any) {
	sc := r.scope(t)
	var err *Error
	if s.selector != nil {
		if result, err = s.selector.value(sc.within(result)); err != nil {
			r.raise(t, s, err)
			return
		}
	}
	output, err := s.resultPath.combine(sc.input, result)
	if err == nil {
		output, err = s.output.apply(sc.within(output))
	}
	if err != nil {
		r.raise(t, s, err)
		return
	}
	r.exit(t, s, encode(output), s.next)
}

func (r *run) exit(t *Thread, s *state, output jsontext.Value, next string) {
	if len(output) > MaxPayload {
		r.raise(t, s, tooLarge(s, "output"))
		return
	}
	r.log(t, Event{Type: StateExited, Output: output, Next: next})
	*t = Thread{Phase: Entering, State: next, Path: t.Path, Input: output}
	if next == "" {
		*t = Thread{Phase: Done, State: s.name, Path: t.Path, Input: jsontext.Value("null"), Output: output}
	}
}

// raise handles an error that arose in the state itself.
func (r *run) raise(t *Thread, s *state, failure *Error) {
	if failure.Name == StatesRuntime {
		const cause = "An error occurred while executing the state '%s' (entered at the event id #%d). %s"
		failure = runtimeError(fmt.Sprintf(cause, s.name, t.EntryID, failure.Cause))
	}
	r.handle(t, s, failure)
}

// handle lets Retry and Catch have the error, in this order, and fails the thread if neither wants it.
func (r *run) handle(t *Thread, s *state, failure *Error) {
	for i, retrier := range s.retriers {
		if !failure.matches(retrier.errors) {
			continue
		}
		if t.Retries[i] >= retrier.attempts {
			break
		}
		t.Phase, t.Until = Retrying, r.now.Add(retrier.delay(t.Retries[i], r.env.Rand))
		t.Retries[i]++
		r.log(t, Event{Type: StateRetried, Index: i, Until: t.Until}.of(failure))
		return
	}
	for i, catcher := range s.catchers {
		if !failure.matches(catcher.errors) {
			continue
		}
		input, _ := decode(t.Input, false)
		output := object{{"Error", failure.Name}, {"Cause", failure.Cause}}
		combined, err := catcher.resultPath.combine(input, output)
		if err == nil && len(encode(combined)) > MaxPayload {
			err = tooLarge(s, "output")
		}
		if err != nil {
			failure = err
			break
		}
		r.log(t, Event{Type: ErrorCaught, Index: i, Next: catcher.next}.of(failure))
		r.exit(t, s, encode(combined), catcher.next)
		return
	}
	r.log(t, Event{Type: StateFailed}.of(failure))
	*t = Thread{Phase: Broken, State: s.name, Path: t.Path, Input: jsontext.Value("null"), Error: failure}
}

// scope is what a state's paths see: its raw input and the context object.
func (r *run) scope(t *Thread) *scope {
	input, _ := decode(t.Input, false)
	return &scope{input: input, context: func(name string) any {
		switch name {
		case executionName:
			return r.ex.Name
		case stateName:
			return t.State
		case taskToken:
			return t.Task.Token
		}
		return nil
	}}
}
