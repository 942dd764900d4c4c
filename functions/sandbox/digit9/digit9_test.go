package digit9_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"sallyport/functions/sandbox/digit9"
	"sallyport/functions/sandbox/sandboxtest"
)

const (
	tokenPath   = "/sandbox/digit9/auth/realms/cdp/protocol/openid-connect/token"
	lookupPath  = "/sandbox/digit9/caas/api/v2/customer/validate"
	onboardPath = "/sandbox/digit9/caas-lcm/api/v1/CAAS/onBoarding/customer"
	getPath     = "/sandbox/digit9/caas/api/v2/customer/"
	codesPath   = "/sandbox/digit9/raas/masters/v1/codes"
	alertsPath  = "/sandbox/digit9/alerts"

	ordinary = "784199000000017" // id number of an ordinary person
)

// form returns the body of a token request with these fields on top of the right credentials; an empty value takes a
// field away.
func form(fields ...string) string {
	d := digit9.Defaults()
	values := url.Values{
		"grant_type": {"password"}, "scope": {d.Scope}, "client_id": {d.ClientID}, "client_secret": {d.ClientSecret},
		"username": {d.Username}, "password": {d.Password},
	}
	for i := 0; i < len(fields); i += 2 {
		values.Set(fields[i], fields[i+1])
		if fields[i+1] == "" {
			values.Del(fields[i])
		}
	}
	return values.Encode()
}

func tokenRequest(body string) *http.Request {
	r := sandboxtest.Request("POST", tokenPath, body)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

// tokens is what E1 answers.
type tokens struct {
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
	Session string `json:"session_state"`
	Expires int    `json:"expires_in"`
}

func (h *harness) issue(body string) (issued tokens) {
	h.T.Helper()
	w := h.Do(tokenRequest(body))
	if err := json.Unmarshal(w.Body.Bytes(), &issued); err != nil || w.Code != 200 {
		h.T.Fatal(err, sandboxtest.Text(w))
	}
	return issued
}

// access returns an access token, the same each time.
func (h *harness) access() string {
	h.T.Helper()
	if h.token == "" {
		h.token = h.issue(form()).Access
	}
	return h.token
}

// answer returns the answer to a request with a token, as "status body".
func (h *harness) answer(method, path, body string) string {
	h.T.Helper()
	return sandboxtest.Text(h.Do(h.withToken(sandboxtest.Request(method, path, body))))
}

func (h *harness) withToken(r *http.Request) *http.Request {
	h.T.Helper()
	r.Header.Set("Authorization", "Bearer "+h.access())
	return r
}

func (h *harness) lookup(number string) string {
	h.T.Helper()
	return h.answer("POST", lookupPath, `{"idType":"4","idNumber":"`+number+`"}`)
}

// onboard returns the answer without its request_id.
func (h *harness) onboard(number string) string {
	h.T.Helper()
	return h.onboardBody(onboarding(number))
}

func (h *harness) onboardBody(body string) string {
	h.T.Helper()
	return masked(h.answer("POST", onboardPath, body))
}

// requestTo is a request to an operation that succeeds once the ordinary person was onboarded.
func (h *harness) requestTo(operation string) *http.Request {
	h.T.Helper()
	switch operation {
	case "issue-token":
		return tokenRequest(form())
	case "lookup-customer":
		return h.withToken(sandboxtest.Request("POST", lookupPath, `{"idType":"4","idNumber":"`+ordinary+`"}`))
	case "onboard-customer":
		return h.withToken(sandboxtest.Request("POST", onboardPath, onboarding(ordinary)))
	case "get-customer":
		return h.withToken(sandboxtest.Request("GET", getPath+ordinaryECRN, ""))
	}
	return h.withToken(sandboxtest.Request("GET", codesPath, ""))
}

// failureOf is what an operation answers where a fault makes it fail.
func failureOf(operation string, status int) string {
	switch {
	case operation == "issue-token":
		return fmt.Sprint(status, " ", map[int]string{
			401: `{"error":"invalid_grant","error_description":"Invalid user credentials"}`,
			429: `{"error":"temporarily_unavailable","error_description":"Too many requests"}`,
			500: `{"error":"unknown_error","error_description":"An unknown error occurred"}`,
			503: `{"error":"temporarily_unavailable","error_description":"Service is not available"}`,
		}[status])
	case operation == "onboard-customer" && status == 500:
		return `500 {"status":"failed","message":"Backend Technical Problem","status_code":500,"error_code":40001,"request_id":"R"}`
	}
	return gatewayFailure(status, http.StatusText(status), map[string]string{
		"lookup-customer":  `"path":"/api/v2/customer/validate"`,
		"onboard-customer": `"message":"","path":"/api/v1/CAAS/onBoarding/customer"`,
		"get-customer":     `"path":"/api/v2/customer/` + ordinaryECRN + `"`,
		"list-codes":       `"path":"/masters/v1/codes"`,
	}[operation])
}

func gatewayFailure(status int, text, rest string) string {
	return fmt.Sprintf(
		`%d {"timestamp":"2026-01-02T03:04:05.000+00:00","status":%d,"error":"%s",%s}`, status, status, text, rest,
	)
}

// onboarding is a valid request for a person with one id.
func onboarding(number string) string {
	return `{"channel":"WEB","salutation":"Ms","first_name":"NOOR","middle_name":"","last_name":"EXAMPLE","nationality":"IN",` +
		`"date_of_birth":"1991-02-03","country_of_birth":"IN","place_of_birth":"Sampletown","resident_type_id":101,` +
		`"country_of_residence":"AE","gender":"Female","primary_mobile_number":"+971500000017","email_id":"noor@example.com",` +
		`"occupation_id":223,"political_exposed_person":false,"updated_by":"demo-operator",` +
		`"additional_docs":[{"base64_data":"AAAA","content_type":"image/jpeg","document_id":"1"}],` +
		`"address_list":[{"address_type_id":"1","building_name":"Block A","street_name":"First Street","city":"Dubai",` +
		`"state":"Dubai","country":"AE","zip":0,"po_box":null,"mobile_number":"+971500000017"},` +
		`{"address_type_id":"2","city":"Sampletown","country":"IN","zip":600001}],` +
		`"id_details":[` + idDetail(number) + `],` +
		`"customer_classification":{"customer_type_id":2,"annual_income_range_id":3,"annual_income_currency_code":"AED",` +
		`"employer_name":"Demo LLC","risk_rating_id":1,"income_type":1,"profession_category":"PC1","reason_for_acc":"Remittance",` +
		`"txn_vol_month":1,"txn_count_month":1,"agent_ref_no":"DEMO-000017","social_links":[],"first_language":"en",` +
		`"marital_status":1,"dnfbp":false,"dpms":false,"profile_photo":{"base64_data":"AAAA","content_type":"image/jpeg"}}}`
}

func idDetail(number string) string {
	return `{"id_type":4,"id_number":"` + number + `","name_as_per_id":"Noor Example","issued_country":"AE",` +
		`"issued_by":"Demo Authority","issued_at":"Dubai","issued_on":"2021-03-10","date_of_expiry":"2031-03-09",` +
		`"default_status":true,"active_status":true,"id_front":{"base64_data":"AAAA","content_type":"image/jpeg"},` +
		`"id_back":{"base64_data":"AAAA","content_type":"image/jpeg"}}`
}

// update returns an onboarding request of an existing customer.
func update(ecrn, body string) string {
	return `{"ecrn":"` + ecrn + `",` + body[1:]
}

var requestID = regexp.MustCompile(`"request_id":"[0-9a-f]{32}"`)

// masked hides request_id, which never repeats.
func masked(answer string) string {
	return requestID.ReplaceAllString(answer, `"request_id":"R"`)
}

var ecrn = regexp.MustCompile(`784[0-9]{13}`)

// ecrnIn returns the customer number in an answer.
func ecrnIn(t testing.TB, answer string) string {
	t.Helper()
	found := ecrn.FindString(answer)
	if found == "" {
		t.Fatalf("no ecrn in %s", answer)
	}
	return found
}

// The answers, by what varies in them.

func lookedUp(ecrn, customerStatus, amlStatus string) string {
	return `200 {"status":"success","statusCode":200,"data":{"ecrn":"` + ecrn + `","first_name":"NOOR","middle_name":"",` +
		`"last_name":"EXAMPLE","agent_location_id":"784999","primary_mobile_number":"+971500000017","email_id":"noor@example.com",` +
		`"customer_status":"` + customerStatus + `","aml_scan_status":"` + amlStatus + `","id_status":"Active",` +
		`"id_date_of_expiry":"2031-03-09T00:00:00.000+00:00"}}`
}

func onboarded(ecrn, customerStatus, amlStatus string) string {
	return `200 {"status":"success","data":{"aml_scan_status":"` + amlStatus + `","ecrn":"` + ecrn + `",` +
		`"customer_status":"` + customerStatus + `","pep":false,"aml_category":2},"status_code":200,"request_id":"R"}`
}

func investigated(ecrn string) string {
	return `406 {"request_id":"R","status":"failed","status_code":406,"error_code":45013,"message":"Customer ` + ecrn + ` Under Compliance Investigation"}`
}

func barred(ecrn string) string {
	return `406 {"request_id":"R","status":"failed","status_code":406,"error_code":45051,"message":"Customer ` + ecrn + ` Cannot be Accepted"}`
}

func invalidField(details string) string {
	return `400 {"status":"failure","status_code":400,"error_code":40002,"message":"Invalid format or missing mandatory request","details":` +
		details + `,"request_id":"R"}`
}

// Rows of §9, to the byte.
const (
	lookupNotFound      = `200 {"status":"failure","statusCode":404,"errorCode":45001,"message":"Customer not found"}`
	lookupNotSubscribed = `200 {"status":"failure","statusCode":404,"errorCode":45003,"message":"Customer not Subscribed"}`
	lookupInvalid       = `200 {"status":"failure","statusCode":400,"errorCode":40001,"message":"Invalid format input"}`
	lookupFailed        = `200 {"status":"failure","statusCode":500,"errorCode":45006,"message":"Error while searching customer!"}`
	investigatedUnnamed = `406 {"request_id":"R","status":"failed","status_code":406,"error_code":45013,"message":"Customer Under Compliance Investigation"}`
	lookupHeld          = `200 {"status":"failure","statusCode":500,"errorCode":45013,"message":"Customer under Compliance investigation!"}`
	lookupBarred        = `200 {"status":"failure","statusCode":404,"errorCode":45051,"message":"Customer can not be Accepted"}`
	updateFailed        = `404 {"request_id":"R","status":"failed","status_code":404,"error_code":45032,"message":"Customer update failed"}`
	backendFailed       = `502 {"status":"failed","message":"Backend Technical Problem","status_code":502,"error_code":40001,"request_id":"R"}`
)

// ordinaryECRN is the number that the ordinary person gets.
const ordinaryECRN = "7846115818410243"

func TestHappyPath(t *testing.T) {
	h := open(t)
	w := h.Do(tokenRequest(form()))
	want(t, w.Header(), http.Header{"Content-Type": {"application/json"}})
	want(t, sandboxtest.Text(w),
		`200 {"token_type":"bearer","access_token":"at-00000000000040008000000000000002","expires_in":7199,`+
			`"refresh_expires_in":7199,"refresh_token":"rt-00000000000040008000000000000003",`+
			`"scope":"api://00000000-0000-4000-8000-000000000000/customer","not-before-policy":0,"session_state":"`+sandboxtest.ID(1)+`"}`)
	want(t, h.lookup(ordinary), lookupNotFound)
	answer := h.answer("POST", onboardPath, onboarding(ordinary))
	want(t, strings.Contains(answer, `,"request_id":"0000000000004000800000000000000`), true)
	want(t, masked(answer), onboarded(ordinaryECRN, "ACTIVE", "Accepted"))
	want(t, h.lookup(ordinary), lookedUp(ordinaryECRN, "ACTIVE", "Accepted"))
	want(t, h.answer("GET", getPath+ordinaryECRN, ""),
		`200 {"status":"success","statusCode":200,"data":{"ecrn":"`+ordinaryECRN+`",`+
			`"customer_status":"ACTIVE","aml_scan_status":"Accepted","agent_location_id":"784999","channel":"WEB","salutation":"Ms",`+
			`"first_name":"NOOR","middle_name":"","last_name":"EXAMPLE","nationality":"IN","date_of_birth":"1991-02-03",`+
			`"country_of_birth":"IN","place_of_birth":"Sampletown","resident_type_id":101,"country_of_residence":"AE","gender":"Female",`+
			`"primary_mobile_number":"+971500000017","email_id":"noor@example.com","occupation_id":223,"political_exposed_person":false,`+
			`"additional_docs":[{"content_type":"image/jpeg","document_id":"1"}],`+
			`"id_details":[{"id_type":4,"id_number":"784199000000017","name_as_per_id":"Noor Example","issued_country":"AE",`+
			`"issued_by":"Demo Authority","issued_at":"Dubai","issued_on":"2021-03-10","date_of_expiry":"2031-03-09",`+
			`"default_status":true,"active_status":true}]}}`)
	want(t, h.Log(), []string{
		"issue-token 200 false", "issue-token 200 false", "lookup-customer 200 false", "onboard-customer 200 true",
		"lookup-customer 200 false", "get-customer 200 false",
	})
}

func TestTokens(t *testing.T) {
	d := digit9.Defaults()
	const (
		badUser   = `401 {"error":"invalid_grant","error_description":"Invalid user credentials"}`
		badClient = `401 {"error":"unauthorized_client","error_description":"Invalid client or Invalid client credentials"}`
		inactive  = `400 {"error":"invalid_grant","error_description":"Token is not active"}`
		noGrant   = `400 {"error":"invalid_request","error_description":"Missing form parameter: grant_type"}`
		badGrant  = `400 {"error":"unsupported_grant_type","error_description":"Unsupported grant_type"}`
		badScope  = `400 {"error":"invalid_scope","error_description":"Invalid scopes"}`
	)
	for _, test := range []struct{ name, body, want string }{
		{"ErrPassword", form("password", "x"), badUser},
		{"ErrUsername", form("username", "x"), badUser},
		{"ErrNoPassword", form("password", ""), badUser},
		{"ErrClientID", form("client_id", "x"), badClient},
		{"ErrClientSecret", form("client_secret", d.ClientSecret+" "), badClient},
		{"ErrNoClient", form("client_id", "", "client_secret", ""), badClient},
		{"ErrClientBeforeUser", form("client_id", "x", "password", "x"), badClient},
		{"ErrNoGrantType", form("grant_type", ""), noGrant},
		{"ErrEmpty", "", noGrant},
		{"ErrNotAForm", "%zz", noGrant},
		{"ErrSemicolons", "grant_type=password;client_id=x", noGrant},
		{"ErrGrantType", form("grant_type", "client_credentials"), badGrant},
		{"ErrGrantTypeCase", form("grant_type", "Password"), badGrant},
		{"ErrGrantBeforeClient", form("grant_type", "x", "client_id", "x"), badGrant},
		{"ErrScope", form("scope", "other"), badScope},
		{"ErrRefreshUnknown", form("grant_type", "refresh_token", "refresh_token", "x"), inactive},
		{"ErrRefreshMissing", form("grant_type", "refresh_token"), inactive},
		{"ErrRefreshClient", form("grant_type", "refresh_token", "client_secret", "x"), badClient},
		{"ErrLastGrantTypeWins", form() + "&grant_type=x", badGrant},
		{"ErrLastPasswordWins", form() + "&password=x", badUser},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := open(t)
			want(t, sandboxtest.Text(h.Do(tokenRequest(test.body))), test.want)
			want(t, h.Rows("")[0].Effect, false)
		})
	}
	t.Run("ErrContentType", func(t *testing.T) {
		for _, contentType := range []string{"", "application/json", "text/plain"} {
			r := tokenRequest(form())
			r.Header.Set("Content-Type", contentType)
			want(t, sandboxtest.Text(open(t).Do(r)), noGrant)
		}
		r := tokenRequest(form())
		r.Header.Set("Content-Type", "Application/X-WWW-Form-Urlencoded; charset=UTF-8")
		want(t, open(t).Do(r).Code, 200)
	})
	t.Run("LiteralSamples", func(t *testing.T) { // §3: each has grant_type twice
		h := open(t)
		issued := h.issue("grant_type=password&" + form())
		h.issue(
			form("username", "", "password", "", "scope", "", "refresh_token", issued.Refresh) + "&grant_type=refresh_token",
		)
	})
	t.Run("ScopeMayBeAbsent", func(t *testing.T) { open(t).issue(form("scope", "")) })
	t.Run("Refresh", func(t *testing.T) {
		h := open(t)
		use := func(access string) int {
			h.token = access
			return h.Do(h.requestTo("list-codes")).Code
		}
		refresh := func(token string) string { return form("grant_type", "refresh_token", "refresh_token", token) }
		first := h.issue(form())
		want(t, sandboxtest.Text(h.Do(tokenRequest(refresh(first.Access)))), inactive) // an access token refreshes nothing
		second := h.issue(refresh(first.Refresh))
		want(t, second.Session, first.Session)
		want(t, []int{use(first.Access), use(second.Access), use(second.Refresh)}, []int{401, 200, 401})
		want(t, sandboxtest.Text(h.Do(tokenRequest(refresh(first.Refresh)))), inactive) // both are replaced
		other := h.issue(form())
		want(t, []int{use(second.Access), use(other.Access)}, []int{200, 200}) // sessions are apart
	})
	t.Run("Lifetime", func(t *testing.T) {
		for value, seconds := range map[string]time.Duration{"7199": 7199, "90": 90, "5": 5} {
			h := open(t, func(o *options) { o.TimeScale = 1e6 }) // of real time: not scaled
			h.Admin("/sandbox/settings", `{"partner":"digit9","name":"token_lifetime","value":"`+value+`"}`)
			issued := h.issue(form())
			h.token = issued.Access
			want(t, fmt.Sprint(issued.Expires), value)
			h.Advance(seconds*time.Second - time.Nanosecond)
			want(t, h.Do(h.requestTo("list-codes")).Code, 200)
			h.Advance(time.Nanosecond)
			want(t, h.Do(h.requestTo("list-codes")).Code, 401)
			want(
				t, sandboxtest.Text(h.Do(tokenRequest(form("grant_type", "refresh_token", "refresh_token", issued.Refresh)))),
				inactive,
			)
		}
	})
	t.Run("Persistence", func(t *testing.T) {
		store := &sandboxtest.Memory{}
		issued := openOn(t, store).issue(form())
		h := openOn(t, store)
		h.token = issued.Access
		want(t, h.Do(h.requestTo("list-codes")).Code, 200)
		for key, value := range store.Items {
			for _, secret := range []string{issued.Access, issued.Refresh, d.Password, d.ClientSecret} {
				if strings.Contains(key+string(value), secret) {
					t.Errorf("the store holds a secret in %s", key)
				}
			}
		}
	})
	t.Run("Random", func(t *testing.T) {
		h := open(t, func(o *options) { o.NewID = nil })
		first, second := h.issue(form()), h.issue(form())
		if first.Access == second.Access || first.Refresh == second.Refresh || len(first.Access) != 35 {
			t.Errorf("got %q and %q", first.Access, second.Access)
		}
	})
	t.Run("Options", func(t *testing.T) {
		h := open(t, func(o *options) { o.Partner.Password = "other" })
		want(t, sandboxtest.Text(h.Do(tokenRequest(form()))), badUser)
		h.issue(form("password", "other"))
	})
}

func TestAuthorization(t *testing.T) {
	h := open(t)
	h.onboard(ordinary)
	for _, operation := range []string{"lookup-customer", "onboard-customer", "get-customer", "list-codes"} {
		for name, header := range map[string]string{
			"None": "", "Unknown": "Bearer x", "Empty": "Bearer ", "Scheme": "Basic " + h.access(), "SchemeOnly": "Bearer",
			"Bare": h.access(),
		} {
			t.Run(operation+name, func(t *testing.T) {
				r := h.requestTo(operation)
				r.Header.Set("Authorization", header)
				want(t, sandboxtest.Text(h.Do(r)), failureOf(operation, 401))
			})
		}
		r := h.requestTo(operation)
		r.Header.Set("Authorization", "bEARER  "+h.access())
		want(t, h.Do(r).Code, 200)
	}
	t.Run("PathIsEscaped", func(t *testing.T) {
		want(
			t, sandboxtest.Text(h.Do(sandboxtest.Request("GET", getPath+"a%ff%22", ""))),
			gatewayFailure(401, "Unauthorized", `"path":"/api/v2/customer/a%FF%22"`),
		)
	})
}

func TestLookupInvalid(t *testing.T) {
	h := open(t)
	const numbers = `{"idType":4,"idNumber":784199000000017}` // by default they pass for text
	want(t, h.answer("POST", lookupPath, numbers), lookupNotFound)
	h.Set("digit9", "strict", "inferred")
	for name, body := range map[string]string{
		"Empty": ``, "Null": `null`, "Array": `[]`, "NoFields": `{}`, "NoType": `{"idNumber":"1"}`,
		"NoNumber":  `{"idType":"4"}`,
		"EmptyType": `{"idType":"","idNumber":"1"}`, "EmptyNumber": `{"idType":"4","idNumber":""}`,
		"NumberAsType": `{"idType":4,"idNumber":"1"}`, "NumberAsNumber": `{"idType":"4","idNumber":1}`,
		"LongType":   `{"idType":"4444","idNumber":"1"}`,
		"LongNumber": `{"idType":"4","idNumber":"` + strings.Repeat("1", 31) + `"}`,
		"Case":       `{"idtype":"4","idNumber":"1"}`, "Twice": `{"idType":"4","idType":"4","idNumber":"1"}`,
		"UTF8": "{\"idType\":\"4\",\"idNumber\":\"\xff\"}", "Trailing": `{"idType":"4","idNumber":"1"} x`,
	} {
		t.Run(name, func(t *testing.T) { want(t, h.answer("POST", lookupPath, body), lookupInvalid) })
	}
	want(t, h.lookup(strings.Repeat("é", 30)), lookupNotFound)
	want(t, h.answer("POST", lookupPath, `{"idType":"4","idNumber":"1","x":1}`), lookupNotFound)
}

func TestFixtures(t *testing.T) {
	alike := func(answer string) func(string) string { return func(string) string { return answer } }
	found := func(customerStatus, amlStatus string) func(string) string {
		return func(ecrn string) string { return lookedUp(ecrn, customerStatus, amlStatus) }
	}
	success := func(customerStatus, amlStatus string) func(string) string {
		return func(ecrn string) string { return onboarded(ecrn, customerStatus, amlStatus) }
	}
	sample := func(ecrn string) string { // Digit9 had a customer of it before
		return `200 {"status":"success","statusCode":200,"data":{"ecrn":"` + ecrn + `","first_name":"SAMPLE","middle_name":"",` +
			`"last_name":"PERSON","agent_location_id":"784999","primary_mobile_number":"+971500000000","email_id":"sample@example.com",` +
			`"customer_status":"ACTIVE","aml_scan_status":"Accepted","id_status":"Active","id_date_of_expiry":"2031-01-02T00:00:00.000+00:00"}}`
	}
	for _, test := range []struct {
		ends                   string
		before, onboard, after func(ecrn string) string
		effect                 bool
		alerts                 int
	}{
		{"0017", alike(lookupNotFound), success("ACTIVE", "Accepted"), found("ACTIVE", "Accepted"), true, 0},
		{"0403", alike(lookupNotSubscribed), success("ACTIVE", "Accepted"), found("ACTIVE", "Accepted"), true, 0},
		{"0413", alike(lookupNotFound), investigated, alike(lookupHeld), true, 1},
		{
			"0423", alike(lookupNotFound), success("KYC_PENDING", "Under Investigation"),
			found("KYC_PENDING", "Under Investigation"), true, 1,
		},
		{"0433", alike(lookupNotFound), alike(investigatedUnnamed), alike(lookupHeld), true, 1},
		{"0451", alike(lookupBarred), barred, alike(lookupBarred), false, 0},
		{"0461", alike(lookupNotFound), success("REJECTED", "Rejected"), found("REJECTED", "Rejected"), true, 0},
		{"0471", alike(lookupNotFound), success("ACTIVE", "Failed"), found("ACTIVE", "Failed"), true, 0},
		{"0432", sample, success("ACTIVE", "Accepted"), found("ACTIVE", "Accepted"), true, 0},
		{"0506", alike(lookupFailed), success("ACTIVE", "Accepted"), alike(lookupFailed), true, 0},
		{"0502", alike(lookupNotFound), alike(backendFailed), alike(lookupNotFound), false, 0},
	} {
		t.Run(test.ends, func(t *testing.T) {
			h := open(t)
			number := "78419900000" + test.ends
			before := h.lookup(number)
			want(t, before, test.before(ecrn.FindString(before)))
			answer := h.onboard(number)
			given := ecrn.FindString(answer)
			want(t, answer, test.onboard(given))
			rows := h.Rows("?operation=onboard-customer")
			want(t, rows[0].Effect, test.effect)
			for range 2 {
				want(t, h.lookup(number), test.after(given))
			}
			want(t, len(h.alerts()), test.alerts)
			if test.ends == "0433" {
				given = h.alerts()[0].ECRN
			}
			if test.ends == "0502" {
				return
			}
			// The number follows from the id number.
			again := open(t)
			if test.ends == "0432" {
				again.lookup(number)
			}
			if known := again.onboard(number); test.ends == "0433" {
				want(t, again.alerts()[0].ECRN, given)
			} else {
				want(t, ecrnIn(t, known), given)
			}
			// The customer's other ends agree.
			shown := h.answer("GET", getPath+given, "")
			if withheld := test.after(given); withheld == lookupHeld || withheld == lookupBarred {
				want(t, shown, withheld)
			} else {
				want(t, strings.Contains(shown, `"ecrn":"`+given+`"`), true)
			}
		})
	}
}

func TestUpdate(t *testing.T) {
	const passport = "P0000017"
	t.Run("Replaces", func(t *testing.T) {
		h := open(t)
		given := ecrnIn(t, h.onboard(ordinary))
		changed := strings.Replace(onboarding(ordinary), "NOOR", "NOORA", 1)
		changed = strings.Replace(
			changed, idDetail(ordinary), strings.Replace(idDetail(passport), `"id_type":4`, `"id_type":2`, 1), 1,
		)
		want(t, h.onboardBody(update(given, changed)), onboarded(given, "ACTIVE", "Accepted"))
		want(t, h.lookup(ordinary), lookupNotFound) // what is not sent is gone
		want(t, h.lookup(passport), lookupNotFound) // of another type
		want(
			t, h.answer("POST", lookupPath, `{"idType":"2","idNumber":"`+passport+`"}`),
			strings.Replace(lookedUp(given, "ACTIVE", "Accepted"), "NOOR", "NOORA", 1),
		)
		want(t, h.Log()[2:3], []string{"onboard-customer 200 true"})
	})
	t.Run("EveryID", func(t *testing.T) {
		h := open(t)
		body := strings.Replace(onboarding(ordinary), idDetail(ordinary), idDetail(ordinary)+","+idDetail(passport), 1)
		given := ecrnIn(t, h.onboardBody(body))
		want(t, h.lookup(ordinary), lookedUp(given, "ACTIVE", "Accepted"))
		want(t, h.lookup(passport), lookedUp(given, "ACTIVE", "Accepted"))
	})
	t.Run("AnyIDDecides", func(t *testing.T) {
		h := open(t)
		body := strings.Replace(onboarding(ordinary), idDetail(ordinary), idDetail(ordinary)+","+idDetail("P0000413"), 1)
		given := ecrnIn(t, h.onboardBody(body))
		want(t, h.lookup(ordinary), lookupHeld)
		want(t, h.alerts(), []alert{{given, "0413", sandboxtest.Start}})
	})
	t.Run("NotEveryFixtureDecides", func(t *testing.T) {
		h := open(t)
		ids := idDetail("P0000403") + "," + idDetail("P0000506") + "," + idDetail("P0000461")
		given := h.onboardBody(strings.Replace(onboarding(ordinary), idDetail(ordinary), ids, 1))
		want(t, given, onboarded(ecrnIn(t, given), "REJECTED", "Rejected"))
	})
	for name, ecrn := range map[string]string{"Unknown": "7840000000000000", "NoNumber": "x", "Path": "../x"} {
		t.Run(
			"Err"+name, func(t *testing.T) { want(t, open(t).onboardBody(update(ecrn, onboarding(ordinary))), updateFailed) },
		)
	}
	t.Run("ErrFixture", func(t *testing.T) {
		h := open(t)
		given := ecrnIn(t, h.lookup("784199000000432"))
		want(t, h.onboardBody(update(given, onboarding("784199000000432"))), updateFailed)
		want(t, h.Rows("?operation=onboard-customer")[0].Effect, false)
	})
	t.Run("ErrHeld", func(t *testing.T) {
		h := open(t)
		given := ecrnIn(t, h.onboard("784199000000413"))
		want(t, h.onboardBody(update(given, onboarding("784199000000413"))), investigated(given))
		want(t, h.Rows("?operation=onboard-customer")[1].Effect, false)
	})
	t.Run("ErrBarred", func(t *testing.T) {
		h := open(t)
		given := ecrnIn(t, h.onboard(ordinary))
		h.closes(given, `{"customer_status":"BLOCKED"}`)
		want(t, h.onboardBody(update(given, onboarding(ordinary))), barred(given))
		want(t, h.onboard(ordinary), barred(given))
		want(t, h.lookup(ordinary), lookupBarred)
	})
	t.Run("Resubmission", func(t *testing.T) { // §11: KYC_PENDING and Accepted
		h := open(t)
		given := ecrnIn(t, h.onboard("784199000000423"))
		h.closes(given, `{"aml_scan_status":"Accepted","customer_status":"KYC_PENDING"}`)
		want(t, h.lookup("784199000000423"), lookedUp(given, "KYC_PENDING", "Accepted"))
		want(t, h.onboardBody(update(given, onboarding("784199000000423"))), onboarded(given, "ACTIVE", "Accepted"))
	})
}

func TestDuplicateIDs(t *testing.T) {
	for _, number := range []string{ordinary, "784199000000413", "784199000000423"} {
		t.Run("Create"+number, func(t *testing.T) {
			h := open(t)
			first, second := ecrnIn(t, h.onboard(number)), ecrnIn(t, h.onboard(number))
			if first == second {
				t.Error("the same customer")
			}
			for _, row := range h.Rows("?operation=onboard-customer") {
				want(t, row.Effect, true)
			}
			want(t, h.answer("GET", getPath+first, ""), strings.ReplaceAll(h.answer("GET", getPath+second, ""), second, first))
			if shown := ecrn.FindString(h.lookup(number)); shown != "" && shown != second {
				t.Errorf("the lookup shows %s", shown)
			}
		})
		t.Run("Update"+number, func(t *testing.T) {
			h := open(t)
			h.Admin("/sandbox/settings", `{"partner":"digit9","name":"duplicate_ids","value":"update"}`)
			first := h.onboard(number)
			want(t, h.onboard(number), first)
			want(t, len(h.alerts()) <= 1, true)
		})
	}
}

func TestIDStatus(t *testing.T) {
	h := open(t)
	h.onboardBody(strings.Replace(onboarding(ordinary), "2031-03-09", "2026-01-02", 1))
	want(
		t, strings.Contains(h.lookup(ordinary), `"id_status":"Active","id_date_of_expiry":"2026-01-02T00:00:00.000+00:00"`),
		true,
	)
	h.Advance(24 * time.Hour)
	h.token = ""
	want(
		t,
		strings.Contains(h.lookup(ordinary), `"customer_status":"ACTIVE","aml_scan_status":"Accepted","id_status":"Expired"`),
		true,
	)
	h.onboardBody(strings.Replace(onboarding("X1"), `"active_status":true`, `"active_status":false`, 1))
	want(t, strings.Contains(h.lookup("X1"), `"id_status":"Inactive"`), true)
}

func TestGetCustomer(t *testing.T) {
	h := open(t)
	for _, ecrn := range []string{"7840000000000000", "validate", "x", strings.Repeat("1", 600), "%ff", "a%2Fb"} {
		want(t, h.answer("GET", getPath+ecrn, ""), lookupNotFound)
	}
}

func TestCodes(t *testing.T) {
	h := open(t)
	const idTypes = `"id_types":[{"code":"2","name":"Passport"},{"code":"4","name":"Emirates ID"},{"code":"28","name":"Malaysian national card"}]`
	for _, query := range []string{"?code=id_types", "?code_type=id_types"} {
		want(t, h.answer("GET", codesPath+query, ""), `200 {"status":"success","status_code":200,"data":{`+idTypes+`}}`)
	}
	want(t, h.answer("GET", codesPath+"?code=x", ""), `200 {"status":"success","status_code":200,"data":{}}`)
	want(t, h.answer("GET", codesPath+"?code=transaction_states", ""),
		`200 {"status":"success","status_code":200,"data":{"transaction_states":[`+
			`{"code":"SANDBOX-1","name":"Fictional transaction states 1","sub_states":[{"code":"SANDBOX-1-1","name":"Fictional transaction states 1, sub-state 1"}]},`+
			`{"code":"SANDBOX-2","name":"Fictional transaction states 2","sub_states":[{"code":"SANDBOX-2-1","name":"Fictional transaction states 2, sub-state 1"}]}]}}`)
	all := h.answer("GET", codesPath, "")
	for _, group := range strings.Fields(`relationships id_types sources_of_incomes purposes_of_transactions professions account_types
		payment_modes visa_types instruments address_types receiving_modes fee_types transaction_states income_types income_range_types
		cancel_reason_codes transaction_count_per_month transaction_volume_per_month correspondents business_types document_types
		proof_content_types`) {
		if !strings.Contains(all, `"`+group+`":[{"code":"`) {
			t.Errorf("no group %s in %s", group, all)
		}
	}
}

// TestConcurrentOnboarding: each repeat is a customer of its own, none is lost.
func TestConcurrentOnboarding(t *testing.T) {
	h := open(t, func(o *options) { o.NewID = nil })
	h.access()
	const n = 20
	answers := make(chan *httptest.ResponseRecorder, n)
	for range n {
		go func() { answers <- h.Do(h.requestTo("onboard-customer")) }()
	}
	different := map[string]bool{}
	for range n {
		different[ecrnIn(t, sandboxtest.Text(<-answers))] = true
	}
	want(t, len(different), n)
}

// TestKeepsNoSecrets: the log holds nothing of a person, the store no image.
func TestKeepsNoSecrets(t *testing.T) {
	store, log := &sandboxtest.Memory{}, &strings.Builder{}
	h := openOn(t, store, func(o *options) { o.Log = slog.New(slog.NewJSONHandler(log, nil)) })
	h.onboardBody(strings.ReplaceAll(onboarding(ordinary), "AAAA", "SU1BR0U="))
	h.lookup(ordinary)
	for _, secret := range []string{ordinary, "NOOR", "noor@example.com", h.token, ordinaryECRN} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
	for key, value := range store.Items {
		if strings.Contains(string(value), "SU1BR0U=") {
			t.Errorf("the store holds an image in %s", key)
		}
	}
}
