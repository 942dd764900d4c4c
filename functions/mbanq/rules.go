package mbanq

import (
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/go-json-experiment/json/jsontext"

	"sallyport/shared/gateway"
	"sallyport/shared/source"
	"sallyport/shared/tolerant"
)

// body reads a JSON object of a request; further members than are asked for are passed on (§3).
func body(text []byte) (tolerant.Object, error) {
	if err := gateway.CheckJSON(text); err != nil {
		return nil, err
	}
	if jsontext.Value(text).Kind() != '{' {
		return nil, &gateway.InputError{Reason: "must be an object", Source: source.Published("§3.1")}
	}
	return tolerant.ReadObject(text), nil
}

// checker applies rules to a request's members and collects what is wrong. Lengths, and the forms of dates and numbers,
// are the partner's to judge.
type checker struct {
	faults
	tolerant.Object
	resource string // in the partner's codes: "client"
}

// newChecker checks members by rules that come from one source.
func newChecker(from source.Source, resource string, m tolerant.Object) *checker {
	return &checker{faults{Source: from}, m, resource}
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

// dated checks that a request says how its dates are written (§3): where one of some fields has a date, or always.
func (c *checker) dated(always bool, fields ...string) {
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
}

// date reads a date as the partner does: in the request's own format, leniently. ok tells whether that could be read.
// Months are known by their English names.
func date(m tolerant.Object, field string) (day time.Time, ok bool) {
	layout := layoutOf(m.String("dateFormat"))
	day, err := time.Parse(layout, strings.TrimSpace(m.String(field)))
	return day, layout != "" && err == nil
}

// layoutOf is a pattern of Java's as Go has it; empty for one with more than a day, a month and a year.
func layoutOf(pattern string) string {
	layout := strings.NewReplacer(
		"yyyy", "2006", "uuuu", "2006", "MMMM", "January", "MMM", "Jan", "MM", "1", "M", "1", "dd", "2", "d", "2",
	).Replace(pattern)
	rest := strings.NewReplacer("2006", "", "January", "", "Jan", "", "1", "", "2", "").Replace(layout)
	if strings.ContainsFunc(rest, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '\'' }) {
		return ""
	}
	return layout
}

// checkClient checks what a client is created of (§3.1). Of a company only its kind is known to be asked for.
func checkClient(m tolerant.Object) *checker {
	c := newChecker(source.Published("§3.1"), "client", m)
	c.required("officeId", "legalFormId")
	form := c.Number("legalFormId")
	switch {
	case c.present("legalFormId") && form != 1 && form != 2:
		c.add(
			c.resource, "legalFormId", "is.not.within.expected.range", "The parameter `legalFormId` must be between 1 and 2.",
			form, 1, 2,
		)
	case form == 2:
	case m["firstname"] == nil && m["lastname"] == nil:
		c.note(
			newProblem(
				"validation.msg.client.id..no.name.details.passed", "id", "Failed data validation due to: .no.name.details.passed.",
			),
			"/firstname: is required",
		)
	default:
		c.required("firstname", "lastname")
	}
	if form != 2 {
		c.required("dateOfBirth", "genderId", "emailAddress", "mobileCountryCode", "mobileNo", "submittedOnDate")
	}
	c.dated(form != 2, "dateOfBirth", "submittedOnDate")
	return c
}

// checkAddress checks an address (§3.2).
func checkAddress(m tolerant.Object) *checker {
	c := newChecker(source.Published("§3.2"), "address", m)
	c.required("addressLine1", "city", "stateProvinceId", "countryId", "postalCode", "isActive")
	return c
}

// checkIdentifier checks an identifier (§3.3).
func checkIdentifier(m tolerant.Object) *checker {
	c := newChecker(source.Published("§3.3"), "clientIdentifier", m)
	c.required("documentTypeId", "documentKey", "status")
	c.dated(false, "issuedDate", "expiryDate")
	return c
}
