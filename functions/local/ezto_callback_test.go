package main_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

// called waits for so many callbacks and returns what they were answered with.
func (s *stack) called(n int) (statuses []int) {
	s.t.Helper()
	waitFor(s.t, func() bool { return len(s.arrivals("ezto/callback")) >= n })
	for _, r := range s.arrivals("ezto/callback") {
		statuses = append(statuses, r.Status)
	}
	return statuses
}

// keepsQuiet fails the test where something personal, or a callback itself, is in the log.
func (s *stack) keepsQuiet(secrets ...string) {
	s.t.Helper()
	for _, secret := range append(secrets, "AAXCT4821K", "TARANG", "Dock Road", "eyJ", "sandbox-ezto-encryption-key") {
		if strings.Contains(s.logs.String(), secret) {
			s.t.Errorf("%q is in the log", secret)
		}
	}
}

// TestEZTOCallback: each hook and form that the partner has arrives, however the transaction ends.
func TestEZTOCallback(t *testing.T) {
	for _, application := range []string{"ping", "push", "push-token", "push-encrypted"} {
		t.Run(application, func(t *testing.T) {
			s := MustRun(t)
			handle := s.trigger(application, "u-7731@example.com")
			if got := s.enterIEC("AAXCT4821K"); got.status != http.StatusOK {
				t.Fatalf("the page: %d %s", got.status, got.body)
			}
			if got := s.called(1); !slices.Equal(got, []int{200}) {
				t.Errorf("answered %v", got)
			}
			s.keepsQuiet(handle, "u-7731")
		})
		t.Run(application+"/Comma", func(t *testing.T) {
			s := MustRun(t)
			for name, value := range map[string]string{"trailing_comma": "yes", "pushed_handle": "yes", "envelope": "camelCase"} {
				if got := s.do("POST", "/sandbox/settings", nil, `{"partner":"ezto","name":"`+name+`","value":"`+value+`"}`); got.status != http.StatusOK {
					t.Fatal(got.body)
				}
			}
			s.trigger(application, "u-7731@example.com")
			s.enterIEC("AAHCE5000E") // the register can't be asked
			s.trigger(application, "u-7732@example.com")
			s.enterIEC("AAXCT4821K")
			if got := s.called(2); !slices.Equal(got, []int{200, 200}) {
				t.Errorf("answered %v", got)
			}
			s.keepsQuiet("u-7731", "u-7732")
		})
	}
}

// TestEZTOCallbackForged: what nobody signed or encrypted is refused; in plain text it is a hint that changes nothing.
func TestEZTOCallbackForged(t *testing.T) {
	for application, want := range map[string]int{"ping": 200, "push": 200, "push-token": 401, "push-encrypted": 401} {
		t.Run(application, func(t *testing.T) {
			s := MustRun(t)
			s.arm("ezto", "callback", "forged_callback")
			handle := s.trigger(application, "u-7731@example.com")
			s.enterIEC("AAXCT4821K")
			if got := s.called(1); !slices.Equal(got, []int{want}) {
				t.Errorf("answered %v", got)
			}
			s.keepsQuiet(handle, "u-7731", "FORGED", "Forger")
			if got := s.post(resultURL, "", resultOf(application, handle)); !strings.Contains(got.body, `"ie_code":"AAXCT4821K"`) {
				t.Errorf("the result: %d %s", got.status, got.body)
			}
		})
	}
}

// TestEZTOCallbackKeys: while the realm's keys can't be had, the partner is asked to repeat, and does.
func TestEZTOCallbackKeys(t *testing.T) {
	for _, fault := range []string{"refuse_connection", "status_429", "status_503_before_effect", "malformed", "truncated"} {
		t.Run(fault, func(t *testing.T) {
			s := MustRun(t)
			s.arm("ezto", "list-certs", fault)
			s.trigger("push-token", "u-7731@example.com")
			s.enterIEC("AAXCT4821K")
			if got := s.called(2); !slices.Equal(got, []int{503, 200}) {
				t.Errorf("answered %v", got)
			}
			s.keepsQuiet("u-7731")
		})
	}
}

// TestEZTOCallbackByHand: what does not come from the partner.
func TestEZTOCallbackByHand(t *testing.T) {
	s := MustRun(t)
	const ping = `{"auth_req_id":"a-handle","request_id":"r","status":"COMPLETED"}`
	for name, test := range map[string]struct {
		application, body string
		status            int
	}{
		"Unknown":     {"ping", ping, 200}, // perhaps the trigger's answer is still on its way
		"Escaped":     {"p%69ng", ping, 200},
		"Truncated":   {"ping", ping[:40], 400},
		"Nothing":     {"push", `{}`, 400},
		"WrongForm":   {"push-token", ping, 401},
		"NoSuchThing": {"nobody", ping, 401},
		"NoToken":     {"push-token", `{"token":"a.b.c"}`, 401},
		"TooLarge":    {"ping", `{"auth_req_id":"` + strings.Repeat("x", 64<<10) + `"}`, 413},
	} {
		if got := s.do("POST", "/callbacks/ezto/"+test.application, http.Header{"No-Key": {""}}, test.body); got.status != test.status {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	s.keepsQuiet("a-handle")
}
