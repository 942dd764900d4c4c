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

	jsonv2 "github.com/go-json-experiment/json"

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
	changes []change
}

// change is an event about a tenant's journey.
type change struct {
	tenant string
	event
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
	published := event{"sallyport", "JourneyStatusChanged", j.UpdatedAt.UTC(), detail}
	b.changes = append(b.changes, change{j.Tenant, published})
	b.changes = b.changes[max(0, len(b.changes)-keptChanges):]
}

// of returns what was published about the journeys that a caller may see.
func (b *bus) of(caller ledger.Caller) []event {
	b.mu.Lock()
	defer b.mu.Unlock()
	found := []event{}
	for _, c := range b.changes {
		if mayName(caller, c.tenant) {
			found = append(found, c.event)
		}
	}
	return found
}

// mayName reports whether events of a tenant's are a caller's business: its own are, and all are an operator's.
func mayName(caller ledger.Caller, tenant string) bool {
	return caller.May(ledger.OperatorScope) || caller.Tenant == tenant
}

// ServeHTTP implements http.Handler. On AWS the bus's policy is the authentication; here a key is, with the scope
// "journeys" for its tenant's events, with the operator's for all.
func (b *bus) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := map[string]string{"x-api-key": r.Header.Get("X-Api-Key")}
	if header["x-api-key"] == "" {
		header = map[string]string{"authorization": r.Header.Get("Authorization")}
	}
	caller, err := b.auth.Authenticate(r.Context(), gateway.Keys(header)...)
	switch {
	case err != nil && !errors.Is(err, gateway.ErrNoKey) && !errors.Is(err, gateway.ErrBadKey):
		send(w, gateway.Unavailable())
		return
	case err != nil, !caller.May("journeys") && !caller.May(ledger.OperatorScope):
		problem(w, http.StatusUnauthorized, "bad_key", "send a key with the scope journeys")
		return
	}
	switch r.Method {
	case http.MethodGet:
		text, err := json.Marshal(b.of(caller))
		if err != nil {
			problem(w, http.StatusInternalServerError, "internal", "")
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(text)
	case http.MethodPost:
		b.put(w, r, caller)
	default:
		problem(w, http.StatusMethodNotAllowed, "method_not_allowed", "POST puts an event, GET lists what was published")
	}
}

func (b *bus) put(w http.ResponseWriter, r *http.Request, caller ledger.Caller) {
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
	var names struct {
		Tenant string `json:"tenant"`
	}
	if err := jsonv2.Unmarshal(in.Detail, &names); err == nil && names.Tenant != "" && !mayName(caller, names.Tenant) {
		problem(w, http.StatusForbidden, "forbidden", "this key may name no tenant but "+caller.Tenant)
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
		p := gateway.NewProblem(http.StatusServiceUnavailable, "not_started", "")
		p.RetryAfter = time.Second
		send(w, p)
	default:
		w.WriteHeader(http.StatusAccepted)
	}
}

func problem(w http.ResponseWriter, status int, code, detail string) {
	send(w, gateway.NewProblem(status, code, detail))
}

func send(w http.ResponseWriter, p *gateway.Problem) {
	reply := p.Reply()
	w.Header().Set("Content-Type", reply.ContentType)
	if p.RetryAfter > 0 {
		w.Header().Set("Retry-After", gateway.RetryAfter(p.RetryAfter))
	}
	w.WriteHeader(reply.Status)
	fmt.Fprintf(w, "%s", reply.Body)
}
