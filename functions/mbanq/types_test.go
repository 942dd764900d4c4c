package mbanq_test

import (
	"encoding/json"
	"strings"
	"testing"

	"sallyport/functions/mbanq"
	"sallyport/shared/gateway"
	"sallyport/shared/operation"
)

// TestTolerated: a byte order mark is skipped and passed on, a text may stand for a number, with a fraction of zero.
func TestTolerated(t *testing.T) {
	odd := "\uFEFF" + strings.NewReplacer(`"id":8812`, `"id":" 8812.0 "`, `"id":100`, `"id":"100"`).Replace(aVerified)
	got := call(t, mbanq.GetClient(newPartner(t, answer{200, odd}).config()), to(""))
	if got.Class != operation.Done || got.Refs["client_id"] != "8812" || string(got.Reply.Body) != odd {
		t.Errorf("got %+v", got)
	}
	if summary := mbanq.GetClient(mbanq.Config{}).Output(got.Reply); summary["client_id"] != "8812" ||
		summary["state"] != "verified" {
		t.Errorf("a state machine sees %v", summary)
	}
}

// FuzzAnswer: whatever the partner answers, it is read, and no more of it gets to a state machine than codes and ids.
func FuzzAnswer(f *testing.F) {
	for _, text := range []string{
		created, verified, aPending, aVerified, violation("error.msg.client.verify.email.required").body, `{"Exception":"x"}`,
		`<html>`, `{"errors":[null,{"developerMessage":["SSN"]}]}`,
	} {
		f.Add(403, []byte(text))
	}
	c := mbanq.Config{}
	f.Fuzz(func(t *testing.T, status int, text []byte) {
		reply := gateway.JSON(status, text)
		for _, summary := range []map[string]any{
			mbanq.GetClient(c).Output(reply), mbanq.CreateClient(c).Output(reply), mbanq.AddAddress(c).Output(reply),
			mbanq.ClientCommand(c).Output(reply),
		} {
			for name, value := range summary {
				if s, ok := value.(string); ok &&
					strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_,") != "" {
					t.Errorf("%q gave %s %q", text, name, s)
				}
			}
			if _, err := json.Marshal(summary); err != nil {
				t.Error(err)
			}
		}
		if out, err := mbanq.ClientOnboarding().Outcome(reply, nil, nil); err != nil || out != nil && !json.Valid(out) {
			t.Errorf("%q gave %s, %v", text, out, err)
		}
	})
}
