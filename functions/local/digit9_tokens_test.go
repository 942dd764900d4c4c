package main_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// TestOnboardingsShareATokenMatrix: however many journeys begin at once when no token is there, one is asked for.
func TestOnboardingsShareATokenMatrix(t *testing.T) {
	t.Parallel()
	s := MustRun(t)
	const journeys = 100
	ids := make([]string, journeys)
	var wg sync.WaitGroup
	for i := range journeys {
		wg.Go(func() {
			number := fmt.Sprintf("7841%011d", i*1000+17)
			got, err := s.try(
				"POST", "/journeys/partner-onboarding", http.Header{"Idempotency-Key": {number}},
				`{"customer":`+customer(number)+`}`,
			)
			if err != nil || got.status != 202 {
				t.Errorf("start: %v %d %s", err, got.status, got.body)
				return
			}
			ids[i] = strings.TrimPrefix(got.header.Get("Location"), "/journeys/")
		})
	}
	wg.Wait()
	for _, id := range ids {
		if view := s.follow(id, ended); view.Status != "SUCCEEDED" {
			t.Errorf("got %s (%s)", view.Status, view.Reason)
		}
	}
	if tokens := len(s.digit9Requests("issue-token")); tokens != 1 || s.onboardings() != journeys {
		t.Errorf("%d onboardings asked for %d tokens", s.onboardings(), tokens)
	}
}

// TestContainersShareATokenMatrix: so it is with containers of functions that begin at once, each of which has a memory
// of its own.
func TestContainersShareATokenMatrix(t *testing.T) {
	s := deployed(t)
	s.partner("POST", "/faults", `{"partner":"digit9","operation":"issue-token","fault":"slow"}`) // so that none is late
	var wg sync.WaitGroup
	for _, folder := range []string{
		"digit9/lookup-customer", "digit9/lookup-customer", "digit9/lookup-customer", "digit9/get-customer",
	} {
		container := s.start(folder)
		wg.Go(func() {
			answer := container.invoke(event(t, lookup("784199000000099"), "", map[string]string{"ecrn": "7840000000000000"}))
			if !strings.Contains(string(answer), "45001") {
				t.Errorf("%s answered %s", folder, answer)
			}
		})
	}
	wg.Wait()
	s.wantTokens("digit9", 1)
}

// wantTokens checks how many tokens were issued.
func (s *stage) wantTokens(partner string, want int) {
	s.t.Helper()
	if n := strings.Count(
		s.partner("GET", "/requests?partner="+partner+"&operation=issue-token", ""), `"issue-token"`,
	); n != want {
		s.t.Errorf("%d tokens were issued, want %d", n, want)
	}
}
