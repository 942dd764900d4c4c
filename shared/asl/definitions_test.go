package asl_test

import (
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"sallyport/shared/asl"
)

var update = flag.Bool("update", false, "rewrite the states and outputs that cases of deployed definitions expect")

// maxJourneyPayload is how large anything in a journey may be: its state carries references and codes only. AWS takes
// eight times as much.
const maxJourneyPayload = 32 << 10

// deployed are the files of all definitions that are.
func deployed(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob("../../statemachines/*.asl.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no definitions: %v", err)
	}
	return files
}

// TestDefinitionsMatrix: every definition that is deployed has a corpus that goes through all of it, and in each of its cases
// the functions get to see what they should.
func TestDefinitionsMatrix(t *testing.T) {
	corpora := map[string]corpus{}
	for name, c := range readCorpus(t) {
		if c.File != "" {
			corpora[filepath.Clean(c.File)] = c
			if want := strings.TrimSuffix(filepath.Base(c.File), ".asl.json"); name != want {
				t.Errorf("testdata/%s.json must be named after its definition: %s", name, want)
			}
		}
	}
	for _, file := range deployed(t) {
		name := strings.TrimSuffix(filepath.Base(file), ".asl.json")
		t.Run(name, func(t *testing.T) {
			c, ok := corpora[file]
			if !ok {
				t.Fatalf("no file in testdata has cases for %s", file)
			}
			m := MustParse(t, string(c.Definition))
			covered, open, counted := m.Coverage(), errorsOf(m), false
			var outcomes []outcome
			for _, s := range c.Cases {
				t.Run(s.Name, func(t *testing.T) {
					o := newPlayer(t, s).play()
					outcomes = append(outcomes, o)
					covered.Add(o.Trace)
					open.add(m, o.Trace)
					counted = counted || s.Name == "happy path" && s.Transitions > 0
					if e, size := o.Trace.Largest(); size > maxJourneyPayload {
						t.Errorf("the %s of %s has a payload of %d bytes, it may have %d", e.Type, e.State, size, maxJourneyPayload)
					}
					s.checkCalls(t, m, c, o.Trace)
				})
			}
			if *update && len(outcomes) == len(c.Cases) {
				rewrite(t, name, outcomes)
			}
			if missing := covered.Missing(); len(missing) > 0 || len(c.Uncovered) > 0 {
				t.Errorf("not covered: %q", missing)
			}
			if missing := slices.Sorted(maps.Keys(open)); len(missing) > 0 {
				t.Errorf("errors that no case meets: %q", missing)
			}
			if !counted {
				t.Error(`there must be a case "happy path" that counts its state transitions`)
			}
		})
	}
}

// TestLongestWait: a page that is there for thirty days is asked after until then, within what a history holds on AWS.
func TestLongestWait(t *testing.T) {
	const mostEvents = 25_000
	s := scenario{Status: "SUCCEEDED", Tasks: map[string][]answer{}}
	c := readCorpus(t)["iec-verification"]
	s.Definition, s.Input = c.Definition, c.Input
	for state, name := range map[string]string{
		"Evaluate": "poll", "Trigger": "begun_month", "AwaitResult": "interval*1019", "GetResult": "pending*1019", "FinishExpired": "done",
	} {
		s.Tasks[state] = c.named(t, []answer{{Name: name}})
	}
	o := newPlayer(t, s).play()
	s.check(t, o)
	waits := o.Trace.Invocations("${JourneysAwait}")
	// A state is entered and left; a task is scheduled, started, perhaps submitted, and ends.
	events := 2 + 2*o.Transitions + 4*waits + 3*(o.Trace.Invocations("${EztoGetResult}")+3)
	if lasted := o.Ended.Sub(began); lasted < 30*24*time.Hour || events > mostEvents*3/4 {
		t.Errorf("%d waits and %d events in %s", waits, events, lasted)
	}
}

// errorCoverage is finer than Coverage: every error that a retrier or catcher names, and every retrier that gives up.
type errorCoverage map[string]bool

func errorsOf(m *asl.Machine) errorCoverage {
	c := errorCoverage{}
	for _, s := range m.States() {
		for i, r := range s.Retry {
			c[fmt.Sprintf("%s Retry[%d] given up", s.Name, i)] = true
			for _, name := range r.ErrorEquals {
				c[fmt.Sprintf("%s Retry[%d] %s", s.Name, i, name)] = true
			}
		}
		for i, catch := range s.Catch {
			for _, name := range catch.ErrorEquals {
				c[fmt.Sprintf("%s Catch[%d] %s", s.Name, i, name)] = true
			}
		}
	}
	return c
}

func (c errorCoverage) add(m *asl.Machine, trace asl.Trace) {
	retriers := map[string][]asl.Retry{}
	for _, s := range m.States() {
		retriers[s.Name] = s.Retry
	}
	for _, e := range trace {
		switch e.Type {
		case asl.StateRetried:
			delete(c, fmt.Sprintf("%s Retry[%d] %s", e.State, e.Index, e.Error))
		case asl.ErrorCaught:
			delete(c, fmt.Sprintf("%s Catch[%d] %s", e.State, e.Index, e.Error))
			delete(c, fmt.Sprintf("%s Catch[%d] %s", e.State, e.Index, asl.StatesAll))
		}
		if e.Type == asl.ErrorCaught || e.Type == asl.StateFailed {
			for i, r := range retriers[e.State] {
				if slices.Contains(r.ErrorEquals, e.Error) {
					delete(c, fmt.Sprintf("%s Retry[%d] given up", e.State, i))
				}
			}
		}
	}
}

// entry is one time that a Task state was entered: what its function was invoked with, by attempt.
type entry struct {
	state    string
	path     []int
	function string
	payloads []string // canonical, without the token
}

// entries lists those of a trace, in the order of their first attempts.
func entries(t *testing.T, trace asl.Trace) (all []*entry) {
	t.Helper()
	open := map[string]*entry{}
	for _, e := range trace {
		at := fmt.Sprint(e.State, e.Path)
		switch e.Type {
		case asl.StateEntered:
			delete(open, at)
		case asl.TaskScheduled:
			if open[at] == nil {
				open[at] = &entry{state: e.State, path: e.Path, function: e.Function}
				all = append(all, open[at])
			}
			open[at].payloads = append(open[at].payloads, tokens.ReplaceAllString(canonical(t, e.Input), `"token"`))
		}
	}
	return all
}

// checkCalls compares what functions were invoked with to what the case expects. That is, for a task with an effect,
// "state round key", where key is what the partner would know a repeat by, or what a lookup or a poll asks for, then the
// record and the command of one on a record, and *n for n attempts; what the settings are asked about; for a wait, what the
// person is told and may do; and how
// the journey is said to have ended. In every definition a Retry repeats the very same payload, a state that is entered
// again has a higher round unless all it does is read, or must be the very same call again, and a journey ends once.
func (s scenario) checkCalls(t *testing.T, m *asl.Machine, c corpus, trace asl.Trace) {
	t.Helper()
	for _, function := range m.Functions() {
		if _, ok := s.Invocations[function]; !ok && trace.Invocations(function) > 0 {
			t.Errorf("%s was invoked, nothing is expected of it", function)
		}
	}
	var input struct {
		Tenant  string `json:"tenant"`
		Journey string `json:"journey_id"`
	}
	if err := json.Unmarshal(s.Input, &input); err != nil {
		t.Fatal(err)
	}
	var evaluated, effects, asked, finished []string
	rounds, payloads := map[string]int{}, map[string]string{}
	for _, entered := range entries(t, trace) {
		first := entered.payloads[0]
		if i := slices.IndexFunc(entered.payloads, func(p string) bool { return p != first }); i > 0 {
			t.Errorf("attempt %d of %s has\n%s\nthe first had\n%s", i+1, entered.state, entered.payloads[i], first)
		}
		var payload struct {
			Task *struct {
				Tenant    string `json:"tenant"`
				Execution string `json:"execution"`
				State     string `json:"state"`
				Index     int    `json:"index"`
				Round     int    `json:"round"`
			} `json:"task"`
			Body struct {
				Request     string `json:"request_id"`
				Idempotency string `json:"idempotency_id"`
				Handle      string `json:"journey_transaction_id"`
				Transaction string `json:"auth_req_id"`
				Document    string `json:"document_id"`
				External    struct {
					Document string `json:"document_id"`
				} `json:"external_id"`
				Verification string `json:"kycVerificationType"`
				Activation   string `json:"activationDate"`
			} `json:"body"`
			Path struct {
				ECRN           string `json:"ecrn"`
				Client         string `json:"clientId"`
				Identifier     string `json:"identifierId"`
				Customer       string `json:"customerId"`
				Generation     string `json:"generation"`
				Identification string `json:"identificationId"`
			} `json:"path"`
			Query struct {
				Command     string `json:"command"`
				SubPartner  string `json:"sub_partner_id"`
				Application string `json:"application"`
			} `json:"query"`
			Tenant  string `json:"tenant"`
			Journey string `json:"journey_id"`
			Token   string `json:"token"`
		}
		if err := json.Unmarshal([]byte(first), &payload); err != nil {
			t.Fatalf("%s has %s: %v", entered.state, first, err)
		}
		key := payload.Task
		if key == nil && payload.Journey == "" {
			evaluated = append(evaluated, first)
			continue
		}
		if key == nil {
			if payload.Tenant != input.Tenant || payload.Journey != input.Journey {
				t.Errorf("%s is of another journey: %s", entered.state, first)
			}
			var all map[string]jsontext.Value
			if err := json.Unmarshal([]byte(first), &all); err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{"tenant", "journey_id", "token"} {
				delete(all, name)
			}
			told := marshal(t, all)
			if payload.Token != "" {
				asked = append(asked, told)
			} else {
				finished = append(finished, told)
			}
			continue
		}
		index := 0
		if len(entered.path) > 0 {
			index = entered.path[len(entered.path)-1]
		}
		if key.Tenant != input.Tenant || key.Execution != "execution" || key.State != entered.state || key.Index != index {
			t.Errorf("%s has the key %+v", entered.state, *key)
		}
		at := fmt.Sprint(entered.state, entered.path)
		switch last, again := rounds[at]; {
		case !again || slices.Contains(c.Reads, entered.function):
		case slices.Contains(c.Keyed, entered.function):
			if first != payloads[at] {
				t.Errorf("%s is entered again with\n%s\nafter\n%s", entered.state, first, payloads[at])
			}
		case key.Round <= last:
			t.Errorf("%s is entered again with the round %d, after %d", entered.state, key.Round, last)
		}
		rounds[at], payloads[at] = key.Round, first
		known := cmp.Or(payload.Body.Request, payload.Body.Idempotency, payload.Body.Handle, payload.Body.Transaction, payload.Body.Document, payload.Body.External.Document, payload.Path.ECRN)
		effect := strings.Join(strings.Fields(strings.Join([]string{entered.state, strconv.Itoa(key.Round), known, payload.Path.Client,
			payload.Path.Identifier, payload.Path.Customer, payload.Path.Generation, payload.Path.Identification, payload.Query.Command,
			payload.Query.SubPartner, payload.Query.Application, payload.Body.Verification, payload.Body.Activation}, " ")), " ")
		if n := len(entered.payloads); n > 1 {
			effect += fmt.Sprintf(" *%d", n)
		}
		effects = append(effects, effect)
	}
	if !slices.Equal(effects, s.Effects) {
		t.Errorf("effects are\n%q\nwant\n%q", effects, s.Effects)
	}
	var wantEvaluated, wantAsked, wantFinished []string
	if s.Evaluated != nil {
		wantEvaluated = append(wantEvaluated, canonical(t, s.Evaluated))
	}
	for _, value := range s.Asked {
		wantAsked = append(wantAsked, canonical(t, value))
	}
	if s.Finished != nil {
		wantFinished = append(wantFinished, canonical(t, s.Finished))
	}
	if !slices.Equal(evaluated, wantEvaluated) {
		t.Errorf("evaluated\n%s\nwant\n%s", strings.Join(evaluated, "\n"), strings.Join(wantEvaluated, "\n"))
	}
	if !slices.Equal(asked, wantAsked) {
		t.Errorf("asked\n%s\nwant\n%s", strings.Join(asked, "\n"), strings.Join(wantAsked, "\n"))
	}
	if !slices.Equal(finished, wantFinished) {
		t.Errorf("finished as\n%s\nwant\n%s", strings.Join(finished, "\n"), strings.Join(wantFinished, "\n"))
	}
}

func marshal(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value, json.Deterministic(true))
	if err != nil {
		t.Fatal(err)
	}
	return canonical(t, text)
}

// member is one of a JSON object whose order is kept.
type member struct {
	name  string
	value jsontext.Value
}

func members(t *testing.T, object jsontext.Value) (all []member) {
	t.Helper()
	d := jsontext.NewDecoder(bytes.NewReader(object))
	if _, err := d.ReadToken(); err != nil {
		t.Fatal(err)
	}
	for d.PeekKind() == '"' {
		name, err := d.ReadToken()
		if err != nil {
			t.Fatal(err)
		}
		m := member{name: name.String()}
		value, err := d.ReadValue()
		if err != nil {
			t.Fatal(err)
		}
		m.value = value.Clone()
		if err := m.value.Compact(); err != nil {
			t.Fatal(err)
		}
		all = append(all, m)
	}
	return all
}

// layout writes an object with a line for each member.
func layout(indent string, all []member) string {
	lines := make([]string, len(all))
	for i, m := range all {
		lines[i] = fmt.Sprintf("%s  %q: %s", indent, m.name, m.value)
	}
	return "{\n" + strings.Join(lines, ",\n") + "\n" + indent + "}"
}

// rewrite puts states and outputs into a corpus file. What functions are invoked with, and how often, is never
// rewritten: that has to be thought about.
func rewrite(t *testing.T, name string, outcomes []outcome) {
	t.Helper()
	file := filepath.Join("testdata", name+".json")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	all := members(t, text)
	for i, m := range all {
		switch m.name {
		case "answers":
			all[i].value = jsontext.Value(layout("  ", members(t, m.value)))
		case "cases":
			var cases []jsontext.Value
			if err := json.Unmarshal(m.value, &cases); err != nil {
				t.Fatal(err)
			}
			lines := make([]string, len(cases))
			for j, o := range outcomes {
				kept := slices.DeleteFunc(members(t, cases[j]), func(m member) bool { return m.name == "states" || m.name == "output" })
				kept = append(kept, member{"states", jsontext.Value(marshal(t, o.Trace.States()))})
				if o.Output != "" {
					kept = append(kept, member{"output", jsontext.Value(o.Output)})
				}
				lines[j] = "    " + layout("    ", kept)
			}
			all[i].value = jsontext.Value("[\n" + strings.Join(lines, ",\n") + "\n  ]")
		}
	}
	if err := os.WriteFile(file, []byte(layout("", all)+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
}
