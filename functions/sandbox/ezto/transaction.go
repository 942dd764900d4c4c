package ezto

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"sallyport/functions/sandbox"
)

// transactionStatus is where a transaction stands (ezto §10): at a step that a person has to take, or at its end. What
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

// save keeps the transaction and, as long as it waits for a person, its place among the open ones.
func (t *transaction) save(c *sandbox.Call) error {
	if err := c.Save(transactionKey(t.RequestID), t); err != nil {
		return err
	}
	if t.Ended != "" {
		return c.Delete(openKey(t.RequestID))
	}
	return c.Save(openKey(t.RequestID), openTransaction{t.RequestID, t.Application, t.Steps[0], t.url(), t.Expires})
}

// transactionBy loads the transaction that a pointer leads to.
func transactionBy(c *sandbox.Call, key string) (t transaction, found bool, err error) {
	var requestID string
	if found, err = c.Load(key, &requestID); err != nil || !found {
		return t, false, err
	}
	found, err = c.Load(transactionKey(requestID), &t)
	return t, found, err
}

// proceed keeps a transaction at the step that is next; without one left it ends.
func (e *simulation) proceed(c *sandbox.Call, t *transaction) error {
	app := e.Applications[t.Application]
	switch {
	case len(t.Steps) > 0:
		return t.save(c)
	case app.NoVerification || !t.Checked.IsZero():
		return e.end(c, t, completed)
	}
	return e.end(c, t, skipped) // the module is off
}

// end ends a transaction, and has the gateway told.
func (e *simulation) end(c *sandbox.Call, t *transaction, as transactionStatus) error {
	t.Ended, t.Steps = as, nil
	if err := t.save(c); err != nil {
		return err
	}
	return e.tell(c, t)
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
func (e *simulation) submit(c *sandbox.Call, t *transaction, in input) (wrong string, err error) {
	switch {
	case in.step == asksConsent && !in.accept:
		return "", e.end(c, t, isDenied)
	case in.step == onboards:
		if err := c.Save(userKey(t.UserID), c.Now.UTC()); err != nil {
			return "", err
		}
	case in.step == asksNumber && in.skip:
		return "", e.end(c, t, skipped)
	case in.step == asksNumber:
		if wrong, err := e.check(c, t, in.number); err != nil || wrong != "" || t.Ended != "" {
			return wrong, err
		}
	}
	t.Steps = t.Steps[1:]
	return "", e.proceed(c, t)
}

// check looks a number up. One that is refused counts as an attempt, and the last one ends the transaction.
func (e *simulation) check(c *sandbox.Call, t *transaction, number string) (wrong string, err error) {
	number = strings.ToUpper(strings.TrimSpace(number))
	unknown, err := c.Setting("unknown_number")
	if err != nil {
		return "", err
	}
	licence, found := licenceOf(number)
	wellFormed := numberForm.MatchString(number)
	switch {
	case number == "":
		return "Enter the IEC License Number.", nil
	case number == sourceFails:
		t.Source = true
		return "", e.end(c, t, failed)
	case found, wellFormed && unknown == "unverified":
		t.Licence, t.Checked = licence, c.Now.UTC()
		return "", nil
	}

	// Refused.
	setting, err := c.Setting("attempts")
	if err != nil {
		return "", err
	}
	attempts, err := strconv.Atoi(setting)
	if err != nil {
		return "", err
	}
	t.Refused++
	left := attempts - t.Refused
	if left <= 0 {
		return "", e.end(c, t, failed)
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
	return wrong, t.save(c)
}
