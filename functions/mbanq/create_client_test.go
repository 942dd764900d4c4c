package mbanq_test

import (
	"strings"
	"testing"

	"sallyport/functions/mbanq"
	"sallyport/shared/operation"
)

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
	); got.Creates != "mbanq/address/8812-71" || got.Refs["resource_id"] != "71" {
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
	contradicting := strings.Replace(aVerified, `"id":100`, `"id":300`, 1)
	active := strings.NewReplacer(`false,"dateOfBirth"`, `true,"dateOfBirth"`, "Pending", "Active", "pending", "active").
		Replace(contradicting)
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
		"CreatedSpelled": {
			create, answer{200, clients(strings.Replace(aPending, `"ext-1"`, `"EXT 1","firstname":"NOOR","mobileNo":"05550101"`, 1))},
			operation.Found, created,
		},
		"CreatedCut": {
			create, answer{200, clients(strings.Replace(aPending, "ext-1", "ext", 1))}, operation.Undetermined, "",
		},
		"CreatedOfTheMobile": {
			create, answer{200, clients(strings.Replace(aPending, `"ext-1"`, `"x","mobileNo":"5550101"`, 1))},
			operation.Undetermined, "",
		},
		"CreatedOfAnotherName": {
			create, answer{200, clients(strings.Replace(aPending, `"ext-1"`, `"ext-1","firstname":"Ali"`, 1))},
			operation.Undetermined, "",
		},
		"CreatedOfAnotherBirth": {
			create, answer{200, clients(strings.Replace(aPending, "1991,7,3", "1991,7,4", 1))}, operation.Undetermined, "",
		},
		"CreatedOfAnotherGender": {
			create, answer{200, clients(strings.Replace(aPending, `"active":false,"dateOf`, `"gender":{"id":23},"dateOf`, 1))},
			operation.Undetermined, "",
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
			operation.Undetermined, "",
		},
		"AnotherAddress": {
			adding, answer{200, `[` + strings.Replace(address, "1 First", "11 First", 1) + `]`}, operation.Undetermined, "",
		},
		"AnotherLine": {
			adding, answer{200, `[` + strings.Replace(address, `"city"`, `"addressLine2":"Flat 2","city"`, 1) + `]`},
			operation.Undetermined, "",
		},
		"AnotherPostalCode": {
			adding, answer{200, `[` + strings.Replace(address, `1001`, `"1002"`, 1) + `]`}, operation.Undetermined, "",
		},
		"AddressSpelled": {
			adding, answer{200, `[` + strings.NewReplacer(
				`1001`, `"1001"`, "1 First Street", " 1  FIRST STREET.", "Sample", "SAMPLE", `"addressId":71`, `"addressId":"71"`,
			).Replace(strings.Replace(address, `:7,`, `:"07",`, 1)) + `]`}, operation.Found, added,
		},
		"AddressAbbreviated": {
			adding, answer{200, `[` + strings.Replace(address, "Street", "St", 1) + `]`}, operation.Undetermined, "",
		},
		"AddressOfNoType": {
			adding, answer{200, `[` + strings.Replace(address, `"addressTypeId":1,`, ``, 1) + `]`}, operation.Undetermined, "",
		},
		"AddressWithoutID": {
			adding, answer{200, `[` + strings.Replace(address, `"addressId":71,`, ``, 1) + `]`}, operation.Undetermined, "",
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
			identify, answer{200, `[` + strings.Replace(identifier, "X4409127", "X4409128", 1) + `]`}, operation.Undetermined, "",
		},
		"IdentifierSpelled": {
			identify, answer{200, `[` + strings.Replace(identifier, "X4409127", "x 440-9127", 1) + `]`}, operation.Found, added,
		},
		"IdentifierOfAnotherDate": {
			identify, answer{200, `[` + strings.Replace(identifier, `"status"`, `"expiryDate":[2031,5,9],"status"`, 1) + `]`},
			operation.Undetermined, "",
		},
		"IdentifierOfTheDate": {
			identify, answer{200, `[` + strings.Replace(identifier, `"status"`, `"expiryDate":[2031,5,8],"status"`, 1) + `]`},
			operation.Found, added,
		},
		"IdentifierInactive": {
			identify, answer{200, `[` + strings.Replace(identifier, `Active`, `Inactive`, 1) + `]`}, operation.Undetermined, "",
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
		"ActiveNow":     {command("activate", activation), answer{200, active}, operation.Found, created},
		"Contradicting": {command("activate", activation), answer{200, contradicting}, operation.Undetermined, ""},
		"VerifiedOddly": {
			command("verify", full), answer{200, strings.Replace(aPending, `"PENDING"`, `"QUEUED"`, 1)}, operation.Undetermined, "",
		},
		"NotActive": {command("activate", activation), answer{200, aVerified}, operation.NotFound, ""},
		"Partial":   {command("verify", partial), answer{200, aVerified}, operation.Found, verified},
		"PartialBySubStatus": {
			command("verify", partial), answer{200, strings.Replace(aVerified, "APPROVED", "PENDING", 1)}, operation.Found,
			verified,
		},
		"PartialNot": {command("verify", partial), answer{200, aPending}, operation.NotFound, ""},
		// which of them, nothing tells
		"FullOrPartial": {command("verify", full), answer{200, aVerified}, operation.Undetermined, ""},
		"Full": {
			command("verify", full),
			answer{200, aVerified[:len(aVerified)-1] + `,"clientKycStatus":{"kycVerificationType":"FULL"}}`}, operation.Found,
			verified,
		},
		"FullNot": {command("verify", full), answer{200, aPending}, operation.NotFound, ""},
		"Rejected": {
			command("verify", full), answer{200, strings.Replace(aPending, `"PENDING"`, `"REJECTED"`, 1)}, operation.Undetermined,
			"",
		},
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
			p := newPartner(t, test.answer, test.answer)
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
