package journeys

import (
	"context"
	"errors"
	"net/http"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"sallyport/shared/gateway"
	"sallyport/shared/ledger"
	"sallyport/shared/secrets"
)

// Start serves POST /journeys/{type}.
func (s *Service) Start() gateway.Route {
	return s.route(func(ctx context.Context, caller ledger.Caller, req gateway.Request) (gateway.Reply, error) {
		if req.TooLarge(maxBody) {
			return gateway.Reply{}, gateway.NewProblem(http.StatusRequestEntityTooLarge, "too_large", "a start takes 64 KB; larger documents go by reference")
		}
		key, err := gateway.IdempotencyKey(req.Header)
		if err != nil {
			return gateway.Reply{}, err
		}
		if key == "" {
			return gateway.Reply{}, &gateway.InputError{Pointer: "Idempotency-Key", Reason: "is required: it makes a repeat harmless"}
		}
		j, err := s.start(ctx, start{tenant: caller.Tenant, typeName: req.Params["type"], key: key, body: req.Body})
		if err != nil {
			return gateway.Reply{}, err
		}
		body, err := json.Marshal(struct {
			ID     string               `json:"journey_id"`
			Type   string               `json:"type"`
			Status ledger.JourneyStatus `json:"status"`
		}{j.ID, j.Type, j.Status})
		return gateway.JSON(http.StatusAccepted, body).With("Location", "/journeys/"+j.ID), err
	})
}

// start is a request for a journey.
type start struct {
	tenant, typeName, key string
	body                  jsontext.Value
	referencesOnly        bool // raw personal data is refused
}

// start begins the journey of a key, or finds the one that it has begun already. A repeat starts the execution again
// with the stored input, in case the first start died between record and execution.
func (s *Service) start(ctx context.Context, in start) (ledger.Journey, error) {
	t, err := s.typeOf(in.typeName)
	if err != nil {
		return ledger.Journey{}, err
	}
	ring, err := s.Ring(ctx)
	if err != nil {
		return ledger.Journey{}, err
	}
	secret, err := s.Secrets.Partner(ctx, in.tenant, t.Partner)
	if errors.Is(err, secrets.ErrNotFound) {
		return ledger.Journey{}, gateway.NewProblem(http.StatusServiceUnavailable, "partner_credentials_missing", "there are no credentials for "+t.Partner)
	}
	if err != nil {
		return ledger.Journey{}, err
	}
	fields, err := t.Start(in.body, secret)
	if err != nil {
		return ledger.Journey{}, err
	}
	if in.referencesOnly && len(fields.Sealed) > 0 {
		return ledger.Journey{}, &gateway.InputError{Pointer: "/input", Reason: "must hold references to documents, no personal data"}
	}
	canonical := in.body.Clone()
	if err := canonical.Canonicalize(); err != nil {
		return ledger.Journey{}, &gateway.InputError{Reason: "is not valid JSON"}
	}
	state, sealed, err := s.keep(ctx, in.tenant, fields)
	if err != nil {
		return ledger.Journey{}, err
	}
	id := s.NewID()
	state["tenant"], state["journey_id"] = in.tenant, id
	input, err := json.Marshal(state, json.Deterministic(true))
	if err != nil {
		return ledger.Journey{}, err
	}
	now := s.Now()
	wanted := ledger.Journey{
		ID: id, Tenant: in.tenant, Type: t.Name, Status: ledger.JourneyRunning, CreatedAt: now, UpdatedAt: now,
		Fingerprint: ring.Reference("journey fingerprint", t.Name, string(canonical)), Input: input, Documents: documents(sealed, fields),
	}
	j, err := s.Ledger.CreateJourney(ctx, ring.Reference("journey", in.tenant, t.Name, in.key), wanted)
	if errors.Is(err, ledger.ErrTaken) {
		if err := s.erase(ctx, in.tenant, sealed); err != nil {
			return j, err
		}
		if j.Fingerprint != wanted.Fingerprint {
			return j, gateway.NewProblem(http.StatusUnprocessableEntity, "idempotency_key_reused", "this key started another journey")
		}
		err = nil
	}
	if err != nil || j.Status.Ended() {
		return j, err
	}
	return j, s.Orchestrator.Start(ctx, j.Type, j.ID, j.Input)
}

// Resume hands over once more what may not have arrived when the process died: the start of a journey, and the inputs
// that it has accepted. Both are harmless where they have arrived.
func (s *Service) Resume(ctx context.Context, open []ledger.Journey) error {
	for _, j := range open {
		if err := s.Orchestrator.Start(ctx, j.Type, j.ID, j.Input); err != nil {
			return err
		}
		for _, accepted := range j.Inputs {
			if err := s.answer(ctx, accepted); err != nil {
				return err
			}
		}
	}
	return nil
}
