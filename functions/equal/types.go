package equal

import (
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"sallyport/shared/tolerant"
)

// Statuses of a journey (§6).
const (
	statusSuccess    = "SUCCESS"
	statusFailure    = "FAILURE"
	statusInProgress = "IN_PROGRESS"

	decisionClear       = "CLEAR"
	decisionMustReview  = "MUST REVIEW"
	decisionNeedsReview = "NEEDS REVIEW"
)

// Paths below the base URL. The partner's pages show only executePath and fetchPath (§2.1); initPath is inferred
// (§2.2).
const (
	initPath    = "/ie/transaction/init"
	executePath = "/ie/transaction/journey/execute"
	fetchPath   = "/ie/transaction/journey/data/fetch"
)

// credentials is the secret "partners/equal".
type credentials struct {
	ClientID     string `json:"client_id"`
	ClientSecret string `json:"client_secret"`

	// What the account manager issues with them, for journeys.
	GatewayInstanceID string            `json:"gateway_instance_id"`
	Journeys          map[string]string `json:"journeys"` // the journey's id at Equal, by its type here
}

// envelope is what the gateway reads of an answer. Every field is optional: sibling journeys leave some out (§6).
type envelope struct {
	httpStatus int // of the answer; 0 for none

	TransactionID        string
	JourneyTransactionID string
	JourneyID            string
	Status               string
	StatusCode           string
	Decision             string
	Checks               jsontext.Value
	Aadhaar              []identity
}

// identity is an element of data.keys.aadhaar.
type identity struct {
	AadhaarNo string
	Name      string
	Decision  string // on this key alone
	Checks    jsontext.Value
}

// read takes what it can: a member of an odd type reads as absent, so that it can't make a definite answer doubtful. It
// reports whether the text is an object with a status.
func (e *envelope) read(text []byte) bool {
	m := tolerant.ReadObject(text)
	e.TransactionID, e.JourneyTransactionID = m.Text("transaction_id", "exchange_txn_id"), m.Text("journey_transaction_id")
	e.JourneyID, e.Checks = m.Text("journey_id"), m["checks"]
	e.Status, e.StatusCode, e.Decision = m.Word("status"), m.Text("status_code"), m.Word("decision")
	for _, one := range m.Object("data").Object("keys").Objects("aadhaar") {
		e.Aadhaar = append(e.Aadhaar, identity{
			one.Text("aadhaar_no"), one.Word("name"), one.Word("decision"), one["checks"],
		})
	}
	return e.Status != ""
}

// named reports whether the answer holds somebody's identity.
func (e envelope) named() bool {
	return slices.ContainsFunc(e.Aadhaar, func(i identity) bool { return tolerant.IsName(i.Name) })
}

// decision is the final one, unless it is contradicted: one on a key that isn't clear is not cleared by it (§6.1).
func (e envelope) decision() string {
	if e.Decision != "" && e.Decision != decisionClear {
		return e.Decision
	}
	for _, key := range e.Aadhaar {
		if key.Decision != "" && key.Decision != decisionClear {
			return key.Decision
		}
	}
	return e.Decision
}

// isOfAnother reports whether the answer shows last digits other than those of a number (§6.1).
func (e envelope) isOfAnother(number string) bool {
	return slices.ContainsFunc(e.Aadhaar, func(i identity) bool {
		shown := i.AadhaarNo[len(strings.TrimRight(i.AadhaarNo, "0123456789")):]
		return len(shown) >= 4 && !strings.HasSuffix(number, shown[len(shown)-4:])
	})
}

// failure is an answer without data, as the partner writes it: the whole envelope where the request is known, its
// minimal form otherwise (§13).
type failure struct {
	TransactionID string       `json:"transaction_id,omitzero"`
	JourneyID     string       `json:"journey_id,omitzero"`
	Status        string       `json:"status"`
	StatusCode    string       `json:"status_code"`
	Message       string       `json:"message"`
	Checks        *[0]struct{} `json:"checks,omitzero"`
	Data          *struct{}    `json:"data,omitzero"`
}
