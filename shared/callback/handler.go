package callback

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"sallyport/shared/gateway"
	"sallyport/shared/secrets"
	"sallyport/shared/telemetry"
)

// maxBody is of a callback, in bytes.
const maxBody = 64 << 10

// Why a callback is not taken.
var (
	// ErrNotAuthentic: the callback does not prove that it comes from the partner.
	ErrNotAuthentic = errors.New("callback: not authentic")
	// ErrUnavailable: what it takes to verify the callback can't be had for now.
	ErrUnavailable = errors.New("callback: can't be verified for now")
)

// Receiver is what a partner's callbacks look like.
type Receiver struct {
	Name string // the folder of its function, "<partner>/callback"

	// Verify checks, in constant time, how a callback proves where it comes from, and returns what it says: its body, or
	// what its body wraps. secret is the deployment's credentials document for the partner. Errors: ErrNotAuthentic;
	// ErrUnavailable, after which the partner repeats the callback; *gateway.InputError where there is nothing to check.
	Verify func(ctx context.Context, secret []byte, req gateway.Request) (payload []byte, err error)

	// Translate makes events of a verified callback, whose body is the payload here: one for each name that the record
	// goes by. One that nobody has a use for makes none, and is acknowledged all the same, lest the partner repeat it for
	// ever. Only what can't be read at all is an error, which is for the partner and holds no values.
	Translate func(req gateway.Request) ([]Event, error)

	// Acknowledge words an answer in the partner's way; 200 acknowledges.
	Acknowledge func(status int, message string) gateway.Reply
}

// Handler takes a partner's callbacks. It is a lambda.Handler for API Gateway events: size → verify → translate →
// publish. An event that is not kept is not acknowledged, so that the partner repeats it.
type Handler struct {
	Receiver
	Correlator *Correlator
	Secrets    *secrets.Cache
	Log        *slog.Logger
	Metrics    *telemetry.Metrics
	Now        func() time.Time
}

// Invoke implements lambda.Handler.
func (h Handler) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	started := h.Now()
	req, err := gateway.ParseEvent(payload)
	if err == gateway.ErrNotEvent {
		return nil, err
	}
	status, message, count := http.StatusBadRequest, "The body is not valid", 0
	if err == nil {
		status, message, count = h.take(ctx, req)
	}
	h.Log.InfoContext(
		ctx, "callback", "request_id", req.ID, "count", count, "operation", h.Name, "status", status,
	)
	h.Metrics.Call(h.Name, http.StatusText(status), "", h.Now().Sub(started))
	return h.Acknowledge(status, message).With("X-Request-Id", req.ID).Event(), nil
}

// take returns how a callback is answered, and how many events it makes.
func (h Handler) take(ctx context.Context, req gateway.Request) (status int, message string, count int) {
	defer func() {
		if recover() != nil { // the value may hold what was sent
			h.Log.ErrorContext(ctx, "panic in callback", "operation", h.Name)
			status, message, count = http.StatusInternalServerError, "Something went wrong", 0
		}
	}()
	if req.TooLarge(maxBody) {
		return http.StatusRequestEntityTooLarge, "The body is too large", 0
	}
	payload, err := h.verify(ctx, req)
	var nothing *gateway.InputError
	switch {
	case errors.As(err, &nothing):
		return http.StatusBadRequest, nothing.Error(), 0
	case errors.Is(err, ErrNotAuthentic):
		return http.StatusUnauthorized, "Not authorized", 0
	case err != nil:
		h.Log.ErrorContext(ctx, "callback not verified", "operation", h.Name, "cause", err)
		return http.StatusServiceUnavailable, "Try again later", 0
	}
	req.Body = payload
	events, err := h.Translate(req)
	if err != nil {
		return http.StatusBadRequest, err.Error(), 0
	}
	var failed []error
	for _, event := range events {
		failed = append(failed, h.Correlator.Publish(ctx, event))
	}
	if err := errors.Join(failed...); err != nil {
		h.Log.ErrorContext(ctx, "callback not kept", "operation", h.Name, "cause", err)
		return http.StatusServiceUnavailable, "Try again later", 0
	}
	return http.StatusOK, "Acknowledged", len(events)
}

// verify reads the credentials again before it refuses a callback: they may have been rotated.
func (h Handler) verify(ctx context.Context, req gateway.Request) (payload []byte, err error) {
	partner, _, _ := strings.Cut(h.Name, "/")
	secret, err := h.Secrets.Partner(ctx, "", partner)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	if payload, err = h.Verify(ctx, secret, req); !errors.Is(err, ErrNotAuthentic) {
		return payload, err
	}
	if secret, err = h.Secrets.RefreshPartner(ctx, "", partner, secret); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return h.Verify(ctx, secret, req)
}
