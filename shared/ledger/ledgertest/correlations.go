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

// Arrived returns an event that arrives at a time.
func Arrived(id, sealed string, at time.Time) ledger.Event {
	return ledger.Event{ID: id, Sealed: []byte(sealed), ArrivedAt: at}
}

func (f *fixture) mustAddEvent(record, id, sealed string) ledger.Correlation {
	f.Helper()
	return f.mustArrive(record, Arrived(id, sealed, Epoch), false)
}

func (f *fixture) mustArrive(record string, e ledger.Event, once bool) ledger.Correlation {
	f.Helper()
	got, err := f.store.AddEvent(f.Context(), record, e, once)
	f.wantErr(err, nil)
	return got
}

// at is when an event arrives, in seconds after Epoch.
func at(seconds int) time.Time { return Epoch.Add(time.Duration(seconds) * time.Second) }

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
			want.Events = []ledger.Event{Arrived("event", "sealed", Epoch)}
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
		want := eventsOf(Arrived("1", "first", Epoch))
		f.want(f.mustAddEvent(partnerRecord, "1", "first"), want)
		f.want(f.mustAddEvent(partnerRecord, "1", "second"), want)
		f.wantCorrelation(partnerRecord, want)
		want.Events = append(want.Events, Arrived("2", "second", Epoch))
		f.want(f.mustAddEvent(partnerRecord, "2", "second"), want)
		f.wantCorrelation(partnerRecord, want)
	})

	s.test("ArrivesAgain", func(f *fixture) { // the latest arrival counts, whichever is written first
		for _, seconds := range [][2]int{{0, 0}, {5, 5}, {3, 5}, {6, 6}, {6, 6}} {
			want := eventsOf(Arrived("1", "sealed", at(seconds[1])))
			f.want(f.mustArrive(partnerRecord, Arrived("1", "sealed", at(seconds[0])), false), want)
			f.wantCorrelation(partnerRecord, want)
		}
	})

	s.test("ArrivesOnce", func(f *fixture) { // the first arrival counts
		for _, seconds := range []int{4, 9, 2, 4} {
			want := eventsOf(Arrived("1", "sealed", at(4)))
			f.want(f.mustArrive(partnerRecord, Arrived("1", "sealed", at(seconds)), true), want)
			f.wantCorrelation(partnerRecord, want)
		}
	})

	s.test("OrderedByArrival", func(f *fixture) {
		for id, seconds := range map[string]int{"a": 3, "b": 1, "c": 2, "d": 1} {
			f.mustArrive(partnerRecord, Arrived(id, "sealed", at(seconds)), false)
		}
		f.mustArrive(partnerRecord, Arrived("b", "sealed", at(7)), false)
		f.wantCorrelation(partnerRecord, eventsOf(
			Arrived("d", "sealed", at(1)), Arrived("c", "sealed", at(2)), Arrived("a", "sealed", at(3)),
			Arrived("b", "sealed", at(7)),
		))
	})

	s.test("AnyBytes", func(f *fixture) {
		want := ledger.Correlation{}
		for _, text := range []string{"", "a", "a.b", "event#a", "ttl", "#", "\x00\xff", "<&>", "漢字🚪"} {
			e := Arrived(strings.ToValidUTF8(text, "?"), text, Epoch)
			stored := e
			if text == "" {
				stored.Sealed = nil
			}
			want.Events = append(want.Events, stored)
			slices.SortFunc(want.Events, ledger.Event.Compare)
			f.want(f.mustArrive(partnerRecord, e, false), want)
		}
		f.wantCorrelation(partnerRecord, want)
	})

	s.test("Full", func(f *fixture) { // the oldest makes room
		id := func(i int) string { return fmt.Sprintf("%03d", i) }
		for i := range ledger.CorrelationCap {
			f.mustArrive(partnerRecord, Arrived(id(i), "sealed", at(i)), false)
		}
		f.want(f.mustAddWaiter(partnerRecord, waiter("a")).Waiters, waitersOf("a").Waiters)
		f.mustArrive(partnerRecord, Arrived(id(0), "sealed", at(100)), false) // is there already
		for i := range 2 * ledger.CorrelationCap {
			e := Arrived(fmt.Sprint("new-", id(i)), "sealed", at(200+i))
			got := f.mustArrive(partnerRecord, e, false)
			f.want(len(got.Events), ledger.CorrelationCap)
			f.want(got.Events[ledger.CorrelationCap-1], e)
			f.want(got.Waiters, waitersOf("a").Waiters)
			f.wantCorrelation(partnerRecord, got)
			switch i {
			case 0:
				f.want(got.Events[0], Arrived(id(2), "sealed", at(2)))
			case ledger.CorrelationCap - 2:
				f.want(got.Events[0], Arrived(id(0), "sealed", at(100)))
			}
		}
	})

	s.test("Concurrently", func(f *fixture) { // each event sees itself, and the newest are kept
		const writers = 2 * ledger.CorrelationCap
		var seen [writers]ledger.Correlation
		var errs [writers]error
		together(writers, func(i int) {
			seen[i], errs[i] = f.store.AddEvent(f.Context(), partnerRecord, Arrived(fmt.Sprint(i), "sealed", at(i)), false)
		})
		for i, err := range errs {
			f.wantErr(err, nil)
			if !slices.ContainsFunc(seen[i].Events, func(e ledger.Event) bool { return e.ID == fmt.Sprint(i) }) {
				f.Fatalf("event %d does not see itself", i)
			}
		}
		got, err := f.store.Correlation(f.Context(), partnerRecord)
		f.wantErr(err, nil)
		if n := len(got.Events); n > ledger.CorrelationCap || n < ledger.CorrelationCap/2 {
			f.Fatalf("%d events", n)
		}
	})

	s.test("ArrivesAgainConcurrently", func(f *fixture) {
		const writers = 50
		var errs [writers]error
		together(writers, func(i int) {
			_, errs[i] = f.store.AddEvent(f.Context(), partnerRecord, Arrived("1", "sealed", at(i)), false)
		})
		for _, err := range errs {
			f.wantErr(err, nil)
		}
		f.wantCorrelation(partnerRecord, eventsOf(Arrived("1", "sealed", at(writers-1))))
	})

	s.test("NothingIsShared", func(f *fixture) {
		e := Arrived("1", "sealed", Epoch)
		got, err := f.store.AddEvent(f.Context(), partnerRecord, e, false)
		f.wantErr(err, nil)
		e.Sealed[0], got.Events[0].Sealed[1] = 'x', 'x'
		f.wantCorrelation(partnerRecord, eventsOf(Arrived("1", "sealed", Epoch)))
	})
}

func eventsOf(events ...ledger.Event) ledger.Correlation { return ledger.Correlation{Events: events} }

func (s suite) correlation() {
	s.test("Absent", func(f *fixture) {
		f.mustAddWaiter("digit9/ecrn/1", waiter("a"))
		for _, record := range []string{"digit9/ecrn/2", "digit9/ecrn/", "DIGIT9/ecrn/1"} {
			f.wantCorrelation(record, ledger.Correlation{})
		}
	})

	s.test("Expired", func(f *fixture) {
		const retention = ledger.CorrelationRetention
		event := eventsOf(Arrived("1", "sealed", Epoch))
		f.mustAddWaiter(partnerRecord, waiter("a"))
		f.setClock(Epoch.Add(retention - 1))
		f.wantCorrelation(partnerRecord, waitersOf("a"))
		f.mustAddEvent(partnerRecord, "1", "sealed") // keeps what is there for as long again
		f.setClock(Epoch.Add(2*retention - 2))
		f.wantErr(f.store.RemoveWaiter(f.Context(), partnerRecord, waiter("a")), nil) // and so does this
		f.setClock(Epoch.Add(3*retention - 3))
		f.wantCorrelation(partnerRecord, event)
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
			want := eventsOf(Arrived("1", "new", Epoch))
			f.want(f.mustAddEvent(partnerRecord, "1", "new"), want)
			return want
		},
		"RemoveWaiter": func(f *fixture) ledger.Correlation {
			f.wantErr(f.store.RemoveWaiter(f.Context(), partnerRecord, waiter("000")), nil)
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
						seen[1], errs[1] = f.store.AddEvent(f.Context(), record, Arrived("1", "sealed", Epoch), false)
					}
				})
				f.wantErr(errs[0], nil)
				f.wantErr(errs[1], nil)
				both := waitersOf("a")
				both.Events = []ledger.Event{Arrived("1", "sealed", Epoch)}
				f.wantCorrelation(record, both)
				if sees := len(seen[0].Waiters) == 1 && len(seen[0].Events) == 1; !sees {
					f.want(seen[0], waitersOf("a"))
					f.want(seen[1], both)
				}
			}
		})
	}
}
