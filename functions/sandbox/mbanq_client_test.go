package sandbox_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
)

// TestMbanq_CreateInvalid: the rows of mbanq §7 for a field of a new client.
func TestMbanq_CreateInvalid(t *testing.T) {
	long := func(n int) string { return `"` + strings.Repeat("é", n) + `"` }
	exceeds := func(field string, limit int) string {
		return mbanqReason("validation.msg.client."+field+".exceeds.max.length", fmt.Sprintf("The parameter `%s` exceeds max length of %d.", field, limit), field, fmt.Sprint(limit))
	}
	positive := func(field, value string) string {
		return mbanqReason("validation.msg.client."+field+".not.greater.than.zero", "The parameter `"+field+"` must be greater than 0.", field, value, "0")
	}
	range12 := func(value string) string {
		return mbanqReason("validation.msg.client.legalFormId.is.not.within.expected.range", "The parameter `legalFormId` must be between 1 and 2.", "legalFormId", value, "1", "2")
	}
	badDate := func(field string) string {
		return mbanqReason("validation.msg.invalid.dateFormat.format", "The parameter `"+field+"` is invalid based on the dateFormat and locale provided.", field)
	}
	missing := func(name string) string {
		return mbanqReason("validation.msg.missing."+name+".parameter", "The parameter `"+name+"` is mandatory.", name)
	}
	integer := func(field string) string {
		return mbanqReason("validation.msg.invalid.integer.format", "The parameter `"+field+"` is not an integer.", field)
	}
	noName := mbanqReason("validation.msg.client.id..no.name.details.passed", "Failed data validation due to: .no.name.details.passed.", "id")
	for _, test := range []struct{ name, body, want string }{
		{"Empty", ``, mbanqMalformed},
		{"Array", `[]`, mbanqMalformed},
		{"Broken", `{"officeId":1`, mbanqMalformed},
		{"Nothing", `{}`, mbanqNotValid(mbanqBlank("client", "officeId"), mbanqBlank("client", "legalFormId"), noName, missing("dateFormat"), missing("locale"),
			mbanqBlank("client", "dateOfBirth"), mbanqBlank("client", "genderId"), mbanqBlank("client", "emailAddress"), mbanqBlank("client", "mobileCountryCode"),
			mbanqBlank("client", "mobileNo"), mbanqBlank("client", "submittedOnDate"))},
		{"NoOffice", mbanqPerson("officeId", ""), mbanqNotValid(mbanqBlank("client", "officeId"))},
		{"NullOffice", mbanqPerson("officeId", "null"), mbanqNotValid(mbanqBlank("client", "officeId"))},
		{"ZeroOffice", mbanqPerson("officeId", "0"), mbanqNotValid(positive("officeId", "0"))},
		{"TextOffice", mbanqPerson("officeId", `"x"`), mbanqNotValid(integer("officeId"))},
		{"HugeOffice", mbanqPerson("officeId", `1e999`), mbanqNotValid(integer("officeId"))},
		{"LegalForm", mbanqPerson("legalFormId", "3"), mbanqNotValid(range12("3"))},
		{"NegativeLegalForm", mbanqPerson("legalFormId", "-1"), mbanqNotValid(positive("legalFormId", "-1"))},
		{"NoName", mbanqPerson("firstname", "", "lastname", ""), mbanqNotValid(noName)},
		{"EmptyNames", mbanqPerson("firstname", `""`, "lastname", `" "`), mbanqNotValid(mbanqBlank("client", "firstname"), mbanqBlank("client", "lastname"))},
		{"NoLastname", mbanqPerson("lastname", ""), mbanqNotValid(mbanqBlank("client", "lastname"))},
		{"LongFirstname", mbanqPerson("firstname", long(51)), mbanqNotValid(exceeds("firstname", 50))},
		{"LongMiddlename", mbanqPerson("middlename", long(51)), mbanqNotValid(exceeds("middlename", 50))},
		{"LongExternalID", mbanqPerson("externalId", long(101)), mbanqNotValid(exceeds("externalId", 100))},
		{"LongMobile", mbanqPerson("mobileNo", long(51)), mbanqNotValid(exceeds("mobileNo", 50))},
		{"BothNames", mbanqPerson("fullname", `"Noor Example"`), mbanqNotValid(
			mbanqReason("validation.msg.client.fullname.cannot.also.be.provided.when.firstname.is.populated", "The parameter `fullname` cannot also be provided when `firstname` is populated.", "fullname"),
			mbanqReason("validation.msg.client.fullname.cannot.also.be.provided.when.lastname.is.populated", "The parameter `fullname` cannot also be provided when `lastname` is populated.", "fullname"))},
		{"EntityByParts", mbanqPerson("legalFormId", "2"), mbanqNotValid(noName)},
		{"EntityBlank", mbanqPerson("legalFormId", "2", "firstname", "", "lastname", "", "fullname", `" "`), mbanqNotValid(mbanqBlank("client", "fullname"))},
		{"NoFormat", mbanqPerson("dateFormat", ""), mbanqNotValid(missing("dateFormat"))},
		{"NoLocale", mbanqPerson("locale", ""), mbanqNotValid(missing("locale"))},
		{"BadFormat", mbanqPerson("dateFormat", `"yyyy/MM/dd"`), mbanqNotValid(mbanqReason("validation.msg.invalid.dateFormat.format", "The parameter `dateFormat` is invalid for the locale provided.", "dateFormat"))},
		{"BadDates", mbanqPerson("dateOfBirth", `"1991-7-3"`, "submittedOnDate", `"0000-01-01"`), mbanqNotValid(badDate("dateOfBirth"), badDate("submittedOnDate"))},
		{"BornToday", mbanqPerson("dateOfBirth", `"2026-01-02"`, "submittedOnDate", `"2026-01-02"`), mbanqNotValid(mbanqReason("validation.msg.client.dateOfBirth.is.greater.than.date",
			"The parameter `dateOfBirth` must be before today.", "dateOfBirth", `"2026-01-02"`, `"2026-01-02"`))},
		{"BornAfterSubmission", mbanqPerson("dateOfBirth", `"2026-01-01"`), mbanqNotValid(mbanqReason("error.msg.clients.submittedOnDate.before.dateOfBirth",
			"submitted date cannot be before the date of birth", "submittedOnDate", `"2026-01-01"`))},
		{"SubmittedTomorrow", mbanqPerson("submittedOnDate", `"2026-01-03"`), mbanqNotValid(mbanqReason("error.msg.clients.submittedOnDate.in.the.future",
			"submitted date cannot be in the future.", "submittedOnDate", `"2026-01-03"`))},
		{"Email", mbanqPerson("emailAddress", `"noor"`), mbanqNotValid(mbanqReason("validation.msg.client.emailAddress.is.not.valid", "The parameter `emailAddress` is not a valid email address.", "emailAddress"))},
		{"ActiveWithoutDate", mbanqPerson("active", "true"), mbanqNotValid(mbanqBlank("client", "activationDate"))},
		{"ActiveTomorrow", mbanqPerson("active", "true", "activationDate", `"2026-01-03"`), mbanqNotValid(mbanqReason("error.msg.clients.activationDate.in.the.future",
			"Activation date cannot be in the future.", "activationDate", `"2026-01-03"`))},
		{"ClientTypes", mbanqPerson("clientTypes", `51`), mbanqNotValid(mbanqReason("validation.msg.client.clientTypes.is.not.an.array.of.integers",
			"The parameter `clientTypes` must be an array of at most 10 integers.", "clientTypes"))},
		{"Address", mbanqPerson("address", `[{}]`), mbanqNotValid(mbanqBlank("address", "addressTypeId"), mbanqBlank("address", "addressLine1"), mbanqBlank("address", "city"),
			mbanqBlank("address", "stateProvinceId"), mbanqBlank("address", "countryId"), mbanqBlank("address", "postalCode"), mbanqBlank("address", "isActive"))},
		{"Addresses", mbanqPerson("address", `{}`), mbanqNotValid(mbanqReason("validation.msg.client.address.is.not.an.array.of.objects",
			"The parameter `address` must be an array of at most 10 objects.", "address"))},
		{"AddressType", mbanqPerson("address", `[`+mbanqHome("addressTypeId", "9")+`]`), mbanqNotFound("error.msg.codevalue.id.invalid", "Code value with identifier 9 does not exist", "9")},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := openOn(t, &memory{})
			want(t, h.mb("POST", "/v1/clients", test.body), test.want)
			want(t, h.mb("GET", "/v1/clients", ""), `200 {"totalFilteredRecords":0,"pageItems":[]}`)
			want(t, h.rows("?operation=create-client")[0].Effect, false)
		})
	}
	for name, body := range map[string]string{
		"Entity":     mbanqPerson("legalFormId", "2", "firstname", "", "lastname", "", "fullname", `"Example Ltd"`, "dateOfBirth", "", "genderId", ""),
		"Fullname":   mbanqPerson("firstname", "", "lastname", "", "fullname", `"Noor Example"`),
		"Words":      mbanqPerson("dateFormat", `"dd MMMM yyyy"`, "dateOfBirth", `"03 July 1991"`, "submittedOnDate", `"01 January 2026"`),
		"WordsOne":   mbanqPerson("dateFormat", `"d MMMM yyyy"`, "dateOfBirth", `"3 July 1991"`, "submittedOnDate", `"1 January 2026"`),
		"OtherTypes": mbanqPerson("officeId", `"1"`, "mobileNo", `5550100017`, "externalId", `null`),
		"AtLimit":    mbanqPerson("firstname", long(50), "externalId", long(100)),
		"ToDay":      mbanqPerson("submittedOnDate", `"2026-01-02"`),
	} {
		t.Run("Valid"+name, func(t *testing.T) {
			h := openOn(t, &memory{})
			want(t, h.mb("POST", "/v1/clients", body), mbanqDone("8801"))
			want(t, h.mbanqStands("8801"), "100 PENDING")
		})
	}
	t.Run("ValidActive", func(t *testing.T) {
		h := openOn(t, &memory{})
		want(t, h.mb("POST", "/v1/clients", mbanqPerson("active", "true", "activationDate", `"2026-01-01"`)), mbanqDone("8801"))
		want(t, h.mbanqStands("8801"), "300 PENDING")
	})
}

func TestMbanq_Unique(t *testing.T) {
	h := openOn(t, &memory{})
	h.mb("POST", "/v1/clients", mbanqPerson("externalId", `"onb-1"`, "accountNo", `"A1"`))
	for _, test := range []struct{ field, value, body string }{
		{"externalId", "onb-1", mbanqPerson("externalId", `"onb-1"`)},
		{"accountNo", "A1", mbanqPerson("externalId", `"onb-2"`, "accountNo", `"A1"`)},
		{"mobileNo", "5550100017", mbanqPerson("externalId", `"onb-2"`)},
	} {
		want(t, h.mb("POST", "/v1/clients", test.body), mbanqTaken(test.field, test.value))
	}
	want(t, h.mb("POST", "/v1/clients", mbanqPerson("mobileNo", `"5550100018"`)), mbanqDone("8802")) // without an externalId each is another
	want(t, h.mb("POST", "/v1/clients", mbanqPerson("mobileNo", `"5550100019"`)), mbanqDone("8803"))
}

func TestMbanq_Delete(t *testing.T) {
	h := openOn(t, &memory{})
	id := h.mbanqComplete("externalId", `"onb-1"`)
	want(t, h.mb("DELETE", "/v1/clients/"+id, ""), `200 {"officeId":1,"clientId":8801,"resourceId":8801}`)
	want(t, h.mb("GET", "/v1/clients/"+id, ""), mbanqNoClient(id))
	want(t, h.mb("DELETE", "/v1/clients/"+id, ""), mbanqNoClient(id))
	h.mbanq.made = 0
	id = h.mbanqComplete("externalId", `"onb-1"`) // nothing of it is left
	want(t, id, "8802")
	h.mbanqVerifies(id, "FULL")
	h.mbanqActivates(id)
	want(t, h.mb("DELETE", "/v1/clients/"+id, ""), mbanqViolated(mbanqReason("error.msg.clients.cannot.be.deleted", "Client 8802 cannot be deleted: it is not pending.", "id", id)))
}

func TestMbanq_List(t *testing.T) {
	h := openOn(t, &memory{})
	h.mbanqMakes("firstname", `"Zoe"`, "externalId", `"e-1"`)
	h.mbanqMakes("firstname", `"Ada"`, "officeId", "2")
	h.mbanqComplete("firstname", `"Mia"`)
	h.mbanqVerifies("8803", "FULL")
	h.mbanqActivates("8803")
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
			w := h.do(h.toMbanq("GET", "/v1/clients"+test.query, ""))
			if err := json.Unmarshal(w.Body.Bytes(), &list, json.MatchCaseInsensitiveNames(true)); err != nil || w.Code != 200 {
				t.Fatal(err, text(w))
			}
			got := fmt.Sprint(list.Total, ":")
			for _, item := range list.Items {
				got += fmt.Sprint(" ", item.ID)
			}
			want(t, strings.Replace(got, " :", ":", 1), test.want)
		})
	}
	for _, query := range []string{"orderBy=id", "sortOrder=asc", "clientStatus=active", "limit=-1", "limit=x", "offset=1.5"} {
		name, value, _ := strings.Cut(query, "=")
		want(t, h.mb("GET", "/v1/clients?"+query, ""), mbanqNotValid(mbanqReason("error.msg.query.parameter.value.unsupported",
			"The query parameter "+name+" has an unsupported value of: "+value, name, `"`+name+`"`, `"`+value+`"`)))
	}
	want(t, h.mb("GET", "/v1/clients/8899", ""), mbanqNoClient("8899"))
}

func TestMbanq_Addresses(t *testing.T) {
	h := openOn(t, &memory{})
	id := h.mbanqMakes()
	add := func(query, body string) string { return h.mb("POST", "/v1/client/"+id+"/addresses"+query, body) }
	for _, test := range []struct{ name, query, body, want string }{
		{"NoType", "", mbanqHome(), mbanqNotValid(mbanqBlank("address", "type"))},
		{"TextType", "?type=x", mbanqHome(), mbanqNotValid(mbanqReason("error.msg.query.parameter.value.unsupported", "The query parameter type has an unsupported value of: x", "type", `"type"`, `"x"`))},
		{"UnknownType", "?type=3", mbanqHome(), mbanqNotFound("error.msg.codevalue.id.invalid", "Code value with identifier 3 does not exist", "3")},
		{"Nothing", "?type=1", `{}`, mbanqNotValid(mbanqBlank("address", "addressLine1"), mbanqBlank("address", "city"), mbanqBlank("address", "stateProvinceId"),
			mbanqBlank("address", "countryId"), mbanqBlank("address", "postalCode"), mbanqBlank("address", "isActive"))},
		{"Malformed", "?type=1", ``, mbanqMalformed},
		{"Boolean", "?type=1", mbanqHome("isActive", `"on"`), mbanqNotValid(mbanqReason("validation.msg.address.isActive.must.be.true.or.false", "The parameter `isActive` must be set as true or false.", "isActive"))},
	} {
		t.Run(test.name, func(t *testing.T) { want(t, add(test.query, test.body), test.want) })
	}
	want(t, h.mb("GET", "/v1/client/"+id+"/addresses", ""), "200 []")
	for i, code := range []string{`"94016"`, `94016`, `"01234"`, `"EC1A 1BB"`} {
		want(t, add("?type=2", mbanqHome("postalCode", code)), fmt.Sprintf(`200 {"clientId":8801,"resourceId":%d}`, 3301+i))
	}
	listed := h.mb("GET", "/v1/client/"+id+"/addresses?type=2", "")
	for _, code := range []string{`"addressId":3301,"addressTypeId":2`, `"postalCode":94016,`, `"postalCode":"01234"`, `"postalCode":"EC1A 1BB"`} {
		want(t, strings.Contains(listed, code), true)
	}
	want(t, h.mb("GET", "/v1/client/"+id+"/addresses?type=1", ""), "200 []")
	for range 6 {
		add("?type=2", mbanqHome())
	}
	want(t, add("?type=2", mbanqHome()), mbanqViolated(mbanqReason("error.msg.client.too.many.addresses", "The sandbox keeps at most 10 addresses of a client.", "id")))
	want(t, h.mb("POST", "/v1/client/8899/addresses?type=1", mbanqHome()), mbanqNoClient("8899"))
	want(t, h.mb("GET", "/v1/client/8899/addresses", ""), mbanqNoClient("8899"))
	wantProblem(t, h.do(h.toMbanq("POST", "/v1/clients/"+id+"/addresses?type=1", mbanqHome())), 404, "mbanq has no such path", "") // the plural is wrong
}

func TestMbanq_Identifiers(t *testing.T) {
	h := openOn(t, &memory{})
	id, other := h.mbanqMakes(), h.mbanqMakes()
	add := func(id, body string) string { return h.mb("POST", "/v1/clients/"+id+"/identifiers", body) }
	missing := func(name string) string {
		return mbanqReason("validation.msg.missing."+name+".parameter", "The parameter `"+name+"` is mandatory.", name)
	}
	for _, test := range []struct{ name, body, want string }{
		{"Malformed", `{`, mbanqMalformed},
		{"Nothing", `{}`, mbanqNotValid(mbanqBlank("clientIdentifier", "documentTypeId"), mbanqBlank("clientIdentifier", "documentKey"), mbanqBlank("clientIdentifier", "status"), mbanqBlank("clientIdentifier", "issuedDate"))},
		{"NoIssuedDate", mbanqDocument("41", "X1", "issuedDate", ""), mbanqNotValid(mbanqBlank("clientIdentifier", "issuedDate"))},
		{"NoFormat", mbanqDocument("41", "X1", "dateFormat", ""), mbanqNotValid(missing("dateFormat"))},
		{"UnknownType", mbanqDocument("40", "X1"), mbanqNotFound("error.msg.codevalue.id.invalid", "Code value with identifier 40 does not exist", "40")},
		{"TextType", mbanqDocument("x", "X1"), mbanqNotValid(mbanqReason("validation.msg.invalid.integer.format", "The parameter `documentTypeId` is not an integer.", "documentTypeId"))},
		{"Status", mbanqDocument("41", "X1", "status", `"Expired"`), mbanqNotValid(mbanqReason("validation.msg.clientIdentifier.status.is.not.one.of.expected.enumerations",
			"The parameter `status` must be one of [ Active, Inactive ] .", "status", `"Expired"`, `"Active"`, `"Inactive"`))},
	} {
		t.Run(test.name, func(t *testing.T) { want(t, add(id, test.body), test.want) })
	}
	want(t, strings.HasPrefix(add(id, mbanqDocument("41", "X1")), "200 "), true)
	want(t, add(id, mbanqDocument("41", "X2")), mbanqViolated(mbanqReason("error.msg.clientIdentifier.type.duplicate",
		"Active Client identifier of type Passport is already present for this client", "id", `"Passport"`)))
	want(t, add(id, mbanqDocument("41", "X1")), add(id, mbanqDocument("41", "X2"))) // a repeat is about the type
	used := mbanqViolated(mbanqReason("error.msg.clientIdentifier.identityKey.duplicate", "Client identifier of type Passport with value of X1 already exists.", "id", `"Passport"`, `"X1"`))
	want(t, add(other, mbanqDocument("41", "X1")), used)
	want(t, add(id, mbanqDocument("41", "X1", "status", `"Inactive"`)), used)
	want(t, strings.HasPrefix(add(id, mbanqDocument("41", "X2", "status", `"INACTIVE"`)), "200 "), true)
	want(t, strings.HasPrefix(add(other, mbanqDocument("42", "X1")), "200 "), true) // of another type
	want(t, strings.HasPrefix(add(id, mbanqDocument("42", "X3", "issuedDate", `"9 May 2021"`, "expiryDate", "", "dateFormat", `"d MMMM yyyy"`)), "200 "), true)
	for i := range 7 {
		add(id, mbanqDocument("46", fmt.Sprint(i), "status", `"Inactive"`))
	}
	want(t, add(id, mbanqDocument("46", "U9")), mbanqViolated(mbanqReason("error.msg.client.too.many.identifiers", "The sandbox keeps at most 10 identifiers of a client.", "id")))
	want(t, strings.Contains(h.mb("GET", mbanqClient+"/identifiers", ""), `"documentKey":"**"`), true)
	want(t, add("8899", mbanqDocument("41", "X9")), mbanqNoClient("8899"))
	want(t, h.mb("GET", "/v1/clients/8899/identifiers", ""), mbanqNoClient("8899"))
	want(t, h.mb("GET", "/v1/clients/8899/verificationstatus", ""), mbanqNoClient("8899"))

	t.Run("AfterRejection", func(t *testing.T) {
		h := openOn(t, &memory{})
		id := h.mbanqComplete()
		want(t, h.do(keyless("POST", mbanqPath+mbanqClient+"/identifiers/5101?command=reject", "")).Code, 200)
		h.mbanqIdentifies(id, "41") // another passport may take its place
		want(t, h.mbanqVerifies(id, "FULL"), mbanqVerified(id, "APPROVED"))
	})
}

func TestMbanq_Documents(t *testing.T) {
	h := openOn(t, &memory{})
	id := h.mbanqMakes()
	passport := h.mbanqIdentifies(id, "41")
	wrongType := mbanqReason("validation.msg.document.file.content.type.not.supported", "The parameter `file` must be a PDF, JPEG or PNG.", "file")
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
		{"TooLarge", "a1", "p.pdf", "application/pdf", 10<<20 + 1, mbanqViolated(mbanqReason("error.msg.document.file.too.big", "The file is larger than 10 MB.", "id", "10485761"))},
		{"NoName", "", "p.pdf", "application/pdf", 1, mbanqNotValid(mbanqBlank("document", "name"))},
		{"NameWithSpace", "a 1", "p.pdf", "application/pdf", 1, mbanqNotValid(mbanqReason("validation.msg.document.name.does.not.match.regexp", "The parameter `name` must match `^[a-zA-Z0-9]+$`.", "name"))},
		{"NoFile", "a1", "", "", 0, mbanqNotValid(mbanqBlank("document", "file"))},
		{"EmptyFile", "a1", "p.pdf", "application/pdf", 0, mbanqNotValid(mbanqBlank("document", "file"))},
		{"GIF", "a1", "p.pdf", "image/gif", 1, mbanqNotValid(wrongType)},
		{"NoExtension", "a1", "p", "", 1, mbanqNotValid(wrongType)},
	} {
		t.Run(test.name, func(t *testing.T) {
			body, media := mbanqScan(test.field, test.file, test.contentType, test.size)
			answer := h.mbanqUpload(passport, body, media)
			if test.want == "" {
				want(t, strings.HasPrefix(answer, `200 {"id":"9`), true)
				return
			}
			want(t, answer, test.want)
		})
	}
	body, media := mbanqScan("a1", "p.pdf", "application/pdf", 100)
	for name, r := range map[string][2]string{
		"JSON": {`{}`, "application/json"}, "NoBoundary": {body, "multipart/form-data"}, "NoType": {body, ""},
		"Cut": {body[:len(body)-30], media}, "CutInHeader": {body[:80], media},
	} {
		t.Run(name, func(t *testing.T) {
			if answer := h.mbanqUpload(passport, r[0], r[1]); answer != mbanqMalformed {
				t.Error(answer)
			}
		})
	}
	for _, r := range [][2]string{{"", media}, {body, "multipart/form-data; boundary=x"}} {
		want(t, h.mbanqUpload(passport, r[0], r[1]), mbanqNotValid(mbanqBlank("document", "name"), mbanqBlank("document", "file")))
	}
	unknown := func(id string) string {
		return mbanqNotFound("error.msg.clientIdentifier.id.invalid", "Client identifier with identifier "+id+" does not exist", id)
	}
	want(t, h.mbanqUpload("5199", body, media), unknown("5199"))
	want(t, h.mbanqUpload("05101", body, media), mbanqNotFound("error.msg.clientIdentifier.id.invalid", "Client identifier with identifier 05101 does not exist", "5101"))
	r := h.toMbanq("POST", "/v1/client_identifiers/"+passport+"/documents", strings.Repeat("x", 11<<20))
	wantProblem(t, h.do(r), 413, "the body is larger than 10 MiB", "")
}

func TestMbanq_Templates(t *testing.T) {
	h := openOn(t, &memory{})
	h.mbanqMakes()
	want(t, h.mb("GET", mbanqClient+"/identifiers/template", ""), `200 {"allowedDocumentTypes":[{"id":41,"name":"Passport","position":0},`+
		`{"id":42,"name":"Driver's License","position":1},{"id":43,"name":"National ID","position":2},{"id":44,"name":"SSN","position":3},`+
		`{"id":45,"name":"ITIN","position":4},{"id":46,"name":"Utility Bill","position":5}]}`)
	want(t, h.mb("GET", "/v1/clients/8899/identifiers/template", ""), mbanqNoClient("8899"))
	const address = `{"addressTypeIdOptions":[{"id":1,"name":"Primary","position":0},{"id":2,"name":"Mailing","position":1}],` +
		`"countryIdOptions":[{"id":101,"name":"United States","position":0},{"id":102,"name":"India","position":1},{"id":103,"name":"Germany","position":2}],` +
		`"stateProvinceIdOptions":[{"id":201,"name":"California","position":0},{"id":202,"name":"Delaware","position":1},{"id":203,"name":"New York","position":2},` +
		`{"id":204,"name":"Karnataka","position":3},{"id":205,"name":"Berlin","position":4}]}`
	want(t, h.mb("GET", "/v1/client/addresses/template", ""), "200 "+address)
	client := h.mb("GET", "/v1/clients/template", "")
	for _, part := range []string{`200 {"officeOptions":[{"id":1,"name":"Head Office","position":0}],"genderOptions":[{"id":21,`,
		`"clientLegalFormOptions":[{"id":1,"code":"legalFormType.person","value":"Person"},{"id":2,"code":"legalFormType.entity","value":"Entity"}],"address":` + address} {
		want(t, strings.Contains(client, part), true)
	}
}
