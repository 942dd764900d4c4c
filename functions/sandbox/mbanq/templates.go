package mbanq

import (
	"net/http"

	"sallyport/functions/sandbox"
)

// office is the tenant's only office in the templates. Others are taken all the same.
const office = "Head Office"

// clientTemplate is row 2 of mbanq §2.
func clientTemplate(*sandbox.Call) sandbox.Answer {
	return sandbox.JSON(http.StatusOK, struct {
		OfficeOptions         []codeValue    `json:"officeOptions"`
		GenderOptions         []codeValue    `json:"genderOptions"`
		ClientTypeOptions     []codeValue    `json:"clientTypeOptions"`
		ClassificationOptions []codeValue    `json:"clientClassificationOptions"`
		OccupationOptions     []codeValue    `json:"occupationOptions"`
		NationalityOptions    []codeValue    `json:"nationalityOptions"`
		LegalFormOptions      []enum         `json:"clientLegalFormOptions"`
		Address               addressOptions `json:"address"`
	}{
		codeValues(1, office), genders(), clientTypes(), classifications(), occupations(),
		countries(), []enum{legalFormOf(legalFormPerson), legalFormOf(legalFormEntity)}, newAddressOptions(),
	})
}

// addressOptions is what an address may hold.
type addressOptions struct {
	AddressTypeOptions   []codeValue `json:"addressTypeIdOptions"`
	CountryOptions       []codeValue `json:"countryIdOptions"`
	StateProvinceOptions []codeValue `json:"stateProvinceIdOptions"`
}

func newAddressOptions() addressOptions {
	return addressOptions{addressTypes(), countries(), states()}
}

// addressTemplate is row 10 of mbanq §2.
func addressTemplate(*sandbox.Call) sandbox.Answer {
	return sandbox.JSON(http.StatusOK, newAddressOptions())
}

// identifierTemplate is row 11 of mbanq §2.
func identifierTemplate(*sandbox.Call, clientRecord) sandbox.Answer {
	return sandbox.JSON(http.StatusOK, struct {
		Allowed []codeValue `json:"allowedDocumentTypes"`
	}{documentTypes()})
}
