package main_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"

	main "sallyport/functions/local"
	"sallyport/functions/partners"
	"sallyport/functions/sandbox"
	"sallyport/functions/sandbox/simulators"
	"sallyport/shared/operation"
	"sallyport/shared/partner"
)

// request is what a caller sends.
type request struct {
	method, path, body string
	header             http.Header
}

func (s *stack) send(r request, key string) reply {
	s.t.Helper()
	header := http.Header{"Idempotency-Key": {key}}
	maps.Copy(header, r.header)
	return s.do(r.method, r.path, header, r.body)
}

// call is one way to have a simulated operation called.
type call struct {
	name    string
	request func(*stack) request // after what must have happened before
	acts    string               // the operation that has the effect of the request; empty for a read
	unknown resolution           // of what becomes unknown when the answer of acts is lost
}

// resolution is how an outcome that nobody knows is found out.
type resolution string

const (
	never    resolution = "never"     // it stays unknown, and the request is sent no more
	byRepeat resolution = "by repeat" // the partner recognises the next one
	byLookup resolution = "by lookup" // at once where the effect is there, else by a repeat after the quiet period
)

// arrivals is what reached an operation; nothing for no operation.
func (s *stack) arrivals(name string) (all []sandbox.Request) {
	s.t.Helper()
	if name == "" {
		return nil
	}
	partner, operation, _ := strings.Cut(name, "/")
	MustDecode(s.t, s.do("GET", "/sandbox/requests?partner="+partner+"&operation="+operation, nil, "").body, &all)
	return all
}

// reached counts what reached an operation, and how much of that acted.
func (s *stack) reached(name string) (requests, effects int) {
	s.t.Helper()
	all := s.arrivals(name)
	for _, r := range all {
		if r.Effect {
			effects++
		}
	}
	return len(all), effects
}

// answers are what a call that meets a fault may be answered with at first: conditions, empty for the partner's own
// answer.
func answers(operation string, c call, fault sandbox.Fault) (conditions []string) {
	switch {
	case fault.Name == "expired_token", fault.Name == "slow":
		return []string{""} // renewed and replayed in the same call, or waited for
	case fault.Name == "status_429" && !strings.HasSuffix(operation, "/issue-token"):
		return []string{"throttled"}
	case isGet(operation) && strings.HasPrefix(fault.Name, "reset_"):
		// net/http itself repeats a GET that a connection broke which it had used before
		return []string{"", "partner_unavailable"}
	case fault.Name == "refuse_connection", c.acts != "" && operation != c.acts:
		return []string{"partner_unavailable"} // what acts was never sent
	case c.acts == "":
		return []string{"partner_unavailable"}
	case c.unknown == byLookup && fault.Name == "late_effect":
		return []string{"", "outcome_unknown"} // the lookup may come before the effect
	case c.unknown == byLookup && fault.Effect:
		return []string{""} // the lookup has found it
	}
	return []string{"outcome_unknown"}
}

// succeeded reports whether the partner has done what it was asked for.
func succeeded(r reply) bool { return r.status == http.StatusOK || r.status == http.StatusCreated }

// isGet tells which operations are called by a GET.
func isGet(operation string) bool {
	return slices.ContainsFunc(sandbox.Operations(simulators.All()), func(op sandbox.Operation) bool {
		return op.Partner+"/"+op.Name == operation && op.Method == http.MethodGet
	})
}

// states is how a record stands after an answer.
var states = map[string]string{
	"": "done", "partner_unavailable": "released", "throttled": "released", "outcome_unknown": "unknown",
}

// struck is a call that is about to meet a fault.
type struck struct {
	*stack
	request
}

// strike arms a fault for a call, after what must have happened before it.
func (s *stack) strike(operation string, c call, fault string, times int) struck {
	s.t.Helper()
	f := struck{s, c.request(s)}
	partner, name, _ := strings.Cut(operation, "/")
	for range times {
		s.arm(partner, name, fault)
	}
	return f
}

func (f struck) send() reply {
	f.t.Helper()
	return f.stack.send(f.request, "5d0e7a34-9f7e-4a53-8f2b-5f6d1f1f7c10")
}

// state is how the record of an answer stands.
func (f struck) state(got reply) string {
	f.t.Helper()
	return f.transaction(got.header.Get("Transaction-Id")).State
}

// TestFaultMatrix arms every fault that can be armed on every operation that there is, and looks at what the caller
// learns and at what happened at the partner, at once and after repeats with the same key. With -short, a call meets
// some of them.
func TestFaultMatrix(t *testing.T) {
	t.Parallel()
	cell := 0
	eachCall(t, func(op sandbox.Operation, name string, c call) {
		for _, fault := range sandbox.Faults() {
			if sandbox.Applicable(simulators.All(), op.Partner, op.Name, fault.Name) != nil {
				continue
			}
			if cell++; cell%every(11) != 0 {
				continue
			}
			t.Run(name+"/"+c.name+"/"+fault.Name, func(t *testing.T) {
				t.Parallel()
				testFault(t, name, c, fault)
			})
		}
	})
}

// eachCall runs a function on the calls of every simulated operation.
func eachCall(t *testing.T, do func(op sandbox.Operation, name string, c call)) {
	t.Helper()
	done := map[string]bool{} // an operation may have several routes
	for _, op := range sandbox.Operations(simulators.All()) {
		name := op.Partner + "/" + op.Name
		if done[name] {
			continue
		}
		done[name] = true
		for _, c := range readCalls(t, op.Partner, op.Name) {
			do(op, name, c)
		}
	}
}

// eachEffect runs a test for each call that acts itself.
func eachEffect(t *testing.T, test func(t *testing.T, operation string, c call)) {
	t.Helper()
	eachCall(t, func(_ sandbox.Operation, operation string, c call) {
		if c.acts == operation {
			t.Run(operation+"/"+c.name, func(t *testing.T) {
				t.Parallel()
				test(t, operation, c)
			})
		}
	})
}

// listed is a call as functions/<partner>/testdata/calls/<operation>.json lists it.
type listed struct {
	listedRequest
	Name    string          `json:"name"`
	Before  []listedRequest `json:"before"`
	Acts    string          `json:"acts"`
	Unknown resolution      `json:"unknown"`

	Nobody string `json:"nobody"` // in the place of all others: why no caller can have the operation called
}

// listedRequest is a request of a listed call. A {member} in it stands for that of the newest answer, to a request
// before it, that has one, at whatever depth.
type listedRequest struct {
	Request string         `json:"request"` // "POST /tiny/things"
	Example string         `json:"example"` // the partner's operation whose example has the body and the header
	Body    jsontext.Value `json:"body"`    // members, which replace those of an example; a string is sent as it is
}

// readCalls reads the calls of an operation that its partner lists.
func readCalls(t *testing.T, of, operation string) (all []call) {
	t.Helper()
	file := filepath.Join("..", of, "testdata", "calls", operation+".json")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("no call is listed for %s/%s: %v", of, operation, err)
	}
	var list []listed
	if err := json.Unmarshal(text, &list, json.RejectUnknownMembers(true)); err != nil || len(list) == 0 {
		t.Fatalf("%s lists no call: %v", file, err)
	}
	for _, l := range list {
		if l.Nobody != "" {
			continue
		}
		all = append(all, call{l.Name, func(s *stack) request {
			s.t.Helper()
			known := map[string]string{}
			for _, before := range l.Before {
				got := s.send(before.request(s.t, of, known), uuid.NewString())
				if !succeeded(got) {
					s.t.Fatalf("before: %s: %d %s", before.Request, got.status, got.body)
				}
				addMembers(s.t, known, jsontext.Value(got.body))
			}
			return l.listedRequest.request(s.t, of, known)
		}, l.Acts, l.Unknown})
	}
	return all
}

// request is what is sent to a partner's routes, with known members in their places.
func (r listedRequest) request(t *testing.T, of string, known map[string]string) (out request) {
	t.Helper()
	out.header = http.Header{}
	if r.Example != "" {
		example := exampleOf(t, of, r.Example)
		out.body = example.Body
		for name, value := range example.Header {
			if name != "idempotency-key" && value != "" {
				out.header.Set(name, value)
			}
		}
	}
	switch {
	case r.Body.Kind() == '"':
		MustDecode(t, string(r.Body), &out.body)
	case r.Body != nil && out.body != "":
		out.body = overlaid(t, out.body, r.Body)
	case r.Body != nil:
		out.body = string(r.Body)
	}
	var pairs []string
	for name, value := range known {
		pairs = append(pairs, "{"+name+"}", value)
	}
	in := strings.NewReplacer(pairs...)
	method, path, _ := strings.Cut(r.Request, " ")
	out.method, out.path, out.body = method, in.Replace(path), in.Replace(out.body)
	return out
}

// exampleOf is the example of a request to a partner's operation.
func exampleOf(t *testing.T, name, operation string) partner.Example {
	t.Helper()
	for _, p := range partners.All() {
		for _, example := range p.Examples[operation] {
			if p.Name == name && example.State == "" {
				return example
			}
		}
	}
	t.Fatalf("%s has no example of %s", name, operation)
	return partner.Example{}
}

// overlaid is a body, with members of another in the place of its own.
func overlaid(t *testing.T, body string, members jsontext.Value) string {
	t.Helper()
	all := map[string]jsontext.Value{}
	MustDecode(t, body, &all)
	MustDecode(t, string(members), &all)
	text, err := json.Marshal(all, json.Deterministic(true))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// addMembers adds the members of an answer that are strings or numbers. Of those of one name the outermost counts.
func addMembers(t *testing.T, known map[string]string, answer jsontext.Value) {
	t.Helper()
	switch answer.Kind() {
	case '[':
		var elements []jsontext.Value
		MustDecode(t, string(answer), &elements)
		for _, element := range elements {
			addMembers(t, known, element)
		}
	case '{':
		var members map[string]jsontext.Value
		MustDecode(t, string(answer), &members)
		names := slices.Sorted(maps.Keys(members))
		for _, name := range names {
			addMembers(t, known, members[name])
		}
		for _, name := range names {
			if kind := members[name].Kind(); kind == '"' || kind == '0' {
				known[name] = strings.Trim(string(members[name]), `"`)
			}
		}
	}
}

// TestUnknown: what a partner says of an unknown outcome is what its calls list, and what TestFaultMatrix meets.
func TestUnknown(t *testing.T) {
	for _, p := range partners.All() {
		for _, e := range p.Endpoints {
			if e.Kind != partner.Effect {
				continue
			}
			stays := slices.ContainsFunc(readCalls(t, p.Name, strings.TrimPrefix(e.Name, p.Name+"/")), func(c call) bool {
				return c.acts == e.Name && c.unknown == never
			})
			if says := strings.Contains(e.Unknown, "stays unknown"); says != stays {
				t.Errorf("partner.go says %q of %s, whose calls list %q: %t", e.Unknown, e.Name, never, stays)
			}
		}
	}
}

func testFault(t *testing.T, operation string, c call, fault sandbox.Fault) {
	s := MustRun(t, func(m *main.Main) { m.UpstreamTimeout = untilHeld(fault.Name) })
	f := s.strike(operation, c, fault.Name, 1)
	sent, before := s.reached(c.acts)
	effects := func() int { _, n := s.reached(c.acts); return n - before }
	late := s.late(operation, fault.Name)

	got := f.send()
	// else a repeat must not send it again although a lookup finds nothing yet
	if c.unknown != byLookup || operation != c.acts {
		late()
	}
	want, condition := answers(operation, c, fault), got.condition()
	if !slices.Contains(want, condition) || condition == "" && !succeeded(got) || f.state(got) != states[condition] {
		t.Fatalf("answered %d %q %s, want one of %q; the record is %s", got.status, condition, got.body, want, f.state(got))
	}
	acted := 0
	if c.acts != "" && (condition == "" || condition == "outcome_unknown" && fault.Effect) {
		acted = 1
	}
	if n := effects(); n != acted && fault.Name != "late_effect" {
		t.Errorf("%d effects before any repeat, want %d", n, acted)
	}

	for range 3 {
		again := f.send()
		for c.unknown == byLookup && again.condition() == "outcome_unknown" && again.header.Get("Retry-After") != "" &&
			effects() <= 1 {
			late()
			s.passQuietly()
			again = f.send()
		}
		if condition == "outcome_unknown" && c.unknown == never {
			n, _ := s.reached(c.acts)
			if again.condition() != "outcome_unknown" || again.header.Get("Retry-After") != "" || effects() != acted ||
				n != sent+1 {
				t.Errorf(
					"an unknown outcome became %d %q by a repeat, with %d effects after %d, sent %d times", again.status,
					again.condition(), effects(), acted, n-sent,
				)
			}
			continue
		}
		late()
		if !succeeded(again) || again.condition() != "" || f.state(again) != "done" || c.acts != "" && effects() != 1 {
			t.Fatalf("a repeat was answered %d %q %s, with %d effects", again.status, again.condition(), again.body, effects())
		}
	}
	once := undisturbed(t, operation, c)
	wantMarks(t, marks(t, s.PartnerDB()), once, condition != "outcome_unknown" || c.unknown != never)
}

var undisturbedMarks sync.Map // by call

// undisturbed are the marks of a call that meets no fault.
func undisturbed(t *testing.T, operation string, c call) map[string]int {
	t.Helper()
	made, _ := undisturbedMarks.LoadOrStore(operation+"/"+c.name, sync.OnceValue(func() map[string]int {
		s := MustRun(t)
		if got := s.strike(operation, c, "", 0).send(); !succeeded(got) {
			t.Errorf("undisturbed: %d %s", got.status, got.body)
		}
		made := marks(t, s.PartnerDB())
		if c.acts != "" && len(made) == 0 {
			t.Error("an effect leaves no mark")
		}
		return made
	}))
	return made.(func() map[string]int)()
}

// untilHeld is the timeout of calls that meet a fault: short where only a timeout ends them, else as long as it is
// deployed, so that no call is given up because the machine is busy.
func untilHeld(fault string) time.Duration {
	if slices.Contains([]string{"timeout_before_effect", "timeout_after_effect", "late_effect"}, fault) {
		return 2 * time.Second
	}
	return 0
}

// late returns a function that waits for what a fault has happen after its client has gone.
func (s *stack) late(operation, fault string) func() {
	count := func() (n int) {
		for _, r := range s.arrivals(operation) {
			if r.Status == 0 {
				n++
			}
		}
		return n
	}
	if fault != "late_effect" {
		return func() {}
	}
	before := count()
	return func() {
		s.t.Helper()
		waitFor(s.t, func() bool { return count() > before })
	}
}

// passQuietly lets the time pass in which a negative lookup proves nothing.
func (s *stack) passQuietly() { s.pass(time.Duration(float64(operation.QuietPeriod) / s.TimeScale)) }

// untilKnown makes a call for which a fault is armed at an operation, and repeats it, each time after the quiet period,
// until its outcome is known or will never be.
func (s *stack) untilKnown(operation, fault string, send func() reply) reply {
	s.t.Helper()
	late := s.late(operation, fault)
	got := send()
	for range 10 {
		if got.condition() != "outcome_unknown" || got.header.Get("Retry-After") == "" {
			break
		}
		late()
		s.passQuietly()
		got = send()
	}
	return got
}

// TestCredentialsRejectedMatrix: that a partner doesn't take our credentials, read anew once, or the token that it has
// just issued, is told as our trouble, never as the caller's. Nothing has happened, so the key may act when they are
// right.
func TestCredentialsRejectedMatrix(t *testing.T) {
	t.Parallel()
	eachCall(t, func(op sandbox.Operation, operation string, c call) {
		if sandbox.Applicable(simulators.All(), op.Partner, op.Name, "expired_token") != nil {
			return
		}
		t.Run(operation+"/"+c.name, func(t *testing.T) {
			t.Parallel()
			s := MustRun(t)
			f := s.strike(operation, c, "expired_token", 2)
			_, before := s.reached(c.acts)
			effects := func() int { _, n := s.reached(c.acts); return n - before }
			got := f.send()
			if got.condition() != "partner_credentials_rejected" || got.status == http.StatusUnauthorized ||
				f.state(got) != "released" || effects() != 0 {
				t.Errorf(
					"answered %d %q %s; the record is %s, with %d effects", got.status, got.condition(), got.body, f.state(got),
					effects(),
				)
			}
			if got := f.send(); !succeeded(got) || got.condition() != "" || c.acts != "" && effects() != 1 {
				t.Errorf("a repeat was answered %d %q %s, with %d effects", got.status, got.condition(), got.body, effects())
			}
		})
	})
}

// TestFaultsOfLookupsMatrix: a lookup that fails leaves open what it was to find out, until one succeeds.
func TestFaultsOfLookupsMatrix(t *testing.T) {
	t.Parallel()
	for operation, looks := range map[string]string{
		"mbanq/create-client": "list-clients", "mbanq/add-address": "list-addresses",
		"mbanq/add-identifier": "list-identifiers", "mbanq/client-command": "get-client",
	} {
		for _, fault := range []string{"status_429", "status_503_before_effect", "malformed", "truncated"} {
			t.Run(operation+"/"+fault, func(t *testing.T) {
				t.Parallel()
				s := MustRun(t)
				f := s.strike(operation, readCalls(t, "mbanq", strings.TrimPrefix(operation, "mbanq/"))[0], "reset_after_effect", 1)
				_, before := s.reached(operation)
				s.arm("mbanq", looks, fault)
				if got := f.send(); got.condition() != "outcome_unknown" || got.header.Get("Retry-After") == "" ||
					f.state(got) != "unknown" {
					t.Errorf("answered %d %q %s", got.status, got.condition(), got.body)
				}
				got := f.send()
				if _, n := s.reached(operation); got.status != http.StatusOK || got.condition() != "" || f.state(got) != "done" ||
					n-before != 1 {
					t.Errorf("a repeat was answered %d %q %s, with %d effects", got.status, got.condition(), got.body, n-before)
				}
			})
		}
	}
	t.Run("Journey", func(t *testing.T) { // a list that can't be read doesn't tell that there is no client
		t.Parallel()
		s := MustRun(t)
		s.createClient("j-1", "5550101")
		for _, fault := range []string{"malformed", "status_500_before_effect", "truncated"} {
			s.arm("mbanq", "list-clients", fault)
		}
		view := s.follow(s.startClient("k", clientJourney("j-1", "5550101", "PARTIAL", home, passport)), ended)
		if _, n := s.reached("mbanq/create-client"); view.Status != "SUCCEEDED" || n != 1 {
			t.Errorf("got %s (%s) with %d clients", view.Status, view.Reason, n)
		}
	})
}

// TestLookupFindsAnotherTenantsClient: whose externalId is the same. It was there before, so nothing was created and
// nothing is claimed; the partner says the rest.
func TestLookupFindsAnotherTenantsClient(t *testing.T) {
	t.Parallel()
	s := MustRun(t)
	s.addCaller("other-key", "other", "*")
	other := http.Header{"X-Api-Key": {"other-key"}}
	created := s.do("POST", clientsURL, other, clientOf("ext-1", "5550101"))
	var client struct {
		ID int `json:"clientId"`
	}
	MustDecode(t, created.body, &client)
	for _, fault := range []string{"reset_before_effect", "reset_after_effect"} {
		s.arm("mbanq", "create-client", fault)
		got := s.untilKnown("mbanq/create-client", fault, func() reply {
			return s.post(clientsURL, fault, clientOf("ext-1", "5550102"))
		})
		if got.status != http.StatusForbidden || codesIn(t, got.body)[0] != "error.msg.client.duplicate.externalId" ||
			s.transaction(got.header.Get("Transaction-Id")).State != "released" {
			t.Errorf("%s: %d %q %s", fault, got.status, got.condition(), got.body)
		}
	}
	path := fmt.Sprintf("%s/%d", clientsURL, client.ID)
	if got := s.do("GET", path, nil, ""); got.status != http.StatusNotFound {
		t.Errorf("the client was claimed: %d %s", got.status, got.body)
	}
	if got := s.do("GET", path, other, ""); got.status != http.StatusOK {
		t.Errorf("its owner gets %d %s", got.status, got.body)
	}
}

// waitFor polls for something that another goroutine brings about.
func waitFor(t *testing.T, condition func() bool) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("it did not happen")
		}
	}
}

// A caller that hangs up costs nothing: the call goes on, and its answer is there for the next who asks.
func TestCallerHangsUp(t *testing.T) {
	t.Parallel()
	s := MustRun(t)
	id := s.initTransaction()
	s.post("/sandbox/faults", "", `{"partner":"equal","operation":"execute-journey","fault":"slow"}`)
	ctx, hangUp := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, "POST", s.URL+executeURL, strings.NewReader(execute(id, happy, "")))
	if err != nil {
		t.Fatal(err)
	}
	req.Header = http.Header{"X-Api-Key": {"local-key"}, "Content-Type": {"application/json"}, "Idempotency-Key": {"k"}}
	gone := make(chan error)
	go func() { _, err := http.DefaultClient.Do(req); gone <- err }()
	waitFor(t, func() bool { return len(s.requests("execute-journey")) == 1 })
	hangUp()
	if err := <-gone; err == nil {
		t.Fatal("it was answered before")
	}
	var got reply
	waitFor(t, func() bool {
		got = s.post(executeURL, "k", execute(id, happy, ""))
		return got.status != http.StatusConflict
	})
	if got.status != 200 || got.header.Get("Idempotency-Replayed") != "true" || s.effects("execute-journey") != 1 {
		t.Errorf("%d %s, %d effects", got.status, got.body, s.effects("execute-journey"))
	}
}

// Two faults in a row: what the first left unknown, the second does not settle.
func TestUnknownThenRefused(t *testing.T) {
	t.Parallel()
	s := MustRun(t)
	arm := func(fault string) {
		s.post("/sandbox/faults", "", `{"partner":"equal","operation":"init-transaction","fault":"`+fault+`"}`)
	}
	body := `{"gateway_instance_id":"` + instance + `","idempotency_id":"order-1"}`
	for _, fault := range []string{"reset_after_effect", "refuse_connection", "status_429", "expired_token"} {
		arm(fault)
		if fault == "expired_token" {
			arm(fault) // renewed and replayed in the same call
		}
		if got := s.post(initURL, "k", body); got.condition() != "outcome_unknown" ||
			s.transaction(got.header.Get("Transaction-Id")).State != "unknown" {
			t.Errorf("%s: %d %q", fault, got.status, got.condition())
		}
	}
	if got := s.post(initURL, "k", strings.Replace(body, "order-1", "order-2", 1)); got.status != 422 {
		t.Errorf("another body: %d %s", got.status, got.body)
	}
	if got := s.post(initURL, "k", body); got.status != 200 || s.effects("init-transaction") != 1 {
		t.Errorf("at last: %d %s, %d effects", got.status, got.body, s.effects("init-transaction"))
	}
}
