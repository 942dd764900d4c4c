package ezto

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"

	"sallyport/functions/sandbox"
)

// transactionStatus is where a transaction stands (§10): at a step that a person has to take, or at its end. What
// comes before the first step shows nowhere.
type transactionStatus string

const (
	asksConsent transactionStatus = "CONSENT"
	onboards    transactionStatus = "ONBOARDING"
	asksNumber  transactionStatus = "IEC_INPUT"

	completed transactionStatus = "COMPLETED"
	failed    transactionStatus = "FAILED"
	expired   transactionStatus = "EXPIRED"
	isDenied  transactionStatus = "DENIED"
	skipped   transactionStatus = "SKIPPED"
)

// Workflows of an application, as results name them.
const (
	onboardingWorkflow   = "onboarding"
	verificationWorkflow = "verification"
)

// transaction is what is kept of a transaction.
type transaction struct {
	RequestID   string              `json:"request_id"`
	Application string              `json:"application"` // its name
	Handle      string              `json:"handle"`      // auth_req_id
	Origin      string              `json:"origin"`      // how EZTO was reached when it was triggered
	Page        string              `json:"page"`        // what its link ends with
	UserID      string              `json:"user_id"`
	Consent     consentRequest      `json:"consent,omitzero"`
	Steps       []transactionStatus `json:"steps,omitzero"` // not taken yet
	Ended       transactionStatus   `json:"ended,omitzero"` // empty until then
	Expires     time.Time           `json:"expires"`        // real, of the link

	Refused int       `json:"refused,omitzero"` // numbers
	Licence licence   `json:"licence,omitzero"` // of the number that was taken; zero where nobody holds it
	Checked time.Time `json:"checked,omitzero"` // when it was; zero: it wasn't
	Source  bool      `json:"source,omitzero"`  // it failed because the register did

	Interval int       `json:"interval"`        // between polls, in sandbox seconds
	Polled   time.Time `json:"polled,omitzero"` // last, while there was no result
}

// openTransaction is a transaction that waits for a person, as GET /sandbox/ezto/transactions shows it.
type openTransaction struct {
	RequestID   string            `json:"request_id"`
	Application string            `json:"application"`
	Status      transactionStatus `json:"status"`
	URL         string            `json:"url"`
	ExpiresAt   time.Time         `json:"expires_at"` // real, UTC
}

const openPrefix = "ezto/open/"

func handleKey(handle string) string         { return "ezto/handle/" + sandbox.Digest(handle) }
func openKey(requestID string) string        { return openPrefix + requestID }
func pageKey(page string) string             { return "ezto/page/" + sandbox.Digest(page) }
func transactionKey(requestID string) string { return "ezto/transaction/" + sandbox.Digest(requestID) }
func userKey(userID string) string           { return "ezto/user/" + sandbox.Digest(userID) }

// status returns where the transaction stands at a time.
func (t *transaction) status(now time.Time) transactionStatus {
	switch {
	case t.Ended != "":
		return t.Ended
	case !now.Before(t.Expires):
		return expired
	}
	return t.Steps[0]
}

func (t *transaction) url() string {
	return t.Origin + "/sandbox/ezto" + pagePath + t.Page
}

// qr is the page's address in the form of an image: a prefix, a blank and base64 (§5.3). What would scan it reads text.
func (t *transaction) qr() string {
	image := `<svg xmlns="http://www.w3.org/2000/svg" width="600" height="40"><text y="25">` + t.url() + `</text></svg>`
	return "data:image/svg+xml;base64, " + base64.StdEncoding.EncodeToString([]byte(image))
}

// save keeps the transaction and, as long as it waits for a person, its place among the open ones.
func (t *transaction) save(c *sandbox.Call) {
	c.Save(transactionKey(t.RequestID), t)
	if t.Ended != "" {
		c.Delete(openKey(t.RequestID))
	} else {
		c.Save(openKey(t.RequestID), openTransaction{t.RequestID, t.Application, t.Steps[0], t.url(), t.Expires})
	}
}

// transactionBy loads the transaction that a pointer leads to.
func transactionBy(c *sandbox.Call, key string) (t transaction, found bool) {
	var requestID string
	found = c.Load(key, &requestID) && c.Load(transactionKey(requestID), &t)
	return t, found
}

// proceed keeps a transaction at the step that is next; without one left it ends.
func (e *simulation) proceed(c *sandbox.Call, t *transaction) {
	switch {
	case len(t.Steps) > 0:
		t.save(c)
	case e.Applications[t.Application].NoVerification || !t.Checked.IsZero():
		e.end(c, t, completed)
	default:
		e.end(c, t, skipped) // the module is off
	}
}

// end ends a transaction, and has the gateway told.
func (e *simulation) end(c *sandbox.Call, t *transaction, as transactionStatus) {
	t.Ended, t.Steps = as, nil
	t.save(c)
	e.tell(c, t)
}

// input is what a person does at a step.
type input struct {
	step   transactionStatus
	accept bool   // the consent
	number string // of a licence
	skip   bool   // it, and the module with it
}

// submit takes what a person did at the step where the transaction stands. It returns what is wrong with it in words
// for people, or "".
func (e *simulation) submit(c *sandbox.Call, t *transaction, in input) (wrong string) {
	switch {
	case in.step == asksConsent && !in.accept:
		e.end(c, t, isDenied)
		return ""
	case in.step == onboards:
		c.Save(userKey(t.UserID), c.Now.UTC())
	case in.step == asksNumber && in.skip:
		e.end(c, t, skipped)
		return ""
	case in.step == asksNumber:
		if wrong := e.check(c, t, in.number); wrong != "" || t.Ended != "" {
			return wrong
		}
	}
	t.Steps = t.Steps[1:]
	e.proceed(c, t)
	return ""
}

// check looks a number up. One that is refused counts as an attempt, and the last one ends the transaction.
func (e *simulation) check(c *sandbox.Call, t *transaction, number string) (wrong string) {
	number = strings.ToUpper(strings.TrimSpace(number))
	licence, found := licenceOf(number)
	wellFormed := numberForm.MatchString(number)
	switch {
	case number == "":
		return "Enter the IEC License Number."
	case number == sourceFails:
		t.Source = true
		e.end(c, t, failed)
		return ""
	case found, wellFormed && c.Setting("unknown_number") == "unverified":
		t.Licence, t.Checked = licence, c.Now.UTC()
		return ""
	}

	// Refused.
	attempts, _ := strconv.Atoi(c.Setting("attempts"))
	t.Refused++
	left := attempts - t.Refused
	if left <= 0 {
		e.end(c, t, failed)
		return ""
	}
	wrong = "No licence has this number."
	if !wellFormed {
		wrong = "This is not the number of a licence: it has ten digits, or the letters and digits of a PAN."
	}
	if left == 1 {
		wrong += " One attempt is left."
	} else {
		wrong += fmt.Sprintf(" %d attempts are left.", left)
	}
	t.save(c)
	return wrong
}
