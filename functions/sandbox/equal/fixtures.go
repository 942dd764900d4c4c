package equal

import (
	"net/http"

	"sallyport/functions/sandbox"
)

// fixture is what the simulated source knows of one Aadhaar number (§12).
type fixture struct {
	last4    string // what state refers to it by; differs in every fixture
	always   int    // HTTP status of the answer to either step; 0 for none
	step1    string // otpAccepted, or how step 1 fails
	otp      string // the right one; empty where none is
	expires  bool   // step 2 finds the OTP expired, whenever it comes
	pending  int    // fetches until the source has answered step 2
	plain    bool   // success looks as the sibling journeys' does: no decision, no checks
	name     string
	decision string
	checks   []check
}

// otpAccepted: step 1 sends an OTP.
const otpAccepted = "otp_sent"

// Values of decision (§6), with a space.
const (
	decisionClear       = "CLEAR"
	decisionMustReview  = "MUST REVIEW"
	decisionNeedsReview = "NEEDS REVIEW"
)

// fixtures returns the fixtures by their numbers. A valid number that is none of them is not found.
func fixtures() map[string]fixture {
	const otp = "123456"
	provided := metadata{DataSource: "BUSINESS_PROVIDED", MatchLogic: "fuzzy>=80"}
	return map[string]fixture{
		"999900000016": {last4: "0016", step1: otpAccepted, otp: otp, name: "MEERA KULKARNI", decision: decisionClear,
			checks: []check{{CheckID: "ownership_check", CheckResult: "PASS", StatusCode: "success", Metadata: provided}}},
		"999900000037": {last4: "0037", step1: otpAccepted, otp: otp, expires: true},
		"999900000044": {last4: "0044", step1: otpAccepted},
		"999900000059": {last4: "0059", step1: "internal_server_error"},
		"999900000063": {last4: "0063", always: http.StatusTooManyRequests},
		"999900000071": {last4: "0071", always: http.StatusServiceUnavailable},
		"999900000085": {
			last4: "0085", step1: otpAccepted, otp: otp, pending: 2, name: "ARJUN NAMBIAR", decision: decisionClear,
		},
		"999900000092": {last4: "0092", step1: otpAccepted, otp: otp, name: "FARIDA SHEIKH", decision: decisionMustReview,
			checks: []check{{CheckID: "ownership_check", CheckResult: "FAIL", StatusCode: "data_mismatch",
				Message: "Data does not match with the reference data", Metadata: provided}}},
		"999900000102": {last4: "0102", step1: "mobile_not_linked"},
		"999900000118": {last4: "0118", step1: otpAccepted, otp: otp, plain: true, name: "LAKSHMI IYER"},
		"999900000125": {last4: "0125", step1: otpAccepted, otp: otp, name: "GURPREET SANDHU", decision: decisionNeedsReview,
			checks: []check{{CheckID: "ownership_check", CheckResult: "FAIL", StatusCode: "check_unavailable",
				Message: "We can't run this check right now."}}},
	}
}

// isNumber reports whether a number has the twelve digits of one (§11.1).
func isNumber(number string) bool {
	return len(number) == 12 && sandbox.IsMadeOf(number, '0', '9')
}

// isChecked reports whether the first digit of a number is 2 to 9, and the last one a Verhoeff check digit (§11.2).
func isChecked(number string) bool {
	if number[0] < '2' {
		return false
	}
	permutation := [10]int{1, 5, 7, 6, 2, 8, 3, 0, 9, 4}
	c := 0
	for i := range len(number) {
		digit := int(number[len(number)-1-i] - '0')
		for range i % 8 {
			digit = permutation[digit]
		}
		c = dihedral(c, digit)
	}
	return c == 0
}

// dihedral multiplies in the group of a pentagon's symmetries.
func dihedral(i, j int) int {
	switch {
	case i < 5 && j < 5:
		return (i + j) % 5
	case i < 5:
		return (i+j)%5 + 5
	case j < 5:
		return (i-j+5)%5 + 5
	default:
		return (i - j + 5) % 5
	}
}
