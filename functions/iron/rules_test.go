package iron_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"sallyport/functions/iron"
	"sallyport/shared/gateway"
	"sallyport/shared/operation"
	"sallyport/shared/schema/schematest"
)

// now is when these tests take place.
var now = time.Date(2026, 3, 2, 9, 14, 7, 0, time.UTC)

// Samples of every type (§4, §5) with all of their fields.
const (
	direct = `{"type":"Direct"}`

	addressV1  = `{"address_street_1":"1 First Street","address_street_2":"","address_city":"Sampletown","address_state":"","address_zip_code":"01001","address_country":"DE"}`
	identityV1 = `{"identity_country_code":"DE","identity_number":"X4409127","identity_document_type":"Passport","identity_document_front":"/9j/","identity_document_back":"/9j/","selfie":"/9j/","selfie_collected_at":"2026-03-01T10:00:00Z","ip_address":"198.51.100.7"}`

	outsourcedPerson = `{"type":"OutsourcedPerson","first_name":"Noor","last_name":"Example","full_name":"Noor Example","date_of_birth":"1991-07-03","address":` + addressV1 +
		`,"email_address":"noor@example.com","phone_number":"+4930987654","sharing_consent":true,"consent_collected_at":"2026-03-01T10:00:00Z","identity":` + identityV1 +
		`,"documents":[{"name":"bill","file":"/9j/","type":"ProofOfAddress"}],"tax_identification_number":"900700001","person_questions":{"pep_relationships":["none"],"employment_status":"Employed",` +
		`"expected_monthly_transaction_volume":"Over20000","monthly_income":"Over10000","occupation":"Other","source_of_funds":"SalaryAndWages"}}`

	companyV1 = `"name":"Example Ltd","tax_identification_number":"DE1","website":"https://example.com","formation_date":"2019-02-01","country_code":"DE","state_code":"","business_entity_id":"HRB 1",` +
		`"addresses":[` + addressV1 + `],"phone_numbers":["+4930987654"],"email_addresses":["info@example.com"]`
	officer = `{"first_name":"Noor","last_name":"Example","full_name":"Noor Example","birth_date":"1991-07-03","ownership_percent":100,"shares_allocated":10,"roles":["Director","BeneficiaryOwner"],` +
		`"email":"noor@example.com","identity":` + identityV1 + `,"address":` + addressV1 + `,"phone_number":"+4930987654","pep_relationships":[],"initiator":true,"consent_given":true,"consent_collected_at":"2026-03-01T10:00:00Z"}`
	outsourcedBusiness = `{"type":"OutsourcedBusiness",` + companyV1 + `,"current_activities":{"primary_business_activities":"RegTech","business_details":"checks","main_business_countries":"DE, FR",` +
		`"source_of_funds":["Loans"],"last_year_turnover":"LessThanTenK","planned_turnover_this_year":"MoreThanFiveMillion","regulated_or_supervised":"no"},` +
		`"planned_activities":{"estimated_monthly_turnover":"LessThanTenK","estimated_monthly_transactions":"LessThanTen","source_and_destination_countries":"DE"},` +
		`"business_officers":[` + officer + `],"documents":[{"name":"registry","file":"/9j/","type":"ShareholdersRegistry"}],` +
		`"related_companies":[{"name":"Mother Ltd","country_code":"DE","state_code":"","ownership_percent":10,"shares_allocated":1,"tax_identification_number":"DE2","website":"https://example.org","related_company_details":{` + companyV1 + `}}],` +
		`"ip_address":"198.51.100.7"}`

	medium         = `"employment_status":"Student","monthly_income":"Between1000And2000","expected_monthly_volume":"LessThan1000","source_of_funds":"CryptocurrenyTradingOrInvestment"`
	reliancePerson = `{"type":"ReliancePerson","token":"share-token","ip_address":"198.51.100.7","medium_risk_questionnaire":{` + medium + `},"high_risk_questionnaire":{` + medium + `,"source_of_funds_proof":"/9j/"}}`

	kyc   = `{"employment_status":"Employed","yearly_gross_income":"LessThan20000","source_of_wealth":"Salary","expected_monthly_transaction_count":"LessThan5","expected_monthly_transaction_volume":"LessThan500"}`
	edd   = `{"occupation":"Healthcare","approximate_net_worth":"UpTo25000","source_of_funds_proof":"/9j/"}`
	link  = `{"type":"Link","with_edd":true}`
	token = `{"type":"Token","token":"share-token","intended_use":"Investing","ip_address":"198.51.100.7","kyc_questionnaire":` + kyc + `,"edd_questionnaire":` + edd + `}`

	address  = `{"street_1":"1 First Street","city":"Sampletown","zip_code":"01001","country":"DE","street_2":"c/o","state":"BE"}`
	identity = `"identity_country_code":"DE","identity_document_type":"DriverLicense","identity_document_front":"/9j/","nationality":"FR","identity_document_back":"/9j/","identity_number":"X4409127","selfie":"/9j/","selfie_collected_at":"2026-03-01T10:00:00Z"`
	person   = `{"type":"Person","first_name":"Noor","last_name":"Example","full_name":"Noor Example","date_of_birth":"1991-07-03","email_address":"noor@example.com","phone_number":"+4930987654",` +
		`"sharing_consent":true,"consent_collected_at":"2026-03-01T10:00:00Z","intended_use":"Trading","address":` + address + `,"identity":{` + identity + `,"ip_address":"198.51.100.7"},"kyc_questionnaire":` + kyc +
		`,"documents":[{"type":"ProofOfAddress","country":"DE","file":"/9j/"}],"edd_questionnaire":` + edd + `,"tax_identification_number":"900700001"}`

	somebody = `{"first_name":"Noor","last_name":"Example","middle_name":"N","date_of_birth":"1991-07-03","address":` + address + `,"email_address":"noor@example.com","phone_number":"+4930987654",` +
		`"tax_jurisdiction_country_code":"DE","birth_place":{"place":"Sampletown","state":"BE","country":"DE"},"identity":{` + identity + `},"tax_identification_number":"900700001","proof_of_address":"/9j/"}`
	director    = `{"roles":["Director","UltimateBeneficialOwner"],"share_percentage":"60.5","attesting_party":true,"attested_at":"2026-03-01T10:00:00Z","beneficiary_info":` + somebody + `}`
	companyInfo = `{"company_name":"Example Ltd","registration_number":"HRB 1","country":"DE","incorporation_date":"2019-02-01","legal_address":` + address + `,"postal_address":` + address + `,"address":` + address +
		`,"email":"info@example.com","tax_identification_number":"DE1","website":"https://example.com","company_type":"LimitedLiabilityCompany","alternative_names":["Example"]}`
	ownerCompany = `{"roles":["Shareholder"],"share_percentage":"39.5","beneficiary_info":{"company_data":{"company_info":` + companyInfo + `,"beneficiaries":[{"roles":["Director"],"beneficiary_info":` + somebody + `}],"documents":[]}}}`
	generic      = `{"type":"Generic","planned_activities":{"purpose_and_intended_use":"EcommerceSales","estimated_monthly_volume":"TenToTwentyFiveThousand","estimated_monthly_transactions":"LessThanTen",` +
		`"sends_funds_on_customer_behalf":true,"sends_funds_on_customer_behalf_description":"payouts","flow_of_funds_diagram":"/9j/","source_of_funds_document":"/9j/"},` +
		`"source_of_funds":{"source_of_funds":"BusinessRevenue","source_of_funds_description":"sales","customer_funds_handling_details":"held apart"},` +
		`"business_details":{"industry_type":"RegTech","business_model_description":"checks","main_business_countries":["DE","FR"],"estimated_annual_revenue":"Under100K","has_licenses_or_registrations":false,"requires_aml_program":false}}`
	soleProp = `{"type":"SoleProp","planned_activities":{"purpose_and_intended_use":"EcommerceSales","estimated_monthly_volume":"TenToTwentyFiveThousand","estimated_monthly_transactions":"LessThanTen"},` +
		`"source_of_funds":{"source_of_funds":"BusinessRevenue"},"business_details":{"industry_type":"RegTech","business_model_description":"checks","main_business_countries":["DE"],"estimated_annual_revenue":"Under100K"}}`
	business = `{"type":"Business","company_data":{"company_info":` + companyInfo + `,"beneficiaries":[` + director + `,` + ownerCompany + `],"documents":[{"type":"StateRegistry","country":"DE","file":"/9j/"}]},` +
		`"phone":"+4930987654","ip_address":"198.51.100.7","questionnaire":` + generic + `}`

	aCustomer = `{"customer_type":"Person","email":"noor@example.com","name":"Noor Example","external_id":"ext-1"}`
)

const (
	customerID       = "7a1c1f5e-2f7b-4f0c-9d55-0b8a6a4e1d21"
	identificationID = "e2b8d1f4-6c0a-4a8e-a3f1-90d2b7c4aa10"
	aKey             = "5d0e7a34-9f7e-4a53-8f2b-5f6d1f1f7c10"
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

// identify is a request for an identification, of v2 where its type is one of v2's.
func identify(body string) gateway.Request {
	path := "/iron/customers/" + customerID + "/identifications"
	for _, kind := range []string{"Link", "Token", "Person", "Business"} {
		if strings.HasPrefix(body, `{"type":"`+kind+`"`) {
			path += "/v2"
		}
	}
	return gateway.Request{
		Method: "POST", Path: path, Body: []byte(body), Params: map[string]string{"customerId": customerID},
		Header: map[string]string{"idempotency-key": aKey},
	}
}

// enroll is a request for a customer.
func enroll(body string) gateway.Request {
	return gateway.Request{
		Method: "POST", Path: "/iron/customers", Body: []byte(body), Header: map[string]string{"idempotency-key": aKey},
	}
}

func decodeIdentification(req gateway.Request) error {
	_, err := iron.CreateIdentification(iron.Config{Now: func() time.Time { return now }}).Decode(req)
	return err
}

func decodeCustomer(req gateway.Request) error {
	_, err := iron.CreateCustomer(iron.Config{}).Decode(req)
	return err
}

// refusal is what a request is refused with before any call: "" for nothing. It holds none of the samples' values.
func refusal(t testing.TB, render func(operation.Condition, string) gateway.Reply, err error) string {
	t.Helper()
	text := worded(t, render, err)
	for _, value := range []string{"Noor", "noor", "X4409127", "1 First", "900700001", "share-token", "+4930987654"} {
		if strings.Contains(text, value) {
			t.Errorf("the answer is %s", text)
		}
	}
	return text
}

// worded is the text of a refusal. Every one is a 400 whose body is a JSON string.
func worded(t testing.TB, render func(operation.Condition, string) gateway.Reply, err error) string {
	t.Helper()
	var rejection *operation.Rejection
	var input *gateway.InputError
	var reply gateway.Reply
	switch {
	case err == nil:
		return ""
	case errors.As(err, &rejection):
		reply = rejection.Reply
	case errors.As(err, &input):
		reply = render(operation.InvalidRequest, input.Error())
	default:
		t.Fatalf("%v", err)
	}
	var text string
	if err := json.Unmarshal(reply.Body, &text); err != nil || reply.Status != 400 ||
		reply.ContentType != "application/json" || text == "" {
		t.Errorf("refused with %d %s", reply.Status, reply.Body)
	}
	return text
}

func refused(t testing.TB, body string) string {
	t.Helper()
	return refusal(t, iron.CreateIdentification(iron.Config{}).Errors, decodeIdentification(identify(body)))
}

// names reports whether an answer names a place.
func names(answer, pointer string) bool {
	for part := range strings.SplitSeq(strings.TrimPrefix(answer, "invalid request: "), "; ") {
		if strings.HasPrefix(part, pointer+": ") {
			return true
		}
	}
	return false
}

// walk visits every member and element below a value, with the means to replace it, or to remove it where what is put
// there is removed.
func walk(at string, value any, visit func(at string, value any, put func(any))) {
	switch v := value.(type) {
	case map[string]any:
		for name, member := range v {
			visit(at+"/"+name, member, func(other any) {
				if v[name] = other; other == removed {
					delete(v, name)
				}
			})
			v[name] = member
			walk(at+"/"+name, member, visit)
		}
	case []any:
		for i, element := range v {
			visit(at+"/"+strconv.Itoa(i), element, func(other any) { v[i] = other })
			v[i] = element
			walk(at+"/"+strconv.Itoa(i), element, visit)
		}
	}
}

// removed in a member's place stands for no member.
const removed = "\x00"

func parsed(t testing.TB, text string) (value any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		t.Fatal(err)
	}
	return value
}

func encoded(t testing.TB, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// pattern replaces the indices in a pointer.
func pattern(pointer string) string {
	parts := strings.Split(pointer, "/")
	for i, part := range parts {
		if _, err := strconv.Atoi(part); err == nil {
			parts[i] = "*"
		}
	}
	return strings.Join(parts, "/")
}

func last(pointer string) string { return pointer[strings.LastIndexByte(pointer, '/')+1:] }

// sample is one of a type: which of its members may be missing, or be empty although they must be there.
type sample struct {
	body     string
	optional string // names, or patterns of pointers where the same name is required elsewhere
	empty    string
}

func samples() map[string]sample {
	return map[string]sample{
		"Link":  {link, "with_edd", ""},
		"Token": {token, "ip_address kyc_questionnaire edd_questionnaire", ""},
		"Person": {
			change(t0, person, `"documents":[`, `"papers":[`), // those of a person are unread
			"papers street_2 state identity_document_back identity_number edd_questionnaire " +
				"tax_identification_number",
			"zip_code",
		},
		"Business": {business,
			"alternative_names share_percentage attesting_party street_2 /company_data/company_info/legal_address/state " +
				"middle_name proof_of_address identity_document_back identity_number " +
				"/company_data/beneficiaries/*/beneficiary_info/tax_identification_number " +
				"/company_data/beneficiaries/*/beneficiary_info/company_data/beneficiaries/*/beneficiary_info/tax_identification_number country.of.documents state.of.addresses",
			"/company_data/documents /company_data/beneficiaries/*/beneficiary_info/company_data/documents zip_code " +
				"/company_data/beneficiaries/*/beneficiary_info/birth_place/state " +
				"/company_data/beneficiaries/*/beneficiary_info/company_data/beneficiaries/*/beneficiary_info/birth_place/state"},
		"SoleProp": {change(t0, business, generic, soleProp, "LimitedLiabilityCompany", "SoleProprietorship"),
			"alternative_names share_percentage attesting_party street_2 middle_name proof_of_address identity_document_back " +
				"identity_number " +
				"/company_data/beneficiaries/*/beneficiary_info/company_data/beneficiaries/*/beneficiary_info/tax_identification_number country.of.documents state.of.addresses",
			"/company_data/documents /company_data/beneficiaries/*/beneficiary_info/company_data/documents zip_code " +
				"/company_data/beneficiaries/*/beneficiary_info/birth_place/state " +
				"/company_data/beneficiaries/*/beneficiary_info/company_data/beneficiaries/*/beneficiary_info/birth_place/state"},
	}
}

// t0 stands where nothing can fail.
var t0 testing.TB = &testing.T{}

// in reports whether a list of names and patterns has a pointer.
func in(list, pointer string) bool {
	words, p := strings.Fields(list), pattern(pointer)
	switch {
	case strings.HasSuffix(p, "/documents/*/country"):
		return slices.Contains(words, "country.of.documents")
	case strings.HasSuffix(p, "address/state"):
		return slices.Contains(words, "state.of.addresses") || slices.Contains(words, "state")
	}
	return slices.Contains(words, p) || slices.Contains(words, last(pointer))
}

// TestSamples: every full sample is valid, with members of the future as well, and so is what has the required members
// only.
func TestSamples(t *testing.T) {
	for name, sample := range samples() {
		if got := refused(t, sample.body); got != "" {
			t.Errorf("%s: %s", name, got)
		}
		if got := refused(t, strings.TrimSuffix(sample.body, "}")+`,"something_new":{"x":[null,1]}}`); got != "" {
			t.Errorf("%s with more: %s", name, got)
		}
		value := parsed(t, sample.body)
		prune("", value, sample.optional)
		if least := begun(t, value); refused(t, least) != "" {
			t.Errorf("%s with what it must have, %s: %s", name, least, refused(t, least))
		}
	}
}

// prune removes the members of a list from a value.
func prune(at string, value any, list string) {
	switch v := value.(type) {
	case map[string]any:
		for name, member := range v {
			if in(list, at+"/"+name) {
				delete(v, name)
			} else {
				prune(at+"/"+name, member, list)
			}
		}
	case []any:
		for i, element := range v {
			prune(at+"/"+strconv.Itoa(i), element, list)
		}
	}
}

// without is an object without a member.
func without(value any, name string) map[string]any {
	rest := map[string]any{}
	for n, v := range value.(map[string]any) {
		if n != name {
			rest[n] = v
		}
	}
	return rest
}

// begun writes an object with its type first, as identify goes by it.
func begun(t testing.TB, value any) string {
	object := value.(map[string]any)
	said, ok := object["type"]
	rest := encoded(t, without(value, "type"))
	if !ok {
		return rest
	}
	text := `{"type":` + encoded(t, said)
	if rest != "{}" {
		text += ","
	}
	return text + rest[1:]
}

// isUnread reports whether no page tells what must stand in a place.
func isUnread(at string) bool {
	_, of, isCompany := strings.Cut(at, "/company_info/")
	if i := strings.LastIndex(at, "/company_info/"); i >= 0 {
		of = at[i+len("/company_info/"):]
	}
	return strings.HasPrefix(at, "/papers") || isCompany && slices.ContainsFunc(
		[]string{"legal_address", "postal_address", "address", "alternative_names"},
		func(name string) bool { return of == name || strings.HasPrefix(of, name+"/") },
	)
}

// TestEveryFieldMatrix: of every member of every type, what happens where it is missing, null, empty, or of another
// type.
func TestEveryFieldMatrix(t *testing.T) {
	for name, sample := range samples() {
		t.Run(name, func(t *testing.T) {
			value := parsed(t, sample.body)
			ask := func() string {
				req := identify(sample.body)
				req.Body = []byte(begun(t, value))
				return refusal(t, iron.CreateIdentification(iron.Config{}).Errors, decodeIdentification(req))
			}
			n := 0
			walk("", value, func(at string, was any, put func(any)) {
				if n++; isUnread(at) {
					return
				}
				_, element := strconv.Atoi(last(at))
				optional, mayBeEmpty := in(sample.optional, at), in(sample.empty, at)
				// without it, it is a person
				either := strings.Replace(at, "/beneficiary_info/company_data", "/beneficiary_info/first_name", 1)
				if strings.Count(at, "/") != strings.Count(either, "/") || last(at) != "company_data" {
					either = at
				}
				if element != nil { // it is a member
					put(removed)
					if got := ask(); optional && got != "" || !optional && !names(got, either) {
						t.Errorf("without %s: %q", at, got)
					}
					put(nil)
					if got := ask(); optional && got != "" || !optional && !names(got, either) {
						t.Errorf("%s is null: %q", at, got)
					}
				}
				for _, odd := range []any{[]any{[]any{}}, 1.5, "\u00e9"} {
					if _, is := was.(string); is && odd == "\u00e9" {
						continue // of another form it is below
					}
					if put(odd); !strings.Contains(ask(), at) {
						t.Errorf("%s is %v: %q", at, odd, ask())
					}
				}
				switch was.(type) {
				case string:
					put("")
				case []any:
					put([]any{})
				default:
					put(was)
					return
				}
				if got := ask(); (optional || mayBeEmpty) && got != "" || !optional && !mayBeEmpty && !names(got, at) {
					t.Errorf("%s is empty: %q", at, got)
				}
				put(was)
			})
			if n == 0 {
				t.Error("looked at nothing")
			}
		})
	}
}

// TestEveryFormat: what is a word, a date, a country … on a page is no other text; what is free may be any.
func TestEveryFormat(t *testing.T) {
	free := strings.Fields(`first_name last_name full_name middle_name street_1 street_2 city zip_code state place
		identity_number identity_country_code ip_address website tax_identification_number token company_name
		registration_number incorporation_date email email_address phone consent_collected_at selfie_collected_at attested_at
		business_model_description source_of_funds_description customer_funds_handling_details
		sends_funds_on_customer_behalf_description file selfie identity_document_front identity_document_back
		proof_of_address source_of_funds_proof flow_of_funds_diagram source_of_funds_document`)
	for name, sample := range samples() {
		value := parsed(t, sample.body)
		walk("", value, func(at string, was any, put func(any)) {
			if _, ok := was.(string); !ok {
				return
			}
			isFree := slices.Contains(free, last(at)) || isUnread(at)
			put("~")
			req := identify(sample.body)
			req.Body = []byte(begun(t, value))
			got := refusal(t, iron.CreateIdentification(iron.Config{}).Errors, decodeIdentification(req))
			if isFree && got != "" || !isFree && !names(got, at) {
				t.Errorf("%s: %s is ~: %q", name, at, got)
			}
			put(was)
		})
	}
}

// TestWords has the enums of §5.3.
func TestWords(t *testing.T) {
	const industries = `Automotive BankingAndFinancialServices ConstructionAndRealEstate CryptocurrencyAndBlockchain CryptocurrencyMining NftPlatforms CryptoPaymentProcessors CryptoWalletProviders CryptoExchanges
		CryptoCustodyServices EcommerceAndOnlineMarketplaces EducationAndTraining EnergyAndUtilities EntertainmentAndMedia GamingAndEsports HealthcareAndPharmaceuticals HospitalityAndTourism Insurance
		LegalAndProfessionalServices LogisticsAndTransportation ManufacturingAndIndustrial MetaversePlatforms MiningAndNaturalResources RetailAndWholesaleTrade Telecommunications VentureCapitalAndPrivateEquity
		CasinosAndGambling MoneyServiceBusinesses CrowdfundingPlatforms RegTech`
	for _, test := range []struct{ body, from, words, not string }{
		{
			token, `"intended_use":"Investing"`,
			"Investing PaymentToFriendsFamilyorOthers PurchaseDigitalAssets OnlinePurchasesOfGoodsOrServices Trading",
			"PaymentToFriendsFamilyOrOthers",
		},
		{token, `"yearly_gross_income":"LessThan20000"`, `LessThan20000 From20001To30000 From30001To40000 From40001To50000 From50001To60000 From60001To70000 From70001To80000 From80001To90000 From90001To100000
			From100001To110000 From110001To120000 From120001To130000 From130001To140000 From140001To150000 MoreThan150000 From150001To200000 From200001To500000 MoreThan500000`, "From10001To20000"},
		{token, `"source_of_wealth":"Salary"`, "Salary Savings Investments CryptoTrading Other", "Gift"},
		{token, `"expected_monthly_transaction_count":"LessThan5"`, "LessThan5 Between5And10 MoreThan10", "Over10"},
		{
			token, `"expected_monthly_transaction_volume":"LessThan500"`, "LessThan500 MoreThan500LessThan2000 MoreThan2000",
			"LessThan1000",
		},
		{
			token, `"approximate_net_worth":"UpTo25000"`,
			"UpTo25000 Between25001And50000 Between50001And100000 Between100001And300000 Between300001And500000 " +
				"Between500001And1000000 Over1000001",
			"Over1000000",
		},
		{token, `"occupation":"Healthcare"`, `Agriculture ArtsAndEntertainment Construction Education FinancialServices InformationAndTechnology Retail RealEstate Other BusinessOwner Healthcare Industrial
			LegalServices PublicSector SeniorManagement`, "TechnologyAndIT"},
		{person, `"identity_document_type":"DriverLicense"`, "Passport NationalId DriverLicense ResidencePermit", "IdCard"},
		{business, `"company_type":"LimitedLiabilityCompany"`, `LimitedLiabilityCompany PubliclyListedCompany Partnership Corporation Trust PrivateFoundation Charity NonprofitCorporation NonprofitOrganization
			PublicAgenciesOrAuthorities StockCorporationOutOfStock GeneralCorporation`, "LLC"},
		{business, `"type":"StateRegistry"`, `PowerOfAttorney TransparencyRegistryExtract DirectorsRegistry GoodStandingCert IncorporationArticles IncorporationCert IncumbencyCert InformationStatement
			PartnershipAgreement ProofOfAddress ProofOfNatureOfBusiness RegulatoryLicense SelfDeclarationForm ShareholderRegistry StateRegistry TradeLicense TrustAgreement Other`, "ShareholdersRegistry"},
		{business, `"purpose_and_intended_use":"EcommerceSales"`, `ReceivingBusinessIncome BusinessPurchasesAndExpenses EmployeeAndContractorPayouts EcommerceSales TreasuryManagement PaymentIntermediary Investments
			TaxPlanning AssetProtection Other`, "Investing"},
		{business, `"estimated_monthly_volume":"TenToTwentyFiveThousand"`, `TenToTwentyFiveThousand TwentyFiveToFiftyThousand FiftyToOneHundredThousand OneHundredToTwoHundredFiftyThousand
			TwoHundredFiftyToFiveHundredThousand MoreThanFiveHundredThousand`, "LessThanTenThousand"},
		{
			business, `"estimated_monthly_transactions":"LessThanTen"`,
			"LessThanTen TenToTwentyFive TwentyFiveToFifty FiftyToOneHundred MoreThanOneHundred", "MoreThanHundred",
		},
		{
			business, `"estimated_annual_revenue":"Under100K"`,
			"Under100K From100KTo1M From1MTo10M From10MTo50M From50MTo250M Over250M", "From1To10M",
		},
		{
			business, `"source_of_funds":"BusinessRevenue"`,
			"BusinessRevenue ShareholderFunds VcPrivateEquity AssetSale IcoProceeds CryptoActivityProceeds LoanProceeds Other",
			"Loans",
		},
		{
			business, `"industry_type":"RegTech"`,
			industries + " Agriculture DecentralisedFinance InformationTechnologyAndSoftware NonProfitAndCharitable " +
				"SocialMediaAndNetworking Other",
			"DefiProtocols",
		},
	} {
		cut := strings.LastIndexByte(strings.TrimRight(test.from, `"]`), '"') + 1
		for _, word := range append(strings.Fields(test.words), test.not) {
			body := change(
				t, test.body, test.from, test.from[:cut]+word+test.from[cut+len(strings.TrimRight(test.from[cut:], `"]`)):],
			)
			if got := refused(t, body); (got == "") != (word != test.not) {
				t.Errorf("%s as %s: %q", test.from, word, got)
			}
		}
	}
}

// TestFormatsMatrix has what is said of single values.
func TestFormatsMatrix(t *testing.T) {
	image := func(size int) string { return base64.StdEncoding.EncodeToString(make([]byte, size)) }
	const front, proof = `"identity_document_front":"/9j/"`, `"source_of_funds_proof":"/9j/"`
	for name, test := range map[string]struct{ body, pointer string }{
		"NoConsent":        {change(t, person, `"sharing_consent":true`, `"sharing_consent":false`), ""},
		"BirthInWords":     {change(t, person, "1991-07-03", "3 July 1991"), "/date_of_birth"},
		"BirthThatIsNoDay": {change(t, person, "1991-07-03", "1991-02-30"), "/date_of_birth"},
		"PhoneWithoutPlus": {change(t, person, "+4930987654", "4930123456"), "/phone_number"},
		"PhoneWithSpaces":  {change(t, person, "+4930987654", "+49 30 123456"), ""},
		"CountryLowerCase": {change(t, person, `"country":"DE"`, `"country":"de"`), ""},
		"CountryOfThree":   {change(t, person, `"nationality":"FR"`, `"nationality":"FRA"`), "/identity/nationality"},
		"EmailWithoutAt":   {change(t, person, "noor@example.com", "noor"), ""},
		"NoZipCode":        {change(t, person, `"zip_code":"01001"`, `"zip_code":""`), ""},
		"BlankName":        {change(t, person, `"first_name":"Noor"`, `"first_name":" \t"`), "/first_name"},
		"TimeWithoutZone": {
			change(
				t, person, `"consent_collected_at":"2026-03-01T10:00:00Z"`, `"consent_collected_at":"2026-03-01T10:00:00"`,
			), "",
		},
		"DataURI": {
			change(t, person, front, `"identity_document_front":"data:image/png;base64,/9j/"`),
			"/identity/identity_document_front",
		},
		"NoPadding":      {change(t, person, front, `"identity_document_front":"/9g"`), ""},
		"LineBreaks":     {change(t, person, front, `"identity_document_front":"/9j/\r\n/9j/"`), ""},
		"EscapedSlashes": {change(t, person, front, `"identity_document_front":"\/9j\/"`), ""},
		"ReferenceOverHTTP": {
			change(t, person, front, `"identity_document_front":{"document_id":"x"}`), "/identity/identity_document_front",
		},
		"LargestImageV2": {change(t, person, front, `"identity_document_front":"`+image(10<<20)+`"`), ""},
		"TooLargeImageV2": {
			change(t, person, front, `"identity_document_front":"`+image(10<<20+1)+`"`), "/identity/identity_document_front",
		},
		"TooLargeProofV2": {
			change(t, token, proof, `"source_of_funds_proof":"`+image(10<<20+1)+`"`), "/edd_questionnaire/source_of_funds_proof",
		},
		"ShareAsNumber": {
			change(t, business, `"share_percentage":"60.5"`, `"share_percentage":60.5`),
			"/company_data/beneficiaries/0/share_percentage",
		},
		"ShareOver100": {
			change(t, business, `"share_percentage":"60.5"`, `"share_percentage":"100.01"`),
			"/company_data/beneficiaries/0/share_percentage",
		},
		"ShareBelow0": {
			change(t, business, `"share_percentage":"60.5"`, `"share_percentage":"-1"`),
			"/company_data/beneficiaries/0/share_percentage",
		},
		"ShareAsFraction": {
			change(t, business, `"share_percentage":"60.5"`, `"share_percentage":"1/2"`),
			"/company_data/beneficiaries/0/share_percentage",
		},
		"ShareExponent": {
			change(t, business, `"share_percentage":"60.5"`, `"share_percentage":"1e1"`),
			"/company_data/beneficiaries/0/share_percentage",
		},
		"ShareOf0":   {change(t, business, `"share_percentage":"60.5"`, `"share_percentage":"0"`), ""},
		"ShareOf100": {change(t, business, `"share_percentage":"60.5"`, `"share_percentage":"100.00"`), ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := refused(t, test.body)
			if test.pointer == "" && got != "" || test.pointer != "" && !names(got, test.pointer) {
				t.Errorf("got %.300q, want %s", got, test.pointer)
			}
		})
	}
}

// TestRulesOverSeveralFields: who may own, direct, attest and begin.
func TestRulesOverSeveralFields(t *testing.T) {
	const selfies = `,"selfie":"/9j/","selfie_collected_at":"2026-03-01T10:00:00Z"`
	people := "/company_data/beneficiaries"
	nested := people + "/1/beneficiary_info/company_data"
	with := func(beneficiaries ...string) string {
		return change(t, business, director+","+ownerCompany, strings.Join(beneficiaries, ","))
	}
	as := func(roles, share string) string {
		return change(
			t, director, `["Director","UltimateBeneficialOwner"]`, roles, `"60.5"`, `"`+share+`"`,
			`"attesting_party":true,"attested_at":"2026-03-01T10:00:00Z",`, ``,
		)
	}
	const onlyOwner = `["UltimateBeneficialOwner"]`
	sole := change(
		t, business, director+","+ownerCompany, director, generic, soleProp, "LimitedLiabilityCompany", "SoleProprietorship",
	)
	for name, test := range map[string]struct{ body, want string }{
		"OwnersOf100": {with(director, as(onlyOwner, "39.5")), ""},
		"OwnersOver100": {
			with(director, as(onlyOwner, "39.51")), people + ": must not own more than 100 percent together",
		},
		"SharesOfNoOwners": {with(director, as(`["Shareholder"]`, "100")), ""},
		// which binary fractions can't add up
		"Thirds": {
			with(as(`["Director","UltimateBeneficialOwner"]`, "33.4"), as(onlyOwner, "33.3"), as(onlyOwner, "33.3")), "",
		},
		"NoDirector": {with(as(onlyOwner, "1")), people + ": must have a Director"},
		"NoDirectorBelow": {
			change(
				t, business, `"beneficiaries":[{"roles":["Director"]`, `"beneficiaries":[{"roles":["UltimateBeneficialOwner"]`,
			),
			nested + "/beneficiaries: must have a Director",
		},
		"AttestsNoDirector": {
			with(change(t, director, `["Director","UltimateBeneficialOwner"]`, onlyOwner), as(`["Director"]`, "1")),
			people + "/0/attesting_party: must be a person who is a Director of the company itself",
		},
		"AttestsCompany": {
			with(
				director,
				change(
					t, ownerCompany, `"roles":["Shareholder"]`,
					`"roles":["Director"],"attesting_party":true,"attested_at":"2026-03-01T10:00:00Z"`,
				),
			),
			people + "/1/attesting_party: must be a person who is a Director of the company itself",
		},
		"AttestsBelow": {
			change(
				t, business, `"beneficiaries":[{"roles":["Director"]`,
				`"beneficiaries":[{"attesting_party":true,"attested_at":"2026-03-01T10:00:00Z","roles":["Director"]`,
			),
			nested + "/beneficiaries/0/attesting_party: must be a person who is a Director of the company itself",
		},
		"AttestsWithoutTime": {
			change(t, business, `,"attested_at":"2026-03-01T10:00:00Z"`, ``),
			people + "/0/attested_at: must be a time in the past",
		},
		"AttestsTomorrow": {
			change(t, business, `"attested_at":"2026-03-01T10:00:00Z"`, `"attested_at":"2026-03-03T10:00:00Z"`),
			people + "/0/attested_at: must be a time in the past",
		},
		"AttestsJustBefore": {
			change(t, business, `"attested_at":"2026-03-01T10:00:00Z"`, `"attested_at":"2026-03-02T10:14:06+01:00"`), "",
		},
		"DoesNotAttest": {
			change(t, business, `"attesting_party":true,"attested_at":"2026-03-01T10:00:00Z"`, `"attesting_party":false`), "",
		},
		"DirectorNoSelfie": {
			change(t, business, selfies, ``),
			people + "/0/beneficiary_info/identity/selfie: is required of a Director or Representative",
		},
		"DirectorEmptySelfie": {
			change(t, business, `"selfie":"/9j/"`, `"selfie":""`),
			people + "/0/beneficiary_info/identity/selfie: is required of a Director or Representative",
		},
		"DirectorNullSelfie": {
			change(t, business, `"selfie":"/9j/"`, `"selfie":null`),
			people + "/0/beneficiary_info/identity/selfie: is required of a Director or Representative",
		},
		"DirectorNoTime": {
			change(t, business, `"selfie":"/9j/","selfie_collected_at":"2026-03-01T10:00:00Z"`, `"selfie":"/9j/"`),
			people + "/0/beneficiary_info/identity/selfie_collected_at: is required with a selfie",
		},
		"DirectorBelow": {
			change(t, business, ownerCompany, change(t, ownerCompany, selfies, ``)),
			nested + "/beneficiaries/0/beneficiary_info/identity/selfie: is required of a Director or Representative",
		},
		"AgentNoSelfie": {
			with(director, change(t, as(`["Representative"]`, "1"), selfies, ``)),
			people + "/1/beneficiary_info/identity/selfie: is required of a Director or Representative",
		},
		"OwnerNoSelfie": {with(director, change(t, as(onlyOwner, "1"), selfies, ``)), ""},
		"ThreeLevels": {
			with(director, change(t, ownerCompany, `"beneficiaries":[`, `"beneficiaries":[`+ownerCompany+`,`)),
			nested + "/beneficiaries/0/beneficiary_info/",
		},
		"CompanyIsNone": {
			with(director, change(t, ownerCompany, `"beneficiary_info":{`, `"beneficiary_info":{"company_data":null},"x":{`)),
			people + "/1/beneficiary_info/first_name: is required",
		},
		"CompanyIsOdd": {
			with(director, `{"roles":["Shareholder"],"beneficiary_info":{"company_data":"Example Ltd"}}`),
			people + "/1/beneficiary_info/company_data: must be an object",
		},
		"Sole": {sole, ""},
		"SoleWithoutTaxID": {
			change(t, sole, `,"tax_identification_number":"900700001"`, ``),
			people + "/0/beneficiary_info/tax_identification_number: is required of the owner of a sole proprietorship",
		},
		"SoleNotOwner": {
			change(
				t, sole, `["Director","UltimateBeneficialOwner"]`, `["Director"]`, `,"tax_identification_number":"900700001"`, ``,
			),
			"",
		},
		"LimitedWithoutTaxID": {change(t, business, `,"tax_identification_number":"900700001"`, ``), ""},
		// which has more than it must
		"GenericAsSole": {
			change(t, business, `"type":"Generic"`, `"type":"SoleProp"`, "LimitedLiabilityCompany", "SoleProprietorship"), "",
		},
		"SoleAsGeneric": {
			change(t, business, generic, change(t, soleProp, "SoleProp", "Generic")),
			"/questionnaire/planned_activities/sends_funds_on_customer_behalf: is required",
		},
		"OnBehalfUnsaid": {change(
			t, business,
			`,"sends_funds_on_customer_behalf_description":"payouts","flow_of_funds_diagram":"/9j/","source_of_funds_document":"/9j/"`,
			``,
		), "/questionnaire/planned_activities/flow_of_funds_diagram: is required"},
		"NotOnBehalf": {change(
			t, business,
			`"sends_funds_on_customer_behalf":true,"sends_funds_on_customer_behalf_description":"payouts","flow_of_funds_diagram":"/9j/","source_of_funds_document":"/9j/"`,
			`"sends_funds_on_customer_behalf":false`,
		), ""},
		"FiveDocuments": {
			change(
				t, business, `[{"type":"StateRegistry","country":"DE","file":"/9j/"}]`,
				`[`+strings.TrimSuffix(strings.Repeat(`{"type":"Other","file":"/9j/"},`, 5), ",")+`]`,
			),
			"/company_data/documents: must have 4 elements at most",
		},
		"FourDocuments": {
			change(
				t, business, `[{"type":"StateRegistry","country":"DE","file":"/9j/"}]`,
				`[`+strings.TrimSuffix(strings.Repeat(`{"type":"Other","file":"/9j/"},`, 4), ",")+`]`,
			),
			"",
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := refused(t, test.body)
			if test.want == "" && got != "" || !strings.Contains(got, test.want) {
				t.Errorf("got %q, want %s", got, test.want)
			}
		})
	}
}

// TestTypes: the second generation has its own; what the first one has, no page tells.
func TestTypes(t *testing.T) {
	of := func(path, body string) string {
		req := identify(body)
		req.Path = "/iron/customers/" + customerID + path
		return refusal(t, iron.CreateIdentification(iron.Config{}).Errors, decodeIdentification(req))
	}
	const v1, v2 = "/identifications", "/identifications/v2"
	for _, test := range []struct{ path, body, want string }{
		{v1, direct, ""}, {v1, "", ""}, {v1, " ", ""}, {v1, "null", ""}, {v1, " null\n", ""}, {v2, link, ""},
		{v1, link, ""}, {v1, outsourcedPerson, ""}, {v1, outsourcedBusiness, ""}, {v1, reliancePerson, ""},
		{v1, `{"Person":{"first_name":7}}`, ""}, {v1, `{"type":"Reliance","token":null}`, ""}, {v1, ` { } `, "invalid request: /type: is required"},
		{v1, `{"type":["Direct"]}`, ""},
		{v2, direct, "invalid request: /type: must be Link, Token, Person or Business"},
		{v2, `{}`, "invalid request: /type: is required"},
		{v2, `{"type":null}`, "invalid request: /type: must be a string"},
		{v2, `{"type":["Link"]}`, "invalid request: /type: must be a string"},
		{v2, `{"type":" "}`, "invalid request: /type: must not be empty"},
		{v2, `{"Type":"Link"}`, "invalid request: /type: is required"},
		{v2, "", "invalid request: body is empty"}, {v2, "null", "invalid request: must be an object"},
		{v1, "[]", "invalid request: must be an object"}, {v1, "null null", "invalid request: is not valid JSON"},
		{v1, `{`, "invalid request: is not valid JSON"}, {v1, `"Direct"`, "invalid request: must be an object"},
		{v1, `{"type":"Direct","type":"Direct"}`, "invalid request: /type: stands twice"},
		{v1, `{"type":"Direct","x":"\u0000"}`, "invalid request: /x: holds a NUL character"},
		{
			v1, `{"type":"Direct","x":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`,
			"invalid request: nests too deep",
		},
	} {
		if got := of(test.path, test.body); got != test.want {
			t.Errorf("%s %s: %q, want %q", test.path, test.body, got, test.want)
		}
	}
	t.Run("TooManyFaults", func(t *testing.T) { // ten are told
		if got := refused(t, `{"type":"Person"}`); strings.Count(got, ": is required") != 10 {
			t.Errorf("got %q", got)
		}
	})
	t.Run("OfAStateMachine", func(t *testing.T) { // whose path parameter has the generation
		req := gateway.Request{
			FromStateMachine: true, Params: map[string]string{"customerId": customerID, "generation": "v2"}, Body: []byte(link),
		}
		if err := decodeIdentification(req); err != nil {
			t.Error(err)
		}
		req.Body = []byte(direct)
		if decodeIdentification(req) == nil {
			t.Error("v2 has a Direct")
		}
		req.Params["generation"] = "v1"
		if err := decodeIdentification(req); err != nil {
			t.Error(err)
		}
	})
}

func TestCustomerRules(t *testing.T) {
	for _, test := range []struct{ body, want string }{
		{aCustomer, ""}, {`{"customer_type":"Business","email":"a@b"}`, ""},
		{`{"customer_type":"Person","email":"a@b","name":null,"external_id":null,"new":1}`, ""},
		{`{"customer_type":"Person","email":"a@b","name":"","external_id":""}`, ""},
		{`{"customer_type":"Person","email":"` + strings.Repeat("x", 252) + `@b"}`, ""},
		{`{"customer_type":"Person","email":"a@b","external_id":"` + strings.Repeat("é", 255) + `"}`, ""},
		{`{}`, "invalid request: /customer_type: is required; /email: is required"},
		{change(t, aCustomer, "Person", "person"), "invalid request: /customer_type: must be Business or Person"},
		{change(t, aCustomer, `"noor@example.com"`, `"noor"`), ""},
		{change(t, aCustomer, `"noor@example.com"`, `"`+strings.Repeat("x", 600)+`"`), ""},
		{change(t, aCustomer, `"noor@example.com"`, `" "`), "invalid request: /email: must not be empty"},
		{change(t, aCustomer, `"noor@example.com"`, `""`), "invalid request: /email: must not be empty"},
		{change(t, aCustomer, `"noor@example.com"`, `5`), "invalid request: /email: must be a string"},
		{change(t, aCustomer, `"Noor Example"`, `["Noor"]`), ""},
		{change(t, aCustomer, `ext-1`, strings.Repeat("x", 2000)), ""}, {change(t, aCustomer, `"ext-1"`, `17`), ""},
		{change(t, aCustomer, `ext-1`, ".."), ""},
		{`[]`, "invalid request: must be an object"}, {``, "invalid request: body is empty"},
		{`null`, "invalid request: must be an object"}, {`{`, "invalid request: is not valid JSON"},
	} {
		if got := refusal(t, iron.CreateCustomer(iron.Config{}).Errors, decodeCustomer(enroll(test.body))); got != test.want {
			t.Errorf("%.100s: %q, want %q", test.body, got, test.want)
		}
	}
}

// TestHeaders: the key is required of a caller, and the others are as the contract has them (§1).
func TestHeaders(t *testing.T) {
	const subPartner = "0B8A6A4E-1d21-4f0c-9d55-7a1c1f5e2f7b"
	c := iron.Config{}
	for name, test := range map[string]struct {
		header map[string]string
		want   string // of a creation
		read   string // of a read, which has no key
	}{
		"NoKey":        {map[string]string{"idempotency-key": "-"}, "missing IDEMPOTENCY-KEY", ""},
		"Key":          {nil, "", ""},
		"QuotedKey":    {map[string]string{"idempotency-key": `"` + aKey + `"`}, "", ""},
		"UpperCaseKey": {map[string]string{"idempotency-key": strings.ToUpper(aKey)}, "", ""},
		"NoUUID":       {map[string]string{"idempotency-key": "order-1"}, "IDEMPOTENCY-KEY must be a UUID", ""},
		"Braces":       {map[string]string{"idempotency-key": "{" + aKey + "}"}, "IDEMPOTENCY-KEY must be a UUID", ""},
		"NoDashes": {
			map[string]string{"idempotency-key": strings.ReplaceAll(aKey, "-", "")}, "IDEMPOTENCY-KEY must be a UUID", "",
		},
		"TwoKeys": {
			map[string]string{"idempotency-key": aKey + "," + aKey},
			"invalid request: Idempotency-Key: must stand once, and be quoted where it has a comma", "",
		},
		"EmptyKey": {
			map[string]string{"idempotency-key": ""}, "invalid request: Idempotency-Key: must have 1 to 255 characters", "",
		},
		"SubPartner":     {map[string]string{"x-sub-partner-id": subPartner}, "", ""},
		"SubPartnerNone": {map[string]string{"x-sub-partner-id": ""}, "", ""},
		"SubPartnerOdd": {
			map[string]string{"x-sub-partner-id": "acme"}, "invalid request: X-SUB-PARTNER-ID: must be a UUID",
			"invalid request: X-SUB-PARTNER-ID: must be a UUID",
		},
		"TwoSubPartners": {
			map[string]string{"x-sub-partner-id": subPartner + "," + subPartner},
			"invalid request: X-SUB-PARTNER-ID: must be a UUID", "invalid request: X-SUB-PARTNER-ID: must be a UUID",
		},
		"Version":        {map[string]string{"x-api-version": "2025-03-13"}, "", ""},
		"NewVersion":     {map[string]string{"x-api-version": "2026-07-01"}, "", ""},
		"UnknownVersion": {map[string]string{"x-api-version": "2024-01-01"}, "", ""},
		"BrokenVersion": {
			map[string]string{"x-api-version": "2024\n"},
			"invalid request: X-API-Version: must have 100 characters of ASCII at most",
			"invalid request: X-API-Version: must have 100 characters of ASCII at most",
		},
	} {
		t.Run(name, func(t *testing.T) {
			with := func(req gateway.Request) gateway.Request {
				req.Params = map[string]string{"customerId": customerID, "identificationId": identificationID}
				for name, value := range test.header {
					if req.Header[name] = value; value == "-" {
						delete(req.Header, name)
					}
				}
				return req
			}
			for _, got := range []string{
				refusal(t, iron.CreateCustomer(c).Errors, decodeCustomer(with(enroll(aCustomer)))),
				refusal(t, iron.CreateIdentification(c).Errors, decodeIdentification(with(identify(direct)))),
			} {
				if got != test.want {
					t.Errorf("got %q, want %q", got, test.want)
				}
			}
			reads := with(gateway.Request{Method: "GET", Header: map[string]string{}})
			_, one := iron.GetCustomer(c).Decode(reads)
			_, two := iron.GetIdentification(c).Decode(reads)
			_, three := iron.ListIdentifications(c).Decode(reads)
			for _, err := range []error{one, two, three} {
				if got := refusal(t, iron.GetCustomer(c).Errors, err); got != test.read {
					t.Errorf("a read: %q, want %q", got, test.read)
				}
			}
		})
	}
	t.Run("OfAStateMachine", func(t *testing.T) { // which has a key of its own, and names the sub-partner in its query
		req := gateway.Request{
			FromStateMachine: true, Params: map[string]string{"customerId": customerID}, Body: []byte(direct),
			Query: map[string]string{"sub_partner_id": ""},
		}
		if err := decodeIdentification(req); err != nil {
			t.Error(err)
		}
		req.Query["sub_partner_id"] = "acme"
		if decodeIdentification(req) == nil {
			t.Error("acme is a sub-partner")
		}
	})
	t.Run("Case", func(t *testing.T) { // ids are the same in upper case
		lower, upper := identify(direct), identify(direct)
		lower.Header["x-sub-partner-id"] = strings.ToLower(subPartner)
		upper.Header["x-sub-partner-id"] = strings.ToUpper(subPartner)
		upper.Params = map[string]string{"customerId": strings.ToUpper(customerID)}
		one, err := iron.CreateIdentification(c).Decode(lower)
		other, err2 := iron.CreateIdentification(c).Decode(upper)
		if err = errors.Join(err, err2); err != nil || encoded(t, one) != encoded(t, other) ||
			!strings.Contains(encoded(t, other), customerID) {
			t.Errorf("%s, %s, %v", encoded(t, one), encoded(t, other), err)
		}
	})
	t.Run("IDs", func(t *testing.T) {
		for _, id := range []string{
			"", "1", "..", strings.ReplaceAll(customerID, "-", ""), "{" + customerID + "}", "urn:uuid:" + customerID,
			customerID + "/x", strings.Replace(customerID, "7", "g", 1),
		} {
			req := gateway.Request{Method: "GET", Params: map[string]string{"customerId": id, "identificationId": id}}
			_, one := iron.GetCustomer(c).Decode(req)
			_, two := iron.GetIdentification(c).Decode(req)
			_, three := iron.ListIdentifications(c).Decode(req)
			create := identify(direct)
			create.Params = req.Params
			for i, err := range []error{one, two, three, decodeIdentification(create)} {
				if got := refusal(t, iron.GetCustomer(c).Errors, err); !strings.HasSuffix(got, "Id: must be a UUID") {
					t.Errorf("%q, %d: %q", id, i, got)
				}
			}
		}
	})
	t.Run("Page", func(t *testing.T) {
		for query, sent := range map[string]bool{
			"page_size=1": true, "page_size=1000": true, "page_size=x": true, "cursor=" + customerID: true, "cursor=next": true,
			"cursor=": false, "page_size=": false, "other=1": false,
		} {
			name, value, _ := strings.Cut(query, "=")
			in, err := iron.ListIdentifications(c).Decode(
				gateway.Request{
					Method: "GET", Params: map[string]string{"customerId": customerID}, Query: map[string]string{name: value},
				},
			)
			if got, is := in.Query[name]; err != nil || is != sent || got != value && sent {
				t.Errorf("%s: %v, %s", query, err, encoded(t, in))
			}
		}
	})
}

// TestWhatIsSentReachesThePartner: every body goes on as it came, with members that nobody knows, in their place, as
// they are written.
func TestWhatIsSentReachesThePartner(t *testing.T) {
	random := rand.New(rand.NewPCG(15, 3))
	op, customers := iron.CreateIdentification(iron.Config{Now: func() time.Time { return now }}),
		iron.CreateCustomer(iron.Config{})
	bodies := []string{direct, outsourcedPerson, outsourcedBusiness, reliancePerson, `{"Person":{}}`, "", " null"}
	for _, sample := range samples() {
		bodies = append(bodies, sample.body)
	}
	for _, text := range bodies {
		for range 40 {
			sent := text
			if strings.Contains(text, "{") {
				sent = schematest.WithMembers(random, text)
			}
			req := identify(text)
			req.Body = []byte(sent)
			if in, err := op.Decode(req); err != nil || string(in.Body) != sent {
				t.Errorf("%s: %v, goes on as %s", sent, err, in.Body)
			}
		}
	}
	for range 300 {
		sent := schematest.WithMembers(random, aCustomer)
		if in, err := customers.Decode(enroll(sent)); err != nil || string(in.Body) != sent {
			t.Errorf("%s: %v, goes on as %s", sent, err, in.Body)
		}
	}
}

// FuzzIdentificationDecode: whatever is sent, it is refused with a 400 or goes on as it is, and means the same to a
// repeat.
func FuzzIdentificationDecode(f *testing.F) {
	for _, sample := range samples() {
		f.Add([]byte(sample.body), strings.Contains(identify(sample.body).Path, "v2"))
	}
	f.Add([]byte(`{"type":"Business","company_data":{"beneficiaries":[{"beneficiary_info":{"company_data":[]}}]}}`), true)
	f.Add([]byte(`null`), false)
	op := iron.CreateIdentification(iron.Config{Now: func() time.Time { return now }})
	f.Fuzz(func(t *testing.T, body []byte, v2 bool) {
		req := identify(string(body))
		if req.Path = "/identifications"; v2 {
			req.Path += "/v2"
		}
		in, err := op.Decode(req)
		if err != nil {
			worded(t, op.Errors, err)
			return
		}
		again, err := op.Decode(req)
		if err != nil || encoded(t, in) != encoded(t, again) {
			t.Errorf("%q is %s, and then %s, %v", body, encoded(t, in), encoded(t, again), err)
		}
	})
}
