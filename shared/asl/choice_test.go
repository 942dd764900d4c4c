package asl_test

import (
	"fmt"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"sallyport/shared/asl/asltest"
)

const (
	exactNumbers = "its numbers are doubles"
	neverFalse   = "its test for presence can't be false"
)

// choices are rules, what they see, and whether they hold; an error where that is what must come of it.
var choices = []struct {
	rule, input string
	want        any // bool, or the name of an error
	oracle      string
}{
	{`"Variable":"$.v","StringEquals":"a"`, `{"v":"a"}`, true, ""},
	{`"Variable":"$.v","StringEquals":"a"`, `{"v":"A"}`, false, ""},
	{`"Variable":"$.v","StringEquals":"1"`, `{"v":1}`, false, ""},
	{`"Variable":"$.v","StringEquals":"a"`, `{"v":["a"]}`, false, ""},
	{`"Variable":"$.v","StringEquals":"a"`, `{}`, "States.Runtime", ""},
	{`"Variable":"$.v.w","StringEquals":"a"`, `{"v":"a"}`, "States.Runtime", ""},
	{`"Variable":"$.v","NumericEquals":1`, `{"v":1.0}`, true, ""},
	{`"Variable":"$.v","NumericEquals":1`, `{"v":"1"}`, false, ""},
	{`"Variable":"$.v","NumericEquals":1e2`, `{"v":100}`, true, ""},
	{`"Variable":"$.v","NumericEquals":9007199254740992`, `{"v":9007199254740993}`, false, exactNumbers},
	{`"Variable":"$.v","NumericLessThan":1.5`, `{"v":1}`, true, ""},
	{`"Variable":"$.v","NumericLessThan":1`, `{"v":1}`, false, ""},
	{`"Variable":"$.v","NumericLessThanEquals":-1`, `{"v":-1}`, true, ""},
	{`"Variable":"$.v","NumericLessThanEquals":0.5`, `{"v":1}`, false, ""},
	{`"Variable":"$.v","NumericGreaterThan":1`, `{"v":2}`, true, ""},
	{`"Variable":"$.v","NumericGreaterThan":1`, `{"v":1}`, false, ""},
	{`"Variable":"$.v","NumericGreaterThanPath":"$.w"`, `{"v":2,"w":1}`, true, ""},
	{`"Variable":"$.v","NumericGreaterThanPath":"$.w"`, `{"v":9007199254740993,"w":9007199254740992}`, true, exactNumbers},
	{`"Variable":"$.v","NumericGreaterThanPath":"$.w"`, `{"v":"2","w":1}`, false, "it takes the string for a number"},
	{`"Variable":"$.v","NumericGreaterThanPath":"$.w"`, `{"v":2,"w":"1"}`, "States.Runtime", ""},
	{`"Variable":"$.v","NumericGreaterThanPath":"$.w"`, `{"v":2}`, "States.Runtime", ""},
	{`"Variable":"$.v","BooleanEquals":true`, `{"v":true}`, true, ""},
	{`"Variable":"$.v","BooleanEquals":false`, `{"v":true}`, false, ""},
	{`"Variable":"$.v","BooleanEquals":false`, `{"v":null}`, false, ""},
	{`"Variable":"$.v","BooleanEquals":false`, `{"v":{}}`, false, ""},
	{`"Variable":"$.v","IsPresent":true`, `{"v":null}`, true, ""},
	{`"Variable":"$.v","IsPresent":true`, `{"v":[]}`, true, ""},
	{`"Variable":"$.v","IsPresent":true`, `{}`, false, ""},
	{`"Variable":"$.v","IsPresent":false`, `{}`, true, neverFalse},
	{`"Variable":"$.v.w.x","IsPresent":false`, `{"v":1}`, true, neverFalse},
	{`"Variable":"$.v[1]","IsPresent":true`, `{"v":[1]}`, false, ""},
	{`"And":[{"Variable":"$.v","IsPresent":true},{"Variable":"$.v","NumericEquals":1}]`, `{"v":1}`, true, ""},
	{`"And":[{"Variable":"$.v","IsPresent":true},{"Variable":"$.v","NumericEquals":1}]`, `{}`, false, ""},
	{`"Or":[{"Variable":"$.v","IsPresent":false},{"Variable":"$.v","NumericEquals":1}]`, `{}`, true, neverFalse},
	{`"Or":[{"Variable":"$.v","NumericEquals":2},{"Variable":"$.v","NumericEquals":1}]`, `{"v":3}`, false, ""},
	{`"Not":{"Variable":"$.v","NumericEquals":1}`, `{"v":1}`, false, ""},
	{`"Not":{"And":[{"Not":{"Variable":"$.v","NumericEquals":2}},{"Or":[{"Variable":"$.v","NumericEquals":1}]}]}`,
		`{"v":2}`, true, ""},
	{`"Variable":"$.v.w[1]","NumericEquals":2`, `{"v":{"w":[1,2]}}`, true, ""},
}

func choiceScenarios(t testing.TB) []asltest.Scenario {
	t.Helper()
	var all []asltest.Scenario
	for _, c := range choices {
		s := asltest.Scenario{
			Name: fmt.Sprintf("choice: {%s} of %s", c.rule, c.input),
			Definition: jsontext.Value(`{"StartAt":"C","States":{"C":{"Type":"Choice","Choices":[{` + c.rule +
				`,"Next":"Yes"}],"Default":"No"},"Yes":{"Type":"Succeed"},"No":{"Type":"Succeed"}}}`),
			Input:  jsontext.Value(c.input),
			Status: "SUCCEEDED", Output: jsontext.Value(c.input), Oracle: c.oracle, States: []string{"C", "No"}, Transitions: 2,
		}
		switch want := c.want.(type) {
		case string:
			s.Status, s.Output, s.Error, s.States, s.Transitions = "FAILED", nil, want, []string{"C"}, 1
		case bool:
			if want {
				s.States = []string{"C", "Yes"}
			}
		}
		all = append(all, s)
	}
	return all
}
