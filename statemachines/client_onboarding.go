package statemachines

import (
	"time"

	"sallyport/shared/asl/flow"
)

// clientOnboarding is the journey client-onboarding.
func clientOnboarding() *flow.Machine {
	m := &flow.Machine{
		Comment: "Creates a client, adds its documents, and has it verified and activated. State carries references " +
			"and codes only.",
		Timeout: 31 * 24 * time.Hour,
	}
	m.Add("Begin", flow.Pass{
		Comment: "The state from here on. Each input takes the place of what is to be added; client_now is the " +
			"client as it was last read.",
		Template: flow.F{
			"tenant.$": "$.tenant", "journey_id.$": "$.journey_id", "client.$": "$.client[0]",
			"external.$": "$.external[0]", "kyc_verification_type.$": "$.kyc_verification_type",
			"activation_date.$": "$.activation_date",
			"input": flow.F{
				"addresses.$": "$.addresses", "identifiers.$": "$.identifiers", "scans.$": "$.scans",
				"scanned.$": "$.scanned",
			},
			"client_now": flow.F{"transaction_id": ""}, "verify": flow.F{"verification": ""},
			"now": flow.F{"round": 0, "polls": 0},
		},
		Next: "Authenticate",
	})
	m.Add("Authenticate", call{
		Comment:  "Fetches the partner's access token, which all functions share; it is not handed over.",
		Function: "MbanqIssueToken", ResultPath: flow.Discard,
		Retry: retryRead,
		Catch: []flow.Catch{
			flow.On("InvalidInput Refused Conflict CredentialsRejected", "ReadFailure"),
			flow.On(flow.All, "FinishUndetermined"),
		},
		Next: "FindClient",
	})
	m.Add("FindClient", call{
		Comment:  "The externalId tells whether an earlier attempt has created the client.",
		Function: "MbanqGetClient",
		Body:     flow.F{"external_id.$": "$.external"},
		Keep:     "client_id state transaction_id", ResultPath: "$.client_now",
		Retry: retryRead,
		Catch: []flow.Catch{
			flow.On("InvalidInput Refused Conflict CredentialsRejected", "ReadFailure"),
			flow.On(flow.All, "FinishUndetermined"),
		},
		Next: "Found",
	})
	m.Add("Found", flow.Choice{
		Rules: []flow.Rule{
			flow.When(flow.And(flow.Is("$.client_now.state", "absent"), flow.Present("$.error")), "FinishNotCreated"),
			flow.When(flow.Is("$.client_now.state", "absent"), "CreateClient"),
			flow.When(flow.Is("$.client_now.state", "active"), "FinishActive"),
			flow.When(flow.Is("$.client_now.state", "other"), "FinishOther"),
		},
		Default: "AddAddresses",
	})
	m.Add("CreateClient", call{
		Comment:  "Creates the client, which is then Pending.",
		Function: "MbanqCreateClient", BodyPath: "$.client", Keep: "client_id transaction_id",
		ResultPath: "$.client_now",
		Retry:      retryLookup,
		Catch: []flow.Catch{
			flow.On("Conflict", "ReadConflict"),
			flow.On("InvalidInput Refused CredentialsRejected", "ReadFailure"),
			flow.On(flow.All, "FinishUndetermined"),
		},
		Next: "AddAddresses",
	})
	m.Add("ReadConflict", readCause{Comment: "Another journey may have created it meanwhile.", Next: "FindClient"})
	m.Add("AddAddresses", flow.Map{
		Comment: "What the client has already is not added twice.",
		Items:   "$.input.addresses", AtOnce: 1,
		Item: flow.F{
			"tenant.$": "$.tenant", "execution.$": "$$.Execution.Name", "index.$": "$$.Map.Item.Index",
			"round.$": "$.now.round", "client_id.$": "$.client_now.client_id", "item.$": "$$.Map.Item.Value",
		},
		Each: func(each *flow.Machine) {
			each.Add("AddAddress", call{
				Function: "MbanqAddAddress", Round: "$.round", InMap: true, Path: flow.F{"clientId.$": "$.client_id"},
				BodyPath: "$.item", Keep: "resource_id",
				Retry: retryLookup,
			})
		}, ResultPath: flow.Discard,
		Catch: []flow.Catch{
			flow.On("Conflict InvalidInput Refused", "ReadRefusedAddition"),
			flow.On("CredentialsRejected", "ReadFailure"),
			flow.On(flow.All, "FinishUndetermined"),
		},
		Next: "AddIdentifiers",
	})
	m.Add("AddIdentifiers", flow.Map{
		Items: "$.input.identifiers", AtOnce: 1,
		Item: flow.F{
			"tenant.$": "$.tenant", "execution.$": "$$.Execution.Name", "index.$": "$$.Map.Item.Index",
			"round.$": "$.now.round", "client_id.$": "$.client_now.client_id", "item.$": "$$.Map.Item.Value",
			"scan.$":    "States.ArrayGetItem($.input.scans, $$.Map.Item.Index)",
			"scanned.$": "States.ArrayGetItem($.input.scanned, $$.Map.Item.Index)",
		},
		Each: func(each *flow.Machine) {
			each.Add("AddIdentifier", call{
				Function: "MbanqAddIdentifier", Round: "$.round", InMap: true,
				Path: flow.F{"clientId.$": "$.client_id"}, BodyPath: "$.item", Keep: "resource_id",
				ResultPath: "$.identifier",
				Retry:      retryLookup,
				Next:       "Scanned",
			})
			each.Add("Scanned", flow.Choice{
				Rules:   []flow.Rule{flow.When(flow.Is("$.scanned", true), "AttachDocument")},
				Default: "Added",
			})
			each.Add("AttachDocument", call{
				Comment: "Nothing tells what became of a lost upload; without it, the verification says what is " +
					"missing.",
				Function: "MbanqAttachDocument", Round: "$.round", InMap: true,
				Path: flow.F{"identifierId.$": "$.identifier.resource_id"}, BodyPath: "$.scan",
				ResultPath: flow.Discard,
				Retry:      retryEffect,
				Catch:      []flow.Catch{flow.OnAt("OutcomeUnknown", flow.Discard, "Added")},
				Next:       "Added",
			})
			each.Add("Added", flow.Pass{Template: flow.F{"resource_id.$": "$.identifier.resource_id"}})
		}, ResultPath: flow.Discard,
		Catch: []flow.Catch{
			flow.On("Conflict InvalidInput Refused", "ReadRefusedAddition"),
			flow.On("CredentialsRejected", "ReadFailure"),
			flow.On(flow.All, "FinishUndetermined"),
		},
		Next: "ReadClient",
	})
	m.Add("ReadRefusedAddition", readCause{Next: "AdditionRefused"})
	m.Add("AdditionRefused", flow.Pass{
		Comment: "A document that the partner does not take leaves the journey waiting for another. What was to come " +
			"after it, the verification will miss.",
		Template:   flow.F{"reason.$": "$.error.refusal.errorMessage", "missing": ""},
		ResultPath: "$.wait", Next: "MayWait",
	})
	m.Add("ReadClient", call{
		Comment: "Only the client itself tells where it stands. It comes back here after whatever may have changed " +
			"that.",
		Function: "MbanqGetClient", Path: flow.F{"clientId.$": "$.client_now.client_id"},
		Keep: "client_id state transaction_id", ResultPath: "$.client_now",
		Retry: retryRead,
		Catch: []flow.Catch{
			flow.On("InvalidInput Refused Conflict", "ReadFailure"),
			flow.On(flow.All, "MayReadAgain"),
		},
		Next: "Stands",
	})
	m.Add("Stands", flow.Choice{
		Comment: "A verification that nobody here has asked for may be of the lower level, so there is another. A " +
			"client is activated once.",
		Rules: []flow.Rule{
			flow.When(flow.Is("$.client_now.state", "active"), "FinishActive"),
			flow.When(flow.Present("$.activated"), "FinishNotActivated"),
			flow.When(flow.OneOf("$.client_now.state", "other", "absent"), "FinishOther"),
			flow.When(flow.Is("$.client_now.state", "in_progress"), "MayPoll"),
			flow.When(flow.Is("$.verify.verification", ""), "Verify"),
			flow.When(
				flow.Or(flow.Is("$.verify.verification", "REJECTED"), flow.Is("$.client_now.state", "rejected")),
				"FinishRejected",
			),
			flow.When(flow.Is("$.client_now.state", "verified"), "Activate"),
		},
		Default: "FinishNotVerified",
	})
	m.Add("Verify", call{
		Comment:  "Refused, it changes nothing and names what is missing.",
		Function: "MbanqClientCommand", Round: "$.now.round", Path: flow.F{"clientId.$": "$.client_now.client_id"},
		Query: flow.F{"command": "verify"},
		Body:  flow.F{"kycVerificationType.$": "$.kyc_verification_type"},
		Keep:  "code verification missing", ResultPath: "$.verify",
		Retry: retryLookup,
		Catch: []flow.Catch{
			flow.On("InvalidInput Refused Conflict CredentialsRejected", "ReadFailure"),
			flow.On(flow.All, "FinishUndetermined"),
		},
		Next: "Verified",
	})
	m.Add("Verified", flow.Choice{
		Comment: "That it was accepted doesn't prove that it is approved. One in progress would not show on a client " +
			"who was verified at the lower level before.",
		Rules: []flow.Rule{
			flow.When(flow.OneOf("$.verify.verification", "APPROVED", "REJECTED"), "ReadClient"),
			flow.When(
				flow.OneOf("$.verify.code", "client.verify.already.verified", "client.verify.not.pending"),
				"TakeVerified",
			),
			flow.When(flow.Not(flow.Is("$.verify.missing", "")), "Missing"),
			flow.When(flow.Is("$.client_now.state", "verified"), "FinishNotVerified"),
			flow.When(flow.Is("$.verify.verification", ""), "TakeVerified"),
		},
		Default: "ReadClient",
	})
	m.Add("TakeVerified", flow.Pass{
		Comment: "The answer doesn't say what came of it: the client does.",
		Value:   "UNSAID", ResultPath: "$.verify.verification", Next: "ReadClient",
	})
	m.Add("Missing", flow.Pass{
		Template:   flow.F{"reason": "documents_missing", "missing.$": "$.verify.missing"},
		ResultPath: "$.wait", Next: "MayWait",
	})
	m.Add("MayWait", flow.Choice{
		Rules:   []flow.Rule{flow.When(flow.Below("$.now.round", 10), "AwaitDocuments")},
		Default: "FinishRounds",
	})
	m.Add("AwaitDocuments", await{
		Comment: "Somebody is told 35 seconds less than the state waits, so that an input in time always finds it " +
			"waiting.",
		Kind: "documents",
		Payload: flow.F{
			"seconds": 1209565, "reason.$": "$.wait.reason",
			"details": flow.F{"missing.$": "$.wait.missing", "client_id.$": "$.client_now.client_id"},
			"accepts": []any{"documents"},
		},
		Timeout: 14 * 24 * time.Hour, ResultPath: "$.input",
		Catch: []flow.Catch{flow.On("States.Timeout", "FinishExpired"), flow.On(flow.All, "FinishNotVerified")},
		Next:  "CountRound",
	})
	m.Add("CountRound", flow.Pass{
		Template:   flow.F{"round.$": "States.MathAdd($.now.round, 1)", "polls.$": "$.now.polls"},
		ResultPath: "$.now", Next: "AddAddresses",
	})
	m.Add("MayPoll", flow.Choice{
		Rules:   []flow.Rule{flow.When(flow.Below("$.now.polls", 72), "AwaitVerification")},
		Default: "FinishNotSettled",
	})
	m.Add("AwaitVerification", await{
		Comment: "A webhook ends the wait, else the hour does; then the client is read.",
		Kind:    "verification",
		Payload: flow.F{
			"record.$": "States.Format('mbanq/client/{}', $.client_now.client_id)", "seconds": 3600,
			"reason": "in_progress", "accepts": []any{}, "details": flow.F{"client_id.$": "$.client_now.client_id"},
		},
		Timeout: time.Hour, ResultPath: flow.Discard,
		Catch: []flow.Catch{flow.On("States.Timeout", "CountPoll"), flow.On(flow.All, "WaitUnlisted")},
		Next:  "CountPoll",
	})
	m.Add("MayReadAgain", flow.Choice{
		Rules:   []flow.Rule{flow.When(flow.Below("$.now.polls", 72), "WaitUnlisted")},
		Default: "FinishUndetermined",
	})
	m.Add("WaitUnlisted", flow.Wait{
		Comment: "Where the client can't be read, or the wait can't be recorded, the hour passes all the same.",
		For:     time.Hour, Next: "CountPoll",
	})
	m.Add("CountPoll", flow.Pass{
		Template:   flow.F{"round.$": "$.now.round", "polls.$": "States.MathAdd($.now.polls, 1)"},
		ResultPath: "$.now", Next: "ReadClient",
	})
	m.Add("Activate", call{
		Comment:  "Whatever comes of it, the client tells.",
		Function: "MbanqClientCommand", Round: "$.now.round", Path: flow.F{"clientId.$": "$.client_now.client_id"},
		Query: flow.F{"command": "activate"},
		Body:  flow.F{"activationDate.$": "$.activation_date", "dateFormat": "yyyy-MM-dd", "locale": "en"},
		Keep:  "code", ResultPath: "$.activated",
		Retry: retryLookup,
		Catch: []flow.Catch{flow.OnAt(flow.All, "$.activated", "ReadClient")},
		Next:  "ReadClient",
	})
	m.Add("ReadFailure", readCause{Next: "FinishFailed"})
	m.Add("FinishActive", finish{
		Status: "SUCCEEDED", Reason: "active",
		OutcomeOf: "$.client_now",
	})
	m.Add("FinishRejected", finish{
		Status: "REJECTED", Reason: "verification_rejected",
		OutcomeOf: "$.client_now",
	})
	m.Add("FinishNotCreated", finish{
		Comment: "Such as a mobile number that another client has.",
		Status:  "REVIEW", Reason: "$.error.refusal.errorMessage",
		OutcomeOf: "$.client_now",
	})
	m.Add("FinishOther", finish{
		Comment: "The client is neither pending nor active, such as closed.",
		Status:  "REVIEW", Reason: "not_pending",
		OutcomeOf: "$.client_now",
	})
	m.Add("FinishNotVerified", finish{
		Status: "REVIEW", Reason: "not_verified",
		OutcomeOf: "$.client_now",
	})
	m.Add("FinishNotActivated", finish{
		Comment: "Refused, or kept by maker-checker for somebody to approve.",
		Status:  "REVIEW", Reason: "not_activated",
		OutcomeOf: "$.client_now",
	})
	m.Add("FinishRounds", finish{
		Status: "REVIEW", Reason: "too_many_rounds",
		OutcomeOf: "$.client_now",
	})
	m.Add("FinishNotSettled", finish{
		Status: "FAILED", Reason: "verification_not_settled",
		OutcomeOf: "$.client_now",
	})
	m.Add("FinishExpired", finish{
		Status: "EXPIRED", Reason: "no_documents",
		OutcomeOf: "$.client_now",
	})
	m.Add("FinishFailed", finish{
		Status: "FAILED", Reason: "$.error.refusal.errorMessage",
		OutcomeOf: "$.client_now",
	})
	m.Add("FinishUndetermined", finish{
		Status: "FAILED", Reason: "undetermined",
		OutcomeOf: "$.client_now",
	})
	m.Add("Ended", flow.Succeed{})
	return m
}
