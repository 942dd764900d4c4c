package iron

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"

	"sallyport/shared/tolerant"
)

// Paths below the base URL (§2).
const customersPath = "/customers"

func customerPath(id string) string        { return customersPath + "/" + id }
func externalPath(id string) string        { return customersPath + "/" + url.PathEscape(id) + "/external" }
func identificationsPath(id string) string { return customerPath(id) + "/identifications" }
func identificationPath(id string) string  { return "/identifications/" + id }

// credentials is the secret "partners/iron".
type credentials struct {
	APIKey string `json:"api_key"`

	// What webhooks are signed with (§10); two live values allow a rotation. They stand in the deployment's secret
	// also where tenants have accounts of their own.
	Callback struct {
		Secrets []string `json:"secrets,omitzero"`
	} `json:"callback,omitzero"`
}

// Statuses of an identification (§6).
const (
	statusPending       = "Pending"
	statusProcessed     = "Processed"
	statusPendingReview = "PendingReview"
	statusApproved      = "Approved"
	statusDeclined      = "Declined"
	statusExpired       = "Expired"
	statusArchived      = "Archived"
)

// states are what a state machine goes by, for each status.
func states() map[string]string {
	return map[string]string{
		statusPending: "pending", statusProcessed: "processed", statusPendingReview: "pending_review",
		statusApproved: "approved",
		statusDeclined: "declined", statusExpired: "expired", statusArchived: "archived",
	}
}

// identification is what the gateway reads of one (§6). What is of an odd type reads as absent.
type identification struct {
	ID         string
	CustomerID string
	Status     string
	CreatedAt  time.Time // zero where it can't be read
	StepStatus jsontext.Value
	Comment    string
}

// readIdentification reads one; ok tells whether it is whole enough to go by.
func readIdentification(text []byte) (i identification, ok bool) {
	m := tolerant.ReadObject(text)
	i = identification{
		ID: m.Word("id"), CustomerID: m.Word("customer_id"), Status: m.Word("status"),
		CreatedAt: tolerant.Time(m["created_at"]), StepStatus: m["step_status"], Comment: m.String("review_comment"),
	}
	if !isUUID(i.ID) || i.Status == "" || i.CustomerID != "" && !isUUID(i.CustomerID) {
		return identification{}, false
	}
	return i, true
}

// state is the status as a state machine has it; "other" for one that is not documented.
func (i identification) state() string {
	if i.ID == "" {
		return "none"
	}
	if state := states()[i.Status]; state != "" {
		return state
	}
	return "other"
}

// over reports whether another one takes nothing away: it has come to nothing, or there is none.
func (i identification) over() bool {
	return slices.Contains([]string{"none", "declined", "expired", "archived"}, i.state())
}

func (i identification) refs() map[string]string {
	refs := map[string]string{"identification_id": i.ID, "state": i.state()}
	if i.CustomerID != "" {
		refs["customer_id"] = canonicalID(i.CustomerID)
	}
	return refs
}

// customer is what the gateway reads of one (§3).
type customer struct {
	ID         string
	Type       string
	Name       string
	Email      string
	ExternalID string
	CreatedAt  time.Time
}

func readCustomer(text []byte) (c customer, ok bool) {
	m := tolerant.ReadObject(text)
	c = customer{
		ID: m.Word("id"), Type: m.Word("customer_type"), Name: m.String("name"), Email: m.String("email"),
		ExternalID: m.Text("external_id"), CreatedAt: tolerant.Time(m["created_at"]),
	}
	if !isUUID(c.ID) {
		return customer{}, false
	}
	return c, true
}

// page is one page of a list (§2).
type page struct {
	Items  []jsontext.Value
	Cursor string
}

func readPage(text []byte) (p page, ok bool) {
	m := tolerant.ReadObject(text)
	p.Cursor = m.Text("cursor")
	ok = tolerant.Read(m["items"], &p.Items) == nil && p.Items != nil
	return p, ok
}

// clockSkew is how far the partner's clock may be behind ours; it also shows times without fractions.
const clockSkew = 30 * time.Second

// since reports whether a time of the partner's is not before one of ours.
func since(at, sent time.Time) bool { return !at.IsZero() && !at.Before(sent.Add(-clockSkew)) }

// asSent is a string that is not blank as it stands, or else a number.
func asSent(value jsontext.Value) string {
	if text := tolerant.String(value); strings.TrimSpace(text) != "" {
		return text
	}
	return tolerant.Text(value)
}

// isUUID reports whether a text is a UUID in its usual form of 36 characters.
func isUUID(text string) bool { return len(text) == 36 && uuid.Validate(text) == nil }

// canonicalID brings a UUID that a caller or the partner names into the form in which records are kept.
func canonicalID(text string) string { return strings.ToLower(text) }

func ownedCustomer(id string) string       { return "iron/customer/" + id }
func ownedIdentification(id string) string { return "iron/identification/" + id }

// identificationRecord is what journeys wait for events of.
func identificationRecord(id string) string { return "iron/identification/" + id }
