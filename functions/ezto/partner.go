package ezto

import (
	"fmt"
	"strings"
	"time"

	"sallyport/shared/journey"
	"sallyport/shared/partner"
)

// Partner is EZTO as the rest of Sallyport knows it.
func Partner() partner.Partner {
	return partner.Partner{
		Name: "ezto", Title: "EZTO",
		BaseURL:     partner.BaseURL{Note: "A workspace has a host of its own, as in https://acme-trade.eztovrfy.com."},
		Credentials: exampleCredentials(),
		Journeys:    Journeys,
		Records:     Records,
		Examples:    examples(),
		Endpoints: []partner.Endpoint{
			{
				Function: partner.Operation(configured, TriggerRequest),
				Routes:   []string{"POST /ezto/auth/realms/{workspace}/protocol/openid-connect/transaction"},
				Summary:  "begins a verification on a hosted page",
				Vault:    partner.VaultBoth,
				Unknown:  "stays unknown",
			},
			{
				Function: partner.Operation(configured, GetResult),
				Routes:   []string{"POST /ezto/auth/realms/{workspace}/protocol/openid-connect/transaction/result"},
				Summary:  "reads its result",
			},
			{
				Function: partner.Receiver(configured, Callback),
				Routes:   []string{"POST /callbacks/ezto/{application}"},
				Summary:  "takes EZTO's pings and pushed results",
				Hook: "What the hook of an application of EZTO's calls, with the name that the application has in the " +
					"credentials, as in " +
					"<this>/shop, and for plaintext one of its callback_keys, as in <this>/shop?key=<key>.",
				CallsBack: true, // for the keys that tokens are signed with
			},
		},
	}
}

// exampleCredentials are those of one application for each way in which the simulated EZTO can be asked and can answer.
func exampleCredentials() credentials {
	applications := map[string]application{}
	for i, name := range []string{
		"poll", "ping", "push", "push-token", "push-encrypted", "consent", "onboarding", "onboarding-only", "gatepass",
		"api-only", "module-off", "skippable", "few-claims", "short-link", "ping-token", "ping-encrypted",
		"mobile", "desktop",
	} {
		a := application{ID: fmt.Sprintf("e2700000-0000-4000-8000-%012d", i+1), Secret: "sandbox-ezto-secret-" + name}
		switch {
		case strings.HasSuffix(name, "-token"):
			a.ResponseType = "token"
		case strings.HasSuffix(name, "-encrypted"):
			a.ResponseType, a.EncryptionKeys = "encrypted", []string{"sandbox-ezto-encryption-key-0001"}
		default:
			a.ResponseType, a.CallbackKeys = "plaintext", []string{"sandbox-ezto-callback-key"}
		}
		applications[name] = a
	}
	return credentials{Workspace: "acme-trade", Applications: applications}
}

// Records are what tenants own.
func Records() map[string]func(id string) (name string, ok bool) {
	return map[string]func(string) (string, bool){
		"transaction": func(id string) (string, bool) { return ownedTransaction(id), id != "" },
	}
}

// Journeys are the types of journeys that go through EZTO.
func Journeys(func() time.Time) []journey.Type { return []journey.Type{IECVerification()} }

func configured(c partner.Config) Config {
	return Config{BaseURL: c.BaseURL, Now: c.Pipeline.Now, Client: c.Pipeline.Upstream}
}
