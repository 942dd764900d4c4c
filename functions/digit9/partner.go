package digit9

import (
	"time"

	"sallyport/shared/journey"
	"sallyport/shared/partner"
)

// Partner is Digit9 as the rest of Sallyport knows it.
func Partner() partner.Partner {
	example := credentials{
		ClientID: "sandbox-client", ClientSecret: "sandbox-client-secret",
		Username: "sandbox-agent", Password: "sandbox-password",
		Scope: "api://00000000-0000-4000-8000-000000000000/customer",
	}
	example.Callback.Bearer = []string{"sandbox-callback-token"}
	example.Callback.Hash = []string{"sandbox-callback-secret"}
	return partner.Partner{
		Name: "digit9", Title: "Digit9",
		BaseURL:     partner.BaseURL{Note: "Digit9 tells its partners the host."},
		Credentials: example,
		Journeys:    Journeys,
		Records:     Records,
		Examples:    examples(),
		Endpoints: []partner.Endpoint{
			{
				Function: partner.Operation(configured, IssueToken),
				Routes:   []string{"POST /digit9/auth/realms/cdp/protocol/openid-connect/token"},
				Summary:  "issues a gateway token, to clients that insist on one",
			},
			{
				Function: partner.Operation(configured, LookupCustomer),
				Routes:   []string{"POST /digit9/caas/api/v2/customer/validate"},
				Summary:  "looks a customer up by an identity document",
				Vault:    partner.VaultBoth,
			},
			{
				Function: partner.Operation(configured, OnboardCustomer),
				Routes:   []string{"POST /digit9/caas-lcm/api/v1/CAAS/onBoarding/customer"},
				Summary:  "creates a customer; with `ecrn`, updates one",
				Vault:    partner.VaultBoth,
				Memory:   512, // a customer with the files that a journey refers to may have 40 MiB; the peak is four times that
				Unknown: "without `ecrn` it is settled by looking up every identity document: that all are one new " +
					"customer's, as the one to be created, stands for the answer; only when none is known, a minute after the " +
					"send, it is sent once more; with `ecrn` it stays unknown: " +
					"the customer was there before, so no lookup can tell",
			},
			{
				Function: partner.Operation(configured, GetCustomer),
				Routes:   []string{"GET /digit9/caas/api/v2/customer/{ecrn}"},
				Summary:  "reads a customer",
				Vault:    partner.VaultPut,
			},
			{
				Function: partner.Receiver(configured, Callback),
				Routes:   []string{"POST /callbacks/digit9/aml-alert-closure"},
				Summary:  "takes Digit9's callback",
				Hook:     "What Digit9 is told to call when it has closed an alert.",
			},
		},
	}
}

// Records are what tenants own.
func Records() map[string]func(id string) (name string, ok bool) {
	return map[string]func(string) (string, bool){
		"customer": func(ecrn string) (string, bool) { return ownedCustomer(ecrn), isECRN(ecrn) },
	}
}

// Journeys are the types of journeys that go through Digit9.
func Journeys(func() time.Time) []journey.Type { return []journey.Type{PartnerOnboarding()} }

func configured(c partner.Config) Config { return Config{BaseURL: c.BaseURL, Now: c.Pipeline.Now} }
