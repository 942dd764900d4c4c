package mbanq_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"sallyport/functions/mbanq"
	"sallyport/shared/gateway"
	"sallyport/shared/operation"
)

// change replaces texts in a sample, which must be there.
func change(t testing.TB, sample string, pairs ...string) string {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(sample, pairs[i]) {
			t.Fatalf("%s is not in the sample", pairs[i])
		}
		sample = strings.Replace(sample, pairs[i], pairs[i+1], 1)
	}
	return sample
}

// refusal is what a request is refused with before any call.
type refusal struct {
	detail string
	codes  []string
	reply  gateway.Reply
}

func refusalOf(t testing.TB, err error) (r refusal) {
	t.Helper()
	var rejection *operation.Rejection
	var input *gateway.InputError
	switch {
	case errors.As(err, &rejection):
		r.detail, r.reply = rejection.Detail, rejection.Reply
	case errors.As(err, &input):
		return refusal{detail: "input: " + input.Error()}
	default:
		t.Fatalf("%v", err)
	}
	var envelope struct {
		Errors []struct {
			Developer string `json:"developerMessage"`
			User      string `json:"defaultUserMessage"`
			Code      string `json:"userMessageGlobalisationCode"`
			Args      []any  `json:"args"`
		} `json:"errors"`
	}
	if err := json.Unmarshal(r.reply.Body, &envelope); err != nil {
		t.Fatalf("%s: %v", r.reply.Body, err)
	}
	for _, e := range envelope.Errors {
		if e.Developer != e.User || e.Args == nil {
			t.Errorf("answers %s", r.reply.Body)
		}
		r.codes = append(r.codes, e.Code)
	}
	return r
}

// TestRules has the tables of §3, in the codes of §7: what a page demands, and nothing else.
func TestRules(t *testing.T) {
	create := func(text string) error { _, err := mbanq.CreateClient(mbanq.Config{}).Decode(post(text)); return err }
	address := func(text string) error {
		_, err := mbanq.AddAddress(mbanq.Config{}).Decode(to(text, "type", "1"))
		return err
	}
	identifier := func(text string) error { _, err := mbanq.AddIdentifier(mbanq.Config{}).Decode(to(text)); return err }
	verify := func(text string) error {
		_, err := mbanq.ClientCommand(mbanq.Config{}).Decode(to(text, "command", "verify"))
		return err
	}
	activate := func(text string) error {
		_, err := mbanq.ClientCommand(mbanq.Config{}).Decode(to(text, "command", "activate"))
		return err
	}
	const entity, ssn = `"legalFormId":2`, `{"documentTypeId":44,"documentKey":"900700001","status":"active"}`
	company := change(
		t, aClient, `"legalFormId":1,"firstname":"Noor","lastname":"Example","dateOfBirth":"1991-07-03","genderId":22`,
		entity+`,"fullname":"Example Ltd"`,
	)
	words := []string{`"1991-07-03"`, `"3 July 1991"`, `"2026-01-05"`, `"05 January 2026"`, `yyyy-MM-dd`, `d MMMM yyyy`}
	for name, test := range map[string]struct {
		decode func(string) error
		text   string
		codes  string // without "validation.msg."
	}{
		"Person": {create, aClient, ""},
		"Entity": {create, company, ""},
		"MoreFields": {
			create, change(t, aClient, "{", `{"dob":"1991-07-03","clientTypes":[51],"isStaff":false,"something":{"new":1},`), "",
		},
		"NumbersAsText": {
			create, change(t, aClient, `"officeId":1`, `"officeId":"1"`, `"legalFormId":1`, `"legalFormId":"1"`), "",
		},
		"LongNames": {create, change(t, aClient, "Noor", strings.Repeat("é", 50)), ""},
		"Words":     {create, change(t, aClient, words...), ""},
		"TwoDigitWords": {
			create,
			change(
				t, aClient,
				append(
					words, `"3 July 1991"`, `"03 July 1991"`, `d MMMM yyyy`, `dd MMMM yyyy`, `"locale":"en"`, `"locale":"en_GB"`,
				)...,
			),
			"",
		},
		"NotActive": {create, change(t, aClient, "{", `{"active":false,`), ""},
		"NoOffice":  {create, change(t, aClient, `"officeId":1,`, ``), "client.officeId.cannot.be.blank"},
		"OfficeZero": {
			create, change(t, aClient, `"officeId":1`, `"officeId":0`), "",
		},
		"OfficeOdd": {
			create, change(t, aClient, `"officeId":1`, `"officeId":"x"`), "",
		},
		"OfficeObject": {
			create, change(t, aClient, `"officeId":1`, `"officeId":{}`), "",
		},
		"LegalForm": {
			create, change(t, aClient, `"legalFormId":1`, `"legalFormId":3`), "client.legalFormId.is.not.within.expected.range",
		},
		"NoLegalForm": {
			create, change(t, aClient, `"legalFormId":1`, `"legalFormId":null`), "client.legalFormId.cannot.be.blank",
		},
		"NoNames": {
			create, change(t, aClient, `"firstname":"Noor","lastname":"Example",`, ``), "client.id..no.name.details.passed",
		},
		"BlankNames": {
			create, change(t, aClient, `"Noor"`, `" "`, `"Example"`, `""`),
			"client.firstname.cannot.be.blank client.lastname.cannot.be.blank",
		},
		"HalfAName": {create, change(t, aClient, `"lastname":"Example",`, ``), "client.lastname.cannot.be.blank"},
		"LongName": {
			create, change(t, aClient, "Noor", strings.Repeat("é", 51)), "",
		},
		"LongExternalID": {
			create, change(t, aClient, "ext-1", strings.Repeat("x", 101)), "",
		},
		"NameAsNumber": {create, change(t, aClient, `"Noor"`, `5`), ""},
		"EntityNoName": {
			create, change(t, company, `"fullname":"Example Ltd"`, `"firstname":"Example"`), "",
		},
		"NoBirth": {
			create, change(t, aClient, `"dateOfBirth":"1991-07-03","genderId":22,`, ``),
			"client.dateOfBirth.cannot.be.blank client.genderId.cannot.be.blank",
		},
		"NoContact": {
			create, change(t, aClient, `"emailAddress":"noor@example.com","mobileCountryCode":"1","mobileNo":"5550101",`, ``),
			"client.emailAddress.cannot.be.blank client.mobileCountryCode.cannot.be.blank client.mobileNo.cannot.be.blank",
		},
		"Email": {create, change(t, aClient, "noor@example.com", "noor"), ""},
		"EmailWithName": {
			create, change(t, aClient, "noor@example.com", "Noor <noor@example.com>"), "",
		},
		"NoSubmission": {
			create, change(t, aClient, `"submittedOnDate":"2026-01-05",`, ``), "client.submittedOnDate.cannot.be.blank",
		},
		"NoFormat": {
			create, change(t, aClient, `"dateFormat":"yyyy-MM-dd","locale":"en",`, ``),
			"missing.dateFormat.parameter missing.locale.parameter",
		},
		"Format": {create, change(t, aClient, `yyyy-MM-dd`, `dd/MM/yyyy`), ""},
		"FormatAndLocale": {
			create, change(t, aClient, append(words, `"locale":"en"`, `"locale":"de"`)...), "",
		},
		"Date":              {create, change(t, aClient, `1991-07-03`, `1991-02-30`), ""},
		"DateInOtherFormat": {create, change(t, aClient, `1991-07-03`, `3 July 1991`), ""},
		"Active":            {create, change(t, aClient, "{", `{"active":true,`), ""},
		"ActiveAsText":      {create, change(t, aClient, "{", `{"active":"True",`), ""},
		"Nothing": {
			create, `{}`,
			"client.officeId.cannot.be.blank client.legalFormId.cannot.be.blank client.id..no.name.details.passed " +
				"client.dateOfBirth.cannot.be.blank client.genderId.cannot.be.blank client.emailAddress.cannot.be.blank " +
				"client.mobileCountryCode.cannot.be.blank client.mobileNo.cannot.be.blank " +
				"client.submittedOnDate.cannot.be.blank missing.dateFormat.parameter missing.locale.parameter",
		},

		"Address": {address, anAddress, ""},
		"AddressNothing": {
			address, `{}`,
			"address.addressLine1.cannot.be.blank address.city.cannot.be.blank address.stateProvinceId.cannot.be.blank " +
				"address.countryId.cannot.be.blank address.postalCode.cannot.be.blank address.isActive.cannot.be.blank",
		},
		"PostalCode": {address, change(t, anAddress, `"01001"`, `1001`), ""},
		"Country": {
			address, change(t, anAddress, `"countryId":3`, `"countryId":-3`), "",
		},
		"AddressInactive": {address, change(t, anAddress, `true`, `false`), ""},

		"Identifier":        {identifier, aPassport, ""},
		"IdentifierNoDates": {identifier, ssn, ""},
		"TypeAsNumber":      {identifier, change(t, aPassport, `"41"`, `41`), ""},
		"IdentifierNothing": {
			identifier, `{}`,
			"clientIdentifier.documentTypeId.cannot.be.blank clientIdentifier.documentKey.cannot.be.blank " +
				"clientIdentifier.status.cannot.be.blank",
		},
		"Type": {
			identifier, change(t, aPassport, `"41"`, `"passport"`), "",
		},
		"IdentifierFormat": {
			identifier, change(t, aPassport, `"dateFormat":"yyyy-MM-dd",`, ``), "missing.dateFormat.parameter",
		},
		"Expiry": {identifier, change(t, aPassport, `2031-05-08`, `soon`), ""},

		"Verify":        {verify, full, ""},
		"VerifyPartial": {verify, partial, ""},
		"VerifyDefault": {verify, `{}`, ""},
		"Kind": {
			verify, `{"kycVerificationType":"full"}`, "client.kycVerificationType.is.not.one.of.expected.enumerations",
		},
		"KindAsNumber": {
			verify, `{"kycVerificationType":1}`, "client.kycVerificationType.is.not.one.of.expected.enumerations",
		},

		"Activate": {activate, activation, ""},
		"ActivateNothing": {
			activate, `{}`, "client.activationDate.cannot.be.blank missing.dateFormat.parameter missing.locale.parameter",
		},
		"ActivateDate": {activate, change(t, activation, "2026-03-04", "4.3.2026"), ""},
		"Manual": {
			activate, change(t, activation, "{", `{"isActivatedByManualReview":true,"manualReviewActivationComments":"seen",`),
			"",
		},
		"ManualNoComment": {
			activate, change(t, activation, "{", `{"isActivatedByManualReview":true,`),
			"",
		},
		"ManualAsText": {
			activate, change(t, activation, "{", `{"isActivatedByManualReview":"true","manualReviewActivationComments":" ",`),
			"",
		},
		"NotManual":        {activate, change(t, activation, "{", `{"isActivatedByManualReview":false,`), ""},
		"ManualBlankTruth": {activate, change(t, activation, "{", `{"isActivatedByManualReview":null,`), ""},
	} {
		t.Run(name, func(t *testing.T) {
			err := test.decode(test.text)
			if (err == nil) != (test.codes == "") {
				t.Fatalf("got %v, want %s", err, test.codes)
			}
			if err == nil {
				return
			}
			got := refusalOf(t, err)
			if codes := strings.ReplaceAll(strings.Join(got.codes, " "), "validation.msg.", ""); codes != test.codes ||
				got.reply.Status != 400 {
				t.Errorf("got %d %s", got.reply.Status, codes)
			}
			for _, value := range []string{"Noor", "5550101", "1 First", "X4409127", "noor"} {
				if strings.Contains(got.detail, value) {
					t.Errorf("the detail is %s", got.detail)
				}
			}
		})
	}
	for name, decode := range map[string]func(string) error{
		"create": create, "address": address, "identifier": identifier, "verify": verify, "activate": activate,
	} {
		for text, want := range map[string]string{
			``: "body is empty", `[]`: "must be an object", `null`: "must be an object", `{`: "is not valid JSON",
			`{"a":1,"a":2}`: "/a: stands twice", `{"a":"\u0000"}`: "/a: holds a NUL character", `{} {}`: "is not valid JSON",
		} {
			if got := refusalOf(t, decode(text)); got.detail != "input: "+want {
				t.Errorf("%s of %s: %s", name, text, got.detail)
			}
		}
	}
}

// TestRefusedInThePartnersWords compares whole answers (§6, §7).
func TestRefusedInThePartnersWords(t *testing.T) {
	_, err := mbanq.CreateClient(mbanq.Config{}).Decode(
		post(change(t, aClient, `"officeId":1,`, ``, `"legalFormId":1`, `"legalFormId":3`)),
	)
	const want = `{"developerMessage":"The request was invalid. This typically will happen due to validation errors which are provided.","httpStatusCode":"400","defaultUserMessage":"Validation errors exist.","userMessageGlobalisationCode":"validation.msg.validation.errors.exist","errors":[` +
		"{\"developerMessage\":\"The parameter `officeId` is mandatory.\",\"defaultUserMessage\":\"The parameter " +
		"`officeId` is mandatory.\",\"userMessageGlobalisationCode\":\"validation.msg.client.officeId.cannot.be.blank\",\"parameterName\":\"officeId\",\"value\":null,\"args\":[]}," +
		"{\"developerMessage\":\"The parameter `legalFormId` must be between 1 and 2.\",\"defaultUserMessage\":\"The " +
		"parameter `legalFormId` must be between 1 and " +
		"2.\",\"userMessageGlobalisationCode\":\"validation.msg.client.legalFormId.is.not.within.expected.range\",\"parameterName\":\"legalFormId\",\"value\":null,\"args\":[{\"value\":3},{\"value\":1},{\"value\":2}]}]}"
	if got := refusalOf(t, err); string(got.reply.Body) != want ||
		got.detail != "/officeId: cannot be blank; /legalFormId: is not within expected range" {
		t.Errorf("got %s; %s", got.reply.Body, got.detail)
	}
	unsupported := func(name, shown, value string) string {
		return `{"developerMessage":"The query parameter ` + name + ` has an unsupported value of: ` + shown + `","defaultUserMessage":"The query parameter ` + name + ` has an unsupported value of: ` + shown +
			`","userMessageGlobalisationCode":"error.msg.query.parameter.value.unsupported","parameterName":"` + name + `","value":null,"args":[{"value":` + value + `}]}]}`
	}
	for _, test := range []struct{ given, want string }{
		{"-", unsupported("command", "null", "null")}, {"approve", unsupported("command", "approve", `"approve"`)},
		{"Verify", unsupported("command", "Verify", `"Verify"`)}, {"", unsupported("command", "", `""`)},
		{"\xff", unsupported("command", "\uFFFD", `"`+"\uFFFD"+`"`)},
		{strings.Repeat("é", 200), unsupported("command", strings.Repeat("é", 100), `"`+strings.Repeat("é", 100)+`"`)},
	} {
		req := to(full, "command", test.given)
		if test.given == "-" {
			req = to(full)
		}
		_, err := mbanq.ClientCommand(mbanq.Config{}).Decode(req)
		if got := refusalOf(t, err); !strings.HasSuffix(string(got.reply.Body), test.want) || got.reply.Status != 400 ||
			got.detail != "command: must be verify or activate" {
			t.Errorf("%q: %s; %s", test.given, got.reply.Body, got.detail)
		}
	}
	_, err = mbanq.AddAddress(mbanq.Config{}).Decode(to(anAddress, "type", "home"))
	if got := refusalOf(t, err); !strings.HasSuffix(string(got.reply.Body), unsupported("type", "home", `"home"`)) {
		t.Errorf("got %s", got.reply.Body)
	}
	_, err = mbanq.AddAddress(mbanq.Config{}).Decode(to(anAddress))
	if got := refusalOf(t, err); len(got.codes) != 1 || got.codes[0] != "validation.msg.address.type.cannot.be.blank" {
		t.Errorf("got %s", got.reply.Body)
	}
}

// TestFingerprints: two ways to say the same are the same request; another address type, command or tenant's spelling
// is not lost.
func TestFingerprints(t *testing.T) {
	address := fingerprinted(t, mbanq.AddAddress(mbanq.Config{}))
	same := address(to(anAddress, "type", "1"))
	if address(to(" "+anAddress, "type", "1", "tenantIdentifier", "t9demo")) != same {
		t.Error("white space makes another request")
	}
	for _, other := range []gateway.Request{
		to(anAddress, "type", "2"), to(change(t, anAddress, "First", "Second"), "type", "1"),
	} {
		if address(other) == same {
			t.Errorf("%+v is the same request", other)
		}
	}
	create := fingerprinted(t, mbanq.CreateClient(mbanq.Config{}))
	if create(post(aClient)) == create(post(change(t, aClient, "ext-1", "ext-2"))) {
		t.Error("another externalId is the same request")
	}
	command := fingerprinted(t, mbanq.ClientCommand(mbanq.Config{}))
	both := change(t, activation, "{", `{"kycVerificationType":"FULL",`)
	if command(to(both, "command", "verify")) == command(to(both, "command", "activate")) {
		t.Error("another command is the same request")
	}
	find := mbanq.GetClient(mbanq.Config{}).Decode
	for _, text := range []string{`{}`, `{"external_id":""}`, `{"client_id":"../x"}`, `{"external_id":1}`, `[]`} {
		if _, err := find(gateway.Request{FromStateMachine: true, Body: []byte(text)}); err == nil {
			t.Errorf("%s is taken", text)
		}
	}
}

// fingerprinted returns what an operation's requests are compared by, which holds no personal data.
func fingerprinted[In any](t *testing.T, op operation.Operation[In]) func(gateway.Request) string {
	return func(req gateway.Request) string {
		t.Helper()
		in, err := op.Decode(req)
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(op.Fingerprint(in))
		if err != nil || strings.Contains(string(text), "First") || strings.Contains(string(text), "Noor") {
			t.Errorf("compared by %s, %v", text, err)
		}
		return string(text)
	}
}

// refused is the invariant of every decoder: what isn't taken is refused in words, the partner's or the gateway's.
func refused(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		return
	}
	var rejection *operation.Rejection
	var input *gateway.InputError
	switch {
	case errors.As(err, &rejection):
		if !json.Valid(rejection.Reply.Body) || rejection.Reply.Status < 400 ||
			strings.ContainsAny(rejection.Detail, "\r\n") {
			t.Errorf("answered %d %s, %q", rejection.Reply.Status, rejection.Reply.Body, rejection.Detail)
		}
	case !errors.As(err, &input):
		t.Errorf("%v", err)
	}
}

// FuzzBodies: no body makes an operation panic, and a client that is taken is never active from the start.
func FuzzBodies(f *testing.F) {
	for _, text := range []string{
		aClient, anAddress, aPassport, full, activation, `{"active":"true"}`, `{"addressTypeId":"1"}`, `{"external_id":"x"}`,
	} {
		f.Add([]byte(text), "1", "verify")
		f.Add([]byte(text), "\xff", "activate")
	}
	c := mbanq.Config{}
	f.Fuzz(func(t *testing.T, text []byte, kind, command string) {
		for _, machine := range []bool{false, true} {
			req := to(string(text), "type", kind, "command", command)
			req.FromStateMachine = machine
			created, err := mbanq.CreateClient(c).Decode(req)
			refused(t, err)
			var client struct {
				Active any `json:"active"`
			}
			if err == nil && (json.Unmarshal(created.Body, &client) != nil || client.Active == true || client.Active == "true") {
				t.Errorf("taken: %s", created.Body)
			}
			address, err := mbanq.AddAddress(c).Decode(req)
			if refused(t, err); err == nil && !json.Valid(address.Body) {
				t.Errorf("sends %s", address.Body)
			}
			_, err = mbanq.AddIdentifier(c).Decode(req)
			refused(t, err)
			_, err = mbanq.ClientCommand(c).Decode(req)
			refused(t, err)
			_, err = mbanq.GetClient(c).Decode(req)
			refused(t, err)
		}
	})
}
