package mbanq

import (
	"net/http"

	"github.com/go-json-experiment/json/jsontext"

	"sallyport/functions/sandbox"
)

// office is the tenant's only office in the templates. Others are taken all the same.
const office = "Head Office"

// clientTemplate is row 2 of §2.
func clientTemplate(*sandbox.Call) sandbox.Answer {
	return sandbox.OK(
		"officeOptions", codeValues(1, office), "genderOptions", genders(), "clientTypeOptions", clientTypes(),
		"clientClassificationOptions", classifications(), "occupationOptions", occupations(),
		"nationalityOptions", countries(),
		"clientLegalFormOptions", []enum{legalFormOf(legalFormPerson), legalFormOf(legalFormEntity)},
		"address", addressOptions(),
	)
}

// addressOptions is what an address may hold.
func addressOptions() jsontext.Value {
	return sandbox.Object("addressTypeIdOptions", addressTypes(), "countryIdOptions", countries(),
		"stateProvinceIdOptions", states())
}

// addressTemplate is row 10 of §2.
func addressTemplate(*sandbox.Call) sandbox.Answer {
	return sandbox.JSON(http.StatusOK, addressOptions())
}

// identifierTemplate is row 11 of §2.
func identifierTemplate(*sandbox.Call, clientRecord) sandbox.Answer {
	return sandbox.OK("allowedDocumentTypes", documentTypes())
}
