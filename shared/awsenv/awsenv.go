// Package awsenv wires a deployed function: it reads Lambda's environment and builds what the functions share on AWS.
// Of AWS clients it links DynamoDB's alone. A client costs every start of a function that links it, so each of the
// others has a package of its own: awsenv/awssecrets, awsenv/awssteps and awsenv/awsvault. A main passes on what they
// make.
package awsenv

import (
	"context"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"sallyport/shared/callback"
	"sallyport/shared/gateway"
	"sallyport/shared/ledger/dynamo"
	"sallyport/shared/operation"
	"sallyport/shared/seal"
	"sallyport/shared/secrets"
	"sallyport/shared/telemetry"
	"sallyport/shared/token"
	"sallyport/shared/upstream"
)

// attemptTimeout is how long one try of an AWS call may take: a socket that died while the container was frozen must
// not use up the invocation. The SDK tries again, and a conditional write recognises its own copy.
const attemptTimeout = 1500 * time.Millisecond

// Config is an aws.Config made by hand of Lambda's environment: region, credentials and, for tests, AWS_ENDPOINT_URL.
// The SDK's own config package would search files and metadata services that a Lambda doesn't have, and more than
// double its start-up.
func Config() aws.Config {
	cfg := aws.Config{
		Region:     os.Getenv("AWS_REGION"),
		HTTPClient: awshttp.NewBuildableClient().WithTimeout(attemptTimeout),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{
				AccessKeyID:     os.Getenv("AWS_ACCESS_KEY_ID"),
				SecretAccessKey: os.Getenv("AWS_SECRET_ACCESS_KEY"),
				SessionToken:    os.Getenv("AWS_SESSION_TOKEN"),
				Source:          "Lambda environment",
			}, nil
		}),
	}
	if endpoint := os.Getenv("AWS_ENDPOINT_URL"); endpoint != "" {
		cfg.BaseEndpoint = &endpoint
	}
	return cfg
}

// Log is a function's logger.
func Log() *slog.Logger { return telemetry.NewLogger(os.Stdout, slog.LevelInfo) }

// Ledger is the table named by LEDGER_TABLE.
func Ledger() *dynamo.Ledger {
	return dynamo.New(dynamodb.NewFromConfig(Config()), os.Getenv("LEDGER_TABLE"))
}

// Auth tells callers by the ledger's records of them.
func Auth(l *dynamo.Ledger) *gateway.Authenticator { return gateway.NewAuthenticator(l, time.Now) }

// Metrics are written to where CloudWatch finds them.
func Metrics() *telemetry.Metrics {
	return telemetry.NewMetrics(os.Stdout, os.Getenv("STAGE"), time.Now)
}

// Callback takes a partner's callbacks to the journeys that wait for them.
func Callback(r callback.Receiver, cache *secrets.Cache, o callback.Orchestrator) callback.Handler {
	log := Log()
	return callback.Handler{
		Receiver: r, Secrets: cache, Log: log, Metrics: Metrics(), Now: time.Now,
		Correlator: &callback.Correlator{
			Ledger: Ledger(), Orchestrator: o, Ring: seal.Cached(cache.Keys), Log: log, Now: time.Now,
		},
	}
}

// Pipeline is what every operation runs through, for the stage named by STAGE. It has no vault: whoever must open
// references that a state machine hands over adds awsvault's.
func Pipeline(cache *secrets.Cache) *operation.Pipeline {
	l, log := Ledger(), Log()
	ring := seal.Cached(cache.Keys)
	auth := Auth(l)
	auth.Ring = ring
	return &operation.Pipeline{
		Ledger:   l,
		Auth:     auth,
		Secrets:  cache,
		Ring:     ring,
		Tokens:   token.New(l, ring, time.Now, operation.NewID, log),
		Upstream: upstream.New(),
		Log:      log,
		Metrics:  Metrics(),
		Now:      time.Now,
		NewID:    operation.NewID,
	}
}
