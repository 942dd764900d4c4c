// Package dynamo keeps the sandbox's state in a DynamoDB table of its own, with the string keys pk and sk. Transactions
// are optimistic: what was read is remembered with its version and checked by the one TransactWriteItems that commits.
package dynamo

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	random "math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sallyport/functions/sandbox"
)

// Client is what the Store calls. The role needs dynamodb:GetItem, Query, PutItem, DeleteItem and ConditionCheckItem.
type Client interface {
	GetItem(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
	Query(context.Context, *dynamodb.QueryInput, ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error)
	TransactWriteItems(
		context.Context, *dynamodb.TransactWriteItemsInput, ...func(*dynamodb.Options),
	) (*dynamodb.TransactWriteItemsOutput, error)
}

// Store is a sandbox.Store in a table. All items share one partition, which takes about 500 transactional writes a
// second. One transaction reads and writes at most 100 different keys. View reads each key consistently but is no
// snapshot of several.
type Store struct {
	client Client
	table  string
}

// New returns a Store in a table that exists.
func New(client Client, table string) *Store {
	return &Store{client: client, table: table}
}

// Bounds of an Update that keeps meeting others: how often it is tried, and the longest pause between two tries.
const (
	maxTries = 24
	maxPause = 500 * time.Millisecond
)

// partition is the pk of every item; version guards what was read.
const partition = "sandbox"

func (s *Store) Update(ctx context.Context, fn func(sandbox.Tx) error) error {
	for try := range maxTries {
		if try > 0 {
			if err := sleep(ctx, pause(try)); err != nil {
				return err
			}
		}
		tx := &tx{ctx: ctx, store: s, reads: map[string]read{}, writes: map[string][]byte{}}
		if err := fn(tx); err != nil {
			return err
		}
		err := s.commit(ctx, tx)
		if !conflict(err) {
			return err
		}
	}
	return sandbox.ErrConflict
}

func (s *Store) View(ctx context.Context, fn func(sandbox.Tx) error) error {
	return fn(&tx{ctx: ctx, store: s, reads: map[string]read{}, readOnly: true})
}

// Clear deletes what it finds, 100 items at a time in the order of their keys.
func (s *Store) Clear(ctx context.Context) error {
	items, err := s.list(ctx, "", true)
	if err != nil {
		return err
	}
	for chunk := range slices.Chunk(items, 100) {
		err := s.Update(ctx, func(tx sandbox.Tx) error {
			for _, item := range chunk {
				if err := tx.Delete(item.Key); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// pause is the time before a further try: between nothing and a bound that doubles.
func pause(try int) time.Duration {
	return random.N(min(maxPause, 5*time.Millisecond<<min(try, 10)))
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// tx is one try of a transaction.
type tx struct {
	ctx      context.Context
	store    *Store
	readOnly bool
	reads    map[string]read
	writes   map[string][]byte // nil: delete
}

// read is what a key held when it was first read.
type read struct {
	value   []byte
	version string // empty: there was no item
}

func (tx *tx) Get(key string) ([]byte, error) {
	if value, written := tx.writes[key]; written {
		return slices.Clone(value), nil
	}
	if seen, ok := tx.reads[key]; ok {
		return slices.Clone(seen.value), nil
	}
	out, err := tx.store.client.GetItem(tx.ctx, &dynamodb.GetItemInput{
		TableName: &tx.store.table, Key: primaryKey(key), ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return nil, fmt.Errorf("sandbox/dynamo: get: %w", err)
	}
	seen := read{value: valueOf(out.Item), version: stringOf(out.Item, "version")}
	tx.reads[key] = seen
	return slices.Clone(seen.value), nil
}

func (tx *tx) Put(key string, value []byte) error {
	if tx.readOnly {
		return sandbox.ErrReadOnly
	}
	tx.writes[key] = append([]byte{}, value...)
	return nil
}

func (tx *tx) Delete(key string) error {
	if tx.readOnly {
		return sandbox.ErrReadOnly
	}
	tx.writes[key] = nil
	return nil
}

func (tx *tx) List(prefix string) ([]sandbox.Item, error) {
	found, err := tx.store.list(tx.ctx, prefix, false)
	if err != nil || len(tx.writes) == 0 {
		return found, err
	}
	merged := map[string][]byte{}
	for _, item := range found {
		merged[item.Key] = item.Value
	}
	for key, value := range tx.writes {
		switch {
		case value == nil:
			delete(merged, key)
		case strings.HasPrefix(key, prefix):
			merged[key] = slices.Clone(value)
		}
	}
	var items []sandbox.Item
	for _, key := range slices.Sorted(maps.Keys(merged)) {
		items = append(items, sandbox.Item{Key: key, Value: merged[key]})
	}
	return items, nil
}

// list returns the table's items by prefix, without their values if asked.
func (s *Store) list(ctx context.Context, prefix string, keysOnly bool) ([]sandbox.Item, error) {
	in := &dynamodb.QueryInput{
		TableName:                 &s.table,
		ConsistentRead:            aws.Bool(true),
		KeyConditionExpression:    aws.String("pk = :pk"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":pk": text(partition)},
	}
	if prefix != "" {
		in.KeyConditionExpression = aws.String("pk = :pk AND begins_with(sk, :prefix)")
		in.ExpressionAttributeValues[":prefix"] = text(prefix)
	}
	if keysOnly {
		in.ProjectionExpression = aws.String("sk")
	}
	var items []sandbox.Item
	for pages := dynamodb.NewQueryPaginator(s.client, in); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("sandbox/dynamo: list: %w", err)
		}
		for _, item := range page.Items {
			items = append(items, sandbox.Item{Key: stringOf(item, "sk"), Value: valueOf(item)})
		}
	}
	return items, nil
}

// commit writes everything that tx wrote, on condition that everything that it read is as it was. A transaction that
// only read has nothing to commit.
func (s *Store) commit(ctx context.Context, tx *tx) error {
	if len(tx.writes) == 0 {
		return nil
	}
	version := rand.Text()
	var items []types.TransactWriteItem
	for _, key := range slices.Sorted(maps.Keys(tx.writes)) {
		value := tx.writes[key]
		condition, values := tx.unchanged(key)
		if value == nil {
			items = append(items, types.TransactWriteItem{Delete: &types.Delete{
				TableName: &s.table, Key: primaryKey(key),
				ConditionExpression: condition, ExpressionAttributeValues: values,
			}})
			continue
		}
		item := primaryKey(key)
		item["value"], item["version"] = &types.AttributeValueMemberB{Value: value}, text(version)
		items = append(items, types.TransactWriteItem{Put: &types.Put{
			TableName: &s.table, Item: item,
			ConditionExpression: condition, ExpressionAttributeValues: values,
		}})
	}
	for _, key := range slices.Sorted(maps.Keys(tx.reads)) {
		if _, written := tx.writes[key]; written {
			continue
		}
		condition, values := tx.unchanged(key)
		items = append(items, types.TransactWriteItem{ConditionCheck: &types.ConditionCheck{
			TableName: &s.table, Key: primaryKey(key),
			ConditionExpression: condition, ExpressionAttributeValues: values,
		}})
	}
	_, err := s.client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: items})
	if err != nil {
		return fmt.Errorf("sandbox/dynamo: commit: %w", err)
	}
	return nil
}

// unchanged returns the condition that a key is as it was read, or none where it was not read.
func (tx *tx) unchanged(key string) (*string, map[string]types.AttributeValue) {
	seen, ok := tx.reads[key]
	switch {
	case !ok:
		return nil, nil
	case seen.version == "":
		return aws.String("attribute_not_exists(pk)"), nil
	}
	return aws.String("version = :version"), map[string]types.AttributeValue{":version": text(seen.version)}
}

// conflict reports whether a commit failed because of others, so that another try may succeed.
func conflict(err error) bool {
	var cancelled *types.TransactionCanceledException
	if !errors.As(err, &cancelled) {
		return false
	}
	for _, reason := range cancelled.CancellationReasons {
		switch aws.ToString(reason.Code) {
		case "ConditionalCheckFailed", "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded":
			return true
		}
	}
	return false
}

func primaryKey(key string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{"pk": text(partition), "sk": text(key)}
}

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func stringOf(item map[string]types.AttributeValue, name string) string {
	if v, ok := item[name].(*types.AttributeValueMemberS); ok {
		return v.Value
	}
	return ""
}

// valueOf returns an item's value: nil without an item, and never nil with one.
func valueOf(item map[string]types.AttributeValue) []byte {
	if v, ok := item["value"].(*types.AttributeValueMemberB); ok {
		return append([]byte{}, v.Value...)
	}
	return nil
}
