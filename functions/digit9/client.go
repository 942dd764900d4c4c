// Package digit9 is everything that knows Digit9, whose customers are onboarded by a partner that has identified them
// itself, and are then screened by compliance. "digit9 §n" names a section of the contract notes that these facts were
// taken from.
package digit9

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"

	"sallyport/shared/operation"
	"sallyport/shared/token"
	"sallyport/shared/upstream"
)

// Config is where Digit9 is reached, without a slash at the end, and what its answers are made with.
type Config struct {
	BaseURL string
	Now     func() time.Time // nil for time.Now
	NewID   func() string    // a UUID; nil for random ones
}

// requestID is what answers of onboarding carry: 32 hexadecimal digits (digit9 §6.5).
func (c Config) requestID() string {
	newID := c.NewID
	if newID == nil {
		newID = uuid.NewString
	}
	return strings.ReplaceAll(newID(), "-", "")
}

// send makes one request with an access token. Where no answer to it came, or one that does not depend on what was
// asked for, failed says what that means.
func (c Config) send(ctx context.Context, call operation.Call, method, path string, body []byte) (resp upstream.Response, failed *operation.Outcome) {
	bearer, err := c.token(ctx, call)
	if err != nil {
		return resp, tokenOutcome(err)
	}
	req, err := http.NewRequest(method, c.BaseURL+path, nil)
	if err != nil {
		return resp, &operation.Outcome{Class: operation.Unavailable, Code: "base_url"}
	}
	req.Header.Set("Authorization", "Bearer "+bearer)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	resp, err = call.Do(ctx, req, body)
	switch {
	case err != nil:
		return resp, operation.NotAnswered(err)
	case resp.Status == http.StatusUnauthorized:
		return resp, &operation.Outcome{Class: operation.Credentials, Code: "http_401"}
	case resp.Status == http.StatusTooManyRequests: // throttled in front of the partner's application
		return resp, &operation.Outcome{Class: operation.Throttled, Code: "http_429", Reply: operation.PassOn(resp)}
	}
	return resp, nil
}

// Token renewals are single, shared and early: see package token. errRejected is the partner's own no to our credentials;
// any other failure may pass (digit9 §3).
var errRejected = errors.New("digit9: credentials rejected")

func tokenOutcome(err error) *operation.Outcome {
	if errors.Is(err, errRejected) {
		return &operation.Outcome{Class: operation.Credentials, Code: "token_refused"}
	}
	return &operation.Outcome{Class: operation.Unavailable, Code: "no_token"} // nothing was asked of the partner yet
}

// token returns an access token. One that is renewed by its refresh token falls back to the password.
func (c Config) token(ctx context.Context, call operation.Call) (string, error) {
	var creds credentials
	if err := json.Unmarshal(call.Secret, &creds); err != nil || creds.ClientID == "" || creds.Username == "" {
		return "", errRejected
	}
	client := url.Values{"client_id": {creds.ClientID}, "client_secret": {creds.ClientSecret}}
	return call.Token(ctx, func(ctx context.Context, refresh string) (token.Grant, error) {
		if refresh != "" {
			grant, err := c.grant(ctx, call, client, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh}})
			if err == nil {
				return grant, nil
			}
		}
		password := url.Values{"grant_type": {"password"}, "username": {creds.Username}, "password": {creds.Password}}
		if creds.Scope != "" {
			password.Set("scope", creds.Scope)
		}
		return c.grant(ctx, call, client, password)
	})
}

// grant asks for a token once (digit9 §3).
func (c Config) grant(ctx context.Context, call operation.Call, forms ...url.Values) (grant token.Grant, err error) {
	form := url.Values{}
	for _, f := range forms {
		for name, values := range f {
			form[name] = values
		}
	}
	req, err := http.NewRequest(http.MethodPost, c.BaseURL+tokenPath, nil)
	if err != nil {
		return grant, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	resp, err := call.Do(ctx, req, []byte(form.Encode()))
	if err != nil {
		return grant, err
	}
	var answer tokenAnswer
	switch {
	case resp.Status >= 400 && resp.Status < 500 && resp.Status != http.StatusTooManyRequests && resp.Status != http.StatusRequestTimeout:
		return grant, errRejected
	case resp.Status != http.StatusOK, lenient(resp.Body, &answer) != nil, answer.AccessToken == "", answer.ExpiresIn <= 0:
		return grant, errors.New("digit9: no token in the answer")
	}
	return token.Grant{
		Access: answer.AccessToken, ExpiresIn: time.Duration(answer.ExpiresIn) * time.Second,
		Refresh: answer.RefreshToken, RefreshExpiresIn: time.Duration(answer.RefreshExpiresIn) * time.Second,
	}, nil
}

// codeOf names an answer: by the partner's code, else by the HTTP status.
func codeOf(a answer, status int) string {
	switch {
	case a.Code != "":
		return a.Code
	case a.Status == statusSuccess:
		return statusSuccess
	}
	return "http_" + strconv.Itoa(status)
}

// refs are the references of an answer that the record keeps.
func (c customer) refs() map[string]string {
	refs := map[string]string{}
	if isECRN(c.ECRN) {
		refs["ecrn"] = c.ECRN
	}
	for name, value := range map[string]string{
		"customer_status": normalCustomerStatus(c.CustomerStatus), "aml_scan_status": strings.TrimSpace(c.AMLScanStatus),
	} {
		if isStatus(value) {
			refs[name] = value
		}
	}
	return refs
}

// isStatus tells which words may be kept: letters with spaces, slashes and underscores.
func isStatus(text string) bool {
	return text != "" && len(text) <= 20 && strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_/ ") == ""
}
