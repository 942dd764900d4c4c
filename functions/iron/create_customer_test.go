package iron_test

import (
	"strings"
	"testing"

	"sallyport/functions/iron"
	"sallyport/shared/operation"
)

// TestLookup: what shows that a lost creation of a customer has happened.
func TestLookup(t *testing.T) {
	list := func(items ...string) string { return `{"items":[` + strings.Join(items, ",") + `]}` }
	const byEmail = `{"customer_type":"Person","email":"noor@example.com"}`
	external, created := created, change(t, created, `,"external_id":"ext-1"`, ``)
	for name, test := range map[string]struct {
		body    string
		answers []answer
		finding operation.Finding
		url     string
	}{
		"External": {aCustomer, []answer{{200, external}}, operation.Found, "/customers/ext-1/external"},
		"ExternalOlder": {
			aCustomer, []answer{{200, change(t, external, "2026-03-02T09:14:07Z", "2026-03-01T09:14:07Z")}}, operation.NotFound,
			"/customers/ext-1/external",
		},
		"ExternalOther": {
			aCustomer, []answer{{200, change(t, external, `"Person"`, `"Business"`)}}, operation.NotFound,
			"/customers/ext-1/external",
		},
		"ExternalNone": {aCustomer, []answer{{404, `"x"`}}, operation.NotFound, "/customers/ext-1/external"},
		"ExternalDown": {aCustomer, []answer{{500, ``}}, operation.Undetermined, "/customers/ext-1/external"},
		"Email": {
			byEmail, []answer{{200, list(created)}}, operation.Found, "/customers?page_size=100&search_term=noor%40example.com",
		},
		"EmailCase": {
			byEmail, []answer{{200, list(change(t, created, "noor@", "Noor@"))}}, operation.Found,
			"/customers?page_size=100&search_term=noor%40example.com",
		},
		"EmailOlder": {
			byEmail, []answer{{200, list(change(t, created, "2026-03-02T09:14:07Z", "2026-03-01T09:14:07Z"))}},
			operation.NotFound, "/customers?page_size=100&search_term=noor%40example.com",
		},
		"OtherEmail": {
			byEmail, []answer{{200, list(change(t, created, "noor@", "eleanoor@"))}}, operation.NotFound,
			"/customers?page_size=100&search_term=noor%40example.com",
		},
		"OtherType": {
			byEmail, []answer{{200, list(change(t, created, `"Person"`, `"Business"`))}}, operation.NotFound,
			"/customers?page_size=100&search_term=noor%40example.com",
		},
		"SecondPage": {
			byEmail, []answer{{200, `{"items":[],"cursor":"` + customerID + `"}`}, {200, list(created)}}, operation.Found,
			"/customers?page_size=100&search_term=noor%40example.com",
		},
		"EmailNone": {
			byEmail, []answer{{200, none}}, operation.NotFound, "/customers?page_size=100&search_term=noor%40example.com",
		},
		"EmailDown": {
			byEmail, []answer{{503, ``}}, operation.Undetermined, "/customers?page_size=100&search_term=noor%40example.com",
		},
		// the oldest generation has none
		"EmailNoList": {
			byEmail, []answer{{404, `"x"`}}, operation.Undetermined, "/customers?page_size=100&search_term=noor%40example.com",
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPartner(t, test.answers...)
			op := iron.CreateCustomer(p.config())
			in, err := op.Decode(enroll(test.body))
			if err != nil {
				t.Fatal(err)
			}
			got, finding := op.Lookup(t.Context(), newCall(secret), in)
			if finding != test.finding || p.requests()[0].url != test.url || p.posts() != 0 ||
				finding == operation.Found &&
					(got.Class != operation.Done || got.Reply.Status != 201 || got.Creates != "iron/customer/"+customerID) {
				t.Errorf("found %d, %+v, asked %+v", finding, got, p.requests())
			}
		})
	}
}
