package mbanq_test

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"sallyport/functions/sandbox/sandboxtest"
)

func FuzzServeHTTP(f *testing.F) { suite().FuzzServeHTTP(f) }

// FuzzBodies: whatever the body and the query, each change is answered in the contract's words, and what was made is
// found. No record outgrows the store.
func FuzzBodies(f *testing.F) {
	f.Add(person("externalId", `"e"`), "command=activate", "refused")
	f.Add(home(), "type=1", "tolerated")
	f.Add(document("45", "X1"), "command=verify", "tolerated")
	f.Add(
		activation("isActivatedByManualReview", "true", "manualReviewActivationComments", `"x"`), "command=activate",
		"tolerated",
	)
	f.Add(`{"kycVerificationType":"PARTIAL","note":null}`, "command=verify", "refused")
	f.Add(
		`{"address":[{}],"clientTypes":[1e9],"officeId":"1","dateFormat":"d MMMM yyyy","locale":"en"}`, "type=%ff", "refused",
	)
	f.Add(`{"officeId":`, "%zz", "tolerated")
	f.Fuzz(func(t *testing.T, body, query, fields string) {
		store := &sandboxtest.Memory{}
		h := openOn(t, store)
		if fields == "refused" {
			h.set("unknown_fields", fields)
		}
		h.set("idempotency", "honoured")
		h.complete()
		for _, path := range []string{
			"/v1/clients", "/v1/client/8801/addresses", "/v1/clients/8801/identifiers", firstClient,
		} {
			r := h.request("POST", path, body)
			r.URL.RawQuery = query
			r.Header.Set("Idempotency-Key", "k")
			w := h.Do(r)
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
					t.Error(path, sandboxtest.Text(w))
				}
			case 400, 403, 404:
				if failure.Code == "" {
					t.Error(path, sandboxtest.Text(w))
				}
			default:
				t.Error(path, sandboxtest.Text(w))
			}
		}
		for _, path := range []string{
			"/v1/clients", "/v1/client/8801/addresses", "/v1/clients/8801/identifiers", firstClient,
			firstClient + "/verificationstatus",
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

// FuzzUpload: whatever the form, an answer comes, and a file is taken only where one came.
func FuzzUpload(f *testing.F) {
	body, media := scan("a1", "p.pdf", "application/pdf", 3)
	f.Add(body, media)
	f.Add(body[:len(body)-9], media)
	f.Add(
		"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"p.png\"\r\n\r\nx\r\n--b\r\nContent-Disposition: "+
			"form-data; name=name\r\n\r\nn\r\n--b--",
		"multipart/form-data; boundary=b",
	)
	f.Add("--\r\n\r\n", `multipart/form-data; boundary=""`)
	f.Fuzz(func(t *testing.T, body, media string) {
		h := openOn(t, &sandboxtest.Memory{})
		h.makes()
		h.identifies("8801", "41")
		switch answer := h.upload("5101", body, media); {
		case strings.HasPrefix(answer, `200 {"id":"901"`):
			if !strings.Contains(body, "file") || !strings.Contains(body, "name") {
				t.Errorf("%q %q: %s", media, body, answer)
			}
		case answer == malformed, strings.HasPrefix(answer, `400 {"developerMessage":"The request was invalid.`):
		default:
			t.Errorf("%q %q: %s", media, body, answer)
		}
	})
}
