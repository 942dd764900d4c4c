package digit9

import (
	"crypto/sha512"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"sallyport/functions/sandbox"
)

// openAlert is an open compliance alert, as GET /sandbox/digit9/alerts shows it.
type openAlert struct {
	ECRN         string    `json:"ecrn"`
	IDNumberEnds string    `json:"id_number_ends"`
	OpenedAt     time.Time `json:"opened_at"` // real, UTC
}

const alertsPrefix = "digit9/alert/" // and the ecrn

// listAlerts shows the open alerts, the oldest first.
func listAlerts(c *sandbox.Call) any {
	alerts := append([]openAlert{}, sandbox.List[openAlert](c, alertsPrefix)...)
	slices.SortStableFunc(alerts, func(a, b openAlert) int { return a.OpenedAt.Compare(b.OpenedAt) })
	return alerts
}

// closeAlert does what compliance does: it changes a customer, closes the alert unless the scan is still under
// investigation, and has the callback sent (§8). Where customer_status is left out, Accepted makes a customer
// ACTIVE, Rejected REJECTED, and otherwise it stays; aml_scan_status stays as well where it is left out. N/A is said in
// the callback only.
func closeAlert(c *sandbox.Call) any {
	// Input.
	var in struct {
		AMLScanStatus  string `json:"aml_scan_status"`
		CustomerStatus string `json:"customer_status"`
	}
	if err := c.DecodeObject(&in, "aml_scan_status", "customer_status"); err != nil {
		return err
	}
	in.CustomerStatus = strings.ReplaceAll(in.CustomerStatus, " ", "_")
	aml := []string{amlAccepted, amlRejected, amlUnderInvestigation, amlFailed, amlNotAvailable}
	status := []string{customerActive, customerKYCPending, customerInactive, customerRejected, customerBlocked}
	switch {
	case in.AMLScanStatus == "" && in.CustomerStatus == "":
		return sandbox.Unprocessable("/aml_scan_status", "is needed where customer_status is left out", aml...)
	case in.AMLScanStatus != "" && !slices.Contains(aml, in.AMLScanStatus):
		return sandbox.Unprocessable("/aml_scan_status", "is not a scan's status", aml...)
	case in.CustomerStatus != "" && !slices.Contains(status, in.CustomerStatus):
		return sandbox.Unprocessable("/customer_status", "is not a customer's status", status...)
	}
	customer, found := customerByECRN(c, c.Request.PathValue("ecrn"))
	if !found {
		return sandbox.NewProblem(http.StatusNotFound, "no customer has this ecrn")
	}

	// What is left out.
	stands := &customer.Stands
	if in.CustomerStatus == "" {
		switch in.AMLScanStatus {
		case amlAccepted:
			in.CustomerStatus = customerActive
		case amlRejected:
			in.CustomerStatus = customerRejected
		default:
			in.CustomerStatus = stands.CustomerStatus
		}
	}
	if in.AMLScanStatus == "" {
		in.AMLScanStatus = stands.AMLScanStatus
	}

	// Effect: the customer stands elsewhere, and the partner is told.
	stands.CustomerStatus = in.CustomerStatus
	if in.AMLScanStatus != amlNotAvailable {
		stands.AMLScanStatus = in.AMLScanStatus
	}
	customer.save(c, customer.ends())
	closure := func(customerStatus string) jsontext.Value {
		return sandbox.Object("aml_scan_status", in.AMLScanStatus, "ecrn", customer.ECRN, "customer_status", customerStatus)
	}
	if c.Setting("callbacks") == "sent" {
		// Callbacks spell KYC_PENDING with a space.
		c.CallBack("/callbacks/digit9/aml-alert-closure", closure(strings.ReplaceAll(in.CustomerStatus, "_", " ")))
	}
	return closure(in.CustomerStatus)
}

// signCallback authenticates a callback as the setting callback_auth says (§8): by a token, by a hash of the raw
// body and a secret, or by both.
func (d *simulation) signCallback(c *sandbox.Call, header http.Header, body []byte, forge bool) {
	auth := c.Setting("callback_auth")
	token, secret := d.CallbackBearer, d.CallbackSecret
	if forge {
		token, secret = "forged-"+sandbox.Digest(token), "forged-"+sandbox.Digest(secret)
	}
	if auth == "bearer" || auth == "both" {
		header.Set("Authorization", "Bearer "+token)
	}
	if auth == "hash" || auth == "both" {
		sum := sha512.Sum512(append(slices.Clone(body), secret...))
		header.Set("Hash", hex.EncodeToString(sum[:]))
	}
}

// taken: what is answered with 200 is never repeated, but only the state ACKNOWLEDGED acknowledges (§8).
func taken(status int, body []byte) (acknowledged, final bool) {
	if status != http.StatusOK {
		return false, false
	}
	var answer struct {
		State string `json:"state"`
	}
	return json.Unmarshal(body, &answer) == nil && answer.State == "ACKNOWLEDGED", true
}
