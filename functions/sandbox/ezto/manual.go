package ezto

import (
	"net/http"
	"slices"

	"sallyport/functions/sandbox"
)

// listTransactions shows the transactions that wait for a person, the first to expire first.
func listTransactions(c *sandbox.Call) any {
	open := []openTransaction{}
	for _, t := range sandbox.List[openTransaction](c, openPrefix) {
		if c.Now.Before(t.ExpiresAt) {
			open = append(open, t)
		}
	}
	slices.SortStableFunc(open, func(a, b openTransaction) int { return a.ExpiresAt.Compare(b.ExpiresAt) })
	return open
}

// submitManually does without a browser what a person does on the page of a transaction: POST …/consent {"accept"},
// …/onboarding {}, …/iec {"iec"}, …/skip {}. A number that is refused is a problem, and an attempt all the same.
func (e *simulation) submitManually(c *sandbox.Call) any {
	// Input.
	var in struct {
		Accept bool   `json:"accept"`
		Number string `json:"iec"`
	}
	var names []string
	step := input{}
	switch c.Request.PathValue("step") {
	case "consent":
		step.step, names = asksConsent, []string{"accept"}
	case "onboarding":
		step.step = onboards
	case "iec":
		step.step, names = asksNumber, []string{"iec"}
	case "skip":
		step.step, step.skip = asksNumber, true
	default:
		return sandbox.NewProblem(http.StatusNotFound, "there is no such step", "consent", "onboarding", "iec", "skip")
	}
	if err := c.DecodeObject(&in, names...); err != nil {
		return err
	}
	step.accept, step.number = in.Accept, in.Number

	// Transaction.
	var t transaction
	found := c.Load(transactionKey(c.Request.PathValue("request_id")), &t)
	switch {
	case !found:
		return sandbox.NewProblem(http.StatusNotFound, "no transaction has this request_id")
	case t.status(c.Now) != step.step:
		return sandbox.NewProblem(http.StatusConflict, "the transaction stands at "+string(t.status(c.Now)))
	case step.skip && !e.Applications[t.Application].Skippable:
		return sandbox.NewProblem(http.StatusConflict, "the application does not let people skip it")
	}

	// Effect.
	if wrong := e.submit(c, &t, step); wrong != "" {
		p := sandbox.NewProblem(http.StatusUnprocessableEntity, wrong)
		p.Pointer = "/iec"
		return p.Answer()
	}
	return sandbox.Object("request_id", t.RequestID, "status", t.status(c.Now))
}
