package dynamo_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sallyport/shared/ledger"
	"sallyport/shared/ledger/dynamo"
	"sallyport/shared/ledger/ledgertest"
	"sallyport/shared/ledger/ledgertest/dynamolocal"
)

// attributeJSON is an attribute in DynamoDB's own JSON.
type attributeJSON struct {
	S, N *string
	B    []byte
	M    map[string]attributeJSON
}

func (a attributeJSON) value() types.AttributeValue {
	switch {
	case a.S != nil:
		return &types.AttributeValueMemberS{Value: *a.S}
	case a.N != nil:
		return &types.AttributeValueMemberN{Value: *a.N}
	case a.B != nil:
		return &types.AttributeValueMemberB{Value: a.B}
	}
	return &types.AttributeValueMemberM{Value: item(a.M)}
}

func item(attributes map[string]attributeJSON) map[string]types.AttributeValue {
	values := map[string]types.AttributeValue{}
	for name, attribute := range attributes {
		values[name] = attribute.value()
	}
	return values
}

// storedBefore returns the items of testdata/transactions.json, which were written while times were texts, digests
// hexadecimal and sort keys whole positions, and the records that they are: one claimed, one done, one unknown.
func storedBefore(t *testing.T) (items []map[string]types.AttributeValue, records []ledger.Transaction) {
	t.Helper()
	text, err := os.ReadFile("testdata/transactions.json")
	if err != nil {
		t.Fatal(err)
	}
	var stored []map[string]attributeJSON
	if err := json.Unmarshal(text, &stored); err != nil {
		t.Fatal(err)
	}
	for _, attributes := range stored {
		items = append(items, item(attributes))
	}

	const id = "f2b6d0c9a7e41838c1d2e3f405162738495a6b7c8d9eafb0c1d2e3f40516273"
	const digest = "0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f9"
	at := ledgertest.Epoch
	claimed := ledger.Transaction{
		ID: "5" + id, Tenant: "acme", Operation: "equal/execute-journey", State: ledger.Claimed, Fingerprint: digest,
		Attempt: "019523f0-7c1b-7a2e-9d4f-0123456789ab", Generation: 1,
		ClaimedAt: at, Lease: at.Add(34 * time.Second), ExpiresAt: at.Add(34*time.Second + ledger.Retention),
	}
	done := claimed
	done.ID, done.State, done.Code, done.Generation, done.TakeOvers = "a"+id, ledger.Done, "ok", 2, 1
	done.Lease, done.SentAt, done.EndedAt = time.Time{}, at.Add(412345678), at.Add(512345678)
	done.ExpiresAt = done.EndedAt.Add(ledger.Retention)
	done.Journey, done.Step, done.Owns = "019523f0-7c1a-7000-8000-0123456789ab", "SendOTP", "equal/transaction/eq-1"
	done.Refs = map[string]string{
		"aadhaar_last4": "0016", "aadhaar_ref": "ff" + digest[2:], "transaction_id": "019523f0-7c1a-7000-8000-0123456789ac",
	}
	done.Reply = &ledger.Reply{Status: 200, ContentType: "application/json", Body: []byte("\x01asealed")}
	unknown := claimed
	unknown.ID, unknown.State, unknown.Code = "b"+id, ledger.Unknown, "attempt_lost"
	unknown.Lease, unknown.SentAt, unknown.EndedAt = time.Time{}, claimed.Lease, at.Add(time.Minute)
	unknown.ExpiresAt = unknown.EndedAt.Add(ledger.Retention)
	return items, []ledger.Transaction{claimed, done, unknown}
}

// found answers every read with one item.
type found struct {
	dynamo.API
	item map[string]types.AttributeValue
}

func (f found) GetItem(
	context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options),
) (*dynamodb.GetItemOutput, error) {
	return &dynamodb.GetItemOutput{Item: f.item}, nil
}

func TestStoredBeforeIsRead(t *testing.T) {
	items, records := storedBefore(t)
	for i, want := range records {
		l := dynamo.New(found{item: items[i]}, "table")
		l.Now = func() time.Time { return ledgertest.Epoch }
		got, err := l.Transaction(t.Context(), "acme", want.ID)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%v\n got %+v\nwant %+v", err, got, want)
		}
	}
}

// withStoredBefore opens a ledger whose table holds the items of before.
func withStoredBefore(t *testing.T) (*dynamo.Ledger, []ledger.Transaction) {
	t.Helper()
	items, records := storedBefore(t)
	client := dynamolocal.Client(t)
	table := dynamolocal.Table(t, client)
	for _, it := range items {
		if _, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: it}); err != nil {
			t.Fatal(err)
		}
	}
	l := dynamo.New(client, table)
	l.Now = func() time.Time { return ledgertest.Epoch }
	return l, records
}

// TestStoredBeforeIsChanged: conditions compare what was stored before with what is written now.
func TestStoredBeforeIsChanged(t *testing.T) {
	l, records := withStoredBefore(t)
	claimed, done, unknown := records[0], records[1], records[2]

	late := ledgertest.Claimable(done.ID, "late")
	late.ClaimedAt = done.ExpiresAt.Add(-1)
	if got, err := l.Claim(t.Context(), late); err != ledger.ErrTaken || !reflect.DeepEqual(got, done) {
		t.Errorf("claim before it expires: %+v, %v", got, err)
	}
	late.ClaimedAt = done.ExpiresAt
	if got, err := l.Claim(t.Context(), late); err != nil || got.Generation != 3 || got.TakeOvers != 0 ||
		got.SentAt != (time.Time{}) {
		t.Errorf("claim as it expires: %+v, %v", got, err)
	}
	taken, err := l.TakeOver(t.Context(), ledgertest.Claimable(unknown.ID, "next"), unknown.Attempt)
	want := unknown
	want.State, want.Code, want.Attempt, want.TakeOvers = ledger.Claimed, "", "next", 1
	want.Lease, want.SentAt, want.EndedAt = ledgertest.Epoch.Add(30*time.Second), time.Time{}, time.Time{}
	want.ExpiresAt = want.Lease.Add(ledger.Retention)
	if err != nil || !reflect.DeepEqual(taken, want) {
		t.Errorf("take over: %v\n got %+v\nwant %+v", err, taken, want)
	}
	end := ledgertest.Ended(claimed, ledger.Done)
	if got, err := l.Complete(t.Context(), end); err != nil || got.State != ledger.Done {
		t.Errorf("complete: %+v, %v", got, err)
	}
}

// TestStoredBeforeIsListed: rows of before and of now make one listing, in one order, whatever its pages end on.
func TestStoredBeforeIsListed(t *testing.T) {
	l, records := withStoredBefore(t)
	journey := records[1].Journey
	// before, between and after those of before, in the same nanosecond
	for i, first := range strings.Split("4 6 9 c", " ") {
		row := ledgertest.Claimable(first+records[0].ID[1:], "")
		row.ClaimedAt = ledgertest.Epoch.Add(time.Duration(i % 2))
		row.Journey, row.Step = journey, "Fetch"
		if err := l.Record(t.Context(), row); err != nil {
			t.Fatal(err)
		}
		records = append(records, row)
	}
	slices.SortFunc(
		records, func(a, b ledger.Transaction) int { return strings.Compare(ledger.Position(a), ledger.Position(b)) },
	)
	var want, inJourney []string
	for _, r := range records {
		want = append([]string{r.ID}, want...)
		if r.Journey != "" {
			inJourney = append(inJourney, r.ID)
		}
	}
	for limit := 1; limit <= len(records); limit++ {
		var got []string
		q := ledger.Query{Tenant: "acme", Limit: limit}
		for {
			page, err := l.Transactions(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, ids(page.Transactions)...)
			if q.Cursor = page.Next; q.Cursor == "" || len(got) > len(want) {
				break
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("pages of %d:\n got %v\nwant %v", limit, got, want)
		}
	}
	steps, err := l.JourneyTransactions(t.Context(), "acme", journey)
	if err != nil || !slices.Equal(ids(steps), inJourney) {
		t.Errorf("journey: %v\n got %v\nwant %v", err, ids(steps), inJourney)
	}
}

func ids(records []ledger.Transaction) (ids []string) {
	for _, r := range records {
		ids = append(ids, r.ID)
	}
	return ids
}

// TestStoredEvents: what an earlier release has kept of a partner's record has no times. It is read, makes room first,
// and has one as soon as it arrives again.
func TestStoredEvents(t *testing.T) {
	client := dynamolocal.Client(t)
	table := dynamolocal.Table(t, client)
	l := dynamo.New(client, table)
	l.Now = func() time.Time { return ledgertest.Epoch }
	stored := map[string]types.AttributeValue{
		"pk":         &types.AttributeValueMemberS{Value: "correlation#record"},
		"sk":         &types.AttributeValueMemberS{Value: "correlation"},
		"expires_at": &types.AttributeValueMemberS{Value: "2026-04-30T12:00:00.123456789Z"},
		"ttl":        &types.AttributeValueMemberN{Value: "1777550401"},
	}
	var names []string
	for i := range ledger.CorrelationCap {
		name := fmt.Sprintf("event#%03d", i)
		names = append(names, name)
		stored[name] = &types.AttributeValueMemberB{Value: []byte("sealed")}
	}
	stored["events"] = &types.AttributeValueMemberSS{Value: names}
	if _, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: stored}); err != nil {
		t.Fatal(err)
	}
	ledgertest.StoredEvents(t, l)
}
