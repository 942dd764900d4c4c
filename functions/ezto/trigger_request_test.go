package ezto_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"sallyport/functions/ezto"
	"sallyport/shared/gateway"
	"sallyport/shared/tolerant"
)

// TestExtraFields: what an application's own configuration has in a form goes on, and makes it another request;
// credentials don't.
func TestExtraFields(t *testing.T) {
	p := newPartner(t, 200, begun)
	op := ezto.TriggerRequest(ezto.Config{BaseURL: p.URL})
	call(t, op, form("app_id", "app-2", "app_secret", "the caller's key", "request", request, "channel", "desk"))
	if len(p.form) != 2 || p.form.Get("channel") != "desk" || p.form.Get("request") != request {
		t.Errorf("sent %v", p.form)
	}
	var inputs [3]string
	for i, extra := range []string{"desk", "desk", "web"} {
		in, err := op.Decode(form("app_id", "app-2", "request", request, "channel", extra))
		if err != nil {
			t.Fatal(err)
		}
		text, _ := json.Marshal(op.Fingerprint(in))
		inputs[i] = string(text)
	}
	if inputs[0] != inputs[1] || inputs[0] == inputs[2] {
		t.Errorf("compared by %q", inputs)
	}
}

// FuzzEZTORequest: whatever is sent is taken or refused, and nothing that is taken lacks what it needs.
func FuzzEZTORequest(f *testing.F) {
	f.Add([]byte(form("request", request).Body))
	f.Add([]byte(`{"auth_req_id":"h"}`))
	f.Add([]byte(result))
	f.Fuzz(func(t *testing.T, body []byte) {
		req := gateway.Request{
			Method: "POST", Header: map[string]string{"authorization": "Basic " + string(body)}, Body: body,
		}
		if in, err := ezto.TriggerRequest(ezto.Config{}).Decode(req); err == nil && len(in.Request) == 0 &&
			strings.Trim(string(bytes.TrimSpace(tolerant.JSON(body))), "&") != "" {
			t.Errorf("%q has no request", body)
		}
		if in, err := ezto.GetResult(ezto.Config{}).Decode(req); err == nil && in.Handle == "" {
			t.Errorf("%q has no handle", body)
		}
		if r, ok := ezto.ReadResult(body); ok && r.RequestID == "" {
			t.Errorf("%q has no id", body)
		}
	})
}
