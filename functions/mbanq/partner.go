package mbanq

import (
	"strings"
	"time"

	"sallyport/shared/journey"
	"sallyport/shared/partner"
)

// Partner is Mbanq as the rest of Sallyport knows it.
func Partner() partner.Partner {
	example := credentials{
		TenantID: "sandbox-tenant", ClientID: "sandbox-api", ClientSecret: "sandbox-api-secret",
		Username: "sandbox-operator", Password: "sandbox-password",
	}
	example.Callback.Secrets = []string{"sandbox-webhook-secret"}
	return partner.Partner{
		Name: "mbanq", Title: "Mbanq",
		BaseURL:     partner.BaseURL{Note: "Its public host is https://api.cloud.mbanq.com."},
		Credentials: example,
		Journeys:    Journeys,
		Records:     Records,
		Examples:    examples(),
		Endpoints: []partner.Endpoint{
			{
				Function: partner.Operation(configured, IssueToken),
				Routes:   []string{"POST /mbanq/oauth/token"},
				Summary:  "issues a gateway token, to clients that insist on one",
			},
			{
				Function: partner.Operation(configured, CreateClient),
				Routes:   []string{"POST /mbanq/v1/clients"},
				Summary:  "creates a client",
				Vault:    partner.VaultBoth,
				Unknown: "with an `externalId` it is settled by looking for it and for the mobile number; without one it stays " +
					"unknown",
			},
			{
				Function: partner.Operation(configured, GetClient),
				Routes:   []string{"GET /mbanq/v1/clients/{clientId}"},
				Summary:  "reads a client",
				Vault:    partner.VaultBoth,
			},
			{
				Function: partner.Operation(configured, AddAddress),
				Routes:   []string{"POST /mbanq/v1/client/{clientId}/addresses"},
				Summary:  "adds an address of the `type` in the query",
				Vault:    partner.VaultBoth,
				Unknown:  unknownAdded,
			},
			{
				Function: partner.Operation(configured, AddIdentifier),
				Routes:   []string{"POST /mbanq/v1/clients/{clientId}/identifiers"},
				Summary:  "adds an identity document's number",
				Vault:    partner.VaultBoth,
				Unknown:  unknownAdded,
			},
			{
				Function: partner.Operation(configured, ListIdentifiers),
				Routes:   []string{"GET /mbanq/v1/clients/{clientId}/identifiers"},
				Summary:  "lists a client's identity documents",
			},
			{
				Function: partner.Operation(configured, AttachDocument),
				Routes:   []string{"POST /mbanq/v1/client_identifiers/{identifierId}/documents"},
				Summary:  "uploads an identity document's scan (multipart)",
				Vault:    partner.VaultBoth,
				Memory:   512, // a scan that a journey refers to may have 10 MiB
				Unknown:  "stays unknown",
			},
			{
				Function: partner.Operation(configured, ClientCommand),
				Routes:   []string{"POST /mbanq/v1/clients/{clientId}"}, // nothing can be routed by the command in the query
				Summary:  "with `?command=verify` verifies a client; with `?command=activate` activates it",
				Unknown: "is settled by reading the client; it is sent once more only if a minute after the send nothing shows " +
					"that it may have taken place. Of a client who is verified, the answer must tell that it is in full, if that " +
					"was asked for",
			},
			{
				Function: partner.Receiver(configured, Callback),
				Routes:   []string{"POST /callbacks/mbanq"},
				Summary:  "takes Mbanq's webhooks",
				Hook:     "What Mbanq's webhooks about clients are subscribed to call.",
			},
		},
	}
}

const unknownAdded = "is settled by what the client has of its kind and no other call is on record for: what says " +
	"the same is it, whatever else there is may be it; only when there is nothing, a minute after the send, it is sent " +
	"once more"

// Records are what tenants own.
func Records() map[string]func(id string) (name string, ok bool) {
	return map[string]func(string) (string, bool){
		"client": func(id string) (string, bool) { return ownedClient(id), isID(id) },
		"address": func(id string) (string, bool) { // "<client>-<address>"
			client, address, _ := strings.Cut(id, "-")
			return ownedAddress(client, address), isID(client) && isID(address)
		},
		"identifier": func(id string) (string, bool) { return ownedIdentifier(id), isID(id) },
	}
}

// Journeys are the types of journeys that go through Mbanq.
func Journeys(func() time.Time) []journey.Type { return []journey.Type{ClientOnboarding()} }

func configured(c partner.Config) Config { return Config{BaseURL: c.BaseURL} }
