package main

import (
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"sallyport/functions/iron"
	"sallyport/shared/awsenv"
	"sallyport/shared/awsenv/awssecrets"
	"sallyport/shared/awsenv/awsvault"
	"sallyport/shared/operation"
)

func main() {
	config := iron.Config{BaseURL: os.Getenv("IRON_BASE_URL")}
	pipeline := awsenv.Pipeline(awssecrets.New())
	pipeline.Vault = awsvault.New(pipeline.Ring) // a state machine hands personal data over by reference
	lambda.Start(operation.New(pipeline, iron.CreateCustomer(config)))
}
