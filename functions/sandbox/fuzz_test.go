package sandbox_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"sallyport/functions/sandbox"
)

// FuzzServeHTTP: whatever the path and the body, an answer comes, and it is never that of a failure of the sandbox.
func FuzzServeHTTP(f *testing.F) {
	for _, op := range sandbox.Operations() {
		f.Add(op.Method, "/sandbox/"+op.Partner+op.Path, "", bodyOf(op.Name))
		f.Add(op.Method, "/sandbox/"+op.Partner+op.Path, "code=id_types", onboarding(ordinary))
	}
	f.Add("GET", "/sandbox/requests", "partner=equal&operation=fetch-data", "")
	f.Add("GET", "/sandbox/requests", "%zz", "")
	f.Add("GET", "/sandbox/requests", "\xff", "")
	f.Add("POST", "/sandbox/faults", "", `{"partner":"equal","operation":"init-transaction","fault":"malformed","times":3}`)
	f.Add("POST", "/sandbox/settings", "", `{"partner":"equal","name":"step1_status","value":"SUCCESS"}`)
	f.Add("POST", "/sandbox/reset", "", `{}`)
	f.Add("POST", alertsPath+"/"+ordinaryECRN, "", accept)
	f.Add("GET", alertsPath, "", "")
	f.Add("POST", "/sandbox/iron/hosted/x", "", ironAllSteps)
	f.Add("GET", "/sandbox/iron/customers", "status[]=Active&page_size=2&cursor=x", "")
	f.Add("POST", "/sandbox/ezto/v/x", "", "iec=AAXCT4821K")
	f.Add("POST", "/sandbox/ezto/transactions/"+id(1)+"/iec", "", `{"iec":"AAXCT4821K"}`)
	f.Add("CONNECT", "//sandbox/../%2e", "", "\xff")
	f.Add("", "*", "", `{"transaction_id":null}`)
	f.Fuzz(func(t *testing.T, method, path, query, body string) {
		// The frame, on state in which every operation can succeed.
		h := openOn(t, &memory{}, func(o *sandbox.Options) { o.TimeScale = 1e12 })
		h.prepare()
		r := request("POST", "/", body)
		r.Method, r.URL = method, &url.URL{Path: path, RawQuery: query}
		w := h.do(r)
		if w.Code < 200 || w.Code > 599 || strings.Contains(w.Body.String(), "sandbox itself") || strings.Contains(w.Body.String(), "own store") {
			t.Errorf("%q %q: got %s", method, path, text(w))
		}
		if (w.Body.Len() == 0) != (w.Header().Get("Content-Type") == "") {
			t.Errorf("%q %q: content type %q of %d bytes", method, path, w.Header().Get("Content-Type"), w.Body.Len())
		}
		// Every operation, with the same body.
		for _, op := range sandbox.Operations() {
			r := h.requestTo(op)
			r.Body = io.NopCloser(strings.NewReader(body))
			if w := h.do(r); w.Code == http.StatusInternalServerError && text(w) != internalError {
				t.Errorf("%s: got %s", op.Name, text(w))
			}
		}
	})
}

// FuzzDigit9Onboarding: whatever the payload, it is answered in the contract's words, and what was onboarded is found.
func FuzzDigit9Onboarding(f *testing.F) {
	f.Add(onboarding(ordinary))
	f.Add(onboarding("784199000000413"))
	f.Add(update(ordinaryECRN, onboarding(ordinary)))
	f.Add(`{"id_details":[{"id_type":-0,"id_front":{"base64_data":"A==="}}],"address_list":null}`)
	f.Fuzz(func(t *testing.T, body string) {
		store := &memory{}
		h := openOn(t, store)
		answer := h.onboardBody(body)
		switch {
		case strings.HasPrefix(answer, `200 {"status":"success","data":{`):
			if found := h.d9("GET", getPath+ecrnIn(t, answer), ""); !strings.HasPrefix(found, `200 {"status":"success"`) {
				t.Errorf("%s, then %s", answer, found)
			}
		case strings.HasPrefix(answer, `400 {"status":"failure","status_code":400,"error_code":40002,`):
		case strings.Contains(answer, ` {"request_id":"R","status":"failed","status_code":`):
		default:
			t.Error(answer)
		}
		for key, value := range store.items {
			if len(key) > 512 || len(value) > 256<<10 {
				t.Errorf("%q holds %d bytes", key, len(value))
			}
		}
	})
}

// FuzzDigit9Token: whatever the form, only the right credentials get tokens.
func FuzzDigit9Token(f *testing.F) {
	const media = "application/x-www-form-urlencoded"
	f.Add(media, form())
	f.Add(media, form("grant_type", "refresh_token", "refresh_token", "x"))
	f.Add(media+"; charset", "grant_type=%zz&&=;")
	f.Fuzz(func(t *testing.T, contentType, body string) {
		r := tokenRequest(body)
		r.Header.Set("Content-Type", contentType)
		w := openOn(t, &memory{}).do(r)
		switch d := sandbox.Digit9Defaults(); {
		case w.Code == 400, w.Code == 401:
		case w.Code != 200 || !strings.Contains(body, "grant_type") || !strings.Contains(body, d.Password[:1]):
			t.Errorf("%q %q: %s", contentType, body, text(w))
		}
	})
}

// FuzzMbanqBodies: whatever the body and the query, each change is answered in the contract's words, and what was made is
// found. No record outgrows the store.
func FuzzMbanqBodies(f *testing.F) {
	f.Add(mbanqPerson("externalId", `"e"`), "command=activate", "refused")
	f.Add(mbanqHome(), "type=1", "tolerated")
	f.Add(mbanqDocument("45", "X1"), "command=verify", "tolerated")
	f.Add(mbanqActivation("isActivatedByManualReview", "true", "manualReviewActivationComments", `"x"`), "command=activate", "tolerated")
	f.Add(`{"kycVerificationType":"PARTIAL","note":null}`, "command=verify", "refused")
	f.Add(`{"address":[{}],"clientTypes":[1e9],"officeId":"1","dateFormat":"d MMMM yyyy","locale":"en"}`, "type=%ff", "refused")
	f.Add(`{"officeId":`, "%zz", "tolerated")
	f.Fuzz(func(t *testing.T, body, query, fields string) {
		store := &memory{}
		h := openOn(t, store)
		if fields == "refused" {
			h.setMbanq("unknown_fields", fields)
		}
		h.setMbanq("idempotency", "honoured")
		h.mbanqComplete()
		for _, path := range []string{"/v1/clients", "/v1/client/8801/addresses", "/v1/clients/8801/identifiers", mbanqClient} {
			r := h.toMbanq("POST", path, body)
			r.URL.RawQuery = query
			r.Header.Set("Idempotency-Key", "k")
			w := h.do(r)
			var failure struct {
				Code string `json:"userMessageGlobalisationCode"`
			}
			var success struct {
				ID int64 `json:"resourceId"`
			}
			_ = json.Unmarshal(w.Body.Bytes(), &failure)
			_ = json.Unmarshal(w.Body.Bytes(), &success)
			switch w.Code {
			case 200:
				if success.ID == 0 {
					t.Error(path, text(w))
				}
			case 400, 403, 404:
				if failure.Code == "" {
					t.Error(path, text(w))
				}
			default:
				t.Error(path, text(w))
			}
		}
		for _, path := range []string{"/v1/clients", "/v1/client/8801/addresses", "/v1/clients/8801/identifiers", mbanqClient, mbanqClient + "/verificationstatus"} {
			if shown := h.mb("GET", path, ""); !strings.HasPrefix(shown, "200 ") {
				t.Error(path, shown)
			}
		}
		for key, value := range store.items {
			if len(key) > 512 || len(value) > 256<<10 {
				t.Errorf("%q holds %d bytes", key, len(value))
			}
		}
	})
}

// FuzzMbanqUpload: whatever the form, an answer comes, and a file is taken only where one came.
func FuzzMbanqUpload(f *testing.F) {
	body, media := mbanqScan("a1", "p.pdf", "application/pdf", 3)
	f.Add(body, media)
	f.Add(body[:len(body)-9], media)
	f.Add("--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"p.png\"\r\n\r\nx\r\n--b\r\nContent-Disposition: form-data; name=name\r\n\r\nn\r\n--b--", "multipart/form-data; boundary=b")
	f.Add("--\r\n\r\n", `multipart/form-data; boundary=""`)
	f.Fuzz(func(t *testing.T, body, media string) {
		h := openOn(t, &memory{})
		h.mbanqMakes()
		h.mbanqIdentifies("8801", "41")
		switch answer := h.mbanqUpload("5101", body, media); {
		case strings.HasPrefix(answer, `200 {"id":"901"`):
			if !strings.Contains(body, "file") || !strings.Contains(body, "name") {
				t.Errorf("%q %q: %s", media, body, answer)
			}
		case answer == mbanqMalformed, strings.HasPrefix(answer, `400 {"developerMessage":"The request was invalid.`):
		default:
			t.Errorf("%q %q: %s", media, body, answer)
		}
	})
}

// FuzzIronBodies: whatever the body, each operation that takes one answers in the contract's words, and what was made is shown. No
// record outgrows the store.
func FuzzIronBodies(f *testing.F) {
	for _, body := range ironBodies {
		f.Add(body.body)
	}
	f.Add(`{"customer_type":"Person","email":"noor+resubmit@example.com","external_id":"e"}`)
	f.Add(`{"approved":true,"content_id":"22222222-2222-4222-8222-222222222222","signed":true}`)
	f.Add(`{"type":"Business","company_data":{"beneficiaries":[{"roles":[],"beneficiary_info":{"company_data":null}}],"documents":[{}]}}`)
	f.Add(`null`)
	f.Fuzz(func(t *testing.T, body string) {
		store := &memory{}
		h := openOn(t, store)
		h.setIron("signings", "first")
		person, business := h.ironMakes("Person", "noor@example.com"), h.ironMakes("Business", "noor@example.com")
		live := h.ironIdentifies(h.ironMakes("Person", "live@example.com"), "", ironReliance).ID
		paths := []string{"/customers", "/customers/" + person + "/signings", "/sandbox/identification/" + live}
		for _, customer := range []string{person, business} {
			paths = append(paths, "/customers/"+customer+"/identifications", "/customers/"+customer+"/identifications/v2")
		}
		for _, path := range paths {
			w := h.do(h.toIron("POST", path, body))
			var made struct {
				ID string `json:"id"`
			}
			var failure string
			switch {
			case w.Code == 201 && json.Unmarshal(w.Body.Bytes(), &made) == nil && made.ID != "":
			case w.Code >= 400 && w.Code < 500 && json.Unmarshal(w.Body.Bytes(), &failure) == nil && failure != "":
			default:
				t.Error(path, text(w))
			}
		}
		for _, path := range []string{"/customers", "/customers/" + person + "/identifications", "/customers/" + business + "/identifications", "/identifications/" + live} {
			if shown := h.ir("GET", path, ""); !strings.HasPrefix(shown, "200 ") {
				t.Error(path, shown)
			}
		}
		for key, value := range store.items {
			if len(key) > 512 || len(value) > 256<<10 {
				t.Errorf("%q holds %d bytes", key, len(value))
			}
		}
	})
}

// FuzzEZTOForms: whatever the bodies of a trigger, of a read and of a page, they are answered in the contract's words, and what was
// triggered can be read and shown. No record outgrows the store.
func FuzzEZTOForms(f *testing.F) {
	const media = "application/x-www-form-urlencoded"
	f.Add(media, eztoForm("request", eztoAsking), eztoForm("consent", "accept"))
	f.Add(media, eztoForm("request", `{"user":{"user_id":"\u0000\ud83d\ude00","metadata":{"force_onboarding":true}}}`), "onboarding=done")
	f.Add(media, eztoForm("request", `{"message":{"consent":{"type":"json","title":"<","message":{"":null,"a":[1],"b":"\""}}}}`), "consent")
	f.Add(media+"; charset", "request=%7B%7D&request=%zz&;", "iec=%ff")
	f.Add("application/json", `{"request":"{}","auth_req_id":"x","app_id":null}`, "iec=AAXCT4821K&skip")
	f.Fuzz(func(t *testing.T, contentType, body, form string) {
		store := &memory{}
		h := openOn(t, store, func(o *sandbox.Options) {
			app := sandbox.EZTODefaults().Applications["push-encrypted"]
			app.Consent, app.Onboarding, app.Skippable = true, true, true
			o.EZTO.Applications = map[string]sandbox.EZTOApplication{"push-encrypted": app, "poll": sandbox.EZTODefaults().Applications["poll"]}
		})
		for _, app := range []string{"push-encrypted", "poll"} {
			for _, path := range []string{"/transaction", "/transaction/result"} {
				r := toEZTO(app, path, body)
				r.Header.Set("Content-Type", contentType)
				w := h.do(r)
				var failure struct {
					Error string `json:"error"`
				}
				if w.Code == 200 && path == "/transaction" {
					got := decoded[eztoTriggered](h, w, 200)
					if answer := h.eztoResult(app, got.AuthReqID); answer != eztoPending {
						t.Error(answer)
					}
					for range 3 {
						if w := h.visit("POST", got.URL, form); w.Code != 303 && w.Code != 422 {
							t.Error(text(w))
						}
						if w := h.visit("GET", got.URL, ""); w.Code != 200 {
							t.Error(text(w))
						}
					}
				} else if json.Unmarshal(w.Body.Bytes(), &failure) != nil || failure.Error == "" || w.Code < 400 || w.Code > 404 {
					t.Errorf("%s: %s", path, text(w))
				}
			}
		}
		for key, value := range store.items {
			if len(key) > 512 || len(value) > 256<<10 {
				t.Errorf("%q holds %d bytes", key, len(value))
			}
		}
	})
}
