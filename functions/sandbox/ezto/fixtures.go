package ezto

import (
	"regexp"
	"strings"
)

// licence is an entry of the register of licences (§12, §13).
type licence struct {
	Number  string `json:"number"`
	Name    string `json:"name"`
	Address string `json:"address"`
	Status  string `json:"status"`
	PAN     string `json:"pan"`
}

func licences() []licence {
	return []licence{
		{"AAXCT4821K", "TARANG OVERSEAS PVT LTD", "14 Dock Road, Kochi 682003", "Valid", "AAXCT4821K"},
		{"BZKPM3307Q", "MEERA KULKARNI", "7 Laxmi Road, Pune 411030", "Valid", "BZKPM3307Q"},
		{"AAFFR1190C", "REDDY AND RAO TRADERS", "3 Harbour Street, Visakhapatnam 530001", "Suspended", "AAFFR1190C"},
		{"AADTS2045B", "SHANTI EXPORT TRUST", "21 Mint Street, Chennai 600079", "Cancelled", "AADTS2045B"},
		{"AAACN5561H", "NILGIRI LEAF EXPORTS LTD", "5 Tea Garden Road, Coonoor 643101", "Deactivated", "AAACN5561H"},
		{"0399001234", "LAKSHMI SPICES LTD", "9 Bazaar Road, Mumbai 400003", "Valid", "AACCL7702D"},
	}
}

// sourceFails is the number at which the register can't be asked.
const sourceFails = "AAHCE5000E"

// licenceOf returns the licence of a number.
func licenceOf(number string) (licence, bool) {
	for _, licence := range licences() {
		if licence.Number == number {
			return licence, true
		}
	}
	return licence{}, false
}

// numberForm is the form of a licence's number: ten digits as of old, or a PAN (§12).
var numberForm = regexp.MustCompile(`^([0-9]{10}|[A-Z]{3}[ABCFGHJLPT][A-Z][0-9]{4}[A-Z])$`)

// isKnownUser says of whose user ids EZTO knows the users, beside those who have been onboarded.
func isKnownUser(userID string) bool { return strings.HasPrefix(userID, "known-") }

// isFailingUser says for whose user ids no transaction can be triggered.
func isFailingUser(userID string) bool { return strings.HasPrefix(userID, "failing-") }
