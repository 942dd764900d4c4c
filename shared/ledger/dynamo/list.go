package dynamo

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"sallyport/shared/ledger"
)

// The indexes follow the table within moments, not at once, and show no replies, inputs and outcomes.
const (
	Index        = "tenant-index"  // a tenant's transactions, and its journeys
	JourneyIndex = "journey-index" // a journey's transactions
)

// A page costs at most maxQueries calls, each of which looks at no more than filteredRows rows where a filter may
// drop many: a rare match is found over several pages instead.
const (
	filteredRows = 250
	maxQueries   = ledger.PageRows / filteredRows
)

// Transactions returns one page of a tenant's records, or ledger.ErrBadCursor. A limit outside 1 to 100 counts as the
// nearest in it. A page may hold fewer rows than its limit, even none, and still have a Next.
func (l *Ledger) Transactions(ctx context.Context, q ledger.Query) (ledger.Page, error) {
	from, err := ledger.ReadCursor(q)
	if err != nil {
		return ledger.Page{}, err
	}
	var e expression
	e.unexpired(l.Now())
	e.where(q.Operation, "operation")
	e.where(string(q.State), "state")
	var page ledger.Page
	var last string
	page.Transactions, last, err = list(
		ctx, l, e, listing{tenantPrefix + q.Tenant, from, transactionKey, q.Limit}, transactionFields,
	)
	if last != "" {
		page.Next = ledger.Cursor(q, last)
	}
	return page, err
}

// listing is where in Index a page begins, and how long it may be.
type listing struct {
	partition, after string
	key              func(id string) item
	limit            int
}

// list returns the rows of a page and, where there may be more of them, the position after which they go on.
func list[T any](
	ctx context.Context, l *Ledger, e expression, from listing, fields func(*codec, *T),
) (rows []T, last string, err error) {
	limit := min(max(from.limit, 1), 100)
	looked := limit + 1 // the row beyond the page tells whether there is a next one
	if len(e.filters) > 1 {
		looked = filteredRows
	}
	in := &dynamodb.QueryInput{
		TableName: &l.table, IndexName: aws.String(Index), ScanIndexForward: aws.Bool(false), Limit: aws.Int32(int32(looked)),
		KeyConditionExpression:   aws.String("gsi1pk = " + e.value("partition", text(from.partition))),
		FilterExpression:         aws.String(strings.Join(e.filters, " AND ")),
		ExpressionAttributeNames: e.names, ExpressionAttributeValues: e.values,
	}
	if from.after != "" {
		in.ExclusiveStartKey = from.key(ledger.PositionID(from.after))
		in.ExclusiveStartKey["gsi1pk"], in.ExclusiveStartKey["gsi1sk"] = text(from.partition), sortKey(from.after)
	}
	found, end, err := l.query(ctx, in, limit)
	if err != nil {
		return nil, "", err
	}
	if rows, err = readAll(found, fields); err != nil {
		return nil, "", err
	}
	last, err = position(end)
	return rows, last, err
}

// position returns the place in the listing of an item or of its key, empty for none. Its sort key may hold no more
// than the beginning of its id.
func position(it item) (string, error) {
	if it == nil {
		return "", nil
	}
	c := codec{item: it}
	var at, id string
	c.text("gsi1sk", &at)
	c.text("pk", &id)
	at, _, _ = strings.Cut(at, "#")
	_, id, _ = strings.Cut(id, "#")
	return at + "#" + id, c.err
}

// query returns up to limit items and, where there may be more, the one after which they go on.
func (l *Ledger) query(ctx context.Context, in *dynamodb.QueryInput, limit int) (items []item, last item, err error) {
	for range maxQueries {
		out, err := l.client.Query(ctx, in)
		if err != nil {
			return nil, nil, err
		}
		items = append(items, out.Items...)
		if len(items) > limit {
			return items[:limit], items[limit-1], nil
		}
		if len(out.LastEvaluatedKey) == 0 {
			return items, nil, nil
		}
		in.ExclusiveStartKey, in.Limit = out.LastEvaluatedKey, aws.Int32(filteredRows)
	}
	return items, in.ExclusiveStartKey, nil
}

func readAll[T any](items []item, fields func(*codec, *T)) (rows []T, err error) {
	for _, it := range items {
		row, err := read(it, fields)
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}
