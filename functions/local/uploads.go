package main

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"sallyport/shared/gateway"
	"sallyport/shared/vault"
)

// uploadsPath is where the local stack stands in for presigned requests to S3.
const uploadsPath = "/local/uploads/"

// uploads implements vault.Uploads: a plain PUT to a URL that can't be guessed. What was permitted is kept in memory;
// after a restart the caller asks anew.
type uploads struct {
	blobs vault.Blobs
	url   string
	now   func() time.Time

	mu        sync.Mutex
	permitted map[string]permit // by the URL's last part
}

type permit struct {
	key            string
	size           int64
	until, expires time.Time
}

// Upload implements vault.Uploads.
func (u *uploads) Upload(_ context.Context, key string, size int64, until, expires time.Time) (vault.Upload, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for token, p := range u.permitted {
		if !u.now().Before(p.until) {
			delete(u.permitted, token)
		}
	}
	token := rand.Text()
	u.permitted[token] = permit{key, size, until, expires}
	header := map[string]string{"Content-Type": "application/octet-stream"}
	return vault.Upload{URL: u.url + uploadsPath + token, Header: header}, nil
}

// ServeHTTP implements http.Handler.
func (u *uploads) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	u.mu.Lock()
	token := strings.TrimPrefix(r.URL.Path, uploadsPath)
	p, ok := u.permitted[token]
	u.mu.Unlock()
	if !ok || !u.now().Before(p.until) || r.Method != http.MethodPut {
		problem(w, http.StatusForbidden, "not_permitted", "no upload is permitted here, or not any more")
		return
	}
	blob, err := io.ReadAll(http.MaxBytesReader(w, r.Body, p.size))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge), err == nil && int64(len(blob)) != p.size:
		problem(w, http.StatusBadRequest, "other_size", "the file must have the size that was announced")
		return
	case err == nil:
		err = u.blobs.Put(r.Context(), p.key, blob, p.expires)
	}
	if err != nil {
		send(w, gateway.Unavailable())
		return
	}
	u.mu.Lock()
	delete(u.permitted, token)
	u.mu.Unlock()
	w.WriteHeader(http.StatusOK)
}
