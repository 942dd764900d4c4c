package asl_test

import (
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"sallyport/shared/asl"
	"sallyport/shared/asl/asltest"
)

// FuzzParse: no text makes Parse panic, and a definition that it takes is taken again, and can be run.
func FuzzParse(f *testing.F) {
	for _, c := range corpora(f) {
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
		asltest.Wander(t, m, again, []byte(`{"v":[1,"two",null]}`), []byte(`{"kind":"otp"}`), 3)
	})
}

// FuzzStep: whatever goes into a definition and comes out of its functions, an execution neither panics nor gets
// stuck, and can be stored and resumed at every point.
func FuzzStep(f *testing.F) {
	all := corpora(f)
	var machines []*asl.Machine
	for _, name := range slices.Sorted(maps.Keys(all)) {
		c := all[name]
		machines = append(machines, MustParse(f, string(c.Definition)))
		for i, s := range c.Cases {
			f.Add(byte(len(machines)-1), []byte(s.Input), []byte(`{"status":"IN_PROGRESS","kind":"otp"}`), uint64(i*7919))
		}
	}
	f.Fuzz(func(t *testing.T, which byte, input, output []byte, choices uint64) {
		m := machines[int(which)%len(machines)]
		asltest.Wander(t, m, m, input, output, choices)
	})
}

// FuzzExecution: whatever a store gives back, stepping it neither panics nor fails in another way than by refusing it.
func FuzzExecution(f *testing.F) {
	all := corpora(f)
	machines := []*asl.Machine{
		MustParse(f, string(all["retry"].Definition)), MustParse(f, string(all["nested-map"].Definition)),
	}
	for i, name := range []string{"retry", "nested-map"} {
		m := machines[i]
		for _, c := range all[name].Cases {
			ex, err := m.Start("", c.Input, asltest.Began)
			if err != nil {
				f.Fatal(err)
			}
			w := &world{now: asltest.Began}
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
		w := &world{now: asltest.Began.Add(time.Hour)}
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
