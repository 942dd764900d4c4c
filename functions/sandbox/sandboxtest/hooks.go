package sandboxtest

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"

	"sallyport/functions/sandbox"
)

// Hooks take a partner's callbacks: they remember what was read of each and answer with a status, in turn, at last
// always the same; 200 where there is none.
type Hooks[T any] struct {
	sync.Mutex
	Got      []T
	Statuses []int
}

// Take has a sandbox send its callbacks here; read makes of each what is remembered.
func (k *Hooks[T]) Take(o *sandbox.Options, read func(r *http.Request, body string) (T, error)) {
	o.Callbacks.BaseURL = func(context.Context) (string, error) { return "http://gateway", nil }
	o.Callbacks.Client = &http.Client{Transport: Transport(func(r *http.Request) (*http.Response, error) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		got, err := read(r, string(body))
		if err != nil {
			return nil, err
		}
		k.Lock()
		defer k.Unlock()
		k.Got = append(k.Got, got)
		w := httptest.NewRecorder()
		if len(k.Statuses) > 0 {
			w.WriteHeader(k.Statuses[0])
			if len(k.Statuses) > 1 {
				k.Statuses = k.Statuses[1:]
			}
		}
		return w.Result(), nil
	})}
}

// Transport answers callbacks in memory, so that a test can run in a bubble.
type Transport func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (f Transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
