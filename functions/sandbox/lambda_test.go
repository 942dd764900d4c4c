package sandbox_test

import (
	"encoding/base64"
	"encoding/json"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"sallyport/functions/sandbox"
	"sallyport/functions/sandbox/sandboxtest"
)

// invoke hands over an event as Lambda does.
func invoke(t *testing.T, h *harness, event any) (out events.APIGatewayV2HTTPResponse, err error) {
	t.Helper()
	payload, err := json.Marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := h.Invoke(t.Context(), payload)
	if err == nil {
		err = json.Unmarshal(answer, &out)
	}
	return out, err
}

func event(method, path, body string) events.APIGatewayV2HTTPRequest {
	return events.APIGatewayV2HTTPRequest{
		Version: "2.0", RawPath: path, Body: body,
		Headers: map[string]string{
			"authorization": sandboxtest.Basic("sandbox.client#1", "sandbox-secret="), "x-api-key": "local-key",
			"content-type": "application/json",
		},
		RequestContext: events.APIGatewayV2HTTPRequestContext{
			Stage: "$default", DomainName: "sandbox.example",
			HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{Method: method, Path: path, SourceIP: "192.0.2.1"},
		},
	}
}

func TestInvoke(t *testing.T) {
	const body = `{"gateway_instance_id":"gateway.equal.dev_test"}`
	success := events.APIGatewayV2HTTPResponse{
		StatusCode: 200, Headers: map[string]string{"content-type": "application/json"},
		Body: `{"transaction_id":"` + sandboxtest.ID(1) + `","status":"SUCCESS","status_code":"success","message":"Request successful","checks":[],"data":{}}`,
	}
	encoded := event("POST", initPath, base64.StdEncoding.EncodeToString([]byte(body)))
	encoded.IsBase64Encoded = true
	staged := event("POST", "/dev"+initPath, body)
	staged.RequestContext.Stage = "dev"
	query := event("GET", "/sandbox/requests", "")
	query.RawQueryString = "partner=equal&operation=fetch-data"
	key := event("GET", "/sandbox/requests", "")
	key.Headers["x-api-key"] = "other"
	broken := event("POST", initPath, "###")
	broken.IsBase64Encoded = true
	badEvent := func(why string) events.APIGatewayV2HTTPResponse {
		return events.APIGatewayV2HTTPResponse{
			StatusCode: 400, Headers: map[string]string{"content-type": "application/problem+json"},
			Body: `{"type":"about:blank","title":"Bad Request","status":400,"detail":"the event holds no request: ` + why + `"}`,
		}
	}

	for _, test := range []struct {
		name  string
		event any
		want  events.APIGatewayV2HTTPResponse
	}{
		{"Text", event("POST", initPath, body), success},
		{"Base64", encoded, success},
		{"Stage", staged, success},
		{"EscapedPath", event("POST", "/sandbox/equal/ie/transaction/%69nit", body), success},
		{"Query", query, events.APIGatewayV2HTTPResponse{
			StatusCode: 200, Headers: map[string]string{"content-type": "application/json"}, Body: "[]"}},
		{
			"EmptyAnswer", event("POST", "/sandbox/reset", ""),
			events.APIGatewayV2HTTPResponse{StatusCode: 204, Headers: map[string]string{}},
		},
		{"Header", key, events.APIGatewayV2HTTPResponse{
			StatusCode: 401,
			Headers:    map[string]string{"content-type": "application/problem+json", "www-authenticate": "Bearer"},
			Body:       `{"type":"about:blank","title":"Unauthorized","status":401,"detail":"a caller's key is required"}`}},
		{"ErrBase64", broken, badEvent("its body is not base64")},
		{"ErrOtherForm", []int{1}, badEvent("it is not JSON of that form")},
		{"ErrOtherTypes", map[string]any{"rawPath": 1}, badEvent("it is not JSON of that form")},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := invoke(t, open(t), test.event)
			if err != nil {
				t.Fatal(err)
			}
			want(t, got, test.want)
		})
	}
}

func TestInvoke_Empty(t *testing.T) {
	got, err := invoke(t, open(t), struct{}{})
	if err != nil || got.StatusCode != 404 {
		t.Errorf("got %v, %v", got, err)
	}
}

// TestInvoke_Cut: what can't be expressed is an error of the function.
func TestInvoke_Cut(t *testing.T) {
	h := open(t, func(o *sandbox.Options) { o.Hijackable = true })
	h.post("/sandbox/faults", `{"partner":"equal","operation":"init-transaction","fault":"reset_after_effect"}`)
	if _, err := invoke(t, h, event("POST", initPath, "{}")); err == nil {
		t.Error("got no error")
	}
}
