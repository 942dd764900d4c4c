package statemachines_test

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"sallyport/shared/asl"
	"sallyport/shared/asl/asltest"
	"sallyport/statemachines"
)

// maxJourneyPayload is how large anything in a journey may be: its state carries references and codes only. AWS takes
// eight times as much.
const maxJourneyPayload = 32 << 10

func corpora(t testing.TB) map[string]asltest.Corpus {
	t.Helper()
	all := asltest.Read(t, "testdata/*/cases.json")
	for journey := range statemachines.Definitions() {
		if _, ok := all[journey]; !ok {
			t.Errorf("%s has no cases: testdata/%s/cases.json", journey, journey)
		}
	}
	return all
}

func TestScenariosMatrix(t *testing.T) { asltest.Run(t, asltest.Scenarios(corpora(t))) }

func TestResumeMatrix(t *testing.T) { asltest.Resume(t, asltest.Scenarios(corpora(t))) }

func TestCoverageMatrix(t *testing.T) { asltest.Cover(t, corpora(t)) }

func TestOracleMatrix(t *testing.T) {
	all, definitions := corpora(t), map[string]jsontext.Value{}
	for name, c := range all {
		definitions[name] = c.Definition
	}
	asltest.Oracle(t, asltest.Scenarios(all), definitions, nil)
}

// FuzzStep: whatever goes into a journey and comes out of its functions, its execution neither panics nor gets stuck,
// and can be stored and resumed at every point.
func FuzzStep(f *testing.F) {
	all := corpora(f)
	var machines []*asl.Machine
	for _, name := range slices.Sorted(maps.Keys(all)) {
		machines = append(machines, asltest.Parse(f, all[name].Definition))
		for i, s := range all[name].Cases {
			f.Add(byte(len(machines)-1), []byte(s.Input), []byte(`{"status":"IN_PROGRESS","kind":"otp"}`), uint64(i*7919))
		}
	}
	f.Fuzz(func(t *testing.T, which byte, input, output []byte, choices uint64) {
		m := machines[int(which)%len(machines)]
		asltest.Wander(t, m, m, input, output, choices)
	})
}

// TestCallsMatrix: in each case the functions get to see what they should.
func TestCallsMatrix(t *testing.T) {
	for name, c := range corpora(t) {
		t.Run(name, func(t *testing.T) {
			m, states := asltest.Parse(t, c.Definition), map[string]string{}
			open, counted := errorsOf(m), false
			for _, s := range c.Cases {
				t.Run(s.Name, func(t *testing.T) {
					o := s.Play(t)
					states[s.Name] = strings.Join(o.Trace.States(), " ")
					open.add(m, o.Trace)
					if s.Name == "happy path" {
						counted = true
						if o.Transitions > c.MostTransitions {
							t.Errorf("takes %d state transitions, it may take %d", o.Transitions, c.MostTransitions)
						}
					}
					if e, size := o.Trace.Largest(); size > maxJourneyPayload {
						t.Errorf("the %s of %s has a payload of %d bytes, it may have %d", e.Type, e.State, size, maxJourneyPayload)
					}
					checkCalls(t, s, m, c, o.Trace)
				})
			}
			if *update {
				write(t, asltest.Snapshots(name), states)
			}
			if missing := slices.Sorted(maps.Keys(open)); len(missing) > 0 {
				t.Errorf("errors that no case meets: %q", missing)
			}
			if !counted {
				t.Error(`there must be a case "happy path"`)
			}
		})
	}
}

// write writes a JSON object with a member a line.
func write(t *testing.T, file string, members map[string]string) {
	t.Helper()
	text, err := json.Marshal(members, json.Deterministic(true), jsontext.WithIndent("  "))
	if err == nil {
		err = os.WriteFile(file, append(text, '\n'), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestLongestWait: a page that is there for thirty days is asked after until then, within what a history holds on AWS.
func TestLongestWait(t *testing.T) {
	const mostEvents = 25_000
	s := asltest.Scenario{Status: "SUCCEEDED", Tasks: map[string][]asltest.Answer{}}
	c := corpora(t)["iec-verification"]
	s.Definition, s.Input = c.Definition, c.Input
	for state, name := range map[string]string{
		"Evaluate": "poll", "Trigger": "begun_month", "AwaitResult": "interval*1019", "GetResult": "pending*1019",
		"FinishExpired": "done",
	} {
		s.Tasks[state] = c.Named(t, []asltest.Answer{{Name: name}})
	}
	o := s.Play(t)
	s.Check(t, o)
	waits := o.Trace.Invocations("${JourneysAwait}")
	// A state is entered and left; a task is scheduled, started, perhaps submitted, and ends.
	events := 2 + 2*o.Transitions + 4*waits + 3*(o.Trace.Invocations("${EztoGetResult}")+3)
	if lasted := o.Ended.Sub(asltest.Began); lasted < 30*24*time.Hour || events > mostEvents*3/4 {
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

func (c errorCoverage) add(m *asl.Machine, trace asltest.Trace) {
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
func entries(t *testing.T, trace asltest.Trace) (all []*entry) {
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
			open[at].payloads = append(open[at].payloads, asltest.Payload(t, e))
		}
	}
	return all
}

// checkCalls compares what functions were invoked with to what the case expects. That is, for a task with an effect,
// "state round key", where key is what the partner would know a repeat by, or what a lookup or a poll asks for, then
// the record and the command of one on a record, and *n for n attempts; what the settings are asked about; for a wait,
// what the person is told and may do; and how the journey is said to have ended, its reason by the cause or by itself.
// In every definition a Retry repeats the very same payload, a state that is entered again has a higher round unless
// all it does is read, or must be the very same call again, and a journey ends once.
func checkCalls(t *testing.T, s asltest.Scenario, m *asl.Machine, c asltest.Corpus, trace asltest.Trace) {
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
			if cause, ok := all["cause"]; ok {
				delete(all, "cause")
				all["reason"] = codeOf(t, cause)
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
		known := cmp.Or(
			payload.Body.Request, payload.Body.Idempotency, payload.Body.Handle, payload.Body.Transaction, payload.Body.Document,
			payload.Body.External.Document, payload.Path.ECRN,
		)
		effect := strings.Join(strings.Fields(strings.Join([]string{entered.state, strconv.Itoa(key.Round), known,
			payload.Path.Client,
			payload.Path.Identifier, payload.Path.Customer, payload.Path.Generation, payload.Path.Identification,
			payload.Query.Command,
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
		wantEvaluated = append(wantEvaluated, asltest.Canonical(t, s.Evaluated))
	}
	for _, value := range s.Asked {
		wantAsked = append(wantAsked, asltest.Canonical(t, value))
	}
	if s.Finished != nil {
		wantFinished = append(wantFinished, asltest.Canonical(t, s.Finished))
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

// codeOf is the code of an error, as journeys/finish reads it of the cause that Lambda reports.
func codeOf(t *testing.T, cause jsontext.Value) jsontext.Value {
	t.Helper()
	var text string
	var reported struct {
		Message jsontext.Value `json:"errorMessage"`
	}
	if err := errors.Join(json.Unmarshal(cause, &text), json.Unmarshal([]byte(text), &reported)); err != nil {
		t.Fatalf("the cause %s: %v", cause, err)
	}
	return reported.Message
}

func marshal(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value, json.Deterministic(true))
	if err != nil {
		t.Fatal(err)
	}
	return asltest.Canonical(t, text)
}
