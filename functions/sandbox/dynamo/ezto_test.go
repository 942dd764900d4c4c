package dynamo_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"sallyport/functions/sandbox"
	"sallyport/functions/sandbox/dynamo"
	"sallyport/functions/sandbox/ezto"
	"sallyport/shared/ledger/ledgertest/dynamolocal"
)

// TestSandbox_EZTO: the realm has one signing key whoever needs it first, and of concurrent submits of a number one
// ends the transaction.
func TestSandbox_EZTO(t *testing.T) {
	client := dynamolocal.Client(t)
	s := sandbox.New(dynamo.New(client, dynamolocal.Table(t, client)), sandbox.Options{
		Authenticate: func(*http.Request) error { return nil },
		Simulators:   []sandbox.Simulator{ezto.New(ezto.Options{})},
	})
	const realm = "/sandbox/ezto/auth/realms/acme-trade/protocol/openid-connect"
	do := func(method, path, body string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, path, strings.NewReader(body))
		app := ezto.Defaults().Applications["poll"]
		r.SetBasicAuth(app.ID, app.Secrets[0])
		r.Header.Set("api-version", "1")
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		return w
	}
	const n = 4
	concurrently := func(method, path, body string) map[string]int {
		answers := make(chan string, n)
		for range n {
			go func() {
				w := do(method, path, body)
				answers <- http.StatusText(w.Code) + w.Body.String()
			}()
		}
		got := map[string]int{}
		for range n {
			got[<-answers]++
		}
		return got
	}
	if keys := concurrently("GET", realm+"/certs", ""); len(keys) != 1 {
		t.Errorf("%d keys: %v", len(keys), keys)
	}
	var triggered struct {
		AuthReqID string `json:"auth_req_id"`
		URL       string `json:"url"`
	}
	w := do("POST", realm+"/transaction", url.Values{"request": {`{"user":{"user_id":"u-1"}}`}}.Encode())
	if err := json.Unmarshal(w.Body.Bytes(), &triggered); err != nil || w.Code != 200 {
		t.Fatal(w.Code, w.Body)
	}
	page := strings.TrimPrefix(triggered.URL, "http://example.com")
	if submits := concurrently("POST", page, "iec=AAXCT4821K"); submits["See Other"] != n {
		t.Errorf("submits: %v", submits)
	}
	results := concurrently("POST", realm+"/transaction/result", url.Values{"auth_req_id": {triggered.AuthReqID}}.Encode())
	if len(results) != 1 {
		t.Errorf("results: %v", results)
	}
	for result := range results {
		if !strings.Contains(result, `"ie_code":"AAXCT4821K"`) {
			t.Error(result)
		}
	}
}
