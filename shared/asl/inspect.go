package asl

import (
	"maps"
	"slices"
	"time"
)

// State describes a state to whoever checks definitions: budgets, permissions, the errors that functions may report.
type State struct {
	Name       string
	Type       string
	Pointer    string   // JSON pointer into the definition
	Targets    []string // states that may follow, by Next, Choices, Default or Catch
	Task       *Task    // of a Task state
	Choices    int      // how many rules a Choice state has
	HasDefault bool     // likewise
	Retry      []Retry
	Catch      []Catch
}

// Task is what a Task state does.
type Task struct {
	Function     string
	WaitForToken bool
	Timeout      time.Duration // zero where there is none, and where the input has it

	TimeoutDynamic bool // the input has the timeout
}

// Retry is a retrier with its defaults filled in.
type Retry struct {
	ErrorEquals []string
	Interval    time.Duration
	MaxAttempts int
	BackoffRate float64
	MaxDelay    time.Duration // zero for none
	Jitter      bool
}

// Catch is a catcher.
type Catch struct {
	ErrorEquals []string
	Next        string
}

// States lists all states, those within Maps as well, by name.
func (m *Machine) States() []State {
	var all []State
	m.walk(func(s *state) {
		d := State{Name: s.name, Type: s.kind, Pointer: s.where.pointer, Targets: s.targets(),
			Choices: len(s.rules), HasDefault: s.fallback != ""}
		if s.kind == work {
			d.Task = &Task{
				Function: s.task.function, WaitForToken: s.task.token,
				Timeout: toDuration(s.task.timeout.is), TimeoutDynamic: s.task.timeout.path != nil,
			}
		}
		for _, r := range s.retriers {
			d.Retry = append(d.Retry, Retry{
				slices.Clone(r.errors), toDuration(r.interval), r.attempts, r.backoff, toDuration(r.limit), r.jitter,
			})
		}
		for _, c := range s.catchers {
			d.Catch = append(d.Catch, Catch{slices.Clone(c.errors), c.next})
		}
		all = append(all, d)
	})
	return all
}

// Functions lists the names of the functions that the machine invokes, as its definition has them.
func (m *Machine) Functions() []string {
	names := map[string]bool{}
	m.walk(func(s *state) {
		if s.kind == work {
			names[s.task.function] = true
		}
	})
	return slices.Sorted(maps.Keys(names))
}

// Timeout is the machine's TimeoutSeconds; zero for none.
func (m *Machine) Timeout() time.Duration { return toDuration(m.timeout) }

func toDuration(seconds int) time.Duration { return time.Duration(seconds) * time.Second }

// walk visits all states by name, each Map before what is in it.
func (m *Machine) walk(visit func(*state)) {
	var into func(flow)
	into = func(w flow) {
		for _, name := range slices.Sorted(maps.Keys(w.states)) {
			visit(w.states[name])
			into(w.states[name].each.flow)
		}
	}
	into(m.flow)
}
