package main_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	main "sallyport/functions/local"
)

// ownRequests has a request for every route of Sallyport's own.
var ownRequests = map[string]struct{ path, body string }{
	"POST /journeys/{type}":             {"/journeys/aadhaar-otp", `{"aadhaar_no":"` + happy + `"}`},
	"GET /journeys":                     {"/journeys", ""},
	"GET /journeys/{id}":                {"/journeys/j", ""},
	"POST /journeys/{id}/inputs":        {"/journeys/j/inputs", enter(otp)},
	"POST /journeys/{id}/cancel":        {"/journeys/j/cancel", ""},
	"POST /documents":                   {"/documents", `{"a":1}`},
	"GET /transactions":                 {"/transactions", ""},
	"GET /transactions/{id}":            {"/transactions/t", ""},
	"PUT /workflows/{name}":             {"/workflows/iec", `{"modules":[{"type":"iec_verification"}]}`},
	"GET /workflows/{name}":             {"/workflows/iec", ""},
	"PUT /applications/{name}":          {"/applications/web", `{"verification_workflow":"iec"}`},
	"GET /applications/{name}":          {"/applications/web", ""},
	"PUT /owners/{partner}/{kind}/{id}": {"/owners/mbanq/client/17", `{"tenant":"acme"}`},
	"the local bus, POST /local/events": {"/local/events", `{"detail-type":"JourneyRequested","detail":{"tenant":"local","type":"aadhaar-otp","idempotency_key":"k","input":{"aadhaar_no":{"document_id":"d"}}}}`},
}

// TestLedgerDownMatrix asks every route of Sallyport's own while the ledger and the vault don't answer, as a caller who
// is remembered and as one who is not: a repeat can help, says each answer, and none calls it a bug.
func TestLedgerDownMatrix(t *testing.T) {
	t.Parallel()
	s := MustRun(t)
	own, err := main.OwnRoutes(template)
	if err != nil || len(own) < 10 {
		t.Fatalf("%v, %v", own, err)
	}
	for route := range own {
		if _, ok := ownRequests[route]; !ok {
			t.Errorf("no request for %s", route)
		}
	}
	const known, unknown = "local-key", "nobody's key"
	keyOf := func(path, key string) string {
		if strings.HasPrefix(path, "/owners/") && key == known {
			return "local-operator-key"
		}
		return key
	}
	for _, path := range []string{"/transactions", "/owners/mbanq/client/17"} { // so that callers are remembered
		s.do("GET", path, http.Header{"X-Api-Key": {keyOf(path, known)}}, "")
	}
	s.own("local", "mbanq/client/17")
	if err := s.DB().Close(); err != nil {
		t.Fatal(err)
	}
	for route, request := range ownRequests {
		method := strings.Fields(route[strings.LastIndex(route, ",")+1:])[0]
		for i, key := range []string{known, unknown} {
			header := http.Header{"X-Api-Key": {keyOf(request.path, key)}, "Idempotency-Key": {fmt.Sprint("k", i)}}
			got := s.do(method, request.path, header, request.body)
			code := `"code":"ledger_unavailable"`
			if strings.HasPrefix(request.path, "/local/events") && key == known {
				code = `"code":"not_started"`
			}
			if got.status != 503 || got.header.Get("Content-Type") != "application/problem+json" ||
				got.header.Get("Retry-After") != "1" || !strings.Contains(got.body, code) {
				t.Errorf("%s with %s: %d %v %s", route, key, got.status, got.header, got.body)
			}
		}
	}
}
