package sandbox

import (
	"cmp"
	"crypto/rand"
	"net/http"
	"slices"
	"time"
)

// ironIdentification is one identification record: of what was submitted it knows what is shown again.
type ironIdentification struct {
	ID         string           `json:"id"`
	CustomerID string           `json:"customer_id"`
	SubPartner string           `json:"sub_partner,omitzero"`
	Type       ironCustomerType `json:"type"`  // of the customer
	Token      string           `json:"token"` // of the hosted page
	WithEDD    *bool            `json:"with_edd,omitzero"`
	Country    string           `json:"country,omitzero"` // of residence
	Moves      []ironMove       `json:"moves"`            // in the order of time; the first is its creation
	Numbers    int              `json:"numbers"`          // of moves that were given
}

// maxIronIdentifications is how many identifications one customer can have: the limit of iron §8, whose number is not
// published.
const maxIronIdentifications = 20

func (x *ironCall) identificationKey(id string) string { return x.space + ironIdentifications + id }

const ironIdentifications = "identification/"

// identification loads an identification that the call may see, and its customer.
func (x *ironCall) identification(id string) (d ironIdentification, customer ironCustomer, found bool, err error) {
	if found, err = load(x, x.identificationKey(id), &d); err != nil || !found || !x.sees(d.SubPartner) {
		return ironIdentification{}, ironCustomer{}, false, err
	}
	found, err = load(x, x.customerKey(d.CustomerID), &customer)
	return d, customer, found, err
}

// Keys of step_status (iron §6).
const (
	ironIdentity         = "identity"
	ironSelfie           = "selfie"
	ironProofOfResidence = "proof_of_residence"
	ironCompanyData      = "company_data"
	ironBeneficiaries    = "company_beneficiaries"
	ironDocuments        = "company_documents"
	ironQuestionnaire    = "questionnaire"
)

// steps returns the keys of step_status; the first is the one that is wanted once more where one is.
func (d ironIdentification) steps() []string { return ironSteps(d.Type) }

func ironSteps(customer ironCustomerType) []string {
	if customer == ironBusiness {
		return []string{ironDocuments, ironCompanyData, ironBeneficiaries, ironQuestionnaire}
	}
	return []string{ironIdentity, ironSelfie, ironProofOfResidence, ironQuestionnaire}
}

// ironStep is the status of one step.
type ironStep struct {
	Result  ironStatus `json:"result"`
	Retry   bool       `json:"retry"`
	Comment string     `json:"comment,omitzero"`
}

// stepStatus returns how the steps stand after a move.
func (d ironIdentification) stepStatus(at ironMove) map[string]ironStep {
	all := map[string]ironStep{}
	for _, name := range d.steps() {
		step := ironStep{Result: at.Status, Retry: at.Status == ironDeclined}
		if at.Status == ironPending {
			switch wanted := slices.Contains(at.Wants, name); {
			case wanted && at.Again:
				step = ironStep{Result: ironDeclined, Retry: true, Comment: "wanted once more"}
			case wanted:
				step.Retry = true
			default:
				step.Result = ironProcessed
			}
		}
		all[name] = step
	}
	return all
}

// ironIdentificationView is how an identification is shown (iron §6). What differs between API versions is not known: either
// shows all fields that say something.
type ironIdentificationView struct {
	ID               string              `json:"id"`
	CustomerID       string              `json:"customer_id"`
	Status           ironStatus          `json:"status"`
	CreatedAt        time.Time           `json:"created_at"`
	UpdatedAt        time.Time           `json:"updated_at"`
	URL              string              `json:"url,omitzero"`
	StepStatus       map[string]ironStep `json:"step_status"`
	ReviewComment    string              `json:"review_comment,omitzero"`
	WithEDD          *bool               `json:"with_edd,omitzero"`
	PartnerID        string              `json:"partner_id"`
	ResidenceCountry string              `json:"residence_country,omitzero"`
}

// identified shows an identification.
func (i *iron) identified(x *ironCall, customer ironCustomer, d ironIdentification) ironIdentificationView {
	at := d.stands(x.now)
	v := ironIdentificationView{
		ID: d.ID, CustomerID: d.CustomerID, Status: at.Status, CreatedAt: d.Moves[0].At, UpdatedAt: at.At,
		StepStatus: d.stepStatus(at), WithEDD: d.WithEDD, PartnerID: i.PartnerID,
	}
	switch {
	case at.Status == ironPending:
		v.URL = origin(x.request) + "/sandbox/iron/hosted/" + d.Token
	case at.Status == ironDeclined:
		v.ReviewComment = "declined by the sandbox"
	case at.Status == ironApproved && d.ID == customer.newest():
		v.ResidenceCountry = d.Country
	}
	return v
}

// createIdentification is iron §4 and §5; read reads the body of one of the two generations.
func (i *iron) createIdentification(read func(*ironCall, ironCustomerType) (ironSubmission, string, error)) func(*ironCall) (answer, error) {
	return func(x *ironCall) (answer, error) {
		customer, found, err := x.customer(x.request.PathValue("id"))
		switch {
		case err != nil:
			return answer{}, err
		case !found:
			return ironUnknown("customer"), nil
		case customer.Archived:
			return ironError(http.StatusForbidden, "customer is archived"), nil
		}

		// Input, and what the partner is allowed.
		submission, wrong, err := read(x, customer.Type)
		if err != nil {
			return answer{}, err
		}
		if wrong != "" {
			return ironInvalid(wrong), nil
		}
		if submission.outsourced {
			switch agreed, err := x.setting("outsourcing_agreement"); {
			case err != nil:
				return answer{}, err
			case agreed == "no":
				return ironError(http.StatusForbidden, "partner has no outsourcing agreement"), nil
			}
		}

		// Where the customer stands.
		newest, err := x.newestOf(customer)
		if err != nil {
			return answer{}, err
		}
		switch fixture := ironFixtureOf(customer.Email); {
		case newest != nil && newest.stands(x.now).Status == ironPending:
			return ironError(http.StatusConflict, "customer has a pending identification"), nil
		case fixture == ironThrottle, len(customer.Identifications) >= maxIronIdentifications:
			return ironError(http.StatusTooManyRequests, "too many identifications of this customer"), nil
		case fixture == ironBroken:
			return i.internal(), nil
		}
		before, err := x.statusNow(customer)
		if err != nil {
			return answer{}, err
		}

		// Effect: an identification, which takes the place of the one before.
		return i.identify(x, customer, submission, before)
	}
}

// identify creates an identification of a customer who stood somewhere before it.
func (i *iron) identify(x *ironCall, customer ironCustomer, submission ironSubmission, before ironCustomerStatus) (answer, error) {
	rules, err := x.rules(customer)
	if err != nil {
		return answer{}, err
	}
	d := ironIdentification{
		ID: i.newID(), CustomerID: customer.ID, SubPartner: cmp.Or(x.subPartner, customer.SubPartner), Type: customer.Type,
		Token: rand.Text(), WithEDD: submission.withEDD, Country: submission.country,
	}
	first := ironMove{At: x.now.UTC(), Status: ironProcessed}
	if len(submission.wants) > 0 {
		first.Status, first.Wants = ironPending, submission.wants
	}
	d.add(first)
	d.plan(x.clock, rules)
	customer.Identifications, customer.UpdatedAt = append(customer.Identifications, d.ID), x.now.UTC()
	for key, record := range map[string]any{
		x.identificationKey(d.ID): d, x.customerKey(customer.ID): customer, x.tokenKey(d.Token): d.ID,
	} {
		if err := save(x, key, record); err != nil {
			return answer{}, err
		}
	}

	// That it was created is not told, as the caller knows. What it means to the customer is.
	if err := i.tellChange(x, customer, before); err != nil {
		return answer{}, err
	}
	if err := i.tellMoves(x, customer, d, 1); err != nil {
		return answer{}, err
	}
	return did(answer{status: http.StatusCreated, body: encode(i.identified(x, customer, d))}), nil
}

// getIdentification shows an identification.
func (i *iron) getIdentification(x *ironCall) (answer, error) {
	d, customer, found, err := x.identification(x.request.PathValue("id"))
	switch {
	case err != nil:
		return answer{}, err
	case !found:
		return ironUnknown("identification"), nil
	}
	return answer{status: http.StatusOK, body: encode(i.identified(x, customer, d))}, nil
}

// listIdentifications shows the identifications of a customer, the newest first.
func (i *iron) listIdentifications(x *ironCall) (answer, error) {
	customer, found, err := x.customer(x.request.PathValue("id"))
	switch {
	case err != nil:
		return answer{}, err
	case !found:
		return ironUnknown("customer"), nil
	}
	var all []ironIdentificationView
	for _, id := range slices.Backward(customer.Identifications) {
		d, _, found, err := x.identification(id)
		if err != nil {
			return answer{}, err
		}
		if found {
			all = append(all, i.identified(x, customer, d))
		}
	}
	return ironPage(x.request, all, func(v ironIdentificationView) string { return v.ID }), nil
}

// archiveIdentification invalidates an identification for good. A second time does nothing.
func (i *iron) archiveIdentification(x *ironCall) (answer, error) {
	return i.move(x, ironArchived, func(at ironStatus) bool { return at != ironArchived }, i.getIdentification)
}

// decideIdentification is what a reviewer does, in one jump from wherever an identification is (iron §7).
func (i *iron) decideIdentification(x *ironCall) (answer, error) {
	if wrong := ironObject(need("approved", ironBool))("", x.body); wrong != "" {
		return ironInvalid(wrong), nil
	}
	to := ironDeclined
	if ironMember(x.body, "approved") == "true" {
		to = ironApproved
	}
	out, err := i.move(x, to, ironStatus.live, func(*ironCall) (answer, error) { return ironUnknown("pending identification"), nil })
	if out.effect {
		out.status = http.StatusCreated
	}
	return out, err
}

// move moves the identification in the path where its status allows it, and answers with it; else as otherwise does.
func (i *iron) move(x *ironCall, to ironStatus, from func(ironStatus) bool, otherwise func(*ironCall) (answer, error)) (answer, error) {
	d, customer, found, err := x.identification(x.request.PathValue("id"))
	switch {
	case err != nil:
		return answer{}, err
	case !found:
		return ironUnknown("identification"), nil
	case !from(d.stands(x.now).Status):
		return otherwise(x)
	}
	if err := i.turn(x, customer, d, ironMove{Status: to}); err != nil {
		return answer{}, err
	}
	out, err := i.getIdentification(x)
	return did(out), err
}
