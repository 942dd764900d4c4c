package gateway_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	jsonv2 "github.com/go-json-experiment/json"

	"sallyport/shared/gateway"
	"sallyport/shared/ledger"
	"sallyport/shared/seal"
	"sallyport/shared/telemetry"
)

func TestParseEvent(t *testing.T) {
	parse := func(event events.APIGatewayV2HTTPRequest) (gateway.Request, error) {
		payload, err := json.Marshal(event)
		if err != nil {
			t.Fatal(err)
		}
		return gateway.ParseEvent(payload)
	}
	req, err := parse(events.APIGatewayV2HTTPRequest{
		Headers:         map[string]string{"X-API-Key": "k", "Content-Length": "12"},
		Body:            base64.StdEncoding.EncodeToString([]byte("\xffbody")),
		IsBase64Encoded: true, PathParameters: map[string]string{"id": "1"},
		QueryStringParameters: map[string]string{"a": "b"},
		RawPath:               "/x%20y", RequestContext: events.APIGatewayV2HTTPRequestContext{
			RequestID: "req-1", HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{Method: "PUT"},
		},
	})
	if err != nil || string(req.Body) != "\xffbody" || req.Header["x-api-key"] != "k" || req.Size != 12 ||
		req.Params["id"] != "1" ||
		req.Query["a"] != "b" || req.Path != "/x%20y" || req.ID != "req-1" || req.Method != "PUT" {
		t.Errorf("got %+v, %v", req, err)
	}
	var input *gateway.InputError
	named := events.APIGatewayV2HTTPRequestContext{RequestID: "req-1"}
	req, err = parse(events.APIGatewayV2HTTPRequest{Body: "~", IsBase64Encoded: true, RequestContext: named})
	if !errors.As(err, &input) || req.ID != "req-1" {
		t.Errorf("got %+v, %v", req, err)
	}
	odd := `{"version":"2.0","authorizer":[1],"body":null,"headers":null,"headers":{"a":"` + "\xff" + `"}}`
	if _, err := gateway.ParseEvent([]byte(odd)); err != nil {
		t.Errorf("got %v", err)
	}
	for _, payload := range []string{``, `[]`, `{"body":{}}`, `{"body":"a"`, `{"headers":[]}`} {
		if _, err := gateway.ParseEvent([]byte(payload)); err != gateway.ErrNotEvent {
			t.Errorf("%s: got %v", payload, err)
		}
	}
}

func TestFirstMember(t *testing.T) {
	for text, want := range map[string]string{
		`{"version":"2.0","task":{}}`: "version", `{"body":{"version":1},"task":null}`: "task", ` {"\u0074ask":`: "task",
		`{"task":{}}`: "task", `{"x":"task"}`: "", `{"x":[1,{"task":2}],`: "", `["task"]`: "",
		`"task"`: "", `{"x":,"task":1}`: "", `{`: "", ``: "",
	} {
		if got := gateway.FirstMember([]byte(text), "task", "version"); got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}

func TestReplyEvent(t *testing.T) {
	for name, test := range map[string]struct {
		reply gateway.Reply
		want  string
	}{
		"Text":    {gateway.JSON(200, []byte(`{"a":" leading \"space\" <é>\n"}`)), `{"a":" leading \"space\" <é>\n"}`},
		"Binary":  {gateway.Reply{Status: 200, ContentType: "image/png", Body: []byte{0xff, 0}}, "/wA="},
		"Empty":   {gateway.Empty(503), ""},
		"Headers": {gateway.Empty(204).With("B", "\"\\\x00", "C", "3"), ""},
	} {
		reply := test.reply.With("A", "1").With("A", "2", "Retry-After", gateway.RetryAfter(1500*time.Millisecond))
		var event events.APIGatewayV2HTTPResponse
		if err := json.Unmarshal(reply.Event(), &event); err != nil {
			t.Fatalf("%s: %s: %v", name, reply.Event(), err)
		}
		if event.StatusCode != test.reply.Status || event.Body != test.want || event.IsBase64Encoded != (name == "Binary") {
			t.Errorf("%s: %+v", name, event)
		}
		want := map[string]string{"A": "2", "Retry-After": "2"}
		maps.Copy(want, test.reply.Header)
		if event.Body != "" {
			want["Content-Type"] = test.reply.ContentType
		}
		if !maps.Equal(event.Headers, want) || test.reply.Header["A"] != "" {
			t.Errorf("%s: headers %v, want %v", name, event.Headers, want)
		}
		if err := json.Unmarshal(test.reply.Event(), &event); err != nil { // whatever headers there are, or none
			t.Errorf("%s: %s: %v", name, test.reply.Event(), err)
		}
	}
}

// TestKeysMatrix: an X-API-Key of our making decides; any other may be meant for somebody else.
func TestKeysMatrix(t *testing.T) {
	basic := func(pair string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(pair)) }
	bare := strings.TrimRight(basic("u:spk_ab"), "=")
	for name, test := range map[string]struct {
		apiKey, authorization string
		want                  string
	}{
		"None":             {"", "", ""},
		"APIKey":           {" spk_k ", "", "spk_k"},
		"APIKeyWins":       {"spk_k", "Bearer other", "spk_k"},
		"TokenWins":        {"sgt_k", "Bearer other", "sgt_k"},
		"Foreign":          {" k ", "", "k body"},
		"ForeignAndBearer": {"k", "Bearer other", "other k body"},
		"ForeignAndBasic":  {"k", basic("u:p"), "p k body"},
		"Blank":            {" ", "Bearer k", "k body"},
		"Bearer":           {"", "bEaReR   k", "k body"},
		"Basic":            {"", basic("user.#1:k=:x"), "k=:x body"},
		"BasicAnyCase":     {"", "bASIC" + strings.TrimPrefix(basic("u:p"), "Basic"), "p body"},
		"BasicEncoded":     {"", basic("local%2Did:spk%5Fa%2Bb"), "spk%5Fa%2Bb spk_a+b body"},
		"BasicPlus":        {"", basic("u:a+b"), "a+b a_b body"}, // a blank, here
		"BasicNotEncoded":  {"", basic("u:50%:%zz"), "50%:%zz body"},
		"BasicNoPadding":   {"", bare, "spk_ab body"},
		"BasicOfURLs":      {"", "Basic " + base64.RawURLEncoding.EncodeToString([]byte("u:\xfb\xff~")), "\xfb\xff~ body"},
		"BasicNoPassword":  {"", basic("user"), "body"},
		"BasicNotBase64":   {"", "Basic ~", "body"},
		"BasicTwice":       {"", basic("a:k") + "," + basic("a:k"), "body"},
		"UnknownScheme":    {"", "Digest k", "body"},
		"SchemeAlone":      {"", "Bearer", "body"},
		"NothingButSpaces": {"", "   ", "body"},
	} {
		header := map[string]string{"x-api-key": test.apiKey, "authorization": test.authorization}
		if test.want == "" {
			test.want, header = "body", nil
		}
		var got []string
		for _, key := range gateway.Keys(header, "body", "") {
			if key != "" {
				got = append(got, strings.ReplaceAll(key, " ", "_"))
			}
		}
		if strings.Join(got, " ") != test.want {
			t.Errorf("%s: got %q, want %s", name, got, test.want)
		}
	}
}

// callers is a ledger of callers that counts.
type callers struct {
	byHash map[string]ledger.Caller
	asked  int
	err    error
}

func (c *callers) Caller(_ context.Context, hash string) (ledger.Caller, error) {
	c.asked++
	caller, ok := c.byHash[hash]
	if c.err == nil && !ok {
		return caller, ledger.ErrNotFound
	}
	return caller, c.err
}

func TestAuthenticate(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	hash := gateway.HashKey("key")
	c := &callers{byHash: map[string]ledger.Caller{
		hash:                        {KeyHash: hash, Tenant: "acme", ExpiresAt: now.Add(30 * time.Second)},
		gateway.HashKey("misfiled"): {KeyHash: hash, Tenant: "acme"},
	}}
	a := gateway.NewAuthenticator(c, func() time.Time { return now })
	ctx := t.Context()
	for range 3 {
		if caller, err := a.Authenticate(ctx, "key"); err != nil || caller.Tenant != "acme" {
			t.Errorf("got %+v, %v", caller, err)
		}
	}
	if c.asked != 1 {
		t.Errorf("the ledger was asked %d times", c.asked)
	}
	if _, err := a.Authenticate(ctx, ""); !errors.Is(err, gateway.ErrNoKey) {
		t.Errorf("got %v", err)
	}
	for _, keys := range [][]string{{"", "wrong", "key"}, {"misfiled", "sgt_x", "key", "wrong"}, {"key", "misfiled"}} {
		if caller, err := a.Authenticate(ctx, keys...); err != nil || caller.Tenant != "acme" {
			t.Errorf("%q: got %+v, %v", keys, caller, err)
		}
	}
	if _, err := a.Authenticate(ctx, "", "wrong", ""); !errors.Is(err, gateway.ErrBadKey) {
		t.Errorf("got %v", err)
	}
	for _, key := range []string{"wrong", "misfiled", "KEY"} {
		if _, err := a.Authenticate(ctx, key); !errors.Is(err, gateway.ErrBadKey) {
			t.Errorf("%s: got %v", key, err)
		}
	}
	now = now.Add(30 * time.Second)
	if _, err := a.Authenticate(ctx, "key"); !errors.Is(err, gateway.ErrBadKey) {
		t.Errorf("expired: got %v", err)
	}
	c.byHash[hash] = ledger.Caller{KeyHash: hash, Tenant: "acme"}
	now = now.Add(30 * time.Second)
	if _, err := a.Authenticate(ctx, "key"); err != nil {
		t.Errorf("renewed: got %v", err)
	}
	c.err, now = errors.New("down"), now.Add(time.Minute)
	if _, err := a.Authenticate(ctx, "key"); err == nil || errors.Is(err, gateway.ErrBadKey) {
		t.Errorf("ledger down: got %v", err)
	}
}

func TestRoute(t *testing.T) {
	hash := gateway.HashKey("key")
	c := &callers{byHash: map[string]ledger.Caller{hash: {KeyHash: hash, Tenant: "acme", Scopes: []string{"a"}}}}
	var logs bytes.Buffer
	serve := func(err error) gateway.Route {
		return gateway.Route{Auth: gateway.NewAuthenticator(c, time.Now), Scope: "a",
			Log: telemetry.NewLogger(&logs, slog.LevelInfo),
			Serve: func(context.Context, ledger.Caller, gateway.Request) (gateway.Reply, error) {
				if err == nil {
					panic("personal data")
				}
				return gateway.Reply{}, err
			}}
	}
	call := func(r gateway.Route, headers map[string]string) events.APIGatewayV2HTTPResponse {
		payload, err := json.Marshal(events.APIGatewayV2HTTPRequest{Headers: headers})
		if err != nil {
			t.Fatal(err)
		}
		out, err := r.Invoke(t.Context(), payload)
		if err != nil {
			t.Fatal(err)
		}
		var event events.APIGatewayV2HTTPResponse
		if err := json.Unmarshal(out, &event); err != nil {
			t.Fatal(err)
		}
		return event
	}
	key := map[string]string{"x-api-key": "key"}
	_, unmarshalled := jsonv2.Marshal(func() {})
	other := serve(errors.New("x"))
	other.Scope = "b"
	for name, test := range map[string]struct {
		route   gateway.Route
		headers map[string]string
		status  int
		code    string
	}{
		"NoKey":     {serve(errors.New("x")), nil, 401, "no_key"},
		"BadKey":    {serve(errors.New("x")), map[string]string{"x-api-key": "wrong"}, 401, "bad_key"},
		"Forbidden": {other, key, 403, "forbidden"},
		"TooLarge": {
			serve(errors.New("x")), map[string]string{"x-api-key": "key", "content-length": "4500001"}, 413, "too_large",
		},
		"Input":    {serve(&gateway.InputError{Pointer: "limit", Reason: "no"}), key, 400, "invalid_request"},
		"NotFound": {serve(ledger.ErrNotFound), key, 404, "not_found"},
		"Down":     {serve(errors.New("personal data")), key, 503, "ledger_unavailable"},
		"Internal": {serve(fmt.Errorf("personal data: %w", seal.ErrOpen)), key, 500, "internal"},
		"Encoding": {serve(unmarshalled), key, 500, "internal"},
		"Panic":    {serve(nil), key, 500, "internal"},
		"NoRoute":  {gateway.NotFound(serve(nil).Log), nil, 404, "no_such_route"},
	} {
		got := call(test.route, test.headers)
		if got.StatusCode != test.status || got.Headers["Gateway-Error"] != test.code ||
			got.Headers["Content-Type"] != "application/problem+json" ||
			!strings.Contains(got.Body, `"code":"`+test.code+`"`) {
			t.Errorf("%s: %+v", name, got)
		}
		if again := got.Headers["Retry-After"]; (again == "1") != (test.status == 503) {
			t.Errorf("%s: Retry-After %q", name, again)
		}
	}
	if strings.Contains(logs.String(), "personal data") {
		t.Errorf("logged: %s", logs.String())
	}
	if out, err := serve(nil).Invoke(t.Context(), []byte("not an event")); err != nil ||
		!strings.Contains(string(out), "400") {
		t.Errorf("not an event: %s, %v", out, err)
	}
}

type shape struct {
	Text   string          `json:"text"`
	Inner  *shape          `json:"inner"`
	List   []string        `json:"list"`
	Number json.RawMessage `json:"number"`
}

func TestDecodeJSON(t *testing.T) {
	var got shape
	if err := gateway.DecodeJSON([]byte(` {"text":"a","inner":{"list":["b"]}} `), &got); err != nil || got.Text != "a" ||
		got.Inner.List[0] != "b" {
		t.Errorf("got %+v, %v", got, err)
	}
	for text, want := range map[string]string{
		``: "body is empty", ` `: "body is empty", `{`: "is not valid JSON", `{}{}`: "is not valid JSON",
		`{"text":1}`:                  "/text: must be a string",
		`{"inner":[]}`:                "/inner: must be an object",
		`{"inner":{"list":{}}}`:       "/inner/list: must be an array",
		`{"list":["a",1]}`:            "/list/1: must be a string",
		`{"Text":"a"}`:                "/Text: is not a known name (names are matched exactly)",
		`{"a/b~c":"a"}`:               "/?: is not a known name (names are matched exactly)",
		`{"text":"a","text":"a"}`:     "/text: stands twice",
		"{\"text\":\"\xff\"}":         "/text: is not valid JSON",
		`{"text":"a\u0000"}`:          "/text: holds a NUL character",
		strings.Repeat(`{"a":`, 40):   "nests too deep",
		`{"999900000016":1}`:          "/?: is not a known name (names are matched exactly)",
		`{"text":"999900000016`:       "is not valid JSON",
		`{"text":"a"} 999900000016 x`: "is not valid JSON",
	} {
		err := gateway.DecodeJSON([]byte(text), &shape{})
		var input *gateway.InputError
		if !errors.As(err, &input) || !strings.HasSuffix(err.Error(), want) || strings.Contains(err.Error(), "9999") {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
}

func FuzzDecodeJSON(f *testing.F) {
	f.Add([]byte(`{"text":"a","inner":{"list":["b"],"number":1e400}}`))
	f.Add([]byte(`{"text":"a","text":"b"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var got shape
		err := gateway.DecodeJSON(body, &got)
		var input *gateway.InputError
		if err != nil && !errors.As(err, &input) {
			t.Errorf("%q: %v is no InputError", body, err)
		}
		if err == nil && !json.Valid(body) {
			t.Errorf("%q was taken for JSON", body)
		}
	})
}

func FuzzIdempotencyKey(f *testing.F) {
	for _, seed := range []string{"a", `"a,b"`, "a,b", "", "\x00", `"`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		key, err := gateway.IdempotencyKey(map[string]string{"idempotency-key": value})
		if err == nil && (key == "" || len(key) > 255 || strings.ContainsAny(key, "\x00\n\"")) {
			t.Errorf("%q gave key %q", value, key)
		}
	})
}
