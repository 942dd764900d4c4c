package iron

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

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
	var sums [][]byte
	for _, shown := range callback.Signatures(req.Header["webhook-signature"]) {
		text, versioned := strings.CutPrefix(shown, "v1=")
		if sum, err := hex.DecodeString(text); versioned && err == nil {
			sums = append(sums, sum)
		}
	}
	return callback.AnyOf(creds.Callback.Secrets, func(secret string) bool {
		found := false
		for _, key := range signingKeys(secret) {
			mac := hmac.New(sha256.New, key)
			mac.Write([]byte(stamp))
			mac.Write(req.Body)
			want := mac.Sum(nil)
			for _, sum := range sums {
				if hmac.Equal(sum, want) {
					found = true
				}
			}
		}
		return found
	})
}

// signingKeys are the bytes that a secret may stand for, as Iron doesn't tell how it writes them: its text, and what
// that says in base64, before which a prefix may stand.
func signingKeys(secret string) [][]byte {
	encoded := strings.TrimPrefix(secret, "whsec_")
	if encoded == "" {
		return nil
	}
	keys := [][]byte{[]byte(secret)}
	if key := tolerant.Base64(encoded); key != nil {
		keys = append(keys, key)
	}
	return keys
}

// translate takes what is about an identification.
func translate(req gateway.Request) ([]callback.Event, error) {
	m := tolerant.ReadObject(req.Body)
	if m == nil {
		return nil, errors.New("the body is not a JSON object")
	}
	message := unwrapped(m.Object("data").Object("message"))
	id := message.Word("id")
	if m.Word("type") != "identification_status" || !isUUID(id) {
		return nil, nil
	}
	state := states()[message.Word("status")]
	if state == "" {
		state = "other"
	}
	event := callback.Event{Record: identificationRecord(canonicalID(id)), Codes: map[string]string{"state": state}}
	return []callback.Event{event}, nil
}

// unwrapped takes a message out of the one member that may hold it under the name of its variant.
func unwrapped(message tolerant.Object) tolerant.Object {
	for name := range message {
		if inner := message.Object(name); len(message) == 1 && inner != nil {
			return inner
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
