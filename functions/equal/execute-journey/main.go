package main

import (
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"sallyport/functions/equal"
	"sallyport/shared/awsenv"
	"sallyport/shared/awsenv/awssecrets"
	"sallyport/shared/awsenv/awsvault"
	"sallyport/shared/operation"
)

func main() {
	config := equal.Config{BaseURL: os.Getenv("EQUAL_BASE_URL")}
	pipeline := awsenv.Pipeline(awssecrets.New())
	pipeline.Vault = awsvault.New(pipeline.Ring) // a state machine hands the number and the OTP over by reference
	lambda.Start(operation.New(pipeline, equal.ExecuteJourney(config)))
}
