package mbanq

import (
	"fmt"
	"net/http"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"sallyport/functions/sandbox"
)

// address is an address of a client.
type address struct {
	ID              int64  `json:"id"`
	TypeID          int64  `json:"typeId"`
	Active          bool   `json:"active"`
	Line1           string `json:"line1"`
	Line2           string `json:"line2,omitzero"`
	Line3           string `json:"line3,omitzero"`
	City            string `json:"city"`
	StateProvinceID int64  `json:"stateProvinceId"`
	CountryID       int64  `json:"countryId"`
	PostalCode      string `json:"postalCode"`
}

const addressFields = `addressLine1 addressLine2 addressLine3 city stateProvinceId countryId postalCode isActive`

// address reads an address of a type. The lengths are Fineract's.
func (in *input) address(typeID int64) address {
	return address{
		TypeID: typeID,
		Line1:  in.text("addressLine1", true, 100),
		Line2:  in.text("addressLine2", false, 100),
		Line3:  in.text("addressLine3", false, 100),
		City:   in.text("city", true, 100), StateProvinceID: in.id("stateProvinceId", true),
		CountryID:  in.id("countryId", true),
		PostalCode: in.text("postalCode", true, 10), Active: in.boolean("isActive", true),
	}
}

// normalised is the address as the partner writes it down.
func (a address) normalised(c *sandbox.Call) address {
	for _, line := range []*string{&a.Line1, &a.Line2, &a.Line3, &a.City} {
		*line = c.Prose(*line, maxLine)
	}
	a.PostalCode = c.Number(a.PostalCode, maxLine)
	return a
}

// maxLine is how much of a line of an address, or of a name, is written down by a partner that normalises.
const maxLine = 24

// unknownCode answers the id of a code value that there is not.
func unknownCode(id int64) sandbox.Answer {
	return unknown("error.msg.codevalue.id.invalid", "Code value", strconv.FormatInt(id, 10))
}

// tooMany answers what would make a record larger than the sandbox keeps; no partner's rule.
func tooMany(what string) sandbox.Answer {
	return refused(newReason("error.msg.client.too.many."+what,
		fmt.Sprintf("The sandbox keeps at most %d %s of a client.", maxElements, what), "id"))
}

// addAddress is row 8 of §2. The type is in the query.
func (m *simulation) addAddress(c *sandbox.Call, client clientRecord) sandbox.Answer {
	// Input.
	in := readInput(c, "address", addressFields)
	kind := c.Request.URL.Query().Get("type")
	typeID, bad := strconv.ParseInt(kind, 10, 64)
	switch {
	case kind == "":
		in.rejectBlank("type")
	case bad != nil || typeID <= 0:
		return unsupportedQuery("type", kind)
	}
	address := in.address(typeID).normalised(c)
	if refused, ok := in.refused(); ok {
		return refused
	}
	switch {
	case nameOf(addressTypes(), typeID) == "":
		return unknownCode(typeID)
	case len(client.Addresses) >= maxElements:
		return tooMany("addresses")
	}

	// Effect: an address.
	address.ID = nextNumber(c, "address", firstAddress)
	client.Addresses = append(client.Addresses, address)
	client.save(c)
	return sandbox.OK("clientId", client.ID, "resourceId", address.ID).WithEffect()
}

// listAddresses is row 9 of §2; a type in the query selects.
func (m *simulation) listAddresses(c *sandbox.Call, client clientRecord) sandbox.Answer {
	addresses := []jsontext.Value{}
	for _, a := range client.Addresses {
		if kind := c.Request.URL.Query().Get("type"); kind != "" && kind != strconv.FormatInt(a.TypeID, 10) {
			continue
		}
		addresses = append(addresses, sandbox.Object(
			"clientId", client.ID, "addressType", nameOf(addressTypes(), a.TypeID), "addressId", a.ID,
			"addressTypeId", a.TypeID, "isActive", a.Active, "addressLine1", a.Line1,
			"addressLine2", sandbox.Optional(a.Line2), "addressLine3", sandbox.Optional(a.Line3), "city", a.City,
			"stateProvinceId", a.StateProvinceID, "stateName", sandbox.Optional(nameOf(states(), a.StateProvinceID)),
			"countryId", a.CountryID, "countryName", sandbox.Optional(nameOf(countries(), a.CountryID)),
			"postalCode", postalCode(a.PostalCode), "createdBy", m.Username,
		))
	}
	return sandbox.JSON(http.StatusOK, addresses)
}

// postalCode returns a postal code as it goes out: as a number (§4) where that loses nothing of it.
func postalCode(s string) jsontext.Value {
	if n, err := strconv.ParseUint(s, 10, 32); err == nil && strconv.FormatUint(n, 10) == s {
		return jsontext.Value(s)
	}
	return sandbox.Encode(s)
}
