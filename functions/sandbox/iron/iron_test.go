package iron_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"sallyport/functions/sandbox"
	"sallyport/functions/sandbox/sandboxtest"
)

const base = "/sandbox/iron"

// idempotencyKey returns the nth idempotency key of a test.
func idempotencyKey(n int) string { return fmt.Sprintf("5d0e7a34-9f7e-4a53-8f2b-%012d", n) }

// request returns a request with the partner's key, and an idempotency key of its own.
func (h *harness) request(method, path, body string) *http.Request {
	r := sandboxtest.Keyless(method, base+path, body)
	r.Header.Set("X-API-Key", "sandbox-iron-key")
	if method == "POST" {
		h.keys++
		r.Header.Set("IDEMPOTENCY-KEY", idempotencyKey(h.keys))
	}
	return r
}

// answer returns the answer as "status body".
func (h *harness) answer(method, path, body string) string {
	h.T.Helper()
	return sandboxtest.Text(h.Do(h.request(method, path, body)))
}

func (h *harness) set(name, value string) {
	h.T.Helper()
	h.Set("iron", name, value)
}

// shownCustomer and shownIdentification are what answers show.
type shownCustomer struct {
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

type shownStep struct {
	Result  string `json:"result"`
	Retry   bool   `json:"retry"`
	Comment string `json:"comment"`
}

type shownIdentification struct {
	ID         string               `json:"id"`
	CustomerID string               `json:"customer_id"`
	Status     string               `json:"status"`
	CreatedAt  time.Time            `json:"created_at"`
	UpdatedAt  time.Time            `json:"updated_at"`
	URL        string               `json:"url"`
	Steps      map[string]shownStep `json:"step_status"`
	Comment    string               `json:"review_comment"`
	WithEDD    *bool                `json:"with_edd"`
	PartnerID  string               `json:"partner_id"`
	Country    string               `json:"residence_country"`
}

// makes makes a customer of a type with an email.
func (h *harness) makes(kind, email string) (id string) {
	h.T.Helper()
	body := `{"customer_type":"` + kind + `","email":"` + email + `"}`
	return sandboxtest.Decoded[shownCustomer](h.T, h.Do(h.request("POST", "/customers", body)), 201).ID
}

// identifies has a customer identified; path is "" or "/v2".
func (h *harness) identifies(customer, path, body string) shownIdentification {
	h.T.Helper()
	return sandboxtest.Decoded[shownIdentification](
		h.T, h.Do(h.request("POST", "/customers/"+customer+"/identifications"+path, body)), 201,
	)
}

func (h *harness) gets(id string) shownIdentification {
	h.T.Helper()
	return sandboxtest.Decoded[shownIdentification](h.T, h.Do(h.request("GET", "/identifications/"+id, "")), 200)
}

func (h *harness) customer(id string) shownCustomer {
	h.T.Helper()
	return sandboxtest.Decoded[shownCustomer](h.T, h.Do(h.request("GET", "/customers/"+id, "")), 200)
}

func (h *harness) decides(id string, approved bool) string {
	h.T.Helper()
	return h.answer("POST", "/sandbox/identification/"+id, fmt.Sprintf(`{"approved":%t}`, approved))
}

const (
	direct   = `{"type":"Direct"}`
	reliance = `{"type":"ReliancePerson","token":"share-1"}`
)

// masked hides trace_id, which never repeats.
func masked(answer string) string { return traceID.ReplaceAllString(answer, `"trace_id":"T"`) }

var traceID = regexp.MustCompile(`"trace_id":"[0-9a-f]{12}"`)

// failures are what any operation answers where a fault makes it fail.
var failures = map[int]string{
	401: `401 authorization error`,
	429: `429 "too many requests"`,
	500: `500 {"message":"internal error","trace_id":"T"}`,
	503: `503 {"message":"service unavailable","trace_id":"T"}`,
}

// prepare brings Iron to where every operation can succeed three times.
func (h *harness) prepare() {
	h.T.Helper()
	h.set("signings", "first")
	for range 3 {
		customer := h.makes("Person", "noor@example.com")
		h.identifies(customer, "", reliance)
		h.spared = append(h.spared, customer)
	}
	h.answer("POST", "/customers", `{"customer_type":"Business","email":"noor@example.com","external_id":"e-1"}`)
}

// requestTo is a request to an operation that succeeds once all is prepared.
func (h *harness) requestTo(op sandbox.Operation) *http.Request {
	h.T.Helper()
	customer := h.spared[h.used%len(h.spared)]
	if op.Effect {
		h.used++
	}
	id := customer
	if strings.Contains(op.Path, "identifications/{id}") || op.Name == "decide-identification" {
		// Ids count up: the identification's is the one after its customer's.
		id = fmt.Sprintf("%s%012d", customer[:24], number12(customer)+1)
	}
	body := map[string]string{
		"create-customer":       `{"customer_type":"Person","email":"noor@example.com"}`,
		"create-identification": reliance,
		"create-signing":        `{"content_id":"22222222-2222-4222-8222-222222222222","signed":true}`,
		"decide-identification": `{"approved":true}`,
	}[op.Name]
	if strings.HasSuffix(op.Path, "/v2") {
		body = tokenV2()
	}
	return h.request(op.Method, strings.NewReplacer("{id}", id, "{external_id}", "e-1").Replace(op.Path), body)
}

func number12(id string) (n int) {
	fmt.Sscanf(id[24:], "%d", &n)
	return n
}

func tokenV2(members ...string) string {
	return sandboxtest.Replaced(
		`{"type":"Token","token":"share-1","intended_use":"Trading","kyc_questionnaire":`+kyc+`}`, members...,
	)
}

const kyc = `{"employment_status":"Employed","yearly_gross_income":"From20001To30000","source_of_wealth":"Salary",` +
	`"expected_monthly_transaction_count":"LessThan5","expected_monthly_transaction_volume":"LessThan500"}`

// person makes the first customer of a harness, a person, and returns the path of its identifications.
func (h *harness) person() (path string) {
	h.T.Helper()
	return "/customers/" + h.makes("Person", "noor@example.com") + "/identifications"
}

const (
	noCustomer       = `404 "customer not found"`
	noIdentification = `404 "identification not found"`
	readOnly         = `403 "this key is read only"`
)

func TestHappyPath(t *testing.T) {
	h := open(t)
	const customer = `{"id":"00000000-0000-4000-8000-000000000001","partner_id":"11111111-1111-4111-8111-111111111111","customer_type":"Person",` +
		`"name":"Noor Example","email":"noor@example.com","status":"%s","identification_ids":[%s],"signing_ids":[],%s` +
		`"created_at":"2026-01-02T03:04:05Z","updated_at":"2026-01-02T03:04:%sZ","external_id":"onb-1","spending_limit_euro":null}`
	want(t,
		h.answer(
			"POST", "/customers",
			`{"customer_type":"Person","email":"noor@example.com","name":"Noor Example","external_id":"onb-1"}`,
		),
		"201 "+fmt.Sprintf(customer, "IdentificationRequired", "", "", "05"))
	h.Advance(time.Second)
	w := h.Do(h.request("POST", "/customers/"+sandboxtest.ID(1)+"/identifications", direct))
	want(t, w.Header().Get("Content-Type"), "application/json")
	url := sandboxtest.Decoded[shownIdentification](h.T, w, 201).URL
	want(t, regexp.MustCompile(`^http://example\.com/sandbox/iron/hosted/[A-Z2-7]{26}$`).MatchString(url), true)
	const identification = `{"id":"00000000-0000-4000-8000-000000000002","customer_id":"00000000-0000-4000-8000-000000000001","status":"%[1]s",` +
		`"created_at":"2026-01-02T03:04:06Z","updated_at":"2026-01-02T03:04:%[2]sZ",%[3]s"step_status":{` +
		`"identity":{"result":"%[1]s","retry":%[4]t},"proof_of_residence":{"result":"%[1]s","retry":%[4]t},` +
		`"questionnaire":{"result":"%[1]s","retry":%[4]t},"selfie":{"result":"%[1]s","retry":%[4]t}},%[5]s"partner_id":"11111111-1111-4111-8111-111111111111"}`
	pending := fmt.Sprintf(identification, "Pending", "06", `"url":"`+url+`",`, true, "")
	want(t, sandboxtest.Text(w), "201 "+pending)
	h.Advance(time.Second)
	approved := fmt.Sprintf(identification, "Approved", "07", "", false, "")
	want(t, h.decides(sandboxtest.ID(2), true), "201 "+approved)
	want(t, h.answer("GET", "/identifications/"+sandboxtest.ID(2), ""), "200 "+approved)
	want(
		t, h.answer("GET", "/customers/"+sandboxtest.ID(1)+"/identifications", ""),
		`200 {"items":[`+approved+`],"cursor":null,"prev_cursor":null}`,
	)
	active := fmt.Sprintf(
		customer, "Active", `"00000000-0000-4000-8000-000000000002"`, `"identification_status":"Approved",`, "07",
	)
	want(t, h.answer("GET", "/customers/"+sandboxtest.ID(1), ""), "200 "+active)
	want(t, h.answer("GET", "/customers/onb-1/external", ""), "200 "+active)
	want(t, h.answer("GET", "/customers", ""), `200 {"items":[`+active+`],"cursor":null,"prev_cursor":null}`)
	want(t, h.Log(), []string{
		"create-customer 201 true", "create-identification 201 true", "decide-identification 201 true",
		"get-identification 200 false",
		"list-identifications 200 false", "get-customer 200 false", "find-customer 200 false", "list-customers 200 false",
	})

	// Declined: the other answer, on the second generation.
	d := h.identifies(sandboxtest.ID(1), "/v2", `{"type":"Link","with_edd":true}`)
	want(t, *d.WithEDD && d.URL != "", true)
	h.decides(d.ID, false)
	d = h.gets(d.ID)
	want(t, d.Comment, "declined by the sandbox")
	want(t, d.Steps["selfie"], shownStep{Result: "Declined", Retry: true})
	want(t, h.customer(sandboxtest.ID(1)).Status, "IdentificationRequired")
}

func TestAuth(t *testing.T) {
	h := open(t)
	h.prepare()
	for _, op := range operations() {
		for _, key := range []string{"", "other", "sandbox-iron-read-only-key", "local-key"} {
			r := h.requestTo(op)
			r.Header.Set("X-API-Key", key)
			w := h.Do(r)
			decides := op.Name == "decide-identification"
			switch {
			case decides && (key == "" || key == "local-key"):
				want(t, w.Code/100 == 2 || w.Code == 404, true) // decided already
			case key != "sandbox-iron-read-only-key":
				want(t, sandboxtest.Text(w), failures[401])
				want(t, w.Header().Get("Content-Type"), "text/plain; charset=utf-8")
			case op.Effect:
				want(t, sandboxtest.Text(w), readOnly)
			default:
				want(t, w.Code, 200)
			}
		}
	}
}

func TestHeaders(t *testing.T) {
	h := open(t)
	h.person()
	for _, test := range []struct{ name, value, want string }{
		{"X-API-Version", "2025-03-13", "200"},
		{"X-API-Version", "2026-07-01", "200"},
		{"X-API-Version", "2026-07-02", `400 "X-API-Version is not supported"`},
		{"X-SUB-PARTNER-ID", sandboxtest.ID(7), "200"},
		{"X-SUB-PARTNER-ID", "seven", `400 "X-SUB-PARTNER-ID is not a UUID"`},
		{"X-SUB-PARTNER-ID", "{" + sandboxtest.ID(7) + "}", `400 "X-SUB-PARTNER-ID is not a UUID"`},
	} {
		r := h.request("GET", "/customers/"+sandboxtest.ID(1), "")
		r.Header.Set(test.name, test.value)
		want(t, strings.HasPrefix(sandboxtest.Text(h.Do(r)), test.want), true)
	}
	for _, path := range []string{
		"/customers/x", "/identifications/1", "/customers/x/identifications", "/customers/x/required-signings",
	} {
		want(t, h.answer("GET", path, ""), `400 "the id in the path is not a UUID"`)
	}
	want(t, h.answer("GET", "/customers/"+strings.ToUpper(sandboxtest.ID(1)), "")[:3], "200")
}

func TestNotFound(t *testing.T) {
	h := open(t)
	for _, test := range []struct{ method, path, body, want string }{
		{"GET", "/customers/" + sandboxtest.ID(9), "", noCustomer},
		{"GET", "/customers/nobody/external", "", noCustomer},
		{"PUT", "/customers/" + sandboxtest.ID(9) + "/archive", "", noCustomer},
		{"POST", "/customers/" + sandboxtest.ID(9) + "/identifications", direct, noCustomer},
		{"POST", "/customers/" + sandboxtest.ID(9) + "/identifications/v2", `{"type":"Link"}`, noCustomer},
		{"GET", "/customers/" + sandboxtest.ID(9) + "/identifications", "", noCustomer},
		{"GET", "/customers/" + sandboxtest.ID(9) + "/required-signings", "", noCustomer},
		{"POST", "/customers/" + sandboxtest.ID(9) + "/signings", "{}", noCustomer},
		{"GET", "/identifications/" + sandboxtest.ID(9), "", noIdentification},
		{"PUT", "/identifications/" + sandboxtest.ID(9) + "/archive", "", noIdentification},
		{"POST", "/sandbox/identification/" + sandboxtest.ID(9), `{"approved":true}`, noIdentification},
	} {
		want(t, h.answer(test.method, test.path, test.body), test.want)
	}
}

func TestCreateCustomer(t *testing.T) {
	h := open(t)
	want(t, h.answer("POST", "/customers", `{"customer_type":"Person","email":"ab"}`)[:3], "201") // by no page refused
	h.set("strict", "inferred")
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
		want(t, h.answer("POST", "/customers", body), answer)
	}
	made := sandboxtest.Decoded[shownCustomer](
		h.T,
		h.Do(h.request("POST", "/customers", `{"customer_type":"Business","email":"a@b","external_id":"e/1","name":null}`)),
		201,
	)
	want(t, made.Name, "a@b")
	want(
		t, h.answer("POST", "/customers", `{"customer_type":"Person","email":"b@b","external_id":"e/1"}`),
		`400 "external_id is taken"`,
	)
	want(t, h.answer("GET", "/customers/e%2F1/external", "")[:3], "200")
}

// names returns the emails of a page, and its cursors.
func (h *harness) names(query string) (names []string, cursor, prev string) {
	h.T.Helper()
	page := sandboxtest.Decoded[struct {
		Items  []shownCustomer `json:"items"`
		Cursor string          `json:"cursor"`
		Prev   string          `json:"prev_cursor"`
	}](h.T, h.Do(h.request("GET", "/customers?"+query, "")), 200)
	for _, item := range page.Items {
		name, _, _ := strings.Cut(item.Email, "@")
		names = append(names, name)
	}
	return names, page.Cursor, page.Prev
}

func TestListCustomers(t *testing.T) {
	h := open(t)
	for n := range 12 {
		h.makes([]string{"Person", "Business"}[n%2], fmt.Sprintf("c%02d@example.com", n))
	}
	first, cursor, prev := h.names("")
	want(t, first, []string{"c11", "c10", "c09", "c08", "c07", "c06", "c05", "c04", "c03", "c02"})
	want(t, cursor != "" && prev == "", true)
	second, none, prev := h.names("cursor=" + cursor)
	want(t, second, []string{"c01", "c00"})
	want(t, none, "")
	again, next, none := h.names("prev_cursor=" + prev)
	want(t, again, first)
	want(t, next, cursor)
	want(t, none, "")
	middle, next, prev := h.names("sort_order=asc&page_size=3&cursor=" + sandboxtest.ID(3))
	want(t, middle, []string{"c03", "c04", "c05"})
	want(t, next, sandboxtest.ID(6))
	want(t, prev, sandboxtest.ID(4))

	d := h.identifies(sandboxtest.ID(1), "", direct)
	h.decides(d.ID, true)
	h.identifies(sandboxtest.ID(3), "", direct)
	h.answer("PUT", "/customers/"+sandboxtest.ID(5)+"/archive", "")
	for query, names := range map[string][]string{
		"search_term=C03":                      {"c03"},
		"search_term=" + sandboxtest.ID(3):     {"c02"},
		"search_term=nobody":                   nil,
		"status[]=Active":                      {"c00"},
		"status[]=Active&status[]=Archived":    {"c04", "c00"},
		"identification_status[]=Pending":      {"c02"},
		"identification_status=Approved":       {"c00"},
		"customer_type[]=Business&page_size=2": {"c11", "c09"},
		"has_transactions=true":                nil,
		"search_term=c0&customer_type[]=Person&sort_order=asc&page_size=100&x=y": {"c00", "c02", "c04", "c06", "c08"},
	} {
		got, _, _ := h.names(query)
		want(t, got, names)
	}
	for query, answer := range map[string]string{
		"page_size=0":                       `400 "page_size is not a number from 1 to 100"`,
		"page_size=101":                     `400 "page_size is not a number from 1 to 100"`,
		"cursor=x":                          `400 "cursor is not known"`,
		"prev_cursor=" + sandboxtest.ID(99): `400 "prev_cursor is not known"`,
		"cursor=" + sandboxtest.ID(1) + "&prev_cursor=" + sandboxtest.ID(1): `400 "cursor and prev_cursor exclude each other"`,
		"status[]=active":                         `400 "status is not one of UserRequired, SigningsRequired, IdentificationRequired, Active, Suspended, Archived"`,
		"identification_status[]=x":               `400 "identification_status is not one of Pending, Processed, PendingReview, Approved, Declined, Expired, Archived"`,
		"customer_type[]=x":                       `400 "customer_type is not one of Business, Person"`,
		"sort_order=up":                           `400 "sort_order is not one of asc, desc"`,
		"search_term=" + strings.Repeat("x", 257): `400 "search_term is longer than 256 characters"`,
	} {
		want(t, h.answer("GET", "/customers?"+query, ""), answer)
	}
}

func TestSubPartner(t *testing.T) {
	h := open(t)
	as := func(sub, method, path, body string) string {
		r := h.request(method, path, body)
		if sub != "" {
			r.Header.Set("X-SUB-PARTNER-ID", sub)
		}
		return sandboxtest.Text(h.Do(r))
	}
	mine, other := sandboxtest.ID(71), sandboxtest.ID(72)
	as(mine, "POST", "/customers", `{"customer_type":"Person","email":"a@b","external_id":"e"}`)
	as(mine, "POST", "/customers/"+sandboxtest.ID(1)+"/identifications", reliance)
	as("", "POST", "/customers", `{"customer_type":"Person","email":"own@b"}`)
	as(mine, "POST", "/customers/"+sandboxtest.ID(3)+"/identifications", reliance)
	for _, test := range []struct{ path, hidden string }{
		{"/customers/" + sandboxtest.ID(1), noCustomer},
		{"/customers/e/external", noCustomer},
		{"/customers/" + sandboxtest.ID(1) + "/identifications", noCustomer},
		{"/identifications/" + sandboxtest.ID(2), noIdentification},
		{"/identifications/" + sandboxtest.ID(4), noIdentification},
	} {
		want(t, as(mine, "GET", test.path, "")[:3], "200")
		want(t, as("", "GET", test.path, "")[:3], "200")
		want(t, as(other, "GET", test.path, ""), test.hidden)
	}
	want(t, as(other, "POST", "/customers/"+sandboxtest.ID(1)+"/identifications", reliance), noCustomer)
	want(t, as(other, "PUT", "/identifications/"+sandboxtest.ID(4)+"/archive", ""), noIdentification)
	want(
		t, as(other, "GET", "/customers/"+sandboxtest.ID(3)+"/identifications", ""),
		`200 {"items":[],"cursor":null,"prev_cursor":null}`,
	)
	want(t, strings.Count(as(other, "GET", "/customers", ""), `"email"`), 1)
	want(t, strings.Count(as(mine, "GET", "/customers", ""), `"email"`), 2)
}

func TestIdempotency(t *testing.T) {
	h := open(t, func(o *options) { o.TimeScale = 60 })
	send := func(key, path, body string) string {
		r := h.request("POST", path, body)
		r.Header.Set("IDEMPOTENCY-KEY", key)
		if key == "" {
			r.Header.Del("IDEMPOTENCY-KEY")
		}
		return sandboxtest.Text(h.Do(r))
	}
	const reused = `409 "idempotency key reused with a different request"`
	const body, wrong = `{"customer_type":"Person","email":"noor@example.com"}`, `{"customer_type":"Person"}`
	want(t, send("", "/customers", body), `400 "missing IDEMPOTENCY-KEY"`)
	want(t, send("not-a-uuid", "/customers", body), `400 "IDEMPOTENCY-KEY is not a UUID"`)
	first := send(idempotencyKey(1), "/customers", body)
	h.Advance(time.Second)
	want(t, send(strings.ToUpper(idempotencyKey(1)), "/customers", body), first)
	want(t, send(idempotencyKey(1), "/customers", body+" "), reused)
	want(
		t, h.Log(),
		[]string{
			"create-customer 400 false", "create-customer 400 false", "create-customer 201 true", "create-customer 201 false",
			"create-customer 409 false",
		},
	)

	// Failures are kept as well; another path, another key.
	identifications := "/customers/" + sandboxtest.ID(1) + "/identifications"
	want(t, send(idempotencyKey(2), "/customers", wrong), `400 "email is required"`)
	want(t, send(idempotencyKey(2), "/customers", body), reused)
	want(t, send(idempotencyKey(1), identifications, direct)[:3], "201")
	const pending = `409 "customer has a pending identification"`
	want(t, send(idempotencyKey(3), identifications, direct), pending)
	h.decides(sandboxtest.ID(2), true)
	want(t, send(idempotencyKey(3), identifications, direct), pending)
	want(t, send(idempotencyKey(4), identifications, direct)[:3], "201")

	// Another sub-partner asks for something else.
	r := h.request("POST", "/customers", body)
	r.Header.Set("IDEMPOTENCY-KEY", idempotencyKey(1))
	r.Header.Set("X-SUB-PARTNER-ID", sandboxtest.ID(7))
	want(t, sandboxtest.Text(h.Do(r)), reused)

	// After 24 hours of the sandbox's time, counted from the first answer.
	h.Advance(24*time.Minute - time.Second - time.Nanosecond)
	want(t, send(idempotencyKey(1), "/customers", body), first)
	h.Advance(time.Nanosecond)
	want(t, send(idempotencyKey(1), "/customers", body) != first, true)
}

// TestIdempotencyForgets: 401, 429 and 5xx are not kept.
func TestIdempotencyForgets(t *testing.T) {
	for _, test := range []struct{ email, failure string }{
		{"noor+throttle@example.com", `429 "too many identifications of this customer"`},
		{"BROKEN@example.com", `500 {"message":"internal error","trace_id":"T"}`},
	} {
		h := open(t)
		customer := h.makes("Person", test.email)
		for _, path := range []string{"", "/v2"} {
			for range 2 {
				r := h.request(
					"POST", "/customers/"+customer+"/identifications"+path,
					strings.Replace(direct, "Direct", map[string]string{"": "Direct", "/v2": "Link"}[path], 1),
				)
				r.Header.Set("IDEMPOTENCY-KEY", idempotencyKey(9))
				want(t, masked(sandboxtest.Text(h.Do(r))), test.failure)
			}
		}
		var kept int
		_ = h.Store.View(t.Context(), func(tx sandbox.Tx) error {
			items, err := tx.List("iron/0/answer/")
			kept = len(items)
			return err
		})
		want(t, kept, 1) // of the customer
	}
}

func TestFaults(t *testing.T) {
	h := open(t)
	path := h.person()
	for _, generation := range []string{"", "/v2"} { // one name for both
		h.Admin(
			"/sandbox/faults", `{"partner":"iron","operation":"create-identification","fault":"status_503_before_effect"}`,
		)
		want(t, masked(h.answer("POST", path+generation, `{"type":"Link"}`)), failures[503])
	}
	h.Admin("/sandbox/faults", `{"partner":"iron","operation":"get-customer","fault":"expired_token"}`)
	w := h.Do(h.request("GET", "/customers/"+sandboxtest.ID(1), ""))
	want(t, sandboxtest.Text(w), failures[401])
	want(t, w.Header().Get("Content-Type"), "text/plain; charset=utf-8")
	want(t, h.Do(h.request("GET", "/customers/"+sandboxtest.ID(1), "")).Code, 200)
}

func TestLimit(t *testing.T) {
	h := open(t)
	path := h.person()
	for range 20 {
		want(t, h.answer("POST", path, reliance)[:3], "201")
	}
	want(t, h.answer("POST", path, reliance), `429 "too many identifications of this customer"`)
	page := h.answer("GET", path+"?page_size=100", "")
	want(t, strings.Count(page, `"step_status"`), 20)
	want(t, strings.HasPrefix(page, `200 {"items":[{"id":"`+sandboxtest.ID(21)+`"`), true) // the newest first
	want(t, h.answer("GET", path+"?page_size=x", ""), `400 "page_size is not a number from 1 to 100"`)
}

func TestReset(t *testing.T) {
	other := sandbox.Simulator{Name: "other", Endpoints: []sandbox.Endpoint{{
		Name: "count", Method: "POST", Path: "/count", Handle: func(c *sandbox.Call) sandbox.Answer {
			var n int
			c.Load("other/n", &n)
			c.Save("other/n", n+1)
			return sandbox.JSON(200, n)
		},
	}}}
	h := open(t, func(o *options) { o.Simulators = []sandbox.Simulator{other} })
	count := func() string { return sandboxtest.Text(h.Do(sandboxtest.Keyless("POST", "/sandbox/other/count", ""))) }
	want(t, count(), "200 0")
	h.makes("Person", "noor@example.com")
	r := func() *http.Request {
		r := h.request("POST", "/sandbox/reset", "")
		r.Header.Set("IDEMPOTENCY-KEY", idempotencyKey(77))
		return r
	}
	want(t, sandboxtest.Text(h.Do(r())), "200 true")
	want(t, h.answer("GET", "/customers/"+sandboxtest.ID(1), ""), noCustomer)
	want(t, h.answer("GET", "/customers", ""), `200 {"items":[],"cursor":null,"prev_cursor":null}`)
	h.makes("Person", "noor@example.com")
	want(t, sandboxtest.Text(h.Do(r())), "200 true") // replayed: nothing is forgotten
	want(t, h.answer("GET", "/customers/"+sandboxtest.ID(2), "")[:3], "200")
	want(t, count(), "200 1") // the others' stay
}

func TestSignings(t *testing.T) {
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
			h.set("signings", mode)
			customer := h.makes("Person", "noor@example.com")
			list := func() string { return h.answer("GET", "/customers/"+customer+"/required-signings", "") }
			status := func() string { return h.customer(customer).Status }
			shown := map[bool]string{true: terms, false: "200 []"}
			want(t, status(), statuses[0])
			want(t, list(), shown[statuses[0] == "SigningsRequired"])
			h.decides(h.identifies(customer, "", reliance).ID, true)
			want(t, status(), statuses[1])
			want(t, list(), shown[statuses[1] == "SigningsRequired"])
			signings := "/customers/" + customer + "/signings"
			if mode == "none" {
				want(t, h.answer("POST", signings, sign), invalid)
				return
			}
			for body, answer := range map[string]string{
				``:                                 `400 "the body is not a JSON object"`,
				`{"signed":true}`:                  `400 "content_id is required"`,
				`{"content_id":"x","signed":true}`: `400 "content_id is not a UUID"`,
				`{"content_id":"` + sandboxtest.ID(5) + `"}`:                                    `400 "signed is required"`,
				`{"content_id":"` + sandboxtest.ID(5) + `","signed":"yes"}`:                     `400 "signed is not true or false"`,
				`{"content_id":"` + sandboxtest.ID(5) + `","signed":true,"content_type":"Pdf"}`: `400 "content_type is not one of Url"`,
				`{"content_id":"` + sandboxtest.ID(5) + `","signed":true}`:                      invalid,
				strings.Replace(sign, "true", "false", 1):                                       invalid,
			} {
				want(t, h.answer("POST", signings, body), answer)
			}
			want(t, h.answer("POST", signings, strings.Replace(sign, "content_id", "document_id", 1)),
				`201 {"id":"`+sandboxtest.ID(3)+`","customer_id":"`+customer+`",`+
					`"content_id":"22222222-2222-4222-8222-222222222222","content_type":"Url","display_name":"Terms of Service","signed":true,`+
					`"created_at":"2026-01-02T03:04:05Z","updated_at":"2026-01-02T03:04:05Z"}`)
			want(t, status(), statuses[2])
			want(t, h.customer(customer).SigningIDs, []string{sandboxtest.ID(3)})
			want(t, list(), "200 []")
			want(t, h.answer("POST", signings, sign), invalid)
		})
	}
}
