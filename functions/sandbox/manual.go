package sandbox

import (
	"cmp"
	"context"
	"net/http"
)

// serveManual serves what is done by hand.
func (s *Sandbox) serveManual(sim *Simulator, route Manual) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		body, err := readBody(w, r, maxBody)
		if err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), transactionTimeout)
		defer cancel()
		c := Call{Request: r, Body: body, Now: s.clock.now(), sandbox: s, simulator: sim}
		var out any
		err = s.store.Update(ctx, func(tx Tx) error {
			c.begin(tx)
			out = route.Handle(&c)
			if problem, ok := out.(error); ok {
				return cmp.Or(c.err, problem)
			}
			return c.err
		})
		if err != nil {
			return err
		}
		if c.queued > 0 {
			defer s.sendCallbacks(r.Context())()
		}
		if page, ok := out.(Answer); ok {
			s.deliver(fault{}, page, nil, w, r)
			return nil
		}
		writeJSON(w, http.StatusOK, out)
		return nil
	}
}
