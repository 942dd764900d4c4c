package statemachines

import (
	"maps"
	"strings"
	"time"

	"sallyport/shared/asl/flow"
)

// functionTimeout is how long a state waits for a function: longer than any function may take.
const functionTimeout = time.Minute

// call is a state that calls an operation of a partner. Its answer goes to $.result where ResultPath says nothing else
// and another state follows. The function makes its idempotency key of the execution, the state, the Map index and the
// round: a retry keeps all of them, and a definition raises the round before it repeats an effect on purpose.
type call struct {
	Comment     string
	Function    string
	Round       string // path of the round, or what makes it; empty for round 0
	InMap       bool   // the execution's name and the index come with the item
	Path, Query flow.F
	Body        flow.F // of the request
	BodyPath    string // instead of Body: where it stands
	Keep        string // names of the answer's members to keep, separated by spaces
	Select      flow.F // what else the result holds, of the answer at $.Payload, which tells its round as well
	ResultPath  string
	OutputPath  string
	Retry       []flow.Retry
	Catch       []flow.Catch
	Next        string
}

// Raw implements flow.State.
func (c call) Raw() flow.Raw {
	key := flow.F{"tenant.$": "$.tenant", "state.$": "$$.State.Name"}
	if c.InMap {
		key["execution.$"], key["index.$"] = "$.execution", "$.index"
	} else {
		key["execution.$"], key["index"] = "$$.Execution.Name", 0
	}
	if c.Round == "" {
		key["round"] = 0
	} else {
		key["round.$"] = c.Round
	}
	payload := flow.F{"task": key}
	for name, part := range map[string]flow.F{"path": c.Path, "query": c.Query, "body": c.Body} {
		if part != nil {
			payload[name] = part
		}
	}
	if c.BodyPath != "" {
		payload["body.$"] = c.BodyPath
	}
	if c.ResultPath == "" && c.Next != flow.End {
		c.ResultPath = "$.result"
	}
	return flow.Task{
		Comment: c.Comment, Function: c.Function, Payload: payload, Timeout: functionTimeout, Keep: c.Keep,
		Select: c.Select, ResultPath: c.ResultPath, OutputPath: c.OutputPath, Retry: c.Retry, Catch: c.Catch, Next: c.Next,
	}.Raw()
}

// await is a state that waits for a person, a callback or the end of its time, whichever comes first. Whoever ends it
// gives what goes to ResultPath.
type await struct {
	Comment     string
	Kind        string        // of the wait, as GET /journeys/{id} shows it
	Payload     flow.F        // what else journeys/await takes
	Timeout     time.Duration // how long the state waits
	TimeoutPath string        // instead of Timeout: where the state tells the seconds
	ResultPath  string
	Catch       []flow.Catch
	Next        string
}

// Raw implements flow.State.
func (a await) Raw() flow.Raw {
	payload := flow.F{
		"tenant.$": "$.tenant", "journey_id.$": "$.journey_id", "token.$": "$$.Task.Token", "kind": a.Kind,
	}
	maps.Copy(payload, a.Payload)
	return flow.Task{
		Comment: a.Comment, Function: "JourneysAwait", Payload: payload, WaitForToken: true,
		Timeout: a.Timeout, TimeoutPath: a.TimeoutPath, ResultPath: a.ResultPath,
		Retry: retryAwait, Catch: a.Catch, Next: a.Next,
	}.Raw()
}

// caught, as the reason of an end, takes the code of the error at $.error.
const caught = "caught"

// finish is the last state of an execution: it records how the journey ended.
type finish struct {
	Comment   string
	Status    string
	Reason    string // a code, the path of one, or caught
	Source    string // of an end that is definite, where it comes from: "§8" of the partner's README, or whose word it is
	OutcomeOf string // path of the call whose answer holds the outcome; empty for none
	Payload   flow.F // what else journeys/finish takes
}

// Raw implements flow.State.
func (f finish) Raw() flow.Raw {
	payload := flow.F{"tenant.$": "$.tenant", "journey_id.$": "$.journey_id", "status": f.Status}
	switch {
	case f.Reason == caught:
		payload["cause.$"] = "$.error.Cause"
	case strings.HasPrefix(f.Reason, "$"):
		payload["reason.$"] = f.Reason
	default:
		payload["reason"] = f.Reason
	}
	maps.Copy(payload, f.Payload)
	if f.OutcomeOf != "" {
		payload["transaction_id.$"] = f.OutcomeOf + ".transaction_id"
	}
	return flow.Task{
		Comment: f.Comment, Function: "JourneysFinish", Payload: payload, Timeout: functionTimeout,
		OutputPath: flow.Discard, Retry: retryStep, Next: flow.End,
	}.Raw()
}

// readCause is a state that reads the text of the error at $.error, for a choice by its code: $.error.refusal has its
// errorType, and its errorMessage, which is the code.
type readCause struct{ Comment, Next string }

// Raw implements flow.State.
func (r readCause) Raw() flow.Raw {
	return flow.Pass{
		Comment:    r.Comment,
		Template:   flow.F{"Cause.$": "$.error.Cause", "refusal.$": "States.StringToJson($.error.Cause)"},
		ResultPath: "$.error", Next: r.Next,
	}.Raw()
}
