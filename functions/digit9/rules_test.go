package digit9_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"sallyport/functions/digit9"
	"sallyport/shared/gateway"
	"sallyport/shared/operation"
)

// sample is the contract's payload (§12).
const sample = `{"channel":"WEB","salutation":"Ms","first_name":"NOOR","middle_name":"","last_name":"EXAMPLE","nationality":"IN","date_of_birth":"1991-02-03","country_of_birth":"IN","place_of_birth":"Sampletown","resident_type_id":101,"country_of_residence":"AE","gender":"Female","primary_mobile_number":"+971500000017","email_id":"noor@example.com","occupation_id":223,"political_exposed_person":false,"updated_by":"demo-operator",
 "additional_docs":[{"base64_data":"AAAA","content_type":"image/jpeg","document_id":"1"}],
 "address_list":[{"address_type_id":"1","building_name":"Block A","street_name":"First Street","city":"Dubai","state":"Dubai","country":"AE","zip":0,"po_box":null,"mobile_number":"+971500000017"},{"address_type_id":"2","city":"Sampletown","country":"IN","zip":600001}],
 "id_details":[{"id_type":4,"id_number":"784199000000017","name_as_per_id":"Noor Example","issued_country":"AE","issued_by":"Demo Authority","issued_at":"Dubai","issued_on":"2021-03-10","date_of_expiry":"2031-03-09","default_status":true,"active_status":true,"id_front":{"base64_data":"AAAA","content_type":"image/jpeg"},"id_back":{"base64_data":"AAAA","content_type":"image/jpeg"}}],
 "customer_classification":{"customer_type_id":2,"annual_income_range_id":3,"annual_income_currency_code":"AED","employer_name":"Demo LLC","risk_rating_id":1,"income_type":1,"profession_category":"PC1","reason_for_acc":"Remittance","txn_vol_month":1,"txn_count_month":1,"agent_ref_no":"DEMO-000017","social_links":[],"first_language":"en","marital_status":1,"dnfbp":false,"dpms":false,"profile_photo":{"base64_data":"AAAA","content_type":"image/jpeg"}}}`

// full has the partner's own sample's members (§6), all of them, and those that only other sources know.
const full = `{
"channel":"WEB","agent_location_id":"784999","ecrn":"7841009900000017","first_name":"NOOR","salutation":"Ms","middle_name":"MIDDLE","last_name":"EXAMPLE",
"preferred_name":"NOOR EXAMPLE","nationality":"IN","second_nationality":"GB","native_region":1,"date_of_birth":"1991-02-03","country_of_birth":"IN",
"place_of_birth":"SAMPLETOWN","resident_type_id":101,"country_of_residence":"AE","gender":"Female","mothers_maiden_name":"SAMPLE",
"primary_mobile_number":"+971500000017","secondary_mobile_number":"+971500000018","email_id":"noor@example.com","phone_number":"+971500000017",
"occupation_id":2856,"political_exposed_person":false,"updated_by":"demo",
"additional_docs":[
 {"base64_data":"AAAA","content_type":"image/jpeg","document_id":"1"},
 {"base64_data":"AAAA","content_type":"image/jpeg","document_id":"2"}],
"address_list":[
 {"address_type_id":"1","building_name":"BLOCK A","street_name":"First Street","landmark":"Sample Bakery","city":"Sample City","district":"Sample District",
  "state":"Sample State","country":"AE","zip":0,"po_box":null,"mobile_number":"+971500000017"},
 {"address_type_id":"2","building_name":"Sample House","street_name":"Second Street","landmark":"Sample School","city":"Sampletown","district":"Sampleland",
  "state":"sample","country":"IN","zip":13345,"mobile_number":"+971500000017"}],
"id_details":[
 {"id_type":4,"id_number":"784199000000017","visa_number":null,"visa_expiry_date":null,"name_as_per_id":"Noor Example","issued_country":"AE","issued_by":"Demo","issued_at":"Demo Govt.",
  "issued_on":"2020-08-08","date_of_expiry":"2033-08-08","default_status":true,"active_status":true,
  "id_front":{"base64_data":"AAAA","content_type":"image/jpeg"},"id_back":{"base64_data":"AAAA","content_type":"image/jpeg"}},
 {"id_type":2,"id_number":"X0000017","visa_number":"VISA000","visa_expiry_date":"2034-06-30","name_as_per_id":"NOOR E","issued_country":"IN","issued_by":"Demo Govt.",
  "issued_at":"Sampletown","issued_on":"2016-04-28","date_of_expiry":"2036-04-27","default_status":true,"active_status":true,
  "id_front":{"base64_data":"AAAA","content_type":"image/jpeg"},"id_back":{"base64_data":"AAAA","content_type":"image/jpeg"}}],
"customer_classification":{
 "customer_type_id":2,"annual_income_range_id":15,"annual_income_currency_code":"AED","social_security_number":"SSN000","tax_registration_number":123,
 "txn_issued_country":"AE","employer_name":"DEMO","employer_address":"UAE","employer_phone":"+971500000019","employer_ecrn":"",
 "employer_establishment_id":"DEMO123","risk_rating_id":3,"pep_category":1,"personal_mohre_id":"DEMO786","income_type":1,"profession_category":"PC1",
 "reason_for_acc":"Remittance","txn_vol_month":1,"txn_count_month":1,"show_remarks_on_txn":false,"customer_remarks":"Demo remarks","agent_ref_no":"786000000",
 "social_links":[{"social_links_id":2,"text_field":"a.example"},{"social_links_id":1,"text_field":"b.example"}],
 "first_language":"en","marital_status":2,"dnfbp":false,"dpms":false,"profile_category":1,
 "profile_photo":{"base64_data":"AAAA","content_type":"image/jpeg"}}}`

// contract is the table of §6 by pointer: the kind, the most characters or elements, and whether it is required.
// The lengths are the longest that a source names; of the nationality the partner's master data decides.
var contract = map[string]struct {
	kind     string
	max      int
	required bool
}{
	"/channel": {"text", 30, true}, "/agent_location_id": {"text", 30, false}, "/ecrn": {"text", 20, false},
	"/salutation": {"text", 3, false},
	"/first_name": {"text", 100, true}, "/middle_name": {"text", 60, false}, "/last_name": {"text", 60, true},
	"/preferred_name":      {"text", 255, false},
	"/mothers_maiden_name": {"text", 255, false}, "/nationality": {"text", 60, true},
	"/second_nationality": {"text", 2, false},
	"/native_region":      {"integer", 0, false}, "/date_of_birth": {"date", 0, true},
	"/country_of_birth": {"text", 2, true},
	"/place_of_birth":   {"text", 100, false}, "/resident_type_id": {"integer", 0, true},
	"/country_of_residence": {"text", 2, true},
	"/gender":               {"text", 12, true}, "/primary_mobile_number": {"text", 20, true},
	"/secondary_mobile_number": {"text", 20, false},
	"/phone_number":            {"text", 20, false}, "/email_id": {"text", 255, true},
	"/occupation_id":            {"integer", 0, false},
	"/political_exposed_person": {"boolean", 0, false}, "/updated_by": {"text", 50, false},

	"/additional_docs": {"list", 20, false}, "/additional_docs/0/base64_data": {"file", 0, true},
	"/additional_docs/0/content_type": {"media", 0, true}, "/additional_docs/0/document_id": {"text", 30, true},

	"/address_list": {"list", 10, true}, "/address_list/0/address_type_id": {"text", 10, true},
	"/address_list/0/building_name": {"text", 255, false},
	"/address_list/0/street_name":   {"text", 255, false}, "/address_list/0/landmark": {"text", 255, false},
	"/address_list/0/city":     {"text", 60, true},
	"/address_list/0/district": {"text", 255, false}, "/address_list/1/state": {"text", 255, false},
	"/address_list/1/country": {"text", 2, true},
	"/address_list/0/zip":     {"numeric", 0, false}, "/address_list/0/po_box": {"text", 30, false},
	"/address_list/0/mobile_number": {"text", 20, false},

	"/id_details": {"list", 10, true}, "/id_details/0/id_type": {"integer", 0, true},
	"/id_details/0/id_number":   {"text", 30, true},
	"/id_details/1/visa_number": {"text", 60, false}, "/id_details/1/visa_expiry_date": {"date", 0, false},
	"/id_details/0/name_as_per_id": {"text", 255, true},
	"/id_details/0/issued_country": {"text", 2, true}, "/id_details/0/issued_by": {"text", 255, false},
	"/id_details/0/issued_at": {"text", 255, false},
	"/id_details/0/issued_on": {"date", 0, true}, "/id_details/0/date_of_expiry": {"date", 0, true},
	"/id_details/0/default_status": {"boolean", 0, false},
	"/id_details/0/active_status":  {"boolean", 0, false}, "/id_details/0/id_front": {"object", 0, true},
	"/id_details/0/id_front/base64_data":  {"file", 0, true},
	"/id_details/0/id_front/content_type": {"media", 0, true}, "/id_details/0/id_back": {"object", 0, false},
	"/id_details/1/id_back/base64_data": {"file", 0, true}, "/id_details/1/id_back/content_type": {"media", 0, true},

	"/customer_classification": {"object", 0, false}, "/customer_classification/customer_type_id": {"integer", 0, false},
	"/customer_classification/annual_income_range_id":         {"numeric", 0, false},
	"/customer_classification/annual_income_currency_code":    {"text", 3, false},
	"/customer_classification/social_security_number":         {"text", 30, false},
	"/customer_classification/tax_registration_number":        {"integer", 0, false},
	"/customer_classification/txn_issued_country":             {"text", 2, false},
	"/customer_classification/employer_name":                  {"text", 255, false},
	"/customer_classification/employer_address":               {"text", 255, false},
	"/customer_classification/employer_phone":                 {"text", 20, false},
	"/customer_classification/employer_ecrn":                  {"text", 20, false},
	"/customer_classification/employer_establishment_id":      {"text", 50, false},
	"/customer_classification/risk_rating_id":                 {"integer", 0, false},
	"/customer_classification/pep_category":                   {"integer", 0, false},
	"/customer_classification/profile_category":               {"integer", 0, false},
	"/customer_classification/marital_status":                 {"integer", 0, false},
	"/customer_classification/income_type":                    {"integer", 0, false},
	"/customer_classification/personal_mohre_id":              {"text", 50, false},
	"/customer_classification/profession_category":            {"text", 10, false},
	"/customer_classification/reason_for_acc":                 {"text", 100, false},
	"/customer_classification/customer_remarks":               {"text", 500, false},
	"/customer_classification/txn_vol_month":                  {"integer", 0, false},
	"/customer_classification/txn_count_month":                {"integer", 0, false},
	"/customer_classification/show_remarks_on_txn":            {"boolean", 0, false},
	"/customer_classification/agent_ref_no":                   {"text", 50, false},
	"/customer_classification/social_links":                   {"list", 20, false},
	"/customer_classification/social_links/0/social_links_id": {"integer", 0, true},
	"/customer_classification/social_links/0/text_field":      {"text", 255, true},
	"/customer_classification/first_language":                 {"text", 3, false},
	"/customer_classification/dnfbp":                          {"boolean", 0, false},
	"/customer_classification/dpms":                           {"boolean", 0, false},
	"/customer_classification/profile_photo":                  {"object", 0, false},
	"/customer_classification/profile_photo/base64_data":      {"file", 0, true},
	"/customer_classification/profile_photo/content_type":     {"image", 0, true},
}

// missing stands for a member that isn't there.
type missing struct{}

// changed is full with another value in one place.
func changed(t testing.TB, pointer string, value any) string {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(full))
	decoder.UseNumber()
	var root any
	if err := decoder.Decode(&root); err != nil {
		t.Fatal(err)
	}
	at := root
	names := strings.Split(pointer, "/")[1:]
	for _, name := range names[:len(names)-1] {
		switch v := at.(type) {
		case map[string]any:
			at = v[name]
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil {
				t.Fatal(err)
			}
			at = v[i]
		}
	}
	object, name := at.(map[string]any), names[len(names)-1]
	if _, ok := object[name]; !ok {
		t.Fatalf("%s is not in the sample", pointer)
	}
	if object[name] = value; value == (missing{}) {
		delete(object, name)
	}
	text, err := json.Marshal(root)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// raw is a JSON value as it is written.
func raw(text string) any { return json.RawMessage(text) }

// elements is a list of so many objects.
func elements(n int, element string) any {
	return raw("[" + strings.TrimSuffix(strings.Repeat(element+",", n), ",") + "]")
}

var inCamelCase = regexp.MustCompile(`_[a-z]`)

// keyOf writes a pointer as the partner's details do: /id_details/0/id_number as idDetails[0].idNumber (§9.2).
func keyOf(pointer string) string {
	key := regexp.MustCompile(`/(\d+)`).ReplaceAllString(strings.TrimPrefix(pointer, "/"), "[$1]")
	return inCamelCase.ReplaceAllStringFunc(
		strings.ReplaceAll(key, "/", "."), func(s string) string { return strings.ToUpper(s[1:]) },
	)
}

func labelOf(pointer string) string {
	name := pointer[strings.LastIndex(pointer, "/")+1:]
	return strings.ReplaceAll(name, "_", " ")
}

// decodeCustomer runs the decoder of onboardings.
func decodeCustomer(body string) error {
	_, err := digit9.OnboardCustomer(
		digit9.Config{NewID: func() string { return "0f0e0d0c-0b0a-4908-8706-050403020100" }},
	).Decode(gateway.Request{Body: []byte(body)})
	return err
}

// wantFault checks that a payload is refused for one field alone, in the partner's words.
func wantFault(t *testing.T, body, pointer, reason string) {
	t.Helper()
	wantFaults(t, body, map[string]string{keyOf(pointer): "Invalid " + labelOf(pointer)}, pointer+": "+reason)
}

func wantFaults(t *testing.T, body string, details map[string]string, detail string) {
	t.Helper()
	err := decodeCustomer(body)
	var rejection *operation.Rejection
	if !errors.As(err, &rejection) {
		t.Errorf("%s: got %v, want %s", short(body), err, detail)
		return
	}
	texts, err := json.Marshal(details)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"status":"failure","status_code":400,"error_code":40002,"message":"Invalid format or missing mandatory request","details":` + string(texts) +
		`,"request_id":"0f0e0d0c0b0a49088706050403020100"}`
	if rejection.Reply.Status != 400 || string(rejection.Reply.Body) != want || rejection.Code != "40002" ||
		rejection.Detail != detail {
		t.Errorf(
			"got %d %s (%s, %s)\nwant %s (%s)", rejection.Reply.Status, rejection.Reply.Body, rejection.Code, rejection.Detail,
			want, detail,
		)
	}
}

func wantValid(t *testing.T, what, body string) {
	t.Helper()
	if err := decodeCustomer(body); err != nil {
		var rejection *operation.Rejection
		if errors.As(err, &rejection) {
			t.Errorf("%s: %s", what, rejection.Detail)
		} else {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func short(body string) string { return body[:min(len(body), 200)] }

func TestSamplesAreValid(t *testing.T) {
	wantValid(t, "the contract's payload", sample)
	wantValid(t, "the partner's payload", full)
	wantValid(t, "unknown members", strings.Replace(full, "{", `{"subscription_type":"x","more":{"first_name":1},`, 1))
	wantValid(
		t, "unknown members within",
		strings.Replace(full, `"social_links_id":2`, `"social_links_id":2,"more":[{"text_field":1}]`, 1),
	)
}

// TestRules violates every row of the contract's table in every way that its kind has, one at a time.
func TestRules(t *testing.T) {
	for _, pointer := range slices.Sorted(maps.Keys(contract)) {
		f := contract[pointer]
		t.Run(pointer[1:], func(t *testing.T) {
			fault := func(value any, reason string) {
				t.Helper()
				wantFault(t, changed(t, pointer, value), pointer, reason)
			}
			valid := func(value any) {
				t.Helper()
				wantValid(t, pointer, changed(t, pointer, value))
			}
			ofType := map[string]string{"text": "must be a string", "date": "must be a string", "file": "must be a string",
				"media": "must be a string",
				"image": "must be a string", "integer": "must be a whole number", "numeric": "must be a whole number",
				"boolean": "must be true or false",
				"object":  "must be an object", "list": "must be an array"}[f.kind]
			if f.required {
				fault(missing{}, "is required")
				fault(nil, ofType)
			} else {
				valid(missing{})
				valid(nil)
			}
			for _, other := range []string{"1.5", "true", `"x"`, "[]", `[1]`, "{}", `{"document_id":"x"}`} {
				kind := map[byte]string{'1': "number", 't': "boolean", '"': "text", '[': "list", '{': "object"}[other[0]]
				fits := kind == f.kind || kind == "text" && slices.Contains([]string{"date", "file", "media", "image"}, f.kind)
				if !fits {
					fault(raw(other), ofType)
				}
			}
			switch f.kind {
			case "text":
				valid(strings.Repeat("é", f.max)) // characters, not bytes
				fault(strings.Repeat("é", f.max+1), "must have "+strconv.Itoa(f.max)+" characters at most")
				if f.required {
					fault("", "must not be empty")
				} else {
					valid("")
				}
			case "date":
				valid("2024-02-29")
				for _, wrong := range []string{
					"2023-02-29", "2024-2-9", "09-02-2024", "2024-02-09T00:00:00Z", " 2024-02-09", "24-02-09",
				} {
					fault(wrong, "must be a date as 2006-01-02")
				}
				if f.required {
					fault("", "must not be empty")
				} else {
					valid("")
				}
			case "integer", "numeric":
				for _, right := range []string{"0", "-1", "9223372036854775807"} {
					valid(raw(right))
				}
				for _, wrong := range []string{"1e2", "1.0", "9223372036854775808", `"1x"`, `"1.5"`, `" 1"`} {
					fault(raw(wrong), ofType)
				}
				if f.kind == "numeric" {
					valid("600001")
					valid("")
				} else {
					fault("600001", ofType)
				}
			case "boolean":
				valid(true)
				valid(false)
				fault("true", ofType)
			case "list":
				if f.required {
					fault(raw("[]"), "must not be empty")
				} else {
					valid(raw("[]"))
				}
				element := map[string]string{
					"/additional_docs": `{"base64_data":"AAAA","content_type":"image/png","document_id":"1"}`,
					"/address_list":    `{"address_type_id":"1","city":"C","country":"AE"}`,
					"/id_details": `{"id_type":4,"id_number":"1","name_as_per_id":"N","issued_country":"AE","issued_on":"2021-03-10","date_of_expiry":"2031-03-09",` +
						`"id_front":{"base64_data":"AAAA","content_type":"image/png"}}`,
					"/customer_classification/social_links": `{"social_links_id":1,"text_field":"x"}`,
				}[pointer]
				valid(elements(1, element))
				valid(elements(f.max, element))
				fault(elements(f.max+1, element), "must have "+strconv.Itoa(f.max)+" elements at most")
				for _, no := range []string{"null", "1", `"x"`, "[]"} {
					wantFaults(t, changed(t, pointer, raw("["+element+","+no+"]")),
						map[string]string{keyOf(pointer) + "[1]": "Invalid " + labelOf(pointer)}, pointer+"/1: must be an object")
				}
			case "media", "image":
				valid("image/jpeg")
				valid("image/png")
				fault("", "must not be empty")
				for _, wrong := range []string{"image/JPEG", "image/gif", "text/html", "image/jpeg; charset=x"} {
					fault(
						wrong,
						map[string]string{
							"media": "must be image/jpeg, image/png or application/pdf", "image": "must be image/jpeg or image/png",
						}[f.kind],
					)
				}
				if f.kind == "media" {
					valid("application/pdf")
				} else {
					fault("application/pdf", "must be image/jpeg or image/png")
				}
			case "file":
				valid("QUJDRA==")
				fault("", "must not be empty")
				fault("QUJDRA", "must be base64 with its padding")
			}
		})
	}
}

// TestEveryRuleIsTested guards the table above: no member of the partner's sample is missing in it.
func TestEveryRuleIsTested(t *testing.T) {
	var walk func(pointer string, value any)
	walk = func(pointer string, value any) {
		switch v := value.(type) {
		case map[string]any:
			for name, value := range v {
				walk(pointer+"/"+name, value)
			}
		case []any:
			for i, value := range v {
				walk(pointer+"/"+strconv.Itoa(i), value)
			}
		}
		last := pointer[strings.LastIndex(pointer, "/")+1:]
		if _, err := strconv.Atoi(last); err == nil || pointer == "" {
			return
		}
		for _, index := range []string{"0", "1"} {
			if _, ok := contract[regexp.MustCompile(`/\d`).ReplaceAllString(pointer, "/"+index)]; ok {
				return
			}
		}
		t.Errorf("%s is not in the table", pointer)
	}
	var root any
	if err := json.Unmarshal([]byte(full), &root); err != nil {
		t.Fatal(err)
	}
	walk("", root)
}

func TestFaultsAreListedTogether(t *testing.T) {
	body := strings.NewReplacer(
		`"first_name":"NOOR",`, ``, `"id_type":2`, `"id_type":"2"`, `"text_field":"b.example"`, `"text_field":""`,
	).Replace(full)
	wantFaults(t, body, map[string]string{
		"firstName": "Invalid first name", "idDetails[1].idType": "Invalid id type",
		"customerClassification.socialLinks[1].textField": "Invalid text field",
	}, "/id_details/1/id_type: must be a whole number; /customer_classification/social_links/1/text_field: must not be "+
		"empty; /first_name: is required")
	var rejection *operation.Rejection
	if err := decodeCustomer(`{}`); !errors.As(err, &rejection) {
		t.Fatal(err)
	}
	if n := strings.Count(rejection.Detail, "; "); n != 9 { // a header is no place for all of them
		t.Errorf("the header lists %d faults: %s", n+1, rejection.Detail)
	}
	var answer struct{ Details map[string]string }
	if err := json.Unmarshal(rejection.Reply.Body, &answer); err != nil {
		t.Fatal(err)
	}
	var required []string
	for pointer, f := range contract {
		if f.required && strings.Count(pointer, "/") == 1 {
			required = append(required, keyOf(pointer))
		}
	}
	slices.Sort(required)
	if got := slices.Sorted(maps.Keys(answer.Details)); !slices.Equal(got, required) {
		t.Errorf("the body names %q, want %q", got, required)
	}
}

func TestFaultsHoldNoValues(t *testing.T) {
	const secret = "784199000000017"
	for pointer := range contract {
		for _, value := range []any{
			secret + strings.Repeat("9", 600), raw(`{"` + secret + `":"` + secret + `"}`), raw(`["` + secret + `"]`),
			raw(`1.` + secret),
		} {
			body := strings.ReplaceAll(changed(t, pointer, value), `"784199000000017"`, `"1"`)
			var rejection *operation.Rejection
			if err := decodeCustomer(body); errors.As(err, &rejection) &&
				(strings.Contains(rejection.Detail, secret) || bytes.Contains(rejection.Reply.Body, []byte(secret))) {
				t.Errorf("%s: %s %s", pointer, rejection.Detail, rejection.Reply.Body)
			}
		}
	}
}

func TestWhatIsNoCustomer(t *testing.T) {
	for body, want := range map[string]string{
		"": "body is empty", "{": "is not valid JSON", "[]": "must be an object", "null": "must be an object",
		`"x"`:                                            "must be an object",
		`{"first_name":"A","first_name":"B"}`:            "/first_name: stands twice",
		`{"first_name":"a\u0000b"}`:                      "/first_name: holds a NUL character",
		`{"more":` + strings.Repeat("[", 40) + `1`:       "nests too deep",
		strings.Replace(sample, `"NOOR"`, "\"\xff\"", 1): "/first_name: is not valid JSON",
	} {
		var input *gateway.InputError
		if err := decodeCustomer(body); !errors.As(err, &input) || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", short(body), err, want)
		}
	}
}

func withFile(text string) string {
	return strings.Replace(sample, `{"base64_data":"AAAA"`, `{"base64_data":"`+text+`"`, 1)
}

func TestFiles(t *testing.T) {
	const place, noBase64 = "/additional_docs/0/base64_data", "must be base64, without line breaks or a data: prefix"
	for _, right := range []string{
		"QQ==", "QUI=", "QUJD", "//++", `\/\/++`, `\u0051UI\u003d`, strings.Repeat("A", 4096), strings.Repeat("A", 4100),
		strings.Repeat("A", 4094) + "==",
	} {
		wantValid(t, right[:min(len(right), 20)], withFile(right))
	}
	for wrong, reason := range map[string]string{
		"QQ": "must be base64 with its padding", "QQ=": "must be base64 with its padding",
		`\/\/+`: "must be base64 with its padding", "QUJDR": "must be base64 with its padding",
		"data:image/png;base64,QUJD": "must be base64 with its padding", "data:image/png;base64,QUJDRA": noBase64,
		"QQ==QQ==": noBase64, "====": noBase64, "Q===": noBase64, "QR==": noBase64, "QUJ=": noBase64, "__--": noBase64,
		"QU D": noBase64, "ＱＱＱＱ": noBase64,
		`QUJDQUJD\r\n\r\n`: noBase64, `QQ==\n\n\n\n`: noBase64, `\u000aQUJDQUI=QUJ`: noBase64,
		strings.Repeat("A", 4094) + "==" + "AAAA": noBase64, strings.Repeat("A", 4092) + "AAA=" + "AAAA": noBase64,
		strings.Repeat("A", 4092) + `\n\n\n\n` + "AAAA": noBase64, strings.Repeat("A", 4095) + "-" + "AAAA": noBase64,
	} {
		wantFault(t, withFile(wrong), place, reason)
	}
	wantFault(
		t, strings.Replace(sample, `{"base64_data":"AAAA"`, `{"base64_data":{"document_id":"x"}`, 1), place,
		"must be a string",
	)
	t.Run("Property", func(t *testing.T) {
		random := rand.New(rand.NewPCG(1, 2))
		for range 100 {
			file := make([]byte, 1+random.IntN(9000))
			for i := range file {
				file[i] = byte(random.Uint32())
			}
			text := []byte(base64.StdEncoding.EncodeToString(file))
			wantValid(t, "a random file", withFile(string(text)))
			text[random.IntN(len(text))] = "-_ ,!"[random.IntN(5)]
			wantFault(t, withFile(string(text)), place, noBase64)
		}
	})
	t.Run("Limit", func(t *testing.T) {
		const limit = 5 << 20 // §6.4; one byte more makes no longer text, but one without padding
		text := func(n int) string { return base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{0xff}, n)) }
		wantValid(t, "5 MiB", withFile(strings.Replace(text(limit), "/", `\/`, 1)))
		wantFault(t, withFile(text(limit+1)), place, "must be a file of 5242880 bytes at most")
	})
}

// Two requests are the same however they are written, and no two different ones are.
func TestFingerprintOfACustomer(t *testing.T) {
	digest := func(body string) string {
		t.Helper()
		op := digit9.OnboardCustomer(digit9.Config{})
		in, err := op.Decode(gateway.Request{Body: []byte(body)})
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(op.Fingerprint(in))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(text, []byte("NOOR")) || bytes.Contains(text, []byte("AAAA")) {
			t.Errorf("%s holds personal data", text)
		}
		return string(text)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, []byte(full)); err != nil {
		t.Fatal(err)
	}
	if digest(full) != digest(compact.String()) || digest(full) != digest(strings.Replace(full, "NOOR", `\u004eOOR`, 1)) {
		t.Error("the same customer, written in another way, has another digest")
	}
	seen := map[string]string{digest(full): "itself"}
	for pointer, f := range contract {
		if f.kind == "text" {
			d := digest(changed(t, pointer, "Z"))
			if was, ok := seen[d]; ok {
				t.Errorf("%s has the digest of %s", pointer, was)
			}
			seen[d] = pointer
		}
	}
	d := digest(strings.Replace(full, "AAAA", "AAAB", 1))
	if _, ok := seen[d]; ok {
		t.Error("another file makes no difference")
	}
}

// FuzzOnboardDecode: whatever the payload, it is taken, refused in the partner's words or refused as no JSON.
func FuzzOnboardDecode(f *testing.F) {
	f.Add([]byte(sample))
	f.Add([]byte(full))
	f.Add([]byte(
		`{"id_details":[{"id_type":-0,"id_front":{"base64_data":"A==="}},null,[]],"address_list":{"city":1},"additional_docs":[{"base64_data":{"document_id":"x"}}]}`,
	))
	f.Add([]byte(`{"ecrn":null,"zip":1e400,"customer_classification":[{}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		before := bytes.Clone(body)
		in, err := digit9.OnboardCustomer(digit9.Config{}).Decode(gateway.Request{Body: body})
		if !bytes.Equal(before, body) {
			t.Errorf("%q was changed to %q", before, body)
		}
		var input *gateway.InputError
		var rejection *operation.Rejection
		switch {
		case err == nil:
			if len(in.IDs) == 0 || !bytes.Equal(in.Body, body) || len(in.Digest) != 64 || !json.Valid(body) {
				t.Errorf("%q: taken as %+v", body, in)
			}
		case errors.As(err, &rejection):
			var answer struct {
				Status  string
				Details map[string]string
			}
			if json.Unmarshal(rejection.Reply.Body, &answer) != nil || answer.Status != "failure" || len(answer.Details) == 0 ||
				rejection.Detail == "" {
				t.Errorf("%q: answered %s (%s)", body, rejection.Reply.Body, rejection.Detail)
			}
		case !errors.As(err, &input):
			t.Errorf("%q: %v", body, err)
		}
	})
}
