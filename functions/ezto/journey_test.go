package ezto_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"sallyport/functions/ezto"
	"sallyport/shared/gateway"
	"sallyport/shared/journey"
)

func startIEC(body string) (journey.Fields, error) {
	open := func(_ context.Context, text jsontext.Value, _ int64, _ func(jsontext.Pointer) bool) (jsontext.Value, error) {
		return jsontext.Value(
				strings.NewReplacer(
					`{"document_id":"user"}`, `"u-7731"`, `{"document_id":"metadata"}`, `{"desk":"x"}`,
				).Replace(string(text)),
			),
			nil
	}
	return ezto.IECVerification().Start(
		context.Background(), journey.Start{Body: jsontext.Value(body), Secret: []byte(secret), Open: open},
	)
}

// TestStartOfAnIECVerification: what is personal is sealed, and the partner's request is made of it.
func TestStartOfAnIECVerification(t *testing.T) {
	for name, test := range map[string]struct {
		body, request string
		force         bool
		personal      bool
		held          int
	}{
		"Plain": {
			`{"application":"poll","user_id":"u-7731"}`,
			`{"user":{"metadata":{"force_onboarding":false,"workflow":"verification"},"user_id":"u-7731"}}`, false, true, 0,
		},
		"Mail": {
			`{"application":"poll","user_id":"u@example.com"}`,
			`{"user":{"email":"u@example.com","metadata":{"force_onboarding":false,"workflow":"verification"},"user_id":"u@example.com"}}`,
			false, true, 0,
		},
		"Forced": {
			`{"application":"poll","user_id":"u-7731","force_onboarding":true,"metadata":{"desk":"x","workflow":"mine"},"country":"IN","device":"phone"}`,
			`{"user":{"metadata":{"desk":"x","force_onboarding":true,"workflow":"verification"},"user_id":"u-7731"}}`, true,
			true, 0,
		},
		"Consent": {
			`{"application":"poll","user_id":"u-7731","consent":{"title":"Check","message":{"Purpose":"Vendor KYC"}}}`,
			`{"message":{"consent":{"message":{"Purpose":"Vendor KYC"},"title":"Check","type":"json"}},"user":{"metadata":{"force_onboarding":false,"workflow":"verification"},"user_id":"u-7731"}}`,
			false, true, 0,
		},
		"References": {
			`{"application":"poll","user_id":{"document_id":"user"},"metadata":{"document_id":"metadata"},"country":"IN"}`,
			`{"user":{"metadata":{"desk":"x","force_onboarding":false,"workflow":"verification"},"user_id":"u-7731"}}`, false,
			false, 2,
		},
	} {
		fields, err := startIEC(test.body)
		request, _ := json.Marshal(fields.Sealed["request"])
		var sorted any
		_ = json.Unmarshal(request, &sorted)
		request, _ = json.Marshal(sorted)
		if err != nil || string(request) != test.request || fields.HasPersonalData != test.personal ||
			len(fields.AlsoErase) != test.held || fields.Plain["application"] != "poll" ||
			fields.Sealed["facts"].(map[string]any)["force_onboarding"] != test.force || len(fields.Plain) != 1 {
			t.Errorf("%s: %v %s %+v", name, err, request, fields)
		}
	}
	for body, want := range map[string]string{
		`[]`:                                   "must be",
		`{"user_id":"u"}`:                      "/application",
		`{"application":"x","user_id":"u"}`:    "/application: is not an application of the workspace",
		`{"application":"poll"}`:               "/user_id",
		`{"application":"poll","user_id":" "}`: "/user_id",
		`{"application":"poll","user_id":7}`:   "/user_id",
		`{"application":"poll","user_id":"u","metadata":[]}`:                  "/metadata: must be an object",
		`{"application":"poll","user_id":"u","colour":"x"}`:                   "/colour",
		`{"application":"poll","user_id":"u","consent":"yes"}`:                "/consent: must be an object",
		`{"application":"poll","user_id":"u","consent":{"message":"yes"}}`:    "/consent/message: must be an object",
		`{"application":"poll","user_id":"u","force_onboarding":"yes"}`:       "/force_onboarding",
		`{"application":"poll","user_id":"` + strings.Repeat("u", 257) + `"}`: "/user_id",
	} {
		if _, err := startIEC(body); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", body, err, want)
		}
	}
}

// TestOutcomeOfAnIECVerification: the partner's own members, of the claims that are wanted.
func TestOutcomeOfAnIECVerification(t *testing.T) {
	outcome := ezto.IECVerification().Outcome
	for name, test := range map[string]struct {
		wanted []string
		want   string
	}{
		"All": {
			[]string{"iec_code", "iec_verified", "iec_verified_at", "name", "iec_status", "pan"},
			`{"workflow":"verification","user_id":"u-7731","request_id":"5b0c7a52-90de-4a1f-8f33-2d6e1c90ab47","ie_code":"AAXCT4821K","iec_verified":"true","iec_verified_at":"1767225600","name":"TARANG OVERSEAS PVT LTD","address":"14 Dock Road, Kochi 682003","iec_status":"Valid","pan":"AAXCT4821K"}`,
		},
		"Some": {
			[]string{"iec_status"},
			`{"workflow":"verification","user_id":"u-7731","request_id":"5b0c7a52-90de-4a1f-8f33-2d6e1c90ab47","address":"14 Dock Road, Kochi 682003","iec_status":"Valid"}`,
		},
	} {
		if got, err := outcome(gateway.JSON(200, []byte(result)), nil, test.wanted); err != nil || string(got) != test.want {
			t.Errorf("%s: %s %v", name, got, err)
		}
	}
	other := strings.Replace(result, `"pan":"AAXCT4821K"`, `"pan":"AAXCT0000K",`, 1) // with a comma too many
	if got, err := outcome(gateway.JSON(200, []byte(other)), nil, []string{"iec_code"}); err != nil ||
		!strings.HasSuffix(string(got), `"pan_mismatch":true}`) || strings.Contains(string(got), "0000") {
		t.Errorf("%s %v", got, err)
	}
	for _, text := range []string{`{"error":"authorization_pending"}`, `x`, `{}`} {
		if got, err := outcome(gateway.JSON(400, []byte(text)), nil, nil); err != nil || got != nil {
			t.Errorf("%s: %s %v", text, got, err)
		}
	}
}

// TestSummaries are what a state machine sees.
func TestSummaries(t *testing.T) {
	of := func(status int, body string) string {
		text, _ := json.Marshal(ezto.GetResult(ezto.Config{}).Output(gateway.JSON(status, []byte(body))))
		return string(text)
	}
	for body, want := range map[string]string{
		result: "valid", strings.Replace(result, "Valid", "Suspended", 1): "suspended",
		strings.Replace(result, "Valid", "cancelled", 1):                              "cancelled",
		strings.Replace(result, "Valid", "inactive", 1):                               "deactivated",
		strings.Replace(result, "Valid", "Revoked, see 0399001234", 1):                "other",
		strings.Replace(result, `"iec_verified":"true"`, `"iec_verified":"False"`, 1): "unverified",
		strings.Replace(result, `"iec_verified":"true",`, ``, 1):                      "incomplete",
		`{"workflow":"verification","user_id":"u","request_id":"r"}`:                  "skipped",
		`{"error":"authorization_pending"}`:                                           "pending", `{"error":"slow_down"}`: "pending",
		`{"error":"expired_token"}`: "pending", `{"error":"access_denied"}`: "pending", `{"error":"request_failed"}`: "pending",
		`{"status":"Pending","request_id":"r","user_id":"u"}`: "pending",
		`{"status":"IEC_INPUT","request_id":"r"}`:             "pending", `{"status":"EXPIRED","request_id":"r"}`: "pending",
		`{"status":"waiting for the user","request_id":"r"}`: "pending",
		`{"status":"failed","request_id":"r"}`:               "pending", `{"status":"COMPLETED","request_id":"r"}`: "skipped",
		`{"status":"SKIPPED","request_id":"r"}`:                 "skipped",
		`{"request_id":"r","name":"TARANG","pan":"AAXCT4821K"}`: "incomplete",
		`{"request_id":"r","address":"14 Dock Road"}`:           "incomplete",
		`{"request_id":"r","iec_verified_at":"1767225600"}`:     "incomplete",
		strings.Replace(result, `{`, `{"status":"pending",`, 1): "valid", // there is a result
	} {
		if got := of(200, body); got != `{"state":"`+want+`"}` {
			t.Errorf("%s: %s, want %s", body, got, want)
		}
	}
	for _, body := range []string{
		`{"message":"source down"}`, `{}`, ``, `{"error":"source_unavailable"}`, `{"error":"request_failed"}`, result,
	} {
		if got := of(402, body); got != `{"state":"failed"}` {
			t.Errorf("402 %s: %s", body, got)
		}
	}
	if got := of(403, `{"error":"access_denied"}`); got != `{"state":"denied"}` {
		t.Errorf("denied: %s", got)
	}
	for _, status := range []int{0, 202, 204, 302, 400, 404, 425, 503} {
		if got := of(status, result); got != `{"state":"pending"}` {
			t.Errorf("%d: %s", status, got)
		}
	}
	for body, want := range map[string]string{
		begun:                                 `{"auth_req_id":"hdr..iv.body.tag","back":-5,"grace":15,"left":885,"wait":5}`,
		`{"auth_req_id":"h"}`:                 `{"auth_req_id":"h","back":-5,"grace":15,"left":885,"wait":5}`,
		`{"auth_req_id":"h","expires_in":30}`: `{"auth_req_id":"h","back":-5,"grace":0,"left":30,"wait":5}`,
		`{"auth_req_id":"h","expires_in":3}`:  `{"auth_req_id":"h","back":-5,"grace":0,"left":3,"wait":3}`,
		`{"auth_req_id":"h","expires_in":31}`: `{"auth_req_id":"h","back":-5,"grace":15,"left":16,"wait":5}`,
		`{"auth_req_id":"h","expires_in":"99999999999","interval":"86400"}`: `{"auth_req_id":"h","back":-300,"grace":15,"left":2591985,"wait":300}`,
	} {
		if text, _ := json.Marshal(
			ezto.TriggerRequest(ezto.Config{}).Output(gateway.JSON(200, []byte(body))),
		); string(text) != want {
			t.Errorf("%s: %s", body, text)
		}
	}
}
