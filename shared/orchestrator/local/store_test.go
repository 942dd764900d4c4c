package local_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.etcd.io/bbolt"

	"sallyport/shared/orchestrator"
	"sallyport/shared/orchestrator/local"
)

// patience waits twice.
const patience = `{"StartAt":"First","States":{
	"First":{"Type":"Wait","Seconds":600,"Next":"Second"},
	"Second":{"Type":"Wait","Seconds":600,"Next":"Done"},
	"Done":{"Type":"Succeed"}}}`

// rows returns what lies in a bucket.
func (w *world) rows(bucket string) map[string]string {
	w.t.Helper()
	rows := map[string]string{}
	err := w.db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte(bucket)).ForEach(func(k, v []byte) error { rows[string(k)] = string(v); return nil })
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return rows
}

// rewrite puts rows into the bucket of executions.
func (w *world) rewrite(rows map[string]string) {
	w.t.Helper()
	err := w.db.Update(func(tx *bbolt.Tx) (err error) {
		for name, text := range rows {
			err = errors.Join(err, tx.Bucket([]byte("orchestrator/executions")).Put([]byte(name), []byte(text)))
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) resume() {
	w.t.Helper()
	if err := w.o.Resume(); err != nil {
		w.t.Fatal(err)
	}
}

func TestDefinitionOnce(t *testing.T) {
	w := newWorld(t)
	for i := range 10 {
		w.start(fmt.Sprint(i))
		<-w.tokens
	}
	w.o.Close()
	if n := len(w.rows("orchestrator/definitions")); n != 1 {
		t.Errorf("%d definitions", n)
	}
	for name, text := range w.rows("orchestrator/executions") {
		if strings.Contains(text, "StartAt") {
			t.Errorf("%s has a definition: %s", name, text)
		}
	}
}

// TestEarlierRelease holds that executions go on which an earlier release has stored, each with its definition.
func TestEarlierRelease(t *testing.T) {
	w := newWorld(t)
	w.start("waiting")
	token := <-w.tokens
	w.start("over")
	if err := w.o.Stop(t.Context(), "m", "over", "cancelled"); err != nil {
		t.Fatal(err)
	}
	<-w.ended
	w.o.Close()
	calls := w.calls.Load()

	var compact bytes.Buffer
	if err := json.Compact(&compact, []byte(definition)); err != nil {
		t.Fatal(err)
	}
	old := map[string]string{}
	for name, text := range map[string]string{
		"waiting": w.rows("orchestrator/executions")["waiting"], "over": w.rows("orchestrator/ended")["over"],
	} {
		var s struct {
			Machine    string          `json:"machine"`
			Definition json.RawMessage `json:"definition"`
			Execution  json.RawMessage `json:"execution"`
			Settled    bool            `json:"settled"`
		}
		if err := json.Unmarshal([]byte(text), &s); err != nil {
			t.Fatal(err)
		}
		s.Definition, s.Settled = compact.Bytes(), name == "over"
		row, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		old[name] = string(row)
	}
	err := w.db.Update(func(tx *bbolt.Tx) error {
		for _, bucket := range []string{"definitions", "ended", "endings"} { // which it didn't have
			if err := tx.DeleteBucket([]byte("orchestrator/" + bucket)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	w.rewrite(old)

	w.openWith(patience, 1)
	w.resume()
	if err := w.o.Start(t.Context(), "m", "over", []byte(`{}`)); err != nil {
		t.Fatal(err)
	}
	if err := w.o.Answer(t.Context(), token, []byte(`{}`)); err != nil {
		t.Fatal(err)
	}
	if change := <-w.ended; change.Name != "waiting" || change.Status != "SUCCEEDED" || w.calls.Load() != calls {
		t.Errorf("got %+v after %d calls", change, w.calls.Load()-calls)
	}
	w.o.Close()
	if n := len(w.rows("orchestrator/executions")); n != 0 {
		t.Errorf("%d executions are open", n)
	}
	for name, text := range w.rows("orchestrator/ended") {
		if strings.Contains(text, "StartAt") || old[name] == "" {
			t.Errorf("%s has a definition: %s", name, text)
		}
	}
	if definitions := w.rows("orchestrator/definitions"); len(definitions) != 1 {
		t.Errorf("kept %v", definitions)
	}
}

// TestForget holds that an execution is kept for a while after its end, in which it can't be started again, and that
// what is kept is forgotten a few at a time.
func TestForget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		end := func(name string) {
			w.start(name)
			<-w.tokens
			if err := w.o.Stop(t.Context(), "m", name, "cancelled"); err != nil {
				t.Fatal(err)
			}
			<-w.ended
			synctest.Wait()
		}
		const many = local.SweepLimit + 4
		for i := range many {
			end(fmt.Sprint(i))
		}
		if n := w.o.Held(); n != 0 {
			t.Errorf("%d locks and timers are kept", n)
		}
		time.Sleep(local.Retention - time.Hour)
		end("later")
		before := w.calls.Load()
		w.start("0")
		if execution, err := w.o.Execution("0"); err != nil || execution == nil || w.calls.Load() != before {
			t.Errorf("started again, or forgotten: %v, %v", execution, err)
		}
		time.Sleep(2 * time.Hour)
		end("last")
		if n := len(w.rows("orchestrator/ended")); n != many-local.SweepLimit+2 {
			t.Errorf("%d are kept after one commit", n)
		}
		w.o.Close()
		w.open(1)
		ended, endings := w.rows("orchestrator/ended"), w.rows("orchestrator/endings")
		if len(ended) != 2 || len(endings) != 2 || ended["later"] == "" || ended["last"] == "" {
			t.Errorf("%d are kept at %d times, want the last two", len(ended), len(endings))
		}
	})
}

// TestCommits counts what an execution writes: its start, before the first invocation; then the end of each invocation,
// with all that it leads to; the answer, with all that it leads to; and that its end is reported.
func TestCommits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		want := func(n int64, what string) {
			t.Helper()
			synctest.Wait()
			if got := w.commits.Swap(0); got != n {
				t.Errorf("%s: %d commits, want %d", what, got, n)
			}
		}
		want(1, "a new file")
		w.start("one")
		want(3, "a start and two invocations")
		_ = w.db.Update(func(*bbolt.Tx) error { w.start("one"); return nil }) // it waits for no writer
		want(0, "a second start")
		if err := w.o.Answer(t.Context(), <-w.tokens, []byte(`{}`)); err != nil {
			t.Fatal(err)
		}
		want(2, "an answer that ends it")
		if err := w.o.Answer(t.Context(), "one.other", []byte(`{}`)); !errors.Is(err, orchestrator.ErrGone) {
			t.Fatal(err)
		}
		want(0, "an answer to nobody")
	})
}

// TestResumeCommits holds that a restart writes once for each execution that moves, and nothing for one that waits.
func TestResumeCommits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.o.Close()
		w.openWith(patience, 1)
		for i := range 100 {
			w.start(fmt.Sprint("moves ", i))
		}
		time.Sleep(5 * time.Minute)
		for i := range 100 {
			w.start(fmt.Sprint("waits ", i))
		}
		synctest.Wait()
		w.o.Close()
		time.Sleep(6 * time.Minute)
		w.openWith(patience, 1)
		w.commits.Store(0)
		before := w.rows("orchestrator/executions")
		w.resume()
		synctest.Wait()
		moved := 0
		for name, text := range w.rows("orchestrator/executions") {
			if text != before[name] {
				moved++
			}
		}
		if n := w.commits.Load(); moved != 100 || n > 101 {
			t.Errorf("%d moved, in %d commits", moved, n)
		}
		w.o.Close()
		w.openWith(patience, 1)
		w.commits.Store(0)
		w.resume()
		synctest.Wait()
		if n := w.commits.Load(); n != 0 {
			t.Errorf("%d commits while all wait", n)
		}
		time.Sleep(20 * time.Minute)
		if n := len(w.ended); n != 200 {
			t.Errorf("%d have ended", n)
		}
	})
}

// TestResumeBounded holds that Resume drives few executions at a time, and all of them in the end.
func TestResumeBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		const many = 3 * local.Resuming
		w.call = func(ctx context.Context, _ []byte) ([]byte, error) { <-ctx.Done(); return nil, ctx.Err() }
		for i := range many {
			w.start(fmt.Sprint(i))
		}
		synctest.Wait()
		w.o.Close()
		release := make(chan struct{})
		w.call = func(context.Context, []byte) ([]byte, error) { <-release; return []byte(`1`), nil }
		w.calls.Store(0)
		w.open(1)
		w.resume()
		synctest.Wait()
		if n := w.calls.Load(); n != local.Resuming {
			t.Errorf("%d are driven at a time", n)
		}
		close(release)
		synctest.Wait()
		if n := len(w.tokens); n != many || w.calls.Load() != many {
			t.Errorf("%d of %d went on, in %d calls", n, many, w.calls.Load())
		}
	})
}
