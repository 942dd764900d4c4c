package dynamo_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sallyport/functions/sandbox"
	"sallyport/functions/sandbox/digit9"
	"sallyport/functions/sandbox/dynamo"
	"sallyport/functions/sandbox/equal"
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
		Simulators:   []sandbox.Simulator{equal.New(equal.Options{RequestsPerSecond: -1})},
	})
	d := equal.Defaults()
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
	if rows, effects := strings.Count(log, `"status":200`), strings.Count(log, `"effect":true`); len(different) != 1 ||
		rows != n || effects != 1 {
		t.Errorf("%d different answers, %d rows, %d effects", len(different), rows, effects)
	}
}

// TestSandbox_Callbacks: of two sandboxes over one table, one sends a callback that is due; a reset forgets it.
func TestSandbox_Callbacks(t *testing.T) {
	var sent atomic.Int32
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		sent.Add(1)
		_, _ = io.WriteString(w, `{"state":"ACKNOWLEDGED"}`)
	}))
	defer gateway.Close()
	client := dynamolocal.Client(t)
	store := dynamo.New(client, dynamolocal.Table(t, client))
	open := func(base string) *sandbox.Sandbox {
		opts := sandbox.Options{
			Authenticate: func(*http.Request) error { return nil },
			Simulators:   []sandbox.Simulator{digit9.New(digit9.Options{})},
		}
		if base != "" {
			opts.Callbacks.BaseURL = func(context.Context) (string, error) { return base, nil }
		}
		return sandbox.New(store, opts)
	}
	s, d := open(""), digit9.Defaults()
	do := func(method, path, body string, header ...string) string {
		r := httptest.NewRequest(method, "/sandbox"+path, strings.NewReader(body))
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		return w.Body.String()
	}
	form := url.Values{
		"grant_type": {"password"}, "client_id": {d.ClientID}, "client_secret": {d.ClientSecret}, "username": {d.Username},
		"password": {d.Password},
	}
	var token struct {
		Access string `json:"access_token"`
	}
	answer := do(
		"POST", "/digit9/auth/realms/cdp/protocol/openid-connect/token", form.Encode(), "Content-Type",
		"application/x-www-form-urlencoded",
	)
	if err := json.Unmarshal([]byte(answer), &token); err != nil {
		t.Fatal(err, answer)
	}
	lookup := func() string {
		return do(
			"POST", "/digit9/caas/api/v2/customer/validate", `{"idType":"4","idNumber":"784000000000433"}`, "Authorization",
			"Bearer "+token.Access,
		)
	}
	sample, err := os.ReadFile("../../../events/digit9-onboard-customer.json")
	if err != nil {
		t.Fatal(err)
	}
	var event struct{ Body string }
	if err := json.Unmarshal(sample, &event); err != nil {
		t.Fatal(err)
	}
	do(
		"POST", "/digit9/caas-lcm/api/v1/CAAS/onBoarding/customer",
		strings.Replace(event.Body, "784199000000017", "784000000000433", 1), "Authorization", "Bearer "+token.Access,
	)
	ecrn := regexp.MustCompile(`784[0-9]{13}`).FindString(do("GET", "/digit9/alerts", ""))
	do("POST", "/digit9/alerts/"+ecrn, `{"aml_scan_status":"Accepted"}`)

	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if err := open(gateway.URL).DeliverDue(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if log := do("GET", "/requests?operation=callback", ""); sent.Load() != 1 ||
		strings.Count(log, `"status":200,"effect":true`) != 1 {
		t.Errorf("sent %d times: %s", sent.Load(), log)
	}
	if found := lookup(); !strings.Contains(found, ecrn) {
		t.Error(found)
	}

	do("POST", "/digit9/alerts/"+ecrn, `{"aml_scan_status":"Failed"}`)
	do("POST", "/reset", "")
	if err := open(gateway.URL).DeliverDue(t.Context()); err != nil || sent.Load() != 1 {
		t.Errorf("after the reset: %v, sent %d times", err, sent.Load())
	}
}

// contended is a table in which every commit meets another.
type contended struct {
	dynamo.Client
	code    string
	commits int
}

func (c *contended) TransactWriteItems(
	context.Context, *dynamodb.TransactWriteItemsInput, ...func(*dynamodb.Options),
) (*dynamodb.TransactWriteItemsOutput, error) {
	c.commits++
	return nil,
		&types.TransactionCanceledException{
			CancellationReasons: []types.CancellationReason{{Code: aws.String("None")}, {Code: &c.code}},
		}
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
