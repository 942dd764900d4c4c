package mbanq_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"sallyport/functions/mbanq"
	"sallyport/shared/gateway"
	"sallyport/shared/operation"
)

// TestReads: a read that can't be understood tells nothing, least of all that there is no client.
func TestReads(t *testing.T) {
	find := fromMachine(gateway.Request{Body: []byte(`{"external_id":"ext-1"}`)})
	list := func(total int, items ...string) answer {
		return answer{
			200, `{"totalFilteredRecords":` + strconv.Itoa(total) + `,"pageItems":[` + strings.Join(items, ",") + `]}`,
		}
	}
	other := strings.Replace(aPending, `"ext-1"`, `"ext-12"`, 1)
	for name, test := range map[string]struct {
		req     gateway.Request
		answers []answer
		class   operation.Class
		state   string
	}{
		"Pending":        {to(""), []answer{{200, aPending}}, operation.Done, "pending"},
		"Verified":       {to(""), []answer{{200, aVerified}}, operation.Done, "verified"},
		"AnotherClient":  {to(""), []answer{{200, strings.Replace(aPending, "8812", "8813", 1)}}, operation.Unavailable, ""},
		"NoID":           {to(""), []answer{{200, `{}`}}, operation.Unavailable, ""},
		"CutOff":         {to(""), []answer{{200, aPending[:60]}}, operation.Unknown, ""},
		"Down":           {to(""), []answer{{503, ``}}, operation.Unknown, ""},
		"Found":          {find, []answer{list(2, other, aVerified)}, operation.Done, "verified"},
		"FoundLater":     {find, []answer{list(2, other), list(2, aPending)}, operation.Done, "pending"},
		"Absent":         {find, []answer{list(0)}, operation.Done, "absent"},
		"AbsentAtLast":   {find, []answer{list(2, other), list(2, other)}, operation.Done, "absent"},
		"PageThatEnds":   {find, []answer{list(9, other), list(9)}, operation.Done, "absent"},
		"Endless":        {find, slices.Repeat([]answer{list(99, other)}, 10), operation.Unavailable, ""},
		"NoPage":         {find, []answer{{200, `{"totalFilteredRecords":0}`}}, operation.Unavailable, ""},
		"NullPage":       {find, []answer{{200, `{"totalFilteredRecords":0,"pageItems":null}`}}, operation.Unavailable, ""},
		"OddPage":        {find, []answer{{200, `{"totalFilteredRecords":1,"pageItems":{}}`}}, operation.Unavailable, ""},
		"OddList":        {find, []answer{{200, `[]`}}, operation.Unknown, ""},
		"ListDown":       {find, []answer{{502, `<html>`}}, operation.Unknown, ""},
		"SecondPageDown": {find, []answer{list(2, other), {502, `<html>`}}, operation.Unknown, ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPartner(t, test.answers...)
			op := mbanq.GetClient(p.config())
			got := call(t, op, test.req)
			if got.Class != test.class || got.Class == operation.Done && op.Output(got.Reply)["state"] != test.state {
				t.Errorf("got %+v", got)
			}
			for i, a := range slices.DeleteFunc(p.requests(), func(a asked) bool { return a.url == tokenPath }) {
				if want := "/v1/clients?externalId=ext-1&limit=200&offset=" + strconv.Itoa(i); test.req.Params == nil &&
					a.url != want {
					t.Errorf("asked %s", a.url)
				}
			}
		})
	}
	t.Run("Identifiers", func(t *testing.T) {
		for text, class := range map[string]operation.Class{
			`[]`: operation.Done, `[{"id":71,"documentKey":"*****127"}]`: operation.Done,
			`{"id":71}`: operation.Unavailable, `null`: operation.Unknown, `[1]`: operation.Unknown, ``: operation.Unknown,
		} {
			got := call(t, mbanq.ListIdentifiers(newPartner(t, answer{200, text}).config()), to(""))
			if got.Class != class || class == operation.Done && string(got.Reply.Body) != text || len(got.Refs) != 0 {
				t.Errorf("%s: %+v", text, got)
			}
		}
	})
	t.Run("References", func(t *testing.T) {
		got := call(t, mbanq.GetClient(newPartner(t, answer{200, aVerified}).config()), to(""))
		if len(got.Refs) != 3 || got.Refs["client_id"] != "8812" || got.Refs["verification"] != "APPROVED" ||
			got.Refs["sub_status"] != "Verified" {
			t.Errorf("references %v", got.Refs)
		}
		odd := strings.NewReplacer("APPROVED", "Noor Example", `"Verified"`, `"+1 5550101"`).Replace(aVerified)
		if got := call(t, mbanq.GetClient(newPartner(t, answer{200, odd}).config()), to("")); len(got.Refs) != 1 {
			t.Errorf("references %v", got.Refs)
		}
	})
}

// TestStateOfAClient has the lifecycle of §5. A verification that runs, or ended with a no, outweighs an earlier
// yes.
func TestStateOfAClient(t *testing.T) {
	for text, want := range map[string]string{
		`{"id":1,"status":{"id":100},"subStatus":{"active":false},"clientVerificationStatus":"PENDING"}`:        "pending",
		`{"id":1,"status":{"id":100},"clientVerificationStatus":"APPROVED"}`:                                    "verified",
		`{"id":1,"status":{"id":100},"subStatus":{"name":"Verified"}}`:                                          "verified",
		`{"id":1,"status":{"id":100},"subStatus":{"name":"Verified"},"clientVerificationStatus":"PENDING"}`:     "verified",
		`{"id":1,"status":{"id":100},"subStatus":{"name":"Verified"},"clientVerificationStatus":"IN_PROGRESS"}`: "in_progress",
		`{"id":1,"status":{"id":100},"subStatus":{"name":"Verified"},"clientVerificationStatus":"REJECTED"}`:    "rejected",
		`{"id":1,"status":{"id":100},"clientVerificationStatus":"IN_PROGRESS"}`:                                 "in_progress",
		`{"id":1,"status":{"id":100},"clientVerificationStatus":"REJECTED"}`:                                    "rejected",
		`{"id":1,"status":{"id":100},"clientVerificationStatus":"SOMETHING"}`:                                   "pending",
		`{"id":1,"status":{"id":"100"}}`: "pending",
		`{"id":1,"status":{"id":300},"subStatus":{"name":"Verified"},"clientVerificationStatus":"APPROVED"}`: "active",
		`{"id":"1","status":{"id":300}}`:                                     "active",
		`{"id":1,"status":{"id":600},"clientVerificationStatus":"APPROVED"}`: "other",
		`{"id":1,"status":{"id":303}}`:                                       "other", `{"id":1,"active":true}`: "other",
		`{"id":1,"status":100}`: "other", `{}`: "absent", ``: "absent", `<html>`: "absent", `{"status":{"id":300}}`: "absent",
	} {
		summary := mbanq.GetClient(mbanq.Config{}).Output(gateway.JSON(200, []byte(text)))
		if summary["state"] != want || len(summary) != 2 {
			t.Errorf("%s is %v, want %s", text, summary, want)
		}
	}
}
