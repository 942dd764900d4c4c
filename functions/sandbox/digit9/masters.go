package digit9

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"

	"sallyport/functions/sandbox"
)

// masterCode is one value of a master list.
type masterCode struct {
	Code      string       `json:"code"`
	Name      string       `json:"name"`
	SubStates []masterCode `json:"sub_states,omitzero"`
}

// masterGroups are the master lists in the order of §10.
const masterGroups = `relationships id_types sources_of_incomes purposes_of_transactions professions account_types
	payment_modes visa_types instruments address_types receiving_modes fee_types transaction_states income_types
	income_range_types cancel_reason_codes transaction_count_per_month transaction_volume_per_month correspondents
	business_types document_types proof_content_types`

// masterCodes returns the values of a master list: those that are known, else two that are plainly invented.
func masterCodes(group string) []masterCode {
	switch group {
	case "id_types":
		return []masterCode{
			{Code: "2", Name: "Passport"}, {Code: "4", Name: "Emirates ID"}, {Code: "28", Name: "Malaysian national card"}}
	case "address_types":
		return []masterCode{{Code: "1", Name: "Residential"}, {Code: "2", Name: "Permanent"}}
	case "document_types":
		return []masterCode{{Code: "1", Name: "Fictional document type 1"}, {Code: "2", Name: "Fictional document type 2"}}
	case "visa_types":
		return []masterCode{{Code: "101", Name: "Fictional visa type 101"}}
	}
	var codes []masterCode
	for i := 1; i <= 2; i++ {
		name := fmt.Sprintf("Fictional %s %d", strings.ReplaceAll(group, "_", " "), i)
		code := masterCode{Code: fmt.Sprintf("SANDBOX-%d", i), Name: name}
		if group == "transaction_states" {
			code.SubStates = []masterCode{{Code: code.Code + "-1", Name: code.Name + ", sub-state 1"}}
		}
		codes = append(codes, code)
	}
	return codes
}

// listCodes is E6 (§10): all groups, or the one that the query names.
func listCodes(c *sandbox.Call) sandbox.Answer {
	query := c.Request.URL.Query()
	only := cmp.Or(query.Get("code"), query.Get("code_type"))
	var groups []any
	for _, group := range strings.Fields(masterGroups) {
		if only == "" || only == group {
			groups = append(groups, group, masterCodes(group))
		}
	}
	return sandbox.JSON(http.StatusOK,
		sandbox.Object("status", "success", "status_code", http.StatusOK, "data", sandbox.Object(groups...)))
}

// nationalities are the codes of ISO 3166 alpha-2: the master that onboarding checks nationality against.
const nationalities = `AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ
	BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER
	ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM
	IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF
	MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK
	PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD
	TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW`
