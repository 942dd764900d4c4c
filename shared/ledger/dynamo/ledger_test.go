package dynamo_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sallyport/shared/bolt"
	"sallyport/shared/ledger"
	ledgerbolt "sallyport/shared/ledger/bolt"
	"sallyport/shared/ledger/dynamo"
	"sallyport/shared/ledger/ledgertest"
	"sallyport/shared/ledger/ledgertest/dynamolocal"
)

func TestLedger(t *testing.T) {
	ledgertest.Run(t, func(t *testing.T) (ledgertest.Store, func(time.Time)) {
		client := dynamolocal.Client(t)
		l := dynamo.New(client, dynamolocal.Table(t, client))
		return l, func(now time.Time) { l.Now = func() time.Time { return now } }
	})
}

// transport stands between the SDK and DynamoDB Local.
type transport struct {
	sent     atomic.Int64 // requests, each sending again included
	lose     atomic.Int64 // how many of the next answers get lost on the way
	conflict atomic.Int64 // how many of the next requests meet another transaction
}

func (tr *transport) Do(req *http.Request) (*http.Response, error) {
	tr.sent.Add(1)
	if tr.conflict.Add(-1) >= 0 {
		body := `{"__type":"com.amazonaws.dynamodb.v20120810#TransactionConflictException"}`
		if strings.HasSuffix(req.Header.Get("X-Amz-Target"), "TransactWriteItems") {
			body = `{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException",` +
				`"CancellationReasons":[{"Code":"None"},{"Code":"TransactionConflict"}]}`
		}
		return &http.Response{
			StatusCode: http.StatusBadRequest, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
			Body: io.NopCloser(strings.NewReader(body)), Request: req,
		}, nil
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil || tr.lose.Add(-1) < 0 {
		return res, err
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		return nil, err
	}
	return nil, errors.New("connection reset by peer")
}

func (tr *transport) reset(lose, conflict int64) {
	tr.sent.Store(0)
	tr.lose.Store(lose)
	tr.conflict.Store(conflict)
}

// MustOpen opens a ledger through a transport; it sends again without a pause.
func MustOpen(t *testing.T) (*dynamo.Ledger, *transport) {
	t.Helper()
	tr := &transport{}
	client := dynamolocal.Client(t, func(o *dynamodb.Options) {
		o.HTTPClient = tr
		o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) {
			o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
		})
	})
	l := dynamo.New(client, dynamolocal.Table(t, client))
	l.Now = func() time.Time { return ledgertest.Epoch }
	return l, tr
}

// step is a write of a sequence that leads one record through its life.
type step struct {
	name  string
	write func(context.Context, *dynamo.Ledger) (any, error)
}

// requests is how many an undisturbed step takes.
func (s step) requests() int64 {
	if s.name == "CompleteWithOwner" {
		return 2
	}
	return 1
}

func life() []step {
	claim := func(attempt string) func(context.Context, *dynamo.Ledger) (any, error) {
		return func(ctx context.Context, l *dynamo.Ledger) (any, error) {
			return l.Claim(ctx, ledgertest.Claimable("id", attempt))
		}
	}
	complete := func(
		attempt string, state ledger.State, generation int, owns string,
	) func(context.Context, *dynamo.Ledger) (any, error) {
		return func(ctx context.Context, l *dynamo.Ledger) (any, error) {
			t := ledgertest.Ended(ledgertest.Claimable("id", attempt), state)
			t.Generation, t.Owns = generation, owns
			return l.Complete(ctx, t)
		}
	}
	return []step{
		{"Claim", claim("attempt-1")},
		{"CompleteReleased", complete("attempt-1", ledger.Released, 1, "")},
		{"ClaimReleased", claim("attempt-2")},
		{"CompleteUnknown", complete("attempt-2", ledger.Unknown, 2, "")},
		{"TakeOver", func(ctx context.Context, l *dynamo.Ledger) (any, error) {
			return l.TakeOver(ctx, ledgertest.Claimable("id", "attempt-3"), "attempt-2")
		}},
		{"CompleteWithOwner", complete("attempt-3", ledger.Done, 2, "equal/transaction/eq-1")},
		{"Record", func(ctx context.Context, l *dynamo.Ledger) (any, error) {
			return nil, l.Record(ctx, ledgertest.Claimable("read", ""))
		}},
		{"PutCaller", func(ctx context.Context, l *dynamo.Ledger) (any, error) {
			return nil, l.PutCaller(ctx, ledger.Caller{KeyHash: "hash", Tenant: "acme"})
		}},
	}
}

func TestRequestsPerWrite(t *testing.T) {
	l, tr := MustOpen(t)
	for _, s := range append(life(), journeyLife()...) {
		tr.reset(0, 0)
		if _, err := s.write(t.Context(), l); err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		if got := tr.sent.Load(); got != s.requests() {
			t.Errorf("%s: %d requests, want %d", s.name, got, s.requests())
		}
	}
	for name, write := range map[string]func() error{
		"ClaimTaken": func() error {
			_, err := l.Claim(t.Context(), ledgertest.Claimable("id", "late"))
			return err
		},
		"TakeOverTaken": func() error {
			_, err := l.TakeOver(t.Context(), ledgertest.Claimable("id", "late"), "attempt-1")
			return err
		},
		"CompleteFenced": func() error {
			_, err := l.Complete(t.Context(), ledgertest.Ended(ledgertest.Claimable("id", "late"), ledger.Done))
			return err
		},
	} {
		tr.reset(0, 0)
		if err := write(); err != ledger.ErrTaken && err != ledger.ErrFenced {
			t.Fatalf("%s: %v", name, err)
		}
		if got := tr.sent.Load(); got != 1 {
			t.Errorf("%s: %d requests, want 1", name, got)
		}
	}
}

// TestAnswerLost runs one life with every answer reaching the caller and one in which each write happens, its answer
// is lost and the SDK sends it again. The caller must not be able to tell the difference.
func TestAnswerLost(t *testing.T) {
	calm, _ := MustOpen(t)
	rough, tr := MustOpen(t)
	for _, s := range append(life(), journeyLife()...) {
		want, err := s.write(t.Context(), calm)
		if err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		tr.reset(1, 0)
		got, err := s.write(t.Context(), rough)
		if err != nil {
			t.Fatalf("%s: answer lost: %v", s.name, err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%s: answer lost:\n got %+v\nwant %+v", s.name, got, want)
		}
		if got := tr.sent.Load(); got != s.requests()+1 {
			t.Fatalf("%s: %d requests, want one of them repeated", s.name, got)
		}
	}
	got, err := rough.Transaction(t.Context(), "acme", "id")
	if err != nil || got.Generation != 2 {
		t.Fatalf("got generation %d, %v; want the 2 of two claims", got.Generation, err)
	}
}

// barren answers every query with a page that holds no row and has a next one, as rare matches do.
type barren struct {
	dynamo.API
	queries int
}

func (b *barren) Query(
	_ context.Context, in *dynamodb.QueryInput, _ ...func(*dynamodb.Options),
) (*dynamodb.QueryOutput, error) {
	b.queries++
	key := in.ExclusiveStartKey
	if key == nil {
		key = map[string]types.AttributeValue{
			"pk":     &types.AttributeValueMemberS{Value: "transaction#id"},
			"gsi1sk": &types.AttributeValueMemberS{Value: "2026-03-01T12:00:00.000000000Z#id"},
		}
	}
	return &dynamodb.QueryOutput{LastEvaluatedKey: key}, nil
}

func TestTransactionsIsBounded(t *testing.T) {
	api := &barren{}
	l := dynamo.New(api, "table")
	q := ledger.Query{Tenant: "acme", State: ledger.Unknown, Limit: 10}
	for range 3 {
		api.queries = 0
		page, err := l.Transactions(t.Context(), q)
		if err != nil || len(page.Transactions) != 0 || page.Next == "" {
			t.Fatalf("got %+v, %v; want an empty page with a next one", page, err)
		}
		if api.queries > 10 {
			t.Fatalf("%d queries for one page", api.queries)
		}
		q.Cursor = page.Next
	}
}

func FuzzCursor(f *testing.F) {
	q := ledger.Query{Tenant: "acme", Limit: 1}
	page, err := dynamo.New(&barren{}, "table").Transactions(f.Context(), q)
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{page.Next, "", "W10", "bnVsbA", page.Next[:20]} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, cursor string) {
		api := &barren{}
		q := q
		q.Cursor = cursor
		switch _, err := dynamo.New(api, "table").Transactions(t.Context(), q); {
		case err == ledger.ErrBadCursor && api.queries == 0:
		case err == nil && api.queries > 0:
		default:
			t.Fatalf("%v after %d queries", err, api.queries)
		}
	})
}

func TestOneCallPerPage(t *testing.T) {
	l, tr := MustOpen(t)
	for _, id := range []string{"a", "b", "c", "d", "e"} {
		if err := l.Record(t.Context(), ledgertest.Claimable(id, "")); err != nil {
			t.Fatal(err)
		}
	}
	for _, q := range []ledger.Query{
		{Tenant: "acme", Limit: 2},
		{Tenant: "acme", Limit: 5},
		{Tenant: "acme", Operation: "equal/execute-journey", Limit: 2},
		{Tenant: "acme", State: ledger.Unknown, Limit: 2},
	} {
		tr.reset(0, 0)
		if _, err := l.Transactions(t.Context(), q); err != nil {
			t.Fatal(err)
		}
		if got := tr.sent.Load(); got != 1 {
			t.Errorf("%+v: %d requests, want 1", q, got)
		}
	}
}

func TestLargeRowsAreListed(t *testing.T) {
	l, tr := MustOpen(t)
	const rows = 8 // more than the megabyte that DynamoDB returns at once
	for i := range rows {
		row := ledgertest.Ended(ledgertest.Claimable(string(rune('a'+i)), "attempt-1"), ledger.Done)
		row.Reply.Body = bytes.Repeat([]byte{byte(i)}, 300*1024)
		if err := l.Record(t.Context(), row); err != nil {
			t.Fatal(err)
		}
	}
	tr.reset(0, 0)
	page, err := l.Transactions(t.Context(), ledger.Query{Tenant: "acme", Limit: rows})
	if err != nil || len(page.Transactions) != rows || page.Next != "" {
		t.Fatalf("got %d rows, next %q, %v", len(page.Transactions), page.Next, err)
	}
	if tr.sent.Load() < 2 {
		t.Fatal("DynamoDB returned all rows at once; the test proves nothing")
	}
}

func TestItem(t *testing.T) {
	client := dynamolocal.Client(t)
	table := dynamolocal.Table(t, client)
	l := dynamo.New(client, table)
	claimed, err := l.Claim(t.Context(), ledgertest.Claimable("id", "attempt-1"))
	if err != nil {
		t.Fatal(err)
	}
	out, err := client.Scan(t.Context(), &dynamodb.ScanInput{TableName: &table})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]types.AttributeValue{
		"pk":          &types.AttributeValueMemberS{Value: "transaction#id"},
		"sk":          &types.AttributeValueMemberS{Value: "transaction"},
		"gsi1pk":      &types.AttributeValueMemberS{Value: "tenant#acme"},
		"gsi1sk":      &types.AttributeValueMemberS{Value: "2026-03-01T12:00:00.123456789Z#id"},
		"tenant":      &types.AttributeValueMemberS{Value: "acme"},
		"operation":   &types.AttributeValueMemberS{Value: "equal/execute-journey"},
		"state":       &types.AttributeValueMemberS{Value: "claimed"},
		"fingerprint": &types.AttributeValueMemberS{Value: "fingerprint-id"},
		"attempt":     &types.AttributeValueMemberS{Value: "attempt-1"},
		"generation":  &types.AttributeValueMemberN{Value: "1"},
		"claimed_at":  &types.AttributeValueMemberN{Value: "1772366400123456789"},
		"lease":       &types.AttributeValueMemberN{Value: "1772366430123456789"},
		"expires_at":  &types.AttributeValueMemberS{Value: "2026-03-31T12:00:30.123456789Z"},
		"ttl":         &types.AttributeValueMemberN{Value: "1774958431"},
	}
	if len(out.Items) != 1 || !reflect.DeepEqual(out.Items[0], want) {
		t.Fatalf("got %v", out.Items)
	}
	if swept := time.Unix(1774958431, 0); swept.Before(claimed.ExpiresAt) {
		t.Fatalf("swept at %v, before it expires at %v", swept, claimed.ExpiresAt)
	}
}

// TestItemOfDigests: a digest takes half its length, and sort keys hold no more of one than its beginning.
func TestItemOfDigests(t *testing.T) {
	client := dynamolocal.Client(t)
	table := dynamolocal.Table(t, client)
	call := typical()
	call.Journey, call.Refs = "journey", map[string]string{
		"ref": call.Fingerprint, "upper": strings.ToUpper(call.Fingerprint),
	}
	if _, err := dynamo.New(client, table).Claim(t.Context(), call); err != nil {
		t.Fatal(err)
	}
	out, err := client.Scan(t.Context(), &dynamodb.ScanInput{TableName: &table})
	if err != nil || len(out.Items) != 1 {
		t.Fatalf("%d items, %v", len(out.Items), err)
	}
	digest := &types.AttributeValueMemberB{Value: bytes.Repeat([]byte{0x0a, 0x1b, 0x2c, 0x3d}, 8)}
	position := &types.AttributeValueMemberS{Value: "2026-03-01T12:00:00.123456789Z#5f2b6d0c5f2b6d0c"}
	for name, want := range map[string]types.AttributeValue{
		"pk":     &types.AttributeValueMemberS{Value: "transaction#" + call.ID},
		"gsi1sk": position, "gsi2sk": position, "fingerprint": digest,
		"refs": &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{
			"ref": digest, "upper": &types.AttributeValueMemberS{Value: call.Refs["upper"]},
		}},
	} {
		if got := out.Items[0][name]; !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
}

// owned reports whether the one tenant of these tests owns a partner's record.
func owned(t *testing.T, s ledgertest.Store, record string) (bool, error) {
	owner, err := s.Owner(t.Context(), record)
	return slices.Equal(owner.Tenants, []string{"acme"}), err
}

// TestAgreesWithBolt makes the same random calls on both adapters: they must give the same answers.
func TestAgreesWithBolt(t *testing.T) {
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

	r := rand.New(rand.NewPCG(5, 6))
	states := []ledger.State{ledger.Done, ledger.Refused, ledger.Released, ledger.Released, ledger.Unknown, ledger.Unknown}
	pick := func(names string) string { return string(names[r.IntN(len(names))]) }
	seen := map[string]int{}
	for range 1500 {
		now = now.Add(time.Duration(r.Int64N(int64(ledger.Retention / 20))))
		record := ledgertest.Claimable(pick("abc"), pick("xyz"))
		record.ClaimedAt, record.Lease = now, now.Add(time.Minute)
		end := ledgertest.Ended(record, states[r.IntN(len(states))])
		if r.IntN(2) == 0 {
			end.Owns = "iron/customer/" + pick("12345")
		}
		query := ledger.Query{Tenant: "acme", Limit: 1 + r.IntN(3)}
		from, choice := pick("xyz"), r.IntN(6)
		ask := func(s ledgertest.Store) (answer any, err error) {
			switch choice {
			case 0, 1:
				return s.Claim(t.Context(), record)
			case 2:
				return s.TakeOver(t.Context(), record, from)
			case 3:
				return s.Complete(t.Context(), end)
			case 4:
				return s.Transactions(t.Context(), query)
			default:
				return owned(t, s, end.Owns)
			}
		}
		a, errA := ask(one)
		b, errB := ask(two)
		if b == false && choice > 4 {
			a = false // an owner may be known of an end that was fenced
		} else if b == true {
			seen["owned"]++
		}
		if !reflect.DeepEqual(a, b) || errA != errB {
			t.Fatalf("call %d:\ndynamo %+v, %v\n  bolt %+v, %v", choice, a, errA, b, errB)
		}
		if errA != nil {
			seen[errA.Error()]++
		} else {
			seen["success"]++
		}
	}
	for _, outcome := range []error{ledger.ErrTaken, ledger.ErrFenced, errors.New("owned"), errors.New("success")} {
		if seen[outcome.Error()] < 20 {
			t.Errorf("only %d times: %v; the calls prove little", seen[outcome.Error()], outcome)
		}
	}
}
