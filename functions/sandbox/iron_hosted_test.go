package sandbox_test

import (
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"
)

// visit sends what a browser would to the page behind a url.
func (h *harness) visit(method, url, form string) *httptest.ResponseRecorder {
	r := keyless(method, strings.TrimPrefix(url, "http://example.com"), form)
	if form != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return h.do(r)
}

const ironAllSteps = "identity=done&selfie=done&proof_of_residence=done&questionnaire=done"

// wantPage checks a page: its status, its heading, and what any page must be.
func wantPage(t *testing.T, w *httptest.ResponseRecorder, status int, heading string) {
	t.Helper()
	page := w.Body.String()
	want(t, w.Code, status)
	for _, part := range []string{"<h1>" + heading + "</h1>", `<html lang="en">`, `<meta name="viewport" content="width=device-width, initial-scale=1">`} {
		if !strings.Contains(page, part) {
			t.Errorf("no %s in %s", part, page)
		}
	}
	title := heading
	if status == 422 {
		title = "Error: " + heading
	}
	want(t, strings.Contains(page, "<title>"+title+"</title>"), true)
	want(t, strings.Count(page, "<main>"), 1)
	for _, banned := range []string{"<script", " on", "src=", "http:", "https:", "noor", "@example"} {
		if strings.Contains(regexp.MustCompile(`>[^<]*<`).ReplaceAllString(page, "><"), banned) {
			t.Errorf("%q in %s", banned, page)
		}
	}
	style := regexp.MustCompile(`(?s)<style>(.*)</style>`).FindStringSubmatch(page)
	sum := sha256.Sum256([]byte(style[1]))
	for name, value := range map[string]string{
		"Content-Type": "text/html; charset=utf-8",
		"Content-Security-Policy": "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
			"'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
		"X-Content-Type-Options": "nosniff",
		"Referrer-Policy":        "no-referrer",
		"Cache-Control":          "no-store",
	} {
		want(t, w.Header().Get(name), value)
	}
}

func TestIronHosted(t *testing.T) {
	h := openOn(t, &memory{})
	customer := h.ironMakes("Person", "noor@example.com")
	d := h.ironIdentifies(customer, "", ironDirect)
	w := h.visit("GET", d.URL, "")
	wantPage(t, w, 200, "Verify your identity")
	want(t, strings.Contains(w.Body.String(), "problem\""), false)
	for name, label := range map[string]string{"identity": "Identity document", "selfie": "Selfie", "proof_of_residence": "Proof of residence", "questionnaire": "Questionnaire"} {
		want(t, strings.Contains(w.Body.String(), `<input type="checkbox" id="`+name+`" name="`+name+`" value="done">`), true)
		want(t, strings.Contains(w.Body.String(), `<label for="`+name+`">`+label+`</label>`), true)
	}

	// Some steps are missing.
	for _, form := range []string{"selfie=done&x=%22%3E%3Cscript%3E", "selfie=done&%zz"} {
		w = h.visit("POST", d.URL, form)
		wantPage(t, w, 422, "Verify your identity")
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
	want(t, h.visit("POST", d.URL, "").Code, 422)
	want(t, h.ironGets(d.ID).Status, "Pending")

	// All are there.
	w = h.visit("POST", d.URL, ironAllSteps)
	want(t, w.Code, http.StatusSeeOther)
	want(t, "http://example.com"+w.Header().Get("Location"), d.URL)
	wantPage(t, h.visit("GET", d.URL, ""), 200, "Completed")
	want(t, h.ironGets(d.ID).Status, "Processed")
	want(t, h.visit("POST", d.URL, "").Code, http.StatusSeeOther) // nothing is awaited
	h.advance(200 * time.Hour)
	want(t, h.ironGets(d.ID).Status, "Processed") // it expires no more
	h.ironDecides(d.ID, true)
	wantPage(t, h.visit("GET", d.URL, ""), 200, "Nothing left to do")
	want(t, h.visit("POST", d.URL, ironAllSteps).Code, http.StatusSeeOther)
	want(t, h.ironGets(d.ID).Status, "Approved")

	for _, method := range []string{"GET", "POST"} {
		wantPage(t, h.visit(method, "/sandbox/iron/hosted/"+d.ID, "x=y"), 404, "Page not found")
	}
	wantPage(t, h.visit("GET", "/sandbox/iron/terms/22222222-2222-4222-8222-222222222222", ""), 200, "Terms of Service")
	wantPage(t, h.visit("GET", "/sandbox/iron/terms/x", ""), 404, "Page not found")
	for _, row := range h.log() {
		want(t, strings.Contains(row, "hosted"), false)
	}
}

func TestIronHosted_Business(t *testing.T) {
	h := openOn(t, &memory{})
	d := h.ironIdentifies(h.ironMakes("Business", "noor@example.com"), "/v2", `{"type":"Link"}`)
	w := h.visit("GET", d.URL, "")
	wantPage(t, w, 200, "Verify your business")
	for _, label := range []string{"Company data", "Beneficiaries", "Company documents", "Questionnaire"} {
		want(t, strings.Contains(w.Body.String(), ">"+label+"</label>"), true)
	}
	want(t, h.visit("POST", d.URL, "company_data=done&company_beneficiaries=done&company_documents=done&questionnaire=done").Code, 303)
	want(t, h.ironGets(d.ID).Status, "Processed")
}

// TestIronHosted_Resubmit: what is wanted once more is asked for alone; then it is approved.
func TestIronHosted_Resubmit(t *testing.T) {
	k := &ironHooks{}
	h := openOn(t, &memory{}, k.to)
	customer := h.ironMakes("Person", "resubmit@example.com")
	d := h.ironIdentifies(customer, "", ironDirect)
	h.advance(10 * time.Second)
	h.deliver()
	want(t, strings.Count(h.visit("GET", d.URL, "").Body.String(), "<input"), 1)
	want(t, h.visit("POST", d.URL, "identity=done").Code, 303)
	want(t, k.told(t), []string{"customer_created CustomerCreated", "identification_status Processed", "identification_status Pending", "identification_status Processed"})
	h.advance(10 * time.Second)
	h.deliver()
	want(t, h.ironCustomer(customer).Status, "Active")
	want(t, k.told(t), []string{"identification_status PendingReview", "identification_status Approved", "customer_status Active"})
}

// TestIronHosted_Origin: the url leads to where the request came.
func TestIronHosted_Origin(t *testing.T) {
	h := openOn(t, &memory{})
	d := h.ironIdentifies(h.ironMakes("Person", "noor@example.com"), "", ironDirect)
	for _, test := range []struct {
		forwarded string
		tls       bool
		want      string
	}{
		{"", false, "http://"}, {"", true, "https://"}, {"https", false, "https://"}, {"http", true, "http://"}, {"javascript", false, "http://"},
	} {
		r := h.toIron("GET", "/identifications/"+d.ID, "")
		r.Host = "sandbox.example.org:8443"
		if test.forwarded != "" {
			r.Header.Set("X-Forwarded-Proto", test.forwarded)
		}
		if test.tls {
			r.TLS = &tls.ConnectionState{}
		}
		url := decoded[ironIdentification](h, h.do(r), 200).URL
		want(t, strings.HasPrefix(url, test.want+"sandbox.example.org:8443/sandbox/iron/hosted/"), true)
	}
}
