// Package digit9 is everything that knows Digit9, whose customers are onboarded by a partner that has identified them
// itself, and are then screened by compliance. In this folder, §n is a row of the table "The contract" in README.md.
package digit9

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"

	"sallyport/shared/operation"
	"sallyport/shared/upstream"
)

// Config is where Digit9 is reached, without a slash at the end, and what its answers are made with.
type Config struct {
	BaseURL string
	Now     func() time.Time // nil for time.Now
	NewID   func() string    // a UUID; nil for random ones
}

// requestID is what answers of onboarding carry: 32 hexadecimal digits (§6.5).
func (c Config) requestID() string {
	newID := c.NewID
	if newID == nil {
		newID = uuid.NewString
	}
	return strings.ReplaceAll(newID(), "-", "")
}

// send makes one request with an access token. Where no answer to it came, or one that does not depend on what was
// asked for, failed says what that means.
func (c Config) send(
	ctx context.Context, call operation.Call, method, path string, body []byte,
) (resp upstream.Response, failed *operation.Outcome) {
	bearer, failed := c.token(ctx, call)
	if failed != nil {
		return resp, failed
	}
	req, err := http.NewRequest(method, c.BaseURL+path, nil)
	if err != nil {
		return resp, &operation.Outcome{Class: operation.Unavailable, Code: "base_url"}
	}
	req.Header.Set("Authorization", "Bearer "+bearer)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	resp, err = call.Do(ctx, req, body)
	return resp, operation.Failed(resp, err)
}

// token returns an access token of the partner's (§3).
func (c Config) token(ctx context.Context, call operation.Call) (access string, failed *operation.Outcome) {
	var creds credentials
	if err := json.Unmarshal(call.Secret, &creds); err != nil || creds.ClientID == "" || creds.Username == "" {
		return "", &operation.Outcome{Class: operation.Credentials, Code: "credentials_malformed"}
	}
	user := url.Values{"username": {creds.Username}, "password": {creds.Password}}
	if creds.Scope != "" {
		user.Set("scope", creds.Scope)
	}
	return call.PartnerToken(ctx, operation.PasswordGrant{
		URL: c.BaseURL + tokenPath, Client: url.Values{"client_id": {creds.ClientID}, "client_secret": {creds.ClientSecret}},
		User: user,
	})
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
	return text != "" && len(text) <= 20 &&
		strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_/ ") == ""
}
