package digit9

import (
	"net/http"
	"slices"
	"strings"

	"sallyport/functions/sandbox"
)

// onboardCustomer is E3 (§6): without ecrn it creates, with one it updates.
func onboardCustomer(c *sandbox.Call) sandbox.Answer {
	// Input: its form, then the one master that decides.
	if invalid := invalidFields(c.Body, c.IsStrict()); invalid != nil {
		return invalidField(c, invalid)
	}
	var in struct {
		ECRN string `json:"ecrn"`
		customerProfile
	}
	c.Fail(readLenient(c.Body, &in))
	in.IDDetails = in.IDDetails[:min(len(in.IDDetails), maxElements)]
	in.AdditionalDocs = in.AdditionalDocs[:min(len(in.AdditionalDocs), maxElements)]
	if in.Nationality != "" && !slices.Contains(strings.Fields(nationalities), in.Nationality) {
		return onboardFailed(c, http.StatusBadRequest, 406, 45053, " Invalid Nationality "+in.Nationality+"!")
	}
	in.normalise(c)
	if in.AgentLocationID == "" {
		in.AgentLocationID = ownAgent
	}

	// The id that decides: the first whose number stands for something, else the first.
	number := ""
	if len(in.IDDetails) > 0 {
		decides := func(id idDetail) bool { return fixtureOf(id.IDNumber).decides() }
		number = in.IDDetails[max(0, slices.IndexFunc(in.IDDetails, decides))].IDNumber
	}
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
		case customer.barred():
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
// Accepted that is what was lacking (§11).
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
	return sandbox.OK(
		"status", "success",
		"data", sandbox.Object(
			"aml_scan_status", customer.Stands.AMLScanStatus, "ecrn", customer.ECRN,
			"customer_status", customer.Stands.CustomerStatus, "pep", customer.Profile.PoliticalExposed, "aml_category", 2,
		),
		"status_code", http.StatusOK, "request_id", c.NewHexID(),
	)
}

// refused answers for a customer who is barred or held.
func refused(c *sandbox.Call, customer customerRecord) sandbox.Answer {
	if customer.barred() {
		return onboardFailed(c, http.StatusNotAcceptable, 406, 45051, "Customer "+customer.ECRN+" Cannot be Accepted")
	}
	named := customer.ECRN + " "
	if customer.Stands.Unnamed {
		named = ""
	}
	return onboardFailed(c, http.StatusNotAcceptable, 406, 45013, "Customer "+named+"Under Compliance Investigation")
}

// onboardFailed returns a failure of onboarding, whose HTTP status is not always that of its body (§9.2).
func onboardFailed(c *sandbox.Call, status, statusCode, errorCode int, message string) sandbox.Answer {
	return sandbox.JSON(status, sandbox.Object(
		"request_id", c.NewHexID(), "status", "failed", "status_code", statusCode, "error_code", errorCode,
		"message", message,
	))
}

// backendFailed returns the failure of what lies behind onboarding, whose members come in another order.
func backendFailed(c *sandbox.Call, status int) sandbox.Answer {
	return sandbox.JSON(status, sandbox.Object(
		"status", "failed", "message", "Backend Technical Problem", "status_code", status, "error_code", 40001,
		"request_id", c.NewHexID(),
	))
}

// invalidField returns the failure that names fields, which is worded unlike the others (§9.2).
func invalidField(c *sandbox.Call, details map[string]string) sandbox.Answer {
	return sandbox.JSON(http.StatusBadRequest, sandbox.Object(
		"status", "failure", "status_code", 400, "error_code", 40002,
		"message", "Invalid format or missing mandatory request", "details", details, "request_id", c.NewHexID(),
	))
}

// onboardFailures are what an armed fault answers in the place of onboarding.
func onboardFailures(c *sandbox.Call) sandbox.Failures {
	var empty string
	all := gatewayFailures(c, "/api/v1/CAAS/onBoarding/customer", &empty)
	all.Internal = backendFailed(c, http.StatusInternalServerError)
	return all
}
