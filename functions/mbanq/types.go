package mbanq

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"sallyport/shared/tolerant"
)

// Paths below the base URL (§2). Addresses hang from "client", everything else from "clients".
const (
	tokenPath   = "/oauth/token"
	clientsPath = "/v1/clients"
)

func clientPath(id string) string      { return clientsPath + "/" + id }
func addressesPath(id string) string   { return "/v1/client/" + id + "/addresses" }
func identifiersPath(id string) string { return clientPath(id) + "/identifiers" }
func documentsPath(id string) string   { return "/v1/client_identifiers/" + id + "/documents" }

// credentials is the secret "partners/mbanq".
type credentials struct {
	TenantID     string `json:"tenant_id"`
	ClientID     string `json:"client_id"`
	ClientSecret string `json:"client_secret"`
	Username     string `json:"username"`
	Password     string `json:"password"`

	// Further headers of the token call: one more is documented, whose name isn't known (§1).
	TokenHeaders map[string]string `json:"token_headers,omitzero"`

	// What webhooks are signed with (§10); two live values allow a rotation. They stand in the deployment's secret
	// also where tenants have accounts of their own.
	Callback struct {
		Secrets []string `json:"secrets,omitzero"`
	} `json:"callback,omitzero"`
}

// tokenAnswer is what both faces of the token endpoint answer, the partner's and ours (§1).
type tokenAnswer struct {
	AccessToken  string `json:"access_token"`
	TokenType    string `json:"token_type"`
	RefreshToken string `json:"refresh_token"`
	ExpiresIn    int64  `json:"expires_in"` // seconds
	Scope        string `json:"scope"`
}

// Statuses of a client and of its verification (§4).
const (
	clientPending = 100
	clientActive  = 300

	verificationPending    = "PENDING"
	verificationInProgress = "IN_PROGRESS"
	verificationApproved   = "APPROVED"
	verificationRejected   = "REJECTED"
	verificationOther      = "OTHER" // in summaries

	subStatusVerified = "Verified"
)

// client is what the gateway reads of a client.
type client struct {
	ID           string
	Status       int64 // zero for one that contradicts itself
	SubStatus    string
	Verification string
	ExternalID   string
}

// verified reports whether a client has been verified, by either of the two places that tell; one that is being
// verified anew, or was rejected, is not.
func (c client) verified() bool {
	switch c.Verification {
	case verificationApproved:
		return true
	case verificationInProgress, verificationRejected:
		return false
	}
	return c.SubStatus == subStatusVerified
}

// idOf reads an id, which may be a number or a string; empty where it is none.
func idOf(m tolerant.Object, name string) string {
	if n := m.Number(name); n > 0 {
		return strconv.FormatInt(n, 10)
	}
	return ""
}

// agree reports whether what the partner shows says the same as what was sent, as far as both say anything.
func agree(sent, shown tolerant.Object, names ...string) bool {
	return !slices.ContainsFunc(names, func(name string) bool {
		a, b := tolerant.Fold(sent.Plain(name)), tolerant.Fold(shown.Plain(name))
		var day []jsontext.Value
		if tolerant.Read(shown[name], &day) == nil && len(day) == 3 { // a date goes out so (§11)
			number := func(i int) int { return int(tolerant.Number(day[i])) }
			wanted, ok := date(sent, name)
			return ok && !wanted.Equal(time.Date(number(0), time.Month(number(1)), number(2), 0, 0, 0, 0, time.UTC))
		}
		return a != "" && b != "" && a != b
	})
}

// readClient reads a client (§4).
func readClient(m tolerant.Object) client {
	return client{
		ID: idOf(m, "id"), Status: statusOf(m), SubStatus: m.Object("subStatus").Word("name"),
		Verification: strings.ToUpper(m.Word("clientVerificationStatus")), ExternalID: m.Plain("externalId"),
	}
}

// statusOf reads a client's status, of which the name and the word have to agree with the number as far as they are
// there; else it is nobody's.
func statusOf(m tolerant.Object) int64 {
	status := m.Object("status")
	id := status.Number("id")
	word := map[int64]string{clientPending: "pending", clientActive: "active"}[id]
	says := func(text string) bool { return word == "" || text == "" || tolerant.Same(text, word) }
	active := m.Truth("active")
	if !says(status.Word("value")) || !says(strings.TrimPrefix(status.Word("code"), "clientStatusType.")) ||
		active != nil && word != "" && *active != (id == clientActive) {
		return 0
	}
	return id
}

// codes are the partner's codes of a failure, the telling ones first (§6).
type codes []string

// readCodes reads them: those of its errors, then the top one. A token failure has one of its own.
func readCodes(m tolerant.Object) (all codes) {
	for _, e := range m.Objects("errors") {
		all = append(all, e.Word("userMessageGlobalisationCode"))
	}
	all = append(all, m.Word("userMessageGlobalisationCode"), m.Word("error"))
	return slices.DeleteFunc(all, func(code string) bool { return code == "" })
}

// first is without the prefixes that all share; empty where there is none.
func (c codes) first() string {
	if len(c) == 0 {
		return ""
	}
	return strings.TrimPrefix(strings.TrimPrefix(c[0], "error.msg."), "validation.msg.")
}

func (c codes) has(code string) bool { return slices.Contains(c, code) }

// isNamed reports whether a command's answer says what it did something to (§4): with maker-checker it may be the
// command alone.
func isNamed(m tolerant.Object) bool {
	return m.Plain("id", "clientId", "resourceId", "commandId", "resourceIdentifier") != ""
}

// isID tells what may be an id: a positive whole number, in its one spelling.
func isID(text string) bool { return text != "" && numeric(text) == text }

// numeric is a positive whole number in its one spelling; empty for anything else.
func numeric(text string) string {
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil || n <= 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

// isCut reports whether what the partner shows may be what is left of a text.
func isCut(shown, sent string) bool {
	shown = tolerant.Fold(shown)
	return shown != "" && strings.HasPrefix(tolerant.Fold(sent), shown)
}

func ownedClient(id string) string          { return "mbanq/client/" + id }
func ownedIdentifier(id string) string      { return "mbanq/identifier/" + id }
func ownedAddress(client, id string) string { return "mbanq/address/" + client + "-" + id }

// clientRecord is what journeys wait for events of.
func clientRecord(id string) string { return "mbanq/client/" + id }
