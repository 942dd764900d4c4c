package sandbox

// digit9Fixture is what an id number stands for by its last four characters (digit9 §10).
type digit9Fixture struct {
	unsubscribed bool           // lookups say so until the customer is onboarded
	lookupFails  bool           // with an internal error, always
	known        digit9Standing // Digit9 has a customer of it, whether or not anyone onboarded one; zero: it hasn't
	onboarded    digit9Standing // what onboarding makes of a customer; zero: ACTIVE and Accepted
	updateFails  bool           // an update of a customer with it
	onboardFails bool           // with a backend failure and no effect, always
}

// digit9Standing is where a customer stands (digit9 §11).
type digit9Standing struct {
	CustomerStatus string `json:"customer_status"`
	AMLScanStatus  string `json:"aml_scan_status"`
	// Held: nothing of the customer is shown while the scan is under investigation.
	Held bool `json:"held,omitzero"`
}

// Values of customer_status and aml_scan_status (digit9 §5).
const (
	customerActive     = "ACTIVE"
	customerKYCPending = "KYC_PENDING"
	customerInactive   = "INACTIVE"
	customerRejected   = "REJECTED"
	customerBlocked    = "BLOCKED"

	amlAccepted           = "Accepted"
	amlRejected           = "Rejected"
	amlUnderInvestigation = "Under Investigation"
	amlFailed             = "Failed"
	amlNotAvailable       = "N/A" // in callbacks only (digit9 §8)
)

// digit9FixtureOf returns the fixture of an id number. Any other ending is an ordinary person's, the zero fixture.
func digit9FixtureOf(number string) digit9Fixture {
	accepted := digit9Standing{CustomerStatus: customerActive, AMLScanStatus: amlAccepted}
	held := digit9Standing{CustomerStatus: customerKYCPending, AMLScanStatus: amlUnderInvestigation, Held: true}
	switch ending(number) {
	case "0403":
		return digit9Fixture{unsubscribed: true}
	case "0413":
		return digit9Fixture{onboarded: held}
	case "0423":
		return digit9Fixture{onboarded: digit9Standing{CustomerStatus: customerKYCPending, AMLScanStatus: amlUnderInvestigation}}
	case "0432":
		return digit9Fixture{known: accepted, updateFails: true}
	case "0433":
		return digit9Fixture{known: held}
	case "0451":
		return digit9Fixture{known: digit9Standing{CustomerStatus: customerBlocked, AMLScanStatus: amlRejected}}
	case "0461":
		return digit9Fixture{onboarded: digit9Standing{CustomerStatus: customerRejected, AMLScanStatus: amlRejected}}
	case "0471":
		return digit9Fixture{onboarded: digit9Standing{CustomerStatus: customerActive, AMLScanStatus: amlFailed}}
	case "0502":
		return digit9Fixture{onboardFails: true}
	case "0506":
		return digit9Fixture{lookupFails: true}
	}
	return digit9Fixture{}
}

// decides reports whether the number says anything about onboarding.
func (f digit9Fixture) decides() bool {
	f.unsubscribed, f.lookupFails = false, false
	return f != digit9Fixture{}
}

// ending returns the last four characters of an id number, or all of a shorter one.
func ending(number string) string {
	r := []rune(number)
	return string(r[max(0, len(r)-4):])
}
