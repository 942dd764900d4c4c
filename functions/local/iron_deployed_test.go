package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/uuid"

	main "sallyport/functions/local"
	"sallyport/functions/sandbox"
	"sallyport/shared/ledger/ledgertest/dynamolocal"
)

// TestDeployedIronMatrix goes through the routes of Iron's functions. Answers to creations are lost, and settled by a
// repeat.
func TestDeployedIronMatrix(t *testing.T) {
	t.Parallel()
	s := deployed(t)
	s.function("iron/callback") // the API needs it later, in a goroutine of its own
	customer := s.wantSettled("create-customer", ironCustomersURL, ironCustomer("Person", "noor@example.com"))
	got := s.call("GET", ironCustomersURL+"/"+customer, "key", "", "")
	if got.StatusCode != 200 || !strings.Contains(got.Body, `"id":"`+customer+`"`) {
		t.Errorf("customer: %+v", got)
	}
	first := s.wantSettled("create-identification", identificationsURL(customer), `{"type":"Direct"}`)
	if got = s.call("GET", identificationsURL(customer), "key", "", ""); got.StatusCode != 200 ||
		!strings.Contains(got.Body, `"id":"`+first+`"`) {
		t.Errorf("list: %+v", got)
	}
	if got = s.call(
		"POST", identificationsURL(customer)+"/v2", "key", uuid.NewString(), `{"type":"Link"}`,
	); got.StatusCode != 409 || got.Body != `"customer has a pending identification"` {
		t.Errorf("while one is pending: %+v", got)
	}
	s.partner("POST", "/iron/sandbox/identification/"+first, `{"approved":false}`)
	if got = s.call("GET", "/iron/identifications/"+first, "key", "", ""); got.StatusCode != 200 ||
		!strings.Contains(got.Body, `"Declined"`) {
		t.Errorf("identification: %+v", got)
	}
	second := s.wantSettled("create-identification", identificationsURL(customer)+"/v2", `{"type":"Link"}`)
	for route, want := range map[string]string{
		"GET " + ironCustomersURL + "/" + customer: `"customer not found"`,
		"GET " + identificationsURL(customer):      `"customer not found"`,
		"POST " + identificationsURL(customer):     `"customer not found"`,
		"GET /iron/identifications/" + second:      `"identification not found"`,
	} {
		method, path, _ := strings.Cut(route, " ")
		body := map[string]string{"POST": `{"type":"Direct"}`}[method]
		if got := s.call(method, path, "third-key", uuid.NewString(), body); got.StatusCode != 404 || got.Body != want {
			t.Errorf("%s of another tenant: %+v", route, got)
		}
	}
	if got = s.call("GET", ironCustomersURL+"/"+customer, "no-key", "", ""); got.StatusCode != 401 ||
		got.Body != "authorization error" {
		t.Errorf("without a key: %+v", got)
	}
	if got = s.call("POST", "/callbacks/iron", "", "", `{"type":"identification_status"}`); got.StatusCode != 401 {
		t.Errorf("a webhook without a signature: %+v", got)
	}
	// The other tenant has an account of its own.
	if got = s.call(
		"POST", ironCustomersURL, "other-key", uuid.NewString(), ironCustomer("Person", "c@example.com"),
	); got.StatusCode != 201 {
		t.Fatalf("create: %+v", got)
	}
	var other struct{ ID string }
	MustDecode(t, got.Body, &other)
	for _, path := range []string{ironCustomersURL + "/" + other.ID, identificationsURL(other.ID)} {
		if got = s.call("GET", path, "other-key", "", ""); got.StatusCode != 200 {
			t.Errorf("%s: %+v", path, got)
		}
	}
	// What is too large for a record lies in the vault, until it is gone.
	s.wordy.Store(true)
	key, body := uuid.NewString(), ironCustomer("Person", "d@example.com", `,"external_id":"order-17"`)
	large := s.call("POST", ironCustomersURL, "key", key, body)
	if again := s.call("POST", ironCustomersURL, "key", key, body); large.StatusCode != 201 || again.Body != large.Body ||
		s.documents() != 1 {
		t.Errorf("of %d bytes: %d, then %+v, %d documents", len(large.Body), large.StatusCode, again, s.documents())
	}
	s.forget()
	if again := s.call("POST", ironCustomersURL, "key", key, body); again.Headers["Gateway-Error"] != "answer_gone" ||
		s.effects("iron", "create-customer") != 3 {
		t.Errorf("gone: %+v", again)
	}
	// A journey finds the customer, by a reference that may be gone.
	x := s.begin("customer-identification", "k", linkFor("d@example.com", `,"external_id":"order-17"`))
	waits := x.awaits().Awaiting
	if waits.URL == "" || s.effects("iron", "create-customer") != 3 {
		t.Errorf("waits for %+v, %d customers", waits, s.effects("iron", "create-customer"))
	}
	s.wordy.Store(false)
	s.partner("POST", "/iron/sandbox/identification/"+waits.IdentificationID, `{"approved":true}`)
	x.goOn()
	if view, text := x.view(); view.Status != "SUCCEEDED" {
		t.Errorf("%s", text)
	}
	out := s.function("iron/get-customer").invoke([]byte(
		`{"task":{"tenant":"acme","execution":"` + x.id + `","state":"FindCustomer","index":0,"round":0},"query":{"sub_partner_id":""},"body":` + s.reference(x, "external_id") + `}`,
	))
	if !bytes.Contains(out, []byte(`"errorType"`)) {
		t.Errorf("of a reference that is gone: %s", out)
	}
	s.wantUsed(t, "Iron")
}

// wantSettled makes a creation whose first answer is lost, repeats it, and returns the id of the one thing that it has
// created.
func (s *stage) wantSettled(operation, path, body string) string {
	s.t.Helper()
	before := s.effects("iron", operation)
	s.arm("iron", operation, "reset_after_effect")
	key := uuid.NewString()
	if got := s.call("POST", path, "key", key, body); got.Headers["Gateway-Error"] != "outcome_unknown" ||
		got.Headers["Retry-After"] == "" {
		s.t.Fatalf("%s, lost: %+v", operation, got)
	}
	got := s.call("POST", path, "key", key, body)
	var created struct{ ID string }
	MustDecode(s.t, got.Body, &created)
	if again := s.call("POST", path, "key", key, body); got.StatusCode != 201 || created.ID == "" ||
		again.Body != got.Body || again.Headers["Idempotency-Replayed"] != "true" ||
		s.effects("iron", operation) != before+1 {
		s.t.Fatalf("%s: %+v, then %+v, %d effects", operation, got, again, s.effects("iron", operation)-before)
	}
	return created.ID
}

// call invokes the function whose route in template.yaml takes a request.
func (s *stage) call(method, path, apiKey, key, body string) (response events.APIGatewayV2HTTPResponse) {
	s.t.Helper()
	headers := map[string]string{"x-api-key": apiKey, "content-type": "application/json", "idempotency-key": key}
	for name, value := range headers {
		if value == "" {
			delete(headers, name)
		}
	}
	for id, resource := range readDeployed(s.t).Resources {
		var function struct {
			Events map[string]struct {
				Properties struct {
					Method string `yaml:"Method"`
					Path   string `yaml:"Path"`
				} `yaml:"Properties"`
			} `yaml:"Events"`
		}
		if resource.Type != "AWS::Serverless::Function" || resource.Properties.Decode(&function) != nil {
			continue
		}
		for _, event := range function.Events {
			params, ok := routed(event.Properties.Path, path)
			if route := event.Properties.Method + " " + event.Properties.Path; ok && event.Properties.Method == method {
				text, err := json.Marshal(events.APIGatewayV2HTTPRequest{Version: "2.0", RouteKey: route, RawPath: path,
					Headers: headers, Body: body, PathParameters: params,
					RequestContext: events.APIGatewayV2HTTPRequestContext{RouteKey: route, Stage: "$default", RequestID: "r",
						HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{Method: method, Path: path}}})
				if err != nil {
					s.t.Fatal(err)
				}
				return s.http(main.Folder(id), text)
			}
		}
	}
	s.t.Fatalf("no route takes %s %s", method, path)
	return response
}

// routed reports whether a route's path takes a path, and with which parameters.
func routed(route, path string) (params map[string]string, ok bool) {
	names, values := strings.Split(route, "/"), strings.Split(path, "/")
	if route == "" || len(names) != len(values) {
		return nil, false
	}
	params = map[string]string{}
	for i, name := range names {
		if inner, is := strings.CutPrefix(name, "{"); is {
			params[strings.TrimSuffix(inner, "}")] = values[i]
		} else if name != values[i] {
			return nil, false
		}
	}
	return params, true
}

// arm has the next request to an operation meet a fault.
func (s *stage) arm(partner, operation, fault string) {
	s.t.Helper()
	s.partner(
		"POST", "/faults", fmt.Sprintf(`{"partner":%q,"operation":%q,"fault":%q,"times":1}`, partner, operation, fault),
	)
}

// effects counts how often an operation has acted.
func (s *stage) effects(partner, operation string) (n int) {
	s.t.Helper()
	var all []sandbox.Request
	MustDecode(s.t, s.partner("GET", "/requests?partner="+partner+"&operation="+operation, ""), &all)
	for _, r := range all {
		if r.Effect {
			n++
		}
	}
	return n
}

// forget empties the vault.
func (s *stage) forget() {
	s.aws.mu.Lock()
	defer s.aws.mu.Unlock()
	clear(s.objects)
}

// reference is a reference in what an execution was started with, as a task's body.
func (s *stage) reference(x *execution, member string) string {
	s.t.Helper()
	var input map[string]json.RawMessage
	MustDecode(s.t, string(x.Input), &input)
	if !strings.Contains(string(input[member]), "document_id") {
		s.t.Fatalf("%s is %s", member, input[member])
	}
	return `{"` + member + `":` + string(input[member]) + `}`
}

// awaited is what a journey shows of the identification that it waits for.
type awaited struct {
	Awaiting struct {
		IdentificationID string `json:"identification_id"`
		URL              string `json:"url"`
	} `json:"awaiting"`
}

func (x *execution) awaits() (a awaited) {
	x.t.Helper()
	_, text := x.view()
	MustDecode(x.t, text, &a)
	return a
}

// wantSealed checks that neither the table nor the vault holds secrets in clear.
func (s *stage) wantSealed(secrets ...string) {
	s.t.Helper()
	clear := dynamolocal.Texts(s.t, s.table)
	s.aws.mu.Lock()
	defer s.aws.mu.Unlock()
	for path, object := range s.objects {
		clear = append(append(clear, path...), object...)
	}
	for _, secret := range secrets {
		if bytes.Contains(clear, []byte(secret)) {
			s.t.Errorf("%s lies there in clear", secret)
		}
	}
}
