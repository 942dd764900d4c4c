package digit9

import (
	"net/http"
	"slices"
	"strings"

	"sallyport/functions/sandbox"
)

// onboardCustomer is E3 (digit9 §6): without ecrn it creates, with one it updates.
func onboardCustomer(c *sandbox.Call) sandbox.Answer {
	// Input: its form, then the one master that decides.
	if invalid := invalidFields(c.Body); invalid != nil {
		return invalidField(c, invalid)
	}
	var in struct {
		ECRN string `json:"ecrn"`
		customerProfile
	}
	c.Decode(c.Body, &in)
	if !slices.Contains(strings.Fields(nationalities), in.Nationality) {
		return onboardFailed(c, http.StatusBadRequest, 406, 45053, " Invalid Nationality "+in.Nationality+"!")
	}
	if in.AgentLocationID == "" {
		in.AgentLocationID = ownAgent
	}

	// The id that decides: the first whose number stands for something, else the first.
	decisive := max(0, slices.IndexFunc(in.IDDetails, func(id idDetail) bool { return fixtureOf(id.IDNumber).decides() }))
	number := in.IDDetails[decisive].IDNumber
	fixture := fixtureOf(number)
	if fixture.onboardFails {
		return backendFailed(c, http.StatusBadGateway)
	}

	if in.ECRN != "" {
		customer, found := customerByECRN(c, in.ECRN)
		if !found || fixture.updateFails {
			return onboardFailed(c, http.StatusNotFound, 404, 45032, "Customer update failed")
		}
		return updateCustomer(c, customer, in.customerProfile, number)
	}

	// Is one of the ids known already?
	duplicates := c.Setting("duplicate_ids")
	for _, id := range in.IDDetails {
		customer, found := customerByID(c, id.id())
		switch {
		case !found:
		case duplicates == "update":
			return updateCustomer(c, customer, in.customerProfile, number)
		case customer.barred() || customer.Known && customer.held():
			return refused(c, customer)
		}
	}

	// Effect: a customer.
	customer := customerRecord{Profile: in.customerProfile, Stands: fixture.onboarded}
	if customer.Stands == (standing{}) {
		customer.Stands = standing{CustomerStatus: customerActive, AMLScanStatus: amlAccepted}
	}
	return onboarded(c, newCustomer(c, number, customer)).WithEffect()
}

// updateCustomer replaces the profile of a customer who is neither barred nor held. For one who was KYC_PENDING and
// Accepted that is what was lacking (digit9 §11).
func updateCustomer(c *sandbox.Call, customer customerRecord, profile customerProfile, number string) sandbox.Answer {
	if customer.barred() || customer.held() {
		return refused(c, customer)
	}
	for _, id := range customer.Profile.IDDetails {
		if string(c.Get(id.id().key())) == customer.ECRN {
			c.Delete(id.id().key())
		}
	}
	for _, id := range profile.IDDetails {
		c.Put(id.id().key(), []byte(customer.ECRN))
	}
	customer.Profile, customer.Known = profile, false
	if s := &customer.Stands; s.CustomerStatus == customerKYCPending && s.AMLScanStatus == amlAccepted {
		s.CustomerStatus = customerActive
	}
	customer.save(c, ending(number))
	return onboarded(c, customer).WithEffect()
}

// onboarded answers for a customer who was created or updated.
func onboarded(c *sandbox.Call, customer customerRecord) sandbox.Answer {
	if customer.barred() || customer.held() {
		return refused(c, customer)
	}
	type data struct {
		AMLScanStatus  string `json:"aml_scan_status"`
		ECRN           string `json:"ecrn"`
		CustomerStatus string `json:"customer_status"`
		PEP            bool   `json:"pep"`
		AMLCategory    int    `json:"aml_category"`
	}
	return sandbox.JSON(http.StatusOK, struct {
		Status     string `json:"status"`
		Data       data   `json:"data"`
		StatusCode int    `json:"status_code"`
		RequestID  string `json:"request_id"`
	}{"success", data{
		customer.Stands.AMLScanStatus, customer.ECRN, customer.Stands.CustomerStatus, customer.Profile.PoliticalExposed, 2,
	}, http.StatusOK, c.NewHexID()})
}

// refused answers for a customer who is barred or held.
func refused(c *sandbox.Call, customer customerRecord) sandbox.Answer {
	if customer.barred() {
		return onboardFailed(c, http.StatusNotAcceptable, 406, 45051, "Customer "+customer.ECRN+" Cannot be Accepted")
	}
	return onboardFailed(
		c, http.StatusNotAcceptable, 406, 45013, "Customer "+customer.ECRN+" Under Compliance Investigation",
	)
}

// onboardFailed returns a failure of onboarding, whose HTTP status is not always that of its body (digit9 §9.2).
func onboardFailed(c *sandbox.Call, status, statusCode, errorCode int, message string) sandbox.Answer {
	return sandbox.JSON(status, struct {
		RequestID  string `json:"request_id"`
		Status     string `json:"status"`
		StatusCode int    `json:"status_code"`
		ErrorCode  int    `json:"error_code"`
		Message    string `json:"message"`
	}{c.NewHexID(), "failed", statusCode, errorCode, message})
}

// backendFailed returns the failure of what lies behind onboarding, whose members come in another order.
func backendFailed(c *sandbox.Call, status int) sandbox.Answer {
	return sandbox.JSON(status, struct {
		Status     string `json:"status"`
		Message    string `json:"message"`
		StatusCode int    `json:"status_code"`
		ErrorCode  int    `json:"error_code"`
		RequestID  string `json:"request_id"`
	}{"failed", "Backend Technical Problem", status, 40001, c.NewHexID()})
}

// invalidField returns the failure that names fields, which is worded unlike the others (digit9 §9.2).
func invalidField(c *sandbox.Call, details map[string]string) sandbox.Answer {
	return sandbox.JSON(http.StatusBadRequest, struct {
		Status     string            `json:"status"`
		StatusCode int               `json:"status_code"`
		ErrorCode  int               `json:"error_code"`
		Message    string            `json:"message"`
		Details    map[string]string `json:"details"`
		RequestID  string            `json:"request_id"`
	}{"failure", 400, 40002, "Invalid format or missing mandatory request", details, c.NewHexID()})
}

// onboardFailures are what an armed fault answers in the place of onboarding.
func onboardFailures(c *sandbox.Call) sandbox.Failures {
	var empty string
	all := gatewayFailures(c, "/api/v1/CAAS/onBoarding/customer", &empty)
	all.Internal = backendFailed(c, http.StatusInternalServerError)
	return all
}
