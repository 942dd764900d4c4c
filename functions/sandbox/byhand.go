package sandbox

import (
	"context"
	"net/http"
)

// byHand is a route for what a partner's staff or a person would do. It needs no key and is not in the log of requests.
type byHand struct {
	method, path string // served under /sandbox/<partner>

	// handle does it inside a transaction, as an operation's handle does. Its result is shown as JSON, an answer as it is, a
	// problem that it returns as that.
	handle func(c *call) (any, error)
}

// doneByHand serves such a route.
func (s *Sandbox) doneByHand(sim *simulator, route byHand) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		body, err := readBody(w, r, maxBody)
		if err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), transactionTimeout)
		defer cancel()
		c := call{request: r, body: body, now: s.clock.now(), clock: s.clock, simulator: sim}
		var out any
		err = s.store.Update(ctx, func(tx Tx) (err error) {
			c.Tx, c.queued = tx, 0
			out, err = route.handle(&c)
			return err
		})
		if err != nil {
			return err
		}
		if c.queued > 0 {
			defer s.sendCallbacks(r.Context())()
		}
		if page, ok := out.(answer); ok {
			s.deliver(fault{}, page, nil, w, r)
			return nil
		}
		writeJSON(w, http.StatusOK, out)
		return nil
	}
}
