package equal_test

import (
	"slices"
	"testing"

	"sallyport/functions/sandbox"
	"sallyport/functions/sandbox/equal"
)

func TestOperations(t *testing.T) {
	const name = "equal"
	want := []sandbox.Operation{
		{Partner: name, Name: "init-transaction", Method: "POST", Path: "/ie/transaction/init", Effect: true},
		{Partner: name, Name: "execute-journey", Method: "POST", Path: "/ie/transaction/journey/execute", Effect: true},
		{Partner: name, Name: "fetch-data", Method: "POST", Path: "/ie/transaction/journey/data/fetch"},
	}
	if got := sandbox.Operations([]sandbox.Simulator{equal.New(equal.Options{})}); !slices.Equal(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
