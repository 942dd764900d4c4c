// Package callback is how what a partner tells about a record of its own reaches the journeys that wait for it. Whoever
// comes first, the partner or the wait, leaves word for the other, so that neither order loses.
package callback

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/go-json-experiment/json"

	"sallyport/shared/ledger"
	"sallyport/shared/orchestrator"
	"sallyport/shared/seal"
)

// News is what a partner has told.
type News struct {
	Record string            // the partner's record that it is about, such as "digit9/ecrn/<ecrn>"
	Codes  map[string]string // what was said: codes, no texts

	// Of is the partner's name for what happened, which is not kept: by it, news that says the same of the same record is told apart.
	// Empty where nothing happens to a record twice.
	Of string

	// Private is what else names the record. It is personal data, so it is kept as a keyed reference only; see PrivateRecord.
	Private string
}

// PrivateRecord names a record that only personal data tells from others. reference is that of seal.Ring and of operation.Call.
func PrivateRecord(reference func(purpose string, parts ...string) string, record, private string) string {
	sum := reference("record", record, private)
	return record + sum[:min(len(sum), 32)]
}

// Ledger is what an Exchange needs of the record.
type Ledger interface {
	Journey(ctx context.Context, tenant, id string) (ledger.Journey, error)
	UpdateJourney(ctx context.Context, j ledger.Journey) (ledger.Journey, error)
	AddWaiter(ctx context.Context, record string, w ledger.Waiter) (ledger.Correlation, error)
	RemoveWaiter(ctx context.Context, record string, w ledger.Waiter) error
	AddEvent(ctx context.Context, record, id string, sealed []byte) (ledger.Correlation, error)
}

// Orchestrator returns orchestrator.ErrGone where nobody waits with the token.
type Orchestrator interface {
	Answer(ctx context.Context, token string, output []byte) error
}

// Exchange brings news and waits together. News is a hint: it ends a wait, and the state machine then asks the partner. An
// execution is told the same news once, however often it comes.
type Exchange struct {
	Ledger       Ledger
	Orchestrator Orchestrator
	Ring         func(context.Context) (*seal.Ring, error)
	Log          *slog.Logger
	Now          func() time.Time
}

// Tell keeps news and ends the waits for it. After an error it is safe to tell it again. What a record has no place for any more
// (ledger.ErrFull) ends no wait either: else somebody who forges hints could keep journeys running in circles.
func (x *Exchange) Tell(ctx context.Context, news News) error {
	ring, err := x.Ring(ctx)
	if err != nil {
		return err
	}
	if news.Private != "" {
		news.Record = PrivateRecord(ring.Reference, news.Record, news.Private)
	}
	text, err := json.Marshal(news.Codes, json.Deterministic(true))
	if err != nil {
		return err
	}
	parts := []string{news.Record, string(text)}
	if news.Of != "" {
		parts = append(parts, news.Of)
	}
	id := ring.Reference("news", parts...)[:32]
	known, err := x.Ledger.AddEvent(ctx, news.Record, id, ring.Seal(sealedFor(news.Record, id), text))
	if err != nil {
		return err
	}
	var failed []error
	for _, w := range known.Waiters {
		j, err := x.Ledger.Journey(ctx, w.Tenant, w.Journey)
		switch {
		case errors.Is(err, ledger.ErrNotFound), err == nil && j.Status.Ended():
			err = x.Ledger.RemoveWaiter(ctx, news.Record, w)
		case err == nil:
			err = x.pass(ctx, j, news.Record, map[string][]byte{id: text})
		}
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}

// Listen puts a journey that has begun to wait on the list of those that are told, and ends its wait at once where there
// is news that it hasn't heard. It is safe to repeat. Where too many wait for the record already, it waits unlisted.
func (x *Exchange) Listen(ctx context.Context, j ledger.Journey) error {
	record := j.Awaiting.Record
	known, err := x.Ledger.AddWaiter(ctx, record, ledger.Waiter{Tenant: j.Tenant, Journey: j.ID})
	if errors.Is(err, ledger.ErrFull) {
		x.Log.WarnContext(ctx, "too many wait for one record", "tenant", j.Tenant, "code", "correlation_full")
		err = nil // what is there already is told all the same
	}
	if err != nil || len(known.Events) == 0 {
		return err
	}
	ring, err := x.Ring(ctx)
	if err != nil {
		return err
	}
	news := map[string][]byte{}
	for id, sealed := range known.Events {
		if news[id], err = ring.Open(sealedFor(record, id), sealed); err != nil {
			return err
		}
	}
	return x.pass(ctx, j, record, news)
}

// Leave takes a journey that has ended off the list.
func (x *Exchange) Leave(ctx context.Context, record string, j ledger.Journey) error {
	return x.Ledger.RemoveWaiter(ctx, record, ledger.Waiter{Tenant: j.Tenant, Journey: j.ID})
}

// pass ends a journey's wait with what it has not heard yet. Where it doesn't wait just now, its next wait will find the
// news.
func (x *Exchange) pass(ctx context.Context, j ledger.Journey, record string, news map[string][]byte) error {
	maps.DeleteFunc(news, func(id string, _ []byte) bool { return slices.Contains(j.Heard, id) })
	if j.Awaiting == nil || j.Awaiting.Record != record || len(news) == 0 {
		return nil
	}
	ids := slices.Sorted(maps.Keys(news))
	output := map[string]string{}
	if err := json.Unmarshal(news[ids[0]], &output); err != nil {
		return err
	}
	output["kind"] = "callback"
	text, err := json.Marshal(output, json.Deterministic(true))
	if err != nil {
		return err
	}
	err = x.Orchestrator.Answer(ctx, j.Awaiting.Token, text)
	if errors.Is(err, orchestrator.ErrGone) {
		return nil
	}
	if err != nil {
		return err
	}
	return x.heard(ctx, j, ids)
}

// heard notes what an execution has been told. Where the process dies before, it is told once more, which is harmless.
func (x *Exchange) heard(ctx context.Context, j ledger.Journey, ids []string) error {
	for {
		j, err := x.Ledger.Journey(ctx, j.Tenant, j.ID)
		if errors.Is(err, ledger.ErrNotFound) || err == nil && j.Status.Ended() {
			return nil
		}
		if err != nil {
			return err
		}
		for _, id := range ids {
			if !slices.Contains(j.Heard, id) {
				j.Heard = append(j.Heard, id)
			}
		}
		j.UpdatedAt = x.Now()
		if _, err = x.Ledger.UpdateJourney(ctx, j); !errors.Is(err, ledger.ErrStale) {
			return err
		}
	}
}

func sealedFor(record, id string) string { return "news/" + record + "/" + id }
