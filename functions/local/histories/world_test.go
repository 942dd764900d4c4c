package histories_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"sallyport/functions/equal"
	"sallyport/functions/iron"
	"sallyport/functions/mbanq"
	"sallyport/functions/partners"
	"sallyport/functions/sandbox"
	equalsim "sallyport/functions/sandbox/equal"
	ironsim "sallyport/functions/sandbox/iron"
	mbanqsim "sallyport/functions/sandbox/mbanq"
	"sallyport/shared/bolt"
	"sallyport/shared/gateway"
	"sallyport/shared/ledger"
	ledgerbolt "sallyport/shared/ledger/bolt"
	"sallyport/shared/operation"
	"sallyport/shared/seal"
	"sallyport/shared/secrets"
	"sallyport/shared/upstream"
)

// world is where a history takes place: the pipeline over a ledger in a file, in front of simulated partners. At each
// point of an invocation it waits until it is chosen to go on, so that one thing happens at a time, in an order that
// follows from the seed. Time passes only when nothing else can happen.
type world struct {
	plan    plan
	planted planted
	order   *rand.Rand
	ledger  *ledgerbolt.Ledger
	p       *operation.Pipeline
	sandbox *sandbox.Sandbox
	store   *store // the sandbox's
	network *network
	serving []map[string]lambda.Handler // two containers

	calm    bool              // nothing waits to be chosen, and nothing goes wrong
	names   []name            // of records that were made before
	opened  map[string]string // Equal's transactions, by the mark of the requests that name them
	clients map[string]string // Mbanq's, by tenant

	mu      sync.Mutex
	running int           // clients, requests at partners, copies of writes
	waiting []*waiter     // for being chosen
	changed chan struct{} // there is more of either, or less
	clock   int64         // counts what happens
	calls   []*call
	took    []effect
	known   map[string]struct{} // ids of those, behind their partner
}

// call is one request to the gateway, and what came of it.
type call struct {
	step
	number        int
	began, ended  int64
	mark          string // of an effect: what the partner keeps of the request
	params, query map[string]string
	header        map[string]string
	body          string
	answer        *answer // nil of an invocation that was killed
	points        map[string]int
	happened      []string // what went wrong
}

// answer is the gateway's.
type answer struct {
	status      int
	body        string
	condition   operation.Condition
	transaction string
	replayed    bool
}

// effect is a record that a request has made at a partner.
type effect struct {
	partner, id, mark string
	parent            string // the record that it belongs to; empty for none
	at                int64
	by                *call
}

// name is a word that tells that an answer speaks of a tenant's record.
type name struct{ word, tenant string }

// waiter is whoever waits to be chosen.
type waiter struct {
	client, call int
	point        string
	goOn         chan struct{}
}

// history is what has happened.
type history struct {
	plan    plan
	calls   []*call
	effects []effect
	names   []name
	records map[string]ledger.Transaction // by key
}

// run carries a plan out.
func run(t *testing.T, p plan, broken planted) (h history) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, p, broken)
		w.calm = true
		w.prepare()
		w.calm = false
		w.play()
		w.calm = true
		w.settle()
		h = w.history()
		w.sandbox.Close()
	})
	return h
}

func newWorld(t *testing.T, p plan, broken planted) *world {
	w := &world{
		plan: p, planted: broken, order: rand.New(rand.NewPCG(p.seed, 1)), changed: make(chan struct{}, 1),
		known: map[string]struct{}{}, opened: map[string]string{}, clients: map[string]string{},
	}
	db, err := bolt.Open(filepath.Join(tempDir(t), "ledger.db"))
	must(err)
	t.Cleanup(func() { db.Close() })
	w.ledger, err = ledgerbolt.New(db)
	must(err)
	for _, tenant := range tenants() {
		caller := ledger.Caller{KeyHash: gateway.HashKey(tenant + "-key"), Tenant: tenant, Scopes: []string{"*"}}
		if broken.oneTenant {
			caller.Tenant = "acme"
		}
		must(w.ledger.PutCaller(t.Context(), caller))
	}
	w.store = &store{w: w}
	w.sandbox = sandbox.New(w.store, sandbox.Options{
		Hijackable: true, Authenticate: func(*http.Request) error { return nil },
		Simulators: []sandbox.Simulator{
			equalsim.New(equalsim.Options{RequestsPerSecond: -1}), ironsim.New(ironsim.Options{}),
			mbanqsim.New(mbanqsim.Options{}),
		},
	})
	w.network = &network{w}
	cache := secrets.NewCache(source{}, "test", time.Now)
	w.p = &operation.Pipeline{
		Ledger: &troubled{w.ledger, w}, Auth: gateway.NewAuthenticator(w.ledger, time.Now), Secrets: cache,
		Ring:     seal.Cached(cache.Keys),
		Upstream: upstream.New(upstream.WithTransport(func(http.RoundTripper) http.RoundTripper { return w.network })),
		Log:      slog.New(slog.DiscardHandler), Now: time.Now, NewID: operation.NewID, QuietPeriod: broken.quiet,
	}
	if broken.ledger != nil {
		w.p.Ledger = broken.ledger(w.p.Ledger, w.ledger)
	}
	w.serving = []map[string]lambda.Handler{w.handlers(), w.handlers()}
	return w
}

// tempDir returns a folder for the length of a test: in memory where that can be had, as nothing here cuts the power.
func tempDir(t *testing.T) string {
	dir, err := os.MkdirTemp("/dev/shm", "histories")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// source is where the pipeline's secrets are. Both tenants share the credentials of each partner.
type source struct{}

func (source) Secret(_ context.Context, name string) ([]byte, error) {
	if name == "sallyport/test/keys" {
		return json.Marshal(seal.Keys{ID: "an id key for tests, long enough"})
	}
	for _, p := range partners.All() {
		if name == "sallyport/test/partners/"+p.Name {
			return json.Marshal(p.Credentials)
		}
	}
	return nil, secrets.ErrNotFound
}

// handlers are what a container serves.
func (w *world) handlers() map[string]lambda.Handler {
	const url = "http://partners.test/sandbox/"
	e, i := equal.Config{BaseURL: url + "equal"}, iron.Config{BaseURL: url + "iron"}
	m := mbanq.Config{BaseURL: url + "mbanq"}
	return map[string]lambda.Handler{
		"equal/init-transaction": serve(w, equal.InitTransaction(e)),
		"equal/execute-journey":  serve(w, equal.ExecuteJourney(e)),
		"equal/fetch-data":       serve(w, equal.FetchData(e)),
		"iron/create-customer":   serve(w, iron.CreateCustomer(i)),
		"iron/get-customer":      serve(w, iron.GetCustomer(i)),
		"mbanq/create-client":    serve(w, mbanq.CreateClient(m)),
		"mbanq/get-client":       serve(w, mbanq.GetClient(m)),
		"mbanq/add-address":      serve(w, mbanq.AddAddress(m)),
	}
}

func serve[In any](w *world, op operation.Operation[In]) lambda.Handler {
	return operation.New(w.p, breakOperation(w.planted, op))
}

// prepare makes the records that the plan's requests name, each its tenant's.
func (w *world) prepare() {
	for _, tenant := range tenants() {
		external := tenant + "-client"
		c := &call{step: step{tenant: tenant, op: "mbanq/create-client"}, body: `{"officeId":1,"legalFormId":1,
			"firstname":"Noor","lastname":"Example","dateOfBirth":"1991-07-03","genderId":22,
			"emailAddress":"noor@example.com","mobileCountryCode":"1","mobileNo":"` + mobile(tenant) + `",
			"submittedOnDate":"2000-01-01","dateFormat":"yyyy-MM-dd","locale":"en","externalId":"` + external + `"}`}
		w.clients[tenant] = fmt.Sprint(member(w.mustCall(c), "clientId"))
		w.names = append(w.names, name{external, tenant}, name{w.clients[tenant], tenant})
	}
	for _, s := range w.plan.steps {
		mark := s.mark()
		if s.op != "equal/execute-journey" || w.opened[mark] != "" {
			continue
		}
		owner := s.tenant
		if s.variant == foreign {
			owner = other(owner)
		}
		c := &call{
			step: step{tenant: owner, op: "equal/init-transaction"}, body: `{"gateway_instance_id":"gateway.equal.dev_test"}`,
		}
		w.opened[mark] = fmt.Sprint(member(w.mustCall(c), "transaction_id"))
		w.names = append(w.names, name{w.opened[mark], owner})
	}
}

func mobile(tenant string) string { return fmt.Sprint(5550100 + len(tenant)) }

// mustCall returns the body of an answer in which nothing may go wrong.
func (w *world) mustCall(c *call) string {
	w.invoke(c)
	if c.answer == nil || c.answer.status >= 300 {
		panic(fmt.Sprintf("%s: %+v", c.op, c.answer))
	}
	return c.answer.body
}

// play has the clients make their requests, and chooses who goes on.
func (w *world) play() {
	for at := 0; at < len(w.plan.steps); {
		end := at
		for end < len(w.plan.steps) && w.plan.steps[end].client == w.plan.steps[at].client {
			end++
		}
		steps := w.plan.steps[at:end]
		at = end
		w.begin(func() {
			for _, s := range steps {
				time.Sleep(s.wait) // virtual
				c := &call{step: s}
				w.choose(c, "begin")
				w.arm(s.fault)
				if w.address(c) {
					w.invoke(c)
				}
			}
		})
	}
	for {
		synctest.Wait()
		w.mu.Lock()
		if len(w.waiting) == 0 {
			running := w.running
			w.mu.Unlock()
			if running == 0 {
				return
			}
			<-w.changed // time passes
			continue
		}
		slices.SortStableFunc(w.waiting, func(a, b *waiter) int {
			return cmp.Or(cmp.Compare(a.client, b.client), cmp.Compare(a.call, b.call), cmp.Compare(a.point, b.point))
		})
		i := w.order.IntN(len(w.waiting))
		chosen := w.waiting[i]
		w.waiting = slices.Delete(w.waiting, i, i+1)
		w.mu.Unlock()
		close(chosen.goOn)
	}
}

// begin runs what play waits for.
func (w *world) begin(what func()) {
	w.mu.Lock()
	w.running++
	w.mu.Unlock()
	go func() {
		defer func() {
			w.mu.Lock()
			w.running--
			w.mu.Unlock()
			w.wake()
		}()
		what()
	}()
}

func (w *world) wake() {
	select {
	case w.changed <- struct{}{}:
	default:
	}
}

// choose waits until a call is chosen to go on.
func (w *world) choose(c *call, point string) {
	if c == nil || w.calm {
		return
	}
	w.mu.Lock()
	self := &waiter{c.client, c.number, point, make(chan struct{})}
	w.waiting = append(w.waiting, self)
	w.mu.Unlock()
	w.wake()
	<-self.goOn
}

// at waits for a call's turn at a point, and returns what goes wrong there.
func (w *world) at(c *call, point string) (trouble, bool) {
	met := trouble{}
	if c != nil && !w.calm {
		w.mu.Lock()
		for _, t := range c.troubles {
			if t.point == point && t.nth == c.points[point] {
				met, c.happened = t, append(c.happened, t.effect+" at "+point)
			}
		}
		c.points[point]++
		w.mu.Unlock()
	}
	held := met.effect == hold
	if held {
		time.Sleep(met.length) // virtual
	}
	w.choose(c, point)
	return met, held
}

func (w *world) tick() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.clock++
	return w.clock
}

// arm has the next request to an operation of a partner meet a fault.
func (w *world) arm(f fault) {
	if f.name == "" {
		return
	}
	w.admin("/sandbox/faults", `{"partner":"`+f.partner+`","operation":"`+f.operation+`","fault":"`+f.name+`"}`)
}

func (w *world) admin(path, body string) {
	answer := httptest.NewRecorder()
	w.sandbox.ServeHTTP(answer, httptest.NewRequest(http.MethodPost, path, strings.NewReader(body)))
	if answer.Code != http.StatusOK {
		panic(answer.Body.String())
	}
}

// mark is what a partner keeps of a step's request, and of no other's.
func (s step) mark() string {
	return fmt.Sprintf("%s-%s-%d-%d", s.tenant, strings.ReplaceAll(s.op, "/", "-"), s.key, s.variant)
}

// address completes a call's request. It returns false where there is no record yet that it could name.
func (w *world) address(c *call) bool {
	c.params, c.query, c.header, c.mark = map[string]string{}, map[string]string{}, map[string]string{}, c.step.mark()
	switch c.op {
	case "equal/execute-journey":
		number := "999900000016"
		if c.variant == refused {
			number = "999900000102" // has no mobile number
		}
		c.body = `{"transaction_id":"` + w.opened[c.mark] + `","journey_id":"aadhaar_otp_sim_v1","input_data":{"aadhaar_no":"` +
			number + `"}}`
	case "iron/create-customer":
		email, external := c.mark+"@example.com", ""
		if w.plan.oddity == sharedEmail {
			email = "shared@example.com"
		} else if c.key == 1 {
			external = `,"external_id":"` + c.mark + `"`
		}
		c.body = `{"customer_type":"Person","email":"` + email + `","name":"` + c.mark + `"` + external + `}`
	case "mbanq/add-address":
		owner, state := c.tenant, `7`
		if c.variant == foreign {
			owner = other(owner)
		}
		if w.plan.oddity == spelledID {
			state = `"07"`
		}
		c.params["clientId"], c.query["type"] = w.clients[owner], "1"
		c.body = `{"addressLine1":"` + c.mark + `","city":"Sampletown","stateProvinceId":` + state +
			`,"countryId":3,"postalCode":"10001","isActive":true}`
	default:
		c.mark = ""
		return w.addressRead(c)
	}
	c.header["idempotency-key"] = fmt.Sprintf("00000000-0000-4000-8000-%012d", c.key)
	return true
}

// addressRead has a read name one of the records that there are, whosever it is.
func (w *world) addressRead(c *call) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if c.op == "mbanq/get-client" {
		c.params["clientId"] = w.clients[tenants()[c.key%2]]
		return true
	}
	partner, _, _ := strings.Cut(c.op, "/")
	var there []effect
	for _, e := range w.took {
		if e.partner == partner {
			there = append(there, e)
		}
	}
	if len(there) == 0 {
		return false
	}
	e := there[c.key%len(there)]
	if partner == "iron" {
		c.params["customerId"] = e.id
		return true
	}
	c.body = `{"transaction_id":"` + e.parent + `","journey_transaction_id":"` + e.id + `"}`
	return true
}

type callKey struct{}

func callOf(ctx context.Context) *call {
	c, _ := ctx.Value(callKey{}).(*call)
	return c
}

// invoke sends a call's request to one of the containers, and notes the answer. A container that is killed is replaced.
func (w *world) invoke(c *call) {
	w.mu.Lock()
	c.number, c.points = len(w.calls), map[string]int{}
	w.calls = append(w.calls, c)
	container := w.order.IntN(len(w.serving))
	handler := w.serving[container][c.op]
	w.mu.Unlock()
	header := map[string]string{"x-api-key": c.tenant + "-key", "content-type": "application/json"}
	for name, value := range c.header {
		header[name] = value
	}
	payload, err := json.Marshal(events.APIGatewayV2HTTPRequest{
		Version: "2.0", Headers: header, PathParameters: c.params, QueryStringParameters: c.query, Body: c.body,
		RequestContext: events.APIGatewayV2HTTPRequestContext{
			RequestID: "r", HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{Method: http.MethodPost},
		},
	})
	must(err)
	c.began = w.tick()
	done := make(chan struct{})
	go func() {
		defer close(done)
		out, err := handler.Invoke(context.WithValue(context.Background(), callKey{}, c), payload)
		must(err)
		var event events.APIGatewayV2HTTPResponse
		must(json.Unmarshal(out, &event))
		if w.planted.anew && event.Headers["Idempotency-Replayed"] != "" {
			event.Body += " "
		}
		c.answer = &answer{
			status: event.StatusCode, body: event.Body, condition: operation.Condition(event.Headers["Gateway-Error"]),
			transaction: event.Headers["Transaction-Id"], replayed: event.Headers["Idempotency-Replayed"] != "",
		}
	}()
	<-done
	c.ended = w.tick()
	if c.answer == nil {
		w.mu.Lock()
		w.serving[container] = w.handlers()
		w.mu.Unlock()
	}
}

// die ends an invocation without a word.
func die() { runtime.Goexit() }

// settle repeats every key's requests when nothing goes wrong any more, until each must have what it will ever have.
func (w *world) settle() {
	w.disarm()
	var last []step
	for _, s := range w.plan.steps {
		s = step{client: -1, tenant: s.tenant, op: s.op, key: s.key, variant: s.variant}
		if slices.Contains(effects(), s.op) && !slices.Contains(last, s) {
			last = append(last, s)
		}
	}
	slices.SortStableFunc(last, func(a, b step) int { return cmp.Compare(a.variant, b.variant) })
	for range 3 {
		time.Sleep(5 * time.Minute) // virtual
		for _, s := range last {
			c := &call{step: s}
			w.address(c)
			w.invoke(c)
		}
	}
}

// history collects what has happened.
func (w *world) history() history {
	h := history{
		plan: w.plan, calls: w.calls, effects: w.took, names: w.names, records: map[string]ledger.Transaction{},
	}
	for _, c := range w.calls {
		if c.mark == "" || c.answer == nil || c.answer.transaction == "" {
			continue
		}
		tenant := c.tenant
		if w.planted.oneTenant {
			tenant = "acme"
		}
		record, err := w.ledger.Transaction(context.Background(), tenant, c.answer.transaction)
		if err == nil {
			h.records[c.claims()] = record
		}
	}
	return h
}

// claims is what a call claims, as its tenant knows it.
func (s step) claims() string { return fmt.Sprintf("%s %s %d", s.tenant, s.op, s.key) }

func member(text, name string) any {
	var m map[string]any
	_ = json.Unmarshal([]byte(text), &m)
	if n, ok := m[name].(float64); ok {
		return int64(n)
	}
	return m[name]
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
