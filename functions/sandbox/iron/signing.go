package iron

import (
	"net/http"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"sallyport/functions/sandbox"
)

// signing is a customer's signature of the terms.
type signing struct {
	ID string    `json:"id"`
	At time.Time `json:"at"` // real
}

// listSignings shows what a customer has to sign to get on (§2): nothing, or the terms.
func listSignings(x *call, customer customerRecord) sandbox.Answer {
	required := []jsontext.Value{}
	if x.statusNow(customer) == customerSigningsRequired {
		url := x.Origin() + "/sandbox/iron/terms/" + termsID
		required = append(required, sandbox.Object("id", termsID, "url", url, "display_name", termsName))
	}
	return sandbox.JSON(http.StatusOK, required)
}

// createSigning takes a signature (§2). What is not required, not known or not signed is not valid; the contract
// leaves that open, and the answer's fields.
func (i *simulation) createSigning(x *call, customer customerRecord) sandbox.Answer {
	// Input.
	content := "content_id"
	if memberOf(x.Body, content) == "" && memberOf(x.Body, "document_id") != "" {
		content = "document_id"
	}
	wrong := object(need(content, uuidText), need("signed", boolean), may("content_type", oneOf("Url")))("", x.Body)
	if wrong != "" {
		return invalid(wrong)
	}
	before := x.statusNow(customer)
	id, _ := parseUUID(memberOf(x.Body, content))
	if before != customerSigningsRequired || id != termsID || memberOf(x.Body, "signed") != "true" {
		return errorText(http.StatusUnprocessableEntity, "signing is not valid")
	}

	// Effect: a signature, with which the moves to come may mean something else to the customer.
	now := x.Now.UTC()
	customer.Signing, customer.UpdatedAt = &signing{x.NewID(), now}, now
	x.Save(x.customerKey(customer.ID), customer)
	i.tellChange(x, customer, before)
	i.tellAgain(x, customer)
	return sandbox.JSON(http.StatusCreated, sandbox.Object(
		"id", customer.Signing.ID, "customer_id", customer.ID, "content_id", termsID, "content_type", "Url",
		"display_name", termsName, "signed", true, "created_at", now, "updated_at", now,
	)).WithEffect()
}

// tellAgain calls the moves to come of a customer's newest identification off and has them told anew.
func (i *simulation) tellAgain(x *call, customer customerRecord) {
	newest := x.newestOf(customer)
	if newest == nil {
		return
	}
	off := newest.callOff(x.Now)
	from := len(newest.Moves)
	for _, m := range off {
		newest.add(m)
	}
	if len(off) > 0 {
		x.Save(x.identificationKey(newest.ID), newest)
		i.tellMoves(x, customer, *newest, from)
	}
}
