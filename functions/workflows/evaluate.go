package workflows

import (
	"context"
	"errors"
	"log/slog"

	"github.com/go-json-experiment/json"

	"sallyport/functions/ezto/workspace"
	"sallyport/shared/gateway"
	"sallyport/shared/ledger"
	"sallyport/shared/operation/task"
	"sallyport/shared/vault"
)

// maxInput is of a step's input with its references opened, in bytes.
const maxInput = 64 << 10

// EvaluateInput is what a state machine sends to learn whether a verification is to run. Wherever a value stands,
// {"document_id":"…"} may stand instead.
type EvaluateInput struct {
	Tenant      string `json:"tenant"`
	Application string `json:"application"`
	Facts       facts  `json:"facts"`
}

// facts are what rules are evaluated over; see workspace.Facts.
type facts struct {
	UserID          string  `json:"user_id"`
	Metadata        members `json:"metadata"`
	Country         string  `json:"country"`
	Device          string  `json:"device"`
	Claims          members `json:"claims"` // that earlier modules found
	ForceOnboarding bool    `json:"force_onboarding"`
}

// Evaluation is what the state machine learns: codes only.
type Evaluation struct {
	Run             bool     `json:"run"`
	Reason          string   `json:"reason"` // why it doesn't run: disabled or rule_false; else empty
	Claims          []string `json:"claims"`
	NotificationWay string   `json:"notification_way"`
	VerificationWay string   `json:"verification_way"`
	Shows           []string `json:"shows"` // see workspace.Application.Shows
}

// Evaluator is the step that only state machines call. It is a lambda.Handler.
type Evaluator struct {
	Store workspace.Store
	Vault *vault.Vault
	// Decide evaluates a rule: rule.Decide. What its errors say, but for the context's, holds nothing of the facts.
	Decide func(ctx context.Context, rule string, facts workspace.Facts) (bool, error)
	Log    *slog.Logger
}

// Invoke implements lambda.Handler; its errors are of package task. A rule that can't be evaluated fails: it neither
// lets the verification run nor skips it.
func (e Evaluator) Invoke(ctx context.Context, payload []byte) (out []byte, err error) {
	defer func() {
		if recover() != nil { // the value may hold what the caller sent
			out, err = nil, task.Unavailable("panic")
		}
	}()
	in, err := e.open(ctx, payload)
	if err != nil {
		return nil, err
	}
	evaluation, err := e.evaluate(ctx, in)
	if err != nil {
		return nil, err
	}
	return json.Marshal(evaluation, json.Deterministic(true))
}

// open reads the input and what the vault holds of it.
func (e Evaluator) open(ctx context.Context, payload []byte) (in EvaluateInput, err error) {
	var closed struct {
		Tenant string `json:"tenant"`
	}
	if err := json.Unmarshal(payload, &closed); err != nil || closed.Tenant == "" {
		return in, task.InvalidInput("task_without_identity")
	}
	text, err := e.Vault.Splice(ctx, closed.Tenant, payload, maxInput, nil)
	switch {
	case errors.Is(err, vault.ErrTooLarge):
		return in, task.InvalidInput("too_large")
	case errors.Is(err, vault.ErrTooMany):
		return in, task.InvalidInput("too_many_documents")
	case errors.Is(err, vault.ErrNotFound):
		return in, task.InvalidInput("document_not_found")
	case errors.Is(err, vault.ErrNotJSON):
		return in, task.InvalidInput("document_not_json")
	case err != nil:
		return in, task.Unavailable("vault_unavailable")
	}
	if err := gateway.DecodeJSON(text, &in); err != nil {
		return in, task.InvalidInput("invalid_request")
	}
	return in, nil
}

func (e Evaluator) evaluate(ctx context.Context, in EvaluateInput) (Evaluation, error) {
	stored, err := e.setting(ctx, in.Tenant, ledger.ApplicationSetting, in.Application, "no_such_application")
	if err != nil {
		return Evaluation{}, err
	}
	application, err := workspace.StoredApplication(stored.Document)
	if err != nil {
		return Evaluation{}, task.InvalidInput("application_unreadable")
	}
	stored, err = e.setting(ctx, in.Tenant, ledger.WorkflowSetting, application.Verification, "no_such_workflow")
	if err != nil {
		return Evaluation{}, err
	}
	_, module, err := workspace.StoredWorkflow(stored.Document)
	if err != nil {
		return Evaluation{}, task.InvalidInput("workflow_unreadable")
	}
	evaluation := Evaluation{
		Claims: module.Claims, NotificationWay: application.Notification, VerificationWay: application.Way,
		Shows: application.Shows(),
	}
	evaluation.Run, evaluation.Reason, err = e.decide(ctx, module, in)
	if err == nil && evaluation.Run && application.Way == workspace.API {
		return Evaluation{}, task.InvalidInput("verification_way_api") // it has no page to send anybody to
	}
	return evaluation, err
}

func (e Evaluator) decide(
	ctx context.Context, module workspace.Module, in EvaluateInput,
) (run bool, reason string, err error) {
	switch {
	case !module.Enabled:
		return false, "disabled", nil
	case module.Rule == "":
		return true, "", nil
	}
	satisfied, err := e.Decide(ctx, module.Rule, workspace.Facts{
		UserID: in.Facts.UserID, Metadata: in.Facts.Metadata, Country: in.Facts.Country, Device: in.Facts.Device,
		Claims:          in.Facts.Claims,
		ForceOnboarding: in.Facts.ForceOnboarding,
	})
	switch {
	case ctx.Err() != nil:
		return false, "", task.Unavailable("out_of_time")
	case err != nil:
		e.Log.WarnContext(ctx, "rule failed", "tenant", in.Tenant, "cause", err.Error())
		return false, "", task.InvalidInput("rule_failed")
	case !satisfied:
		return false, "rule_false", nil
	}
	return true, "", nil
}

func (e Evaluator) setting(ctx context.Context, tenant, kind, name, absent string) (ledger.Setting, error) {
	if !workspace.ValidName(name) {
		return ledger.Setting{}, task.InvalidInput(absent)
	}
	s, err := e.Store.Setting(ctx, tenant, kind, name)
	switch {
	case errors.Is(err, ledger.ErrNotFound):
		return s, task.InvalidInput(absent)
	case err != nil:
		return s, task.Unavailable("ledger_unavailable")
	}
	return s, nil
}
