package ezto

import (
	"bytes"
	"context"
	"net/http"
	"strings"

	"sallyport/shared/gateway"
	"sallyport/shared/operation"
	"sallyport/shared/source"
	"sallyport/shared/upstream"
)

// query is the input of GetResult. What else stands in a form goes on as well.
type query struct {
	Address address
	Handle  string
	Extra   fields
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
			form := append(fields{{name: "auth_req_id", text: in.Handle}}, in.Extra...)
			resp, _, failed := c.post(ctx, call, in.Address, resultPath, form)
			if failed != nil {
				return *failed
			}
			return classifyResult(resp)
		},
	}
}

// classifyResult reads an answer to a question for a result. How it looks that there is none yet is published nowhere:
// whatever isn't documented (§9.2) may mean it, and is handed to a state machine as such.
func classifyResult(resp upstream.Response) operation.Outcome {
	outcome, _ := classify(resp)
	result, ok := ReadResult(resp.Body)
	switch {
	case resp.Status >= 500, resp.Status == http.StatusRequestTimeout, resp.Status == http.StatusPaymentRequired:
	case resp.Status == http.StatusForbidden:
		if object(resp.Body).Word("error") == codeDenied {
			outcome.Class = operation.Conflict
		}
	case resp.Status == http.StatusOK && ok:
		outcome.Refs = map[string]string{"request_id": result.RequestID}
		if gateway.CheckJSON(resp.Body) != nil {
			outcome.Reply = gateway.JSON(http.StatusOK, resp.Body)
		}
	default:
		outcome.Class = operation.Conflict
	}
	switch {
	case resp.Status == http.StatusNotFound:
		outcome.Reply = noTransaction()
	case outcome.Class != operation.Conflict || outcome.Reply.Status != 0:
	case resp.Status >= 400 || len(bytes.TrimSpace(resp.Body)) == 0:
		outcome.Reply = gateway.Empty(resp.Status)
	}
	return outcome
}

// decodeQuery reads a form or a JSON object.
func decodeQuery(req gateway.Request) (in query, err error) {
	if err := checkVersion(req); err != nil {
		return in, err
	}
	all, _, err := readFields(req)
	if err != nil {
		return in, err
	}
	in.Address, in.Handle = readAddress(req, all), strings.TrimSpace(all.text("auth_req_id"))
	in.Extra = all.beside("auth_req_id", appID, appSecret)
	switch {
	case in.Handle == "":
		return in, &gateway.InputError{
			Pointer: "auth_req_id", Reason: "is required", Source: source.Published("§5.1"),
		}
	case len(in.Handle) > maxHandle:
		return in, &gateway.InputError{
			Pointer: "auth_req_id", Reason: "is too long", Source: source.Safety("the size of a handle"),
		}
	}
	return in, nil
}

// summaryOfResult is what a state machine may see of a result: how it stands, in one word.
func summaryOfResult(reply gateway.Reply) map[string]any {
	state := "pending"
	switch reply.Status {
	case http.StatusPaymentRequired:
		state = "failed"
	case http.StatusForbidden:
		state = "denied"
	case http.StatusOK:
		if result, ok := ReadResult(reply.Body); ok {
			state = result.state(object(reply.Body).Word("status"))
		}
	}
	return map[string]any{"state": state}
}

// state is valid, suspended, cancelled or deactivated; implausible where something in it cannot be right; unverified
// where the check did not finish well; incomplete where the claims that would tell are not selected; other for any
// other status of a licence. Where there are no claims at all the check was skipped, unless the transaction's own
// status says anything else: then it is still to come (§10).
func (r Result) state(transaction string) string {
	switch {
	case r.Verified == nil && r.VerifiedAt.IsZero() && r.IEC+r.Name+r.Status+r.PAN+r.Address == "" &&
		len(r.Implausible) == 0:
		switch strings.ToLower(transaction) {
		case "", "skipped", "completed":
			return "skipped"
		}
		return "pending"
	case r.Verified != nil && !*r.Verified:
		return "unverified"
	case len(r.Implausible) > 0:
		return "implausible"
	case r.Verified == nil || r.Status == "":
		return "incomplete"
	case r.Accepted():
		return "valid"
	case r.Status == StatusSuspended, r.Status == StatusCancelled, r.Status == StatusDeactivated:
		return strings.ToLower(r.Status)
	}
	return "other"
}
