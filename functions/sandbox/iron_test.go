package sandbox_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"sallyport/functions/sandbox"
)

const ironPath = "/sandbox/iron"

// ironHarness is what the requests of a harness to Iron go by.
type ironHarness struct {
	keys   int      // idempotency keys that were used
	spared []string // customers that prepareIron made, each with an identification that is not decided
	used   int
}

// ironKey returns the nth idempotency key of a test.
func ironKey(n int) string { return fmt.Sprintf("5d0e7a34-9f7e-4a53-8f2b-%012d", n) }

// toIron returns a request with the partner's key, and an idempotency key of its own.
func (h *harness) toIron(method, path, body string) *http.Request {
	r := keyless(method, ironPath+path, body)
	r.Header.Set("X-API-Key", "sandbox-iron-key")
	if method == "POST" {
		h.iron.keys++
		r.Header.Set("IDEMPOTENCY-KEY", ironKey(h.iron.keys))
	}
	return r
}

// ir returns the answer as "status body".
func (h *harness) ir(method, path, body string) string {
	h.t.Helper()
	return text(h.do(h.toIron(method, path, body)))
}

func (h *harness) setIron(name, value string) {
	h.t.Helper()
	want(h.t, h.do(request("POST", "/sandbox/settings", `{"partner":"iron","name":"`+name+`","value":"`+value+`"}`)).Code, 200)
}

// ironCustomer and ironIdentification are what answers show.
type ironCustomer struct {
	ID                   string   `json:"id"`
	PartnerID            string   `json:"partner_id"`
	Type                 string   `json:"customer_type"`
	Name                 string   `json:"name"`
	Email                string   `json:"email"`
	Status               string   `json:"status"`
	IdentificationIDs    []string `json:"identification_ids"`
	SigningIDs           []string `json:"signing_ids"`
	IdentificationStatus string   `json:"identification_status"`
	CreatedAt            string   `json:"created_at"`
	UpdatedAt            string   `json:"updated_at"`
	ExternalID           string   `json:"external_id"`
}

type ironStep struct {
	Result  string `json:"result"`
	Retry   bool   `json:"retry"`
	Comment string `json:"comment"`
}

type ironIdentification struct {
	ID         string              `json:"id"`
	CustomerID string              `json:"customer_id"`
	Status     string              `json:"status"`
	CreatedAt  time.Time           `json:"created_at"`
	UpdatedAt  time.Time           `json:"updated_at"`
	URL        string              `json:"url"`
	Steps      map[string]ironStep `json:"step_status"`
	Comment    string              `json:"review_comment"`
	WithEDD    *bool               `json:"with_edd"`
	PartnerID  string              `json:"partner_id"`
	Country    string              `json:"residence_country"`
}

// decoded returns what an answer shows, which must have a status.
func decoded[T any](h *harness, w *httptest.ResponseRecorder, status int) (v T) {
	h.t.Helper()
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil || w.Code != status {
		h.t.Fatal(err, text(w))
	}
	return v
}

// ironMakes makes a customer of a type with an email.
func (h *harness) ironMakes(kind, email string) (id string) {
	h.t.Helper()
	body := `{"customer_type":"` + kind + `","email":"` + email + `"}`
	return decoded[ironCustomer](h, h.do(h.toIron("POST", "/customers", body)), 201).ID
}

// ironIdentifies has a customer identified; path is "" or "/v2".
func (h *harness) ironIdentifies(customer, path, body string) ironIdentification {
	h.t.Helper()
	return decoded[ironIdentification](h, h.do(h.toIron("POST", "/customers/"+customer+"/identifications"+path, body)), 201)
}

func (h *harness) ironGets(id string) ironIdentification {
	h.t.Helper()
	return decoded[ironIdentification](h, h.do(h.toIron("GET", "/identifications/"+id, "")), 200)
}

func (h *harness) ironCustomer(id string) ironCustomer {
	h.t.Helper()
	return decoded[ironCustomer](h, h.do(h.toIron("GET", "/customers/"+id, "")), 200)
}

func (h *harness) ironDecides(id string, approved bool) string {
	h.t.Helper()
	return h.ir("POST", "/sandbox/identification/"+id, fmt.Sprintf(`{"approved":%t}`, approved))
}

const (
	ironDirect   = `{"type":"Direct"}`
	ironReliance = `{"type":"ReliancePerson","token":"share-1"}`
)

var traceID = regexp.MustCompile(`"trace_id":"[0-9a-f]{12}"`)

// ironFailures are what any operation answers where a fault makes it fail.
var ironFailures = map[int]string{
	401: `401 authorization error`,
	429: `429 "too many requests"`,
	500: `500 {"message":"internal error","trace_id":"T"}`,
	503: `503 {"message":"service unavailable","trace_id":"T"}`,
}

// prepareIron brings Iron to where every operation can succeed three times.
func (h *harness) prepareIron() {
	h.t.Helper()
	h.setIron("signings", "first")
	for range 3 {
		customer := h.ironMakes("Person", "noor@example.com")
		h.ironIdentifies(customer, "", ironReliance)
		h.iron.spared = append(h.iron.spared, customer)
	}
	h.ir("POST", "/customers", `{"customer_type":"Business","email":"noor@example.com","external_id":"e-1"}`)
}

// ironRequest is a request to an operation that succeeds once all is prepared.
func (h *harness) ironRequest(op sandbox.Operation) *http.Request {
	h.t.Helper()
	customer := h.iron.spared[h.iron.used%len(h.iron.spared)]
	if op.Effect {
		h.iron.used++
	}
	id := customer
	if strings.Contains(op.Path, "identifications/{id}") || op.Name == "decide-identification" {
		// Ids count up: the identification's is the one after its customer's.
		id = fmt.Sprintf("%s%012d", customer[:24], number12(customer)+1)
	}
	body := map[string]string{
		"create-customer":       `{"customer_type":"Person","email":"noor@example.com"}`,
		"create-identification": ironReliance,
		"create-signing":        `{"content_id":"22222222-2222-4222-8222-222222222222","signed":true}`,
		"decide-identification": `{"approved":true}`,
	}[op.Name]
	if strings.HasSuffix(op.Path, "/v2") {
		body = ironTokenV2()
	}
	return h.toIron(op.Method, strings.NewReplacer("{id}", id, "{external_id}", "e-1").Replace(op.Path), body)
}

func number12(id string) (n int) {
	fmt.Sscanf(id[24:], "%d", &n)
	return n
}

func ironTokenV2(members ...string) string {
	return mbanqWith(`{"type":"Token","token":"share-1","intended_use":"Trading","kyc_questionnaire":`+ironKYC+`}`, members...)
}

const ironKYC = `{"employment_status":"Employed","yearly_gross_income":"From20001To30000","source_of_wealth":"Salary",` +
	`"expected_monthly_transaction_count":"LessThan5","expected_monthly_transaction_volume":"LessThan500"}`

// ironPerson makes the first customer of a harness, a person, and returns the path of its identifications.
func (h *harness) ironPerson() (path string) {
	h.t.Helper()
	return "/customers/" + h.ironMakes("Person", "noor@example.com") + "/identifications"
}

const (
	ironNoCustomer       = `404 "customer not found"`
	ironNoIdentification = `404 "identification not found"`
	ironReadOnly         = `403 "this key is read only"`
)

func TestIron_HappyPath(t *testing.T) {
	h := open(t)
	const customer = `{"id":"00000000-0000-4000-8000-000000000001","partner_id":"11111111-1111-4111-8111-111111111111","customer_type":"Person",` +
		`"name":"Noor Example","email":"noor@example.com","status":"%s","identification_ids":[%s],"signing_ids":[],%s` +
		`"created_at":"2026-01-02T03:04:05Z","updated_at":"2026-01-02T03:04:%sZ","external_id":"onb-1","spending_limit_euro":null}`
	want(t, h.ir("POST", "/customers", `{"customer_type":"Person","email":"noor@example.com","name":"Noor Example","external_id":"onb-1"}`),
		"201 "+fmt.Sprintf(customer, "IdentificationRequired", "", "", "05"))
	h.advance(time.Second)
	w := h.do(h.toIron("POST", "/customers/"+id(1)+"/identifications", ironDirect))
	want(t, w.Header().Get("Content-Type"), "application/json")
	url := decoded[ironIdentification](h, w, 201).URL
	want(t, regexp.MustCompile(`^http://example\.com/sandbox/iron/hosted/[A-Z2-7]{26}$`).MatchString(url), true)
	const identification = `{"id":"00000000-0000-4000-8000-000000000002","customer_id":"00000000-0000-4000-8000-000000000001","status":"%[1]s",` +
		`"created_at":"2026-01-02T03:04:06Z","updated_at":"2026-01-02T03:04:%[2]sZ",%[3]s"step_status":{` +
		`"identity":{"result":"%[1]s","retry":%[4]t},"proof_of_residence":{"result":"%[1]s","retry":%[4]t},` +
		`"questionnaire":{"result":"%[1]s","retry":%[4]t},"selfie":{"result":"%[1]s","retry":%[4]t}},%[5]s"partner_id":"11111111-1111-4111-8111-111111111111"}`
	pending := fmt.Sprintf(identification, "Pending", "06", `"url":"`+url+`",`, true, "")
	want(t, text(w), "201 "+pending)
	h.advance(time.Second)
	approved := fmt.Sprintf(identification, "Approved", "07", "", false, "")
	want(t, h.ironDecides(id(2), true), "201 "+approved)
	want(t, h.ir("GET", "/identifications/"+id(2), ""), "200 "+approved)
	want(t, h.ir("GET", "/customers/"+id(1)+"/identifications", ""), `200 {"items":[`+approved+`],"cursor":null,"prev_cursor":null}`)
	active := fmt.Sprintf(customer, "Active", `"00000000-0000-4000-8000-000000000002"`, `"identification_status":"Approved",`, "07")
	want(t, h.ir("GET", "/customers/"+id(1), ""), "200 "+active)
	want(t, h.ir("GET", "/customers/onb-1/external", ""), "200 "+active)
	want(t, h.ir("GET", "/customers", ""), `200 {"items":[`+active+`],"cursor":null,"prev_cursor":null}`)
	want(t, h.log(), []string{
		"create-customer 201 true", "create-identification 201 true", "decide-identification 201 true", "get-identification 200 false",
		"list-identifications 200 false", "get-customer 200 false", "find-customer 200 false", "list-customers 200 false",
	})

	// Declined: the other answer, on the second generation.
	d := h.ironIdentifies(id(1), "/v2", `{"type":"Link","with_edd":true}`)
	want(t, *d.WithEDD && d.URL != "", true)
	h.ironDecides(d.ID, false)
	d = h.ironGets(d.ID)
	want(t, d.Comment, "declined by the sandbox")
	want(t, d.Steps["selfie"], ironStep{Result: "Declined", Retry: true})
	want(t, h.ironCustomer(id(1)).Status, "IdentificationRequired")
}

func TestIron_Auth(t *testing.T) {
	h := open(t)
	h.prepareIron()
	for _, op := range sandbox.Operations() {
		if op.Partner != "iron" {
			continue
		}
		for _, key := range []string{"", "other", "sandbox-iron-read-only-key", "local-key"} {
			r := h.ironRequest(op)
			r.Header.Set("X-API-Key", key)
			w := h.do(r)
			decides := op.Name == "decide-identification"
			switch {
			case decides && (key == "" || key == "local-key"):
				want(t, w.Code/100 == 2 || w.Code == 404, true) // decided already
			case key != "sandbox-iron-read-only-key":
				want(t, text(w), ironFailures[401])
				want(t, w.Header().Get("Content-Type"), "text/plain; charset=utf-8")
			case op.Effect:
				want(t, text(w), ironReadOnly)
			default:
				want(t, w.Code, 200)
			}
		}
	}
}

func TestIron_Headers(t *testing.T) {
	h := open(t)
	h.ironPerson()
	for _, test := range []struct{ name, value, want string }{
		{"X-API-Version", "2025-03-13", "200"},
		{"X-API-Version", "2026-07-01", "200"},
		{"X-API-Version", "2026-07-02", `400 "X-API-Version is not supported"`},
		{"X-SUB-PARTNER-ID", id(7), "200"},
		{"X-SUB-PARTNER-ID", "seven", `400 "X-SUB-PARTNER-ID is not a UUID"`},
		{"X-SUB-PARTNER-ID", "{" + id(7) + "}", `400 "X-SUB-PARTNER-ID is not a UUID"`},
	} {
		r := h.toIron("GET", "/customers/"+id(1), "")
		r.Header.Set(test.name, test.value)
		want(t, strings.HasPrefix(text(h.do(r)), test.want), true)
	}
	for _, path := range []string{"/customers/x", "/identifications/1", "/customers/x/identifications", "/customers/x/required-signings"} {
		want(t, h.ir("GET", path, ""), `400 "the id in the path is not a UUID"`)
	}
	want(t, h.ir("GET", "/customers/"+strings.ToUpper(id(1)), "")[:3], "200")
}

func TestIron_NotFound(t *testing.T) {
	h := open(t)
	for _, test := range []struct{ method, path, body, want string }{
		{"GET", "/customers/" + id(9), "", ironNoCustomer},
		{"GET", "/customers/nobody/external", "", ironNoCustomer},
		{"PUT", "/customers/" + id(9) + "/archive", "", ironNoCustomer},
		{"POST", "/customers/" + id(9) + "/identifications", ironDirect, ironNoCustomer},
		{"POST", "/customers/" + id(9) + "/identifications/v2", `{"type":"Link"}`, ironNoCustomer},
		{"GET", "/customers/" + id(9) + "/identifications", "", ironNoCustomer},
		{"GET", "/customers/" + id(9) + "/required-signings", "", ironNoCustomer},
		{"POST", "/customers/" + id(9) + "/signings", "{}", ironNoCustomer},
		{"GET", "/identifications/" + id(9), "", ironNoIdentification},
		{"PUT", "/identifications/" + id(9) + "/archive", "", ironNoIdentification},
		{"POST", "/sandbox/identification/" + id(9), `{"approved":true}`, ironNoIdentification},
	} {
		want(t, h.ir(test.method, test.path, test.body), test.want)
	}
}

func TestIron_CreateCustomer(t *testing.T) {
	h := open(t)
	for body, answer := range map[string]string{
		``:                           `400 "the body is not a JSON object"`,
		`[]`:                         `400 "the body is not a JSON object"`,
		`{"email":`:                  `400 "the body is not a JSON object"`,
		`{"email":"a@b","email":""}`: `400 "the body is not a JSON object"`,
		`{"email":"a@b"}`:            `400 "customer_type is required"`,
		`{"customer_type":"Person"}`: `400 "email is required"`,
		`{"customer_type":"person","email":"a@b"}`:                                                  `400 "customer_type is not one of Business, Person"`,
		`{"customer_type":"Person","email":"ab"}`:                                                   `400 "email is not an email address"`,
		`{"customer_type":"Person","email":7}`:                                                      `400 "email is not a text"`,
		`{"customer_type":"Person","email":"@` + strings.Repeat("x", 254) + `"}`:                    `400 "email is not an email address"`,
		`{"customer_type":"Person","email":"a@b","name":1}`:                                         `400 "name is not a text"`,
		`{"customer_type":"Person","email":"a@b","external_id":"` + strings.Repeat("x", 256) + `"}`: `400 "external_id is longer than 255 characters"`,
	} {
		want(t, h.ir("POST", "/customers", body), answer)
	}
	made := decoded[ironCustomer](h, h.do(h.toIron("POST", "/customers", `{"customer_type":"Business","email":"a@b","external_id":"e/1","name":null}`)), 201)
	want(t, made.Name, "a@b")
	want(t, h.ir("POST", "/customers", `{"customer_type":"Person","email":"b@b","external_id":"e/1"}`), `400 "external_id is taken"`)
	want(t, h.ir("GET", "/customers/e%2F1/external", "")[:3], "200")
}

// ironNames returns the emails of a page, and its cursors.
func (h *harness) ironNames(query string) (names []string, cursor, prev string) {
	h.t.Helper()
	page := decoded[struct {
		Items  []ironCustomer `json:"items"`
		Cursor string         `json:"cursor"`
		Prev   string         `json:"prev_cursor"`
	}](h, h.do(h.toIron("GET", "/customers?"+query, "")), 200)
	for _, item := range page.Items {
		name, _, _ := strings.Cut(item.Email, "@")
		names = append(names, name)
	}
	return names, page.Cursor, page.Prev
}

func TestIron_ListCustomers(t *testing.T) {
	h := open(t)
	for n := range 12 {
		h.ironMakes([]string{"Person", "Business"}[n%2], fmt.Sprintf("c%02d@example.com", n))
	}
	first, cursor, prev := h.ironNames("")
	want(t, first, []string{"c11", "c10", "c09", "c08", "c07", "c06", "c05", "c04", "c03", "c02"})
	want(t, cursor != "" && prev == "", true)
	second, none, prev := h.ironNames("cursor=" + cursor)
	want(t, second, []string{"c01", "c00"})
	want(t, none, "")
	again, next, none := h.ironNames("prev_cursor=" + prev)
	want(t, again, first)
	want(t, next, cursor)
	want(t, none, "")
	middle, next, prev := h.ironNames("sort_order=asc&page_size=3&cursor=" + id(3))
	want(t, middle, []string{"c03", "c04", "c05"})
	want(t, next, id(6))
	want(t, prev, id(4))

	d := h.ironIdentifies(id(1), "", ironDirect)
	h.ironDecides(d.ID, true)
	h.ironIdentifies(id(3), "", ironDirect)
	h.ir("PUT", "/customers/"+id(5)+"/archive", "")
	for query, names := range map[string][]string{
		"search_term=C03":                      {"c03"},
		"search_term=" + id(3):                 {"c02"},
		"search_term=nobody":                   nil,
		"status[]=Active":                      {"c00"},
		"status[]=Active&status[]=Archived":    {"c04", "c00"},
		"identification_status[]=Pending":      {"c02"},
		"identification_status=Approved":       {"c00"},
		"customer_type[]=Business&page_size=2": {"c11", "c09"},
		"has_transactions=true":                nil,
		"search_term=c0&customer_type[]=Person&sort_order=asc&page_size=100&x=y": {"c00", "c02", "c04", "c06", "c08"},
	} {
		got, _, _ := h.ironNames(query)
		want(t, got, names)
	}
	for query, answer := range map[string]string{
		"page_size=0":           `400 "page_size is not a number from 1 to 100"`,
		"page_size=101":         `400 "page_size is not a number from 1 to 100"`,
		"cursor=x":              `400 "cursor is not known"`,
		"prev_cursor=" + id(99): `400 "prev_cursor is not known"`,
		"cursor=" + id(1) + "&prev_cursor=" + id(1): `400 "cursor and prev_cursor exclude each other"`,
		"status[]=active":                         `400 "status is not one of UserRequired, SigningsRequired, IdentificationRequired, Active, Suspended, Archived"`,
		"identification_status[]=x":               `400 "identification_status is not one of Pending, Processed, PendingReview, Approved, Declined, Expired, Archived"`,
		"customer_type[]=x":                       `400 "customer_type is not one of Business, Person"`,
		"sort_order=up":                           `400 "sort_order is not one of asc, desc"`,
		"search_term=" + strings.Repeat("x", 257): `400 "search_term is longer than 256 characters"`,
	} {
		want(t, h.ir("GET", "/customers?"+query, ""), answer)
	}
}

func TestIron_SubPartner(t *testing.T) {
	h := open(t)
	as := func(sub, method, path, body string) string {
		r := h.toIron(method, path, body)
		if sub != "" {
			r.Header.Set("X-SUB-PARTNER-ID", sub)
		}
		return text(h.do(r))
	}
	mine, other := id(71), id(72)
	as(mine, "POST", "/customers", `{"customer_type":"Person","email":"a@b","external_id":"e"}`)
	as(mine, "POST", "/customers/"+id(1)+"/identifications", ironReliance)
	as("", "POST", "/customers", `{"customer_type":"Person","email":"own@b"}`)
	as(mine, "POST", "/customers/"+id(3)+"/identifications", ironReliance)
	for _, test := range []struct{ path, hidden string }{
		{"/customers/" + id(1), ironNoCustomer},
		{"/customers/e/external", ironNoCustomer},
		{"/customers/" + id(1) + "/identifications", ironNoCustomer},
		{"/identifications/" + id(2), ironNoIdentification},
		{"/identifications/" + id(4), ironNoIdentification},
	} {
		want(t, as(mine, "GET", test.path, "")[:3], "200")
		want(t, as("", "GET", test.path, "")[:3], "200")
		want(t, as(other, "GET", test.path, ""), test.hidden)
	}
	want(t, as(other, "POST", "/customers/"+id(1)+"/identifications", ironReliance), ironNoCustomer)
	want(t, as(other, "PUT", "/identifications/"+id(4)+"/archive", ""), ironNoIdentification)
	want(t, as(other, "GET", "/customers/"+id(3)+"/identifications", ""), `200 {"items":[],"cursor":null,"prev_cursor":null}`)
	want(t, strings.Count(as(other, "GET", "/customers", ""), `"email"`), 1)
	want(t, strings.Count(as(mine, "GET", "/customers", ""), `"email"`), 2)
}

func TestIron_Idempotency(t *testing.T) {
	h := open(t, func(o *sandbox.Options) { o.TimeScale = 60 })
	send := func(key, path, body string) string {
		r := h.toIron("POST", path, body)
		r.Header.Set("IDEMPOTENCY-KEY", key)
		if key == "" {
			r.Header.Del("IDEMPOTENCY-KEY")
		}
		return text(h.do(r))
	}
	const reused = `409 "idempotency key reused with a different request"`
	const body, wrong = `{"customer_type":"Person","email":"noor@example.com"}`, `{"customer_type":"Person"}`
	want(t, send("", "/customers", body), `400 "missing IDEMPOTENCY-KEY"`)
	want(t, send("not-a-uuid", "/customers", body), `400 "IDEMPOTENCY-KEY is not a UUID"`)
	first := send(ironKey(1), "/customers", body)
	h.advance(time.Second)
	want(t, send(strings.ToUpper(ironKey(1)), "/customers", body), first)
	want(t, send(ironKey(1), "/customers", body+" "), reused)
	want(t, h.log(), []string{"create-customer 400 false", "create-customer 400 false", "create-customer 201 true", "create-customer 201 false", "create-customer 409 false"})

	// Failures are kept as well; another path, another key.
	identifications := "/customers/" + id(1) + "/identifications"
	want(t, send(ironKey(2), "/customers", wrong), `400 "email is required"`)
	want(t, send(ironKey(2), "/customers", body), reused)
	want(t, send(ironKey(1), identifications, ironDirect)[:3], "201")
	const pending = `409 "customer has a pending identification"`
	want(t, send(ironKey(3), identifications, ironDirect), pending)
	h.ironDecides(id(2), true)
	want(t, send(ironKey(3), identifications, ironDirect), pending)
	want(t, send(ironKey(4), identifications, ironDirect)[:3], "201")

	// Another sub-partner asks for something else.
	r := h.toIron("POST", "/customers", body)
	r.Header.Set("IDEMPOTENCY-KEY", ironKey(1))
	r.Header.Set("X-SUB-PARTNER-ID", id(7))
	want(t, text(h.do(r)), reused)

	// After 24 hours of the sandbox's time, counted from the first answer.
	h.advance(24*time.Minute - time.Second - time.Nanosecond)
	want(t, send(ironKey(1), "/customers", body), first)
	h.advance(time.Nanosecond)
	want(t, send(ironKey(1), "/customers", body) != first, true)
}

// TestIron_IdempotencyForgets: 401, 429 and 5xx are not kept.
func TestIron_IdempotencyForgets(t *testing.T) {
	for _, test := range []struct{ email, failure string }{
		{"noor+throttle@example.com", `429 "too many identifications of this customer"`},
		{"BROKEN@example.com", `500 {"message":"internal error","trace_id":"T"}`},
	} {
		h := open(t)
		customer := h.ironMakes("Person", test.email)
		for _, path := range []string{"", "/v2"} {
			for range 2 {
				r := h.toIron("POST", "/customers/"+customer+"/identifications"+path, strings.Replace(ironDirect, "Direct", map[string]string{"": "Direct", "/v2": "Link"}[path], 1))
				r.Header.Set("IDEMPOTENCY-KEY", ironKey(9))
				want(t, masked(text(h.do(r))), test.failure)
			}
		}
		var kept int
		_ = h.store.View(t.Context(), func(tx sandbox.Tx) error {
			items, err := tx.List("iron/0/answer/")
			kept = len(items)
			return err
		})
		want(t, kept, 1) // of the customer
	}
}

func TestIron_Faults(t *testing.T) {
	h := open(t)
	path := h.ironPerson()
	for _, generation := range []string{"", "/v2"} { // one name for both
		h.post("/sandbox/faults", `{"partner":"iron","operation":"create-identification","fault":"status_503_before_effect"}`)
		want(t, masked(h.ir("POST", path+generation, `{"type":"Link"}`)), ironFailures[503])
	}
	h.post("/sandbox/faults", `{"partner":"iron","operation":"get-customer","fault":"expired_token"}`)
	w := h.do(h.toIron("GET", "/customers/"+id(1), ""))
	want(t, text(w), ironFailures[401])
	want(t, w.Header().Get("Content-Type"), "text/plain; charset=utf-8")
	want(t, h.do(h.toIron("GET", "/customers/"+id(1), "")).Code, 200)
}

func TestIron_Limit(t *testing.T) {
	h := open(t)
	path := h.ironPerson()
	for range 20 {
		want(t, h.ir("POST", path, ironReliance)[:3], "201")
	}
	want(t, h.ir("POST", path, ironReliance), `429 "too many identifications of this customer"`)
	page := h.ir("GET", path+"?page_size=100", "")
	want(t, strings.Count(page, `"step_status"`), 20)
	want(t, strings.HasPrefix(page, `200 {"items":[{"id":"`+id(21)+`"`), true) // the newest first
	want(t, h.ir("GET", path+"?page_size=x", ""), `400 "page_size is not a number from 1 to 100"`)
}

func TestIron_Reset(t *testing.T) {
	h := open(t)
	h.init()
	h.ironMakes("Person", "noor@example.com")
	r := func() *http.Request {
		r := h.toIron("POST", "/sandbox/reset", "")
		r.Header.Set("IDEMPOTENCY-KEY", ironKey(77))
		return r
	}
	want(t, text(h.do(r())), "200 true")
	want(t, h.ir("GET", "/customers/"+id(2), ""), ironNoCustomer)
	want(t, h.ir("GET", "/customers", ""), `200 {"items":[],"cursor":null,"prev_cursor":null}`)
	h.ironMakes("Person", "noor@example.com")
	want(t, text(h.do(r())), "200 true") // replayed: nothing is forgotten
	want(t, h.ir("GET", "/customers/"+id(3), "")[:3], "200")
	want(t, h.step1(id(1), number), sent(id(1), 4)) // the others' stay
}

func TestIron_Signings(t *testing.T) {
	const terms = `200 [{"id":"22222222-2222-4222-8222-222222222222","url":"http://example.com/sandbox/iron/terms/22222222-2222-4222-8222-222222222222","display_name":"Terms of Service"}]`
	const sign = `{"content_id":"22222222-2222-4222-8222-222222222222","content_type":"Url","signed":true}`
	const invalid = `422 "signing is not valid"`
	for mode, statuses := range map[string][]string{ // when it was created, approved, signed
		"none":  {"IdentificationRequired", "Active", "Active"},
		"after": {"IdentificationRequired", "SigningsRequired", "Active"},
		"first": {"SigningsRequired", "SigningsRequired", "Active"},
	} {
		t.Run(mode, func(t *testing.T) {
			h := open(t)
			h.setIron("signings", mode)
			customer := h.ironMakes("Person", "noor@example.com")
			list := func() string { return h.ir("GET", "/customers/"+customer+"/required-signings", "") }
			status := func() string { return h.ironCustomer(customer).Status }
			shown := map[bool]string{true: terms, false: "200 []"}
			want(t, status(), statuses[0])
			want(t, list(), shown[statuses[0] == "SigningsRequired"])
			h.ironDecides(h.ironIdentifies(customer, "", ironReliance).ID, true)
			want(t, status(), statuses[1])
			want(t, list(), shown[statuses[1] == "SigningsRequired"])
			signings := "/customers/" + customer + "/signings"
			if mode == "none" {
				want(t, h.ir("POST", signings, sign), invalid)
				return
			}
			for body, answer := range map[string]string{
				``:                                 `400 "the body is not a JSON object"`,
				`{"signed":true}`:                  `400 "content_id is required"`,
				`{"content_id":"x","signed":true}`: `400 "content_id is not a UUID"`,
				`{"content_id":"` + id(5) + `"}`:   `400 "signed is required"`,
				`{"content_id":"` + id(5) + `","signed":"yes"}`:                     `400 "signed is not true or false"`,
				`{"content_id":"` + id(5) + `","signed":true,"content_type":"Pdf"}`: `400 "content_type is not one of Url"`,
				`{"content_id":"` + id(5) + `","signed":true}`:                      invalid,
				strings.Replace(sign, "true", "false", 1):                           invalid,
			} {
				want(t, h.ir("POST", signings, body), answer)
			}
			want(t, h.ir("POST", signings, strings.Replace(sign, "content_id", "document_id", 1)), `201 {"id":"`+id(3)+`","customer_id":"`+customer+`",`+
				`"content_id":"22222222-2222-4222-8222-222222222222","content_type":"Url","display_name":"Terms of Service","signed":true,`+
				`"created_at":"2026-01-02T03:04:05Z","updated_at":"2026-01-02T03:04:05Z"}`)
			want(t, status(), statuses[2])
			want(t, h.ironCustomer(customer).SigningIDs, []string{id(3)})
			want(t, list(), "200 []")
			want(t, h.ir("POST", signings, sign), invalid)
		})
	}
}
