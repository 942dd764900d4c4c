package ezto

import "sallyport/shared/partner"

// examples are events to try the functions with, on a stack with the simulated EZTO.
func examples() map[string][]partner.Example {
	const run = "0198c0de-0000-7000-8000-000000000009"
	return map[string][]partner.Example{
		"trigger-request": {
			{
				Target: "/ezto/auth/realms/acme-trade/protocol/openid-connect/transaction",
				Header: map[string]string{
					"api-version":     "1",
					"authorization":   "Basic ZTI3MDAwMDAtMDAwMC00MDAwLTgwMDAtMDAwMDAwMDAwMDAxOmxvY2FsLWtleQ==",
					"content-type":    "application/x-www-form-urlencoded",
					"idempotency-key": "sample-trigger-1",
					"x-api-key":       "",
				},
				Body: "request=%7B%22user%22%3A%7B%22user_id%22%3A%22u-7731%22%2C%22metadata%22%3A%7B%22workflow%22%3A%22ve" +
					"rification%22%7D%7D%7D",
			},
			{
				State: "Trigger", Run: run,
				Body: `{
  "query": {"application": "ping"},
  "body": {"user": {"user_id": "u-7731", "metadata": {"workflow": "verification", "force_onboarding": false}}}
}`,
			},
		},
		"get-result": {
			{
				Target: "/ezto/auth/realms/acme-trade/protocol/openid-connect/transaction/result",
				Header: map[string]string{
					"api-version":   "1",
					"authorization": "Basic ZTI3MDAwMDAtMDAwMC00MDAwLTgwMDAtMDAwMDAwMDAwMDAxOmxvY2FsLWtleQ==",
					"content-type":  "application/x-www-form-urlencoded",
					"x-api-key":     "",
				},
				Body: "auth_req_id=sample-handle",
			},
			{
				State: "GetResult", Run: run,
				Body: `{"query": {"application": "ping"}, "body": {"auth_req_id": "sample-handle"}}`,
			},
		},
		"callback": {{
			Target: "/callbacks/ezto/ping?key=sandbox-ezto-callback-key",
			Body: `{
  "auth_req_id": "sample-handle", "request_id": "0198c0de-0000-7000-8000-0000000000a1", "status": "COMPLETED"
}`,
		}},
	}
}
