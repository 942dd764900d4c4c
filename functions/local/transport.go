package main

import (
	"net"
	"net/http"

	"sallyport/functions/sandbox"
)

// partnersTransport leads calls of the simulated partners to the server that is theirs alone: it ends after the calls
// under way, while the one that callers reach ends first.
type partnersTransport struct {
	next    http.RoundTripper
	address string
}

// RoundTrip implements http.RoundTripper.
func (p partnersTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.URL.Host = p.address // the header Host stays
	return p.next.RoundTrip(req)
}

// CloseIdleConnections passes the request on to the transport.
func (p partnersTransport) CloseIdleConnections() { closeIdle(p.next) }

// refuseTransport gives the fault "refuse_connection" its effect, which no server can have: by the time that a request
// names its operation, the connection stands. So the refusal is fetched before, from a port that nobody listens on.
type refuseTransport struct {
	next    http.RoundTripper
	sandbox *sandbox.Sandbox
}

// RoundTrip implements http.RoundTripper.
func (r refuseTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	refuse, err := r.sandbox.RefuseConnection(req.Context(), req)
	if err != nil {
		return nil, err
	}
	if !refuse {
		return r.next.RoundTrip(req)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		return nil, err
	}
	conn, err := (&net.Dialer{}).DialContext(req.Context(), "tcp", address)
	if err == nil {
		_ = conn.Close()
		return r.next.RoundTrip(req) // somebody took the port meanwhile
	}
	return nil, err
}

// CloseIdleConnections passes the request on to the transport.
func (r refuseTransport) CloseIdleConnections() { closeIdle(r.next) }

func closeIdle(transport http.RoundTripper) {
	if next, ok := transport.(interface{ CloseIdleConnections() }); ok {
		next.CloseIdleConnections()
	}
}
