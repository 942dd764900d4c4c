package digit9

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"sallyport/shared/schema"
	"sallyport/shared/source"
	"sallyport/shared/tolerant"
)

// Limits that the contract leaves open (§6.4), so they are inferred.
const (
	maxFile      = 5 << 20 // bytes of one file, decoded
	maxOnboard   = 40 << 20
	maxIDs       = 10
	maxAddresses = 10
	maxDocuments = 20
	maxLinks     = 20
)

// customerRules is the table of an onboarding (§6). Nationality is checked against master data by the partner,
// which has an answer of its own for it.
func customerRules() schema.Fields {
	return slices.Concat(
		schema.Filled("channel", schema.Text(30)),
		schema.Filled("first_name", schema.Text(100)),
		schema.Filled("last_name nationality", schema.Text(60)),
		schema.Filled("date_of_birth", schema.Date()),
		schema.Filled("country_of_birth", schema.Text(2)),
		schema.Filled("resident_type_id", schema.Integer()),
		schema.Filled("country_of_residence", schema.Text(2)),
		schema.Filled("gender", schema.Text(12)),
		schema.Filled("primary_mobile_number", schema.Text(20)),
		schema.Filled("email_id", schema.Text(255)),
		schema.Optional("second_nationality", schema.Text(2)),
		schema.Optional("salutation", schema.Text(3)),
		schema.Optional("ecrn secondary_mobile_number phone_number", schema.Text(20)),
		schema.Optional("agent_location_id", schema.Text(30)),
		schema.Optional("updated_by", schema.Text(50)),
		schema.Optional("middle_name", schema.Text(60)),
		schema.Optional("place_of_birth", schema.Text(100)),
		schema.Optional("preferred_name mothers_maiden_name", schema.Text(255)),
		schema.Optional("native_region occupation_id", schema.Integer()),
		schema.Optional("political_exposed_person", schema.Boolean()),
		schema.Filled("address_list", schema.List(maxAddresses, schema.Object(
			schema.Filled("address_type_id", schema.Text(10)),
			schema.Filled("city", schema.Text(60)),
			schema.Filled("country", schema.Text(2)),
			schema.Optional("building_name street_name landmark district state", schema.Text(255)),
			schema.Optional("zip", schema.Numeric()),
			schema.Optional("po_box", schema.Text(30)),
			schema.Optional("mobile_number", schema.Text(20)),
		))),
		schema.Filled("id_details", schema.List(maxIDs, schema.Object(
			schema.Filled("id_type", schema.Integer()),
			schema.Filled("id_number", schema.Text(30)),
			schema.Filled("name_as_per_id", schema.Text(255)),
			schema.Filled("issued_country", schema.Text(2)),
			schema.Filled("issued_on date_of_expiry", schema.Date()),
			schema.Optional("visa_number", schema.Text(60)),
			schema.Optional("visa_expiry_date", schema.Date()),
			schema.Optional("issued_by issued_at", schema.Text(255)),
			schema.Optional("default_status active_status", schema.Boolean()),
			schema.Filled("id_front", file(contentType())),
			schema.Optional("id_back", file(contentType())),
		))),
		schema.Optional("additional_docs", schema.List(maxDocuments, schema.Object(
			schema.Filled("base64_data", schema.File(maxFile)),
			schema.Filled("content_type", contentType()),
			schema.Filled("document_id", schema.Text(30)),
		))),
		schema.Optional("customer_classification", schema.Object(
			schema.Optional(`customer_type_id tax_registration_number risk_rating_id pep_category profile_category
				marital_status income_type txn_vol_month txn_count_month`, schema.Integer()),
			schema.Optional("annual_income_range_id", schema.Numeric()),
			schema.Optional("txn_issued_country", schema.Text(2)),
			schema.Optional("annual_income_currency_code first_language", schema.Text(3)),
			schema.Optional("profession_category", schema.Text(10)),
			schema.Optional("employer_phone employer_ecrn", schema.Text(20)),
			schema.Optional("social_security_number", schema.Text(30)),
			schema.Optional("employer_establishment_id personal_mohre_id agent_ref_no", schema.Text(50)),
			schema.Optional("reason_for_acc", schema.Text(100)),
			schema.Optional("employer_name employer_address", schema.Text(255)),
			schema.Optional("customer_remarks", schema.Text(500)),
			schema.Optional("show_remarks_on_txn dnfbp dpms", schema.Boolean()),
			schema.Optional("social_links", schema.List(maxLinks, schema.Object(
				schema.Filled("social_links_id", schema.Integer()),
				schema.Filled("text_field", schema.Text(255)),
			))),
			schema.Optional("profile_photo", file(imageType())),
		)),
	)
}

func contentType() schema.Type { return schema.Word("image/jpeg", "image/png", "application/pdf") }
func imageType() schema.Type   { return schema.Word("image/jpeg", "image/png") }

func file(media schema.Type) schema.Type {
	return schema.Object(schema.Filled("base64_data", schema.File(maxFile)), schema.Filled("content_type", media))
}

// checked is what an onboarding's payload says, and what is wrong with it.
type checked struct {
	faults []schema.Fault
	ecrn   string
	ids    []identity
}

// checkCustomer applies the table to a customer, whose JSON has been checked. With references, a file may be one.
func checkCustomer(body []byte, references bool) (c checked, err error) {
	if jsontext.Value(body).Kind() != '{' {
		return c, errors.New("digit9: a customer must be an object")
	}
	if c.faults = schema.Check(body, source.Published("§6"), customerRules(), references); len(c.faults) > 0 {
		return c, nil
	}
	var in struct {
		ECRN jsontext.Value `json:"ecrn"`
		IDs  []struct {
			Type   jsontext.Value `json:"id_type"`
			Number jsontext.Value `json:"id_number"`
		} `json:"id_details"`
	}
	err = json.Unmarshal(body, &in)
	c.ecrn = cmp.Or(tolerant.Text(in.ECRN), tolerant.String(in.ECRN)) // a blank one is nobody's number
	for _, id := range in.IDs {
		c.ids = append(c.ids, identity{asWritten(id.Type), asWritten(id.Number)})
	}
	return c, err
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
