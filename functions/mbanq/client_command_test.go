package mbanq_test

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"sallyport/functions/mbanq"
	"sallyport/shared/gateway"
	"sallyport/shared/operation"
)

// TestMissing has every code of §8, and words for codes that nobody knows.
func TestMissing(t *testing.T) {
	missing := func(a answer) (reference, summary string) {
		op := mbanq.ClientCommand(newPartner(t, a).config())
		got := call(t, op, to(full, "command", "verify"))
		out := op.Output(got.Reply)
		if got.Class != operation.Conflict || out["verification"] == "APPROVED" {
			t.Errorf("got %+v, %v", got, out)
		}
		return got.Refs["missing"], out["missing"].(string)
	}
	for code, want := range map[string]string{
		"primary.address.required": "primary_address", "identifier.required": "identifier",
		"identifier.expired":      "valid_identifier",
		"tax.identifier.required": "tax_identifier", "physical.id.required": "physical_id",
		"physical.id.scan.required": "document_scan",
		"email.required":            "email", "mobile.required": "mobile", "email.unverified": "verified_email",
		"mobile.unverified":         "verified_mobile",
		"proof.of.address.required": "proof_of_address",
	} {
		if reference, summary := missing(violation("error.msg.client.verify." + code)); reference != want || summary != want {
			t.Errorf("%s is %s, %s", code, reference, summary)
		}
	}
	for text, want := range map[string]string{
		"Client 8812 has no SSN or ITIN identifier.": "tax_identifier", "No ITINs.": "tax_identifier",
		"tax number missing":                           "tax_identifier",
		"Client is waiting for its submitting officer": "other", "Syntax of the classname": "other", "": "other",
		"The client has no email address.": "email", "A mobile number is needed": "mobile",
		"No active physical address": "primary_address", "addresses missing": "primary_address",
		"No proof of address": "proof_of_address", "No scan of a physical ID document": "document_scan",
		"No physical ID":                       "physical_id",
		"All identifier documents are expired": "identifier", "Documents are missing": "document_scan",
	} {
		unknown := answer{403, envelope(403, "validation.msg.domain.rule.violation", problem("error.msg.vendor.77", text))}
		if reference, summary := missing(unknown); reference != want || summary != want {
			t.Errorf("%q is %s, %s, want %s", text, reference, summary, want)
		}
		top := answer{
			403,
			`{"developerMessage":` + strconv.Quote(text) + `,"userMessageGlobalisationCode":"error.msg.vendor.77","errors":[]}`,
		}
		if _, summary := missing(top); summary != want {
			t.Errorf("%q at the top is %s, want %s", text, summary, want)
		}
	}
	several := violation(
		"error.msg.client.verify.email.required", "error.msg.client.verify.identifier.required",
		"error.msg.client.verify.email.required", "error.msg.x",
	)
	if reference, summary := missing(several); reference != "email identifier other" ||
		summary != "email,identifier,other" {
		t.Errorf("several are %s, %s", reference, summary)
	}
	// No document helps where the client stands elsewhere: its state must be read.
	for _, code := range []string{"already.verified", "not.pending"} {
		op := mbanq.ClientCommand(newPartner(t, violation("error.msg.client.verify."+code)).config())
		got := call(t, op, to(full, "command", "verify"))
		if out := op.Output(got.Reply); got.Class != operation.Conflict || out["missing"] != "" ||
			out["verification"] != "OTHER" {
			t.Errorf("%s: %+v, %v", code, got, out)
		}
	}
}

func TestSummaries(t *testing.T) {
	command := mbanq.ClientCommand(mbanq.Config{}).Output
	for text, want := range map[string]string{
		verified: `{"already_active":false,"missing":"","verification":"APPROVED"}`,
		created:  `{"already_active":false,"missing":"","verification":""}`,
		strings.ReplaceAll(
			verified, "APPROVED", "IN_PROGRESS",
		): `{"already_active":false,"missing":"","verification":"IN_PROGRESS"}`,
		strings.ReplaceAll(verified, "APPROVED", "Noor E."): `{"already_active":false,"missing":"","verification":""}`,
		`{"commandId":7}`: `{"already_active":false,"missing":"","verification":""}`,
		``:                `{"already_active":false,"missing":"","verification":""}`,
	} {
		if got, err := json.Marshal(command(gateway.JSON(200, []byte(text)))); err != nil || string(got) != want {
			t.Errorf("%s gave %s, %v", text, got, err)
		}
	}
	for _, status := range []int{400, 403} {
		if got := command(
			gateway.JSON(status, []byte(violation("error.msg.clients.already.active").body)),
		); got["already_active"] != true {
			t.Errorf("%d gave %v", status, got)
		}
	}
	if got := call(
		t, mbanq.ClientCommand(newPartner(t, answer{200, strings.ReplaceAll(verified, "APPROVED", "REJECTED")}).config()),
		to(full, "command", "verify"),
	); got.Class != operation.Done || got.Code != "REJECTED" {
		t.Errorf("200 proves no approval: %+v", got)
	}
	if got := mbanq.CreateClient(mbanq.Config{}).Output(gateway.JSON(200, []byte(created))); got["client_id"] != "8812" ||
		len(got) != 1 {
		t.Errorf("created: %v", got)
	}
	if got := mbanq.AddIdentifier(mbanq.Config{}).Output(
		gateway.JSON(200, []byte(`{"resourceId":"71"}`)),
	); got["resource_id"] != "71" || len(got) != 1 {
		t.Errorf("added: %v", got)
	}
}
