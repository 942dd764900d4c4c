package sandbox

import "strings"

// mbanqFixture is what a client's externalId stands for by its ending: outcomes that follow from no rule.
type mbanqFixture struct {
	forbidden bool // the service user may not activate the client
	conflicts bool // the first command on the client meets a concurrent change
	running   bool // the first command on the client finds its idempotency key in use
}

// mbanqFixtureOf returns the fixture of an externalId. Any other ending is an ordinary client's, the zero fixture.
func mbanqFixtureOf(externalID string) mbanqFixture {
	return mbanqFixture{
		forbidden: strings.HasSuffix(externalID, "-forbidden"),
		conflicts: strings.HasSuffix(externalID, "-conflict"),
		running:   strings.HasSuffix(externalID, "-running"),
	}
}

// mbanqCode is a code value: tenant data, with ids of the sandbox's choosing.
type mbanqCode struct {
	ID       int64  `json:"id"`
	Name     string `json:"name"`
	Position int    `json:"position"`
}

func mbanqCodes(first int64, names ...string) []mbanqCode {
	all := []mbanqCode{}
	for i, name := range names {
		all = append(all, mbanqCode{first + int64(i), name, i})
	}
	return all
}

// mbanqNameOf returns the name of an option, or "".
func mbanqNameOf(options []mbanqCode, id int64) string {
	for _, option := range options {
		if option.ID == id {
			return option.Name
		}
	}
	return ""
}

func mbanqGenders() []mbanqCode         { return mbanqCodes(21, "Male", "Female", "Other") }
func mbanqClientTypes() []mbanqCode     { return mbanqCodes(51, "Retail", "Business") }
func mbanqClassifications() []mbanqCode { return mbanqCodes(61, "Standard", "Premium") }
func mbanqOccupations() []mbanqCode {
	return mbanqCodes(71, "Employed", "Self-employed", "Student", "Retired")
}
func mbanqCountries() []mbanqCode { return mbanqCodes(101, "United States", "India", "Germany") }
func mbanqStates() []mbanqCode {
	return mbanqCodes(201, "California", "Delaware", "New York", "Karnataka", "Berlin")
}

// Types of addresses. The one that verify asks for is Primary (mbanq §5).
const mbanqPrimaryAddress = 1

func mbanqAddressTypes() []mbanqCode {
	return mbanqCodes(mbanqPrimaryAddress, "Primary", "Mailing")
}

// Types of identifiers, and what they prove.
const (
	mbanqPassport      = 41
	mbanqDriverLicense = 42
	mbanqNationalID    = 43
	mbanqSSN           = 44
	mbanqITIN          = 45
	mbanqUtilityBill   = 46
)

func mbanqDocumentTypes() []mbanqCode {
	return mbanqCodes(mbanqPassport, "Passport", "Driver's License", "National ID", "SSN", "ITIN", "Utility Bill")
}

func isMbanqPhysicalID(documentType int64) bool {
	return documentType == mbanqPassport || documentType == mbanqDriverLicense || documentType == mbanqNationalID
}

func isMbanqTaxID(documentType int64) bool {
	return documentType == mbanqSSN || documentType == mbanqITIN
}
