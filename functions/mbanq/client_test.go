package mbanq_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"sallyport/functions/mbanq"
	"sallyport/shared/gateway"
	"sallyport/shared/operation"
)

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
		}, "GET", "/v1/clients/8812?clientAccountAssociate=true&other=x", "", ""},
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

// TestClassification has every row of §7, and what else may come. Only what is clear to have had no effect
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
