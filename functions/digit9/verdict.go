package digit9

import "strings"

// Statuses of a customer (§5, §8). A callback writes KYC PENDING with a space.
const (
	customerActive     = "ACTIVE"
	customerKYCPending = "KYC_PENDING"
	customerInactive   = "INACTIVE"
	customerRejected   = "REJECTED"
	customerBlocked    = "BLOCKED"

	amlAccepted = "Accepted"
	amlRejected = "Rejected"
	amlOpen     = "Under Investigation"
	amlFailed   = "Failed"
	amlNone     = "N/A"
)

// verdict is what an answer means for the customer's onboarding: the word by which a state machine goes on.
type verdict string

const (
	accepted        verdict = "accepted"         // fully onboarded
	held            verdict = "held"             // on record, with a compliance alert open
	heldUnnamed     verdict = "held_unnamed"     // likewise, but the answer doesn't name the customer
	rejected        verdict = "rejected"         // refused by compliance
	blocked         verdict = "blocked"          // barred
	kycPending      verdict = "kyc_pending"      // data or documents are incomplete or have expired
	inactive        verdict = "inactive"         // dormant or closed
	screeningFailed verdict = "screening_failed" // the screening did not complete
	absent          verdict = "absent"           // not onboarded with us
	unclear         verdict = "unclear"          // what nobody has documented, or what contradicts itself
	notYours        verdict = "not_yours"        // a customer that the tenant may not see
)

// isAbsent reports whether it says that the customer is not onboarded with us.
func (a answer) isAbsent() bool { return a.failed(codeNotFound) || a.failed(codeNotSubscribed) }

// verdict reads an answer by its code, and a customer by both statuses (§9.4, §11). What is not documented is
// unclear: nobody may take it for a yes or a no.
func (a answer) verdict() verdict {
	switch {
	case a.isAbsent():
		return absent
	case a.failed(codeHeld):
		return heldUnnamed
	case a.isBlocked():
		return blocked
	case !a.succeeded():
		return unclear
	}
	status, aml := normalCustomerStatus(a.CustomerStatus), strings.TrimSpace(a.AMLScanStatus)
	switch {
	case status == customerBlocked && aml == amlRejected:
		return blocked
	case status == customerBlocked: // which the other status doesn't bear out
		return unclear
	case status == customerRejected && aml == amlRejected:
		return rejected
	case status == customerRejected, aml == amlRejected: // only one of the two says so
		return unclear
	case aml == amlFailed:
		return screeningFailed
	case status == customerInactive:
		return inactive
	case aml == amlOpen && (status == customerActive || status == customerKYCPending):
		return held
	case aml == amlAccepted && status == customerActive:
		return accepted
	case aml == amlAccepted && status == customerKYCPending:
		return kycPending
	}
	return unclear
}

func normalCustomerStatus(text string) string {
	return strings.ReplaceAll(strings.ToUpper(strings.TrimSpace(text)), " ", "_")
}

// ecrnIn finds the customer number that a message names: the first word of 16 digits, else of 10 to 20; empty where
// there is none (§9.4).
func ecrnIn(message string) (ecrn string) {
	for word := range strings.FieldsFuncSeq(message, endsWord) {
		if strings.Trim(word, "0123456789") != "" {
			continue
		}
		switch {
		case len(word) == 16:
			return word
		case ecrn == "" && len(word) >= 10 && len(word) <= 20:
			ecrn = word
		}
	}
	return ecrn
}

func endsWord(c rune) bool {
	return !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_')
}
