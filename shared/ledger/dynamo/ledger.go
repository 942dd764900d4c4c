// Package dynamo keeps the ledger in a DynamoDB table. Every item has the key attributes pk and sk; the index
// tenant-index (gsi1pk, gsi1sk) lists a tenant's transactions and its journeys, journey-index (gsi2pk, gsi2sk) the
// transactions of a journey, each with every other attribute projected but the large ones; ttl is when DynamoDB may
// sweep an item, in epoch seconds.
package dynamo

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sallyport/shared/ledger"
)

// API is what the ledger calls of a *dynamodb.Client.
type API interface {
	GetItem(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
	PutItem(context.Context, *dynamodb.PutItemInput, ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error)
	UpdateItem(context.Context, *dynamodb.UpdateItemInput, ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error)
	TransactWriteItems(
		context.Context, *dynamodb.TransactWriteItemsInput, ...func(*dynamodb.Options),
	) (*dynamodb.TransactWriteItemsOutput, error)
	Query(context.Context, *dynamodb.QueryInput, ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error)
}

// Ledger implements operation.Ledger and the reads of its other users. Each writing method is one API call, but for
// Complete with an owner, which is two.
type Ledger struct {
	// Now tells which records have expired, and when correlations were written; time.Now if nobody sets it.
	Now    func() time.Time
	client API
	table  string
}

// New makes a ledger in a table.
func New(client API, table string) *Ledger {
	return &Ledger{Now: time.Now, client: client, table: table}
}

// Claim implements operation.Ledger.
func (l *Ledger) Claim(ctx context.Context, t ledger.Transaction) (ledger.Transaction, error) {
	t.State, t.Code, t.Reply, t.EndedAt = ledger.Claimed, "", nil, time.Time{}
	t.TakeOvers, t.ExpiresAt = 0, t.Lease.Add(ledger.Retention)

	var e expression
	it := encode(t)
	for _, name := range attributes {
		switch value, ok := it[name]; {
		case name == "generation":
			e.increment(name)
		case ok:
			e.set(name, value)
		default:
			e.remove(name)
		}
	}
	e.condition = "attribute_not_exists(pk) OR (#state = " + e.value(
		"released", text(string(ledger.Released)),
	) + " AND #attempt <> :attempt)" +
		" OR #expires_at <= " + e.value("now", instant(t.ClaimedAt))
	return l.take(ctx, t, e)
}

// TakeOver implements operation.Ledger.
func (l *Ledger) TakeOver(ctx context.Context, t ledger.Transaction, from string) (ledger.Transaction, error) {
	expires := t.Lease.Add(ledger.Retention)

	var e expression
	e.heldBy(from)
	e.set("state", text(string(ledger.Claimed)))
	e.set("attempt", text(t.Attempt))
	e.set("lease", instant(t.Lease))
	e.set("expires_at", instant(expires))
	e.set("ttl", sweep(expires))
	e.increment("take_overs")
	for _, name := range []string{"code", "sent_at", "ended_at", "reply"} {
		e.remove(name)
	}
	return l.take(ctx, t, e)
}

// take gives the record to t.Attempt.
func (l *Ledger) take(ctx context.Context, t ledger.Transaction, e expression) (ledger.Transaction, error) {
	it, err := l.update(ctx, transactionKey(t.ID), e)
	return held(it, err, transactionFields, func(standing ledger.Transaction) bool {
		return standing.State == ledger.Claimed && standing.Attempt == t.Attempt
	}, ledger.ErrTaken)
}

// Complete implements operation.Ledger.
func (l *Ledger) Complete(ctx context.Context, t ledger.Transaction) (ledger.Transaction, error) {
	if t.Owns != "" {
		if err := l.own(ctx, t); err != nil {
			return ledger.Transaction{}, err
		}
	}
	var e expression
	e.heldBy(t.Attempt)
	it, err := l.put(ctx, encode(t), e)
	return held(it, err, transactionFields, func(standing ledger.Transaction) bool {
		return standing.State == t.State && standing.Attempt == t.Attempt
	}, ledger.ErrFenced)
}

// own names the owner of the partner's record that t created, before t's end is written: never is a record done whose
// owner nobody knows. A transaction of both would cost twice what they cost. The last call that named the record stands
// beside its owners: where this is all that gets written, t must still find by it what it has made itself.
func (l *Ledger) own(ctx context.Context, t ledger.Transaction) error {
	for i, record := range append([]string{t.Owns}, t.Aliases...) {
		in := &dynamodb.UpdateItemInput{
			TableName: &l.table, Key: ownerKey(record),
			UpdateExpression:         aws.String("ADD #tenants :tenants SET #call = :call"),
			ConditionExpression:      aws.String("attribute_not_exists(#tenants) OR contains(#tenants, :tenant)"),
			ExpressionAttributeNames: map[string]string{"#tenants": "tenants", "#call": "call"},
			ExpressionAttributeValues: item{
				":tenants": only(t.Tenant), ":tenant": text(t.Tenant), ":call": text(t.Call()),
			},
		}
		if i == 0 && t.Overrules {
			in.UpdateExpression = aws.String("SET #tenants = :tenants, #call = :call")
			*in.ConditionExpression += " OR attribute_not_exists(#call) AND #assigned_at < :claimed_at"
			in.ExpressionAttributeNames["#assigned_at"] = "assigned_at"
			in.ExpressionAttributeValues[":claimed_at"] = instant(t.ClaimedAt)
		}
		_, err := l.client.UpdateItem(ctx, in)
		var owned *types.ConditionalCheckFailedException
		switch {
		case errors.As(err, &owned) && i == 0:
			return ledger.ErrOwned
		case err != nil && !errors.As(err, &owned): // an alias that is another's stays so
			return err
		}
	}
	return nil
}

// PutOwner makes a tenant the only owner of a partner's record, whoever owned it before. Which call has made it stays
// on record.
func (l *Ledger) PutOwner(ctx context.Context, record, tenant string) error {
	_, err := l.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &l.table, Key: ownerKey(record),
		UpdateExpression:         aws.String("SET #tenants = :tenants, #assigned_at = :now"),
		ExpressionAttributeNames: map[string]string{"#tenants": "tenants", "#assigned_at": "assigned_at"},
		ExpressionAttributeValues: item{
			":tenants": only(tenant), ":now": instant(l.Now()),
		},
	})
	return err
}

// Record implements operation.Ledger.
func (l *Ledger) Record(ctx context.Context, t ledger.Transaction) error {
	if t.Owns != "" {
		if err := l.own(ctx, t); err != nil {
			return err
		}
	}
	_, err := l.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &l.table, Item: encode(t)})
	return err
}

// Owner implements operation.Ledger.
func (l *Ledger) Owner(ctx context.Context, record string) (ledger.Owner, error) {
	it, err := l.get(ctx, ownerKey(record))
	if err == ledger.ErrNotFound {
		return ledger.Owner{}, nil
	}
	if err != nil {
		return ledger.Owner{}, err
	}
	c := codec{item: it}
	owner := ledger.Owner{Tenants: slices.Sorted(slices.Values(c.set("tenants")))}
	c.text("call", &owner.Call)
	c.instant("assigned_at", &owner.AssignedAt)
	return owner, c.err
}

// Transaction returns a tenant's record, or ledger.ErrNotFound when it is absent, expired or another tenant's.
func (l *Ledger) Transaction(ctx context.Context, tenant, id string) (ledger.Transaction, error) {
	return record(ctx, l, transactionKey(id), transactionFields, func(t ledger.Transaction) bool {
		return t.Tenant == tenant && !ledger.Expired(t.ExpiresAt, l.Now())
	})
}

// Caller returns who holds the key with this hash, or ledger.ErrNotFound when nobody does or it has expired.
func (l *Ledger) Caller(ctx context.Context, keyHash string) (ledger.Caller, error) {
	return record(ctx, l, callerKey(keyHash), callerFields, func(c ledger.Caller) bool {
		return !ledger.Expired(c.ExpiresAt, l.Now())
	})
}

// PutCaller adds or replaces a caller.
func (l *Ledger) PutCaller(ctx context.Context, c ledger.Caller) error {
	it := write(callerKey(c.KeyHash), c, callerFields)
	_, err := l.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &l.table, Item: it})
	return err
}

// record reads a record of which there reports that it is there, or ledger.ErrNotFound.
func record[T any](
	ctx context.Context, l *Ledger, key item, fields func(*codec, *T), there func(T) bool,
) (found T, err error) {
	var none T
	it, err := l.get(ctx, key)
	if err != nil {
		return none, err
	}
	if found, err = read(it, fields); err == nil && !there(found) {
		return none, ledger.ErrNotFound
	}
	return found, err
}

// get reads an item as of now, or ledger.ErrNotFound.
func (l *Ledger) get(ctx context.Context, key item) (item, error) {
	out, err := l.client.GetItem(
		ctx, &dynamodb.GetItemInput{TableName: &l.table, Key: key, ConsistentRead: aws.Bool(true)},
	)
	if err != nil {
		return nil, err
	}
	if out.Item == nil {
		return nil, ledger.ErrNotFound
	}
	return out.Item, nil
}

// put writes an item where the condition holds. It returns the item as it stands, with errCondition where that did not.
func (l *Ledger) put(
	ctx context.Context, it item, e expression, options ...func(*dynamodb.Options),
) (standing item, err error) {
	_, err = l.client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: &l.table, Item: it,
		ConditionExpression: &e.condition, ExpressionAttributeNames: e.names, ExpressionAttributeValues: e.values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}, options...)
	if err != nil {
		return asItStands(err)
	}
	return it, nil
}

// update is put for an item that is updated.
func (l *Ledger) update(ctx context.Context, key item, e expression) (standing item, err error) {
	out, err := l.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &l.table, Key: key, UpdateExpression: aws.String(e.update()),
		ConditionExpression: &e.condition, ExpressionAttributeNames: e.names, ExpressionAttributeValues: e.values,
		ReturnValues:                        types.ReturnValueAllNew,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	if err != nil {
		return asItStands(err)
	}
	return out.Attributes, nil
}

// errCondition says that a condition failed, beside the item on which it did.
var errCondition = errors.New("dynamo: condition failed")

// asItStands returns the item that made a conditional write fail, with errCondition; any other error as it is.
func asItStands(err error) (item, error) {
	var failed *types.ConditionalCheckFailedException
	if errors.As(err, &failed) {
		return failed.Item, errCondition
	}
	return nil, err
}

// held returns the record that a conditional write has left or failed on. The record as it stands may be written: it
// shows that an earlier sending of the same write, whose answer was lost, had succeeded. Else the write is refused.
func held[T any](
	it item, err error, fields func(*codec, *T), written func(standing T) bool, refused error,
) (record T, _ error) {
	if err != nil && err != errCondition {
		return record, err
	}
	record, unread := read(it, fields)
	if unread == nil && err == errCondition && !written(record) {
		return record, refused
	}
	return record, unread
}
