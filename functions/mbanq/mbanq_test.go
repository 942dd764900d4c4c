package mbanq_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
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

	// Answers of the contract's examples (mbanq §12).
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

func TestRequestsOnTheWire(t *testing.T) {
	scan, scanType := form([2]string{"name", "passport"}, [2]string{"file", "\xff\xd8\x00"})
	for name, test := range map[string]struct {
		call        func(mbanq.Config) operation.Outcome
		method, url string
		body        string
		key         string
	}{
		"Create": {
			func(c mbanq.Config) operation.Outcome { return call(t, mbanq.CreateClient(c), post(" "+aClient)) }, "POST",
			"/v1/clients", " " + aClient, "transaction-1",
		},
		"Get": {func(c mbanq.Config) operation.Outcome {
			return call(
				t, mbanq.GetClient(c), to("", "clientAccountAssociate", "true", "tenantIdentifier", "t9demo", "other", "x"),
			)
		}, "GET", "/v1/clients/8812?clientAccountAssociate=true", "", ""},
		"List": {func(c mbanq.Config) operation.Outcome {
			return call(t, mbanq.ListIdentifiers(c), to("", "unmaskValue", "true", "fields", "id,status"))
		}, "GET", "/v1/clients/8812/identifiers?fields=id%2Cstatus&unmaskValue=true", "", ""},
		"Address": {func(c mbanq.Config) operation.Outcome {
			return call(t, mbanq.AddAddress(c), to(anAddress, "type", "1"))
		}, "POST", "/v1/client/8812/addresses?type=1", anAddress, "transaction-1"},
		"Identifier": {
			func(c mbanq.Config) operation.Outcome { return call(t, mbanq.AddIdentifier(c), to(aPassport)) }, "POST",
			"/v1/clients/8812/identifiers", aPassport, "transaction-1",
		},
		"Document": {func(c mbanq.Config) operation.Outcome {
			return call(t, mbanq.AttachDocument(c), attach(scan, scanType))
		}, "POST", "/v1/client_identifiers/17/documents", scan, "transaction-1"},
		"Verify": {func(c mbanq.Config) operation.Outcome {
			return call(t, mbanq.ClientCommand(c), to(full, "command", "verify"))
		}, "POST", "/v1/clients/8812?command=verify", full, "transaction-1"},
		"Activate": {func(c mbanq.Config) operation.Outcome {
			return call(t, mbanq.ClientCommand(c), to(activation, "command", "activate"))
		}, "POST", "/v1/clients/8812?command=activate", activation, "transaction-1"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPartner(t, answer{200, created})
			test.call(p.config())
			asked := p.requests()
			if len(asked) != 2 {
				t.Fatalf("asked %+v", asked)
			}
			grant, got := asked[0], asked[1]
			form, err := url.ParseQuery(grant.body)
			want := url.Values{
				"grant_type": {"password"}, "client_id": {"api"}, "client_secret": {"se&cret="}, "username": {"agent"},
				"password": {"pass word"},
			}
			if err != nil || form.Encode() != want.Encode() || grant.method != "POST" || grant.url != tokenPath ||
				grant.header.Get("Content-Type") != "application/x-www-form-urlencoded" ||
				grant.header.Get("tenantId") != "t9demo" || grant.header.Get("X-Caller-Address") != "198.51.100.7" ||
				grant.header.Get("Authorization") != "" {
				t.Errorf("asked for a token by %s %s %s, %v", grant.method, grant.url, grant.body, grant.header)
			}
			contentType := map[string]string{"GET": "", "POST": "application/json; charset=utf-8"}[test.method]
			if name == "Document" {
				contentType = scanType
			}
			if got.method != test.method || got.url != test.url || got.body != test.body ||
				got.header.Get("tenantId") != "t9demo" || got.header.Get("X-Caller-Address") != "" ||
				got.header.Get("Authorization") != "Bearer at-1" || got.header.Get("Content-Type") != contentType ||
				got.header.Get("Idempotency-Key") != test.key {
				t.Errorf("asked %s %s %s, %v", got.method, got.url, got.body, got.header)
			}
		})
	}
	t.Run("AddressOfAStateMachine", func(t *testing.T) { // whose body has the type
		p := newPartner(t, answer{200, `[]`}, answer{200, `{"clientId":8812,"resourceId":71}`})
		got := call(
			t, mbanq.AddAddress(p.config()), fromMachine(to(strings.Replace(anAddress, "{", `{"addressTypeId":"1",`, 1))),
		)
		asked := p.requests()
		if got.Class != operation.Done || asked[len(asked)-1].url != "/v1/client/8812/addresses?type=1" ||
			strings.Contains(asked[len(asked)-1].body, "addressTypeId") {
			t.Errorf("%+v, asked %+v", got, asked)
		}
	})
	t.Run("NextGeneration", func(t *testing.T) { // a stored failure of the partner's would be replayed for the same key
		op := mbanq.CreateClient(mbanq.Config{})
		in, err := op.Decode(post(aClient))
		if err != nil {
			t.Fatal(err)
		}
		p := newPartner(t, answer{200, created})
		next := newCall(secret)
		next.Generation = 2
		mbanq.CreateClient(p.config()).Call(t.Context(), next, in)
		if key := p.requests()[1].header.Get("Idempotency-Key"); key != "transaction-2" {
			t.Errorf("sent %s", key)
		}
	})
}

func TestTokenOfThePartner(t *testing.T) {
	get := func(c mbanq.Config, secret string) operation.Outcome {
		op := mbanq.GetClient(c)
		in, err := op.Decode(to(""))
		if err != nil {
			t.Fatal(err)
		}
		return op.Call(t.Context(), newCall(secret), in)
	}
	for name, test := range map[string]struct {
		answer answer
		class  operation.Class
	}{
		"InvalidGrant":   {answer{400, `{"error":"invalid_grant"}`}, operation.Credentials},
		"Envelope":       {answer{401, envelope(401, "error.msg.not.authenticated")}, operation.Credentials},
		"Forbidden":      {answer{403, `<html>`}, operation.Credentials},
		"Throttled":      {answer{429, ``}, operation.Unavailable},
		"RequestTimeout": {answer{408, ``}, operation.Unavailable},
		"Down":           {answer{503, `<html>`}, operation.Unavailable},
		"Lost":           {answer{0, ``}, operation.Unavailable}, // nothing was asked of the business yet
		"Redirect":       {answer{302, ``}, operation.Unavailable},
		"HTML":           {answer{200, `<html>`}, operation.Unavailable},
		"NoToken":        {answer{200, `{"expires_in":3600}`}, operation.Unavailable},
		"NoLifetime":     {answer{200, `{"access_token":"at-1"}`}, operation.Unavailable},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPartner(t)
			p.token = test.answer
			if got := get(p.config(), secret); got.Class != test.class || got.Reply.Status != 0 || len(p.requests()) != 1 {
				t.Errorf("got %+v, asked %+v", got, p.requests())
			}
			// as a state machine asks
			if got := call(t, mbanq.IssueToken(p.config()), gateway.Request{FromStateMachine: true}); got.Class != test.class {
				t.Errorf("got %+v", got)
			}
		})
	}
	t.Run("MalformedCredentials", func(t *testing.T) {
		for _, secret := range []string{``, `[]`, `{}`, `{"tenant_id":"t"}`, `{"username":"u"}`} {
			if got := get(mbanq.Config{BaseURL: "http://127.0.0.1:1"}, secret); got.Class != operation.Credentials ||
				got.Code != "credentials_malformed" {
				t.Errorf("%s: %+v", secret, got)
			}
		}
	})
	t.Run("NotSent", func(t *testing.T) {
		if got := get(mbanq.Config{BaseURL: "http://127.0.0.1:1"}, secret); got.Class != operation.Unavailable {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("OfAStateMachine", func(t *testing.T) { // it gets to see nothing
		p := newPartner(t)
		if got := call(
			t, mbanq.IssueToken(p.config()), gateway.Request{FromStateMachine: true},
		); got.Class != operation.Done || string(got.Reply.Body) != "{}" || len(got.Refs) != 0 {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("AnotherTenantOfThePartners", func(t *testing.T) {
		const want = `{"developerMessage":"Invalid tenant details were passed in api request.","httpStatusCode":"401","defaultUserMessage":"Invalid tenant identifier provided with request.","userMessageGlobalisationCode":"error.msg.invalid.tenant.identifier","errors":null}`
		p := newPartner(t, answer{200, aPending})
		req := to("", "tenantIdentifier", "t9demo")
		req.Header = map[string]string{"tenantid": "somebody-else"}
		if got := call(t, mbanq.GetClient(p.config()), req); got.Class != operation.Invalid || got.Reply.Status != 401 ||
			string(got.Reply.Body) != want || len(p.requests()) != 0 {
			t.Errorf("got %+v", got)
		}
		req.Header = nil
		if got := call(t, mbanq.GetClient(p.config()), req); got.Class != operation.Done {
			t.Errorf("got %+v", got)
		}
	})
}

// problem is one of the errors of an envelope (mbanq §6).
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

// TestClassification has every row of mbanq §7, and what else may come. Only what is clear to have had no effect
// releases the key.
func TestClassification(t *testing.T) {
	invalid := func(code string) answer {
		return answer{
			400, envelope(400, "validation.msg.validation.errors.exist", problem(code, "The parameter `x` is mandatory.")),
		}
	}
	const bare = `{"developerMessage":"x","defaultUserMessage":"x","userMessageGlobalisationCode":"error.msg.invalid.request.body","parameterName":"id","value":null,"args":[]}`
	for name, test := range map[string]struct {
		answer  answer
		class   operation.Class
		code    string
		replies bool
	}{
		"Done": {answer{200, created}, operation.Done, "ok", true},
		"IDsAsText": {
			answer{200, `{"id":"8812","clientId":"8812","resourceId":"8812"}`}, operation.Done, "ok", true,
		},
		"Blank": {
			invalid("validation.msg.client.x.cannot.be.blank"), operation.Invalid, "client.x.cannot.be.blank", true,
		},
		"BadEnum": {
			invalid("validation.msg.client.kycVerificationType.is.not.one.of.expected.enumerations"), operation.Invalid,
			"client.kycVerificationType.is.not.one.of.expected.enumerations", true,
		},
		"NoName": {
			invalid("validation.msg.client.id..no.name.details.passed"), operation.Invalid, "client.id..no.name.details.passed",
			true,
		},
		"BadQuery": {
			invalid("error.msg.query.parameter.value.unsupported"), operation.Invalid, "query.parameter.value.unsupported", true,
		},
		"BareError": {answer{400, bare}, operation.Invalid, "invalid.request.body", true},
		"AlreadyActive400": {
			invalid("error.msg.clients.already.active"), operation.Conflict, "clients.already.active", true,
		},
		"AlreadyActive403": {
			violation("error.msg.clients.already.active"), operation.Conflict, "clients.already.active", true,
		},
		"NotVerified": {
			violation("error.msg.client.activate.not.verified"), operation.Conflict, "client.activate.not.verified", true,
		},
		"TypeDuplicate": {
			violation("error.msg.clientIdentifier.type.duplicate"), operation.Conflict, "clientIdentifier.type.duplicate", true,
		},
		"Duplicate": {
			answer{
				403, envelope(403, "error.msg.client.duplicate.externalId", problem("error.msg.client.duplicate.externalId", "x")),
			},
			operation.Conflict, "client.duplicate.externalId", true,
		},
		"NoErrors": {violation(), operation.Conflict, "domain.rule.violation", true},
		"NotAuthorized": {
			answer{
				403,
				envelope(
					403, "error.msg.not.authorized", problem("error.msg.not.authorized", "User has no authority to: ACTIVATE_CLIENT"),
				),
			},
			operation.Credentials, "not.authorized", true,
		},
		// by what stands in front of the partner
		"ForbiddenHTML":  {answer{403, `<html>`}, operation.Invalid, "http_403", false},
		"ForbiddenEmpty": {answer{403, ``}, operation.Invalid, "http_403", true},
		"Unauthenticated": {
			answer{401, envelope(401, "error.msg.not.authenticated")}, operation.Credentials, "http_401", false,
		},
		"WrongTenant": {
			answer{401, envelope(401, "error.msg.invalid.tenant.identifier")}, operation.Credentials, "http_401", false,
		},
		"NotFound": {
			answer{
				404,
				envelope(
					404, "error.msg.resource.not.found",
					problem("error.msg.client.id.invalid", "Client with identifier 8812 does not exist"),
				),
			},
			operation.Invalid, "client.id.invalid", true,
		},
		"NotFoundHTML":   {answer{404, `<html>`}, operation.Invalid, "http_404", false},
		"RequestTimeout": {answer{408, ``}, operation.Unknown, "http_408", true},
		"ConcurrentChange": {
			answer{409, envelope(409, "error.msg.platform.service.client.conflict")}, operation.Unavailable,
			"platform.service.client.conflict", true,
		},
		"TooLarge":      {answer{413, `<html>`}, operation.Invalid, "http_413", false},
		"StillRunning":  {answer{425, aClient}, operation.Unknown, "http_425", false}, // its body is the request's
		"Throttled":     {answer{429, envelope(429, "x")}, operation.Throttled, "http_429", true},
		"ThrottledHTML": {answer{429, `<html>`}, operation.Throttled, "http_429", false},
		"ServerError": {
			answer{500, envelope(500, "error.msg.platform.server.side.error")}, operation.Unknown, "platform.server.side.error",
			true,
		},
		"Exception": {
			answer{500, `{"Exception":"java.lang.NullPointerException"}`}, operation.Unknown, "http_500", true,
		},
		"BadGateway": {answer{502, `<html>`}, operation.Unknown, "http_502", false},
		"Unavailable": {
			answer{503, envelope(503, "error.msg.platform.service.unavailable")}, operation.Unknown,
			"platform.service.unavailable", true,
		},
		"GatewayTimeout":  {answer{504, ``}, operation.Unknown, "http_504", true},
		"Redirect":        {answer{302, ``}, operation.Unknown, "http_302", false},
		"CreatedStatus":   {answer{201, created}, operation.Unknown, "http_201", true},
		"HTML":            {answer{200, `<html>`}, operation.Unknown, "http_200", false},
		"Empty":           {answer{200, ``}, operation.Unknown, "http_200", false},
		"Array":           {answer{200, `[]`}, operation.Unknown, "http_200", true},
		"Null":            {answer{200, `null`}, operation.Unknown, "http_200", false},
		"CutOff":          {answer{200, created[:len(created)-1]}, operation.Unknown, "http_200", false},
		"SomethingBehind": {answer{200, created + "<html>"}, operation.Unknown, "http_200", false},
		"CodesOfAnotherKind": {
			answer{403, `{"errors":[1],"userMessageGlobalisationCode":7,"error":null}`}, operation.Invalid, "http_403", true,
		},
		"Lost": {answer{0, ``}, operation.Unknown, "answer_lost", false},
	} {
		t.Run(name, func(t *testing.T) {
			for name, got := range map[string]operation.Outcome{
				"create":  call(t, mbanq.CreateClient(newPartner(t, test.answer).config()), post(aClient)),
				"address": call(t, mbanq.AddAddress(newPartner(t, test.answer).config()), to(anAddress, "type", "1")),
				"activate": call(
					t, mbanq.ClientCommand(newPartner(t, test.answer).config()), to(activation, "command", "activate"),
				),
			} {
				if got.Class != test.class || got.Code != test.code || (got.Reply.Status != 0) != test.replies {
					t.Errorf("%s: got %+v", name, got)
				}
				if got.Reply.Status != 0 && test.answer.status != 404 &&
					(got.Reply.Status != test.answer.status || string(got.Reply.Body) != test.answer.body) {
					t.Errorf("%s: passed on %d %s", name, got.Reply.Status, got.Reply.Body)
				}
				for name, value := range got.Refs {
					if strings.Contains(value, " ") || strings.Contains(value, "Noor") {
						t.Errorf("reference %s is %s", name, value)
					}
				}
			}
		})
	}
	t.Run("NothingNamed", func(t *testing.T) { // what was done to what isn't said
		for _, text := range []string{`{}`, `{"clientId":null}`, `{"clientId":[1]}`} {
			for name, got := range map[string]operation.Outcome{
				"create":  call(t, mbanq.CreateClient(newPartner(t, answer{200, text}).config()), post(aClient)),
				"address": call(t, mbanq.AddAddress(newPartner(t, answer{200, text}).config()), to(anAddress, "type", "1")),
				"verify":  call(t, mbanq.ClientCommand(newPartner(t, answer{200, text}).config()), to(full, "command", "verify")),
				"document": call(
					t, mbanq.AttachDocument(newPartner(t, answer{200, text}).config()),
					attach(form([2]string{"name", "a"}, [2]string{"file", "x"})),
				),
			} {
				if got.Class != operation.Unknown {
					t.Errorf("%s, %s: %+v", name, text, got)
				}
			}
		}
	})
	t.Run("MakerChecker", func(t *testing.T) { // nothing has changed yet: there is no client to own
		if got := call(
			t, mbanq.CreateClient(newPartner(t, answer{200, `{"commandId":7}`}).config()), post(aClient),
		); got.Class != operation.Unknown || got.Creates != "" {
			t.Errorf("got %+v", got)
		}
		if got := call(
			t, mbanq.ClientCommand(newPartner(t, answer{200, `{"commandId":7}`}).config()), to(full, "command", "verify"),
		); got.Class != operation.Done || got.Code != "ok" {
			t.Errorf("got %+v", got)
		}
	})
}

func TestWhatAnOperationOwns(t *testing.T) {
	if got := call(
		t, mbanq.CreateClient(newPartner(t, answer{200, created}).config()), post(aClient),
	); got.Creates != "mbanq/client/8812" || got.Refs["client_id"] != "8812" || len(got.Refs) != 1 {
		t.Errorf("got %+v", got)
	}
	const added = `{"id":71,"officeId":1,"clientId":8812,"resourceId":71,"changes":{}}`
	if got := call(
		t, mbanq.AddIdentifier(newPartner(t, answer{200, added}).config()), to(aPassport),
	); got.Creates != "mbanq/identifier/71" || got.Refs["resource_id"] != "71" {
		t.Errorf("got %+v", got)
	}
	if got := call(
		t, mbanq.AddAddress(newPartner(t, answer{200, added}).config()), to(anAddress, "type", "1"),
	); got.Creates != "" || got.Refs["resource_id"] != "71" {
		t.Errorf("got %+v", got)
	}
	create, command := mbanq.CreateClient(mbanq.Config{}), mbanq.ClientCommand(mbanq.Config{})
	document := mbanq.AttachDocument(mbanq.Config{})
	for text, want := range map[string]operation.Resolution{
		aClient: operation.Lookup, strings.Replace(aClient, `"ext-1"`, `""`, 1): operation.Manual,
		strings.Replace(aClient, `"ext-1"`, `null`, 1):           operation.Manual,
		strings.Replace(aClient, `"ext-1"`, `"  "`, 1):           operation.Manual,
		strings.Replace(aClient, `,"externalId":"ext-1"`, ``, 1): operation.Manual,
	} {
		if in, err := create.Decode(post(text)); err != nil || create.OnUnknown(in) != want || create.Resource != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	if in, err := command.Decode(to(full, "command", "verify")); err != nil ||
		command.Resource(in) != "mbanq/client/8812" || command.OnUnknown(in) != operation.Lookup ||
		!command.ConflictIsResult {
		t.Errorf("resource %s, %v", command.Resource(in), err)
	}
	if in, err := document.Decode(attach(form([2]string{"name", "a"}, [2]string{"file", "x"}))); err != nil ||
		document.Resource(in) != "mbanq/identifier/17" || document.OnUnknown(in) != operation.Manual {
		t.Errorf("resource %s, %v", document.Resource(in), err)
	}
}

// TestReads: a read that can't be understood tells nothing, least of all that there is no client.
func TestReads(t *testing.T) {
	find := fromMachine(gateway.Request{Body: []byte(`{"external_id":"ext-1"}`)})
	list := func(total int, items ...string) answer {
		return answer{
			200, `{"totalFilteredRecords":` + strconv.Itoa(total) + `,"pageItems":[` + strings.Join(items, ",") + `]}`,
		}
	}
	other := strings.Replace(aPending, `"ext-1"`, `"ext-12"`, 1)
	for name, test := range map[string]struct {
		req     gateway.Request
		answers []answer
		class   operation.Class
		state   string
	}{
		"Pending":        {to(""), []answer{{200, aPending}}, operation.Done, "pending"},
		"Verified":       {to(""), []answer{{200, aVerified}}, operation.Done, "verified"},
		"AnotherClient":  {to(""), []answer{{200, strings.Replace(aPending, "8812", "8813", 1)}}, operation.Unavailable, ""},
		"NoID":           {to(""), []answer{{200, `{}`}}, operation.Unavailable, ""},
		"CutOff":         {to(""), []answer{{200, aPending[:60]}}, operation.Unknown, ""},
		"Down":           {to(""), []answer{{503, ``}}, operation.Unknown, ""},
		"Found":          {find, []answer{list(2, other, aVerified)}, operation.Done, "verified"},
		"FoundLater":     {find, []answer{list(2, other), list(2, aPending)}, operation.Done, "pending"},
		"Absent":         {find, []answer{list(0)}, operation.Done, "absent"},
		"AbsentAtLast":   {find, []answer{list(2, other), list(2, other)}, operation.Done, "absent"},
		"PageThatEnds":   {find, []answer{list(9, other), list(9)}, operation.Done, "absent"},
		"Endless":        {find, slices.Repeat([]answer{list(99, other)}, 10), operation.Unavailable, ""},
		"NoPage":         {find, []answer{{200, `{"totalFilteredRecords":0}`}}, operation.Unavailable, ""},
		"NullPage":       {find, []answer{{200, `{"totalFilteredRecords":0,"pageItems":null}`}}, operation.Unavailable, ""},
		"OddPage":        {find, []answer{{200, `{"totalFilteredRecords":1,"pageItems":{}}`}}, operation.Unavailable, ""},
		"OddList":        {find, []answer{{200, `[]`}}, operation.Unknown, ""},
		"ListDown":       {find, []answer{{502, `<html>`}}, operation.Unknown, ""},
		"SecondPageDown": {find, []answer{list(2, other), {502, `<html>`}}, operation.Unknown, ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPartner(t, test.answers...)
			op := mbanq.GetClient(p.config())
			got := call(t, op, test.req)
			if got.Class != test.class || got.Class == operation.Done && op.Output(got.Reply)["state"] != test.state {
				t.Errorf("got %+v", got)
			}
			for i, a := range slices.DeleteFunc(p.requests(), func(a asked) bool { return a.url == tokenPath }) {
				if want := "/v1/clients?externalId=ext-1&limit=200&offset=" + strconv.Itoa(i); test.req.Params == nil &&
					a.url != want {
					t.Errorf("asked %s", a.url)
				}
			}
		})
	}
	t.Run("Identifiers", func(t *testing.T) {
		for text, class := range map[string]operation.Class{
			`[]`: operation.Done, `[{"id":71,"documentKey":"*****127"}]`: operation.Done,
			`{"id":71}`: operation.Unavailable, `null`: operation.Unknown, `[1]`: operation.Unknown, ``: operation.Unknown,
		} {
			got := call(t, mbanq.ListIdentifiers(newPartner(t, answer{200, text}).config()), to(""))
			if got.Class != class || class == operation.Done && string(got.Reply.Body) != text || len(got.Refs) != 0 {
				t.Errorf("%s: %+v", text, got)
			}
		}
	})
	t.Run("References", func(t *testing.T) {
		got := call(t, mbanq.GetClient(newPartner(t, answer{200, aVerified}).config()), to(""))
		if len(got.Refs) != 3 || got.Refs["client_id"] != "8812" || got.Refs["verification"] != "APPROVED" ||
			got.Refs["sub_status"] != "Verified" {
			t.Errorf("references %v", got.Refs)
		}
		odd := strings.NewReplacer("APPROVED", "Noor Example", `"Verified"`, `"+1 5550101"`).Replace(aVerified)
		if got := call(t, mbanq.GetClient(newPartner(t, answer{200, odd}).config()), to("")); len(got.Refs) != 1 {
			t.Errorf("references %v", got.Refs)
		}
	})
}

// TestTolerated: a byte order mark is skipped and passed on, a text may stand for a number, with a fraction of zero.
func TestTolerated(t *testing.T) {
	odd := "\uFEFF" + strings.NewReplacer(`"id":8812`, `"id":" 8812.0 "`, `"id":100`, `"id":"100"`).Replace(aVerified)
	got := call(t, mbanq.GetClient(newPartner(t, answer{200, odd}).config()), to(""))
	if got.Class != operation.Done || got.Refs["client_id"] != "8812" || string(got.Reply.Body) != odd {
		t.Errorf("got %+v", got)
	}
	if summary := mbanq.GetClient(mbanq.Config{}).Output(got.Reply); summary["client_id"] != "8812" ||
		summary["state"] != "verified" {
		t.Errorf("a state machine sees %v", summary)
	}
}

// TestStateOfAClient has the lifecycle of mbanq §5. A verification that runs, or ended with a no, outweighs an earlier
// yes.
func TestStateOfAClient(t *testing.T) {
	for text, want := range map[string]string{
		`{"id":1,"status":{"id":100},"subStatus":{"active":false},"clientVerificationStatus":"PENDING"}`:        "pending",
		`{"id":1,"status":{"id":100},"clientVerificationStatus":"APPROVED"}`:                                    "verified",
		`{"id":1,"status":{"id":100},"subStatus":{"name":"Verified"}}`:                                          "verified",
		`{"id":1,"status":{"id":100},"subStatus":{"name":"Verified"},"clientVerificationStatus":"PENDING"}`:     "verified",
		`{"id":1,"status":{"id":100},"subStatus":{"name":"Verified"},"clientVerificationStatus":"IN_PROGRESS"}`: "in_progress",
		`{"id":1,"status":{"id":100},"subStatus":{"name":"Verified"},"clientVerificationStatus":"REJECTED"}`:    "rejected",
		`{"id":1,"status":{"id":100},"clientVerificationStatus":"IN_PROGRESS"}`:                                 "in_progress",
		`{"id":1,"status":{"id":100},"clientVerificationStatus":"REJECTED"}`:                                    "rejected",
		`{"id":1,"status":{"id":100},"clientVerificationStatus":"SOMETHING"}`:                                   "pending",
		`{"id":1,"status":{"id":"100"}}`: "pending",
		`{"id":1,"status":{"id":300},"subStatus":{"name":"Verified"},"clientVerificationStatus":"APPROVED"}`: "active",
		`{"id":"1","status":{"id":300}}`:                                     "active",
		`{"id":1,"status":{"id":600},"clientVerificationStatus":"APPROVED"}`: "other",
		`{"id":1,"status":{"id":303}}`:                                       "other", `{"id":1,"active":true}`: "other",
		`{"id":1,"status":100}`: "other", `{}`: "absent", ``: "absent", `<html>`: "absent", `{"status":{"id":300}}`: "absent",
	} {
		summary := mbanq.GetClient(mbanq.Config{}).Output(gateway.JSON(200, []byte(text)))
		if summary["state"] != want || len(summary) != 2 {
			t.Errorf("%s is %v, want %s", text, summary, want)
		}
	}
}

// TestMissing has every code of mbanq §8, and words for codes that nobody knows.
func TestMissing(t *testing.T) {
	missing := func(a answer) (reference, summary string) {
		op := mbanq.ClientCommand(newPartner(t, a).config())
		got := call(t, op, to(full, "command", "verify"))
		out := op.Output(got.Reply)
		if got.Class != operation.Conflict || out["verification"] == "APPROVED" {
			t.Errorf("got %+v, %v", got, out)
		}
		return got.Refs["missing"], out["missing"].(string)
	}
	for code, want := range map[string]string{
		"primary.address.required": "primary_address", "identifier.required": "identifier",
		"identifier.expired":      "valid_identifier",
		"tax.identifier.required": "tax_identifier", "physical.id.required": "physical_id",
		"physical.id.scan.required": "document_scan",
		"email.required":            "email", "mobile.required": "mobile", "email.unverified": "verified_email",
		"mobile.unverified":         "verified_mobile",
		"proof.of.address.required": "proof_of_address",
	} {
		if reference, summary := missing(violation("error.msg.client.verify." + code)); reference != want || summary != want {
			t.Errorf("%s is %s, %s", code, reference, summary)
		}
	}
	for text, want := range map[string]string{
		"Client 8812 has no SSN or ITIN identifier.": "tax_identifier", "No ITINs.": "tax_identifier",
		"tax number missing":                           "tax_identifier",
		"Client is waiting for its submitting officer": "other", "Syntax of the classname": "other", "": "other",
		"The client has no email address.": "email", "A mobile number is needed": "mobile",
		"No active physical address": "primary_address", "addresses missing": "primary_address",
		"No proof of address": "proof_of_address", "No scan of a physical ID document": "document_scan",
		"No physical ID":                       "physical_id",
		"All identifier documents are expired": "identifier", "Documents are missing": "document_scan",
	} {
		unknown := answer{403, envelope(403, "validation.msg.domain.rule.violation", problem("error.msg.vendor.77", text))}
		if reference, summary := missing(unknown); reference != want || summary != want {
			t.Errorf("%q is %s, %s, want %s", text, reference, summary, want)
		}
		top := answer{
			403,
			`{"developerMessage":` + strconv.Quote(text) + `,"userMessageGlobalisationCode":"error.msg.vendor.77","errors":[]}`,
		}
		if _, summary := missing(top); summary != want {
			t.Errorf("%q at the top is %s, want %s", text, summary, want)
		}
	}
	several := violation(
		"error.msg.client.verify.email.required", "error.msg.client.verify.identifier.required",
		"error.msg.client.verify.email.required", "error.msg.x",
	)
	if reference, summary := missing(several); reference != "email identifier other" ||
		summary != "email,identifier,other" {
		t.Errorf("several are %s, %s", reference, summary)
	}
	// No document helps where the client stands elsewhere: its state must be read.
	for _, code := range []string{"already.verified", "not.pending"} {
		op := mbanq.ClientCommand(newPartner(t, violation("error.msg.client.verify."+code)).config())
		got := call(t, op, to(full, "command", "verify"))
		if out := op.Output(got.Reply); got.Class != operation.Conflict || out["missing"] != "" ||
			out["verification"] != "OTHER" {
			t.Errorf("%s: %+v, %v", code, got, out)
		}
	}
}

func TestSummaries(t *testing.T) {
	command := mbanq.ClientCommand(mbanq.Config{}).Output
	for text, want := range map[string]string{
		verified: `{"already_active":false,"missing":"","verification":"APPROVED"}`,
		created:  `{"already_active":false,"missing":"","verification":""}`,
		strings.ReplaceAll(
			verified, "APPROVED", "IN_PROGRESS",
		): `{"already_active":false,"missing":"","verification":"IN_PROGRESS"}`,
		strings.ReplaceAll(verified, "APPROVED", "Noor E."): `{"already_active":false,"missing":"","verification":""}`,
		`{"commandId":7}`: `{"already_active":false,"missing":"","verification":""}`,
		``:                `{"already_active":false,"missing":"","verification":""}`,
	} {
		if got, err := json.Marshal(command(gateway.JSON(200, []byte(text)))); err != nil || string(got) != want {
			t.Errorf("%s gave %s, %v", text, got, err)
		}
	}
	for _, status := range []int{400, 403} {
		if got := command(
			gateway.JSON(status, []byte(violation("error.msg.clients.already.active").body)),
		); got["already_active"] != true {
			t.Errorf("%d gave %v", status, got)
		}
	}
	if got := call(
		t, mbanq.ClientCommand(newPartner(t, answer{200, strings.ReplaceAll(verified, "APPROVED", "REJECTED")}).config()),
		to(full, "command", "verify"),
	); got.Class != operation.Done || got.Code != "REJECTED" {
		t.Errorf("200 proves no approval: %+v", got)
	}
	if got := mbanq.CreateClient(mbanq.Config{}).Output(gateway.JSON(200, []byte(created))); got["client_id"] != "8812" ||
		len(got) != 1 {
		t.Errorf("created: %v", got)
	}
	if got := mbanq.AddIdentifier(mbanq.Config{}).Output(
		gateway.JSON(200, []byte(`{"resourceId":"71"}`)),
	); got["resource_id"] != "71" || len(got) != 1 {
		t.Errorf("added: %v", got)
	}
}

// TestLookups: what became of a lost call. A list that is not understood, or masked, tells nothing.
func TestLookups(t *testing.T) {
	address := `{"clientId":8812,"addressType":"Primary","addressId":71,"addressTypeId":1,"isActive":true,"addressLine1":"1 First Street","city":"Sampletown","stateProvinceId":7,"countryId":3,"postalCode":1001}`
	identifier := `{"id":71,"clientId":8812,"documentType":{"id":41,"name":"Passport"},"documentKey":"X4409127","status":"Active"}`
	clients := func(items string) string { return `{"totalFilteredRecords":1,"pageItems":[` + items + `]}` }
	create := func(c mbanq.Config) (operation.Outcome, operation.Finding) {
		return lookup(t, mbanq.CreateClient(c), post(aClient))
	}
	adding := func(c mbanq.Config) (operation.Outcome, operation.Finding) {
		return lookup(t, mbanq.AddAddress(c), to(anAddress, "type", "1"))
	}
	identify := func(c mbanq.Config) (operation.Outcome, operation.Finding) {
		return lookup(t, mbanq.AddIdentifier(c), to(aPassport))
	}
	command := func(name, body string) func(c mbanq.Config) (operation.Outcome, operation.Finding) {
		return func(c mbanq.Config) (operation.Outcome, operation.Finding) {
			return lookup(t, mbanq.ClientCommand(c), to(body, "command", name))
		}
	}
	active := strings.Replace(aVerified, `"id":100`, `"id":300`, 1)
	running := strings.Replace(aPending, "PENDING", "IN_PROGRESS", 1)
	const added = `{"clientId":8812,"resourceId":71}`
	for name, test := range map[string]struct {
		lookup  func(mbanq.Config) (operation.Outcome, operation.Finding)
		answer  answer
		finding operation.Finding
		reply   string
	}{
		"Created":    {create, answer{200, clients(aPending)}, operation.Found, created},
		"NotCreated": {create, answer{200, clients(``)}, operation.NotFound, ""},
		"AnotherCreated": {
			create, answer{200, clients(strings.Replace(aPending, "ext-1", "ext-11", 1))}, operation.NotFound, "",
		},
		"CreateUnreadable": {create, answer{200, `{}`}, operation.Undetermined, ""},
		"CreateDown":       {create, answer{500, ``}, operation.Undetermined, ""},
		"CreateNotAllowed": {create, answer{401, ``}, operation.Undetermined, ""},
		"AddressThere":     {adding, answer{200, `[` + address + `]`}, operation.Found, added},
		"AddressAsText": {
			adding,
			answer{
				200,
				`[` + strings.NewReplacer(`1001`, `"01001"`, `:7,`, `:"7",`, `"1 First`, `"1\u0020First`).Replace(address) + `]`,
			},
			operation.Found, added,
		},
		"AddressWithoutState": {
			adding, answer{200, `[` + strings.Replace(address, `"isActive":true,`, ``, 1) + `]`}, operation.Found, added,
		},
		"AddressNotThere": {adding, answer{200, `[]`}, operation.NotFound, ""},
		"AddressOfAnotherType": {
			adding, answer{200, `[` + strings.Replace(address, `"addressTypeId":1`, `"addressTypeId":2`, 1) + `]`},
			operation.NotFound, "",
		},
		"AddressInactive": {
			adding, answer{200, `[` + strings.Replace(address, `"isActive":true`, `"isActive":false`, 1) + `]`},
			operation.NotFound, "",
		},
		"AnotherAddress": {
			adding, answer{200, `[` + strings.Replace(address, "1 First", "11 First", 1) + `]`}, operation.NotFound, "",
		},
		"AnotherLine": {
			adding, answer{200, `[` + strings.Replace(address, `"city"`, `"addressLine2":"Flat 2","city"`, 1) + `]`},
			operation.NotFound, "",
		},
		"AnotherPostalCode": {
			adding, answer{200, `[` + strings.Replace(address, `1001`, `"1001"`, 1) + `]`}, operation.NotFound, "",
		},
		"AddressesNull":   {adding, answer{200, `null`}, operation.Undetermined, ""},
		"AddressesOdd":    {adding, answer{200, `{"pageItems":[]}`}, operation.Undetermined, ""},
		"AddressesCutOff": {adding, answer{200, `[` + address}, operation.Undetermined, ""},
		"AddressesDown":   {adding, answer{502, `<html>`}, operation.Undetermined, ""},
		"NoClient": {
			adding, answer{404, envelope(404, "error.msg.resource.not.found", problem("error.msg.client.id.invalid", "x"))},
			operation.Undetermined, "",
		},
		"IdentifierThere": {
			identify, answer{200, `[` + strings.Replace(identifier, "41", `"41"`, 1) + `]`}, operation.Found, added,
		},
		"IdentifierNotThere": {
			identify, answer{200, `[` + strings.Replace(identifier, "X4409127", "X4409128", 1) + `]`}, operation.NotFound, "",
		},
		"IdentifierOther": {
			identify, answer{200, `[` + strings.Replace(identifier, `"id":41`, `"id":42`, 1) + `]`}, operation.NotFound, "",
		},
		"IdentifierMasked": {
			identify, answer{200, `[` + strings.Replace(identifier, "X4409127", "****9127", 1) + `]`}, operation.Undetermined,
			"",
		},
		"IdentifierSaidMasked": {
			identify,
			answer{
				200,
				`[` + strings.NewReplacer("X4409127", "9127", `"Passport"`, `"Passport","isMasked":true`).Replace(identifier) + `]`,
			},
			operation.Undetermined, "",
		},
		"MaskedOfAnotherType": {
			identify,
			answer{200, `[` + strings.NewReplacer("X4409127", "****9127", `"id":41`, `"id":42`).Replace(identifier) + `]`},
			operation.NotFound, "",
		},
		"ActiveNow": {command("activate", activation), answer{200, active}, operation.Found, created},
		"NotActive": {command("activate", activation), answer{200, aVerified}, operation.NotFound, ""},
		"Partial":   {command("verify", partial), answer{200, aVerified}, operation.Found, verified},
		"PartialBySubStatus": {
			command("verify", partial), answer{200, strings.Replace(aVerified, "APPROVED", "PENDING", 1)}, operation.Found,
			verified,
		},
		"PartialNot": {command("verify", partial), answer{200, aPending}, operation.NotFound, ""},
		// which of them, nothing tells: it is sent again
		"FullOrPartial": {command("verify", full), answer{200, aVerified}, operation.NotFound, ""},
		"InProgress": {
			command("verify", full), answer{200, running}, operation.Found,
			strings.ReplaceAll(verified, "APPROVED", "IN_PROGRESS"),
		},
		"AnotherClient": {
			command("verify", partial), answer{200, strings.Replace(aVerified, "8812", "8813", 1)}, operation.Undetermined, "",
		},
		"ClientDown": {command("verify", partial), answer{503, ``}, operation.Undetermined, ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPartner(t, test.answer)
			got, finding := test.lookup(p.config())
			if finding != test.finding || string(got.Reply.Body) != test.reply && finding == operation.Found ||
				finding == operation.Found && (got.Class != operation.Done || got.Reply.Status != 200) {
				t.Errorf("found %d, %+v", finding, got)
			}
			for _, a := range p.requests() {
				if a.method == "POST" && a.url != tokenPath {
					t.Errorf("a lookup asked %s %s", a.method, a.url)
				}
			}
		})
	}
	t.Run("Owns", func(t *testing.T) {
		if got, _ := create(newPartner(t, answer{200, clients(aPending)}).config()); got.Creates != "mbanq/client/8812" {
			t.Errorf("owns %q", got.Creates)
		}
		p := newPartner(t, answer{200, `[` + identifier + `]`})
		if got, _ := identify(p.config()); got.Creates != "mbanq/identifier/71" ||
			p.requests()[1].url != "/v1/clients/8812/identifiers?unmaskValue=true" {
			t.Errorf("owns %q, asked %+v", got.Creates, p.requests())
		}
	})
}

// TestAddedOnce: a state machine adds what the client doesn't have, and nothing where it can't be told.
func TestAddedOnce(t *testing.T) {
	const there = `[{"id":71,"documentType":{"id":41},"documentKey":"X4409127"}]`
	for name, test := range map[string]struct {
		answers []answer
		class   operation.Class
		sent    bool
	}{
		"There":      {[]answer{{200, there}}, operation.Done, false},
		"NotThere":   {[]answer{{200, `[]`}, {200, `{"resourceId":71}`}}, operation.Done, true},
		"Masked":     {[]answer{{200, strings.Replace(there, "X4409127", "****9127", 1)}}, operation.Unavailable, false},
		"Unreadable": {[]answer{{200, `{}`}}, operation.Unavailable, false},
		"Down":       {[]answer{{503, ``}}, operation.Unavailable, false},
		"Lost":       {[]answer{{0, ``}, {0, ``}}, operation.Unavailable, false},
		"NotAllowed": {[]answer{{401, ``}}, operation.Credentials, false},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPartner(t, test.answers...)
			got := call(t, mbanq.AddIdentifier(p.config()), fromMachine(to(aPassport)))
			sent := slices.ContainsFunc(p.requests(), func(a asked) bool { return a.method == "POST" && a.url != tokenPath })
			if got.Class != test.class || sent != test.sent ||
				got.Class == operation.Done && (got.Refs["resource_id"] != "71" || got.Creates != "mbanq/identifier/71") {
				t.Errorf("got %+v, sent %t", got, sent)
			}
		})
	}
}

// TestNotFound: a record that isn't there is answered like another tenant's: to the byte, so that nobody can tell the
// two apart.
func TestNotFound(t *testing.T) {
	const client = `{"developerMessage":"The requested resource is not available.","httpStatusCode":"404","defaultUserMessage":"The requested resource is not available.","userMessageGlobalisationCode":"error.msg.resource.not.found","errors":[{"developerMessage":"Client with this identifier does not exist","defaultUserMessage":"Client with this identifier does not exist","userMessageGlobalisationCode":"error.msg.client.id.invalid","parameterName":"id","value":null,"args":[]}]}`
	identifier := strings.NewReplacer(
		"Client with this", "Client identifier with this", "client.id", "clientIdentifier.id",
	).Replace(client)
	missing := func(code string) answer {
		return answer{
			404, envelope(404, "error.msg.resource.not.found", problem(code, "Client with identifier 8812 does not exist")),
		}
	}
	config := func(code string) mbanq.Config { return newPartner(t, missing(code)).config() }
	const ofClient, ofIdentifier = "error.msg.client.id.invalid", "error.msg.clientIdentifier.id.invalid"
	scan, scanType := form([2]string{"name", "a"}, [2]string{"file", "x"})
	for name, test := range map[string]struct {
		answered operation.Outcome
		foreign  gateway.Reply
		want     string
	}{
		"Get": {
			call(t, mbanq.GetClient(config(ofClient)), to("")),
			mbanq.GetClient(mbanq.Config{}).Errors(operation.NoSuchRecord, ""), client,
		},
		"List": {
			call(t, mbanq.ListIdentifiers(config(ofClient)), to("")),
			mbanq.ListIdentifiers(mbanq.Config{}).Errors(operation.NoSuchRecord, ""), client,
		},
		"Address": {
			call(t, mbanq.AddAddress(config(ofClient)), to(anAddress, "type", "1")),
			mbanq.AddAddress(mbanq.Config{}).Errors(operation.NoSuchRecord, ""), client,
		},
		"Identify": {
			call(t, mbanq.AddIdentifier(config(ofClient)), to(aPassport)),
			mbanq.AddIdentifier(mbanq.Config{}).Errors(operation.NoSuchRecord, ""), client,
		},
		"Command": {
			call(t, mbanq.ClientCommand(config(ofClient)), to(full, "command", "verify")),
			mbanq.ClientCommand(mbanq.Config{}).Errors(operation.NoSuchRecord, ""), client,
		},
		"Attach": {
			call(t, mbanq.AttachDocument(config(ofIdentifier)), attach(scan, scanType)),
			mbanq.AttachDocument(mbanq.Config{}).Errors(operation.NoSuchRecord, ""), identifier,
		},
	} {
		if test.answered.Class != operation.Invalid || test.answered.Reply.Status != 404 ||
			string(test.answered.Reply.Body) != test.want || test.foreign.Status != 404 ||
			string(test.foreign.Body) != test.want {
			t.Errorf("%s: %s\nanother tenant's: %s", name, test.answered.Reply.Body, test.foreign.Body)
		}
	}
	for _, id := range []string{"", "0", "-1", "+1", "01", "1/2", "..", "1?x=y", "x", "99999999999999999999", "１"} {
		req := to(full, "command", "verify")
		req.Params["clientId"], req.Params["identifierId"] = id, id
		var errs []error
		for _, decode := range []func(gateway.Request) error{
			func(r gateway.Request) error { _, err := mbanq.GetClient(mbanq.Config{}).Decode(r); return err },
			func(r gateway.Request) error { _, err := mbanq.ListIdentifiers(mbanq.Config{}).Decode(r); return err },
			func(r gateway.Request) error { _, err := mbanq.AddAddress(mbanq.Config{}).Decode(r); return err },
			func(r gateway.Request) error { _, err := mbanq.AddIdentifier(mbanq.Config{}).Decode(r); return err },
			func(r gateway.Request) error { _, err := mbanq.ClientCommand(mbanq.Config{}).Decode(r); return err },
			func(r gateway.Request) error { _, err := mbanq.AttachDocument(mbanq.Config{}).Decode(r); return err },
		} {
			errs = append(errs, decode(req))
		}
		for i, err := range errs {
			var rejection *operation.Rejection
			want := client
			if i == len(errs)-1 {
				want = identifier
			}
			if !errors.As(err, &rejection) || rejection.Reply.Status != 404 || string(rejection.Reply.Body) != want {
				t.Errorf("%q, %d: %v", id, i, err)
			}
		}
	}
}

// TestEveryConditionHasAnAnswer: each in the shape of its endpoint, with a status that fits, and none of them a
// success.
func TestEveryConditionHasAnAnswer(t *testing.T) {
	c := mbanq.Config{}
	common := map[operation.Condition]int{
		operation.NoKey: 401, operation.BadKey: 401, operation.Forbidden: 403, operation.TooLarge: 413,
		operation.InvalidRequest: 400, operation.NoSuchRecord: 404,
		operation.KeyReused: 422, operation.InFlight: 425, operation.AnswerGone: 410, operation.OutcomeUnknown: 500,
		operation.LedgerDown: 503, operation.PartnerDown: 503,
		operation.PartnerThrottled: 429, operation.CredentialsRejected: 500, operation.Internal: 500,
	}
	const noKey = `{"developerMessage":"Invalid authentication details were passed in api request.","httpStatusCode":"401","defaultUserMessage":"Unauthenticated. Please login.","userMessageGlobalisationCode":"error.msg.not.authenticated","errors":null}`
	for name, test := range map[string]struct {
		render   func(operation.Condition, string) gateway.Reply
		statuses map[operation.Condition]int // where they aren't the common ones
		exact    map[operation.Condition]string
	}{
		"Client": {mbanq.CreateClient(c).Errors, nil, map[operation.Condition]string{
			operation.NoKey:          noKey,
			operation.InvalidRequest: `{"developerMessage":"The JSON provided in the body of the request is invalid or missing.","defaultUserMessage":"The JSON provided in the body of the request is invalid or missing.","userMessageGlobalisationCode":"error.msg.invalid.request.body","parameterName":"id","value":null,"args":[]}`,
		}},
		"Identifier": {mbanq.AttachDocument(c).Errors, nil, map[operation.Condition]string{operation.BadKey: noKey}},
		"Token": {mbanq.IssueToken(c).Errors, map[operation.Condition]int{
			operation.NoKey: 400, operation.BadKey: 400, operation.NoSuchRecord: 500, operation.KeyReused: 500,
			operation.InFlight: 500, operation.AnswerGone: 500,
		}, map[operation.Condition]string{
			operation.BadKey:     `{"error":"invalid_grant","error_description":"Bad credentials"}`,
			operation.LedgerDown: `{"error":"temporarily_unavailable","error_description":"Try again later."}`,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, condition := range operation.Conditions() {
				reply := test.render(condition, "the detail is for the header")
				want, other := test.statuses[condition]
				if !other {
					want = common[condition]
				}
				text := string(reply.Body)
				if reply.Status != want || reply.ContentType != "application/json" || strings.Contains(text, "the detail") {
					t.Errorf("%s: %d %s", condition, reply.Status, text)
				}
				var said struct {
					Status string `json:"httpStatusCode"`
					Code   string `json:"userMessageGlobalisationCode"`
					Error  string `json:"error"`
				}
				if err := json.Unmarshal(reply.Body, &said); err != nil || said.Code == "" && said.Error == "" ||
					said.Status != "" && said.Status != strconv.Itoa(want) {
					t.Errorf("%s: %s, %v", condition, text, err)
				}
				if exact := test.exact[condition]; exact != "" && text != exact {
					t.Errorf("%s: %s, want %s", condition, text, exact)
				}
				if condition == operation.OutcomeUnknown && strings.Contains(strings.ToLower(text), "try again") {
					t.Errorf("an unknown outcome must not invite a repeat: %s", text)
				}
			}
		})
	}
}

// FuzzAnswer: whatever the partner answers, it is read, and no more of it gets to a state machine than codes and ids.
func FuzzAnswer(f *testing.F) {
	for _, text := range []string{
		created, verified, aPending, aVerified, violation("error.msg.client.verify.email.required").body, `{"Exception":"x"}`,
		`<html>`, `{"errors":[null,{"developerMessage":["SSN"]}]}`,
	} {
		f.Add(403, []byte(text))
	}
	c := mbanq.Config{}
	f.Fuzz(func(t *testing.T, status int, text []byte) {
		reply := gateway.JSON(status, text)
		for _, summary := range []map[string]any{
			mbanq.GetClient(c).Output(reply), mbanq.CreateClient(c).Output(reply), mbanq.AddAddress(c).Output(reply),
			mbanq.ClientCommand(c).Output(reply),
		} {
			for name, value := range summary {
				if s, ok := value.(string); ok &&
					strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_,") != "" {
					t.Errorf("%q gave %s %q", text, name, s)
				}
			}
			if _, err := json.Marshal(summary); err != nil {
				t.Error(err)
			}
		}
		if out, err := mbanq.ClientOnboarding().Outcome(reply, nil, nil); err != nil || out != nil && !json.Valid(out) {
			t.Errorf("%q gave %s, %v", text, out, err)
		}
	})
}
