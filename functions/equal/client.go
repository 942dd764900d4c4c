// Package equal is everything that knows Equal, whose Aadhaar OTP journey verifies that a person holds the mobile
// number behind an Aadhaar number. In this folder, §n is a row of the table "The contract" in README.md.
package equal

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"

	"sallyport/shared/gateway"
	"sallyport/shared/operation"
	"sallyport/shared/seal"
	"sallyport/shared/tolerant"
	"sallyport/shared/upstream"
)

// Config is where Equal is reached, such as "https://business-api.test.equal.in", without a slash at the end.
type Config struct{ BaseURL string }

const maxRequest = 64 << 10 // bytes; the largest documented request has some hundred

// post sends one request with Basic authentication (§3) and classifies what came of it. The spellings are those of the
// Aadhaar number that the answer must not show in full; empty where the request has none.
func (c Config) post(
	ctx context.Context, call operation.Call, path string, body []byte, spellings ...string,
) (operation.Outcome, envelope) {
	var creds credentials
	if err := json.Unmarshal(call.Secret, &creds); err != nil || creds.ClientID == "" || creds.ClientSecret == "" {
		return operation.Outcome{Class: operation.Credentials, Code: "credentials_malformed"}, envelope{}
	}
	req, err := http.NewRequest(http.MethodPost, c.BaseURL+path, nil)
	if err != nil {
		return operation.Outcome{Class: operation.Unavailable, Code: "base_url"}, envelope{}
	}
	req.SetBasicAuth(creds.ClientID, creds.ClientSecret)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	resp, err := call.Do(ctx, req, body)
	return classify(resp, err, spellings)
}

// classify is Equal's one table from answers to classes (§8). A 200 is a success only if its body says so. Only
// rows from which it is clear that nothing happened release a key: no page says what a refusal means that it doesn't
// list, and a row counts with its own status only.
func classify(resp upstream.Response, err error, spellings []string) (operation.Outcome, envelope) {
	if err != nil {
		return *operation.NotAnswered(err), envelope{}
	}
	e := envelope{httpStatus: resp.Status}
	reply, readable := passOn(resp, &e, spellings)
	outcome := operation.Outcome{Class: operation.Unknown, Code: e.StatusCode, Reply: reply}
	switch {
	case resp.Status == http.StatusUnauthorized: // about us, whatever its code says
		outcome.Class, outcome.Code = operation.Credentials, codeInvalidCredentials
	case resp.Status == http.StatusTooManyRequests: // throttled in front of the partner's application
		outcome.Class = operation.Throttled
	case resp.Status == http.StatusRequestTimeout:
	case resp.Status == http.StatusBadRequest && e.StatusCode == codeInvalidRequest:
		outcome.Class = operation.Invalid
	case resp.Status >= 400 && resp.Status < 500:
		outcome.Class = operation.Refused
		switch e.StatusCode {
		case codeInvalidRequest, codeInvalidCredentials, codeInvalidAadhaar, codeNotFound, codeServerError:
			outcome.Code = ""
		}
	case resp.Status == http.StatusOK && readable:
		outcome.Class = classOf(e)
	}
	if outcome.Code == "" {
		outcome.Code = "http_" + strconv.Itoa(resp.Status)
	}
	return outcome, e
}

// classOf reads the body of a 200.
func classOf(e envelope) operation.Class {
	switch e.Status {
	case statusSuccess, statusInProgress:
		return operation.Done
	case statusFailure:
		switch e.StatusCode {
		case codeInvalidAadhaar, codeInvalidRequest:
			return operation.Invalid
		case codeInvalidCredentials:
			return operation.Credentials
		case codeServerError:
			return operation.Unknown
		}
		return operation.Refused
	}
	return operation.Unknown
}

// passOn makes of a partner's answer what the caller gets: the same bytes with the Aadhaar number masked. What is no
// JSON object is not passed on; of a refusal the status is. readable tells whether e has been read.
func passOn(resp upstream.Response, e *envelope, spellings []string) (reply gateway.Reply, readable bool) {
	text := tolerant.JSON(resp.Body)
	var masked []byte
	if text.Kind() == '{' {
		if len(spellings) == 0 {
			spellings = []string{""} // by the member's name alone
		}
		masked = text
		for _, number := range spellings {
			masked = seal.MaskJSON(masked, "aadhaar_no", number)
		}
	}
	switch {
	case masked != nil:
		e.ofAnother = len(spellings[0]) == aadhaarLength && showsAnother(text, spellings[0])
		return gateway.JSON(resp.Status, masked), e.read(masked)
	case resp.Status >= 400 && (resp.Status < 500 || len(bytes.TrimSpace(text)) == 0):
		return gateway.Empty(resp.Status), false
	}
	return gateway.Reply{}, false
}

// refs are the references of an answer that the record keeps.
func (e envelope) refs(more map[string]string) map[string]string {
	refs := make(map[string]string, 4+len(more))
	for _, ref := range [...]struct{ name, value string }{
		{"transaction_id", e.TransactionID}, {"journey_transaction_id", e.JourneyTransactionID},
		{"journey_id", e.JourneyID}, {"decision", e.Decision},
	} {
		if ref.value != "" && isReference(ref.value) {
			refs[ref.name] = ref.value
		}
	}
	maps.Copy(refs, more)
	return refs
}

// summary is what a state machine may see of an answer.
func summary(reply gateway.Reply) map[string]any {
	var e envelope
	e.read(reply.Body)
	out := map[string]any{"named": e.named()}
	for name, value := range map[string]string{
		"exchange_transaction_id": e.TransactionID, "journey_transaction_id": e.JourneyTransactionID,
		"status": e.Status, "status_code": e.StatusCode, "decision": e.decision(),
	} {
		if !isReference(value) {
			value = "" // a text, which has no business in a state machine
		}
		out[name] = value
	}
	return out
}

// maxID caps what is kept of ids, in bytes.
const maxID = 256

// isReference reports whether a partner's value may be kept: an id or a code, or one of the known decisions.
func isReference(value string) bool {
	return slices.Contains([]string{decisionMustReview, decisionNeedsReview}, value) ||
		len(value) <= maxID && !strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r > '~' })
}

// ownedTransaction names an exchange transaction among the records that tenants own; a long id by its digest.
func ownedTransaction(id string) string {
	if len(id) > maxID {
		id = fmt.Sprintf("sha256-%x", sha256.Sum256([]byte(id)))
	}
	return "equal/transaction/" + id
}
