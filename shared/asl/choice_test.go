package asl_test

import (
	"fmt"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"sallyport/shared/asl/asltest"
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
	{`"Variable":"$.v","StringEquals":"a"`, `{}`, "States.Runtime", ""},
	{`"Variable":"$.v.w","StringEquals":"a"`, `{"v":"a"}`, "States.Runtime", ""},
	{`"Variable":"$.v","StringEqualsPath":"$.w"`, `{"v":"a","w":"a"}`, true, ""},
	{`"Variable":"$.v","StringEqualsPath":"$.w"`, `{"v":"a","w":"b"}`, false, ""},
	{`"Variable":"$.v","StringEqualsPath":"$.w"`, `{"v":"1","w":1}`, "States.Runtime", ""},
	{`"Variable":"$.v","StringEqualsPath":"$.w"`, `{"v":"a"}`, "States.Runtime", ""},
	{`"Variable":"$.v","StringLessThan":"b"`, `{"v":"a"}`, true, ""},
	{`"Variable":"$.v","StringLessThan":"b"`, `{"v":"b"}`, false, ""},
	{`"Variable":"$.v","StringLessThan":"\ufb01"`, `{"v":"\ud83d\ude00"}`, true, ""},
	{`"Variable":"$.v","StringLessThanPath":"$.w"`, `{"v":"a","w":"b"}`, true, ""},
	{`"Variable":"$.v","StringLessThanEquals":"b"`, `{"v":"b"}`, true, ""},
	{`"Variable":"$.v","StringLessThanEqualsPath":"$.w"`, `{"v":"c","w":"b"}`, false, ""},
	{`"Variable":"$.v","StringGreaterThan":"b"`, `{"v":"ba"}`, true, ""},
	{`"Variable":"$.v","StringGreaterThanPath":"$.w"`, `{"v":"b","w":"b"}`, false, ""},
	{`"Variable":"$.v","StringGreaterThanEquals":"b"`, `{"v":"b"}`, true, ""},
	{`"Variable":"$.v","StringGreaterThanEqualsPath":"$.w"`, `{"v":"a","w":"b"}`, false, ""},
	{`"Variable":"$.v","StringMatches":"a*c"`, `{"v":"abc"}`, true, ""},
	{`"Variable":"$.v","StringMatches":"a*c"`, `{"v":"ac"}`, true, ""},
	{`"Variable":"$.v","StringMatches":"a*b*c"`, `{"v":"acb"}`, false, ""},
	{`"Variable":"$.v","StringMatches":"*"`, `{"v":""}`, true, ""},
	{`"Variable":"$.v","StringMatches":"a*a"`, `{"v":"a"}`, false, ""},
	{`"Variable":"$.v","StringMatches":"a\\*c"`, `{"v":"a*c"}`, true, ""},
	{`"Variable":"$.v","StringMatches":"a\\*c"`, `{"v":"abc"}`, false, ""},
	{`"Variable":"$.v","StringMatches":"a.c"`, `{"v":"abc"}`, false, ""},
	{`"Variable":"$.v","StringMatches":"1"`, `{"v":1}`, false, "it takes the number for a string"},
	{`"Variable":"$.v","NumericEquals":1`, `{"v":1.0}`, true, ""},
	{`"Variable":"$.v","NumericEquals":1`, `{"v":"1"}`, false, ""},
	{`"Variable":"$.v","NumericEquals":1e2`, `{"v":100}`, true, ""},
	{`"Variable":"$.v","NumericEqualsPath":"$.w"`, `{"v":9007199254740993,"w":9007199254740992}`, false, "its numbers are doubles"},
	{`"Variable":"$.v","NumericEqualsPath":"$.w"`, `{"v":1,"w":"1"}`, "States.Runtime", ""},
	{`"Variable":"$.v","NumericLessThan":1.5`, `{"v":1}`, true, ""},
	{`"Variable":"$.v","NumericLessThanPath":"$.w"`, `{"v":1,"w":1}`, false, ""},
	{`"Variable":"$.v","NumericLessThanEquals":-1`, `{"v":-1}`, true, ""},
	{`"Variable":"$.v","NumericLessThanEqualsPath":"$.w"`, `{"v":1,"w":0.5}`, false, ""},
	{`"Variable":"$.v","NumericGreaterThan":1`, `{"v":2}`, true, ""},
	{`"Variable":"$.v","NumericGreaterThanPath":"$.w"`, `{"v":2,"w":1}`, true, ""},
	{`"Variable":"$.v","NumericGreaterThanEquals":1`, `{"v":1}`, true, ""},
	{`"Variable":"$.v","NumericGreaterThanEqualsPath":"$.w"`, `{"v":0,"w":1}`, false, ""},
	{`"Variable":"$.v","BooleanEquals":true`, `{"v":true}`, true, ""},
	{`"Variable":"$.v","BooleanEquals":false`, `{"v":true}`, false, ""},
	{`"Variable":"$.v","BooleanEquals":false`, `{"v":null}`, false, ""},
	{`"Variable":"$.v","BooleanEqualsPath":"$.w"`, `{"v":true,"w":true}`, true, ""},
	{`"Variable":"$.v","TimestampEquals":"2026-01-01T00:00:00Z"`, `{"v":"2026-01-01T01:00:00+01:00"}`, true, ""},
	{`"Variable":"$.v","TimestampEquals":"2026-01-01T00:00:00Z"`, `{"v":"2026-01-01"}`, false, "it takes a date for a timestamp"},
	{`"Variable":"$.v","TimestampEqualsPath":"$.w"`, `{"v":"2026-01-01T00:00:00Z","w":"2026-01-01T00:00:00.000Z"}`, true, ""},
	{`"Variable":"$.v","TimestampEqualsPath":"$.w"`, `{"v":"2026-01-01T00:00:00Z","w":"today"}`, "States.Runtime", ""},
	{`"Variable":"$.v","TimestampLessThan":"2026-01-01T00:00:00Z"`, `{"v":"2025-12-31T23:59:59.999Z"}`, true, ""},
	{`"Variable":"$.v","TimestampLessThanPath":"$.w"`, `{"v":"2026-01-01T00:00:00Z","w":"2026-01-01T00:00:00Z"}`, false, ""},
	{`"Variable":"$.v","TimestampLessThanEquals":"2026-01-01T00:00:00Z"`, `{"v":"2026-01-01T00:00:00Z"}`, true, ""},
	{`"Variable":"$.v","TimestampLessThanEqualsPath":"$.w"`, `{"v":"2026-01-01T00:00:00Z","w":"2026-01-01T00:00:00Z"}`, true, ""},
	{`"Variable":"$.v","TimestampGreaterThan":"2026-01-01T00:00:00Z"`, `{"v":"2026-01-01T00:00:01Z"}`, true, ""},
	{`"Variable":"$.v","TimestampGreaterThanPath":"$.w"`, `{"v":"2026-01-01T00:00:00Z","w":"2026-01-01T00:00:01Z"}`, false, ""},
	{`"Variable":"$.v","TimestampGreaterThanEquals":"2026-01-01T00:00:00Z"`, `{"v":"2026-01-01T00:00:00Z"}`, true, ""},
	{`"Variable":"$.v","TimestampGreaterThanEqualsPath":"$.w"`, `{"v":"2026-01-01T00:00:00Z","w":"2026-01-01T00:00:00Z"}`, true, ""},
	{`"Variable":"$.v","IsPresent":true`, `{"v":null}`, true, ""},
	{`"Variable":"$.v","IsPresent":true`, `{}`, false, ""},
	{`"Variable":"$.v","IsPresent":false`, `{}`, true, "its tests for types and presence can't be false"},
	{`"Variable":"$.v.w.x","IsPresent":false`, `{"v":1}`, true, "its tests for types and presence can't be false"},
	{`"Variable":"$.v[1]","IsPresent":true`, `{"v":[1]}`, false, ""},
	{`"Variable":"$.v","IsNull":true`, `{"v":null}`, true, ""},
	{`"Variable":"$.v","IsNull":false`, `{"v":null}`, false, ""},
	{`"Variable":"$.v","IsNull":true`, `{}`, "States.Runtime", ""},
	{`"Variable":"$.v","IsString":true`, `{"v":"a"}`, true, ""},
	{`"Variable":"$.v","IsString":false`, `{"v":"a"}`, false, ""},
	{`"Variable":"$.v","IsNumeric":true`, `{"v":1}`, true, ""},
	{`"Variable":"$.v","IsNumeric":true`, `{"v":"1"}`, false, ""},
	{`"Variable":"$.v","IsBoolean":true`, `{"v":false}`, true, ""},
	{`"Variable":"$.v","IsBoolean":false`, `{"v":0}`, true, "its tests for types and presence can't be false"},
	{`"Variable":"$.v","IsTimestamp":true`, `{"v":"2026-01-01T00:00:00Z"}`, true, ""},
	{`"Variable":"$.v","IsTimestamp":true`, `{"v":"2026-01-01t00:00:00z"}`, false, ""},
	{`"Variable":"$.v","IsTimestamp":false`, `{"v":1}`, true, "its tests for types and presence can't be false"},
	{`"And":[{"Variable":"$.v","IsPresent":true},{"Variable":"$.v","NumericEquals":1}]`, `{"v":1}`, true, ""},
	{`"And":[{"Variable":"$.v","IsPresent":true},{"Variable":"$.v","NumericEquals":1}]`, `{}`, false, ""},
	{`"Or":[{"Variable":"$.v","IsPresent":false},{"Variable":"$.v","NumericEquals":1}]`, `{}`, true, "its tests for types and presence can't be false"},
	{`"Or":[{"Variable":"$.v","NumericEquals":2},{"Variable":"$.v","NumericEquals":1}]`, `{"v":3}`, false, ""},
	{`"Not":{"Variable":"$.v","NumericEquals":1}`, `{"v":1}`, false, ""},
	{`"Not":{"And":[{"Not":{"Variable":"$.v","IsNull":true}},{"Or":[{"Variable":"$.v","NumericEquals":1}]}]}`, `{"v":2}`, true, ""},
	{`"Variable":"$$.Execution.Name","StringEquals":"execution"`, `{}`, true, ""},
	{`"Variable":"$$.Execution.Input.v","NumericEquals":1`, `{"v":1}`, true, ""},
	{`"Variable":"$['v'].w[1]","NumericEquals":2`, `{"v":{"w":[1,2]}}`, true, ""},
}

func choiceScenarios(t testing.TB) []asltest.Scenario {
	t.Helper()
	var all []asltest.Scenario
	for _, c := range choices {
		s := asltest.Scenario{
			Name:       fmt.Sprintf("choice: {%s} of %s", c.rule, c.input),
			Definition: jsontext.Value(`{"StartAt":"C","States":{"C":{"Type":"Choice","Choices":[{` + c.rule + `,"Next":"Yes"}],"Default":"No"},"Yes":{"Type":"Succeed"},"No":{"Type":"Succeed"}}}`),
			Input:      jsontext.Value(c.input),
			Status:     "SUCCEEDED", Output: jsontext.Value(c.input), Oracle: c.oracle, States: []string{"C", "No"}, Transitions: 2,
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
