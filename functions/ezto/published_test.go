package ezto_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"sallyport/functions/ezto"
	"sallyport/shared/gateway"
	"sallyport/shared/operation"
	"sallyport/shared/schema/schematest"
)

// TestNotReadyMatrix: how it looks that there is no result yet is published nowhere, so whatever isn't documented is
// waited out.
func TestNotReadyMatrix(t *testing.T) {
	bodies := []string{
		``, `{}`, `[]`, `null`, `"later"`, `<html>`, `{"status":"pending"}`, `{"error":"authorization_pending"}`,
		`{"error":"never_heard_of"}`, `{"request_id":"r","status":"INITIATED"}`,
	}
	for _, status := range []int{200, 201, 202, 204, 302, 304, 400, 404, 405, 409, 410, 418, 422, 425} {
		for _, body := range bodies {
			if status == 204 || status == 304 {
				body = ""
			}
			c := ezto.Config{BaseURL: newPartner(t, status, body).URL}
			got := call(t, ezto.GetResult(c), form("app_id", "poll", "auth_req_id", "h"))
			state := ezto.GetResult(c).Output(got.Reply)["state"]
			read := got.Class == operation.Conflict || got.Class == operation.Done
			if !read || state != "pending" {
				t.Errorf("%d %s: %s, %v, answered %d", status, body, got.Class, state, got.Reply.Status)
			}
		}
	}
}

// TestImplausibleMatrix: a result in which an identifier or a name cannot be right is never a plain yes or no, and
// tells which.
func TestImplausibleMatrix(t *testing.T) {
	const whole = `{"request_id":"r","iec_verified":"true","iec_status":%q,"ie_code":"AAXCT4821K","pan":"AAXCT4821K","name":"TARANG"%s}`
	replace := func(name, value string) func(string) string {
		old := map[string]string{"ie_code": `"AAXCT4821K"`, "pan": `"AAXCT4821K"`, "name": `"TARANG"`}[name]
		return func(text string) string {
			return strings.Replace(text, `"`+name+`":`+old, `"`+name+`":`+value, 1)
		}
	}
	for _, test := range []struct {
		name, value, more string
		want              string // flagged
	}{
		{"name", `"TARANG"`, ``, ""},
		{"ie_code", `"0399001234"`, ``, ""},
		{"ie_code", `null`, ``, ""},
		{"pan", `"AACCL7702D"`, ``, ""}, // another holder's, which is a flag of its own
		{"name", `"TARANG"`, `,"iec_code":"aaxct4821k"`, ""},
		{"ie_code", `399001234`, ``, `["ie_code"]`}, // the zero before it is lost
		{"ie_code", `3.99001234E8`, ``, `["ie_code"]`},
		{"ie_code", `""`, ``, `["ie_code"]`},
		{"ie_code", `" "`, ``, `["ie_code"]`},
		{"ie_code", `"AAxxxxxxxx"`, ``, `["ie_code"]`},
		{"ie_code", `["AAXCT4821K"]`, ``, `["ie_code"]`},
		{"name", `"TARANG"`, `,"iec_code":"0399001234"`, `["iec_code","ie_code"]`},
		{"name", `"TARANG"`, `,"iec_code":"?"`, `["iec_code"]`},
		{"pan", `"AAXCT4821"`, ``, `["pan"]`},
		{"pan", `"null"`, ``, `["pan"]`},
		{"pan", `""`, ``, `["pan"]`},
		{"name", `"null"`, ``, `["name"]`},
		{"name", `"????"`, ``, `["name"]`},
		{"name", `""`, ``, `["name"]`},
	} {
		for status, state := range map[string]string{"Valid": "valid", "Suspended": "suspended"} {
			text := replace(test.name, test.value)(fmt.Sprintf(whole, status, test.more))
			c := ezto.Config{BaseURL: newPartner(t, 200, text).URL}
			got := call(t, ezto.GetResult(c), form("app_id", "poll", "auth_req_id", "h"))
			want, flagged := state, ""
			if test.want != "" {
				want, flagged = "implausible", `"implausible":`+test.want
			}
			outcome, err := ezto.IECVerification().Outcome(got.Reply, nil, nil)
			if read := ezto.GetResult(c).Output(got.Reply)["state"]; read != want || err != nil ||
				strings.Contains(string(outcome), "implausible") != (flagged != "") || !strings.Contains(string(outcome), flagged) {
				t.Errorf("%s: %v, want %s; %s, %v", text, read, want, outcome, err)
			}
		}
	}
}

// TestRandomMembersReachThePartner: whatever stands in a request goes on as it came.
func TestRandomMembersReachThePartner(t *testing.T) {
	random, p := rand.New(rand.NewPCG(15, 2)), newPartner(t, 200, begun)
	op := ezto.TriggerRequest(ezto.Config{BaseURL: p.URL})
	for _, text := range []string{
		`{"user":{"user_id":7,"metadata":{"force_onboarding":"yes"}}}`, `{"user":"u-7731","message":[]}`, `[]`,
	} {
		if call(t, op, form("app_id", "poll", "request", text)); p.form.Get("request") != text {
			t.Errorf("sent %s, want %s", p.form.Get("request"), text)
		}
	}
	for range 100 {
		text := schematest.WithMembers(random, request)
		if call(t, op, form("app_id", "poll", "request", text)); p.form.Get("request") != text || len(p.form) != 1 {
			t.Errorf("sent %v, want %s", p.form, text)
		}
	}
}

// TestRandomFieldsOfAQuestionReachThePartner: so does what stands beside a handle, in a form and in JSON.
func TestRandomFieldsOfAQuestionReachThePartner(t *testing.T) {
	p := newPartner(t, 200, result)
	op := ezto.GetResult(ezto.Config{BaseURL: p.URL})
	asForm := form("app_id", "poll", "app_secret", "key", "auth_req_id", "h", "channel", "desk", "", " x&y=é")
	asJSON := form()
	asJSON.Body = []byte(`{"app_id":"poll","auth_req_id":"h","channel":"desk","":" x&y=é","n":7,"more":{"a":[1, null]}}`)
	for _, req := range []gateway.Request{asForm, asJSON} {
		call(t, op, req)
		if p.form.Get("auth_req_id") != "h" || p.form.Get("channel") != "desk" || p.form.Has("app_id") ||
			p.form.Has("app_secret") {
			t.Errorf("%s: sent %v", req.Body, p.form)
		}
	}
	if p.form.Get("n") != "7" || p.form.Get("more") != `{"a":[1, null]}` {
		t.Errorf("sent %v", p.form)
	}
}
