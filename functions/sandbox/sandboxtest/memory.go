package sandboxtest

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"strings"
	"sync"

	"sallyport/functions/sandbox"
)

// Memory is a Store for tests that need speed, not a file. The zero value is an empty one.
type Memory struct {
	mu    sync.Mutex
	Items map[string][]byte // what is kept, to be read while nothing runs
}

func (m *Memory) Update(ctx context.Context, fn func(sandbox.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	tx := memoryTx{items: maps.Clone(m.Items)}
	if tx.items == nil {
		tx.items = map[string][]byte{}
	}
	if err := fn(tx); err != nil {
		return err
	}
	m.Items = tx.items
	return nil
}

func (m *Memory) View(_ context.Context, fn func(sandbox.Tx) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return fn(memoryTx{items: m.Items, readOnly: true})
}

func (m *Memory) Clear(context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.Items = nil
	return nil
}

type memoryTx struct {
	items    map[string][]byte
	readOnly bool
}

func (tx memoryTx) Get(key string) ([]byte, error) { return bytes.Clone(tx.items[key]), nil }

func (tx memoryTx) Put(key string, value []byte) error {
	if tx.readOnly {
		return sandbox.ErrReadOnly
	}
	tx.items[key] = append([]byte{}, value...)
	return nil
}

func (tx memoryTx) Delete(key string) error {
	if tx.readOnly {
		return sandbox.ErrReadOnly
	}
	delete(tx.items, key)
	return nil
}

func (tx memoryTx) List(prefix string) ([]sandbox.Item, error) {
	var items []sandbox.Item
	for _, key := range slices.Sorted(maps.Keys(tx.items)) {
		if strings.HasPrefix(key, prefix) {
			items = append(items, sandbox.Item{Key: key, Value: bytes.Clone(tx.items[key])})
		}
	}
	return items, nil
}
