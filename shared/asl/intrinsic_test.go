package asl_test

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"sallyport/shared/asl/asltest"
)

const intrinsicInput = `{"name":"Arnav","n":3,"f":1.5,"yes":true,"none":null,"list":[1,"two",{"three":3}],` +
	`"nums":[1,2,3,4,5],` +
	`"text":"{\"b\":1,\"a\":[2]}","bad":"{","o":{"b":1,"a":[2]},"objects":[{"a":[2],"b":1}],"again":["b","a","b","a"],` +
	`"all":[{"v":"a","w":[{"x":1},{"x":[2,3]},{"y":0}],"l":[1,2]},{"v":"b","w":[],"l":[]},{"w":[{"x":null}]},` +
	`{"v":"a","w":{"x":4}},"text",null,[{"v":"c"}]],` +
	`"lists":[[1,[2]],[],[3]],"empty":[],"same":[1,1.0,"1",{"b":1,"a":[2]},{"a":[2],"b":1},null,null,true,[1],[1]]}`

const (
	intrinsicFailure = "States.IntrinsicFailure"
	failsOtherwise   = "its intrinsic functions fail with States.Runtime"
)

// intrinsicCases are intrinsic functions and what they give: JSON, or the name of an error.
var intrinsicCases = []struct{ call, want, oracle string }{
	{`States.Format('Hello, {}.', $.name)`, `"Hello, Arnav."`, ""},
	{`States.Format('Hello, {} and {}.', $.name, 'you')`, `"Hello, Arnav and you."`, ""},
	{`States.Format('{}|{}|{}|{}', $.n, $.f, $.yes, $.none)`, `"3|1.5|true|null"`, ""},
	{`States.Format('{}|{}|{}|{}', -1.5, true, null, 7)`, `"-1.5|true|null|7"`, ""},
	{`States.Format('it\'s \{{}\} \\', $.n)`, `"it's {3} \\"`, "it unescapes in another order"},
	{`States.Format('no places')`, `"no places"`, ""},
	{`States.Format('{}', $.o)`, intrinsicFailure, failsOtherwise},
	{`States.Format('{}', $.nothing)`, "States.Runtime", ""},
	{`States.Format('{}-{}', $$.Execution.Name, $.n)`, `"execution-3"`, ""},
	{`States.StringToJson($.text)`, `{"b":1,"a":[2]}`, ""},
	{`States.StringToJson($.bad)`, intrinsicFailure, "it fails with SyntaxError"},
	{`States.ArrayLength($.list)`, `3`, ""},
	{`States.ArrayLength($.name)`, intrinsicFailure, failsOtherwise},
	{`States.ArrayGetItem($.list, 1)`, `"two"`, ""},
	{`States.ArrayGetItem($.list, 3)`, intrinsicFailure, "it gives nothing at all"},
	{`States.ArrayGetItem($.list, -1)`, intrinsicFailure, failsOtherwise},
	{`States.ArrayContains($.list, 'two')`, `true`, ""},
	{`States.ArrayContains($.list, 1.0)`, `true`, ""},
	{`States.ArrayContains($.objects, States.StringToJson($.text))`, `true`, ""},
	{`States.ArrayContains($.list, '1')`, `false`, ""},
	{`States.MathAdd($.n, 1)`, `4`, ""},
	{`States.MathAdd($.n, -5)`, `-2`, ""},
	{`States.MathAdd(States.MathAdd(1, 2), States.ArrayLength($.nums))`, `8`, ""},
	{`States.MathAdd($.f, 1)`, intrinsicFailure, "it rounds"},
	{`States.MathAdd($.name, 1)`, intrinsicFailure, failsOtherwise},
	{`States.Format('{}, {}', $.name, $.list[2].three)`, `"Arnav, 3"`, ""},
	{`States.ArrayUnique($.nums)`, `[1,2,3,4,5]`, ""},
	{`States.ArrayUnique($.same)`, `[1,"1",{"b":1,"a":[2]},null,true,[1]]`, ""},
	{`States.ArrayUnique($.again)`, `["b","a"]`, ""},
	{`States.ArrayUnique($.empty)`, `[]`, ""},
	{`States.ArrayUnique($.name)`, intrinsicFailure, failsOtherwise},
	{`States.ArrayLength(States.ArrayUnique($.all[*].v))`, `2`, ""},

	// Paths that gather.
	{`$.all[*].v`, `["a","b","a"]`, ""},
	{`$.nums[*]`, `[1,2,3,4,5]`, ""},
	{`$.all[*].l`, `[[1,2],[]]`, ""},
	{`$.all[*].l[0]`, `[1]`, ""},
	{`$.all[*].w[1].x`, `[[2,3]]`, ""},
	{`$.all[0].w[*].x`, `[1,[2,3]]`, ""},
	{`$.lists[*]`, `[[1,[2]],[],[3]]`, ""},
	{`$.lists[*][0]`, `[1,3]`, ""},
	{`States.ArrayContains($.all[*].v, 'b')`, `true`, ""},
	{`States.ArrayGetItem($.all[*].v, 1)`, `"b"`, ""},
	{`$.all[*].nothing`, "States.Runtime", ""},
	{`$.nothing[*].v`, "States.Runtime", ""},
	{`$.name[*]`, "States.Runtime", ""},
	{`$.o[*]`, "States.Runtime", "it gathers the values of objects as well"},
	{`$.empty[*]`, "States.Runtime", ""},
	{`$.empty[*].v`, "States.Runtime", ""},
	{`$.lists[1][*]`, "States.Runtime", ""},
	{`States.ArrayLength($.all[*].nothing)`, "States.Runtime", ""},
}

func intrinsicScenarios(t testing.TB) []asltest.Scenario {
	t.Helper()
	var all []asltest.Scenario
	for _, c := range intrinsicCases {
		quoted, err := jsontext.AppendQuote(nil, c.call)
		if err != nil {
			t.Fatal(err)
		}
		s := asltest.Scenario{
			Name:       "intrinsic: " + c.call,
			Definition: jsontext.Value(machine(`"Type":"Pass","Parameters":{"v.$":` + string(quoted) + `},"End":true`)),
			Input:      jsontext.Value(intrinsicInput),
			Oracle:     c.oracle, States: []string{"S"}, Transitions: 1,
		}
		if strings.HasPrefix(c.want, "States.") {
			s.Status, s.Error = "FAILED", c.want
		} else {
			s.Status, s.Output = "SUCCEEDED", jsontext.Value(`{"v":`+c.want+`}`)
		}
		all = append(all, s)
	}
	return all
}
