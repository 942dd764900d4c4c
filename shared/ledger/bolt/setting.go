package bolt

import (
	"bytes"
	"context"
	"encoding/json"

	"go.etcd.io/bbolt"

	"sallyport/shared/ledger"
)

var settings = []byte("ledger/settings") // tenant, kind and name → setting

// Setting returns a tenant's setting, or ledger.ErrNotFound.
func (l *Ledger) Setting(ctx context.Context, tenant, kind, name string) (s ledger.Setting, err error) {
	err = l.view(ctx, func(tx *bbolt.Tx) error {
		s, err = loadSetting(tx, settingKey(tenant, kind, name))
		if err == nil && s.Version == 0 {
			err = ledger.ErrNotFound
		}
		return err
	})
	return s, err
}

// PutSetting writes the next version of a setting over the given one (0 for none, ledger.AnyVersion for whatever is
// there), or returns ledger.ErrStale.
func (l *Ledger) PutSetting(ctx context.Context, s ledger.Setting, over int) (ledger.Setting, error) {
	return update(ctx, l, func(tx *bbolt.Tx) (ledger.Setting, error) {
		key := settingKey(s.Tenant, s.Kind, s.Name)
		standing, err := loadSetting(tx, key)
		if err != nil {
			return ledger.Setting{}, err
		}
		written := standing.Version > 0 && standing.UpdatedAt.Equal(s.UpdatedAt) && bytes.Equal(standing.Document, s.Document)
		switch {
		case written && (over == ledger.AnyVersion || standing.Version == over+1):
			return standing, errHeld
		case over != ledger.AnyVersion && standing.Version != over:
			return standing, ledger.ErrStale
		}
		s.Version = standing.Version + 1
		v, err := json.Marshal(s)
		if err != nil {
			return ledger.Setting{}, err
		}
		if err := tx.Bucket(settings).Put(key, v); err != nil {
			return ledger.Setting{}, err
		}
		return decodeSetting(v)
	})
}

// settingKey is JSON, in which no tenant's name can reach into another's.
func settingKey(tenant, kind, name string) []byte {
	key, _ := json.Marshal([]string{tenant, kind, name})
	return key
}

// loadSetting returns the zero setting where there is none.
func loadSetting(tx *bbolt.Tx, key []byte) (ledger.Setting, error) {
	v := tx.Bucket(settings).Get(key)
	if v == nil {
		return ledger.Setting{}, nil
	}
	return decodeSetting(v)
}

// decodeSetting reads a stored setting: times in UTC, an empty document as nil.
func decodeSetting(v []byte) (s ledger.Setting, err error) {
	if err := json.Unmarshal(v, &s); err != nil {
		return ledger.Setting{}, err
	}
	s.UpdatedAt = s.UpdatedAt.UTC()
	noEmptySlice(&s.Document)
	return s, nil
}
