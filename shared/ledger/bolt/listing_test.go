package bolt_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"sallyport/shared/bolt"
	"sallyport/shared/ledger"
	ledgerbolt "sallyport/shared/ledger/bolt"
	"sallyport/shared/ledger/ledgertest"
)

// rowsRead counts the records that are read from the file meanwhile, and some other reads: bbolt itself counts its
// cursors, of which a record takes two, for its bucket and for its key.
func rowsRead(t *testing.T, db *bolt.DB, meanwhile func()) int {
	t.Helper()
	cursors := func() (n int64) {
		err := db.View(func(tx *bbolt.Tx) error {
			stats := tx.DB().Stats()
			n = stats.TxStats.GetCursorCount()
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := cursors()
	meanwhile()
	return int(cursors()-before) / 2
}

const (
	manyRecords = 4 * ledger.PageRows
	rareEvery   = 1_000 // of so many records one is rare
	rare        = manyRecords / rareEvery
	otherReads  = 5 // of a listing
)

// mustFill opens a ledger with manyRecords journeys and as many transactions, which are steps of one journey.
func mustFill(t *testing.T) (*ledgerbolt.Ledger, *bolt.DB) {
	t.Helper()
	l, db := MustOpen(t, filepath.Join(t.TempDir(), "ledger.db"))
	l.Now = func() time.Time { return ledgertest.Epoch }
	var transactions []ledger.Transaction
	var journeys []ledger.Journey
	for i := range manyRecords {
		record := ledgertest.Claimable(fmt.Sprint("transaction-", i), "attempt-1")
		record.Journey, record.ClaimedAt = "journey", ledgertest.Epoch.Add(time.Duration(i))
		record = ledgertest.Ended(record, ledger.Done)
		j := ledgertest.Startable(fmt.Sprint("journey-", i))
		j.CreatedAt = record.ClaimedAt
		j = ledgertest.Finished(j, ledger.JourneySucceeded)
		if i%rareEvery == 0 {
			record.State, record.Operation = ledger.Refused, "iron/get-customer"
			j.Status, j.Type = ledger.JourneyFailed, "rare"
		}
		transactions, journeys = append(transactions, record), append(journeys, j)
	}
	if err := l.Fill(transactions, journeys); err != nil {
		t.Fatal(err)
	}
	return l, db
}

// A listing looks at ledger.PageRows rows for a page, whatever it filters by, and finds all over several pages.
func TestListingsReadABoundedNumberOfRowsMatrix(t *testing.T) {
	l, db := mustFill(t)
	listings := map[string]func(filter, other, cursor string) (rows int, next string, err error){
		"Transactions": func(operation, state, cursor string) (int, string, error) {
			page, err := l.Transactions(
				t.Context(),
				ledger.Query{Tenant: "acme", Operation: operation, State: ledger.State(state), Limit: 100, Cursor: cursor},
			)
			return len(page.Transactions), page.Next, err
		},
		"Journeys": func(typeName, status, cursor string) (int, string, error) {
			page, err := l.Journeys(
				t.Context(),
				ledger.JourneyQuery{
					Tenant: "acme", Type: typeName, Status: ledger.JourneyStatus(status), Limit: 100, Cursor: cursor,
				},
			)
			return len(page.Journeys), page.Next, err
		},
		"JourneyTransactions": func(_, _, _ string) (int, string, error) {
			steps, err := l.JourneyTransactions(t.Context(), "another tenant", "journey")
			return len(steps), "", err
		},
	}
	for _, test := range []struct {
		listing, filter, other string
		want                   int
	}{
		{"Transactions", "", "", manyRecords},
		{"Transactions", "equal/execute-journey", "", manyRecords - rare},
		{"Transactions", "iron/get-customer", "", rare},
		{"Transactions", "none", "", 0},
		{"Transactions", "", "done", manyRecords - rare},
		{"Transactions", "", "refused", rare},
		{"Transactions", "", "unknown", 0},
		{"Transactions", "iron/get-customer", "refused", rare},
		{"Transactions", "iron/get-customer", "done", 0},
		{"Journeys", "", "", manyRecords},
		{"Journeys", "aadhaar-otp", "", manyRecords - rare},
		{"Journeys", "rare", "", rare},
		{"Journeys", "none", "", 0},
		{"Journeys", "", "SUCCEEDED", manyRecords - rare},
		{"Journeys", "", "FAILED", rare},
		{"Journeys", "", "EXPIRED", 0},
		{"Journeys", "rare", "FAILED", rare},
		{"Journeys", "rare", "SUCCEEDED", 0},
		{"JourneyTransactions", "", "", 0},
	} {
		t.Run(fmt.Sprintf("%s/%s/%s", test.listing, test.filter, test.other), func(t *testing.T) {
			found, pages, cursor := 0, 0, ""
			for more := true; more; more = cursor != "" {
				read := rowsRead(t, db, func() {
					rows, next, err := listings[test.listing](test.filter, test.other, cursor)
					if err != nil {
						t.Fatal(err)
					}
					found, pages, cursor = found+rows, pages+1, next
				})
				if read > ledger.PageRows+otherReads {
					t.Fatalf("read %d rows for a page", read)
				}
			}
			if most := test.want/100 + manyRecords/ledger.PageRows + 1; found != test.want || pages > most {
				t.Errorf("found %d on %d pages, want %d on %d at most", found, pages, test.want, most)
			}
		})
	}
	t.Run("NoFurtherThanTheNextRow", func(t *testing.T) {
		read := rowsRead(t, db, func() { _, _, _ = listings["Transactions"]("", "", "") })
		if read > 101+otherReads {
			t.Errorf("read %d rows for a page of 100", read)
		}
	})
}
