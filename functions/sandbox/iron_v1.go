package sandbox

import (
	"bytes"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// ironSubmission is what a request to identify a customer comes to.
type ironSubmission struct {
	wants      []string // steps whose input is awaited; none: all of it came
	withEDD    *bool
	country    string // of residence
	outsourced bool   // it needs an agreement
}

// Limits of a file, decoded, in the two generations (iron §4, §5).
const (
	maxIronFileV1 = 5 << 20
	maxIronFileV2 = 10 << 20
)

const ironWrongType = "type is not one of "

// ironUnfit is what is wrong with a type that is for customers of the other type.
func ironUnfit(customer ironCustomerType) string {
	return "type does not suit a customer of the type " + string(customer)
}

// readIronV1 reads a body of iron §4 and says what is wrong with it. The values of type other than Direct are not published:
// they are chosen.
func readIronV1(x *ironCall, customer ironCustomerType) (submission ironSubmission, wrong string, err error) {
	const types = "Direct, OutsourcedPerson, OutsourcedBusiness, ReliancePerson"
	mode, err := x.setting("v1_leniency")
	if err != nil {
		return ironSubmission{}, "", err
	}
	lenient := mode == "on"
	direct := ironSubmission{wants: ironSteps(customer)}
	body := jsontext.Value(bytes.TrimSpace(x.body))
	if lenient && (len(body) == 0 || string(body) == "null") {
		return direct, "", nil
	}
	if wrong := ironObject(need("type", ironText))("", body); wrong != "" {
		return ironSubmission{}, wrong, nil
	}
	kind := ironMember(body, "type")
	if full := map[string]string{"Person": "OutsourcedPerson", "Business": "OutsourcedBusiness", "Reliance": "ReliancePerson"}[kind]; lenient && full != "" {
		kind = full
	}
	of, check, country := customer, ironCheck(nil), ""
	switch kind {
	case "Direct":
		return direct, "", nil
	case "OutsourcedPerson":
		of, check, country = ironPerson, ironOutsourcedPerson(), ironMember(ironMembers(body)["address"], "address_country")
	case "OutsourcedBusiness":
		of, check, country = ironBusiness, ironOutsourcedBusiness(), ironMember(body, "country_code")
	case "ReliancePerson":
		of, check = ironPerson, ironReliancePerson()
	default:
		return ironSubmission{}, ironWrongType + types, nil
	}
	if of != customer {
		return ironSubmission{}, ironUnfit(customer), nil
	}
	return ironSubmission{country: country, outsourced: kind != "ReliancePerson"}, check("", body), nil
}

func ironOutsourcedPerson() ironCheck {
	return ironObject(slices.Concat(
		needs("first_name last_name full_name", ironText),
		[]ironField{
			need("date_of_birth", ironDate),
			need("address", ironAddressV1()),
			need("email_address", ironEmail),
			need("phone_number", ironPhone),
			need("sharing_consent", ironConsent),
			need("consent_collected_at", ironTime),
			need("identity", ironIdentityV1()),
			may("documents", ironList(ironDocumentV1())),
			may("tax_identification_number", ironString),
			may("person_questions", ironObject(
				need("pep_relationships", ironList(ironString)),
				may("employment_status", ironEmployment()),
				may("expected_monthly_transaction_volume", ironPersonVolume()),
				may("monthly_income", ironMonthlyIncome()),
				may("occupation", ironOneOf(ironOccupationsV1)),
				may("source_of_funds", ironPersonFunds()),
			)),
		})...)
}

// ironAddressV1: every part must be there, though some addresses leave one empty.
func ironAddressV1() ironCheck {
	return ironObject(
		need("address_street_1", ironText),
		need("address_street_2", ironString),
		need("address_city", ironText),
		need("address_state", ironString),
		need("address_zip_code", ironText),
		need("address_country", ironCountry),
	)
}

func ironIdentityV1() ironCheck {
	image := ironFile(maxIronFileV1)
	return ironObject(
		need("identity_country_code", ironDocumentCountry),
		need("identity_number", ironText),
		need("identity_document_type", ironOneOf("Passport", "NationalId")),
		need("identity_document_front", image),
		need("identity_document_back", image),
		need("selfie", image),
		need("selfie_collected_at", ironTime),
		need("ip_address", ironIP),
	)
}

// ironDocumentV1 has no limit of its own in the contract: it has that of the images.
func ironDocumentV1() ironCheck {
	return ironObject(need("name", ironText), need("file", ironFile(maxIronFileV1)), need("type", ironOneOf(ironDocumentTypesV1)))
}

func ironOutsourcedBusiness() ironCheck {
	return ironObject(slices.Concat(
		ironCompanyV1(),
		[]ironField{
			need("current_activities", ironObject(
				need("primary_business_activities", ironOneOf(ironActivities)),
				need("business_details", ironText),
				need("main_business_countries", ironText),
				need("source_of_funds", ironList(ironOneOf(ironBusinessFundsV1))),
				need("last_year_turnover", ironOneOf(ironTurnovers)),
				need("planned_turnover_this_year", ironOneOf(ironTurnovers)),
				may("regulated_or_supervised", ironString),
			)),
			need("planned_activities", ironObject(
				need("estimated_monthly_turnover", ironOneOf(ironTurnovers)),
				need("estimated_monthly_transactions", ironOneOf("LessThanTen TenToTwentyFive TwentyFiveToFifty FiftyToHundred MoreThanHundred")),
				need("source_and_destination_countries", ironText),
			)),
			need("business_officers", ironList(ironOfficer())),
			need("documents", ironList(ironDocumentV1())),
			need("related_companies", ironList(ironRelatedCompany())),
			need("ip_address", ironIP),
		})...).and(ironOfficers)
}

// ironCompanyV1 returns what identifies a company; a part of a country can be left empty where there are none.
func ironCompanyV1() []ironField {
	return []ironField{
		need("name", ironText),
		need("tax_identification_number", ironText),
		need("website", ironText),
		need("formation_date", ironDate),
		need("country_code", ironCountry),
		need("state_code", ironString),
		need("business_entity_id", ironText),
		need("addresses", ironList(ironAddressV1())),
		need("phone_numbers", ironList(ironText)),
		need("email_addresses", ironList(ironEmail)),
	}
}

func ironRelatedCompany() ironCheck {
	return ironObject(
		need("name", ironText),
		need("country_code", ironCountry),
		need("state_code", ironString),
		need("ownership_percent", ironCount(100)),
		need("shares_allocated", ironCount(1<<53)),
		need("tax_identification_number", ironText),
		need("website", ironText),
		need("related_company_details", ironObject(ironCompanyV1()...)),
	)
}

func ironOfficer() ironCheck {
	return ironObject(slices.Concat(
		needs("first_name last_name full_name", ironText),
		[]ironField{
			need("birth_date", ironDate),
			need("ownership_percent", ironCount(100)),
			need("shares_allocated", ironCount(1<<53)),
			need("roles", ironSome(ironOneOf("Director", "LegalRepresentative", "BeneficiaryOwner"))),
			need("email", ironEmail),
			need("identity", ironIdentityV1()),
			need("address", ironAddressV1()),
			need("phone_number", ironPhone),
			need("pep_relationships", ironList(ironString)),
			need("initiator", ironBool),
			need("consent_given", ironBool),
			may("consent_collected_at", ironTime),
		})...)
}

// ironOfficers checks what holds of all officers together.
func ironOfficers(_ string, v jsontext.Value) string {
	var in struct {
		Officers []struct {
			Roles     []string `json:"roles"`
			Initiator bool     `json:"initiator"`
		} `json:"business_officers"`
	}
	if json.Unmarshal(v, &in) != nil {
		return ironNoObject
	}
	initiators, both := 0, false
	for _, officer := range in.Officers {
		if officer.Initiator {
			initiators++
		}
		both = both || slices.Contains(officer.Roles, "Director") && slices.Contains(officer.Roles, "BeneficiaryOwner")
	}
	switch {
	case initiators != 1:
		return "business_officers have not exactly one initiator"
	case !both:
		return "business_officers have none who is both Director and BeneficiaryOwner"
	}
	return ""
}

func ironReliancePerson() ironCheck {
	medium := []ironField{
		need("employment_status", ironEmployment()),
		need("monthly_income", ironMonthlyIncome()),
		need("expected_monthly_volume", ironPersonVolume()),
		need("source_of_funds", ironPersonFunds()),
	}
	return ironObject(
		need("token", ironText),
		may("ip_address", ironIP),
		may("medium_risk_questionnaire", ironObject(medium...)),
		may("high_risk_questionnaire", ironObject(append(slices.Clone(medium), need("source_of_funds_proof", ironFile(maxIronFileV1)))...)),
	)
}

func ironEmployment() ironCheck {
	return ironOneOf("Employed", "SelfEmployed", "Unemployed", "Retired", "Student")
}

func ironMonthlyIncome() ironCheck {
	return ironOneOf("Between1000And2000", "Between2000And3000", "Between3000And5000", "Between5000And10000", "Over10000")
}

func ironPersonVolume() ironCheck {
	return ironOneOf("LessThan1000", "Between1000And5000", "Between5000And10000", "Between10000And20000", "Over20000")
}

// ironPersonFunds takes one source or a list of them, which the contract leaves open.
func ironPersonFunds() ironCheck {
	source := ironOneOf(ironPersonFundsV1)
	return func(at string, v jsontext.Value) string {
		if v.Kind() == jsontext.KindBeginArray {
			return ironSome(source)(at, v)
		}
		return source(at, v)
	}
}

// Values of iron §4 and §13. One of ironPersonFundsV1 is there twice: as the contract misspells it, and right.
const (
	ironDocumentTypesV1 = "BusinessRegistrationDocument MemorandumOfAssociation ShareholdersRegistry Other ProofOfAddress"
	ironTurnovers       = `LessThanTenK TenKToTwentyFiveK TwentyFiveKToFiftyK FiftyKToHundredK HundredKToTwoFiftyK TwoFiftyKToFiveHundredK
		FiveHundredKToOneMillion OneMillionToFiveMillion MoreThanFiveMillion`
	ironBusinessFundsV1 = `RevenueFromBusinessOperations ShareholderContributions VentureCapitalOrPrivateEquityInvestments SaleOfAssets
		InitialCoinOfferingProceeds ProceedsFromCryptoCurrenciesRelatedActivities Loans`
	ironPersonFundsV1 = `SalaryAndWages PersonalSavings PensionOrRetirementPayments ProceedsFromSellingAssets
		CryptocurrenyTradingOrInvestment CryptocurrencyTradingOrInvestment InvestmentReturns GamblingOrLotteryWinnings
		GiftOrInheritanceReceived LoanFromBankOrOtherFinancialInstitution`
	ironOccupationsV1 = `FinanceAndAccounting EducationAndTeaching TechnologyAndIT DesignAndCreativeArts ConstructionAndBuilding
		TransportationAndLogistics ManufacturingAndProduction ScienceAndResearch LegalAndLawServices PsychologyAndMentalHealth
		EntertainmentAndMedia MaintenanceAndRepair PublicServices GeneralManagementAndOperations Other`
	ironActivities = `AgricultureAndForestry Automotive BankingAndFinancialServices ConstructionAndRealEstate
		CryptocurrencyAndBlockchain CryptocurrencyMining DefiProtocols NftPlatforms CryptoPaymentProcessors CryptoWalletProviders
		CryptoExchanges CryptoCustodyServices EcommerceAndOnlineMarketplaces EducationAndTraining EnergyAndUtilities
		EntertainmentAndMedia GamingAndEsports HealthcareAndPharmaceuticals HospitalityAndTourism
		InformationTechnologyAndSoftwareDevelopment Insurance LegalAndProfessionalServices LogisticsAndTransportation
		ManufacturingAndIndustrial MetaversePlatforms MiningAndNaturalResources NonProfitAndCharitableOrganizations
		RetailAndWholesaleTrade Telecommunications VentureCapitalAndPrivateEquity CasinosAndGambling MoneyServiceBusinesses
		SocialMediaAndNetworkingPlatforms CrowdfundingPlatforms RegTech`
)
