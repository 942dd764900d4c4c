package asl_test

import (
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"sallyport/shared/asl/asltest"
)

// flows are states named S that end, what they get, and what comes of it: JSON, or the name of an error.
var flows = []struct{ state, input, want, oracle string }{
	{`"Type":"Pass"`, `{"a":1}`, `{"a":1}`, ""},
	{`"Type":"Pass","Result":{"r":1}`, `{"a":1}`, `{"r":1}`, ""},
	{`"Type":"Pass","Result":null`, `{"a":1}`, `null`, "it takes a null for no Result"},
	{`"Type":"Pass","Result":1,"ResultPath":"$"`, `{"a":1}`, `1`, "it takes $ for a name"},
	{`"Type":"Pass","Result":1,"ResultPath":null`, `{"a":1}`, `{"a":1}`, ""},
	{`"Type":"Pass","Result":1,"ResultPath":"$.a"`, `{"a":{"b":2}}`, `{"a":1}`, ""},
	{`"Type":"Pass","Result":1,"ResultPath":"$.b.c.d"`, `{"a":2}`, `{"a":2,"b":{"c":{"d":1}}}`, ""},
	{`"Type":"Pass","Result":1,"ResultPath":"$['b c']"`, `{"a":2}`, `{"a":2,"b c":1}`, "it takes the brackets for a part of the name"},
	{`"Type":"Pass","Result":9,"ResultPath":"$.a[1]"`, `{"a":[1,2,3]}`, `{"a":[1,9,3]}`, ""},
	{`"Type":"Pass","Result":9,"ResultPath":"$.a[1].b"`, `{"a":[1,{"c":2},3]}`, `{"a":[1,{"c":2,"b":9},3]}`, ""},
	{`"Type":"Pass","Result":9,"ResultPath":"$.a[3]"`, `{"a":[1,2,3]}`, "States.ResultPathMatchFailure", "it lengthens arrays"},
	{`"Type":"Pass","Result":9,"ResultPath":"$.a.b"`, `{"a":[1]}`, "States.ResultPathMatchFailure", "it replaces what is in the way"},
	{`"Type":"Pass","Result":9,"ResultPath":"$.a[0]"`, `{"a":{}}`, "States.ResultPathMatchFailure", "it replaces what is in the way"},
	{`"Type":"Pass","Result":9,"ResultPath":"$.a"`, `[1]`, "States.ResultPathMatchFailure", ""},
	{`"Type":"Pass","Result":9,"ResultPath":"$.a"`, `null`, "States.ResultPathMatchFailure", ""},
	{`"Type":"Pass","InputPath":"$.a","ResultPath":"$.b"`, `{"a":{"x":1}}`, `{"a":{"x":1},"b":{"x":1}}`, ""},
	{`"Type":"Pass","InputPath":null`, `{"a":1}`, `{}`, ""},
	{`"Type":"Pass","OutputPath":null`, `{"a":1}`, `{}`, ""},
	{`"Type":"Pass","InputPath":"$.b"`, `{"a":1}`, "States.Runtime", ""},
	{`"Type":"Pass","OutputPath":"$.b"`, `{"a":1}`, "States.Runtime", ""},
	{`"Type":"Pass","InputPath":"$.a.b"`, `{"a":1}`, "States.Runtime", ""},
	{`"Type":"Pass","InputPath":"$.a.b"`, `{"a":[1]}`, "States.Runtime", ""},
	{`"Type":"Pass","InputPath":"$[0]"`, `{"a":1}`, "States.Runtime", ""},
	{`"Type":"Pass","InputPath":"$[1].a"`, `[0,{"a":[2]}]`, `[2]`, ""},
	{`"Type":"Pass","InputPath":"$$.Execution.Input.a"`, `{"a":1}`, `1`, ""},
	{`"Type":"Pass","Parameters":{"a.$":"$.b"}`, `{"a":1}`, "States.Runtime", ""},
	{`"Type":"Pass","Parameters":{"a.$":"$$.Execution.Input.b"}`, `{"a":1}`, "States.Runtime", ""},
	{`"Type":"Pass","Parameters":{"a":[{"b":[{"c.$":"$.x"}]},"$.x",null,{}]}`, `{"x":null}`, `{"a":[{"b":[{"c":null}]},"$.x",null,{}]}`, ""},
	{`"Type":"Pass","Parameters":{"n.$":"$.n","s.$":"$.s"}`, `{"n":12345678901234567890,"s":"\u00e9\ud83d\ude00\u2028\u0000"}`, `{"n":12345678901234567890,"s":"é😀\u2028\u0000"}`, ""},
	{`"Type":"Wait","Seconds":0,"InputPath":"$.a","OutputPath":"$.b"`, `{"a":{"b":1}}`, `1`, ""},
	{`"Type":"Wait","Seconds":0,"InputPath":"$.b"`, `{"a":1}`, "States.Runtime", ""},
	{`"Type":"Wait","Seconds":1,"OutputPath":"$.b"`, `{"a":1}`, "States.Runtime", ""},
	{`"Type":"Wait","SecondsPath":"$.s"`, `{"s":3}`, `{"s":3}`, ""},
	{`"Type":"Wait","SecondsPath":"$.s"`, `{"s":-1}`, "States.Runtime", "its waits end at once"},
	{`"Type":"Wait","SecondsPath":"$.s"`, `{"s":"1"}`, "States.Runtime", "its waits end at once"},
	{`"Type":"Wait","SecondsPath":"$.t"`, `{"s":"1"}`, "States.Runtime", "its waits end at once"},
	{`"Type":"Wait","TimestampPath":"$.t"`, `{"s":"1"}`, "States.Runtime", "its waits end at once"},
	{`"Type":"Map","ItemProcessor":{"StartAt":"I","States":{"I":{"Type":"Pass","End":true}}}`, `[1,[2],null]`, `[1,[2],null]`, ""},
	{`"Type":"Map","InputPath":"$.b","ItemProcessor":{"StartAt":"I","States":{"I":{"Type":"Pass","End":true}}}`, `{}`, "States.Runtime", ""},
	{`"Type":"Map","ItemsPath":"$.b","ItemProcessor":{"StartAt":"I","States":{"I":{"Type":"Pass","End":true}}}`, `{}`, "States.Runtime", ""},
	{`"Type":"Map","ItemSelector":{"a.$":"$.b"},"ItemsPath":"$.a","ItemProcessor":{"StartAt":"I","States":{"I":{"Type":"Pass","End":true}}}`, `{"a":[1]}`, "States.Runtime", ""},
	{`"Type":"Map","ItemProcessor":{"StartAt":"I","States":{"I":{"Type":"Fail","Error":"E","Cause":"c"}}}`, `[1]`, "E", ""},
	{`"Type":"Map","ResultPath":"$.r","ItemsPath":"$.a","ItemProcessor":{"StartAt":"I","States":{"I":{"Type":"Succeed"}}}`, `{"a":[1,2]}`, `{"a":[1,2],"r":[1,2]}`, ""},
}

// fails are Fail states, as flows.
var fails = []struct{ state, input, want, oracle string }{
	{`"Type":"Fail","ErrorPath":"$.e","CausePath":"$.c"`, `{"e":"E","c":"why"}`, "E", ""},
	{`"Type":"Fail","ErrorPath":"$.e"`, `{"e":1}`, "States.Runtime", ""},
	{`"Type":"Fail","CausePath":"$.e"`, `{}`, "States.Runtime", ""},
	{`"Type":"Fail","ErrorPath":"States.Format('{}', $.e)"`, `{"e":"E"}`, "E", "it takes no intrinsic functions in ErrorPath"},
}

func flowScenarios(t testing.TB) []asltest.Scenario {
	t.Helper()
	var all []asltest.Scenario
	add := func(name, state, input, want, oracle string) {
		s := asltest.Scenario{
			Name:       "flow: {" + name + "} of " + input,
			Definition: jsontext.Value(machine(state)), Input: jsontext.Value(input), Oracle: oracle,
			Status: "SUCCEEDED", Output: jsontext.Value(want),
		}
		if !s.Output.IsValid() {
			s.Status, s.Output, s.Error = "FAILED", nil, want
		}
		all = append(all, s)
	}
	for _, f := range flows {
		add(f.state, f.state+`,"End":true`, f.input, f.want, f.oracle)
	}
	for _, f := range fails {
		add(f.state, f.state, f.input, f.want, f.oracle)
	}
	return all
}
