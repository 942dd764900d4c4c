// Package gateway turns API Gateway HTTP API events (payload format 2.0) into requests and answers back into events,
// reads JSON strictly, tells who is calling, and serves Sallyport's own routes, whose errors are problem+json.
package gateway

import (
	"encoding/base64"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"
)

// MaxBody is the largest body that reaches a function, in bytes: a Lambda takes 6 MB, of which base64 takes a third.
const MaxBody = 4_500_000

// Request is one HTTP request. Header names are lower-case; duplicates have been joined by commas.
type Request struct {
	ID     string            // API Gateway's request id
	Method string            //
	Path   string            // as sent, still escaped
	Params map[string]string // path parameters, unescaped
	Query  map[string]string // query parameters, unescaped
	Header map[string]string
	Body   []byte
	Size   int64 // of the body as announced; over the function's limit the body may be missing
}

// Reply is one HTTP answer.
type Reply struct {
	Status      int
	ContentType string // empty for an empty body
	Body        []byte
	Header      map[string]string
}

// With returns a copy of the reply with one more header.
func (r Reply) With(name, value string) Reply {
	header := map[string]string{name: value}
	for k, v := range r.Header {
		if k != name {
			header[k] = v
		}
	}
	r.Header = header
	return r
}

// WithRetryAfter adds a Retry-After header in whole seconds, at least 1.
func (r Reply) WithRetryAfter(d time.Duration) Reply {
	return r.With("Retry-After", strconv.Itoa(max(1, int((d+time.Second-1)/time.Second))))
}

// FromEvent makes a Request. A body that claims to be base64 and isn't comes back as an *InputError.
func FromEvent(e events.APIGatewayV2HTTPRequest) (Request, error) {
	req := Request{
		ID:     e.RequestContext.RequestID,
		Method: e.RequestContext.HTTP.Method,
		Path:   e.RawPath,
		Params: e.PathParameters,
		Query:  e.QueryStringParameters,
		Header: make(map[string]string, len(e.Headers)),
		Body:   []byte(e.Body),
	}
	for name, value := range e.Headers {
		req.Header[strings.ToLower(name)] = value
	}
	if e.IsBase64Encoded {
		body, err := base64.StdEncoding.DecodeString(e.Body)
		if err != nil {
			return req, &InputError{Reason: "body is not base64"}
		}
		req.Body = body
	}
	req.Size = int64(len(req.Body))
	if announced, err := strconv.ParseInt(req.Header["content-length"], 10, 64); err == nil {
		req.Size = max(req.Size, announced)
	}
	return req, nil
}

// Event makes an API Gateway response. Bodies that are not text are sent as base64.
func (r Reply) Event() events.APIGatewayV2HTTPResponse {
	event := events.APIGatewayV2HTTPResponse{StatusCode: r.Status, Headers: map[string]string{}}
	for name, value := range r.Header {
		event.Headers[name] = value
	}
	if len(r.Body) == 0 {
		return event
	}
	event.Headers["Content-Type"] = r.ContentType
	if utf8.Valid(r.Body) {
		event.Body = string(r.Body)
	} else {
		event.Body, event.IsBase64Encoded = base64.StdEncoding.EncodeToString(r.Body), true
	}
	return event
}

// IdempotencyKey reads the Idempotency-Key header: 1 to 255 visible ASCII characters, quoted or not. It returns an
// empty key when there is no such header and an *InputError when it is malformed or there are two.
func IdempotencyKey(header map[string]string) (string, error) {
	value, ok := header["idempotency-key"]
	if !ok {
		return "", nil
	}
	key := strings.TrimSpace(value)
	if len(key) >= 2 && key[0] == '"' && key[len(key)-1] == '"' {
		key = key[1 : len(key)-1]
	} else if strings.Contains(key, ",") {
		return "", &InputError{Pointer: "Idempotency-Key", Reason: "must stand once, and be quoted where it has a comma"}
	}
	if len(key) == 0 || len(key) > 255 {
		return "", &InputError{Pointer: "Idempotency-Key", Reason: "must have 1 to 255 characters"}
	}
	for _, c := range []byte(key) {
		if c < 0x20 || c > 0x7e || c == '"' {
			return "", &InputError{Pointer: "Idempotency-Key", Reason: "must be visible ASCII characters without quotes inside, and stand once"}
		}
	}
	return key, nil
}

// JSON makes a JSON reply of an encoded body.
func JSON(status int, body []byte) Reply {
	return Reply{Status: status, ContentType: "application/json", Body: body}
}

// Empty makes a reply without a body.
func Empty(status int) Reply { return Reply{Status: status} }

// TooLarge reports whether a request's body exceeds a limit in bytes; zero stands for MaxBody.
func (r Request) TooLarge(limit int64) bool {
	if limit == 0 {
		limit = MaxBody
	}
	return r.Size > limit
}
