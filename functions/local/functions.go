package main

import (
	"github.com/aws/aws-lambda-go/lambda"

	"sallyport/functions/documents"
	"sallyport/functions/equal"
	"sallyport/functions/journeys"
	"sallyport/functions/transactions"
	"sallyport/shared/gateway"
	ledgerbolt "sallyport/shared/ledger/bolt"
	"sallyport/shared/operation"
)

// functions returns every Lambda but the sandbox by its folder, wired to the partners simulated below sandboxURL.
func functions(p *operation.Pipeline, l *ledgerbolt.Ledger, j *journeys.Service, sandboxURL string) map[string]lambda.Handler {
	eq := equal.Config{BaseURL: sandboxURL + "/equal"}
	return map[string]lambda.Handler{
		"equal/init-transaction": operation.New(p, equal.InitTransaction(eq)),
		"equal/execute-journey":  operation.New(p, equal.ExecuteJourney(eq)),
		"equal/fetch-data":       operation.New(p, equal.FetchData(eq)),
		"transactions/get":       transactions.Get(l, p.Auth, p.Log, p.Now),
		"transactions/list":      transactions.List(l, p.Auth, p.Log, p.Now),
		"documents/create":       documents.Create(p.Vault, p.Auth, p.Log, p.Now, p.NewID),
		"journeys/start":         j.StartHandler(),
		"journeys/get":           j.Get(),
		"journeys/list":          j.List(),
		"journeys/input":         j.Input(),
		"journeys/cancel":        j.Cancel(),
		"journeys/await":         lambda.NewHandler(j.Await),
		"journeys/finish":        lambda.NewHandler(j.Finish),
		"journeys/settle":        lambda.NewHandler(j.Settle),
		"notfound":               gateway.NotFound(p.Log),
	}
}
