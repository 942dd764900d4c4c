package mbanq_test

import (
	"testing"

	"sallyport/functions/mbanq"
	"sallyport/shared/growthtest"
)

// TestGrowthMatrix: an answer of 256 KB takes no more than five times as long to read as one of 64 KB.
func TestGrowthMatrix(t *testing.T) {
	p := newPartner(t)
	for name, test := range map[string]struct {
		status int
		frame  string
		call   func()
	}{
		"Client": {200, `{"id":8812,"status":{"id":100},"more":%s}`,
			func() { call(t, mbanq.GetClient(p.config()), to("")) }},
		"Errors":      {403, `{"errors":%s}`, func() { call(t, mbanq.GetClient(p.config()), to("")) }},
		"Identifiers": {200, `%s`, func() { lookup(t, mbanq.AddIdentifier(p.config()), to(aPassport)) }},
	} {
		t.Run(name, func(t *testing.T) {
			growthtest.Linear(t, test.frame, "8812", func(text []byte) {
				p.mu.Lock()
				p.answers = []answer{{test.status, string(text)}}
				p.asked = nil
				p.mu.Unlock()
				test.call()
			})
		})
	}
}
