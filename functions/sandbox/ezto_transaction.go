package sandbox

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// eztoStatus is where a transaction stands (ezto §10): at a step that a person has to take, or at its end. What comes before the
// first step shows nowhere.
type eztoStatus string

const (
	eztoAsksConsent eztoStatus = "CONSENT"
	eztoOnboards    eztoStatus = "ONBOARDING"
	eztoAsksNumber  eztoStatus = "IEC_INPUT"

	eztoCompleted eztoStatus = "COMPLETED"
	eztoFailed    eztoStatus = "FAILED"
	eztoExpired   eztoStatus = "EXPIRED"
	eztoIsDenied  eztoStatus = "DENIED"
	eztoSkipped   eztoStatus = "SKIPPED"
)

// Workflows of an application, as results name them.
const (
	eztoOnboardingWorkflow   = "onboarding"
	eztoVerificationWorkflow = "verification"
)

// eztoTransaction is what is kept of a transaction.
type eztoTransaction struct {
	RequestID   string       `json:"request_id"`
	Application string       `json:"application"` // its name
	Handle      string       `json:"handle"`      // auth_req_id
	Origin      string       `json:"origin"`      // how EZTO was reached when it was triggered
	Page        string       `json:"page"`        // what its link ends with
	UserID      string       `json:"user_id"`
	Consent     eztoConsent  `json:"consent,omitzero"`
	Steps       []eztoStatus `json:"steps,omitzero"` // not taken yet
	Ended       eztoStatus   `json:"ended,omitzero"` // empty until then
	Expires     time.Time    `json:"expires"`        // real, of the link

	Refused int         `json:"refused,omitzero"` // numbers
	Licence eztoLicence `json:"licence,omitzero"` // of the number that was taken; zero where nobody holds it
	Checked time.Time   `json:"checked,omitzero"` // when it was; zero: it wasn't
	Source  bool        `json:"source,omitzero"`  // it failed because the register did

	Interval int       `json:"interval"`        // between polls, in sandbox seconds
	Polled   time.Time `json:"polled,omitzero"` // last, while there was no result
}

// eztoOpen is a transaction that waits for a person, as GET /sandbox/ezto/transactions shows it.
type eztoOpen struct {
	RequestID   string     `json:"request_id"`
	Application string     `json:"application"`
	Status      eztoStatus `json:"status"`
	URL         string     `json:"url"`
	ExpiresAt   time.Time  `json:"expires_at"` // real, UTC
}

const eztoOpenPrefix = "ezto/open/"

func eztoHandleKey(handle string) string         { return "ezto/handle/" + digest(handle) }
func eztoOpenKey(requestID string) string        { return eztoOpenPrefix + requestID }
func eztoPageKey(page string) string             { return "ezto/page/" + digest(page) }
func eztoTransactionKey(requestID string) string { return "ezto/transaction/" + digest(requestID) }
func eztoUserKey(userID string) string           { return "ezto/user/" + digest(userID) }

// status returns where the transaction stands at a time.
func (t *eztoTransaction) status(now time.Time) eztoStatus {
	switch {
	case t.Ended != "":
		return t.Ended
	case !now.Before(t.Expires):
		return eztoExpired
	}
	return t.Steps[0]
}

func (t *eztoTransaction) url() string {
	return t.Origin + "/sandbox/ezto" + eztoPagePath + t.Page
}

// save keeps the transaction and, as long as it waits for a person, its place among the open ones.
func (t *eztoTransaction) save(c *call) error {
	if err := save(c, eztoTransactionKey(t.RequestID), t); err != nil {
		return err
	}
	if t.Ended != "" {
		return c.Delete(eztoOpenKey(t.RequestID))
	}
	return save(c, eztoOpenKey(t.RequestID), eztoOpen{t.RequestID, t.Application, t.Steps[0], t.url(), t.Expires})
}

// eztoTransactionBy loads the transaction that a pointer leads to.
func eztoTransactionBy(c *call, key string) (t eztoTransaction, found bool, err error) {
	var requestID string
	if found, err = load(c, key, &requestID); err != nil || !found {
		return t, false, err
	}
	found, err = load(c, eztoTransactionKey(requestID), &t)
	return t, found, err
}

// proceed keeps a transaction at the step that is next; without one left it ends.
func (e *ezto) proceed(c *call, t *eztoTransaction) error {
	app := e.Applications[t.Application]
	switch {
	case len(t.Steps) > 0:
		return t.save(c)
	case app.NoVerification || !t.Checked.IsZero():
		return e.end(c, t, eztoCompleted)
	}
	return e.end(c, t, eztoSkipped) // the module is off
}

// end ends a transaction, and has the gateway told.
func (e *ezto) end(c *call, t *eztoTransaction, as eztoStatus) error {
	t.Ended, t.Steps = as, nil
	if err := t.save(c); err != nil {
		return err
	}
	return e.tell(c, t)
}

// eztoInput is what a person does at a step.
type eztoInput struct {
	step   eztoStatus
	accept bool   // the consent
	number string // of a licence
	skip   bool   // it, and the module with it
}

// submit takes what a person did at the step where the transaction stands. It returns what is wrong with it in words for people,
// or "".
func (e *ezto) submit(c *call, t *eztoTransaction, in eztoInput) (wrong string, err error) {
	switch {
	case in.step == eztoAsksConsent && !in.accept:
		return "", e.end(c, t, eztoIsDenied)
	case in.step == eztoOnboards:
		if err := save(c, eztoUserKey(t.UserID), c.now.UTC()); err != nil {
			return "", err
		}
	case in.step == eztoAsksNumber && in.skip:
		return "", e.end(c, t, eztoSkipped)
	case in.step == eztoAsksNumber:
		if wrong, err := e.check(c, t, in.number); err != nil || wrong != "" || t.Ended != "" {
			return wrong, err
		}
	}
	t.Steps = t.Steps[1:]
	return "", e.proceed(c, t)
}

// check looks a number up. One that is refused counts as an attempt, and the last one ends the transaction.
func (e *ezto) check(c *call, t *eztoTransaction, number string) (wrong string, err error) {
	number = strings.ToUpper(strings.TrimSpace(number))
	unknown, err := c.setting("unknown_number")
	if err != nil {
		return "", err
	}
	licence, found := eztoLicenceOf(number)
	wellFormed := eztoNumber.MatchString(number)
	switch {
	case number == "":
		return "Enter the IEC License Number.", nil
	case number == eztoSourceFails:
		t.Source = true
		return "", e.end(c, t, eztoFailed)
	case found, wellFormed && unknown == "unverified":
		t.Licence, t.Checked = licence, c.now.UTC()
		return "", nil
	}

	// Refused.
	setting, err := c.setting("attempts")
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
		return "", e.end(c, t, eztoFailed)
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
