package sandbox

import (
	"regexp"
	"strings"
)

// eztoLicence is an entry of the register of licences (ezto §12, §13).
type eztoLicence struct {
	Number  string `json:"number"`
	Name    string `json:"name"`
	Address string `json:"address"`
	Status  string `json:"status"`
	PAN     string `json:"pan"`
}

func eztoLicences() []eztoLicence {
	return []eztoLicence{
		{"AAXCT4821K", "TARANG OVERSEAS PVT LTD", "14 Dock Road, Kochi 682003", "Valid", "AAXCT4821K"},
		{"BZKPM3307Q", "MEERA KULKARNI", "7 Laxmi Road, Pune 411030", "Valid", "BZKPM3307Q"},
		{"AAFFR1190C", "REDDY AND RAO TRADERS", "3 Harbour Street, Visakhapatnam 530001", "Suspended", "AAFFR1190C"},
		{"AADTS2045B", "SHANTI EXPORT TRUST", "21 Mint Street, Chennai 600079", "Cancelled", "AADTS2045B"},
		{"AAACN5561H", "NILGIRI LEAF EXPORTS LTD", "5 Tea Garden Road, Coonoor 643101", "Deactivated", "AAACN5561H"},
		{"0399001234", "LAKSHMI SPICES LTD", "9 Bazaar Road, Mumbai 400003", "Valid", "AACCL7702D"},
	}
}

// eztoSourceFails is the number at which the register can't be asked.
const eztoSourceFails = "AAHCE5000E"

// eztoLicenceOf returns the licence of a number.
func eztoLicenceOf(number string) (eztoLicence, bool) {
	for _, licence := range eztoLicences() {
		if licence.Number == number {
			return licence, true
		}
	}
	return eztoLicence{}, false
}

// eztoNumber is the form of a licence's number: ten digits as of old, or a PAN (ezto §12).
var eztoNumber = regexp.MustCompile(`^([0-9]{10}|[A-Z]{3}[ABCFGHJLPT][A-Z][0-9]{4}[A-Z])$`)

// isKnownEZTOUser says of whose user ids EZTO knows the users, beside those who have been onboarded.
func isKnownEZTOUser(userID string) bool { return strings.HasPrefix(userID, "known-") }

// isFailingEZTOUser says for whose user ids no transaction can be triggered.
func isFailingEZTOUser(userID string) bool { return strings.HasPrefix(userID, "failing-") }
