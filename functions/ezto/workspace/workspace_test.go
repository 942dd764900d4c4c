package workspace_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"sallyport/functions/ezto/workspace"
	"sallyport/shared/gateway"
)

// refuseBad stands for who knows what rules mean.
func refuseBad(rule string) error {
	if strings.Contains(rule, "bad") {
		return errors.New("line 1, column 2: is bad")
	}
	return nil
}

func TestDecodeWorkflow(t *testing.T) {
	all := []string{"iec_code", "iec_verified", "iec_verified_at", "name", "iec_status", "pan"}
	module := func(change func(*workspace.Module)) workspace.Workflow {
		m := workspace.Module{Type: "iec_verification", Enabled: true, Claims: all}
		change(&m)
		return workspace.Workflow{Name: "iec", Modules: []workspace.Module{m}}
	}
	for name, test := range map[string]struct {
		body string
		want workspace.Workflow
	}{
		"Defaults": {`{"modules":[{"type":"iec_verification"}]}`, module(func(*workspace.Module) {})},
		"Nulls": {
			`{"display_name":null,"modules":[{"type":"iec_verification","enabled":null,"rule":null,"claims":null}]}`,
			module(func(*workspace.Module) {}),
		},
		"Enabled": {`{"modules":[{"type":"iec_verification","enabled":true}]}`, module(func(*workspace.Module) {})},
		"Disabled": {
			`{"modules":[{"type":"iec_verification","enabled":false}]}`, module(func(m *workspace.Module) { m.Enabled = false }),
		},
		"Rule": {
			`{"modules":[{"type":"iec_verification","rule":" country == 'IN'\n"}]}`,
			module(func(m *workspace.Module) { m.Rule = " country == 'IN'\n" }),
		},
		"EmptyRule": {`{"modules":[{"type":"iec_verification","rule":" \n"}]}`, module(func(*workspace.Module) {})},
		"OneClaim": {
			`{"modules":[{"type":"iec_verification","claims":["pan"]}]}`,
			module(func(m *workspace.Module) { m.Claims = []string{"pan"} }),
		},
		"ClaimsInOrder": {
			`{"modules":[{"type":"iec_verification","claims":["pan","name","iec_code"]}]}`,
			module(func(m *workspace.Module) { m.Claims = []string{"iec_code", "name", "pan"} }),
		},
		"NoClaims": {
			`{"modules":[{"type":"iec_verification","claims":[]}]}`, module(func(m *workspace.Module) { m.Claims = []string{} }),
		},
		"NamedModule": {
			`{"modules":[{"type":"iec_verification","display_name":"IEC","description":"d"}]}`,
			module(func(m *workspace.Module) { m.DisplayName, m.Description = "IEC", "d" }),
		},
		"LongestRealName": {
			`{"modules":[{"type":"iec_verification","display_name":"` + strings.Repeat("é", 100) + `"}]}`,
			module(func(m *workspace.Module) { m.DisplayName = strings.Repeat("é", 100) }),
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := workspace.DecodeWorkflow("iec", []byte(test.body), refuseBad)
			if err != nil || !reflect.DeepEqual(got, test.want) {
				t.Fatalf("\n got %+v, %v\nwant %+v", got, err, test.want)
			}
		})
	}
	got, err := workspace.DecodeWorkflow(
		"iec", []byte(`{"display_name":"A","description":"B","modules":[{"type":"iec_verification"}]}`), refuseBad,
	)
	if err != nil || got.DisplayName != "A" || got.Description != "B" {
		t.Fatalf("got %+v, %v", got, err)
	}
}

func TestDecodeWorkflowErrors(t *testing.T) {
	for name, test := range map[string]struct{ body, want string }{
		"Empty":       {``, `body is empty`},
		"NotJSON":     {`{"modules":[`, `/modules: is not valid JSON`},
		"NotAnObject": {`[]`, `must be an object`},
		"UnknownName": {
			`{"modules":[{"type":"iec_verification","skip":true}]}`,
			`/modules/0/skip: is not a known name (names are matched exactly)`,
		},
		"OtherCase":    {`{"Modules":[]}`, `/Modules: is not a known name (names are matched exactly)`},
		"TwiceTheName": {`{"modules":[],"modules":[]}`, `/modules: stands twice`},
		"Version": {
			`{"modules":[{"type":"iec_verification"}],"version":1}`, `/version: is not a known name (names are matched exactly)`,
		},
		"NoModules":    {`{}`, `/modules: must hold exactly one module, of type iec_verification`},
		"EmptyModules": {`{"modules":[]}`, `/modules: must hold exactly one module, of type iec_verification`},
		"TwoModules": {
			`{"modules":[{"type":"iec_verification"},{"type":"iec_verification"}]}`,
			`/modules: must hold exactly one module, of type iec_verification`,
		},
		"NullModule": {`{"modules":[null]}`, `/modules/0/type: must be iec_verification`},
		"OtherType":  {`{"modules":[{"type":"PRIVATE"}]}`, `/modules/0/type: must be iec_verification`},
		"EnabledAsText": {
			`{"modules":[{"type":"iec_verification","enabled":"true"}]}`, `/modules/0/enabled: must be true or false`,
		},
		"RuleAsObject": {`{"modules":[{"type":"iec_verification","rule":{}}]}`, `/modules/0/rule: must be a string`},
		"BadRule": {
			`{"modules":[{"type":"iec_verification","rule":"bad"}]}`, `/modules/0/rule: line 1, column 2: is bad`,
		},
		"BadRuleDisabled": {
			`{"modules":[{"type":"iec_verification","enabled":false,"rule":"bad"}]}`,
			`/modules/0/rule: line 1, column 2: is bad`,
		},
		"OtherClaim": {
			`{"modules":[{"type":"iec_verification","claims":["pan","address"]}]}`,
			`/modules/0/claims/1: must be one of iec_code, iec_verified, iec_verified_at, name, iec_status, pan`,
		},
		"WireNameOfAClaim": {
			`{"modules":[{"type":"iec_verification","claims":["ie_code"]}]}`,
			`/modules/0/claims/0: must be one of iec_code, iec_verified, iec_verified_at, name, iec_status, pan`,
		},
		"TwiceAClaim": {
			`{"modules":[{"type":"iec_verification","claims":["pan","name","pan"]}]}`, `/modules/0/claims/2: stands twice`,
		},
		"ClaimsAsText": {
			`{"modules":[{"type":"iec_verification","claims":"pan"}]}`, `/modules/0/claims: must be an array`,
		},
		"LongDisplayName": {
			`{"display_name":"` + strings.Repeat("é", 101) + `","modules":[]}`, `/display_name: has over 100 characters`,
		},
		"LongDescription": {
			`{"modules":[{"type":"iec_verification","description":"` + strings.Repeat("x", 1001) + `"}]}`,
			`/modules/0/description: has over 1000 characters`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := workspace.DecodeWorkflow("iec", []byte(test.body), refuseBad)
			wantInputError(t, err, test.want)
		})
	}
}

func TestDecodeApplication(t *testing.T) {
	onboarding := "welcome"
	for name, test := range map[string]struct {
		body string
		want workspace.Application
	}{
		"Defaults": {`{"verification_workflow":"iec"}`,
			workspace.Application{
				Name: "shop", Verification: "iec", Way: "browser", Notification: "poll", Response: "plaintext",
			}},
		"Nulls": {`{"verification_workflow":"iec","onboarding_workflow":null,"verification_way":null,"notification_way":null,"response_type":null}`,
			workspace.Application{
				Name: "shop", Verification: "iec", Way: "browser", Notification: "poll", Response: "plaintext",
			}},
		"Everything": {`{"verification_workflow":"iec","onboarding_workflow":"welcome","verification_way":"mobile","notification_way":"push","response_type":"encrypted"}`,
			workspace.Application{
				Name: "shop", Verification: "iec", Onboarding: &onboarding, Way: "mobile", Notification: "push",
				Response: "encrypted",
			}},
		"Others": {`{"verification_workflow":"iec","verification_way":"api","notification_way":"ping","response_type":"token"}`,
			workspace.Application{Name: "shop", Verification: "iec", Way: "api", Notification: "ping", Response: "token"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := workspace.DecodeApplication("shop", []byte(test.body))
			if err != nil || !reflect.DeepEqual(got, test.want) {
				t.Fatalf("\n got %+v, %v\nwant %+v", got, err, test.want)
			}
		})
	}
	for name, test := range map[string]struct{ body, want string }{
		"Empty":      {``, `body is empty`},
		"NoWorkflow": {`{}`, `/verification_workflow: must be the name of a workflow`},
		"BadWorkflow": {
			`{"verification_workflow":"mark@gmail.com"}`, `/verification_workflow: must be the name of a workflow`,
		},
		"BadOnboarding": {
			`{"verification_workflow":"iec","onboarding_workflow":""}`,
			`/onboarding_workflow: must be the name of a workflow, or null`,
		},
		"OtherWay": {
			`{"verification_workflow":"iec","verification_way":"Browser"}`,
			`/verification_way: must be one of browser, web, mobile, desktop, api`,
		},
		"OtherHook": {
			`{"verification_workflow":"iec","notification_way":"sms"}`,
			`/notification_way: must be one of poll, ping, push, queue, mobile_sdk, desktop_app, web_sdk`,
		},
		"OtherResponse": {
			`{"verification_workflow":"iec","response_type":""}`, `/response_type: must be one of plaintext, token, encrypted`,
		},
		"WayAsNumber": {`{"verification_workflow":"iec","verification_way":1}`, `/verification_way: must be a string`},
		"ForcedInConfig": {
			`{"verification_workflow":"iec","force_onboarding":true}`,
			`/force_onboarding: is not a known name (names are matched exactly)`,
		},
	} {
		t.Run("Err"+name, func(t *testing.T) {
			_, err := workspace.DecodeApplication("shop", []byte(test.body))
			wantInputError(t, err, test.want)
		})
	}
}

func TestNames(t *testing.T) {
	for name, want := range map[string]bool{
		"a": true, "IEC-2_x": true, "-": true, "0": true, strings.Repeat("x", 64): true,
		"": false, strings.Repeat("x", 65): false, "a b": false, "a/b": false, "a#b": false, "a.b": false, "é": false,
		"a\x00": false, "a\n": false, "*": false,
	} {
		if got := workspace.ValidName(name); got != want {
			t.Errorf("%q: got %v", name, got)
		}
		_, errW := workspace.DecodeWorkflow(name, []byte(`{"modules":[{"type":"iec_verification"}]}`), refuseBad)
		_, errA := workspace.DecodeApplication(name, []byte(`{"verification_workflow":"iec"}`))
		if (errW == nil) != want || (errA == nil) != want {
			t.Errorf("%q: got %v, %v", name, errW, errA)
		}
		if !want {
			wantInputError(t, errW, "name: must be 1 to 64 letters, digits, - and _")
			wantInputError(t, errA, "name: must be 1 to 64 letters, digits, - and _")
		}
	}
}

func TestStored(t *testing.T) {
	for _, document := range []string{``, `[]`, `{}`, `{"modules":[]}`, `{"modules":[{"type":"another"}]}`} {
		if _, _, err := workspace.StoredWorkflow([]byte(document)); err == nil {
			t.Errorf("%s is taken for a workflow", document)
		}
	}
	if _, err := workspace.StoredApplication([]byte(`[]`)); err == nil {
		t.Error("a list is taken for an application")
	}
}

func wantInputError(t *testing.T, err error, want string) {
	t.Helper()
	var e *gateway.InputError
	if !errors.As(err, &e) || e.Error() != want {
		t.Fatalf("\n got %v\nwant %s", err, want)
	}
}

// FuzzDecodeWorkflow checks that whatever is taken is complete, and reads the same once it is stored.
func FuzzDecodeWorkflow(f *testing.F) {
	for _, seed := range []string{
		`{"modules":[{"type":"iec_verification","enabled":true,"rule":"country == 'IN'","claims":["iec_code","iec_verified"]}]}`,
		`{"modules":[{"type":"iec_verification","claims":[]}],"display_name":"x","description":null}`, `{"modules":[null]}`,
		`{}`, `[]`, ``, `{"modules":[{"type":"PRIVATE42"}]}`,
	} {
		f.Add("iec", []byte(seed))
	}
	f.Fuzz(func(t *testing.T, name string, body []byte) {
		w, err := workspace.DecodeWorkflow(name, body, refuseBad)
		if err != nil {
			var e *gateway.InputError
			if !errors.As(err, &e) || strings.Contains(err.Error(), "PRIVATE42") {
				t.Fatalf("%v", err)
			}
			return
		}
		m := w.Modules[0]
		inOrder := slices.DeleteFunc(workspace.Claims(), func(c string) bool { return !slices.Contains(m.Claims, c) })
		if w.Name != name || len(w.Modules) != 1 || m.Type != workspace.IECVerification || !slices.Equal(m.Claims, inOrder) ||
			m.Claims == nil || strings.Contains(m.Rule, "bad") {
			t.Fatalf("%+v", w)
		}
		document, err := json.Marshal(w)
		if err != nil {
			t.Fatal(err)
		}
		stored, module, err := workspace.StoredWorkflow(document)
		if err != nil || !reflect.DeepEqual(stored, w) || !reflect.DeepEqual(module, m) {
			t.Fatalf("%v\n got %+v\nwant %+v", err, stored, w)
		}
	})
}
