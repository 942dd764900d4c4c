package main

import (
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"sallyport/functions/applications"
	"sallyport/functions/digit9"
	"sallyport/functions/documents"
	"sallyport/functions/equal"
	"sallyport/functions/ezto"
	"sallyport/functions/ezto/rule"
	"sallyport/functions/iron"
	"sallyport/functions/journeys"
	"sallyport/functions/mbanq"
	"sallyport/functions/transactions"
	"sallyport/functions/workflows"
	"sallyport/shared/callback"
	"sallyport/shared/gateway"
	ledgerbolt "sallyport/shared/ledger/bolt"
	"sallyport/shared/operation"
)

// functions returns every Lambda but the sandbox by its folder, wired to the partners simulated below sandboxURL, whose time passes scale times
// as fast.
func functions(p *operation.Pipeline, l *ledgerbolt.Ledger, j *journeys.Service, o callback.Orchestrator, sandboxURL string, scale float64) map[string]lambda.Handler {
	d9 := digit9.Config{BaseURL: sandboxURL + "/digit9", Now: p.Now}
	eq := equal.Config{BaseURL: sandboxURL + "/equal"}
	ez := ezto.Config{BaseURL: sandboxURL + "/ezto"}
	ir := iron.Config{BaseURL: sandboxURL + "/iron", Now: p.Now, KeyLife: time.Duration(float64(iron.KeyLife) / scale)}
	mb := mbanq.Config{BaseURL: sandboxURL + "/mbanq"}
	correlator := &callback.Correlator{Ledger: l, Orchestrator: o, Ring: p.Ring, Log: p.Log, Now: p.Now}
	taking := func(r callback.Receiver) lambda.Handler {
		return callback.Handler{Receiver: r, Correlator: correlator, Secrets: p.Secrets, Log: p.Log, Metrics: p.Metrics, Now: p.Now}
	}
	return map[string]lambda.Handler{
		"digit9/issue-token":         operation.New(p, digit9.IssueToken(d9)),
		"digit9/lookup-customer":     operation.New(p, digit9.LookupCustomer(d9)),
		"digit9/onboard-customer":    operation.New(p, digit9.OnboardCustomer(d9)),
		"digit9/get-customer":        operation.New(p, digit9.GetCustomer(d9)),
		"digit9/callback":            taking(digit9.Callback()),
		"ezto/trigger-request":       operation.New(p, ezto.TriggerRequest(ez)),
		"ezto/get-result":            operation.New(p, ezto.GetResult(ez)),
		"ezto/callback":              taking(ezto.Callback(ez, p.Upstream, p.Now)),
		"iron/create-customer":       operation.New(p, iron.CreateCustomer(ir)),
		"iron/get-customer":          operation.New(p, iron.GetCustomer(ir)),
		"iron/create-identification": operation.New(p, iron.CreateIdentification(ir)),
		"iron/list-identifications":  operation.New(p, iron.ListIdentifications(ir)),
		"iron/get-identification":    operation.New(p, iron.GetIdentification(ir)),
		"iron/callback":              taking(iron.Callback(p.Now)),
		"mbanq/issue-token":          operation.New(p, mbanq.IssueToken(mb)),
		"mbanq/create-client":        operation.New(p, mbanq.CreateClient(mb)),
		"mbanq/get-client":           operation.New(p, mbanq.GetClient(mb)),
		"mbanq/add-address":          operation.New(p, mbanq.AddAddress(mb)),
		"mbanq/add-identifier":       operation.New(p, mbanq.AddIdentifier(mb)),
		"mbanq/list-identifiers":     operation.New(p, mbanq.ListIdentifiers(mb)),
		"mbanq/attach-document":      operation.New(p, mbanq.AttachDocument(mb)),
		"mbanq/client-command":       operation.New(p, mbanq.ClientCommand(mb)),
		"mbanq/callback":             taking(mbanq.Callback()),
		"equal/init-transaction":     operation.New(p, equal.InitTransaction(eq)),
		"equal/execute-journey":      operation.New(p, equal.ExecuteJourney(eq)),
		"equal/fetch-data":           operation.New(p, equal.FetchData(eq)),
		"transactions/get":           transactions.Get(l, p.Auth, p.Log, p.Now),
		"transactions/list":          transactions.List(l, p.Auth, p.Log, p.Now),
		"documents/create":           documents.Create(p.Vault, p.Auth, p.Log, p.Now, p.NewID),
		"workflows/put":              workflows.Put(l, rule.Check, p.Auth, p.Log, p.Now),
		"workflows/get":              workflows.Get(l, p.Auth, p.Log),
		"workflows/evaluate":         workflows.Evaluator{Store: l, Vault: p.Vault, Decide: rule.Decide, Log: p.Log},
		"applications/put":           applications.Put(l, p.Auth, p.Log, p.Now),
		"applications/get":           applications.Get(l, p.Auth, p.Log),
		"journeys/start":             j.StartHandler(),
		"journeys/get":               j.Get(),
		"journeys/list":              j.List(),
		"journeys/input":             j.Input(),
		"journeys/cancel":            j.Cancel(),
		"journeys/await":             lambda.NewHandler(j.Await),
		"journeys/finish":            lambda.NewHandler(j.Finish),
		"journeys/settle":            lambda.NewHandler(j.Settle),
		"notfound":                   gateway.NotFound(p.Log),
	}
}
