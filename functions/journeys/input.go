package journeys

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"sallyport/shared/gateway"
	"sallyport/shared/journey"
	"sallyport/shared/ledger"
)

// Input serves POST /journeys/{id}/inputs. An input is accepted once for each wait: it is written down, then handed to
// the execution; a repeat (the same Idempotency-Key, or the awaiting_id echoed) hands it over again, which is harmless.
func (s *Service) Input() gateway.Route {
	return s.route(func(ctx context.Context, caller ledger.Caller, req gateway.Request) (gateway.Reply, error) {
		if req.TooLarge(maxBody) {
			return gateway.Reply{}, tooLarge("an input takes 64 KB; larger documents go by reference")
		}
		key, err := gateway.IdempotencyKey(req.Header)
		if err != nil {
			return gateway.Reply{}, err
		}
		j, err := s.input(ctx, caller.Tenant, req.Params["id"], key, req.Body)
		if err != nil {
			return gateway.Reply{}, err
		}
		return accepted(j, "")
	})
}

func (s *Service) input(ctx context.Context, tenant, id, key string, body []byte) (ledger.Journey, error) {
	members := map[string]jsontext.Value{}
	if err := gateway.DecodeJSON(body, &members); err != nil {
		return ledger.Journey{}, err
	}
	var kind, awaitingID string
	for name, into := range map[string]*string{"kind": &kind, "awaiting_id": &awaitingID} {
		if value, ok := members[name]; ok {
			if err := json.Unmarshal(value, into); err != nil {
				return ledger.Journey{}, &gateway.InputError{Pointer: "/" + name, Reason: "must be a string"}
			}
			delete(members, name)
		}
	}
	if kind == "" {
		return ledger.Journey{}, &gateway.InputError{Pointer: "/kind", Reason: "is required"}
	}
	ring, err := s.Ring(ctx)
	if err != nil {
		return ledger.Journey{}, err
	}
	digest, err := gateway.DigestJSON(body)
	if err != nil {
		return ledger.Journey{}, &gateway.InputError{Reason: "is not valid JSON"}
	}
	fingerprint := ring.Reference("input fingerprint", id, digest)
	rest, err := json.Marshal(members, json.Deterministic(true))
	if err != nil {
		return ledger.Journey{}, err
	}

	standing, err := s.journey(ctx, tenant, id)
	if err != nil {
		return standing, err
	}
	names := inputNames(standing.ID, key, awaitingID, ring.Reference)
	handedOver, err := repeated(standing, names, fingerprint)
	if err != nil {
		return standing, err
	}
	if handedOver != nil { // what it was given may be gone by now
		return s.handOver(ctx, standing, handedOver)
	}
	if err := accepts(&standing, kind, awaitingID, s.Now()); err != nil {
		return standing, err
	}
	g := s.given(tenant)
	fields, err := s.decode(ctx, g, standing, kind, rest)
	if err != nil {
		return standing, err
	}
	state, err := g.state(fields, documentTTL)
	if err != nil {
		return standing, err
	}
	state["kind"] = kind
	output, err := json.Marshal(state, json.Deterministic(true))
	if err != nil {
		return standing, err
	}
	fresh := false
	accept := func(j *ledger.Journey) (bool, error) {
		var err error
		if handedOver, err = repeated(*j, names, fingerprint); handedOver != nil || err != nil {
			fresh = false
			return false, err
		}
		if err := accepts(j, kind, awaitingID, s.Now()); err != nil {
			return false, err
		}
		accepted := ledger.AcceptedInput{Fingerprint: fingerprint, Token: j.Awaiting.Token, Output: output}
		inputs := maps.Clone(j.Inputs)
		if inputs == nil {
			inputs = map[string]ledger.AcceptedInput{}
		}
		for _, name := range append([]string{inputName(j.Awaiting.ID, ring.Reference)}, names...) {
			inputs[name] = accepted
		}
		j.Inputs, j.Documents = inputs, slices.Concat(j.Documents, g.documents(fields))
		j.Status, j.Reason, j.Awaiting = ledger.JourneyRunning, "", nil
		if j.Size() > ledger.MaxJourneyInputs {
			return false, tooLarge("the journey holds no more inputs of this size; send fewer values, or start another one")
		}
		handedOver, fresh = []ledger.AcceptedInput{accepted}, true
		return true, nil
	}
	wanted := standing
	if _, err := accept(&wanted); err != nil { // before anything is put
		return standing, err
	}
	if err := g.put(ctx); err != nil {
		return standing, err
	}
	j, err := s.change(ctx, tenant, id, accept)
	// Refused, or a repeat: what was put for it goes again. After any other error it may have been accepted all the same.
	var refused *gateway.Problem
	if errors.As(err, &refused) || err == nil && !fresh {
		if erased := g.erase(ctx); erased != nil && err == nil {
			err = erased
		}
	}
	if err != nil {
		return j, err
	}
	return s.handOver(ctx, j, handedOver)
}

// handOver hands accepted inputs to a journey's execution, unless it has ended.
func (s *Service) handOver(
	ctx context.Context, j ledger.Journey, handedOver []ledger.AcceptedInput,
) (ledger.Journey, error) {
	if j.Status.Ended() {
		return j, nil
	}
	for _, accepted := range handedOver {
		if err := s.answer(ctx, accepted); err != nil {
			return j, err
		}
	}
	return j, nil
}

// decode validates an input for a journey's type.
func (s *Service) decode(
	ctx context.Context, g *given, j ledger.Journey, kind string, body []byte,
) (fields journey.Fields, err error) {
	t, err := s.typeOf(j.Type)
	if err != nil {
		return fields, err
	}
	decode := t.Inputs[kind]
	if decode == nil {
		return fields, &gateway.InputError{Pointer: "/kind", Reason: "is not a kind of input of this journey"}
	}
	if fields, err = decode(ctx, journey.Start{Body: body, Open: g.open}); err == nil {
		err = g.refer(ctx, fields)
	}
	return fields, err
}

// accepts reports whether a journey takes this kind of input now.
func accepts(j *ledger.Journey, kind, awaitingID string, now time.Time) error {
	switch {
	case j.Status.Ended():
		return gateway.NewProblem(http.StatusGone, "journey_ended", "the journey has ended")
	case j.Awaiting == nil:
		return gateway.NewProblem(http.StatusConflict, "not_waiting", "the journey does not wait for anything now")
	case !now.Before(j.Awaiting.ExpiresAt):
		until := j.Awaiting.ExpiresAt.UTC().Format(time.RFC3339)
		return gateway.NewProblem(http.StatusGone, "wait_expired", "the journey waited for this until "+until)
	case awaitingID != "" && awaitingID != j.Awaiting.ID:
		return gateway.NewProblem(http.StatusConflict, "other_wait", "the journey waits for something else by now")
	case !slices.Contains(j.Awaiting.Accepts, kind):
		waitsFor := cmp.Or(strings.Join(j.Awaiting.Accepts, " or "), "word from the partner")
		return gateway.NewProblem(http.StatusConflict, "other_kind", "the journey waits for "+waitsFor)
	}
	return nil
}

// answer hands an accepted input to the execution. Where nobody waits any more it has been handed over before, or its
// wait has just ended, and the state machine has gone on.
func (s *Service) answer(ctx context.Context, accepted ledger.AcceptedInput) error {
	err := s.Orchestrator.Answer(ctx, accepted.Token, accepted.Output)
	if isGone(err) {
		return nil
	}
	return err
}

// repeated finds the input that was accepted before under one of the names, or, while the journey waits for nothing
// new, whatever said the same without a name: its sender may have lost our answer, and handing over what has arrived is
// harmless. It finds none where the input is a new one.
func repeated(j ledger.Journey, names []string, fingerprint string) (found []ledger.AcceptedInput, err error) {
	for _, name := range names {
		accepted, ok := j.Inputs[name]
		switch {
		case ok && accepted.Fingerprint != fingerprint:
			return nil, unprocessable("idempotency_key_reused", "another input was accepted under this name")
		case ok:
			return []ledger.AcceptedInput{accepted}, nil
		}
	}
	if j.Status != ledger.JourneyRunning {
		return nil, nil
	}
	for _, accepted := range j.Inputs {
		if accepted.Fingerprint == fingerprint {
			found = append(found, accepted)
		}
	}
	return found, nil
}

// inputNames are the names under which a repeat of an input would be found.
func inputNames(journey, key, awaitingID string, reference func(string, ...string) string) (names []string) {
	if key != "" {
		names = append(names, reference("input key", journey, key)[:32])
	}
	if awaitingID != "" {
		names = append(names, inputName(awaitingID, reference))
	}
	return names
}

func inputName(awaitingID string, reference func(string, ...string) string) string {
	return reference("input awaiting", awaitingID)[:32]
}
