package main_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// TestEventsOfTenants: a key puts events of its own tenant and sees what is published of that tenant's journeys, the
// operator's key those of all.
func TestEventsOfTenants(t *testing.T) {
	t.Parallel()
	s := MustRun(t)
	s.addCaller("other-key", "other", "journeys")
	s.addCaller("equal-key", "other", "equal")
	put := func(key, tenant string) reply {
		document := s.documentOf(tenant)
		return s.do("POST", "/local/events", http.Header{"X-Api-Key": {key}}, fmt.Sprintf(
			`{"detail-type":"JourneyRequested","detail":{"tenant":%q,"type":"aadhaar-otp","idempotency_key":%q,`+
				`"input":{"aadhaar_no":{"document_id":%q}}}}`, tenant, key, document,
		))
	}
	for _, test := range []struct {
		key, tenant string
		status      int
	}{
		{"local-key", "local", 202}, {"local-key", "other", 403}, {"other-key", "other", 202}, {"other-key", "local", 403},
		{"other-key", "", 400}, {"other-key", "Other", 403}, {"equal-key", "other", 401}, {"wrong", "other", 401},
		{"local-operator-key", "local", 202}, {"local-operator-key", "other", 202},
	} {
		if got := put(test.key, test.tenant); got.status != test.status {
			t.Errorf("%s for %q: %d %s, want %d", test.key, test.tenant, got.status, got.body, test.status)
		}
	}
	sees := func(key, tenant string) bool {
		got := s.do("GET", "/local/events", http.Header{"X-Api-Key": {key}}, "")
		return got.status == 200 && strings.Contains(got.body, `"tenant":"`+tenant+`"`)
	}
	waitFor(t, func() bool { return sees("local-operator-key", "local") && sees("local-operator-key", "other") })
	if !sees("local-key", "local") || !sees("other-key", "other") ||
		sees("local-key", "other") || sees("other-key", "local") {
		t.Error("a tenant sees another's events, or not its own")
	}
}

// documentOf puts the happy number into the vault of a tenant.
func (s *stack) documentOf(tenant string) (id string) {
	s.t.Helper()
	key := map[string]string{"local": "local-key", "other": "other-key"}[tenant]
	if key == "" {
		return "none"
	}
	var created struct {
		ID string `json:"document_id"`
	}
	MustDecode(s.t, s.do("POST", "/documents", http.Header{"X-Api-Key": {key}}, `"`+happy+`"`).body, &created)
	return created.ID
}
