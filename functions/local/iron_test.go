package main_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	main "sallyport/functions/local"
)

const ironCustomersURL = "/iron/customers"

// ironCustomer is what a customer is created of (iron §3). The simulated partner goes by the email address.
func ironCustomer(kind, email string, more ...string) string {
	return `{"customer_type":"` + kind + `","email":"` + email + `","name":"Noor Example"` + strings.Join(more, "") + `}`
}

func (s *stack) ironDo(method, path, key, body string, header http.Header) reply {
	s.t.Helper()
	header = header.Clone()
	if header == nil {
		header = http.Header{}
	}
	if key != "" {
		header.Set("Idempotency-Key", key)
	}
	return s.do(method, path, header, body)
}

// createIronCustomer creates a customer and returns its id.
func (s *stack) createIronCustomer(kind, email string, more ...string) string {
	s.t.Helper()
	got := s.post(ironCustomersURL, uuid.NewString(), ironCustomer(kind, email, more...))
	var out struct{ ID string }
	MustDecode(s.t, got.body, &out)
	if got.status != http.StatusCreated || out.ID == "" {
		s.t.Fatalf("create: %d %s", got.status, got.body)
	}
	return out.ID
}

func identificationsURL(customer string) string {
	return ironCustomersURL + "/" + customer + "/identifications"
}

// identified is an identification as the partner shows it.
type identified struct {
	ID         string `json:"id"`
	CustomerID string `json:"customer_id"`
	Status     string `json:"status"`
	CreatedAt  string `json:"created_at"`
	UpdatedAt  string `json:"updated_at"`
	URL        string `json:"url"`
	Steps      map[string]struct {
		Result string `json:"result"`
		Retry  *bool  `json:"retry"`
	} `json:"step_status"`
}

func (s *stack) identifications(customer string) (all []identified) {
	s.t.Helper()
	var out struct{ Items []identified }
	got := s.do("GET", identificationsURL(customer), nil, "")
	MustDecode(s.t, got.body, &out)
	if got.status != http.StatusOK || out.Items == nil {
		s.t.Fatalf("list: %d %s", got.status, got.body)
	}
	return out.Items
}

// decide is what the partner's reviewers do.
func (s *stack) decide(identification string, approved bool) {
	s.t.Helper()
	got := s.do(
		"POST", "/sandbox/iron/sandbox/identification/"+identification, http.Header{"No-Key": {""}},
		fmt.Sprintf(`{"approved":%t}`, approved),
	)
	if got.status != http.StatusCreated {
		s.t.Fatalf("decide: %d %s", got.status, got.body)
	}
}

func (s *stack) setIron(name, value string) {
	s.t.Helper()
	if got := s.do(
		"POST", "/sandbox/settings", nil, fmt.Sprintf(`{"partner":"iron","name":%q,"value":%q}`, name, value),
	); got.status != 200 {
		s.t.Fatalf("setting: %d %s", got.status, got.body)
	}
}

func (s *stack) ironEffects(operation string) int {
	s.t.Helper()
	_, n := s.reached("iron/" + operation)
	return n
}

// TestIronAlias: a client whose base is the host puts "/api" before the partner's paths, and means the same.
func TestIronAlias(t *testing.T) {
	t.Parallel()
	s := MustRun(t)
	key, body := uuid.NewString(), ironCustomer("Person", "approve.alias@example.com")
	made := s.post("/iron/api/customers", key, body)
	again := s.post(ironCustomersURL, key, body)
	var customer struct{ ID string }
	MustDecode(t, made.body, &customer)
	if made.status != http.StatusCreated || again.body != made.body || s.ironEffects("create-customer") != 1 {
		t.Errorf("%d %s, and by the usual path %d %s", made.status, made.body, again.status, again.body)
	}
	identified := s.post("/iron/api/customers/"+customer.ID+"/identifications/v2", uuid.NewString(), `{"type":"Link"}`)
	if identified.status != http.StatusCreated {
		t.Errorf("%d %s", identified.status, identified.body)
	}
	var identification struct{ ID string }
	MustDecode(t, identified.body, &identification)
	for _, path := range []string{
		"/customers/" + customer.ID, "/customers/" + customer.ID + "/identifications?cursor=&page_size=",
		"/identifications/" + identification.ID,
	} {
		usual, alias := s.do("GET", "/iron"+path, nil, ""), s.do("GET", "/iron/api"+path, nil, "")
		if alias.status != http.StatusOK || alias.body != usual.body {
			t.Errorf("%s: %d %s, and by the usual path %d %s", path, alias.status, alias.body, usual.status, usual.body)
		}
	}
	if got := s.do("GET", "/iron/api/api/customers/"+customer.ID, nil, ""); got.status != http.StatusNotFound {
		t.Errorf("%d %s", got.status, got.body)
	}
}

// TestIronIdentification is an identification over its life, and what a repeat, another one and another body are
// answered.
func TestIronIdentification(t *testing.T) {
	t.Parallel()
	for kind, steps := range map[string][]string{
		"Person":   {"identity", "proof_of_residence", "questionnaire", "selfie"},
		"Business": {"company_beneficiaries", "company_data", "company_documents", "questionnaire"},
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			s := MustRun(t)
			customer := s.createIronCustomer(kind, "noor@example.com")
			const key = "5d0e7a34-9f7e-4a53-8f2b-5f6d1f1f7c10"
			got := s.post(identificationsURL(customer), key, `{"type":"Direct"}`)
			var created identified
			MustDecode(t, got.body, &created)
			if got.status != http.StatusCreated || uuid.Validate(created.ID) != nil || created.CustomerID != customer ||
				created.Status != "Pending" || created.URL == "" {
				t.Fatalf("got %d %s", got.status, got.body)
			}
			for _, at := range []string{created.CreatedAt, created.UpdatedAt} {
				if _, err := time.Parse(time.RFC3339, at); err != nil || !strings.HasSuffix(at, "Z") {
					t.Errorf("a time is %q", at)
				}
			}
			var names []string
			for name, step := range created.Steps {
				if names = append(names, name); step.Result != "Pending" || step.Retry == nil || !*step.Retry {
					t.Errorf("%s is %+v", name, step)
				}
			}
			slices.Sort(names)
			if !slices.Equal(names, steps) {
				t.Errorf("the steps are %v", names)
			}
			if again := s.post(identificationsURL(customer), key, `{ "type" : "Direct" }`); again.status != 201 ||
				again.body != got.body || again.header.Get("Idempotency-Replayed") != "true" {
				t.Errorf("again: %d %s", again.status, again.body)
			}
			for name, test := range map[string]struct {
				key, path, body string
				status          int
				want            string
			}{
				"AnotherBody": {key, "/v2", `{"type":"Link"}`, 409, `"idempotency key reused with a different request"`},
				"Pending":     {uuid.NewString(), "", `{"type":"Direct"}`, 409, `"customer has a pending identification"`},
				"PendingV2":   {uuid.NewString(), "/v2", `{"type":"Link"}`, 409, `"customer has a pending identification"`},
				"NoKey":       {"", "", `{"type":"Direct"}`, 400, `"missing IDEMPOTENCY-KEY"`},
				"KeyIsNoUUID": {"k1", "", `{"type":"Direct"}`, 400, `"IDEMPOTENCY-KEY must be a UUID"`},
				"UnknownType": {uuid.NewString(), "", `{"type":"Any"}`, 409, `"customer has a pending identification"`},
				"UnknownTypeV2": {
					uuid.NewString(), "/v2", `{"type":"Direct"}`, 400,
					`"invalid request: /type: must be Link, Token, Person or Business"`,
				},
				"MissingFields": {
					uuid.NewString(), "/v2", `{"type":"Token","token":"t"}`, 400, `"invalid request: /intended_use: is required"`,
				},
			} {
				if got := s.post(identificationsURL(customer)+test.path, test.key, test.body); got.status != test.status ||
					got.body != test.want {
					t.Errorf("%s: %d %s", name, got.status, got.body)
				}
			}
			got = s.do("POST", identificationsURL(customer), http.Header{"No-Key": {""}}, `{"type":"Direct"}`)
			if got.status != 401 || got.body != "authorization error" ||
				got.header.Get("Content-Type") != "text/plain; charset=utf-8" {
				t.Errorf("without a key: %d %s %s", got.status, got.header.Get("Content-Type"), got.body)
			}
			s.decide(created.ID, true)
			got = s.do("GET", "/iron/identifications/"+strings.ToUpper(created.ID), nil, "")
			var read identified
			MustDecode(t, got.body, &read)
			if got.status != 200 || read.Status != "Approved" || read.URL != "" {
				t.Errorf("decided: %d %s", got.status, got.body)
			}
			if again := s.post(identificationsURL(customer), key, `{"type":"Direct"}`); again.status != 201 ||
				!strings.Contains(again.body, `"Pending"`) {
				t.Errorf("the first answer is replayed: %d %s", again.status, again.body)
			}
			if all := s.identifications(customer); len(all) != 1 || all[0].ID != created.ID {
				t.Errorf("listed: %+v", all)
			}
			if n := s.ironEffects("create-identification"); n != 1 {
				t.Errorf("%d identifications", n)
			}
			got = s.do("GET", ironCustomersURL+"/"+customer, nil, "")
			if got.status != 200 || !strings.Contains(got.body, `"status":"Active"`) {
				t.Errorf("the customer: %d %s", got.status, got.body)
			}
		})
	}
}

// TestIronErrors: every documented status through the gateway, as literal bytes.
func TestIronErrors(t *testing.T) {
	t.Parallel()
	s := MustRun(t)
	customer := s.createIronCustomer("Person", "noor@example.com")
	const nobody = "00000000-0000-4000-8000-000000000000"
	var subPartners struct{ ID string }
	MustDecode(
		t,
		s.ironDo(
			"POST", ironCustomersURL, uuid.NewString(), ironCustomer("Person", "sub@example.com"),
			http.Header{"X-Sub-Partner-Id": {uuid.NewString()}},
		).body,
		&subPartners,
	)
	fault := func(got reply, status int) {
		t.Helper()
		var out struct {
			Message string `json:"message"`
			TraceID string `json:"trace_id"`
		}
		MustDecode(t, got.body, &out)
		if got.status != status || out.Message == "" || out.TraceID == "" {
			t.Errorf("got %d %s, want %d with message and trace_id", got.status, got.body, status)
		}
	}
	for name, test := range map[string]struct {
		method, path, body string
		header             http.Header
		status             int
		want               string
	}{
		"NoCustomer":       {"GET", ironCustomersURL + "/" + nobody, "", nil, 404, `"customer not found"`},
		"NoCustomersList":  {"GET", identificationsURL(nobody), "", nil, 404, `"customer not found"`},
		"NoCustomersOwn":   {"POST", identificationsURL(nobody), `{"type":"Direct"}`, nil, 404, `"customer not found"`},
		"NoIdentification": {"GET", "/iron/identifications/" + nobody, "", nil, 404, `"identification not found"`},
		"NoUUID":           {"GET", ironCustomersURL + "/17", "", nil, 400, `"invalid request: customerId: must be a UUID"`},
		"SubPartner": {
			"GET", ironCustomersURL + "/" + customer, "", http.Header{"X-Sub-Partner-Id": {"17"}}, 400,
			`"invalid request: X-SUB-PARTNER-ID: must be a UUID"`,
		},
		"Version": {
			"GET", ironCustomersURL + "/" + customer, "", http.Header{"X-Api-Version": {"2024-01-01"}}, 400,
			`"X-API-Version is not supported"`, // the partner's words
		},
		"OtherSubPartner": {
			"GET", ironCustomersURL + "/" + subPartners.ID, "", http.Header{"X-Sub-Partner-Id": {nobody}}, 404,
			`"customer not found"`,
		},
		"NoEmail": {
			"POST", ironCustomersURL, `{"customer_type":"Person"}`, nil, 400, `"invalid request: /email: is required"`,
		},
		"NoObject": {"POST", ironCustomersURL, `[]`, nil, 400, `"invalid request: must be an object"`},
		"Listing": {
			"GET", identificationsURL(customer) + "?page_size=1000", "", nil, 400,
			`"page_size is not a number from 1 to 100"`,
		},
	} {
		if got := s.ironDo(test.method, test.path, uuid.NewString(), test.body, test.header); got.status != test.status ||
			got.body != test.want || got.header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	if got := s.ironDo(
		"GET", ironCustomersURL+"/"+customer, "", "", http.Header{"X-Api-Version": {"2026-07-01"}},
	); got.status != 200 {
		t.Errorf("a known version: %d %s", got.status, got.body)
	}
	s.setIron("outsourcing_agreement", "no")
	if got := s.post(identificationsURL(customer), uuid.NewString(), outsourcedPerson("AAAA")); got.status != 403 ||
		!strings.HasPrefix(got.body, `"`) {
		t.Errorf("no agreement: %d %s", got.status, got.body)
	}
	limited := s.createIronCustomer("Person", "throttle@example.com")
	if got := s.post(identificationsURL(limited)+"/v2", uuid.NewString(), `{"type":"Link"}`); got.status != 429 ||
		!strings.HasPrefix(got.body, `"`) || got.condition() != "throttled" {
		t.Errorf("limited: %d %s", got.status, got.body)
	}
	broken := s.createIronCustomer("Person", "broken@example.com")
	fault(s.post(identificationsURL(broken)+"/v2", uuid.NewString(), `{"type":"Link"}`), 500)
	s.arm("iron", "get-customer", "malformed")
	fault(s.do("GET", ironCustomersURL+"/"+customer, nil, ""), 503)
}

// outsourcedPerson is a v1 body that carries everything itself (iron §4); image is base64.
func outsourcedPerson(image string) string {
	return `{"type":"OutsourcedPerson","first_name":"Noor","last_name":"Example","full_name":"Noor Example","date_of_birth":"1991-02-03",
 "address":{"address_street_1":"1 First Street","address_street_2":"","address_city":"Sampletown","address_state":"","address_zip_code":"10115","address_country":"DE"},
 "email_address":"noor@example.com","phone_number":"+4930123456","sharing_consent":true,"consent_collected_at":"2026-03-01T10:00:00Z",
 "identity":{"identity_country_code":"DE","identity_number":"X4409127","identity_document_type":"Passport","identity_document_front":` + quoted(image) + `,
  "identity_document_back":"AAAA","selfie":"AAAA","selfie_collected_at":"2026-03-01T10:00:00Z","ip_address":"192.0.2.17"}}`
}

// quoted is a JSON string of what isn't JSON itself.
func quoted(text string) string {
	if strings.HasPrefix(text, "{") {
		return text
	}
	return `"` + text + `"`
}

// TestIronFilesMatrix: what fits into a Lambda goes inline, more gets the partner's error; a journey takes more by
// reference.
func TestIronFilesMatrix(t *testing.T) {
	t.Parallel()
	s := MustRun(t)
	image := func(size int) string {
		return base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{0xff, 0xd8, 0}, size/3))
	}
	customer := s.createIronCustomer("Person", "noor@example.com")
	if got := s.post(identificationsURL(customer), uuid.NewString(), outsourcedPerson(image(3<<20))); got.status != 201 ||
		!strings.Contains(got.body, `"Processed"`) {
		t.Errorf("inline: %d %s", got.status, got.body)
	}
	if got := s.post(identificationsURL(customer), uuid.NewString(), outsourcedPerson(image(5<<20))); got.status != 413 ||
		got.body != `"the request is too large"` {
		t.Errorf("too large: %d %s", got.status, got.body)
	}
	var created struct {
		ID     string `json:"document_id"`
		Upload struct {
			Method, URL string
			Headers     map[string]string
		}
	}
	file := bytes.Repeat([]byte{0xff, 0xd8, 0}, 5<<20/3)
	MustDecode(t, s.do("POST", fmt.Sprintf("/documents?upload=%d", len(file)), nil, "").body, &created)
	header := http.Header{"No-Key": {""}}
	for name, value := range created.Upload.Headers {
		header.Set(name, value)
	}
	if got, err := send("", created.Upload.Method, created.Upload.URL, header, string(file)); err != nil ||
		got.status != 200 {
		t.Fatalf("upload: %v %d %s", err, got.status, got.body)
	}
	id := s.startIdentification(
		uuid.NewString(),
		`{"customer":`+ironCustomer(
			"Person", "approve@example.com",
		)+`,"identification":`+outsourcedPerson(`{"document_id":"`+created.ID+`"}`)+`}`,
	)
	if view := s.follow(id, ended); view.Status != "SUCCEEDED" {
		t.Fatalf("got %s (%s) %+v", view.Status, view.Reason, view.Steps)
	}
	execution, err := s.Execution(id)
	text, _ := json.Marshal(execution)
	for _, secret := range []string{"Noor", "approve@", "X4409127", "/9gA", "192.0.2.17"} {
		if err != nil || bytes.Contains(text, []byte(secret)) || strings.Contains(s.logs.String(), secret) {
			t.Errorf("%s is in the state machine or in the log, %v", secret, err)
		}
	}
	s.wantNothingLeft()
}

// TestIronTenants: another tenant's records are not there.
func TestIronTenants(t *testing.T) {
	t.Parallel()
	s := MustRun(t)
	s.addCaller("other-key", "other", "*")
	customer := s.createIronCustomer("Person", "noor@example.com")
	var created identified
	MustDecode(t, s.post(identificationsURL(customer), uuid.NewString(), `{"type":"Direct"}`).body, &created)
	for path, want := range map[string]string{
		"GET " + ironCustomersURL + "/" + customer: `"customer not found"`,
		"GET " + identificationsURL(customer):      `"customer not found"`,
		"POST " + identificationsURL(customer):     `"customer not found"`,
		"GET /iron/identifications/" + created.ID:  `"identification not found"`,
	} {
		method, path, _ := strings.Cut(path, " ")
		body := map[string]string{"POST": `{"type":"Direct"}`}[method]
		if got := s.ironDo(
			method, path, uuid.NewString(), body, http.Header{"X-Api-Key": {"other-key"}},
		); got.status != 404 || got.body != want {
			t.Errorf("%s %s: %d %s", method, path, got.status, got.body)
		}
	}
}

// TestIronKeysForgotten: a day later the partner has forgotten the key, and the list settles a lost answer.
func TestIronKeysForgotten(t *testing.T) {
	t.Parallel()
	var late atomic.Int64
	s := MustRun(t, func(m *main.Main) {
		m.TimeScale = 1
		m.Now = func() time.Time { return time.Now().Add(time.Duration(late.Load())) }
		m.UpstreamTimeout = 2 * time.Second
	})
	s.setting("iron", "normalises", "yes")
	customer := s.createIronCustomer("Person", "noor@example.com")
	for name, test := range map[string]struct {
		path, body, operation, fault string
		sent                         int
	}{
		"Identification": {
			identificationsURL(customer), `{"type":"Direct"}`, "create-identification", "reset_after_effect", 1,
		},
		"IdentificationNotMade": {
			identificationsURL(s.createIronCustomer("Person", "b@example.com")) + "/v2", `{"type":"Link"}`,
			"create-identification", "reset_before_effect", 2,
		},
		"Customer": {
			ironCustomersURL, ironCustomer("Person", "c@example.com"), "create-customer", "reset_after_effect", 1,
		},
		"CustomerSpelled": {
			ironCustomersURL, strings.Replace(ironCustomer("Person", "G@Example.com"), "Noor Ex", " noor  ex", 1),
			"create-customer", "timeout_after_effect", 1,
		},
		"CustomerWithExternalID": {
			ironCustomersURL, ironCustomer("Person", "d@example.com", `,"external_id":"order 17/a"`), "create-customer",
			"status_500_after_effect", 1,
		},
		"CustomerNotMade": {
			ironCustomersURL, ironCustomer("Person", "e@example.com"), "create-customer", "reset_before_effect", 2,
		},
		"CustomerNotMadeExternal": {
			ironCustomersURL, ironCustomer("Person", "f@example.com", `,"external_id":"order-18"`), "create-customer",
			"reset_before_effect", 2,
		},
	} {
		t.Run(name, func(t *testing.T) {
			late.Store(0)
			sent, effects := s.reached("iron/" + test.operation)
			s.arm("iron", test.operation, test.fault)
			key := uuid.NewString()
			if got := s.post(test.path, key, test.body); got.condition() != "outcome_unknown" ||
				got.header.Get("Retry-After") == "" {
				t.Fatalf("got %d %q %s", got.status, got.condition(), got.body)
			}
			late.Store(int64(24 * time.Hour))
			got := s.post(test.path, key, test.body)
			n, did := s.reached("iron/" + test.operation)
			if got.status != 201 || n-sent != test.sent || did-effects != 1 {
				t.Errorf("got %d %q %s, sent %d times with %d effects", got.status, got.condition(), got.body, n-sent, did-effects)
			}
			if again := s.post(test.path, key, test.body); again.body != got.body ||
				again.header.Get("Idempotency-Replayed") != "true" {
				t.Errorf("again: %d %s", again.status, again.body)
			}
		})
	}
	t.Run("CustomerInOtherWords", func(t *testing.T) { // it may be the one that there is, and may be another
		late.Store(0)
		s.arm("iron", "create-customer", "reset_after_effect")
		key, body := uuid.NewString(), ironCustomer("Person", "h+1@example.com")
		sent, effects := s.reached("iron/create-customer")
		s.post(ironCustomersURL, key, body)
		late.Store(int64(24 * time.Hour))
		for range 3 {
			if got := s.post(ironCustomersURL, key, body); got.condition() != "outcome_unknown" {
				t.Errorf("got %d %s", got.status, got.body)
			}
		}
		if n, did := s.reached("iron/create-customer"); n-sent != 1 || did-effects != 1 {
			t.Errorf("sent %d times with %d effects", n-sent, did-effects)
		}
	})
}

func (s *stack) startIdentification(key, body string) string {
	s.t.Helper()
	got := s.post("/journeys/customer-identification", key, body)
	var out journeyView
	MustDecode(s.t, got.body, &out)
	if got.status != 202 {
		s.t.Fatalf("start: %d %s", got.status, got.body)
	}
	return out.ID
}

// identification is what a journey waits for.
func (s *stack) identificationOf(journey string) (out struct {
	Status   string
	Reason   string
	Outcome  map[string]any
	Awaiting struct {
		Kind, URL, ID    string
		CustomerID       string `json:"customer_id"`
		IdentificationID string `json:"identification_id"`
	}
}) {
	s.t.Helper()
	MustDecode(s.t, s.do("GET", "/journeys/"+journey, nil, "").body, &out)
	return out
}

func linkFor(email string, more ...string) string {
	return `{"customer":` + ironCustomer("Person", email, more...) + `,"identification":{"type":"Link"}}`
}

// TestIdentificationJourney: the customer finishes the hosted page, the reviewers decide.
func TestIdentificationJourney(t *testing.T) {
	t.Parallel()
	s := MustRun(t, func(m *main.Main) { m.TimeScale = 1 }) // only webhooks end the waits
	id := s.startIdentification("k", linkFor("noor@example.com"))
	s.follow(id, waiting)
	waits := s.identificationOf(id)
	if a := waits.Awaiting; waits.Reason != "pending" || a.Kind != "identification" ||
		uuid.Validate(a.CustomerID) != nil || uuid.Validate(a.IdentificationID) != nil ||
		!strings.Contains(a.URL, "/hosted/") {
		t.Fatalf("waits for %+v", waits)
	}
	page, err := send("", "GET", waits.Awaiting.URL, http.Header{"No-Key": {""}}, "")
	if err != nil || page.status != 200 || !strings.HasPrefix(page.header.Get("Content-Type"), "text/html") {
		t.Fatalf("the page: %v %d %s", err, page.status, page.body)
	}
	form := http.Header{"No-Key": {""}, "Content-Type": {"application/x-www-form-urlencoded"}}
	done, err := send(
		"", "POST", waits.Awaiting.URL, form, "identity=done&selfie=done&proof_of_residence=done&questionnaire=done",
	)
	if err != nil || done.status != 200 || !strings.Contains(done.body, "Completed") {
		t.Fatalf("the page: %v %d %s", err, done.status, done.body)
	}
	s.follow(id, func(journeyView) bool { return s.identificationOf(id).Reason == "processed" })
	if now := s.identificationOf(id); now.Awaiting.URL != "" ||
		now.Awaiting.IdentificationID != waits.Awaiting.IdentificationID {
		t.Errorf("waits for %+v", now)
	}
	execution, err := s.Execution(id)
	if text, _ := json.Marshal(execution); err != nil || bytes.Contains(text, []byte("/hosted/")) ||
		strings.Contains(s.logs.String(), "/hosted/") {
		t.Errorf("the url is in the state machine or in the log, %v", err)
	}
	s.decide(waits.Awaiting.IdentificationID, true)
	view := s.follow(id, ended)
	if out := s.identificationOf(id).Outcome; view.Status != "SUCCEEDED" || view.Reason != "approved" ||
		out["status"] != "Approved" || out["customer_id"] != waits.Awaiting.CustomerID {
		t.Errorf("got %s (%s) %v", view.Status, view.Reason, out)
	}
	readme, err := os.ReadFile("../iron/README.md")
	if err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf(
		"With a new customer and two webhooks the happy path takes %d state transitions.", s.transitions(id),
	); !strings.Contains(string(readme), want) {
		t.Errorf("functions/iron/README.md doesn't say: %s", want)
	}
	t.Run("ApprovedBefore", func(t *testing.T) {
		id := s.startIdentification("k2", `{"customer_id":"`+waits.Awaiting.CustomerID+`","identification":{"type":"Link"}}`)
		if view := s.follow(id, ended); view.Status != "SUCCEEDED" || view.Reason != "approved" ||
			s.ironEffects("create-identification") != 1 {
			t.Errorf("got %s (%s), %d identifications", view.Status, view.Reason, s.ironEffects("create-identification"))
		}
	})
}

// TestIdentificationJourneyEnds: each final status, with webhooks and without.
func TestIdentificationJourneyEnds(t *testing.T) {
	t.Parallel()
	for email, want := range map[string]string{
		"approve": "SUCCEEDED approved", "decline": "REJECTED declined", "expire": "EXPIRED expired",
	} {
		for _, callbacks := range []string{"sent", "lost"} {
			t.Run(email+"/"+callbacks, func(t *testing.T) {
				t.Parallel()
				s := MustRun(t, func(m *main.Main) { m.TimeScale = 100 })
				s.setIron("callbacks", callbacks)
				id := s.startIdentification("k", linkFor(email+"@example.com"))
				if view := s.follow(id, ended); view.Status+" "+view.Reason != want || s.ironEffects("create-identification") != 1 {
					t.Errorf("got %s (%s) %+v", view.Status, view.Reason, view.Steps)
				}
			})
		}
	}
}

// TestIdentificationJourneyResubmitted: what the reviewers want again, the customer is asked for again.
func TestIdentificationJourneyResubmitted(t *testing.T) {
	t.Parallel()
	s := MustRun(t, func(m *main.Main) { m.TimeScale = 100 })
	id := s.startIdentification("k", linkFor("resubmit@example.com"))
	s.follow(id, waiting)
	first := s.identificationOf(id).Awaiting
	var now identified
	waitFor(t, func() bool {
		now = s.identifications(first.CustomerID)[0]
		return now.Status == "Pending" && now.Steps["identity"].Result == "Declined"
	})
	s.follow(id, func(journeyView) bool {
		waits := s.identificationOf(id)
		return waits.Reason == "pending" && waits.Awaiting.ID != first.ID && waits.Awaiting.URL != ""
	})
	got, err := send(
		"", "POST", s.identificationOf(id).Awaiting.URL,
		http.Header{"No-Key": {""}, "Content-Type": {"application/x-www-form-urlencoded"}}, "identity=done",
	)
	// The page is read after the form was taken, and may show that it has ended meanwhile.
	if err != nil || got.status != 200 ||
		!strings.Contains(got.body, "Completed") && !strings.Contains(got.body, "has ended") {
		t.Fatalf("the page: %v %d %s", err, got.status, got.body)
	}
	if view := s.follow(id, ended); view.Status != "SUCCEEDED" || s.ironEffects("create-identification") != 1 {
		t.Errorf("got %s (%s) %+v", view.Status, view.Reason, view.Steps)
	}
}

// TestIdentificationJourneyOfOthers: what is there already is not created a second time.
func TestIdentificationJourneyOfOthers(t *testing.T) {
	t.Parallel()
	t.Run("PendingIsFollowed", func(t *testing.T) {
		t.Parallel()
		s := MustRun(t)
		customer := s.createIronCustomer("Person", "noor@example.com", `,"external_id":"order-17"`)
		var created identified
		MustDecode(t, s.post(identificationsURL(customer), uuid.NewString(), `{"type":"Direct"}`).body, &created)
		for i, body := range []string{
			`{"customer_id":"` + customer + `","identification":{"type":"Link"}}`,
			linkFor("noor@example.com", `,"external_id":"order-17"`),
		} {
			id := s.startIdentification(fmt.Sprint(i), body)
			s.follow(id, waiting)
			if a := s.identificationOf(id).Awaiting; a.IdentificationID != created.ID || a.CustomerID != customer ||
				a.URL != created.URL {
				t.Errorf("waits for %+v", a)
			}
		}
		s.decide(created.ID, false)
		for i := range 2 {
			id := s.startIdentification(
				fmt.Sprint(i),
				[]string{
					`{"customer_id":"` + customer + `","identification":{"type":"Link"}}`,
					linkFor("noor@example.com", `,"external_id":"order-17"`),
				}[i],
			)
			if view := s.follow(id, ended); view.Status != "REJECTED" {
				t.Errorf("got %s (%s)", view.Status, view.Reason)
			}
		}
		if s.ironEffects("create-customer") != 1 || s.ironEffects("create-identification") != 1 {
			t.Errorf(
				"%d customers, %d identifications", s.ironEffects("create-customer"), s.ironEffects("create-identification"),
			)
		}
		// declined before: another one
		id := s.startIdentification("after", linkFor("noor@example.com", `,"external_id":"order-17"`))
		s.follow(id, waiting)
		if s.ironEffects("create-identification") != 2 {
			t.Errorf("%d identifications", s.ironEffects("create-identification"))
		}
	})
	t.Run("SubPartner", func(t *testing.T) {
		t.Parallel()
		s := MustRun(t)
		const sub = "7a1c1f5e-2f7b-4f0c-9d55-0b8a6a4e1d21"
		id := s.startIdentification("k", strings.Replace(linkFor("noor@example.com"), `{`, `{"sub_partner_id":"`+sub+`",`, 1))
		s.follow(id, waiting)
		path := "/iron/identifications/" + s.identificationOf(id).Awaiting.IdentificationID
		if got := s.ironDo("GET", path, "", "", http.Header{"X-Sub-Partner-Id": {sub}}); got.status != 200 {
			t.Errorf("its own: %d %s", got.status, got.body)
		}
		if got := s.ironDo(
			"GET", path, "", "", http.Header{"X-Sub-Partner-Id": {strings.Replace(sub, "7", "8", 1)}},
		); got.status != 404 {
			t.Errorf("another: %d %s", got.status, got.body)
		}
	})
}

// TestIdentificationJourneyLostMatrix: a lost answer to a creation is settled, whatever was lost, and nothing is
// created twice.
func TestIdentificationJourneyLostMatrix(t *testing.T) {
	t.Parallel()
	for _, operation := range []string{"create-customer", "create-identification"} {
		for _, fault := range []string{
			"reset_after_effect", "reset_before_effect", "status_500_after_effect", "status_503_before_effect", "malformed",
			"truncated", "late_effect",
		} {
			t.Run(operation+"/"+fault, func(t *testing.T) {
				t.Parallel()
				s := MustRun(t, func(m *main.Main) { m.TimeScale, m.UpstreamTimeout = 100, untilHeld(fault) })
				s.arm("iron", operation, fault)
				id := s.startIdentification("k", linkFor("approve@example.com"))
				view := s.follow(id, ended)
				if view.Status != "SUCCEEDED" || s.ironEffects("create-customer") != 1 ||
					s.ironEffects("create-identification") != 1 {
					t.Errorf(
						"got %s (%s), %d customers, %d identifications, %+v", view.Status, view.Reason, s.ironEffects("create-customer"),
						s.ironEffects("create-identification"), view.Steps,
					)
				}
			})
		}
	}
}

// TestIdentificationWebhooks: duplicated, forged and late ones change nothing.
func TestIdentificationWebhooks(t *testing.T) {
	t.Parallel()
	for _, fault := range []string{"duplicate_callback", "forged_callback", "late_callback"} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			s := MustRun(t, func(m *main.Main) { m.TimeScale = 100 })
			id := s.startIdentification("k", linkFor("noor@example.com"))
			s.follow(id, waiting)
			identification := s.identificationOf(id).Awaiting.IdentificationID
			s.arm("iron", "callback", fault)
			s.decide(identification, true)
			if view := s.follow(id, ended); view.Status != "SUCCEEDED" || s.ironEffects("create-identification") != 1 {
				t.Errorf("got %s (%s) %+v", view.Status, view.Reason, view.Steps)
			}
			if fault == "forged_callback" {
				waitFor(t, func() bool {
					for _, r := range s.arrivals("iron/callback") {
						if r.Status == http.StatusUnauthorized {
							return true
						}
					}
					return false
				})
			}
		})
	}
}
