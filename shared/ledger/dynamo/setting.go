package dynamo

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sallyport/shared/ledger"
)

const (
	settingPrefix    = "setting#"
	settingSeparator = "#"
)

func settingKey(tenant, kind, name string) item {
	return key(settingPrefix+tenant, kind+settingSeparator+name)
}

// Setting returns a tenant's setting, or ledger.ErrNotFound.
func (l *Ledger) Setting(ctx context.Context, tenant, kind, name string) (ledger.Setting, error) {
	return record(ctx, l, settingKey(tenant, kind, name), settingFields, func(ledger.Setting) bool { return true })
}

// PutSetting writes the next version of a setting over the given one (0 for none, ledger.AnyVersion for whatever is
// there), or returns ledger.ErrStale. The record as it stands may show that an earlier sending of the same write, whose
// answer was lost, had succeeded.
func (l *Ledger) PutSetting(ctx context.Context, s ledger.Setting, over int) (ledger.Setting, error) {
	var e expression
	e.increment("version")
	e.set("updated_at", instant(s.UpdatedAt))
	e.set("document", &types.AttributeValueMemberB{Value: append([]byte{}, s.Document...)}) // nil is no value
	switch over {
	case ledger.AnyVersion:
		e.condition = "attribute_not_exists(pk) OR #updated_at <> :updated_at OR #document <> :document"
	case 0:
		e.condition = "attribute_not_exists(pk)"
	default:
		e.condition = "#version = " + e.value("over", number(over))
	}
	it, err := l.update(ctx, settingKey(s.Tenant, s.Kind, s.Name), e)
	return held(it, err, settingFields, func(standing ledger.Setting) bool { return s.WrittenAs(standing, over) },
		ledger.ErrStale)
}

func settingFields(c *codec, s *ledger.Setting) {
	c.id(settingPrefix, &s.Tenant)
	var name string
	c.text("sk", &name)
	s.Kind, s.Name, _ = strings.Cut(name, settingSeparator)
	c.bytes("document", &s.Document)
	c.number("version", &s.Version)
	c.instant("updated_at", &s.UpdatedAt)
}
