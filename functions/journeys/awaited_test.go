package journeys_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"sallyport/functions/journeys"
	"sallyport/shared/ledger"
	"sallyport/shared/operation/task"
	"sallyport/shared/seal"
)

// showing makes a stack, and what tells what a journey shows of its wait.
func showing(t *testing.T) (s *stack, shown func(id string) map[string]any) {
	s = newStack(t)
	return s, func(id string) map[string]any {
		t.Helper()
		got := s.call(s.Get(), map[string]string{"id": id}, "")
		var view struct{ Awaiting map[string]any }
		if err := json.Unmarshal([]byte(got.Body), &view); err != nil || got.StatusCode != 200 {
			t.Fatalf("%d %s, %v", got.StatusCode, got.Body, err)
		}
		return view.Awaiting
	}
}

func url(page string) string { return `{"url":"` + page + `","link":null,"url_of":7}` }

const page = "https://verify.example.test/start?token=q8"

// What only the person may see is in what the journey shows, and nowhere in clear.
func TestAwaitedDetailsAreSealed(t *testing.T) {
	s, shown := showing(t)
	s.transaction("created", url(page), nil)
	s.create("j")
	wait := journeys.AwaitInput{
		Journey: "j", Token: "t1", Kind: "identification", Record: record, Days: 1,
		Details: map[string]string{"identification_id": "1"}, Transaction: "created", Reveal: []string{"url", "link"},
	}
	s.await(wait)
	if got := shown("j"); got["url"] != page || got["identification_id"] != "1" || got["kind"] != "identification" {
		t.Errorf("shows %v", got)
	}
	j := s.journey("j")
	text, err := json.Marshal(j)
	if err != nil || strings.Contains(string(text), "verify.example") || strings.Contains(string(text), "token=q8") ||
		len(j.Awaiting.Sealed) == 0 || len(j.Awaiting.Details) != 1 {
		t.Errorf("the record is %s, %v", text, err)
	}
	if strings.Contains(string(j.Awaiting.Sealed), "verify.example") {
		t.Errorf("sealed: %q", j.Awaiting.Sealed)
	}
	if got := s.call(s.List(), nil, ""); got.StatusCode != 200 || strings.Contains(got.Body, "verify.example") {
		t.Errorf("the list is %s", got.Body)
	}
	for _, input := range append(s.o.inputs, s.o.answers...) {
		if strings.Contains(input, "verify.example") {
			t.Errorf("the state machine gets %s", input)
		}
	}
	s.await(wait) // its first answer was lost
	if again := s.journey("j"); again.Version != j.Version {
		t.Errorf("the repeat made %+v", again)
	}

	t.Run("OfAnotherWait", func(t *testing.T) { // it doesn't open
		j := s.journey("j")
		j.Awaiting.ID = "another"
		if _, err := s.ledger.UpdateJourney(t.Context(), j); err != nil {
			t.Fatal(err)
		}
		if got := s.call(s.Get(), map[string]string{"id": "j"}, ""); got.StatusCode < 500 ||
			strings.Contains(got.Body, "verify.example") {
			t.Errorf("%d %s", got.StatusCode, got.Body)
		}
	})
	t.Run("NextWait", func(t *testing.T) { // has its own
		wait.Token, wait.Transaction = "t2", ""
		s.await(wait)
		if got := shown("j"); got["url"] != nil || got["identification_id"] != "1" {
			t.Errorf("shows %v", got)
		}
		s.transaction("read", url("https://elsewhere.example"), nil)
		wait.Token, wait.Transaction = "t3", "read"
		s.await(wait)
		if got := shown("j"); got["url"] != "https://elsewhere.example" {
			t.Errorf("shows %v", got)
		}
	})
	t.Run("End", func(t *testing.T) { // forgets it
		if err := s.Finish(
			t.Context(), journeys.FinishInput{Tenant: "acme", Journey: "j", Status: ledger.JourneySucceeded},
		); err != nil {
			t.Fatal(err)
		}
		if j := s.journey("j"); j.Awaiting != nil || shown("j") != nil {
			t.Errorf("still %+v", j)
		}
	})
}

// TestAwaitedOfOddAnswers: what a wait shows is read as tolerantly as everything else.
func TestAwaitedOfOddAnswers(t *testing.T) {
	for answer, want := range map[string]string{
		`{"url":" ` + page + `\n"}`: page, `{"url":"` + page + `", }`: page, "\uFEFF" + url(page): page, `{"url":7.0}`: "7",
	} {
		s, shown := showing(t)
		s.transaction("odd", answer, nil)
		s.create("j")
		s.await(journeys.AwaitInput{Journey: "j", Token: "t1", Days: 1, Transaction: "odd", Reveal: []string{"url"}})
		if got := shown("j"); got["url"] != want {
			t.Errorf("%s shows %v", answer, got)
		}
	}
}

// Where there is nothing to show, or no answer any more, the journey waits all the same.
func TestAwaitedOfNothing(t *testing.T) {
	for name, transaction := range map[string]string{
		"None": "", "SaysNothing": "plain", "NoAnswer": "unanswered", "NoRecord": "nowhere", "Foreign": "foreign",
		"GoneFromTheVault": "large", "Expired": "old",
	} {
		t.Run(name, func(t *testing.T) {
			s, shown := showing(t)
			s.transaction("old", url(page), nil)
			s.now = s.now.Add(ledger.Retention)
			s.transaction("plain", "words", nil)
			s.transaction("unanswered", "", nil)
			reply := &ledger.Reply{Status: 200, VaultRef: "transaction/large/1"}
			for _, record := range []ledger.Transaction{
				{
					ID: "large", Tenant: "acme", Operation: "test/read", State: ledger.Done, Attempt: "l", ClaimedAt: s.now,
					ExpiresAt: s.now.Add(time.Hour), Reply: reply,
				},
				{
					ID: "foreign", Tenant: "globex", Operation: "test/read", State: ledger.Done, Attempt: "f", ClaimedAt: s.now,
					ExpiresAt: s.now.Add(time.Hour),
					Reply:     &ledger.Reply{Status: 200, Body: s.ring.Seal("transaction/foreign", []byte(url(page)))},
				},
			} {
				if err := s.ledger.Record(t.Context(), record); err != nil {
					t.Fatal(err)
				}
			}
			s.create("j")
			s.await(
				journeys.AwaitInput{
					Journey: "j", Token: "t1", Record: record, Days: 1, Details: map[string]string{"ecrn": "1"},
					Transaction: transaction, Reveal: []string{"url"},
				},
			)
			if got := shown("j"); got["url"] != nil || got["ecrn"] != "1" || s.journey("j").Awaiting.Sealed != nil {
				t.Errorf("shows %v", got)
			}
		})
	}
	t.Run("FromTheVault", func(t *testing.T) { // but not what no record of a journey takes
		s, shown := showing(t)
		image, endless := strings.Repeat("q", 20<<10), strings.Repeat("q", 65<<10)
		if err := s.Vault.Put(
			t.Context(), "acme", "transaction/large/1", []byte(`{"qr":"`+image+`","link":"`+endless+`"}`), s.now.Add(time.Hour),
		); err != nil {
			t.Fatal(err)
		}
		if err := s.ledger.Record(t.Context(), ledger.Transaction{ID: "large", Tenant: "acme", Operation: "test/read",
			State: ledger.Done, Attempt: "l", ClaimedAt: s.now,
			ExpiresAt: s.now.Add(time.Hour), Reply: &ledger.Reply{Status: 200, VaultRef: "transaction/large/1"}}); err != nil {
			t.Fatal(err)
		}
		s.create("j")
		s.await(journeys.AwaitInput{Journey: "j", Token: "t1", Days: 1, Transaction: "large", Reveal: []string{"qr", "link"}})
		if got := shown("j"); got["qr"] != image || got["link"] != nil {
			t.Errorf("shows %v", got)
		}
	})
	t.Run("NothingWanted", func(t *testing.T) {
		s, shown := showing(t)
		s.transaction("created", url(page), nil)
		s.create("j")
		s.await(journeys.AwaitInput{Journey: "j", Token: "t1", Days: 1, Transaction: "created"})
		if got := shown("j"); got["url"] != nil {
			t.Errorf("shows %v", got)
		}
	})
	t.Run("Unreadable", func(t *testing.T) { // is tried again
		s, _ := showing(t)
		ring := s.ring
		var err error
		if s.ring, err = seal.NewRing(seal.GenerateKeys()); err != nil {
			t.Fatal(err)
		}
		s.transaction("created", url(page), nil)
		s.ring = ring
		s.create("j")
		if err := s.Await(
			t.Context(),
			journeys.AwaitInput{
				Tenant: "acme", Journey: "j", Token: "t1", Days: 1, Transaction: "created", Reveal: []string{"url"},
			},
		); !isTaskError[task.Unavailable](err, "ledger_unavailable") {
			t.Errorf("got %v", err)
		}
		if j := s.journey("j"); j.Awaiting != nil {
			t.Errorf("waits for %+v", j.Awaiting)
		}
	})
}
