package mbanq

import (
	"context"
	"crypto/hmac"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"strings"

	"sallyport/shared/callback"
	"sallyport/shared/gateway"
	"sallyport/shared/tolerant"
)

// Callback is a webhook (§10). Its body is inferred, so that about a client is a hint: it ends the waits for the
// client, and they ask the partner. Others are acknowledged and make no event.
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

// signaturePrefix may name the algorithm, as other senders of signatures do.
const signaturePrefix = "sha512="

// authentic reports whether a signature is right: HMAC-SHA512 of the raw body, in hexadecimal or base64.
func authentic(secret []byte, req gateway.Request) bool {
	var creds credentials
	if tolerant.Read(secret, &creds) != nil {
		return false
	}
	var sums [][]byte
	for _, shown := range callback.Signatures(req.Header["signature"]) {
		if n := len(signaturePrefix); len(shown) > n && strings.EqualFold(shown[:n], signaturePrefix) {
			shown = shown[n:]
		}
		sum, err := hex.DecodeString(shown)
		if err != nil {
			sum = tolerant.Base64(shown)
		}
		sums = append(sums, sum)
	}
	return callback.AnyOf(creds.Callback.Secrets, func(key string) bool {
		mac := hmac.New(sha512.New, []byte(key))
		mac.Write(req.Body)
		want, found := mac.Sum(nil), false
		for _, sum := range sums {
			if hmac.Equal(want, sum) {
				found = true
			}
		}
		return found
	})
}

// translate takes what is about a client. Accounts, cards and loans have webhooks as well.
func translate(req gateway.Request) ([]callback.Event, error) {
	m := tolerant.ReadObject(req.Body)
	if m == nil {
		return nil, errors.New("the body is not a JSON object")
	}
	id := idOf(m.Object("payload"), "clientId")
	if id == "" {
		id = idOf(m.Object("payload"), "resourceId")
	}
	if !strings.EqualFold(m.Word("entity"), "CLIENT") || id == "" {
		return nil, nil
	}
	action := m.Word("action")
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
