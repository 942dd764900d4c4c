package iron_test

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"sallyport/functions/sandbox/sandboxtest"
)

func FuzzServeHTTP(f *testing.F) {
	suite().FuzzServeHTTP(f, [4]string{"POST", "/sandbox/iron/hosted/x", "", allSteps},
		[4]string{"GET", "/sandbox/iron/customers", "status[]=Active&page_size=2&cursor=x", ""})
}

// FuzzBodies: whatever the body, each operation that takes one answers in the contract's words, and what was made is
// shown. No record outgrows the store.
func FuzzBodies(f *testing.F) {
	for _, body := range bodies {
		f.Add(body.body)
	}
	f.Add(`{"customer_type":"Person","email":"noor+resubmit@example.com","external_id":"e"}`)
	f.Add(`{"approved":true,"content_id":"22222222-2222-4222-8222-222222222222","signed":true}`)
	f.Add(
		`{"type":"Business","company_data":{"beneficiaries":[{"roles":[],"beneficiary_info":{"company_data":null}}],"documents":[{}]}}`,
	)
	f.Add(`null`)
	f.Fuzz(func(t *testing.T, body string) {
		store := &sandboxtest.Memory{}
		h := openOn(t, store)
		h.set("signings", "first")
		person, business := h.makes("Person", "noor@example.com"), h.makes("Business", "noor@example.com")
		live := h.identifies(h.makes("Person", "live@example.com"), "", reliance).ID
		paths := []string{"/customers", "/customers/" + person + "/signings", "/sandbox/identification/" + live}
		for _, customer := range []string{person, business} {
			paths = append(paths, "/customers/"+customer+"/identifications", "/customers/"+customer+"/identifications/v2")
		}
		for _, path := range paths {
			w := h.Do(h.request("POST", path, body))
			var made struct {
				ID string `json:"id"`
			}
			var failure string
			switch {
			case w.Code == 201 && json.Unmarshal(w.Body.Bytes(), &made) == nil && made.ID != "":
			case w.Code >= 400 && w.Code < 500 && json.Unmarshal(w.Body.Bytes(), &failure) == nil && failure != "":
			default:
				t.Error(path, sandboxtest.Text(w))
			}
		}
		for _, path := range []string{
			"/customers", "/customers/" + person + "/identifications", "/customers/" + business + "/identifications",
			"/identifications/" + live,
		} {
			if shown := h.answer("GET", path, ""); !strings.HasPrefix(shown, "200 ") {
				t.Error(path, shown)
			}
		}
		for key, value := range store.Items {
			if len(key) > 512 || len(value) > 256<<10 {
				t.Errorf("%q holds %d bytes", key, len(value))
			}
		}
	})
}
