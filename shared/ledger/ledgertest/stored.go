package ledgertest

import (
	"reflect"
	"testing"

	"sallyport/shared/ledger"
)

// StoredEvents checks what becomes of ledger.CorrelationCap events of the record "record" that an earlier release has
// kept, without times, by the ids "000", "001" and so on.
func StoredEvents(t *testing.T, l Store) {
	t.Helper()
	known, err := l.Correlation(t.Context(), "record")
	if err != nil || len(known.Events) != ledger.CorrelationCap ||
		!reflect.DeepEqual(known.Events[7], ledger.Event{ID: "007", Sealed: []byte("sealed")}) {
		t.Fatalf("read %+v, %v", known, err)
	}
	for i, e := range []ledger.Event{
		Arrived("000", "again", Epoch), // keeps its first bytes
		Arrived("new-1", "sealed", at(1)),
		Arrived("new-2", "sealed", at(2)),
	} {
		if known, err = l.AddEvent(t.Context(), "record", e, i == 0); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(known.Events); n != ledger.CorrelationCap || known.Events[0].ID != "003" {
		t.Errorf("%d events, the oldest of them %s", n, known.Events[0].ID)
	}
	want := []ledger.Event{
		Arrived("000", "sealed", Epoch), Arrived("new-1", "sealed", at(1)), Arrived("new-2", "sealed", at(2)),
	}
	if got := known.Events[ledger.CorrelationCap-3:]; !reflect.DeepEqual(got, want) {
		t.Errorf("the newest are %+v", got)
	}
}
