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

func TestCallsOfSettings(t *testing.T) {
	l, tr := MustOpen(t)
	stored := func(document string, version int) ledger.Setting {
		s := ledgertest.Configured("name", document)
		s.Version = version
		return s
	}
	for _, step := range []struct {
		name  string
		lose  int64
		put   string
		over  int
		want  ledger.Setting
		err   error
		calls int64
	}{
		{"New", 0, "1", 0, stored("1", 1), nil, 1},
		{"Stale", 0, "2", 0, stored("1", 1), ledger.ErrStale, 1},
		{"OverItsVersion", 0, "2", 1, stored("2", 2), nil, 1},
		{"OverAny", 0, "3", ledger.AnyVersion, stored("3", 3), nil, 1},
		{"AnswerLost", 1, "4", 3, stored("4", 4), nil, 2},
		{"AnswerLostOverAny", 1, "5", ledger.AnyVersion, stored("5", 5), nil, 2},
		{"AnswerLostOfStale", 1, "6", 4, stored("5", 5), ledger.ErrStale, 2},
	} {
		tr.reset(step.lose, 0)
		got, err := l.PutSetting(t.Context(), ledgertest.Configured("name", step.put), step.over)
		if err != step.err || !reflect.DeepEqual(got, step.want) {
			t.Fatalf("%s: got %+v, %v; want %+v, %v", step.name, got, err, step.want, step.err)
		}
		if got := tr.sent.Load(); got != step.calls {
			t.Errorf("%s: %d requests, want %d", step.name, got, step.calls)
		}
	}
	tr.reset(0, 0)
	if got, err := l.Setting(t.Context(), "acme", ledger.WorkflowSetting, "name"); err != nil ||
		!reflect.DeepEqual(got, stored("5", 5)) || tr.sent.Load() != 1 {
		t.Fatalf("got %+v, %v after %d requests", got, err, tr.sent.Load())
	}
}

func TestSettingItem(t *testing.T) {
	client := dynamolocal.Client(t)
	table := dynamolocal.Table(t, client)
	l := dynamo.New(client, table)
	for range 2 {
		if _, err := l.PutSetting(t.Context(), ledgertest.Configured("name", "{}"), ledger.AnyVersion); err != nil {
			t.Fatal(err)
		}
	}
	out, err := client.Scan(t.Context(), &dynamodb.ScanInput{TableName: &table})
	if err != nil {
		t.Fatal(err)
	}
	want := []map[string]types.AttributeValue{{
		"pk": s("setting#acme"), "sk": s("workflow#name"), "document": b("{}"), "version": n("1"),
		"updated_at": s("2026-03-01T12:00:00.123456789Z"),
	}}
	if !reflect.DeepEqual(out.Items, want) {
		t.Fatalf("\n got %v\nwant %v", out.Items, want)
	}
}

// TestSettingsAgreeWithBolt makes the same random calls on both adapters: they must give the same answers.
func TestSettingsAgreeWithBolt(t *testing.T) {
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
	r := rand.New(rand.NewPCG(13, 14))
	seen := map[string]int{}
	var last ledger.Setting
	var over int
	for i := range 600 {
		if r.IntN(4) > 0 { // otherwise the same write once more
			last = ledgertest.Configured(string(rune('a'+r.IntN(4))), fmt.Sprint(r.IntN(3)))
			last.UpdatedAt = last.UpdatedAt.Add(time.Duration(r.IntN(3)))
			standing, _ := one.Setting(t.Context(), last.Tenant, last.Kind, last.Name)
			over = []int{ledger.AnyVersion, standing.Version, standing.Version, r.IntN(4)}[r.IntN(4)]
		}
		ask := func(l ledgertest.Store) (any, error) {
			if i%4 == 0 {
				return l.Setting(t.Context(), last.Tenant, last.Kind, last.Name)
			}
			return l.PutSetting(t.Context(), last, over)
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
	for outcome, least := range map[error]int{ledger.ErrStale: 20, errors.New("success"): 100} {
		if seen[outcome.Error()] < least {
			t.Errorf("only %d times: %v; the calls prove little", seen[outcome.Error()], outcome)
		}
	}
}
