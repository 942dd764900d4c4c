// Package workflows stores what a tenant wants IEC verification to do, and tells journeys whether it is to run.
package workflows

import (
	"context"
	"log/slog"
	"time"

	"sallyport/functions/ezto/workspace"
	"sallyport/shared/gateway"
	"sallyport/shared/ledger"
)

// Put serves PUT /workflows/{name}. checkRule tells what is wrong with a rule: rule.Check.
func Put(
	store workspace.Store, checkRule func(string) error, auth *gateway.Authenticator, log *slog.Logger,
	now func() time.Time,
) gateway.Route {
	return gateway.Route{Auth: auth, Scope: workspace.Scope, Log: log,
		Serve: func(ctx context.Context, caller ledger.Caller, req gateway.Request) (gateway.Reply, error) {
			body, err := workspace.Body(req)
			if err != nil {
				return gateway.Reply{}, err
			}
			workflow, err := workspace.DecodeWorkflow(req.Params["name"], body, checkRule)
			if err != nil {
				return gateway.Reply{}, err
			}
			return workspace.Put(ctx, store, req, caller.Tenant, ledger.WorkflowSetting, workflow, now())
		}}
}

// Get serves GET /workflows/{name}.
func Get(store workspace.Store, auth *gateway.Authenticator, log *slog.Logger) gateway.Route {
	return gateway.Route{Auth: auth, Scope: workspace.Scope, Log: log,
		Serve: func(ctx context.Context, caller ledger.Caller, req gateway.Request) (gateway.Reply, error) {
			return workspace.Get[workspace.Workflow](ctx, store, req, caller.Tenant, ledger.WorkflowSetting)
		}}
}
