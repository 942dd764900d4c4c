package iron_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/google/uuid"

	"sallyport/functions/iron"
	"sallyport/shared/gateway"
	"sallyport/shared/operation"
)

func TestRequestsOnTheWire(t *testing.T) {
	const key = "4e7d5f2e-0000-4000-8000-000000000000" // stands for one of this form
	scoped := func(req gateway.Request) gateway.Request {
		req.Header["x-sub-partner-id"], req.Header["x-api-version"] = strings.ToUpper(customerID), "2026-07-01"
		return req
	}
	for name, test := range map[string]struct {
		call   func(iron.Config) operation.Outcome
		answer answer
		method string
		url    string
		body   string
		key    string
		scoped bool
	}{
		"Customer": {func(c iron.Config) operation.Outcome {
			return call(t, iron.CreateCustomer(c), scoped(enroll(" "+aCustomer)))
		}, answer{201, created}, "POST", "/customers", " " + aCustomer, key, true},
		"GetCustomer": {
			func(c iron.Config) operation.Outcome { return call(t, iron.GetCustomer(c), scoped(about())) }, answer{200, created},
			"GET", "/customers/" + customerID, "", "", true,
		},
		"GetExternal": {
			func(c iron.Config) operation.Outcome { return call(t, iron.GetCustomer(c), external("a/b ü")) },
			answer{200, created}, "GET", "/customers/a%2Fb%20%C3%BC/external", "", "", false,
		},
		"V1": {func(c iron.Config) operation.Outcome {
			return call(t, iron.CreateIdentification(c), scoped(identify(direct)))
		}, answer{201, aPending}, "POST", "/customers/" + customerID + "/identifications", direct, key, true},
		"NoBody": {
			func(c iron.Config) operation.Outcome { return call(t, iron.CreateIdentification(c), identify("")) },
			answer{201, aPending}, "POST", "/customers/" + customerID + "/identifications", "", key, false,
		},
		"Null": {func(c iron.Config) operation.Outcome {
			return call(t, iron.CreateIdentification(c), identify(" null "))
		}, answer{201, aPending}, "POST", "/customers/" + customerID + "/identifications", " null ", key, false},
		"V2": {func(c iron.Config) operation.Outcome {
			return call(t, iron.CreateIdentification(c), identify(link+" "))
		}, answer{201, aPending}, "POST", "/customers/" + customerID + "/identifications/v2", link + " ", key, false},
		"Get": {
			func(c iron.Config) operation.Outcome { return call(t, iron.GetIdentification(c), about()) }, answer{200, aPending},
			"GET", "/identifications/" + identificationID, "", "", false,
		},
		"List": {func(c iron.Config) operation.Outcome {
			return call(t, iron.ListIdentifications(c), about("page_size", "5", "cursor", customerID, "x", "y"))
		}, answer{200, none}, "GET",
			"/customers/" + customerID + "/identifications?cursor=" + customerID + "&page_size=5", "", "", false},
		"EmptyQuery": {func(c iron.Config) operation.Outcome {
			return call(t, iron.ListIdentifications(c), about("page_size", "", "cursor", ""))
		}, answer{200, none}, "GET", "/customers/" + customerID + "/identifications", "", "", false},
		"NewestOfAll": {func(c iron.Config) operation.Outcome {
			return call(t, iron.ListIdentifications(c), fromMachine(about()))
		}, answer{200, none}, "GET", "/customers/" + customerID + "/identifications?page_size=100", "", "", false},
		"UpperCaseInPath": {func(c iron.Config) operation.Outcome {
			req := about()
			req.Params["customerId"] = strings.ToUpper(customerID)
			return call(t, iron.GetCustomer(c), req)
		}, answer{200, created}, "GET", "/customers/" + customerID, "", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			answers := []answer{test.answer}
			guarded := strings.Contains(test.url, "identifications") && test.method == "POST"
			if guarded {
				answers = []answer{{200, none}, test.answer}
			}
			p := newPartner(t, answers...)
			if got := test.call(p.config()); got.Class != operation.Done ||
				string(got.Reply.Body) != test.answer.body && name != "NewestOfAll" {
				t.Errorf("got %+v", got)
			}
			all := p.requests()
			if len(all) != len(answers) ||
				guarded && (all[0].method != "GET" || all[0].url != "/customers/"+customerID+"/identifications?page_size=100") {
				t.Fatalf("asked %+v", all)
			}
			for _, got := range all {
				sub, version := got.header.Get("X-Sub-Partner-Id"), got.header.Get("X-Api-Version")
				if got.header.Get("X-Api-Key") != "sk_sbx_demo" || test.scoped && (sub != customerID || version != "2026-07-01") ||
					!test.scoped && (sub != "" || version != "") {
					t.Errorf("sent %v", got.header)
				}
			}
			got := all[len(all)-1]
			contentType := ""
			if test.body != "" {
				contentType = "application/json; charset=utf-8"
			}
			if sent := got.header.Get("Idempotency-Key"); got.method != test.method || got.url != test.url ||
				got.body != test.body || got.header.Get("Content-Type") != contentType || (sent == "") != (test.key == "") {
				t.Errorf("asked %s %s %s, %v", got.method, got.url, got.body, got.header)
			}
		})
	}
}

// TestPartnerKey: a UUID of version 4 by its form (§9), the same for every attempt until there was a definite
// answer.
func TestPartnerKey(t *testing.T) {
	sent := func(change func(*operation.Call)) string {
		t.Helper()
		p := newPartner(t, answer{201, created})
		one := newCall(secret)
		change(&one)
		callWith(t, iron.CreateCustomer(p.config()), enroll(aCustomer), one)
		return p.requests()[0].header.Get("Idempotency-Key")
	}
	first := sent(func(*operation.Call) {})
	key, err := uuid.Parse(first)
	if err != nil || key.Version() != 4 || key.Variant() != uuid.RFC4122 || first != strings.ToLower(first) ||
		strings.Contains(first, aKey) {
		t.Errorf("sent %s, %v", first, err)
	}
	for name, test := range map[string]struct {
		change func(*operation.Call)
		same   bool
	}{
		"Repeat":          {func(*operation.Call) {}, true},
		"LaterTime":       {func(c *operation.Call) { c.FirstSent = now.Add(1) }, true},
		"OtherSecret":     {func(c *operation.Call) { c.Secret, c.Renew = []byte(`{"api_key":"next"}`), true }, true},
		"NextGeneration":  {func(c *operation.Call) { c.Generation++ }, false},
		"AnotherRequest":  {func(c *operation.Call) { c.Fingerprint = "other" }, false},
		"AnotherRecord":   {func(c *operation.Call) { c.ID = "other" }, false},
		"MovedBoundaries": {func(c *operation.Call) { c.ID, c.Fingerprint = "transaction-fingerprint", "" }, false},
	} {
		if got := sent(test.change); (got == first) != test.same {
			t.Errorf("%s: sent %s after %s", name, got, first)
		}
	}
}

// TestClassification has every status, of a creation, of a read, and of a creation's repeat that finds nothing to have
// happened. A text that is no JSON never gets to the caller.
func TestClassification(t *testing.T) {
	const text = `"words of the partner"`
	const fault = `{"message":"internal error","trace_id":"4f1d0c9b7e2a"}`
	for _, test := range []struct {
		answer       answer
		create, read operation.Class
		replies      bool
	}{
		{answer{201, created}, operation.Done, operation.Unavailable, true}, // no page has such a read
		{answer{200, created}, operation.Done, operation.Done, true},
		{answer{201, ``}, operation.Unknown, operation.Unavailable, false},
		{answer{201, `[]`}, operation.Unknown, operation.Unavailable, true},
		{answer{201, created[:80]}, operation.Unknown, operation.Unavailable, false},
		{answer{201, `"ok"`}, operation.Unknown, operation.Unavailable, false},
		{answer{201, `null`}, operation.Unknown, operation.Unavailable, false},
		{answer{201, `<html>`}, operation.Unknown, operation.Unavailable, false},
		{answer{202, created}, operation.Unknown, operation.Unavailable, true},
		{answer{204, ``}, operation.Unknown, operation.Unavailable, false},
		{answer{302, ``}, operation.Unknown, operation.Unavailable, false},
		{answer{400, text}, operation.Invalid, operation.Invalid, true},
		{answer{400, ``}, operation.Invalid, operation.Invalid, true},
		{answer{401, `authorization error`}, operation.Credentials, operation.Credentials, false},
		{answer{401, `"authorization error"`}, operation.Credentials, operation.Credentials, false},
		{answer{401, ``}, operation.Credentials, operation.Credentials, false},
		{answer{403, text}, operation.Invalid, operation.Invalid, true},
		{answer{404, text}, operation.Invalid, operation.Invalid, true},
		{answer{404, `<html>`}, operation.Invalid, operation.Invalid, true},
		{answer{405, ``}, operation.Invalid, operation.Invalid, true},
		{answer{408, ``}, operation.Unknown, operation.Unavailable, true},
		{answer{409, text}, operation.Conflict, operation.Conflict, true},
		{answer{413, text}, operation.Invalid, operation.Invalid, true},
		{answer{422, text}, operation.Invalid, operation.Invalid, true},
		{answer{429, text}, operation.Throttled, operation.Throttled, true},
		{answer{429, ``}, operation.Throttled, operation.Throttled, true},
		{answer{500, fault}, operation.Unknown, operation.Unavailable, true},
		{answer{500, ``}, operation.Unknown, operation.Unavailable, true},
		{answer{502, `<html>`}, operation.Unknown, operation.Unavailable, false},
		{answer{503, fault}, operation.Unknown, operation.Unavailable, true},
		{answer{504, ``}, operation.Unknown, operation.Unavailable, true},
		{answer{0, ``}, operation.Unknown, operation.Unavailable, false},
	} {
		t.Run(strconv.Itoa(test.answer.status)+test.answer.body[:min(len(test.answer.body), 8)], func(t *testing.T) {
			answers := []answer{test.answer}
			if test.answer.status == 0 {
				answers = append(answers, test.answer) // net/http may repeat a read
			}
			sentinel := func(got operation.Outcome, class operation.Class) {
				t.Helper()
				replies := test.replies && class != operation.Credentials
				if got.Class != class || got.Code == "" || (got.Reply.Status != 0) != replies ||
					strings.Contains(string(got.Reply.Body), "html") ||
					got.Class != operation.Done && (got.Creates != "" || got.Refs != nil) {
					t.Errorf("got %+v, want %s", got, class)
				}
				if got.Reply.Status != 0 && got.Reply.Status != test.answer.status {
					t.Errorf("answers %d", got.Reply.Status)
				}
			}
			sentinel(call(t, iron.CreateCustomer(newPartner(t, answers...).config()), enroll(aCustomer)), test.create)
			sentinel(call(t, iron.GetCustomer(newPartner(t, answers...).config()), about()), test.read)
			if test.create != operation.Done {
				sentinel(
					call(
						t, iron.CreateIdentification(newPartner(t, append([]answer{{200, none}}, answers...)...).config()),
						identify(direct),
					),
					test.create,
				)
				sentinel(call(t, iron.GetIdentification(newPartner(t, answers...).config()), about()), test.read)
				if test.answer.body != `[]` && test.answer.status < 500 {
					sentinel(call(t, iron.ListIdentifications(newPartner(t, answers...).config()), about()), test.read)
				}
			}
		})
	}
	t.Run("NotSent", func(t *testing.T) {
		for _, got := range []operation.Outcome{
			call(t, iron.CreateCustomer(iron.Config{BaseURL: "http://127.0.0.1:1"}), enroll(aCustomer)),
			call(t, iron.CreateIdentification(iron.Config{BaseURL: "http://127.0.0.1:1"}), identify(direct)),
		} {
			if got.Class != operation.Unavailable || got.Code != "not_sent" {
				t.Errorf("got %+v", got)
			}
		}
	})
	t.Run("MalformedCredentials", func(t *testing.T) {
		for _, secret := range []string{``, `[]`, `{}`, `{"api_key":""}`, `{"api_key":5}`} {
			if got := callWith(
				t, iron.GetCustomer(iron.Config{BaseURL: "http://127.0.0.1:1"}), about(), newCall(secret),
			); got.Class != operation.Credentials || got.Code != "credentials_malformed" {
				t.Errorf("%s: %+v", secret, got)
			}
		}
	})
}

// TestNotFound: a record that isn't there is answered like another tenant's, to the byte.
func TestNotFound(t *testing.T) {
	config := func() iron.Config { return newPartner(t, answer{404, `"the partner's own words"`}).config() }
	for name, test := range map[string]struct {
		answered operation.Outcome
		foreign  gateway.Reply
		want     string
	}{
		"Customer": {
			call(t, iron.GetCustomer(config()), about()), iron.GetCustomer(iron.Config{}).Errors(operation.NoSuchRecord, "x"),
			`"customer not found"`,
		},
		"List": {
			call(t, iron.ListIdentifications(config()), about()),
			iron.ListIdentifications(iron.Config{}).Errors(operation.NoSuchRecord, "x"), `"customer not found"`,
		},
		"Identify": {
			call(t, iron.CreateIdentification(config()), identify(direct)),
			iron.CreateIdentification(iron.Config{}).Errors(operation.NoSuchRecord, "x"), `"customer not found"`,
		},
		"Identification": {
			call(t, iron.GetIdentification(config()), about()),
			iron.GetIdentification(iron.Config{}).Errors(operation.NoSuchRecord, "x"), `"identification not found"`,
		},
	} {
		for _, got := range []gateway.Reply{test.answered.Reply, test.foreign} {
			if got.Status != 404 || string(got.Body) != test.want || got.ContentType != "application/json" ||
				len(got.Header) != 0 {
				t.Errorf("%s: %+v", name, got)
			}
		}
	}
}
