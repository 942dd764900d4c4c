package digit9

// fixture is what an id number stands for by its last four characters (§10).
type fixture struct {
	unsubscribed bool     // lookups say so until the customer is onboarded
	lookupFails  bool     // with an internal error, always
	known        standing // Digit9 has a customer of it, whether or not anyone onboarded one; zero: it hasn't
	onboarded    standing // what onboarding makes of a customer; zero: ACTIVE and Accepted
	updateFails  bool     // an update of a customer with it
	onboardFails bool     // with a backend failure and no effect, always
}

// standing is where a customer stands (§11).
type standing struct {
	CustomerStatus string `json:"customer_status"`
	AMLScanStatus  string `json:"aml_scan_status"`
	// Held: nothing of the customer is shown while the scan is under investigation.
	Held bool `json:"held,omitzero"`
	// Unnamed: while it is held, no answer tells the ECRN.
	Unnamed bool `json:"unnamed,omitzero"`
}

// Values of customer_status and aml_scan_status (§5).
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
	amlNotAvailable       = "N/A" // in callbacks only (§8)
)

// fixtureOf returns the fixture of an id number. Any other ending is an ordinary person's, the zero fixture.
func fixtureOf(number string) fixture {
	accepted := standing{CustomerStatus: customerActive, AMLScanStatus: amlAccepted}
	held := standing{CustomerStatus: customerKYCPending, AMLScanStatus: amlUnderInvestigation, Held: true}
	switch ending(number) {
	case "0403":
		return fixture{unsubscribed: true}
	case "0413":
		return fixture{onboarded: held}
	case "0423":
		return fixture{onboarded: standing{CustomerStatus: customerKYCPending, AMLScanStatus: amlUnderInvestigation}}
	case "0432":
		return fixture{known: accepted, updateFails: true}
	case "0433":
		held.Unnamed = true
		return fixture{onboarded: held}
	case "0451":
		return fixture{known: standing{CustomerStatus: customerBlocked, AMLScanStatus: amlRejected}}
	case "0461":
		return fixture{onboarded: standing{CustomerStatus: customerRejected, AMLScanStatus: amlRejected}}
	case "0471":
		return fixture{onboarded: standing{CustomerStatus: customerActive, AMLScanStatus: amlFailed}}
	case "0502":
		return fixture{onboardFails: true}
	case "0506":
		return fixture{lookupFails: true}
	}
	return fixture{}
}

// decides reports whether the number says anything about onboarding.
func (f fixture) decides() bool {
	f.unsubscribed, f.lookupFails = false, false
	return f != fixture{}
}

// ending returns the last four characters of an id number, or all of a shorter one.
func ending(number string) string {
	r := []rune(number)
	return string(r[max(0, len(r)-4):])
}
