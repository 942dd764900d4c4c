package statemachines

import (
	"time"

	"sallyport/shared/asl/flow"
)

// customerIdentification is the journey customer-identification.
//
// $.now.identified is the identification as it was last read. $.now.time, in seconds: interval is how long the next
// wait lasts, left how long the journey may wait still, and minus the interval below zero, which is added to left, as
// the language does not subtract. $.now.tries counts failed ways to begin.
func customerIdentification() *flow.Machine {
	m := &flow.Machine{
		Comment: "Identifies a customer: begins an identification unless one is under way, and follows it to its " +
			"end. State carries references and codes only.",
		Timeout: 32 * 24 * time.Hour,
	}
	m.Add("RouteByInput", flow.Choice{
		Rules: []flow.Rule{
			flow.When(flow.Not(flow.Is("$.customer_id", "")), "TakeCustomer"),
			flow.When(flow.Is("$.find", true), "FindCustomer"),
		},
		Default: "CreateCustomer",
	})
	m.Add("TakeCustomer", flow.Pass{Template: initialState("$.customer_id"), ResultPath: "$.now", Next: "ReadNewest"})
	m.Add("FindCustomer", call{
		Comment:  "An external_id is unique, so it tells whether there is a customer already.",
		Function: "IronGetCustomer", Query: flow.F{"sub_partner_id.$": "$.sub_partner_id"},
		Body:   flow.F{"external_id.$": "$.external_id"},
		Select: foundCustomer(), ResultPath: "$.now",
		Retry: retryRead,
		Catch: []flow.Catch{
			flow.On("InvalidInput Refused Conflict CredentialsRejected", "FinishNoCustomer"),
			flow.On(flow.All, "FinishCustomerUnknown"),
		},
		Next: "RouteByCustomer",
	})
	m.Add("RouteByCustomer", flow.Choice{
		Rules: []flow.Rule{
			flow.When(flow.Is("$.now.not_yours", true), "FinishNotYours"),
			flow.When(flow.Not(flow.Is("$.now.customer_id", "")), "ReadNewest"),
			flow.When(flow.Present("$.error"), "FinishNoCustomer"),
		},
		Default: "CreateCustomer",
	})
	m.Add("CreateCustomer", call{
		Function: "IronCreateCustomer", Query: flow.F{"sub_partner_id.$": "$.sub_partner_id"}, BodyPath: "$.customer",
		Select: initialState("$.Payload.customer_id"), ResultPath: "$.now",
		Retry: retryLookup,
		Catch: []flow.Catch{
			flow.On("InvalidInput Conflict", "CheckExternalID"),
			flow.On("Refused CredentialsRejected", "FinishNoCustomer"),
			flow.On(flow.All, "FinishCustomerUnknown"),
		},
		Next: "ReadNewest",
	})
	m.Add("CheckExternalID", flow.Choice{
		Comment: "Another journey may have created it meanwhile.",
		Rules:   []flow.Rule{flow.When(flow.Is("$.find", true), "FindCustomer")},
		Default: "FinishNoCustomer",
	})
	m.Add("ReadNewest", call{
		Comment:  "The newest identification is the one that counts, so none that is under way may get a newer one.",
		Function: "IronListIdentifications", Path: flow.F{"customerId.$": "$.now.customer_id"},
		Query: flow.F{"sub_partner_id.$": "$.sub_partner_id"}, Keep: "identification_id state transaction_id",
		ResultPath: "$.now.identified",
		Retry:      retryRead,
		Catch:      flow.On("InvalidInput Refused Conflict CredentialsRejected", "FinishFailed").Else("CountTry"),
		Next:       "RouteByNewest",
	})
	m.Add("RouteByNewest", flow.Choice{
		Comment: "One that was approved before ends the journey, as one that is approved now does.",
		Rules: []flow.Rule{
			flow.When(
				flow.OneOf("$.now.identified.state", "none", "declined", "expired", "archived"),
				"CreateIdentification",
			),
		},
		Default: "RouteByStatus",
	})
	m.Add("CreateIdentification", call{
		Comment:  "The partner honours its key, so a repeat creates no second one.",
		Function: "IronCreateIdentification",
		Path:     flow.F{"customerId.$": "$.now.customer_id", "generation.$": "$.generation"},
		Query:    flow.F{"sub_partner_id.$": "$.sub_partner_id"}, BodyPath: "$.identification",
		Keep: "identification_id state transaction_id", ResultPath: "$.now.identified",
		Retry: retryEffect,
		Catch: flow.On("InvalidInput Refused CredentialsRejected", "FinishFailed").Else("CountTry"),
		Next:  "RouteByStatus",
	})
	m.Add("CountTry", flow.Pass{
		Comment:  "The list tells whether there is one: somebody else's, or that of an answer that was lost.",
		Template: flow.F{"count.$": "States.MathAdd($.now.tries.count, 1)"}, ResultPath: "$.now.tries", Next: "CheckTries",
	})
	m.Add("CheckTries", flow.If(flow.Below("$.now.tries.count", 5), "TryLater", "FinishUndetermined"))
	m.Add("TryLater", flow.Wait{For: time.Minute, Next: "ReadNewest"})
	m.Add("RouteByStatus", flow.Choice{
		Rules: []flow.Rule{
			flow.When(flow.Is("$.now.identified.state", "approved"), "FinishApproved"),
			flow.When(flow.Is("$.now.identified.state", "declined"), "FinishDeclined"),
			flow.When(flow.Is("$.now.identified.state", "expired"), "FinishExpired"),
			flow.When(flow.Is("$.now.identified.state", "archived"), "FinishArchived"),
			flow.When(flow.Above("$.now.time.left", 0), "AwaitIdentification"),
		},
		Default: "FinishNotSettled",
	})
	m.Add("AwaitIdentification", await{
		Comment: "A webhook ends the wait, else the interval does. It is a hint: the identification is read after it.",
		Kind:    "identification",
		Payload: flow.F{
			"record.$":  "States.Format('iron/identification/{}', $.now.identified.identification_id)",
			"read.$":    "$.now.identified.transaction_id",
			"seconds.$": "$.now.time.left", "reason.$": "$.now.identified.state", "accepts": []any{},
			"details": flow.F{
				"customer_id.$": "$.now.customer_id", "identification_id.$": "$.now.identified.identification_id",
			},
			"shows": []any{"url"}, "transaction_id.$": "$.now.identified.transaction_id",
		},
		TimeoutPath: "$.now.time.interval", ResultPath: flow.Discard,
		Catch: flow.On("States.Timeout", "CheckInterval").Else("WaitUnlisted"),
		Next:  "ReadIdentification",
	})
	m.Add("WaitUnlisted", flow.Wait{
		Comment: "Where the wait can't be recorded, the interval passes all the same.",
		ForPath: "$.now.time.interval", Next: "CheckInterval",
	})
	m.Add("CountWait", flow.Pass{
		Template: flow.F{
			"interval.$": "$.now.time.interval", "minus.$": "$.now.time.minus",
			"left.$": "States.MathAdd($.now.time.left, $.now.time.minus)",
		},
		ResultPath: "$.now.time", Next: "ReadIdentification",
	})
	m.Add("CheckInterval", flow.If(flow.Below("$.now.time.interval", 15360), "LengthenInterval", "CountWait"))
	m.Add("LengthenInterval", flow.Pass{
		Comment: "From a minute to about four hours.",
		Template: flow.F{
			"interval.$": "States.MathAdd($.now.time.interval, $.now.time.interval)",
			"minus.$":    "States.MathAdd($.now.time.minus, $.now.time.minus)",
			"left.$":     "States.MathAdd($.now.time.left, $.now.time.minus)",
		},
		ResultPath: "$.now.time", Next: "ReadIdentification",
	})
	m.Add("ReadIdentification", call{
		Comment:  "Only the identification itself tells where it stands.",
		Function: "IronGetIdentification", Path: flow.F{"identificationId.$": "$.now.identified.identification_id"},
		Query: flow.F{"sub_partner_id.$": "$.sub_partner_id"}, Keep: "identification_id state transaction_id",
		ResultPath: "$.now.identified",
		Retry:      retryRead,
		Catch:      flow.On("InvalidInput Refused Conflict", "FinishFailed").Else("CheckTime"),
		Next:       "RouteByStatus",
	})
	m.Add("CheckTime", flow.If(flow.Above("$.now.time.left", 0), "AwaitIdentification", "FinishUndetermined"))
	m.Add("FinishApproved", finish{
		Status: "SUCCEEDED", Reason: "approved", Source: "§6.1 of the README", OutcomeOf: "$.now.identified",
	})
	m.Add("FinishDeclined", finish{
		Status: "REJECTED", Reason: "declined", Source: "§6.1 of the README", OutcomeOf: "$.now.identified",
	})
	m.Add("FinishExpired", finish{
		Comment: "The customer did not finish in time.",
		Status:  "EXPIRED", Reason: "expired", OutcomeOf: "$.now.identified",
	})
	m.Add("FinishArchived", finish{
		Comment: "Somebody has invalidated it.",
		Status:  "FAILED", Reason: "archived", OutcomeOf: "$.now.identified",
	})
	m.Add("FinishNotSettled", finish{Status: "EXPIRED", Reason: "not_settled", OutcomeOf: "$.now.identified"})
	m.Add("FinishFailed", finish{Status: "FAILED", Reason: caught, OutcomeOf: "$.now.identified"})
	m.Add("FinishUndetermined", finish{Status: "FAILED", Reason: "undetermined", OutcomeOf: "$.now.identified"})
	m.Add("FinishNotYours", finish{
		Comment: "Another tenant's customer, or one that nobody is known to own, has the external_id.",
		Status:  "REVIEW", Reason: "record_not_yours",
	})
	m.Add("FinishNoCustomer", finish{Status: "FAILED", Reason: caught})
	m.Add("FinishCustomerUnknown", finish{Status: "FAILED", Reason: "undetermined"})
	return m
}

// initialState is $.now once the customer is known, whose id is at a path.
func initialState(id string) flow.F {
	return flow.F{
		"customer_id.$": id, "identified": flow.F{"identification_id": "", "state": "none", "transaction_id": ""},
		"time": flow.F{"interval": 60, "minus": -60, "left": 30 * 24 * 60 * 60}, "tries": flow.F{"count": 0},
	}
}

// foundCustomer is initialState of a customer that was looked for.
func foundCustomer() flow.F {
	now := initialState("$.Payload.customer_id")
	now["not_yours.$"] = "$.Payload.not_yours"
	return now
}
