package callback_test

import (
	"slices"
	"testing"

	"sallyport/shared/callback"
	"sallyport/shared/ledger"
)

// TestStoredWords: an event is on record under the id, and sealed for the name, that it has always had, so that a new
// release delivers what an older one has kept.
func TestStoredWords(t *testing.T) {
	const text = `{"a":"1","status":"ok"}`
	s := newStack(t)
	ring, err := s.Ring(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for eventID, id := range map[string]string{
		"":    ring.Reference("news", record, text)[:32],
		"r-1": ring.Reference("news", record, text, "r-1")[:32],
	} {
		event := callback.Event{Record: record, Codes: map[string]string{"status": "ok", "a": "1"}, EventID: eventID}
		if err := s.Publish(t.Context(), event); err != nil {
			t.Fatal(err)
		}
		c, err := s.ledger.Correlation(t.Context(), record)
		if err != nil {
			t.Fatal(err)
		}
		kept := slices.DeleteFunc(c.Events, func(e ledger.Event) bool { return e.ID != id })
		if len(kept) != 1 {
			t.Fatalf("%q: kept %+v", eventID, c.Events)
		}
		if opened, err := ring.Open("news/"+record+"/"+id, kept[0].Sealed); err != nil || string(opened) != text {
			t.Errorf("%q: kept %q, %v", eventID, opened, err)
		}
	}
	if name := callback.SubjectRecord(ring.Reference, "x/", "y"); name != "x/"+ring.Reference("record", "x/", "y")[:32] {
		t.Errorf("the record is %s", name)
	}
}
