// Package storetest proves that a sandbox.Store keeps its promises: one suite, run on every adapter.
package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"sync"
	"testing"

	"sallyport/functions/sandbox"
)

// Run runs the suite; open returns an empty store for one test.
func Run(t *testing.T, open func(t *testing.T) sandbox.Store) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, sandbox.Store)
	}{
		{"Empty", empty},
		{"WriteReadDelete", writeReadDelete},
		{"Values", values},
		{"OwnWrites", ownWrites},
		{"Rollback", rollback},
		{"ViewOnlyReads", viewOnlyReads},
		{"ListOrder", listOrder},
		{"Clear", clearAll},
		{"CancelledContext", cancelledContext},
		{"ConcurrentCounter", concurrentCounter},
		{"ReadGuardsAnotherWrite", readGuards},
		{"BlindWrites", blindWrites},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, open(t)) })
	}
}

func empty(t *testing.T, s sandbox.Store) {
	view(t, s, func(tx sandbox.Tx) {
		want(t, get(t, tx, "absent"), nil)
		want(t, list(t, tx, ""), nil)
	})
	update(t, s, func(tx sandbox.Tx) {
		want(t, get(t, tx, "absent"), nil)
		must(t, tx.Delete("absent"))
	})
	must(t, s.Clear(t.Context()))
}

func writeReadDelete(t *testing.T, s sandbox.Store) {
	update(t, s, func(tx sandbox.Tx) { must(t, tx.Put("a/b#c", []byte("one"))) })
	view(t, s, func(tx sandbox.Tx) { want(t, get(t, tx, "a/b#c"), []byte("one")) })
	update(t, s, func(tx sandbox.Tx) {
		want(t, get(t, tx, "a/b#c"), []byte("one"))
		must(t, tx.Put("a/b#c", []byte("two")))
	})
	view(t, s, func(tx sandbox.Tx) { want(t, get(t, tx, "a/b#c"), []byte("two")) })
	update(t, s, func(tx sandbox.Tx) { must(t, tx.Delete("a/b#c")) })
	view(t, s, func(tx sandbox.Tx) { want(t, get(t, tx, "a/b#c"), nil) })
}

func values(t *testing.T, s sandbox.Store) {
	binary := []byte{0, 1, 0xff, '"', '\n'}
	large := bytes.Repeat([]byte("x"), 256<<10)
	update(t, s, func(tx sandbox.Tx) {
		must(t, tx.Put("binary", binary))
		must(t, tx.Put("large", large))
		must(t, tx.Put("empty", []byte{}))
	})
	view(t, s, func(tx sandbox.Tx) {
		want(t, get(t, tx, "binary"), binary)
		want(t, get(t, tx, "large"), large)
		if v := get(t, tx, "empty"); v == nil || len(v) != 0 {
			t.Errorf("an empty value came back as %#v", v)
		}
		// The value is the caller's.
		v := get(t, tx, "binary")
		v[0] = 9
		want(t, get(t, tx, "binary"), binary)
	})
}

func ownWrites(t *testing.T, s sandbox.Store) {
	update(t, s, func(tx sandbox.Tx) {
		must(t, tx.Put("k/2", []byte("2")))
		must(t, tx.Put("k/3", []byte("3")))
	})
	update(t, s, func(tx sandbox.Tx) {
		must(t, tx.Put("k/1", []byte("1")))
		must(t, tx.Put("other", []byte("x")))
		must(t, tx.Delete("k/3"))
		must(t, tx.Put("k/2", []byte("2'")))
		want(t, get(t, tx, "k/1"), []byte("1"))
		want(t, get(t, tx, "k/3"), nil)
		want(t, list(t, tx, "k/"), []string{"k/1=1", "k/2=2'"})
	})
}

func rollback(t *testing.T, s sandbox.Store) {
	update(t, s, func(tx sandbox.Tx) { must(t, tx.Put("k", []byte("before"))) })
	mine := errors.New("mine")
	err := s.Update(t.Context(), func(tx sandbox.Tx) error {
		must(t, tx.Put("k", []byte("after")))
		must(t, tx.Put("new", []byte("after")))
		return mine
	})
	if !errors.Is(err, mine) {
		t.Errorf("got error %v", err)
	}
	view(t, s, func(tx sandbox.Tx) { want(t, list(t, tx, ""), []string{"k=before"}) })
}

func viewOnlyReads(t *testing.T, s sandbox.Store) {
	for range 2 { // before and after the first write
		view(t, s, func(tx sandbox.Tx) {
			if err := tx.Put("k", nil); !errors.Is(err, sandbox.ErrReadOnly) {
				t.Errorf("Put: got error %v", err)
			}
			if err := tx.Delete("k"); !errors.Is(err, sandbox.ErrReadOnly) {
				t.Errorf("Delete: got error %v", err)
			}
		})
		update(t, s, func(tx sandbox.Tx) { must(t, tx.Put("k", []byte("v"))) })
	}
}

func listOrder(t *testing.T, s sandbox.Store) {
	update(t, s, func(tx sandbox.Tx) {
		for _, k := range []string{"p/b", "p/", "p/a/x", "p/a", "p/A", "q", "p", "p0", "p/~"} {
			must(t, tx.Put(k, []byte("v")))
		}
	})
	view(t, s, func(tx sandbox.Tx) {
		want(t, list(t, tx, "p/"), []string{"p/=v", "p/A=v", "p/a=v", "p/a/x=v", "p/b=v", "p/~=v"})
		want(t, list(t, tx, "none"), nil)
	})
}

func clearAll(t *testing.T, s sandbox.Store) {
	for from := range 3 { // more than one DynamoDB transaction holds
		update(t, s, func(tx sandbox.Tx) {
			for i := range 70 {
				must(t, tx.Put(fmt.Sprintf("k/%d/%d", from, i), []byte("v")))
			}
		})
	}
	must(t, s.Clear(t.Context()))
	view(t, s, func(tx sandbox.Tx) { want(t, list(t, tx, ""), nil) })
	update(t, s, func(tx sandbox.Tx) { must(t, tx.Put("k", []byte("v"))) })
	view(t, s, func(tx sandbox.Tx) { want(t, list(t, tx, ""), []string{"k=v"}) })
}

func cancelledContext(t *testing.T, s sandbox.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := s.Update(ctx, func(tx sandbox.Tx) error {
		if _, err := tx.Get("k"); err != nil {
			return err
		}
		return tx.Put("k", []byte("v"))
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v", err)
	}
	view(t, s, func(tx sandbox.Tx) { want(t, list(t, tx, ""), nil) })
}

// concurrentCounter: no update is lost.
func concurrentCounter(t *testing.T, s sandbox.Store) {
	const n = 24
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			err := s.Update(t.Context(), func(tx sandbox.Tx) error {
				v, err := tx.Get("n")
				if err != nil {
					return err
				}
				i, _ := strconv.Atoi(string(v))
				return tx.Put("n", []byte(strconv.Itoa(i+1)))
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	view(t, s, func(tx sandbox.Tx) { want(t, get(t, tx, "n"), []byte(strconv.Itoa(n))) })
}

// readGuards: of those that write only if a key that each of them takes away is there, one writes.
func readGuards(t *testing.T, s sandbox.Store) {
	update(t, s, func(tx sandbox.Tx) { must(t, tx.Put("token", []byte("v"))) })
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			err := s.Update(t.Context(), func(tx sandbox.Tx) error {
				v, err := tx.Get("token")
				if err != nil || v == nil {
					return err
				}
				if err := tx.Put(fmt.Sprintf("winner/%d", i), []byte("v")); err != nil {
					return err
				}
				return tx.Delete("token")
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	view(t, s, func(tx sandbox.Tx) {
		if winners := list(t, tx, "winner/"); len(winners) != 1 {
			t.Errorf("winners: %v", winners)
		}
	})
}

// blindWrites: rows with keys of their own do not meet each other.
func blindWrites(t *testing.T, s sandbox.Store) {
	const n = 200
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			err := s.Update(t.Context(), func(tx sandbox.Tx) error {
				return tx.Put(fmt.Sprintf("row/%03d", i), []byte("v"))
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	view(t, s, func(tx sandbox.Tx) {
		if got := len(list(t, tx, "row/")); got != n {
			t.Errorf("got %d rows, want %d", got, n)
		}
	})
}

func update(t *testing.T, s sandbox.Store, fn func(sandbox.Tx)) {
	t.Helper()
	must(t, s.Update(t.Context(), func(tx sandbox.Tx) error { fn(tx); return nil }))
}

func view(t *testing.T, s sandbox.Store, fn func(sandbox.Tx)) {
	t.Helper()
	must(t, s.View(t.Context(), func(tx sandbox.Tx) error { fn(tx); return nil }))
}

func get(t *testing.T, tx sandbox.Tx, key string) []byte {
	t.Helper()
	v, err := tx.Get(key)
	must(t, err)
	return v
}

// list returns the items as key=value.
func list(t *testing.T, tx sandbox.Tx, prefix string) []string {
	t.Helper()
	items, err := tx.List(prefix)
	must(t, err)
	var texts []string
	for _, item := range items {
		texts = append(texts, item.Key+"="+string(item.Value))
	}
	return texts
}

func want[T any](t *testing.T, got, want T) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", any(got), any(want))
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
