package iron_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"sallyport/functions/iron"
	"sallyport/shared/gateway"
	"sallyport/shared/operation"
)

const (
	secret = `{"api_key":"sk_sbx_demo"}`
	// the same, of a deployment that sees all of its account
	ofOneTenant = `{"api_key":"sk_sbx_demo","unowned":"shared"}`

	// Answers of the contract's examples (§6.1).
	aPending = `{"id":"e2b8d1f4-6c0a-4a8e-a3f1-90d2b7c4aa10","customer_id":"7a1c1f5e-2f7b-4f0c-9d55-0b8a6a4e1d21","status":"Pending","created_at":"2026-03-02T09:14:07Z","updated_at":"2026-03-02T09:14:07Z",` +
		`"url":"https://verify.example.test/start?token=q8","step_status":{"identity":{"result":"Pending","retry":true}}}`
	created = `{"id":"7a1c1f5e-2f7b-4f0c-9d55-0b8a6a4e1d21","partner_id":"0b8a6a4e-1d21-4f0c-9d55-7a1c1f5e2f7b","customer_type":"Person","name":"Noor Example","email":"noor@example.com","status":"IdentificationRequired",` +
		`"identification_ids":[],"signing_ids":[],"created_at":"2026-03-02T09:14:07Z","updated_at":"2026-03-02T09:14:07Z","external_id":"ext-1","spending_limit_euro":null}`
	none = `{"items":[],"cursor":null}`
)

// answer is what a scripted partner says; a status of 0 is a connection that breaks.
type answer struct {
	status int
	body   string
}

// asked is a request that reached it.
type asked struct {
	method, url, body string
	header            http.Header
}

// partner answers one after the other.
type partner struct {
	url string

	mu      sync.Mutex
	answers []answer
	asked   []asked
}

func newPartner(t testing.TB, answers ...answer) *partner {
	t.Helper()
	p := &partner{answers: answers}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		p.mu.Lock()
		defer p.mu.Unlock()
		p.asked = append(p.asked, asked{r.Method, r.URL.String(), string(text), r.Header})
		if len(p.answers) == 0 {
			t.Errorf("asked once more: %s %s", r.Method, r.URL)
			return
		}
		a := p.answers[0]
		if p.answers = p.answers[1:]; a.status == 0 {
			panic(http.ErrAbortHandler)
		}
		contentType := "application/json"
		if !json.Valid([]byte(a.body)) {
			contentType = "text/plain; charset=utf-8"
		}
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(a.status)
		_, _ = w.Write([]byte(a.body))
	}))
	t.Cleanup(server.Close)
	p.url = server.URL
	return p
}

func (p *partner) config() iron.Config {
	return iron.Config{BaseURL: p.url, Now: func() time.Time { return now.Add(time.Minute) }}
}

// requests are those that reached it so far.
func (p *partner) requests() []asked {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked
}

// posts counts what could have had an effect.
func (p *partner) posts() (n int) {
	for _, a := range p.requests() {
		if a.method == "POST" {
			n++
		}
	}
	return n
}

// newCall is a call outside the pipeline whose references show what they are made of.
func newCall(secret string) operation.Call {
	call := operation.NewCall("acme", []byte(secret))
	call.ID, call.Fingerprint, call.FirstSent = "transaction", "fingerprint", now
	call.Reference = func(purpose string, parts ...string) string { return purpose + " " + strings.Join(parts, "-") }
	return call
}

// call makes an operation's call.
func call[In any](t testing.TB, op operation.Operation[In], req gateway.Request) operation.Outcome {
	t.Helper()
	return callWith(t, op, req, newCall(secret))
}

func callWith[In any](
	t testing.TB, op operation.Operation[In], req gateway.Request, call operation.Call,
) operation.Outcome {
	t.Helper()
	in, err := op.Decode(req)
	if err != nil {
		t.Fatal(err)
	}
	return op.Call(t.Context(), call, in)
}

// again is a call that repeats one whose outcome is unknown.
func again() operation.Call {
	call := newCall(secret)
	call.Again = true
	return call
}

// about is a request that reads.
func about(query ...string) gateway.Request {
	req := gateway.Request{
		Method: "GET", Params: map[string]string{"customerId": customerID, "identificationId": identificationID},
		Query: map[string]string{}, Header: map[string]string{},
	}
	for i := 0; i < len(query); i += 2 {
		req.Query[query[i]] = query[i+1]
	}
	return req
}

// fromMachine is a request as a state machine makes it.
func fromMachine(req gateway.Request) gateway.Request {
	req.FromStateMachine, req.Method, req.Header, req.Path = true, "", nil, ""
	return req
}

// external is a state machine's question for an external_id.
func external(id string) gateway.Request {
	body, _ := json.Marshal(map[string]string{"external_id": id})
	return gateway.Request{FromStateMachine: true, Body: body}
}
