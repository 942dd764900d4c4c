package iron_test

import (
	"encoding/json"
	"strings"
	"testing"

	"sallyport/functions/iron"
	"sallyport/shared/gateway"
	"sallyport/shared/operation"
)

// TestTolerated: a byte order mark is skipped and passed on.
func TestTolerated(t *testing.T) {
	got := call(t, iron.GetCustomer(newPartner(t, answer{200, "\uFEFF" + created}).config()), about())
	if got.Class != operation.Done || string(got.Reply.Body) != "\uFEFF"+created {
		t.Errorf("got %+v", got)
	}
}

// FuzzAnswer: whatever the partner answers, it is read, and no more of it gets to a state machine than codes and ids.
func FuzzAnswer(f *testing.F) {
	for _, text := range []string{
		aPending, created, none, `{}`, `"x"`, `<html>`,
		`{"id":"E2B8D1F4-6C0A-4A8E-A3F1-90D2B7C4AA10","status":"Approved of Noor","step_status":{"a":1}}`,
	} {
		f.Add(200, []byte(text))
	}
	c := iron.Config{}
	f.Fuzz(func(t *testing.T, status int, text []byte) {
		reply := gateway.JSON(status, text)
		for _, summary := range []map[string]any{
			iron.CreateCustomer(c).Output(reply), iron.GetCustomer(c).Output(reply), iron.CreateIdentification(c).Output(reply),
			iron.ListIdentifications(c).Output(reply), iron.GetIdentification(c).Output(reply),
		} {
			for name, value := range summary {
				s, ok := value.(string)
				if is, flag := value.(bool); flag && name == "not_yours" && !is {
					continue
				}
				if !ok || strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789_-") != "" || len(s) > 36 {
					t.Errorf("%q gave %s %q", text, name, value)
				}
			}
		}
		typ := iron.CustomerIdentification(c)
		if out, err := typ.Outcome(reply, nil, nil); err != nil || out != nil && !json.Valid(out) {
			t.Errorf("%q gave %s, %v", text, out, err)
		}
	})
}
