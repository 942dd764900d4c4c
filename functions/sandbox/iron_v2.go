package sandbox

import (
	"bytes"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// readIronV2 reads a body of iron §5 and says what is wrong with it. A body that is valid but not complete is not wrong: what it
// lacks is awaited.
func readIronV2(x *ironCall, customer ironCustomerType) (submission ironSubmission, wrong string, err error) {
	body := jsontext.Value(bytes.TrimSpace(x.body))
	if wrong := ironObject(need("type", ironText))("", body); wrong != "" {
		return ironSubmission{}, wrong, nil
	}
	of, check := customer, ironCheck(nil)
	switch ironMember(body, "type") {
	case "Link":
		check = ironObject(may("with_edd", ironBool))
		submission.wants = ironSteps(customer)
		if edd := ironMember(body, "with_edd"); edd != "" {
			submission.withEDD = new(edd == "true")
		}
	case "Token":
		of, check = ironPerson, ironTokenV2()
		if ironMember(body, "kyc_questionnaire") == "" {
			submission.wants = []string{ironQuestionnaire}
		}
	case "Person":
		of, check = ironPerson, ironPersonV2()
		submission.country = ironMember(ironMembers(body)["address"], "country")
	case "Business":
		of, check = ironBusiness, ironBusinessV2(x.now)
		company := ironMembers(body)["company_data"]
		submission.country = ironMember(ironMembers(company)["company_info"], "country")
		if ironSome(ironObject())("", ironMembers(company)["documents"]) != "" {
			submission.wants = []string{ironDocuments}
		}
	default:
		return ironSubmission{}, ironWrongType + "Link, Token, Person, Business", nil
	}
	if of != customer {
		return ironSubmission{}, ironUnfit(customer), nil
	}
	return submission, check("", body), nil
}

func ironTokenV2() ironCheck {
	return ironObject(
		need("token", ironText),
		need("intended_use", ironIntendedUse()),
		may("ip_address", ironIP),
		may("kyc_questionnaire", ironKYCQuestionnaire()),
		may("edd_questionnaire", ironEDDQuestionnaire()),
	)
}

func ironPersonV2() ironCheck {
	return ironObject(slices.Concat(
		needs("first_name last_name full_name", ironText),
		[]ironField{
			need("date_of_birth", ironDate),
			need("email_address", ironEmail),
			need("phone_number", ironE164),
			need("sharing_consent", ironConsent),
			need("consent_collected_at", ironTime),
			need("intended_use", ironIntendedUse()),
			need("address", ironAddressV2()),
			need("identity", ironIdentityV2()),
			need("kyc_questionnaire", ironKYCQuestionnaire()),
			may("documents", ironList(ironPersonDocument())),
			may("edd_questionnaire", ironEDDQuestionnaire()),
			may("tax_identification_number", ironString),
		})...)
}

// ironPersonDocument takes what either generation calls a document: the contract does not say which a person's are.
func ironPersonDocument() ironCheck {
	return ironObject(
		need("type", ironOneOf(ironDocumentTypesV1, ironDocumentTypesV2)),
		need("file", ironFile(maxIronFileV2)),
		may("name", ironString),
		may("country", ironCountry),
	)
}

func ironAddressV2() ironCheck {
	return ironObject(
		need("street_1", ironText),
		need("city", ironText),
		need("zip_code", ironText),
		need("country", ironCountry),
		may("street_2", ironString),
		may("state", ironString),
	)
}

// ironPlace takes an address in either form: the contract does not say which those of a company have.
func ironPlace() ironCheck {
	return func(at string, v jsontext.Value) string {
		if v.Kind() == jsontext.KindString {
			return ironText(at, v)
		}
		return ironAddressV2()(at, v)
	}
}

func ironIdentityV2() ironCheck {
	image := ironFile(maxIronFileV2)
	return ironObject(
		need("identity_country_code", ironDocumentCountry),
		need("identity_document_type", ironIdentityDocument()),
		need("identity_document_front", image),
		need("selfie", image),
		need("selfie_collected_at", ironTime),
		need("ip_address", ironIP),
		need("nationality", ironCountry),
		may("identity_document_back", image),
		may("identity_number", ironString),
	)
}

func ironIdentityDocument() ironCheck {
	return ironOneOf("Passport", "NationalId", "DriverLicense", "ResidencePermit")
}

func ironIntendedUse() ironCheck {
	return ironOneOf("Investing PaymentToFriendsFamilyorOthers PurchaseDigitalAssets OnlinePurchasesOfGoodsOrServices Trading")
}

func ironKYCQuestionnaire() ironCheck {
	return ironObject(
		need("employment_status", ironEmployment()),
		need("yearly_gross_income", ironOneOf(ironYearlyIncomes)),
		need("source_of_wealth", ironOneOf("Salary", "Savings", "Investments", "CryptoTrading", "Other")),
		need("expected_monthly_transaction_count", ironOneOf("LessThan5", "Between5And10", "MoreThan10")),
		need("expected_monthly_transaction_volume", ironOneOf("LessThan500", "MoreThan500LessThan2000", "MoreThan2000")),
	)
}

func ironEDDQuestionnaire() ironCheck {
	return ironObject(
		need("occupation", ironOneOf(ironOccupationsV2)),
		need("approximate_net_worth", ironOneOf(`UpTo25000 Between25001And50000 Between50001And100000 Between100001And300000
			Between300001And500000 Between500001And1000000 Over1000001`)),
		need("source_of_funds_proof", ironFile(maxIronFileV2)),
	)
}

func ironBusinessV2(now time.Time) ironCheck {
	return ironObject(
		need("company_data", ironCompanyV2(now, 1)),
		need("phone", ironText),
		need("ip_address", ironIP),
		need("questionnaire", ironQuestions),
	).and(ironSoleProps)
}

const ironSoleProprietorship = "SoleProprietorship"

// ironSoleProps: the questionnaire is that of the type of the company.
func ironSoleProps(_ string, v jsontext.Value) string {
	info := ironMembers(ironMembers(v)["company_data"])["company_info"]
	sole := ironMember(info, "company_type") == ironSoleProprietorship
	if sole != (ironMember(ironMembers(v)["questionnaire"], "type") == "SoleProp") {
		return "questionnaire.type does not suit the company_type"
	}
	return ""
}

// maxIronLevels is how many levels of ownership there may be (iron §5).
const maxIronLevels = 2

// ironCompanyV2 checks a company at a level; the root is at the first.
func ironCompanyV2(now time.Time, level int) ironCheck {
	return ironObject(
		need("company_info", ironObject(slices.Concat(
			needs("company_name registration_number", ironText),
			[]ironField{need("country", ironCountry), need("incorporation_date", ironDate)},
			needs("legal_address postal_address address", ironPlace()),
			[]ironField{
				need("email", ironEmail),
				need("tax_identification_number", ironText),
				need("website", ironText),
				need("company_type", ironOneOf(ironCompanyTypes)),
				may("alternative_names", ironEither(ironList(ironString), ironString)),
			})...)),
		need("beneficiaries", ironList(ironBeneficiary(now, level))),
		need("documents", ironList(ironDocumentV2())),
	).and(ironCompanyRules)
}

func ironDocumentV2() ironCheck {
	return ironObject(need("type", ironOneOf(ironDocumentTypesV2)), need("country", ironCountry), need("file", ironFile(maxIronFileV2)))
}

// Roles of a beneficiary.
const (
	ironOwner          = "UltimateBeneficialOwner"
	ironRepresentative = "Representative"
	ironDirector       = "Director"
	ironShareholder    = "Shareholder"
)

// ironCompanyRules checks what holds of a company as a whole: its documents, its directors, its owners.
func ironCompanyRules(at string, v jsontext.Value) string {
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
		director = director || slices.Contains(b.Roles, ironDirector)
		if !slices.Contains(b.Roles, ironOwner) {
			continue
		}
		if share, ok := new(big.Rat).SetString(b.Share); ok {
			owned.Add(owned, share)
		}
		if in.Info.Type == ironSoleProprietorship && b.Info.Company == nil && strings.TrimSpace(b.Info.Tax) == "" {
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

// ironBeneficiary checks a beneficiary of a company at a level: a person, or a company at the next.
func ironBeneficiary(now time.Time, level int) ironCheck {
	return ironObject(
		need("roles", ironSome(ironOneOf(ironOwner, ironRepresentative, ironDirector, ironShareholder))),
		need("beneficiary_info", ironObject()),
		may("share_percentage", ironShare),
		may("attesting_party", ironBool),
		may("attested_at", ironTime),
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
		company := len(ironMembers(in.Info)["company_data"]) > 0
		if in.Attesting {
			switch {
			case company, level > 1, !slices.Contains(in.Roles, ironDirector):
				return at + ".attesting_party is not a Director of the company itself"
			case in.AttestedAt.IsZero():
				return at + ".attested_at is required"
			case in.AttestedAt.After(now):
				return at + ".attested_at is not in the past"
			}
		}
		switch at := at + ".beneficiary_info"; {
		case !company:
			acts := slices.Contains(in.Roles, ironDirector) || slices.Contains(in.Roles, ironRepresentative)
			return ironBeneficiaryPerson(acts)(at, in.Info)
		case level >= maxIronLevels:
			return at + " is a further level of ownership"
		default:
			return ironObject(need("company_data", ironCompanyV2(now, level+1)))(at, in.Info)
		}
	})
}

// ironShare takes a percentage as a decimal text.
func ironShare(at string, v jsontext.Value) string {
	return ironForm("a percentage as a decimal text", func(s string) bool {
		whole, fraction, point := strings.Cut(s, ".")
		if whole == "" || point && fraction == "" || len(s) > 40 || !isMadeOf(whole+fraction, '0', '9') {
			return false
		}
		share, ok := new(big.Rat).SetString(s)
		return ok && share.Cmp(big.NewRat(100, 1)) <= 0
	})(at, v)
}

// ironBeneficiaryPerson checks a person; of one who acts for the company a selfie is asked.
func ironBeneficiaryPerson(acts bool) ironCheck {
	image := ironFile(maxIronFileV2)
	identity := []ironField{
		need("identity_country_code", ironDocumentCountry),
		need("identity_document_type", ironIdentityDocument()),
		need("identity_document_front", image),
		need("nationality", ironCountry),
		{"selfie", acts, image},
		{"selfie_collected_at", acts, ironTime},
		may("identity_document_back", image),
		may("identity_number", ironString),
	}
	return ironObject(slices.Concat(
		needs("first_name last_name", ironText),
		[]ironField{
			need("date_of_birth", ironDate),
			need("address", ironAddressV2()),
			need("email_address", ironEmail),
			need("phone_number", ironPhone),
			need("tax_jurisdiction_country_code", ironCountry),
			need("birth_place", ironObject(need("place", ironText), need("state", ironString), need("country", ironCountry))),
			need("identity", ironObject(identity...)),
		},
		mays("middle_name tax_identification_number", ironString),
		[]ironField{may("proof_of_address", image)})...)
}

// ironQuestions checks the questionnaire of a business, by its type.
func ironQuestions(at string, v jsontext.Value) string {
	wrong := ironObject(need("type", ironOneOf("Generic", "SoleProp")))(at, v)
	if wrong != "" {
		return wrong
	}
	planned := []ironField{
		need("purpose_and_intended_use", ironOneOf(ironPurposes)),
		need("estimated_monthly_volume", ironOneOf(ironVolumesV2)),
		need("estimated_monthly_transactions", ironOneOf("LessThanTen TenToTwentyFive TwentyFiveToFifty FiftyToOneHundred MoreThanOneHundred")),
	}
	funds := []ironField{need("source_of_funds", ironOneOf(ironBusinessFundsV2))}
	details := []ironField{
		need("industry_type", ironOneOf(ironIndustries)),
		need("business_model_description", ironText),
		need("main_business_countries", ironSome(ironCountry)),
		need("estimated_annual_revenue", ironOneOf("Under100K From100KTo1M From1MTo10M From10MTo50M From50MTo250M Over250M")),
	}
	if ironMember(v, "type") == "Generic" {
		const sends = "sends_funds_on_customer_behalf"
		planned = append(planned, need(sends, ironBool))
		if ironMember(ironMembers(v)["planned_activities"], sends) == "true" {
			planned = append(planned, need(sends+"_description", ironText),
				need("flow_of_funds_diagram", ironFile(maxIronFileV2)), need("source_of_funds_document", ironFile(maxIronFileV2)))
		}
		funds = append(funds, needs("source_of_funds_description customer_funds_handling_details", ironText)...)
		details = append(details, needs("has_licenses_or_registrations requires_aml_program", ironBool)...)
	}
	return ironObject(
		need("planned_activities", ironObject(planned...)),
		need("source_of_funds", ironObject(funds...)),
		need("business_details", ironObject(details...)),
	)(at, v)
}

// Values of iron §13.
const (
	ironOccupationsV2 = `Agriculture ArtsAndEntertainment Construction Education FinancialServices InformationAndTechnology Retail
		RealEstate Other BusinessOwner Healthcare Industrial LegalServices PublicSector SeniorManagement`
	ironYearlyIncomes = `LessThan20000 From20001To30000 From30001To40000 From40001To50000 From50001To60000 From60001To70000
		From70001To80000 From80001To90000 From90001To100000 From100001To110000 From110001To120000 From120001To130000
		From130001To140000 From140001To150000 MoreThan150000 From150001To200000 From200001To500000 MoreThan500000`
	ironCompanyTypes = `LimitedLiabilityCompany PubliclyListedCompany SoleProprietorship Partnership Corporation Trust
		PrivateFoundation Charity NonprofitCorporation NonprofitOrganization PublicAgenciesOrAuthorities
		StockCorporationOutOfStock GeneralCorporation`
	ironDocumentTypesV2 = `PowerOfAttorney TransparencyRegistryExtract DirectorsRegistry GoodStandingCert IncorporationArticles
		IncorporationCert IncumbencyCert InformationStatement PartnershipAgreement ProofOfAddress ProofOfNatureOfBusiness
		RegulatoryLicense SelfDeclarationForm ShareholderRegistry StateRegistry TradeLicense TrustAgreement Other`
	ironPurposes = `ReceivingBusinessIncome BusinessPurchasesAndExpenses EmployeeAndContractorPayouts EcommerceSales
		TreasuryManagement PaymentIntermediary Investments TaxPlanning AssetProtection Other`
	ironVolumesV2 = `TenToTwentyFiveThousand TwentyFiveToFiftyThousand FiftyToOneHundredThousand
		OneHundredToTwoHundredFiftyThousand TwoHundredFiftyToFiveHundredThousand MoreThanFiveHundredThousand`
	ironBusinessFundsV2 = `BusinessRevenue ShareholderFunds VcPrivateEquity AssetSale IcoProceeds CryptoActivityProceeds
		LoanProceeds Other`
	ironIndustries = `Agriculture Automotive BankingAndFinancialServices ConstructionAndRealEstate CryptocurrencyAndBlockchain
		CryptocurrencyMining DecentralisedFinance NftPlatforms CryptoPaymentProcessors CryptoWalletProviders CryptoExchanges
		CryptoCustodyServices EcommerceAndOnlineMarketplaces EducationAndTraining EnergyAndUtilities EntertainmentAndMedia
		GamingAndEsports HealthcareAndPharmaceuticals HospitalityAndTourism InformationTechnologyAndSoftware Insurance
		LegalAndProfessionalServices LogisticsAndTransportation ManufacturingAndIndustrial MetaversePlatforms
		MiningAndNaturalResources NonProfitAndCharitable RetailAndWholesaleTrade Telecommunications
		VentureCapitalAndPrivateEquity CasinosAndGambling MoneyServiceBusinesses SocialMediaAndNetworking
		CrowdfundingPlatforms RegTech Other`
)
