package journeys

import (
	"context"
	"net/http"

	"github.com/go-json-experiment/json"

	"sallyport/shared/gateway"
	"sallyport/shared/ledger"
)

var filters = map[string][]string{
	"type": nil,
	"status": {string(ledger.JourneyRunning), string(ledger.JourneyWaiting), string(ledger.JourneySucceeded),
		string(ledger.JourneyRejected),
		string(ledger.JourneyReview), string(ledger.JourneyFailed), string(ledger.JourneyExpired),
		string(ledger.JourneyCancelled)},
}

// List serves GET /journeys?type=&status=&limit=&cursor=, the newest first, without steps and outcomes.
func (s *Service) List() gateway.Route {
	return s.route(func(ctx context.Context, caller ledger.Caller, req gateway.Request) (gateway.Reply, error) {
		q, err := gateway.ParseListing(req.Query, filters)
		if err != nil {
			return gateway.Reply{}, err
		}
		page, err := s.Ledger.Journeys(ctx, ledger.JourneyQuery{
			Tenant: caller.Tenant, Type: q.Filters["type"], Status: ledger.JourneyStatus(q.Filters["status"]), Limit: q.Limit,
			Cursor: q.Cursor,
		})
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
