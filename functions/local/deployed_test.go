package main_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"go.yaml.in/yaml/v3"

	main "sallyport/functions/local"
	"sallyport/functions/partners"
	"sallyport/functions/sandbox"
	eztosim "sallyport/functions/sandbox/ezto"
	ironsim "sallyport/functions/sandbox/iron"
	"sallyport/functions/sandbox/simulators"
	"sallyport/shared/asl"
	"sallyport/shared/bolt"
	"sallyport/shared/gateway"
	"sallyport/shared/ledger"
	"sallyport/shared/ledger/dynamo"
	"sallyport/shared/ledger/ledgertest/dynamolocal"
	"sallyport/shared/partner"
	"sallyport/statemachines"
)

// aws answers for the services that a function calls: DynamoDB by DynamoDB Local, Secrets Manager and S3 from maps,
// Step Functions by remembering what it was asked. It knows who calls by the access key, which is the function's
// folder.
type aws struct {
	secrets map[string]string
	dynamo  *httputil.ReverseProxy

	mu      sync.Mutex
	calls   map[string]int
	used    map[string]map[permission]bool // by who called
	objects map[string][]byte              // S3's, by path
	expires map[string]string              // their metadata
	asked   map[string]sfnRequest          // Step Functions', the last by action
}

// sfnRequest is what is sent to Step Functions.
type sfnRequest struct {
	Name, Input, TaskToken, Output, StateMachineArn, ExecutionArn string
}

// permission is what a call needs: an action on a resource. Resources are named by what template.yaml calls them, such
// as "Ledger.Arn", or by the ARN that they would have.
type permission struct{ action, resource string }

// What ARNs begin with in the stage of these tests.
const (
	secretARN  = "arn:aws:secretsmanager:eu-west-1:000000000000:secret:"
	machineARN = "arn:aws:states:eu-west-1:000000000000:stateMachine:sallyport-test-"
	stateARNs  = "arn:aws:states:eu-west-1:000000000000:%s:sallyport-test-"
)

var (
	accessKey = regexp.MustCompile(`Credential=([^/%]+)`)
	repeated  = regexp.MustCompile(`attempt=[2-9]`)
)

func (a *aws) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	who := accessKey.FindStringSubmatch(r.Header.Get("Authorization") + r.URL.RawQuery)[1]
	target := r.Header.Get("X-Amz-Target")
	service, action, _ := strings.Cut(target, ".")
	if !repeated.MatchString(r.Header.Get("Amz-Sdk-Request")) { // as the SDK does when DynamoDB Local is slow
		a.mu.Lock()
		a.calls[target]++
		a.mu.Unlock()
	}
	switch service {
	case "DynamoDB_20120810":
		a.use(who, dynamoNeeds(action, body)...)
		// whose the table is
		r.Header.Set("Authorization", accessKey.ReplaceAllString(r.Header.Get("Authorization"), "Credential=local"))
		a.dynamo.ServeHTTP(w, r)
	case "AWSStepFunctions":
		var in sfnRequest
		_ = json.Unmarshal(body, &in)
		journey, _, _ := strings.Cut(in.TaskToken, " ")
		resource := map[string]string{
			"StartExecution": in.StateMachineArn, "StopExecution": in.ExecutionArn, "SendTaskSuccess": machineARN + journey,
		}[action]
		a.use(who, permission{"states:" + action, resource})
		a.mu.Lock()
		a.asked[action] = in
		a.mu.Unlock()
		_, _ = io.WriteString(w, `{"executionArn":"arn","startDate":1,"stopDate":1}`)
	case "secretsmanager":
		a.secret(w, who, body)
	default:
		a.s3(w, r, who, body)
	}
}

func (a *aws) use(who string, needs ...permission) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.used[who] == nil {
		a.used[who] = map[permission]bool{}
	}
	for _, p := range needs {
		a.used[who][p] = true
	}
}

// dynamoNeeds is what a call of DynamoDB needs: a transaction each of its writes.
func dynamoNeeds(action string, body []byte) (needs []permission) {
	var in struct {
		IndexName     string
		TransactItems []map[string]any
	}
	_ = json.Unmarshal(body, &in)
	if action == "TransactWriteItems" {
		for _, write := range in.TransactItems {
			for verb := range write {
				needs = append(needs, permission{"dynamodb:" + verb + "Item", "Ledger.Arn"})
			}
		}
		return needs
	}
	resource := "Ledger.Arn"
	if in.IndexName != "" {
		resource += "/index/" + in.IndexName
	}
	return []permission{{"dynamodb:" + action, resource}}
}

func (a *aws) secret(w http.ResponseWriter, who string, body []byte) {
	var in struct{ SecretId string }
	_ = json.Unmarshal(body, &in)
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	value, ok := a.secrets[in.SecretId]
	if !ok { // its ARN lacks the six characters that one which exists has
		a.use(who, permission{"secretsmanager:GetSecretValue", secretARN + in.SecretId})
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"__type":"ResourceNotFoundException","Message":"none"}`)
		return
	}
	a.use(who, permission{"secretsmanager:GetSecretValue", secretARN + in.SecretId + "-abcdef"})
	_ = json.NewEncoder(w).Encode(map[string]string{"Name": in.SecretId, "SecretString": value})
}

func (a *aws) s3(w http.ResponseWriter, r *http.Request, who string, body []byte) {
	_, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	needs := func(action string) { a.use(who, permission{"s3:" + action, "Vault.Arn/" + key}) }
	tagged := r.Header.Get("X-Amz-Tagging") != ""
	switch r.Method {
	case http.MethodPut:
		needs("PutObject")
		if tagged {
			needs("PutObjectTagging")
		}
		copied := r.Header.Get("X-Amz-Copy-Source") != "" // onto itself
		if copied {
			needs("GetObject")
			_, _ = io.WriteString(w, `<CopyObjectResult></CopyObjectResult>`)
		}
		a.mu.Lock()
		if copied {
			body = a.objects[r.URL.Path]
		}
		a.objects[r.URL.Path], a.expires[r.URL.Path] = body, r.Header.Get("X-Amz-Meta-Expires")
		a.mu.Unlock()
	case http.MethodDelete:
		needs("DeleteObject")
		a.mu.Lock()
		delete(a.objects, r.URL.Path)
		a.mu.Unlock()
		w.WriteHeader(http.StatusNoContent)
	default:
		needs("GetObject")
		a.mu.Lock()
		object, ok := a.objects[r.URL.Path]
		expires := a.expires[r.URL.Path]
		a.mu.Unlock()
		if !ok {
			a.use(who, permission{"s3:ListBucket", "Vault.Arn"}) // without it, it would be forbidden
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `<Error><Code>NoSuchKey</Code></Error>`)
			return
		}
		w.Header().Set("X-Amz-Meta-Expires", expires)
		w.Header().Set("Content-Length", fmt.Sprint(len(object)))
		if r.Method == http.MethodGet {
			_, _ = w.Write(object)
		}
	}
}

// last returns what Step Functions was last asked by an action, and forgets it.
func (a *aws) last(action string) (in sfnRequest, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	in, ok = a.asked[action]
	delete(a.asked, action)
	return in, ok
}

// documents counts what lies in the vault.
func (a *aws) documents() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.objects)
}

// stage is a deployed stage without an account: its functions as Lambda runs them, compiled as they are deployed.
type stage struct {
	*aws
	t           *testing.T
	table       string
	partners    string       // URL of the simulated ones
	sent        atomic.Int64 // bytes of the last request that they got
	wordy       atomic.Bool  // their answers have a member more, which is too large for a record
	environment []string

	mu        sync.Mutex
	functions map[string]*function // by folder
	started   []*function          // with all containers
}

// deployed makes a stage. At the end of the test, all that its functions did must have been allowed by their roles.
func deployed(t *testing.T) *stage {
	t.Helper()
	if testing.Short() {
		t.Skip("SKIPPED with -short, for which no function is built as it is deployed")
	}
	if err := compile(); err != nil {
		t.Fatal(err)
	}
	client := dynamolocal.Client(t)
	table := dynamolocal.Table(t, client)
	scopes := []string{"transactions", "journeys", "workspace"}
	for _, p := range partners.All() {
		scopes = append(scopes, p.Name)
	}
	for key, caller := range map[string]ledger.Caller{
		"key": {Tenant: "acme", Scopes: scopes},
		// which has accounts of its own with Iron and EZTO
		"other-key": {Tenant: "globex", Scopes: []string{"iron", "ezto", "workspace"}}, // has accounts of its own
		"third-key": {Tenant: "initech", Scopes: []string{"iron", "ezto"}},
	} {
		caller.KeyHash = gateway.HashKey(key)
		if err := dynamo.New(client, table).PutCaller(t.Context(), caller); err != nil {
			t.Fatal(err)
		}
	}
	endpoint, err := url.Parse(dynamolocal.Endpoint(t))
	if err != nil {
		t.Fatal(err)
	}
	encoded := func(credentials any) string {
		text, err := json.Marshal(credentials)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	ezto := patientEZTO()
	secrets := map[string]string{
		"sallyport/test/keys":                `{"id":"an id key for tests, long enough"}`,
		"sallyport/test/tenants/globex/iron": `{"api_key":"` + ironsim.Defaults().APIKey + `"}`,
		"sallyport/test/tenants/globex/ezto": encoded(eztoCredentials(ezto, "push")),
	}
	for _, p := range partners.All() {
		secrets["sallyport/test/partners/"+p.Name] = encoded(p.Credentials)
	}
	secrets["sallyport/test/partners/ezto"] = encoded(
		eztoCredentials(ezto, "poll", "ping", "push-token", "push-encrypted"),
	)
	s := &stage{t: t, table: table, functions: map[string]*function{}, aws: &aws{
		dynamo: httputil.NewSingleHostReverseProxy(endpoint), calls: map[string]int{}, used: map[string]map[permission]bool{},
		objects: map[string][]byte{}, expires: map[string]string{}, asked: map[string]sfnRequest{}, secrets: secrets,
	}}
	services := httptest.NewServer(s.aws)
	t.Cleanup(services.Close)
	t.Cleanup(func() { s.aws.wantAllowed(t) })
	t.Cleanup(func() { // when nobody calls them any more
		for _, f := range s.started {
			f.end()
		}
	})
	db, err := bolt.Open(filepath.Join(t.TempDir(), "sandbox.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	api := httptest.NewServer(http.HandlerFunc(s.api))
	t.Cleanup(api.Close)
	simulatedBy := simulators.All()
	simulatedBy[slices.IndexFunc(
		simulatedBy, func(s sandbox.Simulator) bool { return s.Name == "ezto" },
	)] = eztosim.New(ezto)
	box := sandbox.New(sandbox.NewBolt(db), sandbox.Options{
		Hijackable: true, TimeScale: 10, Authenticate: func(*http.Request) error { return nil },
		Simulators: simulatedBy,
		Callbacks:  sandbox.CallbackOptions{BaseURL: func(context.Context) (string, error) { return api.URL, nil }},
	})
	t.Cleanup(func() { box.Close() })
	simulated := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.sent.Store(r.ContentLength)
		if !s.wordy.Load() {
			box.ServeHTTP(w, r)
			return
		}
		answer := httptest.NewRecorder()
		box.ServeHTTP(answer, r)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(answer.Code)
		_, _ = io.WriteString(w, strings.Replace(answer.Body.String(), "{", `{"more":"`+strings.Repeat("x", 9<<10)+`",`, 1))
	}))
	t.Cleanup(simulated.Close)
	s.partners = simulated.URL + "/sandbox"
	s.environment = append(os.Environ(), "AWS_REGION=eu-west-1", "AWS_SECRET_ACCESS_KEY=local",
		"AWS_ENDPOINT_URL="+services.URL,
		"LEDGER_TABLE="+table, "STAGE=test", "VAULT_BUCKET=vault", "STATE_MACHINES="+stateARNs)
	for _, p := range partners.All() {
		s.environment = append(s.environment, p.Variable()+"="+s.partners+"/"+p.Name)
	}
	return s
}

// api stands where the HTTP API stands for the partners, who call back.
func (s *stage) api(w http.ResponseWriter, r *http.Request) {
	var route, taker string
	var params map[string]string
	for _, p := range partners.All() {
		for _, e := range p.Endpoints {
			path := strings.TrimPrefix(e.Routes[0], "POST ")
			if found, ok := routed(path, r.URL.Path); ok && e.Kind == partner.Callback {
				route, taker, params = path, e.Name, found
			}
		}
	}
	if taker == "" {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	body, _ := io.ReadAll(r.Body)
	headers, query := map[string]string{}, map[string]string{}
	for name, values := range r.Header {
		headers[strings.ToLower(name)] = strings.Join(values, ",")
	}
	for name, values := range r.URL.Query() {
		query[name] = strings.Join(values, ",")
	}
	key := r.Method + " " + route
	payload, _ := json.Marshal(events.APIGatewayV2HTTPRequest{
		Version: "2.0", RouteKey: key, RawPath: r.URL.Path, RawQueryString: r.URL.RawQuery, QueryStringParameters: query,
		Headers: headers, Body: string(body), PathParameters: params,
		RequestContext: events.APIGatewayV2HTTPRequestContext{RouteKey: key, Stage: "$default", RequestID: "r",
			HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{Method: r.Method, Path: r.URL.Path}},
	})
	var response events.APIGatewayV2HTTPResponse
	if err := json.Unmarshal(s.function(taker).invoke(payload), &response); err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.WriteHeader(response.StatusCode)
	_, _ = io.WriteString(w, response.Body)
}

// runtimeAPI is Lambda's runtime API: it hands out events and takes answers.
type runtimeAPI struct {
	events  chan []byte
	answers chan []byte
}

func (r runtimeAPI) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if strings.HasSuffix(req.URL.Path, "/next") {
		select {
		case event := <-r.events:
			w.Header().Set("Lambda-Runtime-Aws-Request-Id", "request-1")
			w.Header().Set("Lambda-Runtime-Deadline-Ms", "4102444800000")
			_, _ = w.Write(event)
		case <-req.Context().Done():
		}
		return
	}
	answer, _ := io.ReadAll(req.Body)
	w.WriteHeader(http.StatusAccepted)
	r.answers <- answer
}

// function is a running function.
type function struct {
	t       *testing.T
	folder  string
	process *os.Process
	server  *httptest.Server // of api

	mu    sync.Mutex // one invocation at a time
	api   runtimeAPI
	ended chan error
	log   *safeBuffer
	used  bool
}

// function returns the function of a folder; the first time it starts it.
func (s *stage) function(folder string) *function {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.functions[folder] == nil {
		s.functions[folder] = s.launch(folder)
	}
	return s.functions[folder]
}

// start starts one more container of a function.
func (s *stage) start(folder string) *function {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.launch(folder)
}

func (s *stage) launch(folder string) *function {
	s.t.Helper()
	f := &function{
		t: s.t, folder: folder, api: runtimeAPI{make(chan []byte), make(chan []byte)}, ended: make(chan error, 1),
		log: &safeBuffer{},
	}
	f.server = httptest.NewServer(f.api)
	command := exec.Command(binary(folder))
	command.Env = append(
		slices.Clone(s.environment), "AWS_LAMBDA_RUNTIME_API="+strings.TrimPrefix(f.server.URL, "http://"),
		"AWS_ACCESS_KEY_ID="+strings.ReplaceAll(folder, "/", "."),
	)
	command.Stdout, command.Stderr = f.log, f.log
	if err := command.Start(); err != nil {
		f.server.Close()
		s.t.Fatal(err)
	}
	f.process = command.Process
	go func() { f.ended <- command.Wait() }()
	s.started = append(s.started, f)
	return f
}

// end ends a function and checks what it logged.
func (f *function) end() {
	_ = f.process.Kill()
	<-f.ended
	f.server.Close()
	calls := slices.ContainsFunc(
		partners.All(), func(p partner.Partner) bool { return strings.HasPrefix(f.folder, p.Name+"/") },
	)
	text, secrets := f.log.String(), []string{
		happy, "NOOR", "7841990", "noor@", "/hosted/", "AAXCT4821K", "TARANG", "u-7731", "/ezto/v/",
	}
	if f.used && calls && !strings.Contains(text, `"operation":"`+f.folder+`"`) ||
		slices.ContainsFunc(secrets, func(secret string) bool { return strings.Contains(text, secret) }) {
		f.t.Errorf("%s logged %s", f.folder, text)
	}
}

// invoke returns what the function answers, which is {"errorMessage","errorType"} where it fails; nil where it has
// ended.
func (f *function) invoke(event []byte) []byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.used = true
	f.api.events <- event
	select {
	case answer := <-f.api.answers:
		return answer
	case err := <-f.ended:
		f.t.Errorf("%s ended: %v\n%s", f.folder, err, f.log)
		f.ended <- err
		return nil
	}
}

// http invokes the function of a route.
func (s *stage) http(folder string, event []byte) (response events.APIGatewayV2HTTPResponse) {
	s.t.Helper()
	MustDecode(s.t, string(s.function(folder).invoke(event)), &response)
	return response
}

func event(t *testing.T, body, key string, params map[string]string) []byte {
	t.Helper()
	headers := map[string]string{"authorization": "Bearer key", "content-type": "application/json"}
	if key != "" {
		headers["idempotency-key"] = key
	}
	text, err := json.Marshal(events.APIGatewayV2HTTPRequest{Version: "2.0", Headers: headers, Body: body,
		PathParameters: params,
		RequestContext: events.APIGatewayV2HTTPRequestContext{
			RequestID: "r", HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{Method: "POST"},
		}})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// deployedTemplate is as much of template.yaml as says what functions and state machines may do.
type deployedTemplate struct {
	Resources map[string]struct {
		Type       string    `yaml:"Type"`
		Properties yaml.Node `yaml:"Properties"`
	} `yaml:"Resources"`
}

func readDeployed(t *testing.T) (template deployedTemplate) {
	t.Helper()
	text, err := os.ReadFile("../../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, &template); err != nil {
		t.Fatal(err)
	}
	return template
}

// wantAllowed compares what was used with what template.yaml allows.
func (a *aws) wantAllowed(t *testing.T) {
	t.Helper()
	template := readDeployed(t)
	for id := range template.Resources {
		allowed, who := template.allowed(t, id), strings.ReplaceAll(main.Folder(id), "/", ".")
		for p := range a.used[who] {
			if !slices.ContainsFunc(allowed, func(pattern permission) bool {
				return pattern.action == p.action && fits(pattern.resource, p.resource)
			}) {
				t.Errorf("%s may not %s on %s", id, p.action, p.resource)
			}
		}
		delete(a.used, who)
	}
	for who := range a.used {
		t.Errorf("%s is not in template.yaml", who)
	}
}

// wantUsed checks that functions, and state machines, whose logical ids begin so have used all that their roles allow.
// What AWS does on their behalf isn't seen here: logging, and what it asks of KMS.
func (a *aws) wantUsed(t *testing.T, prefixes ...string) {
	t.Helper()
	template, holders := readDeployed(t), map[string][]string{} // by role
	for id := range template.Resources {
		if role := template.role(id); role != "" &&
			slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(id, prefix) }) {
			holders[role] = append(holders[role], id)
		}
	}
	if len(holders) == 0 {
		t.Errorf("nobody whose id begins with %s", prefixes)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for role, ids := range holders {
		for _, pattern := range template.allowed(t, ids[0]) {
			if strings.HasPrefix(pattern.action, "logs:") || strings.HasPrefix(pattern.action, "kms:") {
				continue
			}
			if !slices.ContainsFunc(ids, func(id string) bool {
				for p := range a.used[strings.ReplaceAll(main.Folder(id), "/", ".")] {
					if p.action == pattern.action && fits(pattern.resource, p.resource) {
						return true
					}
				}
				return false
			}) {
				t.Errorf("%s allows %s on %s, which nobody has used", role, pattern.action, pattern.resource)
			}
		}
	}
}

// role is the logical id of the role of a function or a state machine; empty for other resources.
func (d deployedTemplate) role(id string) string {
	var holder struct {
		Role yaml.Node `yaml:"Role"`
	}
	resource := d.Resources[id]
	if !strings.HasPrefix(resource.Type, "AWS::Serverless::") || resource.Properties.Decode(&holder) != nil {
		return ""
	}
	return strings.TrimSuffix(holder.Role.Value, ".Arn")
}

// allowed is what the role of a function or a state machine allows; nothing for other resources.
func (d deployedTemplate) allowed(t *testing.T, id string) (all []permission) {
	t.Helper()
	var role struct {
		Policies []struct {
			PolicyDocument struct {
				Statement []struct {
					Action   yaml.Node `yaml:"Action"`
					Resource yaml.Node `yaml:"Resource"`
				} `yaml:"Statement"`
			} `yaml:"PolicyDocument"`
		} `yaml:"Policies"`
	}
	held := d.role(id)
	if held == "" {
		return nil
	}
	properties := d.Resources[held].Properties
	if err := properties.Decode(&role); err != nil {
		t.Fatalf("role of %s: %v", id, err)
	}
	for _, policy := range role.Policies {
		for _, statement := range policy.PolicyDocument.Statement {
			for _, action := range elements(statement.Action) {
				for _, resource := range elements(statement.Resource) {
					all = append(all, permission{action.Value, d.resolve(resource)})
				}
			}
		}
	}
	return all
}

// elements are those of a list, which may be written as its only element.
func elements(node yaml.Node) []*yaml.Node {
	if node.Kind == yaml.SequenceNode {
		return node.Content
	}
	return []*yaml.Node{&node}
}

// resolve names a resource as permission does.
func (d deployedTemplate) resolve(node *yaml.Node) string {
	switch node.Tag {
	case "!Sub":
		return strings.NewReplacer(
			"${AWS::Partition}", "aws", "${AWS::Region}", "eu-west-1", "${AWS::AccountId}", "000000000000", "${Stage}", "test",
			"${", "", "}", "",
		).Replace(node.Value)
	case "!Ref":
		var secret struct {
			Name yaml.Node `yaml:"Name"`
		}
		if r := d.Resources[node.Value]; r.Type == "AWS::SecretsManager::Secret" && r.Properties.Decode(&secret) == nil {
			return secretARN + d.resolve(&secret.Name) + "-abcdef"
		}
	}
	return node.Value
}

// fits reports whether IAM would find that a resource fits a pattern.
func fits(pattern, resource string) bool {
	return regexp.MustCompile(
		`^` + strings.NewReplacer(`\*`, `.*`, `\?`, `.`).Replace(regexp.QuoteMeta(pattern)) + `$`,
	).MatchString(resource)
}

// TestFits tells which permissions would be found wanting.
func TestFits(t *testing.T) {
	for _, test := range []struct {
		pattern, resource string
		want              bool
	}{
		{"Ledger.Arn", "Ledger.Arn", true},
		{"Ledger.Arn", "Ledger.Arn/index/tenant-index", false},
		{"Vault.Arn/*", "Vault.Arn/a/b", true},
		{"Vault.Arn/*", "Vault.Arn", false},
		{secretARN + "sallyport/test/tenants/*/equal-??????", secretARN + "sallyport/test/tenants/acme/equal-abcdef", true},
		{secretARN + "sallyport/test/tenants/*/equal", secretARN + "sallyport/test/tenants/acme/equal-abcdef", false},
	} {
		if fits(test.pattern, test.resource) != test.want {
			t.Errorf("%s on %s", test.pattern, test.resource)
		}
	}
}

// TestDeployedFunctionMatrix runs functions against DynamoDB Local.
func TestDeployedFunctionMatrix(t *testing.T) {
	t.Parallel()
	s := deployed(t)
	opened := s.http(
		"equal/init-transaction",
		event(t, `{"gateway_instance_id":"gateway.equal.dev_test","idempotency_id":"one"}`, "key-1", nil),
	)
	if opened.StatusCode != 200 || opened.Headers["Transaction-Id"] == "" {
		t.Fatalf("got %+v", opened)
	}
	replay := s.http(
		"equal/init-transaction",
		event(t, `{"gateway_instance_id":"gateway.equal.dev_test","idempotency_id":"one"}`, "key-1", nil),
	)
	if replay.Body != opened.Body || replay.Headers["Idempotency-Replayed"] != "true" {
		t.Errorf("replay %+v", replay)
	}
	// Two fresh names and one that doesn't exist; everything warm after that.
	if s.calls["secretsmanager.GetSecretValue"] != 3 || s.calls["DynamoDB_20120810.UpdateItem"] != 3 ||
		s.calls["DynamoDB_20120810.PutItem"] != 1 {
		t.Errorf("AWS was called %v", s.calls)
	}
	var e struct {
		ID string `json:"transaction_id"`
	}
	if err := json.Unmarshal([]byte(opened.Body), &e); err != nil {
		t.Fatal(err)
	}
	sent := s.http(
		"equal/execute-journey",
		event(
			t, `{"transaction_id":"`+e.ID+`","journey_id":"aadhaar_otp_sim_v1","input_data":{"aadhaar_no":"999900000016"}}`,
			"key-2", nil,
		),
	)
	if sent.StatusCode != 200 || !strings.Contains(sent.Body, `"IN_PROGRESS"`) {
		t.Errorf("got %+v", sent)
	}
	record := s.http("transactions/get", event(t, "", "", map[string]string{"id": sent.Headers["Transaction-Id"]}))
	if record.StatusCode != 200 || !strings.Contains(record.Body, `"state":"done"`) ||
		!strings.Contains(record.Body, `"aadhaar_last4":"0016"`) {
		t.Errorf("got %+v", record)
	}
}

// execution is a journey whose definition is as deployed and whose Step Functions is played by the interpreter.
type execution struct {
	*stage
	*asl.Execution
	kind, id string
	machine  *asl.Machine
	tokens   int
	history  strings.Builder
}

// begin starts a journey and drives it as far as it comes by itself.
func (s *stage) begin(kind, key, body string) *execution {
	s.t.Helper()
	definition, err := statemachines.Files.ReadFile(kind + ".asl.json")
	if err != nil {
		s.t.Fatal(err)
	}
	x := &execution{stage: s, kind: kind}
	if x.machine, err = asl.Parse(definition); err != nil {
		s.t.Fatal(err)
	}
	started := s.http("journeys/start", event(s.t, body, key, map[string]string{"type": kind}))
	var view journeyView
	MustDecode(s.t, started.Body, &view)
	request, _ := s.last("StartExecution")
	if x.id = view.ID; started.StatusCode != 202 || request.Name != x.id || request.StateMachineArn != machineARN+kind {
		s.t.Fatalf("%+v started %+v", started, request)
	}
	if x.Execution, err = x.machine.Start(x.id, []byte(request.Input), time.Now()); err != nil {
		s.t.Fatal(err)
	}
	x.drive()
	return x
}

func (x *execution) drive() {
	x.t.Helper()
	env := asl.Env{Now: time.Now, Rand: func() float64 { return 0 }, Token: func() string {
		x.tokens++
		return fmt.Sprint(x.kind, " ", x.id, " ", x.tokens)
	}}
	_, err := x.machine.Drive(x.t.Context(), x.Execution, env, func(_ context.Context, in asl.Invocation) ([]byte, error) {
		id := strings.Trim(in.Function, "${}")
		x.use(strings.ReplaceAll(x.kind, "-", "."), permission{"lambda:InvokeFunction", id + ".Arn"})
		out := x.function(main.Folder(id)).invoke(in.Payload)
		var failed struct{ ErrorType, ErrorMessage string }
		if json.Unmarshal(out, &failed) == nil && failed.ErrorType != "" {
			return nil, asl.FunctionError(failed.ErrorType, failed.ErrorMessage)
		}
		return out, nil
	}, func(happened []asl.Event) error { return json.NewEncoder(&x.history).Encode(happened) })
	if err != nil {
		x.t.Fatal(err)
	}
}

// goOn passes on the answer that Step Functions has got for the task that waits.
func (x *execution) goOn() {
	x.t.Helper()
	var answer sfnRequest
	waitFor(x.t, func() (ok bool) { answer, ok = x.last("SendTaskSuccess"); return ok })
	if err := x.machine.SendTaskSuccess(x.Execution, time.Now(), answer.TaskToken, []byte(answer.Output)); err != nil {
		x.t.Fatal(err)
	}
	x.drive()
}

// settle tells how Step Functions ended the execution, twice, as EventBridge may.
func (x *execution) settle(status string) {
	x.t.Helper()
	detail, err := json.Marshal(
		map[string]any{
			"name": x.id, "status": status, "input": string(x.Input), "stateMachineArn": machineARN + x.kind, "output": nil,
		},
	)
	if err != nil {
		x.t.Fatal(err)
	}
	for range 2 {
		if out := x.function("journeys/settle").invoke(detail); strings.Contains(string(out), "errorType") {
			x.t.Fatalf("settle: %s", out)
		}
	}
}

func (x *execution) view() (view journeyView, text string) {
	x.t.Helper()
	text = x.http("journeys/get", event(x.t, "", "", map[string]string{"id": x.id})).Body
	MustDecode(x.t, text, &view)
	return view, text
}

// wantNoSecrets checks what Step Functions gets to see.
func (x *execution) wantNoSecrets(secrets ...string) {
	x.t.Helper()
	for _, secret := range secrets {
		if strings.Contains(x.history.String(), secret) {
			x.t.Errorf("the history holds %s", secret)
		}
	}
	if n := x.history.Len(); n > 64<<10 {
		x.t.Errorf("the history has %d bytes", n)
	}
}

// TestDeployedJourneyMatrix runs a whole verification.
func TestDeployedJourneyMatrix(t *testing.T) {
	t.Parallel()
	s := deployed(t)
	x := s.begin("aadhaar-otp", "k", `{"aadhaar_no":"`+happy+`"}`)
	if view, _ := x.view(); view.Status != "WAITING" || view.Awaiting == nil || s.documents() != 1 {
		t.Fatalf("%+v, %d documents", view, s.documents())
	}
	if got := s.http("journeys/input", event(t, enter(otp), "", map[string]string{"id": x.id})); got.StatusCode != 202 {
		t.Fatalf("input: %+v", got)
	}
	x.goOn()
	if view, _ := x.view(); x.Status != "SUCCEEDED" || view.Status != "SUCCEEDED" ||
		!strings.Contains(string(view.Outcome), "MEERA KULKARNI") || len(view.Steps) != 3 {
		t.Errorf("%s: %+v", x.Status, view)
	}
	x.settle("SUCCEEDED")
	x.wantNoSecrets(happy, "MEERA", `"`+otp+`"`)

	aborted := s.begin("aadhaar-otp", "k2", `{"aadhaar_no":"`+happy+`"}`)
	aborted.settle("ABORTED")
	if view, _ := aborted.view(); view.Status != "CANCELLED" || s.documents() != 0 {
		t.Errorf("%+v, %d documents", view, s.documents())
	}
	s.wantCancelled(s.begin("aadhaar-otp", "k3", `{"aadhaar_no":"`+happy+`"}`))
}

// TestDeployedOnboardingMatrix runs whole onboardings: of a customer whom compliance holds, the alert is closed and the
// partner calls back.
func TestDeployedOnboardingMatrix(t *testing.T) {
	t.Parallel()
	s := deployed(t)
	s.function("digit9/callback") // the API needs it later, in a goroutine of its own
	x := s.begin("partner-onboarding", "k", `{"customer":`+customer("784199000000423")+`}`)
	view, text := x.view()
	if view.Status != "WAITING" || view.Awaiting == nil || view.Awaiting.Kind != "aml_alert_closure" ||
		s.documents() == 0 {
		t.Fatalf("%s, %d documents", text, s.documents())
	}
	s.partner("POST", "/digit9/alerts/"+ecrn.FindString(text), `{"aml_scan_status":"Accepted"}`)
	x.goOn()
	if view, _ := x.view(); x.Status != "SUCCEEDED" || view.Status != "SUCCEEDED" ||
		!strings.Contains(string(view.Outcome), ecrn.FindString(text)) || s.documents() != 0 {
		t.Errorf("%s: %+v %s, %d documents", x.Status, view, view.Outcome, s.documents())
	}
	x.settle("SUCCEEDED")
	x.wantNoSecrets("784199000000423", "NOOR", "noor@", "AAAA")

	update := customer("784199000000423", `{"channel"`, `{"ecrn":"`+ecrn.FindString(text)+`","channel"`)
	if view, _ := s.begin("partner-onboarding", "k2", `{"customer":`+update+`}`).view(); view.Status != "SUCCEEDED" {
		t.Errorf("update: %+v", view)
	}
	if view, _ := s.begin(
		"partner-onboarding", "k3", `{"customer":`+customer("784199000000451")+`}`,
	).view(); view.Status != "REJECTED" {
		t.Errorf("of a blocked one: %+v", view)
	}
	refused := customer("784199000000432", `{"channel"`, `{"ecrn":"7841009900000432","channel"`)
	if view, _ := s.begin("partner-onboarding", "k4", `{"customer":`+refused+`}`).view(); view.Status != "REVIEW" {
		t.Errorf("of an update that fails: %+v", view)
	}
	aborted := s.begin("partner-onboarding", "k5", `{"customer":`+customer("884199000000423")+`}`)
	aborted.settle("ABORTED")
	if view, _ := aborted.view(); view.Status != "CANCELLED" || s.documents() != 0 {
		t.Errorf("%+v, %d documents", view, s.documents())
	}
	s.wantCancelled(s.begin("partner-onboarding", "k6", `{"customer":`+customer("984199000000423")+`}`))

	s.wantTokens("digit9", 1) // which all functions share
}

// TestDeployedClientMatrix runs whole client-onboardings: one lacks something, another's verification takes its time.
func TestDeployedClientMatrix(t *testing.T) {
	t.Parallel()
	s := deployed(t)
	s.function("mbanq/callback") // the API needs it later, in a goroutine of its own
	scanned := strings.TrimSuffix(passport, "}") + `,"document":{"name":"passport","content_type":"image/jpeg","file":"/9j/"}}`
	x := s.begin("client-onboarding", "k", clientJourney("j-1", "5550101", "FULL", home, scanned))
	if view, text := x.view(); view.Status != "WAITING" || !strings.Contains(text, `"missing":"tax_identifier"`) {
		t.Fatalf("%s", text)
	}
	if got := s.http(
		"journeys/input", event(t, `{"kind":"documents","identifiers":[`+ssn+`]}`, "", map[string]string{"id": x.id}),
	); got.StatusCode != 202 {
		t.Fatalf("input: %+v", got)
	}
	x.goOn()
	if view, _ := x.view(); x.Status != "SUCCEEDED" || view.Status != "SUCCEEDED" || s.documents() != 0 {
		t.Errorf("%s: %+v, %d documents", x.Status, view, s.documents())
	}
	x.wantNoSecrets("Noor", "5550101", "X4409127", "900700001", "/9j/")
	s.wantCancelled(
		s.begin(
			"client-onboarding", "k2",
			clientJourney("j-2", "5550102", "FULL", "", strings.ReplaceAll(passport, "X4409127", "X4409128")),
		),
	)
	s.wantTokens("mbanq", 1)
}

// TestDeployedIdentificationMatrix runs whole customer-identifications: the answer to a creation is lost, the customer
// finishes the page, the partner approves.
func TestDeployedIdentificationMatrix(t *testing.T) {
	t.Parallel()
	s := deployed(t)
	s.function("iron/callback") // the API needs it later, in a goroutine of its own
	s.arm("iron", "create-identification", "reset_after_effect")
	x := s.begin("customer-identification", "k", linkFor("noor@example.com", `,"external_id":"order-17"`))
	view, text := x.view()
	waits := x.awaits().Awaiting
	_, token, _ := strings.Cut(waits.URL, "/hosted/")
	if view.Status != "WAITING" || view.Reason != "pending" || view.Awaiting.Kind != "identification" || token == "" ||
		s.effects("iron", "create-identification") != 1 {
		t.Fatalf("%s, %d identifications", text, s.effects("iron", "create-identification"))
	}
	s.wantSealed(token, "/hosted/", "noor@example.com", "order-17")
	if got, err := send("", "POST", waits.URL, http.Header{
		"No-Key": {""}, "Content-Type": {"application/x-www-form-urlencoded"},
	},
		"identity=done&selfie=done&proof_of_residence=done&questionnaire=done"); err != nil || got.status != 200 {
		t.Fatalf("the page: %v %d %s", err, got.status, got.body)
	}
	x.goOn()
	if view, text := x.view(); view.Status != "WAITING" || view.Reason != "processed" || strings.Contains(text, `"url"`) {
		t.Fatalf("%s", text)
	}
	s.partner("POST", "/iron/sandbox/identification/"+waits.IdentificationID, `{"approved":true}`)
	x.goOn()
	if view, text := x.view(); x.Status != "SUCCEEDED" || view.Status != "SUCCEEDED" ||
		!strings.Contains(string(view.Outcome), `"Approved"`) || s.documents() != 0 {
		t.Errorf("%s: %s, %d documents", x.Status, text, s.documents())
	}
	x.settle("SUCCEEDED")
	x.wantNoSecrets("Noor", "noor@", "order-17", token, "/hosted/")

	if view, text := s.begin(
		"customer-identification", "k2", linkFor("noor@example.com", `,"external_id":"order-17"`),
	).view(); view.Status != "SUCCEEDED" || s.effects("iron", "create-customer") != 1 {
		t.Errorf("of one who was approved before: %s", text)
	}
	s.arm("iron", "create-customer", "reset_after_effect")
	s.wantCancelled(s.begin("customer-identification", "k3", linkFor("b@example.com")))
	if customers, identifications := s.effects("iron", "create-customer"), s.effects(
		"iron", "create-identification",
	); customers != 2 || identifications != 2 {
		t.Errorf("%d customers, %d identifications", customers, identifications)
	}
	s.wantUsed(t, "CustomerIdentification")
}

// wantCancelled cancels a journey that waits.
func (s *stage) wantCancelled(x *execution) {
	s.t.Helper()
	got := s.http("journeys/cancel", event(s.t, "", "", map[string]string{"id": x.id}))
	view, _ := x.view()
	if _, stopped := s.last("StopExecution"); got.StatusCode >= 300 || view.Status != "CANCELLED" || !stopped ||
		s.documents() != 0 {
		s.t.Errorf("cancel: %+v, then %+v, stopped %t, %d documents", got, view, stopped, s.documents())
	}
}

// partner does something at the simulated partners and returns their answer.
func (s *stage) partner(method, path, body string) string {
	s.t.Helper()
	got, err := send(s.partners, method, path, nil, body)
	if err != nil || got.status >= 300 {
		s.t.Fatalf("%s %s: %v %d %s", method, path, err, got.status, got.body)
	}
	return got.body
}
