package statemachines

import (
	"time"

	"sallyport/shared/asl/flow"
)

// iecVerification is the journey iec-verification.
func iecVerification() *flow.Machine {
	m := &flow.Machine{
		Comment: "Has an importer's licence verified where the tenant's settings say so. State carries references " +
			"and codes only: the partner's handle, too, tells nothing without the credentials.",
		Timeout: 32 * 24 * time.Hour,
	}
	m.Add("Begin", flow.Pass{
		Comment: "record: of the partner's, by which a callback ends a wait.",
		Template: flow.F{
			"tenant.$": "$.tenant", "journey_id.$": "$.journey_id", "application.$": "$.application",
			"facts.$": "$.facts", "request.$": "$.request", "record": "",
		},
		Next: "Evaluate",
	})
	m.Add("Evaluate", flow.Task{
		Comment: "The tenant's settings, which the journey keeps from here on, decide whether there is anything to " +
			"verify.",
		Function: "WorkflowsEvaluate",
		Payload:  flow.F{"tenant.$": "$.tenant", "application.$": "$.application", "facts.$": "$.facts"},
		Timeout:  functionTimeout, Keep: "run reason claims notification_way", ResultPath: "$.settings",
		Retry: retryStepBriefly,
		Catch: []flow.Catch{flow.On("InvalidInput", "ReadFailure"), flow.On(flow.All, "FinishUndetermined")},
		Next:  "Runs",
	})
	m.Add("Runs", flow.Choice{
		Rules:   []flow.Rule{flow.When(flow.Is("$.settings.run", true), "Trigger")},
		Default: "FinishSkipped",
	})
	m.Add("Trigger", call{
		Comment:  "Nothing tells what became of a lost request, so none is sent twice.",
		Function: "EztoTriggerRequest", Query: flow.F{"application.$": "$.application"}, BodyPath: "$.request",
		Keep: "transaction_id auth_req_id left grace interval back record user_record", ResultPath: "$.begun",
		Retry: retryEffect,
		Catch: []flow.Catch{
			flow.On("InvalidInput Refused Conflict CredentialsRejected", "ReadRefusal"),
			flow.On("OutcomeUnknown InFlight States.Timeout Sandbox.Timedout Runtime.ExitError", "FinishUnknown"),
			flow.On(flow.All, "FinishUndetermined"),
		},
		Next: "Count",
	})
	m.Add("Count", flow.Pass{
		Comment: "left: how long the page is there still, in seconds, but for a last grace. wait: how long the next " +
			"wait lasts; back: the same below zero.",
		Template: flow.F{
			"left.$": "$.begun.left", "wait.$": "$.begun.interval", "back.$": "$.begun.back",
			"grace.$": "$.begun.grace",
		},
		ResultPath: "$.now", Next: "Way",
	})
	m.Add("Way", flow.Choice{
		Comment: "A ping carries the handle, a pushed result the user.",
		Rules: []flow.Rule{
			flow.When(flow.Is("$.settings.notification_way", "ping"), "HearPing"),
			flow.When(flow.Is("$.settings.notification_way", "push"), "HearPush"),
		},
		Default: "LastWait",
	})
	m.Add("HearPing", flow.Pass{InputPath: "$.begun.record", ResultPath: "$.record", Next: "LastWait"})
	m.Add("HearPush", flow.Pass{InputPath: "$.begun.user_record", ResultPath: "$.record", Next: "LastWait"})
	m.Add("LastWait", flow.Choice{
		Comment: "The last wait ends with the page.",
		Rules:   []flow.Rule{flow.When(flow.AbovePath("$.now.wait", "$.now.left"), "CutWait")},
		Default: "AwaitResult",
	})
	m.Add("CutWait", flow.Pass{InputPath: "$.now.left", ResultPath: "$.now.wait", Next: "AwaitResult"})
	m.Add("AwaitResult", await{
		Comment: "A callback ends the wait, else the interval does. It is a hint: the result is read after it.",
		Kind:    "iec",
		Payload: flow.F{
			"record.$": "$.record", "seconds.$": "$.now.left", "reason": "pending", "accepts": []any{},
			"details": flow.F{}, "shows": []any{"url", "link", "qr"}, "transaction_id.$": "$.begun.transaction_id",
		},
		TimeoutPath: "$.now.wait", ResultPath: flow.Discard,
		Catch: []flow.Catch{flow.On("States.Timeout", "CountWait"), flow.On(flow.All, "WaitUnlisted")},
		Next:  "GetResult",
	})
	m.Add("WaitUnlisted", flow.Wait{
		Comment: "Where the wait can't be recorded, the interval passes all the same.",
		ForPath: "$.now.wait", Next: "CountWait",
	})
	m.Add("CountWait", flow.Pass{
		Comment: "Each wait is longer than the last by five seconds: a page of thirty days is asked after a thousand " +
			"times.",
		Template: flow.F{
			"left.$": "States.MathAdd($.now.left, $.now.back)", "wait.$": "States.MathAdd($.now.wait, 5)",
			"back.$": "States.MathAdd($.now.back, -5)", "grace.$": "$.now.grace",
		},
		ResultPath: "$.now", Next: "GetResult",
	})
	m.Add("GetResult", call{
		Function: "EztoGetResult", Query: flow.F{"application.$": "$.application"},
		Body:  flow.F{"auth_req_id.$": "$.begun.auth_req_id"},
		Keep:  "state transaction_id",
		Retry: retryRead,
		Catch: []flow.Catch{
			flow.On("InvalidInput Refused Conflict", "ReadFailure"),
			flow.On(flow.All, "MayReadAgain"),
		},
		Next: "Stands",
	})
	m.Add("Stands", flow.Choice{
		Comment: "A check that has finished is not yet a licence that is good.",
		Rules: []flow.Rule{
			flow.When(flow.Is("$.result.state", "valid"), "FinishValid"),
			flow.When(
				flow.OneOf("$.result.state", "suspended", "cancelled", "deactivated", "denied"),
				"FinishRejected",
			),
			flow.When(flow.OneOf("$.result.state", "unverified", "skipped", "incomplete", "other"), "FinishReview"),
			flow.When(flow.Is("$.result.state", "failed"), "FinishSourceFailed"),
			flow.When(flow.Is("$.result.state", "expired"), "FinishExpired"),
			flow.When(flow.Above("$.now.left", 0), "LastWait"),
			flow.When(flow.Above("$.now.grace", 0), "LastChance"),
		},
		Default: "FinishExpired",
	})
	m.Add("LastChance", flow.Pass{
		Comment: "The result may have gone with the page, so it was just read before; now once after.",
		Value:   flow.F{"left": 15, "wait": 15, "back": -15, "grace": 0}, ResultPath: "$.now", Next: "AwaitResult",
	})
	m.Add("MayReadAgain", flow.Choice{
		Rules: []flow.Rule{
			flow.When(flow.Above("$.now.left", 0), "LastWait"),
			flow.When(flow.Above("$.now.grace", 0), "LastChance"),
		},
		Default: "FinishUndetermined",
	})
	m.Add("ReadFailure", readCause{Next: "FinishFailed"})
	m.Add("ReadRefusal", readCause{Next: "Denied"})
	m.Add("Denied", flow.Choice{
		Comment: "The rules of the partner's own gate.",
		Rules:   []flow.Rule{flow.When(flow.Is("$.error.refusal.errorMessage", "access_denied"), "FinishDenied")},
		Default: "FinishFailed",
	})
	m.Add("FinishSkipped", finish{
		Comment: "The tenant's own settings say that there is nothing to verify.",
		Status:  "SUCCEEDED", Reason: "$.settings.reason",
		Payload: flow.F{"outcome": flow.F{"skipped": true, "reason.$": "$.settings.reason"}},
	})
	m.Add("FinishValid", finish{
		Status: "SUCCEEDED", Reason: "valid",
		Payload: flow.F{"transaction_id.$": "$.result.transaction_id", "wanted.$": "$.settings.claims"},
	})
	m.Add("FinishRejected", finish{
		Status: "REJECTED", Reason: "$.result.state",
		Payload: flow.F{"transaction_id.$": "$.result.transaction_id", "wanted.$": "$.settings.claims"},
	})
	m.Add("FinishDenied", finish{Status: "REJECTED", Reason: "denied"})
	m.Add("FinishReview", finish{
		Status: "REVIEW", Reason: "$.result.state",
		Payload: flow.F{"transaction_id.$": "$.result.transaction_id", "wanted.$": "$.settings.claims"},
	})
	m.Add("FinishSourceFailed", finish{Status: "FAILED", Reason: "request_failed"})
	m.Add("FinishExpired", finish{Status: "EXPIRED", Reason: "link_expired"})
	m.Add("FinishUnknown", finish{
		Comment: "Somebody may have been asked, by a page that nobody knows.",
		Status:  "FAILED", Reason: "trigger_unknown",
	})
	m.Add("FinishFailed", finish{Status: "FAILED", Reason: "$.error.refusal.errorMessage"})
	m.Add("FinishUndetermined", finish{Status: "FAILED", Reason: "undetermined"})
	m.Add("Ended", flow.Succeed{})
	return m
}
