package statemachines

import (
	"time"

	"sallyport/shared/asl/flow"
)

// iecVerification is the journey iec-verification.
//
// $.check.time, in seconds: left is how long the page is there still, but for a last grace; wait is how long the next
// wait lasts; back is an interval below zero. $.check.subscribed is the partner's record whose callback ends a wait,
// $.check.read the result as it was last read, at first the request for it.
func iecVerification() *flow.Machine {
	isLastWait := flow.And(flow.Above("$.check.time.left", 0), flow.AbovePath("$.check.time.wait", "$.check.time.left"))
	wanted := flow.F{"wanted.$": "$.settings.claims"}
	m := &flow.Machine{
		Comment: "Has an importer's licence verified where the tenant's settings say so. State carries references " +
			"and codes only: the partner's handle, too, tells nothing without the credentials.",
		Timeout: 32 * 24 * time.Hour,
	}
	m.Add("Evaluate", flow.Task{
		Comment: "The tenant's settings, which the journey keeps from here on, decide whether there is anything to " +
			"verify.",
		Function: "WorkflowsEvaluate",
		Payload:  flow.F{"tenant.$": "$.tenant", "application.$": "$.application", "facts.$": "$.facts"},
		Timeout:  functionTimeout, Keep: "run reason claims notification_way verification_way shows",
		ResultPath: "$.settings",
		Retry:      retryStep,
		Catch:      flow.On("InvalidInput", "FinishFailed").Else("FinishUndetermined"),
		Next:       "RouteBySettings",
	})
	m.Add("RouteBySettings", flow.If(flow.Is("$.settings.run", true), "Trigger", "FinishSkipped"))
	m.Add("Trigger", call{
		Comment:  "Nothing tells what became of a lost request, so none is sent twice.",
		Function: "EztoTriggerRequest", Query: flow.F{"application.$": "$.application"}, BodyPath: "$.request",
		Keep: "transaction_id auth_req_id record user_record",
		Select: flow.F{
			"subscribed": "", "read": flow.F{"transaction_id.$": "$.Payload.transaction_id"},
			"time": flow.F{
				"left.$": "$.Payload.left", "wait.$": "$.Payload.wait", "back.$": "$.Payload.back",
				"grace.$": "$.Payload.grace",
			},
		},
		ResultPath: "$.check",
		Retry:      retryEffect,
		Catch: []flow.Catch{
			flow.On("InvalidInput Refused Conflict CredentialsRejected", "ReadRefusal"),
			flow.On("OutcomeUnknown InFlight States.Timeout Sandbox.Timedout Runtime.ExitError", "FinishUnknown"),
			flow.On(flow.All, "FinishUndetermined"),
		},
		Next: "RouteByNotification",
	})
	m.Add("RouteByNotification", flow.Choice{
		Comment: "A ping carries the handle, a pushed result the user.",
		Rules: []flow.Rule{
			flow.When(flow.Is("$.settings.notification_way", "ping"), "SubscribePing"),
			flow.When(flow.Is("$.settings.notification_way", "push"), "SubscribePush"),
		},
		Default: "AwaitResult",
	})
	m.Add("SubscribePing", flow.Pass{InputPath: "$.check.record", ResultPath: "$.check.subscribed", Next: "AwaitResult"})
	m.Add("SubscribePush", flow.Pass{
		InputPath: "$.check.user_record", ResultPath: "$.check.subscribed", Next: "AwaitResult",
	})
	m.Add("CutWait", flow.Pass{InputPath: "$.check.time.left", ResultPath: "$.check.time.wait", Next: "AwaitResult"})
	m.Add("AwaitResult", await{
		Comment: "A callback ends the wait, else the interval does. It is a hint: the result is read after it.",
		Kind:    "iec",
		Payload: flow.F{
			"record.$": "$.check.subscribed", "read.$": "$.check.read.transaction_id",
			"seconds.$": "$.check.time.left", "reason": "pending", "accepts": []any{},
			"details": flow.F{"verification_way.$": "$.settings.verification_way"},
			"shows.$": "$.settings.shows", "transaction_id.$": "$.check.transaction_id",
		},
		TimeoutPath: "$.check.time.wait", ResultPath: flow.Discard,
		Catch: flow.On("States.Timeout", "CountWait").Else("WaitUnlisted"),
		Next:  "GetResult",
	})
	m.Add("WaitUnlisted", flow.Wait{
		Comment: "Where the wait can't be recorded, the interval passes all the same.",
		ForPath: "$.check.time.wait", Next: "CountWait",
	})
	m.Add("CountWait", flow.Pass{
		Comment: "Each wait is longer than the last by five seconds: a page of thirty days is asked after a thousand " +
			"times.",
		Template: flow.F{
			"left.$": "States.MathAdd($.check.time.left, $.check.time.back)", "wait.$": "States.MathAdd($.check.time.wait, 5)",
			"back.$": "States.MathAdd($.check.time.back, -5)", "grace.$": "$.check.time.grace",
		},
		ResultPath: "$.check.time", Next: "GetResult",
	})
	m.Add("GetResult", call{
		Function: "EztoGetResult", Query: flow.F{"application.$": "$.application"},
		Body: flow.F{"auth_req_id.$": "$.check.auth_req_id"},
		Keep: "state transaction_id", ResultPath: "$.check.read",
		Retry: retryRead,
		Catch: flow.On("InvalidInput Refused Conflict", "FinishFailed").Else("CheckTime"),
		Next:  "RouteByState",
	})
	m.Add("RouteByState", flow.Choice{
		Comment: "A check that has finished is not yet a licence that is good.",
		Rules: []flow.Rule{
			flow.When(flow.Is("$.check.read.state", "valid"), "FinishValid"),
			flow.When(
				flow.OneOf("$.check.read.state", "suspended", "cancelled", "deactivated"),
				"FinishRejected",
			),
			flow.When(
				flow.OneOf("$.check.read.state", "unverified", "skipped", "incomplete", "implausible", "other"),
				"FinishReview",
			),
			flow.When(flow.Is("$.check.read.state", "denied"), "FinishDenied"),
			flow.When(flow.Is("$.check.read.state", "failed"), "FinishSourceFailed"),
			flow.When(isLastWait, "CutWait"),
			flow.When(flow.Above("$.check.time.left", 0), "AwaitResult"),
			flow.When(flow.Above("$.check.time.grace", 0), "ReadLate"),
		},
		Default: "FinishExpired",
	})
	m.Add("ReadLate", flow.Pass{
		Comment: "The result may have gone with the page, so it was just read before; now once after.",
		Value:   flow.F{"left": 15, "wait": 15, "back": -15, "grace": 0}, ResultPath: "$.check.time", Next: "AwaitResult",
	})
	m.Add("CheckTime", flow.Choice{
		Rules: []flow.Rule{
			flow.When(isLastWait, "CutWait"),
			flow.When(flow.Above("$.check.time.left", 0), "AwaitResult"),
			flow.When(flow.Above("$.check.time.grace", 0), "ReadLate"),
		},
		Default: "FinishUndetermined",
	})
	m.Add("ReadRefusal", readCause{Next: "RouteByRefusal"})
	m.Add("RouteByRefusal", flow.Choice{
		Comment: "The rules of the partner's own gate.",
		Rules:   []flow.Rule{flow.When(flow.Is("$.error.refusal.errorMessage", "access_denied"), "FinishDenied")},
		Default: "FinishFailed",
	})
	m.Add("FinishSkipped", finish{
		Comment: "The tenant's own settings say that there is nothing to verify.",
		Status:  "SUCCEEDED", Reason: "$.settings.reason", Source: "the tenant's own rule",
		Payload: flow.F{"outcome": flow.F{"skipped": true, "reason.$": "$.settings.reason"}},
	})
	m.Add("FinishValid", finish{
		Status: "SUCCEEDED", Reason: "valid", OutcomeOf: "$.check.read", Payload: wanted, Source: "§6.1",
	})
	m.Add("FinishRejected", finish{
		Status: "REJECTED", Reason: "$.check.read.state", OutcomeOf: "$.check.read", Payload: wanted, Source: "§12.2",
	})
	m.Add("FinishDenied", finish{
		Comment: "How EZTO says that somebody declines, or is turned away, no page says.",
		Status:  "REVIEW", Reason: "denied",
	})
	m.Add("FinishReview", finish{
		Status: "REVIEW", Reason: "$.check.read.state", OutcomeOf: "$.check.read", Payload: wanted,
	})
	m.Add("FinishSourceFailed", finish{Status: "FAILED", Reason: "request_failed"})
	m.Add("FinishExpired", finish{Status: "EXPIRED", Reason: "link_expired"})
	m.Add("FinishUnknown", finish{
		Comment: "Somebody may have been asked, by a page that nobody knows.",
		Status:  "FAILED", Reason: "trigger_unknown",
	})
	m.Add("FinishFailed", finish{Status: "FAILED", Reason: caught})
	m.Add("FinishUndetermined", finish{Status: "FAILED", Reason: "undetermined"})
	return m
}
