package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"sallyport/shared/gateway"
	"sallyport/shared/ledger"
	"sallyport/shared/operation/task"
)

// busPath is where the local stack stands in for EventBridge: POST puts an event, GET lists what was published.
const busPath = "/local/events"

const (
	maxEvent    = 256 << 10 // bytes, as EventBridge has it
	keptChanges = 1000
)

// bus stands where the event bus stands. What it has published is kept in memory only.
type bus struct {
	requested func(ctx context.Context, detail []byte) error
	auth      *gateway.Authenticator

	mu      sync.Mutex
	changes []event
}

// event is an event as a rule's target gets it.
type event struct {
	Source     string          `json:"source"`
	DetailType string          `json:"detail-type"`
	Time       time.Time       `json:"time,omitzero"`
	Detail     json.RawMessage `json:"detail"`
}

// changed publishes JourneyStatusChanged.
func (b *bus) changed(j ledger.Journey) {
	detail, err := json.Marshal(map[string]any{
		"journey_id": j.ID, "tenant": j.Tenant, "type": j.Type, "status": j.Status, "reason": j.Reason,
		"version": strconv.Itoa(j.Version),
	})
	if err != nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.changes = append(b.changes, event{"sallyport", "JourneyStatusChanged", j.UpdatedAt.UTC(), detail})
	b.changes = b.changes[max(0, len(b.changes)-keptChanges):]
}

// ServeHTTP implements http.Handler. On AWS the bus's policy is the authentication; here a key with the scope
// "journeys" is.
func (b *bus) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := map[string]string{"x-api-key": r.Header.Get("X-Api-Key")}
	if header["x-api-key"] == "" {
		header = map[string]string{"authorization": r.Header.Get("Authorization")}
	}
	caller, err := b.auth.Authenticate(r.Context(), gateway.Key(header))
	if err != nil || !caller.May("journeys") {
		problem(w, http.StatusUnauthorized, "bad_key", "send a key with the scope journeys")
		return
	}
	switch r.Method {
	case http.MethodGet:
		b.mu.Lock()
		text, err := json.Marshal(append([]event{}, b.changes...))
		b.mu.Unlock()
		if err != nil {
			problem(w, http.StatusInternalServerError, "internal", "")
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(text)
	case http.MethodPost:
		b.put(w, r)
	default:
		problem(w, http.StatusMethodNotAllowed, "method_not_allowed", "POST puts an event, GET lists what was published")
	}
}

func (b *bus) put(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxEvent))
	var in event
	if err == nil {
		err = json.Unmarshal(body, &in)
	}
	if err != nil || in.DetailType != "JourneyRequested" || in.Detail == nil {
		problem(
			w, http.StatusBadRequest, "invalid_request",
			`an event is {"source","detail-type":"JourneyRequested","detail":{…}}, 256 KB at most`,
		)
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), 29*time.Second)
	defer cancel()
	err = b.requested(ctx, in.Detail)
	var invalid task.InvalidInput
	switch {
	case errors.As(err, &invalid):
		problem(w, http.StatusBadRequest, "invalid_request", string(invalid))
	case err != nil:
		problem(w, http.StatusServiceUnavailable, "not_started", "")
	default:
		w.WriteHeader(http.StatusAccepted)
	}
}

func problem(w http.ResponseWriter, status int, code, detail string) {
	reply := gateway.NewProblem(status, code, detail).Reply()
	w.Header().Set("Content-Type", reply.ContentType)
	w.WriteHeader(status)
	fmt.Fprintf(w, "%s", reply.Body)
}
