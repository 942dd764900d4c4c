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

	// Under both of its names, each of which has its own waiters.
	s.create("a")
	s.await("a", "t1")
	of.Private = "x"
	if err := s.Tell(t.Context(), callback.News{Record: record, Codes: of.Codes, Also: &of}); err != nil {
		t.Fatal(err)
	}
	s.wants(said("t1", "ok"))
	if c, err := s.ledger.Correlation(t.Context(), callback.PrivateRecord(ring.Reference, "test/user/", "x")); err != nil || len(c.Events) != 1 {
		t.Errorf("kept %+v, %v", c, err)
	}
}
