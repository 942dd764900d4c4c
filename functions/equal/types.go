package equal

import (
	"bytes"
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
	httpStatus int  // of the answer; 0 for none
	ofAnother  bool // it shows another number than the one that was asked for

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

// showsAnother reports whether an answer shows a number that isn't the one that was asked for: other digits, or not
// twelve characters with the last four digits behind a mask (§6.1); one all masked shows nothing. It reads the answer
// before it is masked.
func showsAnother(text []byte, number string) bool {
	if !bytes.Contains(text, []byte(`"aadhaar_no"`)) {
		return false
	}
	shown := tolerant.ReadObject(text).Object("data").Object("keys").Objects("aadhaar")
	return slices.ContainsFunc(shown, func(one tolerant.Object) bool {
		value := one["aadhaar_no"]
		if kind := value.Kind(); kind == 0 || kind == 'n' {
			return false
		}
		plain := strings.NewReplacer(" ", "", "-", "").Replace(tolerant.Text(value))
		if plain != "" && strings.Trim(plain, "Xx*") == "" {
			return false // it shows nothing
		}
		hidden := len(plain) - 4
		return plain != number && (len(plain) != aadhaarLength || strings.Trim(plain[:hidden], "Xx*") != "" ||
			plain[hidden:] != number[hidden:])
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
