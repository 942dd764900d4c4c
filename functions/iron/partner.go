package iron

import (
	"time"

	"sallyport/shared/journey"
	"sallyport/shared/partner"
)

// Partner is Iron as the rest of Sallyport knows it.
func Partner() partner.Partner {
	example := credentials{APIKey: "sandbox-iron-key"}
	example.Callback.Secrets = []string{"sandbox-iron-webhook-secret"}
	return partner.Partner{
		Name: "iron", Title: "Iron",
		BaseURL: partner.BaseURL{
			Default: "https://api.sandbox.iron.xyz/api",
			Note:    "The default is Iron's own sandbox, production is https://api.iron.xyz/api.",
		},
		Alias:       "/iron/api", // for clients whose base is Iron's host
		Credentials: example,
		Journeys:    Journeys,
		Records:     Records,
		Examples:    examples(),
		Endpoints: []partner.Endpoint{
			{
				Function: partner.Operation(configured, CreateCustomer),
				Routes:   []string{"POST /iron/customers"},
				Summary:  "creates a customer",
				Vault:    partner.VaultBoth,
				Key:      keyRequired,
				Unknown:  unknownCreated,
			},
			{
				Function: partner.Operation(configured, GetCustomer),
				Routes:   []string{"GET /iron/customers/{customerId}"},
				Summary:  "reads a customer",
				Vault:    partner.VaultBoth,
			},
			{
				Function: partner.Operation(configured, CreateIdentification),
				Routes: []string{
					"POST /iron/customers/{customerId}/identifications",
					"POST /iron/customers/{customerId}/identifications/v2",
				},
				Summary: "begins an identification, in either generation of Iron's contract",
				Vault:   partner.VaultBoth,
				Memory:  512, // an identification with the files that a journey refers to may have 40 MiB
				Key:     keyRequired,
				Unknown: unknownCreated,
			},
			{
				Function: partner.Operation(configured, ListIdentifications),
				Routes:   []string{"GET /iron/customers/{customerId}/identifications"},
				Summary:  "lists a customer's identifications",
			},
			{
				Function: partner.Operation(configured, GetIdentification),
				Routes:   []string{"GET /iron/identifications/{identificationId}"},
				Summary:  "reads an identification",
			},
			{
				Function: partner.Receiver(configured, Callback),
				Routes:   []string{"POST /callbacks/iron"},
				Summary:  "takes Iron's webhooks",
				Hook:     "What a webhook about identifications calls, as entered in Iron's dashboard.",
			},
		},
	}
}

const (
	keyRequired    = "required, a UUID"
	unknownCreated = "is resolved by calling again with the same key of Iron's, which Iron honours for a day; after 23 " +
		"hours, and at first after a 5xx, by looking for what is new and no other call is on record for: what agrees with " +
		"all that was sent is it, whatever else there is may be it; once nothing is there a minute after the send, by one " +
		"more call"
)

// Records are what tenants own.
func Records() map[string]func(id string) (name string, ok bool) {
	return map[string]func(string) (string, bool){
		"customer":       func(text string) (string, bool) { return ownedCustomer(canonicalID(text)), isUUID(text) },
		"identification": func(text string) (string, bool) { return ownedIdentification(canonicalID(text)), isUUID(text) },
	}
}

// Journeys are the types of journeys that go through Iron.
func Journeys(now func() time.Time) []journey.Type {
	return []journey.Type{CustomerIdentification(Config{Now: now})}
}

func configured(c partner.Config) Config {
	return Config{BaseURL: c.BaseURL, Now: c.Pipeline.Now, KeyLife: time.Duration(float64(KeyLife) / c.TimeScale)}
}
