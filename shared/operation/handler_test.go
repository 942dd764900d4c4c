package operation_test

import (
	"context"
	"encoding/json"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"sallyport/shared/operation"
)

// taskPayload is what a Task state sends.
func taskPayload(round, body string) []byte {
	return []byte(
		`{"task":{"tenant":"acme","execution":"run-1","state":"Send","index":0,"round":` + round + `},"path":{},"query":{},"body":` + body + `}`,
	)
}

func TestTask(t *testing.T) {
	s := newStack(t)
	h := operation.New(s.p, s.act(operation.Manual))
	first, err := h.Invoke(context.Background(), taskPayload("0", `{"value":"a"}`))
	if err != nil {
		t.Fatal(err)
	}
	var result map[string]any
	if err := json.Unmarshal(first, &result); err != nil {
		t.Fatal(err)
	}
	if result["code"] != "partner_200" || result["size"] != float64(len(`{"effect":1}`)) || result["round"] != 0.0 ||
		len(result) != 4 {
		t.Errorf("result is %s, want the code, the round, the transaction and the summary", first)
	}
	again, err := h.Invoke(context.Background(), taskPayload("0", `{"value":"a"}`))
	if err != nil || string(again) != string(first) {
		t.Errorf("a retried task returned %s, %v, want %s", again, err, first)
	}
	s.wantEffects(1)
	record, err := s.counting.Store.Transaction(context.Background(), "acme", result["transaction_id"].(string))
	if err != nil || record.Journey != "run-1" || record.Step != "Send" {
		t.Errorf("record %+v, %v", record, err)
	}
	if _, err := h.Invoke(context.Background(), taskPayload("1", `{"value":"a"}`)); err != nil {
		t.Error(err)
	}
	s.wantEffects(2)
	s.want(s.post(h, "run-1", `{"value":"a"}`), 200, "") // a caller's key never meets a task's
	s.wantEffects(3)
}

// TestTaskOutputRefs: a state machine sees the references that an operation names, from the record as from the answer,
// and an empty text for one that there is not.
func TestTaskOutputRefs(t *testing.T) {
	s := newStack(t)
	op := s.act(operation.Manual)
	op.OutputRefs = []string{"step", "other"}
	h := operation.New(s.p, op)
	for range 2 {
		out, err := h.Invoke(t.Context(), taskPayload("0", `{"value":"a"}`))
		var result map[string]any
		if err != nil || json.Unmarshal(out, &result) != nil || result["step"] != "test" || result["other"] != "" ||
			len(result) != 6 {
			t.Errorf("got %s, %v", out, err)
		}
	}
	s.wantEffects(1)
}

// errorType is what aws-lambda-go reports for an error.
func errorType(err error) string {
	if err == nil {
		return ""
	}
	return reflect.TypeOf(err).Name()
}

func TestTaskErrors(t *testing.T) {
	for _, test := range []struct {
		name       string
		resolution operation.Resolution
		partner    func(http.ResponseWriter, *http.Request)
		body       string
		want       string
	}{
		{"Refused", operation.Manual, status(202), `{"value":"a"}`, "Refused"},
		{"Conflict", operation.Manual, status(409), `{"value":"a"}`, "Conflict"},
		{"Throttled", operation.Manual, status(429), `{"value":"a"}`, "Throttled"},
		{"Unavailable", operation.Manual, status(503), `{"value":"a"}`, "Unavailable"},
		{"CredentialsRejected", operation.Manual, status(401), `{"value":"a"}`, "CredentialsRejected"},
		{"OutcomeUnknown", operation.Manual, lostBefore, `{"value":"a"}`, "OutcomeUnknown"},
		{"UnknownThatARetryResolves", operation.SafeRetry, lostBefore, `{"value":"a"}`, "Unavailable"},
		{"UnknownThatALookupResolves", operation.Lookup, lostBefore, `{"value":"a"}`, "Unavailable"},
		{"InvalidAtThePartner", operation.Manual, status(400), `{"value":"a"}`, "InvalidInput"},
		{"InvalidBody", operation.Manual, status(200), `{"value":""}`, "InvalidInput"},
		{"UnknownName", operation.Manual, status(200), `{"valeu":"a"}`, "InvalidInput"},
		{"NoSuchReference", operation.Manual, status(200), `{"value":{"document_id":"nope"}}`, "InvalidInput"},
		{"Panic", operation.Manual, status(200), `{"value":"panic"}`, "Unavailable"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newStack(t)
			s.partner.on(test.partner)
			out, err := operation.New(s.p, s.act(test.resolution)).Invoke(context.Background(), taskPayload("0", test.body))
			if errorType(err) != test.want || out != nil {
				t.Errorf("got %s, %s (%v), want %s", out, errorType(err), err, test.want)
			}
		})
	}
	t.Run("InFlight", func(t *testing.T) {
		s := newStack(t)
		s.counting.Fail = func(op string) (before, after error) { return nil, context.Canceled }
		h := operation.New(s.p, s.act(operation.Manual))
		_, err := h.Invoke(context.Background(), taskPayload("0", `{"value":"a"}`))
		if errorType(err) != "Unavailable" {
			t.Errorf("got %s", errorType(err))
		}
		s.counting.Fail = nil
		_, err = h.Invoke(context.Background(), taskPayload("0", `{"value":"a"}`))
		if errorType(err) != "InFlight" {
			t.Errorf("got %s", errorType(err))
		}
	})
	t.Run("NoTask", func(t *testing.T) {
		s := newStack(t)
		h := operation.New(s.p, s.act(operation.Manual))
		for _, payload := range []string{``, `[]`, `"x"`, `{"task":1}`, `{"task":{},"extra":1}`, `{"task":{"tenant":1}}`} {
			if _, err := h.Invoke(context.Background(), []byte(payload)); errorType(err) != "InvalidInput" {
				t.Errorf("%s: got %s", payload, errorType(err))
			}
		}
	})
}

func TestTaskOpensReferences(t *testing.T) {
	s := newStack(t)
	if err := s.p.Vault.Put(
		context.Background(), "acme", "doc-1", []byte(`"from the vault"`), s.clock().Add(time.Hour),
	); err != nil {
		t.Fatal(err)
	}
	var seen string
	op := s.act(operation.Manual)
	call := op.Call
	op.Call = func(ctx context.Context, c operation.Call, in input) operation.Outcome {
		seen = in.Value
		return call(ctx, c, in)
	}
	h := operation.New(s.p, op)
	if _, err := h.Invoke(context.Background(), taskPayload("0", `{"value":{"document_id":"doc-1"}}`)); err != nil {
		t.Fatal(err)
	}
	if seen != "from the vault" {
		t.Errorf("the operation saw %q", seen)
	}
	foreign := strings.Replace(string(taskPayload("0", `{"value":{"document_id":"doc-1"}}`)), "acme", "globex", 1)
	if _, err := h.Invoke(context.Background(), []byte(foreign)); errorType(err) != "InvalidInput" {
		t.Errorf("another tenant's reference gave %v", err)
	}
}

func TestHTTPConditions(t *testing.T) {
	s := newStack(t)
	h := operation.New(s.p, s.act(operation.Manual))
	json := map[string]string{"x-api-key": "acme-key", "content-type": "application/json"}
	with := func(name, value string) map[string]string {
		headers := map[string]string{name: value}
		for k, v := range json {
			if _, ok := headers[k]; !ok {
				headers[k] = v
			}
		}
		return headers
	}
	s.want(s.send(h, map[string]string{}, `{"value":"a"}`), 401, operation.NoKey)
	s.want(s.send(h, with("x-api-key", "wrong"), `{"value":"a"}`), 401, operation.BadKey)
	s.want(s.send(h, with("x-api-key", "acme-key,acme-key"), `{"value":"a"}`), 401, operation.BadKey)
	s.want(s.send(h, with("content-length", "70000"), ``), 413, operation.TooLarge)
	for _, key := range []string{"", " ", "a,b", `"a","b"`, "a\tb", "é", strings.Repeat("k", 256)} {
		s.want(s.send(h, with("idempotency-key", key), `{"value":"a"}`), 400, operation.InvalidRequest)
	}
	s.wantCalls(0)
	for _, key := range []string{"a b", `"a,b"`, strings.Repeat("k", 255), "~"} {
		s.want(s.send(h, with("idempotency-key", key), `{"value":"a"}`), 200, "")
	}
	quoted, plain := s.send(
		h, with("idempotency-key", `"same"`), `{"value":"a"}`,
	), s.send(h, with("idempotency-key", "same"), `{"value":"a"}`)
	if quoted.header["Transaction-Id"] != plain.header["Transaction-Id"] {
		t.Error("a key is the same, quoted or not")
	}
	got := s.send(h, json, `{"value":""}`)
	s.want(got, 400, operation.InvalidRequest)
	if got.body != `{"partner":"value is required"}` || got.header["Gateway-Error-Detail"] != "/value: is required" {
		t.Errorf("a fault that the partner has words for: %+v", got)
	}
	got = s.send(h, json, `{"value":1}`)
	s.want(got, 400, operation.InvalidRequest)
	if got.header["Gateway-Error-Detail"] != "/value: must be a string" || got.header["X-Request-Id"] != "req-1" {
		t.Errorf("got %+v", got)
	}
	other := s.act(operation.Manual)
	other.Name = "elsewhere/act"
	s.want(s.send(operation.New(s.p, other), json, `{"value":"a"}`), 403, operation.Forbidden)
}

func TestReadOfATaskKeepsItsAnswer(t *testing.T) {
	s := newStack(t)
	out, err := operation.New(s.p, s.read()).Invoke(context.Background(), taskPayload("0", `{"value":"a"}`))
	if err != nil {
		t.Fatal(err)
	}
	var result struct {
		ID string `json:"transaction_id"`
	}
	if err := json.Unmarshal(out, &result); err != nil {
		t.Fatal(err)
	}
	record, err := s.counting.Store.Transaction(context.Background(), "acme", result.ID)
	if err != nil {
		t.Fatal(err)
	}
	ring, err := s.p.Ring(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	reply, err := operation.StoredReply(context.Background(), ring, s.p.Vault, record)
	if err != nil || string(reply.Body) != `{"effect":1}` {
		t.Errorf("got %s, %v", reply.Body, err)
	}
}

func TestReadOfATaskThatIsNotRecorded(t *testing.T) {
	s := newStack(t)
	s.counting.Fail = func(string) (before, after error) { return context.Canceled, nil }
	if _, err := operation.New(s.p, s.read()).Invoke(
		context.Background(), taskPayload("0", `{"value":"a"}`),
	); errorType(err) != "Unavailable" {
		t.Errorf("got %v", err)
	}
}
