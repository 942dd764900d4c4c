package local_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sallyport/shared/asl"
	"sallyport/shared/bolt"
	"sallyport/shared/orchestrator"
	"sallyport/shared/orchestrator/local"
)

const definition = `{"StartAt":"Call","TimeoutSeconds":7200,"States":{
	"Call":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","TimeoutSeconds":60,
		"Parameters":{"FunctionName":"call","Payload":{"n.$":"$.n"}},
		"ResultSelector":{"got.$":"$.Payload"},"ResultPath":"$.call","Next":"Ask"},
	"Ask":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke.waitForTaskToken","TimeoutSeconds":600,
		"Parameters":{"FunctionName":"ask","Payload":{"token.$":"$$.Task.Token"}},"ResultPath":"$.answer","Next":"Done"},
	"Done":{"Type":"Succeed"}}}`

type function func(ctx context.Context, payload []byte) ([]byte, error)

func (f function) Invoke(ctx context.Context, payload []byte) ([]byte, error) { return f(ctx, payload) }

// Refused is an error by its type's name, as functions have them.
type Refused string

func (r Refused) Error() string { return string(r) }

// world is what executions meet outside.
type world struct {
	t       *testing.T
	db      *bolt.DB
	commits atomic.Int64
	o       *local.Orchestrator
	tokens  chan string
	ended   chan orchestrator.StatusChange
	calls   atomic.Int64
	call    function
	deaf    atomic.Bool // the report of an end fails
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, tokens: make(chan string, 1000), ended: make(chan orchestrator.StatusChange, 1000)}
	db, err := bolt.Open(filepath.Join(t.TempDir(), "test.db"), bolt.OnWrite(func(stage string) {
		if stage == "after" {
			w.commits.Add(1)
		}
	}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	w.db = db
	w.call = func(context.Context, []byte) ([]byte, error) { return []byte(`"called"`), nil }
	w.open(1)
	return w
}

func (w *world) open(scale float64) { w.openWith(definition, scale) }

func (w *world) openWith(definition string, scale float64) {
	machine, err := asl.Parse([]byte(definition))
	if err != nil {
		w.t.Fatal(err)
	}
	o, err := local.New(w.db, local.Options{
		Machines: map[string]*asl.Machine{"m": machine}, TimeScale: scale, InvocationTimeout: time.Minute,
		Log: slog.New(slog.DiscardHandler),
		Functions: map[string]local.Function{
			"call": function(func(ctx context.Context, payload []byte) ([]byte, error) {
				w.calls.Add(1)
				return w.call(ctx, payload)
			}),
			"ask": function(func(_ context.Context, payload []byte) ([]byte, error) {
				var in struct{ Token string }
				err := json.Unmarshal(payload, &in)
				w.tokens <- in.Token
				return []byte(`null`), err
			}),
		},
		Ended: func(_ context.Context, change orchestrator.StatusChange) error {
			if w.deaf.Load() {
				return errors.New("not reported")
			}
			w.ended <- change
			return nil
		},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.o = o
	w.t.Cleanup(o.Close)
}

func (w *world) start(name string) {
	w.t.Helper()
	if err := w.o.Start(w.t.Context(), "m", name, []byte(`{"n":1}`)); err != nil {
		w.t.Fatal(err)
	}
}

func TestRun(t *testing.T) {
	w := newWorld(t)
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() { w.start("one") })
	}
	wg.Wait()
	token := <-w.tokens
	if err := w.o.Answer(t.Context(), token, []byte(`{"yes":true}`)); err != nil {
		t.Fatal(err)
	}
	change := <-w.ended
	if change.Name != "one" || change.Status != "SUCCEEDED" || change.Input != `{"n":1}` || w.calls.Load() != 1 {
		t.Errorf("got %+v after %d calls", change, w.calls.Load())
	}
	execution, err := w.o.Execution("one")
	if err != nil || string(execution.Output) != `{"n":1,"call":{"got":"called"},"answer":{"yes":true}}` {
		t.Errorf("got %s, %v", execution.Output, err)
	}
	for _, token := range []string{token, "one.other", "none.x", ""} {
		if err := w.o.Answer(t.Context(), token, []byte(`{}`)); !errors.Is(err, orchestrator.ErrGone) {
			t.Errorf("token %q: %v", token, err)
		}
	}
}

func TestFunctionErrors(t *testing.T) {
	w := newWorld(t)
	w.call = func(context.Context, []byte) ([]byte, error) { return nil, Refused("no") }
	w.start("refused")
	if change := <-w.ended; change.Status != "FAILED" || change.Error != "Refused" {
		t.Errorf("got %+v", change)
	}
	w.call = func(context.Context, []byte) ([]byte, error) { panic("personal data") }
	w.start("crashed")
	change := <-w.ended
	if change.Status != "FAILED" || change.Error != "Lambda.Unknown" || strings.Contains(change.Error, "personal") {
		t.Errorf("got %+v", change)
	}
	if err := w.o.Start(t.Context(), "none", "x", nil); err == nil {
		t.Error("a machine that doesn't exist")
	}
}

func TestStop(t *testing.T) {
	w := newWorld(t)
	w.start("one")
	token := <-w.tokens
	for range 2 {
		if err := w.o.Stop(t.Context(), "m", "one", "cancelled"); err != nil {
			t.Fatal(err)
		}
	}
	if change := <-w.ended; change.Status != "ABORTED" || change.Error != "cancelled" {
		t.Errorf("got %+v", change)
	}
	if err := w.o.Answer(t.Context(), token, []byte(`{}`)); !errors.Is(err, orchestrator.ErrGone) {
		t.Errorf("got %v", err)
	}
	if err := w.o.Stop(t.Context(), "m", "never started", "x"); err != nil {
		t.Error(err)
	}
}

func TestResume(t *testing.T) {
	w := newWorld(t)
	w.start("waiting")
	token := <-w.tokens
	w.o.Close()
	w.deaf.Store(true)
	// It ends with the definition that it began with.
	w.openWith(`{"StartAt":"New","States":{"New":{"Type":"Succeed"}}}`, 1)
	if err := w.o.Resume(); err != nil {
		t.Fatal(err)
	}
	if err := w.o.Answer(t.Context(), token, []byte(`{}`)); err != nil {
		t.Fatal(err)
	}
	w.o.Close() // its end was not reported
	w.deaf.Store(false)
	w.open(1)
	if err := w.o.Resume(); err != nil {
		t.Fatal(err)
	}
	if change := <-w.ended; change.Name != "waiting" || change.Status != "SUCCEEDED" || w.calls.Load() != 1 {
		t.Errorf("got %+v after %d calls", change, w.calls.Load())
	}
}

// A function that runs when the orchestrator is closed gets its answer, which is kept; nothing is called after it.
func TestCloseWaitsForFunctions(t *testing.T) {
	w := newWorld(t)
	running, release := make(chan context.Context), make(chan struct{})
	w.call = func(ctx context.Context, _ []byte) ([]byte, error) {
		running <- ctx
		<-release
		return []byte(`"called"`), ctx.Err()
	}
	w.start("one")
	ctx := <-running
	closed := make(chan struct{})
	go func() {
		w.o.Close()
		close(closed)
	}()
	select {
	case <-closed:
		t.Error("it was closed over a function that runs")
	case <-ctx.Done():
		t.Error("the function was told to end")
	case <-w.o.Closing():
	}
	if err := ctx.Err(); err != nil {
		t.Error(err)
	}
	close(release)
	<-closed
	if len(w.tokens) != 0 {
		t.Error("it went on after the end")
	}
	w.open(1)
	if err := w.o.Resume(); err != nil {
		t.Fatal(err)
	}
	if err := w.o.Answer(t.Context(), <-w.tokens, []byte(`{}`)); err != nil {
		t.Fatal(err)
	}
	if change := <-w.ended; change.Status != "SUCCEEDED" || w.calls.Load() != 1 {
		t.Errorf("got %+v after %d calls", change, w.calls.Load())
	}
}

func TestScaledTimeout(t *testing.T) {
	w := newWorld(t)
	w.o.Close()
	w.open(6000)
	w.start("unanswered")
	if change := <-w.ended; change.Status != "FAILED" || change.Error != "States.Timeout" {
		t.Errorf("got %+v", change)
	}
}
