package iron_test

import (
	"slices"
	"testing"

	"sallyport/functions/sandbox"
	"sallyport/functions/sandbox/iron"
)

func TestOperations(t *testing.T) {
	const name = "iron"
	want := []sandbox.Operation{
		{Partner: name, Name: "create-customer", Method: "POST", Path: "/customers", Effect: true},
		{Partner: name, Name: "list-customers", Method: "GET", Path: "/customers"},
		{Partner: name, Name: "get-customer", Method: "GET", Path: "/customers/{id}"},
		{Partner: name, Name: "find-customer", Method: "GET", Path: "/customers/{external_id}/external"},
		{Partner: name, Name: "archive-customer", Method: "PUT", Path: "/customers/{id}/archive", Effect: true},
		{Partner: name, Name: "create-identification", Method: "POST", Path: "/customers/{id}/identifications", Effect: true},
		{
			Partner: name, Name: "create-identification", Method: "POST", Path: "/customers/{id}/identifications/v2",
			Effect: true,
		},
		{Partner: name, Name: "list-identifications", Method: "GET", Path: "/customers/{id}/identifications"},
		{Partner: name, Name: "get-identification", Method: "GET", Path: "/identifications/{id}"},
		{Partner: name, Name: "archive-identification", Method: "PUT", Path: "/identifications/{id}/archive", Effect: true},
		{Partner: name, Name: "list-signings", Method: "GET", Path: "/customers/{id}/required-signings"},
		{Partner: name, Name: "create-signing", Method: "POST", Path: "/customers/{id}/signings", Effect: true},
		{Partner: name, Name: "decide-identification", Method: "POST", Path: "/sandbox/identification/{id}", Effect: true},
		{Partner: name, Name: "reset-data", Method: "POST", Path: "/sandbox/reset", Effect: true},
	}
	if got := sandbox.Operations([]sandbox.Simulator{iron.New(iron.Options{})}); !slices.Equal(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
