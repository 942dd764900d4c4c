package sandbox_test

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"sallyport/functions/sandbox"
	"sallyport/functions/sandbox/storetest"
)

// memory is a Store for tests that need speed, not a file.
type memory struct {
	mu    sync.Mutex
	items map[string][]byte
}

func (m *memory) Update(ctx context.Context, fn func(sandbox.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	tx := memoryTx{items: maps.Clone(m.items)}
	if tx.items == nil {
		tx.items = map[string][]byte{}
	}
	if err := fn(tx); err != nil {
		return err
	}
	m.items = tx.items
	return nil
}

func (m *memory) View(_ context.Context, fn func(sandbox.Tx) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return fn(memoryTx{items: m.items, readOnly: true})
}

func (m *memory) Clear(context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.items = nil
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

func TestMemory(t *testing.T) {
	storetest.Run(t, func(*testing.T) sandbox.Store { return &memory{} })
}
