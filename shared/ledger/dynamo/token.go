package dynamo

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sallyport/shared/ledger"
)

const tokenPrefix = "token#"

func tokenKey(id string) item { return key(tokenPrefix+id, "token") }

// Token returns the record of an access token, or ledger.ErrNotFound when it is absent or expired.
func (l *Ledger) Token(ctx context.Context, id string) (ledger.Token, error) {
	it, err := l.get(ctx, tokenKey(id))
	if err != nil {
		return ledger.Token{}, err
	}
	t, err := decodeToken(it)
	if err != nil {
		return ledger.Token{}, err
	}
	if expired(t.ExpiresAt, l.Now()) {
		return ledger.Token{}, ledger.ErrNotFound
	}
	return t, nil
}

// PutToken writes the next version of an access token's record, or returns ledger.ErrStale. The record as it stands
// may show that an earlier sending of the same write, whose answer was lost, had succeeded.
func (l *Ledger) PutToken(ctx context.Context, t ledger.Token) (ledger.Token, error) {
	now := l.Now()
	var e expression
	expiry, at := e.name("expires_at"), e.value("now", instant(now))
	if t.Version == 1 {
		e.condition = "attribute_not_exists(pk) OR " + expiry + " <= " + at
	} else {
		e.condition = e.name("version") + " = " + e.value("before", number(t.Version-1)) +
			" AND (attribute_not_exists(" + expiry + ") OR " + expiry + " > " + at + ")"
	}
	it := encodeToken(t)
	_, err := l.client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: &l.table, Item: it, ConditionExpression: &e.condition,
		ExpressionAttributeNames: e.names, ExpressionAttributeValues: e.values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	var failed *types.ConditionalCheckFailedException
	if err != nil && !errors.As(err, &failed) {
		return ledger.Token{}, err
	}
	written, err := decodeToken(it)
	if failed == nil || err != nil {
		return written, err
	}
	standing, err := decodeToken(failed.Item)
	if err != nil {
		return ledger.Token{}, err
	}
	if expired(standing.ExpiresAt, now) {
		return ledger.Token{}, ledger.ErrStale
	}
	if !reflect.DeepEqual(standing, written) {
		return standing, ledger.ErrStale
	}
	return standing, nil
}

func encodeToken(t ledger.Token) item {
	it := tokenKey(t.ID)
	it["version"] = number(t.Version)
	putBytes(it, "sealed", t.Sealed)
	putTexts(it, map[string]string{"holder": t.Holder})
	putInstants(it, map[string]time.Time{"lease": t.Lease, "expires_at": t.ExpiresAt})
	if !t.ExpiresAt.IsZero() {
		it["ttl"] = sweep(t.ExpiresAt)
	}
	return it
}

// decodeToken returns the zero record for an item that does not exist.
func decodeToken(it item) (ledger.Token, error) {
	r := reader{item: it}
	t := ledger.Token{
		ID:        strings.TrimPrefix(r.text("pk"), tokenPrefix),
		Version:   r.number("version"),
		Sealed:    r.bytes("sealed"),
		Holder:    r.text("holder"),
		Lease:     r.instant("lease"),
		ExpiresAt: r.instant("expires_at"),
	}
	if r.err != nil {
		return ledger.Token{}, r.err
	}
	return t, nil
}
