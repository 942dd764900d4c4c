package applications_test

import (
	"encoding/json"
	"errors"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"sallyport/functions/applications"
	"sallyport/shared/bolt"
	"sallyport/shared/gateway"
	"sallyport/shared/ledger"
	ledgerbolt "sallyport/shared/ledger/bolt"
)

func TestApplications(t *testing.T) {
	db, err := bolt.Open(filepath.Join(t.TempDir(), "ledger.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	l, err := ledgerbolt.New(db)
	if err != nil {
		t.Fatal(err)
	}
	for key, c := range map[string]ledger.Caller{
		"acme":   {Tenant: "acme", Scopes: []string{"workspace"}},
		"globex": {Tenant: "globex", Scopes: []string{"workspace"}},
		"other":  {Tenant: "acme", Scopes: []string{"transactions"}},
	} {
		c.KeyHash = gateway.HashKey(key)
		if err := l.PutCaller(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"iec", "welcome"} {
		if _, err := l.PutSetting(
			t.Context(), ledger.Setting{Tenant: "acme", Kind: ledger.WorkflowSetting, Name: name, Document: []byte(`{}`)}, 0,
		); err != nil {
			t.Fatal(err)
		}
	}
	now := func() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }
	auth, log := gateway.NewAuthenticator(l, now), slog.New(slog.DiscardHandler)
	put, get := applications.Put(l, auth, log, now), applications.Get(l, auth, log)

	const (
		defaults = `"verification_way":"browser","notification_way":"poll","response_type":"plaintext"`
		first    = `{"name":"shop","verification_workflow":"iec","onboarding_workflow":null,` + defaults + `,"version":1,"updated_at":"2026-03-01T12:00:00Z"}`
		second   = `{"name":"shop","verification_workflow":"iec","onboarding_workflow":"welcome","verification_way":"mobile","notification_way":"push","response_type":"token","version":2,"updated_at":"2026-03-01T12:00:00Z"}`
		absent   = `{"status":404,"title":"Not Found","code":"not_found"}`
		stale    = `{"status":412,"title":"Precondition Failed","code":"precondition_failed","detail":"what is there has another version than the request names"}`
	)
	noWorkflow := func(which string) string {
		return `{"status":422,"title":"Unprocessable Entity","code":"no_such_workflow","detail":"` + which + `: no workflow has this name"}`
	}
	invalid := func(detail string) string {
		return `{"status":400,"title":"Bad Request","code":"invalid_request","detail":"` + detail + `"}`
	}
	for _, step := range []struct {
		what   string
		h      lambda.Handler
		key    string
		name   string
		body   string
		match  string
		status int
		tag    string
		want   string
	}{
		{"GetAbsent", get, "acme", "shop", ``, ``, 404, ``, absent},
		{
			"NoWorkflow", put, "acme", "shop", `{"verification_workflow":"gone"}`, ``, 422, ``,
			noWorkflow("/verification_workflow"),
		},
		{
			"NoOnboarding", put, "acme", "shop", `{"verification_workflow":"iec","onboarding_workflow":"gone"}`, ``, 422, ``,
			noWorkflow("/onboarding_workflow"),
		},
		{
			"Neither", put, "acme", "shop", `{"verification_workflow":"gone","onboarding_workflow":"gone"}`, ``, 422, ``,
			noWorkflow("/onboarding_workflow, /verification_workflow"),
		},
		{
			"WorkflowOfAnother", put, "globex", "shop", `{"verification_workflow":"iec"}`, ``, 422, ``,
			noWorkflow("/verification_workflow"),
		},
		{
			"BadName", put, "acme", "a b", `{"verification_workflow":"iec"}`, ``, 400, ``,
			invalid("name: must be 1 to 64 letters, digits, - and _"),
		},
		{
			"BadWay", put, "acme", "shop", `{"verification_workflow":"iec","verification_way":"post"}`, ``, 400, ``,
			invalid("/verification_way: must be one of browser, web, mobile, desktop, api"),
		},
		{"NothingToMatch", put, "acme", "shop", `{"verification_workflow":"iec"}`, `"1"`, 412, ``, stale},
		{"GetStillAbsent", get, "acme", "shop", ``, ``, 404, ``, absent},
		{"Put", put, "acme", "shop", `{"verification_workflow":"iec"}`, ``, 201, `"1"`, first},
		{"Get", get, "acme", "shop", ``, ``, 200, `"1"`, first},
		{"GetOfAnother", get, "globex", "shop", ``, ``, 404, ``, absent},
		{"Stale", put, "acme", "shop", `{"verification_workflow":"iec","response_type":"token"}`, `"2"`, 412, ``, stale},
		{
			"Change", put, "acme", "shop",
			`{"verification_workflow":"iec","onboarding_workflow":"welcome","verification_way":"mobile","notification_way":"push","response_type":"token"}`,
			`"1"`, 200, `"2"`, second,
		},
		{"GetChanged", get, "acme", "shop", ``, ``, 200, `"2"`, second},
		{
			"Forbidden", put, "other", "shop", `{"verification_workflow":"iec"}`, ``, 403, ``,
			`{"status":403,"title":"Forbidden","code":"forbidden","detail":"this key may not use workspace"}`,
		},
	} {
		t.Run(step.what, func(t *testing.T) {
			headers := map[string]string{"x-api-key": step.key}
			if step.match != "" {
				headers["if-match"] = step.match
			}
			payload, err := json.Marshal(
				events.APIGatewayV2HTTPRequest{
					Headers: headers, PathParameters: map[string]string{"name": step.name}, Body: step.body,
				},
			)
			if err != nil {
				t.Fatal(err)
			}
			out, err := step.h.Invoke(t.Context(), payload)
			if err != nil {
				t.Fatal(err)
			}
			var res events.APIGatewayV2HTTPResponse
			if err := json.Unmarshal(out, &res); err != nil {
				t.Fatal(err)
			}
			if res.StatusCode != step.status || res.Headers["ETag"] != step.tag || res.Body != step.want {
				t.Fatalf(
					"\n got %d %s %s\nwant %d %s %s", res.StatusCode, res.Headers["ETag"], res.Body, step.status, step.tag, step.want,
				)
			}
		})
	}
	if _, err := l.Setting(t.Context(), "globex", ledger.ApplicationSetting, "shop"); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("something was stored for another tenant: %v", err)
	}
}
