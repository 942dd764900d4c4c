package dynamo_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/uuid"

	"sallyport/functions/sandbox"
	"sallyport/functions/sandbox/dynamo"
	"sallyport/functions/sandbox/iron"
	"sallyport/shared/ledger/ledgertest/dynamolocal"
)

// TestSandbox_Iron: of concurrent identifications that await input one has an effect, and of repeats of one request;
// the most that one transaction writes, when a customer is archived who has as many identifications as can be, is not
// too much.
func TestSandbox_Iron(t *testing.T) {
	client := dynamolocal.Client(t)
	s := sandbox.New(dynamo.New(client, dynamolocal.Table(t, client)), sandbox.Options{
		Authenticate: func(*http.Request) error { return nil },
		Simulators:   []sandbox.Simulator{iron.New(iron.Options{})},
	})
	do := func(method, path, key, body string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, "/sandbox"+path, strings.NewReader(body))
		r.Header.Set("X-API-Key", iron.Defaults().APIKey)
		r.Header.Set("IDEMPOTENCY-KEY", key)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		return w
	}
	const n = 8
	concurrently := func(request func(i int) int) map[int]int {
		codes := make(chan int, n)
		for i := range n {
			go func() { codes <- request(i) }()
		}
		got := map[int]int{}
		for range n {
			got[<-codes]++
		}
		return got
	}
	one := uuid.NewString()
	created := concurrently(func(int) int {
		return do(
			"POST", "/iron/customers", one,
			`{"customer_type":"Person","email":"noor+approve@example.com","external_id":"onb-1"}`,
		).Code
	})
	if created[201] != n {
		t.Errorf("created: %v", created)
	}
	found := do("GET", "/iron/customers/onb-1/external", "", "").Body.String()
	path := "/iron/customers/" + strings.Split(found, `"`)[3]
	identified := concurrently(func(int) int {
		return do("POST", path+"/identifications", uuid.NewString(), `{"type":"Direct"}`).Code
	})
	if identified[201] != 1 || identified[409] != n-1 {
		t.Errorf("identified: %v", identified)
	}
	pending := strings.Split(do("GET", path+"/identifications", "", "").Body.String(), `"`)[5]
	if w := do("POST", "/iron/sandbox/identification/"+pending, uuid.NewString(), `{"approved":true}`); w.Code != 201 {
		t.Error(w.Code, w.Body)
	}
	for range 19 {
		if w := do(
			"POST", path+"/identifications", uuid.NewString(), `{"type":"ReliancePerson","token":"t"}`,
		); w.Code != 201 {
			t.Error(w.Code, w.Body)
		}
	}
	if w := do("PUT", path+"/archive", "", ""); w.Code != 200 ||
		!strings.Contains(w.Body.String(), `"status":"Archived"`) {
		t.Error(w.Code, w.Body)
	}
	log := do("GET", "/requests?partner=iron", "", "").Body.String()
	if effects := strings.Count(log, `"effect":true`); effects != 1+1+1+19+1 {
		t.Errorf("%d effects in %s", effects, log)
	}
	if list := do(
		"GET", path+"/identifications?page_size=100", "", "",
	).Body.String(); strings.Count(list, fmt.Sprintf(`"status":%q`, "Archived")) != 20 {
		t.Error(list)
	}
}
