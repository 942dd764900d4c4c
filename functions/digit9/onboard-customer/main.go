package main

import (
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"sallyport/functions/digit9"
	"sallyport/shared/awsenv"
	"sallyport/shared/awsenv/awssecrets"
	"sallyport/shared/awsenv/awsvault"
	"sallyport/shared/operation"
)

func main() {
	config := digit9.Config{BaseURL: os.Getenv("DIGIT9_BASE_URL")}
	pipeline := awsenv.Pipeline(awssecrets.New())
	pipeline.Vault = awsvault.New(pipeline.Ring) // a state machine hands personal data over by reference
	lambda.Start(operation.New(pipeline, digit9.OnboardCustomer(config)))
}
