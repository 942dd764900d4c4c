package flow

import (
	"maps"
	"strings"
	"time"
)

// End, as the next state, ends the flow. A state must have a Next: one that was forgotten is no end.
const End = "(end)"

// Task invokes a Lambda function.
type Task struct {
	Comment      string
	Function     string // its logical id, which SAM replaces by its ARN
	Payload      F
	WaitForToken bool          // goes on when somebody returns the task's token
	Timeout      time.Duration // has to be longer than the function's own
	TimeoutPath  string        // instead of Timeout: where the state tells the seconds
	Keep         string        // names of the answer's members to keep, separated by spaces
	Select       F             // what else the result holds, of the answer at $.Payload; all of it without Keep and Select
	ResultPath   string        // where the result goes; empty for the whole output
	OutputPath   string
	Retry        []Retry
	Catch        []Catch
	Next         string
}

// Raw implements State.
func (t Task) Raw() Raw {
	s := Raw{
		Type: "Task", Comment: t.Comment, Resource: "arn:aws:states:::lambda:invoke",
		Parameters:     F{"FunctionName": "${" + t.Function + "}", "Payload": t.Payload},
		TimeoutSeconds: seconds(t.Timeout), TimeoutSecondsPath: t.TimeoutPath,
		ResultPath: path(t.ResultPath), OutputPath: path(t.OutputPath), Retry: t.Retry, Catch: t.Catch,
	}
	if t.WaitForToken {
		s.Resource += ".waitForTaskToken"
	}
	if t.Keep != "" || t.Select != nil {
		s.ResultSelector = F{}
		maps.Copy(s.ResultSelector, t.Select)
	}
	for name := range strings.FieldsSeq(t.Keep) {
		s.ResultSelector[name+".$"] = "$.Payload." + name
	}
	return s.then(t.Next)
}

// Pass makes a value of the state: of a template, of a part of it, or a fixed one.
type Pass struct {
	Comment    string
	Template   F      // of what the value is made
	InputPath  string // or what is taken as it is
	Value      any    // or what it is, whatever the state
	ResultPath string // where the value goes; empty for the whole output
	Next       string
}

// Raw implements State.
func (p Pass) Raw() Raw {
	s := Raw{
		Type: "Pass", Comment: p.Comment, InputPath: p.InputPath, Result: p.Value, ResultPath: path(p.ResultPath),
	}
	if p.Template != nil {
		s.Parameters = p.Template
	}
	return s.then(p.Next)
}

// Wait lets time pass.
type Wait struct {
	Comment string
	For     time.Duration
	ForPath string // instead of For: where the state tells the seconds
	Next    string
}

// Raw implements State.
func (w Wait) Raw() Raw {
	return Raw{Type: "Wait", Comment: w.Comment, Seconds: seconds(w.For), SecondsPath: w.ForPath}.then(w.Next)
}

// Map runs a flow for each item of a list.
type Map struct {
	Comment    string
	Items      string // path of the list
	AtOnce     int    // how many items at a time
	Item       F      // template of what the flow gets
	Each       func(*Machine)
	Select     F // what the result holds, of the list of the items' outputs at $; the list itself without it
	ResultPath string
	Catch      []Catch
	Next       string
}

// Raw implements State.
func (m Map) Raw() Raw {
	var each Machine
	m.Each(&each)
	processor := each.wire()
	processor.ProcessorConfig = &processorConfig{Mode: "INLINE"}
	return Raw{
		Type: "Map", Comment: m.Comment, ItemsPath: m.Items, MaxConcurrency: m.AtOnce, ItemSelector: m.Item,
		ItemProcessor: &processor, ResultSelector: m.Select, ResultPath: path(m.ResultPath), Catch: m.Catch,
	}.then(m.Next)
}

// Succeed ends an execution.
type Succeed struct{}

// Raw implements State.
func (Succeed) Raw() Raw { return Raw{Type: "Succeed"} }
