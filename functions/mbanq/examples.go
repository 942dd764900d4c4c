package mbanq

import "sallyport/shared/partner"

// examples are events to try the functions with, on a stack with the simulated Mbanq.
func examples() map[string][]partner.Example {
	const run = "0198c0de-0000-7000-8000-000000000006"
	return map[string][]partner.Example{
		"issue-token": {
			{
				Target: "/mbanq/oauth/token",
				Header: map[string]string{
					"content-type": "application/x-www-form-urlencoded",
					"tenantid":     "sandbox-tenant",
					"x-api-key":    "",
				},
				Body: "grant_type=password&username=demo-operator&password=demo-pass&client_id=demo-client&" +
					"client_secret=local-key",
			},
			{State: "Authenticate", Run: run},
		},
		"create-client": {{
			Target: "/mbanq/v1/clients",
			Header: map[string]string{"idempotency-key": "sample-client-1", "tenantid": "sandbox-tenant"},
			Body: `{
  "officeId": 1, "legalFormId": 1, "firstname": "Noor", "lastname": "Example", "dateOfBirth": "1991-07-03",
  "genderId": 22, "emailAddress": "noor@example.com", "mobileCountryCode": "1", "mobileNo": "2025550117",
  "submittedOnDate": "2026-01-05", "dateFormat": "yyyy-MM-dd", "locale": "en", "externalId": "sample-client-1"
}`,
		}},
		"get-client": {
			{Target: "/mbanq/v1/clients/8801"},
			{State: "FindClient", Run: run, Body: `{"body": {"external_id": "sample-client-1"}}`},
		},
		"add-address": {
			{
				Target: "/mbanq/v1/client/8801/addresses?type=1",
				Header: map[string]string{"idempotency-key": "sample-address-1"},
				Body: `{
  "addressLine1": "1 First Street", "city": "Sampletown", "stateProvinceId": 201, "countryId": 101,
  "postalCode": "10001", "isActive": true
}`,
			},
			{
				State: "AddAddress", Run: run,
				Body: `{
  "path": {"clientId": "8801"},
  "body": {
    "addressTypeId": 1, "addressLine1": "1 First Street", "city": "Sampletown", "stateProvinceId": 201,
    "countryId": 101, "postalCode": "10001", "isActive": true
  }
}`,
			},
		},
		"add-identifier": {{
			Target: "/mbanq/v1/clients/8801/identifiers",
			Header: map[string]string{"idempotency-key": "sample-identifier-1"},
			Body: `{
  "documentTypeId": "41", "documentKey": "X4409127", "status": "Active", "issuedDate": "2021-05-09",
  "expiryDate": "2031-05-08", "dateFormat": "yyyy-MM-dd", "locale": "en"
}`,
		}},
		"list-identifiers": {{Target: "/mbanq/v1/clients/8801/identifiers?unmaskValue=true"}},
		"attach-document": {
			{
				Target: "/mbanq/v1/client_identifiers/5101/documents",
				Header: map[string]string{
					"content-type":    "multipart/form-data; boundary=sample-boundary-1",
					"idempotency-key": "sample-scan-1",
				},
				Body: "--sample-boundary-1\r\n" +
					"Content-Disposition: form-data; name=\"name\"\r\n\r\n" +
					"passport\r\n" +
					"--sample-boundary-1\r\n" +
					"Content-Disposition: form-data; name=\"file\"; filename=\"passport.png\"\r\n" +
					"Content-Type: image/png\r\n\r\n" +
					"\x89PNG\r\n" +
					"\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x00\x00\x00\x00:~\x9bU\x00\x00\x00\nIDA" +
					"Tx\xdac\xf8\x0f\x00\x01\x01\x01\x00\x1c\xb0\x8c\x99\x00\x00\x00\x00IEND\xaeB`\x82\r\n" +
					"--sample-boundary-1--\r\n",
			},
			{
				State: "AttachDocument", Run: run,
				Body: `{
  "path": {"identifierId": "5101"},
  "body": {
    "name": "passport", "content_type": "image/png",
    "file": "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR42mP4DwABAQEAHLCMmQAAAABJRU5ErkJggg=="
  }
}`,
			},
		},
		"client-command": {
			{
				Target: "/mbanq/v1/clients/8801?command=verify",
				Header: map[string]string{"idempotency-key": "sample-verify-1"},
				Body:   `{"kycVerificationType": "PARTIAL"}`,
			},
			{
				State: "Verify", Run: run,
				Body: `{"path": {"clientId": "8801"}, "query": {"command": "verify"}, "body": {"kycVerificationType": "FULL"}}`,
			},
		},
		"callback": {{
			Target: "/callbacks/mbanq",
			Header: map[string]string{
				"signature": "7115f92d9b1af84098b839ae9c8cb4a21a211841d5ef157c4cd5fe1ac72248f6" +
					"ab758f31ac79e20b89105051043daabcc5ce6c78662fe77f7fd6b37194961efe",
				"x-fineract-action": "VERIFY",
				"x-fineract-entity": "CLIENT",
			},
			Body: `{
  "entity": "CLIENT", "action": "VERIFY", "tenantId": "sandbox-tenant", "timestamp": "2026-01-01T00:00:00Z",
  "payload": {"clientId": 8801, "resourceId": 8801}
}`,
		}},
	}
}
