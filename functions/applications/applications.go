// Package applications stores what verifications are requested of: which workflows are attached, and how the user is
// reached and the result comes back.
package applications

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"sallyport/functions/ezto/workspace"
	"sallyport/shared/gateway"
	"sallyport/shared/ledger"
)

// Put serves PUT /applications/{name}.
func Put(store workspace.Store, auth *gateway.Authenticator, log *slog.Logger, now func() time.Time) gateway.Route {
	return gateway.Route{Auth: auth, Scope: workspace.Scope, Log: log,
		Serve: func(ctx context.Context, caller ledger.Caller, req gateway.Request) (gateway.Reply, error) {
			body, err := workspace.Body(req)
			if err != nil {
				return gateway.Reply{}, err
			}
			application, err := workspace.DecodeApplication(req.Params["name"], body)
			if err != nil {
				return gateway.Reply{}, err
			}
			if err := workflowsExist(ctx, store, caller.Tenant, application); err != nil {
				return gateway.Reply{}, err
			}
			return workspace.Put(ctx, store, req, caller.Tenant, ledger.ApplicationSetting, application, now())
		}}
}

// Get serves GET /applications/{name}.
func Get(store workspace.Store, auth *gateway.Authenticator, log *slog.Logger) gateway.Route {
	return gateway.Route{Auth: auth, Scope: workspace.Scope, Log: log,
		Serve: func(ctx context.Context, caller ledger.Caller, req gateway.Request) (gateway.Reply, error) {
			return workspace.Get[workspace.Application](ctx, store, req, caller.Tenant, ledger.ApplicationSetting)
		}}
}

// workflowsExist checks that the application names workflows of its tenant. None is ever taken away.
func workflowsExist(ctx context.Context, store workspace.Store, tenant string, a workspace.Application) error {
	var absent []string
	for pointer, name := range a.Workflows() {
		switch _, err := store.Setting(ctx, tenant, ledger.WorkflowSetting, name); {
		case errors.Is(err, ledger.ErrNotFound):
			absent = append(absent, pointer)
		case err != nil:
			return err
		}
	}
	if len(absent) > 0 {
		slices.Sort(absent)
		return gateway.NewProblem(
			http.StatusUnprocessableEntity, "no_such_workflow", strings.Join(absent, ", ")+": no workflow has this name",
		)
	}
	return nil
}
