package journeys_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"sallyport/functions/journeys"
	"sallyport/shared/callback"
	"sallyport/shared/gateway"
	"sallyport/shared/journey"
	"sallyport/shared/ledger"
	"sallyport/shared/ledger/dynamo"
	"sallyport/shared/ledger/ledgertest/dynamolocal"
	"sallyport/shared/operation/task"
	"sallyport/shared/vault"
)

// memoryBlobs are a vault's in memory.
type memoryBlobs struct {
	vault.Blobs
	mu    sync.Mutex
	blobs map[string][]byte
}

func (b *memoryBlobs) Put(_ context.Context, key string, blob []byte, _ time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.blobs[key] = blob
	return nil
}

func (b *memoryBlobs) Get(_ context.Context, key string) ([]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if blob, ok := b.blobs[key]; ok {
		return bytes.Clone(blob), nil // it is opened in place
	}
	return nil, vault.ErrNotFound
}

func (b *memoryBlobs) Extend(context.Context, string, time.Time) error { return nil }

func (b *memoryBlobs) Delete(_ context.Context, key string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.blobs, key)
	return nil
}

func (b *memoryBlobs) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.blobs)
}

// A journey that takes all that its record may hold, from its start to its end, is stored by DynamoDB, which takes
// items of 400 KB; what would be more is refused before anything is put.
func TestLargestJourney(t *testing.T) {
	s := newStack(t)
	client := dynamolocal.Client(t)
	deployed := dynamo.New(client, dynamolocal.Table(t, client))
	deployed.Now = s.Now
	blobs := &memoryBlobs{blobs: map[string][]byte{}}
	s.Service.Ledger, s.Vault.Blobs = deployed, blobs

	// The largest start.
	lists := func(n int) journey.Fields {
		all := make([]any, n)
		for i := range all {
			all[i] = i
		}
		return journey.Fields{Lists: map[string][]any{"ids": all}}
	}
	start := func(n int) (taken bool) {
		t.Helper()
		s.fields = func(journey.Start) (journey.Fields, error) { return lists(n), nil }
		before := blobs.count()
		err := s.Requested(t.Context(), fmt.Appendf(
			nil, `{"tenant":"acme","type":"test","idempotency_key":"%d","input":{}}`, n,
		))
		var refused task.InvalidInput
		if errors.As(err, &refused) {
			if err.Error() != "too_large" || blobs.count() != before {
				t.Errorf("%d values: %v, and %d were put", n, err, blobs.count()-before)
			}
			return false
		}
		if err != nil {
			t.Fatalf("%d values: %v", n, err)
		}
		return true
	}
	most, tooMany := 400, 1000
	if !start(most) || start(75_000) || start(tooMany) {
		t.Fatal("too many were taken, or too few")
	}
	for most+1 < tooMany {
		if n := (most + tooMany) / 2; start(n) {
			most = n
		} else {
			tooMany = n
		}
	}
	var input struct {
		ID string `json:"journey_id"`
	}
	for _, text := range s.o.inputs {
		if err := json.Unmarshal([]byte(text), &input); err != nil {
			t.Fatal(err)
		}
		if strings.Count(text, "document_id") == most {
			break
		}
	}

	// Inputs, until no more are taken: ten of what a request can refer to at least.
	s.Types[0].Inputs["word"] = func(context.Context, journey.Start) (journey.Fields, error) {
		fields := lists(30)
		for i := range vault.MaxReferences {
			fields.AlsoErase = append(fields.AlsoErase, fmt.Sprintf("upload-00000000-0000-7000-8000-%012d", i))
		}
		return fields, nil
	}
	rounds := 0
	for ; ; rounds++ {
		s.now = s.now.Add(time.Second)
		s.await(journeys.AwaitInput{
			Journey: input.ID, Token: fmt.Sprintf("%01024d", rounds), Accepts: []string{"word"}, Seconds: 60,
		})
		before := blobs.count()
		got := s.callBy(fmt.Sprint(rounds), s.Input(), map[string]string{"id": input.ID}, `{"kind":"word"}`)
		if got.StatusCode == 413 {
			if blobs.count() != before || !strings.Contains(got.Body, "the journey holds no more inputs") {
				t.Errorf("%d were put, %s", blobs.count()-before, got.Body)
			}
			break
		}
		if got.StatusCode != 202 {
			t.Fatalf("input %d: %d %s", rounds, got.StatusCode, got.Body)
		}
	}
	if rounds < 10 {
		t.Errorf("%d inputs were taken", rounds)
	}

	// A wait that shows as much as one can, for a record of which much is told.
	s.now = s.now.Add(time.Second)
	long := strings.Repeat("x", 100_000)
	details := map[string]string{}
	for i := range 20 {
		details[fmt.Sprint("detail-", i)] = long
	}
	record := "test/record/" + strings.Repeat("r", 1000)
	s.decide(deployed, "shown", `{"url":"`+long[:60_000]+`","qr":"`+long[:60_000]+`"}`, nil)
	s.await(journeys.AwaitInput{
		Journey: input.ID, Token: strings.Repeat("t", 1024), Record: record, Days: 1, Details: details, Reason: long,
		Reveal: []string{"url", "qr"}, Transaction: "shown",
	})
	correlator := callback.Correlator{Ledger: deployed, Orchestrator: s.o, Ring: s.Ring, Log: s.Log, Now: s.Now}
	for i := range ledger.CorrelationCap {
		if err := correlator.Publish(t.Context(), callback.Event{
			Record: record, Codes: map[string]string{"status": fmt.Sprint(i), "long": long},
		}); err != nil {
			t.Fatal(err)
		}
	}

	// An end with the largest outcome, and one that is larger.
	s.decide(deployed, "decided", `{}`, map[string]string{"short": "x", "long": long})
	for i, size := range []int{ledger.MaxOutcome - 1<<10, 250_000} {
		id := input.ID
		if i > 0 {
			id = "another"
			if _, err := deployed.CreateJourney(t.Context(), id, ledger.Journey{
				ID: id, Tenant: "acme", Type: "test", Status: ledger.JourneyRunning, CreatedAt: s.now,
			}); err != nil {
				t.Fatal(err)
			}
		}
		s.Types[0].Outcome = func(gateway.Reply, map[string]string, []string) ([]byte, error) {
			return []byte(`"` + strings.Repeat("x", size-2) + `"`), nil
		}
		if err := s.Finish(t.Context(), journeys.FinishInput{
			Tenant: "acme", Journey: id, Status: ledger.JourneySucceeded, Reason: long, Transaction: "decided",
		}); err != nil {
			t.Fatal(err)
		}
		j, err := deployed.Journey(t.Context(), "acme", id)
		if err != nil || j.Status != ledger.JourneySucceeded || (j.Outcome != nil) != (i == 0) || j.Refs["short"] != "x" {
			t.Errorf("%s with an outcome of %d bytes, %q, %v", j.Status, len(j.Outcome), j.Refs["short"], err)
		}
		for _, document := range j.Documents {
			if _, err := s.Vault.Get(t.Context(), "acme", document); !errors.Is(err, vault.ErrNotFound) {
				t.Fatalf("%s of %d documents is left: %v", document, len(j.Documents), err)
			}
		}
		if j.Size() >= ledger.MaxItem {
			t.Errorf("the record is said to take %d bytes", j.Size())
		}
	}
}

// decide writes a call's record with an answer in the vault.
func (s *stack) decide(l *dynamo.Ledger, id, answer string, refs map[string]string) {
	s.t.Helper()
	if err := s.Vault.Put(s.t.Context(), "acme", "answer of "+id, []byte(answer), s.now.Add(time.Hour)); err != nil {
		s.t.Fatal(err)
	}
	if err := l.Record(s.t.Context(), ledger.Transaction{
		ID: id, Tenant: "acme", Operation: "test/read", State: ledger.Done, Attempt: id, ClaimedAt: s.now,
		ExpiresAt: s.now.Add(ledger.Retention), Refs: refs, Reply: &ledger.Reply{Status: 200, VaultRef: "answer of " + id},
	}); err != nil {
		s.t.Fatal(err)
	}
}
