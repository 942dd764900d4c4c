package digit9_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"sallyport/functions/digit9"
	"sallyport/shared/gateway"
	"sallyport/shared/journey"
)

// startWith makes a start whose references lead to the documents, each at the top level of the customer or below.
func startWith(body string, documents map[string]string) (journey.Fields, error) {
	open := func(
		_ context.Context, text jsontext.Value, limit int64, leave func(jsontext.Pointer) bool,
	) (jsontext.Value, error) {
		if limit != 8<<20 || !leave("/id_details/0/id_front/base64_data") || leave("/first_name") || leave("/base64_data/x") {
			return nil, errors.New("opens other places")
		}
		for id, document := range documents {
			text = jsontext.Value(strings.ReplaceAll(string(text), `{"document_id":"`+id+`"}`, document))
		}
		return text, nil
	}
	return digit9.PartnerOnboarding().Start(context.Background(), journey.Start{Body: jsontext.Value(body), Open: open})
}

func TestStartOfAnOnboarding(t *testing.T) {
	withReference := strings.Replace(
		strings.Replace(full, `"AAAA"`, `{"document_id":"file"}`, 1), `"ecrn":"7841009900000017",`, ``, 1,
	)
	for name, test := range map[string]struct {
		body              string
		ids, plain, held  string
		personal, sameDoc bool
	}{
		"Plain": {
			`{"customer":` + sample + `}`, `[{"idType":"4","idNumber":"784199000000017"}]`, `{"ecrn":"","update":false}`, "",
			true, true,
		},
		"Update": {
			`{"customer":` + full + `}`, `[{"idType":"4","idNumber":"784199000000017"},{"idType":"2","idNumber":"X0000017"}]`,
			`{"ecrn":"7841009900000017","update":true}`, "", true, true,
		},
		"File": {
			`{"customer":` + withReference + `}`,
			`[{"idType":"4","idNumber":"784199000000017"},{"idType":"2","idNumber":"X0000017"}]`, `{"ecrn":"","update":false}`,
			"file", true, true,
		},
		"AllInOne": {
			`{"customer":{"document_id":"all"}}`,
			`[{"idType":"4","idNumber":"784199000000017"},{"idType":"2","idNumber":"X0000017"}]`, `{"ecrn":"","update":false}`,
			"all file", false, false,
		},
		"NameFromIt": {
			strings.Replace(`{"customer":`+sample+`}`, `"NOOR"`, `{"document_id":"name"}`, 1),
			`[{"idType":"4","idNumber":"784199000000017"}]`, `{"ecrn":"","update":false}`, "name", true, false,
		},
		"InOtherTypes": {
			`{"customer":{"first_name":["N"],"id_details":[{"id_type":" 4","id_number":784199000000017,"name":null}]}}`,
			`[{"idType":" 4","idNumber":"784199000000017"}]`, `{"ecrn":"","update":false}`, "", true, true,
		},
		"MemberBeside": {
			`{"customer":` + strings.Replace(sample, "{", `{"document_id":"x",`, 1) + `}`,
			`[{"idType":"4","idNumber":"784199000000017"}]`, `{"ecrn":"","update":false}`, "", true, true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			fields, err := startWith(test.body, map[string]string{"all": withReference, "name": `"NOOR"`})
			if err != nil {
				t.Fatal(err)
			}
			ids, err := json.Marshal(fields.Lists["ids"])
			plain, err2 := json.Marshal(fields.Plain)
			if err := errors.Join(err, err2); err != nil {
				t.Fatal(err)
			}
			got := strings.Join(fields.AlsoErase, " ")
			if string(ids) != test.ids || string(plain) != test.plain ||
				strings.Join(unique(fields.AlsoErase), " ") != test.held || fields.HasPersonalData != test.personal {
				t.Errorf("ids %s, plain %s, held %s, personal %t", ids, plain, got, fields.HasPersonalData)
			}
			var sent struct{ Customer jsontext.Value }
			if err := json.Unmarshal([]byte(test.body), &sent); err != nil {
				t.Fatal(err)
			}
			sealed := fmt.Sprint(fields.Sealed["customer"])
			if test.sameDoc && sealed != string(sent.Customer) || strings.Contains(sealed, `"name"}`) ||
				len(fields.Sealed) != 1 || len(fields.References) != 0 {
				t.Errorf("sealed %s", sealed)
			}
		})
	}
}

func unique(ids []string) (all []string) {
	for i, id := range ids {
		if i == 0 || ids[i-1] != id {
			all = append(all, id)
		}
	}
	return all
}

func TestStartThatIsNotValid(t *testing.T) {
	for body, want := range map[string]string{
		`{}`: "/customer: must be an object", `{"customer":null}`: "/customer: must be an object",
		`{"customer":"x"}`: "/customer: must be an object", `{"customer":[]}`: "/customer: must be an object",
		`{"customer":{},"more":1}`:                                         "/more: is not a known name",
		`{"customer":{"document_id":"x"}}`:                                 "/customer: must be an object", // a document that holds something else
		`{"customer":{"first_name":1}}`:                                    "/customer/id_details: must hold an identity document, which is looked up",
		`{"customer":` + strings.Replace(sample, `"NOOR"`, `" "`, 1) + `}`: "/customer/first_name: must not be empty",
		`{"customer":` + strings.Replace(
			sample, `"id_number":"784199000000017"`, `"id_number":"`+strings.Repeat("7", 31)+`"`, 1,
		) + `}`: "/customer/id_details: each must have an id_type of 1 to 3 and an id_number of 1 to 30 characters",
		`{"customer":` + strings.Replace(sample, `"id_type":4`, `"id_type":[4]`, 1) + `}`:  "/customer/id_details: each",
		`{"customer":` + strings.Replace(sample, `"id_type":4`, `"id_type":4.5`, 1) + `}`:  "/customer/id_details: each",
		`{"customer":` + strings.Replace(sample, `"id_type":4`, `"id_type":"4"`, 1) + `,}`: "is not valid JSON",
		`{"customer":` + strings.Replace(
			sample, `"NOOR"`, `{"document_id":"nul"}`, 1,
		) + `}`: "/first_name: holds a NUL character",
		`{"customer":` + strings.Replace(
			sample, `"middle_name":""`, `"middle_name":{"document_id":"deep"}`, 1,
		) + `}`: "nests too deep",
	} {
		_, err := startWith(
			body, map[string]string{"x": `[1]`, "nul": `"\u0000"`, "deep": strings.Repeat("[", 40) + strings.Repeat("]", 40)},
		)
		var input *gateway.InputError
		if !errors.As(err, &input) || !strings.Contains(err.Error(), want) {
			t.Errorf("%.80s: got %v, want %s", body, err, want)
		}
	}
	problem := gateway.NewProblem(422, "document_not_found", "")
	_, err := digit9.PartnerOnboarding().Start(t.Context(), journey.Start{Body: jsontext.Value(
		`{"customer":{"document_id":"x"}}`,
	),
		Open: func(context.Context, jsontext.Value, int64, func(jsontext.Pointer) bool) (jsontext.Value, error) {
			return nil, problem
		}})
	if !errors.Is(err, error(problem)) {
		t.Errorf("got %v", err)
	}
}

// TestOutcome is what people read at a journey's end.
func TestOutcome(t *testing.T) {
	outcome := digit9.PartnerOnboarding().Outcome
	for text, want := range map[string]string{
		found:                  `{"ecrn":"7841009900000017","customer_status":"ACTIVE","aml_scan_status":"Accepted","id_status":"Active"}`,
		camel(500, 45013, "x"): `{"code":"45013"}`,
		camel(404, 45051, "x"): `{"code":"45051"}`,
		camel(404, 45001, "x"): ``,
		camel(404, 45003, "x"): ``,
		`{"status":"success"}`: `{}`,
		strings.Replace(
			found, "ACTIVE", "KYC_PENDING", 1,
		): `{"ecrn":"7841009900000017","customer_status":"KYC_PENDING","aml_scan_status":"Accepted","id_status":"Active"}`,
	} {
		if got, err := outcome(gateway.JSON(200, []byte(text)), nil, nil); err != nil || string(got) != want {
			t.Errorf("%s gave %s, %v, want %s", text, got, err, want)
		}
	}
}
