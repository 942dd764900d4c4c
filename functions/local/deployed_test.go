package main_test

import (
	"bytes"
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

	"github.com/aws/aws-lambda-go/events"

	"sallyport/functions/sandbox"
	"sallyport/shared/bolt"
	"sallyport/shared/gateway"
	"sallyport/shared/ledger"
	"sallyport/shared/ledger/dynamo"
	"sallyport/shared/ledger/ledgertest/dynamolocal"
)

// aws answers for the services that a function calls: DynamoDB by DynamoDB Local, Secrets Manager from a map.
type aws struct {
	secrets map[string]string
	dynamo  *httputil.ReverseProxy

	mu    sync.Mutex
	calls map[string]int
}

func (a *aws) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	target := r.Header.Get("X-Amz-Target")
	a.mu.Lock()
	a.calls[target]++
	a.mu.Unlock()
	if target != "secretsmanager.GetSecretValue" {
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

// TestDeployedFunction compiles a function as it is deployed, and runs it as Lambda does, against DynamoDB Local.
func TestDeployedFunction(t *testing.T) {
	client := dynamolocal.Client(t)
	table := dynamolocal.Table(t, client)
	err := dynamo.New(client, table).PutCaller(t.Context(), ledger.Caller{KeyHash: gateway.HashKey("key"), Tenant: "acme", Scopes: []string{"equal", "transactions"}})
	if err != nil {
		t.Fatal(err)
	}
	endpoint, err := url.Parse(dynamolocal.Endpoint(t))
	if err != nil {
		t.Fatal(err)
	}
	cloud := &aws{dynamo: httputil.NewSingleHostReverseProxy(endpoint), calls: map[string]int{}, secrets: map[string]string{
		"sallyport/test/keys":           `{"id":"an id key for tests, long enough"}`,
		"sallyport/test/partners/equal": `{"client_id":"sandbox.client#1","client_secret":"sandbox-secret="}`,
	}}
	services := httptest.NewServer(cloud)
	defer services.Close()
	db, err := bolt.Open(filepath.Join(t.TempDir(), "sandbox.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	partners := httptest.NewServer(sandbox.New(sandbox.NewBolt(db), sandbox.Options{Wire: true}))
	defer partners.Close()

	environment := append(os.Environ(), "AWS_REGION=eu-west-1", "AWS_ACCESS_KEY_ID=local", "AWS_SECRET_ACCESS_KEY=local",
		"AWS_ENDPOINT_URL="+services.URL, "LEDGER_TABLE="+table, "STAGE=test", "EQUAL_BASE_URL="+partners.URL+"/sandbox/equal")

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

// startFunction compiles a function and runs it; the returned function invokes it.
func startFunction(t *testing.T, folder string, environment []string) func(event []byte) events.APIGatewayV2HTTPResponse {
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
	ended := make(chan error, 1)
	go func() { ended <- function.Wait() }()
	t.Cleanup(func() {
		_ = function.Process.Kill()
		<-ended
		if text := log.String(); strings.Contains(text, "999900000016") || !strings.Contains(text, `"msg":"call"`) && strings.HasPrefix(folder, "equal/") {
			t.Errorf("%s logged %s", folder, text)
		}
	})
	return func(event []byte) (response events.APIGatewayV2HTTPResponse) {
		t.Helper()
		api.events <- event
		select {
		case answer := <-api.answers:
			if err := json.Unmarshal(answer, &response); err != nil {
				t.Fatalf("%v in %s", err, answer)
			}
		case err := <-ended:
			t.Fatalf("%s ended: %v\n%s", folder, err, log.String())
		}
		return response
	}
}
