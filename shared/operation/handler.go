package operation

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"sallyport/shared/gateway"
	"sallyport/shared/ledger"
	"sallyport/shared/operation/task"
	"sallyport/shared/vault"
)

// Handler runs one operation. It is a lambda.Handler for API Gateway events and for Task states alike.
type Handler[In any] struct {
	p  *Pipeline
	op Operation[In]
}

// New makes the handler of an operation. It panics where one with OnUnknown has no Fingerprint.
func New[In any](p *Pipeline, op Operation[In]) *Handler[In] {
	if op.OnUnknown != nil && op.Fingerprint == nil {
		panic("operation: " + op.Name + " acts at the partner, and doesn't say what makes two requests equal")
	}
	if p.owned == nil {
		p.owned = new(owned)
	}
	return &Handler[In]{p: p, op: op}
}

// Invoke implements lambda.Handler. An HTTP request is always answered; a task fails with an error of package task.
func (h *Handler[In]) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	ctx, cancel := withDeadline(ctx)
	defer cancel()
	if gateway.FirstMember(payload, "task", "version") == "task" { // version is the first of an event's members
		return h.task(ctx, payload)
	}
	req, err := gateway.ParseEvent(payload)
	if err == gateway.ErrNotEvent {
		return nil, task.InvalidInput("not_an_event")
	}
	return h.http(ctx, req, err).Event(), nil
}

// http answers a request, whose body could not be read where failed says so.
func (h *Handler[In]) http(ctx context.Context, req gateway.Request, failed error) gateway.Reply {
	started := h.p.Now()
	var tenant string
	var a result
	if failed != nil {
		a = invalid(failed)
	} else {
		tenant, a = h.request(ctx, req)
	}
	h.observe(ctx, req.ID, tenant, a, started)

	reply := a.reply
	if reply.Status == 0 {
		reply = h.op.Errors(a.condition, a.detail)
	}
	headers := append(make([]string, 0, 12), "X-Request-Id", req.ID)
	if a.transaction != "" {
		headers = append(headers, "Transaction-Id", a.transaction)
	}
	if a.condition != "" {
		headers = append(headers, "Gateway-Error", string(a.condition))
	}
	if a.detail != "" {
		headers = append(headers, "Gateway-Error-Detail", a.detail)
	}
	if a.replayed {
		headers = append(headers, "Idempotency-Replayed", "true")
	}
	if a.retryAfter > 0 {
		headers = append(headers, "Retry-After", gateway.RetryAfter(a.retryAfter))
	}
	return reply.With(headers...)
}

// request is the way of an HTTP request: authenticate → decode and validate → run.
func (h *Handler[In]) request(ctx context.Context, req gateway.Request) (tenant string, a result) {
	defer func() {
		if recover() != nil { // the value may hold what the caller sent
			a = result{condition: Internal, code: "panic"}
		}
	}()
	caller, err := h.authenticate(ctx, req)
	switch {
	case errors.Is(err, gateway.ErrNoKey):
		return "", result{condition: NoKey, code: string(NoKey)}
	case errors.Is(err, gateway.ErrBadKey):
		return "", result{condition: BadKey, code: string(BadKey)}
	case err != nil:
		h.p.Log.ErrorContext(ctx, "caller not read", "operation", h.op.Name, "cause", err)
		return "", result{condition: LedgerDown, code: string(LedgerDown), retryAfter: time.Second}
	case !caller.May(h.partner()):
		return caller.Tenant, result{condition: Forbidden, code: string(Forbidden)}
	case req.TooLarge(h.op.MaxBody):
		return caller.Tenant, result{condition: TooLarge, code: string(TooLarge)}
	}
	header, err := gateway.IdempotencyKey(req.Header)
	if err != nil {
		return caller.Tenant, invalid(err)
	}
	in, err := h.op.Decode(req)
	if err != nil {
		return caller.Tenant, invalid(err)
	}
	var key idempotency
	switch {
	case header != "" && h.op.CanonicalKey != nil:
		key.parts = []string{"header", h.op.CanonicalKey(header)}
	case header != "":
		key.parts = []string{"header", header}
	case h.op.BodyIdempotencyKey != nil && h.op.BodyIdempotencyKey(in) != "":
		key.parts = []string{"body", h.op.BodyIdempotencyKey(in)}
	}
	return caller.Tenant, h.run(ctx, caller, in, key)
}

// authenticate takes the first key that somebody holds. Where the contract carries keys in the body, as where tokens
// are issued, a refresh token of ours stands for one there; an access token does not, nor does a token in a header.
func (h *Handler[In]) authenticate(ctx context.Context, req gateway.Request) (caller ledger.Caller, err error) {
	if h.op.BodyCredentials == nil {
		return h.p.Auth.Authenticate(ctx, gateway.Keys(req.Header)...)
	}
	var body []string
	if !req.TooLarge(h.op.MaxBody) {
		body = h.op.BodyCredentials(req)
	}
	err = gateway.ErrNoKey
	for _, key := range gateway.Keys(req.Header, body...) {
		var failed error
		switch {
		case !gateway.IsToken(key):
			caller, failed = h.p.Auth.Authenticate(ctx, key)
		case slices.Contains(body, key):
			caller, failed = h.p.Auth.Redeem(ctx, gateway.RefreshToken, key)
		default:
			failed = gateway.ErrBadKey
		}
		switch {
		case errors.Is(failed, gateway.ErrNoKey):
		case errors.Is(failed, gateway.ErrBadKey):
			err = failed
		default:
			return caller, failed
		}
	}
	return ledger.Caller{}, err
}

// task is the way of a Task state: open references → decode and validate → run.
func (h *Handler[In]) task(ctx context.Context, payload []byte) (out []byte, err error) {
	started := h.p.Now()
	var input task.Input
	if err := gateway.DecodeJSON(payload, &input); err != nil {
		return nil, task.InvalidInput("not_a_task")
	}
	if k := input.Task; k.Tenant == "" || k.Execution == "" || k.State == "" {
		return nil, task.InvalidInput("task_without_identity")
	}
	var a result
	defer func() {
		if recover() != nil {
			a, out, err = result{condition: Internal, code: "panic"}, nil, task.Unavailable("panic")
		}
		h.observe(ctx, "", input.Task.Tenant, a, started)
	}()
	body, err := h.openReferences(ctx, input.Task.Tenant, input.Body)
	switch {
	case errors.Is(err, vault.ErrTooLarge):
		return nil, task.InvalidInput(string(TooLarge))
	case errors.Is(err, vault.ErrTooMany):
		return nil, task.InvalidInput("too_many_documents")
	case errors.Is(err, vault.ErrNotFound):
		return nil, task.InvalidInput("document_not_found")
	case errors.Is(err, vault.ErrNotJSON):
		return nil, task.InvalidInput("document_not_json")
	case err != nil:
		return nil, task.Unavailable("vault_unavailable")
	}
	in, err := h.op.Decode(gateway.Request{
		FromStateMachine: true, Params: input.Path, Query: input.Query, Body: body, Size: int64(len(body)),
	})
	if err != nil {
		a = invalid(err)
	} else {
		k := input.Task
		a = h.run(ctx, ledger.Caller{Tenant: k.Tenant}, in, idempotency{
			parts:   []string{"task", k.Execution, k.State, strconv.Itoa(k.Index), strconv.Itoa(k.Round)},
			journey: k.Execution, step: k.State,
		})
	}
	// The machine would go on with a record that isn't there, or that it may not see. Its retry finds out what the
	// partner has made.
	if a.condition == NotRecorded && (h.op.OnUnknown == nil || a.unowned) {
		return nil, task.Unavailable(string(NotRecorded))
	}
	isResult := h.op.ConflictIsResult && a.class == Conflict && (a.condition == "" || a.condition == PartnerDown)
	if err := taskError(a); err != nil && !isResult {
		return nil, err
	}
	output := map[string]any{"transaction_id": a.transaction, "code": a.code, "round": input.Task.Round}
	for _, name := range h.op.OutputRefs {
		output[name] = a.refs[name]
	}
	if h.op.Output != nil {
		for name, value := range h.op.Output(a.reply) {
			output[name] = value
		}
	}
	return json.Marshal(output, json.Deterministic(true))
}

// openReferences replaces the references in a task's body by what the vault holds under them.
func (h *Handler[In]) openReferences(ctx context.Context, tenant string, body jsontext.Value) (jsontext.Value, error) {
	if len(body) == 0 || h.p.Vault == nil {
		return body, nil
	}
	limit := cmp.Or(h.op.MaxTask, h.op.MaxBody, gateway.MaxBody)
	return h.p.Vault.Splice(ctx, tenant, body, limit, nil)
}

// taskError puts a result into the vocabulary of package task; nil where the task has succeeded.
func taskError(a result) error {
	switch a.condition {
	case InvalidRequest, TooLarge, NoSuchRecord, KeyReused, AnswerGone:
		return task.InvalidInput(a.code)
	case InFlight:
		return task.InFlight(a.code)
	case LedgerDown, Internal:
		return task.Unavailable(a.code)
	}
	switch a.class {
	case Done:
		return nil
	case Refused:
		return task.Refused(a.code)
	case Conflict:
		return task.Conflict(a.code)
	case Throttled:
		return task.Throttled(a.code)
	case Unavailable:
		return task.Unavailable(a.code)
	case Credentials:
		return task.CredentialsRejected(a.code)
	case Unknown:
		if a.resolvable {
			return task.Unavailable(a.code)
		}
		return task.OutcomeUnknown(a.code)
	}
	return task.InvalidInput(a.code)
}

func invalid(err error) result {
	var rejection *Rejection
	var input *gateway.InputError
	a := result{class: Invalid, condition: InvalidRequest, code: string(InvalidRequest)}
	switch {
	case errors.As(err, &rejection):
		a.reply, a.code, a.detail = rejection.Reply, rejection.Code, rejection.Detail
	case errors.As(err, &input):
		a.detail = input.Error()
	}
	return a
}

func (h *Handler[In]) observe(ctx context.Context, requestID, tenant string, a result, started time.Time) {
	took := h.p.Now().Sub(started)
	condition := a.condition
	if condition == "" && a.ownerConflict {
		condition = OwnerConflict
	}
	h.p.Log.LogAttrs(ctx, slog.LevelInfo, "call", slog.String("request_id", requestID),
		slog.String("operation", h.op.Name),
		slog.String("tenant", tenant), slog.String("transaction_id", a.transaction), slog.String("class", string(a.class)),
		slog.String("code", a.code), slog.String("condition", string(condition)), slog.Bool("replayed", a.replayed),
		slog.Int64("duration_ms", took.Milliseconds()))
	h.p.Metrics.Call(h.op.Name, string(a.class), string(condition), took)
}
