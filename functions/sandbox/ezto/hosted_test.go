package ezto_test

import (
	"net/http"
	"strings"
	"testing"

	"sallyport/functions/sandbox/ezto"
	"sallyport/functions/sandbox/sandboxtest"
)

// wantParts checks that a page holds each of its parts.
func wantParts(t *testing.T, page string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(page, part) {
			t.Errorf("no %s in %s", part, page)
		}
	}
}

func TestHosted(t *testing.T) {
	h := openOn(t, &sandboxtest.Memory{})
	got := h.triggers("poll", user("u-1"))
	w := h.Visit("GET", got.URL, "")
	sandboxtest.WantPage(t, w, 200, "IEC Verification")
	wantParts(t, w.Body.String(), `<label for="iec">IEC License Number</label>`, `<button type="submit">Submit</button>`,
		`<input type="text" id="iec" name="iec" value="" autocomplete="off" autocapitalize="characters" spellcheck="false">`)
	for _, absent := range []string{"alert", "autofocus", "Skip"} {
		want(t, strings.Contains(w.Body.String(), absent), false)
	}

	// A wrong number comes back with what is wrong.
	for form, wrong := range map[string]string{
		"iec=AAHCZ9999Z": "No licence has this number. 4 attempts are left.",
		"iec=":           "Enter the IEC License Number.",
	} {
		w = h.Visit("POST", got.URL, form)
		sandboxtest.WantPage(t, w, 422, "IEC Verification")
		wantParts(t, w.Body.String(), `<p class="wrong" id="iec-problem" role="alert">`+wrong+`</p>`,
			`value="`+strings.TrimPrefix(form, "iec=")+`"`, ` aria-invalid="true" aria-describedby="iec-problem" autofocus>`)
	}
	w = h.Visit("POST", got.URL, "iec=%22%3E%3Cscript%3Ealert(1)%3C/script%3E")
	sandboxtest.WantPage(t, w, 422, "IEC Verification")
	wantParts(t, w.Body.String(), `value="&#34;&gt;&lt;script&gt;alert(1)&lt;/script&gt;"`)

	// What is no form of this page does nothing.
	for _, form := range []string{"", "consent=decline", "onboarding=done", "skip=%zz"} {
		w = h.Visit("POST", got.URL, form)
		want(t, w.Code, http.StatusSeeOther)
		want(t, "http://example.com"+w.Header().Get("Location"), got.URL)
		want(t, w.Header().Get("Cache-Control"), "no-store")
	}
	// not skippable: as if nothing was entered
	want(t, h.Visit("POST", got.URL, "skip=yes").Code, http.StatusUnprocessableEntity)
	want(t, h.result("poll", got.AuthReqID), pending)

	// The right one.
	want(t, h.Visit("POST", got.URL, "iec=+aaxct4821k").Code, http.StatusSeeOther)
	sandboxtest.WantPage(t, h.Visit("GET", got.URL, ""), 200, "Completed")
	want(t, h.Visit("POST", got.URL, "iec=BZKPM3307Q").Code, http.StatusSeeOther) // changes nothing
	want(t, h.result("poll", got.AuthReqID), "200 "+verified("u-1", sandboxtest.ID(1)))
	for _, method := range []string{"GET", "POST"} {
		sandboxtest.WantPage(t, h.Visit(method, "/sandbox/ezto/v/x", "iec=1"), 404, "Page not found")
	}
	for _, row := range h.Log() {
		want(t, strings.HasPrefix(row, "trigger-request ") || strings.HasPrefix(row, "get-result "), true)
	}
}

func TestHosted_Attempts(t *testing.T) {
	h := openOn(t, &sandboxtest.Memory{})
	got := h.triggers("poll", user("u-1"))
	for range 4 {
		want(t, h.Visit("POST", got.URL, "iec=x").Code, http.StatusUnprocessableEntity)
	}
	want(t, h.Visit("POST", got.URL, "iec=x").Code, http.StatusSeeOther)
	sandboxtest.WantPage(t, h.Visit("GET", got.URL, ""), 200, "Not completed")
	want(t, h.Visit("POST", got.URL, "iec=AAXCT4821K").Code, http.StatusSeeOther)
	want(t, h.result("poll", got.AuthReqID), noAttempts)
}

// TestHosted_Steps: consent, onboarding and the number, each with a form that does nothing at another.
func TestHosted_Steps(t *testing.T) {
	h := openOn(t, &sandboxtest.Memory{}, func(o *options) {
		app := ezto.Defaults().Applications["poll"]
		app.Consent, app.Onboarding, app.Skippable = true, true, true
		o.Partner.Applications = map[string]ezto.Application{"poll": app}
	})
	got := h.triggers("poll", asking)
	w := h.Visit("GET", got.URL, "")
	sandboxtest.WantPage(t, w, 200, "Check importer licence")
	wantParts(t, w.Body.String(),
		"<dt>Purpose</dt>\n<dd>Vendor KYC</dd>\n<dt>Kept</dt>\n<dd>&lt;b&gt;90&lt;/b&gt; "+
			"days</dd>\n<dt>Times</dt>\n<dd>2</dd>",
		`<button type="submit" name="consent" value="accept">Accept</button>`,
		`<button type="submit" name="consent" value="decline" class="second">Decline</button>`)
	h.Visit("POST", got.URL, "iec=AAXCT4821K&skip=yes&onboarding=done")
	want(t, h.open()[0].Status, "CONSENT")
	want(t, h.Visit("POST", got.URL, "consent=accept").Code, http.StatusSeeOther)

	w = h.Visit("GET", got.URL, "")
	sandboxtest.WantPage(t, w, 200, "Welcome")
	wantParts(t, w.Body.String(), `<button type="submit" name="onboarding" value="done">Continue</button>`)
	h.Visit("POST", got.URL, "consent=decline&iec=AAXCT4821K")
	want(t, h.open()[0].Status, "ONBOARDING")
	want(t, h.Visit("POST", got.URL, "onboarding=done").Code, http.StatusSeeOther)

	w = h.Visit("GET", got.URL, "")
	sandboxtest.WantPage(t, w, 200, "IEC Verification")
	wantParts(t, w.Body.String(), `<button type="submit" name="skip" value="yes" class="second">Skip</button>`)
	want(t, h.Visit("POST", got.URL, "iec=&skip=yes").Code, http.StatusSeeOther)
	sandboxtest.WantPage(t, h.Visit("GET", got.URL, ""), 200, "Skipped")
	want(t, h.result("poll", got.AuthReqID), "200 "+envelope("verification", "u-7731", sandboxtest.ID(1)))
}

// TestHosted_Declined: whatever is not an acceptance declines.
func TestHosted_Declined(t *testing.T) {
	for _, form := range []string{"consent=decline", "consent=", "consent=x"} {
		h := openOn(t, &sandboxtest.Memory{})
		got := h.triggers("consent", asking)
		want(t, h.Visit("POST", got.URL, form).Code, http.StatusSeeOther)
		sandboxtest.WantPage(t, h.Visit("GET", got.URL, ""), 200, "Declined")
		want(t, h.result("consent", got.AuthReqID), declined)
	}
}

// TestHosted_Origin: the url leads to where the request came.
func TestHosted_Origin(t *testing.T) {
	h := openOn(t, &sandboxtest.Memory{})
	for forwarded, scheme := range map[string]string{"": "http", "https": "https", "javascript": "http"} {
		r := request("poll", "/transaction", formOf("request", user("u-1")))
		r.Host = "sandbox.example.org:8443"
		r.Header.Set("X-Forwarded-Proto", forwarded)
		got := sandboxtest.Decoded[triggered](h.T, h.Do(r), 200)
		want(t, strings.HasPrefix(got.URL, scheme+"://sandbox.example.org:8443/sandbox/ezto/v/"), true)
	}
}
