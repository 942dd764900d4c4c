// Package equal is everything that knows Equal, whose Aadhaar OTP journey verifies that a person holds the mobile
// number behind an Aadhaar number. In this folder, §n is a row of the table "The contract" in README.md.
package equal

import (
	"bytes"
	"context"
	"maps"
	"net/http"
	"slices"
	"strconv"

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

// post sends one request with Basic authentication (§3) and classifies what came of it. number is the Aadhaar
// number that the answer must not show in full; empty where the request has none.
func (c Config) post(
	ctx context.Context, call operation.Call, path string, body any, number string,
) (operation.Outcome, envelope) {
	var creds credentials
	if err := json.Unmarshal(call.Secret, &creds); err != nil || creds.ClientID == "" || creds.ClientSecret == "" {
		return operation.Outcome{Class: operation.Credentials, Code: "credentials_malformed"}, envelope{}
	}
	text, err := json.Marshal(body)
	if err != nil {
		return operation.Outcome{Class: operation.Invalid, Code: codeInvalidRequest}, envelope{}
	}
	req, err := http.NewRequest(http.MethodPost, c.BaseURL+path, nil)
	if err != nil {
		return operation.Outcome{Class: operation.Unavailable, Code: "base_url"}, envelope{}
	}
	req.SetBasicAuth(creds.ClientID, creds.ClientSecret)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	resp, err := call.Do(ctx, req, text)
	return classify(resp, err, number)
}

// classify is Equal's one table from answers to classes (§8). A 200 is a success only if its body says so. Only
// rows from which it is clear that nothing happened release a key.
func classify(resp upstream.Response, err error, number string) (operation.Outcome, envelope) {
	if err != nil {
		return *operation.NotAnswered(err), envelope{}
	}
	var e envelope
	reply, readable := passOn(resp, &e, number)
	outcome := operation.Outcome{Class: operation.Unknown, Code: e.StatusCode, Reply: reply}
	if outcome.Code == "" {
		outcome.Code = "http_" + strconv.Itoa(resp.Status)
	}
	switch {
	case resp.Status == http.StatusUnauthorized, resp.Status == http.StatusForbidden:
		outcome.Class = operation.Credentials
	case resp.Status == http.StatusTooManyRequests: // throttled in front of the partner's application
		outcome.Class = operation.Throttled
	case resp.Status == http.StatusRequestTimeout:
	case resp.Status >= 400 && resp.Status < 500:
		outcome.Class = operation.Invalid
	case resp.Status == http.StatusOK && readable:
		outcome.Class = classOf(e)
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
		case codeTooSoon, codeNotGenerated: // nothing was sent, no attempt was used
			return operation.Conflict
		}
		return operation.Refused
	}
	return operation.Unknown
}

// passOn makes of a partner's answer what the caller gets: the same bytes with the Aadhaar number masked. What is no
// JSON object is not passed on, but for an error without a body. readable tells whether e has been read.
func passOn(resp upstream.Response, e *envelope, number string) (reply gateway.Reply, readable bool) {
	text := tolerant.JSON(resp.Body)
	if len(bytes.TrimSpace(text)) == 0 && resp.Status >= 400 {
		return gateway.Empty(resp.Status), false
	}
	if text.Kind() != '{' {
		return gateway.Reply{}, false
	}
	masked := seal.MaskJSON(text, "aadhaar_no", number)
	if masked == nil {
		return gateway.Reply{}, false
	}
	return gateway.JSON(resp.Status, masked), e.read(masked)
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
		"status": e.Status, "status_code": e.StatusCode, "decision": e.Decision,
	} {
		if !isReference(value) {
			value = "" // a text, which has no business in a state machine
		}
		out[name] = value
	}
	return out
}

// maxID caps the ids of requests and answers, in bytes.
const maxID = 256

// isReference reports whether a partner's value may be kept: an id or a code, or one of the known decisions.
func isReference(value string) bool {
	return checkID("", value) == nil || slices.Contains([]string{decisionMustReview, decisionNeedsReview}, value)
}

// checkIDs checks pairs of a pointer and an id, in their order.
func checkIDs(pairs ...string) error {
	for i := 0; i < len(pairs); i += 2 {
		if err := checkID(pairs[i], pairs[i+1]); err != nil {
			return err
		}
	}
	return nil
}

// checkID refuses what can't be an id: over 256 bytes, or anything but visible ASCII.
func checkID(pointer, id string) error {
	if len(id) > maxID {
		return &gateway.InputError{Pointer: pointer, Reason: "is longer than 256 characters"}
	}
	for _, c := range []byte(id) {
		if c <= 0x20 || c > 0x7e {
			return &gateway.InputError{Pointer: pointer, Reason: "holds a character that is not visible ASCII"}
		}
	}
	return nil
}

func ownedTransaction(id string) string { return "equal/transaction/" + id }
