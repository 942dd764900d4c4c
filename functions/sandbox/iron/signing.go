package iron

import (
	"net/http"
	"time"

	"sallyport/functions/sandbox"
)

// signing is a customer's signature of the terms.
type signing struct {
	ID string    `json:"id"`
	At time.Time `json:"at"` // real
}

// terms is what is still to be signed (iron §2).
type terms struct {
	ID          string `json:"id"`
	URL         string `json:"url"`
	DisplayName string `json:"display_name"`
}

// listSignings shows what a customer has to sign to get on: nothing, or the terms.
func (i *simulation) listSignings(x *call) (sandbox.Answer, error) {
	customer, found, err := x.customer(x.Request.PathValue("id"))
	switch {
	case err != nil:
		return sandbox.Answer{}, err
	case !found:
		return unknown("customer"), nil
	case customer.Archived:
		return errorText(http.StatusForbidden, "customer is archived"), nil
	}
	status, err := x.statusNow(customer)
	if err != nil {
		return sandbox.Answer{}, err
	}
	required := []terms{}
	if status == customerSigningsRequired {
		required = append(required, terms{termsID, x.Origin() + "/sandbox/iron/terms/" + termsID, termsName})
	}
	return sandbox.JSON(http.StatusOK, required), nil
}

// createSigning takes a signature (iron §2). What is not required, not known or not signed is not valid; the contract
// leaves that open, and the answer's fields.
func (i *simulation) createSigning(x *call) (sandbox.Answer, error) {
	customer, found, err := x.customer(x.Request.PathValue("id"))
	switch {
	case err != nil:
		return sandbox.Answer{}, err
	case !found:
		return unknown("customer"), nil
	case customer.Archived:
		return errorText(http.StatusForbidden, "customer is archived"), nil
	}

	// Input.
	content := "content_id"
	if memberOf(x.Body, content) == "" && memberOf(x.Body, "document_id") != "" {
		content = "document_id"
	}
	wrong := object(need(content, uuidText), need("signed", boolean), may("content_type", oneOf("Url")))("", x.Body)
	if wrong != "" {
		return invalid(wrong), nil
	}
	before, err := x.statusNow(customer)
	if err != nil {
		return sandbox.Answer{}, err
	}
	id, _ := parseUUID(memberOf(x.Body, content))
	if before != customerSigningsRequired || id != termsID || memberOf(x.Body, "signed") != "true" {
		return errorText(http.StatusUnprocessableEntity, "signing is not valid"), nil
	}

	// Effect: a signature, with which the moves to come may mean something else to the customer.
	now := x.Now.UTC()
	customer.Signing, customer.UpdatedAt = &signing{x.NewID(), now}, now
	if err := x.Save(x.customerKey(customer.ID), customer); err != nil {
		return sandbox.Answer{}, err
	}
	if err := i.tellChange(x, customer, before); err != nil {
		return sandbox.Answer{}, err
	}
	if err := i.tellAgain(x, customer); err != nil {
		return sandbox.Answer{}, err
	}
	return sandbox.JSON(http.StatusCreated, struct {
		ID          string    `json:"id"`
		CustomerID  string    `json:"customer_id"`
		ContentID   string    `json:"content_id"`
		ContentType string    `json:"content_type"`
		DisplayName string    `json:"display_name"`
		Signed      bool      `json:"signed"`
		CreatedAt   time.Time `json:"created_at"`
		UpdatedAt   time.Time `json:"updated_at"`
	}{customer.Signing.ID, customer.ID, termsID, "Url", termsName, true, now, now}).WithEffect(), nil
}

// tellAgain calls the moves to come of a customer's newest identification off and has them told anew.
func (i *simulation) tellAgain(x *call, customer customerRecord) error {
	newest, err := x.newestOf(customer)
	if newest == nil || err != nil {
		return err
	}
	off := newest.callOff(x.Now)
	from := len(newest.Moves)
	for _, m := range off {
		newest.add(m)
	}
	if len(off) == 0 {
		return nil
	}
	if err := x.Save(x.identificationKey(newest.ID), newest); err != nil {
		return err
	}
	return i.tellMoves(x, customer, *newest, from)
}
