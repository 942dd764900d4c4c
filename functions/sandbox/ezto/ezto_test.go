package ezto_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"sallyport/functions/sandbox"
	"sallyport/functions/sandbox/ezto"
	"sallyport/functions/sandbox/sandboxtest"
)

const realm = "/sandbox/ezto/auth/realms/acme-trade/protocol/openid-connect"

// signingKey is the key of every harness: to make one takes longer than a test should.
var signingKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

func formOf(pairs ...string) string {
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	return form.Encode()
}

// user is a request about a user.
func user(userID string) string {
	return `{"user":{"user_id":"` + userID + `","metadata":{"workflow":"verification"}}}`
}

const asking = `{"user":{"user_id":"u-7731","metadata":{"workflow":"verification","force_onboarding":false}},` +
	`"message":{"consent":{"type":"json","title":"Check importer licence","message":{"Purpose":"Vendor KYC","Kept":"<b>90</b> days","Times":2}}}}`

// request returns a request of version 1 with the credentials of one of the default applications.
func request(app, path, form string) *http.Request {
	r := sandboxtest.Keyless("POST", realm+path, form)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("api-version", "1")
	r.Header.Set("Authorization", sandboxtest.Basic(ezto.Defaults().Applications[app].ID, "sandbox-ezto-secret-"+app))
	return r
}

// triggered is what a trigger answers.
type triggered struct {
	AuthReqID string `json:"auth_req_id"`
	URL       string `json:"url"`
	ExpiresIn int    `json:"expires_in"`
	Interval  int    `json:"interval"`
}

// triggers triggers a transaction of an application.
func (h *harness) triggers(app, asking string) triggered {
	h.T.Helper()
	return sandboxtest.Decoded[triggered](h.T, h.Do(request(app, "/transaction", formOf("request", asking))), 200)
}

// result returns what get-result answers as "status body".
func (h *harness) result(app, handle string) string {
	h.T.Helper()
	return sandboxtest.Text(h.Do(request(app, "/transaction/result", formOf("auth_req_id", handle))))
}

// submits does by hand what a person does at a step of the only open transaction.
func (h *harness) submits(step, body string) *httptest.ResponseRecorder {
	h.T.Helper()
	open := h.open()
	if len(open) != 1 {
		h.T.Fatal(open)
	}
	return h.Do(sandboxtest.Keyless("POST", "/sandbox/ezto/transactions/"+open[0].RequestID+"/"+step, body))
}

type openTransaction struct {
	RequestID   string    `json:"request_id"`
	Application string    `json:"application"`
	Status      string    `json:"status"`
	URL         string    `json:"url"`
	ExpiresAt   time.Time `json:"expires_at"`
}

func (h *harness) open() []openTransaction {
	h.T.Helper()
	return sandboxtest.Decoded[[]openTransaction](
		h.T, h.Do(sandboxtest.Keyless("GET", "/sandbox/ezto/transactions", "")), 200,
	)
}

func (h *harness) set(name, value string) {
	h.T.Helper()
	h.Set("ezto", name, value)
}

// prepare has a transaction come to an end that needs nobody.
func (h *harness) prepare() {
	h.T.Helper()
	h.handle = h.triggers("module-off", user("u-1")).AuthReqID
}

// requestTo returns a request to an operation that succeeds.
func (h *harness) requestTo(op sandbox.Operation) *http.Request {
	switch op.Name {
	case "trigger-request":
		return request("poll", "/transaction", formOf("request", user("u-7731")))
	case "get-result":
		return request("module-off", "/transaction/result", formOf("auth_req_id", h.handle))
	}
	return sandboxtest.Keyless("GET", realm+"/certs", "")
}

// failures are what any operation answers where a fault makes it fail.
var failures = map[int]string{
	401: `401 {"error":"invalid_client","error_description":"app id or app secret is not valid"}`,
	429: `429 {"error":"temporarily_unavailable","error_description":"too many requests"}`,
	500: `500 {"error":"server_error","error_description":"something went wrong"}`,
	503: `503 {"error":"temporarily_unavailable","error_description":"service is not available"}`,
}

const (
	pending     = `400 {"error":"authorization_pending","error_description":"user has not finished"}`
	slowDown    = `400 {"error":"slow_down","error_description":"polled faster than the interval, which is 5 seconds longer from now on"}`
	gone        = `400 {"error":"expired_token","error_description":"the link has expired"}`
	declined    = `403 {"error":"access_denied","error_description":"the user declined the consent"}`
	sourceDown  = `402 {"error":"request_failed","error_description":"the source register could not be asked"}`
	noAttempts  = `402 {"error":"request_failed","error_description":"the user has no attempts left"}`
	noRequest   = `400 {"error":"invalid_request","error_description":"request is missing"}`
	badRequest  = `400 {"error":"invalid_request","error_description":"request is not a JSON object of the documented form"}`
	badConsent  = `400 {"error":"invalid_request","error_description":"message.consent needs the type json, a title and a message"}`
	noHandle    = `404 {"error":"not_found","error_description":"no transaction has this auth_req_id"}`
	noWorkspace = `404 {"error":"not_found","error_description":"there is no such workspace"}`
)

// verified is the result of the ordinary licence.
func verified(userID, requestID string) string {
	return `{"workflow":"verification","user_id":"` + userID + `","request_id":"` + requestID + `",` +
		`"ie_code":"AAXCT4821K","iec_verified":"true","address":"14 Dock Road, Kochi 682003","iec_verified_at":"1767323045",` +
		`"name":"TARANG OVERSEAS PVT LTD","iec_status":"Valid","pan":"AAXCT4821K"}`
}

func envelope(workflow, userID, requestID string) string {
	return `{"workflow":"` + workflow + `","user_id":"` + userID + `","request_id":"` + requestID + `"}`
}

// TestTransaction is the ordinary transaction, from its trigger to its result.
func TestTransaction(t *testing.T) {
	h := openOn(t, &sandboxtest.Memory{})
	r := request("poll", "/transaction", formOf("request", user("u-7731")))
	r.Host = "acme-trade.sandbox.example"
	w := h.Do(r)
	got := sandboxtest.Decoded[triggered](h.T, w, 200)
	want(
		t, sandboxtest.Text(w), `200 {"auth_req_id":"`+got.AuthReqID+`","url":"`+got.URL+`","expires_in":900,"interval":5}`,
	)
	want(t, w.Header().Get("Content-Type"), "application/json")

	// The handle looks like a compact JWE.
	parts := strings.Split(got.AuthReqID, ".")
	header, err := base64.RawURLEncoding.DecodeString(parts[0])
	want(t, err, nil)
	want(t, string(header), `{"alg":"dir","enc":"A128CBC-HS256"}`)
	want(t, len(parts) == 5 && parts[1] == "" && len(got.AuthReqID) > 700, true)
	want(t, strings.HasPrefix(got.URL, "http://acme-trade.sandbox.example/sandbox/ezto/v/"), true)

	want(
		t, h.open(),
		[]openTransaction{{sandboxtest.ID(1), "poll", "IEC_INPUT", got.URL, sandboxtest.Start.Add(15 * time.Minute)}},
	)
	want(t, h.result("poll", got.AuthReqID), pending)
	want(
		t, sandboxtest.Text(h.submits("iec", `{"iec":" aaxct4821k "}`)),
		`200 {"request_id":"`+sandboxtest.ID(1)+`","status":"COMPLETED"}`,
	)
	want(t, h.open(), []openTransaction{})
	for range 3 { // repeatable, however soon and late
		want(t, h.result("poll", got.AuthReqID), "200 "+verified("u-7731", sandboxtest.ID(1)))
	}
	h.Advance(1000 * time.Hour)
	want(t, h.result("poll", got.AuthReqID), "200 "+verified("u-7731", sandboxtest.ID(1)))
	want(t, h.Log(), []string{"trigger-request 200 true", "get-result 400 false",
		"get-result 200 false", "get-result 200 false", "get-result 200 false", "get-result 200 false"})
}

func TestCredentials(t *testing.T) {
	h := openOn(t, &sandboxtest.Memory{})
	id := ezto.Defaults().Applications["poll"].ID
	const good, next = "sandbox-ezto-secret-poll", "sandbox-ezto-next-secret-poll"
	request := user("u-1")
	for _, test := range []struct {
		name, version, authorization string
		form                         []string
		want                         string
	}{
		{"V1", "1", sandboxtest.Basic(id, good), nil, ""},
		{"V1Rotated", "1", sandboxtest.Basic(id, next), nil, ""},
		{"V0", "", "", []string{"app_id", id, "app_secret", good}, ""},
		{"V0Rotated", "", "", []string{"app_id", id, "app_secret", next}, ""},
		{"V1WrongSecret", "1", sandboxtest.Basic(id, good+"x"), nil, failures[401]},
		{"V1OtherSecret", "1", sandboxtest.Basic(id, "sandbox-ezto-secret-ping"), nil, failures[401]},
		{"V1WrongID", "1", sandboxtest.Basic("x", good), nil, failures[401]},
		{"V1NoSecret", "1", sandboxtest.Basic(id, ""), nil, failures[401]},
		{"V1None", "1", "", nil, failures[401]},
		{"V1NotBasic", "1", "Bearer " + good, nil, failures[401]},
		{"V1InForm", "1", "", []string{"app_id", id, "app_secret", good}, failures[401]},
		{"V0WrongSecret", "", "", []string{"app_id", id, "app_secret", "x"}, failures[401]},
		{"V0Basic", "", sandboxtest.Basic(id, good), nil, failures[401]},
		{"V0None", "", "", nil, failures[401]},
		{
			"V2", "2", sandboxtest.Basic(id, good), nil,
			`400 {"error":"invalid_request","error_description":"api-version is not supported"}`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := sandboxtest.Keyless("POST", realm+"/transaction", formOf(append(test.form, "request", request)...))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
			for name, value := range map[string]string{"api-version": test.version, "Authorization": test.authorization} {
				if value != "" {
					r.Header.Set(name, value)
				}
			}
			if got := sandboxtest.Text(h.Do(r)); test.want != "" || !strings.HasPrefix(got, `200 {"auth_req_id":"`) {
				want(t, got, test.want)
			}
		})
	}
}

// TestLiberties: unless it is strict, it takes what no page forbids.
func TestLiberties(t *testing.T) {
	h := openOn(t, &sandboxtest.Memory{})
	for _, text := range []string{
		`{"user":"u-1"}`, `{"user":{"user_id":7,}}`, `{"user":{"email":"u@example.com","metadata":{"force_onboarding":"yes"}}}`,
	} {
		want(t, h.Do(request("poll", "/transaction", formOf("request", text))).Code, 200)
	}
}

// TestWays: by what a person gets to the page depends on the application's verification way.
func TestWays(t *testing.T) {
	h := openOn(t, &sandboxtest.Memory{})
	for app, shown := range map[string]string{"poll": "url", "mobile": "qr", "desktop": ""} {
		got := sandboxtest.Text(h.Do(request(app, "/transaction", formOf("request", user("u-1")))))
		for _, name := range []string{"url", "qr"} {
			if strings.Contains(got, `"`+name+`":`) != (name == shown) {
				t.Errorf("%s: %s", app, got)
			}
		}
	}
}

// TestNotReady: it can say in any way that there is no result yet.
func TestNotReady(t *testing.T) {
	h := openOn(t, &sandboxtest.Memory{})
	var begun struct {
		Handle string `json:"auth_req_id"`
	}
	w := h.Do(request("poll", "/transaction", formOf("request", user("u-1"))))
	if err := json.Unmarshal(w.Body.Bytes(), &begun); err != nil {
		t.Fatal(err)
	}
	for way, answer := range map[string]string{
		"404": "404", "425": "425", "202": "202", "204": "204", "empty": "200 {}", "pending": `200 {"status":"pending"}`,
	} {
		h.set("not_ready", way)
		want(t, sandboxtest.Text(h.Do(request("poll", "/transaction/result", formOf("auth_req_id", begun.Handle)))), answer)
	}
}

func TestTriggerErrors(t *testing.T) {
	consent := func(consent string) string { return `{"message":{"consent":` + consent + `}}` }
	for _, test := range []struct{ name, app, request, want string }{
		{"Missing", "poll", "", noRequest},
		{"NotJSON", "poll", "{", badRequest},
		{"NotObject", "poll", `["user"]`, badRequest},
		{"Null", "poll", `null`, badRequest},
		{"TwoObjects", "poll", `{}{}`, badRequest},
		{"Twice", "poll", `{"user":{},"user":{}}`, badRequest},
		{"UserType", "poll", `{"user":"u-1"}`, badRequest},
		{"UserIDType", "poll", `{"user":{"user_id":7}}`, badRequest},
		{"ForceType", "poll", `{"user":{"metadata":{"force_onboarding":"yes"}}}`, badRequest},
		{"ConsentMessageType", "poll", consent(`{"message":"x"}`), badRequest},
		{
			"TooLarge", "poll", `{"x":"` + strings.Repeat("x", 64<<10) + `"}`,
			`400 {"error":"invalid_request","error_description":"request is too large"}`,
		},
		{"NoConsent", "consent", user("u-1"), badConsent},
		{"NoConsentType", "consent", consent(`{"title":"t","message":{"a":"b"}}`), badConsent},
		{"NoConsentTitle", "consent", consent(`{"type":"json","message":{"a":"b"}}`), badConsent},
		{"NoConsentMessage", "consent", consent(`{"type":"json","title":"t","message":{}}`), badConsent},
		{"NullConsentMessage", "consent", consent(`{"type":"json","title":"t","message":null}`), badConsent},
		{
			"Gatepass", "gatepass", user("u-1"),
			`403 {"error":"access_denied","error_description":"a rule of the gatepass is not satisfied"}`,
		},
		{
			"APIOnly", "api-only", user("u-1"),
			`403 {"error":"unauthorized_client","error_description":"the application's verification way is the API"}`,
		},
		{
			"Failing", "poll", user("failing-1"),
			`402 {"error":"request_failed","error_description":"the request could not be sent to the user"}`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := openOn(t, &sandboxtest.Memory{})
			h.set("strict", "inferred")
			want(t, sandboxtest.Text(h.Do(request(test.app, "/transaction", formOf("request", test.request)))), test.want)
			want(t, h.Rows("")[0].Effect, false)
			want(t, h.open(), []openTransaction{})
		})
	}
	t.Run("NotForm", func(t *testing.T) {
		h := openOn(t, &sandboxtest.Memory{})
		for _, media := range []string{"text/plain", "", "multipart/form-data; boundary=b"} {
			r := request("poll", "/transaction", formOf("request", user("u-1")))
			r.Header.Set("Content-Type", media)
			want(t, sandboxtest.Text(h.Do(r)), noRequest)
		}
		r := request("poll", "/transaction", `{"request":"{}"}`)
		r.Header.Set("Content-Type", "application/json")
		want(t, sandboxtest.Text(h.Do(r)), noRequest)
		want(t, sandboxtest.Text(h.Do(request("poll", "/transaction", "request=%zz"))), noRequest)
		want(t, h.Do(request("poll", "/transaction", "")).Code, http.StatusOK)
		h.set("strict", "inferred")
		want(t, sandboxtest.Text(h.Do(request("poll", "/transaction", ""))), noRequest)
	})
	t.Run("Workspace", func(t *testing.T) {
		h := openOn(t, &sandboxtest.Memory{})
		for _, path := range []string{"/transaction", "/transaction/result", "/certs"} {
			r := request("poll", path, "")
			if path == "/certs" {
				r.Method = "GET"
			}
			r.URL.Path = strings.Replace(r.URL.Path, "acme-trade", "other", 1)
			want(t, sandboxtest.Text(h.Do(r)), noWorkspace)
		}
	})
	t.Run("Tolerated", func(t *testing.T) {
		h := openOn(t, &sandboxtest.Memory{})
		for _, request := range []string{
			`{}`, `{"x":[1,{}]}`, `{"user":{"metadata":{}}}`, `{"user":null}`, `{"user":{"metadata":{"workflow":"x","y":1}}}`,
		} {
			h.triggers("poll", request)
		}
		want(t, len(h.open()), 5)
	})
	t.Run("Failure", func(t *testing.T) { // as any 500
		h := openOn(t, &sandboxtest.Memory{})
		h.Admin("/sandbox/faults", `{"partner":"ezto","operation":"get-result","fault":"status_500_before_effect"}`)
		want(t, h.result("poll", "x"), failures[500])
	})
}

// TestAnonymous: whom the request does not name gets an id, which is shown at every read.
func TestAnonymous(t *testing.T) {
	h := openOn(t, &sandboxtest.Memory{})
	got := h.triggers("module-off", `{}`)
	for range 2 {
		want(t, h.result("module-off", got.AuthReqID), "200 "+envelope("verification", sandboxtest.ID(1), sandboxtest.ID(2)))
	}
}

func TestGetResult(t *testing.T) {
	h := openOn(t, &sandboxtest.Memory{})
	got := h.triggers("module-off", user("u-1"))
	done := "200 " + envelope("verification", "u-1", sandboxtest.ID(1))
	inJSON := func(version, body string) string {
		r := request("module-off", "/transaction/result", body)
		r.Header.Set("Content-Type", "application/json; charset=utf-8")
		if version == "" {
			r.Header.Del("api-version")
		}
		return sandboxtest.Text(h.Do(r))
	}
	app := ezto.Defaults().Applications["module-off"]
	want(t, h.result("module-off", got.AuthReqID), done)
	want(t, inJSON("1", `{"auth_req_id":"`+got.AuthReqID+`"}`), done)
	want(
		t, inJSON("", `{"auth_req_id":"`+got.AuthReqID+`","app_id":"`+app.ID+`","app_secret":"`+app.Secrets[1]+`"}`), done,
	)
	want(t, inJSON("", `{"auth_req_id":"`+got.AuthReqID+`"}`), failures[401])

	const missing = `400 {"error":"invalid_request","error_description":"auth_req_id is missing"}`
	for _, body := range []string{``, `{}`, `[]`, `{"auth_req_id":7}`, `{"auth_req_id":"x"`, `{"auth_req_id":""}`} {
		want(t, inJSON("1", body), missing)
	}
	want(t, h.result("module-off", ""), missing)
	want(t, h.result("module-off", "x"), noHandle)
	want(t, h.result("module-off", strings.Repeat("\xff", 1<<10)), noHandle)
	want(t, h.result("poll", got.AuthReqID), noHandle) // another application's
}

// TestPoll: a poll that comes too soon makes the interval longer, until there is a result.
func TestPoll(t *testing.T) {
	for _, scale := range []float64{1, 10} {
		t.Run(fmt.Sprint(scale), func(t *testing.T) {
			h := openOn(t, &sandboxtest.Memory{}, func(o *options) { o.TimeScale = scale })
			handle := h.triggers("poll", user("u-1")).AuthReqID
			after := func(d time.Duration) string {
				t.Helper()
				h.Advance(time.Duration(float64(d) / scale))
				return h.result("poll", handle)
			}
			want(t, after(0), pending)
			want(t, after(5*time.Second), pending)
			want(t, after(4999*time.Millisecond), slowDown)  // 10 from now on
			want(t, after(5*time.Second), slowDown)          // 15
			want(t, after(14999*time.Millisecond), slowDown) // 20
			want(t, after(20*time.Second), pending)
			h.submits("iec", `{"iec":"AAXCT4821K"}`)
			want(t, strings.HasPrefix(after(0), "200 "), true)
			want(t, strings.HasPrefix(after(0), "200 "), true)
		})
	}
}

func TestExpiry(t *testing.T) {
	for _, scale := range []float64{1, 60} {
		t.Run(fmt.Sprint(scale), func(t *testing.T) {
			h := openOn(t, &sandboxtest.Memory{}, func(o *options) { o.TimeScale = scale })
			w := request("short-link", "/transaction", formOf("request", user("u-1")))
			got := sandboxtest.Decoded[triggered](h.T, h.Do(w), 200)
			want(t, []int{got.ExpiresIn, got.Interval}, []int{60, 1})
			h.Advance(time.Duration(float64(time.Minute)/scale) - time.Nanosecond)
			want(t, h.result("short-link", got.AuthReqID), pending)
			want(t, len(h.open()), 1)
			h.Advance(time.Nanosecond)
			for range 2 {
				want(t, h.result("short-link", got.AuthReqID), gone)
			}
			want(t, h.open(), []openTransaction{})
			sandboxtest.WantPage(t, h.Visit("GET", got.URL, ""), 410, "This link has expired")
			want(t, h.Visit("POST", got.URL, "iec=AAXCT4821K").Code, 303)
			sandboxtest.WantProblem(
				t,
				h.Do(sandboxtest.Keyless("POST", "/sandbox/ezto/transactions/"+sandboxtest.ID(1)+"/iec", `{"iec":"AAXCT4821K"}`)),
				409, "the transaction stands at EXPIRED", "",
			)
			want(t, h.result("short-link", got.AuthReqID), gone)
		})
	}
}

// TestLicences: each number of the register, with what its result shows of it.
func TestLicences(t *testing.T) {
	for number, shown := range map[string][4]string{ // name, address, status, pan
		"AAXCT4821K": {"TARANG OVERSEAS PVT LTD", "14 Dock Road, Kochi 682003", "Valid", "AAXCT4821K"},
		"BZKPM3307Q": {"MEERA KULKARNI", "7 Laxmi Road, Pune 411030", "Valid", "BZKPM3307Q"},
		"AAFFR1190C": {"REDDY AND RAO TRADERS", "3 Harbour Street, Visakhapatnam 530001", "Suspended", "AAFFR1190C"},
		"AADTS2045B": {"SHANTI EXPORT TRUST", "21 Mint Street, Chennai 600079", "Cancelled", "AADTS2045B"},
		"AAACN5561H": {"NILGIRI LEAF EXPORTS LTD", "5 Tea Garden Road, Coonoor 643101", "Deactivated", "AAACN5561H"},
		"0399001234": {"LAKSHMI SPICES LTD", "9 Bazaar Road, Mumbai 400003", "Valid", "AACCL7702D"},
	} {
		t.Run(number, func(t *testing.T) {
			h := openOn(t, &sandboxtest.Memory{})
			handle := h.triggers("poll", user("u-1")).AuthReqID
			want(t, h.submits("iec", `{"iec":"`+number+`"}`).Code, 200)
			want(t, h.result("poll", handle),
				`200 {"workflow":"verification","user_id":"u-1","request_id":"`+sandboxtest.ID(1)+`",`+
					`"ie_code":"`+number+`","iec_verified":"true","address":"`+shown[1]+`","iec_verified_at":"1767323045",`+
					`"name":"`+shown[0]+`","iec_status":"`+shown[2]+`","pan":"`+shown[3]+`"}`)
		})
	}
	t.Run("SourceFails", func(t *testing.T) {
		h := openOn(t, &sandboxtest.Memory{})
		got := h.triggers("poll", user("u-1"))
		want(
			t, sandboxtest.Text(h.submits("iec", `{"iec":"AAHCE5000E"}`)),
			`200 {"request_id":"`+sandboxtest.ID(1)+`","status":"FAILED"}`,
		)
		for range 2 {
			want(t, h.result("poll", got.AuthReqID), sourceDown)
		}
		sandboxtest.WantPage(t, h.Visit("GET", got.URL, ""), 200, "Not completed")
	})
}

// TestRefused: a number that nobody holds keeps the transaction where it is, until the attempts are used up.
func TestRefused(t *testing.T) {
	for attempts, setting := range map[int]string{5: "", 3: "3", 1: "1"} {
		t.Run(fmt.Sprint(attempts), func(t *testing.T) {
			h := openOn(t, &sandboxtest.Memory{})
			if setting != "" {
				h.set("attempts", setting)
			}
			handle := h.triggers("poll", user("u-1")).AuthReqID
			// no attempt
			sandboxtest.WantProblem(t, h.submits("iec", `{"iec":" "}`), 422, "Enter the IEC License Number.", "/iec")
			for left := attempts - 1; left > 0; left-- {
				number, detail := "AAHCZ9999Z", "No licence has this number."
				if left%2 == 0 {
					number, detail = "AAHCZ9999", "This is not the number of a licence: it has ten digits, or the letters and "+
						"digits of a PAN."
				}
				if left == 1 {
					detail += " One attempt is left."
				} else {
					detail += fmt.Sprintf(" %d attempts are left.", left)
				}
				sandboxtest.WantProblem(t, h.submits("iec", `{"iec":"`+number+`"}`), 422, detail, "/iec")
				h.Advance(5 * time.Second)
				want(t, h.result("poll", handle), pending)
			}
			want(
				t, sandboxtest.Text(h.submits("iec", `{"iec":"AAHCZ9999Z"}`)),
				`200 {"request_id":"`+sandboxtest.ID(1)+`","status":"FAILED"}`,
			)
			want(t, h.result("poll", handle), noAttempts)
		})
	}
	t.Run("Unverified", func(t *testing.T) {
		h := openOn(t, &sandboxtest.Memory{})
		h.set("unknown_number", "unverified")
		handle := h.triggers("poll", user("u-1")).AuthReqID
		want(t, h.submits("iec", `{"iec":"AAHCZ9999"}`).Code, 422) // malformed
		want(t, h.submits("iec", `{"iec":"AAHCZ9999Z"}`).Code, 200)
		want(t, h.result("poll", handle),
			`200 {"workflow":"verification","user_id":"u-1","request_id":"`+sandboxtest.ID(1)+`",`+
				`"iec_verified":"false","iec_verified_at":"1767323045"}`)
	})
}

// TestShapes: what a result can look like beside the ordinary, by setting and by the claims of an application.
func TestShapes(t *testing.T) {
	for _, test := range []struct{ name, app, settings, old, new string }{
		{"IECCode", "poll", "iec_name=iec_code", `"ie_code"`, `"iec_code"`},
		{"True", "poll", "iec_verified=True", `"iec_verified":"true"`, `"iec_verified":"True"`},
		{"Milliseconds", "poll", "iec_verified_at=milliseconds", `"1767323045"`, `"1767323045000"`},
		{"CamelCase", "poll", "envelope=camelCase", `"user_id":"u-1","request_id"`, `"userId":"u-1","requestId"`},
		{"TrailingComma", "poll", "trailing_comma=yes", `}`, `,}`},
		{"PAN", "poll", "pan=other", `"pan":"AAXCT4821K"`, `"pan":"ZZXCT4821K"`},
		{
			"CoreClaims", "poll", "claims=iec_code,iec_verified,iec_status",
			`"iec_verified_at":"1767323045","name":"TARANG OVERSEAS PVT LTD","iec_status":"Valid","pan":"AAXCT4821K"`,
			`"iec_status":"Valid"`,
		},
		{
			"NoClaims", "poll", "claims=none",
			`"ie_code":"AAXCT4821K","iec_verified":"true","address":"14 Dock Road, Kochi 682003","iec_verified_at":"1767323045","name":"TARANG OVERSEAS PVT LTD","iec_status":"Valid","pan":"AAXCT4821K"`,
			`"address":"14 Dock Road, Kochi 682003"`,
		},
		{
			"FewClaims", "few-claims", "",
			`"iec_verified":"true","address":"14 Dock Road, Kochi 682003","iec_verified_at":"1767323045","name":"TARANG OVERSEAS PVT LTD","iec_status":"Valid","pan":"AAXCT4821K"`,
			`"address":"14 Dock Road, Kochi 682003","iec_status":"Valid"`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := openOn(t, &sandboxtest.Memory{})
			if name, value, ok := strings.Cut(test.settings, "="); ok {
				h.set(name, value)
			}
			handle := h.triggers(test.app, user("u-1")).AuthReqID
			h.submits("iec", `{"iec":"AAXCT4821K"}`)
			want(
				t, h.result(test.app, handle), "200 "+strings.Replace(verified("u-1", sandboxtest.ID(1)), test.old, test.new, 1),
			)
		})
	}
}

// TestOnboarding: who is onboarded first, and what a result says where there is no verification.
func TestOnboarding(t *testing.T) {
	const force, asked = `"force_onboarding":true`, `"workflow":"onboarding"`
	for _, test := range []struct {
		name, app, user, metadata string
		steps                     []string
	}{
		{"New", "onboarding", "u-1", "", []string{"ONBOARDING", "IEC_INPUT"}},
		{"Known", "onboarding", "known-1", "", []string{"IEC_INPUT"}},
		{"KnownForced", "onboarding", "known-1", force, []string{"ONBOARDING", "IEC_INPUT"}},
		{"KnownAsked", "onboarding", "known-1", asked, []string{"ONBOARDING", "IEC_INPUT"}},
		{"None", "poll", "u-1", "", []string{"IEC_INPUT"}},
		{"NoneForced", "poll", "u-1", force, []string{"IEC_INPUT"}},
		{"OnlyNew", "onboarding-only", "u-1", "", []string{"ONBOARDING"}},
		{"OnlyKnown", "onboarding-only", "known-1", "", nil},
		{"OnlyForced", "onboarding-only", "known-1", force, []string{"ONBOARDING"}},
		{"ModuleOff", "module-off", "u-1", force, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := openOn(t, &sandboxtest.Memory{})
			handle := h.triggers(test.app, `{"user":{"user_id":"`+test.user+`","metadata":{`+test.metadata+`}}}`).AuthReqID
			var steps []string
			for open := h.open(); len(open) > 0; open = h.open() {
				steps = append(steps, open[0].Status)
				step, body := "onboarding", `{}`
				if open[0].Status == "IEC_INPUT" {
					step, body = "iec", `{"iec":"AAXCT4821K"}`
				}
				want(t, h.submits(step, body).Code, 200)
			}
			want(t, steps, test.steps)
			result := verified(test.user, sandboxtest.ID(1))
			switch test.app {
			case "onboarding-only":
				result = envelope("onboarding", test.user, sandboxtest.ID(1))
			case "module-off":
				result = envelope("verification", test.user, sandboxtest.ID(1))
			}
			want(t, h.result(test.app, handle), "200 "+result)
		})
	}
	t.Run("Remembered", func(t *testing.T) {
		h := openOn(t, &sandboxtest.Memory{})
		h.triggers("onboarding", user("u-1"))
		h.submits("onboarding", `{}`)
		h.submits("iec", `{"iec":"AAXCT4821K"}`)
		h.triggers("onboarding", user("u-1"))
		want(t, h.open()[0].Status, "IEC_INPUT")
	})
}

func TestConsent(t *testing.T) {
	t.Run("Accepted", func(t *testing.T) {
		h := openOn(t, &sandboxtest.Memory{})
		handle := h.triggers("consent", asking).AuthReqID
		want(t, h.open()[0].Status, "CONSENT")
		sandboxtest.WantProblem(t, h.submits("iec", `{"iec":"AAXCT4821K"}`), 409, "the transaction stands at CONSENT", "")
		want(
			t, sandboxtest.Text(h.submits("consent", `{"accept":true}`)),
			`200 {"request_id":"`+sandboxtest.ID(1)+`","status":"IEC_INPUT"}`,
		)
		h.submits("iec", `{"iec":"AAXCT4821K"}`)
		want(t, h.result("consent", handle), "200 "+verified("u-7731", sandboxtest.ID(1)))
	})
	t.Run("Declined", func(t *testing.T) {
		h := openOn(t, &sandboxtest.Memory{})
		got := h.triggers("consent", asking)
		want(
			t, sandboxtest.Text(h.submits("consent", `{"accept":false}`)),
			`200 {"request_id":"`+sandboxtest.ID(1)+`","status":"DENIED"}`,
		)
		h.Advance(time.Hour)
		want(t, h.result("consent", got.AuthReqID), declined)
		sandboxtest.WantPage(t, h.Visit("GET", got.URL, ""), 200, "Declined")
	})
}

func TestSkip(t *testing.T) {
	h := openOn(t, &sandboxtest.Memory{})
	handle := h.triggers("skippable", user("u-1")).AuthReqID
	want(t, sandboxtest.Text(h.submits("skip", `{}`)), `200 {"request_id":"`+sandboxtest.ID(1)+`","status":"SKIPPED"}`)
	want(t, h.result("skippable", handle), "200 "+envelope("verification", "u-1", sandboxtest.ID(1)))

	h.triggers("poll", user("u-1"))
	sandboxtest.WantProblem(t, h.submits("skip", `{}`), 409, "the application does not let people skip it", "")
}

func TestManualErrors(t *testing.T) {
	h := openOn(t, &sandboxtest.Memory{})
	h.triggers("poll", user("u-1"))
	path := "/sandbox/ezto/transactions/"
	sandboxtest.WantProblem(
		t, h.Do(sandboxtest.Keyless("POST", path+sandboxtest.ID(9)+"/iec", `{"iec":"AAXCT4821K"}`)), 404,
		"no transaction has this request_id", "",
	)
	sandboxtest.WantProblem(
		t, h.Do(sandboxtest.Keyless("POST", path+"%ff/iec", `{}`)), 404, "no transaction has this request_id", "",
	)
	sandboxtest.WantProblem(
		t, h.submits("x", `{}`), 404, "there is no such step; allowed: consent, onboarding, iec, skip", "",
	)
	sandboxtest.WantProblem(t, h.submits("iec", ``), 400, "the body must be a JSON object with the names: iec", "")
	sandboxtest.WantProblem(t, h.submits("iec", `{"iec":1}`), 400, "/iec has the wrong type", "/iec")
	sandboxtest.WantProblem(t, h.submits("iec", `{"number":"1"}`), 400, "/number is not known; allowed: iec", "/number")
	sandboxtest.WantProblem(t, h.submits("consent", `{"accept":true}`), 409, "the transaction stands at IEC_INPUT", "")
	sandboxtest.WantProblem(t, h.submits("onboarding", `{}`), 409, "the transaction stands at IEC_INPUT", "")
	for _, row := range h.Log() {
		want(t, row, "trigger-request 200 true")
	}
}

// TestOptions: what is given counts, what is left open is as by default.
func TestOptions(t *testing.T) {
	h := openOn(t, &sandboxtest.Memory{}, func(o *options) {
		o.Partner.Workspace = "other"
		o.Partner.Applications = map[string]ezto.Application{
			"mine": {ID: "app-1", Secrets: []string{"s"}, LinkExpiry: time.Hour},
		}
	})
	r := request("poll", "/transaction", formOf("request", `{}`))
	r.URL.Path = strings.Replace(r.URL.Path, "acme-trade", "other", 1)
	want(t, sandboxtest.Text(h.Do(r)), failures[401])
	r = request("poll", "/transaction", formOf("request", `{}`))
	r.URL.Path = strings.Replace(r.URL.Path, "acme-trade", "other", 1)
	r.Header.Set("Authorization", sandboxtest.Basic("app-1", "s"))
	got := sandboxtest.Decoded[triggered](h.T, h.Do(r), 200)
	want(t, []int{got.ExpiresIn, got.Interval}, []int{3600, 5})

	ids := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(ezto.Defaults().Applications)) {
		app := ezto.Defaults().Applications[name]
		want(t, app.Secrets, []string{"sandbox-ezto-secret-" + name, "sandbox-ezto-next-secret-" + name})
		want(
			t, len(app.Claims) > 0 && app.Hook != "" && app.Response != "" && app.LinkExpiry > 0 && app.PollInterval > 0, true,
		)
		ids[app.ID] = true
	}
	want(t, len(ids), len(ezto.Defaults().Applications))
	want(t, len(ezto.Defaults().EncryptionKey), 32)
}

// TestRecords: no record outgrows the store, however long a user id.
func TestRecords(t *testing.T) {
	store := &sandboxtest.Memory{}
	h := openOn(t, store)
	long := strings.Repeat("é\\\"", 8<<10)
	body, err := json.Marshal(map[string]any{"user": map[string]any{"user_id": long}})
	want(t, err, nil)
	got := h.triggers("push-encrypted", string(body))
	h.submits("iec", `{"iec":"AAXCT4821K"}`)
	want(t, strings.HasPrefix(h.result("push-encrypted", got.AuthReqID), "200 "), true)
	for key, value := range store.Items {
		if len(key) > 512 || len(value) > 256<<10 || strings.Contains(key, got.AuthReqID) {
			t.Errorf("%q holds %d bytes", key, len(value))
		}
	}
}
