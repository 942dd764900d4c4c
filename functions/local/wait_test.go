package main_test

import (
	"net/http"
	"testing"

	"go.etcd.io/bbolt"
)

// A request that waits for a journey reads no more of the file than one that doesn't: it is woken, and does not poll.
func TestPreferWaitPollsNothing(t *testing.T) {
	t.Parallel()
	s := MustRun(t)
	id := s.startJourney("k", happy)
	if view := s.follow(id, waiting); view.Awaiting == nil {
		t.Fatalf("got %+v", view)
	}
	_, now := s.journey(id)
	lookups := func(header http.Header) (n int64) {
		t.Helper()
		count := func() (n int64) {
			err := s.DB().View(func(tx *bbolt.Tx) error {
				stats := tx.DB().Stats()
				n = stats.TxStats.GetCursorCount()
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		before := count()
		header.Set("If-None-Match", now.header.Get("Etag"))
		if got := s.do("GET", "/journeys/"+id, header, ""); got.status != 304 {
			t.Fatalf("%d %s", got.status, got.body)
		}
		return count() - before
	}
	var at, waited int64
	for range 5 { // the execution may still be about to wait
		at, waited = lookups(http.Header{}), lookups(http.Header{"Prefer": {"wait=1"}})
		if waited == at {
			return
		}
	}
	t.Errorf("%d lookups without a wait, %d with one", at, waited)
}
