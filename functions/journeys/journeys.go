// Package journeys starts journeys, takes what people and systems answer, and shows where each one stands. The state
// machines run the operations; they come back here to wait for a person (Await) and to record how it ended (Finish,
// Settle).
package journeys

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json"

	"sallyport/shared/callback"
	"sallyport/shared/gateway"
	"sallyport/shared/journey"
	"sallyport/shared/ledger"
	"sallyport/shared/orchestrator"
	"sallyport/shared/seal"
	"sallyport/shared/secrets"
	"sallyport/shared/vault"
)

const (
	scope = "journeys"
	// documentTTL is how long what a journey was given lies in the vault at most; its end erases it sooner.
	documentTTL = 24 * time.Hour
	// maxBody is of an input, and of a start whose type has no other limit.
	maxBody int64 = 64 << 10
)

// Ledger is what journeys need of the record.
type Ledger interface {
	callback.Ledger
	CreateJourney(ctx context.Context, key string, j ledger.Journey) (ledger.Journey, error)
	JourneyOf(ctx context.Context, key string) (ledger.Journey, error)
	Journeys(ctx context.Context, q ledger.JourneyQuery) (ledger.JourneyPage, error)
	JourneyTransactions(ctx context.Context, tenant, journey string) ([]ledger.Transaction, error)
	Transaction(ctx context.Context, tenant, id string) (ledger.Transaction, error)
}

// Orchestrator runs state machines. That an execution has been started already, or has ended when it is stopped, is
// success.
type Orchestrator interface {
	callback.Orchestrator
	Start(ctx context.Context, machine, name string, input []byte) error
	Stop(ctx context.Context, machine, name, cause string) error
}

// Service is what the functions of this package share.
type Service struct {
	Ledger       Ledger
	Orchestrator Orchestrator
	Vault        *vault.Vault
	Secrets      *secrets.Cache
	Ring         func(context.Context) (*seal.Ring, error)
	Auth         *gateway.Authenticator
	Types        []journey.Type
	Log          *slog.Logger
	Now          func() time.Time
	NewID        func() string        // UUIDv7
	Changed      func(ledger.Journey) // tells the local bus of a new status; on AWS the table's stream tells EventBridge
	TimeScale    float64              // how much faster than the clock the orchestrator's waits pass; 1 where zero

	// Watch returns a channel that receives after each change of a journey's record until stop is called; changes that
	// come close together may come as one. Where nil, as on AWS, a request that waits for a change polls.
	Watch func(journey string) (changed <-chan struct{}, stop func())
}

func (s *Service) typeOf(name string) (journey.Type, error) {
	for _, t := range s.Types {
		if t.Name == name {
			return t, nil
		}
	}
	return journey.Type{}, gateway.NewProblem(http.StatusNotFound, "no_such_journey_type", "no journey has this type")
}

// unprocessable refuses what is well-formed, yet can't be done.
func unprocessable(code, detail string) error {
	return gateway.NewProblem(http.StatusUnprocessableEntity, code, detail)
}

// tooLarge refuses a body.
func tooLarge(detail string) error {
	return gateway.NewProblem(http.StatusRequestEntityTooLarge, "too_large", detail)
}

// accepted says that the journey goes on.
func accepted(j ledger.Journey, typeName string) (gateway.Reply, error) {
	body, err := json.Marshal(struct {
		ID     string               `json:"journey_id"`
		Type   string               `json:"type,omitzero"`
		Status ledger.JourneyStatus `json:"status"`
	}{j.ID, typeName, j.Status})
	return gateway.JSON(http.StatusAccepted, body).With("Location", "/journeys/"+j.ID), err
}

// route makes one of this package's HTTP routes.
func (s *Service) route(
	serve func(context.Context, ledger.Caller, gateway.Request) (gateway.Reply, error),
) gateway.Route {
	return gateway.Route{Auth: s.Auth, Scope: scope, Log: s.Log, Serve: serve}
}

// change applies a change to a journey as it stands, again when it has changed meanwhile. The change returns false
// where nothing is to be written.
func (s *Service) change(
	ctx context.Context, tenant, id string, apply func(*ledger.Journey) (bool, error),
) (ledger.Journey, error) {
	for {
		j, err := s.journey(ctx, tenant, id)
		if err != nil {
			return j, err
		}
		write, err := apply(&j)
		if err != nil || !write {
			return j, err
		}
		j.UpdatedAt = s.Now()
		written, err := s.Ledger.UpdateJourney(ctx, j)
		if err == nil && s.Changed != nil {
			s.Changed(written)
		}
		if !errors.Is(err, ledger.ErrStale) {
			return written, err
		}
	}
}

// maxID is longer than any journey's id, which is a UUID.
const maxID = 64

func (s *Service) journey(ctx context.Context, tenant, id string) (ledger.Journey, error) {
	if len(id) > maxID {
		return ledger.Journey{}, ledger.ErrNotFound
	}
	return s.Ledger.Journey(ctx, tenant, id)
}

// end ends a journey, unless it has ended, and erases what it was given. It is safe to repeat.
func (s *Service) end(
	ctx context.Context, tenant, id string, status ledger.JourneyStatus, reason string,
	outcome func(*ledger.Journey) error,
) (ledger.Journey, error) {
	record := ""
	j, err := s.change(ctx, tenant, id, func(j *ledger.Journey) (bool, error) {
		if j.Status.Ended() {
			return false, nil
		}
		if record = ""; j.Awaiting != nil {
			record = j.Awaiting.Record
		}
		j.Status, j.Reason, j.Awaiting = status, reason, nil
		j.EndedAt, j.ExpiresAt = s.Now(), s.Now().Add(ledger.Retention)
		if outcome != nil {
			if err := outcome(j); err != nil {
				return false, err
			}
		}
		return true, nil
	})
	if err == nil && record != "" {
		err = s.correlator().Unsubscribe(ctx, record, j)
	}
	if err != nil {
		return j, err
	}
	return j, s.erase(ctx, tenant, j.Documents)
}

// correlator brings waits for partners and their callbacks together.
func (s *Service) correlator() *callback.Correlator {
	return &callback.Correlator{Ledger: s.Ledger, Orchestrator: s.Orchestrator, Ring: s.Ring, Log: s.Log, Now: s.Now}
}

func (s *Service) erase(ctx context.Context, tenant string, documents []string) error {
	return forEach(documents, func(id string) error { return s.Vault.Delete(ctx, tenant, id) })
}

// forEach does something for all elements, one after the other where they are few, until it fails for one. Hundreds
// would take longer than a function may.
func forEach[T any](all []T, do func(T) error) error {
	const few, mostWorkers = 16, 8
	var next, failed atomic.Int64
	errs := make([]error, min(1+len(all)/few, mostWorkers))
	var workers sync.WaitGroup
	for worker := range errs {
		workers.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(all)) && failed.Load() == 0; i = next.Add(1) - 1 {
				if errs[worker] = do(all[i]); errs[worker] != nil {
					failed.Add(1)
					return
				}
			}
		})
	}
	workers.Wait()
	return errors.Join(errs...)
}

func isGone(err error) bool { return errors.Is(err, orchestrator.ErrGone) }
