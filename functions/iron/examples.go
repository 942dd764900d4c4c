package iron

import "sallyport/shared/partner"

// examples are events to try the functions with, on a stack with the simulated Iron.
func examples() map[string][]partner.Example {
	const run = "0198c0de-0000-7000-8000-000000000007"
	return map[string][]partner.Example{
		"create-customer": {{
			Target: "/iron/customers",
			Header: map[string]string{"idempotency-key": "5d0e7a34-9f7e-4a53-8f2b-5f6d1f1f7c11"},
			Body: `{
  "customer_type": "Person", "email": "noor@example.com", "name": "Noor Example",
  "external_id": "sample-customer-1"
}`,
		}},
		"get-customer": {
			{Target: "/iron/customers/7a1c1f5e-2f7b-4f0c-9d55-0b8a6a4e1d21"},
			{
				State: "FindCustomer", Run: run,
				Body: `{"query": {"sub_partner_id": ""}, "body": {"external_id": "sample-customer-1"}}`,
			},
		},
		"create-identification": {
			{
				Target: "/iron/customers/7a1c1f5e-2f7b-4f0c-9d55-0b8a6a4e1d21/identifications",
				Header: map[string]string{"idempotency-key": "5d0e7a34-9f7e-4a53-8f2b-5f6d1f1f7c10"},
				Body:   `{"type": "Direct"}`,
			},
			{
				State: "CreateIdentification", Run: run,
				Body: `{
  "path": {"customerId": "7a1c1f5e-2f7b-4f0c-9d55-0b8a6a4e1d21", "generation": "v2"},
  "query": {"sub_partner_id": ""},
  "body": {
    "type": "Person", "first_name": "Noor", "last_name": "Example", "full_name": "Noor Example",
    "date_of_birth": "1991-07-03", "email_address": "noor@example.com", "phone_number": "+12025550117",
    "sharing_consent": true, "consent_collected_at": "2026-01-01T00:00:00Z",
    "intended_use": "OnlinePurchasesOfGoodsOrServices",
    "address": {
      "street_1": "1 First Street", "city": "Sampletown", "zip_code": "10001", "country": "US", "state": "NY"
    },
    "identity": {
      "identity_country_code": "US", "identity_document_type": "Passport",
      "identity_document_front": "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR42mP4DwABAQEAHLCMmQAAAABJRU5ErkJggg==",
      "nationality": "US",
      "selfie": "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR42mP4DwABAQEAHLCMmQAAAABJRU5ErkJggg==",
      "selfie_collected_at": "2026-01-01T00:00:00Z", "ip_address": "192.0.2.17"
    },
    "kyc_questionnaire": {
      "employment_status": "Employed", "yearly_gross_income": "From30001To40000", "source_of_wealth": "Salary",
      "expected_monthly_transaction_count": "LessThan5", "expected_monthly_transaction_volume": "LessThan500"
    }
  }
}`,
			},
		},
		"list-identifications": {
			{Target: "/iron/customers/7a1c1f5e-2f7b-4f0c-9d55-0b8a6a4e1d21/identifications?page_size=10"},
		},
		"get-identification": {{Target: "/iron/identifications/e2b8d1f4-6c0a-4a8e-a3f1-90d2b7c4aa10"}},
		"callback": {{
			Target: "/callbacks/iron",
			Header: map[string]string{
				"webhook-id":        "5d0e7a34-9f7e-4a53-8f2b-5f6d1f1f7c12",
				"webhook-signature": "v1=726f7088473294283e69c22d705c8a03dc8e4d89057f76a0328066e97eb8495b",
				"webhook-timestamp": "1767225600",
			},
			Body: `{
  "type": "identification_status", "timestamp": "2026-01-01T00:00:00+00:00",
  "data": {
    "customer_id": "7a1c1f5e-2f7b-4f0c-9d55-0b8a6a4e1d21",
    "message": {"IdentificationStatus": {"id": "e2b8d1f4-6c0a-4a8e-a3f1-90d2b7c4aa10", "status": "Approved"}}
  }
}`,
		}},
	}
}
