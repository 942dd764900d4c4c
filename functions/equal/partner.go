package equal

import (
	"time"

	"sallyport/shared/journey"
	"sallyport/shared/partner"
)

// Partner is Equal as the rest of Sallyport knows it.
func Partner() partner.Partner {
	return partner.Partner{
		Name: "equal", Title: "Equal",
		BaseURL: partner.BaseURL{Default: "https://business-api.test.equal.in"},
		Credentials: credentials{
			ClientID: "sandbox.client#1", ClientSecret: "sandbox-secret=", GatewayInstanceID: "gateway.equal.dev_test",
			Journeys: map[string]string{"aadhaar-otp": "aadhaar_otp_sim_v1"},
		},
		Journeys: Journeys,
		Records:  Records,
		Examples: examples(),
		Endpoints: []partner.Endpoint{
			{
				Function: partner.Operation(configured, InitTransaction),
				Routes:   []string{"POST /equal/ie/transaction/init"},
				Summary:  "opens an exchange transaction",
				Unknown: "with an `idempotency_id` it is resolved by calling again: Equal itself opens one transaction; without " +
					"one it stays unknown, and a new key opens another transaction",
			},
			{
				Function: partner.Operation(configured, ExecuteJourney),
				Routes:   []string{"POST /equal/ie/transaction/journey/execute"},
				Summary:  "sends the OTP; with `otp`, verifies it",
				Vault:    partner.VaultBoth,
				Key:      "optional, or the body's `request_id`",
				Unknown: "stays unknown, as a repeat would send a second SMS or use up an attempt: ask the person, then use a " +
					"new key",
			},
			{
				Function: partner.Operation(configured, FetchData),
				Routes:   []string{"POST /equal/ie/transaction/journey/data/fetch"},
				Summary:  "reads the result of a slow source",
			},
		},
	}
}

// Records are what tenants own.
func Records() map[string]func(id string) (name string, ok bool) {
	return map[string]func(string) (string, bool){
		"transaction": func(id string) (string, bool) { return ownedTransaction(id), id != "" },
	}
}

// Journeys are the types of journeys that go through Equal.
func Journeys(func() time.Time) []journey.Type { return []journey.Type{AadhaarOTP()} }

func configured(c partner.Config) Config { return Config{BaseURL: c.BaseURL} }
