package main_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	main "sallyport/functions/local"
	"sallyport/functions/sandbox"
	"sallyport/shared/asl"
	"sallyport/shared/bolt"
	"sallyport/shared/gateway"
	"sallyport/shared/ledger"
	"sallyport/shared/ledger/dynamo"
	"sallyport/shared/ledger/ledgertest/dynamolocal"
	"sallyport/statemachines"
)

// aws answers for the services that a function calls: DynamoDB by DynamoDB Local, Secrets Manager and S3 from maps, Step
// Functions by remembering what it was asked.
type aws struct {
	secrets map[string]string
	dynamo  *httputil.ReverseProxy

	mu      sync.Mutex
	calls   map[string]int
	objects map[string][]byte     // S3's, by path
	expires map[string]string     // their metadata
	asked   map[string]sfnRequest // Step Functions', the last by action
}

// sfnRequest is what is sent to Step Functions.
type sfnRequest struct {
	Name, Input, TaskToken, Output, StateMachineArn, ExecutionArn string
}

func (a *aws) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	target := r.Header.Get("X-Amz-Target")
	a.mu.Lock()
	a.calls[target]++
	a.mu.Unlock()
	switch {
	case target == "":
		a.s3(w, r)
		return
	case strings.HasPrefix(target, "AWSStepFunctions."):
		var in sfnRequest
		_ = json.NewDecoder(r.Body).Decode(&in)
		a.mu.Lock()
		a.asked[strings.TrimPrefix(target, "AWSStepFunctions.")] = in
		a.mu.Unlock()
		_, _ = io.WriteString(w, `{"executionArn":"arn","startDate":1,"stopDate":1}`)
		return
	case target != "secretsmanager.GetSecretValue":
		a.dynamo.ServeHTTP(w, r)
		return
	}
	var in struct{ SecretId string }
	_ = json.NewDecoder(r.Body).Decode(&in)
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	value, ok := a.secrets[in.SecretId]
	if !ok {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"__type":"ResourceNotFoundException","Message":"none"}`)
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]string{"Name": in.SecretId, "SecretString": value})
}

func (a *aws) s3(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	a.mu.Lock()
	defer a.mu.Unlock()
	switch r.Method {
	case http.MethodPut:
		a.objects[r.URL.Path], a.expires[r.URL.Path] = body, r.Header.Get("X-Amz-Meta-Expires")
	case http.MethodDelete:
		delete(a.objects, r.URL.Path)
		w.WriteHeader(http.StatusNoContent)
	default:
		object, ok := a.objects[r.URL.Path]
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `<Error><Code>NoSuchKey</Code></Error>`)
			return
		}
		w.Header().Set("X-Amz-Meta-Expires", a.expires[r.URL.Path])
		_, _ = w.Write(object)
	}
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

// deployed is a stage without an account: what its functions call, and their environment.
func deployed(t *testing.T) (cloud *aws, environment []string) {
	t.Helper()
	client := dynamolocal.Client(t)
	table := dynamolocal.Table(t, client)
	err := dynamo.New(client, table).PutCaller(t.Context(), ledger.Caller{KeyHash: gateway.HashKey("key"), Tenant: "acme", Scopes: []string{"equal", "transactions", "journeys"}})
	if err != nil {
		t.Fatal(err)
	}
	endpoint, err := url.Parse(dynamolocal.Endpoint(t))
	if err != nil {
		t.Fatal(err)
	}
	cloud = &aws{dynamo: httputil.NewSingleHostReverseProxy(endpoint), calls: map[string]int{}, objects: map[string][]byte{}, expires: map[string]string{}, asked: map[string]sfnRequest{}, secrets: map[string]string{
		"sallyport/test/keys":           `{"id":"an id key for tests, long enough"}`,
		"sallyport/test/partners/equal": `{"client_id":"sandbox.client#1","client_secret":"sandbox-secret=","gateway_instance_id":"` + instance + `","journeys":{"aadhaar-otp":"` + journey + `"}}`,
	}}
	services := httptest.NewServer(cloud)
	t.Cleanup(services.Close)
	db, err := bolt.Open(filepath.Join(t.TempDir(), "sandbox.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	partners := httptest.NewServer(sandbox.New(sandbox.NewBolt(db), sandbox.Options{Wire: true}))
	t.Cleanup(partners.Close)
	return cloud, append(os.Environ(), "AWS_REGION=eu-west-1", "AWS_ACCESS_KEY_ID=local", "AWS_SECRET_ACCESS_KEY=local",
		"AWS_ENDPOINT_URL="+services.URL, "LEDGER_TABLE="+table, "STAGE=test", "EQUAL_BASE_URL="+partners.URL+"/sandbox/equal",
		"VAULT_BUCKET=vault", "STATE_MACHINES=arn:aws:states:eu-west-1:000000000000:%s:sallyport-test-")
}

// TestDeployedFunction compiles a function as it is deployed, and runs it as Lambda does, against DynamoDB Local.
func TestDeployedFunction(t *testing.T) {
	cloud, environment := deployed(t)
	initialise := startFunction(t, "equal/init-transaction", environment)
	opened := initialise(event(t, `{"gateway_instance_id":"gateway.equal.dev_test","idempotency_id":"one"}`, "key-1", nil))
	if opened.StatusCode != 200 || opened.Headers["Transaction-Id"] == "" {
		t.Fatalf("got %+v", opened)
	}
	replay := initialise(event(t, `{"gateway_instance_id":"gateway.equal.dev_test","idempotency_id":"one"}`, "key-1", nil))
	if replay.Body != opened.Body || replay.Headers["Idempotency-Replayed"] != "true" {
		t.Errorf("replay %+v", replay)
	}
	// Two fresh names and one that doesn't exist; everything warm after that.
	if cloud.calls["secretsmanager.GetSecretValue"] != 3 || cloud.calls["DynamoDB_20120810.UpdateItem"] != 2 || cloud.calls["DynamoDB_20120810.TransactWriteItems"] != 1 {
		t.Errorf("AWS was called %v", cloud.calls)
	}
	var e struct {
		ID string `json:"transaction_id"`
	}
	if err := json.Unmarshal([]byte(opened.Body), &e); err != nil {
		t.Fatal(err)
	}
	execute := startFunction(t, "equal/execute-journey", environment)
	sent := execute(event(t, `{"transaction_id":"`+e.ID+`","journey_id":"aadhaar_otp_sim_v1","input_data":{"aadhaar_no":"999900000016"}}`, "key-2", nil))
	if sent.StatusCode != 200 || !strings.Contains(sent.Body, `"IN_PROGRESS"`) {
		t.Errorf("got %+v", sent)
	}
	get := startFunction(t, "transactions/get", environment)
	record := get(event(t, "", "", map[string]string{"id": sent.Headers["Transaction-Id"]}))
	if record.StatusCode != 200 || !strings.Contains(record.Body, `"state":"done"`) || !strings.Contains(record.Body, `"aadhaar_last4":"0016"`) {
		t.Errorf("got %+v", record)
	}
}

func event(t *testing.T, body, key string, params map[string]string) []byte {
	t.Helper()
	headers := map[string]string{"authorization": "Bearer key", "content-type": "application/json"}
	if key != "" {
		headers["idempotency-key"] = key
	}
	text, err := json.Marshal(events.APIGatewayV2HTTPRequest{Version: "2.0", Headers: headers, Body: body, PathParameters: params,
		RequestContext: events.APIGatewayV2HTTPRequestContext{RequestID: "r"}})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// startFunction compiles a function and runs it; the returned function invokes it over HTTP.
func startFunction(t *testing.T, folder string, environment []string) func(event []byte) events.APIGatewayV2HTTPResponse {
	t.Helper()
	invoke := startInvocable(t, folder, environment)
	return func(event []byte) (response events.APIGatewayV2HTTPResponse) {
		t.Helper()
		MustDecode(t, string(invoke(event)), &response)
		return response
	}
}

// startInvocable compiles a function and runs it; the returned function invokes it and returns what it answers, which
// is {"errorMessage","errorType"} where it fails.
func startInvocable(t *testing.T, folder string, environment []string) func(event []byte) []byte {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "bootstrap")
	build := exec.Command("go", "build", "-tags", "lambda.norpc", "-trimpath", "-o", binary, "../"+folder)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	api := runtimeAPI{make(chan []byte), make(chan []byte)}
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	var log bytes.Buffer
	function := exec.Command(binary)
	function.Env = append(environment, "AWS_LAMBDA_RUNTIME_API="+strings.TrimPrefix(server.URL, "http://"))
	function.Stdout, function.Stderr = &log, &log
	if err := function.Start(); err != nil {
		t.Fatal(err)
	}
	invoked := false
	ended := make(chan error, 1)
	go func() { ended <- function.Wait() }()
	t.Cleanup(func() {
		_ = function.Process.Kill()
		<-ended
		if text := log.String(); strings.Contains(text, "999900000016") || invoked && !strings.Contains(text, `"msg":"call"`) && strings.HasPrefix(folder, "equal/") {
			t.Errorf("%s logged %s", folder, text)
		}
	})
	return func(event []byte) []byte {
		t.Helper()
		invoked = true
		api.events <- event
		select {
		case answer := <-api.answers:
			return answer
		case err := <-ended:
			t.Fatalf("%s ended: %v\n%s", folder, err, log.String())
			return nil
		}
	}
}

// TestDeployedJourney runs a whole journey with compiled functions: the definition as deployed, its functions as Lambda
// runs them, Step Functions played by the interpreter.
func TestDeployedJourney(t *testing.T) {
	cloud, environment := deployed(t)
	definition, err := statemachines.Files.ReadFile("aadhaar-otp.asl.json")
	if err != nil {
		t.Fatal(err)
	}
	machine, err := asl.Parse(definition)
	if err != nil {
		t.Fatal(err)
	}
	functions := map[string]func([]byte) []byte{}
	for _, name := range machine.Functions() {
		functions[name] = startInvocable(t, main.Folder(strings.Trim(name, "${}")), environment)
	}
	begin, get := startFunction(t, "journeys/start", environment), startFunction(t, "journeys/get", environment)
	answer := startFunction(t, "journeys/input", environment)

	started := begin(event(t, `{"aadhaar_no":"`+happy+`"}`, "k", map[string]string{"type": "aadhaar-otp"}))
	var j journeyView
	MustDecode(t, started.Body, &j)
	request := cloud.asked["StartExecution"]
	if started.StatusCode != 202 || request.Name != j.ID || request.StateMachineArn != "arn:aws:states:eu-west-1:000000000000:stateMachine:sallyport-test-aadhaar-otp" {
		t.Fatalf("%+v started %+v", started, request)
	}
	execution, err := machine.Start(asl.Identity{ID: "id", Name: request.Name}, []byte(request.Input), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	env := asl.Env{Now: time.Now, Rand: func() float64 { return 0 }, Token: func() string { return "token-1" }, UUID: func() string { return j.ID }}
	var history strings.Builder
	drive := func() {
		t.Helper()
		_, err := machine.Drive(t.Context(), execution, env, func(_ context.Context, in asl.Invocation) ([]byte, error) {
			out := functions[in.Function](in.Payload)
			var failed struct{ ErrorType, ErrorMessage string }
			if json.Unmarshal(out, &failed) == nil && failed.ErrorType != "" {
				return nil, asl.FunctionError(failed.ErrorType, failed.ErrorMessage)
			}
			return out, nil
		}, func(happened []asl.Event) error { return json.NewEncoder(&history).Encode(happened) })
		if err != nil {
			t.Fatal(err)
		}
	}
	drive()
	look := func() (view journeyView) {
		t.Helper()
		MustDecode(t, get(event(t, "", "", map[string]string{"id": j.ID})).Body, &view)
		return view
	}
	if view := look(); view.Status != "WAITING" || view.Awaiting == nil || len(cloud.objects) != 1 {
		t.Fatalf("%+v, %d documents", view, len(cloud.objects))
	}
	if got := answer(event(t, enter(otp), "", map[string]string{"id": j.ID})); got.StatusCode != 202 {
		t.Fatalf("input: %+v", got)
	}
	if err := machine.SendTaskSuccess(execution, time.Now(), cloud.asked["SendTaskSuccess"].TaskToken, []byte(cloud.asked["SendTaskSuccess"].Output)); err != nil {
		t.Fatal(err)
	}
	drive()
	view := look()
	if execution.Status != "SUCCEEDED" || view.Status != "SUCCEEDED" || !strings.Contains(string(view.Outcome), "MEERA KULKARNI") || len(view.Steps) != 3 {
		t.Errorf("%s: %+v", execution.Status, view)
	}
	if len(cloud.objects) != 0 {
		t.Errorf("%d documents are left", len(cloud.objects))
	}
	for _, secret := range []string{happy, "MEERA", `"` + otp + `"`} {
		if strings.Contains(history.String(), secret) {
			t.Errorf("the history holds %s", secret)
		}
	}
	if n := history.Len(); n > 32<<10 {
		t.Errorf("the history has %d bytes", n)
	}

	settle := startInvocable(t, "journeys/settle", environment)
	aborted := begin(event(t, `{"aadhaar_no":"`+happy+`"}`, "k2", map[string]string{"type": "aadhaar-otp"}))
	MustDecode(t, aborted.Body, &j)
	detail, err := json.Marshal(map[string]any{"name": j.ID, "status": "ABORTED", "input": cloud.asked["StartExecution"].Input, "stateMachineArn": "arn", "output": nil})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if out := settle(detail); strings.Contains(string(out), "errorType") {
			t.Fatalf("settle: %s", out)
		}
	}
	if view := look(); view.Status != "CANCELLED" || len(cloud.objects) != 0 {
		t.Errorf("%+v, %d documents", view, len(cloud.objects))
	}
}
