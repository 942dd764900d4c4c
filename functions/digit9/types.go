package digit9

import (
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"sallyport/shared/tolerant"
)

// Paths below the base URL (§2). Their case is exact.
const (
	tokenPath   = "/auth/realms/cdp/protocol/openid-connect/token"
	lookupPath  = "/caas/api/v2/customer/validate"
	onboardPath = "/caas-lcm/api/v1/CAAS/onBoarding/customer"
	getPath     = "/caas/api/v2/customer/" // and the ECRN
)

// credentials is the secret "partners/digit9".
type credentials struct {
	ClientID     string `json:"client_id"`
	ClientSecret string `json:"client_secret"`
	Username     string `json:"username"`
	Password     string `json:"password"`
	Scope        string `json:"scope,omitzero"`

	// What authenticates a callback (§8): any of these. Two live values of each allow a rotation. They stand in the
	// deployment's secret also where tenants have accounts of their own.
	Callback struct {
		Bearer []string `json:"bearer,omitzero"` // tokens
		Hash   []string `json:"hash,omitzero"`   // secrets that the header "hash" is made with
	} `json:"callback,omitzero"`
}

// tokenAnswer is what both faces of the token endpoint answer, the partner's and ours (§3).
type tokenAnswer struct {
	TokenType        string `json:"token_type"`
	AccessToken      string `json:"access_token"`
	ExpiresIn        int64  `json:"expires_in"`         // seconds
	RefreshExpiresIn int64  `json:"refresh_expires_in"` // seconds
	RefreshToken     string `json:"refresh_token"`
	Scope            string `json:"scope"`
	NotBeforePolicy  int64  `json:"not-before-policy"`
	SessionState     string `json:"session_state"`
}

// identity is the body of a lookup (§5.1).
type identity struct {
	IDType   string `json:"idType"`
	IDNumber string `json:"idNumber"`
	odd      bool   // it can't be told which document the partner takes it for
}

// canBeLookedUp reports whether a lookup takes it.
func (id identity) canBeLookedUp() bool {
	return !id.odd && within(id.IDType, maxIDType) && within(id.IDNumber, maxIDNumber)
}

// within reports whether text is not blank and has so many characters at most.
func within(text string, max int) bool {
	return strings.TrimSpace(text) != "" && utf8.RuneCountInString(text) <= max
}

// customer is what the gateway reads of a customer in an answer.
type customer struct {
	ECRN           string
	CustomerStatus string
	AMLScanStatus  string
	IDStatus       string
}

// answer is what the gateway reads of an answer, in either envelope: a lookup's is in camel case, an onboarding's in
// snake case. Its code decides, never the status that it repeats (§9). What is of an odd type reads as absent.
type answer struct {
	HTTP    int    // the status that it came with
	Status  string // "success", "failure" or "failed"
	Code    string // of a failure
	Message string
	Details tolerant.Object // of a failure: what is wrong with the field

	repeated string // the status that its body has
	customer
}

// readAnswer reads one; ok reports whether it is an object with a status.
func readAnswer(status int, text []byte) (a answer, ok bool) {
	m := tolerant.ReadObject(text)
	data := m.Object("data")
	a.HTTP, a.Status, a.Message, a.Details = status, m.Word("status"), m.Word("message"), m.Object("details")
	a.Code, a.repeated = m.Text("error_code", "errorCode"), m.Text("status_code", "statusCode")
	a.ECRN, a.CustomerStatus = data.Text("ecrn"), data.Word("customer_status")
	a.AMLScanStatus, a.IDStatus = data.Word("aml_scan_status"), data.Word("id_status")
	return a, a.Status != ""
}

// succeeded reports whether it is a success in every respect, as the page has it.
func (a answer) succeeded() bool {
	return a.HTTP == http.StatusOK && a.Status == statusSuccess && a.Code == "" &&
		(a.repeated == "" || a.repeated == "200")
}

// failed reports whether it is a failure of a code. One that calls itself a success is none.
func (a answer) failed(code string) bool { return a.Code == code && a.Status != statusSuccess }

// isBlocked reports whether it says that the customer is barred, as the page has it: a lookup's and an onboarding's way
// differ.
func (a answer) isBlocked() bool {
	return a.failed(codeBlocked) && (a.HTTP == http.StatusOK && a.Status == statusFailure ||
		a.HTTP == http.StatusNotAcceptable && a.Status == statusFailed)
}

// asWritten is a string with its blanks, or a number: what a request says is looked for as it was sent.
func asWritten(value jsontext.Value) string {
	if text := tolerant.String(value); text != "" {
		return text
	}
	return tolerant.Text(value)
}

// isECRN tells what may be a customer number: opaque, 20 characters at most (§5).
func isECRN(text string) bool {
	return text != "" && len(text) <= 20 &&
		strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") == ""
}

func ownedCustomer(ecrn string) string { return "digit9/customer/" + ecrn }

// alertRecord is what journeys wait for events of.
func alertRecord(ecrn string) string { return "digit9/ecrn/" + ecrn }
