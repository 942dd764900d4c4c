package journeys_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/go-json-experiment/json/jsontext"

	"sallyport/functions/journeys"
	"sallyport/shared/journey"
	"sallyport/shared/ledger"
	"sallyport/shared/ledger/ledgertest"
	"sallyport/shared/vault"
	vaultbolt "sallyport/shared/vault/bolt"
	vaults3 "sallyport/shared/vault/s3"
	"sallyport/shared/vault/s3/s3test"
)

var errDied = errors.New("the process died")

// process dies at one of its writes, before it or after it, and writes nothing from then on.
type process struct {
	at      int // the write; 0 for none
	after   bool
	writes  int
	died    bool
	between func(write int) // is called before every write
}

func (p *process) write() (before, after error) {
	if p.died {
		return errDied, nil
	}
	p.writes++
	if between := p.between; between != nil {
		p.between = nil // what is called there writes as well
		between(p.writes)
		p.between = between
	}
	if p.writes != p.at {
		return nil, nil
	}
	p.died = true
	if p.after {
		return nil, errDied
	}
	return errDied, nil
}

// mortalBlobs are a store that the process writes to.
type mortalBlobs struct {
	vault.Blobs
	*process
}

func (b mortalBlobs) do(write func() error) error {
	before, after := b.write()
	if before != nil {
		return before
	}
	return errors.Join(write(), after)
}

func (b mortalBlobs) Put(ctx context.Context, key string, blob []byte, at time.Time) error {
	return b.do(func() error { return b.Blobs.Put(ctx, key, blob, at) })
}

func (b mortalBlobs) Extend(ctx context.Context, key string, at time.Time) error {
	return b.do(func() error { return b.Blobs.Extend(ctx, key, at) })
}

func (b mortalBlobs) Delete(ctx context.Context, key string) error {
	return b.do(func() error { return b.Blobs.Delete(ctx, key) })
}

// checkedStarts is an orchestrator whose executions miss none of their documents when they begin.
type checkedStarts struct {
	*starting
	s       *stack
	process *process
}

func (o checkedStarts) Start(ctx context.Context, machine, name string, input []byte) error {
	if o.process.died {
		return errDied
	}
	for _, id := range vault.References(input) {
		if _, err := o.s.Vault.Expires(ctx, "acme", id); err != nil {
			o.s.t.Errorf("an execution began without the document %s: %v", id, err)
		}
	}
	return o.starting.Start(ctx, machine, name, input)
}

func (o checkedStarts) Answer(ctx context.Context, token string, output []byte) error {
	if o.process.died {
		return errDied
	}
	return o.starting.Answer(ctx, token, output)
}

// keeping is a stack whose process can die, with a document "file" of the caller's.
type keeping struct {
	*stack
	*process
	count func() int // the blobs that lie there
	sweep func()     // what has expired
}

func newKeeping(t *testing.T, store string) *keeping {
	s := newStack(t)
	k := &keeping{stack: s, process: &process{}}
	blobs := s.Vault.Blobs
	if store == "s3" {
		bucket, client, _ := s3test.New(t)
		adapter := vaults3.New(client, "vault")
		adapter.Now = s.Now
		blobs = adapter
		k.count, k.sweep = func() int { return len(bucket.Objects()) }, bucket.Sweep
	} else {
		local := blobs.(*vaultbolt.Blobs)
		k.count = func() int {
			n, err := local.Count()
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		k.sweep = func() {
			if err := local.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	s.Vault.Blobs = blobs
	for _, id := range []string{"file", "number"} {
		if err := s.Vault.Put(t.Context(), "acme", id, []byte(`"x"`), s.now.Add(24*time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	s.Vault.Blobs = mortalBlobs{blobs, k.process}
	s.Service.Ledger = &ledgertest.Counting{
		Store: s.ledger, Fail: func(string) (before, after error) { return k.write() },
	}
	s.Service.Orchestrator = checkedStarts{s.o, s, k.process}
	given := func(start journey.Start) (fields journey.Fields, err error) {
		opened, err := start.Open(
			t.Context(), start.Body, 1<<20, func(p jsontext.Pointer) bool { return p.LastToken() == "file" },
		)
		return journey.Fields{
			Sealed: map[string]any{"body": opened}, Lists: map[string][]any{"ids": {"one", "two"}},
			References: map[string]string{"number": "number"}, AlsoErase: vault.References(opened),
		}, err
	}
	s.fields = given
	s.Types[0].Inputs["word"] = func(_ context.Context, start journey.Start) (journey.Fields, error) {
		return given(start)
	}
	return k
}

func (k *keeping) start() int {
	return k.call(k.StartHandler(), map[string]string{"type": "test"}, `{"file":{"document_id":"file"}}`).StatusCode
}

func (k *keeping) input(id string) int {
	return k.call(k.Input(), map[string]string{"id": id}, `{"kind":"word","file":{"document_id":"file"}}`).StatusCode
}

// open returns the journeys on record.
func (k *keeping) open() (all []ledger.Journey) {
	k.t.Helper()
	for j, err := range k.ledger.OpenJourneys(k.t.Context()) {
		if err != nil {
			k.t.Fatal(err)
		}
		all = append(all, j)
	}
	return all
}

// wantKept checks that journeys on record have their documents.
func (k *keeping) wantKept() {
	k.t.Helper()
	for _, j := range k.open() {
		for _, id := range j.Documents {
			if _, err := k.Vault.Expires(k.t.Context(), "acme", id); err != nil {
				k.t.Errorf("journey %s stands without its document %s: %v", j.ID, id, err)
			}
		}
	}
}

// wantSwept lets a day pass and checks that nothing lies there then but what a record names.
func (k *keeping) wantSwept() {
	k.t.Helper()
	k.now = k.now.Add(24 * time.Hour)
	k.sweep()
	named, begun := 0, k.o.inputs
	for _, j := range k.open() {
		for _, id := range j.Documents {
			if _, err := k.Vault.Expires(k.t.Context(), "acme", id); err == nil {
				named++
			}
		}
		var input map[string]jsontext.Value
		if err := json.Unmarshal(j.Input, &input); err != nil {
			k.t.Fatal(err)
		}
		for _, id := range vault.References(input["ids"]) {
			_, err := k.Vault.Expires(k.t.Context(), "acme", id)
			if err != nil && slices.Contains(begun, string(j.Input)) {
				k.t.Errorf("the execution of %s lacks %s after a day: %v", j.ID, id, err)
			}
		}
	}
	if n := k.count(); n != named {
		k.t.Errorf("%d blobs are left, %d of them named by a record", n, named)
	}
}

// Wherever the process dies in a start or an input, and whether or not the request is repeated: nothing stays in the
// vault that no record names, and no journey lacks what it was given.
func TestKilledAtEveryWrite(t *testing.T) {
	for _, store := range []string{"bolt", "s3"} {
		for _, request := range []string{"start", "input"} {
			for _, end := range []string{"repeat", "leave", "resume"} {
				t.Run(strings.Join([]string{store, request, end}, "/"), func(t *testing.T) {
					for at := 1; ; at++ {
						for _, after := range []bool{false, true} {
							if !killed(t, store, request, end, at, after) {
								if at < 4 {
									t.Fatalf("only %d writes were seen", at-1)
								}
								return
							}
						}
					}
				})
			}
		}
	}
}

// killed runs one case; false where the request makes fewer writes.
func killed(t *testing.T, store, request, end string, at int, after bool) bool {
	k := newKeeping(t, store)
	send := k.start
	if request == "input" {
		if status := k.start(); status != 202 {
			t.Fatalf("started: %d", status)
		}
		id := k.open()[0].ID
		k.await(journeys.AwaitInput{Journey: id, Token: "t1", Accepts: []string{"word"}, Days: 3})
		send = func() int { return k.input(id) }
	}
	k.writes, k.at, k.after = 0, at, after
	status := send()
	if !k.died {
		return false
	}
	if status == 202 {
		t.Errorf("%s: answered %d", fmt.Sprint(at, after), status)
	}
	k.died, k.at = false, 0
	k.wantKept()
	switch end {
	case "repeat":
		if status := send(); status != 202 {
			t.Errorf("%s: the repeat was answered %d", fmt.Sprint(at, after), status)
		}
		if n := len(k.open()); n != 1 {
			t.Errorf("%s: %d journeys", fmt.Sprint(at, after), n)
		}
	case "resume":
		if err := k.Resume(t.Context(), k.ledger.OpenJourneys(t.Context())); err != nil {
			t.Error(err)
		}
	}
	k.wantKept()
	k.wantSwept()
	return true
}

// A repeat at any moment of a start begins no execution whose documents aren't there yet; checkedStarts fails it.
func TestConcurrentRepeatOfAStart(t *testing.T) {
	for _, store := range []string{"bolt", "s3"} {
		for at := 1; at < 20; at++ {
			k := newKeeping(t, store)
			k.between = func(write int) {
				if write != at {
					return
				}
				if status := k.start(); status != 202 {
					t.Errorf("the repeat at write %d was answered %d", at, status)
				}
			}
			if status := k.start(); status != 202 {
				t.Errorf("answered %d", status)
			}
			k.between = nil
			if n := len(k.open()); n != 1 {
				t.Errorf("%d journeys", n)
			}
			k.wantKept()
			k.wantSwept()
		}
	}
}

// A repeat finds its journey also where what it was given goes while the repeat is under way.
func TestRepeatWhileDocumentsGo(t *testing.T) {
	for at := 1; at < 8; at++ {
		k := newKeeping(t, "bolt")
		if status := k.start(); status != 202 {
			t.Fatalf("answered %d", status)
		}
		k.writes, k.between = 0, func(write int) {
			if write != at {
				return
			}
			for _, id := range []string{"file", "number"} {
				if err := k.Vault.Delete(t.Context(), "acme", id); err != nil {
					t.Error(err)
				}
			}
		}
		if status := k.start(); status != 202 || len(k.open()) != 1 {
			t.Errorf("at write %d answered %d, %d journeys", at, status, len(k.open()))
		}
	}
}

// Whichever of two journeys that were given one document ends first, the other keeps what it was given.
func TestDocumentOfTwoJourneys(t *testing.T) {
	k := newKeeping(t, "bolt")
	for _, key := range []string{"first", "second"} {
		detail := `{"tenant":"acme","type":"test","idempotency_key":"` + key + `","input":{"file":{"document_id":"file"}}}`
		if err := k.Requested(t.Context(), []byte(detail)); err != nil {
			t.Fatal(err)
		}
	}
	both := k.open()
	if len(both) != 2 {
		t.Fatalf("%d journeys", len(both))
	}
	finish := func(id string) {
		t.Helper()
		if err := k.Finish(
			t.Context(), journeys.FinishInput{Tenant: "acme", Journey: id, Status: ledger.JourneySucceeded},
		); err != nil {
			t.Fatal(err)
		}
	}
	finish(both[0].ID)
	ids := vault.References(both[1].Input)
	for _, id := range ids {
		if _, err := k.Vault.Get(t.Context(), "acme", id); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
	if len(ids) != 4 { // the body, two of a list, the number
		t.Errorf("the second one refers to %q", ids)
	}
	if status := k.start(); status != 400 { // the first one's end has erased what the caller had put there
		t.Errorf("a third start was answered %d", status)
	}
	finish(both[1].ID)
	if n := k.count(); n != 0 {
		t.Errorf("%d blobs are left", n)
	}
}

// What leads to nothing is refused before anything is put or started.
func TestDocumentThatLeadsNowhere(t *testing.T) {
	k := newKeeping(t, "bolt")
	if err := k.Vault.Put(t.Context(), "globex", "theirs", []byte(`1`), k.now.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	k.create("j")
	k.await(journeys.AwaitInput{Journey: "j", Token: "t1", Accepts: []string{"word"}, Days: 1})
	k.writes = 0
	for _, body := range []string{
		`{"file":{"document_id":"theirs"}}`, `{"name":{"document_id":"theirs"}}`, `{"a":[{"file":{"document_id":"none"}}]}`,
	} {
		got := k.call(k.StartHandler(), map[string]string{"type": "test"}, body)
		given := k.call(k.Input(), map[string]string{"id": "j"}, `{"kind":"word",`+body[1:])
		for _, got := range []struct{ code, body string }{
			{got.Headers["Gateway-Error"], got.Body}, {given.Headers["Gateway-Error"], given.Body},
		} {
			if got.code != "document_not_found" || !strings.Contains(got.body, `"detail":"/`) {
				t.Errorf("%s: %s", body, got.body)
			}
		}
	}
	// of a document that only its use opens
	for _, nested := range []string{`{"document_id":"none"}`, `{"a":[{"document_id":"theirs"}]}`, `{"document_id":"deep"}`} {
		for id, text := range map[string]string{"scan": nested, "deep": `{"document_id":"none"}`} {
			if err := k.Vault.Put(t.Context(), "acme", id, []byte(text), k.now.Add(time.Hour)); err != nil {
				t.Fatal(err)
			}
		}
		k.writes = 0
		for _, got := range []events.APIGatewayV2HTTPResponse{
			k.call(k.StartHandler(), map[string]string{"type": "test"}, `{"file":{"document_id":"scan"}}`),
			k.call(k.Input(), map[string]string{"id": "j"}, `{"kind":"word","file":{"document_id":"scan"}}`),
		} {
			if got.Headers["Gateway-Error"] != "document_not_found" || !strings.Contains(got.Body, `"detail":"/file`) ||
				k.writes != 0 {
				t.Errorf("%s: %d %s after %d writes", nested, got.StatusCode, got.Body, k.writes)
			}
		}
	}
	// of a value that only its use opens
	for _, nested := range []string{`{"document_id":"none"}`, `[{"document_id":"theirs"}]`} {
		if err := k.Vault.Put(t.Context(), "acme", "number", []byte(nested), k.now.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		if got := k.call(k.StartHandler(), map[string]string{"type": "test"}, `{}`); got.StatusCode != 400 ||
			!strings.Contains(got.Body, `"detail":"/number: leads to no document`) {
			t.Errorf("%s: %d %s", nested, got.StatusCode, got.Body)
		}
	}
	if err := k.Vault.Delete(t.Context(), "acme", "number"); err != nil {
		t.Fatal(err)
	}
	k.writes = 0
	if got := k.call(k.StartHandler(), map[string]string{"type": "test"}, `{}`); got.StatusCode != 400 ||
		!strings.Contains(got.Body, `"detail":"/number: leads to no document`) {
		t.Errorf("%d %s", got.StatusCode, got.Body)
	}
	if k.writes != 0 || len(k.o.inputs) != 0 || len(k.open()) != 1 {
		t.Errorf("%d writes, started %q", k.writes, k.o.inputs)
	}
}
