package sandbox

import (
	"net/http"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
)

// onboardCustomer is E3 (digit9 §6): without ecrn it creates, with one it updates.
func (d *digit9) onboardCustomer(c *call) (answer, error) {
	// Input: its form, then the one master that decides.
	if invalid := invalidDigit9Fields(c.body); invalid != nil {
		return d.invalidField(invalid), nil
	}
	var in struct {
		ECRN string `json:"ecrn"`
		digit9Profile
	}
	if err := json.Unmarshal(c.body, &in); err != nil {
		return answer{}, err
	}
	if !slices.Contains(strings.Fields(digit9Nationalities), in.Nationality) {
		return d.onboardFailed(http.StatusBadRequest, 406, 45053, " Invalid Nationality "+in.Nationality+"!"), nil
	}
	if in.AgentLocationID == "" {
		in.AgentLocationID = digit9Agent
	}

	// The id that decides: the first whose number stands for something, else the first.
	decisive := max(0, slices.IndexFunc(in.IDDetails, func(id digit9ID) bool { return digit9FixtureOf(id.IDNumber).decides() }))
	number := in.IDDetails[decisive].IDNumber
	fixture := digit9FixtureOf(number)
	if fixture.onboardFails {
		return d.backendFailed(http.StatusBadGateway), nil
	}

	if in.ECRN != "" {
		customer, found, err := digit9CustomerByECRN(c, in.ECRN)
		switch {
		case err != nil:
			return answer{}, err
		case !found || fixture.updateFails:
			return d.onboardFailed(http.StatusNotFound, 404, 45032, "Customer update failed"), nil
		}
		return d.update(c, customer, in.digit9Profile, number)
	}

	// Is one of the ids known already?
	duplicates, err := c.setting("duplicate_ids")
	if err != nil {
		return answer{}, err
	}
	for _, id := range in.IDDetails {
		customer, found, err := digit9CustomerByID(c, id.id())
		switch {
		case err != nil:
			return answer{}, err
		case !found:
		case duplicates == "update":
			return d.update(c, customer, in.digit9Profile, number)
		case customer.barred() || customer.Known && customer.held():
			return d.refused(customer), nil
		}
	}

	// Effect: a customer.
	customer := digit9Customer{Profile: in.digit9Profile, Stands: fixture.onboarded}
	if customer.Stands == (digit9Standing{}) {
		customer.Stands = digit9Standing{CustomerStatus: customerActive, AMLScanStatus: amlAccepted}
	}
	if customer, err = newDigit9Customer(c, number, customer); err != nil {
		return answer{}, err
	}
	return did(d.onboarded(customer)), nil
}

// update replaces the profile of a customer who is neither barred nor held. For one who was KYC_PENDING and Accepted that is
// what was lacking (digit9 §11).
func (d *digit9) update(c *call, customer digit9Customer, profile digit9Profile, number string) (answer, error) {
	if customer.barred() || customer.held() {
		return d.refused(customer), nil
	}
	for _, id := range customer.Profile.IDDetails {
		ecrn, err := c.Get(id.id().key())
		if err != nil {
			return answer{}, err
		}
		if string(ecrn) == customer.ECRN {
			if err := c.Delete(id.id().key()); err != nil {
				return answer{}, err
			}
		}
	}
	for _, id := range profile.IDDetails {
		if err := c.Put(id.id().key(), []byte(customer.ECRN)); err != nil {
			return answer{}, err
		}
	}
	customer.Profile, customer.Known = profile, false
	if s := &customer.Stands; s.CustomerStatus == customerKYCPending && s.AMLScanStatus == amlAccepted {
		s.CustomerStatus = customerActive
	}
	return did(d.onboarded(customer)), customer.save(c, ending(number))
}

// onboarded answers for a customer who was created or updated.
func (d *digit9) onboarded(customer digit9Customer) answer {
	if customer.barred() || customer.held() {
		return d.refused(customer)
	}
	type data struct {
		AMLScanStatus  string `json:"aml_scan_status"`
		ECRN           string `json:"ecrn"`
		CustomerStatus string `json:"customer_status"`
		PEP            bool   `json:"pep"`
		AMLCategory    int    `json:"aml_category"`
	}
	return answer{status: http.StatusOK, body: encode(struct {
		Status     string `json:"status"`
		Data       data   `json:"data"`
		StatusCode int    `json:"status_code"`
		RequestID  string `json:"request_id"`
	}{"success", data{
		customer.Stands.AMLScanStatus, customer.ECRN, customer.Stands.CustomerStatus, customer.Profile.PoliticalExposed, 2,
	}, http.StatusOK, d.hexID()})}
}

// refused answers for a customer who is barred or held.
func (d *digit9) refused(customer digit9Customer) answer {
	if customer.barred() {
		return d.onboardFailed(http.StatusNotAcceptable, 406, 45051, "Customer "+customer.ECRN+" Cannot be Accepted")
	}
	return d.onboardFailed(http.StatusNotAcceptable, 406, 45013, "Customer "+customer.ECRN+" Under Compliance Investigation")
}

// onboardFailed returns a failure of onboarding, whose HTTP status is not always that of its body (digit9 §9.2).
func (d *digit9) onboardFailed(status, statusCode, errorCode int, message string) answer {
	return answer{status: status, body: encode(struct {
		RequestID  string `json:"request_id"`
		Status     string `json:"status"`
		StatusCode int    `json:"status_code"`
		ErrorCode  int    `json:"error_code"`
		Message    string `json:"message"`
	}{d.hexID(), "failed", statusCode, errorCode, message})}
}

// backendFailed returns the failure of what lies behind onboarding, whose members come in another order.
func (d *digit9) backendFailed(status int) answer {
	return answer{status: status, body: encode(struct {
		Status     string `json:"status"`
		Message    string `json:"message"`
		StatusCode int    `json:"status_code"`
		ErrorCode  int    `json:"error_code"`
		RequestID  string `json:"request_id"`
	}{"failed", "Backend Technical Problem", status, 40001, d.hexID()})}
}

// invalidField returns the failure that names fields, which is worded unlike the others (digit9 §9.2).
func (d *digit9) invalidField(details map[string]string) answer {
	return answer{status: http.StatusBadRequest, body: encode(struct {
		Status     string            `json:"status"`
		StatusCode int               `json:"status_code"`
		ErrorCode  int               `json:"error_code"`
		Message    string            `json:"message"`
		Details    map[string]string `json:"details"`
		RequestID  string            `json:"request_id"`
	}{"failure", 400, 40002, "Invalid format or missing mandatory request", details, d.hexID()})}
}

// onboardFailures are what an armed fault answers in the place of onboarding.
func (d *digit9) onboardFailures(c *call) failures {
	var empty string
	all := digit9GatewayFailures(c, "/api/v1/CAAS/onBoarding/customer", &empty)
	all.internal = d.backendFailed(http.StatusInternalServerError)
	return all
}
