package iron

import (
	"math/big"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"sallyport/shared/operation"
	"sallyport/shared/schema"
	"sallyport/shared/source"
	"sallyport/shared/tolerant"
)

// Types of an identification, by the generation that has them. Of v1 only the first is published (§4).
const (
	typeDirect             = "Direct"
	typeOutsourcedPerson   = "OutsourcedPerson"
	typeOutsourcedBusiness = "OutsourcedBusiness"
	typeReliancePerson     = "ReliancePerson"

	typeLink     = "Link"
	typeToken    = "Token"
	typePerson   = "Person"
	typeBusiness = "Business"
)

// generationOf returns the generation that has a type; empty for none.
func generationOf(kind string) string {
	switch kind {
	case typeDirect, typeOutsourcedPerson, typeOutsourcedBusiness, typeReliancePerson:
		return v1
	case typeLink, typeToken, typePerson, typeBusiness:
		return v2
	}
	return ""
}

// Limits of files in bytes, and those that the contract leaves open, so that they are inferred (§3 to §5).
const (
	maxImageV1     = 5 << 20
	maxFileV2      = 10 << 20
	maxEmail       = 254
	maxExternalID  = 255
	maxDocumentsV2 = 4
	maxLevels      = 2 // of companies that own each other
)

// maxFaults is how many faults are told at once.
const maxFaults = 10

// invalid refuses what the tables find wrong; nil for nothing.
func invalid(faults []schema.Fault) error {
	if len(faults) == 0 {
		return nil
	}
	var where []string
	for _, f := range faults[:min(len(faults), maxFaults)] {
		where = append(where, f.Error())
	}
	detail := strings.Join(where, "; ")
	return rejected(http.StatusBadRequest, "invalid request: "+detail, string(operation.InvalidRequest), detail)
}

// customerRules is the table of a customer (§3).
func customerRules() schema.Fields {
	return slices.Concat(
		schema.Filled("customer_type", schema.Word("Business", "Person")),
		schema.Filled("email", email(maxEmail)),
		schema.Optional("name", schema.Text(0)),
		schema.Optional("external_id", externalID()),
	)
}

// externalID may be anything that can stand in a path by itself.
func externalID() schema.Type {
	return schema.Form("must have "+strconv.Itoa(maxExternalID)+" characters at most, and be neither . nor ..",
		func(text string) bool {
			return utf8.RuneCountInString(text) <= maxExternalID && text != "." && text != ".."
		})
}

// checkIdentification applies the table of a type (§4, §5) to a body whose JSON has been checked. With references,
// a file may be one.
func (c Config) checkIdentification(body jsontext.Value, generation string, references bool) []schema.Fault {
	var in struct {
		Type jsontext.Value `json:"type"`
	}
	_ = tolerant.Read(body, &in)
	kind := tolerant.String(in.Type)
	if generationOf(kind) != generation {
		kinds := schema.Word(typeDirect, typeOutsourcedPerson, typeOutsourcedBusiness, typeReliancePerson)
		if generation == v2 {
			kinds = schema.Word(typeLink, typeToken, typePerson, typeBusiness)
		}
		return schema.Check(body, source.Published("§5"), schema.Filled("type", kinds), references)
	}
	var fields schema.Fields
	further := func(jsontext.Value) []schema.Fault { return nil }
	switch kind {
	case typeOutsourcedPerson:
		fields = outsourcedPerson()
	case typeOutsourcedBusiness:
		fields, further = outsourcedBusiness(), checkOfficers
	case typeReliancePerson:
		fields = reliancePerson()
	case typeLink:
		fields = schema.Optional("with_edd", schema.Boolean())
	case typeToken:
		fields = token()
	case typePerson:
		fields = person()
	case typeBusiness:
		fields, further = business(), c.checkCompanies
	}
	if faults := schema.Check(body, source.Published("§5"), fields, references); len(faults) > 0 {
		return faults
	}
	return further(body)
}

// object is a shorter name for what the tables are full of.
func object(fields ...schema.Fields) schema.Type { return schema.Object(fields...) }

func words(list string) schema.Type { return schema.Word(strings.Fields(list)...) }

func line() schema.Type { return schema.Text(0) }

func country() schema.Type {
	return schema.Form("must be a country code of two letters", func(text string) bool {
		return len(text) == 2 && strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
	})
}

func email(max int) schema.Type {
	return schema.Form("must be an email address of "+strconv.Itoa(max)+" characters at most", func(text string) bool {
		at := strings.LastIndexByte(text, '@')
		return at > 0 && at < len(text)-1 && len(text) <= max
	})
}

// phone is a number with its leading plus (E.164).
func phone() schema.Type {
	return schema.Form("must be a phone number as +4930123456", func(text string) bool {
		digits, plus := strings.CutPrefix(text, "+")
		return plus && len(digits) >= 7 && len(digits) <= 15 && strings.Trim(digits, "0123456789") == ""
	})
}

// --- v1 (§4)

func addressV1() schema.Type {
	return object(
		schema.Filled("address_street_1", line()), schema.Present("address_street_2", line()),
		schema.Filled("address_city", line()), schema.Present("address_state", line()),
		schema.Filled("address_zip_code", line()), schema.Filled("address_country", country()),
	)
}

func identityV1() schema.Type {
	return object(
		schema.Filled("identity_country_code", country()), schema.Filled("identity_number", line()),
		schema.Filled("identity_document_type", schema.Word("Passport", "NationalId")),
		schema.Filled("identity_document_front identity_document_back selfie", schema.File(maxImageV1)),
		schema.Filled("selfie_collected_at", schema.Time()), schema.Filled("ip_address", line()),
	)
}

func documentsV1() schema.Type {
	return schema.List(0, object(
		schema.Filled("name", line()), schema.Filled("file", schema.File(maxImageV1)),
		schema.Filled(
			"type", words("BusinessRegistrationDocument MemorandumOfAssociation ShareholdersRegistry Other ProofOfAddress"),
		),
	))
}

func employment() schema.Type { return words("Employed SelfEmployed Unemployed Retired Student") }

// sourceOfFunds has the spelling of the first generation beside the later one.
func sourceOfFunds() schema.Type {
	return words(`SalaryAndWages PersonalSavings PensionOrRetirementPayments ProceedsFromSellingAssets
		CryptocurrenyTradingOrInvestment CryptocurrencyTradingOrInvestment InvestmentReturns GamblingOrLotteryWinnings
		GiftOrInheritanceReceived LoanFromBankOrOtherFinancialInstitution`)
}

func monthlyIncome() schema.Type {
	return words("Between1000And2000 Between2000And3000 Between3000And5000 Between5000And10000 Over10000")
}

func monthlyVolume() schema.Type {
	return words("LessThan1000 Between1000And5000 Between5000And10000 Between10000And20000 Over20000")
}

func outsourcedPerson() schema.Fields {
	return slices.Concat(
		schema.Filled("first_name last_name full_name", line()),
		schema.Filled("date_of_birth", schema.Date()),
		schema.Filled("address", addressV1()),
		schema.Filled("email_address", email(maxEmail)),
		schema.Filled("phone_number", phone()),
		schema.Filled("sharing_consent", schema.True()),
		schema.Filled("consent_collected_at", schema.Time()),
		schema.Filled("identity", identityV1()),
		schema.Optional("documents", documentsV1()),
		schema.Optional("tax_identification_number", line()),
		schema.Optional("person_questions", object(
			schema.Present("pep_relationships", schema.List(0, line())),
			schema.Optional("employment_status", employment()),
			schema.Optional("expected_monthly_transaction_volume", monthlyVolume()),
			schema.Optional("monthly_income", monthlyIncome()),
			schema.Optional("occupation", words(`FinanceAndAccounting EducationAndTeaching TechnologyAndIT
				DesignAndCreativeArts ConstructionAndBuilding TransportationAndLogistics ManufacturingAndProduction
				ScienceAndResearch LegalAndLawServices PsychologyAndMentalHealth EntertainmentAndMedia MaintenanceAndRepair
				PublicServices GeneralManagementAndOperations Other`)),
			schema.Optional("source_of_funds", sourceOfFunds()),
		)),
	)
}

// companyV1 is what identifies a company, and those that are related to it.
func companyV1() schema.Fields {
	return slices.Concat(
		schema.Filled("name tax_identification_number website", line()),
		schema.Filled("formation_date", schema.Date()),
		schema.Filled("country_code", country()),
		schema.Present("state_code", line()),
		schema.Filled("business_entity_id", line()),
		schema.Filled("addresses", schema.List(0, addressV1())),
		schema.Filled("phone_numbers", schema.List(0, phone())),
		schema.Filled("email_addresses", schema.List(0, email(maxEmail))),
	)
}

const (
	turnovers = `LessThanTenK TenKToTwentyFiveK TwentyFiveKToFiftyK FiftyKToHundredK HundredKToTwoFiftyK
		TwoFiftyKToFiveHundredK FiveHundredKToOneMillion OneMillionToFiveMillion MoreThanFiveMillion`
	roleDirector   = "Director"
	roleOwnerV1    = "BeneficiaryOwner"
	roleOwnerV2    = "UltimateBeneficialOwner"
	roleAgent      = "Representative"
	soleProprietor = "SoleProprietorship"
)

func outsourcedBusiness() schema.Fields {
	return slices.Concat(
		companyV1(),
		schema.Filled("current_activities", object(
			schema.Filled("primary_business_activities", words(`AgricultureAndForestry Automotive
				BankingAndFinancialServices ConstructionAndRealEstate CryptocurrencyAndBlockchain CryptocurrencyMining
				DefiProtocols NftPlatforms CryptoPaymentProcessors CryptoWalletProviders CryptoExchanges
				CryptoCustodyServices EcommerceAndOnlineMarketplaces EducationAndTraining EnergyAndUtilities
				EntertainmentAndMedia GamingAndEsports HealthcareAndPharmaceuticals HospitalityAndTourism
				InformationTechnologyAndSoftwareDevelopment Insurance LegalAndProfessionalServices
				LogisticsAndTransportation ManufacturingAndIndustrial MetaversePlatforms MiningAndNaturalResources
				NonProfitAndCharitableOrganizations RetailAndWholesaleTrade Telecommunications
				VentureCapitalAndPrivateEquity CasinosAndGambling MoneyServiceBusinesses SocialMediaAndNetworkingPlatforms
				CrowdfundingPlatforms RegTech`)),
			schema.Filled("business_details main_business_countries", line()),
			schema.Filled("source_of_funds", schema.List(0, words(`RevenueFromBusinessOperations ShareholderContributions
				VentureCapitalOrPrivateEquityInvestments SaleOfAssets InitialCoinOfferingProceeds
				ProceedsFromCryptoCurrenciesRelatedActivities Loans`))),
			schema.Filled("last_year_turnover planned_turnover_this_year", words(turnovers)),
			schema.Optional("regulated_or_supervised", line()),
		)),
		schema.Filled("planned_activities", object(
			schema.Filled("estimated_monthly_turnover", words(turnovers)),
			schema.Filled(
				"estimated_monthly_transactions",
				words("LessThanTen TenToTwentyFive TwentyFiveToFifty FiftyToHundred MoreThanHundred"),
			),
			schema.Filled("source_and_destination_countries", line()),
		)),
		schema.Filled("business_officers", schema.List(0, object(
			schema.Filled("first_name last_name full_name", line()), schema.Filled("birth_date", schema.Date()),
			schema.Filled("ownership_percent", schema.Range(0, 100)), schema.Filled("shares_allocated", schema.Integer()),
			schema.Filled("roles", schema.List(0, schema.Word(roleDirector, "LegalRepresentative", roleOwnerV1))),
			schema.Filled("email", email(maxEmail)), schema.Filled("identity", identityV1()),
			schema.Filled("address", addressV1()), schema.Filled("phone_number", phone()),
			schema.Present("pep_relationships", schema.List(0, line())),
			schema.Filled("initiator consent_given", schema.Boolean()),
			schema.Optional("consent_collected_at", schema.Time()),
		))),
		schema.Present("documents", documentsV1()),
		schema.Present("related_companies", schema.List(0, object(
			schema.Filled("name", line()), schema.Filled("country_code", country()), schema.Present("state_code", line()),
			schema.Filled("ownership_percent", schema.Range(0, 100)), schema.Filled("shares_allocated", schema.Integer()),
			schema.Filled("tax_identification_number website", line()),
			schema.Filled("related_company_details", object(companyV1())),
		))),
		schema.Filled("ip_address", line()),
	)
}

// checkOfficers: somebody must have begun it, and somebody be director and owner at once.
func checkOfficers(body jsontext.Value) (faults []schema.Fault) {
	var in struct {
		Officers []struct {
			Roles     []string `json:"roles"`
			Initiator bool     `json:"initiator"`
		} `json:"business_officers"`
	}
	if tolerant.Read(body, &in) != nil {
		return []schema.Fault{{Pointer: "/business_officers", Reason: "is not valid"}}
	}
	initiators, both := 0, false
	for _, officer := range in.Officers {
		if officer.Initiator {
			initiators++
		}
		both = both || slices.Contains(officer.Roles, roleDirector) && slices.Contains(officer.Roles, roleOwnerV1)
	}
	fault := func(reason string) {
		faults = append(faults, schema.Fault{Pointer: "/business_officers", Reason: reason})
	}
	if initiators != 1 {
		fault("must have exactly one initiator")
	}
	if !both {
		fault("must have one who is both Director and BeneficiaryOwner")
	}
	return faults
}

func reliancePerson() schema.Fields {
	medium := slices.Concat(
		schema.Filled("employment_status", employment()), schema.Filled("monthly_income", monthlyIncome()),
		schema.Filled("expected_monthly_volume", monthlyVolume()), schema.Filled("source_of_funds", sourceOfFunds()),
	)
	proof := schema.Filled("source_of_funds_proof", schema.File(maxImageV1))
	return slices.Concat(
		schema.Filled("token", line()),
		schema.Optional("ip_address", line()),
		schema.Optional("medium_risk_questionnaire", object(medium)),
		schema.Optional("high_risk_questionnaire", object(medium, proof)),
	)
}

// --- v2 (§5)

func file() schema.Type { return schema.File(maxFileV2) }

func intendedUse() schema.Type {
	return words("Investing PaymentToFriendsFamilyorOthers PurchaseDigitalAssets OnlinePurchasesOfGoodsOrServices Trading")
}

func kycQuestionnaire() schema.Type {
	return object(
		schema.Filled("employment_status", employment()),
		schema.Filled("yearly_gross_income", words(`LessThan20000 From20001To30000 From30001To40000 From40001To50000
			From50001To60000 From60001To70000 From70001To80000 From80001To90000 From90001To100000 From100001To110000
			From110001To120000 From120001To130000 From130001To140000 From140001To150000 MoreThan150000 From150001To200000
			From200001To500000 MoreThan500000`)),
		schema.Filled("source_of_wealth", words("Salary Savings Investments CryptoTrading Other")),
		schema.Filled("expected_monthly_transaction_count", words("LessThan5 Between5And10 MoreThan10")),
		schema.Filled("expected_monthly_transaction_volume", words("LessThan500 MoreThan500LessThan2000 MoreThan2000")),
	)
}

func eddQuestionnaire() schema.Type {
	return object(
		schema.Filled("occupation", words(`Agriculture ArtsAndEntertainment Construction Education FinancialServices
			InformationAndTechnology Retail RealEstate Other BusinessOwner Healthcare Industrial LegalServices
			PublicSector SeniorManagement`)),
		schema.Filled("approximate_net_worth", words(`UpTo25000 Between25001And50000 Between50001And100000
			Between100001And300000 Between300001And500000 Between500001And1000000 Over1000001`)),
		schema.Filled("source_of_funds_proof", file()),
	)
}

func token() schema.Fields {
	return slices.Concat(
		schema.Filled("token", line()),
		schema.Filled("intended_use", intendedUse()),
		schema.Optional("ip_address", line()),
		schema.Optional("kyc_questionnaire", kycQuestionnaire()),
		schema.Optional("edd_questionnaire", eddQuestionnaire()),
	)
}

func address() schema.Type {
	return object(
		schema.Filled("street_1 city zip_code", line()), schema.Filled("country", country()),
		schema.Optional("street_2 state", line()),
	)
}

// identity is what proves who somebody is; of a company's people less is asked for.
func identity(further schema.Fields) schema.Type {
	return object(
		schema.Filled("identity_country_code", country()),
		schema.Filled("identity_document_type", words("Passport NationalId DriverLicense ResidencePermit")),
		schema.Filled("identity_document_front", file()),
		schema.Filled("nationality", country()),
		schema.Optional("identity_document_back", file()),
		schema.Optional("identity_number", line()),
		further,
	)
}

// documents of a company, or of a person, who may hand in the same (inferred).
func documents() schema.Type {
	return schema.List(maxDocumentsV2, object(
		schema.Filled("type", words(`PowerOfAttorney TransparencyRegistryExtract DirectorsRegistry GoodStandingCert
			IncorporationArticles IncorporationCert IncumbencyCert InformationStatement PartnershipAgreement
			ProofOfAddress ProofOfNatureOfBusiness RegulatoryLicense SelfDeclarationForm ShareholderRegistry
			StateRegistry TradeLicense TrustAgreement Other`)),
		schema.Optional("country", country()),
		schema.Filled("file", file()),
	))
}

func person() schema.Fields {
	return slices.Concat(
		schema.Filled("first_name last_name full_name", line()),
		schema.Filled("date_of_birth", schema.Date()),
		schema.Filled("email_address", email(maxEmail)),
		schema.Filled("phone_number", phone()),
		schema.Filled("sharing_consent", schema.True()),
		schema.Filled("consent_collected_at", schema.Time()),
		schema.Filled("intended_use", intendedUse()),
		schema.Filled("address", address()),
		schema.Filled("identity", identity(slices.Concat(
			schema.Filled("selfie", file()), schema.Filled("selfie_collected_at", schema.Time()),
			schema.Filled("ip_address", line()),
		))),
		schema.Filled("kyc_questionnaire", kycQuestionnaire()),
		schema.Optional("documents", documents()),
		schema.Optional("edd_questionnaire", eddQuestionnaire()),
		schema.Optional("tax_identification_number", line()),
	)
}

func business() schema.Fields {
	return slices.Concat(
		schema.Filled("company_data", companyData(maxLevels)),
		schema.Filled("phone", phone()),
		schema.Filled("ip_address", line()),
		schema.Filled("questionnaire", schema.Chosen(businessQuestionnaire)),
	)
}

// companyData is a company and who owns it: people, and other companies down to so many levels.
func companyData(levels int) schema.Type {
	return object(
		schema.Filled("company_info", object(
			schema.Filled("company_name registration_number", line()), schema.Filled("country", country()),
			schema.Filled("incorporation_date", schema.Date()),
			schema.Filled("legal_address postal_address address", address()), schema.Filled("email", email(maxEmail)),
			schema.Filled("tax_identification_number website", line()),
			schema.Filled("company_type", words(`LimitedLiabilityCompany PubliclyListedCompany SoleProprietorship
				Partnership Corporation Trust PrivateFoundation Charity NonprofitCorporation NonprofitOrganization
				PublicAgenciesOrAuthorities StockCorporationOutOfStock GeneralCorporation`)),
			schema.Optional("alternative_names", schema.List(0, line())),
		)),
		schema.Filled("beneficiaries", schema.List(0, object(
			schema.Filled("roles", schema.List(0, schema.Word(roleOwnerV2, roleAgent, roleDirector, "Shareholder"))),
			schema.Filled("beneficiary_info", schema.Chosen(func(info jsontext.Value) schema.Fields {
				if isCompany(info) && levels > 1 {
					return schema.Filled("company_data", companyData(levels-1))
				}
				return beneficiary()
			})),
			schema.Optional("share_percentage", share()),
			schema.Optional("attesting_party", schema.Boolean()),
			schema.Optional("attested_at", schema.Time()),
		))),
		schema.Present("documents", documents()),
	)
}

// isCompany reports whether a beneficiary is a company.
func isCompany(info jsontext.Value) bool {
	var in struct {
		Company given `json:"company_data"`
	}
	return tolerant.Read(info, &in) == nil && bool(in.Company)
}

// given reports whether a member says anything, without a copy of it: it may hold files.
type given bool

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (g *given) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	value, err := d.ReadValue()
	*g = given(len(value) > len(`""`) && value.Kind() != 'n')
	return err
}

func beneficiary() schema.Fields {
	return slices.Concat(
		schema.Filled("first_name last_name", line()),
		schema.Filled("date_of_birth", schema.Date()),
		schema.Filled("address", address()),
		schema.Filled("email_address", email(maxEmail)),
		schema.Filled("phone_number", phone()),
		schema.Filled("tax_jurisdiction_country_code", country()),
		schema.Filled("birth_place", object(schema.Filled("place state", line()), schema.Filled("country", country()))),
		schema.Filled("identity", identity(slices.Concat(
			schema.Optional("selfie", file()), schema.Optional("selfie_collected_at", schema.Time()),
		))),
		schema.Optional("middle_name tax_identification_number", line()),
		schema.Optional("proof_of_address", file()),
	)
}

// share is a percentage as a decimal in a string.
func share() schema.Type {
	return schema.Form("must be a decimal from 0 to 100 in a string", func(text string) bool {
		value, ok := percentage(text)
		return ok && value.Sign() >= 0 && value.Cmp(big.NewRat(100, 1)) <= 0
	})
}

func percentage(text string) (*big.Rat, bool) {
	if len(text) > 20 || strings.Trim(text, "0123456789.") != "" {
		return nil, false
	}
	return new(big.Rat).SetString(text)
}

// businessQuestionnaire asks a sole proprietor less than anybody else.
func businessQuestionnaire(questionnaire jsontext.Value) schema.Fields {
	var in struct {
		Type    jsontext.Value `json:"type"`
		Planned struct {
			OnBehalf jsontext.Value `json:"sends_funds_on_customer_behalf"`
		} `json:"planned_activities"`
	}
	_ = tolerant.Read(questionnaire, &in)
	planned := slices.Concat(
		schema.Filled("purpose_and_intended_use", words(`ReceivingBusinessIncome BusinessPurchasesAndExpenses
			EmployeeAndContractorPayouts EcommerceSales TreasuryManagement PaymentIntermediary Investments TaxPlanning
			AssetProtection Other`)),
		schema.Filled("estimated_monthly_volume", words(`TenToTwentyFiveThousand TwentyFiveToFiftyThousand
			FiftyToOneHundredThousand OneHundredToTwoHundredFiftyThousand TwoHundredFiftyToFiveHundredThousand
			MoreThanFiveHundredThousand`)),
		schema.Filled(
			"estimated_monthly_transactions",
			words("LessThanTen TenToTwentyFive TwentyFiveToFifty FiftyToOneHundred MoreThanOneHundred"),
		),
	)
	funds := schema.Filled("source_of_funds", words(`BusinessRevenue ShareholderFunds
		VcPrivateEquity AssetSale IcoProceeds CryptoActivityProceeds LoanProceeds Other`))
	details := slices.Concat(
		schema.Filled("industry_type", words(`Agriculture Automotive BankingAndFinancialServices
			ConstructionAndRealEstate CryptocurrencyAndBlockchain CryptocurrencyMining DecentralisedFinance NftPlatforms
			CryptoPaymentProcessors CryptoWalletProviders CryptoExchanges CryptoCustodyServices
			EcommerceAndOnlineMarketplaces EducationAndTraining EnergyAndUtilities EntertainmentAndMedia GamingAndEsports
			HealthcareAndPharmaceuticals HospitalityAndTourism InformationTechnologyAndSoftware Insurance
			LegalAndProfessionalServices LogisticsAndTransportation ManufacturingAndIndustrial MetaversePlatforms
			MiningAndNaturalResources NonProfitAndCharitable RetailAndWholesaleTrade Telecommunications
			VentureCapitalAndPrivateEquity CasinosAndGambling MoneyServiceBusinesses SocialMediaAndNetworking
			CrowdfundingPlatforms RegTech Other`)),
		schema.Filled("business_model_description", line()),
		schema.Filled("main_business_countries", schema.List(0, country())),
		schema.Filled(
			"estimated_annual_revenue", words("Under100K From100KTo1M From1MTo10M From10MTo50M From50MTo250M Over250M"),
		),
	)
	if tolerant.String(in.Type) != "SoleProp" {
		planned = append(planned, schema.Filled("sends_funds_on_customer_behalf", schema.Boolean())...)
		if in.Planned.OnBehalf.Kind() == 't' {
			planned = slices.Concat(
				planned, schema.Filled("sends_funds_on_customer_behalf_description", line()),
				schema.Filled("flow_of_funds_diagram source_of_funds_document", file()),
			)
		}
		funds = append(funds, schema.Filled("source_of_funds_description customer_funds_handling_details", line())...)
		details = append(details, schema.Filled("has_licenses_or_registrations requires_aml_program", schema.Boolean())...)
	}
	return slices.Concat(
		schema.Filled("type", schema.Word("Generic", "SoleProp")),
		schema.Filled("planned_activities", object(planned)),
		schema.Filled("source_of_funds", object(funds)),
		schema.Filled("business_details", object(details)),
	)
}

// company is what the rules about who owns a company look at.
type company struct {
	Info struct {
		Type string `json:"company_type"`
	} `json:"company_info"`
	Beneficiaries []struct {
		Roles      []string `json:"roles"`
		Share      string   `json:"share_percentage"`
		Attesting  bool     `json:"attesting_party"`
		AttestedAt string   `json:"attested_at"`
		Info       struct {
			Company  *company `json:"company_data"`
			TaxID    string   `json:"tax_identification_number"`
			Identity struct {
				Selfie      given  `json:"selfie"`
				CollectedAt string `json:"selfie_collected_at"`
			} `json:"identity"`
		} `json:"beneficiary_info"`
	} `json:"beneficiaries"`
}

// checkCompanies applies the rules that reach over several fields of a Business (§5).
func (c Config) checkCompanies(body jsontext.Value) []schema.Fault {
	var in struct {
		Company       company `json:"company_data"`
		Questionnaire struct {
			Type string `json:"type"`
		} `json:"questionnaire"`
	}
	if tolerant.Read(body, &in) != nil {
		return []schema.Fault{{Pointer: "/company_data", Reason: "is not valid"}}
	}
	faults := c.checkCompany(in.Company, "/company_data", true)
	if (in.Questionnaire.Type == "SoleProp") != (in.Company.Info.Type == soleProprietor) {
		faults = append(
			faults,
			schema.Fault{
				Pointer: "/questionnaire/type",
				Reason:  "must be SoleProp for a SoleProprietorship, and Generic for any other company",
			},
		)
	}
	return faults
}

func (c Config) checkCompany(in company, at string, root bool) (faults []schema.Fault) {
	fault := func(pointer, reason string) {
		faults = append(faults, schema.Fault{Pointer: at + "/beneficiaries" + pointer, Reason: reason})
	}
	directed, owned := false, new(big.Rat)
	for i, b := range in.Beneficiaries {
		pointer := "/" + strconv.Itoa(i)
		director, owner := slices.Contains(b.Roles, roleDirector), slices.Contains(b.Roles, roleOwnerV2)
		isPerson := b.Info.Company == nil
		directed = directed || director
		if share, ok := percentage(b.Share); ok && owner {
			owned.Add(owned, share)
		}
		if b.Attesting {
			attested, err := time.Parse(time.RFC3339, b.AttestedAt)
			switch {
			case !root || !isPerson || !director:
				fault(pointer+"/attesting_party", "must be a person who is a Director of the company itself")
			case err != nil || attested.After(c.now()):
				fault(pointer+"/attested_at", "must be a time in the past")
			}
		}
		if !isPerson {
			faults = append(
				faults, c.checkCompany(*b.Info.Company, at+"/beneficiaries"+pointer+"/beneficiary_info/company_data", false)...,
			)
			continue
		}
		if director || slices.Contains(b.Roles, roleAgent) {
			switch {
			case !bool(b.Info.Identity.Selfie):
				fault(pointer+"/beneficiary_info/identity/selfie", "is required of a Director or Representative")
			case b.Info.Identity.CollectedAt == "":
				fault(pointer+"/beneficiary_info/identity/selfie_collected_at", "is required with a selfie")
			}
		}
		if owner && in.Info.Type == soleProprietor && b.Info.TaxID == "" {
			fault(pointer+"/beneficiary_info/tax_identification_number", "is required of the owner of a sole proprietorship")
		}
	}
	if !directed {
		fault("", "must have a Director")
	}
	if owned.Cmp(big.NewRat(100, 1)) > 0 {
		fault("", "must not own more than 100 percent together")
	}
	return faults
}
