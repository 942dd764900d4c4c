package equal

import (
	"slices"

	"github.com/go-json-experiment/json"
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

// Paths below the base URL. The partner's pages show only executePath and fetchPath; initPath is inferred (§2).
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

// initRequest is the body of Q1; its names are inferred (§4).
type initRequest struct {
	GatewayInstanceID string `json:"gateway_instance_id"`
	IdempotencyID     string `json:"idempotency_id,omitzero"`
	BusinessUserID    string `json:"business_user_id,omitzero"`
}

// executeRequest is the body of Q2 (§5).
type executeRequest struct {
	TransactionID string     `json:"transaction_id"`
	JourneyID     string     `json:"journey_id"`
	RequestID     string     `json:"request_id,omitzero"`
	InputData     *inputData `json:"input_data"`
}

// inputData is the Aadhaar OTP journey's input: without an OTP it asks for one to be sent, with it it verifies.
type inputData struct {
	AadhaarNo string   `json:"aadhaar_no"`
	OTP       optional `json:"otp,omitzero"`
}

// fetchRequest is the body of Q3 (§5).
type fetchRequest struct {
	TransactionID        string `json:"transaction_id"`
	JourneyTransactionID string `json:"journey_transaction_id"`
}

// envelope is what the gateway reads of an answer. Every field is optional: sibling journeys leave some out (§6).
type envelope struct {
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
	Checks    jsontext.Value
}

// read takes what it can: a member of an odd type reads as absent, so that it can't make a definite answer doubtful. It
// reports whether the text is an object with a status.
func (e *envelope) read(text []byte) bool {
	m := tolerant.ReadObject(text)
	e.TransactionID, e.JourneyTransactionID = m.Text("transaction_id"), m.Text("journey_transaction_id")
	e.JourneyID, e.Checks = m.Text("journey_id"), m["checks"]
	e.Status, e.StatusCode, e.Decision = m.Word("status"), m.Text("status_code"), m.Word("decision")
	for _, one := range m.Object("data").Object("keys").Objects("aadhaar") {
		e.Aadhaar = append(e.Aadhaar, identity{one.Text("aadhaar_no"), one.Word("name"), one["checks"]})
	}
	return e.Status != ""
}

// named reports whether the answer holds somebody's identity.
func (e envelope) named() bool {
	return slices.ContainsFunc(e.Aadhaar, func(i identity) bool { return i.Name != "" })
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

// optional is a string that may be absent. A null is present and empty: whoever sends "otp":null has lost an OTP and
// must not be understood as asking for another one.
type optional struct {
	present bool
	value   string
}

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (o *optional) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	o.present = true
	return json.UnmarshalDecode(d, &o.value)
}

// MarshalJSONTo implements json.MarshalerTo.
func (o optional) MarshalJSONTo(e *jsontext.Encoder) error { return json.MarshalEncode(e, o.value) }
