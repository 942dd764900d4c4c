package mbanq

import (
	"net/http"

	"sallyport/functions/sandbox"
)

// office is the tenant's only office in the templates. Others are taken all the same.
const office = "Head Office"

// clientTemplate is row 2 of mbanq §2.
func clientTemplate(*sandbox.Call) sandbox.Answer {
	return sandbox.OK(
		"officeOptions", codeValues(1, office), "genderOptions", genders(), "clientTypeOptions", clientTypes(),
		"clientClassificationOptions", classifications(), "occupationOptions", occupations(),
		"nationalityOptions", countries(),
		"clientLegalFormOptions", []enum{legalFormOf(legalFormPerson), legalFormOf(legalFormEntity)},
		"address", newAddressOptions(),
	)
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
	return sandbox.OK("allowedDocumentTypes", documentTypes())
}
