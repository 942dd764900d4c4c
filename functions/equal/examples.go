package equal

import "sallyport/shared/partner"

// examples are events to try the functions with, on a stack with the simulated Equal.
func examples() map[string][]partner.Example {
	const run = "0198c0de-0000-7000-8000-000000000001"
	return map[string][]partner.Example{
		"init-transaction": {{
			Target: "/equal/ie/transaction/init",
			Body:   `{"gateway_instance_id": "gateway.equal.dev_test", "idempotency_id": "sample-init-1"}`,
		}},
		"execute-journey": {
			{
				Target: "/equal/ie/transaction/journey/execute",
				Header: map[string]string{"idempotency-key": "sample-send-otp-1"},
				Body: `{
  "transaction_id": "5f0c7b1e-3a52-4d0e-9c1b-2f6d8e4a7b10", "journey_id": "aadhaar_otp_sim_v1",
  "request_id": "sample-send-otp-1", "input_data": {"aadhaar_no": "999900000016"}
}`,
			},
			{
				State: "VerifyOTP", Run: run,
				Body: `{
  "body": {
    "transaction_id": "5f0c7b1e-3a52-4d0e-9c1b-2f6d8e4a7b10", "journey_id": "aadhaar_otp_sim_v1",
    "input_data": {"aadhaar_no": "999900000016", "otp": "123456"}
  }
}`,
			},
		},
		"fetch-data": {{
			Target: "/equal/ie/transaction/journey/data/fetch",
			Body: `{
  "transaction_id": "5f0c7b1e-3a52-4d0e-9c1b-2f6d8e4a7b10",
  "journey_transaction_id": "0d4a1f9c-6b27-4e35-8a90-c3b5d7e81f42"
}`,
		}},
	}
}
