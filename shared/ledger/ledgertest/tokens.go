package ledgertest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"time"

	"sallyport/shared/ledger"
)

// Leased returns the record of a token that nobody had and that somebody is to issue, as of Epoch.
func Leased(id, holder string) ledger.Token {
	return ledger.Token{
		ID: id, Version: 1, Holder: holder, Lease: Epoch.Add(15 * time.Second), ExpiresAt: Epoch.Add(time.Hour),
	}
}

// Renewed returns the version of a token's record that follows t and has a token.
func Renewed(t ledger.Token, sealed string) ledger.Token {
	t.Version, t.Sealed, t.Holder, t.Lease = t.Version+1, []byte(sealed), "", time.Time{}
	return t
}

func (f *fixture) mustPutToken(t ledger.Token) ledger.Token {
	f.Helper()
	got, err := f.store.PutToken(f.Context(), t)
	f.wantErr(err, nil)
	f.want(got, t)
	return got
}

// wantStale asserts that a write does not happen and is answered with the record as it stands.
func (f *fixture) wantStale(t, standing ledger.Token) {
	f.Helper()
	got, err := f.store.PutToken(f.Context(), t)
	f.wantErr(err, ledger.ErrStale)
	f.want(got, standing)
	if standing.Version > 0 {
		f.wantToken(standing)
	} else {
		f.wantNoToken(t.ID)
	}
}

func (f *fixture) wantToken(want ledger.Token) {
	f.Helper()
	got, err := f.store.Token(f.Context(), want.ID)
	f.wantErr(err, nil)
	f.want(got, want)
}

func (f *fixture) wantNoToken(id string) {
	f.Helper()
	got, err := f.store.Token(f.Context(), id)
	f.wantErr(err, ledger.ErrNotFound)
	f.want(got, ledger.Token{})
}

func (s suite) token() {
	s.test("Absent", func(f *fixture) {
		f.wantNoToken("id")
		t := f.mustPutToken(Leased("another", "a"))
		f.wantNoToken("id")
		f.wantNoToken("")
		f.wantToken(t)
	})

	s.test("Expired", func(f *fixture) {
		t := f.mustPutToken(Leased("id", "a"))
		f.setClock(t.ExpiresAt.Add(-1))
		f.wantToken(t)
		f.setClock(t.ExpiresAt)
		f.wantNoToken("id")
	})

	s.test("RoundTrip", func(f *fixture) {
		r := rand.New(rand.NewPCG(7, 8))
		for i := range 50 {
			var t ledger.Token
			fill(r, reflect.ValueOf(&t).Elem())
			t.ID, t.Version = fmt.Sprint(t.ID, i), 1
			f.mustPutToken(t)
			f.wantToken(t)
		}
	})

	s.test("NothingIsShared", func(f *fixture) {
		t := Leased("id", "a")
		t.Sealed = []byte("sealed")
		got, err := f.store.PutToken(f.Context(), t)
		f.wantErr(err, nil)
		t.Sealed[0], got.Sealed[1] = 'x', 'x'
		t.Sealed = []byte("sealed")
		f.wantToken(t)
	})
}

func (s suite) putToken() {
	s.test("ThroughItsLife", func(f *fixture) {
		t := f.mustPutToken(Leased("id", "a"))
		for i := range 5 {
			t = f.mustPutToken(Renewed(t, fmt.Sprint("sealed-", i)))
			f.wantToken(t)
			t.Version, t.Holder, t.Lease = t.Version+1, fmt.Sprint(i), Epoch.Add(time.Minute)
			f.mustPutToken(t)
			f.wantToken(t)
		}
	})

	s.test("OfAnotherVersion", func(f *fixture) {
		for _, version := range []int{-1, 0, 2, 3} {
			t := Leased("absent", "a")
			t.Version = version
			f.wantStale(t, ledger.Token{})
		}
		standing := f.mustPutToken(Renewed(f.mustPutToken(Leased("id", "a")), "sealed"))
		for _, version := range []int{-1, 0, 1, 2, 4} {
			t := Leased("id", "b")
			t.Version = version
			f.wantStale(t, standing)
		}
	})

	s.test("SentAgain", func(f *fixture) {
		lease := Leased("id", "a")
		f.mustPutToken(lease)
		f.mustPutToken(lease)
		f.wantToken(lease)
		renewed := Renewed(lease, "sealed")
		f.mustPutToken(renewed)
		f.mustPutToken(renewed)
		f.wantStale(lease, renewed)
	})

	s.test("NearlySentAgain", func(f *fixture) {
		standing := Leased("id", "a")
		standing.Sealed = []byte("sealed")
		f.mustPutToken(standing)
		for _, change := range []func(*ledger.Token){
			func(t *ledger.Token) { t.Holder = "b" },
			func(t *ledger.Token) { t.Holder = "" },
			func(t *ledger.Token) { t.Sealed = []byte("another") },
			func(t *ledger.Token) { t.Sealed = nil },
			func(t *ledger.Token) { t.Lease = t.Lease.Add(1) },
			func(t *ledger.Token) { t.ExpiresAt = t.ExpiresAt.Add(1) },
		} {
			another := standing
			change(&another)
			f.wantStale(another, standing)
		}
	})

	s.test("Expired", func(f *fixture) {
		old := f.mustPutToken(Renewed(f.mustPutToken(Leased("id", "a")), "sealed"))
		next := Leased("id", "b")
		next.ExpiresAt = old.ExpiresAt.Add(time.Hour)
		f.setClock(old.ExpiresAt.Add(-1))
		f.wantStale(next, old)

		f.setClock(old.ExpiresAt)
		late := Renewed(old, "late")
		late.ExpiresAt = next.ExpiresAt
		f.wantStale(late, ledger.Token{})
		f.wantStale(old, ledger.Token{})
		f.mustPutToken(next)
		f.wantToken(next)
	})

	s.test("NeverExpiresWithoutAnExpiry", func(f *fixture) {
		t := Leased("id", "a")
		t.ExpiresAt = time.Time{}
		f.mustPutToken(t)
		f.setClock(Epoch.Add(100 * ledger.Retention))
		f.wantStale(Leased("id", "b"), t)
		f.wantToken(f.mustPutToken(Renewed(t, "sealed")))
	})

	for _, before := range []string{"Absent", "Expired", "Lapsed"} {
		s.test("OneOfManyWins_"+before, func(f *fixture) {
			t := Leased("id", "old")
			if before != "Absent" {
				f.mustPutToken(t)
			}
			switch before {
			case "Expired":
				f.setClock(t.ExpiresAt)
				t.ExpiresAt = t.ExpiresAt.Add(time.Hour)
			case "Lapsed":
				f.setClock(t.Lease)
				t.Version++
			}
			const puts = 100
			var got [puts]ledger.Token
			var errs [puts]error
			together(puts, func(i int) {
				mine := t
				mine.Holder = fmt.Sprint("holder-", i)
				got[i], errs[i] = f.store.PutToken(f.Context(), mine)
			})
			winner := f.wantOneWinner(errs[:], ledger.ErrStale)
			f.want(got[winner].Holder, fmt.Sprint("holder-", winner))
			for _, t := range got {
				f.want(t, got[winner])
			}
			f.wantToken(got[winner])
		})
	}

	s.test("Context", func(f *fixture) {
		ctx, cancel := context.WithCancel(f.Context())
		cancel()
		_, err := f.store.PutToken(ctx, Leased("id", "a"))
		f.wantErr(err, context.Canceled)
		f.wantNoToken("id")
		_, err = f.store.Token(ctx, "id")
		f.wantErr(err, context.Canceled)
	})
}
