package asl_test

import (
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"sallyport/shared/asl/asltest"
)

const (
	replaces  = "it replaces what is in the way"
	waitsNone = "its waits end at once"
	item      = `,"ItemProcessor":{"StartAt":"I","States":{"I":{"Type":"Pass","End":true}}}`
)

// flows are states named S that end, what they get, and what comes of it: JSON, or the name of an error. A task's
// function answers {"p":1}.
var flows = []struct{ state, input, want, oracle string }{
	{`"Type":"Pass"`, `{"a":1}`, `{"a":1}`, ""},
	{`"Type":"Pass","Result":{"r":1}`, `{"a":1}`, `{"r":1}`, ""},
	{`"Type":"Pass","Result":null`, `{"a":1}`, `null`, "it takes a null for no Result"},
	{`"Type":"Pass","Result":1,"ResultPath":"$"`, `{"a":1}`, `1`, "it takes $ for a name"},
	{`"Type":"Pass","Result":1,"ResultPath":null`, `{"a":1}`, `{"a":1}`, ""},
	{`"Type":"Pass","Result":1,"ResultPath":"$.a"`, `{"a":{"b":2}}`, `{"a":1}`, ""},
	{`"Type":"Pass","Result":1,"ResultPath":"$.b.c.d"`, `{"a":2}`, `{"a":2,"b":{"c":{"d":1}}}`, ""},
	{`"Type":"Pass","Result":9,"ResultPath":"$.a.b"`, `{"a":[1]}`, "States.ResultPathMatchFailure", replaces},
	{`"Type":"Pass","Result":9,"ResultPath":"$.a"`, `[1]`, "States.ResultPathMatchFailure", ""},
	{`"Type":"Pass","Result":9,"ResultPath":"$.a"`, `null`, "States.ResultPathMatchFailure", ""},
	{`"Type":"Pass","InputPath":"$.a","ResultPath":"$.b"`, `{"a":{"x":1}}`, `{"a":{"x":1},"b":{"x":1}}`, ""},
	{`"Type":"Pass","InputPath":"$.b"`, `{"a":1}`, "States.Runtime", ""},
	{`"Type":"Pass","InputPath":"$.a.b"`, `{"a":1}`, "States.Runtime", ""},
	{`"Type":"Pass","InputPath":"$.a.b"`, `{"a":[1]}`, "States.Runtime", ""},
	{`"Type":"Pass","InputPath":"$[0]"`, `{"a":1}`, "States.Runtime", ""},
	{`"Type":"Pass","InputPath":"$[1].a"`, `[0,{"a":[2]}]`, `[2]`, ""},
	{`"Type":"Pass","Parameters":{"a.$":"$.b"}`, `{"a":1}`, "States.Runtime", ""},
	{`"Type":"Pass","Parameters":{"a":[{"b":[{"c.$":"$.x"}]},"$.x",null,{}]}`, `{"x":null}`,
		`{"a":[{"b":[{"c":null}]},"$.x",null,{}]}`, ""},
	{`"Type":"Pass","Parameters":{"n.$":"$.n","s.$":"$.s"}`,
		`{"n":12345678901234567890,"s":"\u00e9\ud83d\ude00\u2028\u0000"}`,
		`{"n":12345678901234567890,"s":"é😀\u2028\u0000"}`, ""},
	{invoke, `{"a":1}`, `{"ExecutedVersion":"$LATEST","Payload":{"p":1},"StatusCode":200}`, ""},
	{invoke + `,"OutputPath":"$.Payload.p"`, `{"a":1}`, `1`, ""},
	{invoke + `,"OutputPath":null`, `{"a":1}`, `{}`, ""},
	{invoke + `,"OutputPath":"$.b"`, `{"a":1}`, "States.Runtime", ""},
	{invoke + `,"ResultSelector":{"q.$":"$.Payload.p"},"ResultPath":"$.r","OutputPath":"$.r"`, `{"a":1}`, `{"q":1}`, ""},
	{invoke + `,"ResultSelector":{"q.$":"$.a"}`, `{"a":1}`, "States.Runtime", ""},
	{invoke + `,"ResultPath":"$.r.s"`, `{"r":1}`, "States.ResultPathMatchFailure", replaces},
	{`"Type":"Wait","Seconds":0`, `{"a":{"b":1}}`, `{"a":{"b":1}}`, ""},
	{`"Type":"Wait","SecondsPath":"$.s"`, `{"s":3}`, `{"s":3}`, ""},
	{`"Type":"Wait","SecondsPath":"$.s"`, `{"s":-1}`, "States.Runtime", waitsNone},
	{`"Type":"Wait","SecondsPath":"$.s"`, `{"s":"1"}`, "States.Runtime", waitsNone},
	{`"Type":"Wait","SecondsPath":"$.s"`, `{"s":0.5}`, "States.Runtime", waitsNone},
	{`"Type":"Wait","SecondsPath":"$.t"`, `{"s":"1"}`, "States.Runtime", waitsNone},
	{`"Type":"Map"` + item, `[1,[2],null]`, `[1,[2],null]`, ""},
	{`"Type":"Map","ItemsPath":"$.b"` + item, `{}`, "States.Runtime", ""},
	{`"Type":"Map","ItemSelector":{"a.$":"$.b"},"ItemsPath":"$.a"` + item, `{"a":[1]}`, "States.Runtime", ""},
	{`"Type":"Map","ItemSelector":{"a.$":"$.a[1]","i.$":"$$.Map.Item.Value.v"},"ItemsPath":"$.a"` + item,
		`{"a":[{"v":1},{"v":2}]}`, `[{"a":{"v":2},"i":1},{"a":{"v":2},"i":2}]`, ""},
	{`"Type":"Map","ItemProcessor":{"StartAt":"I","States":{"I":{"Type":"Choice","Choices":[` +
		`{"Variable":"$","NumericEquals":2,"Next":"J"}]},"J":{"Type":"Succeed"}}}`, `[1]`, "States.NoChoiceMatched", ""},
	{`"Type":"Map","ResultPath":"$.r","ItemsPath":"$.a","ItemProcessor":{"StartAt":"I","States":{"I":{"Type":"Succeed"}}}`,
		`{"a":[1,2]}`, `{"a":[1,2],"r":[1,2]}`, ""},
}

func flowScenarios(t testing.TB) []asltest.Scenario {
	t.Helper()
	var all []asltest.Scenario
	for _, f := range flows {
		s := asltest.Scenario{
			Name:       "flow: {" + f.state + "} of " + f.input,
			Definition: jsontext.Value(machine(f.state + `,"End":true`)), Input: jsontext.Value(f.input), Oracle: f.oracle,
			Status: "SUCCEEDED", Output: jsontext.Value(f.want),
		}
		if len(MustParse(t, string(s.Definition)).Functions()) > 0 {
			s.Tasks = map[string][]asltest.Answer{"S": {{Output: jsontext.Value(`{"p":1}`)}}}
		}
		if !s.Output.IsValid() {
			s.Status, s.Output, s.Error = "FAILED", nil, f.want
		}
		all = append(all, s)
	}
	return all
}
