package sandboxtest

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

// WantPage checks a page: its status, its heading, and what any page must be.
func WantPage(t testing.TB, w *httptest.ResponseRecorder, status int, heading string) {
	t.Helper()
	page := w.Body.String()
	Want(t, w.Code, status)
	for _, part := range []string{
		"<h1>" + heading + "</h1>", `<html lang="en">`,
		`<meta name="viewport" content="width=device-width, initial-scale=1">`,
	} {
		if !strings.Contains(page, part) {
			t.Errorf("no %s in %s", part, page)
		}
	}
	title := heading
	if status == 422 {
		title = "Error: " + heading
	}
	Want(t, strings.Contains(page, "<title>"+title+"</title>"), true)
	Want(t, strings.Count(page, "<main>"), 1)
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
		Want(t, w.Header().Get(name), value)
	}
}
