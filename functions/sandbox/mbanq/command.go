package mbanq

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"sallyport/functions/sandbox"
)

// kycLevel is a kycVerificationType.
type kycLevel string

const (
	kycPartial kycLevel = "PARTIAL"
	kycFull    kycLevel = "FULL"
)

// verificationState is a clientVerificationStatus, and taken for a clientKycStatus as well (§4).
type verificationState string

const (
	verificationPending    verificationState = "PENDING"
	verificationInProgress verificationState = "IN_PROGRESS"
	verificationApproved   verificationState = "APPROVED"
	verificationRejected   verificationState = "REJECTED"
)

// verifying is a verification that runs, where the tenant's runs apart from the call (§5).
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
func (m *clientRecord) settle(c *sandbox.Call) {
	if m.Verifying == nil || c.Now.Before(m.Verifying.Until) {
		return
	}
	if len(readVerifyRules(c).missing(*m, m.Verifying.Level, m.Verifying.Until)) == 0 {
		m.Verified = m.Verifying.Level
	}
	m.Rejected = m.Verified == ""
	m.Verifying = nil
}

// stumbling wraps the commands with the fixtures whose first one meets trouble and does nothing.
func stumbling(handle sandbox.Handler) sandbox.Handler {
	return func(c *sandbox.Call) sandbox.Answer {
		client, found := clientByID(c, c.Request.PathValue("id"))
		fixture := fixtureOf(client.ExternalID)
		var out sandbox.Answer
		switch {
		case !found || client.Stumbled:
			return handle(c)
		case fixture.conflicts:
			out = conflict(client.ID)
		case fixture.running && idempotencyKey(c) != "":
			out = sandbox.Answer{Status: http.StatusTooEarly, Body: c.Body, Header: servedFromCache()}
		default:
			return handle(c)
		}
		client.Stumbled = true
		client.save(c)
		return out
	}
}

// clientCommand is rows 17 and 19 of §2. The others that Fineract has are not simulated.
func (m *simulation) clientCommand(c *sandbox.Call, client clientRecord) sandbox.Answer {
	query := c.Request.URL.Query()
	command := query.Get("command")
	switch {
	case strings.EqualFold(command, "verify"):
		return m.verify(c, client)
	case strings.EqualFold(command, "activate"):
		return m.activate(c, client)
	case !query.Has("command"):
		return unsupportedQuery("command", nil)
	}
	return unsupportedQuery("command", command)
}

// verification is what verify answers, whose members come in another order. That it is 200 proves nothing (§5).
func (m clientRecord) verification() sandbox.Answer {
	return sandbox.OK(
		"id", m.ID, "clientId", m.ID, "officeId", m.OfficeID, "resourceId", m.ID,
		"data", sandbox.Object("clientVerificationStatus", m.state(), "clientKycStatus", m.state()),
	)
}

// verify is row 17 of §2.
func (m *simulation) verify(c *sandbox.Call, client clientRecord) sandbox.Answer {
	// Input.
	in := readInput(c, "client", "kycVerificationType note")
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
		return refused
	}

	// Where the client stands: a repeat does nothing, a higher level is an upgrade.
	switch {
	case client.Active:
		return client.refused("verify.not.pending", "Client %d is not pending.")
	case client.Verifying != nil:
		return client.verification()
	case client.Verified == "" || client.Verified == kycPartial && level == kycFull:
	case c.Setting("reverify") == "refused":
		return client.refused("verify.already.verified", "Client %d is already verified.")
	default:
		return client.verification()
	}

	// Effect: the client is verified, or will be.
	told := c.Now
	if c.Setting("verify") == "async" {
		told = c.Now.Add(c.Real(verificationTime))
		client.Verifying = &verifying{level, told.UTC()}
	} else {
		missing := readVerifyRules(c).missing(client, level, c.Now)
		switch {
		case len(missing) > 0 && c.Setting("errors") == "first_only":
			return refused(missing[0])
		case len(missing) > 0:
			return refused(missing...)
		}
		client.Verified = level
	}
	client.save(c)
	m.tell(c, "VERIFY", client.ID, told)
	return client.verification().WithEffect()
}

// reason returns what a rule has against a client; %d in its text is the client.
func (m clientRecord) reason(code, text string) reason {
	return newReason("error.msg.client."+code, fmt.Sprintf(text, m.ID), "id", m.ID)
}

func (m clientRecord) refused(code, text string) sandbox.Answer { return refused(m.reason(code, text)) }

// verifyRules are what a tenant's verification asks for: §5.
type verifyRules struct {
	anyOf    bool // of a tax identifier and a physical ID, FULL asks for either
	scan     bool // FULL asks for a scan of the physical ID
	proof    bool // FULL asks for a proof of address
	verified bool // e-mail address and mobile number have to be verified
}

func readVerifyRules(c *sandbox.Call) verifyRules {
	return verifyRules{
		anyOf: c.Setting("full_requires") == "any_of", scan: c.Setting("scan_required") == "yes",
		proof: c.Setting("proof_of_address") == "yes", verified: c.Setting("contact_requires") == "verified",
	}
}

// missing returns what a client lacked for a level at a time, in the codes of §8.
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

// activate is row 19 of §2.
func (m *simulation) activate(c *sandbox.Call, client clientRecord) sandbox.Answer {
	if fixtureOf(client.ExternalID).forbidden {
		return forbidden("ACTIVATE_CLIENT")
	}

	// Input.
	in := readInput(
		c, "client", "activationDate dateFormat locale isActivatedByManualReview manualReviewActivationComments",
	)
	in.dateLayout()
	on := in.date("activationDate", true)
	reviewed := in.boolean("isActivatedByManualReview", false)
	reviewed = in.text("manualReviewActivationComments", reviewed && in.strict, 1000) != "" && reviewed
	if refused, ok := in.refused(); ok {
		return refused
	}

	// Where the client stands.
	const active, already = "error.msg.clients.already.active", "Cannot activate client. Client is already active."
	switch {
	case client.Active && c.Setting("already_active_status") == "400":
		return invalid(newReason(active, already, "activationDate", on))
	case client.Active:
		return refused(newReason(active, already, "id", client.ID))
	}
	if wrong := activationOrder(c, client, on); wrong != nil {
		return invalid(wrong...)
	}
	if client.Verified == "" && !reviewed && c.Setting("block_activation") == "yes" {
		return client.refused("activate.not.verified", "Client %d is not verified.")
	}

	// Effect: an active client. A verification that runs ends without a result.
	client.Active, client.ActivatedOn, client.Verifying = true, on, nil
	client.save(c)
	m.tell(c, "ACTIVATE", client.ID, c.Now)
	return client.result().WithEffect()
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
func stateView(state verificationState) jsontext.Value {
	all := []verificationState{verificationPending, verificationInProgress, verificationApproved, verificationRejected}
	return sandbox.Object("id", 1+slices.Index(all, state), "value", state)
}

// verificationStatus is row 18 of §2.
func (m *simulation) verificationStatus(c *sandbox.Call, client clientRecord) sandbox.Answer {
	identifiers := []jsontext.Value{}
	for _, identifier := range client.Identifiers {
		state := cmp.Or(verificationState(identifier.Review), verificationPending)
		identifiers = append(identifiers, identifier.view(client.ID, false, stateView(state)))
	}
	form := legalFormOf(client.LegalForm)
	return sandbox.OK(
		"id", client.ID, "accountNo", client.AccountNo, "displayName", client.displayName(),
		"legalForm", sandbox.Object("code", form.Code, "value", form.Value),
		"verificationStatus", stateView(client.state()), "identifiers", identifiers,
		"mobileCountryCode", sandbox.Optional(client.MobileCountryCode),
		"activeDepositAccount", 0, "ofLoanCycle", 0, "ofLoanActive", 0,
	)
}

// tell has a webhook sent (§10) that says what becomes of a client at a time.
func (m *simulation) tell(c *sandbox.Call, action string, client int64, at time.Time) {
	if c.Setting("callbacks") == "sent" {
		c.CallBackAt(at, "/callbacks/mbanq",
			sandbox.Object("entity", "CLIENT", "action", action, "tenantId", m.TenantID, "timestamp", at.UTC(),
				"payload", sandbox.Object("clientId", client, "resourceId", client)))
	}
}

// signWebhook signs the raw body (§10), in lower-case hex.
func (m *simulation) signWebhook(c *sandbox.Call, header http.Header, body []byte, forge bool) {
	secret := m.WebhookSecret
	if forge {
		secret = "forged-" + sandbox.Digest(secret)
	}
	mac := hmac.New(sha512.New, []byte(secret))
	mac.Write(body)
	header.Set("signature", hex.EncodeToString(mac.Sum(nil)))
	var about struct {
		Entity string `json:"entity"`
		Action string `json:"action"`
	}
	c.Decode(body, &about)
	header.Set("X-Fineract-Entity", about.Entity)
	header.Set("X-Fineract-Action", about.Action)
}
