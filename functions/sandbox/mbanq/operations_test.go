package mbanq_test

import (
	"slices"
	"testing"

	"sallyport/functions/sandbox"
	"sallyport/functions/sandbox/mbanq"
)

func TestOperations(t *testing.T) {
	const name = "mbanq"
	want := []sandbox.Operation{
		{Partner: name, Name: "issue-token", Method: "POST", Path: "/oauth/token"},
		{Partner: name, Name: "create-client", Method: "POST", Path: "/v1/clients", Effect: true},
		{Partner: name, Name: "list-clients", Method: "GET", Path: "/v1/clients"},
		{Partner: name, Name: "get-client", Method: "GET", Path: "/v1/clients/{id}"},
		{Partner: name, Name: "delete-client", Method: "DELETE", Path: "/v1/clients/{id}", Effect: true},
		{Partner: name, Name: "add-address", Method: "POST", Path: "/v1/client/{id}/addresses", Effect: true},
		{Partner: name, Name: "list-addresses", Method: "GET", Path: "/v1/client/{id}/addresses"},
		{Partner: name, Name: "add-identifier", Method: "POST", Path: "/v1/clients/{id}/identifiers", Effect: true},
		{Partner: name, Name: "list-identifiers", Method: "GET", Path: "/v1/clients/{id}/identifiers"},
		{
			Partner: name, Name: "attach-document", Method: "POST", Path: "/v1/client_identifiers/{iid}/documents", Effect: true,
		},
		{Partner: name, Name: "client-command", Method: "POST", Path: "/v1/clients/{id}", Effect: true},
		{Partner: name, Name: "verification-status", Method: "GET", Path: "/v1/clients/{id}/verificationstatus"},
		{Partner: name, Name: "get-client-template", Method: "GET", Path: "/v1/clients/template"},
		{Partner: name, Name: "get-address-template", Method: "GET", Path: "/v1/client/addresses/template"},
		{Partner: name, Name: "get-identifier-template", Method: "GET", Path: "/v1/clients/{id}/identifiers/template"},
	}
	if got := sandbox.Operations([]sandbox.Simulator{mbanq.New(mbanq.Options{})}); !slices.Equal(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
