package sandbox_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"sallyport/functions/sandbox"
	"sallyport/functions/sandbox/digit9"
	"sallyport/functions/sandbox/equal"
	"sallyport/functions/sandbox/sandboxtest"
)

// harness is a sandbox of two partners, by whom the frame is tested: Equal, and Digit9, who calls back.
type harness struct {
	*sandboxtest.Harness
	token string // of Digit9; see access
}

func open(t testing.TB, change ...func(*sandbox.Options)) *harness {
	t.Helper()
	return openOn(t, sandboxtest.NewBolt(t), change...)
}

func openOn(t testing.TB, store sandbox.Store, change ...func(*sandbox.Options)) *harness {
	t.Helper()
	return &harness{Harness: sandboxtest.Open(t, store, func(o *sandbox.Options) {
		o.Simulators = []sandbox.Simulator{equal.New(equal.Options{RequestsPerSecond: -1}), digit9.New(digit9.Options{})}
		for _, f := range change {
			f(o)
		}
	})}
}

func want[T any](t testing.TB, got, want T) {
	t.Helper()
	sandboxtest.Want(t, got, want)
}

// Equal.

const (
	initPath    = "/sandbox/equal/ie/transaction/init"
	executePath = "/sandbox/equal/ie/transaction/journey/execute"

	number = "999900000016" // of the ordinary person

	initBody = `{"gateway_instance_id":"gateway.equal.dev_test"}`
)

// run is the journey_transaction_id made of the nth id and the next.
func run(n int) string {
	return "EQ.GT." + sandboxtest.ID(n) + "#aadhaar_otp_sim_v1#" + strings.ReplaceAll(sandboxtest.ID(n+1), "-", "")
}

// request returns a request with the partner's credentials and a caller's key.
func request(method, path, body string) *http.Request {
	r := sandboxtest.Request(method, path, body)
	r.Header.Set("Authorization", sandboxtest.Basic("sandbox.client#1", "sandbox-secret="))
	return r
}

// post returns the answer as "status body".
func (h *harness) post(path, body string) string {
	h.T.Helper()
	return sandboxtest.Text(h.Do(request("POST", path, body)))
}

// init starts a transaction, which has sandboxtest.ID(1) in a fresh harness.
func (h *harness) init() string {
	h.T.Helper()
	id := sandboxtest.ID(h.IDs() + 1)
	want(h.T, h.post(initPath, initBody),
		`200 {"transaction_id":"`+id+`","status":"SUCCESS","status_code":"success","message":"Request successful","checks":[],"data":{}}`)
	return id
}

// step1 and step2 return the answer as "status body".
func (h *harness) step1(transaction, number string) string {
	h.T.Helper()
	return h.post(executePath, step1Body(transaction, number))
}

func step1Body(transaction, number string) string {
	return `{"transaction_id":"` + transaction + `","journey_id":"aadhaar_otp_sim_v1","request_id":"att-0001",` + "\n" +
		` "input_data":{"aadhaar_no":"` + number + `"}}`
}

func (h *harness) step2(transaction, number, otp, requestID string) string {
	h.T.Helper()
	return h.post(executePath, `{"transaction_id":"`+transaction+`","journey_id":"aadhaar_otp_sim_v1","request_id":"`+requestID+`",
 "input_data":{"aadhaar_no":"`+number+`","otp":"`+otp+`"}}`)
}

func sent(transaction string, n int) string {
	return `200 {"transaction_id":"` + transaction + `","journey_transaction_id":"` + run(n) + `","journey_id":"aadhaar_otp_sim_v1",` +
		`"status":"IN_PROGRESS","status_code":"success","message":"Success","checks":[],"data":{}}`
}

func failed(transaction, code, message string) string {
	return `200 {"transaction_id":"` + transaction + `","journey_id":"aadhaar_otp_sim_v1","status":"FAILURE",` +
		`"status_code":"` + code + `","message":"` + message + `","checks":[],"data":{}}`
}

const (
	invalidRequest = `400 {"status":"FAILURE","status_code":"invalid_request","message":"Invalid Request"}`
	internalError  = `500 {"status":"FAILURE","status_code":"internal_server_error","message":"Something went wrong, please try again."}`
)

// Digit9.

const (
	lookupPath = "/sandbox/digit9/caas/api/v2/customer/validate"
	alertsPath = "/sandbox/digit9/alerts"
)

// access returns an access token, the same each time.
func (h *harness) access() string {
	h.T.Helper()
	if h.token == "" {
		d := digit9.Defaults()
		form := url.Values{
			"grant_type": {"password"}, "scope": {d.Scope}, "client_id": {d.ClientID}, "client_secret": {d.ClientSecret},
			"username": {d.Username}, "password": {d.Password},
		}
		r := sandboxtest.Keyless("POST", "/sandbox/digit9/auth/realms/cdp/protocol/openid-connect/token", form.Encode())
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		h.token = sandboxtest.Decoded[struct {
			Access string `json:"access_token"`
		}](h.T, h.Do(r), 200).Access
	}
	return h.token
}

// digit9 returns the answer to a request with a token, as "status body".
func (h *harness) digit9(path, body string) string {
	h.T.Helper()
	r := sandboxtest.Keyless("POST", path, body)
	r.Header.Set("Authorization", "Bearer "+h.access())
	return sandboxtest.Text(h.Do(r))
}

func (h *harness) lookup(number string) string {
	h.T.Helper()
	return h.digit9(lookupPath, `{"idType":"4","idNumber":"`+number+`"}`)
}

func lookedUp(ecrn, customerStatus, amlStatus string) string {
	return `200 {"status":"success","statusCode":200,"data":{"ecrn":"` + ecrn + `","first_name":"NOOR","middle_name":"",` +
		`"last_name":"EXAMPLE","agent_location_id":"784999","primary_mobile_number":"+971500000017","email_id":"noor@example.com",` +
		`"customer_status":"` + customerStatus + `","aml_scan_status":"` + amlStatus + `","id_status":"Active",` +
		`"id_date_of_expiry":"2031-03-09T00:00:00.000+00:00"}}`
}

// held onboards somebody whose alert waits to be closed, and returns the customer's number.
func (h *harness) held() (ecrn string) {
	h.T.Helper()
	answer := h.digit9("/sandbox/digit9/caas-lcm/api/v1/CAAS/onBoarding/customer", `{"channel":"WEB","first_name":"NOOR","last_name":"EXAMPLE",`+
		`"nationality":"IN","date_of_birth":"1991-02-03","country_of_birth":"IN","resident_type_id":101,"country_of_residence":"AE",`+
		`"gender":"Female","primary_mobile_number":"+971500000017","email_id":"noor@example.com",`+
		`"address_list":[{"address_type_id":"1","city":"Dubai","country":"AE"}],`+
		`"id_details":[{"id_type":4,"id_number":"784199000000413","name_as_per_id":"Noor Example","issued_country":"AE",`+
		`"issued_on":"2021-03-10","date_of_expiry":"2031-03-09","id_front":{"base64_data":"AAAA","content_type":"image/jpeg"}}]}`)
	ecrn = regexp.MustCompile(`784[0-9]{13}`).FindString(answer)
	if ecrn == "" {
		h.T.Fatal(answer)
	}
	return ecrn
}

// closes has compliance decide, and returns the answer.
func (h *harness) closes(ecrn, body string) string {
	h.T.Helper()
	return sandboxtest.Text(h.Do(sandboxtest.Keyless("POST", alertsPath+"/"+ecrn, body)))
}

func closed(ecrn, customerStatus, amlStatus string) string {
	return `200 {"aml_scan_status":"` + amlStatus + `","ecrn":"` + ecrn + `","customer_status":"` + customerStatus + `"}`
}
