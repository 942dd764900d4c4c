package dynamo_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"sallyport/shared/ledger"
	"sallyport/shared/ledger/dynamo"
	"sallyport/shared/ledger/ledgertest"
	"sallyport/shared/ledger/ledgertest/dynamolocal"
)

var errDown = errors.New("no answer")

// failing lets one request that writes fail.
type failing struct {
	dynamo.API
	at     int  // which, from 1; 0 for none
	after  bool // it happens, but its answer is lost
	writes int  // so far
}

func failingWrite[In, Out any](f *failing, ctx context.Context, in In, options []func(*dynamodb.Options),
	write func(context.Context, In, ...func(*dynamodb.Options)) (*Out, error),
) (*Out, error) {
	if f.writes++; f.writes != f.at {
		return write(ctx, in, options...)
	}
	if f.after {
		if _, err := write(ctx, in, options...); err != nil {
			return nil, err
		}
	}
	return nil, errDown
}

func (f *failing) PutItem(
	ctx context.Context, in *dynamodb.PutItemInput, options ...func(*dynamodb.Options),
) (*dynamodb.PutItemOutput, error) {
	return failingWrite(f, ctx, in, options, f.API.PutItem)
}

func (f *failing) UpdateItem(
	ctx context.Context, in *dynamodb.UpdateItemInput, options ...func(*dynamodb.Options),
) (*dynamodb.UpdateItemOutput, error) {
	return failingWrite(f, ctx, in, options, f.API.UpdateItem)
}

func (f *failing) TransactWriteItems(
	ctx context.Context, in *dynamodb.TransactWriteItemsInput, options ...func(*dynamodb.Options),
) (*dynamodb.TransactWriteItemsOutput, error) {
	return failingWrite(f, ctx, in, options, f.API.TransactWriteItems)
}

// TestCompleteStopped stops Complete before and after each of its writes. The record never has its end without its
// owner; until then it is held by its attempt, and the same call again brings both about.
func TestCompleteStopped(t *testing.T) {
	const owned = "equal/transaction/eq-1"
	client := dynamolocal.Client(t)
	api := &failing{API: client}
	l := dynamo.New(api, dynamolocal.Table(t, client))
	l.Now = func() time.Time { return ledgertest.Epoch }
	stop := func(t *testing.T, id string, at int, after bool) (stopped bool) {
		api.at = 0
		claimed, err := l.Claim(t.Context(), ledgertest.Claimable(id, "attempt-1"))
		if err != nil {
			t.Fatal(err)
		}
		end := ledgertest.Ended(claimed, ledger.Done)
		end.Owns = owned + id
		api.writes, api.at, api.after = 0, at, after
		if _, err := l.Complete(t.Context(), end); err == nil && api.writes < at {
			return false
		} else if err != errDown {
			t.Fatal(err)
		}
		standing, err := l.Claim(t.Context(), ledgertest.Claimable(id, "attempt-2"))
		if err != ledger.ErrTaken || !reflect.DeepEqual(standing, claimed) && !reflect.DeepEqual(standing, end) {
			t.Fatalf("stands as %+v, %v", standing, err)
		}
		wanted := ledger.Owner{Tenants: []string{"acme"}, Call: claimed.Call()}
		owner, err := l.Owner(t.Context(), end.Owns)
		owned := reflect.DeepEqual(owner, wanted)
		if done := standing.State == ledger.Done; err != nil || done && !owned || !owned && len(owner.Tenants) > 0 {
			t.Fatalf("done %t, owned by %v, %v", done, owner, err)
		}
		if got, err := l.Complete(t.Context(), end); err != nil || !reflect.DeepEqual(got, end) {
			t.Fatalf("again: %+v, %v", got, err)
		}
		if owner, err := l.Owner(t.Context(), end.Owns); err != nil || !reflect.DeepEqual(owner, wanted) {
			t.Fatalf("again: owned by %v, %v", owner, err)
		}
		return true
	}
	at := 1
	for reached := true; reached; at++ {
		for _, after := range []bool{false, true} {
			id := fmt.Sprintf("write-%d-after-%t", at, after)
			t.Run(id, func(t *testing.T) { reached = stop(t, id, at, after) })
		}
	}
	if at < 4 {
		t.Errorf("%d writes, want that of the owner and that of the end", at-2)
	}
}
