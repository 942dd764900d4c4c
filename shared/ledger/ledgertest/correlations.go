package ledgertest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"sallyport/shared/ledger"
)

const partnerRecord = "digit9/ecrn/7842"

func (f *fixture) mustAddWaiter(record string, w ledger.Waiter) ledger.Correlation {
	f.Helper()
	got, err := f.store.AddWaiter(f.Context(), record, w)
	f.wantErr(err, nil)
	return got
}

func (f *fixture) mustAddEvent(record, id, sealed string) ledger.Correlation {
	f.Helper()
	got, err := f.store.AddEvent(f.Context(), record, id, []byte(sealed))
	f.wantErr(err, nil)
	return got
}

func (f *fixture) wantCorrelation(record string, want ledger.Correlation) {
	f.Helper()
	got, err := f.store.Correlation(f.Context(), record)
	f.wantErr(err, nil)
	f.want(got, want)
}

func waiter(journey string) ledger.Waiter { return ledger.Waiter{Tenant: "acme", Journey: journey} }

func waitersOf(journeys ...string) (c ledger.Correlation) {
	for _, journey := range journeys {
		c.Waiters = append(c.Waiters, waiter(journey))
	}
	return c
}

func (s suite) waiters() {
	s.test("OrderedByJourney", func(f *fixture) {
		f.want(f.mustAddWaiter(partnerRecord, waiter("b")), waitersOf("b"))
		f.want(f.mustAddWaiter(partnerRecord, waiter("c")), waitersOf("b", "c"))
		f.want(f.mustAddWaiter(partnerRecord, waiter("a")), waitersOf("a", "b", "c"))
		f.wantCorrelation(partnerRecord, waitersOf("a", "b", "c"))
	})

	s.test("AddedAgain", func(f *fixture) {
		for range 3 {
			f.want(f.mustAddWaiter(partnerRecord, waiter("a")), waitersOf("a"))
		}
	})

	s.test("OfTwoTenants", func(f *fixture) {
		one, two := ledger.Waiter{Tenant: "acme", Journey: "a"}, ledger.Waiter{Tenant: "globex", Journey: "a"}
		f.mustAddWaiter(partnerRecord, two)
		f.want(f.mustAddWaiter(partnerRecord, one), ledger.Correlation{Waiters: []ledger.Waiter{one, two}})
		f.wantErr(f.store.RemoveWaiter(f.Context(), partnerRecord, two), nil)
		f.wantCorrelation(partnerRecord, ledger.Correlation{Waiters: []ledger.Waiter{one}})
	})

	s.test("AnyText", func(f *fixture) {
		var all []ledger.Waiter
		for _, text := range []string{"", "a", `a","b`, "a#b", "<&>", "\x00", "漢字🚪"} {
			all = append(all, ledger.Waiter{Tenant: text, Journey: text})
		}
		slices.SortFunc(all, func(a, b ledger.Waiter) int { return strings.Compare(a.Journey, b.Journey) })
		for _, w := range all {
			f.mustAddWaiter(partnerRecord, w)
		}
		f.wantCorrelation(partnerRecord, ledger.Correlation{Waiters: all})
	})

	s.test("Removed", func(f *fixture) {
		f.mustAddWaiter(partnerRecord, waiter("a"))
		f.mustAddWaiter(partnerRecord, waiter("b"))
		f.mustAddEvent(partnerRecord, "event", "sealed")
		for range 2 {
			f.wantErr(f.store.RemoveWaiter(f.Context(), partnerRecord, waiter("a")), nil)
			want := waitersOf("b")
			want.Events = map[string][]byte{"event": []byte("sealed")}
			f.wantCorrelation(partnerRecord, want)
		}
	})

	s.test("RemovedFromNothing", func(f *fixture) {
		f.wantErr(f.store.RemoveWaiter(f.Context(), partnerRecord, waiter("a")), nil)
		f.wantCorrelation(partnerRecord, ledger.Correlation{})
	})

	s.test("Full", func(f *fixture) {
		want := ledger.Correlation{}
		for i := range ledger.CorrelationCap {
			want.Waiters = append(want.Waiters, waiter(fmt.Sprintf("%03d", i)))
			f.want(f.mustAddWaiter(partnerRecord, want.Waiters[i]), want)
		}
		got, err := f.store.AddWaiter(f.Context(), partnerRecord, waiter("more"))
		f.wantErr(err, ledger.ErrFull)
		f.want(got, want)
		f.wantCorrelation(partnerRecord, want)
		f.want(f.mustAddWaiter(partnerRecord, want.Waiters[7]), want) // is there already

		f.want(len(f.mustAddEvent(partnerRecord, "event", "sealed").Events), 1)
		f.wantErr(f.store.RemoveWaiter(f.Context(), partnerRecord, want.Waiters[0]), nil)
		f.want(len(f.mustAddWaiter(partnerRecord, waiter("more")).Waiters), ledger.CorrelationCap)
	})

	s.test("Concurrently", func(f *fixture) {
		const writers = 3 * ledger.CorrelationCap
		var seen [writers]ledger.Correlation
		var errs [writers]error
		together(writers, func(i int) {
			seen[i], errs[i] = f.store.AddWaiter(f.Context(), partnerRecord, waiter(fmt.Sprintf("%03d", i)))
		})
		added := map[int]bool{}
		for i, err := range errs {
			if err != nil {
				f.wantErr(err, ledger.ErrFull)
				f.want(len(seen[i].Waiters), ledger.CorrelationCap)
				continue
			}
			if !slices.Contains(seen[i].Waiters, waiter(fmt.Sprintf("%03d", i))) {
				f.Fatalf("waiter %d does not see itself", i)
			}
			added[len(seen[i].Waiters)] = true
		}
		f.want(len(added), ledger.CorrelationCap)
	})
}

func (s suite) events() {
	s.test("FirstBytesStay", func(f *fixture) {
		want := ledger.Correlation{Events: map[string][]byte{"1": []byte("first")}}
		f.want(f.mustAddEvent(partnerRecord, "1", "first"), want)
		f.want(f.mustAddEvent(partnerRecord, "1", "second"), want)
		f.wantCorrelation(partnerRecord, want)
		want.Events["2"] = []byte("second")
		f.want(f.mustAddEvent(partnerRecord, "2", "second"), want)
		f.wantCorrelation(partnerRecord, want)
	})

	s.test("AnyBytes", func(f *fixture) {
		want := ledger.Correlation{Events: map[string][]byte{}}
		for _, text := range []string{"", "a", "a.b", "event#a", "ttl", "#", "\x00\xff", "<&>", "漢字🚪"} {
			id := strings.ToValidUTF8(text, "?")
			want.Events[id] = []byte(text)
			if text == "" {
				want.Events[id] = nil
			}
			f.want(f.mustAddEvent(partnerRecord, id, text), want)
		}
		f.wantCorrelation(partnerRecord, want)
	})

	s.test("Removed", func(f *fixture) {
		f.mustAddEvent(partnerRecord, "1", "one")
		f.mustAddEvent(partnerRecord, "2", "two")
		f.mustAddWaiter(partnerRecord, waiter("a"))
		for range 2 {
			f.wantErr(f.store.RemoveEvent(f.Context(), partnerRecord, "1"), nil)
			want := waitersOf("a")
			want.Events = map[string][]byte{"2": []byte("two")}
			f.wantCorrelation(partnerRecord, want)
		}
		f.wantErr(f.store.RemoveEvent(f.Context(), partnerRecord, "2"), nil)
		f.wantErr(f.store.RemoveWaiter(f.Context(), partnerRecord, waiter("a")), nil)
		f.wantCorrelation(partnerRecord, ledger.Correlation{})
		f.want(f.mustAddEvent(partnerRecord, "1", "anew"), ledger.Correlation{Events: map[string][]byte{"1": []byte("anew")}})
	})

	s.test("RemovedFromNothing", func(f *fixture) {
		f.wantErr(f.store.RemoveEvent(f.Context(), partnerRecord, "1"), nil)
		f.wantCorrelation(partnerRecord, ledger.Correlation{})
	})

	s.test("Full", func(f *fixture) {
		for i := range ledger.CorrelationCap {
			f.mustAddEvent(partnerRecord, fmt.Sprint(i), "sealed")
		}
		want, err := f.store.Correlation(f.Context(), partnerRecord)
		f.wantErr(err, nil)
		f.want(len(want.Events), ledger.CorrelationCap)
		got, err := f.store.AddEvent(f.Context(), partnerRecord, "more", []byte("sealed"))
		f.wantErr(err, ledger.ErrFull)
		f.want(got, want)
		f.wantCorrelation(partnerRecord, want)
		f.want(f.mustAddEvent(partnerRecord, "7", "another"), want) // is there already

		f.want(f.mustAddWaiter(partnerRecord, waiter("a")).Waiters, waitersOf("a").Waiters)
		f.wantErr(f.store.RemoveEvent(f.Context(), partnerRecord, "0"), nil)
		f.want(len(f.mustAddEvent(partnerRecord, "more", "sealed").Events), ledger.CorrelationCap)
	})

	s.test("NothingIsShared", func(f *fixture) {
		sealed := []byte("sealed")
		got, err := f.store.AddEvent(f.Context(), partnerRecord, "1", sealed)
		f.wantErr(err, nil)
		sealed[0], got.Events["1"][1] = 'x', 'x'
		f.wantCorrelation(partnerRecord, ledger.Correlation{Events: map[string][]byte{"1": []byte("sealed")}})
	})
}

func (s suite) correlation() {
	s.test("Absent", func(f *fixture) {
		f.mustAddWaiter("digit9/ecrn/1", waiter("a"))
		for _, record := range []string{"digit9/ecrn/2", "digit9/ecrn/", "DIGIT9/ecrn/1"} {
			f.wantCorrelation(record, ledger.Correlation{})
		}
	})

	s.test("Expired", func(f *fixture) {
		const retention = ledger.CorrelationRetention
		event := map[string][]byte{"1": []byte("sealed")}
		f.mustAddWaiter(partnerRecord, waiter("a"))
		f.setClock(Epoch.Add(retention - 1))
		f.wantCorrelation(partnerRecord, waitersOf("a"))
		f.mustAddEvent(partnerRecord, "1", "sealed") // keeps what is there for as long again
		f.setClock(Epoch.Add(2*retention - 2))
		f.wantErr(f.store.RemoveWaiter(f.Context(), partnerRecord, waiter("a")), nil) // and so does this
		f.setClock(Epoch.Add(3*retention - 3))
		f.wantCorrelation(partnerRecord, ledger.Correlation{Events: event})
		f.setClock(Epoch.Add(3*retention - 2))
		f.wantCorrelation(partnerRecord, ledger.Correlation{})
	})

	// What has expired may lie there for days. It comes back by no write.
	for name, write := range map[string]func(*fixture) ledger.Correlation{
		"AddWaiter": func(f *fixture) ledger.Correlation {
			f.want(f.mustAddWaiter(partnerRecord, waiter("new")), waitersOf("new"))
			return waitersOf("new")
		},
		"AddEvent": func(f *fixture) ledger.Correlation {
			want := ledger.Correlation{Events: map[string][]byte{"1": []byte("new")}}
			f.want(f.mustAddEvent(partnerRecord, "1", "new"), want)
			return want
		},
		"RemoveWaiter": func(f *fixture) ledger.Correlation {
			f.wantErr(f.store.RemoveWaiter(f.Context(), partnerRecord, waiter("000")), nil)
			return ledger.Correlation{}
		},
		"RemoveEvent": func(f *fixture) ledger.Correlation {
			f.wantErr(f.store.RemoveEvent(f.Context(), partnerRecord, "1"), nil)
			return ledger.Correlation{}
		},
	} {
		s.test("Expired_"+name, func(f *fixture) {
			f.mustAddEvent(partnerRecord, "1", "old")
			for i := range ledger.CorrelationCap {
				f.mustAddWaiter(partnerRecord, waiter(fmt.Sprintf("%03d", i)))
			}
			later := Epoch.Add(ledger.CorrelationRetention)
			f.setClock(later)
			want := write(f)
			f.wantCorrelation(partnerRecord, want)
			f.setClock(later.Add(ledger.CorrelationRetention - 1))
			f.wantCorrelation(partnerRecord, want)
			f.setClock(later.Add(ledger.CorrelationRetention))
			f.wantCorrelation(partnerRecord, ledger.Correlation{})
		})
	}

	// Whether fresh or after an expired one, where the first of two writes must replace what is there.
	for _, expired := range []bool{false, true} {
		s.test(fmt.Sprintf("NeitherOrderLoses_Expired_%t", expired), func(f *fixture) {
			for i := range 100 {
				record := fmt.Sprint(partnerRecord, i)
				if expired {
					f.setClock(Epoch)
					f.mustAddWaiter(record, waiter("old"))
					f.mustAddEvent(record, "old", "sealed")
					f.setClock(Epoch.Add(ledger.CorrelationRetention + time.Hour))
				}
				var seen [2]ledger.Correlation
				var errs [2]error
				together(2, func(side int) {
					if side == 0 {
						seen[0], errs[0] = f.store.AddWaiter(f.Context(), record, waiter("a"))
					} else {
						seen[1], errs[1] = f.store.AddEvent(f.Context(), record, "1", []byte("sealed"))
					}
				})
				f.wantErr(errs[0], nil)
				f.wantErr(errs[1], nil)
				both := waitersOf("a")
				both.Events = map[string][]byte{"1": []byte("sealed")}
				f.wantCorrelation(record, both)
				if sees := len(seen[0].Waiters) == 1 && len(seen[0].Events) == 1; !sees {
					f.want(seen[0], waitersOf("a"))
					f.want(seen[1], both)
				}
			}
		})
	}
}
