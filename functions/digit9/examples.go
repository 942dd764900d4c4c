package digit9

import "sallyport/shared/partner"

// examples are events to try the functions with, on a stack with the simulated Digit9.
func examples() map[string][]partner.Example {
	const run = "0198c0de-0000-7000-8000-000000000004"
	return map[string][]partner.Example{
		"issue-token": {{
			Target: "/digit9/auth/realms/cdp/protocol/openid-connect/token",
			Header: map[string]string{"content-type": "application/x-www-form-urlencoded", "x-api-key": ""},
			Body: "grant_type=password&scope=api%3A%2F%2F00000000-0000-4000-8000-000000000000%2Fcustomer&" +
				"client_id=demo-client&client_secret=local-key&username=demo-agent&password=demo-pass",
		}},
		"lookup-customer": {
			{Target: "/digit9/caas/api/v2/customer/validate", Body: `{"idType": "4", "idNumber": "784199000000017"}`},
			{State: "LookUpID", Run: run, Body: `{"body": {"idType": "4", "idNumber": "784199000000017"}}`},
		},
		"onboard-customer": {
			{
				Target: "/digit9/caas-lcm/api/v1/CAAS/onBoarding/customer",
				Header: map[string]string{"idempotency-key": "sample-onboard-1"},
				Body:   exampleCustomer,
			},
			{
				State: "Onboard", Run: run,
				Body: `{"body": ` + exampleCustomer + `}`,
			},
		},
		"get-customer": {{Target: "/digit9/caas/api/v2/customer/7841009900000017"}},
		"callback": {{
			Target: "/callbacks/digit9/aml-alert-closure",
			Header: map[string]string{"authorization": "Bearer sandbox-callback-token"},
			Body:   `{"aml_scan_status": "Accepted", "ecrn": "7841009900000025", "customer_status": "ACTIVE"}`,
		}},
	}
}

// exampleCustomer is an onboarding that the simulated Digit9 takes.
const exampleCustomer = `{
  "channel": "WEB", "salutation": "Ms", "first_name": "NOOR", "middle_name": "", "last_name": "EXAMPLE",
  "nationality": "IN", "date_of_birth": "1991-02-03", "country_of_birth": "IN", "place_of_birth": "Sampletown",
  "resident_type_id": 101, "country_of_residence": "AE", "gender": "Female",
  "primary_mobile_number": "+971500000017", "email_id": "noor@example.com", "occupation_id": 223,
  "political_exposed_person": false, "updated_by": "demo-operator",
  "additional_docs": [{"base64_data": "AAAA", "content_type": "image/jpeg", "document_id": "1"}],
  "address_list": [
    {
      "address_type_id": "1", "building_name": "Block A", "street_name": "First Street", "city": "Dubai",
      "state": "Dubai", "country": "AE", "zip": 0, "po_box": null, "mobile_number": "+971500000017"
    },
    {"address_type_id": "2", "city": "Sampletown", "country": "IN", "zip": 600001}
  ],
  "id_details": [
    {
      "id_type": 4, "id_number": "784199000000017", "name_as_per_id": "Noor Example", "issued_country": "AE",
      "issued_by": "Demo Authority", "issued_at": "Dubai", "issued_on": "2021-03-10",
      "date_of_expiry": "2031-03-09", "default_status": true, "active_status": true,
      "id_front": {"base64_data": "AAAA", "content_type": "image/jpeg"},
      "id_back": {"base64_data": "AAAA", "content_type": "image/jpeg"}
    }
  ],
  "customer_classification": {
    "customer_type_id": 2, "annual_income_range_id": 3, "annual_income_currency_code": "AED",
    "employer_name": "Demo LLC", "risk_rating_id": 1, "income_type": 1, "profession_category": "PC1",
    "reason_for_acc": "Remittance", "txn_vol_month": 1, "txn_count_month": 1, "agent_ref_no": "DEMO-000017",
    "social_links": [], "first_language": "en", "marital_status": 1, "dnfbp": false, "dpms": false,
    "profile_photo": {"base64_data": "AAAA", "content_type": "image/jpeg"}
  }
}`
