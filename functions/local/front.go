package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"sallyport/shared/gateway"
	"sallyport/shared/operation"
)

// drainLimit is how much of a body that is too large is still read, so that its sender gets to see the answer.
const drainLimit = 32 << 20

// front stands where the HTTP API stands: it turns requests into events of payload format 2.0, picks the function by
// route, and turns what that answers back. One difference: a body that AWS would refuse by itself is withheld and the
// function invoked without it, so that its refusal has the route's own shape.
type front struct {
	routes   []route
	handlers map[string]lambda.Handler // by folder
	direct   map[string]http.Handler   // those that need the connection itself
	log      *slog.Logger
	newID    func() string
}

// ServeHTTP implements http.Handler.
func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := r.URL.EscapedPath()
	segments := strings.Split(strings.TrimPrefix(path, "/"), "/")
	for i, segment := range segments {
		if plain, err := url.PathUnescape(segment); err == nil {
			segments[i] = plain
		}
	}
	route, params, ok := match(f.routes, r.Method, segments)
	if !ok {
		awsError(w, http.StatusNotFound, "Not Found")
		return
	}
	if handler := f.direct[route.service]; handler != nil {
		handler.ServeHTTP(w, r)
		return
	}
	event, err := f.event(r, path, route, params)
	if err != nil {
		awsError(w, http.StatusBadRequest, "Bad Request")
		return
	}
	response, err := f.invoke(r, route, event)
	if err != nil {
		f.log.Error("function failed", "function", route.service, "request_id", event.RequestContext.RequestID, "cause", err)
		awsError(w, http.StatusInternalServerError, "Internal Server Error")
		return
	}
	respond(w, response)
}

func (f *front) event(
	r *http.Request, path string, route route, params map[string]string,
) (events.APIGatewayV2HTTPRequest, error) {
	body, size, err := readBody(r)
	if err != nil {
		return events.APIGatewayV2HTTPRequest{}, err
	}
	headers := map[string]string{"host": r.Host}
	for name, values := range r.Header {
		headers[strings.ToLower(name)] = strings.Join(values, ",")
	}
	if size > 0 {
		headers["content-length"] = strconv.FormatInt(size, 10)
	}
	query := map[string]string{}
	for name, values := range r.URL.Query() {
		query[name] = strings.Join(values, ",")
	}
	source, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		source = r.RemoteAddr
	}
	now := time.Now()
	event := events.APIGatewayV2HTTPRequest{
		Version: "2.0", RouteKey: route.key(), RawPath: path, RawQueryString: r.URL.RawQuery,
		Headers: headers, QueryStringParameters: query, PathParameters: params,
		RequestContext: events.APIGatewayV2HTTPRequestContext{
			RouteKey: route.key(), Stage: "$default", RequestID: f.newID(), DomainName: r.Host, APIID: "local",
			AccountID: "anonymous",
			Time:      now.UTC().Format("02/Jan/2006:15:04:05 -0700"), TimeEpoch: now.UnixMilli(),
			HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{
				Method: r.Method, Path: path, Protocol: r.Proto, SourceIP: source, UserAgent: r.UserAgent(),
			},
		},
		Body: string(body),
	}
	if len(body) > 0 && (!isText(r.Header.Get("Content-Type")) || !utf8.Valid(body)) {
		event.Body, event.IsBase64Encoded = base64.StdEncoding.EncodeToString(body), true
	}
	return event, nil
}

// readBody returns the body and its size; only the size of one that no Lambda would take.
func readBody(r *http.Request) (body []byte, size int64, err error) {
	body, err = io.ReadAll(io.LimitReader(r.Body, gateway.MaxBody+1))
	if err != nil {
		return nil, 0, err
	}
	size = int64(len(body))
	if size <= gateway.MaxBody {
		return body, size, nil
	}
	rest, err := io.Copy(io.Discard, io.LimitReader(r.Body, drainLimit))
	return nil, max(size+rest, r.ContentLength), err
}

// isText tells which bodies the HTTP API passes on as they are; all others travel as base64.
func isText(contentType string) bool {
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return false
	}
	return strings.HasPrefix(media, "text/") || media == "application/json" || media == "application/xml" ||
		media == "application/javascript" || strings.HasSuffix(media, "+json") || strings.HasSuffix(media, "+xml")
}

// invoke runs a function as Lambda would: with a deadline of its own, whether or not the client is still there.
func (f *front) invoke(
	r *http.Request, route route, event events.APIGatewayV2HTTPRequest,
) (response events.APIGatewayV2HTTPResponse, err error) {
	defer func() {
		if value := recover(); value != nil {
			err = fmt.Errorf("panic of type %T", value)
		}
	}()
	payload, err := json.Marshal(event)
	if err != nil {
		return response, err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), operation.InvocationTimeout)
	defer cancel()
	ctx = lambdacontext.NewContext(ctx, &lambdacontext.LambdaContext{AwsRequestID: event.RequestContext.RequestID})
	answer, err := f.handlers[route.service].Invoke(ctx, payload)
	if err != nil {
		return response, err
	}
	return response, json.Unmarshal(answer, &response)
}

func respond(w http.ResponseWriter, response events.APIGatewayV2HTTPResponse) {
	body := []byte(response.Body)
	if response.IsBase64Encoded {
		var err error
		if body, err = base64.StdEncoding.DecodeString(response.Body); err != nil {
			awsError(w, http.StatusInternalServerError, "Internal Server Error")
			return
		}
	}
	for name, value := range response.Headers {
		w.Header().Set(name, value)
	}
	if len(body) == 0 {
		w.Header()["Content-Type"] = nil // keeps net/http from inventing one
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(response.StatusCode)
	_, _ = w.Write(body) // a client that has gone gets its answer by key
}

// awsError answers as AWS itself does where no function is reached or one fails.
func awsError(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"message":%q}`, message)
}
