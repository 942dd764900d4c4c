package iron_test

import (
	"slices"
	"strings"
	"testing"

	"sallyport/functions/iron"
	"sallyport/shared/operation"
)

// TestLookup: what shows that a lost creation of a customer has happened.
func TestLookup(t *testing.T) {
	list := func(items ...string) string { return `{"items":[` + strings.Join(items, ",") + `]}` }
	const named = `{"customer_type":"Person","email":"noor@example.com","name":"Noor Example"}`
	const byID, newest = "/customers/ext-1/external", "/customers?page_size=100&sort_order=desc"
	external, created := created, change(t, created, `,"external_id":"ext-1"`, ``)
	older := change(t, created, "2026-03-02T09:14:07Z", "2026-03-01T09:14:07Z")
	for name, test := range map[string]struct {
		body    string
		answers []answer
		finding operation.Finding
		url     string
	}{
		"External": {aCustomer, []answer{{200, external}}, operation.Found, byID},
		"ExternalOlder": {
			aCustomer, []answer{{200, change(t, external, "2026-03-02T09", "2026-03-01T09")}, {200, none}}, operation.NotFound,
			byID,
		},
		"ExternalOfAnother": {
			aCustomer,
			[]answer{{200, change(t, external, "Noor Ex", "Ali Ex")}, {200, list(change(t, external, "Noor Ex", "Ali Ex"))}},
			operation.Undetermined, byID,
		},
		"ExternalNone":    {aCustomer, []answer{{404, `"x"`}, {200, none}}, operation.NotFound, byID},
		"ExternalSpelled": {aCustomer, []answer{{404, `"x"`}, {200, list(change(t, external, "ext-1", "EXT1"))}}, operation.Found, byID},
		"ExternalCut": {
			aCustomer, []answer{{404, `"x"`}, {200, list(change(t, external, "ext-1", "ext"))}}, operation.Undetermined, byID,
		},
		"ExternalDown": {aCustomer, []answer{{500, ``}, {500, ``}}, operation.Undetermined, byID},
		"There":        {named, []answer{{200, list(created)}}, operation.Found, newest},
		"Spelled": {
			named, []answer{{200, list(change(t, created, "noor@", "NOOR@", "Noor Example", "NOOR  EXAMPLE"))}}, operation.Found,
			newest,
		},
		"Older":        {named, []answer{{200, list(older)}}, operation.NotFound, newest},
		"AnotherEmail": {named, []answer{{200, list(change(t, created, "noor@", "no@"))}}, operation.Undetermined, newest},
		"AnotherName":  {named, []answer{{200, list(change(t, created, "Noor E", "Ali E"))}}, operation.Undetermined, newest},
		"NameNotSent": {
			`{"customer_type":"Person","email":"noor@example.com"}`, []answer{{200, list(created)}}, operation.Undetermined, newest,
		},
		"EmailForName": {
			`{"customer_type":"Person","email":"noor@example.com"}`,
			[]answer{{200, list(change(t, created, "Noor Example", "noor@example.com"))}}, operation.Found, newest,
		},
		"NameNotShown": {
			named, []answer{{200, list(change(t, created, `"name":"Noor Example",`, ``))}}, operation.Undetermined, newest,
		},
		"ExternalNotSent": {named, []answer{{200, list(external)}}, operation.Undetermined, newest},
		"AnotherType": {
			named, []answer{{200, list(change(t, created, `"Person"`, `"Business"`))}}, operation.NotFound, newest,
		},
		"OneOfThem": {
			named, []answer{{200, list(change(t, created, "Noor E", "Ali E"), created)}}, operation.Found, newest,
		},
		"OldestBehind": { // those that come after it are not asked for
			named, []answer{{200, `{"items":[` + strings.Repeat(older+",", 99) + older + `],"cursor":"` + customerID + `"}`}}, operation.NotFound, newest,
		},
		"NotInOrder": {
			named, []answer{{200, list(change(t, older, "2026-03-01", "2026-02-01"), older, created)}}, operation.Found, newest,
		},
		"SecondPage": {
			named, []answer{{200, `{"items":[],"cursor":"` + customerID + `"}`}, {200, list(created)}}, operation.Found, newest,
		},
		"None": {named, []answer{{200, none}}, operation.NotFound, newest},
		"Down": {named, []answer{{503, ``}}, operation.Undetermined, newest},
		"Ageless": {
			named, []answer{{200, list(change(t, created, "2026-03-02T09:14:07Z", "x"))}}, operation.Undetermined, newest,
		},
		"TooMany": {named, slices.Repeat([]answer{{200, `{"items":[` + change(t, created, "Person", "Business") + `],"cursor":"` + customerID + `"}`}}, 20), operation.Undetermined, newest},
		// the oldest generation has none
		"NoList": {named, []answer{{404, `"x"`}}, operation.Undetermined, newest},
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
