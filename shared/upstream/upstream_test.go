package upstream_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sallyport/shared/upstream"
)

func MustRequest(t *testing.T, method, url string) *http.Request {
	t.Helper()
	req, err := http.NewRequest(method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Idempotency-Key", "k") // by which net/http would repeat a POST
	return req
}

// server counts requests and answers them.
func server(t *testing.T, handler http.HandlerFunc) (url string, arrived *atomic.Int64) {
	arrived = &atomic.Int64{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		arrived.Add(1)
		_, _ = io.Copy(io.Discard, r.Body)
		handler(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL, arrived
}

func TestAnswered(t *testing.T) {
	url, _ := server(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X", "y")
		w.WriteHeader(418)
		fmt.Fprintf(w, "%s %d", r.Method, r.ContentLength)
	})
	for method, body := range map[string]string{"POST": "hello", "GET": "", "PUT": ""} {
		resp, err := upstream.New().Do(t.Context(), MustRequest(t, method, url), []byte(body), 0)
		if want := fmt.Sprintf("%s %d", method, len(body)); err != nil || resp.Status != 418 || string(resp.Body) != want ||
			resp.Header.Get("X") != "y" {
			t.Errorf("%s: %+v, %v", method, resp, err)
		}
	}
}

func TestNotSent(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refused := "http://" + listener.Addr().String()
	listener.Close()
	plain, _ := server(t, func(http.ResponseWriter, *http.Request) {})
	for name, url := range map[string]string{
		"Refused": refused, "NoSuchHost": "http://nowhere.invalid", "NotTLS": strings.Replace(plain, "http:", "https:", 1),
	} {
		_, err := upstream.New().Do(t.Context(), MustRequest(t, "POST", url), []byte("x"), 0)
		var notSent *upstream.NotSentError
		if !errors.As(err, &notSent) || strings.Contains(err.Error(), "127.0.0.1") {
			t.Errorf("%s: %v", name, err)
		}
	}
	t.Run("DeadlineBefore", func(t *testing.T) {
		url, arrived := server(t, func(http.ResponseWriter, *http.Request) {})
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := upstream.New().Do(ctx, MustRequest(t, "POST", url), []byte("x"), 0)
		var notSent *upstream.NotSentError
		if !errors.As(err, &notSent) || arrived.Load() != 0 {
			t.Errorf("%v, %d arrived", err, arrived.Load())
		}
	})
}

func TestLost(t *testing.T) {
	for name, handler := range map[string]http.HandlerFunc{
		"HungUp": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"Truncated": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = w.Write([]byte("half"))
		},
		"TooLarge": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, upstream.MaxBody+1)) },
		"Headers":  func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X", strings.Repeat("x", 100<<10)) },
		"TimedOut": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
	} {
		t.Run(name, func(t *testing.T) {
			url, arrived := server(t, handler)
			timeout := 10 * time.Second
			if name == "TimedOut" {
				timeout = 300 * time.Millisecond
			}
			_, err := upstream.New(upstream.WithTimeout(timeout)).Do(t.Context(), MustRequest(t, "POST", url), []byte("x"), 0)
			var lost *upstream.LostError
			if !errors.As(err, &lost) || arrived.Load() != 1 || strings.Contains(err.Error(), url) {
				t.Errorf("%v, %d arrived", err, arrived.Load())
			}
			if name == "TooLarge" && !errors.Is(err, upstream.ErrTooLarge) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestLimitIsInclusive(t *testing.T) {
	url, _ := server(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, upstream.MaxBody)) })
	if resp, err := upstream.New().Do(t.Context(), MustRequest(t, "GET", url), nil, 0); err != nil ||
		len(resp.Body) != upstream.MaxBody {
		t.Errorf("%d bytes, %v", len(resp.Body), err)
	}
}

// TestNothingIsSentTwice reuses a connection that the server closes upon the second request: net/http repeats a POST
// that has an idempotency header and a replayable body.
func TestNothingIsSentTwice(t *testing.T) {
	for _, body := range []string{"x", ""} {
		var n atomic.Int64
		url, arrived := server(t, func(http.ResponseWriter, *http.Request) {
			if n.Add(1) == 2 {
				panic(http.ErrAbortHandler)
			}
		})
		c := upstream.New()
		req := MustRequest(t, "POST", url)
		if _, err := c.Do(t.Context(), req, []byte(body), 0); err != nil {
			t.Fatal(err)
		}
		var lost *upstream.LostError
		if _, err := c.Do(t.Context(), req, []byte(body), 0); !errors.As(err, &lost) || arrived.Load() != 2 {
			t.Errorf("a POST of %q arrived %d times, %v", body, arrived.Load()-1, err)
		}
		if _, err := c.Do(t.Context(), req, []byte(body), 0); err != nil || req.Header.Get("Idempotency-Key") != "k" {
			t.Errorf("the request was changed, or %v", err)
		}
	}
}

func TestRedirectsAreAnswers(t *testing.T) {
	url, arrived := server(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	})
	resp, err := upstream.New().Do(t.Context(), MustRequest(t, "POST", url), []byte("x"), 0)
	if err != nil || resp.Status != 307 || arrived.Load() != 1 {
		t.Errorf("%+v, %v, %d arrived", resp, err, arrived.Load())
	}
}

func TestSlowAnswerIsCut(t *testing.T) {
	release := make(chan bool)
	url, _ := server(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(200)
		w.(http.Flusher).Flush()
		<-release
	})
	defer close(release)
	_, err := upstream.New(
		upstream.WithTimeout(300*time.Millisecond),
	).Do(t.Context(), MustRequest(t, "POST", url), []byte("x"), 0)
	var lost *upstream.LostError
	if !errors.As(err, &lost) || !strings.Contains(err.Error(), "deadline") {
		t.Errorf("got %v", err)
	}
}
