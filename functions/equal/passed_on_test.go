package equal_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"sallyport/functions/equal"
	"sallyport/shared/operation"
	"sallyport/shared/schema/schematest"
)

// TestRandomMembersReachThePartnerMatrix: whatever stands in a request beside what the pages name goes on as it came,
// and makes another request of it.
func TestRandomMembersReachThePartnerMatrix(t *testing.T) {
	const fetch = `{"transaction_id":"t","journey_transaction_id":"EQ.GT.x#j#y"}`
	random := rand.New(rand.NewPCG(15, 1))
	for range 100 {
		goesOn(t, random, equal.InitTransaction, `{"gateway_instance_id":"g"}`)
		goesOn(t, random, equal.ExecuteJourney, step(number, ""))
		goesOn(t, random, equal.ExecuteJourney, step(number, "012345"))
		goesOn(t, random, equal.FetchData, fetch)
	}
	body := schematest.WithMembers(random, `{"gateway_instance_id":"g","idempotency_id":"i"}`)
	_, _, sent := call(t, equal.InitTransaction, body, answer{200, `{}`})
	if want := strings.Replace(body, `"idempotency_id":"i"`, `"idempotency_id":"acme:i"`, 1); sent != want {
		t.Errorf("sent %s, want %s", sent, want)
	}
}

func goesOn[In any](
	t *testing.T, random *rand.Rand, make func(equal.Config) operation.Operation[In], plain string,
) {
	t.Helper()
	body := schematest.WithMembers(random, plain)
	if _, _, sent := call(t, make, body, answer{200, `{}`}); sent != body {
		t.Errorf("sent %s, want %s", sent, body)
	}
	if make(equal.Config{}).Fingerprint == nil {
		return
	}
	asked := asksFor(t, make, body)
	reordered, err := jsontext.AppendFormat(nil, []byte(body), jsontext.ReorderRawObjects(true))
	if err != nil {
		t.Fatal(err)
	}
	if asked == asksFor(t, make, plain) || asked != asksFor(t, make, string(reordered)) {
		t.Errorf("%s asks for %s", body, asked)
	}
}

// asksFor is what a request is compared by.
func asksFor[In any](t *testing.T, make func(equal.Config) operation.Operation[In], body string) string {
	t.Helper()
	op := make(equal.Config{})
	in, err := decode(op, body)
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	text, err := json.Marshal(op.Fingerprint(in))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestEverySpellingOfANumberIsMasked: an answer shows no more than its last four digits, however the request has
// written them, and the record keeps the same reference.
func TestEverySpellingOfANumberIsMasked(t *testing.T) {
	for _, spelling := range []string{
		`"999900000016"`, `"9999 0000 0016"`, `"9999\u00a00000\u201100\u200b16"`, `999900000016`, `999900000016.0`,
		`"९९९९००००००१६"`, `"９９９９００００００１６"`, `"𝟗𝟡𝟫𝟵𝟎𝟘𝟢𝟬𝟶𝟬𝟏𝟞"`,
	} {
		body := strings.Replace(step("?", "123456"), `"?"`, spelling, 1)
		var plain string
		if json.Unmarshal([]byte(spelling), &plain) != nil {
			plain = "999900000016"
		}
		echo, err := json.Marshal(map[string]string{
			"status": "FAILURE", "status_code": "x", "message": "no " + plain + ", 999900000016 nor 9999-0000-0016",
		})
		if err != nil {
			t.Fatal(err)
		}
		outcome, _, sent := call(t, equal.ExecuteJourney, body, answer{200, string(echo)})
		got := string(outcome.Reply.Body)
		if sent != body || outcome.Refs["aadhaar_last4"] != "0016" || strings.Contains(got, "9999") ||
			strings.Contains(got, "९९९९") || strings.Contains(got, "９９９９") || strings.Contains(got, "𝟗𝟡𝟫𝟵") {
			t.Errorf("%s: %s, %v", spelling, got, outcome.Refs)
		}
	}
}

// TestContradictionsMatrix: an answer that contradicts itself or what was asked for is never a plain yes.
func TestContradictionsMatrix(t *testing.T) {
	for key, want := range map[string]string{
		`"aadhaar_no":"XXXXXXXX0016","name":"MEERA","decision":"CLEAR"`: "named true, CLEAR, ",
		`"aadhaar_no":"XXXX","name":"XXXX XXX","decision":""`:           "named true, CLEAR, ",
		`"name":"MEERA"`: "named true, CLEAR, ",
		`"aadhaar_no":"XXXXXXXX0017","name":"MEERA"`:                          "named true, CLEAR, true",
		`"aadhaar_no":"999900000028","name":"MEERA"`:                          "named true, CLEAR, true",
		`"aadhaar_no":"XXXXXXXX0016","name":"MEERA","decision":"MUST REVIEW"`: "named true, MUST REVIEW, ",
		`"aadhaar_no":"XXXXXXXX0016","name":"MEERA","decision":"REFUSED"`:     "named true, REFUSED, ",
		`"aadhaar_no":"XXXXXXXX0016","name":" "`:                              "named false, CLEAR, ",
		`"aadhaar_no":"XXXXXXXX0016","name":null`:                             "named false, CLEAR, ",
		`"aadhaar_no":"XXXXXXXX0016","name":"null"`:                           "named false, CLEAR, ",
		`"aadhaar_no":"XXXXXXXX0016","name":"????? ???"`:                      "named false, CLEAR, ",
		`"aadhaar_no":"XXXXXXXX0016","name":"ME\ufffdRA"`:                     "named false, CLEAR, ",
	} {
		text := `{"status":"SUCCESS","status_code":"success","decision":"CLEAR","data":{"keys":{"aadhaar":[{` + key + `}]}}}`
		outcome, _, _ := call(t, equal.ExecuteJourney, step(number, "123456"), answer{200, text})
		out := equal.ExecuteJourney(equal.Config{}).Output(outcome.Reply)
		got := fmt.Sprintf("named %v, %v, %s", out["named"], out["decision"], outcome.Refs["aadhaar_mismatch"])
		if got != want {
			t.Errorf("%s: %s, want %s", key, got, want)
		}
		result, err := equal.AadhaarOTP().Outcome(outcome.Reply, outcome.Refs, nil)
		if verified := strings.Contains(string(result), `"verified":true`); err != nil ||
			verified != (want == "named true, CLEAR, ") {
			t.Errorf("%s: %s, %v", key, result, err)
		}
	}
}

// TestNoResultYetMatrix: what no page documents of a reading may mean that it is too early, and is asked again.
func TestNoResultYetMatrix(t *testing.T) {
	const body = `{"transaction_id":"t","journey_transaction_id":"jt"}`
	for _, early := range []answer{
		{404, ``}, {404, `<html>`}, {425, `{"status":"FAILURE","status_code":"too_early"}`}, {400, `{"error":"pending"}`},
		{202, ``}, {204, ``}, {200, ``}, {200, `{}`}, {200, `{"status":"PENDING"}`}, {409, `[]`}, {403, ``},
	} {
		outcome, _, _ := call(t, equal.FetchData, body, early)
		out := equal.FetchData(equal.Config{}).Output(outcome.Reply)
		if outcome.Class != operation.Conflict || out["status"] != "IN_PROGRESS" {
			t.Errorf("%+v: %s, %v, %d", early, outcome.Class, out, outcome.Reply.Status)
		}
	}
	for a, want := range map[answer]operation.Class{
		{200, `{"status":"FAILURE","status_code":"wrong_otp"}`}:             operation.Refused,
		{200, `{"status":"FAILURE","status_code":"internal_server_error"}`}: operation.Unknown,
		{400, `{"status":"FAILURE","status_code":"invalid_request"}`}:       operation.Invalid,
		{401, ``}: operation.Credentials, {429, ``}: operation.Throttled, {503, ``}: operation.Unknown,
	} {
		if outcome, _, _ := call(t, equal.FetchData, body, a); outcome.Class != want {
			t.Errorf("%+v: %s, want %s", a, outcome.Class, want)
		}
	}
}
