package dynamo_test

import (
	"errors"
	"fmt"
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

func TestCallsOfTokens(t *testing.T) {
	l, tr := MustOpen(t)
	lease := ledgertest.Leased("id", "a")
	renewed := ledgertest.Renewed(lease, "sealed")
	for _, step := range []struct {
		name  string
		lose  int64
		put   ledger.Token
		want  ledger.Token
		err   error
		calls int64
	}{
		{"Put", 0, lease, lease, nil, 1},
		{"Stale", 0, ledgertest.Leased("id", "b"), lease, ledger.ErrStale, 1},
		{"AnswerLost", 1, renewed, renewed, nil, 2},
		{"AnswerLostOfStale", 1, lease, renewed, ledger.ErrStale, 2},
	} {
		tr.reset(step.lose, 0)
		got, err := l.PutToken(t.Context(), step.put)
		if err != step.err || !reflect.DeepEqual(got, step.want) {
			t.Fatalf("%s: got %+v, %v; want %+v, %v", step.name, got, err, step.want, step.err)
		}
		if got := tr.sent.Load(); got != step.calls {
			t.Errorf("%s: %d requests, want %d", step.name, got, step.calls)
		}
	}
	tr.reset(0, 0)
	if got, err := l.Token(t.Context(), "id"); err != nil || !reflect.DeepEqual(got, renewed) || tr.sent.Load() != 1 {
		t.Fatalf("got %+v, %v after %d requests", got, err, tr.sent.Load())
	}
}

func TestTokenItem(t *testing.T) {
	client := dynamolocal.Client(t)
	table := dynamolocal.Table(t, client)
	l := dynamo.New(client, table)
	l.Now = func() time.Time { return ledgertest.Epoch }
	lease := ledgertest.Leased("id", "a")
	lease.Sealed = []byte("sealed")
	for _, put := range []ledger.Token{lease, {ID: "bare", Version: 1}} {
		if _, err := l.PutToken(t.Context(), put); err != nil {
			t.Fatal(err)
		}
	}
	out, err := client.Scan(t.Context(), &dynamodb.ScanInput{TableName: &table})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]map[string]types.AttributeValue{}
	for _, item := range out.Items {
		got[item["pk"].(*types.AttributeValueMemberS).Value] = item
	}
	want := map[string]map[string]types.AttributeValue{
		"token#id": {
			"pk": s("token#id"), "sk": s("token"), "version": n("1"), "sealed": b("sealed"), "holder": s("a"),
			"lease": s("2026-03-01T12:00:15.123456789Z"), "expires_at": s("2026-03-01T13:00:00.123456789Z"),
			"ttl": n("1772370001"),
		},
		"token#bare": {"pk": s("token#bare"), "sk": s("token"), "version": n("1")},
	}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("\n got %v\nwant %v", got, want)
	}
}

// TestTokensAgreeWithBolt makes the same random calls on both adapters: they must give the same answers.
func TestTokensAgreeWithBolt(t *testing.T) {
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
	seen := map[string]int{}
	var last ledger.Token
	for i := range 800 {
		now = now.Add(time.Duration(r.Int64N(int64(5 * time.Minute))))
		put := ledgertest.Leased(pick("abc"), pick("xyz"))
		put.Lease, put.ExpiresAt = now.Add(15*time.Second), now.Add(10*time.Minute)
		standing, _ := one.Token(t.Context(), put.ID)
		put.Version = standing.Version + r.IntN(4)/3 + 1 // most often the next one
		switch r.IntN(4) {
		case 0:
			put = ledgertest.Renewed(put, "sealed"+fmt.Sprint(i))
			put.Version--
		case 1:
			put = last
		}
		last = put
		ask := func(l ledgertest.Store) (answer any, err error) {
			if i%4 == 0 {
				return l.Token(t.Context(), put.ID)
			}
			return l.PutToken(t.Context(), put)
		}
		a, errA := ask(one)
		b, errB := ask(two)
		if !reflect.DeepEqual(a, b) || errA != errB {
			t.Fatalf("call %d:\ndynamo %+v, %v\n  bolt %+v, %v", i, a, errA, b, errB)
		}
		if errA != nil {
			seen[errA.Error()]++
		} else {
			seen["success"]++
		}
	}
	for _, outcome := range []error{ledger.ErrStale, ledger.ErrNotFound, errors.New("success")} {
		if seen[outcome.Error()] < 20 {
			t.Errorf("only %d times: %v; the calls prove little", seen[outcome.Error()], outcome)
		}
	}
}
