package mbanq_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"sallyport/functions/mbanq"
	"sallyport/shared/gateway"
	"sallyport/shared/operation"
)

const (
	tokenPath = "/oauth/token"
	secret    = `{"tenant_id":"t9demo","client_id":"api","client_secret":"se&cret=","username":"agent","password":"pass word","token_headers":{"X-Caller-Address":"198.51.100.7"}}`
	granted   = `{"access_token":"at-1","token_type":"bearer","refresh_token":"rt-1","expires_in":3600,"scope":"all"}`

	aClient = `{"officeId":1,"legalFormId":1,"firstname":"Noor","lastname":"Example","dateOfBirth":"1991-07-03","genderId":22,"emailAddress":"noor@example.com",` +
		`"mobileCountryCode":"1","mobileNo":"5550101","submittedOnDate":"2026-01-05","dateFormat":"yyyy-MM-dd","locale":"en","externalId":"ext-1"}`
	anAddress  = `{"addressLine1":"1 First Street","city":"Sampletown","stateProvinceId":7,"countryId":3,"postalCode":"01001","isActive":true}`
	aPassport  = `{"documentTypeId":"41","documentKey":"X4409127","status":"Active","issuedDate":"2021-05-09","expiryDate":"2031-05-08","dateFormat":"yyyy-MM-dd","locale":"en"}`
	activation = `{"activationDate":"2026-03-04","dateFormat":"yyyy-MM-dd","locale":"en"}`
	full       = `{"kycVerificationType":"FULL","note":"docs checked by ops"}`
	partial    = `{"kycVerificationType":"PARTIAL"}`

	// Answers of the contract's examples (§12).
	created   = `{"id":8812,"officeId":1,"clientId":8812,"resourceId":8812}`
	verified  = `{"id":8812,"clientId":8812,"officeId":1,"resourceId":8812,"data":{"clientVerificationStatus":"APPROVED","clientKycStatus":"APPROVED"}}`
	aPending  = `{"id":8812,"accountNo":"000008812","externalId":"ext-1","officeId":1,"status":{"id":100,"code":"clientStatusType.pending","value":"Pending"},"subStatus":{"active":false,"mandatory":false,"systemDefined":false},"active":false,"dateOfBirth":[1991,7,3],"clientVerificationStatus":"PENDING"}`
	aVerified = `{"id":8812,"accountNo":"000008812","externalId":"ext-1","officeId":1,"status":{"id":100,"code":"clientStatusType.pending","value":"Pending"},"subStatus":{"id":77,"name":"Verified","active":true,"mandatory":false,"systemDefined":true},"active":false,"dateOfBirth":[1991,7,3],"clientVerificationStatus":"APPROVED"}`
)

// answer is what a scripted partner says; a status of 0 is a connection that breaks.
type answer struct {
	status int
	body   string
}

// asked is a request that reached it.
type asked struct {
	method, url, body string
	header            http.Header
}

// partner answers the token endpoint and, one after the other, everything else.
type partner struct {
	url   string
	token answer

	mu      sync.Mutex
	answers []answer
	asked   []asked
}

func newPartner(t testing.TB, answers ...answer) *partner {
	t.Helper()
	p := &partner{token: answer{200, granted}, answers: answers}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		p.mu.Lock()
		defer p.mu.Unlock()
		p.asked = append(p.asked, asked{r.Method, r.URL.String(), string(text), r.Header})
		a := p.token
		if r.URL.Path != tokenPath {
			if len(p.answers) == 0 {
				t.Errorf("asked once more: %s %s", r.URL, text)
				return
			}
			a, p.answers = p.answers[0], p.answers[1:]
		}
		if a.status == 0 {
			panic(http.ErrAbortHandler)
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(a.status)
		_, _ = w.Write([]byte(a.body))
	}))
	t.Cleanup(server.Close)
	p.url = server.URL
	return p
}

func (p *partner) config() mbanq.Config { return mbanq.Config{BaseURL: p.url} }

// requests are those that reached it so far, the token's among them.
func (p *partner) requests() []asked {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked
}

// newCall is a call outside the pipeline whose references show what they are made of.
func newCall(secret string) operation.Call {
	call := operation.NewCall("acme", []byte(secret))
	call.ID = "transaction"
	call.Reference = func(_ string, parts ...string) string { return strings.Join(parts, "-") }
	return call
}

// call makes an operation's call.
func call[In any](t testing.TB, op operation.Operation[In], req gateway.Request) operation.Outcome {
	t.Helper()
	in, err := op.Decode(req)
	if err != nil {
		t.Fatal(err)
	}
	return op.Call(t.Context(), newCall(secret), in)
}

// lookup asks what became of a lost call.
func lookup[In any](
	t testing.TB, op operation.Operation[In], req gateway.Request,
) (operation.Outcome, operation.Finding) {
	t.Helper()
	in, err := op.Decode(req)
	if err != nil {
		t.Fatal(err)
	}
	return op.Lookup(t.Context(), newCall(secret), in)
}

func post(body string) gateway.Request { return gateway.Request{Method: "POST", Body: []byte(body)} }

// to is a request about client 8812, with a query of names and values.
func to(body string, query ...string) gateway.Request {
	req := gateway.Request{
		Method: "POST", Body: []byte(body), Params: map[string]string{"clientId": "8812"}, Query: map[string]string{},
	}
	for i := 0; i < len(query); i += 2 {
		req.Query[query[i]] = query[i+1]
	}
	return req
}

// fromMachine is a request as a state machine makes it.
func fromMachine(req gateway.Request) gateway.Request {
	req.FromStateMachine, req.Method = true, ""
	return req
}

// problem is one of the errors of an envelope (§6).
func problem(code, text string) string {
	return `{"developerMessage":` + strconv.Quote(text) + `,"defaultUserMessage":` + strconv.Quote(text) + `,"userMessageGlobalisationCode":"` + code + `","parameterName":"id","value":null,"args":[{"value":8812}]}`
}

// envelope is a failure as the partner writes it; without problems, errors is null.
func envelope(status int, code string, problems ...string) string {
	errors := "null"
	if problems != nil {
		errors = "[" + strings.Join(problems, ",") + "]"
	}
	return `{"developerMessage":"Request was understood but caused a domain rule violation.","httpStatusCode":"` + strconv.Itoa(status) +
		`","defaultUserMessage":"Errors contain reason for domain rule violation.","userMessageGlobalisationCode":"` + code + `","errors":` + errors + `}`
}

// violation is a 403 of a rule of the domain.
func violation(codes ...string) answer {
	var problems []string
	for _, code := range codes {
		problems = append(problems, problem(code, "Client 8812 …"))
	}
	return answer{403, envelope(403, "validation.msg.domain.rule.violation", problems...)}
}
