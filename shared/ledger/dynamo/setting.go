package dynamo

import (
	"bytes"
	"context"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
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
	it, err := l.get(ctx, settingKey(tenant, kind, name))
	if err != nil {
		return ledger.Setting{}, err
	}
	return decodeSetting(it)
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
	out, err := l.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &l.table, Key: settingKey(s.Tenant, s.Kind, s.Name),
		UpdateExpression: aws.String(e.update()), ConditionExpression: &e.condition,
		ExpressionAttributeNames: e.names, ExpressionAttributeValues: e.values,
		ReturnValues:                        types.ReturnValueAllNew,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	if err == nil {
		return decodeSetting(out.Attributes)
	}
	var failed *types.ConditionalCheckFailedException
	if !errors.As(err, &failed) {
		return ledger.Setting{}, err
	}
	standing, err := decodeSetting(failed.Item)
	if err != nil {
		return ledger.Setting{}, err
	}
	written := standing.Version > 0 && standing.UpdatedAt.Equal(s.UpdatedAt) && bytes.Equal(standing.Document, s.Document)
	if !written || over != ledger.AnyVersion && standing.Version != over+1 {
		return standing, ledger.ErrStale
	}
	return standing, nil
}

// decodeSetting returns the zero setting for an item that does not exist.
func decodeSetting(it item) (ledger.Setting, error) {
	r := reader{item: it}
	s := ledger.Setting{
		Tenant:    strings.TrimPrefix(r.text("pk"), settingPrefix),
		Document:  r.bytes("document"),
		Version:   r.number("version"),
		UpdatedAt: r.instant("updated_at"),
	}
	s.Kind, s.Name, _ = strings.Cut(r.text("sk"), settingSeparator)
	if r.err != nil {
		return ledger.Setting{}, r.err
	}
	return s, nil
}
