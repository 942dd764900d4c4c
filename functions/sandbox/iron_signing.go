package sandbox

import (
	"net/http"
	"time"
)

// ironSigning is a customer's signature of the terms.
type ironSigning struct {
	ID string    `json:"id"`
	At time.Time `json:"at"` // real
}

// ironTerms is what is still to be signed (iron §2).
type ironTerms struct {
	ID          string `json:"id"`
	URL         string `json:"url"`
	DisplayName string `json:"display_name"`
}

// listSignings shows what a customer has to sign to get on: nothing, or the terms.
func (i *iron) listSignings(x *ironCall) (answer, error) {
	customer, found, err := x.customer(x.request.PathValue("id"))
	switch {
	case err != nil:
		return answer{}, err
	case !found:
		return ironUnknown("customer"), nil
	case customer.Archived:
		return ironError(http.StatusForbidden, "customer is archived"), nil
	}
	status, err := x.statusNow(customer)
	if err != nil {
		return answer{}, err
	}
	required := []ironTerms{}
	if status == ironSigningsRequired {
		required = append(required, ironTerms{ironTermsID, origin(x.request) + "/sandbox/iron/terms/" + ironTermsID, ironTermsName})
	}
	return answer{status: http.StatusOK, body: encode(required)}, nil
}

// createSigning takes a signature (iron §2). What is not required, not known or not signed is not valid; the contract leaves that
// open, and the answer's fields.
func (i *iron) createSigning(x *ironCall) (answer, error) {
	customer, found, err := x.customer(x.request.PathValue("id"))
	switch {
	case err != nil:
		return answer{}, err
	case !found:
		return ironUnknown("customer"), nil
	case customer.Archived:
		return ironError(http.StatusForbidden, "customer is archived"), nil
	}

	// Input.
	content := "content_id"
	if ironMember(x.body, content) == "" && ironMember(x.body, "document_id") != "" {
		content = "document_id"
	}
	wrong := ironObject(need(content, ironID), need("signed", ironBool), may("content_type", ironOneOf("Url")))("", x.body)
	if wrong != "" {
		return ironInvalid(wrong), nil
	}
	before, err := x.statusNow(customer)
	if err != nil {
		return answer{}, err
	}
	id, _ := ironUUID(ironMember(x.body, content))
	if before != ironSigningsRequired || id != ironTermsID || ironMember(x.body, "signed") != "true" {
		return ironError(http.StatusUnprocessableEntity, "signing is not valid"), nil
	}

	// Effect: a signature, with which the moves to come may mean something else to the customer.
	now := x.now.UTC()
	customer.Signing, customer.UpdatedAt = &ironSigning{i.newID(), now}, now
	if err := save(x, x.customerKey(customer.ID), customer); err != nil {
		return answer{}, err
	}
	if err := i.tellChange(x, customer, before); err != nil {
		return answer{}, err
	}
	if err := i.tellAgain(x, customer); err != nil {
		return answer{}, err
	}
	return did(answer{status: http.StatusCreated, body: encode(struct {
		ID          string    `json:"id"`
		CustomerID  string    `json:"customer_id"`
		ContentID   string    `json:"content_id"`
		ContentType string    `json:"content_type"`
		DisplayName string    `json:"display_name"`
		Signed      bool      `json:"signed"`
		CreatedAt   time.Time `json:"created_at"`
		UpdatedAt   time.Time `json:"updated_at"`
	}{customer.Signing.ID, customer.ID, ironTermsID, "Url", ironTermsName, true, now, now})}), nil
}

// tellAgain calls the moves to come of a customer's newest identification off and has them told anew.
func (i *iron) tellAgain(x *ironCall, customer ironCustomer) error {
	newest, err := x.newestOf(customer)
	if newest == nil || err != nil {
		return err
	}
	off := newest.callOff(x.now)
	from := len(newest.Moves)
	for _, m := range off {
		newest.add(m)
	}
	if len(off) == 0 {
		return nil
	}
	if err := save(x, x.identificationKey(newest.ID), newest); err != nil {
		return err
	}
	return i.tellMoves(x, customer, *newest, from)
}
