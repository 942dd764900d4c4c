package main

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"

	"sallyport/functions/applications"
	"sallyport/functions/documents"
	"sallyport/functions/ezto/rule"
	"sallyport/functions/journeys"
	"sallyport/functions/operate/records"
	operate "sallyport/functions/operate/routes"
	"sallyport/functions/partners"
	"sallyport/functions/transactions"
	"sallyport/functions/workflows"
	"sallyport/shared/callback"
	"sallyport/shared/gateway"
	ledgerbolt "sallyport/shared/ledger/bolt"
	"sallyport/shared/operation"
	"sallyport/shared/partner"
)

// functions returns every Lambda but the sandbox by its folder, wired to the partners simulated below sandboxURL, whose
// time passes scale times as fast.
func functions(p *operation.Pipeline, l *ledgerbolt.Ledger, j *journeys.Service, o callback.Orchestrator,
	sandboxURL string, scale float64) map[string]lambda.Handler {
	handlers := map[string]lambda.Handler{
		"transactions/get":   transactions.Get(l, p.Auth, p.Log, p.Now),
		"transactions/list":  transactions.List(l, p.Auth, p.Log, p.Now),
		"documents/create":   documents.Create(p.Vault, p.Auth, p.Log, p.Now, p.NewID),
		"workflows/put":      workflows.Put(l, rule.Check, p.Auth, p.Log, p.Now),
		"workflows/get":      workflows.Get(l, p.Auth, p.Log),
		"workflows/evaluate": workflows.Evaluator{Store: l, Vault: p.Vault, Decide: rule.Decide, Log: p.Log},
		"applications/put":   applications.Put(l, p.Auth, p.Log, p.Now),
		"applications/get":   applications.Get(l, p.Auth, p.Log),
		"journeys/start":     j.StartHandler(),
		"journeys/get":       j.Get(),
		"journeys/list":      j.List(),
		"journeys/input":     j.Input(),
		"journeys/cancel":    j.Cancel(),
		"journeys/await":     lambda.NewHandler(j.Await),
		"journeys/finish":    lambda.NewHandler(j.Finish),
		"journeys/settle":    lambda.NewHandler(j.Settle),
		"notfound":           gateway.NotFound(p.Log),
		"operate":            operate.New(records.All(), assigning{l, p}, p.Auth, p.Log),
	}
	correlator := &callback.Correlator{Ledger: l, Orchestrator: o, Ring: p.Ring, Log: p.Log, Now: p.Now}
	for _, known := range partners.All() {
		config := partner.Config{
			Pipeline: p, BaseURL: sandboxURL + "/" + known.Name, TimeScale: scale,
			Receive: func(r callback.Receiver) lambda.Handler {
				return callback.Handler{
					Receiver: r, Correlator: correlator, Secrets: p.Secrets, Log: p.Log, Metrics: p.Metrics, Now: p.Now,
				}
			},
		}
		for _, endpoint := range known.Endpoints {
			handlers[endpoint.Name] = endpoint.New(config)
		}
	}
	return handlers
}

// assigning lets the operations of this process forget whose a record was as soon as it is another's.
type assigning struct {
	*ledgerbolt.Ledger
	p *operation.Pipeline
}

// PutOwner implements operate.Ledger.
func (a assigning) PutOwner(ctx context.Context, record, tenant string) error {
	defer a.p.ForgetOwner(record)
	return a.Ledger.PutOwner(ctx, record, tenant)
}
