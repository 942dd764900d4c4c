package ledgertest

import (
	"fmt"
	"time"

	"sallyport/shared/ledger"
)

// filler is a Store that tests can fill faster than by one write for each record.
type filler interface {
	Fill(transactions []ledger.Transaction, journeys []ledger.Journey) error
}

func (s suite) pages() {
	// A page ends where it would have looked at too many rows; those that follow find what is left.
	s.test("OfRareMatches", func(f *fixture) {
		store, ok := f.store.(filler)
		if !ok {
			f.Skip("the store can't be filled fast enough")
		}
		const all = ledger.PageRows + 300
		var records []ledger.Transaction // the newest first
		var rare []string
		for i := range all {
			t := Claimable(fmt.Sprint("id-", i), "attempt-1")
			t.ClaimedAt = Epoch.Add(-time.Duration(i))
			state := ledger.Done
			if i == 0 || i == all/2 || i == all-1 {
				state, rare = ledger.Refused, append(rare, t.ID)
			}
			records = append(records, Ended(t, state))
		}
		f.wantErr(store.Fill(records, nil), nil)

		for state, want := range map[ledger.State][]string{ledger.Refused: rare, ledger.Unknown: nil} {
			q := ledger.Query{Tenant: "acme", State: state, Limit: 10}
			page := f.mustList(q)
			found := ids(page.Transactions)
			f.want(found, want[:max(0, len(want)-1)])
			for range all { // far more pages than there can be
				if page.Next == "" {
					break
				}
				q.Cursor = page.Next
				page = f.mustList(q)
				found = append(found, ids(page.Transactions)...)
			}
			f.want(found, want)
			f.want(page.Next, "")
		}
	})
}
