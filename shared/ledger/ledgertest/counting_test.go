package ledgertest_test

import (
	"errors"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sallyport/shared/bolt"
	"sallyport/shared/ledger"
	ledgerbolt "sallyport/shared/ledger/bolt"
	"sallyport/shared/ledger/ledgertest"
)

func MustOpen(t *testing.T) *ledgertest.Counting {
	t.Helper()
	db, err := bolt.Open(filepath.Join(t.TempDir(), "ledger.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	l, err := ledgerbolt.New(db)
	if err != nil {
		t.Fatal(err)
	}
	l.Now = func() time.Time { return ledgertest.Epoch }
	return &ledgertest.Counting{Store: l}
}

func TestCounting(t *testing.T) {
	wantCounts := func(t *testing.T, c *ledgertest.Counting, writes, failed, reads int64) {
		t.Helper()
		got := [3]int64{c.Writes.Load(), c.FailedWrites.Load(), c.Reads.Load()}
		if want := [3]int64{writes, failed, reads}; got != want {
			t.Fatalf("writes, failed writes, reads: got %v, want %v", got, want)
		}
	}

	t.Run("EveryMethod", func(t *testing.T) {
		c, ctx := MustOpen(t), t.Context()
		_, _ = c.Claim(ctx, ledgertest.Claimable("id", "attempt-1"))
		_, _ = c.TakeOver(ctx, ledgertest.Claimable("id", "attempt-2"), "attempt-1")
		_, _ = c.Complete(ctx, ledgertest.Ended(ledgertest.Claimable("id", "attempt-2"), ledger.Done))
		_ = c.Record(ctx, ledgertest.Claimable("read", ""))
		_ = c.PutCaller(ctx, ledger.Caller{KeyHash: "hash"})
		wantCounts(t, c, 5, 0, 0)
		_, _ = c.Claim(ctx, ledgertest.Claimable("id", "late"))
		_, _ = c.TakeOver(ctx, ledgertest.Claimable("id", "late"), "attempt-1")
		_, _ = c.Complete(ctx, ledgertest.Ended(ledgertest.Claimable("id", "late"), ledger.Done))
		wantCounts(t, c, 5, 3, 0)
		_, _ = c.Owner(ctx, "record")
		_, _ = c.Transaction(ctx, "acme", "id")
		_, _ = c.Transactions(ctx, ledger.Query{Tenant: "acme"})
		_, _ = c.Caller(ctx, "hash")
		wantCounts(t, c, 5, 3, 4)
	})

	t.Run("EveryMethodOfJourneys", func(t *testing.T) {
		c, ctx := MustOpen(t), t.Context()
		var ops []string
		c.Fail = func(op string) (before, after error) {
			ops = append(ops, op)
			return nil, nil
		}
		created, _ := c.CreateJourney(ctx, "key", ledgertest.Startable("id"))
		_, _ = c.UpdateJourney(ctx, created)
		_, _ = c.AddWaiter(ctx, "record", ledger.Waiter{Journey: "id"})
		_ = c.RemoveWaiter(ctx, "record", ledger.Waiter{Journey: "id"})
		_, _ = c.AddEvent(ctx, "record", ledgertest.Arrived("id", "sealed", ledgertest.Epoch), false)
		wantCounts(t, c, 5, 0, 0)
		if want := []string{
			"CreateJourney", "UpdateJourney", "AddWaiter", "RemoveWaiter", "AddEvent",
		}; !slices.Equal(ops, want) {
			t.Fatalf("got %v, want %v", ops, want)
		}
		_, _ = c.CreateJourney(ctx, "key", ledgertest.Startable("another"))
		created.Reason = "another"
		_, _ = c.UpdateJourney(ctx, created)
		wantCounts(t, c, 5, 2, 0)
		for i := range ledger.CorrelationCap + 1 {
			_, _ = c.AddWaiter(ctx, "record", ledger.Waiter{Journey: strconv.Itoa(i)})
		}
		wantCounts(t, c, 5+ledger.CorrelationCap, 3, 0)
		_, _ = c.Journey(ctx, "acme", "id")
		_, _ = c.Journeys(ctx, ledger.JourneyQuery{Tenant: "acme"})
		_, _ = c.JourneyTransactions(ctx, "acme", "id")
		_, _ = c.Correlation(ctx, "record")
		wantCounts(t, c, 5+ledger.CorrelationCap, 3, 4)
	})

	t.Run("EveryMethodOfTokens", func(t *testing.T) {
		c, ctx := MustOpen(t), t.Context()
		var ops []string
		c.Fail = func(op string) (before, after error) {
			ops = append(ops, op)
			return nil, nil
		}
		_, _ = c.PutToken(ctx, ledgertest.Leased("id", "a"))
		wantCounts(t, c, 1, 0, 0)
		_, _ = c.PutToken(ctx, ledgertest.Leased("id", "b"))
		_, _ = c.Token(ctx, "id")
		wantCounts(t, c, 1, 1, 1)
		if want := []string{"PutToken", "PutToken"}; !slices.Equal(ops, want) {
			t.Fatalf("got %v, want %v", ops, want)
		}
	})

	t.Run("EveryMethodOfSettings", func(t *testing.T) {
		c, ctx := MustOpen(t), t.Context()
		var ops []string
		c.Fail = func(op string) (before, after error) {
			ops = append(ops, op)
			return nil, nil
		}
		_, _ = c.PutSetting(ctx, ledgertest.Configured("name", "{}"), 0)
		wantCounts(t, c, 1, 0, 0)
		_, _ = c.PutSetting(ctx, ledgertest.Configured("name", "[]"), 0)
		_, _ = c.Setting(ctx, "acme", ledger.WorkflowSetting, "name")
		wantCounts(t, c, 1, 1, 1)
		if want := []string{"PutSetting", "PutSetting"}; !slices.Equal(ops, want) {
			t.Fatalf("got %v, want %v", ops, want)
		}
	})

	t.Run("Concurrent", func(t *testing.T) {
		c := MustOpen(t)
		var wg sync.WaitGroup
		for i := range 16 {
			wg.Go(func() { _, _ = c.Claim(t.Context(), ledgertest.Claimable("id", string(rune('a'+i)))) })
		}
		wg.Wait()
		wantCounts(t, c, 1, 15, 0)
	})

	down := errors.New("the ledger is down")
	t.Run("FailBefore", func(t *testing.T) {
		c := MustOpen(t)
		c.Fail = func(op string) (before, after error) {
			if op == "Claim" {
				return down, nil
			}
			return nil, nil
		}
		if _, err := c.Claim(t.Context(), ledgertest.Claimable("id", "attempt-1")); err != down {
			t.Fatalf("got %v", err)
		}
		if err := c.Record(t.Context(), ledgertest.Claimable("read", "")); err != nil {
			t.Fatal(err)
		}
		wantCounts(t, c, 1, 0, 0)
		if _, err := c.Transaction(t.Context(), "acme", "id"); err != ledger.ErrNotFound {
			t.Fatalf("the write happened: %v", err)
		}
	})
	t.Run("FailAfterTheSecondWrite", func(t *testing.T) {
		c := MustOpen(t)
		var writes atomic.Int64
		c.Fail = func(string) (before, after error) {
			if writes.Add(1) == 2 {
				return nil, down
			}
			return nil, nil
		}
		claimed, err := c.Claim(t.Context(), ledgertest.Claimable("id", "attempt-1"))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := c.Complete(t.Context(), ledgertest.Ended(claimed, ledger.Done)); err != down || got.ID != "" {
			t.Fatalf("got %+v, %v; want only the error", got, err)
		}
		wantCounts(t, c, 2, 0, 0)
		if got, err := c.Transaction(t.Context(), "acme", "id"); err != nil || got.State != ledger.Done {
			t.Fatalf("got %+v, %v; want the write to have happened", got, err)
		}
	})
}
