package ledgertest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"sallyport/shared/ledger"
)

// listed fills a store with the rows of three tenants and returns acme's as they are listed, the newest first. Times
// repeat and tenants are prefixes of each other.
func listed(f *fixture) (acmes []ledger.Transaction) {
	operations := []string{"equal/execute-journey", "iron/get-customer", "iron/create-customer"}
	states := []ledger.State{ledger.Done, ledger.Refused, ledger.Unknown, ledger.Released}
	for _, tenant := range []string{"acme", "acme2", "ac"} {
		for i := range 20 {
			t := Claimable(fmt.Sprintf("%s-%02d", tenant, (i*7)%20), "attempt-1")
			t.Tenant, t.Operation = tenant, operations[i%3]
			t.ClaimedAt = Epoch.Add(time.Duration((i*3)%20/3) * 7 * time.Nanosecond)
			t = Ended(t, states[i%4])
			f.mustRecord(t)
			t.Reply = nil
			if tenant == "acme" {
				acmes = append(acmes, t)
			}
		}
	}
	slices.SortFunc(acmes, func(a, b ledger.Transaction) int {
		if c := b.ClaimedAt.Compare(a.ClaimedAt); c != 0 {
			return c
		}
		return strings.Compare(b.ID, a.ID)
	})
	return acmes
}

// walk returns all pages of a query, each of which but the last must be full.
func (f *fixture) walk(q ledger.Query) (all []ledger.Transaction) {
	f.Helper()
	for {
		page := f.mustList(q)
		all = append(all, page.Transactions...)
		if page.Next == "" {
			return all
		}
		if len(page.Transactions) != q.Limit {
			f.Fatalf("a page of %d with limit %d has a next one", len(page.Transactions), q.Limit)
		}
		q.Cursor = page.Next
	}
}

func (s suite) transactions() {
	s.test("None", func(f *fixture) {
		f.want(f.mustList(ledger.Query{Tenant: "acme", Limit: 10}), ledger.Page{})
		listed(f)
		f.want(f.mustList(ledger.Query{Tenant: "globex", Limit: 10}), ledger.Page{})
		f.want(f.mustList(ledger.Query{Tenant: "acme", Operation: "equal", Limit: 10}), ledger.Page{})
		f.want(f.mustList(ledger.Query{Tenant: "acme", State: ledger.Claimed, Limit: 10}), ledger.Page{})
	})

	s.test("EveryLimit", func(f *fixture) {
		want := listed(f)
		for limit := 1; limit <= len(want)+1; limit++ {
			f.want(f.walk(ledger.Query{Tenant: "acme", Limit: limit}), want)
		}
	})

	s.test("LimitOutOfRange", func(f *fixture) {
		want := listed(f)
		f.want(f.mustList(ledger.Query{Tenant: "acme"}).Transactions, want[:1])
		f.want(f.mustList(ledger.Query{Tenant: "acme", Limit: -1}).Transactions, want[:1])
		f.want(f.mustList(ledger.Query{Tenant: "acme", Limit: 1 << 40}).Transactions, want)
	})

	s.test("Filters", func(f *fixture) {
		all := listed(f)
		for _, operation := range []string{"", "equal/execute-journey", "iron/create-customer"} {
			for _, state := range []ledger.State{"", ledger.Done, ledger.Released} {
				want := slices.DeleteFunc(slices.Clone(all), func(t ledger.Transaction) bool {
					return operation != "" && t.Operation != operation || state != "" && t.State != state
				})
				for limit := 1; limit <= len(want)+1; limit++ {
					f.want(f.walk(ledger.Query{Tenant: "acme", Operation: operation, State: state, Limit: limit}), want)
				}
			}
		}
	})

	s.test("WrittenMeanwhile", func(f *fixture) {
		want := listed(f)
		page := f.mustList(ledger.Query{Tenant: "acme", Limit: 5})
		newer := Claimable("newer", "attempt-1")
		newer.ClaimedAt = Epoch.Add(time.Hour)
		f.mustClaim(newer)
		rest := f.walk(ledger.Query{Tenant: "acme", Limit: 5, Cursor: page.Next})
		f.want(append(page.Transactions, rest...), want)
	})

	s.test("ClaimedAnew", func(f *fixture) {
		f.mustComplete(Ended(f.mustClaim(Claimable("old", "attempt-1")), ledger.Released))
		young := Claimable("young", "attempt-1")
		young.ClaimedAt = Epoch.Add(time.Minute)
		young = f.mustClaim(young)
		again := Claimable("old", "attempt-2")
		again.ClaimedAt = Epoch.Add(time.Hour)
		again = f.mustClaim(again)
		f.want(f.walk(ledger.Query{Tenant: "acme", Limit: 1}), []ledger.Transaction{again, young})
	})

	s.test("TakenOverAndCompleted", func(f *fixture) {
		f.mustClaim(Claimable("id", "attempt-1"))
		t := f.mustTakeOver(Claimable("id", "attempt-2"), "attempt-1")
		f.want(f.walk(ledger.Query{Tenant: "acme", Limit: 1}), []ledger.Transaction{t})
		t = f.mustComplete(Ended(t, ledger.Done))
		t.Reply = nil
		f.want(f.walk(ledger.Query{Tenant: "acme", Limit: 1}), []ledger.Transaction{t})
	})

	s.test("Expired", func(f *fixture) {
		all := listed(f)
		middle := all[len(all)/2].ExpiresAt
		for _, now := range []time.Time{middle.Add(-1), middle, middle.Add(ledger.Retention)} {
			f.setClock(now)
			want := slices.DeleteFunc(slices.Clone(all), func(t ledger.Transaction) bool { return !t.ExpiresAt.After(now) })
			for _, limit := range []int{1, 3, len(all)} {
				f.want(len(f.walk(ledger.Query{Tenant: "acme", Limit: limit})), len(want))
			}
		}
	})
}

func (s suite) cursor() {
	s.test("OfAnotherQuery", func(f *fixture) {
		listed(f)
		queries := []ledger.Query{
			{Tenant: "acme", Limit: 2},
			{Tenant: "acme2", Limit: 2},
			{Tenant: "globex", Limit: 2},
			{Tenant: "acme", Operation: "iron/get-customer", Limit: 2},
			{Tenant: "acme", State: ledger.Done, Limit: 2},
			{Tenant: "acme", Operation: "iron/get-customer", State: ledger.Done, Limit: 1},
		}
		for i, q := range queries {
			next := f.mustList(q).Next
			for j, other := range queries {
				if i == j || next == "" {
					continue
				}
				other.Cursor = next
				page, err := f.store.Transactions(f.Context(), other)
				f.wantErr(err, ledger.ErrBadCursor)
				f.want(page, ledger.Page{})
			}
		}
	})

	s.test("OfAnotherLimit", func(f *fixture) {
		want := listed(f)
		page := f.mustList(ledger.Query{Tenant: "acme", Limit: 3})
		f.want(f.mustList(ledger.Query{Tenant: "acme", Limit: 100, Cursor: page.Next}).Transactions, want[3:])
	})

	s.test("Altered", func(f *fixture) {
		listed(f)
		q := ledger.Query{Tenant: "acme", Limit: 2}
		for _, q.Cursor = range altered(f.mustList(q).Next) {
			page, err := f.store.Transactions(f.Context(), q)
			f.wantErr(err, ledger.ErrBadCursor)
			f.want(page, ledger.Page{})
		}
	})
}

// altered returns what a cursor may be damaged to.
func altered(next string) []string {
	altered := []string{
		next + "A", next + "=", next + "\n", next[1:], next[:len(next)-1], next + next, " ", "AA", "W10", "bnVsbA",
	}
	for i := range next {
		for _, c := range []string{"A", "B", "_", "z", "\n", "é"} {
			if changed := next[:i] + c + next[i+1:]; changed != next {
				altered = append(altered, changed)
			}
		}
	}
	return altered
}
