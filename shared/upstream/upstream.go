// Package upstream makes the outgoing calls: every one with a deadline and a capped answer, none repeated below the
// pipeline, and of every failure it tells whether the partner can have seen the request.
package upstream

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// Timeout is how long a partner may take, from the first byte sent to the last one read.
	Timeout = 25 * time.Second
	// MaxBody is how much of an answer is read, in bytes, where the caller doesn't say; a longer one is ErrTooLarge. It
	// fits into a DynamoDB item, which may hold 400 KB.
	MaxBody = 256 << 10

	dialTimeout = 5 * time.Second
	// idleTimeout is short because a frozen Lambda holds sockets that the other side closed long ago.
	idleTimeout = 5 * time.Second
)

// NotSentError: the request never left, so the partner can't have acted on it.
type NotSentError struct{ cause error }

func (e *NotSentError) Error() string { return "upstream: not sent: " + reason(e.cause) }
func (e *NotSentError) Unwrap() error { return e.cause }

// LostError: bytes of the request left and no whole answer came back. The partner may have acted.
type LostError struct{ cause error }

func (e *LostError) Error() string { return "upstream: answer lost: " + reason(e.cause) }
func (e *LostError) Unwrap() error { return e.cause }

// ErrTooLarge is the cause of a LostError whose answer exceeded the limit.
var ErrTooLarge = errors.New("answer exceeds the limit")

// reason names a failure without what net/http puts into its errors: the URL, which may hold ids.
func reason(err error) string {
	var dns *net.DNSError
	var op *net.OpError
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "deadline exceeded"
	case errors.Is(err, ErrTooLarge):
		return ErrTooLarge.Error()
	case errors.As(err, &dns):
		return "host not resolved"
	case errors.As(err, &certificate):
		return "certificate not accepted"
	case errors.As(err, &op):
		return op.Op + " failed"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "connection closed"
	}
	return "transport failed"
}

// Response is a whole answer.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// Client calls partners. It follows no redirects, sends nothing twice that has a body (net/http may repeat a GET whose
// idle connection has died) and speaks HTTP/1.1 only, where one connection carries one request at a time and "was
// anything sent" has an answer.
type Client struct {
	transport http.RoundTripper
	timeout   time.Duration
	now       func() time.Time

	mu   sync.Mutex
	last time.Time
}

// Option changes a Client.
type Option func(*Client)

// WithTimeout replaces Timeout.
func WithTimeout(d time.Duration) Option { return func(c *Client) { c.timeout = d } }

// WithTransport wraps the transport, as the local stack does to refuse connections on demand.
func WithTransport(wrap func(http.RoundTripper) http.RoundTripper) Option {
	return func(c *Client) { c.transport = wrap(c.transport) }
}

// New makes a Client.
func New(opts ...Option) *Client {
	dialer := &net.Dialer{Timeout: dialTimeout}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	c := &Client{
		timeout: Timeout,
		now:     time.Now,
		transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment,
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				conn, err := dialer.DialContext(ctx, network, address)
				if err != nil {
					return nil, err
				}
				return &countingConn{Conn: conn}, nil
			},
			Protocols:              protocols,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout:    dialTimeout,
			IdleConnTimeout:        idleTimeout,
			MaxIdleConnsPerHost:    4,
			MaxResponseHeaderBytes: 64 << 10,
		},
	}
	for _, opt := range opts {
		opt(c)
	}
	return c
}

// Do sends one request, whose body is sent as it stands and at most once, and reads the whole answer. Its errors are
// NotSentError and LostError. The deadline is the earlier of the client's and the context's; limit is how much of the
// answer is read, in bytes, zero for MaxBody.
func (c *Client) Do(ctx context.Context, req *http.Request, body []byte, limit int64) (Response, error) {
	if limit == 0 {
		limit = MaxBody
	}
	c.dropStaleConnections()
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()

	var sent sentTrace
	req = req.Clone(httptrace.WithClientTrace(ctx, sent.trace()))
	// net/http repeats a request on a fresh connection when a reused one turns out to be dead and it takes the request
	// for replayable: a body without GetBody is not, nor is an empty one whose idempotency header it doesn't see.
	req.GetBody, req.ContentLength = nil, int64(len(body))
	req.Body = io.NopCloser(bytes.NewReader(body))
	if len(body) == 0 {
		req.Body = http.NoBody
	}
	for _, name := range []string{"Idempotency-Key", "X-Idempotency-Key"} {
		if values, ok := req.Header[name]; ok {
			delete(req.Header, name)
			req.Header[strings.ToLower(name)] = values
		}
	}

	resp, err := c.transport.RoundTrip(req)
	if err != nil {
		if sent.any() {
			return Response{}, &LostError{err}
		}
		return Response{}, &NotSentError{err}
	}
	defer resp.Body.Close()
	read, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err == nil && int64(len(read)) > limit {
		err = ErrTooLarge
	}
	if err != nil {
		return Response{}, &LostError{err}
	}
	return Response{Status: resp.StatusCode, Header: resp.Header, Body: read}, nil
}

// dropStaleConnections closes idle connections after a pause, by the wall clock: timers stand still while a Lambda is
// frozen, and the first request afterwards would be written to a dead socket.
func (c *Client) dropStaleConnections() {
	now := c.now().Round(0)
	c.mu.Lock()
	stale := now.Sub(c.last) > idleTimeout
	c.last = now
	c.mu.Unlock()
	if t, ok := c.transport.(interface{ CloseIdleConnections() }); ok && stale {
		t.CloseIdleConnections()
	}
}

// sentTrace reports whether any byte of one request was handed to the network.
type sentTrace struct {
	mu     sync.Mutex
	conn   *countingConn
	before int64
	opaque bool
}

func (s *sentTrace) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) {
		conn := info.Conn
		if t, ok := conn.(*tls.Conn); ok {
			conn = t.NetConn()
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if counting, ok := conn.(*countingConn); ok {
			s.conn, s.before = counting, counting.written.Load()
		} else {
			s.opaque = true // not a connection of ours: assume the worst
		}
	}}
}

func (s *sentTrace) any() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opaque || s.conn != nil && s.conn.written.Load() > s.before
}

type countingConn struct {
	net.Conn
	written atomic.Int64
}

// Write counts before it writes: a write that failed half-way has sent something.
func (c *countingConn) Write(b []byte) (int, error) {
	c.written.Add(int64(len(b)))
	return c.Conn.Write(b)
}
