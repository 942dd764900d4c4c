package digit9

import (
	"bytes"
	"errors"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"sallyport/shared/schema"
	"sallyport/shared/source"
	"sallyport/shared/tolerant"
)

const (
	maxOnboard = 40 << 20 // bytes of a customer with its files, as a state machine sends it
	maxIDs     = 10       // identity documents of a customer, as each is looked up
)

// Lengths that the page gives a lookup's fields (§5.1), in characters.
const (
	maxIDType   = 3
	maxIDNumber = 30
)

// customerRules is what the page demands of an onboarding (§6.1). Of all else the partner judges.
func customerRules() schema.Fields { return schema.Filled("first_name", schema.Any()) }

// checked is what an onboarding's payload says, and what is wrong with it.
type checked struct {
	faults []schema.Fault
	ecrn   string
	ids    []identity
}

// checkCustomer reads a customer, whose JSON has been checked.
func checkCustomer(body []byte) (c checked, err error) {
	if jsontext.Value(body).Kind() != '{' {
		return c, errors.New("digit9: a customer must be an object")
	}
	c.faults = schema.Check(body, source.Published("§6.1"), customerRules(), false)
	var numbers []string
	for name, value := range members(body) {
		switch tolerant.Fold(name) {
		case "ecrn":
			switch number := asWritten(value); {
			case number != "":
				numbers = append(numbers, number)
			case value.Kind() != '"' && value.Kind() != 'n':
				numbers = append(numbers, "", "")
			}
		case "iddetails":
			c.ids = append(c.ids, identities(value)...)
		}
	}
	if len(numbers) > 0 {
		c.ecrn = numbers[0]
	}
	if len(numbers) > 1 {
		c.faults = append(c.faults, schema.Fault{
			Pointer: "/ecrn", Reason: "must be one string, however its name is spelled",
			Source: source.Safety("the customer's owner is checked"),
		})
	}
	if len(c.ids) > maxIDs {
		c.faults = append(c.faults, schema.Fault{
			Pointer: "/id_details", Reason: "must have " + strconv.Itoa(maxIDs) + " elements at most",
			Source: source.Safety("each is looked up"),
		})
	}
	return c, nil
}

// identities reads identity documents as the partner may take them, however their members are spelled. One that it may
// take in more ways than one is odd.
func identities(value jsontext.Value) (ids []identity) {
	switch value.Kind() {
	case '{':
		var types, numbers []jsontext.Value
		for name, value := range members(value) {
			switch tolerant.Fold(name) {
			case "idtype":
				types = append(types, value)
			case "idnumber":
				numbers = append(numbers, value)
			}
		}
		if len(types) != 1 || len(numbers) != 1 {
			return []identity{{odd: true}}
		}
		id := identity{IDType: asWritten(types[0]), IDNumber: asWritten(numbers[0])}
		id.odd = !isSaid(types[0]) || !isSaid(numbers[0])
		return []identity{id}
	case '[':
		d := jsontext.NewDecoder(bytes.NewBuffer(value))
		_, err := d.ReadToken()
		for err == nil && d.PeekKind() != ']' {
			var element jsontext.Value
			if element, err = d.ReadValue(); err == nil && len(ids) <= maxIDs {
				ids = append(ids, identities(element)...)
			}
		}
		return ids
	case 'n':
		return nil
	}
	return []identity{{odd: true}}
}

// isSaid reports whether a value is text that is not blank, or a whole number in digits.
func isSaid(value jsontext.Value) bool {
	text := tolerant.Text(value)
	return text != "" && (value.Kind() == '"' || strings.Trim(text, "0123456789") == "")
}

// members iterates over the members of an object where they lie, as they may hold files. A value is good until the
// next.
func members(object jsontext.Value) func(yield func(name string, value jsontext.Value) bool) {
	return func(yield func(string, jsontext.Value) bool) {
		d := jsontext.NewDecoder(bytes.NewBuffer(object), jsontext.AllowDuplicateNames(true))
		_, err := d.ReadToken()
		for err == nil && d.PeekKind() == '"' {
			var name jsontext.Token
			if name, err = d.ReadToken(); err != nil {
				return
			}
			text := name.String()
			var value jsontext.Value
			if value, err = d.ReadValue(); err == nil && !yield(text, value) {
				return
			}
		}
	}
}

// spelled returns how the partner spells the place of a fault: "idDetails[0].idNumber" and "id number" (§9.2).
func spelled(pointer string) (key, label string) {
	for name := range jsontext.Pointer(pointer).Tokens() {
		if strings.Trim(name, "0123456789") == "" {
			key += "[" + name + "]"
			continue
		}
		words := strings.Split(name, "_")
		label = strings.Join(words, " ")
		if key != "" {
			key += "."
		}
		key += words[0]
		for _, word := range words[1:] {
			key += strings.ToUpper(word[:1]) + word[1:]
		}
	}
	return key, label
}
