package digit9

import (
	"bytes"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Limits that the contract leaves open (digit9 §6.4), so they are inferred.
const (
	maxFile      = 5 << 20 // bytes of one file, decoded
	maxOnboard   = 40 << 20
	maxIDs       = 10
	maxAddresses = 10
	maxDocuments = 20
	maxLinks     = 20
)

// kind is what a field may hold.
type kind int

const (
	text        kind = iota // a string of 1 to max characters; where it may be missing, also an empty one
	integer                 // a whole number
	numeric                 // likewise, or a string of one: integrators disagree (digit9 §6.2, §6.3)
	boolean                 //
	date                    // a string as 2006-01-02
	object                  // with fields
	list                    // of 1 to max objects with fields; where it may be missing, also an empty one
	base64File              // a string, the standard base64 of 1 to maxFile bytes
	contentType             // image/jpeg, image/png or application/pdf
	imageType               // image/jpeg or image/png
)

// rule is what a field must be. Lengths and kinds are the contract's; which fields are required is inferred (digit9 §6.1).
// Fields without a rule are passed on: the partner's own table of them is not known in full.
type rule struct {
	name     string
	kind     kind
	max      int // characters of a text, elements of a list
	required bool
	fields   []rule
}

func file(name string, required bool, media kind) rule {
	return rule{name, object, 0, required, []rule{{"base64_data", base64File, 0, true, nil}, {"content_type", media, 0, true, nil}}}
}

// customerRules is the table of an onboarding (digit9 §6). Nationality is checked against master data by the partner,
// which has an answer of its own for it.
func customerRules() []rule {
	return []rule{
		{"channel", text, 30, true, nil},
		{"agent_location_id", text, 30, false, nil},
		{"ecrn", text, 20, false, nil},
		{"salutation", text, 3, false, nil},
		{"first_name", text, 100, true, nil},
		{"middle_name", text, 60, false, nil},
		{"last_name", text, 60, true, nil},
		{"preferred_name", text, 255, false, nil},
		{"mothers_maiden_name", text, 255, false, nil},
		{"nationality", text, 60, true, nil},
		{"second_nationality", text, 2, false, nil},
		{"native_region", integer, 0, false, nil},
		{"date_of_birth", date, 0, true, nil},
		{"country_of_birth", text, 2, true, nil},
		{"place_of_birth", text, 100, false, nil},
		{"resident_type_id", integer, 0, true, nil},
		{"country_of_residence", text, 2, true, nil},
		{"gender", text, 12, true, nil},
		{"primary_mobile_number", text, 20, true, nil},
		{"secondary_mobile_number", text, 20, false, nil},
		{"phone_number", text, 20, false, nil},
		{"email_id", text, 255, true, nil},
		{"occupation_id", integer, 0, false, nil},
		{"political_exposed_person", boolean, 0, false, nil},
		{"updated_by", text, 50, false, nil},
		{"additional_docs", list, maxDocuments, false, []rule{
			{"base64_data", base64File, 0, true, nil},
			{"content_type", contentType, 0, true, nil},
			{"document_id", text, 30, true, nil},
		}},
		{"address_list", list, maxAddresses, true, []rule{
			{"address_type_id", text, 10, true, nil},
			{"building_name", text, 255, false, nil},
			{"street_name", text, 255, false, nil},
			{"landmark", text, 255, false, nil},
			{"city", text, 60, true, nil},
			{"district", text, 255, false, nil},
			{"state", text, 255, false, nil},
			{"country", text, 2, true, nil},
			{"zip", numeric, 0, false, nil},
			{"po_box", text, 30, false, nil},
			{"mobile_number", text, 20, false, nil},
		}},
		{"id_details", list, maxIDs, true, []rule{
			{"id_type", integer, 0, true, nil},
			{"id_number", text, 30, true, nil},
			{"visa_number", text, 60, false, nil},
			{"visa_expiry_date", date, 0, false, nil},
			{"name_as_per_id", text, 255, true, nil},
			{"issued_country", text, 2, true, nil},
			{"issued_by", text, 255, false, nil},
			{"issued_at", text, 255, false, nil},
			{"issued_on", date, 0, true, nil},
			{"date_of_expiry", date, 0, true, nil},
			{"default_status", boolean, 0, false, nil},
			{"active_status", boolean, 0, false, nil},
			file("id_front", true, contentType),
			file("id_back", false, contentType),
		}},
		{"customer_classification", object, 0, false, []rule{
			{"customer_type_id", integer, 0, false, nil},
			{"annual_income_range_id", numeric, 0, false, nil},
			{"annual_income_currency_code", text, 3, false, nil},
			{"social_security_number", text, 30, false, nil},
			{"tax_registration_number", integer, 0, false, nil},
			{"txn_issued_country", text, 2, false, nil},
			{"employer_name", text, 255, false, nil},
			{"employer_address", text, 255, false, nil},
			{"employer_phone", text, 20, false, nil},
			{"employer_ecrn", text, 20, false, nil},
			{"employer_establishment_id", text, 50, false, nil},
			{"risk_rating_id", integer, 0, false, nil},
			{"pep_category", integer, 0, false, nil},
			{"profile_category", integer, 0, false, nil},
			{"marital_status", integer, 0, false, nil},
			{"income_type", integer, 0, false, nil},
			{"personal_mohre_id", text, 50, false, nil},
			{"profession_category", text, 10, false, nil},
			{"reason_for_acc", text, 100, false, nil},
			{"customer_remarks", text, 500, false, nil},
			{"txn_vol_month", integer, 0, false, nil},
			{"txn_count_month", integer, 0, false, nil},
			{"show_remarks_on_txn", boolean, 0, false, nil},
			{"agent_ref_no", text, 50, false, nil},
			{"social_links", list, maxLinks, false, []rule{
				{"social_links_id", integer, 0, true, nil},
				{"text_field", text, 255, true, nil},
			}},
			{"first_language", text, 3, false, nil},
			{"dnfbp", boolean, 0, false, nil},
			{"dpms", boolean, 0, false, nil},
			file("profile_photo", false, imageType),
		}},
	}
}

// fault is what is wrong with a field: where, in both spellings, and what. It holds no values.
type fault struct {
	pointer string // "/id_details/0/id_number"
	key     string // "idDetails[0].idNumber"
	label   string // "id number"
	reason  string
}

// checker reads a customer once, where it lies: files are not copied.
type checker struct {
	decoder    *jsontext.Decoder
	references bool // a file may be {"document_id":…}
	faults     []fault

	ecrn string
	ids  []identity
}

// checkCustomer applies the table to a customer, whose JSON has been checked.
func checkCustomer(body []byte, references bool) (*checker, error) {
	c := &checker{decoder: jsontext.NewDecoder(bytes.NewBuffer(body)), references: references}
	if c.decoder.PeekKind() != '{' {
		return c, errors.New("digit9: a customer must be an object")
	}
	return c, c.object(customerRules(), place{})
}

// place is where a checker is.
type place struct{ pointer, key, label string }

func (p place) field(name string) place {
	words := strings.Split(name, "_")
	label := strings.Join(words, " ")
	for i, word := range words[1:] {
		words[i+1] = strings.ToUpper(word[:1]) + word[1:]
	}
	key := strings.Join(words, "")
	if p.key != "" {
		key = p.key + "." + key
	}
	return place{p.pointer + "/" + name, key, label}
}

func (p place) element(i int) place {
	index := strconv.Itoa(i)
	return place{p.pointer + "/" + index, p.key + "[" + index + "]", p.label}
}

func (c *checker) fault(p place, reason string) {
	c.faults = append(c.faults, fault{p.pointer, p.key, p.label, reason})
}

// object reads the members that have rules, and skips the others.
func (c *checker) object(rules []rule, at place) error {
	if _, err := c.decoder.ReadToken(); err != nil {
		return err
	}
	seen := map[string]bool{}
	var id identity
	for c.decoder.PeekKind() != '}' {
		token, err := c.decoder.ReadToken()
		if err != nil {
			return err
		}
		name := token.String()
		r, known := ruleOf(rules, name)
		if !known {
			if err := c.decoder.SkipValue(); err != nil {
				return err
			}
			continue
		}
		seen[name] = true
		value, err := c.value(r, at.field(name))
		if err != nil {
			return err
		}
		switch name {
		case "ecrn":
			c.ecrn = value
		case "id_type":
			id.IDType = value
		case "id_number":
			id.IDNumber = value
		}
	}
	if _, err := c.decoder.ReadToken(); err != nil {
		return err
	}
	for _, r := range rules {
		if r.required && !seen[r.name] {
			c.fault(at.field(r.name), "is required")
		}
	}
	if id != (identity{}) {
		c.ids = append(c.ids, id)
	}
	return nil
}

func ruleOf(rules []rule, name string) (rule, bool) {
	for _, r := range rules {
		if r.name == name {
			return r, true
		}
	}
	return rule{}, false
}

// value checks one value; of a text or a number it returns what it says.
func (c *checker) value(r rule, at place) (said string, err error) {
	kind := c.decoder.PeekKind()
	switch {
	case r.kind == object && kind == '{':
		return "", c.object(r.fields, at)
	case r.kind == list && kind == '[':
		return "", c.list(r, at)
	case r.kind == base64File && kind == '{' && c.references:
		return "", c.reference(at)
	}
	value, err := c.decoder.ReadValue()
	if err != nil {
		return "", err
	}
	said, reason := r.check(value)
	if kind == 'n' && !r.required {
		reason = "" // a null stands for what is missing
	}
	if reason != "" {
		c.fault(at, reason)
	}
	return said, nil
}

func (c *checker) list(r rule, at place) error {
	if _, err := c.decoder.ReadToken(); err != nil {
		return err
	}
	n := 0
	for ; c.decoder.PeekKind() != ']'; n++ {
		if c.decoder.PeekKind() != '{' {
			c.fault(at.element(n), "must be an object")
			if err := c.decoder.SkipValue(); err != nil {
				return err
			}
			continue
		}
		if err := c.object(r.fields, at.element(n)); err != nil {
			return err
		}
	}
	switch {
	case n == 0 && r.required:
		c.fault(at, "must not be empty")
	case n > r.max:
		c.fault(at, "must have "+strconv.Itoa(r.max)+" elements at most")
	}
	_, err := c.decoder.ReadToken()
	return err
}

func (c *checker) reference(at place) error {
	value, err := c.decoder.ReadValue()
	if err != nil {
		return err
	}
	var reference struct {
		ID string `json:"document_id"`
	}
	if json.Unmarshal(value, &reference, json.RejectUnknownMembers(true)) != nil || reference.ID == "" {
		c.fault(at, `must be a string or {"document_id":…}`)
	}
	return nil
}

// check returns what a value of no other fields says, and what is wrong with it.
func (r rule) check(value jsontext.Value) (said, reason string) {
	switch r.kind {
	case integer, numeric:
		digits := string(value)
		if r.kind == numeric && value.Kind() == '"' {
			digits = scalar(value)
			if digits == "" && !r.required {
				return "", ""
			}
		}
		if _, err := strconv.ParseInt(digits, 10, 64); err != nil {
			return "", "must be a whole number"
		}
		return digits, ""
	case boolean:
		if kind := value.Kind(); kind != 't' && kind != 'f' {
			return "", "must be true or false"
		}
		return "", ""
	case object:
		return "", "must be an object"
	case list:
		return "", "must be an array"
	}
	if value.Kind() != '"' {
		return "", "must be a string"
	}
	if r.kind == base64File {
		return "", checkFile(value)
	}
	said = scalar(value)
	switch {
	case said == "" && r.required:
		return said, "must not be empty"
	case said == "":
		return said, ""
	case r.kind == date && !isDate(said):
		return said, "must be a date as 2006-01-02"
	case r.kind == contentType && said != "image/jpeg" && said != "image/png" && said != "application/pdf":
		return said, "must be image/jpeg, image/png or application/pdf"
	case r.kind == imageType && said != "image/jpeg" && said != "image/png":
		return said, "must be image/jpeg or image/png"
	case r.kind == text && utf8.RuneCountInString(said) > r.max:
		return said, "must have " + strconv.Itoa(r.max) + " characters at most"
	}
	return said, ""
}

func isDate(text string) bool {
	_, err := time.Parse(time.DateOnly, text)
	return err == nil
}

// checkFile checks standard base64 with its padding, piece by piece: a file may be large.
func checkFile(value jsontext.Value) (reason string) {
	text := value[1 : len(value)-1]
	if bytes.IndexByte(text, '\\') >= 0 { // some encoders write "\/"
		plain, err := jsontext.AppendUnquote(nil, value)
		if err != nil {
			return "must be base64"
		}
		text = plain
	}
	size := base64.StdEncoding.DecodedLen(len(text))
	switch {
	case len(text) == 0:
		return "must not be empty"
	case len(text)%4 != 0:
		return "must be base64 with its padding"
	case size-padding(text) > maxFile:
		return "must be a file of " + strconv.Itoa(maxFile) + " bytes at most"
	}
	strict := base64.StdEncoding.Strict()
	var piece [3 << 10]byte
	for len(text) > 0 {
		n := min(len(text), 4<<10)
		decoded, err := strict.Decode(piece[:], text[:n])
		if err != nil || n < len(text) && decoded != len(piece) || bytes.ContainsAny(text[:n], "\r\n") {
			return "must be base64, without line breaks or a data: prefix"
		}
		text = text[n:]
	}
	return ""
}

func padding(text []byte) int { return bytes.Count(text[max(0, len(text)-2):], []byte("=")) }
