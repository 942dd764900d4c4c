package bolt

import (
	"context"
	"encoding/json"

	"go.etcd.io/bbolt"

	"sallyport/shared/ledger"
)

// By tenant, kind and name.
var settings = table[ledger.Setting]{bucket: []byte("ledger/settings")}

// Setting returns a tenant's setting, or ledger.ErrNotFound.
func (l *Ledger) Setting(ctx context.Context, tenant, kind, name string) (ledger.Setting, error) {
	return get(ctx, l, settings, settingKey(tenant, kind, name), func(s ledger.Setting) bool { return s.Version > 0 })
}

// PutSetting writes the next version of a setting over the given one (0 for none, ledger.AnyVersion for whatever is
// there), or returns ledger.ErrStale.
func (l *Ledger) PutSetting(ctx context.Context, s ledger.Setting, over int) (ledger.Setting, error) {
	return update(ctx, l, func(tx *bbolt.Tx) (ledger.Setting, error) {
		key := settingKey(s.Tenant, s.Kind, s.Name)
		standing, err := settings.load(tx, key)
		switch {
		case err != nil:
			return ledger.Setting{}, err
		case s.WrittenAs(standing, over):
			return standing, errHeld
		case over != ledger.AnyVersion && standing.Version != over:
			return standing, ledger.ErrStale
		}
		s.Version = standing.Version + 1
		return settings.store(tx, key, standing, s)
	})
}

// settingKey is JSON, in which no tenant's name can reach into another's.
func settingKey(tenant, kind, name string) string {
	key, _ := json.Marshal([]string{tenant, kind, name})
	return string(key)
}
