package digit9_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"sallyport/functions/digit9"
	"sallyport/shared/gateway"
	"sallyport/shared/operation"
)

const (
	tokenPath   = "/auth/realms/cdp/protocol/openid-connect/token"
	lookupPath  = "/caas/api/v2/customer/validate"
	onboardPath = "/caas-lcm/api/v1/CAAS/onBoarding/customer"
	getPath     = "/caas/api/v2/customer/"

	secret   = `{"client_id":"client.1","client_secret":"se&cret=","username":"agent","password":"pass word","scope":"api://x/customer"}`
	granted  = `{"token_type":"bearer","access_token":"at-1","expires_in":7199,"refresh_expires_in":7199,"refresh_token":"rt-1","scope":"demo","not-before-policy":0,"session_state":"s"}`
	aLookup  = `{"idType":"4","idNumber":"784199000000017"}`
	aHex     = "0f0e0d0c0b0a49088706050403020100"
	springAt = "2026-01-05T09:00:00.123+00:00"
)

func config(baseURL string) digit9.Config {
	return digit9.Config{
		BaseURL: baseURL,
		Now:     func() time.Time { return time.Date(2026, 1, 5, 9, 0, 0, 123_000_000, time.UTC) },
		NewID:   func() string { return "0f0e0d0c-0b0a-4908-8706-050403020100" },
	}
}

// answer is what a scripted partner says; a status of 0 is a connection that breaks.
type answer struct {
	status int
	body   string
}

// asked is a request that reached it.
type asked struct {
	method, path, body string
	header             http.Header
}

// partner answers the token endpoint and, one after the other, everything else.
type partner struct {
	url   string
	token answer

	mu      sync.Mutex
	answers []answer
	asked   []asked
}

func newPartner(t testing.TB, answers ...answer) *partner {
	t.Helper()
	p := &partner{token: answer{200, granted}, answers: answers}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		p.mu.Lock()
		defer p.mu.Unlock()
		p.asked = append(p.asked, asked{r.Method, r.URL.Path, string(text), r.Header})
		a := p.token
		if r.URL.Path != tokenPath {
			if len(p.answers) == 0 {
				t.Errorf("asked once more: %s %s", r.URL.Path, text)
				return
			}
			a, p.answers = p.answers[0], p.answers[1:]
		}
		if a.status == 0 {
			panic(http.ErrAbortHandler)
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(a.status)
		_, _ = w.Write([]byte(a.body))
	}))
	t.Cleanup(server.Close)
	p.url = server.URL
	return p
}

// requests are those that reached it so far; left are the answers that nobody has asked for.
func (p *partner) requests() (asked []asked, left []answer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked, p.answers
}

// call makes an operation's call.
func call[In any](t testing.TB, op operation.Operation[In], req gateway.Request) operation.Outcome {
	t.Helper()
	in, err := op.Decode(req)
	if err != nil {
		t.Fatal(err)
	}
	return op.Call(t.Context(), operation.NewCall("acme", []byte(secret)), in)
}

func body(text string) gateway.Request { return gateway.Request{Method: "POST", Body: []byte(text)} }

func ecrnOf(number string) gateway.Request {
	return gateway.Request{Method: "GET", Params: map[string]string{"ecrn": number}}
}

// camel and snake are failures as the partner writes them.
func camel(statusCode, code int, message string) string {
	return fmt.Sprintf(`{"status":"failure","statusCode":%d,"errorCode":%d,"message":%q}`, statusCode, code, message)
}

func snake(status string, statusCode, code int, message string) string {
	return fmt.Sprintf(
		`{"request_id":%q,"status":%q,"status_code":%d,"error_code":%d,"message":%q}`, aHex, status, statusCode, code,
		message,
	)
}

const (
	found     = `{"status":"success","statusCode":200,"data":{"ecrn":"7841009900000017","first_name":"NOOR","customer_status":"ACTIVE","aml_scan_status":"Accepted","id_status":"Active"}}`
	onboarded = `{"status":"success","data":{"aml_scan_status":"Accepted","ecrn":"7841009900000017","customer_status":"ACTIVE","pep":false,"aml_category":2},"status_code":200,"request_id":"` + aHex + `"}`
	spring401 = `{"timestamp":"` + springAt + `","status":401,"error":"Unauthorized","path":"/api/v2/customer/validate"}`
)

// wantPassedOn checks that an answer reached the caller byte for byte if it is an object, and otherwise not at all.
func wantPassedOn(t *testing.T, a answer, outcome operation.Outcome) {
	t.Helper()
	isObject := strings.HasPrefix(a.body, "{")
	if isObject && outcome.Reply.Status != 0 &&
		(outcome.Reply.Status != a.status || string(outcome.Reply.Body) != a.body) ||
		!isObject && len(outcome.Reply.Body) != 0 {
		t.Errorf("passed on %d %s", outcome.Reply.Status, outcome.Reply.Body)
	}
}
