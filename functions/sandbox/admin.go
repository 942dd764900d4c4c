package sandbox

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
)

// admin wraps a route that needs a caller's key.
func (s *Sandbox) admin(handle func(http.ResponseWriter, *http.Request) error) http.Handler {
	answered := s.answered(handle)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.opts.Authenticate(r) != nil {
			w.Header().Set("WWW-Authenticate", "Bearer")
			writeProblem(w, NewProblem(http.StatusUnauthorized, "a caller's key is required"))
			return
		}
		answered.ServeHTTP(w, r)
	})
}

// answered wraps a route whose errors are answered as problems.
func (s *Sandbox) answered(handle func(http.ResponseWriter, *http.Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := handle(w, r)
		var p *Problem
		switch {
		case err == nil:
		case errors.As(err, &p):
			writeProblem(w, p)
		default:
			s.opts.Log.LogAttrs(r.Context(), slog.LevelError, "sandbox store failed", slog.Any("error", err))
			writeProblem(w, NewProblem(http.StatusInternalServerError, "the sandbox's own store failed"))
		}
	})
}

// armFault answers POST /sandbox/faults {"partner","operation","fault","times"} with the faults that are now armed for
// the operation, in the order in which they will apply.
func (s *Sandbox) armFault(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Partner   string `json:"partner"`
		Operation string `json:"operation"`
		Fault     string `json:"fault"`
		Times     *int   `json:"times"`
	}
	if err := decodeStrict(w, r, &in, "partner", "operation", "fault", "times"); err != nil {
		return err
	}
	if err := Applicable(s.opts.Simulators, in.Partner, in.Operation, in.Fault); err != nil {
		return err
	}
	if f, _ := faultNamed(in.Fault); f.NeedsHijacking && !s.opts.Hijackable {
		return Unprocessable(
			"/fault", in.Fault+" needs a connection of the sandbox's own, which it doesn't have behind API Gateway",
		)
	}
	times := 1
	if in.Times != nil {
		times = *in.Times
	}
	if times < 1 || times > maxTimes {
		return Unprocessable("/times", "is out of range", fmt.Sprintf("1 to %d", maxTimes))
	}

	out := struct {
		Partner   string  `json:"partner"`
		Operation string  `json:"operation"`
		Armed     []armed `json:"armed"`
	}{Partner: in.Partner, Operation: in.Operation}
	err := s.store.Update(r.Context(), func(tx Tx) (err error) {
		out.Armed, err = arm(tx, in.Partner, in.Operation, armed{Fault: in.Fault, Times: times})
		return err
	})
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, out)
	return nil
}

// reset answers POST /sandbox/reset: records, log, armed faults, settings, queued callbacks and throttling are as on
// the first day, and what a late_effect had still to do is dropped. The body is empty or {}.
func (s *Sandbox) reset(w http.ResponseWriter, r *http.Request) error {
	body, err := readBody(w, r, maxBody)
	if err != nil {
		return err
	}
	if b := string(bytes.TrimSpace(body)); b != "" && b != "{}" {
		return badRequest("", "the body must be empty or {}")
	}
	s.mu.Lock()
	s.generation++
	s.mu.Unlock()
	if err := s.store.Clear(r.Context()); err != nil {
		return err
	}
	for _, l := range s.limiters {
		l.forget()
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
