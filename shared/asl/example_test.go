package asl_test

import (
	"fmt"
	"time"

	"sallyport/shared/asl"
)

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
		UUID:  func() string { return "uuid" },
	}

	execution, _ := machine.Start(asl.Identity{Name: "first"}, []byte(`{"name":"Arnav"}`), now)
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
