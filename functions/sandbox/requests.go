package sandbox

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// Request is one row of the log: a request that reached an operation, or a callback that was sent, with what the
// gateway answered it and whether that acknowledged it. It holds nothing of what was in the request.
type Request struct {
	Partner   string    `json:"partner"`
	Operation string    `json:"operation"`
	At        time.Time `json:"at"`     // of arrival, real, UTC
	Status    int       `json:"status"` // HTTP status of the answer; 0 where there was none
	Effect    bool      `json:"effect"` // whether it changed something at the partner
}

const requestsPrefix = "requests/"

// arrival is when a request came and its place in the log.
type arrival struct {
	at         time.Time
	key        string
	generation int // how many resets came before
}

// arrive gives a request its place in the log. Places of one process never collide and keep their order even where the
// clock stands still; those of several processes are ordered by their clocks.
func (s *Sandbox) arrive() arrival {
	now := s.clock.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stamp = max(s.stamp+1, now.UnixNano())
	return arrival{at: now, key: fmt.Sprintf("%s%020d-%s", requestsPrefix, s.stamp, s.instance), generation: s.generation}
}

// record writes a request's row. It belongs into the transaction that has the effect, so that the log can't lie.
func record(tx Tx, partner, operation string, a arrival, status int, effect bool) error {
	return save(tx, a.key, Request{
		Partner: partner, Operation: operation, At: a.at.UTC(), Status: status, Effect: effect,
	})
}

// requests answers GET /sandbox/requests?partner=&operation= with the rows that match, in order of arrival.
func (s *Sandbox) requests(w http.ResponseWriter, r *http.Request) error {
	partner, operation, err := s.requestsQuery(r.URL.RawQuery)
	if err != nil {
		return err
	}
	rows := []Request{}
	err = s.store.View(r.Context(), func(tx Tx) error {
		return list(tx, requestsPrefix, func(_ string, row Request) {
			if (partner == "" || row.Partner == partner) && (operation == "" || row.Operation == operation) {
				rows = append(rows, row)
			}
		})
	})
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, rows)
	return nil
}

func (s *Sandbox) requestsQuery(raw string) (partner, operation string, err error) {
	query, err := url.ParseQuery(raw)
	if err != nil {
		return "", "", badParameter("", "the query can't be parsed")
	}
	for name, values := range query {
		switch {
		case name != "partner" && name != "operation":
			return "", "", badParameter(name, "is not known", "partner", "operation")
		case len(values) > 1:
			return "", "", badParameter(name, "is given twice")
		}
	}
	partner, operation = query.Get("partner"), query.Get("operation")
	among := s.opts.Simulators
	if partner != "" {
		p := find(s.opts.Simulators, partner)
		if p == nil {
			return "", "", UnprocessableParameter("partner", "is not a simulated partner", partnerNames(s.opts.Simulators)...)
		}
		among = []Simulator{*p}
	}
	if names := operationNames(among...); operation != "" && !slices.Contains(names, operation) {
		return "", "", UnprocessableParameter("operation", "is not an operation", names...)
	}
	return partner, operation, nil
}
