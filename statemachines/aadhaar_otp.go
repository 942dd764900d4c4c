package statemachines

import (
	"time"

	"sallyport/shared/asl/flow"
)

// aadhaarOTP is the journey aadhaar-otp.
func aadhaarOTP() *flow.Machine {
	m := &flow.Machine{
		Comment: "Verifies that a person holds the mobile number behind an Aadhaar number. State carries references " +
			"and codes only.",
		Timeout: 2 * time.Hour,
	}
	m.Add("OpenTransaction", call{
		Comment:  "The journey's id is Equal's idempotency id: one transaction, however often this is tried.",
		Function: "EqualInitTransaction",
		Body:     flow.F{"gateway_instance_id.$": "$.gateway_instance_id", "idempotency_id.$": "$.journey_id"},
		Keep:     "exchange_transaction_id",
		Retry:    retryEffect,
		Catch: []flow.Catch{
			flow.On("Refused", "ReadDecline"),
			flow.On("InvalidInput CredentialsRejected", "ReadFailure"),
			flow.On(flow.All, "FinishUndetermined"),
		},
		Next: "Begin",
	})
	m.Add("Begin", flow.Pass{
		Template: flow.F{
			"exchange_transaction_id.$": "$.result.exchange_transaction_id", "send": 0, "verify": 0, "request": 0,
			"attempts_left": 3, "fetch": 0,
		},
		ResultPath: "$.now", Next: "SendOTP",
	})
	m.Add("SendOTP", call{
		Comment:  "Sends an SMS. A lost answer is never repeated by itself: the person knows whether it arrived.",
		Function: "EqualExecuteJourney", Round: "$.now.send",
		Body: flow.F{
			"transaction_id.$": "$.now.exchange_transaction_id", "journey_id.$": "$.partner_journey_id",
			"request_id.$": "States.Format('{}-send-{}', $.journey_id, $.now.send)",
			"input_data":   flow.F{"aadhaar_no.$": "$.aadhaar_no"},
		},
		Keep:  "transaction_id",
		Retry: retryEffect,
		Catch: []flow.Catch{
			flow.On("OutcomeUnknown", "PerhapsSent"),
			flow.On("Conflict", "SentTooSoon"),
			flow.On("Refused", "ReadDecline"),
			flow.On("InvalidInput CredentialsRejected", "ReadFailure"),
			flow.On(flow.All, "FinishUndetermined"),
		},
		Next: "Sent",
	})
	m.Add("Sent", flow.Pass{
		Template: flow.F{
			"exchange_transaction_id.$": "$.now.exchange_transaction_id", "send.$": "$.now.send",
			"verify.$": "$.now.verify", "request.$": "States.MathAdd($.now.request, 1)", "fetch.$": "$.now.fetch",
			"attempts_left": 3,
		},
		ResultPath: "$.now", Next: "OTPSent",
	})
	m.Add("OTPSent", flow.Pass{
		Value: flow.F{"reason": "", "delivery": "sent", "accepts": []any{"otp", "resend"}}, ResultPath: "$.wait",
		Next: "AwaitPerson",
	})
	m.Add("PerhapsSent", flow.Pass{
		Template: flow.F{
			"exchange_transaction_id.$": "$.now.exchange_transaction_id", "send.$": "$.now.send",
			"verify.$": "$.now.verify", "request.$": "States.MathAdd($.now.request, 1)", "fetch.$": "$.now.fetch",
			"attempts_left": 3,
		},
		ResultPath: "$.now", Next: "DeliveryUnknown",
	})
	m.Add("DeliveryUnknown", flow.Pass{
		Value:      flow.F{"reason": "delivery_unknown", "delivery": "unknown", "accepts": []any{"otp", "resend"}},
		ResultPath: "$.wait", Next: "AwaitPerson",
	})
	m.Add("SentTooSoon", flow.Pass{
		Value:      flow.F{"reason": "otp_request_too_soon", "delivery": "not_sent", "accepts": []any{"otp", "resend"}},
		ResultPath: "$.wait", Next: "AwaitPerson",
	})
	m.Add("AwaitPerson", await{
		Comment: "The person is told 35 seconds less than the state waits, so that an input in time always finds it " +
			"waiting.",
		Kind: "otp",
		Payload: flow.F{
			"seconds": 565, "reason.$": "$.wait.reason",
			"details": flow.F{
				"delivery.$": "$.wait.delivery", "attempts_left.$": "States.Format('{}', $.now.attempts_left)",
			},
			"accepts.$": "$.wait.accepts",
		},
		Timeout: 10 * time.Minute, ResultPath: "$.input",
		Catch: []flow.Catch{flow.On("States.Timeout", "FinishExpired"), flow.On(flow.All, "FinishUndetermined")},
		Next:  "WhatNow",
	})
	m.Add("WhatNow", flow.Choice{
		Rules: []flow.Rule{
			flow.When(flow.Is("$.input.kind", "otp"), "CountVerify"),
			flow.When(flow.Is("$.input.kind", "resend"), "CountSend"),
		},
		Default: "FinishUndetermined",
	})
	m.Add("CountSend", flow.Pass{
		Template: flow.F{
			"exchange_transaction_id.$": "$.now.exchange_transaction_id", "send.$": "States.MathAdd($.now.send, 1)",
			"verify.$": "$.now.verify", "request.$": "$.now.request", "attempts_left.$": "$.now.attempts_left",
			"fetch.$": "$.now.fetch",
		},
		ResultPath: "$.now", Next: "MaySend",
	})
	m.Add("MaySend", flow.Choice{
		Rules:   []flow.Rule{flow.When(flow.Below("$.now.send", 6), "SendOTP")},
		Default: "TooManySent",
	})
	m.Add("TooManySent", flow.Pass{
		Value:      flow.F{"reason": "resend_limit", "delivery": "not_sent", "accepts": []any{"otp"}},
		ResultPath: "$.wait", Next: "AwaitPerson",
	})
	m.Add("CountVerify", flow.Pass{
		Template: flow.F{
			"exchange_transaction_id.$": "$.now.exchange_transaction_id", "send.$": "$.now.send",
			"verify.$": "States.MathAdd($.now.verify, 1)", "request.$": "$.now.request",
			"attempts_left.$": "$.now.attempts_left", "fetch.$": "$.now.fetch",
		},
		ResultPath: "$.now", Next: "VerifyOTP",
	})
	m.Add("VerifyOTP", call{
		Comment:  "request_id changes after a definite answer only, so that Equal can know a repeat after a lost one.",
		Function: "EqualExecuteJourney", Round: "$.now.verify",
		Body: flow.F{
			"transaction_id.$": "$.now.exchange_transaction_id", "journey_id.$": "$.partner_journey_id",
			"request_id.$": "States.Format('{}-verify-{}', $.journey_id, $.now.request)",
			"input_data":   flow.F{"aadhaar_no.$": "$.aadhaar_no", "otp.$": "$.input.otp"},
		},
		Keep:  "transaction_id status status_code decision named journey_transaction_id",
		Retry: retryEffect,
		Catch: []flow.Catch{
			flow.On("OutcomeUnknown", "VerificationUnknown"),
			flow.On("Conflict", "NoLiveOTP"),
			flow.On("Refused", "ReadRefusal"),
			flow.On("InvalidInput CredentialsRejected", "ReadMistake"),
			flow.On(flow.All, "FinishUndetermined"),
		},
		Next: "Verified",
	})
	m.Add("Verified", flow.Choice{
		Rules: []flow.Rule{
			flow.When(succeededWith("CLEAR", ""), "FinishVerified"),
			flow.When(succeededWith("MUST REVIEW", "NEEDS REVIEW"), "FinishReview"),
			flow.When(flow.Is("$.result.status", "IN_PROGRESS"), "Poll"),
		},
		Default: "FinishUndetermined",
	})
	m.Add("VerificationUnknown", flow.Pass{
		Value:      flow.F{"reason": "verification_unknown", "delivery": "sent", "accepts": []any{"otp"}},
		ResultPath: "$.wait", Next: "AwaitPerson",
	})
	m.Add("NoLiveOTP", flow.Pass{
		Template: flow.F{
			"exchange_transaction_id.$": "$.now.exchange_transaction_id", "send.$": "$.now.send",
			"verify.$": "$.now.verify", "request.$": "States.MathAdd($.now.request, 1)",
			"attempts_left.$": "$.now.attempts_left", "fetch.$": "$.now.fetch",
		},
		ResultPath: "$.now", Next: "OTPNotGenerated",
	})
	m.Add("OTPNotGenerated", flow.Pass{
		Value:      flow.F{"reason": "otp_not_generated", "delivery": "not_sent", "accepts": []any{"otp", "resend"}},
		ResultPath: "$.wait", Next: "AwaitPerson",
	})
	m.Add("ReadRefusal", readCause{Next: "WhyRefused"})
	m.Add("WhyRefused", flow.Choice{
		Rules: []flow.Rule{
			flow.When(flow.Is("$.error.refusal.errorMessage", "invalid_otp"), "TakeAttempt"),
			flow.When(flow.Is("$.error.refusal.errorMessage", "otp_expired"), "Expired"),
		},
		Default: "FinishRefused",
	})
	m.Add("TakeAttempt", flow.Pass{
		Template: flow.F{
			"exchange_transaction_id.$": "$.now.exchange_transaction_id", "send.$": "$.now.send",
			"verify.$": "$.now.verify", "request.$": "States.MathAdd($.now.request, 1)",
			"attempts_left.$": "States.MathAdd($.now.attempts_left, -1)", "fetch.$": "$.now.fetch",
		},
		ResultPath: "$.now", Next: "AttemptsLeft",
	})
	m.Add("AttemptsLeft", flow.Choice{
		Rules:   []flow.Rule{flow.When(flow.Above("$.now.attempts_left", 0), "WrongOTP")},
		Default: "FinishRefused",
	})
	m.Add("WrongOTP", flow.Pass{
		Value:      flow.F{"reason": "invalid_otp", "delivery": "sent", "accepts": []any{"otp", "resend"}},
		ResultPath: "$.wait", Next: "AwaitPerson",
	})
	m.Add("Expired", flow.Pass{
		Template: flow.F{
			"exchange_transaction_id.$": "$.now.exchange_transaction_id", "send.$": "$.now.send",
			"verify.$": "$.now.verify", "request.$": "States.MathAdd($.now.request, 1)",
			"attempts_left.$": "$.now.attempts_left", "fetch.$": "$.now.fetch",
		},
		ResultPath: "$.now", Next: "OTPExpired",
	})
	m.Add("OTPExpired", flow.Pass{
		Value:      flow.F{"reason": "otp_expired", "delivery": "expired", "accepts": []any{"otp", "resend"}},
		ResultPath: "$.wait", Next: "AwaitPerson",
	})
	m.Add("Poll", flow.Pass{
		Template:   flow.F{"journey_transaction_id.$": "$.result.journey_transaction_id"},
		ResultPath: "$.poll", Next: "WaitForSource",
	})
	m.Add("WaitForSource", flow.Wait{For: 5 * time.Second, Next: "CountFetch"})
	m.Add("CountFetch", flow.Pass{
		Template: flow.F{
			"exchange_transaction_id.$": "$.now.exchange_transaction_id", "send.$": "$.now.send",
			"verify.$": "$.now.verify", "request.$": "$.now.request", "attempts_left.$": "$.now.attempts_left",
			"fetch.$": "States.MathAdd($.now.fetch, 1)",
		},
		ResultPath: "$.now", Next: "FetchData",
	})
	m.Add("FetchData", call{
		Function: "EqualFetchData", Round: "$.now.fetch",
		Body: flow.F{
			"transaction_id.$":         "$.now.exchange_transaction_id",
			"journey_transaction_id.$": "$.poll.journey_transaction_id",
		},
		Keep:  "transaction_id status status_code decision named journey_transaction_id",
		Retry: retryRead,
		Catch: []flow.Catch{
			flow.On("Refused", "ReadDecline"),
			flow.On("InvalidInput CredentialsRejected", "ReadFailure"),
			flow.On(flow.All, "FinishUndetermined"),
		},
		Next: "Fetched",
	})
	m.Add("Fetched", flow.Choice{
		Rules: []flow.Rule{
			flow.When(succeededWith("CLEAR", ""), "FinishVerified"),
			flow.When(succeededWith("MUST REVIEW", "NEEDS REVIEW"), "FinishReview"),
			flow.When(
				flow.And(flow.Is("$.result.status", "IN_PROGRESS"), flow.Below("$.now.fetch", 60)), "WaitForSource",
			),
		},
		Default: "FinishUndetermined",
	})
	m.Add("ReadFailure", readCause{Next: "WhyFailed"})
	m.Add("ReadDecline", readCause{Next: "FinishRefused"})
	m.Add("ReadMistake", readCause{Next: "WhyMistaken"})
	m.Add("WhyMistaken", flow.Choice{
		Rules: []flow.Rule{
			flow.When(
				flow.OneOf("$.error.refusal.errorMessage", "invalid_otp", "document_not_found"),
				"OTPNotReadable",
			),
		},
		Default: "WhyFailed",
	})
	m.Add("OTPNotReadable", flow.Pass{
		Template: flow.F{
			"reason": "otp_not_readable", "delivery.$": "$.wait.delivery", "accepts.$": "$.wait.accepts",
		},
		ResultPath: "$.wait", Next: "AwaitPerson",
	})
	m.Add("WhyFailed", flow.Choice{
		Rules:   []flow.Rule{flow.When(flow.Is("$.error.refusal.errorMessage", "invalid_aadhaar_no"), "FinishRefused")},
		Default: "FinishFailed",
	})
	m.Add("FinishVerified", finish{
		Status: "SUCCEEDED", Reason: "$.result.status_code",
		OutcomeOf: "$.result",
		Brief:     true,
	})
	m.Add("FinishReview", finish{
		Status: "REVIEW", Reason: "$.result.decision",
		OutcomeOf: "$.result",
		Brief:     true,
	})
	m.Add("FinishRefused", finish{Status: "REJECTED", Reason: "$.error.refusal.errorMessage", Brief: true})
	m.Add("FinishExpired", finish{Status: "EXPIRED", Reason: "no_input", Brief: true})
	m.Add("FinishFailed", finish{Status: "FAILED", Reason: "$.error.refusal.errorMessage", Brief: true})
	m.Add("FinishUndetermined", finish{Status: "FAILED", Reason: "undetermined", Brief: true})
	m.Add("Ended", flow.Succeed{})
	return m
}

// succeededWith holds where the source knows the person and has come to one of some decisions.
func succeededWith(decisions ...string) flow.Condition {
	return flow.And(
		flow.Is("$.result.status", "SUCCESS"), flow.Is("$.result.status_code", "success"),
		flow.Is("$.result.named", true), flow.OneOf("$.result.decision", decisions...),
	)
}
