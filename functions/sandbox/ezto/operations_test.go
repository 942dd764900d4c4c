package ezto_test

import (
	"slices"
	"testing"

	"sallyport/functions/sandbox"
	"sallyport/functions/sandbox/ezto"
)

func TestOperations(t *testing.T) {
	const name = "ezto"
	want := []sandbox.Operation{
		{
			Partner: name, Name: "trigger-request", Method: "POST",
			Path: "/auth/realms/{workspace}/protocol/openid-connect/transaction", Effect: true,
		},
		{
			Partner: name, Name: "get-result", Method: "POST",
			Path: "/auth/realms/{workspace}/protocol/openid-connect/transaction/result",
		},
		{Partner: name, Name: "list-certs", Method: "GET", Path: "/auth/realms/{workspace}/protocol/openid-connect/certs"},
	}
	if got := sandbox.Operations([]sandbox.Simulator{ezto.New(ezto.Options{})}); !slices.Equal(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
