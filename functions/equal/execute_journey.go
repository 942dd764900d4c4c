package equal

import (
	"context"
	"net/http"
	"strings"

	"sallyport/shared/gateway"
	"sallyport/shared/operation"
	"sallyport/shared/seal"
)

// ExecuteJourney runs a step of the Aadhaar OTP journey (§5): without an OTP one is sent to the person, with it
// the person is verified. A repeat would send a second SMS or use up an attempt, and the partner tells nobody what
// became of an earlier one, so an unknown outcome is the person's to decide (§10).
func ExecuteJourney(c Config) operation.Operation[executeRequest] {
	return operation.Operation[executeRequest]{
		Name:               "equal/execute-journey",
		Errors:             renderError,
		MaxBody:            maxRequest,
		Decode:             decodeExecute,
		BodyIdempotencyKey: func(in executeRequest) string { return in.RequestID },
		Resource:           func(in executeRequest) string { return ownedTransaction(in.TransactionID) },
		Fingerprint:        func(in executeRequest) any { return in },
		OnUnknown:          func(executeRequest) operation.Resolution { return operation.Manual },
		Call: func(ctx context.Context, call operation.Call, in executeRequest) operation.Outcome {
			number := in.InputData.AadhaarNo
			outcome, e := c.post(ctx, call, executePath, in, number)
			outcome.Refs = e.refs(map[string]string{
				"step":          step(in),
				"aadhaar_last4": seal.Last4(number),
				"aadhaar_ref":   call.Reference("aadhaar", call.Tenant, number),
			})
			return outcome
		},
		Output: summary,
	}
}

func step(in executeRequest) string {
	if in.InputData.OTP.present {
		return "verify_otp"
	}
	return "send_otp"
}

// decodeExecute validates in the order in which the partner documents its answers: what is required, then what is
// invalid. The number's check digit is tested before any call; checksum-valid does not mean issued.
func decodeExecute(req gateway.Request) (in executeRequest, err error) {
	if err := gateway.DecodeJSON(req.Body, &in); err != nil {
		return in, err
	}
	switch {
	case in.TransactionID == "":
		return in, required("transaction_id", "/transaction_id")
	case in.JourneyID == "":
		return in, required("journey_id", "/journey_id")
	case in.InputData == nil:
		return in, required("input_data", "/input_data")
	case in.InputData.AadhaarNo == "":
		return in, required("aadhaar_no", "/input_data/aadhaar_no")
	case in.InputData.OTP.present && in.InputData.OTP.value == "":
		return in, required("otp", "/input_data/otp")
	}
	if err := checkIDs(
		"/transaction_id", in.TransactionID, "/journey_id", in.JourneyID, "/request_id", in.RequestID,
	); err != nil {
		return in, err
	}
	in.InputData.AadhaarNo = separators.Replace(in.InputData.AadhaarNo)
	if !validAadhaar(in.InputData.AadhaarNo) {
		return in, rejected(in, codeInvalidAadhaar, messageInvalidAadhaar, "/input_data/aadhaar_no: is not an Aadhaar number")
	}
	if otp := in.InputData.OTP; otp.present && !validOTP(otp.value) {
		return in, rejected(in, codeInvalidOTP, messageInvalidOTP, "/input_data/otp: must have 6 digits")
	}
	return in, nil
}

var separators = strings.NewReplacer(" ", "", "-", "")

// rejected is the partner's own business failure, a 200 with the whole envelope, given before any call.
func rejected(in executeRequest, code, message, detail string) error {
	return &operation.Rejection{Code: code, Detail: detail, Reply: render(http.StatusOK, failure{
		TransactionID: in.TransactionID, JourneyID: in.JourneyID, Status: statusFailure, StatusCode: code, Message: message,
		Checks: &[0]struct{}{}, Data: &struct{}{},
	})}
}

func validOTP(otp string) bool { return len(otp) == 6 && strings.Trim(otp, "0123456789") == "" }
