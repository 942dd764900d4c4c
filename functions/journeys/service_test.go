package journeys_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/go-json-experiment/json/jsontext"

	"sallyport/functions/journeys"
	"sallyport/shared/bolt"
	"sallyport/shared/callback"
	"sallyport/shared/gateway"
	"sallyport/shared/journey"
	"sallyport/shared/ledger"
	ledgerbolt "sallyport/shared/ledger/bolt"
	"sallyport/shared/operation"
	"sallyport/shared/operation/task"
	orchestration "sallyport/shared/orchestrator"
	"sallyport/shared/seal"
	"sallyport/shared/secrets"
	"sallyport/shared/vault"
	vaultbolt "sallyport/shared/vault/bolt"
)

const record = "test/record/1"

// starting is an orchestrator that notes what executions are started with, and takes one answer for each token.
type starting struct {
	inputs  []string
	answers []string
	taken   map[string]bool
	err     error
}

func (o *starting) Start(_ context.Context, machine, name string, input []byte) error {
	o.inputs = append(o.inputs, string(input))
	return o.err
}

func (o *starting) Stop(context.Context, string, string, string) error { return o.err }

func (o *starting) Answer(_ context.Context, token string, output []byte) error {
	switch {
	case o.err != nil:
		return o.err
	case o.taken[token]:
		return orchestration.ErrGone
	}
	o.taken[token] = true
	o.answers = append(o.answers, token+" "+string(output))
	return nil
}

// secretOf has the credentials of the partner "test".
type secretOf struct{}

func (secretOf) Secret(_ context.Context, name string) ([]byte, error) {
	if name == "sallyport/test/partners/test" {
		return []byte("secret"), nil
	}
	return nil, secrets.ErrNotFound
}

// stack is the service on real adapters, with one type of journey, "test".
type stack struct {
	*journeys.Service
	t      *testing.T
	ledger *ledgerbolt.Ledger
	o      *starting
	ring   *seal.Ring
	now    time.Time
	fields func(journey.Start) (journey.Fields, error)
}

func newStack(t *testing.T) *stack {
	t.Helper()
	s := &stack{t: t, o: &starting{taken: map[string]bool{}}, now: time.Date(2026, 5, 1, 10, 0, 0, 0, time.UTC)}
	db, err := bolt.Open(filepath.Join(t.TempDir(), "test.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if s.ledger, err = ledgerbolt.New(db); err != nil {
		t.Fatal(err)
	}
	blobs, err := vaultbolt.New(db)
	if err != nil {
		t.Fatal(err)
	}
	if s.ring, err = seal.NewRing(seal.GenerateKeys()); err != nil {
		t.Fatal(err)
	}
	clock := func() time.Time { return s.now }
	s.ledger.Now, blobs.Now = clock, clock
	rings := func(context.Context) (*seal.Ring, error) { return s.ring, nil }
	s.Service = &journeys.Service{
		Ledger: s.ledger, Orchestrator: s.o, Ring: rings, Vault: &vault.Vault{Blobs: blobs, Ring: rings},
		Secrets: secrets.NewCache(secretOf{}, "test", clock),
		Auth:    gateway.NewAuthenticator(s.ledger, clock), Log: slog.New(slog.DiscardHandler), Now: clock,
		NewID: operation.NewID,
		Types: []journey.Type{{
			Name: "test", Partner: "test", Lasts: 60 * 24 * time.Hour,
			Start: func(_ context.Context, start journey.Start) (journey.Fields, error) { return s.fields(start) },
			Outcome: func(answer gateway.Reply, refs map[string]string, wanted []string) ([]byte, error) {
				switch text := string(answer.Body); text {
				case "wanted":
					return json.Marshal(map[string]any{"wanted": wanted})
				case "nothing":
					return nil, nil
				case "broken":
					return nil, errors.New("broken")
				default:
					return fmt.Appendf(nil, `{"said":%q,"ref":%q}`, text, refs["ref"]), nil
				}
			},
			Inputs: map[string]func(context.Context, journey.Start) (journey.Fields, error){
				"word": func(context.Context, journey.Start) (journey.Fields, error) { return journey.Fields{}, nil },
			},
		}},
	}
	if err := s.ledger.PutCaller(
		t.Context(), ledger.Caller{KeyHash: gateway.HashKey("k"), Tenant: "acme", Scopes: []string{"*"}},
	); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *stack) create(id string) {
	s.t.Helper()
	if _, err := s.ledger.CreateJourney(
		s.t.Context(), "key of "+id,
		ledger.Journey{ID: id, Tenant: "acme", Type: "test", Status: ledger.JourneyRunning, CreatedAt: s.now},
	); err != nil {
		s.t.Fatal(err)
	}
}

func (s *stack) journey(id string) ledger.Journey {
	s.t.Helper()
	j, err := s.ledger.Journey(s.t.Context(), "acme", id)
	if err != nil {
		s.t.Fatal(err)
	}
	return j
}

func (s *stack) await(in journeys.AwaitInput) {
	s.t.Helper()
	in.Tenant = "acme"
	if err := s.Await(s.t.Context(), in); err != nil {
		s.t.Fatal(err)
	}
}

func (s *stack) waiters() []ledger.Waiter {
	s.t.Helper()
	c, err := s.ledger.Correlation(s.t.Context(), record)
	if err != nil {
		s.t.Fatal(err)
	}
	return c.Waiters
}

func (s *stack) tell(code string) error {
	x := callback.Correlator{Ledger: s.ledger, Orchestrator: s.o, Ring: s.Ring, Log: s.Log, Now: s.Now}
	return x.Publish(s.t.Context(), callback.Event{Record: record, Codes: map[string]string{"status": code}})
}

// call sends a request to a route.
func (s *stack) call(route lambda.Handler, params map[string]string, body string) events.APIGatewayV2HTTPResponse {
	s.t.Helper()
	return s.callBy("i", route, params, body)
}

// callBy sends it with an Idempotency-Key.
func (s *stack) callBy(
	key string, route lambda.Handler, params map[string]string, body string,
) events.APIGatewayV2HTTPResponse {
	s.t.Helper()
	payload, err := json.Marshal(
		events.APIGatewayV2HTTPRequest{
			Headers: map[string]string{"x-api-key": "k", "idempotency-key": key}, PathParameters: params, Body: body,
		},
	)
	if err != nil {
		s.t.Fatal(err)
	}
	out, err := route.Invoke(s.t.Context(), payload)
	if err != nil {
		s.t.Fatal(err)
	}
	var got events.APIGatewayV2HTTPResponse
	if err := json.Unmarshal(out, &got); err != nil {
		s.t.Fatal(err)
	}
	return got
}

// begin starts a journey with such fields, and returns what its execution was started with.
func (s *stack) begin(fields journey.Fields) (id string, input map[string]jsontext.Value) {
	s.t.Helper()
	s.fields = func(journey.Start) (journey.Fields, error) { return fields, nil }
	got := s.call(s.StartHandler(), map[string]string{"type": "test"}, `{}`)
	if got.StatusCode != 202 || len(s.o.inputs) == 0 {
		s.t.Fatalf("started %q, answered %d %s", s.o.inputs, got.StatusCode, got.Body)
	}
	text := s.o.inputs[len(s.o.inputs)-1]
	if err := json.Unmarshal([]byte(text), &input); err != nil {
		s.t.Fatal(err)
	}
	if err := json.Unmarshal(input["journey_id"], &id); err != nil {
		s.t.Fatal(err)
	}
	return id, input
}

func isTaskError[E error](err error, message string) bool {
	var e E
	return errors.As(err, &e) && e.Error() == message
}

// A journey that waits for a partner is told what the partner has said, in whichever order the two come.
func TestAwaitOfARecord(t *testing.T) {
	s := newStack(t)
	s.create("j")
	wait := journeys.AwaitInput{
		Journey: "j", Token: "t1", Kind: "compliance", Record: record, Seconds: 600, Days: 2, Reason: "held",
		Details: map[string]string{"ecrn": "1"},
	}
	s.await(wait)
	j := s.journey("j")
	if a := j.Awaiting; j.Status != ledger.JourneyWaiting || j.Reason != "held" || a.Record != record ||
		a.Kind != "compliance" || a.Token != "t1" || len(a.Accepts) != 0 ||
		!a.ExpiresAt.Equal(s.now.Add(48*time.Hour+10*time.Minute)) || a.Details["ecrn"] != "1" {
		t.Errorf("waits for %+v as %+v", a, j)
	}
	if got := s.waiters(); len(got) != 1 || got[0] != (ledger.Waiter{Tenant: "acme", Journey: "j"}) {
		t.Errorf("waiters %v", got)
	}
	s.now = s.now.Add(time.Hour)
	s.await(wait) // its first answer was lost
	if again := s.journey("j"); !reflect.DeepEqual(again, j) {
		t.Errorf("the repeat made %+v", again)
	}
	if err := s.tell("ok"); err != nil || !slices.Equal(s.o.answers, []string{`t1 {"kind":"callback","status":"ok"}`}) {
		t.Errorf("told %q, %v", s.o.answers, err)
	}
	wait.Token = "t2" // the partner says the same to whoever asks
	s.await(wait)
	if len(s.o.answers) != 1 || s.journey("j").Awaiting.Token != "t2" || len(s.waiters()) != 1 {
		t.Errorf("told %q, waiters %v", s.o.answers, s.waiters())
	}

	t.Run("EventThatIsThere", func(t *testing.T) {
		s.create("k")
		s.o.err = errors.New("down")
		in := journeys.AwaitInput{Tenant: "acme", Journey: "k", Token: "t3", Record: record, Days: 1}
		if err := s.Await(t.Context(), in); !isTaskError[task.Unavailable](err, "ledger_unavailable") {
			t.Errorf("got %v", err)
		}
		s.o.err = nil
		s.await(in) // the state machine's retry
		if len(s.o.answers) != 2 || s.o.answers[1] != `t3 {"kind":"callback","status":"ok"}` {
			t.Errorf("told %q", s.o.answers)
		}
	})
	t.Run("Scaled", func(t *testing.T) {
		s.create("l")
		s.TimeScale = 86400
		defer func() { s.TimeScale = 0 }()
		s.await(journeys.AwaitInput{Journey: "l", Token: "t4", Record: record, Days: 5})
		if got := s.journey("l").Awaiting.ExpiresAt; !got.Equal(s.now.Add(5 * time.Second)) {
			t.Errorf("waits until %s", got)
		}
	})
	t.Run("OfAPerson", func(t *testing.T) {
		s.create("m")
		before := len(s.waiters())
		s.await(journeys.AwaitInput{Journey: "m", Token: "t5", Accepts: []string{"word"}, Seconds: 1})
		if len(s.waiters()) != before {
			t.Errorf("waiters %v", s.waiters())
		}
	})
	t.Run("OfNoJourney", func(t *testing.T) {
		before := len(s.waiters())
		if err := s.Await(
			t.Context(), journeys.AwaitInput{Tenant: "globex", Journey: "j", Token: "t6", Record: record},
		); !isTaskError[task.InvalidInput](err, "not_found") {
			t.Errorf("got %v", err)
		}
		if len(s.waiters()) != before {
			t.Errorf("waiters %v", s.waiters())
		}
	})
}

// Whoever ends a journey takes it off the list of those that wait for the partner.
func TestEndLeavesTheList(t *testing.T) {
	for name, end := range map[string]func(s *stack) error{
		"Finish": func(s *stack) error {
			return s.Finish(s.t.Context(), journeys.FinishInput{Tenant: "acme", Journey: "j", Status: ledger.JourneySucceeded})
		},
		"Cancel": func(s *stack) error {
			if got := s.call(s.Cancel(), map[string]string{"id": "j"}, ""); got.StatusCode != 200 {
				return errors.New(got.Body)
			}
			return nil
		},
		"Settle": func(s *stack) error {
			return s.Settle(
				s.t.Context(), orchestration.StatusChange{Name: "j", Status: "TIMED_OUT", Input: `{"tenant":"acme"}`},
			)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStack(t)
			s.create("j")
			s.await(journeys.AwaitInput{Journey: "j", Token: "t1", Record: record, Days: 1})
			if err := end(s); err != nil {
				t.Fatal(err)
			}
			if j := s.journey("j"); len(s.waiters()) != 0 || j.Awaiting != nil || !j.Status.Ended() {
				t.Errorf("waiters %v, journey %+v", s.waiters(), j)
			}
			if err := s.Await(
				t.Context(), journeys.AwaitInput{Tenant: "acme", Journey: "j", Token: "t2", Record: record},
			); err != nil || len(s.waiters()) != 0 {
				t.Errorf("an ended journey waits: %v, %v", s.waiters(), err)
			}
			if err := s.tell("ok"); err != nil || len(s.o.answers) != 0 {
				t.Errorf("told %q, %v", s.o.answers, err)
			}
		})
	}
}

// While a journey waits for word from the partner, a person's word is none.
func TestInputToAWaitThatAcceptsNothing(t *testing.T) {
	s := newStack(t)
	s.create("j")
	s.await(journeys.AwaitInput{Journey: "j", Token: "t1", Record: record, Days: 1})
	for _, kind := range []string{"word", "otp", "callback"} {
		got := s.call(s.Input(), map[string]string{"id": "j"}, `{"kind":"`+kind+`"}`)
		if got.StatusCode != 409 || got.Headers["Gateway-Error"] != "other_kind" ||
			!strings.Contains(got.Body, "the journey waits for word from the partner") {
			t.Errorf("%s: %d %s", kind, got.StatusCode, got.Body)
		}
	}
	if j := s.journey("j"); j.Status != ledger.JourneyWaiting || len(j.Inputs) != 0 || len(s.o.answers) != 0 {
		t.Errorf("journey %+v, handed over %q", j, s.o.answers)
	}
	s.create("k")
	s.await(journeys.AwaitInput{Journey: "k", Token: "t2", Accepts: []string{"word"}, Seconds: 60})
	if got := s.call(s.Input(), map[string]string{"id": "k"}, `{"kind":"word"}`); got.StatusCode != 202 ||
		len(s.o.answers) != 1 {
		t.Errorf("%d %s", got.StatusCode, got.Body)
	}
}

// transaction writes a call's record with an answer, or with none.
func (s *stack) transaction(id, answer string, refs map[string]string) {
	s.t.Helper()
	t := ledger.Transaction{
		ID: id, Tenant: "acme", Operation: "test/read", Journey: "j", Step: "S", State: ledger.Done, Attempt: id,
		ClaimedAt: s.now, EndedAt: s.now, ExpiresAt: s.now.Add(ledger.Retention), Refs: refs,
	}
	if answer != "" {
		t.Reply = &ledger.Reply{
			Status: 200, ContentType: "application/json", Body: s.ring.Seal("transaction/"+id, []byte(answer)),
		}
	}
	if err := s.ledger.Record(s.t.Context(), t); err != nil {
		s.t.Fatal(err)
	}
}

// The outcome is made of the first of several answers that tells something.
func TestOutcomeOfSeveralTransactions(t *testing.T) {
	for name, test := range map[string]struct {
		transaction  string
		transactions []string
		outcome, ref string
	}{
		"One":          {"first", nil, `{"said":"one","ref":"r1"}`, "r1"},
		"First":        {"", []string{"first", "second"}, `{"said":"one","ref":"r1"}`, "r1"},
		"InTheirOrder": {"", []string{"second", "first"}, `{"said":"two","ref":"r2"}`, "r2"},
		"SkipsTheRest": {
			"", []string{"expired", "unanswered", "nothing", "nobody", "foreign", "second", "first"},
			`{"said":"two","ref":"r2"}`, "r2",
		},
		"TheOneComesLast":  {"first", []string{"second"}, `{"said":"two","ref":"r2"}`, "r2"},
		"TheOneAfterAll":   {"first", []string{"nothing"}, `{"said":"one","ref":"r1"}`, "r1"},
		"NothingTold":      {"", []string{"nothing", "expired", "unanswered"}, "", ""},
		"None":             {"", nil, "", ""},
		"BrokenIsNotAsked": {"", []string{"first", "broken"}, `{"said":"one","ref":"r1"}`, "r1"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStack(t)
			s.transaction("expired", "late", map[string]string{"ref": "r0"})
			s.now = s.now.Add(ledger.Retention)
			s.create("j")
			s.transaction("first", "one", map[string]string{"ref": "r1"})
			s.transaction("second", "two", map[string]string{"ref": "r2"})
			s.transaction("nothing", "nothing", map[string]string{"ref": "r3"})
			s.transaction("unanswered", "", map[string]string{"ref": "r4"})
			s.transaction("broken", "broken", nil)
			if err := s.ledger.Record(
				t.Context(),
				ledger.Transaction{
					ID: "foreign", Tenant: "globex", Operation: "test/read", State: ledger.Done, Attempt: "f", ClaimedAt: s.now,
					ExpiresAt: s.now.Add(time.Hour),
				},
			); err != nil {
				t.Fatal(err)
			}
			in := journeys.FinishInput{
				Tenant: "acme", Journey: "j", Status: ledger.JourneySucceeded, Reason: "done", Transaction: test.transaction,
				Transactions: test.transactions,
			}
			for range 2 { // a repeat changes nothing
				if err := s.Finish(t.Context(), in); err != nil {
					t.Fatal(err)
				}
			}
			var view struct {
				Status, Reason string
				Outcome        json.RawMessage
			}
			got := s.call(s.Get(), map[string]string{"id": "j"}, "")
			if err := json.Unmarshal([]byte(got.Body), &view); err != nil {
				t.Fatal(err)
			}
			j := s.journey("j")
			if view.Status != "SUCCEEDED" || view.Reason != "done" || string(view.Outcome) != test.outcome ||
				j.Refs["ref"] != test.ref || strings.Contains(string(j.Outcome), "said") {
				t.Errorf("got %s, references %v, want %s", got.Body, j.Refs, test.outcome)
			}
		})
	}
	for name, test := range map[string]struct {
		in      journeys.FinishInput
		outcome string
	}{
		"Wanted": {journeys.FinishInput{Transaction: "wanted", Claims: []string{"name"}}, `{"wanted":["name"]}`},
		"GivenByIt": {
			journeys.FinishInput{Outcome: map[string]any{"skipped": true, "reason": "said-so"}},
			`{"reason":"said-so","skipped":true}`,
		},
		"GivenFirst": {
			journeys.FinishInput{Transaction: "wanted", Outcome: map[string]any{"reason": "said-so"}}, `{"reason":"said-so"}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStack(t)
			s.create("j")
			s.transaction("wanted", "wanted", nil)
			test.in.Tenant, test.in.Journey, test.in.Status = "acme", "j", ledger.JourneySucceeded
			if err := s.Finish(t.Context(), test.in); err != nil {
				t.Fatal(err)
			}
			var view struct{ Outcome json.RawMessage }
			if got := s.call(s.Get(), map[string]string{"id": "j"}, ""); json.Unmarshal([]byte(got.Body), &view) != nil ||
				string(view.Outcome) != test.outcome {
				t.Errorf("got %s", got.Body)
			}
			if j := s.journey("j"); strings.Contains(string(j.Outcome), "said-so") {
				t.Error("it is not sealed")
			}
		})
	}
	t.Run("Broken", func(t *testing.T) {
		s := newStack(t)
		s.create("j")
		s.transaction("broken", "broken", nil)
		if err := s.Finish(
			t.Context(),
			journeys.FinishInput{Tenant: "acme", Journey: "j", Status: ledger.JourneyRejected, Transactions: []string{"broken"}},
		); !isTaskError[task.Unavailable](err, "ledger_unavailable") {
			t.Errorf("got %v", err)
		}
		if s.journey("j").Status.Ended() {
			t.Error("ended without its outcome")
		}
	})
}

// What identifies somebody is kept, piece by piece, as long as the journey may last; everything else for a day.
// TestFinishByCause: a state machine hands over the error that it caught, whose message is the reason.
func TestFinishByCause(t *testing.T) {
	for cause, want := range map[string]string{
		`{"errorMessage":"mobile_not_linked","errorType":"Refused"}`: "mobile_not_linked",
		`{"errorMessage":"","errorType":"Refused"}`:                  "",
	} {
		s := newStack(t)
		s.create("j")
		err := s.Finish(t.Context(), journeys.FinishInput{
			Tenant: "acme", Journey: "j", Status: ledger.JourneyRejected, Cause: cause,
		})
		if j := s.journey("j"); err != nil || j.Reason != want || j.Status != ledger.JourneyRejected {
			t.Errorf("%s: %v, the journey is %s: %s", cause, err, j.Status, j.Reason)
		}
	}
	s := newStack(t)
	s.create("j")
	err := s.Finish(t.Context(), journeys.FinishInput{
		Tenant: "acme", Journey: "j", Status: ledger.JourneyRejected, Cause: "from Lambda",
	})
	if !isTaskError[task.InvalidInput](err, "cause") || s.journey("j").Status.Ended() {
		t.Errorf("a cause that is no JSON: %v", err)
	}
}

func TestListsAndHeldDocuments(t *testing.T) {
	s := newStack(t)
	put := func(id string) {
		t.Helper()
		if err := s.Vault.Put(t.Context(), "acme", id, []byte(`"given"`), s.now.Add(90*24*time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range []string{"held-1", "held-2", "given", "elsewhere"} {
		put(id)
	}
	id, input := s.begin(journey.Fields{
		Plain: map[string]any{"update": false}, Sealed: map[string]any{"customer": map[string]string{"name": "NOOR"}},
		Lists:      map[string][]any{"ids": {map[string]string{"n": "1"}, "two"}, "none": {}},
		References: map[string]string{"photo": "given"}, AlsoErase: []string{"held-2", "held-1", "held-2"},
		HasPersonalData: true,
	})
	if strings.Contains(s.o.inputs[0], "NOOR") || strings.Contains(s.o.inputs[0], "two") {
		t.Errorf("started with %s", s.o.inputs[0])
	}
	names := slices.Sorted(maps.Keys(input))
	if got := strings.Join(names, " "); got != "customer ids journey_id none photo tenant update" ||
		string(input["none"]) != "[]" || len(vault.References(input["photo"])) != 1 ||
		string(input["update"]) != "false" {
		t.Errorf("started with %s", s.o.inputs[0])
	}
	customer, ids, photo := vault.References(input["customer"]), vault.References(input["ids"]),
		vault.References(input["photo"])[0]
	if photo == "given" {
		t.Error("the journey keeps no copy of its own")
	}
	if got, err := s.Vault.Get(t.Context(), "acme", photo); err != nil || string(got) != `"given"` {
		t.Errorf("the copy is %s, %v", got, err)
	}
	if len(customer) != 1 || len(ids) != 2 {
		t.Fatalf("started with %s", s.o.inputs[0])
	}
	want := map[string]string{customer[0]: `{"name":"NOOR"}`, ids[0]: `{"n":"1"}`, ids[1]: `"two"`}
	wants := func(kept ...string) {
		t.Helper()
		for id, value := range want {
			got, err := s.Vault.Get(t.Context(), "acme", id)
			if slices.Contains(kept, id) && (err != nil || string(got) != value) ||
				!slices.Contains(kept, id) && !errors.Is(err, vault.ErrNotFound) {
				t.Errorf("at %s %s is %s, %v", s.now, id, got, err)
			}
		}
	}
	wants(customer[0], ids[0], ids[1])
	if got := s.journey(id).Documents; !slices.Equal(
		got, slices.Sorted(slices.Values([]string{customer[0], ids[0], ids[1], photo, "given", "held-1", "held-2"})),
	) {
		t.Errorf("documents %q", got)
	}
	began := s.now
	s.now = began.Add(24 * time.Hour)
	wants(ids[0], ids[1])
	s.now = began.Add(60*24*time.Hour - time.Second)
	wants(ids[0], ids[1])
	if err := s.Finish(
		t.Context(), journeys.FinishInput{Tenant: "acme", Journey: id, Status: ledger.JourneyFailed},
	); err != nil {
		t.Fatal(err)
	}
	wants()
	for document, erased := range map[string]bool{"held-1": true, "held-2": true, "given": true, "elsewhere": false} {
		if _, err := s.Vault.Get(t.Context(), "acme", document); errors.Is(err, vault.ErrNotFound) != erased {
			t.Errorf("%s: %v", document, err)
		}
	}
}

func TestListsExpire(t *testing.T) {
	for lasts, kept := range map[time.Duration]time.Duration{
		0: 24 * time.Hour, time.Hour: time.Hour, 60 * 24 * time.Hour: 60 * 24 * time.Hour,
	} {
		s := newStack(t)
		s.Types[0].Lasts = lasts
		_, input := s.begin(journey.Fields{Lists: map[string][]any{"ids": {"one"}}})
		id := vault.References(input["ids"])[0]
		s.now = s.now.Add(kept - time.Second)
		if _, err := s.Vault.Get(t.Context(), "acme", id); err != nil {
			t.Errorf("of a type that lasts %s: %v", lasts, err)
		}
		s.now = s.now.Add(time.Second)
		if _, err := s.Vault.Get(t.Context(), "acme", id); !errors.Is(err, vault.ErrNotFound) {
			t.Errorf("of a type that lasts %s, after its time: %v", lasts, err)
		}
	}
}

// Events lie in places that may hold no personal data; a body may.
func TestPersonalDataInAnEvent(t *testing.T) {
	s := newStack(t)
	detail := []byte(`{"tenant":"acme","type":"test","idempotency_key":"i","input":{}}`)
	s.fields = func(journey.Start) (journey.Fields, error) {
		return journey.Fields{Sealed: map[string]any{"a": "x"}, HasPersonalData: true}, nil
	}
	if err := s.Requested(t.Context(), detail); !isTaskError[task.InvalidInput](
		err, "/input: must hold references to documents, no personal data",
	) || len(s.o.inputs) != 0 {
		t.Errorf("got %v, started %q", err, s.o.inputs)
	}
	s.fields = func(journey.Start) (journey.Fields, error) {
		return journey.Fields{Sealed: map[string]any{"a": "x"}}, nil // it came by reference
	}
	if err := s.Requested(t.Context(), detail); err != nil || len(s.o.inputs) != 1 {
		t.Errorf("got %v, started %q", err, s.o.inputs)
	}
}

// A tenant's name in an event follows the rule of those that are registered.
func TestTenantOfAnEvent(t *testing.T) {
	s := newStack(t)
	s.fields = func(journey.Start) (journey.Fields, error) { return journey.Fields{}, nil }
	for _, tenant := range []string{"", "acme:x", "a/b", "a b", "acme#", "é", strings.Repeat("x", 65)} {
		err := s.Requested(t.Context(), []byte(`{"tenant":"`+tenant+`","type":"test","idempotency_key":"i","input":{}}`))
		if want := "/tenant: " + ledger.CheckTenant(tenant).Error(); !isTaskError[task.InvalidInput](err, want) {
			t.Errorf("%q: %v, want %s", tenant, err, want)
		}
	}
	if len(s.o.inputs) != 0 {
		t.Errorf("started %q", s.o.inputs)
	}
}

// TestSameRequest: a repeat of a start or of an input is known by its JSON, in which no number is rounded.
func TestSameRequest(t *testing.T) {
	const first = `{"kind":"word","a":9007199254740992,"b":{"c":[1,"\u0061"]}}`
	for body, same := range map[string]bool{
		first: true,
		"{ \"b\":\n{\"c\":[1,\"a\"]}, \"a\":9007199254740992,\"kind\":\"word\" }":    true,
		`{"kind":"word","a":9007199254740993,"b":{"c":[1,"a"]}}`:                     false,
		`{"kind":"word","a":9007199254740992,"b":{"c":[1.0000000000000000001,"a"]}}`: false,
		`{"kind":"word","a":9007199254740992,"b":{"c":["a",1]}}`:                     false,
	} {
		s := newStack(t)
		s.fields = func(journey.Start) (journey.Fields, error) { return journey.Fields{}, nil }
		want := map[bool]int{true: 202, false: 422}[same]
		start := map[string]string{"type": "test"}
		s.call(s.StartHandler(), start, first)
		if got := s.call(s.StartHandler(), start, body); got.StatusCode != want {
			t.Errorf("a start repeated as %s: %d %s, want %d", body, got.StatusCode, got.Body, want)
		}
		s.create("j")
		s.await(journeys.AwaitInput{Journey: "j", Token: "t", Kind: "word", Accepts: []string{"word"}, Seconds: 60})
		s.call(s.Input(), map[string]string{"id": "j"}, first)
		if got := s.call(s.Input(), map[string]string{"id": "j"}, body); got.StatusCode != want {
			t.Errorf("an input repeated as %s: %d %s, want %d", body, got.StatusCode, got.Body, want)
		}
	}
}

func TestMaxBody(t *testing.T) {
	body := func(size int) string { return `{"a":"` + strings.Repeat("x", size-len(`{"a":""}`)) + `"}` }
	for _, test := range []struct{ limit, size, status int }{
		{0, 64 << 10, 202}, {0, 64<<10 + 1, 413}, {100, 100, 202}, {100, 101, 413}, {1 << 20, 1 << 20, 202},
		{1 << 20, 1<<20 + 1, 413},
	} {
		s := newStack(t)
		s.fields = func(journey.Start) (journey.Fields, error) { return journey.Fields{}, nil }
		s.Types[0].MaxBody = int64(test.limit)
		got := s.call(s.StartHandler(), map[string]string{"type": "test"}, body(test.size))
		if got.StatusCode != test.status || test.status == 413 && got.Headers["Gateway-Error"] != "too_large" {
			t.Errorf("%d bytes of %d: %d %s", test.size, test.limit, got.StatusCode, got.Body)
		}
	}
}

// A type opens references in the body by what its tenant has put into the vault.
func TestOpen(t *testing.T) {
	s := newStack(t)
	for id, document := range map[string]string{
		"name": `"NOOR"`, "text": `no JSON`, "long": `"` + strings.Repeat("x", 10_000) + `"`,
		"many": "[" + strings.Repeat(`{"document_id":"name"},`, 200) + "1]",
	} {
		if err := s.Vault.Put(t.Context(), "acme", id, []byte(document), s.now.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Vault.Put(t.Context(), "globex", "theirs", []byte(`"x"`), s.now.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := s.Vault.Put(t.Context(), "acme", "expired", []byte(`"x"`), s.now); err != nil {
		t.Fatal(err)
	}
	var opened, secret string
	s.fields = func(start journey.Start) (journey.Fields, error) {
		secret = string(start.Secret)
		text, err := start.Open(t.Context(), start.Body, 8_000, func(p jsontext.Pointer) bool { return p == "/file" })
		opened = string(text)
		return journey.Fields{}, gateway.Under("/at", err)
	}
	for body, want := range map[string]string{
		`{"name":{"document_id":"name"},"file":{"document_id":"name"}}`: "202 ",
		`{"name":{"document_id":"nowhere"}}`:                            "400 document_not_found /at/name: leads to no",
		`{"name":[{"document_id":"theirs"}]}`:                           "400 document_not_found /at/name/0: leads to no",
		`{"name":1,"file":{"document_id":"nowhere"}}`:                   "400 document_not_found /at/file: leads to no",
		`{"name":1,"file":{"document_id":"theirs"}}`:                    "400 document_not_found /at/file: leads to no",
		`{"name":1,"file":{"document_id":"expired"}}`:                   "400 document_not_found /at/file: leads to no",
		`{"name":{"document_id":"text"}}`:                               "422 document_not_json a document",
		`{"name":{"document_id":"long"}}`:                               "413 too_large with its documents",
		`{"name":{"document_id":"many"}}`:                               "400 too_many_documents /at/name/127: is one",
	} {
		got := s.call(s.Start(), map[string]string{"type": "test"}, body)
		var problem struct{ Detail string }
		_ = json.Unmarshal([]byte(got.Body), &problem)
		said := fmt.Sprintf("%d %s %s", got.StatusCode, got.Headers["Gateway-Error"], problem.Detail)
		if !strings.HasPrefix(said, want) {
			t.Errorf("%s: %s", body, said)
		}
		if want == "202 " && (!strings.HasPrefix(opened, `{"name":"NOOR","file":{"document_id":"`) || secret != "secret" ||
			vault.References([]byte(opened))[0] == "name") {
			t.Errorf("opened %s, secret %s", opened, secret)
		}
	}
}
