// Package ezto is everything that knows EZTO, where an importer's licence is verified on a hosted page, step by step
// of a workflow. In this folder, §n is a row of the table "The contract" in README.md.
package ezto

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"

	"sallyport/shared/gateway"
	"sallyport/shared/operation"
	"sallyport/shared/source"
	"sallyport/shared/tolerant"
	"sallyport/shared/upstream"
)

// Config is where EZTO is reached, such as "https://acme-trade.eztovrfy.com", without a slash at the end, and what
// callbacks are checked with.
type Config struct {
	BaseURL string
	Now     func() time.Time // nil for time.Now
	Client  *upstream.Client // nil for one of its own
}

func (c Config) now() time.Time {
	if c.Now != nil {
		return c.Now()
	}
	return time.Now()
}

const maxRequest = 64 << 10 // bytes

// post sends a form, for the application that it returns the name of. Where no answer to it came, or one that does not
// depend on what was asked for, failed says what that means.
func (c Config) post(
	ctx context.Context, call operation.Call, a address, path func(workspace string) string, form fields,
) (resp upstream.Response, application string, failed *operation.Outcome) {
	var creds credentials
	if err := json.Unmarshal(call.Secret, &creds); err != nil || creds.Workspace == "" || creds.url(c, path) == "" {
		return resp, application, &operation.Outcome{Class: operation.Credentials, Code: "credentials_malformed"}
	}
	if a.Workspace != "" && a.Workspace != creds.Workspace {
		unknown := &operation.Rejection{
			Reply: noWorkspace(), Code: "no_such_workspace", Detail: "workspace: is not the one of the credentials",
			Source: source.Safety("a workspace is part of a path"),
		}
		return resp, application, unknown.Outcome(operation.NoSuchRecord)
	}
	application, app, ok := creds.find(a.Application)
	if !ok {
		unknown := &operation.Rejection{
			Reply: renderError(operation.BadKey, ""), Code: "no_such_application",
			Detail: "app_id: is of none of the credentials' applications", Source: source.Safety("whose credentials are sent"),
		}
		return resp, application, unknown.Outcome(operation.BadKey)
	}
	req, err := http.NewRequest(http.MethodPost, creds.url(c, path), nil)
	if err != nil {
		return resp, application, &operation.Outcome{Class: operation.Unavailable, Code: "base_url"}
	}
	req.SetBasicAuth(app.ID, app.Secret)
	req.Header.Set("api-version", "1")
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	resp, err = call.Do(ctx, req, form.encode())
	return resp, application, operation.Failed(resp, err)
}

// classify is EZTO's one table from answers to classes (§9). A refusal that no page lists is final: nobody knows
// whether it had an effect.
func classify(resp upstream.Response) (operation.Outcome, tolerant.Object) {
	m := object(resp.Body)
	outcome := operation.Outcome{Class: operation.Unknown, Code: m.Word("error"), Reply: operation.PassOn(resp)}
	if m != nil && outcome.Reply.Status == 0 { // but for a comma it is the JSON that it should be
		outcome.Reply = gateway.JSON(resp.Status, resp.Body)
	}
	if outcome.Code == "" {
		outcome.Code = "http_" + strconv.Itoa(resp.Status)
	}
	switch {
	case resp.Status == http.StatusOK && m != nil:
		outcome.Class, outcome.Code = operation.Done, "ok"
	case resp.Status == http.StatusRequestTimeout:
	case resp.Status == http.StatusPaymentRequired: // stands for "the request failed", of whatever
		outcome.Class = operation.Conflict
	case resp.Status == http.StatusBadRequest, resp.Status == http.StatusForbidden, resp.Status == http.StatusNotFound:
		outcome.Class = operation.Invalid
	case resp.Status >= 400 && resp.Status < 500:
		outcome.Class = operation.Refused
	}
	return outcome, m
}
