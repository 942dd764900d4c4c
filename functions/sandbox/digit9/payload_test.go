package digit9_test

import (
	"encoding/base64"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"sallyport/functions/sandbox/sandboxtest"
)

func TestInvalidPayload(t *testing.T) {
	field := func(key, words string) string { return invalidField(`{"` + key + `":"Invalid ` + words + `"}`) }
	without := func(member string) [2]string { return [2]string{member, ""} }
	for _, test := range []struct {
		name   string
		change [2]string // old and new text in a valid request
		want   string
	}{
		{"FirstNameMissing", without(`"first_name":"NOOR",`), field("firstName", "first name")},
		{"FirstNameNull", [2]string{`"NOOR"`, `null`}, field("firstName", "first name")},
		{"FirstNameEmpty", [2]string{`"NOOR"`, `""`}, field("firstName", "first name")},
		{"FirstNameBlank", [2]string{`"NOOR"`, `" \n"`}, field("firstName", "first name")},
		{"FirstNameNumber", [2]string{`"NOOR"`, `7`}, field("firstName", "first name")},
		{"FirstNameLong", [2]string{`NOOR`, strings.Repeat("é", 101)}, field("firstName", "first name")},
		{"LastNameMissing", without(`"last_name":"EXAMPLE",`), field("lastName", "last name")},
		{"ChannelMissing", without(`"channel":"WEB",`), field("channel", "channel")},
		{"SalutationLong", [2]string{`"Ms"`, `"Miss"`}, field("salutation", "salutation")},
		{"MiddleNameList", [2]string{`"middle_name":""`, `"middle_name":[]`}, field("middleName", "middle name")},
		{"NationalityMissing", without(`"nationality":"IN",`), field("nationality", "nationality")},
		{"NationalityNumber", [2]string{`"nationality":"IN"`, `"nationality":1`}, field("nationality", "nationality")},
		{
			"SecondNationality", [2]string{`"nationality":`, `"second_nationality":"Ae","nationality":`},
			field("secondNationality", "second nationality"),
		},
		{"DateOfBirthForm", [2]string{`1991-02-03`, `03/02/1991`}, field("dateOfBirth", "date of birth")},
		{"DateOfBirthDay", [2]string{`1991-02-03`, `1991-02-30`}, field("dateOfBirth", "date of birth")},
		{"DateOfBirthTime", [2]string{`1991-02-03`, `1991-02-03T00:00:00Z`}, field("dateOfBirth", "date of birth")},
		{
			"CountryOfBirth", [2]string{`"country_of_birth":"IN"`, `"country_of_birth":"IND"`},
			field("countryOfBirth", "country of birth"),
		},
		{"ResidentTypeText", [2]string{`101`, `"101"`}, field("residentTypeId", "resident type id")},
		{"ResidentTypeFraction", [2]string{`101`, `101.5`}, field("residentTypeId", "resident type id")},
		{"ResidentTypeExponent", [2]string{`101`, `1e2`}, field("residentTypeId", "resident type id")},
		{"ResidentTypeHuge", [2]string{`101`, `9223372036854775808`}, field("residentTypeId", "resident type id")},
		{"Gender", [2]string{`Female`, `FEMALE`}, field("gender", "gender")},
		{
			"Mobile", [2]string{`"+971500000017","email`, `"0500000017","email`},
			field("primaryMobileNumber", "primary mobile number"),
		},
		{
			"MobileLong", [2]string{`"+971500000017","email`, `"+97150000001797150000","email`},
			field("primaryMobileNumber", "primary mobile number"),
		},
		{"Email", [2]string{`noor@example.com`, `noor.example.com`}, field("emailId", "email id")},
		{"EmailMissing", without(`"email_id":"noor@example.com",`), field("emailId", "email id")},
		{"OccupationText", [2]string{`223`, `""`}, field("occupationId", "occupation id")},
		{
			"PEPText", [2]string{`"political_exposed_person":false`, `"political_exposed_person":"no"`},
			field("politicalExposedPerson", "political exposed person"),
		},
		{"AddressListMissing", [2]string{`"address_list"`, `"addresses"`}, field("addressList", "address list")},
		{"AddressListObject", [2]string{`"address_list":[`, `"address_list":{},"x":[`}, field("addressList", "address list")},
		{"AddressNull", [2]string{`"address_list":[`, `"address_list":[null,`}, field("addressList[0]", "address list")},
		{
			"AddressType", [2]string{`"address_type_id":"2"`, `"address_type_id":2`},
			field("addressList[1].addressTypeId", "address type id"),
		},
		{"AddressCity", without(`"city":"Sampletown",`), field("addressList[1].city", "city")},
		{"AddressZip", [2]string{`600001`, `true`}, field("addressList[1].zip", "zip")},
		{"AddressPOBox", [2]string{`"po_box":null`, `"po_box":7`}, field("addressList[0].poBox", "po box")},
		{"IDDetailsMissing", [2]string{`"id_details"`, `"ids"`}, field("idDetails", "id details")},
		{"IDDetailsEmpty", [2]string{idDetail(ordinary), ``}, field("idDetails", "id details")},
		{
			"IDDetailsMany", [2]string{idDetail(ordinary), strings.Repeat(idDetail(ordinary)+",", 10) + idDetail(ordinary)},
			field("idDetails", "id details"),
		},
		{"IDTypeText", [2]string{`"id_type":4`, `"id_type":"4"`}, field("idDetails[0].idType", "id type")},
		{"IDNumberMissing", without(`"id_number":"` + ordinary + `",`), field("idDetails[0].idNumber", "id number")},
		{"IDNumberLong", [2]string{ordinary, strings.Repeat("7", 31)}, field("idDetails[0].idNumber", "id number")},
		{
			"IDExpiry", [2]string{`"date_of_expiry":"2031-03-09"`, `"date_of_expiry":"2031-03-09T00:00:00.000+00:00"`},
			field("idDetails[0].dateOfExpiry", "date of expiry"),
		},
		{
			"IDVisaExpiry", [2]string{`"id_type":4`, `"visa_expiry_date":"soon","id_type":4`},
			field("idDetails[0].visaExpiryDate", "visa expiry date"),
		},
		{"IDFrontMissing", [2]string{`"id_front"`, `"front"`}, field("idDetails[0].idFront", "id front")},
		{
			"IDFrontText", [2]string{`"id_front":{"base64_data":"AAAA","content_type":"image/jpeg"}`, `"id_front":"AAAA"`},
			field("idDetails[0].idFront", "id front"),
		},
		{
			"IDFrontNewline", [2]string{`"id_front":{"base64_data":"AAAA"`, `"id_front":{"base64_data":"AA\nAA\n\n\n"`},
			field("idDetails[0].idFront.base64Data", "base64 data"),
		},
		{
			"IDFrontUnpadded", [2]string{`"id_front":{"base64_data":"AAAA"`, `"id_front":{"base64_data":"AAA"`},
			field("idDetails[0].idFront.base64Data", "base64 data"),
		},
		{
			"IDFrontURLAlphabet", [2]string{`"id_front":{"base64_data":"AAAA"`, `"id_front":{"base64_data":"AA-_"`},
			field("idDetails[0].idFront.base64Data", "base64 data"),
		},
		{
			"IDFrontDataURL",
			[2]string{`"id_front":{"base64_data":"AAAA"`, `"id_front":{"base64_data":"data:image/jpeg;base64,AAAA"`},
			field("idDetails[0].idFront.base64Data", "base64 data"),
		},
		{
			"IDFrontEmpty", [2]string{`"id_front":{"base64_data":"AAAA"`, `"id_front":{"base64_data":""`},
			field("idDetails[0].idFront.base64Data", "base64 data"),
		},
		{
			"IDFrontContentType",
			[2]string{
				`"id_front":{"base64_data":"AAAA","content_type":"image/jpeg"`,
				`"id_front":{"base64_data":"AAAA","content_type":"image/gif"`,
			},
			field("idDetails[0].idFront.contentType", "content type"),
		},
		{
			"DocumentIDNumber", [2]string{`"document_id":"1"`, `"document_id":1`},
			field("additionalDocs[0].documentId", "document id"),
		},
		{
			"ClassificationText", [2]string{`"customer_classification":`, `"customer_classification":"x","y":`},
			field("customerClassification", "customer classification"),
		},
		{
			"IncomeRange", [2]string{`"annual_income_range_id":3`, `"annual_income_range_id":true`},
			field("customerClassification.annualIncomeRangeId", "annual income range id"),
		},
		{
			"SocialLinks", [2]string{`"social_links":[]`, `"social_links":[{"social_links_id":"1"}]`},
			field("customerClassification.socialLinks[0].socialLinksId", "social links id"),
		},
		{
			"ProfilePhotoPDF",
			[2]string{
				`"profile_photo":{"base64_data":"AAAA","content_type":"image/jpeg"`,
				`"profile_photo":{"base64_data":"AAAA","content_type":"application/pdf"`,
			},
			field("customerClassification.profilePhoto.contentType", "content type"),
		},
		{
			"Several", [2]string{`"first_name":"NOOR","middle_name":"","last_name":"EXAMPLE"`, `"first_name":1`},
			invalidField(`{"firstName":"Invalid first name","lastName":"Invalid last name"}`),
		},
		{"NotJSON", [2]string{`{"channel"`, `{channel`}, invalidField(`{}`)},
		{"Duplicate", [2]string{`"channel":"WEB",`, `"channel":"WEB","channel":"WEB",`}, invalidField(`{}`)},
		{"UTF8", [2]string{`NOOR`, "\xff"}, invalidField(`{}`)},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := open(t)
			h.Set("digit9", "strict", "inferred")
			body := strings.Replace(onboarding(ordinary), test.change[0], test.change[1], 1)
			if body == onboarding(ordinary) {
				t.Fatal("nothing changed")
			}
			want(t, h.onboardBody(body), test.want)
			want(t, h.Log()[1:], []string{"onboard-customer 400 false"})

			// By default only what the page shows to be mandatory is demanded.
			demanded := slices.Contains([]string{
				"FirstNameMissing", "FirstNameNull", "FirstNameEmpty", "FirstNameBlank", "NotJSON", "Duplicate", "UTF8",
			}, test.name)
			h.Set("digit9", "strict", "published")
			if got := h.onboardBody(body); demanded && got != test.want || !demanded && strings.Contains(got, "40002") {
				t.Errorf("by default %s", got)
			}
		})
	}
	for _, body := range []string{``, `null`, `[]`, `"x"`, `{} {}`} {
		want(t, open(t).onboardBody(body), invalidField(`{}`))
	}
}

func TestToleratedPayload(t *testing.T) {
	for name, change := range map[string][2]string{
		"UnknownMembers": {
			`"channel"`, `"subscriptions":[{"subscription_type":"x"}],"communications":{"allow":true},"channel"`,
		},
		"ZipText":            {`600001`, `"600001"`},
		"POBoxText":          {`"po_box":null`, `"po_box":"77"`},
		"POBoxMissing":       {`"po_box":null,`, ``},
		"IncomeRangeText":    {`"annual_income_range_id":3`, `"annual_income_range_id":"3"`},
		"NoClassification":   {`"customer_classification"`, `"x"`},
		"NullClassification": {`"customer_classification":`, `"customer_classification":null,"x":`},
		"NoDocuments":        {`"additional_docs"`, `"x"`},
		"EmptyDocuments":     {`[{"base64_data":"AAAA","content_type":"image/jpeg","document_id":"1"}]`, `[]`},
		"NoBack":             {`"id_back"`, `"x"`},
		"PDF": {
			`"id_front":{"base64_data":"AAAA","content_type":"image/jpeg"`,
			`"id_front":{"base64_data":"AAA=","content_type":"application/pdf"`,
		},
		"PNG": {
			`"id_front":{"base64_data":"AAAA","content_type":"image/jpeg"`,
			`"id_front":{"base64_data":"+/==","content_type":"image/png"`,
		},
		"EmptyOptionalTexts": {`"salutation":"Ms"`, `"salutation":"","second_nationality":"","native_region":7,"ecrn":""`},
		"NullOptionals": {
			`"salutation":"Ms"`, `"salutation":null,"native_region":null,"ecrn":null,"agent_location_id":null`,
		},
		"NullsThatAreShown":     {`"political_exposed_person":false`, `"political_exposed_person":null`},
		"VisaExpiryNull":        {`"id_type":4`, `"visa_number":"V1","visa_expiry_date":null,"id_type":4`},
		"LongestName":           {`NOOR`, strings.Repeat("é", 100)},
		"LongMail":              {`noor@example.com`, strings.Repeat("n", 243) + `@example.com`},
		"NumbersWithinAnything": {`"channel"`, `"x":[1.5,{"y":1e400}],"channel"`},
	} {
		t.Run(name, func(t *testing.T) {
			body := strings.Replace(onboarding(ordinary), change[0], change[1], 1)
			if body == onboarding(ordinary) {
				t.Fatal("nothing changed")
			}
			want(t, open(t).onboardBody(body), onboarded(ordinaryECRN, "ACTIVE", "Accepted"))
		})
	}
	t.Run("AgentIsShown", func(t *testing.T) {
		h := open(t)
		h.onboardBody(strings.Replace(onboarding(ordinary), `"channel"`, `"agent_location_id":"784123","channel"`, 1))
		want(t, strings.Contains(h.lookup(ordinary), `"agent_location_id":"784123"`), true)
	})
	t.Run("PEPIsEchoed", func(t *testing.T) {
		answer := open(t).onboardBody(
			strings.Replace(onboarding(ordinary), `"political_exposed_person":false`, `"political_exposed_person":true`, 1),
		)
		want(t, strings.Contains(answer, `"pep":true,"aml_category":2`), true)
	})
}

func TestNationality(t *testing.T) {
	for _, value := range []string{"INN", "ZZZ", "ZZ", "in", "AE AF", " IN"} {
		answer := open(t).onboardBody(
			strings.Replace(onboarding(ordinary), `"nationality":"IN"`, `"nationality":"`+value+`"`, 1),
		)
		want(
			t, answer,
			`400 {"request_id":"R","status":"failed","status_code":406,"error_code":45053,"message":" Invalid Nationality `+value+`!"}`,
		)
	}
}

func TestSizesMatrix(t *testing.T) {
	file := func(size int) string { return base64.StdEncoding.EncodeToString(make([]byte, size)) }
	front := func(data string) string { return strings.Replace(onboarding(ordinary), `"AAAA"`, `"`+data+`"`, 1) }
	tooLarge := invalidField(`{"additionalDocs[0].base64Data":"Invalid base64 data"}`)

	h := open(t)
	h.Set("digit9", "strict", "inferred")
	want(t, h.onboardBody(front(file(5<<20))), onboarded(ordinaryECRN, "ACTIVE", "Accepted"))
	want(t, h.onboardBody(front(file(5<<20+1))), tooLarge)

	// 40 MiB in all: one byte more is that of a file too many.
	document := `{"base64_data":"` + file(5<<20) + `","content_type":"application/pdf","document_id":"1"}`
	eight := strings.TrimSuffix(strings.Repeat(document+",", 8), ",")
	body := strings.Replace(
		onboarding("X1"), `{"base64_data":"AAAA","content_type":"image/jpeg","document_id":"1"}`, eight, 1,
	)
	want(t, h.onboardBody(body), invalidField(`{"customerClassification.profilePhoto.base64Data":"Invalid base64 data",`+
		`"idDetails[0].idBack.base64Data":"Invalid base64 data","idDetails[0].idFront.base64Data":"Invalid base64 data"}`))

	// What the frame reads: 56 MiB here, 1 MiB elsewhere.
	for _, test := range []struct {
		path   string
		limit  int
		detail string
	}{{onboardPath, 56 << 20, "the body is larger than 56 MiB"}, {lookupPath, 1 << 20, "the body is larger than 1 MiB"}} {
		send := func(size int) *httptest.ResponseRecorder {
			return h.Do(h.withToken(sandboxtest.Request("POST", test.path, strings.Repeat(" ", size))))
		}
		sandboxtest.WantProblem(t, send(test.limit+1), 413, test.detail, "")
		if code := send(test.limit).Code; code == 413 {
			t.Errorf("%s: %d bytes are too large", test.path, test.limit)
		}
	}
}
