package workflows_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"sallyport/functions/ezto/rule"
	"sallyport/functions/ezto/workspace"
	"sallyport/functions/workflows"
	"sallyport/shared/bolt"
	"sallyport/shared/ledger"
	"sallyport/shared/operation/task"
	"sallyport/shared/seal"
	"sallyport/shared/vault"
	vaultbolt "sallyport/shared/vault/bolt"
)

// evaluator makes the step over w's ledger and a vault of its own, in which every tenant's documents are put by put.
func evaluator(w *world) (e workflows.Evaluator, put func(tenant, id, document string)) {
	w.Helper()
	db, err := bolt.Open(filepath.Join(w.TempDir(), "vault.db"))
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { db.Close() })
	blobs, err := vaultbolt.New(db)
	if err != nil {
		w.Fatal(err)
	}
	ring, err := seal.NewRing(seal.GenerateKeys())
	if err != nil {
		w.Fatal(err)
	}
	v := &vault.Vault{Blobs: blobs, Ring: func(context.Context) (*seal.Ring, error) { return ring, nil }}
	put = func(tenant, id, document string) {
		w.Helper()
		if err := v.Put(w.Context(), tenant, id, []byte(document), time.Now().Add(time.Hour)); err != nil {
			w.Fatal(err)
		}
	}
	return workflows.Evaluator{Store: w.ledger, Vault: v, Decide: rule.Decide, Log: slog.New(slog.DiscardHandler)}, put
}

// mustStore stores what a workflow's module is, and the application "shop", attached to it.
func (w *world) mustStore(tenant, module string, application string) {
	w.Helper()
	workflow, err := workspace.DecodeWorkflow("iec", []byte(`{"modules":[`+module+`]}`), rule.Check)
	if err != nil {
		w.Fatal(err)
	}
	app, err := workspace.DecodeApplication("shop", []byte(application))
	if err != nil {
		w.Fatal(err)
	}
	for kind, setting := range map[string]any{ledger.WorkflowSetting: workflow, ledger.ApplicationSetting: app} {
		document, err := json.Marshal(setting)
		if err != nil {
			w.Fatal(err)
		}
		name := map[string]string{ledger.WorkflowSetting: "iec", ledger.ApplicationSetting: "shop"}[kind]
		if _, err := w.ledger.PutSetting(
			w.Context(), ledger.Setting{Tenant: tenant, Kind: kind, Name: name, Document: document, UpdatedAt: epoch},
			ledger.AnyVersion,
		); err != nil {
			w.Fatal(err)
		}
	}
}

const plain = `{"verification_workflow":"iec"}`

// TestEvaluate tries every combination of enabled, rule and claims.
func TestEvaluate(t *testing.T) {
	w := newWorld(t)
	e, _ := evaluator(w)
	for _, enabled := range []struct {
		member string
		on     bool
	}{{``, true}, {`,"enabled":true`, true}, {`,"enabled":false`, false}} {
		for _, rule := range []struct {
			member string
			runs   bool
		}{
			{``, true}, {`,"rule":""`, true}, {`,"rule":"country == 'IN'"`, true}, {`,"rule":"country == 'AE'"`, false},
			{`,"rule":"metadata.absent == 1"`, false},
		} {
			for _, claims := range []struct{ member, want string }{
				{``, `["iec_code","iec_verified","iec_verified_at","name","iec_status","pan"]`},
				{`,"claims":[]`, `[]`},
				{`,"claims":["pan","iec_code"]`, `["iec_code","pan"]`},
			} {
				module := `{"type":"iec_verification"` + enabled.member + rule.member + claims.member + `}`
				t.Run(module, func(t *testing.T) {
					w.mustStore("acme", module, plain)
					run, reason := enabled.on && rule.runs, ""
					switch {
					case !enabled.on:
						reason = "disabled"
					case strings.Contains(rule.member, "absent"):
						_, err := e.Invoke(t.Context(), []byte(`{"tenant":"acme","application":"shop","facts":{"country":"IN"}}`))
						if err != task.InvalidInput("rule_failed") {
							t.Fatalf("got %v", err)
						}
						return
					case !rule.runs:
						reason = "rule_false"
					}
					want := fmt.Sprintf(`{"run":%v,"reason":"%s","claims":%s,"notification_way":"poll","verification_way":"browser","shows":["url","link"]}`, run, reason, claims.want)
					out, err := e.Invoke(t.Context(), []byte(`{"tenant":"acme","application":"shop","facts":{"country":"IN"}}`))
					if err != nil || string(out) != want {
						t.Fatalf("\n got %s, %v\nwant %s", out, err, want)
					}
				})
			}
		}
	}
}

func TestEvaluateNotificationWay(t *testing.T) {
	w := newWorld(t)
	e, _ := evaluator(w)
	for _, way := range []string{"poll", "ping", "push"} {
		w.mustStore(
			"acme", `{"type":"iec_verification","claims":[]}`, `{"verification_workflow":"iec","notification_way":"`+way+`"}`,
		)
		out, err := e.Invoke(t.Context(), []byte(`{"tenant":"acme","application":"shop"}`))
		if want := `{"run":true,"reason":"","claims":[],"notification_way":"` + way + `","verification_way":"browser","shows":["url","link"]}`; err != nil ||
			string(out) != want {
			t.Errorf("got %s, %v\nwant %s", out, err, want)
		}
	}
}

// TestEvaluateFacts shows what a rule is told.
func TestEvaluateFacts(t *testing.T) {
	w := newWorld(t)
	e, put := evaluator(w)
	w.mustStore("acme", `{"type":"iec_verification","rule":"true"}`, plain)
	put("acme", "user", `"mark@gmail.com"`)
	put("acme", "metadata", `{"tier":"gold","inner":{"document_id":"inner"}}`)
	put("acme", "inner", `[1, {"a": null}]`)
	var told workspace.Facts
	e.Decide = func(_ context.Context, _ string, facts workspace.Facts) (bool, error) {
		told = facts
		return true, nil
	}
	for input, want := range map[string]workspace.Facts{
		`{"tenant":"acme","application":"shop"}`: {},
		`{"tenant":"acme","application":"shop","facts":{"user_id":"u-1","metadata":{"n":18,"f":1.5,"account":123456789012345678,"minus":-9007199254740993,"edge":9007199254740992,"l":[1,true,null,"x"]},"country":"IN","device":"mobile","claims":{"iec_verified_at":1719569072},"force_onboarding":true}}`: {
			UserID: "u-1", Country: "IN", Device: "mobile", ForceOnboarding: true,
			Claims: map[string]any{"iec_verified_at": 1719569072.0},
			Metadata: map[string]any{
				"n": 18.0, "f": 1.5, "account": int64(123456789012345678), "minus": int64(-9007199254740993),
				"edge": 9007199254740992.0, "l": []any{1.0, true, nil, "x"},
			},
		},
		`{"tenant":"acme","application":"shop","facts":{"user_id":{"document_id":"user"},"metadata":{"document_id":"metadata"},"claims":{"x":{"document_id":"inner"}}}}`: {
			UserID: "mark@gmail.com", Metadata: map[string]any{"tier": "gold", "inner": []any{1.0, map[string]any{"a": nil}}},
			Claims: map[string]any{"x": []any{1.0, map[string]any{"a": nil}}},
		},
	} {
		if _, err := e.Invoke(t.Context(), []byte(input)); err != nil {
			t.Fatalf("%s: %v", input, err)
		}
		if !reflect.DeepEqual(told, want) {
			t.Errorf("%s:\n got %#v\nwant %#v", input, told, want)
		}
	}
}

func TestEvaluateErrors(t *testing.T) {
	w := newWorld(t)
	e, put := evaluator(w)
	w.mustStore("acme", `{"type":"iec_verification","rule":"metadata.tier == 'gold' && int(user_id) > 1"}`, plain)
	put("acme", "user", `"mark@gmail.com"`)
	put("acme", "text", `not json`)
	put("acme", "large", `"`+strings.Repeat("x", 64<<10)+`"`)
	orphan := ledger.Setting{
		Tenant: "acme", Kind: ledger.ApplicationSetting, Name: "orphan", Document: []byte(`{"verification_workflow":"gone"}`),
	}
	broken := ledger.Setting{Tenant: "acme", Kind: ledger.ApplicationSetting, Name: "broken", Document: []byte(`[]`)}
	for _, s := range []ledger.Setting{orphan, broken} {
		if _, err := w.ledger.PutSetting(t.Context(), s, 0); err != nil {
			t.Fatal(err)
		}
	}
	for name, test := range map[string]struct {
		input string
		want  error
	}{
		"NotJSON":  {`{`, task.InvalidInput("task_without_identity")},
		"NoTenant": {`{"application":"shop"}`, task.InvalidInput("task_without_identity")},
		"UnknownName": {
			`{"tenant":"acme","application":"shop","ip":"1.2.3.4"}`, task.InvalidInput("invalid_request"),
		},
		"UserAsNumber": {
			`{"tenant":"acme","application":"shop","facts":{"user_id":5}}`, task.InvalidInput("invalid_request"),
		},
		"MetadataAsList": {
			`{"tenant":"acme","application":"shop","facts":{"metadata":[]}}`, task.InvalidInput("invalid_request"),
		},
		"NumberTooLarge": {
			`{"tenant":"acme","application":"shop","facts":{"metadata":{"n":1e999}}}`, task.InvalidInput("invalid_request"),
		},
		"DocumentIsNoText": {
			`{"tenant":"acme","application":"shop","facts":{"metadata":{"document_id":"user"}}}`,
			task.InvalidInput("invalid_request"),
		},
		"NoApplication":     {`{"tenant":"acme"}`, task.InvalidInput("no_such_application")},
		"OtherApplication":  {`{"tenant":"acme","application":"other"}`, task.InvalidInput("no_such_application")},
		"BadApplication":    {`{"tenant":"acme","application":"a#b"}`, task.InvalidInput("no_such_application")},
		"OtherTenant":       {`{"tenant":"globex","application":"shop"}`, task.InvalidInput("no_such_application")},
		"NoWorkflow":        {`{"tenant":"acme","application":"orphan"}`, task.InvalidInput("no_such_workflow")},
		"BrokenApplication": {`{"tenant":"acme","application":"broken"}`, task.InvalidInput("application_unreadable")},
		"NoDocument": {
			`{"tenant":"acme","application":"shop","facts":{"user_id":{"document_id":"gone"}}}`,
			task.InvalidInput("document_not_found"),
		},
		"DocumentOfAnother": {
			`{"tenant":"globex","application":"shop","facts":{"user_id":{"document_id":"user"}}}`,
			task.InvalidInput("document_not_found"),
		},
		"DocumentIsNoJSON": {
			`{"tenant":"acme","application":"shop","facts":{"user_id":{"document_id":"text"}}}`,
			task.InvalidInput("document_not_json"),
		},
		"DocumentIsTooLarge": {
			`{"tenant":"acme","application":"shop","facts":{"user_id":{"document_id":"large"}}}`, task.InvalidInput("too_large"),
		},
		"TooManyDocuments": {
			`{"tenant":"acme","application":"shop","facts":{"metadata":{"l":[` +
				strings.Repeat(`{"document_id":"user"},`, 300) + `1]}}}`, task.InvalidInput("too_many_documents"),
		},
		"RuleMissesAKey": {`{"tenant":"acme","application":"shop"}`, task.InvalidInput("rule_failed")},
		"RuleCannotConvert": {
			`{"tenant":"acme","application":"shop","facts":{"user_id":{"document_id":"user"},"metadata":{"tier":"gold"}}}`,
			task.InvalidInput("rule_failed"),
		},
		"MoreFactsThanAreSeen": {
			`{"tenant":"acme","application":"shop","facts":{"metadata":{"tier":"gold","l":[` + strings.Repeat("0,", rule.MaxValues) + `0]}}}`,
			task.InvalidInput("rule_failed"),
		},
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			e := e
			e.Log = slog.New(slog.NewTextHandler(&log, nil))
			out, err := e.Invoke(t.Context(), []byte(test.input))
			if err != test.want || out != nil {
				t.Fatalf("got %s, %#v; want %#v", out, err, test.want)
			}
			if failed := err == task.InvalidInput("rule_failed"); strings.Contains(log.String(), "gmail") ||
				strings.Contains(log.String(), "column") && !failed || failed && !strings.Contains(log.String(), "rule failed") {
				t.Errorf("logged %s", &log)
			}
		})
	}

	good := []byte(`{"tenant":"acme","application":"shop","facts":{"user_id":"5","metadata":{"tier":"gold"}}}`)
	if out, err := e.Invoke(t.Context(), good); err != nil || !strings.HasPrefix(string(out), `{"run":true,`) {
		t.Fatalf("got %s, %v", out, err)
	}
	down := e
	down.Store = failing{}
	if _, err := down.Invoke(t.Context(), good); err != task.Unavailable("ledger_unavailable") {
		t.Errorf("ledger down: %v", err)
	}
	down = e
	down.Vault = &vault.Vault{Ring: func(context.Context) (*seal.Ring, error) { return nil, errors.New("down") }}
	if _, err := down.Invoke(
		t.Context(), []byte(`{"tenant":"acme","application":"shop","facts":{"user_id":{"document_id":"user"}}}`),
	); err != task.Unavailable("vault_unavailable") {
		t.Errorf("vault down: %v", err)
	}
	down = e
	down.Decide = func(context.Context, string, workspace.Facts) (bool, error) { panic("mark@gmail.com") }
	if _, err := down.Invoke(t.Context(), good); err != task.Unavailable("panic") {
		t.Errorf("panic: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	down.Decide = func(ctx context.Context, _ string, _ workspace.Facts) (bool, error) {
		cancel()
		return false, ctx.Err()
	}
	if _, err := down.Invoke(ctx, good); err != task.Unavailable("out_of_time") {
		t.Errorf("out of time: %v", err)
	}
}
