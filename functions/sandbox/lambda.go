package sandbox

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"
)

// Invoke implements lambda.Handler. It answers an event of an API Gateway HTTP API, payload format 2.0, and on a
// scheduled event of EventBridge it calls DeliverDue. It returns an error only where that fails or where a fault would
// cut the connection, which a sandbox behind API Gateway (Options.Hijackable false) does not offer.
func (s *Sandbox) Invoke(ctx context.Context, payload []byte) (out []byte, err error) {
	var event struct {
		Source string `json:"source"`
		events.APIGatewayV2HTTPRequest
	}
	if err := json.Unmarshal(payload, &event); err != nil {
		return badEvent("it is not JSON of that form")
	}
	if event.Source == "aws.events" {
		ctx, cancel := context.WithTimeout(ctx, transactionTimeout) // ends before the function does
		defer cancel()
		return []byte("null"), s.DeliverDue(ctx)
	}
	r, err := requestOf(ctx, event.APIGatewayV2HTTPRequest)
	if err != nil {
		return badEvent("its body is not base64")
	}
	defer func() {
		if v := recover(); v == http.ErrAbortHandler {
			out, err = nil, errors.New("sandbox: connection cut")
		} else if v != nil {
			panic(v)
		}
	}()
	w := newBuffer()
	s.ServeHTTP(w, r)
	return json.Marshal(w.response())
}

// badEvent answers an event that holds no request.
func badEvent(why string) ([]byte, error) {
	w := newBuffer()
	writeProblem(w, NewProblem(http.StatusBadRequest, "the event holds no request: "+why))
	return json.Marshal(w.response())
}

// requestOf turns an event into a request.
func requestOf(ctx context.Context, event events.APIGatewayV2HTTPRequest) (*http.Request, error) {
	body := []byte(event.Body)
	if event.IsBase64Encoded {
		var err error
		if body, err = base64.StdEncoding.DecodeString(event.Body); err != nil {
			return nil, err
		}
	}
	// The path of a stage other than $default begins with its name.
	path := event.RawPath
	if stage := event.RequestContext.Stage; stage != "" && stage != "$default" {
		if rest, ok := strings.CutPrefix(path, "/"+stage+"/"); ok {
			path = "/" + rest
		}
	}
	u := &url.URL{Path: path, RawQuery: event.RawQueryString}
	if unescaped, err := url.PathUnescape(path); err == nil {
		u.Path, u.RawPath = unescaped, path
	}
	r := &http.Request{
		Method: event.RequestContext.HTTP.Method, URL: u, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{}, Body: http.NoBody, Host: event.RequestContext.DomainName,
		RemoteAddr: event.RequestContext.HTTP.SourceIP, RequestURI: u.RequestURI(),
	}
	for name, value := range event.Headers {
		r.Header.Set(name, value)
	}
	if len(event.Cookies) > 0 {
		r.Header.Set("Cookie", strings.Join(event.Cookies, "; "))
	}
	if len(body) > 0 {
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	}
	return r.WithContext(ctx), nil
}

// buffer is a response in memory.
type buffer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func newBuffer() *buffer { return &buffer{header: http.Header{}} }

func (b *buffer) Header() http.Header { return b.header }

func (b *buffer) WriteHeader(status int) {
	if b.status == 0 {
		b.status = status
	}
}

func (b *buffer) Write(p []byte) (int, error) {
	b.WriteHeader(http.StatusOK)
	return b.body.Write(p)
}

// response renders what was written: header names in lower case, duplicates joined, base64 for what is not text.
func (b *buffer) response() events.APIGatewayV2HTTPResponse {
	b.WriteHeader(http.StatusOK)
	out := events.APIGatewayV2HTTPResponse{StatusCode: b.status, Headers: map[string]string{}, Body: b.body.String()}
	for name, values := range b.header {
		if name == "Set-Cookie" {
			out.Cookies = values
			continue
		}
		out.Headers[strings.ToLower(name)] = strings.Join(values, ",")
	}
	if !utf8.Valid(b.body.Bytes()) {
		out.Body, out.IsBase64Encoded = base64.StdEncoding.EncodeToString(b.body.Bytes()), true
	}
	return out
}
