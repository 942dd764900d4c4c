package main

import (
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"sallyport/functions/equal"
	"sallyport/shared/awsenv"
	"sallyport/shared/awsenv/awssecrets"
	"sallyport/shared/operation"
)

func main() {
	config := equal.Config{BaseURL: os.Getenv("EQUAL_BASE_URL")}
	lambda.Start(operation.New(awsenv.Pipeline(awssecrets.New()), equal.InitTransaction(config)))
}
