package dynamo_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sallyport/functions/sandbox"
	"sallyport/functions/sandbox/dynamo"
	"sallyport/functions/sandbox/storetest"
	"sallyport/shared/ledger/ledgertest/dynamolocal"
)

func TestStore(t *testing.T) {
	client := dynamolocal.Client(t)
	storetest.Run(t, func(t *testing.T) sandbox.Store {
		return dynamo.New(client, dynamolocal.Table(t, client))
	})
}

// TestSandbox_ConcurrentInit: the sandbox's own transactions, with what they read in common, survive each other.
func TestSandbox_ConcurrentInit(t *testing.T) {
	client := dynamolocal.Client(t)
	s := sandbox.New(dynamo.New(client, dynamolocal.Table(t, client)), sandbox.Options{
		Authenticate: func(*http.Request) error { return nil },
		Equal:        sandbox.EqualOptions{RequestsPerSecond: -1},
	})
	d := sandbox.EqualDefaults()
	do := func(method, path, body string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, path, strings.NewReader(body))
		r.SetBasicAuth(d.ClientID, d.ClientSecret)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		return w
	}
	const n = 24
	answers := make(chan string, n)
	for range n {
		go func() {
			answers <- do("POST", "/sandbox/equal/ie/transaction/init",
				`{"gateway_instance_id":"`+d.GatewayInstanceID+`","idempotency_id":"order-1"}`).Body.String()
		}()
	}
	different := map[string]bool{}
	for range n {
		different[<-answers] = true
	}
	log := do("GET", "/sandbox/requests", "").Body.String()
	if rows, effects := strings.Count(log, `"status":200`), strings.Count(log, `"effect":true`); len(different) != 1 || rows != n || effects != 1 {
		t.Errorf("%d different answers, %d rows, %d effects", len(different), rows, effects)
	}
}

// contended is a table in which every commit meets another.
type contended struct {
	dynamo.Client
	code    string
	commits int
}

func (c *contended) TransactWriteItems(context.Context, *dynamodb.TransactWriteItemsInput, ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error) {
	c.commits++
	return nil, &types.TransactionCanceledException{CancellationReasons: []types.CancellationReason{{Code: aws.String("None")}, {Code: &c.code}}}
}

func TestUpdate(t *testing.T) {
	put := func(tx sandbox.Tx) error { return tx.Put("k", []byte("v")) }
	t.Run("ErrConflict", func(t *testing.T) {
		for _, code := range []string{"ConditionalCheckFailed", "TransactionConflict", "ThrottlingError"} {
			synctest.Test(t, func(t *testing.T) {
				c, start := &contended{code: code}, time.Now()
				if err := dynamo.New(c, "t").Update(t.Context(), put); err != sandbox.ErrConflict {
					t.Errorf("%s: got error %v", code, err)
				}
				if took := time.Since(start); c.commits != 24 || took > 12*time.Second {
					t.Errorf("%s: %d commits in %v", code, c.commits, took)
				}
			})
		}
	})
	t.Run("OtherErrorsAreNotRetried", func(t *testing.T) {
		c := &contended{code: "ValidationError"}
		if err := dynamo.New(c, "t").Update(t.Context(), put); err == nil || c.commits != 1 {
			t.Errorf("got error %v after %d commits", err, c.commits)
		}
	})
	t.Run("ContextEndsRetries", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
			defer cancel()
			c := &contended{code: "TransactionConflict"}
			if err := dynamo.New(c, "t").Update(ctx, put); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got error %v", err)
			}
		})
	})
}
