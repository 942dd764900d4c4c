// Package dynamolocal runs DynamoDB Local for tests: one process per test process, which it does not outlive, and a
// table of its own for every test.
package dynamolocal

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Endpoint starts DynamoDB Local unless it runs already, and returns its URL. Where it cannot run, the test is
// skipped with the reason, or fails if REQUIRE_ALL=1 is set.
func Endpoint(t testing.TB) string {
	t.Helper()
	endpoint, err := start()
	if err == nil {
		return endpoint
	}
	if os.Getenv("REQUIRE_ALL") == "1" {
		t.Fatalf("DynamoDB Local is required: %v", err)
	}
	t.Skipf("SKIPPED, no DynamoDB Local: %v", err)
	return ""
}

// Client returns a client of DynamoDB Local; options may change its transport or retries.
func Client(t testing.TB, options ...func(*dynamodb.Options)) *dynamodb.Client {
	t.Helper()
	return dynamodb.New(dynamodb.Options{
		BaseEndpoint: aws.String(Endpoint(t)),
		Region:       "eu-west-1",
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "local", SecretAccessKey: "local"}, nil
		}),
	}, options...)
}

// Table creates an empty table for this test and returns its name. Its items are not swept: DynamoDB Local would do it
// by the machine's clock, amid tests that set their own.
func Table(t testing.TB, client *dynamodb.Client) string {
	t.Helper()
	name := "ledger-" + rand.Text()
	if _, err := client.CreateTable(t.Context(), Schema(name)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, _ = client.DeleteTable(context.Background(), &dynamodb.DeleteTableInput{TableName: &name})
	})
	return name
}

// Schema is how the ledger's table must be created; the deployed one is compared with it.
func Schema(table string) *dynamodb.CreateTableInput {
	var attributes []types.AttributeDefinition
	for _, name := range []string{"pk", "sk", "gsi1pk", "gsi1sk", "gsi2pk", "gsi2sk"} {
		attributes = append(
			attributes, types.AttributeDefinition{AttributeName: &name, AttributeType: types.ScalarAttributeTypeS},
		)
	}
	transaction := []string{
		"tenant", "operation", "journey", "step", "state", "code", "fingerprint", "attempt", "generation", "take_overs",
		"claimed_at", "lease", "sent_at", "ended_at", "expires_at", "refs", "owns",
	}
	return &dynamodb.CreateTableInput{
		TableName:            &table,
		BillingMode:          types.BillingModePayPerRequest,
		AttributeDefinitions: attributes,
		KeySchema:            keySchema("pk", "sk"),
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{
			// what a listing shows of a journey
			index("tenant-index", keySchema("gsi1pk", "gsi1sk"), append(transaction, "listed")),
			index("journey-index", keySchema("gsi2pk", "gsi2sk"), transaction),
		},
	}
}

func index(name string, keys []types.KeySchemaElement, attributes []string) types.GlobalSecondaryIndex {
	return types.GlobalSecondaryIndex{
		IndexName: &name, KeySchema: keys,
		Projection: &types.Projection{ProjectionType: types.ProjectionTypeInclude, NonKeyAttributes: attributes},
	}
}

// TTL is the attribute by which the deployed table sweeps its items; Schema cannot carry it.
const TTL = "ttl"

func keySchema(hash, sort string) []types.KeySchemaElement {
	return []types.KeySchemaElement{
		{AttributeName: &hash, KeyType: types.KeyTypeHash},
		{AttributeName: &sort, KeyType: types.KeyTypeRange},
	}
}

// start is shared by all tests of a process.
var start = sync.OnceValues(func() (endpoint string, err error) {
	for _, tool := range []string{"java", "sh"} {
		if _, err := exec.LookPath(tool); err != nil {
			return "", err
		}
	}
	folder, err := install()
	if err != nil {
		return "", err
	}
	// Another process may take the free port first; then this one ends at once.
	for range 3 {
		if endpoint, err = launch(folder); err == nil {
			return endpoint, nil
		}
	}
	return "", err
})

// untilStdinCloses becomes the program in its arguments and ends it when standard input closes: the kernel does that
// however the test process ends, on every Unix, even by kill -9.
const untilStdinCloses = `exec 3<&0; (read -r _ <&3; kill $$) >/dev/null 2>&1 & exec "$@" </dev/null 3<&-`

// launch starts DynamoDB Local on a free port and waits until it answers.
func launch(folder string) (endpoint string, err error) {
	port, err := freePort()
	if err != nil {
		return "", err
	}
	var output bytes.Buffer
	cmd := exec.Command("sh", "-c", untilStdinCloses, "sh", "java", "-Xmx512m", "-Djava.library.path=DynamoDBLocal_lib",
		"-jar", "DynamoDBLocal.jar", "-inMemory", "-disableTelemetry", "-port", port)
	cmd.Dir, cmd.Stdout, cmd.Stderr, cmd.WaitDelay = folder, &output, &output, time.Second
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return "", err
	}
	if err := cmd.Start(); err != nil {
		return "", err
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()

	poll := time.NewTicker(50 * time.Millisecond)
	defer poll.Stop()
	timeout := time.After(time.Minute)
	for {
		select {
		case <-ended:
			return "", fmt.Errorf("DynamoDB Local ended: %s", strings.TrimSpace(output.String()))
		case <-timeout:
			stdin.Close()
			<-ended
			return "", fmt.Errorf("DynamoDB Local did not answer: %s", strings.TrimSpace(output.String()))
		case <-poll.C:
			if conn, err := net.Dial("tcp", "127.0.0.1:"+port); err == nil {
				conn.Close()
				return "http://127.0.0.1:" + port, nil
			}
		}
	}
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, err
}
