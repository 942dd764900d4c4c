package iron

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"sallyport/shared/callback"
	"sallyport/shared/gateway"
	"sallyport/shared/tolerant"
)

// callbackWindow is how far the time of a webhook may be from now (§10).
const callbackWindow = 300 * time.Second

// Callback is a webhook (§10). That of an identification's status is a hint: it ends the waits for the
// identification, and they ask the partner. Others are acknowledged and make no event.
func Callback(c Config) callback.Receiver {
	return callback.Receiver{
		Name: "iron/callback",
		Verify: func(_ context.Context, secret []byte, req gateway.Request) (payload []byte, err error) {
			if !authentic(secret, req, c.now()) {
				return nil, callback.ErrNotAuthentic
			}
			return req.Body, nil
		},
		Translate:   translate,
		Acknowledge: acknowledge,
	}
}

// authentic reports whether the signature, HMAC-SHA256 of time and raw body without anything in between, and the time
// are right.
func authentic(secret []byte, req gateway.Request, now time.Time) bool {
	var creds credentials
	if tolerant.Read(secret, &creds) != nil {
		return false
	}
	stamp := strings.TrimSpace(req.Header["webhook-timestamp"])
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || now.Sub(time.Unix(seconds, 0)).Abs() > callbackWindow {
		return false
	}
	found := false
	for _, key := range creds.Callback.Secrets {
		bytes := signingKey(key)
		mac := hmac.New(sha256.New, bytes)
		mac.Write([]byte(stamp))
		mac.Write(req.Body)
		want := mac.Sum(nil)
		for shown := range strings.SplitSeq(req.Header["webhook-signature"], ",") {
			text, versioned := strings.CutPrefix(strings.TrimSpace(shown), "v1=")
			sum, err := hex.DecodeString(text)
			if len(bytes) > 0 && versioned && err == nil && hmac.Equal(sum, want) {
				found = true
			}
		}
	}
	return found
}

// signingKey is the bytes of a secret: those that are written in base64 carry a prefix.
func signingKey(secret string) []byte {
	if encoded, ok := strings.CutPrefix(secret, "whsec_"); ok {
		if key, err := base64.StdEncoding.DecodeString(encoded); err == nil {
			return key
		}
	}
	return []byte(secret)
}

// translate takes what is about an identification.
func translate(req gateway.Request) ([]callback.Event, error) {
	var envelope struct {
		Type string `json:"type"`
		Data struct {
			Message jsontext.Value `json:"message"`
		} `json:"data"`
	}
	if tolerant.Read(req.Body, &envelope) != nil || envelope.Type == "" {
		return nil, errors.New("the body is not a webhook: a JSON object with type and data")
	}
	if envelope.Type != "identification_status" {
		return nil, nil
	}
	var message struct {
		ID     string `json:"id"`
		Status string `json:"status"`
	}
	if tolerant.Read(unwrapped(envelope.Data.Message), &message) != nil || !isUUID(message.ID) {
		return nil, errors.New("data/message: must name an identification")
	}
	state := states()[message.Status]
	if state == "" {
		state = "other"
	}
	event := callback.Event{
		Record: identificationRecord(canonicalID(message.ID)), Codes: map[string]string{"state": state},
	}
	return []callback.Event{event}, nil
}

// unwrapped takes a message out of the one member that may hold it under the name of its variant.
func unwrapped(message jsontext.Value) jsontext.Value {
	var members map[string]jsontext.Value
	if tolerant.Read(message, &members) != nil || len(members) != 1 {
		return message
	}
	for _, value := range members {
		if value.Kind() == '{' {
			return value
		}
	}
	return message
}

func acknowledge(status int, message string) gateway.Reply {
	if status == http.StatusUnauthorized {
		return unauthorized()
	}
	return failure(status, message)
}
