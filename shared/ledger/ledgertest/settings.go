package ledgertest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"time"

	"sallyport/shared/ledger"
)

// Configured returns a tenant's workflow as it is to be written, as of Epoch.
func Configured(name, document string) ledger.Setting {
	return ledger.Setting{
		Tenant: "acme", Kind: ledger.WorkflowSetting, Name: name, Document: []byte(document), UpdatedAt: Epoch,
	}
}

func (f *fixture) mustPutSetting(s ledger.Setting, over, version int) ledger.Setting {
	f.Helper()
	got, err := f.store.PutSetting(f.Context(), s, over)
	f.wantErr(err, nil)
	s.Version = version
	f.want(got, s)
	f.wantSetting(s)
	return got
}

// wantStaleSetting asserts that a write does not happen and is answered with the setting as it stands.
func (f *fixture) wantStaleSetting(s ledger.Setting, over int, standing ledger.Setting) {
	f.Helper()
	got, err := f.store.PutSetting(f.Context(), s, over)
	f.wantErr(err, ledger.ErrStale)
	f.want(got, standing)
	if standing.Version > 0 {
		f.wantSetting(standing)
	} else {
		f.wantNoSetting(s.Tenant, s.Kind, s.Name)
	}
}

func (f *fixture) wantSetting(want ledger.Setting) {
	f.Helper()
	got, err := f.store.Setting(f.Context(), want.Tenant, want.Kind, want.Name)
	f.wantErr(err, nil)
	f.want(got, want)
}

func (f *fixture) wantNoSetting(tenant, kind, name string) {
	f.Helper()
	got, err := f.store.Setting(f.Context(), tenant, kind, name)
	f.wantErr(err, ledger.ErrNotFound)
	f.want(got, ledger.Setting{})
}

func (s suite) setting() {
	s.test("Absent", func(f *fixture) {
		f.wantNoSetting("acme", ledger.WorkflowSetting, "name")
		f.mustPutSetting(Configured("name", "{}"), 0, 1)
		f.wantNoSetting("acme", ledger.WorkflowSetting, "another")
		f.wantNoSetting("acme", ledger.WorkflowSetting, "Name")
		f.wantNoSetting("acme", ledger.ApplicationSetting, "name")
		f.wantNoSetting("globex", ledger.WorkflowSetting, "name")
		f.wantNoSetting("", ledger.WorkflowSetting, "name")
	})

	s.test("NeverExpires", func(f *fixture) {
		stored := f.mustPutSetting(Configured("name", "{}"), 0, 1)
		f.setClock(Epoch.Add(100 * ledger.Retention))
		f.wantSetting(stored)
		f.wantStaleSetting(Configured("name", "[]"), 0, stored)
	})

	s.test("TenantsAndKindsAreApart", func(f *fixture) {
		var all []ledger.Setting
		for _, tenant := range []string{"acme", "globex", "acme#workflow", "acme\",\"workflow"} {
			for _, kind := range []string{ledger.WorkflowSetting, ledger.ApplicationSetting} {
				for _, name := range []string{"name", "workflow", "workflow#name", "a\",\"b"} {
					setting := Configured(name, fmt.Sprintf("%q", []string{tenant, kind, name}))
					setting.Tenant, setting.Kind = tenant, kind
					all = append(all, f.mustPutSetting(setting, 0, 1))
				}
			}
		}
		for _, setting := range all {
			f.wantSetting(setting)
		}
	})

	s.test("RoundTrip", func(f *fixture) {
		r := rand.New(rand.NewPCG(11, 12))
		for i := range 50 {
			var setting ledger.Setting
			fill(r, reflect.ValueOf(&setting).Elem())
			setting.Kind, setting.Name = strings.ReplaceAll(setting.Kind, "#", ""), fmt.Sprint(setting.Name, i)
			f.mustPutSetting(setting, 0, 1)
		}
		large := Configured("large", strings.Repeat("x", 100<<10))
		f.mustPutSetting(large, ledger.AnyVersion, 1)
		f.mustPutSetting(ledger.Setting{Tenant: "acme", Kind: ledger.WorkflowSetting, Name: "bare"}, ledger.AnyVersion, 1)
	})

	s.test("NothingIsShared", func(f *fixture) {
		setting := Configured("name", "document")
		got, err := f.store.PutSetting(f.Context(), setting, 0)
		f.wantErr(err, nil)
		setting.Document[0], got.Document[1] = 'x', 'x'
		setting.Document, setting.Version = []byte("document"), 1
		f.wantSetting(setting)
	})
}

func (s suite) putSetting() {
	s.test("ThroughItsLife", func(f *fixture) {
		for version := range 5 {
			setting := Configured("name", fmt.Sprint(version))
			setting.Version = 77 // what it says doesn't count
			setting.UpdatedAt = Epoch.Add(time.Duration(version) * time.Minute)
			f.mustPutSetting(setting, version, version+1)
		}
	})

	s.test("WhateverIsThere", func(f *fixture) {
		for version := range 5 {
			setting := Configured("name", "{}")
			setting.UpdatedAt = Epoch.Add(time.Duration(version))
			f.mustPutSetting(setting, ledger.AnyVersion, version+1)
		}
		setting := Configured("name", "[]")
		setting.UpdatedAt = Epoch.Add(4)
		f.mustPutSetting(setting, ledger.AnyVersion, 6)
	})

	s.test("OfAnotherVersion", func(f *fixture) {
		for _, over := range []int{-2, 1, 2} {
			f.wantStaleSetting(Configured("absent", "{}"), over, ledger.Setting{})
		}
		f.mustPutSetting(Configured("name", "1"), 0, 1)
		standing := f.mustPutSetting(Configured("name", "2"), 1, 2)
		for _, over := range []int{-2, 0, 1, 3} {
			f.wantStaleSetting(Configured("name", "3"), over, standing)
		}
	})

	s.test("SentAgain", func(f *fixture) {
		first := Configured("name", "1")
		f.mustPutSetting(first, ledger.AnyVersion, 1)
		f.mustPutSetting(first, ledger.AnyVersion, 1)
		f.mustPutSetting(first, 0, 1)
		second := Configured("name", "2")
		second.UpdatedAt = Epoch.Add(1)
		standing := f.mustPutSetting(second, 1, 2)
		f.mustPutSetting(second, 1, 2)
		f.mustPutSetting(second, ledger.AnyVersion, 2)
		f.wantStaleSetting(first, 0, standing)
		f.wantStaleSetting(second, 0, standing)
	})

	s.test("NearlySentAgain", func(f *fixture) {
		standing := f.mustPutSetting(Configured("name", "1"), 0, 1)
		f.wantStaleSetting(Configured("name", "2"), 0, standing)
		later := Configured("name", "1")
		later.UpdatedAt = Epoch.Add(1)
		f.wantStaleSetting(later, 0, standing)
	})

	for _, before := range []string{"Absent", "Present"} {
		s.test("OneOfManyWins_"+before, func(f *fixture) {
			over := 0
			if before == "Present" {
				over = f.mustPutSetting(Configured("name", "old"), 0, 1).Version
			}
			const puts = 100
			var got [puts]ledger.Setting
			var errs [puts]error
			together(puts, func(i int) {
				got[i], errs[i] = f.store.PutSetting(f.Context(), Configured("name", fmt.Sprint(i)), over)
			})
			winner := f.wantOneWinner(errs[:], ledger.ErrStale)
			f.want(string(got[winner].Document), fmt.Sprint(winner))
			for _, s := range got {
				f.want(s, got[winner])
			}
			f.wantSetting(got[winner])
		})
	}

	s.test("EveryOneOfManyIsAVersion", func(f *fixture) {
		const puts = 50
		var got [puts]ledger.Setting
		together(puts, func(i int) {
			got[i], _ = f.store.PutSetting(f.Context(), Configured("name", fmt.Sprint(i)), ledger.AnyVersion)
		})
		versions := map[int]bool{}
		for i, s := range got {
			f.want(string(s.Document), fmt.Sprint(i))
			versions[s.Version] = true
			if s.Version == puts {
				f.wantSetting(s)
			}
		}
		f.want(len(versions), puts)
	})

	s.test("Context", func(f *fixture) {
		ctx, cancel := context.WithCancel(f.Context())
		cancel()
		_, err := f.store.PutSetting(ctx, Configured("name", "{}"), 0)
		f.wantErr(err, context.Canceled)
		f.wantNoSetting("acme", ledger.WorkflowSetting, "name")
		_, err = f.store.Setting(ctx, "acme", ledger.WorkflowSetting, "name")
		f.wantErr(err, context.Canceled)
	})
}
