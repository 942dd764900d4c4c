package mbanq_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"sallyport/functions/sandbox/sandboxtest"
)

// TestCreateInvalid: the rows of §7 for a field of a new client.
func TestCreateInvalid(t *testing.T) {
	long := func(n int) string { return `"` + strings.Repeat("é", n) + `"` }
	exceeds := func(field string, limit int) string {
		return reason(
			"validation.msg.client."+field+".exceeds.max.length",
			fmt.Sprintf("The parameter `%s` exceeds max length of %d.", field, limit), field, fmt.Sprint(limit),
		)
	}
	positive := func(field, value string) string {
		return reason(
			"validation.msg.client."+field+".not.greater.than.zero", "The parameter `"+field+"` must be greater than 0.", field,
			value, "0",
		)
	}
	range12 := func(value string) string {
		return reason(
			"validation.msg.client.legalFormId.is.not.within.expected.range",
			"The parameter `legalFormId` must be between 1 and 2.", "legalFormId", value, "1", "2",
		)
	}
	badDate := func(field string) string {
		return reason(
			"validation.msg.invalid.dateFormat.format",
			"The parameter `"+field+"` is invalid based on the dateFormat and locale provided.", field,
		)
	}
	missing := func(name string) string {
		return reason("validation.msg.missing."+name+".parameter", "The parameter `"+name+"` is mandatory.", name)
	}
	integer := func(field string) string {
		return reason("validation.msg.invalid.integer.format", "The parameter `"+field+"` is not an integer.", field)
	}
	noName := reason(
		"validation.msg.client.id..no.name.details.passed", "Failed data validation due to: .no.name.details.passed.", "id",
	)
	for _, test := range []struct{ name, body, want string }{
		{"Empty", ``, malformed},
		{"Array", `[]`, malformed},
		{"Broken", `{"officeId":1`, malformed},
		{"Nothing", `{}`, notValid(blank("client", "officeId"), blank("client", "legalFormId"), noName, missing("dateFormat"),
			missing("locale"),
			blank("client", "dateOfBirth"), blank("client", "genderId"), blank("client", "emailAddress"),
			blank("client", "mobileCountryCode"),
			blank("client", "mobileNo"), blank("client", "submittedOnDate"))},
		{"NoOffice", person("officeId", ""), notValid(blank("client", "officeId"))},
		{"NullOffice", person("officeId", "null"), notValid(blank("client", "officeId"))},
		{"ZeroOffice", person("officeId", "0"), notValid(positive("officeId", "0"))},
		{"TextOffice", person("officeId", `"x"`), notValid(integer("officeId"))},
		{"HugeOffice", person("officeId", `1e999`), notValid(integer("officeId"))},
		{"LegalForm", person("legalFormId", "3"), notValid(range12("3"))},
		{"NegativeLegalForm", person("legalFormId", "-1"), notValid(positive("legalFormId", "-1"))},
		{"NoName", person("firstname", "", "lastname", ""), notValid(noName)},
		{
			"EmptyNames", person("firstname", `""`, "lastname", `" "`),
			notValid(blank("client", "firstname"), blank("client", "lastname")),
		},
		{"NoLastname", person("lastname", ""), notValid(blank("client", "lastname"))},
		{"LongFirstname", person("firstname", long(51)), notValid(exceeds("firstname", 50))},
		{"LongMiddlename", person("middlename", long(51)), notValid(exceeds("middlename", 50))},
		{"LongExternalID", person("externalId", long(101)), notValid(exceeds("externalId", 100))},
		{"LongMobile", person("mobileNo", long(51)), notValid(exceeds("mobileNo", 50))},
		{"BothNames", person("fullname", `"Noor Example"`), notValid(
			reason(
				"validation.msg.client.fullname.cannot.also.be.provided.when.firstname.is.populated",
				"The parameter `fullname` cannot also be provided when `firstname` is populated.", "fullname",
			),
			reason(
				"validation.msg.client.fullname.cannot.also.be.provided.when.lastname.is.populated",
				"The parameter `fullname` cannot also be provided when `lastname` is populated.", "fullname",
			))},
		{"EntityByParts", person("legalFormId", "2"), notValid(noName)},
		{
			"EntityBlank", person("legalFormId", "2", "firstname", "", "lastname", "", "fullname", `" "`),
			notValid(blank("client", "fullname")),
		},
		{"NoFormat", person("dateFormat", ""), notValid(missing("dateFormat"))},
		{"NoLocale", person("locale", ""), notValid(missing("locale"))},
		{
			"BadFormat", person("dateFormat", `"yyyy/MM/dd"`),
			notValid(
				reason(
					"validation.msg.invalid.dateFormat.format", "The parameter `dateFormat` is invalid for the locale provided.",
					"dateFormat",
				),
			),
		},
		{
			"BadDates", person("dateOfBirth", `"1991-13-3"`, "submittedOnDate", `"0000-01-01"`),
			notValid(badDate("dateOfBirth"), badDate("submittedOnDate")),
		},
		{"BornToday", person("dateOfBirth", `"2026-01-02"`, "submittedOnDate", `"2026-01-02"`),
			notValid(reason("validation.msg.client.dateOfBirth.is.greater.than.date",
				"The parameter `dateOfBirth` must be before today.", "dateOfBirth", `"2026-01-02"`, `"2026-01-02"`))},
		{"BornAfterSubmission", person("dateOfBirth", `"2026-01-01"`),
			notValid(reason("error.msg.clients.submittedOnDate.before.dateOfBirth",
				"submitted date cannot be before the date of birth", "submittedOnDate", `"2026-01-01"`))},
		{"SubmittedTomorrow", person("submittedOnDate", `"2026-01-03"`),
			notValid(reason("error.msg.clients.submittedOnDate.in.the.future",
				"submitted date cannot be in the future.", "submittedOnDate", `"2026-01-03"`))},
		{
			"Email", person("emailAddress", `"noor"`),
			notValid(
				reason(
					"validation.msg.client.emailAddress.is.not.valid", "The parameter `emailAddress` is not a valid email address.",
					"emailAddress",
				),
			),
		},
		{"ActiveWithoutDate", person("active", "true"), notValid(blank("client", "activationDate"))},
		{"ActiveTomorrow", person("active", "true", "activationDate", `"2026-01-03"`),
			notValid(reason("error.msg.clients.activationDate.in.the.future",
				"Activation date cannot be in the future.", "activationDate", `"2026-01-03"`))},
		{"ClientTypes", person("clientTypes", `51`),
			notValid(reason("validation.msg.client.clientTypes.is.not.an.array.of.integers",
				"The parameter `clientTypes` must be an array of at most 10 integers.", "clientTypes"))},
		{"Address", person("address", `[{}]`), notValid(blank("address", "addressTypeId"), blank("address", "addressLine1"),
			blank("address", "city"),
			blank("address", "stateProvinceId"), blank("address", "countryId"), blank("address", "postalCode"),
			blank("address", "isActive"))},
		{"Addresses", person("address", `{}`), notValid(reason("validation.msg.client.address.is.not.an.array.of.objects",
			"The parameter `address` must be an array of at most 10 objects.", "address"))},
		{
			"AddressType", person("address", `[`+home("addressTypeId", "9")+`]`),
			notFound("error.msg.codevalue.id.invalid", "Code value with identifier 9 does not exist", "9"),
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := openOn(t, &sandboxtest.Memory{})
			h.set("strict", "inferred")
			want(t, h.answer("POST", "/v1/clients", test.body), test.want)
			want(t, h.answer("GET", "/v1/clients", ""), `200 {"totalFilteredRecords":0,"pageItems":[]}`)
			want(t, h.Rows("?operation=create-client")[0].Effect, false)
		})
	}
	for name, body := range map[string]string{
		"Entity": person(
			"legalFormId", "2", "firstname", "", "lastname", "", "fullname", `"Example Ltd"`, "dateOfBirth", "", "genderId", "",
		),
		"Fullname": person("firstname", "", "lastname", "", "fullname", `"Noor Example"`),
		"Words": person(
			"dateFormat", `"dd MMMM yyyy"`, "dateOfBirth", `"03 July 1991"`, "submittedOnDate", `"01 January 2026"`,
		),
		"WordsOne": person(
			"dateFormat", `"d MMMM yyyy"`, "dateOfBirth", `"3 July 1991"`, "submittedOnDate", `"1 January 2026"`,
		),
		"OtherTypes": person("officeId", `"1"`, "mobileNo", `5550100017`, "externalId", `null`),
		"AtLimit":    person("firstname", long(50), "externalId", long(100)),
		"ToDay":      person("submittedOnDate", `"2026-01-02"`),
	} {
		t.Run("Valid"+name, func(t *testing.T) {
			h := openOn(t, &sandboxtest.Memory{})
			want(t, h.answer("POST", "/v1/clients", body), done("8801"))
			want(t, h.stands("8801"), "100 PENDING")
		})
	}
	t.Run("ValidActive", func(t *testing.T) {
		h := openOn(t, &sandboxtest.Memory{})
		want(t, h.answer("POST", "/v1/clients", person("active", "true", "activationDate", `"2026-01-01"`)), done("8801"))
		want(t, h.stands("8801"), "300 PENDING")
	})
}

func TestUnique(t *testing.T) {
	h := openOn(t, &sandboxtest.Memory{})
	h.answer("POST", "/v1/clients", person("externalId", `"onb-1"`, "accountNo", `"A1"`))
	for _, test := range []struct{ field, value, body string }{
		{"externalId", "onb-1", person("externalId", `"onb-1"`)},
		{"accountNo", "A1", person("externalId", `"onb-2"`, "accountNo", `"A1"`)},
		{"mobileNo", "5550100017", person("externalId", `"onb-2"`)},
	} {
		want(t, h.answer("POST", "/v1/clients", test.body), taken(test.field, test.value))
	}
	// without an externalId each is another
	want(t, h.answer("POST", "/v1/clients", person("mobileNo", `"5550100018"`)), done("8802"))
	want(t, h.answer("POST", "/v1/clients", person("mobileNo", `"5550100019"`)), done("8803"))
}

func TestDelete(t *testing.T) {
	h := openOn(t, &sandboxtest.Memory{})
	id := h.complete("externalId", `"onb-1"`)
	want(t, h.answer("DELETE", "/v1/clients/"+id, ""), `200 {"officeId":1,"clientId":8801,"resourceId":8801}`)
	want(t, h.answer("GET", "/v1/clients/"+id, ""), noClient(id))
	want(t, h.answer("DELETE", "/v1/clients/"+id, ""), noClient(id))
	h.made = 0
	id = h.complete("externalId", `"onb-1"`) // nothing of it is left
	want(t, id, "8802")
	h.verifies(id, "FULL")
	h.activates(id)
	want(
		t, h.answer("DELETE", "/v1/clients/"+id, ""),
		violated(
			reason("error.msg.clients.cannot.be.deleted", "Client 8802 cannot be deleted: it is not pending.", "id", id),
		),
	)
}

func TestList(t *testing.T) {
	h := openOn(t, &sandboxtest.Memory{})
	h.makes("firstname", `"Zoe"`, "externalId", `"e-1"`)
	h.makes("firstname", `"Ada"`, "officeId", "2")
	h.complete("firstname", `"Mia"`)
	h.verifies("8803", "FULL")
	h.activates("8803")
	for _, test := range []struct{ query, want string }{
		{"", "3: 8801 8802 8803"},
		{"?externalId=e-1", "1: 8801"},
		{"?externalId=e-2", "0:"},
		{"?externalId=e", "0:"},
		{"?mobileNo=5550200002", "1: 8802"},
		{"?displayName=a", "3: 8801 8802 8803"},
		{"?displayName=ada+ex", "1: 8802"},
		{"?clientStatus=ACTIVE", "1: 8803"},
		{"?clientStatus=PENDING&limit=1", "2: 8801"},
		{"?clientStatus=PENDING&limit=1&offset=1", "2: 8802"},
		{"?clientStatus=INACTIVE", "0:"},
		{"?offset=9", "3:"},
		{"?limit=0", "3:"},
		{"?orderBy=displayName", "3: 8802 8803 8801"},
		{"?orderBy=displayName&sortOrder=DESC", "3: 8801 8803 8802"},
		{"?orderBy=accountNo&sortOrder=DESC", "3: 8803 8802 8801"},
		{"?orderBy=officeId&sortOrder=ASC", "3: 8801 8803 8802"},
		{"?orderBy=officeName&sortOrder=DESC", "3: 8802 8801 8803"},
		{"?fromDate=x&somethingElse=1", "3: 8801 8802 8803"},
	} {
		t.Run(test.query, func(t *testing.T) {
			var list struct {
				Total int                `json:"totalFilteredRecords"`
				Items []struct{ ID int } `json:"pageItems"`
			}
			w := h.Do(h.request("GET", "/v1/clients"+test.query, ""))
			if err := json.Unmarshal(w.Body.Bytes(), &list, json.MatchCaseInsensitiveNames(true)); err != nil || w.Code != 200 {
				t.Fatal(err, sandboxtest.Text(w))
			}
			got := fmt.Sprint(list.Total, ":")
			for _, item := range list.Items {
				got += fmt.Sprint(" ", item.ID)
			}
			want(t, strings.Replace(got, " :", ":", 1), test.want)
		})
	}
	for _, query := range []string{
		"orderBy=id", "sortOrder=asc", "clientStatus=active", "limit=-1", "limit=x", "offset=1.5",
	} {
		name, value, _ := strings.Cut(query, "=")
		want(t, h.answer("GET", "/v1/clients?"+query, ""), notValid(reason("error.msg.query.parameter.value.unsupported",
			"The query parameter "+name+" has an unsupported value of: "+value, name, `"`+name+`"`, `"`+value+`"`)))
	}
	want(t, h.answer("GET", "/v1/clients/8899", ""), noClient("8899"))
}

func TestAddresses(t *testing.T) {
	h := openOn(t, &sandboxtest.Memory{})
	id := h.makes()
	add := func(query, body string) string { return h.answer("POST", "/v1/client/"+id+"/addresses"+query, body) }
	for _, test := range []struct{ name, query, body, want string }{
		{"NoType", "", home(), notValid(blank("address", "type"))},
		{
			"TextType", "?type=x", home(),
			notValid(
				reason(
					"error.msg.query.parameter.value.unsupported", "The query parameter type has an unsupported value of: x", "type",
					`"type"`, `"x"`,
				),
			),
		},
		{
			"UnknownType", "?type=3", home(),
			notFound("error.msg.codevalue.id.invalid", "Code value with identifier 3 does not exist", "3"),
		},
		{"Nothing", "?type=1", `{}`, notValid(blank("address", "addressLine1"), blank("address", "city"),
			blank("address", "stateProvinceId"),
			blank("address", "countryId"), blank("address", "postalCode"), blank("address", "isActive"))},
		{"Malformed", "?type=1", ``, malformed},
		{
			"Boolean", "?type=1", home("isActive", `"on"`),
			notValid(
				reason(
					"validation.msg.address.isActive.must.be.true.or.false", "The parameter `isActive` must be set as true or false.",
					"isActive",
				),
			),
		},
	} {
		t.Run(test.name, func(t *testing.T) { want(t, add(test.query, test.body), test.want) })
	}
	want(t, h.answer("GET", "/v1/client/"+id+"/addresses", ""), "200 []")
	for i, code := range []string{`"94016"`, `94016`, `"01234"`, `"EC1A 1BB"`} {
		want(t, add("?type=2", home("postalCode", code)), fmt.Sprintf(`200 {"clientId":8801,"resourceId":%d}`, 3301+i))
	}
	listed := h.answer("GET", "/v1/client/"+id+"/addresses?type=2", "")
	for _, code := range []string{
		`"addressId":3301,"addressTypeId":2`, `"postalCode":94016,`, `"postalCode":"01234"`, `"postalCode":"EC1A 1BB"`,
	} {
		want(t, strings.Contains(listed, code), true)
	}
	want(t, h.answer("GET", "/v1/client/"+id+"/addresses?type=1", ""), "200 []")
	for range 6 {
		add("?type=2", home())
	}
	want(
		t, add("?type=2", home()),
		violated(reason("error.msg.client.too.many.addresses", "The sandbox keeps at most 10 addresses of a client.", "id")),
	)
	want(t, h.answer("POST", "/v1/client/8899/addresses?type=1", home()), noClient("8899"))
	want(t, h.answer("GET", "/v1/client/8899/addresses", ""), noClient("8899"))
	// the plural is wrong
	sandboxtest.WantProblem(
		t, h.Do(h.request("POST", "/v1/clients/"+id+"/addresses?type=1", home())), 404, "mbanq has no such path", "",
	)
}

func TestIdentifiers(t *testing.T) {
	h := openOn(t, &sandboxtest.Memory{})
	h.set("strict", "inferred")
	id, other := h.makes(), h.makes()
	add := func(id, body string) string { return h.answer("POST", "/v1/clients/"+id+"/identifiers", body) }
	missing := func(name string) string {
		return reason("validation.msg.missing."+name+".parameter", "The parameter `"+name+"` is mandatory.", name)
	}
	for _, test := range []struct{ name, body, want string }{
		{"Malformed", `{`, malformed},
		{
			"Nothing", `{}`,
			notValid(
				blank("clientIdentifier", "documentTypeId"), blank("clientIdentifier", "documentKey"),
				blank("clientIdentifier", "status"), blank("clientIdentifier", "issuedDate"),
			),
		},
		{"NoIssuedDate", document("41", "X1", "issuedDate", ""), notValid(blank("clientIdentifier", "issuedDate"))},
		{"NoFormat", document("41", "X1", "dateFormat", ""), notValid(missing("dateFormat"))},
		{
			"UnknownType", document("40", "X1"),
			notFound("error.msg.codevalue.id.invalid", "Code value with identifier 40 does not exist", "40"),
		},
		{
			"TextType", document("x", "X1"),
			notValid(
				reason(
					"validation.msg.invalid.integer.format", "The parameter `documentTypeId` is not an integer.", "documentTypeId",
				),
			),
		},
		{"Status", document("41", "X1", "status", `"Expired"`),
			notValid(reason("validation.msg.clientIdentifier.status.is.not.one.of.expected.enumerations",
				"The parameter `status` must be one of [ Active, Inactive ] .", "status", `"Expired"`, `"Active"`, `"Inactive"`))},
	} {
		t.Run(test.name, func(t *testing.T) { want(t, add(id, test.body), test.want) })
	}
	want(t, strings.HasPrefix(add(id, document("41", "X1")), "200 "), true)
	want(t, add(id, document("41", "X2")), violated(reason("error.msg.clientIdentifier.type.duplicate",
		"Active Client identifier of type Passport is already present for this client", "id", `"Passport"`)))
	want(t, add(id, document("41", "X1")), add(id, document("41", "X2"))) // a repeat is about the type
	used := violated(
		reason(
			"error.msg.clientIdentifier.identityKey.duplicate",
			"Client identifier of type Passport with value of X1 already exists.", "id", `"Passport"`, `"X1"`,
		),
	)
	want(t, add(other, document("41", "X1")), used)
	want(t, add(id, document("41", "X1", "status", `"Inactive"`)), used)
	want(t, strings.HasPrefix(add(id, document("41", "X2", "status", `"INACTIVE"`)), "200 "), true)
	want(t, strings.HasPrefix(add(other, document("42", "X1")), "200 "), true) // of another type
	want(
		t,
		strings.HasPrefix(
			add(id, document("42", "X3", "issuedDate", `"9 May 2021"`, "expiryDate", "", "dateFormat", `"d MMMM yyyy"`)), "200 ",
		),
		true,
	)
	for i := range 7 {
		add(id, document("46", fmt.Sprint(i), "status", `"Inactive"`))
	}
	want(
		t, add(id, document("46", "U9")),
		violated(
			reason("error.msg.client.too.many.identifiers", "The sandbox keeps at most 10 identifiers of a client.", "id"),
		),
	)
	want(t, strings.Contains(h.answer("GET", firstClient+"/identifiers", ""), `"documentKey":"**"`), true)
	want(t, add("8899", document("41", "X9")), noClient("8899"))
	want(t, h.answer("GET", "/v1/clients/8899/identifiers", ""), noClient("8899"))
	want(t, h.answer("GET", "/v1/clients/8899/verificationstatus", ""), noClient("8899"))

	t.Run("AfterRejection", func(t *testing.T) {
		h := openOn(t, &sandboxtest.Memory{})
		id := h.complete()
		want(t, h.Do(sandboxtest.Keyless("POST", base+firstClient+"/identifiers/5101?command=reject", "")).Code, 200)
		h.identifies(id, "41") // another passport may take its place
		want(t, h.verifies(id, "FULL"), verified(id, "APPROVED"))
	})
}

func TestDocuments(t *testing.T) {
	h := openOn(t, &sandboxtest.Memory{})
	h.set("strict", "inferred")
	id := h.makes()
	passport := h.identifies(id, "41")
	wrongType := reason(
		"validation.msg.document.file.content.type.not.supported", "The parameter `file` must be a PDF, JPEG or PNG.", "file",
	)
	for _, test := range []struct {
		name, field, file, contentType string
		size                           int
		want                           string
	}{
		{"PDF", "a1", "p.pdf", "application/pdf", 1, ""},
		{"JPEG", "a1", "p", "image/jpeg", 1, ""},
		{"JPG", "a1", "p", "image/jpg; x=y", 1, ""},
		{"PNG", "a1", "p", "image/png", 1, ""},
		{"ByName", "a1", "p.JPG", "", 1, ""},
		{"ByNameOfBytes", "a1", "p.jpeg", "application/octet-stream", 1, ""},
		{"Largest", "a1", "p.pdf", "application/pdf", 10 << 20, ""},
		{
			"TooLarge", "a1", "p.pdf", "application/pdf", 10<<20 + 1,
			violated(reason("error.msg.document.file.too.big", "The file is larger than 10 MB.", "id", "10485761")),
		},
		{"NoName", "", "p.pdf", "application/pdf", 1, notValid(blank("document", "name"))},
		{
			"NameWithSpace", "a 1", "p.pdf", "application/pdf", 1,
			notValid(
				reason(
					"validation.msg.document.name.does.not.match.regexp", "The parameter `name` must match `^[a-zA-Z0-9]+$`.", "name",
				),
			),
		},
		{"NoFile", "a1", "", "", 0, notValid(blank("document", "file"))},
		{"EmptyFile", "a1", "p.pdf", "application/pdf", 0, notValid(blank("document", "file"))},
		{"GIF", "a1", "p.pdf", "image/gif", 1, notValid(wrongType)},
		{"NoExtension", "a1", "p", "", 1, notValid(wrongType)},
	} {
		t.Run(test.name, func(t *testing.T) {
			body, media := scan(test.field, test.file, test.contentType, test.size)
			answer := h.upload(passport, body, media)
			if test.want == "" {
				want(t, strings.HasPrefix(answer, `200 {"id":"9`), true)
				return
			}
			want(t, answer, test.want)
		})
	}
	body, media := scan("a1", "p.pdf", "application/pdf", 100)
	for name, r := range map[string][2]string{
		"JSON": {`{}`, "application/json"}, "NoBoundary": {body, "multipart/form-data"}, "NoType": {body, ""},
		"Cut": {body[:len(body)-30], media}, "CutInHeader": {body[:80], media},
	} {
		t.Run(name, func(t *testing.T) {
			if answer := h.upload(passport, r[0], r[1]); answer != malformed {
				t.Error(answer)
			}
		})
	}
	for _, r := range [][2]string{{"", media}, {body, "multipart/form-data; boundary=x"}} {
		want(t, h.upload(passport, r[0], r[1]), notValid(blank("document", "name"), blank("document", "file")))
	}
	unknown := func(id string) string {
		return notFound(
			"error.msg.clientIdentifier.id.invalid", "Client identifier with identifier "+id+" does not exist", id,
		)
	}
	want(t, h.upload("5199", body, media), unknown("5199"))
	want(
		t, h.upload("05101", body, media),
		notFound("error.msg.clientIdentifier.id.invalid", "Client identifier with identifier 05101 does not exist", "5101"),
	)
	r := h.request("POST", "/v1/client_identifiers/"+passport+"/documents", strings.Repeat("x", 11<<20))
	sandboxtest.WantProblem(t, h.Do(r), 413, "the body is larger than 10 MiB", "")
}

func TestTemplates(t *testing.T) {
	h := openOn(t, &sandboxtest.Memory{})
	h.makes()
	want(t, h.answer("GET", firstClient+"/identifiers/template", ""),
		`200 {"allowedDocumentTypes":[{"id":41,"name":"Passport","position":0},`+
			`{"id":42,"name":"Driver's License","position":1},{"id":43,"name":"National ID","position":2},{"id":44,"name":"SSN","position":3},`+
			`{"id":45,"name":"ITIN","position":4},{"id":46,"name":"Utility Bill","position":5}]}`)
	want(t, h.answer("GET", "/v1/clients/8899/identifiers/template", ""), noClient("8899"))
	const address = `{"addressTypeIdOptions":[{"id":1,"name":"Primary","position":0},{"id":2,"name":"Mailing","position":1}],` +
		`"countryIdOptions":[{"id":101,"name":"United States","position":0},{"id":102,"name":"India","position":1},{"id":103,"name":"Germany","position":2}],` +
		`"stateProvinceIdOptions":[{"id":201,"name":"California","position":0},{"id":202,"name":"Delaware","position":1},{"id":203,"name":"New York","position":2},` +
		`{"id":204,"name":"Karnataka","position":3},{"id":205,"name":"Berlin","position":4}]}`
	want(t, h.answer("GET", "/v1/client/addresses/template", ""), "200 "+address)
	client := h.answer("GET", "/v1/clients/template", "")
	for _, part := range []string{`200 {"officeOptions":[{"id":1,"name":"Head Office","position":0}],"genderOptions":[{"id":21,`,
		`"clientLegalFormOptions":[{"id":1,"code":"legalFormType.person","value":"Person"},{"id":2,"code":"legalFormType.entity","value":"Entity"}],"address":` + address} {
		want(t, strings.Contains(client, part), true)
	}
}
