package mbanq_test

import (
	"strings"
	"testing"
)

// TestNormalises: what is written down by a partner that normalises, and what has become too alike of it.
func TestNormalises(t *testing.T) {
	h := open(t)
	h.set("normalises", "yes")
	h.answer("POST", "/v1/clients", person(
		"firstname", `" Zoë  "`, "lastname", `"O'Brien-Äbele of the very long name"`, "emailAddress", `"Noor+1@Example.com"`,
		"mobileNo", `"0555-010 0017"`, "externalId", `"order-17"`,
	))
	h.answer("POST", "/v1/client/8801/addresses?type=1", home(
		"addressLine1", `"007  first street, "`, "addressLine2", `"Flat 4"`, "city", `"Łódź"`, "postalCode", `"SW1A 1aa"`,
	))
	h.answer("POST", "/v1/clients/8801/identifiers", document("41", "00x 440-9127"))
	shown := h.answer("GET", "/v1/clients?externalId=ORDER-17", "") + h.answer("GET", "/v1/client/8801/addresses", "") +
		h.answer("GET", "/v1/clients/8801/identifiers?unmaskValue=true", "")
	for _, written := range []string{
		`"firstname":"ZO?"`, `"lastname":"O'BRIEN-AEBELE OF THE VE"`, `"emailAddress":"noor@example.com"`,
		`"mobileNo":"5550100017"`, `"externalId":"ORDER-17"`, `"addressLine1":"7 1ST ST"`, `"addressLine2":"APT 4"`,
		`"city":"LOD?"`, `"postalCode":"SW1A1AA"`, `"documentKey":"X4409127"`,
	} {
		if !strings.Contains(shown, written) {
			t.Errorf("%s isn't in %s", written, shown)
		}
	}
	again := h.answer("POST", "/v1/clients", person("externalId", `"Order-17"`, "mobileNo", `"5550100018"`))
	want(t, strings.Contains(again, "client.duplicate.externalId"), true)
}
