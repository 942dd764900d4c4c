package journeys

import (
	"context"
	"net/http"

	"sallyport/shared/gateway"
	"sallyport/shared/ledger"
)

// cancelled is the reason of a journey that its caller ended, and the error of its execution.
const cancelled = "cancelled_by_caller"

// Cancel serves POST /journeys/{id}/cancel. It ends the journey at once; a call that is running meanwhile is on record
// as a transaction, but changes the journey no more. A repeat is harmless; a journey with another end answers 410.
//
// The execution is stopped before the journey shows its end, so that none goes on behind it. Where nobody records the
// end then, Settle does.
func (s *Service) Cancel() gateway.Route {
	return s.route(func(ctx context.Context, caller ledger.Caller, req gateway.Request) (gateway.Reply, error) {
		j, err := s.journey(ctx, caller.Tenant, req.Params["id"])
		if err == nil && (!j.Status.Ended() || j.Status == ledger.JourneyCancelled) {
			err = s.Orchestrator.Stop(ctx, j.Type, j.ID, cancelled)
		}
		if err == nil {
			j, err = s.end(ctx, caller.Tenant, j.ID, ledger.JourneyCancelled, cancelled, nil)
		}
		if err != nil {
			return gateway.Reply{}, err
		}
		if j.Status != ledger.JourneyCancelled {
			return gateway.Reply{}, gateway.NewProblem(http.StatusGone, "journey_ended", "the journey has ended")
		}
		body, err := s.show(ctx, j)
		return gateway.JSON(http.StatusOK, body).With("ETag", etag(j, body)), err
	})
}
