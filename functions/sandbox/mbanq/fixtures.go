package mbanq

import "strings"

// fixture is what a client's externalId stands for by its ending: outcomes that follow from no rule.
type fixture struct {
	forbidden bool // the service user may not activate the client
	conflicts bool // the first command on the client meets a concurrent change
	running   bool // the first command on the client finds its idempotency key in use
}

// fixtureOf returns the fixture of an externalId. Any other ending is an ordinary client's, the zero fixture.
func fixtureOf(externalID string) fixture {
	return fixture{
		forbidden: strings.HasSuffix(externalID, "-forbidden"),
		conflicts: strings.HasSuffix(externalID, "-conflict"),
		running:   strings.HasSuffix(externalID, "-running"),
	}
}

// codeValue is a code value: tenant data, with ids of the sandbox's choosing.
type codeValue struct {
	ID       int64  `json:"id"`
	Name     string `json:"name"`
	Position int    `json:"position"`
}

func codeValues(first int64, names ...string) []codeValue {
	all := []codeValue{}
	for i, name := range names {
		all = append(all, codeValue{first + int64(i), name, i})
	}
	return all
}

// nameOf returns the name of an option, or "".
func nameOf(options []codeValue, id int64) string {
	for _, option := range options {
		if option.ID == id {
			return option.Name
		}
	}
	return ""
}

func genders() []codeValue         { return codeValues(21, "Male", "Female", "Other") }
func clientTypes() []codeValue     { return codeValues(51, "Retail", "Business") }
func classifications() []codeValue { return codeValues(61, "Standard", "Premium") }
func occupations() []codeValue {
	return codeValues(71, "Employed", "Self-employed", "Student", "Retired")
}
func countries() []codeValue { return codeValues(101, "United States", "India", "Germany") }
func states() []codeValue {
	return codeValues(201, "California", "Delaware", "New York", "Karnataka", "Berlin")
}

// Types of addresses. The one that verify asks for is Primary (§5).
const primaryAddress = 1

func addressTypes() []codeValue {
	return codeValues(primaryAddress, "Primary", "Mailing")
}

// Types of identifiers, and what they prove.
const (
	passport      = 41
	driverLicense = 42
	nationalID    = 43
	ssn           = 44
	itin          = 45
	utilityBill   = 46
)

func documentTypes() []codeValue {
	return codeValues(passport, "Passport", "Driver's License", "National ID", "SSN", "ITIN", "Utility Bill")
}

func isPhysicalID(documentType int64) bool {
	return documentType == passport || documentType == driverLicense || documentType == nationalID
}

func isTaxID(documentType int64) bool {
	return documentType == ssn || documentType == itin
}
