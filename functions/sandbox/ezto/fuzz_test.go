package ezto_test

import (
	"testing"

	"github.com/go-json-experiment/json"

	"sallyport/functions/sandbox/ezto"
	"sallyport/functions/sandbox/sandboxtest"
)

func FuzzServeHTTP(f *testing.F) {
	suite().FuzzServeHTTP(f, [4]string{"POST", "/sandbox/ezto/v/x", "", "iec=AAXCT4821K"},
		[4]string{"POST", "/sandbox/ezto/transactions/" + sandboxtest.ID(1) + "/iec", "", `{"iec":"AAXCT4821K"}`})
}

// FuzzForms: whatever the bodies of a trigger, of a read and of a page, they are answered in the contract's words, and
// what was triggered can be read and shown. No record outgrows the store.
func FuzzForms(f *testing.F) {
	const media = "application/x-www-form-urlencoded"
	f.Add(media, formOf("request", asking), formOf("consent", "accept"))
	f.Add(
		media, formOf("request", `{"user":{"user_id":"\u0000\ud83d\ude00","metadata":{"force_onboarding":true}}}`),
		"onboarding=done",
	)
	f.Add(
		media, formOf("request", `{"message":{"consent":{"type":"json","title":"<","message":{"":null,"a":[1],"b":"\""}}}}`),
		"consent",
	)
	f.Add(media+"; charset", "request=%7B%7D&request=%zz&;", "iec=%ff")
	f.Add("application/json", `{"request":"{}","auth_req_id":"x","app_id":null}`, "iec=AAXCT4821K&skip")
	f.Fuzz(func(t *testing.T, contentType, body, form string) {
		store := &sandboxtest.Memory{}
		h := openOn(t, store, func(o *options) {
			app := ezto.Defaults().Applications["push-encrypted"]
			app.Consent, app.Onboarding, app.Skippable = true, true, true
			o.Partner.Applications = map[string]ezto.Application{
				"push-encrypted": app, "poll": ezto.Defaults().Applications["poll"],
			}
		})
		for _, app := range []string{"push-encrypted", "poll"} {
			for _, path := range []string{"/transaction", "/transaction/result"} {
				r := request(app, path, body)
				r.Header.Set("Content-Type", contentType)
				w := h.Do(r)
				var failure struct {
					Error string `json:"error"`
				}
				if w.Code == 200 && path == "/transaction" {
					got := sandboxtest.Decoded[triggered](h.T, w, 200)
					if answer := h.result(app, got.AuthReqID); answer != pending {
						t.Error(answer)
					}
					for range 3 {
						if w := h.Visit("POST", got.URL, form); w.Code != 303 && w.Code != 422 {
							t.Error(sandboxtest.Text(w))
						}
						if w := h.Visit("GET", got.URL, ""); w.Code != 200 {
							t.Error(sandboxtest.Text(w))
						}
					}
				} else if json.Unmarshal(w.Body.Bytes(), &failure) != nil || failure.Error == "" || w.Code < 400 || w.Code > 404 {
					t.Errorf("%s: %s", path, sandboxtest.Text(w))
				}
			}
		}
		for key, value := range store.Items {
			if len(key) > 512 || len(value) > 256<<10 {
				t.Errorf("%q holds %d bytes", key, len(value))
			}
		}
	})
}
