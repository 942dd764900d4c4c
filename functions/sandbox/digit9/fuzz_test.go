package digit9_test

import (
	"strings"
	"testing"

	"sallyport/functions/sandbox/digit9"
	"sallyport/functions/sandbox/sandboxtest"
)

func FuzzServeHTTP(f *testing.F) {
	suite().FuzzServeHTTP(
		f,
		[4]string{"POST", alertsPath + "/" + ordinaryECRN, "", `{"aml_scan_status":"Accepted","customer_status":"ACTIVE"}`},
		[4]string{"GET", alertsPath, "", ""},
	)
}

// FuzzOnboarding: whatever the payload, it is answered in the contract's words, and what was onboarded is found.
func FuzzOnboarding(f *testing.F) {
	f.Add(onboarding(ordinary))
	f.Add(onboarding("784199000000413"))
	f.Add(update(ordinaryECRN, onboarding(ordinary)))
	f.Add(`{"id_details":[{"id_type":-0,"id_front":{"base64_data":"A==="}}],"address_list":null}`)
	f.Fuzz(func(t *testing.T, body string) {
		store := &sandboxtest.Memory{}
		h := openOn(t, store)
		answer := h.onboardBody(body)
		switch {
		case strings.HasPrefix(answer, `200 {"status":"success","data":{`):
			if found := h.answer("GET", getPath+ecrnIn(t, answer), ""); !strings.HasPrefix(found, `200 {"status":"success"`) {
				t.Errorf("%s, then %s", answer, found)
			}
		case strings.HasPrefix(answer, `400 {"status":"failure","status_code":400,"error_code":40002,`):
		case strings.Contains(answer, ` {"request_id":"R","status":"failed","status_code":`):
		default:
			t.Error(answer)
		}
		for key, value := range store.Items {
			if len(key) > 512 || len(value) > 256<<10 {
				t.Errorf("%q holds %d bytes", key, len(value))
			}
		}
	})
}

// FuzzToken: whatever the form, only the right credentials get tokens.
func FuzzToken(f *testing.F) {
	const media = "application/x-www-form-urlencoded"
	f.Add(media, form())
	f.Add(media, form("grant_type", "refresh_token", "refresh_token", "x"))
	f.Add(media+"; charset", "grant_type=%zz&&=;")
	f.Fuzz(func(t *testing.T, contentType, body string) {
		r := tokenRequest(body)
		r.Header.Set("Content-Type", contentType)
		w := openOn(t, &sandboxtest.Memory{}).Do(r)
		switch d := digit9.Defaults(); {
		case w.Code == 400, w.Code == 401:
		case w.Code != 200 || !strings.Contains(body, "grant_type") || !strings.Contains(body, d.Password[:1]):
			t.Errorf("%q %q: %s", contentType, body, sandboxtest.Text(w))
		}
	})
}
