package digit9_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sallyport/functions/digit9"
	"sallyport/shared/gateway"
	"sallyport/shared/operation"
)

const (
	tokenPath   = "/auth/realms/cdp/protocol/openid-connect/token"
	lookupPath  = "/caas/api/v2/customer/validate"
	onboardPath = "/caas-lcm/api/v1/CAAS/onBoarding/customer"
	getPath     = "/caas/api/v2/customer/"

	secret   = `{"client_id":"client.1","client_secret":"se&cret=","username":"agent","password":"pass word","scope":"api://x/customer"}`
	granted  = `{"token_type":"bearer","access_token":"at-1","expires_in":7199,"refresh_expires_in":7199,"refresh_token":"rt-1","scope":"demo","not-before-policy":0,"session_state":"s"}`
	aLookup  = `{"idType":"4","idNumber":"784199000000017"}`
	aHex     = "0f0e0d0c0b0a49088706050403020100"
	springAt = "2026-01-05T09:00:00.123+00:00"
)

func config(baseURL string) digit9.Config {
	return digit9.Config{
		BaseURL: baseURL,
		Now:     func() time.Time { return time.Date(2026, 1, 5, 9, 0, 0, 123_000_000, time.UTC) },
		NewID:   func() string { return "0f0e0d0c-0b0a-4908-8706-050403020100" },
	}
}

// answer is what a scripted partner says; a status of 0 is a connection that breaks.
type answer struct {
	status int
	body   string
}

// asked is a request that reached it.
type asked struct {
	method, path, body string
	header             http.Header
}

// partner answers the token endpoint and, one after the other, everything else.
type partner struct {
	url   string
	token answer

	mu      sync.Mutex
	answers []answer
	asked   []asked
}

func newPartner(t testing.TB, answers ...answer) *partner {
	t.Helper()
	p := &partner{token: answer{200, granted}, answers: answers}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		p.mu.Lock()
		defer p.mu.Unlock()
		p.asked = append(p.asked, asked{r.Method, r.URL.Path, string(text), r.Header})
		a := p.token
		if r.URL.Path != tokenPath {
			if len(p.answers) == 0 {
				t.Errorf("asked once more: %s %s", r.URL.Path, text)
				return
			}
			a, p.answers = p.answers[0], p.answers[1:]
		}
		if a.status == 0 {
			panic(http.ErrAbortHandler)
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(a.status)
		_, _ = w.Write([]byte(a.body))
	}))
	t.Cleanup(server.Close)
	p.url = server.URL
	return p
}

// requests are those that reached it so far; left are the answers that nobody has asked for.
func (p *partner) requests() (asked []asked, left []answer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked, p.answers
}

// call makes an operation's call.
func call[In any](t testing.TB, op operation.Operation[In], req gateway.Request) operation.Outcome {
	t.Helper()
	in, err := op.Decode(req)
	if err != nil {
		t.Fatal(err)
	}
	return op.Call(t.Context(), operation.NewCall("acme", []byte(secret)), in)
}

func body(text string) gateway.Request { return gateway.Request{Method: "POST", Body: []byte(text)} }

func ecrnOf(number string) gateway.Request {
	return gateway.Request{Method: "GET", Params: map[string]string{"ecrn": number}}
}

func TestRequestsOnTheWire(t *testing.T) {
	const update = `{"ecrn":"7841009900000017",` // whatever white space and order the caller has, the partner gets
	updated := strings.Replace(sample, "{", update, 1)
	for name, test := range map[string]struct {
		call         func(digit9.Config) operation.Outcome
		method, path string
		body         string
	}{
		"Lookup": {
			func(c digit9.Config) operation.Outcome { return call(t, digit9.LookupCustomer(c), body(" "+aLookup)) }, "POST",
			lookupPath, aLookup,
		},
		"Onboard": {
			func(c digit9.Config) operation.Outcome { return call(t, digit9.OnboardCustomer(c), body(sample)) }, "POST",
			onboardPath, sample,
		},
		"Update": {
			func(c digit9.Config) operation.Outcome { return call(t, digit9.OnboardCustomer(c), body(updated)) }, "POST",
			onboardPath, updated,
		},
		"Get": {func(c digit9.Config) operation.Outcome {
			return call(t, digit9.GetCustomer(c), ecrnOf("7841009900000017"))
		}, "GET", getPath + "7841009900000017", ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPartner(t, answer{200, `{}`})
			test.call(config(p.url))
			asked, _ := p.requests()
			if len(asked) != 2 {
				t.Fatalf("asked %+v", asked)
			}
			grant, got := asked[0], asked[1]
			form, err := url.ParseQuery(grant.body)
			want := url.Values{
				"grant_type": {"password"}, "scope": {"api://x/customer"}, "client_id": {"client.1"}, "client_secret": {"se&cret="},
				"username": {"agent"}, "password": {"pass word"},
			}
			if err != nil || form.Encode() != want.Encode() || grant.method != "POST" ||
				grant.header.Get("Content-Type") != "application/x-www-form-urlencoded" || grant.header.Get("Authorization") != "" {
				t.Errorf("asked for a token by %s %s, %v", grant.method, grant.body, grant.header)
			}
			if got.method != test.method || got.path != test.path || got.body != test.body ||
				got.header.Get("Authorization") != "Bearer at-1" || got.header.Get("Content-Type") != "application/json" {
				t.Errorf("asked %s %s %s, %v", got.method, got.path, got.body, got.header)
			}
		})
	}
}

func TestToken(t *testing.T) {
	lookup := func(c digit9.Config, secret string) operation.Outcome {
		op := digit9.LookupCustomer(c)
		in, err := op.Decode(body(aLookup))
		if err != nil {
			t.Fatal(err)
		}
		return op.Call(t.Context(), operation.NewCall("acme", []byte(secret)), in)
	}
	for name, test := range map[string]struct {
		answer answer
		class  operation.Class
	}{
		"WrongUser": {
			answer{401, `{"error":"invalid_grant","error_description":"Invalid user credentials"}`}, operation.Credentials,
		},
		"BadRequest":     {answer{400, `{"error":"invalid_request"}`}, operation.Credentials},
		"Forbidden":      {answer{403, `<html>`}, operation.Credentials},
		"Throttled":      {answer{429, ``}, operation.Unavailable},
		"RequestTimeout": {answer{408, ``}, operation.Unavailable},
		"Down":           {answer{503, `<html>`}, operation.Unavailable},
		"Lost":           {answer{0, ``}, operation.Unavailable}, // nothing was asked of the business yet
		"Redirect":       {answer{302, ``}, operation.Unavailable},
		"HTML":           {answer{200, `<html>`}, operation.Unavailable},
		"NoToken":        {answer{200, `{"expires_in":7199}`}, operation.Unavailable},
		"NoLifetime":     {answer{200, `{"access_token":"at-1"}`}, operation.Unavailable},
		"OddLifetime":    {answer{200, `{"access_token":"at-1","expires_in":"7199"}`}, operation.Unavailable},
		"Created":        {answer{201, granted}, operation.Unavailable},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPartner(t)
			p.token = test.answer
			if got := lookup(config(p.url), secret); got.Class != test.class || got.Reply.Status != 0 {
				t.Errorf("got %+v", got)
			}
			if asked, _ := p.requests(); len(asked) != 1 {
				t.Errorf("asked %+v", asked)
			}
		})
	}
	t.Run("LongToken", func(t *testing.T) { // real ones exceed what the contract documents
		p := newPartner(t, answer{200, `{}`})
		long := strings.Repeat("x", 4000)
		p.token = answer{200, strings.Replace(granted, "at-1", long, 1)}
		lookup(config(p.url), secret)
		asked, _ := p.requests()
		if got := asked[1].header.Get("Authorization"); got != "Bearer "+long {
			t.Errorf("sent %d characters", len(got))
		}
	})
	t.Run("NoScope", func(t *testing.T) {
		p := newPartner(t, answer{200, `{}`})
		lookup(config(p.url), `{"client_id":"c","client_secret":"s","username":"u","password":"p"}`)
		asked, _ := p.requests()
		if got := asked[0].body; got != "client_id=c&client_secret=s&grant_type=password&password=p&username=u" {
			t.Errorf("sent %s", got)
		}
	})
	t.Run("MalformedCredentials", func(t *testing.T) {
		for _, secret := range []string{``, `[]`, `{}`, `{"client_id":"c"}`, `{"username":"u"}`} {
			if got := lookup(config("http://127.0.0.1:1"), secret); got.Class != operation.Credentials {
				t.Errorf("%s: %+v", secret, got)
			}
		}
	})
	t.Run("NotSent", func(t *testing.T) {
		if got := lookup(config("http://127.0.0.1:1"), secret); got.Class != operation.Unavailable {
			t.Errorf("got %+v", got)
		}
	})
}

// camel and snake are failures as the partner writes them.
func camel(statusCode, code int, message string) string {
	return fmt.Sprintf(`{"status":"failure","statusCode":%d,"errorCode":%d,"message":%q}`, statusCode, code, message)
}

func snake(status string, statusCode, code int, message string) string {
	return fmt.Sprintf(
		`{"request_id":%q,"status":%q,"status_code":%d,"error_code":%d,"message":%q}`, aHex, status, statusCode, code,
		message,
	)
}

const (
	found     = `{"status":"success","statusCode":200,"data":{"ecrn":"7841009900000017","first_name":"NOOR","customer_status":"ACTIVE","aml_scan_status":"Accepted","id_status":"Active"}}`
	onboarded = `{"status":"success","data":{"aml_scan_status":"Accepted","ecrn":"7841009900000017","customer_status":"ACTIVE","pep":false,"aml_category":2},"status_code":200,"request_id":"` + aHex + `"}`
	spring401 = `{"timestamp":"` + springAt + `","status":401,"error":"Unauthorized","path":"/api/v2/customer/validate"}`
)

// wantPassedOn checks that an answer reached the caller byte for byte if it is an object, and otherwise not at all.
func wantPassedOn(t *testing.T, a answer, outcome operation.Outcome) {
	t.Helper()
	isObject := strings.HasPrefix(a.body, "{")
	if isObject && outcome.Reply.Status != 0 &&
		(outcome.Reply.Status != a.status || string(outcome.Reply.Body) != a.body) ||
		!isObject && len(outcome.Reply.Body) != 0 {
		t.Errorf("passed on %d %s", outcome.Reply.Status, outcome.Reply.Body)
	}
}

// TestTolerated: a byte order mark is skipped and passed on, a number may stand for a text, with a fraction of zero.
func TestTolerated(t *testing.T) {
	odd := "\uFEFF" + strings.NewReplacer(
		`"7841009900000017"`, "7841009900000017.0", `"ACTIVE"`, `" ACTIVE "`,
	).Replace(found)
	got := call(t, digit9.LookupCustomer(config(newPartner(t, answer{200, odd}).url)), body(aLookup))
	if got.Class != operation.Done || got.Refs["ecrn"] != "7841009900000017" || got.Refs["customer_status"] != "ACTIVE" ||
		string(got.Reply.Body) != odd {
		t.Errorf("got %+v", got)
	}
}

// TestReads has every row of digit9 §9.1, and what else may come. A code decides, the status in the body never.
func TestReads(t *testing.T) {
	for name, test := range map[string]struct {
		answer  answer
		class   operation.Class
		code    string
		replies bool
	}{
		"Found":         {answer{200, found}, operation.Done, "success", true},
		"NotFound":      {answer{200, camel(404, 45001, "Customer not found")}, operation.Done, "45001", true},
		"NotSubscribed": {answer{200, camel(404, 45003, "Customer not Subscribed")}, operation.Done, "45003", true},
		"Invalid":       {answer{200, camel(400, 40001, "Invalid format input")}, operation.Invalid, "40001", true},
		"SearchFailed": {
			answer{200, camel(500, 45006, "Error while searching customer!")}, operation.Unavailable, "45006", true,
		},
		"Held": {
			answer{200, camel(500, 45013, "Customer under Compliance investigation!")}, operation.Done, "45013", true,
		},
		"Blocked":        {answer{200, camel(404, 45051, "Customer can not be Accepted")}, operation.Done, "45051", true},
		"CodeOverStatus": {answer{200, camel(200, 45051, "x")}, operation.Done, "45051", true},
		"CodeAsText":     {answer{200, `{"status":"failure","errorCode":"45001"}`}, operation.Done, "45001", true},
		"OtherSpelling":  {answer{200, `{"status":"failure","error_code":45001}`}, operation.Done, "45001", true},
		"UnknownCode":    {answer{200, camel(400, 49999, "x")}, operation.Refused, "49999", true},
		"CodeAndSuccess": {
			answer{200, strings.Replace(found, `"statusCode":200`, `"errorCode":49999`, 1)}, operation.Refused, "49999", true,
		},
		"SuccessNoCustomer": {
			answer{200, `{"status":"success","statusCode":200,"data":{}}`}, operation.Refused, "success", true,
		},
		"SuccessOddNumber": {
			answer{200, strings.Replace(found, "7841009900000017", "no number", 1)}, operation.Refused, "success", true,
		},
		"NumberAsNumber": {
			answer{200, strings.Replace(found, `"7841009900000017"`, `7841009900000017`, 1)}, operation.Done, "success", true,
		},
		"Unauthorized":    {answer{401, spring401}, operation.Credentials, "http_401", false},
		"Throttled":       {answer{429, `{"status":"failure"}`}, operation.Throttled, "http_429", true},
		"ThrottledHTML":   {answer{429, `<html>`}, operation.Throttled, "http_429", false},
		"TooLarge":        {answer{413, `<html>`}, operation.Refused, "http_413", false},
		"ServerError":     {answer{500, camel(500, 45006, "x")}, operation.Unavailable, "45006", true},
		"ServerErrorCode": {answer{500, camel(404, 45001, "x")}, operation.Unavailable, "45001", true},
		"BadGateway":      {answer{502, `<html>`}, operation.Unavailable, "http_502", false},
		"GatewayTimeout":  {answer{504, `<html>504 Gateway Time-out</html>`}, operation.Unavailable, "http_504", false},
		"Unavailable":     {answer{503, ``}, operation.Unavailable, "http_503", false},
		"Redirect":        {answer{302, ``}, operation.Unavailable, "http_302", false},
		"HTML":            {answer{200, `<html>`}, operation.Unavailable, "http_200", false},
		"Empty":           {answer{200, ``}, operation.Unavailable, "http_200", false},
		"EmptyObject":     {answer{200, `{}`}, operation.Unavailable, "http_200", false},
		"Array":           {answer{200, `[]`}, operation.Unavailable, "http_200", false},
		"StatusAsNumber":  {answer{200, `{"status":200}`}, operation.Unavailable, "http_200", false},
		"Lost":            {answer{0, ``}, operation.Unknown, "answer_lost", false},
	} {
		t.Run(name, func(t *testing.T) {
			got := call(t, digit9.LookupCustomer(config(newPartner(t, test.answer).url)), body(aLookup))
			if got.Class != test.class || got.Code != test.code || (got.Reply.Status != 0) != test.replies || got.Creates != "" {
				t.Errorf("got %+v", got)
			}
			wantPassedOn(t, test.answer, got)
			again := newPartner(t, test.answer, test.answer) // a broken connection may cost a GET a second attempt
			if got := call(t, digit9.GetCustomer(config(again.url)), ecrnOf("1")); got.Class != test.class ||
				got.Code != test.code {
				t.Errorf("read by number: %+v", got)
			}
		})
	}
	t.Run("GetCustomerNotFound", func(t *testing.T) {
		got := call(t, digit9.GetCustomer(config(newPartner(t, answer{404, `<html>`}).url)), ecrnOf("1"))
		if got.Class != operation.Done || got.Code != "45001" ||
			string(got.Reply.Body) != camel(404, 45001, "Customer not found") || got.Reply.Status != 200 {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("References", func(t *testing.T) {
		got := call(t, digit9.LookupCustomer(config(newPartner(t, answer{200, found}).url)), body(aLookup))
		if len(got.Refs) != 3 || got.Refs["ecrn"] != "7841009900000017" || got.Refs["customer_status"] != "ACTIVE" ||
			got.Refs["aml_scan_status"] != "Accepted" {
			t.Errorf("references %v", got.Refs)
		}
		odd := strings.NewReplacer(
			"7841009900000017", "NOOR EXAMPLE", "ACTIVE", "784199000000017", "Accepted", strings.Repeat("A", 21),
		).Replace(found)
		if got := call(
			t, digit9.LookupCustomer(config(newPartner(t, answer{200, odd}).url)), body(aLookup),
		); len(got.Refs) != 0 {
			t.Errorf("kept %v", got.Refs)
		}
	})
}

// TestOnboardings has every row of digit9 §9.2, and what else may come. Only what is clear to have had no effect
// releases the key; what isn't is looked up.
func TestOnboardings(t *testing.T) {
	const ecrn, owned = "7841009900000017", "digit9/customer/7841009900000017"
	fields := `{"status":"failure","status_code":400,"error_code":40002,"message":"Invalid format or missing mandatory request","details":{"lastName":"Invalid last name EXAMPLE","firstName":"x","784 199":"x"},"request_id":"` + aHex + `"}`
	for name, test := range map[string]struct {
		answer  answer
		class   operation.Class
		code    string
		owns    string
		replies bool
		fields  string
	}{
		"Created": {answer{200, onboarded}, operation.Done, "success", owned, true, ""},
		"UnderInvestigation": {
			answer{200, strings.Replace(onboarded, "Accepted", "Under Investigation", 1)}, operation.Done, "success", owned,
			true, "",
		},
		"NumberAsNumber": {
			answer{200, strings.Replace(onboarded, `"`+ecrn+`"`, ecrn, 1)}, operation.Done, "success", owned, true, "",
		},
		"Held": {
			answer{406, snake("failed", 406, 45013, "Customer "+ecrn+" Under Compliance Investigation")}, operation.Done,
			"45013", owned, true, "",
		},
		"HeldUnnamed": {
			answer{406, snake("failed", 406, 45013, "Customer Under Compliance Investigation")}, operation.Done, "45013", "",
			true, "",
		},
		"Blocked": {
			answer{406, snake("failed", 406, 45051, "Customer "+ecrn+" Cannot be Accepted")}, operation.Refused, "45051", "",
			true, "",
		},
		"MasterData": {
			answer{400, snake("failed", 406, 45053, " Invalid Nationality INN!")}, operation.Invalid, "45053", "", true,
			"nationality",
		},
		"OtherMasterData": {
			answer{400, snake("failed", 406, 45053, " Invalid Occupation 1!")}, operation.Invalid, "45053", "", true, "",
		},
		"InvalidFields": {answer{400, fields}, operation.Invalid, "40002", "", true, "firstName lastName"},
		"UpdateFailed": {
			answer{404, snake("failed", 404, 45032, "Customer update failed")}, operation.Conflict, "45032", "", true, "",
		},
		"Unauthorized": {answer{401, spring401}, operation.Credentials, "http_401", "", false, ""},
		"BackendDown": {
			answer{502, snake("failed", 502, 40001, "Backend Technical Problem")}, operation.Unknown, "40001", "", true, "",
		},
		"UnknownCode": {answer{400, snake("failed", 400, 49999, "x")}, operation.Refused, "49999", "", true, ""},
		"NoCode":      {answer{422, `{"status":"failed"}`}, operation.Refused, "http_422", "", true, ""},
		"Throttled":   {answer{429, ``}, operation.Throttled, "http_429", "", true, ""},
		"TooLarge": {
			answer{413, `<html>413 Request Entity Too Large</html>`}, operation.Invalid, "http_413", "", false, "",
		},
		"RequestTimeout": {answer{408, ``}, operation.Unknown, "http_408", "", false, ""},
		"GatewayTimeout": {
			answer{504, `<html>504 Gateway Time-out</html>`}, operation.Unknown, "http_504", "", false, "",
		},
		"Unavailable": {answer{503, ``}, operation.Unknown, "http_503", "", false, ""},
		"HeldOfA500": {
			answer{500, snake("failed", 406, 45013, "Customer "+ecrn)}, operation.Unknown, "45013", "", true, "",
		},
		"Redirect":          {answer{302, ``}, operation.Unknown, "http_302", "", false, ""},
		"HTML":              {answer{200, `<html>`}, operation.Unknown, "http_200", "", false, ""},
		"Empty":             {answer{200, ``}, operation.Unknown, "http_200", "", false, ""},
		"EmptyObject":       {answer{200, `{}`}, operation.Unknown, "http_200", "", false, ""},
		"SuccessNoCustomer": {answer{200, `{"status":"success"}`}, operation.Unknown, "success", "", true, ""},
		"SuccessWithCode": {
			answer{200, strings.Replace(onboarded, `"status_code":200`, `"error_code":1`, 1)}, operation.Unknown, "1", "", true,
			"",
		},
		"SuccessOfA400": {answer{400, onboarded}, operation.Refused, "success", "", true, ""},
		"Lost":          {answer{0, ``}, operation.Unknown, "answer_lost", "", false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := call(t, digit9.OnboardCustomer(config(newPartner(t, test.answer).url)), body(sample))
			if got.Class != test.class || got.Code != test.code || got.Creates != test.owns ||
				(got.Reply.Status != 0) != test.replies || got.Refs["invalid_fields"] != test.fields {
				t.Errorf("got %+v", got)
			}
			wantPassedOn(t, test.answer, got)
			for name, value := range got.Refs {
				if strings.Contains(value, "EXAMPLE") || strings.Contains(value, "INN") || strings.Contains(value, "784 ") {
					t.Errorf("reference %s is %s", name, value)
				}
			}
		})
	}
}

// The record keeps the names of ten fields at most.
func TestInvalidFieldsAreCapped(t *testing.T) {
	details := map[string]string{"aName" + strings.Repeat("x", 60): "too long to be one"}
	for c := 'a'; c <= 'l'; c++ {
		details[string(c)] = "Invalid"
	}
	text, err := json.Marshal(map[string]any{"status": "failure", "error_code": 40002, "details": details})
	if err != nil {
		t.Fatal(err)
	}
	got := call(t, digit9.OnboardCustomer(config(newPartner(t, answer{400, string(text)}).url)), body(sample))
	if got.Refs["invalid_fields"] != "a b c d e f g h i j" {
		t.Errorf("references %v", got.Refs)
	}
}

// TestECRNInMessage: of a held customer the number stands in the text alone (digit9 §9.4).
func TestECRNInMessage(t *testing.T) {
	op := digit9.OnboardCustomer(digit9.Config{})
	for message, want := range map[string]string{
		"Customer 7841009900000025 Under Compliance Investigation": "7841009900000025",
		"Customer 7841009900000025, Under Compliance":              "7841009900000025",
		"7841009900000025":                        "7841009900000025",
		"Customer 1234567890 of 7841009900000025": "7841009900000025", // 16 digits are likelier than any other number
		"Customer 1234567890 or 12345678901":      "1234567890",
		"Customer 12345678901234567890 Under":     "12345678901234567890",
		"Customer 123456789012345678901 Under":    "",
		"Customer 123456789 Under":                "",
		"Customer x7841009900000025 Under":        "",
		"Customer 7841009900000025x Under":        "",
		"Customer ٧٨٤١٠٠٩٩٠٠٠٠٠٠٢٥ Under":         "",
		"Customer Under Compliance Investigation": "",
		"": "",
		"Customer 7841009900000025 7841009900000026": "7841009900000025",
	} {
		text := []byte(snake("failed", 406, 45013, message))
		if got := op.Output(gateway.JSON(406, text)); got["ecrn"] != want || len(got) != 1 {
			t.Errorf("%q gave %v, want %q", message, got, want)
		}
		outcome := call(t, digit9.OnboardCustomer(config(newPartner(t, answer{406, string(text)}).url)), body(sample))
		owned := ""
		if want != "" {
			owned = "digit9/customer/" + want
		}
		if outcome.Refs["ecrn"] != want || outcome.Creates != owned {
			t.Errorf("%q: references %v, owns %q", message, outcome.Refs, outcome.Creates)
		}
	}
}

// TestVerdict has every row of digit9 §9.4 and §11: the word by which the state machine goes on. Nothing that isn't
// documented is a yes.
func TestVerdict(t *testing.T) {
	verdict := func(text string) any {
		return digit9.LookupCustomer(digit9.Config{}).Output(gateway.JSON(200, []byte(text)))["verdict"]
	}
	for code, want := range map[int]string{
		45001: "absent", 45003: "absent", 45013: "held_unnamed", 45051: "blocked", 40001: "unclear", 45006: "unclear",
		45032: "unclear", 49999: "unclear",
	} {
		if got := verdict(camel(404, code, "x")); got != want {
			t.Errorf("%d is %v, want %s", code, got, want)
		}
		if got := verdict(strings.Replace(found, `"statusCode":200`, fmt.Sprintf(`"errorCode":%d`, code), 1)); got != want {
			t.Errorf("%d with a customer is %v, want %s", code, got, want)
		}
	}
	documented := map[[2]string]string{
		{"ACTIVE", "Accepted"}: "accepted", {"ACTIVE", "Under Investigation"}: "held",
		{"KYC_PENDING", "Under Investigation"}: "held",
		{"KYC_PENDING", "Accepted"}:            "kyc_pending", {"REJECTED", "Rejected"}: "rejected",
		{"ACTIVE", "Failed"}: "screening_failed", {"KYC_PENDING", "Failed"}: "screening_failed",
	}
	statuses := []string{"ACTIVE", "KYC_PENDING", "INACTIVE", "REJECTED", "BLOCKED", "", "DORMANT", "ACTIVE_"}
	scans := []string{
		"Accepted", "Rejected", "Under Investigation", "Failed", "N/A", "", "accepted", "ACCEPTED", "Pending",
	}
	for _, status := range statuses {
		for _, scan := range scans {
			want := documented[[2]string{status, scan}]
			switch {
			case want != "":
			case status == "BLOCKED":
				want = "blocked"
			case status == "REJECTED", scan == "Rejected": // a no, in whichever of the two it stands
				want = "rejected"
			case scan == "Failed":
				want = "screening_failed"
			case status == "INACTIVE":
				want = "inactive"
			default:
				want = "unclear"
			}
			text := fmt.Sprintf(
				`{"status":"success","statusCode":200,"data":{"ecrn":"1","customer_status":%q,"aml_scan_status":%q}}`, status, scan,
			)
			if got := verdict(text); got != want {
				t.Errorf("%q, %q is %v, want %s", status, scan, got, want)
			}
		}
	}
	for text, want := range map[string]string{
		// as callbacks write it
		`{"status":"success","data":{"customer_status":" kyc pending ","aml_scan_status":" Accepted "}}`: "kyc_pending",
		`{"status":"success","data":{"customer_status":"active","aml_scan_status":"Accepted"}}`:          "accepted",
		`{"status":"failure","data":{"customer_status":"ACTIVE","aml_scan_status":"Accepted"}}`:          "unclear",
		`{"status":"SUCCESS","data":{"customer_status":"ACTIVE","aml_scan_status":"Accepted"}}`:          "unclear",
		`{"data":{"customer_status":"ACTIVE","aml_scan_status":"Accepted"}}`:                             "unclear",
		`{"status":"success","data":{"customer_status":["ACTIVE"],"aml_scan_status":"Accepted"}}`:        "unclear",
		`{"status":"success"}`: "unclear", `{}`: "unclear", ``: "unclear", `<html>`: "unclear", `[]`: "unclear",
		`null`: "unclear",
	} {
		if got := verdict(text); got != want {
			t.Errorf("%s is %v, want %s", text, got, want)
		}
	}
	t.Run("Output", func(t *testing.T) {
		for text, want := range map[string]string{
			found: `{"ecrn":"7841009900000017","verdict":"accepted"}`, camel(404, 45001, "x"): `{"verdict":"absent"}`,
			strings.Replace(found, "7841009900000017", "NOOR EXAMPLE", 1): `{"verdict":"accepted"}`,
		} {
			summary, err := json.Marshal(digit9.GetCustomer(digit9.Config{}).Output(gateway.JSON(200, []byte(text))))
			if err != nil || string(summary) != want {
				t.Errorf("%s gave %s, %v", text, summary, err)
			}
		}
	})
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

func TestLookupIsCheckedBeforeAnyCall(t *testing.T) {
	op := digit9.LookupCustomer(digit9.Config{})
	for text, want := range map[string]string{
		aLookup: "", `{"idType":"123","idNumber":"` + strings.Repeat("1", 30) + `"}`: "",
		`{"idType":"","idNumber":"1"}`:     "/idType: must have 1 to 3 characters",
		`{"idNumber":"1"}`:                 "/idType: must have 1 to 3 characters",
		`{"idType":"1234","idNumber":"1"}`: "/idType: must have 1 to 3 characters",
		`{"idType":"4"}`:                   "/idNumber: must have 1 to 30 characters",
		`{"idType":"4","idNumber":"` + strings.Repeat("1", 31) + `"}`: "/idNumber: must have 1 to 30 characters",
		`{"idType":4,"idNumber":"1"}`:                                 "/idType: must be a string",
		`{"id_type":"4","idNumber":"1"}`: "/id_type: is not a known name (names are matched " +
			"exactly)",
		`{"idType":"4","idNumber":"1"} {"idType":"4","idNumber":"1"}`: "is not valid JSON",
	} {
		_, err := op.Decode(body(text))
		var input *gateway.InputError
		if (err == nil) != (want == "") || err != nil && (!errors.As(err, &input) || !strings.HasSuffix(err.Error(), want)) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
	for number, valid := range map[string]bool{"7841009900000017": true, "aZ09": true, strings.Repeat("1", 20): true,
		strings.Repeat("1", 21): false,
		"":                      false, "1/2": false, "..": false, "1?x": false, "%31": false, "é": false, "1 ": false,
		"validate\n": false} {
		if _, err := digit9.GetCustomer(digit9.Config{}).Decode(ecrnOf(number)); (err == nil) != valid {
			t.Errorf("%q: %v", number, err)
		}
	}
}

func TestResource(t *testing.T) {
	onboard := digit9.OnboardCustomer(digit9.Config{})
	for text, want := range map[string]struct {
		resource string
		effect   operation.Resolution
	}{
		sample: {"", operation.Lookup}, full: {"digit9/customer/7841009900000017", operation.Manual},
		strings.Replace(sample, "{", `{"ecrn":"",`, 1):   {"", operation.Lookup},
		strings.Replace(sample, "{", `{"ecrn":null,`, 1): {"", operation.Lookup},
	} {
		in, err := onboard.Decode(body(text))
		if err != nil {
			t.Fatal(err)
		}
		if onboard.Resource(in) != want.resource || onboard.OnUnknown(in) != want.effect {
			t.Errorf("resource %q, on unknown %d", onboard.Resource(in), onboard.OnUnknown(in))
		}
	}
	get := digit9.GetCustomer(digit9.Config{})
	if in, err := get.Decode(ecrnOf("12")); err != nil || get.Resource(in) != "digit9/customer/12" {
		t.Errorf("resource %q, %v", get.Resource(in), err)
	}
}

// TestLostOnboarding: what became of a creation, lookups of every identity document tell.
func TestLostOnboarding(t *testing.T) {
	notFound, notSubscribed := answer{200, camel(404, 45001, "x")}, answer{200, camel(404, 45003, "x")}
	held, blocked := answer{200, camel(500, 45013, "x")}, answer{200, camel(404, 45051, "x")}
	for name, test := range map[string]struct {
		answers []answer
		finding operation.Finding
		class   operation.Class
		owns    string
		reply   string
	}{
		"None": {[]answer{notFound, notSubscribed}, operation.NotFound, "", "", ""},
		"First": {
			[]answer{{200, found}}, operation.Found, operation.Done, "digit9/customer/7841009900000017",
			`200 {"status":"success","data":{"aml_scan_status":"Accepted","ecrn":"7841009900000017","customer_status":"ACTIVE"},"status_code":200,"request_id":"` + aHex + `"}`,
		},
		"Second": {
			[]answer{notFound, {200, found}}, operation.Found, operation.Done, "digit9/customer/7841009900000017",
			`200 {"status":"success","data":{"aml_scan_status":"Accepted","ecrn":"7841009900000017","customer_status":"ACTIVE"},"status_code":200,"request_id":"` + aHex + `"}`,
		},
		"Held": {
			[]answer{held}, operation.Found, operation.Done, "",
			`406 {"status":"failed","status_code":406,"error_code":45013,"message":"Customer Under Compliance Investigation","request_id":"` + aHex + `"}`,
		},
		"Blocked": {
			[]answer{notSubscribed, blocked}, operation.Found, operation.Refused, "",
			`406 {"status":"failed","status_code":406,"error_code":45051,"message":"Customer Cannot be Accepted","request_id":"` + aHex + `"}`,
		},
		"SearchFailed": {[]answer{{200, camel(500, 45006, "x")}}, operation.Undetermined, operation.Unavailable, "", ""},
		"NotEven":      {[]answer{notFound, {504, `<html>`}}, operation.Undetermined, operation.Unavailable, "", ""},
		"UnknownCode": {
			[]answer{notFound, {200, camel(400, 49999, "x")}}, operation.Undetermined, operation.Refused, "", "",
		},
		"Lost":             {[]answer{{0, ``}}, operation.Undetermined, operation.Unknown, "", ""},
		"WrongCredentials": {[]answer{{401, spring401}}, operation.Undetermined, operation.Credentials, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPartner(t, test.answers...)
			op := digit9.OnboardCustomer(config(p.url))
			in, err := op.Decode(body(strings.Replace(full, `"ecrn":"7841009900000017",`, ``, 1)))
			if err != nil {
				t.Fatal(err)
			}
			outcome, finding := op.Lookup(t.Context(), operation.NewCall("acme", []byte(secret)), in)
			asked, left := p.requests()
			if finding != test.finding || outcome.Class != test.class || outcome.Creates != test.owns || len(left) != 0 {
				t.Errorf("found %d, %+v; not asked for %v", finding, outcome, left)
			}
			if finding == operation.Found && fmt.Sprintf("%d %s", outcome.Reply.Status, outcome.Reply.Body) != test.reply {
				t.Errorf("answers %d %s", outcome.Reply.Status, outcome.Reply.Body)
			}
			var looked []string
			for _, a := range asked {
				if a.path == lookupPath {
					looked = append(looked, a.body)
				} else if a.path != tokenPath {
					t.Errorf("asked %s", a.path)
				}
			}
			want := []string{aLookup, `{"idType":"2","idNumber":"X0000017"}`}
			if !slices.Equal(looked, want[:len(looked)]) {
				t.Errorf("looked up %q", looked)
			}
		})
	}
}

func TestTokenForm(t *testing.T) {
	op := digit9.IssueToken(digit9.Config{})
	for form, want := range map[string]string{
		"grant_type=password&client_id=x": "", "grant_type=refresh_token&refresh_token=r": "",
		"grant_type=password&grant_type=refresh_token": "", // the last one wins (digit9 §3)
		"grant_type=other&grant_type=password":         "",
		"grant_type=password&grant_type=other":         "unsupported_grant_type Unsupported grant_type",
		"grant_type=client_credentials":                "unsupported_grant_type Unsupported grant_type",
		"":                                             "invalid_request Missing form parameter: grant_type",
		"client_id=x":                                  "invalid_request Missing form parameter: grant_type",
		"grant_type=password&grant_type=":              "invalid_request Missing form parameter: grant_type",
		`{"grant_type":"password"}`:                    "invalid_request Missing form parameter: grant_type",
	} {
		in, err := op.Decode(body(form))
		var rejection *operation.Rejection
		got := ""
		if errors.As(err, &rejection) {
			var answer struct {
				Error       string `json:"error"`
				Description string `json:"error_description"`
			}
			if err := json.Unmarshal(rejection.Reply.Body, &answer); err != nil || rejection.Reply.Status != 400 ||
				rejection.Code != answer.Error {
				t.Errorf("%s: %+v, %v", form, rejection, err)
			}
			got = answer.Error + " " + answer.Description
		}
		if got != want || (err == nil) != (want == "") {
			t.Errorf("%s: %v %+v, want %s", form, err, in, want)
		}
	}
	var input *gateway.InputError
	for _, form := range []string{"grant_type=%zz", "a;b"} {
		if _, err := op.Decode(body(form)); !errors.As(err, &input) {
			t.Errorf("%s: %v", form, err)
		}
		if keys := op.BodyCredentials(body(form)); keys != nil {
			t.Errorf("%s: keys %q", form, keys)
		}
	}
	for form, want := range map[string]string{
		"client_secret=s&password=p&refresh_token=r": "s p r", "client_secret=a&client_secret=s+%26&password=p": "s & p ",
		"grant_type=password": "  ",
	} {
		if got := strings.Join(op.BodyCredentials(body(form)), " "); got != want {
			t.Errorf("%s: keys %q, want %q", form, got, want)
		}
	}
	if in, err := op.Decode(gateway.Request{FromStateMachine: true, Body: []byte(`{"anything":1}`)}); err != nil ||
		in.GrantType != "" {
		t.Errorf("a state machine's request: %+v, %v", in, err)
	}
}

// A state machine wants the partner's token to be there, and gets to see nothing of it.
func TestTokenOfAStateMachine(t *testing.T) {
	p := newPartner(t)
	got := call(t, digit9.IssueToken(config(p.url)), gateway.Request{FromStateMachine: true})
	if asked, _ := p.requests(); got.Class != operation.Done || string(got.Reply.Body) != "{}" || len(asked) != 1 ||
		len(got.Refs) != 0 {
		t.Errorf("got %+v, asked %+v", got, asked)
	}
	p.token = answer{401, `{}`}
	if got := call(
		t, digit9.IssueToken(config(p.url)), gateway.Request{FromStateMachine: true},
	); got.Class != operation.Credentials {
		t.Errorf("got %+v", got)
	}
}

// TestEveryConditionHasAnAnswer: each in the shape of its endpoint, with a status that fits, and none of them a
// success.
func TestEveryConditionHasAnAnswer(t *testing.T) {
	c := config("")
	const readFailed, none, backend = `45006,"message":"Error while searching customer!"}`, `"message":""`, `40001,"message":"Backend Technical Problem"`
	common := map[operation.Condition]int{
		operation.NoKey: 401, operation.BadKey: 401, operation.Forbidden: 403, operation.TooLarge: 413,
		operation.InvalidRequest: 400, operation.NoSuchRecord: 404,
		operation.KeyReused: 422, operation.InFlight: 409, operation.AnswerGone: 410, operation.OutcomeUnknown: 502,
		operation.LedgerDown: 503, operation.PartnerDown: 503,
		operation.PartnerThrottled: 429, operation.CredentialsRejected: 500, operation.Internal: 500,
	}
	for name, test := range map[string]struct {
		render   func(operation.Condition, string) gateway.Reply
		statuses map[operation.Condition]int // where they aren't the common ones
		contains map[operation.Condition]string
	}{
		"Lookup": {digit9.LookupCustomer(c).Errors,
			map[operation.Condition]int{
				operation.InvalidRequest: 200, operation.NoSuchRecord: 200, operation.OutcomeUnknown: 500,
			},
			map[operation.Condition]string{
				operation.NoKey:          spring401,
				operation.InvalidRequest: camel(400, 40001, "Invalid format input"),
				operation.NoSuchRecord:   camel(404, 45001, "Customer not found"),
				operation.PartnerDown:    readFailed, operation.LedgerDown: readFailed, operation.CredentialsRejected: readFailed,
				operation.Internal: readFailed,
			}},
		"Get": {digit9.GetCustomer(c).Errors,
			map[operation.Condition]int{
				operation.InvalidRequest: 200, operation.NoSuchRecord: 200, operation.OutcomeUnknown: 500,
			},
			map[operation.Condition]string{
				operation.BadKey: `{"timestamp":"` + springAt + `","status":401,"error":"Unauthorized","path":"/api/v2/customer/`,
			}},
		"Onboard": {digit9.OnboardCustomer(c).Errors, nil, map[operation.Condition]string{
			operation.NoKey:          `{"timestamp":"` + springAt + `","status":401,"error":"Unauthorized","message":"","path":"/api/v1/CAAS/onBoarding/customer"}`,
			operation.Forbidden:      none,
			operation.InvalidRequest: `{"status":"failure","status_code":400,"error_code":40002,"message":"Invalid format or missing mandatory request","request_id":"` + aHex + `"}`,
			operation.NoSuchRecord:   `45032,"message":"Customer update failed"`, operation.PartnerDown: backend,
			operation.CredentialsRejected: backend, operation.Internal: backend,
			operation.OutcomeUnknown: "may have taken effect",
		}},
		"Token": {digit9.IssueToken(c).Errors, map[operation.Condition]int{
			operation.NoSuchRecord: 500, operation.KeyReused: 500, operation.InFlight: 500, operation.AnswerGone: 500,
			operation.OutcomeUnknown: 500,
		}, map[operation.Condition]string{
			operation.BadKey:   `{"error":"unauthorized_client","error_description":"Invalid client or Invalid client credentials"}`,
			operation.Internal: "server_error",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, condition := range operation.Conditions() {
				reply := test.render(condition, "the detail is for the header")
				want, other := test.statuses[condition]
				if !other {
					want = common[condition]
				}
				if reply.Status != want || reply.ContentType != "application/json" {
					t.Errorf("%s: %d %s", condition, reply.Status, reply.Body)
				}
				var said struct {
					Status     any    `json:"status"`
					StatusCode int    `json:"status_code"`
					Code       int    `json:"errorCode"`
					SnakeCode  int    `json:"error_code"`
					Error      string `json:"error"`
				}
				if err := json.Unmarshal(reply.Body, &said); err != nil || said.Status == "success" ||
					said.Code == 0 && said.SnakeCode == 0 && said.Error == "" {
					t.Errorf("%s: %s, %v", condition, reply.Body, err)
				}
				if condition == operation.CredentialsRejected &&
					(reply.Status == 401 || strings.Contains(string(reply.Body), "401")) {
					t.Errorf("the partner rejects ours, the caller's key is right: %d %s", reply.Status, reply.Body)
				}
				if !strings.Contains(string(reply.Body), test.contains[condition]) ||
					strings.Contains(string(reply.Body), "the detail") {
					t.Errorf("%s: %s, want %s", condition, reply.Body, test.contains[condition])
				}
				if condition == operation.OutcomeUnknown && strings.Contains(strings.ToLower(string(reply.Body)), "try again") {
					t.Errorf("an unknown outcome must not invite a repeat: %s", reply.Body)
				}
			}
		})
	}
}

// FuzzAnswer: whatever the partner answers, it is classified, and nobody is accepted who isn't.
func FuzzAnswer(f *testing.F) {
	for _, text := range []string{
		found, onboarded, camel(404, 45001, "x"), snake("failed", 406, 45013, "Customer 7841009900000017"), spring401,
		`<html>`, `{"status":"success","data":{"ecrn":1e3}}`,
	} {
		f.Add([]byte(text))
	}
	lookup, onboard := digit9.LookupCustomer(digit9.Config{}), digit9.OnboardCustomer(digit9.Config{})
	f.Fuzz(func(t *testing.T, text []byte) {
		reply := gateway.JSON(200, text)
		summary := lookup.Output(reply)
		number, _ := summary["ecrn"].(string)
		for _, ecrn := range []string{number, onboard.Output(reply)["ecrn"].(string)} {
			if len(ecrn) > 20 || strings.ContainsAny(ecrn, " /\n\"\\<") {
				t.Errorf("%q gave the number %q", text, ecrn)
			}
		}
		if summary["verdict"] == "accepted" &&
			!(strings.Contains(string(text), "success") || strings.Contains(string(text), `\`)) {
			t.Errorf("%q is accepted", text)
		}
		if out, err := digit9.PartnerOnboarding().Outcome(reply, nil, nil); err != nil || out != nil && !json.Valid(out) {
			t.Errorf("%q gave %s, %v", text, out, err)
		}
	})
}

// FuzzTokenForm: whatever is sent to the token endpoint is taken, or refused in a realm's words.
func FuzzTokenForm(f *testing.F) {
	f.Add([]byte("grant_type=password&scope=api%3A%2F%2Fx&client_id=c&client_secret=s&username=u&password=p"))
	f.Add([]byte("grant_type=password&client_id=c&client_secret=s&grant_type=refresh_token&refresh_token=r"))
	f.Add([]byte("grant_type=%zz;"))
	f.Fuzz(func(t *testing.T, form []byte) {
		op := digit9.IssueToken(digit9.Config{})
		op.BodyCredentials(gateway.Request{Method: "POST", Body: form})
		in, err := op.Decode(gateway.Request{Method: "POST", Body: form})
		var input *gateway.InputError
		var rejection *operation.Rejection
		switch {
		case err == nil && in.GrantType != "password" && in.GrantType != "refresh_token":
			t.Errorf("%q: taken as %+v", form, in)
		case errors.As(err, &rejection) && !json.Valid(rejection.Reply.Body):
			t.Errorf("%q: answered %s", form, rejection.Reply.Body)
		case err != nil && rejection == nil && !errors.As(err, &input):
			t.Errorf("%q: %v", form, err)
		}
	})
}
