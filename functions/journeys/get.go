package journeys

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"sallyport/shared/gateway"
	"sallyport/shared/ledger"
)

const (
	maxWait = 20 * time.Second
	// firstPause is how long a request that polls pauses at first; each pause is twice the one before, up to maxPause.
	firstPause = 250 * time.Millisecond
	maxPause   = 2 * time.Second
)

// view is a journey as callers see it.
type view struct {
	ID        string               `json:"journey_id"`
	Type      string               `json:"type"`
	Status    ledger.JourneyStatus `json:"status"`
	Reason    string               `json:"reason,omitzero"`
	Awaiting  map[string]any       `json:"awaiting,omitzero"`
	Outcome   jsontext.Value       `json:"outcome,omitzero"`
	Steps     []step               `json:"steps,omitzero"`
	CreatedAt time.Time            `json:"created_at"`
	UpdatedAt time.Time            `json:"updated_at"`
	EndedAt   time.Time            `json:"ended_at,omitzero"`
}

// step is one call that the journey made.
type step struct {
	Name        string       `json:"name"`
	Status      ledger.State `json:"status"`
	Code        string       `json:"code,omitzero"`
	StartedAt   time.Time    `json:"started_at"`
	EndedAt     time.Time    `json:"ended_at,omitzero"`
	Transaction string       `json:"transaction_id"`
}

// Get serves GET /journeys/{id}. With "Prefer: wait=N" the answer is held, N seconds at most, until it differs from
// If-None-Match, else from what it was at arrival.
func (s *Service) Get() gateway.Route {
	return s.route(func(ctx context.Context, caller ledger.Caller, req gateway.Request) (gateway.Reply, error) {
		wait, err := preferredWait(req.Header["prefer"])
		if err != nil {
			return gateway.Reply{}, err
		}
		var changed <-chan struct{}
		if wait > 0 && s.Watch != nil { // before the first read, so that no change is missed
			var stop func()
			changed, stop = s.Watch(req.Params["id"])
			defer stop()
		}
		j, err := s.journey(ctx, caller.Tenant, req.Params["id"])
		if err != nil {
			return gateway.Reply{}, err
		}
		known := strings.TrimPrefix(strings.TrimSpace(req.Header["if-none-match"]), "W/")
		if wait > 0 {
			if j, err = s.await(ctx, j, version(known, j), wait, changed); err != nil {
				return gateway.Reply{}, err
			}
		}
		body, err := s.show(ctx, j)
		if err != nil {
			return gateway.Reply{}, err
		}
		tag := etag(j, body)
		if known == tag {
			return gateway.Empty(http.StatusNotModified).With("ETag", tag), nil
		}
		return gateway.JSON(http.StatusOK, body).With("ETag", tag), nil
	})
}

// await reads a journey until it is another one than the known, or the time is over. It reads after each change where
// changes are received, else after pauses and at the end.
func (s *Service) await(
	ctx context.Context, j ledger.Journey, known int, wait time.Duration, changed <-chan struct{},
) (ledger.Journey, error) {
	over := time.After(wait)
	for pause := firstPause; j.Version == known && !j.Status.Ended(); pause = min(2*pause, maxPause) {
		var again <-chan time.Time
		if changed == nil {
			again = time.After(pause)
		}
		select {
		case <-over:
			if changed != nil {
				return j, nil
			}
			return s.journey(ctx, j.Tenant, j.ID)
		case <-ctx.Done():
			return j, nil
		case <-changed:
		case <-again:
		}
		var err error
		if j, err = s.journey(ctx, j.Tenant, j.ID); err != nil {
			return j, err
		}
	}
	return j, nil
}

func (s *Service) show(ctx context.Context, j ledger.Journey) ([]byte, error) {
	v := newView(j)
	ring, err := s.Ring(ctx)
	if err != nil {
		return nil, err
	}
	if j.Outcome != nil {
		if v.Outcome, err = ring.Open(outcomeRecord(j), j.Outcome); err != nil {
			return nil, err
		}
	}
	if a := j.Awaiting; a != nil && a.Sealed != nil {
		text, err := ring.Open(awaitingRecord(j, a.ID), a.Sealed)
		if err != nil {
			return nil, err
		}
		var details map[string]string
		if err := json.Unmarshal(text, &details); err != nil {
			return nil, err
		}
		for name, value := range details {
			v.Awaiting[name] = value
		}
	}
	calls, err := s.Ledger.JourneyTransactions(ctx, j.Tenant, j.ID)
	if err != nil {
		return nil, err
	}
	for _, t := range calls {
		v.Steps = append(v.Steps, step{t.Step, t.State, t.Code, t.ClaimedAt.UTC(), t.EndedAt.UTC(), t.ID})
	}
	return json.Marshal(v, json.Deterministic(true))
}

func newView(j ledger.Journey) view {
	v := view{ID: j.ID, Type: j.Type, Status: j.Status, Reason: j.Reason,
		CreatedAt: j.CreatedAt.UTC(), UpdatedAt: j.UpdatedAt.UTC(), EndedAt: j.EndedAt.UTC()}
	if a := j.Awaiting; a != nil {
		v.Awaiting = map[string]any{"id": a.ID, "kind": a.Kind, "accepts": a.Accepts, "expires_at": a.ExpiresAt.UTC()}
		for name, value := range a.Details {
			v.Awaiting[name] = value
		}
	}
	return v
}

// etag begins with the version, which a wait goes by, and ends with a hash of what is shown: steps are added in
// between.
func etag(j ledger.Journey, body []byte) string {
	sum := sha256.Sum256(body)
	return `"` + strconv.Itoa(j.Version) + "." + hex.EncodeToString(sum[:6]) + `"`
}

// version reads the version of an ETag; the journey's own where there is none.
func version(etag string, j ledger.Journey) int {
	text, _, _ := strings.Cut(strings.Trim(etag, `"`), ".")
	if known, err := strconv.Atoi(text); err == nil {
		return known
	}
	return j.Version
}

func outcomeRecord(j ledger.Journey) string { return "journey/" + j.ID }

// preferredWait reads "Prefer: wait=N", N from 0 to 20 seconds; other preferences are ignored, as RFC 7240 has it.
func preferredWait(header string) (time.Duration, error) {
	for preference := range strings.SplitSeq(header, ",") {
		preference, _, _ = strings.Cut(preference, ";")
		name, value, _ := strings.Cut(strings.TrimSpace(preference), "=")
		if !strings.EqualFold(strings.TrimSpace(name), "wait") {
			continue
		}
		seconds, err := strconv.Atoi(strings.Trim(strings.TrimSpace(value), `"`))
		if err != nil || seconds < 0 {
			return 0, &gateway.InputError{Pointer: "Prefer", Reason: "wait must be a number of seconds"}
		}
		return min(time.Duration(min(seconds, 60))*time.Second, maxWait), nil
	}
	return 0, nil
}
