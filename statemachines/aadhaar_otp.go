package statemachines

import (
	"maps"
	"time"

	"sallyport/shared/asl/flow"
)

// aadhaarOTP is the journey aadhaar-otp.
//
// $.now.send is the round of SendOTP, $.now.verify that of VerifyOTP. $.now.answered counts Equal's answers to
// verifications. $.now.otp is what the person is told: round is that of the sending whose OTP is the latest.
func aadhaarOTP() *flow.Machine {
	isInProgress := flow.Is("$.result.status", "IN_PROGRESS")
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
		Select: flow.F{
			"send": 0, "verify": 0, "answered": 0, "otp": flow.F{"round": 0, "attempts_left": attempts},
		},
		ResultPath: "$.now",
		Retry:      retryEffect,
		Catch: []flow.Catch{
			flow.On("Refused InvalidInput CredentialsRejected", "FinishFailed"),
			flow.On(flow.All, "FinishUndetermined"),
		},
		Next: "SendOTP",
	})
	m.Add("SendOTP", call{
		Comment:  "Sends an SMS. A lost answer is never repeated by itself: the person knows whether it arrived.",
		Function: "EqualExecuteJourney", Round: "$.now.send",
		Body: flow.F{
			"transaction_id.$": "$.now.exchange_transaction_id", "journey_id.$": "$.partner_journey_id",
			"request_id.$": "States.Format('{}-send-{}', $.journey_id, $.now.send)",
			"input_data":   flow.F{"aadhaar_no.$": "$.aadhaar_no"},
		},
		Keep: "round", Select: told("", "sent", "otp", "resend").with(flow.F{"attempts_left": attempts}),
		ResultPath: "$.now.otp",
		Retry:      retryEffect,
		Catch: []flow.Catch{
			flow.On("OutcomeUnknown", "SentUnknown"),
			flow.On("Refused", "ReadSendRefusal"),
			flow.On("InvalidInput CredentialsRejected", "ReadFailure"),
			flow.On(flow.All, "FinishUndetermined"),
		},
		Next: "AwaitPerson",
	})
	m.Add("SentUnknown", flow.Pass{
		Template: told("delivery_unknown", "unknown", "otp", "resend").with(flow.F{
			"round.$": "$.now.send", "attempts_left": attempts,
		}),
		ResultPath: "$.now.otp", Next: "AwaitPerson",
	})
	m.Add("ReadSendRefusal", readCause{Next: "RouteBySendRefusal"})
	m.Add("RouteBySendRefusal", flow.Choice{
		Comment: "Whom an OTP was sent to before may still enter it, whatever keeps another one from being sent.",
		Rules: []flow.Rule{
			flow.When(isNotFound, "FinishRefused"),
			flow.When(flow.Is(refusal, "otp_request_too_soon"), "NotSent"),
			flow.When(flow.Above("$.now.send", 0), "NotSent"),
		},
		Default: "FinishSendRefused",
	})
	m.Add("NotSent", flow.Pass{
		Template:   told("", "not_sent", "otp", "resend").withRefusal(),
		ResultPath: "$.now.otp", Next: "AwaitPerson",
	})
	m.Add("AwaitPerson", await{
		Comment: "The person is told 35 seconds less than the state waits, so that an input in time always finds it " +
			"waiting.",
		Kind: "otp",
		Payload: flow.F{
			"seconds": 565, "reason.$": "$.now.otp.reason",
			"details": flow.F{
				"delivery.$": "$.now.otp.delivery", "attempts_left.$": "States.Format('{}', $.now.otp.attempts_left)",
			},
			"accepts.$": "$.now.otp.accepts",
		},
		Timeout: 10 * time.Minute, ResultPath: "$.input",
		Catch: flow.On("States.Timeout", "FinishExpired").Else("FinishUndetermined"),
		Next:  "RouteByInput",
	})
	m.Add("RouteByInput", flow.Choice{
		Rules: []flow.Rule{
			flow.When(flow.Is("$.input.kind", "otp"), "VerifyOTP"),
			flow.When(flow.Is("$.input.kind", "resend"), "CountSend"),
		},
		Default: "FinishUndetermined",
	})
	m.Add("CountSend", flow.Pass{
		Template:   verifications(flow.F{"send.$": "States.MathAdd($.now.send, 1)", "otp.$": "$.now.otp"}),
		ResultPath: "$.now", Next: "CheckSends",
	})
	m.Add("CheckSends", flow.If(flow.Below("$.now.send", 6), "SendOTP", "TooManySent"))
	m.Add("TooManySent", flow.Pass{
		Template:   told("resend_limit", "not_sent", "otp").with(sameOTP),
		ResultPath: "$.now.otp", Next: "AwaitPerson",
	})
	m.Add("VerifyOTP", call{
		Comment: "request_id changes after a definite answer only, so that Equal can know a repeat after a lost one. " +
			"fetch counts the readings that follow.",
		Function: "EqualExecuteJourney", Round: "$.now.verify",
		Body: flow.F{
			"transaction_id.$": "$.now.exchange_transaction_id", "journey_id.$": "$.partner_journey_id",
			"request_id.$": "States.Format('{}-verify-{}-{}', $.journey_id, $.now.otp.round, $.now.answered)",
			"input_data":   flow.F{"aadhaar_no.$": "$.aadhaar_no", "otp.$": "$.input.otp"},
		},
		Keep:   "transaction_id status status_code decision named aadhaar_mismatch journey_transaction_id",
		Select: flow.F{"fetch": 0},
		Retry:  retryEffect,
		Catch: []flow.Catch{
			flow.On("OutcomeUnknown", "VerificationUnknown"),
			flow.On("Refused", "ReadRefusal"),
			flow.On("InvalidInput CredentialsRejected", "ReadMistake"),
			flow.On(flow.All, "FinishUndetermined"),
		},
		Next: "RouteByDecision",
	})
	m.Add("RouteByDecision", flow.Choice{
		Rules: []flow.Rule{
			flow.When(flow.Is("$.result.aadhaar_mismatch", "true"), "FinishMismatch"),
			flow.When(succeededWith("CLEAR", ""), "FinishVerified"),
			flow.When(succeededWith("MUST REVIEW", "NEEDS REVIEW"), "FinishReview"),
			flow.When(flow.And(isInProgress, flow.Is("$.result.fetch", 0)), "KeepHandle"),
			flow.When(flow.And(isInProgress, flow.Below("$.result.fetch", 60)), "WaitForSource"),
		},
		Default: "FinishUndecided",
	})
	m.Add("KeepHandle", flow.Pass{
		InputPath: "$.result.journey_transaction_id", ResultPath: "$.handle", Next: "WaitForSource",
	})
	m.Add("WaitForSource", flow.Wait{For: 5 * time.Second, Next: "FetchData"})
	m.Add("FetchData", call{
		Function: "EqualFetchData", Round: "States.MathAdd($.result.fetch, 1)",
		Body: flow.F{
			"transaction_id.$": "$.now.exchange_transaction_id", "journey_transaction_id.$": "$.handle",
		},
		Keep:   "transaction_id status status_code decision named aadhaar_mismatch",
		Select: flow.F{"fetch.$": "$.Payload.round"},
		Retry:  retryRead,
		Catch: []flow.Catch{
			flow.On("Refused", "ReadRefusal"),
			flow.On("InvalidInput CredentialsRejected", "ReadFailure"),
			flow.On(flow.All, "FinishUndetermined"),
		},
		Next: "RouteByDecision",
	})
	m.Add("VerificationUnknown", verifyAgain{Reason: "verification_unknown", Delivery: "sent", Accepts: []any{"otp"}})
	m.Add("OTPNotReadable", verifyAgain{Reason: "otp_not_readable"})
	m.Add("ReadRefusal", readCause{Next: "RouteByRefusal"})
	m.Add("RouteByRefusal", flow.Choice{
		Comment: "No page lists how Equal refuses an OTP: what it doesn't list otherwise may be one that was mistyped. " +
			"The words that are known from elsewhere tell no more than whether there is an OTP to be entered.",
		Rules: []flow.Rule{
			flow.When(isNotFound, "FinishRefused"),
			flow.When(flow.Is(refusal, "otp_expired"), "OTPExpired"),
			flow.When(flow.Is(refusal, "otp_not_generated"), "OTPNotGenerated"),
		},
		Default: "OTPRefused",
	})
	m.Add("OTPExpired", verifyAgain{Delivery: "expired", Refused: true})
	m.Add("OTPNotGenerated", verifyAgain{Delivery: "not_sent", Refused: true})
	m.Add("OTPRefused", verifyAgain{Delivery: "sent", Refused: true})
	m.Add("CheckAttempts", flow.If(flow.Above("$.now.otp.attempts_left", 0), "AwaitPerson", "FinishNotAccepted"))
	m.Add("ReadMistake", readCause{Next: "RouteByMistake"})
	m.Add("RouteByMistake", flow.Choice{
		Comment: "What the gateway refuses of an OTP, the person may enter again.",
		Rules:   []flow.Rule{flow.When(flow.Is(refusal, "otp_missing"), "OTPNotReadable")},
		Default: "RouteByFailure",
	})
	m.Add("ReadFailure", readCause{Next: "RouteByFailure"})
	m.Add("RouteByFailure", flow.Choice{
		Rules:   []flow.Rule{flow.When(flow.Is(refusal, "invalid_aadhaar_no"), "FinishRefused")},
		Default: "FinishFailed",
	})
	m.Add("FinishVerified", finish{
		Status: "SUCCEEDED", Reason: "$.result.status_code", OutcomeOf: "$.result", Source: "§8.1",
	})
	m.Add("FinishReview", finish{Status: "REVIEW", Reason: "$.result.decision", OutcomeOf: "$.result"})
	m.Add("FinishMismatch", finish{Status: "REVIEW", Reason: "aadhaar_mismatch", OutcomeOf: "$.result"})
	m.Add("FinishUndecided", finish{Status: "REVIEW", Reason: "undetermined", OutcomeOf: "$.result"})
	m.Add("FinishNotAccepted", finish{Status: "REVIEW", Reason: "otp_not_accepted"})
	m.Add("FinishSendRefused", finish{Status: "REVIEW", Reason: caught})
	m.Add("FinishRefused", finish{Status: "REJECTED", Reason: caught, Source: "§8.2 §8.3"})
	m.Add("FinishExpired", finish{Status: "EXPIRED", Reason: "no_input"})
	m.Add("FinishFailed", finish{Status: "FAILED", Reason: caught})
	m.Add("FinishUndetermined", finish{Status: "FAILED", Reason: "undetermined"})
	return m
}

// attempts are how many refused OTPs end the journey.
const attempts = 3

// refusal is the code of a refusal that readCause has read.
const refusal = "$.error.refusal.errorMessage"

var isNotFound = flow.Is(refusal, "document_not_found")

// otp is $.now.otp, or a part of it.
type otp flow.F

// told is what the person is told: why, what became of the OTP, and what the journey accepts.
func told(reason, delivery string, accepts ...any) otp {
	return otp{"reason": reason, "delivery": delivery, "accepts": accepts}
}

// sameOTP keeps the OTP that was sent before, and the attempts that it has left.
var sameOTP = flow.F{"round.$": "$.now.otp.round", "attempts_left.$": "$.now.otp.attempts_left"}

func (o otp) with(more flow.F) flow.F {
	all := maps.Clone(flow.F(o))
	maps.Copy(all, more)
	return all
}

// withRefusal has the person told the partner's code.
func (o otp) withRefusal() flow.F {
	all := o.with(sameOTP)
	delete(all, "reason")
	all["reason.$"] = refusal
	return all
}

// verifications is $.now, as it was but for changes.
func verifications(changes flow.F) flow.F {
	now := flow.F{"exchange_transaction_id.$": "$.now.exchange_transaction_id"}
	for _, name := range []string{"send", "verify", "answered"} {
		if changes[name+".$"] == nil {
			now[name+".$"] = "$.now." + name
		}
	}
	maps.Copy(now, changes)
	return now
}

// verifyAgain is a state after a verification in vain: the person may try again.
type verifyAgain struct {
	Reason   string // empty for the partner's code
	Delivery string // empty for the same as before, as for Accepts
	Accepts  []any  // nil for an OTP and a resend
	Refused  bool   // Equal has answered, and an attempt is used up
}

// Raw implements flow.State.
func (v verifyAgain) Raw() flow.Raw {
	next := told(v.Reason, v.Delivery, "otp", "resend")
	if v.Accepts != nil {
		next["accepts"] = v.Accepts
	}
	if v.Delivery == "" {
		next = otp{"reason": v.Reason, "delivery.$": "$.now.otp.delivery", "accepts.$": "$.now.otp.accepts"}
	}
	state := flow.Pass{ResultPath: "$.now", Next: "AwaitPerson"}
	told, changes := next.with(sameOTP), flow.F{"verify.$": "States.MathAdd($.now.verify, 1)"}
	if v.Refused {
		told = next.withRefusal()
		told["attempts_left.$"] = "States.MathAdd($.now.otp.attempts_left, -1)"
		changes["answered.$"] = "States.MathAdd($.now.answered, 1)"
		state.Next = "CheckAttempts"
	}
	changes["otp"] = told
	state.Template = verifications(changes)
	return state.Raw()
}

// succeededWith holds where the source knows the person and has come to one of some decisions.
func succeededWith(decisions ...string) flow.Condition {
	return flow.And(
		flow.Is("$.result.status", "SUCCESS"), flow.Is("$.result.status_code", "success"),
		flow.Is("$.result.named", true), flow.OneOf("$.result.decision", decisions...),
	)
}
