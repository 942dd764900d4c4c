package bolt_test

import (
	"path/filepath"
	"testing"

	"sallyport/shared/ledger"
	"sallyport/shared/ledger/ledgertest"
)

func TestWatch(t *testing.T) {
	l, _ := MustOpen(t, filepath.Join(t.TempDir(), "ledger.db"))
	journeys := map[string]ledger.Journey{}
	for _, id := range []string{"j", "k"} {
		j, err := l.CreateJourney(t.Context(), "key of "+id, ledgertest.Startable(id))
		if err != nil {
			t.Fatal(err)
		}
		journeys[id] = j
	}
	update := func(id string) {
		t.Helper()
		j, err := l.UpdateJourney(t.Context(), ledgertest.Waiting(journeys[id]))
		if err != nil {
			t.Fatal(err)
		}
		journeys[id] = j
	}
	one, stopOne := l.Watch("j")
	two, stopTwo := l.Watch("j")
	wantWord := func(name string, of <-chan struct{}, want bool) {
		t.Helper()
		select {
		case <-of:
			if !want {
				t.Errorf("%s: has word of a change", name)
			}
		default:
			if want {
				t.Errorf("%s: has no word of the change", name)
			}
		}
	}

	update("k")
	if _, err := l.UpdateJourney(t.Context(), ledger.Journey{ID: "j", Version: 7}); err != ledger.ErrStale {
		t.Fatal(err)
	}
	wantWord("another journey, and a write that failed", one, false)
	update("j")
	wantWord("first", one, true)
	update("j")
	wantWord("second, after one change", one, true)
	wantWord("second, after two changes", two, true)
	wantWord("second, once more", two, false)
	stopOne()
	update("j")
	wantWord("stopped", one, false)
	wantWord("not stopped", two, true)
	stopTwo()
	stopTwo()
	update("j")
}
