package main_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	main "sallyport/functions/local"
	"sallyport/functions/sandbox"
	digit9sim "sallyport/functions/sandbox/digit9"
)

const (
	tokenURL   = "/digit9/auth/realms/cdp/protocol/openid-connect/token"
	lookupURL  = "/digit9/caas/api/v2/customer/validate"
	onboardURL = "/digit9/caas-lcm/api/v1/CAAS/onBoarding/customer"
	getURL     = "/digit9/caas/api/v2/customer/"
	closureURL = "/callbacks/digit9/aml-alert-closure"
)

// customer is the contract's payload (digit9 §12), for an identity number; each change replaces a text in it.
func customer(number string, changes ...string) string {
	payload := `{"channel":"WEB","salutation":"Ms","first_name":"NOOR","middle_name":"","last_name":"EXAMPLE","nationality":"IN","date_of_birth":"1991-02-03","country_of_birth":"IN","place_of_birth":"Sampletown","resident_type_id":101,"country_of_residence":"AE","gender":"Female","primary_mobile_number":"+971500000017","email_id":"noor@example.com","occupation_id":223,"political_exposed_person":false,"updated_by":"demo-operator",
 "additional_docs":[{"base64_data":"AAAA","content_type":"image/jpeg","document_id":"1"}],
 "address_list":[{"address_type_id":"1","building_name":"Block A","street_name":"First Street","city":"Dubai","state":"Dubai","country":"AE","zip":0,"po_box":null,"mobile_number":"+971500000017"},{"address_type_id":"2","city":"Sampletown","country":"IN","zip":600001}],
 "id_details":[{"id_type":4,"id_number":"` + number + `","name_as_per_id":"Noor Example","issued_country":"AE","issued_by":"Demo Authority","issued_at":"Dubai","issued_on":"2021-03-10","date_of_expiry":"2031-03-09","default_status":true,"active_status":true,"id_front":{"base64_data":"AAAA","content_type":"image/jpeg"},"id_back":{"base64_data":"AAAA","content_type":"image/jpeg"}}],
 "customer_classification":{"customer_type_id":2,"annual_income_range_id":3,"annual_income_currency_code":"AED","employer_name":"Demo LLC","risk_rating_id":1,"income_type":1,"profession_category":"PC1","reason_for_acc":"Remittance","txn_vol_month":1,"txn_count_month":1,"agent_ref_no":"DEMO-000017","social_links":[],"first_language":"en","marital_status":1,"dnfbp":false,"dpms":false,"profile_photo":{"base64_data":"AAAA","content_type":"image/jpeg"}}}`
	return strings.NewReplacer(changes...).Replace(payload)
}

func lookup(number string) string { return `{"idType":"4","idNumber":"` + number + `"}` }

// digit9Requests is what reached an operation of the simulated Digit9.
func (s *stack) digit9Requests(operation string) (all []sandbox.Request) {
	s.t.Helper()
	MustDecode(s.t, s.do("GET", "/sandbox/requests?partner=digit9&operation="+operation, nil, "").body, &all)
	return all
}

func (s *stack) onboardings() (n int) {
	for _, r := range s.digit9Requests("onboard-customer") {
		if r.Effect {
			n++
		}
	}
	return n
}

func (s *stack) arm(partner, operation, fault string) {
	s.t.Helper()
	got := s.do(
		"POST", "/sandbox/faults", nil,
		fmt.Sprintf(`{"partner":%q,"operation":%q,"fault":%q,"times":1}`, partner, operation, fault),
	)
	if got.status >= 300 {
		s.t.Fatalf("fault: %d %s", got.status, got.body)
	}
}

func (s *stack) set(name, value string) {
	s.t.Helper()
	if got := s.do(
		"POST", "/sandbox/settings", nil, fmt.Sprintf(`{"partner":"digit9","name":%q,"value":%q}`, name, value),
	); got.status != 200 {
		s.t.Fatalf("setting: %d %s", got.status, got.body)
	}
}

var (
	requestID = regexp.MustCompile(`"request_id":"[0-9a-f]{32}"`)
	timestamp = regexp.MustCompile(`"timestamp":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00"`)
	ecrn      = regexp.MustCompile(`\b784\d{13}\b`)
)

// fixed replaces what every run makes anew, after checking its form.
func fixed(body string) string {
	body = requestID.ReplaceAllString(body, `"request_id":"<r>"`)
	return ecrn.ReplaceAllString(timestamp.ReplaceAllString(body, `"timestamp":"<t>"`), "<ecrn>")
}

// TestDigit9Lookup has every row of the contract's status table (digit9 §9.1), byte for byte.
func TestDigit9Lookup(t *testing.T) {
	t.Parallel()
	s := MustRun(t, ofOneTenant("digit9"))
	for number, status := range map[string]int{"784199000000017": 200, "784199000000413": 406} {
		if got := s.post(onboardURL, "", customer(number)); got.status != status {
			t.Fatalf("onboarding: %d %s", got.status, got.body)
		}
	}
	for name, test := range map[string]struct {
		body, condition string
		status          int
		want            string
	}{
		"Found": {
			lookup("784199000000017"), "", 200,
			`{"status":"success","statusCode":200,"data":{"ecrn":"<ecrn>","first_name":"NOOR","middle_name":"","last_name":"EXAMPLE","agent_location_id":"784999","primary_mobile_number":"+971500000017","email_id":"noor@example.com","customer_status":"ACTIVE","aml_scan_status":"Accepted","id_status":"Active","id_date_of_expiry":"2031-03-09T00:00:00.000+00:00"}}`,
		},
		"NotFound": {
			lookup("784199000000099"), "", 200,
			`{"status":"failure","statusCode":404,"errorCode":45001,"message":"Customer not found"}`,
		},
		"NotSubscribed": {
			lookup("784199000000403"), "", 200,
			`{"status":"failure","statusCode":404,"errorCode":45003,"message":"Customer not Subscribed"}`,
		},
		"Invalid": {
			`{"idType":"4","idNumber":""}`, "invalid_request", 200,
			`{"status":"failure","statusCode":400,"errorCode":40001,"message":"Invalid format input"}`,
		},
		"NotJSON": {
			`{`, "invalid_request", 200,
			`{"status":"failure","statusCode":400,"errorCode":40001,"message":"Invalid format input"}`,
		},
		"Failed": {
			lookup("784199000000506"), "partner_unavailable", 200,
			`{"status":"failure","statusCode":500,"errorCode":45006,"message":"Error while searching customer!"}`,
		},
		"Held": {
			lookup("784199000000413"), "", 200,
			`{"status":"failure","statusCode":500,"errorCode":45013,"message":"Customer under Compliance investigation!"}`,
		},
		"Blocked": {
			lookup("784199000000451"), "", 200,
			`{"status":"failure","statusCode":404,"errorCode":45051,"message":"Customer can not be Accepted"}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := s.post(lookupURL, "", test.body)
			if got.status != test.status || fixed(got.body) != test.want || got.condition() != test.condition {
				t.Errorf(
					"got %d %s (%s), want %d %s (%s)", got.status, fixed(got.body), got.condition(), test.status, test.want,
					test.condition,
				)
			}
		})
	}
	t.Run("NoKey", func(t *testing.T) {
		const want = `{"timestamp":"<t>","status":401,"error":"Unauthorized","path":"/api/v2/customer/validate"}`
		if got := s.do("POST", lookupURL, http.Header{"No-Key": {""}}, lookup("1")); got.status != 401 ||
			fixed(got.body) != want {
			t.Errorf("got %d %s", got.status, got.body)
		}
	})
}

// TestDigit9Onboard has every row of the contract's status table (digit9 §9.2), byte for byte.
func TestDigit9Onboard(t *testing.T) {
	t.Parallel()
	s := MustRun(t, ofOneTenant("digit9"))
	for _, test := range []struct {
		name, body string
		status     int
		condition  string
		want       string
	}{
		{
			"Created", customer("784199000000017"), 200, "",
			`{"status":"success","data":{"aml_scan_status":"Accepted","ecrn":"<ecrn>","customer_status":"ACTIVE","pep":false,"aml_category":2},"status_code":200,"request_id":"<r>"}`,
		},
		{
			"Held", customer("784199000000413"), 406, "",
			`{"request_id":"<r>","status":"failed","status_code":406,"error_code":45013,"message":"Customer <ecrn> Under Compliance Investigation"}`,
		},
		{
			"HeldWithRecord", customer("784199000000423"), 200, "",
			`{"status":"success","data":{"aml_scan_status":"Under Investigation","ecrn":"<ecrn>","customer_status":"KYC_PENDING","pep":false,"aml_category":2},"status_code":200,"request_id":"<r>"}`,
		},
		{
			"Blocked", customer("784199000000451"), 406, "",
			`{"request_id":"<r>","status":"failed","status_code":406,"error_code":45051,"message":"Customer <ecrn> Cannot be Accepted"}`,
		},
		{
			"MasterData", customer("784199000000018", `"nationality":"IN"`, `"nationality":"INN"`), 400, "",
			`{"request_id":"<r>","status":"failed","status_code":406,"error_code":45053,"message":" Invalid Nationality INN!"}`,
		},
		{
			"MissingField", customer("784199000000018", `"first_name":"NOOR",`, ``), 400, "invalid_request",
			`{"status":"failure","status_code":400,"error_code":40002,"message":"Invalid format or missing mandatory request","details":{"firstName":"Invalid first name"},"request_id":"<r>"}`,
		},
		{
			"UpdateFailed", customer("784199000000432", `{"channel"`, `{"ecrn":"7841009900000432","channel"`), 404, "",
			`{"request_id":"<r>","status":"failed","status_code":404,"error_code":45032,"message":"Customer update failed"}`,
		},
		{
			"BackendDown", customer("784199000000502"), 502, "outcome_unknown",
			`{"status":"failed","message":"Backend Technical Problem","status_code":502,"error_code":40001,"request_id":"<r>"}`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := s.post(onboardURL, "key-"+test.name, test.body)
			if got.status != test.status || fixed(got.body) != test.want || got.condition() != test.condition {
				t.Errorf(
					"got %d %s (%s), want %d %s (%s)", got.status, fixed(got.body), got.condition(), test.status, test.want,
					test.condition,
				)
			}
		})
	}
	t.Run("NoKey", func(t *testing.T) {
		const want = `{"timestamp":"<t>","status":401,"error":"Unauthorized","message":"","path":"/api/v1/CAAS/onBoarding/customer"}`
		if got := s.do("POST", onboardURL, http.Header{"No-Key": {""}}, "{}"); got.status != 401 || fixed(got.body) != want {
			t.Errorf("got %d %s", got.status, got.body)
		}
	})
	t.Run("Replayed", func(t *testing.T) {
		before, known := s.onboardings(), s.post(onboardURL, "key-Created", customer("784199000000017"))
		if known.status != 200 || known.header.Get("Idempotency-Replayed") != "true" || s.onboardings() != before {
			t.Errorf("got %d %s, %d more", known.status, known.body, s.onboardings()-before)
		}
	})
	t.Run("EveryFaultIsNamed", func(t *testing.T) { // by the partner, whom all of them reach
		s.set("strict", "inferred")
		defer s.set("strict", "published")
		got := s.post(onboardURL, "", customer("784199000000018", `"Block A"`, `7`,
			`"issued_on":"2021-03-10"`, `"issued_on":"10.03.2021"`,
			`"profile_photo":{"base64_data":"AAAA","content_type":"image/jpeg"}`,
			`"profile_photo":{"base64_data":"data:AAA","content_type":"application/pdf"}`))
		const want = `{"status":"failure","status_code":400,"error_code":40002,"message":"Invalid format or missing mandatory request","details":{"addressList[0].buildingName":"Invalid building name","customerClassification.profilePhoto.base64Data":"Invalid base64 data","customerClassification.profilePhoto.contentType":"Invalid content type","idDetails[0].issuedOn":"Invalid issued on"},"request_id":"<r>"}`
		if got.status != 400 || fixed(got.body) != want {
			t.Errorf("got %d %s", got.status, fixed(got.body))
		}
	})
}

func TestDigit9GetCustomer(t *testing.T) {
	t.Parallel()
	s := MustRun(t)
	got := s.post(onboardURL, "", customer("784199000000017"))
	number := ecrn.FindString(got.body)
	if got := s.do("GET", getURL+number, nil, ""); got.status != 200 ||
		!strings.Contains(got.body, `"ecrn":"`+number+`"`) || !strings.Contains(got.body, `"customer_status":"ACTIVE"`) {
		t.Errorf("got %d %s", got.status, got.body)
	}
	const none = `{"status":"failure","statusCode":404,"errorCode":45001,"message":"Customer not found"}`
	s.addCaller("other-key", "other", "*")
	for path, header := range map[string]http.Header{
		getURL + "7840000000000000": nil, getURL + number: {"X-Api-Key": {"other-key"}},
	} {
		if got := s.do("GET", path, header, ""); got.status != 200 || got.body != none {
			t.Errorf("%v: got %d %s", header, got.status, got.body)
		}
	}
	if got := s.do("GET", getURL+"not-an-ecrn", nil, ""); got.status != 200 || !strings.Contains(got.body, "40001") {
		t.Errorf("got %d %s", got.status, got.body)
	}
}

// TestDigit9Tenants: tenants on one account don't see each other's customers until they have onboarded them themselves.
func TestDigit9Tenants(t *testing.T) {
	t.Parallel()
	s := MustRun(t)
	s.set("duplicate_ids", "update")
	s.addCaller("other-key", "other", "*")
	other := http.Header{"X-Api-Key": {"other-key"}}
	number := ecrn.FindString(s.post(onboardURL, "", customer("784199000000017")).body)
	if got := s.do("POST", lookupURL, other, lookup("784199000000017")); !strings.Contains(got.body, "45001") {
		t.Errorf("another tenant's customer: %s", got.body)
	}
	update := customer("784199000000017", `{"channel"`, `{"ecrn":"`+number+`","channel"`)
	if got := s.do("POST", onboardURL, other, update); got.status != 404 || got.condition() != "not_found" {
		t.Errorf("another tenant's customer updated: %d %s", got.status, got.body)
	}
	// The partner would take it for an update of the other's customer.
	if got := s.do("POST", onboardURL, other, customer("784199000000017", `"NOOR"`, `"MALLORY"`)); got.status != 404 ||
		strings.Contains(got.body, number) {
		t.Errorf("another tenant's customer onboarded: %d %s", got.status, got.body)
	}
	if got := s.do("POST", lookupURL, other, lookup("784199000000017")); !strings.Contains(got.body, "45001") {
		t.Errorf("another tenant's customer: %s", got.body)
	}
	if got := s.post(lookupURL, "", lookup("784199000000017")); ecrn.FindString(got.body) != number ||
		strings.Contains(got.body, "MALLORY") {
		t.Errorf("its own customer: %s", got.body)
	}
}

// TestDigit9TenantsHold: nobody learns that compliance holds another tenant's customer, nor waits for its end.
func TestDigit9TenantsHold(t *testing.T) {
	t.Parallel()
	s := MustRun(t)
	s.addCaller("other-key", "other", "*")
	other := http.Header{"X-Api-Key": {"other-key"}}
	for _, number := range []string{"784199000000413", "784199000000433", "784199000000423"} {
		s.post(onboardURL, "", customer(number))
		if got := s.do("POST", onboardURL, other, customer(number)); got.status != 404 || ecrn.MatchString(got.body) {
			t.Errorf("%s onboarded: %d %s", number, got.status, got.body)
		}
		if got := s.post(lookupURL, "", lookup(number)); strings.Contains(got.body, "45001") {
			t.Errorf("%s is its own: %s", number, got.body)
		}
	}
}

func TestDigit9Token(t *testing.T) {
	t.Parallel()
	s := MustRun(t)
	form := func(body string) reply {
		return s.do(
			"POST", tokenURL, http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "No-Key": {""}}, body,
		)
	}
	type tokens struct {
		Type    string `json:"token_type"`
		Access  string `json:"access_token"`
		Refresh string `json:"refresh_token"`
		Expires int    `json:"expires_in"`
	}
	ask := func(t *testing.T, body string) (out tokens) {
		t.Helper()
		got := form(body)
		MustDecode(t, got.body, &out)
		if got.status != 200 || out.Type != "bearer" || out.Expires != 7199 || len(out.Access) > 600 || out.Access == "" ||
			out.Refresh == "" {
			t.Fatalf("got %d %s", got.status, got.body)
		}
		return out
	}
	found := func(bearer string) int {
		return s.do("POST", lookupURL, http.Header{"Authorization": {"Bearer " + bearer}}, lookup("784199000000099")).status
	}
	// The contract's samples name grant_type twice; the last one wins.
	for name, body := range map[string]string{
		"SecretIsTheKey":   `grant_type=password&scope=api%3A%2F%2F0%2Fcustomer&client_id=c&client_secret=local-key&username=u&password=p&grant_type=password`,
		"PasswordIsTheKey": `grant_type=password&client_id=c&client_secret=c&username=u&password=local-key`,
	} {
		t.Run(name, func(t *testing.T) {
			first := ask(t, body)
			if found(first.Access) != 200 || found(first.Refresh) != 401 {
				t.Error("the access token must stand for the key, the refresh token must not")
			}
			again := ask(
				t, `grant_type=password&client_id=c&client_secret=c&refresh_token=`+first.Refresh+`&grant_type=refresh_token`,
			)
			if found(again.Access) != 200 {
				t.Error("the renewed token must stand for the key")
			}
			if got := s.do(
				"GET", "/transactions", http.Header{"Authorization": {"Bearer " + first.Access}}, "",
			); got.status != 403 {
				t.Errorf("a token of Digit9's route lists transactions: %d", got.status)
			}
		})
	}
	valid := ask(t, `grant_type=password&client_id=c&client_secret=local-key&username=u&password=p`)
	for name, test := range map[string]struct {
		body   string
		status int
		want   string
	}{
		"WrongSecret": {
			`grant_type=password&client_id=c&client_secret=x&username=u&password=y`, 401,
			`{"error":"unauthorized_client","error_description":"Invalid client or Invalid client credentials"}`,
		},
		"NoGrantType": {
			`client_id=c&client_secret=local-key`, 400,
			`{"error":"invalid_request","error_description":"Missing form parameter: grant_type"}`,
		},
		"OtherGrant": {
			`grant_type=implicit&client_secret=local-key`, 400,
			`{"error":"unsupported_grant_type","error_description":"Unsupported grant_type"}`,
		},
		"DeadRefresh": {
			`grant_type=refresh_token&client_secret=local-key&refresh_token=sgt_x`, 400,
			`{"error":"invalid_grant","error_description":"Token is not active"}`,
		},
		"AccessRefresh": {
			`grant_type=refresh_token&client_secret=local-key&refresh_token=` + valid.Access, 400,
			`{"error":"invalid_grant","error_description":"Token is not active"}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := form(test.body); got.status != test.status || got.body != test.want {
				t.Errorf("got %d %s", got.status, got.body)
			}
		})
	}
	if len(s.digit9Requests("issue-token")) != 1 {
		t.Errorf("the partner was asked for %d tokens: the lookups need one, ours none", len(s.digit9Requests("issue-token")))
	}
	if strings.Contains(s.logs.String(), valid.Access) {
		t.Error("a token is in the log")
	}
}

// TestDigit9PartnerTokens: one token for all, however many need it, and one renewal when it stops working.
func TestDigit9PartnerTokens(t *testing.T) {
	t.Parallel()
	s := MustRun(t)
	const calls = 100
	together := func(first int) {
		var wg sync.WaitGroup
		for i := range calls {
			wg.Go(func() {
				number := fmt.Sprintf("7841%011d", (first+i)*1000+17)
				if got, err := s.try("POST", onboardURL, http.Header{"Idempotency-Key": {number}}, customer(number)); err != nil ||
					got.status != 200 {
					t.Errorf("got %v %d %s", err, got.status, got.body)
				}
			})
		}
		wg.Wait()
	}
	together(0)
	if tokens := len(s.digit9Requests("issue-token")); tokens != 1 || s.onboardings() != calls {
		t.Errorf("%d onboardings with a cold cache asked for %d tokens", s.onboardings(), tokens)
	}
	s.arm("digit9", "onboard-customer", "expired_token") // also revokes the token, for all
	together(calls)
	if tokens := len(s.digit9Requests("issue-token")); tokens != 2 || s.onboardings() != 2*calls {
		t.Errorf("an expired token led to %d token requests in all, %d onboardings", tokens, s.onboardings())
	}
	t.Run("OneReplay", func(t *testing.T) {
		s.arm("digit9", "onboard-customer", "expired_token")
		before := len(s.digit9Requests("onboard-customer"))
		if got := s.post(onboardURL, "one-replay", customer("784199000009917")); got.status != 200 {
			t.Errorf("got %d %s", got.status, got.body)
		}
		if more := len(s.digit9Requests("onboard-customer")) - before; more != 2 ||
			len(s.digit9Requests("issue-token")) != 3 {
			t.Errorf("%d requests and %d tokens", more, len(s.digit9Requests("issue-token")))
		}
	})
}

// TestDigit9LostOnboarding: lookups tell what became of an onboarding whose answer was lost, and only when none of its
// documents is known after the quiet period is it sent once more.
func TestDigit9LostOnboarding(t *testing.T) {
	t.Parallel()
	s := MustRun(t, func(m *main.Main) { m.UpstreamTimeout = 3 * time.Second })
	t.Run("Found", func(t *testing.T) {
		s.arm("digit9", "onboard-customer", "reset_after_effect")
		got := s.post(onboardURL, "lost", customer("784199000000117"))
		const want = `{"status":"success","data":{"aml_scan_status":"Accepted","ecrn":"<ecrn>","customer_status":"ACTIVE"},"status_code":200,"request_id":"<r>"}`
		if got.status != 200 || fixed(got.body) != want || s.onboardings() != 1 {
			t.Errorf("got %d %s, %d onboardings", got.status, got.body, s.onboardings())
		}
	})
	t.Run("NotFound", func(t *testing.T) {
		before := s.onboardings()
		s.arm("digit9", "onboard-customer", "reset_before_effect")
		got := s.post(onboardURL, "dropped", customer("784199000000217"))
		if got.status != 502 || got.condition() != "outcome_unknown" || !strings.Contains(got.body, "40001") {
			t.Fatalf("got %d %s (%s)", got.status, got.body, got.condition())
		}
		got = s.untilKnown("digit9/onboard-customer", "", func() reply {
			return s.post(onboardURL, "dropped", customer("784199000000217"))
		})
		if got.status != 200 || s.onboardings() != before+1 {
			t.Errorf("got %d %s, %d more onboardings", got.status, got.body, s.onboardings()-before)
		}
	})
	t.Run("Late", func(t *testing.T) { // a quick negative lookup would have sent it twice
		before := s.onboardings()
		s.arm("digit9", "onboard-customer", "late_effect")
		got := s.untilKnown("digit9/onboard-customer", "late_effect", func() reply {
			return s.post(onboardURL, "late", customer("784199000000317"))
		})
		if got.status != 200 || s.onboardings() != before+1 {
			t.Errorf("got %d %s, %d more onboardings", got.status, got.body, s.onboardings()-before)
		}
	})
	t.Run("Held", func(t *testing.T) {
		s.arm("digit9", "onboard-customer", "status_500_after_effect")
		got := s.post(onboardURL, "held", customer("784199000000413"))
		if got.status != 406 ||
			fixed(got.body) != `{"status":"failed","status_code":406,"error_code":45013,"message":"Customer Under Compliance Investigation","request_id":"<r>"}` {
			t.Errorf("got %d %s", got.status, got.body)
		}
	})
}

// TestDigit9Callback tells who may say that an alert is closed, and how.
func TestDigit9Callback(t *testing.T) {
	t.Parallel()
	s := MustRun(t)
	const closure = `{"aml_scan_status":"Accepted","ecrn":"7841009900000025","customer_status":"KYC PENDING"}`
	const acknowledged = `{"status":"success","status_code":200,"message":"Acknowledged","state":"ACKNOWLEDGED"}`
	hash := hashOf(closure, digit9sim.Defaults().CallbackSecret)
	bearer := "Bearer " + digit9sim.Defaults().CallbackBearer
	for name, test := range map[string]struct {
		header http.Header
		body   string
		status int
		want   string
	}{
		"Bearer":      {http.Header{"Authorization": {bearer}}, closure, 200, acknowledged},
		"Hash":        {http.Header{"Hash": {hash}}, closure, 200, acknowledged},
		"HashInUpper": {http.Header{"Hash": {strings.ToUpper(hash)}}, closure, 200, acknowledged},
		"Both":        {http.Header{"Hash": {hash}, "Authorization": {bearer}}, closure, 200, acknowledged},
		"Unknown": {
			http.Header{"Authorization": {bearer}}, `{"ecrn":"1","aml_scan_status":"Odd","customer_status":"","more":{}}`, 200,
			acknowledged,
		},
		"Nothing": {http.Header{}, closure, 401, `{"status":"failed","status_code":401,"message":"Not authorized"}`},
		"WrongBearer": {
			http.Header{"Authorization": {bearer + "x"}}, closure, 401,
			`{"status":"failed","status_code":401,"message":"Not authorized"}`,
		},
		"CallersKey": {
			http.Header{"Authorization": {"Bearer local-key"}}, closure, 401,
			`{"status":"failed","status_code":401,"message":"Not authorized"}`,
		},
		"OtherBody": {
			http.Header{"Hash": {hash}}, closure + " ", 401, `{"status":"failed","status_code":401,"message":"Not authorized"}`,
		},
		"OneIsWrong": {
			http.Header{"Hash": {hash}, "Authorization": {"Bearer x"}}, closure, 401,
			`{"status":"failed","status_code":401,"message":"Not authorized"}`,
		},
		"NotJSON": {
			http.Header{"Authorization": {bearer}}, `[]`, 400,
			`{"status":"failed","status_code":400,"message":"the body is not a JSON object"}`,
		},
		"NoECRN": {
			http.Header{"Authorization": {bearer}}, `{}`, 200, acknowledged,
		},
		"TooLarge": {
			http.Header{"Authorization": {bearer}}, `{"ecrn":"1","x":"` + strings.Repeat("x", 64<<10) + `"}`, 413,
			`{"status":"failed","status_code":413,"message":"The body is too large"}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			test.header["No-Key"] = []string{""}
			for range 2 {
				if got := s.do("POST", closureURL, test.header, test.body); got.status != test.status || got.body != test.want {
					t.Errorf("got %d %s", got.status, got.body)
				}
			}
		})
	}
}

func TestDigit9FilesMatrix(t *testing.T) {
	t.Parallel()
	s := MustRun(t)
	file := func(size int) string { return base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{0xff}, size)) }
	photo := func(text string) string {
		return customer(
			"784199000000018", `"profile_photo":{"base64_data":"AAAA"`, `"profile_photo":{"base64_data":"`+text+`"`,
		)
	}
	if got := s.post(onboardURL, "", photo(file(3_300_000))); got.status != 200 { // just what a Lambda takes
		t.Errorf("got %d %s", got.status, got.body)
	}
	if got := s.post(onboardURL, "", photo(strings.ReplaceAll(file(3), "/", `\/`))); got.status != 200 {
		t.Errorf("escaped slashes: %d %s", got.status, got.body)
	}
	if got := s.post(onboardURL, "", photo(file(4_000_000))); got.status != 413 || !strings.Contains(got.body, "40002") {
		t.Errorf("more than a Lambda takes: %d %s", got.status, got.body)
	}
	s.set("strict", "inferred") // it is the partner who refuses
	for _, text := range []string{"AAA", "AAA=AAAA", `AAAA\nAAAA`, "data:image/jpeg;base64,AAAA", "-_-_", ""} {
		if got := s.post(onboardURL, "", photo(text)); got.status != 400 ||
			!strings.Contains(got.body, "Invalid base64 data") {
			t.Errorf("%q: %d %s", text, got.status, got.body)
		}
	}
}

// oddNumbers are numbers of identity documents that a partner which normalises writes down otherwise.
var oddNumbers = []string{
	"784-1990-0000017", "007841990000017", "7841990000000170000000000017", "Ä78419900017", "７８４１９９０００１７", "日本784199017",
	"p 4006315", "784.1990/0000017",
}

// TestDigit9Spellings: however a document's number is written, and wherever its customer is looked for, one key has one
// effect, and no tenant touches the customer of another.
func TestDigit9Spellings(t *testing.T) {
	t.Parallel()
	for _, duplicates := range []string{"create", "update"} {
		for _, number := range oddNumbers {
			t.Run(duplicates+"/"+number, func(t *testing.T) {
				t.Parallel()
				s := MustRun(t, ofOneTenant("digit9")) // who may send any number
				s.set("normalises", "yes")
				s.set("duplicate_ids", duplicates)
				s.arm("digit9", "onboard-customer", "truncated")
				got := s.post(onboardURL, "lost", customer(number))
				for range 3 {
					s.passQuietly()
					got = s.post(onboardURL, "lost", customer(number))
				}
				if n := s.onboardings(); n != 1 || !succeeded(got) && got.condition() != "outcome_unknown" {
					t.Errorf("%d onboardings, answered %d %q %s", n, got.status, got.condition(), got.body)
				}
			})
			t.Run(duplicates+"/"+number+"/another's", func(t *testing.T) {
				t.Parallel()
				s := MustRun(t)
				s.set("normalises", "yes")
				s.set("duplicate_ids", duplicates)
				s.addCaller("other-key", "other", "*")
				other := http.Header{"X-Api-Key": {"other-key"}}
				created := s.post(onboardURL, "", customer(number))
				before := s.onboardings()
				own := ecrn.FindString(s.do("POST", onboardURL, other, customer("784199000000018")).body)
				for _, body := range []string{
					customer(number, `"NOOR"`, `"MALLORY"`),
					customer(number, `{"channel"`, `{"ecrn":"`+own+`","channel"`, `"NOOR"`, `"MALLORY"`),
				} {
					if got := s.do("POST", onboardURL, other, body); got.status != http.StatusNotFound {
						t.Errorf("another's document: %d %s", got.status, got.body)
					}
				}
				if n := s.onboardings() - before; n != 1 {
					t.Errorf("%d onboardings of the other tenant, one with a document of its own", n)
				}
				if number := ecrn.FindString(created.body); number != "" {
					if got := s.do("GET", getURL+number, nil, ""); got.status != 200 || !strings.Contains(got.body, "NOOR") {
						t.Errorf("its own customer: %d %s", got.status, got.body)
					}
				}
			})
		}
	}
}

// TestDigit9SpelledJourneys: two journeys of one customer, one after the other, onboard it once.
func TestDigit9SpelledJourneys(t *testing.T) {
	t.Parallel()
	s := MustRun(t)
	s.set("normalises", "yes")
	s.set("duplicate_ids", "create")
	for i, number := range []string{"784-1990-0000017", "784-1990-0000017", "7841990 0000017"} {
		view := s.follow(s.startOnboarding(fmt.Sprint(i), customer(number)), ended)
		if view.Status != "SUCCEEDED" || s.onboardings() != 1 {
			t.Errorf("%d: %s (%s) after %d onboardings", i, view.Status, view.Reason, s.onboardings())
		}
	}
}
