package sandbox

import (
	"fmt"
	"net/http"
	"slices"

	"github.com/go-json-experiment/json"
)

// listEZTOTransactions shows the transactions that wait for a person, the first to expire first.
func listEZTOTransactions(c *call) (any, error) {
	items, err := c.List(eztoOpenPrefix)
	if err != nil {
		return nil, err
	}
	open := []eztoOpen{}
	for _, item := range items {
		var t eztoOpen
		if err := json.Unmarshal(item.Value, &t); err != nil {
			return nil, fmt.Errorf("sandbox: record %q: %w", item.Key, err)
		}
		if c.now.Before(t.ExpiresAt) {
			open = append(open, t)
		}
	}
	slices.SortStableFunc(open, func(a, b eztoOpen) int { return a.ExpiresAt.Compare(b.ExpiresAt) })
	return open, nil
}

// submitByHand does without a browser what a person does on the page of a transaction: POST …/consent {"accept"},
// …/onboarding {}, …/iec {"iec"}, …/skip {}. A number that is refused is a problem, and an attempt all the same.
func (e *ezto) submitByHand(c *call) (any, error) {
	// Input.
	var in struct {
		Accept bool   `json:"accept"`
		Number string `json:"iec"`
	}
	var names []string
	step := eztoInput{}
	switch c.request.PathValue("step") {
	case "consent":
		step.step, names = eztoAsksConsent, []string{"accept"}
	case "onboarding":
		step.step = eztoOnboards
	case "iec":
		step.step, names = eztoAsksNumber, []string{"iec"}
	case "skip":
		step.step, step.skip = eztoAsksNumber, true
	default:
		return nil, newProblem(http.StatusNotFound, "there is no such step").at("", "", "", []string{"consent", "onboarding", "iec", "skip"})
	}
	if err := decodeObject(c.body, &in, names...); err != nil {
		return nil, err
	}
	step.accept, step.number = in.Accept, in.Number

	// Transaction.
	var t eztoTransaction
	found, err := load(c, eztoTransactionKey(c.request.PathValue("request_id")), &t)
	switch {
	case err != nil:
		return nil, err
	case !found:
		return nil, newProblem(http.StatusNotFound, "no transaction has this request_id")
	case t.status(c.now) != step.step:
		return nil, newProblem(http.StatusConflict, "the transaction stands at "+string(t.status(c.now)))
	case step.skip && !e.Applications[t.Application].Skippable:
		return nil, newProblem(http.StatusConflict, "the application does not let people skip it")
	}

	// Effect.
	wrong, err := e.submit(c, &t, step)
	switch {
	case err != nil:
		return nil, err
	case wrong != "":
		p := newProblem(http.StatusUnprocessableEntity, wrong)
		p.Pointer = "/iec"
		return answer{status: p.Status, media: "application/problem+json", body: encode(p)}, nil
	}
	return struct {
		RequestID string     `json:"request_id"`
		Status    eztoStatus `json:"status"`
	}{t.RequestID, t.status(c.now)}, nil
}
