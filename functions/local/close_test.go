package main_test

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	main "sallyport/functions/local"
)

// gate holds calls of partners: one half before they are sent, the other half before their answer is handed over.
type gate struct {
	next    http.RoundTripper
	arrived chan struct{}
	open    chan struct{}
	after   *bool // whether the next one is sent at once; guarded by mu
	mu      *sync.Mutex
}

func (g gate) RoundTrip(req *http.Request) (*http.Response, error) {
	g.mu.Lock()
	after := *g.after
	*g.after = !after
	g.mu.Unlock()
	if !after {
		g.arrived <- struct{}{}
		<-g.open
		return g.next.RoundTrip(req)
	}
	resp, err := g.next.RoundTrip(req)
	g.arrived <- struct{}{}
	<-g.open
	return resp, err
}

// TestCloseLosesNothing ends the stack over calls that partners hold, of callers and of journeys: each gets its true
// answer, nothing is made twice, and nothing stays unknown.
func TestCloseLosesNothing(t *testing.T) {
	t.Parallel()
	const calls, journeys = 8, 4
	g := gate{
		arrived: make(chan struct{}, 100), open: make(chan struct{}), after: new(bool), mu: &sync.Mutex{},
	}
	s := MustRun(t, func(m *main.Main) {
		m.WrapTransport = func(next http.RoundTripper) http.RoundTripper { g.next = next; return g }
	})
	call := func(on *stack, i int) (reply, error) {
		header := http.Header{"Idempotency-Key": {fmt.Sprint("call-", i)}}
		return on.try("POST", initURL, header, `{"gateway_instance_id":"`+instance+`"}`)
	}
	answers := make([]reply, calls)
	var under sync.WaitGroup
	for i := range calls {
		under.Go(func() {
			var err error
			if answers[i], err = call(s, i); err != nil {
				t.Error(err)
			}
		})
	}
	var ids []string
	for i := range journeys {
		ids = append(ids, s.startJourney(fmt.Sprint("journey-", i), happy))
	}
	for range calls + journeys {
		<-g.arrived
	}
	ended := make(chan error)
	go func() { ended <- s.Close() }()
	waitFor(t, func() bool { // no more requests are taken
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.URL, "http://"))
		if err == nil {
			conn.Close()
		}
		return err != nil
	})
	close(g.open)
	under.Wait()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	again := MustRun(t, func(m *main.Main) { m.Dir = s.Dir })
	for i, got := range answers {
		repeated, err := call(again, i)
		if got.status != 200 || err != nil || repeated.body != got.body ||
			repeated.header.Get("Idempotency-Replayed") != "true" {
			t.Errorf("call %d was answered %+v, and then %+v, %v", i, got, repeated, err)
		}
	}
	for _, id := range ids {
		if view := again.follow(id, waiting); view.Status != "WAITING" || view.Reason != "" {
			t.Errorf("journey %+v", view)
		}
	}
	if n := again.effects("init-transaction"); n != calls+journeys {
		t.Errorf("%d transactions were opened, want %d", n, calls+journeys)
	}
}
