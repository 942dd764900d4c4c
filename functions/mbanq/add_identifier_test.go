package mbanq_test

import (
	"slices"
	"strings"
	"testing"

	"sallyport/functions/mbanq"
	"sallyport/shared/operation"
)

// TestAddedOnce: a state machine adds what the client doesn't have, and nothing where it can't be told.
func TestAddedOnce(t *testing.T) {
	const there = `[{"id":71,"documentType":{"id":41},"documentKey":"X4409127"}]`
	for name, test := range map[string]struct {
		answers []answer
		class   operation.Class
		sent    bool
	}{
		"There":      {[]answer{{200, there}}, operation.Done, false},
		"NotThere":   {[]answer{{200, `[]`}, {200, `{"resourceId":71}`}}, operation.Done, true},
		"Masked":     {[]answer{{200, strings.Replace(there, "X4409127", "****9127", 1)}}, operation.Unavailable, false},
		"Unreadable": {[]answer{{200, `{}`}}, operation.Unavailable, false},
		"Down":       {[]answer{{503, ``}}, operation.Unavailable, false},
		"Lost":       {[]answer{{0, ``}, {0, ``}}, operation.Unavailable, false},
		"NotAllowed": {[]answer{{401, ``}}, operation.Credentials, false},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPartner(t, test.answers...)
			got := call(t, mbanq.AddIdentifier(p.config()), fromMachine(to(aPassport)))
			sent := slices.ContainsFunc(p.requests(), func(a asked) bool { return a.method == "POST" && a.url != tokenPath })
			if got.Class != test.class || sent != test.sent ||
				got.Class == operation.Done && (got.Refs["resource_id"] != "71" || got.Creates != "mbanq/identifier/71") {
				t.Errorf("got %+v, sent %t", got, sent)
			}
		})
	}
}
