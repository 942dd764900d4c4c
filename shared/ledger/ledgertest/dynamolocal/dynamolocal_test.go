package dynamolocal_test

import (
	"bufio"
	"net"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"sallyport/shared/ledger/ledgertest/dynamolocal"
)

func TestTable(t *testing.T) {
	client := dynamolocal.Client(t)
	a, b := dynamolocal.Table(t, client), dynamolocal.Table(t, client)
	if a == b {
		t.Fatalf("both tables are %s", a)
	}
	out, err := client.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: &a})
	if err != nil {
		t.Fatal(err)
	}
	if n := *out.Table.ItemCount; n != 0 {
		t.Fatalf("a new table has %d items", n)
	}
}

// TestEndsWithTheTestProcess kills a process that started DynamoDB Local, in the way that leaves it no chance to clean
// up, and waits until nobody listens any more.
func TestEndsWithTheTestProcess(t *testing.T) {
	const prefix = "endpoint "
	if os.Getenv("DYNAMOLOCAL_TEST_CHILD") == "1" {
		os.Stdout.WriteString(prefix + dynamolocal.Endpoint(t) + "\n")
		select {}
	}
	dynamolocal.Endpoint(t) // skips where it cannot run

	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestEndsWithTheTestProcess$")
	child.Env = append(os.Environ(), "DYNAMOLOCAL_TEST_CHILD=1")
	stdout, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	endpoint, ok := strings.CutPrefix(strings.TrimSpace(line), prefix)
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait()
	if err != nil || !ok {
		t.Fatalf("the child said %q, %v", line, err)
	}
	address, err := url.Parse(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	timeout := time.After(30 * time.Second)
	for {
		conn, err := net.Dial("tcp", address.Host)
		if err != nil {
			return
		}
		conn.Close()
		select {
		case <-poll.C:
		case <-timeout:
			t.Fatalf("%s still answers", endpoint)
		}
	}
}
