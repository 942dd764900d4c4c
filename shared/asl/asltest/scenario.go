// Package asltest plays definitions of state machines by scenarios: what their tasks answer, and how they must end. It
// compares what package asl does with another interpreter.
package asltest

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"sallyport/shared/asl"
)

// Corpus is a file in testdata: a definition and what happens in it.
type Corpus struct {
	File       string              `json:"file"`       // of a definition that is deployed, relative to this package
	Definition jsontext.Value      `json:"definition"` // where there is no file
	Input      jsontext.Value      `json:"input"`      // of all cases that have none
	Answers    map[string][]Answer `json:"answers"`    // that cases take by name
	Reads      []string            `json:"reads"`      // functions without effect: a repeat needs no round of its own
	Keyed      []string            `json:"keyed"`      // functions whose repeat must be the same call
	Cases      []Scenario          `json:"cases"`
	Uncovered  []string            `json:"uncovered"` // what the cases need not go through

	// MostTransitions is how many states the case "happy path" may enter: each costs money.
	MostTransitions int `json:"most_transitions"`
}

// Scenario is one execution: what its tasks answer, and how it must end.
type Scenario struct {
	Name        string              `json:"name"`
	Definition  jsontext.Value      `json:"definition"`
	Input       jsontext.Value      `json:"input"`
	Tasks       map[string][]Answer `json:"tasks"` // by state, in the order of attempts
	Status      asl.Status          `json:"status"`
	Output      jsontext.Value      `json:"output,omitzero"`
	Error       string              `json:"error"`
	Cause       *string             `json:"cause"` // nil for any
	States      []string            `json:"states"`
	Transitions int                 `json:"transitions"` // zero for not counted
	Took        int                 `json:"took"`        // whole seconds; zero for not measured
	Unordered   bool                `json:"unordered"`   // whether states are entered in another order elsewhere
	Oracle      string              `json:"oracle"`      // why the other interpreter is known to answer otherwise

	// What the functions get to see, for the cases of a definition that is deployed.
	Invocations map[string]int   `json:"invocations"`        // attempts, by function
	Evaluated   jsontext.Value   `json:"evaluated,omitzero"` // what the tenant's settings are asked about
	Effects     []string         `json:"effects"`            // see calls
	Asked       []jsontext.Value `json:"asked"`              // what a person is told with each wait
	Finished    jsontext.Value   `json:"finished,omitzero"`  // how the journey is said to have ended
}

// Answer is what came of one attempt of a task. In a file "name" stands for all answers of that name, and "name*3" for
// three times these. Output may have a member "round.$":"$.task.round", which tells the round that the task was given.
type Answer struct {
	Name    string         `json:"-"`
	Output  jsontext.Value `json:"output,omitzero"`
	Error   string         `json:"error"`
	Cause   string         `json:"cause"`
	Timeout bool           `json:"timeout"`
}

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (a *Answer) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	if d.PeekKind() == '"' {
		return json.UnmarshalDecode(d, &a.Name)
	}
	type plain Answer
	return json.UnmarshalDecode(d, (*plain)(a))
}

// Named puts in the answers that others are the names of.
func (c Corpus) Named(t testing.TB, answers []Answer) (all []Answer) {
	t.Helper()
	for _, a := range answers {
		if a.Name == "" {
			all = append(all, a)
			continue
		}
		name, count, repeated := strings.Cut(a.Name, "*")
		n, err := strconv.Atoi(count)
		if c.Answers[name] == nil || repeated && err != nil {
			t.Fatalf("there is no answer %q", a.Name)
		}
		for range max(n, 1) {
			all = append(all, c.Named(t, c.Answers[name])...)
		}
	}
	return all
}

// Read returns the corpora that a pattern finds, as filepath.Glob takes one, by name: <name>.json, or <name>/cases.json
// with snapshots of the states that its cases enter beside it.
func Read(t testing.TB, pattern string) map[string]Corpus {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no corpus: %v", err)
	}
	all := map[string]Corpus{}
	for _, file := range files {
		var c Corpus
		read(t, file, &c)
		name, snapshots := strings.TrimSuffix(filepath.Base(file), ".json"), map[string]string{}
		if name == "cases" {
			name = filepath.Base(filepath.Dir(file))
			read(t, Snapshots(name), &snapshots)
		}
		if c.File != "" {
			if c.Definition, err = os.ReadFile(c.File); err != nil {
				t.Fatal(err)
			}
		}
		for i := range c.Cases {
			s := &c.Cases[i]
			s.Definition = c.Definition
			if s.Input == nil {
				s.Input = c.Input
			}
			if states, ok := snapshots[s.Name]; ok {
				s.States = strings.Fields(states)
			}
			for state, answers := range s.Tasks {
				s.Tasks[state] = c.Named(t, answers)
			}
		}
		all[name] = c
	}
	return all
}

// Snapshots is the file that has the states which the cases of a journey enter.
func Snapshots(journey string) string { return filepath.Join("testdata", journey, "snapshots.json") }

func read(t testing.TB, file string, into any) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(text, into, json.RejectUnknownMembers(true))
	}
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

// Scenarios returns those of all corpora, in the order of their names.
func Scenarios(corpora map[string]Corpus) []Scenario {
	var all []Scenario
	for name, c := range corpora {
		for _, s := range c.Cases {
			s.Name = name + ": " + s.Name
			all = append(all, s)
		}
	}
	slices.SortFunc(all, func(a, b Scenario) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// Outcome is how an execution went.
type Outcome struct {
	Status        asl.Status
	Output        string // canonical JSON
	Error, Cause  string
	Trace         Trace
	Transitions   int
	Ended         time.Time
	Execution     *asl.Execution
	StepsRepeated int
}

// Began is when every execution begins.
var Began = time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)

// player plays a Scenario on a clock of its own.
type player struct {
	t        testing.TB
	m        *asl.Machine
	ex       *asl.Execution
	now      time.Time
	serial   int
	tasks    map[string][]Answer
	promised map[string]Answer // by token
	trace    Trace
	crash    bool // whether everything is done twice, the first time in vain
	store    bool // whether everything is stored and loaded in between
	repeated int
}

// newEnv is a clock that somebody sets, tokens that count up, and nothing by chance.
func newEnv(now *time.Time, serial *int) asl.Env {
	return asl.Env{
		Now:   func() time.Time { return *now },
		Rand:  func() float64 { return 0.5 },
		Token: func() string { *serial++; return fmt.Sprintf("token-%d", *serial) },
	}
}

// do changes the execution, as often and in as many processes as the player wants.
func (p *player) do(change func() error) {
	p.t.Helper()
	if p.crash {
		before := p.load(p.ex)
		if err := change(); err != nil {
			p.t.Fatal(err)
		}
		p.ex = before
		p.repeated++
	}
	if err := change(); err != nil {
		p.t.Fatal(err)
	}
	if p.store {
		p.ex = p.load(p.ex)
	}
}

// load returns what another process would read.
func (p *player) load(ex *asl.Execution) *asl.Execution {
	p.t.Helper()
	text, err := json.Marshal(ex)
	if err != nil {
		p.t.Fatal(err)
	}
	var loaded asl.Execution
	if err := json.Unmarshal(text, &loaded); err != nil {
		p.t.Fatal(err)
	}
	again, err := json.Marshal(&loaded)
	if err != nil {
		p.t.Fatal(err)
	}
	if string(again) != string(text) {
		p.t.Fatalf("stored as\n%s\nand then as\n%s", text, again)
	}
	return &loaded
}

// take returns the next answer of a state's task.
func (p *player) take(state string) Answer {
	p.t.Helper()
	if len(p.tasks[state]) == 0 {
		p.t.Fatalf("the task %s is attempted more often than the scenario knows", state)
	}
	a := p.tasks[state][0]
	p.tasks[state] = p.tasks[state][1:]
	return a
}

func (p *player) play() Outcome {
	p.t.Helper()
	for range 10_000 {
		var next asl.Next
		p.do(func() (err error) {
			next, err = p.m.Step(p.ex, newEnv(&p.now, &p.serial))
			return err
		})
		p.trace = append(p.trace, next.Events...)
		switch {
		case p.ex.Status != asl.Running:
			return p.outcome()
		case next.Again:
		case len(next.Invocations) > 0:
			p.invoke(next.Invocations[0])
		case !p.respond():
			if !next.At.After(p.now) {
				p.t.Fatalf("stuck at %v, next is %+v", p.now, next)
			}
			p.now = next.At
		}
	}
	p.t.Fatal("the execution does not end")
	return Outcome{}
}

func (p *player) invoke(i asl.Invocation) {
	p.t.Helper()
	result, a := asl.Result{Began: p.now}, p.take(i.State)
	p.now = p.now.Add(100 * time.Millisecond)
	switch {
	case i.Token != "" && a.Error == "":
		p.promised[i.Token] = a
	case a.Timeout:
		if i.Timeout == 0 {
			result.Err = context.DeadlineExceeded
		}
		p.now = p.now.Add(i.Timeout)
		result.Output = []byte(`"too late"`)
	case a.Error != "":
		result.Err = &asl.Error{Name: a.Error, Cause: a.Cause}
	default:
		result.Output = withRound(p.t, a.Output, i.Payload)
	}
	result.Ended = p.now
	p.do(func() error { return p.m.Returned(p.ex, i.ID, result) })
}

// withRound puts the round of a task's payload in the place of "round.$".
func withRound(t testing.TB, output, payload jsontext.Value) jsontext.Value {
	const member = `"round.$":"$.task.round"`
	if !bytes.Contains(output, []byte(member)) {
		return output
	}
	var in struct {
		Task struct {
			Round int `json:"round"`
		} `json:"task"`
	}
	if err := json.Unmarshal(payload, &in); err != nil {
		t.Fatal(err)
	}
	return bytes.ReplaceAll(output, []byte(member), fmt.Appendf(nil, `"round":%d`, in.Task.Round))
}

// respond answers the first token that is to be answered.
func (p *player) respond() bool {
	p.t.Helper()
	for _, wait := range p.ex.Waits() {
		a, ok := p.promised[wait.Token]
		if !ok || a.Timeout {
			continue
		}
		delete(p.promised, wait.Token)
		p.do(func() error { return p.m.SendTaskSuccess(p.ex, p.now, wait.Token, a.Output) })
		return true
	}
	return false
}

func (p *player) outcome() Outcome {
	p.t.Helper()
	for state, left := range p.tasks {
		if len(left) > 0 {
			p.t.Errorf("the task %s was attempted %d times less than the scenario says", state, len(left))
		}
	}
	o := Outcome{
		Status: p.ex.Status, Trace: p.trace, Transitions: p.ex.Transitions, Ended: p.ex.EndedAt, Execution: p.ex,
		StepsRepeated: p.repeated,
	}
	if p.ex.Error != nil {
		o.Error, o.Cause = p.ex.Error.Name, p.ex.Error.Cause
	}
	if p.ex.Output != nil {
		o.Output = Canonical(p.t, p.ex.Output)
	}
	return o
}

// Play plays the scenario to its end.
func (s Scenario) Play(t testing.TB) Outcome {
	t.Helper()
	return newPlayer(t, s).play()
}

// Parse returns the machine of a definition that is right. It parses each once.
func Parse(t testing.TB, definition jsontext.Value) *asl.Machine {
	t.Helper()
	if m, ok := machines.Load(string(definition)); ok {
		return m.(*asl.Machine)
	}
	m, err := asl.Parse(definition)
	if err != nil {
		t.Fatal(err)
	}
	machines.Store(string(definition), m)
	return m
}

// machines are those that were parsed, by their definitions.
var machines sync.Map

func newPlayer(t testing.TB, s Scenario) *player {
	t.Helper()
	m := Parse(t, s.Definition)
	ex, err := m.Start("execution", s.Input, Began)
	if err != nil {
		t.Fatal(err)
	}
	tasks := map[string][]Answer{}
	for state, answers := range s.Tasks {
		tasks[state] = slices.Clone(answers)
	}
	return &player{t: t, m: m, ex: ex, now: Began, tasks: tasks, promised: map[string]Answer{}}
}

// Canonical returns a JSON text in its canonical form.
func Canonical(t testing.TB, text jsontext.Value) string {
	t.Helper()
	copied := slices.Clone(text)
	if err := copied.Canonicalize(); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return string(copied)
}

// Check compares an outcome with what the scenario says.
func (s Scenario) Check(t *testing.T, o Outcome) {
	t.Helper()
	if o.Status != s.Status {
		t.Errorf("ended %s (%s: %s), want %s", o.Status, o.Error, o.Cause, s.Status)
	}
	if s.Output != nil && o.Output != Canonical(t, s.Output) {
		t.Errorf("output is\n%s\nwant\n%s", o.Output, Canonical(t, s.Output))
	}
	if o.Error != s.Error {
		t.Errorf("error is %q, want %q", o.Error, s.Error)
	}
	if s.Cause != nil && o.Cause != *s.Cause {
		t.Errorf("cause is\n%s\nwant\n%s", o.Cause, *s.Cause)
	}
	if s.States != nil && !reflect.DeepEqual(o.Trace.States(), s.States) {
		t.Errorf("entered %q, want %q", o.Trace.States(), s.States)
	}
	if s.Transitions != 0 && o.Transitions != s.Transitions {
		t.Errorf("took %d state transitions, want %d", o.Transitions, s.Transitions)
	}
	if took := int(o.Ended.Sub(Began).Seconds()); s.Took != 0 && took != s.Took {
		t.Errorf("took %d seconds, want %d", took, s.Took)
	}
	if o.Transitions != o.Trace.Transitions() {
		t.Errorf("counted %d state transitions, but the trace has %d", o.Transitions, o.Trace.Transitions())
	}
	for function, want := range s.Invocations {
		if got := o.Trace.Invocations(function); got != want {
			t.Errorf("%s was invoked %d times, want %d", function, got, want)
		}
	}
	for i, e := range o.Trace {
		if e.ID != i+1 {
			t.Fatalf("event %d has the ID %d", i+1, e.ID)
		}
	}
}

// Run plays scenarios.
func Run(t *testing.T, all []Scenario) {
	for _, s := range all {
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			s.Check(t, s.Play(t))
		})
	}
}

// Resume stores and loads the execution after every step, and does every step twice, the first time in vain.
func Resume(t *testing.T, all []Scenario) {
	for _, s := range all {
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			want := s.Play(t)
			p := newPlayer(t, s)
			p.crash, p.store = true, true
			got := p.play()
			s.Check(t, got)
			if got.Output != want.Output || got.Error != want.Error || got.Cause != want.Cause || !got.Ended.Equal(want.Ended) {
				t.Errorf("got %+v, uninterrupted %+v", got, want)
			}
			if got.StepsRepeated == 0 {
				t.Error("nothing was repeated")
			}
		})
	}
}

// Cover checks that each corpus goes through every state, choice, retry and catch of its definition.
func Cover(t *testing.T, corpora map[string]Corpus) {
	for name, c := range corpora {
		t.Run(name, func(t *testing.T) {
			m := Parse(t, c.Definition)
			covered := NewCoverage(m)
			if len(covered.Missing()) == 0 {
				t.Error("everything is covered from the start")
			}
			for _, s := range c.Cases {
				covered.Add(s.Play(t).Trace)
			}
			if missing := covered.Missing(); !slices.Equal(missing, c.Uncovered) {
				t.Errorf("not covered: %q, want %q", missing, c.Uncovered)
			}
		})
	}
}
