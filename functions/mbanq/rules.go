package mbanq

import (
	"net/mail"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"sallyport/shared/gateway"
	"sallyport/shared/tolerant"
)

// body reads a JSON object of a request; further members than are asked for are passed on (§3).
func body(text []byte) (tolerant.Object, error) {
	if err := gateway.CheckJSON(text); err != nil {
		return nil, err
	}
	if jsontext.Value(text).Kind() != '{' {
		return nil, &gateway.InputError{Reason: "must be an object"}
	}
	return tolerant.ReadObject(text), nil
}

// checker applies rules to a request's members and collects what is wrong.
type checker struct {
	faults
	tolerant.Object
	resource string // in the partner's codes: "client"
}

// present reports whether a field says anything: null and blanks don't.
func (c *checker) present(field string) bool {
	switch c.Object[field].Kind() {
	case 0, 'n':
		return false
	case '"':
		return strings.TrimSpace(c.String(field)) != ""
	}
	return true
}

// isTrue takes a text for a truth value, as the partner does.
func (c *checker) isTrue(field string) bool { return strings.EqualFold(c.Plain(field), "true") }

// required checks that fields are there.
func (c *checker) required(fields ...string) {
	for _, field := range fields {
		if !c.present(field) {
			c.add(c.resource, field, "cannot.be.blank", "The parameter `"+field+"` is mandatory.")
		}
	}
}

// texts checks that fields, where they are there, are strings of at most so many characters.
func (c *checker) texts(max int, fields ...string) {
	for _, field := range fields {
		if !c.present(field) {
			continue
		}
		text := c.String(field)
		switch {
		case c.Object[field].Kind() != '"':
			c.add(c.resource, field, "is.not.a.string", "The parameter `"+field+"` must be a string.")
		case utf8.RuneCountInString(text) > max:
			c.add(
				c.resource, field, "exceeds.max.length", "The parameter `"+field+"` exceeds max length of "+strconv.Itoa(max)+".",
				max,
			)
		}
	}
}

// positive checks that fields, where they are there, are whole numbers above zero.
func (c *checker) positive(fields ...string) {
	for _, field := range fields {
		if n := c.Number(field); c.present(field) && n <= 0 {
			c.add(c.resource, field, "not.greater.than.zero", "The parameter `"+field+"` must be greater than 0.", n, 0)
		}
	}
}

// dates checks fields that are written in the request's own dateFormat and locale (§11), which must be there with
// a date, or always. Months are known by their English names.
func (c *checker) dates(always bool, fields ...string) {
	if !always && !slices.ContainsFunc(fields, c.present) {
		return
	}
	for _, field := range []string{"dateFormat", "locale"} {
		if !c.present(field) {
			c.note(
				newProblem("validation.msg.missing."+field+".parameter", field, "The parameter `"+field+"` is mandatory."),
				"/"+field+": is required with a date",
			)
		}
	}
	layout, locale := layouts()[c.String("dateFormat")], c.String("locale")
	if layout != time.DateOnly && locale != "en" && !strings.HasPrefix(locale, "en_") &&
		!strings.HasPrefix(locale, "en-") {
		layout = ""
	}
	if layout == "" && c.present("dateFormat") && c.present("locale") {
		c.note(newProblem(
			"validation.msg.invalid.dateFormat.format", "dateFormat",
			"The parameter `dateFormat` is invalid for the locale provided.",
		),
			"/dateFormat: must be yyyy-MM-dd, or dd MMMM yyyy or d MMMM yyyy in English")
	}
	for _, field := range fields {
		if _, err := time.Parse(layout, c.String(field)); layout != "" && c.present(field) && err != nil {
			c.note(newProblem(
				"validation.msg.invalid.dateFormat.format", field,
				"The parameter `"+field+"` is invalid based on the dateFormat and locale provided.",
			),
				"/"+field+": must be a date in the dateFormat")
		}
	}
}

// layouts are the date formats that are supported, as Go has them.
func layouts() map[string]string {
	return map[string]string{
		"yyyy-MM-dd": "2006-01-02", "dd MMMM yyyy": "02 January 2006", "d MMMM yyyy": "2 January 2006",
	}
}

func (c *checker) email(field string) {
	if !c.present(field) {
		return
	}
	if address, err := mail.ParseAddress(c.String(field)); err != nil || address.Address != c.String(field) ||
		!strings.Contains(address.Address, "@") {
		c.add(c.resource, field, "is.not.valid", "The parameter `"+field+"` is not a valid email address.")
	}
}

// checkClient checks what a client is created of (§3).
func checkClient(m tolerant.Object) *checker {
	c := &checker{Object: m, resource: "client"}
	c.required("officeId", "legalFormId")
	c.positive(
		"officeId", "genderId", "clientClassificationId", "occupationId", "nationalityId", "staffId", "savingsProductId",
	)
	if form := c.Number("legalFormId"); c.present("legalFormId") && form != 1 && form != 2 {
		c.add(
			c.resource, "legalFormId", "is.not.within.expected.range", "The parameter `legalFormId` must be between 1 and 2.",
			form, 1, 2,
		)
	}
	switch {
	case m["firstname"] == nil && m["lastname"] == nil && m["fullname"] == nil:
		c.note(
			newProblem(
				"validation.msg.client.id..no.name.details.passed", "id", "Failed data validation due to: .no.name.details.passed.",
			),
			"/firstname: is required",
		)
	case c.Number("legalFormId") == 2:
		c.required("fullname")
	default:
		c.required("firstname", "lastname")
	}
	if c.Number("legalFormId") != 2 {
		c.required("dateOfBirth", "genderId")
	}
	c.required("emailAddress", "mobileCountryCode", "mobileNo", "submittedOnDate")
	c.texts(50, "firstname", "middlename", "lastname", "mobileNo")
	c.texts(100, "externalId", "fullname", "mobileCountryCode")
	c.email("emailAddress")
	c.dates(true, "dateOfBirth", "submittedOnDate")
	if c.isTrue("active") {
		c.add(
			c.resource, "active", "is.not.supported",
			"A client must be verified before it is activated: `active` can't be true.",
		)
	}
	return c
}

// checkAddress checks an address (§3).
func checkAddress(m tolerant.Object) *checker {
	c := &checker{Object: m, resource: "address"}
	c.required("addressLine1", "city", "stateProvinceId", "countryId", "postalCode", "isActive")
	c.texts(255, "addressLine1", "addressLine2", "addressLine3", "city")
	c.texts(50, "postalCode")
	c.positive("stateProvinceId", "countryId")
	return c
}

// checkIdentifier checks an identifier (§3). Its type may be a number or a string of digits.
func checkIdentifier(m tolerant.Object) *checker {
	c := &checker{Object: m, resource: "clientIdentifier"}
	c.required("documentTypeId", "documentKey", "status")
	c.positive("documentTypeId")
	c.texts(50, "documentKey")
	c.texts(20, "status")
	c.texts(255, "issuedBy", "description")
	c.dates(false, "issuedDate", "expiryDate")
	return c
}
