package digit9_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"sallyport/functions/digit9"
	"sallyport/shared/gateway"
	"sallyport/shared/operation"
	"sallyport/shared/schema/schematest"
)

// sample is the contract's payload (§6.2).
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

// decodeCustomer runs the decoder of onboardings, and returns what goes to the partner.
func decodeCustomer(body string) (sent []byte, err error) {
	in, err := digit9.OnboardCustomer(
		digit9.Config{NewID: func() string { return "0f0e0d0c-0b0a-4908-8706-050403020100" }},
	).Decode(gateway.Request{Body: []byte(body)})
	return in.Body, err
}

// wantFault checks that a payload is refused in the partner's words.
func wantFault(t *testing.T, body, key, label, detail string) {
	t.Helper()
	_, err := decodeCustomer(body)
	var rejection *operation.Rejection
	if !errors.As(err, &rejection) {
		t.Errorf("%s: got %v, want %s", short(body), err, detail)
		return
	}
	want := `{"status":"failure","status_code":400,"error_code":40002,` +
		`"message":"Invalid format or missing mandatory request","details":{"` + key + `":"Invalid ` + label +
		`"},"request_id":"0f0e0d0c0b0a49088706050403020100"}`
	if rejection.Reply.Status != 400 || string(rejection.Reply.Body) != want || rejection.Code != "40002" ||
		rejection.Detail != detail {
		t.Errorf(
			"got %d %s (%s, %s)\nwant %s (%s)", rejection.Reply.Status, rejection.Reply.Body, rejection.Code, rejection.Detail,
			want, detail,
		)
	}
}

// wantValid checks that a payload goes on as it came.
func wantValid(t *testing.T, what, body string) {
	t.Helper()
	if sent, err := decodeCustomer(body); err != nil || string(sent) != body {
		t.Errorf("%s: %v; sent %s", what, err, short(string(sent)))
	}
}

func short(body string) string { return body[:min(len(body), 200)] }

// pointers are the places of the members of the partner's sample.
func pointers(t testing.TB) (all []string) {
	t.Helper()
	var walk func(pointer string, value any)
	walk = func(pointer string, value any) {
		switch v := value.(type) {
		case map[string]any:
			for name, value := range v {
				all = append(all, pointer+"/"+name)
				walk(pointer+"/"+name, value)
			}
		case []any:
			for i, value := range v {
				walk(pointer+"/"+strconv.Itoa(i), value)
			}
		}
	}
	var root any
	if err := json.Unmarshal([]byte(full), &root); err != nil {
		t.Fatal(err)
	}
	walk("", root)
	slices.Sort(all)
	return all
}

// TestWhatNoPageForbidsPassesMatrix: the page demands a first name. Whatever else is missing, or of another kind than
// in the sample, is for the partner to judge.
func TestWhatNoPageForbidsPassesMatrix(t *testing.T) {
	wantValid(t, "the contract's payload", sample)
	wantValid(t, "the partner's payload", full)
	odd := []any{
		missing{}, nil, "", " ", "x", strings.Repeat("é", 600), true, raw("1.5"), raw("-7"), raw("9223372036854775808"),
		raw("[]"), raw("[1]"), raw("{}"), raw(`{"document_id":"x"}`), "image/JPEG", "2021-3-9", "data:image/png;base64,QQ==",
		"QUJD\r\nQUJD",
	}
	for _, pointer := range pointers(t) {
		for _, value := range odd {
			_, isText := value.(string)
			blank := value == nil || value == (missing{}) || isText && strings.TrimSpace(value.(string)) == ""
			_, isOther := value.(json.RawMessage)
			switch body := changed(t, pointer, value); {
			case pointer == "/first_name" && blank:
				detail := "/first_name: is required"
				if isText {
					detail = "/first_name: must not be empty"
				}
				wantFault(t, body, "firstName", "first name", detail)
			case pointer == "/ecrn" &&
				(value == true || isOther && strings.ContainsAny(string(value.(json.RawMessage)), "[{")):
				wantFault(t, body, "ecrn", "ecrn", "/ecrn: must be one string, however its name is spelled")
			default:
				wantValid(t, pointer, body)
			}
		}
	}
	for name, change := range map[string][2]string{ // what integrators send
		"Salutation":   {`"Ms"`, `"Miss"`},
		"ZipAbroad":    {`"zip":13345`, `"zip":"SW1A 1AA"`},
		"IDTypeText":   {`"id_type":4`, `"id_type":"4"`},
		"NoLastName":   {`"last_name":"EXAMPLE"`, `"last_name":""`},
		"NoExpiry":     {`"date_of_expiry":"2033-08-08"`, `"date_of_expiry":null`},
		"NoCity":       {`"city":"Sampletown"`, `"city":null`},
		"NoPhoto":      {`"profile_photo":{"base64_data":"AAAA"`, `"profile_photo":{"base64_data":null`},
		"NoDocuments":  {`"additional_docs":[`, `"additional_docs":[],"documents":[`},
		"Language":     {`"first_language":"en"`, `"first_language":"english"`},
		"ManyLinks":    {`"social_links":[`, `"social_links":[` + strings.Repeat(`{},`, 50)},
		"NoIDs":        {`"id_details":`, `"ids":`},
		"ECRNAsNumber": {`"ecrn":"7841009900000017"`, `"ecrn":7841009900000017`},
	} {
		body := strings.Replace(full, change[0], change[1], 1)
		if body == full {
			t.Errorf("%s changes nothing", name)
		}
		wantValid(t, name, body)
	}
}

// TestRandomMembersReachThePartner: members that nobody knows, anywhere in a payload, go on in their place, as they are
// written.
func TestRandomMembersReachThePartner(t *testing.T) {
	random := rand.New(rand.NewPCG(15, 9))
	for range 300 {
		wantValid(t, "random members", schematest.WithMembers(random, full))
	}
}

// TestOwnersAreNotEvaded: what names a customer or a document is seen under whatever spelling the partner may take;
// what it may take in two ways is refused.
func TestOwnersAreNotEvaded(t *testing.T) {
	op := digit9.OnboardCustomer(digit9.Config{})
	for body, want := range map[string]struct {
		ecrn string
		ids  int
	}{
		`{"first_name":"A","ecrn":"17"}`:                                           {"17", 0},
		`{"first_name":"A","ECRN":"17"}`:                                           {"17", 0},
		`{"first_name":"A","e_crn":17,"ecrn":null}`:                                {"17", 0},
		`{"first_name":"A","idDetails":[{"idType":4,"idNumber":"1"}]}`:             {"", 1},
		`{"first_name":"A","id_details":{"id_type":4,"id_number":"1"}}`:            {"", 1},
		`{"first_name":"A","id_details":[[{"id_type":4}],null,5],"ID_DETAILS":[]}`: {"", 2},
	} {
		in, err := op.Decode(gateway.Request{Body: []byte(body)})
		if err != nil || in.ECRN != want.ecrn || len(in.IDs) != want.ids {
			t.Errorf("%s: %q, %d documents, %v", body, in.ECRN, len(in.IDs), err)
		}
	}
	for _, body := range []string{
		`{"first_name":"A","ecrn":"17","ECRN":"18"}`, `{"first_name":"A","ecrn":["17"]}`, `{"first_name":"A","Ecrn":{}}`,
	} {
		wantFault(t, body, "ecrn", "ecrn", "/ecrn: must be one string, however its name is spelled")
	}
	ten := strings.TrimSuffix(strings.Repeat(`{"id_type":4,"id_number":"1"},`, 10), ",")
	wantValid(t, "ten documents", `{"first_name":"A","id_details":[`+ten+`]}`)
	wantFault(t, `{"first_name":"A","idDetails":[[`+ten+`],{}]}`, "idDetails", "id details",
		"/id_details: must have 10 elements at most")
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
		if _, err := decodeCustomer(body); !errors.As(err, &input) || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", short(body), err, want)
		}
	}
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
	seen := map[string]string{digest(full): changed(t, "/first_name", "NOOR")}
	for _, pointer := range pointers(t) {
		for _, value := range []any{"Z", "Z ", raw("1"), raw("1.0"), "1", nil, missing{}} {
			if pointer == "/first_name" && (value == nil || value == (missing{})) ||
				pointer == "/ecrn" && value == (missing{}) {
				continue
			}
			body := changed(t, pointer, value)
			d := digest(body)
			if was, ok := seen[d]; ok && was != body {
				t.Errorf("%s as %v has another customer's digest", pointer, value)
			}
			seen[d] = body
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
			if !bytes.Equal(in.Body, body) || len(in.Digest) != 64 || !json.Valid(body) {
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
