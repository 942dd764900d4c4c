package equal_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"sallyport/functions/sandbox"
	"sallyport/functions/sandbox/equal"
	"sallyport/functions/sandbox/sandboxtest"
)

// harness is a sandbox of Equal alone.
type harness struct {
	*sandboxtest.Harness
}

type options = sandboxtest.Options[equal.Options]

func open(t testing.TB, change ...func(*options)) *harness {
	t.Helper()
	return openOn(t, sandboxtest.NewBolt(t), change...)
}

// strict is one that goes by inferred rules too.
func strict(t testing.TB) *harness {
	t.Helper()
	h := open(t)
	want(t, h.post("/sandbox/settings", `{"partner":"equal","name":"strict","value":"inferred"}`)[:3], "200")
	return h
}

func openOn(t testing.TB, store sandbox.Store, change ...func(*options)) *harness {
	t.Helper()
	return &harness{Harness: sandboxtest.OpenPartner(t, store, equal.New, equal.Options{RequestsPerSecond: -1}, change...)}
}

func want[T any](t testing.TB, got, want T) {
	t.Helper()
	sandboxtest.Want(t, got, want)
}

const (
	initPath    = "/sandbox/equal/ie/transaction/init"
	executePath = "/sandbox/equal/ie/transaction/journey/execute"
	fetchPath   = "/sandbox/equal/ie/transaction/journey/data/fetch"

	number = "999900000016" // of the ordinary person
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
	want(h.T, h.post(initPath, `{"gateway_instance_id":"gateway.equal.dev_test"}`),
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

func (h *harness) fetch(transaction, run string) string {
	h.T.Helper()
	return h.post(fetchPath, `{"transaction_id":"`+transaction+`","journey_transaction_id":"`+run+`"}`)
}

// The answers of the fixtures, by what varies in them.

func sent(transaction string, n int) string {
	return `200 {"transaction_id":"` + transaction + `","journey_transaction_id":"` + run(n) + `","journey_id":"aadhaar_otp_sim_v1",` +
		`"status":"IN_PROGRESS","status_code":"success","message":"Success","checks":[],"data":{}}`
}

func failed(transaction, code, message string) string {
	return `200 {"transaction_id":"` + transaction + `","journey_id":"aadhaar_otp_sim_v1","status":"FAILURE",` +
		`"status_code":"` + code + `","message":"` + message + `","checks":[],"data":{}}`
}

func verified(transaction string, n int) string {
	return `200 {"transaction_id":"` + transaction + `","journey_transaction_id":"` + run(n) + `","journey_id":"aadhaar_otp_sim_v1",` +
		`"status":"SUCCESS","status_code":"success","message":"Request successful","decision":"CLEAR","checks":[],` +
		`"data":{"keys":{"aadhaar":[{"aadhaar_no":"XXXXXXXX0016","name":"MEERA KULKARNI","source":"sandbox","issuer":"",` +
		`"decision":"CLEAR","checks":[{"check_id":"ownership_check","check_result":"PASS","status_code":"success",` +
		`"metadata":{"data_source":"BUSINESS_PROVIDED","match_logic":"fuzzy>=80"}}]}]}}}`
}

const (
	invalidRequest = `400 {"status":"FAILURE","status_code":"invalid_request","message":"Invalid Request"}`
	unauthorized   = `401 {"status":"FAILURE","status_code":"invalid_credentials","message":"Invalid Client Credentials"}`
	internalError  = `500 {"status":"FAILURE","status_code":"internal_server_error","message":"Something went wrong, please try again."}`
)

func required(field string) string {
	return `400 {"status":"FAILURE","status_code":"invalid_request","message":"` + field + ` is required"}`
}

// bodyOf is a request to each operation that succeeds, in a sandbox where step 1 was taken in the first transaction.
func bodyOf(operation string) string {
	switch operation {
	case "init-transaction":
		return `{"gateway_instance_id":"gateway.equal.dev_test"}`
	case "execute-journey":
		return `{"transaction_id":"` + sandboxtest.ID(1) + `","journey_id":"aadhaar_otp_sim_v1","request_id":"r","input_data":{"aadhaar_no":"` + number + `","otp":"123456"}}`
	}
	return `{"transaction_id":"` + sandboxtest.ID(1) + `","journey_transaction_id":"` + run(2) + `"}`
}

// suite is Equal as the tests that every simulated partner must pass need it.
func suite() sandboxtest.Suite {
	return sandboxtest.Suite{
		Simulator: equal.New(equal.Options{}),
		Prepare: func(t testing.TB, store sandbox.Store, change func(*sandbox.Options)) sandboxtest.Prepared {
			t.Helper()
			h := openOn(t, store, func(o *options) { change(&o.Options) })
			h.init()
			h.step1(sandboxtest.ID(1), number)
			return sandboxtest.Prepared{Harness: h.Harness, Request: func(op sandbox.Operation) *http.Request {
				return request(op.Method, "/sandbox/equal"+op.Path, bodyOf(op.Name))
			}}
		},
		Failure: func(_ sandbox.Operation, status int) string {
			switch status {
			case 401:
				return unauthorized
			case 500:
				return internalError
			}
			return fmt.Sprint(status)
		},
		Internal: internalError,
		Again: func(t *testing.T, op sandbox.Operation, f sandbox.Fault, body string, effect bool) {
			switch op.Name {
			case "init-transaction":
				want(t, effect, true)
			case "execute-journey":
				want(t, strings.Contains(body, `"MEERA KULKARNI"`), true)
				want(t, effect, !f.Effect) // verified already: replayed
			default:
				want(t, effect, false)
			}
		},
	}
}

func TestFaultMatrix(t *testing.T) { suite().FaultMatrix(t) }

func TestBrokenStore(t *testing.T) { suite().BrokenStore(t) }
