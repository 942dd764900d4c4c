package iron_test

import (
	"encoding/base64"
	"strconv"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"sallyport/functions/sandbox/sandboxtest"
)

// at returns a JSON text with the value at a path, names and indices joined by dots, replaced by another JSON value; an
// empty one takes it away.
func at(t testing.TB, object, path, value string) string {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(object), &v); err != nil {
		t.Fatal(err, object)
	}
	var change func(v any, path string) any
	change = func(v any, path string) any {
		name, rest, deeper := strings.Cut(path, ".")
		var to any
		if value != "" && !deeper {
			if err := json.Unmarshal([]byte(value), &to); err != nil {
				t.Fatal(err, value)
			}
		}
		switch v := v.(type) {
		case map[string]any:
			switch {
			case deeper:
				v[name] = change(v[name], rest)
			case value == "":
				delete(v, name)
			default:
				v[name] = to
			}
		case []any:
			n, err := strconv.Atoi(name)
			if err != nil || n >= len(v) {
				t.Fatal("no such element", path)
			}
			if deeper {
				to = change(v[n], rest)
			}
			v[n] = to
		default:
			t.Fatal("no such member", path)
		}
		return v
	}
	b, err := json.Marshal(change(v, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Valid bodies of the first generation.
const (
	homeV1  = `{"address_street_1":"1 First Street","address_street_2":"","address_city":"Sampletown","address_state":"BE","address_zip_code":"10115","address_country":"DE"}`
	proofV1 = `{"identity_country_code":"DEU","identity_number":"L01X00T47","identity_document_type":"Passport","identity_document_front":"AAAA",` +
		`"identity_document_back":"AAAA","selfie":"AAAA","selfie_collected_at":"2026-01-01T10:00:00Z","ip_address":"192.0.2.7"}`
	fileOfV1     = `{"name":"bill.pdf","file":"AAAA","type":"ProofOfAddress"}`
	personBodyV1 = `{"type":"OutsourcedPerson","first_name":"Noor","last_name":"Example","full_name":"Noor Example","date_of_birth":"1991-07-03",` +
		`"address":` + homeV1 + `,"email_address":"noor@example.com","phone_number":"+49 (30) 555-0100","sharing_consent":true,` +
		`"consent_collected_at":"2026-01-01T10:00:00Z","identity":` + proofV1 + `,"documents":[` + fileOfV1 + `],"tax_identification_number":"",` +
		`"person_questions":{"pep_relationships":[],"employment_status":"Employed","expected_monthly_transaction_volume":"Over20000",` +
		`"monthly_income":"Over10000","occupation":"Other","source_of_funds":["SalaryAndWages","CryptocurrenyTradingOrInvestment"]}}`
	companyOfV1 = `"name":"Sample GmbH","tax_identification_number":"T1","website":"https://example.com","formation_date":"2019-05-01","country_code":"DE",` +
		`"state_code":"","business_entity_id":"HRB 1","addresses":[` + homeV1 + `],"phone_numbers":["+4930"],"email_addresses":["office@example.com"]`
	businessBodyV1 = `{"type":"OutsourcedBusiness",` + companyOfV1 + `,"current_activities":{"primary_business_activities":"RegTech","business_details":"software",` +
		`"main_business_countries":"DE","source_of_funds":["Loans"],"last_year_turnover":"LessThanTenK","planned_turnover_this_year":"MoreThanFiveMillion"},` +
		`"planned_activities":{"estimated_monthly_turnover":"LessThanTenK","estimated_monthly_transactions":"LessThanTen","source_and_destination_countries":"DE"},` +
		`"business_officers":[{"first_name":"Noor","last_name":"Example","full_name":"Noor Example","birth_date":"1991-07-03","ownership_percent":100,"shares_allocated":1000,` +
		`"roles":["Director","BeneficiaryOwner"],"email":"noor@example.com","identity":` + proofV1 + `,"address":` + homeV1 + `,"phone_number":"+4930",` +
		`"pep_relationships":[],"initiator":true,"consent_given":true}],"documents":[` + fileOfV1 + `],"related_companies":[{"name":"Parent","country_code":"DE","state_code":"BE",` +
		`"ownership_percent":0,"shares_allocated":0,"tax_identification_number":"T2","website":"w","related_company_details":{` + companyOfV1 + `}}],"ip_address":"2001:db8::1"}`
	reliesV1 = `{"type":"ReliancePerson","token":"share-1","ip_address":"192.0.2.7","medium_risk_questionnaire":{"employment_status":"Retired",` +
		`"monthly_income":"Over10000","expected_monthly_volume":"LessThan1000","source_of_funds":"PersonalSavings"},"high_risk_questionnaire":{"employment_status":"Retired",` +
		`"monthly_income":"Over10000","expected_monthly_volume":"LessThan1000","source_of_funds":"PersonalSavings","source_of_funds_proof":"AAAA"}}`
)

// Valid bodies of the second.
const (
	homeV2       = `{"street_1":"1 First Street","city":"Sampletown","zip_code":"10115","country":"DE"}`
	edd          = `{"occupation":"Retail","approximate_net_worth":"UpTo25000","source_of_funds_proof":"AAAA"}`
	tokenBodyV2  = `{"type":"Token","token":"share-1","intended_use":"Trading","ip_address":"192.0.2.7","kyc_questionnaire":` + kyc + `,"edd_questionnaire":` + edd + `}`
	personBodyV2 = `{"type":"Person","first_name":"Noor","last_name":"Example","full_name":"Noor Example","date_of_birth":"1991-07-03","email_address":"noor@example.com",` +
		`"phone_number":"+49305550100","sharing_consent":true,"consent_collected_at":"2026-01-01T10:00:00+01:00","intended_use":"Investing","address":` + homeV2 + `,` +
		`"identity":{"identity_country_code":"DE","identity_document_type":"DriverLicense","identity_document_front":"AAAA","selfie":"AAAA","selfie_collected_at":"2026-01-01T10:00:00Z",` +
		`"ip_address":"192.0.2.7","nationality":"DE"},"kyc_questionnaire":` + kyc + `,"documents":[{"type":"ProofOfAddress","file":"AAAA"}],"edd_questionnaire":` + edd + `}`
	infoV2 = `{"company_name":"Sample GmbH","registration_number":"HRB 1","country":"DE","incorporation_date":"2019-05-01","legal_address":` + homeV2 + `,` +
		`"postal_address":"1 First Street","address":` + homeV2 + `,"email":"office@example.com","tax_identification_number":"T1","website":"w",` +
		`"company_type":"LimitedLiabilityCompany","alternative_names":["Sample"]}`
	beneficiaryPerson = `{"first_name":"Noor","last_name":"Example","date_of_birth":"1991-07-03","address":` + homeV2 + `,"email_address":"noor@example.com","phone_number":"+4930",` +
		`"tax_jurisdiction_country_code":"DE","birth_place":{"place":"Sampletown","state":"","country":"DE"},"identity":{"identity_country_code":"DE","identity_document_type":"Passport",` +
		`"identity_document_front":"AAAA","nationality":"DE","selfie":"AAAA","selfie_collected_at":"2026-01-01T10:00:00Z"},"proof_of_address":"AAAA"}`
	directors = `{"roles":["Director"],"beneficiary_info":` + beneficiaryPerson + `}`
	ownerV2   = `{"roles":["Director","UltimateBeneficialOwner"],"share_percentage":"60.5","attesting_party":true,"attested_at":"2026-01-01T10:00:00Z","beneficiary_info":` + beneficiaryPerson + `}`
	parentV2  = `{"roles":["Shareholder"],"beneficiary_info":{"company_data":{"company_info":` + infoV2 + `,"beneficiaries":[` + directors + `],"documents":[]}}}`
	scanV2    = `{"type":"TradeLicense","country":"DE","file":"AAAA"}`
	questions = `{"type":"Generic","planned_activities":{"purpose_and_intended_use":"Investments","estimated_monthly_volume":"TenToTwentyFiveThousand",` +
		`"estimated_monthly_transactions":"LessThanTen","sends_funds_on_customer_behalf":true,"sends_funds_on_customer_behalf_description":"d","flow_of_funds_diagram":"AAAA",` +
		`"source_of_funds_document":"AAAA"},"source_of_funds":{"source_of_funds":"Other","source_of_funds_description":"d","customer_funds_handling_details":"d"},` +
		`"business_details":{"industry_type":"RegTech","business_model_description":"d","main_business_countries":["DE"],"estimated_annual_revenue":"Under100K",` +
		`"has_licenses_or_registrations":false,"requires_aml_program":false}}`
	businessBodyV2 = `{"type":"Business","company_data":{"company_info":` + infoV2 + `,"beneficiaries":[` + ownerV2 + `,` + parentV2 + `],"documents":[` + scanV2 + `]},` +
		`"phone":"+4930","ip_address":"192.0.2.7","questionnaire":` + questions + `}`
)

// bodies are the valid bodies by path and type of customer, with the paths of what is required in them.
var bodies = []struct{ name, path, customer, body, required string }{
	{"DirectV1", "", "Person", direct, `type`},
	{"OutsourcedPersonV1", "", "Person", personBodyV1, `type first_name last_name full_name date_of_birth address address.address_street_1
		address.address_street_2 address.address_city address.address_state address.address_zip_code address.address_country email_address
		phone_number sharing_consent consent_collected_at identity identity.identity_country_code identity.identity_number
		identity.identity_document_type identity.identity_document_front identity.identity_document_back identity.selfie
		identity.selfie_collected_at identity.ip_address documents.0.name documents.0.file documents.0.type person_questions.pep_relationships`},
	{"OutsourcedBusinessV1", "", "Business", businessBodyV1, `type name tax_identification_number website formation_date country_code state_code
		business_entity_id addresses addresses.0.address_city phone_numbers email_addresses current_activities
		current_activities.primary_business_activities current_activities.business_details current_activities.main_business_countries
		current_activities.source_of_funds current_activities.last_year_turnover current_activities.planned_turnover_this_year
		planned_activities planned_activities.estimated_monthly_turnover planned_activities.estimated_monthly_transactions
		planned_activities.source_and_destination_countries business_officers business_officers.0.first_name business_officers.0.last_name
		business_officers.0.full_name business_officers.0.birth_date business_officers.0.ownership_percent
		business_officers.0.shares_allocated business_officers.0.roles business_officers.0.email business_officers.0.identity
		business_officers.0.identity.selfie business_officers.0.address business_officers.0.phone_number
		business_officers.0.pep_relationships business_officers.0.initiator business_officers.0.consent_given documents
		related_companies related_companies.0.name related_companies.0.country_code related_companies.0.state_code
		related_companies.0.ownership_percent related_companies.0.shares_allocated related_companies.0.tax_identification_number
		related_companies.0.website related_companies.0.related_company_details related_companies.0.related_company_details.formation_date ip_address`},
	{"ReliancePersonV1", "", "Person", reliesV1, `type token medium_risk_questionnaire.employment_status medium_risk_questionnaire.monthly_income
		medium_risk_questionnaire.expected_monthly_volume medium_risk_questionnaire.source_of_funds high_risk_questionnaire.employment_status
		high_risk_questionnaire.monthly_income high_risk_questionnaire.expected_monthly_volume high_risk_questionnaire.source_of_funds
		high_risk_questionnaire.source_of_funds_proof`},
	{"LinkV2", "/v2", "Person", `{"type":"Link"}`, `type`},
	{"LinkV2Business", "/v2", "Business", `{"type":"Link","with_edd":false}`, `type`},
	{"TokenV2", "/v2", "Person", tokenBodyV2, `type token intended_use kyc_questionnaire.employment_status kyc_questionnaire.yearly_gross_income
		kyc_questionnaire.source_of_wealth kyc_questionnaire.expected_monthly_transaction_count
		kyc_questionnaire.expected_monthly_transaction_volume edd_questionnaire.occupation edd_questionnaire.approximate_net_worth
		edd_questionnaire.source_of_funds_proof`},
	{"PersonV2", "/v2", "Person", personBodyV2, `type first_name last_name full_name date_of_birth email_address phone_number sharing_consent
		consent_collected_at intended_use address address.street_1 address.city address.zip_code address.country identity
		identity.identity_country_code identity.identity_document_type identity.identity_document_front identity.selfie
		identity.selfie_collected_at identity.ip_address identity.nationality kyc_questionnaire kyc_questionnaire.source_of_wealth
		documents.0.type documents.0.file edd_questionnaire.occupation`},
	{"BusinessV2", "/v2", "Business", businessBodyV2, `type company_data company_data.company_info company_data.company_info.company_name
		company_data.company_info.registration_number company_data.company_info.country company_data.company_info.incorporation_date
		company_data.company_info.legal_address company_data.company_info.postal_address company_data.company_info.address
		company_data.company_info.address.city company_data.company_info.email company_data.company_info.tax_identification_number
		company_data.company_info.website company_data.company_info.company_type company_data.beneficiaries
		company_data.beneficiaries.0.roles company_data.beneficiaries.0.beneficiary_info company_data.beneficiaries.0.attested_at
		company_data.beneficiaries.0.beneficiary_info.first_name company_data.beneficiaries.0.beneficiary_info.last_name
		company_data.beneficiaries.0.beneficiary_info.date_of_birth company_data.beneficiaries.0.beneficiary_info.address
		company_data.beneficiaries.0.beneficiary_info.email_address company_data.beneficiaries.0.beneficiary_info.phone_number
		company_data.beneficiaries.0.beneficiary_info.tax_jurisdiction_country_code company_data.beneficiaries.0.beneficiary_info.birth_place
		company_data.beneficiaries.0.beneficiary_info.birth_place.place company_data.beneficiaries.0.beneficiary_info.birth_place.state
		company_data.beneficiaries.0.beneficiary_info.birth_place.country company_data.beneficiaries.0.beneficiary_info.identity
		company_data.beneficiaries.0.beneficiary_info.identity.identity_country_code
		company_data.beneficiaries.0.beneficiary_info.identity.identity_document_type
		company_data.beneficiaries.0.beneficiary_info.identity.identity_document_front
		company_data.beneficiaries.0.beneficiary_info.identity.nationality company_data.beneficiaries.0.beneficiary_info.identity.selfie
		company_data.beneficiaries.0.beneficiary_info.identity.selfie_collected_at
		company_data.beneficiaries.1.beneficiary_info.company_data.company_info
		company_data.beneficiaries.1.beneficiary_info.company_data.beneficiaries
		company_data.beneficiaries.1.beneficiary_info.company_data.documents
		company_data.documents company_data.documents.0.type company_data.documents.0.country company_data.documents.0.file phone ip_address
		questionnaire questionnaire.type questionnaire.planned_activities questionnaire.planned_activities.purpose_and_intended_use
		questionnaire.planned_activities.estimated_monthly_volume questionnaire.planned_activities.estimated_monthly_transactions
		questionnaire.planned_activities.sends_funds_on_customer_behalf
		questionnaire.planned_activities.sends_funds_on_customer_behalf_description
		questionnaire.planned_activities.flow_of_funds_diagram questionnaire.planned_activities.source_of_funds_document
		questionnaire.source_of_funds questionnaire.source_of_funds.source_of_funds
		questionnaire.source_of_funds.source_of_funds_description questionnaire.source_of_funds.customer_funds_handling_details
		questionnaire.business_details questionnaire.business_details.industry_type
		questionnaire.business_details.business_model_description questionnaire.business_details.main_business_countries
		questionnaire.business_details.estimated_annual_revenue questionnaire.business_details.has_licenses_or_registrations
		questionnaire.business_details.requires_aml_program`},
}

// shownPath is how an answer writes a path: indices in brackets.
func shownPath(path string) string {
	for _, n := range []string{"0", "1"} {
		path = strings.ReplaceAll(path, "."+n+".", "["+n+"].")
	}
	return path
}

func TestBodies(t *testing.T) {
	for _, test := range bodies {
		t.Run(test.name, func(t *testing.T) {
			h := openOn(t, &sandboxtest.Memory{})
			h.set("strict", "inferred")
			customer := h.makes(test.customer, "noor@example.com")
			path := "/customers/" + customer + "/identifications" + test.path
			for _, name := range strings.Fields(test.required) {
				missing := `400 "` + shownPath(name) + ` is required"`
				want(t, h.answer("POST", path, at(t, test.body, name, "")), missing)
				want(t, h.answer("POST", path, at(t, test.body, name, "null")), missing)
			}
			for _, bad := range []string{"[]", "7", `{"type":`, `{"type":"Direct"}}`, `"Direct"`} {
				want(t, h.answer("POST", path, bad), `400 "the body is not a JSON object"`)
			}
			want(t, h.answer("POST", path, test.body)[:3], "201")
			if strings.HasPrefix(test.name, "Direct") || strings.HasPrefix(test.name, "Link") {
				return
			}

			// What is for the other type of customer.
			other := map[string]string{"Person": "Business", "Business": "Person"}[test.customer]
			path = "/customers/" + h.makes(other, "noor@example.com") + "/identifications" + test.path
			want(t, h.answer("POST", path, test.body), `400 "type does not suit a customer of the type `+other+`"`)
		})
	}
}

func TestBodyValuesMatrix(t *testing.T) {
	file := func(size int) string { return `"` + base64.StdEncoding.EncodeToString(make([]byte, size)) + `"` }
	named := map[string]int{}
	for n, body := range bodies {
		named[body.name] = n
	}
	for _, test := range []struct{ name, body, path, value, wrong string }{
		{
			"TypeV1", "DirectV1", "type", `"Indirect"`,
			`type is not one of Direct, OutsourcedPerson, OutsourcedBusiness, ReliancePerson`,
		},
		{"TypeV2", "LinkV2", "type", `"Direct"`, `type is not one of Link, Token, Person, Business`},
		{"TypeNumber", "LinkV2", "type", `1`, `type is not a text`},
		{"Blank", "OutsourcedPersonV1", "first_name", `" "`, `first_name is required`},
		{"Date", "OutsourcedPersonV1", "date_of_birth", `"1991-02-30"`, `date_of_birth is not a date`},
		{"Country", "OutsourcedPersonV1", "address.address_country", `"de"`, `address.address_country is not a country code`},
		{
			"DocumentCountry", "OutsourcedPersonV1", "identity.identity_country_code", `"Germany"`,
			`identity.identity_country_code is not a country code`,
		},
		{"Email", "OutsourcedPersonV1", "email_address", `"noor"`, `email_address is not an email address`},
		{"Phone", "OutsourcedPersonV1", "phone_number", `"030 1"`, `phone_number is not a phone number with a leading +`},
		{"ConsentV1", "OutsourcedPersonV1", "sharing_consent", `false`, `sharing_consent is not true`},
		{"ConsentTime", "OutsourcedPersonV1", "consent_collected_at", `"2026-01-01"`, `consent_collected_at is not a time`},
		{"Address", "OutsourcedPersonV1", "address", `"1 First Street"`, `address is not an object`},
		{
			"DocumentTypeV1", "OutsourcedPersonV1", "identity.identity_document_type", `"DriverLicense"`,
			`identity.identity_document_type is not one of Passport, NationalId`,
		},
		{"DataURI", "OutsourcedPersonV1", "identity.selfie", `"data:image/png;base64,AAAA"`, `identity.selfie is not base64`},
		{"Base64Lines", "OutsourcedPersonV1", "identity.selfie", `"AA\nAA"`, `identity.selfie is not base64`},
		{"Base64Short", "OutsourcedPersonV1", "identity.selfie", `"AAA"`, `identity.selfie is not base64`},
		{"ImageMostV1", "OutsourcedPersonV1", "identity.selfie", file(5 << 20), ``},
		{"ImageSizeV1", "OutsourcedPersonV1", "identity.selfie", file(5<<20 + 1), `identity.selfie is larger than 5 MB`},
		{"IP", "OutsourcedPersonV1", "identity.ip_address", `"192.0.2"`, `identity.ip_address is not an IP address`},
		{"Documents", "OutsourcedPersonV1", "documents", `{}`, `documents is not a list`},
		{
			"Occupation", "OutsourcedPersonV1", "person_questions.employment_status", `"Busy"`,
			`person_questions.employment_status is not one of Employed, SelfEmployed, Unemployed, Retired, Student`,
		},
		{
			"Funds", "OutsourcedPersonV1", "person_questions.source_of_funds", `[]`, `person_questions.source_of_funds is empty`,
		},
		{
			"Percent", "OutsourcedBusinessV1", "business_officers.0.ownership_percent", `101`,
			`business_officers[0].ownership_percent is not a number in its range`,
		},
		{
			"Fraction", "OutsourcedBusinessV1", "business_officers.0.shares_allocated", `1.5`,
			`business_officers[0].shares_allocated is not a number in its range`,
		},
		{
			"Role", "OutsourcedBusinessV1", "business_officers.0.roles", `["Boss"]`,
			`business_officers[0].roles[0] is not one of Director, LegalRepresentative, BeneficiaryOwner`,
		},
		{
			"NoInitiator", "OutsourcedBusinessV1", "business_officers.0.initiator", `false`,
			`business_officers have not exactly one initiator`,
		},
		{"NoOfficers", "OutsourcedBusinessV1", "business_officers", `[]`, `business_officers have not exactly one initiator`},
		{
			"NoBoth", "OutsourcedBusinessV1", "business_officers.0.roles", `["Director"]`,
			`business_officers have none who is both Director and BeneficiaryOwner`,
		},
		{
			"Turnover", "OutsourcedBusinessV1", "planned_activities.estimated_monthly_transactions", `"FiftyToOneHundred"`,
			`planned_activities.estimated_monthly_transactions is not one of LessThanTen, TenToTwentyFive, TwentyFiveToFifty, FiftyToHundred, MoreThanHundred`,
		},
		{"Bool", "LinkV2", "with_edd", `"true"`, `with_edd is not true or false`},
		{
			"Use", "TokenV2", "intended_use", `"Gambling"`,
			`intended_use is not one of Investing, PaymentToFriendsFamilyorOthers, PurchaseDigitalAssets, OnlinePurchasesOfGoodsOrServices, Trading`,
		},
		{"E164", "PersonV2", "phone_number", `"+49 30"`, `phone_number is not a phone number in E.164`},
		{"ConsentV2", "PersonV2", "sharing_consent", `false`, `sharing_consent is not true`},
		{"ImageMostV2", "PersonV2", "identity.selfie", file(10 << 20), ``},
		{"ImageSizeV2", "PersonV2", "identity.selfie", file(10<<20 + 1), `identity.selfie is larger than 10 MB`},
		{"NoDirector", "BusinessV2", "company_data.beneficiaries", `[]`, `company_data.beneficiaries have no Director`},
		{
			"NoDirectorBelow", "BusinessV2", "company_data.beneficiaries.1.beneficiary_info.company_data.beneficiaries", `[]`,
			`company_data.beneficiaries[1].beneficiary_info.company_data.beneficiaries have no Director`,
		},
		{
			"Levels", "BusinessV2", "company_data.beneficiaries.1.beneficiary_info.company_data.beneficiaries.0", parentV2,
			`company_data.beneficiaries[1].beneficiary_info.company_data.beneficiaries[0].beneficiary_info is a further level of ownership`,
		},
		{
			"AttestsBelow", "BusinessV2",
			"company_data.beneficiaries.1.beneficiary_info.company_data.beneficiaries.0.attesting_party", `true`,
			`company_data.beneficiaries[1].beneficiary_info.company_data.beneficiaries[0].attesting_party is not a Director of the company itself`,
		},
		{
			"AttestsCompany", "BusinessV2", "company_data.beneficiaries.1.attesting_party", `true`,
			`company_data.beneficiaries[1].attesting_party is not a Director of the company itself`,
		},
		{
			"AttestsOther", "BusinessV2", "company_data.beneficiaries.0.roles", `["Shareholder"]`,
			`company_data.beneficiaries[0].attesting_party is not a Director of the company itself`,
		},
		{
			"AttestsLater", "BusinessV2", "company_data.beneficiaries.0.attested_at", `"2026-01-03T00:00:00Z"`,
			`company_data.beneficiaries[0].attested_at is not in the past`,
		},
		{
			"ShareNumber", "BusinessV2", "company_data.beneficiaries.0.share_percentage", `60`,
			`company_data.beneficiaries[0].share_percentage is not a text`,
		},
		{
			"ShareForm", "BusinessV2", "company_data.beneficiaries.0.share_percentage", `"6e1"`,
			`company_data.beneficiaries[0].share_percentage is not a percentage as a decimal text`,
		},
		{"ShareMost", "BusinessV2", "company_data.beneficiaries.0.share_percentage", `"100"`, ``},
		{
			"ShareMore", "BusinessV2", "company_data.beneficiaries.0.share_percentage", `"100.01"`,
			`company_data.beneficiaries[0].share_percentage is not a percentage as a decimal text`,
		},
		{
			"ShareSum", "BusinessV2", "company_data.beneficiaries.1", ownerV2,
			`company_data.beneficiaries own more than 100 percent`,
		},
		{
			"NoSelfieNeeded", "BusinessV2", "company_data.beneficiaries.1",
			at(t, `{"roles":["Shareholder"],"beneficiary_info":`+beneficiaryPerson+`}`, "beneficiary_info.identity.selfie", ""),
			``,
		},
		{"DocumentsMost", "BusinessV2", "company_data.documents", `[` + strings.Repeat(scanV2+",", 3) + scanV2 + `]`, ``},
		{
			"DocumentsMore", "BusinessV2", "company_data.documents", `[` + strings.Repeat(scanV2+",", 4) + scanV2 + `]`,
			`company_data.documents are more than 4`,
		},
		{
			"Questionnaire", "BusinessV2", "questionnaire.type", `"SoleProp"`,
			`questionnaire.type does not suit the company_type`,
		},
		{
			"SoleProp", "BusinessV2", "company_data.company_info.company_type", `"SoleProprietorship"`,
			`company_data.beneficiaries[0].beneficiary_info.tax_identification_number is required`,
		},
		{
			"NoFundsSent", "BusinessV2", "questionnaire.planned_activities",
			`{"purpose_and_intended_use":"Other","estimated_monthly_volume":"MoreThanFiveHundredThousand","estimated_monthly_transactions":"MoreThanOneHundred","sends_funds_on_customer_behalf":false}`,
			``,
		},
		{
			"Countries", "BusinessV2", "questionnaire.business_details.main_business_countries", `[]`,
			`questionnaire.business_details.main_business_countries is empty`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			valid := bodies[named[test.body]]
			h := openOn(t, &sandboxtest.Memory{})
			h.set("strict", "inferred")
			path := "/customers/" + h.makes(valid.customer, "noor@example.com") + "/identifications" + valid.path
			answer := h.answer("POST", path, at(t, valid.body, test.path, test.value))
			if test.wrong == "" {
				want(t, answer[:3], "201")
				return
			}
			want(t, answer, `400 "`+test.wrong+`"`)
		})
	}
}

// TestSoleProp: a body for a sole proprietorship, whose questionnaire asks less.
func TestSoleProp(t *testing.T) {
	h := openOn(t, &sandboxtest.Memory{})
	body := at(t, businessBodyV2, "company_data.company_info.company_type", `"SoleProprietorship"`)
	body = at(t, body, "company_data.beneficiaries.0.beneficiary_info.tax_identification_number", `"T9"`)
	body = at(t, body, "questionnaire", `{"type":"SoleProp","planned_activities":{"purpose_and_intended_use":"Other","estimated_monthly_volume":"TenToTwentyFiveThousand",`+
		`"estimated_monthly_transactions":"LessThanTen"},"source_of_funds":{"source_of_funds":"Other"},"business_details":{"industry_type":"Other",`+
		`"business_model_description":"d","main_business_countries":["DE"],"estimated_annual_revenue":"Over250M"}}`)
	d := h.identifies(h.makes("Business", "noor@example.com"), "/v2", body)
	want(t, d.Status, "Processed")
}

func TestLeniency(t *testing.T) {
	for _, test := range []struct{ customer, body, refused string }{
		{"Person", ``, `400 "the body is not a JSON object"`},
		{"Person", " null\n", `400 "the body is not a JSON object"`},
		{
			"Person", at(t, personBodyV1, "type", `"Person"`),
			`400 "type is not one of Direct, OutsourcedPerson, OutsourcedBusiness, ReliancePerson"`,
		},
		{
			"Business", at(t, businessBodyV1, "type", `"Business"`),
			`400 "type is not one of Direct, OutsourcedPerson, OutsourcedBusiness, ReliancePerson"`,
		},
		{
			"Person", at(t, reliesV1, "type", `"Reliance"`),
			`400 "type is not one of Direct, OutsourcedPerson, OutsourcedBusiness, ReliancePerson"`,
		},
	} {
		h := openOn(t, &sandboxtest.Memory{})
		path := "/customers/" + h.makes(test.customer, "noor@example.com") + "/identifications"
		h.set("strict", "inferred")
		h.set("v1_leniency", "off")
		want(t, h.answer("POST", path, test.body), test.refused)
		h.set("v1_leniency", "on")
		want(t, h.answer("POST", path, test.body)[:3], "201")
	}
}

// TestPublished: by default only what a page has is refused.
func TestPublished(t *testing.T) {
	h := openOn(t, &sandboxtest.Memory{})
	for _, test := range []struct{ body, path, value, wrong string }{
		{personBodyV2, "email_address", `"noor"`, ""},
		{personBodyV2, "phone_number", `"+49 30 x"`, ""},
		{personBodyV2, "phone_number", `"0049"`, "phone_number is not a phone number in E.164"},
		{personBodyV2, "consent_collected_at", `"2026-01-01T10:00:00"`, ""},
		{personBodyV2, "sharing_consent", `false`, ""},
		{personBodyV2, "sharing_consent", `"yes"`, "sharing_consent is not true or false"},
		{personBodyV2, "address.zip_code", `""`, ""},
		{personBodyV2, "address.zip_code", ``, "address.zip_code is required"},
		{personBodyV2, "address.country", `"de"`, ""},
		{personBodyV2, "address.country", `"DEU"`, "address.country is not a country code"},
		{personBodyV2, "identity.selfie", `"AAA"`, ""},
		{personBodyV2, "identity.selfie", `"AA\r\nAA"`, ""},
		{personBodyV2, "identity.selfie", `"data:image/png;base64,AAAA"`, "identity.selfie is not base64"},
		// what is wrong by a page is said, though something else comes first
		{at(t, personBodyV2, "email_address", `"noor"`), "intended_use", `"x"`, "intended_use is not one of Investing, " +
			"PaymentToFriendsFamilyorOthers, PurchaseDigitalAssets, OnlinePurchasesOfGoodsOrServices, Trading"},
		{personBodyV1, "identity", ``, ""},
		{personBodyV1, "type", `"Any"`, ""},
		{`{"Person":{}}`, "Person", `[]`, ""},
	} {
		path := "/customers/" + h.makes("Person", "noor@example.com") + "/identifications"
		if strings.HasPrefix(test.body, personBodyV2[:10]) || strings.Contains(test.body, `"intended_use"`) {
			path += "/v2"
		}
		answer := h.answer("POST", path, at(t, test.body, test.path, test.value))
		if test.wrong == "" {
			want(t, answer[:3], "201")
		} else {
			want(t, answer, `400 "`+test.wrong+`"`)
		}
	}
}

func TestAgreement(t *testing.T) {
	h := openOn(t, &sandboxtest.Memory{})
	h.set("outsourcing_agreement", "no")
	person, business := h.makes("Person", "a@b"), h.makes("Business", "b@b")
	const refused = `403 "partner has no outsourcing agreement"`
	want(t, h.answer("POST", "/customers/"+person+"/identifications", personBodyV1), refused)
	want(t, h.answer("POST", "/customers/"+business+"/identifications", businessBodyV1), refused)
	want(t, h.answer("POST", "/customers/"+person+"/identifications", reliesV1)[:3], "201")
	want(t, h.answer("POST", "/customers/"+person+"/identifications/v2", personBodyV2)[:3], "201")
	want(t, h.answer("POST", "/customers/"+business+"/identifications", direct)[:3], "201")
}

func TestBodySizeMatrix(t *testing.T) {
	h := openOn(t, &sandboxtest.Memory{})
	path := "/customers/" + h.makes("Person", "a@b") + "/identifications"
	want(t, h.answer("POST", path, direct+strings.Repeat(" ", 64<<20-len(direct)))[:3], "201")
	sandboxtest.WantProblem(
		t, h.Do(h.request("POST", path, strings.Repeat(" ", 64<<20+1))), 413, "the body is larger than 64 MiB", "",
	)
}
