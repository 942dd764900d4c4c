package iron

import (
	"cmp"
	"crypto/rand"
	"net/http"
	"slices"
	"time"

	"sallyport/functions/sandbox"
)

// identification is one identification record: of what was submitted it knows what is shown again.
type identification struct {
	ID         string       `json:"id"`
	CustomerID string       `json:"customer_id"`
	SubPartner string       `json:"sub_partner,omitzero"`
	Type       customerType `json:"type"`  // of the customer
	Token      string       `json:"token"` // of the hosted page
	WithEDD    *bool        `json:"with_edd,omitzero"`
	Country    string       `json:"country,omitzero"` // of residence
	Moves      []move       `json:"moves"`            // in the order of time; the first is its creation
	Numbers    int          `json:"numbers"`          // of moves that were given
}

// maxIdentifications is how many identifications one customer can have: the limit of §8, whose number is not
// published.
const maxIdentifications = 20

func (x *call) identificationKey(id string) string { return x.space + identificationsPrefix + id }

const identificationsPrefix = "identification/"

// identification loads an identification that the call may see, and its customer.
func (x *call) identification(id string) (d identification, customer customerRecord, found bool) {
	found = x.Load(x.identificationKey(id), &d) && x.sees(d.SubPartner) && x.Load(x.customerKey(d.CustomerID), &customer)
	return d, customer, found
}

// ofIdentification wraps an operation that is about the identification in the path.
func ofIdentification(handle func(*call, customerRecord, identification) sandbox.Answer) func(*call) sandbox.Answer {
	return func(x *call) sandbox.Answer {
		d, customer, found := x.identification(x.Request.PathValue("id"))
		if !found {
			return unknown("identification")
		}
		return handle(x, customer, d)
	}
}

// Keys of step_status (§6).
const (
	stepIdentity         = "identity"
	stepSelfie           = "selfie"
	stepProofOfResidence = "proof_of_residence"
	stepCompanyData      = "company_data"
	stepBeneficiaries    = "company_beneficiaries"
	stepDocuments        = "company_documents"
	stepQuestionnaire    = "questionnaire"
)

// steps returns the keys of step_status; the first is the one that is wanted once more where one is.
func (d identification) steps() []string { return stepsOf(d.Type) }

func stepsOf(customer customerType) []string {
	if customer == typeBusiness {
		return []string{stepDocuments, stepCompanyData, stepBeneficiaries, stepQuestionnaire}
	}
	return []string{stepIdentity, stepSelfie, stepProofOfResidence, stepQuestionnaire}
}

// stepView is the status of one step.
type stepView struct {
	Result  identificationStatus `json:"result"`
	Retry   bool                 `json:"retry"`
	Comment string               `json:"comment,omitzero"`
}

// stepStatus returns how the steps stand after a move.
func (d identification) stepStatus(at move) map[string]stepView {
	all := map[string]stepView{}
	for _, name := range d.steps() {
		step := stepView{Result: at.Status, Retry: at.Status == statusDeclined}
		if at.Status == statusPending {
			switch wanted := slices.Contains(at.Wants, name); {
			case wanted && at.Again:
				step = stepView{Result: statusDeclined, Retry: true, Comment: "wanted once more"}
			case wanted:
				step.Retry = true
			default:
				step.Result = statusProcessed
			}
		}
		all[name] = step
	}
	return all
}

// identificationView is how an identification is shown (§6). What differs between API versions is not known:
// either shows all fields that say something.
type identificationView struct {
	ID               string               `json:"id"`
	CustomerID       string               `json:"customer_id"`
	Status           identificationStatus `json:"status"`
	CreatedAt        time.Time            `json:"created_at"`
	UpdatedAt        time.Time            `json:"updated_at"`
	URL              string               `json:"url,omitzero"`
	StepStatus       map[string]stepView  `json:"step_status"`
	ReviewComment    string               `json:"review_comment,omitzero"`
	WithEDD          *bool                `json:"with_edd,omitzero"`
	PartnerID        string               `json:"partner_id"`
	ResidenceCountry string               `json:"residence_country,omitzero"`
}

// identified shows an identification.
func (i *simulation) identified(x *call, customer customerRecord, d identification) identificationView {
	at := d.stands(x.Now)
	v := identificationView{
		ID: d.ID, CustomerID: d.CustomerID, Status: at.Status, CreatedAt: d.Moves[0].At, UpdatedAt: at.At,
		StepStatus: d.stepStatus(at), WithEDD: d.WithEDD, PartnerID: i.PartnerID,
	}
	switch {
	case at.Status == statusPending:
		v.URL = x.Origin() + "/sandbox/iron/hosted/" + d.Token
	case at.Status == statusDeclined:
		v.ReviewComment = "declined by the sandbox"
	case at.Status == statusApproved && d.ID == customer.newest():
		v.ResidenceCountry = d.Country
	}
	return v
}

// createIdentification is §4 and §5; read reads the body of one of the two generations.
func (i *simulation) createIdentification(
	read func(*call, customerType) (submission submitted, wrong string),
) func(*call, customerRecord) sandbox.Answer {
	return func(x *call, customer customerRecord) sandbox.Answer {
		// Input, and what the partner is allowed.
		submission, wrong := read(x, customer.Type)
		switch {
		case wrong != "":
			return invalid(wrong)
		case submission.outsourced && x.Setting("outsourcing_agreement") == "no":
			return errorText(http.StatusForbidden, "partner has no outsourcing agreement")
		}

		// Where the customer stands.
		newest := x.newestOf(customer)
		switch fixture := fixtureOf(customer.Email); {
		case newest != nil && newest.stands(x.Now).Status == statusPending:
			return errorText(http.StatusConflict, "customer has a pending identification")
		case fixture == fixtureThrottle, len(customer.Identifications) >= maxIdentifications:
			return errorText(http.StatusTooManyRequests, "too many identifications of this customer")
		case fixture == fixtureBroken:
			return internal(x.Call)
		}

		// Effect: an identification, which takes the place of the one before.
		return i.identify(x, customer, submission)
	}
}

// identify creates an identification.
func (i *simulation) identify(x *call, customer customerRecord, submission submitted) sandbox.Answer {
	before := x.statusNow(customer)
	d := identification{
		ID: x.NewID(), CustomerID: customer.ID, SubPartner: cmp.Or(x.subPartner, customer.SubPartner), Type: customer.Type,
		Token: rand.Text(), WithEDD: submission.withEDD, Country: submission.country,
	}
	first := move{At: x.Now.UTC(), Status: statusProcessed}
	if len(submission.wants) > 0 {
		first.Status, first.Wants = statusPending, submission.wants
	}
	d.add(first)
	d.plan(x, x.rules(customer))
	customer.Identifications, customer.UpdatedAt = append(customer.Identifications, d.ID), x.Now.UTC()
	x.Save(x.identificationKey(d.ID), d)
	x.Save(x.customerKey(customer.ID), customer)
	x.Save(x.tokenKey(d.Token), d.ID)

	// That it was created is not told, as the caller knows. What it means to the customer is.
	i.tellChange(x, customer, before)
	i.tellMoves(x, customer, d, 1)
	return sandbox.JSON(http.StatusCreated, i.identified(x, customer, d)).WithEffect()
}

// getIdentification shows an identification.
func (i *simulation) getIdentification(x *call, customer customerRecord, d identification) sandbox.Answer {
	return sandbox.JSON(http.StatusOK, i.identified(x, customer, d))
}

// listIdentifications shows the identifications of a customer, the newest first.
func (i *simulation) listIdentifications(x *call, customer customerRecord) sandbox.Answer {
	var all []identificationView
	for _, id := range slices.Backward(customer.Identifications) {
		if d, _, found := x.identification(id); found {
			all = append(all, i.identified(x, customer, d))
		}
	}
	return paginate(x.Request, all, func(v identificationView) string { return v.ID })
}

// archiveIdentification invalidates an identification for good. A second time does nothing.
func (i *simulation) archiveIdentification(x *call, customer customerRecord, d identification) sandbox.Answer {
	if d.stands(x.Now).Status == statusArchived {
		return i.getIdentification(x, customer, d)
	}
	d = i.transition(x, customer, d, move{Status: statusArchived})
	return i.getIdentification(x, customer, d).WithEffect()
}

// decideIdentification is what a reviewer does, in one jump from wherever an identification is (§7).
func (i *simulation) decideIdentification(x *call) sandbox.Answer {
	if wrong := object(need("approved", boolean))("", x.Body); wrong != "" {
		return invalid(wrong)
	}
	to := statusDeclined
	if memberOf(x.Body, "approved") == "true" {
		to = statusApproved
	}
	return ofIdentification(func(x *call, customer customerRecord, d identification) sandbox.Answer {
		if !d.stands(x.Now).Status.live() {
			return unknown("pending identification")
		}
		d = i.transition(x, customer, d, move{Status: to})
		return sandbox.JSON(http.StatusCreated, i.identified(x, customer, d)).WithEffect()
	})(x)
}
