package sandbox

import (
	"crypto/hmac"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
)

// mbanqLevel is a kycVerificationType.
type mbanqLevel string

const (
	mbanqPartial mbanqLevel = "PARTIAL"
	mbanqFull    mbanqLevel = "FULL"
)

// mbanqVerification is a clientVerificationStatus, and taken for a clientKycStatus as well (mbanq §4).
type mbanqVerification string

const (
	mbanqPending    mbanqVerification = "PENDING"
	mbanqInProgress mbanqVerification = "IN_PROGRESS"
	mbanqApproved   mbanqVerification = "APPROVED"
	mbanqRejected   mbanqVerification = "REJECTED"
)

// mbanqVerifying is a verification that runs, where the tenant's runs apart from the call (mbanq §5).
type mbanqVerifying struct {
	Level mbanqLevel `json:"level"`
	Until time.Time  `json:"until"` // real; later it is over
}

// mbanqVerificationTime is how long such a one takes, in sandbox time.
const mbanqVerificationTime = 30 * time.Second

func (m mbanqClient) state() mbanqVerification {
	switch {
	case m.Verifying != nil:
		return mbanqInProgress
	case m.Verified != "":
		return mbanqApproved
	case m.Rejected:
		return mbanqRejected
	}
	return mbanqPending
}

// settle ends a verification whose time is over, by the rules as they are now and the client as it was then: whoever changes
// a client settles it first. One that fails takes nothing away from a client who is verified at the lower level.
func (m *mbanqClient) settle(c *call) error {
	if m.Verifying == nil || c.now.Before(m.Verifying.Until) {
		return nil
	}
	rules, err := readMbanqRules(c)
	if err != nil {
		return err
	}
	missing := rules.missing(*m, m.Verifying.Level, m.Verifying.Until)
	if len(missing) == 0 {
		m.Verified = m.Verifying.Level
	}
	m.Rejected = m.Verified == ""
	m.Verifying = nil
	return nil
}

// stumbling wraps the commands with the fixtures whose first one meets trouble and does nothing.
func (m *mbanq) stumbling(handle func(*call) (answer, error)) func(*call) (answer, error) {
	return func(c *call) (answer, error) {
		client, found, err := mbanqClientByID(c, c.request.PathValue("id"))
		if err != nil {
			return answer{}, err
		}
		key, err := mbanqKey(c)
		if err != nil {
			return answer{}, err
		}
		fixture := mbanqFixtureOf(client.ExternalID)
		var out answer
		switch {
		case !found || client.Stumbled:
			return handle(c)
		case fixture.conflicts:
			out = mbanqConflict(client.ID)
		case fixture.running && key != "":
			out = answer{status: http.StatusTooEarly, body: c.body, header: mbanqServedFromCache()}
		default:
			return handle(c)
		}
		client.Stumbled = true
		return out, client.save(c)
	}
}

// clientCommand is rows 17 and 19 of mbanq §2. The others that Fineract has are not simulated.
func (m *mbanq) clientCommand(c *call) (answer, error) {
	id := c.request.PathValue("id")
	client, found, err := mbanqClientByID(c, id)
	if err != nil {
		return answer{}, err
	}
	query := c.request.URL.Query()
	command := query.Get("command")
	switch {
	case !found:
		return mbanqUnknownClient(id), nil
	case strings.EqualFold(command, "verify"):
		return m.verify(c, client)
	case strings.EqualFold(command, "activate"):
		return m.activate(c, client)
	case !query.Has("command"):
		return mbanqUnsupportedQuery("command", nil), nil
	}
	return mbanqUnsupportedQuery("command", command), nil
}

// mbanqKYCResult is what verify says of a client. That it answers 200 proves nothing (mbanq §5).
type mbanqKYCResult struct {
	VerificationStatus mbanqVerification `json:"clientVerificationStatus"`
	KYCStatus          mbanqVerification `json:"clientKycStatus"`
}

func (m mbanqClient) verification() answer {
	return m.result(&mbanqKYCResult{m.state(), m.state()})
}

// verify is row 17 of mbanq §2.
func (m *mbanq) verify(c *call, client mbanqClient) (answer, error) {
	// Input.
	in, err := readMbanq(c, "client", "kycVerificationType note")
	if err != nil {
		return answer{}, err
	}
	level := mbanqLevel(in.text("kycVerificationType", false, 100))
	if level != "" && level != mbanqPartial && level != mbanqFull {
		in.reject("kycVerificationType", "is.not.one.of.expected.enumerations",
			"The parameter `kycVerificationType` must be one of [ PARTIAL, FULL ] .", string(level), "PARTIAL", "FULL")
	}
	if level == "" {
		level = mbanqFull
	}
	in.text("note", false, 1000)
	if refused, ok := in.refused(); ok {
		return refused, nil
	}
	modes, err := mbanqSettings(c, "verify", "reverify", "errors")
	if err != nil {
		return answer{}, err
	}

	// Where the client stands: a repeat does nothing, a higher level is an upgrade.
	switch {
	case client.Active:
		return client.refused("verify.not.pending", "Client %d is not pending."), nil
	case client.Verifying != nil:
		return client.verification(), nil
	case client.Verified == "" || client.Verified == mbanqPartial && level == mbanqFull:
	case modes["reverify"] == "refused":
		return client.refused("verify.already.verified", "Client %d is already verified."), nil
	default:
		return client.verification(), nil
	}

	// Effect: the client is verified, or will be.
	told := c.now
	if modes["verify"] == "async" {
		told = c.now.Add(c.clock.real(mbanqVerificationTime))
		client.Verifying = &mbanqVerifying{level, told.UTC()}
	} else {
		rules, err := readMbanqRules(c)
		if err != nil {
			return answer{}, err
		}
		missing := rules.missing(client, level, c.now)
		switch {
		case len(missing) > 0 && modes["errors"] == "first_only":
			return mbanqRefused(missing[0]), nil
		case len(missing) > 0:
			return mbanqRefused(missing...), nil
		}
		client.Verified = level
	}
	if err := client.save(c); err != nil {
		return answer{}, err
	}
	return did(client.verification()), m.tell(c, "VERIFY", client.ID, told)
}

// reason returns what a rule has against a client; %d in its text is the client.
func (m mbanqClient) reason(code, text string) mbanqReason {
	return newMbanqReason("error.msg.client."+code, fmt.Sprintf(text, m.ID), "id", m.ID)
}

func (m mbanqClient) refused(code, text string) answer { return mbanqRefused(m.reason(code, text)) }

// mbanqRules are what a tenant's verification asks for: mbanq §5.
type mbanqRules struct {
	anyOf    bool // of a tax identifier and a physical ID, FULL asks for either
	scan     bool // FULL asks for a scan of the physical ID
	proof    bool // FULL asks for a proof of address
	verified bool // e-mail address and mobile number have to be verified
}

func readMbanqRules(c *call) (mbanqRules, error) {
	is, err := mbanqSettings(c, "full_requires", "scan_required", "proof_of_address", "contact_requires")
	return mbanqRules{
		anyOf: is["full_requires"] == "any_of", scan: is["scan_required"] == "yes",
		proof: is["proof_of_address"] == "yes", verified: is["contact_requires"] == "verified",
	}, err
}

// missing returns what a client lacked for a level at a time, in the codes of mbanq §8.
func (r mbanqRules) missing(client mbanqClient, level mbanqLevel, at time.Time) (all []mbanqReason) {
	lacks := func(code, text string) { all = append(all, client.reason("verify."+code, text)) }

	// Address.
	if !slices.ContainsFunc(client.Addresses, func(a mbanqAddress) bool { return a.TypeID == mbanqPrimaryAddress && a.Active }) {
		lacks("primary.address.required", "Client %d has no active primary address.")
	}

	// Identifiers.
	today := newMbanqDate(at)
	var listed, valid []mbanqIdentifier
	for _, identifier := range client.Identifiers {
		if identifier.counts() {
			listed = append(listed, identifier)
			if !identifier.expired(today) {
				valid = append(valid, identifier)
			}
		}
	}
	has := func(what func(mbanqIdentifier) bool) bool { return slices.ContainsFunc(valid, what) }
	physical := func(i mbanqIdentifier) bool { return isMbanqPhysicalID(i.TypeID) }
	hasTax, hasPhysical := has(func(i mbanqIdentifier) bool { return isMbanqTaxID(i.TypeID) }), has(physical)
	switch {
	case len(listed) == 0:
		lacks("identifier.required", "Client %d has no valid identifier document.")
	case len(valid) == 0:
		lacks("identifier.expired", "All identifier documents of client %d are expired.")
	}
	if level == mbanqFull {
		switch {
		case r.anyOf && !hasTax && !hasPhysical:
			lacks("physical.id.required", "Client %d has no SSN, ITIN or physical ID identifier.")
		case r.anyOf:
		default:
			if !hasTax {
				lacks("tax.identifier.required", "Client %d has no SSN or ITIN identifier.")
			}
			if !hasPhysical {
				lacks("physical.id.required", "Client %d has no physical ID identifier.")
			}
		}
		if r.scan && hasPhysical && !has(func(i mbanqIdentifier) bool { return physical(i) && i.Scans > 0 }) {
			lacks("physical.id.scan.required", "Client %d has no scan of a physical ID document.")
		}
	}

	// Contact.
	switch {
	case client.EmailAddress == "":
		lacks("email.required", "Client %d has no email address.")
	case r.verified && strings.HasSuffix(strings.ToLower(client.EmailAddress), "@unverified.example"):
		lacks("email.unverified", "The email address of client %d is not verified.")
	}
	switch {
	case client.MobileNo == "":
		lacks("mobile.required", "Client %d has no mobile number.")
	case r.verified && strings.HasSuffix(client.MobileNo, "0000"):
		lacks("mobile.unverified", "The mobile number of client %d is not verified.")
	}

	if level == mbanqFull && r.proof && !has(func(i mbanqIdentifier) bool { return i.TypeID == mbanqUtilityBill }) {
		lacks("proof.of.address.required", "Client %d has no proof of address document.")
	}
	return all
}

// activate is row 19 of mbanq §2.
func (m *mbanq) activate(c *call, client mbanqClient) (answer, error) {
	if mbanqFixtureOf(client.ExternalID).forbidden {
		return mbanqForbidden("ACTIVATE_CLIENT"), nil
	}

	// Input.
	in, err := readMbanq(c, "client", "activationDate dateFormat locale isActivatedByManualReview manualReviewActivationComments")
	if err != nil {
		return answer{}, err
	}
	in.dateLayout()
	on := in.date("activationDate", true)
	reviewed := in.boolean("isActivatedByManualReview", false)
	in.text("manualReviewActivationComments", reviewed, 1000)
	if refused, ok := in.refused(); ok {
		return refused, nil
	}
	modes, err := mbanqSettings(c, "already_active_status", "block_activation")
	if err != nil {
		return answer{}, err
	}

	// Where the client stands.
	const active, already = "error.msg.clients.already.active", "Cannot activate client. Client is already active."
	switch {
	case client.Active && modes["already_active_status"] == "400":
		return mbanqInvalid(newMbanqReason(active, already, "activationDate", on)), nil
	case client.Active:
		return mbanqRefused(newMbanqReason(active, already, "id", client.ID)), nil
	}
	if wrong := mbanqActivationOrder(c, client, on); wrong != nil {
		return mbanqInvalid(wrong...), nil
	}
	if client.Verified == "" && !reviewed && modes["block_activation"] == "yes" {
		return client.refused("activate.not.verified", "Client %d is not verified."), nil
	}

	// Effect: an active client. A verification that runs ends without a result.
	client.Active, client.ActivatedOn, client.Verifying = true, on, nil
	if err := client.save(c); err != nil {
		return answer{}, err
	}
	return did(client.result(nil)), m.tell(c, "ACTIVATE", client.ID, c.now)
}

// mbanqActivationOrder checks the day of an activation.
func mbanqActivationOrder(c *call, client mbanqClient, on mbanqDate) (wrong []mbanqReason) {
	if client.SubmittedOn > on {
		wrong = append(wrong, newMbanqReason("error.msg.clients.submittedOnDate.after.activation.date",
			"submitted date cannot be after the activation date", "submittedOnDate", client.SubmittedOn))
	}
	if on > newMbanqDate(c.now) {
		wrong = append(wrong, newMbanqReason("error.msg.clients.activationDate.in.the.future",
			"Activation date cannot be in the future.", "activationDate", on))
	}
	return wrong
}

// mbanqState is a verification's state with a number, whose values the contract leaves open.
type mbanqState struct {
	ID    int               `json:"id"`
	Value mbanqVerification `json:"value"`
}

func newMbanqState(state mbanqVerification) mbanqState {
	return mbanqState{1 + slices.Index([]mbanqVerification{mbanqPending, mbanqInProgress, mbanqApproved, mbanqRejected}, state), state}
}

// verificationStatus is row 18 of mbanq §2.
func (m *mbanq) verificationStatus(c *call) (answer, error) {
	id := c.request.PathValue("id")
	client, found, err := mbanqClientByID(c, id)
	switch {
	case err != nil:
		return answer{}, err
	case !found:
		return mbanqUnknownClient(id), nil
	}
	identifiers := []mbanqIdentifierView{}
	for _, identifier := range client.Identifiers {
		view := identifier.view(client.ID, false)
		state := mbanqPending
		if identifier.Review != "" {
			state = mbanqVerification(identifier.Review)
		}
		verification := newMbanqState(state)
		view.Verification = &verification
		identifiers = append(identifiers, view)
	}
	legalForm := mbanqLegalForm(client.LegalForm)
	type codeValue struct {
		Code  string `json:"code"`
		Value string `json:"value"`
	}
	return answer{status: http.StatusOK, body: encode(struct {
		ID                   int64                 `json:"id"`
		AccountNo            string                `json:"accountNo"`
		DisplayName          string                `json:"displayName"`
		LegalForm            codeValue             `json:"legalForm"`
		VerificationStatus   mbanqState            `json:"verificationStatus"`
		Identifiers          []mbanqIdentifierView `json:"identifiers"`
		MobileCountryCode    string                `json:"mobileCountryCode,omitzero"`
		ActiveDepositAccount int                   `json:"activeDepositAccount"`
		OfLoanCycle          int                   `json:"ofLoanCycle"`
		OfLoanActive         int                   `json:"ofLoanActive"`
	}{
		ID: client.ID, AccountNo: client.AccountNo, DisplayName: client.displayName(), LegalForm: codeValue{legalForm.Code, legalForm.Value},
		VerificationStatus: newMbanqState(client.state()), Identifiers: identifiers, MobileCountryCode: client.MobileCountryCode,
	})}, nil
}

// mbanqWebhook is the body of a webhook (mbanq §10).
type mbanqWebhook struct {
	Entity    string              `json:"entity"`
	Action    string              `json:"action"`
	TenantID  string              `json:"tenantId"`
	Timestamp time.Time           `json:"timestamp"`
	Payload   mbanqWebhookPayload `json:"payload"`
}

type mbanqWebhookPayload struct {
	ClientID   int64 `json:"clientId"`
	ResourceID int64 `json:"resourceId"`
}

// tell has a webhook sent that says what becomes of a client at a time.
func (m *mbanq) tell(c *call, action string, client int64, at time.Time) error {
	sent, err := c.setting("callbacks")
	if err != nil || sent == "lost" {
		return err
	}
	return c.callBackAt(at, "/callbacks/mbanq", encode(mbanqWebhook{"CLIENT", action, m.TenantID, at.UTC(), mbanqWebhookPayload{client, client}}))
}

// signWebhook signs the raw body (mbanq §10), in lower-case hex.
func (m *mbanq) signWebhook(_ *call, header http.Header, body []byte, forge bool) error {
	secret := m.WebhookSecret
	if forge {
		secret = "forged-" + digest(secret)
	}
	mac := hmac.New(sha512.New, []byte(secret))
	mac.Write(body)
	header.Set("signature", hex.EncodeToString(mac.Sum(nil)))
	var about mbanqWebhook
	if err := json.Unmarshal(body, &about); err != nil {
		return fmt.Errorf("sandbox: webhook: %w", err)
	}
	header.Set("X-Fineract-Entity", about.Entity)
	header.Set("X-Fineract-Action", about.Action)
	return nil
}

// mbanqTaken: any 2xx acknowledges, and ends the repeats; chosen, as the contract leaves it open.
func mbanqTaken(status int, _ []byte) (acknowledged, final bool) {
	return status/100 == 2, status/100 == 2
}
