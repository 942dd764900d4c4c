package digit9_test

import (
	"slices"
	"testing"

	"sallyport/functions/sandbox"
	"sallyport/functions/sandbox/digit9"
)

func TestOperations(t *testing.T) {
	const name = "digit9"
	want := []sandbox.Operation{
		{Partner: name, Name: "issue-token", Method: "POST", Path: "/auth/realms/cdp/protocol/openid-connect/token"},
		{Partner: name, Name: "lookup-customer", Method: "POST", Path: "/caas/api/v2/customer/validate"},
		{
			Partner: name, Name: "onboard-customer", Method: "POST", Path: "/caas-lcm/api/v1/CAAS/onBoarding/customer",
			Effect: true,
		},
		{Partner: name, Name: "get-customer", Method: "GET", Path: "/caas/api/v2/customer/{ecrn}"},
		{Partner: name, Name: "list-codes", Method: "GET", Path: "/raas/masters/v1/codes"},
	}
	if got := sandbox.Operations([]sandbox.Simulator{digit9.New(digit9.Options{})}); !slices.Equal(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
