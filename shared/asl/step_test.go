package asl_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"sallyport/shared/asl"
	"sallyport/shared/asl/asltest"
)

// world is a clock and what an execution draws from it.
type world struct {
	now    time.Time
	rand   float64
	tokens int
}

func (w *world) env() asl.Env {
	return asl.Env{
		Now:   func() time.Time { return w.now },
		Rand:  func() float64 { return w.rand },
		Token: func() string { w.tokens++; return fmt.Sprintf("t%d", w.tokens) },
	}
}

// running is an execution under test.
type running struct {
	*testing.T
	*world
	m     *asl.Machine
	ex    *asl.Execution
	trace asltest.Trace
}

func MustStart(t *testing.T, definition, input string) *running {
	t.Helper()
	m := MustParse(t, definition)
	ex, err := m.Start("name", []byte(input), asltest.Began)
	if err != nil {
		t.Fatal(err)
	}
	return &running{T: t, world: &world{now: asltest.Began}, m: m, ex: ex}
}

func (r *running) step() asl.Next {
	r.Helper()
	before := r.text()
	next, err := r.m.Step(r.ex, r.env())
	if err != nil {
		r.Fatal(err)
	}
	if changed := r.text() != before; changed != (len(next.Events) > 0) {
		r.Errorf("%d events in a step that changed something: %v", len(next.Events), changed)
	}
	r.trace = append(r.trace, next.Events...)
	return next
}

// text is the execution as it would be saved.
func (r *running) text() string {
	r.Helper()
	text, err := json.Marshal(r.ex)
	if err != nil {
		r.Fatal(err)
	}
	return string(text)
}

// returned reports what came of an invocation that took no time.
func (r *running) returned(i asl.Invocation, output string, err error) asl.Next {
	r.Helper()
	result := asl.Result{Began: r.now, Ended: r.now, Output: []byte(output), Err: err}
	if err := r.m.Returned(r.ex, i.ID, result); err != nil {
		r.Fatal(err)
	}
	return r.step()
}

// ends checks how the execution ended.
func (r *running) ends(status asl.Status, name, output string) {
	r.Helper()
	failed := ""
	if r.ex.Error != nil {
		failed = r.ex.Error.Name
	}
	if r.ex.Status != status || string(r.ex.Output) != output || failed != name || (r.ex.Error == nil) != (name == "") {
		r.Errorf("ended %s with the output %s and the error %v, want %s, %s and %s",
			r.ex.Status, r.ex.Output, r.ex.Error, status, output, name)
	}
}

func TestInvocation(t *testing.T) {
	definition := machine(`"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","TimeoutSeconds":30,"End":true,` +
		`"ResultPath":"$.r","OutputPath":"$.r.Payload","Parameters":{"FunctionName":"f",` +
		`"Payload":{"execution.$":"$$.Execution.Name","state.$":"$$.State.Name","body.$":"$"}},` +
		`"Retry":[{"ErrorEquals":["Throttled"]}]`)

	t.Run("is the same until it returns", func(t *testing.T) {
		r := MustStart(t, definition, `{"b":1,"a":[{}]}`)
		first := r.step()
		if len(first.Invocations) != 1 || !first.At.IsZero() {
			t.Fatalf("next is %+v", first)
		}
		i := first.Invocations[0]
		want := `{"execution":"name","state":"S","body":{"b":1,"a":[{}]}}`
		if i.Function != "f" || i.State != "S" || i.Timeout != 30*time.Second || i.Token != "" || string(i.Payload) != want {
			t.Errorf("invokes %+v with\n%s\nwant\n%s", i, i.Payload, want)
		}
		r.now = r.now.Add(time.Hour)
		again := r.step().Invocations
		if len(again) != 1 || again[0].ID != i.ID || string(again[0].Payload) != want {
			t.Errorf("and then %+v", again)
		}
		r.returned(i, `{"done":true}`, nil)
		r.ends(asl.Succeeded, "", `{"done":true}`)
		if err := r.m.Returned(r.ex, i.ID, asl.Result{}); !errors.Is(err, asl.ErrTaskClosed) {
			t.Errorf("returning twice gives %v", err)
		}
	})

	t.Run("counts retries", func(t *testing.T) {
		r := MustStart(t, definition, `{}`)
		r.returned(r.step().Invocations[0], "", asl.FunctionError("Throttled", "slow down"))
		r.now = r.now.Add(time.Second)
		again := r.step().Invocations[0]
		if string(again.Payload) != `{"execution":"name","state":"S","body":{}}` {
			t.Errorf("the retry has %s", again.Payload)
		}
		r.returned(again, "", nil)
		r.ends(asl.Succeeded, "", `null`)
		if r.ex.Transitions != 2 || r.trace.Invocations("f") != 2 {
			t.Errorf("took %d transitions, %d invocations", r.ex.Transitions, r.trace.Invocations("f"))
		}
	})

	busy := &asl.Error{Name: "Lambda.TooManyRequestsException", Cause: "c"}
	for _, test := range []struct {
		name        string
		result      asl.Result
		error, text string
	}{
		{"a function's error", asl.Result{Err: asl.FunctionError("Refused", "code")}, "Refused",
			`{"errorMessage":"code","errorType":"Refused"}`},
		{"a wrapped error", asl.Result{Err: fmt.Errorf("invoking: %w", busy)}, "Lambda.TooManyRequestsException", "c"},
		{"another error", asl.Result{Err: errors.New("broken \xff")}, asl.LambdaUnknown, "broken \uFFFD"},
		{"too late", asl.Result{Began: asltest.Began, Ended: asltest.Began.Add(30 * time.Second), Output: []byte(`1`)},
			asl.StatesTimeout, ""},
		{"given up", asl.Result{Err: context.DeadlineExceeded}, asl.StatesTimeout, ""},
		{"not JSON", asl.Result{Output: []byte(`{`)}, asl.StatesRuntime,
			"An error occurred while executing the state 'S' (entered at the event id #2). " +
				"The output of the function is not JSON."},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := MustStart(t, definition, `{}`)
			if err := r.m.Returned(r.ex, r.step().Invocations[0].ID, test.result); err != nil {
				t.Fatal(err)
			}
			r.step()
			r.ends(asl.Failed, test.error, "")
			if r.ex.Error.Cause != test.text {
				t.Errorf("the cause is %q", r.ex.Error.Cause)
			}
		})
	}
}

func TestToken(t *testing.T) {
	definition := machine(await + `,"TimeoutSecondsPath":"$.limit","End":true`)
	const input = `{"limit":600}`
	submit := func(t *testing.T) (*running, asl.Next) {
		t.Helper()
		r := MustStart(t, definition, input)
		i := r.step().Invocations[0]
		if i.Token != "t1" || string(i.Payload) != `{"token":"t1"}` {
			t.Fatalf("invokes %+v with %s", i, i.Payload)
		}
		ended := r.now.Add(5 * time.Second)
		result := asl.Result{Began: r.now, Ended: ended, Output: []byte(`not JSON, and nobody cares`)}
		if err := r.m.Returned(r.ex, i.ID, result); err != nil {
			t.Fatal(err)
		}
		r.now = ended
		return r, r.step()
	}

	t.Run("waits", func(t *testing.T) {
		r, next := submit(t)
		if len(next.Invocations) != 0 || !next.At.Equal(asltest.Began.Add(600*time.Second)) {
			t.Errorf("next is %+v", next)
		}
		waits := r.ex.Waits()
		if len(waits) != 1 || waits[0].Token != "t1" || waits[0].State != "S" ||
			!waits[0].ExpiresAt.Equal(asltest.Began.Add(600*time.Second)) || !waits[0].Since.Equal(asltest.Began) {
			t.Errorf("waits for %+v", waits)
		}
	})
	t.Run("answered", func(t *testing.T) {
		r, _ := submit(t)
		if err := r.m.SendTaskSuccess(r.ex, r.now, "t1", []byte(`{ "b":1, "a":2 }`)); err != nil {
			t.Fatal(err)
		}
		if err := r.m.SendTaskSuccess(r.ex, r.now, "t1", []byte(`1`)); !errors.Is(err, asl.ErrTaskClosed) {
			t.Errorf("answering twice gives %v", err)
		}
		r.step()
		r.ends(asl.Succeeded, "", `{"b":1,"a":2}`)
		if err := r.m.SendTaskSuccess(r.ex, r.now, "t1", []byte(`1`)); !errors.Is(err, asl.ErrTaskClosed) {
			t.Errorf("answering after the end gives %v", err)
		}
	})
	t.Run("answered before the function returned", func(t *testing.T) {
		r := MustStart(t, definition, input)
		i := r.step().Invocations[0]
		if err := r.m.SendTaskSuccess(r.ex, r.now, i.Token, []byte(`1`)); err != nil {
			t.Fatal(err)
		}
		if err := r.m.Returned(r.ex, i.ID, asl.Result{}); !errors.Is(err, asl.ErrTaskClosed) {
			t.Errorf("returning then gives %v", err)
		}
		r.step()
		r.ends(asl.Succeeded, "", `1`)
	})
	t.Run("too late", func(t *testing.T) {
		r, next := submit(t)
		r.now = next.At.Add(-time.Second)
		if again := r.step(); !again.At.Equal(next.At) {
			t.Errorf("next at %v", again.At)
		}
		r.now = next.At
		r.step()
		r.ends(asl.Failed, asl.StatesTimeout, "")
	})
	t.Run("refuses", func(t *testing.T) {
		r, _ := submit(t)
		if err := r.m.SendTaskSuccess(r.ex, r.now, "t2", []byte(`1`)); !errors.Is(err, asl.ErrTaskClosed) {
			t.Errorf("another token gives %v", err)
		}
		if err := r.m.SendTaskSuccess(r.ex, r.now, "", []byte(`1`)); !errors.Is(err, asl.ErrTaskClosed) {
			t.Errorf("no token gives %v", err)
		}
		if err := r.m.SendTaskSuccess(r.ex, r.now, "t1", []byte(`{`)); !errors.Is(err, asl.ErrInvalidOutput) {
			t.Errorf("an output that is not JSON gives %v", err)
		}
		large := []byte(`"` + strings.Repeat("x", asl.MaxPayload) + `"`)
		if err := r.m.SendTaskSuccess(r.ex, r.now, "t1", large); !errors.Is(err, asl.ErrTooLarge) {
			t.Errorf("a large output gives %v", err)
		}
		late := asltest.Began.Add(600 * time.Second)
		if err := r.m.SendTaskSuccess(r.ex, late, "t1", []byte(`1`)); !errors.Is(err, asl.ErrTaskClosed) {
			t.Errorf("an answer that is late, though nobody noticed, gives %v", err)
		}
	})
	for _, limit := range []string{`{"limit":0}`, `{"limit":"600"}`, `{}`, `{"limit":1.5}`} {
		t.Run("limits of "+limit, func(t *testing.T) {
			r := MustStart(t, definition, limit)
			r.step()
			r.ends(asl.Failed, asl.StatesRuntime, "")
		})
	}
}

func TestRetryDelays(t *testing.T) {
	delays := func(t *testing.T, retrier string, rand float64) []time.Duration {
		t.Helper()
		r := MustStart(t, machine(invoke+`,"End":true,"Retry":[{"ErrorEquals":["States.ALL"],`+retrier+`}]`), `{}`)
		r.rand = rand
		for next := r.step(); next.Status == asl.Running; {
			if len(next.Invocations) > 0 {
				next = r.returned(next.Invocations[0], "", errors.New("no"))
				continue
			}
			r.now = next.At
			next = r.step()
		}
		var all []time.Duration
		for _, e := range r.trace {
			if e.Type == asl.StateRetried {
				all = append(all, e.Until.Sub(e.Time))
			}
		}
		return all
	}
	const s = time.Second
	for _, test := range []struct {
		retrier string
		rand    float64
		want    []time.Duration
	}{
		{`"MaxAttempts":3`, 0.9, []time.Duration{s, 2 * s, 4 * s}},
		{`"IntervalSeconds":3,"BackoffRate":1.5,"MaxAttempts":2`, 0.9, []time.Duration{3 * s, 4500 * time.Millisecond}},
		{`"IntervalSeconds":3,"BackoffRate":4,"MaxDelaySeconds":20,"MaxAttempts":4`, 0.9,
			[]time.Duration{3 * s, 12 * s, 20 * s, 20 * s}},
		{`"IntervalSeconds":4,"JitterStrategy":"FULL","MaxAttempts":2`, 0.25, []time.Duration{s, 2 * s}},
		{`"IntervalSeconds":4,"JitterStrategy":"FULL","MaxAttempts":1`, 0, []time.Duration{0}},
		{`"BackoffRate":1e300,"MaxAttempts":3`, 0.9, []time.Duration{s, 366 * 24 * time.Hour, 366 * 24 * time.Hour}},
		{`"MaxAttempts":0`, 0.9, nil},
	} {
		t.Run(test.retrier, func(t *testing.T) {
			if got := delays(t, test.retrier, test.rand); !slices.Equal(got, test.want) {
				t.Errorf("waits %v, want %v", got, test.want)
			}
		})
	}
}

// TestRetryAgain: a state that is entered again has all its attempts again.
func TestRetryAgain(t *testing.T) {
	r := MustStart(t, `{"StartAt":"S","States":{"S":{`+invoke+`,"Next":"T",
		"Retry":[{"ErrorEquals":["A"],"MaxAttempts":1}],"Catch":[{"ErrorEquals":["B"],"Next":"S"}]},
		"T":{"Type":"Succeed"}}}`, `{}`)
	next := r.step()
	for _, name := range []string{"A", "B", "A", ""} {
		var err error
		if name != "" {
			err = &asl.Error{Name: name}
		}
		if next = r.returned(next.Invocations[0], "1", err); name == "A" {
			r.now = next.At
			next = r.step()
		}
	}
	if r.ex.Status != asl.Succeeded || r.ex.Transitions != 5 {
		t.Errorf("ended %s %v after %d transitions", r.ex.Status, r.ex.Error, r.ex.Transitions)
	}
}

func TestMap(t *testing.T) {
	const definition = `{"StartAt":"M","States":{"M":{"Type":"Map","MaxConcurrency":2,"End":true,"ItemProcessor":{
		"StartAt":"A","States":{
		"A":{` + await + `,"TimeoutSeconds":100,"End":true}}}}}}`

	t.Run("a waiting iteration does not block the others", func(t *testing.T) {
		r := MustStart(t, definition, `["x","y","z"]`)
		next := r.step()
		if len(next.Invocations) != 2 || !slices.Equal(next.Invocations[1].Path, []int{1}) {
			t.Fatalf("next is %+v", next)
		}
		// The second returns first and is answered first, while the first is still under way.
		r.returned(next.Invocations[1], "", nil)
		if err := r.m.SendTaskSuccess(r.ex, r.now, "t2", []byte(`"Y"`)); err != nil {
			t.Fatal(err)
		}
		third := r.step()
		if len(third.Invocations) != 2 || third.Invocations[1].Token != "t3" {
			t.Fatalf("then next is %+v", third)
		}
		r.returned(third.Invocations[1], "", nil)
		r.returned(third.Invocations[0], "", nil)
		for token, output := range map[string]string{"t3": `"Z"`, "t1": `"X"`} {
			if err := r.m.SendTaskSuccess(r.ex, r.now, token, []byte(output)); err != nil {
				t.Fatal(err)
			}
		}
		r.step()
		r.ends(asl.Succeeded, "", `["X","Y","Z"]`)
		if r.ex.Transitions != 4 {
			t.Errorf("took %d transitions", r.ex.Transitions)
		}
	})
	t.Run("a failure stops the others", func(t *testing.T) {
		r := MustStart(t, definition, `["x","y","z"]`)
		next := r.step()
		r.returned(next.Invocations[1], "", &asl.Error{Name: "Refused", Cause: "c"})
		r.ends(asl.Failed, "Refused", "")
		if err := r.m.Returned(r.ex, next.Invocations[0].ID, asl.Result{}); !errors.Is(err, asl.ErrTaskClosed) {
			t.Errorf("the other returns with %v", err)
		}
	})
	t.Run("at most 40 at a time", func(t *testing.T) {
		definition := machine(`"Type":"Map","End":true,"ItemProcessor":{"StartAt":"A","States":{"A":{` + invoke +
			`,"End":true}}}`)
		r := MustStart(t, definition, `[`+strings.Repeat("1,", 99)+`1]`)
		next := r.step()
		if len(next.Invocations) != 40 {
			t.Fatalf("%d invocations", len(next.Invocations))
		}
		for next.Status == asl.Running {
			next = r.returned(next.Invocations[0], "2", nil)
		}
		if r.ex.Transitions != 101 || r.ex.Status != asl.Succeeded {
			t.Errorf("took %d transitions, ended %s %v", r.ex.Transitions, r.ex.Status, r.ex.Error)
		}
	})
	t.Run("no array", func(t *testing.T) {
		r := MustStart(t, definition, `{}`)
		r.step()
		r.ends(asl.Failed, asl.StatesRuntime, "")
		if !strings.HasSuffix(r.ex.Error.Cause, `Reference path "$" must point to array.`) {
			t.Errorf("the cause is %s", r.ex.Error.Cause)
		}
	})
	t.Run("an error within is reported as it is", func(t *testing.T) {
		definition := machine(`"Type":"Map","End":true,"ItemProcessor":{"StartAt":"I","States":{` +
			`"I":{"Type":"Pass","InputPath":"$.a","End":true}}}`)
		r := MustStart(t, definition, `[{}]`)
		r.step()
		r.ends(asl.Failed, asl.StatesRuntime, "")
		const want = "An error occurred while executing the state 'I' (entered at the event id #4). " +
			"The JSONPath '$.a' specified for the field 'InputPath' could not be found in the input '{}'"
		if r.ex.Error.Cause != want {
			t.Errorf("the cause is\n%s\nwant\n%s", r.ex.Error.Cause, want)
		}
	})
	t.Run("nothing", func(t *testing.T) {
		r := MustStart(t, definition, `[]`)
		r.step()
		r.ends(asl.Succeeded, "", `[]`)
	})
}

func TestLimits(t *testing.T) {
	full := `"` + strings.Repeat("x", asl.MaxPayload-2) + `"`

	t.Run("input", func(t *testing.T) {
		m := MustParse(t, machine(`"Type":"Succeed"`))
		if _, err := m.Start("", []byte(full[:10]+"x"+full[10:]), asltest.Began); !errors.Is(err, asl.ErrTooLarge) {
			t.Errorf("an input of %d bytes gives %v", len(full)+1, err)
		}
		if _, err := m.Start("", []byte(`{`), asltest.Began); !errors.Is(err, asl.ErrInvalidOutput) {
			t.Errorf("an input that is not JSON gives %v", err)
		}
		r := MustStart(t, machine(`"Type":"Succeed"`), "  "+full)
		r.step()
		r.ends(asl.Succeeded, "", full)
		if _, size := r.trace.Largest(); size != asl.MaxPayload {
			t.Errorf("the largest payload has %d bytes", size)
		}
	})
	for name, definition := range map[string]string{
		"output": machine(`"Type":"Pass","ResultPath":"$.r","InputPath":"$.i","End":true`),
		"payload": machine(`"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","End":true,` +
			`"Parameters":{"FunctionName":"f","Payload":{"one.$":"$.i","two.$":"$.i"}},` +
			`"Retry":[{"ErrorEquals":["States.ALL"]}]`),
		"item": machine(`"Type":"Map","ItemsPath":"$.l","ItemSelector":{"one.$":"$.i","two.$":"$.i"},"End":true,` + inner),
	} {
		t.Run(name, func(t *testing.T) {
			r := MustStart(t, definition, `{"l":[1],"i":"`+strings.Repeat("x", asl.MaxPayload*2/3)+`"}`)
			r.step()
			r.ends(asl.Failed, asl.StatesDataLimitExceeded, "")
		})
	}
	t.Run("result is not caught", func(t *testing.T) {
		r := MustStart(t, `{"StartAt":"S","States":{"S":{`+invoke+`,"Next":"T","ResultPath":null,
			"Retry":[{"ErrorEquals":["States.ALL"]}],"Catch":[{"ErrorEquals":["States.ALL"],"Next":"T"}]},
			"T":{"Type":"Succeed"}}}`, `{}`)
		r.returned(r.step().Invocations[0], full, nil)
		r.ends(asl.Failed, asl.StatesDataLimitExceeded, "")
	})
	t.Run("time", func(t *testing.T) {
		r := MustStart(t, `{"StartAt":"S","TimeoutSeconds":60,"States":{"S":{"Type":"Wait","Seconds":100,"End":true}}}`, `{}`)
		if next := r.step(); !next.At.Equal(asltest.Began.Add(time.Minute)) {
			t.Errorf("next at %v", next.At)
		}
		r.now = asltest.Began.Add(time.Minute)
		r.step()
		r.ends(asl.TimedOut, asl.StatesTimeout, "")
	})
	t.Run("events", func(t *testing.T) {
		r := MustStart(t, `{"StartAt":"A","States":{"A":{"Type":"Pass","Next":"B"},
			"B":{"Type":"Choice","Choices":[{"Variable":"$.a","IsPresent":true,"Next":"C"}],"Default":"A"},
			"C":{"Type":"Succeed"}}}`, `{}`)
		steps := 1
		for next := r.step(); next.Again; next = r.step() {
			steps++
		}
		r.ends(asl.Failed, asl.StatesRuntime, "")
		if r.ex.Events < 25_000 || r.ex.Events > 25_010 || steps < 10 {
			t.Errorf("ended after %d events in %d steps", r.ex.Events, steps)
		}
	})
}

func TestAbort(t *testing.T) {
	r := MustStart(t, machine(await+`,"End":true`), `{}`)
	i := r.step().Invocations[0]
	events := r.m.Abort(r.ex, r.now, "Cancelled", "by hand")
	if len(events) != 1 || events[0].Status != asl.Aborted || events[0].ID != 4 {
		t.Errorf("events are %+v", events)
	}
	r.ends(asl.Aborted, "Cancelled", "")
	if events := r.m.Abort(r.ex, r.now, "", ""); events != nil {
		t.Errorf("aborting again gives %+v", events)
	}
	if next := r.step(); next.Status != asl.Aborted || len(next.Events) != 0 || len(r.ex.Waits()) != 0 {
		t.Errorf("next is %+v", next)
	}
	if err := r.m.SendTaskSuccess(r.ex, r.now, i.Token, []byte(`1`)); !errors.Is(err, asl.ErrTaskClosed) {
		t.Errorf("answering gives %v", err)
	}
}

func TestOtherDefinition(t *testing.T) {
	r := MustStart(t, machine(invoke+`,"End":true`), `{}`)
	r.step()
	changed := MustParse(t, machine(invoke+`,"TimeoutSeconds":5,"End":true`))
	if _, err := changed.Step(r.ex, r.env()); !errors.Is(err, asl.ErrOtherDefinition) {
		t.Errorf("another definition gives %v", err)
	}
	same := MustParse(t, " "+string(r.m.Definition()))
	if _, err := same.Step(r.ex, r.env()); err != nil {
		t.Errorf("the same definition gives %v", err)
	}
	r.ex.Thread.State = "T"
	if _, err := r.m.Step(r.ex, r.env()); !errors.Is(err, asl.ErrOtherDefinition) {
		t.Errorf("a damaged execution gives %v", err)
	}
}

func TestDrive(t *testing.T) {
	const definition = `{"StartAt":"A","States":{"A":{` + invoke + `,"TimeoutSeconds":30,"Next":"B"},` +
		`"B":{` + await + `,"End":true}}}`

	t.Run("to a wait", func(t *testing.T) {
		r := MustStart(t, definition, `{}`)
		saved, saves := r.text(), 0
		save := func(events []asl.Event) error {
			saved, saves = r.text(), saves+1
			r.trace = append(r.trace, events...)
			return nil
		}
		invoke := func(ctx context.Context, i asl.Invocation) ([]byte, error) {
			if deadline, ok := ctx.Deadline(); ok != (i.State == "A") || ok && time.Until(deadline) > 30*time.Second {
				t.Errorf("%s has the deadline %v", i.State, deadline)
			}
			if r.text() != saved {
				t.Errorf("%s is invoked before it was saved", i.State)
			}
			return []byte(`1`), nil
		}
		next, err := r.m.Drive(t.Context(), r.ex, r.env(), invoke, save)
		if err != nil || next.Status != asl.Running || len(next.Invocations) != 0 || len(r.ex.Waits()) != 1 ||
			r.text() != saved {
			t.Errorf("next is %+v, %v", next, err)
		}
		if saves != 3 { // before A, between A and B, after B
			t.Errorf("%d saves of two invocations", saves)
		}
		if len(r.trace) != r.ex.Events {
			t.Errorf("saved %d of %d events", len(r.trace), r.ex.Events)
		}
		again, err := r.m.Drive(t.Context(), r.ex, r.env(), invoke, save)
		if err != nil || again.At != next.At || saves != 3 {
			t.Errorf("%d saves, %v; want none of an execution that only waits", saves-3, err)
		}
	})
	t.Run("from an invocation", func(t *testing.T) {
		r := MustStart(t, definition, `{}`)
		if _, err := r.m.Step(r.ex, r.env()); err != nil {
			t.Fatal(err)
		}
		saved, saves := r.text(), 0
		_, err := r.m.Drive(t.Context(), r.ex, r.env(), func(context.Context, asl.Invocation) ([]byte, error) {
			if r.text() != saved {
				t.Error("another attempt is made than was saved")
			}
			return []byte(`1`), nil
		}, func([]asl.Event) error { saved, saves = r.text(), saves+1; return nil })
		if err != nil || saves != 2 {
			t.Errorf("%d saves, %v", saves, err)
		}
	})
	t.Run("until stopped", func(t *testing.T) {
		r := MustStart(t, definition, `{}`)
		ctx, stop := context.WithCancel(t.Context())
		_, err := r.m.Drive(ctx, r.ex, r.env(), func(ctx context.Context, _ asl.Invocation) ([]byte, error) {
			stop()
			return nil, ctx.Err()
		}, func([]asl.Event) error { return nil })
		if !errors.Is(err, context.Canceled) || r.ex.Thread.Phase != asl.Scheduled {
			t.Errorf("stopped with %v in %s", err, r.ex.Thread.Phase)
		}
	})
	t.Run("until saving fails", func(t *testing.T) {
		r := MustStart(t, definition, `{}`)
		full := errors.New("disk full")
		save := func([]asl.Event) error { return full }
		if _, err := r.m.Drive(t.Context(), r.ex, r.env(), nil, save); !errors.Is(err, full) {
			t.Errorf("drives on with %v", err)
		}
	})
}
