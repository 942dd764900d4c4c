package statemachines

import (
	"time"

	"sallyport/shared/asl/flow"
)

// customerIdentification is the journey customer-identification.
func customerIdentification() *flow.Machine {
	m := &flow.Machine{
		Comment: "Identifies a customer: begins an identification unless one is under way, and follows it to its " +
			"end. State carries references and codes only.",
		Timeout: 32 * 24 * time.Hour,
	}
	m.Add("Begin", flow.Pass{
		Comment: "identified: the identification as it was last read. interval: how long the next wait lasts, in " +
			"seconds; minus: the same below zero; left: how long the journey may wait still. tries: of creating.",
		Template: flow.F{
			"tenant.$": "$.tenant", "journey_id.$": "$.journey_id", "customer_id.$": "$.customer_id",
			"sub_partner_id.$": "$.sub_partner_id", "find.$": "$.find", "generation.$": "$.generation",
			"customer.$": "$.customer", "external_id.$": "$.external_id", "identification.$": "$.identification",
			"identified": flow.F{"identification_id": "", "state": "none", "transaction_id": ""},
			"now":        flow.F{"interval": 60, "minus": -60, "left": 2592000, "tries": 0},
		},
		Next: "Customer",
	})
	m.Add("Customer", flow.Choice{
		Rules: []flow.Rule{
			flow.When(flow.Not(flow.Is("$.customer_id", "")), "ReadNewest"),
			flow.When(flow.Is("$.find", true), "FindCustomer"),
		},
		Default: "CreateCustomer",
	})
	m.Add("FindCustomer", call{
		Comment:  "An external_id is unique, so it tells whether there is a customer already.",
		Function: "IronGetCustomer", Query: flow.F{"sub_partner_id.$": "$.sub_partner_id"},
		Body: flow.F{"external_id.$": "$.external_id"},
		Keep: "customer_id", ResultPath: "$.found",
		Retry: retryRead,
		Catch: []flow.Catch{
			flow.On("InvalidInput Refused Conflict CredentialsRejected", "ReadFailure"),
			flow.On(flow.All, "FinishUndetermined"),
		},
		Next: "Found",
	})
	m.Add("Found", flow.Choice{
		Rules: []flow.Rule{
			flow.When(flow.Not(flow.Is("$.found.customer_id", "")), "TakeCustomer"),
			flow.When(flow.Present("$.error"), "FinishFailed"),
		},
		Default: "CreateCustomer",
	})
	m.Add("CreateCustomer", call{
		Function: "IronCreateCustomer", Query: flow.F{"sub_partner_id.$": "$.sub_partner_id"}, BodyPath: "$.customer",
		Keep: "customer_id", ResultPath: "$.found",
		Retry: retryLookupJittered,
		Catch: []flow.Catch{
			flow.On("InvalidInput Conflict", "ReadRefusedCustomer"),
			flow.On("Refused CredentialsRejected", "ReadFailure"),
			flow.On(flow.All, "FinishUndetermined"),
		},
		Next: "TakeCustomer",
	})
	m.Add("ReadRefusedCustomer", readCause{Next: "CustomerRefused"})
	m.Add("CustomerRefused", flow.Choice{
		Comment: "Another journey may have created it meanwhile.",
		Rules:   []flow.Rule{flow.When(flow.Is("$.find", true), "FindCustomer")},
		Default: "FinishFailed",
	})
	m.Add("TakeCustomer", flow.Pass{
		InputPath: "$.found.customer_id", ResultPath: "$.customer_id", Next: "ReadNewest",
	})
	m.Add("ReadNewest", call{
		Comment:  "The newest identification is the one that counts, so none that is under way may get a newer one.",
		Function: "IronListIdentifications", Path: flow.F{"customerId.$": "$.customer_id"},
		Query: flow.F{"sub_partner_id.$": "$.sub_partner_id"}, Keep: "identification_id state transaction_id",
		ResultPath: "$.identified",
		Retry:      retryRead,
		Catch: []flow.Catch{
			flow.On("InvalidInput Refused Conflict CredentialsRejected", "ReadFailure"),
			flow.On(flow.All, "CountTry"),
		},
		Next: "Newest",
	})
	m.Add("Newest", flow.Choice{
		Comment: "One that was approved before is an identification, too.",
		Rules: []flow.Rule{
			flow.When(
				flow.OneOf("$.identified.state", "none", "declined", "expired", "archived"),
				"CreateIdentification",
			),
		},
		Default: "Stands",
	})
	m.Add("CreateIdentification", call{
		Comment:  "The partner honours its key, so a repeat creates no second one.",
		Function: "IronCreateIdentification",
		Path:     flow.F{"customerId.$": "$.customer_id", "generation.$": "$.generation"},
		Query:    flow.F{"sub_partner_id.$": "$.sub_partner_id"}, BodyPath: "$.identification",
		Keep: "identification_id state transaction_id", ResultPath: "$.identified",
		Retry: retryEffect,
		Catch: []flow.Catch{
			flow.On("InvalidInput Refused CredentialsRejected", "ReadFailure"),
			flow.On(flow.All, "CountTry"),
		},
		Next: "Stands",
	})
	m.Add("CountTry", flow.Pass{
		Comment: "The list tells whether there is one: somebody else's, or that of an answer that was lost.",
		Template: flow.F{
			"interval.$": "$.now.interval", "minus.$": "$.now.minus", "left.$": "$.now.left",
			"tries.$": "States.MathAdd($.now.tries, 1)",
		},
		ResultPath: "$.now", Next: "MayTry",
	})
	m.Add("MayTry", flow.Choice{
		Rules:   []flow.Rule{flow.When(flow.Below("$.now.tries", 5), "TryLater")},
		Default: "FinishUndetermined",
	})
	m.Add("TryLater", flow.Wait{For: time.Minute, Next: "ReadNewest"})
	m.Add("Stands", flow.Choice{
		Rules: []flow.Rule{
			flow.When(flow.Is("$.identified.state", "approved"), "FinishApproved"),
			flow.When(flow.Is("$.identified.state", "declined"), "FinishDeclined"),
			flow.When(flow.Is("$.identified.state", "expired"), "FinishExpired"),
			flow.When(flow.Is("$.identified.state", "archived"), "FinishArchived"),
			flow.When(flow.Above("$.now.left", 0), "AwaitIdentification"),
		},
		Default: "FinishNotSettled",
	})
	m.Add("AwaitIdentification", await{
		Comment: "A webhook ends the wait, else the interval does. It is a hint: the identification is read after it.",
		Kind:    "identification",
		Payload: flow.F{
			"record.$":  "States.Format('iron/identification/{}', $.identified.identification_id)",
			"seconds.$": "$.now.left", "reason.$": "$.identified.state", "accepts": []any{},
			"details": flow.F{
				"customer_id.$": "$.customer_id", "identification_id.$": "$.identified.identification_id",
			},
			"shows": []any{"url"}, "transaction_id.$": "$.identified.transaction_id",
		},
		TimeoutPath: "$.now.interval", ResultPath: flow.Discard,
		Catch: []flow.Catch{flow.On("States.Timeout", "MayGrow"), flow.On(flow.All, "WaitUnlisted")},
		Next:  "ReadIdentification",
	})
	m.Add("WaitUnlisted", flow.Wait{
		Comment: "Where the wait can't be recorded, the interval passes all the same.",
		ForPath: "$.now.interval", Next: "MayGrow",
	})
	m.Add("CountWait", flow.Pass{
		Template: flow.F{
			"interval.$": "$.now.interval", "minus.$": "$.now.minus",
			"left.$": "States.MathAdd($.now.left, $.now.minus)", "tries.$": "$.now.tries",
		},
		ResultPath: "$.now", Next: "ReadIdentification",
	})
	m.Add("MayGrow", flow.Choice{
		Rules:   []flow.Rule{flow.When(flow.Below("$.now.interval", 15360), "Grow")},
		Default: "CountWait",
	})
	m.Add("Grow", flow.Pass{
		Comment: "From a minute to about four hours.",
		Template: flow.F{
			"interval.$": "States.MathAdd($.now.interval, $.now.interval)",
			"minus.$":    "States.MathAdd($.now.minus, $.now.minus)",
			"left.$":     "States.MathAdd($.now.left, $.now.minus)", "tries.$": "$.now.tries",
		},
		ResultPath: "$.now", Next: "ReadIdentification",
	})
	m.Add("ReadIdentification", call{
		Comment:  "Only the identification itself tells where it stands.",
		Function: "IronGetIdentification", Path: flow.F{"identificationId.$": "$.identified.identification_id"},
		Query: flow.F{"sub_partner_id.$": "$.sub_partner_id"}, Keep: "identification_id state transaction_id",
		ResultPath: "$.identified",
		Retry:      retryRead,
		Catch: []flow.Catch{
			flow.On("InvalidInput Refused Conflict", "ReadFailure"),
			flow.On(flow.All, "MayReadAgain"),
		},
		Next: "Stands",
	})
	m.Add("MayReadAgain", flow.Choice{
		Rules:   []flow.Rule{flow.When(flow.Above("$.now.left", 0), "AwaitIdentification")},
		Default: "FinishUndetermined",
	})
	m.Add("ReadFailure", readCause{Next: "FinishFailed"})
	m.Add("FinishApproved", finish{
		Status: "SUCCEEDED", Reason: "approved",
		OutcomeOf: "$.identified",
	})
	m.Add("FinishDeclined", finish{
		Status: "REJECTED", Reason: "declined",
		OutcomeOf: "$.identified",
	})
	m.Add("FinishExpired", finish{
		Comment: "The customer did not finish in time.",
		Status:  "EXPIRED", Reason: "expired",
		OutcomeOf: "$.identified",
	})
	m.Add("FinishArchived", finish{
		Comment: "Somebody has invalidated it.",
		Status:  "FAILED", Reason: "archived",
		OutcomeOf: "$.identified",
	})
	m.Add("FinishNotSettled", finish{
		Status: "EXPIRED", Reason: "not_settled",
		OutcomeOf: "$.identified",
	})
	m.Add("FinishFailed", finish{
		Status: "FAILED", Reason: "$.error.refusal.errorMessage",
		OutcomeOf: "$.identified",
	})
	m.Add("FinishUndetermined", finish{
		Status: "FAILED", Reason: "undetermined",
		OutcomeOf: "$.identified",
	})
	m.Add("Ended", flow.Succeed{})
	return m
}
