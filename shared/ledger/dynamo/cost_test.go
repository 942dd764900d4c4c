package dynamo_test

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sallyport/shared/ledger"
	"sallyport/shared/ledger/dynamo"
	"sallyport/shared/ledger/ledgertest"
	"sallyport/shared/ledger/ledgertest/dynamolocal"
)

// meter counts the requests that are made of an API, has DynamoDB say what each consumes, and adds that up.
type meter struct {
	dynamo.API
	requests    int
	write, read float64 // units of the table and of its indexes; a write that fails its condition does not tell its own
}

func (m *meter) add(total *float64, consumed ...types.ConsumedCapacity) {
	for _, c := range consumed {
		*total += *c.CapacityUnits
	}
}

func (m *meter) GetItem(
	ctx context.Context, in *dynamodb.GetItemInput, options ...func(*dynamodb.Options),
) (*dynamodb.GetItemOutput, error) {
	m.requests++
	in.ReturnConsumedCapacity = types.ReturnConsumedCapacityTotal
	out, err := m.API.GetItem(ctx, in, options...)
	if err == nil {
		m.add(&m.read, *out.ConsumedCapacity)
	}
	return out, err
}

func (m *meter) PutItem(
	ctx context.Context, in *dynamodb.PutItemInput, options ...func(*dynamodb.Options),
) (*dynamodb.PutItemOutput, error) {
	m.requests++
	in.ReturnConsumedCapacity = types.ReturnConsumedCapacityTotal
	out, err := m.API.PutItem(ctx, in, options...)
	if err == nil {
		m.add(&m.write, *out.ConsumedCapacity)
	}
	return out, err
}

func (m *meter) UpdateItem(
	ctx context.Context, in *dynamodb.UpdateItemInput, options ...func(*dynamodb.Options),
) (*dynamodb.UpdateItemOutput, error) {
	m.requests++
	in.ReturnConsumedCapacity = types.ReturnConsumedCapacityTotal
	out, err := m.API.UpdateItem(ctx, in, options...)
	if err == nil {
		m.add(&m.write, *out.ConsumedCapacity)
	}
	return out, err
}

func (m *meter) TransactWriteItems(
	ctx context.Context, in *dynamodb.TransactWriteItemsInput, options ...func(*dynamodb.Options),
) (*dynamodb.TransactWriteItemsOutput, error) {
	m.requests++
	in.ReturnConsumedCapacity = types.ReturnConsumedCapacityTotal
	out, err := m.API.TransactWriteItems(ctx, in, options...)
	if err == nil {
		m.add(&m.write, out.ConsumedCapacity...)
	}
	return out, err
}

// want asserts what has been asked since the last time.
func (m *meter) want(t *testing.T, what string, requests int, write, read float64) {
	t.Helper()
	if m.requests != requests || m.write > write || m.read > read {
		t.Errorf("%s: %d requests, %v write and %v read units; the budget is %d, %v and %v",
			what, m.requests, m.write, m.read, requests, write, read)
	}
	m.requests, m.write, m.read = 0, 0, 0
}

// typical returns a call as the pipeline claims it, with ids of their real lengths.
func typical() ledger.Transaction {
	t := ledgertest.Claimable(strings.Repeat("5f2b6d0c", 8), "019523f0-7c1b-7a2e-9d4f-0123456789ab")
	t.Operation, t.Fingerprint = "equal/init-transaction", strings.Repeat("0a1b2c3d", 8)
	return t
}

// answered ends a call with an answer of so many sealed bytes.
func answered(t ledger.Transaction, reply int) ledger.Transaction {
	t = ledgertest.Ended(t, ledger.Done)
	t.Code, t.Refs = "ok", map[string]string{"transaction_id": "019523f0-7c1a-7000-8000-0123456789ac"}
	t.Reply.Body = bytes.Repeat([]byte{7}, reply)
	return t
}

// TestCost holds calls to their budgets.
func TestCost(t *testing.T) {
	client := dynamolocal.Client(t)
	const owned = "equal/transaction/019523f0-7c1a-7000-8000-0123456789ac"
	for _, test := range []struct {
		name          string
		journey, owns bool
		aliases       []string
		reply         int // bytes
		write         float64
	}{
		{name: "Fresh", reply: 180, write: 4},
		{name: "FreshOfOverAKilobyte", reply: 600, write: 5},
		{name: "FreshFromAJourney", journey: true, reply: 180, write: 6},
		{name: "FreshOwned", owns: true, reply: 180, write: 5},
		{name: "FreshOwnedFromAJourney", journey: true, owns: true, reply: 180, write: 7},
		{
			name: "FreshOwnedByTwoNames", owns: true, reply: 180, write: 6,
			aliases: []string{"mbanq/client/" + strings.Repeat("0a1b2c3d", 8)},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := &meter{API: client}
			l := dynamo.New(m, dynamolocal.Table(t, client))
			l.Now = func() time.Time { return ledgertest.Epoch }
			fresh := typical()
			if test.journey {
				fresh.Journey, fresh.Step = "019523f0-7c1a-7000-8000-0123456789ab", "InitTransaction"
			}
			claimed, err := l.Claim(t.Context(), fresh)
			if err != nil {
				t.Fatal(err)
			}
			claim := *m
			m.want(t, "claim", 1, test.write, 0)

			duplicate := fresh
			duplicate.Attempt = "019523f0-7c1b-7a2e-9d4f-ba9876543210"
			if got, err := l.Claim(t.Context(), duplicate); err != ledger.ErrTaken || got.State != ledger.Claimed {
				t.Fatalf("duplicate: %+v, %v", got, err)
			}
			m.want(t, "in-flight duplicate", 1, 0, 0)

			end, requests := answered(claimed, test.reply), 1
			if test.owns {
				end.Owns, end.Aliases, requests = owned, test.aliases, 2+len(test.aliases)
			}
			m.write = claim.write
			if _, err := l.Complete(t.Context(), end); err != nil {
				t.Fatal(err)
			}
			m.want(t, "claim and complete", requests, test.write, 0)

			if got, err := l.Claim(t.Context(), duplicate); err != ledger.ErrTaken || got.Reply == nil {
				t.Fatalf("replay: %+v, %v", got, err)
			}
			m.want(t, "replay", 1, 0, 0)

			if owner, err := l.Owner(t.Context(), owned); err != nil || len(owner.Tenants) > 0 != test.owns {
				t.Fatalf("owner: %v, %v", owner, err)
			}
			m.want(t, "owner", 1, 0, 1)
		})
	}
}

// accepting takes every write.
type accepting struct{ dynamo.API }

func (accepting) PutItem(
	context.Context, *dynamodb.PutItemInput, ...func(*dynamodb.Options),
) (*dynamodb.PutItemOutput, error) {
	return &dynamodb.PutItemOutput{ConsumedCapacity: unit()}, nil
}

func (accepting) UpdateItem(
	context.Context, *dynamodb.UpdateItemInput, ...func(*dynamodb.Options),
) (*dynamodb.UpdateItemOutput, error) {
	return &dynamodb.UpdateItemOutput{ConsumedCapacity: unit()}, nil
}

func (accepting) TransactWriteItems(
	context.Context, *dynamodb.TransactWriteItemsInput, ...func(*dynamodb.Options),
) (*dynamodb.TransactWriteItemsOutput, error) {
	return &dynamodb.TransactWriteItemsOutput{ConsumedCapacity: []types.ConsumedCapacity{*unit()}}, nil
}

func unit() *types.ConsumedCapacity { return &types.ConsumedCapacity{CapacityUnits: aws.Float64(1)} }

// TestRequests counts the requests of a fresh call, wherever DynamoDB Local can't run.
func TestRequests(t *testing.T) {
	m := &meter{API: accepting{}}
	l := dynamo.New(m, "table")
	for requests, owns := range []string{"", "equal/transaction/eq-1"} {
		if _, err := l.Claim(t.Context(), typical()); err != nil {
			t.Fatal(err)
		}
		m.want(t, "claim", 1, 1, 0)
		end := answered(typical(), 180)
		end.Owns = owns
		if _, err := l.Complete(t.Context(), end); err != nil {
			t.Fatal(err)
		}
		m.want(t, "complete "+owns, requests+1, float64(requests+1), 0)
	}
}
