package journeys

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"sallyport/shared/callback"
	"sallyport/shared/gateway"
	"sallyport/shared/journey"
	"sallyport/shared/ledger"
	"sallyport/shared/operation"
	"sallyport/shared/operation/task"
	"sallyport/shared/orchestrator"
	"sallyport/shared/seal"
	"sallyport/shared/tolerant"
	"sallyport/shared/vault"
)

// AwaitInput is what a state machine sends when it begins to wait for a token.
type AwaitInput struct {
	Tenant  string `json:"tenant"`
	Journey string `json:"journey_id"`
	Token   string `json:"token"`
	Kind    string `json:"kind"`
	Record  string `json:"record"` // the partner's record whose callback ends the wait; empty for none
	// Read is the transaction that has read the record last, or changed it: what an event told that arrived before it
	// began is in its answer. Reads are such ones, of several.
	Read    string            `json:"read"`
	Reads   []string          `json:"reads"`
	Accepts []string          `json:"accepts"`
	Seconds int               `json:"seconds"` // how long the state waits
	Days    int               `json:"days"`    // likewise, where it begins anew every day
	Reason  string            `json:"reason"`  // why the journey came here: a code
	Details map[string]string `json:"details"` // what the person needs to know, or the partner's ids
	// Reveal names members of a transaction's answer that the person needs as well, such as a url, and that are no state
	// machine's business.
	Reveal      []string `json:"shows"`
	Transaction string   `json:"transaction_id"`
}

// Await records what a journey waits for. It is safe to repeat: the same token is the same wait.
func (s *Service) Await(ctx context.Context, in AwaitInput) error {
	ring, err := s.Ring(ctx)
	if err != nil {
		return task.Unavailable("keys_unavailable")
	}
	began, asOf, paused := s.Now(), time.Time{}, false
	if in.Record != "" {
		if asOf, err = s.asOf(ctx, in); err == nil {
			paused, err = s.pause(ctx, in)
		}
		if err != nil {
			return stepError(err)
		}
	}
	id := ring.Reference("awaiting", in.Journey, in.Token)[:32]
	j, err := s.change(ctx, in.Tenant, in.Journey, func(j *ledger.Journey) (bool, error) {
		_, answered := j.Inputs[inputName(id, ring.Reference)]
		if j.Status.Ended() || answered || j.Awaiting != nil && j.Awaiting.ID == id {
			return false, nil
		}
		if paused && j.Awaiting != nil && j.Awaiting.Since.After(began) {
			return false, nil // the state's time ended during the pause, and it has begun to wait anew
		}
		sealed, err := s.awaited(ctx, ring, *j, id, in)
		if err != nil {
			return false, err
		}
		j.Status, j.Reason = ledger.JourneyWaiting, clipped(in.Reason)
		j.Awaiting = &ledger.Awaiting{ID: id, Kind: in.Kind, Accepts: in.Accepts, Token: in.Token, Record: in.Record,
			AsOf: asOf, Since: began,
			ExpiresAt: began.Add(s.scaled(time.Duration(in.Days*24*60*60+in.Seconds) * time.Second)),
			Details:   clippedDetails(in.Details), Sealed: sealed}
		return true, nil
	})
	if err == nil && in.Record != "" && j.Awaiting != nil && j.Awaiting.ID == id {
		err = s.correlator().Subscribe(ctx, j)
	}
	return stepError(err)
}

// asOf returns when the first of a wait's reads began; the zero time, which is before all events, where that is not
// known.
func (s *Service) asOf(ctx context.Context, in AwaitInput) (first time.Time, err error) {
	reads := in.Reads
	if in.Read != "" {
		reads = append(reads, in.Read)
	}
	for _, id := range reads {
		read, err := s.Ledger.Transaction(ctx, in.Tenant, id)
		if errors.Is(err, ledger.ErrNotFound) {
			return time.Time{}, nil
		}
		if err != nil {
			return time.Time{}, err
		}
		if first.IsZero() || read.ClaimedAt.Before(first) {
			first = read.ClaimedAt
		}
	}
	return first, nil
}

// pause lets time pass where an event has ended a wait of the journey a moment ago; see callback.Pause.
func (s *Service) pause(ctx context.Context, in AwaitInput) (paused bool, err error) {
	j, err := s.journey(ctx, in.Tenant, in.Journey)
	if err != nil || j.Wakes == 0 {
		return false, err
	}
	left := s.scaled(callback.Pause(j)) - s.Now().Sub(j.WokenAt)
	if left <= 0 {
		return false, nil
	}
	select {
	case <-time.After(left):
		return true, nil
	case <-ctx.Done():
		return true, ctx.Err()
	}
}

const (
	// maxShown is how much of an answer a wait shows in all, in bytes: an image of a QR code has some thousands.
	maxShown = 64 << 10
	// maxDetail is how much a detail of a wait tells, and a reason, and maxDetails how much all details; in bytes.
	maxDetail  = 1 << 10
	maxDetails = 8 << 10
)

// clipped cuts what is longer than a detail may be.
func clipped(text string) string {
	if len(text) <= maxDetail {
		return text
	}
	return strings.ToValidUTF8(text[:maxDetail], "")
}

// clippedDetails cuts details, and leaves those out that there is no place for, the last by name.
func clippedDetails(details map[string]string) map[string]string {
	kept := maps.Clone(details)
	size := 0
	for _, name := range slices.Sorted(maps.Keys(details)) {
		kept[name] = clipped(details[name])
		if size += len(name) + len(kept[name]); size > maxDetails {
			delete(kept, name)
		}
	}
	return kept
}

// awaited seals what a wait shows of a transaction's answer; nil for nothing. An answer that is gone shows nothing.
func (s *Service) awaited(
	ctx context.Context, ring *seal.Ring, j ledger.Journey, id string, in AwaitInput,
) ([]byte, error) {
	if len(in.Reveal) == 0 {
		return nil, nil
	}
	_, answer, known, err := s.replyOf(ctx, ring, j.Tenant, in.Transaction)
	if !known || err != nil {
		return nil, err
	}
	members := tolerant.ReadObject(tolerant.WithoutTrailingCommas(answer.Body)) // none where it is no object
	shown, left := map[string]string{}, maxShown
	for _, name := range in.Reveal {
		if text := members.Text(name); text != "" && len(text) <= left {
			shown[name] = text
			left -= len(text)
		}
	}
	if len(shown) == 0 {
		return nil, nil
	}
	text, err := json.Marshal(shown, json.Deterministic(true))
	return ring.Seal(awaitingRecord(j, id), text), err
}

// replyOf returns the record of a transaction and the answer that it keeps; known is false where there is no record any
// more, or one without an answer, or whose answer is gone from the vault.
func (s *Service) replyOf(
	ctx context.Context, ring *seal.Ring, tenant, id string,
) (record ledger.Transaction, reply gateway.Reply, known bool, err error) {
	record, err = s.Ledger.Transaction(ctx, tenant, id)
	if err == nil {
		reply, err = operation.StoredReply(ctx, ring, s.Vault, record)
	}
	if errors.Is(err, ledger.ErrNotFound) || errors.Is(err, operation.ErrNoReply) || errors.Is(err, vault.ErrNotFound) {
		return record, reply, false, nil
	}
	return record, reply, err == nil, err
}

// awaitingRecord is what the details of a wait are sealed for.
func awaitingRecord(j ledger.Journey, id string) string { return outcomeRecord(j) + "/awaiting/" + id }

func (s *Service) scaled(d time.Duration) time.Duration {
	if s.TimeScale > 0 {
		return time.Duration(float64(d) / s.TimeScale)
	}
	return d
}

// FinishInput is what a state machine sends when it knows how the journey ends.
type FinishInput struct {
	Tenant  string               `json:"tenant"`
	Journey string               `json:"journey_id"`
	Status  ledger.JourneyStatus `json:"status"`
	Reason  string               `json:"reason"` // a code
	// Cause is that of the error that ends the journey, as Lambda reports it; its message takes the place of Reason.
	Cause string `json:"cause"`
	// Transaction is whose answer the outcome is made of; of several, the first whose answer tells something. Empty for
	// none.
	Transaction  string   `json:"transaction_id"`
	Transactions []string `json:"transaction_ids"`
	Claims       []string `json:"wanted"`  // what the outcome may tell; see journey.Type
	Outcome      any      `json:"outcome"` // the outcome itself, codes alone, where no answer decided
}

// Finish records the outcome, sealed, and erases what the journey was given. It is safe to repeat.
func (s *Service) Finish(ctx context.Context, in FinishInput) error {
	if !in.Status.Ended() {
		return task.InvalidInput("status")
	}
	if in.Cause != "" {
		var reported struct {
			Message string `json:"errorMessage"`
		}
		if err := json.Unmarshal([]byte(in.Cause), &reported); err != nil {
			return task.InvalidInput("cause")
		}
		in.Reason = reported.Message
	}
	in.Reason = clipped(in.Reason)
	ring, err := s.Ring(ctx)
	if err != nil {
		return task.Unavailable("keys_unavailable")
	}
	_, err = s.end(ctx, in.Tenant, in.Journey, in.Status, in.Reason, func(j *ledger.Journey) error {
		t, err := s.typeOf(j.Type)
		if err != nil {
			return err
		}
		transactions := in.Transactions
		if in.Transaction != "" {
			transactions = append(transactions, in.Transaction)
		}
		if in.Outcome != nil {
			text, err := json.Marshal(in.Outcome, json.Deterministic(true))
			j.Outcome = sealedOutcome(ring, *j, text)
			return err
		}
		for _, id := range transactions {
			outcome, refs, err := s.outcome(ctx, ring, t, in, id)
			if err != nil || outcome != nil {
				j.Refs, j.Outcome = ledger.CapRefs(refs), sealedOutcome(ring, *j, outcome)
				return err
			}
		}
		return nil
	})
	return stepError(err)
}

// outcome makes the outcome of one transaction; nil where its answer is not known any more or tells nothing: how the
// journey ended is known all the same.
func (s *Service) outcome(
	ctx context.Context, ring *seal.Ring, t journey.Type, in FinishInput, transaction string,
) (outcome []byte, refs map[string]string, err error) {
	record, answer, known, err := s.replyOf(ctx, ring, in.Tenant, transaction)
	if !known || err != nil {
		return nil, nil, err
	}
	outcome, err = t.Outcome(answer, record.Refs, in.Claims)
	return outcome, record.Refs, err
}

// maxOutcome is the largest outcome that is kept, in bytes. Of a larger one only how the journey ended is told.
const maxOutcome = ledger.MaxOutcome - 1<<10

func sealedOutcome(ring *seal.Ring, j ledger.Journey, outcome []byte) []byte {
	if outcome == nil || len(outcome) > maxOutcome {
		return nil
	}
	return ring.Seal(outcomeRecord(j), outcome)
}

// Settle records the end of an execution that its definition could not catch, and erases the vault after every end.
func (s *Service) Settle(ctx context.Context, change orchestrator.StatusChange) error {
	var started struct {
		Tenant string `json:"tenant"`
	}
	if err := json.Unmarshal([]byte(change.Input), &started); err != nil || started.Tenant == "" {
		return task.InvalidInput("not_a_journey")
	}
	status, reason := ledger.JourneyFailed, "execution_failed"
	switch change.Status {
	case "TIMED_OUT":
		status, reason = ledger.JourneyExpired, "execution_timed_out"
	case "ABORTED":
		if status, reason = ledger.JourneyCancelled, "execution_aborted"; change.Error == cancelled {
			reason = cancelled
		}
	}
	_, err := s.end(ctx, started.Tenant, change.Name, status, reason, nil)
	if errors.Is(err, ledger.ErrNotFound) {
		return nil
	}
	return stepError(err)
}

// stepError puts an error into the vocabulary of state machines.
func stepError(err error) error {
	var problem *gateway.Problem
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ledger.ErrNotFound):
		return task.InvalidInput("not_found")
	case errors.As(err, &problem):
		return task.InvalidInput(problem.Code)
	}
	return task.Unavailable("ledger_unavailable")
}
