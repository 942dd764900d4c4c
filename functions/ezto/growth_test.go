package ezto_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"sallyport/functions/ezto"
	"sallyport/shared/growthtest"
)

// TestGrowthMatrix: an answer of 256 KB takes no more than five times as long to read as one of 64 KB.
func TestGrowthMatrix(t *testing.T) {
	var body []byte
	partner := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(body) }))
	t.Cleanup(partner.Close)
	op := ezto.GetResult(ezto.Config{BaseURL: partner.URL})
	for name, frame := range map[string]string{
		"Result": `{"request_id":"r-1","status":"COMPLETED","claims":%s}`,
		"Comma":  `{"request_id":"r-1","more":%s,}`,
		"Error":  `{"error":%s}`,
	} {
		t.Run(name, func(t *testing.T) {
			growthtest.Linear(t, frame, "0388012345", func(text []byte) {
				body = text
				op.Output(call(t, op, form("app_id", "poll", "auth_req_id", "hdr..iv.body.tag")).Reply)
			})
		})
	}
}
