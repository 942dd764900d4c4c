package equal_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"sallyport/functions/equal"
	"sallyport/shared/gateway"
	"sallyport/shared/operation"
)

const number = "999900000016"

// decode runs an operation's decoder on a body.
func decode[In any](op operation.Operation[In], body string) (In, error) {
	return op.Decode(gateway.Request{Body: []byte(body)})
}

func step(aadhaar, otp string) string {
	body := `{"transaction_id":"t","journey_id":"j","input_data":{"aadhaar_no":"` + aadhaar + `"`
	if otp != "" {
		body += `,"otp":"` + otp + `"`
	}
	return body + `}}`
}

// answer is what a scripted partner says once.
type answer struct {
	status int
	body   string
}

// call makes an operation's call against a partner that gives one answer, and returns what it was asked.
func call[In any](
	t *testing.T, make func(equal.Config) operation.Operation[In], body string, a answer,
) (operation.Outcome, *http.Request, string) {
	t.Helper()
	return callFor(t, "acme", make, body, a)
}

func callFor[In any](
	t *testing.T, tenant string, make func(equal.Config) operation.Operation[In], body string, a answer,
) (operation.Outcome, *http.Request, string) {
	t.Helper()
	var asked *http.Request
	var sent string
	partner := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		asked, sent = r, string(text)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(a.status)
		_, _ = w.Write([]byte(a.body))
	}))
	defer partner.Close()
	op := make(equal.Config{BaseURL: partner.URL})
	in, err := decode(op, body)
	if err != nil {
		t.Fatal(err)
	}
	c := operation.NewCall(tenant, []byte(`{"client_id":"client.1#x","client_secret":"se:cret="}`))
	return op.Call(context.Background(), c, in), asked, sent
}
