package statemachines

import (
	"time"

	"sallyport/shared/asl/flow"
)

// clientOnboarding is the journey client-onboarding.
//
// $.now.client is the client as it was last read, $.now.verify the last answer to a verification. $.now.rounds counts
// how often documents were given after the start, $.now.polls how often the partner was waited for.
func clientOnboarding() *flow.Machine {
	m := &flow.Machine{
		Comment: "Creates a client, adds its documents, and has it verified and activated. State carries references " +
			"and codes only.",
		Timeout: 31 * 24 * time.Hour,
	}
	m.Add("Authenticate", call{
		Comment:  "Fetches the partner's access token, which all functions share; it is not handed over.",
		Function: "MbanqIssueToken",
		Select: flow.F{
			"client": flow.F{"transaction_id": ""}, "verify": flow.F{"verification": ""},
			"rounds": flow.F{"count": 0}, "polls": flow.F{"count": 0},
		},
		ResultPath: "$.now",
		Retry:      retryRead,
		Catch:      flow.On("InvalidInput Refused Conflict CredentialsRejected", "FinishNotBegun").Else("FinishBeginUnknown"),
		Next:       "FindClient",
	})
	m.Add("FindClient", call{
		Comment:  "The externalId tells whether an earlier attempt has created the client.",
		Function: "MbanqGetClient",
		Body:     flow.F{"external_id.$": "$.external[0]"},
		Keep:     "client_id state transaction_id", ResultPath: "$.now.client",
		Retry: retryRead,
		Catch: flow.On("InvalidInput Refused Conflict CredentialsRejected", "FinishFailed").Else("FinishUndetermined"),
		Next:  "RouteByFound",
	})
	m.Add("RouteByFound", flow.Choice{
		Rules: []flow.Rule{
			flow.When(flow.And(flow.Is("$.now.client.state", "absent"), flow.Present("$.error")), "FinishNotCreated"),
			flow.When(flow.Is("$.now.client.state", "absent"), "CreateClient"),
			flow.When(flow.Is("$.now.client.state", "active"), "FinishActive"),
			flow.When(flow.Is("$.now.client.state", "other"), "FinishOther"),
			flow.When(flow.Is("$.now.client.state", "not_yours"), "FinishNotYours"),
		},
		Default: "AddAddresses",
	})
	m.Add("CreateClient", call{
		Comment: "Creates the client, which is then Pending. Where there is a conflict, another journey may have created " +
			"it meanwhile.",
		Function: "MbanqCreateClient", BodyPath: "$.client[0]", Keep: "client_id transaction_id",
		ResultPath: "$.now.client",
		Retry:      retryLookup,
		Catch: []flow.Catch{
			flow.On("Conflict", "FindClient"),
			flow.On("InvalidInput Refused CredentialsRejected", "FinishFailed"),
			flow.On(flow.All, "FinishUndetermined"),
		},
		Next: "AddAddresses",
	})
	m.Add("AddAddresses", flow.Map{
		Comment: "What the client has already is not added twice.",
		Items:   "$.addresses", AtOnce: 1,
		Item: flow.F{
			"tenant.$": "$.tenant", "execution.$": "$$.Execution.Name", "index.$": "$$.Map.Item.Index",
			"round.$": "$.now.rounds.count", "client_id.$": "$.now.client.client_id", "item.$": "$$.Map.Item.Value",
		},
		Each: func(each *flow.Machine) {
			each.Add("AddAddress", call{
				Function: "MbanqAddAddress", Round: "$.round", InMap: true, Path: flow.F{"clientId.$": "$.client_id"},
				BodyPath: "$.item", Keep: "resource_id",
				Retry: retryLookup,
				Next:  flow.End,
			})
		}, ResultPath: flow.Discard,
		Catch: []flow.Catch{
			flow.On("Conflict InvalidInput Refused", "ReadRefusedAddition"),
			flow.On("CredentialsRejected", "FinishFailed"),
			flow.On(flow.All, "FinishUndetermined"),
		},
		Next: "AddIdentifiers",
	})
	m.Add("AddIdentifiers", flow.Map{
		Items: "$.identifiers", AtOnce: 1,
		Item: flow.F{
			"tenant.$": "$.tenant", "execution.$": "$$.Execution.Name", "index.$": "$$.Map.Item.Index",
			"round.$": "$.now.rounds.count", "client_id.$": "$.now.client.client_id", "item.$": "$$.Map.Item.Value",
			"scan.$":    "States.ArrayGetItem($.scans, $$.Map.Item.Index)",
			"scanned.$": "States.ArrayGetItem($.scanned, $$.Map.Item.Index)",
		},
		Each: func(each *flow.Machine) {
			each.Add("AddIdentifier", call{
				Function: "MbanqAddIdentifier", Round: "$.round", InMap: true,
				Path: flow.F{"clientId.$": "$.client_id"}, BodyPath: "$.item", Keep: "resource_id",
				ResultPath: "$.identifier",
				Retry:      retryLookup,
				Next:       "CheckScan",
			})
			each.Add("CheckScan", flow.If(flow.Is("$.scanned", true), "AttachDocument", "Added"))
			each.Add("AttachDocument", call{
				Comment: "Nothing tells what became of a lost upload; without it, the verification says what is " +
					"missing.",
				Function: "MbanqAttachDocument", Round: "$.round", InMap: true,
				Path: flow.F{"identifierId.$": "$.identifier.resource_id"}, BodyPath: "$.scan",
				ResultPath: flow.Discard, OutputPath: "$.identifier",
				Retry: retryEffect,
				Catch: []flow.Catch{flow.OnAt("OutcomeUnknown", flow.Discard, "Added")},
				Next:  flow.End,
			})
			each.Add("Added", flow.Succeed{})
		}, ResultPath: flow.Discard,
		Catch: []flow.Catch{
			flow.On("Conflict InvalidInput Refused", "ReadRefusedAddition"),
			flow.On("CredentialsRejected", "FinishFailed"),
			flow.On(flow.All, "FinishUndetermined"),
		},
		Next: "ReadClient",
	})
	m.Add("ReadRefusedAddition", readCause{Next: "TellRefused"})
	m.Add("TellRefused", flow.Pass{
		Comment: "A document that the partner does not take leaves the journey waiting for another. What was to come " +
			"after it, the verification will miss.",
		Template:   flow.F{"reason.$": "$.error.refusal.errorMessage", "missing": ""},
		ResultPath: "$.wait", Next: "CheckRounds",
	})
	m.Add("ReadClient", call{
		Comment: "Only the client itself tells where it stands. It comes back here after whatever may have changed " +
			"that.",
		Function: "MbanqGetClient", Path: flow.F{"clientId.$": "$.now.client.client_id"},
		Keep: "client_id state transaction_id", ResultPath: "$.now.client",
		Retry: retryRead,
		Catch: flow.On("InvalidInput Refused Conflict", "FinishFailed").Else("CheckPollsUnread"),
		Next:  "RouteByClientStatus",
	})
	m.Add("RouteByClientStatus", flow.Choice{
		Comment: "A verification that nobody here has asked for may be of the lower level, so there is another. A " +
			"client is activated once.",
		Rules: []flow.Rule{
			flow.When(flow.Is("$.now.client.state", "active"), "FinishActive"),
			flow.When(flow.Present("$.activated"), "FinishNotActivated"),
			flow.When(flow.OneOf("$.now.client.state", "other", "absent"), "FinishOther"),
			flow.When(flow.Is("$.now.client.state", "in_progress"), "CheckPolls"),
			flow.When(flow.Is("$.now.verify.verification", ""), "Verify"),
			flow.When(
				flow.Or(flow.Is("$.now.verify.verification", "REJECTED"), flow.Is("$.now.client.state", "rejected")),
				"FinishRejected",
			),
			flow.When(flow.Is("$.now.client.state", "verified"), "Activate"),
		},
		Default: "FinishNotVerified",
	})
	m.Add("Verify", call{
		Comment:  "Refused, it changes nothing and names what is missing.",
		Function: "MbanqClientCommand", Round: "$.now.rounds.count", Path: flow.F{"clientId.$": "$.now.client.client_id"},
		Query: flow.F{"command": "verify"},
		Body:  flow.F{"kycVerificationType.$": "$.kyc_verification_type"},
		Keep:  "code verification missing", ResultPath: "$.now.verify",
		Retry: retryLookup,
		Catch: flow.On("InvalidInput Refused Conflict CredentialsRejected", "FinishFailed").Else("FinishUndetermined"),
		Next:  "RouteByVerification",
	})
	m.Add("RouteByVerification", flow.Choice{
		Comment: "That it was accepted doesn't prove that it is approved. One in progress would not show on a client " +
			"who was verified at the lower level before.",
		Rules: []flow.Rule{
			flow.When(flow.OneOf("$.now.verify.verification", "APPROVED", "REJECTED"), "ReadClient"),
			flow.When(
				flow.OneOf("$.now.verify.code", "client.verify.already.verified", "client.verify.not.pending"),
				"LetClientTell",
			),
			flow.When(flow.Not(flow.Is("$.now.verify.missing", "")), "TellMissing"),
			flow.When(flow.Is("$.now.client.state", "verified"), "FinishNotVerified"),
			flow.When(flow.Is("$.now.verify.verification", ""), "LetClientTell"),
		},
		Default: "ReadClient",
	})
	m.Add("LetClientTell", flow.Pass{
		Comment: "The answer doesn't say what came of it: the client does.",
		Value:   "UNSAID", ResultPath: "$.now.verify.verification", Next: "ReadClient",
	})
	m.Add("TellMissing", flow.Pass{
		Template:   flow.F{"reason": "documents_missing", "missing.$": "$.now.verify.missing"},
		ResultPath: "$.wait", Next: "CheckRounds",
	})
	m.Add("CheckRounds", flow.If(flow.Below("$.now.rounds.count", 10), "AwaitDocuments", "FinishRounds"))
	m.Add("AwaitDocuments", await{
		Comment: "Somebody is told 35 seconds less than the state waits, so that an input in time always finds it " +
			"waiting.",
		Kind: "documents",
		Payload: flow.F{
			"seconds": 1209565, "reason.$": "$.wait.reason",
			"details": flow.F{"missing.$": "$.wait.missing", "client_id.$": "$.now.client.client_id"},
			"accepts": []any{"documents"},
		},
		Timeout: 14 * 24 * time.Hour, ResultPath: "$.input",
		Catch: flow.On("States.Timeout", "FinishExpired").Else("FinishNotVerified"),
		Next:  "TakeDocuments",
	})
	m.Add("TakeDocuments", flow.Pass{
		Comment: "The input takes the place of what was to be added.",
		Template: flow.F{
			"tenant.$": "$.tenant", "journey_id.$": "$.journey_id", "client.$": "$.client", "external.$": "$.external",
			"kyc_verification_type.$": "$.kyc_verification_type", "activation_date.$": "$.activation_date",
			"addresses.$": "$.input.addresses", "identifiers.$": "$.input.identifiers", "scans.$": "$.input.scans",
			"scanned.$": "$.input.scanned",
			"now": flow.F{
				"client.$": "$.now.client", "verify.$": "$.now.verify", "polls.$": "$.now.polls",
				"rounds": flow.F{"count.$": "States.MathAdd($.now.rounds.count, 1)"},
			},
		},
		Next: "AddAddresses",
	})
	m.Add("CheckPolls", flow.If(flow.Below("$.now.polls.count", 72), "AwaitVerification", "FinishNotSettled"))
	m.Add("AwaitVerification", await{
		Comment: "A webhook ends the wait, else the hour does; then the client is read.",
		Kind:    "verification",
		Payload: flow.F{
			"record.$": "States.Format('mbanq/client/{}', $.now.client.client_id)", "seconds": 3600,
			"read.$": "$.now.client.transaction_id",
			"reason": "in_progress", "accepts": []any{}, "details": flow.F{"client_id.$": "$.now.client.client_id"},
		},
		Timeout: time.Hour, ResultPath: flow.Discard,
		Catch: flow.On("States.Timeout", "CountPoll").Else("WaitUnlisted"),
		Next:  "CountPoll",
	})
	m.Add("CheckPollsUnread", flow.If(flow.Below("$.now.polls.count", 72), "WaitUnlisted", "FinishUndetermined"))
	m.Add("WaitUnlisted", flow.Wait{
		Comment: "Where the client can't be read, or the wait can't be recorded, the hour passes all the same.",
		For:     time.Hour, Next: "CountPoll",
	})
	m.Add("CountPoll", flow.Pass{
		Template: flow.F{"count.$": "States.MathAdd($.now.polls.count, 1)"}, ResultPath: "$.now.polls", Next: "ReadClient",
	})
	m.Add("Activate", call{
		Comment:  "Whatever comes of it, the client tells.",
		Function: "MbanqClientCommand", Round: "$.now.rounds.count", Path: flow.F{"clientId.$": "$.now.client.client_id"},
		Query: flow.F{"command": "activate"},
		Body:  flow.F{"activationDate.$": "$.activation_date", "dateFormat": "yyyy-MM-dd", "locale": "en"},
		Keep:  "code", ResultPath: "$.activated",
		Retry: retryLookup,
		Catch: []flow.Catch{flow.OnAt(flow.All, "$.activated", "ReadClient")},
		Next:  "ReadClient",
	})
	m.Add("FinishActive", finish{Status: "SUCCEEDED", Reason: "active", Source: "§5.1", OutcomeOf: "$.now.client"})
	m.Add("FinishRejected", finish{
		Status: "REJECTED", Reason: "verification_rejected", Source: "§4.2", OutcomeOf: "$.now.client",
	})
	m.Add("FinishNotCreated", finish{
		Comment: "Such as a mobile number that another client has.",
		Status:  "REVIEW", Reason: caught, OutcomeOf: "$.now.client",
	})
	m.Add("FinishNotYours", finish{
		Comment: "Another tenant's client, or one that nobody is known to own, has the externalId.",
		Status:  "REVIEW", Reason: "record_not_yours",
	})
	m.Add("FinishOther", finish{
		Comment: "The client is neither pending nor active, such as closed.",
		Status:  "REVIEW", Reason: "not_pending", OutcomeOf: "$.now.client",
	})
	m.Add("FinishNotVerified", finish{Status: "REVIEW", Reason: "not_verified", OutcomeOf: "$.now.client"})
	m.Add("FinishNotActivated", finish{
		Comment: "Refused, or kept by maker-checker for somebody to approve.",
		Status:  "REVIEW", Reason: "not_activated", OutcomeOf: "$.now.client",
	})
	m.Add("FinishRounds", finish{Status: "REVIEW", Reason: "too_many_rounds", OutcomeOf: "$.now.client"})
	m.Add("FinishNotSettled", finish{Status: "FAILED", Reason: "verification_not_settled", OutcomeOf: "$.now.client"})
	m.Add("FinishExpired", finish{Status: "EXPIRED", Reason: "no_documents", OutcomeOf: "$.now.client"})
	m.Add("FinishFailed", finish{Status: "FAILED", Reason: caught, OutcomeOf: "$.now.client"})
	m.Add("FinishUndetermined", finish{Status: "FAILED", Reason: "undetermined", OutcomeOf: "$.now.client"})
	m.Add("FinishNotBegun", finish{Status: "FAILED", Reason: caught})
	m.Add("FinishBeginUnknown", finish{Status: "FAILED", Reason: "undetermined"})
	return m
}
