package asl_test

import (
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"sallyport/shared/asl"
)

// FuzzParse: no text makes Parse panic, and a definition that it takes is taken again, and can be run.
func FuzzParse(f *testing.F) {
	for _, c := range readCorpus(f) {
		f.Add([]byte(c.Definition))
	}
	for _, s := range append(choiceScenarios(f), intrinsicScenarios(f)...) {
		f.Add([]byte(s.Definition))
	}
	f.Fuzz(func(t *testing.T, definition []byte) {
		m, err := asl.Parse(definition)
		if err != nil {
			var refused *asl.DefinitionError
			if !errors.As(err, &refused) || len(refused.Problems) == 0 {
				t.Fatalf("fails with %T %v", err, err)
			}
			return
		}
		again, err := asl.Parse(m.Definition())
		if err != nil {
			t.Fatalf("takes a definition once: %v", err)
		}
		wander(t, m, again, []byte(`{"v":[1,"two",null]}`), []byte(`{"kind":"otp"}`), 3)
	})
}

// FuzzStep: whatever goes into a definition and comes out of its functions, an execution neither panics nor gets
// stuck, and can be stored and resumed at every point.
func FuzzStep(f *testing.F) {
	corpora := readCorpus(f)
	var machines []*asl.Machine
	for _, name := range slices.Sorted(maps.Keys(corpora)) {
		c := corpora[name]
		machines = append(machines, MustParse(f, string(c.Definition)))
		for i, s := range c.Cases {
			f.Add(byte(len(machines)-1), []byte(s.Input), []byte(`{"status":"IN_PROGRESS","kind":"otp"}`), uint64(i*7919))
		}
	}
	f.Fuzz(func(t *testing.T, which byte, input, output []byte, choices uint64) {
		m := machines[int(which)%len(machines)]
		wander(t, m, m, input, output, choices)
	})
}

// FuzzExecution: whatever a store gives back, stepping it neither panics nor fails in another way than by refusing it.
func FuzzExecution(f *testing.F) {
	corpora := readCorpus(f)
	machines := []*asl.Machine{MustParse(f, string(corpora["aadhaar-otp"].Definition)), MustParse(f, string(corpora["nested-map"].Definition))}
	for i, name := range []string{"aadhaar-otp", "nested-map"} {
		m := machines[i]
		for _, c := range corpora[name].Cases {
			ex, err := m.Start(asl.Identity{}, c.Input, began)
			if err != nil {
				f.Fatal(err)
			}
			w := &world{now: began}
			for range 8 {
				text, err := json.Marshal(ex)
				if err != nil {
					f.Fatal(err)
				}
				f.Add(byte(i), text)
				next, err := m.Step(ex, w.env())
				if err != nil {
					f.Fatal(err)
				}
				w.now = w.now.Add(time.Minute)
				if len(next.Invocations) > 0 {
					if err := m.Returned(ex, next.Invocations[0].ID, asl.Result{Output: []byte(`{"kind":"otp"}`)}); err != nil {
						f.Fatal(err)
					}
				}
			}
		}
	}
	f.Fuzz(func(t *testing.T, which byte, text []byte) {
		m, ex := machines[int(which)%len(machines)], new(asl.Execution)
		if json.Unmarshal(text, ex) != nil {
			return
		}
		w := &world{now: began.Add(time.Hour)}
		for range 5 {
			next, err := m.Step(ex, w.env())
			if err != nil {
				if !errors.Is(err, asl.ErrOtherDefinition) {
					t.Fatal(err)
				}
				return
			}
			for _, i := range next.Invocations {
				_ = m.Returned(ex, i.ID, asl.Result{Output: []byte(`{}`)})
			}
			for _, wait := range ex.Waits() {
				_ = m.SendTaskSuccess(ex, w.now, wait.Token, []byte(`{}`))
			}
			w.now = w.now.Add(time.Hour)
		}
	})
}

// wander runs an execution by turns on two machines of one definition, its fate decided by the bits of choices.
func wander(t *testing.T, m, other *asl.Machine, input, output []byte, choices uint64) {
	t.Helper()
	ex, err := m.Start(asl.Identity{Name: "name"}, input, began)
	if err != nil {
		return
	}
	w := &world{now: began, rand: 0.5}
	decide := func(n uint64) uint64 {
		choices = choices*6364136223846793005 + 1442695040888963407
		return choices >> 33 % n
	}
	var trace asl.Trace
	for range 300 {
		next, err := m.Step(ex, w.env())
		if err != nil {
			t.Fatal(err)
		}
		trace = append(trace, next.Events...)
		if len(trace) != ex.Events || trace.Transitions() != ex.Transitions {
			t.Fatalf("%d events and %d transitions, but the trace has %d and %d", ex.Events, ex.Transitions, len(trace), trace.Transitions())
		}
		text, err := json.Marshal(ex)
		if err != nil {
			t.Fatal(err)
		}
		ex = new(asl.Execution)
		if err := json.Unmarshal(text, ex); err != nil {
			t.Fatal(err)
		}
		m, other = other, m
		switch waits := ex.Waits(); {
		case ex.Status != asl.Running:
			if (ex.Output == nil) == (ex.Error == nil) || ex.Thread != nil {
				t.Fatalf("ended as %s", text)
			}
			return
		case next.Again:
		case len(next.Invocations) > 0:
			result := asl.Result{Began: w.now, Ended: w.now.Add(time.Duration(decide(3)) * time.Minute), Output: output}
			switch decide(4) {
			case 0:
				result.Err = asl.FunctionError("Refused", string(output))
			case 1:
				result.Err = asl.FunctionError("Throttled", "")
			}
			w.now = result.Ended
			if err := m.Returned(ex, next.Invocations[decide(uint64(len(next.Invocations)))].ID, result); err != nil {
				t.Fatal(err)
			}
		case len(waits) > 0 && decide(3) > 0:
			err := m.SendTaskSuccess(ex, w.now, waits[0].Token, output)
			if err != nil && !errors.Is(err, asl.ErrInvalidOutput) && !errors.Is(err, asl.ErrTooLarge) && !errors.Is(err, asl.ErrTaskClosed) {
				t.Fatal(err)
			}
			if err != nil {
				m.Abort(ex, w.now, "", "")
				return
			}
		case next.At.After(w.now):
			w.now = next.At
		case len(waits) > 0:
			m.Abort(ex, w.now, "", "")
			return
		default:
			t.Fatalf("stuck at %v with %+v in %s", w.now, next, text)
		}
	}
}
