package main_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"sallyport/functions/partners"
	"sallyport/shared/gateway"
	"sallyport/shared/operation/task"
	"sallyport/shared/partner"
)

// TestFingerprints: a fingerprint of this text is on record for every request of the samples, whole or edited. Another
// text would refuse the repeat of a request that an older release has taken. Each example of an effect has a line in
// its partner's testdata/fingerprints.txt; -update adds those that are missing, and changes none.
func TestFingerprints(t *testing.T) {
	for _, p := range partners.All() {
		t.Run(p.Name, func(t *testing.T) { checkFingerprints(t, p) })
	}
}

func checkFingerprints(t *testing.T, p partner.Partner) {
	edits := map[string]func(*gateway.Request){
		"": func(*gateway.Request) {},
		"scoped": func(req *gateway.Request) {
			req.Header["x-sub-partner-id"] = "7A1C1F5E-2F7B-4F0C-9D55-0B8A6A4E1D21"
			req.Header["x-api-version"] = "2025-03-13"
		},
		"more fields": func(req *gateway.Request) { req.Body = append(req.Body, "&z=1&a=2&a=1&app_id=app-2"...) },
	}
	effects, missing := map[string]partner.Endpoint{}, map[string]bool{} // by sample
	for _, e := range p.Endpoints {
		if e.Kind != partner.Effect {
			continue
		}
		name := strings.TrimPrefix(e.Name, p.Name+"/")
		for _, example := range p.Examples[name] {
			sample := name
			if example.State != "" {
				sample += "-task"
			}
			effects[sample], missing[sample] = e, true
		}
	}
	file := filepath.Join("..", p.Name, "testdata", "fingerprints.txt")
	text, err := os.ReadFile(file)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		name, want, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		sample, edit, _ := strings.Cut(name, ", ")
		delete(missing, name)
		if effects[sample].Fingerprint == nil || edits[edit] == nil {
			t.Errorf("%s: %s is no example of an effect", file, name)
			continue
		}
		req := sampleRequest(t, p.Name+"-"+sample)
		edits[edit](&req)
		if got, err := effects[sample].Fingerprint(req); got != want || err != nil {
			t.Errorf("%s: %s, %v, want %s", name, got, err, want)
		}
	}
	for _, sample := range slices.Sorted(maps.Keys(missing)) {
		got, err := effects[sample].Fingerprint(sampleRequest(t, p.Name+"-"+sample))
		if err != nil {
			t.Errorf("%s: %v", sample, err)
			continue
		}
		if text = append(text, sample+"\t"+got+"\n"...); !*update {
			t.Errorf("%s has no line for %s: run make generate", file, sample)
		}
	}
	if *update && len(missing) > 0 {
		if err := os.WriteFile(file, text, 0o644); err != nil {
			t.Fatal(err)
		}
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
