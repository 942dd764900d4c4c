package asl_test

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"sallyport/shared/asl/asltest"
)

const intrinsicInput = `{"name":"Arnav","template":"Hello, {} and {}.","n":3,"f":1.5,"yes":true,"none":null,"list":[1,"two",{"three":3}],"nums":[1,2,3,4,5],` +
	`"text":"{\"b\":1,\"a\":[2]}","bad":"{","o":{"b":1,"a":[2]},"p":{"a":9,"z":{"y":1}},"quote":"it's",` +
	`"all":[{"v":"a","w":[{"x":1},{"x":[2,3]},{"y":0}],"l":[1,2]},{"v":"b","w":[],"l":[]},{"w":[{"x":null}]},{"v":"a","w":{"x":4}},"text",null,[{"v":"c"}]],` +
	`"lists":[[1,[2]],[],[3]],"empty":[],"same":[1,1.0,"1",{"b":1,"a":[2]},{"a":[2],"b":1},null,null,true,[1],[1]]}`

// intrinsicCases are intrinsic functions and what they give: JSON, or the name of an error.
var intrinsicCases = []struct{ call, want, oracle string }{
	{`States.Format('Hello, {}.', $.name)`, `"Hello, Arnav."`, ""},
	{`States.Format($.template, $.name, 'you')`, `"Hello, Arnav and you."`, ""},
	{`States.Format('{}|{}|{}|{}', $.n, $.f, $.yes, $.none)`, `"3|1.5|true|null"`, ""},
	{`States.Format('it\'s \{{}\} \\', $.n)`, `"it's {3} \\"`, "it unescapes in another order"},
	{`States.Format('no places')`, `"no places"`, ""},
	{`States.Format($.template, $.name)`, "States.IntrinsicFailure", "its intrinsic functions fail with States.Runtime"},
	{`States.Format('{}', $.o)`, "States.IntrinsicFailure", "its intrinsic functions fail with States.Runtime"},
	{`States.Format('{}', $.nothing)`, "States.Runtime", ""},
	{`States.Format('{}-{}', $$.Execution.Name, $$.StateMachine.Name)`, `"execution-machine"`, ""},
	{`States.StringToJson($.text)`, `{"b":1,"a":[2]}`, ""},
	{`States.StringToJson($.bad)`, "States.IntrinsicFailure", "it fails with SyntaxError"},
	{`States.JsonToString($.o)`, `"{\"b\":1,\"a\":[2]}"`, ""},
	{`States.Array($.n, 'x', -1.5e1, true, null, $.o)`, `[3,"x",-15,true,null,{"b":1,"a":[2]}]`, ""},
	{`States.Array()`, `[]`, ""},
	{`States.ArrayLength($.list)`, `3`, ""},
	{`States.ArrayLength($.name)`, "States.IntrinsicFailure", "its intrinsic functions fail with States.Runtime"},
	{`States.ArrayGetItem($.list, 1)`, `"two"`, ""},
	{`States.ArrayGetItem($.list, 3)`, "States.IntrinsicFailure", "it gives nothing at all"},
	{`States.ArrayGetItem($.list, -1)`, "States.IntrinsicFailure", "its intrinsic functions fail with States.Runtime"},
	{`States.ArrayContains($.list, 'two')`, `true`, ""},
	{`States.ArrayContains($.list, 1.0)`, `true`, ""},
	{`States.ArrayContains(States.Array($.o), States.StringToJson('\{"a":[2],"b":1\}'))`, `true`, "it does not unescape braces in time"},
	{`States.ArrayContains($.list, '1')`, `false`, ""},
	{`States.ArrayPartition($.nums, 2)`, `[[1,2],[3,4],[5]]`, ""},
	{`States.ArrayPartition($.nums, 9)`, `[[1,2,3,4,5]]`, ""},
	{`States.ArrayPartition($.nums, 0)`, "States.IntrinsicFailure", "its intrinsic functions fail with States.Runtime"},
	{`States.MathAdd($.n, 1)`, `4`, ""},
	{`States.MathAdd($.n, -5)`, `-2`, ""},
	{`States.MathAdd(States.MathAdd(1, 2), States.ArrayLength($.nums))`, `8`, ""},
	{`States.MathAdd($.f, 1)`, "States.IntrinsicFailure", "it rounds"},
	{`States.MathAdd($.name, 1)`, "States.IntrinsicFailure", "its intrinsic functions fail with States.Runtime"},
	{`States.JsonMerge($.o, $.p, false)`, `{"b":1,"a":9,"z":{"y":1}}`, ""},
	{`States.JsonMerge($.o, $.p, true)`, "States.IntrinsicFailure", "its intrinsic functions fail with States.Runtime"},
	{`States.UUID()`, `"6b1b1c3e-1111-4222-8333-123456789abc"`, "its UUIDs are random"},
	{`States.Hash('abc', 'MD5')`, `"900150983cd24fb0d6963f7d28e17f72"`, ""},
	{`States.Hash('abc', 'SHA-1')`, `"a9993e364706816aba3e25717850c26c9cd0d89d"`, ""},
	{`States.Hash('abc', 'SHA-256')`, `"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"`, ""},
	{`States.Hash('abc', 'SHA-384')`, `"cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7"`, ""},
	{`States.Hash('abc', 'SHA-512')`, `"ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"`, ""},
	{`States.Hash('abc', 'SHA-3')`, "States.IntrinsicFailure", "its intrinsic functions fail with States.Runtime"},
	{`States.Base64Encode($.name)`, `"QXJuYXY="`, ""},
	{`States.Base64Decode('QXJuYXY=')`, `"Arnav"`, ""},
	{`States.Base64Decode($.text)`, "States.IntrinsicFailure", "it decodes what it can"},
	{`States.Base64Encode(States.JsonToString($))`, "States.IntrinsicFailure", "it never breaks lines"},
	{`States.Format('{}, {}', $['name'], $.list[2].three)`, `"Arnav, 3"`, ""},
	{`States.ArrayUnique($.nums)`, `[1,2,3,4,5]`, ""},
	{`States.ArrayUnique($.same)`, `[1,"1",{"b":1,"a":[2]},null,true,[1]]`, ""},
	{`States.ArrayUnique(States.Array('b', 'a', 'b', 'a'))`, `["b","a"]`, ""},
	{`States.ArrayUnique($.empty)`, `[]`, ""},
	{`States.ArrayUnique($.name)`, "States.IntrinsicFailure", "its intrinsic functions fail with States.Runtime"},
	{`States.ArrayLength(States.ArrayUnique($.all[*].v))`, `2`, ""},

	// Paths that gather.
	{`$.all[*].v`, `["a","b","a"]`, ""},
	{`$.nums[*]`, `[1,2,3,4,5]`, ""},
	{`$['all'][*]['v']`, `["a","b","a"]`, ""},
	{`$.all[*].l`, `[[1,2],[]]`, ""},
	{`$.all[*].l[0]`, `[1]`, ""},
	{`$.all[*].l[*]`, `[1,2]`, ""},
	{`$.all[*].w[*].x`, `[1,[2,3],null]`, ""},
	{`$.all[*].w[1].x`, `[[2,3]]`, ""},
	{`$.all[0].w[*].x`, `[1,[2,3]]`, ""},
	{`$.all[*][*].v`, `["c"]`, ""},
	{`$.lists[*]`, `[[1,[2]],[],[3]]`, ""},
	{`$.lists[*][*]`, `[1,[2],3]`, ""},
	{`$.lists[*][*][*]`, `[2]`, ""},
	{`$.lists[*][0]`, `[1,3]`, ""},
	{`States.ArrayContains($.all[*].v, 'b')`, `true`, ""},
	{`States.ArrayGetItem($.all[*].v, 1)`, `"b"`, ""},
	{`States.Array($.all[*].v, $.nums[*])`, `[["a","b","a"],[1,2,3,4,5]]`, ""},
	{`$$.Execution.Input.all[*].v`, `["a","b","a"]`, ""},
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
			Definition: jsontext.Value(`{"StartAt":"P","States":{"P":{"Type":"Pass","Parameters":{"v.$":` + string(quoted) + `},"OutputPath":"$.v","End":true}}}`),
			Input:      jsontext.Value(intrinsicInput),
			Oracle:     c.oracle, States: []string{"P"}, Transitions: 1,
		}
		if strings.HasPrefix(c.want, "States.") {
			s.Status, s.Error = "FAILED", c.want
		} else {
			s.Status, s.Output = "SUCCEEDED", jsontext.Value(c.want)
		}
		all = append(all, s)
	}
	return all
}
