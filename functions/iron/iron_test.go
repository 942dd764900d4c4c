package iron_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"sallyport/functions/iron"
	"sallyport/shared/gateway"
	"sallyport/shared/operation"
)

const (
	secret = `{"api_key":"sk_sbx_demo"}`

	// Answers of the contract's examples (iron §11).
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

func TestRequestsOnTheWire(t *testing.T) {
	const key = "4e7d5f2e-0000-4000-8000-000000000000" // stands for one of this form
	scoped := func(req gateway.Request) gateway.Request {
		req.Header["x-sub-partner-id"], req.Header["x-api-version"] = strings.ToUpper(customerID), "2026-07-01"
		return req
	}
	for name, test := range map[string]struct {
		call   func(iron.Config) operation.Outcome
		answer answer
		method string
		url    string
		body   string
		key    string
		scoped bool
	}{
		"Customer": {func(c iron.Config) operation.Outcome {
			return call(t, iron.CreateCustomer(c), scoped(enroll(" "+aCustomer)))
		}, answer{201, created}, "POST", "/customers", " " + aCustomer, key, true},
		"GetCustomer": {
			func(c iron.Config) operation.Outcome { return call(t, iron.GetCustomer(c), scoped(about())) }, answer{200, created},
			"GET", "/customers/" + customerID, "", "", true,
		},
		"GetExternal": {
			func(c iron.Config) operation.Outcome { return call(t, iron.GetCustomer(c), external("a/b ü")) },
			answer{200, created}, "GET", "/customers/a%2Fb%20%C3%BC/external", "", "", false,
		},
		"V1": {func(c iron.Config) operation.Outcome {
			return call(t, iron.CreateIdentification(c), scoped(identify(direct)))
		}, answer{201, aPending}, "POST", "/customers/" + customerID + "/identifications", direct, key, true},
		"NoBody": {
			func(c iron.Config) operation.Outcome { return call(t, iron.CreateIdentification(c), identify("")) },
			answer{201, aPending}, "POST", "/customers/" + customerID + "/identifications", direct, key, false,
		},
		"Null": {func(c iron.Config) operation.Outcome {
			return call(t, iron.CreateIdentification(c), identify(" null "))
		}, answer{201, aPending}, "POST", "/customers/" + customerID + "/identifications", direct, key, false},
		"V2": {func(c iron.Config) operation.Outcome {
			return call(t, iron.CreateIdentification(c), identify(link+" "))
		}, answer{201, aPending}, "POST", "/customers/" + customerID + "/identifications/v2", link + " ", key, false},
		"Get": {
			func(c iron.Config) operation.Outcome { return call(t, iron.GetIdentification(c), about()) }, answer{200, aPending},
			"GET", "/identifications/" + identificationID, "", "", false,
		},
		"List": {func(c iron.Config) operation.Outcome {
			return call(t, iron.ListIdentifications(c), about("page_size", "5", "cursor", customerID, "x", "y"))
		}, answer{200, none}, "GET",
			"/customers/" + customerID + "/identifications?cursor=" + customerID + "&page_size=5", "", "", false},
		"NewestOfAll": {func(c iron.Config) operation.Outcome {
			return call(t, iron.ListIdentifications(c), fromMachine(about()))
		}, answer{200, none}, "GET", "/customers/" + customerID + "/identifications?page_size=100", "", "", false},
		"UpperCaseInPath": {func(c iron.Config) operation.Outcome {
			req := about()
			req.Params["customerId"] = strings.ToUpper(customerID)
			return call(t, iron.GetCustomer(c), req)
		}, answer{200, created}, "GET", "/customers/" + customerID, "", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			answers := []answer{test.answer}
			guarded := strings.Contains(test.url, "identifications") && test.method == "POST"
			if guarded {
				answers = []answer{{200, none}, test.answer}
			}
			p := newPartner(t, answers...)
			if got := test.call(p.config()); got.Class != operation.Done ||
				string(got.Reply.Body) != test.answer.body && name != "NewestOfAll" {
				t.Errorf("got %+v", got)
			}
			all := p.requests()
			if len(all) != len(answers) ||
				guarded && (all[0].method != "GET" || all[0].url != "/customers/"+customerID+"/identifications?page_size=100") {
				t.Fatalf("asked %+v", all)
			}
			for _, got := range all {
				sub, version := got.header.Get("X-Sub-Partner-Id"), got.header.Get("X-Api-Version")
				if got.header.Get("X-Api-Key") != "sk_sbx_demo" || test.scoped && (sub != customerID || version != "2026-07-01") ||
					!test.scoped && (sub != "" || version != "") {
					t.Errorf("sent %v", got.header)
				}
			}
			got := all[len(all)-1]
			contentType := map[string]string{"GET": "", "POST": "application/json; charset=utf-8"}[test.method]
			if sent := got.header.Get("Idempotency-Key"); got.method != test.method || got.url != test.url ||
				got.body != test.body || got.header.Get("Content-Type") != contentType || (sent == "") != (test.key == "") {
				t.Errorf("asked %s %s %s, %v", got.method, got.url, got.body, got.header)
			}
		})
	}
}

// TestPartnerKey: a UUID of version 4 by its form (iron §9), the same for every attempt until there was a definite
// answer.
func TestPartnerKey(t *testing.T) {
	sent := func(change func(*operation.Call)) string {
		t.Helper()
		p := newPartner(t, answer{201, created})
		one := newCall(secret)
		change(&one)
		callWith(t, iron.CreateCustomer(p.config()), enroll(aCustomer), one)
		return p.requests()[0].header.Get("Idempotency-Key")
	}
	first := sent(func(*operation.Call) {})
	key, err := uuid.Parse(first)
	if err != nil || key.Version() != 4 || key.Variant() != uuid.RFC4122 || first != strings.ToLower(first) ||
		strings.Contains(first, aKey) {
		t.Errorf("sent %s, %v", first, err)
	}
	for name, test := range map[string]struct {
		change func(*operation.Call)
		same   bool
	}{
		"Repeat":          {func(*operation.Call) {}, true},
		"LaterTime":       {func(c *operation.Call) { c.FirstSent = now.Add(1) }, true},
		"OtherSecret":     {func(c *operation.Call) { c.Secret, c.Renew = []byte(`{"api_key":"next"}`), true }, true},
		"NextGeneration":  {func(c *operation.Call) { c.Generation++ }, false},
		"AnotherRequest":  {func(c *operation.Call) { c.Fingerprint = "other" }, false},
		"AnotherRecord":   {func(c *operation.Call) { c.ID = "other" }, false},
		"MovedBoundaries": {func(c *operation.Call) { c.ID, c.Fingerprint = "transaction-fingerprint", "" }, false},
	} {
		if got := sent(test.change); (got == first) != test.same {
			t.Errorf("%s: sent %s after %s", name, got, first)
		}
	}
}

// TestClassification has every status, of a creation, of a read, and of a creation's repeat that finds nothing to have
// happened. A text that is no JSON never gets to the caller.
func TestClassification(t *testing.T) {
	const text = `"words of the partner"`
	const fault = `{"message":"internal error","trace_id":"4f1d0c9b7e2a"}`
	for _, test := range []struct {
		answer       answer
		create, read operation.Class
		replies      bool
	}{
		{answer{201, created}, operation.Done, operation.Done, true},
		{answer{200, created}, operation.Done, operation.Done, true},
		{answer{201, ``}, operation.Unknown, operation.Unavailable, false},
		{answer{201, `[]`}, operation.Unknown, operation.Unavailable, true},
		{answer{201, created[:80]}, operation.Unknown, operation.Unavailable, false},
		{answer{201, `"ok"`}, operation.Unknown, operation.Unavailable, false},
		{answer{201, `null`}, operation.Unknown, operation.Unavailable, false},
		{answer{201, `<html>`}, operation.Unknown, operation.Unavailable, false},
		{answer{202, created}, operation.Unknown, operation.Unavailable, true},
		{answer{204, ``}, operation.Unknown, operation.Unavailable, false},
		{answer{302, ``}, operation.Unknown, operation.Unavailable, false},
		{answer{400, text}, operation.Invalid, operation.Invalid, true},
		{answer{400, ``}, operation.Invalid, operation.Invalid, true},
		{answer{401, `authorization error`}, operation.Credentials, operation.Credentials, false},
		{answer{401, `"authorization error"`}, operation.Credentials, operation.Credentials, false},
		{answer{401, ``}, operation.Credentials, operation.Credentials, false},
		{answer{403, text}, operation.Invalid, operation.Invalid, true},
		{answer{404, text}, operation.Invalid, operation.Invalid, true},
		{answer{404, `<html>`}, operation.Invalid, operation.Invalid, true},
		{answer{405, ``}, operation.Invalid, operation.Invalid, true},
		{answer{408, ``}, operation.Unknown, operation.Unavailable, true},
		{answer{409, text}, operation.Conflict, operation.Conflict, true},
		{answer{413, text}, operation.Invalid, operation.Invalid, true},
		{answer{422, text}, operation.Invalid, operation.Invalid, true},
		{answer{429, text}, operation.Throttled, operation.Throttled, true},
		{answer{429, ``}, operation.Throttled, operation.Throttled, true},
		{answer{500, fault}, operation.Unknown, operation.Unavailable, true},
		{answer{500, ``}, operation.Unknown, operation.Unavailable, true},
		{answer{502, `<html>`}, operation.Unknown, operation.Unavailable, false},
		{answer{503, fault}, operation.Unknown, operation.Unavailable, true},
		{answer{504, ``}, operation.Unknown, operation.Unavailable, true},
		{answer{0, ``}, operation.Unknown, operation.Unavailable, false},
	} {
		t.Run(strconv.Itoa(test.answer.status)+test.answer.body[:min(len(test.answer.body), 8)], func(t *testing.T) {
			answers := []answer{test.answer}
			if test.answer.status == 0 {
				answers = append(answers, test.answer) // net/http may repeat a read
			}
			sentinel := func(got operation.Outcome, class operation.Class) {
				t.Helper()
				replies := test.replies && class != operation.Credentials
				if got.Class != class || got.Code == "" || (got.Reply.Status != 0) != replies ||
					strings.Contains(string(got.Reply.Body), "html") ||
					got.Class != operation.Done && (got.Creates != "" || got.Refs != nil) {
					t.Errorf("got %+v, want %s", got, class)
				}
				if got.Reply.Status != 0 && got.Reply.Status != test.answer.status {
					t.Errorf("answers %d", got.Reply.Status)
				}
			}
			sentinel(call(t, iron.CreateCustomer(newPartner(t, answers...).config()), enroll(aCustomer)), test.create)
			sentinel(call(t, iron.GetCustomer(newPartner(t, answers...).config()), about()), test.read)
			if test.create != operation.Done {
				sentinel(
					call(
						t, iron.CreateIdentification(newPartner(t, append([]answer{{200, none}}, answers...)...).config()),
						identify(direct),
					),
					test.create,
				)
				sentinel(call(t, iron.GetIdentification(newPartner(t, answers...).config()), about()), test.read)
				if test.answer.body != `[]` && test.answer.status < 500 {
					sentinel(call(t, iron.ListIdentifications(newPartner(t, answers...).config()), about()), test.read)
				}
			}
		})
	}
	t.Run("NotSent", func(t *testing.T) {
		for _, got := range []operation.Outcome{
			call(t, iron.CreateCustomer(iron.Config{BaseURL: "http://127.0.0.1:1"}), enroll(aCustomer)),
			call(t, iron.CreateIdentification(iron.Config{BaseURL: "http://127.0.0.1:1"}), identify(direct)),
		} {
			if got.Class != operation.Unavailable || got.Code != "not_sent" {
				t.Errorf("got %+v", got)
			}
		}
	})
	t.Run("MalformedCredentials", func(t *testing.T) {
		for _, secret := range []string{``, `[]`, `{}`, `{"api_key":""}`, `{"api_key":5}`} {
			if got := callWith(
				t, iron.GetCustomer(iron.Config{BaseURL: "http://127.0.0.1:1"}), about(), newCall(secret),
			); got.Class != operation.Credentials || got.Code != "credentials_malformed" {
				t.Errorf("%s: %+v", secret, got)
			}
		}
	})
}

// TestWhatWasCreated: an answer without an id leaves it open what has happened; one with an id says whose it is.
func TestWhatWasCreated(t *testing.T) {
	upper := strings.ToUpper(identificationID)
	for _, test := range []struct {
		body  string
		class operation.Class
		state string
	}{
		{aPending, operation.Done, "pending"}, {change(t, aPending, identificationID, upper), operation.Done, "pending"},
		{change(t, aPending, `"Pending"`, `"Processed"`), operation.Done, "processed"},
		{change(t, aPending, `"Pending"`, `"PendingReview"`), operation.Done, "pending_review"},
		{change(t, aPending, `"Pending"`, `"Approved"`), operation.Done, "approved"},
		{change(t, aPending, `"Pending"`, `"Declined"`), operation.Done, "declined"},
		{change(t, aPending, `"Pending"`, `"Expired"`), operation.Done, "expired"},
		{change(t, aPending, `"Pending"`, `"Archived"`), operation.Done, "archived"},
		{change(t, aPending, `"Pending"`, `"Rejected of Noor"`), operation.Done, "other"},
		{change(t, aPending, `"customer_id":"`+customerID+`",`, ``), operation.Done, "pending"},
		{change(t, aPending, `"https://verify.example.test/start?token=q8"`, `5`), operation.Done, "pending"},
		{change(t, aPending, identificationID, "1"), operation.Unknown, ""},
		{change(t, aPending, `"id"`, `"ID"`), operation.Unknown, ""},
		{change(t, aPending, `"Pending"`, `""`), operation.Unknown, ""},
		{change(t, aPending, `"`+identificationID+`"`, `5`), operation.Unknown, ""},
		{change(t, aPending, customerID, "x"), operation.Unknown, ""}, {`{}`, operation.Unknown, ""},
	} {
		op := iron.CreateIdentification(newPartner(t, answer{200, none}, answer{201, test.body}).config())
		got := call(t, op, identify(direct))
		if got.Class != test.class || string(got.Reply.Body) != test.body ||
			got.Class == operation.Done &&
				(got.Creates != "iron/identification/"+identificationID ||
					got.Refs["identification_id"] != identificationID || got.Refs["state"] != test.state) ||
			got.Class != operation.Done && got.Creates != "" {
			t.Errorf("%s: %+v", test.body, got)
		}
		if summary := op.Output(got.Reply); got.Class == operation.Done &&
			(len(summary) != 2 || summary["identification_id"] != identificationID || summary["state"] != test.state) {
			t.Errorf("%s: %v", test.body, summary)
		}
	}
	for body, class := range map[string]operation.Class{
		created: operation.Done, change(t, created, customerID, strings.ToUpper(customerID)): operation.Done,
		change(t, created, customerID, "1"): operation.Unknown, `{}`: operation.Unknown,
	} {
		op := iron.CreateCustomer(newPartner(t, answer{201, body}).config())
		got := call(t, op, enroll(aCustomer))
		if got.Class != class ||
			class == operation.Done &&
				(got.Creates != "iron/customer/"+customerID || got.Refs["customer_id"] != customerID ||
					op.Output(got.Reply)["customer_id"] != customerID || len(op.Output(got.Reply)) != 1) {
			t.Errorf("%s: %+v", body, got)
		}
	}
}

// TestTolerated: a byte order mark is skipped and passed on.
func TestTolerated(t *testing.T) {
	got := call(t, iron.GetCustomer(newPartner(t, answer{200, "\uFEFF" + created}).config()), about())
	if got.Class != operation.Done || string(got.Reply.Body) != "\uFEFF"+created {
		t.Errorf("got %+v", got)
	}
}

// TestReads: an answer about something else than was asked for is none.
func TestReads(t *testing.T) {
	other := strings.Replace(customerID, "7", "8", 1)
	for name, test := range map[string]struct {
		call  func(iron.Config) operation.Outcome
		body  string
		class operation.Class
	}{
		"Customer": {
			func(c iron.Config) operation.Outcome { return call(t, iron.GetCustomer(c), about()) },
			change(t, created, customerID, strings.ToUpper(customerID)), operation.Done,
		},
		"OtherCustomer": {
			func(c iron.Config) operation.Outcome { return call(t, iron.GetCustomer(c), about()) },
			change(t, created, customerID, other), operation.Unavailable,
		},
		"OtherIdentification": {
			func(c iron.Config) operation.Outcome { return call(t, iron.GetIdentification(c), about()) },
			change(t, aPending, identificationID, other), operation.Unavailable,
		},
		"ExternalOdd": {
			func(c iron.Config) operation.Outcome { return call(t, iron.GetCustomer(c), external("x")) }, `{"id":5}`,
			operation.Unavailable,
		},
		"ListOdd": {
			func(c iron.Config) operation.Outcome { return call(t, iron.ListIdentifications(c), about()) }, `{"items":null}`,
			operation.Unavailable,
		},
		"NewestOdd": {func(c iron.Config) operation.Outcome {
			return call(t, iron.ListIdentifications(c), fromMachine(about()))
		}, `{"items":[{"id":"x"}]}`, operation.Unavailable},
		"CursorOdd": {func(c iron.Config) operation.Outcome {
			return call(t, iron.ListIdentifications(c), fromMachine(about()))
		}, `{"items":[],"cursor":5}`, operation.Unavailable},
	} {
		if got := test.call(newPartner(t, answer{200, test.body}).config()); got.Class != test.class {
			t.Errorf("%s: %+v", name, got)
		}
	}
	t.Run("ExternalAbsent", func(t *testing.T) {
		op := iron.GetCustomer(newPartner(t, answer{404, `"customer not found"`}).config())
		if got := call(t, op, external("x")); got.Class != operation.Done || got.Code != "absent" ||
			string(got.Reply.Body) != "{}" || op.Output(got.Reply)["customer_id"] != "" {
			t.Errorf("got %+v", got)
		}
		for _, body := range []string{`{}`, `{"external_id":""}`, `{"external_id":5}`, `{"external_id":"x","more":1}`} {
			if _, err := op.Decode(gateway.Request{FromStateMachine: true, Body: []byte(body)}); err == nil {
				t.Errorf("%s is a question", body)
			}
		}
		if got := call(
			t, iron.GetCustomer(newPartner(t, answer{503, ``}).config()), external("x"),
		); got.Class != operation.Unavailable {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("NewestOfSeveralPages", func(t *testing.T) { // whatever their order
		one := change(t, aPending, "2026-03-02T09:14:07Z", "2026-03-01T09:14:07.5+00:00", `"Pending"`, `"Declined"`)
		two := change(
			t, aPending, identificationID, other, "2026-03-02T09:14:07Z", "2026-03-02T10:14:07+01:00", `"Pending"`,
			`"Processed"`,
		)
		p := newPartner(
			t, answer{200, `{"items":[` + one + `],"cursor":"` + customerID + `"}`},
			answer{200, `{"items":[],"cursor":"` + other + `"}`}, answer{200, `{"items":[` + two + `]}`},
		)
		op := iron.ListIdentifications(p.config())
		got := call(t, op, fromMachine(about()))
		if summary := op.Output(got.Reply); string(got.Reply.Body) != two || summary["state"] != "processed" ||
			got.Refs["identification_id"] != other {
			t.Errorf("got %+v", got)
		}
		if all := p.requests(); len(all) != 3 || !strings.HasSuffix(all[1].url, "?cursor="+customerID+"&page_size=100") ||
			!strings.HasSuffix(all[2].url, "?cursor="+other+"&page_size=100") {
			t.Errorf("asked %+v", all)
		}
	})
	t.Run("NewestOfNone", func(t *testing.T) {
		op := iron.ListIdentifications(newPartner(t, answer{200, none}).config())
		if got := call(t, op, fromMachine(about())); string(got.Reply.Body) != "{}" ||
			op.Output(got.Reply)["state"] != "none" || op.Output(got.Reply)["identification_id"] != "" {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("EndlessList", func(t *testing.T) {
		endless := make([]answer, 20)
		for i := range endless {
			endless[i] = answer{200, `{"items":[],"cursor":"` + customerID + `"}`}
		}
		if got := call(
			t, iron.ListIdentifications(newPartner(t, endless...).config()), fromMachine(about()),
		); got.Class != operation.Unavailable {
			t.Errorf("got %+v", got)
		}
	})
}

// TestGuard: while the newest identification is pending none is created; where that can't be told, neither.
func TestGuard(t *testing.T) {
	list := func(items ...string) string { return `{"items":[` + strings.Join(items, ",") + `]}` }
	older := change(t, aPending, "2026-03-02T09:14:07Z", "2026-03-01T09:14:07Z")
	approved := change(t, aPending, `"Pending"`, `"Approved"`)
	for name, test := range map[string]struct {
		answers []answer
		class   operation.Class
		code    string
		posts   int
	}{
		"Pending": {[]answer{{200, list(aPending)}}, operation.Conflict, "pending_identification", 0},
		"PendingIsNewest": {
			[]answer{{200, list(change(t, older, `"Pending"`, `"Approved"`), aPending)}}, operation.Conflict,
			"pending_identification", 0,
		},
		"PendingOnPage2": {
			[]answer{
				{200, `{"items":[` + change(t, older, `"Pending"`, `"Approved"`) + `],"cursor":"` + customerID + `"}`},
				{200, list(aPending)},
			},
			operation.Conflict, "pending_identification", 0,
		},
		"PendingIsOlder": {[]answer{{200, list(older, approved)}, {201, aPending}}, operation.Done, "ok", 1},
		"Superseded": {
			[]answer{{200, list(change(t, aPending, `"Pending"`, `"Processed"`))}, {201, aPending}}, operation.Done, "ok", 1,
		},
		"Unreadable": {[]answer{{200, list(`{"status":"Pending"}`)}}, operation.Unavailable, "unreadable", 0},
		"Down":       {[]answer{{503, ``}}, operation.Unavailable, "http_503", 0},
		"Throttled":  {[]answer{{429, ``}}, operation.Throttled, "http_429", 0},
		"NotAllowed": {[]answer{{401, ``}}, operation.Credentials, "http_401", 0},
		"NoCustomer": {[]answer{{404, `"no"`}}, operation.Invalid, "http_404", 0},
		"PartnerSaysSo": {
			[]answer{{200, none}, {409, `"customer has a pending identification"`}}, operation.Conflict, "http_409", 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPartner(t, test.answers...)
			got := call(t, iron.CreateIdentification(p.config()), identify(direct))
			if got.Class != test.class || got.Code != test.code || p.posts() != test.posts ||
				len(p.requests()) != len(test.answers) {
				t.Errorf("got %+v, asked %+v", got, p.requests())
			}
			if got.Class == operation.Conflict &&
				(got.Reply.Status != 409 || string(got.Reply.Body) != `"customer has a pending identification"`) {
				t.Errorf("answers %d %s", got.Reply.Status, got.Reply.Body)
			}
		})
	}
}

// TestRepeat: a repeat looks first, and again where it is refused; what can't be looked for stays unknown.
func TestRepeat(t *testing.T) {
	found := `{"items":[` + aPending + `]}`
	old := `{"items":[` + change(t, aPending, "2026-03-02T09:14:07Z", "2026-03-02T09:13:36Z") + `]}`
	skewed := `{"items":[` + change(t, aPending, "2026-03-02T09:14:07Z", "2026-03-02T09:13:37Z") + `]}`
	for name, test := range map[string]struct {
		answers []answer
		class   operation.Class
		posts   int
	}{
		"Found":           {[]answer{{200, found}}, operation.Done, 0},
		"FoundWithSkew":   {[]answer{{200, skewed}}, operation.Done, 0},
		"Older":           {[]answer{{200, old}, {201, aPending}}, operation.Done, 1},
		"NotThere":        {[]answer{{200, none}, {201, aPending}}, operation.Done, 1},
		"CanNotLook":      {[]answer{{503, ``}}, operation.Unknown, 0},
		"NoCustomer":      {[]answer{{404, ``}}, operation.Unknown, 0},
		"Unreadable":      {[]answer{{200, `{}`}}, operation.Unknown, 0},
		"LostAgain":       {[]answer{{200, none}, {0, ``}}, operation.Unknown, 1},
		"FaultAgain":      {[]answer{{200, none}, {500, ``}}, operation.Unknown, 1},
		"RefusedButThere": {[]answer{{200, none}, {409, `"x"`}, {200, found}}, operation.Done, 1},
		"InvalidButThere": {[]answer{{200, none}, {400, `"x"`}, {200, found}}, operation.Done, 1},
		"Refused":         {[]answer{{200, none}, {400, `"x"`}, {200, none}}, operation.Invalid, 1},
		"RefusedUnlooked": {[]answer{{200, none}, {409, `"x"`}, {503, ``}}, operation.Unknown, 1},
		// which the pipeline doesn't take for an answer to the first
		"ThrottledOnlyNow": {[]answer{{200, none}, {429, `"x"`}}, operation.Throttled, 1},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPartner(t, test.answers...)
			got := callWith(t, iron.CreateIdentification(p.config()), identify(direct), again())
			if got.Class != test.class || p.posts() != test.posts || len(p.requests()) != len(test.answers) {
				t.Errorf("got %+v, asked %+v", got, p.requests())
			}
			if got.Class == operation.Done &&
				(got.Reply.Status != 201 || string(got.Reply.Body) != aPending && name != "FoundWithSkew" ||
					got.Creates != "iron/identification/"+identificationID) {
				t.Errorf("answers %d %s", got.Reply.Status, got.Reply.Body)
			}
		})
	}
}

// TestLookup: what shows that a lost creation of a customer has happened.
func TestLookup(t *testing.T) {
	list := func(items ...string) string { return `{"items":[` + strings.Join(items, ",") + `]}` }
	const byEmail = `{"customer_type":"Person","email":"noor@example.com"}`
	external, created := created, change(t, created, `,"external_id":"ext-1"`, ``)
	for name, test := range map[string]struct {
		body    string
		answers []answer
		finding operation.Finding
		url     string
	}{
		"External": {aCustomer, []answer{{200, external}}, operation.Found, "/customers/ext-1/external"},
		"ExternalOlder": {
			aCustomer, []answer{{200, change(t, external, "2026-03-02T09:14:07Z", "2026-03-01T09:14:07Z")}}, operation.NotFound,
			"/customers/ext-1/external",
		},
		"ExternalOther": {
			aCustomer, []answer{{200, change(t, external, `"Person"`, `"Business"`)}}, operation.NotFound,
			"/customers/ext-1/external",
		},
		"ExternalNone": {aCustomer, []answer{{404, `"x"`}}, operation.NotFound, "/customers/ext-1/external"},
		"ExternalDown": {aCustomer, []answer{{500, ``}}, operation.Undetermined, "/customers/ext-1/external"},
		"Email": {
			byEmail, []answer{{200, list(created)}}, operation.Found, "/customers?page_size=100&search_term=noor%40example.com",
		},
		"EmailCase": {
			byEmail, []answer{{200, list(change(t, created, "noor@", "Noor@"))}}, operation.Found,
			"/customers?page_size=100&search_term=noor%40example.com",
		},
		"EmailOlder": {
			byEmail, []answer{{200, list(change(t, created, "2026-03-02T09:14:07Z", "2026-03-01T09:14:07Z"))}},
			operation.NotFound, "/customers?page_size=100&search_term=noor%40example.com",
		},
		"OtherEmail": {
			byEmail, []answer{{200, list(change(t, created, "noor@", "eleanoor@"))}}, operation.NotFound,
			"/customers?page_size=100&search_term=noor%40example.com",
		},
		"OtherType": {
			byEmail, []answer{{200, list(change(t, created, `"Person"`, `"Business"`))}}, operation.NotFound,
			"/customers?page_size=100&search_term=noor%40example.com",
		},
		"SecondPage": {
			byEmail, []answer{{200, `{"items":[],"cursor":"` + customerID + `"}`}, {200, list(created)}}, operation.Found,
			"/customers?page_size=100&search_term=noor%40example.com",
		},
		"EmailNone": {
			byEmail, []answer{{200, none}}, operation.NotFound, "/customers?page_size=100&search_term=noor%40example.com",
		},
		"EmailDown": {
			byEmail, []answer{{503, ``}}, operation.Undetermined, "/customers?page_size=100&search_term=noor%40example.com",
		},
		// the oldest generation has none
		"EmailNoList": {
			byEmail, []answer{{404, `"x"`}}, operation.Undetermined, "/customers?page_size=100&search_term=noor%40example.com",
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPartner(t, test.answers...)
			op := iron.CreateCustomer(p.config())
			in, err := op.Decode(enroll(test.body))
			if err != nil {
				t.Fatal(err)
			}
			got, finding := op.Lookup(t.Context(), newCall(secret), in)
			if finding != test.finding || p.requests()[0].url != test.url || p.posts() != 0 ||
				finding == operation.Found &&
					(got.Class != operation.Done || got.Reply.Status != 201 || got.Creates != "iron/customer/"+customerID) {
				t.Errorf("found %d, %+v, asked %+v", finding, got, p.requests())
			}
		})
	}
}

// TestNotFound: a record that isn't there is answered like another tenant's, to the byte.
func TestNotFound(t *testing.T) {
	config := func() iron.Config { return newPartner(t, answer{404, `"the partner's own words"`}).config() }
	for name, test := range map[string]struct {
		answered operation.Outcome
		foreign  gateway.Reply
		want     string
	}{
		"Customer": {
			call(t, iron.GetCustomer(config()), about()), iron.GetCustomer(iron.Config{}).Errors(operation.NoSuchRecord, "x"),
			`"customer not found"`,
		},
		"List": {
			call(t, iron.ListIdentifications(config()), about()),
			iron.ListIdentifications(iron.Config{}).Errors(operation.NoSuchRecord, "x"), `"customer not found"`,
		},
		"Identify": {
			call(t, iron.CreateIdentification(config()), identify(direct)),
			iron.CreateIdentification(iron.Config{}).Errors(operation.NoSuchRecord, "x"), `"customer not found"`,
		},
		"Identification": {
			call(t, iron.GetIdentification(config()), about()),
			iron.GetIdentification(iron.Config{}).Errors(operation.NoSuchRecord, "x"), `"identification not found"`,
		},
	} {
		for _, got := range []gateway.Reply{test.answered.Reply, test.foreign} {
			if got.Status != 404 || string(got.Body) != test.want || got.ContentType != "application/json" ||
				len(got.Header) != 0 {
				t.Errorf("%s: %+v", name, got)
			}
		}
	}
}

// TestEveryConditionHasAnAnswer: to the byte, but for the id of a fault.
func TestEveryConditionHasAnAnswer(t *testing.T) {
	c := iron.Config{}
	const unavailable = `{"message":"the service is not available, try again later","trace_id":"*"}`
	for condition, want := range map[operation.Condition]answer{
		operation.NoKey: {401, `authorization error`}, operation.BadKey: {401, `authorization error`},
		operation.Forbidden: {403, `"this key may not use Iron"`}, operation.TooLarge: {413, `"the request is too large"`},
		operation.InvalidRequest: {400, `"invalid request: /x: y"`}, operation.NoSuchRecord: {404, `"customer not found"`},
		operation.KeyReused:  {409, `"idempotency key reused with a different request"`},
		operation.InFlight:   {409, `"a request with this IDEMPOTENCY-KEY is in progress"`},
		operation.AnswerGone: {410, `"the answer to this IDEMPOTENCY-KEY is not kept any more"`},
		operation.OutcomeUnknown: {
			500, `{"message":"the outcome of this request is not known, it may have taken effect","trace_id":"*"}`,
		},
		operation.LedgerDown: {503, unavailable}, operation.PartnerDown: {503, unavailable},
		operation.PartnerThrottled:    {429, `"too many requests"`},
		operation.CredentialsRejected: {500, `{"message":"internal error","trace_id":"*"}`},
		operation.Internal:            {500, `{"message":"internal error","trace_id":"*"}`},
	} {
		for name, render := range map[string]func(operation.Condition, string) gateway.Reply{
			"CreateCustomer": iron.CreateCustomer(c).Errors, "GetCustomer": iron.GetCustomer(c).Errors,
			"CreateIdentification": iron.CreateIdentification(c).Errors,
			"ListIdentifications":  iron.ListIdentifications(c).Errors, "GetIdentification": iron.GetIdentification(c).Errors,
		} {
			reply := render(condition, "/x: y")
			text := string(reply.Body)
			var fault struct {
				TraceID string `json:"trace_id"`
			}
			if json.Unmarshal(reply.Body, &fault) == nil && fault.TraceID != "" {
				if len(fault.TraceID) != 12 {
					t.Errorf("%s: trace id %q", condition, fault.TraceID)
				}
				text = strings.Replace(text, fault.TraceID, "*", 1)
			}
			body, contentType := want.body, "application/json"
			if condition == operation.NoSuchRecord && name == "GetIdentification" {
				body = `"identification not found"`
			}
			if want.status == 401 {
				contentType = "text/plain; charset=utf-8"
			}
			if reply.Status != want.status || text != body || reply.ContentType != contentType {
				t.Errorf("%s of %s: %d %s %s", condition, name, reply.Status, reply.ContentType, text)
			}
		}
	}
	for _, condition := range operation.Conditions() {
		if got := iron.GetCustomer(c).Errors(condition, ""); got.Status < 400 || len(got.Body) == 0 {
			t.Errorf("%s: %+v", condition, got)
		}
	}
}

// FuzzAnswer: whatever the partner answers, it is read, and no more of it gets to a state machine than codes and ids.
func FuzzAnswer(f *testing.F) {
	for _, text := range []string{
		aPending, created, none, `{}`, `"x"`, `<html>`,
		`{"id":"E2B8D1F4-6C0A-4A8E-A3F1-90D2B7C4AA10","status":"Approved of Noor","step_status":{"a":1}}`,
	} {
		f.Add(200, []byte(text))
	}
	c := iron.Config{}
	f.Fuzz(func(t *testing.T, status int, text []byte) {
		reply := gateway.JSON(status, text)
		for _, summary := range []map[string]any{
			iron.CreateCustomer(c).Output(reply), iron.GetCustomer(c).Output(reply), iron.CreateIdentification(c).Output(reply),
			iron.ListIdentifications(c).Output(reply), iron.GetIdentification(c).Output(reply),
		} {
			for name, value := range summary {
				s, ok := value.(string)
				if !ok || strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789_-") != "" || len(s) > 36 {
					t.Errorf("%q gave %s %q", text, name, value)
				}
			}
		}
		typ := iron.CustomerIdentification(c)
		if out, err := typ.Outcome(reply, nil, nil); err != nil || out != nil && !json.Valid(out) {
			t.Errorf("%q gave %s, %v", text, out, err)
		}
	})
}
