package bolt

import (
	"context"
	"encoding/json"
	"reflect"
	"time"

	"go.etcd.io/bbolt"

	"sallyport/shared/ledger"
)

// table is a bucket of records of one type, as JSON by their ids.
type table[T any] struct {
	bucket  []byte
	expires func(record T) time.Time // when it may be swept; nil, or the zero time, for never
	places  func(record T) []place   // where it stands in the other indexes; nil, or the zero record, for nowhere
}

// load returns the zero record where there is none.
func (t table[T]) load(tx *bbolt.Tx, id string) (record T, err error) {
	v := tx.Bucket(t.bucket).Get([]byte(id))
	if v == nil {
		return record, nil
	}
	return decode[T](v)
}

// store replaces old and its places in the indexes by now, and returns now as load will.
func (t table[T]) store(tx *bbolt.Tx, id string, old, now T) (T, error) {
	v, err := json.Marshal(now)
	if err != nil {
		return now, err
	}
	if err := tx.Bucket(t.bucket).Put([]byte(id), v); err != nil {
		return now, err
	}
	if err := reindex(tx, t.placesOf(id, old), t.placesOf(id, now)); err != nil {
		return now, err
	}
	return decode[T](v)
}

func (t table[T]) placesOf(id string, record T) (found []place) {
	if t.expires != nil {
		found = expiry(t.bucket, id, t.expires(record))
	}
	if t.places != nil {
		found = append(found, t.places(record)...)
	}
	return found
}

// indexed is a table whose records stand in indexes.
type indexed interface {
	name() []byte
	loadPlaces(tx *bbolt.Tx, id string) ([]place, error)
}

func allIndexed() []indexed { return []indexed{transactions, journeys, correlations, tokens, callers} }

func (t table[T]) name() []byte { return t.bucket }

func (t table[T]) loadPlaces(tx *bbolt.Tx, id string) ([]place, error) {
	record, err := t.load(tx, id)
	return t.placesOf(id, record), err
}

// get returns a record of which there reports that it is there, or ledger.ErrNotFound.
func get[T any](ctx context.Context, l *Ledger, t table[T], id string, there func(T) bool) (record T, err error) {
	err = l.view(ctx, func(tx *bbolt.Tx) error {
		found, err := t.load(tx, id)
		if err == nil && !there(found) {
			err = ledger.ErrNotFound
		}
		if err == nil {
			record = found
		}
		return err
	})
	return record, err
}

// written returns a record as load will once it is stored.
func written[T any](record T) (T, error) {
	v, err := json.Marshal(record)
	if err != nil {
		return record, err
	}
	return decode[T](v)
}

// decode reads a stored record: times in UTC, what is empty as nil, sharing nothing with whoever wrote it.
func decode[T any](v []byte) (record T, err error) {
	var none T
	if err := json.Unmarshal(v, &record); err != nil {
		return none, err
	}
	tidy(reflect.ValueOf(&record).Elem())
	return record, nil
}

func tidy(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		if at, ok := v.Addr().Interface().(*time.Time); ok {
			*at = at.UTC()
			return
		}
		for i := range v.NumField() {
			tidy(v.Field(i))
		}
	case reflect.Pointer:
		if !v.IsNil() {
			tidy(v.Elem())
		}
	case reflect.Slice: // whose elements hold neither
		if v.Len() == 0 {
			v.SetZero()
		}
	case reflect.Map:
		if v.Len() == 0 {
			v.SetZero()
		}
		for _, name := range v.MapKeys() {
			value := reflect.New(v.Type().Elem()).Elem()
			value.Set(v.MapIndex(name))
			tidy(value)
			v.SetMapIndex(name, value)
		}
	}
}
