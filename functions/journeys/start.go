package journeys

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"net/http"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"sallyport/shared/gateway"
	"sallyport/shared/journey"
	"sallyport/shared/ledger"
	"sallyport/shared/secrets"
)

// Start serves POST /journeys/{type}.
func (s *Service) Start() gateway.Route {
	return s.route(func(ctx context.Context, caller ledger.Caller, req gateway.Request) (gateway.Reply, error) {
		t, err := s.typeOf(req.Params["type"])
		if err != nil {
			return gateway.Reply{}, err
		}
		if limit := cmp.Or(t.MaxBody, maxBody); req.TooLarge(limit) {
			takes := "a start of " + t.Name + " takes " + strconv.FormatInt(limit, 10) + " bytes"
			return gateway.Reply{}, tooLarge(takes + "; larger documents go by reference")
		}
		key, err := gateway.IdempotencyKey(req.Header)
		if err != nil {
			return gateway.Reply{}, err
		}
		if key == "" {
			return gateway.Reply{},
				&gateway.InputError{Pointer: "Idempotency-Key", Reason: "is required: it makes a repeat harmless"}
		}
		j, err := s.start(ctx, start{tenant: caller.Tenant, typeName: t.Name, key: key, body: req.Body})
		if err != nil {
			return gateway.Reply{}, err
		}
		return accepted(j, j.Type)
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
		return ledger.Journey{}, gateway.NewProblem(http.StatusServiceUnavailable, "partner_credentials_missing",
			"there are no credentials for "+t.Partner)
	}
	if err != nil {
		return ledger.Journey{}, err
	}
	key := ring.Reference("journey", in.tenant, t.Name, in.key)
	fingerprint := func() (string, error) {
		digest, err := gateway.DigestJSON(in.body)
		if err != nil {
			return "", &gateway.InputError{Reason: "is not valid JSON"}
		}
		return ring.Reference("journey fingerprint", t.Name, digest), nil
	}
	// The documents that the body refers to may be gone by now; a repeat finds its journey all the same.
	repeat := func(err error) (ledger.Journey, error) {
		j, unknown := s.Ledger.JourneyOf(ctx, key)
		asked, invalid := fingerprint()
		if unknown != nil || invalid != nil || j.Fingerprint != asked {
			return ledger.Journey{}, err
		}
		return s.begin(ctx, j)
	}
	g := s.given(in.tenant)
	fields, err := t.Start(ctx, journey.Start{Body: in.body, Secret: secret, Open: g.open})
	if err == nil {
		err = g.refer(ctx, fields)
	}
	if err != nil {
		return repeat(err)
	}
	if in.referencesOnly && fields.HasPersonalData {
		return ledger.Journey{},
			&gateway.InputError{Pointer: "/input", Reason: "must hold references to documents, no personal data"}
	}
	state, err := g.state(fields, cmp.Or(t.Lasts, documentTTL))
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
		Input: input, Documents: g.documents(fields),
	}
	if wanted.Fingerprint, err = fingerprint(); err != nil {
		return ledger.Journey{}, err
	}
	if wanted.Size() > ledger.MaxJourneyStart {
		return ledger.Journey{}, tooLarge(
			"the start has " + strconv.Itoa(len(wanted.Documents)) + " values to keep, more than a journey holds; send fewer",
		)
	}
	// The documents come first: a repeat that finds the record may begin the execution, which needs them.
	if err := g.put(ctx); err != nil {
		return repeat(err)
	}
	j, err := s.Ledger.CreateJourney(ctx, key, wanted)
	if errors.Is(err, ledger.ErrTaken) {
		if err := g.erase(ctx); err != nil {
			return j, err
		}
		if j.Fingerprint != wanted.Fingerprint {
			return j, unprocessable("idempotency_key_reused", "this key started another journey")
		}
		err = nil
	}
	if err != nil {
		return j, err
	}
	return s.begin(ctx, j)
}

// begin starts the execution of a journey, which is harmless where it has been started.
func (s *Service) begin(ctx context.Context, j ledger.Journey) (ledger.Journey, error) {
	if j.Status.Ended() {
		return j, nil
	}
	return j, s.execute(ctx, j)
}

func (s *Service) execute(ctx context.Context, j ledger.Journey) error {
	if err := s.prolong(ctx, j); err != nil {
		return err
	}
	return s.Orchestrator.Start(ctx, j.Type, j.ID, j.Input)
}

// Resume hands over once more what may not have arrived when the process died: the start of a journey, and the inputs
// that it has accepted. Both are harmless where they have arrived.
func (s *Service) Resume(ctx context.Context, open iter.Seq2[ledger.Journey, error]) error {
	for j, err := range open {
		if err != nil {
			return err
		}
		if err := s.execute(ctx, j); err != nil {
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
