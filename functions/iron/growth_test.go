package iron_test

import (
	"testing"

	"sallyport/functions/iron"
	"sallyport/shared/growthtest"
)

// TestGrowthMatrix: an answer of 256 KB takes no more than five times as long to read as one of 64 KB.
func TestGrowthMatrix(t *testing.T) {
	p := newPartner(t)
	for name, test := range map[string]struct {
		frame string
		call  func()
	}{
		"Customer": {`{"id":"` + customerID + `","more":%s}`,
			func() { call(t, iron.GetCustomer(p.config()), about()) }},
		"Identification": {`{"id":"` + identificationID + `","status":"Pending","step_status":%s}`,
			func() { call(t, iron.GetIdentification(p.config()), about()) }},
		"Identifications": {`{"items":%s}`,
			func() { call(t, iron.ListIdentifications(p.config()), fromMachine(about())) }},
	} {
		t.Run(name, func(t *testing.T) {
			growthtest.Linear(t, test.frame, customerID, func(text []byte) {
				p.mu.Lock()
				p.answers = []answer{{200, string(text)}}
				p.asked = nil
				p.mu.Unlock()
				test.call()
			})
		})
	}
}
