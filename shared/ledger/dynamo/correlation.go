package dynamo

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sallyport/shared/ledger"
)

// A correlation's item has two sets of texts, whose sizes conditions can see: waiters, each as JSON, and events, the
// names of the attributes that hold them.
const (
	waiters     = "waiters"
	events      = "events"
	eventPrefix = "event#"
)

// AddWaiter adds who waits for a partner's record, or returns ledger.ErrFull.
func (l *Ledger) AddWaiter(ctx context.Context, record string, w ledger.Waiter) (ledger.Correlation, error) {
	return l.add(ctx, record, waiters, encodeWaiter(w), nil)
}

// RemoveWaiter removes a waiter if it is there.
func (l *Ledger) RemoveWaiter(ctx context.Context, record string, w ledger.Waiter) error {
	return l.remove(ctx, record, waiters, encodeWaiter(w))
}

// AddEvent adds what a partner has told about its record, or returns ledger.ErrFull.
func (l *Ledger) AddEvent(ctx context.Context, record, id string, sealed []byte) (ledger.Correlation, error) {
	return l.add(ctx, record, events, eventPrefix+id, &types.AttributeValueMemberB{Value: sealed})
}

// RemoveEvent removes an event if it is there.
func (l *Ledger) RemoveEvent(ctx context.Context, record, id string) error {
	return l.remove(ctx, record, events, eventPrefix+id)
}

// Correlation returns what is known about a partner's record, the zero correlation if nothing is.
func (l *Ledger) Correlation(ctx context.Context, record string) (ledger.Correlation, error) {
	it, err := l.get(ctx, correlationKey(record))
	if err == ledger.ErrNotFound {
		return ledger.Correlation{}, nil
	}
	if err != nil {
		return ledger.Correlation{}, err
	}
	r := reader{item: it}
	if expired(r.instant("expires_at"), l.Now()) {
		return ledger.Correlation{}, r.err
	}
	return decodeCorrelation(it)
}

// add puts a member into one of a correlation's sets and, where it has a value, its attribute. It is one call, unless
// what is there has expired and must be replaced.
func (l *Ledger) add(
	ctx context.Context, record, set, member string, value types.AttributeValue,
) (ledger.Correlation, error) {
	now := l.Now()
	expires := now.Add(ledger.CorrelationRetention)
	for {
		e := lasting(expires)
		e.names["#set"] = set
		if value != nil {
			e.names["#member"] = member
			e.sets = append(e.sets, "#member = if_not_exists(#member, "+e.value("value", value)+")")
		}
		e.condition = "attribute_not_exists(#expires_at) OR #expires_at > " + e.value("now", instant(now)) +
			" AND (attribute_not_exists(#set) OR contains(#set, " + e.value("text", text(member)) + ") OR size(#set) < " +
			e.value("cap", number(ledger.CorrelationCap)) + ")"
		out, err := l.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName: &l.table, Key: correlationKey(record),
			UpdateExpression:    aws.String(e.update() + " ADD #set " + e.value("member", only(member))),
			ConditionExpression: &e.condition, ExpressionAttributeNames: e.names, ExpressionAttributeValues: e.values,
			ReturnValues:                        types.ReturnValueAllNew,
			ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
		})
		if err == nil {
			return decodeCorrelation(out.Attributes)
		}
		var failed *types.ConditionalCheckFailedException
		if !errors.As(err, &failed) {
			return ledger.Correlation{}, err
		}
		r := reader{item: failed.Item}
		if before := r.instant("expires_at"); r.err != nil || !expired(before, now) {
			standing, err := decodeCorrelation(failed.Item)
			return standing, cmp.Or(r.err, err, ledger.ErrFull)
		}

		it := correlationKey(record)
		it["expires_at"], it["ttl"], it[set] = instant(expires), sweep(expires), only(member)
		if value != nil {
			it[member] = value
		}
		_, err = l.client.PutItem(ctx, &dynamodb.PutItemInput{
			TableName: &l.table, Item: it, ConditionExpression: aws.String("#expires_at <= :now"),
			ExpressionAttributeNames:  map[string]string{"#expires_at": "expires_at"},
			ExpressionAttributeValues: item{":now": instant(now)},
		})
		if err == nil {
			return decodeCorrelation(it)
		}
		if !errors.As(err, &failed) {
			return ledger.Correlation{}, err
		}
	}
}

// remove takes a member out of one of a correlation's sets, with its attribute if it has one.
func (l *Ledger) remove(ctx context.Context, record, set, member string) error {
	now := l.Now()
	expires := now.Add(ledger.CorrelationRetention)
	e := lasting(expires)
	e.names["#set"], e.names["#member"] = set, member
	e.removes = []string{"#member"}
	e.condition = "contains(#set, " + e.value("text", text(member)) + ") AND #expires_at > " + e.value("now", instant(now))
	_, err := l.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &l.table, Key: correlationKey(record),
		UpdateExpression:    aws.String(e.update() + " DELETE #set " + e.value("member", only(member))),
		ConditionExpression: &e.condition, ExpressionAttributeNames: e.names, ExpressionAttributeValues: e.values,
	})
	var absent *types.ConditionalCheckFailedException
	if errors.As(err, &absent) {
		return nil
	}
	return err
}

// lasting begins an update of what expires at the given time.
func lasting(expires time.Time) (e expression) {
	e.set("expires_at", instant(expires))
	e.set("ttl", sweep(expires))
	return e
}

func only(member string) types.AttributeValue {
	return &types.AttributeValueMemberSS{Value: []string{member}}
}

func decodeCorrelation(it item) (c ledger.Correlation, err error) {
	r := reader{item: it}
	if set := attribute[*types.AttributeValueMemberSS](&r, waiters); set != nil {
		for _, member := range set.Value {
			w, err := decodeWaiter(member)
			r.fail(err)
			c.Waiters = append(c.Waiters, w)
		}
	}
	slices.SortFunc(c.Waiters, func(a, b ledger.Waiter) int {
		return cmp.Or(cmp.Compare(a.Journey, b.Journey), cmp.Compare(a.Tenant, b.Tenant))
	})
	for name := range it {
		if id, ok := strings.CutPrefix(name, eventPrefix); ok {
			if c.Events == nil {
				c.Events = map[string][]byte{}
			}
			c.Events[id] = r.bytes(name)
		}
	}
	if r.err != nil {
		return ledger.Correlation{}, r.err
	}
	return c, nil
}

func encodeWaiter(w ledger.Waiter) string {
	member, _ := json.Marshal([]string{w.Tenant, w.Journey})
	return string(member)
}

func decodeWaiter(member string) (ledger.Waiter, error) {
	var parts [2]string
	err := json.Unmarshal([]byte(member), &parts)
	return ledger.Waiter{Tenant: parts[0], Journey: parts[1]}, err
}
