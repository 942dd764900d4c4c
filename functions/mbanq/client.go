// Package mbanq is everything that knows Mbanq, where a client is created, documented, verified and then activated:
// the verification is the gate that regulation demands. In this folder, §n is a row of the table "The contract" in
// README.md.
package mbanq

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"strconv"

	"github.com/go-json-experiment/json"

	"sallyport/shared/gateway"
	"sallyport/shared/operation"
	"sallyport/shared/source"
	"sallyport/shared/tolerant"
	"sallyport/shared/upstream"
)

// Config is where Mbanq is reached, such as "https://api.cloud.mbanq.com", without a slash at the end.
type Config struct{ BaseURL string }

// request is one call of the partner.
type request struct {
	method, path string
	query        url.Values
	contentType  string // empty for JSON
	body         []byte
	tenantID     string // that the caller named; it must be ours
	key          string // idempotency key; empty for none
}

// send makes one request with an access token. Where no answer to it came, or one that does not depend on what was
// asked for, failed says what that means.
func (c Config) send(
	ctx context.Context, call operation.Call, r request,
) (resp upstream.Response, failed *operation.Outcome) {
	creds, failed := readCredentials(call)
	if failed != nil {
		return resp, failed
	}
	if r.tenantID != "" && r.tenantID != creds.TenantID {
		anothers := &operation.Rejection{
			Code: "invalid.tenant.identifier", Detail: "tenantId: is not the one that this deployment's credentials have",
			Source: source.Published("§1.1"), Reply: renderTop(http.StatusUnauthorized, codeTenant,
				"Invalid tenant details were passed in api request.", "Invalid tenant identifier provided with request."),
		}
		return resp, anothers.Outcome(operation.InvalidRequest)
	}
	bearer, failed := c.token(ctx, call, creds)
	if failed != nil {
		return resp, failed
	}
	address := c.BaseURL + r.path
	if len(r.query) > 0 {
		address += "?" + r.query.Encode()
	}
	req, err := http.NewRequest(r.method, address, nil)
	if err != nil {
		return resp, &operation.Outcome{Class: operation.Unavailable, Code: "base_url"}
	}
	req.Header.Set("Authorization", "Bearer "+bearer)
	req.Header.Set("tenantId", creds.TenantID)
	req.Header.Set("Accept", "application/json")
	switch {
	case r.contentType != "":
		req.Header.Set("Content-Type", r.contentType)
	case r.body != nil:
		req.Header.Set("Content-Type", "application/json; charset=utf-8")
	}
	if r.key != "" {
		req.Header.Set("Idempotency-Key", r.key)
	}
	resp, err = call.Do(ctx, req, r.body)
	return resp, operation.Failed(resp, err)
}

// classify is Mbanq's one table from answers to classes (§7). A 403 says little by itself: its code decides, and
// without one it comes from what stands in front of the partner. Only rows from which it is clear that nothing happened
// release a key.
func classify(resp upstream.Response) (operation.Outcome, tolerant.Object) {
	m := tolerant.ReadObject(resp.Body)
	codes := readCodes(m)
	outcome := operation.Outcome{Class: operation.Unknown, Code: codes.first(), Reply: operation.PassOn(resp)}
	if outcome.Code == "" || resp.Status < 400 {
		outcome.Code = "http_" + strconv.Itoa(resp.Status)
	}
	switch {
	case resp.Status == http.StatusOK && m != nil:
		outcome.Class, outcome.Code = operation.Done, "ok"
	// our user may not, whoever calls: an operator must act
	case resp.Status == http.StatusForbidden && codes.has(codeNotAuthorized):
		outcome.Class = operation.Credentials
	case resp.Status == http.StatusForbidden && codes.first() != "":
		outcome.Class = operation.Conflict
	case resp.Status == http.StatusConflict: // somebody else changed it at the same moment
		outcome.Class = operation.Unavailable
	case resp.Status == http.StatusTooEarly: // our own attempt is still running; the body is the request's
		outcome.Code, outcome.Reply = "http_425", gateway.Reply{}
	case resp.Status == http.StatusRequestTimeout:
	case resp.Status == http.StatusNotFound && codes.has(codeClientID):
		outcome.Class, outcome.Reply = operation.Invalid, notFound(codeClientID)
	case resp.Status == http.StatusNotFound && codes.has(codeIdentifierID):
		outcome.Class, outcome.Reply = operation.Invalid, notFound(codeIdentifierID)
	case resp.Status >= 400 && resp.Status < 500:
		outcome.Class = operation.Invalid
		if codes.has(codeAlreadyActive) { // documented as 403, by the core as 400
			outcome.Class = operation.Conflict
		}
	}
	return outcome, m
}

// idempotencyKey is what the partner gets as such (§9): the same for every attempt of which none has a definite
// answer.
func idempotencyKey(call operation.Call) string {
	reference := call.Reference("mbanq idempotency key", call.ID, strconv.Itoa(call.Generation))
	return reference[:min(len(reference), 32)]
}

func readCredentials(call operation.Call) (creds credentials, failed *operation.Outcome) {
	if err := json.Unmarshal(call.Secret, &creds); err != nil || creds.TenantID == "" || creds.Username == "" {
		return creds, &operation.Outcome{Class: operation.Credentials, Code: "credentials_malformed"}
	}
	return creds, nil
}

// token returns an access token of the partner's (§1).
func (c Config) token(
	ctx context.Context, call operation.Call, creds credentials,
) (access string, failed *operation.Outcome) {
	header := maps.Clone(creds.TokenHeaders)
	if header == nil {
		header = map[string]string{}
	}
	header["tenantId"] = creds.TenantID
	return call.PartnerToken(ctx, operation.PasswordGrant{
		URL: c.BaseURL + tokenPath, Header: header,
		Client: url.Values{"client_id": {creds.ClientID}, "client_secret": {creds.ClientSecret}},
		User:   url.Values{"username": {creds.Username}, "password": {creds.Password}},
	})
}

// fingerprint is what makes two requests equal: names and values, and the query parameters that are passed on, if any.
func fingerprint(query map[string]string, pairs ...any) any {
	if len(query) > 0 {
		pairs = append(pairs, "query", query)
	}
	return operation.Fields(pairs...)
}
