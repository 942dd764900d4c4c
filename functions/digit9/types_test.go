package digit9_test

import (
	"encoding/json"
	"strings"
	"testing"

	"sallyport/functions/digit9"
	"sallyport/shared/gateway"
	"sallyport/shared/operation"
)

// TestTolerated: a byte order mark is skipped and passed on, a number may stand for a text, with a fraction of zero.
func TestTolerated(t *testing.T) {
	odd := "\uFEFF" + strings.NewReplacer(
		`"7841009900000017"`, "7841009900000017.0", `"ACTIVE"`, `" ACTIVE "`,
	).Replace(found)
	got := call(t, digit9.LookupCustomer(config(newPartner(t, answer{200, odd}).url)), body(aLookup))
	if got.Class != operation.Done || got.Refs["ecrn"] != "7841009900000017" || got.Refs["customer_status"] != "ACTIVE" ||
		string(got.Reply.Body) != odd {
		t.Errorf("got %+v", got)
	}
}

// FuzzAnswer: whatever the partner answers, it is classified, and nobody is accepted who isn't.
func FuzzAnswer(f *testing.F) {
	for _, text := range []string{
		found, onboarded, camel(404, 45001, "x"), snake("failed", 406, 45013, "Customer 7841009900000017"), spring401,
		`<html>`, `{"status":"success","data":{"ecrn":1e3}}`,
	} {
		f.Add([]byte(text))
	}
	lookup, onboard := digit9.LookupCustomer(digit9.Config{}), digit9.OnboardCustomer(digit9.Config{})
	f.Fuzz(func(t *testing.T, text []byte) {
		reply := gateway.JSON(200, text)
		summary := lookup.Output(reply)
		number, _ := summary["ecrn"].(string)
		for _, ecrn := range []string{number, onboard.Output(reply)["ecrn"].(string)} {
			if len(ecrn) > 20 || strings.ContainsAny(ecrn, " /\n\"\\<") {
				t.Errorf("%q gave the number %q", text, ecrn)
			}
		}
		if summary["verdict"] == "accepted" &&
			!(strings.Contains(string(text), "success") || strings.Contains(string(text), `\`)) {
			t.Errorf("%q is accepted", text)
		}
		if out, err := digit9.PartnerOnboarding().Outcome(reply, nil, nil); err != nil || out != nil && !json.Valid(out) {
			t.Errorf("%q gave %s, %v", text, out, err)
		}
	})
}
