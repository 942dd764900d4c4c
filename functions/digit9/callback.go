package digit9

import (
	"context"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"

	"sallyport/shared/callback"
	"sallyport/shared/gateway"
	"sallyport/shared/tolerant"
)

// otherStatus stands for a status that nobody has documented.
const otherStatus = "other"

// Callback is the closing of an AML alert (§8). It has no id and no time, so it is a hint: it ends the waits for
// the customer, and they ask the partner.
func Callback(Config) callback.Receiver {
	return callback.Receiver{
		Name: "digit9/callback",
		Verify: func(_ context.Context, secret []byte, req gateway.Request) (payload []byte, err error) {
			if !authentic(secret, req) {
				return nil, callback.ErrNotAuthentic
			}
			return req.Body, nil
		},
		Translate:   translate,
		Acknowledge: acknowledge,
	}
}

// authentic reports whether what the sender shows of a Bearer token and of a hash is right: one at least, and whatever
// is there.
func authentic(secret []byte, req gateway.Request) bool {
	var creds credentials
	if tolerant.Read(secret, &creds) != nil {
		return false
	}
	authorization, hasBearer := req.Header["authorization"]
	header, hasHash := req.Header["hash"]
	if !hasBearer && !hasHash {
		return false
	}
	scheme, bearer, _ := strings.Cut(strings.TrimSpace(authorization), " ")
	if hasBearer &&
		(!strings.EqualFold(scheme, "bearer") || !callback.AnyOf(creds.Callback.Bearer, func(token string) bool {
			return callback.SameText(strings.TrimSpace(bearer), token)
		})) {
		return false
	}
	return !hasHash || callback.AnyOf(creds.Callback.Hash, func(secret string) bool {
		want := sha512.Sum512(append(append([]byte{}, req.Body...), secret...))
		found := false
		for _, shown := range callback.Signatures(header) {
			if callback.SameText(strings.ToLower(shown), hex.EncodeToString(want[:])) {
				found = true
			}
		}
		return found
	})
}

// translate reads and normalises; further members are fine.
func translate(req gateway.Request) ([]callback.Event, error) {
	m := tolerant.ReadObject(req.Body)
	if m == nil {
		return nil, errors.New("the body is not a JSON object")
	}
	ecrn := m.Text("ecrn")
	if !isECRN(ecrn) {
		return nil, nil // about something else
	}
	customer := normalCustomerStatus(m.Word("customer_status"))
	switch customer {
	case customerActive, customerKYCPending, customerInactive, customerRejected, customerBlocked:
	default:
		customer = otherStatus
	}
	aml := m.Word("aml_scan_status")
	switch aml {
	case amlAccepted, amlRejected, amlOpen, amlFailed, amlNone:
	default:
		aml = otherStatus
	}
	codes := map[string]string{"aml_scan_status": aml, "customer_status": customer}
	return []callback.Event{{Record: alertRecord(ecrn), Codes: codes}}, nil
}

// acknowledge satisfies both conventions that the partner's callbacks are known to follow.
func acknowledge(status int, message string) gateway.Reply {
	reply := struct {
		Status     string `json:"status"`
		StatusCode int    `json:"status_code"`
		Message    string `json:"message"`
		State      string `json:"state,omitzero"`
	}{statusFailed, status, message, ""}
	if status == http.StatusOK {
		reply.Status, reply.State = statusSuccess, "ACKNOWLEDGED"
	}
	return render(status, reply)
}
