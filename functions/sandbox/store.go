package sandbox

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Store keeps what the simulated partners know: their records, the armed faults, the settings and the log of
// requests. Implementations: NewBolt, and package sandbox/dynamo. Package sandbox/storetest proves that they keep
// the same promises.
//
// Keys are non-empty, printable and at most 512 bytes; values are at most 256 KiB.
type Store interface {
	// Update runs fn in one transaction: all of its writes happen or none does, and everything that it read with Get
	// is still so when they do. An error from fn undoes the transaction and is returned as it is. fn may run several
	// times, so it must have no effect outside of tx. ErrConflict when others kept interfering.
	Update(ctx context.Context, fn func(tx Tx) error) error

	// View runs fn with a Tx that only reads: Put and Delete return ErrReadOnly.
	View(ctx context.Context, fn func(tx Tx) error) error

	// Clear forgets everything that was there when it was called. Where the technology can't do that at once (a
	// DynamoDB transaction is limited to 100 items), pointers go before what they point at: in the order of keys.
	Clear(ctx context.Context) error
}

// Tx is one transaction of a Store. It sees its own writes and is valid until fn returns.
type Tx interface {
	// Get returns the value of a key, or nil where there is none. The value is the caller's to keep.
	Get(key string) ([]byte, error)
	// Put sets the value of a key. Without a Get of the same key before it, it overwrites whatever is there.
	Put(key string, value []byte) error
	// Delete removes a key; one that is absent is no error.
	Delete(key string) error
	// List returns the items whose key begins with prefix, ordered by the bytes of their keys. Unlike Get it does not
	// guard what it returned against others until the transaction ends.
	List(prefix string) ([]Item, error)
}

// Item is one key and its value.
type Item struct {
	Key   string
	Value []byte
}

// Errors of a Store. Whatever else its methods return means that it could not be reached or did not answer.
var (
	// ErrReadOnly: a write in View.
	ErrReadOnly = errors.New("sandbox: transaction only reads")
	// ErrConflict: the transaction lost against others each time that it was tried; nothing was written.
	ErrConflict = errors.New("sandbox: transaction lost against others too often")
)

// load reads a JSON record into v and reports whether there is one.
func load(tx Tx, key string, v any) (bool, error) {
	b, err := tx.Get(key)
	if err != nil || b == nil {
		return false, err
	}
	if err := json.Unmarshal(b, v); err != nil {
		return false, fmt.Errorf("sandbox: record %q: %w", key, err)
	}
	return true, nil
}

// list reads the JSON records whose key begins with prefix, in the order of their keys.
func list[T any](tx Tx, prefix string, each func(key string, v T)) error {
	items, err := tx.List(prefix)
	for _, item := range items {
		var v T
		if err := json.Unmarshal(item.Value, &v); err != nil {
			return fmt.Errorf("sandbox: record %q: %w", item.Key, err)
		}
		each(item.Key, v)
	}
	return err
}

// save writes v as a JSON record.
func save(tx Tx, key string, v any) error {
	return tx.Put(key, Encode(v))
}

// Encode returns v as compact JSON, names in the order of v's fields or, of a map, of the alphabet, nothing escaped for
// HTML, no newline at the end. It panics where v can't be JSON, which is a mistake in this package.
func Encode(v any) []byte {
	b, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		panic(err)
	}
	return b
}

// Object returns a JSON object of members in their order: a name, its value, and so on; see Optional.
func Object(members ...any) jsontext.Value {
	object := []byte{'{'}
	for i := 0; i < len(members); i += 2 {
		if members[i+1] == (absent{}) {
			continue
		}
		if len(object) > 1 {
			object = append(object, ',')
		}
		object = append(append(object, Encode(members[i])...), ':')
		object = append(object, Encode(members[i+1])...)
	}
	return append(object, '}')
}

// absent is the value of a member that Object leaves out.
type absent struct{}

// Optional returns a value for Object, which leaves the member out where it is zero.
func Optional(v any) any {
	if reflect.ValueOf(v).IsZero() {
		return absent{}
	}
	return v
}
