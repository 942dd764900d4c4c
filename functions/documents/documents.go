// Package documents takes what callers would rather not put into a journey's body: it goes straight to the vault, and
// its reference stands in the body instead.
package documents

import (
	"context"
	"encoding/base64"
	"log/slog"
	"mime"
	"net/http"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"sallyport/shared/gateway"
	"sallyport/shared/ledger"
	"sallyport/shared/vault"
)

const (
	// TTL is how long a document is kept, unless the journey that it is given to ends before.
	TTL = 24 * time.Hour
	// uploadTTL is how long an upload may be begun.
	uploadTTL = 10 * time.Minute
	// maxUpload is in bytes: the largest file that a partner takes as base64, and an operation holds in memory.
	maxUpload = 8 << 20

	scope = "journeys"
)

// Create serves POST /documents. A JSON body is kept as that value; any other is kept as the base64 text that partners
// take images and files as. With ?upload=<bytes> and no body it answers with a request by which the caller puts a file
// there itself.
func Create(
	v *vault.Vault, auth *gateway.Authenticator, log *slog.Logger, now func() time.Time, newID func() string,
) gateway.Route {
	return gateway.Route{Auth: auth, Scope: scope, Log: log,
		Serve: func(ctx context.Context, caller ledger.Caller, req gateway.Request) (gateway.Reply, error) {
			size, isUpload, err := uploadSize(req)
			if err != nil {
				return gateway.Reply{}, err
			}
			created := created{ID: newID(), ExpiresAt: now().Add(TTL).UTC()}
			if isUpload {
				var upload vault.Upload
				created.ID, upload, err = v.Upload(ctx, caller.Tenant, created.ID, size, now().Add(uploadTTL), created.ExpiresAt)
				created.Upload = &uploadRequest{http.MethodPut, upload, now().Add(uploadTTL).UTC()}
			} else {
				var value jsontext.Value
				if value, err = document(req); err == nil {
					err = v.Put(ctx, caller.Tenant, created.ID, value, created.ExpiresAt)
				}
			}
			if err != nil {
				return gateway.Reply{}, err
			}
			body, err := json.Marshal(created, json.Deterministic(true))
			return gateway.JSON(http.StatusCreated, body), err
		}}
}

// created is the answer.
type created struct {
	ID        string         `json:"document_id"`
	ExpiresAt time.Time      `json:"expires_at"`
	Upload    *uploadRequest `json:"upload,omitzero"`
}

// uploadRequest is what the caller has to send.
type uploadRequest struct {
	Method       string `json:"method"`
	vault.Upload `json:",inline"`
	ExpiresAt    time.Time `json:"expires_at"` // until when
}

// uploadSize reads ?upload=<bytes>.
func uploadSize(req gateway.Request) (size int64, isUpload bool, err error) {
	text := req.Query["upload"]
	if text == "" {
		return 0, false, nil
	}
	size, err = strconv.ParseInt(text, 10, 64)
	if err != nil || size < 1 || size > maxUpload {
		reason := "must be the file's size in bytes, from 1 to " + strconv.Itoa(maxUpload)
		return 0, true, &gateway.InputError{Pointer: "upload", Reason: reason}
	}
	if len(req.Body) > 0 {
		return 0, true, &gateway.InputError{Pointer: "upload", Reason: "is for files that are not sent along"}
	}
	return size, true, nil
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
