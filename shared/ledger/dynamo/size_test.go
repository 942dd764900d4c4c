package dynamo_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
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

// sizeOf is how many bytes an attribute takes, as DynamoDB's developer guide counts ("Item sizes and formats").
func sizeOf(t *testing.T, value types.AttributeValue) (size int) {
	switch v := value.(type) {
	case *types.AttributeValueMemberS:
		return len(v.Value)
	case *types.AttributeValueMemberB:
		return len(v.Value)
	case *types.AttributeValueMemberN:
		return 21
	case *types.AttributeValueMemberSS:
		for _, text := range v.Value {
			size += len(text)
		}
		return size
	case *types.AttributeValueMemberL:
		for _, element := range v.Value {
			size += 1 + sizeOf(t, element)
		}
		return 3 + size
	case *types.AttributeValueMemberM:
		for name, element := range v.Value {
			size += 1 + len(name) + sizeOf(t, element)
		}
		return 3 + size
	}
	t.Fatalf("a %T", value)
	return 0
}

// A journey's item is never larger than its Size says, and not much smaller where it is large.
func TestJourneySize(t *testing.T) {
	client := dynamolocal.Client(t)
	table := dynamolocal.Table(t, client)
	l := dynamo.New(client, table)
	l.Now = func() time.Time { return ledgertest.Epoch }
	text := func(most int) string { return strings.Repeat("é", rand.IntN(most)/2) }
	for i := range 20 {
		j := ledger.Journey{
			ID: fmt.Sprintf("%036d", i), Tenant: "t" + text(64), Type: "partner-onboarding", Status: ledger.JourneyWaiting,
			Reason: text(1000), Fingerprint: fmt.Sprintf("%064d", 1), CreatedAt: ledgertest.Epoch,
			UpdatedAt: ledgertest.Epoch, EndedAt: ledgertest.Epoch, ExpiresAt: ledgertest.Epoch.Add(time.Hour),
			Input: []byte(text(20_000)), Outcome: []byte(text(20_000)), Refs: map[string]string{},
			Inputs: map[string]ledger.AcceptedInput{},
		}
		for n := range rand.IntN(500) {
			j.Documents = append(j.Documents, fmt.Sprintf("%036d", n))
		}
		for n := range rand.IntN(128) {
			j.Delivered = append(j.Delivered, fmt.Sprintf("%032d", n))
		}
		for n := range rand.IntN(20) {
			j.Refs[fmt.Sprint("ref", n)] = "r" + text(100)
			j.Inputs[fmt.Sprintf("%032d", n)] = ledger.AcceptedInput{
				Fingerprint: fmt.Sprintf("%064d", n), Token: "t" + text(1000), Output: []byte("o" + text(2000)),
			}
		}
		if i%2 == 0 {
			j.Awaiting = &ledger.Awaiting{
				ID: fmt.Sprintf("%032d", i), Kind: "compliance", Accepts: []string{"documents", "otp"}, Token: "t" + text(1000),
				Record: "test/record/" + text(1000), Since: ledgertest.Epoch, ExpiresAt: ledgertest.Epoch.Add(time.Hour),
				Details: map[string]string{"missing": "m" + text(1000), "x": "y"}, Sealed: []byte(text(60_000)),
			}
		}
		if _, err := l.CreateJourney(t.Context(), fmt.Sprint("key", i), j); err != nil {
			t.Fatal(err)
		}
		key := map[string]types.AttributeValue{
			"pk": &types.AttributeValueMemberS{Value: "journey#" + j.ID},
			"sk": &types.AttributeValueMemberS{Value: "journey"},
		}
		out, err := client.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: &table, Key: key})
		if err != nil || len(out.Item) == 0 {
			t.Fatalf("%v, %v", out, err)
		}
		size := sizeOf(t, &types.AttributeValueMemberM{Value: out.Item})
		if said := j.Size(); size > said || size < said*2/3-4096 {
			t.Errorf("%d bytes are said to be %d at most", size, said)
		}
	}
}

// What else a request makes grow fits into an item where it is as large as it may be.
func TestLargestItems(t *testing.T) {
	client := dynamolocal.Client(t)
	l := dynamo.New(client, dynamolocal.Table(t, client))
	l.Now = func() time.Time { return ledgertest.Epoch }
	ctx := t.Context()
	long := func(n int) string { return strings.Repeat("x", n) }

	t.Run("Correlation", func(t *testing.T) {
		record := long(1 << 10)
		for i := range ledger.CorrelationCap + 1 {
			_, waits := l.AddWaiter(ctx, record, ledger.Waiter{Tenant: long(64), Journey: fmt.Sprintf("%036d", i)})
			event := ledgertest.Arrived(fmt.Sprintf("%032d", i), long(8*2*64+200), ledgertest.Epoch)
			_, tells := l.AddEvent(ctx, record, event, false) // the oldest makes room
			var want error
			if i == ledger.CorrelationCap {
				want = ledger.ErrFull
			}
			if !errors.Is(waits, want) || tells != nil {
				t.Fatalf("%d: %v, %v", i, waits, tells)
			}
		}
	})
	t.Run("Transaction", func(t *testing.T) {
		refs := map[string]string{}
		for i := range 1000 {
			refs[fmt.Sprint("ref-", i)] = long(i)
		}
		refs = ledger.CapRefs(refs)
		if len(refs) < 50 || len(refs) > 200 || refs["ref-999"] != "" {
			t.Errorf("%d references are kept", len(refs))
		}
		err := l.Record(ctx, ledger.Transaction{
			ID: long(64), Tenant: long(64), Operation: "test/read", State: ledger.Done, Code: long(64), Attempt: "a",
			Refs: refs, ClaimedAt: ledgertest.Epoch, ExpiresAt: ledgertest.Epoch.Add(time.Hour), Owns: long(1000),
			Reply: &ledger.Reply{Status: 200, Body: []byte(long(ledger.MaxItem - 64<<10 + 100))},
		})
		if err != nil {
			t.Error(err)
		}
	})
	t.Run("Setting", func(t *testing.T) {
		_, err := l.PutSetting(ctx, ledger.Setting{
			Tenant: long(64), Kind: ledger.WorkflowSetting, Name: long(64), Document: []byte(long(40 << 10)),
			UpdatedAt: ledgertest.Epoch,
		}, ledger.AnyVersion)
		if err != nil {
			t.Error(err)
		}
	})
	t.Run("Token", func(t *testing.T) {
		if _, err := l.PutToken(ctx, ledgertest.Renewed(ledgertest.Leased("id", "a"), long(64<<10+100))); err == nil {
			t.Error("a token without a lease was renewed")
		}
		lease := ledgertest.Leased("id", "a")
		if _, err := l.PutToken(ctx, lease); err != nil {
			t.Fatal(err)
		}
		if _, err := l.PutToken(ctx, ledgertest.Renewed(lease, long(64<<10+100))); err != nil {
			t.Error(err)
		}
	})
	t.Run("Caller", func(t *testing.T) {
		scopes := strings.Split(strings.TrimSuffix(strings.Repeat("s,", 2<<10), ","), ",")
		err := l.PutCaller(ctx, ledger.Caller{KeyHash: long(64), Tenant: long(64), Name: long(256), Scopes: scopes})
		if err != nil {
			t.Error(err)
		}
	})
}
