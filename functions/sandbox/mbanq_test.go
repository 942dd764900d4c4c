package sandbox_test

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"sallyport/functions/sandbox"
)

const (
	mbanqPath   = "/sandbox/mbanq"
	mbanqTokens = mbanqPath + "/oauth/token"
	mbanqClient = "/v1/clients/8801" // the first one
)

// mbanqHarness is what the requests of a harness to Mbanq go by.
type mbanqHarness struct {
	token  string // see mbanqAccess
	made   int    // clients and identifiers, no two of which may be alike
	spared int    // clients that were deleted, of those that prepareMbanq made for it
}

// mbanqForm returns the body of a token request with these fields on top of the right credentials; an empty value takes a
// field away.
func mbanqForm(fields ...string) string {
	d := sandbox.MbanqDefaults()
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

func mbanqTokenRequest(body string) *http.Request {
	r := request("POST", mbanqTokens, body)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Del("Authorization")
	r.Header.Set("tenantId", "sandbox-tenant")
	return r
}

// mbanqIssued is what row 1 answers.
type mbanqIssued struct {
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
	Expires int    `json:"expires_in"`
}

func (h *harness) mbanqIssue(body string) (issued mbanqIssued) {
	h.t.Helper()
	w := h.do(mbanqTokenRequest(body))
	if err := json.Unmarshal(w.Body.Bytes(), &issued); err != nil || w.Code != 200 {
		h.t.Fatal(err, text(w))
	}
	return issued
}

// mbanqAccess returns an access token, the same each time.
func (h *harness) mbanqAccess() string {
	h.t.Helper()
	if h.mbanq.token == "" {
		h.mbanq.token = h.mbanqIssue(mbanqForm()).Access
	}
	return h.mbanq.token
}

// toMbanq returns a request with a tenant and a token.
func (h *harness) toMbanq(method, path, body string) *http.Request {
	h.t.Helper()
	r := request(method, mbanqPath+path, body)
	r.Header.Set("Authorization", "Bearer "+h.mbanqAccess())
	r.Header.Set("tenantId", "sandbox-tenant")
	return r
}

// mb returns the answer as "status body".
func (h *harness) mb(method, path, body string) string {
	h.t.Helper()
	return text(h.do(h.toMbanq(method, path, body)))
}

// mbanqPerson returns a valid request for a client, with these members in place of its own; an empty one takes a member away.
func mbanqPerson(members ...string) string {
	return mbanqWith(`{"officeId":1,"legalFormId":1,"firstname":"Noor","lastname":"Example","dateOfBirth":"1991-07-03","dob":"1991-07-03",`+
		`"genderId":22,"emailAddress":"noor@example.com","mobileCountryCode":"1","mobileNo":"5550100017",`+
		`"submittedOnDate":"2026-01-01","dateFormat":"yyyy-MM-dd","locale":"en"}`, members...)
}

// mbanqHome returns a valid request for an address, mbanqDocument one for an identifier; members as in mbanqPerson.
func mbanqHome(members ...string) string {
	return mbanqWith(`{"addressLine1":"1 First Street","city":"Sampletown","stateProvinceId":201,"countryId":101,"postalCode":"94016","isActive":true}`, members...)
}

func mbanqDocument(documentType, key string, members ...string) string {
	return mbanqWith(`{"documentTypeId":"`+documentType+`","documentKey":"`+key+`","status":"Active","issuedDate":"2021-05-09",`+
		`"expiryDate":"2031-05-08","dateFormat":"yyyy-MM-dd","locale":"en"}`, members...)
}

// mbanqWith returns an object with these members, names and JSON values in turn, in the place of its own.
func mbanqWith(object string, members ...string) string {
	values := map[string]jsontext.Value{}
	if err := json.Unmarshal([]byte(object), &values); err != nil {
		panic(err)
	}
	for i := 0; i < len(members); i += 2 {
		values[members[i]] = jsontext.Value(members[i+1])
		if members[i+1] == "" {
			delete(values, members[i])
		}
	}
	b, err := json.Marshal(values)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// mbanqMakes makes a client and returns its number. No two have the same mobile number.
func (h *harness) mbanqMakes(members ...string) string {
	h.t.Helper()
	h.mbanq.made++
	given := h.mb("POST", "/v1/clients", mbanqPerson(append([]string{"mobileNo", fmt.Sprintf(`"55502%05d"`, h.mbanq.made)}, members...)...))
	var created struct {
		ID int `json:"clientId"`
	}
	if err := json.Unmarshal([]byte(strings.TrimPrefix(given, "200 ")), &created); err != nil || created.ID == 0 {
		h.t.Fatal(err, given)
	}
	return fmt.Sprint(created.ID)
}

// mbanqSettles gives a client an address.
func (h *harness) mbanqSettles(id string, members ...string) {
	h.t.Helper()
	want(h.t, strings.HasPrefix(h.mb("POST", "/v1/client/"+id+"/addresses?type=1", mbanqHome(members...)), `200 {"clientId":`+id+`,`), true)
}

// mbanqIdentifies gives a client an identifier of a type and returns its number.
func (h *harness) mbanqIdentifies(id, documentType string, members ...string) string {
	h.t.Helper()
	h.mbanq.made++
	given := h.mb("POST", "/v1/clients/"+id+"/identifiers", mbanqDocument(documentType, fmt.Sprintf("K%05d", h.mbanq.made), members...))
	var created struct {
		ID int `json:"resourceId"`
	}
	if err := json.Unmarshal([]byte(strings.TrimPrefix(given, "200 ")), &created); err != nil || created.ID == 0 {
		h.t.Fatal(err, given)
	}
	return fmt.Sprint(created.ID)
}

// mbanqComplete makes a client who has all that FULL asks for.
func (h *harness) mbanqComplete(members ...string) string {
	h.t.Helper()
	return h.mbanqHaving("address 41 44", members...)
}

// mbanqHaving makes a client who has these: an address, inactive or not, and identifiers by their types.
func (h *harness) mbanqHaving(what string, members ...string) string {
	h.t.Helper()
	id := h.mbanqMakes(members...)
	for _, one := range strings.Fields(what) {
		documentType, how, _ := strings.Cut(one, ":")
		switch {
		case one == "address":
			h.mbanqSettles(id)
		case one == "inactive-address":
			h.mbanqSettles(id, "isActive", "false")
		case how == "inactive":
			h.mbanqIdentifies(id, documentType, "status", `"inactive"`)
		case how == "expired":
			h.mbanqIdentifies(id, documentType, "expiryDate", `"2026-01-01"`)
		case how == "today":
			h.mbanqIdentifies(id, documentType, "expiryDate", `"2026-01-02"`)
		default:
			identifier := h.mbanqIdentifies(id, documentType)
			switch how {
			case "rejected":
				want(h.t, text(h.do(keyless("POST", mbanqPath+"/v1/clients/"+id+"/identifiers/"+identifier+"?command=reject", ""))),
					`200 {"clientId":`+id+`,"resourceId":`+identifier+`}`)
			case "scan":
				body, media := mbanqScan("p", "p.pdf", "", 1)
				want(h.t, strings.HasPrefix(h.mbanqUpload(identifier, body, media), "200 "), true)
			}
		}
	}
	return id
}

func (h *harness) mbanqVerifies(id, level string) string {
	h.t.Helper()
	return h.mb("POST", "/v1/clients/"+id+"?command=verify", `{"kycVerificationType":"`+level+`"}`)
}

func (h *harness) mbanqActivates(id string) string {
	h.t.Helper()
	return h.mb("POST", "/v1/clients/"+id+"?command=activate", mbanqActivation())
}

func mbanqActivation(members ...string) string {
	return mbanqWith(`{"activationDate":"2026-01-02","dateFormat":"yyyy-MM-dd","locale":"en"}`, members...)
}

// mbanqStands returns where a client stands: main status, sub-status, verification, and the level of it.
func (h *harness) mbanqStands(id string) string {
	h.t.Helper()
	var client struct {
		Status    struct{ ID int } `json:"status"`
		SubStatus struct{ Name string }
		State     string `json:"clientVerificationStatus"`
		KYC       struct {
			Value string `json:"value"`
			Level string `json:"kycVerificationType"`
		} `json:"clientKycStatus"`
	}
	w := h.do(h.toMbanq("GET", "/v1/clients/"+id, ""))
	if err := json.Unmarshal(w.Body.Bytes(), &client, json.MatchCaseInsensitiveNames(true)); err != nil || w.Code != 200 {
		h.t.Fatal(err, text(w))
	}
	want(h.t, client.KYC.Value, client.State)
	return strings.TrimSpace(strings.Join(strings.Fields(fmt.Sprint(client.Status.ID, " ", client.SubStatus.Name, " ", client.State, " ", client.KYC.Level)), " "))
}

func (h *harness) setMbanq(name, value string) {
	h.t.Helper()
	want(h.t, h.do(request("POST", "/sandbox/settings", `{"partner":"mbanq","name":"`+name+`","value":"`+value+`"}`)).Code, 200)
}

// mbanqScan returns the body of an upload and its content type.
func mbanqScan(name, fileName, contentType string, size int) (body, media string) {
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

func (h *harness) mbanqUpload(identifier, body, media string) string {
	h.t.Helper()
	r := h.toMbanq("POST", "/v1/client_identifiers/"+identifier+"/documents", body)
	r.Header.Set("Content-Type", media)
	return text(h.do(r))
}

// prepareMbanq makes a client who can be verified, and others who can be deleted.
func (h *harness) prepareMbanq() {
	h.t.Helper()
	h.mbanqComplete()
	for range 3 {
		h.mbanqMakes()
	}
}

// mbanqRequest is a request to an operation that succeeds once all is prepared.
func (h *harness) mbanqRequest(op sandbox.Operation) *http.Request {
	h.t.Helper()
	h.mbanq.made++
	path := strings.ReplaceAll(strings.ReplaceAll(op.Path, "{id}", "8801"), "{iid}", "5101")
	switch op.Name {
	case "issue-token":
		return mbanqTokenRequest(mbanqForm())
	case "create-client":
		return h.toMbanq(op.Method, path, mbanqPerson("mobileNo", fmt.Sprintf(`"55502%05d"`, h.mbanq.made)))
	case "delete-client":
		h.mbanq.spared++
		return h.toMbanq(op.Method, fmt.Sprintf("/v1/clients/%d", 8801+h.mbanq.spared), "")
	case "add-address":
		return h.toMbanq(op.Method, path+"?type=2", mbanqHome())
	case "add-identifier":
		return h.toMbanq(op.Method, path, mbanqDocument("43", fmt.Sprintf("K%05d", h.mbanq.made), "status", `"Inactive"`))
	case "attach-document":
		body, media := mbanqScan("passport", "p.pdf", "application/pdf", 3)
		r := h.toMbanq(op.Method, path, body)
		r.Header.Set("Content-Type", media)
		return r
	case "client-command":
		return h.toMbanq(op.Method, path+"?command=verify", `{"kycVerificationType":"FULL"}`)
	}
	return h.toMbanq(op.Method, path, "")
}

// mbanqFailureOf is what an operation answers where a fault makes it fail.
func mbanqFailureOf(op sandbox.Operation, status int) string {
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
		401: mbanqUnauthenticated,
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
	mbanqUnauthenticated = `401 {"developerMessage":"Invalid authentication details were passed in api request.","httpStatusCode":"401",` +
		`"defaultUserMessage":"Unauthenticated. Please login.","userMessageGlobalisationCode":"error.msg.not.authenticated","errors":null}`
	mbanqWrongTenant = `401 {"developerMessage":"Invalid tenant details were passed in api request.","httpStatusCode":"401",` +
		`"defaultUserMessage":"Invalid tenant identifier provided with request.",` +
		`"userMessageGlobalisationCode":"error.msg.invalid.tenant.identifier","errors":null}`
	mbanqMalformed = `400 {"developerMessage":"The JSON provided in the body of the request is invalid or missing.",` +
		`"defaultUserMessage":"The JSON provided in the body of the request is invalid or missing.",` +
		`"userMessageGlobalisationCode":"error.msg.invalid.request.body","parameterName":"id","value":null,"args":[]}`
	mbanqMayNotActivate = `403 {"developerMessage":"The user associated with credentials passed on this request does not have sufficient privileges to perform this action.",` +
		`"httpStatusCode":"403","defaultUserMessage":"Insufficient privileges to perform this action.","userMessageGlobalisationCode":"error.msg.not.authorized",` +
		`"errors":[{"developerMessage":"User has no authority to: ACTIVATE_CLIENT","defaultUserMessage":"User has no authority to: ACTIVATE_CLIENT",` +
		`"userMessageGlobalisationCode":"error.msg.not.authorized","parameterName":"id","value":null,"args":[]}]}`
)

// mbanqReason is one entry of errors[].
func mbanqReason(code, text, parameter string, args ...string) string {
	for i, arg := range args {
		args[i] = `{"value":` + arg + `}`
	}
	return `{"developerMessage":"` + text + `","defaultUserMessage":"` + text + `","userMessageGlobalisationCode":"` + code + `",` +
		`"parameterName":"` + parameter + `","value":null,"args":[` + strings.Join(args, ",") + `]}`
}

func mbanqNotValid(reasons ...string) string {
	return `400 {"developerMessage":"The request was invalid. This typically will happen due to validation errors which are provided.",` +
		`"httpStatusCode":"400","defaultUserMessage":"Validation errors exist.","userMessageGlobalisationCode":"validation.msg.validation.errors.exist",` +
		`"errors":[` + strings.Join(reasons, ",") + `]}`
}

func mbanqViolated(reasons ...string) string {
	return `403 {"developerMessage":"Request was understood but caused a domain rule violation.","httpStatusCode":"403",` +
		`"defaultUserMessage":"Errors contain reason for domain rule violation.","userMessageGlobalisationCode":"validation.msg.domain.rule.violation",` +
		`"errors":[` + strings.Join(reasons, ",") + `]}`
}

func mbanqNotFound(code, text, id string) string {
	return `404 {"developerMessage":"The requested resource is not available.","httpStatusCode":"404",` +
		`"defaultUserMessage":"The requested resource is not available.","userMessageGlobalisationCode":"error.msg.resource.not.found",` +
		`"errors":[` + mbanqReason(code, text, "id", id) + `]}`
}

func mbanqNoClient(id string) string {
	return mbanqNotFound("error.msg.client.id.invalid", "Client with identifier "+id+" does not exist", id)
}

func mbanqTaken(field, value string) string {
	code, text := "error.msg.client.duplicate."+field, "Client with "+field+" `"+value+"` already exists"
	return `403 {"developerMessage":"The request caused a data integrity issue to be fired by the database.","httpStatusCode":"403",` +
		`"defaultUserMessage":"` + text + `","userMessageGlobalisationCode":"` + code + `",` +
		`"errors":[` + mbanqReason(code, text, field, `"`+value+`"`) + `]}`
}

func mbanqBlank(resource, field string) string {
	return mbanqReason("validation.msg."+resource+"."+field+".cannot.be.blank", "The parameter `"+field+"` is mandatory.", field)
}

func mbanqDone(id string) string {
	return `200 {"id":` + id + `,"officeId":1,"clientId":` + id + `,"resourceId":` + id + `}`
}

func mbanqVerified(id, state string) string {
	return `200 {"id":` + id + `,"clientId":` + id + `,"officeId":1,"resourceId":` + id +
		`,"data":{"clientVerificationStatus":"` + state + `","clientKycStatus":"` + state + `"}}`
}

// mbanqLacks is a requirement that verify misses, by the end of its code: mbanq §8.
func mbanqLacks(id, code string) string {
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
	return mbanqReason("error.msg.client.verify."+code, strings.Replace(text, "N", id, 1), "id", id)
}

func mbanqNotVerified(id string) string {
	return mbanqViolated(mbanqReason("error.msg.client.activate.not.verified", "Client "+id+" is not verified.", "id", id))
}

// TestMbanq_HappyPath: the seed's four steps, to the byte.
func TestMbanq_HappyPath(t *testing.T) {
	h := open(t)
	w := h.do(mbanqTokenRequest(mbanqForm()))
	want(t, w.Header(), http.Header{"Content-Type": {"application/json"}})
	want(t, text(w), `200 {"access_token":"mat-00000000000040008000000000000001","token_type":"bearer",`+
		`"refresh_token":"mrt-00000000000040008000000000000002","expires_in":3600,"scope":"all"}`)

	want(t, h.mb("POST", "/v1/clients", mbanqPerson("externalId", `"onb-1"`, "clientTypes", `[51]`, "occupationId", `71`, "clientClassificationId", `"61"`)), mbanqDone("8801"))
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
	created := shown(pending, unset, `"active":false,`, "", `"clientVerificationStatus":"PENDING","clientKycStatus":{"value":"PENDING"}`)
	want(t, h.mb("GET", mbanqClient, ""), "200 "+created)
	want(t, h.mb("GET", "/v1/clients?externalId=onb-1", ""), `200 {"totalFilteredRecords":1,"pageItems":[`+created+`]}`)

	want(t, h.mb("POST", "/v1/client/8801/addresses?type=1", mbanqHome("addressLine2", `"Unit 2"`)), `200 {"clientId":8801,"resourceId":3301}`)
	want(t, h.mb("GET", "/v1/client/8801/addresses", ""), `200 [{"clientId":8801,"addressType":"Primary","addressId":3301,"addressTypeId":1,`+
		`"isActive":true,"addressLine1":"1 First Street","addressLine2":"Unit 2","city":"Sampletown","stateProvinceId":201,"stateName":"California",`+
		`"countryId":101,"countryName":"United States","postalCode":94016,"createdBy":"sandbox-operator"}]`)
	want(t, h.mb("POST", "/v1/clients/8801/identifiers", mbanqDocument("41", "X4409127", "issuedBy", `"Demo"`, "nationality", `101`)),
		`200 {"id":5101,"officeId":1,"clientId":8801,"resourceId":5101,"changes":{},"isScheduledTransfer":false,"isSkipNotification":false}`)
	want(t, h.mb("POST", "/v1/clients/8801/identifiers", `{"documentTypeId":44,"documentKey":"219099999","status":"active"}`),
		`200 {"id":5102,"officeId":1,"clientId":8801,"resourceId":5102,"changes":{},"isScheduledTransfer":false,"isSkipNotification":false}`)
	want(t, h.mb("GET", "/v1/clients/8801/identifiers", ""), `200 [{"id":5101,"clientId":8801,"documentType":{"id":41,"name":"Passport","isMasked":true},`+
		`"documentKey":"****9127","status":"Active","issuedBy":"Demo","issuedDate":[2021,5,9],"expiryDate":[2031,5,8],"nationality":{"id":101,"name":"United States"}},`+
		`{"id":5102,"clientId":8801,"documentType":{"id":44,"name":"SSN","isMasked":true},"documentKey":"*****9999","status":"Active"}]`)
	want(t, strings.Contains(h.mb("GET", "/v1/clients/8801/identifiers?unmaskValue=true", ""),
		`{"id":5102,"clientId":8801,"documentType":{"id":44,"name":"SSN"},"documentKey":"219099999","status":"Active"}`), true)
	body, media := mbanqScan("passport1", "p.png", "image/png", 100)
	h.mu.Lock()
	n := h.ids + 1
	h.mu.Unlock()
	want(t, h.mbanqUpload("5101", body, media), `200 {"id":"901","resourceIdentifier":"901","uuid":"`+id(n)+`"}`)

	want(t, h.mb("POST", mbanqClient+"?command=verify", `{"kycVerificationType":"FULL","note":"docs checked by ops"}`), mbanqVerified("8801", "APPROVED"))
	want(t, h.mb("GET", mbanqClient, ""), "200 "+shown(pending, sub, `"active":false,`, "", full))
	want(t, h.mb("GET", mbanqClient+"/verificationstatus", ""), `200 {"id":8801,"accountNo":"000008801","displayName":"Noor Example",`+
		`"legalForm":{"code":"legalFormType.person","value":"Person"},"verificationStatus":{"id":3,"value":"APPROVED"},"identifiers":[`+
		`{"id":5101,"clientId":8801,"documentType":{"id":41,"name":"Passport","isMasked":true},"documentKey":"****9127","status":"Active","issuedBy":"Demo",`+
		`"issuedDate":[2021,5,9],"expiryDate":[2031,5,8],"nationality":{"id":101,"name":"United States"},"verificationStatus":{"id":1,"value":"PENDING"}},`+
		`{"id":5102,"clientId":8801,"documentType":{"id":44,"name":"SSN","isMasked":true},"documentKey":"*****9999","status":"Active",`+
		`"verificationStatus":{"id":1,"value":"PENDING"}}],"mobileCountryCode":"1","activeDepositAccount":0,"ofLoanCycle":0,"ofLoanActive":0}`)
	want(t, h.mb("POST", mbanqClient+"?command=activate", mbanqActivation()), mbanqDone("8801"))
	want(t, h.mb("GET", mbanqClient, ""), "200 "+shown(`{"id":300,"code":"clientStatusType.active","value":"Active"}`, sub,
		`"active":true,"activationDate":[2026,1,2],`, `,"activatedOnDate":[2026,1,2],"activatedByUsername":"sandbox-operator"`, full))

	var effects []string
	for _, row := range h.rows("?partner=mbanq") {
		if row.Effect {
			effects = append(effects, row.Operation)
		}
	}
	want(t, effects, []string{"create-client", "add-address", "add-identifier", "add-identifier", "attach-document", "client-command", "client-command"})
}

func TestMbanq_Settings(t *testing.T) {
	t.Run("reverify", func(t *testing.T) {
		h := openOn(t, &memory{})
		id := h.mbanqComplete()
		h.mbanqVerifies(id, "PARTIAL")
		h.setMbanq("reverify", "refused")
		want(t, h.mbanqVerifies(id, "PARTIAL"), mbanqViolated(mbanqLacks(id, "already.verified")))
		want(t, h.mbanqVerifies(id, "FULL"), mbanqVerified(id, "APPROVED")) // an upgrade repeats nothing
		want(t, h.mbanqVerifies(id, "PARTIAL"), mbanqViolated(mbanqLacks(id, "already.verified")))
		want(t, h.mbanqStands(id), "100 Verified APPROVED FULL")
	})
	t.Run("block_activation", func(t *testing.T) {
		h := openOn(t, &memory{})
		h.setMbanq("block_activation", "no")
		id := h.mbanqMakes()
		want(t, h.mbanqActivates(id), mbanqDone(id))
		want(t, h.mbanqStands(id), "300 PENDING")
	})
	t.Run("already_active_status", func(t *testing.T) {
		h := openOn(t, &memory{})
		h.setMbanq("already_active_status", "400")
		id := h.mbanqComplete()
		h.mbanqVerifies(id, "FULL")
		h.mbanqActivates(id)
		want(t, h.mbanqActivates(id), mbanqNotValid(mbanqReason("error.msg.clients.already.active", "Cannot activate client. Client is already active.", "activationDate", `"2026-01-02"`)))
	})
	t.Run("unknown_fields", func(t *testing.T) {
		h := openOn(t, &memory{})
		want(t, h.mb("POST", "/v1/clients", mbanqPerson("shoeSize", "43")), mbanqDone("8801"))
		h.setMbanq("unknown_fields", "refused")
		unsupported := func(names ...string) string {
			var all []string
			for _, name := range names {
				all = append(all, mbanqReason("error.msg.parameter.unsupported", "The parameter "+name+" is not supported.", name, `"`+name+`"`))
			}
			return mbanqNotValid(all...)
		}
		want(t, h.mb("POST", "/v1/clients", `{"shoeSize":43,"hat":{}}`), unsupported("hat", "shoeSize"))
		want(t, h.mb("POST", "/v1/clients", mbanqPerson("address", `[`+mbanqHome("floor", "1")+`]`)), unsupported("floor"))
		want(t, h.mb("POST", "/v1/client/8801/addresses?type=1", mbanqHome("floor", "1")), unsupported("floor"))
		want(t, h.mb("POST", "/v1/clients/8801/identifiers", mbanqDocument("41", "K", "floor", "1")), unsupported("floor"))
		want(t, h.mb("POST", mbanqClient+"?command=verify", `{"type":"FULL"}`), unsupported("type"))
		want(t, h.mb("POST", mbanqClient+"?command=activate", mbanqActivation("note", `"x"`)), unsupported("note"))
		want(t, h.mb("POST", "/v1/clients", mbanqPerson("mobileNo", `"1"`, "isOptedForMLALStatus", "true", "currentMLALStatus", `"x"`, "staffId", "1")), mbanqDone("8802"))
	})
	t.Run("token_lifetime", func(t *testing.T) {
		for value, lifetime := range map[string]time.Duration{"3600": time.Hour, "90": 90 * time.Second, "5": 5 * time.Second} {
			h := openOn(t, &memory{}, func(o *sandbox.Options) { o.TimeScale = 1000 }) // which does not scale it
			h.setMbanq("token_lifetime", value)
			want(t, h.mbanqIssue(mbanqForm()).Expires, int(lifetime.Seconds()))
			h.mbanqAccess()
			h.advance(lifetime - time.Nanosecond)
			want(t, strings.HasPrefix(h.mb("GET", "/v1/clients", ""), "200 "), true)
			h.advance(time.Nanosecond)
			want(t, h.mb("GET", "/v1/clients", ""), mbanqUnauthenticated)
		}
	})
}

func TestMbanq_Tokens(t *testing.T) {
	const (
		badUser   = `400 {"error":"invalid_grant","error_description":"Bad credentials"}`
		badClient = `401 {"error":"invalid_client","error_description":"Bad client credentials"}`
		inactive  = `400 {"error":"invalid_grant","error_description":"Invalid refresh token"}`
		noGrant   = `400 {"error":"invalid_request","error_description":"Missing grant type"}`
		badGrant  = `400 {"error":"unsupported_grant_type","error_description":"Unsupported grant type"}`
	)
	for _, test := range []struct{ name, body, want string }{
		{"ErrPassword", mbanqForm("password", "x"), badUser},
		{"ErrUsername", mbanqForm("username", ""), badUser},
		{"ErrClientID", mbanqForm("client_id", "x"), badClient},
		{"ErrClientSecret", mbanqForm("client_secret", ""), badClient},
		{"ErrClientBeforeGrant", mbanqForm("client_id", "x", "grant_type", "x"), badClient},
		{"ErrNoGrantType", mbanqForm("grant_type", ""), noGrant},
		{"ErrGrantType", mbanqForm("grant_type", "client_credentials"), badGrant},
		{"ErrEmpty", "", badClient},
		{"ErrRefreshUnknown", mbanqForm("grant_type", "refresh_token", "refresh_token", "x"), inactive},
		{"ErrRefreshMissing", mbanqForm("grant_type", "refresh_token"), inactive},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := openOn(t, &memory{})
			want(t, text(h.do(mbanqTokenRequest(test.body))), test.want)
			want(t, h.rows("")[0].Effect, false)
		})
	}
	t.Run("Refresh", func(t *testing.T) {
		h := openOn(t, &memory{})
		use := func(access string) int {
			h.mbanq.token = access
			return h.do(h.toMbanq("GET", "/v1/clients", "")).Code
		}
		refresh := func(token string) string {
			return mbanqForm("grant_type", "refresh_token", "refresh_token", token, "username", "", "password", "")
		}
		first := h.mbanqIssue(mbanqForm())
		want(t, text(h.do(mbanqTokenRequest(refresh(first.Access)))), inactive)
		h.advance(2 * time.Hour) // the access token is over
		second := h.mbanqIssue(refresh(first.Refresh))
		want(t, []int{use(first.Access), use(second.Access), use(second.Refresh)}, []int{401, 200, 401})
		want(t, text(h.do(mbanqTokenRequest(refresh(first.Refresh)))), inactive)
		h.advance(24 * time.Hour)
		want(t, text(h.do(mbanqTokenRequest(refresh(second.Refresh)))), inactive)
	})
	t.Run("RefreshAfterRevocation", func(t *testing.T) {
		h := openOn(t, &memory{})
		issued := h.mbanqIssue(mbanqForm())
		h.mbanq.token = issued.Access
		h.post("/sandbox/faults", `{"partner":"mbanq","operation":"list-clients","fault":"expired_token"}`)
		want(t, h.mb("GET", "/v1/clients", ""), mbanqUnauthenticated)
		want(t, h.mb("GET", "/v1/clients", ""), mbanqUnauthenticated)
		h.mbanq.token = h.mbanqIssue(mbanqForm("grant_type", "refresh_token", "refresh_token", issued.Refresh)).Access
		want(t, h.mb("GET", "/v1/clients", ""), `200 {"totalFilteredRecords":0,"pageItems":[]}`)
	})
	t.Run("Options", func(t *testing.T) {
		h := openOn(t, &memory{}, func(o *sandbox.Options) { o.Mbanq.Password, o.Mbanq.TenantID = "other", "t9demo" })
		r := mbanqTokenRequest(mbanqForm("password", "other"))
		want(t, text(h.do(r)), mbanqWrongTenant)
		r = mbanqTokenRequest(mbanqForm("password", "other"))
		r.Header.Set("tenantId", "t9demo")
		want(t, h.do(r).Code, 200)
	})
}

func TestMbanq_Authorization(t *testing.T) {
	h := openOn(t, &memory{})
	h.prepareMbanq()
	for _, op := range sandbox.Operations() {
		if op.Partner != "mbanq" {
			continue
		}
		t.Run(op.Name, func(t *testing.T) {
			for _, tenant := range []string{"", "x", "Sandbox-Tenant"} {
				r := h.mbanqRequest(op)
				r.Header.Set("tenantId", tenant)
				want(t, text(h.do(r)), mbanqWrongTenant)
			}
			if op.Name == "delete-client" {
				h.mbanq.spared = 0
			}
			r := h.mbanqRequest(op)
			r.Header.Set("Fineract-Platform-TenantId", r.Header.Get("tenantId"))
			r.Header.Del("tenantId")
			want(t, text(h.do(r)), mbanqWrongTenant)
			if op.Name != "issue-token" {
				for _, header := range []string{"", "Bearer x", "Bearer ", "Basic " + h.mbanqAccess(), h.mbanqAccess()} {
					r := h.mbanqRequest(op)
					r.Header.Set("Authorization", header)
					want(t, text(h.do(r)), mbanqUnauthenticated)
				}
			}
			if op.Name == "delete-client" {
				h.mbanq.spared = 0
			}
			r = h.mbanqRequest(op)
			r.Header.Del("tenantId")
			query := r.URL.Query()
			query.Set("tenantIdentifier", "sandbox-tenant")
			r.URL.RawQuery = query.Encode()
			want(t, h.do(r).Code, 200)
		})
	}
}

func TestMbanq_Idempotency(t *testing.T) {
	post := func(h *harness, path, key, body string) *httptest.ResponseRecorder {
		r := h.toMbanq("POST", path, body)
		r.Header.Set("Idempotency-Key", key)
		return h.do(r)
	}
	t.Run("Ignored", func(t *testing.T) {
		h := openOn(t, &memory{})
		want(t, text(post(h, "/v1/clients", "k", mbanqPerson())), mbanqDone("8801"))
		want(t, text(post(h, "/v1/clients", "k", mbanqPerson())), mbanqTaken("mobileNo", "5550100017"))
	})
	t.Run("Honoured", func(t *testing.T) {
		h := openOn(t, &memory{})
		h.setMbanq("idempotency", "honoured")
		first := post(h, "/v1/clients", "k", mbanqPerson())
		want(t, first.Header().Get("x-served-from-cache"), "")
		again := post(h, "/v1/clients", "k", mbanqPerson("mobileNo", `"1"`)) // whatever it asks
		want(t, text(again), text(first))
		want(t, again.Header(), http.Header{"Content-Type": {"application/json"}, "X-Served-From-Cache": {"true"}})
		want(t, text(post(h, "/v1/clients", "k2", mbanqPerson("mobileNo", `"1"`))), mbanqDone("8802"))
		want(t, text(post(h, "/v1/client/8801/addresses?type=1", "k", mbanqHome())), `200 {"clientId":8801,"resourceId":3301}`) // of another operation
		want(t, text(post(h, "/v1/clients/8801/identifiers", "k", mbanqDocument("41", "X1"))), text(post(h, "/v1/clients/8801/identifiers", "k", mbanqDocument("41", "X1"))))

		// A failure is replayed too, though it would be none by now.
		refused := mbanqViolated(mbanqLacks("8801", "tax.identifier.required"))
		want(t, text(post(h, mbanqClient+"?command=verify", "k", `{}`)), refused)
		h.mbanqIdentifies("8801", "44")
		want(t, text(post(h, mbanqClient+"?command=verify", "k", `{}`)), refused)
		want(t, text(post(h, mbanqClient+"?command=verify", "k3", `{}`)), mbanqVerified("8801", "APPROVED"))
		want(t, text(post(h, mbanqClient+"?command=activate", "k", mbanqActivation())), mbanqDone("8801")) // of another command
		for range 2 {
			want(t, text(post(h, mbanqClient+"?command=activate", "k", mbanqActivation())), mbanqDone("8801"))
		}
		var effects int
		for _, row := range h.rows("?partner=mbanq") {
			if row.Effect {
				effects++
			}
		}
		want(t, effects, 7)

		h.setMbanq("idempotency", "ignored")
		want(t, post(h, mbanqClient+"?command=activate", "k", mbanqActivation()).Code, 403)
	})
	t.Run("AnyBytes", func(t *testing.T) {
		h := openOn(t, &memory{})
		h.setMbanq("idempotency", "honoured")
		id := h.mbanqMakes()
		want(t, post(h, "/v1/clients/"+id+"?command=%ff", "\xff", `{}`).Code, 400)
		h.mbanq.token = "\xff"
		want(t, text(post(h, "/v1/clients", "k", mbanqPerson())), mbanqUnauthenticated)
	})
	t.Run("NotBeforeTheToken", func(t *testing.T) {
		h := openOn(t, &memory{})
		h.setMbanq("idempotency", "honoured")
		h.mbanqAccess()
		h.mbanq.token = "x"
		want(t, text(post(h, "/v1/clients", "k", mbanqPerson())), mbanqUnauthenticated)
		h.mbanq.token = ""
		want(t, text(post(h, "/v1/clients", "k", mbanqPerson())), mbanqDone("8801"))
	})
}

func TestMbanq_Reset(t *testing.T) {
	store := &memory{}
	h := openOn(t, store)
	id := h.mbanqComplete("externalId", `"onb-1"`)
	h.setMbanq("verify", "async")
	h.mbanqVerifies(id, "FULL")
	want(t, h.post("/sandbox/reset", ""), "204")
	want(t, len(store.items), 0)
	want(t, h.mb("GET", mbanqClient, ""), mbanqUnauthenticated)
	h.mbanq = mbanqHarness{}
	want(t, h.mbanqComplete("externalId", `"onb-1"`), id)
	want(t, h.mbanqVerifies(id, "FULL"), mbanqVerified(id, "APPROVED"))
}

// TestMbanq_ConcurrentCreates: of repeats with one externalId one has an effect; others each get a number.
func TestMbanq_ConcurrentCreates(t *testing.T) {
	h := open(t, func(o *sandbox.Options) { o.NewID = nil })
	h.mbanqAccess()
	const n = 20
	codes := make(chan int, 2*n)
	for i := range n {
		same := h.toMbanq("POST", "/v1/clients", mbanqPerson("externalId", `"onb-1"`, "mobileNo", fmt.Sprintf(`"1%03d"`, i)))
		other := h.toMbanq("POST", "/v1/clients", mbanqPerson("mobileNo", fmt.Sprintf(`"2%03d"`, i)))
		for _, r := range []*http.Request{same, other} {
			go func() { codes <- h.do(r).Code }()
		}
	}
	got := map[int]int{}
	for range 2 * n {
		got[<-codes]++
	}
	want(t, got, map[int]int{200: n + 1, 403: n - 1})
	want(t, strings.Contains(h.mb("GET", "/v1/clients", ""), fmt.Sprintf(`{"totalFilteredRecords":%d,`, n+1)), true)
}

// TestMbanq_KeepsNoSecrets: the log holds nothing of a person, the store no file, no password and no token.
func TestMbanq_KeepsNoSecrets(t *testing.T) {
	store, log := &memory{}, &strings.Builder{}
	h := openOn(t, store, func(o *sandbox.Options) { o.Log = newLog(log) })
	id := h.mbanqComplete("externalId", `"onb-1"`)
	body, media := mbanqScan("passport", "p.pdf", "application/pdf", 10)
	h.mbanqUpload("5101", strings.Replace(body, strings.Repeat("\x00", 10), "SECRETFILE", 1), media)
	h.mbanqVerifies(id, "FULL")
	for _, secret := range []string{"Noor", "noor@example.com", "5550", "K0000", "onb-1", h.mbanq.token} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
	for key, value := range store.items {
		for _, secret := range []string{"SECRETFILE", h.mbanq.token, sandbox.MbanqDefaults().Password} {
			if strings.Contains(key+string(value), secret) {
				t.Errorf("the store holds %q in %s", secret, key)
			}
		}
	}
}
