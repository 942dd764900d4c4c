package main_test

import (
	"os"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"sallyport/functions/digit9"
	"sallyport/functions/equal"
	"sallyport/functions/ezto"
	"sallyport/functions/iron"
	"sallyport/functions/mbanq"
	"sallyport/shared/gateway"
	"sallyport/shared/operation"
	"sallyport/shared/operation/task"
)

// TestFingerprints: a fingerprint of this text is on record for every request of the samples, whole or edited. Another
// text would refuse the repeat of a request that an older release has taken.
func TestFingerprints(t *testing.T) {
	of := map[string]func(gateway.Request) (string, error){
		"equal-init-transaction":     fingerprinted(equal.InitTransaction(equal.Config{})),
		"equal-execute-journey":      fingerprinted(equal.ExecuteJourney(equal.Config{})),
		"digit9-onboard-customer":    fingerprinted(digit9.OnboardCustomer(digit9.Config{})),
		"iron-create-customer":       fingerprinted(iron.CreateCustomer(iron.Config{})),
		"iron-create-identification": fingerprinted(iron.CreateIdentification(iron.Config{})),
		"mbanq-create-client":        fingerprinted(mbanq.CreateClient(mbanq.Config{})),
		"mbanq-add-address":          fingerprinted(mbanq.AddAddress(mbanq.Config{})),
		"mbanq-add-identifier":       fingerprinted(mbanq.AddIdentifier(mbanq.Config{})),
		"mbanq-attach-document":      fingerprinted(mbanq.AttachDocument(mbanq.Config{})),
		"mbanq-client-command":       fingerprinted(mbanq.ClientCommand(mbanq.Config{})),
		"ezto-trigger-request":       fingerprinted(ezto.TriggerRequest(ezto.Config{})),
	}
	edits := map[string]func(*gateway.Request){
		"": func(*gateway.Request) {},
		"scoped": func(req *gateway.Request) {
			req.Header["x-sub-partner-id"] = "7A1C1F5E-2F7B-4F0C-9D55-0B8A6A4E1D21"
			req.Header["x-api-version"] = "2025-03-13"
		},
		"more fields": func(req *gateway.Request) { req.Body = append(req.Body, "&z=1&a=2&a=1&app_id=app-2"...) },
	}
	text, err := os.ReadFile("testdata/fingerprints.txt")
	if err != nil {
		t.Fatal(err)
	}
	pinned := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		name, want, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		sample, edit, _ := strings.Cut(name, ", ")
		operation := strings.TrimSuffix(sample, "-task")
		req := sampleRequest(t, sample)
		edits[edit](&req)
		if got, err := of[operation](req); got != want || err != nil {
			t.Errorf("%s: %s, %v, want %s", name, got, err, want)
		}
		pinned[operation] = true
	}
	if len(pinned) != len(of) {
		t.Errorf("only these are pinned: %v", pinned)
	}
}

// fingerprinted returns what an operation's requests are fingerprinted by.
func fingerprinted[In any](op operation.Operation[In]) func(gateway.Request) (string, error) {
	return func(req gateway.Request) (string, error) {
		in, err := op.Decode(req)
		if err != nil {
			return "", err
		}
		text, err := json.Marshal(op.Fingerprint(in), json.Deterministic(true))
		return string(text), err
	}
}

// sampleRequest is the request of a sample event.
func sampleRequest(t *testing.T, name string) gateway.Request {
	t.Helper()
	text, err := os.ReadFile("../../events/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var input task.Input
	if gateway.FirstMember(text, "task", "version") == "task" {
		if err := json.Unmarshal(text, &input); err != nil {
			t.Fatal(err)
		}
		return gateway.Request{FromStateMachine: true, Params: input.Path, Query: input.Query, Body: input.Body}
	}
	req, err := gateway.ParseEvent(text)
	if err != nil {
		t.Fatal(err)
	}
	return req
}
