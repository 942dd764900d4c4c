package main_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	main "sallyport/functions/local"
	"sallyport/shared/ledger/ledgertest"
	"sallyport/shared/operation"
)

const (
	failed = `{"transaction_id":"<t>","journey_id":"aadhaar_otp_sim_v1","status":"FAILURE",`
	sent   = `{"transaction_id":"<t>","journey_transaction_id":"<jt>","journey_id":"aadhaar_otp_sim_v1","status":"IN_PROGRESS","status_code":"success","message":"Success","checks":[],"data":{}}`
	noData = `,"checks":[],"data":{}}`
)

func TestVerification(t *testing.T) {
	t.Parallel()
	s := MustRun(t)
	id := s.initTransaction()
	first := s.post(executeURL, "send", execute(id, happy, ""))
	if got := settled(first.body, id); first.status != 200 || got != sent {
		t.Errorf("step 1: %d %s", first.status, got)
	}
	second := s.post(executeURL, "verify", execute(id, happy, otp))
	const want = `{"transaction_id":"<t>","journey_transaction_id":"<jt>","journey_id":"aadhaar_otp_sim_v1","status":"SUCCESS","status_code":"success","message":"Request successful","decision":"CLEAR","checks":[],"data":{"keys":{"aadhaar":[{"aadhaar_no":"XXXXXXXX0016","name":"MEERA KULKARNI","source":"sandbox","issuer":"","decision":"CLEAR","checks":[{"check_id":"ownership_check","check_result":"PASS","status_code":"success","metadata":{"data_source":"BUSINESS_PROVIDED","match_logic":"fuzzy>=80"}}]}]}}}`
	if got := settled(second.body, id); second.status != 200 || got != want {
		t.Errorf("step 2: %d %s", second.status, got)
	}
	if second.header.Get("Content-Type") != "application/json" || second.header.Get("Transaction-Id") == "" ||
		second.header.Get("X-Request-Id") == "" {
		t.Errorf("headers %v", second.header)
	}
	again := s.post(executeURL, "verify", execute(id, happy, otp))
	if again.body != second.body || again.status != 200 || again.header.Get("Idempotency-Replayed") != "true" {
		t.Errorf("replay: %d %s", again.status, again.body)
	}
	if n := s.effects("execute-journey"); n != 2 {
		t.Errorf("%d effects, want 2", n)
	}
}

// TestStatusTableMatrix holds the bytes of every documented answer of the execute operation, and of the OTP's own.
func TestStatusTableMatrix(t *testing.T) {
	t.Parallel()
	otpFailure := func(code, message string) string {
		return failed + `"status_code":"` + code + `","message":"` + message + `"` + noData
	}
	for _, test := range []struct {
		name   string
		number string
		steps  []string // OTPs; "" for step 1; the last one is looked at
		status int
		want   string
	}{
		{
			"success", happy, []string{"", otp}, 200,
			`"status":"SUCCESS","status_code":"success","message":"Request successful","decision":"CLEAR"`,
		},
		{"OTPSent", happy, []string{""}, 200, sent},
		{"document_not_found", "999900000028", []string{""}, 200, otpFailure("document_not_found", "Entity not found")},
		{
			"internal_server_error", "999900000059", []string{""}, 500,
			`{"status":"FAILURE","status_code":"internal_server_error","message":"Something went wrong, please try again."}`,
		},
		{"TooManyRequests", "999900000063", []string{""}, 429, ``},
		{"Unavailable", "999900000071", []string{""}, 503, ``},
		{
			"invalid_aadhaar_no/length", "99990000001", []string{""}, 200,
			failed + `"status_code":"invalid_aadhaar_no","message":"aadhaar_no is Invalid"` + noData,
		},
		{"invalid_otp", happy, []string{"", "000000"}, 200, otpFailure("invalid_otp", "otp is Invalid")},
		{
			"invalid_otp/malformed", happy, []string{"", "12345"}, 200,
			failed + `"status_code":"invalid_otp","message":"otp is Invalid"` + noData,
		},
		{"otp_expired", "999900000037", []string{"", otp}, 200, otpFailure("otp_expired", "otp is expired")},
		{
			"otp_attempts_exceeded", "999900000044", []string{"", otp, otp, otp}, 200,
			otpFailure("otp_attempts_exceeded", "otp attempts exceeded"),
		},
		{"otp_not_generated", happy, []string{otp}, 200, otpFailure("otp_not_generated", "otp not generated")},
		{"mobile_not_linked", "999900000102", []string{""}, 200, otpFailure("mobile_not_linked", "mobile number not linked")},
		{"otp_request_too_soon", happy, []string{"", ""}, 200, otpFailure("otp_request_too_soon", "otp requested too soon")},
		{"MUST REVIEW", "999900000092", []string{"", otp}, 200, `"decision":"MUST REVIEW"`},
		{"NEEDS REVIEW", "999900000125", []string{"", otp}, 200, `"decision":"NEEDS REVIEW"`},
		{"SlowSource", "999900000085", []string{"", otp}, 200, `"status":"IN_PROGRESS"`},
		{"WithoutDecision", "999900000118", []string{"", otp}, 200, `"status":"SUCCESS"`},
		{"NumberWithSeparators", "9999-0000 0016", []string{""}, 200, sent},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := MustRun(t)
			id := s.initTransaction()
			var got reply
			for _, otp := range test.steps {
				got = s.post(executeURL, "", execute(id, test.number, otp))
			}
			body := settled(got.body, id)
			whole := strings.HasPrefix(test.want, "{") || test.want == ""
			if got.status != test.status || whole && body != test.want || !whole && !strings.Contains(body, test.want) {
				t.Errorf("got %d %s\nwant %d %s", got.status, body, test.status, test.want)
			}
			if test.want == "" && got.header.Get("Content-Type") != "" {
				t.Error("an empty body has no type")
			}
			if digits := strings.NewReplacer("-", "", " ", "").Replace(test.number); strings.Contains(got.body, digits) {
				t.Error("the number is not masked")
			}
		})
	}
}

func TestRequiredFields(t *testing.T) {
	t.Parallel()
	s := MustRun(t)
	for body, want := range map[string]string{
		`{"journey_id":"j","input_data":{"aadhaar_no":"999900000016"}}`:                                          "transaction_id is required",
		`{"transaction_id":"t","input_data":{"aadhaar_no":"999900000016"}}`:                                      "journey_id is required",
		`{"transaction_id":"t","journey_id":"j"}`:                                                                "input_data is required",
		`{"transaction_id":"t","journey_id":"j","input_data":{}}`:                                                "aadhaar_no is required",
		`{"transaction_id":"t","journey_id":"j","input_data":{"aadhaar_no":""}}`:                                 "aadhaar_no is required",
		`{"transaction_id":"t","journey_id":"j","input_data":{"aadhaar_no":"999900000016","otp":""}}`:            "otp is required",
		`{"transaction_id":"t","journey_id":"j","input_data":{"aadhaar_no":"999900000016","otp":null}}`:          "otp is required",
		`{"transaction_id":"unknown","journey_id":"` + journey + `","input_data":{"aadhaar_no":"999900000016"}}`: "Invalid Request",
	} {
		got := s.post(executeURL, "", body)
		if got.status != 400 || got.body != `{"status":"FAILURE","status_code":"invalid_request","message":"`+want+`"}` {
			t.Errorf("%s: got %d %s", body, got.status, got.body)
		}
	}
	for path, bodies := range map[string]map[string]string{
		fetchURL: {
			`{"journey_transaction_id":"x"}`: "transaction_id is required",
			`{"transaction_id":"x"}`:         "journey_transaction_id is required",
		},
	} {
		for body, want := range bodies {
			got := s.post(path, "", body)
			if got.status != 400 || got.body != `{"status":"FAILURE","status_code":"invalid_request","message":"`+want+`"}` {
				t.Errorf("%s %s: got %d %s", path, body, got.status, got.body)
			}
		}
	}
}

func TestAuthentication(t *testing.T) {
	t.Parallel()
	s := MustRun(t)
	s.addCaller("narrow-key", "narrow", "transactions")
	const want = `{"status":"FAILURE","status_code":"invalid_credentials","message":"Invalid Client Credentials"}`
	basic := func(pair string) http.Header {
		return http.Header{"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte(pair))}}
	}
	for _, path := range []string{initURL, executeURL, fetchURL} {
		for name, header := range map[string]http.Header{
			"none": {"No-Key": {""}}, "wrong": {"X-Api-Key": {"wrong"}}, "basic": basic("client:wrong"),
			"no colon": basic("local-key"),
			"bearer":   {"Authorization": {"Bearer wrong"}}, "twice": {"X-Api-Key": {"local-key", "local-key"}},
			"key first":  {"X-Api-Key": {"spk_wrong"}, "Authorization": {"Bearer local-key"}},
			"not base64": {"Authorization": {"Basic ~"}},
		} {
			if got := s.do("POST", path, header, `{}`); got.status != 401 || got.body != want {
				t.Errorf("%s, %s: got %d %s", path, name, got.status, got.body)
			}
		}
		if got := s.do("POST", path, http.Header{"X-Api-Key": {"narrow-key"}}, `{}`); got.status != 403 || got.body != want {
			t.Errorf("%s without the scope: got %d %s", path, got.status, got.body)
		}
	}
	for name, header := range map[string]http.Header{
		"key": {"X-Api-Key": {"local-key"}}, "basic": basic("any.client#1:local-key"),
		"bearer":     {"Authorization": {"bearer local-key"}},
		"foreign":    {"X-Api-Key": {"wrong"}, "Authorization": {"Bearer local-key"}},
		"empty":      {"X-Api-Key": {""}, "Authorization": {"Bearer local-key"}},
		"no padding": {"Authorization": {"Basic YW55OmxvY2FsLWtleQ"}},
		"encoded":    basic("any%2Eclient%231:local%2Dkey"), // RFC 6749 §2.3.1
	} {
		if got := s.do("POST", initURL, header, `{"gateway_instance_id":"`+instance+`"}`); got.status != 200 {
			t.Errorf("%s: got %d %s", name, got.status, got.body)
		}
	}
	if got := s.do("GET", "/transactions", http.Header{"No-Key": {""}}, ""); got.status != 401 ||
		got.header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("own route: got %d %s", got.status, got.body)
	}
}

func TestTenants(t *testing.T) {
	t.Parallel()
	s := MustRun(t)
	s.addCaller("other-key", "other", "*")
	other := http.Header{"X-Api-Key": {"other-key"}}
	id := s.initTransaction()
	mine := s.post(executeURL, "", execute(id, happy, ""))
	if got := s.do("POST", executeURL, other, execute(id, happy, otp)); got.status != 400 ||
		got.condition() != "not_found" ||
		got.body != `{"status":"FAILURE","status_code":"invalid_request","message":"Invalid Request"}` {
		t.Errorf("another tenant's exchange transaction: %d %s", got.status, got.body)
	}
	fetch := `{"transaction_id":"` + id + `","journey_transaction_id":"x"}`
	if got := s.do("POST", fetchURL, other, fetch); got.status != 400 || got.condition() != "not_found" {
		t.Errorf("another tenant's data: %d %s", got.status, got.body)
	}
	if n := len(s.requests("execute-journey")) + len(s.requests("fetch-data")); n != 1 {
		t.Errorf("%d requests reached the partner, want 1", n)
	}
	order := `{"gateway_instance_id":"` + instance + `","idempotency_id":"order-1"}`
	if a, b := s.post(initURL, "", order), s.do("POST", initURL, other, order); a.body == b.body || b.status != 200 {
		t.Errorf("two tenants' orders of one name are one transaction: %s", b.body)
	}
	theirs := s.do("POST", initURL, other, `{"gateway_instance_id":"`+instance+`"}`)
	var opened struct {
		ID string `json:"transaction_id"`
	}
	MustDecode(t, theirs.body, &opened)
	hers := s.do("POST", executeURL, other, execute(opened.ID, happy, ""))
	reference := func(id string, header http.Header) string {
		var record struct{ References map[string]string }
		MustDecode(t, s.do("GET", "/transactions/"+id, header, "").body, &record)
		return record.References["aadhaar_ref"]
	}
	a, b := reference(mine.header.Get("Transaction-Id"), nil), reference(hers.header.Get("Transaction-Id"), other)
	if len(a) != 64 || len(b) != 64 || a == b {
		t.Errorf("references of one number with two tenants: %q, %q", a, b)
	}
	if got := s.do("GET", "/transactions/"+strings.Repeat("a", 3000), nil, ""); got.status != 404 {
		t.Errorf("a long id: %d %s", got.status, got.body)
	}
	if got := s.do("GET", "/transactions/"+mine.header.Get("Transaction-Id"), other, ""); got.status != 404 {
		t.Errorf("another tenant's record: %d %s", got.status, got.body)
	}
	if got := s.do("GET", "/transactions", other, ""); strings.Contains(got.body, mine.header.Get("Transaction-Id")) {
		t.Errorf("listed to another tenant: %s", got.body)
	}
}

func TestThousandConcurrentCalls(t *testing.T) {
	var counting *ledgertest.Counting
	s := MustRun(t, func(m *main.Main) {
		m.WrapLedger = func(l operation.Ledger) operation.Ledger {
			counting = &ledgertest.Counting{Store: l.(ledgertest.Store)}
			return counting
		}
	})
	id := s.initTransaction()
	counting.Writes.Store(0)
	transport := &http.Transport{MaxConnsPerHost: 200, MaxIdleConnsPerHost: 200}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	var wg sync.WaitGroup
	var answered, inFlight atomic.Int64
	for range 1000 {
		wg.Go(func() {
			req, err := http.NewRequest("POST", s.URL+executeURL, strings.NewReader(execute(id, happy, "")))
			if err != nil {
				t.Error(err)
				return
			}
			req.Header = http.Header{
				"X-Api-Key": {"local-key"}, "Content-Type": {"application/json"}, "Idempotency-Key": {"one"},
			}
			resp, err := client.Do(req)
			if err != nil {
				t.Error(err)
				return
			}
			resp.Body.Close()
			switch {
			case resp.StatusCode == 200:
				answered.Add(1)
			case resp.StatusCode == 409 && resp.Header.Get("Retry-After") != "":
				inFlight.Add(1)
			default:
				t.Errorf("got %d", resp.StatusCode)
			}
		})
	}
	wg.Wait()
	if n := s.effects("execute-journey"); n != 1 || answered.Load()+inFlight.Load() != 1000 {
		t.Errorf("%d effects, %d answered, %d in flight", n, answered.Load(), inFlight.Load())
	}
	if w, f := counting.Writes.Load(), counting.FailedWrites.Load(); w != 2 || f != 999 {
		t.Errorf("%d writes and %d failed ones, want 2 and 999", w, f)
	}
	if got := s.post(executeURL, "one", execute(id, happy, "")); got.status != 200 ||
		got.header.Get("Idempotency-Replayed") != "true" {
		t.Errorf("then %d %s", got.status, got.body)
	}
	if got := s.post(executeURL, "one", execute(id, happy, otp)); got.status != 422 ||
		got.condition() != "idempotency_key_reused" {
		t.Errorf("with another body %d %s", got.status, got.body)
	}
}

func TestRequestIDIsAKey(t *testing.T) {
	t.Parallel()
	s := MustRun(t)
	id := s.initTransaction()
	body := strings.Replace(execute(id, happy, ""), `{`, `{"request_id":"att-0001",`, 1)
	s.post(executeURL, "", body)
	if got := s.post(executeURL, "", body); got.header.Get("Idempotency-Replayed") != "true" {
		t.Errorf("got %d %s", got.status, got.body)
	}
	if n := len(s.requests("execute-journey")); n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
}

func TestFetchData(t *testing.T) {
	t.Parallel()
	s := MustRun(t)
	id := s.initTransaction()
	s.post(executeURL, "", execute(id, "999900000085", ""))
	slow := s.post(executeURL, "", execute(id, "999900000085", otp))
	var e struct {
		ID string `json:"journey_transaction_id"`
	}
	if err := json.Unmarshal([]byte(slow.body), &e); err != nil {
		t.Fatal(err)
	}
	body := `{"transaction_id":"` + id + `","journey_transaction_id":"` + e.ID + `"}`
	if got := s.post(fetchURL, "k", body); got.status != 200 || !strings.Contains(got.body, `"status":"IN_PROGRESS"`) {
		t.Errorf("first fetch: %d %s", got.status, got.body)
	}
	got := s.post(fetchURL, "k", body)
	if got.status != 200 || !strings.Contains(got.body, `"status":"SUCCESS"`) ||
		!strings.Contains(got.body, `"aadhaar_no":"XXXXXXXX0085"`) {
		t.Errorf("second fetch: %d %s", got.status, got.body)
	}
	if record := s.transaction(got.header.Get("Transaction-Id")); record.Operation != "equal/fetch-data" ||
		record.State != "done" {
		t.Errorf("record %+v", record)
	}
}

// TestNothingLeaks runs everything that handles a number or an OTP and then searches all that was written.
func TestNothingLeaks(t *testing.T) {
	t.Parallel()
	s := MustRun(t)
	id := s.initTransaction()
	numbers := []string{happy, "999900000028", "999900000017", "999900000059", "999900000092"}
	for _, number := range numbers {
		for _, code := range []string{"", "000000", otp} {
			s.post(executeURL, "key-"+number+code, execute(id, number, code))
		}
		s.post(
			executeURL, "",
			`{"transaction_id":"`+number+`","journey_id":"`+number+`","input_data":{"aadhaar_no":"`+number+`","`+number+`":1}}`,
		)
		s.post(executeURL, "", `{"input_data":{"aadhaar_no":`+number+`}}`)
		s.post(executeURL, "", `{"input_data":{"aadhaar_no":"`+number)
		s.do("GET", "/transactions/"+number, nil, "")
		s.do("GET", "/"+number, nil, "")
	}
	s.wantNoSecrets(append(numbers, "MEERA KULKARNI", `"`+otp+`"`, `"000000"`)...) // six digits alone occur in times
}

// wantNoSecrets searches everything that the program has written.
func (s *stack) wantNoSecrets(secrets ...string) {
	s.t.Helper()
	written := map[string]string{"the log": s.logs.String()}
	err := filepath.WalkDir(s.Dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		written[filepath.Base(path)] = string(text)
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	if len(written) < 4 || !strings.Contains(written["the log"], "equal/execute-journey") {
		s.t.Fatalf("only %d places searched", len(written))
	}
	for place, text := range written {
		for _, secret := range secrets {
			if strings.Contains(text, secret) {
				s.t.Errorf("%s holds %s", place, secret)
			}
		}
	}
}
