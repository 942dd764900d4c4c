package statemachines

import (
	"time"

	"sallyport/shared/asl/flow"
)

// partnerOnboarding is the journey partner-onboarding.
//
// $.now.left.days is how long a hold may last still. $.now.onboarding tells whether the customer may be at the partner
// by now; ecrn is its number there, as far as it is known; polls counts the lookups in vain since, and reason says why
// the last was in vain. $.known is what the lookups have found, $.customer_found whom they have named.
func partnerOnboarding() *flow.Machine {
	isHeld := flow.Or(flow.Is("$.known.held", true), flow.Is("$.known.held_unnamed", true))
	lookups := flow.F{"transaction_ids.$": "$.known.transaction_ids"} // whose answers hold the outcome
	m := &flow.Machine{
		Comment: "Onboards a customer whom lookups don't find, and waits for compliance where one is held. State " +
			"carries references and codes only.",
		Timeout: 62 * 24 * time.Hour,
	}
	m.Add("Authenticate", call{
		Comment:  "Fetches the partner's access token, which all functions share; it is not handed over.",
		Function: "Digit9IssueToken",
		Select: flow.F{
			"onboarding": flow.F{"begun": false, "doubtful": false, "ecrn": "", "polls": 0, "reason": ""},
			"left":       flow.F{"days": 30},
		},
		ResultPath: "$.now",
		Retry:      retryRead,
		Catch:      flow.On("InvalidInput Refused CredentialsRejected", "FinishFailed").Else("FinishUndetermined"),
		Next:       "LookUpIDs",
	})
	m.Add("LookUpIDs", flow.Map{
		Comment: "Looks up every identity document, of which one that is known decides, however many are not. It comes " +
			"back here whenever only the partner can tell how things are.",
		Items: "$.ids", AtOnce: 4,
		Item: flow.F{
			"tenant.$": "$.tenant", "execution.$": "$$.Execution.Name", "index.$": "$$.Map.Item.Index",
			"id.$": "$$.Map.Item.Value",
		},
		Each: func(each *flow.Machine) {
			each.Add("LookUpID", call{
				Function: "Digit9LookupCustomer", InMap: true, BodyPath: "$.id", OutputPath: "$.Payload",
				Retry: retryRead,
				Next:  flow.End,
			})
		},
		Select: flow.F{
			"transaction_ids.$":  "$[*].transaction_id",
			"lookups.$":          "$",
			"blocked.$":          "States.ArrayContains($[*].verdict, 'blocked')",
			"not_yours.$":        "States.ArrayContains($[*].verdict, 'not_yours')",
			"unclear.$":          "States.ArrayContains($[*].verdict, 'unclear')",
			"held.$":             "States.ArrayContains($[*].verdict, 'held')",
			"held_unnamed.$":     "States.ArrayContains($[*].verdict, 'held_unnamed')",
			"rejected.$":         "States.ArrayContains($[*].verdict, 'rejected')",
			"screening_failed.$": "States.ArrayContains($[*].verdict, 'screening_failed')",
			"inactive.$":         "States.ArrayContains($[*].verdict, 'inactive')",
			"kyc_pending.$":      "States.ArrayContains($[*].verdict, 'kyc_pending')",
			"accepted.$":         "States.ArrayContains($[*].verdict, 'accepted')",
		},
		ResultPath: "$.known",
		Catch: []flow.Catch{
			flow.On("Refused", "CheckRefusedLookup"),
			flow.On("InvalidInput CredentialsRejected", "CheckInvalidLookup"),
			flow.On(flow.All, "CheckFailedLookup"),
		},
		Next: "RouteByVerdict",
	})
	m.Add("RouteByVerdict", flow.Choice{
		Rules: []flow.Rule{
			flow.When(flow.Is("$.known.not_yours", true), "FinishNotYours"),
			flow.When(flow.Is("$.known.blocked", true), "FinishBlocked"),
			flow.When(flow.Is("$.known.unclear", true), "CountUnclear"),
			flow.When(
				flow.Or(
					flow.Is("$.known.held", true), flow.Is("$.known.rejected", true),
					flow.Is("$.known.screening_failed", true), flow.Is("$.known.inactive", true),
					flow.Is("$.known.kyc_pending", true), flow.Is("$.known.accepted", true),
				),
				"Name",
			),
			flow.When(flow.Is("$.known.held_unnamed", true), "RouteByHold"),
			flow.When(flow.Is("$.now.onboarding.begun", false), "Onboard"),
		},
		Default: "CountUnconfirmed",
	})
	m.Add("Name", flow.Pass{
		Comment: "The customer's number, of which all documents must lead to the same.",
		Template: flow.F{
			"ecrn.$":    "States.ArrayGetItem($.known.lookups[*].ecrn, 0)",
			"numbers.$": "States.ArrayLength(States.ArrayUnique($.known.lookups[*].ecrn))",
		},
		ResultPath: "$.customer_found", Next: "RouteByCustomer",
	})
	m.Add("RouteByCustomer", flow.Choice{
		Rules: []flow.Rule{
			flow.When(flow.Above("$.customer_found.numbers", 1), "FinishSeveral"),
			flow.When(isHeld, "RouteByHold"),
			flow.When(flow.Is("$.known.rejected", true), "FinishRejected"),
			flow.When(flow.And(flow.Is("$.update", true), flow.Is("$.now.onboarding.begun", false)), "Onboard"),
			flow.When(flow.Is("$.now.onboarding.doubtful", true), "FinishDoubtful"),
			flow.When(flow.Is("$.known.screening_failed", true), "CountScreening"),
			flow.When(flow.Is("$.known.inactive", true), "FinishInactive"),
			flow.When(flow.Is("$.known.kyc_pending", true), "FinishKYCPending"),
		},
		Default: "FinishAccepted",
	})
	m.Add("Onboard", call{
		Comment: "Creates the customer, or updates one. What became of a lost creation, the function finds out by " +
			"lookups; it repeats it once, after the quiet period. Only a lookup says how it ended.",
		Function: "Digit9OnboardCustomer", BodyPath: "$.customer", Keep: "ecrn",
		Select: flow.F{"begun": true, "doubtful": false, "polls": 0, "reason": ""}, ResultPath: "$.now.onboarding",
		Retry: retryLookup,
		Catch: []flow.Catch{
			flow.On("Refused", "ReadRefusal"),
			flow.On("Conflict", "ReadCustomer"),
			flow.On("InvalidInput CredentialsRejected", "FinishFailed"),
			flow.On("Throttled", "FinishUndetermined"),
			flow.On(flow.All, "OnboardingUnknown"),
		},
		Next: "LookUpIDs",
	})
	m.Add("OnboardingUnknown", flow.Pass{
		Comment:    "Only a lookup may tell. Of an update it can't: its customer was there before.",
		Template:   flow.F{"begun": true, "doubtful.$": "$.update", "ecrn.$": "$.ecrn", "polls": 0, "reason": ""},
		ResultPath: "$.now.onboarding", Next: "LookUpIDs",
	})
	m.Add("CountUnclear", countPoll("unclear"))
	m.Add("CountScreening", countPoll("screening_failed"))
	m.Add("CountUnconfirmed", countPoll("not_confirmed"))
	m.Add("CountUndetermined", countPoll("undetermined"))
	m.Add("CheckPolls", flow.Choice{
		Rules: []flow.Rule{
			flow.When(flow.AtMost("$.now.onboarding.polls", 6), "PollLater"),
			flow.When(flow.Is("$.now.onboarding.reason", "undetermined"), "FinishUndetermined"),
			flow.When(flow.Is("$.now.onboarding.doubtful", true), "FinishDoubtful"),
			flow.When(flow.Is("$.now.onboarding.reason", "screening_failed"), "FinishScreeningFailed"),
			flow.When(flow.Is("$.now.onboarding.reason", "unclear"), "FinishUnclear"),
		},
		Default: "FinishUnconfirmed",
	})
	m.Add("PollLater", await{
		Comment: "What no page documents may mean that it isn't settled yet, so the next lookup may tell. The journey " +
			"says why it waits; only time ends it.",
		Kind:    "lookup",
		Payload: flow.F{"accepts": []any{}, "seconds": 600, "reason.$": "$.now.onboarding.reason"},
		Timeout: 10 * time.Minute, ResultPath: flow.Discard,
		Catch: flow.On("States.Timeout", "LookUpIDs").Else("PollUnlisted"),
		Next:  "LookUpIDs",
	})
	m.Add("PollUnlisted", flow.Wait{
		Comment: "Where the wait itself can't be recorded, the time passes all the same.",
		For:     10 * time.Minute, Next: "LookUpIDs",
	})
	m.Add("RouteByHold", flow.Choice{
		Comment: "The number is in the answer to the onboarding, else in a lookup; where neither tells it, only " +
			"lookups can end the wait.",
		Rules: []flow.Rule{
			flow.When(flow.Not(flow.Is("$.now.onboarding.ecrn", "")), "HoldOnboarded"),
			flow.When(flow.Present("$.customer_found"), "HoldFound"),
			flow.When(flow.Not(flow.Is("$.ecrn", "")), "HoldUpdated"),
		},
		Default: "HoldUnnamed",
	})
	m.Add("HoldOnboarded", hold("$.now.onboarding.ecrn"))
	m.Add("HoldFound", hold("$.customer_found.ecrn"))
	m.Add("HoldUpdated", hold("$.ecrn"))
	m.Add("HoldUnnamed", flow.Pass{
		Value: flow.F{"record": "", "details": flow.F{}}, ResultPath: "$.hold", Next: "CheckDays",
	})
	m.Add("CheckDays", flow.If(flow.Above("$.now.left.days", 0), "AwaitClosure", "FinishExpired"))
	m.Add("AwaitClosure", await{
		Comment: "A callback ends the wait, else the day does. It is a hint: the lookup after it decides.",
		Kind:    "aml_alert_closure",
		Payload: flow.F{
			"record.$": "$.hold.record", "reads.$": "$.known.transaction_ids", "accepts": []any{},
			"days.$": "$.now.left.days", "reason": "under_investigation", "details.$": "$.hold.details",
		},
		Timeout: 1 * 24 * time.Hour, ResultPath: "$.input",
		Catch: flow.On("States.Timeout", "CountDay").Else("WaitUnlisted"),
		Next:  "LookUpIDs",
	})
	m.Add("WaitUnlisted", flow.Wait{
		Comment: "Where the wait itself can't be recorded, the day passes all the same.",
		For:     1 * 24 * time.Hour, Next: "CountDay",
	})
	m.Add("CountDay", flow.Pass{
		Template: flow.F{"days.$": "States.MathAdd($.now.left.days, -1)"}, ResultPath: "$.now.left", Next: "LookUpIDs",
	})
	m.Add("CheckRefusedLookup", flow.Choice{
		Comment: "A no to the lookup is the journey's end only where nothing has come of it yet.",
		Rules: []flow.Rule{
			flow.When(flow.And(flow.Present("$.known"), isHeld), "CheckDays"),
			flow.When(flow.Is("$.now.onboarding.begun", true), "CountUndetermined"),
		},
		Default: "FinishUnread",
	})
	m.Add("CheckInvalidLookup", flow.Choice{
		Comment: "Likewise.",
		Rules: []flow.Rule{
			flow.When(flow.And(flow.Present("$.known"), isHeld), "CheckDays"),
			flow.When(flow.Is("$.now.onboarding.begun", true), "CountUndetermined"),
		},
		Default: "FinishFailed",
	})
	m.Add("CheckFailedLookup", flow.Choice{
		Comment: "While a hold lasts, tomorrow's lookup may tell.",
		Rules: []flow.Rule{
			flow.When(flow.And(flow.Present("$.known"), isHeld), "CheckDays"),
			flow.When(flow.Is("$.now.onboarding.begun", true), "CountUndetermined"),
		},
		Default: "FinishUndetermined",
	})
	m.Add("ReadCustomer", call{
		Comment:  "What the refused update would have changed.",
		Function: "Digit9GetCustomer", Path: flow.F{"ecrn.$": "$.ecrn"}, Keep: "transaction_id",
		Retry: retryRead,
		Catch: []flow.Catch{flow.On(flow.All, "FinishConflictUnread")},
		Next:  "FinishConflict",
	})
	m.Add("ReadRefusal", readCause{Next: "RouteByRefusal"})
	m.Add("RouteByRefusal", flow.If(flow.Is("$.error.refusal.errorMessage", "45051"), "FinishBlocked", "FinishRefused"))
	m.Add("FinishAccepted", finish{
		Status: "SUCCEEDED", Reason: "accepted", Source: "§5.2 of the README", Payload: lookups,
	})
	m.Add("FinishRejected", finish{
		Status: "REJECTED", Reason: "rejected", Source: "§5.2 of the README", Payload: lookups,
	})
	m.Add("FinishBlocked", finish{
		Status: "REJECTED", Reason: "blocked", Source: "§5.2, §9.1 and §9.2 of the README", Payload: lookups,
	})
	m.Add("FinishRefused", finish{
		Comment: "A code that nobody knows is nobody's no.",
		Status:  "REVIEW", Reason: caught, Payload: lookups,
	})
	m.Add("FinishUnread", finish{
		Comment: "Likewise, of a lookup.",
		Status:  "REVIEW", Reason: caught,
	})
	m.Add("FinishKYCPending", finish{Status: "REVIEW", Reason: "kyc_pending", Payload: lookups})
	m.Add("FinishInactive", finish{Status: "REVIEW", Reason: "inactive", Payload: lookups})
	m.Add("FinishSeveral", finish{
		Comment: "The documents belong to different customers.",
		Status:  "REVIEW", Reason: "several_customers", Payload: lookups,
	})
	m.Add("FinishNotYours", finish{
		Comment: "Another tenant's customer, or one that nobody is known to own, has a document.",
		Status:  "REVIEW", Reason: "record_not_yours",
	})
	m.Add("FinishDoubtful", finish{Status: "REVIEW", Reason: "update_unknown", Payload: lookups})
	m.Add("FinishConflict", finish{Status: "REVIEW", Reason: "update_failed", OutcomeOf: "$.result"})
	m.Add("FinishConflictUnread", finish{Status: "REVIEW", Reason: "update_failed", Payload: lookups})
	m.Add("FinishExpired", finish{Status: "EXPIRED", Reason: "alert_not_closed", Payload: lookups})
	m.Add("FinishScreeningFailed", finish{
		Comment: "No screening has told anything, so a person must.",
		Status:  "REVIEW", Reason: "screening_failed", Payload: lookups,
	})
	m.Add("FinishUnclear", finish{Status: "REVIEW", Reason: "unclear", Payload: lookups})
	m.Add("FinishUnconfirmed", finish{
		Comment: "It was onboarded, but no lookup finds it.",
		Status:  "FAILED", Reason: "not_confirmed",
	})
	m.Add("FinishFailed", finish{Status: "FAILED", Reason: caught})
	m.Add("FinishUndetermined", finish{Status: "FAILED", Reason: "undetermined"})
	return m
}

// countPoll counts a lookup in vain, and says why.
func countPoll(reason string) flow.Pass {
	return flow.Pass{
		Template: flow.F{
			"begun.$": "$.now.onboarding.begun", "doubtful.$": "$.now.onboarding.doubtful",
			"ecrn.$": "$.now.onboarding.ecrn", "polls.$": "States.MathAdd($.now.onboarding.polls, 1)",
			"reason": reason,
		},
		ResultPath: "$.now.onboarding", Next: "CheckPolls",
	}
}

// hold waits for word about the customer of a number.
func hold(ecrn string) flow.Pass {
	return flow.Pass{
		Template: flow.F{
			"record.$": "States.Format('digit9/ecrn/{}', " + ecrn + ")", "details": flow.F{"ecrn.$": ecrn},
		},
		ResultPath: "$.hold", Next: "CheckDays",
	}
}
