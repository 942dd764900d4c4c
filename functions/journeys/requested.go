package journeys

import (
	"context"
	"errors"

	"github.com/go-json-experiment/json/jsontext"

	"sallyport/shared/gateway"
	"sallyport/shared/ledger"
	"sallyport/shared/operation/task"
)

// Request is the detail of a JourneyRequested event. The bus's policy is its authentication, so the tenant stands in
// it. Events are kept and shown in places that may not hold personal data: sensitive fields of the input must be
// references to documents.
type Request struct {
	Tenant         string         `json:"tenant"`
	Type           string         `json:"type"`
	IdempotencyKey string         `json:"idempotency_key"`
	Input          jsontext.Value `json:"input"`
}

// StartHandler takes both ways of starting a journey: POST /journeys/{type}, and JourneyRequested's detail.
func (s *Service) StartHandler() StartHandler { return StartHandler{s} }

// StartHandler is a lambda.Handler.
type StartHandler struct{ s *Service }

// Invoke implements lambda.Handler. An event that can't be right is logged and dropped: a retry is pointless, and a
// queue of failed events is no place for the personal data that it may hold.
func (h StartHandler) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	if gateway.FirstMember(payload, "requestContext") != "" {
		return h.s.Start().Invoke(ctx, payload)
	}
	err := h.s.Requested(ctx, payload)
	var invalid task.InvalidInput
	if errors.As(err, &invalid) {
		return nil, nil
	}
	return nil, err
}

// Requested starts the journey that an event asks for. Errors: task.InvalidInput, task.Unavailable.
func (s *Service) Requested(ctx context.Context, detail []byte) error {
	var in Request
	err := gateway.DecodeJSON(detail, &in)
	var key string
	if err == nil {
		key, err = gateway.IdempotencyKey(map[string]string{"idempotency-key": in.IdempotencyKey})
	}
	if wrong := ledger.CheckTenant(in.Tenant); err == nil && wrong != nil {
		err = &gateway.InputError{Pointer: "/tenant", Reason: wrong.Error()}
	}
	if err == nil {
		_, err = s.start(ctx, start{tenant: in.Tenant, typeName: in.Type, key: key, body: in.Input, referencesOnly: true})
	}
	var input *gateway.InputError
	var problem *gateway.Problem
	switch {
	case err == nil:
		return nil
	case errors.As(err, &input):
		s.Log.WarnContext(ctx, "journey request refused", "code", "invalid_request", "tenant", in.Tenant)
		return task.InvalidInput(input.Error())
	case errors.As(err, &problem):
		s.Log.WarnContext(ctx, "journey request refused", "code", problem.Code, "tenant", in.Tenant)
		return task.InvalidInput(problem.Code)
	}
	return task.Unavailable("not_started")
}
