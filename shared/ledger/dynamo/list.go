package dynamo

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"sallyport/shared/ledger"
)

// Index lists a tenant's transactions, the newest first, without their replies. It follows the table within moments, not at once.
const Index = "tenant-index"

// A page costs at most maxQueries calls, each of which looks at no more than filteredRows rows where a filter may
// drop many: a rare match is found over several pages instead.
const (
	maxQueries   = 10
	filteredRows = 250
)

// Transactions returns one page of a tenant's records, or ledger.ErrBadCursor. A limit outside 1 to 100 counts as the
// nearest in it. A page may hold fewer rows than its limit, even none, and still have a Next.
func (l *Ledger) Transactions(ctx context.Context, q ledger.Query) (ledger.Page, error) {
	from, err := ledger.ReadCursor(q)
	if err != nil {
		return ledger.Page{}, err
	}
	limit := min(max(q.Limit, 1), 100)

	var e expression
	filters := []string{"(attribute_not_exists(" + e.name("expires_at") + ") OR #expires_at > " + e.value("now", instant(l.Now())) + ")"}
	rows := limit + 1 // the row beyond the page tells whether there is a next one
	if q.Operation != "" {
		filters, rows = append(filters, e.name("operation")+" = "+e.value("operation", text(q.Operation))), filteredRows
	}
	if q.State != "" {
		filters, rows = append(filters, e.name("state")+" = "+e.value("state", text(string(q.State)))), filteredRows
	}
	in := &dynamodb.QueryInput{
		TableName: &l.table, IndexName: aws.String(Index), ScanIndexForward: aws.Bool(false), Limit: aws.Int32(int32(rows)),
		KeyConditionExpression:   aws.String("gsi1pk = " + e.value("tenant", text(tenantPrefix+q.Tenant))),
		FilterExpression:         aws.String(strings.Join(filters, " AND ")),
		ExpressionAttributeNames: e.names, ExpressionAttributeValues: e.values,
	}
	if from != "" {
		in.ExclusiveStartKey = indexKey(q.Tenant, from)
	}

	var page ledger.Page
	for range maxQueries {
		out, err := l.client.Query(ctx, in)
		if err != nil {
			return ledger.Page{}, err
		}
		for _, it := range out.Items {
			if len(page.Transactions) == limit {
				page.Next = ledger.Cursor(q, ledger.Position(page.Transactions[limit-1]))
				return page, nil
			}
			t, err := decode(it)
			if err != nil {
				return ledger.Page{}, err
			}
			page.Transactions = append(page.Transactions, t)
		}
		if len(out.LastEvaluatedKey) == 0 {
			return page, nil
		}
		in.ExclusiveStartKey, in.Limit = out.LastEvaluatedKey, aws.Int32(filteredRows)
	}
	last := reader{item: in.ExclusiveStartKey}
	page.Next = ledger.Cursor(q, last.text("gsi1sk"))
	return page, last.err
}
