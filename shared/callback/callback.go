// Package callback takes a partner's callbacks to the journeys that wait for them: a callback is verified, translated
// into events, and each event is published to whoever has subscribed to the partner's record. An event and a
// subscription may come in either order; neither order loses.
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

// Event is something that happened to a partner's record.
type Event struct {
	Record string            // the partner's record, such as "digit9/ecrn/<ecrn>"
	Codes  map[string]string // what happened: codes, no texts

	// EventID is the partner's name for what happened: a repeat of it is the same event, whenever it arrives. Where the
	// partner has none, the same codes are a new event as soon as a journey has read the record. The id is not kept.
	EventID string

	// SubjectID completes the name of the record. It is personal data, so only a keyed reference of it is kept; see
	// SubjectRecord. Empty where Record is the whole name.
	SubjectID string
}

// SubjectRecord names a record that only personal data tells from others. reference is that of seal.Ring and of
// operation.Call.
func SubjectRecord(reference func(purpose string, parts ...string) string, record, subjectID string) string {
	sum := reference("record", record, subjectID)
	return record + sum[:min(len(sum), 32)]
}

// What is on record holds these words, which are older than Event: another word would lose the events that wait for
// their subscribers, and deliver again what was delivered.
const (
	eventPurpose = "news"  // of an event's id
	eventPrefix  = "news/" // of what an event is sealed for
)

// Ledger is what a Correlator needs of the record.
type Ledger interface {
	Journey(ctx context.Context, tenant, id string) (ledger.Journey, error)
	UpdateJourney(ctx context.Context, j ledger.Journey) (ledger.Journey, error)
	AddWaiter(ctx context.Context, record string, w ledger.Waiter) (ledger.Correlation, error)
	RemoveWaiter(ctx context.Context, record string, w ledger.Waiter) error
	AddEvent(ctx context.Context, record string, e ledger.Event, once bool) (ledger.Correlation, error)
}

// Orchestrator returns orchestrator.ErrGone where nobody waits with the token.
type Orchestrator interface {
	Answer(ctx context.Context, token string, output []byte) error
}

// Bounds of what events may do to one execution, whose history AWS limits to 25,000 events: so many of its waits they
// end, and after each it waits again the later, the more they were.
const (
	maxWakes = 50
	maxPause = 16 * time.Second
)

// Pause returns how long after its last wake a journey is to wait again, so that a flood of events costs few reads: all
// that arrive meanwhile end the next wait together.
func Pause(j ledger.Journey) time.Duration {
	pause := time.Duration(0)
	for range j.Wakes {
		pause = min(max(2*pause, time.Second), maxPause)
	}
	return pause
}

// Correlator brings events and waits together. An event is a hint: it ends a wait, and the state machine then asks the
// partner. It ends one that begins later, too, unless the execution has had it, or has begun to read the record since
// it arrived.
type Correlator struct {
	Ledger       Ledger
	Orchestrator Orchestrator
	Ring         func(context.Context) (*seal.Ring, error)
	Log          *slog.Logger
	Now          func() time.Time
}

const (
	// maxRecord is how long a record's name may be: longer than partners' ids, shorter than a key of DynamoDB's.
	maxRecord = 1 << 10
	// maxCode is how long a code may be, and maxCodes how many an event has, so that a correlation stays below
	// ledger.MaxItem however many events it holds.
	maxCode  = 64
	maxCodes = 8
)

// short makes "other" of what is longer than a code, and leaves those out that are too many, the last by name.
func short(codes map[string]string) map[string]string {
	kept := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(codes)) {
		if len(kept) == maxCodes {
			break
		}
		if kept[name] = codes[name]; len(kept[name]) > maxCode {
			kept[name] = "other"
		}
	}
	return kept
}

// Publish keeps an event and ends the waits for it. After an error it is safe to publish it again.
func (c *Correlator) Publish(ctx context.Context, event Event) error {
	ring, err := c.Ring(ctx)
	if err != nil {
		return err
	}
	if event.SubjectID != "" {
		event.Record = SubjectRecord(ring.Reference, event.Record, event.SubjectID)
	}
	if len(event.Record) > maxRecord {
		c.Log.WarnContext(ctx, "no record has so long a name", "code", "record_name_too_long")
		return nil // nobody waits for it, and a repeat would be no shorter
	}
	event.Codes = short(event.Codes)
	text, err := json.Marshal(event.Codes, json.Deterministic(true))
	if err != nil {
		return err
	}
	parts := []string{event.Record, string(text)}
	if event.EventID != "" {
		parts = append(parts, event.EventID)
	}
	id := ring.Reference(eventPurpose, parts...)[:32]
	known, err := c.Ledger.AddEvent(ctx, event.Record, ledger.Event{
		ID: id, Sealed: ring.Seal(sealedFor(event.Record, id), text), ArrivedAt: c.Now(),
	}, event.EventID != "")
	if err != nil {
		return err
	}
	arrived := slices.DeleteFunc(known.Events, func(e ledger.Event) bool { return e.ID != id })
	var failed []error
	for _, w := range known.Waiters {
		j, err := c.Ledger.Journey(ctx, w.Tenant, w.Journey)
		switch {
		case errors.Is(err, ledger.ErrNotFound), err == nil && j.Status.Ended():
			err = c.Ledger.RemoveWaiter(ctx, event.Record, w)
		case err == nil:
			err = c.deliver(ctx, ring, j, event.Record, arrived)
		}
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}

// Subscribe lists a journey that has begun to wait as a waiter for its record, and ends its wait at once where an event
// has arrived meanwhile. It is safe to repeat. Where too many wait for the record, the journey stays unlisted.
func (c *Correlator) Subscribe(ctx context.Context, j ledger.Journey) error {
	record := j.Awaiting.Record
	known, err := c.Ledger.AddWaiter(ctx, record, ledger.Waiter{Tenant: j.Tenant, Journey: j.ID})
	if errors.Is(err, ledger.ErrFull) {
		c.Log.WarnContext(ctx, "too many wait for one record", "tenant", j.Tenant, "code", "correlation_full")
		err = nil // the events that are there are delivered all the same
	}
	if err != nil || len(known.Events) == 0 {
		return err
	}
	ring, err := c.Ring(ctx)
	if err != nil {
		return err
	}
	return c.deliver(ctx, ring, j, record, known.Events)
}

// Unsubscribe takes a journey that has ended off the list of a record's waiters.
func (c *Correlator) Unsubscribe(ctx context.Context, record string, j ledger.Journey) error {
	return c.Ledger.RemoveWaiter(ctx, record, ledger.Waiter{Tenant: j.Tenant, Journey: j.ID})
}

// deliver ends a journey's wait for a record with those of the events that count for it. A journey that doesn't wait
// for the record now finds them when it subscribes again.
func (c *Correlator) deliver(
	ctx context.Context, ring *seal.Ring, j ledger.Journey, record string, events []ledger.Event,
) error {
	if j.Awaiting == nil || j.Awaiting.Record != record {
		return nil
	}
	var due []ledger.Event
	for _, e := range events {
		if counts(e, j) {
			due = append(due, e)
		}
	}
	if len(due) == 0 {
		return nil
	}
	if j.Wakes >= maxWakes {
		c.Log.WarnContext(ctx, "too many events for one journey", "tenant", j.Tenant, "code", "too_many_events")
		return nil
	}
	newest := due[len(due)-1]
	text, err := ring.Open(sealedFor(record, newest.ID), newest.Sealed)
	if err != nil {
		return err
	}
	output := map[string]string{}
	if err := json.Unmarshal(text, &output); err != nil {
		return err
	}
	output["kind"] = "callback"
	if text, err = json.Marshal(output, json.Deterministic(true)); err != nil {
		return err
	}
	err = c.Orchestrator.Answer(ctx, j.Awaiting.Token, text)
	if errors.Is(err, orchestrator.ErrGone) {
		return nil
	}
	if err != nil {
		return err
	}
	return c.delivered(ctx, j, due)
}

// counts reports whether an event ends a journey's wait. When one of an earlier release arrived is not known: that
// costs a read, where to pass over it could cost a whole interval between two polls.
func counts(e ledger.Event, j ledger.Journey) bool {
	return (e.ArrivedAt.IsZero() || !e.ArrivedAt.Before(j.Awaiting.AsOf)) && !slices.Contains(j.Delivered, e.Key())
}

// delivered notes which events an execution has got: the newest ones, as a correlation keeps no others. Where the
// process dies before, one is delivered twice, which is harmless.
func (c *Correlator) delivered(ctx context.Context, j ledger.Journey, events []ledger.Event) error {
	for {
		j, err := c.Ledger.Journey(ctx, j.Tenant, j.ID)
		if errors.Is(err, ledger.ErrNotFound) || err == nil && j.Status.Ended() {
			return nil
		}
		if err != nil {
			return err
		}
		for _, e := range events {
			j.Delivered = slices.DeleteFunc(j.Delivered, e.IsKey)
			j.Delivered = append(j.Delivered, e.Key())
		}
		if over := len(j.Delivered) - ledger.MaxDelivered; over > 0 { // more than a correlation holds at a time
			j.Delivered = slices.Delete(j.Delivered, 0, over)
		}
		j.Wakes++
		j.WokenAt = c.Now()
		j.UpdatedAt = j.WokenAt
		if _, err = c.Ledger.UpdateJourney(ctx, j); !errors.Is(err, ledger.ErrStale) {
			return err
		}
	}
}

func sealedFor(record, id string) string { return eventPrefix + record + "/" + id }
