package digit9

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"sallyport/functions/sandbox"
)

// Limits of an onboarding request: of one file and of all files, in bytes decoded (§6.4); of the elements of one
// list, so that a record stays one item of the store.
const (
	maxFile     = 5 << 20
	maxFiles    = 40 << 20
	maxElements = 10
)

// field is a member of the onboarding request. Members that no field names are ignored.
type field struct {
	name     string
	required bool
	check    func(v any) bool // of the value; of a text that is optional it takes the empty one
	fields   []field          // of an object, or of each object in a list, instead of check
	list     bool
}

// payload validates one onboarding request. A JSON number in it is a jsontext.Value.
type payload struct {
	files   int // bytes decoded so far
	invalid map[string]string
}

// invalidFields returns nil for a valid request, else what is wrong by field, in the contract's words
// (§9.2). What is no JSON object has no fields to name. Unless it is strict, it demands the one field that the page
// shows to be mandatory, and files of a size that the simulation can keep.
func invalidFields(body []byte, strict bool) map[string]string {
	var request map[string]any
	numbers := json.UnmarshalFromFunc(func(dec *jsontext.Decoder, v *any) error {
		if dec.PeekKind() == '0' {
			*v = jsontext.Value(nil)
		}
		return errors.ErrUnsupported // decode it as usual
	})
	if err := json.Unmarshal(body, &request, json.WithUnmarshalers(numbers)); err != nil || request == nil {
		return map[string]string{}
	}
	var p payload
	if strict {
		p.object("", request, p.request())
	} else if v := request["first_name"]; v == nil || isBlank(v) {
		p.reject("firstName", "first_name")
	}
	return p.invalid
}

// object checks the fields of one object; prefix is what their names begin with in details.
func (p *payload) object(prefix string, object map[string]any, fields []field) {
	for _, f := range fields {
		v, key := object[f.name], prefix+camelCase(f.name)
		switch {
		case v == nil && !f.required: // null says the same as nothing
		case f.list:
			elements, ok := v.([]any)
			if !ok || len(elements) > maxElements || len(elements) == 0 && f.required {
				p.reject(key, f.name)
			}
			for i, element := range elements[:min(len(elements), maxElements)] {
				p.nested(fmt.Sprintf("%s[%d]", key, i), f, element)
			}
		case f.fields != nil:
			p.nested(key, f, v)
		case f.required && isBlank(v), !f.check(v):
			p.reject(key, f.name)
		}
	}
}

// nested checks an object within an object or a list.
func (p *payload) nested(key string, f field, v any) {
	if object, ok := v.(map[string]any); ok {
		p.object(key+".", object, f.fields)
		return
	}
	p.reject(key, f.name)
}

// reject notes that a field is missing or wrong.
func (p *payload) reject(key, name string) {
	if p.invalid == nil {
		p.invalid = map[string]string{}
	}
	p.invalid[key] = "Invalid " + strings.ReplaceAll(name, "_", " ")
}

// camelCase turns a_name into aName.
func camelCase(name string) string {
	words := strings.Split(name, "_")
	for i, word := range words[1:] {
		words[i+1] = strings.ToUpper(word[:1]) + word[1:]
	}
	return strings.Join(words, "")
}

// request returns the fields of §6. Where its sources give two lengths, the longer one holds; a text without a
// length has that of the texts that have one.
func (p *payload) request() []field {
	image := p.file("image/jpeg", "image/png", "application/pdf")
	required := func(f field) field { f.required = true; return f }
	text := func(name string, limit int) field { return field{name: name, check: isText(limit)} }
	is := func(name string, check func(any) bool) field { return field{name: name, check: check} }
	object := func(name string, fields []field) field { return field{name: name, fields: fields} }
	list := func(name string, fields ...field) field {
		return field{name: name, fields: fields, list: true}
	}
	return []field{
		required(text("channel", 30)),
		text("agent_location_id", 30),
		text("ecrn", 20),
		text("salutation", 3),
		required(text("first_name", 100)),
		text("middle_name", 60),
		required(text("last_name", 60)),
		text("preferred_name", 255),
		text("mothers_maiden_name", 255),
		required(text("nationality", 255)), // the master decides, with an error of its own
		is("second_nationality", isCountry),
		is("native_region", isInteger),
		required(is("date_of_birth", isDate)),
		required(is("country_of_birth", isCountry)),
		text("place_of_birth", 100),
		required(is("resident_type_id", isInteger)),
		required(is("country_of_residence", isCountry)),
		required(is("gender", isOneOf("Male", "Female"))),
		required(is("primary_mobile_number", isMobile)),
		text("secondary_mobile_number", 20),
		text("phone_number", 20),
		required(is("email_id", isEmail)),
		is("occupation_id", isInteger),
		is("political_exposed_person", isBoolean),
		text("updated_by", 50),
		list("additional_docs", append(image, required(text("document_id", 255)))...),
		required(list("address_list",
			required(text("address_type_id", 255)),
			text("building_name", 255), text("street_name", 255), text("landmark", 255), text("district", 255),
			text("state", 255),
			required(text("city", 60)),
			required(is("country", isCountry)),
			is("zip", isEither(isInteger, isText(20))),
			text("po_box", 20), text("mobile_number", 20),
		)),
		required(list("id_details",
			required(is("id_type", isInteger)),
			required(text("id_number", 30)),
			text("visa_number", 255), is("visa_expiry_date", isDate),
			required(text("name_as_per_id", 255)),
			required(is("issued_country", isCountry)),
			text("issued_by", 255), text("issued_at", 255),
			required(is("issued_on", isDate)), required(is("date_of_expiry", isDate)),
			is("default_status", isBoolean), is("active_status", isBoolean),
			required(object("id_front", image)), object("id_back", image),
		)),
		object("customer_classification", []field{
			is("customer_type_id", isInteger),
			is("annual_income_range_id", isEither(isInteger, isText(20))),
			text("annual_income_currency_code", 3),
			text("social_security_number", 30), is("tax_registration_number", isInteger), is("txn_issued_country", isCountry),
			text("employer_name", 255), text("employer_address", 255), text("employer_phone", 20),
			text("employer_ecrn", 20), text("employer_establishment_id", 50),
			is("risk_rating_id", isInteger), is("pep_category", isInteger), is("profile_category", isInteger),
			is("marital_status", isInteger), is("income_type", isInteger),
			text("personal_mohre_id", 50), text("profession_category", 10),
			text("reason_for_acc", 100), text("customer_remarks", 500),
			is("txn_vol_month", isInteger), is("txn_count_month", isInteger),
			is("show_remarks_on_txn", isBoolean),
			text("agent_ref_no", 50),
			list("social_links", is("social_links_id", isInteger), text("text_field", 255)),
			text("first_language", 3),
			is("dnfbp", isBoolean), is("dpms", isBoolean),
			object("profile_photo", p.file("image/jpeg", "image/png")),
		}),
	}
}

// file returns the fields of a file that has one of the content types.
func (p *payload) file(contentTypes ...string) []field {
	return []field{
		{name: "base64_data", required: true, check: p.isFile},
		{name: "content_type", required: true, check: isOneOf(contentTypes...)},
	}
}

// isFile accepts standard base64 with padding and without line breaks, within the limits.
func (p *payload) isFile(v any) bool {
	s, ok := v.(string)
	if !ok || len(s)%4 != 0 || strings.ContainsAny(s, "\r\n") {
		return false
	}
	n, err := io.Copy(io.Discard, base64.NewDecoder(base64.StdEncoding, strings.NewReader(s)))
	p.files += int(n)
	return err == nil && n <= maxFile && p.files <= maxFiles
}

func isBlank(v any) bool {
	s, ok := v.(string)
	return ok && strings.TrimSpace(s) == ""
}

func isText(limit int) func(any) bool {
	return func(v any) bool {
		s, ok := v.(string)
		return ok && utf8.RuneCountInString(s) <= limit
	}
}

func isInteger(v any) bool {
	n, ok := v.(jsontext.Value)
	if !ok {
		return false
	}
	_, err := strconv.ParseInt(string(n), 10, 64)
	return err == nil
}

func isBoolean(v any) bool {
	_, ok := v.(bool)
	return ok
}

func isEither(a, b func(any) bool) func(any) bool {
	return func(v any) bool { return a(v) || b(v) }
}

// isForm makes a check of texts of a form, and of the empty one.
func isForm(limit int, form func(string) bool) func(any) bool {
	return func(v any) bool {
		s, ok := v.(string)
		return ok && (s == "" || utf8.RuneCountInString(s) <= limit && form(s))
	}
}

func isOneOf(values ...string) func(any) bool {
	return isForm(255, func(s string) bool { return slices.Contains(values, s) })
}

func isDate(v any) bool {
	return isForm(10, func(s string) bool {
		_, err := time.Parse(time.DateOnly, s)
		return err == nil
	})(v)
}

// isCountry accepts the form of ISO 3166 alpha-2.
func isCountry(v any) bool {
	return isForm(2, func(s string) bool { return len(s) == 2 && sandbox.IsMadeOf(s, 'A', 'Z') })(v)
}

// isMobile accepts a plus sign and digits.
func isMobile(v any) bool {
	return isForm(20, func(s string) bool {
		digits, ok := strings.CutPrefix(s, "+")
		return ok && digits != "" && sandbox.IsMadeOf(digits, '0', '9')
	})(v)
}

func isEmail(v any) bool { return isForm(255, sandbox.IsEmail)(v) }
