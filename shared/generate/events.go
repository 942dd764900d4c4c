package generate

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"path"
	"strconv"
	"strings"

	"sallyport/shared/partner"
)

// request is an event of the HTTP API, payload format 2.0.
type request struct {
	Version        string            `json:"version"`
	RouteKey       string            `json:"routeKey"`
	RawPath        string            `json:"rawPath"`
	RawQueryString string            `json:"rawQueryString"`
	Headers        map[string]string `json:"headers"`
	Query          map[string]string `json:"queryStringParameters,omitempty"`
	Path           map[string]string `json:"pathParameters,omitempty"`
	Context        requestContext    `json:"requestContext"`
	Body           string            `json:"body,omitempty"`
	IsBase64       bool              `json:"isBase64Encoded"`
}

type requestContext struct {
	Account      string         `json:"accountId"`
	API          string         `json:"apiId"`
	DomainName   string         `json:"domainName"`
	DomainPrefix string         `json:"domainPrefix"`
	HTTP         requestedRoute `json:"http"`
	ID           string         `json:"requestId"`
	RouteKey     string         `json:"routeKey"`
	Stage        string         `json:"stage"`
	Time         string         `json:"time"`
	TimeEpoch    int64          `json:"timeEpoch"`
}

type requestedRoute struct {
	Method    string `json:"method"`
	Path      string `json:"path"`
	Protocol  string `json:"protocol"`
	SourceIP  string `json:"sourceIp"`
	UserAgent string `json:"userAgent"`
}

// taskEvent is what a state machine sends.
type taskEvent struct {
	Task  taskID          `json:"task"`
	Path  json.RawMessage `json:"path,omitempty"`
	Query json.RawMessage `json:"query,omitempty"`
	Body  json.RawMessage `json:"body,omitempty"`
}

type taskID struct {
	Tenant    string `json:"tenant"`
	Execution string `json:"execution"`
	State     string `json:"state"`
	Index     int    `json:"index"`
	Round     int    `json:"round"`
}

// sampleEvents adds the files of events/ that functions are tried with.
func sampleEvents(files map[string]string, all []partner.Partner) error {
	for _, p := range all {
		for _, e := range p.Endpoints {
			for _, example := range p.Examples[path.Base(e.Name)] {
				if err := sampleEvent(files, e, example); err != nil {
					return err
				}
			}
		}
	}
	for _, g := range ownFunctions {
		for _, o := range g.Functions {
			if o.Example.Target == "" {
				continue
			}
			if err := sampleEvent(files, o.endpoint(), o.Example); err != nil {
				return err
			}
		}
	}
	return nil
}

func sampleEvent(files map[string]string, e partner.Endpoint, example partner.Example) error {
	file := "events/" + strings.ReplaceAll(e.Name, "/", "-")
	var text string
	var err error
	if example.State != "" {
		file += "-task"
		text, err = task(example)
	} else {
		text, err = httpEvent(e, example)
	}
	if err != nil {
		return fmt.Errorf("an example of %s: %w", e.Name, err)
	}
	if file += ".json"; files[file] != "" {
		return fmt.Errorf("%s has two examples of one kind", e.Name)
	}
	files[file] = text
	return nil
}

// environment is what sam local gives functions, on a machine where the local stack runs.
func environment(all []partner.Partner) string {
	type variable struct{ name, value string }
	variables := []variable{
		{"STAGE", "dev"}, {"LEDGER_TABLE", "sallyport-dev-ledger"}, {"SANDBOX_TABLE", "sallyport-dev-sandbox"},
		{"SANDBOX_TIME_SCALE", "1"},
	}
	for _, p := range all {
		variables = append(variables, variable{p.Variable(), "http://host.docker.internal:3000/sandbox/" + p.Name})
	}
	variables = append(variables, variable{"VAULT_BUCKET", "sallyport-dev-vault-123456789012-eu-west-1"},
		variable{"STATE_MACHINES", "arn:aws:states:eu-west-1:123456789012:%s:sallyport-dev-"})
	var lines []string
	for _, v := range variables {
		lines = append(lines, fmt.Sprintf("    %q: %q", v.name, v.value))
	}
	return "{\n  \"Parameters\": {\n" + strings.Join(lines, ",\n") + "\n  }\n}\n"
}

// task is what a state machine sends a function.
func task(e partner.Example) (string, error) {
	members := map[string]json.RawMessage{}
	if e.Body != "" {
		if err := json.Unmarshal([]byte(e.Body), &members); err != nil {
			return "", err
		}
	}
	return indented(taskEvent{
		Task: taskID{Tenant: "local", Execution: e.Run, State: e.State},
		Path: members["path"], Query: members["query"], Body: members["body"],
	})
}

// httpEvent is a request by the first of the endpoint's routes that it fits.
func httpEvent(e partner.Endpoint, example partner.Example) (string, error) {
	path, query, _ := strings.Cut(example.Target, "?")
	key, params, err := routeOf(e, path)
	if err != nil {
		return "", err
	}
	method, _, _ := strings.Cut(key, " ")
	event := request{
		Version: "2.0", RouteKey: key, RawPath: path, RawQueryString: query, Path: params,
		Headers: map[string]string{"accept": "application/json", "host": "127.0.0.1:3000", "user-agent": "curl/8"},
		Context: requestContext{
			Account: "123456789012", API: "sample", DomainName: "127.0.0.1", DomainPrefix: "sample", ID: "sample-request",
			HTTP: requestedRoute{
				Method: method, Path: path, Protocol: "HTTP/1.1", SourceIP: "127.0.0.1", UserAgent: "curl/8",
			},
			RouteKey: key, Stage: "$default", Time: "01/Jan/2026:00:00:00 +0000", TimeEpoch: 1767225600000,
		},
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return "", err
	}
	for name := range values {
		if event.Query == nil {
			event.Query = map[string]string{}
		}
		event.Query[name] = values.Get(name)
	}
	if e.Kind != partner.Callback { // partners know no caller's key
		event.Headers["x-api-key"] = "local-key"
	}
	if example.Body != "" {
		event.Headers["content-type"] = "application/json"
	}
	maps.Copy(event.Headers, example.Header)
	maps.DeleteFunc(event.Headers, func(_, value string) bool { return value == "" })
	if example.Body == "" {
		return indented(event)
	}
	if event.Body = example.Body; event.Headers["content-type"] == "application/json" {
		var compact bytes.Buffer
		if err := json.Compact(&compact, []byte(example.Body)); err != nil {
			return "", err
		}
		event.Body = compact.String()
	}
	event.Headers["content-length"] = strconv.Itoa(len(event.Body))
	if event.Headers["content-type"] != "application/json" { // to the HTTP API a form is no text
		event.Body, event.IsBase64 = base64.StdEncoding.EncodeToString([]byte(event.Body)), true
	}
	return indented(event)
}

// routeOf returns the key of the first route that has a path, and the values of its parameters.
func routeOf(e partner.Endpoint, path string) (key string, params map[string]string, err error) {
	given := strings.Split(path, "/")
	for _, route := range e.Routes {
		_, pattern, _ := strings.Cut(route, " ")
		parts, params := strings.Split(pattern, "/"), map[string]string{}
		fits := len(parts) == len(given)
		for i := 0; fits && i < len(parts); i++ {
			if name := strings.Trim(parts[i], "{}"); name != parts[i] {
				params[name] = given[i]
			} else {
				fits = parts[i] == given[i]
			}
		}
		if fits {
			return route, params, nil
		}
	}
	return "", nil, fmt.Errorf("%q is on none of the routes %q", path, e.Routes)
}

// indented encodes a value as JSON that people read.
func indented(value any) (string, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(value)
	return text.String(), err
}
