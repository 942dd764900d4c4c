package iron

import (
	"bytes"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"sallyport/functions/sandbox"
)

// readV2 reads a body of §5 and says what is wrong with it. A body that is valid but not complete is not wrong:
// what it lacks is awaited.
func readV2(x *call, customer customerType) (submission submitted, wrong string) {
	body := jsontext.Value(bytes.TrimSpace(x.Body))
	if wrong := object(need("type", text))("", body); wrong != "" {
		return submitted{}, wrong
	}
	of, check := customer, valueCheck(nil)
	switch memberOf(body, "type") {
	case "Link":
		check = object(may("with_edd", boolean))
		submission.wants = stepsOf(customer)
		if edd := memberOf(body, "with_edd"); edd != "" {
			submission.withEDD = new(edd == "true")
		}
	case "Token":
		of, check = typePerson, tokenV2()
		if memberOf(body, "kyc_questionnaire") == "" {
			submission.wants = []string{stepQuestionnaire}
		}
	case "Person":
		of, check = typePerson, personV2()
		submission.country = memberOf(membersOf(body)["address"], "country")
	case "Business":
		of, check = typeBusiness, businessV2(x.Now)
		company := membersOf(body)["company_data"]
		submission.country = memberOf(membersOf(company)["company_info"], "country")
		if nonEmpty(object())("", membersOf(company)["documents"]) != "" {
			submission.wants = []string{stepDocuments}
		}
	default:
		return submitted{}, wrongType + "Link, Token, Person, Business"
	}
	if of != customer {
		return submitted{}, unfit(customer)
	}
	return submission, x.judged(check("", body))
}

func tokenV2() valueCheck {
	return object(
		need("token", text),
		need("intended_use", intendedUse()),
		may("ip_address", ipAddress),
		may("kyc_questionnaire", kycQuestionnaire()),
		may("edd_questionnaire", eddQuestionnaire()),
	)
}

func personV2() valueCheck {
	return object(
		need("first_name last_name full_name", text),
		need("date_of_birth", date),
		need("email_address", email),
		need("phone_number", e164),
		need("sharing_consent", consent),
		need("consent_collected_at", dateTime),
		need("intended_use", intendedUse()),
		need("address", addressV2()),
		need("identity", identityV2()),
		need("kyc_questionnaire", kycQuestionnaire()),
		may("documents", list(personDocument())),
		may("edd_questionnaire", eddQuestionnaire()),
		may("tax_identification_number", anyText),
	)
}

// personDocument takes what either generation calls a document: the contract does not say which a person's are.
func personDocument() valueCheck {
	return object(
		need("type", oneOf(documentTypesV1, documentTypesV2)),
		need("file", file(maxFileV2)),
		may("name", anyText),
		may("country", country),
	)
}

func addressV2() valueCheck {
	return object(
		need("street_1 city", text),
		need("zip_code", guess(text, anyText)),
		need("country", country),
		may("street_2 state", anyText),
	)
}

// place takes an address in either form: the contract does not say which those of a company have.
func place() valueCheck {
	return func(at string, v jsontext.Value) string {
		if v.Kind() == jsontext.KindString {
			return text(at, v)
		}
		return addressV2()(at, v)
	}
}

func identityV2() valueCheck {
	image := file(maxFileV2)
	return object(
		need("identity_country_code", documentCountry),
		need("identity_document_type", identityDocument()),
		need("identity_document_front selfie", image),
		need("selfie_collected_at", dateTime),
		need("ip_address", ipAddress),
		need("nationality", country),
		may("identity_document_back", image),
		may("identity_number", anyText),
	)
}

func identityDocument() valueCheck {
	return oneOf("Passport", "NationalId", "DriverLicense", "ResidencePermit")
}

func intendedUse() valueCheck {
	return oneOf("Investing PaymentToFriendsFamilyorOthers PurchaseDigitalAssets OnlinePurchasesOfGoodsOrServices Trading")
}

func kycQuestionnaire() valueCheck {
	return object(
		need("employment_status", employment()),
		need("yearly_gross_income", oneOf(yearlyIncomes)),
		need("source_of_wealth", oneOf("Salary", "Savings", "Investments", "CryptoTrading", "Other")),
		need("expected_monthly_transaction_count", oneOf("LessThan5", "Between5And10", "MoreThan10")),
		need("expected_monthly_transaction_volume", oneOf("LessThan500", "MoreThan500LessThan2000", "MoreThan2000")),
	)
}

func eddQuestionnaire() valueCheck {
	return object(
		need("occupation", oneOf(occupationsV2)),
		need("approximate_net_worth", oneOf(`UpTo25000 Between25001And50000 Between50001And100000 Between100001And300000
			Between300001And500000 Between500001And1000000 Over1000001`)),
		need("source_of_funds_proof", file(maxFileV2)),
	)
}

func businessV2(now time.Time) valueCheck {
	return object(
		need("company_data", companyV2(now, 1)),
		need("phone", text),
		need("ip_address", ipAddress),
		need("questionnaire", questions),
	).and(soleProps)
}

const soleProprietorship = "SoleProprietorship"

// soleProps: the questionnaire is that of the type of the company.
func soleProps(_ string, v jsontext.Value) string {
	info := membersOf(membersOf(v)["company_data"])["company_info"]
	sole := memberOf(info, "company_type") == soleProprietorship
	if sole != (memberOf(membersOf(v)["questionnaire"], "type") == "SoleProp") {
		return "questionnaire.type does not suit the company_type"
	}
	return ""
}

// maxLevels is how many levels of ownership there may be (§5).
const maxLevels = 2

// companyV2 checks a company at a level; the root is at the first.
func companyV2(now time.Time, level int) valueCheck {
	return object(
		need("company_info", object(
			need("company_name registration_number", text),
			need("country", country), need("incorporation_date", guess(date, text)),
			need("legal_address postal_address address", place()),
			need("email", email),
			need("tax_identification_number website", text),
			need("company_type", oneOf(companyTypes)),
			may("alternative_names", either(list(anyText), anyText)),
		)),
		need("beneficiaries", list(beneficiary(now, level))),
		need("documents", list(documentV2())),
	).and(companyRules)
}

func documentV2() valueCheck {
	return object(need("type", oneOf(documentTypesV2)), need("country", country), need("file", file(maxFileV2)))
}

// Roles of a beneficiary.
const (
	roleOwner          = "UltimateBeneficialOwner"
	roleRepresentative = "Representative"
	roleDirector       = "Director"
	roleShareholder    = "Shareholder"
)

// companyRules checks what holds of a company as a whole: its documents, its directors, its owners.
func companyRules(at string, v jsontext.Value) string {
	var in struct {
		Info struct {
			Type string `json:"company_type"`
		} `json:"company_info"`
		Beneficiaries []struct {
			Roles []string `json:"roles"`
			Share string   `json:"share_percentage"`
			Info  struct {
				Tax     string         `json:"tax_identification_number"`
				Company jsontext.Value `json:"company_data"`
			} `json:"beneficiary_info"`
		} `json:"beneficiaries"`
		Documents []struct{} `json:"documents"`
	}
	if json.Unmarshal(v, &in) != nil {
		return at + " is not an object"
	}
	if len(in.Documents) > 4 {
		return at + ".documents are more than 4"
	}
	director, owned := false, new(big.Rat)
	for n, b := range in.Beneficiaries {
		director = director || slices.Contains(b.Roles, roleDirector)
		if !slices.Contains(b.Roles, roleOwner) {
			continue
		}
		if share, ok := new(big.Rat).SetString(b.Share); ok {
			owned.Add(owned, share)
		}
		if in.Info.Type == soleProprietorship && b.Info.Company == nil && strings.TrimSpace(b.Info.Tax) == "" {
			return fmt.Sprintf("%s.beneficiaries[%d].beneficiary_info.tax_identification_number is required", at, n)
		}
	}
	switch {
	case !director:
		return at + ".beneficiaries have no Director"
	case owned.Cmp(big.NewRat(100, 1)) > 0:
		return at + ".beneficiaries own more than 100 percent"
	}
	return ""
}

// beneficiary checks a beneficiary of a company at a level: a person, or a company at the next.
func beneficiary(now time.Time, level int) valueCheck {
	return object(
		need("roles", nonEmpty(oneOf(roleOwner, roleRepresentative, roleDirector, roleShareholder))),
		need("beneficiary_info", object()),
		may("share_percentage", share),
		may("attesting_party", boolean),
		may("attested_at", dateTime),
	).and(func(at string, v jsontext.Value) string {
		var in struct {
			Roles      []string       `json:"roles"`
			Info       jsontext.Value `json:"beneficiary_info"`
			Attesting  bool           `json:"attesting_party"`
			AttestedAt time.Time      `json:"attested_at"`
		}
		if json.Unmarshal(v, &in) != nil {
			return at + " is not an object"
		}
		company := len(membersOf(in.Info)["company_data"]) > 0
		if in.Attesting {
			switch {
			case company, level > 1, !slices.Contains(in.Roles, roleDirector):
				return at + ".attesting_party is not a Director of the company itself"
			case in.AttestedAt.IsZero():
				return at + ".attested_at is required"
			case in.AttestedAt.After(now):
				return at + ".attested_at is not in the past"
			}
		}
		switch at := at + ".beneficiary_info"; {
		case !company:
			acts := slices.Contains(in.Roles, roleDirector) || slices.Contains(in.Roles, roleRepresentative)
			return beneficiaryPerson(acts)(at, in.Info)
		case level >= maxLevels:
			return at + " is a further level of ownership"
		default:
			return object(need("company_data", companyV2(now, level+1)))(at, in.Info)
		}
	})
}

// share takes a percentage as a decimal text.
func share(at string, v jsontext.Value) string {
	return formatted("a percentage as a decimal text", func(s string) bool {
		whole, fraction, point := strings.Cut(s, ".")
		if whole == "" || point && fraction == "" || len(s) > 40 || !sandbox.IsMadeOf(whole+fraction, '0', '9') {
			return false
		}
		share, ok := new(big.Rat).SetString(s)
		return ok && share.Cmp(big.NewRat(100, 1)) <= 0
	})(at, v)
}

// beneficiaryPerson checks a person; of one who acts for the company a selfie is asked.
func beneficiaryPerson(acts bool) valueCheck {
	image := file(maxFileV2)
	return object(
		need("first_name last_name", text),
		need("date_of_birth", date),
		need("address", addressV2()),
		need("email_address", email),
		need("phone_number", phone),
		need("tax_jurisdiction_country_code", country),
		need("birth_place", object(need("place", text), need("state", anyText), need("country", country))),
		need("identity", object(
			need("identity_country_code", documentCountry),
			need("identity_document_type", identityDocument()),
			need("identity_document_front", image),
			need("nationality", country),
			fieldsOf("selfie", acts, image),
			fieldsOf("selfie_collected_at", acts, dateTime),
			may("identity_document_back", image),
			may("identity_number", anyText),
		)),
		may("middle_name tax_identification_number", anyText),
		may("proof_of_address", image),
	)
}

// questions checks the questionnaire of a business, by its type.
func questions(at string, v jsontext.Value) string {
	wrong := object(need("type", oneOf("Generic", "SoleProp")))(at, v)
	if wrong != "" {
		return wrong
	}
	planned := slices.Concat(
		need("purpose_and_intended_use", oneOf(purposes)),
		need("estimated_monthly_volume", oneOf(volumesV2)),
		need("estimated_monthly_transactions",
			oneOf("LessThanTen TenToTwentyFive TwentyFiveToFifty FiftyToOneHundred MoreThanOneHundred")),
	)
	funds := need("source_of_funds", oneOf(businessFundsV2))
	details := slices.Concat(
		need("industry_type", oneOf(industries)),
		need("business_model_description", text),
		need("main_business_countries", nonEmpty(country)),
		need("estimated_annual_revenue", oneOf("Under100K From100KTo1M From1MTo10M From10MTo50M From50MTo250M Over250M")),
	)
	if memberOf(v, "type") == "Generic" {
		const sends = "sends_funds_on_customer_behalf"
		planned = append(planned, need(sends, boolean)...)
		if memberOf(membersOf(v)["planned_activities"], sends) == "true" {
			planned = slices.Concat(planned, need(sends+"_description", text),
				need("flow_of_funds_diagram source_of_funds_document", file(maxFileV2)))
		}
		funds = append(funds, need("source_of_funds_description customer_funds_handling_details", text)...)
		details = append(details, need("has_licenses_or_registrations requires_aml_program", boolean)...)
	}
	return object(
		need("planned_activities", object(planned)),
		need("source_of_funds", object(funds)),
		need("business_details", object(details)),
	)(at, v)
}

// Values of §5.3.
const (
	occupationsV2 = `Agriculture ArtsAndEntertainment Construction Education FinancialServices
		InformationAndTechnology Retail RealEstate Other BusinessOwner Healthcare Industrial LegalServices
		PublicSector SeniorManagement`
	yearlyIncomes = `LessThan20000 From20001To30000 From30001To40000 From40001To50000 From50001To60000 From60001To70000
		From70001To80000 From80001To90000 From90001To100000 From100001To110000 From110001To120000 From120001To130000
		From130001To140000 From140001To150000 MoreThan150000 From150001To200000 From200001To500000 MoreThan500000`
	companyTypes = `LimitedLiabilityCompany PubliclyListedCompany SoleProprietorship Partnership Corporation Trust
		PrivateFoundation Charity NonprofitCorporation NonprofitOrganization PublicAgenciesOrAuthorities
		StockCorporationOutOfStock GeneralCorporation`
	documentTypesV2 = `PowerOfAttorney TransparencyRegistryExtract DirectorsRegistry GoodStandingCert IncorporationArticles
		IncorporationCert IncumbencyCert InformationStatement PartnershipAgreement ProofOfAddress ProofOfNatureOfBusiness
		RegulatoryLicense SelfDeclarationForm ShareholderRegistry StateRegistry TradeLicense TrustAgreement Other`
	purposes = `ReceivingBusinessIncome BusinessPurchasesAndExpenses EmployeeAndContractorPayouts EcommerceSales
		TreasuryManagement PaymentIntermediary Investments TaxPlanning AssetProtection Other`
	volumesV2 = `TenToTwentyFiveThousand TwentyFiveToFiftyThousand FiftyToOneHundredThousand
		OneHundredToTwoHundredFiftyThousand TwoHundredFiftyToFiveHundredThousand MoreThanFiveHundredThousand`
	businessFundsV2 = `BusinessRevenue ShareholderFunds VcPrivateEquity AssetSale IcoProceeds CryptoActivityProceeds
		LoanProceeds Other`
	industries = `Agriculture Automotive BankingAndFinancialServices ConstructionAndRealEstate CryptocurrencyAndBlockchain
		CryptocurrencyMining DecentralisedFinance NftPlatforms CryptoPaymentProcessors CryptoWalletProviders CryptoExchanges
		CryptoCustodyServices EcommerceAndOnlineMarketplaces EducationAndTraining EnergyAndUtilities EntertainmentAndMedia
		GamingAndEsports HealthcareAndPharmaceuticals HospitalityAndTourism InformationTechnologyAndSoftware Insurance
		LegalAndProfessionalServices LogisticsAndTransportation ManufacturingAndIndustrial MetaversePlatforms
		MiningAndNaturalResources NonProfitAndCharitable RetailAndWholesaleTrade Telecommunications
		VentureCapitalAndPrivateEquity CasinosAndGambling MoneyServiceBusinesses SocialMediaAndNetworking
		CrowdfundingPlatforms RegTech Other`
)
