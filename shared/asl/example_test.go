package asl_test

import (
	"fmt"
	"strings"
	"time"

	"sallyport/shared/asl"
)

// Parse lists all problems. Each reason lists what is supported in its place.
func ExampleParse() {
	_, err := asl.Parse([]byte(`{"StartAt":"A","Version":"1.0","States":{
		"A":{"Type":"Parallel"},
		"B":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","HeartbeatSeconds":5,"End":true,
			"Parameters":{"FunctionName":"f","Qualifier":"1","Payload":{"a.$":"States.UUID()","b.$":"$$.State.EnteredTime"}},
			"Retry":[{"ErrorEquals":["States.Permissions"],"Until":"$.a"}],
			"Catch":[{"ErrorEquals":["A"],"Next":"A","Assign":{}}]},
		"C":{"Type":"Choice","Choices":[{"Variable":"$.a","IsNull":true,"Next":"A"}],"Assign":{}},
		"D":{"Type":"Wait","Timestamp":"2026-01-01T00:00:00Z","End":true},
		"E":{"Type":"Pass","InputPath":"$.a[1:]","OutputPath":"$.a","End":true},
		"F":{"Type":"Map","Iterator":{},"End":true}}}`))
	for problem := range strings.SplitSeq(err.Error(), "\n") {
		text, width := "", 0
		for word := range strings.FieldsSeq(problem) {
			if width += len(word) + 1; width > 110 {
				text, width = text+"\n   ", len(word)+4
			}
			text += " " + word
		}
		fmt.Println(strings.TrimSpace(text))
	}
	// Output:
	// asl: /States/A/Type (state A): Parallel states are not supported, only Choice, Map, Pass, Succeed, Task, Wait
	// /States/B/Retry/0/ErrorEquals/0 (state B): States.Permissions is not supported, only States.ALL,
	//     States.Timeout, States.NoChoiceMatched, States.ResultPathMatchFailure, States.IntrinsicFailure
	// /States/B/Retry/0/Until (state B): Until is not supported, only BackoffRate, ErrorEquals, IntervalSeconds,
	//     JitterStrategy, MaxAttempts, MaxDelaySeconds
	// /States/B/Catch/0/Assign (state B): Assign is not supported, only ErrorEquals, Next, ResultPath
	// /States/B/Parameters/Payload/a.$ (state B): the intrinsic function "States.UUID" is not supported, only
	//     States.ArrayContains, States.ArrayGetItem, States.ArrayLength, States.ArrayUnique, States.Format,
	//     States.MathAdd, States.StringToJson
	// /States/B/Parameters/Payload/b.$ (state B): the path "$$.State.EnteredTime" is not supported, of the context
	//     object only $$.Execution.Name, $$.Map.Item.Index, $$.Map.Item.Value, $$.State.Name, $$.Task.Token
	// /States/B/Parameters/Qualifier (state B): Qualifier is not supported, only FunctionName, Payload
	// /States/B/HeartbeatSeconds (state B): HeartbeatSeconds is not supported, only Catch, Comment, End, Next,
	//     OutputPath, Parameters, Resource, ResultPath, ResultSelector, Retry, TimeoutSeconds, TimeoutSecondsPath,
	//     Type
	// /States/C/Choices/0 (state C): must have one comparison that is supported, or And, Or, Not
	// /States/C/Choices/0/IsNull (state C): IsNull is not supported, only And, BooleanEquals, IsPresent, Next, Not,
	//     NumericEquals, NumericGreaterThan, NumericGreaterThanPath, NumericLessThan, NumericLessThanEquals, Or,
	//     StringEquals, Variable
	// /States/C/Assign (state C): Assign is not supported, only Choices, Comment, Default, Type
	// /States/D (state D): must have Seconds or SecondsPath
	// /States/D/Timestamp (state D): Timestamp is not supported, only Comment, End, Next, Seconds, SecondsPath,
	//     Type
	// /States/E/InputPath (state E): the path "$.a[1:]" is not supported: "[1:]" is neither .name, [index] nor [*]
	// /States/E/OutputPath (state E): OutputPath is not supported, only Comment, End, InputPath, Next, Parameters,
	//     Result, ResultPath, Type
	// /States/F/ItemProcessor (state F): is missing
	// /States/F/Iterator (state F): Iterator is not supported, only Catch, Comment, End, ItemProcessor,
	//     ItemSelector, ItemsPath, MaxConcurrency, Next, ResultPath, ResultSelector, Type
	// /Version: Version is not supported, only Comment, StartAt, States, TimeoutSeconds
}

// An execution moves by Step, and by what is reported to it in between. Whoever runs it stores the execution after
// each call.
func Example() {
	machine, err := asl.Parse([]byte(`{"StartAt":"Greet","States":{"Greet":{
		"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","TimeoutSeconds":30,
		"Parameters":{"FunctionName":"greeter","Payload":{"text.$":"States.Format('Hello, {}.', $.name)"}},
		"OutputPath":"$.Payload","End":true}}}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	now := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	env := asl.Env{
		Now:   func() time.Time { return now },
		Rand:  func() float64 { return 0 },
		Token: func() string { return "token" },
	}

	execution, _ := machine.Start("first", []byte(`{"name":"Arnav"}`), now)
	next, _ := machine.Step(execution, env)
	for _, i := range next.Invocations {
		fmt.Printf("%s(%s)\n", i.Function, i.Payload)
		_ = machine.Returned(execution, i.ID, asl.Result{Began: now, Ended: now, Output: []byte(`"Good day."`)})
	}
	next, _ = machine.Step(execution, env)
	fmt.Println(next.Status, string(execution.Output), execution.Transitions)
	// Output:
	// greeter({"text":"Hello, Arnav."})
	// SUCCEEDED "Good day." 1
}
