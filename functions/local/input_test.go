package main_test

import (
	"net/http"
	"strings"
	"testing"
)

// TestBadInput sends what nobody should to every route that takes a body.
func TestBadInput(t *testing.T) {
	t.Parallel()
	s := MustRun(t)
	deep := strings.Repeat(`{"input_data":`, 3000) + `1` + strings.Repeat(`}`, 3000)
	for name, test := range map[string]struct {
		body   string
		status int
	}{
		"Empty":     {"", 400},
		"Spaces":    {"   ", 400},
		"NotJSON":   {"hello", 400},
		"Truncated": {`{"transaction_id":"a`, 400},
		"Trailing":  {`{"transaction_id":"a"} x`, 400},
		"DuplicateName": {
			`{"transaction_id":"a","transaction_id":"a","gateway_instance_id":"a","gateway_instance_id":"a"}`, 400,
		},
		"NUL":           {`{"transaction_id":"a\u0000","gateway_instance_id":"a\u0000"}`, 400},
		"RawNUL":        {"{\"transaction_id\":\"a\x00\"}", 400},
		"InvalidUTF8":   {"{\"transaction_id\":\"\xff\",\"gateway_instance_id\":\"\xff\"}", 400},
		"LoneSurrogate": {`{"transaction_id":"\ud800","gateway_instance_id":"\ud800"}`, 400},
		"Deep":          {deep, 400},
		"DeepArray":     {strings.Repeat("[", 30000), 400},
		"BOM":           {"\ufeff{}", 400},
		"Over64KB":      {`{"gateway_instance_id":"` + strings.Repeat("a", 70<<10) + `"}`, 413},
		"5MB":           {strings.Repeat(" ", 5<<20), 413},
		"10MB":          {strings.Repeat("9", 10<<20), 413},
		"11MB":          {strings.Repeat("9", 11<<20), 413},
	} {
		for _, path := range []string{initURL, executeURL, fetchURL} {
			got := s.post(path, "", test.body)
			if got.status != test.status ||
				!strings.HasPrefix(got.body, `{"status":"FAILURE","status_code":"invalid_request","message":"`) {
				t.Errorf("%s at %s: %d %.200s", name, path, got.status, got.body)
			}
			if test.status == 400 && got.header.Get("Gateway-Error-Detail") == "" {
				t.Errorf("%s at %s: nothing says what is wrong", name, path)
			}
		}
	}
	if n := len(s.requests("")); n != 0 {
		t.Errorf("%d requests reached the partner", n)
	}
}

func TestDetailsSayWhatAndWhere(t *testing.T) {
	t.Parallel()
	s := MustRun(t)
	for body, want := range map[string]string{
		``:                                "body is empty",
		`{"input_data":{"aadhaar_no":1}}`: "/transaction_id: is required",
		`{"transaction_id":1,"journey_id":2,"input_data":{"aadhaar_no":1}}`: "/input_data/aadhaar_no: must have 12 digits",
		`{"transaction_id":1,"journey_id":2,"input_data":[]}`:               "/input_data/aadhaar_no: is required",
		`{"transaction_id":1,"TransactionId":"a"}`:                          "/transaction_id: must be the only transaction that is named",
		`{"journey_id":"a","journey_id":"a"}`:                               "/journey_id: stands twice",
		`{"999900000016":1,"999900000016":2}`:                               "/?: stands twice",
		`{"input_data":{"aadhaar_no":"\u0000"}}`:                            "/input_data/aadhaar_no: holds a NUL character",
		`{"journey_id":`:                                                    "is not valid JSON",
	} {
		got := s.post(executeURL, "", body)
		if detail := got.header.Get("Gateway-Error-Detail"); !strings.HasSuffix(detail, want) ||
			got.condition() != "invalid_request" {
			t.Errorf("%s: detail %q, want %q", body, detail, want)
		}
	}
	got := s.do("POST", executeURL, http.Header{"Idempotency-Key": {"a", "b"}}, execute("t", happy, ""))
	if got.status != 400 || !strings.HasPrefix(got.header.Get("Gateway-Error-Detail"), "Idempotency-Key: ") {
		t.Errorf("two keys: %d %s %v", got.status, got.body, got.header)
	}
}

func TestUnknownRoutes(t *testing.T) {
	t.Parallel()
	s := MustRun(t)
	for _, route := range []string{"GET /", "GET /equal", "GET " + initURL, "POST " + initURL + "/",
		"DELETE /transactions", "POST /%2e%2e/etc/passwd",
		"GET /transactions/a/b", "PUT /x%00y", "GET /" + strings.Repeat("a/", 500), "OPTIONS " + executeURL, "GET /%ff",
		"GET //transactions"} {
		method, path, _ := strings.Cut(route, " ")
		got := s.do(method, path, nil, "")
		if got.status != 404 || got.header.Get("Content-Type") != "application/problem+json" ||
			!strings.Contains(got.body, `"code":"no_such_route"`) {
			t.Errorf("%.60s: %d %s", route, got.status, got.body)
		}
	}
	for _, query := range []string{
		"limit=0", "limit=101", "limit=x", "state=maybe", "status=maybe", "cursor=x", "nonsense=1", "limit=1&limit=2",
	} {
		for _, path := range []string{"/transactions?", "/journeys?"} {
			if got := s.do("GET", path+query, nil, ""); got.status != 400 ||
				!strings.Contains(got.body, `"code":"invalid_request"`) {
				t.Errorf("%s%s: %d %s", path, query, got.status, got.body)
			}
		}
	}
	if got := s.do("GET", "/transactions/nothing", nil, ""); got.status != 404 ||
		!strings.Contains(got.body, `"code":"not_found"`) {
		t.Errorf("no such transaction: %d %s", got.status, got.body)
	}
}

func TestTransactionsList(t *testing.T) {
	t.Parallel()
	s := MustRun(t)
	for range 5 {
		s.initTransaction()
	}
	seen, cursor := map[string]bool{}, ""
	for range 3 {
		var page struct {
			Transactions []transaction `json:"transactions"`
			Next         string        `json:"next"`
		}
		got := s.do("GET", "/transactions?operation=equal/init-transaction&state=done&limit=2&cursor="+cursor, nil, "")
		if cursor == "" {
			got = s.do("GET", "/transactions?operation=equal/init-transaction&state=done&limit=2", nil, "")
		}
		MustDecode(t, got.body, &page)
		for _, row := range page.Transactions {
			seen[row.ID] = true
		}
		cursor = page.Next
	}
	if len(seen) != 5 || cursor != "" {
		t.Errorf("%d transactions in three pages of two, then %q", len(seen), cursor)
	}
}
