package histories_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"strings"
	"syscall"
	"time"

	"sallyport/functions/sandbox"
	"sallyport/functions/sandbox/sandboxtest"
	"sallyport/shared/ledger"
	ledgerbolt "sallyport/shared/ledger/bolt"
)

// network carries requests to the simulated partners, and loses what faults say. A partner goes on when its client has
// gone.
type network struct{ w *world }

// RoundTrip implements http.RoundTripper.
func (n *network) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, c := req.Context(), callOf(req.Context())
	met, _ := n.w.at(c, send)
	if met.effect == dieBefore {
		die()
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	refuse, err := n.w.sandbox.RefuseConnection(ctx, req)
	must(err)
	if refuse {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	}
	client, server := net.Pipe()
	defer server.Close()
	httptrace.ContextClientTrace(ctx).GotConn(httptrace.GotConnInfo{Conn: client})
	body, err := io.ReadAll(req.Body)
	must(err)
	arrived := req.Clone(ctx)
	arrived.Body, arrived.RequestURI = io.NopCloser(bytes.NewReader(body)), req.URL.RequestURI()
	arrived.Host, arrived.Header = req.URL.Host, http.Header{}
	for name, values := range req.Header {
		arrived.Header[http.CanonicalHeaderKey(name)] = values // as a server reads them
	}
	answered := make(chan *response, 1)
	n.w.begin(func() {
		r := &response{header: http.Header{}, conn: client}
		n.w.sandbox.ServeHTTP(r, arrived)
		answered <- r
	})
	if met.effect == dieAfter {
		die()
	}
	select {
	case r := <-answered:
		return r.received(req)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// response is a partner's answer.
type response struct {
	header http.Header
	status int
	body   bytes.Buffer
	conn   net.Conn
	broken bool
}

func (r *response) Header() http.Header { return r.header }

func (r *response) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
}

func (r *response) Write(b []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	return r.body.Write(b)
}

// Hijack implements http.Hijacker, which faults cut the connection by.
func (r *response) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	r.broken = true
	return r.conn, nil, nil
}

// received is the answer as it arrives.
func (r *response) received(req *http.Request) (*http.Response, error) {
	if r.broken {
		return nil, &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
	}
	resp := &http.Response{
		StatusCode: r.status, Header: r.header, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: req,
		ContentLength: int64(r.body.Len()), Body: io.NopCloser(&r.body),
	}
	if announced, err := strconv.Atoi(r.header.Get("Content-Length")); err == nil && announced > r.body.Len() {
		resp.Body = io.NopCloser(io.MultiReader(&r.body, cutOff{}))
	}
	return resp, nil
}

// cutOff is where a connection ends in the middle of a body.
type cutOff struct{}

func (cutOff) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// store keeps the partners' state, and notes the records that requests make.
type store struct {
	sandboxtest.Memory
	w *world
}

// Update implements sandbox.Store.
func (s *store) Update(ctx context.Context, fn func(sandbox.Tx) error) error {
	c := callOf(ctx)
	s.w.at(c, act)
	var made []effect
	err := s.Memory.Update(context.WithoutCancel(ctx), func(tx sandbox.Tx) error {
		made = nil
		return fn(watched{tx, s.w, &made})
	})
	if err == nil {
		s.w.note(c, made)
	}
	return err
}

// note notes the records that are new.
func (w *world) note(c *call, made []effect) {
	for _, e := range made {
		w.mu.Lock()
		_, known := w.known[e.partner+e.id]
		w.mu.Unlock()
		if known || c == nil {
			continue
		}
		e.at, e.by = w.tick(), c
		w.mu.Lock()
		w.known[e.partner+e.id] = struct{}{}
		w.took = append(w.took, e)
		w.mu.Unlock()
	}
}

// disarm takes back the faults that nothing has met.
func (w *world) disarm() {
	must(w.store.Memory.Update(context.Background(), func(tx sandbox.Tx) error {
		items, err := tx.List("faults/")
		must(err)
		for _, item := range items {
			must(tx.Delete(item.Key))
		}
		return nil
	}))
}

// watched is a transaction whose records are read as they are written.
type watched struct {
	sandbox.Tx
	w    *world
	made *[]effect
}

func (tx watched) Put(key string, value []byte) error {
	var record struct {
		ID          json.RawMessage
		Name        string
		Transaction string
		Addresses   []struct {
			ID    int64
			Line1 string
		}
	}
	partner, _, _ := strings.Cut(key, "/")
	switch execution, ok := strings.CutPrefix(key, "equal/execution/"); {
	case ok:
		must(json.Unmarshal(value, &record))
		*tx.made = append(*tx.made, effect{
			partner: partner, id: execution, mark: tx.w.openedFor(record.Transaction), parent: record.Transaction,
		})
	case partner == "iron" && strings.Contains(key, "/customer/"):
		must(json.Unmarshal(value, &record))
		*tx.made = append(*tx.made, effect{
			partner: partner, id: strings.Trim(string(record.ID), `"`), mark: record.Name,
		})
	case strings.HasPrefix(key, "mbanq/client/"):
		must(json.Unmarshal(value, &record))
		for _, a := range record.Addresses {
			*tx.made = append(*tx.made, effect{
				partner: partner, id: fmt.Sprint(a.ID), mark: a.Line1, parent: string(record.ID),
			})
		}
	}
	return tx.Tx.Put(key, value)
}

// openedFor is the mark of the requests that name a transaction of Equal's.
func (w *world) openedFor(transaction string) string {
	for mark, id := range w.opened {
		if id == transaction {
			return mark
		}
	}
	return ""
}

// troubled is the ledger, with what goes wrong between it and the pipeline.
type troubled struct {
	*ledgerbolt.Ledger
	w *world
}

var errDown = errors.New("histories: the ledger is down")

func (l *troubled) Claim(ctx context.Context, t ledger.Transaction) (ledger.Transaction, error) {
	return l.write(ctx, claim, func(ctx context.Context) (ledger.Transaction, error) { return l.Ledger.Claim(ctx, t) })
}

func (l *troubled) TakeOver(ctx context.Context, t ledger.Transaction, from string) (ledger.Transaction, error) {
	return l.write(ctx, takeOver, func(ctx context.Context) (ledger.Transaction, error) {
		return l.Ledger.TakeOver(ctx, t, from)
	})
}

func (l *troubled) Complete(ctx context.Context, t ledger.Transaction) (ledger.Transaction, error) {
	return l.write(ctx, complete, func(ctx context.Context) (ledger.Transaction, error) {
		return l.Ledger.Complete(ctx, t)
	})
}

func (l *troubled) Owner(ctx context.Context, record string) (ledger.Owner, error) {
	if met, _ := l.w.at(callOf(ctx), owner); met.effect == failBefore {
		return ledger.Owner{}, errDown
	}
	return l.Ledger.Owner(ctx, record)
}

// write makes a write. One that was held arrives although its sender may have given it up.
func (l *troubled) write(
	ctx context.Context, point string, write func(context.Context) (ledger.Transaction, error),
) (ledger.Transaction, error) {
	c := callOf(ctx)
	met, held := l.w.at(c, point)
	if held {
		ctx = context.WithoutCancel(ctx)
	}
	switch met.effect {
	case dieBefore:
		die()
	case failBefore:
		return ledger.Transaction{}, errDown
	}
	t, err := write(ctx)
	switch met.effect {
	case dieAfter:
		die()
	case failAfter:
		return ledger.Transaction{}, errDown
	case twice:
		return write(ctx)
	case copied:
		l.w.begin(func() {
			time.Sleep(met.length) // virtual
			l.w.choose(c, "copy")
			_, _ = write(context.WithoutCancel(ctx))
		})
	}
	return t, err
}
