package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	main "sallyport/functions/local"
	"sallyport/functions/sandbox"
	"sallyport/functions/sandbox/simulators"
)

// lie is an answer that no page of a partner's documents: a status with a body, which is made of the true one.
type lie struct {
	status int
	shape  string
}

// shapes are the bodies of lies, by what they make of a true answer.
var shapes = map[string]func(truth []byte) []byte{
	"nothing":   func([]byte) []byte { return nil },
	"null":      func([]byte) []byte { return []byte("null") },
	"list":      func([]byte) []byte { return []byte("[]") },
	"true":      func([]byte) []byte { return []byte("true") },
	"text":      func([]byte) []byte { return []byte(`"ok"`) },
	"page":      func([]byte) []byte { return []byte("<html><body>Bad things</body></html>") },
	"object":    func([]byte) []byte { return []byte("{}") },
	"status":    func([]byte) []byte { return []byte(`{"status":"MAYBE","code":0,"data":{"status":"perhaps"}}`) },
	"cut":       func(truth []byte) []byte { return truth[:len(truth)/2] },
	"odd words": func(truth []byte) []byte { return replaced(truth, func(any) any { return "Odd word" }) },
	"no words":  func(truth []byte) []byte { return replaced(truth, func(any) any { return nil }) },
	"nested":    func(truth []byte) []byte { return fmt.Appendf(nil, `{"result":[%s]}`, truth) },
}

// replaced is JSON with something else in the place of each text and number.
func replaced(text []byte, by func(any) any) []byte {
	var walk func(any) any
	walk = func(value any) any {
		switch value := value.(type) {
		case map[string]any:
			for name, member := range value {
				value[name] = walk(member)
			}
			return value
		case []any:
			for i, element := range value {
				value[i] = walk(element)
			}
			return value
		case string, float64:
			return by(value)
		}
		return value
	}
	var value any
	if json.Unmarshal(text, &value) != nil {
		return []byte("?")
	}
	out, err := json.Marshal(walk(value))
	if err != nil {
		return nil
	}
	return out
}

// canHaveActed reports whether something may have happened although a partner answers with a status: that a request is
// the client's error says that nothing has (RFC 9110, section 15.5).
func (l lie) canHaveActed() bool {
	return l.status < 400 || l.status >= 500 || l.status == http.StatusRequestTimeout
}

// lies are all statuses and shapes, but for what says in itself what is to be done: throttled, or our credentials.
func lies() (all []lie) {
	for status := 200; status < 600; status++ {
		if slices.Contains([]int{401, 403, 429}, status) {
			continue
		}
		for shape := range shapes {
			all = append(all, lie{status, shape})
		}
	}
	slices.SortFunc(all, func(a, b lie) int {
		return strings.Compare(fmt.Sprint(a), fmt.Sprint(b))
	})
	return all
}

// sampled picks n elements, the same ones each time; with SOAK set, soak of them.
func sampled[T any](all []T, n, soak int) []T {
	random := rand.New(rand.NewPCG(15, 0))
	random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	if os.Getenv("SOAK") != "" {
		return all[:min(len(all), soak)]
	}
	return all[:min(len(all), max(1, n/every(4)))]
}

// liar stands between the gateway and the partners, and answers for an operation while it is on; if it lies on, then
// for all others that come after it, too.
type liar struct {
	operation string
	liesOn    bool
	lie       lie
	on        atomic.Bool
	told      atomic.Int64 // how often it has answered
	truth     atomic.Value // the operation's last true answer, []byte
}

// between puts it into a stack.
func (l *liar) between(m *main.Main) {
	mux := http.NewServeMux() // of all simulated operations, by their names
	for _, op := range sandbox.Operations(simulators.All()) {
		mux.Handle(op.Method+" /sandbox/"+op.Partner+op.Path, named(op.Partner+"/"+op.Name))
	}
	m.WrapTransport = func(next http.RoundTripper) http.RoundTripper { return lyingTransport{next, mux, l} }
}

// named is a handler that stands for the name of an operation.
type named string

func (named) ServeHTTP(http.ResponseWriter, *http.Request) {}

type lyingTransport struct {
	http.RoundTripper
	mux  *http.ServeMux
	liar *liar
}

// RoundTrip implements http.RoundTripper.
func (t lyingTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	l := t.liar
	handler, _ := t.mux.Handler(req)
	name, _ := handler.(named)
	isIt := string(name) == l.operation
	further := l.liesOn && l.told.Load() > 0 && !strings.HasSuffix(string(name), "/issue-token")
	if l.on.Load() && (isIt || further) {
		l.told.Add(1)
		truth, _ := l.truth.Load().([]byte)
		body := shapes[l.lie.shape](truth)
		if req.Body != nil {
			_ = req.Body.Close()
		}
		return &http.Response{
			StatusCode: l.lie.status, ProtoMajor: 1, ProtoMinor: 1, Request: req, ContentLength: int64(len(body)),
			Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader(body)),
		}, nil
	}
	resp, err := t.RoundTripper.RoundTrip(req)
	if err != nil || !isIt {
		return resp, err
	}
	truth, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	l.truth.Store(truth)
	resp.Body = io.NopCloser(bytes.NewReader(truth))
	return resp, err
}

// TestLiesToCallsMatrix: whatever a partner answers to a call that acts, what may have happened is unknown until it is
// found out: no repeat asks the partner to act again, unless it knows the key.
func TestLiesToCallsMatrix(t *testing.T) {
	t.Parallel()
	eachEffect(t, func(t *testing.T, operation string, c call) {
		l, truth := &liar{operation: operation}, &liar{operation: operation}
		if got := MustRun(t, truth.between).strike(operation, c, "", 0).send(); !succeeded(got) {
			t.Fatalf("undisturbed: %d %s", got.status, got.body)
		}
		s := MustRun(t, l.between)
		f := s.strike(operation, c, "", 0)
		l.truth.Store(truth.truth.Load())
		l.on.Store(true)
		all := lies()
		for i, lie := range sampled(all, 40, len(all)) {
			l.lie, l.told = lie, atomic.Int64{}
			key := fmt.Sprint("00000000-0000-4000-8000-", 100000000000+i)
			got := s.send(f.request, key)
			state := f.state(got)
			if l.told.Load() != 1 {
				t.Fatalf("%v: the partner was asked %d times; answered %d %s", lie, l.told.Load(), got.status, got.body)
			}
			if lie.canHaveActed() && state != "unknown" && state != "done" {
				t.Errorf("%v: answered %d %q, the record is %s", lie, got.status, got.condition(), state)
			}
			if c.unknown == byRepeat {
				continue
			}
			if again := s.send(f.request, key); lie.canHaveActed() && l.told.Load() != 1 {
				t.Errorf("%v: a repeat asked again, and was answered %d %q", lie, again.status, again.condition())
			}
		}
	})
}

// TestLiesToJourneysMatrix: a partner that, from some operation of a journey on, answers whatever it likes makes
// neither a yes nor a no of it.
func TestLiesToJourneysMatrix(t *testing.T) {
	t.Parallel()
	type cell struct {
		journey, operation string
		lie                lie
	}
	chains := map[string][]string{
		"aadhaar-otp":      {"equal/init-transaction", "equal/execute-journey"},
		"iec-verification": {"ezto/trigger-request", "ezto/get-result"},
		"customer-identification": {
			"iron/create-customer", "iron/list-identifications", "iron/create-identification", "iron/get-identification",
		},
		"client-onboarding": {
			"mbanq/create-client", "mbanq/add-address", "mbanq/add-identifier", "mbanq/client-command", "mbanq/get-client",
		},
		"partner-onboarding": {"digit9/lookup-customer", "digit9/onboard-customer"},
	}
	var cells []cell
	for journey, chain := range chains {
		for _, operation := range chain {
			for _, l := range lies() {
				cells = append(cells, cell{journey, operation, l})
			}
		}
	}
	slices.SortFunc(cells, func(a, b cell) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	for _, c := range sampled(cells, 25, 1500) {
		t.Run(fmt.Sprintf("%s/%s/%d %s", c.journey, c.operation, c.lie.status, c.lie.shape), func(t *testing.T) {
			t.Parallel()
			l := &liar{operation: c.operation, liesOn: true, lie: c.lie}
			l.on.Store(true)
			s := MustRun(t, l.between, func(m *main.Main) {
				m.TimeScale = 1e6
				if c.journey == "aadhaar-otp" || c.journey == "iec-verification" { // where people act in time
					m.TimeScale = 300
				}
			})
			view := s.lived(c.journey)
			if view.Status == "SUCCEEDED" || view.Status == "REJECTED" || l.told.Load() == 0 {
				t.Errorf("%s (%s) after %d answers, steps %+v", view.Status, view.Reason, l.told.Load(), view.Steps)
			}
		})
	}
}

// lived is a journey of a type when it has ended, or waits for what nobody has.
func (s *stack) lived(journey string) journeyView {
	s.t.Helper()
	p := &person{t: s.t, url: s.URL}
	until := func(id string, done func(journeyView) bool) (view journeyView) { // however often it waits before
		waitFor(s.t, func() bool {
			view, _ = s.journey(id)
			return view.ended() || done(view)
		})
		return view
	}
	switch journey {
	case "aadhaar-otp":
		return p.verified()
	case "iec-verification":
		s.do("PUT", "/workflows/iec", nil, `{"modules":[{"type":"iec_verification","rule":"country == 'IN'"}]}`)
		s.do("PUT", "/applications/poll", nil, `{"verification_workflow":"iec","notification_way":"poll"}`)
		id := p.start("/journeys/iec-verification", `{"application":"poll","user_id":"u-7731","country":"IN"}`)
		return p.follow(id, func(_ journeyView, text string) {
			var waits awaited
			MustDecode(s.t, text, &waits)
			if waits.Awaiting.URL != "" {
				s.do("POST", pageOf(waits.Awaiting.URL), pageForm(), "iec=AAXCT4821K")
			}
		})
	case "client-onboarding":
		id := p.start("/journeys/client-onboarding", clientJourney("j-1", "5550101", "FULL", home, passport+","+ssn))
		return until(id, func(view journeyView) bool { return view.Awaiting != nil && view.Awaiting.Kind == "documents" })
	case "customer-identification":
		return until(p.start("/journeys/customer-identification", linkFor("approve@example.com")), ended)
	}
	return until(p.start("/journeys/partner-onboarding", `{"customer":`+customer("784199000000017")+`}`), ended)
}
