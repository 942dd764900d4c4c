package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	main "sallyport/functions/local"
	"sallyport/functions/sandbox"
)

const clientsURL = "/mbanq/v1/clients"

// clientOf is what a client is created of (mbanq §3); each change replaces a text in it.
func clientOf(externalID, mobile string, changes ...string) string {
	body := `{"officeId":1,"legalFormId":1,"firstname":"Noor","lastname":"Example","dateOfBirth":"1991-07-03","genderId":22,"emailAddress":"noor@example.com","mobileCountryCode":"1","mobileNo":"` + mobile + `","submittedOnDate":"2026-01-05","dateFormat":"yyyy-MM-dd","locale":"en","externalId":"` + externalID + `"}`
	return strings.NewReplacer(changes...).Replace(body)
}

const (
	addressFields = `"addressLine1":"1 First Street","city":"Sampletown","stateProvinceId":7,"countryId":3,"postalCode":"10001","isActive":true}`
	primary       = `{` + addressFields
	passport      = `{"documentTypeId":"41","documentKey":"X4409127","status":"Active","issuedDate":"2021-05-09","expiryDate":"2031-05-08","dateFormat":"yyyy-MM-dd","locale":"en"}`
	ssn           = `{"documentTypeId":"44","documentKey":"900700001","status":"Active"}`
)

func (s *stack) mbanqRequests(operation string) (all []sandbox.Request) {
	s.t.Helper()
	MustDecode(s.t, s.do("GET", "/sandbox/requests?partner=mbanq&operation="+operation, nil, "").body, &all)
	return all
}

func (s *stack) mbanqEffects(operation string) (n int) {
	for _, r := range s.mbanqRequests(operation) {
		if r.Effect {
			n++
		}
	}
	return n
}

func (s *stack) setMbanq(name, value string) {
	s.t.Helper()
	if got := s.do(
		"POST", "/sandbox/settings", nil, fmt.Sprintf(`{"partner":"mbanq","name":%q,"value":%q}`, name, value),
	); got.status != 200 {
		s.t.Fatalf("setting: %d %s", got.status, got.body)
	}
}

// createClient creates a client and returns its id.
func (s *stack) createClient(externalID, mobile string) string {
	s.t.Helper()
	got := s.post(clientsURL, "", clientOf(externalID, mobile))
	var out struct {
		ID int `json:"clientId"`
	}
	MustDecode(s.t, got.body, &out)
	if got.status != 200 || out.ID == 0 {
		s.t.Fatalf("create: %d %s", got.status, got.body)
	}
	return fmt.Sprint(out.ID)
}

func (s *stack) command(id, command, key, body string) reply {
	s.t.Helper()
	return s.post(clientsURL+"/"+id+"?command="+command, key, body)
}

// mbanqClient is a client as the partner shows it.
type mbanqClient struct {
	Status struct {
		ID int `json:"id"`
	} `json:"status"`
	SubStatus struct {
		Name string `json:"name"`
	} `json:"subStatus"`
	Verification string `json:"clientVerificationStatus"`
}

func (s *stack) client(id string) (c mbanqClient) {
	s.t.Helper()
	MustDecode(s.t, s.do("GET", clientsURL+"/"+id, nil, "").body, &c)
	return c
}

func codesIn(t *testing.T, body string) (codes []string) {
	t.Helper()
	var out struct {
		Errors []struct {
			Code string `json:"userMessageGlobalisationCode"`
		} `json:"errors"`
	}
	MustDecode(t, body, &out)
	for _, e := range out.Errors {
		codes = append(codes, e.Code)
	}
	return codes
}

const activation = `{"activationDate":"2026-03-04","dateFormat":"yyyy-MM-dd","locale":"en"}`

// TestMbanqSteps are the four steps of the contract, out of order and in order.
func TestMbanqSteps(t *testing.T) {
	t.Parallel()
	s := MustRun(t)
	id := s.createClient("ext-1", "5550101")
	if c := s.client(id); c.Status.ID != 100 || c.SubStatus.Name != "" {
		t.Fatalf("a new client is %+v", c)
	}
	refused := func(got reply, codes ...string) {
		t.Helper()
		if got.status != 403 || strings.Join(codesIn(t, got.body), " ") != strings.Join(codes, " ") ||
			!strings.Contains(got.body, `"httpStatusCode":"403"`) {
			t.Errorf("got %d %s, want %v", got.status, got.body, codes)
		}
		if c := s.client(id); c.Status.ID != 100 || c.SubStatus.Name != "" {
			t.Errorf("refused, and the client is %+v", c)
		}
	}
	refused(s.command(id, "activate", "", activation), "error.msg.client.activate.not.verified")
	refused(s.command(id, "verify", "", `{"kycVerificationType":"FULL"}`),
		"error.msg.client.verify.primary.address.required",
		"error.msg.client.verify.identifier.required", "error.msg.client.verify.tax.identifier.required",
		"error.msg.client.verify.physical.id.required")
	if got := s.post("/mbanq/v1/client/"+id+"/addresses?type=1", "", primary); got.status != 200 {
		t.Fatalf("address: %d %s", got.status, got.body)
	}
	if got := s.post(clientsURL+"/"+id+"/identifiers", "", passport); got.status != 200 {
		t.Fatalf("identifier: %d %s", got.status, got.body)
	}
	refused(
		s.command(id, "verify", "v1", `{"kycVerificationType":"FULL"}`), "error.msg.client.verify.tax.identifier.required",
	)
	if got := s.post(clientsURL+"/"+id+"/identifiers", "", ssn); got.status != 200 {
		t.Fatalf("identifier: %d %s", got.status, got.body)
	}
	want := `{"id":` + id + `,"clientId":` + id + `,"officeId":1,"resourceId":` + id + `,"data":{"clientVerificationStatus":"APPROVED","clientKycStatus":"APPROVED"}}`
	// a refused key may act again
	if got := s.command(id, "verify", "v1", `{"kycVerificationType":"FULL"}`); got.status != 200 || got.body != want {
		t.Errorf("got %d %s", got.status, got.body)
	}
	if c := s.client(id); c.Status.ID != 100 || c.SubStatus.Name != "Verified" {
		t.Errorf("the verified client is %+v", c)
	}
	if got := s.command(id, "activate", "a1", activation); got.status != 200 ||
		got.body != `{"id":`+id+`,"officeId":1,"clientId":`+id+`,"resourceId":`+id+`}` {
		t.Errorf("got %d %s", got.status, got.body)
	}
	if c := s.client(id); c.Status.ID != 300 {
		t.Errorf("the activated client is %+v", c)
	}
	if got := s.command(id, "activate", "a1", activation); got.status != 200 ||
		got.header.Get("Idempotency-Replayed") != "true" {
		t.Errorf("repeated: %d %s", got.status, got.body)
	}
	if got := s.command(id, "activate", "a2", activation); got.status != 403 ||
		codesIn(t, got.body)[0] != "error.msg.clients.already.active" {
		t.Errorf("again: %d %s", got.status, got.body)
	}
}

// TestMbanqPartial: PARTIAL does without a tax id, and may be raised to FULL.
func TestMbanqPartial(t *testing.T) {
	t.Parallel()
	s := MustRun(t)
	id := s.createClient("ext-1", "5550101")
	s.post("/mbanq/v1/client/"+id+"/addresses?type=1", "", primary)
	s.post(clientsURL+"/"+id+"/identifiers", "", passport)
	if got := s.command(id, "verify", "", `{"kycVerificationType":"PARTIAL"}`); got.status != 200 ||
		s.client(id).SubStatus.Name != "Verified" {
		t.Fatalf("got %d %s", got.status, got.body)
	}
	if got := s.command(id, "verify", "", `{"kycVerificationType":"FULL"}`); got.status != 403 ||
		codesIn(t, got.body)[0] != "error.msg.client.verify.tax.identifier.required" {
		t.Errorf("got %d %s", got.status, got.body)
	}
	s.post(clientsURL+"/"+id+"/identifiers", "", ssn)
	if got := s.command(id, "verify", "", `{"kycVerificationType":"FULL"}`); got.status != 200 {
		t.Errorf("got %d %s", got.status, got.body)
	}
	if got := s.command(id, "activate", "", activation); got.status != 200 || s.client(id).Status.ID != 300 {
		t.Errorf("got %d %s", got.status, got.body)
	}
}

// TestMbanqTenants: another tenant's client is not there.
func TestMbanqTenants(t *testing.T) {
	t.Parallel()
	s := MustRun(t)
	s.addCaller("other-key", "other", "*")
	other := http.Header{"X-Api-Key": {"other-key"}}
	id := s.createClient("ext-1", "5550101")
	for _, call := range [][3]string{
		{"GET", clientsURL + "/" + id, ""},
		{"POST", clientsURL + "/" + id + "?command=verify", `{"kycVerificationType":"FULL"}`},
		{"POST", clientsURL + "/" + id + "/identifiers", passport}, {"GET", clientsURL + "/" + id + "/identifiers", ""},
		{"POST", "/mbanq/v1/client/" + id + "/addresses?type=1", primary},
	} {
		got := s.do(call[0], call[1], other, call[2])
		if got.status != 404 || codesIn(t, got.body)[0] != "error.msg.client.id.invalid" || got.condition() != "not_found" {
			t.Errorf("%s %s: %d %s", call[0], call[1], got.status, got.body)
		}
	}
	if got := s.do("GET", clientsURL+"/"+id, http.Header{"Tenantid": {"somebody-else"}}, ""); got.status != 401 ||
		!strings.Contains(got.body, "error.msg.invalid.tenant.identifier") || got.condition() != "invalid_request" {
		t.Errorf("another of the partner's tenants: %d %s", got.status, got.body)
	}
}

// TestMbanqLost: what became of a lost command, the client tells; it is sent again only where nothing shows it.
func TestMbanqLost(t *testing.T) {
	t.Parallel()
	s := MustRun(t, func(m *main.Main) { m.UpstreamTimeout = 3 * time.Second })
	ready := func(name, mobile string) string {
		id := s.createClient(name, mobile)
		s.post("/mbanq/v1/client/"+id+"/addresses?type=1", "", primary)
		for _, identifier := range []string{passport, ssn} {
			key := strings.NewReplacer("X4409127", "X"+mobile, "900700001", "90"+mobile).Replace(identifier)
			if got := s.post(clientsURL+"/"+id+"/identifiers", "", key); got.status != 200 {
				t.Fatalf("identifier: %d %s", got.status, got.body)
			}
		}
		return id
	}
	for i, fault := range []string{"reset_after_effect", "reset_before_effect", "status_500_after_effect", "late_effect"} {
		t.Run(fault, func(t *testing.T) {
			id := ready("lost-"+fault, fmt.Sprintf("55502%02d", i))
			for _, c := range [][2]string{{"verify", `{"kycVerificationType":"PARTIAL"}`}, {"activate", activation}} {
				before := s.mbanqEffects("client-command")
				s.arm("mbanq", "client-command", fault)
				got := s.untilKnown("mbanq/client-command", fault, func() reply {
					return s.command(id, c[0], fault+c[0], c[1])
				})
				if got.status != 200 || s.mbanqEffects("client-command")-before != 1 {
					t.Errorf("%s: %d %s after %d effects", c[0], got.status, got.body, s.mbanqEffects("client-command")-before)
				}
			}
		})
	}
	t.Run("create", func(t *testing.T) {
		for i, fault := range []string{"reset_after_effect", "reset_before_effect"} {
			before := s.mbanqEffects("create-client")
			s.arm("mbanq", "create-client", fault)
			got := s.untilKnown("mbanq/create-client", fault, func() reply {
				return s.post(clientsURL, fault, clientOf("created-"+fault, fmt.Sprintf("55503%02d", i)))
			})
			if got.status != 200 || s.mbanqEffects("create-client")-before != 1 {
				t.Errorf("%s: %d %s after %d effects", fault, got.status, got.body, s.mbanqEffects("create-client")-before)
			}
		}
	})
	t.Run("additions", func(t *testing.T) {
		id := s.createClient("adds", "5550400")
		for operation, call := range map[string][2]string{
			"add-address":    {"/mbanq/v1/client/" + id + "/addresses?type=1", primary},
			"add-identifier": {clientsURL + "/" + id + "/identifiers", passport},
		} {
			for _, fault := range []string{"reset_after_effect"} {
				before := s.mbanqEffects(operation)
				s.arm("mbanq", operation, fault)
				got := s.untilKnown("mbanq/"+operation, fault, func() reply {
					return s.post(call[0], operation+fault, call[1])
				})
				if got.status != 200 || s.mbanqEffects(operation)-before != 1 {
					t.Errorf(
						"%s, %s: %d %s after %d effects", operation, fault, got.status, got.body, s.mbanqEffects(operation)-before,
					)
				}
			}
		}
	})
}

// TestMbanqDocument: the scan goes on as it came, and lies nowhere.
func TestMbanqDocument(t *testing.T) {
	t.Parallel()
	s := MustRun(t)
	id := s.createClient("ext-1", "5550101")
	var identifier struct {
		ID int `json:"resourceId"`
	}
	MustDecode(t, s.post(clientsURL+"/"+id+"/identifiers", "", passport).body, &identifier)
	upload := func(contentType string, file []byte, fields map[string]string) reply {
		var body bytes.Buffer
		w := multipart.NewWriter(&body)
		for name, value := range fields {
			_ = w.WriteField(name, value)
		}
		part, _ := w.CreatePart(
			map[string][]string{
				"Content-Disposition": {`form-data; name="file"; filename="scan"`}, "Content-Type": {contentType},
			},
		)
		_, _ = part.Write(file)
		_ = w.Close()
		return s.do(
			"POST", fmt.Sprintf("/mbanq/v1/client_identifiers/%d/documents", identifier.ID),
			http.Header{"Content-Type": {w.FormDataContentType()}, "Idempotency-Key": {"k" + contentType}}, body.String(),
		)
	}
	scan := append([]byte("\xff\xd8\x00scan-of-a-passport"), bytes.Repeat([]byte{7}, 2<<20)...)
	if got := upload("image/jpeg", scan, map[string]string{"name": "passport"}); got.status != 200 ||
		!json.Valid([]byte(got.body)) {
		t.Errorf("got %d %s", got.status, got.body)
	}
	if got := upload("text/html", scan, map[string]string{"name": "passport"}); got.status != 400 {
		t.Errorf("got %d %s", got.status, got.body)
	}
	if got := upload("image/png", scan, map[string]string{"name": "my passport"}); got.status != 400 {
		t.Errorf("got %d %s", got.status, got.body)
	}
	if strings.Contains(s.logs.String(), "scan-of") {
		t.Error("the scan is in the log")
	}
	if n, err := s.Vault.Count(); err != nil || n != 0 {
		t.Errorf("%d blobs lie in the vault, %v", n, err)
	}
}

// clientJourney is the start of a client-onboarding.
func clientJourney(externalID, mobile, kind string, addresses, identifiers string) string {
	return fmt.Sprintf(`{"client":%s,"addresses":[%s],"identifiers":[%s],"kyc_verification_type":%q,"activation_date":"2026-03-04"}`,
		clientOf(externalID, mobile), addresses, identifiers, kind)
}

const home = `{"addressTypeId":1,` + addressFields

func (s *stack) startClient(key, body string) string {
	s.t.Helper()
	got := s.post("/journeys/client-onboarding", key, body)
	var out journeyView
	MustDecode(s.t, got.body, &out)
	if got.status != 202 {
		s.t.Fatalf("start: %d %s", got.status, got.body)
	}
	return out.ID
}

func TestClientJourney(t *testing.T) {
	t.Parallel()
	s := MustRun(t)
	scanned := strings.TrimSuffix(passport, "}") + `,"document":{"name":"passport","content_type":"image/jpeg","file":"/9j/"}}`
	body := clientJourney("j-1", "5550101", "FULL", home, scanned+","+ssn)
	id := s.startClient("k", body)
	view := s.follow(id, ended)
	if view.Status != "SUCCEEDED" || view.Reason != "active" ||
		!strings.Contains(string(view.Outcome), `"status":300,"sub_status":"Verified"`) {
		t.Fatalf("got %s (%s) %s %+v", view.Status, view.Reason, view.Outcome, view.Steps)
	}
	for operation, want := range map[string]int{
		"create-client": 1, "add-address": 1, "add-identifier": 2, "attach-document": 1, "client-command": 2,
	} {
		if n := s.mbanqEffects(operation); n != want {
			t.Errorf("%d effects of %s", n, operation)
		}
	}
	if view := s.follow(s.startClient("k2", body), ended); view.Status != "SUCCEEDED" ||
		s.mbanqEffects("create-client") != 1 {
		t.Errorf("once more: %s (%s)", view.Status, view.Reason)
	}
	for _, secret := range []string{"Noor", "5550101", "X4409127", "900700001", "noor@"} {
		execution, err := s.Execution(id)
		text, _ := json.Marshal(execution)
		if err != nil || bytes.Contains(text, []byte(secret)) || strings.Contains(s.logs.String(), secret) {
			t.Errorf("%s is in the state machine or in the log, %v", secret, err)
		}
	}
	s.wantNothingLeft()
}

// TestClientJourneyTransitions compares what the document says with a happy path.
func TestClientJourneyTransitions(t *testing.T) {
	t.Parallel()
	s := MustRun(t)
	id := s.startClient("k", clientJourney("j-1", "5550101", "PARTIAL", home, passport))
	if view := s.follow(id, ended); view.Status != "SUCCEEDED" {
		t.Fatalf("got %s (%s)", view.Status, view.Reason)
	}
	readme, err := os.ReadFile("../mbanq/README.md")
	if err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf(
		"takes %d state transitions.\n\n<!-- diagram of client-onboarding", s.transitions(id),
	); !strings.Contains(string(readme), want) {
		t.Errorf("functions/mbanq/README.md doesn't say: %s", want)
	}
}

// TestClientJourneyMissing: a refused verification leaves the journey waiting for what is missing, named.
func TestClientJourneyMissing(t *testing.T) {
	t.Parallel()
	s := MustRun(t)
	id := s.startClient("k", clientJourney("j-1", "5550101", "FULL", "", passport))
	s.follow(id, waiting)
	awaiting := func() (out struct {
		Status   string
		Reason   string
		Awaiting struct{ Kind, Missing string }
	}) {
		t.Helper()
		MustDecode(t, s.do("GET", "/journeys/"+id, nil, "").body, &out)
		return out
	}
	if got := awaiting(); got.Reason != "documents_missing" || got.Awaiting.Kind != "documents" ||
		got.Awaiting.Missing != "primary_address,tax_identifier" {
		t.Fatalf("got %+v", got)
	}
	if got := s.input(id, `{"kind":"documents","addresses":[`+home+`]}`); got.status != 202 {
		t.Fatalf("input: %d %s", got.status, got.body)
	}
	s.follow(id, func(journeyView) bool { return awaiting().Awaiting.Missing == "tax_identifier" })
	if got := s.input(id, `{"kind":"documents","identifiers":[{"documentTypeId":"44"}]}`); got.status != 400 ||
		!strings.Contains(got.body, "/identifiers/0/documentKey") {
		t.Errorf("input: %d %s", got.status, got.body)
	}
	if got := s.input(id, `{"kind":"documents","identifiers":[`+ssn+`]}`); got.status != 202 {
		t.Fatalf("input: %d %s", got.status, got.body)
	}
	if view := s.follow(id, ended); view.Status != "SUCCEEDED" {
		t.Errorf("got %s (%s) %+v", view.Status, view.Reason, view.Steps)
	}
	if n := s.mbanqEffects("create-client"); n != 1 {
		t.Errorf("%d clients", n)
	}
}

// TestClientJourneyAsync: a verification that takes its time is followed until it settles.
func TestClientJourneyAsync(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ callbacks, identifiers, status, reason string }{
		"Approved": {"sent", passport + "," + ssn, "SUCCEEDED", "active"},
		"Lost":     {"lost", passport + "," + ssn, "SUCCEEDED", "active"},
		"Rejected": {"sent", passport, "REJECTED", "verification_rejected"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := MustRun(t, func(m *main.Main) { m.TimeScale = 400 })
			s.setMbanq("verify", "async")
			s.setMbanq("callbacks", test.callbacks)
			view := s.follow(s.startClient("k", clientJourney("j-1", "5550101", "FULL", home, test.identifiers)), ended)
			if view.Status != test.status || view.Reason != test.reason {
				t.Errorf("got %s (%s) %+v", view.Status, view.Reason, view.Steps)
			}
		})
	}
}
