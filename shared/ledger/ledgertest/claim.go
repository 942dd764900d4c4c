package ledgertest

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"sallyport/shared/ledger"
)

func (s suite) claim() {
	claimed := func(t ledger.Transaction, generation int) ledger.Transaction {
		t.State, t.Generation, t.ExpiresAt = ledger.Claimed, generation, t.Lease.Add(ledger.Retention)
		return t
	}

	s.test("Absent", func(f *fixture) {
		t := Claimable("id", "attempt-1")
		t.SentAt, t.Refs = Epoch.Add(1), map[string]string{"aadhaar_last4": "1234"}
		f.want(f.mustClaim(t), claimed(t, 1))
		f.wantStored(claimed(t, 1))
	})

	s.test("NothingOfAnEndIsTaken", func(f *fixture) {
		t := Ended(Claimable("id", "attempt-1"), ledger.Done)
		t.Generation, t.TakeOvers, t.Lease = 7, 8, Epoch.Add(time.Minute)
		want := claimed(t, 1)
		want.TakeOvers, want.Code, want.Reply, want.EndedAt = 0, "", nil, time.Time{}
		f.want(f.mustClaim(t), want)
		f.wantStored(want)
	})

	s.test("OwnAttemptSentAgain", func(f *fixture) {
		first := f.mustClaim(Claimable("id", "attempt-1"))
		f.want(f.mustClaim(Claimable("id", "attempt-1")), first)
		f.wantStored(first)
	})

	s.test("TakenWhileClaimed", func(f *fixture) {
		standing := f.mustClaim(Claimable("id", "attempt-1"))
		later := Claimable("id", "attempt-2")
		later.ClaimedAt = standing.Lease.Add(time.Hour) // a lapsed claim is not free either
		got, err := f.store.Claim(f.Context(), later)
		f.wantErr(err, ledger.ErrTaken)
		f.want(got, standing)
		f.wantStored(standing)
	})

	for _, state := range []ledger.State{ledger.Done, ledger.Refused, ledger.Unknown} {
		s.test("TakenWhile_"+string(state), func(f *fixture) {
			standing := Ended(f.mustClaim(Claimable("id", "attempt-1")), state)
			standing.Owns = "equal/transaction/eq-1"
			f.mustComplete(standing)
			for _, attempt := range []string{"attempt-1", "attempt-2"} {
				got, err := f.store.Claim(f.Context(), Claimable("id", attempt))
				f.wantErr(err, ledger.ErrTaken)
				f.want(got, standing)
			}
			f.wantStored(standing)
		})
	}

	s.test("Released", func(f *fixture) {
		for generation := 1; generation <= 3; generation++ {
			t := Claimable("id", fmt.Sprint("attempt-", generation))
			t.ClaimedAt = Epoch.Add(time.Duration(generation) * time.Minute)
			t.Lease = t.ClaimedAt.Add(time.Second)
			want := claimed(t, generation)
			f.want(f.mustClaim(t), want)
			f.wantStored(want)
			end := Ended(want, ledger.Released)
			end.Owns = "equal/transaction/eq-1"
			f.mustComplete(end)
		}
	})

	s.test("ReleasedByTheSameAttempt", func(f *fixture) {
		standing := Ended(f.mustClaim(Claimable("id", "attempt-1")), ledger.Released)
		f.mustComplete(standing)
		got, err := f.store.Claim(f.Context(), Claimable("id", "attempt-1")) // a delayed copy of the first write
		f.wantErr(err, ledger.ErrTaken)
		f.want(got, standing)
		f.wantStored(standing)
	})

	s.test("ReleasedAfterTakeOver", func(f *fixture) {
		f.mustClaim(Claimable("id", "attempt-1"))
		f.mustComplete(Ended(f.mustTakeOver(Claimable("id", "attempt-2"), "attempt-1"), ledger.Released))
		t := Claimable("id", "attempt-3")
		f.want(f.mustClaim(t), claimed(t, 2))
	})

	s.test("Expired", func(f *fixture) {
		for _, state := range []ledger.State{ledger.Claimed, ledger.Done, ledger.Refused, ledger.Unknown} {
			id := string(state)
			standing := f.mustClaim(Claimable(id, "attempt-1"))
			if state != ledger.Claimed {
				standing = f.mustComplete(Ended(standing, state))
			}
			t := Claimable(id, "attempt-2")
			t.ClaimedAt = standing.ExpiresAt.Add(-1)
			t.Lease = t.ClaimedAt.Add(time.Minute)
			got, err := f.store.Claim(f.Context(), t)
			f.wantErr(err, ledger.ErrTaken)
			f.want(got, standing)

			t.ClaimedAt = standing.ExpiresAt
			f.want(f.mustClaim(t), claimed(t, 2))
		}
	})

	s.test("OneOfManyWins", func(f *fixture) {
		const attempts = 64
		var records [attempts]ledger.Transaction
		var errs [attempts]error
		together(attempts, func(i int) {
			records[i], errs[i] = f.store.Claim(f.Context(), Claimable("id", fmt.Sprint("attempt-", i)))
		})
		winner := f.wantOneWinner(errs[:], ledger.ErrTaken)
		f.want(records[winner], claimed(Claimable("id", fmt.Sprint("attempt-", winner)), 1))
		for _, record := range records {
			f.want(record, records[winner])
		}
	})
}

func (s suite) takeOver() {
	// takenOver is the record as attempt-2 holds it after it took it over.
	takenOver := func(old ledger.Transaction, lease time.Time) ledger.Transaction {
		old.State, old.Attempt, old.Lease, old.ExpiresAt = ledger.Claimed, "attempt-2", lease, lease.Add(ledger.Retention)
		old.SentAt, old.EndedAt, old.Code, old.Reply = time.Time{}, time.Time{}, "", nil
		old.TakeOvers++
		return old
	}
	// second is what attempt-2 hands in: much of it differs from what is stored, which must win.
	second := Claimable("id", "attempt-2")
	second.ClaimedAt, second.Lease, second.SentAt = Epoch.Add(time.Hour), Epoch.Add(2*time.Hour), Epoch
	second.Fingerprint, second.Generation, second.TakeOvers = "another", 40, 50

	s.test("Lapsed", func(f *fixture) {
		t := Claimable("id", "attempt-1")
		t.SentAt, t.Refs = Epoch.Add(1), map[string]string{"a": "b"}
		old := f.mustClaim(t)
		want := takenOver(old, second.Lease)
		f.want(f.mustTakeOver(second, "attempt-1"), want)
		f.wantStored(want)
	})

	s.test("Unknown", func(f *fixture) {
		old := Ended(f.mustClaim(Claimable("id", "attempt-1")), ledger.Unknown)
		old.Owns = "equal/transaction/eq-1"
		f.mustComplete(old)
		want := takenOver(old, second.Lease)
		f.want(f.mustTakeOver(second, "attempt-1"), want)
		f.wantStored(want)
	})

	s.test("EveryTimeRaisesTakeOvers", func(f *fixture) {
		f.mustClaim(Claimable("id", "attempt-0"))
		for n := 1; n <= 3; n++ {
			got := f.mustTakeOver(Claimable("id", fmt.Sprint("attempt-", n)), fmt.Sprint("attempt-", n-1))
			f.want([]int{got.TakeOvers, got.Generation}, []int{n, 1})
		}
	})

	s.test("OwnAttemptSentAgain", func(f *fixture) {
		f.mustClaim(Claimable("id", "attempt-1"))
		first := f.mustTakeOver(second, "attempt-1")
		f.want(f.mustTakeOver(second, "attempt-1"), first)
		f.wantStored(first)
	})

	s.test("HeldByAnother", func(f *fixture) {
		standing := f.mustClaim(Claimable("id", "attempt-1"))
		got, err := f.store.TakeOver(f.Context(), second, "attempt-0")
		f.wantErr(err, ledger.ErrTaken)
		f.want(got, standing)
		f.wantStored(standing)
	})

	for _, state := range []ledger.State{ledger.Done, ledger.Refused, ledger.Released} {
		s.test("Ended_"+string(state), func(f *fixture) {
			standing := f.mustComplete(Ended(f.mustClaim(Claimable("id", "attempt-1")), state))
			got, err := f.store.TakeOver(f.Context(), second, "attempt-1")
			f.wantErr(err, ledger.ErrTaken)
			f.want(got, standing)
			f.wantStored(standing)
		})
	}

	s.test("Absent", func(f *fixture) {
		got, err := f.store.TakeOver(f.Context(), second, "attempt-1")
		f.wantErr(err, ledger.ErrTaken)
		f.want(got, ledger.Transaction{})
		_, err = f.store.Transaction(f.Context(), "acme", "id")
		f.wantErr(err, ledger.ErrNotFound)
	})

	s.test("OneOfManyWins", func(f *fixture) {
		f.mustComplete(Ended(f.mustClaim(Claimable("id", "attempt-1")), ledger.Unknown))
		const attempts = 16
		var records [attempts]ledger.Transaction
		var errs [attempts]error
		together(attempts, func(i int) {
			records[i], errs[i] = f.store.TakeOver(f.Context(), Claimable("id", fmt.Sprint("late-", i)), "attempt-1")
		})
		winner := f.wantOneWinner(errs[:], ledger.ErrTaken)
		f.want([]any{records[winner].Attempt, records[winner].TakeOvers}, []any{fmt.Sprint("late-", winner), 1})
		for _, record := range records {
			f.want(record, records[winner])
		}
	})
}

// together runs f for 0 to n-1 at once.
func together(n int, f func(i int)) {
	var wg sync.WaitGroup
	begin := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-begin
			f(i)
		})
	}
	close(begin)
	wg.Wait()
}

// wantOneWinner returns the index of the one nil error; all others must be want.
func (f *fixture) wantOneWinner(errs []error, want error) (winner int) {
	f.Helper()
	winner = -1
	for i, err := range errs {
		switch {
		case err == nil && winner < 0:
			winner = i
		case !errors.Is(err, want):
			f.Fatalf("attempt %d: got error %v, attempt %d has won", i, err, winner)
		}
	}
	if winner < 0 {
		f.Fatal("nobody won")
	}
	return winner
}
