// Package ezto is everything that knows EZTO, where an importer's licence is verified on a hosted page, step by step
// of a workflow. In this folder, §n is a row of the table "The contract" in README.md.
package ezto

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
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

// address is what a caller says of where a request goes.
type address struct {
	Workspace   string `json:"workspace,omitzero"`   // empty from a state machine, for ours
	Application string `json:"application,omitzero"` // its app_id or its name; empty where there is only one
}

// readAddress reads it; a state machine names the application in its query.
func readAddress(req gateway.Request, form url.Values) address {
	if req.FromStateMachine {
		return address{Application: req.Query["application"]}
	}
	a := address{Workspace: req.Params["workspace"], Application: form.Get("app_id")}
	if user, _ := gateway.Basic(req.Header); user != "" {
		a.Application = user
		if strings.Contains(user, "%") { // no app_id has any
			a.Application = gateway.Unescape(user)
		}
	}
	return a
}

// readForm reads a form. Version 0 of the contract has the credentials in it.
func readForm(req gateway.Request) (url.Values, error) {
	form, err := url.ParseQuery(string(req.Body))
	if err != nil {
		return nil, &gateway.InputError{
			Reason: "is not a form (application/x-www-form-urlencoded)", Source: source.Published("§3.3"),
		}
	}
	return form, nil
}

// keys is where version 0 carries a caller's key: in the place of the application's secret.
func keys(req gateway.Request) []string {
	form, err := url.ParseQuery(string(req.Body))
	if err != nil {
		return nil
	}
	return []string{form.Get("app_secret")}
}

// checkVersion refuses versions that there aren't (§3).
func checkVersion(req gateway.Request) error {
	if version := req.Header["api-version"]; version != "" && version != "1" {
		return &gateway.InputError{
			Pointer: "api-version", Reason: "must be 1, or missing", Source: source.Published("§3.2"),
		}
	}
	return nil
}

// post sends a form, for the application that it returns the name of. Where no answer to it came, or one that does not
// depend on what was asked for, failed says what that means.
func (c Config) post(
	ctx context.Context, call operation.Call, a address, path func(workspace string) string, form url.Values,
) (resp upstream.Response, application string, failed *operation.Outcome) {
	var creds credentials
	if err := json.Unmarshal(call.Secret, &creds); err != nil || creds.Workspace == "" || creds.url(c, path) == "" {
		return resp, application, &operation.Outcome{Class: operation.Credentials, Code: "credentials_malformed"}
	}
	if a.Workspace != "" && a.Workspace != creds.Workspace {
		return resp, application,
			&operation.Outcome{Class: operation.Invalid, Code: "no_such_workspace", Reply: noWorkspace()}
	}
	application, app, ok := creds.find(a.Application)
	if !ok {
		return resp, application,
			&operation.Outcome{Class: operation.Invalid, Code: "no_such_application", Reply: renderError(operation.BadKey, "")}
	}
	req, err := http.NewRequest(http.MethodPost, creds.url(c, path), nil)
	if err != nil {
		return resp, application, &operation.Outcome{Class: operation.Unavailable, Code: "base_url"}
	}
	req.SetBasicAuth(app.ID, app.Secret)
	req.Header.Set("api-version", "1")
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	resp, err = call.Do(ctx, req, []byte(form.Encode()))
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
