package ledgertest

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"time"

	"sallyport/shared/ledger"
)

// Startable returns a journey as a caller hands it to CreateJourney at Epoch.
func Startable(id string) ledger.Journey {
	return ledger.Journey{
		ID:          id,
		Tenant:      "acme",
		Type:        "aadhaar-otp",
		Status:      ledger.JourneyRunning,
		Fingerprint: "fingerprint-" + id,
		CreatedAt:   Epoch,
		UpdatedAt:   Epoch,
		Input:       []byte(`{"journey":"` + id + `"}`),
		Documents:   []string{"document-1"},
	}
}

// Waiting returns a journey that waits for an input.
func Waiting(j ledger.Journey) ledger.Journey {
	j.Status, j.UpdatedAt = ledger.JourneyWaiting, j.UpdatedAt.Add(time.Second)
	j.Awaiting = &ledger.Awaiting{
		ID: "wait-1", Kind: "otp", Accepts: []string{"otp", "resend"}, Token: "token", Record: "digit9/ecrn/1",
		AsOf:  j.UpdatedAt.Add(-time.Second),
		Since: j.UpdatedAt, ExpiresAt: j.UpdatedAt.Add(10 * time.Minute), Details: map[string]string{"attempts_left": "3"},
		Sealed: []byte{0, 1},
	}
	return j
}

// Finished returns a journey with its end: with every field set that such an end may have.
func Finished(j ledger.Journey, status ledger.JourneyStatus) ledger.Journey {
	j.Status, j.Reason, j.Awaiting = status, "reason-"+string(status), nil
	j.UpdatedAt = j.UpdatedAt.Add(time.Minute)
	j.EndedAt, j.ExpiresAt = j.UpdatedAt, j.UpdatedAt.Add(ledger.Retention)
	j.Refs = map[string]string{"transaction_id": "eq-1"}
	j.Outcome = []byte("sealed")
	j.Delivered, j.Wakes, j.WokenAt = []string{"event-1"}, 1, j.UpdatedAt
	j.Inputs = map[string]ledger.AcceptedInput{
		"wait-1": {Fingerprint: "fingerprint", Token: "token", Output: []byte(`{"kind":"otp"}`)},
	}
	return j
}

// listedJourney is a journey as a listing shows it.
func listedJourney(j ledger.Journey) ledger.Journey {
	j.Input, j.Inputs, j.Delivered, j.Outcome = nil, nil, nil, nil
	return j
}

func (f *fixture) mustCreate(key string, j ledger.Journey) ledger.Journey {
	f.Helper()
	got, err := f.store.CreateJourney(f.Context(), key, j)
	f.wantErr(err, nil)
	return got
}

func (f *fixture) mustUpdate(j ledger.Journey) ledger.Journey {
	f.Helper()
	got, err := f.store.UpdateJourney(f.Context(), j)
	f.wantErr(err, nil)
	return got
}

// wantJourney asserts that a read returns exactly this journey.
func (f *fixture) wantJourney(want ledger.Journey) {
	f.Helper()
	got, err := f.store.Journey(f.Context(), want.Tenant, want.ID)
	f.wantErr(err, nil)
	f.want(got, want)
}

func (f *fixture) wantNoJourney(tenant, id string) {
	f.Helper()
	got, err := f.store.Journey(f.Context(), tenant, id)
	f.wantErr(err, ledger.ErrNotFound)
	f.want(got, ledger.Journey{})
}

func version(j ledger.Journey, version int) ledger.Journey {
	j.Version = version
	return j
}

func (s suite) journeyOf() {
	of := func(f *fixture, key string, want error) ledger.Journey {
		f.Helper()
		got, err := f.store.JourneyOf(f.Context(), key)
		f.wantErr(err, want)
		return got
	}
	s.test("Absent", func(f *fixture) {
		f.mustCreate("key", Startable("id"))
		f.want(of(f, "another key", ledger.ErrNotFound), ledger.Journey{})
	})
	s.test("AsItStands", func(f *fixture) {
		j := f.mustUpdate(Waiting(f.mustCreate("key", Startable("id"))))
		f.want(of(f, "key", nil), j)
	})
	s.test("Expired", func(f *fixture) {
		j := f.mustUpdate(Finished(f.mustCreate("key", Startable("id")), ledger.JourneyFailed))
		f.setClock(j.ExpiresAt.Add(-1))
		f.want(of(f, "key", nil), j)
		f.setClock(j.ExpiresAt)
		f.want(of(f, "key", ledger.ErrNotFound), ledger.Journey{})
	})
}

func (s suite) createJourney() {
	s.test("Absent", func(f *fixture) {
		j := Startable("id")
		j.Version = 7 // is not asked
		f.want(f.mustCreate("key", j), version(j, 1))
		f.wantJourney(version(j, 1))
		f.mustCreate("another key", Startable("another"))
		f.wantJourney(version(j, 1))
	})

	s.test("Taken", func(f *fixture) {
		standing := f.mustCreate("key", Startable("id"))
		for _, change := range []func(ledger.Journey) ledger.Journey{
			func(j ledger.Journey) ledger.Journey { return j },
			Waiting,
			func(j ledger.Journey) ledger.Journey { return Finished(j, ledger.JourneyRejected) },
		} {
			standing = f.mustUpdate(change(standing))
			late := Startable("late")
			late.Type, late.Input = "another", nil
			got, err := f.store.CreateJourney(f.Context(), "key", late)
			f.wantErr(err, ledger.ErrTaken)
			f.want(got, standing)
			f.wantJourney(standing)
			f.wantNoJourney("acme", "late")
		}
	})

	s.test("SentAgain", func(f *fixture) {
		j := Startable("id")
		f.want(f.mustCreate("key", j), f.mustCreate("key", j))
		standing := f.mustUpdate(Waiting(version(j, 1))) // the execution may be ahead of who started it
		f.want(f.mustCreate("key", j), standing)
		f.wantJourney(standing)
	})

	s.test("Expired", func(f *fixture) {
		old := f.mustUpdate(Finished(f.mustCreate("key", Startable("old")), ledger.JourneyFailed))
		young := Startable("young")
		young.CreatedAt = old.ExpiresAt.Add(-1)
		got, err := f.store.CreateJourney(f.Context(), "key", young)
		f.wantErr(err, ledger.ErrTaken)
		f.want(got, old)
		f.wantNoJourney("acme", "young")

		young.CreatedAt = old.ExpiresAt
		f.want(f.mustCreate("key", young), version(young, 1))
		f.wantJourney(version(young, 1))
		f.want(f.mustCreate("key", young), version(young, 1))

		again := Startable("old") // a late copy of the first write
		again.CreatedAt = young.CreatedAt
		got, err = f.store.CreateJourney(f.Context(), "key", again)
		f.wantErr(err, ledger.ErrTaken)
		f.want(got, version(young, 1))
	})

	s.test("ExpiredWithTheSameID", func(f *fixture) {
		old := f.mustUpdate(Finished(f.mustCreate("key", Startable("id")), ledger.JourneyFailed))
		j := Startable("id")
		j.CreatedAt = old.ExpiresAt
		f.want(f.mustCreate("key", j), version(j, 1))
		f.setClock(old.ExpiresAt)
		f.wantJourney(version(j, 1))
		f.want(f.walkJourneys(ledger.JourneyQuery{Tenant: "acme", Limit: 1}), []ledger.Journey{listedJourney(version(j, 1))})
	})

	s.test("NeverExpiresBeforeItsEnd", func(f *fixture) {
		standing := f.mustCreate("key", Startable("id"))
		late := Startable("late")
		late.CreatedAt = Epoch.Add(100 * ledger.Retention)
		got, err := f.store.CreateJourney(f.Context(), "key", late)
		f.wantErr(err, ledger.ErrTaken)
		f.want(got, standing)
	})

	s.test("IDOfAnotherKey", func(f *fixture) {
		standing := f.mustCreate("key", Startable("id"))
		for range 2 {
			got, err := f.store.CreateJourney(f.Context(), "another key", Startable("id"))
			if err == nil || err == ledger.ErrTaken {
				f.Fatalf("got error %v", err)
			}
			f.want(got, ledger.Journey{})
			f.wantJourney(standing)
		}
		free := Startable("free")
		f.want(f.mustCreate("another key", free), version(free, 1))
	})

	for _, expired := range []bool{false, true} {
		s.test(fmt.Sprintf("OneOfManyWins_Expired_%t", expired), func(f *fixture) {
			now := Epoch
			if expired {
				now = f.mustUpdate(Finished(f.mustCreate("key", Startable("old")), ledger.JourneyFailed)).ExpiresAt
				f.setClock(now)
			}
			const creates = 100
			var journeys [creates]ledger.Journey
			var errs [creates]error
			together(creates, func(i int) {
				j := Startable(fmt.Sprint("id-", i))
				j.CreatedAt = now
				journeys[i], errs[i] = f.store.CreateJourney(f.Context(), "key", j)
			})
			winner := f.wantOneWinner(errs[:], ledger.ErrTaken)
			f.want(journeys[winner].ID, fmt.Sprint("id-", winner))
			for _, j := range journeys {
				f.want(j, journeys[winner])
			}
			f.want(
				f.walkJourneys(ledger.JourneyQuery{Tenant: "acme", Limit: 10}), []ledger.Journey{listedJourney(journeys[winner])},
			)
		})
	}
}

func (s suite) updateJourney() {
	s.test("EveryVersion", func(f *fixture) {
		j := f.mustCreate("key", Startable("id"))
		for i, next := range []ledger.Journey{
			Waiting(j), j, Finished(Waiting(j), ledger.JourneyReview), version(Startable("id"), 0),
		} {
			next.Version = i + 1
			f.want(f.mustUpdate(next), version(next, i+2))
			f.wantJourney(version(next, i+2))
		}
	})

	s.test("Stale", func(f *fixture) {
		first := f.mustCreate("key", Startable("id"))
		standing := f.mustUpdate(Waiting(first))
		for _, of := range []int{-1, 0, 1, 3} {
			got, err := f.store.UpdateJourney(f.Context(), Finished(version(first, of), ledger.JourneyCancelled))
			f.wantErr(err, ledger.ErrStale)
			f.want(got, standing)
		}
		f.wantJourney(standing)
	})

	s.test("SentAgain", func(f *fixture) {
		first := f.mustCreate("key", Startable("id"))
		write := Finished(first, ledger.JourneySucceeded)
		write.Inputs["empty"], write.Documents = ledger.AcceptedInput{Output: []byte{}}, []string{} // are stored as nil
		standing := f.mustUpdate(write)
		f.want(f.mustUpdate(write), standing)
		f.wantJourney(standing)

		write.EndedAt = write.EndedAt.In(time.FixedZone("IST", 5*3600+1800))
		f.want(f.mustUpdate(write), standing)
		write.Outcome = append(write.Outcome, 'x')
		got, err := f.store.UpdateJourney(f.Context(), write)
		f.wantErr(err, ledger.ErrStale)
		f.want(got, standing)
	})

	s.test("SentAgainAfterAnother", func(f *fixture) {
		write := Waiting(f.mustCreate("key", Startable("id")))
		standing := f.mustUpdate(Finished(f.mustUpdate(write), ledger.JourneyExpired))
		got, err := f.store.UpdateJourney(f.Context(), write)
		f.wantErr(err, ledger.ErrStale)
		f.want(got, standing)
	})

	s.test("Absent", func(f *fixture) {
		for _, of := range []int{-1, 0, 1} {
			got, err := f.store.UpdateJourney(f.Context(), version(Startable("id"), of))
			f.wantErr(err, ledger.ErrStale)
			f.want(got, ledger.Journey{})
			f.wantNoJourney("acme", "id")
		}
	})

	s.test("OneOfManyWins", func(f *fixture) {
		first := f.mustCreate("key", Startable("id"))
		const updates = 32
		var journeys [updates]ledger.Journey
		var errs [updates]error
		together(updates, func(i int) {
			j := first
			j.Reason = fmt.Sprint("reason-", i)
			journeys[i], errs[i] = f.store.UpdateJourney(f.Context(), j)
		})
		winner := f.wantOneWinner(errs[:], ledger.ErrStale)
		f.want([]any{journeys[winner].Reason, journeys[winner].Version}, []any{fmt.Sprint("reason-", winner), 2})
		for _, j := range journeys {
			f.want(j, journeys[winner])
		}
	})

	s.test("NothingIsLost", func(f *fixture) {
		f.mustCreate("key", Startable("id"))
		const writers = 8
		errs := make([]error, writers)
		together(writers, func(i int) {
			for {
				j, err := f.store.Journey(f.Context(), "acme", "id")
				if err != nil {
					errs[i] = err
					return
				}
				if j.Refs == nil {
					j.Refs = map[string]string{}
				}
				j.Refs[fmt.Sprint(i)] = "added"
				if _, errs[i] = f.store.UpdateJourney(f.Context(), j); errs[i] != ledger.ErrStale {
					return
				}
			}
		})
		for _, err := range errs {
			f.wantErr(err, nil)
		}
		got, err := f.store.Journey(f.Context(), "acme", "id")
		f.wantErr(err, nil)
		f.want([]int{got.Version, len(got.Refs)}, []int{1 + writers, writers})
	})
}

func (s suite) journey() {
	s.test("Absent", func(f *fixture) {
		f.wantNoJourney("acme", "id")
		f.mustClaim(Claimable("id", "attempt-1")) // a transaction is no journey
		f.wantNoJourney("acme", "id")
	})

	s.test("AnotherTenant", func(f *fixture) {
		f.mustCreate("key", Startable("id"))
		for _, tenant := range []string{"globex", "", "ACME", "acme "} {
			f.wantNoJourney(tenant, "id")
		}
	})

	s.test("Expired", func(f *fixture) {
		j := f.mustUpdate(Finished(f.mustCreate("key", Startable("id")), ledger.JourneyRejected))
		f.setClock(j.ExpiresAt.Add(-1))
		f.wantJourney(j)
		for _, later := range []time.Duration{0, 1, ledger.Retention} {
			f.setClock(j.ExpiresAt.Add(later))
			f.wantNoJourney("acme", "id")
		}
	})

	s.test("NeverExpiresBeforeItsEnd", func(f *fixture) {
		j := f.mustCreate("key", Startable("id"))
		f.setClock(Epoch.Add(100 * ledger.Retention))
		f.wantJourney(j)
		f.want(f.walkJourneys(ledger.JourneyQuery{Tenant: "acme", Limit: 1}), []ledger.Journey{listedJourney(j)})
	})

	s.test("EveryField", func(f *fixture) {
		r := rand.New(rand.NewPCG(7, 8))
		for i := range 50 {
			var j ledger.Journey
			fill(r, reflect.ValueOf(&j).Elem())
			j.ExpiresAt = Epoch.Add(ledger.Retention + j.ExpiresAt.Sub(Epoch).Abs())
			for v, i := reflect.ValueOf(j), 0; i < v.NumField(); i++ {
				if v.Field(i).IsZero() {
					f.Fatalf("%s is not set", v.Type().Field(i).Name)
				}
			}
			f.want(f.mustCreate(fmt.Sprint("key-", i), j), version(j, 1))
			f.wantJourney(version(j, 1))
			page, err := f.store.Journeys(
				f.Context(), ledger.JourneyQuery{Tenant: j.Tenant, Type: j.Type, Status: j.Status, Limit: 1},
			)
			f.wantErr(err, nil)
			f.want(page.Journeys, []ledger.Journey{listedJourney(version(j, 1))})

			next := version(j, 1)
			fill(r, reflect.ValueOf(&next.Awaiting).Elem())
			fill(r, reflect.ValueOf(&next.Inputs).Elem())
			f.want(f.mustUpdate(next), version(next, 2))
			f.wantJourney(version(next, 2))
		}
	})

	s.test("ZeroFields", func(f *fixture) {
		want := ledger.Journey{ID: "id", Tenant: "acme", Version: 1}
		f.want(f.mustCreate("key", want), want)
		f.wantJourney(want)
		want.Awaiting = &ledger.Awaiting{}
		f.want(f.mustUpdate(want), version(want, 2))
		f.wantJourney(version(want, 2))
	})

	s.test("EmptyIsNil", func(f *fixture) {
		none := map[string]string{}
		j := ledger.Journey{
			ID: "id", Tenant: "acme", Input: []byte{}, Outcome: []byte{}, Refs: none, Documents: []string{},
			Delivered: []string{},
			Awaiting:  &ledger.Awaiting{Accepts: []string{}, Details: none},
			Inputs:    map[string]ledger.AcceptedInput{"a": {Output: []byte{}}},
		}
		want := ledger.Journey{
			ID: "id", Tenant: "acme", Version: 1, Awaiting: &ledger.Awaiting{}, Inputs: map[string]ledger.AcceptedInput{"a": {}},
		}
		f.want(f.mustCreate("key", j), want)
		f.wantJourney(want)
		j.Inputs, want.Inputs = map[string]ledger.AcceptedInput{}, nil
		f.want(f.mustUpdate(version(j, 1)), version(want, 2))
		f.wantJourney(version(want, 2))
	})

	s.test("NothingIsShared", func(f *fixture) {
		j := Finished(Startable("id"), ledger.JourneySucceeded)
		want := version(Finished(Startable("id"), ledger.JourneySucceeded), 1)
		got := f.mustCreate("key", j)
		for _, touched := range []ledger.Journey{j, got} {
			touched.Refs["transaction_id"], touched.Outcome[0], touched.Documents[0] = "x", 'x', "x"
			touched.Inputs["wait-1"].Output[0] = 'x'
		}
		f.wantJourney(want)
	})
}

// listedJourneys fills a store with the journeys of three tenants and with transactions, and returns acme's journeys
// as they are listed, the newest first.
func listedJourneys(f *fixture) (acmes []ledger.Journey) {
	types := []string{"aadhaar-otp", "iec-verification", "client-onboarding"}
	statuses := []ledger.JourneyStatus{
		ledger.JourneySucceeded, ledger.JourneyFailed, ledger.JourneyReview, ledger.JourneyRunning,
	}
	for _, tenant := range []string{"acme", "acme2", "ac"} {
		for i := range 20 {
			j := Startable(fmt.Sprintf("%s-%02d", tenant, (i*7)%20))
			j.Tenant, j.Type = tenant, types[i%3]
			j.CreatedAt = Epoch.Add(time.Duration((i*3)%20/3) * 7 * time.Nanosecond)
			j = f.mustCreate("key of "+j.ID, Waiting(j))
			if status := statuses[i%4]; status.Ended() {
				j = f.mustUpdate(Finished(j, status))
			}
			if tenant == "acme" {
				acmes = append(acmes, listedJourney(j))
			}
		}
	}
	listed(f)
	slices.SortFunc(acmes, func(a, b ledger.Journey) int {
		if c := b.CreatedAt.Compare(a.CreatedAt); c != 0 {
			return c
		}
		return strings.Compare(b.ID, a.ID)
	})
	return acmes
}

func (f *fixture) mustListJourneys(q ledger.JourneyQuery) ledger.JourneyPage {
	f.Helper()
	page, err := f.store.Journeys(f.Context(), q)
	f.wantErr(err, nil)
	return page
}

// walkJourneys returns all pages of a query, each of which but the last must be full.
func (f *fixture) walkJourneys(q ledger.JourneyQuery) (all []ledger.Journey) {
	f.Helper()
	for {
		page := f.mustListJourneys(q)
		all = append(all, page.Journeys...)
		if page.Next == "" {
			return all
		}
		if len(page.Journeys) != q.Limit {
			f.Fatalf("a page of %d with limit %d has a next one", len(page.Journeys), q.Limit)
		}
		q.Cursor = page.Next
	}
}

func (s suite) journeys() {
	s.test("None", func(f *fixture) {
		f.want(f.mustListJourneys(ledger.JourneyQuery{Tenant: "acme", Limit: 10}), ledger.JourneyPage{})
		listedJourneys(f)
		f.want(f.mustListJourneys(ledger.JourneyQuery{Tenant: "globex", Limit: 10}), ledger.JourneyPage{})
		f.want(f.mustListJourneys(ledger.JourneyQuery{Tenant: "acme", Type: "aadhaar", Limit: 10}), ledger.JourneyPage{})
		f.want(
			f.mustListJourneys(ledger.JourneyQuery{Tenant: "acme", Status: ledger.JourneyCancelled, Limit: 10}),
			ledger.JourneyPage{},
		)
	})

	s.test("EveryLimit", func(f *fixture) {
		want := listedJourneys(f)
		for limit := 1; limit <= len(want)+1; limit++ {
			f.want(f.walkJourneys(ledger.JourneyQuery{Tenant: "acme", Limit: limit}), want)
		}
	})

	s.test("LimitOutOfRange", func(f *fixture) {
		want := listedJourneys(f)
		f.want(f.mustListJourneys(ledger.JourneyQuery{Tenant: "acme"}).Journeys, want[:1])
		f.want(f.mustListJourneys(ledger.JourneyQuery{Tenant: "acme", Limit: -1}).Journeys, want[:1])
		f.want(f.mustListJourneys(ledger.JourneyQuery{Tenant: "acme", Limit: 1 << 40}).Journeys, want)
	})

	s.test("Filters", func(f *fixture) {
		all := listedJourneys(f)
		for _, typ := range []string{"", "aadhaar-otp", "client-onboarding"} {
			for _, status := range []ledger.JourneyStatus{"", ledger.JourneyWaiting, ledger.JourneyReview} {
				want := slices.DeleteFunc(slices.Clone(all), func(j ledger.Journey) bool {
					return typ != "" && j.Type != typ || status != "" && j.Status != status
				})
				for limit := 1; limit <= len(want)+1; limit++ {
					f.want(f.walkJourneys(ledger.JourneyQuery{Tenant: "acme", Type: typ, Status: status, Limit: limit}), want)
				}
			}
		}
	})

	s.test("WrittenMeanwhile", func(f *fixture) {
		want := listedJourneys(f)
		page := f.mustListJourneys(ledger.JourneyQuery{Tenant: "acme", Limit: 5})
		newer := Startable("newer")
		newer.CreatedAt = Epoch.Add(time.Hour)
		f.mustCreate("newer", newer)
		rest := f.walkJourneys(ledger.JourneyQuery{Tenant: "acme", Limit: 5, Cursor: page.Next})
		f.want(append(page.Journeys, rest...), want)
	})

	s.test("Expired", func(f *fixture) {
		all := listedJourneys(f)
		f.setClock(Epoch.Add(2 * ledger.Retention))
		want := slices.DeleteFunc(slices.Clone(all), func(j ledger.Journey) bool { return j.Status.Ended() })
		for _, limit := range []int{1, 3, len(all)} {
			f.want(f.walkJourneys(ledger.JourneyQuery{Tenant: "acme", Limit: limit}), want)
		}
	})

	s.test("ApartFromTransactions", func(f *fixture) {
		j := f.mustCreate("key", Startable("id"))
		t := f.mustClaim(Claimable("id", "attempt-1"))
		f.want(f.walkJourneys(ledger.JourneyQuery{Tenant: "acme", Limit: 1}), []ledger.Journey{listedJourney(j)})
		f.want(f.walk(ledger.Query{Tenant: "acme", Limit: 1}), []ledger.Transaction{t})
	})
}

func (s suite) journeyCursor() {
	s.test("OfAnotherQuery", func(f *fixture) {
		listedJourneys(f)
		queries := []ledger.JourneyQuery{
			{Tenant: "acme", Limit: 2},
			{Tenant: "acme2", Limit: 2},
			{Tenant: "globex", Limit: 2},
			{Tenant: "acme", Type: "iec-verification", Limit: 2},
			{Tenant: "acme", Status: ledger.JourneyFailed, Limit: 2},
			{Tenant: "acme", Type: "iec-verification", Status: ledger.JourneyFailed, Limit: 1},
		}
		for i, q := range queries {
			next := f.mustListJourneys(q).Next
			for j, other := range queries {
				if i == j || next == "" {
					continue
				}
				other.Cursor = next
				page, err := f.store.Journeys(f.Context(), other)
				f.wantErr(err, ledger.ErrBadCursor)
				f.want(page, ledger.JourneyPage{})
			}
		}
	})

	s.test("OfTransactions", func(f *fixture) {
		listedJourneys(f)
		_, err := f.store.Journeys(f.Context(), ledger.JourneyQuery{
			Tenant: "acme", Limit: 2, Cursor: f.mustList(ledger.Query{Tenant: "acme", Limit: 2}).Next,
		})
		f.wantErr(err, ledger.ErrBadCursor)
		_, err = f.store.Transactions(f.Context(), ledger.Query{
			Tenant: "acme", Limit: 2, Cursor: f.mustListJourneys(ledger.JourneyQuery{Tenant: "acme", Limit: 2}).Next,
		})
		f.wantErr(err, ledger.ErrBadCursor)
	})

	s.test("Altered", func(f *fixture) {
		listedJourneys(f)
		q := ledger.JourneyQuery{Tenant: "acme", Limit: 2}
		for _, q.Cursor = range altered(f.mustListJourneys(q).Next) {
			page, err := f.store.Journeys(f.Context(), q)
			f.wantErr(err, ledger.ErrBadCursor)
			f.want(page, ledger.JourneyPage{})
		}
	})
}

func (s suite) journeyTransactions() {
	step := func(id, journey string, at time.Duration) ledger.Transaction {
		t := Claimable(id, "attempt-1")
		t.Journey, t.Step, t.ClaimedAt = journey, "Step of "+id, Epoch.Add(at)
		return t
	}
	want := func(f *fixture, want ...ledger.Transaction) {
		f.Helper()
		got, err := f.store.JourneyTransactions(f.Context(), "acme", "journey")
		f.wantErr(err, nil)
		for i := range want {
			want[i].Reply = nil
		}
		f.want(got, slices.Clip(want))
	}

	s.test("None", func(f *fixture) {
		f.mustClaim(Claimable("id", "attempt-1"))
		want(f)
		got, err := f.store.JourneyTransactions(f.Context(), "acme", "") // is not the journey of those without
		f.wantErr(err, nil)
		f.want(got, []ledger.Transaction(nil))
	})

	s.test("OldestFirst", func(f *fixture) {
		var all []ledger.Transaction
		for _, i := range []int{3, 0, 4, 1, 2} {
			t := Ended(step(fmt.Sprint("id-", i), "journey", time.Duration(i/2)*time.Nanosecond), ledger.Done)
			f.mustRecord(t)
			all = append(all, t)
			f.mustRecord(step(fmt.Sprint("another-", i), "journey-2", 0))
			f.mustRecord(Claimable(fmt.Sprint("without-", i), ""))
		}
		slices.SortFunc(all, func(a, b ledger.Transaction) int { return strings.Compare(a.ID, b.ID) })
		want(f, all...)
	})

	s.test("ThroughItsLife", func(f *fixture) {
		t := f.mustClaim(step("id", "journey", 0))
		f.want([]string{t.Journey, t.Step}, []string{"journey", "Step of id"})
		want(f, t)
		t = f.mustTakeOver(Claimable("id", "attempt-2"), "attempt-1")
		f.want([]string{t.Journey, t.Step}, []string{"journey", "Step of id"})
		want(f, t)
		t = f.mustComplete(Ended(t, ledger.Released))
		want(f, t)

		again := step("id", "journey", time.Hour)
		again.Attempt = "attempt-3"
		t = f.mustClaim(again)
		want(f, t)
		f.mustComplete(Ended(t, ledger.Released))

		t = f.mustClaim(Claimable("id", "attempt-4")) // by a caller over HTTP
		f.want([]string{t.Journey, t.Step}, []string{"", ""})
		f.wantStored(t)
		want(f)
	})

	s.test("AnotherTenant", func(f *fixture) {
		t := step("id", "journey", 0)
		t.Tenant = "globex"
		f.mustClaim(t)
		want(f)
	})

	s.test("Expired", func(f *fixture) {
		old := f.mustComplete(Ended(f.mustClaim(step("old", "journey", 0)), ledger.Done))
		young := f.mustComplete(Ended(f.mustClaim(step("young", "journey", time.Hour)), ledger.Done))
		f.setClock(old.ExpiresAt.Add(-1))
		want(f, old, young)
		f.setClock(old.ExpiresAt)
		want(f, young)
	})

	s.test("AtMostMaxSteps", func(f *fixture) {
		var all []ledger.Transaction
		for i := range ledger.MaxSteps + 1 {
			t := step(fmt.Sprint("id-", i), "journey", time.Duration(i)*time.Second)
			t = Ended(t, ledger.Done)
			f.mustRecord(t)
			all = append(all, t)
		}
		want(f, all[:ledger.MaxSteps]...)
		f.setClock(all[0].ExpiresAt)
		want(f, all[1:]...)
	})
}
