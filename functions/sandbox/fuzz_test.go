package sandbox_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"sallyport/functions/sandbox"
)

// FuzzServeHTTP: whatever the path and the body, an answer comes, and it is never that of a failure of the sandbox.
func FuzzServeHTTP(f *testing.F) {
	for _, op := range sandbox.Operations() {
		f.Add(op.Method, "/sandbox/"+op.Partner+op.Path, "", bodyOf(op.Name))
	}
	f.Add("GET", "/sandbox/requests", "partner=equal&operation=fetch-data", "")
	f.Add("GET", "/sandbox/requests", "%zz", "")
	f.Add("GET", "/sandbox/requests", "\xff", "")
	f.Add("POST", "/sandbox/faults", "", `{"partner":"equal","operation":"init-transaction","fault":"malformed","times":3}`)
	f.Add("POST", "/sandbox/settings", "", `{"partner":"equal","name":"step1_status","value":"SUCCESS"}`)
	f.Add("POST", "/sandbox/reset", "", `{}`)
	f.Add("CONNECT", "//sandbox/../%2e", "", "\xff")
	f.Add("", "*", "", `{"transaction_id":null}`)
	f.Fuzz(func(t *testing.T, method, path, query, body string) {
		// The frame, on state in which step 1 was taken.
		h := openOn(t, &memory{}, func(o *sandbox.Options) { o.TimeScale = 1e12 })
		h.init()
		h.step1(id(1), number)
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
			w := httptest.NewRecorder()
			h.ServeHTTP(w, request(op.Method, "/sandbox/"+op.Partner+op.Path, body))
			if w.Code == http.StatusInternalServerError && text(w) != internalError {
				t.Errorf("%s: got %s", op.Name, text(w))
			}
		}
	})
}
