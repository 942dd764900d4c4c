// Package documents takes what callers would rather not put into a journey's body: it goes straight to the vault, and
// its reference stands in the body instead.
package documents

import (
	"context"
	"encoding/base64"
	"log/slog"
	"mime"
	"net/http"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"sallyport/shared/gateway"
	"sallyport/shared/ledger"
	"sallyport/shared/vault"
)

// TTL is how long a document is kept, unless the journey that it is given to ends before.
const TTL = 24 * time.Hour

const scope = "journeys"

// Create serves POST /documents. A JSON body is kept as that value; any other is kept as the base64 text that partners
// take images and files as.
func Create(v *vault.Vault, auth *gateway.Authenticator, log *slog.Logger, now func() time.Time, newID func() string) gateway.Route {
	return gateway.Route{Auth: auth, Scope: scope, Log: log,
		Serve: func(ctx context.Context, caller ledger.Caller, req gateway.Request) (gateway.Reply, error) {
			value, err := document(req)
			if err != nil {
				return gateway.Reply{}, err
			}
			id, expires := newID(), now().Add(TTL)
			if err := v.Put(ctx, caller.Tenant, id, value, expires); err != nil {
				return gateway.Reply{}, err
			}
			body, err := json.Marshal(struct {
				ID        string    `json:"document_id"`
				ExpiresAt time.Time `json:"expires_at"`
			}{id, expires.UTC()})
			return gateway.JSON(http.StatusCreated, body), err
		}}
}

func document(req gateway.Request) (jsontext.Value, error) {
	media, _, err := mime.ParseMediaType(req.Header["content-type"])
	switch {
	case err != nil:
		return nil, &gateway.InputError{Pointer: "Content-Type", Reason: "must say what the document is"}
	case len(req.Body) == 0:
		return nil, &gateway.InputError{Reason: "body is empty"}
	case media == "application/json":
		var value jsontext.Value
		err := gateway.DecodeJSON(req.Body, &value)
		return value, err
	}
	return json.Marshal(base64.StdEncoding.EncodeToString(req.Body))
}
