package iron_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"sallyport/functions/iron"
	"sallyport/shared/gateway"
	"sallyport/shared/journey"
)

// opener replaces references by documents, but for those in the places of files.
func opener(documents map[string]string) func(
	context.Context, jsontext.Value, int64, func(jsontext.Pointer) bool,
) (jsontext.Value, error) {
	var size int64 // of all texts
	return func(
		_ context.Context, text jsontext.Value, limit int64, leave func(jsontext.Pointer) bool,
	) (jsontext.Value, error) {
		for _, file := range strings.Fields(`/identity/identity_document_front /identity/identity_document_back /identity/selfie /documents/0/file /edd_questionnaire/source_of_funds_proof
			/company_data/beneficiaries/1/beneficiary_info/company_data/beneficiaries/0/beneficiary_info/proof_of_address /questionnaire/planned_activities/flow_of_funds_diagram
			/questionnaire/planned_activities/source_of_funds_document /business_officers/0/identity/selfie /high_risk_questionnaire/source_of_funds_proof`) {
			if !leave(jsontext.Pointer(file)) {
				return nil, errors.New("opens the file " + file)
			}
		}
		for _, value := range []jsontext.Pointer{
			"", "/type", "/token", "/identity", "/documents", "/documents/0", "/documents/0/name", "/first_name", "/email",
			"/external_id", "/source_of_funds",
		} {
			if leave(value) {
				return nil, errors.New("leaves " + string(value))
			}
		}
		for id, document := range documents {
			text = jsontext.Value(strings.ReplaceAll(string(text), `{"document_id":"`+id+`"}`, document))
		}
		if size += int64(len(text)); size > limit {
			return nil, gateway.NewProblem(413, "too_large", "")
		}
		return text, nil
	}
}

func startWith(body string, documents map[string]string) (journey.Fields, error) {
	typ := iron.CustomerIdentification(iron.Config{Now: func() time.Time { return now }})
	return typ.Start(context.Background(), journey.Start{Body: jsontext.Value(body), Open: opener(documents)})
}

func identifying(customer, identification string) string {
	return `{` + customer + `,"identification":` + identification + `}`
}

const byID = `"customer_id":"` + customerID + `"`

func TestStartOfACustomerIdentification(t *testing.T) {
	filed := change(
		t, person, `"identity_document_front":"/9j/"`, `"identity_document_front":{"document_id":"front"}`, `"selfie":"/9j/"`,
		`"selfie":{"document_id":"selfie"}`,
	)
	documents := map[string]string{"customer": aCustomer, "person": filed, "name": `"Noor"`, "link": link}
	const anonymous = `{"customer_type":"Person","email":"noor@example.com"}`
	for name, test := range map[string]struct {
		body            string
		plain, held     string
		external        string
		personal        bool
		customer, begun string // what is sealed
	}{
		"Direct": {
			identifying(byID, direct), `{"customer_id":"` + customerID + `","find":false,"generation":"v1","sub_partner_id":""}`,
			"", "", false, `{}`, direct,
		},
		"UpperCase": {
			identifying(`"customer_id":"`+strings.ToUpper(customerID)+`","sub_partner_id":"`+strings.ToUpper(aKey)+`"`, link),
			`{"customer_id":"` + customerID + `","find":false,"generation":"v2","sub_partner_id":"` + aKey + `"}`, "", "", false,
			`{}`, link,
		},
		"Customer": {
			identifying(`"customer":`+aCustomer, link), `{"customer_id":"","find":true,"generation":"v2","sub_partner_id":""}`,
			"", "ext-1", true, aCustomer, link,
		},
		"Anonymous": {
			identifying(`"customer":`+anonymous, person),
			`{"customer_id":"","find":false,"generation":"v2","sub_partner_id":""}`, "", "", true, anonymous, person,
		},
		"NullCustomer": {
			identifying(`"customer":null,`+byID, outsourcedPerson),
			`{"customer_id":"` + customerID + `","find":false,"generation":"v1","sub_partner_id":""}`, "", "", true, `{}`,
			outsourcedPerson,
		},
		"ByReference": {
			identifying(`"customer":{"document_id":"customer"}`, `{"document_id":"person"}`),
			`{"customer_id":"","find":true,"generation":"v2","sub_partner_id":""}`, "customer front person selfie", "ext-1",
			false, aCustomer, filed,
		},
		"OneByValue": {
			identifying(`"customer":`+anonymous, `{"document_id":"person"}`),
			`{"customer_id":"","find":false,"generation":"v2","sub_partner_id":""}`, "front person selfie", "", true, anonymous,
			filed,
		},
		"IDAndReference": {
			identifying(byID, `{"document_id":"link"}`),
			`{"customer_id":"` + customerID + `","find":false,"generation":"v2","sub_partner_id":""}`, "link", "", false, `{}`,
			link,
		},
		"FilesByReference": {
			identifying(byID, filed), `{"customer_id":"` + customerID + `","find":false,"generation":"v2","sub_partner_id":""}`,
			"front selfie", "", true, `{}`, filed,
		},
		"NameByReference": {
			identifying(byID, change(t, person, `"first_name":"Noor"`, `"first_name":{"document_id":"name"}`)),
			`{"customer_id":"` + customerID + `","find":false,"generation":"v2","sub_partner_id":""}`, "name", "", true, `{}`,
			person,
		},
		"OlderForm": {
			identifying(byID, `{"Person":{"selfie":{"document_id":"selfie"}}}`),
			`{"customer_id":"` + customerID + `","find":false,"generation":"v1","sub_partner_id":""}`, "selfie", "", true, `{}`,
			`{"Person":{"selfie":{"document_id":"selfie"}}}`,
		},
		"OtherName": {
			identifying(byID, `{"type":"Reliance","token":"t"}`),
			`{"customer_id":"` + customerID + `","find":false,"generation":"v1","sub_partner_id":""}`, "", "", true, `{}`,
			`{"type":"Reliance","token":"t"}`,
		},
		"Business": {
			identifying(byID, business),
			`{"customer_id":"` + customerID + `","find":false,"generation":"v2","sub_partner_id":""}`, "", "", true, `{}`,
			business,
		},
		"BusinessV1": {
			identifying(byID, outsourcedBusiness),
			`{"customer_id":"` + customerID + `","find":false,"generation":"v1","sub_partner_id":""}`, "", "", true, `{}`,
			outsourcedBusiness,
		},
	} {
		t.Run(name, func(t *testing.T) {
			fields, err := startWith(test.body, documents)
			if err != nil {
				t.Fatal(err)
			}
			held := slices.Compact(slices.Sorted(slices.Values(fields.AlsoErase)))
			if got := encoded(t, fields.Plain); got != test.plain || strings.Join(held, " ") != test.held ||
				fields.HasPersonalData != test.personal {
				t.Errorf("plain %s, held %v, personal %t", got, held, fields.HasPersonalData)
			}
			if customer, begun := string(
				fields.Sealed["customer"].(jsontext.Value),
			), string(fields.Sealed["identification"].(jsontext.Value)); customer != test.customer ||
				begun != test.begun || fields.Sealed["external_id"] != test.external || len(fields.Sealed) != 3 {
				t.Errorf("sealed %v", fields.Sealed)
			}
			if len(fields.Lists) != 0 || len(fields.References) != 0 || strings.Contains(encoded(t, fields.Plain), "ext-1") {
				t.Errorf("fields %+v", fields)
			}
		})
	}
}

// TestStartThatIsNotValid: an error points at its place in the body.
func TestStartThatIsNotValid(t *testing.T) {
	const customer = `"customer":` + aCustomer
	for _, test := range []struct{ body, want string }{
		{`{}`, "/customer: must be there, or else customer_id"}, {`[]`, "must be an object"}, {``, "body is empty"},
		{identifying(customer+`,`+byID, link), "/customer: must be there, or else customer_id"},
		{identifying(`"customer":null`, link), "/customer: must be there, or else customer_id"},
		{identifying(`"customer_id":""`, link), "/customer: must be there, or else customer_id"},
		{identifying(`"customer_id":"1"`, link), "/customer_id: must be a UUID"},
		{identifying(`"customer_id":5`, link), "/customer_id: must be a string"},
		{identifying(byID+`,"sub_partner_id":"acme"`, link), "/sub_partner_id: must be a UUID"},
		{identifying(byID+`,"more":1`, link), "/more: is not a known name"},
		{identifying(byID+`,`+byID, link), "/customer_id: stands twice"},
		{identifying(`"customer":"x"`, link), `/customer: must be an object or {"document_id":…}`},
		{identifying(`"customer":[]`, link), `/customer: must be an object or {"document_id":…}`},
		{identifying(`"customer":{"document_id":"list"}`, link), "/customer: must be an object"},
		{identifying(`"customer":{"document_id":"nul"}`, link), "/customer/name: holds a NUL character"},
		{identifying(`"customer":{}`, link), "/customer/customer_type: is required"},
		{identifying(change(t, customer, "Person", "person"), link), "/customer/customer_type: must be Business or Person"},
		{identifying(change(t, customer, `"noor@example.com"`, `" "`), link), "/customer/email: must not be empty"},
		{
			identifying(change(t, customer, `ext-1`, `..`), link),
			"/customer/external_id: must have 1000 characters at most, and be neither . nor ..",
		},
		{`{` + byID + `}`, `/identification: must be an object or {"document_id":…}`},
		{identifying(byID, `null`), `/identification: must be an object or {"document_id":…}`},
		{identifying(byID, `"Direct"`), `/identification: must be an object or {"document_id":…}`},
		{identifying(byID, `{}`), "/identification/type: is required"},
		{identifying(byID, `{"type":"Link","with_edd":"yes"}`), "/identification/with_edd: must be true or false"},
		{
			identifying(byID, change(t, person, `"country":"DE"`, `"country":"DEU"`)),
			"/identification/address/country: must be a country code of two letters",
		},
		{
			identifying(byID, change(t, person, `"selfie":"/9j/"`, `"selfie":{"document_id":"x","more":1}`)),
			`/identification/identity/selfie: must be a string or {"document_id":…}`,
		},
		{
			identifying(byID, change(t, business, `"Director","UltimateBeneficialOwner"`, `"Shareholder"`)),
			"/identification/company_data/beneficiaries/0/attesting_party: must be a person who is a Director of the company " +
				"itself",
		},
		{identifying(byID, `{"document_id":"list"}`), "/identification: must be an object"},
		{identifying(byID, `{"document_id":"deep"}`), "/identification: nests too deep"},
	} {
		_, err := startWith(
			test.body,
			map[string]string{
				"list": `[1]`, "nul": change(t, aCustomer, `"Noor Example"`, `"\u0000"`),
				"deep": `{"x":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`,
			},
		)
		var input *gateway.InputError
		if !errors.As(err, &input) || !strings.HasPrefix(err.Error(), test.want) || strings.Contains(err.Error(), "Noor") ||
			strings.Contains(err.Error(), "/identification: : ") {
			t.Errorf("%.100s: got %v, want %s", test.body, err, test.want)
		}
	}
	t.Run("TooLarge", func(t *testing.T) { // each by itself is not, both together are
		large := map[string]string{"large": `"` + strings.Repeat("x", 5<<20) + `"`}
		_, err := startWith(
			identifying(
				change(t, customer, `"Noor Example"`, `{"document_id":"large"}`),
				change(t, person, `"first_name":"Noor"`, `"first_name":{"document_id":"large"}`),
			),
			large,
		)
		var problem *gateway.Problem
		if !errors.As(err, &problem) || problem.Status != 413 {
			t.Errorf("got %v", err)
		}
	})
}

// TestOutcome is what people read at a journey's end.
func TestOutcome(t *testing.T) {
	const begun = `{"customer_id":"` + customerID + `","identification_id":"` + identificationID + `","status":`
	for body, want := range map[string]string{
		aPending: begun + `"Pending","step_status":{"identity":{"result":"Pending","retry":true}}}`,
		change(
			t, aPending, `"Pending"`, `"Declined","review_comment":"too blurred"`,
		): begun + `"Declined","step_status":{"identity":{"result":"Pending","retry":true}},"review_comment":"too blurred"}`,
		change(
			t, aPending, `,"step_status":{"identity":{"result":"Pending","retry":true}}`, `,"review_comment":5`,
		): begun + `"Pending"}`,
		`{"id":"` + identificationID + `","status":"Approved"}`: `{"identification_id":"` + identificationID + `","status":"Approved"}`,
		`{"id":"1","status":"Approved"}`:                        "",
		`{}`:                                                    "", ``: "", `<html>`: "", `[]`: "",
	} {
		got, err := iron.CustomerIdentification(iron.Config{}).Outcome(gateway.JSON(200, []byte(body)), nil, nil)
		if err != nil || string(got) != want {
			t.Errorf("%s gave %s, %v, want %s", body, got, err, want)
		}
	}
}
