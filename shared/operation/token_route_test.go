package operation_test

import (
	"encoding/json"
	"testing"

	"sallyport/shared/gateway"
	"sallyport/shared/operation"
)

// TestAccessTokenMints: an access token must not buy its own successor, or it would live for ever.
func TestAccessTokenMints(t *testing.T) {
	s := newStack(t)
	s.p.Auth.Ring = s.p.Ring
	op := s.minting()
	op.BodyCredentials = func(gateway.Request) []string { return nil } // a token route's
	h := operation.New(s.p, op)
	key := map[string]string{"authorization": "Bearer acme-key"}
	got := s.send(h, key, `{"value":"mint"}`)
	var tokens []string
	if got.status != 200 || json.Unmarshal([]byte(got.body), &tokens) != nil {
		t.Fatalf("by the key: %+v", got)
	}
	if got := s.send(h, map[string]string{"authorization": "Bearer " + tokens[0]}, `{"value":"mint"}`); got.status != 401 {
		t.Errorf("by an access token: %+v", got)
	}
}
