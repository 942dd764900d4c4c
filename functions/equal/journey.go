package equal

import (
	"context"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"sallyport/shared/gateway"
	"sallyport/shared/journey"
	"sallyport/shared/source"
	"sallyport/shared/tolerant"
)

// AadhaarOTP is the journey "aadhaar-otp": it verifies that a person holds the mobile number behind an Aadhaar number.
func AadhaarOTP() journey.Type {
	return journey.Type{
		Name:    "aadhaar-otp",
		Partner: "equal",
		Start:   startAadhaarOTP,
		Inputs: map[string]func(context.Context, journey.Start) (journey.Fields, error){
			"otp":    inputOTP,
			"resend": inputResend,
		},
		Outcome: outcomeAadhaarOTP,
	}
}

// startAadhaarOTP takes {"aadhaar_no":…}, a number or a document's reference.
func startAadhaarOTP(_ context.Context, start journey.Start) (fields journey.Fields, err error) {
	var in struct {
		AadhaarNo jsontext.Value `json:"aadhaar_no"`
	}
	if err := gateway.DecodeJSON(start.Body, &in); err != nil {
		return fields, err
	}
	var creds credentials
	if err := json.Unmarshal(start.Secret, &creds); err != nil || creds.GatewayInstanceID == "" ||
		creds.Journeys["aadhaar-otp"] == "" {
		return fields,
			gateway.NewProblem(
				http.StatusServiceUnavailable, "partner_credentials_missing",
				"the credentials for Equal lack the gateway instance or this journey's id",
			)
	}
	fields.Plain = map[string]any{
		"gateway_instance_id": creds.GatewayInstanceID, "partner_journey_id": creds.Journeys["aadhaar-otp"],
	}
	return fields, fields.Sensitive("aadhaar_no", in.AadhaarNo, func(number string) error {
		if _, ok := aadhaarDigits(number); !ok {
			return &gateway.InputError{
				Pointer: "/aadhaar_no", Reason: "must have 12 digits", Source: source.Published("§8.2"),
			}
		}
		return nil
	})
}

// inputOTP takes {"otp":…}, a text or a document's reference. No page says how an OTP looks (§5.4).
func inputOTP(_ context.Context, input journey.Start) (fields journey.Fields, err error) {
	var in struct {
		OTP jsontext.Value `json:"otp"`
	}
	if err := gateway.DecodeJSON(input.Body, &in); err != nil {
		return fields, err
	}
	return fields, fields.Sensitive("otp", in.OTP, func(otp string) error {
		if strings.TrimSpace(otp) == "" {
			return &gateway.InputError{Pointer: "/otp", Reason: "must not be blank", Source: source.Interface("otp")}
		}
		return nil
	})
}

// inputResend takes nothing.
func inputResend(_ context.Context, input journey.Start) (fields journey.Fields, err error) {
	var in struct{}
	return fields, gateway.DecodeJSON(input.Body, &in)
}

// outcomeAadhaarOTP is what people read of the answer that decided.
func outcomeAadhaarOTP(answer gateway.Reply, refs map[string]string, _ []string) ([]byte, error) {
	var in envelope
	in.read(answer.Body)
	out := struct {
		Verified   bool           `json:"verified"`
		Decision   string         `json:"decision,omitzero"`
		Name       string         `json:"name,omitzero"`
		Last4      string         `json:"aadhaar_last4,omitzero"`
		StatusCode string         `json:"status_code"`
		Checks     jsontext.Value `json:"checks,omitzero"`
		Mismatch   bool           `json:"aadhaar_mismatch,omitzero"`
	}{
		StatusCode: in.StatusCode, Decision: in.decision(), Last4: refs["aadhaar_last4"], Checks: in.Checks,
		Mismatch: refs[refMismatch] != "",
	}
	for _, key := range in.Aadhaar {
		if !tolerant.IsName(key.Name) {
			continue
		}
		out.Verified = in.Status == statusSuccess && in.StatusCode == "success" && !out.Mismatch &&
			(out.Decision == "" || out.Decision == decisionClear)
		out.Name = key.Name
		if len(key.AadhaarNo) >= 4 {
			out.Last4 = key.AadhaarNo[len(key.AadhaarNo)-4:]
		}
		if len(key.Checks) > 0 {
			out.Checks = key.Checks
		}
		break
	}
	return json.Marshal(out)
}
