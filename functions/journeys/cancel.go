package journeys

import (
	"context"
	"net/http"

	"sallyport/shared/gateway"
	"sallyport/shared/ledger"
)

// Cancel serves POST /journeys/{id}/cancel. It ends the journey at once; a call that is running meanwhile is on record
// as a transaction, but changes the journey no more. A repeat is harmless; a journey with another end answers 410.
func (s *Service) Cancel() gateway.Route {
	return s.route(func(ctx context.Context, caller ledger.Caller, req gateway.Request) (gateway.Reply, error) {
		j, err := s.end(ctx, caller.Tenant, req.Params["id"], ledger.JourneyCancelled, "cancelled_by_caller", nil)
		if err != nil {
			return gateway.Reply{}, err
		}
		if j.Status != ledger.JourneyCancelled {
			return gateway.Reply{}, gateway.NewProblem(http.StatusGone, "journey_ended", "the journey has ended")
		}
		if err := s.Orchestrator.Stop(ctx, j.Type, j.ID, "cancelled_by_caller"); err != nil {
			return gateway.Reply{}, err
		}
		body, err := s.show(ctx, j)
		return gateway.JSON(http.StatusOK, body).With("ETag", etag(j, body)), err
	})
}
