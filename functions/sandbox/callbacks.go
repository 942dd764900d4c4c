package sandbox

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
)

// CallbackOptions say how the simulated partners reach the gateway.
type CallbackOptions struct {
	// BaseURL returns where the gateway is reached, without a slash at the end. It is asked at each delivery. nil:
	// callbacks are kept unsent.
	BaseURL func(context.Context) (string, error)
	// Client sends them, each within 10 s; nil for one that follows no redirects and keeps no connections.
	Client *http.Client
}

// GatewayURL is a CallbackOptions.BaseURL that reads it from a document {"gateway_url":"…"}.
func GatewayURL(document func(context.Context) ([]byte, error)) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		text, err := document(ctx)
		if err != nil {
			return "", err
		}
		var settings struct {
			GatewayURL string `json:"gateway_url"`
		}
		if err := json.Unmarshal(text, &settings); err != nil {
			return "", errors.New("sandbox: the document with the gateway's URL is not JSON")
		}
		return settings.GatewayURL, nil
	}
}

// callback is one that waits in the store to be sent. It stays under its key until it is done with, so that a reset
// that comes meanwhile finds it.
type callback struct {
	Partner string `json:"partner"`
	// under the gateway's base URL, with a query where there is one; a key may be in it, so it is never logged
	Path    string    `json:"path"`
	Body    []byte    `json:"body"`
	Ref     string    `json:"ref,omitzero"`     // what it is about, in the partner's own terms; see callbacks.void
	Due     time.Time `json:"due"`              // real, as all times here
	Tries   int       `json:"tries,omitzero"`   // begun
	Forge   bool      `json:"forge,omitzero"`   // send it once with wrong credentials
	Claim   string    `json:"claim,omitzero"`   // of who is sending it
	Claimed time.Time `json:"claimed,omitzero"` // until when; later the sender is taken for dead

	key string
}

// ready returns when the callback can be sent.
func (b callback) ready() time.Time {
	if b.Claimed.After(b.Due) {
		return b.Claimed
	}
	return b.Due
}

const callbacksPrefix = "callbacks/"

// Bounds of a delivery, in real time: how long one try may take, how long it stays claimed by who began it, the pause
// after trouble of our own; how much of an answer is read, in bytes.
const (
	sendTimeout   = 10 * time.Second
	claimLifetime = time.Minute
	deliveryPause = 5 * time.Second
	maxAnswer     = 64 << 10
)

// lateCallback is how late the fault "late_callback" makes one, in sandbox time.
const lateCallback = 90 * time.Minute

// CallBack has a callback sent once the transaction is through, in the way that an armed fault says.
func (c *Call) CallBack(path string, body []byte) { c.CallBackAt(c.Now, path, body) }

// CallBackAt has one sent that tells of a time to come.
func (c *Call) CallBackAt(due time.Time, path string, body []byte) {
	c.CallBackAbout("", due, path, body)
}

// CallBackAbout has one sent unless what ref stands for is called off before. Those of one transaction that are due at
// the same time go out in the order in which they were queued.
func (c *Call) CallBackAbout(ref string, due time.Time, path string, body []byte) {
	var f fault
	c.do(func() (err error) {
		f, err = take(c.tx, c.simulator.Name, c.simulator.Callbacks.Name, func(f fault) bool { return f.NeedsCallbacks })
		return err
	})
	times, b := 1, callback{Partner: c.simulator.Name, Path: path, Body: body, Ref: ref, Due: due.UTC()}
	switch f.Name {
	case "duplicate_callback":
		times = 2
	case "late_callback":
		b.Due = b.Due.Add(c.Real(lateCallback))
	case "forged_callback":
		b.Forge = true
		if forge := c.simulator.Callbacks.Forge; forge != nil {
			b.Body = forge(c, body)
		}
	}
	for range times {
		key := fmt.Sprintf("%s%020d-%03d-%s", callbacksPrefix, c.Now.UnixNano(), c.queued, rand.Text())
		c.Save(key, b)
		c.queued++
	}
}

// sendCallbacks is for a request whose transaction has queued callbacks. Where connections are the sandbox's own it
// wakes what sends them, and what it returns does nothing; behind API Gateway nothing runs between requests, so what it
// returns, for the end of the request, sends them.
func (s *Sandbox) sendCallbacks(ctx context.Context) func() {
	if s.opts.Hijackable {
		select {
		case s.nudge <- struct{}{}:
		default: // it will look anyway
		}
		return func() {}
	}
	return func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), transactionTimeout)
		defer cancel()
		if err := s.DeliverDue(ctx); err != nil {
			s.opts.Log.LogAttrs(ctx, slog.LevelError, "sandbox callbacks failed", slog.Any("error", err))
		}
	}
}

// deliverCallbacks sends callbacks as they become due, until ctx is done.
func (s *Sandbox) deliverCallbacks(ctx context.Context) {
	for ctx.Err() == nil {
		pause, err := s.untilDue(ctx)
		if pause <= 0 && err == nil {
			if err = s.DeliverDue(ctx); err == nil {
				continue
			}
		}
		if err != nil && ctx.Err() == nil {
			s.opts.Log.LogAttrs(ctx, slog.LevelError, "sandbox callbacks failed", slog.Any("error", err))
			pause = deliveryPause
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-s.nudge:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

// untilDue returns how long it is until the next callback can be sent, or an hour.
func (s *Sandbox) untilDue(ctx context.Context) (time.Duration, error) {
	queue, err := s.queue(ctx)
	if err != nil || len(queue) == 0 {
		return time.Hour, err
	}
	return queue[0].ready().Sub(s.clock.now()), nil
}

// queue returns the callbacks that wait, in the order in which they can be sent.
func (s *Sandbox) queue(ctx context.Context) ([]callback, error) {
	var queue []callback
	err := s.store.View(ctx, func(tx Tx) error {
		queue = nil
		return list(tx, callbacksPrefix, func(key string, b callback) {
			b.key = key
			queue = append(queue, b)
		})
	})
	slices.SortStableFunc(queue, func(a, b callback) int { return a.ready().Compare(b.ready()) })
	return queue, err
}

// DeliverDue sends the callbacks that are due, one after the other, until ctx is done. Each is claimed first, so that
// two processes don't both send it; a process that dies over one leaves it to be sent again a minute later. An error
// means that the store failed or that the gateway's base URL is not to be had; what was not sent stays.
func (s *Sandbox) DeliverDue(ctx context.Context) error {
	if s.opts.Callbacks.BaseURL == nil || !s.begin() {
		return nil
	}
	defer s.running.Done()
	queue, err := s.queue(ctx)
	if err != nil {
		return err
	}
	queue = slices.DeleteFunc(queue, func(b callback) bool { return b.ready().After(s.clock.now()) })
	if len(queue) == 0 {
		return nil
	}
	base, err := s.opts.Callbacks.BaseURL(ctx)
	if err != nil {
		return fmt.Errorf("sandbox: base URL of the gateway: %w", err)
	}
	if base == "" {
		return errors.New("sandbox: base URL of the gateway is not known")
	}
	for _, b := range queue {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := s.deliverCallback(ctx, base, b.key); err != nil {
			return err
		}
	}
	return nil
}

// deliverCallback claims the callback under a key, sends it and keeps what became of it, unless it is gone or
// another's.
func (s *Sandbox) deliverCallback(ctx context.Context, base, key string) error {
	sent := s.arrive()

	// Claim.
	var b callback
	var sim *Simulator
	var header http.Header
	err := s.store.Update(ctx, func(tx Tx) error {
		b, sim, header = callback{}, nil, http.Header{"Content-Type": {"application/json"}}
		found, err := load(tx, key, &b)
		if err != nil || !found || b.ready().After(sent.at) || s.forgotten(sent.generation) {
			return err
		}
		if sim = find(s.opts.Simulators, b.Partner); sim == nil || sim.Callbacks == nil {
			return tx.Delete(key) // of a partner that is simulated no more
		}
		c := &Call{tx: tx, Now: sent.at, sandbox: s, simulator: sim}
		if b.Ref != "" && sim.Callbacks.Void != nil {
			if sim.Callbacks.Void(c, b.Ref) && c.err == nil {
				sim = nil
				return tx.Delete(key)
			}
		}
		b.Tries, b.Claim, b.Claimed = b.Tries+1, rand.Text(), sent.at.UTC().Add(claimLifetime)
		c.Save(key, b)
		sim.Callbacks.Sign(c, header, b.Body, b.Forge)
		return c.err
	})
	if err != nil || sim == nil || sim.Callbacks == nil {
		return err
	}

	// Send.
	status, answer, err := s.post(ctx, base+b.Path, header, b.Body)
	acknowledged := err == nil && status/100 == 2
	final := acknowledged
	if err == nil && sim.Callbacks.Taken != nil {
		acknowledged, final = sim.Callbacks.Taken(status, answer)
	}
	final = final || b.Forge || b.Tries > len(sim.Callbacks.Schedule)

	// Keep what became of it, though ctx may be done by now.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), transactionTimeout)
	defer cancel()
	s.opts.Log.LogAttrs(ctx, slog.LevelInfo, "sandbox callback", slog.String("partner", sim.Name),
		slog.String("operation", sim.Callbacks.Name), slog.Int("status", status), slog.Bool("effect", acknowledged))
	return s.store.Update(ctx, func(tx Tx) error {
		var now callback
		if found, err := load(tx, key, &now); err != nil || !found || now.Claim != b.Claim || s.forgotten(sent.generation) {
			return err
		}
		if err := record(tx, sim.Name, sim.Callbacks.Name, sent, status, acknowledged); err != nil {
			return err
		}
		if final {
			return tx.Delete(key)
		}
		pause := s.clock.real(sim.Callbacks.Schedule[b.Tries-1])
		now.Due, now.Claim, now.Claimed = s.clock.now().UTC().Add(pause), "", time.Time{}
		return save(tx, key, now)
	})
}

// post returns the status and the body of the gateway's answer. An error means that it didn't come, or not whole.
func (s *Sandbox) post(ctx context.Context, url string, header http.Header, body []byte) (int, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	r.Header = header
	resp, err := s.opts.Callbacks.Client.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	return resp.StatusCode, answer, err
}

// newCallbackClient returns a client that sends a callback once: it follows nothing, and a connection that died
// unnoticed while a function was frozen is never used.
func newCallbackClient() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DisableKeepAlives = true
	return &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
