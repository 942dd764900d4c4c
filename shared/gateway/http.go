// Package gateway turns API Gateway HTTP API events (payload format 2.0) into requests and answers back into events,
// reads JSON strictly, tells who is calling, and serves Sallyport's own routes, whose errors are problem+json.
package gateway

import (
	"bytes"
	"encoding/base64"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// MaxBody is the largest body that reaches a function, in bytes: a Lambda takes 6 MB, of which base64 takes a third.
const MaxBody = 4_500_000

// Request is one HTTP request, or what a state machine asks for in its place. Header names are lower-case; duplicates
// have been joined by commas.
type Request struct {
	// FromStateMachine: a Task state asks, so there is no Method, Path or Header, and the body is the task's.
	FromStateMachine bool

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

// With returns a copy of the reply with further headers, as names and values in turn.
func (r Reply) With(headers ...string) Reply {
	header := make(map[string]string, len(r.Header)+len(headers)/2)
	maps.Copy(header, r.Header)
	for i := 0; i < len(headers); i += 2 {
		header[headers[i]] = headers[i+1]
	}
	r.Header = header
	return r
}

// RetryAfter is the value of a Retry-After header: whole seconds, at least 1.
func RetryAfter(d time.Duration) string {
	return strconv.Itoa(max(1, int((d+time.Second-1)/time.Second)))
}

// ErrNotEvent: the payload is no event of an HTTP API.
var ErrNotEvent = errors.New("gateway: the payload is not an API Gateway event")

// ParseEvent makes a Request of an event. Its errors are ErrNotEvent, and beside the request an *InputError where the
// body claims to be base64 and isn't.
func ParseEvent(payload []byte) (Request, error) {
	var event struct { // what is read of events.APIGatewayV2HTTPRequest
		RawPath        string            `json:"rawPath"`
		Headers        map[string]string `json:"headers"`
		Query          map[string]string `json:"queryStringParameters"`
		Params         map[string]string `json:"pathParameters"`
		RequestContext struct {
			RequestID string `json:"requestId"`
			HTTP      struct {
				Method string `json:"method"`
			} `json:"http"`
		} `json:"requestContext"`
		Body            string `json:"body"`
		IsBase64Encoded bool   `json:"isBase64Encoded"`
	}
	err := json.Unmarshal(payload, &event, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	if err != nil {
		return Request{}, ErrNotEvent
	}
	req := Request{
		ID:     event.RequestContext.RequestID,
		Method: event.RequestContext.HTTP.Method,
		Path:   event.RawPath,
		Params: event.Params,
		Query:  event.Query,
		Header: make(map[string]string, len(event.Headers)),
		Body:   []byte(event.Body),
	}
	for name, value := range event.Headers {
		req.Header[strings.ToLower(name)] = value
	}
	if event.IsBase64Encoded {
		body, err := base64.StdEncoding.DecodeString(event.Body)
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

// FirstMember returns which of some names the first member of a JSON object has that has one of them; empty where no
// member has, or the text is no object. What follows that member is not read.
func FirstMember(text []byte, names ...string) string {
	decoder := jsontext.NewDecoder(
		bytes.NewBuffer(text), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true),
	)
	if token, err := decoder.ReadToken(); err != nil || token.Kind() != '{' {
		return ""
	}
	for decoder.PeekKind() == '"' {
		token, err := decoder.ReadToken()
		if err != nil {
			return ""
		}
		if name := token.String(); slices.Contains(names, name) {
			return name
		}
		if decoder.SkipValue() != nil {
			return ""
		}
	}
	return ""
}

// Event makes an API Gateway response, as events.APIGatewayV2HTTPResponse has it. Bodies that are not text are sent as
// base64.
func (r Reply) Event() []byte {
	names := make([]string, 0, 8)
	for name := range r.Header {
		names = append(names, name)
	}
	slices.Sort(names)
	text := make([]byte, 0, len(r.Body)+len(r.Body)/8+512)
	text = strconv.AppendInt(append(text, `{"statusCode":`...), int64(r.Status), 10)
	text = append(text, `,"headers":{`...)
	for i, name := range names {
		if i > 0 {
			text = append(text, ',')
		}
		text = appendQuoted(append(appendQuoted(text, name), ':'), r.Header[name])
	}
	body := r.Body
	if len(body) > 0 {
		if len(names) > 0 {
			text = append(text, ',')
		}
		text = appendQuoted(append(text, `"Content-Type":`...), r.ContentType)
	}
	if !utf8.Valid(body) {
		body = base64.StdEncoding.AppendEncode(nil, body)
		text = append(text, `},"isBase64Encoded":true`...)
	} else {
		text = append(text, '}')
	}
	return append(appendQuoted(append(text, `,"body":`...), body), '}')
}

// appendQuoted appends a JSON string, in which broken UTF-8 is replaced.
func appendQuoted[Text string | []byte](out []byte, text Text) []byte {
	out, _ = jsontext.AppendQuote(out, text)
	return out
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
			return "",
				&InputError{
					Pointer: "Idempotency-Key", Reason: "must be visible ASCII characters without quotes inside, and stand once",
				}
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
