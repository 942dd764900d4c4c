package sandboxtest

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"strings"
	"testing"

	"sallyport/functions/sandbox"
)

// breaking is a store whose transaction fails at one of its steps, once.
type breaking struct {
	Memory
	step int // counted down; it fails at 1
}

var errBroken = errors.New("broken")

func (b *breaking) Update(ctx context.Context, fn func(sandbox.Tx) error) error {
	return b.Memory.Update(ctx, func(tx sandbox.Tx) error { return fn(breakingTx{tx, b}) })
}

type breakingTx struct {
	sandbox.Tx
	store *breaking
}

func (tx breakingTx) fails() error {
	if tx.store.step--; tx.store.step == 0 {
		return errBroken
	}
	return nil
}

func (tx breakingTx) Get(key string) ([]byte, error) {
	if err := tx.fails(); err != nil {
		return nil, err
	}
	return tx.Tx.Get(key)
}

func (tx breakingTx) Put(key string, value []byte) error {
	return errors.Join(tx.fails(), tx.Tx.Put(key, value))
}

func (tx breakingTx) Delete(key string) error { return errors.Join(tx.fails(), tx.Tx.Delete(key)) }

func (tx breakingTx) List(prefix string) ([]sandbox.Item, error) {
	if err := tx.fails(); err != nil {
		return nil, err
	}
	return tx.Tx.List(prefix)
}

// BrokenStore lets the store fail at every step of every operation in turn: the sandbox says so, the partner has done
// nothing, and nothing panicked over what could not be read.
func (s Suite) BrokenStore(t *testing.T) {
	for _, op := range sandbox.Operations([]sandbox.Simulator{s.Simulator}) {
		t.Run(op.Name+" "+op.Path, func(t *testing.T) {
			log := &strings.Builder{}
			for step := 1; ; step++ {
				store := &breaking{}
				h := s.Prepare(t, store, func(o *sandbox.Options) { o.Log = slog.New(slog.NewTextHandler(log, nil)) })
				r := h.Request(op)
				before := records(store.Items)
				store.step = step
				w := h.Do(r)
				if w.Code != http.StatusInternalServerError {
					Want(t, w.Code, s.success(op))
					break
				}
				WantProblem(t, w, 500, "the sandbox itself failed; the partner did nothing", "")
				Want(t, records(store.Items), before)
			}
			Want(t, strings.Contains(log.String(), "panicked"), false)
		})
	}
}

// records returns what is kept but for the log of requests.
func records(items map[string][]byte) map[string][]byte {
	items = maps.Clone(items)
	maps.DeleteFunc(items, func(key string, _ []byte) bool { return strings.HasPrefix(key, "requests/") })
	return items
}
