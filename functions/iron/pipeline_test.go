package iron_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/google/uuid"

	"sallyport/functions/iron"
	"sallyport/shared/bolt"
	"sallyport/shared/gateway"
	"sallyport/shared/ledger"
	ledgerbolt "sallyport/shared/ledger/bolt"
	"sallyport/shared/operation"
	"sallyport/shared/seal"
	"sallyport/shared/secrets"
	"sallyport/shared/upstream"
)

// account is a partner with a memory: customers, identifications, and the keys of a day (§3, §7, §9).
type account struct {
	url string
	now func() time.Time

	mu      sync.Mutex
	records []record
	stored  map[string]stored // by path and key
	keys    []string          // of the creations that arrived
	apiKeys []string          // of every request; the last one was rejected where it isn't apiKey
	apiKey  string
	next    func(create func() answer) (a answer, store bool) // what becomes of the next creation; nil for the usual
	hides   bool                                              // what was created does not show in lists yet
}

// record is a customer, or a customer's identification.
type record struct {
	id, customer, body string
	at                 time.Time
}

type stored struct {
	answer answer
	at     time.Time
}

func newAccount(t testing.TB, now func() time.Time) *account {
	a := &account{now: now, stored: map[string]stored{}, apiKey: "sk_sbx_demo"}
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	a.url = server.URL
	return a
}

func (a *account) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.apiKeys = append(a.apiKeys, r.Header.Get("X-Api-Key"))
	got := answer{401, "authorization error"}
	if r.Header.Get("X-Api-Key") == a.apiKey {
		if r.Method == http.MethodPost {
			got = a.post(r, string(body))
		} else {
			got = a.get(r)
		}
	}
	if got.status == 0 {
		panic(http.ErrAbortHandler)
	}
	w.WriteHeader(got.status)
	_, _ = w.Write([]byte(got.body))
}

func (a *account) post(r *http.Request, body string) answer {
	key := r.Header.Get("Idempotency-Key")
	a.keys = append(a.keys, key)
	if old, ok := a.stored[r.URL.Path+key]; ok && a.now().Sub(old.at) < 24*time.Hour {
		return old.answer
	}
	create := func() answer { return a.create(r.URL.Path, body) }
	got, store := answer{}, true
	if next := a.next; next != nil {
		a.next = nil
		got, store = next(create)
	} else {
		got = create()
	}
	if store {
		kept := got
		if got.status == 0 { // it was the answer that was lost
			kept = answer{201, a.records[len(a.records)-1].body}
		}
		a.stored[r.URL.Path+key] = stored{kept, a.now()}
	}
	return got
}

func (a *account) create(path, body string) answer {
	id := uuid.NewString()
	at := a.now().UTC().Format(time.RFC3339)
	parts := strings.Split(strings.Trim(path, "/"), "/")
	if len(parts) == 1 {
		var said map[string]any
		_ = json.Unmarshal([]byte(body), &said)
		said["id"], said["created_at"], said["status"] = id, at, "IdentificationRequired"
		text, _ := json.Marshal(said)
		a.records = append(a.records, record{id, "", string(text), a.now()})
		return answer{201, string(text)}
	}
	text := `{"id":"` + id + `","customer_id":"` + parts[1] + `","status":"Pending","created_at":"` + at + `","updated_at":"` + at + `"}`
	a.records = append(a.records, record{id, parts[1], text, a.now()})
	return answer{201, text}
}

func (a *account) get(r *http.Request) answer {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	var items []string
	for i := len(a.records) - 1; i >= 0 && !a.hides; i-- { // the newest first
		found := a.records[i]
		switch {
		case len(parts) == 2 && found.id == parts[1]:
			return answer{200, found.body}
		case len(parts) == 3 && parts[2] == "external" && strings.Contains(found.body, `"external_id":"`+parts[1]+`"`):
			return answer{200, found.body}
		case len(parts) == 3 && parts[2] == "identifications" && found.customer == parts[1],
			len(parts) == 1 && found.customer == "":
			items = append(items, found.body)
		}
	}
	if len(parts) == 1 || len(parts) == 3 && parts[2] == "identifications" {
		return answer{200, `{"items":[` + strings.Join(items, ",") + `]}`}
	}
	return answer{404, `"the partner's own words"`}
}

// by adds what did not come through the gateway.
func (a *account) by(path, body string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.create(path, body)
	return a.records[len(a.records)-1].id
}

// decide changes the status of everything that is pending.
func (a *account) decide(status string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i := range a.records {
		a.records[i].body = strings.Replace(a.records[i].body, `"status":"Pending"`, `"status":"`+status+`"`, 1)
	}
}

// on sets what becomes of the next creation.
func (a *account) on(next func(create func() answer) (answer, bool)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.next = next
}

func (a *account) rotate(key string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.apiKey = key
}

func (a *account) hide(hides bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.hides = hides
}

// count counts customers, or a customer's identifications, and the creations that arrived with how many keys.
func (a *account) count(customer string) (records, posts, keys int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, r := range a.records {
		if r.customer == customer {
			records++
		}
	}
	different := map[string]bool{}
	for _, key := range a.keys {
		different[key] = true
	}
	return records, len(a.keys), len(different)
}

// What may become of a creation.
func cutAfterEffect(create func() answer) (answer, bool) { create(); return answer{}, true }
func cutBeforeEffect(func() answer) (answer, bool)       { return answer{}, false }
func faultAfterEffect(create func() answer) (answer, bool) {
	create()
	return answer{500, `{"message":"x","trace_id":"y"}`}, false
}
func refusedForGood(func() answer) (answer, bool) { return answer{403, `"no agreement"`}, true }

// stack is the operations on a real ledger, in front of such an account.
type stack struct {
	t       testing.TB
	p       *operation.Pipeline
	ledger  *ledgerbolt.Ledger
	account *account
	secrets map[string]string

	mu  sync.Mutex
	now time.Time
}

func newStack(t testing.TB) *stack {
	t.Helper()
	s := &stack{t: t, now: now, secrets: map[string]string{"sallyport/test/partners/iron": ofOneTenant}}
	db, err := bolt.Open(filepath.Join(t.TempDir(), "test.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if s.ledger, err = ledgerbolt.New(db); err != nil {
		t.Fatal(err)
	}
	s.ledger.Now = s.clock
	ring, err := seal.NewRing(seal.GenerateKeys())
	if err != nil {
		t.Fatal(err)
	}
	for _, tenant := range []string{"acme", "globex"} {
		if err := s.ledger.PutCaller(
			t.Context(), ledger.Caller{KeyHash: gateway.HashKey(tenant), Tenant: tenant, Scopes: []string{"iron"}},
		); err != nil {
			t.Fatal(err)
		}
	}
	s.account = newAccount(t, s.clock)
	s.p = &operation.Pipeline{
		Ledger: s.ledger, Auth: gateway.NewAuthenticator(s.ledger, s.clock), Secrets: secrets.NewCache(s, "test", s.clock),
		Ring:     func(context.Context) (*seal.Ring, error) { return ring, nil },
		Upstream: upstream.New(upstream.WithTimeout(5 * time.Second)),
		Log:      slog.New(slog.DiscardHandler), Now: s.clock, NewID: operation.NewID,
	}
	return s
}

// Secret implements secrets.Source.
func (s *stack) Secret(_ context.Context, name string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if value, ok := s.secrets[name]; ok {
		return []byte(value), nil
	}
	return nil, secrets.ErrNotFound
}

func (s *stack) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *stack) pass(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(d)
}

func (s *stack) config() iron.Config { return iron.Config{BaseURL: s.account.url, Now: s.clock} }

// send sends a request as a caller of a tenant's.
func (s *stack) send(h lambda.Handler, tenant string, req gateway.Request) gateway.Reply {
	s.t.Helper()
	event := events.APIGatewayV2HTTPRequest{
		RawPath: req.Path, PathParameters: req.Params, QueryStringParameters: req.Query,
		Headers: map[string]string{"x-api-key": tenant}, Body: string(req.Body),
	}
	event.RequestContext.HTTP.Method = req.Method
	for name, value := range req.Header {
		event.Headers[name] = value
	}
	payload, err := json.Marshal(event)
	if err != nil {
		s.t.Fatal(err)
	}
	out, err := h.Invoke(s.t.Context(), payload)
	if err != nil {
		s.t.Fatal(err)
	}
	var got events.APIGatewayV2HTTPResponse
	if err := json.Unmarshal(out, &got); err != nil {
		s.t.Fatal(err)
	}
	return gateway.Reply{
		Status: got.StatusCode, ContentType: got.Headers["Content-Type"], Body: []byte(got.Body), Header: got.Headers,
	}
}

func (s *stack) want(got gateway.Reply, status int, condition operation.Condition) {
	s.t.Helper()
	if got.Status != status || got.Header["Gateway-Error"] != string(condition) {
		s.t.Errorf("got %d %q %s, want %d %q", got.Status, got.Header["Gateway-Error"], got.Body, status, condition)
	}
}

// counted compares what the partner has with what it should have.
func (s *stack) counted(customer string, records, posts, keys int) {
	s.t.Helper()
	if r, p, k := s.account.count(customer); r != records || p != posts || k != keys {
		s.t.Errorf("%d records by %d creations with %d keys, want %d, %d, %d", r, p, k, records, posts, keys)
	}
}

// keyed is a request with a key of its own.
func keyed(req gateway.Request, n int) gateway.Request {
	req.Header = map[string]string{"idempotency-key": fmt.Sprintf("5d0e7a34-9f7e-4a53-8f2b-%012d", n)}
	return req
}

// TestLostIdentification: whatever became of the first, there is one identification in the end, and the caller gets it.
func TestLostIdentification(t *testing.T) {
	for name, test := range map[string]struct {
		first              func(func() answer) (answer, bool)
		hidden             bool // from lists, until it is asked for again
		wait               time.Duration
		posts, keys, again int // again: the status of a repeat
	}{
		"CutAfter":            {cutAfterEffect, false, time.Second, 2, 1, 201},
		"CutAfterAndHidden":   {cutAfterEffect, true, time.Second, 2, 1, 201}, // the partner knows its key
		"CutBefore":           {cutBeforeEffect, false, time.Second, 2, 1, 201},
		"FaultAfter":          {faultAfterEffect, false, time.Second, 1, 1, 201},
		"CutAfterLate":        {cutAfterEffect, false, 22*time.Hour + 59*time.Minute, 2, 1, 201},
		"CutAfterHiddenLate":  {cutAfterEffect, true, 22*time.Hour + 59*time.Minute, 2, 1, 201},
		"CutAfterTooLate":     {cutAfterEffect, false, 23 * time.Hour, 1, 1, 201},
		"CutBeforeTooLate":    {cutBeforeEffect, false, 23 * time.Hour, 2, 1, 201},
		"FaultAfterTooLate":   {faultAfterEffect, false, 25 * time.Hour, 1, 1, 201},
		"CutAfterDaysLater":   {cutAfterEffect, false, 20 * 24 * time.Hour, 1, 1, 201},
		"CutBeforeDaysLater":  {cutBeforeEffect, false, 20 * 24 * time.Hour, 2, 1, 201},
		"CutAfterWithinLease": {cutAfterEffect, false, 0, 2, 1, 201},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStack(t)
			h := operation.New(s.p, iron.CreateIdentification(s.config()))
			s.account.on(test.first)
			first := s.send(h, "acme", keyed(identify(direct), 1))
			s.want(first, 500, operation.OutcomeUnknown)
			if first.Header["Retry-After"] == "" {
				t.Error("a repeat will tell")
			}
			s.account.hide(test.hidden)
			s.pass(test.wait)
			second := s.send(h, "acme", keyed(identify(direct), 1))
			s.want(second, test.again, "")
			s.account.hide(false)
			s.counted(customerID, 1, test.posts, test.keys)
			s.account.decide("Approved") // so that the guard has nothing to say
			third := s.send(h, "acme", keyed(identify(direct), 1))
			if string(third.Body) != string(second.Body) || third.Header["Idempotency-Replayed"] != "true" {
				t.Errorf("then %d %s", third.Status, third.Body)
			}
			s.counted(customerID, 1, test.posts, test.keys)
		})
	}
	t.Run("LostTwice", func(t *testing.T) {
		s := newStack(t)
		h := operation.New(s.p, iron.CreateIdentification(s.config()))
		for range 4 {
			s.account.on(cutBeforeEffect)
			s.want(s.send(h, "acme", keyed(identify(direct), 1)), 500, operation.OutcomeUnknown)
			s.pass(8 * time.Hour) // past the time in which the key is honoured
		}
		s.want(s.send(h, "acme", keyed(identify(direct), 1)), 201, "")
		s.counted(customerID, 1, 5, 1)
	})
	t.Run("PartnerDownMeanwhile", func(t *testing.T) { // what isn't known stays so
		s := newStack(t)
		h := operation.New(s.p, iron.CreateIdentification(s.config()))
		s.account.on(cutAfterEffect)
		s.send(h, "acme", keyed(identify(direct), 1))
		down := operation.New(s.p, iron.CreateIdentification(iron.Config{BaseURL: "http://127.0.0.1:1", Now: s.clock}))
		for range 2 {
			s.want(s.send(down, "acme", keyed(identify(direct), 1)), 500, operation.OutcomeUnknown)
			s.pass(23 * time.Hour)
		}
		s.want(s.send(h, "acme", keyed(identify(direct), 1)), 201, "")
		s.counted(customerID, 1, 1, 1)
	})
}

// TestAnothersIdentification: one that a call is on record for is not what a lost call has created.
func TestAnothersIdentification(t *testing.T) {
	for name, wait := range map[string]time.Duration{"WithinADay": time.Second, "AfterADay": 24 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			s := newStack(t)
			h := operation.New(s.p, iron.CreateIdentification(s.config()))
			s.account.on(cutBeforeEffect)
			s.want(s.send(h, "acme", keyed(identify(direct), 1)), 500, operation.OutcomeUnknown)
			other := s.send(h, "acme", keyed(identify(direct), 2))
			s.want(other, 201, "")
			s.account.decide("Approved")
			s.pass(wait)
			mine := s.send(h, "acme", keyed(identify(direct), 1))
			s.want(mine, 201, "")
			if string(mine.Body) == string(other.Body) {
				t.Errorf("it is %s", mine.Body)
			}
			s.counted(customerID, 2, 3, 2)
		})
	}
}

// TestPendingMeanwhile: a repeat doesn't take the place of an identification that another call has begun meanwhile, but
// gets its own where its first attempt had begun one.
func TestPendingMeanwhile(t *testing.T) {
	for name, test := range map[string]struct {
		first   func(func() answer) (answer, bool)
		status  int
		records int
	}{"Lost": {cutAfterEffect, 201, 2}, "NotSent": {cutBeforeEffect, 409, 1}} {
		t.Run(name, func(t *testing.T) {
			s := newStack(t)
			h := operation.New(s.p, iron.CreateIdentification(s.config()))
			s.account.on(test.first)
			s.want(s.send(h, "acme", keyed(identify(direct), 1)), 500, operation.OutcomeUnknown)
			s.account.decide("Approved")
			s.pass(time.Minute)
			other := s.send(h, "acme", keyed(identify(direct), 2))
			s.want(other, 201, "")
			got := s.send(h, "acme", keyed(identify(direct), 1))
			if s.want(got, test.status, ""); string(got.Body) == string(other.Body) {
				t.Errorf("it is %s", got.Body)
			}
			if n, _, _ := s.account.count(customerID); n != test.records {
				t.Errorf("%d identifications", n)
			}
		})
	}
}

// TestDefiniteAnswer: the partner would give a stored refusal again, so the next attempt has another key.
func TestDefiniteAnswer(t *testing.T) {
	s := newStack(t)
	h := operation.New(s.p, iron.CreateIdentification(s.config()))
	s.account.on(refusedForGood)
	got := s.send(h, "acme", keyed(identify(direct), 1))
	if s.want(got, 403, ""); string(got.Body) != `"no agreement"` {
		t.Errorf("got %s", got.Body)
	}
	s.want(s.send(h, "acme", keyed(identify(direct), 1)), 201, "")
	s.counted(customerID, 1, 2, 2)
	s.want(s.send(h, "acme", keyed(identify(`{"type":"Direct","x":1}`), 1)), 409, operation.KeyReused)
	s.want(s.send(h, "acme", keyed(identify(` { "type" : "Direct" } `), 1)), 201, "") // which says the same
	s.want(s.send(h, "acme", keyed(identify(""), 1)), 201, "")                        // and so does nothing
	s.counted(customerID, 1, 2, 2)
	got = s.send(h, "acme", keyed(identify(direct), 2))
	if s.want(got, 409, ""); string(got.Body) != `"customer has a pending identification"` {
		t.Errorf("got %s", got.Body)
	}
	s.counted(customerID, 1, 2, 2)
	s.account.decide("Declined")
	s.want(s.send(h, "acme", keyed(identify(direct), 2)), 201, "")
	s.counted(customerID, 2, 3, 3)
}

func TestLostCustomer(t *testing.T) {
	const byEmail = `{"customer_type":"Person","email":"noor@example.com"}`
	for name, test := range map[string]struct {
		body  string
		first func(func() answer) (answer, bool)
		wait  time.Duration
		posts int
	}{
		"External":           {aCustomer, cutAfterEffect, time.Second, 2},
		"ExternalLate":       {aCustomer, cutAfterEffect, 24 * time.Hour, 1},
		"ExternalFault":      {aCustomer, faultAfterEffect, time.Second, 1},
		"ExternalBefore":     {aCustomer, cutBeforeEffect, time.Second, 2},
		"ExternalBeforeLate": {aCustomer, cutBeforeEffect, 24 * time.Hour, 2},
		"Email":              {byEmail, cutAfterEffect, time.Second, 2},
		"EmailLate":          {byEmail, cutAfterEffect, 24 * time.Hour, 1},
		"EmailFault":         {byEmail, faultAfterEffect, time.Second, 1},
		"EmailBefore":        {byEmail, cutBeforeEffect, time.Second, 2},
		"EmailBeforeLate":    {byEmail, cutBeforeEffect, 24 * time.Hour, 2},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStack(t)
			h := operation.New(s.p, iron.CreateCustomer(s.config()))
			s.account.on(test.first)
			s.want(s.send(h, "acme", keyed(enroll(test.body), 1)), 500, operation.OutcomeUnknown)
			s.pass(test.wait)
			got := s.send(h, "acme", keyed(enroll(test.body), 1))
			s.want(got, 201, "")
			s.counted("", 1, test.posts, 1)
			id := s.account.records[0].id
			if owner, err := s.ledger.Owner(t.Context(), "iron/customer/"+id); err != nil ||
				strings.Join(owner.Tenants, " ") != "acme" {
				t.Errorf("owned by %v, %v", owner, err)
			}
		})
	}
	t.Run("AnothersOfTheSameEmail", func(t *testing.T) {
		s := newStack(t)
		h := operation.New(s.p, iron.CreateCustomer(s.config()))
		s.account.on(cutBeforeEffect)
		s.want(s.send(h, "acme", keyed(enroll(byEmail), 1)), 500, operation.OutcomeUnknown)
		other := s.send(h, "globex", keyed(enroll(byEmail), 1))
		mine := s.send(h, "acme", keyed(enroll(byEmail), 1))
		if s.want(mine, 201, ""); string(mine.Body) == string(other.Body) {
			t.Errorf("it is %s", mine.Body)
		}
		s.counted("", 2, 3, 2)
	})
}

// TestOneMailbox: two people with one email address stay two, whichever answer was lost, and whoever asks again first.
func TestOneMailbox(t *testing.T) {
	const alice = `{"customer_type":"Person","email":"home@example.com","name":"Alice Example"}`
	const bob = `{"customer_type":"Person","email":"home@example.com","name":"Bob Example"}`
	for name, test := range map[string]struct {
		tenant string
		wait   time.Duration
		bobs   operation.Condition // while nobody has asked for Alice
	}{
		"TwoTenants":    {"globex", time.Second, ""},
		"OneTenant":     {"acme", time.Second, ""},
		"TwoTenantsOld": {"globex", 24 * time.Hour, operation.OutcomeUnknown},
		"OneTenantOld":  {"acme", 24 * time.Hour, operation.OutcomeUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStack(t)
			h := operation.New(s.p, iron.CreateCustomer(s.config()))
			ask := func(who string) gateway.Reply {
				if who == bob {
					return s.send(h, test.tenant, keyed(enroll(bob), 2))
				}
				return s.send(h, "acme", keyed(enroll(alice), 1))
			}
			s.account.on(cutBeforeEffect)
			s.want(ask(bob), 500, operation.OutcomeUnknown)
			s.account.on(cutAfterEffect)
			s.want(ask(alice), 500, operation.OutcomeUnknown)
			s.pass(test.wait)
			got := ask(bob)
			if got.Header["Gateway-Error"] != string(test.bobs) {
				t.Errorf("Bob: %d %s", got.Status, got.Body)
			}
			for _, who := range []string{alice, bob} {
				got := ask(who)
				s.want(got, 201, "")
				if is := strings.Contains(string(got.Body), "Bob"); is != (who == bob) {
					t.Errorf("%s is %s", who, got.Body)
				}
			}
			s.counted("", 2, map[operation.Condition]int{"": 4, operation.OutcomeUnknown: 3}[test.bobs], 2)
		})
	}
}

// TestTenants: what another tenant's calls have created is not there.
func TestTenants(t *testing.T) {
	s := newStack(t)
	c := s.config()
	create, identifying := operation.New(s.p, iron.CreateCustomer(c)), operation.New(s.p, iron.CreateIdentification(c))
	var one struct {
		ID string `json:"id"`
	}
	idOf := func(reply gateway.Reply) string {
		t.Helper()
		if err := json.Unmarshal(reply.Body, &one); err != nil || reply.Status != 201 {
			t.Fatalf("%d %s", reply.Status, reply.Body)
		}
		return one.ID
	}
	about := func(customer, identification string) gateway.Request {
		req := about()
		req.Params = map[string]string{
			"customerId": strings.ToUpper(customer), "identificationId": strings.ToUpper(identification),
		}
		return req
	}
	customer := idOf(s.send(create, "acme", keyed(enroll(aCustomer), 1)))
	identifyIt := keyed(identify(direct), 2)
	identifyIt.Params = map[string]string{"customerId": customer}
	identification := idOf(s.send(identifying, "acme", identifyIt))
	s.account.decide("Approved")
	byHand := s.account.by("/customers/"+customer+"/identifications", direct) // on the partner's own pages
	for name, h := range map[string]lambda.Handler{
		"customer": operation.New(s.p, iron.GetCustomer(c)), "list": operation.New(s.p, iron.ListIdentifications(c)),
		"identification": operation.New(s.p, iron.GetIdentification(c)),
	} {
		for _, id := range []string{identification, byHand} {
			s.want(s.send(h, "acme", about(customer, id)), 200, "")
			foreign, missing := s.send(
				h, "globex", about(customer, id),
			), s.send(h, "globex", about(strings.Replace(aKey, "5", "6", 1), aKey))
			if name == "list" { // the partner has an empty one of a customer that it doesn't know
				missing = gateway.Reply{Status: 404, Body: []byte(`"customer not found"`), ContentType: "application/json"}
			}
			if foreign.Status != 404 || string(foreign.Body) != string(missing.Body) || missing.Status != 404 ||
				foreign.ContentType != missing.ContentType {
				t.Errorf("%s: %d %s, missing %d %s", name, foreign.Status, foreign.Body, missing.Status, missing.Body)
			}
			if strings.Contains(string(foreign.Body), customer) {
				t.Errorf("%s: %s", name, foreign.Body)
			}
		}
	}
	s.want(s.send(identifying, "globex", identifyIt), 404, operation.NoSuchRecord)
	t.Run("ByExternalID", func(t *testing.T) { // of a state machine
		h := operation.New(s.p, iron.GetCustomer(c))
		for tenant, want := range map[string]string{"acme": customer, "globex": ""} {
			out, err := h.Invoke(t.Context(), []byte(
				`{"task":{"tenant":"`+tenant+`","execution":"j","state":"FindCustomer","index":0,"round":0},"query":{"sub_partner_id":""},"body":{"external_id":"ext-1"}}`,
			))
			var got map[string]any
			if err != nil || json.Unmarshal(out, &got) != nil || got["customer_id"] != want {
				t.Errorf("%s: %s, %v", tenant, out, err)
			}
		}
	})
}

// TestOurCredentials: the partner's 401 is never the caller's; new credentials are used once.
func TestOurCredentials(t *testing.T) {
	s := newStack(t)
	h := operation.New(s.p, iron.CreateCustomer(s.config()))
	s.account.rotate("rotated")
	got := s.send(h, "acme", keyed(enroll(aCustomer), 1))
	if s.want(got, 500, operation.CredentialsRejected); strings.Contains(string(got.Body), "authorization") {
		t.Errorf("got %s", got.Body)
	}
	read := operation.New(s.p, iron.GetCustomer(s.config()))
	s.want(s.send(read, "acme", about()), 500, operation.CredentialsRejected)
	s.mu.Lock()
	s.secrets["sallyport/test/partners/iron"] = `{"api_key":"rotated"}`
	s.mu.Unlock()
	s.pass(time.Minute)
	s.want(s.send(h, "acme", keyed(enroll(aCustomer), 1)), 201, "")
	s.counted("", 1, 1, 1)
	s.want(s.send(h, "nobody", keyed(enroll(aCustomer), 1)), 401, operation.BadKey)
}

// TestKeyCase: a UUID in upper case is the same key as in lower case, and names the same customer.
func TestKeyCase(t *testing.T) {
	s := newStack(t)
	same := func(h lambda.Handler, req gateway.Request) gateway.Reply {
		first := s.send(h, "acme", req)
		req.Header = map[string]string{"idempotency-key": strings.ToUpper(req.Header["idempotency-key"])}
		if customer, ok := req.Params["customerId"]; ok {
			req.Params = map[string]string{"customerId": strings.ToUpper(customer)}
		}
		again := s.send(h, "acme", req)
		s.want(again, 201, "")
		if again.Header["Idempotency-Replayed"] != "true" || string(again.Body) != string(first.Body) {
			t.Errorf("got %s, %v, want the first answer %s", again.Body, again.Header, first.Body)
		}
		return first
	}
	created := same(operation.New(s.p, iron.CreateCustomer(s.config())), keyed(enroll(aCustomer), 1))
	var customer struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(created.Body, &customer); err != nil {
		t.Fatal(err)
	}
	begin := keyed(identify(direct), 2)
	begin.Params = map[string]string{"customerId": customer.ID}
	same(operation.New(s.p, iron.CreateIdentification(s.config())), begin)
	s.counted("", 1, 2, 2)
	s.counted(customer.ID, 1, 2, 2)
}
