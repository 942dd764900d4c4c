package main

import (
	"net"
	"net/http"

	"sallyport/functions/sandbox"
)

// refuseTransport gives the fault "refuse_connection" its effect, which no server can have: by the time that a request
// names its operation, the connection stands. So the refusal is fetched before, from a port that nobody listens on.
type refuseTransport struct {
	next    http.RoundTripper
	sandbox *sandbox.Sandbox
}

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
func (r refuseTransport) CloseIdleConnections() {
	if next, ok := r.next.(interface{ CloseIdleConnections() }); ok {
		next.CloseIdleConnections()
	}
}
