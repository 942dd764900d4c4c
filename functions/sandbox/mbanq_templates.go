package sandbox

import "net/http"

// mbanqOffice is the tenant's only office in the templates. Others are taken all the same.
const mbanqOffice = "Head Office"

// mbanqClientTemplate is row 2 of mbanq §2.
func mbanqClientTemplate(*call) (answer, error) {
	return answer{status: http.StatusOK, body: encode(struct {
		OfficeOptions         []mbanqCode      `json:"officeOptions"`
		GenderOptions         []mbanqCode      `json:"genderOptions"`
		ClientTypeOptions     []mbanqCode      `json:"clientTypeOptions"`
		ClassificationOptions []mbanqCode      `json:"clientClassificationOptions"`
		OccupationOptions     []mbanqCode      `json:"occupationOptions"`
		NationalityOptions    []mbanqCode      `json:"nationalityOptions"`
		LegalFormOptions      []mbanqEnum      `json:"clientLegalFormOptions"`
		Address               mbanqAddressForm `json:"address"`
	}{
		mbanqCodes(1, mbanqOffice), mbanqGenders(), mbanqClientTypes(), mbanqClassifications(), mbanqOccupations(),
		mbanqCountries(), []mbanqEnum{mbanqLegalForm(mbanqPerson), mbanqLegalForm(mbanqEntity)}, newMbanqAddressForm(),
	})}, nil
}

// mbanqAddressForm is what an address may hold.
type mbanqAddressForm struct {
	AddressTypeOptions   []mbanqCode `json:"addressTypeIdOptions"`
	CountryOptions       []mbanqCode `json:"countryIdOptions"`
	StateProvinceOptions []mbanqCode `json:"stateProvinceIdOptions"`
}

func newMbanqAddressForm() mbanqAddressForm {
	return mbanqAddressForm{mbanqAddressTypes(), mbanqCountries(), mbanqStates()}
}

// mbanqAddressTemplate is row 10 of mbanq §2.
func mbanqAddressTemplate(*call) (answer, error) {
	return answer{status: http.StatusOK, body: encode(newMbanqAddressForm())}, nil
}

// identifierTemplate is row 11 of mbanq §2.
func (m *mbanq) identifierTemplate(c *call) (answer, error) {
	id := c.request.PathValue("id")
	_, found, err := mbanqClientByID(c, id)
	switch {
	case err != nil:
		return answer{}, err
	case !found:
		return mbanqUnknownClient(id), nil
	}
	return answer{status: http.StatusOK, body: encode(struct {
		Allowed []mbanqCode `json:"allowedDocumentTypes"`
	}{mbanqDocumentTypes()})}, nil
}
