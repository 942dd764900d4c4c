package gateway_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"sallyport/shared/gateway"
	"sallyport/shared/ledger"
)

func TestCheckJSONBehind(t *testing.T) {
	for _, text := range []string{`{}{}`, `{} 1`, `1 2`} {
		var input *gateway.InputError
		if err := gateway.CheckJSON([]byte(text)); !errors.As(err, &input) {
			t.Errorf("%s: got %v", text, err)
		}
	}
}

func TestMintWithoutRing(t *testing.T) {
	a := gateway.NewAuthenticator(&callers{}, time.Now)
	if _, err := a.Mint(
		context.Background(), ledger.Caller{}, gateway.AccessToken, "x", time.Hour, gateway.Session{},
	); err == nil {
		t.Error("no error")
	}
}
