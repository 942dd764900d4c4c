package iron

import (
	"bytes"
	"math/big"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"sallyport/shared/gateway"
	"sallyport/shared/operation"
	"sallyport/shared/schema"
	"sallyport/shared/source"
	"sallyport/shared/tolerant"
)

// Types of an identification of the second generation (§5.1). Of the first only Direct is published (§4.1).
const (
	typeDirect   = "Direct"
	typeLink     = "Link"
	typeToken    = "Token"
	typePerson   = "Person"
	typeBusiness = "Business"
)

func typesV2() []string { return []string{typeLink, typeToken, typePerson, typeBusiness} }

// generationOf returns the generation that has a type. What the second one hasn't is the first one's, which has names
// that no page tells.
func generationOf(kind string) string {
	if slices.Contains(typesV2(), kind) {
		return v2
	}
	return v1
}

// Limits of the second generation (§5.4, §5.5).
const (
	maxFileV2      = 10 << 20 // bytes
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
	return rejected(
		http.StatusBadRequest, "invalid request: "+detail, string(operation.InvalidRequest), detail, faults[0].Source,
	)
}

// customerRules is what a customer must have (§3.1).
func customerRules() schema.Fields {
	return slices.Concat(schema.Filled("customer_type", schema.Word("Business", "Person")), schema.Filled("email", line()))
}

// maxExternalID is how long an external_id may be that is looked for, in characters: it is part of a path then.
const maxExternalID = 1000

// checkExternalID refuses what can't stand in a path by itself.
func checkExternalID(text string) error {
	if text == "." || text == ".." || utf8.RuneCountInString(text) > maxExternalID {
		return &gateway.InputError{
			Pointer: "/external_id",
			Reason:  "must have " + strconv.Itoa(maxExternalID) + " characters at most, and be neither . nor ..",
			Source:  source.Safety("part of a path"),
		}
	}
	return nil
}

// kindOf returns the type of an identification, without a copy of its files.
func kindOf(body jsontext.Value) string {
	var in struct {
		Type jsontext.Value `json:"type"`
	}
	_ = tolerant.Read(body, &in)
	return tolerant.String(in.Type)
}

// checkIdentification applies the table of a type of the second generation (§5) to a body whose JSON has been
// checked. With references, a file may be one. Of the first generation Iron judges.
func (c Config) checkIdentification(body jsontext.Value, generation string, references bool) []schema.Fault {
	if generation == v1 {
		if len(bytes.Trim(body, "{} \t\r\n")) > 0 {
			return nil
		}
		return schema.Check(body, source.Published("§4.1"), schema.Filled("type", schema.Any()), references)
	}
	var fields schema.Fields
	further := func(jsontext.Value) []schema.Fault { return nil }
	switch kindOf(body) {
	case typeLink:
		fields = schema.Optional("with_edd", schema.Boolean())
	case typeToken:
		fields = token()
	case typePerson:
		fields = person()
	case typeBusiness:
		fields, further = business(), c.checkCompanies
	default:
		fields = schema.Filled("type", schema.Word(typesV2()...))
	}
	if faults := schema.Check(body, source.Published("§5.1"), fields, references); len(faults) > 0 {
		return faults
	}
	return further(body)
}

// object is a shorter name for what the tables are full of.
func object(fields ...schema.Fields) schema.Type { return schema.Object(fields...) }

func words(list string) schema.Type { return schema.Word(strings.Fields(list)...) }

func line() schema.Type { return schema.Text(0) }

// country is a code of two letters (§5.2).
func country() schema.Type {
	return schema.Form("must be a country code of two letters", func(text string) bool {
		return len(text) == 2 && strings.Trim(strings.ToUpper(text), "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
	})
}

// phone is a number with its leading plus (§5.2).
func phone() schema.Type {
	return schema.Form("must be a phone number as +4930123456", func(text string) bool {
		return strings.HasPrefix(strings.TrimSpace(text), "+")
	})
}

func employment() schema.Type { return words("Employed SelfEmployed Unemployed Retired Student") }

const (
	roleDirector   = "Director"
	roleOwner      = "UltimateBeneficialOwner"
	roleAgent      = "Representative"
	soleProprietor = "SoleProprietorship"
)

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
		schema.Filled("street_1 city", line()), schema.Filled("country", country()),
		schema.Present("zip_code", line()), // some countries have none
		schema.Optional("street_2 state", line()),
	)
}

// identity is what proves who somebody is; of a company's people less is asked for.
func identity(further schema.Fields) schema.Type {
	return object(
		schema.Filled("identity_country_code", line()),
		schema.Filled("identity_document_type", words("Passport NationalId DriverLicense ResidencePermit")),
		schema.Filled("identity_document_front", file()),
		schema.Filled("nationality", country()),
		schema.Optional("identity_document_back", file()),
		schema.Optional("identity_number", line()),
		further,
	)
}

// documents of a company (§5.5).
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
		schema.Filled("email_address", line()),
		schema.Filled("phone_number", phone()),
		schema.Filled("sharing_consent", schema.Boolean()),
		schema.Filled("consent_collected_at", line()),
		schema.Filled("intended_use", intendedUse()),
		schema.Filled("address", address()),
		schema.Filled("identity", identity(slices.Concat(
			schema.Filled("selfie", file()), schema.Filled("selfie_collected_at", line()),
			schema.Filled("ip_address", line()),
		))),
		schema.Filled("kyc_questionnaire", kycQuestionnaire()),
		schema.Optional("documents", schema.List(0, schema.Any())),
		schema.Optional("edd_questionnaire", eddQuestionnaire()),
		schema.Optional("tax_identification_number", line()),
	)
}

func business() schema.Fields {
	return slices.Concat(
		schema.Filled("company_data", companyData(maxLevels)),
		schema.Filled("phone ip_address", line()),
		schema.Filled("questionnaire", schema.Chosen(businessQuestionnaire)),
	)
}

// companyData is a company and who owns it: people, and other companies down to so many levels.
func companyData(levels int) schema.Type {
	return object(
		schema.Filled("company_info", object(
			schema.Filled("company_name registration_number", line()), schema.Filled("country", country()),
			schema.Filled("incorporation_date", line()),
			schema.Filled("legal_address postal_address address", schema.Any()), schema.Filled("email", line()),
			schema.Filled("tax_identification_number website", line()),
			schema.Filled("company_type", words(`LimitedLiabilityCompany PubliclyListedCompany SoleProprietorship
				Partnership Corporation Trust PrivateFoundation Charity NonprofitCorporation NonprofitOrganization
				PublicAgenciesOrAuthorities StockCorporationOutOfStock GeneralCorporation`)),
		)),
		schema.Filled("beneficiaries", schema.List(0, object(
			schema.Filled("roles", schema.List(0, schema.Word(roleOwner, roleAgent, roleDirector, "Shareholder"))),
			schema.Filled("beneficiary_info", schema.Chosen(func(info jsontext.Value) schema.Fields {
				if isCompany(info) && levels > 1 {
					return schema.Filled("company_data", companyData(levels-1))
				}
				return beneficiary()
			})),
			schema.Optional("share_percentage", share()),
			schema.Optional("attesting_party", schema.Boolean()),
			schema.Optional("attested_at", line()),
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
		schema.Filled("email_address", line()),
		schema.Filled("phone_number", phone()),
		schema.Filled("tax_jurisdiction_country_code", country()),
		schema.Filled("birth_place", object(
			schema.Filled("place", line()), schema.Present("state", line()), schema.Filled("country", country()),
		)),
		schema.Filled("identity", identity(slices.Concat(
			schema.Optional("selfie", file()), schema.Optional("selfie_collected_at", line()),
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
		return []schema.Fault{{Pointer: "/company_data", Reason: "is not valid", Source: source.Published("§5.1")}}
	}
	faults := c.checkCompany(in.Company, "/company_data", true)
	if (in.Questionnaire.Type == "SoleProp") != (in.Company.Info.Type == soleProprietor) {
		faults = append(
			faults,
			schema.Fault{
				Pointer: "/questionnaire/type",
				Reason:  "must be SoleProp for a SoleProprietorship, and Generic for any other company",
				Source:  source.Published("§5.6"),
			},
		)
	}
	return faults
}

func (c Config) checkCompany(in company, at string, root bool) (faults []schema.Fault) {
	fault := func(pointer, reason string) {
		faults = append(faults, schema.Fault{
			Pointer: at + "/beneficiaries" + pointer, Reason: reason, Source: source.Published("§5.6"),
		})
	}
	directed, owned := false, new(big.Rat)
	for i, b := range in.Beneficiaries {
		pointer := "/" + strconv.Itoa(i)
		director, owner := slices.Contains(b.Roles, roleDirector), slices.Contains(b.Roles, roleOwner)
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
			case strings.TrimSpace(b.AttestedAt) == "" || err == nil && attested.After(c.now()):
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
