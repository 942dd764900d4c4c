package digit9_test

import (
	"testing"

	"sallyport/functions/digit9"
	"sallyport/shared/growthtest"
)

// TestGrowthMatrix: an answer of 256 KB takes no more than five times as long to read as one of 64 KB.
func TestGrowthMatrix(t *testing.T) {
	p := newPartner(t)
	c := config(p.url)
	for name, test := range map[string]struct {
		frame string
		call  func()
	}{
		"Lookup": {`{"status":"success","data":{"ecrn":"7841009900000017","more":%s}}`,
			func() { call(t, digit9.LookupCustomer(c), body(aLookup)) }},
		"Get": {`{"status":"failed","error_code":40000,"details":{"field":%s}}`,
			func() { call(t, digit9.GetCustomer(c), ecrnOf("7841009900000017")) }},
		"Onboard": {`{"status":"failure","errorCode":"45013","message":%s}`,
			func() { call(t, digit9.OnboardCustomer(c), body(sample)) }},
	} {
		t.Run(name, func(t *testing.T) {
			growthtest.Linear(t, test.frame, "7841009900000017", func(text []byte) {
				p.mu.Lock()
				p.answers = []answer{{200, string(text)}}
				p.mu.Unlock()
				test.call()
			})
		})
	}
}
