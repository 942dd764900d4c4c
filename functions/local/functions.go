package main

import (
	"github.com/aws/aws-lambda-go/lambda"

	"sallyport/functions/equal"
	"sallyport/functions/transactions"
	"sallyport/shared/gateway"
	ledgerbolt "sallyport/shared/ledger/bolt"
	"sallyport/shared/operation"
)

// functions returns every Lambda but the sandbox by its folder, wired to the partners simulated below sandboxURL.
func functions(p *operation.Pipeline, l *ledgerbolt.Ledger, sandboxURL string) map[string]lambda.Handler {
	eq := equal.Config{BaseURL: sandboxURL + "/equal"}
	return map[string]lambda.Handler{
		"equal/init-transaction": operation.New(p, equal.InitTransaction(eq)),
		"equal/execute-journey":  operation.New(p, equal.ExecuteJourney(eq)),
		"equal/fetch-data":       operation.New(p, equal.FetchData(eq)),
		"transactions/get":       transactions.Get(l, p.Auth, p.Log, p.Now),
		"transactions/list":      transactions.List(l, p.Auth, p.Log, p.Now),
		"notfound":               gateway.NotFound(p.Log),
	}
}
