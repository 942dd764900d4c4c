package callback_test

import (
	"strings"
	"testing"

	"sallyport/shared/callback"
)

// TestSubjectRecord: whoever waits by the same personal data gets the event, and none of it is kept or said.
func TestSubjectRecord(t *testing.T) {
	s := newStack(t)
	ring, err := s.Ring(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	const subject = "shop\nmeera@example.com"
	name := callback.SubjectRecord(ring.Reference, "test/user/", subject)
	if other := callback.SubjectRecord(ring.Reference, "test/user/", "shop\nm@example.com"); other == name ||
		len(name) != len("test/user/")+32 || strings.Contains(name, "meera") {
		t.Errorf("named %q and %q", name, other)
	}
	of := callback.Event{Record: "test/user/", SubjectID: subject, Codes: map[string]string{"status": "ok"}}
	if err := s.Publish(t.Context(), of); err != nil {
		t.Fatal(err)
	}
	if c, err := s.ledger.Correlation(t.Context(), name); err != nil || len(c.Events) != 1 {
		t.Errorf("kept %+v, %v", c, err)
	}
}

// TestEventID: events with the same codes and other ids are delivered as well, each once.
func TestEventID(t *testing.T) {
	s := newStack(t)
	publish := func(id string) {
		t.Helper()
		if err := s.Publish(
			t.Context(), callback.Event{Record: record, Codes: map[string]string{"status": "ok"}, EventID: id},
		); err != nil {
			t.Fatal(err)
		}
	}
	s.create("a")
	s.await("a", "t1")
	publish("r-1")
	s.wants(answered("t1", "ok"))
	s.await("a", "t2")
	publish("r-1")
	s.wants()
	publish("r-2")
	s.wants(answered("t2", "ok"))
	s.await("a", "t3")
	publish("")
	s.wants(answered("t3", "ok"))
	s.await("a", "t4")
	s.publish("ok") // which has no id either
	s.wants()
	if c, err := s.ledger.Correlation(t.Context(), record); err != nil || len(c.Events) != 3 {
		t.Errorf("kept %+v, %v", c, err)
	}
}
