package journeys

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json"

	"sallyport/shared/gateway"
	"sallyport/shared/ledger"
)

const (
	defaultLimit = 20
	maxLimit     = 100
)

var statuses = []ledger.JourneyStatus{ledger.JourneyRunning, ledger.JourneyWaiting, ledger.JourneySucceeded, ledger.JourneyRejected,
	ledger.JourneyReview, ledger.JourneyFailed, ledger.JourneyExpired, ledger.JourneyCancelled}

// List serves GET /journeys?type=&status=&limit=&cursor=, the newest first, without steps and outcomes.
func (s *Service) List() gateway.Route {
	return s.route(func(ctx context.Context, caller ledger.Caller, req gateway.Request) (gateway.Reply, error) {
		query, err := parseQuery(caller.Tenant, req.Query)
		if err != nil {
			return gateway.Reply{}, err
		}
		page, err := s.Ledger.Journeys(ctx, query)
		if errors.Is(err, ledger.ErrBadCursor) {
			return gateway.Reply{}, &gateway.InputError{Pointer: "cursor", Reason: "was not made by this query"}
		}
		if err != nil {
			return gateway.Reply{}, err
		}
		views := make([]view, len(page.Journeys))
		for i, j := range page.Journeys {
			views[i] = newView(j)
		}
		body, err := json.Marshal(struct {
			Journeys []view `json:"journeys"`
			Next     string `json:"next,omitzero"` // cursor of the next page
		}{views, page.Next}, json.Deterministic(true))
		return gateway.JSON(http.StatusOK, body), err
	})
}

func parseQuery(tenant string, params map[string]string) (ledger.JourneyQuery, error) {
	q := ledger.JourneyQuery{Tenant: tenant, Limit: defaultLimit}
	for name, value := range params {
		switch name {
		case "type":
			q.Type = value
		case "cursor":
			q.Cursor = value
		case "status":
			q.Status = ledger.JourneyStatus(value)
			if !slices.Contains(statuses, q.Status) {
				return q, &gateway.InputError{Pointer: name, Reason: "is not a status of a journey"}
			}
		case "limit":
			limit, err := strconv.Atoi(value)
			if err != nil || limit < 1 || limit > maxLimit {
				return q, &gateway.InputError{Pointer: name, Reason: "must be a number from 1 to 100"}
			}
			q.Limit = limit
		default:
			return q, &gateway.InputError{Reason: "a query parameter is not known: type, status, limit and cursor are"}
		}
	}
	return q, nil
}
