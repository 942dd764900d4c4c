// Package dynamo keeps the ledger in a DynamoDB table. Every item has the key attributes pk and sk; the index
// tenant-index (gsi1pk, gsi1sk) lists a tenant's transactions and its journeys, journey-index (gsi2pk, gsi2sk) the
// transactions of a journey, each with every other attribute projected but the large ones; ttl is when DynamoDB may
// sweep an item, in epoch seconds.
package dynamo

import (
	"context"
	"errors"
	"slices"
	"strconv"
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

// take gives the record to t.Attempt. The record as it stands may show that an earlier sending of the same write,
// whose answer was lost, had succeeded.
func (l *Ledger) take(ctx context.Context, t ledger.Transaction, e expression) (ledger.Transaction, error) {
	out, err := l.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &l.table, Key: transactionKey(t.ID),
		UpdateExpression: aws.String(e.update()), ConditionExpression: &e.condition,
		ExpressionAttributeNames: e.names, ExpressionAttributeValues: e.values,
		ReturnValues:                        types.ReturnValueAllNew,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	if err == nil {
		return decode(out.Attributes)
	}
	standing, err := asItStands(err)
	if err == errCondition && (standing.State != ledger.Claimed || standing.Attempt != t.Attempt) {
		return standing, ledger.ErrTaken
	}
	if err == errCondition {
		return standing, nil
	}
	return standing, err
}

// Complete implements operation.Ledger.
func (l *Ledger) Complete(ctx context.Context, t ledger.Transaction) (ledger.Transaction, error) {
	if t.Owns != "" {
		if err := l.own(ctx, t); err != nil {
			return ledger.Transaction{}, err
		}
	}
	it := encode(t)
	var e expression
	e.heldBy(t.Attempt)
	_, err := l.client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: &l.table, Item: it,
		ConditionExpression: &e.condition, ExpressionAttributeNames: e.names, ExpressionAttributeValues: e.values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	if err == nil {
		return decode(it)
	}
	standing, err := asItStands(err)
	if err == errCondition && (standing.State != t.State || standing.Attempt != t.Attempt) {
		return standing, ledger.ErrFenced
	}
	if err == errCondition {
		return standing, nil
	}
	return standing, err
}

// own names the owner of the partner's record that t created, before t's end is written: never is a record done whose
// owner nobody knows. A transaction of both would cost twice what they cost. The last call that named the record stands
// beside its owners: where this is all that gets written, t must still find by it what it has made itself.
func (l *Ledger) own(ctx context.Context, t ledger.Transaction) error {
	_, err := l.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &l.table, Key: ownerKey(t.Owns),
		UpdateExpression:          aws.String("ADD #tenants :tenant SET #call = :call"),
		ExpressionAttributeNames:  map[string]string{"#tenants": "tenants", "#call": "call"},
		ExpressionAttributeValues: item{":tenant": only(t.Tenant), ":call": text(call(t.ID, t.Generation))},
	})
	return err
}

// call names a call among all that were made by one id.
func call(id string, generation int) string { return id + "#" + strconv.Itoa(generation) }

// Record implements operation.Ledger.
func (l *Ledger) Record(ctx context.Context, t ledger.Transaction) error {
	_, err := l.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &l.table, Item: encode(t)})
	return err
}

// Owners implements operation.Ledger.
func (l *Ledger) Owners(ctx context.Context, record string) (tenants []string, err error) {
	it, err := l.get(ctx, ownerKey(record))
	if err == ledger.ErrNotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	r := reader{item: it}
	if set := attribute[*types.AttributeValueMemberSS](&r, "tenants"); set != nil {
		tenants = slices.Sorted(slices.Values(set.Value))
	}
	return tenants, r.err
}

// Created implements operation.Ledger.
func (l *Ledger) Created(ctx context.Context, record, id string, generation int) (bool, error) {
	it, err := l.get(ctx, ownerKey(record))
	if err == ledger.ErrNotFound {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	r := reader{item: it}
	return r.text("call") == call(id, generation), r.err
}

// Transaction returns a tenant's record, or ledger.ErrNotFound when it is absent, expired or another tenant's.
func (l *Ledger) Transaction(ctx context.Context, tenant, id string) (ledger.Transaction, error) {
	it, err := l.get(ctx, transactionKey(id))
	if err != nil {
		return ledger.Transaction{}, err
	}
	t, err := decode(it)
	if err != nil {
		return ledger.Transaction{}, err
	}
	if t.Tenant != tenant || expired(t.ExpiresAt, l.Now()) {
		return ledger.Transaction{}, ledger.ErrNotFound
	}
	return t, nil
}

// Caller returns who holds the key with this hash, or ledger.ErrNotFound when nobody does or it has expired.
func (l *Ledger) Caller(ctx context.Context, keyHash string) (ledger.Caller, error) {
	it, err := l.get(ctx, callerKey(keyHash))
	if err != nil {
		return ledger.Caller{}, err
	}
	c, err := decodeCaller(it)
	if err != nil {
		return ledger.Caller{}, err
	}
	if expired(c.ExpiresAt, l.Now()) {
		return ledger.Caller{}, ledger.ErrNotFound
	}
	return c, nil
}

// PutCaller adds or replaces a caller.
func (l *Ledger) PutCaller(ctx context.Context, c ledger.Caller) error {
	_, err := l.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &l.table, Item: encodeCaller(c)})
	return err
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

// expired reports whether what was stored with this expiry counts as absent. The zero time never comes: a forgotten
// expiry must not let an effect happen twice.
func expired(at, now time.Time) bool { return !at.IsZero() && !now.Before(at) }

// errCondition says that a condition failed, beside the record on which it did.
var errCondition = errors.New("dynamo: condition failed")

// asItStands returns the record that made a conditional write fail, with errCondition; any other error as it is.
func asItStands(err error) (ledger.Transaction, error) {
	var failed *types.ConditionalCheckFailedException
	if !errors.As(err, &failed) {
		return ledger.Transaction{}, err
	}
	t, err := decode(failed.Item)
	if err != nil {
		return ledger.Transaction{}, err
	}
	return t, errCondition
}
