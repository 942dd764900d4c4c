package equal

import (
	"context"
	"net/http"

	"sallyport/shared/gateway"
	"sallyport/shared/operation"
	"sallyport/shared/seal"
	"sallyport/shared/source"
	"sallyport/shared/tolerant"
)

// execution is the body of a request to run a step of the journey (§5.1), and what is read of it.
type execution struct {
	request
	data          tolerant.Object // input_data
	transactionID string
	number        string   // digits of the Aadhaar number
	spellings     []string // of it, by which an answer may show it
	verifies      bool     // with an OTP; without one it asks for one to be sent (§5.3)
}

// ExecuteJourney runs a step of the Aadhaar OTP journey (§5): without an OTP one is sent to the person, with it
// the person is verified. A repeat would send a second SMS or use up an attempt, and the partner tells nobody what
// became of an earlier one, so an unknown outcome is the person's to decide (§10.4).
func ExecuteJourney(c Config) operation.Operation[execution] {
	return operation.Operation[execution]{
		Name:               "equal/execute-journey",
		Errors:             renderError,
		MaxBody:            maxRequest,
		Decode:             decodeExecute,
		BodyIdempotencyKey: func(in execution) string { return key(in.members["request_id"]) },
		Resource:           func(in execution) string { return ownedTransaction(in.transactionID) },
		Fingerprint: func(in execution) any {
			data := map[string]any{"input_data": inOrder(in.data, nil, "aadhaar_no", "otp")}
			return inOrder(in.members, data, "transaction_id", "journey_id", "request_id", "input_data")
		},
		OnUnknown: func(execution) operation.Resolution { return operation.Manual },
		Call: func(ctx context.Context, call operation.Call, in execution) operation.Outcome {
			outcome, e := c.post(ctx, call, executePath, in.body, in.spellings...)
			outcome.Refs = e.refs(map[string]string{
				"step":          in.step(),
				"aadhaar_last4": seal.Last4(in.number),
				"aadhaar_ref":   call.Reference("aadhaar", call.Tenant, in.number),
			})
			if e.ofAnother {
				outcome.Refs[refMismatch] = "true"
			}
			return outcome
		},
		OutputRefs: []string{refMismatch},
		Output:     summary,
	}
}

// refMismatch is kept of an answer that shows another number than the one that was asked for.
const refMismatch = "aadhaar_mismatch"

func (in execution) step() string {
	if in.verifies {
		return "verify_otp"
	}
	return "send_otp"
}

// decodeExecute validates in the order in which the partner documents its answers: what is required, then what is
// invalid.
func decodeExecute(req gateway.Request) (in execution, err error) {
	if in.request, err = readRequest(req); err != nil {
		return in, err
	}
	if in.transactionID, err = in.transaction(); err != nil {
		return in, err
	}
	in.data = in.members.Object("input_data")
	otp, ok := in.data["otp"]
	in.verifies = ok
	switch {
	case isBlank(in.members["journey_id"]):
		return in, required("journey_id", "/journey_id", source.Published("§5.1"))
	case isBlank(in.members["input_data"]):
		return in, required("input_data", "/input_data", source.Published("§5.1"))
	case isBlank(in.data["aadhaar_no"]):
		return in, required("aadhaar_no", "/input_data/aadhaar_no", source.Published("§8.4"))
	case in.verifies && isBlank(otp): // who has lost an OTP is not to be understood as asking for another one
		missing := required("otp", "/input_data/otp", source.Published("§5.3"))
		missing.Code = codeOTPMissing
		return in, missing
	}
	if in.spellings, ok = aadhaarDigits(tolerant.Text(in.data["aadhaar_no"])); !ok {
		return in, &operation.Rejection{
			Code: codeInvalidAadhaar, Detail: "/input_data/aadhaar_no: must have 12 digits", Reply: in.invalidAadhaar(),
			Source: source.Published("§8.2"),
		}
	}
	if in.number = in.spellings[0]; req.FromStateMachine {
		return decodeExecute(gateway.Request{Body: in.asThePageHasIt()})
	}
	return in, nil
}

// asThePageHasIt returns a journey's request with what a person has typed in the form that the page shows (§5.3): the
// number's digits alone, and an OTP without blanks around it.
func (in execution) asThePageHasIt() []byte {
	body := replaced(in.body, "/input_data/aadhaar_no", in.number)
	if otp := tolerant.Text(in.data["otp"]); otp != "" {
		body = replaced(body, "/input_data/otp", otp)
	}
	return body
}

// invalidAadhaar is the partner's own business failure, a 200 with the whole envelope, given before any call.
func (in execution) invalidAadhaar() gateway.Reply {
	return render(http.StatusOK, failure{
		TransactionID: in.transactionID, JourneyID: tolerant.Text(in.members["journey_id"]), Status: statusFailure,
		StatusCode: codeInvalidAadhaar, Message: messageInvalidAadhaar, Checks: &[0]struct{}{}, Data: &struct{}{},
	})
}
