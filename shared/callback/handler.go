package callback

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"sallyport/shared/gateway"
	"sallyport/shared/ledger"
	"sallyport/shared/secrets"
	"sallyport/shared/telemetry"
)

// maxBody is of a callback, in bytes.
const maxBody = 64 << 10

// Receiver is what a partner's callbacks look like.
type Receiver struct {
	Name string // the folder of its function, "<partner>/callback"

	// Authentic checks how a callback proves where it comes from, in constant time; secret is the deployment's credentials
	// document for the partner. An error is that it can't be told for now, so that the partner repeats it; a *gateway.InputError
	// is that there is nothing to check.
	Authentic func(ctx context.Context, secret []byte, req gateway.Request) (bool, error)

	// Open returns what an authentic callback says whose body only wraps it; nil where bodies say it themselves.
	Open func(secret []byte, req gateway.Request) []byte

	// Read takes the news from an authentic callback, one for each name that the record which it is about goes by; where there is
	// none, it is acknowledged. Its errors are for the partner and hold no values.
	Read func(req gateway.Request) ([]News, error)

	// Reply words an answer in the partner's way; 200 acknowledges.
	Reply func(status int, message string) gateway.Reply
}

// Handler takes a partner's callbacks. It is a lambda.Handler for API Gateway events: size → sender → news → kept. What is
// not kept is not acknowledged, so that the partner repeats it; but what there is no place for is, as it would be repeated in vain.
type Handler struct {
	Receiver
	Exchange *Exchange
	Secrets  *secrets.Cache
	Log      *slog.Logger
	Metrics  *telemetry.Metrics
	Now      func() time.Time
}

// Invoke implements lambda.Handler.
func (h Handler) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	started := h.Now()
	req, err := gateway.ParseEvent(payload)
	if err == gateway.ErrNotEvent {
		return nil, err
	}
	status, message := http.StatusBadRequest, "The body is not valid"
	if err == nil {
		status, message = h.take(ctx, req)
	}
	h.Log.InfoContext(ctx, "callback", "request_id", req.ID, "operation", h.Name, "status", status)
	h.Metrics.Call(h.Name, http.StatusText(status), "", h.Now().Sub(started))
	return h.Reply(status, message).With("X-Request-Id", req.ID).Event(), nil
}

func (h Handler) take(ctx context.Context, req gateway.Request) (status int, message string) {
	defer func() {
		if recover() != nil { // the value may hold what was sent
			h.Log.ErrorContext(ctx, "panic in callback", "operation", h.Name)
			status, message = http.StatusInternalServerError, "Something went wrong"
		}
	}()
	if req.TooLarge(maxBody) {
		return http.StatusRequestEntityTooLarge, "The body is too large"
	}
	var nothing *gateway.InputError
	switch secret, known, err := h.authentic(ctx, req); {
	case errors.As(err, &nothing):
		return http.StatusBadRequest, nothing.Error()
	case err != nil:
		h.Log.ErrorContext(ctx, "callback not checked", "operation", h.Name, "cause", err)
		return http.StatusServiceUnavailable, "Try again later"
	case !known:
		return http.StatusUnauthorized, "Not authorized"
	case h.Open != nil:
		req.Body = h.Open(secret, req)
	}
	news, err := h.Read(req)
	if err != nil {
		return http.StatusBadRequest, err.Error()
	}
	var failed []error
	for _, n := range news {
		failed = append(failed, h.tell(ctx, n))
	}
	if err := errors.Join(failed...); err != nil {
		h.Log.ErrorContext(ctx, "callback not kept", "operation", h.Name, "cause", err)
		return http.StatusServiceUnavailable, "Try again later"
	}
	return http.StatusOK, "Acknowledged"
}

// tell lets go of what a full record has no place for: it won't have one for a repeat either, and news is a hint only.
func (h Handler) tell(ctx context.Context, news News) error {
	err := h.Exchange.Tell(ctx, news)
	if errors.Is(err, ledger.ErrFull) {
		h.Log.WarnContext(ctx, "too much is told of one record", "operation", h.Name, "code", "correlation_full")
		return nil
	}
	return err
}

// authentic also returns the credentials that it went by. It reads them again before a callback is refused: they may have been
// rotated.
func (h Handler) authentic(ctx context.Context, req gateway.Request) (secret []byte, known bool, err error) {
	partner, _, _ := strings.Cut(h.Name, "/")
	if secret, err = h.Secrets.Partner(ctx, "", partner); err != nil {
		return nil, false, err
	}
	if known, err = h.Authentic(ctx, secret, req); known || err != nil {
		return secret, known, err
	}
	if secret, err = h.Secrets.RefreshPartner(ctx, "", partner, secret); err != nil {
		return nil, false, err
	}
	known, err = h.Authentic(ctx, secret, req)
	return secret, known, err
}
