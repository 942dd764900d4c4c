package main_test

import (
	"encoding/base64"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	main "sallyport/functions/local"
	"sallyport/functions/partners"
	"sallyport/shared/operation"
	"sallyport/shared/partner"
)

// TestSampleEvents sends the stack the requests of the partners' sample events, at their time. Callbacks are accepted,
// and the gateway finds no fault with the others.
func TestSampleEvents(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	s := MustRun(t, func(m *main.Main) { m.Now = func() time.Time { return at } })
	faults := []operation.Condition{
		operation.NoKey, operation.BadKey, operation.Forbidden, operation.InvalidRequest, operation.CredentialsRejected,
		operation.PartnerDown, operation.Internal,
	}
	for _, p := range partners.All() {
		for _, e := range p.Endpoints {
			text, err := os.ReadFile("../../events/" + strings.ReplaceAll(e.Name, "/", "-") + ".json")
			if err != nil {
				t.Fatal(err)
			}
			var event events.APIGatewayV2HTTPRequest
			MustDecode(t, string(text), &event)
			if event.IsBase64Encoded {
				body, err := base64.StdEncoding.DecodeString(event.Body)
				if err != nil {
					t.Fatal(err)
				}
				event.Body = string(body)
			}
			header := http.Header{"No-Key": {"but the event's own"}}
			for name, value := range event.Headers {
				header.Set(name, value)
			}
			header.Del("Host")
			got := s.do(event.RequestContext.HTTP.Method, event.RawPath+"?"+event.RawQueryString, header, event.Body)
			faulty := slices.Contains(faults, operation.Condition(got.condition()))
			if faulty || e.Kind == partner.Callback && got.status != http.StatusOK || got.status >= 500 {
				t.Errorf("%s: %d %s %s", e.Name, got.status, got.condition(), got.body)
			}
		}
	}
}
