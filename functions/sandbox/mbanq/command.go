package mbanq

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

	"sallyport/functions/sandbox"
)

// kycLevel is a kycVerificationType.
type kycLevel string

const (
	kycPartial kycLevel = "PARTIAL"
	kycFull    kycLevel = "FULL"
)

// verificationState is a clientVerificationStatus, and taken for a clientKycStatus as well (mbanq §4).
type verificationState string

const (
	verificationPending    verificationState = "PENDING"
	verificationInProgress verificationState = "IN_PROGRESS"
	verificationApproved   verificationState = "APPROVED"
	verificationRejected   verificationState = "REJECTED"
)

// verifying is a verification that runs, where the tenant's runs apart from the call (mbanq §5).
type verifying struct {
	Level kycLevel  `json:"level"`
	Until time.Time `json:"until"` // real; later it is over
}

// verificationTime is how long such a one takes, in sandbox time.
const verificationTime = 30 * time.Second

func (m clientRecord) state() verificationState {
	switch {
	case m.Verifying != nil:
		return verificationInProgress
	case m.Verified != "":
		return verificationApproved
	case m.Rejected:
		return verificationRejected
	}
	return verificationPending
}

// settle ends a verification whose time is over, by the rules as they are now and the client as it was then: whoever
// changes a client settles it first. One that fails takes nothing away from a client who is verified at the lower
// level.
func (m *clientRecord) settle(c *sandbox.Call) error {
	if m.Verifying == nil || c.Now.Before(m.Verifying.Until) {
		return nil
	}
	rules, err := readVerifyRules(c)
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
func (m *simulation) stumbling(
	handle func(*sandbox.Call) (sandbox.Answer, error),
) func(*sandbox.Call) (sandbox.Answer, error) {
	return func(c *sandbox.Call) (sandbox.Answer, error) {
		client, found, err := clientByID(c, c.Request.PathValue("id"))
		if err != nil {
			return sandbox.Answer{}, err
		}
		key, err := idempotencyKey(c)
		if err != nil {
			return sandbox.Answer{}, err
		}
		fixture := fixtureOf(client.ExternalID)
		var out sandbox.Answer
		switch {
		case !found || client.Stumbled:
			return handle(c)
		case fixture.conflicts:
			out = conflict(client.ID)
		case fixture.running && key != "":
			out = sandbox.Answer{Status: http.StatusTooEarly, Body: c.Body, Header: servedFromCache()}
		default:
			return handle(c)
		}
		client.Stumbled = true
		return out, client.save(c)
	}
}

// clientCommand is rows 17 and 19 of mbanq §2. The others that Fineract has are not simulated.
func (m *simulation) clientCommand(c *sandbox.Call) (sandbox.Answer, error) {
	id := c.Request.PathValue("id")
	client, found, err := clientByID(c, id)
	if err != nil {
		return sandbox.Answer{}, err
	}
	query := c.Request.URL.Query()
	command := query.Get("command")
	switch {
	case !found:
		return unknownClient(id), nil
	case strings.EqualFold(command, "verify"):
		return m.verify(c, client)
	case strings.EqualFold(command, "activate"):
		return m.activate(c, client)
	case !query.Has("command"):
		return unsupportedQuery("command", nil), nil
	}
	return unsupportedQuery("command", command), nil
}

// kycResult is what verify says of a client. That it answers 200 proves nothing (mbanq §5).
type kycResult struct {
	VerificationStatus verificationState `json:"clientVerificationStatus"`
	KYCStatus          verificationState `json:"clientKycStatus"`
}

func (m clientRecord) verification() sandbox.Answer {
	return m.result(&kycResult{m.state(), m.state()})
}

// verify is row 17 of mbanq §2.
func (m *simulation) verify(c *sandbox.Call, client clientRecord) (sandbox.Answer, error) {
	// Input.
	in, err := readInput(c, "client", "kycVerificationType note")
	if err != nil {
		return sandbox.Answer{}, err
	}
	level := kycLevel(in.text("kycVerificationType", false, 100))
	if level != "" && level != kycPartial && level != kycFull {
		in.reject("kycVerificationType", "is.not.one.of.expected.enumerations",
			"The parameter `kycVerificationType` must be one of [ PARTIAL, FULL ] .", string(level), "PARTIAL", "FULL")
	}
	if level == "" {
		level = kycFull
	}
	in.text("note", false, 1000)
	if refused, ok := in.refused(); ok {
		return refused, nil
	}
	modes, err := settingsOf(c, "verify", "reverify", "errors")
	if err != nil {
		return sandbox.Answer{}, err
	}

	// Where the client stands: a repeat does nothing, a higher level is an upgrade.
	switch {
	case client.Active:
		return client.refused("verify.not.pending", "Client %d is not pending."), nil
	case client.Verifying != nil:
		return client.verification(), nil
	case client.Verified == "" || client.Verified == kycPartial && level == kycFull:
	case modes["reverify"] == "refused":
		return client.refused("verify.already.verified", "Client %d is already verified."), nil
	default:
		return client.verification(), nil
	}

	// Effect: the client is verified, or will be.
	told := c.Now
	if modes["verify"] == "async" {
		told = c.Now.Add(c.Real(verificationTime))
		client.Verifying = &verifying{level, told.UTC()}
	} else {
		rules, err := readVerifyRules(c)
		if err != nil {
			return sandbox.Answer{}, err
		}
		missing := rules.missing(client, level, c.Now)
		switch {
		case len(missing) > 0 && modes["errors"] == "first_only":
			return refused(missing[0]), nil
		case len(missing) > 0:
			return refused(missing...), nil
		}
		client.Verified = level
	}
	if err := client.save(c); err != nil {
		return sandbox.Answer{}, err
	}
	return client.verification().WithEffect(), m.tell(c, "VERIFY", client.ID, told)
}

// reason returns what a rule has against a client; %d in its text is the client.
func (m clientRecord) reason(code, text string) reason {
	return newReason("error.msg.client."+code, fmt.Sprintf(text, m.ID), "id", m.ID)
}

func (m clientRecord) refused(code, text string) sandbox.Answer { return refused(m.reason(code, text)) }

// verifyRules are what a tenant's verification asks for: mbanq §5.
type verifyRules struct {
	anyOf    bool // of a tax identifier and a physical ID, FULL asks for either
	scan     bool // FULL asks for a scan of the physical ID
	proof    bool // FULL asks for a proof of address
	verified bool // e-mail address and mobile number have to be verified
}

func readVerifyRules(c *sandbox.Call) (verifyRules, error) {
	is, err := settingsOf(c, "full_requires", "scan_required", "proof_of_address", "contact_requires")
	return verifyRules{
		anyOf: is["full_requires"] == "any_of", scan: is["scan_required"] == "yes",
		proof: is["proof_of_address"] == "yes", verified: is["contact_requires"] == "verified",
	}, err
}

// missing returns what a client lacked for a level at a time, in the codes of mbanq §8.
func (r verifyRules) missing(client clientRecord, level kycLevel, at time.Time) (all []reason) {
	lacks := func(code, text string) { all = append(all, client.reason("verify."+code, text)) }

	// Address.
	if !slices.ContainsFunc(client.Addresses, func(a address) bool { return a.TypeID == primaryAddress && a.Active }) {
		lacks("primary.address.required", "Client %d has no active primary address.")
	}

	// Identifiers.
	today := newDate(at)
	var listed, valid []identifierRecord
	for _, identifier := range client.Identifiers {
		if identifier.counts() {
			listed = append(listed, identifier)
			if !identifier.expired(today) {
				valid = append(valid, identifier)
			}
		}
	}
	has := func(what func(identifierRecord) bool) bool { return slices.ContainsFunc(valid, what) }
	physical := func(i identifierRecord) bool { return isPhysicalID(i.TypeID) }
	hasTax, hasPhysical := has(func(i identifierRecord) bool { return isTaxID(i.TypeID) }), has(physical)
	switch {
	case len(listed) == 0:
		lacks("identifier.required", "Client %d has no valid identifier document.")
	case len(valid) == 0:
		lacks("identifier.expired", "All identifier documents of client %d are expired.")
	}
	if level == kycFull {
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
		if r.scan && hasPhysical && !has(func(i identifierRecord) bool { return physical(i) && i.Scans > 0 }) {
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

	if level == kycFull && r.proof && !has(func(i identifierRecord) bool { return i.TypeID == utilityBill }) {
		lacks("proof.of.address.required", "Client %d has no proof of address document.")
	}
	return all
}

// activate is row 19 of mbanq §2.
func (m *simulation) activate(c *sandbox.Call, client clientRecord) (sandbox.Answer, error) {
	if fixtureOf(client.ExternalID).forbidden {
		return forbidden("ACTIVATE_CLIENT"), nil
	}

	// Input.
	in, err := readInput(
		c, "client", "activationDate dateFormat locale isActivatedByManualReview manualReviewActivationComments",
	)
	if err != nil {
		return sandbox.Answer{}, err
	}
	in.dateLayout()
	on := in.date("activationDate", true)
	reviewed := in.boolean("isActivatedByManualReview", false)
	in.text("manualReviewActivationComments", reviewed, 1000)
	if refused, ok := in.refused(); ok {
		return refused, nil
	}
	modes, err := settingsOf(c, "already_active_status", "block_activation")
	if err != nil {
		return sandbox.Answer{}, err
	}

	// Where the client stands.
	const active, already = "error.msg.clients.already.active", "Cannot activate client. Client is already active."
	switch {
	case client.Active && modes["already_active_status"] == "400":
		return invalid(newReason(active, already, "activationDate", on)), nil
	case client.Active:
		return refused(newReason(active, already, "id", client.ID)), nil
	}
	if wrong := activationOrder(c, client, on); wrong != nil {
		return invalid(wrong...), nil
	}
	if client.Verified == "" && !reviewed && modes["block_activation"] == "yes" {
		return client.refused("activate.not.verified", "Client %d is not verified."), nil
	}

	// Effect: an active client. A verification that runs ends without a result.
	client.Active, client.ActivatedOn, client.Verifying = true, on, nil
	if err := client.save(c); err != nil {
		return sandbox.Answer{}, err
	}
	return client.result(nil).WithEffect(), m.tell(c, "ACTIVATE", client.ID, c.Now)
}

// activationOrder checks the day of an activation.
func activationOrder(c *sandbox.Call, client clientRecord, on date) (wrong []reason) {
	if client.SubmittedOn > on {
		wrong = append(wrong, newReason("error.msg.clients.submittedOnDate.after.activation.date",
			"submitted date cannot be after the activation date", "submittedOnDate", client.SubmittedOn))
	}
	if on > newDate(c.Now) {
		wrong = append(wrong, newReason("error.msg.clients.activationDate.in.the.future",
			"Activation date cannot be in the future.", "activationDate", on))
	}
	return wrong
}

// stateView is a verification's state with a number, whose values the contract leaves open.
type stateView struct {
	ID    int               `json:"id"`
	Value verificationState `json:"value"`
}

func newStateView(state verificationState) stateView {
	return stateView{
		1 + slices.Index(
			[]verificationState{verificationPending, verificationInProgress, verificationApproved, verificationRejected}, state,
		),
		state,
	}
}

// verificationStatus is row 18 of mbanq §2.
func (m *simulation) verificationStatus(c *sandbox.Call) (sandbox.Answer, error) {
	id := c.Request.PathValue("id")
	client, found, err := clientByID(c, id)
	switch {
	case err != nil:
		return sandbox.Answer{}, err
	case !found:
		return unknownClient(id), nil
	}
	identifiers := []identifierView{}
	for _, identifier := range client.Identifiers {
		view := identifier.view(client.ID, false)
		state := verificationPending
		if identifier.Review != "" {
			state = verificationState(identifier.Review)
		}
		verification := newStateView(state)
		view.Verification = &verification
		identifiers = append(identifiers, view)
	}
	legalForm := legalFormOf(client.LegalForm)
	type codeValue struct {
		Code  string `json:"code"`
		Value string `json:"value"`
	}
	return sandbox.JSON(http.StatusOK, struct {
		ID                   int64            `json:"id"`
		AccountNo            string           `json:"accountNo"`
		DisplayName          string           `json:"displayName"`
		LegalForm            codeValue        `json:"legalForm"`
		VerificationStatus   stateView        `json:"verificationStatus"`
		Identifiers          []identifierView `json:"identifiers"`
		MobileCountryCode    string           `json:"mobileCountryCode,omitzero"`
		ActiveDepositAccount int              `json:"activeDepositAccount"`
		OfLoanCycle          int              `json:"ofLoanCycle"`
		OfLoanActive         int              `json:"ofLoanActive"`
	}{
		ID: client.ID, AccountNo: client.AccountNo, DisplayName: client.displayName(),
		LegalForm:          codeValue{legalForm.Code, legalForm.Value},
		VerificationStatus: newStateView(client.state()), Identifiers: identifiers,
		MobileCountryCode: client.MobileCountryCode,
	}), nil
}

// webhook is the body of a webhook (mbanq §10).
type webhook struct {
	Entity    string         `json:"entity"`
	Action    string         `json:"action"`
	TenantID  string         `json:"tenantId"`
	Timestamp time.Time      `json:"timestamp"`
	Payload   webhookPayload `json:"payload"`
}

type webhookPayload struct {
	ClientID   int64 `json:"clientId"`
	ResourceID int64 `json:"resourceId"`
}

// tell has a webhook sent that says what becomes of a client at a time.
func (m *simulation) tell(c *sandbox.Call, action string, client int64, at time.Time) error {
	sent, err := c.Setting("callbacks")
	if err != nil || sent == "lost" {
		return err
	}
	return c.CallBackAt(
		at, "/callbacks/mbanq",
		sandbox.Encode(webhook{"CLIENT", action, m.TenantID, at.UTC(), webhookPayload{client, client}}),
	)
}

// signWebhook signs the raw body (mbanq §10), in lower-case hex.
func (m *simulation) signWebhook(_ *sandbox.Call, header http.Header, body []byte, forge bool) error {
	secret := m.WebhookSecret
	if forge {
		secret = "forged-" + sandbox.Digest(secret)
	}
	mac := hmac.New(sha512.New, []byte(secret))
	mac.Write(body)
	header.Set("signature", hex.EncodeToString(mac.Sum(nil)))
	var about webhook
	if err := json.Unmarshal(body, &about); err != nil {
		return fmt.Errorf("sandbox: webhook: %w", err)
	}
	header.Set("X-Fineract-Entity", about.Entity)
	header.Set("X-Fineract-Action", about.Action)
	return nil
}

// taken: any 2xx acknowledges, and ends the repeats; chosen, as the contract leaves it open.
func taken(status int, _ []byte) (acknowledged, final bool) {
	return status/100 == 2, status/100 == 2
}
