package main_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// A small request that refers to much is refused by every journey, and by an input, with what and where.
func TestReferencesInReferences(t *testing.T) {
	t.Parallel()
	s := MustRun(t)
	document := func(text string) (reference string) {
		t.Helper()
		got := s.do("POST", "/documents", http.Header{"Content-Type": {"application/json"}}, text)
		var created struct {
			ID string `json:"document_id"`
		}
		if err := json.Unmarshal([]byte(got.body), &created); err != nil || created.ID == "" {
			t.Fatalf("%d %s", got.status, got.body)
		}
		return `{"document_id":"` + created.ID + `"}`
	}
	list := func(n int, reference string) string {
		return "[" + strings.Repeat(reference+",", n-1) + reference + "]"
	}
	many := document(list(75_000, document(`1`)))
	attack := `{"x":` + list(60, many) + `}`
	refused := func(name string, got reply, at string) {
		t.Helper()
		if got.status != 400 || !strings.Contains(got.body, `"code":"too_many_documents"`) ||
			!strings.Contains(got.body, `"detail":"`+at+`/x/0/127: `) {
			t.Errorf("%s: %d %.300s", name, got.status, got.body)
		}
	}
	for name, test := range map[string]struct{ body, at string }{
		"partner-onboarding": {`{"customer":` + attack + `}`, "/customer"},
		"client-onboarding":  {`{"client":` + attack + `,"activation_date":"2026-03-04"}`, "/client"},
		"customer-identification": {
			`{"customer":` + attack + `,"identification":{"type":"Link"}}`, "/customer",
		},
	} {
		refused(name, s.post("/journeys/"+name, name, test.body), test.at)
	}
	// Its limit of 48 KB comes first.
	if got := s.post("/journeys/iec-verification", "iec", attack); got.status != 413 {
		t.Errorf("iec-verification: %d %.300s", got.status, got.body)
	}
	if got := s.post("/journeys/aadhaar-otp", "aadhaar", `{"aadhaar_no":`+attack+`}`); got.status != 400 {
		t.Errorf("aadhaar-otp: %d %.300s", got.status, got.body)
	}
}
