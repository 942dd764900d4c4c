package iron_test

import (
	"crypto/tls"
	"net/http"
	"strings"
	"testing"
	"time"

	"sallyport/functions/sandbox/sandboxtest"
)

const allSteps = "identity=done&selfie=done&proof_of_residence=done&questionnaire=done"

func TestHosted(t *testing.T) {
	h := openOn(t, &sandboxtest.Memory{})
	customer := h.makes("Person", "noor@example.com")
	d := h.identifies(customer, "", direct)
	w := h.Visit("GET", d.URL, "")
	sandboxtest.WantPage(t, w, 200, "Verify your identity")
	want(t, strings.Contains(w.Body.String(), "problem\""), false)
	for name, label := range map[string]string{
		"identity": "Identity document", "selfie": "Selfie", "proof_of_residence": "Proof of residence",
		"questionnaire": "Questionnaire",
	} {
		want(t, strings.Contains(w.Body.String(), `<input type="checkbox" id="`+name+`" name="`+name+`" value="done">`), true)
		want(t, strings.Contains(w.Body.String(), `<label for="`+name+`">`+label+`</label>`), true)
	}

	// Some steps are missing.
	for _, form := range []string{"selfie=done&x=%22%3E%3Cscript%3E", "selfie=done&%zz"} {
		w = h.Visit("POST", d.URL, form)
		sandboxtest.WantPage(t, w, 422, "Verify your identity")
		for _, part := range []string{
			`<div class="problem" id="problem" role="alert" tabindex="-1" autofocus>`,
			`<li><a href="#identity">Identity document is not done</a></li>`,
			`<p class="wrong" id="identity-problem">Identity document is not done</p>`,
			`<input type="checkbox" id="identity" name="identity" value="done" aria-invalid="true" aria-describedby="identity-problem">`,
			`<input type="checkbox" id="selfie" name="selfie" value="done" checked>`,
		} {
			if !strings.Contains(w.Body.String(), part) {
				t.Errorf("no %s in %s", part, w.Body)
			}
		}
	}
	want(t, h.Visit("POST", d.URL, "").Code, 422)
	want(t, h.gets(d.ID).Status, "Pending")

	// All are there.
	w = h.Visit("POST", d.URL, allSteps)
	want(t, w.Code, http.StatusSeeOther)
	want(t, "http://example.com"+w.Header().Get("Location"), d.URL)
	sandboxtest.WantPage(t, h.Visit("GET", d.URL, ""), 200, "Completed")
	want(t, h.gets(d.ID).Status, "Processed")
	want(t, h.Visit("POST", d.URL, "").Code, http.StatusSeeOther) // nothing is awaited
	h.Advance(200 * time.Hour)
	want(t, h.gets(d.ID).Status, "Processed") // it expires no more
	h.decides(d.ID, true)
	sandboxtest.WantPage(t, h.Visit("GET", d.URL, ""), 200, "Nothing left to do")
	want(t, h.Visit("POST", d.URL, allSteps).Code, http.StatusSeeOther)
	want(t, h.gets(d.ID).Status, "Approved")

	for _, method := range []string{"GET", "POST"} {
		sandboxtest.WantPage(t, h.Visit(method, "/sandbox/iron/hosted/"+d.ID, "x=y"), 404, "Page not found")
	}
	sandboxtest.WantPage(
		t, h.Visit("GET", "/sandbox/iron/terms/22222222-2222-4222-8222-222222222222", ""), 200, "Terms of Service",
	)
	sandboxtest.WantPage(t, h.Visit("GET", "/sandbox/iron/terms/x", ""), 404, "Page not found")
	for _, row := range h.Log() {
		want(t, strings.Contains(row, "hosted"), false)
	}
}

func TestHosted_Business(t *testing.T) {
	h := openOn(t, &sandboxtest.Memory{})
	d := h.identifies(h.makes("Business", "noor@example.com"), "/v2", `{"type":"Link"}`)
	w := h.Visit("GET", d.URL, "")
	sandboxtest.WantPage(t, w, 200, "Verify your business")
	for _, label := range []string{"Company data", "Beneficiaries", "Company documents", "Questionnaire"} {
		want(t, strings.Contains(w.Body.String(), ">"+label+"</label>"), true)
	}
	want(
		t,
		h.Visit("POST", d.URL, "company_data=done&company_beneficiaries=done&company_documents=done&questionnaire=done").Code,
		303,
	)
	want(t, h.gets(d.ID).Status, "Processed")
}

// TestHosted_Resubmit: what is wanted once more is asked for alone; then it is approved.
func TestHosted_Resubmit(t *testing.T) {
	k := &hooks{}
	h := openOn(t, &sandboxtest.Memory{}, k.to)
	customer := h.makes("Person", "resubmit@example.com")
	d := h.identifies(customer, "", direct)
	h.Advance(10 * time.Second)
	h.Deliver()
	want(t, strings.Count(h.Visit("GET", d.URL, "").Body.String(), "<input"), 1)
	want(t, h.Visit("POST", d.URL, "identity=done").Code, 303)
	want(
		t, k.told(t),
		[]string{
			"customer_created CustomerCreated", "identification_status Processed", "identification_status Pending",
			"identification_status Processed",
		},
	)
	h.Advance(10 * time.Second)
	h.Deliver()
	want(t, h.customer(customer).Status, "Active")
	want(
		t, k.told(t),
		[]string{"identification_status PendingReview", "identification_status Approved", "customer_status Active"},
	)
}

// TestHosted_Origin: the url leads to where the request came.
func TestHosted_Origin(t *testing.T) {
	h := openOn(t, &sandboxtest.Memory{})
	d := h.identifies(h.makes("Person", "noor@example.com"), "", direct)
	for _, test := range []struct {
		forwarded string
		tls       bool
		want      string
	}{
		{"", false, "http://"}, {"", true, "https://"}, {"https", false, "https://"}, {"http", true, "http://"},
		{"javascript", false, "http://"},
	} {
		r := h.request("GET", "/identifications/"+d.ID, "")
		r.Host = "sandbox.example.org:8443"
		if test.forwarded != "" {
			r.Header.Set("X-Forwarded-Proto", test.forwarded)
		}
		if test.tls {
			r.TLS = &tls.ConnectionState{}
		}
		url := sandboxtest.Decoded[shownIdentification](h.T, h.Do(r), 200).URL
		want(t, strings.HasPrefix(url, test.want+"sandbox.example.org:8443/sandbox/iron/hosted/"), true)
	}
}
