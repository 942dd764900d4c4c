package callback_test

import (
	"strings"
	"testing"

	"sallyport/shared/callback"
)

// TestPrivateRecord: whoever waits by the same personal data is told, and none of it is kept or said.
func TestPrivateRecord(t *testing.T) {
	s := newStack(t)
	ring, err := s.Ring(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	const private = "shop\nmeera@example.com"
	name := callback.PrivateRecord(ring.Reference, "test/user/", private)
	if other := callback.PrivateRecord(ring.Reference, "test/user/", "shop\nm@example.com"); other == name || len(name) != len("test/user/")+32 || strings.Contains(name, "meera") {
		t.Errorf("named %q and %q", name, other)
	}
	of := callback.News{Record: "test/user/", Private: private, Codes: map[string]string{"status": "ok"}}
	if err := s.Tell(t.Context(), of); err != nil {
		t.Fatal(err)
	}
	if c, err := s.ledger.Correlation(t.Context(), name); err != nil || len(c.Events) != 1 {
		t.Errorf("kept %+v, %v", c, err)
	}
}

// TestNewsOfAnother: what says the same of something else is told as well, each once.
func TestNewsOfAnother(t *testing.T) {
	s := newStack(t)
	tell := func(of string) {
		t.Helper()
		if err := s.Tell(t.Context(), callback.News{Record: record, Codes: map[string]string{"status": "ok"}, Of: of}); err != nil {
			t.Fatal(err)
		}
	}
	s.create("a")
	s.await("a", "t1")
	tell("r-1")
	s.wants(said("t1", "ok"))
	s.await("a", "t2")
	tell("r-1")
	s.wants()
	tell("r-2")
	s.wants(said("t2", "ok"))
	s.await("a", "t3")
	tell("")
	s.wants(said("t3", "ok"))
	s.await("a", "t4")
	s.tell("ok") // which is of nothing else either
	s.wants()
	if c, err := s.ledger.Correlation(t.Context(), record); err != nil || len(c.Events) != 3 {
		t.Errorf("kept %+v, %v", c, err)
	}
}
