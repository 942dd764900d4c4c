package mbanq_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"sallyport/functions/sandbox"
	"sallyport/functions/sandbox/mbanq"
	"sallyport/functions/sandbox/sandboxtest"
)

const (
	base        = "/sandbox/mbanq"
	tokens      = base + "/oauth/token"
	firstClient = "/v1/clients/8801" // the first one
)

// tokenForm returns the body of a token request with these fields on top of the right credentials; an empty value takes
// a field away.
func tokenForm(fields ...string) string {
	d := mbanq.Defaults()
	values := url.Values{
		"grant_type": {"password"}, "client_id": {d.ClientID}, "client_secret": {d.ClientSecret},
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
	r := sandboxtest.Request("POST", tokens, body)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("tenantId", "sandbox-tenant")
	return r
}

// issued is what row 1 answers.
type issued struct {
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
	Expires int    `json:"expires_in"`
}

func (h *harness) issue(body string) (issued issued) {
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
		h.token = h.issue(tokenForm()).Access
	}
	return h.token
}

// request returns a request with a tenant and a token.
func (h *harness) request(method, path, body string) *http.Request {
	h.T.Helper()
	r := sandboxtest.Request(method, base+path, body)
	r.Header.Set("Authorization", "Bearer "+h.access())
	r.Header.Set("tenantId", "sandbox-tenant")
	return r
}

// answer returns the answer as "status body".
func (h *harness) answer(method, path, body string) string {
	h.T.Helper()
	return sandboxtest.Text(h.Do(h.request(method, path, body)))
}

// person returns a valid request for a client, with these members in place of its own; an empty one takes a member
// away.
func person(members ...string) string {
	return sandboxtest.Replaced(`{"officeId":1,"legalFormId":1,"firstname":"Noor","lastname":"Example","dateOfBirth":"1991-07-03","dob":"1991-07-03",`+
		`"genderId":22,"emailAddress":"noor@example.com","mobileCountryCode":"1","mobileNo":"5550100017",`+
		`"submittedOnDate":"2026-01-01","dateFormat":"yyyy-MM-dd","locale":"en"}`, members...)
}

// home returns a valid request for an address, document one for an identifier; members as in person.
func home(members ...string) string {
	return sandboxtest.Replaced(
		`{"addressLine1":"1 First Street","city":"Sampletown","stateProvinceId":201,"countryId":101,"postalCode":"94016","isActive":true}`,
		members...,
	)
}

func document(documentType, key string, members ...string) string {
	return sandboxtest.Replaced(`{"documentTypeId":"`+documentType+`","documentKey":"`+key+`","status":"Active","issuedDate":"2021-05-09",`+
		`"expiryDate":"2031-05-08","dateFormat":"yyyy-MM-dd","locale":"en"}`, members...)
}

// makes makes a client and returns its number. No two have the same mobile number.
func (h *harness) makes(members ...string) string {
	h.T.Helper()
	h.made++
	given := h.answer(
		"POST", "/v1/clients", person(append([]string{"mobileNo", fmt.Sprintf(`"55502%05d"`, h.made)}, members...)...),
	)
	var created struct {
		ID int `json:"clientId"`
	}
	if err := json.Unmarshal([]byte(strings.TrimPrefix(given, "200 ")), &created); err != nil || created.ID == 0 {
		h.T.Fatal(err, given)
	}
	return fmt.Sprint(created.ID)
}

// settles gives a client an address.
func (h *harness) settles(id string, members ...string) {
	h.T.Helper()
	want(
		h.T,
		strings.HasPrefix(
			h.answer("POST", "/v1/client/"+id+"/addresses?type=1", home(members...)), `200 {"clientId":`+id+`,`,
		),
		true,
	)
}

// identifies gives a client an identifier of a type and returns its number.
func (h *harness) identifies(id, documentType string, members ...string) string {
	h.T.Helper()
	h.made++
	given := h.answer(
		"POST", "/v1/clients/"+id+"/identifiers", document(documentType, fmt.Sprintf("K%05d", h.made), members...),
	)
	var created struct {
		ID int `json:"resourceId"`
	}
	if err := json.Unmarshal([]byte(strings.TrimPrefix(given, "200 ")), &created); err != nil || created.ID == 0 {
		h.T.Fatal(err, given)
	}
	return fmt.Sprint(created.ID)
}

// complete makes a client who has all that FULL asks for.
func (h *harness) complete(members ...string) string {
	h.T.Helper()
	return h.having("address 41 44", members...)
}

// having makes a client who has these: an address, inactive or not, and identifiers by their types.
func (h *harness) having(what string, members ...string) string {
	h.T.Helper()
	id := h.makes(members...)
	for _, one := range strings.Fields(what) {
		documentType, how, _ := strings.Cut(one, ":")
		switch {
		case one == "address":
			h.settles(id)
		case one == "inactive-address":
			h.settles(id, "isActive", "false")
		case how == "inactive":
			h.identifies(id, documentType, "status", `"inactive"`)
		case how == "expired":
			h.identifies(id, documentType, "expiryDate", `"2026-01-01"`)
		case how == "today":
			h.identifies(id, documentType, "expiryDate", `"2026-01-02"`)
		default:
			identifier := h.identifies(id, documentType)
			switch how {
			case "rejected":
				want(h.T,
					sandboxtest.Text(
						h.Do(sandboxtest.Keyless("POST", base+"/v1/clients/"+id+"/identifiers/"+identifier+"?command=reject", "")),
					),
					`200 {"clientId":`+id+`,"resourceId":`+identifier+`}`)
			case "scan":
				body, media := scan("p", "p.pdf", "", 1)
				want(h.T, strings.HasPrefix(h.upload(identifier, body, media), "200 "), true)
			}
		}
	}
	return id
}

func (h *harness) verifies(id, level string) string {
	h.T.Helper()
	return h.answer("POST", "/v1/clients/"+id+"?command=verify", `{"kycVerificationType":"`+level+`"}`)
}

func (h *harness) activates(id string) string {
	h.T.Helper()
	return h.answer("POST", "/v1/clients/"+id+"?command=activate", activation())
}

func activation(members ...string) string {
	return sandboxtest.Replaced(`{"activationDate":"2026-01-02","dateFormat":"yyyy-MM-dd","locale":"en"}`, members...)
}

// stands returns where a client stands: main status, sub-status, verification, and the level of it.
func (h *harness) stands(id string) string {
	h.T.Helper()
	var client struct {
		Status    struct{ ID int } `json:"status"`
		SubStatus struct{ Name string }
		State     string `json:"clientVerificationStatus"`
		KYC       struct {
			Value string `json:"value"`
			Level string `json:"kycVerificationType"`
		} `json:"clientKycStatus"`
	}
	w := h.Do(h.request("GET", "/v1/clients/"+id, ""))
	if err := json.Unmarshal(w.Body.Bytes(), &client, json.MatchCaseInsensitiveNames(true)); err != nil || w.Code != 200 {
		h.T.Fatal(err, sandboxtest.Text(w))
	}
	want(h.T, client.KYC.Value, client.State)
	return strings.TrimSpace(
		strings.Join(
			strings.Fields(fmt.Sprint(client.Status.ID, " ", client.SubStatus.Name, " ", client.State, " ", client.KYC.Level)),
			" ",
		),
	)
}

func (h *harness) set(name, value string) {
	h.T.Helper()
	h.Set("mbanq", name, value)
}

// scan returns the body of an upload and its content type.
func scan(name, fileName, contentType string, size int) (body, media string) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	if name != "" {
		_ = w.WriteField("name", name)
	}
	if fileName != "" {
		header := textproto.MIMEHeader{"Content-Disposition": {`form-data; name="file"; filename="` + fileName + `"`}}
		if contentType != "" {
			header.Set("Content-Type", contentType)
		}
		part, _ := w.CreatePart(header)
		_, _ = part.Write(make([]byte, size))
	}
	_ = w.Close()
	return b.String(), w.FormDataContentType()
}

func (h *harness) upload(identifier, body, media string) string {
	h.T.Helper()
	r := h.request("POST", "/v1/client_identifiers/"+identifier+"/documents", body)
	r.Header.Set("Content-Type", media)
	return sandboxtest.Text(h.Do(r))
}

// prepare makes a client who can be verified, and others who can be deleted.
func (h *harness) prepare() {
	h.T.Helper()
	h.complete()
	for range 3 {
		h.makes()
	}
}

// requestTo is a request to an operation that succeeds once all is prepared.
func (h *harness) requestTo(op sandbox.Operation) *http.Request {
	h.T.Helper()
	h.made++
	path := strings.ReplaceAll(strings.ReplaceAll(op.Path, "{id}", "8801"), "{iid}", "5101")
	switch op.Name {
	case "issue-token":
		return tokenRequest(tokenForm())
	case "create-client":
		return h.request(op.Method, path, person("mobileNo", fmt.Sprintf(`"55502%05d"`, h.made)))
	case "delete-client":
		h.spared++
		return h.request(op.Method, fmt.Sprintf("/v1/clients/%d", 8801+h.spared), "")
	case "add-address":
		return h.request(op.Method, path+"?type=2", home())
	case "add-identifier":
		return h.request(op.Method, path, document("43", fmt.Sprintf("K%05d", h.made), "status", `"Inactive"`))
	case "attach-document":
		body, media := scan("passport", "p.pdf", "application/pdf", 3)
		r := h.request(op.Method, path, body)
		r.Header.Set("Content-Type", media)
		return r
	case "client-command":
		return h.request(op.Method, path+"?command=verify", `{"kycVerificationType":"FULL"}`)
	}
	return h.request(op.Method, path, "")
}

// failureOf is what an operation answers where a fault makes it fail.
func failureOf(op sandbox.Operation, status int) string {
	if op.Name == "issue-token" {
		return map[int]string{
			401: `401 {"error":"invalid_client","error_description":"Bad client credentials"}`,
			429: `429 {"error":"temporarily_unavailable","error_description":"Too many requests"}`,
			500: `500 {"error":"server_error","error_description":"Internal Server Error"}`,
			503: `503 {"error":"temporarily_unavailable","error_description":"Service is not available"}`,
		}[status]
	}
	if !op.Effect && status == 500 {
		return `500 {"Exception":"java.lang.NullPointerException"}`
	}
	return map[int]string{
		401: unauthenticated,
		429: `429 {"developerMessage":"Too many requests.","httpStatusCode":"429","defaultUserMessage":"Too many requests.",` +
			`"userMessageGlobalisationCode":"error.msg.platform.too.many.requests","errors":null}`,
		500: `500 {"developerMessage":"An unexpected error occured on the platform server.","httpStatusCode":"500",` +
			`"defaultUserMessage":"An unexpected error occured on the platform server.",` +
			`"userMessageGlobalisationCode":"error.msg.platform.server.side.error","errors":null}`,
		503: `503 {"developerMessage":"The server is currently unable to handle the request , please try after some time.","httpStatusCode":"503",` +
			`"defaultUserMessage":"The server is currently unable to handle the request , please try after some time.",` +
			`"userMessageGlobalisationCode":"error.msg.platform.service.unavailable","errors":null}`,
	}[status]
}

// The answers, by what varies in them.

const (
	unauthenticated = `401 {"developerMessage":"Invalid authentication details were passed in api request.","httpStatusCode":"401",` +
		`"defaultUserMessage":"Unauthenticated. Please login.","userMessageGlobalisationCode":"error.msg.not.authenticated","errors":null}`
	wrongTenant = `401 {"developerMessage":"Invalid tenant details were passed in api request.","httpStatusCode":"401",` +
		`"defaultUserMessage":"Invalid tenant identifier provided with request.",` +
		`"userMessageGlobalisationCode":"error.msg.invalid.tenant.identifier","errors":null}`
	malformed = `400 {"developerMessage":"The JSON provided in the body of the request is invalid or missing.",` +
		`"defaultUserMessage":"The JSON provided in the body of the request is invalid or missing.",` +
		`"userMessageGlobalisationCode":"error.msg.invalid.request.body","parameterName":"id","value":null,"args":[]}`
	mayNotActivate = `403 {"developerMessage":"The user associated with credentials passed on this request does not have sufficient privileges to perform this action.",` +
		`"httpStatusCode":"403","defaultUserMessage":"Insufficient privileges to perform this action.","userMessageGlobalisationCode":"error.msg.not.authorized",` +
		`"errors":[{"developerMessage":"User has no authority to: ACTIVATE_CLIENT","defaultUserMessage":"User has no authority to: ACTIVATE_CLIENT",` +
		`"userMessageGlobalisationCode":"error.msg.not.authorized","parameterName":"id","value":null,"args":[]}]}`
)

// reason is one entry of errors[].
func reason(code, text, parameter string, args ...string) string {
	for i, arg := range args {
		args[i] = `{"value":` + arg + `}`
	}
	return `{"developerMessage":"` + text + `","defaultUserMessage":"` + text + `","userMessageGlobalisationCode":"` + code + `",` +
		`"parameterName":"` + parameter + `","value":null,"args":[` + strings.Join(args, ",") + `]}`
}

func notValid(reasons ...string) string {
	return `400 {"developerMessage":"The request was invalid. This typically will happen due to validation errors which are provided.",` +
		`"httpStatusCode":"400","defaultUserMessage":"Validation errors exist.","userMessageGlobalisationCode":"validation.msg.validation.errors.exist",` +
		`"errors":[` + strings.Join(reasons, ",") + `]}`
}

func violated(reasons ...string) string {
	return `403 {"developerMessage":"Request was understood but caused a domain rule violation.","httpStatusCode":"403",` +
		`"defaultUserMessage":"Errors contain reason for domain rule violation.","userMessageGlobalisationCode":"validation.msg.domain.rule.violation",` +
		`"errors":[` + strings.Join(reasons, ",") + `]}`
}

func notFound(code, text, id string) string {
	return `404 {"developerMessage":"The requested resource is not available.","httpStatusCode":"404",` +
		`"defaultUserMessage":"The requested resource is not available.","userMessageGlobalisationCode":"error.msg.resource.not.found",` +
		`"errors":[` + reason(code, text, "id", id) + `]}`
}

func noClient(id string) string {
	return notFound("error.msg.client.id.invalid", "Client with identifier "+id+" does not exist", id)
}

func taken(field, value string) string {
	code, text := "error.msg.client.duplicate."+field, "Client with "+field+" `"+value+"` already exists"
	return `403 {"developerMessage":"The request caused a data integrity issue to be fired by the database.","httpStatusCode":"403",` +
		`"defaultUserMessage":"` + text + `","userMessageGlobalisationCode":"` + code + `",` +
		`"errors":[` + reason(code, text, field, `"`+value+`"`) + `]}`
}

func blank(resource, field string) string {
	return reason(
		"validation.msg."+resource+"."+field+".cannot.be.blank", "The parameter `"+field+"` is mandatory.", field,
	)
}

func done(id string) string {
	return `200 {"id":` + id + `,"officeId":1,"clientId":` + id + `,"resourceId":` + id + `}`
}

func verified(id, state string) string {
	return `200 {"id":` + id + `,"clientId":` + id + `,"officeId":1,"resourceId":` + id +
		`,"data":{"clientVerificationStatus":"` + state + `","clientKycStatus":"` + state + `"}}`
}

// lacks is a requirement that verify misses, by the end of its code: §8.
func lacks(id, code string) string {
	text := map[string]string{
		"primary.address.required":  "Client N has no active primary address.",
		"identifier.required":       "Client N has no valid identifier document.",
		"identifier.expired":        "All identifier documents of client N are expired.",
		"tax.identifier.required":   "Client N has no SSN or ITIN identifier.",
		"physical.id.required":      "Client N has no physical ID identifier.",
		"physical.id.scan.required": "Client N has no scan of a physical ID document.",
		"email.required":            "Client N has no email address.",
		"mobile.required":           "Client N has no mobile number.",
		"email.unverified":          "The email address of client N is not verified.",
		"mobile.unverified":         "The mobile number of client N is not verified.",
		"proof.of.address.required": "Client N has no proof of address document.",
		"not.pending":               "Client N is not pending.",
		"already.verified":          "Client N is already verified.",
	}[code]
	return reason("error.msg.client.verify."+code, strings.Replace(text, "N", id, 1), "id", id)
}

func notVerified(id string) string {
	return violated(reason("error.msg.client.activate.not.verified", "Client "+id+" is not verified.", "id", id))
}

// TestHappyPath: the seed's four steps, to the byte.
func TestHappyPath(t *testing.T) {
	h := open(t)
	w := h.Do(tokenRequest(tokenForm()))
	want(t, w.Header(), http.Header{"Content-Type": {"application/json"}})
	want(t, sandboxtest.Text(w), `200 {"access_token":"mat-00000000000040008000000000000001","token_type":"bearer",`+
		`"refresh_token":"mrt-00000000000040008000000000000002","expires_in":3600,"scope":"all"}`)

	want(
		t,
		h.answer(
			"POST", "/v1/clients",
			person("externalId", `"onb-1"`, "clientTypes", `[51]`, "occupationId", `71`, "clientClassificationId", `"61"`),
		),
		done("8801"),
	)
	shown := func(status, subStatus, active, timeline, kyc string) string {
		return `{"id":8801,"accountNo":"000008801","externalId":"onb-1","status":` + status + `,"subStatus":` + subStatus + `,` + active +
			`"firstname":"Noor","lastname":"Example","displayName":"Noor Example","mobileCountryCode":"1","mobileNo":"5550100017",` +
			`"emailAddress":"noor@example.com","dateOfBirth":[1991,7,3],"gender":{"id":22},"clientTypes":[{"id":51,"name":"Retail"}],` +
			`"clientClassification":{"id":61,"name":"Standard"},"occupation":{"id":71,"active":true},"isStaff":false,"skipAvs":false,` +
			`"officeId":1,"officeName":"Head Office","updatedAt":"2026-01-02T03:04:05Z",` +
			`"timeline":{"submittedOnDate":[2026,1,1],"submittedByUsername":"sandbox-operator"` + timeline + `},` +
			`"legalForm":{"id":1,"code":"legalFormType.person","value":"Person"},` + kyc + `,"clientTransferOptionData":{},"clientNonPersonDetails":{}}`
	}
	const (
		pending = `{"id":100,"code":"clientStatusType.pending","value":"Pending"}`
		unset   = `{"active":false,"mandatory":false,"systemDefined":false}`
		sub     = `{"id":77,"name":"Verified","active":true,"mandatory":false,"systemDefined":true}`
		full    = `"clientVerificationStatus":"APPROVED","clientKycStatus":{"value":"APPROVED","kycVerificationType":"FULL"}`
	)
	created := shown(
		pending, unset, `"active":false,`, "", `"clientVerificationStatus":"PENDING","clientKycStatus":{"value":"PENDING"}`,
	)
	want(t, h.answer("GET", firstClient, ""), "200 "+created)
	want(
		t, h.answer("GET", "/v1/clients?externalId=onb-1", ""), `200 {"totalFilteredRecords":1,"pageItems":[`+created+`]}`,
	)

	want(
		t, h.answer("POST", "/v1/client/8801/addresses?type=1", home("addressLine2", `"Unit 2"`)),
		`200 {"clientId":8801,"resourceId":3301}`,
	)
	want(t, h.answer("GET", "/v1/client/8801/addresses", ""),
		`200 [{"clientId":8801,"addressType":"Primary","addressId":3301,"addressTypeId":1,`+
			`"isActive":true,"addressLine1":"1 First Street","addressLine2":"Unit 2","city":"Sampletown","stateProvinceId":201,"stateName":"California",`+
			`"countryId":101,"countryName":"United States","postalCode":94016,"createdBy":"sandbox-operator"}]`)
	want(t,
		h.answer(
			"POST", "/v1/clients/8801/identifiers", document("41", "X4409127", "issuedBy", `"Demo"`, "nationality", `101`),
		),
		`200 {"id":5101,"officeId":1,"clientId":8801,"resourceId":5101,"changes":{},"isScheduledTransfer":false,"isSkipNotification":false}`)
	want(t,
		h.answer("POST", "/v1/clients/8801/identifiers", `{"documentTypeId":44,"documentKey":"219099999","status":"active"}`),
		`200 {"id":5102,"officeId":1,"clientId":8801,"resourceId":5102,"changes":{},"isScheduledTransfer":false,"isSkipNotification":false}`)
	want(t, h.answer("GET", "/v1/clients/8801/identifiers", ""),
		`200 [{"id":5101,"clientId":8801,"documentType":{"id":41,"name":"Passport","isMasked":true},`+
			`"documentKey":"****9127","status":"Active","issuedBy":"Demo","issuedDate":[2021,5,9],"expiryDate":[2031,5,8],"nationality":{"id":101,"name":"United States"}},`+
			`{"id":5102,"clientId":8801,"documentType":{"id":44,"name":"SSN","isMasked":true},"documentKey":"*****9999","status":"Active"}]`)
	want(t, strings.Contains(h.answer("GET", "/v1/clients/8801/identifiers?unmaskValue=true", ""),
		`{"id":5102,"clientId":8801,"documentType":{"id":44,"name":"SSN"},"documentKey":"219099999","status":"Active"}`),
		true)
	body, media := scan("passport1", "p.png", "image/png", 100)
	n := h.IDs() + 1
	want(t, h.upload("5101", body, media), `200 {"id":"901","resourceIdentifier":"901","uuid":"`+sandboxtest.ID(n)+`"}`)

	want(
		t, h.answer("POST", firstClient+"?command=verify", `{"kycVerificationType":"FULL","note":"docs checked by ops"}`),
		verified("8801", "APPROVED"),
	)
	want(t, h.answer("GET", firstClient, ""), "200 "+shown(pending, sub, `"active":false,`, "", full))
	want(t, h.answer("GET", firstClient+"/verificationstatus", ""),
		`200 {"id":8801,"accountNo":"000008801","displayName":"Noor Example",`+
			`"legalForm":{"code":"legalFormType.person","value":"Person"},"verificationStatus":{"id":3,"value":"APPROVED"},"identifiers":[`+
			`{"id":5101,"clientId":8801,"documentType":{"id":41,"name":"Passport","isMasked":true},"documentKey":"****9127","status":"Active","issuedBy":"Demo",`+
			`"issuedDate":[2021,5,9],"expiryDate":[2031,5,8],"nationality":{"id":101,"name":"United States"},"verificationStatus":{"id":1,"value":"PENDING"}},`+
			`{"id":5102,"clientId":8801,"documentType":{"id":44,"name":"SSN","isMasked":true},"documentKey":"*****9999","status":"Active",`+
			`"verificationStatus":{"id":1,"value":"PENDING"}}],"mobileCountryCode":"1","activeDepositAccount":0,"ofLoanCycle":0,"ofLoanActive":0}`)
	want(t, h.answer("POST", firstClient+"?command=activate", activation()), done("8801"))
	want(t, h.answer("GET", firstClient, ""), "200 "+shown(`{"id":300,"code":"clientStatusType.active","value":"Active"}`,
		sub,
		`"active":true,"activationDate":[2026,1,2],`,
		`,"activatedOnDate":[2026,1,2],"activatedByUsername":"sandbox-operator"`, full))

	var effects []string
	for _, row := range h.Rows("?partner=mbanq") {
		if row.Effect {
			effects = append(effects, row.Operation)
		}
	}
	want(
		t, effects,
		[]string{
			"create-client", "add-address", "add-identifier", "add-identifier", "attach-document", "client-command",
			"client-command",
		},
	)
}

func TestSettings(t *testing.T) {
	t.Run("reverify", func(t *testing.T) {
		h := openOn(t, &sandboxtest.Memory{})
		id := h.complete()
		h.verifies(id, "PARTIAL")
		h.set("reverify", "refused")
		want(t, h.verifies(id, "PARTIAL"), violated(lacks(id, "already.verified")))
		want(t, h.verifies(id, "FULL"), verified(id, "APPROVED")) // an upgrade repeats nothing
		want(t, h.verifies(id, "PARTIAL"), violated(lacks(id, "already.verified")))
		want(t, h.stands(id), "100 Verified APPROVED FULL")
	})
	t.Run("block_activation", func(t *testing.T) {
		h := openOn(t, &sandboxtest.Memory{})
		h.set("block_activation", "no")
		id := h.makes()
		want(t, h.activates(id), done(id))
		want(t, h.stands(id), "300 PENDING")
	})
	t.Run("already_active_status", func(t *testing.T) {
		h := openOn(t, &sandboxtest.Memory{})
		h.set("already_active_status", "400")
		id := h.complete()
		h.verifies(id, "FULL")
		h.activates(id)
		want(
			t, h.activates(id),
			notValid(
				reason(
					"error.msg.clients.already.active", "Cannot activate client. Client is already active.", "activationDate",
					`"2026-01-02"`,
				),
			),
		)
	})
	t.Run("unknown_fields", func(t *testing.T) {
		h := openOn(t, &sandboxtest.Memory{})
		want(t, h.answer("POST", "/v1/clients", person("shoeSize", "43")), done("8801"))
		h.set("unknown_fields", "refused")
		unsupported := func(names ...string) string {
			var all []string
			for _, name := range names {
				all = append(
					all, reason("error.msg.parameter.unsupported", "The parameter "+name+" is not supported.", name, `"`+name+`"`),
				)
			}
			return notValid(all...)
		}
		want(t, h.answer("POST", "/v1/clients", `{"shoeSize":43,"hat":{}}`), unsupported("hat", "shoeSize"))
		want(t, h.answer("POST", "/v1/clients", person("address", `[`+home("floor", "1")+`]`)), unsupported("floor"))
		want(t, h.answer("POST", "/v1/client/8801/addresses?type=1", home("floor", "1")), unsupported("floor"))
		want(t, h.answer("POST", "/v1/clients/8801/identifiers", document("41", "K", "floor", "1")), unsupported("floor"))
		want(t, h.answer("POST", firstClient+"?command=verify", `{"type":"FULL"}`), unsupported("type"))
		want(t, h.answer("POST", firstClient+"?command=activate", activation("note", `"x"`)), unsupported("note"))
		want(
			t,
			h.answer(
				"POST", "/v1/clients",
				person("mobileNo", `"1"`, "isOptedForMLALStatus", "true", "currentMLALStatus", `"x"`, "staffId", "1"),
			),
			done("8802"),
		)
	})
	t.Run("token_lifetime", func(t *testing.T) {
		for value, lifetime := range map[string]time.Duration{
			"3600": time.Hour, "90": 90 * time.Second, "5": 5 * time.Second,
		} {
			h := openOn(t, &sandboxtest.Memory{}, func(o *options) { o.TimeScale = 1000 }) // which does not scale it
			h.set("token_lifetime", value)
			want(t, h.issue(tokenForm()).Expires, int(lifetime.Seconds()))
			h.access()
			h.Advance(lifetime - time.Nanosecond)
			want(t, strings.HasPrefix(h.answer("GET", "/v1/clients", ""), "200 "), true)
			h.Advance(time.Nanosecond)
			want(t, h.answer("GET", "/v1/clients", ""), unauthenticated)
		}
	})
}

func TestTokens(t *testing.T) {
	const (
		badUser   = `400 {"error":"invalid_grant","error_description":"Bad credentials"}`
		badClient = `401 {"error":"invalid_client","error_description":"Bad client credentials"}`
		inactive  = `400 {"error":"invalid_grant","error_description":"Invalid refresh token"}`
		noGrant   = `400 {"error":"invalid_request","error_description":"Missing grant type"}`
		badGrant  = `400 {"error":"unsupported_grant_type","error_description":"Unsupported grant type"}`
	)
	for _, test := range []struct{ name, body, want string }{
		{"ErrPassword", tokenForm("password", "x"), badUser},
		{"ErrUsername", tokenForm("username", ""), badUser},
		{"ErrClientID", tokenForm("client_id", "x"), badClient},
		{"ErrClientSecret", tokenForm("client_secret", ""), badClient},
		{"ErrClientBeforeGrant", tokenForm("client_id", "x", "grant_type", "x"), badClient},
		{"ErrNoGrantType", tokenForm("grant_type", ""), noGrant},
		{"ErrGrantType", tokenForm("grant_type", "client_credentials"), badGrant},
		{"ErrEmpty", "", badClient},
		{"ErrRefreshUnknown", tokenForm("grant_type", "refresh_token", "refresh_token", "x"), inactive},
		{"ErrRefreshMissing", tokenForm("grant_type", "refresh_token"), inactive},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := openOn(t, &sandboxtest.Memory{})
			want(t, sandboxtest.Text(h.Do(tokenRequest(test.body))), test.want)
			want(t, h.Rows("")[0].Effect, false)
		})
	}
	t.Run("Refresh", func(t *testing.T) {
		h := openOn(t, &sandboxtest.Memory{})
		use := func(access string) int {
			h.token = access
			return h.Do(h.request("GET", "/v1/clients", "")).Code
		}
		refresh := func(token string) string {
			return tokenForm("grant_type", "refresh_token", "refresh_token", token, "username", "", "password", "")
		}
		first := h.issue(tokenForm())
		want(t, sandboxtest.Text(h.Do(tokenRequest(refresh(first.Access)))), inactive)
		h.Advance(2 * time.Hour) // the access token is over
		second := h.issue(refresh(first.Refresh))
		want(t, []int{use(first.Access), use(second.Access), use(second.Refresh)}, []int{401, 200, 401})
		want(t, sandboxtest.Text(h.Do(tokenRequest(refresh(first.Refresh)))), inactive)
		h.Advance(24 * time.Hour)
		want(t, sandboxtest.Text(h.Do(tokenRequest(refresh(second.Refresh)))), inactive)
	})
	t.Run("RefreshAfterRevocation", func(t *testing.T) {
		h := openOn(t, &sandboxtest.Memory{})
		issued := h.issue(tokenForm())
		h.token = issued.Access
		h.Admin("/sandbox/faults", `{"partner":"mbanq","operation":"list-clients","fault":"expired_token"}`)
		want(t, h.answer("GET", "/v1/clients", ""), unauthenticated)
		want(t, h.answer("GET", "/v1/clients", ""), unauthenticated)
		h.token = h.issue(tokenForm("grant_type", "refresh_token", "refresh_token", issued.Refresh)).Access
		want(t, h.answer("GET", "/v1/clients", ""), `200 {"totalFilteredRecords":0,"pageItems":[]}`)
	})
	t.Run("Options", func(t *testing.T) {
		h := openOn(t, &sandboxtest.Memory{}, func(o *options) { o.Partner.Password, o.Partner.TenantID = "other", "t9demo" })
		r := tokenRequest(tokenForm("password", "other"))
		want(t, sandboxtest.Text(h.Do(r)), wrongTenant)
		r = tokenRequest(tokenForm("password", "other"))
		r.Header.Set("tenantId", "t9demo")
		want(t, h.Do(r).Code, 200)
	})
}

func TestAuthorization(t *testing.T) {
	h := openOn(t, &sandboxtest.Memory{})
	h.prepare()
	for _, op := range operations() {
		t.Run(op.Name, func(t *testing.T) {
			for _, tenant := range []string{"", "x", "Sandbox-Tenant"} {
				r := h.requestTo(op)
				r.Header.Set("tenantId", tenant)
				want(t, sandboxtest.Text(h.Do(r)), wrongTenant)
			}
			if op.Name == "delete-client" {
				h.spared = 0
			}
			r := h.requestTo(op)
			r.Header.Set("Fineract-Platform-TenantId", r.Header.Get("tenantId"))
			r.Header.Del("tenantId")
			want(t, sandboxtest.Text(h.Do(r)), wrongTenant)
			if op.Name != "issue-token" {
				for _, header := range []string{"", "Bearer x", "Bearer ", "Basic " + h.access(), h.access()} {
					r := h.requestTo(op)
					r.Header.Set("Authorization", header)
					want(t, sandboxtest.Text(h.Do(r)), unauthenticated)
				}
			}
			if op.Name == "delete-client" {
				h.spared = 0
			}
			r = h.requestTo(op)
			r.Header.Del("tenantId")
			query := r.URL.Query()
			query.Set("tenantIdentifier", "sandbox-tenant")
			r.URL.RawQuery = query.Encode()
			want(t, h.Do(r).Code, 200)
		})
	}
}

func TestIdempotency(t *testing.T) {
	post := func(h *harness, path, key, body string) *httptest.ResponseRecorder {
		r := h.request("POST", path, body)
		r.Header.Set("Idempotency-Key", key)
		return h.Do(r)
	}
	t.Run("Ignored", func(t *testing.T) {
		h := openOn(t, &sandboxtest.Memory{})
		want(t, sandboxtest.Text(post(h, "/v1/clients", "k", person())), done("8801"))
		want(t, sandboxtest.Text(post(h, "/v1/clients", "k", person())), taken("mobileNo", "5550100017"))
	})
	t.Run("Honoured", func(t *testing.T) {
		h := openOn(t, &sandboxtest.Memory{})
		h.set("idempotency", "honoured")
		first := post(h, "/v1/clients", "k", person())
		want(t, first.Header().Get("x-served-from-cache"), "")
		again := post(h, "/v1/clients", "k", person("mobileNo", `"1"`)) // whatever it asks
		want(t, sandboxtest.Text(again), sandboxtest.Text(first))
		want(t, again.Header(), http.Header{"Content-Type": {"application/json"}, "X-Served-From-Cache": {"true"}})
		want(t, sandboxtest.Text(post(h, "/v1/clients", "k2", person("mobileNo", `"1"`))), done("8802"))
		// of another operation
		want(
			t, sandboxtest.Text(post(h, "/v1/client/8801/addresses?type=1", "k", home())),
			`200 {"clientId":8801,"resourceId":3301}`,
		)
		want(
			t, sandboxtest.Text(post(h, "/v1/clients/8801/identifiers", "k", document("41", "X1"))),
			sandboxtest.Text(post(h, "/v1/clients/8801/identifiers", "k", document("41", "X1"))),
		)

		// A failure is replayed too, though it would be none by now.
		refused := violated(lacks("8801", "tax.identifier.required"))
		want(t, sandboxtest.Text(post(h, firstClient+"?command=verify", "k", `{}`)), refused)
		h.identifies("8801", "44")
		want(t, sandboxtest.Text(post(h, firstClient+"?command=verify", "k", `{}`)), refused)
		want(t, sandboxtest.Text(post(h, firstClient+"?command=verify", "k3", `{}`)), verified("8801", "APPROVED"))
		// of another command
		want(t, sandboxtest.Text(post(h, firstClient+"?command=activate", "k", activation())), done("8801"))
		for range 2 {
			want(t, sandboxtest.Text(post(h, firstClient+"?command=activate", "k", activation())), done("8801"))
		}
		var effects int
		for _, row := range h.Rows("?partner=mbanq") {
			if row.Effect {
				effects++
			}
		}
		want(t, effects, 7)

		h.set("idempotency", "ignored")
		want(t, post(h, firstClient+"?command=activate", "k", activation()).Code, 403)
	})
	t.Run("AnyBytes", func(t *testing.T) {
		h := openOn(t, &sandboxtest.Memory{})
		h.set("idempotency", "honoured")
		id := h.makes()
		want(t, post(h, "/v1/clients/"+id+"?command=%ff", "\xff", `{}`).Code, 400)
		h.token = "\xff"
		want(t, sandboxtest.Text(post(h, "/v1/clients", "k", person())), unauthenticated)
	})
	t.Run("NotBeforeTheToken", func(t *testing.T) {
		h := openOn(t, &sandboxtest.Memory{})
		h.set("idempotency", "honoured")
		h.access()
		h.token = "x"
		want(t, sandboxtest.Text(post(h, "/v1/clients", "k", person())), unauthenticated)
		h.token = ""
		want(t, sandboxtest.Text(post(h, "/v1/clients", "k", person())), done("8801"))
	})
}

func TestReset(t *testing.T) {
	store := &sandboxtest.Memory{}
	h := openOn(t, store)
	id := h.complete("externalId", `"onb-1"`)
	h.set("verify", "async")
	h.verifies(id, "FULL")
	want(t, h.Admin("/sandbox/reset", ""), "204")
	want(t, len(store.Items), 0)
	want(t, h.answer("GET", firstClient, ""), unauthenticated)
	h.token, h.made, h.spared = "", 0, 0
	want(t, h.complete("externalId", `"onb-1"`), id)
	want(t, h.verifies(id, "FULL"), verified(id, "APPROVED"))
}

// TestConcurrentCreates: of repeats with one externalId one has an effect; others each get a number.
func TestConcurrentCreates(t *testing.T) {
	h := open(t, func(o *options) { o.NewID = nil })
	h.access()
	const n = 20
	codes := make(chan int, 2*n)
	for i := range n {
		same := h.request("POST", "/v1/clients", person("externalId", `"onb-1"`, "mobileNo", fmt.Sprintf(`"1%03d"`, i)))
		other := h.request("POST", "/v1/clients", person("mobileNo", fmt.Sprintf(`"2%03d"`, i)))
		for _, r := range []*http.Request{same, other} {
			go func() { codes <- h.Do(r).Code }()
		}
	}
	got := map[int]int{}
	for range 2 * n {
		got[<-codes]++
	}
	want(t, got, map[int]int{200: n + 1, 403: n - 1})
	want(t, strings.Contains(h.answer("GET", "/v1/clients", ""), fmt.Sprintf(`{"totalFilteredRecords":%d,`, n+1)), true)
}

// TestKeepsNoSecrets: the log holds nothing of a person, the store no file, no password and no token.
func TestKeepsNoSecrets(t *testing.T) {
	store, log := &sandboxtest.Memory{}, &strings.Builder{}
	h := openOn(t, store, func(o *options) { o.Log = slog.New(slog.NewJSONHandler(log, nil)) })
	id := h.complete("externalId", `"onb-1"`)
	body, media := scan("passport", "p.pdf", "application/pdf", 10)
	h.upload("5101", strings.Replace(body, strings.Repeat("\x00", 10), "SECRETFILE", 1), media)
	h.verifies(id, "FULL")
	for _, secret := range []string{"Noor", "noor@example.com", "5550", "K0000", "onb-1", h.token} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
	for key, value := range store.Items {
		for _, secret := range []string{"SECRETFILE", h.token, mbanq.Defaults().Password} {
			if strings.Contains(key+string(value), secret) {
				t.Errorf("the store holds %q in %s", secret, key)
			}
		}
	}
}
