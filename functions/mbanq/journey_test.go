package mbanq_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"sallyport/functions/mbanq"
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
		if !leave("/document/file") || leave("/firstname") || leave("/file") || leave("/document") {
			return nil, errors.New("opens other places")
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
	return mbanq.ClientOnboarding().Start(
		context.Background(), journey.Start{Body: jsontext.Value(body), Open: opener(documents)},
	)
}

func inputWith(body string, documents map[string]string) (journey.Fields, error) {
	return mbanq.ClientOnboarding().Inputs["documents"](
		context.Background(), journey.Start{Body: jsontext.Value(body), Open: opener(documents)},
	)
}

const (
	home    = `{"addressTypeId":1,"addressLine1":"1 First Street","city":"Sampletown","stateProvinceId":7,"countryId":3,"postalCode":"01001","isActive":true}`
	scanned = `{"documentTypeId":"41","documentKey":"X4409127","status":"Active","document":{"name":"passport","content_type":"image/jpeg","file":{"document_id":"file"}}}`
	anSSN   = `{"documentTypeId":"44","documentKey":"900700001","status":"Active"}`
)

func onboarding(client, addresses, identifiers string) string {
	return `{"client":` + client + `,"addresses":[` + addresses + `],"identifiers":[` + identifiers + `],"activation_date":"2026-03-04"}`
}

func mustJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestStartOfAClientOnboarding(t *testing.T) {
	documents := map[string]string{"client": aClient, "name": `"Noor"`, "home": home, "passport": scanned}
	const nothing = `,"addresses":null,`
	for name, test := range map[string]struct {
		body              string
		lists             [3]int // addresses, identifiers, scans
		plain, held       string
		personal          bool
		external, clients string
	}{
		"ClientAlone": {
			`{"client":` + aClient + nothing + `"activation_date":"2026-03-04"}`, [3]int{},
			`{"activation_date":"2026-03-04","kyc_verification_type":"FULL","scanned":[]}`, "", true, `["ext-1"]`, "Noor",
		},
		"Everything": {
			onboarding(aClient, home, scanned+","+anSSN), [3]int{1, 2, 2},
			`{"activation_date":"2026-03-04","kyc_verification_type":"FULL","scanned":[true,false]}`, "file", true, `["ext-1"]`,
			"Noor",
		},
		"Partial": {
			strings.Replace(onboarding(aClient, "", ""), "{", `{"kyc_verification_type":"PARTIAL",`, 1), [3]int{},
			`{"activation_date":"2026-03-04","kyc_verification_type":"PARTIAL","scanned":[]}`, "", true, `["ext-1"]`, "Noor",
		},
		"ByReference": {
			onboarding(`{"document_id":"client"}`, `{"document_id":"home"}`, `{"document_id":"passport"}`), [3]int{1, 1, 1},
			`{"activation_date":"2026-03-04","kyc_verification_type":"FULL","scanned":[true]}`, "client file home passport",
			false, `["ext-1"]`, "Noor",
		},
		"OneByValue": {
			onboarding(`{"document_id":"client"}`, `{"document_id":"home"}`, anSSN), [3]int{1, 1, 1},
			`{"activation_date":"2026-03-04","kyc_verification_type":"FULL","scanned":[false]}`, "client home", true,
			`["ext-1"]`, "Noor",
		},
		"HomeByValue": {
			onboarding(`{"document_id":"client"}`, home, ``), [3]int{1, 0, 0},
			`{"activation_date":"2026-03-04","kyc_verification_type":"FULL","scanned":[]}`, "client", true, `["ext-1"]`, "Noor",
		},
		"NameFromIt": {
			onboarding(change(t, aClient, `"Noor"`, `{"document_id":"name"}`), "", ""), [3]int{},
			`{"activation_date":"2026-03-04","kyc_verification_type":"FULL","scanned":[]}`, "name", true, `["ext-1"]`, "Noor",
		},
		"ScanInline": {
			onboarding(aClient, "", change(t, scanned, `{"document_id":"file"}`, `"/9j/"`)), [3]int{0, 1, 1},
			`{"activation_date":"2026-03-04","kyc_verification_type":"FULL","scanned":[true]}`, "", true, `["ext-1"]`, "Noor",
		},
		"NoScan": {
			onboarding(aClient, "", change(t, anSSN, `}`, `,"document":null}`)), [3]int{0, 1, 1},
			`{"activation_date":"2026-03-04","kyc_verification_type":"FULL","scanned":[false]}`, "", true, `["ext-1"]`, "Noor",
		},
		"NoExternalID": {
			onboarding(change(t, aClient, `"ext-1"`, `" "`), "", ""), [3]int{},
			`{"activation_date":"2026-03-04","kyc_verification_type":"FULL","scanned":[]}`, "", true, "", "Noor",
		},
	} {
		t.Run(name, func(t *testing.T) {
			fields, err := startWith(test.body, documents)
			if err != nil {
				t.Fatal(err)
			}
			if got := [3]int{
				len(fields.Lists["addresses"]), len(fields.Lists["identifiers"]), len(fields.Lists["scans"]),
			}; got != test.lists {
				t.Errorf("lists %v", got)
			}
			held := slices.Compact(slices.Sorted(slices.Values(fields.AlsoErase)))
			if got := mustJSON(t, fields.Plain); got != test.plain || strings.Join(held, " ") != test.held ||
				fields.HasPersonalData != test.personal {
				t.Errorf("plain %s, held %v, personal %t", got, held, fields.HasPersonalData)
			}
			for _, value := range []string{"Noor", "X4409127", "First"} {
				if strings.Contains(mustJSON(t, fields.Plain), value) {
					t.Errorf("plain %v", fields.Plain)
				}
			}
			// Nothing without an externalId: what would a repeated start find?
			var external []string
			var clients []struct {
				ExternalID string `json:"externalId"`
				Firstname  string `json:"firstname"`
			}
			text := mustJSON(t, fields.Lists["external"])
			if err := errors.Join(
				json.Unmarshal([]byte(text), &external), json.Unmarshal([]byte(mustJSON(t, fields.Lists["client"])), &clients),
			); err != nil {
				t.Fatal(err)
			}
			if len(external) != 1 || strings.TrimSpace(external[0]) == "" || len(clients) != 1 ||
				clients[0].ExternalID != external[0] || clients[0].Firstname != test.clients ||
				test.external != "" && text != test.external {
				t.Errorf("external %s, clients %+v", text, clients)
			}
			for _, element := range fields.Lists["identifiers"] {
				if strings.Contains(mustJSON(t, element), "document\"") {
					t.Errorf("an identifier holds its scan: %v", element)
				}
			}
			if scans := mustJSON(t, fields.Lists["scans"]); name == "Everything" &&
				scans != `[{"name":"passport","content_type":"image/jpeg","file":{"document_id":"file"}},{}]` {
				t.Errorf("scans %s", scans)
			}
		})
	}
}

// TestStartThatIsNotValid: an error points at its place in the body.
func TestStartThatIsNotValid(t *testing.T) {
	valid := onboarding(aClient, home, scanned)
	eleven := strings.TrimSuffix(strings.Repeat(home+",", 11), ",")
	large := `"` + strings.Repeat("x", 5<<20) + `"`
	for body, want := range map[string]string{
		`{}`:            `/client: must be an object or {"document_id":…}`,
		`{"client":[]}`: `/client: must be an object or {"document_id":…}`, `[]`: "must be an object",
		change(t, valid, "{", `{"more":1,`):          "/more: is not a known name",
		onboarding(`{"document_id":"list"}`, "", ""): "/client: must be an object",
		onboarding(
			`{"document_id":"nul"}`, "", "",
		): "/client/firstname: holds a NUL character",
		onboarding(change(t, aClient, `"officeId":1,`, ``), "", ""):    "/client/officeId: cannot be blank",
		onboarding(change(t, aClient, `{`, `{"active":true,`), "", ""): "/client/active: can't be true",
		onboarding(
			change(t, aClient, `"2026-01-05"`, `"2026-03-05"`), "", "",
		): "/activation_date: must not be before /client/submittedOnDate",
		onboarding(
			change(t, aClient, `"1991-07-03"`, `"5 march 2026"`, `"2026-01-05"`, `"05 January 2026"`, "yyyy-MM-dd", "dd MMMM yyyy"), "", "",
		): "/client/dateOfBirth: must be before /client/submittedOnDate",
		onboarding(
			aClient, home+","+anAddress, "",
		): "/addresses/1/addressTypeId: cannot be blank",
		onboarding(aClient, change(t, home, `"city":"Sampletown",`, ``), ""): "/addresses/0/city: cannot be blank",
		onboarding(aClient, `null`, ""):                                      "/addresses/0: must be an object",
		onboarding(aClient, eleven, ""): "/addresses: must have 10 elements " +
			"at most",
		change(t, valid, `"addresses":[`+home+`]`, `"addresses":{"document_id":"x"}`): "/addresses: must be an array",
		onboarding(
			aClient, "", anSSN+`,{"documentTypeId":"44"}`,
		): "/identifiers/1/documentKey: cannot be blank",
		change(
			t, valid, `"passport"`, `"my passport"`,
		): "/identifiers/0/document/name: must have letters and digits only",
		change(
			t, valid, `image/jpeg`, `text/html`,
		): "/identifiers/0/document/content_type: must be application/pdf, image/jpeg " +
			"or image/png",
		change(
			t, valid, `{"document_id":"file"}`, `"%"`,
		): `/identifiers/0/document/file: must be base64 or {"document_id":…}`,
		change(
			t, valid, `{"document_id":"file"}`, `""`,
		): `/identifiers/0/document/file: must be base64 or {"document_id":…}`,
		change(
			t, valid, `{"document_id":"file"}`, `{"document_id":"file","x":1}`,
		): `/identifiers/0/document/file: must be base64 or {"document_id":…}`,
		change(
			t, valid, `"name":"passport"`, `"name":"passport","description":"x"`,
		): "/identifiers/0/document/description: is not a known name",
		change(t, valid, `,"activation_date":"2026-03-04"`, ``): "/activation_date: must be a date",
		change(t, valid, `"2026-03-04"`, `"4 March 2026"`):      "/activation_date: must be a date",
		change(
			t, valid, "{", `{"kyc_verification_type":"full",`,
		): "/kyc_verification_type: must be PARTIAL or FULL",
	} {
		_, err := startWith(body, map[string]string{"list": `[1]`, "nul": change(t, aClient, `"Noor"`, `"\u0000"`)})
		var input *gateway.InputError
		if !errors.As(err, &input) || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "Noor") {
			t.Errorf("%.80s: got %v, want %s", body, err, want)
		}
	}
	t.Run("TooLarge", func(t *testing.T) { // each by itself is not, all together are
		one := change(t, anSSN, `{`, `{"description":{"document_id":"large"},`)
		_, err := startWith(onboarding(aClient, "", one+","+one), map[string]string{"large": large})
		var problem *gateway.Problem
		if !errors.As(err, &problem) || problem.Status != 413 {
			t.Errorf("got %v", err)
		}
	})
}

func TestInputOfDocuments(t *testing.T) {
	fields, err := inputWith(
		`{"addresses":[`+home+`],"identifiers":[{"document_id":"passport"}]}`, map[string]string{"passport": scanned},
	)
	if err != nil {
		t.Fatal(err)
	}
	if len(fields.Lists["addresses"]) != 1 || len(fields.Lists["identifiers"]) != 1 || len(fields.Lists["scans"]) != 1 ||
		len(fields.Lists) != 3 || mustJSON(t, fields.Plain) != `{"scanned":[true]}` {
		t.Errorf("got %+v", fields)
	}
	if held := slices.Sorted(slices.Values(fields.AlsoErase)); strings.Join(held, " ") != "file passport" {
		t.Errorf("held %v", held)
	}
	if fields, err := inputWith(`{}`, nil); err != nil ||
		mustJSON(t, fields.Lists) != `{"addresses":[],"identifiers":[],"scans":[]}` {
		t.Errorf("got %+v, %v", fields, err)
	}
	for body, want := range map[string]string{
		`{"identifiers":[{"documentTypeId":"44"}]}`: "/identifiers/0/documentKey: cannot be blank",
		`{"client":{}}`: "/client: is not a known name", `{"addresses":"x"}`: "/addresses: must be an array",
	} {
		if _, err := inputWith(body, nil); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v", body, err)
		}
	}
}

// TestOutcome is what people read at a journey's end.
func TestOutcome(t *testing.T) {
	for text, want := range map[string]string{
		aVerified: `{"client_id":"8812","status":100,"sub_status":"Verified","verification":"APPROVED","account_no":"000008812"}`,
		aPending:  `{"client_id":"8812","status":100,"verification":"PENDING","account_no":"000008812"}`,
		`{}`:      "", `{"id":8812}`: "", ``: "", `<html>`: "", `[]`: "", created: "",
	} {
		if got, err := mbanq.ClientOnboarding().Outcome(gateway.JSON(200, []byte(text)), nil, nil); err != nil ||
			string(got) != want {
			t.Errorf("%s gave %s, %v, want %s", text, got, err, want)
		}
	}
}
