package main

import (
	"os"
	"strconv"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"sallyport/functions/sandbox"
	"sallyport/functions/sandbox/dynamo"
	"sallyport/functions/sandbox/simulators"
	"sallyport/shared/awsenv"
	"sallyport/shared/awsenv/awssecrets"
)

func main() {
	store := dynamo.New(dynamodb.NewFromConfig(awsenv.Config()), os.Getenv("SANDBOX_TABLE"))
	scale, _ := strconv.ParseFloat(os.Getenv("SANDBOX_TIME_SCALE"), 64) // 1 where it is not set
	gateway := sandbox.GatewayURL(awssecrets.New().Sandbox)
	lambda.Start(sandbox.New(store, sandbox.Options{
		TimeScale: scale, Log: awsenv.Log(), Authenticate: sandbox.CallerOnly(awsenv.Auth(awsenv.Ledger())),
		Simulators: simulators.All(), Callbacks: sandbox.CallbackOptions{BaseURL: gateway},
	}))
}
