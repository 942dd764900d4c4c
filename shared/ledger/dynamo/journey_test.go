package dynamo_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sallyport/shared/bolt"
	"sallyport/shared/ledger"
	ledgerbolt "sallyport/shared/ledger/bolt"
	"sallyport/shared/ledger/dynamo"
	"sallyport/shared/ledger/ledgertest"
	"sallyport/shared/ledger/ledgertest/dynamolocal"
)

var waiter = ledger.Waiter{Tenant: "acme", Journey: "id"}

// journeyLife is what life is, for a journey and a correlation.
func journeyLife() []step {
	update := func(
		version int, change func(ledger.Journey) ledger.Journey,
	) func(context.Context, *dynamo.Ledger) (any, error) {
		return func(ctx context.Context, l *dynamo.Ledger) (any, error) {
			j := change(ledgertest.Startable("id"))
			j.Version = version
			return l.UpdateJourney(ctx, j)
		}
	}
	return []step{
		{"CreateJourney", func(ctx context.Context, l *dynamo.Ledger) (any, error) {
			return l.CreateJourney(ctx, "key", ledgertest.Startable("id"))
		}},
		{"UpdateJourney", update(1, ledgertest.Waiting)},
		{"UpdateJourneyAtItsEnd", update(2, func(j ledger.Journey) ledger.Journey {
			return ledgertest.Finished(j, ledger.JourneySucceeded)
		})},
		{"AddWaiter", func(ctx context.Context, l *dynamo.Ledger) (any, error) { return l.AddWaiter(ctx, "record", waiter) }},
		{"AddEvent", func(ctx context.Context, l *dynamo.Ledger) (any, error) {
			return l.AddEvent(ctx, "record", ledgertest.Arrived("event", "sealed", ledgertest.Epoch), false)
		}},
		{"RemoveWaiter", func(ctx context.Context, l *dynamo.Ledger) (any, error) {
			return nil, l.RemoveWaiter(ctx, "record", waiter)
		}},
	}
}

func TestJourneyTransactionConflict(t *testing.T) {
	l, tr := MustOpen(t)
	j := ledgertest.Startable("id")

	tr.reset(0, 3) // every try of the write; then the key can be read, but leads nowhere yet
	_, err := l.CreateJourney(t.Context(), "key", j)
	var cancelled *types.TransactionCanceledException
	if !errors.As(err, &cancelled) {
		t.Fatalf("got %v, want DynamoDB's error", err)
	}
	tr.reset(0, 2)
	created, err := l.CreateJourney(t.Context(), "key", j)
	if err != nil {
		t.Fatalf("after two conflicts: %v", err)
	}
	tr.reset(0, 3)
	got, err := l.CreateJourney(t.Context(), "key", ledgertest.Startable("late"))
	if err != ledger.ErrTaken || !reflect.DeepEqual(got, created) {
		t.Fatalf("got %+v, %v; want the journey whose creation was in the way", got, err)
	}
	tr.reset(0, 2)
	if _, err := l.UpdateJourney(t.Context(), created); err != nil {
		t.Fatalf("after two conflicts: %v", err)
	}
}

// TestCallsWhereTaken bounds what a duplicate costs.
func TestCallsWhereTaken(t *testing.T) {
	l, tr := MustOpen(t)
	first, err := l.CreateJourney(t.Context(), "key", ledgertest.Startable("id"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.UpdateJourney(t.Context(), ledgertest.Waiting(first)); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		call  func() error
		want  error
		calls int64
	}{
		"CreateJourneyTaken": {func() error {
			_, err := l.CreateJourney(t.Context(), "key", ledgertest.Startable("late"))
			return err
		}, ledger.ErrTaken, 3},
		"UpdateJourneyStale": {func() error {
			_, err := l.UpdateJourney(t.Context(), first)
			return err
		}, ledger.ErrStale, 1},
		"RemoveWaiterAbsent": {func() error { return l.RemoveWaiter(t.Context(), "record", waiter) }, nil, 1},
		"JourneyTransactions": {func() error {
			_, err := l.JourneyTransactions(t.Context(), "acme", "id")
			return err
		}, nil, 1},
		"Journeys": {func() error {
			_, err := l.Journeys(t.Context(), ledger.JourneyQuery{Tenant: "acme", Status: ledger.JourneyWaiting, Limit: 1})
			return err
		}, nil, 1},
	} {
		tr.reset(0, 0)
		if err := test.call(); err != test.want {
			t.Fatalf("%s: got %v, want %v", name, err, test.want)
		}
		if got := tr.sent.Load(); got != test.calls {
			t.Errorf("%s: %d requests, want %d", name, got, test.calls)
		}
	}
}

func TestJourneysIsBounded(t *testing.T) {
	api := &barren{}
	l := dynamo.New(api, "table")
	q := ledger.JourneyQuery{Tenant: "acme", Status: ledger.JourneyReview, Limit: 10}
	for range 3 {
		api.queries = 0
		page, err := l.Journeys(t.Context(), q)
		if err != nil || len(page.Journeys) != 0 || page.Next == "" {
			t.Fatalf("got %+v, %v; want an empty page with a next one", page, err)
		}
		if api.queries > 10 {
			t.Fatalf("%d queries for one page", api.queries)
		}
		q.Cursor = page.Next
	}
}

func TestSchema(t *testing.T) {
	for _, index := range dynamolocal.Schema("table").GlobalSecondaryIndexes {
		if n := len(index.Projection.NonKeyAttributes); n > 20 {
			t.Errorf("%s projects %d attributes, DynamoDB takes 20", *index.IndexName, n)
		}
	}
}

func s(text string) types.AttributeValue { return &types.AttributeValueMemberS{Value: text} }
func n(text string) types.AttributeValue { return &types.AttributeValueMemberN{Value: text} }
func b(text string) types.AttributeValue { return &types.AttributeValueMemberB{Value: []byte(text)} }
func m(members map[string]types.AttributeValue) types.AttributeValue {
	return &types.AttributeValueMemberM{Value: members}
}
func list(members ...types.AttributeValue) types.AttributeValue {
	return &types.AttributeValueMemberL{Value: members}
}

func TestJourneyItems(t *testing.T) {
	client := dynamolocal.Client(t)
	table := dynamolocal.Table(t, client)
	l := dynamo.New(client, table)
	l.Now = func() time.Time { return ledgertest.Epoch }
	created, err := l.CreateJourney(t.Context(), "key", ledgertest.Startable("id"))
	if err != nil {
		t.Fatal(err)
	}
	ended := ledgertest.Waiting(created)
	awaiting := ended.Awaiting
	ended = ledgertest.Finished(ended, ledger.JourneySucceeded)
	ended.Awaiting = awaiting
	if _, err := l.UpdateJourney(t.Context(), ended); err != nil {
		t.Fatal(err)
	}
	if _, err := l.AddWaiter(t.Context(), "record", waiter); err != nil {
		t.Fatal(err)
	}
	if _, err := l.AddEvent(
		t.Context(), "record", ledgertest.Arrived("1", "sealed", ledgertest.Epoch), false,
	); err != nil {
		t.Fatal(err)
	}
	called := ledgertest.Claimable("id", "attempt-1")
	called.Journey, called.Step = "id", "SendOTP"
	if _, err := l.Claim(t.Context(), called); err != nil {
		t.Fatal(err)
	}

	out, err := client.Scan(t.Context(), &dynamodb.ScanInput{TableName: &table})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]map[string]types.AttributeValue{}
	for _, item := range out.Items {
		got[item["pk"].(*types.AttributeValueMemberS).Value] = item
	}
	for name, want := range map[string]map[string]types.AttributeValue{
		"journey-key#key": {
			"pk": s("journey-key#key"), "sk": s("journey-key"), "journey": s("id"), "ttl": n("1806926401"), // 400 days
		},
		"journey#id": {
			"pk": s("journey#id"), "sk": s("journey"),
			"gsi1pk": s("journeys#acme"), "gsi1sk": s("2026-03-01T12:00:00.123456789Z#id"),
			"tenant":     s("acme"),
			"expires_at": s("2026-03-31T12:01:01.123456789Z"), "ttl": n("1774958462"),
			"input": b(`{"journey":"id"}`), "outcome": b("sealed"), "heard": list(s("event-1")),
			"inputs": m(map[string]types.AttributeValue{"wait-1": m(map[string]types.AttributeValue{
				"fingerprint": s("fingerprint"), "token": s("token"), "output": b(`{"kind":"otp"}`),
			})}),
			"listed": m(map[string]types.AttributeValue{
				"version": n("2"), "id": s("id"), "type": s("aadhaar-otp"), "status": s("SUCCEEDED"),
				"reason":      s("reason-SUCCEEDED"),
				"fingerprint": s("fingerprint-id"), "created_at": s("2026-03-01T12:00:00.123456789Z"),
				"updated_at": s("2026-03-01T12:01:01.123456789Z"), "ended_at": s("2026-03-01T12:01:01.123456789Z"),
				"refs": m(map[string]types.AttributeValue{"transaction_id": s("eq-1")}), "documents": list(s("document-1")),
				"wakes": n("1"), "woken_at": n("1772366461123456789"),
				"awaiting": m(map[string]types.AttributeValue{
					"id": s("wait-1"), "kind": s("otp"), "accepts": list(s("otp"), s("resend")), "token": s("token"),
					"record": s("digit9/ecrn/1"),
					"as_of":  n("1772366400123456789"),
					"since":  s("2026-03-01T12:00:01.123456789Z"), "expires_at": s("2026-03-01T12:10:01.123456789Z"),
					"details": m(map[string]types.AttributeValue{"attempts_left": s("3")}), "sealed": b("\x00\x01"),
				}),
			}),
		},
		"correlation#record": {
			"pk": s("correlation#record"), "sk": s("correlation"),
			"expires_at": s("2026-04-30T12:00:00.123456789Z"), "ttl": n("1777550401"),
			"waiters": &types.AttributeValueMemberSS{Value: []string{`["acme","id"]`}},
			"events":  &types.AttributeValueMemberSS{Value: []string{"event#1"}}, "event#1": b("sealed"),
			"arrived#1": n("1772366400123456789"),
		},
	} {
		if !reflect.DeepEqual(got[name], want) {
			t.Errorf("%s:\n got %v\nwant %v", name, got[name], want)
		}
	}
	for name, want := range map[string]types.AttributeValue{
		"gsi2pk": s("journey#id"), "gsi2sk": s("2026-03-01T12:00:00.123456789Z#id"), "journey": s("id"), "step": s("SendOTP"),
	} {
		if item := got["transaction#id"]; !reflect.DeepEqual(item[name], want) {
			t.Errorf("transaction: %s is %v, want %v", name, item[name], want)
		}
	}
}

// TestSweptJourneyFreesItsKey takes away what DynamoDB sweeps first: the journey, whose key is kept for longer.
func TestSweptJourneyFreesItsKey(t *testing.T) {
	client := dynamolocal.Client(t)
	table := dynamolocal.Table(t, client)
	l := dynamo.New(client, table)
	if _, err := l.CreateJourney(t.Context(), "key", ledgertest.Startable("old")); err != nil {
		t.Fatal(err)
	}
	_, err := client.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{
		TableName: &table, Key: map[string]types.AttributeValue{"pk": s("journey#old"), "sk": s("journey")},
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if got, err := l.CreateJourney(t.Context(), "key", ledgertest.Startable("young")); err != nil || got.ID != "young" {
			t.Fatalf("got %+v, %v", got, err)
		}
	}
}

// TestJourneysAgreeWithBolt makes the same random calls on both adapters: they must give the same answers.
func TestJourneysAgreeWithBolt(t *testing.T) {
	one, _ := MustOpen(t)
	db, err := bolt.Open(filepath.Join(t.TempDir(), "ledger.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	two, err := ledgerbolt.New(db)
	if err != nil {
		t.Fatal(err)
	}
	now := ledgertest.Epoch
	one.Now = func() time.Time { return now }
	two.Now = one.Now

	r := rand.New(rand.NewPCG(9, 10))
	pick := func(names string) string { return string(names[r.IntN(len(names))]) }
	statuses := []ledger.JourneyStatus{ledger.JourneySucceeded, ledger.JourneyFailed}
	seen := map[string]int{}
	for range 1500 {
		now = now.Add(time.Duration(r.Int64N(int64(ledger.Retention / 20))))
		id, record := pick("abcd"), pick("12")
		key := map[string]string{"a": "x", "b": "x", "c": "y", "d": "z"}[id] // an id is of one key
		fresh := ledgertest.Startable(id)
		fresh.CreatedAt, fresh.UpdatedAt = now, now
		version := 1 + r.IntN(3)
		change := r.IntN(3)
		status := statuses[r.IntN(2)]
		w := ledger.Waiter{Tenant: "acme", Journey: pick("abc")}
		event := ledgertest.Arrived(pick("pqr"), pick("xyz"), now.Add(-time.Duration(r.IntN(3))*time.Hour))
		once := r.IntN(3) == 0
		query := ledger.JourneyQuery{Tenant: "acme", Limit: 1 + r.IntN(3)}
		transaction := ledgertest.Claimable(pick("efg"), pick("xyz"))
		transaction.Journey, transaction.Step = id, pick("ST")
		transaction.ClaimedAt, transaction.Lease = now, now.Add(time.Minute)
		choice := r.IntN(11)
		if choice == 9 && r.IntN(20) == 0 {
			now = now.Add(ledger.CorrelationRetention)
		}
		ask := func(l ledgertest.Store) (answer any, err error) {
			switch choice {
			case 0, 1:
				return l.CreateJourney(t.Context(), key, fresh)
			case 2, 3:
				j, err := l.Journey(t.Context(), "acme", id)
				if err != nil {
					return j, err
				}
				if change == 0 {
					j.Version = version
				}
				if j.UpdatedAt = now; change == 1 {
					return l.UpdateJourney(t.Context(), ledgertest.Finished(j, status))
				}
				return l.UpdateJourney(t.Context(), ledgertest.Waiting(j))
			case 4:
				return l.Journeys(t.Context(), query)
			case 5, 6:
				return l.AddWaiter(t.Context(), record, w)
			case 7:
				return nil, l.RemoveWaiter(t.Context(), record, w)
			case 8:
				return l.AddEvent(t.Context(), record, event, once)
			case 9:
				return l.Claim(t.Context(), transaction)
			default:
				return l.JourneyTransactions(t.Context(), "acme", id)
			}
		}
		a, errA := ask(one)
		b, errB := ask(two)
		if !reflect.DeepEqual(a, b) || errA != errB {
			t.Fatalf("call %d:\ndynamo %+v, %v\n  bolt %+v, %v", choice, a, errA, b, errB)
		}
		if errA != nil {
			seen[errA.Error()]++
		} else {
			seen["success"]++
		}
	}
	for _, outcome := range []error{ledger.ErrTaken, ledger.ErrStale, ledger.ErrNotFound, errors.New("success")} {
		if seen[outcome.Error()] < 20 {
			t.Errorf("only %d times: %v; the calls prove little", seen[outcome.Error()], outcome)
		}
	}
}
