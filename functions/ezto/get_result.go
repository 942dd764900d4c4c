package ezto

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"strings"

	"sallyport/shared/gateway"
	"sallyport/shared/operation"
)

// query is the input of GetResult.
type query struct {
	Address address `json:"address"`
	Handle  string  `json:"auth_req_id"`
}

// maxHandle caps a handle, in bytes: documented ones have some hundred, without a limit (§5).
const maxHandle = 48 << 10

// GetResult reads the result of a transaction (§6). That there is none yet, or won't be, is no failure of the
// call: a state machine reads it like an answer.
func GetResult(c Config) operation.Operation[query] {
	return operation.Operation[query]{
		Name:             "ezto/get-result",
		Errors:           renderError,
		MaxBody:          maxRequest,
		BodyCredentials:  keys,
		Decode:           decodeQuery,
		Resource:         func(in query) string { return ownedTransaction(in.Handle) },
		ConflictIsResult: true,
		Output:           summaryOfResult,
		Call: func(ctx context.Context, call operation.Call, in query) operation.Outcome {
			resp, _, failed := c.post(ctx, call, in.Address, resultPath, url.Values{"auth_req_id": {in.Handle}})
			if failed != nil {
				return *failed
			}
			outcome, m := classify(resp)
			switch m.Word("error") {
			case codePending, codeSlowDown, codeExpired, codeDenied, codeFailed: // whatever status they come with
				if resp.Status < 500 {
					outcome.Class = operation.Conflict
				}
			}
			if resp.Status == http.StatusNotFound {
				outcome.Reply = noTransaction()
			}
			if outcome.Class == operation.Done {
				result, ok := ReadResult(resp.Body)
				if !ok {
					return operation.Outcome{Class: operation.Unavailable, Code: "unreadable"}
				}
				outcome.Refs = map[string]string{"request_id": result.RequestID}
				if gateway.CheckJSON(resp.Body) != nil {
					outcome.Reply = gateway.JSON(http.StatusOK, resp.Body)
				}
			}
			return outcome
		},
	}
}

// decodeQuery reads a form or a JSON object.
func decodeQuery(req gateway.Request) (in query, err error) {
	if err := checkVersion(req); err != nil {
		return in, err
	}
	form := url.Values{}
	if trimmed := bytes.TrimSpace(req.Body); len(trimmed) > 0 && trimmed[0] == '{' {
		if err := gateway.CheckJSON(req.Body); err != nil {
			return in, err
		}
		for _, name := range []string{"auth_req_id", "app_id"} {
			if text := object(req.Body).Word(name); text != "" {
				form.Set(name, text)
			}
		}
	} else if form, err = readForm(req); err != nil {
		return in, err
	}
	in.Address, in.Handle = readAddress(req, form), form.Get("auth_req_id")
	switch {
	case in.Handle == "":
		return in, &gateway.InputError{Pointer: "auth_req_id", Reason: "is required"}
	case len(in.Handle) > maxHandle:
		return in, &gateway.InputError{Pointer: "auth_req_id", Reason: "is too long"}
	}
	return in, nil
}

// summaryOfResult is what a state machine may see of a result: how it stands, in one word.
func summaryOfResult(reply gateway.Reply) map[string]any {
	m, state := object(reply.Body), "failed" // of which 402 alone may be a sign (§9)
	switch m.Word("error") {
	case codePending, codeSlowDown:
		state = "pending"
	case codeExpired:
		state = "expired"
	case codeDenied:
		state = "denied"
	default:
		if result, ok := ReadResult(reply.Body); ok && reply.Status == http.StatusOK {
			state = result.state(m.Word("status"))
		}
	}
	return map[string]any{"state": state}
}

// state is valid, suspended, cancelled or deactivated; unverified where the check did not finish well; incomplete where
// the claims that would tell are not selected; other for any other status of a licence. Where there are no claims at
// all the check was skipped, unless the transaction's own status says that it is still to come, or how else it ended
// (the names of §10).
func (r Result) state(transaction string) string {
	switch {
	case r.Verified == nil && r.VerifiedAt.IsZero() && r.IEC+r.Name+r.Status+r.PAN+r.Address == "":
		switch transaction = strings.ToLower(transaction); transaction {
		case "created", "dispatched", "opened", "consent", "onboarding", "iec_input", "pending", "in_progress":
			return "pending"
		case "expired", "denied", "failed":
			return transaction
		}
		return "skipped"
	case r.Verified != nil && !*r.Verified:
		return "unverified"
	case r.Verified == nil || r.Status == "":
		return "incomplete"
	case r.Accepted():
		return "valid"
	case r.Status == StatusSuspended, r.Status == StatusCancelled, r.Status == StatusDeactivated:
		return strings.ToLower(r.Status)
	}
	return "other"
}
