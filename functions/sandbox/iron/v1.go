package iron

import (
	"bytes"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// submitted is what a request to identify a customer comes to.
type submitted struct {
	wants      []string // steps whose input is awaited; none: all of it came
	withEDD    *bool
	country    string // of residence
	outsourced bool   // it needs an agreement
}

// Limits of a file, decoded, in the two generations (§4, §5).
const (
	maxFileV1 = 5 << 20
	maxFileV2 = 10 << 20
)

const wrongType = "type is not one of "

// unfit is what is wrong with a type that is for customers of the other type.
func unfit(customer customerType) string {
	return "type does not suit a customer of the type " + string(customer)
}

// readV1 reads a body of §4 and says what is wrong with it. The values of type other than Direct are not
// published: they are chosen.
func readV1(x *call, customer customerType) (submission submitted, wrong string) {
	const types = "Direct, OutsourcedPerson, OutsourcedBusiness, ReliancePerson"
	lenient := x.Setting("v1_leniency") == "on"
	direct := submitted{wants: stepsOf(customer)}
	body := jsontext.Value(bytes.TrimSpace(x.Body))
	if lenient && (len(body) == 0 || string(body) == "null") {
		return direct, ""
	}
	if wrong := object(need("type", text))("", body); wrong != "" && (x.IsStrict() || len(membersOf(body)) == 0) {
		return submitted{}, wrong
	}
	kind := memberOf(body, "type")
	if kind != "Direct" && !x.IsStrict() { // what else there is, no page tells
		country := memberOf(membersOf(body)["address"], "address_country") + memberOf(body, "country_code")
		return submitted{country: country[:min(len(country), 2)], outsourced: !strings.HasPrefix(kind, "Reliance")}, ""
	}
	if full := map[string]string{
		"Person": "OutsourcedPerson", "Business": "OutsourcedBusiness", "Reliance": "ReliancePerson",
	}[kind]; lenient && full != "" {
		kind = full
	}
	of, check, country := customer, valueCheck(nil), ""
	switch kind {
	case "Direct":
		return direct, ""
	case "OutsourcedPerson":
		of, check, country = typePerson, outsourcedPerson(), memberOf(membersOf(body)["address"], "address_country")
	case "OutsourcedBusiness":
		of, check, country = typeBusiness, outsourcedBusiness(), memberOf(body, "country_code")
	case "ReliancePerson":
		of, check = typePerson, reliancePerson()
	default:
		return submitted{}, wrongType + types
	}
	if of != customer {
		return submitted{}, unfit(customer)
	}
	return submitted{country: country, outsourced: kind != "ReliancePerson"}, x.judged(check("", body))
}

func outsourcedPerson() valueCheck {
	return object(
		need("first_name last_name full_name", text),
		need("date_of_birth", date),
		need("address", addressV1()),
		need("email_address", email),
		need("phone_number", phone),
		need("sharing_consent", consent),
		need("consent_collected_at", dateTime),
		need("identity", identityV1()),
		may("documents", list(documentV1())),
		may("tax_identification_number", anyText),
		may("person_questions", object(
			need("pep_relationships", list(anyText)),
			may("employment_status", employment()),
			may("expected_monthly_transaction_volume", personVolume()),
			may("monthly_income", monthlyIncome()),
			may("occupation", oneOf(occupationsV1)),
			may("source_of_funds", personFunds()),
		)),
	)
}

// addressV1: every part must be there, though some addresses leave one empty.
func addressV1() valueCheck {
	return object(
		need("address_street_1", text),
		need("address_street_2", anyText),
		need("address_city", text),
		need("address_state", anyText),
		need("address_zip_code", text),
		need("address_country", country),
	)
}

func identityV1() valueCheck {
	image := file(maxFileV1)
	return object(
		need("identity_country_code", documentCountry),
		need("identity_number", text),
		need("identity_document_type", oneOf("Passport", "NationalId")),
		need("identity_document_front identity_document_back selfie", image),
		need("selfie_collected_at", dateTime),
		need("ip_address", ipAddress),
	)
}

// documentV1 has no limit of its own in the contract: it has that of the images.
func documentV1() valueCheck {
	return object(need("name", text), need("file", file(maxFileV1)), need("type", oneOf(documentTypesV1)))
}

func outsourcedBusiness() valueCheck {
	return object(
		companyV1(),
		need("current_activities", object(
			need("primary_business_activities", oneOf(activities)),
			need("business_details main_business_countries", text),
			need("source_of_funds", list(oneOf(businessFundsV1))),
			need("last_year_turnover planned_turnover_this_year", oneOf(turnovers)),
			may("regulated_or_supervised", anyText),
		)),
		need("planned_activities", object(
			need("estimated_monthly_turnover", oneOf(turnovers)),
			need("estimated_monthly_transactions",
				oneOf("LessThanTen TenToTwentyFive TwentyFiveToFifty FiftyToHundred MoreThanHundred")),
			need("source_and_destination_countries", text),
		)),
		need("business_officers", list(officer())),
		need("documents", list(documentV1())),
		need("related_companies", list(relatedCompany())),
		need("ip_address", ipAddress),
	).and(officers)
}

// companyV1 returns what identifies a company; a part of a country can be left empty where there are none.
func companyV1() []field {
	return slices.Concat(
		need("name tax_identification_number website", text),
		need("formation_date", date),
		need("country_code", country),
		need("state_code", anyText),
		need("business_entity_id", text),
		need("addresses", list(addressV1())),
		need("phone_numbers", list(text)),
		need("email_addresses", list(email)),
	)
}

func relatedCompany() valueCheck {
	return object(
		need("name", text),
		need("country_code", country),
		need("state_code", anyText),
		need("ownership_percent", count(100)),
		need("shares_allocated", count(1<<53)),
		need("tax_identification_number website", text),
		need("related_company_details", object(companyV1())),
	)
}

func officer() valueCheck {
	return object(
		need("first_name last_name full_name", text),
		need("birth_date", date),
		need("ownership_percent", count(100)),
		need("shares_allocated", count(1<<53)),
		need("roles", nonEmpty(oneOf("Director", "LegalRepresentative", "BeneficiaryOwner"))),
		need("email", email),
		need("identity", identityV1()),
		need("address", addressV1()),
		need("phone_number", phone),
		need("pep_relationships", list(anyText)),
		need("initiator consent_given", boolean),
		may("consent_collected_at", dateTime),
	)
}

// officers checks what holds of all officers together.
func officers(_ string, v jsontext.Value) string {
	var in struct {
		Officers []struct {
			Roles     []string `json:"roles"`
			Initiator bool     `json:"initiator"`
		} `json:"business_officers"`
	}
	if json.Unmarshal(v, &in) != nil {
		return noObject
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

func reliancePerson() valueCheck {
	medium := slices.Concat(
		need("employment_status", employment()),
		need("monthly_income", monthlyIncome()),
		need("expected_monthly_volume", personVolume()),
		need("source_of_funds", personFunds()),
	)
	return object(
		need("token", text),
		may("ip_address", ipAddress),
		may("medium_risk_questionnaire", object(medium)),
		may("high_risk_questionnaire", object(medium, need("source_of_funds_proof", file(maxFileV1)))),
	)
}

func employment() valueCheck {
	return oneOf("Employed", "SelfEmployed", "Unemployed", "Retired", "Student")
}

func monthlyIncome() valueCheck {
	return oneOf("Between1000And2000", "Between2000And3000", "Between3000And5000", "Between5000And10000", "Over10000")
}

func personVolume() valueCheck {
	return oneOf("LessThan1000", "Between1000And5000", "Between5000And10000", "Between10000And20000", "Over20000")
}

// personFunds takes one source or a list of them, which the contract leaves open.
func personFunds() valueCheck {
	source := oneOf(personFundsV1)
	return func(at string, v jsontext.Value) string {
		if v.Kind() == jsontext.KindBeginArray {
			return nonEmpty(source)(at, v)
		}
		return source(at, v)
	}
}

// Values of §4 and §5.3. One of personFundsV1 is there twice: as the contract misspells it, and right.
const (
	documentTypesV1 = "BusinessRegistrationDocument MemorandumOfAssociation ShareholdersRegistry Other ProofOfAddress"
	turnovers       = `LessThanTenK TenKToTwentyFiveK TwentyFiveKToFiftyK FiftyKToHundredK HundredKToTwoFiftyK
		TwoFiftyKToFiveHundredK FiveHundredKToOneMillion OneMillionToFiveMillion MoreThanFiveMillion`
	businessFundsV1 = `RevenueFromBusinessOperations ShareholderContributions
		VentureCapitalOrPrivateEquityInvestments SaleOfAssets InitialCoinOfferingProceeds
		ProceedsFromCryptoCurrenciesRelatedActivities Loans`
	personFundsV1 = `SalaryAndWages PersonalSavings PensionOrRetirementPayments ProceedsFromSellingAssets
		CryptocurrenyTradingOrInvestment CryptocurrencyTradingOrInvestment InvestmentReturns GamblingOrLotteryWinnings
		GiftOrInheritanceReceived LoanFromBankOrOtherFinancialInstitution`
	occupationsV1 = `FinanceAndAccounting EducationAndTeaching TechnologyAndIT DesignAndCreativeArts
		ConstructionAndBuilding TransportationAndLogistics ManufacturingAndProduction ScienceAndResearch
		LegalAndLawServices PsychologyAndMentalHealth EntertainmentAndMedia MaintenanceAndRepair PublicServices
		GeneralManagementAndOperations Other`
	activities = `AgricultureAndForestry Automotive BankingAndFinancialServices ConstructionAndRealEstate
		CryptocurrencyAndBlockchain CryptocurrencyMining DefiProtocols NftPlatforms CryptoPaymentProcessors
		CryptoWalletProviders CryptoExchanges CryptoCustodyServices EcommerceAndOnlineMarketplaces
		EducationAndTraining EnergyAndUtilities EntertainmentAndMedia GamingAndEsports HealthcareAndPharmaceuticals
		HospitalityAndTourism InformationTechnologyAndSoftwareDevelopment Insurance LegalAndProfessionalServices
		LogisticsAndTransportation ManufacturingAndIndustrial MetaversePlatforms MiningAndNaturalResources
		NonProfitAndCharitableOrganizations RetailAndWholesaleTrade Telecommunications VentureCapitalAndPrivateEquity
		CasinosAndGambling MoneyServiceBusinesses SocialMediaAndNetworkingPlatforms CrowdfundingPlatforms RegTech`
)
