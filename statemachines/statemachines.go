// Package statemachines holds the definitions of the journeys: one Go file each, from which <journey>.asl.json is
// generated, which SAM deploys and the local stack runs.
package statemachines

import (
	"embed"

	"sallyport/shared/asl/flow"
)

// Files holds "<journey>.asl.json".
//
//go:embed *.asl.json
var Files embed.FS

// Definitions returns the definition of each journey by the journey's type.
func Definitions() map[string]*flow.Machine {
	return map[string]*flow.Machine{
		"aadhaar-otp":             aadhaarOTP(),
		"client-onboarding":       clientOnboarding(),
		"customer-identification": customerIdentification(),
		"iec-verification":        iecVerification(),
		"partner-onboarding":      partnerOnboarding(),
	}
}
