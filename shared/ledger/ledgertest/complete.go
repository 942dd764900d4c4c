package ledgertest

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"reflect"
	"strconv"
	"time"

	"sallyport/shared/ledger"
)

var ends = []ledger.State{ledger.Done, ledger.Refused, ledger.Released, ledger.Unknown}

func (s suite) complete() {
	for _, state := range ends {
		s.test("Claimed_"+string(state), func(f *fixture) {
			t := Ended(f.mustClaim(Claimable("id", "attempt-1")), state)
			f.want(f.mustComplete(t), t)
			f.wantStored(t)
		})
		s.test("UnknownOfTheSameAttempt_"+string(state), func(f *fixture) {
			t := f.mustClaim(Claimable("id", "attempt-1"))
			f.mustComplete(Ended(t, ledger.Unknown))
			t = Ended(t, state)
			t.EndedAt, t.Refs = t.EndedAt.Add(time.Hour), nil
			f.want(f.mustComplete(t), t)
			f.wantStored(t)
		})
		s.test("SentAgain_"+string(state), func(f *fixture) {
			t := Ended(f.mustClaim(Claimable("id", "attempt-1")), state)
			t.Owns = "equal/transaction/eq-1"
			f.mustComplete(t)
			f.want(f.mustComplete(t), t)
			f.wantStored(t)
		})
		s.test("FencedByTakeOver_"+string(state), func(f *fixture) {
			late := Ended(f.mustClaim(Claimable("id", "attempt-1")), state)
			late.Owns = "equal/transaction/eq-1"
			standing := f.mustTakeOver(Claimable("id", "attempt-2"), "attempt-1")
			f.wantFenced(late, standing)
			standing = f.mustComplete(Ended(standing, state))
			f.wantFenced(late, standing)
		})
	}

	s.test("FencedByLaterGeneration", func(f *fixture) {
		late := f.mustClaim(Claimable("id", "attempt-1"))
		f.mustComplete(Ended(late, ledger.Released))
		standing := f.mustClaim(Claimable("id", "attempt-2"))
		f.wantFenced(Ended(late, ledger.Released), standing)
	})

	for _, standing := range []ledger.State{ledger.Done, ledger.Refused, ledger.Released} {
		for _, state := range ends {
			if state == standing {
				continue
			}
			s.test("FencedByItsOwnEnd_"+string(standing)+"_"+string(state), func(f *fixture) {
				t := f.mustClaim(Claimable("id", "attempt-1"))
				f.wantFenced(Ended(t, state), f.mustComplete(Ended(t, standing)))
			})
		}
	}

	s.test("Absent", func(f *fixture) {
		for _, owns := range []string{"", "equal/transaction/eq-1"} {
			t := Ended(Claimable("id", "attempt-1"), ledger.Done)
			t.Owns = owns
			got, err := f.store.Complete(f.Context(), t)
			f.wantErr(err, ledger.ErrFenced)
			f.want(got, ledger.Transaction{})
			_, err = f.store.Transaction(f.Context(), "acme", "id")
			f.wantErr(err, ledger.ErrNotFound)
		}
	})
}

// wantFenced asserts that late is refused and leaves no trace, unless it be who owns what it had created.
func (f *fixture) wantFenced(late, standing ledger.Transaction) {
	f.Helper()
	got, err := f.store.Complete(f.Context(), late)
	f.wantErr(err, ledger.ErrFenced)
	f.want(got, standing)
	f.wantStored(standing)
	if late.Owns != "" {
		owner, err := f.store.Owner(f.Context(), late.Owns)
		f.wantErr(err, nil)
		if owner.Tenants != nil {
			f.want(owner, ledger.Owner{Tenants: []string{late.Tenant}, Call: late.Call()})
		}
	}
}

func (s suite) owners() {
	const record = "equal/transaction/eq-1"
	create := func(f *fixture, id, tenant string) {
		t := Claimable(id, "attempt-1")
		t.Tenant = tenant
		t = Ended(f.mustClaim(t), ledger.Done)
		t.Owns = record
		f.want(f.mustComplete(t), t)
		f.wantStored(t)
	}
	s.test("Nobody", func(f *fixture) {
		f.mustComplete(Ended(f.mustClaim(Claimable("id", "attempt-1")), ledger.Done))
		for _, name := range []string{record, ""} {
			got, err := f.store.Owner(f.Context(), name)
			f.wantErr(err, nil)
			f.want(got, ledger.Owner{})
		}
	})
	s.test("OneTenant", func(f *fixture) {
		create(f, "id-1", "globex")
		create(f, "id-2", "globex")
		t := Claimable("id-3", "attempt-1")
		t = Ended(f.mustClaim(t), ledger.Done)
		standing, err := f.store.Transaction(f.Context(), "acme", "id-3")
		f.wantErr(err, nil)
		t.Owns, t.Aliases = record, []string{"equal/alias/1"}
		_, err = f.store.Complete(f.Context(), t)
		f.wantErr(err, ledger.ErrOwned)
		f.wantStored(standing)
		f.wantOwners("equal/alias/1")
		for _, now := range []time.Time{Epoch, Epoch.Add(10 * ledger.Retention)} { // owning does not expire
			f.setClock(now)
			f.wantOwners(record, "globex")
		}
	})
	s.test("Aliases", func(f *fixture) { // one that is another's stays so
		t := Ended(f.mustClaim(Claimable("id-1", "attempt-1")), ledger.Done)
		t.Owns, t.Aliases = record, []string{"equal/alias/1", "equal/alias/2"}
		f.wantErr(f.store.PutOwner(f.Context(), "equal/alias/1", "globex"), nil)
		stored := f.mustComplete(t)
		t.Aliases = nil
		f.want(stored, t)
		f.wantStored(t)
		f.wantOwners(record, "acme")
		f.wantOwners("equal/alias/1", "globex")
		f.wantOwners("equal/alias/2", "acme")
	})
	s.test("PutOwner", func(f *fixture) {
		const older = "equal/transaction/older"
		create(f, "id-1", "globex")
		for i := range 2 {
			now := Epoch.Add(time.Duration(i) * time.Second)
			f.setClock(now)
			for name, call := range map[string]string{record: ledger.CallName("id-1", 1), older: ""} {
				f.wantErr(f.store.PutOwner(f.Context(), name, "acme"), nil)
				owner, err := f.store.Owner(f.Context(), name)
				f.wantErr(err, nil)
				f.want(owner, ledger.Owner{Tenants: []string{"acme"}, Call: call, AssignedAt: now})
				f.want(owner.Assigned(), call == "")
			}
		}
		create(f, "id-2", "acme") // the last that named it
		owner, err := f.store.Owner(f.Context(), record)
		f.wantErr(err, nil)
		f.want(owner.Call, ledger.CallName("id-2", 1))
	})
	s.test("Overrules", func(f *fixture) { // what an operator has said before the call, and nothing else
		for _, test := range []struct {
			name               string
			created, overrules bool
			claimed            time.Time
			ok                 bool
		}{
			{"Before", false, true, Epoch.Add(time.Second), true},
			{"NotAsked", false, false, Epoch.Add(time.Second), false},
			{"AtOnce", false, true, Epoch, false},
			{"After", false, true, Epoch.Add(-time.Second), false},
			{"Another'sCall", true, true, Epoch.Add(time.Second), false},
		} {
			t := Claimable("by-"+test.name, "attempt-1")
			t.ClaimedAt = test.claimed
			t = Ended(f.mustClaim(t), ledger.Done)
			t.Owns, t.Aliases = "equal/transaction/"+test.name, []string{"equal/alias/" + test.name}
			if test.created {
				theirs := Claimable("of-globex", "attempt-1")
				theirs.Tenant = "globex"
				theirs = Ended(f.mustClaim(theirs), ledger.Done)
				theirs.Owns = t.Owns
				f.mustComplete(theirs)
			}
			for _, name := range []string{t.Owns, t.Aliases[0]} {
				f.wantErr(f.store.PutOwner(f.Context(), name, "globex"), nil)
			}
			t.Overrules = test.overrules
			_, err := f.store.Complete(f.Context(), t)
			if !test.ok {
				f.wantErr(err, ledger.ErrOwned)
				f.wantOwners(t.Owns, "globex")
				continue
			}
			f.wantErr(err, nil)
			f.wantOwners(t.Owns, "acme")
			f.wantOwners(t.Aliases[0], "globex")
			owner, err := f.store.Owner(f.Context(), t.Owns)
			f.wantErr(err, nil)
			f.want(owner.Call, t.Call())
			t.Aliases, t.Overrules = nil, false
			f.wantStored(t)
		}
	})
	s.test("OneOfMany", func(f *fixture) {
		const calls = 8
		tenants := make([]string, calls)
		errs := make([]error, calls)
		for i := range calls {
			tenants[i] = string(rune('a' + i))
			t := Claimable(tenants[i], "attempt-1")
			t.Tenant = tenants[i]
			f.mustClaim(t)
		}
		together(calls, func(i int) {
			t := Claimable(tenants[i], "attempt-1")
			t.Tenant = tenants[i]
			t = Ended(t, ledger.Done)
			t.Owns = record
			_, errs[i] = f.store.Complete(f.Context(), t)
		})
		// Completing may fail where many create one record at once, but never as a fence.
		var done []string
		for i, err := range errs {
			if errors.Is(err, ledger.ErrFenced) {
				f.Fatalf("call %d: %v", i, err)
			}
			if err == nil {
				done = append(done, tenants[i])
			}
		}
		if len(done) != 1 {
			f.Errorf("%q have become its owner", done)
		}
		f.wantOwners(record, done...)
	})
}

func (f *fixture) wantOwners(record string, want ...string) {
	f.Helper()
	got, err := f.store.Owner(f.Context(), record)
	f.wantErr(err, nil)
	f.want(got.Tenants, want)
}

func (s suite) record() {
	s.test("StoredAsItIs", func(f *fixture) {
		t := Ended(Claimable("id", "attempt-1"), ledger.Done)
		t.Fingerprint, t.Reply = "", nil
		f.mustRecord(t)
		f.wantStored(t)
		f.mustRecord(t) // sent again
		f.want(f.mustList(ledger.Query{Tenant: "acme", Limit: 10}).Transactions, []ledger.Transaction{t})
	})
}

func (s suite) transaction() {
	s.test("Absent", func(f *fixture) {
		_, err := f.store.Transaction(f.Context(), "acme", "id")
		f.wantErr(err, ledger.ErrNotFound)
	})
	s.test("AnotherTenant", func(f *fixture) {
		f.mustClaim(Claimable("id", "attempt-1"))
		for _, tenant := range []string{"globex", "", "ACME", "acme "} {
			got, err := f.store.Transaction(f.Context(), tenant, "id")
			f.wantErr(err, ledger.ErrNotFound)
			f.want(got, ledger.Transaction{})
		}
	})
	s.test("Expired", func(f *fixture) {
		t := f.mustComplete(Ended(f.mustClaim(Claimable("id", "attempt-1")), ledger.Done))
		f.setClock(t.ExpiresAt.Add(-1))
		f.wantStored(t)
		for _, later := range []time.Duration{0, 1, ledger.Retention} {
			f.setClock(t.ExpiresAt.Add(later))
			got, err := f.store.Transaction(f.Context(), "acme", "id")
			f.wantErr(err, ledger.ErrNotFound)
			f.want(got, ledger.Transaction{})
		}
	})
	s.test("WithoutExpiry", func(f *fixture) {
		t := Ended(Claimable("id", "attempt-1"), ledger.Done)
		t.ExpiresAt = time.Time{}
		f.mustRecord(t)
		f.setClock(Epoch.Add(100 * ledger.Retention))
		f.wantStored(t)
		t.Reply = nil
		f.want(f.mustList(ledger.Query{Tenant: "acme", Limit: 1}).Transactions, []ledger.Transaction{t})
		_, err := f.store.Claim(f.Context(), Claimable("id", "attempt-2"))
		f.wantErr(err, ledger.ErrTaken)
	})
}

func (s suite) roundTrip() {
	s.test("EveryField", func(f *fixture) {
		r := rand.New(rand.NewPCG(1, 2))
		for round := range 50 {
			t := arbitrary(r)
			t.ID += strconv.Itoa(round) // texts may be alike
			for v, i := reflect.ValueOf(t), 0; i < v.NumField(); i++ {
				if v.Field(i).IsZero() {
					f.Fatalf("%s is not set", v.Type().Field(i).Name)
				}
			}
			t.Aliases, t.Overrules = nil, false // not stored
			recorded := t
			recorded.ID += " recorded"
			f.mustRecord(recorded)
			f.wantStored(recorded)

			claim := Claimable(t.ID, t.Attempt)
			claim.Tenant = t.Tenant
			f.mustClaim(claim)
			f.want(f.mustComplete(claimedEnd(t)), claimedEnd(t))
			f.wantStored(claimedEnd(t))
			got, err := f.store.Claim(f.Context(), Claimable(t.ID, "another"))
			f.wantErr(err, ledger.ErrTaken)
			f.want(got, claimedEnd(t))
		}
	})
	s.test("OtherTimeZones", func(f *fixture) {
		t := Ended(Claimable("id", "attempt-1"), ledger.Done)
		want := t
		zone := time.FixedZone("IST", 5*3600+1800)
		for _, at := range []*time.Time{&t.ClaimedAt, &t.SentAt, &t.EndedAt, &t.ExpiresAt} {
			*at = at.In(zone)
		}
		f.mustRecord(t)
		f.wantStored(want)
	})
	s.test("EmptyIsNil", func(f *fixture) {
		t := f.mustClaim(Claimable("id", "attempt-1"))
		t.State, t.Refs, t.Reply = ledger.Done, map[string]string{}, &ledger.Reply{Body: []byte{}}
		want := t
		want.Refs, want.Reply = nil, &ledger.Reply{}
		f.want(f.mustComplete(t), want)
		f.wantStored(want)
	})
	s.test("AnyBytes", func(f *fixture) {
		body := make([]byte, 256)
		for i := range body {
			body[i] = byte(i)
		}
		for name, body := range map[string][]byte{"all": body, "zero": {0}, "large": bytes.Repeat(body, 300*1024/len(body))} {
			t := f.mustClaim(Claimable(name, "attempt-1"))
			t.State, t.Reply = ledger.Done, &ledger.Reply{Status: 200, ContentType: "application/octet-stream", Body: body}
			f.want(f.mustComplete(t), t)
			f.wantStored(t)
		}
	})
	s.test("NothingIsShared", func(f *fixture) {
		t := Ended(f.mustClaim(Claimable("id", "attempt-1")), ledger.Done)
		want := Ended(f.mustClaim(Claimable("id", "attempt-1")), ledger.Done)
		got := f.mustComplete(t)
		for _, touched := range []ledger.Transaction{t, got} {
			touched.Refs["aadhaar_last4"], touched.Reply.Body[0], touched.Reply.Status = "0000", 'x', 500
		}
		f.wantStored(want)
	})
}

// claimedEnd makes an arbitrary record one that Complete accepts.
func claimedEnd(t ledger.Transaction) ledger.Transaction {
	t.State = ledger.Done
	return t
}

func (s suite) caller() {
	known := ledger.Caller{
		KeyHash: "c0ffee", Tenant: "acme", Name: "Acme's back office",
		Scopes: []string{"equal", "transactions", "equal"}, ExpiresAt: Epoch.Add(time.Hour),
	}
	put := func(f *fixture, c ledger.Caller) {
		f.Helper()
		f.wantErr(f.store.PutCaller(f.Context(), c), nil)
	}
	s.test("Absent", func(f *fixture) {
		put(f, known)
		for _, hash := range []string{"c0ffe", "C0FFEE", ""} {
			got, err := f.store.Caller(f.Context(), hash)
			f.wantErr(err, ledger.ErrNotFound)
			f.want(got, ledger.Caller{})
		}
	})
	s.test("RoundTrip", func(f *fixture) {
		r := rand.New(rand.NewPCG(3, 4))
		for range 20 {
			var want ledger.Caller
			fill(r, reflect.ValueOf(&want).Elem())
			put(f, want)
			got, err := f.store.Caller(f.Context(), want.KeyHash)
			f.wantErr(err, nil)
			f.want(got, want)
		}
	})
	s.test("Replaced", func(f *fixture) {
		put(f, known)
		want := ledger.Caller{KeyHash: known.KeyHash, Tenant: "globex"}
		stored := want
		stored.Scopes = []string{}
		put(f, stored)
		got, err := f.store.Caller(f.Context(), known.KeyHash)
		f.wantErr(err, nil)
		f.want(got, want)
	})
	s.test("Expired", func(f *fixture) {
		put(f, known)
		f.setClock(known.ExpiresAt.Add(-1))
		got, err := f.store.Caller(f.Context(), known.KeyHash)
		f.wantErr(err, nil)
		f.want(got, known)
		f.setClock(known.ExpiresAt)
		got, err = f.store.Caller(f.Context(), known.KeyHash)
		f.wantErr(err, ledger.ErrNotFound)
		f.want(got, ledger.Caller{})
	})
	s.test("NeverExpires", func(f *fixture) {
		forever := known
		forever.ExpiresAt = time.Time{}
		put(f, forever)
		f.setClock(Epoch.Add(100 * ledger.Retention))
		got, err := f.store.Caller(f.Context(), known.KeyHash)
		f.wantErr(err, nil)
		f.want(got, forever)
	})
}

// context asserts that a call which could not be made is none of the ledger's answers.
func (s suite) context() {
	for name, call := range map[string]func(context.Context, Store) error{
		"Claim": func(ctx context.Context, s Store) error { _, err := s.Claim(ctx, Claimable("id", "a")); return err },
		"TakeOver": func(ctx context.Context, s Store) error {
			_, err := s.TakeOver(ctx, Claimable("id", "a"), "b")
			return err
		},
		"Complete": func(ctx context.Context, s Store) error {
			_, err := s.Complete(ctx, Claimable("id", "a"))
			return err
		},
		"Record":      func(ctx context.Context, s Store) error { return s.Record(ctx, Claimable("id", "a")) },
		"Owner":       func(ctx context.Context, s Store) error { _, err := s.Owner(ctx, "record"); return err },
		"PutOwner":    func(ctx context.Context, s Store) error { return s.PutOwner(ctx, "record", "acme") },
		"Transaction": func(ctx context.Context, s Store) error { _, err := s.Transaction(ctx, "acme", "id"); return err },
		"Transactions": func(ctx context.Context, s Store) error {
			_, err := s.Transactions(ctx, ledger.Query{Tenant: "acme"})
			return err
		},
		"Caller":    func(ctx context.Context, s Store) error { _, err := s.Caller(ctx, "hash"); return err },
		"PutCaller": func(ctx context.Context, s Store) error { return s.PutCaller(ctx, ledger.Caller{KeyHash: "hash"}) },
		"CreateJourney": func(ctx context.Context, s Store) error {
			_, err := s.CreateJourney(ctx, "key", Startable("id"))
			return err
		},
		"UpdateJourney": func(ctx context.Context, s Store) error {
			_, err := s.UpdateJourney(ctx, Startable("id"))
			return err
		},
		"Journey": func(ctx context.Context, s Store) error { _, err := s.Journey(ctx, "acme", "id"); return err },
		"Journeys": func(ctx context.Context, s Store) error {
			_, err := s.Journeys(ctx, ledger.JourneyQuery{Tenant: "acme"})
			return err
		},
		"JourneyTransactions": func(ctx context.Context, s Store) error {
			_, err := s.JourneyTransactions(ctx, "acme", "id")
			return err
		},
		"AddWaiter": func(ctx context.Context, s Store) error {
			_, err := s.AddWaiter(ctx, "record", ledger.Waiter{})
			return err
		},
		"RemoveWaiter": func(ctx context.Context, s Store) error { return s.RemoveWaiter(ctx, "record", ledger.Waiter{}) },
		"AddEvent": func(ctx context.Context, s Store) error {
			_, err := s.AddEvent(ctx, "record", Arrived("id", "", Epoch), false)
			return err
		},
		"Correlation": func(ctx context.Context, s Store) error { _, err := s.Correlation(ctx, "record"); return err },
	} {
		s.test(name, func(f *fixture) {
			ctx, cancel := context.WithCancel(f.Context())
			cancel()
			f.wantErr(call(ctx, f.store), context.Canceled)
			_, err := f.store.Transaction(f.Context(), "acme", "id")
			f.wantErr(err, ledger.ErrNotFound)
			_, err = f.store.Journey(f.Context(), "acme", "id")
			f.wantErr(err, ledger.ErrNotFound)
			f.wantCorrelation("record", ledger.Correlation{})
		})
	}
}
