package sandbox_test

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
)

const eztoRealm = "/sandbox/ezto/auth/realms/acme-trade/protocol/openid-connect"

// eztoSigningKey is the key of every harness: to make one takes longer than a test should.
var eztoSigningKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

func eztoForm(pairs ...string) string {
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	return form.Encode()
}

// eztoUser is a request about a user.
func eztoUser(userID string) string {
	return `{"user":{"user_id":"` + userID + `","metadata":{"workflow":"verification"}}}`
}

const eztoAsking = `{"user":{"user_id":"u-7731","metadata":{"workflow":"verification","force_onboarding":false}},` +
	`"message":{"consent":{"type":"json","title":"Check importer licence","message":{"Purpose":"Vendor KYC","Kept":"<b>90</b> days","Times":2}}}}`

// toEZTO returns a request of version 1 with the credentials of one of the default applications.
func toEZTO(app, path, form string) *http.Request {
	r := keyless("POST", eztoRealm+path, form)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("api-version", "1")
	r.Header.Set("Authorization", basic(sandbox.EZTODefaults().Applications[app].ID, "sandbox-ezto-secret-"+app))
	return r
}

// eztoTriggered is what a trigger answers.
type eztoTriggered struct {
	AuthReqID string `json:"auth_req_id"`
	URL       string `json:"url"`
	ExpiresIn int    `json:"expires_in"`
	Interval  int    `json:"interval"`
}

// eztoTriggers triggers a transaction of an application.
func (h *harness) eztoTriggers(app, request string) eztoTriggered {
	h.t.Helper()
	return decoded[eztoTriggered](h, h.do(toEZTO(app, "/transaction", eztoForm("request", request))), 200)
}

// eztoResult returns what get-result answers as "status body".
func (h *harness) eztoResult(app, handle string) string {
	h.t.Helper()
	return text(h.do(toEZTO(app, "/transaction/result", eztoForm("auth_req_id", handle))))
}

// eztoSubmits does by hand what a person does at a step of the only open transaction.
func (h *harness) eztoSubmits(step, body string) *httptest.ResponseRecorder {
	h.t.Helper()
	open := h.eztoOpen()
	if len(open) != 1 {
		h.t.Fatal(open)
	}
	return h.do(keyless("POST", "/sandbox/ezto/transactions/"+open[0].RequestID+"/"+step, body))
}

type eztoOpen struct {
	RequestID   string    `json:"request_id"`
	Application string    `json:"application"`
	Status      string    `json:"status"`
	URL         string    `json:"url"`
	ExpiresAt   time.Time `json:"expires_at"`
}

func (h *harness) eztoOpen() []eztoOpen {
	h.t.Helper()
	return decoded[[]eztoOpen](h, h.do(keyless("GET", "/sandbox/ezto/transactions", "")), 200)
}

func (h *harness) setEZTO(name, value string) {
	h.t.Helper()
	want(h.t, h.do(request("POST", "/sandbox/settings", `{"partner":"ezto","name":"`+name+`","value":"`+value+`"}`)).Code, 200)
}

// prepareEZTO has a transaction come to an end that needs nobody.
func (h *harness) prepareEZTO() {
	h.t.Helper()
	h.ezto = h.eztoTriggers("module-off", eztoUser("u-1")).AuthReqID
}

// eztoRequest returns a request to an operation that succeeds.
func (h *harness) eztoRequest(op sandbox.Operation) *http.Request {
	switch op.Name {
	case "trigger-request":
		return toEZTO("poll", "/transaction", eztoForm("request", eztoUser("u-7731")))
	case "get-result":
		return toEZTO("module-off", "/transaction/result", eztoForm("auth_req_id", h.ezto))
	}
	return keyless("GET", eztoRealm+"/certs", "")
}

// eztoFailures are what any operation answers where a fault makes it fail.
var eztoFailures = map[int]string{
	401: `401 {"error":"invalid_client","error_description":"app id or app secret is not valid"}`,
	429: `429 {"error":"temporarily_unavailable","error_description":"too many requests"}`,
	500: `500 {"error":"server_error","error_description":"something went wrong"}`,
	503: `503 {"error":"temporarily_unavailable","error_description":"service is not available"}`,
}

const (
	eztoPending     = `400 {"error":"authorization_pending","error_description":"user has not finished"}`
	eztoSlowDown    = `400 {"error":"slow_down","error_description":"polled faster than the interval, which is 5 seconds longer from now on"}`
	eztoGone        = `400 {"error":"expired_token","error_description":"the link has expired"}`
	eztoDeclined    = `403 {"error":"access_denied","error_description":"the user declined the consent"}`
	eztoSourceDown  = `402 {"error":"request_failed","error_description":"the source register could not be asked"}`
	eztoNoAttempts  = `402 {"error":"request_failed","error_description":"the user has no attempts left"}`
	eztoNoRequest   = `400 {"error":"invalid_request","error_description":"request is missing"}`
	eztoBadRequest  = `400 {"error":"invalid_request","error_description":"request is not a JSON object of the documented form"}`
	eztoBadConsent  = `400 {"error":"invalid_request","error_description":"message.consent needs the type json, a title and a message"}`
	eztoNoHandle    = `404 {"error":"not_found","error_description":"no transaction has this auth_req_id"}`
	eztoNoWorkspace = `404 {"error":"not_found","error_description":"there is no such workspace"}`
)

// eztoVerified is the result of the ordinary licence.
func eztoVerified(userID, requestID string) string {
	return `{"workflow":"verification","user_id":"` + userID + `","request_id":"` + requestID + `",` +
		`"ie_code":"AAXCT4821K","iec_verified":"true","address":"14 Dock Road, Kochi 682003","iec_verified_at":"1767323045",` +
		`"name":"TARANG OVERSEAS PVT LTD","iec_status":"Valid","pan":"AAXCT4821K"}`
}

func eztoEnvelope(workflow, userID, requestID string) string {
	return `{"workflow":"` + workflow + `","user_id":"` + userID + `","request_id":"` + requestID + `"}`
}

// TestEZTO is the ordinary transaction, from its trigger to its result.
func TestEZTO(t *testing.T) {
	h := openOn(t, &memory{})
	r := toEZTO("poll", "/transaction", eztoForm("request", eztoUser("u-7731")))
	r.Host = "acme-trade.sandbox.example"
	w := h.do(r)
	got := decoded[eztoTriggered](h, w, 200)
	want(t, text(w), `200 {"auth_req_id":"`+got.AuthReqID+`","url":"`+got.URL+`","expires_in":900,"interval":5}`)
	want(t, w.Header().Get("Content-Type"), "application/json")

	// The handle looks like a compact JWE.
	parts := strings.Split(got.AuthReqID, ".")
	header, err := base64.RawURLEncoding.DecodeString(parts[0])
	want(t, err, nil)
	want(t, string(header), `{"alg":"dir","enc":"A128CBC-HS256"}`)
	want(t, len(parts) == 5 && parts[1] == "" && len(got.AuthReqID) > 700, true)
	want(t, strings.HasPrefix(got.URL, "http://acme-trade.sandbox.example/sandbox/ezto/v/"), true)

	want(t, h.eztoOpen(), []eztoOpen{{id(1), "poll", "IEC_INPUT", got.URL, start.Add(15 * time.Minute)}})
	want(t, h.eztoResult("poll", got.AuthReqID), eztoPending)
	want(t, text(h.eztoSubmits("iec", `{"iec":" aaxct4821k "}`)), `200 {"request_id":"`+id(1)+`","status":"COMPLETED"}`)
	want(t, h.eztoOpen(), []eztoOpen{})
	for range 3 { // repeatable, however soon and late
		want(t, h.eztoResult("poll", got.AuthReqID), "200 "+eztoVerified("u-7731", id(1)))
	}
	h.advance(1000 * time.Hour)
	want(t, h.eztoResult("poll", got.AuthReqID), "200 "+eztoVerified("u-7731", id(1)))
	want(t, h.log(), []string{"trigger-request 200 true", "get-result 400 false",
		"get-result 200 false", "get-result 200 false", "get-result 200 false", "get-result 200 false"})
}

func TestEZTO_Credentials(t *testing.T) {
	h := openOn(t, &memory{})
	id := sandbox.EZTODefaults().Applications["poll"].ID
	const good, next = "sandbox-ezto-secret-poll", "sandbox-ezto-next-secret-poll"
	request := eztoUser("u-1")
	for _, test := range []struct {
		name, version, authorization string
		form                         []string
		want                         string
	}{
		{"V1", "1", basic(id, good), nil, ""},
		{"V1Rotated", "1", basic(id, next), nil, ""},
		{"V0", "", "", []string{"app_id", id, "app_secret", good}, ""},
		{"V0Rotated", "", "", []string{"app_id", id, "app_secret", next}, ""},
		{"V1WrongSecret", "1", basic(id, good+"x"), nil, eztoFailures[401]},
		{"V1OtherSecret", "1", basic(id, "sandbox-ezto-secret-ping"), nil, eztoFailures[401]},
		{"V1WrongID", "1", basic("x", good), nil, eztoFailures[401]},
		{"V1NoSecret", "1", basic(id, ""), nil, eztoFailures[401]},
		{"V1None", "1", "", nil, eztoFailures[401]},
		{"V1NotBasic", "1", "Bearer " + good, nil, eztoFailures[401]},
		{"V1InForm", "1", "", []string{"app_id", id, "app_secret", good}, eztoFailures[401]},
		{"V0WrongSecret", "", "", []string{"app_id", id, "app_secret", "x"}, eztoFailures[401]},
		{"V0Basic", "", basic(id, good), nil, eztoFailures[401]},
		{"V0None", "", "", nil, eztoFailures[401]},
		{"V2", "2", basic(id, good), nil, `400 {"error":"invalid_request","error_description":"api-version is not supported"}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := keyless("POST", eztoRealm+"/transaction", eztoForm(append(test.form, "request", request)...))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
			for name, value := range map[string]string{"api-version": test.version, "Authorization": test.authorization} {
				if value != "" {
					r.Header.Set(name, value)
				}
			}
			if got := text(h.do(r)); test.want != "" || !strings.HasPrefix(got, `200 {"auth_req_id":"`) {
				want(t, got, test.want)
			}
		})
	}
}

func TestEZTO_TriggerErrors(t *testing.T) {
	consent := func(consent string) string { return `{"message":{"consent":` + consent + `}}` }
	for _, test := range []struct{ name, app, request, want string }{
		{"Missing", "poll", "", eztoNoRequest},
		{"NotJSON", "poll", "{", eztoBadRequest},
		{"NotObject", "poll", `["user"]`, eztoBadRequest},
		{"Null", "poll", `null`, eztoBadRequest},
		{"TwoObjects", "poll", `{}{}`, eztoBadRequest},
		{"Twice", "poll", `{"user":{},"user":{}}`, eztoBadRequest},
		{"UserType", "poll", `{"user":"u-1"}`, eztoBadRequest},
		{"UserIDType", "poll", `{"user":{"user_id":7}}`, eztoBadRequest},
		{"ForceType", "poll", `{"user":{"metadata":{"force_onboarding":"yes"}}}`, eztoBadRequest},
		{"ConsentMessageType", "poll", consent(`{"message":"x"}`), eztoBadRequest},
		{"TooLarge", "poll", `{"x":"` + strings.Repeat("x", 64<<10) + `"}`, `400 {"error":"invalid_request","error_description":"request is too large"}`},
		{"NoConsent", "consent", eztoUser("u-1"), eztoBadConsent},
		{"NoConsentType", "consent", consent(`{"title":"t","message":{"a":"b"}}`), eztoBadConsent},
		{"NoConsentTitle", "consent", consent(`{"type":"json","message":{"a":"b"}}`), eztoBadConsent},
		{"NoConsentMessage", "consent", consent(`{"type":"json","title":"t","message":{}}`), eztoBadConsent},
		{"NullConsentMessage", "consent", consent(`{"type":"json","title":"t","message":null}`), eztoBadConsent},
		{"Gatepass", "gatepass", eztoUser("u-1"), `403 {"error":"access_denied","error_description":"a rule of the gatepass is not satisfied"}`},
		{"APIOnly", "api-only", eztoUser("u-1"), `403 {"error":"unauthorized_client","error_description":"the application's verification way is the API"}`},
		{"Failing", "poll", eztoUser("failing-1"), `402 {"error":"request_failed","error_description":"the request could not be sent to the user"}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := openOn(t, &memory{})
			want(t, text(h.do(toEZTO(test.app, "/transaction", eztoForm("request", test.request)))), test.want)
			want(t, h.rows("")[0].Effect, false)
			want(t, h.eztoOpen(), []eztoOpen{})
		})
	}
	t.Run("NotForm", func(t *testing.T) {
		h := openOn(t, &memory{})
		for _, media := range []string{"text/plain", "", "multipart/form-data; boundary=b"} {
			r := toEZTO("poll", "/transaction", eztoForm("request", eztoUser("u-1")))
			r.Header.Set("Content-Type", media)
			want(t, text(h.do(r)), eztoNoRequest)
		}
		r := toEZTO("poll", "/transaction", `{"request":"{}"}`)
		r.Header.Set("Content-Type", "application/json")
		want(t, text(h.do(r)), eztoNoRequest)
		want(t, text(h.do(toEZTO("poll", "/transaction", "request=%zz"))), eztoNoRequest)
		want(t, text(h.do(toEZTO("poll", "/transaction", ""))), eztoNoRequest)
	})
	t.Run("Workspace", func(t *testing.T) {
		h := openOn(t, &memory{})
		for _, path := range []string{"/transaction", "/transaction/result", "/certs"} {
			r := toEZTO("poll", path, "")
			if path == "/certs" {
				r.Method = "GET"
			}
			r.URL.Path = strings.Replace(r.URL.Path, "acme-trade", "other", 1)
			want(t, text(h.do(r)), eztoNoWorkspace)
		}
	})
	t.Run("Tolerated", func(t *testing.T) {
		h := openOn(t, &memory{})
		for _, request := range []string{`{}`, `{"x":[1,{}]}`, `{"user":{"metadata":{}}}`, `{"user":null}`, `{"user":{"metadata":{"workflow":"x","y":1}}}`} {
			h.eztoTriggers("poll", request)
		}
		want(t, len(h.eztoOpen()), 5)
	})
	t.Run("Failure", func(t *testing.T) { // as any 500
		h := openOn(t, &memory{})
		h.post("/sandbox/faults", `{"partner":"ezto","operation":"get-result","fault":"status_500_before_effect"}`)
		want(t, h.eztoResult("poll", "x"), eztoFailures[500])
	})
}

// TestEZTO_Anonymous: whom the request does not name gets an id, which is shown at every read.
func TestEZTO_Anonymous(t *testing.T) {
	h := openOn(t, &memory{})
	got := h.eztoTriggers("module-off", `{}`)
	for range 2 {
		want(t, h.eztoResult("module-off", got.AuthReqID), "200 "+eztoEnvelope("verification", id(1), id(2)))
	}
}

func TestEZTO_GetResult(t *testing.T) {
	h := openOn(t, &memory{})
	got := h.eztoTriggers("module-off", eztoUser("u-1"))
	done := "200 " + eztoEnvelope("verification", "u-1", id(1))
	inJSON := func(version, body string) string {
		r := toEZTO("module-off", "/transaction/result", body)
		r.Header.Set("Content-Type", "application/json; charset=utf-8")
		if version == "" {
			r.Header.Del("api-version")
		}
		return text(h.do(r))
	}
	app := sandbox.EZTODefaults().Applications["module-off"]
	want(t, h.eztoResult("module-off", got.AuthReqID), done)
	want(t, inJSON("1", `{"auth_req_id":"`+got.AuthReqID+`"}`), done)
	want(t, inJSON("", `{"auth_req_id":"`+got.AuthReqID+`","app_id":"`+app.ID+`","app_secret":"`+app.Secrets[1]+`"}`), done)
	want(t, inJSON("", `{"auth_req_id":"`+got.AuthReqID+`"}`), eztoFailures[401])

	const missing = `400 {"error":"invalid_request","error_description":"auth_req_id is missing"}`
	for _, body := range []string{``, `{}`, `[]`, `{"auth_req_id":7}`, `{"auth_req_id":"x"`, `{"auth_req_id":""}`} {
		want(t, inJSON("1", body), missing)
	}
	want(t, h.eztoResult("module-off", ""), missing)
	want(t, h.eztoResult("module-off", "x"), eztoNoHandle)
	want(t, h.eztoResult("module-off", strings.Repeat("\xff", 1<<10)), eztoNoHandle)
	want(t, h.eztoResult("poll", got.AuthReqID), eztoNoHandle) // another application's
}

// TestEZTO_Poll: a poll that comes too soon makes the interval longer, until there is a result.
func TestEZTO_Poll(t *testing.T) {
	for _, scale := range []float64{1, 10} {
		t.Run(fmt.Sprint(scale), func(t *testing.T) {
			h := openOn(t, &memory{}, func(o *sandbox.Options) { o.TimeScale = scale })
			handle := h.eztoTriggers("poll", eztoUser("u-1")).AuthReqID
			after := func(d time.Duration) string {
				t.Helper()
				h.advance(time.Duration(float64(d) / scale))
				return h.eztoResult("poll", handle)
			}
			want(t, after(0), eztoPending)
			want(t, after(5*time.Second), eztoPending)
			want(t, after(4999*time.Millisecond), eztoSlowDown)  // 10 from now on
			want(t, after(5*time.Second), eztoSlowDown)          // 15
			want(t, after(14999*time.Millisecond), eztoSlowDown) // 20
			want(t, after(20*time.Second), eztoPending)
			h.eztoSubmits("iec", `{"iec":"AAXCT4821K"}`)
			want(t, strings.HasPrefix(after(0), "200 "), true)
			want(t, strings.HasPrefix(after(0), "200 "), true)
		})
	}
}

func TestEZTO_Expiry(t *testing.T) {
	for _, scale := range []float64{1, 60} {
		t.Run(fmt.Sprint(scale), func(t *testing.T) {
			h := openOn(t, &memory{}, func(o *sandbox.Options) { o.TimeScale = scale })
			w := toEZTO("short-link", "/transaction", eztoForm("request", eztoUser("u-1")))
			got := decoded[eztoTriggered](h, h.do(w), 200)
			want(t, []int{got.ExpiresIn, got.Interval}, []int{60, 1})
			h.advance(time.Duration(float64(time.Minute)/scale) - time.Nanosecond)
			want(t, h.eztoResult("short-link", got.AuthReqID), eztoPending)
			want(t, len(h.eztoOpen()), 1)
			h.advance(time.Nanosecond)
			for range 2 {
				want(t, h.eztoResult("short-link", got.AuthReqID), eztoGone)
			}
			want(t, h.eztoOpen(), []eztoOpen{})
			wantPage(t, h.visit("GET", got.URL, ""), 410, "This link has expired")
			want(t, h.visit("POST", got.URL, "iec=AAXCT4821K").Code, 303)
			wantProblem(t, h.do(keyless("POST", "/sandbox/ezto/transactions/"+id(1)+"/iec", `{"iec":"AAXCT4821K"}`)), 409, "the transaction stands at EXPIRED", "")
			want(t, h.eztoResult("short-link", got.AuthReqID), eztoGone)
		})
	}
}

// TestEZTO_Licences: each number of the register, with what its result shows of it.
func TestEZTO_Licences(t *testing.T) {
	for number, shown := range map[string][4]string{ // name, address, status, pan
		"AAXCT4821K": {"TARANG OVERSEAS PVT LTD", "14 Dock Road, Kochi 682003", "Valid", "AAXCT4821K"},
		"BZKPM3307Q": {"MEERA KULKARNI", "7 Laxmi Road, Pune 411030", "Valid", "BZKPM3307Q"},
		"AAFFR1190C": {"REDDY AND RAO TRADERS", "3 Harbour Street, Visakhapatnam 530001", "Suspended", "AAFFR1190C"},
		"AADTS2045B": {"SHANTI EXPORT TRUST", "21 Mint Street, Chennai 600079", "Cancelled", "AADTS2045B"},
		"AAACN5561H": {"NILGIRI LEAF EXPORTS LTD", "5 Tea Garden Road, Coonoor 643101", "Deactivated", "AAACN5561H"},
		"0399001234": {"LAKSHMI SPICES LTD", "9 Bazaar Road, Mumbai 400003", "Valid", "AACCL7702D"},
	} {
		t.Run(number, func(t *testing.T) {
			h := openOn(t, &memory{})
			handle := h.eztoTriggers("poll", eztoUser("u-1")).AuthReqID
			want(t, h.eztoSubmits("iec", `{"iec":"`+number+`"}`).Code, 200)
			want(t, h.eztoResult("poll", handle), `200 {"workflow":"verification","user_id":"u-1","request_id":"`+id(1)+`",`+
				`"ie_code":"`+number+`","iec_verified":"true","address":"`+shown[1]+`","iec_verified_at":"1767323045",`+
				`"name":"`+shown[0]+`","iec_status":"`+shown[2]+`","pan":"`+shown[3]+`"}`)
		})
	}
	t.Run("SourceFails", func(t *testing.T) {
		h := openOn(t, &memory{})
		got := h.eztoTriggers("poll", eztoUser("u-1"))
		want(t, text(h.eztoSubmits("iec", `{"iec":"AAHCE5000E"}`)), `200 {"request_id":"`+id(1)+`","status":"FAILED"}`)
		for range 2 {
			want(t, h.eztoResult("poll", got.AuthReqID), eztoSourceDown)
		}
		wantPage(t, h.visit("GET", got.URL, ""), 200, "Not completed")
	})
}

// TestEZTO_Refused: a number that nobody holds keeps the transaction where it is, until the attempts are used up.
func TestEZTO_Refused(t *testing.T) {
	for attempts, setting := range map[int]string{5: "", 3: "3", 1: "1"} {
		t.Run(fmt.Sprint(attempts), func(t *testing.T) {
			h := openOn(t, &memory{})
			if setting != "" {
				h.setEZTO("attempts", setting)
			}
			handle := h.eztoTriggers("poll", eztoUser("u-1")).AuthReqID
			wantProblem(t, h.eztoSubmits("iec", `{"iec":" "}`), 422, "Enter the IEC License Number.", "/iec") // no attempt
			for left := attempts - 1; left > 0; left-- {
				number, detail := "AAHCZ9999Z", "No licence has this number."
				if left%2 == 0 {
					number, detail = "AAHCZ9999", "This is not the number of a licence: it has ten digits, or the letters and digits of a PAN."
				}
				if left == 1 {
					detail += " One attempt is left."
				} else {
					detail += fmt.Sprintf(" %d attempts are left.", left)
				}
				wantProblem(t, h.eztoSubmits("iec", `{"iec":"`+number+`"}`), 422, detail, "/iec")
				h.advance(5 * time.Second)
				want(t, h.eztoResult("poll", handle), eztoPending)
			}
			want(t, text(h.eztoSubmits("iec", `{"iec":"AAHCZ9999Z"}`)), `200 {"request_id":"`+id(1)+`","status":"FAILED"}`)
			want(t, h.eztoResult("poll", handle), eztoNoAttempts)
		})
	}
	t.Run("Unverified", func(t *testing.T) {
		h := openOn(t, &memory{})
		h.setEZTO("unknown_number", "unverified")
		handle := h.eztoTriggers("poll", eztoUser("u-1")).AuthReqID
		want(t, h.eztoSubmits("iec", `{"iec":"AAHCZ9999"}`).Code, 422) // malformed
		want(t, h.eztoSubmits("iec", `{"iec":"AAHCZ9999Z"}`).Code, 200)
		want(t, h.eztoResult("poll", handle), `200 {"workflow":"verification","user_id":"u-1","request_id":"`+id(1)+`",`+
			`"iec_verified":"false","iec_verified_at":"1767323045"}`)
	})
}

// TestEZTO_Shapes: what a result can look like beside the ordinary, by setting and by the claims of an application.
func TestEZTO_Shapes(t *testing.T) {
	for _, test := range []struct{ name, app, settings, old, new string }{
		{"IECCode", "poll", "iec_name=iec_code", `"ie_code"`, `"iec_code"`},
		{"True", "poll", "iec_verified=True", `"iec_verified":"true"`, `"iec_verified":"True"`},
		{"Milliseconds", "poll", "iec_verified_at=milliseconds", `"1767323045"`, `"1767323045000"`},
		{"CamelCase", "poll", "envelope=camelCase", `"user_id":"u-1","request_id"`, `"userId":"u-1","requestId"`},
		{"TrailingComma", "poll", "trailing_comma=yes", `}`, `,}`},
		{"PAN", "poll", "pan=other", `"pan":"AAXCT4821K"`, `"pan":"ZZXCT4821K"`},
		{"CoreClaims", "poll", "claims=iec_code,iec_verified,iec_status", `"iec_verified_at":"1767323045","name":"TARANG OVERSEAS PVT LTD","iec_status":"Valid","pan":"AAXCT4821K"`, `"iec_status":"Valid"`},
		{"NoClaims", "poll", "claims=none", `"ie_code":"AAXCT4821K","iec_verified":"true","address":"14 Dock Road, Kochi 682003","iec_verified_at":"1767323045","name":"TARANG OVERSEAS PVT LTD","iec_status":"Valid","pan":"AAXCT4821K"`, `"address":"14 Dock Road, Kochi 682003"`},
		{"FewClaims", "few-claims", "", `"iec_verified":"true","address":"14 Dock Road, Kochi 682003","iec_verified_at":"1767323045","name":"TARANG OVERSEAS PVT LTD","iec_status":"Valid","pan":"AAXCT4821K"`, `"address":"14 Dock Road, Kochi 682003","iec_status":"Valid"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := openOn(t, &memory{})
			if name, value, ok := strings.Cut(test.settings, "="); ok {
				h.setEZTO(name, value)
			}
			handle := h.eztoTriggers(test.app, eztoUser("u-1")).AuthReqID
			h.eztoSubmits("iec", `{"iec":"AAXCT4821K"}`)
			want(t, h.eztoResult(test.app, handle), "200 "+strings.Replace(eztoVerified("u-1", id(1)), test.old, test.new, 1))
		})
	}
}

// TestEZTO_Onboarding: who is onboarded first, and what a result says where there is no verification.
func TestEZTO_Onboarding(t *testing.T) {
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
			h := openOn(t, &memory{})
			handle := h.eztoTriggers(test.app, `{"user":{"user_id":"`+test.user+`","metadata":{`+test.metadata+`}}}`).AuthReqID
			var steps []string
			for open := h.eztoOpen(); len(open) > 0; open = h.eztoOpen() {
				steps = append(steps, open[0].Status)
				step, body := "onboarding", `{}`
				if open[0].Status == "IEC_INPUT" {
					step, body = "iec", `{"iec":"AAXCT4821K"}`
				}
				want(t, h.eztoSubmits(step, body).Code, 200)
			}
			want(t, steps, test.steps)
			result := eztoVerified(test.user, id(1))
			switch test.app {
			case "onboarding-only":
				result = eztoEnvelope("onboarding", test.user, id(1))
			case "module-off":
				result = eztoEnvelope("verification", test.user, id(1))
			}
			want(t, h.eztoResult(test.app, handle), "200 "+result)
		})
	}
	t.Run("Remembered", func(t *testing.T) {
		h := openOn(t, &memory{})
		h.eztoTriggers("onboarding", eztoUser("u-1"))
		h.eztoSubmits("onboarding", `{}`)
		h.eztoSubmits("iec", `{"iec":"AAXCT4821K"}`)
		h.eztoTriggers("onboarding", eztoUser("u-1"))
		want(t, h.eztoOpen()[0].Status, "IEC_INPUT")
	})
}

func TestEZTO_Consent(t *testing.T) {
	t.Run("Accepted", func(t *testing.T) {
		h := openOn(t, &memory{})
		handle := h.eztoTriggers("consent", eztoAsking).AuthReqID
		want(t, h.eztoOpen()[0].Status, "CONSENT")
		wantProblem(t, h.eztoSubmits("iec", `{"iec":"AAXCT4821K"}`), 409, "the transaction stands at CONSENT", "")
		want(t, text(h.eztoSubmits("consent", `{"accept":true}`)), `200 {"request_id":"`+id(1)+`","status":"IEC_INPUT"}`)
		h.eztoSubmits("iec", `{"iec":"AAXCT4821K"}`)
		want(t, h.eztoResult("consent", handle), "200 "+eztoVerified("u-7731", id(1)))
	})
	t.Run("Declined", func(t *testing.T) {
		h := openOn(t, &memory{})
		got := h.eztoTriggers("consent", eztoAsking)
		want(t, text(h.eztoSubmits("consent", `{"accept":false}`)), `200 {"request_id":"`+id(1)+`","status":"DENIED"}`)
		h.advance(time.Hour)
		want(t, h.eztoResult("consent", got.AuthReqID), eztoDeclined)
		wantPage(t, h.visit("GET", got.URL, ""), 200, "Declined")
	})
}

func TestEZTO_Skip(t *testing.T) {
	h := openOn(t, &memory{})
	handle := h.eztoTriggers("skippable", eztoUser("u-1")).AuthReqID
	want(t, text(h.eztoSubmits("skip", `{}`)), `200 {"request_id":"`+id(1)+`","status":"SKIPPED"}`)
	want(t, h.eztoResult("skippable", handle), "200 "+eztoEnvelope("verification", "u-1", id(1)))

	h.eztoTriggers("poll", eztoUser("u-1"))
	wantProblem(t, h.eztoSubmits("skip", `{}`), 409, "the application does not let people skip it", "")
}

func TestEZTO_ByHandErrors(t *testing.T) {
	h := openOn(t, &memory{})
	h.eztoTriggers("poll", eztoUser("u-1"))
	path := "/sandbox/ezto/transactions/"
	wantProblem(t, h.do(keyless("POST", path+id(9)+"/iec", `{"iec":"AAXCT4821K"}`)), 404, "no transaction has this request_id", "")
	wantProblem(t, h.do(keyless("POST", path+"%ff/iec", `{}`)), 404, "no transaction has this request_id", "")
	wantProblem(t, h.eztoSubmits("x", `{}`), 404, "there is no such step; allowed: consent, onboarding, iec, skip", "")
	wantProblem(t, h.eztoSubmits("iec", ``), 400, "the body must be a JSON object with the names: iec", "")
	wantProblem(t, h.eztoSubmits("iec", `{"iec":1}`), 400, "/iec has the wrong type", "/iec")
	wantProblem(t, h.eztoSubmits("iec", `{"number":"1"}`), 400, "/number is not known; allowed: iec", "/number")
	wantProblem(t, h.eztoSubmits("consent", `{"accept":true}`), 409, "the transaction stands at IEC_INPUT", "")
	wantProblem(t, h.eztoSubmits("onboarding", `{}`), 409, "the transaction stands at IEC_INPUT", "")
	for _, row := range h.log() {
		want(t, row, "trigger-request 200 true")
	}
}

// TestEZTO_Options: what is given counts, what is left open is as by default.
func TestEZTO_Options(t *testing.T) {
	h := openOn(t, &memory{}, func(o *sandbox.Options) {
		o.EZTO.Workspace = "other"
		o.EZTO.Applications = map[string]sandbox.EZTOApplication{"mine": {ID: "app-1", Secrets: []string{"s"}, LinkExpiry: time.Hour}}
	})
	r := toEZTO("poll", "/transaction", eztoForm("request", `{}`))
	r.URL.Path = strings.Replace(r.URL.Path, "acme-trade", "other", 1)
	want(t, text(h.do(r)), eztoFailures[401])
	r = toEZTO("poll", "/transaction", eztoForm("request", `{}`))
	r.URL.Path = strings.Replace(r.URL.Path, "acme-trade", "other", 1)
	r.Header.Set("Authorization", basic("app-1", "s"))
	got := decoded[eztoTriggered](h, h.do(r), 200)
	want(t, []int{got.ExpiresIn, got.Interval}, []int{3600, 5})

	ids := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(sandbox.EZTODefaults().Applications)) {
		app := sandbox.EZTODefaults().Applications[name]
		want(t, app.Secrets, []string{"sandbox-ezto-secret-" + name, "sandbox-ezto-next-secret-" + name})
		want(t, len(app.Claims) > 0 && app.Hook != "" && app.Response != "" && app.LinkExpiry > 0 && app.PollInterval > 0, true)
		ids[app.ID] = true
	}
	want(t, len(ids), len(sandbox.EZTODefaults().Applications))
	want(t, len(sandbox.EZTODefaults().EncryptionKey), 32)
}

// TestEZTO_Records: no record outgrows the store, however long a user id.
func TestEZTO_Records(t *testing.T) {
	store := &memory{}
	h := openOn(t, store)
	long := strings.Repeat("é\\\"", 8<<10)
	body, err := json.Marshal(map[string]any{"user": map[string]any{"user_id": long}})
	want(t, err, nil)
	got := h.eztoTriggers("push-encrypted", string(body))
	h.eztoSubmits("iec", `{"iec":"AAXCT4821K"}`)
	want(t, strings.HasPrefix(h.eztoResult("push-encrypted", got.AuthReqID), "200 "), true)
	for key, value := range store.items {
		if len(key) > 512 || len(value) > 256<<10 || strings.Contains(key, got.AuthReqID) {
			t.Errorf("%q holds %d bytes", key, len(value))
		}
	}
}
