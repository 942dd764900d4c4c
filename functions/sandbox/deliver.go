package sandbox

import (
	"cmp"
	"context"
	"maps"
	"net"
	"net/http"
	"strconv"
	"time"
)

// maxHold is the longest that a connection is held without an answer, in real time.
const maxHold = 60 * time.Second

// deliver sends an answer, or does to the connection what the fault says; late is what a late_effect has still to do.
func (s *Sandbox) deliver(f fault, out Answer, late func(), w http.ResponseWriter, r *http.Request) {
	maps.Copy(w.Header(), out.Header)
	media := cmp.Or(out.Media, "application/json")
	switch f.deliver {
	case delay:
		s.wait(r.Context(), s.clock.real(slowAnswer))
		write(w, out.Status, media, out.Body)
	case hold:
		s.wait(r.Context(), maxHold)
		if f.timing == effectLate {
			s.wait(context.Background(), s.clock.real(lateEffect))
			late()
		}
		cut(w, false)
	case reset:
		cut(w, true)
	case truncate:
		// The server closes the connection when a handler wrote less than it announced.
		w.Header().Set("Content-Length", strconv.Itoa(len(out.Body)))
		write(w, out.Status, media, out.Body[:len(out.Body)/2])
	default:
		write(w, out.Status, media, out.Body)
	}
}

// wait returns after d, or when ctx is done (the client has gone), or when the sandbox closes.
func (s *Sandbox) wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	case <-s.done:
	}
}

// cut closes a connection without an answer, by a TCP reset if asked. Where the connection can't be taken over
// (HTTP/2) the server is told to abort, which is a reset of the stream.
func cut(w http.ResponseWriter, reset bool) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer conn.Close()
	inner := conn
	if t, ok := inner.(interface{ NetConn() net.Conn }); ok {
		inner = t.NetConn()
	}
	if t, ok := inner.(interface{ SetLinger(int) error }); ok && reset {
		_ = t.SetLinger(0) // discard what is unsent and reset instead of an orderly end
	}
	if reset {
		inner.Close() // before TLS could say goodbye
	}
}
