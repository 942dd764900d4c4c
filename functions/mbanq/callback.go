package mbanq

import (
	"context"
	"crypto/hmac"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"

	"github.com/go-json-experiment/json"

	"sallyport/shared/callback"
	"sallyport/shared/gateway"
	"sallyport/shared/tolerant"
)

// Callback is a webhook about a client (§10). Its body is inferred, so it is a hint: it ends the waits for the
// client, and they ask the partner.
func Callback(Config) callback.Receiver {
	return callback.Receiver{
		Name: "mbanq/callback",
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

// authentic reports whether the signature is right: HMAC-SHA512 of the raw body, in hexadecimal or base64.
func authentic(secret []byte, req gateway.Request) bool {
	var creds credentials
	if tolerant.Read(secret, &creds) != nil {
		return false
	}
	shown := strings.TrimSpace(req.Header["signature"])
	sum, err := hex.DecodeString(shown)
	if err != nil {
		if sum, err = base64.StdEncoding.DecodeString(shown); err != nil {
			return false
		}
	}
	found := false
	for _, key := range creds.Callback.Secrets {
		mac := hmac.New(sha512.New, []byte(key))
		mac.Write(req.Body)
		if key != "" && hmac.Equal(mac.Sum(nil), sum) {
			found = true
		}
	}
	return found
}

// translate takes what is about a client.
func translate(req gateway.Request) ([]callback.Event, error) {
	var m tolerant.Object
	if err := json.Unmarshal(req.Body, &m); err != nil {
		return nil, errors.New("the body is not a JSON object")
	}
	id := idOf(m.Object("payload"), "clientId")
	if id == "" {
		id = idOf(m.Object("payload"), "resourceId")
	}
	if m.String("entity") != "CLIENT" || id == "" {
		return nil, errors.New("entity and payload/clientId: must name a client")
	}
	action := m.String("action")
	if !isWord(action) {
		action = "other"
	}
	return []callback.Event{{Record: clientRecord(id), Codes: map[string]string{"action": action}}}, nil
}

func acknowledge(status int, message string) gateway.Reply {
	return render(status, struct {
		Message string `json:"message"`
	}{message})
}
